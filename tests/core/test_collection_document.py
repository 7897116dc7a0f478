"""Documents of collections as files: whatever a document says, reading it in and writing it out again gives the same bytes."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from console.core.documents.collections import FIELD_TYPES, FORMATS, TONES, WIDGETS, Stored, assemble
from console.core.documents.collections.collection_document import cleansed, read
from console.core.documents.collections.document_changes import changes
from console.core.documents.collections.document_check import FITTING, check

ROOT = Path(__file__).parents[2]
DEMO = sorted((ROOT / "console" / "demo" / "collections").glob("*.json"))
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True)
PATHS = st.builds("record.{}".format, NAMES)


def maybe(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with any of these keys."""
    none: dict[str, st.SearchStrategy[Any]] = {}
    return st.fixed_dictionaries(none, optional=parts)


OPTIONS = st.lists(
    st.one_of(
        WORDS,
        st.fixed_dictionaries({"value": WORDS}, optional={"label": WORDS, "tone": st.sampled_from(TONES)}),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda one: one if isinstance(one, str) else one["value"],
)
RULES = st.lists(
    st.fixed_dictionaries(
        {"if": PATHS.map("{} > 1".format), "message": WORDS.filter(lambda word: "{{" not in word)}
    ),
    max_size=2,
)
TYPED = maybe(
    label=WORDS,
    help=WORDS,
    type=st.sampled_from(sorted(FIELD_TYPES)),
    options=OPTIONS,
    validation=RULES,
    references=NAMES,
    widget=st.sampled_from(sorted(set(WIDGETS) - {"money", "textarea"})),
    format=st.sampled_from(FORMATS),
    ai=st.sampled_from(("full", "masked", "hash", "never")),
    required=st.booleans(),
    readonly=st.booleans(),
    hidden=st.booleans(),
    sensitive=st.booleans(),
    personal=st.booleans(),
)
MONEY = st.fixed_dictionaries(
    {"widget": st.just("money")},
    optional={"currency": st.sampled_from(("EUR", "JPY")), "minor": st.booleans()},
)
AREA = st.fixed_dictionaries({"widget": st.just("textarea")}, optional={"lines": st.integers(2, 40)})
COMPUTED = st.fixed_dictionaries({"computed": PATHS}, optional={"label": WORDS, "hidden": st.booleans()})
LISTS = st.lists(NAMES, max_size=4, unique=True)
DOCUMENTS = st.fixed_dictionaries(
    {"id": NAMES, "source": NAMES, "table": WORDS},
    optional={
        "format": st.just(1),
        "schema": WORDS,
        "label": WORDS,
        "label_one": WORDS,
        "help": WORDS,
        "title": PATHS.map("{{{{ {} }}}}".format),
        "subject": NAMES,
        "columns": LISTS,
        "details": LISTS,
        "form": LISTS,
        "search": LISTS,
        "key": LISTS,
        "sort": NAMES,
        "fields": st.dictionaries(NAMES, st.one_of(TYPED, MONEY, AREA, COMPUTED), max_size=5),
        "validation": RULES,
        "segments": st.lists(
            st.fixed_dictionaries({"id": NAMES, "label": WORDS, "filter": PATHS.map("{} == null".format)}),
            max_size=3,
            unique_by=lambda one: one["id"],
        ),
        "relations": st.lists(
            st.fixed_dictionaries(
                {
                    "name": NAMES,
                    "collection": NAMES,
                    "kind": st.sampled_from(("to_one", "to_many")),
                    "via": st.one_of(WORDS, st.lists(WORDS, min_size=1, max_size=3)),
                },
                optional={"label": WORDS, "to": WORDS},
            ),
            max_size=3,
            unique_by=lambda one: str(one["name"]),
        ),
        "summary": maybe(
            badge=NAMES,
            sections=st.lists(
                st.fixed_dictionaries({"label": WORDS, "fields": st.lists(NAMES, min_size=1, max_size=3)}),
                max_size=2,
            ),
            related=st.lists(
                st.fixed_dictionaries({"relation": NAMES}, optional={"columns": LISTS}), max_size=2
            ),
        ),
    },
)


@settings(max_examples=60)
@given(DOCUMENTS)
def test_any_document_comes_back_byte_for_byte(document: dict[str, Any]) -> None:
    assert check(document) == []
    once = read(document).canonical()
    assert read(once).canonical() == once
    assert check(once) == []
    assert read(json.dumps(dict(reversed(document.items())), indent=None)).canonical() == once, (
        "the layout of the file does not count"
    )
    kept = json.loads(once)
    assert read(cleansed(kept)).canonical() == once or kept != cleansed(kept)
    assert changes(kept, json.loads(once)) == []


@settings(max_examples=40)
@given(DOCUMENTS, DOCUMENTS)
def test_changes_are_none_for_equals_and_something_for_others(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    before, after = read(one).to_json(), read(other).to_json()
    told = changes(before, after)
    assert bool(told) == (before != after)
    assert all(change.before != change.after and change.path for change in told)
    assert len({change.place for change in told}) == len(told)


@pytest.mark.parametrize("file", DEMO, ids=lambda file: file.stem)
def test_the_demos_are_right_and_come_back(file: Path) -> None:
    content = file.read_bytes()
    assert check(content) == []
    assert read(read(content).canonical()).to_json() == read(content).to_json()
    said = {name: value for name, value in json.loads(content).items() if value not in ({}, [])}
    made = read(content).to_json()
    assert said.keys() <= made.keys()


@pytest.mark.parametrize(
    ("more", "place", "words"),
    [
        ({"id": "1x"}, "id", "form asked for"),
        ({"id": None}, "id", "must be text"),
        ({"labell": "x"}, "labell", "is label meant?"),
        ({"fields": {"a": {"widget": "wheel"}}}, "fields.a.widget", "one of"),
        ({"fields": {"a": {"readonly": "yes"}}}, "fields.a.readonly", "true or false"),
        ({"fields": {"a": {"lines": 3}}}, "fields.a", "Lines are of a textarea"),
        ({"fields": {"a": {"minor": True}}}, "fields.a", "of the widget money"),
        ({"fields": {"a": {"options": ["x", {"value": "x"}]}}}, "fields.a", "Two options have the value x"),
        ({"fields": {"a": {"computed": "record.b", "required": True}}}, "fields.a", "never typed"),
        ({"fields": {"a": {"computed": "1 +"}}}, "fields.a.computed", "too early"),
        (
            {"fields": {"a": {"validation": [{"if": "x", "message": "m"}]}}},
            "fields.a.validation[0].if",
            "There is no 'x'",
        ),
        ({"validation": [{"if": "true", "message": "{{ record.a"}]}, "validation[0].message", "never closed"),
        ({"segments": [{"id": "a b", "label": "A", "filter": "true"}]}, "segments[0].id", "form asked for"),
        (
            {"segments": [{"id": "a", "label": "A", "filter": "steps.a.b == 1"}]},
            "segments[0].filter",
            "There is no steps here",
        ),
        (
            {"relations": [{"name": "r", "collection": "c", "kind": "many", "via": "x"}]},
            "relations[0].kind",
            "one of",
        ),
        ({"columns": ["a", "b", "a"]}, "columns", "a stands here twice"),
        ({"summary": {"badges": "a"}}, "summary.badges", "is badge meant?"),
        ({"format": 7}, "format", "newer release"),
        ({"label": "\x00"}, "label", "cannot be stored"),
    ],
    ids=lambda item: str(item)[:50],
)
def test_what_is_wrong_is_said_with_its_place(more: dict[str, Any], place: str, words: str) -> None:
    found = check({"id": "a", "source": "s", "table": "t", **more})
    assert any(spot.path == place and words in spot.reason for spot in found), [
        (spot.path, spot.reason) for spot in found
    ]


def column(name: str, stored: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "stored": stored, "nullable": True, **more}


STRUCTURE: dict[str, Any] = {
    "schema": None,
    "table": "t",
    "kind": "table",
    "dialect": "sqlite",
    "key": ["id"],
    "comment": None,
    "foreign_keys": [],
    "columns": [
        column(kind, kind)
        for kind in ("integer", "decimal", "text", "boolean", "date", "datetime", "uuid", "json", "array")
    ]
    + [column("id", "integer")],
}


@pytest.mark.parametrize("widget", WIDGETS)
def test_a_widget_fits_some_columns_and_the_document_says_which(widget: str) -> None:
    for one in STRUCTURE["columns"]:
        document = {"id": "a", "source": "s", "table": "t", "fields": {one["name"]: {"widget": widget}}}
        found = check(document, STRUCTURE)
        assert bool(found) == (widget in FITTING and one["stored"] not in FITTING[widget]), (one, found)
        if not found:
            made = assemble([Stored("a", "s", STRUCTURE, document)])["a"].by_name[one["name"]]
            assert made.widget == widget


def test_flags_go_where_they_are_said() -> None:
    says = {
        "required": True,
        "readonly": True,
        "sensitive": True,
        "personal": False,
        "ai": "never",
        "hidden": True,
        "format": "iban",
    }
    made = assemble([Stored("a", "s", STRUCTURE, {"subject": "self", "fields": {"text": says}})])[
        "a"
    ].by_name["text"]
    assert {name: getattr(made, name) for name in says} == says
    usual = assemble([Stored("a", "s", STRUCTURE, {"subject": "self"})])["a"].by_name
    assert (usual["text"].ai, usual["integer"].ai) == ("full", "full")
