"""Pages of a workflow in which 300,000 people wait, against the same pages with 10,000.

    python bench/waiting.py [--people 300000]

Its own server in a temporary folder. The people are enrolled by a real worker into a workflow that one may begin in a day, so that all others wait; the pages come over HTTP from a web process of its own.
Asked are the cards of all workflows, *Enrolled* (first page, page in the middle, one status), the canvas with its counts, *Executions*, the card's numbers and the list of the API.
Bar: each at most 300 ms.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import enrolment
import list as lists
import rig

FEW, BAR_MS, ROUNDS = 10_000, 300.0, 5


def main() -> None:
    """Fill and measure twice."""
    parser = argparse.ArgumentParser(description="Pages of a workflow in which many wait.")
    parser.add_argument("--people", type=int, default=300_000)
    people = parser.parse_args().people
    with rig.console() as server:
        worker = subprocess.Popen(
            [sys.executable, "-m", "console.operations.worker"], stdin=subprocess.PIPE, env=os.environ
        )
        try:
            held = measured(server, people)
        finally:
            worker.terminate()
            worker.wait(30)
    sys.exit(0 if held else 1)


def measured(server: Any, people: int) -> bool:
    """Print a line per page; whether the bar holds."""
    from console.auth import accounts

    actor = enrolment.furnish(server, FEW)
    server.sql('insert into console.sign_in (document) values (\'{"second_factor": "off"}\')', "console")
    key = accounts.create_key("bench", actor.id).text
    port = lists.free_port()
    with lists.served(["-m", "console.views.server", "--port", str(port)], port):
        page, api = lists.Browser(port), lists.Browser(port)
        page.sign_in("ines@example.org", "a long enough bench password")
        api.headers["Authorization"] = f"Bearer {key}"
        enrol(actor, FEW)
        few = asked(page, api)
        server.sql(
            f"insert into person select n, 'Person ' || n, 'p' || n || '@example.org', 'Oslo', n % 100 from generate_series({FEW + 1}, {people}) n; analyze person",
            "bench_shop",
        )
        took = enrol(actor, people)
        many = asked(page, api)
    print(f"{people:,} wait (enrolled in {took:.0f} s), against {FEW:,}; load {os.getloadavg()[0]:.0f}")
    slower = {name: many[name] / few[name] for name in few}
    for name, by in slower.items():
        print(f"{name:32} {few[name]:7.1f} ms  {many[name]:7.1f} ms  {by:6.2f} ×")
    good = [
        rig.held(f"{name}, {people:,} live runs", took, " ms", most=BAR_MS) for name, took in many.items()
    ]
    return all(good)


def enrol(actor: Any, people: int) -> float:
    """Seconds until so many are in."""
    from console.automation import enrolments
    from console.infra.db.engine import fetch

    begin = time.perf_counter()
    batch = enrolments.batches.begin(actor, "nurture", enrolments.Question(whole=True))
    enrolment.until(lambda: enrolments.batches.get(actor, batch.id).status != "running", 1800)
    enrolment.until(lambda: fetch("select count(*) from console.enrolment")[0][0] == people, 10)
    enrolment.until(lambda: fetch("select count(*) from console.log_pending")[0][0] == 0, 600)
    return time.perf_counter() - begin


def asked(page: lists.Browser, api: lists.Browser) -> dict[str, float]:
    """Page → milliseconds, the median of rounds taken in turn."""
    for browser in (page, api):
        browser.connection.close()  # left alone for long, it was closed at the other end
    ways: dict[str, Callable[[], float]] = {"Workflows, cards": partial(page.milliseconds, "/workflows")}
    for name, path in (
        ("Enrolled", "enrolled"),
        ("Enrolled, those who wait", "enrolled?status=waiting"),
        ("Enrolled, nobody has left", "enrolled?status=left"),
        ("Executions", "executions"),
        ("Canvas with counts", ""),
        ("Metrics", "metrics"),
        ("Take many out, asked", "take-out"),
    ):
        ways[name] = partial(page.milliseconds, f"/workflows/nurture/{path}".rstrip("/"))
    first = "/api/v1/workflows/nurture/leads"
    ways["API, leads"] = partial(api.milliseconds, first)
    status, told = api.ask("GET", first)
    following = json.loads(told).get("next")
    if status != 200 or not following:
        raise SystemExit(f"{first} answered {status}: {told[:200]!r}")
    ways["API, the next page"] = partial(api.milliseconds, f"{first}?after={following}")
    lists.REQUESTS = 5
    for measure in ways.values():
        measure()
    return {
        name: statistics.median(found)
        for name, found in zip(ways, rig.in_turn(ROUNDS, *ways.values()), strict=True)
    }


if __name__ == "__main__":
    main()
