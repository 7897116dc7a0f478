"""Errors in `report` of a workflow: the clearance, the record it creates, and its texts."""

from collections.abc import Collection as Many, Mapping
from typing import Any

from console.core.documents.fields import Located
from console.core.documents.references import Known, suggestion, wrong_references
from console.core.documents.workflow_sketch import Problem

REPORTED = frozenset({"receipt", "reported_on"})
"""Input of a reported run besides the form's fields."""


def problems(raw: Mapping[str, Any], asked: frozenset[str] | None, collections: Mapping[str, Any] | None) -> list[Problem]:
    """All errors in `report`; [] without one. `asked` are the fields of the start, None: unknown."""
    told = raw.get("report")
    if not isinstance(told, dict):
        return []
    found = []
    if not raw.get("clearance"):
        found.append(Problem(None, "clearance", "What is reported needs a clearance, such as confidential."))
    if raw.get("collection") is None:
        found.append(Problem(None, "collection", "A report makes a record that the run is about: name its collection."))
    source, target, values = told.get("collection"), raw.get("collection"), told.get("values")
    if collections is not None and isinstance(source, str) and source not in collections:
        found.append(Problem(None, "report.collection", f"There is no collection {source}{suggestion(source, collections)}"))
    known = Known({}, frozenset(), frozenset(), {}, asked, source if isinstance(source, str) else None, collections)
    for name, text in values.items() if isinstance(values, dict) else ():
        place = f"report.values.{name}"
        fields = _fields(collections, target)
        if fields is not None and name not in fields:
            found.append(Problem(None, place, f"{target} has no field {name}{suggestion(name, fields)}"))
        if isinstance(text, str):
            wrong = wrong_references(Located(place, text), template="{{" in text, known=known)
            found += [Problem(None, place, reason) for reason in wrong]
    return found


def _fields(collections: Mapping[str, Any] | None, name: Any) -> Many[str] | None:
    found = collections.get(name) if collections is not None and isinstance(name, str) else None
    return None if found is None else [each.name for each in found.fields]
