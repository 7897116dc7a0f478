"""Changes of rules before they count: what one admin has put together, what it comes to for whom, and the versions there were."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from console import access
from console.access import history, policy_store
from console.access.history import Version
from console.access.index import Index
from console.access.policy_changes import Change, Effect, between, effects, is_rule
from console.access.rows import EVERY, LEVELS, PolicyError, Row, checked, line, parse
from console.access.spoken_names import Names, known
from console.core.actor import Actor
from console.db.engine import fetch, transaction
from console.errors import Conflict, ConsoleError, NotFound
from console.rights import rule_conditions
from console.rights.cut_off import CutOff, cut_off
from console.rights.writing import everybody, judge, write

_MINE = "select base, added, removed, at from console.policy_draft where person = %s"
_KEEP = sa.text(
    "insert into console.policy_draft (person, base, added, removed) values (:person, :base, cast(:added as jsonb), cast(:removed as jsonb))"
    " on conflict (person) do update set added = excluded.added, removed = excluded.removed, base = excluded.base, at = now()"
)
_DROP = sa.text("delete from console.policy_draft where person = :person")


@dataclass(frozen=True, slots=True)
class Draft:
    """What an admin has changed and not published. `base` is the version that it was begun on; `theirs` are rules that others published since."""

    base: int
    change: Change
    at: datetime | None = None
    theirs: tuple[Version, ...] = ()

    def rows(self) -> list[Row]:
        """The rows as they would be."""
        return self.change.applied(access.all_rows())


@dataclass(frozen=True, slots=True)
class Preview:
    """What a draft would come to: for whom, and which version of the rules it was reckoned with. `people` is how many have an open account,
    `cut_off` the live runs that their holders could not go on with.
    """

    version: int
    change: Change
    effects: tuple[Effect, ...]
    people: int
    touched: int
    cut_off: tuple[CutOff, ...] = ()
    more_cut_off: bool = False


def draft(actor: Actor) -> Draft:
    """The admin's own; without changes where there is none. Raises NotAllowed."""
    access.require(actor, None, "policy", "manage")
    found = fetch(_MINE, (actor.id,))
    if not found:
        return Draft(access.current_version(), Change())
    base, added, removed, at = found[0]
    change = Change(frozenset(policy_store.unpacked(added)), frozenset(policy_store.unpacked(removed))).on(access.all_rows())
    theirs = tuple(one for one in history.since(base) if one.change.of_rules and one.by != actor.id)
    return Draft(base, change, at, theirs)


def put(actor: Actor, former: Iterable[Row], wanted: Iterable[Row]) -> Draft:
    """Take these rows of the draft for others; nothing counts before it is published. Raises NotAllowed, PolicyError."""
    mine, new = draft(actor), [checked(row) for row in wanted]
    change = mine.change.replacing(access.all_rows(), former, new)
    Index(change.applied(access.all_rows()))
    return _keep(actor, mine.base, change)


def discard(actor: Actor) -> None:
    """Throw the draft away. Raises NotAllowed."""
    access.require(actor, None, "policy", "manage")
    with transaction() as connection:
        connection.execute(_DROP, {"person": actor.id})


def preview(actor: Actor, change: Change | None = None) -> Preview:
    """What the draft (or `change`) would come to now. Raises NotAllowed, PolicyError."""
    judge(actor)
    version, rows = access.current_version(), access.all_rows()
    wanted = draft(actor).change if change is None else change
    people = [f"user:{person.id}" for person in everybody()]
    told = tuple(effects(Index(rows), Index(wanted.applied(rows)), wanted, people))
    touched = {person for effect in told for person in (*effect.gained, *effect.lost, *effect.otherwise)}
    cut, more = cut_off(actor, wanted)
    return Preview(version, wanted, told, len(people), len(touched), tuple(cut), more)


def publish(actor: Actor, version: int, note: str = "") -> int:
    """Let the draft count, which was looked at with this version in force; the new one.

    Raises NotAllowed, Overtaken where somebody else published rules since, Conflict where there is nothing to publish, PolicyError.
    """
    mine = draft(actor)
    if not mine.change:
        raise Conflict("There is nothing to publish: the draft changes nothing.", code="nothing_changed")
    return write(actor, mine.change, base=version, names=known(), note=note.strip()[:300],
                 also=lambda connection: connection.execute(_DROP, {"person": actor.id}))  # fmt: skip


def versions(actor: Actor, before: int | None = None, limit: int = 50) -> list[Version]:
    """Versions of the rights, newest first; those in which only people were given roles are among them. Raises NotAllowed."""
    access.require(actor, None, "policy", "manage")
    return history.newest(limit, before)


def undo(actor: Actor, number: int) -> Draft:
    """Put into the draft what leads back to the rules as they were before this version; published, they count again.

    Who was given which role stays as it is. Raises NotAllowed, NotFound, Conflict where the history has a gap.
    """
    mine = draft(actor)
    if history.get(number) is None:
        raise NotFound
    there = history.rows_at(number - 1, access.all_rows())
    if there is None:
        raise Conflict("The rules were changed past the console since: that version cannot be brought back.", code="history_gap")
    now = [row for row in access.all_rows() if is_rule(row)]
    return _keep(actor, mine.base, between(now, filter(is_rule, there)))


def compare(text: str, name: str) -> Change:
    """What a policy file would change in the rules and in what roles are built from. Raises PolicyError with the line that is wrong.

    Lines that give a role to somebody are compared too where the file has any.
    """
    wanted = parse(text, name)
    if not any(row.ptype == "p" for row in wanted):
        raise PolicyError(f"{name} holds no rule: nobody could do anything after it.")
    people = any(not is_rule(row) for row in wanted)
    return between((row for row in access.all_rows() if people or is_rule(row)), wanted)


def publish_file(actor: Actor, change: Change, note: str) -> int:
    """Let a change that a file brings count at once, as one version. Raises NotAllowed, Conflict where it changes nothing, PolicyError."""
    judge(actor)
    if not change:
        raise Conflict("The file says what is in force already.", code="nothing_changed")
    return write(actor, change, base=access.current_version(), names=known(), note=note)


def problems(rows: Iterable[Row]) -> list[str]:
    """What is wrong or doubtful in rows that can be read: roles, teams and objects that are not there, conditions that mean nothing there."""
    names, there = known(), list(rows)
    Index(there)
    roles = {row.sub for row in there if row.sub.startswith("role:")} | {f"role:{level}" for level in LEVELS}
    return list(dict.fromkeys(f"{told} (in {line(row)})" for row in there for told in _problems(row, roles, names)))


def _problems(row: Row, roles: set[str], names: Names) -> Iterable[str]:
    kind, _, ident = row.obj.partition(":")
    if row.dom != EVERY and row.dom.removeprefix("t:") not in names.titles.get("team", {}):
        yield f"there is no team {row.dom.removeprefix('t:')}"
    if row.ptype == "g" and row.obj not in roles:
        yield f"the role {ident} has no rule"
    if row.ptype == "p" and kind in ("collection", "action", "workflow", "inbox") and ident not in (EVERY, *names.titles.get(kind, {})):
        yield f"there is no {kind} {ident}"
    elif row.expression:
        try:
            rule_conditions.check(row.obj, (row.act,), row.expression)
        except ConsoleError as error:
            yield error.message


def lines(change: Change, names: Names) -> Sequence[tuple[str, Row]]:
    """(`+` or `-`, row) in the order of the policy file, what goes before what comes."""
    told = [("-", row) for row in change.removed] + [("+", row) for row in change.added]
    return sorted(told, key=lambda one: (names.who(one[1].sub), one[1].dom, one[1].obj, one[1].act, one[0] == "+"))


def _keep(actor: Actor, base: int, change: Change) -> Draft:
    with transaction() as connection:
        if not change:
            connection.execute(_DROP, {"person": actor.id})
            return Draft(access.current_version(), change)
        told = {
            "person": actor.id,
            "base": base,
            "added": policy_store.packed(change.added),
            "removed": policy_store.packed(change.removed),
        }
        connection.execute(_KEEP, told)
    return Draft(base, change)
