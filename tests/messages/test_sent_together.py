"""Messages that one thread judges and sends one after another, having read for all of them at once, are judged as if each were alone."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta

import pytest

from console import contacts, log, messages, queue, runs
from console.core.contacting import Contact
from console.db.engine import fetch, together, transaction
from console.messages import inbound, message_rows, opting_out, sending
from console.runs.rows import run_store
from tests import warm
from tests.company import Company
from tests.jobs import taken
from tests.messages import reached
from tests.messages.reached import BRAM, NOON, SAM, line, status, workflow

SMS = {"id": "sms", "type": "sms", "config": {"text": "Hello {{ record.name }}"}}
ASK = {"id": "ask", "type": "guidance", "config": {"text": "Look"}}
WORK = """
import sys
from datetime import datetime
from console import log, messages
from console.db.engine import together
log.move_clock(datetime.fromisoformat(sys.argv[1]) - log.now())
with together():
    messages.read_ahead(sys.argv[2:])
    for each in sys.argv[2:]:
        messages.send(each)
"""


def founded(company: Company, phone: str = "(202) 555-0148") -> None:
    """The club, where Bram lives in Denver too."""
    reached.founded(company)
    moved(company, phone)


def moved(company: Company, phone: str) -> None:
    with closing(sqlite3.connect(company.path.with_name("club.db"))) as connection, connection:
        connection.execute("update contact set phone = ?, country = 'US', time_zone = 'America/Denver' where id = 3", (phone,))


@pytest.fixture
def club(company: Company) -> Iterator[Company]:
    founded(company)
    with reached.clock(NOON):
        yield company


def unsent(club: Company, *to: str) -> list[str]:
    """Runs, each of a workflow of its own, whose messages have not left yet, and have no job."""
    slugs = [workflow(f"hello-{number}", [dict(SMS), dict(ASK)]) for number in range(len(to))]
    begun = [runs.start(club.olivia, slug, "contact", contact, {}) for slug, contact in zip(slugs, to, strict=True)]
    taken({queue.SEND_SMS})
    return begun


def ids(run_ids: Sequence[str]) -> list[str]:
    return [fetch("select id from console.message where run = %s", (run_id,))[0][0] for run_id in run_ids]


def send_together(run_ids: Sequence[str], meanwhile: Callable[[], object] = lambda: None) -> None:
    with together():
        messages.read_ahead(wanted := ids(run_ids))
        meanwhile()
        for each in wanted:
            try:
                messages.send(each)
            except queue.PutBack:
                pytest.fail("a message of the same thread is in its own way")


def test_the_cap_counts_what_left_a_moment_before_to_the_same_contact_and_to_the_same_address(club: Company) -> None:
    moved(club, "(202) 555-0147")  # another record of the same person
    run_ids = unsent(club, SAM, BRAM, SAM, BRAM, SAM)
    send_together(run_ids)
    told = Counter((line(club, run_id).status, line(club, run_id).message.code) for run_id in run_ids)
    assert told == {("delivered", None): 3, ("skipped", "over_cap"): 2}


def test_to_look_for_what_is_due_costs_nothing_for_what_has_its_turn_already(club: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look asked for a job for all that was due, twice a second: so the more that waited, the longer all of it took."""
    slug = workflow("hello", [dict(SMS), dict(ASK)])
    begun = [runs.start(club.olivia, slug, "contact", contact, {}) for contact in (SAM, BRAM)]
    asked: list[int] = []
    enqueue_all = queue.enqueue_all

    def asking(jobs: Sequence[queue.Job]) -> int:
        asked.append(len(jobs))
        return enqueue_all(jobs)

    monkeypatch.setattr(queue, "enqueue_all", asking)
    assert (messages.pick_up(), asked) == (0, [0])
    taken({queue.SEND_SMS})
    assert (messages.pick_up(), messages.pick_up(), asked) == (2, 0, [0, 2, 0])
    reached.work()
    assert {line(club, run_id).status for run_id in begun} == {"delivered"}


def test_what_is_due_is_read_by_channel(club: Company) -> None:
    with transaction() as connection:
        connection.exec_driver_sql("set local enable_seqscan = off")
        plan = "\n".join(connection.exec_driver_sql(f"explain {sending._DUE}", (log.now(), 5)).scalars())
    assert "Index Cond: ((channel = c.c) AND (due_at <=" in plan, plan


def test_nothing_is_asked_twice_where_all_was_read_ahead(club: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    run_ids = unsent(club, SAM, BRAM)
    asked: list[str] = []
    known = contacts.known_contact

    def asking(collection: str, key: str) -> Contact:
        asked.append(key)
        return known(collection, key)

    monkeypatch.setattr(contacts, "known_contact", asking)
    send_together(run_ids)
    assert {status(club, run_id) for run_id in run_ids} == {("waiting_person", "ask")}
    assert {line(club, run_id).status for run_id in run_ids} == {"delivered"}
    assert asked == []


def test_what_is_asked_for_each_message_is_planned_once_however_many_are_asked_about(club: Company) -> None:
    """Where a list is known to be short, the server planned anew for each message, which took it ten times as long as the answer."""
    run_ids = unsent(club, SAM, BRAM)
    for number in range(20):
        some = message_rows.by_ids(ids(run_ids[: 1 + number // 10]))
        message_rows.facts_of_each(some, NOON)
        message_rows.used_at_each([(each, b"nobody's") for each in some], NOON)
        run_store.load_each([each.run or "" for each in some])
    asked = "select generic_plans + custom_plans, custom_plans from pg_prepared_statements where name ^@ 'handrail_' and statement ~ 'console.(message|run) '"
    often = [custom for times, custom in fetch(asked) if times >= 20]
    assert len(often) >= 4
    assert max(often) <= 5


def test_who_says_stop_after_it_was_read_gets_nothing(club: Company) -> None:
    run_ids = unsent(club, SAM, BRAM)
    send_together(run_ids, lambda: inbound.receive("sms", "sandbox", sender="+12025550147", text="STOP", provider_id="in-1"))
    assert [line(club, run_id).status for run_id in run_ids] == ["skipped", "delivered"]


def test_a_contact_whose_consent_is_taken_back_by_hand_after_it_was_read_gets_nothing(club: Company) -> None:
    run_ids = unsent(club, SAM, BRAM)
    send_together(run_ids, lambda: opting_out.withdraw([("contact", SAM)], ["sms"], "sms", bars_address=False))
    assert [line(club, run_id).status for run_id in run_ids] == ["waiting", "delivered"], "it is judged again"
    with reached.clock(NOON + timedelta(minutes=1)):
        reached.settle()
    assert [line(club, run_id).status for run_id in run_ids] == ["skipped", "delivered"]


def test_a_run_that_ends_after_it_was_read_takes_its_message_with_it(club: Company) -> None:
    run_ids = unsent(club, SAM, BRAM)
    cancelled = run_ids[0]

    def cancel() -> None:
        runs.cancel(club.mona, cancelled, revision=club.told(cancelled)["revision"], reason="No longer a lead")

    send_together(run_ids, cancel)
    assert [line(club, run_id).status for run_id in run_ids] == ["cancelled", "delivered"]
    assert status(club, cancelled) == ("cancelled", None)


@pytest.mark.rotating
@pytest.mark.parametrize(
    "point", ["channels.send.before", "channels.send.after", "log.write.before", "log.write.after", "channels.recorded"]
)
def test_a_worker_killed_in_the_middle_of_several_sends_nothing_twice(
    company: Company, given_settings: Callable[..., None], point: str
) -> None:
    founded(company)
    with reached.twilio() as server, reached.clock(NOON) as move:
        given_settings(**reached.by_twilio(server))
        run_ids = unsent(company, SAM, BRAM, SAM)
        environ = {**os.environ, "HANDRAIL_FAULT": f"{point}=kill@2", "PYTHONPATH": os.pathsep.join(sys.path)}
        told = [(NOON + timedelta(minutes=1)).isoformat(), *ids(run_ids)]
        killed = subprocess.run([warm.python(), "-c", WORK, *told], env=environ, check=False)
        assert killed.returncode == -signal.SIGKILL
        assert len(server.messages) == (1 if point == "channels.send.before" else 2)
        for _ in range(4):
            move(timedelta(minutes=5))
            reached.settle()
        assert {status(company, run_id) for run_id in run_ids} == {("waiting_person", "ask")}
        assert len(server.messages) == 3
