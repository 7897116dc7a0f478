"""Redacts personal data for a model: placeholders, keyed hashes, or nothing at all.

A value has one placeholder wherever it occurs, also inside the texts of other sources. What stands for what is kept in memory for the one call, in a
`Restore`, and is in no prompt, log or table.
"""

import hashlib
import hmac
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice
from types import MappingProxyType
from typing import Any

from console.ai.safety import contact_details, identity_numbers, readings, secret_forms, written_values
from console.ai.safety.literal_quotes import scalars
from console.ai.safety.text_replacing import LEAST_WITHIN, Sought, spliced
from console.core.proposal_types import FieldSpec, Source, Treatment

REMOVED = "[REMOVED]"
PLACEHOLDER = re.compile(
    r"\[(?:(?:EMAIL|PHONE|IBAN|CARD|DATE|NAME|TEXT|ID|TAX|MRZ)_[0-9]{1,6}|HASH_[0-9a-f]{12}|REMOVED)\]"
)
NOTE_FROM = 200  # characters from which a masked text is a note: it is sent, without the personal data in it
LEAST_SPOTTED = 6  # characters from which a text may hold something by its form
MOST_SOUGHT = 10_000  # values of one field that are looked for
LONGEST_SOUGHT = 5_000  # characters of a withheld value that is looked for as a whole
DEEPEST = 12

_LONG_NUMBER = re.compile(r"\d{8,}", re.ASCII)
_LIKE_ONE = re.compile(
    r"\[((?:EMAIL|PHONE|IBAN|CARD|DATE|NAME|TEXT|ID|TAX|MRZ|HASH)_[0-9a-f]{1,12}|REMOVED)\]", re.IGNORECASE
)
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
class Redactor:
    """Treats the sources of one prompt. First `learn` all of them, then take `data`, `text` and `value`: a value may stand in a text before its own field.

    `key` makes the hashes those of this house: they cannot be looked up elsewhere.
    """

    key: bytes
    placeholders: dict[str, Any] = field(default_factory=dict)
    _known: dict[str, str] = field(default_factory=dict)
    _sames: dict[str, str] = field(default_factory=dict)
    _counted: dict[str, int] = field(default_factory=dict)
    _sought: Sought = field(init=False)

    def __post_init__(self) -> None:
        """Start with nothing to search for."""
        self._sought = Sought(lambda part: self._placeholder(part, kind="NAME"))

    def learn(self, sources: Iterable[Source], fields: Iterable[FieldSpec] = ()) -> None:
        """Takes in every value that may not be sent as it is. Those withheld go before those masked; last what texts say by its form."""
        sources = list(sources)
        treated = [
            (name, source.labels.get(name, ""), source.data[name], how)
            for source in sources
            for name, how in source.treatments.items()
            if name in source.data
        ]
        treated += [
            (spec.name, spec.label, spec.now, spec.treatment) for spec in fields if spec.now is not None
        ]
        learnt = set[tuple[str, str, str, type, str]]()  # the same field of a record stands in many sources
        for wanted in ("never", "hash", "masked"):
            for name, label, value, how in treated:
                if how == wanted:
                    for _, leaf in islice(scalars({name: value}), MOST_SOUGHT):
                        key = (wanted, name, label, type(leaf), str(leaf))
                        if key not in learnt:
                            learnt.add(key)
                            self._learn(name, label, leaf, wanted)
        for source in sources:
            self._learn_by_form(source)
        self._sought.ready()

    def _learn(self, name: str, label: str, leaf: Any, how: str) -> None:
        text = _as_text(leaf)
        if text is None:
            return
        if how == "masked" and is_note(name, label, text):
            return
        kind = kind_of(name, label, text)
        marks = {"name": kind == "NAME", "phone": kind == "PHONE"}
        match how:
            case "never":
                for part in _parts(text):
                    self._sought.add(part, REMOVED, withheld=True, **marks)
            case "hash":
                self._sought.add(text, self.hashed(leaf), withheld=kind == "NAME", **marks)
            case _:
                self._sought.add(text, self._placeholder(leaf, name, label), **marks)

    def _learn_by_form(self, source: Source) -> None:
        """Secrets found by their form in one text are searched in all texts: a password may be named once and written again."""
        texts = [
            str(value)
            for _, value in islice(scalars(source.data), MOST_SOUGHT)
            if isinstance(value, str) and len(value) >= LEAST_SPOTTED
        ]
        for stretch in by_form(contact_details.visible("\n".join(texts))):
            raw = stretch.text if stretch.kind == "secret" else ""
            if len(raw) >= LEAST_WITHIN:
                self._sought.add(raw, REMOVED, withheld=True)

    def hashed(self, value: Any) -> str:
        """The placeholder of a hashed value; equal values have equal placeholders."""
        digest = hmac.new(self.key, _same(_as_text(value) or "").encode(), hashlib.sha256).hexdigest()
        return f"[HASH_{digest[:12]}]"

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

    def data(self, source: Source, name: str, value: Any) -> Any:
        """A value of a source's data as a model gets it. What is withheld is asked for by nobody: the caller leaves it out."""
        how = source.treatments.get(name, "full")
        return self.value(name, source.labels.get(name, ""), value, how)

    def value(self, name: str, label: str, value: Any, how: Treatment, depth: int = 0) -> Any:
        """A value treated in this way, whatever its shape."""
        if depth > DEEPEST:
            return "…"
        if isinstance(value, Mapping):
            return {
                self.text(str(key)): self.value(str(key), "", entry, how, depth + 1)
                for key, entry in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self.value(name, label, entry, how, depth + 1) for entry in value]
        if value is None or isinstance(value, bool):
            return None if how == "never" or (how != "full" and value is not None) else value
        if how == "never":
            return None
        if how == "hash":
            return self.hashed(value)
        text = _as_text(value)
        if text and (secret_forms.names_one(name) or secret_forms.names_one(label)):
            return REMOVED
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
        whole = next(
            (
                stretch
                for stretch in by_form(text)
                if isinstance(value, int) and (stretch.start, stretch.end) == (0, len(text))
            ),
            None,
        )
        if whole is not None and whole.kind in {"card", "id"}:
            return self._placeholder(value, kind=whole.kind.upper())
        return self._sought.replaced(text) if self._sought.replaced(text) != text else value

    def text(self, text: str, *, note: bool = False) -> str:
        """A text with what must not be sent replaced. `note`: also addresses and phone numbers that stand in no field."""
        return self.lines([text], note=note)[0]

    def lines(self, texts: Sequence[str], *, note: bool = False) -> list[str]:
        """Lines of one text, each with what must not be sent replaced: a number may begin in one and end in the next."""
        shown = [contact_details.visible(text) for text in texts]
        if any("[" in line for line in shown):
            shown = [
                _LIKE_ONE.sub(r"(\1)", line) for line in shown
            ]  # what only looks like a placeholder must not be put back
        shown = [self._sought.replaced(line) for line in shown]
        whole = self._spotted("\n".join(shown), note=note)
        ends = list(accumulate(len(line) + 1 for line in shown))
        redacted_lines = []
        for line, end in zip(shown, ends, strict=True):
            begin = end - len(line) - 1
            in_line = [
                (max(start, begin) - begin, min(stop, end - 1) - begin, instead if start >= begin else "")
                for start, stop, instead in whole
                if start < end - 1 and stop > begin
            ]
            redacted_lines.append(spliced(line, in_line))
        return redacted_lines

    def _spotted(self, text: str, *, note: bool) -> list[tuple[int, int, str]]:
        """Values found by their form in a text, and their placeholders."""
        placed = [
            (*reading.span(start, end), REMOVED if reading.kind == "block" else instead)
            for reading in readings.every(text)
            for start, end, instead in self._sought.places(reading.text)
        ]
        stretches = by_form(text)
        stretches += [
            stretch
            for stretch in contact_details.personal(contact_details.readable(text))
            if note and stretch.kind in {"email", "phone"}
        ]
        for stretch in contact_details.apart(sorted(stretches, key=lambda each: ORDER.index(each.kind))):
            raw = text[stretch.start : stretch.end]
            if PLACEHOLDER.search(raw) is None or stretch.kind == "secret":
                placed.append(
                    (
                        stretch.start,
                        stretch.end,
                        REMOVED
                        if stretch.kind == "secret"
                        else self._placeholder(raw, kind=stretch.kind.upper()),
                    )
                )
        return placed


ORDER = ("secret", "mrz", "iban", "card", "id", "tax", "date", "email", "phone", "url")
"""Of overlapping findings the one of the kind listed first is kept."""


def by_form(text: str) -> list[contact_details.Found]:
    """Names of persons and secrets recognised by their form, anywhere in a text, however it is read; an encoded block that holds one is a secret as a whole."""
    if len(text) < LEAST_SPOTTED:
        return []
    stretches = _as_it_stands(text)
    for reading in readings.every(text):
        for found in (
            _as_it_stands(reading.text) if reading.kind != "disguised" else secret_forms.secrets(reading.text)
        ):
            start, end = reading.span(found.start, found.end)
            if reading.kind == "block":
                stretches.append(contact_details.Found(start, end, "secret", text[start:end]))
            elif found.kind == "secret" or end - start > found.end - found.start:
                stretches.append(found._replace(start=start, end=end))
        if reading.kind == "spoken":  # whoever spells out eight or more means a number of somebody's
            spans = [(reading.span(*run.span()), run[0]) for run in _LONG_NUMBER.finditer(reading.text)]
            stretches += [
                contact_details.Found(*span, "id", digits)
                for span, digits in spans
                if span[1] - span[0] > len(digits)
            ]
    return stretches


def _as_it_stands(text: str) -> list[contact_details.Found]:
    plain = contact_details.readable(text)
    stretches = [
        *secret_forms.secrets(text),
        *identity_numbers.zones(plain),
    ]  # the line of the names has no digit
    if not any(sign.isdigit() for sign in plain):
        return stretches
    return [
        *stretches,
        *contact_details.accounts(plain),
        *contact_details.cards(plain),
        *identity_numbers.numbers(plain),
        *identity_numbers.birth_dates(plain),
    ]


def _parts(text: str) -> list[str]:
    """A withheld value as a whole and line by line: of a key of many lines, one may stand elsewhere alone."""
    whole = (
        [text]
        if len(text) <= LONGEST_SOUGHT
        else [text[at : at + 1000] for at in range(0, min(len(text), 100_000), 1000)]
    )
    lines = [line.strip() for line in text[:100_000].splitlines() if len(line.strip()) >= 12]
    return [*whole, *lines[:500]] if len(lines) > 1 else whole


def is_note(name: str, label: str, text: str) -> bool:
    """Whether a masked text is prose, of which only the personal data is replaced: by what its field is called, or by its length."""
    if len(text) > NOTE_FROM:
        return True
    return bool(_NOTE_NAMES.search(name) or _NOTE_NAMES.search(label)) and len(text.split()) > 3


def kind_of(name: str, label: str, text: str) -> str:
    """The name of the placeholder for this value."""
    bare = text.strip()
    for stretch in contact_details.personal(bare):
        if (stretch.start, stretch.end) == (0, len(bare)):
            return stretch.kind.upper()
    if written_values.only_day(bare) or re.fullmatch(r"\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-]\d\d:\d\d)?", bare):
        return "DATE"
    if (_PHONE_NAMES.search(name) or _PHONE_NAMES.search(label)) and sum(
        sign.isdigit() for sign in bare
    ) >= 5:
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
    """A key that equal values share, however they are written."""
    bare = contact_details.readable(contact_details.visible(text)).strip()
    if "@" in bare:
        return bare.casefold()
    if (day := written_values.only_day(bare)) is not None:
        return day
    signs = contact_details.compact(bare)
    if len(signs) >= 7 and sum(sign.isdigit() for sign in signs) >= len(signs) / 2:
        return signs.removeprefix("00")
    return " ".join(bare.casefold().split())


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text as a model would get it, and what its placeholders stand for."""

    text: str
    placeholders: Mapping[str, Any]


def redacted(
    text: str,
    treatments: Mapping[str, Treatment],
    *,
    key: bytes = b"playground",
    labels: Mapping[str, str] = MappingProxyType({}),
) -> Redacted:
    """The redacted form of a text, for trying out the settings: a JSON object, or lines `name: value` and prose. Prose is treated as a note."""
    data = _object(text)
    redactor = Redactor(key)
    if data is not None:
        source = Source("s1", "record", "", data, trusted=True, treatments=treatments, labels=labels)
        redactor.learn([source])
        kept = {
            name: redactor.data(source, name, value)
            for name, value in data.items()
            if treatments.get(name) != "never"
        }
        return Redacted(json.dumps(kept, ensure_ascii=False, indent=2, default=str), redactor.placeholders)
    lines = [(line, *_named_line(line, treatments)) for line in text.splitlines()]
    redactor.learn(
        [
            Source(f"s{at}", "note", "", {name: value}, trusted=True, treatments=treatments, labels=labels)
            for at, (_, name, value) in enumerate(lines)
            if name
        ]
    )
    parts, prose = [], iter(redactor.lines([line for line, name, _ in lines if not name], note=True))
    for _, name, value in lines:
        if not name:
            parts.append(next(prose))
        elif treatments[name] != "never":
            parts.append(f"{name}: {redactor.value(name, labels.get(name, ''), value, treatments[name])}")
    return Redacted("\n".join(parts), redactor.placeholders)


def _object(text: str) -> dict[str, Any] | None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _named_line(line: str, treatments: Mapping[str, Treatment]) -> tuple[str, str]:
    """(name, value) of a line of a named field; ("", "") for prose."""
    name, colon, value = line.partition(":")
    return (name.strip(), value.strip()) if colon and name.strip() in treatments else ("", "")
