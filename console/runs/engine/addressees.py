"""Addressees of a step's tasks, notices and questions: persons by name, role or team. Only people who may see the run are included."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from console import workflows
from console.auth import access, accounts
from console.browse import tags
from console.core.actor import Actor
from console.core.errors import Invalid, NotAllowed, NotFound
from console.core.run import Run
from console.core.run.step_requests import Awaited, SideRow
from console.core.tag_names import identity
from console.infra import subjects
from console.infra.db.engine import fetch
from console.infra.db.ids import new_id
from console.runs.engine.missing_records import is_deleted
from console.runs.engine.stepping import record_of, run_facts
from console.steps.base import (
    Completion,
    MessageWanted,
    NoticeWanted,
    People,
    Question,
    TagWanted,
    TaskWanted,
)

MOST = 200
_MEMBERS = """
select p.id from console.person_team t join console.person p on p.id = t.person where t.team = %s and p.disabled_at is null and p.kind = 'person' order by p.id
"""
_MADE = "select 1 from console.task where id = %s and run <> %s"
_PERSONS = "select id from console.person where (id = any(%(named)s) or email = any(%(named)s)) and disabled_at is null order by id"


def resolve_addressees(
    run: Run, completion: Completion, slug: str | None = None
) -> tuple[Sequence[SideRow], Awaited | None]:
    """(side rows, what the step waits for) of a completion. Raises Invalid if nobody who is addressed may see the run.

    `slug`: of its workflow, for a dry run: its version may be a draft, and nothing is written.
    """
    side_rows: list[SideRow] = []
    awaits = completion.awaits
    if completion.notice is not None:
        side_rows.append(_notice(run, completion.notice, slug))
    if completion.task is not None and not _made_before(run, completion.task):
        made = _task(run, completion.task, slug)
        side_rows.append(made)
        awaits = Awaited("task", made.open["task"]) if completion.task.waits else awaits
    if completion.message is not None and completion.approval is None:
        made = message_row(completion.message)
        side_rows.append(made)
        awaits = Awaited("message", made.open["message_id"])
    if (
        completion.tag is not None
        and (changed := _tag(run, completion.tag, written=slug is None)) is not None
    ):
        side_rows.append(changed)
    if completion.question is not None:
        awaits = _question(run, completion.question, slug)
    if awaits is not None and awaits.kind == "documents":
        awaits = replace(awaits, effect=new_id("eff"))
    return side_rows, awaits


def visible_addressees(run: Run, to: People, slug: str | None = None) -> list[str]:
    """Ids of the addressed people who may see the run, each once."""
    people: list[str] = []
    if to.persons:
        people += [
            row[0]
            for row in fetch(
                _PERSONS, {"named": [name.lower() if "@" in name else name for name in to.persons]}
            )
        ]
    for role in to.roles:
        people += sorted(access.holders(role))
    if to.team:
        people += [row[0] for row in fetch(_MEMBERS, (accounts.team_id(to.team),))]
    return [person for person in list(dict.fromkeys(people))[:MOST] if may_see(person, run, slug)]


def may_see(person: str, run: Run, slug: str | None = None) -> bool:
    """Whether the person may see the run with today's rights. `slug`: of its workflow, where that is known."""
    try:
        actor = accounts.actor_of_person(person)
        if actor.service:
            return False
        named = slug or workflows.version(run.workflow, run.version).slug
        if not access.can(actor, run.team, f"workflow:{named}", "see", run=run_facts(run)):
            return False
        if run.label is not None and run.label not in access.clearance(actor):
            return False
        return _sees_record(actor, run)
    except (NotAllowed, NotFound):
        return False


def _sees_record(actor: Actor, run: Run) -> bool:
    try:
        record_of(actor, run)
    except NotFound:  # of a deleted one nobody knows any more in whose scope it was
        return access.scope_for(actor, run.collection or "", "read").unlimited and is_deleted(run)
    return True


def _place(run: Run) -> str:
    """A key of this attempt: the same on every try, so that nobody gets a notice twice."""
    attempt = run.attempt
    return f"{run.id}:{attempt.step}:{attempt.attempt}" if attempt is not None else run.id


def _notice(run: Run, wanted: NoticeWanted, slug: str | None) -> SideRow:
    people = visible_addressees(run, wanted.to, slug)
    channels = ["console", "mail"] if wanted.mail else ["console"]
    return SideRow(
        "notice_sent",
        {
            "notice": _place(run),
            "to": people,
            "channels": channels,
            "count": len(people),
            "effect": new_id("eff"),
        },
        {"text": wanted.text},
    )


def _task(run: Run, wanted: TaskWanted, slug: str | None) -> SideRow:
    assignee = None
    if wanted.assignee is not None:
        people = visible_addressees(run, People(persons=(wanted.assignee,)), slug)
        if not people:
            raise Invalid(
                "The task is for somebody who is not there, or may not see this run. Name another person, or a team.",
                code="no_such_person",
            )
        assignee = people[0]
    team = accounts.team_id(wanted.team) if wanted.team else None
    side_rows = {
        "task": _task_id(run, wanted),
        "assignee": assignee,
        "team": team,
        "due": wanted.due.isoformat() if wanted.due else None,
    }
    side_rows["effect"] = new_id("eff")
    sealed: dict[str, Any] = {"title": wanted.title} | ({"text": wanted.text} if wanted.text else {})
    item = (run.fork or {}).get("item")
    if isinstance(item, Mapping) and run.collection is None and item.get("collection") and item.get("key"):
        sealed["of"] = [
            item["collection"],
            item["key"],
        ]  # the row of the loop that the task is about: its run is about no record
    return SideRow("task_created", side_rows, sealed)


def _task_id(run: Run, wanted: TaskWanted) -> str:
    """A new id, or of a task that is made once always the same one, which says nothing of what it is about."""
    if wanted.once is None or run.attempt is None:
        return new_id("tsk")
    return (
        f"tsk_{subjects.digest(wanted.once.encode(), f'task|{run.workflow}|{run.attempt.step}').hex()[:26]}"
    )


def _made_before(run: Run, wanted: TaskWanted) -> bool:
    """Whether another run has made this task."""
    return wanted.once is not None and bool(fetch(_MADE, (_task_id(run, wanted), run.id)))


def message_row(wanted: MessageWanted) -> SideRow:
    """The event that asks for the message, with new ids."""
    open_data = {
        "message_id": new_id("msg"),
        "channel": wanted.channel,
        "consent": wanted.consent,
        "expires_s": wanted.expires_s,
        "most": wanted.most,
        "again_s": wanted.again_s,
        "about": wanted.about,
        "outcomes": list(wanted.named),
        "effect": new_id("eff"),
    }
    return SideRow("message_asked", open_data, {"content": dict(wanted.content)})


def _tag(run: Run, wanted: TagWanted, *, written: bool) -> SideRow | None:
    """The change of a tag, on the run itself where it is about no record; None where it is so already."""
    if tags.has(*tags.place_of(run), wanted.name) == wanted.added:
        return None
    if wanted.added and written:
        tags.keep_word(wanted.name, run.holder or run.started_by or "")
    return SideRow("tag_added" if wanted.added else "tag_removed", {"tag": identity(wanted.name)}, {})


def _question(run: Run, wanted: Question, slug: str | None) -> Awaited:
    people = visible_addressees(run, wanted.to, slug)
    if len(people) < wanted.needs:
        raise Invalid(
            f"{wanted.needs} answers are needed, and {len(people)} of the people who are asked may see this run.",
            code="nobody_to_ask",
        )
    request: dict[str, Any] = {
        "people": people,
        "needs": wanted.needs,
        "title": wanted.title,
        "text": wanted.text,
        "fields": [field.to_json() for field in wanted.fields],
        "outcomes": [option.to_json() for option in wanted.outcomes],
    }
    return Awaited("answer", new_id("ans"), wanted.until, wanted.otherwise, request)
