"""Values of a file that are none of the options of their field, and what somebody says that they mean."""

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from console import records
from console.auth import access
from console.core.errors import Invalid
from console.infra import jobs
from console.messaging.imports import cell_meanings, import_batches, imports
from console.sources import collections
from tests.jobs import work_until_idle
from tests.views.test_contact_import import club, counts, kept, posted, sent, why  # noqa: F401 (a fixture)

if TYPE_CHECKING:
    from tests.views.conftest import Pages


def test_a_value_that_stands_in_the_contact_may_stay_though_it_is_none_of_the_options(club: "Pages") -> None:  # noqa: F811 (the fixture)
    ines, company = club.company.ines, club.company
    document = collections.open_collection(ines, "contact").document.to_json()
    fields = {**document["fields"], "stage": {"options": ["engaged", "lost"]}}
    changed = {name: value for name, value in {**document, "fields": fields}.items() if value is not None}
    collections.publish(ines, "contact", collections.save(ines, "contact", 0, changed))
    lines = "email,stage,country\nsam@post.example,new,CA\nana@post.example,new,LT\nkenji@post.example,new,JP\nq@post.example,new,JP\n"
    asked = kept(company, lines).question
    found = import_batches.look(
        company.olivia, "contact", imports.Question(asked.file, asked.columns, asked.match, change=True)
    )
    assert counts(found) == (0, 1, 1, 2)
    assert {
        line: "Stage “new” is none of Engaged, Lost." in reasons for line, reasons in why(found).items()
    } == dict.fromkeys((4, 5), True)


def test_words_of_another_program_are_named_and_read_as_what_somebody_says_that_they_mean(
    club: "Pages",  # noqa: F811 (the fixture)
) -> None:
    company = club.company
    text = "name,email,stage\nA,a@post.example,Lead\nB,b@post.example,Kunde\nC,c@post.example,LEAD\nD,d@post.example,new\n"
    found = kept(company, text)
    number = next(number for number, name in found.question.columns.items() if name == "stage")
    assert (counts(found), found.unknown) == ((1, 0, 0, 3), {number: {"Lead": 2, "Kunde": 1}})
    page, url = club.olivia.get(f"/imports/{found.id}"), f"/imports/{found.id}"
    assert "2 words are not known here" in page.text
    assert "on 2 lines" in page.text
    token = page.form(url)["fields"]["csrf_token"]
    columns = {f"c.{n}": name for n, name in found.question.columns.items()}
    sent = {
        "csrf_token": token,
        "do": "look",
        "match": "email",
        **columns,
        f"w.{number}": ["Lead", "Kunde"],
        f"m.{number}": ["=new", "="],
    }
    again = import_batches.get(company.olivia, posted(club, url, sent).rsplit("/", 1)[1])
    assert (again.question.meanings, again.unknown) == ({number: {"Lead": "new", "Kunde": ""}}, {})
    assert [line.values.get("stage") for line in import_batches.first_lines(company.olivia, again)[1]] == [
        "new",
        None,
        "new",
        "new",
    ]
    assert "selected>New</option>" in club.olivia.get(f"/imports/{again.id}").html, "what was said is kept"
    moved = cell_meanings.fitting_meanings(
        records.collection("contact"), replace(again.question, columns={}), again.question.meanings
    )
    assert moved == {}, "a column that is no choice any more means nothing"


def test_the_api_says_which_words_are_unknown_and_is_told_what_they_mean(club: "Pages") -> None:  # noqa: F811 (the fixture)
    company, text = (
        club.company,
        b"name,email,stage,Status\nA,a@post.example,Lead,Paused\nB,b@post.example,new,Active\nC,c@post.example,new,Unsubscribed\n",
    )

    def send(meanings: dict[str, dict[str, str]]) -> import_batches.Import:
        told = {"Status": "optout:email"}
        return import_batches.send(
            company.olivia,
            "contact",
            io.BytesIO(text),
            headings=told,
            match=None,
            change=False,
            same={},
            preview=True,
            meanings=meanings,
        )

    found = send({})
    assert (found.new, found.opted_out, found.unknown) == (
        0,
        0,
        {"2": {"Lead": 1}, "3": {"Paused": 1, "Active": 1, "Unsubscribed": 1}},
    )
    said = send({"stage": {"lead": "new"}, "Status": {"Paused": "no", "active": "no", "*": "opted out"}})
    assert (said.new, said.opted_out, said.unknown) == (3, 1, {})
    with pytest.raises(Invalid) as refused:
        send({"stage": {"Lead": "prospect"}, "email": {"a": "b"}, "Nothing": {"a": "b"}})
    assert [each["field"] for each in refused.value.details] == [
        "meanings.stage.Lead",
        "meanings.email",
        "meanings.Nothing",
    ]


def test_the_page_leads_to_what_was_added_and_takes_it_back(club: "Pages") -> None:  # noqa: F811 (the fixture)
    company = club.company
    where = sent(club, b"Name,E-Mail,Stage\nZoe,zoe@post.example,new\nBo,bo@post.example,new\n")
    there = posted(club, where, {"do": "import"})
    page = club.olivia.get(there)
    assert "Take this import back" not in page.text, "she may not delete"
    [link] = [each for each in page.links if "import_added" in each]
    listed = club.olivia.get(link)
    assert (
        "Zoe" in listed.text,
        "Sam Whitfield" in listed.text,
        "Import that added it" in listed.text,
        "leads.csv" in listed.text,
    ) == (
        True,
        False,
        True,
        True,
    )
    access.grant("operator", "collection:contact", ["delete"], team="operations")
    assert "Take this import back" in club.olivia.get(there).text
    looking = posted(club, there, {"do": "take_back"})
    work_until_idle({jobs.BULK})
    page = club.olivia.get(looking)
    assert ("Take an import back: 2 of 2 records" in page.text, "Delete 2 contacts" in page.text) == (
        True,
        True,
    )
    posted(club, looking, {"do": "go"})
    work_until_idle({jobs.BULK})
    assert "2 deleted" in club.olivia.get(looking).text
    assert "Zoe" not in club.olivia.get("/c/contact?segment=").text
    club.stan.post(there, {"csrf_token": club.stan.token, "do": "take_back"}, status=404)
    assert company.stan
