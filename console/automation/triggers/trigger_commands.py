"""Triggers of one workflow as people and programs see and switch them: next firings, last ones, addresses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from console import log, workflows
from console.auth import access
from console.automation.triggers import firing_counts, trigger_rows
from console.automation.triggers.firing import try_now
from console.automation.triggers.log_events import reached
from console.automation.triggers.trigger_rows import CLOCK, UTC_ZONE, table
from console.automation.webhooks import hook_addresses, incoming
from console.core import schedule
from console.core.actor import Actor
from console.core.documents import triggers_check
from console.core.documents.json_shape import model_errors
from console.core.documents.triggers import Trigger, complete_triggers
from console.core.drafting import AddTrigger
from console.core.errors import Conflict, Invalid, NotFound
from console.infra.db.engine import hot_engine, transaction
from console.infra.db.ids import new_id
from console.workflows import Entry

NEXT, LAST = 5, 10
OUT_AGAIN = "Enrolled, and out of it again before the run began."


@dataclass(frozen=True, slots=True)
class Fired:
    """One firing: when it happened, the run, and why there is none. `status` is waiting, started, refused or stopped. `run` None: none, or not for this reader.

    `about` is the record of which it is, (collection, key). `made_up_at`: when a time of a schedule was made up for that was missed. `again_at`:
    when it is tried again, where it could not start yet.
    """

    at: datetime
    status: str
    run: str | None
    why: str | None
    about: tuple[str, str] | None = None
    made_up_at: datetime | None = None
    again_at: datetime | None = None

    @property
    def enrolled(self) -> bool:
        """Whether somebody was enrolled, whose run begins later."""
        return self.status == "started" and self.run is None and bool(self.why)

    def to_json(self) -> dict[str, Any]:
        """The form in the API."""
        made_up_at = log.body.moment(self.made_up_at) if self.made_up_at else None
        return {
            "at": log.body.moment(self.at),
            "status": self.status,
            "run": self.run,
            "why": self.why,
            "made_up_at": made_up_at,
        }


@dataclass(frozen=True, slots=True)
class Listed:
    """A trigger with its last firings. `address` is the secret part of a webhook's URL, for who may edit the workflow; `has_secret`: its signing secret was made."""

    id: str
    definition: Trigger
    enabled: bool
    published: bool
    active: bool
    next_at: tuple[datetime, ...] = ()
    last: tuple[Fired, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    problem: str | None = None
    problem_at: datetime | None = None
    address: str | None = None
    has_secret: bool = False


def list_triggers(actor: Actor, slug_or_id: str) -> tuple[Entry, list[Listed]]:
    """The workflow and its triggers: those of its live version, those added since, those of the draft where nothing is published. Raises NotFound."""
    entry = workflows.entry(actor, slug_or_id)
    trigger_rows.synchronise(entry.id)
    may_edit = workflows.may(actor, entry, "edit")
    seen = firing_counts.visible_firings(actor, [entry.id], ":", "")
    with hot_engine().connect() as connection:
        rows = {
            row.id: row for row in connection.execute(sa.select(table).where(table.c.workflow == entry.id))
        }
        last = _last(connection, actor, entry.id, *seen)
        waiting: dict[str, int] = dict(
            connection.exec_driver_sql(_WAITING, (entry.id, MOST_WAITING + 1)).all()
        )
    document = workflows.definition(actor, entry.id) if entry.live_version is None else None
    written = complete_triggers(document or {})
    if entry.live_version is not None:
        written = list(workflows.version(entry.id, entry.live_version).document.triggers)
    known = {trigger.id for trigger in written}
    added = [trigger_rows.row_of(row).definition for row in rows.values() if row.id not in known]
    active = entry.status == "active" and entry.live_version is not None
    now = log.now()
    found = [
        _listed(
            trigger,
            rows.get(trigger.id),
            last.get(trigger.id, ()),
            waiting.get(trigger.id, 0),
            active=active,
            may_edit=may_edit,
            now=now,
        )
        for trigger in (*written, *added)
    ]
    if entry.collection in seen[1].get("limited", ()):  # these counts are about all records
        found = [one if one.definition.kind == "schedule" else replace(one, counts={}) for one in found]
    return entry, found


MOST_WAITING = 10_000
"""So many firings that wait are counted."""
_WAITING = """
select w.trigger, count(*) from (select f.trigger from console.firing f where f.workflow = %s and f.status = 'waiting' limit %s) w group by w.trigger
"""


def _listed(
    trigger: Trigger,
    row: Any | None,
    last: Sequence[Fired],
    waiting: int,
    *,
    active: bool,
    may_edit: bool,
    now: datetime,
) -> Listed:
    enabled = trigger.starts_enabled if row is None else bool(row.enabled)
    next_at: list[datetime] = []
    if trigger.kind == "schedule" and enabled and active and row is not None and row.next_at is not None:
        next_at = [
            row.next_at,
            *schedule.following(trigger.fields or "", trigger.zone or UTC_ZONE, max(row.next_at, now), NEXT),
        ][:NEXT]
    address = None
    if may_edit and row is not None and row.address is not None:
        address = hook_addresses.open_token(row.workflow, row.id, "address", bytes(row.address))
    counts = {
        name: 0 if row is None else getattr(row, name)
        for name in ("matched", "passed", "left_out", "stopped")
    } | {"waiting": waiting}
    if trigger.kind == "webhook":
        counts["matched"] += waiting  # those are counted when their runs begin
    return Listed(
        trigger.id,
        trigger,
        enabled,
        row is not None,
        active,
        tuple(next_at),
        tuple(last),
        counts,
        None if row is None else row.problem,
        None if row is None else row.problem_at,
        address,
        has_secret=row is not None and row.secret is not None,
    )


def _last(
    connection: Connection, actor: Actor, workflow_id: str, seen: str, given: dict[str, list[str]]
) -> dict[str, list[Fired]]:
    """The newest firings of each trigger that meet the condition `seen`; one statement. Of who was enrolled it tells what became of them since."""
    ranked = f"""
select f.trigger, f.at, f.status, r.id, case when e.run is not null then null when e.status = 'left' then :out else f.why end, f.collection, f.record,
    case when f.kind = 'schedule' and f.status = 'started' and f.done_at > f.at + :late then f.done_at end,
    case when f.status = 'waiting' and f.tries > 0 then f.due_at end from (
    select t.id from console.trigger t where t.workflow = :workflow
) t cross join lateral (
    select * from console.firing f where f.workflow = :workflow and f.trigger = t.id and {seen} order by f.at desc, f.id desc limit :most
) f left join console.enrolment e on f.run is null and e.workflow = :workflow and e.key = f.id
left join {access.runs(actor).sql()} on r.id = coalesce(f.run, e.run) order by f.trigger, f.at desc, f.id desc
"""  # noqa: S608 (texts of ours)
    found: dict[str, list[Fired]] = {}
    for row in connection.execute(
        sa.text(ranked),
        {"workflow": workflow_id, "most": LAST, "out": OUT_AGAIN, "late": schedule.LATE, **given},
    ):
        about = (row[5], row[6]) if row[5] and row[6] else None
        found.setdefault(row[0], []).append(Fired(row[1], row[2], row[3], row[4], about, row[7], row[8]))
    return found


# --------------------------------------------------------------------------------------------------------------- changing


@dataclass(frozen=True, slots=True)
class Made:
    """A trigger that was added or changed. `secret` is shown once."""

    id: str
    kind: str
    enabled: bool
    address: str | None = None
    secret: str | None = None


def add(actor: Actor, slug_or_id: str, given: Mapping[str, Any]) -> Made:
    """Add a trigger to the draft of a workflow. A webhook has its address at once, and works while the workflow is active; others begin when it is published.

    Raises NotFound, NotAllowed, Invalid with a detail per field, DefinitionError where the draft is wrong with it, Conflict `no_account` for a signed
    webhook where the live version names no service account.
    """
    entry, draft = workflows.entry(actor, slug_or_id), workflows.open_draft(actor, slug_or_id)
    trigger = _checked({"id": new_id("trg"), **given})
    written = list(draft.document.get("triggers") or ())
    if any(each.get("id") == trigger.id for each in written):
        raise Conflict(
            f"There is a trigger {trigger.id} already: change that one, or choose another id.", code="exists"
        )
    _require_sound(
        {**draft.document, "triggers": [*written, trigger.to_json()]}, f"triggers[{len(written)}]."
    )
    if trigger.kind == incoming.KIND:  # it works at once; what the draft names counts when it is published
        _require_account(entry, trigger)
    workflows.edit(actor, entry.id, draft.revision, [AddTrigger(trigger=trigger.to_json(), place=None)])
    made = Made(trigger.id, trigger.kind, trigger.starts_enabled)
    if trigger.kind != incoming.KIND:
        return made
    token, secret = hook_addresses.fresh_token(), hook_addresses.fresh_secret() if trigger.signed else None
    values = {
        "kind": trigger.kind,
        "definition": trigger.to_json(),
        "declared": trigger.starts_enabled,
        "enabled": trigger.starts_enabled,
        "added": True,
        "version": None,
        "token": hook_addresses.digest(token),
        "address": hook_addresses.seal_token(entry.id, trigger.id, "address", token),
        "secret": hook_addresses.seal_token(entry.id, trigger.id, "secret", secret)
        if secret is not None
        else None,
    }
    with transaction() as connection:
        connection.execute(insert(table).values(workflow=entry.id, id=trigger.id, **values))
        _note(actor, entry, trigger.id, trigger.kind, "added", connection)
    return Made(trigger.id, trigger.kind, trigger.starts_enabled, token, secret)


def _require_sound(document: Mapping[str, Any], place: str) -> None:
    """Raise DefinitionError with what is wrong at this place of the document; the rest of a draft may be unfinished."""
    wrong = [
        problem
        for problem in workflows.check(document, workflows.connected())
        if problem.severity == "error" and problem.field.startswith(place)
    ]
    if wrong:
        raise workflows.refused("The trigger", wrong)


def _require_account(entry: Entry, trigger: Trigger) -> None:
    """Raise Conflict where the live version names nobody who could act for what the trigger starts."""
    live = (
        workflows.version(entry.id, entry.live_version).document if entry.live_version is not None else None
    )
    if live is not None and (why := triggers_check.nobody_acts(trigger, live.run_as)):
        raise Conflict(
            f"{why} Choose it under Runs as in the editor and publish; then this can be switched on.",
            code="no_account",
            at=("run_as", "Name a service account, and publish."),
        )


def _checked(given: Mapping[str, Any]) -> Trigger:
    try:
        return Trigger.model_validate(dict(given))
    except ValidationError as error:
        details = [(spot.path or "trigger", spot.reason) for spot in model_errors(error, Trigger)]
        raise Invalid("The trigger was not added.", details=details) from None


def switch(actor: Actor, slug_or_id: str, ident: str, *, enabled: bool) -> Made:
    """Switch a trigger on or off, at once. What happened while it was off is not made up for. Raises NotFound, NotAllowed, Conflict `no_account`."""
    entry = _allowed(actor, slug_or_id, "activate")
    pos = reached()
    with transaction() as connection:
        row = _locked(connection, entry.id, ident)
        if bool(row.enabled) != enabled:
            definition = Trigger.model_validate(row.definition)
            if enabled:
                _require_account(entry, definition)
            on = enabled and entry.status == "active"
            values = (
                trigger_rows.progress(definition, None, on=on, now=row.now, pos=pos)
                if row.version is not None
                else {}
            )
            _update(connection, entry.id, ident, enabled=enabled, problem=None, problem_at=None, **values)
            _note(actor, entry, ident, row.kind, "on" if enabled else "off", connection)
    return Made(ident, row.kind, enabled, _address(entry.id, row))


def try_waiting(actor: Actor, slug_or_id: str, ident: str) -> int:
    """Try now to start what a trigger has taken in and could not start yet; returns how many, 0 where none waits. Raises NotFound, NotAllowed."""
    entry = _allowed(actor, slug_or_id, "activate")
    with transaction() as connection:
        kind = _locked(connection, entry.id, ident).kind
        if count := try_now(connection, entry.id, ident):
            _note(actor, entry, ident, kind, "again", connection, count=count)
    return count


def current_trigger(actor: Actor, slug_or_id: str, ident: str) -> Made:
    """A trigger as it is now, for who may edit the workflow; never its secret. Raises NotFound, NotAllowed."""
    entry, found = list_triggers(actor, slug_or_id)
    workflows.require(actor, entry, "edit")
    for trigger in found:
        if trigger.id == ident:
            return Made(trigger.id, trigger.definition.kind, trigger.enabled, trigger.address)
    raise NotFound("There is no such trigger any more.")


def rotate(actor: Actor, slug_or_id: str, ident: str) -> Made:
    """Give a webhook a new address; the old one is worthless from now on. Raises NotFound, NotAllowed, Conflict for another kind."""
    token = hook_addresses.fresh_token()
    return _renewed(
        actor, slug_or_id, ident, "address", token, address=token, token=hook_addresses.digest(token)
    )


def renew_secret(actor: Actor, slug_or_id: str, ident: str, given: str = "") -> Made:
    """Give a signed webhook a new secret: the one that its sender made (`given`), else a fresh one, which is shown once.

    The old one is worthless from now on. Raises as `rotate`, and Invalid for what is no secret.
    """
    if given.strip():
        return _renewed(actor, slug_or_id, ident, "secret", hook_addresses.checked_secret(given))
    secret = hook_addresses.fresh_secret()
    return _renewed(actor, slug_or_id, ident, "secret", secret, secret=secret)


def _renewed(
    actor: Actor,
    slug_or_id: str,
    ident: str,
    column: str,
    text: str,
    *,
    token: bytes | None = None,
    **shown: str,
) -> Made:
    entry = _allowed(actor, slug_or_id, "edit")
    with transaction() as connection:
        row = _locked(connection, entry.id, ident)
        if row.kind != incoming.KIND or (column == "secret" and not row.definition.get("signed")):
            raise Conflict(
                "Only a webhook has an address, and only a signed one a secret.", code="not_possible"
            )
        values = {column: hook_addresses.seal_token(entry.id, ident, column, text)} | (
            {"token": token} if token is not None else {}
        )
        _update(connection, entry.id, ident, **values)
        _note(actor, entry, ident, row.kind, column, connection)
    return Made(ident, row.kind, bool(row.enabled), **{"address": _address(entry.id, row), **shown})


def _allowed(actor: Actor, slug_or_id: str, act: str) -> Entry:
    entry = workflows.entry(actor, slug_or_id)
    workflows.require(actor, entry, act)
    trigger_rows.synchronise(entry.id)
    return entry


def _locked(connection: Connection, workflow_id: str, ident: str) -> Any:
    found = connection.execute(
        sa.select(table, CLOCK.label("now"))
        .where(table.c.workflow == workflow_id, table.c.id == ident)
        .with_for_update()
    ).first()
    if found is None:
        raise NotFound(f"There is no trigger {ident} of this workflow that is published.")
    return found


def _update(connection: Connection, workflow_id: str, ident: str, **values: Any) -> None:
    connection.execute(
        sa.update(table)
        .where(table.c.workflow == workflow_id, table.c.id == ident)
        .values(**values, changed_at=CLOCK)
    )


def _address(workflow_id: str, row: Any) -> str | None:
    return (
        None
        if row.address is None
        else hook_addresses.open_token(workflow_id, row.id, "address", bytes(row.address))
    )


def _note(
    actor: Actor, entry: Entry, ident: str, kind: str, change: str, connection: Connection, **more: int
) -> None:
    label = access.label_of(f"{workflows.OBJECT}:{entry.slug}")
    data = {"workflow": entry.id, "trigger": ident, "trigger_kind": kind, "change": change} | more
    chain = None if label else workflows.CHAIN
    log.note(
        actor,
        "trigger_changed",
        open=data,
        team=entry.team or None,
        chain=chain,
        label=label,
        connection=connection,
    )
