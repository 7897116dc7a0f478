"""Answers about questions that were asked about a run."""

from typing import Literal

from pydantic import Field

from console.views.api.shapes.base import Moment, Open, Shape


class SentenceSource(Open):
    """Where the sentence stands: a value of a record, a step, or a place in a document."""

    id: str
    kind: str
    title: str
    label: str = Field(description="Of the field; where it is none, the title")
    quote: str | None = Field(description="The words there")


class SourcedSentence(Shape):
    """A sentence of an answer; found by search it is the place itself."""

    text: str
    sources: list[SentenceSource]


class CaseQuestion(Shape):
    """A question about a run, and its answer as far as it has arrived."""

    id: str
    at: Moment
    question: str
    status: Literal["pending", "ready"]
    sentences: list[SourcedSentence]
    found: bool = Field(
        description="Whether anything was found; `ready` without it: the case says nothing about that"
    )
    by: Literal["model", "search"] | None
    why: str | None = Field(description="Why no model answered")
