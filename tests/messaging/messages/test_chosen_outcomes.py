"""How a message ended by the word of a person in the sandbox stands in the log under their name; and one that nobody wants any more says what happened."""

from datetime import timedelta
from typing import Any

import pytest

from console import runs, workflows
from console.core.errors import Malformed
from console.infra.db.engine import fetch
from console.messaging.channels import sandbox
from console.messaging.messages import callbacks, channel_settings, message_rows
from tests.company import Company
from tests.messaging.messages import reached
from tests.messaging.messages.reached import NOON, begin, line, workflow

pytestmark = pytest.mark.lengthy

ASK = {"id": "ask", "type": "guidance", "config": {"text": "Look"}}
STEPS: dict[str, dict[str, Any]] = {
    "sms": {"type": "sms", "config": {"text": "Hello"}},
    "email": {"type": "email", "config": {"subject": "Hello", "body": "Dear"}},
    "call": {"type": "ai_call", "config": {"script": ["Call"], "max_attempts": 1}},
}
CHOICES = [(kind, way) for kind in STEPS for way in sorted(sandbox.CHOSEN[kind])]
CHOSEN = "select convert_from(body, 'UTF8')::jsonb from console.event where convert_from(body, 'UTF8') like '%%\"message_outcome_chosen\"%%'"


def chosen() -> list[tuple[str, dict[str, Any]]]:
    """(who, what) of each choice in the log."""
    return [(body["actor"]["id"], body["data"]["open"]) for (body,) in fetch(CHOSEN, ())]


@pytest.mark.parametrize(("kind", "way"), CHOICES)
def test_each_outcome_that_a_person_chooses_is_an_event_of_theirs(
    company: Company, kind: str, way: str
) -> None:
    reached.founded(company)
    channel_settings.save(company.ines, kind, sandbox_on=True, script="by_hand")
    with reached.clock(NOON):
        run_id = begin(company, workflow("hello", [{"id": "say", **STEPS[kind]}, dict(ASK)]))
        message = line(company, run_id).message
        assert callbacks.chosen_by_hand(company.ines, message, {"outcome": way})
        assert not callbacks.chosen_by_hand(
            company.ines, message_rows.by_id(message.id) or message, {"outcome": way}
        )
        with pytest.raises(Malformed):
            callbacks.chosen_by_hand(company.ines, message, {"outcome": sandbox.BY_HAND})
    assert chosen() == [
        (company.ines.id, {"message_id": message.id, "run": run_id, "channel": kind, "outcome": way})
    ]


def test_runs_of_a_cancelled_workflow_do_nothing_more_before_they_are_ended(company: Company) -> None:
    reached.founded(company)
    with reached.clock(reached.NOON) as move:
        workflow(
            "later",
            [
                {"id": "pause", "type": "wait", "config": {"minutes": 1}},
                {"id": "sms", **STEPS["sms"]},
                dict(ASK),
            ],
        )
        run_id = begin(company, "later")
        workflows.cancel(company.mona, "later", "Wrong list")
        move(timedelta(minutes=2))
        runs.pick_up()
        reached.work()
        assert reached.status(company, run_id) == ("waiting_time", "pause")
        assert runs.end_cancelled() == 1
        reached.work()
    assert (company.told(run_id)["status"], fetch("select count(*) from console.message")) == (
        "cancelled",
        [(0,)],
    )
