"""A part of many cases that are alike, another part each day, so that each is tried every few days; all of them with `--whole`.

For what one mechanism answers for many cases: values, addresses, points at which a process dies. Not for what only one case proves.
"""

import os
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from zlib import crc32

import pytest

from tests import long_tests

T = TypeVar("T")

DAY = "TESTS_OF_DAY"


def day_of_commit() -> int:
    """The day on which the checked-out commit was made, as an ordinal, so that a commit is tried alike whenever it is tried; today outside a checkout."""
    asked = subprocess.run(
        ["git", "show", "-s", "--format=%ct", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    made = datetime.fromtimestamp(int(asked.stdout), UTC) if asked.returncode == 0 else datetime.now(UTC)
    return made.date().toordinal()


if DAY not in os.environ:  # every process of a run has the same
    os.environ[DAY] = str(day_of_commit())
whole = False
"""Whether all are tried; set by `--whole`."""


def sampled(values: Sequence[T], of: int = 3) -> list[T]:
    """Every third of the values (`of`), beginning with that of the day."""
    return [value for number, value in enumerate(values) if whole or number % of == int(os.environ[DAY]) % of]


SUITE = "TESTS_ARE_THE_SUITE"
"""Set while the suite runs as a whole, for the processes that it starts: tests called by their paths all run."""


SECONDS = long_tests.read()
"""How long the long tests took when they were last measured, by id without case."""


def seconds(item: pytest.Item) -> float:
    """How long the test took when it was last measured; 0 where it was short, or is new."""
    return SECONDS.get(item.nodeid.partition("[")[0], 0)


def rotates(item: pytest.Item) -> bool:
    """Whether the suite tries the test on some days only: it is marked so, or long and not marked `daily`; what its function is marked as counts before what its module is."""
    said = next((marker.name for marker in item.iter_markers() if marker.name in ("daily", "rotating")), None)
    return said == "rotating" or (said is None and seconds(item) > 0)


ROUND = 10
"""Days in which everything that rotates has run once."""


PREPARED = frozenset({"demo", "journeys"})
"""Rooms in which a file's tests share a preparation that takes longer than they do: what rotates of a file runs on one day."""


def due(items: Sequence[pytest.Item], of: int = ROUND) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """The tests of the day and those of other days: of what rotates a tenth of each test's cases, of tests without cases a tenth of them."""
    cases = dict[str, int]()
    today, others = list[pytest.Item](), list[pytest.Item]()
    for item in items:
        if whole or SUITE not in os.environ or not rotates(item):
            today.append(item)
            continue
        if item.path.parent.name in PREPARED:
            (today if crc32(item.path.name.encode()) % of == int(os.environ[DAY]) % of else others).append(item)
            continue
        test = item.nodeid.partition("[")[0]
        number = cases[test] = cases.get(test, -1) + 1
        (today if (number + crc32(test.encode())) % of == int(os.environ[DAY]) % of else others).append(item)
    return today, others
