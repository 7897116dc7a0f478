"""Runs in progress whose holders would lose a needed right by a change: shown by name before publishing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console import records, workflows
from console.auth import access, accounts
from console.auth.access import policy_store
from console.auth.access.index import Index, Verdict
from console.auth.access.policy_changes import Change
from console.core import scopes
from console.core.actor import Actor
from console.core.errors import ConsoleError
from console.infra.db import tables
from console.infra.db.engine import fetch
from console.runs.views.lists import RunHead, listed

SHOWN = 50
_HELD = "select r.id, r.team, r.workflow, r.holder, r.collection, r.record from {runs} where r.ended_at is null and r.holder is not null"


@dataclass(frozen=True, slots=True)
class CutOff:
    """A run whose holder could not continue it; `lacks` says which right they would lose."""

    run: RunHead
    lacks: str


def cut_off(actor: Actor, change: Change) -> tuple[list[CutOff], bool]:
    """(affected runs that the actor may see, last touched first; whether there are more)."""
    before, after = policy_store.current().index, Index(change.applied(access.all_rows()))
    slugs = {known.id: known.slug for known in workflows.all_known()}
    losing: dict[str, str] = {}
    looked_at: dict[tuple[str, str], dict[str, list[str]]] = {}  # holder and collection → record → runs
    for run, team, workflow, holder, collection, record in fetch(_HELD.format(runs=access.runs(actor).sql())):
        obj, sub = f"workflow:{slugs.get(workflow, '')}", f"user:{holder}"
        if _loses(before, after, sub, team, obj, "see"):
            losing[run] = "see it"
        elif _loses(before, after, sub, team, obj, "resume"):
            losing[run] = "go on with it"
        elif collection is not None:
            looked_at.setdefault((holder, collection), {}).setdefault(record, []).append(run)
    for (holder, collection), runs in looked_at.items():
        losing |= dict.fromkeys(
            (run for key in _lost(before, after, holder, collection, list(runs)) for run in runs[key]),
            "read its record",
        )
    if not losing:
        return [], False
    run = tables.run.c
    heads, more = listed(
        actor,
        run.id.in_(sorted(losing)),
        run.ended_at.is_(None),
        order=(run.active_at.desc(), run.id),
        limit=SHOWN,
    )
    return [CutOff(head, losing[head.id]) for head in heads], more is not None


def _loses(before: Index, after: Index, sub: str, team: str | None, obj: str, act: str) -> bool:
    """Whether the person has the right now, with or without a condition, and has it in no case after the change."""
    return before.verdict(sub, team, obj, act).possible and not after.verdict(sub, team, obj, act).possible


def _lost(before: Index, after: Index, holder: str, collection: str, keys: list[str]) -> set[str]:
    """The records that the person sees now and would not see after the change."""
    obj, sub = f"collection:{collection}", f"user:{holder}"
    was, will = (index.verdict(sub, None, obj, "read") for index in (before, after))
    if was == will or not was.possible:
        return set()
    if not will.possible:
        return set(keys)
    try:
        attributes = accounts.actor_of_person(holder).attributes
        seen = [
            set(records.visible_keys(collection, keys, _scope(collection, verdict, attributes)))
            for verdict in (was, will)
        ]
    except ConsoleError:
        return set()  # a closed account loses nothing, and a source that does not answer cannot be checked
    return seen[0] - seen[1]


def _scope(collection: str, verdict: Verdict, attributes: Mapping[str, Any]) -> scopes.Scope:
    return scopes.Scope(
        collection=collection,
        allow=() if verdict.barred else verdict.allow,
        deny=verdict.deny,
        attributes=attributes,
        everything=verdict.free and not verdict.barred,
    )
