"""Workflows whose runs are for records in some segments alone: which records they take."""

from collections.abc import Mapping, Sequence

from console import records
from console.browse import segment_members
from console.core.actor import Actor
from console.core.documents.workflow import Workflow
from console.core.errors import Conflict
from console.workflows import Definition

OUTSIDE = "outside_segments"


def only_words(document: Workflow) -> str:
    """For which records it is, in words; empty where it is for all."""
    if document.collection is None or not document.settings.only_in:
        return ""
    found = records.collection(document.collection)
    labels = [
        segment.label if (segment := found.segment(each)) is not None else each
        for each in document.settings.only_in
    ]
    return f"only for records in {' or '.join(filter(None, [', '.join(labels[:-1]), labels[-1]]))}"


def outside(actor: Actor, document: Workflow, keys: Sequence[str]) -> dict[str, str]:
    """Key → why no run may be about this record, of those outside of the workflow's segments as the actor sees them; one statement. Raises SourceDown."""
    wanted = document.settings.only_in
    if document.collection is None or not wanted or not keys:
        return {}
    inside = segment_members.segments_of(actor, document.collection, keys, wanted)
    words = f"This workflow is {only_words(document)}."
    return {key: words for key in keys if not inside.get(key)}


def require_inside(actor: Actor, document: Workflow, key: str | None) -> None:
    """Raise Conflict `outside_segments` for a record that the workflow is not for."""
    if key is not None and (why := outside(actor, document, [key])):
        raise Conflict(why[key], code=OUTSIDE)


def taking(
    actor: Actor, definitions: Sequence[Definition], collection_id: str, key: str | None
) -> list[Definition]:
    """Those that may be about the record, in their order; one statement at most. Raises SourceDown."""
    wanted = {segment for each in definitions for segment in each.document.settings.only_in}
    inside: Mapping[str, set[str]] = (
        segment_members.segments_of(actor, collection_id, [key], wanted) if wanted and key is not None else {}
    )
    return [
        each
        for each in definitions
        if not (only := each.document.settings.only_in) or inside.get(key or "", set()) & set(only)
    ]
