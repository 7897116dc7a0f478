"""Notes on a record: who may write and read them, who is told, and what stays of one that is removed or erased."""

from typing import TYPE_CHECKING

import pytest

from console import access, runs, subjects
from console.activity.sequencing import sequence
from console.db.engine import fetch

if TYPE_CHECKING:
    from tests.views.conftest import Browser, Page, Pages

NOTES = "/c/customer/1/notes"


def write(browser: "Browser", text: str, where: str = NOTES, status: int = 303) -> "Page":
    return browser.send(browser.get(where), where, text=text, status=status)


def test_a_note_is_read_by_who_sees_the_record_and_tells_the_people_it_names(pages: "Pages") -> None:
    assert NOTES in [told.get("hx-get") for told in pages.olivia.get("/c/customer/1").with_attribute("hx-get")]
    write(pages.olivia, "Called back.\n<b>Ask</b> @mona about the mandate.")
    page = pages.tom.get(NOTES, "notes")
    assert "Olivia" in page.text
    assert "<b>Ask</b>" not in page.html
    assert "&lt;b&gt;Ask&lt;/b&gt; @mona" in page.html
    told = pages.mona.get("/notices")
    assert "Olivia named you in a note" in told.text
    [link] = fetch("select link from console.notice where kind = 'note_mention'")
    pages.mona.get(str(link[0]), status=303)
    assert pages.mona.answer.headers["Location"] == "/c/customer/1#notes"
    assert "named you" not in pages.tom.get("/notices").text
    [(ciphertext,)] = fetch("select ct from console.record_note")
    assert b"mandate" not in bytes(ciphertext)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (" ", "A note has 1 to 4,000 characters."),
        ("x" * 4001, "A note has 1 to 4,000 characters."),
        ("Look, @stan", "Stan may not see this record"),
    ],
)
def test_what_cannot_be_is_said_at_the_note_and_the_text_stays(pages: "Pages", text: str, words: str) -> None:
    page = write(pages.olivia, text, status=422)
    assert words in page.text
    assert page.form(NOTES)["fields"]["text"].strip() == text.strip()
    assert fetch("select 1 from console.record_note") == []


def test_somebody_of_another_desk_cannot_be_told_and_an_address_is_no_name(pages: "Pages") -> None:
    where = "/c/customer/3/notes"
    assert "Tom may not see this record" in write(pages.olivia, "@tom", where, 422).text
    write(pages.olivia, "Write to x@customers.example or @nobody", where)
    pages.tom.get(where, status=404)
    pages.stan.get(where, status=404)


def test_who_only_reads_writes_none_and_nobody_removes_the_note_of_another(pages: "Pages") -> None:
    write(pages.olivia, "Hers")
    page = pages.rosa.get(NOTES)
    assert "Hers" in page.text
    assert not [form for form in page.forms if form["action"] == NOTES]
    [(note,)] = fetch("select id from console.record_note")
    token = pages.rosa.get("/c/customer?segment=&view=1").form("/c/customer/view")["fields"]["csrf_token"]
    pages.rosa.post(NOTES, {"csrf_token": token, "text": "Mine"}, status=403)
    token = pages.mona.get(NOTES).form(NOTES)["fields"]["csrf_token"]
    pages.mona.post(f"/notes/{note}/remove", {"csrf_token": token}, status=404)
    pages.olivia.send(pages.olivia.get(NOTES), f"/notes/{note}/remove")
    page = pages.mona.get(NOTES)
    assert "Hers" not in page.text
    assert "Removed by its author." in page.text
    assert fetch("select ct from console.record_note") == [(None,)]


def test_a_note_goes_with_the_person_whom_the_record_is_about(pages: "Pages") -> None:
    write(pages.olivia, "About her alone")
    access.refresh()
    [(subject,)] = fetch("select subject from console.record_note")
    fetch("delete from console.subject where id = %s returning 1", (subject,))
    subjects.forget(subject)
    assert "Its text was erased." in pages.mona.get(NOTES).text


def test_the_time_line_shows_one_sort_at_a_time(pages: "Pages") -> None:
    write(pages.olivia, "A note")
    pages.company.started("1")
    sequence()
    page = pages.olivia.get("/c/customer/1?tab=activity")
    assert "wrote a note" in page.text
    assert "/c/customer/1?tab=activity&show=notes" in page.links
    page = pages.olivia.get("/c/customer/1?tab=activity&show=notes")
    assert "wrote a note" in page.text
    assert "started Care review" not in page.text
    assert "wrote a note" not in pages.olivia.get("/c/customer/1?tab=activity&show=runs").text
    assert "wrote a note" in pages.olivia.get("/c/customer/1?tab=activity&show=nonsense").text


def test_what_is_to_be_continued_goes_on_where_its_name_is_clicked(pages: "Pages") -> None:
    run = pages.company.started("1")
    runs.save(pages.company.olivia, run, revision=None)
    links = pages.olivia.get("/").with_attribute("data-sends")
    assert [link["href"] for link in links] == [f"/runs/{run}"]
