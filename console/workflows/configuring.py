"""Changing how runs of a workflow behave, and its house rules, without touching its steps: a new version for the runs that start next."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from console import access
from console.core.actor import Actor
from console.core.documents import json_shape
from console.core.documents.workflow import Settings, Workflow, read
from console.db.engine import transaction
from console.errors import Invalid
from console.workflows.definitions import Entry, changed_body, entry_of, locked_row, note_event, update_row
from console.workflows.draft_edits import record_edit
from console.workflows.known_workflows import _forget
from console.workflows.versions import OBJECT, around, check, put_live, refused, require_account, version

CONFIGURED = (
    "timeout_ms",
    "retries",
    "backoff_ms",
    "on_error",
    "visit_limit",
    "idle_save_minutes",
    "inbox",
    "parallel",
    "per_minute",
    "per_day",
    "hidden_in",
)
"""The settings that this changes."""


def configure(
    actor: Actor, slug_or_id: str, *, settings: Mapping[str, Any] | None = None, variables: Mapping[str, Any] | None = None
) -> Entry:
    """Change settings (None: back to the usual) and plain house rules, in the draft and, as a new version, in the live one; runs that have begun keep theirs.

    What else the draft changes is not published with it. Raises NotFound, NotAllowed, Invalid with a detail per field, DefinitionError.
    """
    given = dict(settings or {})
    _require_known(given)
    with transaction() as connection:
        row = locked_row(connection, actor, slug_or_id, "edit")
        draft = _changed(row.draft, given, variables or {})
        live = None
        if row.live_version is not None:
            access.require(actor, row.team or None, f"{OBJECT}:{row.slug}", "publish")
            live = _with(version(row.id, row.live_version).document.to_json(), given, variables or {})
            problems = check(live.to_json(), around())
            if any(problem.severity == "error" for problem in problems):
                raise refused(row.title, problems)
        after = row
        changed = record_edit(connection, actor, row, row.draft, draft)
        if changed:
            before = changed_body(row)
            after = update_row(connection, row, **changed)
            data = {"before": before, "after": changed_body(after)}
            note_event(actor, "workflow_changed", after, data, connection, ["settings"] if given else ["variables"])
        if live is not None:
            require_account(actor, live)
            number = put_live(connection, actor, after, live)
            after = update_row(connection, after, live_version=number)
    _forget()
    return entry_of(after)


def _require_known(given: Mapping[str, Any]) -> None:
    """Raise Invalid for a setting that is none, or whose value it cannot have."""
    details = [{"field": name, "reason": f"Known: {', '.join(CONFIGURED)}."} for name in given if name not in CONFIGURED]
    try:
        Settings.model_validate({name: value for name, value in given.items() if value is not None and name in CONFIGURED})
    except ValidationError as wrong:
        details += [{"field": str(each["loc"][0]), "reason": json_shape.reason(each, Settings)} for each in wrong.errors()]
    if details:
        raise Invalid("The configuration was not saved.", details=details)


def _with(document: Mapping[str, Any], settings: Mapping[str, Any], variables: Mapping[str, Any]) -> Workflow:
    """The document with these settings and house rules."""
    return read(_changed(document, settings, variables))


def _changed(document: Mapping[str, Any], settings: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a draft with these settings and house rules. The draft may be unfinished."""
    kept = {name: value for name, value in {**(document.get("settings") or {}), **settings}.items() if value is not None}
    rules = {**(document.get("variables") or {}), **variables}
    changed = {**document, "settings": kept, "variables": rules}
    if not rules:
        changed.pop("variables")
    return changed
