"""Gateways as their public documentation describes them, set up by the page alone: requests, answers, receipts, and what people write."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from console.db.engine import fetch
from console.messages import message_rows, outside_addresses
from tests.company import Company
from tests.conftest import web_app
from tests.messages import gateway as gateways, reached
from tests.messages.gateway import Other
from tests.messages.gateway_shapes import SHAPES, Shape
from tests.messages.reached import SAM, status


@pytest.fixture
def other(company: Company, given_settings: Callable[..., None]) -> Iterator[Other]:
    with gateways.gateway(company, given_settings) as made:
        yield made


def written(body: Any) -> bytes:
    """The body of an answer: JSON where it is a tree."""
    return body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else orjson.dumps(body)


def tells(other: Other, shape: Shape, told: Any, **filled: str) -> Any:
    """A callback of the gateway, in its way."""
    path = outside_addresses.callback_path("sms", "gateway")
    raw = told if isinstance(told, bytes) else orjson.dumps(told)
    for name, value in filled.items():
        raw = raw.replace(b"{" + name.encode() + b"}", value.encode())
    client = web_app().test_client()
    if shape.gets:
        return client.get(f"{path}?{urlencode(orjson.loads(raw))}")
    return client.post(path, data=urlencode(orjson.loads(raw)) if shape.form else raw)


@pytest.mark.parametrize("name", SHAPES)
def test_a_gateway_is_set_up_by_its_page_and_what_it_tells_is_understood(other: Other, name: str) -> None:
    shape = SHAPES[name]
    other.described(**{"told_reason": "", **shape.page})
    other.answers(shape.taken[0], written(shape.taken[1]))
    first = other.begin()
    sent = other.line(first).message
    assert (sent.status, status(other.company, first)) == ("sent", ("waiting_person", "ask"))
    assert sent.provider_id in str(written(shape.taken[1])), "its id is read from the answer"
    failed = tells(other, shape, shape.receipt, word=shape.word[1], ours=sent.id)
    assert (failed.status_code, failed.text, other.line(first).status) == (200, shape.page.get("told_answer", ""), "failed")
    assert tells(other, shape, shape.receipt, word=shape.word[0], ours=sent.id).status_code == 200
    assert (other.line(first).status, other.line(first).reason) == ("delivered", ""), "what arrived has arrived"

    stopped = tells(other, shape, shape.stop)
    assert (stopped.status_code, stopped.text) == (200, shape.page.get("told_answer", "")), "46elks would send any word on as an SMS"
    (came,) = message_rows.read("direction = %s", ("in",))
    assert (came.record, other.line(first).status) == (SAM, "delivered")
    later = reached.begin(other.company, reached.workflow("again", [dict(gateways.SMS)]))
    assert (other.line(later).message.code, len(other.server.received)) == ("consent_withdrawn", 1)


@pytest.mark.parametrize("name", [name for name, shape in SHAPES.items() if shape.because])
def test_why_a_gateway_refuses_is_told_in_its_words(other: Other, name: str) -> None:
    shape = SHAPES[name]
    other.described(**shape.page)
    other.answers(shape.refused[0], written(shape.refused[1]))
    run_id = other.begin()
    assert (other.line(run_id).status, other.line(run_id).reason) == (
        "failed",
        f"The SMS gateway answered {shape.refused[0]}: {shape.because}.",
    )


def test_a_picture_without_a_text_is_a_message_where_the_page_says_how_those_are_told_apart(other: Other) -> None:
    shape = SHAPES["46elks"]
    other.described(**shape.page)
    other.answers(200, written(shape.taken[1]))
    run_id = other.begin()
    assert tells(other, shape, shape.stop | {"message": ""}).status_code == 200
    assert (
        tells(other, shape, {**shape.receipt, "message": "Hello", "from": "Shop", "direction": "outgoing"}, word="odd").status_code == 200
    )
    assert [(each.content or {})["text"] for each in message_rows.read("direction = %s", ("in",))] == [""]
    assert (other.line(run_id).status, fetch("select count(*) from console.opt_out")) == ("sent", [(0,)])


def test_a_receipt_that_it_arrived_ends_further_tries(other: Other) -> None:
    """A gateway that is busy may have taken the message all the same."""
    other.described()
    other.answers(503, b"busy")
    run_id = other.begin()
    ours = other.line(run_id).message.id
    assert (other.line(run_id).status, len(other.server.received)) == ("waiting", 1)
    assert [tells(other, SHAPES["bird"], {"ref": ours, "status": word}).status_code for word in ("failed", "queued", "odd")] == [200] * 3
    assert other.line(run_id).status == "waiting", "that it did not arrive is no reason not to try again"
    assert tells(other, SHAPES["bird"], {"ref": ours, "id": "77", "status": "delivered"}).status_code == 200
    assert (other.line(run_id).status, status(other.company, run_id)) == ("delivered", ("waiting_person", "ask"))
    other.later(5)
    assert (other.line(run_id).status, len(other.server.received)) == ("delivered", 1)


def test_a_message_that_was_refused_and_arrives_all_the_same_is_told_as_arrived(other: Other) -> None:
    other.described()
    other.answers(400, b"no")
    run_id = other.begin()
    ours = other.line(run_id).message.id
    went = status(other.company, run_id)
    assert tells(other, SHAPES["bird"], {"ref": ours, "status": "delivered"}).status_code == 200
    assert (other.line(run_id).status, other.line(run_id).reason, status(other.company, run_id)) == ("delivered", "", went)
    assert message_rows.by_id(ours).sent_at is not None  # type: ignore[union-attr]
    told = fetch("select convert_from(body, 'UTF8') like '%%\"message_arrived\"%%' from console.event where body is not null")
    assert [row for row in told if row[0]] == [(True,)], "the log had said that it failed"
