"""Contacts from a file: what each line becomes, why a line is left out, encodings, and who may."""

import io
from typing import TYPE_CHECKING

import pytest

from console import access, collections, contacts, db
from console.access import policy_store
from console.contacts import imports
from console.db import engine
from console.enrolments import contact_files
from console.errors import Invalid
from tests.services.contact_club import found_club
from tests.tables import cases

if TYPE_CHECKING:
    from tests.views.conftest import Pages

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


def test_each_line_is_shown_before_it_is_added_and_says_why_it_is_not(club: "Pages") -> None:
    assert URL in club.olivia.get("/c/contact?segment=").html
    token = club.olivia.get(URL).form(URL)["fields"]["csrf_token"]
    page = club.olivia.post(URL, {"csrf_token": token, "file": (io.BytesIO(FILE.encode("cp1252")), "leads.csv")}, status=200)
    assert "1 can be added, 4 cannot" in page.text
    assert "Zoë Müller" in page.text
    assert "no field is left for them: Shoe size" in page.text
    for reason in ("Name is needed.", "is there already.", "Stage is none of New, Engaged, Lost.", "stands on a line before."):
        assert reason in page.text
    assert club.company.path.with_name("club.db").exists()
    done = club.olivia.post(URL, page.form(URL)["fields"] | {"go": "1"}, status=200)
    assert "1 added; 4 not" in done.text
    assert "Zoë Müller" in club.olivia.get("/c/contact?segment=").text


def test_what_the_database_or_a_rule_would_refuse_is_said_before_anything_is_added(club: "Pages") -> None:
    olivia, ines = club.company.olivia, club.company.ines
    document = collections.open_collection(ines, "contact").document.to_json()
    rules = [{"if": "record.worth == null || record.worth < 1000", "message": "Too dear."}]
    changed = {name: value for name, value in {**document, "validation": rules}.items() if value is not None}
    collections.publish(ines, "contact", collections.save(ines, "contact", 0, changed))
    sheet = imports.read(olivia, "contact", "name,stage,time zone,worth\nA,,Mars/Phobos,1\nB,new,Europe/Oslo,2000\nC,new,Europe/Oslo,2\n")
    assert [line.reasons for line in sheet.lines] == [
        ("Stage is needed.", "There is no time zone Mars/Phobos; one looks like Europe/Vilnius."),
        ("Too dear.",),
        (),
    ]
    assert imports.add(olivia, "contact", "name,stage\nC,new\n")[0] == 1


@cases(
    ("content", "words"),
    [
        (b"", "a heading and at least one line"),
        (b"name\n", "at least one line"),
        (b"shoe,hat\n1,2\n", "No heading"),
        (b"x" * 1_000_001, "at most 1,000 kB"),
    ],
)
def test_a_file_that_cannot_be_used_says_so(club: "Pages", content: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        imports.read(club.company.olivia, "contact", *imports.decode(content))


@cases("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_usual_encodings_are_read(encoding: str) -> None:
    assert "Zoë Müller" in imports.decode((FILE * 5).encode(encoding))[0]


@cases(
    "text, encoding",
    [
        ("Name;E-mail\nJosé Muñoz;jm@post.example\n", "cp1252"),
        ("Name;Ort\nJörg Müller;Köln\n“Groß” – Düsseldorf;x\n", "cp1252"),
        ("namn;stad\nÅsa Öberg;Malmö\n", "cp1252"),
        ("nome;cidade\nJoão Conceição;São Paulo\n", "cp1252"),
        ("imię;miasto\nŁukasz Wiśniewski;Łódź\nGrażyna Żak;Kraków\n", "cp1250"),
        ("vardas;miestas\nŽygimantė Šimkutė;Šiauliai\nVytautas Čepaitis;Kėdainiai\n", "cp1257"),
        ("имя;город\nИван Петров;Москва\n", "cp1251"),
    ],
)
def test_names_in_older_encodings_keep_their_letters(text: str, encoding: str) -> None:
    assert imports.decode(text.encode(encoding)) == (text, encoding)


def test_a_file_of_whom_to_enrol_is_read_in_its_encoding_and_with_any_ends_of_lines(club: "Pages") -> None:
    text, person = 'Name;E-mail\nJosé Muñoz;jm@post.example\n"Two\nlines";x@post.example\n', club.company.olivia.id
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"):
        for number, end in enumerate(("\n", "\r\n", "\r")):
            kept = contact_files.keep(f"enf_{encoding}{number}", person, io.BytesIO(text.replace("\n", end).encode(encoding)))
            read = [row.cells for row in contact_files.rows(kept, person)]
            assert read == [["Name", "E-mail"], ["José Muñoz", "jm@post.example"], ["Two\nlines", "x@post.example"]]


def test_whoever_sends_the_file_chooses_another_encoding_and_sees_it_before_anything_is_added(club: "Pages") -> None:
    token = club.olivia.get(URL).form(URL)["fields"]["csrf_token"]
    sent = "Full name;E-Mail;Stage\nGábor Szűcs;gabor@post.example;new\n".encode("cp1250")
    page = club.olivia.post(URL, {"csrf_token": token, "file": (io.BytesIO(sent), "leads.csv")}, status=200)
    assert "Gábor Szûcs" in page.text, "these letters may be either"
    fields = page.form(URL)["fields"]
    seen = club.olivia.post(URL, fields | {"encoding": "cp1250", "go": "1"}, status=200)
    assert "Gábor Szűcs" in seen.text
    assert "1 can be added" in seen.text, "nothing is added unseen"
    assert "1 added" in club.olivia.post(URL, seen.form(URL)["fields"] | {"go": "1"}, status=200).text
    wrong = club.olivia.post(URL, fields | {"encoding": "utf-8-sig"}, status=422)
    assert "The file is not in UTF-8: choose another encoding" in wrong.text


def test_binary_files_are_no_text() -> None:
    for content in (b"PK\x03\x04" + bytes(range(256)) * 9, bytes(2000)):
        with pytest.raises(Invalid):
            imports.decode(content)


def test_who_may_not_add_contacts_imports_none(club: "Pages") -> None:
    club.rosa.get(URL, status=403)
    club.stan.get(URL, status=404)
    club.olivia.get("/import/c/customer", status=404)


def test_a_file_that_is_sent_twice_at_once_is_added_once(club: "Pages") -> None:
    olivia = club.company.olivia
    with engine.alone("contacts of contact"):
        page = club.olivia.post(URL, {"csrf_token": club.olivia.token, "content": FILE, "go": "1"}, status=409)
        assert "Another file is being added" in page.text
        assert page.form(URL)["fields"]["content"] == FILE, "nothing that was chosen is lost"
    assert [imports.add(olivia, "contact", FILE)[0] for _ in range(2)] == [1, 0]


def test_a_heading_names_no_field_that_is_hidden_from_the_reader(club: "Pages") -> None:
    with db.transaction() as connection:
        policy_store.write(connection, added=access.parse("p, role:operator, *, field:contact/country, read, deny"))
    access.refresh()
    sheet = imports.read(club.company.olivia, "contact", FILE)
    assert [field.name if field else None for _, field in sheet.columns] == ["name", "email", "stage", None, None]


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
    page = club.olivia.post(URL, {"csrf_token": club.olivia.token, "file": (io.BytesIO(AGREED.encode()), "leads.csv")}, status=200)
    assert "2 can be added, 3 cannot" in page.text
    assert "SMS: 1 agreed, Calls by an AI: 0 agreed" in page.text
    for reason in ("“perhaps” says neither", "Of the consent source must be known", "is in the future."):
        assert reason in page.text
    sheet = imports.read(club.company.olivia, "contact", AGREED, same={"source": "fair"})
    assert [line.reasons == () for line in sheet.lines] == [True, True, False, True, False]
    assert sheet.unused == []
    fields = page.form(URL)["fields"] | {"t.text_version": "text", "v.text_version": "2026-01"}
    done = club.olivia.post(URL, fields | {"go": "1"}, status=200)
    assert "2 added, with 1 consent; 3 not" in done.text
    known = contacts.known_contact("contact", "7")
    assert known.name == "Zoë Müller"
    assert known.consent["sms"].given
    assert (known.consent["sms"].source, known.consent["sms"].text_version, str(known.consent["sms"].at)[:10]) == (
        "web form",
        "2026-01",
        "2026-05-01",
    )
    assert not known.consent["ai_call"].given


def test_a_file_without_consent_says_that_nobody_will_be_reached(club: "Pages") -> None:
    told = "No column says who agreed to be reached"
    assert told not in club.olivia.post(URL, {"csrf_token": club.olivia.token, "content": FILE}, status=200).text, "who may add none"
    access.grant("operator", "collection:consent", ["create"], team="operations")
    page = club.olivia.post(URL, {"csrf_token": club.olivia.token, "content": FILE}, status=200)
    assert told in page.text
    done = club.olivia.post(URL, page.form(URL)["fields"] | {"go": "1"}, status=200)
    assert "The file said nothing about consent" in done.text
