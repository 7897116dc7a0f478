"""Calls: tries, labels, and callbacks that come early, twice, forged, or for another call."""

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from standardwebhooks import Webhook

from console.infra.db.engine import fetch
from console.messaging import messages
from console.messaging.channels import sandbox
from console.messaging.channels.base import Handed
from console.messaging.messages import opting_out, outside_addresses
from tests.company import Company
from tests.conftest import web_app
from tests.messaging.messages import reached
from tests.messaging.messages.reached import NOON, SAM, begin, line, status, workflow

pytestmark = pytest.mark.lengthy

CALL: dict[str, Any] = {
    "id": "call",
    "type": "ai_call",
    "config": {
        "script": ["A for {{ record.name }}", "B"],
        "max_attempts": 3,
        "retry_after": "P2D",
        "answers": ["interested", "not_interested", "opt_out"],
    },
    "next": {"interested": "ask", "default": "lost", "failed": "lost"},
}
ASK = {"id": "ask", "type": "guidance", "config": {"text": "Look"}, "next": {"default": "end"}}
LOST = {"id": "lost", "type": "guidance", "config": {"text": "Lost"}, "next": {"default": "end"}}


@pytest.fixture
def calling(
    company: Company, given_settings: Callable[..., None]
) -> Iterator[tuple[Company, reached.Calls, Callable[[timedelta], None]]]:
    reached.founded(company)
    with reached.provider_of_calls() as server, reached.clock(NOON) as move:
        given_settings(**reached.by_calls(server))
        workflow("nurture", [dict(CALL), dict(ASK), dict(LOST)])
        yield company, server, move


def ended(
    client: FlaskClient, message_id: str, *, secret: str = reached.SECRET, token: str = "", **told: Any
) -> int:
    """The provider's callback; its status."""
    body = orjson.dumps({"id": message_id, "ended_at": "2026-11-24T19:05:00Z", **told})
    now = datetime.now(UTC)
    signed = Webhook(base64.b64decode(secret)).sign("evt_1", now, body.decode())
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signed,
    }
    path = outside_addresses.callback_path("call", "http") if not token else f"/channels/call/http/{token}"
    return client.post(path, data=body, headers={**headers, "Content-Type": "application/json"}).status_code


def test_nobody_answers_three_times(
    calling: tuple[Company, reached.Calls, Callable[[timedelta], None]],
) -> None:
    company, server, move = calling
    client = web_app().test_client()
    run_id = begin(company, "nurture")
    for number in (1, 2, 3):
        assert status(company, run_id) == ("waiting_event", "call")
        assert len(server.calls) == number
        assert company.told(run_id)["attempts"][-1]["outcome"] is None, (
            "that nobody answered once is not its end"
        )
        assert ended(client, line(company, run_id).message.id, outcome="no_answer") == 200
        move(timedelta(days=2, minutes=1))
        reached.work()
    assert status(company, run_id) == ("waiting_person", "lost")
    scripts = [call["asked"]["script"] for call in server.calls.values()]
    assert scripts == [
        f"Hello, this is an automated call by an AI assistant. {each}"
        for each in ("A for Sam Whitfield", "B", "B")
    ]
    assert company.told(run_id)["attempts"][-2]["outcome"] == "no_answer"
    output = company.told(run_id)["context"]["call"]
    assert (output["outcome"], output["attempts"]) == ("no_answer", 3)


def test_the_label_of_the_answer_leads_on_and_the_second_callback_changes_nothing(
    calling: tuple[Any, ...],
) -> None:
    company, _, _ = calling
    client = web_app().test_client()
    run_id = begin(company, "nurture")
    call = line(company, run_id).message.id
    assert ended(client, call, outcome="answered", label="interested", transcript="Yes please") == 200
    assert ended(client, call, outcome="no_answer") == 200
    assert status(company, run_id) == ("waiting_person", "ask")
    assert company.told(run_id)["context"]["call"]["transcript"] == "Yes please"
    assert [row[0] for row in fetch("select count(*) from console.message where run = %s", (run_id,))] == [1]


def test_who_says_when_is_called_again_then_and_it_is_no_attempt(calling: tuple[Any, ...]) -> None:
    company, server, move = calling
    client = web_app().test_client()
    wait = {
        "id": "later",
        "type": "wait",
        "config": {"until": "first(steps.call.call_back_at, addDays(now, 1))"},
        "next": {"default": "again"},
    }
    again = {"id": "again", "type": "go_to", "config": {}, "next": {"default": "call"}}
    config = {"script": "Hello {{ record.name }}", "max_attempts": 1, "answers": ["call_back"]}
    call = {
        "id": "call",
        "type": "ai_call",
        "config": config,
        "next": {"call_back": "later", "default": "ask"},
    }
    run_id = begin(company, workflow("back", [call, dict(ASK), wait, again]))
    first = line(company, run_id).message.id
    assert (
        ended(
            client,
            first,
            outcome="answered",
            label="call_back",
            call_back="Tuesday 3",
            transcript="Call me Tuesday 3.",
        )
        == 200
    )
    assert status(company, run_id) == ("waiting_time", "later")
    assert company.told(run_id)["context"]["call"]["call_back_at"] == "2026-12-01T22:00:00.000000Z", (
        "three in the afternoon in Denver"
    )
    move(timedelta(days=7, hours=2, minutes=55))
    reached.settle()
    assert len(server.calls) == 1
    move(timedelta(minutes=10))
    company.work()
    reached.settle()
    assert [call["asked"]["script"] for call in server.calls.values()][1].endswith("Hello Sam Whitfield")
    assert line(company, run_id).message.number == 1
    ended(
        client,
        line(company, run_id).message.id,
        outcome="answered",
        label="call_back",
        transcript="Whenever you like.",
    )
    assert company.told(run_id)["context"]["call"]["call_back_at"] is None


def test_a_callback_before_the_calls_answer_counts(calling: tuple[Any, ...]) -> None:
    company, server, _ = calling
    client = web_app().test_client()
    answer = server.answer

    def early(request: Any) -> tuple[int, bytes, dict[str, str]]:
        made: tuple[int, bytes, dict[str, str]] = answer(request)
        if request.method == "POST":
            assert (
                ended(
                    client,
                    orjson.loads(request.body)["id"],
                    outcome="answered",
                    label="interested",
                    call="call-1",
                )
                == 200
            )
        return made

    server.receiver.answer = early
    run_id = begin(company, "nurture")
    assert status(company, run_id) == ("waiting_person", "ask")
    assert line(company, run_id).message.outcome == "answered"


def test_forged_strange_and_foreign_callbacks_are_refused(calling: tuple[Any, ...]) -> None:
    company, _, _ = calling
    client = web_app().test_client()
    run_id = begin(company, "nurture")
    call = line(company, run_id).message.id
    other = base64.b64encode(bytes(range(1, 33))).decode()
    assert ended(client, call, secret=other, outcome="answered", label="interested") == 401
    assert ended(client, "msg_unknown", outcome="answered") == 404
    assert ended(client, call, token="guessed", outcome="answered") == 404
    assert ended(client, call, outcome="answered", call="call-of-somebody-else") == 409
    assert ended(client, call, outcome="sang") == 422
    assert status(company, run_id) == ("waiting_event", "call")


def test_a_lost_callback_is_looked_up(calling: tuple[Any, ...]) -> None:
    company, server, move = calling
    run_id = begin(company, "nurture")
    server.calls[line(company, run_id).message.id] |= {"outcome": "answered", "label": "interested"}
    move(timedelta(minutes=20))
    reached.work()
    assert status(company, run_id) == ("waiting_person", "ask")


def test_who_says_on_a_call_that_they_want_no_more_gets_no_more(calling: tuple[Any, ...]) -> None:
    company, _, move = calling
    client = web_app().test_client()
    run_id = begin(company, "nurture")
    assert ended(client, line(company, run_id).message.id, outcome="answered", label="opt_out") == 200
    assert status(company, run_id) == ("waiting_person", "lost")
    move(timedelta(days=2))
    second = begin(
        company, workflow("again", [dict(CALL, next={"default": "end", "skipped": "ask"}), dict(ASK)])
    )
    assert line(company, second).message.code == "consent_withdrawn"
    assert opting_out.write_left() == 2
    assert messages.pick_up() == 0
    assert SAM


def test_a_call_of_the_sandbox_whose_process_died_over_its_end_ends_later(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As older releases left it, which kept that it left before they kept how it ended."""
    reached.founded(company)
    call = {"id": "call", "type": "ai_call", "config": {"script": "Hello", "answers": [], "max_attempts": 1}}
    with reached.clock(NOON) as move:
        monkeypatch.setattr(sandbox, "handed", lambda *_args: Handed("cut-off"))
        run_id = begin(company, workflow("cut-off", [call]))
        assert company.told(run_id)["status"] == "waiting_event"
        monkeypatch.undo()
        fetch(
            "update console.message set due_at = at + interval '15 minutes' where run = %s returning id",
            (run_id,),
        )
        move(timedelta(minutes=16))
        reached.settle()
        assert company.told(run_id)["status"] == "completed"
