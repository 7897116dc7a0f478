"""A provider is asked before its settings are kept: what it does wrong stands at the box that has to do with it. A real endpoint answers."""

from collections.abc import Iterator

import pytest

from console.ai.proposals import options, saving
from console.core.errors import Invalid
from console.infra import settings
from tests.company import Company
from tests.servers.model import KEY, Server

pytestmark = pytest.mark.lengthy


@pytest.fixture
def here(asking_company: Company, model: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    monkeypatch.setenv("CONSOLE_PRIVATE_HOSTS", "127.0.0.1")
    settings.current.cache_clear()
    options.forget()
    yield asking_company
    monkeypatch.undo()
    settings.current.cache_clear()
    options.forget()


def setup(model: Server, **changes: object) -> dict[str, object]:
    return {"provider": "openai_compatible", "base_url": model.chat_url, "model": "local-model"} | changes


def test_what_answers_is_kept(here: Company, model: Server) -> None:
    assert saving.change(here.ines, setup(model), base=0, key=KEY) == 1
    assert len(model.asked) == 1
    assert "customer" not in model.asked[0].text
    chosen = options.current().chosen("propose")
    assert (chosen.config.name, chosen.config.model, chosen.rules) == (
        "openai_compatible",
        "local-model",
        False,
    )
    assert saving.change(here.ines, {"retention_days": 3}, base=1) == 2
    assert len(model.asked) == 1, "what has nothing to do with it asks nobody"


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ("http_401", "key"),
        ("http_402", "key"),
        ("http_404", "model"),
        ("http_429", "provider"),
        ("http_500", "provider"),
        ("not_json", "base_url"),
        ("html_502", "provider"),
        ("malformed_json", "base_url"),
        ("refusal", "provider"),
    ],
)
def test_what_does_not_is_not(fault: str, field: str, here: Company, model: Server) -> None:
    model.fault(fault, times=None)
    with pytest.raises(Invalid, match="Nothing was saved") as caught:
        saving.change(here.ines, setup(model), base=0, key=KEY)
    assert (caught.value.code, [detail["field"] for detail in caught.value.details]) == (
        "not_working",
        [field],
    )
    assert options.newest().version == 0
    assert saving.change(here.ines, setup(model), base=0, key=KEY, untried=True) == 1, "who knows better may"


def test_an_address_of_the_house_needs_leave_of_the_machine(asking_company: Company, model: Server) -> None:
    with pytest.raises(Invalid) as caught:
        saving.change(asking_company.ines, setup(model), base=0, key=KEY)
    assert [detail["field"] for detail in caught.value.details] == ["base_url"]
    assert not model.asked
