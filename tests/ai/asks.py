"""A refund as a proposer gets it: a record and a step that our side wrote, and a ticket that a customer did."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from console.core.proposal_types import Ask, FieldSpec, Raw, Source

KEY = b"a key of the tests"
IBAN = "LT12 1000 0111 0100 1000"
EVIL_IBAN = "DE89370400440532013000"

RECORD: dict[str, Any] = {
    "order_no": "C-10412",
    "amount": "49.00",
    "fee": 3,
    "quantity": 12,
    "email": "greta@falk.example",
    "phone": "+370 600 12345",
    "name": "Greta Falk",
    "iban": IBAN,
    "born": "1990-05-01",
    "paid_at": "2026-11-02T09:30:00Z",
    "opens": "09:30:00",
    "site": "https://shop.example/orders/10412",
    "uuid": "0193463c-0000-7000-8000-000000000001",
    "express": True,
    "status": "Delivered late",
}
TICKET: dict[str, Any] = {
    "subject": "Refund for C-10412",
    "body": "Hello, the parcel came on 20.11.2026 and I paid EUR 1.234,50 for it, not 89.9. Write to other@falk.example or call 030 1234567. Regards",
}
STEP: dict[str, Any] = {"note": "Refund of 49.00 agreed on 3 November 2026", "agent": "Olivia"}

FIELDS = (
    FieldSpec("amount", "Amount", "money", minimum="0", maximum="5000"),
    FieldSpec("trusted_amount", "Trusted amount", "money", trusted_only=True),
    FieldSpec("fee", "Fee", "integer", minimum="1", maximum="100"),
    FieldSpec("born", "Born", "date", minimum="1900-01-01", maximum="2026-12-31"),
    FieldSpec("paid_at", "Paid at", "datetime"),
    FieldSpec("opens", "Opens", "time"),
    FieldSpec("email", "E-mail", "email"),
    FieldSpec("phone", "Phone", "phone"),
    FieldSpec("site", "Site", "url"),
    FieldSpec("order", "Order", "text", max_length=80),
    FieldSpec("account", "Account", "text", trusted_only=True),
    FieldSpec("uuid", "Id", "uuid"),
    FieldSpec("express", "Express", "boolean"),
    FieldSpec("sure_express", "Surely express", "boolean", trusted_only=True),
    FieldSpec(
        "reason",
        "Reason",
        "enum",
        options=(("late", "Delivered late"), ("broken", "Broken"), ("other", "Other")),
    ),
    FieldSpec(
        "sure_reason",
        "Sure reason",
        "enum",
        options=(("late", "Delivered late"), ("broken", "Broken")),
        trusted_only=True,
    ),
    FieldSpec(
        "checks",
        "Checks",
        "checklist",
        options=(("id", "Identity"), ("address", "Address"), ("paid", "Paid")),
        maximum="2",
    ),
    FieldSpec("letter", "Letter", "long_text", max_length=2000),
    FieldSpec(
        "related",
        "Related",
        "reference",
        options=(("rec_991", "Order 991"), ("rec_992", "Order 992")),
        opaque=True,
    ),
    FieldSpec("secret", "Secret", "text", treatment="never"),
    FieldSpec("fingerprint", "Fingerprint", "text", treatment="hash"),
    FieldSpec("attachment", "Attachment", "file"),
    FieldSpec("tags", "Tags", "array"),
)
OUTCOMES = (("approve", "Approve"), ("reject", "Reject"))
SOURCES = (
    Source("s1", "record", "Order C-10412", RECORD, trusted=True, collection="orders", record="C-10412"),
    Source("s2", "related", "Ticket 55021", TICKET, trusted=False, collection="tickets", record="55021"),
    Source("s3", "step", "Look at the order", STEP, trusted=True, step="look"),
)


def ask(**changes: Any) -> Ask:
    """The refund, with changes."""
    return replace(
        Ask("propose", "refund", "Refund", "update_data", "Propose the refund.", FIELDS, OUTCOMES, SOURCES),
        **changes,
    )


def with_ticket(body: str, **changes: Any) -> Ask:
    """The refund with another text of the customer."""
    sources = (SOURCES[0], replace(SOURCES[1], data={**TICKET, "body": body}), SOURCES[2])
    return ask(sources=sources, **changes)


def item(name: Any, value: Any, *sources: Any, **changes: Any) -> dict[str, Any]:
    """A proposal as a model writes it; without sources it cites all three."""
    said = {
        "name": name,
        "value": value,
        "confidence": "high",
        "rationale": "The order says so.",
        "sources": list(sources or ("s1", "s2", "s3")),
    }
    return {key: entry for key, entry in {**said, **changes}.items() if entry is not None}


def answer(*items: Any, **changes: Any) -> str:
    """A whole answer as text."""
    return json.dumps(
        {"decision": "propose", "decline_reason": "", "flags": [], "fields": list(items), **changes}
    )


def raw(text: str | Mapping[str, Any], stop: str = "complete") -> Raw:
    """What a provider hands on."""
    return Raw(text if isinstance(text, str) else json.dumps(text), stop, "a-model", "json_schema")  # type: ignore[arg-type]
