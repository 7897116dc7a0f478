"""What of the demo's fields a model gets: what is personal is a placeholder, what is secret is nothing, and the rest is as it stands."""

import json
from importlib import resources
from typing import Any

from console.core.documents.collections import Stored, assemble
from tests.tables import cases

DOCUMENTS: dict[str, dict[str, Any]] = {
    document["id"]: document
    for file in resources.files("console.demo").joinpath("collections").iterdir()
    for document in [json.loads(file.read_text("utf-8"))]
}


def treatment(collection: str, name: str, stored: str) -> str:
    document = DOCUMENTS[collection]
    said: dict[str, Any] = document.get("fields", {})
    columns = [
        {"name": each, "stored": kind, "native": kind, "nullable": True, "comment": None}
        for each, kind in (("key", "integer"), (name, stored))
    ]
    structure = {
        "schema": None,
        "table": "t",
        "kind": "table",
        "dialect": "sqlite",
        "key": ["key"],
        "columns": columns,
        "foreign_keys": [],
    }
    kept = {
        "subject": document.get("subject"),
        "fields": {each: says for each, says in said.items() if each == name},
    }
    return assemble([Stored(collection, "s", structure, kept)])[collection].by_name[name].ai


@cases(
    "collection, name, stored, gets",
    [
        ("customer", "birth_date", "date", "masked"),
        ("customer", "email", "text", "masked"),
        ("customer", "phone", "text", "masked"),
        ("customer", "tax_id", "text", "never"),
        ("customer", "address", "json", "masked"),
        ("customer", "display_name", "text", "full"),
        ("customer", "occupation", "text", "full"),
        ("customer", "kyc_status", "text", "full"),
        ("account", "iban", "text", "masked"),
        ("account", "status", "text", "full"),
        ("kyc_document", "number", "text", "masked"),
        ("kyc_document", "expires_on", "date", "full"),
        ("party", "birth_date", "date", "masked"),
        ("party", "name", "text", "full"),
        ("ticket_message", "body", "text", "masked"),
        ("ticket", "subject", "text", "full"),
        ("sar_case", "narrative", "text", "never"),
        ("supplier_bank_account", "iban", "text", "masked"),
        ("supplier", "main_email", "text", "masked"),
        ("supplier", "main_phone", "text", "masked"),
        ("supplier", "legal_name", "text", "full"),
        ("contact", "email", "text", "masked"),
        ("contact", "phone", "text", "masked"),
        ("charge", "amount_minor", "integer", "full"),
        ("watchlist_entry", "name", "text", "full"),
        ("refund", "idempotency_key", "text", "full"),
    ],
)
def test_what_a_model_gets(collection: str, name: str, stored: str, gets: str) -> None:
    assert treatment(collection, name, stored) == gets
