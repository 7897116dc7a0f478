"""Caps count what left a moment before to the same contact and the same address."""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest

from console import runs
from console.infra import jobs
from console.infra.db.engine import fetch
from console.messaging import messages
from tests.company import Company
from tests.jobs import taken
from tests.messaging.messages import reached
from tests.messaging.messages.reached import BRAM, NOON, SAM, line, workflow

SMS = {"id": "sms", "type": "sms", "config": {"text": "Hello {{ record.name }}"}}
ASK = {"id": "ask", "type": "guidance", "config": {"text": "Look"}}


def founded(company: Company, phone: str = "(202) 555-0148") -> None:
    """The club, where Bram lives in Denver too."""
    reached.founded(company)
    moved(company, phone)


def moved(company: Company, phone: str) -> None:
    with closing(sqlite3.connect(company.path.with_name("club.db"))) as connection, connection:
        connection.execute(
            "update contact set phone = ?, country = 'US', time_zone = 'America/Denver' where id = 3",
            (phone,),
        )


@pytest.fixture
def club(company: Company) -> Iterator[Company]:
    founded(company)
    with reached.clock(NOON):
        yield company


def unsent(club: Company, *to: str) -> list[str]:
    """Runs, each of a workflow of its own, whose messages have not left yet, and have no job."""
    slugs = [workflow(f"hello-{number}", [dict(SMS), dict(ASK)]) for number in range(len(to))]
    begun = [
        runs.start(club.olivia, slug, "contact", contact, {}) for slug, contact in zip(slugs, to, strict=True)
    ]
    taken({jobs.SEND_SMS})
    return begun


def ids(run_ids: Sequence[str]) -> list[str]:
    return [fetch("select id from console.message where run = %s", (run_id,))[0][0] for run_id in run_ids]


def send_each(run_ids: Sequence[str]) -> None:
    for each in ids(run_ids):
        messages.send(each)


def test_the_cap_counts_what_left_a_moment_before_to_the_same_contact_and_to_the_same_address(
    club: Company,
) -> None:
    moved(club, "(202) 555-0147")  # another record of the same person
    run_ids = unsent(club, SAM, BRAM, SAM, BRAM, SAM)
    send_each(run_ids)
    told = Counter((line(club, run_id).status, line(club, run_id).message.code) for run_id in run_ids)
    assert told == {("delivered", None): 3, ("skipped", "over_cap"): 2}
