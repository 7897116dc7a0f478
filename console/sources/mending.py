"""Repairs collection documents: removes references to columns that the table no longer has."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from console.core.documents.collections.document_changes import changes, worded
from console.core.documents.collections.document_check import check
from console.core.documents.json_shape import Spot
from console.records import hooked

NAMES = ("columns", "details", "form", "new", "search", "key")
MOST = 1_000


def mended(
    document: Mapping[str, Any], before: Mapping[str, Any], now: Mapping[str, Any], columns: Mapping[str, frozenset[str]]
) -> dict[str, Any]:
    """The document made valid for the structure `now`; errors that it already had with `before` stay.

    `columns` are those of every collection, for relations.
    """
    made = deepcopy(dict(document))
    called = hooked.names(str(document["id"]))
    accepted = {spot.place for spot in check(document, before, called)}
    gone = {column["name"] for column in before["columns"]} - {column["name"] for column in now["columns"]}
    for _ in range(MOST):
        _forget(made, gone)
        spots = [spot for spot in check(made, now, called) if spot.place not in accepted]
        if not spots:
            break
        gone = gone | _leave_out(made, spots[0])
    own = columns[str(document["id"])]
    if made.get("relations"):
        made["relations"] = [one for one in made["relations"] if _leads(one, own, columns)]
    return made


def describe_omissions(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What was removed, place by place."""
    return [
        f"{one.path}: {worded(one.before)} {f'→ {worded(one.after)}' if one.after else 'is left out'}" for one in changes(before, after)
    ]


def _forget(made: dict[str, Any], gone: Iterable[str]) -> None:
    """Remove the names from every list of names."""
    for part in NAMES:
        if made.get(part) and set(made[part]) & set(gone):
            left = [] if part == "key" else [name for name in made[part] if name not in gone]
            if left:
                made[part] = left
            else:
                made.pop(part)
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
    via, to = ([part] if isinstance(part, str) else list(part or ()) for part in (relation["via"], relation.get("to")))
    here, there = (via, to) if relation["kind"] == "to_one" else (to, via)
    return set(here) <= own and (other is None or set(there) <= other)
