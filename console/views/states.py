"""The colour of a record's state, chosen by the stored word; the word is always shown with it.

A state is the field that a collection's summary names as its badge. Words without a known tone stay grey. A field with no coloured word
is not treated as a state, and its cells stay plain text.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from markupsafe import Markup, escape

from console.views import formats
from console.views.formats import Kind, Look

MASKED = Markup(
    '<span class="muted"><span aria-hidden="true">••••••</span><span class="vh">masked</span></span>'
)
_WORDS = {
    "good": "accepted active approved cleared completed confirmed done enabled false_positive low ok paid passed resolved signed solved "
    "succeeded success valid verified won",
    "info": "contacted engaged in_progress in_review new onboarding open processing proposed qualified received review running signing "
    "started submitted under_review",
    "warn": "blocked_temporarily expired expiring held medium on_hold overdue paused restricted suspended unresponsive warning "
    "warning_needs_response",
    "bad": "blocked declined denied failed high invalid lost prohibited refused rejected true_match",
}
CODE = 2
_BEGINNINGS = (
    "awaiting",
    "needs",
    "pending",
    "requires",
    "waiting",
)  # words of something that waits for somebody: amber
_TONES: Mapping[str, str] = {word: tone for tone, words in _WORDS.items() for word in words.split()}


@lru_cache(maxsize=1024)
def tone(word: str) -> str:
    """Return `good`, `info`, `warn`, `bad`, or "" for a neutral state."""
    plain = word.strip().casefold().replace(" ", "_").replace("-", "_")
    return _TONES.get(plain) or ("warn" if plain.partition("_")[0] in _BEGINNINGS else "")


def coloured(what: Kind) -> bool:
    """Return whether the field's words have tones. Without a list of words, each value is judged by itself."""
    return not what.options or what.widget == "badge" or any(tone_of(what, word) for word in what.options)


def tone_of(what: Kind, word: str) -> str:
    """Return the colour that the collection's document gives to the word, else the word's own, or that of what a code of one letter or two means."""
    chosen = what.tones.get(word)
    own = tone(word) or (tone((what.options or {}).get(word, "")) if len(word) <= CODE else "")
    return own if chosen is None else "" if chosen == "neutral" else chosen


def badge(what: Kind, value: Any, look: Look) -> Markup:
    """Return the value as a badge; absent values and words without a tone are formatted as usual."""
    if not isinstance(value, str) or not value or not coloured(what):
        return formats.html(what, value, look)
    return Markup('<span class="badge {}">{}</span>').format(
        tone_of(what, value), formats.text(what, value, look)
    )


def column(what: Kind, look: Look) -> Callable[[Sequence[Any]], list[str]]:
    """Like `formats.column`, for a state column."""
    if not coloured(what):
        return formats.column(what, look)
    write = cell(what, look)
    return lambda values: [write(value) for value in values]


def cell(what: Kind, look: Look) -> Callable[[Any], str]:
    """Like `formats.cell`, for a state column."""
    plain = formats.cell(what, look)
    if not coloured(what):
        return plain
    start = f'<td data-l="{escape(what.label)}">'
    kept: dict[str, str] = {}

    def write(value: Any) -> str:
        if not isinstance(value, str) or not value:
            return plain(value)
        drawn = kept.get(value)
        if drawn is None:
            shown = formats.text(what, value, look)
            short = shown if len(shown) <= formats.CELL_LENGTH else shown[: formats.CELL_LENGTH - 1] + "…"
            drawn = kept[value] = (
                f'{start}<span class="badge {tone_of(what, value)}">{escape(short)}</span></td>'
            )
        return drawn

    return write
