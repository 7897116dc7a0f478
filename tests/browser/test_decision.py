"""A decision before a person: the fields of the option that they choose, nothing lost, by keyboard, without script, for every eye."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Route, expect

from console import runs, workflows
from tests.company import PASSWORD, Company
from tests.runs.changing.test_decisions import DOCUMENT

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

FIELDS = ("f-code", "f-detail", "f-due", "f-note")


@pytest.fixture
def at_decide(company: Company) -> str:
    """A run of Olivia's that stands at "Decide"; approving is not offered."""
    workflows.import_file(DOCUMENT, publish=True)
    run_id = runs.start(company.olivia, "care-choice", "customer", "1", {})
    runs.complete(company.olivia, run_id, runs.Submission(step="rate", revision=None, values={"risk": "high"}))
    return run_id


def visible(screen: "Screen") -> list[str]:
    return [name for name in FIELDS if screen.page.is_visible(f"#{name}")]


def test_fields_follow_the_choice_and_keep_what_was_typed(screens: Callable[..., "Screen"], company: Company, at_decide: str) -> None:
    olivia = screens().enter("olivia")
    page = olivia.go(f"/runs/{at_decide}")
    assert "The risk is high." in page.inner_text(".choose-row.off")
    looking = screens().enter("mona").go(f"/runs/{at_decide}")
    assert looking.eval_on_selector(".choose-row.off", "row => getComputedStyle(row).display") == "grid", "who only looks has its sheet too"
    assert visible(olivia) == ["f-note"]
    page.focus("#outcome")
    olivia.press("ArrowDown")
    assert visible(olivia) == ["f-code", "f-detail", "f-note"]
    assert not page.is_visible("#f-detail-help .whose"), "once one is chosen, boxes do not say whose they are"
    assert page.inner_text("#open-fields").startswith("Still open: ")
    page.focus("#f-code")
    olivia.press("P")
    page.fill("#f-detail", "The second page")
    page.focus("#outcome-2")
    olivia.press("ArrowUp")
    assert visible(olivia) == ["f-due", "f-note"]
    olivia.press("ArrowDown")
    assert page.input_value("#f-detail") == "The second page"
    page.fill("#f-detail", "")
    olivia.press("Control+Enter")
    page.wait_for_selector("[role=alert]")
    assert visible(olivia) == ["f-code", "f-detail", "f-note"]
    assert page.is_checked("#outcome-2")
    assert page.input_value("#f-code") == "documents"
    page.fill("#f-detail", "The second page")
    page.wait_for_selector("#saved:has-text('Draft saved')")
    assert olivia.faults(both=False) == []
    page.reload()
    assert visible(olivia) == ["f-code", "f-detail", "f-note"], "what was typed is never hidden before a choice is made"
    page.check("#outcome-2")
    olivia.press("Control+Enter")
    page.wait_for_selector("text=is done")
    told = company.told(at_decide)
    assert told["context"]["decide"] == {"option": "reject", "code": "documents", "detail": "The second page", "due": None, "note": None}


def test_without_script_all_fields_are_there_and_say_whose_they_are(
    screens: Callable[..., "Screen"], company: Company, at_decide: str
) -> None:
    olivia = screens(script=False)
    page = olivia.go("/sign-in")
    page.fill("#email", "olivia@fernwick.example")
    page.fill("#password", "correct horse battery staple")
    page.press("#password", "Enter")
    olivia.go(f"/runs/{at_decide}")
    assert visible(olivia) == list(FIELDS)
    assert page.inner_text("#f-code-help") == "Needed for “Reject”."
    assert page.inner_text("#f-detail-help") == "Only for “Reject”."
    page.check("#outcome-2")
    page.click("#done")
    assert "Reason code" in page.inner_text("[role=alert]")
    assert page.is_checked("#outcome-2")
    page.select_option("#f-code", "sanctions")
    page.click("#done")
    assert company.told(at_decide)["context"]["decide"]["code"] == "sanctions"


def test_a_decision_is_for_every_eye(screens: Callable[..., "Screen"], company: Company, at_decide: str) -> None:
    olivia = screens().enter("olivia")
    page = olivia.go(f"/runs/{at_decide}")
    assert olivia.faults() == []
    page.check("#outcome-2")
    assert olivia.faults() == []
    runs.complete(company.olivia, at_decide, runs.Submission(step="decide", revision=None, values={"due": "2026-12-24"}, outcome="later"))
    at = next(tick["n"] for tick in runs.replay(company.olivia, at_decide).ticks if tick["kind"] == "outcome_chosen")
    olivia.go(f"/runs/{at_decide}/replay?at={at}")
    assert olivia.faults() == []


def test_done_is_taken_while_a_draft_is_on_its_way(screens: Callable[..., "Screen"], company: Company, at_decide: str) -> None:
    olivia = screens().enter("olivia")
    page = olivia.go(f"/runs/{at_decide}")
    held: list[Route] = []
    page.route("**/draft", lambda route: held.append(route))  # noqa: PLW0108 (the browser asks how many arguments it takes)
    page.check("#outcome-2")
    page.select_option("#f-code", "sanctions")
    with page.expect_request("**/draft"):
        page.fill("#f-note", "Passed on")
    assert page.is_enabled("#done")
    olivia.press("Control+Enter")
    page.wait_for_selector("text=is done")
    assert company.told(at_decide)["context"]["decide"]["note"] == "Passed on"
    olivia.complaints.clear()  # the browser notes that the draft was given up


def test_what_is_typed_at_a_step_is_neither_lost_nor_sent_off_where_only_its_draft_was_refused(
    screens: Callable[..., "Screen"], company: Company, at_decide: str
) -> None:
    """The session is gone, then there is another one: the draft of a step is refused, what the page asks by itself leads nowhere, and no step is done by it."""
    screen = screens().sign_in("olivia")
    page, stands = screen.go(f"/runs/{at_decide}"), company.told(at_decide)["current"]["step"]
    page.check("#outcome-2")
    page.select_option("#f-code", "sanctions")
    field, dialog = page.locator("#f-note"), page.locator("#session-end")
    for signed_in_before, typed in ((False, "Half-typed"), (True, "Half-typed, and more")):
        screen.context.clear_cookies()
        if not signed_in_before:
            with page.expect_response("**/draft"):
                field.fill(typed)
            expect(dialog).to_contain_text("What you typed still stands")
            page.evaluate("document.querySelector('#step-form').requestSubmit()")
            with page.expect_response("**/notices?shown=*"):
                page.evaluate("htmx.ajax('GET', '/notices?shown=0', '#bell')")
            page.wait_for_timeout(200)
            expect(field).to_have_value(typed)
        beside = screen.context.new_page()
        beside.goto(f"{screen.url}/sign-in")
        beside.fill("#email", "olivia@fernwick.example")
        beside.fill("#password", PASSWORD)
        beside.keyboard.press("Enter")
        beside.wait_for_url(f"{screen.url}/")
        beside.close()
        with page.expect_response(lambda answer: answer.url.endswith("/draft") and answer.ok):
            field.fill(typed) if signed_in_before else page.evaluate("dispatchEvent(new Event('focus'))")
        expect(dialog).to_be_hidden()
        expect(field).to_have_value(typed)
        page.wait_for_timeout(300)
        assert company.told(at_decide)["current"]["step"] == stands, "nobody pressed Done"
