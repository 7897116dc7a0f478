"""What a value of a file is compared by, and how databases may have it."""

from console.contacts import headings
from console.contacts.headings import as_compared, spellings
from tests.tables import cases


@cases("one, other, same", [
    ("Ada@Post.example", "ada@post.example ", True), ("a@bücher.example", "A@xn--bcher-kva.example", True), ("a@b\u0075\u0308cher.example", "a@bücher.example", True),
    ("a@straße.example", "a@strasse.example", False), ("a.b@gmail.com", "ab@gmail.com", False), ("a@xn--.example", "a@xn--.example", True), ("+371 2", "+371 2", True),
])  # fmt: skip
def test_one_mailbox_is_compared_as_one_and_two_as_two(one: str, other: str, same: bool) -> None:
    assert (as_compared(one) == as_compared(other)) is same


def test_a_database_is_asked_for_each_way_in_which_it_may_have_an_address() -> None:
    assert spellings("A@Bücher.example") == {"A@Bücher.example", "a@bücher.example", "a@xn--bcher-kva.example"}
    assert spellings("a@xn--bcher-kva.example") == {"a@xn--bcher-kva.example", "a@bücher.example"}
    assert (spellings("Ada@post.example"), spellings(7), spellings("a@xn--.example")) == (
        {"Ada@post.example", "ada@post.example"},
        {7},
        {"a@xn--.example"},
    )


@cases(
    "named",
    [
        "Danmark DK",
        "Norge NO",
        "Suomi FI",
        "Россия RU",
        "Ελλάδα GR",
        "Magyarország HU",
        "日本 JP",
        "U.K. GB",
        "Kosovo XK",
        "DEU DE",
        "Niger NE",
        "lt LT",
        "U.S. US",
        "Espana ES",
        "Côte d’Ivoire CI",
        "Bosnia-Herzegovina BA",
        "Northern Ireland GB",
        "EL GR",
        "السعودية SA",
        "الإمارات AE",
        "مصر EG",
        "أمريكا US",
    ],
)
def test_a_country_is_known_in_many_languages(named: str) -> None:
    cell, _, code = named.rpartition(" ")
    assert headings.country_code(cell) == code
    assert headings.is_country(code)
    assert not headings.is_country(headings.country_code("Atlantis"))


@cases(
    ("heading", "part"),
    [
        ("El. paštas", "email"), ("Имя", "given"), ("Ім'я", "given"), ("Ф.И.О.", "name"), ("E-posta", "email"), ('דוא"ל', "email"), ("الاسم", "name"), ("رقم الجوال", "phone"),
        ("Κινητό τηλέφωνο", "phone"), ("โทรศัพท์", "phone"), ("手机", "phone"), ("E-mail 1 - Value", "email"), ("SMS Phone Number", "phone"), ("Ország", "country"), ("Lead Status", None),
        ("E-mail 2 - Value", "email"), ("Phone 2 - Value", "phone"), ("E-mail 2 Address", "email"), ("E-mail 2 - Label", None), ("FIRSTNAME", "given"), ("SMS", "phone"),
    ],
)  # fmt: skip
def test_a_heading_is_known_in_many_languages(heading: str, part: str | None) -> None:
    assert headings.part_of(heading) == part


@cases(
    ("cell", "number"),
    [
        ("+49 171 5551234 (Anna)", "+49 171 5551234"),
        ("0171/5551234 – mobil", "0171/5551234"),
        ("+49 30 123456 ext. 12", "+49 30 123456 ext. 12"),
        ("0171 5551111 (Anna) oder 0172 5552222", "0171 5551111 (Anna) oder 0172 5552222"),
        ("1-800-FLOWERS", "1-800-FLOWERS"),
        ("unknown", "unknown"),
    ],
)
def test_a_number_of_a_file_is_taken_without_its_remark(cell: str, number: str) -> None:
    assert headings.number(cell) == number
