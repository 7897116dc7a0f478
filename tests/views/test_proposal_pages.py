"""The runner with proposals: every state of a field and of the strip above, without script; what a page that waits is answered; who may not ask."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from console import access, runs, settings, workflows
from console.proposals import absence_words, options, provider_breaker
from console.views.formats import Look
from console.views.run import effects as runeffects, proposal
from tests.runs.changing.test_loop import document as loop_document
from tests.steps.test_related_records import ACCOUNT
from tests.views import proposals
from tests.views.proposals import arrives, by_hand, fails, fields, press, source, states, value

if TYPE_CHECKING:
    from tests.views.conftest import Page, Pages


@pytest.mark.parametrize("with_ai", [True, False])
def test_a_form_is_whole_while_proposals_are_looked_for(pages: "Pages", given_settings: Callable[..., None], *, with_ai: bool) -> None:
    """Where no AI is set up nobody is told to wait for one."""
    if with_ai:
        given_settings(CONSOLE_AI_PROVIDER="anthropic", CONSOLE_AI_API_KEY="a-key-of-nobody")
    run = proposals.at(pages.company, "rate")
    page = pages.olivia.get(f"/runs/{run}")
    assert ("Looking for proposals …" in page.text) is with_ai
    assert ("Looking for what rules can fill in …" in page.text) is not with_ai
    assert ("Handle Manually" in page.text) is with_ai
    assert page.with_attribute("data-poll")
    assert states(page) == {"risk": "off", "email": "off"}
    assert fields(page)["v.email"] == "adaeze@customers.example"


def test_a_proposal_fills_its_field_and_says_from_where(pages: "Pages") -> None:
    run = proposals.at(pages.company, "rate")
    arrives(pages.company, run, value("risk", "medium", "high", "Two transfers a month."))
    page = pages.olivia.get(f"/runs/{run}")
    assert states(page) == {"risk": "fill"}, "no place is kept for what was not proposed"
    assert fields(page)["v.risk"] == "medium"
    assert "AI pre-fill" in page.text
    assert "Confidence: High" in page.text
    assert "Two transfers a month." in page.text
    assert "Now: empty" in page.text
    assert "1 of 2 fields pre-filled from the record" in page.text
    assert page.with_attribute("data-source")


def preselected(pages: "Pages", run: str) -> dict[str, bool]:
    """What the API says that a form holds beforehand."""
    proposal = pages.company.told(run)["current"]["proposal"]
    choice = {"outcome": proposal["choice"]["preselected"]} if proposal["choice"] else {}
    return {each["name"]: each["preselected"] for each in proposal["fields"]} | choice


def test_rules_are_named_as_such(pages: "Pages") -> None:
    run = proposals.at(pages.company, "rate")
    arrives(pages.company, run, value("risk", "medium"), origin="rules")
    page = pages.olivia.get(f"/runs/{run}")
    assert "Pre-filled by rule" in page.text
    assert "AI pre-fill" not in page.text


@pytest.mark.parametrize(
    ("confidence", "fill", "state"),
    [
        ("high", "high", "fill"), ("medium", "high", "offer"), ("low", "high", "offer"),
        ("high", "medium", "fill"), ("medium", "medium", "fill"), ("low", "medium", "offer"),
        ("high", "low", "fill"), ("medium", "low", "fill"), ("low", "low", "offer"),
    ],
)  # fmt: skip
def test_the_step_says_which_level_fills_and_low_never_does(pages: "Pages", confidence: str, fill: str, state: str) -> None:
    run = proposals.at(pages.company, "rate", fill=fill)
    arrives(pages.company, run, value("risk", "medium", confidence))
    page = pages.olivia.get(f"/runs/{run}")
    assert states(page)["risk"] == state
    assert fields(page)["v.risk"] == ("medium" if state == "fill" else "")
    assert preselected(pages, run) == {"risk": state == "fill"}, "programs preselect what the page does"
    assert "Proposed: “medium”" in page.text or "Proposed: “Medium”" in page.text


def test_a_draft_wins_over_a_proposal_and_that_over_what_the_form_starts_with(pages: "Pages") -> None:
    run = proposals.at(pages.company, "rate")
    before = fields(pages.olivia.get(f"/runs/{run}"))
    pages.olivia.post(f"/runs/{run}/draft", before | {"v.risk": "low"}, htmx="saved", status=200)
    arrives(pages.company, run, value("risk", "medium"), value("email", "new@customers.example"))
    page = pages.olivia.get(f"/runs/{run}")
    assert states(page) == {"risk": "offer", "email": "fill"}
    assert fields(page)["v.risk"] == "low"
    assert fields(page)["v.email"] == "new@customers.example"


def test_use_accept_restore_and_discard_without_script(pages: "Pages") -> None:
    run = proposals.at(pages.company, "rate", fill="high")
    arrives(pages.company, run, value("risk", "medium", "low"), value("email", "new@customers.example"))
    page = press(pages, run, pages.olivia.get(f"/runs/{run}"), "use:risk")
    assert states(page) == {"risk": "accepted", "email": "fill"}
    assert fields(page)["v.risk"] == "medium"
    page = press(pages, run, page, "accept:email")
    assert states(page) == {"risk": "accepted", "email": "accepted"}
    page = press(pages, run, page, "discard:email")
    assert states(page)["email"] == "offer"
    assert fields(page)["v.email"] == "adaeze@customers.example"
    page = press(pages, run, page, "use:email", **{"v.email": "mine@customers.example"})
    assert fields(page)["v.email"] == "new@customers.example"
    pages.olivia.post(f"/runs/{run}/draft", fields(page) | {"v.email": "mine@customers.example", "p.email": "edited"})
    page = pages.olivia.follow()
    assert states(page)["email"] == "edited"
    assert fields(page)["v.email"] == "mine@customers.example"
    page = press(pages, run, page, "restore:email")
    assert states(page)["email"] == "fill"
    assert fields(page)["v.email"] == "new@customers.example"


def test_accept_confident_takes_all_high_ones_only(pages: "Pages") -> None:
    run = proposals.at(pages.company, "rate")
    arrives(pages.company, run, value("risk", "medium", "medium"), value("email", "new@customers.example", "high"))
    page = press(pages, run, pages.olivia.get(f"/runs/{run}"), "confident")
    assert states(page) == {"risk": "fill", "email": "accepted"}


def test_who_may_mend_a_refused_key_is_led_there_and_nobody_is_told_to_try_again(pages: "Pages", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-refused")
    monkeypatch.setenv("CONSOLE_AI_BREAKER", "on")
    settings.current.cache_clear()
    try:
        run = proposals.at(pages.company, "rate")
        fails(pages.company, run, "auth", absence_words.message("auth", 8))
        provider_breaker.failed(options.current().chosen("propose").config, "auth")
        page = pages.olivia.get(f"/runs/{run}")
        assert "does not accept our key" in page.text
        assert "try again" not in page.text
        assert "Retry" not in page.text
        assert "Handle Manually" in page.text
        assert "/settings/ai" not in page.links
        access.assign(pages.company.olivia.id, [("operator", "operations"), ("admin", "*")], by="test")
        assert "/settings/ai" in pages.olivia.get(f"/runs/{run}").links
        assert "The provider refuses every call for claude-haiku-5-5" in pages.ines.get("/settings/ai").text
        assert "It does not accept the key." in pages.ines.get("/settings/ai").text
        assert "The model claude-haiku-5-5 cannot be asked" in pages.ines.get("/operations").text
        provider_breaker.answered(options.current().chosen("propose").config)
        assert "Retry" in pages.olivia.get(f"/runs/{run}").text
        assert "refuses every call" not in pages.ines.get("/settings/ai").text
    finally:
        monkeypatch.undo()
        settings.current.cache_clear()


def test_handle_manually_takes_pre_fills_out_and_undo_brings_them_back(pages: "Pages") -> None:
    run = proposals.at(pages.company, "rate")
    arrives(pages.company, run, value("risk", "medium"), value("email", "new@customers.example"))
    page = press(pages, run, pages.olivia.get(f"/runs/{run}"), "by-hand")
    assert "Handled manually" in page.text
    assert "Later steps will lack" in page.text
    assert states(page) == {"risk": "off", "email": "off"}
    assert fields(page)["v.email"] == "adaeze@customers.example"
    assert fields(page)["handled_manually"] == "true"
    page = press(pages, run, page, "undo")
    assert states(page) == {"risk": "fill", "email": "fill"}
    page = press(pages, run, page, "by-hand")
    pages.olivia.send(page, "/complete", v_risk="low", reason="It did not know the customer.")
    told = pages.company.told(run)
    assert next(one for one in told["attempts"] if one["step"] == "rate")["handled_manually"]
    assert "Missing from Rate the risk" in pages.olivia.get(f"/runs/{run}").text


def test_handle_manually_is_there_before_a_proposal_and_keeps_it_out(pages: "Pages") -> None:
    run = proposals.at(pages.company, "rate")
    page = press(pages, run, pages.olivia.get(f"/runs/{run}"), "by-hand")
    assert "Handled manually" in page.text
    arrives(pages.company, run, value("risk", "medium"))
    page = pages.olivia.get(f"/runs/{run}")
    assert states(page)["risk"] == "off"
    assert fields(page)["v.risk"] == ""


def test_a_wrong_hand_in_keeps_what_was_accepted(pages: "Pages") -> None:
    run = proposals.at(pages.company, "rate")
    arrives(pages.company, run, value("risk", "medium"), value("email", "new@customers.example"))
    page = pages.olivia.get(f"/runs/{run}")
    wrong = pages.olivia.send(page, "/complete", status=422, v_email="no address", **{"p.risk": "accepted", "p.email": "edited"})
    assert states(wrong) == {"risk": "accepted", "email": "edited"}


def test_the_proposed_choice_of_a_decision_stands_at_its_option(pages: "Pages") -> None:
    run = proposals.at(pages.company, "decide")
    choice = {
        "confidence": "high",
        "reason": "Nothing speaks against it.",
        "sources": [
            source(),
            source("s2", kind="step", step="note", title="Take a note", quote="Looked at it.", field="note", label="What you found"),
        ],
    }
    arrives(pages.company, run, outcome="approve", choice=choice)
    page = pages.olivia.get(f"/runs/{run}")
    assert states(page) == {"outcome": "fill"}
    assert preselected(pages, run) == {"outcome": True}
    assert fields(page)["outcome"] == "approve"
    assert "Nothing speaks against it." in page.text
    assert "Looked at it." in page.text
    assert "Take a note, What you found" in page.text  # the field by its label
    page = press(pages, run, page, "discard:outcome")
    assert states(page) == {"outcome": "offer"}
    assert "outcome" not in fields(page)
    page = press(pages, run, page, "use:outcome")
    assert states(page) == {"outcome": "accepted"}
    assert fields(page)["outcome"] == "approve"


def test_a_choice_of_low_confidence_is_not_made(pages: "Pages") -> None:
    run = proposals.at(pages.company, "decide")
    arrives(pages.company, run, outcome="approve", choice={"confidence": "low", "reason": "Perhaps.", "sources": [source()]})
    page = pages.olivia.get(f"/runs/{run}")
    assert states(page) == {"outcome": "offer"}
    assert "outcome" not in fields(page)
    assert "AI suggests" in page.text


@pytest.mark.parametrize(
    ("status", "code", "words", "retry"),
    [
        ("failed", "timeout", "No proposal came", True),
        ("failed", "budget", "No proposal came", True),
        ("failed", "breaker", "No proposal came", True),
        ("declined", "nothing_supported", "Nothing is proposed here", True),
        ("failed", "no_key", "AI is not configured here, so nothing is pre-filled.", False),
        ("off", "no_key", "AI is not configured here, so nothing is pre-filled.", False),
        ("off", "switched_off", "Why this is so.", False),
    ],
)
def test_what_did_not_come_is_said_once_and_calmly(pages: "Pages", status: str, code: str, words: str, retry: bool) -> None:
    run = proposals.at(pages.company, "rate")
    fails(pages.company, run, code, "Why this is so.", status)
    page = pages.olivia.get(f"/runs/{run}")
    assert page.text.count(words) == 1
    assert ("Why this is so." in page.text) is (code != "no_key")
    assert bool([form for form in page.forms if form["action"].endswith("/propose")]) is retry
    assert ("Handle Manually" in page.text) is (status == "failed" and code != "no_key"), "not where nothing was proposed"
    assert states(page) == {"risk": "off", "email": "off"}


def test_a_page_that_waits_gets_nothing_until_it_is_there(pages: "Pages") -> None:
    run = proposals.at(pages.company, "rate")
    poll = next(told["data-poll"] for told in pages.olivia.get(f"/runs/{run}").with_attribute("data-poll"))
    pages.olivia.get(poll, htmx="proposal", status=204)
    arrives(pages.company, run, value("risk", "medium"))
    part = pages.olivia.get(poll, htmx="proposal")
    assert "<html" not in part.html
    assert states(part) == {"risk": "fill"}
    assert part.with_attribute("data-announce")[0]["data-announce"] == "1 proposal is there."
    assert ("h1", "Care review") in pages.olivia.get(poll).headings


def test_a_page_of_the_past_is_told_nothing_of_the_next_step(pages: "Pages") -> None:
    run = proposals.at(pages.company, "rate")
    poll = next(told["data-poll"] for told in pages.olivia.get(f"/runs/{run}").with_attribute("data-poll"))
    call = proposals.pending(pages.company, run)["call"]
    pages.company.answer(run, risk="low")
    runs.record_answer(
        call, "proposal_made", {"origin": "a-model", "fields": ["risk"]}, {"proposal": {"fields": [value("risk", "medium")]}}
    )
    assert pages.olivia.get(poll, htmx="proposal").html == ""


def test_nobody_asks_for_the_proposal_of_a_run_that_is_not_theirs_to_see(pages: "Pages") -> None:
    run = proposals.at(pages.company, "rate")
    call = proposals.pending(pages.company, run)["call"]
    for n in (1, 2, 3, 4, 5):
        pages.stan.get(f"/runs/{run}/proposal?n={n}&call={call}", htmx="proposal", status=404)
    for what, more in (("suggestion", {"do": "by-hand"}), ("suggestion", {"do": "confident"})):
        pages.stan.post(
            f"/runs/{run}/{what}",
            {"csrf_token": pages.stan.token, "step": "rate", "revision": "1", "handled_manually": ""} | more,
            status=404,
        )


def test_a_colleague_sees_nothing_of_what_was_proposed_to_another(pages: "Pages") -> None:
    run = proposals.at(pages.company, "rate")
    arrives(pages.company, run, value("risk", "medium", "high", "A reason for Olivia."))
    page = pages.tom.get(f"/runs/{run}")
    assert "A reason for Olivia." not in page.text
    assert not states(page)


def test_an_unknown_button_is_not_there(pages: "Pages") -> None:
    run = proposals.at(pages.company, "rate")
    page = pages.olivia.get(f"/runs/{run}")
    pages.olivia.post(f"/runs/{run}/suggestion", fields(page) | {"do": "explode"}, status=404)


# -- asked for once more, and supplied


def test_retry_asks_once_more(pages: "Pages") -> None:
    run = proposals.at(pages.company, "rate")
    fails(pages.company, run)
    page = pages.olivia.get(f"/runs/{run}")
    part = pages.olivia.send(page, "/propose", htmx="proposal", status=200)
    assert proposal.BY_RULES in part.text
    assert part.with_attribute("data-poll")
    fails(pages.company, run)
    pages.olivia.send(pages.olivia.get(f"/runs/{run}"), "/propose")
    assert proposal.BY_RULES in pages.olivia.follow().text


def test_retry_from_a_page_of_the_past_says_so(pages: "Pages") -> None:
    run = proposals.at(pages.company, "note")
    fails(pages.company, run)
    page = pages.olivia.get(f"/runs/{run}")
    pages.company.answer(run)
    assert "This run moved on" in pages.olivia.send(page, "/propose", htmx="proposal", status=409).text


def test_nobody_asks_or_supplies_for_another(pages: "Pages") -> None:
    run = proposals.at(pages.company, "rate")
    revision = str(pages.company.told(run)["revision"])
    for who, status in (("stan", 404), ("tom", 409)):
        browser = getattr(pages, who)
        given = {"csrf_token": browser.token, "revision": revision, "step": "rate"}
        browser.post(f"/runs/{run}/propose", given, status=status)
    pages.stan.get(f"/runs/{run}/supply?step=note", status=404)
    pages.stan.post(f"/runs/{run}/supply", {"csrf_token": pages.stan.token, "revision": revision, "target": "note"}, status=404)


def test_what_is_missing_is_named_and_supplied_by_a_small_form(pages: "Pages") -> None:
    run = by_hand(pages)
    page = pages.olivia.get(f"/runs/{run}")
    assert "Missing from Take a note" in page.text
    asked = pages.olivia.get(f"/runs/{run}/supply?step=note")
    assert ("h2", "What is missing from “Take a note”") in asked.headings
    assert [name for name in asked.form("/supply")["fields"] if name.startswith("v.")] == ["v.count"]
    wrong = pages.olivia.send(asked, "/supply", status=422, v_count="many")
    assert wrong.form("/supply")["fields"]["v.count"] == "many"
    assert "Supply" in pages.olivia.send(asked, "/supply", htmx="run", status=422, v_count="").text
    assert pages.olivia.answer.headers["HX-Retarget"] == "#dialog"
    pages.olivia.send(asked, "/supply", v_count="3")
    after = pages.olivia.follow()
    assert "Missing from Take a note" not in after.text
    assert pages.company.told(run)["context"]["note"]["count"] == 3


def test_a_step_that_lacks_nothing_has_no_such_form(pages: "Pages") -> None:
    run = proposals.at(pages.company, "rate")
    pages.olivia.get(f"/runs/{run}/supply?step=note", status=404)
    pages.olivia.get(f"/runs/{run}/supply?step=nowhere", status=404)


def test_supplying_in_the_dialog_draws_the_run_anew(pages: "Pages") -> None:
    run = by_hand(pages)
    asked = pages.olivia.get(f"/runs/{run}/supply?step=note", htmx="dialog")
    assert "<html" not in asked.html
    after = pages.olivia.send(asked, "/supply", htmx="run", status=200, v_count="3")
    assert "Missing from" not in after.text
    old = pages.olivia.send(asked, "/supply", htmx="run", status=409, v_count="4")
    assert "What is missing from" in old.text or "Nothing is missing" in old.text


def test_a_thumb_stays_pressed_with_its_comment_and_may_change(pages: "Pages") -> None:
    run = proposals.at(pages.company, "rate")
    arrives(pages.company, run, value("risk", "medium"))

    def pressed(page: "Page") -> dict[str, str]:
        return {told["value"]: told["aria-pressed"] for told in page.with_attribute("aria-pressed") if told.get("name") == "thumb"}

    page = pages.olivia.get(f"/runs/{run}")
    assert pressed(page) == {"up": "false", "down": "false"}
    form = page.form("/feedback")
    for thumb, comment in (("up", "It saved me a look."), ("down", "Not so sure.")):
        pages.olivia.post(form["action"], form["fields"] | {"thumb": thumb, "comment": comment})
        page = pages.olivia.get(f"/runs/{run}")
        assert pressed(page) == {one: "true" if one == thumb else "false" for one in ("up", "down")}
        assert comment in page.html
    assert "It saved me a look." not in page.html


def test_an_automatic_step_that_stopped_says_why_and_what_it_tried() -> None:
    run: dict[str, Any] = {"id": "run_1", "current": {"step": "pay", "proposal": None}, "attempts": []}
    assert runeffects.tried_before(run, Look()) == []
    effects = [{"status": status, "summary": "Pay 12 EUR", "at": "2026-11-20T10:00:00Z"} for status in ("failed", "failed", "done")]
    run["attempts"] = [{"step": "pay", "effects": effects, "entered_at": "2026-11-20T09:00:00Z"}]
    assert runeffects.tried_before(run, Look())[1:] == [("Tried", "Pay 12 EUR, 2 times")]
    run["current"]["proposal"] = {"answered_at": "2026-11-20T11:00:00Z", "origin": "a-model"}
    assert runeffects.tried_before(run, Look())[-1] == ("Tried", "Asked a-model, once")


# -- lists, and records to choose from


def listed(pages: "Pages") -> str:
    """A run of Olivia's at a list of two accounts, with AI."""
    document = loop_document()
    document["steps"][1]["ai"] = {}
    workflows.import_file(document, publish=True)
    return runs.start(pages.company.olivia, "check-list", "customer", "1", {})


def test_a_proposal_for_one_item_of_a_list_is_not_shown_at_another(pages: "Pages") -> None:
    run = listed(pages)
    first, second = (one["key"] for one in pages.company.told(run)["current"]["progress"]["items"])
    here, there = pages.olivia.get(f"/runs/{run}?item={first}"), pages.olivia.get(f"/runs/{run}?item={second}")
    waiting = [bool(page.with_attribute("data-poll")) for page in (here, there)]
    asks = there if waiting == [True, False] else here
    if waiting != [True, True]:
        assert "Nothing was asked for this one yet." in asks.text
        part = pages.olivia.send(asks, "/propose", htmx="proposal", status=200)
        assert part.with_attribute("data-poll")
    arrives(pages.company, run, value("verdict", "good"))
    told = pages.company.told(run)["current"]["proposal"].get("item")
    shown = pages.olivia.get(f"/runs/{run}?item={told or first}")
    assert states(shown)["verdict"] == "fill"
    assert fields(shown)["v.verdict"] == "good"


def test_a_page_that_still_waits_for_an_item_does_not_turn_the_person_away_from_the_next(pages: "Pages") -> None:
    run = listed(pages)
    first, second = (one["key"] for one in pages.company.told(run)["current"]["progress"]["items"])
    page = pages.olivia.get(f"/runs/{run}?item={first}")
    poll = page.with_attribute("data-poll")[0]["data-poll"]
    arrives(pages.company, run, value("verdict", "good"))
    page = pages.olivia.get(f"/runs/{run}?item={second}")
    assert pages.olivia.get(poll, htmx="proposal").html == ""
    pages.olivia.send(page, "/complete", v_verdict="good")
    assert [one["state"] for one in pages.company.told(run)["current"]["progress"]["items"]] == ["todo", "done"]


def test_a_record_to_choose_from_is_proposed_in_its_line(pages: "Pages") -> None:
    steps = [
        {"id": "start", "type": "start", "title": "Start", "next": {"default": "find"}},
        {"id": "find", "type": "load_related", "title": "Which?", "config": ACCOUNT, "ai": {}, "next": {"found": "end", "none": "end"}},
        {"id": "end", "type": "end", "title": "End"},
    ]
    workflows.import_file(loop_document() | {"slug": "find-one", "title": "Find one", "steps": steps}, publish=True)
    run = runs.start(pages.company.olivia, "find-one", "customer", "1", {})
    named = pages.olivia.get(f"/runs/{run}").with_attribute("name")
    keys = [told["value"] for told in named if told["name"] == "v.key" and told["value"] != "-"]
    arrives(pages.company, run, value("key", keys[0]))
    page = pages.olivia.get(f"/runs/{run}")
    assert states(page) == {"key": "fill"}
    assert fields(page)["v.key"] == keys[0]
