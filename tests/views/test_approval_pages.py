"""Approvals as pages: a yes, who may not decide, questions, files, and a source that is away."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from console import log, runs
from console.runs.commands import approval_questions, attachments
from tests.messaging.messages.reached import clock
from tests.papers import pdf
from tests.runs.commands.test_midway import away
from tests.support.four_eyes import balance, bank, charging, publish, requested, status, step, waiting_for

if TYPE_CHECKING:
    from tests.company import Company
    from tests.views.conftest import Pages

__all__ = ["bank"]


def test_a_lead_finds_the_request_and_approves_it(bank: "Company", pages: "Pages") -> None:
    charging()
    with clock(datetime(2026, 11, 20, 8, 0, tzinfo=UTC)):
        run_id, asked = requested(bank)
    page = pages.mona.get("/approvals")
    assert f"/approvals/{asked}" in page.links
    assert "Waiting 1" in page.text
    page = pages.mona.get(f"/approvals/{asked}")
    for words in (
        "Adaeze Okonkwo-Bell",
        "Olivia asks in Charging",
        "Every charge of 100 or more",
        "Before",
        "12.50",
        "300",
        "not Olivia, who asked for it",
        "Update balance",
    ):
        assert words in page.text, words
    assert {f"/runs/{run_id}/replay", f"/runs/{run_id}?tab=context"} <= set(page.links)
    assert "Adaeze" in pages.mona.get(f"/runs/{run_id}?tab=context").text, (
        "what the run holds stands there in words, for who decides too"
    )
    assert (balance(bank), status(bank, asked)) == ("12.5", "open"), "looking decides nothing"
    pages.mona.send(page, "/approve", reason="Fits.")
    page = pages.mona.follow()
    assert "Mona approved" in page.text
    assert "Fits." in page.text
    assert not [form for form in page.forms if "/approvals/" in form["action"]]
    assert balance(bank) == "300"
    decided = pages.mona.get("/approvals?list=history").text
    assert "Adaeze" in decided
    assert "Olivia · 20 Nov 2026, 08:00 · Mona, just now" in decided, (
        "when it was asked for, and when Mona answered"
    )
    assert "Approved" in pages.olivia.get("/approvals?list=created").text


def test_replay_shows_the_request_as_its_approver_saw_it(bank: "Company", pages: "Pages") -> None:
    charging()
    run_id, asked = requested(bank)
    pages.mona.send(pages.mona.get(f"/approvals/{asked}"), "/approve", reason="Fits.")
    events = {event.type: event.n for event in log.events_of(run_id)}
    then = pages.mona.get(f"/runs/{run_id}/replay?at={events['approval_decided']}").text
    for words in ("Olivia", "12.50", "300", "Mona approved", "Fits."):
        assert words in then, words
    before = pages.mona.get(f"/runs/{run_id}/replay?at={events['approval_requested']}").text
    assert "Mona approved" not in before
    pages.stan.get(f"/runs/{run_id}/replay?at={events['approval_decided']}", status=404)


def test_what_was_asked_or_replied_after_the_page_was_opened_is_read_before_it_is_approved(
    bank: "Company", pages: "Pages"
) -> None:
    charging()
    _, asked = requested(bank)
    approval_questions.ask(bank.people["mona"], asked, "Which order is it?")
    page = pages.mona.get(f"/approvals/{asked}")
    approval_questions.reply(bank.olivia, asked, "It was the wrong one, please wait.")
    answer = pages.mona.send(page, "/approve", reason="Fits.", status=409)
    assert "Somebody asked or replied after you opened this page." in answer.text
    assert "It was the wrong one, please wait." in answer.text
    assert "Fits." in answer.html
    assert (status(bank, asked), balance(bank)) == ("open", "12.5")
    pages.mona.send(answer, "/approve", reason="Fits.")
    assert status(bank, asked) == "approved"


def test_one_does_not_decide_on_ones_own_and_is_told_why(bank: "Company", pages: "Pages") -> None:
    charging()
    _, asked = requested(bank)
    page = pages.olivia.get(f"/approvals/{asked}")
    assert "needs the yes of lead" in page.text
    assert not [form for form in page.forms if "/approvals/" in form["action"]]
    token = {"csrf_token": pages.olivia.token}
    assert "yes of lead" in pages.olivia.post(f"/approvals/{asked}/approve", token, status=403).text
    _, own = requested(bank, by="mona", record="2")
    page = pages.mona.get(f"/approvals/{own}")
    assert "You asked for this approval yourself" in page.text
    pages.mona.post(f"/approvals/{own}/approve", {"csrf_token": pages.mona.token}, status=403)
    assert status(bank, own) == "open"
    for path in (f"/approvals/{asked}", f"/approvals/{own}"):
        pages.stan.get(path, status=404)
    assert asked not in pages.stan.get("/approvals?list=history").html


def test_files_that_are_part_of_what_is_asked_are_named_opened_and_counted(
    bank: "Company", pages: "Pages"
) -> None:
    form = [
        {"name": "note", "label": "Note", "required": True},
        {"name": "papers", "label": "Papers", "type": "files"},
    ]
    attach = step("attach", "update_data", {"form": form}, default="ask")
    ask = step(
        "ask",
        "approval",
        {
            "text": "Agreed?",
            "roles": ["lead"],
            "values": {"papers": "steps.attach.papers", "note": "steps.attach.note"},
        },
        approved="end",
        rejected="end",
    )
    publish("with-papers", attach, ask)
    run_id = runs.start(bank.olivia, "with-papers", "customer", "1")
    bank.answer(run_id, "olivia", note="All clear.")
    kept = attachments.attach(
        bank.olivia, run_id, step="attach", field="papers", name="receipt.pdf", content=pdf()
    )
    bank.answer(run_id, "olivia", note="The receipt fits.", papers=[kept.value])
    page = pages.mona.get(f"/approvals/{waiting_for(run_id)}")
    link = next(one for one in page.links if kept.id in one and "tab=documents" in one)
    assert "receipt.pdf" in page.text
    assert "you have not opened it" in page.text
    assert "Never opened by anybody: receipt.pdf" in page.text
    assert kept.sha256 not in page.html
    assert "receipt.pdf" in pages.mona.get(link).text
    assert pages.mona.client.get(f"/files/{kept.id}/page/1").status_code in (200, 404)
    assert pages.stan.get(f"/approvals/{waiting_for(run_id)}", status=404).text


def test_an_answer_while_the_source_is_away_is_not_taken_and_can_be_given_again(
    bank: "Company", pages: "Pages"
) -> None:
    charging()
    _, asked = requested(bank)
    page = pages.mona.get(f"/approvals/{asked}")
    with away(bank):
        page = pages.mona.send(page, "/approve", status=503, reason="typed already")
        assert "Not decided." in page.text
        assert "Your answer was not taken, and nothing was changed" in page.text
        assert "typed already" in page.html
        assert status(bank, asked) == "open"
    assert balance(bank) == "12.5"
    pages.mona.send(page, "/approve", reason="typed already")
    assert (balance(bank), status(bank, asked)) == ("300", "approved")


def test_the_reason_of_a_no_stands_above_the_form_to_which_the_run_returns(
    bank: "Company", pages: "Pages"
) -> None:
    for keeps in (False, True):
        publish(
            "returning",
            step("ask", "approval", {"text": "May it?", "roles": ["lead"]}, approved="end", rejected="back"),
            step("back", "go_to", {"keep_answers": keeps}, default="note"),
            exclusive=False,
        )
        run_id, approval = requested(bank, slug="returning")
        runs.reject(bank.mona, approval, reason="Which account?")
        page = pages.olivia.get(f"/runs/{run_id}")
        assert "Mona rejected “Ask”" in page.text
        assert "“Which account?”" in page.text
        [field] = bank.told(run_id)["current"]["form"]["fields"]
        assert field["value"] == ("All clear." if keeps else None)
        bank.answer(run_id, note="The second.")
        assert "Which account?" not in pages.olivia.get(f"/runs/{run_id}").text
