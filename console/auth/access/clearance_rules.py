"""Labels on objects, and who is cleared for them under given policy rows.

A workflow or a collection may carry a label such as `confidential`. For anyone who may not `see` the object `label:<id>` it does not exist:
every act on it is refused, whatever the rows say, except `report`, which starts something that the reporter will not see again.
The label of a collection may have a condition, and then applies only to matching records. A temporary clearance is a row whose condition
tests `now`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.auth.access.rows import EVERY, PolicyError, Row
from console.core import expressions
from console.core.errors import NotAllowed
from console.core.expressions import Expression, ExpressionError

if TYPE_CHECKING:
    from console.auth.access.index import Index

REPORT = "report"
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
KIND = "label:"
_LABELLED = sa.text(
    "select 'workflow:' || slug as obj, label, null as holds from console.workflow where label is not null"
    " union all select 'collection:' || id, document->'clearance'->>'label', document->'clearance'->>'when'"
    " from console.collection where jsonb_typeof(document->'clearance') = 'object'"
)


@dataclass(frozen=True, slots=True)
class Label:
    """The label of a workflow or collection. `when` selects the records that it applies to, None: all."""

    id: str
    when: Expression | None = None


def read(connection: Connection) -> dict[str, Label]:
    """Object (`workflow:<slug>`, `collection:<id>`) → its label. A label whose condition cannot be parsed applies to every record."""
    return {
        row.obj: Label(row.label, _condition(row.holds)) for row in connection.execute(_LABELLED) if row.label
    }


def _condition(text: str | None) -> Expression | None:
    try:
        return expressions.parse(text) if text else None
    except ExpressionError:
        return None


def check(clearance: Any) -> None:
    """Raise `PolicyError` unless this is None or a valid `clearance` of a collection."""
    if clearance is None:
        return
    if (
        not isinstance(clearance, Mapping)
        or set(clearance) - {"label", "when"}
        or not NAME.fullmatch(str(clearance.get("label")))
    ):
        raise PolicyError(
            'clearance takes {"label": "confidential"}, and "when" with a condition where only some records have it'
        )
    if clearance.get("when") is not None:
        try:
            named = expressions.names(expressions.parse(str(clearance["when"])))
        except ExpressionError as error:
            raise PolicyError(f"the condition of the clearance cannot be read: {error}") from error
        if strange := sorted(name for name in named if not name.startswith("record.")):
            raise PolicyError(f"the condition of a clearance looks at the record alone, not at {strange[0]}")


def label_ids(index: "Index", labels: Mapping[str, Label]) -> frozenset[str]:
    """Ids of all labels that a row or an object names."""
    named = {row.obj.removeprefix(KIND) for row in index.rows if row.obj.startswith(KIND)} - {"*"}
    return frozenset(named | {label.id for label in labels.values()})


def labels_of(index: "Index", ids: frozenset[str], sub: str, attributes: Mapping[str, Any]) -> frozenset[str]:
    """The labels among `ids` that `sub` (`user:<id>`) may see now."""
    return frozenset(ident for ident in ids if sees(index, sub, ident, attributes))


def sees(index: "Index", sub: str, ident: str, attributes: Mapping[str, Any]) -> bool:
    """Whether `sub` is cleared for this label now."""
    verdict = index.verdict(sub, None, KIND + ident, "see")
    if verdict.plain or not verdict.possible:
        return verdict.plain
    return verdict.holds({"currentUser": attributes, "now": datetime.now(UTC)})


GROUP = "user:group:"
"""Stands for the future members of a group of the identity provider: they get its role at their next sign-in, and nobody is asked."""


def rows_of_groups(roles: Iterable[tuple[str, str]]) -> list[Row]:
    """The rows that groups of the identity provider will create, from pairs of role and team."""
    return [
        Row("g", f"{GROUP}{role}@{team}", team if team == EVERY else f"t:{team}", f"role:{role}")
        for role, team in sorted(set(roles))
    ]


def require_agreed(before: Sequence[Row], after: Sequence[Row], by: str) -> None:
    """Raise NotAllowed if this policy change clears somebody for a label that `by` does not hold through a role.

    Anybody who already has a temporary clearance counts as agreed, and may be given the role. If nobody holds a label through a role yet,
    the first holder needs no agreement.
    """
    touched = frozenset(
        row.sub for row in {row for row in before if _matters(row)} ^ {row for row in after if _matters(row)}
    )
    if not by.startswith("usr_") or not touched:
        return
    former, coming = _Held.of(_about(before, touched)), _Held.of(_about(after, touched))
    for label in sorted(coming.labels):
        gained = coming.holders(label) - former.holders(label)
        holders = _Held.of(before).holders(label, for_good=True) if gained else frozenset()
        if gained and holders and by_group(gained) and f"user:{by}" not in holders:
            raise NotAllowed(
                f"Whoever comes into such a group would be cleared for {label} without anybody's agreement. Give the role by hand to"
                f" those who are cleared for {label}, or let somebody who is connect the group.",
                code="needs_agreement",
                need=(KIND + label, "see"),
            )
        if gained and holders and (f"user:{by}" not in holders or f"user:{by}" in gained):
            raise NotAllowed(
                f"This would also clear somebody for {label}. Somebody who is cleared for it has to agree: ask for a clearance"
                " under Settings, Confidential access first; who has one may then be given the role.",
                code="needs_agreement",
                need=(KIND + label, "see"),
            )


@dataclass(frozen=True, slots=True)
class _Held:
    """Who holds which label under some rows."""

    index: "Index"
    labels: frozenset[str]
    people: frozenset[str]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "_Held":
        from console.auth.access.index import Index

        index = Index(rows)
        return cls(
            index, label_ids(index, {}), frozenset(row.sub for row in rows if row.sub.startswith("user:"))
        )

    def holders(self, label: str, *, for_good: bool = False) -> frozenset[str]:
        """Subjects cleared for the label; with `for_good` only those cleared by a role."""
        if for_good:
            return frozenset(
                sub
                for sub in self.people
                if not sub.startswith(GROUP) and self.index.verdict(sub, None, KIND + label, "see").plain
            )
        return frozenset(sub for sub in self.people if sees(self.index, sub, label, {}))


def _about(rows: Sequence[Row], touched: frozenset[str]) -> list[Row]:
    """The rows that matter for these subjects. If no role changes, rows of other people can be left out."""
    if not all(sub.startswith("user:") for sub in touched):
        return list(rows)
    return [row for row in rows if row.sub in touched or not row.sub.startswith("user:")]


def by_group(gained: frozenset[str]) -> bool:
    """Whether all of these are future members of groups."""
    return all(sub.startswith(GROUP) for sub in gained)


def _matters(row: Row) -> bool:
    return row.ptype == "g" or row.obj.startswith(KIND)


def held_by_role(index: "Index", sub: str, ident: str) -> bool:
    """Whether a role clears `sub` for the label, without a time limit."""
    return index.verdict(sub, None, KIND + ident, "see").plain
