"""Answers to a question about a case: by a model, each sentence with words of a source, or by search over the sources. Pure.

A question is asked of a model as a form: up to `MOST` sentences, each with a quote. So the prompt, its redaction and the guard are those of a proposal.
Source: docs/adr/0011-proposals.md.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pydantic_core

from console.ai.safety.comparable_words import skeleton
from console.core.proposal_types import Ask, FieldSpec, Judged, Source

MOST = 6
LONGEST_SENTENCE, LONGEST_QUOTE = 500, 300
LEAST_LETTERS = 4
"""Letters from which a word of a question is looked for; shorter ones are, where they have digits or capitals alone (VAT, IBAN)."""
PREFIX = 5
"""Letters in which two forms of a word agree: expires, expiry."""
LONG = 5
"""Letters from which a word of a question says what it is about: no more such words may be missing in the case than words stand there."""
LEAST_OF_BEST = 0.5
"""A line is shown if it says at least this part of what the best one says."""
INSTRUCTION = (
    "Answer the question of a colleague about this case, in their language, in as few sentences as it takes, one in each field sentence_1, sentence_2 … For each sentence give in the "
    "quote of the same number the words of one source that it rests on, letter for letter. Where the sources do not answer the question, or it is about somebody or something that "
    "is not in them, decline. Do not judge, recommend or decide anything. The question: "
)
_WORD = re.compile(r"\w+")
_NAME = re.compile(r"(?<![.?!]\s)(?<!^)\b[^\W\d_a-z]\w+(?:\s+[^\W\d_a-z]\w+)+")
"""Words with capitals, one beside the other, that do not begin a sentence."""

FIELDS = tuple(
    field
    for number in range(1, MOST + 1)
    for field in (
        FieldSpec(f"sentence_{number}", f"Sentence {number}", "text", max_length=LONGEST_SENTENCE),
        FieldSpec(
            f"quote_{number}", f"Quote for sentence {number}", "text", max_length=LONGEST_QUOTE, quote=True
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and where it stands: the id of the source, the name in its data, its words there. `text` is empty for what search found: the quote says it."""

    text: str
    source: str
    at: str | None
    quote: str


def ask_of(question: str, sources: Sequence[Source], policy: tuple[str, str], locale: str) -> Ask:
    """The question as a form that a model fills in."""
    return Ask(
        purpose="ask",
        step="question",
        title="A question about a case",
        type="question",
        instruction=f"{INSTRUCTION}{question}",
        fields=FIELDS,
        sources=tuple(sources),
        policy=policy,
        locale=locale,
    )


def sentences(judged: Judged, question: str, sources: Sequence[Source]) -> list[Sentence]:
    """The sentences that passed the guard together with their quotes. One whose words are not those of its source and the question is left to its quote."""
    values = {each.name: each for each in judged.fields}
    lines = {(line.source, line.at): line.words for line in _lines(sources)}
    asked = frozenset(map(skeleton, _WORD.findall(question)))
    made = []
    for number in range(1, MOST + 1):
        said, quote = values.get(f"sentence_{number}"), values.get(f"quote_{number}")
        if said is not None and quote is not None and quote.quote is not None:
            words = lines.get((quote.sources[0], str(quote.at)), frozenset())
            text = str(said.value) if _rests_on(str(said.value), words, asked) else ""
            made.append(Sentence(text, quote.sources[0], quote.at, quote.quote))
    return made


def _rests_on(text: str, words: frozenset[str], asked: frozenset[str]) -> bool:
    """Whether some word of a sentence stands in the line that it cites, and most of the others there or in the question."""
    own = [skeleton(word) for word in _WORD.findall(text) if len(word) >= LEAST_LETTERS or not word.isalpha()]
    found = [word for word in own if _matches(word, words | asked)]
    return any(_matches(word, words) for word in own) and 2 * len(found) > len(own)


def whole_so_far(text: str) -> str | None:
    """What has arrived of an answer as an answer of its own: the fields that are complete. None where there is none yet."""
    begin = text.find("{")
    try:
        parsed = pydantic_core.from_json(text[begin:], allow_partial=True) if begin >= 0 else None
    except (ValueError, TypeError):  # of half a character
        return None
    given = parsed.get("fields") if isinstance(parsed, dict) else None
    if not isinstance(given, list) or len(given) < 2:
        return None
    return json.dumps({"decision": "propose", "fields": given[:-1]})  # the last may be on its way


def unknown_name(question: str, sources: Sequence[Source]) -> str | None:
    """The first name in the question of which no word stands in the sources: it asks about somebody else. None without one."""
    known = {word for line in _lines(sources) for word in line.words}
    for match in _NAME.finditer(question):
        if not any(_matches(skeleton(word), known) for word in _WORD.findall(match[0])):
            return match[0]
    return None


def search(question: str, sources: Sequence[Source]) -> list[Sentence]:
    """The lines of the sources that say most of what the question names, the best first; empty where more of it is missing in the case than stands there, or it names somebody else."""
    lines = list(_lines(sources))
    wanted = {
        skeleton(word): len(word) >= LONG
        for word in _WORD.findall(question)
        if len(word) >= LEAST_LETTERS
        or any(sign.isdigit() for sign in word)
        or (len(word) > 1 and word.isupper())
    }
    found = {word: [line for line in lines if _matches(word, line.words)] for word in wanted}
    matched = {word for word in wanted if found[word]}
    missing = [word for word, long in wanted.items() if long and word not in matched]
    if not matched or len(missing) > len(matched) or unknown_name(question, sources):
        return []
    scores: dict[int, float] = {}
    by_number = {line.number: line for line in lines}
    for word in matched:
        for line in found[word]:
            scores[line.number] = scores.get(line.number, 0.0) + math.log(1 + len(lines) / len(found[word]))
    best = max(scores.values())
    order = sorted(
        (number for number in scores if scores[number] >= LEAST_OF_BEST * best),
        key=lambda number: (-scores[number], number),
    )
    return [
        Sentence("", line.source, line.at, line.text[:LONGEST_QUOTE])
        for line in (by_number[number] for number in order[:MOST])
    ]


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    source: str
    at: str
    text: str
    words: frozenset[str]


def _lines(sources: Sequence[Source]) -> Iterator[_Line]:
    """Each value of each source as a line, with the words by which it is found: its own, its label's and its source's."""
    number = 0
    for source in sources:
        for name, value in source.data.items():
            label = source.labels.get(name, "")
            text = ", ".join(_scalars(value))
            if text:
                number += 1
                words = _WORD.findall(f"{text} {label or name.replace('_', ' ')} {source.title}")
                shown = f"{label}: {text}" if label else text
                yield _Line(number, source.id, name, shown, frozenset(map(skeleton, words)))


def _scalars(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for entry in value.values():
            yield from _scalars(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _scalars(entry)
    elif isinstance(value, bool):
        yield "yes" if value else "no"
    elif value is not None and str(value).strip():
        yield " ".join(str(value).split())


def _matches(word: str, words: frozenset[str] | set[str]) -> bool:
    return word in words or (len(word) > PREFIX and any(each.startswith(word[:PREFIX]) for each in words))
