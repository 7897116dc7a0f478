"""Assembling collections from the database structure and the documents.

Pure: `assemble` takes the reflected structures and documents of all collections and returns the finished `Collection`s. A structure is what
`console.records.reflect` stores; the document is described in `collection_document`.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeAlias

from console.core.counted_moments import UNITS, is_counted
from console.core.documents.collections import (
    field_guesses,
    polymorphic_references,
    relating,
    secret_fields,
    treatment,
)
from console.core.documents.collections.default_titles import (
    default_columns,
    default_title,
    parts_in_title,
    random_keys,
)
from console.core.documents.collections.labels import explained, led_to, one_of
from console.core.documents.collections.model import (
    FIELD_TYPES,
    SHOWN_ONLY,
    Author,
    Changes,
    Collection,
    Field,
    Option,
    Relation,
    Rule,
    fields_of,
    offered_segments,
)
from console.core.documents.collections.same_labels import told_apart
from console.core.errors import DefinitionError
from console.core.expressions import ExpressionError
from console.core.plain_words import humanised

PERSONAL_TYPES = frozenset({"text", "long_text", "email", "phone", "json", "file"})
FREE_TYPES = frozenset({"long_text", "json", "array", "file", "binary", "other"})
"""Field types that may contain text from anybody, unless the document names the author."""
STORED_AS = {
    "long_text": "text",
    "money": "decimal",
    "enum": "text",
    "multi_enum": "array",
    "reference": "text",
    "email": "text",
    "phone": "text",
    "url": "text",
    "file": "text",
}
"""Kind of comparison for computed fields of this type, where names differ."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored collection: reflected structure and document."""

    id: str
    source: str
    structure: Mapping[str, Any]
    document: Mapping[str, Any]
    position: int = 0


MAY_MEAN_NONE = frozenset({"integer", "decimal", "text", "date", "datetime", "uuid"})
"""Kinds of columns some of whose values may mean "none"."""
LISTS = ("columns", "details", "form", "new")
"""Keys of a document that list fields in order."""

Places: TypeAlias = Mapping[tuple[str, str | None, str], Stored]
Alike: TypeAlias = Mapping[tuple[str, str, str], str]


def assemble(
    kept: Iterable[Stored], called: Mapping[str, Sequence[Field]] = MappingProxyType({})
) -> dict[str, Collection]:
    """Collection id → collection. `called`: collection → fields from company functions.

    Raises DefinitionError naming the collection and its error.
    """
    every = list(kept)
    places = {(item.source, item.structure["schema"], item.structure["table"]): item for item in every}
    items = [
        relating.with_said_keys(item, every) if item.document.get("relations") else item for item in every
    ]
    alike = _led_alike(items, places)
    marks = _marks(items)
    pointed = polymorphic_references.all_pairs(items)
    computed = {
        item.id: (
            *polymorphic_references.fields(item, pointed),
            *polymorphic_references.joined(item, places),
            *called.get(item.id, ()),
        )
        for item in items
    }
    made = {
        item.id: _made(
            Recipe.of(item, places, computed[item.id], alike, marks[item.source, item.structure["schema"]])
        )
        for item in items
    }
    links: dict[str, list[Relation]] = {item.id: [] for item in items}
    for item in items:
        for foreign in item.structure.get("foreign_keys", ()):
            target = places.get((item.source, foreign["schema"], foreign["table"]))
            if target is not None:
                relating.link(links, made, item.id, target.id, foreign)
        for led_from, relation in polymorphic_references.reverse_relations(made[item.id], pointed, made):
            links[led_from].append(relation)
    relating.label_ends({item.id: item.structure for item in items}, links, made)
    related = {
        item.id: relating.relations(made, made[item.id], links[item.id], item.document) for item in items
    }
    finished = {
        item.id: _referring(replace(made[item.id], relations=related[item.id]), made) for item in items
    }
    return told_apart(finished)


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
    fields = tuple(
        replace(item, references=led[item.name]) if item.name in alone else item for item in own.stored_fields
    )
    return replace(own, stored_fields=fields)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a collection is made of. Equal recipes make the same collection, so that of thousands only the changed ones are made again."""

    digest: str
    kept: Stored = field(compare=False)
    led: Mapping[str, str] = field(compare=False)
    called: tuple[Field, ...] = field(compare=False)
    mark: str = field(compare=False)

    @classmethod
    def of(
        cls, kept: Stored, places: Places, called: tuple[Field, ...], alike: Alike, mark: str = ""
    ) -> "Recipe":
        """`led`: column with a foreign key → collection that it leads to; in a view, where every table has the column lead to one and the same.

        `mark`: what the names of the tables of its schema begin with, which is no part of its label.
        """
        led = dict(reversed([*_led(kept, places)]))  # of two foreign keys of one column the first counts
        if kept.structure["kind"] == "view":
            led = {
                one["name"]: to
                for one in kept.structure["columns"]
                if (to := alike.get((kept.source, one["name"], one["stored"])))
            }
        parts = [
            kept.id,
            kept.source,
            kept.position,
            kept.structure,
            kept.document,
            led,
            mark,
            [repr(item) for item in called],
        ]
        return cls(
            hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest(),
            kept,
            led,
            called,
            mark,
        )


def _led(kept: Stored, places: Places) -> Iterator[tuple[str, str]]:
    """Columns that hold the keys of another collection, by their foreign keys."""
    for foreign in kept.structure.get("foreign_keys", ()):
        target = places.get((kept.source, foreign["schema"], foreign["table"]))
        if (
            target is not None
            and len(foreign["columns"]) == 1
            and list(foreign["target"]) == list(target.structure["key"])
        ):
            yield foreign["columns"][0], target.id


def _led_alike(items: Sequence[Stored], places: Places) -> Alike:
    """(source, column, kind of its values) → the collection that every foreign key of a column of this name leads to, where the name says so: `supplier_id`."""
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for item in items:
        stored = {column["name"]: column["stored"] for column in item.structure["columns"]}
        for name, target in _led(item, places):
            found.setdefault((item.source, name), set()).add((target, stored.get(name, "")))
    only = {place: led for place, led in found.items() if len({target for target, _ in led}) == 1}
    return {
        (*place, kind): target
        for place, led in only.items()
        for target, kind in led
        if _says(place[1], target)
    }


def _marks(items: Sequence[Stored]) -> dict[tuple[str, str | None], str]:
    """(source, schema) → the mark that the names of its tables begin with."""
    tables: dict[tuple[str, str | None], list[str]] = {}
    for item in items:
        tables.setdefault((item.source, item.structure["schema"]), []).append(item.structure["table"])
    return {place: field_guesses.common_mark(names) for place, names in tables.items()}


def _says(column: str, target: str) -> bool:
    words = field_guesses.parts_of(column)
    return "".join(words[:-1] or words) in "".join(field_guesses.parts_of(target))


@lru_cache(maxsize=8192)
def _made(recipe: Recipe) -> Collection:
    return _collection(recipe.kept, recipe.led, recipe.called, recipe.mark)


def _collection(kept: Stored, led: Mapping[str, str], called: Sequence[Field], mark: str) -> Collection:
    from console.core.documents.collections.contact_document import (
        ContactDocument,  # pydantic: commands that read no document do without it
    )

    structure, document = kept.structure, kept.document
    label = humanised(field_guesses.table_words(structure["table"].removeprefix(mark)))
    key = tuple(document.get("key") or structure["key"])
    named, words = _named_in(document), field_guesses.column_words(structure["columns"])
    fields = _labelled(
        tuple(_field(kept, each, words, key, led.get(each["name"]), named) for each in structure["columns"]),
        document,
    )
    by_name = {item.name: item for item in fields}
    computed = tuple(
        _computed(kept, name, says, by_name)
        for name, says in _said_of_fields(document).items()
        if says.get("computed") and name not in by_name
    )
    computed += tuple(
        _called(item, _said_of_fields(document).get(item.name, {}), by_name)
        for item in called
        if _may_be(item, by_name, computed)
    )
    known = by_name.keys() | {item.name for item in computed}
    shown = [item for item in fields if not item.hidden]
    unknown = sorted(
        (set(_said_of_fields(document)) | {name for place in LISTS for name in document.get(place) or ()})
        - known
        | (set(document.get("search") or ()) | set(key)) - by_name.keys()
    )
    if unknown:
        raise DefinitionError(
            f"The collection {kept.id} names columns that the source does not have: {', '.join(unknown)}.",
            details=[(name, "There is no such column.") for name in unknown],
        )
    title = document.get("title") or default_title(structure, shown, key, one_of(label))
    listed = {place: None if document.get(place) is None else tuple(document[place]) for place in LISTS}
    made = Collection(
        id=kept.id,
        source=kept.source,
        schema=structure["schema"],
        table=structure["table"],
        kind=structure["kind"],
        dialect=structure["dialect"],
        label=document.get("label") or label,
        label_one=document.get("label_one") or one_of(label),
        help=document.get("help") or explained(structure.get("comment"), document.get("label") or label),
        key=key,
        stored_fields=fields,
        segments=offered_segments(document),
        title=title,
        titled=bool(document.get("title")),
        subject=document.get("subject"),
        columns=tuple(
            document.get("columns")
            or polymorphic_references.instead(
                default_columns(shown, random_keys(structure, key) | parts_in_title(fields, key, title)),
                computed,
            )
        ),
        summary=document.get("summary") or {},
        changes=None if document.get("changes") is None else _changes(document["changes"], by_name),
        search=tuple(document.get("search") or ()),
        sort=document.get("sort"),
        position=kept.position,
        lost=tuple(structure.get("set_aside", {}).get("lost", ())),
        computed_fields=computed,
        validation=tuple(
            Rule(item["if"], item["message"], item.get("field")) for item in document.get("validation") or ()
        ),
        details=listed["details"],
        form=listed["form"],
        new=listed["new"],
        contact=ContactDocument.model_validate(document["contact"]) if document.get("contact") else None,
    )
    _check(made)
    return made


CREATED = ("created_at", "created", "inserted_at", "created_on", "creation_date", "date_created")


def _changes(given: Mapping[str, Any], by_name: Mapping[str, Field]) -> Changes:
    """How changes are noticed; the column for new rows by its name, unless the document says which."""
    created = given.get("created") or next(
        (name for name in CREATED if name in by_name and by_name[name].stored in ("datetime", "date")), None
    )
    return Changes(
        given.get("column"),
        created,
        given.get("deleted"),
        int(given.get("every_s", 5)),
        bool(given.get("listen", False)),
    )


def _said_of_fields(document: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    return document.get("fields") or {}


def _computed(kept: Stored, name: str, says: Mapping[str, Any], columns: Mapping[str, Field]) -> Field:
    """A computed field: personal and sensitive like its inputs, unless the document says otherwise."""
    text = says["computed"]
    try:
        inputs = frozenset(fields_of(text))
    except ExpressionError as error:
        reason = f"{kept.id}.{name}, computed: {error.message}"
        raise DefinitionError(reason, at=(f"fields.{name}.computed", error.message)) from None
    kind = says.get("type") or "text"
    if hidden := sorted(name for name in inputs if name in columns and columns[name].hidden):
        reason = f"It is made of {', '.join(hidden)}, which nobody may see here."
        raise DefinitionError(f"{kept.id}.{name}: {reason}", at=(f"fields.{name}.computed", reason))
    made = Field(
        name,
        humanised(name),
        kind,
        STORED_AS.get(kind, kind),
        options=tuple(_option(item) for item in says["options"]) if says.get("options") else None,
        readonly=True,
        computed=text,
        inputs=inputs,
    )
    return _called(made, says, columns)


def _may_be(item: Field, columns: Mapping[str, Field], computed: Sequence[Field]) -> bool:
    """Whether a function's field has a new name and only visible inputs."""
    free = item.name not in columns and item.name not in {one.name for one in computed}
    return free and all(name in columns and not columns[name].hidden for name in item.inputs)


def _called(item: Field, says: Mapping[str, Any], columns: Mapping[str, Field]) -> Field:
    """A field that is made of others, named and displayed as the document says; a model gets of it what it gets of the strictest of them, and nothing of secrets."""
    made_of = [columns[name] for name in item.inputs if name in columns]
    sensitive = bool(says.get("sensitive", any(one.sensitive for one in made_of)))
    usually = treatment.usual(item.name, item.type, widget=says.get("widget"), sensitive=sensitive)
    closed = treatment.secret(item.name) or any(treatment.secret(one.name, one.stored) for one in made_of)
    return replace(
        item,
        label=says.get("label") or item.label,
        help=says.get("help"),
        hidden=bool(says.get("hidden", False)),
        sensitive=sensitive,
        personal=bool(says.get("personal", any(one.personal for one in made_of))),
        ai=treatment.treatment_for(
            says.get("ai"), treatment.least([*(one.ai for one in made_of), usually]), closed=closed
        ),
        author=_author(item.name, item.type, says, made_of),
        **_look_of(says),
    )


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
    texts = [
        ("title", made.title, True),
        *((f"segments.{item.id}", item.filter, False) for item in made.segments if item.sql is None),
    ]
    texts += [
        (f"fields.{item.name}.computed", item.computed, False)
        for item in made.computed_fields
        if item.computed
    ]
    rules = [
        ("validation", made.validation),
        *((f"fields.{item.name}.validation", item.validation) for item in made.stored_fields),
    ]
    for place, ruled in rules:
        texts += [(f"{place}[{number}].if", rule.if_, False) for number, rule in enumerate(ruled)]
        texts += [(f"{place}[{number}].message", rule.message, True) for number, rule in enumerate(ruled)]
    for place, text, template in texts:
        try:
            missing = sorted(fields_of(text, template=template) - made.by_name.keys())
        except ExpressionError as error:
            raise DefinitionError(f"{made.id}, {place}: {error.message}", at=(place, error.message)) from None
        if missing:
            raise DefinitionError(f"{made.id}, {place}: there is no column {', '.join(missing)}.", at=place)


def _labelled(fields: tuple[Field, ...], document: Mapping[str, Any]) -> tuple[Field, ...]:
    """The fields, references without "ID" in their labels unless another field is called so."""
    said = _said_of_fields(document)
    taken = {item.label for item in fields}
    return tuple(
        replace(item, label=led_to(item.label))
        if item.references and not said.get(item.name, {}).get("label") and led_to(item.label) not in taken
        else item
        for item in fields
    )


def _named_in(document: Mapping[str, Any]) -> frozenset[str]:
    """Columns that the document shows somewhere by name: somebody has decided that they are seen."""
    parts = (document.get("summary") or {}).get("sections") or ()
    listed = {name for place in (*LISTS, "search") for name in document.get(place) or ()} | {
        name for part in parts for name in part["fields"]
    }
    texts = [str(says["computed"]) for says in _said_of_fields(document).values() if says.get("computed")]
    try:
        used = {name for text in texts for name in fields_of(text)} | fields_of(
            document.get("title") or "", template=True
        )
    except ExpressionError:  # `_check` says where
        used = set()
    return frozenset(listed | used)


def _field(
    kept: Stored,
    column: Mapping[str, Any],
    words: Mapping[str, str],
    key: Sequence[str],
    references: str | None,
    named: frozenset[str],
) -> Field:
    name = column["name"]
    says: Mapping[str, Any] = _said_of_fields(kept.document).get(name, {})
    label = humanised(words[name])
    options = says.get("options", column.get("options"))
    drawn = "file" if says.get("widget") in {"image", "file"} else None
    marks = (
        "datetime"
        if field_guesses.is_change_mark(kept.structure, kept.document.get("changes") or {}, column)
        else None
    )
    plain = says.get("type") or marks or says.get("widget") or options or references or says.get("references")
    seen = {} if plain else field_guesses.look(column, words)
    kind = (
        says.get("type")
        or marks
        or drawn
        or (
            "reference"
            if references
            else seen.pop("type", None) or field_guesses.shown_as(column, listed=bool(options))
        )
    )
    if kind not in FIELD_TYPES:
        raise DefinitionError(
            f"{kept.id}.{name}: there is no field type '{kind}'.", at=(name, f"unknown type {kind}")
        )
    stored = field_guesses.kept_as(column, kind)
    fixed = (
        kept.structure["kind"] == "view"
        or bool(kept.structure.get("read_only"))
        or name in key
        or bool(column.get("generated"))
        or kind in SHOWN_ONLY
        or not key
    )
    personal = bool(
        says.get(
            "personal",
            bool(kept.document.get("subject"))
            and name not in key
            and (kind in PERSONAL_TYPES or "birth" in name),
        )
    )
    sensitive = bool(says.get("sensitive", False))
    label = re.sub(rf" \(?({'|'.join(field_guesses.CENTS)})\)?$", "", label) if seen.get("minor") else label
    secret = (
        None
        if "hidden" in says or name in named or name in key
        else secret_fields.hidden_because(kept.structure, column)
    )
    made = Field(
        name=name,
        label=says.get("label") or label,
        type=kind,
        stored=stored,
        native=field_guesses.MIDNIGHT
        if stored == "date" and column["stored"] == "datetime"
        else column.get("native", ""),
        items=column.get("items"),
        nullable=column["nullable"],
        single=bool(column.get("single")),
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
        help=says.get("help") or explained(column.get("comment"), says.get("label") or label),
        hidden=bool(says.get("hidden", secret is not None)),
        hidden_because=secret or "",
        format=says.get("format"),
        validation=tuple(Rule(item["if"], item["message"], name) for item in says.get("validation") or ()),
        ai=treatment.treatment_for(
            says.get("ai"),
            treatment.usual(
                name,
                kind,
                form=says.get("format"),
                widget=says.get("widget"),
                personal=personal,
                sensitive=sensitive,
            ),
            closed=treatment.secret(name, stored),
        ),
        author=_author(name, kind, says),
        required=bool(says.get("required", False)),
        default=says.get("default"),
        blank=not column["nullable"]
        and (any(_option(item).value == "" for item in options) if options else bool(column.get("blank"))),
        governed=_governors(kept.document, name),
        zone=field_guesses.zone_of(kept.structure, column, stored),
        **_look_of(says)
        | ({} if plain and not says.get("type") else field_guesses.coded(words[name], column))
        | seen,
    )
    return (
        made
        if name in key or stored not in MAY_MEAN_NONE
        else _with_empty_values(made, says.get("empty_values"), column)
    )


def _with_empty_values(
    item: Field, said: Sequence[int | str | None] | None, column: Mapping[str, Any]
) -> Field:
    """The field with the values that mean "none": those of the document, and 0 where moments are counted from it."""
    values = tuple(said or ())
    if is_counted(item) and UNITS[str(item.widget)].blank and 0 not in values:
        values = (*values, 0) if values or not item.nullable else (None, 0)
    seen = column.get(field_guesses.OUTLIER)
    likely = (
        (seen["value"], seen["rows"], seen["of"])
        if seen and said is None and seen["value"] not in values
        else None
    )
    return replace(item, empty_values=values, likely_empty=likely) if values or likely else item


def _governors(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Slugs of the workflows that alone write the column."""
    return tuple(
        [said] if isinstance(said := (document.get("governed") or {}).get(name) or (), str) else said
    )


def _author(name: str, kind: str, says: Mapping[str, Any], made_of: Sequence[Field] = ()) -> Author:
    """Who writes a field's content; for a computed field, anybody who writes one of its inputs."""
    author: Author | None = says.get("author")
    foreign = (
        kind in FREE_TYPES
        or (kind == "text" and treatment.said_by_others(name))
        or any(one.author == "customer" for one in made_of)
    )
    return author or ("customer" if foreign else "system")


def _option(item: Any) -> Option:
    return (
        Option(item["value"], item.get("label") or humanised(item["value"]), item.get("tone"))
        if isinstance(item, Mapping)
        else Option(str(item), humanised(str(item)) or "Empty")
    )
