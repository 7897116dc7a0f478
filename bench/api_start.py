"""A run started through the API until its first step stands there, against the pages' own service call, in turn.

    python bench/api_start.py [--rounds 15] [--each 40]

The service call: `runs.start`, then `runs.get`, by a person who is signed in. The API: `POST /api/v1/runs` through the whole application, with its
key looked up, its limits counted and the run as JSON; and the same once more with an `X-Idempotency-Key`. Prints milliseconds and the ratios.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import rig
import step

BAR = 1.3


def main() -> int:
    """Measure and print; 1 where the bar does not hold."""
    parser = argparse.ArgumentParser(prog="api_start.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--each", type=int, default=40, help="runs started in each round")
    told = parser.parse_args()
    os.environ["CONSOLE_RATE_LIMITS"] = "999999999/min,999999999/h,999999999/day"
    with rig.console():
        ways = _ways(step.prepare(), told.each)
        for way in ways:
            way()
        service, api, keyed = rig.in_turn(told.rounds, *ways)
    for name, figures in (("service call", service), ("API", api), ("API with an idempotency key", keyed)):
        print(f"{name}: {statistics.median(figures) * 1000:.2f} ms")
    plain, with_key = rig.ratio(api, service), rig.ratio(keyed, service)
    print(f"API {plain:.2f} × the service call (bar: at most {BAR}); with an idempotency key {with_key:.2f} ×")
    return 0 if plain <= BAR else 1


def _ways(person: str, each: int) -> list[Callable[[], float]]:
    """Three ways to start a run, each answering the median time that it took, in seconds."""
    from console import accounts, runs
    from console.app import create_app

    client, actor = create_app().test_client(), accounts.actor_of_person(person, "ses_bench")
    headers = {"Authorization": f"Bearer {accounts.create_key('bench', person).text}"}
    numbers = iter(range(10**9))

    def service() -> Any:
        return runs.get(actor, runs.start(actor, "bench", None, None, {})).json

    def call(**more: str) -> Any:
        answer = client.post("/api/v1/runs", json={"workflow": "bench"}, headers=headers | more)
        assert answer.status_code == 201, answer.text
        return answer.get_json()

    def timed(way: Callable[[], Any]) -> float:
        took = []
        for _ in range(each):
            begun = time.perf_counter()
            assert way()["current"]["step"] == "one"
            took.append(time.perf_counter() - begun)
        return statistics.median(took)

    return [
        lambda: timed(service),
        lambda: timed(call),
        lambda: timed(lambda: call(**{"X-Idempotency-Key": f"bench-{next(numbers)}"})),
    ]


if __name__ == "__main__":
    sys.exit(main())
