"""Charts as data: what a table says, a caption in words, and how it is drawn. The script draws from the table that stands in the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Tone = Literal["ai", "accent", "good", "warn", "bad", "muted"]


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or one bar of each group; `values` in the order of the labels, None where there is nothing. `shown` are the same as words."""

    name: str
    tone: Tone
    values: Sequence[float | None]
    shown: Sequence[str]


@dataclass(frozen=True, slots=True)
class Chart:
    """`labels` name the points along the axis headed `head`, `hrefs` lead to what is behind each (empty: nowhere). `unit` stands after the numbers of the axis.

    Without labels `empty` says why there is nothing. `most` is where the axis ends, None: where the values do.
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
