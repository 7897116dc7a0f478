"""`/ai`: AI performance. How often proposals were accepted, how long it took, and the steps behind every figure."""

from collections.abc import Iterator, Sequence
from dataclasses import fields as dataclass_fields
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, request

from console.ai.evaluation import cases, measure, report_words
from console.ai.evaluation.cases import Wanted
from console.ai.evaluation.figures import Figures
from console.ai.evaluation.measure import WINDOWS, Field, Group, Report, Window
from console.core.errors import Malformed
from console.views import downloads, frame

blueprint = Blueprint("at_work", __name__)

COLUMNS = (
    "workflow",
    "step",
    "field",
    "confidence",
    "proposed",
    "dropped",
    "decided",
    "accepted",
    "small edits",
    "edited",
    "taken out",
    "left (handled manually)",
    "accepted share",
    "hidden, the same",
    "hidden, another",
)
SHARES = (
    "coverage",
    "precision",
    "small_rate",
    "whole_rate",
    "by_hand_rate",
    "quick_rate",
    "unopened_rate",
    "agreement",
    "anchoring",
)
"""Of Figures, from 0 to 1."""
BECAME = {
    **{name: words.capitalize() for name, words in report_words.OUTCOMES.items()},
    "dropped": "With a value that was not let through",
    "changed": "With a value that was changed or left",
    "hidden": "Proposal hidden",
    "by_hand": "Handled manually",
    "without": "No proposal came",
    "quick": "Submitted within 2 s",
    "unopened": "No source opened",
    "revised": "Revised later",
    "automatic": "By itself",
}


@blueprint.get("/ai")
def show() -> Response:
    """The page."""
    report = measure.report(frame.actor(), window())
    context = {
        "report": report,
        "total": report.total,
        "days": WINDOWS,
        "fields": rows(report),
        "behind": steps_url,
        "ladder_url": ladder_url,
        "said": report_words,
        "in_time": report_words.seconds,
        "here_title": _where(report),
    }
    return frame.page("at_work/page.html", context)


@blueprint.get("/ai/table.csv")
def table() -> Response:
    """Download the table by step and field as CSV."""
    about = window()
    return downloads.csv_response(
        frame.actor(), "proposals.csv", _lines(measure.report(frame.actor(), about)), days=about.days
    )


@blueprint.get("/ai/figures.csv")
def figures() -> Response:
    """Download every figure: by week, confidence, step, version, model, prompt, person and reason."""
    about = window()
    report = measure.report(frame.actor(), about)
    return downloads.csv_response(frame.actor(), "figures.csv", _every_figure(report), days=about.days)


@blueprint.get("/ai/cases")
def listed() -> Response:
    """Show the steps behind a figure."""
    filters, about = (
        Wanted(
            **{
                name: request.args.get(name) or None
                for name in ("became", "field", "level", "person", "code", "after")
            }
        ),
        window(),
    )
    page = cases.find_cases(frame.actor(), about, filters)
    context = {
        "page": page,
        "window": about,
        "chips": _chips(page, about, filters),
        "manual": frame.Badge("Handled manually", "warn", "hand-stop"),
        "said": report_words,
        "in_time": report_words.seconds,
        **frame.page_places(page.next, filters.after),
    }
    return frame.page("at_work/cases.html", context)


def window() -> Window:
    """Return the window in days from the address. Raises Malformed for a number that is not offered."""
    days = request.args.get("days", "30")
    if days not in map(str, WINDOWS):
        raise Malformed(
            f"There is no window of {days[:20]} days.", at=("days", f"One of {', '.join(map(str, WINDOWS))}.")
        )
    step = request.args.get("step") or None
    workflow = request.args.get("workflow") or None
    if "\x00" in (step or "") + (workflow or ""):
        raise Malformed("A name holds a NUL character.", at=("step", "Nothing is called like this."))
    return Window(datetime.now(UTC), int(days), workflow, step)


def steps_url(workflow: str | None = None, step: str | None = None, **more: Any) -> str:
    """Return the address of the steps behind a figure, in this page's window."""
    about = window()
    return frame.with_query(
        "/ai/cases",
        {"days": about.days, "workflow": workflow or about.workflow, "step": step or about.step, **more},
    )


def ladder_url(workflow: str, step: str, rest: str = "") -> str:
    """Return the address of the page that sets how far a step is trusted. `workflow` is its slug."""
    return f"/ai/ladder/{quote(workflow, safe='')}/{quote(step, safe='')}" + (f"/{rest}" if rest else "")


def rows(report: Report) -> list[tuple[Group, list[Field]]]:
    """Return each step with the rows of its fields, most calls first; the levels of a field follow it."""
    by: dict[tuple[str, str], list[Field]] = {}
    for row in report.fields:
        by.setdefault((row.workflow, row.step), []).append(row)
    return [(group, by.get((group.key[0], group.key[1]), [])) for group in report.steps]


def _every_figure(report: Report) -> Iterator[Sequence[Any]]:
    """Return a line for the total and for each week, level, step, version, model, prompt, person and reason, with the address of the steps behind it."""
    counts = [each.name for each in dataclass_fields(Figures)]
    yield ("part", "of", *counts, *SHARES, "steps")

    def line(part: str, of: str, figures: Figures, **behind: Any) -> Sequence[Any]:
        shares = [getattr(figures, name) for name in SHARES]
        written = ["" if share is None else f"{share:.4f}" for share in shares]
        return (part, of, *(getattr(figures, name) for name in counts), *written, steps_url(**behind))

    def step_title(group: Group) -> str:
        return report.titles.get((group.key[0], group.key[1]), str(group.key[1]))

    slugs = {workflow.id: workflow.slug for workflow in report.known}
    yield line("total", "", report.total)
    yield from (line("week", day.isoformat(), figures) for day, figures in measure.weeks_of(report))
    yield from (
        line("confidence", str(each.level), each.figures, became="changed", level=each.level)
        for each in report.levels
    )
    for group in report.steps:
        yield line(
            "step", step_title(group), group.figures, workflow=slugs.get(group.key[0]), step=group.key[1]
        )
    for group in report.versions:
        yield line("version", f"{step_title(group)}, version {group.key[2]}", group.figures)
    yield from (line("model", str(group.key[0]), group.figures) for group in report.models)
    yield from (line("prompt version", str(group.key[0]), group.figures) for group in report.prompts)
    for group in report.people:
        yield line("person", report.names.get(group.key[0], group.key[0]), group.figures, person=group.key[0])
    for group in report.stamps:
        of = f"{report.names.get(group.key[2], group.key[2])}, {step_title(group)}"
        behind = {"workflow": slugs.get(group.key[0]), "step": group.key[1], "person": group.key[2]}
        yield line("taken fast or unopened", of, group.figures, became="quick", **behind)
    for group in report.reasons:
        code = group.key[0]
        became = "by_hand" if code == "chosen" else "without"
        yield line("manual because", report_words.reason(code), group.figures, became=became)


def _chips(page: cases.Page, about: Window, filters: Wanted) -> list[tuple[str, str]]:
    """Return (parameter, words) of the active filters."""
    known = next(
        (workflow for workflow in page.known.values() if about.workflow in (workflow.slug, workflow.id)), None
    )
    chips = {
        "workflow": known.title if known else None,
        "step": page.titles.get((known.id if known else "", about.step or ""), about.step),
        "field": f"Field: {filters.field.replace('_', ' ')}" if filters.field else None,
        "level": f"Confidence: {filters.level}" if filters.level else None,
        "became": BECAME.get(filters.became or ""),
        "code": report_words.reason(filters.code) if filters.code else None,
        "person": page.names.get(filters.person or "", filters.person),
    }
    return [(name, words) for name, words in chips.items() if words]


def _where(report: Report) -> str:
    known = next(
        (workflow for workflow in report.known if report.window.workflow in (workflow.slug, workflow.id)),
        None,
    )
    if known is None:
        return ""
    step = report.titles.get((known.id, report.window.step or ""), report.window.step or "")
    return f"{known.title}, “{step}”" if step else known.title


def _lines(report: Report) -> Iterator[Sequence[Any]]:
    """Return a line for every field of every step and for each of its levels."""
    slugs = {workflow.id: workflow.slug for workflow in report.known}
    yield COLUMNS
    for row in report.fields:
        figures: Figures = row.figures
        yield (
            slugs.get(row.workflow, row.workflow),
            row.step,
            row.name,
            row.level or "all",
            row.found,
            row.dropped,
            figures.values,
            figures.accepted,
            figures.small,
            figures.edited,
            figures.cleared,
            figures.ignored,
            "" if figures.precision is None else f"{figures.precision:.4f}",
            figures.equal,
            figures.different,
        )
