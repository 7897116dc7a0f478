"""A model's text as plain text for display and storage: one line, no markup, no links."""

import html
import re
from decimal import Decimal
from typing import Any

from console.ai.safety import contact_details
from console.ai.safety.redaction import Restore

LONGEST_REASON = 300
NO_LINK = "(link left out)"

_IMAGE_OR_LINK = re.compile(r"!?\[([^\]\n]{0,300})\]\([^)\n]{0,2000}\)?")
_TAG = re.compile(r"<[^<>]{0,2000}>?")
_MARKS = re.compile(r"(?<!\w)[*_`~#]{1,3}|[*_`~]{1,3}(?!\w)|^\s*(?:[-*>]|\d+\.)\s+", re.MULTILINE)


def line(text: str, restore: Restore | None = None) -> str:
    """A reason as one line of plain text of at most 300 characters; placeholders are put back before anything is taken out."""
    text = text[: 20 * LONGEST_REASON]
    text = restore.words(text) if restore is not None else text
    text = contact_details.visible(html.unescape(contact_details.visible(text)))
    for _ in range(2):
        text = _TAG.sub(" ", _IMAGE_OR_LINK.sub(r"\1", text))
    text = _MARKS.sub("", text).replace("<", "‹").replace(">", "›")
    return shortened(" ".join(without_links(text).split()), LONGEST_REASON)


def without_links(text: str) -> str:
    """The text with every web address replaced; e-mail addresses stay."""
    mails = [(address.start, address.end) for address in contact_details.emails(text)]
    for address in sorted(contact_details.links(text), reverse=True):
        if not any(address.start < end and start < address.end for start, end in mails):
            text = text[: address.start] + NO_LINK + text[address.end :]
    return text


def shortened(text: str, most: int) -> str:
    """The text, cut between words where it is longer than `most` characters."""
    if len(text) <= most:
        return text
    cut = text.rfind(" ", most // 2, most)
    return text[: cut if cut > 0 else most - 1].rstrip() + "…"


def storable(value: Any, most: int, depth: int = 0) -> Any:
    """Any value as JSON that a database takes: no halves of characters, no NUL, no huge numbers, no depth, no length."""
    match value:
        case None | bool():
            return value
        case str():
            return shortened(
                contact_details.SURROGATE.sub("\ufffd", value[: 2 * most]).replace("\x00", "\ufffd"), most
            )
        case int():
            return value if value.bit_length() <= 53 else shortened(str(value), most)
        case float() | Decimal():
            return shortened(str(value), most)
        case list() | tuple() if depth < 3:
            return [storable(entry, most, depth + 1) for entry in value[:20]]
        case dict() if depth < 3:
            return {
                str(storable(name, 100)): storable(entry, most, depth + 1)
                for name, entry in list(value.items())[:20]
            }
        case _:
            return "…"
