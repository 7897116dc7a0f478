"""Days until which something holds: one that has passed says that it has expired."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from markupsafe import Markup, escape

from console.core.documents.collections import field_guesses
from console.views import formats
from console.views.formats import Kind, Look

_EXPIRES = re.compile(r"(?:^|_)(?:expires|expiry|valid_until)(?:_|$)", re.IGNORECASE)


def is_expiry(what: Kind) -> bool:
    """Return whether the field says until when something holds: `expires_on`, `identity_expires_on`, `valid_until`."""
    return what.type in ("date", "datetime") and _EXPIRES.search(field_guesses.snaked(what.name)) is not None


def has_expired(what: Kind, value: Any, look: Look) -> bool:
    """Return whether the value of such a field is a day or moment before today in the reader's zone."""
    if not is_expiry(what):
        return False
    try:
        day = date.fromisoformat(str(value)) if len(str(value)) == 10 else None
    except ValueError:
        return False
    at = formats.moment_of(value) if day is None else None
    day = formats.within(at, look.zone).date() if at is not None else day
    return day is not None and day < formats.within(look.now, look.zone).date()


def cells(what: Kind, look: Look, values: Sequence[Any]) -> list[str]:
    """Return the `<td>` of each value."""
    plain = formats.cell(what, look)
    return [
        f'<td class="d" data-l="{escape(what.label)}">{brief(what, value, look)}</td>'
        if has_expired(what, value, look)
        else plain(value)
        for value in values
    ]


def line(what: Kind, value: Any, look: Look) -> Markup:
    """Return the value as a record's page shows it."""
    drawn = formats.html(what, value, look)
    expired = has_expired(what, value, look)
    return Markup('{} <span class="badge warn">Expired</span>').format(drawn) if expired else drawn


def brief(what: Kind, value: Any, look: Look) -> Markup:
    """Return the value in a narrow place."""
    exactly = escape(formats.text(what, value, look))
    if not has_expired(what, value, look):
        return exactly
    return Markup('<span class="badge warn" title="{0}">Expired<span class="vh"> {0}</span></span>').format(
        exactly
    )
