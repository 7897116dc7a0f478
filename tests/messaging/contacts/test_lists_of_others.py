"""Lists that nobody here wrote: with other capitals, telephone numbers written otherwise, without a heading. They find the contacts that they mean, and no others."""

import io
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from console import workflows
from console.auth import access, accounts
from console.automation import enrolments
from console.automation.enrolments import Question
from console.messaging.imports import existing_contacts, import_batches
from console.records import collection
from tests.company import Company
from tests.jobs import work_until_idle
from tests.support.contact_club import found_club
from tests.tables import cases

pytestmark = pytest.mark.lengthy

ROBOT = "robot@fernwick.example"

FLOW: dict[str, Any] = {
    "format": 1,
    "slug": "hello",
    "title": "Hello",
    "collection": "contact",
    "team": "operations",
    "run_as": ROBOT,
    "steps": [
        {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "rest"}},
        {
            "id": "rest",
            "type": "wait",
            "title": "Rest",
            "config": {"duration": "days(1)"},
            "next": {"default": "end"},
        },
        {"id": "end", "type": "end", "title": "End", "config": {}, "next": {}},
    ],
}

LEADS = FLOW | {
    "slug": "leads",
    "title": "Leads",
    "collection": None,
    "steps": [
        {
            "id": "start",
            "type": "start",
            "title": "Start",
            "config": {
                "fields": [
                    {"name": "email", "label": "E-mail", "required": True},
                    {"name": "phone", "label": "Phone"},
                ]
            },
            "next": {"default": "rest"},
        },
        *FLOW["steps"][1:],
    ],
}

MORE = (
    (10, "Gwen", "Gwen.Hall@Post.example", "+44 (0)7400 000010", "GB"),
    (11, "Hugo", "hugo@post.example", "07400 000011", "GB"),
    (12, "Iris", "iris@post.example", "00447400000012", None),
    (13, "Jan", "jan@post.example", "447400000013", None),
    (14, "Kim", "kim@post.example", "07400 000014", None),
    (15, "Lea", "LEA@post.example", "+49 7400 000015", "DE"),
    (16, "Max", "lea@post.example", "+44 7400-000015", "GB"),
    (17, "Nia", "nia@post.example", "+41 41 550 10 00", "CH"),
)


@pytest.fixture(name="club")
def fixture_club(company: Company) -> Company:
    path = found_club(company)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "insert into contact (id, name, email, phone, country, stage) values (?, ?, ?, ?, ?, 'new')", MORE
        )
    access.grant("operator", "collection:contact", ["create"], team="operations")
    return company


@pytest.fixture(name="flow")
def fixture_flow(club: Company) -> Company:
    access.grant("operations_lead", "collection:contact", ["browse", "read"], team="operations")
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    workflows.import_file(FLOW, publish=True)
    workflows.import_file(LEADS, publish=True)
    return club


FOUND = cases(
    ("field", "given", "keys"),
    [
        pytest.param("email", "gwen.hall@POST.example", [10], id="other capitals"),
        pytest.param("email", "Lea@post.example", [16], id="the usual spelling of an address first"),
        pytest.param("phone", "+44 (0)7400 000010", [10], id="as it is written there"),
        pytest.param("phone", "+447400000010", [10], id="without blanks"),
        pytest.param("phone", "0044-7400-000010", [10], id="with strokes"),
        pytest.param("phone", "+44 7400 000011", [11], id="a number of a country without it there"),
        pytest.param("phone", "447400000012", [12], id="as a spreadsheet leaves it"),
        pytest.param("phone", "+44 7400 000013", [13], id="with a + where the database has none"),
        pytest.param("phone", "07400000014", [14], id="by its digits alone"),
        pytest.param("phone", "+44 7400 000014", [], id="not by a country that nobody has told"),
        pytest.param("phone", "07400 000015", [15, 16], id="a number that two countries have"),
        pytest.param("phone", "+49 (0) 7400 000015", [15], id="one of the two"),
        pytest.param("phone", "(415) 550-100", [], id="no number of another country by chance"),
        pytest.param("phone", "+1 415 550 1000", [], id="no Swiss number by its digits"),
        pytest.param("phone", "none", [], id="words"),
    ],
)


@FOUND
def test_contacts_are_found_however_their_address_or_number_is_written(
    club: Company, field: str, given: str, keys: list[int]
) -> None:
    scope = access.scope_for(club.olivia, "contact", "read")
    found = existing_contacts.by_value(
        collection("contact"), scope, field, [given, "nobody@nowhere.example"], [field]
    )
    assert sorted(int(str(each.key)) for those in found.values() for each in those) == keys


def test_a_list_of_numbers_written_otherwise_enrols_whom_it_means(flow: Company) -> None:
    rows = [{"phone": number} for number in ("+447400000010", "07400000015", "0031 20 7946000", "000")]
    batch = enrolments.batches.begin(flow.olivia, "hello", Question(rows=rows), preview=True)
    answers, _ = enrolments.batches.answers(flow.olivia, batch.id)
    assert batch.enrolled == 2
    assert [each.reasons[0]["reason"] for each in answers] == [
        "2 contacts have the phone on this line: 07400000015.",
        "No contact has the phone on this line: 000.",
    ]


def test_a_text_that_is_no_address_means_one_record_letter_by_letter(flow: Company) -> None:
    rows = [{"name": name} for name in ("Kim", "kim", "KIM", "Sam Whitfield")]
    batch = enrolments.batches.begin(flow.olivia, "hello", Question(rows=rows), preview=True)
    answers, _ = enrolments.batches.answers(flow.olivia, batch.id)
    assert (batch.enrolled, [each.reasons[0]["reason"] for each in answers]) == (
        2,
        ["No contact has the name on this line: kim.", "No contact has the name on this line: KIM."],
    )


def test_an_import_without_a_heading_adds_the_first_line_too_and_finds_who_is_there(club: Company) -> None:
    text = "Oda Nilsen,oda@post.example,new\nGwen,gwen.hall@post.example,new\n"
    found = import_batches.keep(club.olivia, "contact", io.BytesIO(text.encode()))
    assert found.question.columns == {"1": "email"}
    columns = {"0": "name", "1": "email", "2": "stage"}
    found = import_batches.look_again(club.olivia, found.id, replace(found.question, columns=columns))
    assert (found.new, found.same + found.refused) == (1, 1)
    import_batches.confirm(club.olivia, found.id)
    work_until_idle({"import_contacts"})
    with closing(sqlite3.connect(club.path.with_name("club.db"))) as connection:
        assert connection.execute("select name, email from contact where email like 'oda%'").fetchall() == [
            ("Oda Nilsen", "oda@post.example")
        ]
