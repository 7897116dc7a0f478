"""Saying by page that records are people who can be written to: what is offered for a foreign table, what it comes to, and who may say so."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from console import records, sources
from console.auth import access
from console.core.errors import Invalid
from console.messaging import contacts
from console.sources import collections
from tests.company import WORKING

if TYPE_CHECKING:
    from tests.views.conftest import Page, Pages

pytestmark = pytest.mark.lengthy

SQL = """
create table member (member_no integer primary key, first_name text not null, last_name text not null, email text, mobile text, city text, country_code text,
    state text not null check (state in ('trial', 'member', 'lapsed')), email_ok boolean not null, sms_ok boolean not null, do_not_contact boolean not null, password_hash text);
insert into member values
    (1, 'Greta', 'Falk', 'greta@post.example', '070 123 45 67', 'Malmö', 'SE', 'member', 1, 0, 0, 'x'),
    (2, 'Bram', 'de Wit', 'no address', '+31 20 794 6000', 'Delft', 'NL', 'trial', 0, 1, 0, 'x'),
    (3, 'Ana', 'Petrauskė', null, null, 'Kaunas', 'LT', 'lapsed', 1, 1, 1, 'x');
create table visit (id integer primary key, member_no integer not null references member (member_no), at text not null);
create table person (id integer primary key, full_name text not null, mail text, phone text);
insert into person values (1, 'Sam Whitfield', 'sam@post.example', '+1 202 555 0147');
create table permission (id integer primary key, person_id integer not null references person (id), medium text not null check (medium in ('email', 'sms')), agreed text not null, at text not null);
insert into permission values (1, 1, 'email', 'yes', '2026-01-10T10:00:00Z'), (2, 1, 'sms', 'no', '2026-01-10T10:00:00Z');
"""
MEMBER, PERSON = "/settings/collections/gym.member/contacts", "/settings/collections/gym.person/contacts"


@pytest.fixture
def gym(pages: "Pages", tmp_path: Path) -> Path:
    """A foreign database with people in two forms: consent in fields, and in a table."""
    file = tmp_path / "gym.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(SQL)
    sources.add("gym", f"sqlite:///{file}", may={"admin": WORKING})
    access.grant("reviewer", "collection:gym.member", ["browse", "read", "shape"])
    access.refresh()
    return file


def sent(pages: "Pages", path: str, *, do: str = "", status: int = 303, **values: str) -> "Page":
    """The page after its form was sent as it is drawn, with some values replaced (`sms__state` for `sms.state`)."""
    form = pages.ines.get(path).form(path)["fields"]
    return pages.ines.post(
        path,
        form | {name.replace("__", "."): value for name, value in values.items()} | {"do": do},
        status=status,
    )


def published(pages: "Pages", collection: str) -> None:
    changes = pages.ines.get(f"/settings/collections/{collection}/changes")
    pages.ines.send(changes, "/changes", do="publish")


def test_a_foreign_table_of_people_is_offered_tried_and_published(pages: "Pages", gym: Path) -> None:
    assert MEMBER in pages.ines.get("/settings/sources/gym/connected").links
    page = pages.ines.get(MEMBER)
    assert "These look like people who can be written to" in page.text
    for words in (
        "1 have an e-mail address",
        "2 a telephone number",
        "Greta Falk",
        "+46701234567",
        "Amsterdam, ",
        "no address",
        "1 must never be contacted",
    ):
        assert words in page.text, words
    assert not contacts.is_contact("gym.member"), "looking writes nothing"
    places: Any = {"consent__email": "field:email_ok", "consent__sms": "field:sms_ok"}
    assert all(page.form(MEMBER)["fields"][name.replace("__", ".")] == "" for name in places), (
        "no column is proposed for consent"
    )
    assert "E-mail 2, SMS 2, Calls 0" in sent(pages, MEMBER, do="try", status=200, **places).text
    sent(pages, MEMBER, **places)
    assert collections.open_collection(pages.company.ines, "gym.member").document.to_json()["contact"] == {
        "email": "email",
        "phone": "mobile",
        "country": "country_code",
        "stage": "state",
        "do_not_contact": "do_not_contact",
        "consent": {"email": {"field": "email_ok"}, "sms": {"field": "sms_ok"}},
    }
    assert (
        "Who can be written to: e-mailnothingEmail"
        in pages.ines.get("/settings/collections/gym.member/changes").text
    )
    published(pages, "gym.member")
    greta, ana = (contacts.known_contact("gym.member", key) for key in ("1", "3"))
    assert (greta.name, greta.email, greta.consent["email"].given, greta.consent["sms"].given) == (
        "Greta Falk",
        "greta@post.example",
        True,
        False,
    )
    assert ana.do_not_contact
    assert MEMBER not in pages.ines.get("/settings/sources/gym/connected").links
    assert "Import" in pages.ines.get("/c/gym.member").text


def test_consent_in_a_table_of_other_words_is_said_by_page(pages: "Pages", gym: Path) -> None:
    (table,) = [
        told["value"]
        for told in pages.ines.get(PERSON).with_attribute("value")
        if told["value"].startswith("table:")
    ][:1]
    places: Any = {"consent__email": table, "consent__sms": table}
    page = sent(pages, PERSON, status=422, **places)
    assert "Name the column of Permission that says the state" in page.text
    assert page.form(PERSON)["fields"]["consent.sms"].startswith("table:"), "what was chosen stays"
    trial = sent(pages, PERSON, do="try", status=200, email__state="agreed", sms__state="agreed", **places)
    assert "E-mail 1, SMS 0" in trial.text
    assert collections.open_collection(pages.company.ines, "gym.person").draft.document is None, (
        "a trial saves nothing"
    )
    sent(pages, PERSON, email__state="agreed", sms__state="agreed", **places)
    published(pages, "gym.person")
    sam = contacts.known_contact("gym.person", "1")
    assert (sam.name, sam.consent["email"].given, sam.consent["sms"].given, sam.consent["email"].at) == (
        "Sam Whitfield",
        True,
        False,
        "2026-01-10T10:00:00Z",
    )
    sent(pages, PERSON, do="remove")
    published(pages, "gym.person")
    assert not contacts.is_contact("gym.person")


def test_a_table_of_things_is_offered_nothing_and_a_secret_is_no_choice(pages: "Pages", gym: Path) -> None:
    page = pages.ines.get("/settings/collections/gym.visit/contacts")
    assert "Nobody can be written to here yet" in page.text
    assert "password_hash" in records.collection("gym.member").by_name
    assert "password_hash" not in pages.ines.get(MEMBER).html
    assert (
        "at least a name"
        in sent(pages, "/settings/collections/gym.visit/contacts", status=422, zone="at").text
    )


def test_who_may_only_shape_looks_and_changes_nothing(pages: "Pages", gym: Path) -> None:
    page = pages.rosa.get(MEMBER)
    assert "You can look at this, not change it" in page.text
    assert "Save draft" not in page.text
    form: dict[str, Any] = page.form(MEMBER)["fields"]
    refused = pages.rosa.post(MEMBER, form | {"do": ""}, status=422)
    assert "the right to manage data sources" in refused.text
    assert "greta@post.example" in page.text, "they may read it"


def test_a_table_that_the_reader_may_not_see_is_not_told_by_what_it_counts_as(
    pages: "Pages", gym: Path
) -> None:
    (table,) = [
        told["value"]
        for told in pages.ines.get(PERSON).with_attribute("value")
        if told["value"].startswith("table:")
    ][:1]
    access.grant("reviewer", "collection:gym.person", ["browse", "read", "shape"])
    for acts, told in (([], "E-mail 0, SMS 0"), (["browse", "read"], "E-mail 1, SMS 0")):
        if acts:
            access.grant("reviewer", "collection:gym.permission", acts)
        access.refresh()
        form: dict[str, Any] = pages.rosa.get(PERSON).form(PERSON)["fields"]
        words = {
            f"{channel}.{name}": value
            for channel in ("email", "sms")
            for name, value in (("state", "agreed"), ("given", "yes"))
        }
        page = pages.rosa.post(
            PERSON, form | words | {"consent.email": table, "consent.sms": table, "do": "try"}, status=200
        ).text
        assert (told in page, "You may not read Permission: they count as empty here" in page) == (
            True,
            not acts,
        )


def test_who_may_not_read_the_table_of_consents_learns_nothing_of_it_by_a_trial(
    pages: "Pages", gym: Path
) -> None:
    access.grant("reviewer", "collection:gym.person", ["browse", "read", "shape"])
    access.refresh()
    form: dict[str, Any] = pages.rosa.get(PERSON).form(PERSON)["fields"]
    (table,) = [
        told["value"]
        for told in pages.rosa.get(PERSON).with_attribute("value")
        if told["value"].startswith("table:")
    ][:1]
    guess = {"consent.email": table, "email.state": "agreed", "email.given": "yes", "do": "try"}
    page = pages.rosa.post(PERSON, form | guess, status=200)
    assert "Agreed: E-mail 0" in page.text
    assert "You may not read Permission" in page.text
    assert "Nobody gets an advertising message." not in page.text.partition("What it comes to")[2]


def test_a_field_that_is_hidden_is_no_contacts_and_stays_chosen_on_the_page(
    pages: "Pages", gym: Path
) -> None:
    """Else hiding the field that says who must never be contacted would open everybody to messages, in silence."""
    sent(pages, MEMBER)
    published(pages, "gym.member")
    field = "/settings/collections/gym.member/fields/do_not_contact"
    pages.ines.post(field, pages.ines.get(field).form(field)["fields"] | {"hidden": "yes"}, status=303)
    assert pages.ines.get(MEMBER).form(MEMBER)["fields"]["do_not_contact"] == "do_not_contact"
    reason = "Do not contact of Member is hidden from everybody"
    assert reason in sent(pages, MEMBER, status=422).text
    changes = pages.ines.get("/settings/collections/gym.member/changes")
    with pytest.raises(AssertionError):
        pages.ines.send(changes, "/changes", do="publish")
    assert contacts.known_contact("gym.member", "3").do_not_contact


def test_a_column_of_consents_is_not_hidden_while_consent_stands_in_it(pages: "Pages", gym: Path) -> None:
    (table,) = [
        told["value"]
        for told in pages.ines.get(PERSON).with_attribute("value")
        if told["value"].startswith("table:")
    ][:1]
    form: Any = pages.ines.get(PERSON).form(PERSON)["fields"]
    pages.ines.post(PERSON, form | {"consent.email": table, "email.state": "agreed", "do": ""}, status=303)
    published(pages, "gym.person")
    document = collections.open_collection(pages.company.ines, "gym.permission").document.to_json()
    document["fields"] = {**document.get("fields", {}), "agreed": {"hidden": True}}
    revision = collections.open_collection(pages.company.ines, "gym.permission").draft.revision
    collections.save(pages.company.ines, "gym.permission", revision, document)
    with pytest.raises(Invalid, match="Agreed of Permission is hidden from everybody"):
        collections.publish(pages.company.ines, "gym.permission", revision + 1)
