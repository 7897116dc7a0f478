"""The bar over records that are ticked, in a list or in a workspace: what can be done with several of them, and the way back."""

from typing import Any

from console.actions import bulk, bulk_starts, many_changes
from console.contacts import tags
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.views import enrolled
from console.views.run import workspace_return


def offered(actor: Actor, collection: Collection) -> dict[str, Any]:
    """Return what the reader may do with several records: `actions`, whether they `may_tag` them, and whether rows can be ticked (`choose`)."""
    several: list[Any] = [
        *bulk.offered(actor, collection.id),
        *bulk_starts.offered(actor, collection.id),
        *enrolled.offered(actor, collection.id),
        *many_changes.offered(actor, collection),
    ]
    may_tag = tags.may_tag(actor, collection.id) and bool(collection.key)
    return {"actions": [(each.id, each.title) for each in several], "may_tag": may_tag, "choose": bool(several) or may_tag}


def back(listed: str, label: str) -> dict[str, Any]:
    """Return where records were ticked: a workspace, as it was then, else the list at this address. `kept_from` goes into the form."""
    found = workspace_return.titled(workspace_return.came_from())
    title, address = found or (label, listed)
    return {"back": address, "back_title": title, "kept_from": [(workspace_return.FROM, address)] if found else []}
