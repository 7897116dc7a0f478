"""Assembling collections from the database structure and the documents.

Pure: `assemble` takes the reflected structures and documents of all collections and returns the finished `Collection`s. A structure is what
`console.records.reflect` stores; the document is described in `collection_document`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, TypeAlias

from console.core.documents.collections import treatment
from console.core.documents.collections.model import (
    FIELD_TYPES,
    MOST_COLUMNS,
    SHOWN_ONLY,
    Author,
    Collection,
    Field,
    Option,
    Relation,
    Rule,
    Segment,
    fields_of,
)
from console.core.expressions import ExpressionError
from console.errors import DefinitionError

PERSONAL_TYPES = frozenset({"text", "long_text", "email", "phone", "json", "file"})
FREE_TYPES = frozenset({"long_text", "json", "array", "file", "binary", "other"})
"""Field types that may contain text from anybody, unless the document names the author."""
TITLES = ("display_name", "name", "title", "label", "legal_name", "company_name", "full_name", "subject", "description", "code")
LONGEST_LABEL = 60
ABBREVIATIONS = {
    word.lower(): word
    for word in (
        "AI", "AML", "API", "BIC", "CEO", "CSV", "EU", "FX", "IBAN", "ID", "IDs", "IP", "ISO", "JSON", "KYB", "KYC", "LEI", "MCC", "MLRO", "MRZ",
        "PDF", "PEP", "SAR", "SEPA", "SKU", "SMS", "SQL", "TIN", "UBO", "URL", "UTC", "UUID", "VAT", "eID",
    )
}  # fmt: skip
"""Words with special spelling in labels. "is", "no" and "us" are ordinary words and not included."""
PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
STORED_AS = {
    "long_text": "text", "money": "decimal", "enum": "text", "multi_enum": "array", "reference": "text", "email": "text", "phone": "text",
    "url": "text", "file": "text",
}  # fmt: skip
"""Kind of comparison for computed fields of this type, where names differ."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored collection: reflected structure and document."""

    id: str
    source: str
    structure: Mapping[str, Any]
    document: Mapping[str, Any]
    position: int = 0


LISTS = ("columns", "details", "form", "new")
"""Keys of a document that list fields in order."""

Places: TypeAlias = Mapping[tuple[str, str | None, str], Stored]


def humanised(name: str) -> str:
    """A label from a name: "Customer no" for `customer_no`, "KYC case ID" for `kyc_case_id`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").replace("-", " ").split()
    text = " ".join(ABBREVIATIONS.get(word.lower(), word) for word in words) or name
    return text if words and words[0].lower() in ABBREVIATIONS else text[:1].upper() + text[1:]


def labelled(comment: str | None, name: str) -> tuple[str, str | None]:
    """(label, help) from a comment: a short comment is the label, a long one the help for the humanised name."""
    text = (comment or "").strip()
    if not text:
        return humanised(name), None
    return (text, None) if len(text) <= LONGEST_LABEL and "\n" not in text else (humanised(name), text)


def assemble(kept: Iterable[Stored], called: Mapping[str, Sequence[Field]] = MappingProxyType({})) -> dict[str, Collection]:
    """Collection id → collection. `called`: collection → fields from company functions.

    Raises DefinitionError naming the collection and its error.
    """
    items = list(kept)
    places = {(item.source, item.structure["schema"], item.structure["table"]): item for item in items}
    made = {item.id: _collection(item, places, called.get(item.id, ())) for item in items}
    links: dict[str, list[Relation]] = {item.id: [] for item in items}
    for item in items:
        for foreign in item.structure.get("foreign_keys", ()):
            target = places.get((item.source, foreign["schema"], foreign["table"]))
            if target is not None:
                _link(links, made, item.id, target.id, foreign)
    related = {item.id: _relations(made, made[item.id], links[item.id], item.document) for item in items}
    return {item.id: _referring(replace(made[item.id], relations=related[item.id]), made) for item in items}


def _referring(own: Collection, made: Mapping[str, Collection]) -> Collection:
    """Reference columns of to-one relations get the target collection, also across data sources without foreign keys."""
    led = {
        relation.columns[0][0]: relation.collection
        for relation in own.relations
        if relation.kind == "to_one"
        and len(relation.columns) == 1
        and [there for _, there in relation.columns] == list(made[relation.collection].key)
    }
    alone = {name for name in led if own.by_name[name].references is None}
    if not alone:
        return own
    fields = tuple(replace(item, references=led[item.name]) if item.name in alone else item for item in own.stored_fields)
    return replace(own, stored_fields=fields)


def _collection(kept: Stored, places: Places, called: Sequence[Field] = ()) -> Collection:
    structure, document = kept.structure, kept.document
    label, explained = labelled(structure.get("comment"), structure["table"])
    key = tuple(document.get("key") or structure["key"])
    fields = tuple(_field(kept, column, key, places) for column in structure["columns"])
    columns = {item.name for item in fields}
    by_name = {item.name: item for item in fields}
    computed = tuple(
        _computed(kept, name, says, by_name)
        for name, says in _said_of_fields(document).items()
        if says.get("computed") and name not in columns
    )
    computed += tuple(
        _called(item, _said_of_fields(document).get(item.name, {}), by_name) for item in called if _may_be(item, by_name, computed)
    )
    known = columns | {item.name for item in computed}
    shown = [item for item in fields if not item.hidden]
    unknown = sorted(
        (set(_said_of_fields(document)) | {name for place in LISTS for name in document.get(place) or ()}) - known
        | (set(document.get("search") or ()) | set(key)) - columns
    )
    if unknown:
        raise DefinitionError(
            f"The collection {kept.id} names columns that the source does not have: {', '.join(unknown)}.",
            details=[{"field": name, "reason": "There is no such column."} for name in unknown],
        )
    made = Collection(
        id=kept.id,
        source=kept.source,
        schema=structure["schema"],
        table=structure["table"],
        kind=structure["kind"],
        dialect=structure["dialect"],
        label=document.get("label") or label,
        label_one=document.get("label_one") or humanised(structure["table"]),
        help=document.get("help") or explained,
        key=key,
        stored_fields=fields,
        segments=tuple(
            Segment(item["id"], item["label"], item.get("filter") or "", tuple(item.get("roles") or ()), item.get("sql"))
            for item in document.get("segments", ())
            if item.get("enabled", True)
        ),
        title=document.get("title") or _title(shown, key),
        subject=document.get("subject"),
        columns=tuple(
            document.get("columns")
            or [item.name for item in [item for item in shown if item.type not in SHOWN_ONLY] or shown][:MOST_COLUMNS]
        ),
        summary=document.get("summary") or {},
        search=tuple(document.get("search") or ()),
        sort=document.get("sort"),
        position=kept.position,
        computed_fields=computed,
        validation=tuple(Rule(item["if"], item["message"], item.get("field")) for item in document.get("validation") or ()),
        details=_named(document.get("details")),
        form=_named(document.get("form")),
        new=_named(document.get("new")),
    )
    _check(made)
    return made


def _said_of_fields(document: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    return document.get("fields") or {}


def _named(names: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


def _computed(kept: Stored, name: str, says: Mapping[str, Any], columns: Mapping[str, Field]) -> Field:
    """A computed field: personal and sensitive like its inputs, unless the document says otherwise."""
    text = says["computed"]
    try:
        inputs = frozenset(fields_of(text))
    except ExpressionError as error:
        reason = f"{kept.id}.{name}, computed: {error.message}"
        raise DefinitionError(reason, details=[{"field": f"fields.{name}.computed", "reason": error.message}]) from None
    kind = says.get("type") or "text"
    made_of = [columns[one] for one in inputs if one in columns]
    if hidden := sorted(one.name for one in made_of if one.hidden):
        reason = f"It is made of {', '.join(hidden)}, which nobody may see here."
        raise DefinitionError(f"{kept.id}.{name}: {reason}", details=[{"field": f"fields.{name}.computed", "reason": reason}])
    sensitive = bool(says.get("sensitive", any(one.sensitive for one in made_of)))
    personal = bool(says.get("personal", any(one.personal for one in made_of)))
    return Field(
        name, says.get("label") or humanised(name), kind, STORED_AS.get(kind, kind),
        options=tuple(_option(item) for item in says["options"]) if says.get("options") else None,
        readonly=True, sensitive=sensitive, personal=personal, help=says.get("help"), hidden=bool(says.get("hidden", False)),
        computed=text, inputs=inputs, ai=_made_treatment(name, says, kind, made_of, sensitive=sensitive),
        author=_author(name, kind, says, made_of), **_look_of(says),
    )  # fmt: skip


def _may_be(item: Field, columns: Mapping[str, Field], computed: Sequence[Field]) -> bool:
    """Whether a function's field has a new name and only visible inputs."""
    free = item.name not in columns and item.name not in {one.name for one in computed}
    return free and all(name in columns and not columns[name].hidden for name in item.inputs)


def _called(item: Field, says: Mapping[str, Any], columns: Mapping[str, Field]) -> Field:
    """A field from a function, named and displayed as the document says."""
    made_of = [columns[name] for name in item.inputs]
    sensitive = bool(says.get("sensitive", any(one.sensitive for one in made_of)))
    personal = bool(says.get("personal", any(one.personal for one in made_of)))
    return replace(
        item, label=says.get("label") or item.label, help=says.get("help"), hidden=bool(says.get("hidden", False)), sensitive=sensitive,
        personal=personal, ai=_made_treatment(item.name, says, item.type, made_of, sensitive=sensitive),
        author=_author(item.name, item.type, says, made_of), **_look_of(says),
    )  # fmt: skip


def _made_treatment(name: str, says: Mapping[str, Any], kind: str, made_of: Sequence[Field], *, sensitive: bool) -> treatment.Ai:
    """What a model gets of a computed field: the strictest of its inputs, unless the document says otherwise; nothing of secrets."""
    usually = treatment.least([*(one.ai for one in made_of), treatment.usual(name, kind, widget=says.get("widget"), sensitive=sensitive)])
    closed = treatment.secret(name) or any(treatment.secret(one.name, one.stored) for one in made_of)
    return treatment.treatment_for(says.get("ai"), usually, closed=closed)


def _look_of(says: Mapping[str, Any]) -> dict[str, Any]:
    """Display settings of the field in the document."""
    return {
        "widget": says.get("widget"),
        "lines": says.get("lines"),
        "currency": says.get("currency"),
        "minor": bool(says.get("minor", False)),
    }


def _check(made: Collection) -> None:
    """Raises DefinitionError for unreadable expressions in the document."""
    texts = [("title", made.title, True), *((f"segments.{item.id}", item.filter, False) for item in made.segments if item.sql is None)]
    texts += [(f"fields.{item.name}.computed", item.computed, False) for item in made.computed_fields if item.computed]
    rules = [("validation", made.validation), *((f"fields.{item.name}.validation", item.validation) for item in made.stored_fields)]
    for place, ruled in rules:
        texts += [(f"{place}[{number}].if", rule.if_, False) for number, rule in enumerate(ruled)]
        texts += [(f"{place}[{number}].message", rule.message, True) for number, rule in enumerate(ruled)]
    for place, text, template in texts:
        try:
            missing = sorted(fields_of(text, template=template) - made.by_name.keys())
        except ExpressionError as error:
            raise DefinitionError(f"{made.id}, {place}: {error.message}", details=[{"field": place, "reason": error.message}]) from None
        if missing:
            message = f"{made.id}, {place}: there is no column {', '.join(missing)}."
            raise DefinitionError(message, details=[{"field": place, "reason": message}])


def _field(kept: Stored, column: Mapping[str, Any], key: Sequence[str], places: Places) -> Field:
    name = column["name"]
    says: Mapping[str, Any] = _said_of_fields(kept.document).get(name, {})
    label, explained = labelled(column.get("comment"), name)
    options = says.get("options", column.get("options"))
    references = _referred(kept, name, places)
    drawn = "file" if says.get("widget") in {"image", "file"} else None
    kind = says.get("type") or drawn or ("reference" if references else _shown_as(column, bool(options)))
    if kind not in FIELD_TYPES:
        raise DefinitionError(
            f"{kept.id}.{name}: there is no field type '{kind}'.", details=[{"field": name, "reason": f"unknown type {kind}"}]
        )
    fixed = (
        kept.structure["kind"] == "view"
        or bool(kept.structure.get("read_only"))
        or name in key
        or bool(column.get("generated"))
        or kind in SHOWN_ONLY
        or not key
    )
    personal = bool(
        says.get("personal", bool(kept.document.get("subject")) and name not in key and (kind in PERSONAL_TYPES or "birth" in name))
    )
    sensitive = bool(says.get("sensitive", False))
    return Field(
        name=name,
        label=says.get("label") or label,
        type=kind,
        stored=_kept_as(column, kind),
        native=column.get("native", ""),
        items=column.get("items"),
        nullable=column["nullable"],
        options=tuple(_option(item) for item in options) if options else None,
        readonly=bool(says.get("readonly", False)) or fixed,
        sensitive=sensitive,
        references=says.get("references", references),
        personal=personal,
        max_length=column.get("max_length"),
        least=column.get("least"),
        most=column.get("most"),
        precision=column.get("precision"),
        scale=column.get("scale"),
        help=says.get("help") or explained,
        hidden=bool(says.get("hidden", False)),
        format=says.get("format"),
        validation=tuple(Rule(item["if"], item["message"], name) for item in says.get("validation") or ()),
        ai=treatment.treatment_for(
            says.get("ai"),
            treatment.usual(name, kind, form=says.get("format"), widget=says.get("widget"), personal=personal, sensitive=sensitive),
            closed=treatment.secret(name, _kept_as(column, kind)),
        ),
        author=_author(name, kind, says),
        required=bool(says.get("required", False)),
        default=says.get("default"),
        governed=_governors(kept.document, name),
        **_look_of(says) | ({} if says.get("widget") or options or references or says.get("references") else _coded(name, column)),
    )


def _governors(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Slugs of the workflows that alone write the column."""
    said = (document.get("governed") or {}).get(name) or ()
    return (said,) if isinstance(said, str) else tuple(said)


CODE_WORDS: Mapping[str, tuple[int, frozenset[str]]] = {
    "country": (2, frozenset({"country", "countries", "nationality", "nationalities", "citizenship", "citizenships"})),
    "language": (2, frozenset({"language", "languages"})),
    "currency": (3, frozenset({"currency", "currencies"})),
}
"""Widget for codes → their length, and the last word of names of columns that hold them."""


def _coded(name: str, column: Mapping[str, Any]) -> dict[str, Any]:
    """The widget of a column that holds codes of countries, languages or currencies, by its name and length, or by its name and `_code`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().removesuffix("_code").split("_")
    if column["stored"] not in ("text", "array"):
        return {}
    long = column.get("max_length")
    found = (widget for widget, (length, last) in CODE_WORDS.items() if words[-1] in last and long in (None, length))
    return {"widget": widget} if (widget := next(found, None)) else {}


def _author(name: str, kind: str, says: Mapping[str, Any], made_of: Sequence[Field] = ()) -> Author:
    """Who writes a field's content; for a computed field, anybody who writes one of its inputs."""
    told: Author | None = says.get("author")
    foreign = kind in FREE_TYPES or (kind == "text" and treatment.said_by_others(name)) or any(one.author == "customer" for one in made_of)
    return told or ("customer" if foreign else "system")


def _referred(kept: Stored, name: str, places: Places) -> str | None:
    """The collection whose keys the column has, by its foreign key."""
    for foreign in kept.structure.get("foreign_keys", ()):
        target = places.get((kept.source, foreign["schema"], foreign["table"]))
        if target is not None and list(foreign["columns"]) == [name] and list(foreign["target"]) == list(target.structure["key"]):
            return target.id
    return None


def _kept_as(column: Mapping[str, Any], kind: str) -> str:
    """The kind of a column; a document may declare text as days, moments or JSON (SQLite has no such types)."""
    stored = str(column["stored"])
    said = {"date": "date", "datetime": "datetime", "time": "time", "json": "json", "uuid": "uuid", "boolean": "boolean"}.get(kind)
    return said if said and stored in {"text", "integer"} and (kind != "boolean" or stored == "integer") else stored


def _option(item: Any) -> Option:
    return (
        Option(item["value"], item.get("label") or humanised(item["value"]), item.get("tone"))
        if isinstance(item, Mapping)
        else Option(str(item), humanised(str(item)))
    )


NAMED_TYPES = (
    (re.compile(r"(.*_)?e?mail(_address)?"), "email"),
    (re.compile(r"(.*_)?(phone|mobile|telephone)(_no|_number)?"), "phone"),
    (re.compile(r"(.*_)?(url|website|homepage)"), "url"),
    (re.compile(r"(.*_)?(notes?|body|narrative|description|comments?|transcript)"), "long_text"),
)


def _shown_as(column: Mapping[str, Any], listed: bool) -> str:
    """The field type of a column without one in the document."""
    stored = str(column["stored"])
    if stored == "text":
        if listed:
            return "enum"
        named = next((kind for pattern, kind in NAMED_TYPES if pattern.fullmatch(column["name"].lower())), "text")
        return "long_text" if column.get("long") else named
    if stored == "array" and listed:
        return "multi_enum"
    return stored


def _title(shown: Sequence[Field], key: Sequence[str]) -> str:
    """Default title template: a telling column, else the first text, else the key."""
    names = {item.name for item in shown if item.stored == "text"}
    texts = [item.name for item in shown if item.stored == "text" and item.type in {"text", "email"} and not item.sensitive]
    chosen = [name for name in TITLES if name in names][:1] or texts[:1] or list(key)
    return " ".join(f"{{{{ {_path(name)} }}}}" for name in chosen)


def _path(name: str) -> str:
    if PLAIN_NAME.fullmatch(name):
        return f"record.{name}"
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'record["{quoted}"]' if not name.startswith("_") and "}}" not in name else '""'


def _link(links: dict[str, list[Relation]], made: Mapping[str, Collection], here: str, there: str, foreign: Mapping[str, Any]) -> None:
    """The two relations of a foreign key: to the referenced record, and back to the referring ones."""
    pairs = tuple(zip(foreign["columns"], foreign["target"], strict=True))
    one = foreign["columns"][0].removesuffix("_id") if len(pairs) == 1 else made[there].table
    links[here].append(Relation(one, made[there].label_one, there, "to_one", pairs, exact=True))
    back = tuple((target, column) for column, target in pairs)
    links[there].append(Relation(made[here].table, made[here].label, here, "to_many", back))


def _relations(made: Mapping[str, Collection], own: Collection, found: list[Relation], document: Mapping[str, Any]) -> tuple[Relation, ...]:
    """Relations from foreign keys and document, each name once: a document's relation replaces the one with the same columns.

    Relations to collections that are not connected are left out.
    """
    said = [_declared_relation(made, own, item) for item in document.get("relations", ()) if item["collection"] in made]
    warranted = {(item.collection, item.kind, frozenset(item.columns)) for item in found if item.exact}
    said = [replace(item, exact=item.exact or (item.collection, item.kind, frozenset(item.columns)) in warranted) for item in said]
    same = {(item.collection, item.kind, frozenset(item.columns)) for item in said}
    result = list(said)
    taken = {item.name for item in said}
    rest = [item for item in found if (item.collection, item.kind, frozenset(item.columns)) not in same]
    for item in sorted(rest, key=lambda item: (item.kind != "to_one", item.name, item.columns)):
        name = _free(item, taken, [other for other in rest if other is not item and other.name == item.name])
        taken.add(name)
        alike = item.kind == "to_one" and (
            item.collection == own.id or sum(item.kind == other.kind and item.collection == other.collection for other in rest) > 1
        )
        result.append(replace(item, name=name, label=item.label if name == item.name and not alike else humanised(name)))
    return tuple(sorted(result, key=lambda item: item.kind != "to_one"))


def _free(relation: Relation, taken: set[str], rivals: list[Relation]) -> str:
    """A free name: the plain one, else with the referring column, else numbered."""
    column = relation.columns[0][1] if relation.kind == "to_many" else relation.columns[0][0]
    candidates = [relation.name] if not rivals or relation.kind == "to_one" else []
    candidates += [f"{relation.name}_by_{column.removesuffix('_id')}", f"{relation.name}_by_{column}"]
    numbered = (f"{relation.name}_{number}" for number in range(2, len(taken) + 3))
    return next(name for name in (*candidates, *numbered) if name not in taken)


def _declared_relation(made: Mapping[str, Collection], own: Collection, item: Mapping[str, Any]) -> Relation:
    target = made[item["collection"]]
    via = [item["via"]] if isinstance(item["via"], str) else list(item["via"])
    one, many = (own, target) if item["kind"] == "to_one" else (target, own)
    to = item.get("to") or list(many.key)
    to = [to] if isinstance(to, str) else list(to)
    if len(to) != len(via) or not set(via) <= one.by_name.keys() or not set(to) <= many.by_name.keys():
        message = f"{own.id}, relation {item['name']}: {', '.join(via)} does not lead to {', '.join(to) or 'a key'} of {many.id}."
        raise DefinitionError(message, details=[{"field": f"relations.{item['name']}", "reason": message}])
    pairs = tuple(zip(via, to, strict=True)) if item["kind"] == "to_one" else tuple(zip(to, via, strict=True))
    return Relation(
        item["name"],
        item.get("label") or (target.label_one if item["kind"] == "to_one" else target.label),
        target.id,
        item["kind"],
        pairs,
        exact=item["kind"] == "to_one" and bool(target.key) and set(target.key) <= set(to),
    )
