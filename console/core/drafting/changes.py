"""The union of changes as models, read from JSON."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from console.core.documents.document_parts import Name
from console.core.documents.json_shape import Spot, model_errors, problems_of_values

MOST_CHANGES = 1_000

Place = str | list[str | int]
"""A place in a step or document: `config.form[0].label`, or the same as a list of keys and numbers, for keys that contain a dot."""


class ChangeError(ValueError):
    """A change that cannot be applied. `number` is its place in the list of changes, `field` the part of it that is wrong."""

    def __init__(self, reason: str, field: str = "", number: int = 0) -> None:
        """Keep the reason as the message."""
        super().__init__(reason)
        self.reason, self.field, self.number = reason, field, number

    def at(self, number: int) -> "ChangeError":
        """The same error as that of change `number`."""
        return ChangeError(self.reason, self.field, number)


class MisshapenError(ChangeError):
    """What the changes would make of the document has no shape. `field` is the place in it."""


class _Change(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @property
    def leaves_out(self) -> bool:
        """Whether `value` was not given, which removes the key. A `value` of null is stored as null."""
        return "value" not in self.model_fields_set


class AddStep(_Change):
    """Add a step. With `after` it is put behind that step: its way `outcome` leads to the new step, which goes on to where that led."""

    op: Literal["add_step"] = "add_step"
    step: dict[str, Any] = Field(description="The step; without an id or a title it gets those of its type")
    after: Name | None = None
    outcome: Name = "default"
    place: int | None = Field(
        None, ge=0, description="Index in the list of steps; without: behind `after`, else at the end"
    )


class RemoveStep(_Change):
    """Remove a step. With `heal`, the ways that led to it lead to where its `default` led; otherwise they are removed by `disconnect` only."""

    op: Literal["remove_step"] = "remove_step"
    step: str
    heal: bool = True


class Set(_Change):
    """Set a value in a step; without `value` the key is removed. An index behind the last appends to the list."""

    op: Literal["set"] = "set"
    step: str
    field: Place
    value: Any = None


class Connect(_Change):
    """Let an outcome of a step lead to another step."""

    op: Literal["connect"] = "connect"
    step: str
    outcome: Name = "default"
    to: str


class Disconnect(_Change):
    """Remove the way of an outcome."""

    op: Literal["disconnect"] = "disconnect"
    step: str
    outcome: Name = "default"


class Move(_Change):
    """Move a step in the list (`place`), or on the canvas (`at`, null: arranged by the canvas)."""

    op: Literal["move"] = "move"
    step: str
    place: int | None = Field(None, ge=0)
    at: Annotated[list[int], Field(min_length=2, max_length=2)] | None = None


class RenameStep(_Change):
    """Give a step another id; ways, groups and every expression that names it follow."""

    op: Literal["rename_step"] = "rename_step"
    step: str
    id: Name


class AddTrigger(_Change):
    """Add a trigger; without an id it gets one of its kind."""

    op: Literal["add_trigger"] = "add_trigger"
    trigger: dict[str, Any]
    place: int | None = Field(None, ge=0)


class SetTrigger(_Change):
    """Set a value in a trigger; without `value` the key is removed."""

    op: Literal["set_trigger"] = "set_trigger"
    trigger: str
    field: Place
    value: Any = None


class RemoveTrigger(_Change):
    """Remove a trigger."""

    op: Literal["remove_trigger"] = "remove_trigger"
    trigger: str


class SetDocument(_Change):
    """Set a value of the document outside its steps; without `value` the key is removed. Without `field`, replace the whole document."""

    op: Literal["set_document"] = "set_document"
    field: Place | None = None
    value: Any = None


Change = (
    AddStep
    | RemoveStep
    | Set
    | Connect
    | Disconnect
    | Move
    | RenameStep
    | AddTrigger
    | SetTrigger
    | RemoveTrigger
    | SetDocument
)
_MODELS: Mapping[str, type[_Change]] = {
    model.model_fields["op"].default: model
    for model in (
        AddStep,
        RemoveStep,
        Set,
        Connect,
        Disconnect,
        Move,
        RenameStep,
        AddTrigger,
        SetTrigger,
        RemoveTrigger,
        SetDocument,
    )
}


def read_changes(given: Any) -> list[Change]:
    """The changes of a JSON list. Raises ChangeError for the first that has no shape."""
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise ChangeError("The changes must be a list.")
    if len(given) > MOST_CHANGES:
        raise ChangeError(f"At most {MOST_CHANGES} changes are taken at once.")
    return [_read(entry, number) for number, entry in enumerate(given)]


def _read(given: Any, number: int) -> Change:
    if not isinstance(given, Mapping):
        raise ChangeError("A change must be an object.", number=number)
    model = _MODELS.get(str(given.get("op")))
    if model is None:
        raise ChangeError(f"There is no such change: op is one of {', '.join(_MODELS)}.", "op", number)
    spots: list[Spot] = problems_of_values(given)
    try:
        change = model.model_validate(dict(given))
    except ValidationError as error:
        spots += model_errors(error, model)
    if spots:
        raise ChangeError(spots[0].reason, spots[0].path, number)
    return change  # type: ignore[return-value]


def to_json(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """The changes as a JSON list, without what was not given."""
    return [{"op": change.op, **change.model_dump(mode="json", exclude_unset=True)} for change in changes]


def parts(field: Place) -> tuple[str | int, ...]:
    """The keys and numbers of a place. Raises ChangeError for an empty one."""
    if isinstance(field, list):
        found = tuple(field)
    else:
        plain = field.replace("[", ".").replace("]", "")
        found = tuple(int(part) if part.isdecimal() and len(part) < 6 else part for part in plain.split("."))
    if not found or "" in found:
        raise ChangeError("Name a place such as title or config.text.", "field")
    return found
