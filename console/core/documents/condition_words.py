"""Conditions of a step as rows of what is compared, how and with what, and in words, for those who write no expressions; and what a row may compare."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from console.core import currencies
from console.core.contact_stages import stage_field
from console.core.documents.collections import Collection, condition_rows
from console.core.documents.collections.condition_rows import FITTING, VALUELESS, ConditionRow
from console.core.documents.triggers_check import EVENTS
from console.core.expressions import TEMPLATE, choice_of
from console.core.plain_words import humanised

CONDITIONS = frozenset({"if", "unless", "required_if"})
"""Settings that hold a condition."""
KINDS = {
    "integer": "number",
    "decimal": "number",
    "money": "number",
    "boolean": "flag",
    "date": "day",
    "datetime": "day",
    "enum": "text",
}
KINDS |= dict.fromkeys(("text", "long_text", "email", "phone", "url"), "text")
"""Type of a form's field → how it is compared; others in every way."""
ANY = "any"
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
class Compared:
    """What a row may compare: its path, its label under the title of a group, one of `FITTING`, the values to choose from, whether it is a day alone.

    `digits`: an amount that is held in the smallest unit of its currency is typed in the whole one, with so many decimals. `currency`: its code, or the
    path of what says it, of each amount its own. `references`: the collection of the record that the value is the key of; then `options` are names of such.
    """

    group: str
    path: str
    label: str
    kind: str
    options: Sequence[tuple[str, str]] = ()
    day: bool = False
    digits: int = 0
    currency: str = ""
    references: str = ""

    @property
    def own(self) -> bool:
        """Whether each amount has a currency of its own."""
        return "." in self.currency


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a condition; `known` are what they may compare."""

    joined: str
    rows: Sequence[ConditionRow]
    known: Mapping[str, Compared]

    @property
    def groups(self) -> Mapping[str, list[Compared]]:
        """What may be compared, under the titles of the groups."""
        found: dict[str, list[Compared]] = {}
        for each in self.known.values():
            found.setdefault(each.group, []).append(each)
        return found

    @property
    def comparisons(self) -> list[tuple[str, str, str]]:
        """Every comparison: value, words, the kinds that it is for."""
        return condition_rows.offered()


def rows(text: str, known: Mapping[str, Compared]) -> Rows | None:
    """The rows that the expression stands for, one empty row where there is none; None for an expression that rows cannot say."""
    if not text.strip():
        return Rows("all", [ConditionRow("", "==")], known)
    found = condition_rows.rows_of(text, condition_rows.path_of)
    if found is None or not all(_sayable(row, known) for row in found[1]):
        return None
    worded = [ConditionRow(row.field, row.comparison, _in_words(row, known)) for row in found[1]]
    beside = {
        row.field: Compared("Not known here", row.field, row.field, ANY)
        for row in found[1]
        if row.field not in known
    }
    return Rows(found[0], worded, {**known, **beside})


def _in_words(row: ConditionRow, known: Mapping[str, Compared]) -> str:
    """The value as it is typed: with the labels of its options, an amount in whole units."""
    row = condition_rows.in_whole_units(row, known[row.field].digits if row.field in known else 0)
    if row.field in known and known[row.field].references:
        return row.value
    labels = {
        value: label
        for value, label in (known[row.field].options if row.field in known else ())
        if "," not in label
    }
    if row.comparison == "in":
        return ", ".join(labels.get(each, each) for each in row.value.split(", "))
    return labels.get(row.value, row.value)


def _sayable(row: ConditionRow, known: Mapping[str, Compared]) -> bool:
    kind = known[row.field].kind if row.field in known else ANY
    number = (
        all(NUMBER.fullmatch(each) for each in row.value.split(", "))
        if kind in ("number", "amount")
        else bool(row.value)
    )
    counted = not row.currency or (kind == "amount" and row.currency == known[row.field].currency)
    return row.comparison in FITTING[kind] and counted and (number or row.comparison in VALUELESS)


def sentence(text: str, known: Mapping[str, Compared]) -> str:
    """The condition in words: "Amount is more than 500"; the expression itself where rows cannot say it."""
    found = rows(text, known)
    if found is None:
        return text
    return (" or " if found.joined == "any" else " and ").join(
        _row_words(row, found.known[row.field]) for row in found.rows if row.field
    )


def _row_words(row: ConditionRow, of: Compared) -> str:
    words, names = FITTING[of.kind][row.comparison], dict(of.options) if of.references else {}
    row = replace(row, value=", ".join(names.get(each, each) for each in row.value.split(", ")))
    amount = (
        row.value
        if row.comparison in VALUELESS or not of.currency
        else f"{row.value} {'in its own currency' if of.own else of.currency}"
    )
    return f"{of.label} {words.replace('…', amount) if '…' in words else f'{words} {amount}'.strip()}"


def spoken(text: str, own: Collection | None, steps: Mapping[str, Mapping[str, Any]]) -> str:
    """The condition in words where rows can say it, else nothing; `steps`: the start, and those that it may name, by id."""
    found = condition_rows.rows_of(text, condition_rows.path_of)
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
    unknown = {
        row.field: Compared("", row.field, humanised(row.field.rpartition(".")[2]), ANY) for row in found[1]
    }
    words = sentence(text, unknown | compared({"steps": looked_at}, own, named))
    return words if words != text else ""


CHOICES = {"if": "if", "else if": "or if", "else": "otherwise"}


def text_words(text: str, known: Mapping[str, Compared]) -> str:
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
) -> dict[str, Compared]:
    """Path → what a row of a step may compare: fields of the record, what is asked for at the start, outputs of the steps before."""
    return {
        each.path: each
        for each in [*_of_record(own, "The record", "record"), *_of_steps(document, own, before)]
        if _plain(each.path)
    }


def compared_at_event(
    on: str, of: Collection | None, slugs: Sequence[tuple[str, str]]
) -> dict[str, Compared]:
    """Path → what the condition of an event may compare: the record of it, as it was before, and what the event tells. `slugs`: (name, title) of workflows."""
    stage = stage_field(of) if of is not None else None
    stages = [(option.value, option.label) for option in (stage.options if stage is not None else None) or ()]
    told = {
        "tag": ("Tag", "text", ()),
        "channel": ("Channel", "text", CHANNELS),
        "stop": ("It asks for no more messages", "flag", ()),
        "outcome": ("How the call ended", "text", CALLS),
        "label": ("Label of the call", "text", ()),
        "former": ("Stage before", "text", stages),
        "stage": ("New stage", "text", stages),
        "workflow": ("Workflow", "text", slugs),
        "run": ("Run that caused it", "other", ()),
    }
    event = [
        Compared("What happened", f"event.{name}", *told[name])
        for name in (*TELLS.get(on, ()), *(() if on.startswith("run.") else ("run",)))
    ]
    before = (
        _of_record(of, "The record as it was before", "former")
        if on in ("record.updated", "stage.changed")
        else ()
    )
    return {
        each.path: each
        for each in (*event, *_of_record(of, "The record", "record"), *before)
        if _plain(each.path)
    }


def compared_by_exits(document: Mapping[str, Any], own: Collection | None) -> dict[str, Compared]:
    """Path → what the condition of an exit may compare: what happened, the record, what came in with it."""
    happened = Compared("What happened", "event.on", "What happened", "text", list(EVENTS.items()))
    return {happened.path: happened, **compared(document, own, {})}


def _of_record(own: Collection | None, group: str, path: str) -> Iterator[Compared]:
    if own is None:
        return
    for field in own.stored_fields:
        if condition_rows.conditional(field):
            options = [(option.value, option.label) for option in field.options or ()]
            currency = (f"{path}.{field.currency}" if field.currency in own.by_name else field.currency) or ""
            kind, digits = condition_rows.kind_of(field), condition_rows.digits_of(field)
            label = f"{field.label} in %" if digits == condition_rows.PER_CENT else field.label
            made = Compared(
                group,
                f"{path}.{field.name}",
                label,
                kind,
                options,
                field.stored == "date",
                digits,
                currency,
                field.references or "",
            )
            yield _told_its_kind(made, field.minor)


def _of_steps(
    document: Mapping[str, Any], own: Collection | None, before: Mapping[str, frozenset[str] | None]
) -> Iterator[Compared]:
    fields = {each.path: each for each in _of_record(own, "", "record")}
    for step in document["steps"]:
        start = step["type"] == "start"
        if step["id"] not in before and not start:
            continue
        title, entries = (
            str(step.get("title") or step["id"]),
            {each["name"]: each for each in _form_fields(step)},
        )
        names = list(entries) if start else sorted(before[step["id"]] or ())
        for name in names:
            path = f"input.{name}" if start else f"steps.{step['id']}.{name}"
            if name in entries:
                yield _of_form(title, path, entries[name])
            elif (read := fields.get(name)) is not None:
                yield replace(read, group=title, path=path)
            elif (chosen := _choices(step, name)) is not None:
                yield Compared(title, path, f"“{title}”", "text", chosen)
            elif name:
                yield Compared(title, path, name.replace("_", " ").replace(".", ": ").capitalize(), ANY)


def _told_its_kind(made: Compared, minor: bool) -> Compared:
    """In the smallest unit of a currency of its own: an amount, which a row counts in whole units of that currency."""
    return replace(made, kind="amount") if minor and made.own and made.kind == "number" else made


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


def _of_form(group: str, path: str, field: Mapping[str, Any]) -> Compared:
    given = field.get("options")
    listed = [each for each in given if isinstance(each, Mapping)] if isinstance(given, list) else []
    options = [(str(each.get("value")), str(each.get("label") or each.get("value"))) for each in listed]
    kind = KINDS.get(str(field.get("type", "text")), ANY)
    named = currencies.decimals(str(field.get("currency"))) if field.get("minor") is True else 0
    digits = condition_rows.MINOR_DIGITS if named is None else named
    code = str(field.get("currency") or "")
    currency = code if currencies.decimals(code) is not None or ("." in code and _plain(code)) else ""
    made = Compared(
        group,
        path,
        str(field.get("label") or field["name"]),
        kind,
        options,
        field.get("type") == "date",
        digits,
        currency,
    )
    return _told_its_kind(made, field.get("minor") is True)


def _plain(path: str) -> bool:
    return all(NAME.fullmatch(part) for part in path.split("."))
