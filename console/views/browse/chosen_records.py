"""The bar over records that are ticked, in a list or in a workspace: what can be done with several of them, and the way back."""

from collections.abc import Mapping
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict

from console.actions import bulk, bulk_starts, many_changes
from console.browse import BrowseQuery, tags
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.views import frame
from console.views.automation import enrolled
from console.views.runs import workspace_return

LIST_OF = ("segment", "filter", "q", "sort", "extended", "inside")
"""Parameters of the address that say which records a list holds, and in which order."""


def list_query(form: Mapping[str, str]) -> BrowseQuery:
    """Return the list from which the records were chosen."""
    segment, where, words, sort = (form.get(name) or None for name in ("segment", "filter", "q", "sort"))
    return BrowseQuery(
        segment, where, words, sort, extended=form.get("extended") == "1", inside=form.get("inside") == "1"
    )


def keys(actor: Actor, form: MultiDict[str, str]) -> list[str]:
    """Return the keys of the records that were ticked, or with `again` of those to which something that was begun was not done. Raises NotFound."""
    return bulk.keys_left(actor, form["again"]) if form.get("again") else form.getlist("key")


def choice_fields(form: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what a form repeats of how the records were chosen, beside their keys."""
    return [
        (name, form[name])
        for name in (*LIST_OF, "all", "first", "again")
        if form.get(name) or (name == "segment" and name in form)
    ]


def offered(actor: Actor, collection: Collection) -> dict[str, Any]:
    """Return what the reader may do with several records: `actions`, whether they `may_tag` them, and whether rows can be ticked (`choose`)."""
    several: list[Any] = [
        *bulk.offered(actor, collection.id),
        *bulk_starts.offered(actor, collection.id),
        *enrolled.offered(actor, collection.id),
        *many_changes.offered(actor, collection),
    ]
    may_tag = tags.may_tag(actor, collection.id) and bool(collection.key)
    return {
        "actions": [(each.id, each.title) for each in several],
        "may_tag": may_tag,
        "choose": bool(several) or may_tag,
    }


def return_url(collection: str, label: str) -> dict[str, Any]:
    """Return where records were ticked: a workspace, as it was then, else the list with its filter. `kept_from` goes into the form."""
    came = workspace_return.came_from() or workspace_return.list_of(request.values.get("again", ""))
    listed = {
        name: request.values[name] for name in LIST_OF if name in request.values
    }  # an empty segment is All, none the usual one
    before = came if came.startswith(workspace_return.LIST) else frame.collection_url(collection, **listed)
    title, address = workspace_return.titled(came) or (label, before)
    return {"back": address, "back_title": title, "kept_from": [(workspace_return.FROM, address)]}
