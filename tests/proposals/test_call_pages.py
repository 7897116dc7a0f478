"""The log of calls as pages, and the thumb at a proposal: what is shown to whom, what the address says, and how many questions a list asks."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from console import runs
from console.db.engine import fetch
from tests.conftest import web_app
from tests.proposals.conftest import House
from tests.runs.showing.test_lists import counted
from tests.views.conftest import Pages

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


def more(number: int) -> None:
    """So many further rows, older than what is there."""
    fetch(
        "insert into console.ai_call (id, at, purpose, mode, status, code, model, team) select 'aic_' || lpad(n::text, 6, '0'), now() - n * interval '1 minute', 'propose', 'assist',"
        " case when n %% 2 = 0 then 'failed' else 'ok' end, case when n %% 2 = 0 then 'timeout' end, 'model-' || n %% 3, 'operations' from generate_series(1, %s) n returning 1",
        (number,),
    )


@pytest.mark.parametrize("who", ["stan", "olivia", "mona", "rosa", "ines"])
def test_only_who_audits_gets_in(who: str, house: House, pages: Pages) -> None:
    _, call = judged(house)
    for path in (LIST, f"{LIST}/{call}", f"{LIST}/{call}/words"):
        getattr(pages, who).get(path, status=403)


def test_the_list_is_empty_and_says_so(pages: Pages) -> None:
    assert "Nothing was asked of a model or of the rules yet." in pages.ada.get(LIST).text


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


def test_filters_stand_in_the_address(house: House, pages: Pages) -> None:
    _, call = judged(house)
    more(6)
    (workflow,) = {row for (row,) in fetch("select workflow from console.ai_call where id = %s", (call,))}
    person = house.company.olivia.id
    for query, found in (
        ("status=failed", 3), ("status=ok", 4), ("code=timeout", 3), ("model=model-1", 2), ("mode=assist&status=ok", 4), (f"person={person}", 1), (f"workflow={workflow}", 1),
        ("step=judge", 1), ("step=judge&status=failed", 0), ("mode=auto", 0),
    ):  # fmt: skip
        page = pages.ada.get(f"{LIST}?{query}")
        assert len([link for link in page.links if re.fullmatch(rf"{LIST}/aic_\w+", link)]) == found, query
        chips = [told["aria-label"] for told in page.with_attribute("aria-label") if told["aria-label"].startswith("Remove the filter")]
        assert len(chips) == query.count("="), query
    page = pages.ada.get(f"{LIST}?status=failed&code=timeout")
    ways = [parse_qs(urlsplit(link).query) for link in page.links if link.startswith(f"{LIST}?")]
    assert {"status": ["failed"]} in ways
    assert {"code": ["timeout"]} in ways
    assert "The filter cannot be read" in pages.ada.get(f"{LIST}?status=lost", status=400).text
    assert "The filter cannot be read" in pages.ada.get(f"{LIST}?after=lost", status=400).text
    pages.ada.get(f"{LIST}?run=run_unheard", status=404)


def test_pages_follow_each_other_and_ask_as_much_whatever_their_length(pages: Pages) -> None:
    more(1)
    few = asked(pages, LIST)
    fetch("delete from console.ai_call returning 1")
    more(120)
    assert len(asked(pages, LIST)) == len(few) <= 12, few
    seen: list[str] = []
    path: str | None = LIST
    while path:
        page = pages.ada.get(path)
        seen += [link for link in page.links if re.fullmatch(rf"{LIST}/aic_\w+", link)]
        path = next((link for link in page.links if "after=" in link), None)
    assert len(seen) == len(set(seen)) == 120


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
    part = pages.olivia.post(path, {"csrf_token": token, "thumb": "down", "comment": "Wrong name"}, htmx=f"feedback-{call}", status=200)
    assert "Noted, thank you." in part.text
    assert [told["value"] for told in part.with_attribute("aria-pressed") if told["aria-pressed"] == "true"] == ["down"]
    pages.olivia.post(path, {"csrf_token": token, "thumb": "up"})
    assert "Thank you, it is noted." in pages.olivia.follow().text
    wrong = pages.olivia.post(path, {"csrf_token": token, "comment": "Only words"}, htmx=f"feedback-{call}", status=422)
    assert "Say whether it helped." in wrong.text
    assert "Only words" in wrong.html
    for who in ("stan", "tom"):
        browser = getattr(pages, who)
        browser.post(path, {"csrf_token": browser.token, "thumb": "up"}, status=404)
    assert "It helped" in pages.ada.get(f"{LIST}/{call}").text


def asked(pages: Pages, path: str) -> list[str]:
    """Statements of one answer, the second time it is given."""
    pages.ada.get(path)
    with counted() as (ours, theirs):
        pages.ada.get(path)
    assert not theirs
    return ours
