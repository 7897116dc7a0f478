"""The evidence for a proposed value: its places in the cited sources, and the confidence."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from console.ai.safety import literal_quotes, written_values
from console.ai.safety.literal_quotes import Evidence, Place
from console.core.proposal_types import LEVELS, Confidence, Drop, FieldSpec, Proposed

REFERENCE = re.compile(r"\s?\[(s\d{1,6})\]")
MOST_PLACES = 4  # decimals of a source that a value takes over
MOST_FACTS = 300  # in one text; what has more is no answer to a form
OUTSIDE = frozenset({"url", "email", "phone", "code"})
TEXTS = frozenset({"text", "long_text"})
ANY = "*"
"""A condition that is met for a field as such, whatever its value."""
LEAST_QUOTED = 3  # words between marks from which they are a quote
MARKS = "\"'“”„‟‘’«»"
LEFT_OUT = "(quote left out: it stands in no source)"
_QUOTED = re.compile(r"[“„«\"]([^“”„«»\"\n]{8,600})[”“»\"]")


Stood: TypeAlias = tuple[str, str, str]
"""(source, name in its data, quote)."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a value may rest on. `cited` are the sources it names that give no orders, `facts` the ids of all that our staff or our code wrote.

    `claims`: something that others wrote was given, be it the help of a field; `orders`: some of that reads like instructions; `supported` is that of the ask.
    """

    cited: Sequence[Evidence]
    facts: frozenset[str]
    claims: bool
    orders: bool
    supported: Mapping[str, tuple[str, ...]]

    def supports(self, name: str, value: Any) -> bool:
        """Whether the document's own condition holds for this value of this field, and a fact was cited beside it."""
        if not any(evidence.source.trusted for evidence in self.cited):
            return False
        if name in self.supported:
            entries = value if isinstance(value, list) else [value]
            held = self.supported[name]
            return bool(entries) and all(
                ANY in held or (str(entry).lower() if isinstance(entry, bool) else str(entry)) in held
                for entry in entries
            )
        of_list, dot, tick = name.rpartition(".")
        return bool(dot) and value is True and tick in self.supported.get(of_list, ())


def support(
    spec: FieldSpec, value: Any, cited: Sequence[Evidence], trusted: Sequence[Evidence]
) -> Iterator[tuple[str, Place]]:
    """(source, place) where the value stands, best first; empty for a judgement, which stands nowhere. Raises Drop.

    Numbers, identifiers, days and addresses stand literally in a cited source, and so does everything in a `literal` field (of one of `trusted_only`
    only trusted sources are `cited`). In drafts, links and addresses come from any of the `trusted` sources.
    """
    if spec.options:
        return _choices(spec, value, cited)
    if spec.quote:
        place = _place("text", str(value).strip().strip(MARKS), spec, cited)
        if place is None:
            raise Drop("not_in_source")
        return iter([place])
    if spec.type == "long_text" and not spec.literal:
        _draft(str(value), trusted)
        return _somewhere(spec, value, cited)
    entries = value if isinstance(value, list) else [value]
    kind = literal_quotes.KINDS.get(spec.type, "text")
    places = [_place(kind, entry, spec, cited) for entry in entries]
    if kind == "boolean" and not spec.literal:
        return iter([place for place in places if place is not None])
    if kind == "text" and not spec.literal:
        for entry, place in zip(entries, places, strict=True):
            if place is None:
                _facts(str(entry), cited, trusted)
            else:
                _links(str(entry), trusted)
        return iter([place for place in places if place is not None])
    if None in places:
        raise Drop("not_in_source")
    return iter([place for place in places if place is not None])


def _place(
    kind: literal_quotes.ValueKind, value: Any, spec: FieldSpec, cited: Sequence[Evidence]
) -> tuple[str, Place] | None:
    for evidence in cited:
        if (place := evidence.place(kind, value, name=spec.name)) is not None:
            return evidence.source.id, place
    return None


def _choices(spec: FieldSpec, value: Any, cited: Sequence[Evidence]) -> Iterator[tuple[str, Place]]:
    """Choices are judgements; in a `literal` field each stands in a source by its value or its label."""
    labels = dict(spec.options)
    places = []
    for entry in value if isinstance(value, list) else [value]:
        place = _place("text", entry, spec, cited) or _place("text", labels.get(entry), spec, cited)
        if place is None and spec.literal:
            raise Drop("not_in_source")
        places += [place] if place is not None else []
    return iter(places)


def _somewhere(spec: FieldSpec, value: Any, cited: Sequence[Evidence]) -> Iterator[tuple[str, Place]]:
    place = _place("text", value, spec, cited)
    return iter([place] if place is not None else [])


def _draft(text: str, trusted: Sequence[Evidence]) -> None:
    """Raises Drop for a link, address, account or phone number that stands in no trusted source: a draft must lead nobody elsewhere."""
    for fact in _facts_of(text):
        if fact.kind in OUTSIDE and not _is_in_sources(fact, trusted):
            raise Drop("untrusted_source")


def _links(text: str, trusted: Sequence[Evidence]) -> None:
    """Raises Drop for a link in words that people read, unless a trusted source has it."""
    for fact in _facts_of(text):
        if fact.kind == "url" and not _is_in_sources(fact, trusted):
            raise Drop("untrusted_source")


def _facts(text: str, cited: Sequence[Evidence], trusted: Sequence[Evidence]) -> None:
    """Raises Drop where something in a text that can be checked stands in no cited source."""
    for fact in _facts_of(text):
        if not _is_in_sources(fact, cited):
            raise Drop("not_in_source")
    _links(text, trusted)


def _facts_of(text: str) -> list[literal_quotes.Fact]:
    facts = literal_quotes.facts(text)
    if len(facts) > MOST_FACTS:
        raise Drop("not_in_source")
    return facts


def _is_in_sources(fact: literal_quotes.Fact, evidences: Sequence[Evidence]) -> bool:
    return any(
        evidence.place(fact.kind, value) is not None for evidence in evidences for value in fact.values
    )


def level(spec: FieldSpec, stated: Confidence, value: Any, place: Stood | None, known: Known) -> Confidence:
    """The confidence that is shown: what the model said, and no more than the value's grounds carry, whatever it said."""
    return max(stated, _most(spec, value, place, known), key=LEVELS.index)


def _most(spec: FieldSpec, value: Any, place: Stood | None, known: Known) -> Confidence:
    """How sure this can be at most. What others wrote is a claim: it lifts nothing above low. A model that read a claim may be swayed without a trace."""
    if spec.options or spec.type == "boolean":
        return _most_of_choice(spec, value, known)
    if place is not None and place[0] not in known.facts:
        return "low"
    if spec.type in TEXTS and known.claims and not spec.quote:
        own = (
            place is not None
            and _whole(spec, value, known.cited)
            and (place[1] == spec.name or _is_code(str(value)))
        )
        return "high" if own else "low"
    return "high" if place is not None or not known.claims else "low"


def _most_of_choice(spec: FieldSpec, value: Any, known: Known) -> Confidence:
    """High where a condition of the document holds, medium where a trusted fact says the same or nobody outside had a word, else low."""
    if known.orders or not known.cited:
        return "low"
    if known.supports(spec.name, value):
        return "high"
    return "medium" if not known.claims or _whole(spec, value, known.cited) else "low"


def _whole(spec: FieldSpec, value: Any, cited: Sequence[Evidence]) -> bool:
    """Whether each of the values is all that stands in some line of a trusted source; a yes or no in the line of its own name."""
    labels = dict(spec.options)
    name = spec.name.rpartition(".")[2]
    lines = [line for evidence in cited if evidence.source.trusted for line in evidence.lines]
    if spec.type == "boolean":
        return any(line.at == name and line.value is value for line in lines)
    held = {line.folded.strip() for line in lines}
    entries = value if isinstance(value, list) else [value]
    return bool(entries) and all(
        {_folded(entry), _folded(labels.get(entry))} & held - {""} for entry in entries
    )


def _is_code(text: str) -> bool:
    """Whether a text is an identifier, which stands for one thing wherever it stands."""
    return any(sign.isdigit() for sign in text) and not any(sign.isspace() for sign in text)


def _folded(value: Any) -> str:
    return "" if value is None else literal_quotes.Line("", value, "").folded.strip()


def without_false_quotes(text: str, given: Sequence[Evidence]) -> str:
    """A text for people without passages between quotation marks that stand in no given source word for word."""

    def kept(match: re.Match[str]) -> str:
        quote = match[1].strip()
        if len(quote.split()) < LEAST_QUOTED or any(
            evidence.place("text", quote.rstrip(".,;:!?… ")) is not None for evidence in given
        ):
            return match[0]
        return LEFT_OUT

    return _QUOTED.sub(kept, text)


def as_written(spec: FieldSpec, value: Any, quote: str | None) -> Any:
    """A decimal with as many places as its source has: JSON numbers lose the zeros of 49.00."""
    if spec.type not in {"decimal", "money"} or quote is None or len(quote.partition(".")[2]) > MOST_PLACES:
        return value
    read = written_values.decimal(quote)
    return f"{read:f}" if read is not None and read == written_values.decimal(value) else value


def references(proposed: Proposed, spec: FieldSpec, given: frozenset[str]) -> tuple[Proposed, list[str]]:
    """(the proposal without references such as [s9] that lead nowhere, those references); only long texts refer to sources."""
    if spec.type != "long_text" or not isinstance(proposed.value, str):
        return proposed, []
    broken = [id for id in REFERENCE.findall(proposed.value) if id not in given]
    if not broken:
        return proposed, []
    text = REFERENCE.sub(lambda match: match[0] if match[1] in given else "", proposed.value)
    return replace(proposed, value=text), [f"[{id}]" for id in dict.fromkeys(broken)]
