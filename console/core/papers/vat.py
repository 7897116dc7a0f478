"""VAT numbers of the European Union, the United Kingdom, Switzerland, Norway, Andorra, Brazil, Russia and Serbia: format and check digits.

Whether a number is registered only the register knows; check digits show typing errors.
Source: the algorithms that the tax authorities publish, as collected by the European Commission for VIES; ISO 7064 (mod 11,10), Luhn.
Compared once, 60,000 numbers a country, with python-stdnum 2.2 (docs/adr/0002-dependencies.md says why it is not used).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """Format of a country's numbers after its letters, an example, and the check of the digits."""

    form: str
    example: str
    agrees: Callable[[str], bool]


def problem(text: str) -> str | None:
    """What is wrong with a number, None if nothing. Blanks, dots and hyphens are ignored; `CHE` and `GR` are accepted."""
    plain = re.sub(r"[ .\-/]", "", text).upper()
    plain = f"BR{plain}" if re.fullmatch(r"\d{14}", plain, re.ASCII) else plain  # only Brazil writes no letters before the number
    letters = {"GR": "EL"}.get(plain[:2], plain[:2])
    country = COUNTRIES.get(letters)
    if country is None:
        return f"A VAT number begins with the letters of its country, such as {COUNTRIES['DE'].example}."
    rest = plain[2:]
    if not re.fullmatch(country.form, rest, re.ASCII):
        return f"A VAT number of {letters} looks like {country.example}."
    return None if country.agrees(rest) else "The check digits of this VAT number are wrong: look at it once more."


def _digits(text: str) -> list[int]:
    return [int(character) for character in text if character.isdigit()]


def _weighted(text: str | Iterable[int], weights: Sequence[int]) -> int:
    numbers = _digits(text) if isinstance(text, str) else text
    return sum(number * weight for number, weight in zip(numbers, weights, strict=False))


def luhn(text: str) -> bool:
    """Whether the last digit checks the others (ISO/IEC 7812)."""
    numbers = _digits(text)[::-1]
    return sum(numbers[::2]) % 10 == -sum(sum(divmod(2 * number, 10)) for number in numbers[1::2]) % 10


def _mod_11_10(text: str) -> bool:
    rest = 10
    for number in _digits(text)[:-1]:
        rest = 2 * ((rest + number) % 10 or 10) % 11
    return (rest + int(text[-1])) % 10 == 1


def _sums_to(weights: Sequence[int], modulus: int) -> Callable[[str], bool]:
    """Check: the weighted sum of all digits can be divided by this number."""
    return lambda text: _weighted(text, weights) % modulus == 0


def _last(weights: Sequence[int], check: Callable[[int], int]) -> Callable[[str], bool]:
    """Check: the last digit follows from the weighted sum of the others."""
    return lambda text: check(_weighted(text[: len(weights)], weights)) == int(text[len(weights)])


def _austria(text: str) -> bool:
    numbers = _digits(text)
    total = sum(number if place % 2 == 0 else sum(divmod(2 * number, 10)) for place, number in enumerate(numbers[:7]))
    return (10 - (total + 4) % 10) % 10 == numbers[7]


def _bulgaria(text: str) -> bool:
    if len(text) != 9:
        return True  # of a person: several kinds of numbers, each with its own rules
    rest = _weighted(text, range(1, 9)) % 11
    return (rest if rest < 10 else _weighted(text, range(3, 11)) % 11 % 10) == int(text[8])


def _cyprus(text: str) -> bool:
    odd = dict(zip("0123456789", (1, 0, 5, 7, 9, 13, 15, 17, 19, 21), strict=True))
    total = sum(odd[one] for one in text[:8:2]) + sum(_digits(text[1:8:2]))
    return chr(ord("A") + total % 26) == text[8]


def _spain(text: str) -> bool:
    if text[0].isdigit() or text[0] in "XYZ":
        return "TRWAGMYFPDXBNJZSQVHLCKE"[int(text[:-1].translate(str.maketrans("XYZ", "012"))) % 23] == text[-1]
    if text[0] in "KLM":
        return "TRWAGMYFPDXBNJZSQVHLCKE"[int(text[1:-1]) % 23] == text[-1]
    numbers = _digits(text[1:8])
    check = -(sum(numbers[1::2]) + sum(sum(divmod(2 * number, 10)) for number in numbers[::2])) % 10
    return text[8] in (str(check), "JABCDEFGHI"[check])


def _france(text: str) -> bool:
    key, company = text[:2], text[2:]
    known = company.startswith("000") or luhn(company)  # numbers of Monaco begin with 000
    return known and (not key.isdigit() or int(key) == (12 + 3 * (int(company) % 97)) % 97)


def _ireland(text: str) -> bool:
    letters = "WABCDEFGHIJKLMNOPQRSTUV"
    if not text[1].isdigit():  # the form of before 2013: a letter or sign in the second place
        text = f"0{text[2:7]}{text[0]}{text[7:]}"
    second = letters.index(text[8]) if len(text) == 9 else 0
    return letters[(_weighted(text[:7], range(8, 1, -1)) + 9 * second) % 23] == text[7]


def _latvia(text: str) -> bool:
    return text[0] in "0123" or _weighted(text, (9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1)) % 11 == 3


def _lithuania(text: str) -> bool:
    first = [place % 9 + 1 for place in range(len(text) - 1)]
    rest = _weighted(text, first) % 11
    return (rest if rest < 10 else _weighted(text, [(place + 2) % 9 + 1 for place in range(len(text) - 1)]) % 11 % 10) == int(text[-1])


def _netherlands(text: str) -> bool:
    spelled = "".join(str(int(character, 36)) for character in f"NL{text}")
    return int(spelled) % 97 == 1 or _weighted(text[:8], range(9, 1, -1)) % 11 == int(text[8])


def _romania(text: str) -> bool:
    numbers = text[:-1].rjust(9, "0")
    return 10 * _weighted(numbers, (7, 5, 3, 2, 1, 7, 5, 3, 2)) % 11 % 10 == int(text[-1])


def _kingdom(text: str) -> bool:
    """Government departments and health authorities, short or long form; else the scheme of 1973 or, from 100 on, of 2009 ("9755")."""
    if text[:2] in ("GD", "HA"):
        number, check = (text[2:], "") if len(text) == 5 else (text[6:9], text[9:])
        return (int(number) < 500) is (text[:2] == "GD") and (not check or int(number) % 97 == int(check))
    rest = (_weighted(text, range(8, 1, -1)) + int(text[7:9])) % 97
    return rest == 0 or (rest in (42, 55) and int(text[:3]) >= 100)


def _not_ten(total: int) -> int:
    """11 minus the remainder; 11 becomes 0, and 10 is not a digit."""
    return (11 - total % 11) % 11


def _brazil(text: str) -> bool:
    weights = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    return all(int(text[end]) == (11 - _weighted(text[:end], weights[13 - end :]) % 11) % 11 % 10 for end in (12, 13))


def _russia(text: str) -> bool:
    weights = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
    ends = (9,) if len(text) == 10 else (10, 11)
    return all(int(text[end]) == _weighted(text[:end], weights[11 - end :]) % 11 % 10 for end in ends)


COUNTRIES: Mapping[str, Country] = {
    "AD": Country(r"[ACDEFGLOPU]\d{6}[A-Z]", "ADL000000L", lambda _: True),
    "AT": Country(r"U\d{8}", "ATU13585627", _austria),
    "BE": Country(r"[01]\d{9}", "BE0428759497", lambda text: 97 - int(text[:8]) % 97 == int(text[8:])),
    "BG": Country(r"\d{9,10}", "BG175074752", _bulgaria),
    "BR": Country(r"\d{14}", "BR45723174000110", _brazil),
    "CH": Country(r"E\d{9}(MWST|TVA|IVA|VAT)?", "CHE107787577", lambda text: _last((5, 4, 3, 2, 7, 6, 5, 4), _not_ten)(text[1:])),
    "CY": Country(r"(?!12)\d{8}[A-Z]", "CY10259033P", _cyprus),
    "CZ": Country(
        r"[0-8]\d{7}|\d{9,10}",
        "CZ25123891",
        lambda text: len(text) != 8 or (11 - _weighted(text[:7], range(8, 1, -1)) % 11) % 10 == int(text[7]),
    ),
    "DE": Country(r"[1-9]\d{8}", "DE136695976", _mod_11_10),
    "DK": Country(r"[1-9]\d{7}", "DK13585628", _sums_to((2, 7, 6, 5, 4, 3, 2, 1), 11)),
    "EE": Country(r"\d{9}", "EE100931558", _sums_to((3, 7, 1, 3, 7, 1, 3, 7, 1), 10)),
    "EL": Country(r"\d{9}", "EL094259216", _last((256, 128, 64, 32, 16, 8, 4, 2), lambda total: total % 11 % 10)),
    "ES": Country(r"\d{8}[A-Z]|[XYZKLM]\d{7}[A-Z]|[A-HJNP-SUVW]\d{7}[0-9A-J]", "ESA13585625", _spain),
    "FI": Country(r"\d{8}", "FI20774740", _sums_to((7, 9, 10, 5, 8, 4, 2, 1), 11)),
    "FR": Country(r"[0-9A-HJ-NP-Z]{2}\d{9}", "FR40303265045", _france),
    "GB": Country(r"\d{9}(\d{3})?|(GD|HA)(8888\d{2})?\d{3}", "GB980780684", _kingdom),
    "HR": Country(r"\d{11}", "HR33392005961", _mod_11_10),
    "HU": Country(r"\d{8}", "HU12892312", _sums_to((9, 7, 3, 1, 9, 7, 3, 1), 10)),
    "IE": Country(r"\d[0-9A-Z+*]\d{5}[A-W]|\d{7}[A-W][A-I]", "IE6433435F", _ireland),
    "IT": Country(r"\d{11}", "IT00743110157", luhn),
    "LT": Country(r"\d{7}1\d|\d{10}1\d", "LT119511515", _lithuania),
    "LU": Country(r"\d{8}", "LU15027442", lambda text: int(text[:6]) % 89 == int(text[6:])),
    "LV": Country(r"\d{11}", "LV40003521600", _latvia),
    "MT": Country(r"[1-9]\d{7}", "MT11679112", _sums_to((3, 4, 6, 7, 8, 9, 10, 1), 37)),
    "NL": Country(r"\d{9}B(?!00)\d{2}", "NL004495445B01", _netherlands),
    "NO": Country(r"\d{9}(MVA)?", "NO995525828MVA", _last((3, 2, 7, 6, 5, 4, 3, 2), _not_ten)),
    "PL": Country(r"\d{10}", "PL8567346215", _last((6, 5, 7, 2, 3, 4, 5, 6, 7), lambda total: total % 11)),
    "PT": Country(r"[1-9]\d{8}", "PT501964843", _last(tuple(range(9, 1, -1)), lambda total: (11 - total % 11) % 11 % 10)),
    "RO": Country(r"[1-9]\d{1,9}", "RO18547290", _romania),
    "RS": Country(r"[1-9]\d{8}", "RS100010812", _mod_11_10),
    "RU": Country(r"\d{10}|\d{12}", "RU7707083893", _russia),
    "SE": Country(r"\d{10}01", "SE123456789701", lambda text: luhn(text[:10])),
    "SI": Country(r"[1-9]\d{7}", "SI50223054", _last(tuple(range(8, 1, -1)), lambda total: (11 - total % 11) % 10 if total % 11 else -1)),
    "SK": Country(r"[1-9]\d[2-47-9]\d{7}", "SK2022749619", lambda text: int(text) % 11 == 0),
    "XI": Country(r"\d{9}(\d{3})?|(GD|HA)(8888\d{2})?\d{3}", "XI980780684", _kingdom),
}
"""Country by the letters that begin a number; `XI` is Northern Ireland."""
