"""Fields of many records changed by hand, and many deleted: looked at first, done as looked at, each judged by itself."""

import re

import pytest

from console import records
from console.actions import bulk, many_changes
from console.actions.many_changes import CHANGE, DELETE, ManyChanges
from console.auth import access
from console.browse import BrowseQuery
from console.core.errors import Conflict, NotFound
from console.infra import jobs
from console.infra.db.engine import fetch
from tests.company import Company
from tests.jobs import do

NOTED = "select count(*) from console.event where body like %s"


@pytest.fixture
def house(company: Company) -> Company:
    access.grant("operator", "collection:customer", ["update", "delete"], team="operations")
    return company


def looked(house: Company, deed: str, *keys: str, whole: BrowseQuery | None = None, **values: str) -> str:
    bulk_id = bulk.look(house.olivia, "customer", ManyChanges(deed), keys, whole, values)
    do(jobs.BULK, bulk_id)
    return bulk_id


def states(house: Company, bulk_id: str) -> dict[str, str]:
    return {item.key: item.state for item in bulk.get(house.olivia, bulk_id).items}


def test_records_are_looked_at_and_nothing_is_changed_until_it_is_confirmed(house: Company) -> None:
    house.sql("update customer set risk = 'high' where id = 2")
    bulk_id = looked(house, CHANGE, "1", "2", "3", "999", risk="high")
    assert states(house, bulk_id) == {"1": bulk.FITS, "2": bulk.SAME, "3": bulk.FITS}
    assert house.sql("select id from customer where risk = 'high'") == [(2,)]
    with pytest.raises(NotFound):
        bulk.confirm(house.mona, bulk_id)
    for _ in range(2):  # two presses of one button
        bulk.confirm(house.olivia, bulk_id)
    do(jobs.BULK, bulk_id)
    assert states(house, bulk_id) == {"1": bulk.DONE, "2": bulk.SAME, "3": bulk.DONE}
    assert house.sql("select id from customer where risk = 'high' order by id") == [(1,), (2,), (3,)]
    assert [
        fetch(NOTED, (f'%"type":"{kind}"%',))[0][0] for kind in ("records_changed", "record_changed")
    ] == [1, 2]
    assert bulk.get(house.olivia, bulk_id).values == {}


def test_what_moved_since_it_was_looked_at_is_not_overwritten_but_named(house: Company) -> None:
    bulk_id = looked(house, CHANGE, "1", "3", risk="high")
    house.sql("update customer set risk = 'low' where id = 1")
    bulk.confirm(house.olivia, bulk_id)
    do(jobs.BULK, bulk_id)
    assert [(item.key, item.why) for item in bulk.get(house.olivia, bulk_id).items] == [
        ("1", many_changes.MOVED),
        ("3", ""),
    ]
    assert house.sql("select risk from customer where id = 1") == [("low",)]


def test_a_whole_list_is_what_it_was_when_it_was_looked_at(
    house: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "PAGE", 2)
    bulk_id = looked(house, CHANGE, whole=BrowseQuery(segment="unrated"), risk="high")
    assert states(house, bulk_id) == dict.fromkeys(("1", "3", "4"), bulk.FITS)


def test_a_process_that_died_after_the_change_has_done_it(house: Company) -> None:
    bulk_id = looked(house, CHANGE, "1", risk="high")
    bulk.confirm(house.olivia, bulk_id)
    fetch("update console.bulk_item set state = 'begun' where bulk = %s returning 1", (bulk_id,))
    house.sql("update customer set risk = 'high' where id = 1")
    do(jobs.BULK, bulk_id)
    assert states(house, bulk_id) == {"1": bulk.DONE}


def test_it_is_stopped_and_not_confirmed_while_it_looks(
    house: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "IN_ONE_GO_S", 0.0)
    bulk_id = bulk.look(house.olivia, "customer", ManyChanges(CHANGE), ["1", "3"], None, {"risk": "high"})
    with pytest.raises(Conflict):
        bulk.confirm(house.olivia, bulk_id)
    assert not bulk.stop(house.olivia, bulk_id).under_way


def test_records_are_deleted_where_nothing_that_stays_refers_to_them(house: Company) -> None:
    house.sql("insert into customer (id, display_name, desk) values (90, 'Nobody', 'retail')")
    bulk_id = looked(house, DELETE, "1", "90")
    assert states(house, bulk_id) == {"1": bulk.REFUSED, "90": bulk.FITS}
    [why] = [item.why for item in bulk.get(house.olivia, bulk_id).items if item.why]
    assert re.fullmatch(r"It cannot be deleted while .+ refer to it \([0-9]+\)\.", why)
    assert bulk.causes(bulk_id) == [(re.sub(r" \([0-9]+\)", "", why), 1)], (
        "the causes are told without the count of each"
    )
    bulk.confirm(house.olivia, bulk_id)
    do(jobs.BULK, bulk_id)
    told = {item.key: (item.title, item.state) for item in bulk.get(house.olivia, bulk_id).items}
    assert told["90"] == ("Deleted", bulk.DONE)
    assert house.sql("select count(*) from customer where id in (1, 90)") == [(1,)]


def test_only_what_one_may_do_is_offered(house: Company) -> None:
    customer = records.collection("customer")
    assert [deed.id for deed in many_changes.offered(house.olivia, customer)] == [CHANGE, DELETE]
    assert many_changes.offered(house.ada, customer) == []
    assert "id" not in {field.name for field in many_changes.fields(house.olivia, customer)}
