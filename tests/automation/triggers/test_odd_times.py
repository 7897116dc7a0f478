"""Schedules in the hour that comes twice, in the one that never comes and on 29 February, and workers whose machines have different times."""

import os
import subprocess
from calendar import monthcalendar
from datetime import UTC, datetime, timedelta

import pytest

from console import log, runs
from console.infra.db.engine import fetch
from tests import warm
from tests.automation.triggers.test_triggers import due_at, house, publish, runs_of
from tests.company import Company
from tests.jobs import work_as_workers_do
from tests.support.engine import overdue, until, waiting, whole

__all__ = ["house"]
pytestmark = pytest.mark.slow


def last_sunday(month: int) -> datetime:
    """The last Sunday of this month that is over, in UTC."""
    today = datetime.now(UTC)
    for year in (today.year, today.year - 1):
        day = datetime(year, month, max(week[6] for week in monthcalendar(year, month)), tzinfo=UTC)
        if day < today - timedelta(days=2):
            return day
    raise AssertionError


OCTOBER, MARCH = last_sunday(10), last_sunday(3)


@pytest.mark.parametrize(
    ("cron", "since", "fired"),
    [
        (f"30 3 {OCTOBER.day} 10 *", OCTOBER, OCTOBER + timedelta(minutes=30)),
        (f"30 3 {MARCH.day} 3 *", MARCH, MARCH + timedelta(hours=1)),
        ("0 2 29 2 *", datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 2, 29, tzinfo=UTC)),
    ],
    ids=["n4: half past three comes twice", "it never comes", "29 February"],
)
def test_a_schedule_on_an_odd_day_fires_once(
    house: Company, cron: str, since: datetime, fired: datetime
) -> None:
    publish(
        "nightly-check",
        {"id": "night", "kind": "schedule", "cron": cron, "zone": "Europe/Vilnius", "missed": "all"},
    )
    due_at("nightly-check", "night", f"'{since.isoformat()}'")
    work_as_workers_do()
    moments = [row[0].astimezone(UTC) for row in fetch("select at from console.firing order by at")]
    assert [at for at in moments if at - since < timedelta(days=1) or fired.month == 2] == [fired]
    assert len(moments) == len(runs_of("nightly-check")) <= 2, "another one where it was a year ago"
    [[after]] = fetch("select next_at from console.trigger where id = 'night'")
    assert (after > datetime.now(UTC), after.month, after.day) == (True, fired.month, fired.day)


WORKER = """
import sys
from datetime import UTC, datetime, timedelta
from console import log
from console.log import append
by = timedelta(minutes=float(sys.argv[1]))
append.now = log.now = lambda: datetime.now(UTC) + by
from console.operations.worker import main
main()
"""


def test_two_workers_whose_clocks_are_five_minutes_apart_do_each_thing_once(house: Company) -> None:
    minute = (log.now().minute + 30) % 60
    publish("late", {"id": "night", "kind": "schedule", "cron": f"{minute} * * * *", "missed": "all"})
    due_at("late", "night", "clock_timestamp() - interval '5 hours'")
    waiting({"days": 1})
    ids = [runs.start(house.olivia, "waiting", None, None) for _ in range(12)]
    made = [
        subprocess.Popen([warm.python(), "-c", WORKER, by], env=os.environ, stdin=subprocess.DEVNULL)
        for by in ("0", "-5")
    ]
    try:
        for run_id in ids:
            complete(house, run_id)
        for run_id in ids:
            assert until(lambda run_id=run_id: house.told(run_id)["status"] == "waiting_time")  # type: ignore[misc]
            overdue(run_id)
        assert until(lambda: len(runs_of("late")) == 5)
        for run_id in ids:
            assert until(lambda run_id=run_id: house.told(run_id)["current"]["step"] == "after")  # type: ignore[misc]
    finally:
        for process in made:
            process.terminate()
        assert [process.wait(30) for process in made] == [0, 0]
    assert fetch("select count(*), count(distinct at), count(distinct run) from console.firing") == [
        (5, 5, 5)
    ]
    for run_id in ids:
        assert [attempt["step"] for attempt in house.told(run_id)["attempts"]] == [
            "start",
            "before",
            "pause",
            "after",
        ]
        whole(run_id)


def complete(house: Company, run_id: str) -> None:
    """Read what stands before the wait."""
    told = house.told(run_id)
    runs.complete(
        house.olivia,
        run_id,
        runs.Submission(step=told["current"]["step"], revision=told["revision"], values={}),
    )
