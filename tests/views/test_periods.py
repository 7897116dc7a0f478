"""Periods of moments of others: in the reader's zone in every database, also where moments are kept as numbers, and a chart's list has as many records as it says."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from console.core.scopes import whole
from console.records import grouped
from console.records.grouped import By
from tests.views.foreign import KINDS, Odd, connected, maria  # noqa: F401 (a fixture)

if TYPE_CHECKING:
    from tests.views.conftest import Pages

MOMENTS = [
    datetime(2026, month, day, hour, 30, tzinfo=UTC)
    for month, day in ((3, 28), (3, 29), (10, 24), (10, 25))
    for hour in (0, 1, 2, 13, 22, 23)
]
"""On the days on which the clocks of Berlin are shifted."""


@pytest.fixture(params=KINDS)
def odd(request: Any, pages: "Pages", tmp_path: Path) -> Iterator[Odd]:
    zone = {"postgresql": "+00"}.get(request.param, "")
    kind = {"postgresql": "timestamptz"}.get(request.param, "datetime")
    rows = ", ".join(
        f"({number}, '{at:%Y-%m-%d %H:%M:%S}{zone}', {int(at.timestamp())}, {int(at.timestamp()) * 1000})"
        for number, at in enumerate(MOMENTS, 1)
    )
    made = [f"create table thing (id int primary key, at {kind}, made_at bigint, sent_at bigint)", f"insert into thing values {rows}"]
    with connected(request, pages, tmp_path, "periods", made) as found:
        yield found


def test_moments_fall_into_the_days_of_the_reader(odd: Odd) -> None:
    collection = f"{odd.name}.thing"
    for zone in ("Europe/Berlin", "UTC", "America/St_Johns"):
        days = Counter(at.astimezone(ZoneInfo(zone)).date().isoformat() for at in MOMENTS)
        for field in ("at", "made_at", "sent_at"):
            by = By(field, "day", date(2026, 1, 1))
            found = grouped.grouped(collection, whole(collection), measure="count", by=[by], zone=zone)
            assert {group.keys[0]: group.value for group in found} == days, (field, zone)
