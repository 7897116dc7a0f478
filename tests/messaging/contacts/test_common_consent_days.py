"""A day on which everybody in a file agreed says of nobody that they agreed again after they opted out."""

import io
from collections.abc import Mapping
from dataclasses import replace

from console.messaging import contacts
from console.messaging.imports import import_batches
from console.messaging.imports.import_batches import Import
from tests.company import Company
from tests.messaging.contacts.test_opted_out_lines import club, given
from tests.support.contact_lists import chosen
from tests.tables import cases

__all__ = ["club"]
EVERYBODY = {"everyone": ["sms"], "source": "fair", "at": "2026-05-01"}


def looked_at(company: Company, text: str, same: Mapping[str, object]) -> Import:
    kept = chosen(company.olivia, import_batches.keep(company.olivia, "contact", io.BytesIO(text.encode())))
    return import_batches.look_again(company.olivia, kept.id, replace(kept.question, same=same))


def counts(batch: Import) -> tuple[int, int, int, int]:
    return batch.opted_out, batch.consents, batch.withdrawn, batch.place.get("agreed_again", 0)


@cases(
    ("head", "cells", "agreed"),
    [
        ("unsubscribed at", "2026-03-01 10:11:12", False),
        ("unsubscribed at,sms consent,consent date", "2026-03-01,yes,", False),
        ("unsubscribed at,sms consent,consent date", "2026-03-01,yes,2026-04-01", True),
        ("unsubscribed at,consent date", "2026-03-01,2026-04-01", True),
        ("unsubscribed at,consent date", "2026-03-01 10:11,2026-02-01", False),
    ],
)
def test_the_day_of_all_overrules_no_opt_out_of_a_line_and_a_day_of_the_line_does(
    company: Company, head: str, cells: str, agreed: bool
) -> None:
    line = f"Bo,bo{len(head + cells)}@post.example,+467012345{len(head + cells)},new,{cells}"
    looked = looked_at(company, f"name,email,phone,stage,{head}\n{line}\n", EVERYBODY)
    done = import_batches.confirm(company.olivia, looked.id)
    assert counts(looked) == counts(done) == (1, int(agreed), 0, int(agreed))
    everyone = contacts.known_contacts("contact", [str(key) for key in range(7, 20)])
    [bo] = [key for key, contact in everyone.items() if contact.email in line.split(",")]
    assert given(bo) == ({"sms"} if agreed else set())


def test_the_day_of_all_overrules_no_opt_out_that_another_line_dates(company: Company) -> None:
    head = "name,email,phone,stage,unsubscribed at\n"
    lines = "Bo,bo@post.example,+46701234567,new,\nOffice,office@post.example,0046701234567,new,2026-03-01\n"
    assert counts(looked_at(company, head + lines, EVERYBODY)) == (2, 0, 0, 0)


def test_the_day_of_all_overrules_no_opt_out_that_is_known_here(company: Company) -> None:
    barring = looked_at(company, "name,phone,stage,sms opt out\nAl,+46701234567,new,2026-03-01\n", {})
    import_batches.confirm(company.olivia, barring.id)
    line = "Bo,bo@post.example,+46 70 123 45 67,new"
    done = import_batches.confirm(
        company.olivia, looked_at(company, f"name,email,phone,stage\n{line}\n", EVERYBODY).id
    )
    assert (done.new, done.consents, given("8")) == (1, 0, set())
    own = f"name,email,phone,stage,sms consent,consent date\n{line.replace('bo@', 'eva@')},yes,2026-04-01\n"
    done = import_batches.confirm(company.olivia, looked_at(company, own, {"source": "fair"}).id)
    assert (done.new, done.consents, given("9")) == (1, 1, {"sms"})


def test_who_is_new_and_opted_out_is_counted_alike_before_and_after(company: Company) -> None:
    text = "name,email,stage,news,unsubscribed\nBo,bo@post.example,new,yes,2026-03-01\nSam,sam@post.example,new,,2026-03-01\n"
    looked = looked_at(company, text, {})
    done = import_batches.confirm(company.olivia, looked.id)
    assert counts(looked) == counts(done) == (2, 0, 1, 0), "of Sam alone a consent was taken back"
    assert not given(next(iter(contacts.known_contacts("contact", ["7"]))))
