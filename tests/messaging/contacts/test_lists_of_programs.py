"""Lists as programs of mail, sales and forms export them: nobody who left or bounced becomes reachable, no note becomes a contact, nobody becomes another."""

import io
import sqlite3
import zlib
from contextlib import closing
from typing import Any

import pytest

from console.auth import access
from console.messaging.imports import import_batches
from console.messaging.imports.import_batches import Import
from console.messaging.messages import recipients
from tests.company import Company
from tests.support.contact_club import CONTACT, found_club
from tests.support.contact_lists import chosen
from tests.tables import cases

pytestmark = pytest.mark.lengthy

MAILED = CONTACT["contact"] | {"consent": CONTACT["contact"]["consent"] | {"email": {"table": "consent"}}}


@pytest.fixture(autouse=True)
def club(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONTACT, "contact", MAILED)
    found_club(company)
    access.grant("operator", "collection:contact", ["create"], team="operations")
    access.grant("operator", "collection:consent", ["create"], team="operations")


def looked(company: Company, text: str, name: str = "list.csv") -> Import:
    return chosen(
        company.olivia, import_batches.keep(company.olivia, "contact", io.BytesIO(text.encode()), name)
    )


def values(company: Company, found: Import) -> list[dict[str, Any]]:
    _, lines = import_batches.first_lines(company.olivia, found)
    return [{name: value for name, value in line.values.items() if value not in (None, "")} for line in lines]


@cases(
    "heading, cell, open_channels",
    [
        ("Bounced", "yes", {"sms"}),
        ("Bounced", "0", {"email", "sms"}),
        ("Unsubscribed", "x", set()),
        ("Unsubscribed", "active", {"email", "sms"}),
        ("SMS opt out", "1", {"email"}),
        ("Unsubscribed at", "2026-06-01", set()),
        ("Unsubscribed at", "2026-04-01", {"email", "sms"}),
    ],
)
def test_who_left_or_bounced_there_is_not_reached_here(
    company: Company, heading: str, cell: str, open_channels: set[str]
) -> None:
    number = zlib.crc32(f"{heading} {cell}".encode())
    text = (
        f"Name,Email,Phone,Stage,E-mail consent,SMS consent,Consent source,Consent at,{heading}\n"
        f'Bo,bo{number}@post.example,+4670{number % 10**7:07},new,yes,yes,fair,2026-05-01,"{cell}"\nCy,cy@post.example,,new,,,,,\n'
    )
    import_batches.confirm(company.olivia, looked(company, text).id)
    with closing(sqlite3.connect(company.path.with_name("club.db"))) as club_db:
        [(key,)] = club_db.execute(
            "select id from contact where email = ?", (f"bo{number}@post.example",)
        ).fetchall()
    consent = recipients.contact_at("contact", str(key)).consent
    assert {channel for channel, each in consent.items() if each.given} == open_channels


def test_what_is_no_address_makes_no_two_people_one(company: Company) -> None:
    text = "Name,Email,Stage\nEwa,Info Requested,new\nEve,Info Requested,new\n"
    assert looked(company, text).new == 2
    import_batches.confirm(company.olivia, looked(company, text).id)
    again = looked(company, "Name,Email,Stage\nAda,Info Requested,new\n")
    assert again.new == 1, "Ada is neither Ewa nor Eve"


@cases(
    "head, line",
    [
        ("Subscriber,Name", "bo@post.example,Bo"),
        ('"And your email, Bo?",Name', "bo@post.example,Bo"),
    ],
)
def test_the_address_is_known_whatever_its_column_is_called(company: Company, head: str, line: str) -> None:
    assert values(company, looked(company, f"{head}\n{line}\n"))[0] | {"stage": ""} == {
        "name": "Bo",
        "email": "bo@post.example",
        "stage": "",
    }
