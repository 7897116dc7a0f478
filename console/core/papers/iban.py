"""IBAN by ISO 13616, by python-stdnum's copy of the registry: length and form by country, check digits as they are derived (02 to 98)."""

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


def problem(text: str) -> str | None:
    """What is wrong with a number, None if nothing. Blanks are ignored."""
    from stdnum import iban
    from stdnum.exceptions import InvalidChecksum, ValidationError

    number = "".join(text.upper().split())
    length = length_of(number[:2])
    if length is None:
        return "An IBAN begins with the letters of its country, such as NL91 ABNA 0417 1643 00."
    if len(number) != length:
        return "This IBAN has too few or too many characters for its country."
    try:
        if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]+", number):
            raise ValidationError
        iban.validate(number, check_country=False)
        if not "02" <= number[2:4] <= "98":
            raise InvalidChecksum
    except InvalidChecksum:
        return "The check digits of this IBAN are wrong: look at it once more."
    except ValidationError:
        return "This is no IBAN; one looks like NL91 ABNA 0417 1643 00."
    return None


def holds(text: str) -> bool:
    """Whether this is a valid IBAN: known country, right length and check digits; blanks, dots and hyphens are ignored."""
    return problem(normalise(text)) is None


def length_of(country: str) -> int | None:
    """How many signs the numbers of a country have; None for one without IBANs."""
    from stdnum import numdb

    [(_, properties), *_] = numdb.get("iban").info(country) or [("", {})]
    lengths = re.findall(r"\d+", properties.get("bban", ""))
    return 4 + sum(map(int, lengths)) if lengths else None
