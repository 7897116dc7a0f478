"""Events of the log, a run as it was, and calls to the AI."""

from typing import Literal

from pydantic import Field

from console.views.api.shapes.base import Anything, Cursor, Moment, Shape
from console.views.api.shapes.records import Record
from console.views.api.shapes.runs import Run


class EventActor(Shape):
    """Who did it."""

    kind: Literal["user", "key", "system", "webhook"]
    id: str
    name: str | None


class Event(Shape):
    """An event of the log."""

    n: int | None = Field(description="Its number in the run")
    pos: int | None = Field(description="Its place in the whole log, null for the first second")
    id: str
    kind: str
    created_at: Moment = Field(alias="createdAt")
    run: str | None
    step: str | None
    attempt: int | None
    actor: EventActor
    address: str | None = Field(
        description="From where a person or a key acted; null for the engine, and where it was erased"
    )
    team: str | None
    collection: str | None
    record: str | None
    sentence: str = Field(description="The event in words")
    data: dict[str, Anything]
    leaf: str = Field(description="Its hash")
    masked: list[str] = Field(description="Paths of what was left out for this reader")


class Screen(Shape):
    """What was on the screen."""

    record: Record | None
    content: list[dict[str, Anything]] | None = Field(
        None, description="Data of the blocks that the step showed, as `current.content` of a run"
    )


class Looked(Shape):
    """A document beside a run, and which of its pages were opened by then."""

    document: str
    title: str
    pages: int | None = Field(description="How many it has, where that is known")
    opened: list[int]
    never_opened: list[int] | None = Field(description="null: not known, because nobody opened it")


class Replay(Shape):
    """The run as it was answered after event `at`."""

    at: int
    last: int
    run: Run
    event: Event
    screen: Screen
    read_only: Literal[True]
    masked: list[str]
    documents: list[Looked] = Field(description="Documents beside the run, those of its records as of today")


class ActivityPage(Shape):
    """A page of the activity log, newest first."""

    data: list[Event]
    has_more: bool = Field(alias="hasMore")
    next: Cursor
    archived: list[str] = Field(
        description="Months (2026-03) of which only results and decisions are listed; exports have every event"
    )


class AiCall(Shape):
    """A call to the AI. `status` is pending until it was answered, off where nobody was asked; `code` says why there is no proposal.

    `handled_manually`, `submitted_at`, `seconds` (from the proposal to handing in) and `opened` (sources opened before) say what became of it.
    """

    id: str
    at: Moment
    run: str | None
    step: str | None
    attempt: int | None
    workflow: str | None
    version: int | None
    team: str | None
    person: str | None
    purpose: str
    provider: str | None
    model: str | None
    ms: int | None
    status: Literal["pending", "ok", "declined", "failed", "off"]
    code: str | None
    flags: list[str]
    mode: Literal["shadow", "assist", "blind", "auto"]
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    cost: str | None
    price_version: str | None
    prompt_version: str | None
    schema_mode: str | None
    prompt_sha256: str | None
    request_id: str | None
    from_cache: bool
    answered_at: Moment | None
    outcome: str | None
    submitted_at: Moment | None
    submitted_by: str | None
    submitted_outcome: str | None
    handled_manually: bool | None
    seconds: str | None
    opened: int | None
