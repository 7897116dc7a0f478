"""Sentences of events about people who come into a workflow and leave it, and of contacts that come from a file."""

from collections.abc import Callable, Mapping

from console.formats.sentences.sentence_parts import Parts, escape_braces


def _lead_left(parts: Parts) -> str:
    whom = escape_braces(parts.enrolled())
    if parts.text("ending") == "unenrolled":
        return f"{{who}} took {whom or 'somebody'} out of {{workflow}}"
    return f"{escape_braces(parts.enrolled(first=True)) or 'Somebody'} left {{workflow}} before its end"


def _lead_enrolled(parts: Parts) -> str:
    return f"{{who}} enrolled {escape_braces(parts.enrolled()) or 'somebody'} in {{workflow}}"


def _leads_taken_out(parts: Parts) -> str:
    total = parts.open.get("total")
    return "{who} took " + (f"{total:,}" if isinstance(total, int) else "many") + " out of {workflow}"


def _file_imported(parts: Parts) -> str:
    total = parts.open.get("total")
    return "{who} imported a file of " + (f"{total:,} lines" if isinstance(total, int) else "records")


def _records_changed(parts: Parts) -> str:
    total = parts.open.get("total")
    deed = "delete" if parts.text("effect") == "deleted" else "change"
    deed = "take an import back, and delete" if parts.open.get("import") else deed
    return f"{{who}} began to {deed} " + (
        f"{total:,} records at once" if isinstance(total, int) else "many records at once"
    )


ENROLMENTS: Mapping[str, str | Callable[[Parts], str]] = {
    "lead_enrolled": _lead_enrolled,
    "lead_left": _lead_left,
    "leads_taken_out": _leads_taken_out,
    "contacts_imported": _file_imported,
    "records_imported": _file_imported,
    "records_changed": _records_changed,
}
"""Kind → template, or the function that makes one."""
