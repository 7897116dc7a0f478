"""Records that are read one after another: each read finds its own, whatever was read before."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console import records
from console.browse import tags
from console.core import expressions, filters
from console.core.documents.collections import Field
from console.core.errors import NotFound
from console.core.expressions.search_syntax import Several, Without
from console.core.scopes import Scope, none, unrestricted
from console.infra.db.engine import transaction
from console.records import catalogue

CUSTOMER, NOTE = "shop.customer", "shop.back.note"


@pytest.mark.usefixtures("shops")
def test_each_record_and_what_it_leads_to_are_their_own_however_often_others_were_read() -> None:
    customers, notes = (records.page(name, unrestricted(name)).rows for name in (CUSTOMER, NOTE))
    for _ in range(3):
        for row in customers:
            assert records.get(CUSTOMER, str(row.key), unrestricted(CUSTOMER)) == row
            led = records.related(
                CUSTOMER, str(row.key), "note_by_customer", unrestricted(NOTE), known=row.values
            )
            assert led.rows == [note for note in notes if note.values["customer_id"] == row.values["id"]]
        assert [records.get(NOTE, str(note.key), unrestricted(NOTE)) for note in notes] == notes
    every = {str(row.key) for row in customers}
    for _ in range(3):
        for mood in ("open", "closed", "on hold"):
            given = Scope(
                CUSTOMER,
                allow=(expressions.parse("record.mood == $currentUser.mood"),),
                attributes={"mood": mood},
            )
            theirs = {str(row.key) for row in customers if row.values["mood"] == mood}
            assert {str(row.key) for row in records.page(CUSTOMER, given).rows} == theirs
            for asked in (every, theirs, every - {"1"}, {"1", "2"}, {"3", "4"}, {"x", "017"}):
                assert records.titles(CUSTOMER, sorted(asked), given).keys() == asked & theirs
            for key in sorted(every):
                with nullcontext() if key in theirs else pytest.raises(NotFound):
                    assert records.get(CUSTOMER, key, given).key == key
    for lost in ("999999", "9223372036854775807", "99999999999999999999", "-1", "x", "017"):
        with pytest.raises(NotFound):
            records.get(CUSTOMER, lost, unrestricted(CUSTOMER))
    with pytest.raises(NotFound):
        records.get(CUSTOMER, "1", none(CUSTOMER))


@pytest.mark.usefixtures("shops")
def test_a_filter_by_what_time_changes_is_of_its_own_moment_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    collection = catalogue.collection(CUSTOMER)
    text = f"now > {(datetime.now(UTC) + timedelta(seconds=1)).isoformat()!r}"
    late = Field("late", "Late", "boolean", "boolean", computed=text, inputs=frozenset())
    with_late = replace(collection, computed_fields=(late,))
    monkeypatch.setattr(catalogue, "collection", lambda _: with_late)

    def found(given: Scope, **asked: Any) -> int:
        return len(records.page(CUSTOMER, given, **asked).rows)

    asked: list[Callable[[], int]] = [
        lambda: found(unrestricted(CUSTOMER), where=filters.Test("late", "eq", True)),
        lambda: found(
            unrestricted(CUSTOMER), where=filters.Group("and", (filters.Test("late", "eq", True),))
        ),
        lambda: found(unrestricted(CUSTOMER), q=filters.Test("late", "eq", True)),
        lambda: found(
            unrestricted(CUSTOMER), q=Several("and", (Without(filters.Test("late", "eq", False)),))
        ),
        lambda: found(Scope(CUSTOMER, allow=(expressions.parse(text),))),
    ]
    assert [each() for each in asked] == [0] * len(asked)
    time.sleep(1)
    assert [each() for each in asked] == [4] * len(asked)


@pytest.mark.usefixtures("shops")
def test_a_filter_by_tags_finds_those_that_have_them_now() -> None:
    for key in ("1", "3"):
        with transaction() as connection:
            tags.write(
                connection,
                CUSTOMER,
                key,
                "vip",
                added=True,
                subject="sub_test",
                by="sys:test",
                at=datetime.now(UTC),
            )
        found = records.page(
            CUSTOMER, unrestricted(CUSTOMER), where=filters.Test("console_tags", "eq", "vip")
        ).rows
        assert [row.key for row in found][-1] == key
