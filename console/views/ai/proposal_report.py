"""`/ai`: proposals at work. How often proposals were accepted, how long it took, and the steps behind every figure."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, request

from console.ai.evaluation import cases, measure, report_words
from console.ai.evaluation.cases import Wanted
from console.ai.evaluation.figures import Figures
from console.ai.evaluation.measure import WINDOWS, Field, Group, Report, Window
from console.core.errors import Malformed
from console.views import downloads, formats, frame
from console.views.charts import Chart, Series

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
MOST_BARS = 10
BECAME = {
    **{name: words.capitalize() for name, words in report_words.OUTCOMES.items()},
    "dropped": "With a value that was not let through",
    "changed": "With a value that was changed or left",
    "hidden": "Proposal hidden",
    "by_hand": "Handled manually",
    "without": "No proposal came",
    "quick": "Handed in within 2 s",
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
        "charts": charts(report) if report.total.asked else [],
        "fields": rows(report),
        "behind": steps_url,
        "others": figures_by_dimension(report),
        "ladder_url": ladder_url,
        "said": report_words,
        "amount": measure.amount,
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


def figures_by_dimension(report: Report) -> list[tuple[str, str, Figures]]:
    """Return figures by version, model, prompt and person: (dimension, value, figures)."""
    versions = [
        ("Version", f"{report.titles[group.key[0], group.key[1]]}, version {group.key[2]}", group.figures)
        for group in report.versions
    ]
    models = [("Model", str(group.key[0]), group.figures) for group in report.models]
    prompts = [("Prompt version", str(group.key[0]), group.figures) for group in report.prompts]
    people = [
        ("Person", report.names.get(group.key[0], group.key[0]), group.figures)
        for group in report.people
        if not str(group.key[0]).startswith("sys")
    ]
    return [*versions[:20], *models[:10], *prompts[:10], *people[:50]]


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


def charts(report: Report) -> list[Chart]:
    """Return the charts of the page, in order."""
    return [_weekly(report), _by_level(report), _by_hand(report), _seconds(report)]


def _weekly(report: Report) -> Chart:
    weeks = list(measure.weeks_of(report))
    values = [figures.precision for _, figures in weeks]
    known = [value for value in values if value is not None]
    caption = (
        f"Of all values that people were shown, {report_words.percent(report.total.precision)} were taken as they were; the weeks lie between {report_words.percent(min(known))} and {report_words.percent(max(known))}."
        if known
        else ""
    )
    return Chart(
        "weekly",
        "Accepted unchanged, week by week",
        caption,
        "line",
        "Week from",
        [
            formats.text(formats.Kind("week", "Week", "date"), day.isoformat(), frame.look())
            for day, _ in weeks
        ]
        if known
        else (),
        [
            Series(
                "Accepted unchanged",
                "ai",
                [_points(value) for value in values],
                [
                    report_words.percent(figures.precision) if figures.values else "nothing decided"
                    for _, figures in weeks
                ],
            )
        ],
        unit=" %",
        most=100,
        empty="No proposed value has been decided about in this time.",
    )


def _by_level(report: Report) -> Chart:
    levels = [level for level in report.levels if level.figures.values]
    words = ", ".join(
        f"{level.level} {report_words.percent(level.figures.precision)} of {level.figures.values:,}"
        for level in levels
    )
    return Chart(
        "levels",
        "Accepted unchanged, by confidence",
        f"{words[:1].upper()}{words[1:]} values." if levels else "",
        "bar",
        "Confidence",
        [str(level.level).capitalize() for level in levels],
        [
            Series(
                "Accepted unchanged",
                "ai",
                [_points(level.figures.precision) for level in levels],
                [
                    f"{report_words.percent(level.figures.precision)} of {level.figures.values:,}"
                    for level in levels
                ],
            )
        ],
        hrefs=[steps_url(became="changed", level=level.level) for level in levels],
        unit=" %",
        most=100,
        empty="No proposed value has been decided about in this time.",
    )


def _by_hand(report: Report) -> Chart:
    merged: dict[str, tuple[int, str]] = {}
    for group in report.reasons:
        words = report_words.reason(group.key[0])
        merged[words] = (merged.get(words, (0, ""))[0] + group.figures.asked, group.key[0])
    reasons = sorted(merged.items(), key=lambda item: (-item[1][0], item[0]))[:MOST_BARS]
    total = sum(count for _, (count, _) in reasons)
    caption = (
        f"{total:,} of {report.total.decided:,} steps were done without a proposal. The most frequent reason: {reasons[0][0][:1].lower()}{reasons[0][0][1:]}."
        if reasons
        else ""
    )
    return Chart(
        "reasons",
        "Why steps were done by hand",
        caption,
        "bar",
        "Reason",
        [words for words, _ in reasons],
        [
            Series(
                "Steps",
                "accent",
                [float(count) for _, (count, _) in reasons],
                [f"{count:,}" for _, (count, _) in reasons],
            )
        ],
        hrefs=[
            steps_url(became="by_hand")
            if code == "chosen"
            else steps_url(became="without", code=code if code not in ("declined", "failed", "off") else None)
            for _, (_, code) in reasons
        ],
        empty="Every step that people handed in had a proposal, and nobody put one aside.",
    )


def _seconds(report: Report) -> Chart:
    both = [
        group
        for group in report.steps
        if group.figures.seconds_with is not None or group.figures.seconds_without is not None
    ][:MOST_BARS]
    total = report.total
    ways = (
        (total.seconds_with, "with a proposal"),
        (total.seconds_without, "without one (hidden, or none came)"),
    )
    caption = f"The middle step took {' and '.join(f'{report_words.seconds(took)} {how}' for took, how in ways if took is not None)}."
    return Chart(
        "seconds",
        "Time to hand in, with and without a proposal",
        caption,
        "bar",
        "Step",
        [report.titles.get((group.key[0], group.key[1]), group.key[1]) for group in both],
        [
            Series(
                "With",
                "ai",
                [group.figures.seconds_with for group in both],
                [report_words.seconds(group.figures.seconds_with) for group in both],
            ),
            Series(
                "Without",
                "muted",
                [group.figures.seconds_without for group in both],
                [report_words.seconds(group.figures.seconds_without) for group in both],
            ),
        ],
        unit=" s",
        empty="No step has been handed in yet.",
    )


def _points(value: float | None) -> float | None:
    return None if value is None else round(value * 100, 1)


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
