"""What was taken in while a data source is away is tried at once when somebody says so."""

from typing import Any

import pytest

from console.activity import sequencing
from console.automation import triggers
from console.automation.triggers import firing
from console.infra.db.engine import fetch
from tests.automation.triggers.test_triggers import END, due_at, house, publish, runs_of
from tests.company import Company
from tests.conftest import web_app
from tests.support.engine import step
from tests.views.conftest import Pages

__all__ = ["house"]
SEEN = "select status, tries, source, extract(epoch from due_at - clock_timestamp())::integer from console.firing"


def taken_in(gone: Any) -> str:
    """A time has come for which the source is gone; the workflow's id."""
    night = {"id": "night", "kind": "schedule", "cron": "* * * * *", "record": "'1'"}
    publish("nightly", night, steps=[step("start", "start", "end"), END], collection="customer")
    due_at("nightly", "night", "date_trunc('minute', clock_timestamp())")
    ident = str(fetch("select id from console.workflow where slug = 'nightly'")[0][0])
    gone()
    triggers.fire_due()
    firing.fire(ident)
    return ident


def tried_for_weeks(ident: str) -> None:
    fetch("update console.firing set tries = 2000, due_at = clock_timestamp() returning 1")
    firing.fire(ident)


def test_who_may_switch_it_has_what_waits_tried_at_once(house: Company, client_pages: Pages) -> None:
    ident = taken_in(lambda: house.sql("alter table customer rename to customers_of_old"))
    tried_for_weeks(ident)
    [(status, _, source, due_s)] = fetch(SEEN)
    assert (status, source, due_s > 23 * 3600) == ("waiting", None, True), (
        "a table that is gone does not answer again by itself"
    )
    address = "/workflows/nightly/triggers"
    assert "Try again now" not in client_pages.olivia.get(address).text
    page = client_pages.mona.get(address)
    assert "Tried again" in page.text
    assert "at least once a day" in page.text
    client_pages.olivia.post(f"{address}/night/again", {"csrf_token": client_pages.olivia.token}, status=403)
    assert told() == []
    house.sql("alter table customers_of_old rename to customer")
    client_pages.mona.send(page, f"{address}/night/again")
    assert told() == [house.mona.id]
    firing.fire(ident)
    assert len(runs_of("nightly")) == 1
    assert "Try again now" not in client_pages.mona.get(address).text
    assert triggers.try_waiting(house.mona, "nightly", "night") == 0
    assert told() == [house.mona.id], "nothing waits any more, so nothing was done"
    sequencing.sequence()
    said = client_pages.ada.get("/activity").text
    assert "had 1 firing tried again that could not start yet, of a trigger: night" in said


def told() -> list[str]:
    """Who had what waits tried again, as the log says."""
    found = fetch(
        "select convert_from(body, 'UTF8')::jsonb from console.event where body like '%%trigger_changed%%' order by id"
    )
    return [body["actor"]["id"] for (body,) in found if body["data"]["open"]["change"] == "again"]


@pytest.fixture
def client_pages(house: Company) -> Pages:
    return Pages(house, web_app())
