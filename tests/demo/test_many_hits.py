"""A customer with ten thousand open hits: what a review of them costs, and that it stays usable."""

import json
from time import process_time
from typing import Any

import pytest

from console import runs
from console.core.errors import ConsoleError
from console.demo import action_functions
from console.infra.db.engine import fetch
from console.steps.effects.python import Door
from console.steps.items import SHOWN
from tests.conftest import web_app
from tests.demo.reviewing import ANA, House, house, loaded_house
from tests.views.conftest import Pages

__all__ = ["house", "loaded_house"]

pytestmark = pytest.mark.slow

MANY = 10_000
MOST_JSON, MOST_PAGE, MOST_SECONDS = 2_000_000, 200_000, 60.0
LISTED = """
insert into watchlist_entry (id, list, uid, kind, name, birth_dates)
select 900000 + n, (select min(code) from watchlist where kind = 'sanctions'), 'MANY-' || n, 'person',
    (select display_name from customer where id = %s), array['1950-01-01'] from generate_series(1, %s) n
"""
REFUSING = """
create function half_way() returns trigger language plpgsql as
$$ begin if new.entry_id = 905000 then raise exception 'half way'; end if; return new; end $$;
create trigger half_way before insert on screening_hit for each row execute function half_way()
"""
KEPT = """
select (select count(*) from screening_hit where entry_id > 900000),
    (select count(*) from screening_run where subject_kind = 'customer' and subject_ref = %s and hits >= %s)
"""


def test_ten_thousand_hits_are_written_together_and_cost_no_more_than_those_that_are_gone_through(
    house: House,
) -> None:
    """A screening that breaks off half way leaves nothing behind, so that the next one finds all. Page and JSON are bounded by the hits that a review goes through."""
    house.sql(LISTED, ANA, MANY)
    house.sql(REFUSING)
    asked = {"collection": "customer", "key": str(ANA), "reason": "periodic"}
    [(review,)] = fetch("select id from console.workflow where slug = 'kyc-review'")
    door = Door(house.people["olivia"], str(review))
    with pytest.raises(ConsoleError):
        action_functions.screen(asked, "", door)
    assert house.sql(KEPT, str(ANA), MANY) == [(0, 0)]
    house.sql("drop trigger half_way on screening_hit")
    began = process_time()
    action_functions.screen(asked, "", door)
    assert process_time() - began < MOST_SECONDS
    assert action_functions.screen(asked, "", door)["unchanged"] >= 1
    assert house.sql(KEPT, str(ANA), MANY) == [(MANY, 1)], "each once"
    told = house.walk(house.start(ANA), "hits")
    told = runs.get(house.people["olivia"], str(told["id"])).json
    page = Pages(house, web_app()).olivia.get(f"/runs/{told['id']}")  # type: ignore[arg-type]
    screening: dict[str, Any] = told["context"]["screen"]["results"]["screening"]
    assert screening["open"] >= MANY
    assert len(screening["compared"]) == action_functions.MOST_COMPARED
    assert told["current"]["progress"]["total"] == action_functions.MOST_COMPARED
    assert len(json.dumps(told)) < MOST_JSON
    assert len(page.html.encode()) < MOST_PAGE
    [(name,)] = house.sql("select display_name from customer where id = %s", ANA)
    assert page.text.count(name) > SHOWN, "each hit in the list has its name"
