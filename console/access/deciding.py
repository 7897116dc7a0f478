"""How an answer comes about: every rule that speaks to a request, each condition with the values that it looks at, and which rule decided.

The same answer as `access.can` gives, slower and with its reasons: for pages that explain, not for a decision.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.access.index import Index
from console.access.rows import EVERY, Row, kind_of
from console.core import expressions
from console.core.expressions.nodes import Path, walk
from console.core.expressions.operands import UNKNOWN, to_json


@dataclass(frozen=True, slots=True)
class Spoken:
    """A rule that speaks to the request. `holds`: its condition certainly does, certainly does not, or (None) that cannot be told.

    `values` are what the condition looks at, path by path, in the order of the alphabet; an unknown value is `UNKNOWN`.
    """

    row: Row
    holds: bool | None = True
    values: tuple[tuple[str, Any], ...] = ()

    @property
    def counts(self) -> bool:
        """Whether it takes part in the answer: an allow whose condition certainly holds, a deny whose condition may hold."""
        return self.holds is True if self.row.eft == "allow" else self.holds is not False


@dataclass(frozen=True, slots=True)
class Belonging:
    """Whose data the collection holds: the relations that lead there, the collection of the subject (None: they lead nowhere), and whether this
    record's (some record's) may be read.
    """

    path: tuple[str, ...]
    collection: str | None
    readable: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, the rule that decided (None: no rule allows it), and everything that was said to it, denials first.

    `subject` is whose data it is about, where that counts. Not `agreed`: index and Casbin disagree, so it is refused.
    """

    allowed: bool
    row: Row | None
    spoken: tuple[Spoken, ...] = ()
    subject: Belonging | None = None
    agreed: bool = True

    @property
    def outside(self) -> Belonging | None:
        """The subject, where it is what stands in the way: a rule would allow it, and the person may not read whose data it is."""
        open_ = any(one.row.eft == "allow" and one.counts for one in self.spoken)
        return self.subject if not self.allowed and self.row is None and open_ and self.subject and not self.subject.readable else None

    @property
    def unmet(self) -> tuple[Spoken, ...]:
        """Rules that would allow it if their condition held."""
        return tuple(one for one in self.spoken if one.row.eft == "allow" and not one.counts)


def decide(index: Index, sub: str, team: str | None, obj: str, act: str, roots: Mapping[str, Any], *, some: bool = False) -> Decision:
    """The decision about `sub` (`user:<id>`) with what conditions look at: `record`, `run`, `input`, `currentUser`, `now`.

    `some`: it is asked whether there may be any record for which it is allowed, so conditions are left open.
    """
    places = index.reach(sub, team)
    objects = {obj, f"{kind_of(obj)}:{EVERY}"} if ":" in obj else {obj}
    rows = [
        row for row in index.rows if row.ptype == "p" and (row.sub, row.dom) in places and row.obj in objects and row.act in (act, EVERY)
    ]
    told = sorted((_spoken(row, roots) for row in rows), key=lambda one: (one.row.eft == "allow", not one.counts, bool(one.row.expression)))
    denied = next((one for one in told if one.row.eft == "deny" and (one.counts if not some else not one.row.expression)), None)
    if denied is not None:
        return Decision(False, denied.row, tuple(told))
    allowed = next((one for one in told if one.row.eft == "allow" and (one.counts or some)), None)
    return Decision(allowed is not None, allowed.row if allowed else None, tuple(told))


def who_would(index: Index, obj: str, act: str, team: str | None) -> dict[str, bool]:
    """Roles that have the right in the team (None: in some team): name → whether only under a condition."""
    found: dict[str, bool] = {}
    places = [team] if team is not None else [*sorted(index.named_teams), ""]
    for role in sorted(roles_in(index)):
        verdicts = [index.verdict(f"role:{role}", place, obj, act) for place in places]
        if any(one.possible for one in verdicts):
            found[role] = not any(one.plain for one in verdicts)
    return found


def roles_in(index: Index) -> frozenset[str]:
    """Names of all roles that some row speaks of."""
    return frozenset(name.removeprefix("role:") for row in index.rows for name in (row.sub, row.obj) if name.startswith("role:"))


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
