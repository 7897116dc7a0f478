"""Variables of a workflow on its Configuration tab: as fields of a type each, or as one text. What is typed becomes the edits of the document."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console import workflows
from console.core.documents.variables import DATED
from console.core.errors import Invalid
from console.core.expressions.operands import date_of, number_of
from console.formats import label_of
from console.workflows import VariableEdits

TYPES: Mapping[str, str] = {
    "text": "Text",
    "number": "Whole number",
    "amount": "Amount",
    "yesno": "Yes or no",
    "date": "Date",
    "list": "List",
}
APART: Mapping[str, str] = {"dated": "Changes on given days", "object": "Several values"}
"""Types that only the text shows."""
ASKED = {
    "number": "Write a whole number, such as 90.",
    "amount": "Write an amount, such as 12.50.",
    "yesno": "Write yes or no.",
    "date": "Write a day, such as 2027-07-10.",
}
SHAPES = {"number": re.compile(r"-?\d{1,15}"), "amount": re.compile(r"-?\d{1,15}(\.\d{1,10})?")}
WORDS = {"yes": True, "true": True, "no": False, "false": False}
FIELDS, TEXT = "fields", "text"
MOST = 500


@dataclass(frozen=True, slots=True)
class Row:
    """A rule as the form shows it. `was` is its name in the document, empty for a new one; `used` are the places that use it; `value` is what is typed."""

    was: str
    name: str
    kind: str
    value: str = ""
    remove: bool = False
    used: Sequence[str] = ()
    error: str = ""

    @property
    def label(self) -> str:
        """The name as people read it."""
        return label_of(self.was) if self.was else "New variable"

    @property
    def value_is_wrong(self) -> bool:
        """Whether `error` is about the value, not the name."""
        return self.error in ASKED.values() or self.error.startswith("Somebody else changed")


def kind_of(value: Any) -> str:
    """The type of a value, as the form calls it."""
    match value:
        case bool():
            return "yesno"
        case int():
            return "number"
        case list() if all(
            isinstance(each, str | int) and not isinstance(each, bool) and "\n" not in str(each)
            for each in value
        ):
            return "list"
        case str():
            return (
                "date" if date_of(value) is not None else "amount" if number_of(value) is not None else "text"
            )
    return "dated" if isinstance(value, Mapping) and DATED in value else "object"


def rows_of(document: Mapping[str, Any]) -> list[Row]:
    """A row for each rule by name, and an empty one."""
    given: Mapping[str, Any] = document.get("variables") or {}
    rows = [
        Row(name, name, kind_of(value), _written(value), used=workflows.used_by(document, name))
        for name, value in sorted(given.items())
    ]
    return [*rows, Row("", "", "text")]


def _written(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return "\n".join(map(str, value))
        case str() | int():
            return str(value)
    return ""


def text_of(values: Mapping[str, Any]) -> str:
    """All rules as one text."""
    return json.dumps(dict(sorted(values.items())), indent=2, ensure_ascii=False)


def typed_rows(document: Mapping[str, Any], form: Mapping[str, str]) -> list[Row]:
    """The rows as they were sent."""
    rows, given = [], document.get("variables") or {}
    for number in range(min(MOST, len([name for name in form if name.startswith("name.")]))):
        was = form.get(f"was.{number}", "")
        was = was if was in given else ""  # somebody else removed it, and it is to be there all the same
        name = form.get(f"name.{number}", "").strip()
        row = Row(
            was,
            name,
            form.get(f"type.{number}", "text"),
            form.get(f"value.{number}", ""),
            form.get(f"remove.{number}") is not None,
        )
        if was or row.name or row.value.strip():
            used = workflows.used_by(document, was) if was else ()
            rows.append(Row(row.was, row.name, row.kind, row.value, row.remove, used))
    return rows


def edits_of_rows(document: Mapping[str, Any], rows: Sequence[Row]) -> VariableEdits:
    """What the rows change. Raises Invalid with a detail for each wrong row, by `was` or by its name."""
    given: Mapping[str, Any] = document.get("variables") or {}
    renamed: dict[str, str] = {}
    removed: list[str] = []
    values: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    for row in rows:
        if row.remove and row.was:
            removed.append(row.was)
            continue
        name = name_of(row.name)
        here = row.was or name
        if not name:
            wrong.append((row.was, "Give it a name." if row.name == "" else "A name begins with a letter."))
            continue
        if not row.was and (name in given or name in values):
            wrong.append((name, "There is a variable of this name already."))
            continue
        if row.was and name != row.was:
            renamed[row.was] = name
        if row.kind in APART:
            continue
        try:
            value = read_value(row.kind, row.value, given.get(row.was))
        except ValueError as error:
            wrong.append((here, str(error)))
            continue
        if (
            not row.was
            or value != given.get(row.was)
            or isinstance(value, bool) != isinstance(given.get(row.was), bool)
        ):
            values[name] = value
    if wrong:
        raise Invalid(
            "The variables were not saved.",
            details=[(name, reason) for name, reason in wrong],
        )
    return VariableEdits(renamed, removed, values)


def name_of(typed: str) -> str:
    """The name in the document of what somebody calls it: `Proof days` is `proof_days`. Empty where nothing is left of it."""
    return (
        re.sub(r"[^a-z0-9]+", "_", typed.lower()).strip("_").lstrip("0123456789_")
        if re.fullmatch(r"[a-z][a-z0-9_]*", typed) is None
        else typed
    )


def read_value(kind: str, typed: str, former: Any) -> Any:
    """The value of this type. Raises ValueError with what to write instead."""
    text = typed.strip()
    match kind:
        case "number" | "amount":
            plain = re.sub("[,\u00a0\u202f ]", "", text)
            if SHAPES[kind].fullmatch(plain) is None:
                raise ValueError(ASKED[kind])
            return int(plain) if kind == "number" else plain
        case "yesno":
            if (answer := WORDS.get(text.lower())) is None:
                raise ValueError(ASKED[kind])
            return answer
        case "date":
            if date_of(text) is None:
                raise ValueError(ASKED[kind])
            return text
        case "list":
            lines = [line.strip() for line in typed.splitlines() if line.strip()]
            had = former if isinstance(former, list) else []
            numbers = bool(had) and all(isinstance(each, int) for each in had)
            return [int(line) if numbers and SHAPES["number"].fullmatch(line) else line for line in lines]
    return typed.replace("\r\n", "\n")


def read_text(text: str) -> dict[str, Any]:
    """The rules of a text; decimals become texts, as documents have them. Raises Invalid that names the line, or the name that stands twice."""
    try:
        found = json.loads(text or "{}", parse_float=str, parse_constant=_no_number, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        reason = f"Line {error.lineno}, character {error.colno}: {error.msg[:1].lower()}{error.msg[1:]}."
        raise Invalid(reason, at=TEXT) from None
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, ValueError) else "This is nested too deeply."
        raise Invalid(reason, at=TEXT) from None
    if not isinstance(found, dict):
        reason = 'Write all variables between { and }, such as {"proof_days": 90}.'
        raise Invalid(reason, at=TEXT)
    return found


def edits_of_text(document: Mapping[str, Any], values: Mapping[str, Any]) -> VariableEdits:
    """What a text changes: a name that is left out is removed."""
    given: Mapping[str, Any] = document.get("variables") or {}
    differing = {
        name: value
        for name, value in values.items()
        if name not in given or text_of({"": given[name]}) != text_of({"": value})
    }
    return VariableEdits({}, [name for name in given if name not in values], differing)


def told_now(there: Mapping[str, Any], name: str) -> str:
    """What a rule is now, as words that follow `changed this meanwhile`: `, to “90”`; empty for what takes more than a line."""
    if name not in there:
        return ": it is there no more"
    written = _written(there[name])
    return f", to “{written}”" if written and "\n" not in written else ""


def brought_up(seen: Mapping[str, Any], there: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """What was seen, with these rules as they are there now."""
    return {name: value for name, value in seen.items() if name not in names} | {
        name: there[name] for name in names if name in there
    }


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"“{twice}” stands there twice: keep one.")
    return dict(pairs)


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number that can be stored.")
