"""Days and moments in files, as programs, spreadsheets and people of several countries write them."""

from datetime import UTC, datetime

from console.core.documents.collections import Field
from console.formats import Look
from console.messaging.imports import cell_days, cells
from tests.tables import cases

READ = cases(
    ("cell", "spelling", "plain"),
    [
        ("2025-10-31 09:05:00 UTC", "day", "2025-10-31 09:05:00Z"),
        ("2025/10/31, 9:05", "day", "2025-10-31 09:05"),
        ("31/10/25", "day", "2025-10-31"),
        ("10/31/25 9:05 PM", "month", "2025-10-31T21:05"),
        ("31.10.25", "month", "2025-10-31"),
        ("3/4/71", "day", "1971-04-03"),
        ("13/13/2025", "day", "13/13/2025"),
        ("Feb 30, 2025", "day", "Feb 30, 2025"),
        ("Maybe 31, 2025", "day", "Maybe 31, 2025"),
        ("last Friday", "day", "last Friday"),
        ("1.2.3", "day", "1.2.3"),
    ],
)


@READ
def test_days_are_read_as_they_are_written(cell: str, spelling: str, plain: str) -> None:
    assert cell_days.iso(cell, spelling) == plain


def test_a_moment_is_one_of_the_zone_unless_it_names_its_own() -> None:
    at = datetime(2025, 10, 31, 7, 5, tzinfo=UTC)
    for cell in ("10/31/2025 9:05 AM", "10/31/25 9:05", "2025-10-31 07:05:00 UTC"):
        assert cell_days.moment(cell, "month", "Europe/Vilnius") == at, cell


def test_a_field_of_days_keeps_the_day_of_a_moment() -> None:
    since = Field(name="since", label="Since", type="date", stored="date")
    for cell in ("2025-10-31 00:00:00", "2025-10-31T23:30:00Z", "31/10/2025 9:05"):
        assert cells.value(since, cell, "day", Look()) == "2025-10-31", cell
    assert cells.value(since, "soon", "day", Look()) == "soon"


def test_the_order_of_a_file_is_told_by_days_that_can_be_read_in_one_way() -> None:
    assert cells.spelling_of(["10/31/25 9:05", "3/4/25"], ",") == "month"
    assert cells.spelling_of(["31/10/25", "3/4/25"], ",") == "day"


def test_a_long_cell_is_no_day_and_costs_nothing() -> None:
    long = f"31/10/2025{' ' * 500_000}x"
    assert cell_days.iso(long, "day") == long
