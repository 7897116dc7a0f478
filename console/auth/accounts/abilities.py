"""What roles allow, in words, and what a change of roles gives and takes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from console.auth import access
from console.auth.access import Index, Row, subject_scope
from console.auth.access.rows import EVERY, PERMISSIONS, kind_of
from console.auth.accounts import authority, person_changes, persons
from console.auth.accounts.authority import Pair
from console.core.actor import Actor
from console.core.plain_words import humanised
from console.infra.db import engine as db

Right = tuple[str, str, str]
"""Team id (`*`: every team), object, act."""

SOMEBODY = "user:somebody"
NAMED = 8  # number of objects that a sentence names

_EVERY = {
    "collection": "every collection",
    "action": "every action",
    "workflow": "every workflow",
    "inbox": "every inbox",
    "label": "every label",
    "account": "every service account",
}
_KINDS = (
    "workflow",
    "account",
    "inbox",
    "action",
    "collection",
    "label",
    "activity",
    "ai",
    "subject",
    "source",
    "policy",
    "key",
    "user",
    "webhook",
)
_TITLES = sa.text(
    "select 'workflow:' || slug, title from console.workflow union all select 'inbox:' || id, title from console.inbox"
    " union all select 'action:' || id, title from console.action"
)


@dataclass(frozen=True, slots=True)
class Ability:
    """One sentence: what may be done in this place (a team's name or "Everywhere"). `some`: under a condition."""

    place: str
    text: str
    some: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """What a person can do after a change and could not before, and the reverse."""

    gains: tuple[Ability, ...]
    losses: tuple[Ability, ...]


def of_person(actor: Actor, person_id: str) -> list[Ability]:
    """What the person may do: everywhere first, then by team. Raises NotAllowed, NotFound."""
    authority.require(actor)
    return ability_sentences(rights(persons.person(person_id).roles))


def difference(actor: Actor, person_id: str, pairs: Iterable[Pair]) -> Difference:
    """What these roles would give to the person and take from them. Raises NotAllowed, NotFound."""
    authority.require(actor)
    before, after = rights(persons.person(person_id).roles), rights(person_changes.place_everywhere(pairs))
    gained = {
        right: some for right, some in after.items() if right not in before or (before[right] and not some)
    }
    lost = {
        right: some for right, some in before.items() if right not in after or (after[right] and not some)
    }
    return Difference(tuple(ability_sentences(gained)), tuple(ability_sentences(lost)))


def rights(pairs: Iterable[Pair]) -> dict[Right, bool]:
    """Rights of somebody with these roles → whether only under a condition. Rights in every team are not repeated per team."""
    given = [
        Row("g", SOMEBODY, EVERY if team == EVERY else f"t:{team}", f"role:{role}") for role, team in pairs
    ]
    rows = _of_roles({row.obj for row in given})
    index = Index([*rows, *given])
    everywhere = any(row.dom == EVERY for row in given)
    teams = {row.dom.removeprefix("t:") for row in given} | (
        {row.dom.removeprefix("t:") for row in rows if row.ptype == "p"} if everywhere else set()
    )
    found: dict[Right, bool] = {}
    for team in sorted(teams if everywhere else teams - {EVERY}):  # `*` sorts first
        place = "" if team == EVERY else team  # stands for all teams that no row names
        held = {f"role:{role}" for role in index.held(SOMEBODY, place)}
        for row in rows:
            if (
                row.ptype == "p"
                and row.eft == "allow"
                and row.sub in held
                and row.dom in (EVERY, f"t:{team}")
            ):
                for act in sorted(access.ACTS[kind_of(row.obj)]) if row.act == EVERY else [row.act]:
                    verdict = index.verdict(SOMEBODY, place, row.obj, act)
                    if verdict.possible and found.get((EVERY, row.obj, act), True):
                        found[(team, row.obj, act)] = _limited(index, place, row.obj, act)
    return {right: some for right, some in found.items() if not _within_every(right, found)}


def _limited(index: Index, place: str, obj: str, act: str, above: frozenset[str] = frozenset()) -> bool:
    """Whether the right has a condition, of its own or from the subject of the collection."""
    verdict = index.verdict(SOMEBODY, place, obj, act)
    if verdict.barred or verdict.deny:
        return True
    collection = obj.removeprefix("collection:")
    if collection == obj or not access.subject_path(collection):
        return not verdict.free
    if any(condition.text.strip() == "true" for condition in verdict.allow):
        return False
    subject = access.subject_of(collection)
    if not verdict.free or subject is None:
        return True
    return subject not in above and _limited(
        index, place, f"collection:{subject}", "read", above | {collection}
    )


def ability_sentences(found: Mapping[Right, bool]) -> list[Ability]:
    """The rights as sentences; acts allowed on the same objects share one."""
    titles, teams = _titles(), {team.id: team.name for team in persons.teams()}
    objects: dict[tuple[str, str, str, bool], list[str]] = {}
    for (team, obj, act), some in sorted(found.items()):
        objects.setdefault((team, kind_of(obj), act, some), []).append(_called(obj, titles))
    groups: dict[tuple[str, str, bool, tuple[str, ...]], list[int]] = {}
    for (team, kind, act, some), named in objects.items():
        groups.setdefault((team, kind, some, tuple(sorted(named))), []).append(_acts(kind).index(act))
    said: list[tuple[tuple[bool, str, str, int, int], Ability]] = []
    for (team, kind, some, names), acts in groups.items():
        place = "Everywhere" if team == EVERY else teams.get(team, humanised(team))
        verbs = [
            PERMISSIONS[kind].get(_acts(kind)[act], _acts(kind)[act].replace("_", " "))
            for act in sorted(acts)
        ]
        order = (team != EVERY, place, team, _KINDS.index(kind), min(acts))
        said.append((order, Ability(place, f"{_and(verbs)}{_names(names)}", some)))
    return [ability for _, ability in sorted(said, key=lambda ability: ability[0])]


def _acts(kind: str) -> list[str]:
    """Acts of the kind in display order."""
    known = list(PERMISSIONS[kind])
    return [*known, *sorted(access.ACTS[kind] - set(known))]


def _of_roles(roles: set[str]) -> list[Row]:
    """The rows of these roles and of the roles they are built from (one level deep)."""
    every = authority.role_rows()
    nested = [row for row in every if row.ptype == "g" and row.sub in roles]
    wanted = roles | {row.obj for row in nested}
    return [*nested, *(row for row in every if row.ptype == "p" and row.sub in wanted)]


def _within_every(right: Right, found: Mapping[Right, bool]) -> bool:
    """Whether `workflow:*` in the same place already includes it."""
    team, obj, act = right
    every = f"{kind_of(obj)}:{EVERY}"
    return (
        ":" in obj
        and obj != every
        and any(found.get((place, every, act), True) is False for place in (team, EVERY))
    )


def _titles() -> dict[str, str]:
    titles = {row[0]: row[1] for row in db.read_rows(_TITLES)}
    return titles | {f"collection:{name}": label for name, label in subject_scope.labels().items()}


def _called(obj: str, titles: Mapping[str, str]) -> str:
    kind, colon, ident = obj.partition(":")
    if not colon:
        return ""
    return _EVERY[kind] if ident == EVERY else titles.get(obj) or humanised(ident.rpartition(".")[2])


def _names(named: Sequence[str]) -> str:
    """The end of a sentence: nothing, ` every inbox`, or a list after a colon."""
    shown = [name for name in dict.fromkeys(named) if name]
    if not shown or shown[0] in _EVERY.values():
        return f" {shown[0]}" if shown else ""
    return ": " + _and([*shown[:NAMED], f"{len(shown) - NAMED} more"] if len(shown) > NAMED + 1 else shown)


def _and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
