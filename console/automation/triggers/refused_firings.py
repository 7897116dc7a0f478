"""Firings that start nothing: why, in words; and those that are passed by without one."""

from console.core.errors import Conflict, ConsoleError
from console.formats import label_of
from console.infra.db.engine import fetch

_PASSED = """
with gone as (delete from console.firing f where f.id = %s and f.status = 'waiting' returning f.workflow, f.trigger)
update console.trigger t set matched = t.matched - 1, passed = t.passed + 1 from gone where t.workflow = gone.workflow and t.id = gone.trigger returning 1
"""
"""What is about a record outside of the workflow's segments is counted with what the filter did not let pass: most events of a table may be."""


def pass_by(firing: str) -> None:
    """Forget the firing, and count it among those that were not let pass."""
    fetch(_PASSED, (firing,))


def words_of(error: ConsoleError) -> str:
    """Why nothing was started, with the fields that are wrong."""
    named = [
        (str(detail["field"]), detail["reason"])
        for detail in error.details[:5]
        if "field" in detail and "reason" in detail
    ]
    of_input = bool(named) and all(name.startswith("input.") for name, _ in named)
    fields = " ".join(
        f"{label_of(name.removeprefix('input.')) if of_input else name}: {str(reason).removesuffix('.')}."
        for name, reason in named
    )
    message = "The input is wrong." if of_input else error.message
    run_id = error.extra.get("run_id") if isinstance(error, Conflict) else None
    return " ".join(filter(None, (message, fields, f"({run_id})" if run_id else "")))[:1000]
