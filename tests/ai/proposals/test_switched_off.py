"""When nobody is asked for a proposal: switched off, no budget, or a provider that fails too often."""

from typing import Any

import orjson
import pytest

from console.ai.proposals import options, provider_standing
from console.infra import settings
from console.infra.db.engine import fetch
from console.work import notices
from tests.ai.proposals.conftest import House
from tests.ai.proposals.test_service import row

# ------------------------------------------------------------------------------------------------ off, budget, left alone


def saved(**document: Any) -> None:
    """Settings as an administrator left them."""
    kept = options.current().document.model_dump(mode="json") | document
    fetch(
        "insert into console.ai_setting (version, at, by, note, document) select coalesce(max(version), 0) + 1, now(), 'usr_x', '', %s::jsonb"
        " from console.ai_setting returning 1",
        (orjson.dumps(kept).decode(),),
    )
    fetch("update console.version set number = number + 1 where name = 'ai' returning 1")
    options.forget()


@pytest.mark.parametrize(
    "document",
    [
        {"on": False, "reason": "Contract under review."},
        {"collections": {"customer": "Contract under review."}},
        {"steps": {"triage/judge": "Contract under review."}},
    ],
    ids=["everywhere", "collection", "step"],
)
def test_where_it_is_switched_off_people_read_why(house: House, document: dict[str, Any]) -> None:
    saved(**document)
    run_id = house.at_judge()
    found = house.proposed(run_id)
    assert found["status"] == "off"
    assert "Contract under review" in found["message"]
    assert not house.model.asked
    assert row(run_id)["status"] == "off"


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ({"run_calls": 0}, "of this run"),
        ({"limits": [{"who": "all", "period": "day", "calls": 0}]}, "The AI budget of today"),
        ({"limits": [{"who": "each", "period": "week", "calls": 0}]}, "Your AI budget of this week"),
    ],
)
def test_without_budget_nobody_is_asked(house: House, budget: dict[str, Any], words: str) -> None:
    saved(budget=budget)
    run_id = house.at_judge()
    found = house.proposed(run_id)
    assert (found["status"], found["code"]) == ("failed", "budget")
    assert words in found["message"]
    assert not house.model.asked
    assert row(run_id)["reserved"] is None


def test_who_sets_the_budget_hears_once_of_its_warning_level_and_once_of_its_end(house: House) -> None:
    saved(budget={"limits": [{"who": "all", "period": "day", "calls": 2}], "warn_percent": 60})
    told: list[list[str]] = []
    for record in ("1", "2", "4"):
        house.proposed(house.at_judge(record=record))
        told.append([notice.text for notice in notices.notices_of(house.company.ines)])
    warning, end = (
        "The budget for AI that all share is above its warning level",
        "The budget for AI that all share is used up: steps are done by hand until it begins again",
    )
    assert told == [[], [warning], [end, warning]]
    assert notices.notices_of(house.company.ines)[0].href == "/settings/ai/budgets"
    assert not notices.notices_of(house.company.olivia)


def test_prices_become_costs(house: House) -> None:
    prices = {
        "number": 3,
        "on": "2026-11-20",
        "currency": "EUR",
        "models": [{"model": "claude-haiku-5-5", "input": "1", "output": "5"}],
    }
    saved(prices=prices)
    run_id = house.at_judge()
    house.work()
    told = row(run_id)
    assert told["cost"] > 0
    assert told["price_version"] == "2026-11-20/3"


def test_a_provider_that_is_left_alone_is_not_asked(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSOLE_AI_BREAKER", "on")
    settings.current.cache_clear()
    house.model.fault("http_401", times=1)
    assert house.proposed(house.at_judge())["code"] == "auth"
    found = house.proposed(house.at_judge(record="2"))
    assert (found["status"], found["code"]) == ("failed", "auth"), "not that it will pass in a minute"
    assert "does not accept our key" in found["message"]
    assert len(house.model.asked) == 1
    assert [(one.code, one.model) for one in provider_standing.refusals()] == [("auth", "claude-haiku-5-5")]
    assert provider_standing.refused("propose") == "auth"
    fetch("update console.ai_breaker set state = state || '{\"until\": 1}' returning 1")
    assert provider_standing.refused("propose") is None, "one may see whether it was mended"
    assert house.proposed(house.at_judge(record="3"))["status"] == "ready"
    assert not provider_standing.refusals()
    (notice,) = notices.notices_of(house.company.ines)
    assert (notice.text, notice.href) == (
        "The provider of the AI refuses to answer: look at key, account and model",
        "/settings/ai",
    )
    assert not notices.notices_of(house.company.olivia)
