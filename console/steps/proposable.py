"""What the AI may propose at a step: fields and choices. Anything else in an answer is ignored."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field as default, replace
from typing import Any, Protocol

from console.core.forms import NEVER_TYPED, FormField

NOT_PROPOSED = NEVER_TYPED | {"json", "array"}
MOST_PICKS = 20
TICK = "."
"""Between a tick list and one of its ticks, where each tick is asked for by itself: `flags.pep`."""
PART = "__"
"""Between an action and a field of its form, where several actions are offered: `charge__refund__amount`."""


def form_start(action: str) -> str:
    """The beginning of the names of an action's fields where several are offered."""
    return action.replace(".", PART) + PART


class Way(Protocol):
    """An offered outcome."""

    @property
    def value(self) -> str:
        """The outcome."""
        ...

    @property
    def label(self) -> str:
        """What people read."""
        ...


@dataclass(frozen=True, slots=True)
class Proposable:
    """What may be proposed. `outcomes` are (value, label). `picks` is the field that chooses a record; a model does not see the records' keys.

    `ticks` are tick lists whose ticks are proposed one by one, so that each has its own sources: name → field.
    `foreign`: another system wrote the form.
    """

    fields: tuple[FormField, ...] = ()
    outcomes: tuple[tuple[str, str], ...] = ()
    picks: str | None = None
    ticks: Mapping[str, FormField] = default(default_factory=dict)
    foreign: bool = False

    def __bool__(self) -> bool:
        """Whether anything may be proposed."""
        return bool(self.fields or self.outcomes)

    def only(self, names: Iterable[str] | None, *, outcome: bool) -> "Proposable":
        """What may be proposed of these fields alone, which the author names; None: of every field."""
        kept = None if names is None else frozenset(names)
        fields = tuple(
            field for field in self.fields if kept is None or field.name.partition(TICK)[0] in kept
        )
        ticks = {name: field for name, field in self.ticks.items() if kept is None or name in kept}
        return replace(self, fields=fields, ticks=ticks, outcomes=self.outcomes if outcome else ())


def of_form(
    fields: Sequence[FormField], outcomes: Sequence[Way] = (), one_by_one: Container[str] = ()
) -> Proposable:
    """What may be proposed for a form: the fields that a person may fill in, and the choice. `ticks` names lists to propose tick by tick.

    Amounts in cents are not proposed: a model reads 49.00 and would write 49, which is wrong by a factor of a hundred.
    """
    made: list[FormField] = []
    ticks: dict[str, FormField] = {}
    for field in fields:
        if field.readonly or field.minor or field.explains or field.type in NOT_PROPOSED:
            continue
        if field.name in one_by_one and isinstance(field.options, list):
            ticks[field.name] = field
            made += [_tick(field, option) for option in field.options]
        else:
            made.append(field)
    return Proposable(tuple(made), tuple((way.value, way.label) for way in outcomes), None, ticks)


def _tick(field: FormField, option: Mapping[str, Any]) -> FormField:
    return FormField(
        f"{field.name}{TICK}{option['value']}",
        f"{field.label}: {option['label']}",
        "boolean",
        help=field.help,
    )


def gathered(
    proposed: Sequence[Mapping[str, Any]], ticks: Mapping[str, FormField], levels: Sequence[str]
) -> list[dict[str, Any]]:
    """Proposed values in the shape of the form: single ticks become a list again, with `ticks`: reason and sources of each.

    The confidence of a list is the lowest of its ticks; `levels` start with the highest. Ticks that were proposed as not set are left out.
    """
    made: list[dict[str, Any]] = []
    lists: dict[str, list[Mapping[str, Any]]] = {}
    for each in proposed:
        name, dot, _ = str(each["name"]).partition(TICK)
        if not dot or name not in ticks:
            made.append(dict(each))
        elif each["value"] is True:
            lists.setdefault(name, []).append(each)
    return [*made, *(_list(ticks[name], found, levels) for name, found in lists.items())]


def _list(field: FormField, found: Sequence[Mapping[str, Any]], levels: Sequence[str]) -> dict[str, Any]:
    """A tick list with the reason and the sources of each tick."""
    by_value = {str(each["name"]).partition(TICK)[2]: each for each in found}
    options = [option for option in field.options if option["value"] in by_value]
    kept = [
        {**by_value[option["value"]], "value": option["value"], "label": option["label"]}
        for option in options
    ]
    sources = {source["id"]: source for each in kept for source in each.get("sources") or ()}
    level = max((each["confidence"] for each in kept), key=levels.index)
    ticks = [
        {key: each.get(key) for key in ("value", "label", "confidence", "reason", "sources")} for each in kept
    ]
    why = "; ".join(f"{each['label']}: {each['reason']}" for each in kept if each.get("reason"))
    common = {
        "name": field.name,
        "value": [each["value"] for each in kept],
        "confidence": level,
        "reason": why,
    }
    return common | {"sources": list(sources.values()), "ticks": ticks}
