"""A small Fernwick for tests of pages: a database of customers, the people, and a review with every kind of step that a person meets."""

import sqlite3
from pathlib import Path
from typing import Any

from console import accounts, sources, workflows

PASSWORD = "seven tall herons wade"

DATABASE = """
create table customer (
    id integer primary key, customer_no text not null unique, display_name text not null, kind text not null check (kind in ('person', 'company')),
    email text, tax_id text, desk text not null check (desk in ('retail', 'corporate')), risk_band text check (risk_band in ('low', 'medium', 'high')),
    kyc_status text not null check (kyc_status in ('not_started', 'in_review', 'approved', 'rejected')), balance numeric(12, 2), vip boolean,
    opened_at text not null, next_review_at date, address json, note text
);
create table account (iban text primary key, customer_id integer not null references customer, status text not null, opened_at text not null);
create table kyc_document (id integer primary key, customer_id integer not null references customer, doc_type text not null, expires_on date, pages integer);
"""
NAMES = ["Northwind Trading Ltd", "Greta Falk", "Bram de Wit", "<b>Bold & Sons</b>", "Oleksandra Hnatiuk", "Kenji Morita", "Zoë O'Neil", "Å Ökland"]

CUSTOMER: dict[str, Any] = {
    "id": "customer", "source": "fernwick_core", "table": "customer", "label": "Customers", "label_one": "Customer",
    "title": "{{ record.display_name }}", "subject": "self", "sort": "customer_no", "search": ["display_name", "customer_no", "email"],
    "columns": ["customer_no", "display_name", "kind", "kyc_status", "risk_band", "balance", "next_review_at", "opened_at"],
    "fields": {
        "id": {"readonly": True}, "customer_no": {"readonly": True, "personal": False, "label": "Customer no"}, "display_name": {"label": "Name"},
        "kyc_status": {"label": "Status"}, "risk_band": {"label": "Risk band"}, "email": {"type": "email", "label": "E-mail"}, "opened_at": {"type": "datetime", "label": "Customer since"},
        "next_review_at": {"label": "Next review"}, "balance": {"type": "money", "label": "Balance"}, "note": {"type": "long_text", "label": "Note"},
    },
    "segments": [
        {"id": "new", "label": "New", "filter": 'record.kyc_status == "not_started"'},
        {"id": "companies", "label": "Companies", "filter": 'record.kind == "company"'},
    ],
    "summary": {
        "badge": "kyc_status",
        "sections": [{"label": "Identity", "fields": ["customer_no", "kind", "display_name", "address"]}, {"label": "Risk", "fields": ["kyc_status", "risk_band", "next_review_at", "note"]}],
        "related": [{"relation": "accounts", "columns": ["iban", "status", "opened_at"]}, {"relation": "documents", "columns": ["doc_type", "expires_on", "pages"]}],
    },
    "relations": [{"name": "accounts", "collection": "account", "kind": "to_many", "via": "customer_id"}, {"name": "documents", "collection": "kyc_document", "kind": "to_many", "via": "customer_id"}],
}  # fmt: skip
ACCOUNT: dict[str, Any] = {"id": "account", "source": "fernwick_core", "table": "account", "label": "Accounts", "label_one": "Account", "title": "{{ record.iban }}"}
DOCUMENT: dict[str, Any] = {"id": "kyc_document", "source": "fernwick_core", "table": "kyc_document", "label": "Documents", "label_one": "Document", "title": "{{ record.doc_type }}"}

REVIEW: dict[str, Any] = {
    "format": 1, "slug": "kyc-review", "title": "KYC review", "collection": "customer", "team": "operations", "roles": ["operator"], "settings": {}, "variables": {},
    "steps": [
        {"id": "start", "type": "start", "title": "Start", "config": {"fields": [
            {"name": "reason", "label": "Why is the customer reviewed?", "type": "enum", "required": True, "options": [{"value": "new", "label": "New customer"}, {"value": "periodic", "label": "Periodic review"}]},
        ]}, "next": {"default": "load"}},
        {"id": "load", "type": "get_data", "title": "Customer and documents", "completion": "automatic", "config": {"fields": ["display_name", "kyc_status", "risk_band"], "related": [{"name": "documents", "relation": "documents", "fields": ["doc_type", "expires_on", "pages"]}]}, "next": {"default": "brief"}},
        {"id": "brief", "type": "guidance", "title": "Before you begin", "button": "Seen", "config": {"text": "Review **{{ record.display_name }}** with care."}, "next": {"default": "profile"}},
        {"id": "profile", "type": "update_data", "title": "Set risk profile", "config": {"fields": ["risk_band", "next_review_at", "note"], "required": ["risk_band"], "form": [{"name": "seen", "label": "Checked against", "type": "checklist", "options": [{"value": "register", "label": "Trade register"}, {"value": "passport", "label": "Passport"}]}]}, "next": {"default": "decide"}},
        {"id": "decide", "type": "decision", "title": "Operator decision", "config": {"text": "Risk band now: {{ record.risk_band }}", "options": [{"value": "approve", "label": "Approve"}, {"value": "reject", "label": "Reject", "reason_required": True}]}, "next": {"approve": "result", "reject": "result"}},
        {"id": "result", "type": "output", "title": "Result", "completion": "automatic", "config": {"values": {"decision": "steps.decide.option", "risk_band": "steps.profile.risk_band"}}, "next": {"default": "done"}},
        {"id": "done", "type": "end", "title": "Reviewed", "config": {"label": "reviewed"}, "next": {}},
    ],
}  # fmt: skip


def write_database(path: Path, customers: int = 60) -> str:
    """A SQLite file with that many customers; its URL."""
    with sqlite3.connect(path) as connection:
        connection.executescript(DATABASE)
        for number in range(1, customers + 1):
            name = NAMES[number - 1] if number <= len(NAMES) else f"Customer {number:03}"
            connection.execute(
                "insert into customer values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    number, f"C-{10000 + number}", name, "company" if number % 3 == 1 else "person", f"c{number}@mail.example", f"T{number}", "retail" if number != 5 else "corporate",
                    [None, "low", "medium", "high"][number % 4], ["not_started", "in_review", "approved"][number % 3], 1000 * number + 0.5, number % 2,
                    f"2026-0{1 + number % 9}-1{number % 9}T09:30:00Z", f"2027-0{1 + number % 9}-15", '{"line1": "Keizersgracht %d", "city": "Amsterdam"}' % number, None,
                ),
            )  # fmt: skip
            connection.execute("insert into account values (?, ?, 'open', '2026-01-05T08:00:00Z')", (f"NL00TEST{number:010}", number))
            connection.execute("insert into kyc_document (customer_id, doc_type, expires_on, pages) values (?, 'passport', '2028-02-01', 2)", (number,))
    connection.close()
    return f"sqlite:///{path}"


def furnish(folder: Path, customers: int = 60) -> dict[str, str]:
    """The console over an empty database gets its source, people and workflow; answers people's ids by first name."""
    sources.add("fernwick_core", write_database(folder / "core.db", customers), documents=[CUSTOMER, ACCOUNT, DOCUMENT])
    workflows.import_file(REVIEW, publish=True)
    desks = {"desks": ["retail"]}
    people = [
        ("olivia", "Olivia Brandt", "operator", "operations", desks), ("tom", "Tom Vale", "operator", "operations", desks), ("mona", "Mona Lind", "lead", "operations", {"desks": ["retail", "corporate"]}),
        ("stan", "Stan Pike", "operator", "procurement", {}), ("ada", "Ada Quist", "auditor", "audit", {}),
    ]  # fmt: skip
    return {
        first: accounts.create_person(f"{first}@fernwick.example", role=role, team=team, name=name, tags=tags, password=PASSWORD, zone="Europe/Vilnius").person.id
        for first, name, role, team, tags in people
    }
