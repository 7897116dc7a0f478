"""Tickets: what is in an inbox for whom, in which order, taken once, given, let go; with how many statements."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from console import log, records, runs
from console.auth import access
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.infra.db.engine import fetch
from console.records import catalogue
from console.work import my_work, ticket_assignment, tickets
from console.workflows import inboxes
from tests.company import DESK, Company
from tests.runs.commands.test_midway import away
from tests.work.test_inbox import UNRATED

MANY = 60


@pytest.fixture(autouse=True)
def _inboxes(company: Company) -> None:
    inboxes.import_all([DESK, UNRATED])


def ids(company: Company, who: str, name: str = "unrated", **more: Any) -> list[str]:
    """Ids of all tickets that this person could take, page by page."""
    found, after = [], None
    while True:
        page = tickets.to_do(company.people[who], name, after=after, **more)
        found += [ticket.id for ticket in page.tickets]
        after = page.next
        if after is None:
            return found


def handed_on(company: Company, record: str = "1", priority: str = "normal", by: str = "olivia") -> str:
    run = company.at("note", record, by)
    runs.escalate(
        company.people[by], run, revision=None, inbox="desk", reason="Please look", priority=priority
    )
    return run


def saved(company: Company, record: str, by: str = "olivia") -> str:
    run = company.at("note", record, by)
    runs.save(company.people[by], run, revision=None)
    return run


def more_customers(company: Company, many: int) -> None:
    for number in range(many):
        told = (1000 + number, f"Customer {number:05d}", "retail")
        company.sql("insert into customer (id, display_name, desk) values (?, ?, ?)", *told)


@contextmanager
def counted() -> Iterator[tuple[list[str], list[str]]]:
    """(statements to the console's own database, statements to the source), without those asked once a second and without the log's."""
    own: list[str] = []
    theirs: list[str] = []
    execute = psycopg.Cursor.execute

    def noting(cursor: Any, query: Any, *more: Any, **named: Any) -> Any:
        # ";" asks whether a connection that was idle is alive
        asked_once_a_second = (
            "console.version",
            "console.sign_in",
            "FROM console.workflow ",
            "FROM console.inbox ",
        )
        if query != ";" and not any(
            word in " ".join(str(query).split())
            for word in (*asked_once_a_second, "console.transition", "console.chain")
        ):
            own.append(str(query))
        return execute(cursor, query, *more, **named)

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        theirs.append(statement)

    engine = catalogue.engine_of(records.collection("customer"))
    sa.event.listen(engine, "before_cursor_execute", note)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(psycopg.Cursor, "execute", noting)
        yield own, theirs
    sa.event.remove(engine, "before_cursor_execute", note)


# -- what is in it


def test_records_of_the_segment_are_there_until_they_no_longer_match_or_are_begun(company: Company) -> None:
    assert ids(company, "olivia") == ["record:4", "record:1", "record:3"]  # by display_name
    run = company.started("1")
    assert ids(company, "olivia") == ["record:4", "record:3"]
    company.sql("update customer set risk = 'low' where id = 4")
    assert ids(company, "olivia") == ["record:3"]
    runs.abort(company.olivia, run, revision=None, reason="Not now")
    assert ids(company, "olivia") == ["record:1", "record:3"]


def test_who_sees_a_part_gets_and_counts_that_part(company: Company) -> None:
    handed_on(company, "3")
    handed_on(company, "2")
    here = inboxes.all_inboxes()
    seen = {
        who: (ids(company, who), len(ids(company, who, "desk")), tickets.count(company.people[who], here))
        for who in ("olivia", "tom")
    }
    assert seen["olivia"][0] == ["record:4", "record:1"]
    assert seen["olivia"][1:] == (2, {"desk": tickets.Count(2), "unrated": tickets.Count(2)})
    assert seen["tom"][:2] == (["record:4", "record:1"], 1)  # the corporate desk is not his
    assert seen["tom"][2]["desk"] == tickets.Count(1)
    for ask in (tickets.to_do, tickets.doing, tickets.backlog, tickets.take_next):
        with pytest.raises(NotFound):
            ask(company.stan, "unrated")


def test_dispatch_is_by_priority_then_age_then_what_was_begun_then_records(company: Company) -> None:
    inboxes.import_all([UNRATED | {"id": "desk", "title": "All"}])
    low, normal, urgent = (
        handed_on(company, "1", "low"),
        handed_on(company, "2", "normal"),
        handed_on(company, "3", "urgent"),
    )
    first = tickets.to_do(company.olivia, "desk")
    assert [ticket.id for ticket in first.tickets] == [urgent, normal, "record:4", low]
    assert [ticket.priority for ticket in first.tickets] == ["urgent", "normal", "normal", "low"]
    assert first.tickets[0].reason == "Please look"
    assert first.tickets[0].by_name == "Olivia"
    kept = saved(company, "4")
    again = handed_on_again(company, normal)
    expected = [urgent, again, kept, low]
    assert ids(company, "olivia", "desk") == expected
    for limit in (1, 2, 3, 4):
        assert ids(company, "olivia", "desk", limit=limit) == expected


def handed_on_again(company: Company, run: str) -> str:
    runs.take_over(company.olivia, run, revision=None)
    runs.escalate(company.olivia, run, revision=None, inbox="desk", reason="Once more")
    return run


def test_what_was_let_go_or_saved_comes_back_to_the_inbox_it_was_taken_from(company: Company) -> None:
    run = handed_on(company)
    assert tickets.take_next(company.tom, "desk") == run
    assert ids(company, "olivia", "desk") == []
    assert [ticket.id for ticket in tickets.doing(company.tom, "desk")[0]] == [run]
    runs.release(company.tom, run, revision=None)
    assert ids(company, "olivia", "desk") == [run]
    assert tickets.take_next(company.olivia, "desk") == run
    runs.save(company.olivia, run, revision=None)
    assert ids(company, "tom", "desk") == [run]
    assert tickets.take(company.tom, "desk", run) == run
    assert company.told(run)["holder"] == company.tom.id


def test_a_ticket_that_is_released_has_its_place_again(company: Company) -> None:
    inboxes.import_all([UNRATED | {"id": "desk", "title": "All"}])
    first, second = handed_on(company, "1", "high"), handed_on(company, "2", "high")
    before = tickets.to_do(company.olivia, "desk").tickets
    assert [ticket.id for ticket in before[:2]] == [first, second]
    assert tickets.take_next(company.tom, "desk") == first
    company.answer(first, "tom")
    runs.release(company.tom, first, revision=None)
    told, after = company.told(first), tickets.to_do(company.olivia, "desk").tickets
    assert told["ticket"]["inbox"] == "desk"
    assert [
        (each.id, each.kind, each.priority, each.since, each.reason, each.by_name) for each in after[:2]
    ] == [(each.id, each.kind, each.priority, each.since, each.reason, each.by_name) for each in before[:2]]
    begun = tickets.take(company.olivia, "desk", "record:4")
    runs.release(company.olivia, begun, revision=None)
    places = [ticket.since for ticket in tickets.to_do(company.olivia, "desk").tickets if ticket.id == begun]
    assert tickets.take(company.olivia, "desk", begun) == begun
    runs.release(company.olivia, begun, revision=None)
    assert places == [
        ticket.since for ticket in tickets.to_do(company.olivia, "desk").tickets if ticket.id == begun
    ]
    assert list(runs.rebuild(first, check=True)) == []


def test_pages_join_over_long_stretches_that_are_being_worked_on(company: Company) -> None:
    more_customers(company, MANY)
    busy = [str(1000 + number) for number in range(5, MANY - 3)]
    for record in busy:
        company.started(record)
    free = ids(company, "olivia")
    assert len(free) == 3 + MANY - len(busy)
    for limit in (1, 3, 4, 7):
        assert ids(company, "olivia", limit=limit) == free, limit
    assert tickets.count(company.olivia, inboxes.all_inboxes())["unrated"] == tickets.Count(len(free))


def test_while_the_source_is_away_what_was_handed_on_is_still_there(company: Company) -> None:
    inboxes.import_all([UNRATED | {"id": "desk", "title": "All"}])
    run = handed_on(company)
    with away(company):
        page = tickets.to_do(company.mona, "desk")
        assert [ticket.id for ticket in page.tickets] == [run]
        assert page.down
        assert tickets.count(company.mona, inboxes.all_inboxes())["desk"] == tickets.Count(1, down=True)
        assert tickets.to_do(company.tom, "desk").tickets == []  # whether it is his to see cannot be told
        assert tickets.count(company.tom, inboxes.all_inboxes())["desk"] == tickets.Count(0, down=True)


def test_tickets_that_one_could_not_do_are_not_offered(company: Company) -> None:
    run = handed_on(company, "2")
    before = fetch("select count(*) from console.run where holder is null")
    access.grant("reviewer", "workflow:care-review", ["resume"], team="operations")
    access.grant("reviewer", "inbox:desk", ["work"], team="operations")
    assert ids(company, "rosa", "desk") == [run]  # a note changes no field of the record
    runs.take_over(company.olivia, run, revision=None)
    company.answer(run)
    runs.release(company.olivia, run, revision=None)
    assert company.told(run)["current"]["step"] == "rate"
    assert ids(company, "rosa", "desk") == []  # rating does, and she may not
    assert tickets.count(company.rosa, [inboxes.all_inboxes()[0]])["desk"] == tickets.Count(0)
    assert ids(company, "olivia", "desk") == [run]
    assert before == [(1,)]
    with pytest.raises(Conflict) as caught:
        tickets.take_next(company.rosa, "desk")
    assert caught.value.code == "inbox_empty"


# -- taking


def test_taking_begins_the_record_with_what_the_inbox_gives(company: Company) -> None:
    run = tickets.take_next(company.olivia, "unrated")
    told = company.told(run)
    assert (told["record"], told["holder"], told["context"]["start"]) == (
        "4",
        company.olivia.id,
        {"why": "periodic"},
    )
    assert [ticket.run.id for ticket in tickets.doing(company.olivia, "unrated")[0] if ticket.run] == [run]
    assert [tickets.take(company.olivia, "unrated", f"record:{key}") and key for key in ("1", "3")] == [
        "1",
        "3",
    ]
    with pytest.raises(Conflict) as caught:
        tickets.take_next(company.olivia, "unrated")
    assert (caught.value.code, caught.value.message) == ("inbox_empty", "Nothing is left to take in Unrated.")


@pytest.mark.parametrize(
    ("name", "ticket"),
    [
        ("unrated", "record:2"),
        ("unrated", "record:99"),
        ("unrated", "record:"),
        ("desk", "record:1"),
        ("desk", "run_absent"),
        ("desk", "run_\x00"),
        ("desk", "x"),
    ],
)
def test_what_is_no_ticket_of_the_inbox_is_not_taken(company: Company, name: str, ticket: str) -> None:
    with pytest.raises(NotFound):
        tickets.take(company.olivia, name, ticket)


def test_many_who_take_at_once_never_get_the_same(company: Company) -> None:
    more_customers(company, 12)
    inboxes.import_all([UNRATED | {"id": "desk", "title": "All"}])
    handed = [handed_on(company, str(number)) for number in (1, 2, 3)] + [saved(company, "4")]
    people = [company.olivia, company.mona, company.tom, company.mona] * 3
    together = threading.Barrier(len(people))

    def take(who: Any) -> str:
        together.wait()
        return tickets.take_next(who, "desk")

    with ThreadPoolExecutor(len(people)) as pool:
        got = list(pool.map(take, people))
    assert len(set(got)) == len(people)
    assert set(handed) <= set(got)
    for who, run in zip(people, got, strict=True):
        assert company.told(run, "mona")["holder"] == who.id


def test_who_was_slower_is_told_and_nothing_is_taken_from_the_quicker(company: Company) -> None:
    run = handed_on(company)
    ticket = tickets.to_do(company.mona, "desk").tickets[0]
    runs.take_over(company.olivia, run, revision=None)
    assert (
        tickets._try_to_take(company.mona, inboxes.all_inboxes()[0], ticket) is None
    )  # she may take over at once, and here she must not
    with pytest.raises(Conflict) as caught:
        tickets.take(company.tom, "desk", run)
    assert caught.value.code == "ticket_taken"
    assert company.told(run)["holder"] == company.olivia.id


# -- managing


def test_a_lead_sees_who_has_what_and_gives_it_to_others(company: Company) -> None:
    run = tickets.take_next(company.olivia, "unrated")
    page, following = tickets.backlog(company.mona, "unrated")
    assert [(ticket.id, ticket.run.holder_name) for ticket in page if ticket.run] == [(run, "Olivia")]
    assert following is None
    with pytest.raises(NotAllowed):
        tickets.backlog(company.olivia, "unrated")
    given = ticket_assignment.assign(
        company.mona, "unrated", ["record:1", run, "record:3", "record:99"], company.tom.id, "Holiday"
    )
    assert [(one.ticket, bool(one.run)) for one in given] == [
        ("record:1", True),
        (run, True),
        ("record:3", False),
        ("record:99", False),
    ]
    assert "may not see this run" in given[2].reason
    assert company.told(run, "tom")["holder"] == company.tom.id
    assert {ticket.record for ticket in tickets.doing(company.tom, "unrated")[0]} == {"1", "4"}


def test_a_lead_takes_runs_out_of_hands(company: Company) -> None:
    run = tickets.take_next(company.olivia, "unrated")
    given = ticket_assignment.unassign(company.mona, "unrated", [run, "record:1"])
    assert [(one.ticket, one.reason) for one in given] == [
        (run, ""),
        ("record:1", "This ticket is unassigned."),
    ]
    assert company.told(run)["holder"] is None
    assert ids(company, "olivia")[0] == run
    assert [event.type for event in log.events_of(run) if event.type.startswith("run_")][-2:] == [
        "run_taken_over",
        "run_released",
    ]


@pytest.mark.parametrize("chosen", [[], [f"record:{number}" for number in range(101)]])
def test_managing_is_for_managers_and_of_a_few(company: Company, chosen: list[str]) -> None:
    with pytest.raises(Invalid):
        ticket_assignment.assign(company.mona, "unrated", chosen, company.tom.id)
    with pytest.raises(NotAllowed):
        ticket_assignment.assign(company.olivia, "unrated", ["record:1"], company.tom.id)
    with pytest.raises(NotAllowed):
        ticket_assignment.unassign(company.olivia, "unrated", ["record:1"])


def test_people_are_offered_who_could_go_on_and_why_others_are_not(company: Company) -> None:
    run = company.at("rate", "3")
    told = {one.name: one.reason for one in runs.candidates(company.mona, run)}
    assert told == {
        "Mona": "",
        "Olivia": "Has it already.",
        "Tom": "May not see this record.",
        "Rosa": "Looks at such runs, and does not work on them.",
        "Ada": "Looks at such runs, and does not work on them.",
        "Ines": "Looks at such runs, and does not work on them.",
    }
    assert [one.name for one in runs.candidates(company.mona, run, "TOM@")] == ["Tom"]
    assert runs.candidates(company.mona, run, "%") == []
    assert runs.candidates(company.mona, run, "st\x00an") == []
    with pytest.raises(NotAllowed):
        runs.candidates(company.olivia, run)
    with pytest.raises(NotFound):
        runs.candidates(company.stan, run)


# -- the cost


def test_a_list_costs_the_same_however_long_it_is(company: Company) -> None:
    for record in ("1", "2"):
        handed_on(company, record)
    told = []
    for many in (0, MANY):
        more_customers(company, many)
        with counted() as (own, theirs):
            tickets.to_do(company.tom, "unrated", limit=50)
        told.append((len(own), len(theirs)))
    assert told == [
        (4, 1),
        (3, 1),
    ]  # handed on, put down, live runs, and at the end what was handed on as low; records


def test_my_work_has_everything_that_waits(company: Company) -> None:
    handed = handed_on(company, "2")
    run, kept = company.started("1"), saved(company, "4")
    work = my_work.work_of(company.olivia)
    assert [head.id for head in work.in_hand] == [run]
    assert [head.id for head in work.to_continue] == [kept]
    assert [(one.id, count.to_do) for one, count in work.inboxes] == [("desk", 1), ("unrated", 2)]
    assert handed
    assert my_work.work_of(company.stan) == my_work.Work([], [], [])
