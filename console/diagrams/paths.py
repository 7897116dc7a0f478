"""Workflows as diagrams: the list of workflows, the steps of one in words, and the path of a run through it.

A picture is data: the steps in the order of the document, with their edges and texts. Pages draw it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from console import access, accounts, runs, steps, workflows
from console.core.actor import Actor
from console.core.documents import graph
from console.core.documents.collections import humanised
from console.core.documents.fields import Use
from console.core.documents.workflow import Step, Workflow, read
from console.db import tables
from console.db.engine import hot_engine
from console.errors import NotFound
from console.runs import ReplayView
from console.steps.base import StepType
from console.workflows import OBJECT, Known

DEFAULT = "default"
OTHERWISE = "Otherwise"
MOST_VERSIONS = 50
LONGEST = 240
OWN_WORDS = frozenset({"text", "maker"})  # settings that are described differently
GONE = frozenset({"cancelled", "revised"})  # entries that no longer count
UNKNOWN = "Unknown step type"
DONE_EVENTS = ("step_completed", "step_shown", "step_entered")  # the first of these events that an attempt has shows it best


@dataclass(frozen=True, slots=True)
class Head:
    """A workflow in the list. Times are aware UTC. `live_runs` counts the runs of teams where the reader may see them."""

    known: Known
    team: str
    collection: str
    live_runs: int
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class Version:
    """A published version. `hash` is that of its canonical bytes."""

    number: int
    hash: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Way:
    """An edge from a step. `label` is empty if it is the only one; `back`: it leads to an earlier step; `when` is its rule."""

    outcome: str
    label: str
    to: str
    title: str
    back: bool = False
    when: str = ""
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One entry into a step. `state` is the step's, or `revised` if it was replaced. `event` is the number of the event to show, None for the current one."""

    number: int
    state: str
    by: str
    at: str | None
    event: int | None


@dataclass(frozen=True, slots=True)
class Node:
    """A step in a picture. `gist` says in a few words what it does, `says` in detail: pairs of a label and a text; `technical` are its expressions,
    templates and names of programs.

    `state` is that of a run: done, now, cancelled, skipped, failed, todo (may come), missed (will not come); empty without a run.
    """

    id: str
    title: str
    kind: str
    family: str
    icon: str
    gist: str
    says: Sequence[tuple[str, str]]
    ways: Sequence[Way]
    at: tuple[int, int] | None = None
    group: int | None = None
    alone: bool = False
    state: str = ""
    attempts: Sequence[Attempt] = ()
    technical: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """The steps in the order of the document, and the titles of their groups by number."""

    nodes: Sequence[Node]
    groups: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page of a workflow shows: one version (`number`), or the draft (None)."""

    known: Known
    number: int | None
    document: Workflow
    picture: Picture
    team: str
    collection: str
    versions: Sequence[Version]
    may_edit: bool
    draft_differs: bool
    live_runs: int


@dataclass(frozen=True, slots=True)
class Path:
    """The path of a run after one of its events, in a picture of its version."""

    replay: ReplayView
    picture: Picture


def listed(actor: Actor) -> list[Head]:
    """Every workflow that the actor may see, with drafts, by title, in a fixed number of statements."""
    seen = [known for known in workflows.all_known() if _sees(actor, known)]
    if not seen:
        return []
    made, known_at = tables.workflow_version.c, tables.workflow.c
    with hot_engine().connect() as connection:
        rows = connection.execute(
            sa.select(made.workflow, made.published_at).join(
                tables.workflow, sa.and_(known_at.id == made.workflow, known_at.live_version == made.number)
            )
        ).all()
    published = {row.workflow: row.published_at for row in rows}
    counts, names = runs.live_counts(actor), {team.id: team.name for team in accounts.teams()}
    return [
        Head(
            known, names.get(known.team, known.team), _collection_label(known.collection), counts.get(known.id, 0), published.get(known.id)
        )
        for known in seen
    ]


def show(actor: Actor, slug: str, version: str | None = None) -> Shown:
    """One workflow: the live version, another one by number, or `draft`. Raises NotFound, with the same text whether it does not exist or is hidden."""
    known = next((known for known in workflows.all_known() if known.slug == slug), None)
    if known is None or not _sees(actor, known):
        raise NotFound(hidden=known is not None and known.label is None)
    may_edit = access.can(actor, known.team or None, f"{OBJECT}:{slug}", "edit")
    draft = _draft(known)
    if version is None:
        number = known.live
    elif version == "draft" and (may_edit or known.live is None):
        number = None
    elif version.isdecimal() and len(version) <= 9:
        number = int(version)
    else:
        raise NotFound
    live = workflows.version(known.id, known.live) if known.live is not None else None
    document = draft if number is None else workflows.version(known.id, number).document
    return Shown(
        known,
        number,
        document,
        picture_of(document, workflows.connected() or {}),
        {team.id: team.name for team in accounts.teams()}.get(known.team, known.team),
        _collection_label(document.collection),
        _versions(known),
        may_edit,
        live is not None and draft.hash != live.hash,
        runs.live_counts(actor).get(known.id, 0),
    )


def path(actor: Actor, run_id: str, at: int | None = None) -> Path:
    """The path of a run after event `at` (None: as it is now). Raises NotFound as `replay` does."""
    replay = runs.replay(actor, run_id, at)
    run = replay.run.json
    picture = picture_of(workflows.version(run["workflow"]["id"], run["version"]).document, workflows.connected() or {})
    return Path(replay, replace(picture, nodes=_walked(picture.nodes, replay)))


def picture_of(document: Workflow, collections: Mapping[str, Any]) -> Picture:
    """The steps of the document with texts and edges. `collections` by id give the labels of fields and relations."""
    edges = {step.id: list(step.next.values()) for step in document.steps}
    back = set(graph.back_edges(edges))
    titles = {step.id: step.title for step in document.steps}
    groups = {member: number for number, group in reversed(list(enumerate(document.groups))) for member in group.steps}
    called = _Names(collections, collections.get(document.collection or ""))
    nodes = [_node(step, called, titles, back, groups.get(step.id)) for step in document.steps]
    return Picture(nodes, [group.title for group in document.groups])


def _sees(actor: Actor, known: Known) -> bool:
    return access.can(actor, known.team or None, f"{OBJECT}:{known.slug}", "see")


def _collection_label(collection: str | None) -> str:
    found = (workflows.connected() or {}).get(collection or "")
    return str(found.label) if found else collection or ""


def _draft(known: Known) -> Workflow:
    with hot_engine().connect() as connection:
        return read(connection.execute(sa.select(tables.workflow.c.draft).where(tables.workflow.c.id == known.id)).scalar_one())


def _versions(known: Known) -> list[Version]:
    """The newest first."""
    made = tables.workflow_version.c
    found = sa.select(made.number, made.hash, made.published_at, made.published_by).where(made.workflow == known.id)
    with hot_engine().connect() as connection:
        rows = connection.execute(found.order_by(made.number.desc()).limit(MOST_VERSIONS)).all()
    names = accounts.names({row.published_by for row in rows})
    names[workflows.COMMAND_LINE.id] = workflows.COMMAND_LINE.name or ""
    return [Version(row.number, row.hash, row.published_at, names.get(row.published_by, row.published_by)) for row in rows]


# ----------------------------------------------------------------------------------------------------------------- one step


@dataclass(frozen=True, slots=True)
class _Names:
    """Labels of fields and relations. `here` is the workflow's collection, None if it has none or it is not connected."""

    collections: Mapping[str, Any]
    here: Any

    def field(self, name: str) -> str:
        """The label of a field of the workflow's collection."""
        return _label(self.here, name)

    def changed(self, use: Use) -> str:
        """The label of a field that a step changes, of the run's record or of another."""
        link = next((entry for entry in self.here.relations if entry.name == use.relation), None) if self.here and use.relation else None
        other = link.collection if link else use.collection
        return _label(self.collections.get(other) if other else self.here, use.column or "")

    def beside(self, relation: str | None, collection: str | None, columns: Sequence[str]) -> str:
        """The labels of a relation's target, or another collection, and its fields."""
        link = next((entry for entry in self.here.relations if entry.name == relation), None) if self.here and relation else None
        target = self.collections.get(link.collection if link else collection or "")
        label = link.label if link else target.label if target else relation or collection
        fields = _listed(_label(target, column) for column in dict.fromkeys(columns))
        return f"{label}: {fields}" if fields else str(label)


def _label(collection: Any, name: str) -> str:
    known = collection.by_name.get(name) if collection else None
    return str(known.label) if known else name


def _node(step: Step, called: _Names, titles: Mapping[str, str], back: set[tuple[str, str]], group: int | None) -> Node:
    kind = steps.all_types().get(step.type)
    config = _config(kind, step)
    at = (step.at[0], step.at[1]) if step.at else None
    says = _says(step, kind, config, called)
    return Node(
        step.id,
        step.title,
        kind.title if kind else f"{UNKNOWN} {step.type}",
        kind.family if kind else "action",
        kind.icon if kind else "bolt",
        _gist(says, config, kind),
        says,
        _ways(step, kind, config, titles, back),
        at,
        group,
        kind is not None and (kind.by_itself(step.config) or step.completion == "automatic"),
        technical=_technical(config),
    )


def _config(kind: StepType | None, step: Step) -> Any:
    """The settings as the step type reads them; None if the type or one of its settings no longer exists."""
    try:
        return kind.Config.model_validate(step.config) if kind else None
    except ValidationError:
        return None


def _ways(step: Step, kind: StepType | None, config: Any, titles: Mapping[str, str], back: set[tuple[str, str]]) -> list[Way]:
    """In the order of the type's outcomes, `default` last."""
    order = list(kind.outcomes(config)) if kind and config is not None else []
    outcomes = sorted(step.next, key=lambda outcome: (outcome == DEFAULT, order.index(outcome) if outcome in order else len(order)))
    labels = {option.value: option.label for option in getattr(config, "options", None) or ()}
    rules = {branch.outcome: branch.if_ for branch in reversed(getattr(config, "branches", None) or ())}
    return [
        Way(
            outcome,
            _way_label(outcome, labels, len(step.next)),
            step.next[outcome],
            titles.get(step.next[outcome], step.next[outcome]),
            (step.id, step.next[outcome]) in back,
            rules.get(outcome, ""),
        )
        for outcome in outcomes
    ]


def _way_label(outcome: str, labels: Mapping[str, str], many: int) -> str:
    if outcome == DEFAULT:
        return OTHERWISE if many > 1 else ""
    return str(labels.get(outcome) or outcome.replace("_", " ").capitalize())


def _says(step: Step, kind: StepType | None, config: Any, called: _Names) -> list[tuple[str, str]]:
    """What the step does, by its settings; for every type, also those of other packages."""
    if kind is None or config is None:
        return []
    uses = kind.uses(config)
    read = [use for use in uses if not use.changed]
    beside = list(dict.fromkeys((use.relation, use.collection) for use in read if use.relation or use.collection))
    own = [use.column for use in read if use.column and not use.relation and not use.collection]
    asked = [entry for entry in _definitions(config) if not entry.readonly]
    found = [
        ("Reads", _listed(called.field(name) for name in dict.fromkeys(own))),
        *(
            ("Reads", called.beside(*place, [use.column for use in read if (use.relation, use.collection) == place and use.column]))
            for place in beside
        ),
        ("Changes", _listed(dict.fromkeys(called.changed(use) for use in uses if use.changed and use.column))),
        ("Asks for", _listed(entry.label + (" (required)" if entry.required else "") for entry in asked)),
        *((name, text) for name, text in _settings(config) if not _for_programs(text)),
        *(("Shows", text) for text in [_short(getattr(config, "text", None) or "")] if not _for_programs(text)),
        ("Only for", _listed(humanised(role) for role in step.roles or ())),
        ("Completes", "without a click, where nothing is asked" if step.completion == "automatic" else ""),
    ]
    return [(label, text) for label, text in found if text]


def _gist(says: Sequence[tuple[str, str]], config: Any, kind: StepType | None) -> str:
    """A few words that fit into a node."""
    branches = getattr(config, "branches", None)
    if branches:
        return _listed(_way_label(branch.outcome, {}, 2) for branch in branches)
    wanted = ("Changes", "Asks for", "Reads")
    told = next((f"{label} {text}" for want in wanted for label, text in says if label == want), None)
    plain = next((text for label, text in says if label not in (*wanted, "Shows", "Only for", "Completes")), None)
    return told or plain or (kind.gist if kind else "")


def _technical(config: Any) -> list[tuple[str, str]]:
    """What of the settings is written for programs: rules, templates, names of actions."""
    if config is None:
        return []
    found = [("By rule", f"{_option_label(config, rule.option)} when {rule.if_}") for rule in getattr(config, "rules", None) or ()]
    found += [(name, text) for name, text in _settings(config) if _for_programs(text)]
    return found + [("Shows", text) for text in [_short(getattr(config, "text", None) or "")] if _for_programs(text)]


_PROGRAM = re.compile(r"\{\{|[a-z]\w*[_.][a-z_]\w*|[=<>!]=|&&|\|\|")


def _for_programs(text: str) -> bool:
    """Whether the text is an expression, a template or a name that programs use."""
    return _PROGRAM.search(text) is not None


def _definitions(config: Any) -> list[Any]:
    """Fields of the step's form that are not columns."""
    parts = [name for name in ("form", "fields") if name in type(config).model_fields]
    found = [entry for name in parts for entry in getattr(config, name) or ()]
    return [entry for entry in found if hasattr(entry, "label") and hasattr(entry, "required")]


def _settings(config: Any) -> list[tuple[str, str]]:
    """Plain settings that differ from their default: an amount, a name, an expression."""
    found = []
    for name, told in type(config).model_fields.items():
        value = getattr(config, name)
        if name not in OWN_WORDS and isinstance(value, str | int) and value != told.default:
            found.append((name.replace("_", " ").capitalize(), "yes" if value is True else "no" if value is False else _short(str(value))))
    return found


def _option_label(config: Any, value: str) -> str:
    return next((str(option.label) for option in getattr(config, "options", None) or () if option.value == value), value)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"


# --------------------------------------------------------------------------------------------------------------- a run's path


def _walked(nodes: Sequence[Node], replay: ReplayView) -> list[Node]:
    """The steps with where the run stands with each, and the ways that it took."""
    entries = [dict(entry, state="revised" if entry["revised"] else entry["state"]) for entry in replay.run.steps if entry["n"] is not None]
    standing = [entry for entry in entries if entry["state"] not in GONE]
    taken = {(one["step"], one["outcome"], two["step"]) for one, two in pairwise(standing)}
    here = next((entry["step"] for entry in entries if entry["state"] == "now"), None)
    coming = graph.reachable({node.id: [way.to for way in node.ways] for node in nodes}, [here] if here else [])
    events = _events(replay)
    made = []
    for node in nodes:
        own = [entry for entry in entries if entry["step"] == node.id]
        attempts = [
            Attempt(entry["attempt"], entry["state"], entry["by_name"] or "", entry["at"], _event(entry, events, replay)) for entry in own
        ]
        named = {way.outcome for way in node.ways}
        passed = {(outcome if outcome in named else DEFAULT, to) for step, outcome, to in taken if step == node.id}
        ways = [replace(way, taken=(way.outcome, way.to) in passed) for way in node.ways]
        made.append(replace(node, attempts=attempts, ways=ways, state=_state([entry["state"] for entry in own], coming=node.id in coming)))
    return made


def _state(states: Sequence[str], *, coming: bool) -> str:
    """Of all entries into a step the one that counts: that of now, else the last that stands, else the last."""
    if not states:
        return "todo" if coming else "missed"
    if "now" in states:
        return "now"
    return next((state for state in reversed(states) if state not in GONE), "cancelled")


def _events(replay: ReplayView) -> dict[int, dict[str, int]]:
    """Attempt → kind of event → number of its last event up to the place of the replay."""
    found: dict[int, dict[str, int]] = {}
    for tick in replay.ticks:
        if tick["about"] is not None and tick["n"] <= replay.at:
            found.setdefault(tick["about"], {})[tick["kind"]] = tick["n"]
    return found


def _event(entry: Mapping[str, Any], events: Mapping[int, Mapping[str, int]], replay: ReplayView) -> int | None:
    if entry["state"] == "now" and replay.at == replay.last:
        return None
    of_this = events.get(entry["n"], {})
    return next((of_this[kind] for kind in DONE_EVENTS if kind in of_this), replay.at)
