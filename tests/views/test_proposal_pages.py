"""The runner with proposals: used, edited, discarded, retried; and who may not ask."""

from typing import TYPE_CHECKING

import pytest

from console import runs, workflows
from console.views.runs import proposal
from tests.runs.commands.test_loop import document as loop_document
from tests.views import proposals
from tests.views.proposals import arrives, fails, fields, press, source, states, value

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy


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
    pages.olivia.post(
        f"/runs/{run}/draft", fields(page) | {"v.email": "mine@customers.example", "p.email": "edited"}
    )
    page = pages.olivia.follow()
    assert states(page)["email"] == "edited"
    assert fields(page)["v.email"] == "mine@customers.example"
    page = press(pages, run, page, "restore:email")
    assert states(page)["email"] == "fill"
    assert fields(page)["v.email"] == "new@customers.example"


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
    assert "Missing" not in pages.olivia.get(f"/runs/{run}").text, "its form was filled"


def test_the_proposed_choice_of_a_decision_stands_at_its_option(pages: "Pages") -> None:
    run = proposals.at(pages.company, "decide")
    choice = {
        "confidence": "high",
        "reason": "Nothing speaks against it.",
        "sources": [
            source(),
            source(
                "s2",
                kind="step",
                step="note",
                title="Take a note",
                quote="Looked at it.",
                field="note",
                label="What you found",
            ),
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


def test_nobody_asks_or_supplies_for_another(pages: "Pages") -> None:
    run = proposals.at(pages.company, "rate")
    revision = str(pages.company.told(run)["revision"])
    for who, status in (("stan", 404), ("tom", 409)):
        browser = getattr(pages, who)
        given = {"csrf_token": browser.token, "revision": revision, "step": "rate"}
        browser.post(f"/runs/{run}/propose", given, status=status)
    pages.stan.get(f"/runs/{run}/supply?step=note", status=404)
    pages.stan.post(
        f"/runs/{run}/supply",
        {"csrf_token": pages.stan.token, "revision": revision, "target": "note"},
        status=404,
    )


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
    here, there = (
        pages.olivia.get(f"/runs/{run}?item={first}"),
        pages.olivia.get(f"/runs/{run}?item={second}"),
    )
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


DROPPED = [{"name": "risk", "reason": "not_supported"}]


@pytest.mark.parametrize("way", ["failed", "declined", "dropped", "left with nothing"])
def test_a_step_is_handled_manually_whatever_became_of_its_proposal(pages: "Pages", way: str) -> None:
    run = proposals.at(pages.company, "rate")
    match way:
        case "failed":
            fails(pages.company, run)
        case "declined":
            fails(pages.company, run, "nothing_supported", "The model proposes nothing here.", "declined")
        case "dropped":
            fails(pages.company, run, "nothing_supported", "It was dropped.", "declined", dropped=DROPPED)
        case _:
            arrives(pages.company, run, dropped=DROPPED)
    page = pages.olivia.get(f"/runs/{run}")
    assert ("What was proposed was dropped" in page.text) == (way in ("dropped", "left with nothing"))
    page = press(pages, run, page, "by-hand")
    assert "Handled manually" in page.text
    pages.olivia.send(page, "/complete", v_risk="high", v_email="new@customers.example")
    page = pages.olivia.follow()
    attempt = next(each for each in pages.company.told(run)["attempts"] if each["step"] == "rate")
    assert attempt["handled_manually"]
    assert "Missing" not in page.text, "its form was filled"


def test_a_step_handled_manually_is_missing_until_it_is_supplied(pages: "Pages") -> None:
    run = proposals.by_hand(pages)
    assert "Missing from Take a note" in pages.olivia.get(f"/runs/{run}").text
    page = pages.olivia.get(f"/runs/{run}/supply?step=note")
    pages.olivia.send(page, "/supply", v_count="3")
    assert "Missing" not in pages.olivia.follow().text
    assert "Missing" not in pages.olivia.get(f"/runs/{run}?tab=context").text
