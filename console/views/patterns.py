"""Every component in all its states on one page."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response

from console.views import assets, frame
from console.views.charts import Chart, Series
from console.views.formats import Look
from console.views.runs import form_boxes, panes, proposal, source_links
from console.views.runs.notices import Note
from console.views.work import my_work

blueprint = Blueprint("patterns", __name__)

TONES = ("", "info", "good", "warn", "bad")
FAMILIES = (
    ("start", "player-play"),
    ("action", "pencil"),
    ("llm", "sparkles"),
    ("condition", "git-branch"),
    ("loop", "repeat"),
    ("output", "flag"),
)
STATUSES = ("running", "waiting_time", "saved", "completed", "aborted", "cancelled", "failed", "timed_out")
_RISK = [
    {"value": "low", "label": "Low"},
    {"value": "medium", "label": "Medium"},
    {"value": "high", "label": "High"},
]


@blueprint.get("/patterns")
def show() -> Response:
    """Show the page of patterns; it reads no data."""
    context = {
        "badges": [
            frame.Badge("Neutral"),
            *(frame.Badge(tone.capitalize(), tone) for tone in TONES if tone),
            frame.Badge("AI pre-fill", "ai"),
        ],
        "statuses": [frame.status_badge(status) for status in STATUSES]
        + [frame.status_badge("waiting_person", "usr_1", "usr_2", {"usr_1": "Ana Lopes"})],
        "families": FAMILIES,
        "notices": [
            Note(f"A notice, {tone or 'plain'}", "What happened, why, what now.", tone, "info-circle")
            for tone in TONES
        ],
        "boxes": boxes(frame.look()),
        "proposed": proposed(frame.look()),
        "strips": STRIPS,
        "run": {"id": "run_of_patterns", "revision": 0},
        "charts": charts(),
        "rows": panes.table_of(_table(), frame.look()),
        "waiting": [("Overdue", 2, _waiting())],
        "icons": sorted(assets.drawn_icons()),
    }
    return frame.page("patterns/page.html", context)


def _waiting() -> list[my_work.Drawn]:
    """Return things that wait: one that is open and one that was saved."""
    now = frame.look().now
    rows = [
        my_work.Row(
            "with",
            "Northwind Trading Ltd",
            "KYC review, Decide",
            "After Risk score",
            "/",
            now,
            tile=("condition", "git-branch"),
        ),
        my_work.Row(
            "continue",
            "Bram de Wit",
            "Customer refund, saved by Tom",
            "Not started",
            "/",
            now,
            button="Resume",
            resume=0,
        ),
    ]
    return [my_work.Drawn(row, "Overdue", "6 d", "2 d overdue", "18 Nov 2026", "late") for row in rows]


def charts() -> list[Chart]:
    """Return a line, bars side by side, and a chart without anything to show."""
    line = Series("Accepted unchanged", "ai", [62.0, None, 81.5], ["62 %", "nothing decided", "81.5 %"])
    bars = [
        Series("With", "ai", [34.0, 20.0], ["34 s", "20 s"]),
        Series("Without", "muted", [66.0, 41.0], ["66 s", "41 s"]),
    ]
    weeks, steps = ["2 Nov", "9 Nov", "16 Nov"], ["First", "Second"]
    grown = "From 62 % to 81.5 % in three weeks."
    return [
        Chart("pattern-line", "A line", grown, "line", "Week from", weeks, [line], unit=" %", most=100),
        Chart("pattern-bars", "Bars side by side", "A half less.", "bar", "Step", steps, bars, unit=" s"),
        Chart("pattern-empty", "Nothing to show", "", "line", "Week from", [], [], empty="Nothing yet."),
    ]


def boxes(look: Look) -> list[form_boxes.Box]:
    """Return a box of every kind: empty, filled, changed, wrong, read-only."""
    drawn: list[tuple[dict[str, Any], Any, dict[str, Any] | None]] = [
        (_field("text", "Text", help="A hint stands below the box."), None, None),
        (_field("filled", "Text, required and filled", required=True), "Netherlands", None),
        (_field("changed", "Changed against the record", now="Belgium"), "Netherlands", None),
        (
            _field("wrong", "Wrong", type="date", required=True),
            "2026-02-28",
            {"field": "wrong", "reason": "The next review must be in the future. Choose a later day."},
        ),
        (
            _field("moved", "Changed by a colleague meanwhile", now="Low"),
            "High",
            {"field": "moved", "reason": "Tom changed this at 12:06.", "theirs": "Medium"},
        ),
        (_field("select", "One of several", type="enum", options=_RISK), "medium", None),
        (_field("checks", "Some of several", type="checklist", options=_RISK), ["low", "high"], None),
        (_field("yesno", "Yes or no", type="boolean", required=True), True, None),
        (_field("amount", "Amount", type="money"), "1284500.00", None),
        (_field("long", "Long text", type="long_text"), "Two lines\nof a note", None),
        (_field("readonly", "Read-only", readonly=True), "C-10412", None),
    ]
    return [form_boxes.box(source, look, value=value, error=error) for source, value, error in drawn]


def proposed(look: Look) -> list[form_boxes.Box]:
    """Return a box with a proposal in each of its states."""
    way = source_links.Way("Shareholder register, p. 3", "/patterns", "document")
    filled = proposal.Hint(
        "pre_filled", "fill", there=True, level="high", reason="Named in the register.", ways=[way]
    )
    offered = replace(filled, state="offer", shown="Trade revenue", level="low")
    drawn: list[tuple[dict[str, Any], Any, proposal.Hint]] = [
        (_field("pre_filled", "Pre-filled", now="empty"), "J. van den Berg", filled),
        (
            _field("measured", "Often right", type="enum", options=_RISK, now="low"),
            "medium",
            replace(filled, level="medium", measured=74),
        ),
        (_field("by_rule", "Pre-filled by rule", type="date"), "2027-05-20", replace(filled, by_rule=True)),
        (_field("taken", "Accepted"), "Netherlands", replace(filled, state="accepted")),
        (_field("typed_over", "Typed over"), "Belgium", replace(filled, state="edited", shown="Netherlands")),
        (_field("offered", "Offered beside", required=True), None, replace(offered, needed=True)),
        (
            _field("offered_yes", "Offered, yes or no", type="boolean"),
            None,
            replace(offered, shown="Yes", level="medium"),
        ),
        (_field("not_yet", "Still looked for"), None, proposal.Hint("not_yet")),
    ]
    return [
        replace(form_boxes.box(source, look, value=value), hint=replace(hint, name=source["name"]))
        for source, value, hint in drawn
    ]


STRIPS = (
    proposal.Strip("pending", head="Looking for proposals …"),
    proposal.Strip("ready", head="4 of 5 fields pre-filled", words="3 documents, 2 steps", confident=3),
    proposal.Strip(
        "ready",
        head="1 of 5 fields pre-filled",
        words="the record",
        by_rule=True,
        banner="Text in “Bank letter” reads like instructions. It was not followed.",
    ),
    proposal.Strip(
        "declined",
        head="Nothing is proposed here",
        words="No source tells enough about this step.",
        can_retry=True,
    ),
    proposal.Strip(
        "failed", head="No proposal came", words="The model did not answer in 8 s.", can_retry=True
    ),
    proposal.Strip("off", head="No proposals are made at this step.", quiet=True),
    proposal.Strip("none"),
    proposal.Strip("ready", by_hand=True),
)


def _field(name: str, label: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "type": "text",
        "required": False,
        "readonly": False,
        "options": None,
        **more,
    }


def _table() -> dict[str, Any]:
    return {
        "label": "Documents on file",
        "collection": None,
        "columns": [
            {"name": "type", "label": "Type"},
            {"name": "until", "label": "Expires on", "type": "date"},
            {"name": "pages", "label": "Pages", "type": "integer"},
        ],
        "rows": [
            {
                "key": "1",
                "title": "Trade register extract",
                "values": {"type": "Extract", "until": "2027-02-01", "pages": 3},
            },
            {"key": "2", "title": "Bank letter", "values": {"type": "Letter", "until": None, "pages": 1}},
        ],
    }
