"""Explains a decision: every rule that applies to the request, the values its condition tests, and the rule that decided.

Gives the same answer as `access.can`, slower and with reasons: for pages that explain, not for enforcing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.auth.access.index import Index
from console.auth.access.rows import EVERY, Row, kind_of
from console.core import expressions
from console.core.expressions.nodes import Path, walk
from console.core.expressions.operands import UNKNOWN, to_json


@dataclass(frozen=True, slots=True)
class Spoken:
    """A rule that applies to the request. `holds`: whether its condition is true; None if unknown.

    `values` are the values that the condition tests, as (path, value) sorted by path. An unknown value is `UNKNOWN`.
    """

    row: Row
    holds: bool | None = True
    values: tuple[tuple[str, Any], ...] = ()

    @property
    def counts(self) -> bool:
        """Whether the rule takes part in the decision: an allow whose condition is true, or a deny whose condition may be true."""
        return self.holds is True if self.row.eft == "allow" else self.holds is not False


@dataclass(frozen=True, slots=True)
class Belonging:
    """The subject (whose data it is) of a collection: the relations to it, its collection (None: the path is broken), and whether the
    actor may read the subject of this record (or of some record).
    """

    path: tuple[str, ...]
    collection: str | None
    readable: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, the rule that decided (None: no rule allows it), and all rules that apply, denials first.

    `subject` is set where the right depends on whose data it is. `agreed` False: index and Casbin disagree, so the request is refused.
    """

    allowed: bool
    row: Row | None
    spoken: tuple[Spoken, ...] = ()
    subject: Belonging | None = None
    agreed: bool = True

    @property
    def outside(self) -> Belonging | None:
        """The subject, if a rule would allow the act but the actor may not read that subject."""
        open_ = any(verdict.row.eft == "allow" and verdict.counts for verdict in self.spoken)
        return (
            self.subject
            if not self.allowed and self.row is None and open_ and self.subject and not self.subject.readable
            else None
        )

    @property
    def unmet(self) -> tuple[Spoken, ...]:
        """Rules that would allow the act if their condition were true."""
        return tuple(verdict for verdict in self.spoken if verdict.row.eft == "allow" and not verdict.counts)


def decide(
    index: Index,
    sub: str,
    team: str | None,
    obj: str,
    act: str,
    roots: Mapping[str, Any],
    *,
    some: bool = False,
) -> Decision:
    """The decision about `sub` (`user:<id>`). `roots` are the values that conditions test: `record`, `run`, `input`, `currentUser`, `now`.

    `some`: asks whether any record might be allowed, so conditions stay open.
    """
    places = index.reach(sub, team)
    objects = {obj, f"{kind_of(obj)}:{EVERY}"} if ":" in obj else {obj}
    rows = [
        row
        for row in index.rows
        if row.ptype == "p"
        and (row.sub, row.dom) in places
        and row.obj in objects
        and row.act in (act, EVERY)
    ]
    verdicts = sorted(
        (_spoken(row, roots) for row in rows),
        key=lambda verdict: (verdict.row.eft == "allow", not verdict.counts, bool(verdict.row.expression)),
    )
    denied = next(
        (
            verdict
            for verdict in verdicts
            if verdict.row.eft == "deny" and (verdict.counts if not some else not verdict.row.expression)
        ),
        None,
    )
    if denied is not None:
        return Decision(False, denied.row, tuple(verdicts))
    allowed = next(
        (verdict for verdict in verdicts if verdict.row.eft == "allow" and (verdict.counts or some)), None
    )
    return Decision(allowed is not None, allowed.row if allowed else None, tuple(verdicts))


def who_would(index: Index, obj: str, act: str, team: str | None) -> dict[str, bool]:
    """Roles that have the right in the team (None: in any team): name → whether only under a condition."""
    found: dict[str, bool] = {}
    places = [team] if team is not None else [*sorted(index.named_teams), ""]
    for role in sorted(roles_in(index)):
        verdicts = [index.verdict(f"role:{role}", place, obj, act) for place in places]
        if any(verdict.possible for verdict in verdicts):
            found[role] = not any(verdict.plain for verdict in verdicts)
    return found


def roles_in(index: Index) -> frozenset[str]:
    """Names of all roles in the rows."""
    return frozenset(
        name.removeprefix("role:")
        for row in index.rows
        for name in (row.sub, row.obj)
        if name.startswith("role:")
    )


def _spoken(row: Row, roots: Mapping[str, Any]) -> Spoken:
    if not row.expression:
        return Spoken(row)
    condition = expressions.parse(row.expression)
    holds = True if condition.test(roots) else False if condition.denies(roots) else None
    values = {}
    for node in walk(condition.node):
        if isinstance(node, Path):
            found = expressions.compiled(node)(roots)
            values[node.dotted] = UNKNOWN if found is UNKNOWN else to_json(found)
    return Spoken(row, holds, tuple(sorted(values.items())))
