"""What "Test connection" and the doctor say, for each thing that can be wrong."""

from collections.abc import Iterator

import pytest

from console.ai import probe, providers
from console.ai.providers import anthropic, openai_compatible, rules
from tests.servers import model
from tests.servers.model import Server


@pytest.fixture(params=["anthropic", "openai_compatible"])
def config(request: pytest.FixtureRequest, endpoint: Server) -> anthropic.Config | openai_compatible.Config:
    made: anthropic.Config | openai_compatible.Config
    if request.param == "anthropic":
        made = anthropic.Config("claude-haiku-5-5", model.KEY, endpoint.url, private=True)
    else:
        made = openai_compatible.Config("local-model", endpoint.chat_url, model.KEY, private=True)
    return made


def test_it_works(config: providers.Config, endpoint: Server) -> None:
    probed = probe.probe(config)
    assert (probed.ok, probed.code, probed.model) == (True, None, config.model)
    assert probed.message.startswith(f"Works: {config.model} answered in ")
    (asked,) = endpoint.asked
    assert probe.USER in asked.text


FAULTS = {
    "http_401": ("auth", "does not take this key"),
    "http_403": ("auth", "does not take this key"),
    "http_402": ("billing", "wants to be paid"),
    "http_404": ("model_not_found", "does not know this model"),
    "http_400": ("bad_request", "does not take the question"),
    "http_429": ("rate_limited", "asks to wait"),
    "http_529": ("overloaded", "cannot answer at the moment"),
    "html_502": ("overloaded", "cannot answer at the moment"),
    "stall": ("timeout", "within 0.5 seconds"),
    "drop": ("connection", "No connection: the connection ended"),
    "html_200": ("malformed", "not as a model does"),
    "redirect": ("malformed", "leads to another address"),
    "not_json": ("malformed", "not as a model does"),
    "refusal": ("refused", "refused a harmless question"),
    "max_tokens": ("truncated", "did not come to an end"),
    "prose": ("malformed", "not in the form"),
    "a_list": ("malformed", "not in the form"),
    "deep": ("malformed", "not in the form"),
    "thinks_aloud": ("malformed", "writes its thoughts (<think>)"),
    "fenced_json": ("malformed", "not in the form"),
    "empty": ("malformed", "answers with nothing"),
}


@pytest.mark.parametrize("mode", FAULTS)
def test_what_is_wrong_is_said_with_the_way_out(
    config: providers.Config, endpoint: Server, mode: str
) -> None:
    endpoint.fault(mode, times=None)
    probed = probe.probe(config, seconds=0.5)
    code, words = FAULTS[mode]
    assert (probed.ok, probed.code) == (False, code)
    assert words in probed.message
    assert model.KEY not in repr(probed)


def test_a_model_without_schemas_works_and_it_is_said(config: providers.Config, endpoint: Server) -> None:
    endpoint.fault("grammar", times=None)
    probed = probe.probe(config)
    assert probed.ok
    assert "the schema was refused" in probed.message


def test_without_a_key_nothing_is_sent() -> None:
    probed = probe.probe(anthropic.Config("claude-haiku-5-5", ""))
    assert (probed.ok, probed.code) == (False, "no_key")


def test_nobody_there() -> None:
    config = openai_compatible.Config("m", "http://127.0.0.1:9/v1", private=True)
    assert (
        probe.probe(config).message
        == "No connection: connection refused. Check the base URL and the network."
    )


def test_a_host_of_the_own_network_has_to_be_named() -> None:
    config = openai_compatible.Config("m", "http://127.0.0.1:9/v1")
    assert "CONSOLE_PRIVATE_HOSTS" in probe.probe(config).message


def test_rules_need_no_connection() -> None:
    assert probe.probe(rules.Config()).ok
    assert probe.try_provider(rules.Config()).ok


def test_a_look_asks_no_model(config: providers.Config, endpoint: Server) -> None:
    probed = probe.try_provider(config)
    assert (probed.ok, probed.message) == (True, f"{config.model} answers")
    assert endpoint.asked == []
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(
    "mode", ["http_401", "http_500", "stall", "drop", "html_200", "not_json", "redirect"]
)
def test_a_look_that_fails_has_a_code(config: providers.Config, endpoint: Server, mode: str) -> None:
    endpoint.fault(mode, times=None)
    probed = probe.try_provider(config, seconds=0.4)
    assert not probed.ok
    assert probed.code in {"auth", "overloaded", "timeout", "connection", "malformed"}


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Connections do not outlive a test."""
    yield
    providers.forget()
