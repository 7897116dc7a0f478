"""What has changed in the document of a collection, in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from console.core import plain_words
from console.core.documents.collections import condition_rows
from console.core.documents.collections.assembling import LISTS
from console.core.documents.collections.document_changes import worded
from console.core.documents.collections.model import Collection, Field

PLACE_WORDS = {
    "columns": "Columns of the list",
    "details": "Fields of the details",
    "form": "Fields of the form",
    "new": "Fields of a new record",
    "label": "Name",
    "label_one": "Name of one",
    "help": "Help",
    "title": "Title of a record",
    "subject": "Whose data",
    "sort": "Order of the list",
    "search": "Quick search",
    "key": "Key",
    "summary": "Summary",
    "segments": "Segment",
    "relations": "Relation",
    "validation": "Rules of a record",
    "sections": "section",
    "related": "related list",
    "contact": "Who can be written to",
    "governed": "What workflows govern",
    "changes": "Changes by other programs",
    "clearance": "Clearance",
}
KEY_WORDS = {
    "widget": "how it is shown",
    "default": "what a new record begins with",
    "required": "needed",
    "readonly": "read-only",
    "computed": "expression",
    "references": "key of",
    "options": "values",
    "filter": "conditions",
    "sql": "SELECT",
    "roles": "opens for",
    "enabled": "offered",
    "collection": "records of",
    "kind": "leads to",
    "via": "by",
    "related": "related lists",
    "type": "kind",
    "minor": "in hundredths",
    "empty_values": "values that mean empty",
    "tone": "colour",
    "sort": "order of records",
    "every_s": "seconds between two looks",
    "column": "grows with every change",
    "created": "says when it was added",
    "deleted": "says when it was deleted",
    "message": "sentence",
    "ai": "what a model gets",
}
CONTACT_WORDS = {
    "email": "e-mail",
    "phone": "telephone",
    "zone": "time zone",
    "owner": "whose contact it is",
    "do_not_contact": "never to be contacted",
    "consent": "who agreed",
    "sms": "SMS",
    "call": "calls",
    "ai_call": "calls by an AI",
    "field": "in the field",
    "table": "in the table",
    "channel": "channel in",
    "is": "called",
    "state": "state in",
    "given": "words that mean yes",
    "source": "where in",
    "text_version": "text in",
    "at": "when in",
    "withdrawn_at": "taken back in",
}
NAMED = {"segments": "id", "relations": "name", "related": "relation", "sections": "label"}
"""Lists whose entries are called by a label → the key that identifies them, which nobody reads."""


@dataclass(frozen=True, slots=True)
class Wording:
    """How fields, segments and relations are called in the changes of a document."""

    fields: Mapping[str, Field]
    segments: Mapping[str, str]
    relations: Mapping[str, str]
    new: Mapping[str, str] = field(default_factory=dict)
    """Labels of fields that a document alone has."""

    @classmethod
    def of(cls, collection: Collection, *documents: Mapping[str, Any]) -> "Wording":
        """The words for the documents, of which the collection becomes the last one; what an earlier one alone has is called as there."""
        entries = [
            (place, entry)
            for document in documents
            for place in ("segments", "relations")
            for entry in document.get(place, ())
        ]
        segments, relations = (
            {
                str(entry[NAMED[place]]): str(entry.get("label") or entry[NAMED[place]])
                for at, entry in entries
                if at == place
            }
            for place in ("segments", "relations")
        )
        fields = {item.name: item for item in (*collection.stored_fields, *collection.computed_fields)}
        new = {
            name: str(says["label"])
            for document in documents
            for name, says in document.get("fields", {}).items()
            if isinstance(says, Mapping) and says.get("label")
        }
        return cls(
            fields,
            segments,
            {relation.name: relation.label for relation in collection.relations} | relations,
            new,
        )

    def place(self, place: tuple[str, ...]) -> str:
        """A place of the document: "E-mail: label", "Segment High risk: conditions"."""
        head, *rest = place
        if head == "fields" and rest:
            said = ", ".join(KEY_WORDS.get(name, name) for name in rest[1:])
            return self._field(rest[0]) + (f": {said}" if said else "")
        if head in ("segments", "relations") and rest:
            if rest == ["order"]:
                return f"Order of the {head}"
            said = ", ".join(KEY_WORDS.get(name, name) for name in rest[1:])
            called = self.segments if head == "segments" else self.relations
            return f"{PLACE_WORDS[head]} {called.get(rest[0], rest[0])}" + (f": {said}" if said else "")
        if head == "contact" and rest:
            return f"{PLACE_WORDS[head]}: {', '.join(CONTACT_WORDS.get(name, name) for name in rest)}"
        before = (head, *rest)
        relations = (
            self.relations.get(name) if at in ("relations", "related") else None
            for at, name in zip(before, rest, strict=False)
        )
        return " ".join(
            [
                PLACE_WORDS.get(head, head),
                *(
                    relation or PLACE_WORDS.get(name) or KEY_WORDS.get(name, name)
                    for relation, name in zip(relations, rest, strict=True)
                ),
            ]
        )

    def content(self, place: tuple[str, ...], content: Any) -> str:
        """The content of a place: fields, segments, relations and roles by their labels, conditions as sentences."""
        last = place[-1]
        if content is None and place[0] in LISTS:  # without a list of its own it shows what was found
            return "the usual ones"
        if content is None and place[0] == "fields" and len(place) == len(("fields", "name")):
            return "as it was found"
        if isinstance(content, list) and all(isinstance(entry, str) for entry in content):
            named = place[0] in (*LISTS, "search", "key") or (last == "fields" and place[0] == "summary")
            if named:
                return ", ".join(self._field(name) for name in content) or "no field"
            if last == "order" and len(place) > 1:
                called = self.segments if place[0] == "segments" else self.relations
                return ", ".join(called.get(name, name) for name in content)
            if last == "columns":
                return ", ".join(map(plain_words.humanised, content)) or "no field"
            if last == "roles":
                return ", ".join(plain_words.humanised(role) for role in content) or "nobody"
        if isinstance(content, Mapping):
            kept = {
                name: value
                for name, value in content.items()
                if name != NAMED.get(place[-2] if len(place) > 1 else last)
            }
            words = CONTACT_WORDS if place[0] == "contact" else KEY_WORDS
            return "; ".join(
                f"{words.get(name, name)}: {self.content((*place, name), value)}"
                for name, value in kept.items()
            )
        if isinstance(content, list) and content and all(isinstance(entry, Mapping) for entry in content):
            return " · ".join(self.content((*place, ""), entry) for entry in content)
        if isinstance(content, str) and place[0] == "segments" and last == "filter":
            return condition_rows.sentence(content, self.fields)
        if isinstance(content, str) and place[0] == "relations" and last == "collection":
            return plain_words.humanised(content.rpartition(".")[2])
        if isinstance(content, str) and place[0] == "relations" and last == "via":
            return self._field(content)
        if content in ("to_many", "to_one") and last == "kind":
            return "several" if content == "to_many" else "one"
        if isinstance(content, str) and place[0] == "contact" and last != "is":
            return (
                self.relations.get(content) or self._field(content)
                if last == "table"
                else self._field(content)
            )
        if isinstance(content, str) and place[0] == "changes":
            return self._field(content)
        if isinstance(content, str) and last in ("sort", "badge"):
            return self._field(content.removeprefix("-")) + (
                ", last first" if content.startswith("-") else ""
            )
        return worded(content)

    def _field(self, name: str) -> str:
        return self.fields[name].label if name in self.fields else self.new.get(name, name)
