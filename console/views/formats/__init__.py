"""Format values for people, and read back what a form sends.

Both directions live here, so that a page accepts what it shows in a box. Values have the form of the API: decimals are strings, dates
`2026-11-20`, moments RFC 3339 in UTC, enums their stored word, arrays lists. Times are shown in the person's zone, with UTC on hover and focus.
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
