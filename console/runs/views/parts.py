"""The runs that a step of a run has started: the items of a list, the branches of a parallel step, another workflow."""

from collections.abc import Sequence
from dataclasses import dataclass

from console.auth import access
from console.core.actor import Actor
from console.core.documents.workflow import Step, Workflow
from console.infra.db.engine import fetch
from console.runs.commands.run_rights import see
from console.runs.views.lists import RunHead, with_ids
from console.runs.views.view import starts_runs

SHOWN = 50
_NEWEST = f"""
with part as (
    select distinct on (r.branch) r.id, r.branch, r.status, r.created_at from {access.EVERY_RUN.sql()}
    where r.parent = %s and r.origin ->> 'id' = %s order by r.branch, r.created_at desc, r.id desc
)
select id, branch, status, count(*) over (), count(*) filter (where status = 'completed') over (),
       count(*) filter (where status in ('failed', 'timed_out', 'aborted', 'cancelled')) over (), count(*) filter (where branch = any(%s)) over ()
from part order by array_position(array['waiting_person', 'saved', 'failed', 'timed_out', 'aborted', 'cancelled', 'waiting_event', 'waiting_time', 'running', 'completed'], status), created_at, id
limit %s
"""  # noqa: S608 (texts of ours)


@dataclass(frozen=True, slots=True)
class Part:
    """A run that a step has started, and what it is called there."""

    head: RunHead
    name: str


@dataclass(frozen=True, slots=True)
class Parts:
    """The newest run of each item or branch of a step: those first that are stuck, at most `SHOWN`. `total` includes those that have not begun."""

    step: str
    title: str
    total: int
    done: int
    failed: int
    shown: Sequence[Part]


def parts_of(actor: Actor, run_id: str, step_id: str) -> Parts | None:
    """Return what the step has started, as far as the actor may see it; None where it has started nothing. Raises NotFound."""
    seen = see(actor, run_id)
    run, document = seen.run, seen.definition.document
    step = next((each for each in document.steps if each.id == step_id), None)
    if step is None or not starts_runs(step):
        return None
    attempt = run.attempt if run.attempt is not None and run.attempt.step == step_id else None
    wanted = [child["branch"] for child in attempt.values.get("children", ())] if attempt is not None else []
    rows = fetch(_NEWEST, (run_id, step_id, wanted, SHOWN))
    if not rows:
        return None
    _, _, _, begun, done, failed, begun_of_wanted = rows[0]
    heads = {head.id: head for head in with_ids(actor, [row[0] for row in rows])}
    shown = [
        Part(heads[row[0]], _name(document, step, row[1], heads[row[0]])) for row in rows if row[0] in heads
    ]
    return Parts(step_id, step.title, begun + len(wanted) - begun_of_wanted, done, failed, shown)


def _name(document: Workflow, step: Step, branch: str, head: RunHead) -> str:
    if step.type == "loop":
        return head.item.title if head.item is not None else "An item"
    begins = {each["id"]: each["start"] for each in step.config.get("branches", ())}
    return document.step(begins[branch]).title if branch in begins else head.workflow_title
