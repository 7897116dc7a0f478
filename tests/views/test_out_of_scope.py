"""A record that a scope hides is answered as what does not exist, and that somebody asked for it stands in the log."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from console import log, sources
from console.auth import access, accounts
from console.infra import subjects
from console.infra.db.engine import fetch
from tests.company import DOCUMENTS

if TYPE_CHECKING:
    from tests.views.conftest import Pages

SEALED = "select v.sub from console.event_value v join console.event e on e.id = v.event where e.run = %s and e.run_seq = %s"


def refusals() -> Iterator[dict[str, Any]]:
    """Refusals in the log: how the record is named, the address, and for whose key it is sealed."""
    for (chain,) in fetch("select distinct run from console.event"):
        for event in log.events_of(chain):
            if event.type == "access_refused":
                ((sealed_for,),) = fetch(SEALED, (chain, event.n))
                yield {
                    "record": (event.body["target"] or {}).get("key"),
                    "label": event.body.get("label"),
                    "path": event.values["path"],
                    "sealed_for": sealed_for,
                }


def said(page: Any) -> str:
    """The text of a page without the number of the request."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "", page.text)


def test_who_opens_what_their_scope_hides_leaves_a_trace(pages: "Pages") -> None:
    """Not who mistypes a number: what is not there is no event, and the answer is the same."""
    for who, number in ((pages.olivia, "999"), (pages.tom, "999"), (pages.tom, "nonsense'--")):
        absent = who.get(f"/c/customer/{number}", status=404)
    assert not list(refusals())
    for rest in ("", "/related/account", "/edit/email"):
        assert said(pages.tom.get(f"/c/customer/3{rest}", status=404)) == said(absent)
    assert [each["record"] for each in refusals()] == ["3"] * 3


def test_the_same_by_the_api(pages: "Pages") -> None:
    client = pages.app.test_client()
    key = accounts.create_key("tests", pages.company.tom.id)
    answers = [
        client.get(
            f"/api/v1/collections/customer/records/{number}", headers={"Authorization": f"Bearer {key.text}"}
        )
        for number in ("3", "999")
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].get_data() == answers[1].get_data()
    assert [each["record"] for each in refusals()] == ["3"]


def test_a_record_that_needs_a_clearance_is_named_to_those_who_have_it(pages: "Pages") -> None:
    told = '{"clearance": {"label": "blue", "when": "record.desk == \\"corporate\\""}}'
    fetch(
        "update console.collection set document = document || %s::jsonb where id = 'customer' returning id",
        (told,),
    )
    access.refresh()
    pages.olivia.get("/c/customer/3", status=404)
    assert [each["label"] for each in refusals()] == ["blue"]


def test_a_key_that_is_personal_goes_with_its_subject(pages: "Pages") -> None:
    """The address of an account holds its IBAN: it is sealed for the customer, and the record has a random name."""
    sources.refresh(
        "company",
        [
            {**each, "fields": {"iban": {"personal": True}}} if each["id"] == "account" else each
            for each in DOCUMENTS
        ],
    )
    iban = "NL559999900012345670"
    pages.tom.get(f"/c/account/{iban}", status=404)
    (noted,) = refusals()
    assert noted["record"].startswith("rec_")
    assert iban in noted["path"]
    assert noted["sealed_for"] == subjects.existing_subject("customer", "3")
