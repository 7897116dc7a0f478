"""A test of the connection that goes well lets calls through again, where a wrong key or an empty account had stopped them for good."""

from collections.abc import Iterator
from typing import Any

import pytest

from console.ai import providers
from console.ai.proposals import options, provider_breaker, saving
from console.core.proposal_types import Code
from console.infra import settings
from tests.company import Company
from tests.servers import model


@pytest.fixture
def endpoint(company: Company, monkeypatch: pytest.MonkeyPatch) -> Iterator[model.Server]:
    with model.serving() as server:
        monkeypatch.setenv("ANTHROPIC_API_KEY", model.KEY)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        settings.current.cache_clear()
        options.forget()
        yield server
        providers.forget()
    monkeypatch.undo()
    settings.current.cache_clear()
    options.forget()


def config() -> Any:
    return providers.config(settings.current().ai, private=True)


@pytest.mark.parametrize("code", ["auth", "billing", "model_not_found"])
def test_what_lasts_ends_when_a_test_goes_well(company: Company, endpoint: model.Server, code: Code) -> None:
    assert provider_breaker.failed(config(), code), "an administrator hears of it"
    assert not provider_breaker.may_ask(config())
    assert saving.try_settings(company.ines, {}).ok
    assert provider_breaker.may_ask(config())


def test_a_test_that_fails_changes_nothing(company: Company, endpoint: model.Server) -> None:
    provider_breaker.failed(config(), "billing")
    endpoint.fault("http_402")
    assert not saving.try_settings(company.ines, {}).ok
    assert not provider_breaker.may_ask(config())
