"""Moving chosen work: who may, what each is told, two who move the same, and taking it back."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from console import log, runs
from console.activity import sequencing
from console.auth import access, accounts
from console.core.actor import Actor
from console.core.errors import Invalid, Malformed, NotFound
from console.infra import faults
from console.infra.db.engine import fetch, transaction
from console.work import approvers, notices, work_list, work_moves
from console.work.work_list import Filters
from console.work.work_moves import Chosen, Moved
from console.workflows import inboxes
from tests.company import DESK, Company
from tests.support.engine import until
from tests.support.four_eyes import bank, charging, requested
from tests.work.test_tasks import begin as with_task
from tests.work.test_tickets import handed_on, saved

__all__ = ["bank"]
WHY = "Tom is ill."


@pytest.fixture(autouse=True)
def _inboxes(company: Company) -> None:
    inboxes.import_all([DESK, DESK | {"id": "second", "title": "Second desk"}])


def chosen(company: Company, *run_ids: str) -> list[Chosen]:
    return [Chosen(run, company.told(run, "mona")["revision"]) for run in run_ids]


def holder(company: Company, run: str) -> str | None:
    found = company.told(run, "mona")["holder"]
    return next((name for name, person in company.people.items() if person.id == found), found)


def undo(moved: list[Moved]) -> list[Chosen]:
    return [each.undo for each in moved if each.undo is not None]


@pytest.mark.parametrize("who", ["olivia", "tom", "rosa", "ada", "ines"])
def test_who_may_not_assign_moves_nothing(company: Company, who: str) -> None:
    run = company.started("1")
    rows, person = chosen(company, run), company.people[who]
    for moved in (
        work_moves.reassign(person, rows, company.tom.id, WHY),
        work_moves.release(person, rows, WHY),
        work_moves.hand_over(person, rows, "desk", WHY),
        work_moves.undo(person, [Chosen(run, rows[0].revision, company.tom.id)]),
    ):
        assert [each.undo for each in moved] == [None]
        assert moved[0].reason
    assert holder(company, run) == "olivia"
    with pytest.raises(NotFound):
        work_moves.assignable(person, rows)


def test_of_another_team_it_does_not_exist(company: Company) -> None:
    run = company.started("1")
    access.assign(company.stan.id, [("lead", "procurement")])
    (moved,) = work_moves.reassign(company.stan, chosen(company, run), company.stan.id, WHY)
    assert (moved.title, moved.undo) == (run, None), "not even its title is told"
    with pytest.raises(NotFound):
        work_moves.assignable(company.stan, chosen(company, run))


def test_all_is_moved_that_can_be_and_both_are_told_why(company: Company) -> None:
    first, hidden = company.started("1"), company.started("3")
    moved = work_moves.reassign(company.mona, chosen(company, first, hidden), company.tom.id, WHY)
    assert [bool(each.undo) for each in moved] == [True, False]
    assert "may not see this run" in moved[1].reason
    assert (holder(company, first), holder(company, hidden)) == ("tom", "olivia")
    assert [each.text for each in notices.notices_of(company.tom)] == ["Mona gave you this run"]
    assert [each.text for each in notices.notices_of(company.olivia)] == ["Mona gave this run of yours away"]
    last = log.events_of(first)[-1]
    assert (last.type, last.values["reason"]) == ("run_assigned", WHY)
    assert not list(runs.rebuild(first, check=True))


def test_released_work_is_anybodys_with_what_was_typed(company: Company) -> None:
    run, kept = company.at("note"), saved(company, "2")
    runs.draft(company.olivia, run, step="note", revision=None, values={"note": "half"})
    moved = work_moves.release(company.mona, chosen(company, run, kept), WHY)
    assert [each.reason for each in moved] == ["", "Nobody holds it."]
    assert holder(company, run) is None
    runs.resume(company.tom, run, revision=None)
    assert company.told(run, "tom")["current"]["draft"]["values"] == {"note": "half"}
    assert [each.text for each in notices.notices_of(company.olivia)] == ["Mona gave this run of yours away"]
    assert not list(runs.rebuild(run, check=True))


def test_work_is_handed_over_to_an_inbox_whoever_has_it(company: Company) -> None:
    run, kept, ticket = company.started("1"), saved(company, "2"), handed_on(company, "4")
    moved = work_moves.hand_over(company.mona, chosen(company, run, kept, ticket), "desk", WHY)
    assert [each.reason for each in moved] == ["", "", "This run is in that inbox already."]
    found = {item.id: (item.state, item.waits_for) for item in work_list.find(company.mona, Filters()).items}
    assert found[run] == found[kept] == ("inbox", f"“{WHY}”")
    work_moves.undo(company.mona, undo(moved))
    assert (holder(company, run), holder(company, kept)) == ("olivia", None)
    assert {item.id: item.state for item in work_list.find(company.mona, Filters()).items} == {
        run: "in_progress",
        kept: "saved",
        ticket: "inbox",
    }
    for each in (run, kept):
        assert not list(runs.rebuild(each, check=True))


def test_a_move_is_taken_back_to_where_it_was(company: Company) -> None:
    held, ticket = company.started("1"), handed_on(company, "2", "high")
    before = company.told(ticket, "mona")["ticket"]
    moved = work_moves.reassign(company.mona, chosen(company, held, ticket), company.tom.id, WHY)
    assert {holder(company, run) for run in (held, ticket)} == {"tom"}
    again = work_moves.undo(company.mona, undo(moved))
    assert [each.reason for each in again] == ["", ""]
    assert holder(company, held) == "olivia"
    after = company.told(ticket, "mona")["ticket"]
    assert {name: after[name] for name in ("inbox", "priority", "at", "reason")} == {
        name: before[name] for name in ("inbox", "priority", "at", "reason")
    }, "its place, its waiting time and its reason are kept"


def test_what_was_changed_since_is_not_taken_back(company: Company) -> None:
    run = company.started("1")
    moved = work_moves.reassign(company.mona, chosen(company, run), company.tom.id, WHY)
    company.answer(run, "tom")
    (again,) = work_moves.undo(company.mona, undo(moved))
    assert "moved on since" in again.reason
    assert holder(company, run) == "tom"


@pytest.mark.parametrize("reason", ["", "  "])
def test_without_a_reason_nothing_moves(company: Company, reason: str) -> None:
    rows = chosen(company, company.started("1"))
    moves: list[Callable[[], object]] = [
        lambda: work_moves.reassign(company.mona, rows, company.tom.id, reason),
        lambda: work_moves.release(company.mona, rows, reason),
        lambda: work_moves.hand_over(company.mona, rows, "desk", reason),
    ]
    for move in moves:
        with pytest.raises(Invalid) as refused:
            move()
        assert refused.value.details[0]["field"] == "reason"
    for many in ([], [Chosen(f"run_{number}", 1) for number in range(101)]):
        with pytest.raises(Invalid):
            work_moves.release(company.mona, many, WHY)
    for text in ("", "run_1", "run_1~x", "ntc_1~1~~", "run_1~1~\x00~"):
        with pytest.raises(Malformed):
            Chosen.parse(text)
    assert Chosen.parse(Chosen("run_1", 3, "usr_1", "desk").to_text()) == Chosen("run_1", 3, "usr_1", "desk")


def test_two_leads_who_assign_the_same_ten_give_each_to_one(company: Company) -> None:
    for number in range(101, 111):
        company.sql(
            "insert into customer (id, display_name, desk) values (?, ?, 'retail')", number, f"C {number}"
        )
    ten = [company.started(str(number)) for number in range(101, 111)]
    access.assign(company.rosa.id, [("lead", "operations")])
    rows, barrier = chosen(company, *ten), threading.Barrier(2)

    def assign(lead: Actor, to: Actor) -> list[Moved]:
        barrier.wait()
        return work_moves.reassign(lead, rows, to.id, WHY)

    with ThreadPoolExecutor(2) as pool:
        results = [
            pool.submit(assign, company.mona, company.tom),
            pool.submit(assign, company.people["rosa"], company.mona),
        ]
        moved = [each.result() for each in results]
    for number, run in enumerate(ten):
        done = [bool(each[number].undo) for each in moved]
        assert sorted(done) == [False, True], "each went to one"
        assert holder(company, run) == ("tom" if done[0] else "mona")
        assert [event.type for event in log.events_of(run)].count("run_assigned") == 1
    refused = [each.reason for results_of in moved for each in results_of if each.undo is None]
    assert len(refused) == 10
    assert all("moved on since" in reason for reason in refused)


def test_only_people_who_could_go_on_are_offered(company: Company) -> None:
    rows = chosen(company, company.started("1"))
    kinds = work_moves.assignable(company.mona, rows)
    assert {person.name for person in work_moves.people(company.mona, rows, kinds)} == {
        "Olivia",
        "Tom",
        "Mona",
    }
    assert [person.name for person in work_moves.people(company.mona, rows, kinds, "tom")] == ["Tom"]
    assert [inbox.id for inbox in work_moves.inboxes_for(kinds)] == ["desk", "second"]


def test_tasks_and_approvals_move_with_runs_and_say_why_not(bank: Company) -> None:
    company, tom, mona = bank, bank.tom.id, bank.mona
    charging(not_by=["requester"])
    task_run, (_, approval) = with_task(company), requested(company, record="4")
    [(task, assignee)] = fetch("select id, assignee from console.task where run = %s", (task_run,))
    mixed = [*chosen(company, company.started("2")), Chosen(task, holder=assignee or ""), Chosen(approval)]
    assert [each.undo for each in work_moves.reassign(company.tom, mixed, tom, WHY)] == [None] * 3
    moved = work_moves.reassign(mona, mixed, tom, WHY)
    assert [bool(each.undo) for each in moved] == [True, True, False]
    assert "may not decide about it" in moved[2].reason, "he has not the role"
    assert "Only runs wait" in work_moves.hand_over(mona, mixed[2:], "desk", WHY)[0].reason
    access.assign(company.olivia.id, [("lead", "operations")])
    asked = work_moves.reassign(mona, mixed[2:], company.olivia.id, WHY)
    assert "may not decide about it" in asked[0].reason, "she asked for it"
    access.assign(tom, [("lead", "operations")])
    given = work_moves.reassign(mona, mixed[2:], tom, WHY)
    found = {item.id: item.person for item in work_list.find(mona, Filters()).items}
    assert (found[task], found[approval]) == (tom, tom)
    told = [each.text for each in notices.notices_of(company.tom)]
    assert told.count("Mona gave you a task or approval of this run") == 2
    assert "moved on since" in work_moves.release(mona, mixed[1:2], WHY)[0].reason, "as it was shown"
    sequencing.catch_up()
    assert [
        (each.by, each.do, each.to, each.reason, len(each.items)) for each in work_moves.recent_moves(mona)
    ] == [
        ("Mona", "reassign", "Tom", WHY, 1),
        ("Mona", "reassign", "Tom", WHY, 2),
    ]
    for person in (company.stan, company.rosa, company.ada):
        with pytest.raises(NotFound):
            work_moves.recent_moves(person)
    company.answer(mixed[0].id, "tom")
    back = work_moves.undo(mona, [*undo(given), *undo(moved)])
    assert [bool(each.reason) for each in back] == [False, True, False], "what was taken up stays"
    found = {item.id: item.person for item in work_list.find(mona, Filters()).items}
    assert (found[task], found[approval]) == (assignee, None)
    kinds = [event.type for event in log.events_of(mona.session)]
    assert (kinds.count("work_assigned"), kinds.count("work_moved")) == (4, 5), "each item has its event"


def test_what_a_process_moved_before_it_died_is_in_the_list_of_moves(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    three = [company.started("1"), company.started("2"), company.started("4")]
    rows = chosen(company, *three)
    monkeypatch.setenv("HANDRAIL_FAULT", "runs.write.after=raise@2")
    with pytest.raises(faults.Fault):
        work_moves.reassign(company.mona, rows, company.tom.id, WHY)
    monkeypatch.delenv("HANDRAIL_FAULT")
    assert [holder(company, run) for run in three] == ["tom", "tom", "olivia"]
    sequencing.catch_up()
    [move] = work_moves.recent_moves(company.mona)
    assert [each.id for each in move.items] == three[:2]
    assert [bool(each.reason) for each in work_moves.undo(company.mona, move.items)] == [False, False]
    assert [holder(company, run) for run in three] == ["olivia"] * 3


def test_what_was_refused_is_in_no_list_of_moves(company: Company) -> None:
    first, hidden = company.started("1"), company.started("3")
    work_moves.reassign(company.mona, chosen(company, hidden, first), company.tom.id, WHY)
    sequencing.catch_up()
    assert [[each.id for each in move.items] for move in work_moves.recent_moves(company.mona)] == [[first]]


def test_a_run_that_goes_out_of_sight_while_its_task_moves_is_no_fault(company: Company) -> None:
    run = with_task(company)
    [(task, assignee)] = fetch("select id, assignee from console.task where run = %s", (run,))
    with ThreadPoolExecutor(1) as pool, transaction() as connection:
        connection.exec_driver_sql("select from console.task where id = %s for update", (task,))
        moving = pool.submit(
            work_moves.reassign, company.mona, [Chosen(task, holder=assignee or "")], company.tom.id, WHY
        )
        assert until(lambda: bool(fetch("select 1 from pg_locks where not granted")))
        company.sql("delete from customer where id = 1")
    (moved,) = moving.result()
    assert moved.undo == Chosen(task, 0, assignee or "", "", company.tom.id)


@pytest.mark.parametrize("who", ["rosa", "ada", "stan", "ines"])
def test_a_task_goes_only_to_who_could_do_it(company: Company, who: str) -> None:
    run = with_task(company)
    [(task, assignee)] = fetch("select id, assignee from console.task where run = %s", (run,))
    rows = [Chosen(task, holder=assignee or "")]
    (moved,) = work_moves.reassign(company.mona, rows, company.people[who].id, WHY)
    assert moved.undo is None
    assert "does not work on such runs" in moved.reason
    work_moves.release(company.mona, rows, WHY)
    (moved,) = work_moves.reassign(company.mona, [Chosen(task)], company.people[who].id, WHY)
    assert moved.undo is None, "nor as one of its team"
    assert company.people[who].id not in {
        each.id for each in work_moves.people(company.mona, rows, work_moves.assignable(company.mona, rows))
    }


def test_work_of_a_closed_account_is_anybodys_again(bank: Company) -> None:
    company, tom = bank, bank.tom.id
    charging(not_by=["requester"])
    access.assign(tom, [("lead", "operations")])
    run, (_, approval) = with_task(company), requested(company, record="4")
    [(task, assignee)] = fetch("select id, assignee from console.task where run = %s", (run,))
    work_moves.reassign(company.mona, [Chosen(task, holder=assignee or ""), Chosen(approval)], tom, WHY)
    accounts.disable_person(tom, by=company.ines)
    found = {item.id: item.person for item in work_list.find(company.mona, Filters()).items}
    assert (found[task], found[approval]) == (None, None)
    assert "Tom" not in approvers.words(company.mona, approval)
    events = [event for event in log.events_of(company.ines.session) if event.type == "work_assigned"]
    assert {(event.open["item"], event.open["former_holder"]) for event in events} == {
        (task, tom),
        (approval, tom),
    }
    work_moves.reassign(company.mona, [Chosen(task)], company.olivia.id, WHY)
    found = {item.id: item.person for item in work_list.find(company.mona, Filters()).items}
    assert found[task] == company.olivia.id
