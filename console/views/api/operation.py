"""What a call of the API takes and returns, declared once beside its view: the same models validate and describe it.

`console.views.api.openapi` builds the description of the whole API from these declarations and the URL map; a test fails for a route
without one. An invalid body is 422 (400 if it cannot be parsed), an invalid query parameter 400, each with a detail for every field.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import wraps
from typing import Annotated, Any, TypeVar, cast

from flask import request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from console.core.documents.json_shape import reason
from console.core.errors import ConsoleError, Invalid, Malformed
from console.core.expressions.operands import Spelled
from console.views.api import MOST, body, listing

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
Model = TypeVar("Model", bound=BaseModel)


WHOLES = (int, int | None)
"""Types of a field that takes a whole number."""


class Sent(BaseModel):
    """A body: every name known, every value of its type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _whole_numbers(cls, given: Any) -> Any:
        """Take 2.0 where a whole number is asked for: JSON has one kind of number."""
        numbers = [name for name, info in cls.model_fields.items() if info.annotation in WHOLES]
        sent = (
            {name: given[name] for name in numbers if isinstance(given.get(name), Spelled)}
            if isinstance(given, dict)
            else {}
        )
        return (
            {**given, **{name: value.whole for name, value in sent.items() if value.whole is not None}}
            if sent
            else given
        )


class Nothing(Sent):
    """An empty object."""


class Asked(BaseModel):
    """The parameters of an address: every name known, each given once, or several times where it is a list."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False, defer_build=True)


def _count(value: Any) -> Any:
    """Parse a limit in an address: digits, at most three."""
    if isinstance(value, str) and not (
        value.isascii() and value.isdigit() and len(value) <= 3 and 1 <= int(value) <= MOST
    ):
        raise ValueError(f"takes 1 to {MOST}")
    return value


def _whole(value: Any) -> Any:
    if isinstance(value, str) and not (
        value.isascii() and value.removeprefix("-").isdigit() and len(value) <= 9
    ):
        raise ValueError("A whole number.")
    return value


Limit = Annotated[int, Field(ge=1, le=MOST, description="How many rows a page has"), BeforeValidator(_count)]
Whole = Annotated[int, BeforeValidator(_whole)]


class Paged(Asked):
    """A page of a list."""

    limit: Limit = 50
    after: str | None = Field(None, description="The `next` of the page before")


@dataclass(frozen=True, slots=True)
class Media:
    """A body or response that is not JSON: its media type, for a form the model of its fields, for a text an example."""

    kind: str
    description: str
    model: type[BaseModel] | None = None
    example: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """A request that the tests send and the documentation shows; `path` fills the address, `status` is the status of its response (0: the lowest of its answers)."""

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    status: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """What was done under an idempotency key: its first event (chain and number; None if it wrote none), the id of what
    it made if the view named one (`made`), and when it was requested.
    """

    chain: str | None
    number: int
    made: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Operation:
    """A call. `answers` by status, `refuses` error statuses besides those of every call; `permission` like `workflow.start`.

    `again` reads the result of a repeated POST anew for the present caller. A POST without it is judged and executed each time.
    """

    id: str
    permission: str
    answers: Mapping[int, type[BaseModel] | Media | None]
    refuses: frozenset[int]
    body: type[BaseModel] | Media | None
    query: type[BaseModel] | None
    example: Example
    again: Callable[[Done], Any] | None

    @property
    def open(self) -> bool:
        """Return whether it needs no key."""
        return self.permission == "none"


OPERATION = "api_operation"
"""The attribute of a view that holds its declaration."""


def operation(
    name: str,
    permission: str,
    answer: type[BaseModel] | Media | Mapping[int, type[BaseModel] | Media | None],
    *,
    refuses: Sequence[int] = (),
    body: type[BaseModel] | Media | None = None,
    query: type[BaseModel] | None = None,
    example: Example | None = None,
    again: Callable[[Done], Any] | None = None,
) -> Callable[[View], View]:
    """Declare a view as this call; its docstring is its description."""
    answers = answer if isinstance(answer, Mapping) else {200: answer}
    shown = example or Example()
    shown = replace(shown, status=shown.status or min(answers))
    declared = Operation(name, permission, answers, frozenset(refuses), body, query, shown, again)

    def mark(view: View) -> View:
        marked = view if query is not None or declared.open else cast("View", _without_parameters(view))
        setattr(marked, OPERATION, declared)
        return marked

    return mark


def _without_parameters(view: View) -> Callable[..., ResponseReturnValue]:
    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        parse_query(Asked)
        return view(*args, **kwargs)

    return checked


def named(parameter: str) -> str:
    """Return what the address of this request names by the parameter."""
    return str((request.view_args or {})[parameter])


TEXTS = (str, str | None)
"""Types of a field that takes a text: a number is none, though a long or a fractional one is kept as it was spelled."""


def read(model: type[Model], error: type[ConsoleError] = Invalid) -> Model:
    """Return the validated body. Raises `error` with a detail for each field, and what `body` raises."""
    sent = body()
    numbers = {
        name: 0
        for name, info in model.model_fields.items()
        if info.annotation in TEXTS and isinstance(sent.get(name), Spelled)
    }
    try:
        return model.model_validate(sent | numbers)
    except ValidationError as wrong:
        details = _details(wrong)
        raise error(_sentence(details, "body"), details=details) from None


def parse_query(model: type[Model]) -> Model:
    """Return the validated query parameters. Raises Malformed with a detail for each parameter."""
    given: dict[str, Any] = {}
    lists = {
        info.alias or name
        for name, info in model.model_fields.items()
        if getattr(info.annotation, "__origin__", None) is list
    }
    for name, values in request.args.lists():
        if len(values) > 1 and name not in lists:
            reason = f"{name} is given {len(values)} times; once is enough."
            raise Malformed(reason, at=name)
        given[name] = values if name in lists else values[0]
    try:
        return model.model_validate(given)
    except ValidationError as wrong:
        details = _details(wrong)
        raise Malformed(_sentence(details, "address"), details=details) from None


def page_of(found: Iterable[Any], key: str = "id", *, asked: Paged | None = None) -> dict[str, Any]:
    """Return the page of a list that was read whole, as `Paged` asks for it; `key` names each row. Raises Malformed for a cursor of another list."""
    asked = asked or parse_query(Paged)
    rows = [each if isinstance(each, Mapping) else each.to_json() for each in found]
    begin = next((number for number, row in enumerate(rows, 1) if row[key] == asked.after), 0)
    if asked.after is not None and not begin:
        raise Malformed(
            "The cursor is not of this list, or what it named was removed: begin at the first page.",
            at=("after", "Not a cursor of this list."),
        )
    page = rows[begin : begin + asked.limit]
    return listing(page, page[-1][key] if begin + len(page) < len(rows) else None)


def _details(wrong: ValidationError) -> list[dict[str, str]]:
    return [
        {"field": ".".join(str(part) for part in each["loc"]) or "body", "reason": _reason(each)}
        for each in wrong.errors()
    ]


def _sentence(details: Sequence[Mapping[str, str]], what: str) -> str:
    first = details[0]
    if first["reason"] == UNKNOWN:
        return f"There is no {first['field']} here: take it out of the {what}."
    return f"{first['field']}: {first['reason']}"


UNKNOWN = "Not known here."
REASONS = {
    "missing": "Needed.",
    "extra_forbidden": UNKNOWN,
    "int_type": "A whole number.",
    "int_from_float": "A whole number.",
    "string_type": "A text.",
    "bool_type": "true or false.",
    "bool_parsing": "0 or 1.",
    "dict_type": "An object.",
    "model_type": "An object.",
    "list_type": "A list.",
}


def _reason(each: ErrorDetails) -> str:
    known, context = REASONS.get(each["type"]), each.get("ctx") or {}
    if known:
        return known
    match each["type"]:
        case "literal_error" | "enum":
            return f"One of {str(context['expected']).replace(chr(39), '')}."
        case "value_error":
            return str(context["error"])
        case "string_too_short":
            return (
                "A text."
                if context["min_length"] == 1
                else f"A text of at least {context['min_length']} characters."
            )
        case "string_too_long":
            return f"A text of at most {context['max_length']} characters."
        case "too_long":
            return f"A list of at most {context['max_length']}."
    return reason(each, BaseModel)
