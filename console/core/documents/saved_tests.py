"""Tests that are kept with a workflow: what a tester answers, how changes outside end, and what is expected then. A dry run is given the same words."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from console.core.documents.document_parts import Part, Title, sorted_keys

MOST_TESTS = 100
MOST_PLACES = 500
MOST_ATTEMPTS = 200
WITHIN = "/"
"""Stands between a step and a step of the other workflow that it runs: `pay/confirm`."""


class ChosenAnswer(Part):
    """What a person answers at a step. In a step that goes through a list, `values` may name the `item`; without it, it counts for whichever is next."""

    values: dict[str, Any] = Field(default_factory=dict, description="Field of the form to its value")
    outcome: str | None = Field(
        None, max_length=64, description="What is chosen: an outcome of the step, or what others answered"
    )
    approval: Literal["approved", "rejected"] | None = Field(
        None, description="What others say where the step needs an approval"
    )


class ChosenEnding(Part):
    """How what the step does outside ends."""

    outcome: Literal["succeeded", "failed", "unknown"]
    result: dict[str, Any] | None = Field(
        None, description="What comes back, as later steps find it; of a message also its `outcome`"
    )


def _spelled_out(given: Any) -> Any:
    return {"outcome": given} if isinstance(given, str) else given


ONE, MANY = "dict[one]", "list[many]"
"""Tags of the two forms; errors leave them out of the place that they name."""


def _form(given: Any) -> str:
    return MANY if isinstance(given, list | tuple) else ONE


EndingText = Annotated[ChosenEnding, BeforeValidator(_spelled_out)]
AnswerOrList = Annotated[
    Annotated[ChosenAnswer, Tag(ONE)]
    | Annotated[list[ChosenAnswer], Field(max_length=MOST_ATTEMPTS), Tag(MANY)],
    Discriminator(_form),
]
EndingOrList = Annotated[
    Annotated[EndingText, Tag(ONE)] | Annotated[list[EndingText], Field(max_length=MOST_ATTEMPTS), Tag(MANY)],
    Discriminator(_form),
]
Answers = Annotated[dict[str, AnswerOrList], Field(max_length=MOST_PLACES)]
Endings = Annotated[dict[str, EndingOrList], Field(max_length=MOST_PLACES)]


class Chosen(Part):
    """What a tester chose, by step."""

    answers: Answers = Field(default_factory=dict)
    effects: Endings = Field(default_factory=dict)


class ExpectedEffect(Part):
    """A change outside that is expected: of which step, and how it is said."""

    step: str = Field(max_length=200)
    summary: str | None = Field(None, max_length=2000)


def _of_step(given: Any) -> Any:
    return {"step": given} if isinstance(given, str) else given


class Expected(Part):
    """What must come of it. What is left out is not compared."""

    path: Annotated[list[str], Field(max_length=5000)] | None = Field(
        None, description="Ids of the steps, in the order in which they are entered"
    )
    outcome: str | None = Field(None, max_length=200, description="The label of the end")
    status: str | None = Field(
        None, max_length=40, description="Where the run stands, such as completed or waiting_person"
    )
    effects: (
        Annotated[list[Annotated[ExpectedEffect, BeforeValidator(_of_step)]], Field(max_length=5000)] | None
    ) = Field(
        None,
        description="What would have left, in order: a step, or `{step, summary}`; an empty list: nothing",
    )


class SavedTest(Part):
    """A dry run that is kept with the workflow. All are run before it is published."""

    name: Title
    record: str | None = Field(
        None, min_length=1, max_length=200, description="Key of the record that the run is about"
    )
    input: dict[str, Any] | None = Field(None, description="Field of the start to its value")
    answers: Answers = Field(
        default_factory=dict,
        description="Step to what is answered there; a list: the nth counts when it is entered the nth time",
    )
    effects: Endings = Field(
        default_factory=dict, description="Step to how what it does outside ends; none: it succeeds"
    )
    expect: Expected = Field(default_factory=lambda: Expected.model_validate({}))

    def to_json(self) -> dict[str, Any]:
        """The test in canonical order, without default values."""
        made: dict[str, Any] = {"name": self.name}
        made |= {"record": self.record} if self.record is not None else {}
        made |= {"input": sorted_keys(self.input)} if self.input else {}
        for name in ("answers", "effects"):
            chosen: Mapping[str, Any] = getattr(self, name)
            if chosen:
                made[name] = {step: _written(chosen[step]) for step in sorted(chosen)}
        expected = _written(self.expect)
        if self.expect.effects is not None:
            expected["effects"] = [_written(each) for each in self.expect.effects]
        return made | ({"expect": expected} if expected else {})


def _written(part: Any) -> Any:
    """A part without what is not set: its keys in the order of the model, free ones by name."""
    if isinstance(part, list | tuple):
        return [_written(each) for each in part]
    values = {name: getattr(part, name) for name in type(part).model_fields}
    return {name: sorted_keys(value) for name, value in values.items() if value not in (None, {})}
