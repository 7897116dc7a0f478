"""What was handed in with a choice, in words: the reason first, then each field by its label, in the words that the form had for it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from console import browse
from console.monitoring.reports.tables import Given
from console.views import formats, frame
from console.views.formats import Amount, Look
from console.views.runs import effects, step_values
from console.views.runs.step_values import NOTHING, Described

REASON = "reason"
UNOPENED = formats.Kind("unopened_because", "Why it was not opened", "long_text")
OF_FORM = frozenset({"file", "files", "json", "other", "binary"})
"""Types whose values are no words."""


def look_for(cells: Iterable[Any], look: Look) -> Look:
    """Return the look with the names of the records that were chosen, as far as the reader may know them. A statement for each collection."""
    wanted: set[browse.Reference] = set()
    for cell in cells:
        if isinstance(cell, Given):
            wanted |= browse.references(
                ((kind.name, kind.references) for kind in _described(cell).kinds.values()), [cell.values]
            )
    return frame.naming(browse.names_of(frame.actor(), wanted, "read"), look) if wanted else look


def words(given: Given, look: Look) -> str:
    """Return why, in one text; empty where nothing was said."""
    return "; ".join(part.strip() for part in _parts(given, look) if part.strip())


def _parts(given: Given, look: Look) -> Iterator[str]:
    described = _described(given)
    yield given.reason
    order = {REASON: None, **described.kinds, **given.values}
    told = {name: given.values.get(name) for name in order if name in given.values}
    for name, value in told.items():
        kind = described.kinds.get(name)
        if name == UNOPENED.name:
            kind = UNOPENED
        if name in given.hidden and (kind is not None or name == REASON):
            yield f"{kind.label if kind else formats.label_of(name)}: {frame.MASKED}"
        elif formats.absent(value) or value == [] or value is False:
            continue
        elif name == REASON and (kind is None or not kind.options):
            yield str(value)
        elif (
            kind is not None
            and name in described.asked | {UNOPENED.name}
            and kind.type not in OF_FORM
            and (said := _value_words(kind, value, given, look))
        ):
            yield f"{kind.label.replace(': ', ', ')}: {said}"


def _value_words(kind: formats.Kind, value: Any, given: Given, look: Look) -> str:
    if kind.references:
        keys = value if isinstance(value, list) else [value]
        known = [look.records.get((kind.references, str(key))) for key in keys]
        return ", ".join(each.title for each in known if each is not None and not each.absent)
    code = given.currencies.get(kind.name)
    amount = (
        Amount(str(value), code.upper())
        if code and formats.is_money(kind)
        else effects.with_currency(kind, value, given.values)
    )
    return formats.text(kind, amount, look)


def _described(given: Given) -> Described:
    every: Mapping[str, Described] = (
        step_values.of_version(given.workflow, given.version) if given.version else {}
    )
    return every.get(given.step, NOTHING)
