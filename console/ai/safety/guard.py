"""Filters a model's answer: keeps only values for the fields of this form that fit, that a given source supports, and that no data ordered.

The order of the checks is part of the rule, because the first that fails names the reason. Nothing here trusts the model: not its ids, not its
confidence, not its flags. Pure; the same ask, answer and restore give the same judgement.
Source: docs/adr/0011-proposals.md, docs/reference/proposals.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from console.ai import answer, field_fit, grounds
from console.ai.answer import ITEM, Answer, Unreadable
from console.ai.earlier_findings import rests_on_earlier
from console.ai.prompt import offered, outcome_name
from console.ai.safety import injection_scan
from console.ai.safety.literal_quotes import Evidence
from console.ai.safety.plain_text import line, storable
from console.ai.safety.redaction import Restore
from console.core.proposal_types import (
    LEVELS,
    Ask,
    Code,
    Drop,
    Dropped,
    FieldSpec,
    Flag,
    Judged,
    Proposed,
    Raw,
    Reason,
)

FLAGS: tuple[Flag, ...] = ("suspicious_content", "conflicting_sources", "stale_data")
FORM_REASONS: frozenset[Reason] = frozenset(
    {"not_allowed", "duplicate", "wrong_type", "not_in_choices", "out_of_range", "too_long"}
)
OUTCOME = "outcome"
MOST_NAMED = 100  # dropped values that are kept for the record


@dataclass
class Case:
    """An ask with what is looked up in it again and again."""

    ask: Ask
    restore: Restore | None

    @cached_property
    def specs(self) -> Mapping[str, FieldSpec]:
        """The fields that may be proposed; the choice of the step is one of them under its own name."""
        specs = {spec.name: spec for spec in offered(self.ask)}
        if self.ask.outcomes:
            specs[self.outcome] = FieldSpec(self.outcome, "Outcome", "enum", options=self.ask.outcomes)
        return specs

    @cached_property
    def outcome(self) -> str:
        """The name under which the choice of the step is proposed."""
        return outcome_name(self.ask)

    @cached_property
    def sources(self) -> Mapping[str, Evidence]:
        """The sources given to the model: those that fitted into the prompt."""
        return {
            source.id: Evidence(source)
            for source in self.ask.sources
            if self.restore is None or source.id in self.restore.sent
        }

    @cached_property
    def suspicious(self) -> Mapping[str, injection_scan.Sign]:
        """The given sources that read like instructions."""
        return injection_scan.suspicious(self.ask, frozenset(self.sources))

    @cached_property
    def form_orders(self) -> bool:
        """Whether a form that another system wrote reads like instructions."""
        return injection_scan.suspicious_form(self.ask.fields)

    def clean(self, ids: tuple[str, ...]) -> list[Evidence]:
        """The cited sources that a value may rest on: none that gives orders; what our staff or our code wrote first."""
        cited = [self.sources[id] for id in ids if id not in self.suspicious]
        return sorted(cited, key=lambda evidence: not evidence.source.trusted)

    @cached_property
    def facts(self) -> frozenset[str]:
        """The given sources that our staff or our code wrote."""
        return frozenset(id for id, evidence in self.sources.items() if evidence.source.trusted)

    @cached_property
    def supported(self) -> Mapping[str, tuple[str, ...]]:
        """`supported` of the ask, with the choice under its own name."""
        return {
            self.outcome if name == OUTCOME and self.ask.outcomes else name: values
            for name, values in self.ask.supported.items()
        }

    def known(self, ids: tuple[str, ...]) -> grounds.Known:
        """The grounds for a value that cites these sources."""
        return grounds.Known(
            self.clean(ids),
            self.facts,
            len(self.facts) < len(self.sources)
            or any(spec.foreign and spec.help for spec in self.ask.fields),
            bool(self.suspicious) or self.form_orders,
            self.supported,
        )


def judge(ask: Ask, raw: Raw, restore: Restore | None = None) -> Judged:
    """The part of the answer that may be shown. `restore` is that of the prompt; None where the answer was made from the ask itself (by rules), with real values.

    Never raises for anything that an answer may hold.
    """
    case = Case(ask, restore)
    if raw.stop != "complete":
        return _nothing(case, {"refused": "refused", "truncated": "truncated"}.get(raw.stop, "malformed"))  # type: ignore[arg-type]
    try:
        parsed = answer.read(raw.text)
    except Unreadable as unreadable:
        return _nothing(case, unreadable.code)
    if parsed.declines:
        return _nothing(case, "nothing_supported", parsed, declined=True)
    return _judge_answer(case, parsed)


def _nothing(
    case: Case,
    code: Code,
    parsed: Answer | None = None,
    *,
    declined: bool = False,
    dropped: tuple[Dropped, ...] = (),
) -> Judged:
    why = line(parsed.reason, case.restore) if parsed is not None else ""
    return Judged(
        dropped=dropped,
        flags=_flags(case, parsed),
        suspicious=tuple(case.suspicious),
        code=code,
        declined=declined,
        why=why,
    )


def _flags(case: Case, parsed: Answer | None) -> tuple[Flag, ...]:
    """The model's flags that we know, and ours: what the scan finds is flagged whatever the model says."""
    given = set(parsed.flags) if parsed is not None else set()
    return tuple(
        flag
        for flag in FLAGS
        if flag in given or (flag == "suspicious_content" and (case.suspicious or case.form_orders))
    )


def _judge_answer(case: Case, parsed: Answer) -> Judged:
    kept: list[Proposed] = []
    dropped: list[Dropped] = []
    twice = _twice(parsed.items)
    for at, item in enumerate(parsed.items):
        try:
            kept.append(_item(case, item, duplicate=at in twice))
        except Drop as drop:
            dropped.append(_dropped(item, drop.reason))
            continue
        kept[-1], broken = grounds.references(kept[-1], case.specs[kept[-1].name], frozenset(case.sources))
        dropped += [Dropped(kept[-1].name, "unknown_source", reference) for reference in broken]
    named = tuple(dropped[:MOST_NAMED])
    if not kept:
        in_form = not dropped or any(drop.reason not in FORM_REASONS for drop in dropped)
        return _nothing(
            case, "nothing_supported" if in_form else "not_in_form", parsed, declined=True, dropped=named
        )
    fields = tuple(field for field in kept if field.name != case.outcome)
    choice = (
        next((replace(field, name=OUTCOME) for field in kept if field.name == case.outcome), None)
        if case.ask.outcomes
        else None
    )
    fields = fields if case.ask.outcomes else tuple(kept)
    return Judged(fields, choice, named, _flags(case, parsed), tuple(case.suspicious))


def _dropped(item: Any, reason: Reason) -> Dropped:
    """The stored form of a rejected value, for later inspection."""
    name = item.get("name") if isinstance(item, dict) else None
    value = item.get("value") if isinstance(item, dict) else item
    return Dropped(storable(name, 100) if isinstance(name, str) else "", reason, storable(value, 500))


def _twice(items: tuple[Any, ...]) -> set[int]:
    """Places of items whose name came before. Two different values for one field are both dropped: which is meant cannot be known."""
    places: dict[str, list[int]] = {}
    for at, item in enumerate(items):
        if isinstance(item, dict) and isinstance(item.get("name"), str):
            places.setdefault(item["name"], []).append(at)
    positions: set[int] = set()
    for same in places.values():
        values = [storable(items[at].get("value"), 500) for at in same]
        positions |= set(same[1:]) if all(value == values[0] for value in values) else set(same)
    return positions


def _item(case: Case, item: Any, *, duplicate: bool) -> Proposed:
    """One value through all checks, in their order; raises Drop."""
    name = item.get("name") if isinstance(item, dict) else None
    if isinstance(item, dict) and isinstance(name, str) and name not in case.specs:
        raise Drop("not_allowed")
    if duplicate:
        raise Drop("duplicate")
    if not _has_shape(item):
        raise Drop("wrong_type")
    spec = case.specs[item["name"]]
    value = field_fit.coerce_to_field(spec, item["value"], case.restore)
    ids = _cited(case, item["sources"])
    place = _grounded(case, spec, value, ids)
    level = grounds.level(spec, item["confidence"], value, place, case.known(ids))
    if case.form_orders or rests_on_earlier(spec, [case.sources[id].source for id in ids]):
        level = "low"
    if LEVELS.index(level) > LEVELS.index(case.ask.threshold):
        raise Drop("low_confidence")
    found_in, at, quote = place if place is not None else (ids[0], None, None)
    ordered = tuple(dict.fromkeys((found_in, *ids)))
    reason = grounds.without_false_quotes(line(item["rationale"], case.restore), list(case.sources.values()))
    claims = case.facts.isdisjoint(ordered if place is None else (found_in,))
    return Proposed(
        spec.name, grounds.as_written(spec, value, quote), level, reason, ordered, at, quote, claims
    )


def _has_shape(item: Any) -> bool:
    """Whether an item is an object of exactly the asked names, and their types are right; the value's own is checked by its field."""
    return (
        isinstance(item, dict)
        and item.keys() == ITEM
        and isinstance(item["name"], str)
        and item["confidence"] in LEVELS
        and isinstance(item["rationale"], str)
        and isinstance(item["sources"], list)
    )


def _cited(case: Case, given: list[Any]) -> tuple[str, ...]:
    """The cited ids, each once; raises Drop where there is none, or one that was not given."""
    if not given:
        raise Drop("no_source")
    if not all(isinstance(id, str) and id in case.sources for id in given):
        raise Drop("unknown_source")
    return tuple(dict.fromkeys(given))


def _grounded(case: Case, spec: FieldSpec, value: Any, ids: tuple[str, ...]) -> tuple[str, str, str] | None:
    """(source, name in its data, quote) where the value stands; None where nothing has to stand anywhere. Raises Drop."""
    trusted = [evidence for evidence in case.clean(ids) if evidence.source.trusted]
    if spec.trusted_only and not trusted:
        raise Drop("untrusted_source")
    clean = case.clean(ids)
    if not clean:
        raise Drop("untrusted_source")
    everywhere = [evidence for evidence in case.sources.values() if evidence.source.trusted]
    return next(
        (
            (id, place.at, place.quote)
            for id, place in grounds.support(spec, value, trusted if spec.trusted_only else clean, everywhere)
        ),
        None,
    )
