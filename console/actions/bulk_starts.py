"""Starting a workflow on many records of a list: one run for each, which waits for whoever takes it and not for who began them all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console import runs, workflows
from console.actions import one_record
from console.actions.many_changes import Looked
from console.auth import access
from console.core.actor import Actor
from console.core.errors import ConsoleError, SourceDown
from console.infra import subjects
from console.infra.db.engine import fetch
from console.runs.views.lists import RunHead, head
from console.workflows import Definition, inboxes

PREFIX = "start:"
MOST, MOST_LATER = 200, 10_000
"""Records that are judged while somebody waits for the page; and those of a longer list, which a worker looks at first."""
_NEXT = f"""
select r.id from {access.EVERY_RUN.sql()} join console.bulk_item n on n.run = r.id join console.bulk_item i on i.bulk = n.bulk
join console.bulk b on b.id = n.bulk
where b.person = %s and b.action like 'start:%%' and b.collection = %s and i.run = %s and n.number <> i.number and r.status = 'saved'
order by n.number < i.number, n.number limit 1
"""  # noqa: S608 (a text of ours)


@dataclass(frozen=True, slots=True)
class BulkStart:
    """A workflow that can be started on several records. `inbox` is the title of the one in which its runs wait, "" for none."""

    definition: Definition
    inbox: str
    most: int = MOST
    later: int = MOST_LATER

    @property
    def slug(self) -> str:
        """The workflow's slug."""
        return self.definition.slug

    @property
    def id(self) -> str:
        """What is started, beside the ids of actions."""
        return PREFIX + self.slug

    @property
    def title(self) -> str:
        """What the list offers."""
        return f"Start {self.definition.title}"

    @property
    def button(self) -> str:
        """The word on the button."""
        return "Start"


def slug_of(action: str) -> str | None:
    """The slug of the workflow that is started; None for the id of an action."""
    return action.removeprefix(PREFIX) if action.startswith(PREFIX) else None


def offered(actor: Actor, collection_id: str) -> list[BulkStart]:
    """Workflows that the actor may start on several records of the collection at once, in the order of the list of workflows."""
    of_actions = one_record.made_of_actions()
    startable = [
        definition
        for definition in workflows.startable(actor, collection_id, "list")
        if definition.slug not in of_actions and definition.document.run_as is None
    ]
    return [
        BulkStart(definition, inboxes.title_of(inbox) if (inbox := _inbox(definition)) else "")
        for definition in startable
    ]


def fingerprint(collection_id: str, key: str) -> str:
    """What stands for a record on which it was found that the workflow can be started; nothing of the record is in it."""
    return subjects.digest(key.encode(), f"{collection_id} chosen").hex()[: one_record.SEEN]


def refused(actor: Actor, slug: str, collection_id: str, key: str, values: Mapping[str, Any]) -> str:
    """Why the workflow cannot be started on the record with these values, "" if it can; nothing is started. Raises SourceDown."""
    try:
        runs.try_start(actor, slug, collection_id, key, values)
    except SourceDown:
        raise
    except ConsoleError as error:
        return (
            " ".join(str(detail["reason"]) for detail in error.details if detail.get("reason")) or error.words
        )
    return ""


def preview_starts(
    actor: Actor, slug: str, collection_id: str, keys: Sequence[str], values: Mapping[str, Any]
) -> dict[str, Looked]:
    """Key → whether the workflow could be started on the record now. Raises SourceDown."""
    told = {key: refused(actor, slug, collection_id, key, values) for key in keys}
    return {
        key: Looked(why=why) if why else Looked(seen=fingerprint(collection_id, key))
        for key, why in told.items()
    }


def next_chosen(actor: Actor, run_id: str, collection: str | None) -> RunHead | None:
    """The next run to continue of those that the actor started together with this one; None without one."""
    found = fetch(_NEXT, (actor.id, collection, run_id)) if collection else []
    return head(actor, found[0][0]) if found else None


def lay_down(actor: Actor, run_id: str) -> str:
    """Hand a run that was just started to its workflow's inbox, or save it; where it waits, in words. One that waits for nobody is left alone."""
    run = runs.get(actor, run_id).json
    if run["status"] != "waiting_person" or run["holder"] is None:
        return ""
    inbox = _inbox(workflows.live(run["workflow"]["slug"]))
    if inbox is None:
        runs.save(actor, run_id, revision=None)
        return "To Continue"
    runs.escalate(
        actor, run_id, revision=None, inbox=inbox, reason="Started together with others from a list."
    )
    return f"In {inboxes.title_of(inbox)}"


def _inbox(definition: Definition) -> str | None:
    """The inbox in which the workflow's runs wait, if it is one of its team's."""
    wanted, team = definition.document.settings.inbox, definition.document.team or ""
    return wanted if wanted and any(inbox.id == wanted for inbox in inboxes.used_by(team)) else None
