"""Texts in several languages in one column: `{"en_US": "Table", "de_DE": "Tisch"}`, as programs for many countries keep their names."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

LANGUAGE = re.compile(r"(?P<language>[a-z]{2})(?:[_-](?:[A-Z]{2}|[a-z]{2}|[A-Z][a-z]{3}))?(?:@[a-z]+)?")
LANGUAGES = frozenset(
    re.findall(
        "..",
        "afamarazbebgbnbscacscydadeeleneoeseteufafifrgaglguhehihrhuhyidisitjakakkkmknkolbloltlvmkmlmnmsmtmynbnenlnnnoplpsptrorusiskslsqsrsvswtatethtltrukuruzvizhzu",
    )
)
WORDS = frozenset({"am", "az", "be", "id", "is", "it", "my", "no", "si", "to"})
"""Languages whose codes are words of other objects too: alone they show nothing."""


def texts_of(value: Any) -> Mapping[str, str] | None:
    """Language → text of such a value, read from JSON too; None where it is something else. Empty texts are left out."""
    if isinstance(value, str):
        if not value.lstrip().startswith("{"):
            return None
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if not isinstance(value, Mapping) or not all(
        _is_language(name) and (text is None or isinstance(text, str)) for name, text in value.items()
    ):
        return None
    return {name: text for name, text in value.items() if text and text.strip()}


def kept_in(values: Sequence[Any]) -> bool:
    """Whether a column with these values (none of them null) keeps texts in several languages; a plain text among many does no harm."""
    found = [texts for value in values if (texts := texts_of(value)) is not None]
    return 2 * len(found) > len(values) and any(
        len(name) > len("en") or name not in WORDS for texts in found for name in texts
    )


def in_language(value: Any, locale: str) -> Any:
    """The text in the language of this locale, else in English, else the first one; "" without any, and what is something else as it is."""
    texts = texts_of(value)
    if texts is None:
        return value
    by_name = {name.replace("-", "_").lower(): text for name, text in texts.items()}
    wanted = locale.replace("-", "_").lower()
    for sought in (wanted, wanted[:2], "en_us", "en"):
        found = by_name.get(sought) or next(
            (text for name, text in by_name.items() if name[:2] == sought), None
        )
        if found:
            return found
    return next(iter(texts.values()), "")


def _is_language(name: str) -> bool:
    found = LANGUAGE.fullmatch(name)
    return found is not None and found["language"] in LANGUAGES
