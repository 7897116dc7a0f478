"""The refund reminder that ships: the team after eight hours, the lead when an answer is due, the finance controller on the tenth day; nobody twice."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console import access, accounts, runs, sources, workflows
from console.core.run.origin import RecordRef, StartedBy
from console.work import notices
from tests.company import Company
from tests.messages.reached import clock

ROOT = Path(__file__).parents[2]
BEGUN = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=20)
"""Long enough ago for every wait to be over for the database, whose clock cannot be moved: the console's own clock decides then."""
TABLE = "create table ticket (id integer primary key, subject text, kind text, status text, created_at datetime, sla_due_at datetime)"


@pytest.fixture
def run_id(company: Company, tmp_path: Path) -> str:
    path = tmp_path / "desk.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(TABLE)
        row = (1, "Money back", "refund_request", "open", f"{BEGUN:%Y-%m-%d %H:%M:%S}", f"{BEGUN + timedelta(days=1):%Y-%m-%d %H:%M:%S}")
        connection.execute("insert into ticket values (?, ?, ?, ?, ?, ?)", row)
        connection.commit()
    sources.add(
        "desk",
        f"sqlite:///{path}",
        role="operations_lead",
        documents=[{"id": "ticket", "source": "desk", "table": "ticket", "title": "{{ record.subject }}"}],
    )
    access.grant("operator", "collection:ticket", ["browse", "read"], team="operations")
    accounts.create_service_account("operations-automation@fernwick.example", [("operations_lead", "operations")])
    document: dict[str, Any] = json.loads((ROOT / "workflows" / "refund-sla.json").read_text(encoding="utf-8"))
    document["triggers"] = []
    document["variables"]["finance_controller"] = "tom@fernwick.example"
    workflows.import_file(document, publish=True, rights=False)
    with clock(BEGUN):
        return runs.start_hands_off(
            "refund-sla", by=StartedBy("working_hours", "schedule"), record=RecordRef("ticket", "1"), values={}, key="k1"
        )


def told(company: Company, who: str) -> int:
    return len([notice for notice in notices.notices_of(company.people[who]) if "Money back" in notice.text])


def test_who_is_told_when(company: Company, run_id: str) -> None:
    heard = []
    with clock(BEGUN) as move:
        for hours in (0, 7, 2, 14, 2, 24 * 8, 24, 24 * 3):
            move(timedelta(hours=hours))
            company.work()
            heard.append((told(company, "olivia"), told(company, "mona"), told(company, "tom")))
        assert heard == [(0, 0, 0), (0, 0, 0), (1, 0, 1), (1, 0, 1), (1, 1, 1), (1, 1, 1), (1, 1, 2), (1, 1, 2)], (
            "Tom, an operator, stands for Petra"
        )
        waiting = company.told(run_id, "mona")["current"]
        assert (waiting["step"], waiting["waiting"]["for"]) == ("answered", "event")


@pytest.mark.parametrize("status", ["solved", "pending_customer"])
def test_f5_a_ticket_that_was_answered_in_between_reminds_nobody(company: Company, run_id: str, tmp_path: Path, status: str) -> None:
    with clock(BEGUN) as move:
        company.work()
        with closing(sqlite3.connect(tmp_path / "desk.db")) as connection:
            connection.execute("update ticket set status = ?", (status,))
            connection.commit()
        move(timedelta(hours=9))
        company.work()
        assert (told(company, "olivia"), told(company, "mona")) == (0, 0)
