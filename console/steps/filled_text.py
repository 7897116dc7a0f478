"""Markdown of a step's settings with its expressions filled in."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from console.core import expressions, record_links
from console.core.record_links import MARKDOWN
from console.core.speaking import said_how, spoken

_SENTENCE_END = re.compile(r"(?<=[.?!])\s+")
BLOCK = re.compile(
    r"^( ?)(-(?=[-\s]|$)|=)|^( ?[0-9]{1,9})(\.(?=\s|$))"
)  # would begin a list, a rule or a heading at the start of a line


def fill_template(template: str, roots: Mapping[str, Any], *, links: bool = True) -> str:
    """Markdown with its expressions filled in as people say them. Markdown and HTML in the values are escaped, so that they are shown and have no effect.

    A reference becomes a link to its record, which a page names as its reader may know it; without `links`, for texts that leave the console, its key.

    Raises ExpressionError where the template cannot be parsed.
    """
    parts = expressions.active_parts(template, roots)
    return "".join(
        part if isinstance(part, str) else _value_in_words(part, roots, links=links) for part in parts
    )


def _value_in_words(expression: expressions.Expression, roots: Mapping[str, Any], *, links: bool) -> str:
    how = said_how(expression, roots)
    if not links or how is None or how.references is None:
        return escaped_line(spoken(expression, roots))
    value = expression.value(roots)
    keys = [expressions.value_text(item) for item in (value if isinstance(value, list) else [value])]
    return ", ".join(
        record_links.link(how.references, key) if key.strip("•") else key for key in keys if key
    )  # dots stand for what is hidden


def bullets(lines: Iterable[str]) -> str:
    """A Markdown list of texts that are shown letter by letter."""
    return "\n".join(f"- {escaped_line(line)}" for line in lines)


def escaped_line(value: str) -> str:
    """A line as Markdown that shows it letter by letter."""
    escaped = MARKDOWN.sub(r"\\\1", re.sub(r"[ \t\r\n\f\v]+", " ", value))
    return BLOCK.sub(lambda match: f"{match[1] or match[3] or ''}\\{match[2] or match[4]}", escaped)


def at_a_glance(text: str) -> str:
    """What a message is about, for a picture: its last question, else its first sentence that names nobody; “…” stands for what is filled in."""
    plain = " ".join(
        "".join(part if isinstance(part, str) else "…" for part in expressions.active_parts(text, {})).split()
    )
    sentences = [each for each in _SENTENCE_END.split(plain) if each.strip(" .…")]
    question = next((each for each in reversed(sentences) if each.endswith("?")), None)
    own = next((each for each in sentences if "…" not in each), None)
    told = (question or own or plain).strip()
    return told if len(told) <= 80 else f"{told[:79].rsplit(' ', 1)[0]}…"
