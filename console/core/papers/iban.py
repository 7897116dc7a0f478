"""IBAN by ISO 13616, as `schwifty` knows it: length and form by country, check digits as they are derived (02 to 98)."""

import re

_LIKE = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9 ]{11,34}")


def normalise(text: str) -> str:
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
    from schwifty import IBAN  # reads its tables when it is imported

    number = normalise(text)
    return number.isascii() and IBAN(number, allow_invalid=True).is_valid


def length_of(country: str) -> int | None:
    """How many signs the numbers of a country have; None for one without IBANs."""
    from schwifty import IBAN
    from schwifty.exceptions import SchwiftyException

    try:
        return int(IBAN(country, allow_invalid=True).spec.iban_length)
    except SchwiftyException:
        return None
