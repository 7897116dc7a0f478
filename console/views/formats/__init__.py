"""How a value is shown to a person, and how what a form sends is read back.

One place for both directions, so that what a page shows in a box is what the same page accepts from it. Values are those of
the API: decimals are strings, dates `2026-11-20`, moments RFC 3339 in UTC, enums their stored word, arrays lists.
Times are shown in the person's zone with UTC beside them on hover and focus.
"""

from console.views.formats.forms import box, typed
from console.views.formats.kinds import EMPTY, LISTS, NUMBERS, SHOWN_ONLY, Amount, Kind, Look, kind, with_currencies
from console.views.formats.markup import CELL_LENGTH, cell, column, escaped, html, linked, marker
from console.views.formats.moments import ago, clock, clock_or_day, full_moment, in_words, moment_of, span, when
from console.views.formats.words import file_words, grouped, initials, role_words, text

__all__ = [
    "CELL_LENGTH",
    "EMPTY",
    "LISTS",
    "NUMBERS",
    "SHOWN_ONLY",
    "Amount",
    "Kind",
    "Look",
    "ago",
    "box",
    "cell",
    "clock",
    "clock_or_day",
    "column",
    "escaped",
    "file_words",
    "full_moment",
    "grouped",
    "html",
    "in_words",
    "initials",
    "kind",
    "linked",
    "marker",
    "moment_of",
    "role_words",
    "span",
    "text",
    "typed",
    "when",
    "with_currencies",
]
