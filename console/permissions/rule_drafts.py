"""Drafts of rule changes: an admin's unpublished changes, their effects, and the published versions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import records, workflows
from console.auth import access, accounts
from console.auth.access import history, policy_store
from console.auth.access.history import Version
from console.auth.access.index import Index, Verdict
from console.auth.access.labels import Names, all_titles
from console.auth.access.policy_changes import Change, Effect, between, effects, is_rule
from console.auth.access.rows import EVERY, LEVELS, PolicyError, Row, checked, line, parse
from console.core import scopes
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, NotFound
from console.infra.db import tables
from console.infra.db.engine import fetch, transaction
from console.permissions import rule_conditions, second_admin
from console.permissions.second_admin import Request
from console.permissions.writing import everybody, require_manager, require_unmoved, write
from console.runs.views.lists import RunHead, visible_runs

_MINE = "select base, added, removed, at from console.policy_draft where person = %s"
_KEEP = sa.text(
    "insert into console.policy_draft (person, base, added, removed) values (:person, :base, cast(:added as jsonb), cast(:removed as jsonb))"
    " on conflict (person) do update set added = excluded.added, removed = excluded.removed, base = excluded.base, at = now()"
)
_DROP = sa.text("delete from console.policy_draft where person = :person")


@dataclass(frozen=True, slots=True)
class Draft:
    """An admin's unpublished changes. `base`: the version that it started from; `theirs`: rules published by others since."""

    base: int
    change: Change
    at: datetime | None = None
    theirs: tuple[Version, ...] = ()

    def rows(self) -> list[Row]:
        """The rows with the draft applied."""
        return self.change.applied(access.all_rows())


@dataclass(frozen=True, slots=True)
class CutOff:
    """A run whose holder could not continue it; `lacks` says which right they would lose."""

    run: RunHead
    lacks: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The effects of a draft: on whom, compared with which version. `people` is the number of active accounts, `cut_off` the runs that their
    holders could not continue.
    """

    version: int
    change: Change
    effects: tuple[Effect, ...]
    people: int
    touched: int
    cut_off: tuple[CutOff, ...] = ()
    more_cut_off: bool = False


def draft(actor: Actor) -> Draft:
    """The admin's draft, empty if there is none. Raises NotAllowed."""
    access.require(actor, None, "policy", "manage")
    found = fetch(_MINE, (actor.id,))
    if not found:
        return Draft(access.current_version(), Change())
    base, added, removed, at = found[0]
    change = Change(frozenset(policy_store.unpacked(added)), frozenset(policy_store.unpacked(removed))).on(
        access.all_rows()
    )
    theirs = tuple(
        version for version in history.since(base) if version.change.of_rules and version.by != actor.id
    )
    return Draft(base, change, at, theirs)


def put(actor: Actor, former: Iterable[Row], wanted: Iterable[Row]) -> Draft:
    """Replace rows in the draft; nothing takes effect before it is published. Raises NotAllowed, PolicyError."""
    mine, new = draft(actor), [checked(row) for row in wanted]
    change = mine.change.replacing(access.all_rows(), former, new)
    Index(change.applied(access.all_rows()))
    return _keep(actor, mine.base, change)


def discard(actor: Actor) -> None:
    """Delete the draft. Raises NotAllowed."""
    access.require(actor, None, "policy", "manage")
    with transaction() as connection:
        connection.execute(_DROP, {"person": actor.id})
        second_admin.void(connection, actor, "The draft was thrown away.")


def preview(actor: Actor, change: Change | None = None) -> Preview:
    """The effects of the draft (or of `change`). Raises NotAllowed, PolicyError."""
    require_manager(actor)
    version, rows = access.current_version(), access.all_rows()
    wanted = draft(actor).change if change is None else change
    people = [f"user:{person.id}" for person in everybody()]
    effects_ = tuple(effects(Index(rows), Index(wanted.applied(rows)), wanted, people))
    touched = {person for effect in effects_ for person in (*effect.gained, *effect.lost, *effect.otherwise)}
    cut, more = cut_off(actor, wanted)
    return Preview(version, wanted, effects_, len(people), len(touched), tuple(cut), more)


def publish(actor: Actor, version: int, note: str = "") -> int:
    """Publish the draft, which was reviewed against this version; returns the new version.

    Raises NotAllowed, Overtaken if somebody else published rules since, Conflict if there is nothing to publish, PolicyError.
    """
    mine = draft(actor)
    if not mine.change:
        raise Conflict("There is nothing to publish: the draft changes nothing.", code="nothing_changed")
    return write(
        actor,
        mine.change,
        base=version,
        names=all_titles(),
        note=note.strip()[:300],
        also=lambda connection: _published(connection, actor),
    )


def _published(connection: Connection, actor: Actor) -> None:
    connection.execute(_DROP, {"person": actor.id})
    second_admin.void(connection, actor, "The draft was published without it.")


def ask_to_publish(actor: Actor, version: int, note: str = "") -> Request:
    """Ask a second administrator to confirm the draft, which was reviewed against this version.

    Raises NotAllowed, Overtaken, and Conflict if there is nothing to publish, or nobody has to confirm it (`not_possible`).
    """
    mine = draft(actor)
    if not mine.change:
        raise Conflict("There is nothing to publish: the draft changes nothing.", code="nothing_changed")
    with transaction() as connection:
        own = policy_store.second_needed(connection, mine.change, actor.id)
        if own is None:
            raise Conflict("Nobody has to confirm this: publish it.", code="not_possible")
        require_unmoved(version, access.current_version(), all_titles(), connection)
        return second_admin.ask(actor, mine.change, own, connection, base=version, note=note.strip()[:300])


def versions(actor: Actor, before: int | None = None, limit: int = 50) -> list[Version]:
    """Versions of the policy, newest first, including those that only gave roles to people. Raises NotAllowed."""
    access.require(actor, None, "policy", "manage")
    return history.newest(limit, before)


def undo(actor: Actor, number: int) -> Draft:
    """Put into the draft what restores the rules before this version.

    People's roles stay as they are. Raises NotAllowed, NotFound, Conflict if the history has a gap.
    """
    mine = draft(actor)
    if history.get(number) is None:
        raise NotFound
    there = history.rows_at(number - 1, access.all_rows())
    if there is None:
        raise Conflict(
            "The rules were changed past the console since: that version cannot be brought back.",
            code="history_gap",
        )
    now = [row for row in access.all_rows() if is_rule(row)]
    return _keep(actor, mine.base, between(now, filter(is_rule, there)))


def compare(text: str, name: str) -> Change:
    """What a policy file would change in rules and in the structure of roles. Raises PolicyError with the wrong line.

    People's roles are compared only if the file has any.
    """
    wanted = parse(text, name)
    if not any(row.ptype == "p" for row in wanted):
        raise PolicyError(f"{name} holds no rule: nobody could do anything after it.")
    people = any(not is_rule(row) for row in wanted)
    return between((row for row in access.all_rows() if people or is_rule(row)), wanted)


def publish_file(actor: Actor, change: Change, note: str) -> int:
    """Publish a change from a file at once, as one version. Raises NotAllowed, Conflict if it changes nothing, PolicyError."""
    require_manager(actor)
    if not change:
        raise Conflict("The file says what is in force already.", code="nothing_changed")
    return write(actor, change, base=access.current_version(), names=all_titles(), note=note)


def problems(rows: Iterable[Row]) -> list[str]:
    """Errors and doubts in valid rows: unknown roles, teams and objects, conditions that do not fit their object."""
    names, there = all_titles(), list(rows)
    Index(there)
    roles = {row.sub for row in there if row.sub.startswith("role:")} | {f"role:{level}" for level in LEVELS}
    return list(
        dict.fromkeys(
            f"{problem} (in {line(row)})" for row in there for problem in _problems(row, roles, names)
        )
    )


def _problems(row: Row, roles: set[str], names: Names) -> Iterable[str]:
    kind, _, ident = row.obj.partition(":")
    if row.dom != EVERY and row.dom.removeprefix("t:") not in names.titles.get("team", {}):
        yield f"there is no team {row.dom.removeprefix('t:')}"
    if row.ptype == "g" and row.obj not in roles:
        yield f"the role {ident} has no rule"
    if (
        row.ptype == "p"
        and kind in ("collection", "action", "workflow", "inbox")
        and ident not in (EVERY, *names.titles.get(kind, {}))
    ):
        yield f"there is no {kind} {ident}"
    elif row.expression:
        try:
            rule_conditions.check(row.obj, (row.act,), row.expression)
        except ConsoleError as error:
            yield error.message


def lines(change: Change, names: Names) -> Sequence[tuple[str, Row]]:
    """(`+` or `-`, row) in the order of the policy file, removals before additions."""
    rows = [("-", row) for row in change.removed] + [("+", row) for row in change.added]
    return sorted(
        rows, key=lambda pair: (names.who(pair[1].sub), pair[1].dom, pair[1].obj, pair[1].act, pair[0] == "+")
    )


def _keep(actor: Actor, base: int, change: Change) -> Draft:
    with transaction() as connection:
        second_admin.void(connection, actor, "The draft was changed.")
        if not change:
            connection.execute(_DROP, {"person": actor.id})
            return Draft(access.current_version(), change)
        parameters = {
            "person": actor.id,
            "base": base,
            "added": policy_store.packed(change.added),
            "removed": policy_store.packed(change.removed),
        }
        connection.execute(_KEEP, parameters)
    return Draft(base, change)


SHOWN = 50
_HELD = "select r.id, r.team, r.workflow, r.holder, r.collection, r.record from {runs} where r.ended_at is null and r.holder is not null"


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
    heads, more = visible_runs(
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
