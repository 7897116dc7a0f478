"""Approvals that wait: who may decide is reminded, then who stands in for them is told; once each, in working time, and nobody else."""

from datetime import UTC, datetime, timedelta
from typing import Any

from console import log, runs, workflows
from console.auth import accounts
from console.auth.accounts import absences
from console.core.actor import Actor
from console.operations import status
from console.work import approval_times, due_times, notices, substitutions
from tests.company import Company
from tests.messaging.messages.reached import clock
from tests.support.four_eyes import bank, charging, requested
from tests.work.test_approvals import second_lead

__all__ = ["bank"]

FRIDAY = datetime(2026, 11, 20, 13, tzinfo=UTC)
WAITS = "Your approval is still waited for: Olivia asked for it"
HOURS = {"days": ["mon", "tue", "wed", "thu", "fri"], "opens": "09:00", "closes": "17:00"}


def timed(company: Company, run_id: str, **more: Any) -> None:
    """Who may decide is reminded after four hours of work, who stands in for them is told after eight."""
    known = next(one for one in workflows.all_known() if one.id == company.told(run_id)["workflow"]["id"])
    stages = [{"percent": 50, "do": "remind"}]
    waited = [{"minutes": 240, "do": "remind"}, {"minutes": 480, "do": "substitute"}]
    due_times.set_for_workflow(
        company.mona, known, {"minutes": 6000, "stages": stages, "approvals": waited, **HOURS, **more}
    )


def looked(move: Any, hours: float) -> None:
    move(timedelta(hours=hours))
    approval_times.look()


def told(person: Actor) -> list[str]:
    return [notice.text for notice in notices.notices_of(person) if "still waited for" in notice.text]


def waited(asked: str) -> list[tuple[int, int]]:
    """(minutes, how many were told) of each event about the approval."""
    events = [event.open for event in log.events_of("sys:config") if event.type == "approval_waited"]
    return [(each["minutes"], len(each["told"])) for each in events if each["approval"] == asked]


def test_who_may_decide_is_reminded_and_then_who_stands_in_for_them_is_told(bank: Company) -> None:
    charging(roles=["operations_lead"])
    lena = second_lead(bank)
    with clock(FRIDAY) as move:
        run_id, asked = requested(bank)
        timed(bank, run_id)
        assert approval_times.look() == 1
        absences.plan(
            bank.mona,
            bank.mona.id,
            first=FRIDAY.date() + timedelta(days=30),
            last=FRIDAY.date() + timedelta(days=31),
            substitute=lena.email,
        )
        looked(move, 3.9)
        assert (told(bank.mona), told(lena), told(bank.olivia)) == ([], [], [])
        looked(move, 64.2)  # Monday, five past nine
        assert (told(bank.mona), told(lena), waited(asked)) == ([WAITS], [WAITS], [(240, 2)])
        looked(move, 3.8)
        assert (approval_times.look(), told(bank.mona)) == (1, [WAITS])
        looked(move, 0.2)
        assert (told(bank.mona), told(lena)) == ([WAITS], [f"In place of Mona: {WAITS}", WAITS])
        looked(move, 200)
        assert waited(asked) == [(240, 2), (480, 1)]
        runs.approve(lena, asked)
        assert "Your approval was asked for: Lena approved" in [
            notice.text for notice in notices.notices_of(bank.mona)
        ]


def test_of_what_was_missed_each_is_told_once_and_a_decision_ends_it(bank: Company) -> None:
    charging(roles=["operations_lead"])
    with clock(FRIDAY) as move:
        run_id, asked = requested(bank)
        timed(bank, run_id)
        status.pause(bank.ines, "Repairs")
        looked(move, 24 * 7)
        assert told(bank.mona) == []
        status.resume(bank.ines, "Repaired")
        assert (approval_times.look(), told(bank.mona), waited(asked)) == (1, [WAITS], [(480, 1)])
        second, again = requested(bank, record="2")
        runs.reject(bank.mona, again, reason="No.")
        looked(move, 24 * 7)
        assert (waited(again), told(bank.mona)) == ([], [WAITS]), second


def test_who_is_away_is_stood_in_for_at_once_and_who_may_not_decide_is_told_nothing(bank: Company) -> None:
    charging(roles=["operations_lead"])
    lena = second_lead(bank)
    with clock(FRIDAY) as move:
        run_id, _ = requested(bank)
        timed(bank, run_id, days=["fri", "sat", "sun", "mon"], opens="00:00", closes="00:00")
        today = FRIDAY.date()
        absences.plan(
            bank.mona, bank.mona.id, first=today, last=today + timedelta(days=9), substitute=lena.email
        )
        absences.plan(
            lena,
            lena.id,
            first=today + timedelta(days=20),
            last=today + timedelta(days=21),
            substitute="tom@fernwick.example",
        )
        looked(move, 5)
        substitutions.pass_on()
        assert (told(lena), told(bank.tom)) == ([WAITS], []), "one notice for one reason, whoever it is for"
        looked(move, 5)
        assert told(accounts.actor_of_person(lena.id))[0] == f"In place of Mona: {WAITS}"
        assert (told(bank.tom), told(bank.olivia)) == ([], [])
