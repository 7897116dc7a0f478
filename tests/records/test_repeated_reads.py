"""Statements whose SQL is written once: they find what a statement of their own would, whatever the values."""

import pytest

from console import records
from console.core.scopes import none, whole
from console.errors import NotFound
from console.records import repeated_reads
from tests.tables import cases

CUSTOMER, NOTE = "shop.customer", "shop.back.note"


@pytest.mark.usefixtures("shops")
def test_each_record_and_what_it_leads_to_are_their_own_however_often_others_were_read() -> None:
    repeated_reads._written.clear()
    customers, notes = (records.page(name, whole(name)).rows for name in (CUSTOMER, NOTE))
    for _ in range(3):
        for row in customers:
            assert records.get(CUSTOMER, str(row.key), whole(CUSTOMER)) == row
            led = records.related(CUSTOMER, str(row.key), "note_by_customer", whole(NOTE), known=row.values)
            assert led.rows == [note for note in notes if note.values["customer_id"] == row.values["id"]]
        assert [records.get(NOTE, str(note.key), whole(NOTE)) for note in notes] == notes
    assert len([each for each in repeated_reads._written.values() if each.places]) == 3
    for lost in ("999999", "9223372036854775807", "99999999999999999999", "-1", "x", "017"):
        with pytest.raises(NotFound):
            records.get(CUSTOMER, lost, whole(CUSTOMER))
    with pytest.raises(NotFound):
        records.get(CUSTOMER, "1", none(CUSTOMER))


Written = repeated_reads._Written
ONE = Written("select … = %(a)s limit %(b)s", {"a": 7, "b": 1}, (7,))


@cases(
    "other, places",
    [
        (Written(ONE.text, {"a": 8, "b": 1}, (8,)), ("a",)),
        (ONE, ()),
        (Written("select … is null", {"a": 8, "b": 1}, (8,)), ()),
        (Written(ONE.text, {"a": 8, "b": 1, "c": 2}, (8,)), ()),
        (Written(ONE.text, {"a": 8, "b": 2}, (8,)), ()),
        (Written(ONE.text, {"a": 80, "b": 1}, (8,)), ()),
    ],
    ids=["moved", "the same value", "another statement", "more parameters", "something else moved too", "sent as something else"],
)
def test_where_values_stand_is_known_only_if_nothing_else_differs(other: Written, places: tuple[str, ...]) -> None:
    assert repeated_reads._places(ONE, other) == places
