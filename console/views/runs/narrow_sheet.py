"""The sheet that narrows a long list of a run by how its items compare, the lines that fit, and the next of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from console import runs
from console.core.blocks.comparison import WORDS
from console.runs import RunView
from console.steps.base import Item
from console.steps.items import SHOWN
from console.views import frame

LONG = 12
"""Shorter lists are a strip, which is seen at once."""
FITS, SHEET = "fits", "narrow"
_AFTER = {"failed", "done"}


def wanted_verdicts() -> dict[str, str]:
    """Return what the request narrows the list to: label of a line → same, differs or unknown."""
    asked = (given.rpartition(":") for given in request.values.getlist(FITS)[:20])
    return {label: verdict for label, _, verdict in asked if label and verdict in WORDS}


def narrow_context(run_id: str, progress: Mapping[str, Any], screen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the progress of a list with what the page draws to narrow it; a short list, and one of which nothing is compared, as it was."""
    if (
        progress["total"] <= LONG
        or progress["key"] is None
        or not any(block["block"] == "comparison" for block in screen.get("content") or ())
    ):
        return dict(progress)
    given, here = wanted_verdicts(), progress["key"]
    shown = dict(progress) | {
        "narrows": {
            "href": _address(run_id, here, given) + f"&{SHEET}=1",
            "chips": [],
            "lines": (),
            "asked": False,
            "given": _written(given),
            "focus": frame.wants_fragment() and frame.htmx.target == "items",
        }
    }
    if not given and SHEET not in request.args:
        return shown
    found = runs.narrowed(frame.actor(), run_id, given)
    if found is None:
        return dict(progress)
    lines = [
        (
            label,
            [
                (
                    word,
                    counts[verdict],
                    _address(run_id, here, given | {label: verdict}),
                    given.get(label) == verdict,
                )
                for verdict, word in WORDS.items()
                if counts[verdict]
            ],
        )
        for label, counts in found.counts.items()
        if len(+counts) > 1 or label in given
    ]
    chips = [
        (
            f"{label}: {WORDS[verdict].lower()}",
            _address(run_id, here, {name: word for name, word in given.items() if name != label}),
        )
        for label, verdict in given.items()
    ]
    shown["narrows"] |= {"lines": lines, "chips": chips, "asked": True}
    return shown | _window(found.items, here, progress) if given else shown


def _window(items: Sequence[Item], here: str | None, progress: Mapping[str, Any]) -> dict[str, Any]:
    at = next((place for place, item in enumerate(items) if item.key == here), 0)
    first = max(0, min(at - SHOWN // 2, len(items) - SHOWN))
    left = sum(item.state not in _AFTER for item in items)
    return {
        "items": [
            {"key": item.key, "title": item.title, "state": item.state}
            for item in items[first : first + SHOWN]
        ],
        "earlier": items[first - 1].key if first else None,
        "later": items[first + SHOWN].key if first + SHOWN < len(items) else None,
        "fitting": f"{len(items):,} of {progress['total']:,} fit, {left:,} to do",
    }


def next_fitting(view: RunView) -> RunView:
    """Return the run at the first item that is left of those that fit; the run as it is where the list is not narrowed or none is left."""
    left = fitting_item(view.json["id"]) if "progress" in (view.screen or {}) else None
    return runs.get(frame.actor(), view.json["id"], left) if left is not None else view


def fitting_item(run_id: str) -> str | None:
    """Return the first item that is left of those that fit; None where the list is not narrowed or none is left."""
    given = wanted_verdicts()
    found = runs.narrowed(frame.actor(), run_id, given) if given else None
    return next((item.key for item in found.items if item.state == "todo"), None) if found else None


def kept_query() -> dict[str, Any]:
    """Return what an address repeats so that the list stays narrowed."""
    return {FITS: written} if (written := _written(wanted_verdicts())) else {}


def _address(run_id: str, item: str | None, given: Mapping[str, str]) -> str:
    return frame.run_url(run_id, item=item, fits=_written(given))


def _written(given: Mapping[str, str]) -> list[str]:
    return [f"{label}:{verdict}" for label, verdict in given.items()]
