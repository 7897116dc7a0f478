"""Rights that a workflow needs and that some of those who work in it, or whoever publishes it, do not have; and who has them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from console import steps
from console.auth import access, accounts
from console.auth.access import labels, limits, policy_words
from console.core.actor import Actor
from console.core.documents.environment_check import WORK
from console.core.documents.workflow_sketch import Sketch, sketches
from console.core.errors import NotFound
from console.workflows import OBJECT


@dataclass(frozen=True, slots=True)
class MissingRight:
    """A right in words, the titles of the steps that need it (none: publishing itself), who lacks it and who has it, by name."""

    obj: str
    act: str
    right: str
    steps: Sequence[str]
    missing: Sequence[str]
    have: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        """The right in the shape of the API."""
        return {
            "need": {"object": self.obj, "act": self.act},
            "right": self.right,
            "steps": list(self.steps),
            "missing": list(self.missing),
            "have": list(self.have),
        }


@dataclass(slots=True)
class _Need:
    """A right that steps need: any of the acts will do. `doers` are those who do these steps, by id."""

    acts: Sequence[str]
    steps: list[str] = field(default_factory=list)
    doers: dict[str, str] = field(default_factory=dict)


def missing_rights(actor: Actor, team: str | None, document: Mapping[str, Any]) -> list[MissingRight]:
    """What the actor lacks to publish the document, then what those lack who do its steps: the rights that most lack first."""
    names = labels.all_titles()
    found = _to_publish(actor, team, document, names)
    policy = access.rights()
    lacking: list[MissingRight] = []
    for (obj, act), need in _needs(team, document).items():
        missing = sorted(
            name
            for person, name in need.doers.items()
            if not any(policy.allows(person, team, obj, each) for each in need.acts)
        )
        if missing:
            have = sorted({name for each in need.acts for name in limits.able(team, obj, each)})
            lacking.append(
                MissingRight(obj, act, policy_words.right(obj, act, names), need.steps, missing, have)
            )
    return found + sorted(lacking, key=lambda each: (-len(each.missing), each.right))


def _to_publish(
    actor: Actor, team: str | None, document: Mapping[str, Any], names: labels.Names
) -> list[MissingRight]:
    """The rights to publish it, and to let runs act as the account that it names."""
    found = []
    obj = f"{OBJECT}:{document.get('slug')}"
    if not access.can(actor, team, obj, "publish"):
        found.append(_of_actor(actor, obj, "publish", limits.able(team, obj, "publish"), names))
    if isinstance(address := document.get("run_as"), str):
        account, teams = f"account:{address.strip().lower()}", _teams_of(address)
        if not any(access.can(actor, each, account, "use") for each in teams):
            able = sorted({name for each in teams for name in limits.able(each, account, "use")})
            found.append(_of_actor(actor, account, "use", able, names))
    return found


def _of_actor(actor: Actor, obj: str, act: str, able: Sequence[str], names: labels.Names) -> MissingRight:
    return MissingRight(obj, act, policy_words.right(obj, act, names), (), (actor.name,), able)


def _teams_of(address: str) -> Collection[str]:
    try:
        return accounts.service_account(address).teams
    except NotFound:  # a problem of the document says so
        return ()


def _needs(team: str | None, document: Mapping[str, Any]) -> dict[tuple[str, str], _Need]:
    """What the steps read, change and do, with who does them."""
    named = {step["id"]: str(step.get("title") or step["id"]) for step in document["steps"]}
    workers = {
        person: name
        for act in WORK
        for person, name in limits.people_able(team, f"{OBJECT}:{document.get('slug')}", act)
    }
    account = _account(document)
    needs: dict[tuple[str, str], _Need] = {}
    for sketch in sketches(document, steps.all_types(), []):
        doers = account if account and sketch.by_itself else _with_roles(workers, sketch, team)
        for obj, acts in _used(sketch, document.get("collection")):
            need = needs.setdefault((obj, acts[0]), _Need(acts))
            need.doers |= doers
            if named[sketch.id] not in need.steps:
                need.steps.append(named[sketch.id])
    return needs


def _used(sketch: Sketch, own: Any) -> Iterable[tuple[str, tuple[str, ...]]]:
    """(object, acts of which one is needed) of a step."""
    for use in sketch.uses:
        if use.relation is None and isinstance(name := use.collection or own, str):
            yield f"collection:{name}", ("update" if use.changed else "read",)
    for use in sketch.actions:
        yield f"action:{use.column}", ("execute", "request")


def _with_roles(workers: Mapping[str, str], sketch: Sketch, team: str | None) -> dict[str, str]:
    """Those of the workers who may do a step that names roles."""
    if not sketch.roles:
        return dict(workers)
    held = {person for _, role in sketch.roles for person in access.rights().people(role, team)}
    return {person: name for person, name in workers.items() if person in held}


def _account(document: Mapping[str, Any]) -> dict[str, str]:
    """The service account as which automatic steps are done: name by id; none where the document names none that exists."""
    try:
        account = accounts.service_account(str(document.get("run_as") or ""))
    except NotFound:
        return {}
    return {account.id: account.name}
