"""What of personal data a model gets: placeholders that stand for values, keyed hashes, or nothing at all.

A value has one placeholder wherever it occurs, also inside the texts of other sources. What stands for what is kept in memory for the one call, in a
`Restore`, and is in no prompt, log or table.
"""

import hashlib
import hmac
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType
from typing import Any

from console.ai import finding, written
from console.ai.literal import scalars
from console.ai.types import FieldSpec, Source, Treatment

REMOVED = "[REMOVED]"
PLACEHOLDER = re.compile(r"\[(?:(?:EMAIL|PHONE|IBAN|CARD|DATE|NAME|TEXT)_[0-9]{1,6}|HASH_[0-9a-f]{12}|REMOVED)\]")
NOTE_FROM = 200  # characters from which a masked text is a note: it is sent, without the personal data in it
LEAST_ELSEWHERE = 3  # characters of a withheld or masked value from which it is looked for in other texts
MOST_SOUGHT = 10_000  # values of one field that are looked for
LONGEST_SOUGHT = 5_000  # characters of a withheld value that is looked for as a whole
LEAST_WITHIN = 6  # and from which a withheld one is taken out of the middle of a word
DEEPEST = 12

_LIKE_ONE = re.compile(r"\[((?:EMAIL|PHONE|IBAN|CARD|DATE|NAME|TEXT|HASH)_[0-9a-f]{1,12}|REMOVED)\]", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_NOTE_NAMES = re.compile(
    r"note|comment|remark|message|body|description|reason|memo|bemerk|notiz|kommentar|text|summary|transcript|details|content",
    re.IGNORECASE,
)
_PERSON_NAMES = re.compile(
    r"(?<![a-z])(?:first|last|full|legal|display|given|family|sur|middle|maiden|customer|contact|holder)?[ _]?name|holder|contact|person|owner|signatory|beneficiary|vorname|nachname",
    re.IGNORECASE,
)
_PHONE_NAMES = re.compile(r"phone|mobile|telefon|handy|fax|(?<![a-z])tel(?![a-z])|msisdn", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Restore:
    """What the placeholders and opaque ids of one prompt stand for, and which sources were in it. Never stored.

    `choices` are field name → opaque id → value; the choice of the step stands under `outcome`.
    """

    placeholders: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sent: frozenset[str] = frozenset()
    outcome: str = "outcome"

    def value(self, given: Any) -> Any:
        """The value with every placeholder put back; raises LookupError for one that stands for nothing."""
        if isinstance(given, list):
            return [self.value(entry) for entry in given]
        if not isinstance(given, str) or "[" not in given:
            return given
        if given.strip() in self.placeholders:
            return self.placeholders[given.strip()]
        return PLACEHOLDER.sub(lambda match: str(self._one(match[0])), given)

    def _one(self, placeholder: str) -> Any:
        if placeholder not in self.placeholders:
            raise LookupError(placeholder)
        return self.placeholders[placeholder]

    def words(self, text: str) -> str:
        """A text for people with placeholders put back, unknown ones left as they are."""
        return PLACEHOLDER.sub(lambda match: str(self.placeholders.get(match[0], match[0])), text)


@dataclass(slots=True)
class _Sought:
    """A value that is looked for in texts: its words, and what stands in its place."""

    words: tuple[str, ...]
    instead: str


@dataclass(slots=True)
class Redactor:
    """Treats the sources of one prompt. First `learn` all of them, then take `data`, `text` and `value`: a value may stand in a text before its own field.

    `key` makes the hashes those of this house: they cannot be looked up elsewhere.
    """

    key: bytes
    placeholders: dict[str, Any] = field(default_factory=dict)
    _known: dict[str, str] = field(default_factory=dict)
    _sames: dict[str, str] = field(default_factory=dict)
    _counted: dict[str, int] = field(default_factory=dict)
    _by_word: dict[str, list[_Sought]] = field(default_factory=dict)
    _by_signs: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    _within: dict[str, re.Pattern[str]] = field(default_factory=dict)
    _days: dict[str, str] = field(default_factory=dict)
    _parts: set[str] = field(default_factory=set)

    def learn(self, sources: Iterable[Source], fields: Iterable[FieldSpec] = ()) -> None:
        """Takes in every value that may not be sent as it is. Those withheld go before those masked."""
        treated = [
            (name, source.labels.get(name, ""), source.data[name], how)
            for source in sources
            for name, how in source.treatments.items()
            if name in source.data
        ]
        treated += [(spec.name, spec.label, spec.now, spec.treatment) for spec in fields if spec.now is not None]
        for wanted in ("never", "hash", "masked"):
            for name, label, value, how in treated:
                if how == wanted:
                    for _, leaf in islice(scalars({name: value}), MOST_SOUGHT):
                        self._learn(name, label, leaf, wanted)
        for found in self._by_word.values():
            found.sort(key=lambda sought: -len(sought.words))

    def _learn(self, name: str, label: str, leaf: Any, how: str) -> None:
        text = _as_text(leaf)
        if text is None or (how == "masked" and is_note(name, label, text)):
            return
        match how:
            case "never":
                for part in _parts(text):
                    self._seek(part, REMOVED)
            case "hash":
                self._seek(text, self.hashed(leaf))
            case _:
                placeholder = self._placeholder(leaf, name, label)
                self._seek(text, placeholder)
                if placeholder.startswith("[NAME_"):
                    self._parts |= {word for word in _WORD.findall(finding.visible(text)) if _is_part(word)}

    def hashed(self, value: Any) -> str:
        """What stands for a hashed value: equal values have equal ones."""
        made = hmac.new(self.key, _same(_as_text(value) or "").encode(), hashlib.sha256).hexdigest()
        return f"[HASH_{made[:12]}]"

    def _placeholder(self, value: Any, name: str = "", label: str = "", kind: str = "") -> str:
        """The one placeholder of this value; new values get the next number of their kind, which is found by what they are where none is given."""
        text = _as_text(value) or ""
        same = self._sames.get(text) or self._sames.setdefault(text, _same(text))
        if same not in self._known:
            kind = kind or kind_of(name, label, text)
            self._counted[kind] = self._counted.get(kind, 0) + 1
            self._known[same] = f"[{kind}_{self._counted[kind]}]"
            self.placeholders[self._known[same]] = value
        return self._known[same]

    def _seek(self, text: str, instead: str) -> None:
        """From now on the value is replaced in every text."""
        shown = finding.visible(text)
        words = tuple(word.casefold() for word in _WORD.findall(shown))
        signs = "".join(words)
        if len(signs) < LEAST_ELSEWHERE:
            if len(shown.strip()) >= LEAST_WITHIN:
                self._within.setdefault(shown.strip().lower(), re.compile(re.escape(shown.strip()), re.IGNORECASE))
            return
        if instead == REMOVED and len(shown.strip()) >= LEAST_WITHIN:
            self._within.setdefault(shown.strip().lower(), re.compile(re.escape(shown.strip()), re.IGNORECASE))
        self._by_word.setdefault(words[0], []).append(_Sought(words, instead))
        if len(signs) >= 8 and sum(sign.isdigit() for sign in signs) >= 4:
            bare = signs.removeprefix("00")
            self._by_signs.setdefault(bare[:2], []).append((bare, instead))
        if (day := written.only_day(shown)) is not None:
            self._days.setdefault(day, instead)

    def data(self, source: Source, name: str, value: Any) -> Any:
        """A value of a source's data as a model gets it. What is withheld is asked for by nobody: the caller leaves it out."""
        how = source.treatments.get(name, "full")
        return self.value(name, source.labels.get(name, ""), value, how)

    def value(self, name: str, label: str, value: Any, how: Treatment, depth: int = 0) -> Any:
        """A value treated in this way, whatever its shape."""
        if depth > DEEPEST:
            return "…"
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(name, label, entry, how, depth + 1) for key, entry in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(name, label, entry, how, depth + 1) for entry in value]
        if value is None or isinstance(value, bool):
            return None if how == "never" or (how != "full" and value is not None) else value
        if how == "never":
            return None
        if how == "hash":
            return self.hashed(value)
        text = _as_text(value)
        if how == "masked" and text is not None and not is_note(name, label, text):
            return self._placeholder(value, name, label) if text.strip() else text
        return self.text(value, note=how == "masked") if isinstance(value, str) else self._number(value)

    def _number(self, value: Any) -> Any:
        """A number that is somewhere else a value to be masked or withheld is not sent here either."""
        if isinstance(value, float) and not math.isfinite(value):
            return None
        text = _as_text(value)
        if text is None:
            return "…"
        if isinstance(value, int) and [one.text for one in finding.cards(text)] == [text]:
            return self._placeholder(value, kind="CARD")
        return self._replaced(text) if self._replaced(text) != text else value

    def text(self, text: str, *, note: bool = False) -> str:
        """A text with what must not be sent replaced. `note`: also addresses, accounts and phone numbers that stand in no field."""
        shown = finding.visible(text)
        if "[" in shown:
            shown = _LIKE_ONE.sub(r"(\1)", shown)  # what only looks like a placeholder must not be put back
        shown = self._replaced(shown)
        found = finding.personal(shown) if note else list(finding.cards(shown))
        for one in reversed(found):
            raw = shown[one.start : one.end]
            shown = shown[: one.start] + self._placeholder(raw, kind=one.kind.upper()) + shown[one.end :]
        return shown

    def _replaced(self, text: str) -> str:
        lowered = text.lower() if self._within else ""
        for wanted, pattern in self._within.items():
            if wanted in lowered:
                text = pattern.sub(REMOVED, text)
        if (self._by_word or self._parts) and self._may_hold(text):
            text = self._without_words(text)
        if any(_may_hold_day(text, day) for day in self._days):
            text = _spliced(
                text, [(start, end, self._days[day]) for start, end, days in written.days(text) for day in days if day in self._days]
            )
        return text

    def _may_hold(self, text: str) -> bool:
        """Whether a value could begin anywhere here: most texts hold none, and are looked through in one go."""
        words = set(_WORD.findall(text.casefold()))
        if self._parts and any(part in text for part in self._parts):
            return True
        return not words.isdisjoint(self._by_word) or any(word.removeprefix("00")[:2] in self._by_signs for word in words)

    def _without_words(self, text: str) -> str:
        """Whole tokens, the longest value first, identifiers also where they are written with blanks."""
        tokens = [(match.start(), match.end(), match[0].casefold()) for match in _WORD.finditer(text)]
        found, at = [], 0
        while at < len(tokens):
            word = tokens[at][2]
            used, instead = self._here(tokens, at) if word in self._by_word or word.removeprefix("00")[:2] in self._by_signs else (0, "")
            if not used and self._parts and (part := text[tokens[at][0] : tokens[at][1]]) in self._parts:
                used, instead = 1, self._placeholder(part, kind="NAME")
            if used:
                found.append((_sign_before(text, tokens[at][0]), tokens[at + used - 1][1], instead))
            at += used or 1
        return _spliced(text, found)

    def _here(self, tokens: list[tuple[int, int, str]], at: int) -> tuple[int, str]:
        """(number of tokens, what stands for them) of the value that begins here; 0 where none does."""
        word = tokens[at][2]
        for sought in self._by_word.get(word, ()):
            length = len(sought.words)
            if length == 1 or (
                tuple(token[2] for token in tokens[at : at + length]) == sought.words
                and all(tokens[place + 1][0] - tokens[place][1] <= 4 for place in range(at, at + length - 1))
            ):
                return length, sought.instead
        bare = word.removeprefix("00") if len(word) > 2 else word
        for signs, instead in self._by_signs.get(bare[:2], ()) if len(bare) > 1 else ():
            if used := _spelled(tokens, at, bare, signs):
                return used, instead
        return 0, ""


def _parts(text: str) -> list[str]:
    """A withheld value as a whole and line by line: of a key of many lines, one may stand elsewhere alone."""
    whole = [text] if len(text) <= LONGEST_SOUGHT else [text[at : at + 1000] for at in range(0, min(len(text), 100_000), 1000)]
    lines = [line.strip() for line in text[:100_000].splitlines() if len(line.strip()) >= 12]
    return [*whole, *lines[:500]] if len(lines) > 1 else whole


def _is_part(word: str) -> bool:
    """Whether a word of a masked name is looked for alone: "Greta" of "Greta Falk", in just these letters; May may be a month."""
    return len(word) >= LEAST_ELSEWHERE and word[0].isupper() and not written.month_of(word)


def _may_hold_day(text: str, day: str) -> bool:
    """Whether the year of this day stands in the text, in four digits or in two after a mark."""
    return day[:4] in text or any(f"{mark}{day[2:4]}" in text for mark in "./-")


def _spelled(tokens: list[tuple[int, int, str]], at: int, first: str, signs: str) -> int:
    """How many tokens from here on spell the identifier, with at most four other signs between them; 0 where they do not."""
    made, used = first, 1
    while len(made) < len(signs) and at + used < len(tokens) and tokens[at + used][0] - tokens[at + used - 1][1] <= 4:
        if not signs.startswith(made):
            return 0
        made += tokens[at + used][2]
        used += 1
    return used if made == signs else 0


def _sign_before(text: str, start: int) -> int:
    """Where a phone number begins that has a + or a bracket before its first digit."""
    while start and text[start - 1] in "+(" and text[start].isdigit():
        start -= 1
    return start


def _spliced(text: str, places: Iterable[tuple[int, int, str]]) -> str:
    """The text with other words at these places; of places that overlap the first stays."""
    parts, at = [], 0
    for start, end, instead in sorted(places):
        if start >= at:
            parts += [text[at:start], instead]
            at = end
    return "".join([*parts, text[at:]])


def is_note(name: str, label: str, text: str) -> bool:
    """Whether a masked text is prose, of which only the personal data is replaced: by what its field is called, or by its length."""
    if len(text) > NOTE_FROM:
        return True
    return bool(_NOTE_NAMES.search(name) or _NOTE_NAMES.search(label)) and len(text.split()) > 3


def kind_of(name: str, label: str, text: str) -> str:
    """What a placeholder for this value is called."""
    bare = text.strip()
    for found in finding.personal(bare):
        if (found.start, found.end) == (0, len(bare)):
            return found.kind.upper()
    if written.only_day(bare) or re.fullmatch(r"\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-]\d\d:\d\d)?", bare):
        return "DATE"
    if (_PHONE_NAMES.search(name) or _PHONE_NAMES.search(label)) and sum(sign.isdigit() for sign in bare) >= 5:
        return "PHONE"
    if (_PERSON_NAMES.search(name) or _PERSON_NAMES.search(label)) and any(sign.isalpha() for sign in bare):
        return "NAME"
    return "TEXT"


def _as_text(value: Any) -> str | None:
    """A scalar as text; None for what has none, or would take too long to write."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int) and value.bit_length() > 10_000:
        return None
    return value if isinstance(value, str) else str(value)


def _same(text: str) -> str:
    """What equal values have in common, however they are written."""
    bare = finding.visible(text).strip()
    if "@" in bare:
        return bare.casefold()
    if (day := written.only_day(bare)) is not None:
        return day
    signs = finding.compact(bare)
    if len(signs) >= 7 and sum(sign.isdigit() for sign in signs) >= len(signs) / 2:
        return signs.removeprefix("00")
    return " ".join(bare.casefold().split())


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text as a model would get it, and what its placeholders stand for."""

    text: str
    placeholders: Mapping[str, Any]


def redacted(
    text: str, treatments: Mapping[str, Treatment], *, key: bytes = b"playground", labels: Mapping[str, str] = MappingProxyType({})
) -> Redacted:
    """What becomes of a text, to try things out: a JSON object, or lines `name: value` and prose. Prose is treated as a note."""
    data = _object(text)
    redactor = Redactor(key)
    if data is not None:
        source = Source("s1", "record", "", data, trusted=True, treatments=treatments, labels=labels)
        redactor.learn([source])
        kept = {name: redactor.data(source, name, value) for name, value in data.items() if treatments.get(name) != "never"}
        return Redacted(json.dumps(kept, ensure_ascii=False, indent=2, default=str), redactor.placeholders)
    lines = [(line, *_named(line, treatments)) for line in text.splitlines()]
    redactor.learn(
        [
            Source(f"s{at}", "note", "", {name: value}, trusted=True, treatments=treatments, labels=labels)
            for at, (_, name, value) in enumerate(lines)
            if name
        ]
    )
    made = []
    for line, name, value in lines:
        if not name:
            made.append(redactor.text(line, note=True))
        elif treatments[name] != "never":
            made.append(f"{name}: {redactor.value(name, labels.get(name, ''), value, treatments[name])}")
    return Redacted("\n".join(made), redactor.placeholders)


def _object(text: str) -> dict[str, Any] | None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _named(line: str, treatments: Mapping[str, Treatment]) -> tuple[str, str]:
    """(name, value) of a line of a named field; ("", "") for prose."""
    name, colon, value = line.partition(":")
    return (name.strip(), value.strip()) if colon and name.strip() in treatments else ("", "")
