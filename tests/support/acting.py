"""Actions on the small company, as tests define them; and a walk through a run of one."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from console import actions, runs
from console.actions import bulk
from console.actions.bulk import Bulk
from console.auth import access
from console.core.actor import Actor
from console.infra import jobs
from console.operations.worker import handlers
from tests.company import Company

RATE: dict[str, Any] = {
    "format": 1,
    "id": "customer.rate",
    "title": "Rate the customer",
    "collection": "customer",
    "team": "operations",
    "text": "About **{{ record.display_name }}**, now {{ record.risk }}.",
    "form": [
        {
            "name": "risk",
            "label": "Risk",
            "type": "enum",
            "required": True,
            "options": [
                {"value": "low", "label": "Low"},
                {"value": "medium", "label": "Medium"},
                {"value": "high", "label": "High"},
            ],
        },
        {"name": "note", "label": "Note", "type": "text"},
    ],
    "require": [
        {"if": "record.desk == 'retail'", "message": "{{ record.display_name }} is no retail customer."}
    ],
    "effects": [
        {"kind": "sql_write", "name": "customer", "summary": "Sets the risk", "set": {"risk": "input.risk"}}
    ],
    "done": "{{ record.display_name }} is rated {{ results.customer.new.risk }}.",
}


def imported(
    *documents: Mapping[str, Any],
    roles: tuple[str, ...] = ("operator", "lead"),
    acts: tuple[str, ...] = ("execute",),
) -> None:
    """The actions, made known, and the right to do them in Operations."""
    for document in documents:
        made = actions.import_file(document)
        for role in roles:
            access.grant(role, f"action:{made.id}", acts, team="operations")


def run_of(company: Company, document: Mapping[str, Any], record: str = "1", by: str = "olivia") -> str:
    """A run that stands at the action's form."""
    slug = "action-" + document["id"].replace(".", "-").replace("_", "-")
    return runs.start(
        company.people[by], slug, document.get("collection"), record if document.get("collection") else None
    )


def go_on(actor: Actor, bulk_id: str, stopping: Callable[[], bool] = lambda: False) -> Bulk:
    """What a worker does at once of something on several records, and how far that is for who began it."""
    with contextlib.suppress(jobs.PutBack):
        handlers(stopping)[jobs.BULK](bulk_id)
    return bulk.get(actor, bulk_id)


def hand_in(company: Company, run_id: str, by: str = "olivia", **values: Any) -> dict[str, Any]:
    """The run after the form was handed in."""
    told = company.told(run_id, by)
    runs.complete(
        company.people[by],
        run_id,
        runs.Submission(step=told["current"]["step"], revision=told["revision"], values=values),
    )
    return company.told(run_id, by)
