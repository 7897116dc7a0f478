"""The draft of an e-mail that a person sends: the template in the reader's language, filled in from the run, and what a person changed in it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency

from console.core import expressions, merge_fields
from console.core.papers import similarity
from console.core.plain_words import SYMBOLS, day_words, humanised
from console.core.speaking import spoken
from console.steps.filled_text import escaped_line

ENGLISH = "en"
LONGEST_COMPARED = 20_000
"""Characters of a text that are compared with the draft."""
_CODES = {symbol: code for code, symbol in SYMBOLS.items()}
_AMOUNT = re.compile(rf"(-?)({'|'.join(map(re.escape, _CODES))}|[A-Z]{{3}} )([\d,]+(?:\.\d+)?)")
_NUMBER = re.compile(r"\d[\d.,:/’\u202f\u00a0-]*\d|\d")
_GAP = re.compile(r"\[missing: ([^\]\n]*)\]")
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ].*)?")


@dataclass(frozen=True, slots=True)
class Template:
    """Subject and text in one language."""

    language: str
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A template that is filled in. `figures` are the values with digits that came from the run, as they are written.

    `lacking`: the language of the reader, where there is no template in it.
    """

    language: str
    subject: str
    text: str
    figures: Sequence[str]
    lacking: str | None = None


def choose(templates: Sequence[Template], wanted: Any) -> tuple[Template, str | None]:
    """(the template in the language `wanted`, else the first one; the language that is lacking then). `wanted` is a code such as de or de-AT, None for any."""
    code = str(wanted or "").strip().lower()[:2] or templates[0].language
    found = next((each for each in templates if each.language == code), None)
    return found or templates[0], None if found else code


def draft_of(template: Template, lacking: str | None, roots: Mapping[str, Any]) -> Draft:
    """The template filled in as plain text, amounts and days as its language writes them."""
    figures: list[str] = []
    subject = " ".join(_filled(template.subject, template.language, roots, figures).split())
    text = _filled(template.body, template.language, roots, figures)
    return Draft(template.language, subject, _tidy(text), tuple(dict.fromkeys(figures)), lacking)


def language_name(code: str) -> str:
    """The English name of a language: German for de; the code where it has none."""
    try:
        return Locale(code).get_display_name(ENGLISH) or code
    except (UnknownLocaleError, ValueError):
        return code


def gaps(text: str) -> list[str]:
    """What a text still lacks: the values of the run that were not there."""
    return list(dict.fromkeys(_GAP.findall(text)))


def changed_figures(draft: Draft, text: str) -> list[dict[str, Any]]:
    """Figures of the draft that the text lacks: `run`, what it was, and `text`, the numbers that the text has and the draft has not."""
    known = set(_NUMBER.findall(f"{draft.subject}\n{draft.text}"))
    fresh = [each for each in dict.fromkeys(_NUMBER.findall(text)) if each not in known]
    lost = [each for each in draft.figures if not _stands_in(each, text)]
    return [{"run": each, "text": fresh} for each in lost]


def edited_percent(draft: Draft, subject: str, text: str) -> int:
    """How much of the draft was changed, 0 to 100: changed characters in the longer of both texts, rounded up."""
    first = f"{draft.subject}\n{draft.text}"[:LONGEST_COMPARED]
    second = f"{subject}\n{text}"[:LONGEST_COMPARED]
    return -(-100 * similarity.distance(first, second) // max(len(first), len(second), 1))


def with_paragraph(text: str, paragraph: str) -> str:
    """The text with a paragraph above its last one."""
    if not paragraph.strip():
        return text
    above, gap, last = text.rstrip().rpartition("\n\n")
    return "\n\n".join(part for part in (above if gap else "", paragraph.strip(), last) if part)


def as_markdown(text: str) -> str:
    """A plain text as Markdown that shows it letter by letter, line by line."""
    paragraphs = re.split(r"\n[ \t]*\n\s*", text.strip())
    return "\n\n".join(
        "\\\n".join(escaped_line(line.strip()) for line in each.splitlines()) for each in paragraphs
    )


def _filled(template: str, language: str, roots: Mapping[str, Any], figures: list[str]) -> str:
    """The template as plain text; adds to `figures` what the run gave with a digit in it."""
    made = []
    for part in expressions.active_parts(template, roots):
        if isinstance(part, str):
            made.append(part.replace("**", ""))
        elif merge_fields.is_missing(part, roots):
            made.append(f"[missing: {_name(part)}]")
        else:
            words = re.sub(r"\s+", " ", _localised(spoken(part, roots), language))
            figures += [words.strip()] if re.search(r"\d", words) else []
            made.append(words)
    return "".join(made)


def _name(part: expressions.Expression) -> str:
    names = dict.fromkeys(humanised(path[-1]) for path in expressions.paths(part))
    return ", ".join(names) or part.text


def _localised(words: str, language: str) -> str:
    """An amount or a day as the language writes it; anything else as it is."""
    if (day := _DAY.fullmatch(words)) is not None:
        if language == ENGLISH:
            return day_words(words) or words
        try:
            return format_date(date.fromisoformat(day[1]), "long", locale=language)
        except ValueError:
            return words
    if language == ENGLISH or (amount := _AMOUNT.fullmatch(words)) is None:
        return words
    sign, currency, digits = amount.groups()
    number = Decimal(sign + digits.replace(",", ""))
    code = _CODES.get(currency, currency.strip())
    return format_currency(number, code, locale=language, decimal_quantization=False)


def _tidy(text: str) -> str:
    """Without more than one empty line between paragraphs."""
    return re.sub(r"\n[ \t]*\n\s*", "\n\n", text.strip())


def _stands_in(figure: str, text: str) -> bool:
    return re.search(rf"(?<![\w.,]){re.escape(figure)}(?!\w|[.,]\d)", " ".join(text.split())) is not None
