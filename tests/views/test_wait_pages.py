"""A run that waits for a moment, as pages and programs show it: when it continues, what may be done meanwhile, and every moment of it again."""

from typing import TYPE_CHECKING

from console import log, runs
from tests.runs.engine.test_engine import at_pause
from tests.support.engine import kinds, overdue, waiting, whole

if TYPE_CHECKING:
    from tests.views.conftest import Pages


def test_a_waiting_run_says_when_it_continues_and_follows(pages: "Pages") -> None:
    waiting({"hours": 1})
    run_id = at_pause(pages.company)
    page = pages.olivia.get(f"/runs/{run_id}")
    assert "Continues at" in page.text
    assert any(
        told.get("hx-trigger", "").startswith("every 15s") or "15s" in told.get("hx-trigger", "")
        for told in page.with_attribute("hx-trigger")
    )
    assert f"/runs/{run_id}/abort" in page.html
    overdue(run_id)
    pages.company.work()
    assert "Continues at" not in pages.olivia.get(f"/runs/{run_id}").text
    for number in range(1, len(kinds(run_id)) + 1):
        pages.olivia.get(f"/runs/{run_id}/replay?at={number}")
        assert runs.replay(pages.company.olivia, run_id, number)
    whole(run_id)
    assert {"timer_set", "timer_fired"} <= {event.type for event in log.events_of(run_id)}


def test_a_waiting_run_can_be_revised_from_its_page(pages: "Pages") -> None:
    waiting({"hours": 1})
    run_id = at_pause(pages.company)
    page = pages.olivia.get(f"/runs/{run_id}/revise?step=before")
    pages.olivia.send(page, f"/runs/{run_id}/revise", reason="Once more")
    told = pages.company.told(run_id)
    assert (told["status"], told["current"]["step"], told["current"]["attempt"]) == (
        "waiting_person",
        "before",
        2,
    )
    assert pages.company.work() == 0
    whole(run_id)
