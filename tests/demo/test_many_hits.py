"""A customer with ten thousand open hits: what a review of them costs, and that it stays usable."""

import json
from typing import Any

import pytest

from console import runs
from console.demo import action_functions
from console.steps.items import SHOWN
from tests.conftest import web_app
from tests.demo.reviewing import ANA, House, house, loaded_house
from tests.views.conftest import Pages

__all__ = ["house", "loaded_house"]

pytestmark = pytest.mark.rotating

MANY = 10_000
MOST_JSON, MOST_PAGE = 2_000_000, 200_000
LISTED = """
insert into watchlist_entry (id, list, uid, kind, name, birth_dates)
select 900000 + n, (select min(code) from watchlist where kind = 'sanctions'), 'MANY-' || n, 'person', 'Somebody called alike ' || n, array['1950-01-01'] from generate_series(1, %s) n
"""
HITS = """
insert into screening_hit (run_id, entry_id, entry_version, score, matched_on, status)
select (select max(id) from screening_run where subject_kind = 'customer' and subject_ref = %s), 900000 + n, 1, 0.9, '{"birth_date": "different"}', 'open'
from generate_series(1, %s) n
"""


def test_ten_thousand_hits_cost_no_more_than_those_that_are_gone_through(house: House) -> None:
    """Page and JSON are bounded by the hits that a review goes through, whatever their number."""
    house.walk(house.start(ANA), "pep")
    house.sql(LISTED, MANY)
    house.sql(HITS, str(ANA), MANY)
    told = house.walk(house.start(ANA), "hits")
    told = runs.get(house.people["olivia"], str(told["id"])).json
    page = Pages(house, web_app()).olivia.get(f"/runs/{told['id']}")  # type: ignore[arg-type]
    screening: dict[str, Any] = told["context"]["screen"]["results"]["screening"]
    assert (screening["open"], len(screening["compared"])) == (MANY, action_functions.MOST_COMPARED)
    assert told["current"]["progress"]["total"] == action_functions.MOST_COMPARED
    assert len(json.dumps(told)) < MOST_JSON
    assert len(page.html.encode()) < MOST_PAGE
    assert page.text.count("Somebody called alike") > SHOWN, "each hit in the list has its name"
