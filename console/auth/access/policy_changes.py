"""A change of policy rows, and its effect on people's rights. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from console.auth.access.index import Index
from console.auth.access.rows import ACTS, EVERY, LEVELS, POLICIES, Row, kind_of, parse

EVERYTHING_IN_IT = ("collection", "field")


@dataclass(frozen=True, slots=True)
class Change:
    """Rows to add and rows to remove."""

    added: frozenset[Row] = frozenset()
    removed: frozenset[Row] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)

    def applied(self, rows: Iterable[Row]) -> list[Row]:
        """The rows after the change, in order; added rows come last."""
        kept = [row for row in rows if row not in self.removed]
        there = set(kept)
        return [*kept, *sorted(row for row in self.added if row not in there)]

    def on(self, rows: Iterable[Row]) -> "Change":
        """The part of the change that still changes these rows: without rows already added or already removed."""
        there = set(rows)
        return Change(self.added - there, self.removed & there)

    def replacing(self, rows: Iterable[Row], former: Iterable[Row], wanted: Iterable[Row]) -> "Change":
        """The change extended so that `former` (rows after this change) become `wanted`. `rows` are those before."""
        after = set(self.applied(rows)) - set(former) | set(wanted)
        return between(rows, after)

    @property
    def inverse(self) -> "Change":
        """The change that undoes this one."""
        return Change(self.removed, self.added)

    @property
    def of_rules(self) -> "Change":
        """The part about rules and the structure of roles, not about who has a role."""
        return Change(frozenset(filter(is_rule, self.added)), frozenset(filter(is_rule, self.removed)))


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect on one right: ids of people who gain it, who lose it, and whose conditions change."""

    obj: str
    act: str
    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()


@dataclass
class _Tally:
    gained: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    otherwise: list[str] = field(default_factory=list)


def between(before: Iterable[Row], after: Iterable[Row]) -> Change:
    """The change that turns `before` into `after`."""
    was, becomes = frozenset(before), frozenset(after)
    return Change(becomes - was, was - becomes)


def is_rule(row: Row) -> bool:
    """Whether the row is a rule or defines what a role is built from, rather than who has a role."""
    return row.ptype == "p" or row.sub.startswith("role:")


def shipped() -> frozenset[Row]:
    """The fixed rules of the shipped roles."""
    rows = parse((POLICIES / "roles.csv").read_text(encoding="utf-8"))
    levels = {f"role:{level}" for level in LEVELS}
    return frozenset(
        row
        for row in rows
        if row.ptype == "p"
        and row.sub in levels
        and row.dom == EVERY
        and kind_of(row.obj) not in EVERYTHING_IN_IT
    )


def effects(before: Index, after: Index, change: Change, people: Iterable[str]) -> list[Effect]:
    """The effects of the change on these people (`user:<id>`): one per right, only where somebody is affected.

    People with the same roles have the same rights, so each set of roles is judged once.
    """
    alike: dict[tuple[frozenset[tuple[str, str]], str], list[str]] = {}
    for sub in people:
        own = sub if sub in before.subjects_alone or sub in after.subjects_alone else ""
        alike.setdefault((before.roles(sub) | after.roles(sub), own), []).append(sub)
    changes: list[Effect] = []
    for obj, act in sorted(_touched(before, after, change)):
        tally = _Tally()
        for subs in alike.values():
            ids = [sub.partition(":")[2] for sub in subs]
            was, becomes = _standing(before, subs[0], obj, act), _standing(after, subs[0], obj, act)
            if was == becomes:
                continue
            got, gone = _more(was, becomes), _more(becomes, was)
            (
                tally.gained if got and not gone else tally.lost if gone and not got else tally.otherwise
            ).extend(ids)
        if tally.gained or tally.lost or tally.otherwise:
            changes.append(Effect(obj, act, tuple(tally.gained), tuple(tally.lost), tuple(tally.otherwise)))
    return changes


def gained(before: Index, after: Index, subs: Iterable[str], kinds: Collection[str]) -> list[tuple[str, str]]:
    """Pairs of object and act, of these kinds, that any of the subjects may do after the change and not before, in some place or under some condition."""
    rows = [
        row
        for index in (before, after)
        for row in index.rows
        if row.ptype == "p" and kind_of(row.obj) in kinds
    ]
    rights = {
        (row.obj, act) for row in rows for act in (ACTS[kind_of(row.obj)] if row.act == EVERY else (row.act,))
    }
    people = list(subs)
    return sorted(
        right
        for right in rights
        if any(_more(_standing(before, sub, *right), _standing(after, sub, *right)) for sub in people)
    )


def _touched(before: Index, after: Index, change: Change) -> set[tuple[str, str]]:
    """Pairs of object and act that the change may affect."""
    rows = {row for row in change.added | change.removed if row.ptype == "p"}
    nested = {
        row.obj for row in change.added | change.removed if row.ptype == "g" and row.sub.startswith("role:")
    }
    if nested:
        rows |= {row for row in (*before.rows, *after.rows) if row.ptype == "p" and row.sub in nested}
    return {
        (row.obj, act) for row in rows for act in (ACTS[kind_of(row.obj)] if row.act == EVERY else (row.act,))
    }


_Standing = tuple[tuple[str, bool, frozenset[str], frozenset[str]], ...]


def _standing(index: Index, sub: str, obj: str, act: str) -> _Standing:
    """For each place: whether it is allowed outright, the conditions that allow it, and those that deny it. For a field: whether it is open."""
    rules = []
    for place in sorted(index.domains(sub)):
        team = place.removeprefix("t:")
        if obj.startswith("field:"):
            collection, _, name = obj.removeprefix("field:").partition("/")
            hidden = index.hidden(sub, team, collection)
            rules.append(
                (
                    place,
                    name not in (hidden.unreadable if act == "read" else hidden.unwritable),
                    frozenset[str](),
                    frozenset[str](),
                )
            )
            rules.append(
                (f"{place} unmasked", name in index.unmasked(sub, team, collection), frozenset(), frozenset())
            )
            continue
        verdict = index.verdict(sub, team, obj, act)
        if verdict.possible:
            conditions = frozenset[str]() if verdict.free else frozenset(rule.text for rule in verdict.allow)
            rules.append((place, verdict.free, conditions, frozenset(rule.text for rule in verdict.deny)))
        else:
            rules.append((place, False, frozenset[str](), frozenset[str]()))
    return tuple(rules)


def _more(was: _Standing, becomes: _Standing) -> bool:
    """Whether any place allows something that was not allowed before."""
    then = {place: (free, conditions, unless) for place, free, conditions, unless in was}
    for place, free, conditions, unless in becomes:
        old_free, old_conditions, old_unless = then.get(place, (False, frozenset(), frozenset()))
        if (
            (free and not old_free)
            or (not old_free and conditions - old_conditions)
            or ((free or conditions) and old_unless - unless)
        ):
            return True
    return False


def rules_of(rows: Iterable[Row], role: str) -> Sequence[Row]:
    """The rules of this role."""
    return [row for row in rows if row.ptype == "p" and row.sub == f"role:{role}"]
