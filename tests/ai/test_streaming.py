"""An answer in parts: what is heard while it arrives, and that in the end it is the answer that comes in one piece."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from console.ai import builder_answer, streaming
from console.ai.streaming import Joined, JoinedCompletion, JoinedMessage
from console.core.proposal_types import Provider, ProviderError
from tests.ai.test_providers import ask
from tests.servers import model_answers
from tests.servers.model import Server


def test_it_is_the_answer_that_comes_in_one_piece(either: Provider, endpoint: Server) -> None:
    heard: list[str] = []
    told = ask(either, hear=heard.append)
    assert endpoint.asked[-1].body["stream"] is True
    assert heard[-1] == told.text
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(heard))
    assert len(heard) > 5
    whole = ask(either)
    assert "stream" not in endpoint.asked[-1].body
    assert (told.text, told.stop, told.mode, told.model) == (whole.text, whole.stop, whole.mode, whole.model)
    assert told.output_tokens == whole.output_tokens > 0
    assert told.input_tokens > 0


def test_an_endpoint_that_sends_no_parts_is_asked_as_always(either: Provider, endpoint: Server) -> None:
    endpoint.streams = False
    try:
        heard: list[str] = []
        assert ask(either, hear=heard.append).stop == "complete"
        assert ask(either, hear=heard.append).stop == "complete"
        assert ["stream" in each.body for each in endpoint.asked] == [True, False, False]
        assert heard == []
    finally:
        endpoint.streams = True


@pytest.mark.parametrize(
    "mode",
    [
        "drop_mid_stream",
        "end_early",
        "huge",
        "endless",
        "bomb",
        "html_200",
        "not_json",
        "stream_error",
        "http_529",
    ],
)
def test_a_fault_has_its_code_as_without_parts(either: Provider, endpoint: Server, mode: str) -> None:
    codes = []
    for hear in (None, lambda _: None):
        endpoint.fault(mode)
        with pytest.raises(ProviderError) as caught:
            ask(either, hear=hear)
        codes.append(caught.value.code)
    assert codes[0] == codes[1]


MESSAGE = {
    "type": "message",
    "model": "m",
    "stop_reason": "end_turn",
    "content": [{"type": "text", "text": 'Grüße {"a": 1}'}],
    "usage": {"output_tokens": 7},
}
COMPLETION = {
    "id": "c",
    "model": "m",
    "choices": [{"message": {"role": "assistant", "content": 'Grüße {"a": 1}'}, "finish_reason": "stop"}],
    "usage": {"x": 1},
}


def fed(joined: Joined, events: list[Any], cuts: list[int]) -> dict[str, Any]:
    told = "".join(
        f"event: x\r\ndata: {json.dumps(event, ensure_ascii=False)}\r\n\r\n" for event in events
    ).encode()
    places = sorted({0, len(told), *(cut % len(told) for cut in cuts)})
    for start, end in itertools.pairwise(places):
        joined.feed(told[start:end])
    body = joined.body()
    assert body is not None
    return dict(json.loads(body))


@given(st.lists(st.integers(0, 10_000), max_size=30))
def test_wherever_the_bytes_are_cut(cuts: list[int]) -> None:
    message = fed(JoinedMessage(lambda _: None), model_answers.parts(MESSAGE, chat=False), cuts)
    assert (message["content"], message["stop_reason"], message["usage"]["output_tokens"]) == (
        MESSAGE["content"],
        "end_turn",
        7,
    )
    completion = fed(JoinedCompletion(lambda _: None), model_answers.parts(COMPLETION, chat=True), cuts)
    assert completion["choices"] == [{"message": {"content": 'Grüße {"a": 1}'}, "finish_reason": "stop"}]
    assert (completion["id"], completion["usage"]) == ("c", {"x": 1})


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "index", "delta", "content_block", "choices", "message", "text", "usage", "content"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["type", "index", "delta", "choices", "message", "content_block", "usage"]),
            _json
            | st.sampled_from(
                ["message_start", "content_block_start", "content_block_delta", "message_delta", "error"]
            ),
            max_size=6,
        ),
        max_size=8,
    )
)
def test_odd_events_break_nothing(events: list[dict[str, Any]]) -> None:
    for joined in (JoinedMessage(lambda _: None), JoinedCompletion(lambda _: None)):
        joined.feed("".join(f"data: {json.dumps(event)}\n" for event in events).encode())
        assert (joined.body() is None) == (not events)
    assert streaming.joined_of_thread() is None


WHOLE = json.dumps(
    {
        "text": "So.",
        "changes": [
            {"op": "add_step", "step": {"id": "why", "title": "Say why"}},
            {"op": "set", "step": "rate"},
        ],
    }
)


@given(st.integers(0, len(WHOLE)), st.sampled_from(["", "```json\n", "Here it is: "]))
def test_of_a_part_the_changes_are_read_that_are_there(length: int, before: str) -> None:
    found = builder_answer.so_far(before + WHOLE[:length])
    assert len(found) <= 2
    if length == len(WHOLE):
        assert [each["op"] for each in found] == ["add_step", "set"]
