"""From Done to the form of the next step, with automatic steps between, as a person's browser waits for it.

    python bench/next_form.py [--steps 1000]

Served as `console serve` serves: granian, one web worker. Between two steps of a person stand an `output` and a `condition`; the answer to Done holds
the form of the step after them. The bar: the 95th percentile at most 150 ms.
"""

import argparse
import statistics
import sys
from typing import Any

import http_step
import rig
import step
from list import Browser, free_port, served

BAR_MS = 150.0
BETWEEN = 2


def between(name: str, to: str) -> list[dict[str, Any]]:
    """Two automatic steps on the way to a step."""
    return [
        {"id": f"{name}_sum", "type": "output", "title": "Sum", "config": {"values": {"n": "1 + 1"}}, "next": {"default": f"{name}_if"}},
        {
            "id": f"{name}_if",
            "type": "condition",
            "title": "Which way",
            "config": {"branches": [{"outcome": "yes", "if": f"steps.{name}_sum.n == 2"}]},
            "next": {"yes": to, "default": to},
        },
    ]


def main() -> int:
    """Set up, measure, print, judge."""
    parser = argparse.ArgumentParser(description="From Done to the next form, automatic steps between.")
    parser.add_argument("--steps", type=int, default=1000)
    told = parser.parse_args()
    by_id = {one["id"]: one for one in step.STEPS}
    by_id["one"]["next"], by_id["two"]["next"] = {"default": "after_one_sum"}, {"default": "after_two_sum"}
    step.STEPS.extend([*between("after_one", "two"), *between("after_two", "one")])
    port = free_port()
    with rig.console():
        person = step.prepare()
        from console import accounts, runs

        accounts.set_password(person, http_step.PASSWORD)
        actor = accounts.actor_of_person(person, "ses_bench")
        with served(["-m", "console.web", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"], port):
            browser = Browser(port)
            browser.sign_in("olivia@fernwick.example", http_step.PASSWORD)
            run = runs.start(actor, "bench", None, None, {})
            client = http_step.page_client(port, browser, [(run, runs.get(actor, run).json["revision"])])
            client.moves = 1 + BETWEEN
            for _ in range(50):
                client.complete()
            client.times.clear()
            for _ in range(told.steps):
                client.complete()
        attempts = len(runs.get(actor, run, most=None).json["attempts"])
    cut = statistics.quantiles(client.times, n=20)
    print(
        f"{told.steps} steps, {BETWEEN} automatic ones after each ({attempts} attempts): p50 {cut[9]:.1f} ms, p95 {cut[18]:.1f} ms (bar at most {BAR_MS:g} ms)"
    )
    return 0 if cut[18] <= BAR_MS else 1


if __name__ == "__main__":
    sys.exit(main())
