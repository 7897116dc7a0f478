"""Deliveries to a real server that fails: tries, order, redirects, who is away for long, a worker that dies in the middle."""

import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from console.activity import sequencing
from console.automation.webhooks import outgoing as webhooks
from console.infra.db.engine import fetch
from console.work import notices
from tests import warm
from tests.automation.webhooks.outgoing.delivering import (
    added,
    answering,
    bodies,
    due_now,
    go_on,
    happens,
    statuses,
)
from tests.company import Company
from tests.servers.outside import Received, Receiver


@pytest.mark.slow
def test_a_try_that_fails_is_made_again_with_the_same_id_and_body_and_holds_up_what_comes_after(
    company: Company, receiver: Receiver
) -> None:
    ident, _ = added(company.ines, receiver)
    happens(company, "first", "second")
    answering(receiver, 500, 429)
    go_on()
    go_on()
    assert len(receiver.received) == 1, "the next try waits, and so does the second event"
    due_now()
    go_on()
    due_now()
    go_on()
    told = receiver.received
    assert len({(one.headers["webhook-id"], one.body) for one in told[:3]}) == 1
    assert [json.loads(one.body)["data"]["values"]["tag"] for one in told] == ["first"] * 3 + ["second"]
    assert statuses(ident) == [("delivered", 3), ("delivered", 1)]
    second, first = webhooks.deliveries_of(company.ines, ident)[0]
    assert [each.code for each in first.every_try] == [500, 429, 200]
    assert [each.at for each in first.every_try] == sorted({each.at for each in first.every_try})
    assert [each["status"] for each in second.to_json()["attempts"]] == [200]
    assert webhooks.subscription(company.ines, ident).problem is None
    happens(company, "third")
    receiver.answer = lambda _: (503, b"", {"Retry-After": "7200"})
    go_on()
    assert fetch(
        "select due_at > now() + interval '110 minutes' from console.webhook_delivery where status = 'waiting'"
    ) == [(True,)]


@pytest.mark.slow
def test_nobody_there_redirects_and_endless_answers(company: Company, receiver: Receiver) -> None:
    ident, _ = added(company.ines, receiver)
    happens(company, "first")
    elsewhere = f"{receiver.url}/elsewhere"
    answers: list[tuple[int, bytes, dict[str, str]]] = [
        (302, b"", {"Location": elsewhere}),
        (500, b"x" * 300_000, {}),
    ]
    receiver.answer = lambda _: answers.pop(0) if answers else (200, b"", {})

    def hang_up(handler: Any) -> None:
        handler.close_connection = True
        handler.connection.close()

    receiver.raw = hang_up
    go_on()
    receiver.raw = None
    for _ in range(3):
        due_now()
        go_on()
    [last], _ = webhooks.deliveries_of(company.ines, ident)
    assert (last.status, last.tries, last.code) == ("delivered", 4, 200)
    assert {one.path for one in receiver.received} == {"/in"}, "no redirect is followed"


@pytest.mark.slow
def test_who_keeps_refusing_is_passed_over_and_who_is_away_for_a_day_stops_it(
    company: Company, receiver: Receiver
) -> None:
    ident, _ = added(company.ines, receiver)
    happens(company, "first", "second")
    answering(receiver, 422, 422, 422)
    for _ in range(3):
        due_now()
        go_on()
    assert statuses(ident) == [("failed", 3), ("delivered", 1)], "the receiver sees the gap by prev_pos"
    happens(company, "third")
    receiver.answer = lambda _: (503, b"", {})
    for _ in range(11):
        due_now()
        go_on()
    stopped = webhooks.subscription(company.ines, ident)
    assert (stopped.status, stopped.stopped, statuses(ident)[2]) == ("stopped", "failing", ("waiting", 11))
    assert any("stopped" in notice.text for notice in notices.notices_of(company.ines))
    assert fetch(
        "select count(*) from console.event where convert_from(body, 'UTF8') like '%%\"type\":\"webhook_stopped\"%%'"
    ) == [(1,)]
    happens(company, "fourth")
    go_on()
    receiver.answer = lambda _: (200, b"", {})
    before = len(receiver.received)
    webhooks.change(company.ines, ident, {"enabled": True})
    go_on()
    assert [one["data"]["values"]["tag"] for one in bodies(receiver)[before:]] == ["third", "fourth"], (
        "nothing was left out"
    )


def test_gone_for_good_stops_it_at_once(company: Company, receiver: Receiver) -> None:
    ident, _ = added(company.ines, receiver)
    happens(company, "first")
    answering(receiver, 410)
    go_on()
    assert webhooks.subscription(company.ines, ident).stopped == "gone"


WORK = "import sys; from console.automation.webhooks import outgoing; outgoing.take_in() if sys.argv[1] == 'take_in' else outgoing.deliver(sys.argv[1])"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("at", "sent", "left"),
    [
        ("webhooks.taken", 0, []),
        ("webhooks.sending", 0, [("waiting", 0)]),
        ("webhooks.sent", 1, [("waiting", 0)]),
    ],
)
def test_a_worker_that_dies_in_the_middle_leaves_the_same_delivery_to_the_next(
    company: Company, receiver: Receiver, at: str, sent: int, left: list[tuple[str, int]]
) -> None:
    ident, _ = added(company.ines, receiver)
    happens(company, "first")
    sequencing.catch_up()
    if at != "webhooks.taken":
        webhooks.take_in()
    doing = [warm.python(), "-c", WORK, "take_in" if at == "webhooks.taken" else ident]
    killed = subprocess.run(doing, env={**os.environ, "HANDRAIL_FAULT": f"{at}=kill"}, check=False)
    assert (killed.returncode, len(receiver.received), statuses(ident)) == (-9, sent, left)
    go_on()
    assert len(receiver.received) == sent + 1
    assert len({(one.headers["webhook-id"], one.body) for one in receiver.received}) == 1
    assert statuses(ident) == [("delivered", 1)]


@pytest.mark.slow
def test_a_slow_one_holds_up_nobody_else(company: Company, receiver: Receiver) -> None:
    slow, _ = added(company.ines, receiver)
    happens(company, "first")
    sequencing.catch_up()
    webhooks.take_in()

    def late(sent: Received) -> tuple[int, bytes, dict[str, str]]:
        time.sleep(0.2)
        return 200, b"", {}

    receiver.answer = late
    assert webhooks.pick_up() in (0, 1)
    with ThreadPoolExecutor(2) as pool:
        twice = [pool.submit(webhooks.deliver, slow) for _ in range(2)]
        assert [one.result() for one in twice] == [None, None]
    assert len(receiver.received) == 1, "two workers send it once"
