"""Casbin over the same rows: the language that the policy is written in, the judge of `why`, and the oracle of the index in tests.

The model compares objects and places exactly, so what stands for several is written out here: an object such as `workflow:*` once for
each object asked about, a role that is given everywhere once for each team. Source: docs/adr/0003-access.md.
"""

import logging
from collections.abc import Iterable
from typing import Any

import casbin
from casbin.persist import Adapter

from console.access.rows import EVERY, POLICIES, Row, kind_of

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
