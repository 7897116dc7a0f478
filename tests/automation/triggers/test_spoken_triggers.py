"""Rows of conditions that an event or an exit offers: the check takes each of them, and each comes back as a row."""

import pytest

from console import records
from console.core.documents import condition_words, triggers_check
from console.core.documents.collections.condition_rows import every_field
from console.core.documents.references import Known
from console.core.documents.triggers_check import EVENTS
from tests.company import DOCUMENT, Company
from tests.support.contact_club import found_club


@pytest.fixture
def club(company: Company) -> None:
    """Contacts, whose fields have labels."""
    found_club(company)


def test_every_row_that_an_event_or_an_exit_offers_is_taken_by_the_check_and_comes_back_as_a_row(
    club: None,
) -> None:
    collection = records.collection("contact")
    for on in EVENTS:
        offered = condition_words.compared_at_event(on, collection, [("care-review", "Care review")])
        assert {f"event.{name}" for name in condition_words.TELLS.get(on, ())} <= set(every_field(offered))
        for path in every_field(offered):
            trigger = {"id": "a", "kind": "event", "on": on, "filter": f"{path} != null"}
            found = triggers_check.problems(
                {"collection": "contact", "run_as": "a@b.example", "triggers": [trigger]},
                Known({}, frozenset(), frozenset(), {}, None, "contact", {"contact": collection}),
            )
            assert [each for each in found if each.severity == "error"] == [], (on, path)
            assert condition_words.rows(trigger["filter"], offered) is not None
    leaving = condition_words.compared_by_exits(DOCUMENT, collection)
    rows = condition_words.rows('event.on == "consent.withdrawn" && record.stage == "lost"', leaving)
    assert rows is not None
    assert [(row.field, row.value) for row in rows.rows] == [
        ("event.on", "Consent was withdrawn"),
        ("record.stage", "Lost"),
    ]
