"""Several addresses in one cell of a file: the contact gets the first, and an opt-out counts for all."""

from console.core.contacting import Contact
from console.messaging.imports import headings, import_batches
from console.messaging.messages import recipients
from tests.company import Company
from tests.messaging.contacts.test_opted_out_lines import club, imported
from tests.tables import cases

__all__ = ["club"]


@cases(
    "cell, first",
    [
        ("eva@x.example, eva2@x.example", "eva@x.example"),
        ("a@x.example;b@x.example", "a@x.example"),
        ("a@x.example / b@x.example", "a@x.example"),
        ("a@x.example/b@x.example", "a@x.example"),
        ("a@x.example b@x.example", "a@x.example"),
        ("Eva <eva@x.example>, Bo <bo@x.example>", "eva@x.example"),
        ("a@x.example ::: b@x.example", "a@x.example"),
        ("Ada, Lovelace <ada@x.example>", "ada@x.example"),
        ("a/b@x.example", "a/b@x.example"),
        ("nobody", "nobody"),
    ],
)
def test_of_several_addresses_the_first_is_taken(cell: str, first: str) -> None:
    assert headings.address(cell) == first


def test_an_opt_out_bars_all_of_them_and_the_preview_names_them(company: Company) -> None:
    text = "name,email,phone,stage,unsubscribed\nEva,eva@post.example; eva2@post.example,+46701234567 ::: +46701234568,new,yes\n"
    looked = imported(company, text, preview=True)
    assert (looked.new, looked.place["several"]) == (
        1,
        {"lines": 1, "some": ["eva@post.example; eva2@post.example"]},
    )
    import_batches.confirm(company.olivia, looked.id)
    people = [
        Contact("contact", "", email=mail, phone=phone)
        for mail, phone in (("eva@post.example", "+46701234567"), ("eva2@post.example", "+46701234568"))
    ]
    assert recipients.barred_channels(people) == [frozenset({"email", "sms", "call", "ai_call"})] * 2
    assert recipients.contact_at("contact", "7").email == "eva@post.example"


def test_the_second_address_of_who_opted_out_gets_no_consent_by_another_line(company: Company) -> None:
    head = "name,email,stage,news,unsubscribed\n"
    looked = imported(
        company,
        head + "Bo,eva2@post.example,new,,\nEva,eva@post.example; eva2@post.example,new,,yes\n",
        preview=True,
    )
    assert looked.opted_out == 2
