"""A contact book: a database of its own with contacts and consents, used like any other source."""

from collections.abc import Iterator

import psycopg
import pytest

from console import browse, sources
from console.actions import record_changes
from console.browse import BrowseQuery, tags
from console.core.errors import Conflict, Invalid, NotAllowed
from console.infra.db import engine, server
from console.messaging import contacts
from console.records import connect
from console.sources import contact_books
from tests.company import Company

ALL = {"operator": [*sources.GRANTED, *sources.GRANTABLE]}


@pytest.fixture(name="names")
def fixture_names() -> Iterator[list[str]]:
    """Names of books whose databases are dropped afterwards."""
    names: list[str] = []
    yield names
    connect.dispose()
    admin = server.administrator()
    assert admin is not None
    for name in names:
        server.drop(admin, f"{contact_books.PREFIX}{name}")


def test_a_book_is_a_source_with_contacts_that_can_be_reached(company: Company, names: list[str]) -> None:
    names.append("leads")
    made = contact_books.create(company.ines, "leads", ALL)
    assert [collection.id for collection in made] == ["leads.contact", "leads.consent"]
    sam = {
        "name": "Sam Whitfield",
        "email": "sam@post.example",
        "country": "US",
        "time_zone": "America/Denver",
    }
    key = record_changes.create(company.olivia, "leads.contact", sam).key or ""
    record_changes.create(
        company.olivia,
        "leads.consent",
        {
            "contact_id": int(key),
            "channel": "sms",
            "state": "given",
            "source": "web form",
            "text_version": "1",
        },
    )
    found = contacts.known_contact("leads.contact", key)
    assert (found.name, found.zone, found.consent["sms"].given, found.consent["email"].given) == (
        "Sam Whitfield",
        "America/Denver",
        True,
        False,
    )
    browse.change(
        company.olivia, "leads.contact", key, {"stage": "engaged", "do_not_contact": True}, {"stage": "new"}
    )
    assert contacts.known_contact("leads.contact", key).do_not_contact
    assert tags.put(company.olivia, "leads.contact", [key], "vip").changed == 1
    assert (
        browse.page(
            company.olivia,
            "leads.contact",
            BrowseQuery(filter='{"field": "tags", "op": "eq", "value": "vip"}'),
        )
        .rows[0]
        .key
        == key
    )
    with pytest.raises(Conflict):
        contact_books.create(company.ines, "leads", ALL)


def test_what_cannot_be_is_said_with_its_field_and_leaves_nothing(company: Company, names: list[str]) -> None:
    with pytest.raises(NotAllowed):
        contact_books.create(company.olivia, "leads", ALL)

    def refused(name: str = "leads", url: str = "") -> str:
        with pytest.raises((Invalid, Conflict)) as wrong:
            contact_books.create(company.ines, name, ALL, url)
        return str(wrong.value.details[0]["field"])

    assert refused("1 book") == "name"
    assert refused("company") == "name"
    for url in (
        "mysql://a:b@127.0.0.1/x",
        "nonsense",
        "9",
        "postgresql://a:b@127.0.0.1:port/x",
        "postgresql://[/x",
    ):
        assert refused(url=url) == "url"
    names.append("old")
    admin = server.administrator()
    assert admin is not None
    own = engine.app_url()
    server.create(admin, f"{contact_books.PREFIX}old", own.username or server.owner())
    assert refused("old") == "name"
    url = own.set(database=f"{contact_books.PREFIX}old", drivername="postgresql").render_as_string(
        hide_password=False
    )
    with psycopg.connect(url) as there:
        there.execute("create table contact (id integer primary key)")
    assert refused("other", url) == "url"
    assert {head.name for head in sources.list_all()} == {"company"}
