"""Casbin over the same rows: the language that the policy is written in, the judge of why, and the second judge of rare, dangerous acts.

The model compares objects and places exactly, so what stands for several is written out here: an object such as `workflow:*` once for
each object asked about, a role that is given everywhere once for each team. Source: docs/adr/0003-access.md.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import casbin
from casbin.persist import Adapter

from console.access.rows import EVERY, POLICIES, PolicyError, Row, kind_of, line

MODEL = POLICIES / "model.conf"

logging.getLogger("casbin").setLevel(logging.ERROR)  # it writes each denial as a warning, with who asked for what


class _Rows(Adapter):  # type: ignore[misc]
    """Puts finished lists into the model: neither text lines (a comma in a name shifts the fields) nor `add_policy` (quadratic)."""

    def __init__(self, grants: list[list[str]], roles: list[list[str]]) -> None:
        self.grants, self.roles = grants, roles

    def load_policy(self, model: Any) -> None:
        """Called once by the enforcer that is being made."""
        model.model["p"]["p"].policy = self.grants
        model.model["g"]["g"].policy = self.roles


def enforcer(rows: Iterable[Row], *, teams: Iterable[str], objects: Iterable[str]) -> casbin.Enforcer:
    """A Casbin enforcer over these rows, whose conditions all hold, able to answer for these objects and places (`t:<id>`)."""
    places, asked = sorted({EVERY, *teams}), sorted(set(objects))
    grants: list[list[str]] = []
    roles: list[list[str]] = []
    for row in rows:
        if row.ptype == "g":
            roles += [[row.sub, row.obj, place] for place in (places if row.dom == EVERY else [row.dom])]
        else:
            every = row.obj == f"{kind_of(row.obj)}:{EVERY}"
            named = [obj for obj in asked if kind_of(obj) == kind_of(row.obj)] if every else [row.obj]
            grants += [[row.sub, row.dom, obj, row.act, row.eft] for obj in named]
    return casbin.Enforcer(str(MODEL), _Rows(grants, roles))


class Judge:
    """Casbin's answers under one policy. Made once for a version and never changed; each question gets an enforcer over the rows about it.

    Raises `PolicyError` where Casbin cannot load the rows or link their roles, or what it has loaded is not what the rows say.
    """

    __slots__ = ("_alone", "_given", "_grants", "_named", "_nested", "rows")

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = tuple(rows)
        self._named = frozenset(row.dom for row in self.rows if row.dom != EVERY)
        self._grants: dict[str, list[Row]] = {}
        self._given: dict[str, list[Row]] = {}
        self._alone = frozenset(row.sub for row in self.rows if row.ptype == "p" and not row.sub.startswith("role:"))
        self._nested: dict[str, list[Row]] = {}
        for row in self.rows:
            if row.ptype == "p":
                self._grants.setdefault(row.obj, []).append(row)
            else:
                (self._nested if row.sub.startswith("role:") else self._given).setdefault(row.sub, []).append(row)
        _validate(self.rows, self._named)

    def about(self, obj: str, act: str) -> tuple[Row, ...]:
        """Rows that allow or deny this act on the object, whoever to and under whatever condition."""
        asked = sorted({obj, f"{kind_of(obj)}:{EVERY}"}) if ":" in obj else [obj]
        return tuple(row for name in asked for row in self._grants.get(name, ()) if row.act in (act, EVERY))

    def decide(
        self, sub: str, team: str | None, obj: str, act: str, counts: Callable[[Row], bool], more: Sequence[Row] = ()
    ) -> tuple[bool, Row | None]:
        """Whether `sub` (`user:<id>`, `key:<id>`) may, and the row that decided; None where no row allows it. A deny in one of the teams wins.

        `counts` says whether the condition of a row lets it take part; `more` are rows for this question only: what a key leaves.
        """
        given = self._given.get(sub, [])
        inner = [row for role in {row.obj for row in given} for row in self._nested.get(role, ())]
        rows = [*filter(counts, self.about(obj, act)), *more, *given, *inner]
        places = [f"t:{team}"] if team is not None else sorted(self._places(sub, rows))
        rows = [row for row in rows if row.dom == EVERY or row.dom in places]  # what stands for another team says nothing here
        judge = enforcer(rows, teams=places, objects=[obj])
        decided: Row | None = None
        for place in places:
            allowed, told = judge.enforce_ex(sub, place, obj, act)
            row = next((row for row in rows if told and _is(row, told)), None)
            if row is not None and row.eft == "deny":
                return False, row
            decided = row if allowed and decided is None else decided
        return decided is not None, decided

    def _places(self, sub: str, rows: Sequence[Row]) -> set[str]:
        """Where `sub` has roles: everywhere that some row names, for who has one everywhere or rows of their own."""
        own = {row.dom for row in self._given.get(sub, ())}
        alone = sub in self._alone or any(row.sub == sub for row in rows if row.ptype == "p")
        return {*self._named, EVERY} if EVERY in own or alone else own


def _validate(rows: Sequence[Row], named: frozenset[str]) -> None:
    """Load everything into an enforcer: raises `PolicyError` where that fails, or a role that is built from another does not lead there.

    The links of one person are made anew with each question about them.
    """
    places = {*named, EVERY}
    try:
        judge = enforcer(rows, teams=places, objects={row.obj for row in rows if row.ptype == "p"})
        links = judge.get_role_manager()
        for row in rows:
            if row.ptype == "g" and row.sub.startswith("role:") and not links.has_link(row.sub, row.obj, row.dom):
                raise PolicyError(f"Casbin does not link what this row gives (in {line(row)})")
    except PolicyError:
        raise
    except Exception as error:
        raise PolicyError(f"Casbin cannot load the policy: {type(error).__name__}: {error}") from error


def _is(row: Row, told: Sequence[str]) -> bool:
    """Whether this is the row that Casbin names; it sees `workflow:kyc-review` where the row says `workflow:*`."""
    sub, dom, obj, act, eft = told
    return (row.sub, row.dom, row.act, row.eft) == (sub, dom, act, eft) and row.obj in (obj, f"{kind_of(obj)}:{EVERY}")
