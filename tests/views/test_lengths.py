"""Lengths of time beside their total: the parts add up to it."""

import random
import re
from datetime import timedelta
from typing import TYPE_CHECKING

from console import formats
from console.views.workflows import executions

if TYPE_CHECKING:
    from tests.views.conftest import Pages


def test_any_parts_add_up_and_none_is_a_unit_away_from_what_it_is() -> None:
    drawn = random.Random(7)
    for _ in range(500):
        parts = [drawn.uniform(0, 400) for _ in range(drawn.randrange(9))]
        total, unit = sum(parts) + drawn.uniform(0, 100), drawn.choice((1, 60))
        whole = formats.adding_up(parts, total, unit)
        assert sum(whole) == formats.whole_units(total, unit)
        assert all(abs(number * unit - part) < unit for number, part in zip(whole, parts, strict=False))


def test_the_steps_of_an_execution_add_up_to_its_duration(pages: "Pages") -> None:
    look = formats.Look()
    began = look.now - timedelta(days=3)

    def at(seconds: float) -> str:
        return (began + timedelta(seconds=seconds)).isoformat()

    def lengths(*ends: float) -> tuple[str, list[str]]:
        attempts = [
            {"entered_at": at(begin), "completed_at": at(end)}
            for begin, end in zip((0.0, *ends), ends, strict=False)
        ]
        return executions._lengths(
            {"created_at": at(0), "ended_at": at(ends[-1]), "attempts": attempts}, look
        )

    assert lengths(0.2, 2_000.0, 5_465.8) == ("1 h 31 min 6 s", ["at once", "33 min 20 s", "57 min 46 s"])
    assert lengths(40.0, 90_100.0, 90_130.0) == (
        "1 d 1 h 2 min",
        ["1 min", "1 d 1 h 1 min", "under a minute"],
    )
    run_id = pages.company.finished("1")
    html = pages.mona.get(f"/workflows/care-review/executions/{run_id}").html
    assert re.search(r"<dt>Duration</dt><dd>(under a second|\d+ s)</dd>", html)
