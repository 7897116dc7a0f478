"""Snoozing a ticket, and what is assigned: who may, what leaves the queue, what Take next gives."""

from datetime import datetime, timedelta

import pytest

from console import log, runs
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.infra.db.engine import fetch
from console.work import tickets, work_list
from console.work.work_list import Filters
from console.workflows import inboxes
from tests.company import DESK, Company
from tests.work.test_tickets import handed_on, ids


@pytest.fixture(autouse=True)
def _inboxes(company: Company) -> None:
    inboxes.import_all([DESK])


def tomorrow() -> datetime:
    return log.now() + timedelta(days=1)


def state(company: Company, run: str) -> str:
    return next(item.state for item in work_list.find(company.mona, Filters()).items if item.id == run)


@pytest.mark.parametrize(("who", "error"), [("stan", NotFound), ("rosa", NotAllowed), ("ada", NotAllowed)])
def test_who_does_not_work_there_snoozes_nothing(company: Company, who: str, error: type[Exception]) -> None:
    run = handed_on(company)
    with pytest.raises(error):
        runs.snooze(company.people[who], run, revision=None, until=tomorrow(), reason="Closed")
    assert ids(company, "olivia", "desk") == [run]


def test_a_snoozed_ticket_leaves_the_queue_and_comes_back_by_itself(company: Company) -> None:
    run, other = handed_on(company, "1"), handed_on(company, "2")
    until = tomorrow()
    runs.snooze(company.olivia, run, revision=None, until=until, reason="The bank is closed.")
    assert ids(company, "olivia", "desk") == [other]
    assert tickets.count(company.olivia, inboxes.all_inboxes())["desk"].to_do == 1
    assert (state(company, run), state(company, other)) == ("snoozed", "inbox")
    by_state = {group.value: group.count for group in work_list.groups(company.mona, Filters(), "state")}
    assert (by_state["snoozed"], by_state["inbox"]) == (1, 1)
    assert [item.id for item in work_list.find(company.mona, Filters(state="snoozed")).items] == [run]
    last = log.events_of(run)[-1]
    assert (last.type, last.values["reason"]) == ("run_snoozed", "The bank is closed.")
    before = company.told(run)["ticket"]
    assert (before["priority"], before["until"][:10]) == ("normal", until.date().isoformat())
    assert not list(runs.rebuild(run, check=True))
    assert tickets.take_next(company.tom, "desk") == other
    fetch(
        'update console.run set ticket = ticket || \'{"until": "2026-01-01T00:00:00.000000Z"}\' where id = %s returning 1',
        (run,),
    )
    assert ids(company, "olivia", "desk") == [run]
    assert state(company, run) == "inbox"


def test_it_can_be_put_back_and_taken_meanwhile(company: Company) -> None:
    run, other = handed_on(company, "1"), handed_on(company, "2")
    for each in (run, other):
        runs.snooze(company.olivia, each, revision=None, until=tomorrow(), reason="Closed")
    runs.snooze(company.tom, run, revision=None, until=None, reason="Open after all")
    assert ids(company, "tom", "desk") == [run]
    runs.take_over(company.tom, other, revision=None)
    assert company.told(other)["ticket"] is None


@pytest.mark.parametrize(
    ("days", "reason", "field"), [(1, " ", "reason"), (-1, "x", "until"), (400, "x", "until")]
)
def test_what_is_lacking_is_named(company: Company, days: int, reason: str, field: str) -> None:
    run = handed_on(company)
    with pytest.raises(Invalid) as refused:
        runs.snooze(company.olivia, run, revision=None, until=log.now() + timedelta(days=days), reason=reason)
    assert refused.value.details[0]["field"] == field


def test_only_what_waits_in_an_inbox_is_snoozed(company: Company) -> None:
    with pytest.raises(Conflict):
        runs.snooze(company.olivia, company.started("1"), revision=None, until=tomorrow(), reason="x")


def test_take_next_gives_what_was_assigned_before_what_waits(company: Company) -> None:
    urgent, mine = handed_on(company, "1", "urgent"), handed_on(company, "2")
    own = company.started("4", "tom")
    runs.assign(company.mona, mine, revision=None, user=company.tom.id, reason="Knows them")
    assert tickets.take_next(company.tom, "desk") == mine
    assert tickets.take_next(company.tom, "desk") == mine, "until something was done in it"
    assert tickets.take_next(company.olivia, "desk") == urgent
    company.answer(mine, "tom")
    with pytest.raises(Conflict):
        tickets.take_next(company.tom, "desk")
    assert company.told(own, "tom")["holder"] == company.tom.id
