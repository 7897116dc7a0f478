"""The settings of the AI: what may be saved, what is in force, what stands before them in the environment, and what is in no event."""

import json
import time
from decimal import Decimal
from typing import Any

import pytest

from console.ai.proposals import options, saving
from console.ai.proposals.settings_document import Options, Price, Prices, read
from console.core.errors import Conflict, Invalid, NotAllowed
from console.infra import settings
from console.infra.db.engine import fetch
from console.log import events_of, open_values
from tests.company import Company
from tests.tables import cases

KEY = "sk-not-a-real-key-4711"
HERE = {"provider": "openai_compatible", "base_url": "https://models.fernwick.example/v1", "model": "small-1"}


@pytest.fixture
def ines(company: Company) -> Any:
    options.forget()
    yield company.ines
    options.forget()


def save(who: Any, changes: dict[str, Any], **more: Any) -> int:
    return saving.change(
        who,
        changes,
        base=more.pop("base", options.newest().version),
        untried=more.pop("untried", True),
        **more,
    )


def wrong(who: Any, changes: dict[str, Any], **more: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        save(who, changes, **more)
    return {detail["field"]: detail["reason"] for detail in caught.value.details}


def configured() -> list[Any]:
    return [event for event in events_of("sys:config") if event.type in ("ai_changed", "ai_tested")]


def test_without_a_word_rules_propose(ines: Any) -> None:
    told = options.current()
    assert (told.version, told.ai.provider, told.from_environment, told.off()) == (0, "rules", False, None)
    chosen = options.current().chosen("propose")
    assert (chosen.rules, chosen.seconds, chosen.max_tokens) == (True, 8, 2000)
    assert (options.current().chosen("build").seconds, options.current().chosen("build").max_tokens) == (
        30,
        8000,
    )
    with pytest.raises(TypeError, match="rules"):
        chosen.provider()
    budget = told.document.budget
    assert (
        budget.run_calls,
        budget.run_money,
        told.document.retention_days,
        told.document.blind_percent,
    ) == (20, Decimal("0.50"), 30, 5)


@pytest.mark.parametrize("who", ["stan", "olivia", "mona", "ada", "rosa"])
def test_who_does_not_administer_may_not(company: Company, who: str) -> None:
    actor = company.people[who]
    for attempt in (
        lambda: saving.change(actor, {"on": False, "reason": "x"}, base=0),
        lambda: saving.try_settings(actor, {}),
        lambda: saving.versions(actor),
        lambda: saving.house_texts(actor),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    assert not fetch("select 1 from console.ai_setting")


def test_each_save_is_a_version_with_an_event(ines: Any) -> None:
    assert save(ines, {"on": False, "reason": "Audit week"}, note="Asked for by Mona") == 1
    assert save(ines, {"on": False, "reason": "Audit week"}) == 1, "nothing differs: no version, no event"
    assert save(ines, {"on": True, "reason": ""}) == 2
    assert [
        (version.current.version, version.changed, version.current.note) for version in saving.versions(ines)
    ] == [
        (2, ("on", "reason"), ""),
        (1, ("on", "reason"), "Asked for by Mona"),
    ]
    last, first = configured()[-1], configured()[-2]
    assert last.body["data"]["open"] == {"version": 2, "fields": ["on", "reason"]}
    assert open_values("sys:config", [first])[first.n].sealed == {
        "old/on": True,
        "old/reason": "",
        "new/on": False,
        "new/reason": "Audit week",
        "note": "Asked for by Mona",
    }


def test_two_at_once_do_not_undo_each_other(ines: Any) -> None:
    save(ines, {"retention_days": 10})
    with pytest.raises(Conflict, match="in the meantime"):
        save(ines, {"retention_days": 20}, base=0)
    assert options.newest().document.retention_days == 10


def test_the_key_is_sealed_for_one_place_and_in_no_event(ines: Any) -> None:
    save(ines, HERE, key=KEY)
    told = options.current()
    assert (told.key, told.ai.api_key) == (KEY, KEY)
    assert KEY not in json.dumps(fetch("select document from console.ai_setting")[0][0])
    said = [*configured(), *(one.sealed for one in open_values("sys:config", configured()).values())]
    assert KEY not in repr([getattr(one, "body", one) for one in said])
    assert KEY not in repr(told)
    assert told.document.key not in repr(told)  # type: ignore[operator]
    assert configured()[-1].body["data"]["open"]["fields"] == ["base_url", "key", "model", "provider"]
    save(ines, {"model": "small-2"})
    assert options.current().key == KEY, "the same place: the key stays"
    save(ines, {"base_url": "https://elsewhere.example/v1"})
    assert options.current().key is None, "the key never goes to another address"
    assert configured()[-1].body["data"]["open"]["fields"] == ["base_url", "key"]
    save(ines, {}, key=KEY)
    assert options.current().key == KEY
    assert configured()[-1].body["data"]["open"]["fields"] == ["key"], (
        "a new key is a change, though nobody can see it"
    )
    save(ines, {}, drop_key=True)
    assert options.current().key is None


def test_a_key_of_another_place_does_not_open(ines: Any) -> None:
    kept = Options(provider="anthropic", key=options.seal_key(KEY, "openai_compatible", None))
    assert options.open_key(kept) is None
    assert options.open_key(Options(provider="anthropic", key="no base64 at all")) is None
    assert (
        options.open_key(Options(provider="anthropic", key=options.seal_key(KEY, "anthropic", None))) == KEY
    )


@cases(
    "changes, field",
    [
        ({"provider": "anthropic"}, "key"),
        ({"provider": "openai_compatible"}, "base_url"),
        ({"provider": "openai_compatible", "base_url": "https://m.example"}, "model"),
        ({"provider": "somebody"}, "provider"),
        ({"model": "two words"}, "model"),
        ({"base_url": "ftp://x.example"}, "base_url"),
        ({"base_url": "https://u:p@x.example"}, "base_url"),
        ({"on": False}, "reason"),
        ({"budget": {"run_calls": -1}}, "budget.run_calls"),
        ({"budget": {"run_money": "1e9"}}, "budget.run_money"),
        ({"budget": {"limits": [{"who": "nobody", "period": "day"}]}}, "budget.limits.0.who"),
        ({"budget": {"limits": [{"who": "all", "period": "year"}]}}, "budget.limits.0.period"),
        ({"budget": {"warn_percent": 0}}, "budget.warn_percent"),
        ({"retention_days": 0}, "retention_days"),
        ({"retention_days": "x"}, "retention_days"),
        ({"blind_percent": 51}, "blind_percent"),
        ({"purposes": {"propose": {"seconds": 0}}}, "purposes.propose.seconds"),
        ({"purposes": {"propose": {"max_tokens": 10}}}, "purposes.propose.max_tokens"),
        ({"purposes": {"think": {}}}, "purposes.think"),
        ({"prices": {"currency": "euro"}}, "prices.currency"),
        ({"prices": {"models": [{"model": "m", "input": "-1", "output": "1"}]}}, "prices.models.0.input"),
        ({"prices": {"on": "soon"}}, "prices.on"),
        ({"collections": {"customer": " "}}, "collections.customer"),
        ({"house": {"prefix": "x" * 4001}}, "house.prefix"),
        ({"odd": 1}, "odd"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(changes: dict[str, Any], field: str, ines: Any) -> None:
    assert field in wrong(ines, changes)
    assert options.newest().version == 0


def test_the_environment_wins(ines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    save(ines, HERE, key=KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-of-the-machine")
    monkeypatch.setenv("CONSOLE_AI_MODEL", "claude-of-the-machine")
    settings.current.cache_clear()
    try:
        told = options.current()
        assert (told.from_environment, told.ai.provider, told.ai.model, told.ai.api_key) == (
            True,
            "anthropic",
            "claude-of-the-machine",
            "sk-of-the-machine",
        )
        assert set(wrong(ines, {"model": "other"})) == {"model"}
        assert set(wrong(ines, {}, key="sk-other")) == {"key"}
        save(ines, {"retention_days": 7}, untried=False)
        assert options.newest().document.retention_days == 7, (
            "what the environment does not say is saved all the same"
        )
        save(ines, {"purposes": {"decide": {"model": "claude-decides"}}})
        assert options.current().chosen("decide").config.model == "claude-decides"
        assert options.current().chosen("propose").config.model == "claude-of-the-machine"
    finally:
        monkeypatch.undo()
        settings.current.cache_clear()


def test_other_processes_see_it_within_a_second(ines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert options.current().document.on
    clock = [time.monotonic()]
    monkeypatch.setattr("console.infra.db.process_cache.time.monotonic", lambda: clock[0])
    options.forget()
    assert options.current().document.on
    forget = options.forget
    monkeypatch.setattr(options, "forget", lambda: None)
    save(ines, {"on": False, "reason": "Elsewhere"})
    assert options.current().document.on, "this process still has what it knew"
    clock[0] += 1.1
    assert options.current().off() == "The AI is switched off: Elsewhere"
    monkeypatch.setattr(options, "forget", forget)


@cases(
    "place, off",
    [
        (("customer", "kyc-review", "read"), "no customers"),
        (("account", "kyc-review", "read"), "this step is new"),
        (("account", "kyc-review", "decide"), None),
        ((None, None, None), None),
        (("account", "refund", "read"), None),
        (("customer", None, None), "no customers"),
    ],
)
def test_it_may_be_off_for_a_collection_or_a_step(place: tuple[Any, ...], off: str | None) -> None:
    told = options.Current(
        Options(collections={"customer": "no customers"}, steps={"kyc-review/read": "this step is new"})
    )
    assert told.off(*place) == (off and f"The AI is switched off here: {off}")
    assert options.Current(Options(on=False, reason="never")).off(*place) == "The AI is switched off: never"


def test_prices_are_numbered_and_reckoned_to_the_millionth(ines: Any) -> None:
    told = options.current()
    assert told.price_version == "2026-11-20/0"
    assert told.cost("claude-haiku-5-5", input_tokens=1000, cached_tokens=2000, output_tokens=300) == Decimal(
        "0.002700"
    )
    save(
        ines,
        {
            "prices": {
                "on": "2026-12-01",
                "currency": "EUR",
                "models": [
                    {"model": "small", "input": "2", "output": "4"},
                    {"model": "small-1", "input": "1", "cached": "0.1", "output": "3"},
                ],
            }
        },
    )
    told = options.current()
    assert told.price_version == "2026-12-01/1"
    assert told.cost("small-1", input_tokens=1, cached_tokens=0, output_tokens=0) == Decimal("0.000001")
    assert told.cost("small-0", input_tokens=0, cached_tokens=9, output_tokens=1_000_000) == Decimal(4)
    assert told.cost("claude-haiku-5-5", input_tokens=1, cached_tokens=0, output_tokens=0) is None
    save(ines, {"retention_days": 5})
    assert options.current().price_version == "2026-12-01/1"


def test_a_document_of_another_release_is_read() -> None:
    assert read({"on": False, "reason": "x", "of_tomorrow": {"a": 1}}).reason == "x"
    assert Prices(models=(Price(model="a", input=Decimal(1), output=Decimal(1)),)).of("b") is None
