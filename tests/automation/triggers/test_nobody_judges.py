"""What happens in a user's database while nobody can judge it, since the service account is closed or may not read the records: it starts its runs afterwards."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from console.auth import access, accounts
from console.auth.access import policy_store
from console.automation import triggers
from console.automation.triggers import firing, source_events
from console.infra.db.engine import fetch, transaction
from console.monitoring import unable_to_start
from tests.automation.triggers.test_triggers import ROBOT, house, publish, runs_of, shop, told
from tests.company import Company
from tests.conftest import web_app
from tests.views.conftest import Pages

__all__ = ["house", "shop"]
BIG = {
    "id": "big",
    "kind": "event",
    "on": "record.created",
    "collection": "order",
    "filter": "record.total >= 100",
}


def look(shop: psycopg.Connection[Any], *totals: int) -> None:
    """Another program adds these orders, and the console looks for them."""
    for total in totals:
        shop.execute(
            "insert into orders (title, total, updated_at) values ('new', %s, clock_timestamp())", (total,)
        )
    source_events.look(only=frozenset({"order"}))
    start()


def start() -> None:
    for (workflow,) in fetch("select distinct workflow from console.firing"):
        firing.fire(workflow)


def closed(house: Company) -> Callable[[], object]:
    robot = accounts.person_of_email(ROBOT).id
    accounts.disable_person(robot)
    return lambda: accounts.enable_person(house.ines, robot)


def without_right(house: Company) -> Callable[[], object]:
    assert house.mona
    with transaction() as connection:
        rows = [row for row in policy_store.rows_of(connection) if row.obj == "collection:order"]
        policy_store.write(connection, removed=rows)
    access.refresh()

    def give_back() -> None:
        with transaction() as connection:
            policy_store.write(connection, added=rows)
        access.refresh()

    return give_back


@pytest.mark.parametrize("taken", [closed, without_right])
def test_it_is_kept_and_judged_when_somebody_can_again(
    shop: psycopg.Connection[Any], house: Company, taken: Callable[[Company], Callable[[], object]]
) -> None:
    publish("big", BIG, collection="order")
    triggers.synchronise()
    look(shop)
    look(shop, 100)
    assert [row[1] for row in runs_of("big")] == ["2"]
    give_back = taken(house)
    look(shop, 1, 200)
    unable_to_start.look()
    start()
    assert len(runs_of("big")) == 1
    assert fetch(
        "select distinct status, tries > 0, why is not null from console.firing where run is null"
    ) == [("waiting", True, True)]
    assert (
        "It does not work at the moment" in Pages(house, web_app()).ines.get("/workflows/big/triggers").text
        or taken is without_right
    )
    give_back()
    unable_to_start.look()
    start()
    assert [row[1] for row in runs_of("big")] == ["2", "4"]
    assert told("big", "big")[:2] == (2, 1), "one is passed by once it can be judged"
