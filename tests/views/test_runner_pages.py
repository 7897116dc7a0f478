"""The runner: without script by forms and redirects, with htmx by fragments; conflicts keep what was typed."""

import contextlib
import re
from dataclasses import replace
from typing import Any

import pytest

from console import faults, runs
from console.views.formats import Look
from console.views.run import pane as runbeside
from tests.conftest import web_app
from tests.runs.changing.test_midway import failing
from tests.runs.engine.test_child_runs import begin, branching, children
from tests.support.engine import step
from tests.views.conftest import Page, Pages


def test_a_run_goes_from_start_to_end_without_script(pages: "Pages") -> None:
    olivia = pages.olivia
    run = pages.company.started("1")
    page = olivia.get(f"/runs/{run}")
    assert ("h1", "Care review") in page.headings
    assert "About Adaeze Okonkwo-Bell." in page.text
    olivia.send(page, "/complete")
    page = olivia.follow()
    olivia.send(page, "/complete", v_note="Looked at it.", v_count="3")
    page = olivia.follow()
    assert "Changes nothing in Adaeze Okonkwo-Bell as the form stands. What you change in Risk and Email is written." in page.text
    assert "Now: empty" in page.text
    olivia.send(page, "/complete", v_risk="high")
    page = olivia.follow()
    assert "What do you decide?" in page.text
    assert "What was found, then" not in page.text, "nothing stands above the choice"
    olivia.send(page, "/complete", outcome="approve")
    page = olivia.follow()
    assert ("h2", "Care review is done: Approved") in page.headings
    assert "Looked at it." in page.text
    assert f"/runs/{run}/replay" in page.links
    assert pages.company.sql("select risk from customer where id = 1") == [("high",)]


def test_htmx_gets_the_next_step_with_title_badge_and_what_is_said(pages: "Pages") -> None:
    run = pages.company.started("1")
    page = pages.olivia.get(f"/runs/{run}")
    after = pages.olivia.send(page, "/complete", htmx="run", status=200)
    assert "<html" not in after.html
    assert after.html.startswith("<title>Take a note, Care review, Adaeze Okonkwo-Bell</title>")
    assert after.with_attribute("data-announce")[0]["data-announce"] == "Take a note. In progress."
    assert [told["id"] for told in after.with_attribute("hx-swap-oob")] == ["run-badges", "saved"]
    assert any(told.get("id") == "step-title" for told in after.with_attribute("data-focus"))


def test_wrong_values_are_listed_on_top_and_said_at_their_boxes(pages: "Pages") -> None:
    run = pages.company.at("note")
    page = pages.olivia.get(f"/runs/{run}")
    wrong = pages.olivia.send(page, "/complete", htmx="run", status=422, v_note="", v_count="many")
    assert "Not done yet: 2 things need another look." in wrong.text
    assert {"#f-note", "#f-count"} <= set(wrong.links)
    assert wrong.form("/complete")["fields"]["v.count"] == "many"
    assert len([told for told in wrong.with_attribute("aria-invalid") if told.get("name", "").startswith("v.")]) == 2
    assert pages.olivia.send(page, "/complete", status=422, v_note="", v_count="many").headings[0] == ("h1", "Care review")


def test_a_decision_needs_a_choice(pages: "Pages") -> None:
    run = pages.company.at("decide")
    wrong = pages.olivia.send(pages.olivia.get(f"/runs/{run}"), "/complete", status=422)
    assert "#outcome" in wrong.links
    assert any(told.get("id") == "outcome" for told in wrong.with_attribute("aria-invalid"))


def test_drafts_are_kept_while_typing_and_stand_there_after_a_reload(pages: "Pages") -> None:
    run = pages.company.at("note")
    page = pages.olivia.get(f"/runs/{run}")
    fields = page.form("/complete")["fields"]
    said = pages.olivia.post(f"/runs/{run}/draft", fields | {"v.note": "half a sen"}, htmx="saved", status=200)
    assert said.text.startswith("Draft saved ")
    again = pages.olivia.get(f"/runs/{run}")
    assert again.form("/complete")["fields"]["v.note"] == "half a sen"
    assert "Draft saved" in again.text
    pages.olivia.post(f"/runs/{run}/draft", fields | {"v.note": "more"})
    assert pages.olivia.follow().form("/complete")["fields"]["v.note"] == "more"


def test_saving_keeps_what_is_typed_and_another_resumes_with_it(pages: "Pages") -> None:
    run = pages.company.at("note")
    fields = pages.olivia.get(f"/runs/{run}").form("/complete")["fields"]
    pages.olivia.post(f"/runs/{run}/save", fields | {"v.note": "to be continued", "to": "/c/customer"})
    assert pages.olivia.answer.headers["Location"] == "/c/customer"
    assert "To Continue" in pages.tom.get("/").text
    page = pages.tom.get(f"/runs/{run}")
    assert "Saved, to continue" in page.text
    assert not [form for form in page.forms if form["action"].endswith("/complete")]
    pages.tom.send(page, "/resume")
    assert pages.tom.follow().form("/complete")["fields"]["v.note"] == "to be continued"


def test_from_to_continue_the_record_opens_and_its_run_goes_on_there_by_itself(pages: "Pages") -> None:
    run = pages.company.at("note")
    fields = pages.olivia.get(f"/runs/{run}").form("/complete")["fields"]
    pages.olivia.post(f"/runs/{run}/save", fields | {"to": "/"})
    record = next(link for link in pages.tom.get("/").links if link.startswith("/c/customer/") and link.endswith(f"?resume={run}"))
    own = pages.tom.client.get(record, headers={"Sec-Fetch-Site": "same-origin"}).text
    assert own.count('data-sends-itself="resume"') == 1
    for foreign in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"}, {}):
        page = pages.tom.client.get(record, headers=foreign).text
        assert "data-sends-itself" not in page, "no foreign link makes anybody take a run"
        assert f"/runs/{run}/resume" in page


def test_where_to_go_after_saving_is_always_here(pages: "Pages") -> None:
    run = pages.company.at("note")
    fields = pages.olivia.get(f"/runs/{run}").form("/complete")["fields"]
    pages.olivia.post(f"/runs/{run}/save", fields | {"to": "https://elsewhere.example/"})
    assert pages.olivia.answer.headers["Location"] in ("/", f"/runs/{run}")


def test_a_tab_from_before_keeps_its_text_and_shows_the_way(pages: "Pages") -> None:
    run = pages.company.at("note")
    old = pages.olivia.get(f"/runs/{run}")
    pages.company.answer(run)
    notice = pages.olivia.send(old, "/complete", htmx="run", status=409, v_note="typed in the old tab")
    assert pages.olivia.answer.headers["HX-Retarget"] == "#notice"
    assert "This run moved on" in notice.text
    assert "It now stands at “Rate the risk”" in notice.text
    assert f"/runs/{run}" in notice.links
    whole = pages.olivia.send(old, "/complete", status=409, v_note="typed in the old tab")
    assert "typed in the old tab" in whole.text
    late = pages.olivia.post(f"/runs/{run}/draft", old.form("/complete")["fields"] | {"v.note": "x"}, htmx="saved", status=409)
    assert "This run moved on" in late.text


def test_a_run_that_another_holds_is_for_looking(pages: "Pages") -> None:
    run = pages.company.at("note", by="tom")
    page = pages.olivia.get(f"/runs/{run}")
    assert "Tom has this run open" in page.text
    assert "With Tom" in page.text
    assert not [form for form in page.forms if form["action"].endswith(("/complete", "/take-over"))]
    lead = pages.mona.get(f"/runs/{run}")
    pages.mona.send(lead, "/take-over")
    assert pages.mona.follow().form("/complete")
    lost = pages.tom.post(
        f"/runs/{run}/complete",
        {
            "csrf_token": pages.tom.token,
            "step": "note",
            "revision": str(pages.company.told(run)["revision"]),
            "t.note": "long_text",
            "v.note": "mine",
        },
        htmx="run",
        status=409,
    )
    assert "This run is no longer with you" in lost.text
    assert "Mona holds it now" in lost.text


def test_revising_shows_first_what_it_cancels_and_asks_why(pages: "Pages") -> None:
    run = pages.company.at("decide")
    page = pages.olivia.get(f"/runs/{run}")
    address = next(link for link in page.links if "/revise?step=note" in link)
    dialog = pages.olivia.get(address, htmx="dialog")
    assert "<html" not in dialog.html
    assert "Revise “Take a note”?" in dialog.text
    assert "Rate the risk" in dialog.text
    assert "Already done outside, and not undone" in dialog.text
    unreasoned = pages.olivia.send(dialog, "/revise", htmx="run", status=422)
    assert "Write the reason." in unreasoned.text
    assert pages.olivia.answer.headers["HX-Retarget"] == "#dialog"
    whole = pages.olivia.get(address)
    pages.olivia.send(whole, "/revise", reason="The note was about somebody else.")
    again = pages.olivia.follow()
    assert again.form("/complete")["fields"]["v.note"] == "Looked at it."
    assert "attempt 2" in again.text
    assert "Cancelled" in again.text


def test_aborting_asks_why_and_ends_the_run(pages: "Pages") -> None:
    run = pages.company.at("note")
    dialog = pages.olivia.get(f"/runs/{run}/abort")
    assert "Abort Care review of Adaeze Okonkwo-Bell?" in dialog.text
    assert "Write the reason." in pages.olivia.send(dialog, "/abort", status=422).text
    pages.olivia.send(dialog, "/abort", reason="Opened by mistake.")
    page = pages.olivia.follow()
    assert ("h2", "Care review was aborted") in page.headings
    assert "Reason: Opened by mistake." in page.text


def test_who_leads_cancels_a_run_of_somebody_else_and_nobody_else_does(pages: "Pages") -> None:
    run = pages.company.at("note")
    assert f"/runs/{run}/cancel" not in pages.olivia.get(f"/runs/{run}").links
    revision = str(pages.company.told(run)["revision"])
    pages.tom.post(f"/runs/{run}/cancel", {"csrf_token": pages.tom.token, "revision": revision, "reason": "no"}, status=403)
    journal = pages.mona.get(f"/workflows/care-review/executions/{run}")
    assert any(link.startswith(f"/runs/{run}/cancel") for link in journal.links)
    assert f"/runs/{run}/cancel" in pages.mona.get(f"/runs/{run}").links
    dialog = pages.mona.get(f"/runs/{run}/cancel")
    assert "Cancel Care review of Adaeze Okonkwo-Bell?" in dialog.text
    assert "Write the reason." in pages.mona.send(dialog, "/cancel", status=422).text
    pages.mona.send(dialog, "/cancel", reason="Begun twice.")
    page = pages.mona.follow()
    assert ("h2", "Care review was cancelled") in page.headings
    assert "Reason: Begun twice." in page.text
    assert ", by Mona" in page.text
    assert "Ended byMona" in pages.mona.get(f"/workflows/care-review/executions/{run}").text
    assert not any(link.startswith(f"/runs/{run}/cancel") for link in pages.mona.get(f"/workflows/care-review/executions/{run}").links)


def test_who_ends_a_run_hears_that_a_change_is_under_way_in_one_that_ends_with_it(pages: "Pages") -> None:
    branching(left=step("name", "action", "join", {"effect": None, "operation": "update", "values": {"risk": "'low'"}}))
    run = begin("branching")
    with failing("effects.perform.before=raise"), contextlib.suppress(faults.Fault):
        pages.company.work()
    parts = {branch: part.id for branch, part in children(run).items()}
    assert pages.company.told(parts["left"], "mona")["current"]["waiting"]["for"] == "effect"
    said = {
        branch: "It is not called back" in pages.mona.get(f"/runs/{each}/cancel").text for branch, each in {**parts, "whole": run}.items()
    }
    assert said == {"left": False, "right": False, "whole": True}


@pytest.mark.parametrize("dialog", ["abort", "revise?step=note", "escalate"])
def test_a_dialog_opened_by_its_own_address_is_a_plain_form(pages: "Pages", dialog: str) -> None:
    """Over the run's page its answer takes the place of the run; alone there is no run to take the place of."""
    run = pages.company.at("decide", "1")
    alone = pages.olivia.client.get(f"/runs/{run}/{dialog}").text
    over = pages.olivia.client.get(f"/runs/{run}/{dialog}", headers={"HX-Request": "true", "HX-Target": "dialog"}).text
    assert 'hx-target="#run"' in over
    assert "hx-post" not in alone
    assert 'id="run"' not in alone
    for text in (alone, over):
        assert 'data-key="ctrl+enter"' in text


def test_leaving_asks_save_or_abort_and_offers_to_go_on(pages: "Pages") -> None:
    run = pages.company.at("note")
    page = pages.olivia.get(f"/runs/{run}/leave?to=/c/customer")
    assert {"Save or Abort?", "Keep working"} <= {told for told in ("Save or Abort?", "Keep working") if told in page.text}
    assert page.form("/save")["fields"]["to"] == "/c/customer"
    assert f"/runs/{run}/abort?to=%2Fc%2Fcustomer" in page.links


def test_a_page_that_waits_is_told_when_nothing_moved(pages: "Pages") -> None:
    run = pages.company.at("note", by="tom")
    page = pages.olivia.get(f"/runs/{run}")
    asks = next(told["hx-get"] for told in page.with_attribute("hx-get") if told.get("id") == "run")
    pages.olivia.get(asks, htmx="run", status=204)
    pages.company.answer(run, by="tom")
    assert "Rate the risk" in pages.olivia.get(asks, htmx="run").text


def test_the_record_beside_the_form_has_its_tabs(pages: "Pages") -> None:
    run = pages.company.at("note")
    assert "adaeze@customers.example" in pages.olivia.get(f"/runs/{run}").text
    before = pages.company.told(run)["last_event"]
    assert "LT45 9999 9000 1234 5678" in pages.olivia.get(f"/runs/{run}?tab=related").text
    opened = [event["kind"] for event in runs.events(pages.company.olivia, run, limit=100, after=before)[0]]
    assert "source_opened" in opened
    pages.olivia.get(f"/runs/{run}?tab=activity")


def test_the_pane_stays_where_the_person_was_when_the_run_moves_on(pages: "Pages") -> None:
    run = pages.company.at("note")
    page = pages.olivia.get(f"/runs/{run}?tab=activity")
    form = page.form("/complete")["fields"] | {"v.note": "Looked."}
    told = {"HX-Request": "true", "HX-Target": "run", "HX-Current-URL": f"http://localhost/runs/{run}?tab=activity"}
    answer = pages.olivia.client.post(f"/runs/{run}/complete", data=form, headers=told)
    assert answer.headers["HX-Replace-Url"] == f"/runs/{run}?tab=activity"
    moved = Page(answer.text)
    assert "Rate the risk" in moved.text
    assert here(moved) == ["Activity"]
    again = Page(pages.olivia.client.get(f"/runs/{run}?revision=0&status=running", headers=told).text)
    assert here(again) == ["Activity"]
    chosen = Page(pages.olivia.client.get(f"/runs/{run}", headers=told | {"HX-Target": "context"}).text)
    assert here(chosen) == ["Record"], "the tab that was pressed"
    other = Page(
        pages.olivia.client.get(f"/runs/{run}?revision=0", headers=told | {"HX-Current-URL": "http://localhost/x?tab=activity"}).text
    )
    assert here(other) == ["Record"]


def test_the_record_stays_beside_an_automatic_step_for_who_was_shown_it(pages: "Pages") -> None:
    run = pages.company.at("note")
    pages.olivia.get(f"/runs/{run}")
    seen = runs.get(pages.company.olivia, run)
    working = replace(seen, screen=None, json=seen.json | {"status": "running"})

    def pane(name: str) -> dict[str, Any]:
        with web_app().test_request_context(f"/runs/{run}"):
            return runbeside.pane(working, getattr(pages.company, name), Look(), "record", {})

    assert (pane("olivia")["context_tab"], pane("olivia")["record"]["key"]) == ("record", "1")
    assert pane("olivia")["sections"]
    assert pane("mona")["record"] is None, "who was shown nothing"


def here(page: Page) -> list[str]:
    """The tab of the right pane that is chosen."""
    pane = page.html.partition('aria-label="Record context"')[2].partition("</nav>")[0]
    return re.findall(r'aria-current="true">(\w+)<', pane)


def test_a_write_that_was_refused_comes_back_at_its_field(pages: "Pages") -> None:
    run = pages.company.at("rate")
    page = pages.olivia.get(f"/runs/{run}")
    pages.company.sql("update customer set risk = 'medium' where id = 1")
    pages.olivia.send(page, "/complete", v_risk="high")
    again = pages.olivia.follow()
    assert "The change was refused" in again.text
    assert again.form("/complete")["fields"]["v.risk"] == "high"


@pytest.mark.parametrize("rest", ["", "/abort", "/leave", "/revise?step=note", "/replay"])
def test_strangers_find_no_run(pages: "Pages", rest: str) -> None:
    run = pages.company.at("note")
    pages.stan.get(f"/runs/{run}{rest}", status=404)
    pages.olivia.get(f"/runs/run_nothing{rest}", status=404)


@pytest.mark.parametrize(
    "command",
    [
        "complete",
        "draft",
        "save",
        "resume",
        "take-over",
        "release",
        "abort",
        "revise",
        "settle",
        "check",
        "stop-trying",
        "retry",
        "step-in",
    ],
)
def test_strangers_move_nothing(pages: "Pages", command: str) -> None:
    run = pages.company.at("note")
    before = pages.company.told(run)
    pages.stan.post(
        f"/runs/{run}/{command}",
        {"csrf_token": pages.stan.token, "revision": str(before["revision"]), "step": "note", "reason": "x", "result": "done"},
        status=404,
    )
    pages.stan.client.get("/")
    assert pages.company.told(run) == before


def test_settling_needs_a_finding_and_a_reason(pages: "Pages") -> None:
    run = pages.company.at("note")
    page = pages.olivia.post(f"/runs/{run}/settle", {"csrf_token": pages.olivia.token, "revision": "1"}, status=422)
    assert "Say whether it was done." in page.text
    assert "Say how you know." in page.text


def test_what_revising_cancels_says_who_did_it_or_that_nobody_did(pages: "Pages") -> None:
    run = pages.company.at("decide")
    dialog = pages.olivia.get(f"/runs/{run}/revise?step=note", htmx="dialog")
    assert "Decidenot finished" in dialog.text
    assert "High?automatic, just now" in dialog.text
    assert "Rate the riskOlivia, just now" in dialog.text
    assert " , " not in dialog.text


def test_a_run_that_a_crash_left_in_the_middle_of_a_change_says_so_and_goes_on(pages: "Pages", monkeypatch: pytest.MonkeyPatch) -> None:
    run = pages.company.at("rate")
    page = pages.olivia.get(f"/runs/{run}")
    monkeypatch.setenv("HANDRAIL_FAULT", "effects.perform.before=raise")
    pages.olivia.send(page, "/complete", v_risk="high", status=500)
    monkeypatch.delenv("HANDRAIL_FAULT")
    waits = pages.olivia.get(f"/runs/{run}")
    assert "Waiting" in waits.text
    assert "Making the change. Should no answer come, the console looks what came of it" in waits.text
    asking = next(told for told in waits.with_attribute("hx-get") if told.get("id") == "run")
    assert asking["hx-trigger"] == "every 1s"
    pages.olivia.get(asking["hx-get"], htmx="run", status=204)
    runs.advance(run)
    assert ("h2", "Decide") in pages.olivia.get(asking["hx-get"], htmx="run").headings
    assert pages.company.sql("select risk from customer where id = 1") == [("high",)]
