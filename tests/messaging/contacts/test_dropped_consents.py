"""Consents that a file tells and that are none, because somebody opted out: told with their lines. Of an opted-out line every address is barred, also of further columns."""

from dataclasses import replace

from console.auth import access
from console.core.contacting import Contact
from console.messaging.imports import import_batches, opted_out_lines
from console.messaging.imports.import_batches import Import
from console.messaging.messages import recipients
from tests.company import Company
from tests.messaging.contacts.test_opted_out_lines import BO, BO_OUT, HEAD, club, given, imported
from tests.views.test_contact_import import why

__all__ = ["club"]
TOLD = {"source": "fair", "at": "2026-05-01T10:00:00Z"}


def looked_at(company: Company, text: str) -> Import:
    looked = imported(company, text, preview=True)
    return import_batches.look_again(company.olivia, looked.id, replace(looked.question, same=TOLD))


def test_a_consent_at_an_address_that_opted_out_before_is_told_with_its_line(company: Company) -> None:
    imported(company, "phone,email,name,stage,unsubscribed\n+46701234567,lea@post.example,Lea,new,yes\n")
    text = "name,email,phone,stage,sms consent\nMia,mia@post.example,+46701234567,new,yes\nBo,bo@post.example,+46701234568,new,yes\n"
    looked = looked_at(company, text)
    assert (looked.new, looked.consents, looked.refused, looked.place["dropped"]) == (2, 1, 0, 1)
    assert why(looked) == {2: [f"Can be added, but without the consent to SMS: {opted_out_lines.BARRED}"]}
    done = import_batches.confirm(company.olivia, looked.id)
    assert (done.new, done.consents, done.place["dropped"]) == (2, 1, 1)
    assert why(done) == {2: [f"Added, but without the consent to SMS: {opted_out_lines.BARRED}"]}
    assert given("8") == set()


def test_a_consent_that_another_line_takes_back_is_told_with_its_line(company: Company) -> None:
    looked = imported(company, HEAD + BO + BO_OUT, preview=True)
    assert (looked.consents, looked.place["dropped"]) == (0, 1)
    assert why(looked)[2] == [
        f"Can be added, but without the consent to SMS: {opted_out_lines.REFUSED_ELSEWHERE}"
    ]


def test_every_address_and_number_of_several_columns_is_barred_by_an_opt_out(company: Company) -> None:
    head = "name,email,E-Mail Address,mobile,phone,stage,sms consent,unsubscribed\n"
    out = "Eva,eva@post.example,eva2@post.example,+46701234567,+46701234568,new,,yes\n"
    looked = looked_at(company, head + out)
    assert looked.question.columns == {
        "0": "name",
        "1": "email",
        "2": "email",
        "3": "phone",
        "4": "phone",
        "5": "stage",
        "6": "consent:sms",
        "7": "optout:every",
    }
    assert looked.place["several"] == {"lines": 1, "some": ["eva@post.example; eva2@post.example"]}
    import_batches.confirm(company.olivia, looked.id)
    people = [
        Contact("contact", "", email=mail, phone=phone)
        for mail, phone in (("eva@post.example", "+46701234567"), ("eva2@post.example", "+46701234568"))
    ]
    assert recipients.barred_channels(people) == [frozenset({"email", "sms", "call", "ai_call"})] * 2


def test_another_line_with_the_second_number_of_an_opted_out_one_gives_no_consent(company: Company) -> None:
    access.grant("operator", "collection:consent", ["create"], team="operations")
    head = "name,email,mobile,phone,stage,sms consent,unsubscribed\n"
    lines = (
        "Bo,bo@post.example,+46701234568,,new,yes,\nEva,eva@post.example,+46701234567,+46701234568,new,,yes\n"
    )
    looked = looked_at(company, head + lines)
    assert (looked.new, looked.consents, looked.place["dropped"]) == (2, 0, 1)
