"""Proposals without a model: a value that exactly one source holds under the field's own name. Needs no key or network; the baseline for models."""

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from console.ai.earlier_findings import is_earlier, normalise_name
from console.ai.prompt import outcome_name
from console.core import forms
from console.core.proposal_types import Ask, FieldSpec, Raw, Source
from console.steps.proposable import PART

NAME = "rules"
NUMBERS = frozenset({"decimal", "money"})
NOT_SIMPLE = frozenset({"json", "array", "binary", "file", "files", "other", "checklist"})
TOLD_HERE = frozenset({"step", "input"})
TELLS_OF_ITSELF = frozenset(
    {
        "status",
        "state",
        "reason",
        "note",
        "notes",
        "comment",
        "comments",
        "remark",
        "remarks",
        "description",
        "message",
        "outcome",
        "decision",
        "result",
        "amount",
        "price",
        "sum",
        "total",
    }
)
"""What a record says under these names is about itself, not about what is decided in this step; what another step said may be meant."""
TELLS_OF_ANYTHING = frozenset(
    {
        "id",
        "key",
        "name",
        "title",
        "label",
        "type",
        "kind",
        "category",
        "date",
        "time",
        "createdat",
        "updatedat",
        "version",
        "text",
        "value",
        "email",
        "phone",
        "address",
        "country",
        "city",
    }
)
"""Every other record has these: of a related one they belong to somebody else."""


@dataclass(frozen=True, slots=True)
class Config:
    """Rules need nothing."""

    name = NAME
    model = NAME
    fingerprint = NAME


@dataclass(frozen=True, slots=True)
class _Found:
    source: Source
    key: str
    value: Any


def answer(ask: Ask) -> Raw:
    """The same JSON that a model is asked for, with real values. A decision is never proposed; of several actions the only one that fits."""
    form = _Form(ask)
    fields = [_item(spec, certain) for spec in ask.fields if (certain := _certain(form, spec))]
    fields += _only_action(ask) if ask.purpose == "propose" else []
    proposal = {
        "decision": "propose" if fields else "decline",
        "decline_reason": "" if fields else "No source holds a value under the name of a field of this form.",
        "flags": [],
        "fields": fields,
    }
    return Raw(text=json.dumps(proposal, ensure_ascii=False), stop="complete", model=NAME, mode=NAME)


def _only_action(ask: Ask) -> list[dict[str, Any]]:
    """The only action that is possible now, or the only one whose condition in the document holds; empty where several fit."""
    held = ask.supported.get("outcome")
    fitting = [value for value, _ in ask.outcomes if held is None or value in held]
    source = next((each for each in ask.sources if each.trusted), None)
    if len(fitting) != 1 or source is None:
        return []
    why = "Its condition holds, and that of no other." if held else "No other is possible now."
    return [
        {
            "name": outcome_name(ask),
            "value": fitting[0],
            "confidence": "high",
            "rationale": why,
            "sources": [source.id],
        }
    ]


class _Form:
    """Which names stand for which field. A name goes before a label, and a label that two fields bear stands for neither."""

    def __init__(self, ask: Ask) -> None:
        self.sources = ask.sources
        self.names = {normalise_name(_own_name(spec)) for spec in ask.fields}
        self.labels = Counter(normalise_name(spec.label) for spec in ask.fields)

    def wanted(self, spec: FieldSpec) -> set[str]:
        """The names under which a value of this field may stand."""
        label = normalise_name(spec.label)
        fits = self.labels[label] == 1 and label not in self.names
        return {normalise_name(_own_name(spec)), *([label] if fits else [])} - {""}

    def said(self, source: Source, key: str) -> set[str]:
        """The names that a value of a source bears: its key, and what people call it unless the key is a field's own name."""
        name = normalise_name(key)
        label = normalise_name(source.labels.get(key, ""))
        names = {name} if name in self.names else {name, label}
        return names - _vague(source)


def _own_name(spec: FieldSpec) -> str:
    """The name of the field in its own form, where several actions are offered."""
    return spec.name.rpartition(PART)[2]


def _vague(source: Source) -> frozenset[str]:
    """The names under which this source says nothing about the form of this step."""
    if source.kind in TOLD_HERE:
        return frozenset()
    return TELLS_OF_ITSELF if source.kind == "record" else TELLS_OF_ITSELF | TELLS_OF_ANYTHING


def _item(spec: FieldSpec, certain: _Found) -> dict[str, Any]:
    label = certain.source.labels.get(certain.key, spec.label)
    return {
        "name": spec.name,
        "value": certain.value,
        "confidence": "high",
        "rationale": f"{label}: stands so in {certain.source.title}.",  # a label in quotation marks would be taken for a quote
        "sources": [certain.source.id],
    }


def _certain(form: _Form, spec: FieldSpec) -> _Found | None:
    """The one value that stands under this name, None where there is none, where two sources differ, or where it only says what the record holds already."""
    if spec.treatment not in {"full", "masked"} or spec.type in NOT_SIMPLE:
        return None
    candidates = sorted(_same_name(form, spec), key=lambda each: not each.source.trusted)
    values = {_key(spec, each.value) for each in candidates}
    return candidates[0] if len(values) == 1 and candidates[0].value is not None else None


def _same_name(form: _Form, spec: FieldSpec) -> Iterator[_Found]:
    """Each place with a value under the field's name or label, fit for the field or not: one that does not fit makes the others doubtful."""
    wanted = form.wanted(spec)
    now = _key(spec, fitting(spec, spec.now))
    for source in form.sources:
        if spec.trusted_only and not source.trusted:
            continue
        for key, value in source.data.items():
            if (
                forms.is_empty(value)
                or source.treatments.get(key) == "never"
                or is_earlier(spec, source, key)
            ):
                continue
            if not wanted & form.said(source, key):
                continue
            fit = fitting(spec, value)
            if fit is None or _key(spec, fit) != now:
                yield _Found(source, key, fit)


def _key(spec: FieldSpec, value: Any) -> str:
    """A text that is equal for values that mean the same: 12.5 and 12.50 have one."""
    if spec.type in NUMBERS and isinstance(value, str):
        return str(Decimal(value).normalize())
    return json.dumps(value, sort_keys=True)


def fitting(spec: FieldSpec, value: Any) -> Any:
    """The value as the form keeps it, None where the field does not take it. A label stands for its choice."""
    if isinstance(value, float):
        value = f"{Decimal(repr(value)):f}" if math.isfinite(value) else None
    if (
        isinstance(value, int)
        and not isinstance(value, bool)
        and (spec.type in NUMBERS or spec.type == "reference")
    ):
        value = str(value)
    options: Any = None
    if spec.options:
        options = [{"value": choice, "label": label} for choice, label in spec.options]
        if isinstance(value, str):
            value = next(
                (
                    choice
                    for choice, label in spec.options
                    if value.strip().casefold() in {choice.casefold(), label.casefold()}
                ),
                value,
            )
    field = forms.FormField(
        spec.name,
        spec.label,
        spec.type,
        options=options,
        min=spec.minimum,
        max=spec.maximum,
        max_length=spec.max_length,
    )
    try:
        fitted = forms.cleaned(field, value)
    except (forms.Wrong, KeyError, TypeError, ValueError):
        return None
    return None if forms.is_empty(fitted) else fitted
