"""Answers about requests of programs to people."""

from typing import Literal

from pydantic import Field

from console.views.api.shapes.base import Anything, Moment, Open

State = Literal["open", "answered", "rejected", "expired"]


class RequestAsked(Open):
    """A request that people got."""

    id: str
    run_id: str = Field(description="The run in which they answer")
    status: State


class Request(RequestAsked):
    """A request and what became of it; while it is open without the names that have a default."""

    answer: Anything = Field(None, description="As the schema says; of a tool call its arguments as approved")
    changed: list[str] = Field(
        default_factory=list, description="Arguments of the tool call that were edited"
    )
    reason: str | None = Field(None, description="Why it was rejected")
    answered_by: str | None = Field(None, description="Id of the person")
    answered_at: Moment | None = None
    delivered_at: Moment | None = Field(None, description="When the outcome was first read")
