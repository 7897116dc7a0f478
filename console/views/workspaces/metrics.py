"""Metrics in words: the figure or percentage, how it changed, and how near it is to its objective."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from math import floor
from typing import Any

from console.core.documents.workspaces import Metric
from console.formats import Kind, Look
from console.views import formats
from console.views.workspaces import charts
from console.views.workspaces.charts import Figure, Goal
from console.workspaces import Figures


def metric(item: Metric, found: Figures, words: str, look: Look) -> Figure:
    """The metric as it is drawn; `words` stand under it in place of how it changed."""
    if found.of is None:
        currency, value = charts.main_amount(item, found)
        measured = None if item.measure in ("count", "distinct") else found.measured
        made, reached = charts.figure(item, found, words, look), charts.whole_units(value, measured, currency)
    else:
        made, reached = _percentage(item, found, found.of, words, look)
    return (
        made
        if item.target is None
        else replace(made, goal=_goal(item, Decimal(item.target), reached, found, look))
    )


def _percentage(
    item: Metric, part: Figures, whole: Figures, words: str, look: Look
) -> tuple[Figure, float | None]:
    """The percentage of the part, in the currency of which there is most."""
    currency, all_of_it = charts.main_amount(item, whole)
    value = next((amount for each, amount in part.total if each == currency), 0)
    percent = _percent(value, all_of_it)
    lines = [
        next((values for _, each, values in of.series if each in (currency, None)), ())
        for of in (part, whole)
    ]
    parts = lines[0] or [0] * len(lines[1])
    line = [_percent(each, of) for each, of in zip(parts, lines[1], strict=False)]

    def counted(each: Any, of: Any) -> str:
        return " of ".join(
            charts.figure_text(whole.measured, amount, currency, look, item.measure)
            for amount in (each or 0, of or 0)
        )

    table = [
        (
            formats.period_words(key, item.period, look, now=key == whole.keys[-1]),
            f"{_words(share, look)}, {counted(each, of)}",
        )
        for key, share, each, of in zip(whole.keys, line, parts, lines[1], strict=False)
    ]
    change, tone = _change(item, line, look)
    drawn = Figure(
        charts.metric_name(item, whole),
        _words(percent, look),
        counted(value, all_of_it),
        words or change,
        "" if words else tone,
        charts.spark([each or Decimal(0) for each in line]) if len(line) > 1 else None,
        charts.metric_address(item, part),
        table,
    )
    return drawn, None if percent is None else float(percent)


def _percent(part: Any, whole: Any) -> Decimal | None:
    """The part in per cent; None of nothing."""
    out_of = charts.decimal_of(whole)
    return 100 * charts.decimal_of(part) / out_of if out_of else None


def _words(percent: Decimal | None, look: Look) -> str:
    """With one decimal below 10 per cent and above 90, where it tells much from little."""
    if percent is None:
        return "–"
    plain = 10 <= percent <= 90 or percent == percent.to_integral_value()
    return (
        f"{formats.text(Kind('percent', '', 'decimal'), format(percent, '.0f' if plain else '.1f'), look)} %"
    )


def _change(item: Metric, line: Sequence[Decimal | None], look: Look) -> tuple[str, str]:
    if len(line) < 2:
        return "", ""
    now, before = line[-1], line[-2]
    this, before_it = charts.period_names(item.period)
    last = f"{_words(before, look)} {before_it}"
    words = f"{_words(now, look)} {this}, {last}" if item.whole else f"{this} so far, {last}"
    if item.good == "none" or now is None or before is None or now == before:
        return words, ""
    return words, "good" if (now > before) == (item.good == "up") else "warn"


def _goal(item: Metric, objective: Decimal, reached: float | None, found: Figures, look: Look) -> Goal:
    """How near the figure is to the objective; where less is better it is the most that there should be."""
    text, target = format(objective, "f"), float(objective)
    currency = charts.main_amount(item, found.of or found)[0]
    said = (
        f"{text} %"
        if found.of is not None
        else charts.in_units(found.measured, text, currency, look, item.measure)
    )
    if currency and sum(amount is not None for _, amount in (found.of or found).total) > 1:
        said = f"{said}, of what is in {currency} alone"
    if reached is None and (
        found.of is not None or item.measure != "sum"
    ):  # the average or the percentage of nothing
        return Goal(f"{'At most' if item.good == 'down' else 'Objective'} {said}", 0, "")
    share = (
        0 if reached is None else max(0, floor(100 * reached / target))
    )  # what is short of the objective is never said to be all of it
    filled = min(100, share)
    if item.good == "down":
        kept = reached is None or reached <= target
        return Goal(f"At most {said}: {'kept' if kept else 'over it'}", filled, "good" if kept else "warn")
    done = reached is not None and reached >= target
    below = f"{_points(target - (reached or 0))} below" if found.of is not None else f"{share} % of it"
    return Goal(f"Objective {said}: {'reached' if done else below}", filled, "good" if done else "")


def _points(by: float) -> str:
    """A difference of percentages."""
    return "1 point" if round(by) == 1 else f"{round(by)} points" if by >= 1 else "less than 1 point"
