"""All that is wrong with a line of a file is told at once, each thing once, and of very many things only so many."""

import io
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from console.auth import access
from console.core.scopes import unrestricted
from console.messaging.imports import import_batches, imports
from console.messaging.imports.import_batches import Import
from console.records import get
from tests.company import Company
from tests.support.contact_club import found_club

HEADING = "name,email,phone,country,time_zone,stage,worth"


@pytest.fixture(name="club")
def fixture_club(company: Company) -> Company:
    path = found_club(company)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "insert into contact (id, name, email, stage) values (30, 'Kim', 'kim@post.example', 'new')"
        )
    access.grant("operator", "collection:contact", ["create"], team="operations")
    return company


def looked_at(club: Company, *lines: str) -> Import:
    return import_batches.keep(club.olivia, "contact", io.BytesIO("\n".join((HEADING, *lines, "")).encode()))


def problems(club: Company, line: str) -> list[str]:
    """What the preview says of a file with this line alone."""
    told = looked_at(club, line)
    assert (told.new, told.refused) == (0, 1)
    _, [first] = import_batches.first_lines(club.olivia, told)
    [(_, reasons)] = import_batches.refused(told.id)
    assert list(first.reasons) == reasons
    return reasons


def test_all_problems_of_a_line_are_told(club: Company) -> None:
    assert problems(club, ",new@post.example,4.71235E+10,Atlantis,Mars/Base,nonsense,much") == [
        "There is no country Atlantis; write its two letters, such as DE, or its name.",
        "A spreadsheet has shortened Phone to 4.71235E+10: the last digits are lost. Make the column text there.",
        "Stage “nonsense” is none of New, Engaged, Lost.",
        "Name is needed.",
        "There is no time zone Mars/Base; one looks like Europe/Vilnius.",
        "Worth: This must be a number, such as 12.50.",
    ]


def test_that_a_contact_is_there_already_is_told_beside_what_is_wrong(club: Company) -> None:
    assert problems(club, "Kim,kim@post.example,,Atlantis,,new,") == [
        "There is no country Atlantis; write its two letters, such as DE, or its name.",
        "Somebody with this Email is there already.",
    ]


def test_a_line_that_cannot_be_read_as_a_whole_has_one_problem(club: Company) -> None:
    assert problems(club, ",x@post.example,,Atlantis,,nonsense,,,,more") == [
        "It has 10 values and the heading 7."
    ]


def test_what_is_told_for_all_fills_the_empty_cells_of_a_column_and_changes_nobody(club: Company) -> None:
    text = (
        "name,email,stage\nLea,lea@post.example,\nBo,bo@post.example,lost\nKenji Morita,kenji@post.example,\n"
    )
    looked = import_batches.keep(club.olivia, "contact", io.BytesIO(text.encode()))
    assert dict(import_batches.refused(looked.id)) == {
        2: ["Stage is needed."],
        4: ["Somebody with this Email is there already."],
    }
    question = replace(looked.question, change=True, same={f"{imports.ALL}stage": "new"})
    wrong = import_batches.look_again(
        club.olivia, looked.id, replace(question, same={f"{imports.ALL}stage": "odd"})
    )
    assert list(dict(import_batches.refused(wrong.id))) == [2]
    again = import_batches.look_again(club.olivia, looked.id, question)
    assert (again.new, again.changed, again.same, again.refused) == (2, 0, 1, 0)
    import_batches.confirm(club.olivia, again.id)
    assert [get("contact", key, unrestricted("contact")).values["stage"] for key in ("31", "32", "5")] == [
        "new",
        "lost",
        "engaged",
    ]
    changed = import_batches.keep(
        club.olivia, "contact", io.BytesIO(b"name,email,stage\nKenji Morita,kenji@post.example,new\n")
    )
    given = import_batches.look_again(
        club.olivia, changed.id, replace(changed.question, change=True, same={f"{imports.ALL}stage": "new"})
    )
    assert given.changed == 1, "what the cell says is no filling"
