"""Variables of a workflow document, which may change on given days, and policy tables."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag, model_validator

from console.core.documents.document_parts import Name, Part, sorted_keys
from console.core.expressions.operands import date_of, number_of

DATED = "dated"
VALID_FROM = "valid_from"
MAX_KEYS = 4


def _day(text: str) -> str:
    if date_of(text) is None:
        raise ValueError("this must be a day of the calendar such as 2027-07-10")
    return text


Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_day)]


class Phase(Part):
    """The value of a variable from one day until the next value."""

    valid_from: Day | None = Field(None, description="First day, in UTC; none: since ever")
    value: Any


class Dated(Part):
    """A variable that changes on given days. A run keeps what was valid when it began."""

    dated: Annotated[list[Phase], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        days = [phase.valid_from or "" for phase in self.dated]
        if "" in days[1:]:
            raise ValueError("only the first value may do without valid_from")
        if twice := sorted({day for day in days if days.count(day) > 1}):
            raise ValueError(f"two values are valid from {twice[0]}: keep one")
        if days != sorted(days):
            raise ValueError("the values must stand in the order of their valid_from")
        if len({_kind(phase.value) for phase in self.dated if phase.value is not None}) > 1:
            raise ValueError("the values are of different kinds: an expression could not use them alike")
        return self


def _of_variable(given: Any) -> str:
    """Which of the two kinds a variable is. The returned words cannot occur in a place of the document."""
    return (
        "dict[dated]"
        if isinstance(given, Dated) or (isinstance(given, Mapping) and DATED in given)
        else "none"
    )


Variable = Annotated[
    Annotated[Dated, Tag("dict[dated]")] | Annotated[Any, Tag("none")], Discriminator(_of_variable)
]


class Column(Part):
    """A column of a policy table."""

    name: Name
    type: Literal["text", "integer", "decimal", "boolean", "date"] = "text"
    label: str | None = Field(
        None, min_length=1, max_length=200, description="What people read; the name without it"
    )

    def value(self, given: Any) -> Any:
        """The value in the column's type. Raises ValueError for another type; null stays null."""
        match self.type, given:
            case _, None:
                return None
            case ("text", str()) | ("boolean", bool()):
                return given
            case "integer", int() if not isinstance(given, bool):
                return given
            case "decimal", int() | str() if (number := number_of(given)) is not None:
                return Decimal(number)
            case "date", str() if (day := date_of(given)) is not None:
                return day
        raise ValueError(
            f"{self.name} is of type {self.type}: {json.dumps(given, ensure_ascii=False)[:60]} is not"
        )


class Table(Part):
    """A policy table: found by `lookup(tables.<name>.<column>, key, …)`. A row is valid until a later one has the same keys."""

    description: str | None = Field(
        None, max_length=2000, description="Where the rule comes from; operators do not see it"
    )
    keys: Annotated[list[Name], Field(min_length=1, max_length=MAX_KEYS)] = Field(
        description="Columns that a row is looked up by, in the order in which lookup takes them"
    )
    columns: Annotated[list[Column], Field(min_length=2, max_length=40)]
    rows: Annotated[list[dict[str, Any]], Field(max_length=5_000)] = Field(
        description="Column to value, and `valid_from` for the first day (in UTC) of the row; decimals and days as text"
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        names = [column.name for column in self.columns]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two columns are named {twice[0]}")
        if VALID_FROM in names:
            raise ValueError("no column can be named valid_from: every row has one")
        if unknown := sorted(set(self.keys) - set(names)):
            raise ValueError(f"keys names what is no column: {', '.join(unknown)}")
        if len(set(self.keys)) < len(self.keys):
            raise ValueError("keys names a column twice")
        if not self.answers:
            raise ValueError("every column is a key: there is nothing to look up")
        self._sound_rows()
        return self

    def _sound_rows(self) -> None:
        """Raises ValueError for a row with an unknown column, a wrong type, no key, or keys and first day of another row."""
        by_name = {column.name: column for column in self.columns}
        first: dict[tuple[Any, ...], int] = {}
        for number, row in enumerate(self.rows, 1):
            try:
                if unknown := sorted(set(row) - {*by_name, VALID_FROM}):
                    raise ValueError(f"there is no column {unknown[0]}")
                if missing := [name for name in self.keys if row.get(name) is None]:
                    raise ValueError(f"the key {missing[0]} is missing")
                values = {name: column.value(row.get(name)) for name, column in by_name.items()}
                if row.get(VALID_FROM) is not None and date_of(row[VALID_FROM]) is None:
                    raise ValueError("valid_from must be a day such as 2027-07-10")
            except ValueError as error:
                raise ValueError(f"row {number}: {error}") from None
            place = (row.get(VALID_FROM), *(values[name] for name in self.keys))
            if place in first:
                raise ValueError(
                    f"rows {first[place]} and {number} overlap: the same keys, valid from the same day"
                )
            first[place] = number

    @property
    def answers(self) -> list[Column]:
        """The columns that are not keys."""
        return [column for column in self.columns if column.name not in self.keys]

    def valid(self, day: date) -> dict[tuple[Any, ...], dict[str, Any]]:
        """The rows valid on that day: keys → typed values of all columns."""
        by_key: dict[tuple[Any, ...], tuple[str, dict[str, Any]]] = {}
        for row in self.rows:
            since = row.get(VALID_FROM) or ""
            values = {column.name: column.value(row.get(column.name)) for column in self.columns}
            keys = tuple(values[name] for name in self.keys)
            if since <= day.isoformat() and (keys not in by_key or since > by_key[keys][0]):
                by_key[keys] = (since, values)
        return {keys: values for keys, (_, values) in by_key.items()}


def variable_json(variable: Any) -> Any:
    """A variable without default values."""
    if not isinstance(variable, Dated):
        return sorted_keys(variable)
    phases = [{VALID_FROM: phase.valid_from, "value": sorted_keys(phase.value)} for phase in variable.dated]
    return {
        DATED: [phase if phase[VALID_FROM] is not None else {"value": phase["value"]} for phase in phases]
    }


def _kind(value: Any) -> str:
    """The JSON type of a value; numbers as text count as numbers."""
    return "number" if number_of(value) is not None else type(value).__name__


def table_json(table: dict[str, Any]) -> dict[str, Any]:
    """A table without default values."""
    kept = {key: value for key, value in table.items() if value is not None}
    kept["columns"] = [
        {key: value for key, value in column.items() if value is not None} for column in table["columns"]
    ]
    return {**kept, "rows": sorted_keys(table["rows"])}
