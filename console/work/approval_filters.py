"""Filters and cursors of the lists of approvals, as they come from an address."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from console.core.list_addresses import cursor_of, from_seconds, moment_of, one_of, require_known
from console.infra.db import tables

STATUSES = ("open", "approved", "rejected", "void", "expired")
FILTERS = frozenset({"status", "run", "action", "requester", "team", "created_at.gte", "created_at.lt"})


def filter_conditions(filters: Mapping[str, str]) -> list[sa.ColumnElement[bool]]:
    """The conditions on `approval` of filters of the address. Raises Malformed naming the filter that is unknown or cannot be read."""
    asked_for = tables.approval.c
    require_known(filters, FILTERS)
    wanted: list[sa.ColumnElement[bool]] = []
    for name, value in filters.items():
        match name:
            case "status":
                wanted.append(asked_for.status == one_of(name, value, STATUSES))
            case "requester":
                wanted.append(asked_for.requested_by == value)
            case "created_at.gte":
                wanted.append(asked_for.requested_at >= moment_of(name, value))
            case "created_at.lt":
                wanted.append(asked_for.requested_at < moment_of(name, value))
            case _:
                wanted.append(asked_for[name] == value)
    return wanted


def read_cursor(text: str) -> tuple[datetime, str]:
    """When and which approval a cursor of a list stands for. Raises Malformed."""
    return cursor_of(text, "apr_", from_seconds)
