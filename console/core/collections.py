"""What a collection is: fields, relations, segments and layout, put together from what the source has and what its document says.

Pure: `assemble` takes the reflected structures and the documents of all collections and gives the finished `Collection`s.
A structure is what `console.records.reflect` stores; a document is described in the reference of collections.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeAlias

from console.core import expressions, nodes, operands
from console.core.expressions import ExpressionError
from console.core.scopes import Scope
from console.errors import DefinitionError

FIELD_TYPES = frozenset(
    {"text", "long_text", "integer", "decimal", "money", "boolean", "date", "datetime", "time", "enum", "multi_enum", "reference"}
    | {"uuid", "email", "phone", "url", "json", "array", "binary", "file", "other"}
)
SHOWN_ONLY = frozenset({"other", "binary"})
PERSONAL_TYPES = frozenset({"text", "long_text", "email", "phone", "json", "file"})
TITLES = ("display_name", "name", "title", "label", "legal_name", "company_name", "full_name", "subject", "description", "code")
MOST_COLUMNS = 8
LONGEST_LABEL = 60
PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

# How a value is kept decides what it can be compared with; how it is shown is the field's type.
CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "integer": operands.number_of,
    "decimal": operands.number_of,
    "date": operands.date_of,
    "datetime": operands.moment_of,
    "time": operands.time_of,
    "uuid": operands.uuid_of,
}


@dataclass(frozen=True, slots=True)
class Option:
    """One of the values that a field may have."""

    value: str
    label: str

    def to_json(self) -> dict[str, str]:
        """`{value, label}`."""
        return {"value": self.value, "label": self.label}


@dataclass(frozen=True, slots=True)
class Field:
    """A column as the console shows it.

    `stored` is how the source keeps it: integer decimal text boolean date datetime time uuid json array binary other; `native` the
    source's own name of the type; `items` what an array holds. `least` and `most` bound integers, `scale` counts decimal places.
    """

    name: str
    label: str
    type: str
    stored: str
    native: str = ""
    items: str | None = None
    nullable: bool = True
    options: tuple[Option, ...] | None = None
    readonly: bool = False
    sensitive: bool = False
    references: str | None = None
    personal: bool = False
    max_length: int | None = None
    least: int | None = None
    most: int | None = None
    precision: int | None = None
    scale: int | None = None
    help: str | None = None
    hidden: bool = False

    @property
    def sortable(self) -> bool:
        """Whether it has an order that every page of a list can rely on."""
        return self.stored in {"integer", "decimal", "text", "boolean", "date", "datetime", "time", "uuid"}

    @property
    def comparable(self) -> bool:
        """Whether it may be compared by < and >. Text may not: collations differ."""
        return self.stored in {"integer", "decimal", "date", "datetime", "time"}

    def to_json(self) -> dict[str, Any]:
        """The field in the shape of the API."""
        return {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "nullable": self.nullable,
            "options": [option.to_json() for option in self.options] if self.options is not None else None,
            "readonly": self.readonly,
            "sensitive": self.sensitive,
            "references": self.references,
            "max_length": self.max_length,
            "help": self.help,
        }


@dataclass(frozen=True, slots=True)
class Relation:
    """A way from a record to others. `columns` are pairs: column here, column there."""

    name: str
    label: str
    collection: str
    kind: str  # to_one | to_many
    columns: tuple[tuple[str, str], ...]

    def to_json(self) -> dict[str, str]:
        """The relation in the shape of the API."""
        return {"name": self.name, "label": self.label, "collection": self.collection, "kind": self.kind}


@dataclass(frozen=True, slots=True)
class Segment:
    """A saved filter: an expression over `record`."""

    id: str
    label: str
    filter: str

    def to_json(self) -> dict[str, str]:
        """The segment in the shape of the API."""
        return {"id": self.id, "label": self.label}


@dataclass(frozen=True)
class Collection:
    """A table or view of a data source as the console shows it. `stored_fields` are all columns, `fields` those that are not hidden."""

    id: str
    source: str
    schema: str | None
    table: str
    kind: str
    label: str
    label_one: str
    key: tuple[str, ...]
    stored_fields: tuple[Field, ...]
    dialect: str = ""
    relations: tuple[Relation, ...] = ()
    segments: tuple[Segment, ...] = ()
    title: str = ""
    subject: str | None = None
    columns: tuple[str, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)
    search: tuple[str, ...] = ()
    sort: str | None = None
    help: str | None = None
    position: int = 0

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The fields that the collection shows, in order."""
        return tuple(item for item in self.stored_fields if not item.hidden)

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """Every column by its name, hidden ones too."""
        return {item.name: item for item in self.stored_fields}

    @cached_property
    def personal_key(self) -> bool:
        """Whether the key itself says something about a person (an IBAN): then the log names its records by a random reference."""
        return any(self.by_name[name].personal or self.by_name[name].sensitive for name in self.key)

    def field(self, name: str) -> Field | None:
        """The field of that name; None where there is none, or it is hidden for everybody."""
        found = self.by_name.get(name)
        return None if found is None or found.hidden else found

    def readable(self, scope: Scope) -> tuple[Field, ...]:
        """Fields that the scope's owner may read."""
        return tuple(item for item in self.fields if item.name not in scope.hidden)

    def relation(self, name: str) -> Relation | None:
        """The relation of that name, or None."""
        return next((item for item in self.relations if item.name == name), None)

    def segment(self, segment_id: str) -> Segment | None:
        """The segment of that id, or None."""
        return next((item for item in self.segments if item.id == segment_id), None)

    def typed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values with numbers, days, moments and UUIDs in their types, for expressions; what is not so formed stays as it is."""
        return {name: self._typed(name, value) for name, value in values.items()}

    def _typed(self, name: str, value: Any) -> Any:
        known = self.by_name.get(name)
        convert = CONVERSIONS.get(known.stored) if known else None
        if convert is None or value is None:
            return value
        converted = convert(value)
        return value if converted is None else converted

    def title_of(self, values: Mapping[str, Any], key: str | None) -> str:
        """How the record is called, from the values that its reader may see; the key where the title comes to nothing."""
        return expressions.render(self.title, {"record": self._spoken(values)}).strip() or (key if key is not None else self.label_one)

    def _spoken(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values with the labels of options in place of what is stored."""
        labels = {
            name: {option.value: option.label for option in field.options or ()}
            for name, field in self.by_name.items()
            if name in self.title_fields
        }
        return {name: labels.get(name, {}).get(value, value) if isinstance(value, str) else value for name, value in values.items()}

    @cached_property
    def title_fields(self) -> tuple[str, ...]:
        """Columns that the title is made of."""
        return tuple(sorted(fields_of(self.title, template=True) & self.by_name.keys()))

    def head(self) -> dict[str, Any]:
        """The collection as one of a list."""
        return {"id": self.id, "label": self.label, "source": self.source, "kind": self.kind, "key": list(self.key)}

    def to_json(self, scope: Scope) -> dict[str, Any]:
        """The collection in the shape of the API, without the fields that the scope hides."""
        readable = self.readable(scope)
        return {
            **self.head(),
            "label_one": self.label_one,
            "help": self.help,
            "fields": [replace(item, readonly=item.readonly or item.name in scope.fixed).to_json() for item in readable],
            "relations": [relation.to_json() for relation in self.relations],
            "segments": [segment.to_json() for segment in self.segments if not fields_of(segment.filter) & scope.hidden],
            "actions": [],
        }


@dataclass(frozen=True, slots=True)
class Stored:
    """A collection as it is kept: the reflected structure and the document."""

    id: str
    source: str
    structure: Mapping[str, Any]
    document: Mapping[str, Any]
    position: int = 0


Places: TypeAlias = Mapping[tuple[str, str | None, str], Stored]


def fields_of(text: str, *, template: bool = False) -> set[str]:
    """Names of the record's columns that an expression or a template looks at."""
    found = expressions.templates(text) if template else [expressions.parse(text)]
    paths = [node for item in found for node in nodes.walk(item.node) if isinstance(node, nodes.Path)]
    return {str(path.steps[0]) for path in paths if path.root == "record" and path.steps}


def humanised(name: str) -> str:
    """`customer_no` as people write it: "Customer no"."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").replace("-", " ").split()
    text = " ".join(words) or name
    return text[:1].upper() + text[1:]


def labelled(comment: str | None, name: str) -> tuple[str, str | None]:
    """(label, help) from a comment: a short one is the label, a long one explains the humanised name."""
    text = (comment or "").strip()
    if not text:
        return humanised(name), None
    return (text, None) if len(text) <= LONGEST_LABEL and "\n" not in text else (humanised(name), text)


def assemble(kept: Iterable[Stored]) -> dict[str, Collection]:
    """Every collection by id. Raises DefinitionError naming the collection and what its document says wrongly."""
    items = list(kept)
    places = {(item.source, item.structure["schema"], item.structure["table"]): item for item in items}
    made = {item.id: _collection(item, places) for item in items}
    links: dict[str, list[Relation]] = {item.id: [] for item in items}
    for item in items:
        for foreign in item.structure.get("foreign_keys", ()):
            target = places.get((item.source, foreign["schema"], foreign["table"]))
            if target is not None:
                _link(links, made, item.id, target.id, foreign)
    return {item.id: replace(made[item.id], relations=_relations(made, made[item.id], links[item.id], item.document)) for item in items}


def _collection(kept: Stored, places: Places) -> Collection:
    structure, document = kept.structure, kept.document
    label, explained = labelled(structure.get("comment"), structure["table"])
    key = tuple(document.get("key") or structure["key"])
    fields = tuple(_field(kept, column, key, places) for column in structure["columns"])
    known = {item.name for item in fields}
    shown = [item for item in fields if not item.hidden]
    unknown = sorted(
        (set(document.get("fields", {})) | set(document.get("columns", ())) | set(document.get("search", ())) | set(key)) - known
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
        segments=tuple(Segment(item["id"], item["label"], item["filter"]) for item in document.get("segments", ())),
        title=document.get("title") or _title(shown, key),
        subject=document.get("subject"),
        columns=tuple(document.get("columns") or [item.name for item in shown if item.type not in SHOWN_ONLY][:MOST_COLUMNS]),
        summary=document.get("summary") or {},
        search=tuple(document.get("search") or ()),
        sort=document.get("sort"),
        position=kept.position,
    )
    _check(made)
    return made


def _check(made: Collection) -> None:
    """The texts of the document that are expressions can be read."""
    texts = [("title", made.title, True), *((f"segments.{item.id}", item.filter, False) for item in made.segments)]
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
    says: Mapping[str, Any] = kept.document.get("fields", {}).get(name, {})
    label, explained = labelled(column.get("comment"), name)
    options = says.get("options", column.get("options"))
    references = _referred(kept, name, places)
    kind = says.get("type") or ("reference" if references else _shown_as(column, bool(options)))
    if kind not in FIELD_TYPES:
        raise DefinitionError(
            f"{kept.id}.{name}: there is no field type '{kind}'.", details=[{"field": name, "reason": f"unknown type {kind}"}]
        )
    fixed = kept.structure["kind"] == "view" or name in key or bool(column.get("generated")) or kind in SHOWN_ONLY or not key
    personal = bool(kept.document.get("subject")) and name not in key and (kind in PERSONAL_TYPES or "birth" in name)
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
        sensitive=bool(says.get("sensitive", False)),
        references=says.get("references", references),
        personal=bool(says.get("personal", personal)),
        max_length=column.get("max_length"),
        least=column.get("least"),
        most=column.get("most"),
        precision=column.get("precision"),
        scale=column.get("scale"),
        help=says.get("help") or explained,
        hidden=bool(says.get("hidden", False)),
    )


def _referred(kept: Stored, name: str, places: Places) -> str | None:
    """The collection whose keys the column holds, by a foreign key of its own."""
    for foreign in kept.structure.get("foreign_keys", ()):
        target = places.get((kept.source, foreign["schema"], foreign["table"]))
        if target is not None and list(foreign["columns"]) == [name] and list(foreign["target"]) == list(target.structure["key"]):
            return target.id
    return None


def _kept_as(column: Mapping[str, Any], kind: str) -> str:
    """A document may say that a text column holds days, moments or JSON (SQLite has no such types)."""
    stored = str(column["stored"])
    said = {"date": "date", "datetime": "datetime", "time": "time", "json": "json", "uuid": "uuid", "boolean": "boolean"}.get(kind)
    return said if said and stored in {"text", "integer"} and (kind != "boolean" or stored == "integer") else stored


def _option(item: Any) -> Option:
    return (
        Option(item["value"], item.get("label") or humanised(item["value"]))
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
    """The field type of a column that its document says nothing about."""
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
    """A template for records whose document names none: a telling column, else the first text, else the key."""
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
    """The two relations that a foreign key is: to the one it names, and back to the many that name it."""
    pairs = tuple(zip(foreign["columns"], foreign["target"], strict=True))
    one = foreign["columns"][0].removesuffix("_id") if len(pairs) == 1 else made[there].table
    links[here].append(Relation(one, made[there].label_one, there, "to_one", pairs))
    back = tuple((target, column) for column, target in pairs)
    links[there].append(Relation(made[here].table, made[here].label, here, "to_many", back))


def _relations(made: Mapping[str, Collection], own: Collection, found: list[Relation], document: Mapping[str, Any]) -> tuple[Relation, ...]:
    """Relations found and said, each name once: what the document names replaces what was found by the same columns.

    What a document says about a collection that is not connected (yet) leads nowhere, and is left out.
    """
    said = [_said(made, own, item) for item in document.get("relations", ()) if item["collection"] in made]
    same = {(item.collection, item.kind, frozenset(item.columns)) for item in said}
    result = list(said)
    taken = {item.name for item in said}
    rest = [item for item in found if (item.collection, item.kind, frozenset(item.columns)) not in same]
    for item in sorted(rest, key=lambda item: (item.kind != "to_one", item.name, item.columns)):
        name = _free(item, taken, [other for other in rest if other is not item and other.name == item.name])
        taken.add(name)
        result.append(replace(item, name=name, label=item.label if name == item.name else humanised(name)))
    return tuple(sorted(result, key=lambda item: item.kind != "to_one"))


def _free(relation: Relation, taken: set[str], rivals: list[Relation]) -> str:
    """A name that nobody has: the plain one, else with the column that leads there, else numbered."""
    column = relation.columns[0][1] if relation.kind == "to_many" else relation.columns[0][0]
    candidates = [relation.name] if not rivals or relation.kind == "to_one" else []
    candidates += [f"{relation.name}_by_{column.removesuffix('_id')}", f"{relation.name}_by_{column}"]
    numbered = (f"{relation.name}_{number}" for number in range(2, len(taken) + 3))
    return next(name for name in (*candidates, *numbered) if name not in taken)


def _said(made: Mapping[str, Collection], own: Collection, item: Mapping[str, Any]) -> Relation:
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
        item["name"], item.get("label") or (target.label_one if item["kind"] == "to_one" else target.label), target.id, item["kind"], pairs
    )
