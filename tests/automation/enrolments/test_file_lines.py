"""Files from which people are enrolled, as other programs write them: several columns for an address, numbers that a spreadsheet has shortened."""

import io
from typing import Any

import pytest

from console import workflows
from console.auth import access, accounts
from console.automation import enrolments
from console.automation.enrolments import Question
from console.infra.db.ids import new_id
from console.messaging.imports import contact_files, headings
from tests.company import Company
from tests.messaging.contacts.test_lists_of_others import FLOW, LEADS, ROBOT
from tests.support.contact_club import found_club

NAMED = LEADS | {
    "slug": "named",
    "title": "Named",
    "steps": [
        LEADS["steps"][0]
        | {"config": {"fields": [{"name": "name", "label": "Name"}, {"name": "email", "label": "E-mail"}]}},
        *LEADS["steps"][1:],
    ],
}


@pytest.fixture(name="club")
def fixture_club(company: Company) -> Company:
    found_club(company)
    access.grant("operations_lead", "collection:contact", ["browse", "read"], team="operations")
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    workflows.import_file(FLOW, publish=True)
    workflows.import_file(LEADS, publish=True)
    workflows.import_file(NAMED, publish=True)
    return company


def read(company: Company, slug: str, text: str) -> list[Any]:
    """The candidates that a file makes, with every column of addresses and of numbers chosen as such."""
    actor, target = company.mona, enrolments.find(slug)
    file = contact_files.keep(new_id("enb"), actor.id, io.BytesIO(text.encode()), "list.csv")
    named, lines = contact_files.sample(file, actor.id)
    columns = dict(enrolments.whom_to_enrol.columns_of(actor, target, named, lines))
    for number, heading in enumerate(named):
        chosen = (
            "email"
            if "mail" in heading
            else "phone"
            if "phone" in heading.lower() or heading == "Mobile"
            else None
        )
        if chosen in {field.name for field in target.fields} or (chosen and slug == "hello"):
            columns[str(number)] = chosen
    question = enrolments.whom_to_enrol.with_match(actor, target, Question(file=file, columns=columns))
    return [
        each
        for part, _ in enrolments.whom_to_enrol.chunks(actor, target, question, actor.id, {})
        for each in part
    ]


def test_of_several_columns_the_first_address_that_a_line_has_counts(club: Company) -> None:
    told = read(
        club,
        "leads",
        "E-mail 1,E-mail 2,Mobile,Phone\na@post.example,b@post.example,,+44 7400 000001\nn/a,Bo <bo@post.example>,'+44 7400 000002,x\n",
    )
    assert [dict(each.values) for each in told] == [
        {"email": "a@post.example", "phone": "+44 7400 000001"},
        {"email": "bo@post.example", "phone": "+44 7400 000002"},
    ]


def test_contacts_are_found_by_the_second_column_where_the_first_is_empty(club: Company) -> None:
    found = read(club, "hello", "Work e-mail,Home e-mail\n,sam@post.example\nnobody@post.example,\n")
    assert [each.record is not None for each in found] == [True, False]


def test_each_of_several_addresses_finds_a_contact(club: Company) -> None:
    by_cell = read(
        club,
        "hello",
        "Email\nnobody@post.example; sam@post.example\n"
        '"Nobody <nobody@post.example>, ""Vale, Sam"" <sam@post.example>"\nsam@post.example / SAM@post.example\nnobody@post.example;no@post.example\n',
    )
    assert [each.record is not None for each in by_cell] == [True, True, True, False]
    assert [each["reason"] for each in by_cell[3].wrong] == [
        "No contact has the email on this line: nobody@post.example, no@post.example."
    ]
    by_column = read(club, "hello", "Work e-mail,Home e-mail\nnobody@post.example,sam@post.example\n")
    assert [each.record for each in by_column] == [by_cell[0].record], "the second column names the contact"


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        ("+44 7400 000001; +44 7400 000002", ("+44 7400 000001", "+44 7400 000002")),
        ("+44 7400 000001 / 07400 000002", ("+44 7400 000001", "07400 000002")),
        ("p:+447400000001 ::: tel:+447400000002", ("+447400000001", "+447400000002")),
        ("0711/1234567", ("0711/1234567",)),
        ("+44 7400 000001, ext. 12", ("+44 7400 000001, ext. 12",)),
        ("", ()),
    ],
)
def test_numbers_of_a_cell(cell: str, numbers: tuple[str, ...]) -> None:
    assert headings.numbers_in(cell) == numbers


@pytest.mark.parametrize(
    ("cell", "addresses"),
    [
        ("a@post.example", ("a@post.example",)),
        ("Bo <bo@post.example>", ("bo@post.example",)),
        (
            "a@post.example b@post.example|c@post.example",
            ("a@post.example", "b@post.example", "c@post.example"),
        ),
        ("mailto:a@post.example,o'neil@post.example", ("a@post.example", "o'neil@post.example")),
        ("'a@post.example'; 'b@post.example'", ("a@post.example", "b@post.example")),
        ("nobody", ("nobody",)),
        ("", ()),
    ],
)
def test_addresses_of_a_cell(cell: str, addresses: tuple[str, ...]) -> None:
    assert headings.addresses_in(cell) == addresses
