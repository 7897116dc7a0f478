"""Every way in which an endpoint fails ends in a code, inside the deadline; what may pass is tried once more."""

import json
import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest

from console.ai import calling
from console.ai.calling import Answered, CallFailed
from console.ai.providers import openai_compatible
from console.core.proposal_types import Provider, ProviderError, Raw
from tests.ai.questions import AMOUNT, EVIDENCE, SYSTEM
from tests.servers import model_answers
from tests.servers.model import Server
from tests.tables import cases

pytestmark = pytest.mark.lengthy

SECONDS = 0.6
LATEST_MS = 5_000
"""No measure of speed: what the endpoint holds up lasts for half a minute and more."""

STATUSES = {
    400: "bad_request",
    401: "auth",
    402: "billing",
    403: "auth",
    404: "model_not_found",
    405: "bad_request",
    408: "timeout",
    409: "bad_request",
    410: "bad_request",
    412: "bad_request",
    413: "bad_request",
    418: "bad_request",
    422: "bad_request",
    429: "rate_limited",
    431: "bad_request",
    451: "bad_request",
    499: "bad_request",
    500: "overloaded",
    501: "overloaded",
    502: "overloaded",
    503: "overloaded",
    504: "overloaded",
    520: "overloaded",
    529: "overloaded",
    599: "overloaded",
    300: "malformed",
    301: "malformed",
    304: "malformed",
    308: "malformed",
}
TWICE = {408, 429, *(status for status in STATUSES if status >= 500)}
WIRE = {
    "stall": "timeout",
    "drip": "timeout",
    "slow_header": "timeout",
    "drop": "connection",
    "reset": "connection",
    "drop_mid_stream": "connection",
    "end_early": "malformed",
    "huge": "malformed",
    "endless": "malformed",
    "bomb": "malformed",
    "html_502": "overloaded",
    "html_200": "malformed",
    "not_json": "malformed",
    "empty_body": "malformed",
    "redirect": "malformed",
    "stream_error": "overloaded",
    "not_http": "connection",
}
STOPS = {
    "max_tokens": "truncated",
    "context_window": "truncated",
    "refusal": "refused",
    "pause_turn": "malformed",
    "stop_sequence": "malformed",
    "no_stop": "malformed",
    "empty": "malformed",
    "two_tools": "malformed",
    "unknown_tool": "malformed",
    "odd_content": "malformed",
}
ABSURD = [
    "60",
    "4294967295",
    "999999999999",
    "9" * 400,
    "1e9",
    "-1",
    "0x10",
    "soon",
    "",
    " ",
    "nan",
    "inf",
    "Wed, 21 Oct 2099 07:28:00 GMT",
    "٣",
    "3600.5",
    "1" * 5000,
]


def call(provider: Provider, *, seconds: float = SECONDS, user: str = EVIDENCE) -> Answered:
    return calling.call(provider, SYSTEM, user, AMOUNT, seconds=seconds, max_tokens=700)


def failed(provider: Provider, *, seconds: float = SECONDS) -> CallFailed:
    with pytest.raises(CallFailed) as told:
        call(provider, seconds=seconds)
    assert told.value.ms < LATEST_MS
    return told.value


def test_an_answer_comes_with_its_tries(either: Provider, endpoint: Server) -> None:
    answered = call(either, seconds=10)
    assert (answered.tries, answered.raw.stop) == (1, "complete")
    assert json.loads(answered.raw.text)["fields"][0]["value"] == 89.9


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_its_code_and_only_what_may_pass_is_tried_again(
    either: Provider, endpoint: Server, status: int
) -> None:
    endpoint.fault(f"http_{status}", times=None)
    error = failed(either, seconds=10)
    assert (error.code, error.tries) == (STATUSES[status], 2 if status in TWICE else 1)
    assert len(endpoint.asked) == error.tries
    assert str(status) in error.detail


@pytest.mark.parametrize("mode", WIRE)
def test_whatever_happens_on_the_wire_ends_in_time(either: Provider, endpoint: Server, mode: str) -> None:
    endpoint.fault(mode, times=None)
    error = failed(either, seconds=SECONDS if WIRE[mode] == "timeout" else 10)
    assert error.code == WIRE[mode]
    assert error.detail
    assert error.raw is None


@pytest.mark.parametrize("mode", STOPS)
def test_an_answer_that_is_not_whole_is_none_and_says_what_it_took(
    either: Provider, endpoint: Server, mode: str
) -> None:
    endpoint.fault(mode, times=None)
    error = failed(either, seconds=10)
    assert (error.code, error.tries) == (STOPS[mode], 1)
    assert error.raw is not None
    assert error.raw.input_tokens > 0


@pytest.mark.parametrize(
    "mode", sorted((model_answers.SHAPES | model_answers.JUDGEMENTS) - set(STOPS) - {"injection"})
)
def test_an_answer_of_an_odd_shape_is_left_to_the_guard(
    either: Provider, endpoint: Server, mode: str
) -> None:
    endpoint.fault(mode, times=None)
    assert call(either, seconds=10).raw.text


def test_what_is_too_slow_is_not(either: Provider, endpoint: Server) -> None:
    endpoint.fault("slow", seconds=30)
    assert failed(either, seconds=0.3).code == "timeout"


@pytest.mark.parametrize("retry_after", ["0", "0.05", "00", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_wait_that_fits_is_waited(either: Provider, endpoint: Server, retry_after: str) -> None:
    endpoint.fault("http_429", retry_after=retry_after)
    assert call(either, seconds=10).tries == 2


@cases("retry_after", ABSURD)
def test_an_absurd_wait_holds_nobody_up(claude: Provider, endpoint: Server, retry_after: str) -> None:
    endpoint.well()
    endpoint.fault("http_429", times=None, retry_after=retry_after.encode("ascii", "replace").decode()[:5000])
    assert failed(claude, seconds=0.5).code == "rate_limited"


def test_a_wait_that_does_not_fit_ends_it_at_once(either: Provider, endpoint: Server) -> None:
    endpoint.fault("http_429", times=None, retry_after="30")
    error = failed(either, seconds=20)
    assert (error.code, error.tries, error.retry_after_s) == ("rate_limited", 1, 30.0)


def test_who_says_that_it_will_not_pass_is_believed(either: Provider, endpoint: Server) -> None:
    endpoint.fault("http_529", times=None, x_should_retry="false")
    assert failed(either, seconds=10).tries == 1


def test_both_tries_share_one_deadline(either: Provider, endpoint: Server) -> None:
    endpoint.fault("http_529")
    endpoint.fault("stall", times=None)
    error = failed(either)
    assert (error.code, error.tries) == ("timeout", 2)


def test_nobody_there(endpoint: Server) -> None:
    provider = openai_compatible.OpenAICompatible(
        openai_compatible.Config("m", "http://127.0.0.1:9/v1", private=True)
    )
    error = failed(provider)
    assert (error.code, error.tries) == ("connection", 2)
    assert "refused" in error.detail


class Broken:
    """A provider with a fault of its own."""

    name = model = "broken"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def complete(self, system: str, user: str, schema: Mapping[str, Any], **_: Any) -> Raw:
        raise self.error


@cases(
    "error",
    [
        ValueError("x"),
        TypeError("y"),
        KeyError("z"),
        RecursionError(),
        MemoryError(),
        AssertionError(),
        OSError(5, "io"),
        UnicodeError(),
        StopIteration(),
    ],
)
def test_a_fault_of_ours_has_a_code_too_and_tells_no_content(error: Exception) -> None:
    told = failed(Broken(error))
    assert (told.code, told.detail, told.tries) == ("internal_error", type(error).__name__, 1)


def test_an_interrupt_is_no_fault(endpoint: Server) -> None:
    class Interrupted(Broken):
        def complete(self, *_: Any, **__: Any) -> Raw:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call(Interrupted(ValueError()))


def test_what_a_provider_says_of_a_failure_is_kept() -> None:
    told = failed(Broken(ProviderError("rate_limited", "slow down", retry_after_s=99, request_id="req_1")))
    assert (told.code, told.detail, told.retry_after_s, told.request_id, told.passing) == (
        "rate_limited",
        "slow down",
        99,
        "req_1",
        False,
    )


def test_a_hundred_wait_at_once_and_each_ends_in_time(either: Provider, endpoint: Server) -> None:
    endpoint.fault("stall", times=50)
    endpoint.fault("slow", times=None, seconds=0.3)
    codes: list[str] = []

    def one() -> None:
        try:
            codes.append(call(either, seconds=3).raw.stop)
        except CallFailed as error:
            codes.append(error.code)

    threads = [threading.Thread(target=one) for _ in range(100)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began < 25
    assert sorted(codes) == ["complete"] * 50 + ["timeout"] * 50


def test_after_a_call_that_was_cut_off_the_next_one_gets_its_own_answer(
    either: Provider, endpoint: Server
) -> None:
    for mode in ("stall", "drip", "drop_mid_stream", "end_early", "huge"):
        endpoint.fault(mode, times=None)
        with pytest.raises(CallFailed):
            calling.call(either, SYSTEM, EVIDENCE, AMOUNT, seconds=0.3, max_tokens=10)
        endpoint.well()
        answered = call(either, seconds=10, user='<source id="s1">{"amount": 7}</source>')
        assert json.loads(answered.raw.text)["fields"][0]["value"] == 7
