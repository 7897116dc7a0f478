"""Parts of a collection: subjects, personal keys, titles, segments, relations."""

from decimal import Decimal
from typing import Any

import pytest

from console.core.documents.collections import (
    Collection,
    Segment,
    Stored,
    assemble,
    fields_of,
    treatment,
)
from console.core.errors import DefinitionError
from console.core.scopes import Scope, unrestricted
from tests.core.test_collections import column, one, structure
from tests.tables import cases

SUBJECT = {"subject": "self"}


@cases(
    ("name", "stored", "says", "personal"),
    [
        ("name", "text", {}, True),
        ("note", "text", {}, True),
        ("email", "text", {}, True),
        ("phone", "text", {}, True),
        ("raw", "json", {}, True),
        ("photo", "text", {"type": "file"}, True),
        ("website", "text", {}, False),
        ("amount", "decimal", {}, False),
        ("count", "integer", {}, False),
        ("opened_on", "date", {}, False),
        ("birth_date", "date", {}, True),
        ("birth_year", "integer", {}, True),
        ("active", "boolean", {}, False),
        ("kind", "text", {"options": ["a"]}, False),
        ("name", "text", {"personal": False}, False),
        ("amount", "decimal", {"personal": True}, True),
        ("id", "integer", {}, False),
        ("id", "integer", {"personal": True}, True),
    ],
)
def test_what_is_personal_of_a_subject(name: str, stored: str, says: dict[str, Any], personal: bool) -> None:
    columns = [] if name == "id" else [column(name, stored)]
    assert one(*columns, document={**SUBJECT, "fields": {name: says}}).by_name[name].personal is personal


@cases(
    ("key", "fields", "subject", "personal"),
    [
        (("id",), {}, "self", False),
        (("id",), {"id": {"personal": True}}, None, True),
        (("id",), {"id": {"sensitive": True}}, None, True),
        (("id",), {"id": {"personal": False, "sensitive": False}}, "self", False),
        (("id",), {"iban": {"personal": True, "sensitive": True}}, "self", False),
        (("iban",), {}, "self", False),
        (("iban",), {"iban": {"personal": True}}, "self", True),
        (("iban",), {"iban": {"sensitive": True}}, None, True),
        (("iban",), {"iban": {"hidden": True, "personal": True}}, None, True),
        (("id", "iban"), {"iban": {"personal": True}}, None, True),
        (("id", "iban"), {"id": {"sensitive": True}}, None, True),
        (("id", "iban"), {}, "self", False),
        ((), {"iban": {"personal": True}}, "self", False),
    ],
)
def test_which_keys_say_something_about_a_person(
    key: tuple[str, ...], fields: dict[str, Any], subject: str | None, personal: bool
) -> None:
    assert (
        one(column("iban"), key=key, document={"subject": subject, "fields": fields}).personal_key is personal
    )


@pytest.mark.parametrize(
    ("says", "title"),
    [({}, "{{ record.a }}"), ({"sensitive": True}, "{{ record.b }}"), ({"hidden": True}, "{{ record.b }}")],
    ids=["plain", "sensitive", "hidden"],
)
def test_no_title_is_made_of_what_is_kept_back(says: dict[str, Any], title: str) -> None:
    assert one(column("a"), column("b"), document={"fields": {"a": says}}).title == title


@cases(
    ("text", "template", "names"),
    [
        ("record.a == 'x'", False, ["a"]),
        ("record.a == record.b", False, ["a", "b"]),
        ('record["two words"] == 1', False, ["two words"]),
        ("record.a.b == 1", False, ["a"]),
        ("$currentUser.id == record.owner", False, ["owner"]),
        ("now > record.due", False, ["due"]),
        ("true", False, []),
        ("{{ record.a }} and {{ record.b }}", True, ["a", "b"]),
        ("{{ record.a }}{{ record.a }}", True, ["a"]),
        ("record.a", True, []),
        ("", True, []),
    ],
)
def test_the_columns_that_a_text_looks_at(text: str, template: bool, names: list[str]) -> None:
    assert sorted(fields_of(text, template=template)) == names


@cases(
    ("document", "place"),
    [
        ({"title": "{{ record.nope }}"}, "title"),
        ({"title": "{{ record. }}"}, "title"),
        ({"title": "{{ record.id"}, "title"),
        ({"segments": [{"id": "s", "label": "S", "filter": "record.nope == 1"}]}, "segments.s"),
        ({"segments": [{"id": "s", "label": "S", "filter": "record.id =="}]}, "segments.s"),
        ({"segments": [{"id": "s", "label": "S", "filter": ""}]}, "segments.s"),
    ],
    ids=["title-column", "title-text", "title-open", "segment-column", "segment-text", "segment-empty"],
)
def test_a_text_that_cannot_be_used_is_named_by_its_place(document: dict[str, Any], place: str) -> None:
    with pytest.raises(DefinitionError, match=f"^t, {place}: ") as caught:
        one(document=document)
    assert [detail["field"] for detail in caught.value.details] == [place]


@pytest.mark.parametrize(
    ("hidden", "offered"),
    [
        ([], ["a", "b", "ab", "all"]),
        (["a"], ["b", "all"]),
        (["b"], ["a", "all"]),
        (["a", "b"], ["all"]),
        (["id"], ["a", "b", "ab", "all"]),
    ],
    ids=["none", "a", "b", "both", "other"],
)
def test_segments_over_what_is_hidden_are_not_offered(hidden: list[str], offered: list[str]) -> None:
    filters = {"a": "record.a == 'x'", "b": "record.b == 'x'", "ab": "record.a == record.b", "all": "true"}
    segments = [{"id": name, "label": name.upper(), "filter": text} for name, text in filters.items()]
    made = one(column("a"), column("b"), document={"segments": segments})
    shown = made.to_json(Scope("t", everything=True, hidden=frozenset(hidden)))["segments"]
    assert [item["id"] for item in shown] == offered
    assert made.segment("ab") == Segment("ab", "AB", "record.a == record.b")
    assert made.segment("none") is None


def pair(document: dict[str, Any]) -> Collection:
    """Orders of a customer, named by a foreign key; the document is that of the orders."""
    customer = structure("customer", column("id", "integer"), column("name"))
    orders = structure(
        "orders",
        column("id", "integer"),
        column("customer_id", "integer"),
        foreign=(("customer_id", "customer", "id"),),
    )
    return assemble([Stored("customer", "x", customer, {}), Stored("orders", "x", orders, document)])[
        "orders"
    ]


@pytest.mark.parametrize("via", ["nope", ["customer_id", "id"], []], ids=["no-column", "too-many", "none"])
def test_a_relation_by_other_columns_than_there_are_is_refused(via: Any) -> None:
    with pytest.raises(DefinitionError, match="relation r: ") as caught:
        pair({"relations": [{"name": "r", "collection": "customer", "kind": "to_one", "via": via}]})
    assert [detail["field"] for detail in caught.value.details] == ["relations.r"]


@cases("inner", ["stored", "native", "personal", "hidden", "least", "most", "scale"])
def test_what_of_a_field_stays_inside(inner: str) -> None:
    assert inner not in one(column("a")).to_json(unrestricted("t"))["fields"][0]


@pytest.mark.parametrize(
    ("fixed", "readonly"),
    [([], [True, False]), (["a"], [True, True]), (["id"], [True, False])],
    ids=["none", "a", "key"],
)
def test_fields_that_a_scope_fixes_are_read_only(fixed: list[str], readonly: list[bool]) -> None:
    shown = one(column("a")).to_json(Scope("t", everything=True, fixed=frozenset(fixed)))
    assert [item["readonly"] for item in shown["fields"]] == readonly


@cases(
    ("stored", "text", "value"),
    [
        ("integer", "12", Decimal(12)),
        ("decimal", "1.50", Decimal("1.5")),
        ("decimal", "much", "much"),
        ("date", "someday", "someday"),
        ("uuid", "none", "none"),
        ("text", "12", "12"),
        ("integer", None, None),
    ],
)
def test_a_value_in_its_type_or_as_it_is(stored: str, text: str | None, value: object) -> None:
    assert one(column("a", stored)).typed({"a": text}) == {"a": value}


@cases(
    ("name", "hidden"),
    [("pin", True), ("card_pin", True), ("passwort", True), ("pin_count", False), ("spinner", False)],
)
def test_pins_are_secrets(name: str, hidden: bool) -> None:
    assert treatment.secret(name) is hidden


@pytest.mark.parametrize(("stored", "led"), [("integer", "customer"), ("text", None)])
def test_a_column_of_a_view_leads_where_a_column_of_its_name_does_only_with_values_of_that_kind(
    stored: str, led: str | None
) -> None:
    made = assemble(
        [
            Stored("customer", "x", structure("customer", column("id", "integer")), {}),
            Stored(
                "order",
                "x",
                structure(
                    "order",
                    column("id", "integer"),
                    column("customer", "integer"),
                    foreign=(("customer", "customer", "id"),),
                ),
                {},
            ),
            Stored("open", "x", structure("open", column("customer", stored), kind="view", key=()), {}),
        ]
    )
    assert made["open"].by_name["customer"].references == led
