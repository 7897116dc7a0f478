"""The only judge of what an actor may do, to what, in which team.

`require` decides for whoever acts, `scope_for` gives the part of a collection that they may see. Both answer from an index compiled
from the rows of the policy (`policies/roles.csv`, then the table `console.policy`), which are written in Casbin's language.
Everything is refused that no row allows; a row that denies wins over every row that allows.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.access import clearance as labels, narrowing, policy_store, policy_words, second, subject_scope
from console.access.index import Index
from console.access.narrowing import Scopes
from console.access.role_rights import RoleRights, rights
from console.access.rows import ACTS, EVERY, PolicyError, Row, export, kind_of, line, parse
from console.access.run_reach import EVERY_RUN, Runs
from console.access.spoken_names import spoken, team_name
from console.core import scopes
from console.core.actor import Actor
from console.db import engine as db
from console.errors import NotAllowed

__all__ = [
    "ACTS",
    "EVERYWHERE",
    "EVERY_RUN",
    "Index",
    "PolicyError",
    "RoleRights",
    "Row",
    "Runs",
    "Scopes",
    "Why",
    "acts_of",
    "all_labelled",
    "all_rows",
    "assign",
    "can",
    "check_clearance",
    "clearance",
    "clearance_of",
    "cleared_for",
    "cleared_for_good",
    "could",
    "current_version",
    "deciding",
    "exists_for",
    "export",
    "following",
    "grant",
    "held",
    "hidden_from",
    "history",
    "holders",
    "index",
    "known_labels",
    "label_of",
    "labelled",
    "limits",
    "narrowing",
    "parse",
    "policy_changes",
    "policy_store",
    "policy_words",
    "refresh",
    "relabelled",
    "require",
    "require_groups_agreed",
    "rights",
    "roles_of",
    "roots_of",
    "rows",
    "run_reach",
    "runs",
    "scope_for",
    "second",
    "spoken_names",
    "subject_for",
    "subject_of",
    "subject_path",
    "subject_scope",
    "why",
]

EVERYWHERE = frozenset({"auditor", "admin", "developer"})
"""Shipped roles that are not held in one team but in all."""

refresh = policy_store.refresh
subject_of = subject_scope.subject_of
subject_path = subject_scope.path_of
require_groups_agreed = policy_store.require_groups_agreed


@dataclass(frozen=True, slots=True)
class Why:
    """An answer with its reason: the row that decided, None where no row says anything."""

    allowed: bool
    row: Row | None
    text: str


def require(
    actor: Actor,
    team: str | None,
    obj: str,
    act: str,
    record: Mapping[str, Any] | None = None,
    *,
    run: Mapping[str, Any] | None = None,
    typed: Mapping[str, Any] | None = None,
) -> None:
    """Nothing, when the actor may do this in the team of this id (None: in any team of theirs).

    `record`, `run` and `typed` (a form's values, `input`) are what a condition looks at. A collection asked about without a record is allowed when some of its records
    may be: which ones, `scope_for` says. Raises `NotAllowed`, whose message names the right and who can grant it.
    """
    if not can(actor, team, obj, act, record, run=run, typed=typed):
        if not narrowing.within(actor, obj, act):
            raise NotAllowed(_not_in_key(obj, act), code="not_in_key", need=(obj, act))
        raise _not_allowed(team, obj, act)


def can(
    actor: Actor,
    team: str | None,
    obj: str,
    act: str,
    record: Mapping[str, Any] | None = None,
    *,
    run: Mapping[str, Any] | None = None,
    typed: Mapping[str, Any] | None = None,
) -> bool:
    """Whether `require` would let this pass. What is rare and dangerous takes the index and Casbin (`access.second`)."""
    if actor.key_id is not None and not narrowing.within(actor, obj, act):
        return False
    held = policy_store.current()
    if not _indexed(held, actor, team, obj, act, record, run, typed):
        return False
    if not second.dangerous(obj, act):
        return True
    roots = _judged_roots(actor, obj, record, run, typed)
    return second.agrees(held, second.Question(actor, team, obj, act, roots, some=record is None and obj.startswith("collection:")))


def _indexed(
    held: policy_store.Held,
    actor: Actor,
    team: str | None,
    obj: str,
    act: str,
    record: Mapping[str, Any] | None,
    run: Mapping[str, Any] | None,
    typed: Mapping[str, Any] | None,
) -> bool:
    """The index's answer."""
    if obj in held.labels and not _open(held, actor, obj, act, record):
        return False
    verdict = held.index.verdict(f"user:{actor.id}", team, obj, act)
    if obj.startswith("collection:") and verdict.possible:
        scope = subject_scope.rows_of(held, actor, team, obj.partition(":")[2], act)
        return not scope.nothing if record is None else scope.allows(_leading(scope, record), datetime.now(UTC))
    if verdict.plain or not verdict.possible:
        return verdict.plain
    return verdict.holds(roots_of(actor, record, run, typed))


def _leading(scope: scopes.Scope, record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record's values; where the scope follows relations, with what these lead to."""
    return following(scope.collection, record) or {} if scope.follows else record


def following(collection_id: str | None, record: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The record's values such that conditions of rights can follow its relations: for a judgement, never to be shown."""
    from console.records import catalogue, leading

    known = record is not None and collection_id in catalogue.current().collections
    return leading(str(collection_id), record or {}) if known else record


def could(
    actor: Actor, team: str | None, obj: str, act: str, record: Mapping[str, Any] | None = None, *, run: Mapping[str, Any] | None = None
) -> bool:
    """Whether `can` may still say yes when more is known: of an action before its form is filled in. What is offered, not what is done."""
    if actor.key_id is not None and not narrowing.within(actor, obj, act):
        return False
    held = policy_store.current()
    if obj in held.labels and not _open(held, actor, obj, act, record):
        return False
    verdict = held.index.verdict(f"user:{actor.id}", team, obj, act)
    return verdict.plain or verdict.may_hold(roots_of(actor, record, run, None))


def scope_for(actor: Actor, collection_id: str, act: str = "read", *, sensitive: Iterable[str] | None = None) -> scopes.Scope:
    """The records of the collection on which the actor may `act`, and the fields kept from them; all their teams add up.

    Without a row that allows it the scope holds nothing; of a collection that holds somebody's data it holds the records whose subject the
    actor may read (`access.subjects`). `sensitive` names the collection's sensitive fields, for who only looks: where such values are
    uncovered one by one, they are hidden, and `masked`.
    """
    return _scope(actor, None, collection_id, act, sensitive)


def _scope(actor: Actor, team: str | None, collection_id: str, act: str, sensitive: Iterable[str] | None = None) -> scopes.Scope:
    held, sub = policy_store.current(), f"user:{actor.id}"
    index, obj = held.index, f"collection:{collection_id}"
    hidden = index.hidden(sub, None, collection_id)
    masked = frozenset(sensitive or ()) if obj in held.masking else frozenset()
    shut = hidden.unreadable | masked
    if not narrowing.within(actor, obj, act):
        return scopes.Scope(collection=collection_id, attributes=actor.attributes, hidden=hidden.unreadable, fixed=hidden.unwritable)
    rows = subject_scope.rows_of(held, actor, team, collection_id, act)
    if not rows.nothing and second.dangerous(obj, act):
        agreed = second.agrees(held, second.Question(actor, team, obj, act, roots_of(actor), some=True))
        rows = rows if agreed else scopes.Scope(collection_id, attributes=actor.attributes)
    return replace(
        rows,
        hidden=shut and shut | _made_of(collection_id, shut),
        fixed=hidden.unwritable | masked,
        masked=masked - hidden.unreadable,
        elsewhere=functools.partial(scope_for, actor),
    )


def subject_for(actor: Actor, collection_id: str) -> scopes.Subject | None:
    """What narrows the actor's rules on the collection: its subject, and which of those they may read; None where nothing does."""
    return subject_scope.narrowed(policy_store.current(), actor, collection_id)


def _made_of(collection_id: str, hidden: frozenset[str]) -> frozenset[str]:
    """Computed fields that would tell something of the hidden ones."""
    from console.records import catalogue

    collection = catalogue.current().collections.get(collection_id)
    return frozenset() if collection is None else frozenset(item.name for item in collection.computed_fields if item.inputs & hidden)


def why(
    actor: Actor, team: str | None, obj: str, act: str, record: Mapping[str, Any] | None = None, *, run: Mapping[str, Any] | None = None
) -> Why:
    """The answer as Casbin gives it, with the row that decided. For a page that explains."""
    policy = policy_store.current()
    if obj in policy.labels and not _open(policy, actor, obj, act, record):
        return Why(False, None, _missing(team, obj, act))
    allowed, row = second.decided(policy, second.Question(actor, team, obj, act, _judged_roots(actor, obj, record, run, None)))
    if row is None:
        return Why(False, None, _missing(team, obj, act))
    return Why(allowed, row, f"{'Allowed' if allowed else 'Denied'} by: {line(row)}")


def _judged_roots(
    actor: Actor, obj: str, record: Mapping[str, Any] | None, run: Mapping[str, Any] | None, typed: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What conditions look at, a collection's record so that they can follow its relations."""
    judged = following(obj.partition(":")[2], record) if obj.startswith("collection:") else record
    return roots_of(actor, judged, run, typed)


def clearance(actor: Actor) -> frozenset[str]:
    """Labels that the actor may see at this moment, by a role or for a time."""
    held = policy_store.current()
    return labels.held(held.index, held.known, f"user:{actor.id}", actor.attributes)


def runs(reader: Actor) -> Runs:
    """The runs that are there for this reader, for every statement about runs. For the engine and whoever has the shell: all of them."""
    return EVERY_RUN if reader.kind == "system" else Runs(tuple(sorted(clearance(reader))))


def clearance_of(person_id: str) -> frozenset[str]:
    """As `clearance`, of the person of this id, before there is an actor."""
    held = policy_store.current()
    return labels.held(held.index, held.known, f"user:{person_id}", {})


def cleared_for(actor: Actor, label: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """That a row without a label, or with one that the actor may see, stands here: the one condition of every list."""
    return runs(actor).condition(label)


def label_of(obj: str, record: Mapping[str, Any] | None = None) -> str | None:
    """The label of `workflow:<slug>` or `collection:<id>`, None without one; of a collection whose label has a condition, that of this record."""
    label = policy_store.current().labels.get(obj)
    if label is None or (label.when is not None and (record is None or label.when.denies({"record": record}))):
        return None
    return label.id


def labelled(label: str) -> list[str]:
    """Objects (`workflow:<slug>`, `collection:<id>`) that carry the label, in order."""
    return sorted(obj for obj, each in policy_store.current().labels.items() if each.id == label)


def all_labelled() -> frozenset[str]:
    """Objects (`workflow:<slug>`, `collection:<id>`) that carry any label, for some of their records at least."""
    return frozenset(policy_store.current().labels)


def hidden_from(actor: Actor) -> list[str]:
    """Objects that are not there for the actor, because of their label, in order; none for the engine and whoever has the shell."""
    return [] if actor.kind == "system" else sorted(obj for obj in policy_store.current().labels if not exists_for(actor, obj))


def check_clearance(told: Any) -> None:
    """Raise `PolicyError` where this is no `clearance` of a collection: `{"label": …}`, with `when` for some of its records only."""
    labels.check(told)


def exists_for(actor: Actor, obj: str) -> bool:
    """Whether the object is there for the actor at all: what carries a label that they are not cleared for is not."""
    held = policy_store.current()
    return obj not in held.labels or _open(held, actor, obj, "see", None)


def known_labels() -> frozenset[str]:
    """Ids of the labels that the policy, a workflow or a collection names."""
    return policy_store.current().known


def cleared_for_good(person_id: str, label: str) -> bool:
    """Whether the person is cleared for the label by a role, and not for a time."""
    return labels.for_good(policy_store.current().index, f"user:{person_id}", label)


def relabelled(connection: Connection, by: str) -> None:
    """Let every process read anew which collections need which clearance, within a second of this transaction's commit."""
    policy_store.write(connection, by=by, note="A collection needs another clearance.")


def acts_of(actor: Actor) -> dict[str, list[str]]:
    """Kind of object → acts that the actor may do on some object of it, be it under a condition: what a key of theirs can be made for."""
    index, sub = policy_store.current().index, f"user:{actor.id}"
    objects: dict[str, set[str]] = {}
    for row in index.rows:
        if row.ptype == "p":
            objects.setdefault(kind_of(row.obj), set()).add(row.obj)
    kinds = narrowing.spoken_kinds(ACTS)
    held = {
        kind: [act for act in acts if any(index.verdict(sub, None, obj, act).possible for obj in objects.get(kind, ()))]
        for kind, acts in kinds.items()
    }
    return {kind: acts for kind, acts in held.items() if acts}


def current_version() -> int:
    """The number of the policy that decisions of this process follow; events keep it."""
    return policy_store.current().version


def all_rows() -> Sequence[Row]:
    """All rows of the policy in use."""
    return policy_store.current().index.rows


def roles_of(person_id: str) -> frozenset[tuple[str, str]]:
    """Pairs of role and team id (`*`: everywhere) of this person."""
    return policy_store.current().index.roles(f"user:{person_id}")


def held(actor: Actor, team: str) -> frozenset[str]:
    """Roles of the actor in the team of this id, with the levels that they are built from: what a step's `roles` are compared with."""
    return policy_store.current().index.held(f"user:{actor.id}", team)


def holders(role: str) -> frozenset[str]:
    """Ids of the persons who have this role somewhere."""
    return frozenset(sub.removeprefix("user:") for sub in policy_store.current().index.holders(role) if sub.startswith("user:"))


def grant(
    role: str,
    obj: str,
    acts: Iterable[str],
    expression: str = "",
    *,
    team: str = EVERY,
    connection: Connection | None = None,
    by: str = "",
) -> int:
    """Let a role do these acts on the object, in one team or in every one; the new version of the policy.

    With `connection` it happens in the caller's transaction, and counts in this process within a second of its commit.
    Raises `PolicyError` for an act or a condition that means nothing.
    """
    added = [Row("p", f"role:{role}", _place(team), obj, act, "allow", expression) for act in acts]
    with _writing(connection) as writing:
        return policy_store.write(writing, added=added, by=by)


def assign(person_id: str, roles: Iterable[tuple[str, str]], *, connection: Connection | None = None, by: str = "") -> int:
    """Make these pairs of role and team id (`*`: everywhere) the roles of the person, instead of those before; the new version."""
    wanted = {Row("g", f"user:{person_id}", _place(team), f"role:{role}") for role, team in roles}
    with _writing(connection) as writing:
        before = {row for row in policy_store.rows_of(writing, sub=f"user:{person_id}") if row.ptype == "g"}
        return policy_store.write(writing, added=sorted(wanted - before), removed=sorted(before - wanted), by=by)


@contextmanager
def _writing(connection: Connection | None) -> Iterator[Connection]:
    """The caller's transaction, or one of its own after which this process follows at once; never on an empty policy."""
    if connection is not None:
        policy_store.seed(connection)
        yield connection
        return
    with db.transaction() as own:
        policy_store.seed(own)
        yield own
    policy_store.refresh()


def _open(held: policy_store.Held, actor: Actor, obj: str, act: str, record: Mapping[str, Any] | None) -> bool:
    """Whether the label of the object leaves the question to the rows: the actor is cleared for it, or the record has none, or it is only reported to."""
    label = held.labels[obj]
    if act == labels.REPORT or labels.sees(held.index, f"user:{actor.id}", label.id, actor.attributes):
        return True
    return label.when is not None and (record is None or label.when.denies({"record": record}))


def _place(team: str) -> str:
    return EVERY if team == EVERY else f"t:{team}"


def roots_of(
    actor: Actor, record: Mapping[str, Any] | None = None, run: Mapping[str, Any] | None = None, typed: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What conditions look at; what is not given is unknown to them."""
    given = {"record": record, "run": run, "input": typed}
    return {"currentUser": actor.attributes, "now": datetime.now(UTC)} | {name: value for name, value in given.items() if value is not None}


def _not_in_key(obj: str, act: str) -> str:
    return f"This key leaves out {kind_of(obj)}.{act}{f' on {spoken(obj)}' if ':' in obj else ''}. Make one that includes it: Settings, API keys."


def _missing(team: str | None, obj: str, act: str) -> str:
    return _not_allowed(team, obj, act).message


def _not_allowed(team: str | None, obj: str, act: str) -> NotAllowed:
    who = "An admin" if team is None else f"A lead of {team_name(team)} or an admin"
    named = spoken(obj) if ":" in obj else ""
    message = f"Needs {kind_of(obj)}.{act}{f' on {named}' if named else ''}. {who} can grant it."
    return NotAllowed(
        message, need=(obj, act), team=team, words=f"You may not {policy_words.refused(obj, act, named)}. {who} can grant it."
    )
