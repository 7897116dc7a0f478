"""The refund reminder that ships: who is told when, once, and not while the customer is waited for."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console import runs, sources, workflows
from console.auth import access, accounts
from console.core.run.origin import RecordRef, StartedBy
from console.work import notices
from tests.company import Company
from tests.messaging.messages.reached import clock
from tests.support.engine import until, workers

ROOT = Path(__file__).parents[2]
_SOME_DAY = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=24)
BEGUN = _SOME_DAY - timedelta(days=(_SOME_DAY.weekday() - 1) % 7)
"""Long enough ago for every wait to be over for the database, whose clock cannot be moved: the console's own clock decides then. A Tuesday, 11:00 or 12:00 in Vilnius."""
FRIDAY = BEGUN + timedelta(days=3, hours=6)
TABLE = "create table ticket (id integer primary key, subject text, kind text, status text, created_at datetime, pending_hours numeric(8, 2) not null default 0)"


@pytest.fixture
def run_id(company: Company, tmp_path: Path) -> str:
    path = tmp_path / "desk.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(TABLE)
        row = (1, "Money back", "refund_request", "open", f"{BEGUN:%Y-%m-%d %H:%M:%S}")
        connection.execute(
            "insert into ticket (id, subject, kind, status, created_at) values (?, ?, ?, ?, ?)", row
        )
        connection.commit()
    sources.add(
        "desk",
        f"sqlite:///{path}",
        role="operations_lead",
        documents=[{"id": "ticket", "source": "desk", "table": "ticket", "title": "{{ record.subject }}"}],
    )
    access.grant("operator", "collection:ticket", ["browse", "read"], team="operations")
    accounts.create_service_account(
        "operations-automation@fernwick.example", [("operations_lead", "operations")]
    )
    document: dict[str, Any] = json.loads(
        (ROOT / "workflows" / "refund-sla.json").read_text(encoding="utf-8")
    )
    document["triggers"] = []
    document["variables"]["finance_controller"] = "tom@fernwick.example"
    workflows.import_file(document, publish=True, rights=False)
    with clock(BEGUN):
        return runs.start_hands_off(
            "refund-sla",
            by=StartedBy("working_hours", "schedule"),
            record=RecordRef("ticket", "1"),
            values={},
            key="k1",
        )


def told(company: Company, who: str) -> int:
    return len([notice for notice in notices.notices_of(company.people[who]) if "Money back" in notice.text])


def test_who_is_told_when(company: Company, run_id: str) -> None:
    heard = []
    with clock(BEGUN) as move:
        for hours in (0, 9, 11, 3, 5, 3, 24 * 8, 24, 24 * 3):
            move(timedelta(hours=hours))
            company.work()
            heard.append((told(company, "olivia"), told(company, "mona"), told(company, "tom")))
        before, after = [(0, 0, 0)] * 3, [(1, 2, 1), (1, 2, 2), (1, 2, 2)]
        assert heard == [*before, (1, 0, 1), (1, 1, 1), (1, 2, 1), *after], (
            "Tom, an operator, stands for Petra"
        )
        waiting = company.told(run_id, "mona")["current"]
        assert (waiting["step"], waiting["waiting"]["for"]) == ("answered", "event")


def test_f1_a_request_of_friday_afternoon_is_brought_to_mind_on_monday(
    company: Company, run_id: str, tmp_path: Path
) -> None:
    """One of the eight hours passes on Friday, from 17:00 in Vilnius; the others on Monday."""
    runs.cancel(company.mona, run_id, revision=None, reason="Another day")
    with closing(sqlite3.connect(tmp_path / "desk.db")) as connection:
        connection.execute("update ticket set created_at = ?", (f"{FRIDAY:%Y-%m-%d %H:%M:%S}",))
        connection.commit()
    with clock(FRIDAY) as move:
        by = StartedBy("working_hours", "schedule")
        assert runs.start_hands_off("refund-sla", by=by, record=RecordRef("ticket", "1"), values={}, key="k2")
        heard = []
        for hours in (1, 8, 24, 24, 12, 12, 24):
            move(timedelta(hours=hours))
            company.work()
            heard.append((told(company, "olivia"), told(company, "mona")))
        rest = [(0, 0)] * 5
        assert heard == [*rest, (1, 0), (1, 1)], (
            "Friday evening, the night, Saturday, Sunday, Monday morning; Monday and Tuesday at the end of work"
        )


def test_f2_a_request_that_waits_for_its_customer_is_left_alone_until_it_is_open_again(
    company: Company, run_id: str, tmp_path: Path
) -> None:
    def becomes(status: str, pending_hours: int = 0) -> None:
        with closing(sqlite3.connect(tmp_path / "desk.db")) as connection:
            connection.execute("update ticket set status = ?, pending_hours = ?", (status, pending_hours))
            connection.commit()

    with clock(BEGUN) as move:
        company.work()
        becomes("pending_customer")
        move(timedelta(hours=32))
        company.work()
        assert (told(company, "olivia"), told(company, "mona")) == (0, 0)
        assert company.told(run_id, "mona")["status"] == "completed"
        becomes("open", pending_hours=16)
        by = StartedBy("working_hours", "schedule")
        again = runs.start_hands_off(
            "refund-sla", by=by, record=RecordRef("ticket", "1"), values={}, key="k2"
        )
        heard = []
        for hours in (1, 2, 16, 8, 13):
            move(timedelta(hours=hours))
            company.work()
            heard.append((told(company, "olivia"), told(company, "mona")))
        assert heard == [(0, 0), (0, 0), (0, 0), (1, 0), (1, 1)], (
            "its sixteen hours with the customer do not count"
        )
        assert company.told(again, "mona")["current"]["step"] == "late"


@pytest.mark.slow
def test_f4_two_workers_remind_once(company: Company, run_id: str) -> None:
    """Their clock is that of the machine, so that the last reminder is due, and no other."""
    with clock(BEGUN) as move:
        company.work()
        move(timedelta(hours=26))
        runs.pick_up()
        runs.wake()
        with workers(2):
            assert until(lambda: told(company, "tom"))
            assert until(lambda: company.told(run_id, "mona")["current"]["step"] == "answered")
    assert (told(company, "olivia"), told(company, "mona"), told(company, "tom")) == (0, 0, 1), (
        "Tom stands for Petra"
    )
