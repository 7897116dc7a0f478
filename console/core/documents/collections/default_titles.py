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
FIRST = ("first_name", "firstname", "given_name", "givenname", "given_names", "forename", "fname", "first")
LAST = ("last_name", "lastname", "surname", "family_name", "familyname", "lname", "last")
WHOLE = ("display_name", "full_name", "fullname", "displayname")
TITLES = (
    "name",
    "title",
    "label",
    "name1",
    "legal_name",
    "company_name",
    "subject",
    "filename",
    "file_name",
    "description",
    "code",
)


def default_title(structure: Mapping[str, Any], shown: Sequence[Field], key: Sequence[str], noun: str) -> str:
    """Default title template: the names of a person, a telling column, the parts of the key in words, else the kind of record (`noun`) with its key."""
    visible = {item.name: item for item in shown}
    parts = set(key) if len(key) > 1 else set()
    known = [
        column
        for column in structure["columns"]
        if column["name"] in visible.keys() - parts and _may_name(column, visible[column["name"]])
    ]
    chosen = _names(noun, known, field_guesses.column_words(structure["columns"]))
    own = visible.get(key[0]) if len(key) == 1 else None
    more = (
        own is not None and own.references
    )  # more about a record of another table: `employee` of a `person`
    if chosen and not (more and all(map(field_guesses.numbers, chosen))):
        return " ".join(f"{{{{ {path(name)} }}}}" for name in chosen)
    if own is not None and more:
        return of_key(own.name, noun)
    if parts and parts <= visible.keys():
        return of_parts([visible[name] for name in key], noun)
    if own is not None and own.stored == "text" and not random_keys(structure, key):
        return f"{{{{ {path(own.name)} }}}}"
    named = next(
        (c["name"] for c in known if c["name"].lower() in ("name", "title") and not c["nullable"]), ""
    )
    if named and own is not None:  # several are called so: the name, and what tells them apart
        return f"{{{{ {path(named)} }}}} {{{{ {path(own.name)} }}}}"
    texts = (c["name"] for c in known if _is_apart(c) and _tells(visible[c["name"]], noun))
    text = next((name for name in texts if name not in key), None)
    if text is not None:
        return f"{{{{ {path(text)} }}}}"
    return of_key(own.name, noun) if own is not None else " ".join(f"{{{{ {path(name)} }}}}" for name in key)


def _may_name(column: Mapping[str, Any], item: Field) -> bool:
    """Whether a field may stand in a title: a text that everybody who sees the record may see, and no state, code or JSON."""
    if item.widget == "translations":
        return not item.sensitive
    return (
        column["stored"] == "text"
        and item.type in {"text", "email", "enum", "long_text"}
        and not (item.sensitive or item.references)
        and item.widget not in ("badge", "colour", "json")
        and field_guesses.STATES.isdisjoint(field_guesses.parts_of(item.name)[-1:])
    )


def _is_apart(column: Mapping[str, Any]) -> bool:
    """Whether the values of a column tell records apart, as far as a sample said."""
    return not column.get("repeats") and column.get("form") not in ("day", "uuid", "figures")


def _names(table: str, columns: Sequence[Mapping[str, Any]], called: Mapping[str, str]) -> list[str]:
    """The columns that name a record: of a person all names, else the column that tells records apart; none where only the key does.

    `table` is its name in the singular, `called` are all of `column_words`.
    """
    names = [column["name"] for column in columns]
    known = {field_guesses.snaked(called[name]): name for name in reversed(names)}
    known |= {called[name].lower(): name for name in reversed(names)}
    if whole := next((known[name] for name in WHOLE if name in known), None):
        return [whole]
    first, last = (next((known[name] for name in wanted if name in known), None) for wanted in (FIRST, LAST))
    if first and last:
        return [first, last]
    owns = dict.fromkeys((field_guesses.snaked(table), *field_guesses.parts_of(table)[-1:]))
    ends = ("_name", "_title", "_label", "", "_description", "_number", "_no", "_code")
    wanted = [*TITLES[:2], *(f"{own}{end}" for end in ends for own in owns), *TITLES[2:]]
    ordered = [known[name] for name in wanted if name in known]
    ordered += [name for name in names if field_guesses.parts_of(called[name])[-1:] == ("name",)]
    ordered += [name for name in names if field_guesses.numbers(name)]
    telling = {
        column["name"]
        for column in columns
        if _is_apart(column) and (not column.get("long") or column.get("form") == "translations")
    }
    return next(([name] for name in ordered if name in telling), [])


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


def _tells(item: Field, noun: str) -> bool:
    """Whether a text tells records apart: no amount or code, and no address of somebody who has to do with them, as the `billing_email` of an order."""
    words = set(field_guesses.parts_of(item.name))
    if item.type == "email":
        return words <= {"e", "mail", "email", "address", *field_guesses.parts_of(noun)}
    return (
        item.type == "text"
        and item.widget not in field_guesses.CODE_WORDS
        and words.isdisjoint({"ip", "agent", "id"} | field_guesses.MONEY)
    )


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
