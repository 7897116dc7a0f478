"""Actions: read in from files, checked, given out; offered on records; done to one record, or to many with a preview.

Doing one from a record's page is a run of a workflow of one step, made when the action is imported: so approval, an unknown result, settling, log and replay
are those of every run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from console import log, records, runs, steps, workflows
from console.auth import access
from console.browse import evidence
from console.core import expressions
from console.core.actor import COMMAND_LINE, Actor
from console.core.documents import action_check
from console.core.documents.action_document import Action, read, texts
from console.core.documents.workflow import Step
from console.core.documents.workflow_check import Problem
from console.core.effect_kinds import SqlDelete, SqlInsert, SqlWrite
from console.core.errors import Conflict, ConsoleError, DefinitionError, Invalid, NotFound
from console.core.run import Run
from console.infra import subjects
from console.infra.db import tables
from console.infra.db.engine import transaction
from console.steps.base import Act, Completion, Context, Prompt, StepView
from console.steps.effects import action_cache, action_preview, python
from console.workflows import CHAIN, refused

STEP = "act"
SEEN = 24
"""Characters that stand for a record as it was checked."""
MOVED = "It was changed since it was checked: nothing was done to it."


def check(document: bytes | str | Mapping[str, Any], *, connected: bool = False) -> list[Problem]:
    """Every problem of the document; with `connected` also names that only this console can tell: of fields, other actions, functions and roles."""
    if not connected:
        return action_check.check(document)
    named = {row.obj if row.ptype == "g" else row.sub for row in access.all_rows()}
    roles = {name.removeprefix("role:") for name in named if name.startswith("role:")}
    found = action_check.check(
        document, workflows.connected(), action_cache.every().keys(), python.functions().keys(), roles
    )
    return (
        found
        if any(problem.severity == "error" for problem in found)
        else [*found, *_unapproved(read(document))]
    )


def _unapproved(action: Action) -> list[Problem]:
    """Approvals that nobody could give where the action is done from a record; warnings, for it may be meant for workflows alone, and people come and go."""
    here = workflows.validation_context()
    around = replace(
        here,
        approvals={**(here.approvals or {}), action.id: action.approval},
        actions={**(here.actions or {}), action.id: action.collection},
    )
    problems = workflows.check(workflow_of(action), around) if action.on_records else []
    return [
        Problem(None, "approval", problem.reason, "warning")
        for problem in problems
        if problem.field == "config.action" and "approval" in problem.reason
    ]


def import_file(source: Path | bytes | Mapping[str, Any], by: Actor | None = None) -> Action:
    """Read an action in, with the workflow of one step in which it is done from a record; what is there already is replaced.

    `by` None is the command line, which is trusted. Raises DefinitionError with every problem, and then nothing is stored; NotAllowed.
    """
    content = _bytes_of(source) if isinstance(source, Path) else source
    problems = check(content, connected=True)
    if any(problem.severity == "error" for problem in problems):
        raise refused(str(source) if isinstance(source, Path) else "The action", problems)
    action = read(content)
    if by is not None:
        access.require(by, action.team, f"workflow:{action.slug}", "edit")
        access.require(by, action.team, f"workflow:{action.slug}", "publish")
    actor, former = by or COMMAND_LINE, action_cache.every().get(action.id)
    row = {
        "title": action.title,
        "collection": action.collection,
        "team": action.team or "",
        "document": action.canonical(),
        "hash": action.hash,
    }
    statement = sa.dialects.postgresql.insert(tables.action).values(id=action.id, **row, changed_by=actor.id)
    with transaction() as connection:
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["id"], set_={**row, "changed_by": actor.id, "changed_at": sa.func.now()}
            )
        )
        if former is None or former.hash != action.hash:
            data = {
                "action": action.id,
                "hash": action.hash,
                "former": former.hash if former else None,
                "collection": action.collection,
            }
            log.note(actor, "action_changed", open=data, team=action.team, chain=CHAIN, connection=connection)
    action_cache.forget()
    workflows.import_file(workflow_of(action), by, publish=True, rights=False)
    return action


def workflow_of(action: Action) -> dict[str, Any]:
    """The workflow of one step in which the action is done from a record."""
    step = {
        "id": STEP,
        "type": "trigger_action",
        "title": action.title,
        "config": {"action": action.id},
        "next": {"default": "result"},
    }
    if action.button:
        step["button"] = action.button
    return {
        "format": 1,
        "slug": action.slug,
        "title": action.title,
        "description": f"Made of the action “{action.title}”: change the action, not this.",
        "collection": action.collection,
        "team": action.team,
        "roles": [],
        "steps": [
            {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": STEP}},
            step,
            {
                "id": "result",
                "type": "output",
                "title": "Result",
                "config": {"values": {"outcome": f"steps.{STEP}.outcome", "result": f"steps.{STEP}.message"}},
                "next": {"default": "end"},
            },
            {"id": "end", "type": "end", "title": "Done", "config": {"label": "Done"}, "next": {}},
        ],
    }


def export(action_id: str) -> bytes:
    """The canonical bytes of the action. Raises NotFound."""
    return action_cache.get(action_id).canonical()


def list_actions() -> Sequence[Action]:
    """Every action, by id. Without rights: for the command line."""
    return list(action_cache.every().values())


# ------------------------------------------------------------------------------------------------------------- on records


@dataclass(frozen=True, slots=True)
class Sheet:
    """An action's form before one record."""

    action: Action
    act: Act
    prompt: Prompt


def offered(actor: Actor, collection_id: str, key: str | None = None) -> list[Action]:
    """Actions that the actor may have done to records of the collection; with `key` those that are offered on that record now."""
    found = [
        action
        for action in action_cache.every().values()
        if action.on_records and action.collection == collection_id and _may(actor, action)
    ]
    if key is None or not any(action.if_ for action in found):
        return found
    record = records.get(collection_id, key, access.scope_for(actor, collection_id, "read"))
    plain = {
        "record": records.collection(collection_id).typed(record.values),
        "currentUser": actor.attributes,
        "now": log.now(),
    }
    return [action for action in found if action.if_ is None or _holds(actor, action, action.if_, key, plain)]


def offered_to_add(actor: Actor, collection_id: str) -> list[Action]:
    """Actions that the actor may have done, which are about no record and first add one to the collection."""
    return [
        action
        for action in action_cache.every().values()
        if action.on_records
        and action.collection is None
        and _adds(action, collection_id)
        and _may(actor, action)
    ]


def _adds(action: Action, collection_id: str) -> bool:
    effect = action.effects[0]
    return isinstance(effect, SqlInsert) and effect.collection == collection_id


def _holds(actor: Actor, action: Action, condition: str, key: str, plain: Mapping[str, Any]) -> bool:
    """Whether the action is offered; what stands beside the record is read only where the condition looks at it."""
    parsed = expressions.parse(condition)
    if any(path[0] == "related" for path in expressions.paths(parsed)):
        return parsed.test(_act(actor, action, key).roots)
    return parsed.test({**plain, "variables": action.variables})


def _may(actor: Actor, action: Action) -> bool:
    """Whether the actor may have it done, and start the run that this is."""
    return bool(action_preview.may(actor, action.team, action)) and access.can(
        actor, action.team, f"workflow:{action.slug}", "start"
    )


def made_of_actions() -> frozenset[str]:
    """Slugs of the workflows that were made of actions: they are no workflows of their own to who starts one."""
    return frozenset(action.slug for action in action_cache.every().values())


def _offered(actor: Actor, collection_id: str, key: str | None, action_id: str) -> Action:
    found = offered_to_add(actor, collection_id) if key is None else offered(actor, collection_id)
    action = next((action for action in found if action.id == action_id), None)
    if action is None:
        raise NotFound("There is no such action for this record, or it is not yours to do.")
    return action


def _act(actor: Actor, action: Action, key: str | None) -> Act:
    nowhere = Run(team=action.team or "", started_by=actor.id, holder=actor.id)
    act = action_preview.ready(actor, nowhere, action.id, key, None, log.now())
    if act.problem:
        raise NotFound
    return act


def _step(action: Action) -> StepView:
    return steps.view(Step.model_validate(workflow_of(action)["steps"][1]))


def _context(act: Act, typed: Mapping[str, Any] | None = None) -> Context:
    roots = {"input": {}, "steps": {}, "currentUser": act.roots["currentUser"], "now": act.roots["now"]}
    return Context(roots, acts={act.action.id: act}, former=dict(typed or {}))


def sheet(
    actor: Actor, collection_id: str, key: str | None, action_id: str, typed: Mapping[str, Any] | None = None
) -> Sheet:
    """The action's form before the record, or before none where it adds one, with what was typed so far. Raises NotFound where it is not the actor's to do."""
    action = _offered(actor, collection_id, key, action_id)
    act = _act(actor, action, key)
    step = _step(action)
    return Sheet(action, act, steps.get(step.type).prepare(step, _context(act, typed)))


def try_action(
    actor: Actor, collection_id: str, key: str | None, action_id: str, values: Mapping[str, Any]
) -> tuple[Completion, str]:
    """(what handing in these values would come to, what stands for the record as it was judged); nothing is done.

    Raises as it would: Invalid, Conflict `require`, NotFound.
    """
    action = _offered(actor, collection_id, key, action_id)
    step, act = _step(action), _act(actor, action, key)
    done = steps.get(step.type).complete(step, _context(act), dict(values), None)
    evidence.require(actor, action.team, (entry.field() for entry in action.form), values)
    return done, _seen(act)


def _seen(act: Act) -> str:
    """What stands for the fields of the record that the action looks at or sets; nobody can read the values in it."""
    named = _looked_at(act.action)
    values = act.seen if named is None else {name: act.seen[name] for name in named if name in act.seen}
    text = orjson.dumps(dict(values), option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str)
    return subjects.digest(
        text, f"{act.collection} {act.record} as {act.action.id} {act.action.hash} found it"
    ).hex()[:SEEN]


def _looked_at(action: Action) -> frozenset[str] | None:
    """Fields of its record that the action's expressions name or its effects set; None where it may look at any."""
    if any(
        effect.kind == "python" or (isinstance(effect, SqlDelete) and effect.record is None)
        for effect in action.effects
    ):
        return None
    found = {
        name
        for effect in action.effects
        if isinstance(effect, SqlWrite) and effect.record is None
        for name in effect.set
    }
    for located, template, _ in texts(action):
        for expression in (
            expressions.templates(located.text) if template else [expressions.parse(located.text)]
        ):
            of_record = [path for path in expressions.paths(expression) if path[0] == "record"]
            if any(len(path) == 1 for path in of_record):
                return None
            found |= {path[1] for path in of_record}
    return frozenset(found)


def perform(
    actor: Actor,
    collection_id: str,
    key: str,
    action_id: str,
    values: Mapping[str, Any],
    *,
    seen: str | None = None,
) -> str:
    """Have the action done to the record: a run of one step; answers its id. What is wrong with the values is said before there is a run.

    `seen`: only to the record as it was then. Raises NotFound, Invalid, Conflict (`require`; `run_is_live` with `run_id` where it is being done already;
    the record is not as `seen`), NotAllowed, SourceDown.
    """
    _, now = try_action(actor, collection_id, key, action_id, values)
    if seen is not None and now != seen:
        raise Conflict(MOVED)
    run_id = runs.start(actor, action_cache.get(action_id).slug, collection_id, key)
    revision = runs.get(actor, run_id).json["revision"]
    try:
        runs.complete(actor, run_id, runs.Submission(step=STEP, revision=revision, values=values))
    except ConsoleError as error:  # something moved in between: no form waits for anybody
        runs.abort(actor, run_id, revision=revision, reason=error.message)
        raise
    return run_id


def propose(
    actor: Actor,
    reader: Actor,
    collection_id: str,
    key: str | None,
    action_id: str,
    values: Mapping[str, Any],
) -> str:
    """Lay the action, on a record or to add one, before the actor's own eyes: a run that waits for a person, whose form `fill_in` fills; answers its id. Nothing is done.

    What is wrong with the values is said before there is a run, in words for the `reader`, who may see less than the actor. Raises what `perform` does.
    """
    try:
        try_action(actor, collection_id, key, action_id, values)
    except (Conflict, Invalid):
        try_action(reader, collection_id, key, action_id, values)
        raise Conflict(
            "This cannot be done now. Why rests on what is kept from models: ask a person."
        ) from None
    return runs.start(
        actor, action_cache.get(action_id).slug, collection_id if key is not None else None, key
    )


def fill_in(actor: Actor, run_id: str, values: Mapping[str, Any]) -> None:
    """Put the values into the form of a proposed action, where nobody has typed anything and its person still has it."""
    run = runs.get(actor, run_id).json
    step = run["current"]
    if step and step["step"] == STEP and step["draft"] is None and run["holder"] == actor.id:
        runs.draft(actor, run_id, step=STEP, revision=run["revision"], values=values)


def finish(actor: Actor, run_id: str, values: Mapping[str, Any], *, seen: str | None = None) -> str:
    """Hand the action in at a run that was begun for it and at which nobody was since; any other is left as it stands. Takes and raises what `perform` does."""
    run = runs.get(actor, run_id).json
    step = run["current"]
    if (
        step
        and step["step"] == STEP
        and step["form"]
        and not step["take_over"]
        and not step["errors"]
        and run["holder"] == actor.id
    ):
        action = next(
            action for action in action_cache.every().values() if action.slug == run["workflow"]["slug"]
        )
        if seen is not None and _seen(_act(actor, action, run["record"])) != seen:
            runs.abort(actor, run_id, revision=run["revision"], reason=MOVED)
            raise Conflict(MOVED)
        runs.complete(actor, run_id, runs.Submission(step=STEP, revision=run["revision"], values=values))
    return run_id


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DefinitionError(
            f"{path} cannot be read: {error.strerror}.",
            details=[{"step": None, "field": "", "reason": str(error.strerror)}],
        ) from None
