"""Decides whether an actor may do an act on an object. `access.limits` says why."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from console.auth.access import (
    casbin_agreement,
    narrowing,
    ownership,
    policy_store,
    policy_words,
    subject_scope,
)
from console.auth.access.clearance_lookup import leaves_open
from console.auth.access.labels import spoken
from console.auth.access.rows import kind_of
from console.core.actor import Actor
from console.core.errors import NotAllowed

_Values = Mapping[str, Any] | None
DISAGREEMENT = (
    "The two judges of rights disagree about this, so it was refused. Who manages the rights was told."
)


def require(
    actor: Actor,
    team: str | None,
    obj: str,
    act: str,
    record: _Values = None,
    *,
    run: _Values = None,
    typed: _Values = None,
) -> None:
    """Raise `NotAllowed` unless the actor may do this in the team of this id (None: in any of their teams).

    Conditions are tested against `record`, `run` and `typed` (submitted form values, `input`). For a collection without a record, it is enough that
    some records are allowed; `scope_for` says which. The error names the missing right and who can grant it.
    """
    if not can(actor, team, obj, act, record, run=run, typed=typed):
        if not narrowing.within(actor, obj, act):
            raise NotAllowed(_not_in_key(obj, act), code="not_in_key", need=(obj, act))
        policy, asked = policy_store.current(), (actor, team, obj, act, record, run, typed)
        if casbin_agreement.dangerous(obj, act) and _indexed(policy, *asked):
            raise NotAllowed(DISAGREEMENT, code="rights_disagree", need=(obj, act), team=team)
        raise _not_allowed(team, obj, act)


def who_grants() -> str:
    """Whoever can give a right, by their roles: “An admin”. They manage the rights, or people's roles; who leads a team can do neither."""
    rows = policy_store.current().index.rows
    giving = {
        row.sub
        for row in rows
        if row.act == "manage" and row.obj in ("policy", "user") and row.eft == "allow" and row.ptype == "p"
    }
    named = sorted(spoken(sub) for sub in giving if sub.startswith("role:")) or ["Admin"]
    words = " or ".join(
        f"{'an' if name[:1] in 'AEIOU' else 'a'} {name[:1].lower()}{name[1:]}" for name in named
    )
    return words[:1].upper() + words[1:]


def can(
    actor: Actor,
    team: str | None,
    obj: str,
    act: str,
    record: _Values = None,
    *,
    run: _Values = None,
    typed: _Values = None,
) -> bool:
    """Whether `require` would pass. Rare, dangerous acts need both the index and Casbin to agree (`access.second`)."""
    if (actor.key_id is not None and not narrowing.within(actor, obj, act)) or (
        actor.service and act == "approve"
    ):
        return False
    policy = policy_store.current()
    if not _indexed(policy, actor, team, obj, act, record, run, typed):
        return False
    if not casbin_agreement.dangerous(obj, act):
        return True
    return casbin_agreement.agrees(policy, _question(actor, team, obj, act, record, run, typed))


def acts_as(
    actor: Actor, team: str, roles: Collection[str], need: tuple[str, str] = casbin_agreement.APPROVAL
) -> bool:
    """Whether the actor has one of these roles in the team of this id (`*`: in every team), for an act that roles decide: an approval that
    names them, or giving them away. Needs both judges, as `can` does.
    """
    policy = policy_store.current()
    if policy.index.held(f"user:{actor.id}", team).isdisjoint(roles):
        return False
    return casbin_agreement.agrees(
        policy, casbin_agreement.Question(actor, team, *need, {}, roles=tuple(sorted(roles)))
    )


def somewhere(actor: Actor, team: str | None, kind: str, act: str) -> bool:
    """Whether `can` may answer yes for any object of this kind (`collection`): asked first where thousands of them would be asked one by one."""
    return policy_store.current().index.somewhere(f"user:{actor.id}", team, kind, act)


def _indexed(
    policy: policy_store.Held,
    actor: Actor,
    team: str | None,
    obj: str,
    act: str,
    record: _Values,
    run: _Values,
    typed: _Values,
) -> bool:
    """The decision of the index."""
    if obj in policy.labels and not leaves_open(policy, actor, obj, act, record):
        return False
    if not ownership.opens(policy.index, policy.personal, actor.id, obj, act):
        return False
    verdict = policy.index.verdict(f"user:{actor.id}", team, obj, act)
    if obj.startswith("collection:") and verdict.possible:
        collection_id = obj.partition(":")[2]
        if record is None and obj not in policy.labels and not subject_scope.path_of(collection_id):
            return True  # some records, whatever the conditions: nothing leads to a subject
        scope = subject_scope.rows_of(policy, actor, team, collection_id, act)
        if record is None:
            return not scope.nothing
        values = follow_relations(scope.collection, record) or {} if scope.follows else record
        return scope.allows(values, datetime.now(UTC))
    if verdict.plain or not verdict.possible:
        return verdict.plain
    return verdict.holds(roots_of(actor, record, run, typed))


def follow_relations(collection_id: str | None, record: _Values) -> Mapping[str, Any] | None:
    """The record's values, prepared so that conditions can follow relations. For decisions only, never for display."""
    from console.records import catalogue, leading

    known = record is not None and collection_id in catalogue.current().collections
    return leading(str(collection_id), record or {}) if known else record


def could(
    actor: Actor, team: str | None, obj: str, act: str, record: _Values = None, *, run: _Values = None
) -> bool:
    """Whether `can` may still answer yes once more values are known, e.g. before an action's form is filled in. Decides what is offered."""
    if actor.key_id is not None and not narrowing.within(actor, obj, act):
        return False
    policy = policy_store.current()
    if obj in policy.labels and not leaves_open(policy, actor, obj, act, record):
        return False
    if not ownership.opens(policy.index, policy.personal, actor.id, obj, act):
        return False
    verdict = policy.index.verdict(f"user:{actor.id}", team, obj, act)
    return verdict.plain or verdict.may_hold(roots_of(actor, record, run, None))


def _question(
    actor: Actor, team: str | None, obj: str, act: str, record: _Values, run: _Values, typed: _Values
) -> casbin_agreement.Question:
    """The question for Casbin; the record of a collection can follow its relations."""
    of_records = obj.startswith("collection:")
    roots = roots_of(
        actor, follow_relations(obj.partition(":")[2], record) if of_records else record, run, typed
    )
    return casbin_agreement.Question(actor, team, obj, act, roots, some=record is None and of_records)


def roots_of(
    actor: Actor, record: _Values = None, run: _Values = None, typed: _Values = None
) -> dict[str, Any]:
    """The values that conditions test. What is not given is unknown."""
    given = {"record": record, "run": run, "input": typed}
    return {"currentUser": actor.attributes, "now": datetime.now(UTC)} | {
        name: value for name, value in given.items() if value is not None
    }


def _not_in_key(obj: str, act: str) -> str:
    return f"This key leaves out {kind_of(obj)}.{act}{f' on {spoken(obj)}' if ':' in obj else ''}. Make one that includes it: Settings, API keys."


def _not_allowed(team: str | None, obj: str, act: str) -> NotAllowed:
    who = who_grants()
    named = spoken(obj) if ":" in obj else ""
    message = f"Needs {kind_of(obj)}.{act}{f' on {named}' if named else ''}. {who} can grant it."
    return NotAllowed(
        message,
        need=(obj, act),
        team=team,
        words=f"You may not {policy_words.refused(obj, act, named)}. {who} can grant it.",
    )
