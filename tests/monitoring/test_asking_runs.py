"""Runs that go by themselves and ask the same of a person are answered together, each with the checks of its own page."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from console import runs, workflows
from console.auth import access, accounts
from console.core.errors import Invalid, NotAllowed, NotFound
from console.infra.db.engine import fetch
from console.monitoring import asking_runs
from console.runs import RecordRef, StartedBy
from console.workflows import Known
from tests.company import Company
from tests.messaging.messages import reached
from tests.messaging.messages.reached import BRAM, NOON, SAM

pytestmark = pytest.mark.slow
ROBOT = "robot@fernwick.test"
STEPS = [
    {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "text"}},
    {
        "id": "text",
        "type": "sms",
        "title": "The offer",
        "config": {"text": "Today only", "expires": "PT2H"},
        "next": {"sent": "end", "skipped": "end"},
    },
    {"id": "end", "type": "end", "title": "End", "config": {"label": "Told"}, "next": {}},
]


@pytest.fixture
def late(company: Company) -> Iterator[list[str]]:
    """Two texts that waited the night, longer than they may: the runs that ask whether they still fit."""
    reached.founded(company)
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    document = {
        "format": 1,
        "slug": "offer",
        "title": "Offer",
        "team": "operations",
        "collection": "contact",
        "run_as": ROBOT,
    }
    workflows.import_file(document | {"steps": STEPS}, publish=True)
    access.refresh()
    with reached.clock(NOON + timedelta(hours=9)) as move:
        begun = [
            runs.start_hands_off(
                "offer",
                by=StartedBy("nightly", "schedule"),
                record=RecordRef("contact", key),
                values={},
                key=key,
            )
            for key in (SAM, BRAM)
        ]
        reached.work()
        move(timedelta(hours=11))
        reached.work()
        yield begun


def offer() -> Known:
    return next(each for each in workflows.all_known() if each.slug == "offer")


def endings() -> list[tuple[str, ...]]:
    return fetch("select status, holder from console.run order by created_at, id")


def test_questions_with_one_cause_are_one_group_with_the_answers_of_its_step(
    company: Company, late: list[str]
) -> None:
    (group,) = asking_runs.groups(company.mona, offer())
    assert (group.count, group.step_title, group.code, asking_runs.count(company.mona, offer())) == (
        2,
        "The offer",
        "message_expired",
        1,
    )
    assert group.message.endswith("Does the message still fit?")
    assert [head.id for head in asking_runs.runs_of(company.mona, offer(), group)] == late
    assert [(each["value"], each["needed"]) for each in asking_runs.answers(company.mona, group)] == [
        ("send", False),
        ("sent", False),
        ("skipped", True),
    ]
    assert asking_runs.groups(company.stan, offer()) == []


def test_one_answer_is_given_to_all_of_them_and_they_go_on(company: Company, late: list[str]) -> None:
    (group,) = asking_runs.groups(company.mona, offer())
    with pytest.raises(Invalid):
        asking_runs.answer_all(company.mona, offer(), group.cause, "skipped", " ")
    with pytest.raises(Invalid):
        asking_runs.answer_all(company.mona, offer(), group.cause, "pay_out", "")
    with pytest.raises(NotAllowed):
        asking_runs.answer_all(company.ada, offer(), group.cause, "send", "")
    done = asking_runs.answer_all(company.mona, offer(), group.cause, "send", "")
    assert (sorted(done.started), done.refused, done.left) == (sorted(late), {}, 0)
    reached.work()
    assert [row[0] for row in endings()] == ["completed", "completed"]
    assert [row[0] for row in fetch("select status from console.message order by asked_at, id")] == [
        "expired",
        "expired",
        "delivered",
        "delivered",
    ]
    with pytest.raises(NotFound):
        asking_runs.answer_all(company.mona, offer(), group.cause, "send", "")


def test_a_run_that_somebody_holds_is_left_to_them(company: Company, late: list[str]) -> None:
    runs.resume(company.mona, late[0], revision=None)
    (group,) = asking_runs.groups(company.mona, offer())
    assert group.count == 1
    assert list(
        asking_runs.answer_all(company.mona, offer(), group.cause, "skipped", "Too late now").started
    ) == [late[1]]
    reached.work()
    assert endings() == [("waiting_person", company.mona.id), ("completed", None)]
