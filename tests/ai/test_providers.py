"""What each provider sends, and what it makes of what comes back, over HTTP."""

import json
import threading
import time
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, strategies as st

from console.ai import providers
from console.ai.providers import anthropic, openai_compatible
from console.core.proposal_types import Provider, ProviderError, Raw
from console.infra.settings import AI
from tests.ai.questions import AMOUNT, EVIDENCE, SYSTEM, schema
from tests.servers import model
from tests.servers.model import Server
from tests.tables import cases


def ask(provider: Provider, schema: dict[str, Any] = AMOUNT, user: str = EVIDENCE, **more: Any) -> Raw:
    return provider.complete(SYSTEM, user, schema, deadline=time.monotonic() + 10, max_tokens=700, **more)


def items(raw: Raw) -> list[dict[str, Any]]:
    return list(json.loads(raw.text)["fields"])


def test_an_answer_is_handed_on_with_what_it_took(either: Provider, endpoint: Server) -> None:
    raw = ask(either)
    assert (raw.stop, raw.mode, raw.model) == ("complete", "json_schema", either.model)
    assert [(item["name"], item["value"], item["confidence"], item["sources"]) for item in items(raw)] == [
        ("amount", 89.9, "high", ["s1"])
    ]
    assert raw.input_tokens > 0
    assert raw.output_tokens > 0
    assert raw.request_id


def test_the_request_to_anthropic(claude: Provider, endpoint: Server) -> None:
    ask(claude, user_id="p_1f2e")
    (asked,) = endpoint.asked
    assert asked.path == "/v1/messages"
    assert asked.body == {
        "model": "claude-haiku-5-5",
        "max_tokens": 700,
        "system": [{"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": EVIDENCE}],
        "metadata": {"user_id": "p_1f2e"},
        "output_config": {"format": {"type": "json_schema", "schema": AMOUNT}},
    }
    assert "x-api-key" not in asked.headers
    assert asked.headers["accept-encoding"] == "identity"


def test_the_request_to_an_openai_compatible_endpoint(local: Provider, endpoint: Server) -> None:
    ask(local, user_id="p_1f2e")
    (asked,) = endpoint.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.body == {
        "model": "local-model",
        "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": EVIDENCE}],
        "max_tokens": 700,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "proposal", "strict": True, "schema": AMOUNT},
        },
        "temperature": 0,
        "user": "p_1f2e",
    }


def test_a_key_is_wanted_before_a_client_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-of-somebody-else")
    with pytest.raises(ProviderError) as refused:
        anthropic.Anthropic(anthropic.Config("claude-haiku-5-5", ""))
    assert refused.value.code == "no_key"


def test_the_environment_gives_anthropic_neither_key_nor_address(
    endpoint: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-of-somebody-else")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    endpoint.keys = {model.KEY}
    with closing(
        anthropic.Anthropic(anthropic.Config("claude-haiku-5-5", model.KEY, endpoint.url, private=True))
    ) as provider:
        assert ask(provider).stop == "complete"


def test_a_local_endpoint_may_want_no_key(endpoint: Server) -> None:
    with closing(
        openai_compatible.OpenAICompatible(
            openai_compatible.Config("local-model", endpoint.chat_url, private=True)
        )
    ) as provider:
        assert ask(provider).stop == "complete"
    assert "authorization" not in endpoint.asked[0].headers


def test_the_key_is_in_no_text_of_the_configuration() -> None:
    for config in (
        anthropic.Config("m", model.KEY),
        openai_compatible.Config("m", "https://a.example", model.KEY),
    ):
        assert model.KEY not in repr(config)
        assert model.KEY not in config.fingerprint


@cases(
    ("told", "config"),
    [
        (AI(), providers.rules.Config()),
        (
            AI("anthropic", None, "k", None, told=True),
            anthropic.Config("claude-haiku-5-5", "k", "https://api.anthropic.com"),
        ),
        (
            AI("anthropic", "claude-opus-5-5", "k", "http://gateway", told=True),
            anthropic.Config("claude-opus-5-5", "k", "http://gateway"),
        ),
        (
            AI("openai_compatible", "m", None, "http://h/v1", told=True),
            openai_compatible.Config("m", "http://h/v1"),
        ),
        (AI("rules", told=True), providers.rules.Config()),
    ],
)
def test_the_configuration_that_the_settings_name(told: AI, config: providers.Config) -> None:
    assert providers.config(told) == config


@pytest.mark.parametrize(
    ("mode", "stop"),
    [
        ("max_tokens", "truncated"),
        ("context_window", "truncated"),
        ("refusal", "refused"),
        ("pause_turn", "other"),
        ("stop_sequence", "other"),
        ("no_stop", "other"),
        ("two_tools", "other"),
        ("unknown_tool", "other"),
        ("odd_content", "other"),
        ("empty", "complete"),
        ("thinking_first", "complete"),
        ("fenced_json", "complete"),
        ("malformed_json", "complete"),
        ("prose", "complete"),
        ("odd_usage", "complete"),
    ],
)
def test_only_what_came_to_its_end_is_complete(
    either: Provider, endpoint: Server, mode: str, stop: str
) -> None:
    endpoint.fault(mode)
    if mode == "odd_content" and either.name == "anthropic":
        assert ask(either).text == ""
    else:
        assert ask(either).stop == stop


def test_a_schema_that_is_too_large_for_a_grammar_is_asked_for_as_a_tool_and_remembered(
    claude: Provider, endpoint: Server
) -> None:
    endpoint.fault("grammar", times=None)
    first, second = ask(claude), ask(claude)
    assert (first.mode, second.mode) == ("tool", "tool")
    assert items(first)[0]["value"] == 89.9
    assert ["output_config" in asked.body for asked in endpoint.asked] == [True, False, False]
    assert endpoint.asked[1].body["tool_choice"] == {
        "type": "tool",
        "name": "propose",
        "disable_parallel_tool_use": True,
    }
    assert "strict" not in endpoint.asked[1].body["tools"][0]


@pytest.mark.parametrize("mode", ["no_tool", "two_tools", "unknown_tool", "empty", "pause_turn"])
def test_a_tool_that_was_not_used_as_it_should_is_no_answer(
    claude: Provider, endpoint: Server, mode: str
) -> None:
    endpoint.fault("grammar")
    ask(claude)
    endpoint.fault(mode)
    raw = ask(claude)
    assert (raw.stop, raw.text) == ("other", "")


def test_an_endpoint_without_schemas_is_asked_for_any_json_and_that_is_remembered(
    local: Provider, endpoint: Server
) -> None:
    endpoint.fault("grammar", times=None)
    assert [ask(local).mode, ask(local).mode] == ["json_object", "json_object"]
    assert [asked.body["response_format"]["type"] for asked in endpoint.asked] == [
        "json_schema",
        "json_object",
        "json_object",
    ]
    assert json.dumps(AMOUNT) in endpoint.asked[1].body["messages"][0]["content"]


def test_what_an_endpoint_does_not_take_is_left_out_one_after_the_other(
    local: Provider, endpoint: Server
) -> None:
    for mode in ("no_temperature", "no_max_tokens", "grammar"):
        endpoint.fault(mode)
    raw = ask(local)
    assert raw.mode == "json_object"
    assert items(raw)[0]["value"] == 89.9
    last = endpoint.asked[-1].body
    assert ("temperature" in last, last.get("max_tokens"), last["max_completion_tokens"]) == (
        False,
        None,
        700,
    )


def test_an_endpoint_that_takes_no_form_at_all_is_asked_in_words_and_that_is_remembered(
    local: Provider, endpoint: Server
) -> None:
    endpoint.fault("no_form", times=None)
    raws = [ask(local), ask(local), ask(local, schema(("amount", {"type": "integer"})))]
    assert [(raw.mode, raw.stop, items(raw)[0]["value"]) for raw in raws[:2]] == [
        ("text", "complete", 89.9)
    ] * 2
    assert raws[2].mode == "text"
    forms = [asked.body.get("response_format", {}).get("type") for asked in endpoint.asked]
    assert forms == ["json_schema", "json_object", None, None, None], (
        "another schema is not tried with a form again"
    )
    assert json.dumps(AMOUNT) in endpoint.asked[2].body["messages"][0]["content"]


@cases(
    ("refusal", "after"),
    [
        (
            "'max_tokens' is not supported, use 'max_completion_tokens'",
            openai_compatible.Dialect(limit="max_completion_tokens"),
        ),
        ("temperature must be 1", openai_compatible.Dialect(temperature=False)),
        ("response_format: json_schema is not supported", openai_compatible.Dialect("json_object")),
        ("failed to parse grammar", openai_compatible.Dialect("json_object")),
        ("your prompt is too long", None),
        ("", None),
    ],
)
def test_what_is_tried_after_a_refusal(refusal: str, after: object) -> None:
    assert openai_compatible.Dialect().after(refusal) == after


def test_there_is_an_end_to_trying() -> None:
    dialects = [openai_compatible.Dialect()]
    while (other := dialects[-1].after("response_format temperature max_completion_tokens")) is not None:
        dialects.append(other)
    assert len(dialects) == 5


def test_fourty_at_once_with_one_client_get_each_their_own_answer(either: Provider, endpoint: Server) -> None:
    endpoint.seconds = 0.1
    got: dict[int, Any] = {}

    def one(n: int) -> None:
        got[n] = items(ask(either, user=f'<source id="s1">{{"amount": {n}}}</source>'))[0]["value"]

    threads = [threading.Thread(target=one, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == {n: n for n in range(40)}


def test_an_unknown_model_and_a_wrong_key_are_told(either: Provider, endpoint: Server) -> None:
    endpoint.models = {}
    with pytest.raises(ProviderError) as refused:
        ask(either)
    assert refused.value.code == "model_not_found"
    endpoint.keys = {"another"}
    with pytest.raises(ProviderError) as refused:
        ask(either)
    assert refused.value.code == "auth"
    assert refused.value.request_id is not None


@pytest.mark.parametrize("name", ["anthropic", "openai_compatible"])
def test_a_key_that_comes_back_in_words_is_cut_out(endpoint: Server, name: str) -> None:
    made: anthropic.Anthropic | openai_compatible.OpenAICompatible
    if name == "anthropic":
        made = anthropic.Anthropic(anthropic.Config(model.KEY, model.KEY, endpoint.url, private=True))
    else:
        made = openai_compatible.OpenAICompatible(
            openai_compatible.Config(model.KEY, endpoint.chat_url, model.KEY, private=True)
        )
    with closing(made), pytest.raises(ProviderError) as refused:
        ask(made)
    assert refused.value.detail == "It answered 404: model: …"


def test_without_any_time_left_nothing_is_sent(either: Provider, endpoint: Server) -> None:
    with pytest.raises(ProviderError) as late:
        either.complete(SYSTEM, EVIDENCE, AMOUNT, deadline=time.monotonic() - 1, max_tokens=10)
    assert late.value.code == "timeout"
    assert endpoint.asked == []


odd = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["text", "tool_use", "end_turn", "stop", "propose", "max_tokens"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "content",
                    "stop_reason",
                    "usage",
                    "type",
                    "text",
                    "input",
                    "name",
                    "model",
                    "choices",
                    "message",
                    "finish_reason",
                    "refusal",
                    "tool_calls",
                    "input_tokens",
                    "prompt_tokens",
                    "prompt_tokens_details",
                    "cached_tokens",
                    "id",
                ],
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=15,
)


@given(odd.filter(lambda body: isinstance(body, dict)))
def test_whatever_an_endpoint_answers_is_read_without_a_fault(body: dict[str, Any]) -> None:
    for raw in (
        anthropic.structured(body, None, "m"),
        anthropic.handed_in(body, "r" * 900, "m"),
        openai_compatible.completion(body, None, "json_schema", "m"),
    ):
        assert isinstance(raw.text, str)
        assert raw.stop in {"complete", "truncated", "refused", "other"}
        assert min(raw.input_tokens, raw.cached_tokens, raw.output_tokens) >= 0
        assert raw.model
        assert raw.request_id is None or len(raw.request_id) <= 200
