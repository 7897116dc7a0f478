"""The cells of a column that says when something is due: what is late says for how many days, unless the record has come to its end."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from markupsafe import Markup, escape

from console.core.documents.collections import Collection, field_guesses
from console.views import formats
from console.views.formats import Kind, Look

_DUE = re.compile(r"(?:^|_)(?:due|deadline|next_review)(?:_|$)", re.IGNORECASE)
_EXPIRES = re.compile(r"(?:^|_)(?:expires|expiry|valid_until)(?:_|$)", re.IGNORECASE)
_ENDED = frozenset(
    {
        "superseded",
        "archived",
        "cancelled",
        "canceled",
        "closed",
        "completed",
        "complete",
        "delivered",
        "done",
        "exited",
        "finished",
        "paid",
        "rejected",
        "resolved",
        "settled",
        "solved",
        "void",
        "withdrawn",
        "written_off",
        "returned",
        "refunded",
        "repaid",
        "collected",
        "picked_up",
        "handed_over",
        "handed_out",
        "shipped",
        "fulfilled",
        "seen",
        "attended",
        "no_show",
        "not_seen",
        "missed",
        "did_not_attend",
        "dna",
        "discharged",
        "declined",
        "denied",
        "refused",
        "dismissed",
        "abandoned",
        "terminated",
        "retired",
        "scrapped",
        "disposed",
        "sold",
        "lost",
        "won",
        "expired",
        "lapsed",
    }
)
"""Words of states in which nothing is waited for any more."""


_REVIEW = re.compile(r"(?:^|_)(?:review|reassessment|renewal|recertification)(?:_|$)", re.IGNORECASE)
_RUN_OUT = frozenset({"expired", "lapsed"})
"""Words of states in which what a review is due for has run out because it was not done: it is late still."""


def is_due(what: Kind) -> bool:
    """Return whether the field says when something is due or expires, by its name: `due_at`, `payment_due`, `next_review_on`, `expires_on`."""
    return what.type in ("date", "datetime") and (
        _DUE.search(field_guesses.snaked(what.name)) is not None or expires(what)
    )


def expires(what: Kind) -> bool:
    """Return whether the field says until when something holds: `expires_on`, `identity_expires_on`, `valid_until`."""
    return what.type in ("date", "datetime") and _EXPIRES.search(field_guesses.snaked(what.name)) is not None


def ended(state: Any, what: Kind) -> bool:
    """Return whether the word of a record's state says that what is due then is not waited for any more."""
    if not isinstance(state, str):
        return False
    word = field_guesses.snaked(state)
    return word in _ENDED and not (word in _RUN_OUT and _REVIEW.search(field_guesses.snaked(what.name)))


def has_ended(values: Mapping[str, Any], collection: Collection, what: Kind) -> bool:
    """Return whether the values of a record say that what is due then has come to its end."""
    return any(
        bool(values.get(name)) if alone else ended(values.get(name), what)
        for name, alone in collection.ending_fields.items()
    )


def cells(what: Kind, look: Look, values: Sequence[Any], ends: Sequence[bool]) -> list[str]:
    """Return the `<td>` of each value; `ends` says of each record whether it has come to its end."""
    plain = formats.cell(what, look)
    label = escape(what.label)
    made = []
    for value, end in zip(values, ends, strict=True):
        days = days_late(value, look)
        if days <= 0 or end:
            made.append(plain(value))
            continue
        words, exactly = f"{days:,} {'day' if days == 1 else 'days'}", escape(formats.text(what, value, look))
        title, said = f"{exactly}", f"{words} late"
        if expires(what):
            title, said = f"{exactly}, {words} ago", f'Expired<span class="vh"> {exactly}</span>'
        made.append(
            f'<td class="d" data-l="{label}"><span class="badge bad" title="{title}">{said}</span></td>'
        )
    return made


def days_late(value: Any, look: Look) -> int:
    """Return how many days ago it was due in the reader's zone: 0 today, negative in the future and for what is no day."""
    try:
        day = date.fromisoformat(str(value)) if len(str(value)) == 10 else None
    except ValueError:
        return -1
    today = formats.within(look.now, look.zone).date()
    if day is not None:
        return (today - day).days
    at = formats.moment_of(value)
    return -1 if at is None else (today - formats.within(at, look.zone).date()).days


def due_cell(what: Kind, value: Any, look: Look, *, end: bool, brief: bool = False) -> Markup:
    """Return the value as a record's page shows it, with the days that it is late; `brief`: of what has expired without the days."""
    drawn, days = formats.html(what, value, look), days_late(value, look)
    if days <= 0 or end:
        return drawn
    words = f"{days:,} {'day' if days == 1 else 'days'}"
    return Markup('{} <span class="badge bad">{}</span>').format(
        drawn, ("Expired" if brief else f"Expired {words} ago") if expires(what) else f"{words} late"
    )


def brief(what: Kind, value: Any, look: Look, *, end: bool) -> Markup:
    """Return the value as one of the few words of a row in a narrow pane: of what is late for how many days."""
    exactly, days = escape(formats.text(what, value, look)), days_late(value, look) if is_due(what) else 0
    if days <= 0 or end:
        return exactly
    words = "Expired" if expires(what) else f"{days:,} {'day' if days == 1 else 'days'} late"
    return Markup('<span class="late" title="{}">{}</span>').format(exactly, words)
