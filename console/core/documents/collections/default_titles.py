"""What a record is called, and which columns a list shows, where the collection's document does not say it."""

import re
from collections.abc import Collection as Several, Mapping, Sequence
from itertools import pairwise
from typing import Any

from console.core.documents.collections import field_guesses
from console.core.documents.collections.labels import led_to
from console.core.documents.collections.model import MOST_COLUMNS, SHOWN_ONLY, Field
from console.core.plain_words import uncapitalised

TOLD = 2
"""States, and amounts, that a list shows before its other columns."""
BORN = frozenset({"birth", "born", "birthday", "birthdate", "dob"})
NUMBER = re.compile(r"(?=\S*\d)\w[\w./-]*")
PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def default_title(structure: Mapping[str, Any], shown: Sequence[Field], key: Sequence[str], noun: str) -> str:
    """Default title template: the names of a person, a telling column, the parts of the key in words, else the kind of record (`noun`) with its key."""
    usable = {item.name: item for item in shown if _may_name(item)}
    parts = set(key) if len(key) > 1 else set()
    known = [
        column
        for column in structure["columns"]
        if column["name"] in usable.keys() - parts and _shown_plainly(usable[column["name"]])
    ]
    chosen = field_guesses.title_columns(noun, known, field_guesses.column_words(structure["columns"]))
    visible = {item.name: item for item in shown}
    more = (
        len(key) == 1 and key[0] in visible and visible[key[0]].references
    )  # more about a record of another table: `employee` of a `person`
    if chosen and not (more and all(map(field_guesses.numbers, chosen))):
        return " ".join(f"{{{{ {path(name)} }}}}" for name in chosen)
    if more:
        return of_key(key[0], noun)
    if parts <= visible.keys() and parts:
        return of_parts([visible[name] for name in key], noun)
    repeated = {
        column["name"]
        for column in structure["columns"]
        if column.get("repeats")
        or column.get("form") in ("day", "uuid")
        or (column.get("form") == "figures" and "version" not in field_guesses.parts_of(column["name"]))
    }
    numbered = len(key) == 1 and key[0] in visible and visible[key[0]].stored == "integer"
    texts = [
        column["name"]
        for column in known
        if usable[column["name"]].type in {"text", "email"}
        and column["name"] not in {*key, *repeated}
        and _tells(usable[column["name"]], noun)
        and usable[column["name"]].widget not in field_guesses.CODE_WORDS
        and (
            not numbered or field_guesses.parts_of(column["name"])[-1:] != ("id",)
        )  # a number says more than the key of another system
    ]
    natural = (
        len(key) == 1
        and key[0] in visible
        and visible[key[0]].stored == "text"
        and not random_keys(structure, key)
    )
    alike = next(
        (
            column["name"]
            for column in known
            if not natural and not column["nullable"] and field_guesses.is_name(column["name"])
        ),
        None,
    )
    always = [name for name in texts if not usable[name].nullable]
    if alike and (always or numbered):  # several are called so: the name, and what tells them apart
        return f"{{{{ {path(alike)} }}}} {{{{ {path((*always, *key)[0])} }}}}"
    if texts and not natural:
        return f"{{{{ {path(texts[0])} }}}}"
    random = bool(random_keys(structure, key))
    if random and (moment := _moment(structure, visible)):
        return f"{noun} {{{{ {path(moment)} }}}}"
    return of_key(key[0], noun) if numbered or random else " ".join(f"{{{{ {path(name)} }}}}" for name in key)


def _may_name(item: Field) -> bool:
    """Whether a field may stand in a title: a text that everybody who sees the record may see."""
    return not item.sensitive and (
        item.type in {"text", "email", "enum", "long_text"} or item.widget == "translations"
    )


def parts_in_title(fields: Sequence[Field], key: Sequence[str], title: str) -> set[str]:
    """Parts of a key that lead nowhere and stand in the title of each record."""
    return {
        item.name
        for item in fields
        if len(key) > 1 and item.name in key and not item.references and path(item.name) in title
    }


def of_key(name: str, one: str) -> str:
    """A title of the kind of record and its key."""
    return f"{one} {{{{ {path(name)} }}}}"


def without_label(title: str, text: str) -> str:
    """What stands in the one field of a title such as "Booking {{ record.id }}" for whoever types the title: "Booking 11" is "11". Other texts unchanged."""
    label, _, rest = title.partition("{{")
    named = text[len(label) :] if label.strip() and rest.endswith("}}") and "{{" not in rest else ""
    return named if NUMBER.fullmatch(named) and text.casefold().startswith(label.casefold()) else text


def of_parts(parts: Sequence[Field], one: str) -> str:
    """A title of the parts of a key: texts speak for themselves. A number that is called ID stands without the moment that says its partition."""
    alone = [
        item
        for item in parts
        if item.label.lower() in ("id", f"{one} id".lower()) and item.stored == "integer"
    ]
    if alone and all(item in alone or item.stored in ("date", "datetime") for item in parts):
        return f"{one} {{{{ {path(alone[0].name)} }}}}"
    labels = part_labels([item.label for item in parts])
    paths = [f"{{{{ {path(item.name)} }}}}" for item in parts]
    return ", ".join(
        path if item.stored == "text" else f"{label} {path}"
        for label, item, path in zip(labels, parts, paths, strict=True)
    )


def part_labels(labels: Sequence[str]) -> list[str]:
    """The labels of the parts of a key, each word once: "Order" and "line" of "Order ID" and "Order line no"."""
    short = [led_to(label) for label in labels]
    short = short if len(set(short)) == len(short) else list(labels)
    made = short[:1]
    for before, label in pairwise(short):
        rest = label.removeprefix(f"{before} ")
        made.append(uncapitalised(rest))
    return made


def random_keys(structure: Mapping[str, Any], key: Sequence[str]) -> set[str]:
    """Columns of the key that hold random signs which no person reads."""
    return {
        column["name"]
        for column in structure["columns"]
        if column["name"] in key and "uuid" in (column["stored"], column.get("form"))
    }


def _moment(structure: Mapping[str, Any], visible: Mapping[str, Field]) -> str | None:
    """The first column with a moment or day that every record has, and that is more than when its row was written."""
    return next(
        (
            column["name"]
            for column in structure["columns"]
            if column["name"] in visible
            and column["stored"] in ("datetime", "date")
            and not column["nullable"]
            and not field_guesses.WRITTEN & set(field_guesses.parts_of(column["name"]))
        ),
        None,
    )


def _shown_plainly(item: Field) -> bool:
    """Whether the values of a field may name a record: no states, colours and JSON."""
    state = (
        field_guesses.parts_of(item.name)[-1:]
        and field_guesses.parts_of(item.name)[-1] in field_guesses.STATES
    )
    return not state and item.widget not in ("badge", "colour", "json") and item.references is None


def _tells(item: Field, noun: str) -> bool:
    """Whether a text tells records apart: no amount, and no address of somebody who has to do with them, as the `billing_email` of an order."""
    words = set(field_guesses.parts_of(item.name))
    foreign = item.type == "email" and words - {
        "e",
        "mail",
        "email",
        "address",
        *field_guesses.parts_of(noun),
    }
    return not foreign and words.isdisjoint({"ip", "agent"} | field_guesses.MONEY)


def path(name: str) -> str:
    """A column in an expression."""
    if PLAIN_NAME.fullmatch(name):
        return f"record.{name}"
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'record["{quoted}"]' if not name.startswith("_") and "}}" not in name else '""'


def default_columns(shown: Sequence[Field], unread: Several[str]) -> list[str]:
    """The columns that a list shows: of many its first moment, states and amounts, then the first; long texts and who wrote a row last.

    Without currencies, which stand with their amounts, and the `unread`: keys that no person reads there, as those called UUID.
    """
    beside = (
        {item.currency for item in shown}
        | set(unread)
        | {item.name for item in shown if item.name.lower() in ("uuid", "guid")}
    )
    plain = [item for item in shown if item.type not in SHOWN_ONLY and item.name not in beside] or list(shown)
    words = {item.name: field_guesses.parts_of(item.name) for item in plain}
    states = [item.name for item in plain if field_guesses.STATES & set(words[item.name][-1:])]
    amounts = [
        item.name
        for item in plain
        if item.type == "money"
        or item.widget == "money"
        or field_guesses.amount(item.stored, words[item.name])
    ]
    moments = [
        item.name
        for item in plain
        if item.stored in ("date", "datetime")
        and not (field_guesses.BOOKKEEPING | BORN) & set(words[item.name])
    ]
    first = {
        *moments[:1],
        *states[:TOLD],
        *sorted(amounts, key=lambda name: "total" not in words[name])[:TOLD],
    }
    last = {
        item.name
        for item in plain
        if (item.type in ("long_text", "json") and item.widget != "translations")
        or field_guesses.BOOKKEEPING & set(words[item.name])
    }
    chosen = sorted(plain, key=lambda item: (item.name not in first, item.name in last))[:MOST_COLUMNS]
    return [item.name for item in plain if item in chosen]
