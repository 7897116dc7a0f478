"""Whether a value stands literally in a source, and where.

Literal means whole tokens after normalising: 1,234.50 is 1234.5, and 9.9 is not in 89.9; days are compared as ISO dates, accounts and phone numbers
without blanks, texts without case and spacing. What would have to be reckoned, converted or completed is not literal.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice, pairwise
from typing import Any, Literal, NamedTuple

from console.ai.safety import contact_details, written_values
from console.core.proposal_types import Source

ValueKind = Literal["number", "day", "moment", "clock", "email", "phone", "url", "code", "text", "boolean"]

KINDS: Mapping[str, ValueKind] = {
    "integer": "number",
    "decimal": "number",
    "money": "number",
    "date": "day",
    "datetime": "moment",
    "time": "clock",
    "email": "email",
    "phone": "phone",
    "url": "url",
    "uuid": "code",
    "reference": "code",
    "boolean": "boolean",
}
"""How a value of a form's type is looked for; every other type as text."""

LONGEST_READ = 100_000  # characters of one text that are looked through
MOST_LINES = 20_000  # scalars of one source
LONGEST_VALUE = 2_000  # characters of a value that is looked for
DEEPEST = 12
HUGE = 10_000  # bits of a number that is not written out
QUOTE_AROUND = 60
LONGEST_QUOTE = 200
CODE_LEAST = 8  # letters and digits from which an identifier may be written with blanks
IN_TEXT = frozenset({"document", "note", "mcp", "llm"})  # where a number's point may be a thousand's

_WORDS = re.compile(r"\w+|[^\w\s]")
_ALONE_BEFORE = r"(?<!\w)(?<!\w[-/.@_,:+])(?<!\d[\s])"
_ALONE_AFTER = r"(?!\w)(?![-/@_:]\w)(?![.,]\d)(?!\s\d)"
_DASHES = str.maketrans(
    {
        "‐": "-",
        "‑": "-",
        "‒": "-",
        "–": "-",
        "—": "-",
        "−": "-",
        "“": '"',
        "”": '"',
        "„": '"',
        "’": "'",
        "‘": "'",
        "´": "'",
    }
)


class Place(NamedTuple):
    """The place of a value: its name in the source's data, and the words around it."""

    at: str
    quote: str


@dataclass
class Line:
    """One scalar of a source's data under its name, with what was read of it so far."""

    at: str
    value: Any
    kind: str

    @cached_property
    def text(self) -> str:
        """The value as a normalised text."""
        wordless = (
            self.value is None
            or isinstance(self.value, bool)
            or (isinstance(self.value, int) and self.value.bit_length() > HUGE)
        )
        own_text = "" if wordless else str(self.value)
        return unicodedata.normalize(
            "NFKC", contact_details.visible(whole_words(own_text, LONGEST_READ))
        ).translate(_DASHES)

    @cached_property
    def folded(self) -> str:
        """The text without case."""
        return self.text.casefold()

    @cached_property
    def numbers(self) -> list[written_values.Reading]:
        """A value that is a number as the console writes it has one reading; in texts every reading counts, but no part of a day."""
        plain = (
            written_values.decimal(self.value)
            if not (isinstance(self.value, str) and self.kind in IN_TEXT)
            else None
        )
        if plain is not None:
            return [written_values.Reading(0, len(self.text), frozenset({plain}))]
        days = [(start, end) for start, end, _ in self.days if not self.text[start:end].isdigit()]
        return [
            reading
            for reading in written_values.numbers(self.text)
            if not any(start < reading.end and reading.start < end for start, end in days)
        ]

    @cached_property
    def days(self) -> list[written_values.Reading]:
        """The calendar days in the text."""
        return list(written_values.days(self.text)) if re.search(r"\d", self.text) else []

    @cached_property
    def emails(self) -> list[contact_details.Found]:
        """The e-mail addresses in the text."""
        return list(contact_details.emails(self.text))

    @cached_property
    def links(self) -> list[contact_details.Found]:
        """The web addresses in the text."""
        return list(contact_details.links(self.text))

    def quote(self, start: int, end: int) -> str:
        """The words from `start` to `end` with some before and after, on one line."""
        low, high = max(0, start - QUOTE_AROUND), min(len(self.text), max(end, start) + QUOTE_AROUND)
        if len(self.text) <= LONGEST_QUOTE:
            low, high = 0, len(self.text)
        low = self.text.find(" ", low, start) + 1 if low and self.text.find(" ", low, start) >= 0 else low
        cut = self.text.rfind(" ", end, high)
        high = cut if high < len(self.text) and cut > end else high
        words = " ".join(self.text[low:high].split())
        return f"{'…' if low else ''}{words[:LONGEST_QUOTE]}{'…' if high < len(self.text) else ''}"


class Evidence:
    """A source made ready for looking things up. `hidden` are names that a model did not get: nothing is found there."""

    def __init__(self, source: Source) -> None:
        self.source = source
        hidden = {name for name, treatment in source.treatments.items() if treatment in {"never", "hash"}}
        self.lines = [
            Line(str(at), value, source.kind)
            for at, value in islice(scalars(source.data), MOST_LINES)
            if at not in hidden
        ]

    def place(self, kind: ValueKind, value: Any, *, name: str = "") -> Place | None:
        """The place of the value; None if it is not there. A line called `name` is searched first."""
        if value is None or (isinstance(value, str) and (not value.strip() or len(value) > LONGEST_VALUE)):
            return None
        for line in sorted(self.lines, key=lambda line: line.at != name) if name else self.lines:
            if (span := FINDERS[kind](line, value)) is not None:
                return Place(line.at, line.quote(*span))
        return None


def whole_words(text: str, room: int) -> str:
    """The beginning of a text with at most `room` characters, cut between words, so that no number loses digits."""
    if len(text) <= room:
        return text
    for place in range(room, max(0, room - 500), -1):
        if text[place].isspace():
            return text[:place]
    return text[:room]


def scalars(data: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[str, Any]]:
    """(name of the first level, scalar) for everything in the data, in order."""
    for name, value in data.items():
        for scalar in _leaves(value, depth):
            yield name, scalar


def _leaves(value: Any, depth: int) -> Iterator[Any]:
    if depth > DEEPEST:
        return
    if isinstance(value, Mapping):
        for entry in value.values():
            yield from _leaves(entry, depth + 1)
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from _leaves(entry, depth + 1)
    else:
        yield value


def _number(line: Line, value: Any) -> tuple[int, int] | None:
    if (
        (wanted := written_values.decimal(value)) is None
        or line.value is None
        or isinstance(line.value, bool)
    ):
        return None
    return next(((start, end) for start, end, values in line.numbers if wanted in values), None)


def _day(line: Line, value: Any) -> tuple[int, int] | None:
    wanted = str(value)
    return next(((start, end) for start, end, values in line.days if wanted in values), None)


def _moment(line: Line, value: Any) -> tuple[int, int] | None:
    try:
        wanted = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    wanted = wanted.replace(tzinfo=UTC) if wanted.tzinfo is None else wanted.astimezone(UTC)
    for start, end, values in written_values.moments(line.text):
        if wanted in values:
            return start, end
    day = _day(line, wanted.date().isoformat())
    if day is None or next(iter(written_values.moments(line.text)), None) is not None:
        return None
    at_midnight = wanted.time().isoformat() == "00:00:00"
    return day if at_midnight or _clock(line, wanted.time().isoformat()) else None


def _clock(line: Line, value: Any) -> tuple[int, int] | None:
    wanted = str(value) if str(value).count(":") == 2 else f"{value}:00"
    return next(
        ((start, end) for start, end, values in written_values.clocks(line.text) if wanted in values), None
    )


def _email(line: Line, value: Any) -> tuple[int, int] | None:
    wanted = str(value).strip().casefold()
    return next(((address.start, address.end) for address in line.emails if address.text == wanted), None)


def _url(line: Line, value: Any) -> tuple[int, int] | None:
    wanted = contact_details.link(str(value).strip())
    return next(
        ((found_link.start, found_link.end) for found_link in line.links if found_link.text == wanted), None
    )


def _phone(line: Line, value: Any) -> tuple[int, int] | None:
    """Digits with anything that people put between them; +, 00 and a (0) after the country make no difference."""
    digits = re.sub(r"\D", "", re.sub(r"\(0\)", "", str(value)))
    digits = digits.removeprefix("00")
    if len(digits) < 5 or not digits.isascii():
        return None
    pattern = (
        r"(?<![\w+.,])(?:\+|00)?"
        + r"[\s().\-/]{0,3}(?:\(0\)[\s.\-/]?)?".join(digits)
        + r"(?!\d)(?![\s.\-/]\d)"
    )
    match = re.search(pattern, line.text, re.ASCII)
    return match.span() if match else None


def _text(line: Line, value: Any) -> tuple[int, int] | None:
    """The words one after the other, whatever their case and the blanks between; identifiers also with other blanks, points and hyphens."""
    wanted = unicodedata.normalize("NFKC", contact_details.visible(str(value))).translate(_DASHES).strip()
    words = _WORDS.findall(wanted)
    if not words or not any(word[0].isalnum() or word[0] == "_" for word in words):
        return None
    if words[0].casefold() in line.folded and (match := _sequence(words).search(line.text)):
        return match.span()
    return _code(line, wanted)


def _sequence(words: list[str]) -> re.Pattern[str]:
    """Whole tokens: no letter, digit or joined part before and after."""
    parts = [re.escape(words[0])]
    for before, word in pairwise(words):
        two_words = before[0].isalnum() and word[0].isalnum()
        parts.append((r"\s+" if two_words else r"\s*") + re.escape(word))
    before = r"(?<!\w)(?<!\w[-/.@_,:+])" if words[0][0].isalnum() else ""
    after = r"(?!\w)(?![-/@_:]\w)(?![.,]\d)" if words[-1][-1].isalnum() else ""
    if len(words) > 1 and all(any(sign.isdigit() for sign in word) for word in words if word.isalnum()):
        before, after = (
            _ALONE_BEFORE,
            _ALONE_AFTER,
        )  # groups of an identifier: of a longer one they are only a part
    return re.compile(before + "".join(parts) + after, re.IGNORECASE)


def _code(line: Line, value: Any) -> tuple[int, int] | None:
    """An identifier with digits, written with or without blanks, points and hyphens."""
    signs = contact_details.compact(str(value))
    if len(signs) < CODE_LEAST or sum(sign.isdigit() for sign in signs) < 4 or len(signs) > 64:
        return _exact(line, str(value))
    pattern = _ALONE_BEFORE + r"[\s.\-/]?".join(re.escape(sign) for sign in signs) + _ALONE_AFTER
    match = re.search(pattern, line.text, re.IGNORECASE)
    return match.span() if match else _exact(line, str(value))


def _exact(line: Line, value: str) -> tuple[int, int] | None:
    """The whole line, without case: for values of signs that are no words."""
    return (0, len(line.text)) if line.text and line.folded.strip() == value.casefold().strip() else None


def _as_code(line: Line, value: Any) -> tuple[int, int] | None:
    return _text(line, value)


def _boolean(line: Line, value: Any) -> tuple[int, int] | None:
    """A yes or no is literal only where the data has that very value."""
    return (0, 0) if isinstance(line.value, bool) and line.value is value else None


FINDERS: Mapping[ValueKind, Callable[[Line, Any], tuple[int, int] | None]] = {
    "number": _number,
    "day": _day,
    "moment": _moment,
    "clock": _clock,
    "email": _email,
    "phone": _phone,
    "url": _url,
    "code": _as_code,
    "text": _text,
    "boolean": _boolean,
}


class Fact(NamedTuple):
    """Something in a text that must not be made up."""

    kind: ValueKind
    values: tuple[Any, ...]


def facts(text: str) -> list[Fact]:
    """What of a text can be checked: addresses, links, accounts, phone numbers, days, numbers and everything else with digits in it.

    `values` are its readings: one of them has to stand in a source.
    """
    text = unicodedata.normalize("NFKC", contact_details.visible(text)).translate(_DASHES)
    stretches: list[tuple[int, int, Fact]] = []
    stretches += [
        (address.start, address.end, Fact("email", (address.text,)))
        for address in contact_details.emails(text)
    ]
    stretches += [
        (address.start, address.end, Fact("url", (text[address.start : address.end],)))
        for address in contact_details.links(text)
    ]
    stretches += [
        (address.start, address.end, Fact("code", (address.text,)))
        for address in [*contact_details.accounts(text), *contact_details.cards(text)]
    ]
    stretches += [
        (start, end, Fact("day", tuple(sorted(values)))) for start, end, values in written_values.days(text)
    ]
    stretches += [
        (address.start, address.end, Fact("phone", (address.text,)))
        for address in contact_details.phones(text)
    ]
    stretches += [
        (start, end, Fact("number", tuple(sorted(values))))
        for start, end, values in written_values.numbers(text)
    ]
    stretches += [
        (match.start(), match.end(), Fact("text", (match[0],)))
        for match in re.finditer(r"[^\s,;]*\d[^\s,;]*(?<![.:!?)\]\"'])", text)
    ]
    return list(dict.fromkeys(fact for _, _, fact in contact_details.apart(stretches)))
