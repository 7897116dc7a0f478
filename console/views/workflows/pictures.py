"""Workflows as read-only pages: one with its picture and figures, and the path of a run through it."""

from flask import Blueprint, Response, request

from console.authoring import diagrams
from console.authoring.diagrams import Node
from console.views import frame
from console.views.frame import Badge
from console.views.runs import page, replay
from console.views.workflows import overview, tabs

blueprint = Blueprint("pictures", __name__)

_STATES = {
    "done": Badge("Done", "good", "check"),
    "now": Badge("Here now", "info", "player-play"),
    "cancelled": Badge("Cancelled", "", "ban"),
    "skipped": Badge("Skipped", "", "circle-dashed"),
    "failed": Badge("Failed", "bad", "alert-triangle"),
    "todo": Badge("May come"),
    "missed": Badge("Not passed"),
}


@blueprint.get("/workflows/<slug>")
def show(slug: str) -> Response:
    """Show one workflow; `version` names a version other than the live one, or the draft."""
    shown = diagrams.show(frame.actor(), slug, request.args.get("version"))
    glance, ways = overview.overview_counts(shown)
    every, chosen = overview.people(shown, request.args.get("people", ""))
    context = tabs.context(shown.known, "picture") | {
        "shown": shown,
        "document": shown.document,
        "drawn": diagrams.draw(
            shown.picture.nodes,
            shown.picture.groups,
            {way: n for way, n in ways.took.items() if not way[1].startswith("way ")} if ways else {},
        ),
        "passed": ways.passed if ways else {},
        "nodes": shown.picture.nodes,
        "groups": shown.picture.groups,
        "address": tabs.address,
        "state_badge": None,
        "target": _step_target,
        "workflow_title": shown.document.title,
        "enrolled": every,
        "stand": chosen.steps,
        "of_version": "" if chosen is every else f"&version={frame.segment(request.args['people'])}",
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
