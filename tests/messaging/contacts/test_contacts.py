"""A record as a contact: its addresses, and the consents that stand."""

from typing import Any

import orjson
import pytest

from console.core.contacting import Consent
from console.core.documents.collections.document_check import check
from console.core.errors import Invalid, NotFound
from console.messaging import contacts
from console.sources import collections
from tests.company import Company
from tests.support.contact_club import CONTACT, found_club
from tests.tables import cases


def test_a_contact_has_its_addresses_and_the_newest_consent_of_each_channel(company: Company) -> None:
    found_club(company)
    sam = contacts.known_contact("contact", "1")
    assert (sam.collection, sam.key, sam.name, sam.email, sam.phone) == (
        "contact",
        "1",
        "Sam Whitfield",
        "sam@post.example",
        "+1 202 555 0147",
    )
    assert (sam.zone, sam.country, sam.language) == ("America/Denver", "US", "en")
    at = "2026-03-01T10:00:00Z"
    assert sam.consent["sms"] == Consent(
        given=False, source="sms", text_version="2026-01", at=at, withdrawn_at=at
    )
    assert sam.consent["call"].given
    assert sam.consent["call"].text_version == "2026-01"
    assert sam.consent["email"] == Consent(given=True, at="2026-02-01")
    assert not sam.consent["ai_call"].given, "no row, no consent"
    ana = contacts.known_contact("contact", "2")
    assert (ana.zone, ana.phone) == (None, None)
    assert not ana.consent["sms"].given, "of two rows of one moment the one that withdraws counts"
    assert not ana.consent["email"].given
    assert contacts.known_contact("contact", "3").consent["ai_call"].given, (
        "the word of the table is that of the document"
    )


def test_what_is_no_contact_is_none(company: Company) -> None:
    found_club(company)
    for place in (("customer", "1"), ("contact", "99"), ("nowhere", "1")):
        with pytest.raises(NotFound):
            contacts.known_contact(*place)


@cases(
    ("contact", "place", "words"),
    [
        ({"zone": "zone"}, "contact", "at least a name"),
        ({"name": "nam"}, "contact.name", "is name meant?"),
        ({"name": "name", "stage": "stage"}, "contact.stage", "has no options"),
        ({"name": "name", "consent": {"fax": {"field": "news"}}}, "contact.consent.fax", "form asked for"),
        ({"name": "name", "consent": {"sms": {}}}, "contact.consent.sms", "in a field or in a table"),
        (
            {"name": "name", "consent": {"sms": {"field": "newz"}}},
            "contact.consent.sms.field",
            "is news meant?",
        ),
        (
            {"name": "name", "consent": {"sms": {"field": "news", "state": "x"}}},
            "contact.consent.sms",
            "belong to a table",
        ),
        ({"name": "name", "fone": "x"}, "contact.fone", "is zone meant?"),
        ({"name": "name", "email": "email", "consent": {"sms": {"field": "news"}}}, "", ""),
    ],
)
def test_what_is_wrong_with_a_contact_is_said_with_its_field(contact: Any, place: str, words: str) -> None:
    columns = [
        {"name": name, "stored": "text", "nullable": True} for name in ("name", "email", "stage", "news")
    ]
    structure = {
        "schema": None,
        "table": "t",
        "kind": "table",
        "dialect": "sqlite",
        "key": ["name"],
        "comment": None,
        "columns": columns,
    }
    told = [
        (spot.path, spot.reason)
        for spot in check({"id": "a", "source": "s", "table": "t", "contact": contact}, structure)
    ]
    assert any(at == place and words in reason for at, reason in told) if place else not told, told


def test_a_table_of_consents_that_cannot_be_reached_is_not_published(company: Company) -> None:
    found_club(company)

    def published(consent: dict[str, Any]) -> str:
        document = CONTACT | {"contact": CONTACT["contact"] | {"consent": {"sms": consent}}}
        with pytest.raises(Invalid) as error:
            collections.import_file(orjson.dumps(document), published=True)
        return f"{error.value.details[0]['field']}: {error.value.details[0]['reason']}"

    assert published({"table": "account"}).startswith("contact.consent.sms.table: No relation leads")
    assert "is state meant?" in published({"table": "consent", "state": "stat"})
