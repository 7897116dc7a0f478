"""Texts with `{{ expressions }}`, and with parts that stand there only where a condition holds.

`{{ if condition }} … {{ else if condition }} … {{ else }} … {{ end }}`, one within another too; unknown is not enough. One of these words that
has a line to itself takes its line with it. The cost is linear. Source: the actions of that name in Go's text/template.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from console.core.expressions.evaluation import Roots
from console.core.expressions.language import Expression, parse
from console.core.expressions.operands import to_json
from console.core.expressions.parser import ExpressionError, UnknownName

MOST_TEMPLATE = 20_000
SEPARATORS = " ,;:/|·–-"
TEMPLATE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_CHOICE = re.compile(r"(else\s+if|if|else|end)(?![\w.])(.*)", re.DOTALL)
_MEANT = {
    "elif": "else if",
    "elseif": "else if",
    "elsif": "else if",
    "endif": "end",
    "#if": "if",
    "#else": "else",
    "/if": "end",
}
"""Words of other languages of texts → ours."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """A word that says what stands there: `if`, `else if`, `else`, `end`; the first two with their condition."""

    word: str
    condition: Expression | None


def templates(template: str) -> list[Expression]:
    """The expressions between `{{` and `}}` in order, conditions too. Raises ExpressionError with the position in the template."""
    found = (part.condition if isinstance(part, _Choice) else part for part in _parts(template))
    return [part for part in found if isinstance(part, Expression)]


def raw_expressions(template: str) -> list[str]:
    """The same as they are written, unread: for who reads each by itself."""
    found = [choice_of(match[1]) for match in TEMPLATE.finditer(template)]
    return [text for word, text in found if word not in ("else", "end")]


def choice_of(text: str) -> tuple[str, str]:
    """What stands between `{{` and `}}` as (`if`, `else if`, `else`, `end` or an empty text, the expression)."""
    choice = _CHOICE.fullmatch(text.strip())
    return (" ".join(choice[1].split()), choice[2].strip()) if choice else ("", text.strip())


def active_parts(template: str, roots: Roots) -> list[str | Expression]:
    """The texts and the expressions that stand there for these values: what a condition leaves out is left out."""
    found: list[str | Expression] = []
    within: list[
        tuple[bool, bool]
    ] = []  # of each choice that is open: whether its part stands there, whether nothing after it can
    for part in _parts(template):
        if not isinstance(part, _Choice):
            found += [part] if not within or within[-1][0] else []
        elif part.word == "end":
            within.pop()
        else:
            settled = bool(within) and not within[-1][0] if part.word == "if" else within.pop()[1]
            holds = not settled and (part.condition is None or part.condition.test(roots))
            within.append((holds, settled or holds))
    return found


def render(template: str, roots: Roots) -> str:
    """The template with each `{{ expression }}` replaced by its value as text; null and unknown become empty."""
    return "".join(
        part if isinstance(part, str) else value_text(part.value(roots))
        for part in active_parts(template, roots)
    )


def render_json(part: Any, roots: Roots) -> Any:
    """JSON with its expressions filled in: a text that is nothing but one expression becomes its value, with its type."""
    if isinstance(part, Mapping):
        return {name: render_json(each, roots) for name, each in part.items()}
    if isinstance(part, list):
        return [render_json(each, roots) for each in part]
    if not isinstance(part, str):
        return part
    found = list(TEMPLATE.finditer(part))
    if len(found) == 1 and found[0].span() == (0, len(part)):
        return parse(found[0][1].strip()).evaluate(roots)
    return render(part, roots)


def texts_in(part: Any) -> Iterator[str]:
    """The texts in JSON that hold an expression."""
    if isinstance(part, Mapping | list):
        for each in part.values() if isinstance(part, Mapping) else part:
            yield from texts_in(each)
    elif isinstance(part, str) and "{{" in part:
        yield part


def joined(template: str, roots: Roots) -> str:
    """As `render`, but what only separates stands between two values that there are: "Books, €4", and "€4" where the first is empty."""
    made, between, told, opens = "", "", False, True
    for place, part in enumerate(active_parts(template, roots)):
        if isinstance(part, str):
            between, made = (part, made) if separates(part) else ("", made + part)
            opens = place == 0
            continue
        value = value_text(part.value(roots))
        made += (between if made or opens else "") + value if value else ""
        between, told, opens = "", bool(value), False
    return made + (between if told else "")


def separates(text: str) -> bool:
    """Whether a text between expressions is nothing but blanks and signs that separate."""
    return not text.strip(SEPARATORS)


def lacks(template: str, roots: Roots) -> bool:
    """Whether one of the expressions that stand there gives nothing, so that the sentence has a gap."""
    return any(
        not isinstance(part, str) and not value_text(part.value(roots))
        for part in active_parts(template, roots)
    )


def chooses(template: str) -> bool:
    """Whether a part of it stands there by a condition."""
    return any(choice_of(match[1])[0] for match in TEMPLATE.finditer(template))


def wrong_choices(template: str) -> str | None:
    """What is wrong with the order of `if`, `else` and `end`; None where nothing is."""
    try:
        _in_order([(match.start(), *_read(match)) for match in TEMPLATE.finditer(template)])
    except ExpressionError as error:
        return error.reason
    return None


@lru_cache(maxsize=1024)
def _parts(template: str) -> tuple[str | Expression | _Choice, ...]:
    """The template as texts, expressions and choices, in order."""
    if len(template) > MOST_TEMPLATE:
        raise ExpressionError(f"A template has at most {MOST_TEMPLATE} characters.", MOST_TEMPLATE)
    parts: list[str | Expression | _Choice] = []
    end = 0
    words: list[tuple[int, str, str]] = []
    for match in TEMPLATE.finditer(template):
        word, text = _read(match)
        condition = _parsed(text, match) if word in ("", "if", "else if") else None
        start, after = _own_line(template, match) if word else match.span()
        parts += [template[end:start]] if start > end else []
        parts.append(_Choice(word, condition) if word or condition is None else condition)
        words.append((match.start(), word, text))
        end = after
    _in_order(words)
    if "{{" in template[end:]:
        raise ExpressionError("This '{{' is never closed by '}}'.", template.index("{{", end))
    return (*parts, template[end:]) if end < len(template) else tuple(parts)


def _read(match: re.Match[str]) -> tuple[str, str]:
    """(the word of a choice, or an empty text; the expression). Raises ExpressionError for such a word of another language."""
    text = match[1].strip()
    first = text.partition(" ")[0]
    if first in _MEANT:
        raise ExpressionError(
            f"'{first}' cannot stand here; it is written '{_MEANT[first]}'.",
            match.start(1) + match[1].index(text),
        )
    return choice_of(text)


def _parsed(text: str, match: re.Match[str]) -> Expression:
    """The expression. Raises ExpressionError with the position in the template."""
    try:
        return parse(text)
    except ExpressionError as error:
        place = match.start(1) + match[1].index(text) + error.position
        raise (
            UnknownName(error.name, place)
            if isinstance(error, UnknownName)
            else ExpressionError(error.reason, place)
        ) from None


def _own_line(template: str, match: re.Match[str]) -> tuple[int, int]:
    """Where the word begins and ends: with its whole line, where nothing else stands in it."""
    start = template.rfind("\n", 0, match.start()) + 1
    end = template.find("\n", match.end())
    end = len(template) if end < 0 else end + 1
    alone = not template[start : match.start()].strip() and not template[match.end() : end].strip()
    return (start, end) if alone else match.span()


def _in_order(words: list[tuple[int, str, str]]) -> None:
    """Raises ExpressionError where a choice is not ended, or `else` or `end` stand where they may not. `words`: (place, word, rest)."""
    within: list[tuple[int, bool]] = []  # place of each open `if`, and whether its `else` has come
    for place, word, rest in words:
        if not word:
            continue
        if word != "if" and not within:
            raise ExpressionError(f"This '{word}' has no 'if' before it.", place)
        if word in ("else", "end") and rest:
            meant = " Another condition is written 'else if'." if word == "else" else ""
            raise ExpressionError(f"'{word}' stands alone: {{{{ {word} }}}}.{meant}", place)
        if word in ("if", "else if") and not rest:
            raise ExpressionError(f"This '{word}' lacks its condition.", place)
        if word.startswith("else") and within[-1][1]:
            raise ExpressionError("Nothing but 'end' can come after 'else'.", place)
        if word == "end":
            within.pop()
        elif word == "else":
            within[-1] = (within[-1][0], True)
        elif word == "if":
            within.append((place, False))
    if within:
        raise ExpressionError("This 'if' is never ended by {{ end }}.", within[-1][0])


def value_text(value: Any) -> str:
    """A value as text: list items separated by commas, objects as empty text."""
    if isinstance(value, str):
        return value
    plain = to_json(value)
    match plain:
        case None | dict():
            return ""
        case bool():
            return "true" if plain else "false"
        case list():
            return ", ".join(text for text in (value_text(item) for item in plain) if text)
    return str(plain)
