"""Erasing a person on the pages: seen before it is done, meant, and receipted."""

from typing import TYPE_CHECKING

import pytest

from console import runs, sources
from console.activity import sequencing
from console.operations import erasure

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy


def test_from_the_record_to_the_receipt(pages: "Pages") -> None:
    pages.company.finished()
    assert "/c/customer/1/erase" in pages.ines.get("/c/customer/1/menu").links
    assert "/c/customer/1/erase" in pages.ines.get("/c/customer/1?tab=details").links
    held = erasure.preview(pages.company.ines, "customer", "1")
    page = pages.ines.get("/c/customer/1/erase")
    assert f"{held.events} events of the log" in page.text
    assert "in 1 run" in page.text
    pages.ines.send(page, "/erase", reason="Asked by letter.", word="ERASE")
    receipt = pages.ines.follow()
    assert [part in receipt.text for part in (held.subject, "Asked by letter.", "Adaeze")] == [
        True,
        True,
        False,
    ]
    assert "The console holds nothing about" in pages.ines.get("/c/customer/1/erase").text


def test_without_reason_or_word_nothing_is_done_and_what_was_typed_is_kept(pages: "Pages") -> None:
    pages.company.finished()
    page = pages.ines.get("/c/customer/1/erase")
    for reason, word, wrong in (
        ("", "ERASE", "Say why"),
        ("A letter.", "erase", "Type ERASE"),
        ("A letter.", "", "Type ERASE"),
    ):
        answer = pages.ines.send(page, "/erase", status=422, reason=reason, word=word)
        assert wrong in answer.text
        fields = answer.form("/erase")["fields"]
        assert (fields["reason"], fields["word"]) == (reason, word)
    assert erasure.preview(pages.company.ines, "customer", "1").events > 0


def test_a_live_run_stands_against_it(pages: "Pages") -> None:
    page = pages.ines.get("/c/customer/1/erase")
    assert "The console holds nothing" in page.text
    run = pages.company.at("note")
    page = pages.ines.get("/c/customer/1/erase")
    assert f"/runs/{run}" in page.links
    assert run not in page.text, "a run is called by its workflow"
    assert not [form for form in page.forms if form["action"].endswith("/erase")]
    data = {"csrf_token": pages.ines.token, "reason": "A letter.", "word": "ERASE"}
    assert "still live" in pages.ines.post("/c/customer/1/erase", data, status=409).text
    runs.abort(pages.company.olivia, run, revision=pages.company.told(run)["revision"], reason="enough")
    pages.ines.post("/c/customer/1/erase", data)


def test_nobody_else_may_and_nobody_else_is_led_there(pages: "Pages") -> None:
    pages.company.finished()
    sub = erasure.preview(pages.company.ines, "customer", "1").subject
    for who in ("stan", "olivia", "mona", "ada"):
        browser = getattr(pages, who)
        browser.get("/c/customer/1/erase", status=403)
        browser.post(
            "/c/customer/1/erase", {"csrf_token": browser.token, "reason": "x", "word": "ERASE"}, status=403
        )
        browser.get(f"/erasures/{sub}", status=403)
    assert "/c/customer/1/erase" not in pages.olivia.get("/c/customer/1?tab=details").links
    assert erasure.preview(pages.company.ines, "customer", "1").subject == sub
    sequencing.catch_up()
    pages.ines.get(f"/erasures/{sub}", status=404)


def test_a_record_about_somebody_else_leads_to_them(pages: "Pages") -> None:
    pages.company.finished()
    assert (
        "erase the record 1 of customer"
        in pages.ines.get("/c/account/LT459999900012345678/erase", status=409).text
    )


def test_a_hold_stands_against_it_and_is_said(pages: "Pages") -> None:
    pages.company.finished()
    erasure.hold(pages.company.ines, "customer", "1", "A complaint is open.")
    page = pages.ines.get("/c/customer/1/erase")
    assert "on hold" in page.text
    assert not [form for form in page.forms if form["action"].endswith("/erase")]
    data = {"csrf_token": pages.ines.token, "reason": "A letter.", "word": "ERASE"}
    assert "is on hold" in pages.ines.post("/c/customer/1/erase", data, status=409).text
    erasure.release(pages.company.ines, "customer", "1", "It is settled.")
    pages.ines.post("/c/customer/1/erase", data)


def test_while_the_source_does_not_answer_nothing_is_erased_and_that_is_said(pages: "Pages") -> None:
    pages.company.finished()
    page = pages.ines.get("/c/customer/1/erase")
    sources.pause("company", by=pages.company.ines)
    try:
        assert "Nothing was erased: come back then." in pages.ines.get("/c/customer/1/erase", status=503).text
        assert (
            "Nothing was erased: come back then."
            in pages.ines.send(page, "/erase", status=503, reason="", word="").text
        )
    finally:
        sources.resume("company", by=pages.company.ines)
