"""Workflows as diagrams: the steps of one in words, and the path of a run through it.

A picture is data: the steps in the order of the document, with their edges and texts. Pages draw it.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from console import runs, workflows
from console.auth import access, accounts
from console.authoring.diagrams.step_nodes import DEFAULT, Attempt, Labels, Node, node_of
from console.core import drafting
from console.core.actor import COMMAND_LINE, Actor
from console.core.documents import graph
from console.core.documents.workflow import Workflow
from console.core.errors import NotFound
from console.infra.db import tables
from console.infra.db.engine import read_rows, read_value
from console.runs import ReplayView
from console.steps.effects import spoken_values
from console.workflows import OBJECT, Known

MOST_VERSIONS = 50
GONE = frozenset({"cancelled", "revised"})  # entries that no longer count
DONE_EVENTS = (
    "step_completed",
    "step_shown",
    "step_entered",
    "timer_set",
    "step_submitted",
)  # the first of these events that an attempt has shows it best


@dataclass(frozen=True, slots=True)
class Version:
    """A published version. `hash` is that of its canonical bytes."""

    number: int
    hash: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The steps in the order of the document, and the titles of their groups by number."""

    nodes: Sequence[Node]
    groups: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """The content of a workflow's page: one version (`number`), or the draft (None)."""

    known: Known
    number: int | None
    document: Workflow
    picture: Picture
    team: str
    collection: str
    may_edit: bool
    draft_differs: bool
    live_runs: int
    labels: Mapping[str, str]
    """Code → label, for values of variables and policy tables."""


@dataclass(frozen=True, slots=True)
class Path:
    """The path of a run after one of its events, in a picture of its version."""

    replay: ReplayView
    picture: Picture


def show(actor: Actor, slug: str, version: str | None = None) -> Shown:
    """One workflow: the live version, another one by number, or `draft`. Raises NotFound, with the same text whether it does not exist or is hidden."""
    known = next((known for known in workflows.all_known() if known.slug == slug), None)
    if known is None or not access.can(actor, known.team or None, f"{OBJECT}:{known.slug}", "see"):
        raise NotFound(hidden=known is not None and known.label is None)
    may_edit = access.can(actor, known.team or None, f"{OBJECT}:{slug}", "edit")
    drafted = _draft(known)
    draft = workflows.readable(drafted)
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
        may_edit,
        live is not None and drafting.written(workflows.as_published(drafted)) != live.document.canonical(),
        runs.live_counts(actor).get(known.id, 0),
        spoken_values.labels_in(document),
    )


def path(actor: Actor, run_id: str, at: int | None = None) -> Path:
    """The path of a run after event `at` (None: as it is now). Raises NotFound as `replay` does."""
    replay = runs.replay(actor, run_id, at)
    run = replay.run.json
    picture = picture_of(
        workflows.version(run["workflow"]["id"], run["version"]).document, workflows.connected() or {}
    )
    return Path(replay, replace(picture, nodes=_walked(picture.nodes, replay)))


def picture_of(
    document: Workflow, collections: Mapping[str, Any], *, only: Container[str] | None = None
) -> Picture:
    """The steps of the document, or those of `only`, with texts and edges. `collections` by id give the labels of fields and relations."""
    edges = {step.id: list(step.next.values()) for step in document.steps}
    back = set(graph.ways_back(edges))
    titles = {step.id: step.title for step in document.steps}
    groups = {
        member: number
        for number, group in reversed(list(enumerate(document.groups)))
        for member in group.steps
    }
    said = {
        step.id: {"id": step.id, "type": step.type, "title": step.title, "config": step.config}
        for step in document.steps
    }
    begins_others = bool(collections) and any(
        step.config.get("workflow") for step in document.steps
    )  # empty: nothing is connected
    known = [each for each in workflows.all_known() if each.label is None] if begins_others else []
    whose = (None, next((each.owner for each in known if each.slug == document.slug), None))
    others = {each.slug: each.title for each in known if each.owner in whose}
    labels = Labels(collections, collections.get(document.collection or ""), said, others)
    nodes = [
        node_of(step, labels, titles, back, groups.get(step.id))
        for step in document.steps
        if only is None or step.id in only
    ]
    return Picture(nodes, [group.title for group in document.groups])


def _collection_label(collection: str | None) -> str:
    collection_shown = (workflows.connected() or {}).get(collection or "")
    return str(collection_shown.label) if collection_shown else collection or ""


def _draft(known: Known) -> dict[str, Any]:
    found = read_value(sa.select(tables.workflow.c.draft).where(tables.workflow.c.id == known.id))
    return workflows.stored_document(found)


def versions_of(known: Known) -> list[Version]:
    """The published versions, the newest first."""
    version_at = tables.workflow_version.c
    newest_first = sa.select(
        version_at.number, version_at.hash, version_at.published_at, version_at.published_by
    ).where(version_at.workflow == known.id, version_at.number > 0)
    rows = read_rows(newest_first.order_by(version_at.number.desc()).limit(MOST_VERSIONS))
    names = accounts.names({row.published_by for row in rows})
    names[COMMAND_LINE.id] = COMMAND_LINE.name or ""
    return [
        Version(row.number, row.hash, row.published_at, names.get(row.published_by, row.published_by))
        for row in rows
    ]


# --------------------------------------------------------------------------------------------------------------- a run's path


def _walked(nodes: Sequence[Node], replay: ReplayView) -> list[Node]:
    """The steps with where the run stands with each, and the ways that it took."""
    entered = [
        dict(entry, state="revised" if entry["revised"] else entry["state"])
        for entry in replay.run.steps
        if entry["n"] is not None
    ]
    standing = [entry for entry in entered if entry["state"] not in GONE]
    taken = {
        (entry_before["step"], entry_before["outcome"], entry_after["step"])
        for entry_before, entry_after in pairwise(standing)
    }
    current_step = next((entry["step"] for entry in entered if entry["state"] == "now"), None)
    coming = graph.reachable(
        {node.id: [way.to for way in (*node.ways, *node.begins)] for node in nodes},
        [current_step] if current_step else [],
    )
    events = _events(replay)
    walked = []
    for node in nodes:
        own = [entry for entry in entered if entry["step"] == node.id]
        attempts = [
            Attempt(
                entry["attempt"],
                entry["state"],
                entry["by_name"] or "",
                entry["at"],
                _event(entry, events, replay),
            )
            for entry in own
        ]
        named = {way.outcome for way in node.ways}
        passed = {
            (outcome if outcome in named else DEFAULT, to) for step, outcome, to in taken if step == node.id
        }
        ways = [replace(way, taken=(way.outcome, way.to) in passed) for way in node.ways]
        walked.append(
            replace(
                node,
                attempts=attempts,
                ways=ways,
                state=_state([entry["state"] for entry in own], coming=node.id in coming),
            )
        )
    insides = _insides(walked)
    return [
        node if node.attempts or node.id not in insides else replace(node, state=insides[node.id])
        for node in walked
    ]


def _insides(nodes: Sequence[Node]) -> dict[str, str]:
    """Step → how it stands, of those that are done in runs of their own for a step which the run has come to: as that step does."""
    edges = {node.id: [way.to for way in node.ways] for node in nodes}
    found: dict[str, str] = {}
    for node in nodes:
        if node.begins and node.attempts:
            inside = graph.reachable(edges, [way.to for way in node.begins]) - graph.reachable(
                edges, edges[node.id]
            )
            found |= dict.fromkeys(inside, node.state)
    return found


def _state(states: Sequence[str], *, coming: bool) -> str:
    """Of all entries into a step the one that counts: that of now, else the last that stands, else the last."""
    if not states:
        return "todo" if coming else "missed"
    if "now" in states:
        return "now"
    return next((state for state in reversed(states) if state not in GONE), "cancelled")


def _events(replay: ReplayView) -> dict[int, dict[str, int]]:
    """Attempt → kind of event → number of its last event up to the place of the replay."""
    last_events: dict[int, dict[str, int]] = {}
    for tick in replay.ticks:
        if tick["about"] is not None and tick["n"] <= replay.at:
            last_events.setdefault(tick["about"], {})[tick["kind"]] = tick["n"]
    return last_events


def _event(
    entry: Mapping[str, Any], events: Mapping[int, Mapping[str, int]], replay: ReplayView
) -> int | None:
    if entry["state"] == "now" and replay.at == replay.last:
        return None
    last_events = events.get(entry["n"], {})
    return next((last_events[kind] for kind in DONE_EVENTS if kind in last_events), replay.at)
