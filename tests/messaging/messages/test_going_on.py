"""What follows a message: its run goes on in the same job and transition; where it may not, a job of its own does; and workers do not wait for each other."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from console import log, runs, workflows
from console.auth import access, accounts
from console.core.run.origin import RecordRef, StartedBy
from console.infra import jobs
from console.infra.db.engine import fetch, place_among, transaction
from console.messaging.messages import message_events
from console.operations import status as upkeep_status
from tests.company import Company
from tests.jobs import work_until_idle, worked
from tests.messaging.messages import reached
from tests.messaging.messages.reached import NOON, SAM, status

pytestmark = pytest.mark.lengthy

ROBOT = "robot@fernwick.test"
SLUG = "two-texts"
STEPS = [
    {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "first"}},
    {
        "id": "first",
        "type": "sms",
        "title": "First",
        "config": {"text": "Hello {{ record.name }}"},
        "next": {"default": "noted"},
    },
    {
        "id": "noted",
        "type": "output",
        "title": "Noted",
        "config": {"values": {"how": "steps.first.status"}},
        "next": {"default": "rest"},
    },
    {
        "id": "rest",
        "type": "wait",
        "title": "Rest",
        "config": {"duration": "days(2)"},
        "next": {"default": "end"},
    },
    {"id": "end", "type": "end", "title": "End", "config": {}, "next": {}},
]


@pytest.fixture
def club(company: Company) -> Iterator[Company]:
    """The club at noon in Denver, and a workflow that texts without anybody holding its runs."""
    reached.founded(company)
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    document = {
        "format": 1,
        "slug": SLUG,
        "title": "Two texts",
        "team": "operations",
        "collection": "contact",
        "run_as": ROBOT,
    }
    workflows.import_file(document | {"settings": {"exclusive": False}, "steps": STEPS}, publish=True)
    access.refresh()
    with reached.clock(NOON):
        yield company


def asked(key: str = "k1") -> str:
    """A run that has asked for its message, which has not left yet."""
    run_id = runs.start_hands_off(
        SLUG, by=StartedBy("nightly", "schedule"), record=RecordRef("contact", SAM), values={}, key=key
    )
    work_until_idle({jobs.ADVANCE_HANDS_OFF})
    assert fetch("select status from console.run where id = %s", (run_id,)) == [("waiting_event",)]
    return run_id


def advancing() -> int:
    """How many jobs are in the queue that go on with a run."""
    return int(
        fetch("select count(*) from queue.pgqueuer where entrypoint = %s", (jobs.ADVANCE_HANDS_OFF,))[0][0]
    )


def test_the_run_goes_on_in_the_job_that_sent_its_message(club: Company) -> None:
    run_id = asked()
    before = fetch("select run_seq from console.run where id = %s", (run_id,))[0][0]
    worked({jobs.SEND_SMS})
    assert status(club, run_id) == ("waiting_time", "rest")
    assert advancing() == 0
    assert club.told(run_id, "mona")["context"]["noted"] == {"how": "sent"}
    written = fetch(
        "select count(distinct xmin::text) from console.event where run = %s and run_seq > %s",
        (run_id, before),
    )
    assert written == [(1,)], "what was told and the steps after it are one transition"
    assert list(runs.rebuild(check=True)) == []


def test_where_no_place_is_free_a_job_goes_on_with_it(club: Company) -> None:
    run_id = asked()
    definition = workflows.live(next(each.id for each in workflows.all_known() if each.slug == SLUG))
    with ExitStack() as places:
        assert all(places.enter_context(place_among(f"workflow:{definition.id}", 10)) for _ in range(10))
        worked({jobs.SEND_SMS})
        assert (status(club, run_id), advancing()) == (("running", "noted"), 1)
    work_until_idle()
    assert status(club, run_id) == ("waiting_time", "rest")


def test_while_everything_is_paused_an_answer_is_kept_and_no_step_is_done(club: Company) -> None:
    run_id = asked()
    message = fetch("select id from console.message where run = %s", (run_id,))[0][0]
    upkeep_status.pause(club.ines, "Repairs")
    assert runs.arrive(
        runs.ENGINE, run_id, message, outcome="sent", output={"status": "sent"}, in_worker=True
    )
    assert (status(club, run_id), advancing()) == (("running", "noted"), 1)
    upkeep_status.resume(club.ines, "Mended")
    work_until_idle()
    assert status(club, run_id) == ("waiting_time", "rest")


def test_a_closed_account_does_no_step_after_its_message(club: Company) -> None:
    run_id = asked()
    accounts.disable_person(accounts.person_of_email(ROBOT).id)
    worked({jobs.SEND_SMS})
    assert status(club, run_id) == ("running", "noted"), "its answer is kept"
    work_until_idle()
    told = club.told(run_id, "mona")
    assert (told["status"], "closed" in told["reason"]) == ("failed", True)


def test_a_step_that_changes_something_outside_is_left_to_a_job_of_its_own(club: Company) -> None:
    """So that a provider that takes its time holds no message back."""
    document = dict(
        workflows.live(
            next(each.id for each in workflows.all_known() if each.slug == SLUG)
        ).document.to_json()
    )
    steps = [dict(step) for step in document["steps"]]
    steps[2] = {
        "id": "noted",
        "type": "change_stage",
        "title": "Noted",
        "config": {"stage": "engaged"},
        "next": {"default": "rest"},
    }
    workflows.import_file(document | {"steps": steps}, publish=True)
    run_id = asked()
    worked({jobs.SEND_SMS})
    assert (status(club, run_id), advancing()) == (("running", "noted"), 1)
    work_until_idle()
    assert status(club, run_id) == ("waiting_time", "rest")


def test_notes_about_messages_of_two_threads_do_not_wait_for_each_other(club: Company) -> None:
    kinds = [message_events.WRITER.session]
    with transaction() as connection:
        log.note(
            message_events.WRITER,
            "message_sent",
            open={"message_id": "msg_1"},
            chain=log.lane(kinds[0]),
            connection=connection,
        )
        mine, written = log.lane(kinds[0]), list[str]()

        def other() -> None:
            while (lane := log.lane(kinds[0])) == mine:  # one in 64 threads meets this one
                threading.Thread(target=other).start()
                return
            log.note(message_events.WRITER, "message_sent", open={"message_id": "msg_2"}, chain=lane)
            written.append(lane)

        started = threading.Thread(target=other)
        started.start()
        while not written:
            started.join(0.05)
        assert written[0] != mine
    chains = fetch("select distinct run from console.event where run like 'sys:messages-%%'")
    assert len(chains) == 2


def test_a_thread_keeps_its_chain(club: Company) -> None:
    assert log.lane("sys:messages") == log.lane("sys:messages")
    assert log.lane("sys:messages").removeprefix("sys:messages-") in {f"{number:02}" for number in range(64)}
