"""Names in a workflow of what is made elsewhere in the console: teams, inboxes, workflows, chats, people. Fields, collections and roles: `house_check`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from console.core.documents.json_shape import Spot
from console.core.documents.references import suggestion
from console.core.documents.workflow_sketch import UNKNOWN, Problem, Severity, Sketch

LITERAL = re.compile(r"""\s*(['"])([^'"]+)\1\s*""")
TEAM, INBOX, WORKFLOW, CHAT, PERSON = "team", "inbox", "workflow", "target", "person"
NAMING = {TEAM: TEAM, INBOX: INBOX, WORKFLOW: WORKFLOW, CHAT: CHAT, "people": PERSON, "assignee": PERSON}
"""Settings of any step type, by their name, and what they name."""
WHERE = {
    TEAM: "Teams are made under Settings, People.",
    WORKFLOW: "The step has an error until it is there.",
    CHAT: "Chats are named by the setting CONSOLE_CHAT_TARGETS.",
    PERSON: "Nobody with an open account has this address or id.",
}


@dataclass(frozen=True, slots=True)
class Names:
    """The names that there are. `inboxes`: id → team; `workflows`: slug → clearance or None; `people`: ids and addresses, None where none may be told.
    `owners`: slug → whose personal workflow it is.
    """

    teams: frozenset[str] = frozenset()
    inboxes: Mapping[str, str] | None = None
    workflows: Mapping[str, str | None] | None = None
    chats: frozenset[str] = frozenset()
    people: frozenset[str] | None = None
    owners: Mapping[str, str] = field(default_factory=dict)


def problems(sketches: Sequence[Sketch], raw: Mapping[str, Any], names: Names | None) -> Iterator[Problem]:
    """What is named and is not there, with what may be meant."""
    if names is None:
        return
    settings = raw.get("settings")
    inbox = settings.get("inbox") if isinstance(settings, Mapping) else None
    named: list[tuple[str | None, str, str, Any]] = [
        (None, TEAM, TEAM, raw.get("team")),
        (None, "settings.inbox", INBOX, inbox),
    ]
    named += [
        (sketch.id, place, kind, name)
        for sketch in sketches
        for place, kind, name in _named(sketch.config, ("config",))
    ]
    for step, place, kind, name in named:
        if isinstance(name, str) and (wrong := _wrong(kind, name, raw, names)) is not None:
            yield Problem(step, place, *wrong, kind=UNKNOWN)


def _named(config: Any, place: tuple[str | int, ...]) -> Iterator[tuple[str, str, Any]]:
    """(place, what it names, the name) in the settings, at every depth that the step type's own model has."""
    for setting in type(config).model_fields if isinstance(config, BaseModel) else ():
        value, here = getattr(config, setting), (*place, setting)
        for where, each in (
            [((*here, number), each) for number, each in enumerate(value)]
            if isinstance(value, list)
            else [(here, value)]
        ):
            if isinstance(each, BaseModel):
                yield from _named(each, where)
            elif setting in NAMING and isinstance(each, str):
                literal = LITERAL.fullmatch(each) if NAMING[setting] == PERSON else None
                if NAMING[setting] != PERSON or literal is not None:
                    yield (
                        Spot(where, "").path,
                        NAMING[setting],
                        literal[2].strip().lower() if literal else each,
                    )


def _wrong(kind: str, name: str, raw: Mapping[str, Any], names: Names) -> tuple[str, Severity] | None:
    known, strict = _known(kind, raw, names)
    if not known or name in known:
        return None
    if kind == INBOX and name in (names.inboxes or {}):
        return f"The inbox {name} is of another team; this team has {', '.join(sorted(known))}.", "error"
    what = {CHAT: "chat"}.get(kind, kind)
    otherwise = f": this team has {', '.join(sorted(known))}." if kind == INBOX else "."
    return (
        f"There is no {what} {name}{suggestion(name, sorted(known), otherwise)} {WHERE.get(kind, '')}".rstrip(),
        "error" if strict else "warning",
    )


def _known(kind: str, raw: Mapping[str, Any], names: Names) -> tuple[frozenset[str], bool]:
    """The names of this kind, none where they are not known, and whether a workflow with another cannot be published."""
    match kind:
        case "team":
            return names.teams, True
        case "inbox":
            return frozenset(
                each for each, team in (names.inboxes or {}).items() if team == raw.get("team")
            ), True
        case "workflow":
            own = {
                None,
                raw.get("clearance"),
            }  # whoever edits this workflow is not told of those that it may not see
            whose = (None, names.owners.get(str(raw.get("slug"))))
            there = (names.workflows or {}).items()
            return frozenset(
                each for each, label in there if label in own and names.owners.get(each) in whose
            ), False
        case "target":
            return names.chats, False
    return names.people or frozenset(), False
