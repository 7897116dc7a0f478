"""Sentences of events about people who come into a workflow and leave it, and of contacts that come from a file."""

from collections.abc import Callable, Mapping

from console.sentences.sentence_parts import Parts


def _lead_left(parts: Parts) -> str:
    if parts.text("ending") == "unenrolled":
        return "{who} took somebody out of {workflow}{on_record}"
    return "Somebody left {workflow} before its end{on_record}"


def _leads_taken_out(parts: Parts) -> str:
    total = parts.open.get("total")
    return "{who} took " + (f"{total:,}" if isinstance(total, int) else "many") + " out of {workflow}"


def _file_imported(parts: Parts) -> str:
    total = parts.open.get("total")
    return "{who} imported a file of " + (f"{total:,} lines" if isinstance(total, int) else "records")


def _records_changed(parts: Parts) -> str:
    total = parts.open.get("total")
    deed = "delete" if parts.text("effect") == "deleted" else "change"
    return f"{{who}} began to {deed} " + (f"{total:,} records at once" if isinstance(total, int) else "many records at once")


ENROLMENTS: Mapping[str, str | Callable[[Parts], str]] = {
    "lead_enrolled": "{who} enrolled somebody in {workflow}{on_record}",
    "lead_left": _lead_left,
    "leads_taken_out": _leads_taken_out,
    "contacts_imported": _file_imported,
    "records_imported": _file_imported,
    "records_changed": _records_changed,
}
"""Kind → template, or the function that makes one."""
