"""Errors of a workflow in its environment: unknown collections, roles and actions, and missing rights.

Each part may be unknown (None) and is then not checked, so that a file can be checked without a running console.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field as default
from typing import Any, Literal, Protocol

from console.core.contact_stages import STAGE, stage_field
from console.core.documents import names_check
from console.core.documents.action_document import slug_of
from console.core.documents.fields import Use
from console.core.documents.names_check import Names
from console.core.documents.references import suggestion
from console.core.documents.workflow_sketch import RIGHTS, UNKNOWN, Problem, Sketch, named_texts

ENTRY = re.compile(r"actions\[(\d+)\]\.")
WORK = ("start", "resume")  # whoever has one of these rights in a workflow may do its steps
NOT_CONNECTED = ": connect its data source first."
NO_RECORD = "The workflow has no collection, so there is no record to read or change here."


class Rights(Protocol):
    """The part of the policy that the check needs. `team` None: any team."""

    @property
    def roles(self) -> frozenset[str]:
        """All roles."""

    def held(self, role: str, team: str | None) -> frozenset[str]:
        """The role and the roles it is built from."""

    def may(self, role: str, team: str | None, obj: str, act: str) -> bool:
        """Whether the role may do this, with or without a condition."""

    def closed(self, role: str, team: str | None, collection: str) -> tuple[frozenset[str], frozenset[str]]:
        """Fields that the role may not read, and fields that it may not write."""

    def people(self, role: str, team: str | None) -> frozenset[str]:
        """Ids of people who have the role in the team."""

    def allows(self, person: str, team: str | None, obj: str, act: str) -> bool:
        """Whether the person of this id may do this, with or without a condition."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`collections` by id, the `rights` of roles, and `actions`: id → collection of its records, None for none.

    `approvals`: action → its approval rules; `people`: names of people with an active account by id; `managers`: names of those who give roles;
    `accounts`: address → id of the open service accounts; `secrets`: names of the secrets for other systems; `names`: of what else is made elsewhere.
    `written`: action → (collection, column) of what its effects set.
    """

    collections: Mapping[str, Any] | None = None
    rights: Rights | None = None
    actions: Mapping[str, str | None] | None = None
    approvals: Mapping[str, Sequence[Any]] | None = None
    people: Mapping[str, str] | None = None
    managers: Sequence[str] = ()
    accounts: Mapping[str, str] | None = None
    secrets: frozenset[str] | None = None
    names: Names | None = None
    written: Mapping[str, Sequence[tuple[str | None, str]]] = default(default_factory=dict)


def problems(sketches: Sequence[Sketch], raw: Mapping[str, Any], surroundings: Surroundings) -> list[Problem]:
    """Everything in the document that does not fit its environment."""
    problems_found = [
        *_collections(sketches, raw, surroundings.collections),
        *_actions(sketches, raw, surroundings),
        *_governed(sketches, raw, surroundings),
        *_account(raw, surroundings),
        *_secrets(sketches, surroundings.secrets),
        *names_check.problems(sketches, raw, surroundings.names),
        *_doubts(sketches),
    ]
    return problems_found + (
        _rights(sketches, raw, surroundings, surroundings.rights) if surroundings.rights is not None else []
    )


def _account(raw: Mapping[str, Any], surroundings: Surroundings) -> list[Problem]:
    """An account to run as that is not there, or may not start the workflow."""
    named, known, rights = raw.get("run_as"), surroundings.accounts, surroundings.rights
    if not isinstance(named, str) or known is None:
        return []
    account = known.get(named.strip().lower())
    if account is None:
        reason = f"There is no open service account {named}{suggestion(named, known)} Settings, People makes one, or opens a closed one again."
        return [Problem(None, "run_as", reason)]
    team = raw.get("team") if isinstance(raw.get("team"), str) else None
    workflow = f"workflow:{raw.get('slug')}"
    if rights is not None and not rights.allows(account, team, workflow, "start"):
        return [
            Problem(
                None,
                "run_as",
                f"{named} may not start this workflow{_in(team)}: give the account a role there that may.",
            )
        ]
    return []


def _doubts(sketches: Sequence[Sketch]) -> Iterator[Problem]:
    """What works and is not wise."""
    for sketch in sketches:
        if sketch.kind is not None and sketch.config is not None:
            yield from (
                Problem(sketch.id, f"config.{place}", reason, "warning")
                for place, reason in sketch.kind.doubts(sketch.config)
            )


def _secrets(sketches: Sequence[Sketch], known: frozenset[str] | None) -> Iterator[Problem]:
    """Secrets that are not there: a warning, because a file may come before its secrets, which no file holds."""
    for sketch in sketches if known is not None else ():
        for place, holder in (
            ("secret", sketch.config),
            ("effect.secret", getattr(sketch.config, "effect", None)),
        ):
            name = getattr(holder, "secret", None)
            if isinstance(name, str) and name not in (known or ()):
                reason = f"There is no secret {name}{suggestion(name, sorted(known or ()))} It is set under Settings, Secrets."
                yield Problem(sketch.id, f"config.{place}", reason, "warning", UNKNOWN)


# -------------------------------------------------------------------------------------------------------------- collections


def _collections(
    sketches: Sequence[Sketch], raw: Mapping[str, Any], collections: Mapping[str, Any] | None
) -> list[Problem]:
    """Unknown fields, relations and segments."""
    name = raw.get("collection")
    uses = [(sketch, use) for sketch in sketches for use in sketch.uses]
    if name is None:
        problems_found = [
            Problem(sketch.id, f"config.{use.field}", NO_RECORD)
            for sketch, use in uses
            if use.collection is None
        ]
        return problems_found + (
            _wrong_uses(
                [pair for pair in uses if pair[1].collection is not None], None, collections, raw.get("slug")
            )
            if collections
            else []
        )
    if collections is None or not isinstance(name, str):
        return []
    if name not in collections:
        return [
            Problem(
                None,
                "collection",
                f"There is no collection {name}{suggestion(name, collections, NOT_CONNECTED)}",
            )
        ]
    segments = {segment.id for segment in collections[name].segments}
    only_in = settings.get("only_in") if isinstance(settings := raw.get("settings"), Mapping) else None
    return [
        *_wrong_uses(uses, collections[name], collections, raw.get("slug")),
        *_unknown_segments(name, segments, "segments", raw.get("segments"), "warning"),
        *_unknown_segments(name, segments, "settings.only_in", only_in, "error"),
    ]


def _unknown_segments(
    name: str, known: set[str], field: str, given: Any, severity: Literal["error", "warning"]
) -> Iterator[Problem]:
    for place, segment in named_texts(given):
        if segment not in known:
            told = f"The collection {name} has no segment {segment}{suggestion(segment, known)}"
            yield Problem(None, f"{field}[{place}]", told, severity, UNKNOWN)


def _wrong_uses(
    uses: Iterable[tuple[Sketch, Use]], collection: Any, collections: Mapping[str, Any], slug: Any
) -> list[Problem]:
    return [
        Problem(sketch.id, f"config.{use.field}", wrong)
        for sketch, use in uses
        if (wrong := _use_wrong(use, collection, collections, slug)) is not None
    ]


def _use_wrong(use: Use, own_collection: Any, collections: Mapping[str, Any], slug: Any) -> str | None:
    """The error of a column or relation in the settings; None if there is none."""
    target = own_collection if use.collection is None else collections.get(use.collection)
    if target is None:
        wrong = f"There is no collection {use.collection}{suggestion(use.collection or '', collections, NOT_CONNECTED)}"
        return wrong if use.column is None else None
    if use.relation is not None:
        relation = next((entry for entry in own_collection.relations if entry.name == use.relation), None)
        if relation is None:
            missing = f"{own_collection.label} has no relation {use.relation}"
            missing += _meant(use.relation, [entry.name for entry in own_collection.relations])
            return missing if use.column is None else None
        target = collections.get(relation.collection)
    if use.column is None or target is None:
        return None
    name = (
        (stage.name if (stage := stage_field(target)) is not None else None)
        if use.column == STAGE
        else use.column
    )
    if name is None:
        return f"{target.label} have no stage: name the field, or say under Settings, Collections, Contacts which one it is."
    column = next((entry for entry in target.fields if entry.name == name), None)
    if column is None:
        return f"{target.label} has no field {use.column}{_meant(use.column, [entry.name for entry in target.fields])}"
    if use.number and column.stored not in ("integer", "decimal"):
        return f"{target.label}: {use.column} is no number, and cannot be added up."
    if (
        use.option is not None
        and column.options is not None
        and use.option.casefold()
        not in {word.casefold() for option in column.options for word in (str(option.value), option.label)}
    ):
        return f"{target.label}: {column.label} is never “{use.option}”; it is {_listed([option.label for option in column.options])}."
    if use.changed and column.readonly and not (use.act == "create" and use.column in target.key):
        return f"{target.label}: {use.column} is read-only and cannot be changed by a step."
    return _governed_elsewhere(target, column, slug) if use.changed else None


def _governed_elsewhere(target: Any, column: Any, slug: Any) -> str | None:
    """That other workflows alone change the column."""
    if not column.governed or slug in column.governed:
        return None
    return f"{target.label}: {column.name} is changed by {_listed(column.governed)} alone (`governed` of the collection)."


def _meant(name: str, names: Sequence[str]) -> str:
    """End of the sentence: a similar name, or those that there are."""
    return suggestion(name, names, f": it has {_listed(names)}.")


def _listed(names: Iterable[str]) -> str:
    """The names, at most the first fifteen."""
    every = list(names)
    return (
        ", ".join(every[:15]) + (f" and {len(every) - 15} more" if len(every) > 15 else "")
        if every
        else "none"
    )


# ------------------------------------------------------------------------------------------------------------------ actions


def _actions(sketches: Sequence[Sketch], raw: Mapping[str, Any], surroundings: Surroundings) -> list[Problem]:
    """Unknown actions, and actions on records of another collection than the run's."""
    if surroundings.actions is None:
        return []
    problems_found = []
    for sketch in sketches:
        own: set[Any] = set()
        for use in sketch.actions:
            own = {raw.get("collection"), None} if use.field.endswith("action") else own
            action = use.column or ""
            if action not in surroundings.actions:
                problems_found.append(
                    Problem(
                        sketch.id,
                        f"config.{use.field}",
                        f"There is no action {action}{suggestion(action, surroundings.actions)}",
                    )
                )
                continue
            about = surroundings.actions[action]
            if about not in own and _record_of(sketch.config, use) is None:
                reason = f"The action {action} is done to records of {about}, and the run is about {raw.get('collection') or 'no record'}"
                problems_found.append(
                    Problem(
                        sketch.id,
                        f"config.{use.field}",
                        f"{reason}: say on which one (record), or choose another action.",
                    )
                )
            own.add(about)  # a compensation applies to the same record
    return problems_found


def _record_of(config: Any, use: Use) -> Any:
    """The expression for the record of one of the actions that a step offers."""
    entry = ENTRY.match(use.field)
    return getattr(config.actions[int(entry[1])] if entry else config, "record", None)


def _governed(
    sketches: Sequence[Sketch], raw: Mapping[str, Any], surroundings: Surroundings
) -> Iterator[Problem]:
    """Columns that other workflows govern, and that the report, an effect of a step or an action that a step names sets.

    The workflow that an action has of its own is left out: the action may be meant for the workflows that name it.
    """
    own, slug, report = raw.get("collection"), raw.get("slug"), raw.get("report") or {}
    values = report.get("values") if isinstance(report, Mapping) else None
    written: list[tuple[str | None, str, Iterable[tuple[str | None, str]]]] = [
        (None, "report.values", [(None, name) for name in values or ()])
    ]
    for sketch in sketches:
        if (effect := getattr(sketch.config, "effect", None)) is not None:
            written.append((sketch.id, "config.effect", effect.sets()))
        written += [
            (sketch.id, f"config.{use.field}", surroundings.written.get(use.column or "", ()))
            for use in sketch.actions
            if slug != slug_of(use.column or "")
        ]
    for step, place, pairs in written:
        for collection, name in pairs:
            target = (surroundings.collections or {}).get(str(collection or own))
            column = next((entry for entry in getattr(target, "fields", ()) if entry.name == name), None)
            if column is not None and (wrong := _governed_elsewhere(target, column, slug)):
                yield Problem(step, place, wrong)


# ------------------------------------------------------------------------------------------------------------------- rights


def _rights(
    sketches: Sequence[Sketch], raw: Mapping[str, Any], surroundings: Surroundings, rights: Rights
) -> list[Problem]:
    """Unknown roles, and steps that nobody could do."""
    team = raw.get("team") if isinstance(raw.get("team"), str) else None
    problems_found = [
        Problem(None, f"roles[{place}]", _no_role(role, rights), "warning", UNKNOWN)
        for place, role in named_texts(raw.get("roles"))
        if role not in rights.roles
    ]
    label = raw.get("clearance")
    if isinstance(label, str) and not any(
        rights.may(role, team, f"label:{label}", "see") for role in rights.roles
    ):
        problems_found.append(
            Problem(
                None,
                "clearance",
                f"No role is cleared for {label}: for nobody would the workflow be there.",
                "warning",
            )
        )
    for sketch in sketches:
        problems_found += [
            Problem(sketch.id, f"roles[{place}]", _no_role(role, rights))
            for place, role in sketch.roles
            if role not in rights.roles
        ]
        problems_found += _asked_roles(sketch, rights)
    workflow = f"workflow:{raw.get('slug')}"
    workers = [
        role for role in sorted(rights.roles) if any(rights.may(role, team, workflow, act) for act in WORK)
    ]
    if not workers:
        reason = (
            f"No role may work in this workflow{_in(team)}: grant one the right to start or resume its runs."
        )
        return [*problems_found, Problem(None, "team", reason, kind=RIGHTS)]
    collection = raw.get("collection")
    if isinstance(collection, str):
        problems_found += list(_unreadable(_Hands(None, workers, team, rights), "collection", collection))
    for sketch in sketches:
        able = [
            role
            for role in workers
            if not sketch.roles or rights.held(role, team) & {name for _, name in sketch.roles}
        ]
        if able:
            problems_found += _step(_Hands(sketch, able, team, rights), raw, surroundings)
        elif any(role in rights.roles for _, role in sketch.roles):
            problems_found.append(
                Problem(
                    sketch.id,
                    "roles",
                    f"None of these roles may work in this workflow{_in(team)}: nobody could do the step.",
                    kind=RIGHTS,
                )
            )
    return problems_found


def _asked_roles(sketch: Sketch, rights: Rights) -> Iterator[Problem]:
    """Roles that are not there among those who are asked or told: an approval needs each of them, a message goes to the others."""
    for place, holder in (("roles", sketch.config), ("to.roles", getattr(sketch.config, "to", None))):
        for number, role in enumerate(getattr(holder, "roles", None) or ()):
            if isinstance(role, str) and role not in rights.roles:
                where = f"config.{place}[{number}]"
                yield Problem(
                    sketch.id,
                    where,
                    _no_role(role, rights),
                    "error" if sketch.type == "approval" else "warning",
                    UNKNOWN,
                )


@dataclass(frozen=True, slots=True)
class _Hands:
    """A step (None: any) and the roles that may do it, according to the workflow and the step's own list."""

    step: Sketch | None
    roles: Sequence[str]
    team: str | None
    rights: Rights

    def problem(self, field: str, reason: str, *, warning: bool = False) -> Problem:
        """An act that none of the roles may do."""
        return Problem(
            self.step.id if self.step else None, field, reason, "warning" if warning else "error", RIGHTS
        )

    def who(self, obj: str, *acts: str, anywhere: bool = False) -> list[str]:
        """The roles that may do one of the acts; `anywhere`: in any team."""
        team = None if anywhere else self.team
        return [role for role in self.roles if any(self.rights.may(role, team, obj, act) for act in acts)]


def _step(hands: _Hands, raw: Mapping[str, Any], surroundings: Surroundings) -> list[Problem]:
    """Reads, changes and actions of a step that none of its roles may do."""
    problems_found: list[Problem] = []
    reported: set[tuple[str, str]] = set()
    for use in hands.step.uses if hands.step else ():
        target = _target(use, raw.get("collection"), surroundings.collections)
        if target is None:
            continue
        field = f"config.{use.field}"
        act = use.act if use.changed else "read"
        if (target, act) not in reported:
            reported.add((target, act))
            problems_found += (
                _unwritable(hands, field, target, act) if use.changed else _unreadable(hands, field, target)
            )
        if use.column is not None:
            problems_found += _closed(hands, field, target, use)
    for use in hands.step.actions if hands.step and surroundings.actions is not None else ():
        if use.column in (surroundings.actions or {}) and not hands.who(
            f"action:{use.column}", "execute", "request"
        ):
            problems_found.append(
                hands.problem(
                    f"config.{use.field}",
                    f"No role that may do this step may execute or request {use.column}.",
                )
            )
    return problems_found


def _target(use: Use, own: Any, collections: Mapping[str, Any] | None) -> str | None:
    """The collection in use; None if it is unknown or missing (reported elsewhere)."""
    if use.relation is None:
        name = use.collection or own
        return name if isinstance(name, str) and (collections is None or name in collections) else None
    relations = collections[own].relations if collections is not None and own in collections else ()
    return next((entry.collection for entry in relations if entry.name == use.relation), None)


def _unreadable(hands: _Hands, field: str, collection: str) -> Iterator[Problem]:
    if hands.who(f"collection:{collection}", "read"):
        return
    elsewhere = bool(hands.who(f"collection:{collection}", "read", anywhere=True))
    what = "this step" if hands.step else "the workflow"
    reason = f"No role that may do {what} may read {collection}{_in(hands.team)}"
    yield hands.problem(
        field, f"{reason}, only in other teams." if elsewhere else f"{reason}.", warning=elsewhere
    )


def _unwritable(hands: _Hands, field: str, collection: str, act: str) -> Iterator[Problem]:
    if not hands.who(f"collection:{collection}", act):
        does = {"create": "add to", "delete": "delete from"}.get(act, "change")
        yield hands.problem(field, f"No role that may do this step may {does} {collection}{_in(hands.team)}.")


def _closed(hands: _Hands, field: str, collection: str, use: Use) -> Iterator[Problem]:
    """A field hidden from, or read-only for, all roles that may read or change the others."""
    able = hands.who(f"collection:{collection}", use.act if use.changed else "read")
    sides = [hands.rights.closed(role, hands.team, collection)[use.changed] for role in able]
    if sides and all(use.column in side for side in sides):
        act = "change" if use.changed else "read"
        yield hands.problem(
            field,
            f"No role that may do this step may {act} the field {use.column} of {collection}.",
            warning=not use.changed,
        )


def _no_role(role: str, rights: Rights) -> str:
    return f"There is no role {role}{suggestion(role, sorted(rights.roles))}"


def _in(team: str | None) -> str:
    return f" in the team {team}" if team else ""
