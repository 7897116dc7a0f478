"""How a message ended by the word of a person in the sandbox stands in the log under their name; and one that nobody wants any more says what happened."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from console import enrolments, runs, workflows
from console.channels import sandbox
from console.db.engine import fetch
from console.enrolments import Question
from console.errors import Malformed
from console.messages import callbacks, channel_settings, message_rows
from tests.company import Company
from tests.jobs import work_until_idle
from tests.messages import reached
from tests.messages.reached import NOON, SAM, begin, line, workflow

ASK = {"id": "ask", "type": "guidance", "config": {"text": "Look"}}
STEPS: dict[str, dict[str, Any]] = {
    "sms": {"type": "sms", "config": {"text": "Hello"}},
    "email": {"type": "email", "config": {"subject": "Hello", "body": "Dear"}},
    "call": {"type": "ai_call", "config": {"script": ["Call"], "max_attempts": 1}},
}
CHOICES = [(kind, way) for kind in STEPS for way in sorted(sandbox.CHOSEN[kind])]
CHOSEN = (
    "select convert_from(body, 'UTF8')::jsonb from console.event where convert_from(body, 'UTF8') like '%%\"message_outcome_chosen\"%%'"
)
NIGHT = NOON + timedelta(hours=9)


def chosen() -> list[tuple[str, dict[str, Any]]]:
    """(who, what) of each choice in the log."""
    return [(body["actor"]["id"], body["data"]["open"]) for (body,) in fetch(CHOSEN, ())]


@pytest.mark.parametrize(("kind", "way"), CHOICES)
def test_each_outcome_that_a_person_chooses_is_an_event_of_theirs(company: Company, kind: str, way: str) -> None:
    reached.founded(company)
    channel_settings.save(company.ines, kind, sandbox_on=True, script="by_hand")
    with reached.clock(NOON):
        run_id = begin(company, workflow("hello", [{"id": "say", **STEPS[kind]}, dict(ASK)]))
        message = line(company, run_id).message
        assert callbacks.chosen_by_hand(company.ines, message, {"outcome": way})
        assert not callbacks.chosen_by_hand(company.ines, message_rows.by_id(message.id) or message, {"outcome": way})
        with pytest.raises(Malformed):
            callbacks.chosen_by_hand(company.ines, message, {"outcome": sandbox.BY_HAND})
    assert chosen() == [(company.ines.id, {"message_id": message.id, "run": run_id, "channel": kind, "outcome": way})]


@pytest.mark.parametrize(
    "how", ["deleted", "taken out", "cancelled", "left, and its run has not ended yet", "workflow cancelled, and its run has not ended yet"]
)
def test_a_held_message_that_nobody_wants_any_more_says_what_happened(company: Company, how: str) -> None:
    path = reached.founded(company)
    with reached.clock(NIGHT) as move:
        workflow("held", [{"id": "sms", **STEPS["sms"]}, dict(ASK)])
        enrolments.batches.begin(company.olivia, "held", Question(keys=[SAM]))
        enrolments.beginning.keep_in_step()
        work_until_idle()
        reached.work()
        ((run_id,),) = fetch("select run from console.enrolment where workflow = (select id from console.workflow where slug = 'held')")
        assert line(company, run_id).status == "waiting"
        if how == "deleted":
            with closing(sqlite3.connect(path)) as club, club:
                club.execute("delete from consent where contact_id = 1")
                club.execute("delete from contact where id = 1")
            enrolments.exits.patrol()
        elif how == "taken out":
            (place,) = enrolments.places.page(company.mona, enrolments.find("held")).rows
            enrolments.unenrol(company.mona, "held", place.id, "They called us.")
        elif how == "cancelled":
            runs.cancel(company.mona, run_id, revision=company.told(run_id)["revision"], reason="No longer a lead")
        elif how.startswith("workflow"):
            workflows.cancel(company.mona, "held", "Wrong list")
        else:
            fetch("update console.enrolment set left_at = now(), ending = 'unenrolled' where run = %s returning 1", (run_id,))
        move(timedelta(hours=12))
        reached.work()
    told = line(company, run_id)
    of_workflow = "The whole workflow was cancelled."
    reasons = {
        "deleted": "The record is gone.",
        "cancelled": "Its run was ended before.",
        "workflow cancelled, and its run has not ended yet": of_workflow,
    }
    assert (told.status, told.reason) == ("cancelled", reasons.get(how, "They were taken out of the workflow."))


def test_runs_of_a_cancelled_workflow_do_nothing_more_before_they_are_ended(company: Company) -> None:
    reached.founded(company)
    with reached.clock(reached.NOON) as move:
        workflow("later", [{"id": "pause", "type": "wait", "config": {"minutes": 1}}, {"id": "sms", **STEPS["sms"]}, dict(ASK)])
        run_id = begin(company, "later")
        workflows.cancel(company.mona, "later", "Wrong list")
        move(timedelta(minutes=2))
        runs.pick_up()
        reached.work()
        assert reached.status(company, run_id) == ("waiting_time", "pause")
        assert runs.end_cancelled() == 1
        reached.work()
    assert (company.told(run_id)["status"], fetch("select count(*) from console.message")) == ("cancelled", [(0,)])
