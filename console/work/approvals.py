"""Approvals: what I am asked to decide, what I asked for, and what was decided; and one of them with all that a decision needs.

Lists are filtered in SQL by team, workflow and role; records are checked against the source under the reader's scope, one query per collection and
page. Deciding is a transition of the run: `console.runs.approve` and `reject`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any, TypeAlias

import sqlalchemy as sa

from console import browse, log, records, runs, workflows
from console.auth import access, accounts
from console.core.actor import Actor
from console.core.documents.collections import Field
from console.core.errors import ConsoleError, NotFound
from console.core.run import Run
from console.core.run.approval_request import Approval, Decided
from console.core.run.duties import OF_STEP, REQUESTER, STARTER
from console.infra.db import tables
from console.infra.db.engine import read_rows
from console.log import masking
from console.runs.commands.approval_answers import (
    ChangedField,
    VisibleRequest,
    changed_fields,
    difference_mark,
    visible_request,
    why_refused,
    without_hidden_values,
)
from console.runs.commands.approval_requests import may_answer
from console.runs.store.loaded_rows import judged_once
from console.runs.store.run_rows import approval_from_row, decision_json
from console.runs.views import block_content
from console.runs.views.consequences import by_actions, not_left_out
from console.runs.views.lists import head, record_titles, visible_pairs, with_ids
from console.runs.views.reader_reach import kept_from
from console.runs.views.view import title_of
from console.work import due_times
from console.work.approval_filters import filter_conditions, read_cursor
from console.work.approvers import deciders

MOST_COUNTED = 100
OF_RUN = ("id", "status", "revision", "ended", "collection", "record")
BATCH, ROUNDS = 500, 8  # rows looked at once more, and how often, where few of them are for the reader
Keep: TypeAlias = Callable[[Approval, str], bool]


@dataclass(frozen=True, slots=True)
class Line:
    """A request as one of a list. `label` is what is asked for, `team_name` whose run it is; times are aware UTC."""

    id: str
    run: str
    step: str
    attempt: int
    workflow: str
    label: str
    collection: str | None
    record_title: str
    team: str
    team_name: str
    requester_name: str
    names: Mapping[str, str]
    approval: Approval
    values: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The request in the shape of the API."""
        approval = self.approval
        return {
            "id": self.id,
            "run": self.run,
            "step": self.step,
            "attempt": self.attempt,
            "action": approval.action,
            "label": self.label,
            "collection": approval.collection,
            "record": approval.record,
            "team": self.team,
            "status": approval.status,
            "requested_by": approval.requested_by,
            "requested_at": log.body.moment(approval.requested_at),
            "until": log.body.moment(approval.until) if approval.until else None,
            "values": dict(self.values),
            "decided": [decision_json(each) for each in approval.decided],
            "needs": approval.needs,
            "roles": list(approval.roles),
            "not_by": list(approval.not_by),
            "why": approval.why,
        }


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list, newest first; `next` is the cursor of what follows, None at the end."""

    lines: Sequence[Line]
    next: str | None


@dataclass(frozen=True, slots=True)
class View:
    """A request for one reader. `refusal` says why they may not decide, None where they may; `rule` names the rule that excludes them.

    `changes` are the fields that would be written, each with what it holds and will hold; `moved` is what has changed in the record since, and
    `mark` names that difference. `deciders` are people who may decide now, each with "" or how long they are away. `fields` describe the values, `record` are those of the record when it was
    asked for (name to value), `context` is what the run holds so far, by step. `content` is the data of the step's blocks.
    """

    line: Line
    run: Mapping[str, Any]
    step_title: str
    rule_steps: Mapping[str, str]  # titles of the steps that the rules name, by id
    why: str
    refusal: str | None
    rule: str | None
    deciders: Sequence[tuple[str, str]]
    changes: Sequence[Mapping[str, Any]]
    fields: Mapping[str, Mapping[str, Any]]
    moved: Sequence[ChangedField]
    mark: str
    text: str | None
    record: Mapping[str, Any]
    context: Sequence[tuple[str, Mapping[str, Any]]] = ()
    summaries: Sequence[str] = ()
    down: str | None = None
    withheld: bool = False
    decided: Sequence[Decided] = field(default_factory=tuple)
    content: Sequence[Mapping[str, Any]] = ()


def to_review(
    actor: Actor, filters: Mapping[str, str] | None = None, *, limit: int = 50, after: str | None = None
) -> Page:
    """Open requests that wait for this actor: not their own, not those that a rule or an answer of theirs keeps from them."""
    return _page(actor, [*filter_conditions(filters or {}), *_waiting_for(actor)], limit, after, _for(actor))


def created(
    actor: Actor, filters: Mapping[str, str] | None = None, *, limit: int = 50, after: str | None = None
) -> Page:
    """What the actor asked for, whatever came of it."""
    return _page(
        actor, [*filter_conditions(filters or {}), tables.approval.c.requested_by == actor.id], limit, after
    )


def history(
    actor: Actor, filters: Mapping[str, str] | None = None, *, limit: int = 50, after: str | None = None
) -> Page:
    """What was decided, or came to nothing, of all that the actor may see."""
    return _page(actor, [*filter_conditions(filters or {}), tables.approval.c.status != "open"], limit, after)


def find(
    actor: Actor, filters: Mapping[str, str] | None = None, *, limit: int = 50, after: str | None = None
) -> Page:
    """Every request that the actor may see. Raises Malformed for an unknown filter or value, NotFound for a run that is not the actor's to see."""
    conditions, run_id = filter_conditions(filters or {}), (filters or {}).get("run")
    if run_id is not None and head(actor, run_id) is None:
        raise NotFound
    return _page(actor, conditions, limit, after)


def waiting(actor: Actor) -> int:
    """How many requests wait for the actor, at most `MOST_COUNTED`."""
    return len(to_review(actor, limit=MOST_COUNTED).lines)


def due_of(actor: Actor, lines: Sequence[Line]) -> dict[str, date]:
    """Id of an open request → the day or moment by which it is to be decided: when it lapses, or its run is due, whichever comes first."""
    heads = with_ids(actor, list({line.run for line in lines}))
    due = due_times.due_of(heads, partial(access.scope_for, actor, act="read"))
    found = {
        line.id: due_times.earliest(due.get(line.run), line.approval.until)
        for line in lines
        if line.approval.status == "open"
    }
    return {ident: at for ident, at in found.items() if at is not None}


def get(actor: Actor, approval_id: str, *, looking_back: bool = False) -> View:
    """The request as the actor may see it, or may when `looking_back`; looking decides nothing. Raises NotFound as `runs.get` does."""
    found = visible_request(actor, approval_id)
    approval, run, definition = found.approval, found.seen.run, found.seen.definition
    refused = why_refused(actor, found)
    moved, down = _moved(found)
    titles = record_titles(
        actor,
        [_Head(approval.collection, approval.record or ""), _Head(run.collection, run.record or "")],
        set(),
    )
    held = {"wishes": list(approval.wishes), "record": dict(approval.shown.get("record", {}))}
    hidden = kept_from(
        actor, run.workflow, run.version, found.attempt.step, run=run.id, looking_back=looking_back
    )
    shown, _ = masking.mask(held, "", hidden, approval.collection, values=False)
    shown["context"] = {
        step: masking.mask(output, "", masking.at_step(hidden, step), run.collection)[0]
        for step, output in run.context.items()
    }
    content = masking.mask(
        {"content": list(approval.shown.get("content", ()))}, "", hidden, approval.collection, screen=True
    )[0]["content"]
    says = hidden.closed is None or hidden.closed.says(found.attempt.step)
    about = found.seen.record
    if about is not None and about.key is not None:
        collection = records.collection(about.collection)
        log.note(
            actor,
            "record_viewed",
            open={"run": run.id, "tab": "approval"},
            source=collection.source,
            collection=collection.id,
            **browse.about_record(collection, about.key, about),
            team=run.team,
            label=run.label,
        )
    return View(
        line=_line(
            actor,
            approval,
            run.id,
            found.attempt.step,
            found.attempt.attempt,
            run.team,
            definition,
            titles,
            _names_in(run, approval),
            _teams(),
            looking_back=looking_back,
        ),
        run={"title": definition.title} | {name: getattr(run, name) for name in OF_RUN},
        step_title=title_of(definition, found.attempt.step),
        rule_steps={
            match[1]: title_of(definition, match[1])
            for match in map(OF_STEP.fullmatch, approval.not_by)
            if match
        },
        why=approval.why if says else "",
        refusal=refused.message if refused is not None else None,
        rule=next(
            (str(detail["reason"]) for detail in refused.details if detail.get("field") == "rule"), None
        )
        if refused is not None
        else None,
        deciders=deciders(found) if approval.status == "open" else (),
        changes=[*_changes(shown["wishes"]), *by_actions(approval, hidden, log.now())],
        fields={one["name"]: one for one in approval.shown.get("fields", ())},
        moved=without_hidden_values(actor, moved),
        mark=difference_mark(moved) if moved else "",
        text=approval.shown.get("text") if says else None,
        record=shown["record"],
        context=[(title_of(definition, step), output) for step, output in shown["context"].items()],
        summaries=[str(wish["summary"]) for wish in not_left_out(approval, log.now())],
        down=down,
        withheld=not says and ("text" in approval.shown or bool(approval.why)),
        decided=approval.decided,
        content=block_content.with_names(actor, content or []),
    )


# -- lists


def _page(
    actor: Actor,
    conditions: Sequence[sa.ColumnElement[bool]],
    limit: int,
    after: str | None,
    keep: Keep | None = None,
) -> Page:
    """Rows that fit, newest first, of records that the actor may see; asked again until the page is full, or so many were out of their sight that
    they had better ask for the next page.
    """
    place: tuple[Any, Any] | None = read_cursor(after) if after is not None else None
    lines: list[Line] = []
    away: set[str] = set()
    for batch in (limit + 1, *[BATCH] * ROUNDS):
        rows = _rows(actor, conditions, place, batch)
        lines += _lines(actor, rows, away, keep)
        place = (rows[-1].requested_at, rows[-1].told["id"]) if len(rows) == batch else None
        if place is None or len(lines) > limit:
            break
    shown = lines[:limit]
    last = (shown[-1].approval.requested_at, shown[-1].id) if len(lines) > limit else place
    return Page(shown, f"{last[0].timestamp():.6f}~{last[1]}" if last is not None else None)


def _rows(
    actor: Actor, conditions: Sequence[sa.ColumnElement[bool]], place: tuple[Any, Any] | None, most: int
) -> Sequence[Any]:
    """The newest rows after that place, of all teams together: each team's own are found by an index, however many others there are."""
    asked_for, run = tables.approval.c, tables.run.c
    pairs = visible_pairs(actor)
    if not pairs:
        return []
    wanted = [*conditions, access.cleared_for(actor, asked_for.label)]
    if place is not None:
        wanted.append(
            sa.tuple_(asked_for.requested_at, asked_for.id)
            < sa.tuple_(sa.literal(place[0]), sa.literal(place[1]))
        )
    parts = [
        sa.select(asked_for.requested_at, asked_for.id)
        .where(asked_for.team == team, *wanted)
        .order_by(asked_for.requested_at.desc(), asked_for.id.desc())
        .limit(most)
        for team in sorted({team for team, _ in pairs})
    ]
    together = sa.union_all(*(sa.select(part.subquery()) for part in parts)).subquery()
    newest = (
        sa.select(together)
        .order_by(together.c.requested_at.desc(), together.c.id.desc())
        .limit(most)
        .subquery()
    )
    told = sa.func.to_jsonb(sa.literal_column("approval")).label("told")  # only of those that are left
    found = (
        sa.select(told, newest.c.requested_at, run.workflow, run.version)
        .select_from(
            newest.join(tables.approval, asked_for.id == newest.c.id).join(
                tables.run, run.id == asked_for.run
            )
        )
        .order_by(newest.c.requested_at.desc(), newest.c.id.desc())
    )
    return read_rows(found)


def _lines(actor: Actor, rows: Sequence[Any], away: set[str], keep: Keep | None) -> list[Line]:
    heads = [_Head(row.told["collection"], row.told["record"]) for row in rows]
    titles = record_titles(actor, heads, away)
    approvals = [approval_from_row(row.told) for row in rows]
    names, teams = _names(approvals), _teams()
    made = []
    pairs = visible_pairs(actor)
    with judged_once(row.told["run"] for row in rows):
        for row, approval in zip(rows, approvals, strict=True):
            if (row.told["team"], row.workflow) not in pairs:
                continue  # a workflow of the team that the reader may not see
            if approval.collection and (approval.collection, approval.record or "") not in titles:
                continue  # the record is out of the reader's scope, or gone
            if keep is not None and not keep(approval, row.told["team"]):
                continue
            definition = workflows.version(row.workflow, row.version)
            stored = row.told
            made.append(
                _line(
                    actor,
                    approval,
                    stored["run"],
                    stored["step"],
                    stored["attempt"],
                    stored["team"],
                    definition,
                    titles,
                    names,
                    teams,
                )
            )
    return made


@dataclass(frozen=True, slots=True)
class _Head:
    """What a record's title is looked up by."""

    collection: str | None
    record: str | None


def _line(
    actor: Actor,
    approval: Approval,
    run_id: str,
    step: str,
    attempt: int,
    team: str,
    definition: workflows.Definition,
    titles: Mapping[tuple[str, str], str],
    names: Mapping[str, str],
    teams: Mapping[str, str],
    *,
    looking_back: bool = False,
) -> Line:
    hidden = kept_from(actor, definition.id, definition.number, step, run=run_id, looking_back=looking_back)
    values, _ = masking.mask(dict(approval.values), "values", hidden, approval.collection)
    says = hidden.closed is None or hidden.closed.says(step)
    return Line(
        id=approval.id,
        run=run_id,
        step=step,
        attempt=attempt,
        workflow=definition.title,
        label=title_of(definition, step),
        collection=approval.collection,
        record_title=titles.get((approval.collection or "", approval.record or ""), approval.record or ""),
        team=team,
        team_name=teams.get(team, team),
        requester_name=names.get(approval.requested_by, "A former colleague"),
        names=names,
        approval=replace(approval, values=values, wishes=(), shown={}, why=approval.why if says else ""),
        values=values,
    )


def _names(approvals: Sequence[Approval]) -> dict[str, str]:
    people = {approval.requested_by for approval in approvals}
    people |= {
        person
        for approval in approvals
        for each in approval.decided
        for person in (each.by, *each.stands_in_for)
    }
    return accounts.names(people)


def _names_in(run: Run, approval: Approval) -> dict[str, str]:
    """The names of everybody who did or decided something in the run, for its blocks may name them."""
    return _names(
        [approval, *(each for attempt in run.attempts.values() for each in attempt.approvals)]
    ) | accounts.names({attempt.by for attempt in run.attempts.values() if attempt.by})


def _teams() -> dict[str, str]:
    return {team.id: team.name for team in accounts.teams()}


def _waiting_for(actor: Actor) -> list[sa.ColumnElement[bool]]:
    """What SQL can tell of the requests that wait for the actor; the right to the action is judged row by row."""
    asked_for, attempt = tables.approval.c, tables.attempt.c
    roles = {team: access.held(actor, team) for team in {team for team, _ in visible_pairs(actor)}}
    of_roles = [
        sa.and_(
            asked_for.team == team,
            sa.or_(
                asked_for.roles == sa.text("'[]'::jsonb"),
                asked_for.roles.has_any(sa.cast(sorted(held), _TEXTS)),
            ),
        )
        for team, held in sorted(roles.items())
    ]
    did = (
        sa.select(sa.literal(1))
        .where(
            attempt.run == asked_for.run,
            attempt.status == "done",
            attempt.revised.is_(False),
            attempt.by == actor.id,
            asked_for.not_by.has_key(sa.literal("step:") + attempt.step),
        )
        .exists()
    )
    answered = asked_for.decided.contains([{"by": actor.id}])
    run = tables.run.c
    caused = sa.select(sa.literal(1)).where(
        run.id == asked_for.run,
        run.caused_by.contains([{"person": actor.id}]),
        access.runs(actor).condition(run.label),
    )
    own = sa.and_(
        asked_for.not_by.has_any(sa.cast([REQUESTER, STARTER], _TEXTS)),
        sa.or_(asked_for.requested_by == actor.id, caused.exists()),
    )
    return [asked_for.status == "open", sa.or_(*of_roles) if of_roles else sa.false(), ~own, ~did, ~answered]


_TEXTS = sa.ARRAY(sa.Text)


def _for(actor: Actor) -> Keep:
    """Whether the right to approve the action is there too."""

    def keep(approval: Approval, team: str) -> bool:
        return (
            may_answer(actor, team, approval)
            and actor.id not in approval.not_by
            and actor.email.lower() not in approval.not_by
        )

    return keep


# -- one of them


def _moved(found: VisibleRequest) -> tuple[list[ChangedField], str | None]:
    """(what has changed in the record since, why that cannot be told now)."""
    if found.approval.status != "open":
        return [], None
    try:
        return changed_fields(found), None
    except ConsoleError as error:
        return [], error.message


def _changes(wishes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Field by field what would be written, with its label and type."""
    made = []
    for wish in wishes:
        request = wish.get("request") or {}
        collection_id = request.get("collection")
        for name, change in (request.get("changes") or {}).items():
            column = _field(collection_id, name)
            kind = (
                column.to_json()
                if column is not None
                else {"name": name, "label": name, "type": "text", "options": None}
            )
            made.append(
                {**kind, **{side: (change or {}).get(side) for side in ("old", "new")}, "masked": not change}
            )
    return made


def _field(collection_id: str | None, name: str) -> Field | None:
    try:
        return records.collection(collection_id).field(name) if collection_id else None
    except ConsoleError:
        return None


approve, reject = runs.approve, runs.reject
