"""Action documents that add, change or delete a record of a collection, as a beginning: whoever imports one decides who may ask for it and who approves it."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

from console import records
from console.core.documents.collections import Collection, Field
from console.core.documents.fields import NOT_IN_FORMS
from console.core.errors import Invalid
from console.core.forms import FieldType
from console.core.plain_words import uncapitalised

Act = Literal["create", "change", "delete"]
MOST_FIELDS = 40
_ASKED = frozenset(get_args(FieldType)) - NOT_IN_FORMS - {"file", "files"}


def document_of(collection_id: str, act: Act, approvers: Sequence[str], team: str | None) -> dict[str, Any]:
    """The action as its file has it. Raises NotFound, Invalid where no record of the collection can be added or changed."""
    collection = records.collection(collection_id)
    one = uncapitalised(collection.label_one)
    form, effect = _delete() if act == "delete" else _write(collection, act)
    document: dict[str, Any] = {
        "format": 1,
        "id": f"{collection_id}.{act}",
        "title": f"{act.capitalize()} the {one}",
        "collection": None if act == "create" else collection_id,
        "form": form,
        "effects": [{"name": "written", "summary": f"{act.capitalize()}s the {one}", **effect}],
    }
    if team is not None:
        document["team"] = team
    if approvers:
        document["approval"] = [{"roles": list(approvers)}]
    return document


def _write(collection: Collection, act: Act) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    new = act == "create"
    fields = [field for field in collection.stored_fields if _is_asked(collection, field, new=new)]
    if collection.kind != "table" or not collection.key or not fields:
        raise Invalid(
            f"Nothing of {collection.label} can be {'added' if new else 'changed'} here.",
            at=("collection", "needs a table with a key, and a field that may be written."),
        )
    fields = fields[:MOST_FIELDS]
    values = {field.name: f"input.{field.name}" for field in fields}
    if new:
        return [_entry(field) for field in fields], {
            "kind": "sql_insert",
            "collection": collection.id,
            "values": values,
        }
    setting = {"kind": "sql_write", "set": values}
    return [_entry(field) | {"value": f"record.{field.name}"} for field in fields], setting


def _delete() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    reason = {"name": "reason", "label": "Why", "type": "long_text", "required": True, "max_length": 2000}
    return [reason], {"kind": "sql_delete"}


def _is_asked(collection: Collection, field: Field, *, new: bool) -> bool:
    """Whether the form asks for the field: for a key, or of a new record for what few may see, only where it is needed. Amounts with a currency are left to who writes the action."""
    if field.name in collection.key and not new:
        return False
    rare = field.name in collection.key or (new and field.sensitive)
    shut = field.hidden or field.readonly or field.governed or (rare and not field.needed)
    return not shut and field.type in _ASKED and field.currency is None and field.name.isidentifier()


def _entry(field: Field) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "required": field.needed,
    }
    if field.options:
        entry["options"] = [{"value": str(each.value), "label": each.label} for each in field.options]
    if field.references:
        entry |= {"type": "reference", "collection": field.references}
    return entry
