"""A company small enough to be made for one test: a SQLite source with customers, the people of the house, one workflow.

The people are those of the demo (Olivia and Tom operate, Mona leads, Stan buys, Ada audits, Rosa reviews, Ines administers), with the
rights of `policies/roles.csv` and `policies/fernwick.csv`. Runs may be handed on to the inbox `desk`. The workflow `care-review` has a step of every kind that is there so far.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from console import runs, sources, workflows
from console.auth import access, accounts
from console.auth.access import policy_store
from console.core.actor import Actor
from console.demo import staff
from console.infra.db import transaction
from console.infra.db.engine import fetch
from console.workflows import inboxes
from tests.jobs import RUNNING, work_until_idle

SQL = """
create table customer (
    id integer primary key, display_name text not null, email text check (length(email) < 60), desk text not null check (desk in ('retail', 'corporate')),
    tax_id text, risk text check (risk in ('low', 'medium', 'high')), balance numeric(12, 2), updated_at text);
create table account (iban text primary key, customer_id integer not null references customer (id), status text not null);
insert into customer values
    (1, 'Adaeze Okonkwo-Bell', 'adaeze@customers.example', 'retail', 'IE123', null, 12.50, null),
    (2, 'Tore Lindqvist', 'tore@customers.example', 'retail', 'SE987', 'low', 0, null),
    (3, 'Halcyon Harbour Trading B.V.', null, 'corporate', 'NL555', null, 900, null),
    (4, '<script>alert(1)</script> "Robert''); drop table"', 'x@customers.example', 'retail', null, null, null, null);
insert into account values ('LT459999900012345678', 1, 'open'), ('LT459999900012345679', 1, 'closed'), ('NL559999900012345670', 3, 'open');
"""
WORKING = (*sources.GRANTED, "create", "update", "export")
"""What somebody who works with the records of a source may do."""
DOCUMENTS: list[dict[str, Any]] = [
    {
        "id": "customer",
        "source": "company",
        "table": "customer",
        "label": "Customers",
        "label_one": "Customer",
        "title": "{{ record.display_name }}",
        "subject": "self",
        "fields": {"tax_id": {"sensitive": True}, "email": {"type": "email"}},
        "segments": [{"id": "unrated", "label": "Unrated", "filter": "record.risk == null"}],
        "summary": {
            "sections": [{"label": "Identity", "fields": ["display_name", "email", "desk"]}],
            "related": [{"relation": "account"}],
        },
    },
    {
        "id": "account",
        "source": "company",
        "table": "account",
        "label": "Accounts",
        "label_one": "Account",
        "subject": "customer",
    },
]
STEPS: list[dict[str, Any]] = [
    {
        "id": "start",
        "type": "start",
        "title": "Start",
        "config": {
            "fields": [
                {
                    "name": "why",
                    "label": "Why",
                    "type": "enum",
                    "required": True,
                    "options": [
                        {"value": "periodic", "label": "Periodic"},
                        {"value": "event", "label": "Event"},
                    ],
                }
            ]
        },
        "next": {"default": "load"},
    },
    {
        "id": "load",
        "type": "get_data",
        "title": "Load the customer",
        "completion": "automatic",
        "config": {
            "fields": ["display_name", "email", "risk", "balance"],
            "related": [
                {
                    "name": "accounts",
                    "relation": "account",
                    "fields": ["iban", "status"],
                    "where": "record.status == 'open'",
                }
            ],
        },
        "next": {"default": "read"},
    },
    {
        "id": "read",
        "type": "guidance",
        "title": "Read this",
        "config": {"text": "About **{{ record.display_name }}**."},
        "next": {"default": "note"},
    },
    {
        "id": "note",
        "type": "update_data",
        "title": "Take a note",
        "config": {
            "form": [
                {"name": "note", "label": "Note", "type": "long_text", "required": True},
                {"name": "count", "label": "Count", "type": "integer"},
            ]
        },
        "next": {"default": "rate"},
    },
    {
        "id": "rate",
        "type": "update_data",
        "title": "Rate the risk",
        "config": {"fields": ["risk", "email"]},
        "next": {"default": "is_high"},
    },
    {
        "id": "is_high",
        "type": "condition",
        "title": "High?",
        "config": {"branches": [{"if": "record.risk == 'high'", "outcome": "high"}]},
        "next": {"high": "decide", "default": "decide"},
    },
    {
        "id": "decide",
        "type": "decision",
        "title": "Decide",
        "config": {
            "options": [{"value": "approve", "label": "Approve"}, {"value": "again", "label": "Look again"}]
        },
        "next": {"approve": "result", "again": "back"},
    },
    {"id": "back", "type": "go_to", "title": "Back to the note", "config": {}, "next": {"default": "note"}},
    {
        "id": "result",
        "type": "output",
        "title": "Result",
        "config": {"values": {"note": "steps.note.note"}},
        "next": {"default": "end"},
    },
    {"id": "end", "type": "end", "title": "End", "config": {"label": "Approved"}, "next": {}},
]
DOCUMENT: dict[str, Any] = {
    "format": 1,
    "slug": "care-review",
    "title": "Care review",
    "collection": "customer",
    "team": "operations",
    "roles": ["operator"],
    "settings": {"visit_limit": 5},
    "steps": STEPS,
}
DESK: dict[str, Any] = {"id": "desk", "title": "Compliance desk", "team": "operations"}
PEOPLE = {
    "olivia": ("operator", "operations", {"desks": ["retail", "corporate"]}),
    "tom": ("operator", "operations", {"desks": ["retail"]}),
    "mona": ("operations_lead", "operations", {}),
    "stan": ("buyer", "procurement", {}),
    "rosa": ("reviewer", "operations", {}),
    "ada": ("auditor", "audit", {}),
    "ines": ("admin", "admin", {}),
}
PASSWORD = "correct horse battery staple"


@dataclass
class Company:
    """The company: its people as actors, the file of its source, and a few shorthands for walking a run."""

    path: Path
    people: dict[str, Actor] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Actor:
        try:
            return self.people[name]
        except KeyError:
            raise AttributeError(name) from None

    def sql(self, statement: str, *given: Any) -> list[Any]:
        """Behind the console's back: what somebody does with the database itself."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(statement, given).fetchall()

    def started(self, record: str = "1", by: str = "olivia") -> str:
        """A run that stands at "Read this"."""
        return runs.start(self.people[by], "care-review", "customer", record, {"why": "periodic"})

    def at(self, step: str, record: str = "1", by: str = "olivia") -> str:
        """A run that stands at this step."""
        run_id = self.started(record, by)
        while (told := self.told(run_id, by))["current"]["step"] != step:
            self.answer(run_id, by, told)
        return run_id

    def told(self, run_id: str, by: str = "olivia") -> dict[str, Any]:
        """The run as this person sees it."""
        return runs.get(self.people[by], run_id).json

    def answer(
        self, run_id: str, by: str = "olivia", told: dict[str, Any] | None = None, **values: Any
    ) -> None:
        """Hand in the step that the run stands at, with something sensible where nothing is given."""
        told = told or self.told(run_id, by)
        here = told["current"]
        typed = values or {"note": {"note": "Looked at it."}, "rate": {"risk": "low"}}.get(here["step"], {})
        outcome = here["outcomes"][0]["value"] if here["outcomes"] else None
        runs.complete(
            self.people[by],
            run_id,
            runs.Submission(step=here["step"], revision=told["revision"], values=typed, outcome=outcome),
        )

    def work(self) -> int:
        """What a worker does: what is due or stuck becomes jobs, and each job is done; how many there were."""
        runs.pick_up()
        runs.wake()
        return work_until_idle(RUNNING)

    def finished(self, record: str = "1", by: str = "olivia") -> str:
        """A run that went through to its end."""
        run_id = self.started(record, by)
        while self.told(run_id, by)["current"] is not None:
            self.answer(run_id, by)
        return run_id


def _mask_nothing() -> None:
    """Take the demo's masking away: a test of masking says whose it is."""
    with transaction() as connection:
        rows = policy_store.rows_of(connection)
        kept = [
            row
            for row in rows
            if row.act == "reveal" or (row.eft == "allow" and row.obj.startswith("field:"))
        ]
        policy_store.write(connection, removed=kept)
    access.refresh()


def make(folder: Path) -> Company:
    """The company in the database that the settings point to; its source lies in the folder."""
    path = folder / "company.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SQL)
    staff.give_rights()
    _mask_nothing()
    fetch(
        'insert into console.sign_in (document) values (\'{"second_factor": "off", "step_up": false}\') returning 1'
    )  # those of its people who would need one have none
    sources.add("company", f"sqlite:///{path}", documents=DOCUMENTS, may={"admin": WORKING})
    for role in ("operator", "lead", "reviewer"):
        access.grant(role, "collection:account", ["browse", "read"], team="operations")
    for name, (role, team, tags) in PEOPLE.items():
        accounts.create_person(
            f"{name}@fernwick.example", role=role, team=team, name=name.title(), password=PASSWORD, tags=tags
        )
    workflows.import_file(DOCUMENT, publish=True)
    inboxes.import_all([DESK])
    return found(folder)


def found(folder: Path) -> Company:
    """The company that was made before, in the database that the settings point to."""
    people = {name: accounts.person_of_email(f"{name}@fernwick.example").id for name in PEOPLE}
    return Company(
        folder / "company.db",
        {name: accounts.actor_of_person(person, f"ses_{name}") for name, person in people.items()},
    )
