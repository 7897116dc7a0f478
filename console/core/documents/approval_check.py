"""Approvals that nobody could give: considering roles, their rights, separated duties, and existing people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.core.documents.workflow_sketch import Problem, Sketch
from console.core.run.duties import OF_STEP, REQUESTER, STARTER

WORK = ("start", "resume")


@dataclass(frozen=True, slots=True)
class Asked:
    """The approval that a step needs: `needs` people with one of the `roles`, without those excluded by `not_by`; `action` is what they approve,
    None for an answer only.
    """

    field: str
    roles: Sequence[str]
    needs: int
    not_by: Sequence[str]
    action: str | None = None


def problems(sketches: Sequence[Sketch], raw: Mapping[str, Any], here: Any) -> list[Problem]:
    """The approvals that nobody could give, with whom to ask; nothing if rights or people are unknown."""
    if here.rights is None or here.people is None:
        return []
    found = []
    for sketch in sketches:
        told = ((asked, _nobody(asked, sketches, sketch, raw, here)) for asked in _approvals_of_step(sketch, here.approvals or {}))
        found += [Problem(sketch.id, asked.field, f"{why} {_mend(here.managers)}") for asked, why in told if why is not None]
    return found


def _approvals_of_step(sketch: Sketch, rules: Mapping[str, Sequence[Any]]) -> Iterator[Asked]:
    config = sketch.config
    if sketch.type == "approval" and config is not None:
        yield Asked("config.roles", config.roles, config.needs, config.not_by)
    for use in sketch.actions:
        if not use.field.startswith("compensation"):
            yield from (
                Asked(f"config.{use.field}", rule.roles, rule.needs, rule.not_, use.column) for rule in rules.get(use.column or "", ())
            )


def _nobody(asked: Asked, sketches: Sequence[Sketch], sketch: Sketch, raw: Mapping[str, Any], here: Any) -> str | None:
    """Why nobody could give it, in sentences; None if somebody could, or a role is missing (reported elsewhere)."""
    rights, team = here.rights, raw.get("team") if isinstance(raw.get("team"), str) else None
    if any(role not in rights.roles for role in asked.roles):
        return None
    of = " or ".join(role.replace("_", " ") for role in asked.roles)
    place = f" in the team {team}" if team else ""
    holders = frozenset().union(*(rights.people(role, team) for role in asked.roles)) & here.people.keys()
    if not holders:
        return f"Nobody can give this approval: nobody has the role {of}{place}."
    lacks = {person: _lacks(person, asked, team, raw, rights) for person in holders}
    able = {person for person, lacking in lacks.items() if lacking is None}
    if not able:
        names = _listed(sorted(here.people[person] for person in holders))
        return f"Nobody can give this approval: who has the role {of}{place} ({names}) may not {_first(lacks)}."
    left = able - _kept_out(asked, sketches, raw, here)
    askers = _doers(sketch, raw, here) if REQUESTER in asked.not_by else frozenset()
    most = max((len(left - {asker}) for asker in askers), default=len(left))
    if most >= asked.needs:
        return None
    who = "nobody else" if most == 0 else f"{most} of the {asked.needs} who are needed"
    return f"Nobody can give this approval: besides those whom its rules rule out, {who} has the role {of}{place} and may see such runs."


def _lacks(person: str, asked: Asked, team: str | None, raw: Mapping[str, Any], rights: Any) -> str | None:
    """The right that the person lacks as approver; None if none."""
    if not rights.allows(person, team, f"workflow:{raw.get('slug')}", "see"):
        return f"see runs of this workflow (the right to see workflow:{raw.get('slug')})"
    collection = raw.get("collection")
    if isinstance(collection, str) and not rights.allows(person, None, f"collection:{collection}", "read"):
        return f"read {collection}"
    if asked.action is not None and not rights.allows(person, team, f"action:{asked.action}", "approve"):
        return f"approve {asked.action}"
    return None


def _kept_out(asked: Asked, sketches: Sequence[Sketch], raw: Mapping[str, Any], here: Any) -> frozenset[str]:
    """People excluded in every run, because only they can do the step that a rule names."""
    known = {sketch.id: sketch for sketch in sketches}
    found: set[str] = set()
    for rule in asked.not_by:
        named = OF_STEP.fullmatch(rule)
        step = known.get(named[1]) if named is not None else None
        if rule == STARTER:
            step = next((sketch for sketch in sketches if sketch.type == "start"), None)
        alone = _doers(step, raw, here) if step is not None else frozenset()
        found |= alone if len(alone) == 1 else set()
    return frozenset(found)


def _doers(sketch: Sketch, raw: Mapping[str, Any], here: Any) -> frozenset[str]:
    """People with a role for the step."""
    team = raw.get("team") if isinstance(raw.get("team"), str) else None
    acts = ("start",) if sketch.type == "start" else WORK
    named = {name for _, name in sketch.roles}
    able = [
        role
        for role in here.rights.roles
        if any(here.rights.may(role, team, f"workflow:{raw.get('slug')}", act) for act in acts)
        and (not named or here.rights.held(role, team) & named)
    ]
    found: frozenset[str] = frozenset().union(*(here.rights.people(role, team) for role in able)) & here.people.keys()
    return found


def _first(lacks: Mapping[str, str | None]) -> str:
    return next(lacking for _, lacking in sorted(lacks.items()) if lacking is not None)


def _mend(managers: Sequence[str]) -> str:
    who = _listed(managers) or "whoever manages people and rights"
    return f"Ask {who} to give somebody the role and the right, or name another role here."


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
