"""Who may when somebody may not: the sentence for a limit that was passed, and the people who have a right."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from console.access import store
from console.access.deciding import Decision, decide
from console.access.names import Names, known
from console.access.rows import Row
from console.access.words import act as act_words, condition
from console.db import engine as db

NAMED = 3
_OPEN = sa.text("select id, name from console.person where disabled_at is null and id = any(:ids) order by name, id")


def over(person: str, team: str | None, obj: str, act: str, roots: Mapping[str, Any]) -> str:
    """The limits that keep this person from it, and who may, as sentences; empty where no rule would allow it under any condition."""
    decision, names = decide(store.current().index, f"user:{person}", team, obj, act, roots), known()
    told = list(dict.fromkeys(limit(one.row, names) for one in decision.unmet))
    if decision.allowed or not told:
        return ""
    others = able(team, obj, act, roots)
    return " ".join([*told, f"{listed(others)} may." if others else "An admin can grant more."])


def limit(row: Row, names: Names) -> str:
    """The rule as a limit: `Operator in Operations may execute Refund a charge only where Amount is at most 50,000.` and nothing more."""
    return f"{names.who(row.sub)} {names.place(row.dom)} may {act_words(row.act)} {names.object(row.obj)} only where {condition(row.expression)}."


def able(team: str | None, obj: str, act: str, roots: Mapping[str, Any] | None = None) -> list[str]:
    """Names of the people with an open account who may do this, by name; `roots` but for the person are what conditions look at."""
    return [name for _, name in people_able(team, obj, act, roots)]


def people_able(team: str | None, obj: str, act: str, roots: Mapping[str, Any] | None = None) -> list[tuple[str, str]]:
    """Pairs of id and name of those people."""
    index = store.current().index
    found = []
    for sub in sorted(index.subjects):
        kind, _, ident = sub.partition(":")
        if kind == "user" and index.verdict(sub, team, obj, act).holds({**(roots or {}), "currentUser": {"id": ident}}):
            found.append(ident)
    if not found:
        return []
    with db.hot_engine().connect() as connection:
        return [(ident, name) for ident, name in connection.execute(_OPEN, {"ids": found})]


def listed(names: Iterable[str]) -> str:
    """`Mona Verbeek, Petra Lindholm and 2 more`; `Mona Verbeek or Petra Lindholm`."""
    told = list(names)
    if len(told) > NAMED:
        return f"{', '.join(told[:NAMED])} and {len(told) - NAMED} more"
    return " or ".join(filter(None, [", ".join(told[:-1]), *told[-1:]]))


def decision_of(person: str, team: str | None, obj: str, act: str, roots: Mapping[str, Any], *, some: bool = False) -> Decision:
    """The decision under the policy in use."""
    return decide(store.current().index, f"user:{person}", team, obj, act, roots, some=some)
