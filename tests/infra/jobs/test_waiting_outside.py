"""A worker as it starts, and other people's systems that let it wait: whoever asks nobody outside, or somebody who answers, goes on meanwhile."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from console import runs, workflows
from console.auth import accounts
from console.core.run.origin import StartedBy
from console.infra.db.engine import fetch
from console.infra.db.presence import PRESENCE
from console.infra.jobs import outside_places
from console.operations.worker import LEAVE_S
from tests.company import Company
from tests.servers import outside
from tests.servers.outside import Received, Receiver
from tests.support.engine import PRESENT, step, until, whole, workers

pytestmark = pytest.mark.slow

ROBOT = "robot@fernwick.test"
SOON_S = 15.0
"""A second or two on a machine that does nothing else."""


@contextmanager
def silent() -> Iterator[tuple[Receiver, threading.Event]]:
    """A system that takes each request and says nothing until the event is set."""
    speaks = threading.Event()

    def answer(_: Received) -> tuple[int, bytes, dict[str, str]]:
        speaks.wait(60)
        return 200, json.dumps({"id": 1}).encode(), {"Content-Type": "application/json"}

    with outside.http() as system:
        system.answer = answer
        try:
            yield system, speaks
        finally:
            speaks.set()


def asking(slug: str, url: str, **more: Any) -> None:
    config = {"operation": "http", "url": f"{url}/{slug}", "timeout_s": 30, "method": "GET"} | more
    acting(slug, step("ask", "action", "end", config))


def acting(slug: str, middle: dict[str, Any]) -> None:
    steps = [step("start", "start", middle["id"]), middle, step("end", "end", None)]
    settings = {"parallel": 100, "exclusive": False, "on_error": "fail"}
    document = {
        "format": 1,
        "slug": slug,
        "title": slug.title(),
        "team": "operations",
        "run_as": ROBOT,
        "settings": settings,
        "steps": steps,
    }
    workflows.import_file(document, publish=True)


def begun(slug: str, count: int) -> list[str]:
    by = StartedBy("nightly", "schedule")
    return [
        runs.start_hands_off(slug, by=by, record=None, values={}, key=f"{slug}-{number}")
        for number in range(count)
    ]


def ended(run_ids: list[str]) -> bool:
    return fetch(
        "select count(*) from console.run where id = any(%s) and status = 'completed'", (run_ids,)
    ) == [(len(run_ids),)]


@pytest.fixture
def robot(company: Company) -> Company:
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    acting("counting", step("count", "output", "end", {"values": {"n": "1 + 1"}}))
    return company


def test_one_system_that_hangs_takes_no_place_from_others_and_nothing_is_lost_by_a_kill(
    robot: Company,
) -> None:
    with silent() as (system, speaks), outside.http() as other:
        other.answer = lambda _: (200, b"{}", {"Content-Type": "application/json"})
        asking("silent", system.url)
        asking("spoken", other.url)
        with workers(CONSOLE_PRIVATE_HOSTS="127.0.0.1") as (worker,):
            hanging = begun("silent", 4 * outside_places.EACH)
            assert until(lambda: len(system.received) == outside_places.EACH)
            since = time.monotonic()
            quick = begun("spoken", 20) + begun("counting", 20)
            assert until(lambda: ended(quick))
            assert time.monotonic() - since < SOON_S
            assert len(system.received) == outside_places.EACH
            worker.kill()
            worker.wait()
            assert until(lambda: fetch(PRESENT, PRESENCE) == [(0,)])
        speaks.set()
        with workers(CONSOLE_PRIVATE_HOSTS="127.0.0.1"):
            assert until(lambda: ended(hanging))
            assert until(lambda: not fetch("select id from queue.pgqueuer"))
    for run_id in hanging:
        whole(run_id)


def test_a_worker_that_is_told_to_stop_does_not_wait_for_who_hangs(robot: Company) -> None:
    with silent() as (system, speaks):
        asking("silent", system.url)
        with workers(CONSOLE_PRIVATE_HOSTS="127.0.0.1") as (worker,):
            hanging = begun("silent", 3)
            assert until(lambda: len(system.received) == len(hanging))
            worker.terminate()
            assert worker.wait(LEAVE_S + SOON_S) == 0
            assert not speaks.is_set()
        speaks.set()
        with workers(CONSOLE_PRIVATE_HOSTS="127.0.0.1"):
            assert until(lambda: ended(hanging))
    for run_id in hanging:
        whole(run_id)
