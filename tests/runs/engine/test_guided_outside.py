"""People's changes in other systems that hang, through a web process and a worker as they start: others' changes and pages go on, and nothing is done twice."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from console.auth import accounts
from console.infra import settings
from console.infra.processes.supervisor import GRACE_S
from console.operations.worker import LEAVE_S
from tests.company import Company
from tests.servers import outside
from tests.servers.outside import Receiver
from tests.support.engine import overdue, until, whole, workers
from tests.support.paying import PAY, Provider, at_pay, pay, paying, providing
from tests.test_serve import quiet_port

pytestmark = pytest.mark.slow

SOON_S = 4.0
"""Less than the five seconds for which a page waits, on a slow machine too."""
PATIENT = PAY | {"effects": [PAY["effects"][0] | {"timeout_s": 30}]}
ELSEWHERE = PAY | {
    "id": "customer.elsewhere",
    "title": "Pay elsewhere",
    "effects": [PAY["effects"][0] | {"target": "other", "path": "/elsewhere"}],
}


class Web:
    """A web process of a test, of four threads, and a person's key to it."""

    def __init__(self, company: Company) -> None:
        self.port, self.bearer = quiet_port(), f"Bearer {accounts.create_key('test', company.olivia.id).text}"
        options = ["--port", str(self.port)]
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "console.views.server", *options],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        assert until(lambda: self.get("/health"))

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            headers = {"Authorization": self.bearer, "Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def get(self, path: str) -> int:
        """The status; 0 where nobody answers."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.ask("GET", path)[0]
        return 0

    def hand_in(self, company: Company, run_id: str, **values: Any) -> tuple[float, dict[str, Any]]:
        """(seconds, the run as the answer tells it) of the step that the run stands at."""
        told, since = company.told(run_id), time.monotonic()
        body = {"step": told["current"]["step"], "revision": told["revision"], "values": values}
        status, answer = self.ask("POST", f"/api/v1/runs/{run_id}/complete", body)
        assert status == 200, answer
        return time.monotonic() - since, json.loads(answer)

    def hand_in_beside(self, company: Company, run_ids: list[str]) -> None:
        """The payments of all of them, by as many people at once; who is cut off is told nothing."""

        def press(run_id: str) -> None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.hand_in(company, run_id, amount=5)

        for run_id in run_ids:
            threading.Thread(target=press, args=(run_id,), daemon=True).start()

    def end(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with providing(monkeypatch) as made:
        made.mood = "held"
        yield made


@pytest.fixture
def other(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Another system, which answers."""
    with outside.http() as made:
        made.answer = lambda _: (200, b'{"id": "x"}', {"Content-Type": "application/json"})
        monkeypatch.setenv("CONSOLE_HTTP_TARGETS", f"provider={provider.receiver.url},other={made.url}")
        settings.current.cache_clear()
        yield made


@pytest.fixture
def web(company: Company, other: Receiver) -> Iterator[Web]:
    paying(document=PATIENT, exclusive=False, retries=3)
    made = Web(company)
    yield made
    made.end()


def ended_up(company: Company, run_ids: list[str], *steps: str) -> bool:
    """Whether each stands at one of these steps."""
    return all(
        company.told(run_id)["status"] == "waiting_person"
        and company.told(run_id)["current"]["step"] in steps
        for run_id in run_ids
    )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_web_process_that_ends_while_changes_hang_leaves_them_to_a_worker(
    company: Company, web: Web, provider: Provider, how: signal.Signals
) -> None:
    hanging = [at_pay(company) for _ in range(4)]
    web.hand_in_beside(company, hanging)
    assert until(lambda: len(provider.asked()) == len(hanging))
    web.process.send_signal(how)
    assert web.process.wait(SOON_S + GRACE_S) == (-how if how == signal.SIGKILL else 0)
    assert not provider.held.is_set()
    provider.held.set()
    assert until(lambda: len(provider.payments) == len(hanging))
    with workers():
        assert until(lambda: ended_up(company, hanging, "after"))
    assert len(provider.asked()) == len(set(provider.asked())) == len(provider.payments) == len(hanging)
    for run_id in hanging:
        whole(run_id)


def test_eight_that_hang_in_a_worker_hold_no_other_change_and_nothing_is_done_twice(
    company: Company, other: Receiver, provider: Provider
) -> None:
    paying(document=PATIENT, exclusive=False)
    paying(document=ELSEWHERE, slug="elsewhere", exclusive=False)
    provider.mood, other.answer = "busy", lambda _: (429, b"", {})
    hanging, quick = [at_pay(company) for _ in range(8)], [at_pay(company, "elsewhere") for _ in range(3)]
    assert {pay(company, run_id)["status"] for run_id in hanging + quick} == {"waiting_time"}
    asked, provider.mood, other.answer = len(provider.asked()), "held", lambda _: (200, b'{"id": "x"}', {})
    with workers() as (worker,):
        for run_id in hanging:
            overdue(run_id)
        assert until(lambda: len(provider.asked()) == asked + len(hanging))
        since = time.monotonic()
        for run_id in quick:
            overdue(run_id)
        assert until(lambda: ended_up(company, quick, "after"))
        assert time.monotonic() - since < 15
        worker.send_signal(signal.SIGKILL)
        assert worker.wait(LEAVE_S + 15) == -signal.SIGKILL
    assert not provider.held.is_set()
    provider.held.set()
    assert until(lambda: len(provider.payments) == len(hanging))
    with workers():
        assert until(lambda: ended_up(company, hanging, "after"))
    assert len(set(provider.asked())) == len(provider.payments) == len(hanging)
    for run_id in hanging + quick:
        whole(run_id)
