"""Filters and cursors of the lists of approvals, as they come from an address."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from console import log
from console.db import tables
from console.errors import Malformed

STATUSES = ("open", "approved", "rejected", "void", "expired")
FILTERS = frozenset({"status", "run", "action", "requester", "team", "created_at.gte", "created_at.lt"})


def filter_conditions(filters: Mapping[str, str]) -> list[sa.ColumnElement[bool]]:
    """The conditions on `approval` of filters of the address. Raises Malformed naming the filter that is unknown or cannot be read."""
    asked_for = tables.approval.c
    unknown = sorted(set(filters) - FILTERS)
    if unknown:
        details = [{"field": name, "reason": f"Known: {', '.join(sorted(FILTERS))}."} for name in unknown]
        raise Malformed(f"There is no filter {unknown[0]}.", details=details)
    wanted: list[sa.ColumnElement[bool]] = []
    for name, value in filters.items():
        if "\x00" in value:
            raise Malformed(f"{name} holds a NUL character.", details=[{"field": name, "reason": "Nothing is called like this."}])
        match name:
            case "status" if value not in STATUSES:
                details = [{"field": "status", "reason": f"One of {', '.join(STATUSES)}."}]
                raise Malformed(f"There is no status {value}.", details=details)
            case "requester":
                wanted.append(asked_for.requested_by == value)
            case "created_at.gte":
                wanted.append(asked_for.requested_at >= _moment(name, value))
            case "created_at.lt":
                wanted.append(asked_for.requested_at < _moment(name, value))
            case _:
                wanted.append(asked_for[name] == value)
    return wanted


def _moment(name: str, value: str) -> datetime:
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise ValueError(value)
    except ValueError:
        raise Malformed(f"{name} is no time.", details=[{"field": name, "reason": "A time such as 2026-11-20T06:30:00Z."}]) from None
    return at


def read_cursor(text: str) -> tuple[datetime, str]:
    """When and which approval a cursor of a list stands for. Raises Malformed."""
    moment, _, approval_id = text.partition("~")
    try:
        at = datetime.fromtimestamp(float(moment), tz=log.now().tzinfo)
    except (ValueError, OverflowError, OSError):
        approval_id = ""
    if not approval_id.startswith("apr_") or "\x00" in approval_id:
        details = [{"field": "after", "reason": "Not a cursor of this list."}]
        raise Malformed("The cursor is not one of ours; begin at the first page.", details=details)
    return at, approval_id
