"""What the log says was on a screen: once for each opening of a page, and for each person what they could read."""

from typing import TYPE_CHECKING

from console import log, runs
from console.runs.views import replay
from tests.support.four_eyes import publish, step
from tests.support.proposing_runs import begun, call_of, failed, hand_in, made, value

if TYPE_CHECKING:
    from tests.company import Company
    from tests.views.conftest import Pages


def shown(run_id: str) -> list[str]:
    """Whom the screens of the run were shown, in order."""
    return [event.body["actor"]["id"] for event in log.events_of(run_id) if event.type == "step_shown"]


def test_a_page_left_open_is_one_showing_and_each_opening_one_more(
    company: "Company", pages: "Pages"
) -> None:
    publish("clock", step("look", "guidance", {"text": "It is {{ now }}."}, default="end"))
    run_id = runs.start(company.olivia, "clock", "customer", "1")
    company.answer(run_id, note="At work.")
    before = shown(run_id)
    page = pages.tom.get(f"/runs/{run_id}")
    [run] = [each for each in page.with_attribute("hx-get") if each.get("id") == "run"]
    assert run["hx-trigger"] == "every 15s"
    for _ in range(3):
        pages.tom.get(run["hx-get"], htmx="run", status=204)
    assert shown(run_id) == [*before, company.tom.id]
    for question in ("escalate", "revise?step=note", "leave"):
        pages.olivia.get(f"/runs/{run_id}/{question}", htmx="dialog")
    assert shown(run_id) == [*before, company.tom.id], "a question above the page shows no other screen"
    pages.tom.get(f"/runs/{run_id}")
    assert shown(run_id) == [*before, company.tom.id, company.tom.id]
    company.answer(run_id)
    pages.tom.get(run["hx-get"], htmx="run")


def test_replay_draws_what_was_before_the_person_who_acted(company: "Company", pages: "Pages") -> None:
    publish("whose", step("look", "guidance", {"text": "{{ $currentUser.name }} reads."}, default="end"))
    run_id = runs.start(company.olivia, "whose", "customer", "1")
    company.answer(run_id, note="At work.")
    pages.olivia.get(f"/runs/{run_id}")
    pages.tom.get(f"/runs/{run_id}")
    looked = len(log.events_of(run_id))
    company.answer(run_id)
    for place in range(1, len(log.events_of(run_id)) + 1):
        view = runs.replay(company.ada, run_id, place)
        screen = view.run.screen or {}
        if screen.get("step") == "look":
            who = "Tom" if place == looked else "Olivia"
            assert screen["text"] == f"{who} reads.", view.json["event"]["kind"]
    assert replay.screens_shown(company.ada, run_id)["look", 1]["text"] == "Olivia reads."


def test_a_mark_is_of_the_ai_where_a_model_was_asked(company: "Company", pages: "Pages") -> None:
    run_id = begun(company)
    made(call_of(company, run_id), value("note", "By rule."))
    hand_in(company, run_id)
    failed(call_of(company, run_id), "not_configured", "off", "AI is not configured here.")
    hand_in(company, run_id)
    made(call_of(company, run_id), origin="small-1", model="small-1", provider="anthropic", tries=1)
    marks = pages.ada.get(f"/runs/{run_id}/replay").with_attribute("title")
    by_model = [mark["title"] for mark in marks if mark.get("class", "").startswith("proposal")]
    assert len(by_model) == 2, "asked for, and made"
    assert all("flags" in title.lower() for title in by_model), by_model
