"""What a document may say about a collection, and what is refused with the name of what is wrong."""

from typing import Any

import pytest

from console.core.documents.collections import Collection, Stored, assemble
from console.core.documents.collections.collection_document import cleansed, read
from console.core.documents.collections.document_check import check
from console.core.errors import DefinitionError
from console.core.scopes import Scope, unrestricted
from tests.tables import cases


def structure(
    table: str, *columns: dict[str, Any], key: tuple[str, ...] = ("id",), kind: str = "table", **more: Any
) -> dict[str, Any]:
    first = [{"name": "id", "stored": "integer", "nullable": False}] if key == ("id",) else []
    whole_ = {
        "schema": None,
        "table": table,
        "kind": kind,
        "dialect": "sqlite",
        "key": list(key),
        "columns": [*first, *columns],
    }
    return {**whole_, "comment": None, "foreign_keys": [], **more}


def text(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "stored": "text", "nullable": True, **more}


def made(document: dict[str, Any], *columns: dict[str, Any], **more: Any) -> Collection:
    return assemble(
        [
            Stored(
                "thing",
                "x",
                structure("old_thing", *(columns or (text("name"), text("note_2"))), **more),
                document,
            )
        ]
    )["thing"]


@cases(
    ("says", "wanted"),
    [
        ({}, {"label": "Name", "type": "text", "readonly": False, "sensitive": False, "hidden": False}),
        ({"label": "Called"}, {"label": "Called"}),
        ({"type": "long_text"}, {"type": "long_text", "stored": "text"}),
        ({"type": "date"}, {"type": "date", "stored": "date"}),
        ({"type": "json"}, {"type": "json", "stored": "json"}),
        ({"type": "boolean"}, {"type": "boolean", "stored": "text"}),
        ({"type": "binary"}, {"readonly": True}),
        ({"type": "other"}, {"readonly": True}),
        ({"readonly": True}, {"readonly": True}),
        ({"sensitive": True}, {"sensitive": True}),
        ({"hidden": True}, {"hidden": True}),
        ({"help": "As written."}, {"help": "As written."}),
        ({"references": "thing"}, {"references": "thing"}),
    ],
    ids=str,
)
def test_what_a_document_says_of_a_field(says: dict[str, Any], wanted: dict[str, Any]) -> None:
    field = made({"fields": {"name": says}}).by_name["name"]
    assert {name: getattr(field, name) for name in wanted} == wanted


@cases(
    ("document", "field", "words"),
    [
        ({"fields": {"gone": {}}}, "gone", "names columns that the source does not have: gone"),
        ({"columns": ["id", "gone"]}, "gone", "gone"),
        ({"search": ["gone"]}, "gone", "gone"),
        ({"key": ["gone"]}, "gone", "gone"),
        ({"fields": {"name": {"type": "colour"}}}, "name", "there is no field type 'colour'"),
        ({"fields": {"name": {"type": "Text"}}}, "name", "there is no field type 'Text'"),
        ({"title": "{{ record.gone }}"}, "title", "there is no column gone"),
        ({"title": "{{ record. }}"}, "title", "thing, title:"),
        (
            {"segments": [{"id": "s", "label": "S", "filter": "record.gone == 1"}]},
            "segments.s",
            "there is no column gone",
        ),
        (
            {"segments": [{"id": "s", "label": "S", "filter": "record.name =="}]},
            "segments.s",
            "thing, segments.s:",
        ),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_by_name(document: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(DefinitionError) as error:
        made(document)
    assert words in error.value.message
    assert "thing" in error.value.message
    assert error.value.details[0]["field"] == field


def test_hidden_fields_of_a_reader_and_of_everybody_are_in_no_answer() -> None:
    segments = [
        {"id": "a", "label": "A", "filter": "record.name == 'x'"},
        {"id": "b", "label": "B", "filter": "record.note_2 == 'x'"},
    ]
    found = made({"fields": {"note_2": {"hidden": True}}, "segments": segments})
    assert [field["name"] for field in found.to_json(unrestricted("thing"))["fields"]] == ["id", "name"]
    scope = Scope("thing", everything=True, hidden=frozenset({"name"}), fixed=frozenset({"id"}))
    told = found.to_json(scope)
    assert [(field["name"], field["readonly"]) for field in told["fields"]] == [("id", True)]
    assert [segment["id"] for segment in told["segments"]] == ["b"]
    assert (found.field("note_2"), found.by_name["note_2"].hidden) == (None, True)


@cases(
    ("column", "dialect", "said", "wrong"),
    [
        ({"stored": "integer"}, "postgresql", [0, -1, "7"], None),
        ({"stored": "integer"}, "postgresql", ["soon"], 0),
        ({"stored": "integer"}, "postgresql", ["1.5"], 0),
        ({"stored": "decimal"}, "mysql", ["-1.00"], None),
        ({"stored": "date"}, "postgresql", ["0001-01-01", "infinity"], None),
        ({"stored": "date"}, "postgresql", ["0001-01-01", "0000-00-00"], 1),
        ({"stored": "datetime"}, "mysql", ["0000-00-00 00:00:00", "1970-01-01T00:00:00Z"], None),
        ({"stored": "date"}, "mysql", ["never"], 0),
        ({"stored": "date"}, "sqlite", ["never", "", 0], None),
        ({"stored": "text"}, "postgresql", ["", "n/a"], None),
        ({"stored": "text"}, "postgresql", [0], 0),
        ({"stored": "text", "native": "enum", "options": ["open"]}, "postgresql", ["open", "none"], 1),
        ({"stored": "uuid"}, "postgresql", ["none"], 0),
        ({"stored": "integer"}, "sqlite", [None, 0], None),
        ({"stored": "integer"}, "sqlite", [0, None], 1),
        ({"stored": "integer", "nullable": False}, "sqlite", [None, 0], 0),
        ({"stored": "boolean"}, "sqlite", [0], ""),
        ({"stored": "json"}, "sqlite", [0], ""),
    ],
)
def test_what_may_mean_none_is_a_value_of_its_column(
    column: dict[str, Any], dialect: str, said: list[Any], wrong: int | str | None
) -> None:
    table = structure("thing", {"name": "due", "nullable": True, **column}, dialect=dialect)
    document = {"id": "x.thing", "source": "x", "table": "thing", "fields": {"due": {"empty_values": said}}}
    places = [spot.place for spot in check(document, table)]
    assert places == (
        []
        if wrong is None
        else [("fields", "due", "empty_values") if wrong == "" else ("fields", "due", "empty_values", wrong)]
    )
    keyed = {**table, "key": ["due"]}
    assert [spot.place for spot in check(document, keyed)] == [("fields", "due", "empty_values")]


def test_the_answer_that_no_value_means_none_stays_in_the_document() -> None:
    document = {
        "id": "x.thing",
        "source": "x",
        "table": "thing",
        "fields": {"due": {"empty_values": []}, "at": {"empty_values": [0]}},
    }
    assert read(cleansed(document)).to_json()["fields"] == {
        "at": {"empty_values": [0]},
        "due": {"empty_values": []},
    }
