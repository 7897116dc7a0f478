"""The pages of the AI's settings: what they show, what they keep, what they give back with everything that was typed, and who gets in at all."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from console.ai.proposals import options, saving
from console.auth.accounts import entry
from console.infra import settings
from console.infra.db.engine import fetch
from console.log import events_of
from tests.company import Company
from tests.views.conftest import Browser, Page, Pages

pytestmark = pytest.mark.lengthy

PAGES = ("", "/purposes", "/budgets", "/switches", "/house", "/redaction")
KEY = "sk-typed-into-the-box"
NOWHERE = "https://models.invalid/v1"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    options.forget()
    yield
    options.forget()


def send(browser: Browser, page: Page, action: str, status: int = 303, **typed: Any) -> Page:
    """Send the form of the page with these boxes filled in; names may have dots."""
    return browser.post(
        page.form(action)["action"],
        {name: value for name, value in (page.form(action)["fields"] | typed).items() if value is not None},
        status=status,
    )


def told(values: dict[str, Any]) -> dict[str, Any]:
    """Values under names that have dots."""
    return values


def save(company: Company, **changes: Any) -> None:
    key = changes.pop("key", None)
    saving.change(company.ines, changes, base=options.newest().version, untried=True, key=key)


@pytest.mark.parametrize("who", ["stan", "olivia", "mona", "ada", "rosa"])
def test_only_who_administers_gets_in(pages: Pages, who: str) -> None:
    browser = getattr(pages, who)
    for page in PAGES:
        browser.get(f"/settings/ai{page}", status=403)
        browser.post(f"/settings/ai{page}", {"csrf_token": browser.token}, status=403)
    browser.post("/settings/ai/test", {"csrf_token": browser.token}, status=403)
    assert not fetch("select 1 from console.ai_setting")


def test_what_does_not_answer_is_not_saved_and_nothing_typed_is_lost(pages: Pages) -> None:
    typed: dict[str, Any] = {
        "provider": "openai_compatible",
        "model": "small-1",
        "base_url": NOWHERE,
        "key": KEY,
        "note": "Try it",
    }
    page = send(pages.ines, pages.ines.get("/settings/ai"), "/settings/ai", status=422, **typed)
    sent = page.form("/settings/ai")["fields"]
    assert {name: sent[name] for name in typed} == typed
    assert "Nothing was saved: No connection" in page.text
    assert pages.ines.answer.headers["Cache-Control"] == "no-store"
    assert options.newest().version == 0
    send(pages.ines, page, "/settings/ai", untried="on", **typed)
    page = pages.ines.follow()
    assert "Saved. It is in force everywhere within a second." in page.text
    assert "Version 1" in page.text
    assert "Try it" in page.text
    assert KEY not in page.html
    assert "A key is stored, encrypted" in page.text
    assert options.newest().key == KEY


def test_somebody_who_saved_in_between_is_told_of(pages: Pages) -> None:
    page = pages.ines.get("/settings/ai/budgets")
    save(pages.company, retention_days=44)
    again = send(pages.ines, page, "/settings/ai/budgets", status=409, retention_days="9")
    assert "Somebody saved these settings in the meantime" in again.text
    assert again.form("/settings/ai/budgets")["fields"]["retention_days"] == "9"
    send(pages.ines, again, "/settings/ai/budgets")
    assert options.newest().document.retention_days == 9


def test_testing_keeps_nothing_and_is_an_event(pages: Pages) -> None:
    page = pages.ines.get("/settings/ai")
    fields = page.form("/settings/ai")["fields"] | {
        "provider": "openai_compatible",
        "model": "m",
        "base_url": NOWHERE,
    }
    part = pages.ines.post("/settings/ai/test", fields, htmx="tested", status=200)
    assert "No connection" in part.text
    assert "<form" not in part.html
    whole = pages.ines.post("/settings/ai/test", fields, status=200)
    assert whole.form("/settings/ai")["fields"]["base_url"] == NOWHERE
    assert options.newest().version == 0
    told = [event.body["data"]["open"] for event in events_of("sys:config") if event.type == "ai_tested"]
    assert [(one["ok"], one["code"]) for one in told] == [(False, "connection")] * 2
    part = pages.ines.post("/settings/ai/test", fields | {"provider": "rules"}, htmx="tested", status=200)
    assert "Rules need no connection" in part.text
    part = pages.ines.post("/settings/ai/test", fields | {"base_url": "x"}, htmx="tested", status=200)
    assert "Takes http" in part.text


def test_a_key_asks_who_one_is(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    page = pages.ines.get("/settings/ai")
    monkeypatch.setattr(entry, "current", lambda: entry.Entry(second_factor="off"))
    fetch("update console.session set proved_at = now() - interval '10 minutes' returning 1")
    send(
        pages.ines,
        page,
        "/settings/ai",
        status=403,
        provider="openai_compatible",
        model="m",
        base_url=NOWHERE,
        key=KEY,
        untried="on",
    )
    assert options.newest().version == 0
    page = pages.ines.get("/settings/ai/budgets")
    send(pages.ines, page, "/settings/ai/budgets", retention_days="12")
    assert options.newest().document.retention_days == 12, "what is no key is no such matter"


def test_what_the_environment_gives_is_shown_and_not_changed(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-of-the-machine")
    settings.current.cache_clear()
    try:
        page = pages.ines.get("/settings/ai")
        assert "Given by the environment" in page.text
        assert "claude-haiku-5-5" in page.text
        assert "sk-of-the-machine" not in page.html
        assert not [form for form in page.forms if form["action"] == "/settings/ai"]
        pages.ines.post(
            "/settings/ai",
            {
                "csrf_token": pages.ines.token,
                "version": "0",
                "provider": "rules",
                "model": "x",
                "base_url": "",
            },
            status=422,
        )
        assert options.newest().version == 0
    finally:
        monkeypatch.undo()
        settings.current.cache_clear()


def test_purposes_and_prices(pages: Pages) -> None:
    page = pages.ines.get("/settings/ai/purposes")
    sent = page.form("/purposes")["fields"]
    assert (
        sent["purposes.propose.max_tokens"],
        sent["purposes.build.max_tokens"],
        sent["purposes.decide.model"],
    ) == ("2000", "8000", "")
    assert "claude-haiku" in page.html
    data = sent | {
        "purposes.decide.seconds": "4",
        "prices.currency": "EUR",
        "price.model": ["small", "", "large"],
        "price.input": ["1.5", "", "2"],
        "price.cached": ["", "", "0.2"],
        "price.output": ["3", "", "4"],
    }
    pages.ines.post("/settings/ai/purposes", data)
    kept = options.newest().document
    assert kept.purpose("decide").seconds == 4
    assert [(f"{one.input}", f"{one.cached}", one.model) for one in kept.prices.models] == [
        ("1.5", "0", "small"),
        ("2", "0.2", "large"),
    ]
    assert (kept.prices.currency, kept.prices.number) == ("EUR", 1)
    data |= {"version": "1", "price.input": ["much", "", "2"], "purposes.text.max_tokens": "9"}
    page = pages.ines.post("/settings/ai/purposes", data, status=422)
    assert 'value="much"' in page.html
    assert {"f-prices.models.0.input-error", "f-purposes.text.max_tokens-error"} <= {
        told["id"] for told in page.with_attribute("id")
    }


def test_budgets_show_what_was_used_and_by_whom_most(pages: Pages) -> None:
    page = pages.ines.get("/settings/ai/budgets")
    assert "0.00 of 20.00 USD" in page.text
    olivia = pages.company.olivia.id
    fetch(
        "insert into console.ai_call (id, at, person, purpose, mode, status, ms, cost) select 'aic_' || n, now(), %s, 'propose', 'assist', 'ok', 9, 9 from generate_series(1, 2) n returning 1",
        (olivia,),
    )
    page = pages.ines.get("/settings/ai/budgets")
    assert "18.00 of 20.00 USD" in page.text
    form = page.form("/budgets")["fields"]
    limits = [
        ("all", "day", "", "", "10"),
        ("role:operator", "week", "5", "", ""),
        (f"person:{olivia}", "month", "", "1000", ""),
        ("", "day", "", "", ""),
    ]
    names = ("who", "period", "calls", "tokens", "money")
    sent = {
        f"limit.{name}": list(values) for name, values in zip(names, zip(*limits, strict=True), strict=True)
    }
    pages.ines.post("/settings/ai/budgets", {**form, **sent})
    page = pages.ines.get("/settings/ai/budgets")
    for words in (
        "18.00 of 10.00 USD: used up",
        "2 of 5 calls",
        "0 of 1,000 tokens",
        pages.company.olivia.name,
    ):
        assert words in page.text
    fields = page.form("/budgets")["fields"] | sent
    wrong: dict[str, Any] = {
        "limit.who": ["", "all"],
        "limit.period": ["day", "day"],
        "limit.calls": ["7", "-1"],
    }
    wrong |= {
        "limit.tokens": ["", ""],
        "limit.money": ["", ""],
        "budget.run_calls": "-3",
        "blind_percent": "500",
    }
    page = pages.ines.post("/settings/ai/budgets", fields | wrong, status=422)
    assert page.form("/budgets")["fields"]["budget.run_calls"] == "-3"
    assert {"f-budget.run_calls", "f-blind_percent", "f-budget.limits.0.who", "f-budget.limits.1.calls"} == {
        told["id"] for told in page.with_attribute("aria-invalid")
    }


def test_house_text_with_its_versions(pages: Pages) -> None:
    page = pages.ines.get("/settings/ai/house")
    assert "The house adds nothing yet." in page.text
    send(pages.ines, page, "/house", **told({"house.prefix": "Be brief.\r\nBe kind.", "note": "First words"}))
    page = pages.ines.follow()
    send(pages.ines, page, "/house", **told({"house.prefix": "Be brief.\r\nBe <b>exact</b>."}))
    page = pages.ines.follow()
    assert page.form("/house")["fields"]["house.prefix"] == "Be brief.\nBe <b>exact</b>."
    for words in ("Version 2 counts", "First words", "went Be kind.", "came Be <b>exact</b>."):
        assert words in page.text
    assert "<b>exact</b>" not in page.html
    page = send(pages.ines, page, "/house", status=422, **told({"house.suffix": "x" * 4001}))
    assert len(page.form("/house")["fields"]["house.suffix"]) == 4001


def test_what_a_model_would_see_of_a_text(pages: Pages) -> None:
    text = "Please write to ada@example.com or call +49 30 901820."
    page = pages.ines.post(
        "/settings/ai/redaction", {"csrf_token": pages.ines.token, "text": text}, status=200
    )
    sent = page.html.split('<pre class="ai-text"')[1].split("</pre>")[0]
    assert "ada@example.com" not in sent
    assert "<mark>[EMAIL_1]</mark>" in sent
    assert (
        next(
            form for form in page.forms if form["method"] == "post" and form["action"].endswith("redaction")
        )["fields"]["text"]
        == text
    )
    page = pages.ines.post(
        "/settings/ai/redaction",
        {
            "csrf_token": pages.ines.token,
            "collection": "customer",
            "text": json.dumps({"email": "a@b.example", "tax_id": "X1", "desk": "retail"}),
        },
        status=200,
    )
    sent = page.html.split('<pre class="ai-text"')[1].split("</pre>")[0]
    assert "a@b.example" not in sent
    assert "X1" not in sent
    assert "retail" in sent
    for wrong in ("", "x" * 20_001):
        pages.ines.post("/settings/ai/redaction", {"csrf_token": pages.ines.token, "text": wrong}, status=422)
