"""Format values for people, and read back what a form sends.

Both directions live here, so that a page accepts what it shows in a box. Values have the form of the API: decimals are strings, dates
`2026-11-20`, moments RFC 3339 in UTC, enums their stored word, arrays lists. Times are shown in the person's zone, with UTC on hover and focus.
"""

from console.core.counted_moments import counting, is_counted
from console.formats import times
from console.formats.codes import CODED, SPOKEN, code_choices, code_name, program_words
from console.formats.forms import box, sought_value, typed, unit_words
from console.formats.kinds import (
    EMPTY,
    LISTS,
    NUMBERS,
    SHOWN_ONLY,
    TYPE_WORDS,
    WIDGET_WORDS,
    Amount,
    Kind,
    Look,
    Named,
    kind,
    with_currencies,
)
from console.formats.markup import CELL_LENGTH, cell, column, escaped, html, linked, marker, unfolding
from console.formats.money import SMALLEST, about, amount_of, is_money, money_box, of_any_currency
from console.formats.numerals import grouped
from console.formats.plain_numbers import figure, is_figure, unit
from console.formats.sent_json import json_in, object_in, with_numbers
from console.formats.times import (
    ago,
    clock,
    clock_or_day,
    full_moment,
    in_words,
    moment_of,
    month_words,
    period_words,
    place_words,
    span,
    when,
    when_there,
    within,
    worded,
    zone_words,
)
from console.formats.words import (
    CLOCK,
    OWN,
    WIDGETS,
    absent,
    described,
    file_words,
    in_reading_order,
    initials,
    is_address,
    label_of,
    role_words,
    text,
    undescribed,
)

OPEN_MODULES = frozenset({"phone_plans", "phone_text", "schema_fields", "sentences", "spreadsheets", "times"})
