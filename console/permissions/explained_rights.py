"""What somebody may do with one record or run, and why not: a list of points that the person may see.

Things they may not know of are left out: a workflow of another team, a hidden field, a record out of scope.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console import actions, browse, records, runs, workflows
from console.auth import access, accounts
from console.core import expressions
from console.core.actor import Actor
from console.core.documents.action_document import Action
from console.core.errors import NotAllowed
from console.permissions.right_requests import Reason, why_not
from console.runs.commands.run_rights import (
    Seen,
    holder_idle_s,
    lacking_right,
    possible_commands,
    require_may_work_in,
    see,
)
from console.runs.engine.stepping import run_facts
from console.steps.effects import action_cache

COMMANDS = (
    ("complete", "resume", "Do the step that it stands at"),
    ("resume", "resume", "Continue it"),
    ("take_over", "takeover", "Take it over from who holds it"),
    ("assign", "assign", "Give it to somebody"),
    ("cancel", "cancel", "Cancel it"),
)
"""Command of a run, the act it needs, and its name."""


@dataclass(frozen=True, slots=True)
class Point:
    """Something that could be done. `reason`: the missing right; `note`: another obstacle."""

    title: str
    allowed: bool
    reason: Reason | None = None
    note: str = ""


def on_record(actor: Actor, collection_id: str, key: str) -> tuple[str, list[Point]]:
    """The title of a record and its points. Raises NotFound if the actor may not see it."""
    found = browse.record(actor, collection_id, key)
    values = found.record.values
    roots = {"record": values}
    obj = f"collection:{collection_id}"
    points = [
        Point(
            "Change fields by hand",
            found.may_update,
            None if found.may_update else why_not(actor, None, obj, "update", roots),
        )
    ]
    fixed = access.scope_for(actor, collection_id, "update").fixed
    kept_back = [field for field in found.fields if found.may_update and field.name in fixed]
    points += [
        Point(
            f"Change {field.label}",
            False,
            note="A rule for your roles lets you read this field, and not change it.",
        )
        for field in kept_back
    ]
    own = actions.made_of_actions()
    live = {workflow for _, _, workflow in runs.live_workflows(actor, [(collection_id, key)])}
    for known in workflows.all_known():
        there = known.live and known.collection == collection_id and known.slug not in own
        if there and access.exists_for(actor, f"workflow:{known.slug}"):
            note = (
                "It is paused."
                if known.status == "paused"
                else "It is under way on this record."
                if known.id in live and workflows.live(known.slug).document.settings.exclusive
                else ""
            )
            points += _start(actor, known.title, known.team or None, known.slug, roots, note)
    for action in action_cache.every().values():
        if (
            action.on_records
            and action.collection == collection_id
            and access.can(actor, action.team, f"workflow:{action.slug}", "see")
        ):
            points.append(_action(actor, action, key, roots))
    return found.record.title, points


def on_run(actor: Actor, run_id: str) -> list[Point]:
    """The points of a run. Raises NotFound if the actor may not see it."""
    seen = see(actor, run_id, whole=True)
    run, obj = seen.run, f"workflow:{seen.definition.slug}"
    may = possible_commands(actor, seen, holder_idle_s(run))
    points = []
    for command, act, title in COMMANDS:
        note = "" if command in may else _as_it_stands(actor, seen, command)
        reason = (
            None if command in may or note else why_not(actor, run.team, obj, act, {"run": run_facts(run)})
        )
        if command not in may and not note and reason is None:
            note = lacking_right(actor, seen) or _inbox_words(actor, seen) or "Not as the run stands now."
        points.append(Point(title, command in may, reason, note))
    return points


def _start(
    actor: Actor, title: str, team: str | None, slug: str, roots: Mapping[str, Any], note: str
) -> list[Point]:
    obj = f"workflow:{slug}"
    if not access.can(actor, team, obj, "see"):
        return []
    reason = why_not(actor, team, obj, "start", roots)
    return [Point(f"Start {title}", reason is None and not note, reason, "" if reason else note)]


def _action(actor: Actor, action: Action, key: str, roots: Mapping[str, Any]) -> Point:
    record = access.follow_relations(action.collection, roots["record"])
    may = any(
        access.could(actor, action.team, f"action:{action.id}", act, record) for act in ("execute", "request")
    )
    if not may:
        return Point(
            action.title,
            False,
            why_not(actor, action.team, f"action:{action.id}", "execute", {**roots, "record": record}),
        )
    reason = why_not(actor, action.team, f"workflow:{action.slug}", "start", roots)
    if reason is not None:
        return Point(action.title, False, reason)
    if any(one.id == action.id for one in actions.offered(actor, action.collection or "", key)):
        return Point(action.title, True)
    plain = {
        "record": records.collection(action.collection or "").typed(roots["record"]),
        "currentUser": actor.attributes,
    }
    said = (
        expressions.render(action.why_not, plain)
        if action.why_not
        else "It is not possible on this record as it is now."
    )
    return Point(action.title, False, note=said)


def _as_it_stands(actor: Actor, seen: Seen, command: str) -> str:
    """Why nobody in the actor's place could do it now, whatever their rights; empty where the rights decide."""
    run, mine = seen.run, seen.run.holder == actor.id
    if run.ended:
        return "The run has ended."
    waits = run.status in ("waiting_time", "waiting_event")
    held = (
        ""
        if mine or run.holder is None
        else f"{accounts.names([run.holder]).get(run.holder, 'A colleague')} holds it."
    )
    match command:
        case "complete" | "resume" if waits:
            return "It waits, and asks nobody to do a step now."
        case "complete" if held:
            return held
        case "complete" if not mine:
            return "Nobody holds it: take it first."
        case "complete" if run.unknown is not None:
            return "Nobody knows whether its last change was made: say so first."
        case "complete" if seen.lacks_record:
            return "Its record is no longer there, or cannot be read now."
        case "resume" if held:
            return held
        case "resume" | "take_over" if mine:
            return "You hold it already."
        case "take_over" if run.status == "saved":
            return "Nobody holds it: go on with it."
        case "cancel" if run.attempt is not None and any(
            each.status == "requested" for each in run.attempt.effects
        ):
            return "A change is being made."
    return ""


def _inbox_words(actor: Actor, seen: Seen) -> str:
    """That the run waits in an inbox in which the actor does not work; else empty."""
    try:
        require_may_work_in(actor, seen)
    except NotAllowed as error:
        return error.words
    return ""
