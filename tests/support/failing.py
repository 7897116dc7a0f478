"""A workflow that fails for a reason that somebody can mend: it waits until a moment that the record does not name."""

from typing import Any

from console import runs, workflows
from tests.company import Company
from tests.support.engine import step

REMINDING: dict[str, Any] = {
    "format": 1,
    "slug": "reminding",
    "title": "Reminding",
    "collection": "customer",
    "team": "operations",
    "settings": {"on_error": "fail", "retries": 0},
    "steps": [
        step("start", "start", "note"),
        step("note", "output", "later", {"values": {"name": "record.display_name"}}),
        step("later", "wait", "end", {"until": "record.updated_at"}),
        step("end", "end", None),
    ],
}


def failed(company: Company, record: str = "1", by: str = "olivia") -> str:
    """A run that failed, because its record says nothing about when."""
    if not any(known.slug == "reminding" for known in workflows.all_known()):
        workflows.import_file(REMINDING, publish=True)
    run_id = runs.start(company.people[by], "reminding", "customer", record)
    assert company.told(run_id, by)["status"] == "failed"
    return run_id


def mend(company: Company, *records: str) -> None:
    """The records name a moment now, which is past."""
    for record in records:
        company.sql("update customer set updated_at = '2026-01-01T00:00:00Z' where id = ?", record)
