"""What workflows, actions and workspaces name that would be gone with a change of a database; in their drafts too, where what is published does not say it already."""

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from console import workflows, workspaces
from console.auth import access
from console.core.actor import Actor
from console.core.documents import action_check
from console.core.documents.collections import Collection
from console.core.documents.environment_check import Surroundings
from console.core.documents.workspaces import Workspace
from console.infra.db import tables
from console.infra.db.engine import fetch, read_rows
from console.sources.breaks import Break
from console.steps.effects import action_cache


def broken(now: Mapping[str, Collection], then: Mapping[str, Collection], by: Actor) -> Iterator[Break]:
    """What fails only against the collections as they would be `then`, as far as `by` may see it."""
    yield from _workflows(now, then, by)
    yield from _actions(now, then, by)
    yield from _workspaces(now, then, by)


def _workflows(now: Mapping[str, Collection], then: Mapping[str, Collection], by: Actor) -> Iterator[Break]:
    """What would fail in the published version of each workflow, in older versions of runs in progress, and in drafts."""
    running = {
        (row[0], row[1]): row[2]
        for row in fetch(
            f"select r.workflow, r.version, count(*) from {access.runs(by).sql()} where r.ended_at is null group by 1, 2"  # noqa: S608 (a text of ours)
        )
    }
    hidden = access.hidden_from(by)
    told: set[tuple[str, str | None, str]] = set()
    wanted = dict.fromkeys(
        [*((known.id, known.live) for known in workflows.all_known() if known.live), *running]
    )
    for workflow, number in wanted:
        definition = workflows.version(workflow, int(number))
        if f"workflow:{definition.slug}" in hidden:
            continue
        live = running.get((workflow, number), 0)
        runs = f" {live} live {'run' if live == 1 else 'runs'}." if live else ""
        for step, reason, words in _of_workflow(definition.document.to_json(), now, then):
            told.add((definition.slug, step, reason))
            yield Break(
                "workflow",
                f"{definition.title}, version {number}",
                f"/workflows/{definition.slug}",
                words + runs,
            )
    for slug, title, document in fetch(
        "select slug, title, draft from console.workflow where archived_at is null order by slug"
    ):
        if f"workflow:{slug}" not in hidden:
            for step, reason, words in _of_workflow(document, now, then):
                if (slug, step, reason) not in told:
                    yield Break("draft", title, f"/workflows/{slug}/edit", words)


def _of_workflow(
    document: Mapping[str, Any], now: Mapping[str, Collection], then: Mapping[str, Collection]
) -> Iterator[tuple[str | None, str, str]]:
    """(step, reason, both in words) of each problem that is new."""
    after = workflows.check(document, Surroundings(dict(then)))
    before = (
        {(each.step, each.field, each.reason) for each in workflows.check(document, Surroundings(dict(now)))}
        if after
        else set()
    )
    titles = {step.get("id"): step.get("title") for step in document.get("steps") or ()}
    for step, reason in dict.fromkeys(
        (each.step, each.reason) for each in after if (each.step, each.field, each.reason) not in before
    ):
        yield step, reason, f"Step “{titles.get(step) or step}”: {reason}" if step else reason


def _actions(now: Mapping[str, Collection], then: Mapping[str, Collection], by: Actor) -> Iterator[Break]:
    hidden = access.hidden_from(by)
    for action in action_cache.every().values():
        if f"collection:{action.collection}" in hidden:
            continue
        before, after = (
            {(p.field, p.reason) for p in action_check.check(action.canonical(), dict(where))}
            for where in (now, then)
        )
        for reason in sorted({reason for _, reason in after - before}):
            yield Break("action", action.title, f"/workflows/{action.slug}", reason)


def _workspaces(now: Mapping[str, Collection], then: Mapping[str, Collection], by: Actor) -> Iterator[Break]:
    """Components of workspaces, published or drafted, that would say that something is gone."""
    table = tables.workspace_draft.c
    drafted = read_rows(
        sa.select(table.workspace, table.document)
        .where(table.document.is_not(None))
        .order_by(table.workspace)
    )
    told: set[tuple[str, str]] = set()
    for each in workspaces.published().values():
        for component, reason, words in _of_workspace(each, now, then, by):
            told.add((each.id, reason))
            yield Break("workspace", each.title, f"/w/{each.id}/edit?part={component}", words)
    for row in drafted:
        draft = workspaces.read(row.document)
        for component, reason, words in _of_workspace(draft, now, then, by):
            if (draft.id, reason) not in told:
                yield Break("draft", draft.title, f"/w/{draft.id}/edit?part={component}", words)


def _of_workspace(
    document: Workspace, now: Mapping[str, Collection], then: Mapping[str, Collection], by: Actor
) -> Iterator[tuple[str, str, str]]:
    """(component, reason, both in words) of each name that is gone then."""
    hidden = access.hidden_from(by)
    before, after = (
        {(spot.place[0], spot.reason) for spot in workspaces.unknown_names(document, where.get)}
        for where in (now, then)
    )
    for component, reason in sorted(after - before, key=str):
        item = document.component(str(component))
        if item is not None and f"collection:{getattr(item, 'collection', None)}" not in hidden:
            title = item.title or getattr(item, "label", None)
            words = f"{item.kind_label} “{title}”" if title else item.kind_label
            yield str(item.id), reason, f"{words}: {reason}"
