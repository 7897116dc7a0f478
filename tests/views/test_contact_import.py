"""Contacts from a file: what each line becomes, why a line is left out, encodings, a process that dies, and who may."""

import csv
import io
import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from console.auth import access
from console.auth.access import policy_store
from console.automation.enrolments import batches
from console.core.errors import Invalid, NotFound
from console.infra import db, jobs
from console.infra.db.engine import alone, fetch
from console.infra.db.ids import new_id
from console.infra.jobs import PutBack
from console.messaging import contacts
from console.messaging.imports import contact_files, import_batches, imports, left_out_lines
from console.messaging.imports.import_batches import Import
from console.sources import collections
from tests.jobs import work_until_idle
from tests.support.contact_club import found_club
from tests.support.contact_lists import chosen
from tests.tables import cases

if TYPE_CHECKING:
    from tests.company import Company
    from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy

URL = "/import/c/contact"
FILE = (
    "Full name;E-Mail;Stage;Country;Shoe size\n"
    "Zoë Müller;zoe@post.example;Engaged;DE;38\n"
    ";nobody@post.example;new;DE;\n"
    "Sam again;SAM@post.example;new;US;\n"
    "\n"
    "Odd;odd@post.example;won;SE;\n"
    "Twice;zoe@post.example;new;SE;\n"
)


@pytest.fixture
def club(pages: "Pages") -> "Pages":
    found_club(pages.company)
    access.grant("operator", "collection:contact", ["create"], team="operations")
    return pages


def kept(company: "Company", text: str | bytes) -> Import:
    """The preview of a file."""
    content = text if isinstance(text, bytes) else text.encode()
    return chosen(company.olivia, import_batches.keep(company.olivia, "contact", io.BytesIO(content)))


def imported(company: "Company", text: str | bytes) -> Import:
    return import_batches.confirm(company.olivia, kept(company, text).id)


def why(found: Import) -> dict[int, list[str]]:
    return dict(import_batches.refused(found.id))


def counts(found: Import) -> tuple[int, int, int, int]:
    return found.new, found.changed, found.same, found.refused


def sent(club: "Pages", content: bytes) -> str:
    """The address where the file is looked at."""
    token = club.olivia.get(URL).form(URL)["fields"]["csrf_token"]
    return posted(club, URL, {"csrf_token": token, "file": (io.BytesIO(content), "leads.csv")})


def posted(club: "Pages", where: str, told: dict[str, Any]) -> str:
    """Where the answer leads."""
    club.olivia.post(where, {"csrf_token": club.olivia.token} | told)
    return str(club.olivia.answer.headers["Location"])


def refused_lines(club: "Pages", where: str) -> str:
    club.olivia.get(f"{where}/refused")
    noted = "select count(*) from console.event where convert_from(body, 'UTF8') like %s"
    assert fetch(noted, ('%"type":"table_exported"%',))[0][0] > 0, "who fetched them is in the log"
    return str(club.olivia.answer.data.decode("utf-8-sig"))


def test_each_line_is_shown_before_it_is_added_and_says_why_it_is_not(club: "Pages") -> None:
    assert URL in club.olivia.get("/c/contact?segment=").html
    where = sent(club, FILE.encode("cp1252"))
    page = club.olivia.get(where)
    assert "1 contact can be added" in page.text
    assert "Zoë Müller" in page.text
    assert "no field was found for them: Shoe size" in page.text
    for reason in (
        "Name is needed.",
        "is there already.",
        "Stage “won” is none of New, Engaged, Lost.",
        "stands on a line before. It stands on line 2.",
    ):
        assert reason in page.text
    assert "Zoë Müller" not in club.olivia.get("/c/contact?segment=").text, "nothing is added unseen"
    there = posted(club, where, {"do": "import"})
    done = club.olivia.get(there)
    assert "1 added, finished" in done.text
    assert "4 left out" in done.text
    club.olivia.get(where, status=303)
    assert club.olivia.answer.headers["Location"] == there, "what it would bring is offered once"
    assert "Zoë Müller" in club.olivia.get("/c/contact?segment=").text
    told = list(csv.reader(io.StringIO(refused_lines(club, there))))
    assert told[0] == ["Line", "Why not", "Full name", "E-Mail", "Stage", "Country", "Shoe size"]
    assert [row[0] for row in told[1:]] == ["3", "4", "6", "7"]
    assert told[2][1:4] == ["Somebody with this Email is there already.", "Sam again", "SAM@post.example"]
    for stranger in (club.mona, club.stan):
        stranger.get(there, status=404)
        stranger.get(f"{there}/refused", status=404)


def test_what_the_database_or_a_rule_would_refuse_is_said_before_anything_is_added(club: "Pages") -> None:
    ines = club.company.ines
    document = collections.open_collection(ines, "contact").document.to_json()
    rules = [{"if": "record.worth == null || record.worth < 1000", "message": "Too dear."}]
    changed = {name: value for name, value in {**document, "validation": rules}.items() if value is not None}
    collections.publish(ines, "contact", collections.save(ines, "contact", 0, changed))
    found = kept(
        club.company,
        "name,stage,time zone,worth\nA,,Mars/Phobos,1\nB,new,Europe/Oslo,2000\nC,new,Europe/Oslo,2\n",
    )
    assert why(found) == {
        2: ["Stage is needed.", "There is no time zone Mars/Phobos; one looks like Europe/Vilnius."],
        3: ["Too dear."],
    }
    assert counts(imported(club.company, "name,stage\nC,new\n")) == (1, 0, 0, 0)


@cases(
    ("content", "words"),
    [
        (b"", "Choose a file with a heading"),
        (b"PK\x03\x04" + bytes(range(256)) * 9, "save it as “CSV UTF-8"),
        (bytes(2000), "no text file"),
        (b"%PDF-1.7\nname\n", "no text file"),
    ],
)
def test_a_file_that_cannot_be_used_says_so_and_is_not_kept(
    club: "Pages", content: bytes, words: str
) -> None:
    before = contact_files.folders()
    with pytest.raises(Invalid) as wrong:
        kept(club.company, content)
    assert words in str(wrong.value.details[0]["reason"])
    assert contact_files.folders() == before


@cases("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_usual_encodings_are_read(club: "Pages", encoding: str) -> None:
    plan, lines = import_batches.first_lines(
        club.company.olivia, kept(club.company, (FILE * 2).encode(encoding))
    )
    assert lines[0].values == {
        "name": "Zoë Müller",
        "email": "zoe@post.example",
        "stage": "engaged",
        "country": "DE",
    }
    assert plan.match == "email"


def test_lines_left_out_can_be_mended_in_their_file_and_sent_again(club: "Pages") -> None:
    company = club.company
    found = kept(company, "name,email,stage,phone\nAnn,ann@post.example,won,+44 20 7946 0123\n")
    sheet = b"".join(left_out_lines.refused_file(company.olivia, found.id))
    assert b"'+44 20 7946 0123" in sheet, "no spreadsheet takes it for a formula"
    assert counts(imported(company, sheet.replace(b",won,", b",new,"))) == (1, 0, 0, 0)
    assert contacts.known_contact("contact", "7").phone == "+44 20 7946 0123"


def test_lists_of_programs_are_understood(club: "Pages") -> None:
    for text, values in (
        (
            "Last name;First name;E-Mail;Phone;Country;Language\nMüßig;Jörg;n/a;491712345678.0;Austria;German\n",
            ("Jörg Müßig", None, "491712345678", "AT", "de"),
        ),
        (
            'Name;E-mail address;Phone;Country\nZoé;Zoé <z@a.example>;="33612345678";Belgium\n',
            ("Zoé", "z@a.example", "33612345678", "BE", None),
        ),
        (
            "Name,E-mail,Phone\nCy,mailto:cy+news@post.example,#N/A\n",
            ("Cy", "cy+news@post.example", None, None, None),
        ),
    ):
        _, (line,) = import_batches.first_lines(club.company.olivia, kept(club.company, text))
        assert (
            tuple(line.values.get(name) for name in ("name", "email", "phone", "country", "language"))
            == values
        )


def test_whoever_sends_the_file_chooses_encoding_and_columns_and_looks_again(club: "Pages") -> None:
    where = sent(club, "Who;Mail;Where they stand\nSöme Mać;gabor@post.example;new\n".encode("cp1250"))
    page = club.olivia.get(where)
    assert "Söme Maæ" in page.text, "these letters may be either"
    assert "0 contacts can be added" in page.text
    chosen = {
        "c.0": "name",
        "c.1": "email",
        "c.2": "stage",
        "match": "email",
        "encoding": "cp1250",
        "do": "look",
    }
    seen = club.olivia.get(posted(club, where, chosen))
    assert "Söme Mać" in seen.text
    assert "1 contact can be added" in seen.text
    twice = club.olivia.post(where, {"csrf_token": club.olivia.token, **chosen, "c.0": "stage"}, status=422)
    assert "This field is filled by one column only." in twice.text


def test_those_who_are_there_get_what_the_file_says_where_that_is_asked_for(club: "Pages") -> None:
    company = club.company
    found = kept(
        company,
        "name,email,stage,phone\nSam Whitfield,SAM@post.example,engaged,\nAna Petrauskė,ana@post.example,new,\nX,greta@post.example,won,\n",
    )
    assert counts(found) == (0, 0, 0, 3), "as long as nobody asks for it they are left as they are"
    asked = found.question
    again = import_batches.look_again(
        company.olivia, found.id, imports.Question(asked.file, asked.columns, asked.match, change=True)
    )
    assert counts(again) == (0, 1, 1, 1)
    assert counts(import_batches.confirm(company.olivia, again.id)) == (0, 1, 1, 1)
    known = contacts.known_contact("contact", "1")
    assert (known.name, known.phone) == ("Sam Whitfield", "+1 202 555 0147"), "an empty cell changes nothing"
    changed = "select count(*) from console.event where convert_from(body, 'UTF8') like %s"
    assert fetch(changed, ('%"type":"record_changed"%',)) == [(1,)]
    with db.transaction() as connection:
        policy_store.write(
            connection, added=access.parse("p, role:operator, *, collection:contact, update, deny")
        )
    access.refresh()
    shut = import_batches.look(
        company.olivia,
        "contact",
        imports.Question(asked.file, {"0": "name", "1": "email"}, "email", change=True),
    )
    assert counts(shut) == (0, 0, 2, 1)
    assert why(shut) == {4: ["You may see this contact, but not change it."]}


def test_who_may_not_add_contacts_imports_none(club: "Pages") -> None:
    club.rosa.get(URL, status=403)
    club.stan.get(URL, status=404)
    club.olivia.get("/import/c/customer", status=403)


def test_a_file_is_imported_once_and_one_file_at_a_time(club: "Pages") -> None:
    company, looked = club.company, kept(club.company, FILE)
    with alone("contacts of contact"):
        waits = import_batches.confirm(company.olivia, looked.id)
        assert (waits.status, waits.done) == ("running", 0)
    assert import_batches.confirm(company.olivia, looked.id).id == waits.id
    with suppress(PutBack):
        work_until_idle({jobs.IMPORT})
    assert import_batches.get(company.olivia, waits.id).new == 1
    assert imported(company, FILE).new == 0


def test_a_heading_names_no_field_that_is_hidden_from_the_reader(club: "Pages") -> None:
    with db.transaction() as connection:
        policy_store.write(
            connection, added=access.parse("p, role:operator, *, field:contact/country, read, deny")
        )
    access.refresh()
    assert list(kept(club.company, FILE).question.columns.values()) == ["name", "email", "stage"]


AGREED = (
    "Name,E-mail,Mobile,Stage,Country,SMS consent,Call by an AI consent,Consent date,Consent source\n"
    "Zoë Müller,zoe@post.example,+49 30 23125 555,new,DE,yes,no,2026-05-01,web form\n"
    "Liv Berg,liv@post.example,+47 22 12 34 56,new,NO,Yes,x,2026-05-02,\n"
    "Max Moll,max@post.example,,new,DE,perhaps,,,\n"
    "Eva Falk,eva@post.example,,new,DE,no,,,\n"
    "Ida Lund,ida@post.example,,new,DE,yes,,2999-01-01,fair\n"
)


def test_consent_is_taken_from_columns_and_what_they_lack_is_asked_once_for_all(club: "Pages") -> None:
    access.grant("operator", "collection:consent", ["create"], team="operations")
    looked = sent(club, AGREED.encode())
    form = club.olivia.get(looked).forms[-1]["fields"]
    assert (form["c.5"], form["c.6"], form["c.8"]) == ("", "", "told:source"), (
        "no column is taken for consent"
    )
    where = posted(club, looked, {**form, "c.5": "consent:sms", "c.6": "consent:ai_call", "do": "look"})
    page = club.olivia.get(where)
    assert "“yes” on 3 lines" in page.text
    assert "5 words in columns of consent give none, because nobody has said what they mean." in page.text
    said = {
        "w.5": ["yes", "perhaps", "no"],
        "m.5": ["=yes", "", "=no"],
        "w.6": ["no", "x"],
        "m.6": ["=no", "=yes"],
    }
    where = posted(club, where, {**page.forms[-1]["fields"], **said, "do": "look"})
    page = club.olivia.get(where)
    assert "3 contacts can be added" in page.text
    assert "with 1 consent" in page.text
    for reason in ("Of the consent source must be known", "is in the future."):
        assert reason in page.text
    form = page.forms[-1]["fields"]
    typed = {
        **form,
        **said,
        "do": "look",
        "t.source": "text",
        "v.source": "fair",
        "t.text_version": "text",
        "v.text_version": "2026-01",
    }
    again = posted(club, where, typed)
    done = club.olivia.get(posted(club, again, {"do": "import"}))
    assert "4 added, finished" in done.text
    assert told_of("contact", "consent_given") == 2, "one event for each of the two who have agreed"
    known = contacts.known_contact("contact", "7")
    assert known.name == "Zoë Müller"
    given = known.consent["sms"]
    assert given.given
    assert (given.source, given.text_version, str(given.at)[:10]) == ("web form", "2026-01", "2026-05-01")
    assert not known.consent["ai_call"].given


def many(host: str) -> str:
    """A file of thirty who agreed, whose addresses are at this host."""
    lines = "".join(f"Lead {n},l{n}@{host}.example,new,yes,fair,2026-05-01\n" for n in range(30))
    return f"name,email,stage,sms consent,consent source,consent date\n{lines}"


@cases(
    "point",
    [
        "imports.write.before",
        "imports.consents.before",
        "records.commit.before",
        "imports.tell.before",
        "imports.told",
    ],
)
def test_a_process_that_dies_goes_on_and_nobody_is_added_or_told_of_twice(
    club: "Pages", monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    company = club.company
    access.grant("operator", "collection:consent", ["create"], team="operations")
    monkeypatch.setattr(imports, "AT_ONCE", 10)
    before = told_of("contact"), told_of("consent")
    ident = f"{kept(company, many(point.replace('.', '-'))).id}_do"
    broken_at(monkeypatch, point, lambda: import_batches.confirm(company.olivia, ident.removesuffix("_do")))
    work_until_idle({jobs.IMPORT})
    found = import_batches.get(company.olivia, ident)
    assert (found.status, counts(found), found.consents) == ("done", (30, 0, 0, 0), 30)
    assert (told_of("contact") - before[0], told_of("consent") - before[1]) == (30, 30)


def told_of(collection: str, kind: str = "record_changed") -> int:
    """How many events of this kind are about records of this collection: that they were added."""
    events = "select count(*) from console.event where convert_from(body, 'UTF8') like %s and convert_from(body, 'UTF8') like %s"
    return int(fetch(events, (f'%"type":"{kind}"%', f'%"coll":"{collection}"%'))[0][0])


def broken_at(
    monkeypatch: pytest.MonkeyPatch, point: str, confirm: Callable[[], import_batches.Import]
) -> None:
    """What is done at once breaks off the first time that it passes the point, and is left to its job."""
    monkeypatch.setenv("HANDRAIL_FAULT", f"{point}=raise")
    assert confirm().status == "running"
    monkeypatch.delenv("HANDRAIL_FAULT")


def test_an_import_that_is_stopped_keeps_what_it_has_and_tells_of_it(
    club: "Pages", monkeypatch: pytest.MonkeyPatch
) -> None:
    company = club.company
    monkeypatch.setattr(imports, "AT_ONCE", 10)
    looked = kept(company, many("stopped"))
    broken_at(monkeypatch, "imports.tell.before", lambda: import_batches.confirm(company.olivia, looked.id))
    ident = f"{looked.id}_do"
    assert import_batches.cancel(company.olivia, ident).new == 0
    work_until_idle({jobs.IMPORT})
    found = import_batches.get(company.olivia, ident)
    assert (found.status, found.new) == ("cancelled", 10)
    with pytest.raises(NotFound):
        import_batches.get(company.mona, ident)
    monkeypatch.setattr(import_batches, "AT_HAND_S", -1)
    page = club.olivia.get(posted(club, sent(club, many("looked").encode()), {"do": "stop"})).text
    assert [words in page for words in ("lines: nothing was added", "can be added")] == [True, False]


def test_a_file_on_its_way_is_kept_and_one_that_nobody_named_goes(club: "Pages") -> None:
    file = contact_files.keep(
        new_id("imf"), club.company.olivia.id, io.BytesIO(b"name,email\nSam,sam@post.example\n")
    )
    batches.sweep()
    assert file.folder in contact_files.folders(), "its row may come in a moment: no batch names it yet"
    place = contact_files.companion_path(file, "part").parent
    before = place.stat().st_mtime - batches.UNTOUCHED_S - 60
    os.utime(place, (before, before))
    batches.sweep()
    assert file.folder not in contact_files.folders()


def test_a_nul_character_in_any_cell_refuses_its_line_and_no_other(club: "Pages") -> None:
    text = "name,email,stage,worth\nA\x00b,a@post.example,new,1\nGood,good@post.example,new,2\nC,c\x00@post.example,ne\x00w,1\x00\n"
    found = kept(club.company, text)
    assert (found.status, counts(found)[0], sorted(why(found))) == ("done", 1, [2, 4])
    done = import_batches.confirm(club.company.olivia, found.id)
    assert (done.status, done.new, done.refused) == ("done", 1, 2)
    assert (
        len(
            list(
                csv.reader(
                    io.StringIO(
                        b"".join(left_out_lines.refused_file(club.company.olivia, done.id)).decode(
                            "utf-8-sig"
                        )
                    )
                )
            )
        )
        == 3
    )
