"""The log of calls as pages, and the thumb at a proposal: what is shown to whom, what the address says, and how many questions a list asks."""

import pytest

from console import runs
from console.infra.db.engine import fetch
from tests.ai.proposals.conftest import House
from tests.conftest import web_app
from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy

LIST = "/settings/ai/calls"


@pytest.fixture
def pages(house: House) -> Pages:
    return Pages(house.company, web_app())


def judged(house: House) -> tuple[str, str]:
    run_id = house.at_judge()
    call = house.proposed(run_id)["call"]
    told = house.company.told(run_id)
    runs.complete(
        house.company.olivia,
        run_id,
        runs.Submission(
            step="judge",
            revision=told["revision"],
            values={"verdict": "clean", "display_name": "Another <b>name</b>"},
        ),
    )
    return run_id, call


@pytest.mark.parametrize("who", ["stan", "olivia", "mona", "rosa", "ines"])
def test_only_who_audits_gets_in(who: str, house: House, pages: Pages) -> None:
    _, call = judged(house)
    for path in (LIST, f"{LIST}/{call}", f"{LIST}/{call}/words"):
        getattr(pages, who).get(path, status=403)


def test_a_call_with_what_became_of_it(house: House, pages: Pages) -> None:
    run_id, call = judged(house)
    page = pages.ada.get(LIST)
    assert f"{LIST}/{call}" in page.links
    for words in ("Judge", "Triage", "Olivia", "claude-haiku-5-5", "Proposed"):
        assert words in page.text
    page = pages.ada.get(f"{LIST}/{call}")
    for words in (
        "Adaeze Okonkwo-Bell",
        "Another <b>name</b>",
        "Changed",
        "Accepted",
        "json schema",
        "SHA-256 of the prompt",
        "Opening them is an event",
    ):
        assert words in page.text, words
    assert "<b>name</b>" not in page.html
    assert f"/runs/{run_id}" in page.links
    assert any(link.startswith(f"/runs/{run_id}/replay?at=") for link in page.links)
    assert "&lt;source" not in page.html, "the words are at an address of their own"


def test_the_words_are_opened_and_that_is_an_event(house: House, pages: Pages) -> None:
    _, call = judged(house)
    page = pages.ada.get(f"{LIST}/{call}/words")
    assert "&lt;source id=" in page.html
    assert "You prepare one step" in page.text
    assert pages.ada.answer.headers["Cache-Control"] == "no-store"
    bodies = fetch("select count(*) from console.event where body like '%%\"ai_call_read\"%%'")
    assert bodies == [(1,)]
    fetch("delete from console.ai_prompt returning 1")
    assert "The words are gone" in pages.ada.get(f"{LIST}/{call}/words").text


def test_runs_with_a_label_are_not_there(house: House, pages: Pages) -> None:
    _, call = judged(house)
    fetch("update console.ai_call set label = 'confidential' returning 1")
    assert call not in pages.ada.get(LIST).html
    pages.ada.get(f"{LIST}/{call}", status=404)
    pages.ada.get(f"{LIST}/{call}/words", status=404)


def test_a_thumb_with_and_without_the_script(house: House, pages: Pages) -> None:
    run_id, call = judged(house)
    path = f"/runs/{run_id}/proposal/{call}/feedback"
    token = pages.olivia.token
    part = pages.olivia.post(
        path,
        {"csrf_token": token, "thumb": "down", "comment": "Wrong name"},
        htmx=f"feedback-{call}",
        status=200,
    )
    assert "Noted, thank you." in part.text
    assert [
        told["value"] for told in part.with_attribute("aria-pressed") if told["aria-pressed"] == "true"
    ] == ["down"]
    pages.olivia.post(path, {"csrf_token": token, "thumb": "up"})
    assert "Thank you, it is noted." in pages.olivia.follow().text
    wrong = pages.olivia.post(
        path, {"csrf_token": token, "comment": "Only words"}, htmx=f"feedback-{call}", status=422
    )
    assert "Say whether it helped." in wrong.text
    assert "Only words" in wrong.html
    for who in ("stan", "tom"):
        browser = getattr(pages, who)
        browser.post(path, {"csrf_token": browser.token, "thumb": "up"}, status=404)
    assert "It helped" in pages.ada.get(f"{LIST}/{call}").text
