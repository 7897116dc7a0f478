"""A run that waits for an event: woken once by what happens after it came to the step, else by its time limit."""

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from console import browse
from console.actions import record_changes
from console.activity import sequencing
from console.auth import access
from console.authoring import publication
from console.automation import triggers
from console.browse import tags
from console.core.errors import Conflict
from console.infra.db.engine import fetch
from console.messaging.messages import inbound
from console.operations import status as upkeep
from console.views.formats import Look
from console.views.runs.wait_words import wait_words
from tests.company import Company
from tests.messaging.messages import reached
from tests.messaging.messages.reached import ANA, BRAM, SAM, begin, status, work
from tests.support.engine import kinds, until, whole, workers

pytestmark = pytest.mark.lengthy

ASK: dict[str, Any] = {"type": "guidance", "config": {"text": "Look"}, "next": {"default": "end"}}
GRETA = "4"
LOOK = Look("en", "Europe/Vilnius", datetime(2026, 11, 20, 12, 0, tzinfo=UTC))
SET = "update console.version set number = %s where name = 'awaited_events_read' returning number"
UNTIL = "select waiting ->> 'until' from console.run where id = %s"


@pytest.fixture(name="club", autouse=True)
def fixture_club(company: Company) -> Company:
    reached.founded(company)
    return company


def waiting(slug: str, **config: Any) -> str:
    """A workflow that waits for this, and then asks at `answered` or at `silent`."""
    ways = {"event" if "event" in config else "default": "answered"} | (
        {"timeout": "silent"} if "timeout" in config else {}
    )
    asks = [{"id": name, **ASK} for name in ways.values()]
    return reached.workflow(slug, [{"id": "pause", "type": "wait", "config": config, "next": ways}, *asks])


def answered(number: int = 1) -> None:
    assert (
        inbound.receive(
            "sms", "twilio", sender="+1 202 555 0147", text="Yes, please", provider_id=f"SM{number}"
        )
        is not None
    )


def look() -> int:
    """What the worker does; how many runs were woken."""
    sequencing.sequence()
    woken = triggers.wake_awaiting()
    work()
    return woken


def test_workers_wake_who_got_an_answer_and_let_the_others_time_out(club: Company) -> None:
    waiting("answer", event="message.received", timeout="P4D")
    waiting("silence", event="message.received", timeout="PT1S")
    sam, ana, late = begin(club, "answer"), begin(club, "answer", ANA), begin(club, "silence", BRAM)
    sequencing.sequence()
    answered()
    with workers(2):
        assert until(lambda: status(club, sam) == ("waiting_person", "answered"))
        assert until(lambda: status(club, late) == ("waiting_person", "silent"))
    assert status(club, ana) == ("waiting_event", "pause")
    told = club.told(sam)["context"]["pause"]
    assert (told["event"], club.told(late)["context"]["pause"]["event"]) == ("message.received", None)
    assert (kinds(sam).count("event_arrived"), kinds(late).count("event_arrived")) == (1, 0)
    words = wait_words(club.told(ana), LOOK)
    assert words.startswith("Waits until they answer, at the latest ")
    whole(sam)
    whole(late)


def test_nobody_at_a_number_that_said_stop_goes_on_waiting_for_an_answer(club: Company) -> None:
    with closing(sqlite3.connect(club.path.with_name("club.db"))) as connection:
        connection.execute("update contact set phone = '+12025550147' where id in (2, 3)")
        connection.commit()
    slug = waiting("answer", event="message.received", timeout="P2D")
    runs_of = [begin(club, slug, who) for who in (SAM, ANA, BRAM)]
    answered()
    assert (look(), sorted(str(status(club, each)[1]) for each in runs_of)) == (
        1,
        ["answered", "pause", "pause"],
    ), "an answer is of one"
    assert (
        inbound.receive("sms", "twilio", sender="+1 202 555 0147", text="STOP", provider_id="SM2") is not None
    )
    assert (look(), {status(club, each)[1] for each in runs_of}) == (2, {"answered"})


def test_what_happened_before_does_not_count_and_a_second_event_changes_nothing(club: Company) -> None:
    waiting("answer", event="message.received", timeout="P4D")
    answered(1)
    run_id = begin(club, "answer")
    assert (look(), status(club, run_id)) == (0, ("waiting_event", "pause"))
    since = fetch("select number from console.version where name = 'awaited_events_read'")[0][0]
    answered(2)
    answered(3)
    sequencing.sequence()
    others = [threading.Thread(target=triggers.wake_awaiting) for _ in range(3)]
    for thread in others:
        thread.start()
    for thread in others:
        thread.join()
    work()
    assert (status(club, run_id), kinds(run_id).count("event_arrived")) == (("waiting_person", "answered"), 1)
    fetch(SET, (since,))  # as if the worker had been killed before it noted how far it came
    assert (look(), kinds(run_id).count("event_arrived")) == (0, 1)
    whole(run_id)


def test_who_waits_for_an_answer_moves_to_the_next_version_and_is_woken_there(club: Company) -> None:
    """The wait goes on where it ends in the same ways; else it begins anew, so that nobody waits for what no version leads on from."""
    waiting("answer", event="message.received", timeout="P4D")
    runs_of = [begin(club, "answer"), begin(club, "answer", ANA)]
    [[until_when]] = fetch(UNTIL, (runs_of[0],))
    waiting("answer", event="message.received", timeout="P9D", also=["message.failed"])
    move = publication.move_runs(
        club.mona, "answer", 1, 2, steps={}, reason="What is not delivered counts too"
    )
    assert (move.moved, dict(move.refused)) == (2, {})
    assert [(club.told(each)["version"], status(club, each)) for each in runs_of] == [
        (2, ("waiting_event", "pause"))
    ] * 2
    assert fetch(UNTIL, (runs_of[0],)) == [(until_when,)]
    answered()
    assert (look(), status(club, runs_of[0])) == (1, ("waiting_person", "answered"))
    waiting("answer", event="message.received")
    waiting("answer", days=2)
    for version, stands in ((3, "waiting_event"), (4, "waiting_time")):
        publication.move_runs(
            club.mona, "answer", version - 1, version, steps={}, reason="Otherwise", chosen=[runs_of[1]]
        )
        work()
        assert status(club, runs_of[1]) == (stands, "pause")
        assert fetch(UNTIL, (runs_of[1],)) != [(until_when,)]
    for each in runs_of:
        whole(each)


def test_a_filter_looks_at_the_record_and_a_pause_loses_nothing(club: Company) -> None:
    waiting(
        "engaged", event="record.updated", filter="record.stage == 'engaged' && event.collection == 'contact'"
    )
    run_id = begin(club, "engaged")
    tags.put(club.olivia, "contact", [SAM], "VIP")
    browse.change(club.olivia, "contact", SAM, {"owner": "tom"}, {"owner": "olivia"})
    assert (look(), status(club, run_id)) == (0, ("waiting_event", "pause"))
    assert (
        wait_words(club.told(run_id), LOOK)
        == "Waits until the record is changed and the step's condition holds."
    )
    upkeep.pause(club.ines, "The provider lies")
    browse.change(club.olivia, "contact", SAM, {"stage": "engaged"}, {"stage": "new"})
    assert look() == 0
    upkeep.resume(club.ines, "It does not")
    assert (look(), status(club, run_id)) == (1, ("waiting_person", "answered"))


def deleted(club: Company, slug: str, *steps: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A run that waited for the deletion of Greta's record, and what became of it when she was deleted by hand."""
    access.grant("operations_lead", "collection:contact", ["delete"], team="operations")
    wait = {
        "id": "pause",
        "type": "wait",
        "config": {"event": "record.deleted"},
        "next": {"event": steps[0]["id"] if steps else "end"},
    }
    reached.workflow(slug, [wait, *steps], exclusive=False)
    run_id = begin(club, slug, GRETA)
    record_changes.delete(club.mona, "contact", GRETA, {})
    assert look() == 1
    return run_id, club.told(run_id, "mona")


def test_a_person_does_a_step_without_the_record_and_is_told_at_one_that_needs_it(club: Company) -> None:
    looks = {"type": "guidance", "config": {"text": "Look"}}
    run_id, told = deleted(
        club,
        "asked",
        {"id": "look", **looks},
        {"id": "name", "type": "guidance", "config": {"text": "Of {{ record.name }}"}},
    )
    assert (told["status"], told["current"]["step"]) == ("waiting_person", "look")
    club.answer(run_id)
    assert club.told(run_id)["current"]["step"] == "name"
    with pytest.raises(Conflict, match="was deleted"):
        club.answer(run_id)
