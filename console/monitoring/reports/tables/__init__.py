"""Reports as tables: one file each in this folder, found by itself. A page, a CSV file and an entry of the list of reports come of it."""

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType

from console.core.actor import Actor
from console.core.errors import NotFound
from console.monitoring.reports.tables.base import (
    WINDOWS,
    Cell,
    Column,
    Given,
    Link,
    PeriodReport,
    TableReport,
)


@functools.cache
def all_reports() -> Mapping[str, TableReport]:
    """Every report by its name, the file's with - for _. Raises TypeError for a file that does not hold one subclass of TableReport."""
    found: dict[str, TableReport] = {}
    for name in sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != "base"):
        module = importlib.import_module(f"{__name__}.{name}")
        members = [
            member
            for _, member in inspect.getmembers(module, inspect.isclass)
            if member.__module__ == module.__name__
        ]
        made = [member for member in members if issubclass(member, TableReport)]
        if len(made) != 1:
            raise TypeError(
                f"{module.__name__} holds {len(made)} subclasses of TableReport; a report's file holds one."
            )
        found[name.replace("_", "-")] = made[0]()
    return MappingProxyType(found)


def readable(actor: Actor) -> dict[str, TableReport]:
    """The reports that the actor may read, by their names."""
    return {name: report for name, report in all_reports().items() if report.may_read(actor)}


def any_readable(actor: Actor) -> bool:
    """Whether the actor may read any report. Each page asks it, so it stops at the first."""
    return any(report.may_read(actor) for report in all_reports().values())


def get(actor: Actor, name: str) -> TableReport:
    """The report of this name. Raises NotFound for one that is not there, and in the same words for one that the actor may not read."""
    report = readable(actor).get(name)
    if report is None:
        raise NotFound("There is no such report, or you may not read it.")
    return report
