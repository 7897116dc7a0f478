"""Errors in `report` of a workflow: the clearance, the record it creates, and its texts."""

from collections.abc import Collection as Many, Mapping
from dataclasses import replace
from typing import Any

from console.core.documents.fields import Located
from console.core.documents.references import Known, suggestion, wrong_references
from console.core.documents.workflow_sketch import Problem

REPORTED = frozenset({"receipt", "reported_on"})
"""Input of a reported run besides the form's fields."""


def problems(raw: Mapping[str, Any], house: Known) -> list[Problem]:
    """All errors in `report`; [] without one. `house`: what every expression of the workflow knows."""
    report, collections = raw.get("report"), house.collections
    if not isinstance(report, dict):
        return []
    problems_found = []
    if not raw.get("clearance"):
        problems_found.append(
            Problem(None, "clearance", "What is reported needs a clearance, such as confidential.")
        )
    if raw.get("collection") is None:
        problems_found.append(
            Problem(None, "collection", "A report makes a record that the run is about: name its collection.")
        )
    source, target, values = report.get("collection"), raw.get("collection"), report.get("values")
    if collections is not None and isinstance(source, str) and source not in collections:
        problems_found.append(
            Problem(
                None, "report.collection", f"There is no collection {source}{suggestion(source, collections)}"
            )
        )
    names_known = replace(
        house, variables=frozenset(), tables={}, collection=source if isinstance(source, str) else None
    )
    for name, text in values.items() if isinstance(values, dict) else ():
        place = f"report.values.{name}"
        fields = _fields(collections, target)
        if fields is not None and name not in fields:
            problems_found.append(
                Problem(None, place, f"{target} has no field {name}{suggestion(name, fields)}")
            )
        if isinstance(text, str):
            wrong = wrong_references(Located(place, text), template="{{" in text, known=names_known)
            problems_found += [Problem(None, place, reason) for reason in wrong]
    return problems_found


def _fields(collections: Mapping[str, Any] | None, name: Any) -> Many[str] | None:
    collection = collections.get(name) if collections is not None and isinstance(name, str) else None
    return None if collection is None else [each.name for each in collection.fields]
