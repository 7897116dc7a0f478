"""Asking about a case beside a run, a record and an approval: what is shown, where it leads, and who does not get in."""

import pytest

from tests.papers import CHECKED, at_note, workflow
from tests.views.conftest import Browser, Page, Pages

pytestmark = pytest.mark.lengthy


@pytest.fixture
def run_id(pages: Pages) -> str:
    workflow("checked", CHECKED)
    return at_note(pages.company, "checked", "1")


def ask(person: Browser, address: str, question: str, status: int = 200) -> Page:
    """Ask beside the case."""
    form = person.get(address).form(address)
    return person.post(address, {**form["fields"], "question": question}, htmx="ask", status=status)


def test_a_question_is_asked_beside_the_run_and_its_answer_leads_to_its_source(
    pages: Pages, run_id: str
) -> None:
    beside = pages.olivia.get(f"/runs/{run_id}?tab=ask")
    assert f"/runs/{run_id}/ask" in [told["hx-get"] for told in beside.with_attribute("hx-get")]
    page = pages.olivia.get(f"/runs/{run_id}/ask", htmx="ask")
    suggested = [told["value"] for told in page.with_attribute("value") if told.get("name") == "question"]
    assert "Evidence" in suggested
    page = ask(pages.olivia, f"/runs/{run_id}/ask", "What is the email?")
    assert "adaeze@customers.example" in page.text
    assert "Answered by search. No model is configured here." in page.text
    assert "/c/customer/1" in page.links
    nothing = ask(pages.olivia, f"/runs/{run_id}/ask", "zebra crossing")
    assert "I find nothing about that in this case." in nothing.text
    wrong = ask(pages.olivia, f"/runs/{run_id}/ask", " ", 422)
    assert "1 to 500 characters" in wrong.text
    assert "What is the email?" not in pages.tom.get(f"/runs/{run_id}/ask").text


def test_without_script_it_is_a_page(pages: Pages, run_id: str) -> None:
    address = f"/runs/{run_id}/ask"
    fields = pages.olivia.get(address).form(address)["fields"]
    pages.olivia.post(address, {**fields, "question": "What is the email?"})
    assert "adaeze@customers.example" in pages.olivia.get(f"/runs/{run_id}/ask").text


def test_a_record_and_an_approval_have_it_folded(pages: Pages) -> None:
    page = pages.mona.get("/c/customer/1")
    assert "/c/customer/1/ask" in [told["hx-get"] for told in page.with_attribute("hx-get")]
    asked = ask(pages.mona, "/c/customer/1/ask", "Which desk?")
    assert "Retail" in asked.text


def test_strangers_are_told_nothing(pages: Pages, run_id: str) -> None:
    for address in (f"/runs/{run_id}/ask", "/c/customer/1/ask"):
        pages.stan.get(address, status=404)
        pages.stan.post(address, {"csrf_token": pages.stan.token, "question": "Who is it?"}, status=404)
