"""What a column of a list of contacts is proposed as, by its heading and its cells, and how addresses, numbers, countries, languages and zones in cells are read."""

import re
import unicodedata
from collections.abc import Container, Mapping, Sequence
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from console.core.documents.collections import Collection, Field
from console.formats import phone_text

GIVEN, MIDDLE, FAMILY = "given", "middle", "family"
USUAL: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "full name", "contact name", "display name"),
    GIVEN: ("first name", "given name", "forename"),
    MIDDLE: ("middle name",),
    FAMILY: ("last name", "family name", "surname"),
    "email": ("email", "e mail", "mail", "email address", "e mail address"),
    "phone": (
        "mobile",
        "mobile phone",
        "mobile number",
        "cell phone",
        "phone",
        "telephone",
        "phone number",
        "telephone number",
    ),
    "zone": ("time zone", "timezone"),
    "country": ("country", "country region", "country code"),
    "language": ("language", "locale"),
    "owner": ("owner", "contact owner", "account owner"),
    "stage": ("stage", "status", "lifecycle stage"),
    "do_not_contact": ("do not contact",),
}
"""Part of a contact → English headings by which it is proposed beside its own name and label, the best first."""
NAME_PARTS = (GIVEN, MIDDLE, FAMILY)
UNKNOWN = 1_000
MOSTLY = 0.8
"""Part of the filled cells of a column that have to be addresses or numbers, so that it is proposed for them."""
FORMULA = ("=", "+", "-", "@")
"""What follows the apostrophe that exports put before a text which a spreadsheet would take for a formula."""
NOTHING = frozenset({"-", "–", "n/a", "#n/a", "#nv", "null", "none", "nan", "k.a."})
"""What programs and people write into a cell of which they know nothing."""
_JOINED = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""Between two words of which only the capital letter says that they are two."""
_ADDRESS = re.compile(r"(?:mailto:)?([^\s<>,;:|/()\"@]+@[^\s<>,;:|/()\"'@]+)", re.IGNORECASE)
"""An address among others, whatever stands between them."""
_STROKE_BETWEEN = re.compile(r"\s/\s")
"""A stroke without blanks stands within a number too."""
LONGEST = 1_000
"""Characters of the longest cell that may hold addresses, numbers, or the name of a country, language or zone: to look through a longer one could take very long."""
_MAIL = re.compile(r"(?:[^<>@]*<)?(?:mailto:)?([^<>\s,;:@]+@[^<>\s,;:/|@]+)>?", re.IGNORECASE)
_KIND = re.compile(r"\A[^\W\d_]+\.?:\s*(?=[+\d(])")
_LANGUAGE_LETTERS = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{2,8})*(?:[.@].*)?")
_DECIMAL = re.compile(r"(\+?\d{7,})\.0+")
_SHORTENED = re.compile(r"\d[.,]?\d*[eE]\+?\d{1,2}|#{3,}")


def normalise_heading(heading: str) -> str:
    """A heading as it is compared: small letters, one blank between words, also where a program writes FirstName or first_name."""
    return " ".join(re.findall(r"\w+", _JOINED.sub(" ", heading).casefold().replace("_", " ")))


_KNOWN = {words: (part, rank) for part, known in USUAL.items() for rank, words in enumerate(known)}


def part_of(heading: str) -> str | None:
    """Return which part of a contact a column is by its English heading."""
    return _KNOWN.get(normalise_heading(heading), (None, 0))[0]


def rank(heading: str) -> int:
    """Which of several columns for one part counts first: the lowest. Of a name, that is the given name."""
    part, place = _KNOWN.get(normalise_heading(heading), (None, UNKNOWN))
    return NAME_PARTS.index(part) if part in NAME_PARTS else place


def fields_of(collection: Collection, named: Sequence[str], fields: Sequence[Field]) -> dict[int, Field]:
    """Number of a column → the field that its heading names, by its own words or by usual ones."""
    own = {normalise_heading(name): item for item in fields for name in (item.label, item.name)}
    by_name = {item.name: item for item in fields}
    found: dict[int, Field] = {}
    usual: dict[str, list[int]] = {}
    for number, heading in sorted(enumerate(named), key=lambda each: (rank(each[1]), each[0])):
        item, part = own.get(normalise_heading(heading)), part_of(heading)
        if item is not None and item not in found.values():
            found[number] = item
        elif part is not None:
            usual.setdefault(part, []).append(number)
    taken = {item.name for item in found.values()}
    for part in USUAL:  # a whole name stands before its parts
        into = "name" if part in NAME_PARTS else part
        item = by_name.get(getattr(collection.contact, into, None) or "")
        if item is None or part not in usual or (item.name in taken and into not in ("email", "phone")):
            continue
        found |= dict.fromkeys(usual[part] if into in ("email", "phone") else usual[part][:1], item)
        if part == "name":
            taken.add(item.name)
    return found


def column_by_cells(part: str, lines: Sequence[Sequence[str]], used: Container[int]) -> int | None:
    """The one column, of those that are not used, whose cells are e-mail addresses or telephone numbers; None where there is none, or several."""
    is_such = _is_address if part == "email" else _is_telephone
    width = max(map(len, lines), default=0)
    filled = {
        number: [line[number] for line in lines if number < len(line) and line[number]]
        for number in range(width)
    }
    found = [
        n
        for n, cells in filled.items()
        if n not in used and cells and sum(map(is_such, cells)) >= len(cells) * MOSTLY
    ]
    return found[0] if len(found) == 1 else None


def _is_address(cell: str) -> bool:
    return _MAIL.fullmatch(cell) is not None and "." in cell


def _is_telephone(cell: str) -> bool:
    """Whether a cell is a possible number with its country before it."""
    import phonenumbers

    if not cell.startswith("+") or len(cell) > LONGEST:
        return False
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(cell, None))
    except phonenumbers.NumberParseException:
        return False


def country_code(cell: str) -> str:
    """Return the two letters of a country that is named in English, or by two or three letters; the cell itself where there is none such."""
    words = _country_words(cell)
    if words.upper() in _codes():
        return words.upper()
    return _country_aliases().get(words) or _countries().get(words, cell)


def _country_words(name: str) -> str:
    return " ".join(name.casefold().replace(".", "").split()).removeprefix("the ")


def is_country(cell: str) -> bool:
    """Whether these are the two letters of a country."""
    return cell in _codes()


@lru_cache(maxsize=1)
def _codes() -> frozenset[str]:
    from babel.core import get_global

    return frozenset(code for code in get_global("territory_zones") if len(code) == len("DE")) | {"XK"}


@lru_cache(maxsize=1)
def _country_aliases() -> Mapping[str, str]:
    from babel.core import get_global

    return {
        _country_words(name): those[0]
        for name, those in get_global("territory_aliases").items()
        if those[0] in _codes()
    }


@lru_cache(maxsize=1)
def _countries() -> Mapping[str, str]:
    """English names of countries → their letters."""
    from babel import Locale

    return {
        _country_words(str(name)): code for code, name in Locale("en").territories.items() if code in _codes()
    }


def language_code(cell: str) -> str:
    """Return the two letters of a language that is named in English, or by letters with a region behind; the cell itself where there is none such."""
    if len(cell) > LONGEST:
        return cell
    letters = _LANGUAGE_LETTERS.fullmatch(cell)
    code = letters[1].lower() if letters is not None else ""
    return _languages().get(cell.casefold()) or (code if code in _languages().values() else cell)


@lru_cache(maxsize=1)
def _languages() -> Mapping[str, str]:
    """English names of languages → their letters."""
    from babel import Locale

    return {
        str(name).casefold(): code for code, name in Locale("en").languages.items() if len(code) == len("de")
    }


def address(cell: str) -> str:
    """The address alone of what a mail program or a web page writes around it, as in Ada <ada@post.example>; of several the first."""
    if len(cell) > LONGEST:
        return cell
    found = _MAIL.fullmatch(cell)
    return found[1] if found is not None else next(iter(several_addresses(cell)), cell)


def several_addresses(cell: str) -> list[str]:
    """The e-mail addresses of a cell that holds more than one, whatever stands between them; nothing of any other."""
    each = (
        list(dict.fromkeys(told.lstrip("'") for told in _ADDRESS.findall(cell)))
        if cell.count("@") > 1 and len(cell) <= LONGEST
        else []
    )
    return each if len(each) > 1 else []


def addresses_in(cell: str) -> tuple[str, ...]:
    """All addresses that stand in a cell, in their order, also with names around them; the cell as `address` reads it where there is no second one."""
    return tuple(several_addresses(cell)) or ((address(cell),) if cell else ())


def as_compared(value: object) -> str:
    """What a value is compared by: without regard to case, nor to how a domain spells its letters (xn--… or ü). What stands before the @ counts as it is, dots too."""
    text = unicodedata.normalize("NFC", str(value)).strip() if value not in (None, "") else ""
    before, at, domain = text.rpartition("@")
    domain = domain.lower()
    return (
        f"{before.casefold()}@{_domains(domain)[0] if 'xn--' in domain else domain}"
        if at
        else text.casefold()
    )


def spellings(value: Any) -> set[Any]:
    """The ways in which databases may have a value that stands in a file."""
    if not isinstance(value, str):
        return {value}
    before, at, domain = value.lower().rpartition("@")
    other = _domains(domain) if at and ("xn--" in domain or not domain.isascii()) else ()
    return {value, value.lower(), *(f"{before}@{name}" for name in other)}


def _domains(domain: str) -> tuple[str, str]:
    """The domain with its letters, and as machines write it; as it is where it is none."""
    from email_validator import (
        EmailNotValidError,
        validate_email,
    )  # of those who need it: most addresses are plain

    try:
        known = validate_email(f"x@{domain}", check_deliverability=False)
    except EmailNotValidError:
        return domain, domain
    return known.domain, known.ascii_domain or domain


def number(cell: str) -> str:
    """Return a telephone number without the p: or tel: that programs write before it, and the .0 of one that took it for an amount."""
    return _DECIMAL.sub(r"\1", _KIND.sub("", cell)) if len(cell) <= LONGEST else cell


def numbers_in(cell: str) -> tuple[str, ...]:
    """All telephone numbers that stand in a cell, in their order; the cell as `number` reads it where there is no second one."""
    if len(cell) > LONGEST:
        return (cell,)
    parts = [part.strip() for field in phone_text.fields_apart(cell) for part in _STROKE_BETWEEN.split(field)]
    several = tuple(
        dict.fromkeys(number(part) for part in parts if phone_text.digits_in(part) >= phone_text.FEWEST)
    )
    return several if len(several) > 1 else (number(cell),) if cell else ()


def zone_name(cell: str) -> str:
    """Return the name of a time zone however its letters are written; the cell itself where there is none such."""
    return _zones().get(cell.casefold().replace(" ", "_"), cell)


@lru_cache(maxsize=1)
def _zones() -> Mapping[str, str]:
    return {name.casefold(): name for name in available_timezones()}


def is_shortened(cell: str) -> bool:
    """Whether a spreadsheet has made a long number of it, as 4.71235E+10, or had no room for it: the digits are lost."""
    return _SHORTENED.fullmatch(cell) is not None


def shortened(label: str, cell: str) -> str:
    """Why a line is left out whose telephone number is such."""
    return f"A spreadsheet has shortened {label} to {cell}: the last digits are lost. Make the column text there."
