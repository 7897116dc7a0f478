"""Conditions of a step as rows of what is compared, how and with what, and in words, for those who write no expressions; and what a row may compare."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from console.core import currencies
from console.core.contact_stages import stage_field
from console.core.documents.collections import Collection, Field, Option, condition_rows
from console.core.documents.collections.condition_rows import FITTING, VALUELESS, ConditionRow
from console.core.documents.triggers_check import EVENTS
from console.core.expressions import TEMPLATE, choice_of
from console.core.plain_words import humanised

CONDITIONS = frozenset({"if", "unless", "required_if"})
"""Settings that hold a condition."""
STORED = {
    "integer": "integer",
    "decimal": "decimal",
    "money": "decimal",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
}
STORED |= dict.fromkeys(("enum", "text", "long_text", "email", "phone", "url"), "text")
"""Type of a form's field → how it is compared; others in every way."""
Groups = Mapping[str, Mapping[str, Field]]
"""Title → path → what a row may compare."""
CHANNELS = (("email", "E-mail"), ("sms", "Text message"), ("call", "Call"), ("chat", "Chat"))
CALLS = (
    ("answered", "Answered"),
    ("no_answer", "No answer"),
    ("voicemail", "Voicemail"),
    ("busy", "Busy"),
    ("failed", "Failed"),
)
TELLS: Mapping[str, Sequence[str]] = {
    "tag.added": ("tag",),
    "tag.removed": ("tag",),
    "stage.changed": ("stage", "former"),
    "message.received": ("channel", "stop"),
    "message.failed": ("channel",),
    "call.ended": ("outcome", "label"),
    "run.completed": ("workflow",),
    "run.failed": ("workflow",),
}
"""Event → what it tells besides its record."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a condition, and what they may compare: title of a group → path → field."""

    joined: str
    rows: Sequence[ConditionRow]
    groups: Groups

    @property
    def known(self) -> Mapping[str, Field]:
        """What the rows may compare, by its path."""
        return condition_rows.every_field(self.groups)

    @property
    def comparisons(self) -> list[tuple[str, str, str]]:
        """Every comparison: value, words, the kinds that it is for."""
        return condition_rows.offered()


def rows(text: str, groups: Groups) -> Rows | None:
    """Return the rows that the expression stands for, one empty row where there is none; None for an expression that rows cannot say."""
    if not text.strip():
        return Rows("all", [ConditionRow()], groups)
    known = condition_rows.every_field(groups)
    found = condition_rows.rows_of(text, known, condition_rows.path_of)
    if found is None or not all(_sayable(row, known.get(row.field)) for row in found[1]):
        return None
    worded = [
        replace(row, value=_in_words(row, known[row.field])) if row.field in known else row
        for row in found[1]
    ]
    unknown = {
        row.field: Field(row.field, row.field, "other", "any") for row in worded if row.field not in known
    }
    return Rows(found[0], worded, {**groups, "Not known here": unknown} if unknown else groups)


def _in_words(row: ConditionRow, field: Field) -> str:
    """Return the value as it is typed: with the labels of its options, where it is no record."""
    labels = {
        option.value: option.label
        for option in field.options or ()
        if "," not in option.label and not field.references
    }
    return (
        ", ".join(labels.get(each, each) for each in row.value.split(", "))
        if row.comparison == "in"
        else labels.get(row.value, row.value)
    )


def _sayable(row: ConditionRow, field: Field | None) -> bool:
    kind = condition_rows.kind_of(field) if field else "any"
    number = (
        all(NUMBER.fullmatch(each) for each in row.value.split(", "))
        if kind in ("number", "amount")
        else bool(row.value)
    )
    return (
        row.comparison in FITTING[kind]
        and (field is not None or not row.currency)
        and (number or row.comparison in VALUELESS)
    )


def sentence(text: str, known: Mapping[str, Field]) -> str:
    """Return the condition in words: "Amount is more than 500"; the expression itself where rows cannot say it."""
    return (
        condition_rows.sentence(text, known, condition_rows.path_of)
        if rows(text, {"": known}) is not None
        else text
    )


def spoken(text: str, own: Collection | None, steps: Mapping[str, Mapping[str, Any]]) -> str:
    """The condition in words where rows can say it, else nothing; `steps`: the start, and those that it may name, by id."""
    found = condition_rows.rows_of(text, named=condition_rows.path_of)
    named: dict[str, frozenset[str]] = {}
    for row in found[1] if found else ():
        root, step, *name = row.field.split(".")
        if root == "steps":
            named[step] = named.get(step, frozenset()) | {".".join(name)}
        elif root == "input":
            named |= {each: frozenset() for each in steps if steps[each]["type"] == "start"}
    looked_at = [steps[each] for each in named if each in steps]
    if found is None:
        return ""
    unknown = {row.field: Field(row.field, _spoken_path(row.field), "other", "any") for row in found[1]}
    words = sentence(text, unknown | condition_rows.every_field(compared({"steps": looked_at}, own, named)))
    return words if words != text else ""


def _spoken_path(path: str) -> str:
    root, *names = path.split(".")
    return " › ".join(map(humanised, names if root == "record" else names[-1:]))


CHOICES = {"if": "if", "else if": "or if", "else": "otherwise"}


def text_words(text: str, known: Mapping[str, Field]) -> str:
    """A text with the labels of the values that are filled in, and the conditions of its parts in words."""

    def labels(found: re.Match[str]) -> str:
        word, text = choice_of(found[1])
        if word:
            return (
                "[end]"
                if word == "end"
                else f"[{' '.join([CHOICES[word], *([sentence(text, known)] if text else [])])}:]"
            )
        named = re.findall(r"[a-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)+", found[1])
        told = [known[path].label for path in named if path in known]
        return f"[{', '.join(told) or found[1].strip()}]"

    return TEMPLATE.sub(labels, text)


def compared(
    document: Mapping[str, Any], own: Collection | None, before: Mapping[str, frozenset[str] | None]
) -> Groups:
    """Return what a row of a step may compare: fields of the record, what is asked for at the start, outputs of the steps before."""
    return _grouped(("The record", _of_record(own, "record")), *_of_steps(document, own, before))


def compared_at_event(on: str, of: Collection | None, slugs: Sequence[tuple[str, str]]) -> Groups:
    """Return what the condition of an event may compare: the record, as it was before, and what the event tells. `slugs`: (name, title) of workflows."""
    stage = stage_field(of) if of is not None else None
    stages = [(option.value, option.label) for option in (stage.options if stage is not None else None) or ()]
    told = {
        "tag": ("Tag", "text", ()),
        "channel": ("Channel", "text", CHANNELS),
        "stop": ("It asks for no more messages", "boolean", ()),
        "outcome": ("How the call ended", "text", CALLS),
        "label": ("Label of the call", "text", ()),
        "former": ("Stage before", "text", stages),
        "stage": ("New stage", "text", stages),
        "workflow": ("Workflow", "text", slugs),
        "run": ("Run that caused it", "other", ()),
    }
    names = (*TELLS.get(on, ()), *(() if on.startswith("run.") else ("run",)))
    before = _of_record(of, "former") if on in ("record.updated", "stage.changed") else {}
    return _grouped(
        ("Event", {f"event.{name}": _field(name, *told[name]) for name in names}),
        ("The record", _of_record(of, "record")),
        ("The record as it was before", before),
    )


def compared_by_exits(document: Mapping[str, Any], own: Collection | None) -> Groups:
    """Return what the condition of an exit may compare: what happened, the record, what came in with it."""
    happened = _field("on", "Event", "text", list(EVENTS.items()))
    return {"Event": {"event.on": happened}, **compared(document, own, {})}


def _grouped(*parts: tuple[str, Mapping[str, Field]]) -> Groups:
    """Return the parts by their titles, those of one title together; without paths that must be quoted."""
    found: dict[str, dict[str, Field]] = {}
    for title, fields in parts:
        for path, field in fields.items():
            if _plain(path):
                found.setdefault(title, {})[path] = field
    return found


def _field(name: str, label: str, stored: str, choices: Sequence[tuple[str, str]] = ()) -> Field:
    return Field(
        name.rpartition(".")[2], label, "other", stored, options=tuple(Option(*choice) for choice in choices)
    )


def _of_record(own: Collection | None, root: str) -> dict[str, Field]:
    return {
        f"{root}.{field.name}": field
        for field in (own.stored_fields if own else ())
        if condition_rows.conditional(field)
    }


def _of_steps(
    document: Mapping[str, Any], own: Collection | None, before: Mapping[str, frozenset[str] | None]
) -> Iterator[tuple[str, Mapping[str, Field]]]:
    fields = _of_record(own, "record")
    for step in document["steps"]:
        start = step["type"] == "start"
        if step["id"] not in before and not start:
            continue
        title, entries = (
            str(step.get("title") or step["id"]),
            {each["name"]: each for each in _form_fields(step)},
        )
        for name in entries if start else sorted(before[step["id"]] or ()):
            path = f"input.{name}" if start else f"steps.{step['id']}.{name}"
            column = name if name.startswith("record.") else f"record.{name}"
            if name in entries:
                yield title, {path: form_field(entries[name])}
            elif (read := fields.get(column)) is not None:
                yield (
                    title,
                    {path: replace(read, currency=condition_rows.unit_of(column, read) or None)},
                )
            elif (chosen := _choices(step, name)) is not None:
                yield title, {path: _field(name, f"“{title}”", "text", chosen)}
            elif name:
                yield (
                    title,
                    {path: _field(name, name.replace("_", " ").replace(".", ": ").capitalize(), "any")},
                )


def _choices(step: Mapping[str, Any], name: str) -> list[tuple[str, str]] | None:
    """(value, label) of what a person chose at the step, or a rule, or of the events that it waited for; None where the name is that of something else."""
    config = step.get("config") or {}
    if name == "event" and config.get("event") in EVENTS:
        return [(each, EVENTS[each]) for each in (config["event"], *config.get("also", ())) if each in EVENTS]
    entries = config.get({"option": "options", "branch": "branches"}.get(name, ""))
    if not isinstance(entries, list):
        return None
    values = [
        (str(each.get("value") or each.get("outcome")), each.get("label"))
        for each in entries
        if isinstance(each, Mapping)
    ]
    return [(value, str(label or humanised(value))) for value, label in values]


def _form_fields(step: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The fields of the step's own form."""
    config = step.get("config") or {}
    lists = [config[part] for part in ("fields", "form", "output") if isinstance(config.get(part), list)]
    found = [each for entries in lists for each in entries]
    return [each for each in found if isinstance(each, Mapping) and isinstance(each.get("name"), str)]


def form_field(field: Mapping[str, Any]) -> Field:
    """Return a field of a form as a row compares it."""
    given = field.get("options")
    listed = [each for each in given if isinstance(each, Mapping)] if isinstance(given, list) else []
    options = [(str(each.get("value")), str(each.get("label") or each.get("value"))) for each in listed]
    made = _field(
        field["name"],
        str(field.get("label") or field["name"]),
        STORED.get(str(field.get("type", "text")), "any"),
        options,
    )
    code = str(field.get("currency") or "")
    known = currencies.decimals(code) is not None or ("." in code and _plain(code))
    return replace(made, currency=code if known else None, minor=field.get("minor") is True)


def _plain(path: str) -> bool:
    return all(NAME.fullmatch(part) for part in path.split("."))
