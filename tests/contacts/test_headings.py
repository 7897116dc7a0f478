"""What a value of a file is compared by, and how databases may have it."""

from zoneinfo import available_timezones

import pytest

from console.contacts import consent_words, headings, windows_zones
from console.contacts.headings import as_compared, plain, spellings
from console.core.contacting import CHANNELS
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
        "D DE",
        "A AT",
        "Korea, South KR",
        "Korea, North KP",
        "Germany (DE) DE",
        "DE - Germany DE",
        "EE.UU. US",
        "EE. UU. US",
        "Czech Rep. CZ",
        "Dominican Rep. DO",
        "UK GB",
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


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ("phone", ["Mob. tel.", "Mob.tel.", "Mob. nr.", "Mobilus tel.", "Mobile No.", "Handy-Nr.", "Tel. kom.", "Telefon komórkowy", "Tél. mobile", "Teléfono móvil", "Telefono cellulare"]),
        ("phone", ["Mobiele telefoon", "Telemóvel", "Mob. tālr.", "Mobiilinumber", "Mobilnr", "Tlf.", "Matkapuhelinnumero", "Mobilní číslo", "Nr. telefon"]),
        ("stage", ["Būsena", "Statusas", "Statuss", "Staatus", "Vertriebsphase", "Statut", "Étape", "Etapa", "Fase", "Etap", "Stadie", "Tila", "Vaihe", "Stav", "Fáze", "Stadiu"]),
        ("email", ["El. p. adresas", "E-pašta adrese", "E-posti aadress", "Adres e-mail", "Indirizzo e-mail", "Endereço de email", "Sähköpostiosoite", "Emailová adresa"]),
        ("owner", ["Atsakingas asmuo", "Kontaktinhaber", "Responsable", "Ansvarlig", "Eigenaar"]),
        ("zone", ["Laika josla", "Tidszon", "Fuso horário", "Časové pásmo"]),
    ],
)  # fmt: skip
def test_a_part_of_a_contact_is_known_by_its_heading_in_many_languages(part: str, named: list[str]) -> None:
    assert {heading: headings.part_of(heading) for heading in named} == dict.fromkeys(named, part)


@pytest.mark.parametrize("heading", ["Estado", "Stato", "Stan", "Numeris", "No.", "Data", "Tel. darbo pastaba"])
def test_a_word_that_may_mean_something_else_is_left_to_a_person(heading: str) -> None:
    """Estado and Stato are a province and a country as well."""
    assert headings.part_of(heading) is None


@pytest.mark.parametrize(
    ("channel", "named"),
    [
        ("email", ["Sutikimas el. paštu", "Sutinka gauti el. laiškus", "Piekrišana e-pastam", "Nõusolek e-post", "Consenso posta elettronica", "Consentimiento por correo electrónico", "Zgoda mailowa"]),
        ("email", ["Souhlas s e-mailem", "Consimțământ e-mail", "Acord e-mail", "Consentimento e-mail", "Samtykke e-post", "Suostumus sähköposti"]),
        ("sms", ["Sutikimas SMS", "Sutinka gauti SMS", "Piekrišana SMS", "Nõusolek SMS", "Souhlas s SMS"]),
        ("call", ["Sutikimas skambučiams", "Sutikimas telefonu", "Piekrišana zvaniem", "Nõusolek helistamiseks", "Suostumus puhelin", "Acord telefon", "Zgoda na kontakt telefoniczny"]),
    ],
)  # fmt: skip
def test_who_agreed_is_known_by_its_heading_in_many_languages(channel: str, named: list[str]) -> None:
    assert {heading: consent_words.agreed(plain(heading), CHANNELS) for heading in named} == dict.fromkeys(named, channel)
    assert [heading for heading in named if consent_words.refused(plain(heading))] == []


@pytest.mark.parametrize("heading", ["Nesutinka gauti SMS", "Nesutikimas SMS", "Nepiekrīt SMS", "Nesouhlas SMS", "Atsisakė SMS"])
def test_who_does_not_agree_is_no_one_who_agreed(heading: str) -> None:
    assert consent_words.agreed(plain(heading), CHANNELS) is None
    assert consent_words.refused(plain(heading)) == "sms"


@pytest.mark.parametrize("heading", ["Sutikimas", "Sutikimo data", "Sutikimas AI skambučiams", "El. paštas", "Sutikimas SMS ir el. paštu"])
def test_a_heading_of_none_or_several_channels_says_nothing_of_one(heading: str) -> None:
    assert consent_words.agreed(plain(heading), CHANNELS) is None


@cases(
    "cell, number",
    [("whatsapp:+491715551234", "+491715551234"), ("tel:+49 171", "+49 171"), ("p:+49171", "+49171"), ("Mobil: 0171 5551234", "0171 5551234"), ("+49 171 tel:5", "+49 171 tel:5")],
)  # fmt: skip
def test_what_kind_of_number_it_is_does_not_stay_in_it(cell: str, number: str) -> None:
    assert headings.number(cell) == number


@cases(
    "cell, code",
    [
        ("he-IL", "he"), ("en-US", "en"), ("pt_BR", "pt"), ("zh-Hans-CN", "zh"), ("ger", "de"), ("deu", "de"), ("English (UK)", "en"), ("EN", "en"), ("iw", "he"), ("de_DE.UTF-8", "de"),
        ("German - Austria", "de"), ("English, United States", "en"), ("Deutsch", "de"), ("Klingonese", "Klingonese"), ("xx", "xx"), ("", ""),
    ],
)  # fmt: skip
def test_a_language_is_known_by_its_letters_with_a_region_too(cell: str, code: str) -> None:
    assert headings.language_code(cell) == code


def test_every_zone_that_windows_shows_is_one_that_is_known_here() -> None:
    wrong = {shown for shown in windows_zones.PLACES if windows_zones.windows_zone(f"(UTC) {shown}") not in available_timezones()}
    assert not wrong


@cases(
    "cell, zone",
    [
        ("W. Europe Standard Time", "Europe/Berlin"), ("eastern standard time", "America/New_York"), ("(GMT+01:00) Central European Time (Europe/Berlin)", "Europe/Berlin"),
        ("Europe/Vilnius - EET", "Europe/Vilnius"), ("America/Argentina/Buenos_Aires (ART)", "America/Argentina/Buenos_Aires"), ("america_slash_new_york", "America/New_York"), ("Mars/Olympus", "Mars/Olympus"), ("soon", "soon"),
        ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Berlin"), ("(GMT-05:00) Eastern Time (US & Canada)", "America/New_York"),
        ("(UTC+03:00) Moscow, St. Petersburg", "Europe/Moscow"), ("(UTC) Coordinated Universal Time", "Etc/UTC"), ("(UTC-11:00) Coordinated Universal Time-11", "Etc/GMT+11"),
        ("(UTC+01:00) Amsterdam, Berlin, Bern, Rom, Stockholm, Wien", "Europe/Amsterdam"), ("(UTC+01:00) Bruxelles, Copenhague, Madrid, Paris", "Europe/Madrid"),
        ("Amsterdam", "Europe/Amsterdam"), ("New York", "America/New_York"), ("Eastern", "Eastern"),
        ("(UTC+05:00) Paris", "(UTC+05:00) Paris"), ("(UTC+01:00)", "(UTC+01:00)"),
    ],
)  # fmt: skip
def test_a_time_zone_is_known_as_programs_call_it(cell: str, zone: str) -> None:
    assert headings.zone_name(cell) == zone


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


@pytest.mark.parametrize(
    "cell", ["a" * 1_001, "a" * 900 + " x@post.example y@post.example" * 4, "1(a)" * 300, "1" * 1_001 + ".0", "a/" * 501, "(" * 1_001]
)
def test_a_very_long_cell_is_looked_through_for_nothing(cell: str) -> None:
    """Somebody may have made it to keep the reading busy."""
    for read in (headings.address, headings.number, headings.zone_name, headings.country_code, headings.language_code):
        assert read(cell) == cell
    assert (headings.several_addresses(cell), headings.numbers_in(cell), headings.addresses_in(cell)) == ([], (cell,), (cell,))


def test_numbers_of_a_cell_stand_apart_as_where_messages_are_sent() -> None:
    assert headings.numbers_in("0171/5551111 oder 0172/5552222 (Büro)") == ("0171/5551111", "0172/5552222")
    assert headings.numbers_in("+49 171 5551111 / +49 172 5552222; 12") == ("+49 171 5551111", "+49 172 5552222")
