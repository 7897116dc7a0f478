"""A workflow started on many records: who is left out and why, one run for each, none of them held by who began them, none twice."""

from typing import Any

import pytest

from console import runs
from console.actions import bulk, bulk_starts
from console.actions.bulk_starts import BulkStart
from console.browse import BrowseQuery
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid
from console.infra import jobs
from console.infra.db.engine import fetch
from tests.company import Company
from tests.jobs import do
from tests.support.acting import go_on

pytestmark = pytest.mark.lengthy

WHY = {"why": "periodic"}
MANY = """
with recursive numbers (n) as (select 5 union all select n + 1 from numbers where n < 230)
insert into customer select n, 'Customer ' || n, null, 'retail', null, null, 0, null from numbers
"""


def offer(actor: Actor) -> BulkStart:
    return next(each for each in bulk_starts.offered(actor, "customer") if each.slug == "care-review")


def looked_through(actor: Actor, bulk_id: str) -> None:
    while go_on(actor, bulk_id).under_way:
        continue


def heads(company: Company, key: str) -> list[tuple[str, Any]]:
    return [(head.status, head.holder) for head in runs.on_record(company.olivia, "customer", key)]


def test_the_preview_names_who_is_left_out_and_nothing_is_started(company: Company) -> None:
    company.started("2", by="tom")
    start = offer(company.olivia)
    items = bulk.chosen(company.olivia, "customer", start, ["1", "2", "3"], None)
    told = {
        item.key: (item.state, item.why)
        for item in bulk.refusal_reasons(company.olivia, "customer", start, items, WHY)
    }
    assert (told["1"][0], told["3"][0]) == (bulk.WAITING, bulk.WAITING)
    assert told["2"] == (bulk.REFUSED, "A run of this workflow is already ongoing on this record.")
    assert heads(company, "1") == []
    [item] = bulk.refusal_reasons(company.olivia, "customer", start, items[:1], {})
    assert item.state == bulk.REFUSED, "the input that every run needs is missing"


def test_each_record_gets_a_run_that_nobody_holds_and_a_second_look_starts_none_twice(
    company: Company,
) -> None:
    start = offer(company.olivia)
    items = bulk.refusal_reasons(
        company.olivia,
        "customer",
        start,
        bulk.chosen(company.olivia, "customer", start, ["1", "3"], None),
        WHY,
    )
    bulk_id = bulk.begin(company.olivia, "customer", start, items, WHY)
    company.work()
    company.work()
    assert heads(company, "1") == heads(company, "3") == [("saved", None)]
    done = bulk.get(company.olivia, bulk_id)
    assert [(item.state, item.why) for item in done.items] == [(bulk.DONE, "To Continue")] * 2
    first, other = (str(item.run) for item in done.items)
    found = bulk_starts.next_chosen(company.olivia, first, "customer")
    assert found is not None
    assert (found.id, found.record) == (other, "3")
    assert bulk_starts.next_chosen(company.tom, first, "customer") is None, "he chose none of them"
    runs.resume(company.tom, first, revision=None)
    assert bulk_starts.next_chosen(company.olivia, other, "customer") is None, "the other is at work already"


def test_a_process_that_dies_after_the_start_leaves_one_run_which_is_then_saved(company: Company) -> None:
    start = offer(company.olivia)
    bulk_id = bulk.begin(
        company.olivia, "customer", start, bulk.chosen(company.olivia, "customer", start, ["1"], None), WHY
    )
    fetch("update console.bulk_item set state = 'begun' where bulk = %s returning 1", (bulk_id,))
    run_id = runs.start(company.olivia, "care-review", "customer", "1", WHY)
    company.work()
    assert heads(company, "1") == [("saved", None)]
    assert [item.run for item in bulk.get(company.olivia, bulk_id).items] == [run_id]


def test_who_may_not_start_it_is_not_offered_it_and_records_out_of_sight_are_left_out(
    company: Company,
) -> None:
    for person in (company.stan, company.rosa, company.ada):
        assert bulk_starts.offered(person, "customer") == []
    start = offer(company.tom)
    assert [item.key for item in bulk.chosen(company.tom, "customer", start, ["1", "3"], None)] == ["1"], (
        "3 is of another desk"
    )
    with pytest.raises(Invalid):
        bulk.chosen(company.tom, "customer", start, ["3"], None)


def test_more_than_are_judged_at_once_are_looked_at_in_the_background_and_nothing_starts_before_that_is_confirmed(
    company: Company,
) -> None:
    company.sql(MANY)
    live = company.started("2", by="olivia")
    start = offer(company.olivia)
    with pytest.raises(bulk.TooManyChosen):
        bulk.chosen(company.olivia, "customer", start, [], BrowseQuery())
    bulk_id = bulk.look(company.olivia, "customer", start, [], BrowseQuery(), WHY)
    with pytest.raises(Conflict):
        bulk.confirm(company.olivia, bulk_id)
    looked_through(company.olivia, bulk_id)
    looked = bulk.get(company.olivia, bulk_id)
    assert (looked.looking, looked.under_way, looked.counts) == (
        True,
        False,
        {bulk.FITS: 229, bulk.REFUSED: 1},
    )
    assert bulk.causes(bulk_id) == [("A run of this workflow is already ongoing on this record.", 1)]
    assert fetch("select count(*) from console.run where id <> %s", (live,)) == [(0,)], (
        "looking starts nothing"
    )
    bulk.confirm(company.olivia, bulk_id)
    go_on(company.olivia, bulk_id)
    stopped = bulk.stop(company.olivia, bulk_id)
    [(started,)] = fetch(
        "select count(*) from console.run where id <> %s and status = 'saved' and holder is null", (live,)
    )
    assert started == stopped.count(bulk.DONE) > 0
    assert stopped.count(bulk.STOPPED) == 229 - started
    again = bulk.look(company.olivia, "customer", start, bulk.keys_left(company.olivia, bulk_id), None, WHY)
    looked_through(company.olivia, again)
    assert bulk.get(company.olivia, again).counts == {bulk.FITS: 229 - started, bulk.REFUSED: 1}


def test_a_list_that_is_looked_at_is_that_of_who_looks(company: Company) -> None:
    bulk_id = bulk.look(company.tom, "customer", offer(company.tom), [], BrowseQuery(), WHY)
    looked_through(company.tom, bulk_id)
    assert [item.key for item in bulk.get(company.tom, bulk_id).items] == ["1", "2", "4"], (
        "3 is of another desk"
    )
    company.sql("update customer set desk = 'corporate' where id = 2")
    bulk.confirm(company.tom, bulk_id)
    company.work()
    told = {item.key: item.state for item in bulk.get(company.tom, bulk_id).items}
    assert told == {"1": bulk.DONE, "2": bulk.REFUSED, "4": bulk.DONE}, "judged again when it starts"


def test_a_start_waits_for_a_source_that_does_not_answer_and_is_made_once(company: Company) -> None:
    start = offer(company.olivia)
    bulk_id = bulk.begin(
        company.olivia,
        "customer",
        start,
        bulk.chosen(company.olivia, "customer", start, ["1", "3"], None),
        WHY,
    )
    company.sql("alter table customer rename to away")
    with pytest.raises(jobs.PutBack):
        do(jobs.BULK, bulk_id)
    company.sql("alter table away rename to customer")
    company.work()
    assert [(item.state, item.why) for item in bulk.get(company.olivia, bulk_id).items] == [
        (bulk.DONE, "To Continue")
    ] * 2
    assert heads(company, "1") == heads(company, "3") == [("saved", None)]
