"""IBAN by ISO 13616: length by country, two check digits (ISO 7064 MOD 97-10)."""

import re

LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28,
    "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18,
    "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32,
    "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15,
    "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TN": 24,
    "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip
_LIKE = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9 ]{11,34}")


def plain(text: str) -> str:
    """Only letters and digits, in upper case: to compare numbers written with blanks, dots or hyphens."""
    return "".join(sign for sign in text.upper() if sign.isalnum())


def grouped(text: str) -> str:
    """The number in groups of four signs, as people write and compare it."""
    number = text.replace(" ", "")
    return " ".join(number[place : place + 4] for place in range(0, len(number), 4))


def spoken(text: str) -> str:
    """A text that is a valid IBAN in groups of four; any other text as it is."""
    return grouped(text) if _LIKE.fullmatch(text) and holds(text) else text


def holds(text: str) -> bool:
    """Whether this is a valid IBAN: known country, right length and check digits; blanks are ignored."""
    number = plain(text)
    if not number.isascii() or len(number) != LENGTHS.get(number[:2]):
        return False
    return int("".join(str(int(sign, 36)) for sign in number[4:] + number[:4])) % 97 == 1
