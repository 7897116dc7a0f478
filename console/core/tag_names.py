"""Tags: what may be one, and when two are the same."""

import re
import unicodedata

from console.core.errors import Invalid

LONGEST = 60
MOST_ON_RECORD = 50
_JOINING = "\u200c\u200d"
"""What joins and parts the letters of Persian or the parts of one emoji: it belongs to the word."""
_UNSEEN = re.compile(
    "[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202c\u2060\u2066-\u2069\ufeff]|^[\u200c\u200d\\s]+|[\u200c\u200d\\s]+$"
)
"""Marks that nobody sees, as programs put them around words that are written from the right, and at the beginning of a file; what turns letters around stays, and is refused."""


class TagName(str):
    """The tag that an event is about, as expressions find it: compared with a text, capitals do not count."""

    __slots__ = ()


def clean(text: object, field: str = "tag") -> str:
    """The tag as it is written: blanks at its ends left out, one between its words. Raises Invalid, which names `field`."""
    name = (
        " ".join(_UNSEEN.sub("", unicodedata.normalize("NFC", text)).split()) if isinstance(text, str) else ""
    )
    if not name:
        raise Invalid("A tag is a word or two, such as lead.", at=field)
    if len(name) > LONGEST:
        raise Invalid(f"A tag has at most {LONGEST} characters.", at=field)
    if (
        any(unicodedata.category(char).startswith("C") and char not in _JOINING for char in name)
        or "," in name
    ):
        raise Invalid(
            "A tag holds letters, digits and marks, but no comma and no control characters.", at=field
        )
    return name


def identity(name: str) -> str:
    """What a tag is known by: VIP and vip are the same one."""
    return name.casefold()
