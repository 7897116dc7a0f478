"""Lists of the user's own databases that are longer than a step can hold: gone through a part at a time, to the last record, by workers that die on the way."""

from typing import Any

import pytest

from console import runs, workflows
from console.auth import accounts
from console.core.run.origin import StartedBy
from console.infra.db.engine import fetch
from console.operations import status
from console.runs.engine.advancing import loaded_with_former
from console.runs.store.run_store import load
from console.steps.completion import Child, Completion, TaskWanted
from tests.company import Company
from tests.conftest import web_app
from tests.jobs import RUNNING, worked
from tests.support.engine import step, until, whole, workers
from tests.views.conftest import signed_in

pytestmark = pytest.mark.slow
ROBOT = "robot@fernwick.test"
MANY = """
with recursive n(i) as (select 5 union all select i + 1 from n where i < {last})
insert into customer select i, 'Customer ' || i, null, 'retail', 'XX' || i, case when i % {every} = 0 then 'high' else 'low' end, i, null from n
"""
TASK = {
    "title": "Look at {{ item.display_name }}",
    "team": "operations",
    "due": "today()",
    "once": "{{ item.key }}",
}
COUNTS = {name: f"steps.each.{name}" for name in ("total", "done", "made")} | {"more": "steps.each.more"}


def nightly(body: dict[str, Any] | None = None, on_failure: str = "continue", **items: Any) -> None:
    """A check of every customer, with a task for each that it finds."""
    if ROBOT not in accounts.service_accounts():
        accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    found = {"collection": "customer", "fields": ["display_name", "risk", "balance"], **items}
    steps = [
        step("start", "start", "each"),
        step("each", "loop", "counts", {"items": found, "body": "task", "on_failure": on_failure}),
        body or step("task", "create_task", "counts", TASK),
        step("counts", "output", "end", {"values": COUNTS}),
        step("end", "end", None),
    ]
    head = {
        "format": 1,
        "slug": "nightly",
        "title": "Nightly",
        "team": "operations",
        "run_as": ROBOT,
        "settings": {"on_error": "fail"},
    }
    workflows.import_file(head | {"steps": steps}, publish=True)


def begin(key: str = "night") -> str:
    return runs.start_hands_off(
        "nightly", by=StartedBy("every_night", "schedule"), record=None, values={}, key=key
    )


def counts(run_id: str, company: Company) -> dict[str, Any]:
    told = company.told(run_id, "mona")
    assert told["status"] == "completed", (told["status"], told.get("reason"), told["current"])
    found: dict[str, Any] = told["context"]["counts"]
    return found


def tasks() -> int:
    return int(fetch("select count(*) from console.task")[0][0])


def many(company: Company, last: int, every: int = 1_000_000) -> None:
    """Customers 5 to `last`; each `every`-th is of high risk."""
    company.sql(MANY.format(last=last, every=every))


def test_all_of_a_list_are_gone_through_a_part_at_a_time(company: Company) -> None:
    many(company, 20)
    nightly(all=True, limit=6)
    run_id = begin()
    company.work()
    assert counts(run_id, company) == {"total": 20, "done": 20, "made": 20, "more": None}
    assert tasks() == 20
    assert [attempt["step"] for attempt in company.told(run_id, "mona")["attempts"]].count("each") >= 1
    whole(run_id)
    assert list(runs.rebuild(run_id, check=True)) == []


def test_a_part_reads_the_part_before_it_and_no_older_one(company: Company) -> None:
    many(company, 30)
    nightly(all=True, limit=6)
    run_id = begin()
    while company.told(run_id, "mona")["context"].get("each", {}).get("total") != 24:
        runs.pick_up()
        worked(RUNNING)
    loaded = load(run_id)
    assert loaded is not None
    assert loaded.run.attempt is not None
    same = [
        n
        for (n,) in fetch(
            "select n from console.attempt where run = %s and step = %s order by n",
            (run_id, loaded.run.attempt.step),
        )
    ]
    assert len(same) >= 4
    known = loaded_with_former(loaded, Completion("default", children=(Child("a"),)))
    assert sorted(known.run.attempts) == same[-2:]
    assert loaded_with_former(loaded, Completion("default", task=TaskWanted("Look"))).whole
    company.work()
    assert counts(run_id, company)["total"] == 30


def test_the_next_night_finds_all_again_and_makes_nothing_new(company: Company) -> None:
    many(company, 15)
    nightly(all=True, limit=4)
    first, second = begin("one"), begin("two")
    company.work()
    assert {counts(first, company)["made"] + counts(second, company)["made"], tasks()} == {15}
    assert counts(second, company)["total"] == 15


def test_what_is_asked_after_reading_is_asked_of_every_part(company: Company) -> None:
    """The one that is wrong is the last of the list; every part before it is empty once the condition was asked."""
    many(company, 60)
    nightly(all=True, limit=1, only="item.balance == 60")
    run_id = begin()
    company.work()
    assert counts(run_id, company) == {"total": 1, "done": 1, "made": 1, "more": None}
    assert len(runs.children_of(run_id)) == 1


def test_an_order_that_the_document_wants_is_kept_over_all_parts(company: Company) -> None:
    many(company, 14, every=5)
    nightly(all=True, limit=3, sort="-display_name")
    run_id = begin()
    company.work()
    names = [
        row[0]
        for row in fetch(
            "select branch from /* every run */ console.run where parent = %s order by created_at, id",
            (run_id,),
        )
    ]
    assert sorted(names, key=int) == [str(number) for number in range(1, 15)]
    assert names[:3] == ["2", "3", "9"], "Tore, Halcyon, Customer 9"


def test_what_is_added_behind_the_place_is_met_and_what_goes_is_not_missed(company: Company) -> None:
    many(company, 12)
    nightly(all=True, limit=4)
    run_id = begin()
    while len(runs.children_of(run_id)) < 4:
        runs.pick_up()
        worked(RUNNING)
    company.sql("delete from customer where id in (2, 8)")
    company.sql("insert into customer values (13, 'Late', null, 'retail', 'XX', 'low', 1, null)")
    company.work()
    assert counts(run_id, company)["total"] in (11, 12)
    assert "13" in {child.branch for child in runs.children_of(run_id)}


def test_items_that_fail_in_any_part_are_counted_and_named_at_the_end(company: Company) -> None:
    many(company, 20, every=5)
    failing = step(
        "task", "create_task", "counts", TASK | {"due": "addDays(today(), 0 / (item.balance - 5))"}
    )
    nightly(body=failing, all=True, limit=4)
    company.sql("update customer set balance = 5 where id in (5, 11, 20)")
    run_id = begin()
    company.work()
    told = counts(run_id, company)
    assert (told["total"] - told["done"]) >= 3
    failed = {item["key"] for item in company.told(run_id, "mona")["context"]["each"]["items"]}
    assert {"5", "11", "20"} <= failed
    assert "6" not in failed, "of a list in parts only those that failed are kept"
    page = signed_in(web_app(), "mona").get(f"/runs/{run_id}?tab=context").text
    assert ["Customer 5" in page, "Customer 11" in page, "Customer 6" in page] == [True, True, False], (
        "by the titles of their records"
    )
    begun = [load(child.id) for child in runs.children_of(run_id)]
    assert not any("each" in (child.run.fork or {})["context"] for child in begun if child is not None), (
        "a thousand failures are copied into no item"
    )


def test_where_one_failure_stops_the_loop_no_further_part_is_begun(company: Company) -> None:
    many(company, 20)
    failing = step(
        "task", "create_task", "counts", TASK | {"due": "addDays(today(), 0 / (item.balance - 6))"}
    )
    nightly(body=failing, on_failure="stop", all=True, limit=3)
    run_id = begin()
    company.work()
    told = company.told(run_id, "mona")
    assert told["status"] == "failed"
    assert max(int(child.branch) for child in runs.children_of(run_id)) <= 6


def test_a_cancelled_list_keeps_what_was_made_and_begins_no_other_part(company: Company) -> None:
    many(company, 40)
    nightly(all=True, limit=5)
    run_id = begin()
    while tasks() < 7:
        runs.pick_up()
        worked(RUNNING)
    runs.cancel(company.mona, run_id, revision=None, reason="Not tonight.")
    company.work()
    assert 7 <= tasks() < 40
    assert {child.ended for child in runs.children_of(run_id)} == {True}


def test_a_pause_of_everything_in_the_middle_loses_no_part(company: Company) -> None:
    many(company, 12)
    nightly(all=True, limit=5)
    run_id = begin()
    while tasks() < 3:
        runs.pick_up()
        worked(RUNNING)
    status.pause(company.ines, "Repairs")
    company.work()
    before = tasks()
    status.resume(company.ines, "Repaired")
    assert fetch(
        "update console.run set active_at = active_at - interval '10 seconds' where id = %s returning 1",
        (run_id,),
    )
    company.work()
    assert before <= tasks() == 12
    assert counts(run_id, company)["total"] == 12


def test_a_worker_killed_between_two_parts_loses_and_doubles_nothing(company: Company) -> None:
    many(company, 18)
    nightly(all=True, limit=4)
    run_id = begin()
    with workers(stopped=True, HANDRAIL_FAULT="runs.write.after=kill@14") as (killed,):
        assert until(lambda: killed.poll() is not None)
    with workers(2):
        assert until(lambda: load(run_id).run.ended)  # type: ignore[union-attr]
    assert counts(run_id, company) == {"total": 18, "done": 18, "made": 18, "more": None}
    assert tasks() == 18
    assert len({child.branch for child in runs.children_of(run_id)}) == len(runs.children_of(run_id)) == 18


def test_twenty_thousand_rows_are_read_to_the_last_and_the_run_stays_small(company: Company) -> None:
    many(company, 20_000, every=4_000)
    nightly(all=True, limit=1000, only="item.risk == 'high'")
    run_id = begin()
    company.work()
    assert counts(run_id, company)["total"] == 5
    assert {child.branch for child in runs.children_of(run_id)} == {
        str(number) for number in range(4_000, 20_001, 4_000)
    }
    [[size]] = fetch(
        "select sum(length(c.output::text)) from console.run_context c where c.run = %s", (run_id,)
    )
    assert size < 10_000
    rows = fetch("select max(pg_column_size(a)) from console.attempt a where a.run = %s", (run_id,))
    assert rows[0][0] < 10_000
