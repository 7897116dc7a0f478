"""The picture of an automation: how many took each way, narrowed to a version."""

from typing import Any

from console import workflows
from console.activity import sequencing
from console.auth import accounts
from console.automation import enrolments
from console.automation.enrolments import Question
from tests.company import DOCUMENT
from tests.conftest import web_app
from tests.jobs import BEGINNING, work_until_idle
from tests.support.engine import step
from tests.views.conftest import Pages

ROBOT = "robot@fernwick.example"
HERE = "/workflows/care-review/enrolled"


def ways_by_call(pages: Pages) -> dict[str, dict[str, int]]:
    """Step → way → how many runs took it, as a program reads it."""
    key = {"Authorization": f"Bearer {accounts.create_key('figures', pages.company.mona.id).text}"}
    told = (
        web_app().test_client().get("/api/v1/workflows/care-review/metrics", headers=key).get_json()["ways"]
    )
    return {
        step: {each["way"]: each["runs"] for each in told if each["step"] == step}
        for step in {each["step"]: None for each in told}
    }


def test_the_picture_counts_who_took_a_way_and_is_narrowed_to_a_version(pages: Pages) -> None:
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    pause = step("pause", "wait", "end", {"event": "tag.added", "timeout": "P2D"}) | {
        "next": {"event": "end", "timeout": "end"}
    }
    sort = step(
        "sort",
        "condition",
        None,
        {
            "branches": [
                {"if": "record.id == 1", "outcome": "out"},
                {"if": "record.id == 4", "outcome": "other"},
            ]
        },
    )
    sort["next"] = {"out": "end", "other": "end", "default": "pause"}
    document = DOCUMENT | {
        "run_as": ROBOT,
        "steps": [step("start", "start", "sort"), sort, pause, step("end", "end", None, {})],
    }
    workflows.import_file(document, publish=True)
    address, former = "/workflows/care-review", workflows.live("care-review").number

    def enrol(*keys: str) -> None:
        enrolments.batches.begin(pages.company.olivia, "care-review", Question(keys=keys))
        work_until_idle(BEGINNING)
        pages.company.work()
        sequencing.catch_up()
        enrolments.counts.follow()

    def here(page: Any) -> dict[str, str]:
        return {told["data-step"]: told["data-here"] for told in page.with_attribute("data-here")}

    enrol("1", "3", "4")
    first = pages.mona.get(address)
    took = {
        (told["data-to"], told["data-label"]): told["data-took"] for told in first.with_attribute("data-took")
    }
    assert took == {("end", "Out"): "2", ("end", "Other"): "2", ("pause", "Otherwise"): "1"} | {
        ("sort", ""): "3"
    }
    assert ways_by_call(pages) == {
        "start": {"default": 3},
        "sort": {"out": 1, "other": 1, "default": 1},
        "pause": {"event": 0, "timeout": 0},
    }
    assert "Way n took this path" in first.text
    assert "Whom the picture counts" not in first.html, "everybody is in the same version"
    workflows.import_file(document | {"description": "Said better"}, publish=True)
    enrol("2")
    both = pages.mona.get(address)
    narrowed = f"{address}?people={former}"
    assert narrowed in both.links
    assert (here(both), here(pages.mona.get(narrowed)), here(pages.mona.get(f"{address}?people=999"))) == (
        {"pause": "2"},
        {"pause": "1"},
        {"pause": "2"},
    )
    assert f"{HERE}?step=pause&version={former}" in pages.mona.get(narrowed).links
