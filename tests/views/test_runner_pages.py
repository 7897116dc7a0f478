"""The runner: without script by forms and redirects, with htmx by fragments; conflicts keep what was typed."""

import pytest

from tests.views.conftest import Pages


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
    assert "What this does" not in page.text
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
    assert (
        len([told for told in wrong.with_attribute("aria-invalid") if told.get("name", "").startswith("v.")])
        == 2
    )
    assert pages.olivia.send(page, "/complete", status=422, v_note="", v_count="many").headings[0] == (
        "h1",
        "Care review",
    )


def test_drafts_are_kept_while_typing_and_stand_there_after_a_reload(pages: "Pages") -> None:
    run = pages.company.at("note")
    page = pages.olivia.get(f"/runs/{run}")
    fields = page.form("/complete")["fields"]
    said = pages.olivia.post(
        f"/runs/{run}/draft", fields | {"v.note": "half a sen"}, htmx="saved", status=200
    )
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
    late = pages.olivia.post(
        f"/runs/{run}/draft", old.form("/complete")["fields"] | {"v.note": "x"}, htmx="saved", status=409
    )
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
    pages.tom.post(
        f"/runs/{run}/cancel",
        {"csrf_token": pages.tom.token, "revision": revision, "reason": "no"},
        status=403,
    )
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
    assert not any(
        link.startswith(f"/runs/{run}/cancel")
        for link in pages.mona.get(f"/workflows/care-review/executions/{run}").links
    )


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
        {
            "csrf_token": pages.stan.token,
            "revision": str(before["revision"]),
            "step": "note",
            "reason": "x",
            "result": "done",
        },
        status=404,
    )
    pages.stan.client.get("/")
    assert pages.company.told(run) == before
