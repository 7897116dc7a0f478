"""A part of many cases that are alike, another part each day, so that each is tried every few days; all of them with `--whole`.

For what one mechanism answers for many cases: values, addresses, points at which a process dies. Not for what only one case proves.
"""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

T = TypeVar("T")

DAY = "TESTS_OF_DAY"
os.environ.setdefault(DAY, str(datetime.now(UTC).date().toordinal()))  # every process of a run has the same, past midnight too
whole = False
"""Whether all are tried; set by `--whole`."""


def sampled(values: Sequence[T], of: int = 3) -> list[T]:
    """Every third of the values (`of`), beginning with that of the day."""
    return [value for number, value in enumerate(values) if whole or number % of == int(os.environ[DAY]) % of]
