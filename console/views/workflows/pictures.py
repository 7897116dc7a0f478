"""Workflows as read-only pages: one with its picture and rules, and the path of a run through it."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from console.authoring import diagrams
from console.authoring.diagrams import Node
from console.core.documents.variables import VALID_FROM, Dated, Table
from console.core.documents.workflow import Workflow
from console.views import formats, frame
from console.views.frame import Badge
from console.views.runs import page, replay
from console.views.workflows import overview, tabs

blueprint = Blueprint("pictures", __name__)

DAY = formats.Kind("valid_from", "Valid from", "date")
SHOWN_ROWS = 20
SHOWN_VERSIONS = 8
_STATES = {
    "done": Badge("Done", "good", "check"),
    "now": Badge("Here now", "info", "player-play"),
    "cancelled": Badge("Cancelled", "", "ban"),
    "skipped": Badge("Skipped", "", "circle-dashed"),
    "failed": Badge("Failed", "bad", "alert-triangle"),
    "todo": Badge("May come"),
    "missed": Badge("Not passed"),
}
_SETTINGS = (
    ("exclusive", "One live run per record", "{}"),
    ("visit_limit", "Entries into one step before the run asks", "{}"),
    ("max_automatic_steps", "Automatic steps in a row before it asks", "{}"),
    ("retries", "Tries again of an automatic step", "{}"),
    ("on_error", "When an automatic step cannot go on", "{}"),
    ("idle_save_minutes", "Saved by itself after", "{} minutes without a sign of the holder"),
)
_ON_ERROR = {"ask": "it asks a person", "fail": "the run ends as failed"}


@blueprint.get("/workflows/<slug>")
def show(slug: str) -> Response:
    """Show one workflow; `version` names a version other than the live one, or the draft."""
    shown = diagrams.show(frame.actor(), slug, request.args.get("version"))
    look = frame.look()
    glance, ways = overview.overview_counts(shown)
    every, chosen = overview.people(shown, request.args.get("people", ""))
    context = tabs.context(shown.known, "picture") | {
        "shown": shown,
        "document": shown.document,
        "nodes": shown.picture.nodes,
        "groups": shown.picture.groups,
        "settings": _settings(shown.document),
        "rules": [
            (name, _rule(value, look, shown.labels))
            for name, value in sorted(shown.document.variables.items())
        ],
        "tables": [
            (name, _table(table, look, shown.labels)) for name, table in sorted(shown.document.tables.items())
        ],
        "many_versions": SHOWN_VERSIONS,
        "address": tabs.address,
        "state_badge": None,
        "target": _step_target,
        "workflow_title": shown.document.title,
        "enrolled": every,
        "stand": chosen.steps,
        "people_version": None if chosen is every else request.args["people"],
        "glance": glance,
        "ways_counted": ways,
        "pictured": overview.pictured(shown, every, chosen, ways),
    }
    return frame.page("workflows/page.html", context)


@blueprint.get("/runs/<run_id>/picture")
def path(run_id: str) -> Response:
    """Show the path of a run, at present or after event `at`. The page has no commands."""
    path_shown = diagrams.path(frame.actor(), run_id, replay.place())
    run = path_shown.replay.run.json

    def of(n: int) -> str:
        return frame.run_url(run_id, "picture", at=n)

    def target(node: Node) -> str:
        """Return the address of the newest attempt at the step; without one, the step in the list."""
        if not node.attempts:
            return _step_target(node)
        return attempt_url(node.attempts[-1].event)

    def attempt_url(event: int | None) -> str:
        return frame.run_url(run_id) if event is None else frame.run_url(run_id, "replay", at=event)

    context = (
        page.run_context(path_shown.replay.run)
        | replay.band(path_shown.replay, of)
        | {
            "nodes": path_shown.picture.nodes,
            "groups": path_shown.picture.groups,
            "state_badge": lambda node: _STATES[node.state],
            "target": target,
            "attempt_url": attempt_url,
            "now": path_shown.replay.at == path_shown.replay.last,
            "twin": {
                "label": "Screen",
                "icon": "eye",
                "href": frame.run_url(run_id, "replay", at=path_shown.replay.at),
            },
            "status": frame.status_badge(
                run["status"], run["holder"], run["holder"], path_shown.replay.run.names
            ),
            "window_title": ", ".join(
                part
                for part in ("Picture", run["workflow"]["title"], path_shown.replay.run.record_title)
                if part
            ),
        }
    )
    return frame.page("replay/picture.html", context, blocks={"replay": "replay"})


def _step_target(node: Node) -> str:
    return f"#step-{node.id}"


def _settings(document: Workflow) -> list[tuple[str, str]]:
    values: Mapping[str, Any] = document.settings.model_dump() | {
        "on_error": _ON_ERROR[document.settings.on_error]
    }
    words = {True: "yes", False: "no"}
    return [
        (label, form.format(words[values[name]] if isinstance(values[name], bool) else values[name]))
        for name, label, form in _SETTINGS
    ]


def _rule(value: Any, look: formats.Look, labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return a house rule as pairs (valid from, text)."""
    if isinstance(value, Dated):
        return [(_since(phase.valid_from, look), _plain(phase.value, labels)) for phase in value.dated]
    return [("", _plain(value, labels))]


def _table(table: Table, look: formats.Look, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return a policy table: its columns, keys first, and its rows in order."""
    columns = [column for key in table.keys for column in table.columns if column.name == key] + table.answers
    dated = any(row.get(VALID_FROM) for row in table.rows)
    return {
        "description": table.description,
        "columns": [column.label or column.name for column in columns] + (["Valid from"] if dated else []),
        "rows": [
            [_plain(row.get(column.name), labels) for column in columns]
            + ([_since(row.get(VALID_FROM), look)] if dated else [])
            for row in table.rows[:SHOWN_ROWS]
        ],
        "more": max(0, len(table.rows) - SHOWN_ROWS),
    }


def _since(day: str | None, look: formats.Look) -> str:
    return f"from {formats.text(DAY, day, look)}" if day else "since ever"


def _plain(value: Any, labels: Mapping[str, str]) -> str:
    """Return a value in words."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(
            f"{formats.label_of(name) if name not in labels else labels[name]}: {_plain(each, labels)}"
            for name, each in value.items()
        )
    return formats.text(formats.undescribed("", value), _in_words(value, labels), formats.Look())


def _in_words(value: Any, labels: Mapping[str, str]) -> Any:
    """Return the value with codes of options as their labels, and other words of programs as words of people."""
    if isinstance(value, str):
        return labels.get(value) or formats.program_words(value)
    if isinstance(value, list):
        return [_in_words(each, labels) for each in value]
    return value
