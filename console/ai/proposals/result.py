"""The result of a call as stored in the run: the event's open part and its sealed part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from console.ai.proposals import absence_words, field_labels
from console.ai.proposals.context import Built
from console.ai.safety import injection_scan
from console.core.proposal_types import Code, Judged, Proposed, Raw, Source

RULES = "rules"


@dataclass(frozen=True, slots=True)
class CallFacts:
    """Facts recorded about every call. `asked`: a provider was asked."""

    provider: str | None = None
    model: str | None = None
    raw: Raw | None = None
    ms: int | None = None
    cost: Decimal | None = None
    price_version: str | None = None
    prompt_version: str | None = None
    prompt_sha256: str | None = None
    request_id: str | None = None
    from_cache: bool = False
    tries: int = 0
    mode: str = "assist"

    def open(self) -> dict[str, Any]:
        """The part that anybody who reads the log may see: numbers, names and hashes."""
        raw = self.raw
        usage = (
            {"input": raw.input_tokens, "cached": raw.cached_tokens, "output": raw.output_tokens}
            if raw
            else {}
        )
        return {
            "origin": RULES if self.provider == RULES else self.model,
            "provider": self.provider,
            "model": self.model,
            "mode": self.mode,
            "usage": usage if self.provider != RULES else {},
            "ms": self.ms,
            "cost": None if self.cost is None else f"{self.cost:f}",
            "price_version": self.price_version,
            "prompt_version": self.prompt_version,
            "schema_mode": raw.mode if raw else None,
            "prompt_sha256": self.prompt_sha256,
            "request_id": raw.request_id if raw else self.request_id,
            "from_cache": self.from_cache,
            "tries": self.tries,
        }


@dataclass(frozen=True, slots=True)
class Result:
    """An answer for `runs.record_answer`."""

    kind: Literal["proposal_made", "proposal_failed"]
    open: Mapping[str, Any]
    sealed: Mapping[str, Any] = field(default_factory=dict)


def off(message: str, code: Code | None = None, facts: CallFacts | None = None) -> Result:
    """The result if no model was asked, though nothing went wrong."""
    return Result(
        "proposal_failed",
        {**(facts or CallFacts()).open(), "status": "off", "code": code, "flags": [], "dropped": []},
        {"message": message},
    )


def failed(
    code: Code,
    message: str,
    facts: CallFacts,
    judged: Judged | None = None,
    warning: str | None = None,
    warned: Sequence[Mapping[str, Any]] = (),
) -> Result:
    """There is no proposal, and why; `warning` names where text reads like instructions, `warned` are these sources."""
    status = "declined" if judged is not None and judged.declined else "failed"
    more = {
        "status": status,
        "code": code,
        "flags": list(judged.flags) if judged else [],
        "dropped": dropped(judged) if judged else [],
    }
    named = {"suspicious": list(judged.suspicious)} if judged and judged.suspicious else {}
    sealed = (
        {"message": message}
        | ({"banner": warning} if warning else {})
        | ({"warned": list(warned)} if warned else {})
    )
    return Result("proposal_failed", {**facts.open(), **more, **named}, sealed)


def result_of(judged: Judged, built: Built, facts: CallFacts) -> Result:
    """The proposal."""
    fields = [_field(each, built) for each in judged.fields]
    choice = _field(judged.choice, built) if judged.choice is not None else None
    opened = {
        **facts.open(),
        "fields": [each["name"] for each in fields],
        "outcome": choice["value"] if choice else None,
        "flags": list(judged.flags),
        "dropped": dropped(judged),
        "suspicious": list(judged.suspicious),
    }
    about = {name: choice[name] for name in ("confidence", "reason", "sources")} if choice else None
    return Result(
        "proposal_made",
        opened,
        {
            "proposal": {
                "fields": fields,
                "choice": about,
                "banner": banner(judged, built),
                "warned": warned_of(judged, built),
            }
        },
    )


def banner(judged: Judged, built: Built) -> str | None:
    """The warning that names where text reads like instructions; None where none does."""
    if "suspicious_content" not in judged.flags:
        return None
    return absence_words.banner([built.titles.get(source, source) for source in judged.suspicious])


def warned_of(judged: Judged, built: Built) -> list[dict[str, Any]]:
    """The sources whose text reads like instructions, each with the place and the words, as far as one field holds them."""
    return [_warned(built.sources[source], built) for source in judged.suspicious if source in built.sources]


def _warned(source: Source, built: Built) -> dict[str, Any]:
    at, quote = injection_scan.place(built.ask, source)
    return source_json(source, built, at, quote)


def dropped(judged: Judged) -> list[dict[str, str]]:
    """The rejected proposals by field name and reason, without values."""
    return [{"name": each.name[:200], "reason": each.reason} for each in judged.dropped]


def _field(proposed: Proposed, built: Built) -> dict[str, Any]:
    sources = [
        _source(proposed, each, built, first=not number) for number, each in enumerate(proposed.sources)
    ]
    return {
        "name": proposed.name,
        "value": proposed.value,
        "confidence": proposed.confidence,
        "reason": proposed.reason,
        "sources": sources,
    }


def _source(proposed: Proposed, source_id: str, built: Built, *, first: bool) -> dict[str, Any]:
    """A source with the place in it that holds the value, as far as that is known."""
    source = built.sources[source_id]
    at = proposed.at if first and proposed.at in source.data else None
    return source_json(source, built, at, proposed.quote if first else None)


def source_json(source: Source, built: Built, at: str | None, quote: str | None) -> dict[str, Any]:
    """The source as it is kept with what rests on it: its place, and the words there."""
    box = source.boxes.get(at) if at is not None else None
    return {
        "id": source.id,
        "kind": source.kind,
        "title": built.titles.get(source.id, source.title),
        "collection": source.collection,
        "record": source.record,
        "field": at,
        "label": _label(source, built, at) if at is not None else None,
        "step": source.step,
        "document": source.document,
        "page": source.page,
        "box": None if box is None else [f"{side:.4f}" for side in box],
        "quote": quote,
        "trusted": source.trusted,
    }


def _label(source: Source, built: Built, name: str) -> str:
    """The label of the source's field that holds the value."""
    step = (
        next((each for each in built.document.steps if each.id == source.step), None)
        if built.document and source.step
        else None
    )
    return source.labels.get(name) or field_labels.of_step(built.document, step, name)


def late(facts: CallFacts, seconds: float) -> Result:
    """The time was up."""
    return failed("timeout", absence_words.message("timeout", seconds), replace(facts, raw=None))
