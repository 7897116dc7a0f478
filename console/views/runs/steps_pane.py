"""The left pane of a run: the path taken, the present step and the next ones, by phase where the workflow has phases."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from flask import Response, make_response, request

from console.runs import RunView
from console.views import formats, frame
from console.views.formats import Look
from console.views.runs import phases

STATE_WORDS = {
    "done": "Done",
    "now": "Current step",
    "cancelled": "Cancelled",
    "skipped": "Skipped",
    "failed": "Failed",
    "todo": "To do",
}


def outline(view: RunView, look: Look, *, links: bool = True) -> list[dict[str, Any]]:
    """Return the path taken, the present step and the steps that surely follow."""
    last = max((index for index, step in enumerate(view.steps) if step["revisable"]), default=-1)
    made = []
    number = view.earlier.counted if view.earlier else 0
    for index, step in enumerate(view.steps):
        number += step["state"] not in ("cancelled", "skipped")
        revise = (
            frame.run_url(view.json["id"], "revise", step=step["step"], attempt=step["attempt"])
            if links and step["revisable"]
            else None
        )
        left = view.json.get("context", {}).get(step["step"], {})
        failed, total = failed_items(left) if step["state"] == "done" else (0, 0)
        state = "failed" if failed and failed == total else step["state"]
        made.append(
            dict(step)
            | {
                "number": number,
                "state": state,
                "state_word": "Handled manually" if step["handled_manually"] else STATE_WORDS[state],
                "revise_url": revise if revise and "revise" in view.can else None,
                "parts_url": frame.run_url(view.json["id"], f"parts/{step['step']}")
                if links and step["attempt"] and step.get("starts_runs")
                else None,
                "last_done": index == last,
                "words": _step_words(step, look, alone=view.json.get("mode") == "hands_off", left=left),
            }
        )
    return made


def failed_items(left: Mapping[str, Any]) -> tuple[int, int]:
    """Return (how many items of a list that was gone through could not be done, how many there were); zeros for any other output."""
    total, done = left.get("total", left.get("count")), left.get("done")
    if "items" not in left or not isinstance(total, int) or not isinstance(done, int):
        return 0, 0
    return left.get("failed", total - done), total


def failed_words(left: Mapping[str, Any]) -> str:
    """Return that items could not be done, in words; empty where all could."""
    failed, total = failed_items(left)
    return (
        ""
        if not failed
        else f"{failed:,} of {total:,} failed"
        if failed < total
        else f"all {total:,} failed"
        if total > 1
        else "failed"
    )


def steps_context(view: RunView, look: Look, *, at: int | None = None) -> dict[str, Any]:
    """Return the left pane: the steps, by phase where the workflow has phases. `at`: the event of a replay, where nothing is revised."""
    steps = outline(view, look, links=at is None)
    kinds = {
        source["name"]: formats.kind(source)
        for source in ((view.screen or {}).get("record") or {}).get("fields", ())
    }
    found = [
        {**step, "found": phases.finding_words(step["finding"], kinds, look) if step.get("finding") else ""}
        for step in steps
    ]
    return {
        "steps": found,
        "phases": phases.phases(view.json, steps, look, kinds),
        "unfolded": unfolded(),
        "unfolding_url": frame.run_url(view.json["id"], "" if at is None else "replay", at=at, phases="all"),
        "steps_done": steps_done(view),
        "earlier": view.earlier,
    }


def unfolded() -> bool:
    """Return whether the steps of all phases are asked for."""
    return request.args.get("phases") == "all"


def unfolding(view: RunView, look: Look, *, at: int | None = None) -> Response | None:
    """Return the phases with all their steps, as a page asks for them when a phase is opened; None where anything else is asked for."""
    if not (unfolded() and frame.wants_fragment()):
        return None
    look = replace(frame.naming_of(view.screen or {}, look), people=view.names)
    answer = make_response(frame.render("runner/phases.html", steps_context(view, look, at=at)))
    answer.headers["Vary"] = "HX-Request, HX-Target"
    return answer


def steps_done(view: RunView) -> int:
    """Return how many steps are done, including those that the list leaves out."""
    return (view.earlier.done if view.earlier else 0) + sum(
        1 for step in view.steps if step["state"] == "done"
    )


def _step_words(
    step: Mapping[str, Any],
    look: Look,
    *,
    alone: bool = False,
    left: Mapping[str, Any] = MappingProxyType({}),
) -> str:
    """Return what a line of the list says of its step; `alone`: of a run that nobody holds, in which a long list is gone through in parts. `left` is its output so far."""
    parts = [str(step["type"]) if step["type"] else ""]
    if alone and step.get("items") and isinstance(left.get("total"), int):
        if step["state"] in ("now", "cancelled"):  # how long the list is shows at its end
            parts += [
                f"{left.get('done', 0):,} done {'so far' if step['state'] == 'now' else 'until then'}",
                *([f"{failed:,} failed"] if (failed := failed_items(left)[0]) else []),
            ]
        else:
            parts.append(f"{left.get('done', 0):,} of {left['total']:,} done")
    elif step.get("items"):
        done = step["items"] + (step["state"] == "done" and not alone)
        parts.append(f"{done:,} {('part done' if done == 1 else 'parts done') if alone else 'done'}")
    if step["state"] == "todo":
        return parts[0]
    if step.get("automatic"):
        parts.append("automatic")
    elif step["state"] == "now":
        parts.append(f"started {formats.clock(step['at'], look)}" if step["at"] else "")
    elif step["by_name"]:
        parts += [str(step["by_name"]), formats.clock(step["at"], look) if step["at"] else ""]
    if (
        step["attempt"] and step["attempt"] > 1 and not step.get("items")
    ):  # of a list, each item is an attempt of its own
        parts.append(f"attempt {step['attempt']}")
    parts.append(failed_words(left) if step["state"] == "done" else "")
    return ", ".join(part for part in parts if part)
