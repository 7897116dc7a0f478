"""Starting a workflow on many records of a list: one run for each, which waits for whoever takes it and not for who began them all."""

from dataclasses import dataclass

from console import access, inboxes, runs, workflows
from console.actions import one_record
from console.core.actor import Actor
from console.db.engine import fetch
from console.runs.showing.lists import RunHead, head
from console.workflows import Definition

PREFIX = "start:"
MOST = 200
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
    """Workflows that the actor may start on several records of the collection at once, by title."""
    of_actions = one_record.made_of_actions()
    startable = [
        definition
        for definition in workflows.startable(actor, collection_id)
        if definition.slug not in of_actions and definition.document.run_as is None
    ]
    return [BulkStart(definition, inboxes.title_of(inbox) if (inbox := _inbox(definition)) else "") for definition in startable]


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
    runs.escalate(actor, run_id, revision=None, inbox=inbox, reason="Started together with others from a list.")
    return f"In {inboxes.title_of(inbox)}"


def _inbox(definition: Definition) -> str | None:
    """The inbox in which the workflow's runs wait, if it is one of its team's."""
    wanted, team = definition.document.settings.inbox, definition.document.team or ""
    return wanted if wanted and any(inbox.id == wanted for inbox in inboxes.used_by(team)) else None
