"""Notes on a record: who may write and read them, who is told, and what stays of one that is removed or erased."""

import io
from typing import TYPE_CHECKING

from console.auth import access, accounts
from console.infra import files, subjects
from console.infra.db.engine import fetch
from tests.papers import pdf

if TYPE_CHECKING:
    from tests.views.conftest import Browser, Page, Pages

NOTES = "/c/customer/1/notes"


def write(browser: "Browser", text: str, where: str = NOTES, status: int = 303) -> "Page":
    return browser.send(browser.get(where), where, text=text, status=status)


def test_a_note_is_read_by_who_sees_the_record_and_tells_the_people_it_names(pages: "Pages") -> None:
    assert NOTES in [
        told.get("hx-get") for told in pages.olivia.get("/c/customer/1").with_attribute("hx-get")
    ]
    write(pages.olivia, "Called back.\n<b>Ask</b> @mona about the mandate.")
    page = pages.tom.get(NOTES, "notes")
    assert "Olivia" in page.text
    assert "<b>Ask</b>" not in page.html
    assert "&lt;b&gt;Ask&lt;/b&gt; @mona" in page.html
    assert "Told: Mona" in page.text
    told = pages.mona.get("/notices")
    assert "Olivia named you in a note" in told.text
    [link] = fetch("select link from console.notice where kind = 'note_mention'")
    pages.mona.get(str(link[0]), status=303)
    assert pages.mona.answer.headers["Location"] == "/c/customer/1#notes"
    assert "named you" not in pages.tom.get("/notices").text
    [(ciphertext,)] = fetch("select ct from console.record_note")
    assert b"mandate" not in bytes(ciphertext)


def test_somebody_of_another_desk_cannot_be_told_and_an_address_is_no_name(pages: "Pages") -> None:
    where = "/c/customer/3/notes"
    assert "Tom may not see this record" in write(pages.olivia, "@tom", where, 422).text
    write(pages.olivia, "Write to x@customers.example or @nobody", where)
    assert "Nobody was told of it." in pages.olivia.get(where).text
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


def attach(browser: "Browser", content: bytes, name: str = "mandate.pdf", status: int = 303) -> "Page":
    token = browser.get(NOTES).form(NOTES)["fields"]["csrf_token"]
    sent = {"csrf_token": token, "text": "With the mandate", "file": (io.BytesIO(content), name)}
    return browser.post(NOTES, sent, status=status)


def test_a_file_of_a_note_is_seen_by_who_sees_the_record_and_goes_with_the_note(pages: "Pages") -> None:
    attach(pages.olivia, pdf())
    [link] = [link for link in pages.mona.get(NOTES).links if link.startswith("/files/fil_")]
    assert "mandate.pdf" in pages.mona.get(link).text
    assert pages.mona.client.get(f"{link}/download").data == pdf()
    [(note,)] = fetch("select id from console.record_note")
    pages.stan.get(link, status=404)
    pages.stan.get(f"{link}/page/1", status=404)
    pages.olivia.send(pages.olivia.get(NOTES), f"/notes/{note}/remove")
    pages.mona.get(link, status=404)
    assert fetch("select 1 from console.file") == []
    assert list(files.stored_files()) == []


def test_a_program_finds_notes_of_records_that_it_sees_and_only_who_reads_the_log_of_all(
    pages: "Pages",
) -> None:
    for number in range(3):
        write(pages.olivia, f"Note {number}")
    write(pages.mona, "Of another desk", "/c/customer/3/notes")
    access.grant("auditor", "collection:customer", ["browse", "read"])
    access.refresh()

    def ask(who: str, query: str) -> "tuple[int, list[str], dict[str, object]]":
        key = accounts.create_key("notes", pages.company.people[who].id).text
        answer = pages.olivia.client.application.test_client().get(
            f"/api/v1/{query}", headers={"Authorization": f"Bearer {key}"}
        )
        told = answer.get_json()
        return answer.status_code, [one["text"] for one in told.get("data", ())], told

    assert ask("tom", "collections/customer/records/1/notes")[1] == ["Note 2", "Note 1", "Note 0"]
    assert ask("tom", "collections/customer/records/3/notes")[0] == 404
    assert ask("stan", "collections/customer/records/1/notes")[0] == 404
    assert ask("olivia", "notes")[0] == 403
    status, texts, told = ask("ada", "notes?limit=2")
    assert (status, texts, told["hasMore"]) == (200, ["Of another desk", "Note 2"], True)
    assert ask("ada", f"notes?limit=2&after={told['next']}")[1] == ["Note 1", "Note 0"]
    assert ask("ada", f"notes?user={pages.company.people['mona'].id}")[1] == ["Of another desk"]
    assert len(ask("ada", "notes?collection=customer&record=1")[1]) == 3
    assert ask("ada", "notes?createdAt.gt=2999-01-01T00:00:00Z")[1] == []
    assert [ask("ada", f"notes?{wrong}")[0] for wrong in ("record=1", "createdAt.lt=soon", "limit=0")] == [
        400
    ] * 3
