"""Charts as data: a table, a caption in words, and how to draw it. The script draws from the table in the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Tone = Literal["ai", "accent", "good", "warn", "bad", "muted"]


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or one bar of each group; `values` are in the order of the labels, None for no value. `shown` are the same as words, `hrefs` their records."""

    name: str
    tone: Tone
    values: Sequence[float | None]
    shown: Sequence[str]
    hrefs: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """`labels` name the points on the axis titled `head`, `hrefs` are links for each (empty: none). `unit` follows the numbers of the axis.

    Without labels, `empty` says why there is nothing. `most` is the end of the axis; None: the largest value.
    """

    id: str
    title: str
    caption: str
    kind: Literal["line", "bar", "column"]
    head: str
    labels: Sequence[str]
    series: Sequence[Series]
    hrefs: Sequence[str] = ()
    unit: str = ""
    most: float | None = None
    empty: str = ""
