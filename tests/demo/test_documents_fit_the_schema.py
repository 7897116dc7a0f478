"""The collection documents against the text of the schema, and their segments over the rows in memory: no database is asked."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, time
from importlib import resources
from typing import Any

import pytest

from console.core import expressions
from console.core.documents.collections import fields_of
from console.demo.world import Row, World
from console.records import sql_question
from tests.demo import promises
from tests.tables import cases

IDENTITY = {"passport", "id_card", "residence_permit"}
OPEN_DISPUTE = {"warning_needs_response", "needs_response", "under_review"}
KEYS = {
    "id",
    "changes",
    "governed",
    "clearance",
    "contact",
    "source",
    "schema",
    "table",
    "label",
    "label_one",
    "title",
    "subject",
    "key",
    "columns",
    "sort",
    "search",
    "fields",
    "segments",
    "relations",
    "details",
    "summary",
}
FIELD_KEYS = {
    "label",
    "help",
    "type",
    "format",
    "options",
    "readonly",
    "sensitive",
    "personal",
    "ai",
    "computed",
    "author",
    "widget",
    "currency",
    "minor",
}

FOLDER = resources.files("console.demo") / "collections"
DOCUMENTS: dict[str, dict[str, Any]] = {
    document["id"]: document
    for document in (json.loads(file.read_text(encoding="utf-8")) for file in sorted(FOLDER.iterdir(), key=lambda file: file.name))
}
CORE, SUPPLY, VIEWS = promises.core(), promises.supply(), promises.views()
SEGMENTS = {(name, segment["id"]): segment for name, document in DOCUMENTS.items() for segment in document.get("segments", ())}


def columns(document: dict[str, Any]) -> set[str]:
    """Columns of the table or view that a document describes, from the schema's text."""
    if document["source"] == "fernwick_supply":
        return set(SUPPLY[document["table"]].columns)
    name = document["table"] if document.get("schema") == "public" else f"{document['schema']}.{document['table']}"
    return set(CORE[name].columns) if name in CORE else set(VIEWS[name])


def described(source: str) -> set[str]:
    return {
        document["table"] if document.get("schema") in {"public", None, "main"} else f"{document['schema']}.{document['table']}"
        for document in DOCUMENTS.values()
        if document["source"] == source
    }


def with_document(test: Callable[..., None]) -> Any:
    return pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)(test)


def test_every_table_and_view_has_one_document() -> None:
    assert described("fernwick_core") == CORE.keys() | VIEWS.keys()
    assert described("fernwick_supply") == SUPPLY.keys()
    assert len({(document["source"], document["table"]) for document in DOCUMENTS.values()}) == len(DOCUMENTS)


@with_document
def test_documents_say_nothing_that_nobody_reads(document: dict[str, Any]) -> None:
    assert document.keys() <= KEYS
    assert {key for field in document.get("fields", {}).values() for key in field} <= FIELD_KEYS
    assert document.get("summary", {}).keys() <= {"sections", "related", "badge"}


@with_document
def test_every_column_named_is_there(document: dict[str, Any]) -> None:
    there = {*columns(document), *(name for name, field in document.get("fields", {}).items() if "computed" in field)}
    summary = document.get("summary", {})
    named = [
        *document.get("columns", ()),
        *document.get("search", ()),
        *document.get("fields", {}),
        *document.get("key", ()),
        *document.get("governed", {}),
        *document.get("changes", {}).values(),
    ]
    named += [name for section in summary.get("sections", ()) for name in section["fields"]]
    named += [document["sort"].lstrip("-")] if document.get("sort") else []
    named += [summary["badge"]] if summary.get("badge") else []
    assert [name for name in named if name not in there] == []


def test_what_the_stand_in_provider_is_told_stands_on_no_page() -> None:
    """`metadata.simulate` is for developers; the order number beside it is for operators."""
    [charge] = [document for document in DOCUMENTS.values() if document["id"] == "charge"]
    summary = [name for section in charge["summary"]["sections"] for name in section["fields"]]
    for names in (charge["columns"], charge["details"], summary, *(related["columns"] for related in charge["summary"]["related"])):
        assert "metadata" not in names
    assert {"order_no"} <= set(summary) & set(charge["details"])


@with_document
def test_no_list_names_a_column_twice(document: dict[str, Any]) -> None:
    in_sections = [name for section in document.get("summary", {}).get("sections", ()) for name in section["fields"]]
    for names in (document.get("columns", []), document.get("search", []), in_sections):
        assert [name for name, count in Counter(names).items() if count > 1] == []


@with_document
def test_expressions_look_at_columns_that_are_there(document: dict[str, Any]) -> None:
    there = columns(document)
    assert fields_of(document.get("title", ""), template=True) <= there
    for segment in [each for each in document.get("segments", ()) if "filter" in each]:
        assert fields_of(segment["filter"]) <= there, segment["id"]
        assert fields_of(segment["filter"]), "a segment that looks at nothing is the whole list"


def test_a_segment_that_is_a_select_is_one_that_the_console_takes() -> None:
    selects = [segment["sql"] for segment in SEGMENTS.values() if "sql" in segment]
    assert selects
    for text in selects:
        assert [each.alias_or_name for each in sql_question.parse(text, "postgresql").expressions] == ["id"]


@with_document
def test_relations_lead_to_documents_over_columns_that_are_there(document: dict[str, Any]) -> None:
    for relation in document.get("relations", ()):
        target = DOCUMENTS[relation["collection"]]
        assert target["source"] == document["source"], "a database is joined with itself only"
        holder = document if relation["kind"] == "to_one" else target
        assert relation["kind"] in {"to_one", "to_many"}
        assert relation["via"] in columns(holder), relation["name"]


@with_document
def test_related_lists_show_columns_of_their_target(document: dict[str, Any]) -> None:
    relations = {relation["name"]: relation["collection"] for relation in document.get("relations", ())}
    for related in document.get("summary", {}).get("related", ()):
        if related["relation"] in relations:
            there = columns(DOCUMENTS[relations[related["relation"]]])
            assert [name for name in related["columns"] if name not in there] == [], related["relation"]
        assert related["columns"]


@with_document
def test_labels_are_words_and_each_is_said_once(document: dict[str, Any]) -> None:
    groups = [
        [segment["label"] for segment in document.get("segments", ())],
        [relation["label"] for relation in document.get("relations", ())],
        [section["label"] for section in document.get("summary", {}).get("sections", ())],
        [field["label"] for field in document.get("fields", {}).values() if "label" in field],
        [document["label"], document["label_one"]],
    ]
    for labels in groups:
        assert len(set(labels)) == len(labels) or labels == groups[-1]
        assert [label for label in labels if "_" in label or label != label.strip() or not label[:1].isupper()] == []
    assert len({segment["id"] for segment in document.get("segments", ())}) == len(document.get("segments", ()))
    assert len({relation["name"] for relation in document.get("relations", ())}) == len(document.get("relations", ()))


def test_labels_of_collections_are_not_mistaken_for_each_other() -> None:
    counted = Counter(document["label"] for document in DOCUMENTS.values())
    assert [label for label, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("table", sorted(VIEWS))
def test_columns_of_views_have_labels_of_their_own(table: str) -> None:
    labels = list(VIEWS[table].values())
    assert len(set(labels)) == len(labels)
    assert [label for label in labels if "_" in label] == []


def table_of(world: World, document: dict[str, Any]) -> list[Row]:
    name = document["table"] if document.get("schema") != "fiu" else "fiu.sar_case"
    rows = world.core.get(name) if document["source"] == "fernwick_core" else world.supply.get(name)
    return rows or []


WITH_ROWS = [name for name, document in DOCUMENTS.items() if document["table"] not in VIEWS]


@cases("name", [name for name in WITH_ROWS if "title" in DOCUMENTS[name]])
def test_titles_render_of_every_row(world: World, name: str) -> None:
    """Never empty, never with braces left, and no word for a value that is missing."""
    document = DOCUMENTS[name]
    for row in table_of(world, document)[:300]:
        title = expressions.render(document["title"], {"record": row})
        assert title.strip()
        assert "{{" not in title
        assert "None" not in title
        assert "null" not in title.split()


def grouped(rows: list[Row], by: str) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(row[by], []).append(row)
    return found


def counted_rows(world: World) -> dict[str, list[Row]]:
    """Rows by collection, with the counters that triggers keep in the databases."""
    core, supply = world.core, world.supply
    asked = Counter(row["charge_id"] for row in core["ticket"] if (row["kind"], row["status"]) == ("refund_request", "open"))
    about = Counter(row["customer_id"] for row in core["ticket"] if (row["kind"], row["status"]) == ("kyc", "open"))
    disputed = Counter(row["charge_id"] for row in core["dispute"] if row["status"] in OPEN_DISPUTE)
    shown = grouped(
        [
            row
            for row in core["kyc_document"]
            if row["doc_type"] in IDENTITY and not row["party_id"] and row["status"] in {"received", "accepted"}
        ],
        "customer_id",
    )
    insured = grouped(
        [row for row in supply["supplier_document"] if row["kind"] == "insurance" and row["status"] in {"accepted", "expired"}],
        "supplier_id",
    )
    proposed = Counter(row["supplier_id"] for row in supply["supplier_bank_account"] if row["status"] in {"proposed", "confirmed"})
    payable = Counter(row["supplier_id"] for row in supply["supplier_bank_account"] if row["status"] in {"confirmed", "active"})
    newest = {(row["contact_id"], row["channel"]): row["state"] for row in supply["consent"]}
    given = Counter(contact for (contact, _), state in newest.items() if state == "given")
    rows = {name: table_of(world, DOCUMENTS[name]) for name in WITH_ROWS}
    rows["charge"] = [row | {"open_requests": asked[row["id"]], "open_disputes": disputed[row["id"]]} for row in core["charge"]]
    rows["customer"] = [
        row
        | {
            "open_kyc_tickets": about[row["id"]],
            "identity_expires_on": max((one["expires_on"] for one in shown.get(row["id"], [])), default=None),
            "name_listed_at": None,
        }
        for row in core["customer"]
    ]
    rows["supplier"] = [
        row
        | {
            "proposed_accounts": proposed[row["id"]],
            "payable_accounts": payable[row["id"]],
            "insurance_expires_on": max((one["expires_on"] for one in insured.get(row["id"], [])), default=None),
        }
        for row in supply["supplier"]
    ]
    rows["contact"] = [row | {"consents": given[row["id"]]} for row in supply["contact"]]
    return rows


@pytest.fixture(scope="module")
def rows(loaded: World) -> dict[str, list[Row]]:
    return counted_rows(loaded)


def found(rows: dict[str, list[Row]], day: Any, collection: str, segment: str) -> list[Row]:
    """Rows of a collection that a segment takes, at noon of the day of loading."""
    expression = expressions.parse(SEGMENTS[collection, segment]["filter"])
    now = datetime.combine(day, time(12), UTC)
    return [row for row in rows[collection] if expression.test({"record": row, "now": now})]


@cases(
    ("collection", "segment", "count"),
    [
        ("customer", "overdue", 118), ("customer", "due", 74), ("customer", "new", 60), ("customer", "restricted", 22), ("customer", "stories", 10),
        ("charge", "refund_requests", 117), ("charge", "disputed", 30), ("charge", "failed", 860), ("charge", "stories", 11),
        ("refund", "pending", 34), ("refund", "failed", 41), ("dispute", "open", 30), ("country_risk", "high", 15),
        ("screening_hit", "open", 64), ("screening_hit", "needs_more", 21), ("screening_hit", "true", 5), ("sar_case", "open", 3),
        ("ticket", "open", 310), ("ticket", "refund_requests", 126), ("ticket", "kyc", 40),
        ("supplier", "onboarding", 34), ("supplier", "stories", 2), ("supplier", "insurance", 17), ("supplier", "insurance_expired", 9),
        ("supplier_document", "insurance_expired", 9), ("supplier_document", "insurance_expiring", 17),
        ("supplier_request", "new", 12), ("supplier_request", "onboarding", 34), ("supplier_request", "stories", 5), ("supplier_bank_account", "proposed", 7),
        ("contract", "signing", 8), ("contact", "no_zone", 300), ("contact", "no_consent", 1300), ("contact", "stories", 1), ("invoice", "open", 251),
    ],
)  # fmt: skip
def test_segments_find_what_the_description_counts(
    loaded: World, rows: dict[str, list[Row]], collection: str, segment: str, count: int
) -> None:
    assert len(found(rows, loaded.today, collection, segment)) == count


def test_overdue_reviews_of_the_segment_hold_31_high(loaded: World, rows: dict[str, list[Row]]) -> None:
    assert Counter(row["risk_band"] for row in found(rows, loaded.today, "customer", "overdue"))["high"] == 31


@pytest.mark.parametrize(
    ("first", "second"), [("overdue", "due"), ("overdue", "new"), ("due", "new"), ("new", "restricted")]
)  # fmt: skip
def test_segments_that_exclude_each_other(world: World, first: str, second: str) -> None:
    known = {"customer": world.core["customer"]}
    one, other = ({row["id"] for row in found(known, world.today, "customer", segment)} for segment in (first, second))
    assert one
    assert other
    assert not one & other


FOUND_ELSEWHERE = {
    ("customer", "happened"),
    ("beneficial_owner", "exposed"),
    ("customer_activity_12m", "above"),
    ("customer_hit", "open"),
    ("ownership_effective", "layers"),
    ("ownership_effective", "cyclic"),
}


@cases(("collection", "segment"), [name for name, segment in SEGMENTS.items() if "sql" in segment], ids=str)
def test_a_select_of_a_segment_is_one_that_is_run_here(collection: str, segment: str) -> None:
    assert sql_question.parse(SEGMENTS[collection, segment]["sql"], "postgresql")


@cases(("collection", "segment"), [name for name in SEGMENTS if name not in FOUND_ELSEWHERE], ids=str)
def test_segments_are_neither_empty_nor_everything(world: World, collection: str, segment: str) -> None:
    known = (
        counted_rows(world)
        if collection in {"charge", "customer", "supplier", "contact"}
        else {collection: table_of(world, DOCUMENTS[collection])}
    )
    assert 0 < len(found(known, world.today, collection, segment)) < len(known[collection])


def test_event_reviews_are_those_with_a_ticket_or_an_expired_paper(loaded: World, rows: dict[str, list[Row]]) -> None:
    late = {
        row["customer_id"]
        for row in loaded.core["kyc_document"]
        if row["doc_type"] in IDENTITY and row["expires_on"] < loaded.today and row["status"] == "accepted"
    }
    asked = {row["customer_id"] for row in loaded.core["ticket"] if (row["kind"], row["status"]) == ("kyc", "open")}
    assert {row["id"] for row in found(rows, loaded.today, "customer", "event")} == late | asked
