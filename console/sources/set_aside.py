"""Tables that lost, renamed or retyped what a document names: until a person has looked, they are read without it, and the document is kept as it was.

What a page shows can do without a column. What decides (rights, keys, rules, consent, whose data it is) cannot: such tables are not read at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from console.core.documents.collections import Stored
from console.core.plain_words import humanised

KEPT = "set_aside"
"""Key of a structure: what its table and document were before (`structure`, `document`), the document read meanwhile, and the labels of what it is read without (`lost`)."""
DECIDING = ("contact", "validation", "governed", "key", "subject", "changes", "relations")


def before_that(item: Stored) -> Stored:
    """The collection as it was before something of it was set aside; as it is where somebody has changed its document since, or nothing was."""
    kept = item.structure.get(KEPT)
    if kept is None:
        return item
    own = item.document == kept["read"]
    structure = {name: value for name, value in item.structure.items() if name != KEPT}
    return replace(
        item,
        structure=kept["structure"] if own else structure,
        document=kept["document"] if own else item.document,
    )


def without_lost(now: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any] | None:
    """The present structure with the former columns that are of the same type; None where the key is another, or nothing is lost."""
    kinds = {column["name"]: _kind(column) for column in before["columns"]}
    columns = [column for column in now["columns"] if kinds.get(column["name"]) == _kind(column)]
    names = {column["name"] for column in columns}
    if now["key"] != before["key"] or not names >= {*now["key"]} or names == kinds.keys():
        return None
    return {
        **now,
        "columns": columns,
        "foreign_keys": [key for key in now["foreign_keys"] if names.issuperset(key["columns"])],
    }


def decides(before: Stored, document: Mapping[str, Any], others: Sequence[Stored]) -> bool:
    """Whether what the document would do without decides something, also for the contacts of other collections."""
    fields = [
        {name: said.get("validation") for name, said in (each.get("fields") or {}).items()}
        for each in (before.document, document)
    ]
    rules = {name: rule for name, rule in fields[0].items() if rule} != {
        name: rule for name, rule in fields[1].items() if rule
    }
    consents = [
        said
        for item in others
        for said in ((item.document.get("contact") or {}).get("consent") or {}).values()
    ]
    asked = any(isinstance(said, Mapping) and said.get("table") == before.id for said in consents)
    return rules or asked or any(before.document.get(part) != document.get(part) for part in DECIDING)


def aside(before: Stored, structure: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """The structure to store while the collection is read by this document."""
    names = {column["name"] for column in structure["columns"]}
    said = before.document.get("fields") or {}
    gone = [
        one["name"]
        for one in before.structure["columns"]
        if one["name"] not in names and not said.get(one["name"], {}).get("hidden")
    ]
    lost = [said.get(name, {}).get("label") or humanised(name) for name in gone]
    return {
        **structure,
        KEPT: {"structure": before.structure, "document": before.document, "read": document, "lost": lost},
    }


def _kind(column: Mapping[str, Any]) -> tuple[str, str]:
    return str(column["stored"]), str(column.get("native") or "")
