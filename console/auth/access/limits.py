"""Explains a refusal: the limit that the person exceeded, and who has the right."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from console.auth.access import casbin_agreement, ownership, policy_store, subject_scope
from console.auth.access.decisions import Belonging, Decision, decide
from console.auth.access.judgement import follow_relations
from console.auth.access.labels import Names, all_titles
from console.auth.access.policy_words import act as act_words, condition
from console.auth.access.rows import EVERY, Row
from console.core.actor import Actor
from console.core.scopes import Scope
from console.infra.db import engine as db

NAMED = 3
_OPEN = sa.text(
    "select id, name from console.person where disabled_at is null and id = any(:ids) order by name, id"
)


def exceeded_limits(person: str, team: str | None, obj: str, act: str, roots: Mapping[str, Any]) -> str:
    """The limits that stop this person, and who may act instead, as sentences; empty if no rule would allow it under any condition."""
    decision, names = (
        decide(policy_store.current().index, f"user:{person}", team, obj, act, roots),
        all_titles(),
    )
    limits = list(dict.fromkeys(limit(rule.row, names) for rule in decision.unmet))
    if decision.allowed or not limits:
        return ""
    others = able(team, obj, act, roots)
    return " ".join([*limits, f"{join_names(others)} may." if others else "An admin can grant more."])


def limit(row: Row, names: Names) -> str:
    """The rule as a limit, one sentence: `Operator in Operations may execute Refund a charge only where Amount is at most 50,000`."""
    return f"{names.who(row.sub)} {names.place(row.dom)} may {act_words(row.act)} {names.object(row.obj)} only where {condition(row.expression)}."


def able(team: str | None, obj: str, act: str, roots: Mapping[str, Any] | None = None) -> list[str]:
    """Names of people with an active account who may do this, sorted. Conditions are tested against `roots` and each person."""
    return [name for _, name in people_able(team, obj, act, roots)]


def people_able(
    team: str | None, obj: str, act: str, roots: Mapping[str, Any] | None = None
) -> list[tuple[str, str]]:
    """(id, name) of the people with an active account who may do this, sorted as `able` does."""
    policy = policy_store.current()
    index, found = policy.index, []
    for sub in sorted(index.subjects):
        kind, _, ident = sub.partition(":")
        if (
            kind == "user"
            and ownership.opens(index, policy.personal, ident, obj, act)
            and index.verdict(sub, team, obj, act).holds({**(roots or {}), "currentUser": {"id": ident}})
        ):
            found.append(ident)
    if not found:
        return []
    return [(ident, name) for ident, name in db.read_rows(_OPEN, {"ids": found})]


def join_names(names: Iterable[str]) -> str:
    """Names joined as words: `Mona Verbeek, Petra Lindholm and 2 more` or `Mona Verbeek or Petra Lindholm`."""
    labels = list(names)
    if len(labels) > NAMED:
        return f"{', '.join(labels[:NAMED])} and {len(labels) - NAMED} more"
    return " or ".join(filter(None, [", ".join(labels[:-1]), *labels[-1:]]))


def decision_of(
    person: str, team: str | None, obj: str, act: str, roots: Mapping[str, Any], *, some: bool = False
) -> Decision:
    """The decision of index and Casbin under the policy in use. If they disagree it is a refusal, and raises an alarm.

    `roots` are the values that conditions test; the person's attributes are `currentUser`.
    """
    held, collection = (
        policy_store.current(),
        obj.partition(":")[2] if obj.startswith("collection:") else None,
    )
    actor = _actor(person, roots.get("currentUser") or {})
    if collection is not None and not some:
        roots = {**roots, "record": follow_relations(collection, roots.get("record")) or {}}
    decision = decide(held.index, f"user:{person}", team, obj, act, roots, some=some)
    scope = None if collection is None else subject_scope.rows_of(held, actor, team, collection, act)
    indexed = (
        decision.allowed
        if scope is None
        else not scope.nothing
        if some
        else scope.allows(roots["record"], roots.get("now"))
    )
    question = casbin_agreement.Question(actor, team, obj, act, roots, some=some)
    allowed, row = casbin_agreement.decided(held, question)
    if allowed is not indexed:
        casbin_agreement.alarm(held, question, "asked for the reasons, they answer differently")
    subject = _belonging(scope, roots.get("record"), roots.get("now"), some=some)
    return replace(decision, allowed=allowed and indexed, row=row, subject=subject, agreed=allowed is indexed)


def _actor(person: str, attributes: Mapping[str, Any]) -> Actor:
    """An actor for the person with these attributes."""
    name, email = (str(attributes.get(each) or "") for each in ("name", "email"))
    roles = frozenset((role, EVERY) for role in attributes.get("roles") or ())
    return Actor(
        "user",
        person,
        name,
        email,
        teams=tuple(attributes.get("teams") or ()),
        roles=roles,
        tags=attributes.get("tags") or {},
    )


def _belonging(
    scope: Scope | None, record: Mapping[str, Any] | None, now: Any, *, some: bool
) -> Belonging | None:
    """The subject of the scope's records, if it narrows the scope."""
    if scope is None or scope.subject is None:
        return None
    readable = not scope.subject.scope.nothing if some else scope.subject.seen_from(record, now)
    return Belonging(scope.subject.path, subject_scope.subject_of(scope.collection), readable)
