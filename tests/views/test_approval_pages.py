"""Approvals as pages: the lists, the page of one that can be sent, the answer, and the run that says who is waited for."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from console import accounts, runs
from console.records import connect
from console.runs.changing import approval_answers, approval_questions, attachments
from console.work import approvals
from tests.messages.reached import clock
from tests.papers import pdf
from tests.runs.changing.test_midway import away
from tests.support.engine import overdue
from tests.support.four_eyes import asking, balance, bank, charging, publish, requested, status, step, waiting_for

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
    assert "To decide 1" in page.text
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
    assert "Adaeze" in pages.mona.get(f"/runs/{run_id}?tab=context").text, "what the run holds stands there in words, for who decides too"
    assert (balance(bank), status(bank, asked)) == ("12.5", "open"), "looking decides nothing"
    pages.mona.send(page, "/approve", reason="Fits.")
    page = pages.mona.follow()
    assert "Mona approved" in page.text
    assert "Fits." in page.text
    assert not [form for form in page.forms if "/approvals/" in form["action"]]
    assert balance(bank) == "300"
    decided = pages.mona.get("/approvals?list=history").text
    assert "Adaeze" in decided
    assert "Olivia · 20 Nov 2026, 08:00 · Mona, just now" in decided, "when it was asked for, and when Mona answered"
    assert "Approved" in pages.olivia.get("/approvals?list=created").text


def test_what_was_asked_or_replied_after_the_page_was_opened_is_read_before_it_is_approved(bank: "Company", pages: "Pages") -> None:
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


def test_the_run_says_who_is_waited_for_and_links_to_it(bank: "Company", pages: "Pages") -> None:
    charging()
    run_id, asked = requested(bank)
    page = pages.olivia.get(f"/runs/{run_id}")
    assert "Waiting for Mona to approve." in page.text
    assert f"/approvals/{asked}" in page.links
    assert f"/runs/{run_id}/step-in" in page.html
    approval_questions.ask(bank.people["mona"], asked, "Which order is it?")
    page = pages.olivia.get(f"/runs/{run_id}")
    assert ("Mona asks" in page.text, "Which order is it?" in page.text, f"/approvals/{asked}#reply" in page.links) == (True, True, True)
    approval_questions.reply(bank.olivia, asked, "The second.")
    assert "Which order is it?" not in pages.olivia.get(f"/runs/{run_id}").text
    pages.olivia.send(page, "/step-in", reason="")
    page = pages.olivia.follow()
    assert "The request for approval was withdrawn.Nothing was done. What you typed is still here." in page.text
    assert "alert" not in {told["role"] for told in page.with_attribute("role")}, "who takes a request back did nothing wrong"
    assert "300" in page.html
    assert "does not count any more" in pages.mona.get(f"/approvals/{asked}").text


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


def test_a_rejection_needs_a_reason_which_the_form_shows(bank: "Company", pages: "Pages") -> None:
    charging()
    run_id, asked = requested(bank)
    page = pages.mona.get(f"/approvals/{asked}")
    page = pages.mona.post(f"/approvals/{asked}/reject", dict(page.form("/approve")["fields"]), status=422)
    assert "Say why in a few words" in page.text
    hostile = '<img src=x onerror=alert(1)> "because"'
    pages.mona.post(f"/approvals/{asked}/reject", page.form("/approve")["fields"] | {"reason": hostile})
    for html in (pages.mona.follow().html, pages.olivia.get(f"/runs/{run_id}").html):
        assert "<img" not in html
        assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert "Mona rejected this" in pages.olivia.get(f"/runs/{run_id}").text
    bank.answer(run_id, "olivia", amount="200")
    again = pages.mona.get(f"/approvals/{waiting_for(run_id)}")
    pages.mona.send(again, "/approve")
    for page in (again, pages.mona.follow()):  # also when the later request of the same step was done
        earlier = " ".join(page.text.split()).partition("Asked before in this run")[2]
        assert "Amount 300" in earlier
        assert "Mona rejected it" in earlier
        assert f": “{hostile}”" in earlier
        assert "<img" not in page.html
        assert "Nothing of it was done." in earlier


def test_what_moved_is_shown_and_ticked(bank: "Company", pages: "Pages") -> None:
    charging()
    _, asked = requested(bank)
    bank.sql("update customer set balance = 77 where id = 1")
    page = pages.mona.get(f"/approvals/{asked}")
    assert "The record has changed since this was asked for" in page.text
    assert "12.50 is now 77.00 and would be overwritten" in page.text
    page = pages.mona.send(page, "/approve", status=409, reason="typed already")
    assert "typed already" in page.html
    bank.sql("update customer set balance = 78 where id = 1")
    tick = approvals.get(bank.mona, asked).mark
    pages.mona.send(page, "/approve", accept_changes="another", status=409)
    pages.mona.send(page, "/approve", accept_changes=tick)
    assert balance(bank) == "300"


def test_the_answer_of_two_and_what_came_of_it(bank: "Company", pages: "Pages") -> None:
    lena = accounts.create_person("lena@fernwick.example", role="operations_lead", team="operations", name="Lena").person
    asking(needs=2, fields=["email"], values={"note": "steps.note.note"})
    run_id, asked = requested(bank, slug="asking")
    page = pages.mona.get(f"/approvals/{asked}")
    assert "All clear." in page.text
    assert "adaeze@customers.example" in page.text
    pages.mona.send(page, "/approve")
    page = pages.mona.follow()
    assert "1 of 2" in page.text
    assert "You have decided already" in page.text
    assert "Waiting for Lena to approve (1 of 2 have)." in pages.olivia.get(f"/runs/{run_id}").text
    accounts.disable_person(lena.id)
    told = pages.olivia.get(f"/runs/{run_id}").text
    assert "Everybody in Operations with that role has decided." in told
    assert "Ines can give somebody the role and the right" in told, "whom to ask"
    assert waiting_for(run_id) == asked


@pytest.mark.parametrize("path", ["?list=review", "?list=created", "?list=history", "?list=nonsense", "?action=customer.charge&requester=usr_x&team=operations&from=2026-01-01&to=2030-01-01"])  # fmt: skip
def test_empty_lists_say_so(pages: "Pages", path: str) -> None:
    page = pages.olivia.get(f"/approvals{path}")
    assert "Nothing " in page.text or "You have asked" in page.text or "No request fits" in page.text


@pytest.mark.parametrize("path", ["?from=never", "?after=nonsense", "?action=%00"])
def test_what_cannot_be_read_is_said_and_the_list_shown(pages: "Pages", path: str) -> None:
    assert "cannot be read" in pages.olivia.get(f"/approvals{path}", status=400).text


def test_filters_narrow_the_list_and_can_be_taken_off(bank: "Company", pages: "Pages") -> None:
    charging()
    asking()
    _, first = requested(bank)
    _, second = requested(bank, slug="asking", record="2", by="tom")
    page = pages.mona.get("/approvals")
    assert {f"/approvals/{first}", f"/approvals/{second}"} <= set(page.links)
    page = pages.mona.get(f"/approvals?requester={bank.tom.id}")
    assert f"/approvals/{second}" in page.links
    assert f"/approvals/{first}" not in page.links
    assert "Requester: Tom" in page.text
    assert "/approvals" in page.links
    runs.approve(bank.mona, first)
    assert f"/approvals/{first}" not in pages.mona.get("/approvals").links


def test_files_that_are_part_of_what_is_asked_are_named_opened_and_counted(bank: "Company", pages: "Pages") -> None:
    form = [{"name": "note", "label": "Note", "required": True}, {"name": "papers", "label": "Papers", "type": "files"}]
    attach = step("attach", "update_data", {"form": form}, default="ask")
    ask = step("ask", "approval", {"text": "Agreed?", "roles": ["lead"], "values": {"papers": "steps.attach.papers", "note": "steps.attach.note"}}, approved="end", rejected="end")  # fmt: skip
    publish("with-papers", attach, ask)
    run_id = runs.start(bank.olivia, "with-papers", "customer", "1")
    bank.answer(run_id, "olivia", note="All clear.")
    kept = attachments.attach(bank.olivia, run_id, step="attach", field="papers", name="receipt.pdf", content=pdf())
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


def test_whoever_opened_a_document_in_the_run_is_named_not_only_who_asks(bank: "Company", pages: "Pages") -> None:
    form = [{"name": "papers", "label": "Papers", "type": "files"}]
    publish("handed-over", step("attach", "update_data", {"form": form}, default="ask"),
            step("ask", "approval", {"text": "Agreed?", "roles": ["lead"], "values": {"papers": "steps.attach.papers"}}, approved="end", rejected="end"))  # fmt: skip
    run_id = runs.start(bank.olivia, "handed-over", "customer", "1")
    bank.answer(run_id, "olivia", note="All clear.")
    kept = attachments.attach(bank.olivia, run_id, step="attach", field="papers", name="receipt.pdf", content=pdf())
    assert pages.olivia.client.get(f"/files/{kept.id}/download").status_code == 200
    runs.save(bank.olivia, run_id, revision=None)
    runs.resume(bank.tom, run_id, revision=None)
    bank.answer(run_id, "tom", papers=[kept.value])
    page = pages.mona.get(f"/approvals/{waiting_for(run_id)}")
    assert "Document TomOliviaYou receipt.pdf not opened 1 of 1 not opened" in " ".join(page.text.split())
    assert "Never opened" not in page.text


def test_a_decided_request_is_not_counted_among_those_decided_before(bank: "Company", pages: "Pages") -> None:
    charging()
    _, asked = requested(bank)
    page = pages.mona.get(f"/approvals/{asked}")
    pages.mona.send(page, "/approve")
    assert "First of its kind." in pages.mona.get(f"/approvals/{asked}").text
    _, again = requested(bank, record="2")
    assert "1 approved" in " ".join(pages.mona.get(f"/approvals/{again}").text.split())


def test_an_answer_while_the_source_is_away_is_not_taken_and_can_be_given_again(bank: "Company", pages: "Pages") -> None:
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


@pytest.mark.parametrize("back", [True, False])
def test_a_source_that_goes_away_after_the_answer(bank: "Company", pages: "Pages", monkeypatch: pytest.MonkeyPatch, back: bool) -> None:
    """A file that is away for a while is waited for, as a server is; a table that is gone is not."""
    charging()
    run_id, asked = requested(bank)
    page = pages.mona.get(f"/approvals/{asked}")
    put = approval_answers.write

    def going(*given: Any, **more: Any) -> Any:
        made = put(*given, **more)
        if back:
            bank.path.rename(bank.path.with_suffix(".away"))
        else:
            bank.sql("alter table customer rename to customers_of_old")
        return made

    monkeypatch.setattr(approval_answers, "write", going)
    pages.mona.send(page, "/approve", reason="Fits.")
    monkeypatch.undo()
    told = pages.mona.follow().text
    assert ("not tried again with this approval. Whoever holds the run reads why" in told) != back
    page = pages.olivia.get(f"/runs/{run_id}")
    words = (
        "is a file that is not there, or that the console may not open. What waits for it goes on when it is back"
        if back
        else "no longer has this table"
    )
    assert words in page.text, "why what was approved was not done"
    connect.dispose()
    if back:
        bank.path.with_suffix(".away").rename(bank.path)
        overdue(run_id)
        bank.work()
        assert (balance(bank), status(bank, asked)) == ("300", "approved")
        return
    bank.sql("alter table customers_of_old rename to customer")
    page = pages.olivia.get(f"/runs/{run_id}")
    assert "300" in page.html, "what was handed in is in the form again"
    assert (balance(bank), status(bank, asked)) == ("12.5", "approved")
