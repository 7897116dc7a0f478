"""What became of a change is asked of systems that may let the worker wait: that holds nobody up who asks another system."""

import json
import time

import pytest

from console.auth import access
from console.infra import jobs, settings
from console.infra.db.engine import fetch
from tests.company import Company
from tests.infra.jobs.test_waiting_outside import SOON_S, silent
from tests.servers import outside
from tests.servers.outside import Received
from tests.support.acting import hand_in, imported, run_of
from tests.support.engine import until, workers

pytestmark = pytest.mark.lengthy

DUE = "update queue.pgqueuer set execute_after = now() where entrypoint = 'follow' and status = 'queued' returning id"
REPORTED = "select count(*) from console.activity where kind = 'effect_reported'"


def paying(target: str) -> dict[str, object]:
    """An action of which the other system says only later what came of it."""
    payment = {
        "kind": "http",
        "name": "payment",
        "summary": "Pays",
        "target": target,
        "path": "/v1/payments",
        "body": {"amount": "input.amount"},
        "timeout_s": 30,
        "result": {"status": "answer.status"},
        "look_up": {
            "path": "/v1/payments",
            "query": {"key": "key"},
            "where": "true",
            "result": {"status": "answer.status"},
        },
        "follow": {
            "pending": "results.payment.status == 'pending'",
            "failed": "results.payment.status == 'failed'",
            "title": "It came to nothing",
        },
    }
    form = [{"name": "amount", "label": "Amount", "type": "integer", "required": True}]
    about = {
        "format": 1,
        "id": f"customer.pay_{target}",
        "title": f"Pay by {target}",
        "collection": "customer",
        "team": "operations",
    }
    return about | {"form": form, "irreversible": True, "effects": [payment], "done": "Paid."}


def pays(method: str, later: str) -> tuple[int, bytes, dict[str, str]]:
    return (
        200,
        json.dumps({"status": "pending" if method == "POST" else later}).encode(),
        {"Content-Type": "application/json"},
    )


def test_look_ups_that_hang_hold_no_other_look_up(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    access.grant("operator", "collection:customer", ["act"], team="operations")
    with silent() as (slow, speaks), outside.http() as quick:
        waits = slow.answer

        def after_a_while(asked: Received) -> tuple[int, bytes, dict[str, str]]:
            if asked.method != "POST":
                waits(asked)
            return pays(asked.method, "succeeded")

        slow.answer, quick.answer = after_a_while, lambda asked: pays(asked.method, "failed")
        environ = {
            "CONSOLE_HTTP_TARGETS": f"slow={slow.url},quick={quick.url}",
            "CONSOLE_PRIVATE_HOSTS": "127.0.0.1",
        }
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        settings.current.cache_clear()
        for target, count in (("slow", 5), ("quick", 3)):
            imported(document := paying(target))
            for number in range(count):
                assert hand_in(company, run_of(company, document), amount=number + 1)["status"] == "completed"
        assert fetch("select count(*) from queue.pgqueuer where entrypoint = %s", (jobs.FOLLOW,)) == [(8,)]
        with workers(CONSOLE_HTTP_TARGETS=environ["CONSOLE_HTTP_TARGETS"], CONSOLE_PRIVATE_HOSTS="127.0.0.1"):
            slow.received.clear()
            fetch(DUE)
            since = time.monotonic()
            assert until(lambda: fetch(REPORTED) == [(3,)])
            assert time.monotonic() - since < SOON_S
            assert until(lambda: len(slow.received) == 5), (
                "all who wait for the slow one wait beside the others"
            )
            assert not speaks.is_set()
            speaks.set()
            assert until(lambda: fetch(REPORTED) == [(8,)])
            assert until(lambda: not fetch("select id from queue.pgqueuer"))
    settings.current.cache_clear()
