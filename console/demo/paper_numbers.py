"""Numbers that identity papers, accounts and phones carry, with their check digits.

Machine-readable zones follow ICAO Doc 9303 parts 3 to 5, IBANs ISO 13616 with ISO/IEC 7064 MOD 97-10.
Everything made here is fictional: bank codes that no bank has, phone ranges that regulators keep for fiction.
"""

import unicodedata
from datetime import date
from random import Random

from console.core.papers import vat

ALPHA3 = {
    "LT": "LTU", "NL": "NLD", "DE": "D", "PL": "POL", "LV": "LVA", "EE": "EST", "IE": "IRL", "SE": "SWE", "FR": "FRA", "ES": "ESP", "PT": "PRT",
    "CZ": "CZE", "IT": "ITA", "GB": "GBR", "UA": "UKR", "KZ": "KAZ", "IN": "IND", "TR": "TUR", "BR": "BRA", "VN": "VNM", "LB": "LBN", "VE": "VEN",
    "KE": "KEN", "NP": "NPL", "AO": "AGO", "SY": "SYR", "YE": "YEM", "LA": "LAO", "HT": "HTI", "CD": "COD", "SS": "SSD", "MU": "MUS", "ZA": "ZAF",
    "GE": "GEO", "PH": "PHL", "US": "USA", "JP": "JPN",
}  # fmt: skip

_SPECIAL = {
    "Ä": "AE", "Å": "AA", "Æ": "AE", "Ö": "OE", "Ø": "OE", "Ü": "UE", "ß": "SS", "Ł": "L", "Đ": "D", "Ð": "D", "Þ": "TH", "ı": "I", "Œ": "OE",
}  # fmt: skip


def check_digit(text: str) -> int:
    """Weights 7, 3, 1 over digits, letters as 10 to 35 and `<` as 0, modulo 10 (Doc 9303-3, 4.9)."""
    total = 0
    for place, sign in enumerate(text):
        value = 0 if sign == "<" else int(sign, 36)
        total += value * (7, 3, 1)[place % 3]
    return total % 10


def transliterate(name: str) -> str:
    """A name in the letters A to Z and `<`, as Doc 9303-3 section 6 writes national letters."""
    written = []
    for letter in name.upper():
        plain = _SPECIAL.get(letter) or unicodedata.normalize("NFKD", letter)[0]
        if plain.isascii() and plain.isalpha():
            written.append(plain)
        elif letter in " -":
            written.append("<")
    return "".join(written)


def _names(family: str, given: str, width: int) -> str:
    return f"{transliterate(family)}<<{transliterate(given)}"[:width].ljust(width, "<")


def _with_digit(text: str, off_by: int = 0) -> str:
    return f"{text}{(check_digit(text) + off_by) % 10}"


def passport_zone(
    *, number: str, issuer: str, nationality: str, family: str, given: str, birth: date, expires: date, number_off_by: int = 0
) -> tuple[str, str]:
    """The two lines of 44 signs of a passport (TD3).

    `issuer` and `nationality` are ISO alpha-2. `number_off_by` spoils the check digit of the document number by that much.
    """
    first = f"P<{ALPHA3[issuer].ljust(3, '<')}" + _names(family, given, 39)
    document = _with_digit(number.ljust(9, "<"), number_off_by)
    born, until = _with_digit(f"{birth:%y%m%d}"), _with_digit(f"{expires:%y%m%d}")
    personal = "<" * 14 + "0"
    second = f"{document}{ALPHA3[nationality].ljust(3, '<')}{born}<{until}{personal}"
    return first, second + str(check_digit(document + born + until + personal))


def card_zone(
    *, code: str, number: str, issuer: str, nationality: str, family: str, given: str, birth: date, expires: date
) -> tuple[str, str, str]:
    """The three lines of 30 signs of a card (TD1); `code` is `I<` for an identity card, `IR` for a residence permit."""
    document = _with_digit(number.ljust(9, "<"))
    first = f"{code}{ALPHA3[issuer].ljust(3, '<')}{document}".ljust(30, "<")
    born, until = _with_digit(f"{birth:%y%m%d}"), _with_digit(f"{expires:%y%m%d}")
    second = f"{born}<{until}{ALPHA3[nationality].ljust(3, '<')}".ljust(29, "<")
    composite = check_digit(first[5:30] + second[:7] + second[8:15] + second[18:29])
    return first, f"{second}{composite}", _names(family, given, 30)


def iban(country: str, account: str) -> str:
    """The IBAN of a national account number, with its two check digits."""
    digits = "".join(str(int(sign, 36)) for sign in f"{account}{country}00")
    return f"{country}{98 - int(digits) % 97:02d}{account}"


VAT_FORMS = {
    "CZ": "8#######", "ES": "A9#######", "FR": "##9########", "IE": "9######@", "IT": "9##########", "LT": "9######1#", "LV": "9##########",
    "NL": "9########B01", "PL": "9#########", "SE": "9#########01",
}  # fmt: skip
"""Forms of VAT numbers, # a digit and @ a letter: with a 9 in front, which hardly any country has given out. Other countries: nine digits."""


def vat_number(country: str, drawn: int) -> str:
    """A VAT number with the check digits of its country; the same for the same number that was drawn."""
    rng, form = Random(drawn), VAT_FORMS.get(country, "9########")
    while True:
        number = country + "".join(
            rng.choice("0123456789") if sign == "#" else rng.choice("ABCDEFGHIJKLMNOPQRSTUVW") if sign == "@" else sign for sign in form
        )
        if vat.problem(number) is None:
            return number


def document_number(kind: str, rng: Random) -> str:
    """A number of nine signs: a letter or two, then digits."""
    letters = rng.choice("CFGHJKLMNPRT") + ("X" if kind == "passport" else "")
    return letters + "".join(rng.choices("0123456789", k=9 - len(letters)))


def phone(country: str, rng: Random) -> str:
    """A number of a range kept for fiction: Ofcom, NANP, BNetzA or PTS; other countries get a German or British one."""
    place = country if country in {"GB", "US", "DE", "SE"} else rng.choice(("DE", "GB"))
    return {
        "GB": f"+44 20 7946 0{rng.randrange(1000):03d}",
        "US": f"+1 202 555 01{rng.randrange(100):02d}",
        "DE": f"+49 30 23125 {rng.randrange(1000):03d}",
        "SE": f"+46 70 174 06 {rng.randrange(5, 100):02d}",
    }[place]
