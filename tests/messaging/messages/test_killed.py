"""A worker that is killed around a send: nothing is sent twice, nothing is lost, and every run goes on."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest

from console import runs
from console.actions import unfinished_changes
from console.auth import access
from console.infra import faults, jobs
from console.infra.db.engine import fetch
from console.messaging.messages import noted_consents
from tests import warm
from tests.company import Company
from tests.jobs import taken, wait_until_free
from tests.messaging.messages import reached
from tests.messaging.messages.reached import NOON, SAM, line, status, workflow

pytestmark = pytest.mark.slow

SMS = {"id": "sms", "type": "sms", "config": {"text": "Hello {{ record.name }}"}}
ASK = {"id": "ask", "type": "guidance", "config": {"text": "Look"}}
SEND = """
import sys
from datetime import datetime
from console.messaging import messages
from console import log
log.move_clock(datetime.fromisoformat(sys.argv[2]) - log.now())
messages.send(sys.argv[1])
"""


@pytest.mark.parametrize(
    "point", ["channels.send.before", "channels.send.after", "log.write.after", "channels.recorded"]
)
def test_a_killed_worker_sends_nothing_twice(
    company: Company, given_settings: Callable[..., None], point: str
) -> None:
    reached.founded(company)
    with reached.twilio() as server, reached.clock(NOON) as move:
        given_settings(**reached.by_twilio(server))
        run_id = begin_unsent(company, workflow("hello", [dict(SMS), dict(ASK)]))
        message = line(company, run_id).message
        environ = {**os.environ, "HANDRAIL_FAULT": f"{point}=kill", "PYTHONPATH": os.pathsep.join(sys.path)}
        killed = subprocess.run(
            [warm.python(), "-c", SEND, message.id, (NOON + timedelta(minutes=1)).isoformat()],
            env=environ,
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL
        wait_until_free(f"message|{message.id}")
        assert len(server.messages) == (0 if point == "channels.send.before" else 1)
        for _ in range(4):
            move(timedelta(minutes=5))
            fetch(
                "update console.message set at = at - interval '10 seconds' where told_at is null returning 1"
            )
            reached.settle()
        assert status(company, run_id) == ("waiting_person", "ask")
        assert len(server.messages) == 1


def begin_unsent(company: Company, slug: str) -> str:
    """A run whose message has not left yet: its job is taken out of the queue."""
    run_id = runs.start(company.olivia, slug, "contact", SAM, {})
    taken({jobs.SEND_SMS})
    return run_id


@pytest.mark.parametrize("write", [1, 2])
def test_a_consent_and_the_change_that_made_it_are_in_the_log_both_or_neither(
    company: Company, monkeypatch: pytest.MonkeyPatch, write: int
) -> None:
    reached.founded(company)
    access.grant("operator", "collection:consent", ["create"], team="operations")
    told = {"source": "by phone", "text_version": "2026-01"}
    with monkeypatch.context() as patch:
        patch.setenv("HANDRAIL_FAULT", f"log.write.before=raise@{write}")
        with pytest.raises(faults.Fault):
            noted_consents.note(company.olivia, "contact", SAM, "sms", told)
    unfinished_changes.settle_left(0)
    noted_consents.note(company.olivia, "contact", SAM, "sms", told)
    events = [
        json.loads(row[0])
        for row in fetch(
            "select convert_from(body, 'UTF8') from console.event where body is not null order by id"
        )
    ]
    told_of = [
        (event["type"], event["data"]["open"].get("result"))
        for event in events
        if event["type"] in ("record_changed", "consent_given")
    ]
    given = ("consent_given", None)
    assert told_of == [("record_changed", "unknown"), given, ("record_changed", "succeeded"), given], (
        "each of the two rows is heard of"
    )
