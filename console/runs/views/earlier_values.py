"""Earlier findings for fields that a step judges again: displayed as 'last time', never as the new answer."""

from collections.abc import Iterator, Mapping
from typing import Any

from console.core.documents.fields import judged_of
from console.core.forms import is_empty
from console.records import Record
from console.runs.engine.stepping import OpenStep
from console.steps.base import Context

MOST = 3


def last_time(
    open_step: OpenStep, context: Context, record: Record | None
) -> dict[str, list[dict[str, Any]]]:
    """Field of the step's form → its values in the shown records: `{"collection", "name", "value", "title"}`, the run's record first, then `{"more"}`."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name in judged_of(open_step.view.config) - set(context.forms):
        findings = [
            finding for finding in _earlier_findings(name, context, record) if not is_empty(finding["value"])
        ]
        if findings:
            found[name] = findings[:MOST]
            if len(findings) > MOST:
                found[name].append({"more": len(findings) - MOST})
    return found


def _earlier_findings(name: str, context: Context, record: Record | None) -> Iterator[dict[str, Any]]:
    if record is not None and name in record.values:
        yield _finding(record.collection, name, record.values, "")
    for rows in context.reads.values():
        for row in rows.rows:
            if rows.collection and name in row["values"]:
                yield _finding(rows.collection, name, row["values"], str(row.get("title") or ""))


def _finding(collection: str, name: str, values: Mapping[str, Any], title: str) -> dict[str, Any]:
    return {"collection": collection, "name": name, "value": values[name], "title": title}
