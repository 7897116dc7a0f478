"""Machine-readable zones of travel documents: finding their lines, reading values, and verifying check digits.

Formats: cards (TD1, three lines of 30 characters), larger cards (TD2, two of 36), passports (TD3, two of 44).
Source: ICAO Doc 9303 parts 3 to 6.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

FORMATS: Mapping[str, tuple[int, int]] = {"TD1": (3, 30), "TD2": (2, 36), "TD3": (2, 44)}
_LOOKS = re.compile(r"[A-Z0-9<]{28,46}", re.ASCII)
_WITHOUT_FILLER = re.compile(r"[A-Z0-9]{9}[0-9][A-Z]{3}[0-9]{7}[FMX][0-9]{7}[A-Z0-9]*", re.ASCII)
_DIGIT_FOR = str.maketrans("OQDILZSBG", "000112586")
_LETTER_FOR = str.maketrans("012568", "OIZSGB")
FORWARD = 30  # documents are not valid for longer: later two-digit years belong to the previous century

Part = Literal["number", "birth_date", "expires_on", "optional", "composite"]


class _At(NamedTuple):
    """A part of a zone: line, start, end."""

    line: int
    start: int
    end: int


_PLACES: Mapping[str, Mapping[str, _At]] = {
    "TD1": {
        "code": _At(0, 0, 2),
        "issuer": _At(0, 2, 5),
        "number": _At(0, 5, 14),
        "optional": _At(0, 15, 30),
        "birth": _At(1, 0, 6),
        "sex": _At(1, 7, 8),
        "expires": _At(1, 8, 14),
        "nationality": _At(1, 15, 18),
        "more": _At(1, 18, 29),
        "names": _At(2, 0, 30),
    },
    "TD2": {
        "code": _At(0, 0, 2),
        "issuer": _At(0, 2, 5),
        "names": _At(0, 5, 36),
        "number": _At(1, 0, 9),
        "nationality": _At(1, 10, 13),
        "birth": _At(1, 13, 19),
        "sex": _At(1, 20, 21),
        "expires": _At(1, 21, 27),
        "optional": _At(1, 28, 35),
    },
    "TD3": {
        "code": _At(0, 0, 2),
        "issuer": _At(0, 2, 5),
        "names": _At(0, 5, 44),
        "number": _At(1, 0, 9),
        "nationality": _At(1, 10, 13),
        "birth": _At(1, 13, 19),
        "sex": _At(1, 20, 21),
        "expires": _At(1, 21, 27),
        "optional": _At(1, 28, 42),
    },
}
_DIGITS: Mapping[str, Mapping[Part, tuple[tuple[_At, ...], _At]]] = {
    "TD1": {
        "number": ((_At(0, 5, 14),), _At(0, 14, 15)),
        "birth_date": ((_At(1, 0, 6),), _At(1, 6, 7)),
        "expires_on": ((_At(1, 8, 14),), _At(1, 14, 15)),
        "composite": ((_At(0, 5, 30), _At(1, 0, 7), _At(1, 8, 15), _At(1, 18, 29)), _At(1, 29, 30)),
    },
    "TD2": {
        "number": ((_At(1, 0, 9),), _At(1, 9, 10)),
        "birth_date": ((_At(1, 13, 19),), _At(1, 19, 20)),
        "expires_on": ((_At(1, 21, 27),), _At(1, 27, 28)),
        "composite": ((_At(1, 0, 10), _At(1, 13, 20), _At(1, 21, 35)), _At(1, 35, 36)),
    },
    "TD3": {
        "number": ((_At(1, 0, 9),), _At(1, 9, 10)),
        "birth_date": ((_At(1, 13, 19),), _At(1, 19, 20)),
        "expires_on": ((_At(1, 21, 27),), _At(1, 27, 28)),
        "optional": ((_At(1, 28, 42),), _At(1, 42, 43)),
        "composite": ((_At(1, 0, 10), _At(1, 13, 20), _At(1, 21, 43)), _At(1, 43, 44)),
    },
}
"""For each check digit: its parts and its position."""


@dataclass(frozen=True, slots=True)
class Zone:
    """The values of a zone. Incomplete dates are None; `digits`: check digit → whether it is right.

    `code` is the document type (`P`, `I`, `IR` …), `issuer` and `nationality` are ICAO's three letters (`D` for Germany).
    """

    format: str
    lines: tuple[str, ...]
    code: str
    issuer: str
    number: str
    nationality: str
    birth_date: date | None
    sex: str
    expires_on: date | None
    family_name: str
    given_names: str
    optional: str
    digits: Mapping[Part, bool]

    @property
    def valid(self) -> bool:
        """Whether all check digits are right."""
        return all(self.digits.values())

    @property
    def wrong(self) -> tuple[Part, ...]:
        """The parts with a wrong check digit."""
        return tuple(name for name, right in self.digits.items() if not right)


def check_digit(text: str) -> int | None:
    """Weights 7, 3, 1 over digits, letters as 10 to 35 and `<` as 0, modulo 10; None for other characters."""
    if not re.fullmatch(r"[0-9A-Z<]*", text, re.ASCII):
        return None
    return (
        sum((0 if sign == "<" else int(sign, 36)) * (7, 3, 1)[place % 3] for place, sign in enumerate(text))
        % 10
    )


def zone_lines(texts: Iterable[str]) -> Iterator[str]:
    """The lines that look like lines of a zone, without blanks, in upper case."""
    for text in texts:
        plain = re.sub(r"\s", "", text).replace("«", "<<").replace("‹", "<").upper()
        if _LOOKS.fullmatch(re.sub(r"[^A-Z0-9<]", "<", plain)) and (
            plain.count("<") > 1 or _WITHOUT_FILLER.fullmatch(plain)
        ):
            yield plain


def parse(text: str | Sequence[str], today: date | None = None, *, seen: bool = False) -> Zone | None:
    """The zone in these lines; None if there is none.

    `today` decides the century of two-digit years. `seen`: the lines come from a picture, so a letter where only a digit is possible becomes the
    digit that looks like it, and the reverse; check digits are never changed to fit.
    """
    lines = list(zone_lines(text.splitlines() if isinstance(text, str) else text))
    for name, (count, width) in FORMATS.items():
        for first in range(len(lines) - count + 1):
            made = [_whole(line, width) for line in lines[first : first + count]]
            zone = _zone(name, [line for line in made if line is not None], today, seen=seen)
            if zone is not None:
                return zone
    return None


def settled(
    readings: Sequence[Sequence[str]], today: date | None = None, *, seen: bool = False
) -> tuple[Zone | None, bool]:
    """(the zone that several readings of the same lines agree on, whether that is reliable).

    A reading with right check digits wins, unless two others agree. A wrong one is reliable if read twice, or not from a picture.
    """
    found = [zone for zone in (parse(reading, today, seen=seen) for reading in readings) if zone is not None]
    if not found or not seen:
        return (found[0], True) if found else (None, False)
    right = [zone for zone in found if zone.valid]
    twice = [
        zone for zone in found if not zone.valid and sum(other.lines == zone.lines for other in found) > 1
    ]
    if right:
        return right[0], not twice
    return (twice[0], True) if twice else (found[0], False)


def _whole(line: str, width: int) -> str | None:
    """The line at its exact length; fillers at the end are easily miscounted."""
    if len(line) == width:
        return line
    return (
        line.rstrip("<").ljust(width, "<")
        if line.endswith("<<") and len(line.rstrip("<")) < width and abs(len(line) - width) <= 3
        else None
    )


def _zone(name: str, lines: Sequence[str], today: date | None, *, seen: bool) -> Zone | None:
    if len(lines) != FORMATS[name][0]:
        return None
    taken = _corrected(name, lines) if seen else tuple(lines)
    part = {key: taken[at.line][at.start : at.end] for key, at in _PLACES[name].items()}
    if (
        not re.fullmatch(r"[ACIPV][A-Z<]", part["code"])
        or not re.fullmatch(r"[0-9<]{6}", part["birth"])
        or part["sex"] not in "FMX<"
    ):
        return None
    if not re.fullmatch(r"[A-Z]{1,3}<*", part["issuer"]):
        return None
    family, _, given = part["names"].partition("<<")
    expires = _date(part["expires"], None)
    return Zone(
        name,
        taken,
        part["code"].strip("<"),
        part["issuer"].strip("<"),
        _number(name, part),
        part["nationality"].strip("<"),
        _date(part["birth"], today or expires),
        part["sex"].strip("<"),
        expires,
        _words(family),
        _words(given),
        part["optional"].strip("<"),
        _judged(name, taken),
    )


def _number(name: str, part: Mapping[str, str]) -> str:
    """The document number; on a card a number over nine characters continues in the optional part, up to its check digit."""
    if name == "TD1" and part["optional"][:1] != "<" and _long(part):
        return part["number"] + part["optional"].split("<")[0][:-1]
    return part["number"].rstrip("<").replace("<", "")


def _long(part: Mapping[str, str]) -> bool:
    rest = part["optional"].split("<")[0]
    return (
        len(rest) > 1
        and check_digit(part["number"] + "<" + rest[:-1]) is not None
        and rest[-1].isdigit()
        and "<" not in part["number"]
    )


def _judged(name: str, lines: Sequence[str]) -> dict[Part, bool]:
    """Check digit → whether it is right. The digit of an empty optional part may be a filler."""
    judged: dict[Part, bool] = {}
    for key, (parts, at) in _DIGITS[name].items():
        text = "".join(lines[part.line][part.start : part.end] for part in parts)
        digit = lines[at.line][at.start : at.end]
        if name == "TD1" and key == "number" and digit == "<":
            rest = lines[0][15:30].split("<")[0]
            text, digit = text + rest[:-1], rest[-1:]
        empty = key == "optional" and digit == "<" and not text.strip("<")
        judged[key] = empty or digit == str(check_digit(text))
    return judged


def _date(text: str, latest: date | None) -> date | None:
    """The day from six digits. Births are before `latest`; expiry dates within the next decades."""
    try:
        year, month, day = (int(text[at : at + 2]) for at in (0, 2, 4))
        if latest is not None:
            made = date(2000 + year, month, day)
            return made if made <= latest else date(1900 + year, month, day)
        return date((2000 if year < 100 - FORWARD else 1900) + year, month, day)
    except ValueError:
        return None


def _words(text: str) -> str:
    return " ".join(text.replace("<", " ").split())


def _corrected(name: str, lines: Sequence[str]) -> tuple[str, ...]:
    """The lines with digits where only digits are possible, and letters where only letters are."""
    places = _PLACES[name]
    made = [list(line) for line in lines]
    for at in (places["birth"], places["expires"], *(digit for _, digit in _DIGITS[name].values())):
        made[at.line][at.start : at.end] = "".join(made[at.line][at.start : at.end]).translate(_DIGIT_FOR)
    for at in (places["code"], places["issuer"], places["nationality"], places["names"]):
        made[at.line][at.start : at.end] = "".join(made[at.line][at.start : at.end]).translate(_LETTER_FOR)
    return tuple("".join(line) for line in made)
