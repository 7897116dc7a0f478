"""The first workflow on a new collection: a small guided review, published and started on a record."""

import re
from typing import Any

from console import browse, records, runs, workflows
from console.auth import access
from console.browse import BrowseQuery
from console.core.actor import Actor
from console.core.documents.collections import SHOWN_ONLY, Collection
from console.core.errors import ConsoleError, NotFound
from console.core.plain_words import slug, uncapitalised

SHOWN = 8
CHANGED = 3
EDITED = frozenset(
    {"text", "long_text", "email", "phone", "url", "enum", "integer", "decimal", "money", "date", "boolean"}
)
STARTED = ("see", "start", "resume")


def first_review(collection_id: str, team: str | None) -> dict[str, Any]:
    """The small review of a record for somebody who begins a workflow of it by hand: it corrects where some role may change the records. Raises NotFound."""
    made = document(records.collection(collection_id), team, corrects=_may_change(None, collection_id))
    return made | {
        "description": "Look at a record, say whether it is right, and put it right or say what is wrong."
    }


def document(collection: Collection, team: str | None, *, corrects: bool = True) -> dict[str, Any]:
    """A review of one record: look at it and confirm it, or else correct it (if `corrects`) or say what is wrong."""
    columns = [field for name in collection.columns if (field := collection.field(name)) is not None]
    shown = [field.name for field in columns if not field.sensitive and field.type not in SHOWN_ONLY][:SHOWN]
    changed = [
        field.name
        for field in collection.fields
        if corrects
        and field.type in EDITED
        and not (
            field.readonly
            or field.sensitive
            or field.hidden
            or field.references
            or re.search(r"(^|_)(id|uuid|key|created|updated|hash|token|version)(_|$)", field.name.lower())
        )
    ][:CHANGED]
    what = uncapitalised(collection.label_one)
    note = {"name": "note", "label": "What was wrong", "type": "long_text", "required": True}
    steps: list[dict[str, Any]] = [
        _step("start", "start", "Start", {}, default="load"),
        _step("load", "get_data", f"Read the {what}", {"fields": shown}, default="look")
        | {"completion": "automatic"},
        _step(
            "look",
            "decision",
            f"Is this {what} right?",
            {
                "options": [
                    {"value": "right", "label": "It is right"},
                    {"value": "wrong", "label": "Something is wrong"},
                ]
            },
            right="end",
            wrong="correct",
        ),
        _step(
            "correct",
            "update_data",
            "Put it right" if changed else "Say what is wrong",
            {"fields": changed, "form": [note]},
            default="end",
        ),
        _step("end", "end", "Done", {"label": "Reviewed"}),
    ]
    if not shown:
        steps[0]["next"], steps[1:2] = {"default": "look"}, []
    return {
        "format": 1,
        "slug": slug_of(collection),
        "title": f"Review {_a(what) if collection.label_one != collection.label else f'a record of {collection.label}'}"[
            :200
        ],
        "description": f"Made when {collection.source} was connected: a first workflow, to be changed or thrown away.",
        "collection": collection.id,
        "team": team,
        "roles": [],
        "steps": steps,
    }


def slug_of(collection: Collection) -> str:
    """The name of the workflow: lower-case letters, digits and hyphens, at most 60."""
    return f"review-{slug(f'{collection.source}-{collection.table}')}"[:60].rstrip("-")


def begin(actor: Actor, collection_id: str, role: str, team: str | None) -> tuple[str, str | None, str]:
    """(slug, run, why not) of the first workflow: created, published, startable by the role, and started on the first record if the actor may.

    The run is None where it was not started. Raises NotAllowed, NotFound, DefinitionError.
    """
    access.require(actor, None, "source", "manage")
    collection = records.collection(collection_id)
    made = document(collection, team, corrects=_may_change(role, collection_id))
    known = next((workflow for workflow in workflows.all_known() if workflow.slug == made["slug"]), None)
    if known is None or known.live is None:
        access.grant(role, f"workflow:{made['slug']}", STARTED)
        workflows.import_file(made, actor, publish=True, judged=True)
    try:
        rows = browse.page(actor, collection_id, BrowseQuery(limit=1)).rows
        if not rows:
            return made["slug"], None, f"There is no record in {collection.label} yet."
        return made["slug"], runs.start(actor, made["slug"], collection_id, rows[0].key, {}), ""
    except NotFound:
        return made["slug"], None, f"You may not see {collection.label}."
    except ConsoleError as error:
        return made["slug"], None, error.words


def _may_change(role: str | None, collection_id: str) -> bool:
    """Whether the role itself (None: any) may change records: a step that nobody may complete would stop every run."""
    rows = [
        row
        for row in access.all_rows()
        if row.sub == f"role:{role}" or (role is None and row.sub.startswith("role:"))
    ]
    return any(
        (row.obj, row.act, row.eft) == (f"collection:{collection_id}", "update", "allow") for row in rows
    )


def _a(what: str) -> str:
    return f"an {what}" if what[:1] in "aeio" else f"a {what}"


def _step(name: str, kind: str, title: str, config: dict[str, Any], **following: str) -> dict[str, Any]:
    return {"id": name, "type": kind, "title": title[:200], "config": config, "next": following}
