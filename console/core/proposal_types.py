"""Requests to a proposer and its results, as values. No input or output here.

An `Ask` is complete: whoever answers it sees nothing else. It was made with the rights of one person, and what that person may not see is not in it.
Source: docs/adr/0011-proposals.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

Confidence = Literal["high", "medium", "low"]
LEVELS: tuple[Confidence, ...] = ("high", "medium", "low")

Treatment = Literal["full", "masked", "hash", "never"]
"""What of a field's value a model gets: all of it, a placeholder that stands for it, a keyed hash that only tells equal from different, or nothing."""

Code = Literal[
    "no_key",
    "timeout",
    "rate_limited",
    "overloaded",
    "auth",
    "billing",
    "bad_request",
    "model_not_found",
    "refused",
    "truncated",
    "malformed",
    "not_in_form",
    "nothing_supported",
    "budget",
    "breaker",
    "connection",
    "internal_error",
]
"""Why there is no proposal."""

Reason = Literal[
    "not_allowed",
    "duplicate",
    "wrong_type",
    "not_in_choices",
    "out_of_range",
    "too_long",
    "no_source",
    "unknown_source",
    "untrusted_source",
    "not_in_source",
    "low_confidence",
]
"""Why one proposed value was dropped."""

Flag = Literal["suspicious_content", "conflicting_sources", "stale_data"]

Kind = Literal["record", "step", "input", "related", "document", "note", "llm", "mcp"]


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field that may be proposed. `type` is one of the form's (text, long_text, integer, decimal, money, boolean, date, datetime, time, enum, multi_enum, checklist, email, phone, url, reference …).

    `options` are (value, label); `minimum` and `maximum` are texts as the form has them. `trusted_only`: a value is only taken where it stands literally
    in a trusted source that is cited. `quote`: its value stands word for word in a given source, or is none. `opaque`: the options' values are ids that a
    model never sees (it chooses among c1, c2 …). `now` is what the record holds. `finding`: it is judged anew at this step, so that what a record says of
    it under the same name is from another time. `foreign`: another system wrote the form; a value is only taken where it stands literally in a cited source.
    """

    name: str
    label: str
    type: str
    required: bool = False
    options: tuple[tuple[str, str], ...] = ()
    minimum: str | None = None
    maximum: str | None = None
    max_length: int | None = None
    help: str = ""
    treatment: Treatment = "full"
    trusted_only: bool = False
    opaque: bool = False
    now: Any = None
    finding: bool = False
    quote: bool = False
    foreign: bool = False

    @property
    def literal(self) -> bool:
        """Whether a value is only taken where it stands in a cited source."""
        return self.trusted_only or self.foreign


@dataclass(frozen=True, slots=True)
class Source:
    """Something that a proposal may rest on. `id` is s1, s2 … in the order of the prompt; `data` is JSON: field or line name → value.

    `trusted`: written by our staff or our code; what customers, other systems or models wrote is not. `treatments` say what of which name of `data` a model gets
    (absent: full). `document`, `page` and `boxes` lead to the place in a document: boxes are name → [x0, y0, x1, y1] in parts of the page (0–1, from the top left).
    `labels` are name → what people call it.
    """

    id: str
    kind: Kind
    title: str
    data: Mapping[str, Any]
    trusted: bool
    collection: str | None = None
    record: str | None = None
    step: str | None = None
    document: str | None = None
    page: int | None = None
    boxes: Mapping[str, tuple[float, float, float, float]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    treatments: Mapping[str, Treatment] = field(default_factory=dict)
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """Everything a proposer gets. `purpose` is propose, decide, check or text; `outcomes` are (value, label) of the choices of a step that asks for one.

    `threshold` is the least confidence at which a value is kept; `policy` is what the house adds to every prompt (before, after). `locale` is the person's.
    `review`: these values were proposed for the form (`outcome`: the choice) and are to be looked at critically; None where nothing was yet.
    `item` says which one of a list it is about: what it is called, and which of how many. `supported` are field (`outcome`: the choice) → the values for which a
    condition of the document holds over what our staff or our code wrote; it is in no prompt.
    """

    purpose: str
    step: str
    title: str
    type: str
    instruction: str
    fields: tuple[FieldSpec, ...] = ()
    outcomes: tuple[tuple[str, str], ...] = ()
    sources: tuple[Source, ...] = ()
    threshold: Confidence = "low"
    policy: tuple[str, str] = ("", "")
    locale: str = "en"
    review: Mapping[str, Any] | None = None
    item: Mapping[str, Any] | None = None
    supported: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Raw:
    """What a provider sent: text and how it ended. `stop` is complete, truncated, refused or other; `mode` how the form was asked for (json_schema, tool, json_object, text, rules)."""

    text: str
    stop: Literal["complete", "truncated", "refused", "other"]
    model: str
    mode: str
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Proposed:
    """One value with why. `sources` are ids of the ask's sources, `quote` the words of the first that hold it, `at` the name in its `data`; `claims`: it rests on nothing but what others wrote."""

    name: str
    value: Any
    confidence: Confidence
    reason: str
    sources: tuple[str, ...]
    at: str | None = None
    quote: str | None = None
    claims: bool = False


@dataclass(frozen=True, slots=True)
class Dropped:
    """A value that was proposed and not let through; `value` is for the call's own record, never for a page."""

    name: str
    reason: Reason
    value: Any = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What the guard lets through. `code` None: there is something; else nothing is, and why. `choice` is the proposed outcome (`name` is "outcome").

    `suspicious` are ids of sources whose text reads like instructions.
    """

    fields: tuple[Proposed, ...] = ()
    choice: Proposed | None = None
    dropped: tuple[Dropped, ...] = ()
    flags: tuple[Flag, ...] = ()
    suspicious: tuple[str, ...] = ()
    code: Code | None = None
    declined: bool = False
    why: str = ""


class ProviderError(Exception):
    """A provider did not answer with something to judge. `retry_after_s` is how long it asks to wait, None where it did not say."""

    def __init__(
        self,
        code: Code,
        detail: str = "",
        *,
        retry_after_s: float | None = None,
        passing: bool = False,
        request_id: str | None = None,
    ) -> None:
        super().__init__(detail or code)
        self.code: Code = code
        self.detail, self.retry_after_s, self.passing, self.request_id = (
            detail,
            retry_after_s,
            passing,
            request_id,
        )


class Drop(Exception):
    """A proposed value that is not let through, and why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class Provider(Protocol):
    """Translates and judges nothing."""

    name: str
    model: str

    def complete(
        self,
        system: str,
        user: str,
        schema: Mapping[str, Any],
        *,
        deadline: float,
        max_tokens: int,
        user_id: str = "",
        hear: Callable[[str], None] | None = None,
    ) -> Raw:
        """The answer. `deadline` is a moment of time.monotonic(); `hear` takes the text so far, where the endpoint sends it in parts. Raises ProviderError only."""
        ...
