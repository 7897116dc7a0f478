"""What lists of runs are filtered by: names and values as they stand in addresses, as conditions of the database."""

from collections.abc import Mapping
from typing import Any, get_args

import sqlalchemy as sa

from console.core.errors import Malformed
from console.core.list_addresses import moment_of, one_of, require_known
from console.core.run import FINAL
from console.core.run.origin import MODES, StartKind
from console.infra.db import tables

MOMENTS = frozenset(
    f"{name}.{how}" for name in ("created_at", "started", "ended") for how in ("gt", "gte", "lt", "lte")
)
FILTERS = MOMENTS | {
    "workflow",
    "status",
    "collection",
    "record",
    "user",
    "team",
    "trigger",
    "mode",
    "version",
    "id",
    "error",
    "live",
    "rerun_of",
    "parts",
    "test",
}
"""`started` is another name for `created_at`, `ended` is of runs that have ended, `test` 0 leaves out tests, `error` the code of what made a run fail, `id` the whole id of a run; `parts` 0 leaves out items of loops and branches. Several of `status`, with commas between them, are one or the other."""
TRIGGERS: tuple[str, ...] = get_args(StartKind)
"""Kinds of triggers."""
STATUSES = FINAL | {"running", "waiting_person", "waiting_time", "waiting_event", "saved"}
LARGEST = 2**31


def conditions(filters: Mapping[str, str]) -> list[Any]:
    """A condition on `console.run` for each filter. Raises Malformed for an unknown filter or value."""
    require_known(filters, FILTERS)
    return [_condition(name, value) for name, value in filters.items()]


def is_whole() -> Any:
    """A run that is no part of another one, as the items of a loop and the branches of a parallel step are."""
    return tables.run.c.fork.is_(None)


def _condition(name: str, value: str) -> Any:
    run = tables.run.c
    match name:
        case "workflow":
            by_slug = sa.select(tables.workflow.c.id).where(tables.workflow.c.slug == value)
            return sa.or_(run.workflow == value, run.workflow.in_(by_slug))
        case "status":
            return run.status.in_([one_of(name, each, sorted(STATUSES)) for each in value.split(",")])
        case "trigger":
            return run.trigger == value if value in TRIGGERS else run.origin["id"].astext == value
        case "mode":
            return run.mode == one_of(name, value, MODES)
        case "collection" | "record" | "team" | "id":
            return run[name] == value
        case "rerun_of":
            return run.linked_to == value
        case "user":
            return sa.or_(run.started_by == value, run.holder == value)
        case "version":
            if not (value.isascii() and value.isdigit() and 0 < int(value[:11]) < LARGEST):
                raise Malformed(f"{value} is no version.", at=(name, "The number of a version, such as 3."))
            return run.version == int(value)
        case "live":
            return (
                run.ended_at.is_(None)
                if one_of(name, value, ("0", "1")) == "1"
                else run.ended_at.is_not(None)
            )
        case "parts":
            return is_whole() if one_of(name, value, ("0", "1")) == "0" else sa.true()
        case "test":
            return run.test if one_of(name, value, ("0", "1")) == "1" else ~run.test
        case "error":
            return run.id.in_(sa.select(tables.failure.c.run).where(tables.failure.c.code == value))
    return _compare(run.ended_at if name.startswith("ended.") else run.created_at, name, value)


def _compare(column: Any, name: str, value: str) -> Any:
    at = moment_of(name, value)
    return {"gt": column > at, "gte": column >= at, "lt": column < at, "lte": column <= at}[
        name.rpartition(".")[2]
    ]
