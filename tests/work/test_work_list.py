"""The list of work: who sees what of it, in which order, by which filters, with counts that equal their lists."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from console import runs
from console.auth.accounts import absences
from console.core.errors import Malformed
from console.infra.db.engine import fetch
from console.runs.views import queues
from console.work import due_times, tasks, work_list
from console.work.work_list import DUE, GROUPS, KINDS, NOBODY, STATES, Filters, Item
from console.workflows import find_known, inboxes
from tests.company import DESK, Company
from tests.support.four_eyes import bank, charging, requested
from tests.tables import cases
from tests.work.test_inbox import UNRATED
from tests.work.test_standing_in import days
from tests.work.test_tasks import begin as with_task
from tests.work.test_tickets import counted, handed_on, saved

__all__ = ["bank"]


@pytest.fixture(autouse=True)
def _inboxes(company: Company) -> None:
    inboxes.import_all([DESK, UNRATED])


def ids(company: Company, who: str = "mona", limit: int = 50, **filters: str) -> list[str]:
    """Ids of all work that this person sees, page by page."""
    found, after = [], None
    while True:
        page = work_list.find(company.people[who], Filters.parse(filters), limit=limit, after=after)
        found += [item.id for item in page.items]
        after = page.next
        if after is None:
            return found


def one(company: Company, ident: str, who: str = "mona") -> Item:
    return next(item for item in work_list.find(company.people[who], Filters()).items if item.id == ident)


def due(run: str, at: datetime) -> None:
    fetch("update console.run set due_at = %s, due_known = true where id = %s returning 1", (at, run))


def test_work_of_other_teams_does_not_exist(company: Company) -> None:
    handed_on(company, "1")
    saved(company, "4")
    assert ids(company, "stan") == []
    assert {group.count for group in work_list.groups(company.stan, Filters(), "state")} == {0}
    assert work_list.groups(company.stan, Filters(), "workflow")[:-1] == []
    assert ids(company, "stan", workflow="care-review") == []
    assert ids(company, "stan", team="operations") == []


def test_a_run_whose_record_the_reader_may_not_see_is_neither_listed_nor_counted(company: Company) -> None:
    hidden, shown = company.started("3"), company.started("1")
    assert set(ids(company)) == {hidden, shown}
    assert ids(company, "tom") == [shown]
    for by in GROUPS:
        assert {group.count for group in work_list.groups(company.tom, Filters(), by)} == {None}, (
            "a count would tell him of the third customer"
        )
    assert {group.value for group in work_list.groups(company.tom, Filters(), "person")} == {
        NOBODY,
        company.tom.id,
        "",
    }


def test_a_run_with_a_label_is_for_who_is_cleared(company: Company) -> None:
    run = company.started("1")
    fetch("update console.run set label = 'secret' where id = %s returning 1", (run,))
    assert ids(company) == []
    assert work_list.groups(company.mona, Filters(), "state")[-1].count == 0


def test_who_may_read_moves_nothing(company: Company) -> None:
    run = company.started("1")
    assert (one(company, run).movable, one(company, run, "rosa").movable) == (True, False)
    assert one(company, run, "olivia").movable is False


@pytest.mark.parametrize(
    "filters",
    [
        {"colour": "red"},
        {"kind": "case"},
        {"state": "done"},
        {"due": "soon"},
        {"away": "0"},
        {"person": "\x00"},
    ],
)
def test_an_unknown_filter_is_refused(filters: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        Filters.parse(filters)


@pytest.mark.parametrize("after", ["x", "infinity~2026-01-01~run_1", "now~then~run_1", "infinity~x~\x00"])
def test_a_cursor_of_another_list_is_refused(company: Company, after: str) -> None:
    with pytest.raises(Malformed):
        work_list.find(company.mona, Filters(), after=after)


def many(bank: Company) -> list[str]:
    """Work of each kind and state: (run, ticket, saved run, run with a task, its task, run that waits for an approval, the approval)."""
    charging()
    held, ticket, kept = bank.started("1"), handed_on(bank, "2"), saved(bank, "3")
    tasked = with_task(bank)
    (task,) = tasks.tasks_of(bank.mona)
    waits, approval = requested(bank, record="4")
    return [held, ticket, kept, tasked, task.id, waits, approval]


def test_each_kind_is_there_with_who_has_it_and_what_it_waits_for(bank: Company) -> None:
    held, ticket, kept, tasked, task, waits, approval = made = many(bank)
    assert set(ids(bank)) == set(made)
    found = {item.id: item for item in work_list.find(bank.mona, Filters()).items}
    assert {ident: (item.kind, item.state, item.person_name) for ident, item in found.items()} == {
        held: ("run", "in_progress", "Olivia"),
        ticket: ("ticket", "inbox", ""),
        kept: ("run", "saved", ""),
        tasked: ("run", "in_progress", "Olivia"),
        task: ("task", "task", "Mona"),
        waits: ("run", "waiting", "Olivia"),
        approval: ("approval", "approval", ""),
    }
    assert found[ticket].waits_for == "“Please look”"
    assert found[waits].waits_for == "Approval"
    assert found[task].title == "Look at Adaeze Okonkwo-Bell"
    assert found[task].due is not None


@pytest.mark.slow
def test_counts_equal_their_lists_whatever_the_filters(bank: Company) -> None:
    held, _, kept, *_ = many(bank)
    now = datetime.now(UTC)
    due(held, now - timedelta(days=1))
    due(kept, now + timedelta(days=30))
    values: dict[str, Sequence[str]] = {
        "kind": KINDS,
        "state": tuple(STATES),
        "due": DUE,
        "person": (bank.olivia.id, bank.mona.id, NOBODY),
        "workflow": ("care-review", "charging", "nothing"),
    }
    filters = [Filters()] + [Filters(**{name: value}) for name, each in values.items() for value in each]
    for asked in filters:
        for by in GROUPS:
            groups = work_list.groups(bank.mona, asked, by)
            query = {name: value for name, value in asked.to_query().items() if name != by}
            for group in groups:
                listed = ids(bank, limit=2, **(query | ({by: group.value} if group.value else {})))
                assert (group.count, group.more) == (len(listed), False), (asked, by, group)
            assert sum(group.count or 0 for group in groups[:-1]) == groups[-1].count, (asked, by)


def test_what_is_due_first_comes_first_and_then_the_oldest(company: Company) -> None:
    runs_of = [company.started(record) for record in "1234"]
    now = datetime.now(UTC)
    due(runs_of[2], now + timedelta(days=2))
    due(runs_of[1], now - timedelta(hours=1))
    wanted = [runs_of[1], runs_of[2], runs_of[0], runs_of[3]]
    assert ids(company) == wanted
    assert ids(company, limit=1) == wanted
    assert ids(company, due="overdue") == [runs_of[1]]
    assert ids(company, due=NOBODY) == [runs_of[0], runs_of[3]]


def test_a_due_time_is_the_order_once_the_worker_looked_and_again_when_it_is_changed(
    company: Company,
) -> None:
    run = company.started("1")
    later = company.started("2")
    workflow = find_known("care-review")
    assert workflow is not None
    assert due_times.note_due() == 0, "its workflow has no due time"
    terms = {"minutes": 60, "stages": [{"percent": 100, "do": "remind"}]}
    due_times.set_for_workflow(company.mona, workflow, terms)
    assert due_times.note_due() == 2
    company.work()
    assert due_times.note_due() == 0
    fetch("update console.run set due_known = null where id = %s returning 1", (run,))
    assert due_times.note_due() == 1
    inboxes.import_all([DESK, UNRATED | {"source": UNRATED["source"] | {"sort": "-display_name"}}])
    assert due_times.note_due() == 2, "the inbox whose records start it was changed"
    stored = dict(fetch("select id, due_at from console.run"))
    shown = {item.id: item.due for item in work_list.find(company.mona, Filters()).items}
    assert stored == shown, "what a list is ordered by is what it shows"
    due_times.set_for_workflow(company.mona, workflow, None)
    company.work()
    assert fetch("select id from console.run where due_at is not null") == []
    assert ids(company) == [run, later]


def test_work_of_who_is_away_is_marked_and_found(company: Company) -> None:
    run, _ = company.started("1"), company.started("2", "tom")
    given = days()
    absences.plan(
        company.ines,
        company.olivia.id,
        first=given["first"],
        last=given["last"],
        substitute=company.mona.email,
    )
    assert one(company, run).away.startswith("away until ")
    assert ids(company, away="1") == [run]


def test_a_page_costs_the_same_statements_however_many_rows(company: Company) -> None:
    for record in "12":
        company.started(record)
    handed_on(company, "3")
    with counted() as (own, theirs):
        work_list.find(company.mona, Filters())
    few = len(own), len(theirs)
    for number in (101, 102, 103):
        company.sql(
            "insert into customer (id, display_name, desk) values (?, ?, 'retail')", number, f"C {number}"
        )
        company.started(str(number))
    with counted() as (own, theirs):
        work_list.find(company.mona, Filters())
    assert (len(own), len(theirs)) == few
    assert few <= (9, 2)
    with counted() as (own, theirs):
        work_list.groups(company.mona, Filters(), "person")
    assert (len(own), len(theirs)) == (4, 0), "who has something, their names, and how much"


def test_a_run_that_waits_is_computed_again(company: Company) -> None:
    run = company.started("1")
    due(run, datetime.now(UTC))
    runs.save(company.olivia, run, revision=None)
    assert fetch("select due_known from console.run where id = %s", (run,)) == [(None,)]


@cases(
    "zone, due, end",
    [
        ("Europe/Vilnius", "2026-12-01T23:59:59Z", "2026-12-01T21:59:59Z"),
        ("America/Los_Angeles", "2026-12-01T23:59:59Z", "2026-12-02T07:59:59Z"),
        ("Europe/Vilnius", "2026-12-01T22:30:00Z", "2026-12-01T22:30:00Z"),
    ],
)
def test_a_due_day_ends_by_the_clocks_of_its_reader(company: Company, zone: str, due: str, end: str) -> None:
    said = f"select {queues.due_end('%(due)s::timestamptz', '%(zone)s')}"
    assert fetch(said, {"due": due, "zone": zone})[0][0] == datetime.fromisoformat(end)
