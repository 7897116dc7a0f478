"""Casbin over the same rows: the reference for the policy language, the source of explanations, and the second judge of dangerous acts.

The Casbin model compares objects and places exactly, so wildcards are expanded here: `workflow:*` becomes one row for each object in
question, and a role given in every team becomes one row per team. Source: docs/adr/0003-access.md.
"""

import functools
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import casbin
from casbin.persist import Adapter

from console.auth.access.rows import EVERY, POLICIES, PolicyError, Row, kind_of, line

MODEL = POLICIES / "model.conf"

_asking = threading.Lock()
"""Casbin parses its matcher for each question, and the parser of Python 3.11 fails where several threads parse at once (CPython issue 106905)."""

logging.getLogger("casbin").setLevel(logging.ERROR)  # it logs each denial as a warning, with the request


class _Rows(Adapter):  # type: ignore[misc]
    """Loads prepared lists into the model. Text lines would split at commas in names, and `add_policy` takes quadratic time."""

    def __init__(self, grants: list[list[str]], roles: list[list[str]]) -> None:
        self.grants, self.roles = grants, roles

    def load_policy(self, model: Any) -> None:
        """Called once by the new enforcer."""
        model.model["p"]["p"].policy = self.grants
        model.model["g"]["g"].policy = self.roles


def enforcer(rows: Iterable[Row], *, teams: Iterable[str], objects: Iterable[str]) -> casbin.Enforcer:
    """A Casbin enforcer over these rows, ignoring their conditions, for these objects and places (`t:<id>`)."""
    places, wanted = sorted({EVERY, *teams}), sorted(set(objects))
    grants: list[list[str]] = []
    roles: list[list[str]] = []
    for row in rows:
        if row.ptype == "g":
            roles += [[row.sub, row.obj, place] for place in (places if row.dom == EVERY else [row.dom])]
        else:
            every = row.obj == f"{kind_of(row.obj)}:{EVERY}"
            named = [obj for obj in wanted if kind_of(obj) == kind_of(row.obj)] if every else [row.obj]
            grants += [[row.sub, row.dom, obj, row.act, row.eft] for obj in named]
    return casbin.Enforcer(str(MODEL), _Rows(grants, roles))


class Judge:
    """Casbin's answers under one version of the policy. Immutable; each question gets an enforcer over the relevant rows.

    Raises `PolicyError` if Casbin cannot load the rows or link their roles, or loads something else than the rows say.
    """

    __slots__ = ("_alone", "_given", "_grants", "_named", "_nested", "rows")

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = tuple(rows)
        self._named = frozenset(row.dom for row in self.rows if row.dom != EVERY)
        self._grants: dict[str, list[Row]] = {}
        self._given: dict[str, list[Row]] = {}
        self._alone = frozenset(
            row.sub for row in self.rows if row.ptype == "p" and not row.sub.startswith("role:")
        )
        self._nested: dict[str, list[Row]] = {}
        for row in self.rows:
            if row.ptype == "p":
                self._grants.setdefault(row.obj, []).append(row)
            else:
                (self._nested if row.sub.startswith("role:") else self._given).setdefault(row.sub, []).append(
                    row
                )
        _validate(
            tuple(row for row in self.rows if row.ptype == "p" or row.sub.startswith("role:")), self._named
        )

    def about(self, obj: str, act: str) -> tuple[Row, ...]:
        """Rows that allow or deny this act on the object, for anybody and under any condition."""
        objects = sorted({obj, f"{kind_of(obj)}:{EVERY}"}) if ":" in obj else [obj]
        return tuple(row for name in objects for row in self._grants.get(name, ()) if row.act in (act, EVERY))

    def decide(
        self,
        sub: str,
        team: str | None,
        obj: str,
        act: str,
        counts: Callable[[Row], bool],
        more: Sequence[Row] = (),
    ) -> tuple[bool, Row | None]:
        """Whether `sub` (`user:<id>`) may do the act, and the row that decided (None: no row allows it). A deny in any team wins.

        `counts` tells whether the condition of a row lets it take part. `more` are extra rows for this question: the limits of a key.
        """
        given = self._given.get(sub, [])
        inner = [row for role in {row.obj for row in given} for row in self._nested.get(role, ())]
        rows = [*filter(counts, self.about(obj, act)), *more, *given, *inner]
        places = [f"t:{team}"] if team is not None else sorted(self._places(sub, rows))
        rows = [
            row for row in rows if row.dom == EVERY or row.dom in places
        ]  # rows of other teams do not matter
        judge = enforcer(rows, teams=places, objects=[obj])
        decided: Row | None = None
        for place in places:
            with _asking:
                allowed, rule = judge.enforce_ex(sub, place, obj, act)
            row = next((row for row in rows if rule and _is(row, rule)), None)
            if row is not None and row.eft == "deny":
                return False, row
            decided = row if allowed and decided is None else decided
        return decided is not None, decided

    def _places(self, sub: str, rows: Sequence[Row]) -> set[str]:
        """Places where `sub` has roles: all known places if it has a role in every team or rows of its own."""
        own = {row.dom for row in self._given.get(sub, ())}
        alone = sub in self._alone or any(row.sub == sub for row in rows if row.ptype == "p")
        return {*self._named, EVERY} if EVERY in own or alone else own


@functools.lru_cache(maxsize=8)
def _validate(rows: tuple[Row, ...], named: frozenset[str]) -> None:
    """Load rights, and what roles are built from, into an enforcer. Raises `PolicyError` if that fails, or if a role does not link to the role it is built from.

    A person's links are made for each question, so they are not checked here. What was found in order once is not loaded again: most changes
    only give a person a role.
    """
    places = {*named, EVERY}
    try:
        judge = enforcer(rows, teams=places, objects={row.obj for row in rows if row.ptype == "p"})
        links = judge.get_role_manager()
        for row in rows:
            if (
                row.ptype == "g"
                and row.sub.startswith("role:")
                and not links.has_link(row.sub, row.obj, row.dom)
            ):
                raise PolicyError(f"Casbin does not link what this row gives (in {line(row)})")
    except PolicyError:
        raise
    except Exception as error:
        raise PolicyError(f"Casbin cannot load the policy: {type(error).__name__}: {error}") from error


def _is(row: Row, rule: Sequence[str]) -> bool:
    """Whether this is the row that Casbin reports; Casbin reports `workflow:kyc-review` where the row has `workflow:*`."""
    sub, dom, obj, act, eft = rule
    return (row.sub, row.dom, row.act, row.eft) == (sub, dom, act, eft) and row.obj in (
        obj,
        f"{kind_of(obj)}:{EVERY}",
    )
