"""Approvals that nobody could give and steps that nobody could do: considering roles, their rights, separated duties, and existing people."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.core.documents.duties_check import kept_from, people_for
from console.core.documents.workflow_sketch import Problem, Sketch
from console.core.plain_words import roles_words
from console.core.run.duties import REQUESTER

UNHEARD = "Who says no is not heard: “Rejected” goes the same way as “Approved”. Give it a way of its own."


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


def problems(sketches: Sequence[Sketch], raw: Mapping[str, Any], surroundings: Any) -> list[Problem]:
    """The approvals that nobody could give and steps that nobody could do, with whom to ask; nothing if rights or people are unknown."""
    if surroundings.rights is None or surroundings.people is None:
        return []
    problems_found = []
    for sketch in sketches:
        checked = (
            (approval, _nobody(approval, sketches, sketch, raw, surroundings))
            for approval in _approvals_of_step(sketch, surroundings.approvals or {})
        )
        problems_found += [
            Problem(sketch.id, approval.field, f"{why} {_mend(surroundings.managers)}")
            for approval, why in checked
            if why is not None
        ]
        named = [name for _, name in sketch.roles]
        if named and surroundings.rights.roles.issuperset(named) and not _doers(sketch, raw, surroundings):
            why = f"Nobody can do this step: nobody has the role {roles_words(named)}{_in(raw)} and may work on such runs."
            problems_found.append(
                Problem(sketch.id, "roles", f"{why} {_mend(surroundings.managers)}", "warning")
            )
    return problems_found


def given_by(
    person: str,
    raw: Mapping[str, Any],
    sketches: Sequence[Sketch],
    approvals: Mapping[str, Sequence[Any]],
    rights: Any,
) -> set[str]:
    """The approvals in a workflow that this person may give by roles and rights, each as its step and field; separated duties are judged with each request."""
    team = raw.get("team") if isinstance(raw.get("team"), str) else None
    found = ((sketch.id, each) for sketch in sketches for each in _approvals_of_step(sketch, approvals))
    return {
        f"{step} {each.field}"
        for step, each in found
        if (not each.roles or any(person in rights.people(role, team) for role in each.roles))
        and _lacks(person, each, team, raw, rights) is None
    }


def unheard(sketches: Sequence[Sketch], raw: Mapping[str, Any]) -> list[Problem]:
    """Approvals after which a no leads where a yes does, and no later step reads which it was."""
    said = (
        json.dumps(raw.get("steps"), default=str)
        if any(sketch.type == "approval" for sketch in sketches)
        else ""
    )
    return [
        Problem(sketch.id, "next.rejected", UNHEARD, "warning")
        for sketch in sketches
        if sketch.type == "approval"
        and sketch.next.get("default") is not None
        and "rejected" not in sketch.next
        and sketch.next.get("approved", sketch.next["default"]) == sketch.next["default"]
        and f"steps.{sketch.id}.decision" not in said
    ]


def _approvals_of_step(sketch: Sketch, rules: Mapping[str, Sequence[Any]]) -> Iterator[Asked]:
    config = sketch.config
    if sketch.type == "approval" and config is not None:
        yield Asked("config.roles", config.roles, config.needs, config.not_by)
    for use in sketch.actions:
        if not use.field.endswith("compensation"):
            yield from (
                Asked(f"config.{use.field}", rule.roles, rule.needs, rule.not_, use.column)
                for rule in rules.get(use.column or "", ())
            )


def _nobody(
    approval: Asked, sketches: Sequence[Sketch], sketch: Sketch, raw: Mapping[str, Any], surroundings: Any
) -> str | None:
    """Why nobody could give it, in sentences; None if somebody could, or a role is missing (reported elsewhere)."""
    rights, team = surroundings.rights, raw.get("team") if isinstance(raw.get("team"), str) else None
    if any(role not in rights.roles for role in approval.roles):
        return None
    role_names = roles_words(approval.roles)
    place = _in(raw)
    holders = (
        frozenset().union(*(rights.people(role, team) for role in approval.roles))
        & surroundings.people.keys()
    )
    if not holders:
        return f"Nobody can give this approval: nobody has the role {role_names}{place}."
    lacks = {person: _lacks(person, approval, team, raw, rights) for person in holders}
    able = {person for person, lacking in lacks.items() if lacking is None}
    if not able:
        names = _listed(sorted(surroundings.people[person] for person in holders))
        lacking = next(each for _, each in sorted(lacks.items()) if each is not None)
        return f"Nobody can give this approval: who has the role {role_names}{place} ({names}) may not {lacking}."
    left = able - kept_from(approval.not_by, sketches, raw, rights, surroundings.people).keys()
    askers = _doers(sketch, raw, surroundings) if REQUESTER in approval.not_by else frozenset()
    most = max((len(left - {asker}) for asker in askers), default=len(left))
    if most >= approval.needs:
        return None
    who = "nobody else" if most == 0 else f"{most} of the {approval.needs} who are needed"
    return f"Nobody can give this approval: besides those whom its rules rule out, {who} has the role {role_names}{place} and may see such runs."


def _in(raw: Mapping[str, Any]) -> str:
    return f" in the team {raw['team']}" if isinstance(raw.get("team"), str) else ""


def _lacks(person: str, approval: Asked, team: str | None, raw: Mapping[str, Any], rights: Any) -> str | None:
    """The right that the person lacks as approver; None if none."""
    if not rights.allows(person, team, f"workflow:{raw.get('slug')}", "see"):
        return "see runs of this workflow"
    collection = raw.get("collection")
    if isinstance(collection, str) and not rights.allows(person, None, f"collection:{collection}", "read"):
        return f"read {collection}"
    if approval.action is not None and not rights.allows(
        person, team, f"action:{approval.action}", "approve"
    ):
        return f"approve {approval.action}"
    return None


def _doers(sketch: Sketch, raw: Mapping[str, Any], surroundings: Any) -> frozenset[str]:
    """People with a role for the step, without those who have left."""
    there: frozenset[str] = people_for(sketch, raw, surroundings.rights) & surroundings.people.keys()
    return there


def _mend(managers: Sequence[str]) -> str:
    who = _listed(managers) or "whoever manages people and rights"
    return f"Ask {who} to give somebody the role and the right, or name another role here."


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
