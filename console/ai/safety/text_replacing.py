"""Values that are looked for in texts, and what stands in their place: in whatever order, spelling or grouping somebody wrote them.

Source: docs/explanation/what-a-model-gets.md.
"""

import codecs
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from console.ai.safety import contact_details, readings, written_values
from console.ai.safety.comparable_words import LOOKALIKES, skeleton

LEAST = 3  # letters and digits from which a value is looked for in other texts
LEAST_WITHIN = 6  # characters from which a withheld one is taken out of the middle of a word
LEAST_CODE = 6  # letters and digits from which grouping makes no difference
LEAST_GLUED = 10  # from which a withheld one is found in the middle of words, however it is grouped
HEAD = 5  # of them by which they are looked up
TAIL = 8  # digits of a phone number by which it is known without its country
MOST_APART = 4  # signs between two parts of a value
MOST_WORDS = 6  # of a name, in any order

WORD = re.compile(r"[^\W_]+")
_Place = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a value; `any_order`: of a name; `apart`: the most signs between two of them."""

    words: tuple[str, ...]
    instead: str
    any_order: bool
    apart: int


@dataclass(slots=True)
class Sought:
    """Values with what stands in their place. `as_name` gives that of one word of a masked name."""

    as_name: Callable[[str], str]
    _by_word: dict[str, list[_Words]] = field(default_factory=dict)
    _codes: dict[str, list[tuple[str, str, bool, bool]]] = field(default_factory=dict)
    _within: dict[str, tuple[str, str]] = field(default_factory=dict)
    _days: dict[str, str] = field(default_factory=dict)
    _amounts: dict[Decimal, str] = field(default_factory=dict)
    _parts: dict[str, str] = field(default_factory=dict)

    def add(
        self, text: str, instead: str, *, withheld: bool = False, name: bool = False, phone: bool = False
    ) -> None:
        """From now on the value is replaced in every text. `withheld`: also in the middle of words; `name`: each of its words stands for it."""
        shown = contact_details.readable(contact_details.visible(text)).strip()
        places = list(WORD.finditer(shown))
        widest = max((right.start() - left.end() for left, right in pairwise(places)), default=1)
        signs = contact_details.compact(shown.translate(LOOKALIKES))
        if (withheld and len(shown) >= LEAST_WITHIN) or (len(signs) < LEAST <= LEAST_WITHIN <= len(shown)):
            self._within.setdefault(shown.lower(), (shown, instead))
        if len(signs) < LEAST:
            return
        self._add_words(
            tuple(skeleton(place[0]) for place in places), instead, MOST_APART + max(0, widest - 1)
        )
        digits = sum(sign.isdigit() for sign in signs)
        if len(signs) >= LEAST_CODE:
            code = signs.removeprefix("00")
            for turned in (
                code,
                code[::-1],
                codecs.encode(code, "rot13"),
                contact_details.compact(readings.undisguised(shown)),
            ):
                self._add_code(turned, instead, glued=withheld and len(code) >= LEAST_GLUED)
        if phone and digits >= TAIL + 2:
            self._add_code("".join(sign for sign in signs if sign.isdigit())[-TAIL:], instead, tail=True)
        if (day := written_values.only_day(shown)) is not None:
            self._days.setdefault(day, instead)
            year, month, date = day.split("-")
            for order in (year + month + date, date + month + year, month + date + year):
                self._add_code(order, instead)
        elif digits >= LEAST and (amount := written_values.decimal(shown)) is not None:
            self._amounts.setdefault(abs(amount), instead)
        if name:
            for word in WORD.findall(shown):
                if len(word) >= LEAST and word[0].isalpha() and not written_values.month_of(word):
                    self._parts.setdefault(skeleton(word), instead if withheld else "")

    def _add_words(self, words: tuple[str, ...], instead: str, apart: int) -> None:
        any_order = 2 <= len(words) <= MOST_WORDS and all(word.isalpha() for word in words)
        for first in dict.fromkeys(words if any_order else words[:1]):
            entries = self._by_word.setdefault(first, [])
            if all(each.words != words for each in entries):
                entries.append(_Words(words, instead, any_order, apart))

    def _add_code(self, signs: str, instead: str, *, tail: bool = False, glued: bool = False) -> None:
        entries = self._codes.setdefault(signs[:HEAD], [])
        if all(each[0] != signs for each in entries):
            entries.append((signs, instead, tail, glued))

    def ready(self) -> None:
        """The longest first, of those that begin alike."""
        for words in self._by_word.values():
            words.sort(key=lambda each: -len(each.words))
        for codes in self._codes.values():
            codes.sort(key=lambda each: -len(each[0]))

    def replaced(self, text: str) -> str:
        """The text in which each value that was found is replaced by what stands for it."""
        return spliced(text, self.places(text))

    def places(self, text: str) -> list[_Place]:
        """Where the values stand, and what stands for them."""
        lowered = text.lower() if self._within else ""
        within = [
            (*match.span(), instead)
            for wanted, (shown, instead) in self._within.items()
            if wanted in lowered
            for match in re.finditer(re.escape(shown), text, re.IGNORECASE)
        ]
        if not (self._by_word or self._codes or self._parts or self._amounts or self._days):
            return within
        plain = contact_details.readable(text)
        return [
            *within,
            *self._code_places(plain),
            *self._word_places(plain),
            *self._day_places(plain),
            *self._amount_places(plain),
        ]

    def _code_places(self, text: str) -> Iterable[_Place]:
        """Identifiers, whatever stands between their signs."""
        if not self._codes:
            return
        at = [place for place, sign in enumerate(text) if sign.isalnum()]
        signs = "".join(text[place] for place in at).translate(LOOKALIKES).casefold()
        if len(signs) != len(at):  # a letter whose small form is two
            signs = "".join(text[place].translate(LOOKALIKES).casefold()[:1] for place in at)
        done = 0
        for start in range(len(signs) - HEAD + 1):
            for code, instead, tail, glued in (
                self._codes.get(signs[start : start + HEAD], ()) if start >= done else ()
            ):
                end = start + len(code)
                if not signs.startswith(code, start) or any(
                    at[n + 1] - at[n] > MOST_APART + 1 for n in range(start, end - 1)
                ):
                    continue
                first = _first(signs, at, start, tail=tail)
                if not glued and (_joined(text, at[first] - 1) or _joined(text, at[end - 1] + 1)):
                    continue
                yield _sign_before(text, at[first]), at[end - 1] + 1, instead
                done = end
                break

    def _word_places(self, text: str) -> Iterable[_Place]:
        """Whole words, the longest value first; of a name in any order, and each word of it that is written as a name."""
        tokens = [(match.start(), match.end(), skeleton(match[0])) for match in WORD.finditer(text)]
        at = 0
        while at < len(tokens):
            used, instead = self._value_at(tokens, at)
            if not used and tokens[at][2] in self._parts and self._is_name(text, tokens, at):
                start, end, word = tokens[at]
                used, instead = 1, self._parts[word] or self.as_name(text[start:end])
            if used:
                yield _sign_before(text, tokens[at][0]), tokens[at + used - 1][1], instead
            at += used or 1

    def _value_at(self, tokens: list[tuple[int, int, str]], at: int) -> tuple[int, str]:
        """(number of words, what stands for them) of the value that begins here; 0 where none does."""
        for sought in self._by_word.get(tokens[at][2], ()):
            length = len(sought.words)
            tokens_here = tokens[at : at + length]
            if len(tokens_here) < length or any(
                right[0] - left[1] > sought.apart for left, right in pairwise(tokens_here)
            ):
                continue
            words = tuple(token[2] for token in tokens_here)
            if words == sought.words or (sought.any_order and sorted(words) == sorted(sought.words)):
                return length, sought.instead
        return 0, ""

    def _is_name(self, text: str, tokens: list[tuple[int, int, str]], at: int) -> bool:
        """Whether a word of a name is meant as one: written with a capital letter, or beside another of them."""
        if text[tokens[at][0]].isupper() or not text[tokens[at][0]].islower():
            return True
        beside = [tokens[place][2] for place in (at - 1, at + 1) if 0 <= place < len(tokens)]
        return any(word in self._parts for word in beside)

    def _day_places(self, text: str) -> Iterable[_Place]:
        if any(_may_hold_year(text, year) for year in {day[:4] for day in self._days}):
            for start, end, days in written_values.days(text):
                yield from ((start, end, self._days[day]) for day in days if day in self._days)

    def _amount_places(self, text: str) -> Iterable[_Place]:
        if self._amounts:
            for start, end, values in written_values.numbers(text):
                yield from (
                    (start, end, self._amounts[abs(value)]) for value in values if abs(value) in self._amounts
                )


def _first(signs: str, at: list[int], start: int, *, tail: bool) -> int:
    """The start of an identifier, with the zeros or the country code before it."""
    most = 4 if tail else 2
    first = start
    while (
        start - first < most
        and first
        and at[first] - at[first - 1] <= MOST_APART
        and (signs[first - 1].isdigit() if tail else signs[first - 1] == "0")
    ):
        first -= 1
    return first if tail or start - first == most else start


def _joined(text: str, place: int) -> bool:
    return 0 <= place < len(text) and text[place].isalnum()


def _may_hold_year(text: str, year: str) -> bool:
    """Whether the year stands in the text, in four digits or in two after a mark."""
    return year in text or any(f"{mark}{year[2:]}" in text for mark in "./-")


def _sign_before(text: str, start: int) -> int:
    """The start of a phone number, with a + or bracket before its first digit."""
    while start and text[start - 1] in "+(" and text[start].isdigit():
        start -= 1
    return start


def spliced(text: str, places: Iterable[_Place]) -> str:
    """The text with other words at these places; places that overlap are one, and what stands for the first of them stands there."""
    parts: list[str] = []
    at = 0
    for start, end, instead in sorted(places, key=lambda place: (place[0], -place[1])):
        if start >= at:
            parts += [text[at:start], instead]
        at = max(at, end)
    return "".join([*parts, text[at:]])
