"""The machine-readable zones of identity papers, with their check digits.

They follow ICAO Doc 9303 parts 3 to 5.
"""

import unicodedata
from datetime import date

ALPHA3 = {
    "LT": "LTU",
    "NL": "NLD",
    "DE": "D",
    "PL": "POL",
    "LV": "LVA",
    "EE": "EST",
    "IE": "IRL",
    "SE": "SWE",
    "FR": "FRA",
    "ES": "ESP",
    "PT": "PRT",
    "CZ": "CZE",
    "IT": "ITA",
    "GB": "GBR",
    "UA": "UKR",
    "KZ": "KAZ",
    "IN": "IND",
    "TR": "TUR",
    "BR": "BRA",
    "VN": "VNM",
    "LB": "LBN",
    "VE": "VEN",
    "KE": "KEN",
    "NP": "NPL",
    "AO": "AGO",
    "SY": "SYR",
    "YE": "YEM",
    "LA": "LAO",
    "HT": "HTI",
    "CD": "COD",
    "SS": "SSD",
    "MU": "MUS",
    "ZA": "ZAF",
    "GE": "GEO",
    "PH": "PHL",
    "US": "USA",
    "JP": "JPN",
}

_SPECIAL = {
    "Ä": "AE",
    "Å": "AA",
    "Æ": "AE",
    "Ö": "OE",
    "Ø": "OE",
    "Ü": "UE",
    "ß": "SS",
    "Ł": "L",
    "Đ": "D",
    "Ð": "D",
    "Þ": "TH",
    "ı": "I",
    "Œ": "OE",
}


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
    *,
    number: str,
    issuer: str,
    nationality: str,
    family: str,
    given: str,
    birth: date,
    expires: date,
    number_off_by: int = 0,
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
    *,
    code: str,
    number: str,
    issuer: str,
    nationality: str,
    family: str,
    given: str,
    birth: date,
    expires: date,
) -> tuple[str, str, str]:
    """The three lines of 30 signs of a card (TD1); `code` is `I<` for an identity card, `IR` for a residence permit."""
    document = _with_digit(number.ljust(9, "<"))
    first = f"{code}{ALPHA3[issuer].ljust(3, '<')}{document}".ljust(30, "<")
    born, until = _with_digit(f"{birth:%y%m%d}"), _with_digit(f"{expires:%y%m%d}")
    second = f"{born}<{until}{ALPHA3[nationality].ljust(3, '<')}".ljust(29, "<")
    composite = check_digit(first[5:30] + second[:7] + second[8:15] + second[18:29])
    return first, f"{second}{composite}", _names(family, given, 30)
