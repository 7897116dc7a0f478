"""The parts of a collection one by one: subjects, personal keys, titles, segments, relations, shapes; and the schema of workflow files."""

import json
from decimal import Decimal
from typing import Any

import pytest

from console.core.documents import workflow_schema
from console.core.documents.collections import (
    MOST_COLUMNS,
    Collection,
    Field,
    Option,
    Relation,
    Segment,
    Stored,
    assemble,
    fields_of,
    humanised,
    labels,
    treatment,
)
from console.core.documents.document_parts import DIALECT, as_file
from console.core.scopes import Scope, whole
from console.errors import DefinitionError
from console.steps import all_types
from tests.core.test_collections import column, one, structure
from tests.tables import cases

SUBJECT = {"subject": "self"}


# --- subjects and what is personal --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", ["self", "customer", "account.customer", None], ids=["self", "relation", "path", "none"])
def test_a_subject_is_kept_as_the_document_says_it(subject: str | None) -> None:
    assert one(column("name"), document={"subject": subject}).subject == subject


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
def test_which_keys_say_something_about_a_person(key: tuple[str, ...], fields: dict[str, Any], subject: str | None, personal: bool) -> None:
    assert one(column("iban"), key=key, document={"subject": subject, "fields": fields}).personal_key is personal


# --- titles -------------------------------------------------------------------------------------------------------------------------

STATES = [{"value": "open", "label": "Still open"}, "on_hold", {"value": "done", "label": ""}]


@cases(
    ("template", "values", "title"),
    [
        ("{{ record.state }}", {"state": "open"}, "Still open"),
        ("{{ record.state }}", {"state": "on_hold"}, "On hold"),
        ("{{ record.state }}", {"state": "done"}, "Done"),
        ("{{ record.state }}", {"state": "elsewhere"}, "elsewhere"),
        ("{{ record.state }}", {"state": ""}, "Thing key"),
        ("{{ record.state }}", {"state": None}, "Thing key"),
        ("{{ record.state }}", {"state": 7}, "7"),
        ("{{ record.name }} ({{ record.state }})", {"name": "Ann", "state": "open"}, "Ann (Still open)"),
        ("{{ record.name }}", {"name": "open"}, "open"),
        ("{{ record.name }}", {"name": " Ann "}, "Ann"),
        ("{{ record.id }}", {"id": 5}, "5"),
        ("{{ record.id }}", {"id": 0}, "0"),
        ("No. {{ record.id }}", {}, "No."),
        ("Fixed", {"id": 5}, "Fixed"),
    ],
)
def test_a_title_speaks_in_labels(template: str, values: dict[str, Any], title: str) -> None:
    made = one(column("name"), column("state", options=STATES), document={"title": template})
    assert made.title_of(values, "key") == title


@pytest.mark.parametrize(
    ("key", "title"), [("5", "Thing 5"), ("", "Thing"), ("~", "Thing"), (None, "Thing")], ids=["key", "empty-key", "empty-text", "no-key"]
)
def test_an_empty_title_falls_back(key: str | None, title: str) -> None:
    assert one(column("name")).title_of({}, key) == title


@cases(
    ("names", "title"),
    [
        (["code", "name"], "{{ record.name }}"),
        (["name", "display_name"], "{{ record.display_name }}"),
        (["description", "subject"], "{{ record.subject }}"),
        (["company_name", "legal_name"], "{{ record.legal_name }}"),
        (["b", "a"], "{{ record.b }}"),
        (["email"], "{{ record.email }}"),
        (["website"], "Thing {{ record.id }}"),
        (["note"], "Thing {{ record.id }}"),
        (["two words"], '{{ record["two words"] }}'),
        (["Größe"], '{{ record["Größe"] }}'),
        ([], "Thing {{ record.id }}"),
    ],
)
def test_the_title_that_is_made_where_none_is_said(names: list[str], title: str) -> None:
    assert one(*map(column, names)).title == title


@pytest.mark.parametrize(
    ("says", "title"),
    [({}, "{{ record.a }}"), ({"sensitive": True}, "{{ record.b }}"), ({"hidden": True}, "{{ record.b }}")],
    ids=["plain", "sensitive", "hidden"],
)
def test_no_title_is_made_of_what_is_kept_back(says: dict[str, Any], title: str) -> None:
    assert one(column("a"), column("b"), document={"fields": {"a": says}}).title == title


# --- expressions of a document ------------------------------------------------------------------------------------------------------


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
    [([], ["a", "b", "ab", "all"]), (["a"], ["b", "all"]), (["b"], ["a", "all"]), (["a", "b"], ["all"]), (["id"], ["a", "b", "ab", "all"])],
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


# --- relations ----------------------------------------------------------------------------------------------------------------------


def pair(document: dict[str, Any]) -> Collection:
    """Orders of a customer, named by a foreign key; the document is that of the orders."""
    customer = structure("customer", column("id", "integer"), column("name"))
    orders = structure("orders", column("id", "integer"), column("customer_id", "integer"), foreign=(("customer_id", "customer", "id"),))
    return assemble([Stored("customer", "x", customer, {}), Stored("orders", "x", orders, document)])["orders"]


@cases(
    ("said", "wanted"),
    [
        (None, ("customer", "Customer")),
        ({"name": "buyer"}, ("buyer", "Customer")),
        ({"name": "buyer", "label": "Who buys"}, ("buyer", "Who buys")),
        ({"name": "buyer", "via": ["customer_id"]}, ("buyer", "Customer")),
        ({"name": "buyer", "to": "id"}, ("buyer", "Customer")),
        ({"name": "buyer", "to": ["id"]}, ("buyer", "Customer")),
    ],
    ids=["found", "named", "labelled", "list", "to", "to-list"],
)
def test_a_document_renames_what_was_found_by_the_same_columns(said: dict[str, Any] | None, wanted: tuple[str, str]) -> None:
    item = {"collection": "customer", "kind": "to_one", "via": "customer_id", **(said or {})}
    made = pair({"relations": [item]} if said else {})
    assert [(found.name, found.label) for found in made.relations] == [wanted]
    assert made.relations[0].columns == (("customer_id", "id"),)


@pytest.mark.parametrize("via", ["nope", ["customer_id", "id"], []], ids=["no-column", "too-many", "none"])
def test_a_relation_by_other_columns_than_there_are_is_refused(via: Any) -> None:
    with pytest.raises(DefinitionError, match="relation r: ") as caught:
        pair({"relations": [{"name": "r", "collection": "customer", "kind": "to_one", "via": via}]})
    assert [detail["field"] for detail in caught.value.details] == ["relations.r"]


def test_a_name_that_the_document_has_taken_is_not_given_again() -> None:
    said = {"relations": [{"name": "customer", "collection": "customer", "kind": "to_one", "via": "id"}]}
    assert [(item.name, item.columns[0][0]) for item in pair(said).relations] == [
        ("customer", "id"),
        ("customer_by_customer", "customer_id"),
    ]


# --- names, labels, shapes ----------------------------------------------------------------------------------------------------------


@cases(
    ("name", "text"),
    [
        ("a", "A"),
        ("customer_id", "Customer ID"),
        ("customerId", "Customer ID"),
        ("kyc", "KYC"),
        ("vat_no", "VAT no"),
        ("remote_eid", "Remote eID"),
        ("line_ids", "Line IDs"),
        ("idle_is_paid", "Idle is paid"),
        ("ID", "ID"),
        ("iso2Code", "Iso2 code"),
        ("a__b", "A b"),
        ("__a", "A"),
        ("a-b c", "A b c"),
        ("--", "--"),
        ("éclair", "Éclair"),
        ("FirstName", "First name"),
        ("ORDER_STATUS", "Order status"),
        ("HTTPServer", "HTTP server"),
        ("USD", "USD"),
        ("Cash on Delivery", "Cash on Delivery"),
        ("Import-/Export (EU)", "Import-/Export (EU)"),
        ("e_mail", "E-mail"),
        ("service_mail", "Service mail"),
        ("x_ray", "X-ray"),
        ("last_x_rays", "Last x-rays"),
        ("tax_ray", "Tax ray"),
        ("csrf_secret", "CSRF secret"),
    ],
)
def test_names_are_made_readable(name: str, text: str) -> None:
    assert humanised(name) == text


@pytest.mark.parametrize("count", [1, MOST_COLUMNS - 1, MOST_COLUMNS, 30])
def test_a_list_shows_so_many_columns_at_most(count: int) -> None:
    assert len(one(*(column(f"c{number}") for number in range(count))).columns) == min(count + 1, MOST_COLUMNS)


@cases(
    ("stored", "sortable", "comparable"),
    [
        ("integer", True, True),
        ("decimal", True, True),
        ("text", True, False),
        ("boolean", True, False),
        ("date", True, True),
        ("datetime", True, True),
        ("time", True, True),
        ("uuid", True, False),
        ("json", False, False),
        ("array", False, False),
        ("binary", False, False),
        ("other", False, False),
    ],
)
def test_what_can_be_put_in_order(stored: str, sortable: bool, comparable: bool) -> None:
    made = Field("a", "A", stored, stored)
    assert (made.sortable, made.comparable) == (sortable, comparable)


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (Option("a", "A"), {"value": "a", "label": "A"}),
        (Segment("s", "S", "true"), {"id": "s", "label": "S"}),
        (Relation("r", "R", "c", "to_one", (("a", "b"),)), {"name": "r", "label": "R", "collection": "c", "kind": "to_one"}),
    ],
    ids=["option", "segment", "relation"],
)
def test_shapes_of_the_parts(made: Option | Segment | Relation, wanted: dict[str, str]) -> None:
    assert made.to_json() == wanted


@cases("inner", ["stored", "native", "personal", "hidden", "least", "most", "scale"])
def test_what_of_a_field_stays_inside(inner: str) -> None:
    assert inner not in one(column("a")).to_json(whole("t"))["fields"][0]


@pytest.mark.parametrize(
    ("fixed", "readonly"), [([], [True, False]), (["a"], [True, True]), (["id"], [True, False])], ids=["none", "a", "key"]
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


# --- the schema of workflow files ---------------------------------------------------------------------------------------------------

TYPES = all_types()
SCHEMA = workflow_schema.schema(TYPES)


def references(node: Any) -> list[str]:
    """Every `$ref` below this node."""
    if isinstance(node, dict):
        return [
            *([node["$ref"]] if isinstance(node.get("$ref"), str) else []),
            *(ref for item in node.values() for ref in references(item)),
        ]
    return [ref for item in node for ref in references(item)] if isinstance(node, list) else []


@cases("name", sorted(TYPES))
def test_every_step_type_has_the_schema_of_its_settings(name: str) -> None:
    rules = [rule for rule in SCHEMA["$defs"]["Step"]["allOf"] if rule["if"]["properties"]["type"]["const"] == name]
    assert [rule["then"]["properties"]["config"]["$ref"] for rule in rules] == [f"#/$defs/{TYPES[name].Config.__name__}"]
    assert name in SCHEMA["$defs"]["Step"]["properties"]["type"]["enum"]


def test_every_reference_of_the_schema_leads_somewhere() -> None:
    assert references(SCHEMA)
    assert [ref for ref in references(SCHEMA) if ref.removeprefix("#/$defs/") not in SCHEMA["$defs"]] == []


def test_the_schema_says_what_it_is_and_is_the_same_each_time() -> None:
    assert (SCHEMA["$schema"], SCHEMA["title"]) == (DIALECT, "A workflow of Handrail")
    assert list(SCHEMA["$defs"]) == sorted(SCHEMA["$defs"])
    assert json.loads(as_file(SCHEMA)) == SCHEMA
    assert as_file(SCHEMA) == as_file(workflow_schema.schema(all_types()))
    assert as_file(SCHEMA).endswith(b"}\n")


def test_without_step_types_no_step_is_known() -> None:
    step = workflow_schema.schema({})["$defs"]["Step"]
    assert (step["properties"]["type"]["enum"], step["allOf"]) == ([], [])


@cases(
    ("label", "led"),
    [
        ("Patient nr", "Patient"),
        ("Customer ID", "Customer"),
        ("Country code", "Country"),
        ("Nr", "Nr"),
        ("Home town", "Home town"),
        ("ID élève", "Élève"),
    ],
)
def test_a_reference_is_called_by_what_it_leads_to(label: str, led: str) -> None:
    assert labels.led_to(label) == led


@cases(("name", "hidden"), [("pin", True), ("card_pin", True), ("passwort", True), ("pin_count", False), ("spinner", False)])
def test_pins_are_secrets(name: str, hidden: bool) -> None:
    assert treatment.secret(name) is hidden


@pytest.mark.parametrize(("stored", "led"), [("integer", "customer"), ("text", None)])
def test_a_column_of_a_view_leads_where_a_column_of_its_name_does_only_with_values_of_that_kind(stored: str, led: str | None) -> None:
    made = assemble([
        Stored("customer", "x", structure("customer", column("id", "integer")), {}),
        Stored("order", "x", structure("order", column("id", "integer"), column("customer", "integer"), foreign=(("customer", "customer", "id"),)), {}),
        Stored("open", "x", structure("open", column("customer", stored), kind="view", key=()), {}),
    ])  # fmt: skip
    assert made["open"].by_name["customer"].references == led


def test_a_list_shows_what_a_key_of_several_columns_leads_to_in_the_place_of_them_all() -> None:
    case = structure("case", column("year", "integer"), column("no", "integer"), column("title"), key=("year", "no"))
    foreign = [{"columns": ["year", "no"], "schema": None, "table": "case", "target": ["year", "no"]}]
    letter = structure("letter", column("id", "integer"), column("year", "integer"), column("no", "integer"), column("sent", "date"))
    made = assemble([Stored("case", "x", case, {}), Stored("letter", "x", letter | {"foreign_keys": foreign}, {})])
    assert made["letter"].columns == ("id", "no_record", "sent")
    assert made["case"].title == "{{ record.title }}"
