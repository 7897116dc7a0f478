"""Fields that workflows govern: only a run of one of these workflows writes them, whoever asks."""

from collections.abc import Iterable, Mapping
from typing import Any

from console.core.documents.collections import Field
from console.infra.db.engine import fetch

BY_HAND = None
"""Instead of a workflow: a person, a program or an import writes the record directly."""


def refused(fields: Iterable[Field], workflow: str | None) -> list[dict[str, Any]]:
    """A detail `{"field", "reason"}` for each of the fields that this workflow (its id; None: by hand) does not govern, but another does."""
    held = [field for field in fields if field.governed]
    if not held:
        return []
    own = slug_of(workflow) if workflow is not None else None
    return [{"field": field.name, "reason": reason(field)} for field in held if own not in field.governed]


def reason(field: Field, by: str = "") -> str:
    """Why the field cannot be changed here. `by` names its workflows, where the reader may know of them."""
    return f"{field.label} is changed by {by or 'a workflow'} alone: start it on the record."


def slug_of(workflow: str) -> str:
    """Return the slug of the workflow with this id; one that is tried before it is stored has its slug as id."""
    rows = fetch("select slug from console.workflow where id = %s", (workflow,))
    return str(rows[0][0]) if rows else workflow


def titles(slugs: Iterable[str]) -> Mapping[str, str]:
    """Slug → title, of the workflows that there are."""
    wanted = sorted(set(slugs))
    return (
        dict(fetch("select slug, title from console.workflow where slug = any(%s)", (wanted,)))
        if wanted
        else {}
    )
