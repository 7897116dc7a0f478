"""Repairs collection documents: columns that were renamed are renamed, references to columns that the table does not have are removed."""

import re
from collections.abc import Collection as Several, Mapping, Sequence
from copy import deepcopy
from typing import Any

from console.core.documents.collections import Collection
from console.core.documents.collections.contact_document import EVIDENCE, FIELDS
from console.core.documents.collections.document_changes import changes
from console.core.documents.collections.document_check import check
from console.core.documents.collections.document_words import Wording
from console.core.documents.json_shape import Spot
from console.records import function_fields
from console.records.sampling import OBSERVED

NAMES = ("columns", "details", "form", "new", "search", "key")
PLACES = (
    *NAMES,
    "fields.*.currency",
    "sort",
    "segments.*.sort",
    "validation.*.field",
    "changes.column",
    "changes.created",
    "changes.deleted",
    "summary.badge",
    "summary.sections.*.fields",
    *(f"contact.{part}" for part in FIELDS),
)
"""Where a document names columns of its own, besides the keys of `fields` and `governed`."""
MOST = 1_000


def renamed(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, str]:
    """Former name → new name of columns that were renamed: of the same type, in the same place, with values that look the same.

    At the end of a table a column that was added stands where one that was dropped stood: there their values must have a form, or one name hold the other.
    """
    old, new = ({column["name"]: column for column in structure["columns"]} for structure in (before, now))
    after = {}
    for gone in (name for name in old if name not in new):
        place = _place(gone, old, new)
        fitting = [
            name
            for name in new
            if name not in old and _place(name, new, old) == place and _kind(new[name]) == _kind(old[gone])
        ]
        if _ends(gone, old, new) and not old[gone].get("form"):
            fitting = [
                name for name in fitting if gone.lower() in name.lower() or name.lower() in gone.lower()
            ]
        if len(fitting) == 1:
            after[gone] = fitting[0]
    return after if len(set(after.values())) == len(after) else {}


def _place(name: str, own: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str | None, int]:
    """The last column before it that both have, and how many stand between."""
    names = list(own)[: list(own).index(name)]
    shared = [index for index, one in enumerate(names) if one in other]
    return (names[shared[-1]], len(names) - shared[-1]) if shared else (None, len(names))


def _ends(name: str, own: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether no column after it is in both."""
    return not any(one in other for one in list(own)[list(own).index(name) + 1 :])


def _kind(column: Mapping[str, Any]) -> dict[str, Any]:
    seen = {name: column.get(name) for name in OBSERVED}
    return {name: value for name, value in column.items() if name not in {"name", "comment"}} | seen


def rename(
    document: Mapping[str, Any], own: Mapping[str, str], others: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """The document with renamed columns under their new names: its `own`, and those of `others` by collection that its relations name."""
    made: dict[str, Any] = deepcopy(dict(document))
    for place in PLACES:
        made = _rename_at(made, place.split("."), own)
    for part in ("fields", "governed"):
        if isinstance(made.get(part), dict):
            made[part] = {own.get(name, name): said for name, said in made[part].items()}
    relations = made.get("relations") or ()
    led = {one["name"]: others.get(one["collection"], {}) for one in relations}
    for one in relations:
        here, there = ("via", "to") if one["kind"] == "to_one" else ("to", "via")
        one.update(_rename_at(_rename_at(one, [here], own), [there], led[one["name"]]))
    for one in (made.get("summary") or {}).get("related") or ():
        one.update(_rename_at(one, ["columns"], led.get(one.get("relation"), {})))
    for consent in ((made.get("contact") or {}).get("consent") or {}).values():
        table = consent.get("table")
        names = own if "field" in consent else led.get(table, others.get(table, {}))
        for part in ("field", "channel", "state", *EVIDENCE):
            consent.update(_rename_at(consent, [part], names))
    return _in_expressions(made, own) if own else made


def _rename_at(value: Any, place: Sequence[str], names: Mapping[str, str]) -> Any:
    """The value with new names at the place: a column, `-` and a column, or a list of columns."""
    if isinstance(value, list):
        return [_rename_at(each, place[1:], names) for each in value]
    if isinstance(value, dict) and place:
        return {
            name: _rename_at(each, place[1:], names) if place[0] in ("*", name) else each
            for name, each in value.items()
        }
    if not isinstance(value, str) or place:
        return value
    sign = "-" if value.startswith("-") and value not in names else ""
    return sign + names.get(value.removeprefix(sign), value.removeprefix(sign))


def _in_expressions(value: Any, names: Mapping[str, str]) -> Any:
    """The value with renamed columns in its expressions and templates."""
    if isinstance(value, dict):
        return {name: _in_expressions(item, names) for name, item in value.items()}
    if isinstance(value, list):
        return [_in_expressions(item, names) for item in value]
    if not isinstance(value, str) or "record" not in value:
        return value
    return _IN_RECORD.sub(
        lambda found: _path(names.get(found["plain"] or found["quoted"])) or found[0], value
    )


_IN_RECORD = re.compile(
    r"""\brecord(?:\.(?P<plain>[A-Za-z_]\w*)|\[(?P<q>["'])(?P<quoted>[^"'\\]+)(?P=q)\])"""
)


def _path(name: str | None) -> str | None:
    if name is None:
        return None
    return (
        f"record.{name}"
        if re.fullmatch(r"[A-Za-z]\w*", name)
        else "record[" + '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"]'
    )


def mended(
    document: Mapping[str, Any],
    before: Mapping[str, Any],
    now: Mapping[str, Any],
    columns: Mapping[str, frozenset[str]],
) -> dict[str, Any]:
    """The document made valid for the structure `now`; errors that it already had with `before` stay. Columns were renamed in it already.

    `columns` are those of every collection, for relations.
    """
    names = renamed(before, now)
    before = {
        **before,
        "columns": [
            {**column, "name": names.get(column["name"], column["name"])} for column in before["columns"]
        ],
    }
    former, called = (function_fields.names(str(document["id"]), structure) for structure in (before, now))
    accepted = {spot.place for spot in check(document, before, former)}
    gone = {column["name"] for column in before["columns"]} - {
        column["name"] for column in now["columns"]
    } | (former - called)
    return _without(document, now, columns, gone, accepted)


def adapt_document(
    document: Mapping[str, Any], structure: Mapping[str, Any], columns: Mapping[str, frozenset[str]]
) -> dict[str, Any]:
    """The document of an earlier version made valid for the present structure. `columns`: as of `mended`."""
    computed = {name for name, said in (document.get("fields") or {}).items() if "computed" in said}
    known = (
        {column["name"] for column in structure["columns"]}
        | computed
        | function_fields.names(str(document["id"]), structure)
    )
    sections = (document.get("summary") or {}).get("sections") or ()
    named = [document.get(part) or () for part in (*NAMES, "governed")] + [
        section["fields"] for section in sections
    ]
    return _without(
        document, structure, columns, {name for names in named for name in names} - known, frozenset()
    )


def _without(
    document: Mapping[str, Any],
    now: Mapping[str, Any],
    columns: Mapping[str, frozenset[str]],
    gone: Several[str],
    accepted: Several[tuple[str | int, ...]],
) -> dict[str, Any]:
    """The document without the names that are `gone`, and without what is invalid except at the `accepted` places."""
    made, called = deepcopy(dict(document)), function_fields.names(str(document["id"]), now)
    for _ in range(MOST):
        _forget(made, gone)
        spots = [spot for spot in check(made, now, called) if spot.place not in accepted]
        if not spots:
            break
        gone = {*gone, *_leave_out(made, spots[0])}
    own = columns[str(document["id"])]
    if made.get("relations"):
        made["relations"] = [relation for relation in made["relations"] if _leads(relation, own, columns)]
    return made


def describe_omissions(
    collection: Collection, before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[str]:
    """What was removed, place by place. `collection`: with the fields that there were."""
    wording = Wording.of(collection, before, after)
    return [
        f"{wording.place(change.place)}: {wording.content(change.place, change.before)} "
        + (f"→ {wording.content(change.place, change.after)}" if change.after else "is left out")
        for change in changes(before, after)
    ]


def _forget(made: dict[str, Any], gone: Several[str]) -> None:
    """Remove the names from every list of names."""
    for part in NAMES:
        if made.get(part) and set(made[part]) & set(gone):
            left = [] if part == "key" else [name for name in made[part] if name not in gone]
            if left:
                made[part] = left
            else:
                made.pop(part)
    if made.get("governed"):
        made["governed"] = {name: said for name, said in made["governed"].items() if name not in gone}
    sections = (made.get("summary") or {}).get("sections")
    if sections:
        for section in sections:
            section["fields"] = [name for name in section["fields"] if name not in gone]
        made["summary"]["sections"] = [section for section in sections if section["fields"]]


def _leave_out(made: dict[str, Any], spot: Spot) -> set[str]:
    """Remove the smallest sensible part around the spot; adds the names of removed fields to `gone`."""
    place = spot.place
    match place:
        case ("fields", str() as name) | ("fields", str() as name, "computed"):
            made["fields"].pop(name, None)
            return {name}
        case ("fields", str() as name, "validation", int() as number, *_):
            made["fields"][name]["validation"].pop(number)
        case ("fields", str() as name, str() as part, *_):
            made["fields"][name].pop(part, None)
        case ("segments", int() as number, "sort"):
            made["segments"][number].pop("sort")
        case ("validation", int() as number, "field"):
            made["validation"][number].pop("field")
        case ("contact", "consent", str() as channel, *_):  # without consent nobody is written to by it
            made["contact"]["consent"].pop(channel, None)
        case ("contact" | "changes" as part, str() as name) if (
            name != "do_not_contact" and name in made[part]
        ):
            made[part].pop(name)
        case ("segments" | "validation" as part, int() as number, *_):
            made[part].pop(number)
        case ("summary", str() as part, *_):
            made["summary"].pop(part, None)
        case (str() as part, *_):
            made.pop(part, None)
    return set()


def _leads(relation: Mapping[str, Any], own: frozenset[str], columns: Mapping[str, frozenset[str]]) -> bool:
    """Whether both ends of the relation exist; only our end if the other collection is unknown."""
    other = columns.get(relation["collection"])
    via, to = (
        [part] if isinstance(part, str) else list(part or ())
        for part in (relation["via"], relation.get("to"))
    )
    here, there = (via, to) if relation["kind"] == "to_one" else (to, via)
    return set(here) <= own and (other is None or set(there) <= other)
