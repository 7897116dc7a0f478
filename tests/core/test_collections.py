"""Collections put together from structures and documents: names, types, titles, relations."""

from typing import Any

import pytest

from console.core.documents.collections import Collection, Stored, assemble
from console.core.errors import DefinitionError
from console.core.scopes import Scope, unrestricted
from tests.tables import cases


def column(name: str, stored: str = "text", **more: Any) -> dict[str, Any]:
    return {"name": name, "stored": stored, "nullable": True, **more}


def structure(
    table: str,
    *columns: dict[str, Any],
    key: tuple[str, ...] = ("id",),
    foreign: tuple[tuple[str, str, str], ...] = (),
    **more: Any,
) -> dict[str, Any]:
    keys = [
        {"columns": [here], "schema": None, "table": there, "target": [target]}
        for here, there, target in foreign
    ]
    return {
        "schema": None,
        "table": table,
        "kind": "table",
        "dialect": "postgresql",
        "key": list(key),
        "columns": list(columns),
        "foreign_keys": keys,
        **more,
    }


def one(*columns: dict[str, Any], document: dict[str, Any] | None = None, **more: Any) -> Collection:
    return assemble(
        [Stored("t", "x", structure("thing", column("id", "integer"), *columns, **more), document or {})]
    )["t"]


@cases(
    ("name", "stored", "wanted"),
    [
        ("email", "text", "email"),
        ("contact_email_address", "text", "email"),
        ("phone", "text", "phone"),
        ("mobile_no", "text", "phone"),
        ("website", "text", "url"),
        ("note", "text", "long_text"),
        ("release_notes", "text", "long_text"),
        ("mailbox", "text", "text"),
        ("email", "integer", "integer"),
        ("at", "datetime", "datetime"),
        ("x", "binary", "binary"),
    ],
)
def test_types_by_name_and_kind(name: str, stored: str, wanted: str) -> None:
    assert one(column(name, stored)).by_name[name].type == wanted


def test_a_document_may_say_what_sqlite_cannot() -> None:
    said = {
        "fields": {
            "d": {"type": "date"},
            "j": {"type": "json"},
            "b": {"type": "boolean"},
            "n": {"type": "date"},
            "m": {"type": "money"},
        }
    }
    made = one(
        column("d"),
        column("j"),
        column("b", "integer"),
        column("n", "decimal"),
        column("m", "integer"),
        document=said,
    )
    assert {name: made.by_name[name].stored for name in "djbnm"} == {
        "d": "date",
        "j": "json",
        "b": "boolean",
        "n": "decimal",
        "m": "integer",
    }
    assert made.by_name["m"].type == "money"


def test_what_cannot_be_changed() -> None:
    made = one(
        column("g", generated=True),
        column("x", "other"),
        column("n"),
        document={"fields": {"n": {"readonly": True}}},
    )
    assert all(field.readonly for field in made.fields)
    assert not one(column("n")).by_name["n"].readonly
    assert one(column("n"), kind="view").by_name["n"].readonly
    assert one(column("n"), key=()).by_name["n"].readonly
    assert one(column("n"), key=(), document={"key": ["id"]}).key == ("id",)


@cases(
    ("columns", "values", "title"),
    [
        ([column("a"), column("display_name")], {"display_name": "Ann"}, "Ann"),
        ([column("n", "integer"), column("code"), column("name")], {"name": "N"}, "N"),
        ([column("first text")], {"first text": "F"}, "F"),
        ([column('odd "one"\\')], {'odd "one"\\': "O"}, "O"),
        ([column("n", "integer")], {"id": 5}, "Thing 5"),
        ([column("name")], {"name": "  "}, "Thing key"),
        ([column("name")], {}, "Thing key"),
    ],
)
def test_titles(columns: list[dict[str, Any]], values: dict[str, Any], title: str) -> None:
    assert one(*columns).title_of(values, "key") == title


def test_a_title_of_which_a_part_may_not_be_seen_begins_and_ends_with_what_may() -> None:
    made = one(column("shop"), column("price"), document={"title": "{{ record.shop }}, {{ record.price }}"})
    assert made.title_of({"price": "€4"}, "ch_9") == "€4"
    assert made.title_of({"shop": "Books", "price": None}, "ch_9") == "Books"
    assert made.title_of({"shop": "- Books -", "price": "€4"}, "ch_9") == "- Books -, €4"
    assert made.title_of({"shop": "", "price": "-4"}, "ch_9") == "-4"
    assert made.title_of({}, "ch_9") == "Thing ch_9"
    names = one(
        column("a"),
        column("b"),
        column("c"),
        document={"title": "{{ record.a }} {{ record.b }}, no {{ record.c }}/"},
    )
    assert [
        names.title_of(dict(zip("abc", given, strict=True)), None)
        for given in ("ABC", ("A", None, "C"), ("", "B", ""))
    ] == ["A B, no C/", "A, no C/", "B, no"]


def test_hidden_fields_are_kept_for_conditions_alone() -> None:
    made = one(column("a"), column("b"), document={"fields": {"a": {"hidden": True}}})
    assert [field.name for field in made.fields] == ["id", "b"]
    assert made.field("a") is None
    assert made.by_name["a"].hidden
    scope = Scope("t", everything=True, hidden=frozenset({"b"}), fixed=frozenset({"id"}))
    assert [field["name"] for field in made.to_json(scope)["fields"]] == ["id"]
    assert [field["name"] for field in made.to_json(unrestricted("t"))["fields"]] == ["id", "b"]


def test_a_segment_over_a_hidden_field_is_not_offered() -> None:
    made = one(column("a"), document={"segments": [{"id": "s", "label": "S", "filter": "record.a == 'x'"}]})
    assert made.to_json(unrestricted("t"))["segments"] == [{"id": "s", "label": "S"}]
    assert made.to_json(Scope("t", everything=True, hidden=frozenset({"a"})))["segments"] == []


def test_what_is_personal_where_a_collection_has_a_subject() -> None:
    columns = (
        column("name"),
        column("birth_date", "date"),
        column("amount", "decimal"),
        column("mood", options=["a"]),
        column("raw", "json"),
    )
    made = one(*columns, document={"subject": "self", "fields": {"raw": {"personal": False}}})
    assert {field.name for field in made.fields if field.personal} == {"name", "birth_date"}
    assert not any(field.personal for field in one(*columns).fields)


def test_values_by_their_types_for_expressions() -> None:
    made = one(column("d", "decimal"), column("u", "uuid"), column("t"), column("at", "datetime"))
    typed = made.typed(
        {
            "d": "12.50",
            "u": "6f1c3cbe-3c0f-4b52-8f1e-3c0f4b528f1e",
            "t": "12.50",
            "at": "soon",
            "unknown": 1,
            "id": None,
        }
    )
    assert {name: type(value).__name__ for name, value in typed.items()} == {
        "d": "Decimal",
        "u": "UUID",
        "t": "str",
        "at": "str",
        "unknown": "int",
        "id": "NoneType",
    }


def company(**documents: dict[str, Any]) -> dict[str, Collection]:
    party = structure("party", column("id", "integer"), column("name"))
    stake = structure(
        "stake",
        column("owner_id", "integer"),
        column("owned_id", "integer"),
        key=("owner_id", "owned_id"),
        foreign=(("owner_id", "party", "id"), ("owned_id", "party", "id")),
    )
    note = structure(
        "note",
        column("id", "integer"),
        column("party_id", "integer"),
        column("parent_id", "integer"),
        foreign=(("party_id", "party", "id"), ("parent_id", "note", "id")),
    )
    return assemble(
        [
            Stored(name, "x", made, documents.get(name, {}))
            for name, made in (("party", party), ("stake", stake), ("note", note))
        ]
    )


def test_foreign_keys_are_relations_both_ways_with_names_of_their_own() -> None:
    made = company()
    assert [(item.name, item.kind, item.columns) for item in made["stake"].relations] == [
        ("owned", "to_one", (("owned_id", "id"),)),
        ("owner", "to_one", (("owner_id", "id"),)),
    ]
    assert [item.name for item in made["party"].relations] == ["note", "stake_by_owned", "stake_by_owner"]
    assert [(item.name, item.kind) for item in made["note"].relations] == [
        ("parent", "to_one"),
        ("party", "to_one"),
        ("note", "to_many"),
    ]
    assert made["note"].by_name["party_id"].references == "party"


def test_a_document_names_relations_and_adds_some() -> None:
    said = {
        "relations": [
            {"name": "stakes", "collection": "stake", "kind": "to_many", "via": "owner_id"},
            {"name": "same", "collection": "note", "kind": "to_one", "via": "id", "label": "Same"},
        ]
    }
    made = company(party=said)["party"]
    assert {item.name: item.columns for item in made.relations} == {
        "same": (("id", "id"),),
        "stakes": (("id", "owner_id"),),
        "note": (("id", "party_id"),),
        "stake": (("id", "owned_id"),),
    }
    assert made.relation("same") is made.relations[0]
    assert made.relation("nope") is None


@pytest.mark.parametrize(
    "item", [{"via": "nope"}, {"via": ["owner_id", "owned_id"]}, {"via": "owner_id", "to": "nope"}]
)
def test_a_relation_that_leads_nowhere_is_refused(item: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError, match="does not lead"):
        company(party={"relations": [{"name": "r", "collection": "stake", "kind": "to_many", **item}]})


def test_a_relation_to_what_is_not_connected_is_left_out() -> None:
    made = company(
        party={"relations": [{"name": "r", "collection": "elsewhere", "kind": "to_many", "via": "x"}]}
    )["party"]
    assert made.relation("r") is None
