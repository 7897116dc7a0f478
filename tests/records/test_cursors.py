"""Cursors: opaque, signed, of one list in one order; whatever else is sent is refused as such."""

# ruff: noqa: DTZ001 - drivers give moments without a zone, too
import base64
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from console import records
from console.core.errors import Malformed
from console.core.scopes import unrestricted
from console.records import cursors
from tests.records.files import keyed, opened


@pytest.fixture(autouse=True, scope="module")
def signed() -> Iterator[None]:
    """Every test signs with a key."""
    with keyed():
        yield


def refused(cursor: str, collection: str = "customer", order: str = "-name", length: int = 2) -> None:
    """Asserts that the cursor is refused in the words of the API."""
    with pytest.raises(Malformed) as error:
        cursors.read(cursor, collection, order, length)
    assert error.value.status == 400
    assert error.value.details == [
        {
            "field": "after",
            "reason": "This cursor does not belong to this list. Start again at the first page.",
        }
    ]


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -(2**63),
        2**63,
        "",
        "x\x00y",
        "שלום",
        "half \ud800",
        Decimal("12.50"),
        Decimal("-0.00000001"),
        Decimal("NaN"),
        Decimal("Infinity"),
        0.1,
        1e300,
        5e-324,
        float("inf"),
        datetime(2026, 1, 31, 10, 0, 0, 123456, tzinfo=UTC),
        datetime(2026, 1, 31, 10),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=timezone(timedelta(hours=-11))),
        date(1, 1, 1),
        date(9999, 12, 31),
        time(23, 59, 59, 999999),
        UUID("6f1c3cbe-3c0f-4b52-8f1e-3c0f4b528f1e"),
    ],
    ids=ascii,
)
def test_a_place_of_each_type_comes_back_as_it_was(value: Any) -> None:
    cursor = cursors.write("customer", "-name", [value, "17"])
    (back, key) = cursors.read(cursor, "customer", "-name", 2)
    assert key == "17"
    assert type(back) is type(value)
    assert repr(back) == repr(value)


@pytest.mark.parametrize(
    ("collection", "order", "length"),
    [
        ("order", "-name", 2),
        ("customer2", "-name", 2),
        ("", "-name", 2),
        ("customer", "name", 2),
        ("customer", "-born", 2),
        ("customer", "", 2),
        ("customer", "-name", 1),
        ("customer", "-name", 3),
        ("customer", "-name", 0),
    ],
)
def test_the_cursor_of_another_list_is_refused(collection: str, order: str, length: int) -> None:
    refused(cursors.write("customer", "-name", ["Ada", "17"]), collection, order, length)


def test_a_change_of_any_byte_is_refused() -> None:
    cursor = cursors.write("customer", "-name", ["Ada", "17"])
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    for place in range(len(raw)):
        for flipped in (1, 0x80):
            changed = raw[:place] + bytes([raw[place] ^ flipped]) + raw[place + 1 :]
            refused(base64.urlsafe_b64encode(changed).decode().rstrip("="))


def test_a_cursor_of_another_installation_is_refused() -> None:
    with keyed(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONSOLE_SECRET_KEY", "another-key-that-is-long-enough-to-be-taken-0123456789")
        from console.infra import settings

        settings.current.cache_clear()
        foreign = cursors.write("customer", "-name", ["Ada", "17"])
    refused(foreign)


@given(st.text(max_size=120))
def test_no_text_does_more_than_be_refused(cursor: str) -> None:
    refused(cursor)


LONG = 3_000


def test_a_page_refuses_what_stands_in_the_address(tmp_path: Path) -> None:
    rows = {
        "t": [(number, f"n{number % 3}") for number in range(9)],
        "u": [(number, "x") for number in range(9)],
    }
    with opened(
        tmp_path,
        "create table t (id integer primary key, n text); create table u (id integer primary key, n text)",
        rows=rows,
    ):
        first = records.page("t", unrestricted("t"), sort="n", limit=3)
        assert first.next is not None
        for asked in (
            {"after": first.next},
            {"after": first.next, "sort": "-n"},
            {"after": first.next, "sort": "id"},
            {"before": first.next},
            {"after": "x", "sort": "n"},
            {"after": first.next, "before": first.next, "sort": "n"},
        ):
            with pytest.raises(Malformed):
                records.page("t", unrestricted("t"), limit=3, **asked)  # type: ignore[arg-type]
        with pytest.raises(Malformed):
            records.page("u", unrestricted("u"), sort="n", limit=3, after=first.next)
        assert [
            row.key for row in records.page("t", unrestricted("t"), sort="n", limit=3, after=first.next).rows
        ] == ["1", "4", "7"]


def test_a_list_sorted_by_long_texts_can_be_walked(tmp_path: Path) -> None:
    rows = [(number, "x" * LONG + str(number)) for number in range(4)]
    with opened(tmp_path, "create table t (id integer primary key, n text)", rows={"t": rows}):
        first = records.page("t", unrestricted("t"), sort="n", limit=2)
        second = records.page("t", unrestricted("t"), sort="n", limit=2, after=first.next)
        assert [row.key for row in (*first.rows, *second.rows)] == ["0", "1", "2", "3"]
