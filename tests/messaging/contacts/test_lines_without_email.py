"""Lines of a file that name nobody by an e-mail address are found by the telephone number, and two ways to write a number are one person."""

import io
import sqlite3
from contextlib import closing

import pytest

from console.auth import access
from console.messaging.imports import import_batches
from tests.company import Company
from tests.support.contact_club import found_club


@pytest.fixture(name="club")
def fixture_club(company: Company) -> Company:
    path = found_club(company)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "insert into contact (id, name, email, phone, country, stage) values (30, 'Nobody', null, '+37061299994', 'LT', 'new')"
        )
        connection.execute(
            "insert into contact (id, name, email, phone, country, stage) values (31, 'Shared', 's@post.example', '+37061299990', 'LT', 'new')"
        )
    access.grant("operator", "collection:contact", ["create"], team="operations")
    return company


def looked_at(club: Company, *lines: str) -> tuple[int, int]:
    """How many contacts a file with these lines would add, and how many lines are refused."""
    text = "\n".join(("name,email,phone,country,stage", *lines, ""))
    found = import_batches.keep(club.olivia, "contact", io.BytesIO(text.encode()))
    assert found.question.match == "email"
    return found.new, found.refused


def test_a_line_without_an_address_is_found_by_its_number(club: Company) -> None:
    assert looked_at(club, "Nobody,,+37061299994,LT,new", "New,new@post.example,+37061299994,LT,new") == (
        1,
        1,
    )
    assert looked_at(club, "Nobody,,0037061299994,LT,new") == (0, 1), "however it is written"
    assert looked_at(club, "Other,,+37061299990,LT,new") == (1, 0), (
        "who has an address is not taken for somebody who shares the number"
    )
    assert looked_at(club, "Her husband,,+37061299994,LT,new") == (1, 0), (
        "nor somebody of another name, whom the file would rename"
    )
    assert looked_at(club, "NOBODY,,+37061299994,LT,new") == (0, 1)
    assert looked_at(club, "Anybody,,,LT,new") == (1, 0)


def test_a_number_written_otherwise_is_the_same_person(club: Company) -> None:
    assert looked_at(
        club,
        "A,,+37061299977,LT,new",
        "A,,8 612 99977,LT,new",
        "a,,0037061299977,LT,new",
        "A,,+37061299978,LT,new",
    ) == (2, 2)
    assert looked_at(club, "A,,+37061299977,LT,new", "B,,+37061299977,LT,new") == (2, 0), (
        "two who share a number"
    )
    text = "name,phone,country,stage\nA,+37061299977,LT,new\nB,8 612 99977,LT,new\n"
    found = import_batches.keep(club.olivia, "contact", io.BytesIO(text.encode()))
    assert (found.question.match, found.new, found.refused) == ("phone", 1, 1)
