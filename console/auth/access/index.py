"""The policy compiled into an immutable index. Gives the same answers as Casbin, about a thousand times faster."""

import functools
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from console.auth.access.rows import EVERY, PolicyError, Row, checked, line
from console.core import expressions
from console.core.expressions import Expression, ExpressionError


class Verdict(NamedTuple):
    """What the rows say about a request before conditions are evaluated.

    `free`: allowed without a condition. `barred`: denied without a condition, which wins over everything. Otherwise one condition in `allow`
    must be true, and none in `deny`.
    """

    free: bool = False
    barred: bool = False
    allow: tuple[Expression, ...] = ()
    deny: tuple[Expression, ...] = ()

    def __or__(self, other: "Verdict") -> "Verdict":
        """Both verdicts combined."""
        return Verdict(
            self.free or other.free,
            self.barred or other.barred,
            self.allow + other.allow,
            self.deny + other.deny,
        )

    @property
    def possible(self) -> bool:
        """Whether the request could be allowed at all."""
        return not self.barred and (self.free or bool(self.allow))

    @property
    def plain(self) -> bool:
        """Whether the request is allowed whatever the conditions say."""
        return self.free and not self.barred and not self.deny

    def may_hold(self, roots: Mapping[str, Any]) -> bool:
        """Whether the request may still be allowed: unknown values count in its favour."""
        allowed = self.possible and (
            self.free or any(not condition.denies(roots) for condition in self.allow)
        )
        return allowed and not any(condition.test(roots) for condition in self.deny)

    def holds(self, roots: Mapping[str, Any]) -> bool:
        """Whether the request is allowed with these values (`record`, `run`, `currentUser`); unknown values refuse it."""
        allowed = self.possible and (self.free or any(condition.test(roots) for condition in self.allow))
        return allowed and all(condition.denies(roots) for condition in self.deny)


class Hidden(NamedTuple):
    """Names of unreadable fields and of fields that may not be changed; unreadable fields may not be changed either."""

    unreadable: frozenset[str]
    unwritable: frozenset[str]


_NOTHING = Verdict()
_Said = dict[tuple[str, str], Verdict]
_Denied = dict[str, list[tuple[str, str]]]


class Rights(NamedTuple):
    """What the rows of rights say, whoever has the roles: most changes of a policy only give roles or take them, and leave this as it was."""

    said: dict[tuple[str, str], _Said]  # (subject, place) → (object, act) → what its rows say
    fields: dict[tuple[str, str], _Denied]  # (subject, place) → collection → (field, act)
    unmasked: dict[tuple[str, str], dict[str, set[str]]]  # (subject, place) → collection → fields
    alone: frozenset[str]
    merged: dict[frozenset[tuple[str, str]], _Said]  # shared by everybody with the same roles


@functools.lru_cache(maxsize=8)
def _rights(rows: tuple[Row, ...]) -> Rights:
    """The rows without those that give roles. Raises `PolicyError` for the first that is invalid or has an unreadable condition."""
    made = Rights({}, {}, {}, frozenset(row.sub for row in rows if not row.sub.startswith("role:")), {})
    parsed: dict[str, Expression] = {}
    for row in rows:
        _put(made, checked(row), parsed)
    return made


def _put(made: Rights, row: Row, parsed: dict[str, Expression]) -> None:
    place = (row.sub, row.dom)
    if row.obj.startswith("field:"):
        collection, _, name = row.obj.removeprefix("field:").partition("/")
        if row.eft == "allow":
            made.unmasked.setdefault(place, {}).setdefault(collection, set()).add(name)
        else:
            made.fields.setdefault(place, {}).setdefault(collection, []).append((name, row.act))
        return
    if row.expression and row.expression not in parsed:
        try:
            parsed[row.expression] = expressions.parse(row.expression)
        except ExpressionError as error:
            raise PolicyError(f"the condition cannot be read: {error} (in {line(row)})") from error
    conditions = (parsed[row.expression],) if row.expression else ()
    allows = row.eft == "allow"
    verdict = Verdict(
        allows and not conditions,
        not allows and not conditions,
        conditions if allows else (),
        () if allows else conditions,
    )
    said = made.said.setdefault(place, {})
    said[(row.obj, row.act)] = said.get((row.obj, row.act), _NOTHING) | verdict


class Index:
    """All policy rows, indexed by subject and team. Immutable; caches its answers."""

    __slots__ = (
        "_alone",
        "_fields",
        "_known",
        "_merged",
        "_nested",
        "_places",
        "_roles",
        "_said",
        "_somewhere",
        "_teams",
        "_unmasked",
        "rows",
    )

    def __init__(self, rows: Iterable[Row]) -> None:
        """Raises `PolicyError` for the first row that is invalid, has an unreadable condition, or nests roles too deeply."""
        self.rows: tuple[Row, ...] = tuple(rows)
        self._roles: dict[str, dict[str, set[str]]] = {}  # user or key → place → roles
        self._nested: dict[str, dict[str, set[str]]] = {}  # role → place → roles that it is built from
        self._teams: frozenset[str] = frozenset(row.dom for row in self.rows if row.dom != EVERY)
        for row in self.rows:
            if row.ptype == "g":
                book = self._nested if checked(row).sub.startswith("role:") else self._roles
                book.setdefault(row.sub, {}).setdefault(row.dom, set()).add(row.obj)
        self._said, self._fields, self._unmasked, self._alone, self._merged = _rights(
            tuple(row for row in self.rows if row.ptype != "g")
        )
        self._refuse_depth()
        self._known: dict[tuple[str, str | None], _Said] = {}
        self._places: dict[tuple[str, str | None], frozenset[tuple[str, str]]] = {}
        self._somewhere: dict[tuple[str, str | None], frozenset[tuple[str, str]]] = {}

    def verdict(self, sub: str, team: str | None, obj: str, act: str) -> Verdict:
        """What the rows say about `sub` (`user:<id>`) doing `act` on `obj` in the team of this id; None: in any team of `sub`."""
        said = self._said_of(sub, team)
        verdict = said.get((obj, act), _NOTHING)
        every = said.get((obj, EVERY))
        if every is not None:
            verdict |= every
        kind, colon, _ = obj.partition(":")
        if colon:
            for key in ((kind + ":*", act), (kind + ":*", EVERY)):
                more = said.get(key)
                if more is not None:
                    verdict |= more
        return verdict

    def somewhere(self, sub: str, team: str | None, kind: str, act: str) -> bool:
        """Whether the rows may let `sub` do `act` on any object of the kind: if not, no object has to be asked for."""
        acts = self._somewhere.get((sub, team))
        if acts is None:
            said = self._said_of(sub, team).items()
            acts = frozenset(
                (obj.partition(":")[0], does) for (obj, does), verdict in said if verdict.possible
            )
            self._somewhere[(sub, team)] = acts
        return (kind, act) in acts or (kind, EVERY) in acts

    def _said_of(self, sub: str, team: str | None) -> _Said:
        said = self._known.get((sub, team))
        if said is None:
            said = self._known[(sub, team)] = self._merge(
                frozenset(place for place in self._reach(sub, team) if place in self._said)
            )
        return said

    def hidden(self, sub: str, team: str | None, collection: str) -> Hidden:
        """Fields of the collection that a role of `sub` is denied in this team (None: in any of its teams)."""
        denied = {
            pair
            for place in self._reach(sub, team)
            for pair in self._fields.get(place, {}).get(collection, ())
        }
        unreadable = frozenset(name for name, act in denied if act in ("read", EVERY))
        return Hidden(unreadable, unreadable | {name for name, _ in denied})

    def unmasked(self, sub: str, team: str | None, collection: str) -> frozenset[str]:
        """Fields of the collection that `sub` reads as they are in this team (None: in any of its teams), also where others see them masked."""
        return frozenset(
            name
            for place in self._reach(sub, team)
            for name in self._unmasked.get(place, {}).get(collection, ())
        )

    def roles(self, sub: str) -> frozenset[tuple[str, str]]:
        """Pairs of role and team id (`*`: every team) given to `sub` directly."""
        return frozenset(
            (role.removeprefix("role:"), dom.removeprefix("t:"))
            for dom, roles in self._roles.get(sub, {}).items()
            for role in roles
        )

    def held(self, sub: str, team: str) -> frozenset[str]:
        """Roles of `sub` in this team, including the roles that they are built from."""
        return frozenset(
            who.removeprefix("role:") for who, _ in self._reach(sub, team) if who.startswith("role:")
        )

    def teams(self, sub: str) -> frozenset[str]:
        """Ids of the teams in which `sub` has a role, without `*`."""
        return frozenset(dom.removeprefix("t:") for dom in self._roles.get(sub, {}) if dom != EVERY)

    def reach(self, sub: str, team: str | None) -> frozenset[tuple[str, str]]:
        """Pairs of subject and place whose rows apply to `sub` in the team of this id (None: in all of its teams)."""
        return self._reach(sub, team)

    @property
    def named_teams(self) -> frozenset[str]:
        """Ids of the teams named in any row."""
        return frozenset(dom.removeprefix("t:") for dom in self._teams)

    def domains(self, sub: str) -> frozenset[str]:
        """Places (`t:<id>`, `*` for teams that no row names) where `sub` may have rights."""
        own = self._roles.get(sub, {})
        # a role in every team, or rows of one's own, are not bound to a team
        return self._teams | {EVERY} if EVERY in own or sub in self._alone else frozenset(own)

    def built_from(self, role: str) -> frozenset[tuple[str, str]]:
        """Pairs of role and team id (`*`: every team) that this role is built from."""
        book = self._nested.get(f"role:{role}", {})
        return frozenset(
            (inner.removeprefix("role:"), dom.removeprefix("t:"))
            for dom, roles in book.items()
            for inner in roles
        )

    @property
    def subjects(self) -> frozenset[str]:
        """Everybody with a role or with rows of their own: `user:<id>`."""
        return frozenset(self._roles) | self._alone

    @property
    def subjects_alone(self) -> frozenset[str]:
        """Everybody with rows of their own."""
        return self._alone

    def holders(self, role: str) -> frozenset[str]:
        """Subjects (`user:<id>`) that were given this role directly in any team."""
        return frozenset(
            sub
            for sub, book in self._roles.items()
            if any(f"role:{role}" in roles for roles in book.values())
        )

    def _merge(self, places: frozenset[tuple[str, str]]) -> _Said:
        """All rows of these places combined; the same object for the same places."""
        merged = self._merged.get(places)
        if merged is None:
            merged = {}
            for place in places:
                for key, verdict in self._said[place].items():
                    merged[key] = merged[key] | verdict if key in merged else verdict
            self._merged[places] = merged
        return merged

    def _refuse_depth(self) -> None:
        for role, book in self._nested.items():
            for inner in {inner for roles in book.values() for inner in roles}:
                if inner in self._nested or inner == role:
                    raise PolicyError(
                        f"roles nest one level deep: {role} is built from {inner}, which is built from another"
                    )

    def _reach(self, sub: str, team: str | None) -> frozenset[tuple[str, str]]:
        """Pairs of subject and place whose rows apply to the request."""
        places = self._places.get((sub, team))
        if places is None:
            places = self._places[(sub, team)] = frozenset().union(
                *(self._pairs(sub, dom) for dom in ([f"t:{team}"] if team is not None else self.domains(sub)))
            )
        return places

    def _pairs(self, sub: str, dom: str) -> set[tuple[str, str]]:
        subjects = {sub} | _within(self._roles.get(sub, {}), dom)
        for role in tuple(subjects):
            subjects |= _within(self._nested.get(role, {}), dom)
        return {(subject, place) for subject in subjects for place in (dom, EVERY)}


def _within(book: Mapping[str, set[str]], dom: str) -> set[str]:
    return book.get(dom, set()) | book.get(EVERY, set())
