"""Two workflows that start each other by what they do to a contact, by its stage, its tags or both crosswise: stopped, said in words, and told to nobody over and over."""

from typing import Any

import pytest

from console import browse, monitoring
from console.browse import tags
from console.work import notices
from tests.automation.triggers.test_triggers import house, publish, runs_of, told
from tests.company import Company
from tests.conftest import web_app
from tests.jobs import work_as_workers_do
from tests.messaging.messages.reached import founded
from tests.support.engine import step
from tests.views.conftest import Pages

__all__ = ["house"]
pytestmark = pytest.mark.slow
TO = {"engaged": ("change_stage", {"stage": "engaged"}), "lost": ("change_stage", {"stage": "lost"})}
PUT = {name: ("add_tag", {"tag": name}) for name in ("ping", "pong")}
OFF = {name: ("remove_tag", {"tag": name}) for name in ("ping", "pong")}
BY_STAGE = {
    "engaged": ("stage.changed", "event.stage == 'engaged'"),
    "lost": ("stage.changed", "event.stage == 'lost'"),
}
BY_TAG = {name: ("tag.added", f"event.tag == '{name}'") for name in ("ping", "pong")}
RINGS = {
    "stages": ((BY_STAGE["engaged"], [TO["lost"]]), (BY_STAGE["lost"], [TO["engaged"]])),
    "tags": ((BY_TAG["ping"], [OFF["ping"], PUT["pong"]]), (BY_TAG["pong"], [OFF["pong"], PUT["ping"]])),
    "crosswise": (
        (BY_TAG["ping"], [OFF["ping"], TO["engaged"]]),
        (BY_STAGE["engaged"], [TO["lost"], PUT["ping"]]),
    ),
}


@pytest.mark.parametrize(
    ("ring", "enrolled"), [("stages", True), ("tags", False), ("crosswise", False), ("crosswise", True)]
)
def test_two_workflows_that_start_each_other_go_round_once(house: Company, ring: str, enrolled: bool) -> None:
    founded(house)
    for name, ((on, only), acts) in zip(("tick", "tock"), RINGS[ring], strict=True):
        following = [f"act_{number}" for number in range(1, len(acts))] + ["end"]
        steps = [
            step("start", "start", "act_0"),
            *(step(f"act_{n}", kind, following[n], config) for n, (kind, config) in enumerate(acts)),
            step("end", "end", None),
        ]
        more: dict[str, Any] = {"reenrol": "after_end"} if enrolled else {}
        publish(
            name,
            {"id": "on", "kind": "event", "on": on, "filter": only.replace("'", '"')},
            steps=steps,
            collection="contact",
            **more,
        )
    work_as_workers_do()
    for key in ("1", "2"):
        if ring == "stages":
            browse.change(house.olivia, "contact", key, {"stage": "engaged"}, {"stage": "new"})
        else:
            tags.put(house.olivia, "contact", [key], "ping")
    for _ in range(6):
        work_as_workers_do()
    assert [sorted(row[:2] for row in runs_of(name)) for name in ("tick", "tock")] == [
        [("completed", "1"), ("completed", "2")]
    ] * 2
    assert (told("tick", "on")[3], told("tock", "on")[3]) == (2, 0)
    said = Pages(house, web_app()).mona.get("/workflows/tick/triggers").text
    assert "let a condition leave out" in said
    monitoring.unable_to_start.look()
    seen = [(each.text, each.href) for each in notices.notices_of(house.people["mona"])]
    assert ["gone round" in text and link for text, link in seen] == ["/workflows/tick/triggers"], (
        "once, for two records"
    )
