"""Filters and cursors of lists, as they come from an address."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime

from console.core.errors import Malformed


def require_known(filters: Mapping[str, str], known: Collection[str]) -> None:
    """Raise Malformed for a filter that is not among the known ones, or holds a NUL character."""
    unknown = sorted(set(filters) - set(known))
    if unknown:
        details = [{"field": name, "reason": f"Known: {', '.join(sorted(known))}."} for name in unknown]
        raise Malformed(f"There is no filter {unknown[0]}.", details=details)
    for name, value in filters.items():
        if "\x00" in value:
            raise Malformed(f"{name} holds a NUL character.", at=(name, "Nothing is called like this."))


def one_of(name: str, value: str, known: Sequence[str]) -> str:
    """The value. Raises Malformed where it is not among the known ones."""
    if value not in known:
        raise Malformed(f"There is no {name} {value}.", at=(name, f"One of {', '.join(known)}."))
    return value


def moment_of(name: str, value: str) -> datetime:
    """The aware moment of an ISO text. Raises Malformed, also for one without a zone."""
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError(value)
    except ValueError:
        raise Malformed(f"{name} is no time.", at=(name, "A time such as 2026-11-20T06:30:00Z.")) from None
    return moment


def cursor_of(
    text: str, prefix: str, read: Callable[[str], datetime] = datetime.fromisoformat
) -> tuple[datetime, str]:
    """(aware moment, id) of a cursor `<moment>~<id>`; `prefix` is that of the ids, `read` takes the moment. Raises Malformed."""
    moment, _, row_id = text.partition("~")
    try:
        at = read(moment)
    except (ValueError, OverflowError, OSError):
        at = datetime.min
    if at.tzinfo is None or not row_id.startswith(prefix) or "\x00" in row_id:
        details = [{"field": "after", "reason": "Not a cursor of this list."}]
        raise Malformed("The cursor is not one of ours; begin at the first page.", details=details)
    return at, row_id


def id_of_cursor(text: str, prefix: str) -> str:
    """The id that a cursor is, which begins with the prefix. Raises Malformed."""
    if not text.startswith(prefix) or "\x00" in text:
        raise Malformed(
            "The cursor is not one of ours; begin at the first page.",
            at=("after", "Not a cursor of this list."),
        )
    return text


def from_seconds(text: str) -> datetime:
    """The moment of so many seconds since 1970. Raises ValueError, OverflowError, OSError."""
    return datetime.fromtimestamp(float(text), tz=UTC)
