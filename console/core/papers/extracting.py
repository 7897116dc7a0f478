"""Values found in a document's text by rules: labelled values, days, account numbers, VAT ids, amounts, machine-readable zone.

No model is involved. Each value has its place, so that a person can check it; ambiguous values are left out. That a document contains a value
does not mean it is true.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from console.core.papers import iban, mrz, vat
from console.core.papers.mrz import Zone
from console.core.papers.pages import GAP, Box, Line, Read, Word, bounding_box
from console.core.papers.paper_labels import AMOUNTS, DATES, LABELS, MONTHS

CURRENCIES = "EUR|USD|GBP|SEK|NOK|DKK|CHF|PLN|CZK|HUF|RON|JPY|KWD|BHD|CAD|AUD|INR"
SYMBOLS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY"}
LONGEST_LABEL = 60
MOST_WORDS = 5  # of a label
MOST_VALUE = 300
BELOW = 2.6  # the value is at most this many label heights below

_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_DOTS = re.compile(r"\b(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})\b")
_SLASHES = re.compile(r"\b(\d{1,2})/(\d{1,2})/(\d{4})\b")
_WORDS = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th|\.)?\s+([^\W\d_]{3,10})\.?,?\s+(\d{4})\b")
_AMERICAN = re.compile(r"\b([^\W\d_]{3,10})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})\b")
_NUMBER = r"\d{1,3}(?:[ .,'\u00a0\u202f]\d{3})+(?:[.,]\d{1,3})?|\d+(?:[.,]\d{1,3})?"
_AMOUNT = re.compile(
    rf"(?:\b({CURRENCIES})|([€$£¥]))\s?({_NUMBER})|(?<![\w.,-])({_NUMBER})\s?(?:({CURRENCIES})\b|([€£¥]))"
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b")
_VAT = re.compile(rf"\b(?:{'|'.join(sorted(vat.EXAMPLES))})[ .\-]?[A-Z0-9](?:[ .\-]?[A-Z0-9]){{6,13}}\b")


@dataclass(frozen=True, slots=True)
class Found:
    """A value in a document. `value` is text or JSON (ISO days, amounts with a point), `text` as printed."""

    name: str
    value: Any
    text: str
    label: str
    page: int
    box: Box


@dataclass(frozen=True, slots=True)
class Facts:
    """All values found in a document. `zone` is its machine-readable zone, `sure` whether that was read reliably."""

    found: tuple[Found, ...] = ()
    zone: Zone | None = None
    sure: bool = False
    zone_at: tuple[int, Box] | None = None
    read: bool = False
    recognised: bool = False
    text: str = ""
    unread: tuple[int, ...] = field(default_factory=tuple)

    def of(self, name: str) -> tuple[Found, ...]:
        """The values with that name."""
        return tuple(fact for fact in self.found if fact.name == name)

    def value(self, name: str) -> Any:
        """The only value with that name; None without one, or if there are different ones."""
        values = {str(fact.value): fact.value for fact in self.of(name)}
        return next(iter(values.values())) if len(values) == 1 else None


def facts_of(pages: Sequence[Read], today: date | None = None) -> Facts:
    """The values on these pages."""
    found: list[Found] = []
    zone, sure, zone_at = None, False, None
    for page in pages:
        labelled = [
            fact for line, below in _with_below(page.lines) for fact in _labelled(page.number, line, below)
        ]
        found += _once(
            [*labelled, *(pattern for line in page.lines for pattern in _patterns(page.number, line))]
        )
        if zone is None and page.zones:
            zone, sure = mrz.settled(page.zones, today, seen=page.origin == "ocr")
            zone_at = _zone_at(page) if zone is not None else None
    if zone is not None and zone_at is not None:
        found += _of_zone(zone, *zone_at)
    unread = tuple(page.number for page in pages if page.origin == "none")
    text = "\n".join(page.text for page in pages if page.lines)
    return Facts(
        tuple(_names(found)),
        zone,
        sure,
        zone_at,
        bool(text),
        any(page.origin == "ocr" for page in pages),
        text,
        unread,
    )


def places_of(pages: Sequence[Read], wanted: str) -> list[tuple[int, Box]]:
    """(page, box) where the text is printed within one line, ignoring case and punctuation. Machine-readable zones are skipped."""
    needle = iban.normalise(wanted)
    found: list[tuple[int, Box]] = []
    if len(needle) < 2:
        return []
    for page in pages:
        lines = [
            line
            for line in page.lines
            if needle in iban.normalise(line.text) and not any(mrz.zone_lines([line.text]))
        ]
        found += [(page.number, _within(line, needle)) for line in lines]
    return found


def _within(line: Line, needle: str) -> Box:
    """The box of the words that contain the text, or of the line if they cannot be identified."""
    words = [(iban.normalise(word.text), word) for word in line.words]
    for first in range(len(words)):
        taken, whole = "", list[Word]()
        for plain, word in words[first:]:
            taken += plain
            whole.append(word)
            if needle in taken:
                while whole and needle in "".join(iban.normalise(one.text) for one in whole[1:]):
                    whole = whole[1:]
                return bounding_box(one.box for one in whole)
    return line.box


def _with_below(lines: Sequence[Line]) -> Iterator[tuple[Line, Line | None]]:
    yield from zip(lines, [*lines[1:], None], strict=True) if lines else ()


def _labelled(page: int, line: Line, below: Line | None) -> Iterator[Found]:
    """Values after a label in the line, or below it."""
    parts = _parts(line)
    for place, words in enumerate(parts):
        label, value = _split(words)
        if label is None:
            continue
        if not value and below is not None:
            value = _under(words, below)  # a table head, or a form with labels above
        if not value and place + 1 < len(parts) and _split(parts[place + 1])[0] is None:
            value = parts[place + 1]
        if value:
            yield from _named(page, label, value)


def _parts(line: Line) -> list[list[Word]]:
    """The words of a line, split at wide gaps."""
    parts: list[list[Word]] = []
    words = iter(line.words)
    for text in line.text.split(GAP):
        count = len(text.split(" "))
        parts.append([word for _, word in zip(range(count), words, strict=False)])
    return [part for part in parts if part]


def _split(words: Sequence[Word]) -> tuple[str | None, list[Word]]:
    """(label, words after it): split at a colon, else after a known label; (None, []) without a label."""
    for place, word in enumerate(words[:MOST_WORDS], 1):
        if word.text.endswith(":") and len(word.text) > 1:
            return " ".join(one.text for one in words[:place])[:LONGEST_LABEL].rstrip(":"), list(
                words[place:]
            )
    for count in range(min(MOST_WORDS, len(words)), 0, -1):
        label = " ".join(one.text for one in words[:count])
        if _canonical(label) is not None:
            return label, list(words[count:])
    return None, []


def _under(label: Sequence[Word], below: Line) -> list[Word]:
    """The words directly below a label: the part that starts at the same position."""
    at, height = label[0].box, label[0].box[3] - label[0].box[1]
    if below.box[1] - at[3] > BELOW * height:
        return []
    for part in _parts(below):
        if abs(part[0].box[0] - at[0]) < 0.02 and _split(part)[0] is None:
            return part
    return []


def _canonical(label: str) -> str | None:
    """The name for a known label; labels in two languages are separated by a slash."""
    return next((LABELS[one] for part in (label, *label.split("/")) if (one := _plain(part)) in LABELS), None)


def _plain(label: str) -> str:
    return " ".join(re.sub(r"[^\w\s&'-]", " ", label.casefold()).split())


def _named(page: int, label: str, words: Sequence[Word]) -> Iterator[Found]:
    """The value under the name of its label, in that name's form; invalid values are left out."""
    text = " ".join(word.text for word in words)[:MOST_VALUE].strip()
    name = _canonical(label) or re.sub(r"\W+", "_", _plain(label)).strip("_")[:40]
    box = bounding_box(word.box for word in words)
    if not name or not text:
        return
    value: Any = text
    if name in DATES:
        days = days_in(text)
        value = days[0] if len(days) == 1 else None
    elif name in AMOUNTS:
        amounts = amounts_in(text)
        value = amounts[0][0] if len(amounts) == 1 else None
        if value is not None:
            yield Found(f"{name}_currency", amounts[0][1], text, label, page, box)
    elif name in ("iban", "vat_id"):
        value = iban.normalise(text)
    if value is not None:
        yield Found(name, value, text, label, page, box)


def _patterns(page: int, line: Line) -> Iterator[Found]:
    """Values recognisable by their form alone."""
    for match in _IBAN.finditer(line.text):
        number = next((text for text in _shorter(match[0]) if iban.holds(text)), None)
        if number is not None:
            yield Found(
                "iban", iban.normalise(number), number, "IBAN", page, _within(line, iban.normalise(number))
            )
    for match in _VAT.finditer(line.text):
        if vat.problem(match[0]) is None and not iban.holds(match[0]):
            yield Found(
                "vat_id",
                iban.normalise(match[0]),
                match[0],
                "VAT id",
                page,
                _within(line, iban.normalise(match[0])),
            )
    for day in days_in(line.text):
        yield Found("dates", day, day, "Date", page, line.box)
    for amount, currency in (one for part in line.text.split(GAP) for one in amounts_in(part)):
        yield Found("amounts", f"{currency} {amount}", f"{currency} {amount}", "Amount", page, line.box)


def _shorter(text: str) -> Iterator[str]:
    """The text, then shorter ones without its last words."""
    words = text.split(" ")
    for count in range(len(words), 0, -1):
        yield " ".join(words[:count])


def days_in(text: str) -> list[str]:
    """The days in a text, ISO form, in order; none if month and day cannot be told apart."""
    found: list[tuple[int, str]] = []
    for pattern, order in (
        (_ISO, (1, 2, 3)),
        (_DOTS, (3, 2, 1)),
        (_SLASHES, (3, 2, 1)),
        (_WORDS, (3, 2, 1)),
        (_AMERICAN, (3, 1, 2)),
    ):
        for match in pattern.finditer(text):
            year, month, day = (match[place] for place in order)
            number = MONTHS.get(month.casefold()[:3]) if not month.isdigit() else int(month)
            if number is None or (
                pattern is _SLASHES and number <= 12 and int(day) <= 12 and number != int(day)
            ):
                continue
            if pattern is _SLASHES and number > 12:
                number, day = int(day), str(number)
            try:
                found.append((match.start(), date(int(year), number, int(day)).isoformat()))
            except ValueError:
                continue
    return list(dict.fromkeys(day for _, day in sorted(found)))


def amounts_in(text: str) -> list[tuple[str, str]]:
    """(amount with a point, currency), in order."""
    found = []
    for match in _AMOUNT.finditer(text):
        number = _number(match[3] or match[4] or "")
        currency = match[1] or match[5] or SYMBOLS.get(match[2] or match[6] or "", "")
        if number is not None and currency:
            found.append((number, currency))
    return found


def _number(text: str) -> str | None:
    """A number with a decimal point, whatever its thousands separator: up to two digits after the last mark are decimals."""
    plain = re.sub(r"['\s\u00a0\u202f]", "", text).rstrip(".,")
    whole, mark, rest = plain, "", ""
    last = max(plain.rfind("."), plain.rfind(","))
    if last >= 0:
        whole, mark, rest = plain[:last], plain[last], plain[last + 1 :]
    decimals = len(rest) != 3 or (mark not in whole and re.search(r"[.,]", whole) is not None)
    digits = re.sub(r"[.,]", "", whole)
    try:
        return (
            str(Decimal(f"{digits}.{rest}" if rest and decimals else f"{digits}{rest}")) if digits else None
        )
    except InvalidOperation:
        return None


def _once(found: Iterable[Found]) -> list[Found]:
    """Without duplicate values per name: labelled values win over those recognised by form."""
    return list({(fact.name, str(fact.value)): fact for fact in reversed(list(found))}.values())[::-1]


def _zone_at(page: Read) -> tuple[int, Box] | None:
    boxes = [line.box for line in page.lines if any(mrz.zone_lines([line.text]))]
    return (page.number, bounding_box(boxes)) if boxes else None


def _of_zone(zone: Zone, page: int, box: Box) -> Iterator[Found]:
    """The values of the zone, with names of their own."""
    values: Mapping[str, Any] = {
        "number": zone.number,
        "family_name": zone.family_name,
        "given_names": zone.given_names,
        "nationality": zone.nationality,
        "issuer": zone.issuer,
        "sex": zone.sex,
        "birth_date": zone.birth_date,
        "expires_on": zone.expires_on,
    }
    for name, value in values.items():
        if value:
            text = value.isoformat() if isinstance(value, date) else str(value)
            yield Found(f"mrz_{name}", text, text, "Machine-readable zone", page, box)


def _names(found: Sequence[Found]) -> list[Found]:
    """With the full name added, if family and given names are separate."""
    parts = {
        name: [fact for fact in found if fact.name == name] for name in ("name", "family_name", "given_names")
    }
    if parts["name"] or len(parts["family_name"]) != 1 or len(parts["given_names"]) != 1:
        return list(found)
    family, given = parts["family_name"][0], parts["given_names"][0]
    if family.page != given.page:
        return list(found)
    text = f"{given.text} {family.text}"
    return [*found, Found("name", text, text, "Name", family.page, bounding_box((given.box, family.box)))]
