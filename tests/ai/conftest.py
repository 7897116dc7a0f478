"""The endpoint of the tests, one for each module and well again before each test, and the providers that ask it."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from console.ai import calling
from console.ai.providers import anthropic, openai_compatible
from console.core.proposal_types import Provider
from tests.servers import model


@pytest.fixture(scope="module")
def endpoint_of_module() -> Iterator[model.Server]:
    with model.serving() as server:
        yield server


@pytest.fixture
def endpoint(endpoint_of_module: model.Server, monkeypatch: pytest.MonkeyPatch) -> model.Server:
    monkeypatch.setattr(calling, "WAIT_S", 0.01)
    endpoint_of_module.well()
    endpoint_of_module.requests.clear()
    endpoint_of_module.keys = None
    endpoint_of_module.models = {name: {} for name in model.MODELS}
    endpoint_of_module.seconds = 0.0
    endpoint_of_module.tells_models = True
    return endpoint_of_module


@pytest.fixture
def claude(endpoint: model.Server) -> Iterator[Provider]:
    with closing(
        anthropic.Anthropic(anthropic.Config("claude-haiku-5-5", model.KEY, endpoint.url, private=True))
    ) as provider:
        yield provider


@pytest.fixture
def local(endpoint: model.Server) -> Iterator[Provider]:
    config = openai_compatible.Config("local-model", endpoint.chat_url, model.KEY, private=True)
    with closing(openai_compatible.OpenAICompatible(config)) as provider:
        yield provider


@pytest.fixture(params=["anthropic", "openai_compatible"])
def either(request: pytest.FixtureRequest) -> Provider:
    """One provider after the other."""
    made: Provider = request.getfixturevalue("claude" if request.param == "anthropic" else "local")
    return made
