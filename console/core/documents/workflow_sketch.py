"""A workflow document as far as it can be parsed: its steps with their parsed settings, and errors in its shape.

The checks (`console.core.documents.workflow_check`) use these sketches, so that an error in one step does not prevent checking the others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field as default
from typing import Any, ClassVar, Literal, Protocol

from pydantic import BaseModel, ValidationError

from console.core import blocks
from console.core.documents.fields import Located, Use
from console.core.documents.json_shape import Spot, model_errors
from console.core.documents.workflow import Workflow

Severity = Literal["error", "warning"]
NEVER_OUTPUT = "missing"  # outputs of a manually handled step


UNKNOWN, RIGHTS, UNFINISHED = "unknown", "rights", "unfinished"


@dataclass(frozen=True, slots=True)
class Problem:
    """One error. `step` None: of the whole document; `field` is a path in the step, or in the document.

    `kind` is empty, or UNKNOWN (it names something that is not there), RIGHTS (nobody may do it) or UNFINISHED (a part is not made yet).
    """

    step: str | None
    field: str
    reason: str
    severity: Severity = "error"
    kind: str = ""

    def to_json(self) -> dict[str, Any]:
        """The form in the API and in error details."""
        return {"step": self.step, "field": self.field, "reason": self.reason, "severity": self.severity}


class StepKind(Protocol):
    """The part of a step type that the check needs; implemented by `console.steps.base.StepType`."""

    automatic: ClassVar[bool]
    own_values: ClassVar[bool]
    waits: ClassVar[bool]
    by_items: ClassVar[bool]
    ai: ClassVar[bool]
    ai_alone: ClassVar[bool]
    purpose: ClassVar[str]
    Config: ClassVar[Any]

    def by_itself(self, settings: Mapping[str, Any]) -> bool:
        """Whether it runs without a person."""

    def asks(self, config: Any) -> bool:
        """Whether a person fills in something."""

    def outcomes(self, config: Any) -> tuple[str, ...]:
        """Outcomes that need an edge."""

    def choices(self, config: Any) -> tuple[str, ...]:
        """What a person may choose from, where that is not an outcome."""
        ...

    def begins(self, config: Any) -> tuple[str, ...]:
        """Steps at which branches begin."""

    def rare_outcomes(self, config: Any) -> tuple[str, ...]:
        """Outcomes that may have an edge."""

    def expressions(self, config: Any) -> list[Located]:
        """Expressions in the settings."""

    def templates(self, config: Any) -> list[Located]:
        """Templates in the settings."""

    def item_names(self, config: Any) -> frozenset[str] | None:
        """Names under `item`."""

    def uses(self, config: Any) -> list[Use]:
        """Columns and relations in the settings."""

    def actions(self, config: Any) -> list[Use]:
        """Actions in the settings; `column` is the action's id."""

    def ai_fields(self, config: Any) -> tuple[str, ...] | None:
        """Fields that can have proposals."""

    def doubts(self, config: Any) -> list[tuple[str, str]]:
        """What works and is not wise."""

    def outputs(self, config: Any) -> frozenset[str] | None:
        """Names available as `steps.<id>`."""


@dataclass(slots=True)
class Sketch:
    """A step as far as it can be parsed. `place` is its index in the list, `raw` the step as written; `config` None if the settings are wrong."""

    place: int
    raw: Mapping[str, Any]
    id: str
    type: str
    kind: StepKind | None
    config: Any
    next: dict[str, str]
    completion: str
    outcomes: tuple[str, ...] = ()
    rare: tuple[str, ...] = ()  # outcomes that may have an edge and need none
    outputs: frozenset[str] | None = None
    texts: list[tuple[Located, bool]] = default(default_factory=list)  # (text, whether it is a template)
    content: list[tuple[Located, bool]] = default(default_factory=list)  # the texts of its blocks, alike
    blocks: tuple[str, ...] = ()  # their kinds
    by_itself: bool = False
    roles: tuple[tuple[int, str], ...] = ()  # (index, role), only texts
    begins: tuple[str, ...] = ()  # steps at which branches begin
    uses: Sequence[Use] = ()  # columns and relations in the settings
    actions: Sequence[Use] = ()  # actions in the settings


def shape(raw: Mapping[str, Any]) -> list[Problem]:
    """The errors that the document's model reports. A way to a step whose id is wrong, and a type that is unknown, are told once."""
    try:
        Workflow.model_validate(raw)
    except ValidationError as error:
        spots = {spot: _text_at(raw, spot.place) for spot in model_errors(error, Workflow)}
        ids = {text for spot, text in spots.items() if spot.place[2:] == ("id",)} - {""}
        return [
            placed(spot, raw)
            for spot, text in spots.items()
            if not (text in ids if spot.place[2:3] == ("next",) else text and spot.place[2:] == ("type",))
        ]
    return []


def _text_at(raw: Mapping[str, Any], place: tuple[str | int, ...]) -> str:
    """The text at a place of a step; "" where there is none."""
    found: Any = raw if place[:1] == ("steps",) else ""
    for part in place:
        try:
            found = found[part]
        except (KeyError, IndexError, TypeError):
            return ""
    return found if isinstance(found, str) else ""


def placed(spot: Spot, raw: Mapping[str, Any]) -> Problem:
    """The error with its step's id, if it is in a step with an id."""
    if len(spot.place) > 2 and spot.place[0] == "steps" and isinstance(spot.place[1], int):
        step = raw["steps"][spot.place[1]]
        name = step.get("id") if isinstance(step, dict) else None
        if isinstance(name, str) and spot.place[2] != "id":
            return Problem(name, Spot(spot.place[2:], "").path, spot.reason)
    return Problem(None, spot.path, spot.reason)


def sketches(
    raw: Mapping[str, Any], step_types: Mapping[str, StepKind], problems: list[Problem]
) -> list[Sketch]:
    """The steps as far as they can be parsed; errors in their settings are added to `problems`."""
    steps = raw.get("steps")
    sketched = []
    for place, step in enumerate(steps if isinstance(steps, list) else []):
        if (
            not isinstance(step, dict)
            or not isinstance(step.get("id"), str)
            or not isinstance(step.get("type"), str)
        ):
            continue
        ways = step.get("next")
        edges = (
            {str(outcome): target for outcome, target in ways.items() if isinstance(target, str)}
            if isinstance(ways, dict)
            else {}
        )
        kind = step_types.get(step["type"])
        sketch = Sketch(
            place, step, step["id"], step["type"], kind, None, edges, str(step.get("completion", "manual"))
        )
        sketch.roles = named_texts(step.get("roles"))
        if kind is None:
            problems.append(
                Problem(
                    sketch.id,
                    "type",
                    f"There is no step type {sketch.type}: known are {', '.join(step_types)}.",
                )
            )
        else:
            _configure(sketch, kind, step.get("config", {}), problems)
        parsed_blocks, wrong = blocks.problems(step.get("content"))
        problems += [Problem(sketch.id, spot.path, spot.reason) for spot in wrong]
        sketch.content, sketch.blocks = (
            list(blocks.texts_of(parsed_blocks)),
            tuple(each.block if each is not None else "" for each in parsed_blocks),
        )
        sketched.append(sketch)
    return sketched


def _configure(sketch: Sketch, kind: StepKind, config: Any, problems: list[Problem]) -> None:
    """Parse the settings by step type, and derive the rest."""
    sketch.by_itself = kind.automatic
    if not isinstance(config, dict):
        return
    sketch.by_itself = kind.by_itself(config)
    model: type[BaseModel] = kind.Config
    try:
        sketch.config = model.model_validate(config)
    except ValidationError as error:
        problems += [
            Problem(sketch.id, Spot(("config", *spot.place), "").path, spot.reason)
            for spot in model_errors(error, model)
        ]
        sketch.config = _without_unknown(config, error, model)
    if sketch.config is None:
        return
    if sketch.completion == "automatic" and kind.asks(sketch.config):
        sketch.completion = "manual"
        reason = "A person has something to read, to fill in or to choose here, so the step is never completed by itself: leave completion out."
        problems.append(Problem(sketch.id, "completion", reason, "warning"))
    sketch.outcomes, sketch.outputs = kind.outcomes(sketch.config), kind.outputs(sketch.config)
    sketch.rare, sketch.begins = kind.rare_outcomes(sketch.config), kind.begins(sketch.config)
    sketch.uses, sketch.actions = (
        [*kind.uses(sketch.config), *_searched(sketch.config)],
        kind.actions(sketch.config),
    )
    sketch.texts = [(text, False) for text in kind.expressions(sketch.config)] + [
        (text, True) for text in kind.templates(sketch.config)
    ]
    if sketch.outputs and NEVER_OUTPUT in sketch.outputs:
        problems.append(
            Problem(
                sketch.id,
                "config",
                f"No field can be named {NEVER_OUTPUT}: it marks what a step handled manually leaves out.",
            )
        )


def _without_unknown(config: Mapping[str, Any], error: ValidationError, model: type[BaseModel]) -> Any:
    """The settings without unknown keys, so that the rest of the step can be checked; None if there are other errors."""
    unknown = {
        detail["loc"][0]
        for detail in error.errors()
        if detail["type"] == "extra_forbidden" and len(detail["loc"]) == 1
    }
    try:
        return model.model_validate({name: value for name, value in config.items() if name not in unknown})
    except ValidationError:
        return None


def named_texts(given: Any) -> tuple[tuple[int, str], ...]:
    """The texts in a list with their index; nothing if it is not a list."""
    return (
        tuple((place, name) for place, name in enumerate(given) if isinstance(name, str))
        if isinstance(given, list)
        else ()
    )


def _searched(config: Any) -> list[Use]:
    """Collections in which reference fields of a form search."""
    return [
        Use(f"{part}[{place}].collection", collection=entry.collection)
        for part in ("form", "fields", "output")
        if part in type(config).model_fields
        for place, entry in enumerate(getattr(config, part, None) or ())
        if getattr(entry, "collection", None) is not None
    ]
