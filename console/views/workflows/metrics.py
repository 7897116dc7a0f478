"""`/workflows/<slug>/metrics`: how many runs, what came of them, how long they took, by day and by step."""

from typing import Any

from flask import Blueprint, Response, request

from console import browse, formats, monitoring
from console.core.errors import Malformed
from console.monitoring import Metrics, incidents
from console.views import frame
from console.views.charts import Chart, Series
from console.views.workflows import tabs
from console.views.workflows.tabs import Section
from console.workflows import Known

blueprint = Blueprint("workflow_metrics", __name__)

USUAL = 30
SLOWEST = 8
UNITS = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))

tabs.register(Section("Overview", 20, "metrics", "Metrics", "/metrics"))


@blueprint.get("/workflows/<slug>/metrics")
def show(slug: str) -> Response:
    """Show the figures of the last `days` days: 7, 30 or 90."""
    known, look = tabs.known_of(slug), frame.look()
    days = _days(request.args.get("days", str(USUAL)))
    figures = monitoring.metrics(frame.actor(), known, days, look.zone)
    context = tabs.context(known, "metrics") | {
        "figures": figures,
        "days": days,
        "first_day": min((day.day.isoformat() for day in figures.ended), default=""),
        "averages": {
            step.step: formats.span(step.average_s, look)
            for step in figures.steps
            if step.average_s is not None
        },
        "windows": monitoring.WINDOWS,
        "average": formats.span(figures.average_s, look) if figures.average_s is not None else None,
        "success": f"{figures.success:.0%}" if figures.success is not None else None,
        "charts": [_by_day(known, figures), _durations(figures)]
        if figures.total or any(day.all for day in figures.ended)
        else [],
        "open_incidents": incidents.count_open(frame.actor(), known.id) if figures.failed else 0,
        "address": tabs.address,
        "late": _late(known, days),
    }
    return frame.page("workflows/metrics.html", context)


def _late(known: Known, days: int) -> list[dict[str, Any]]:
    """Return each late run with its record's title, by how much it was late, and who held it how long."""
    actor, look = frame.actor(), frame.look()
    late = monitoring.late_runs(actor, known, days, look.zone)
    titles = browse.names_of(
        actor, [(each.collection, each.record) for each in late if each.collection and each.record]
    )
    return [
        {
            "run": each.run,
            "title": named.title
            if (named := titles.get((each.collection or "", each.record or "")))
            else "Run",
            "at": each.breached_at,
            "ended_at": each.ended_at,
            "used": f"{each.worked_s / each.total_s:.0%}",
            "worked": formats.span(each.worked_s, look),
            "held": [(hold.name or "Nobody", formats.span(hold.worked_s, look)) for hold in each.held],
        }
        for each in late
    ]


def _days(text: str) -> int:
    if text not in map(str, monitoring.WINDOWS):
        known = ", ".join(map(str, monitoring.WINDOWS))
        raise Malformed(f"There is no window of {text[:20]} days.", at=("days", f"One of {known}."))
    return int(text)


def _by_day(known: Known, figures: Metrics) -> Chart:
    """Return what ended on each day, with what was started beside it in the table."""
    look = frame.look()
    ended = figures.ended
    done, wrong, stopped = sum(day.done for day in ended), figures.failed, sum(day.stopped for day in ended)
    again = f", {figures.done_again:,} of them done again" if figures.done_again else ""
    by_people = f", {stopped:,} ended by people" if stopped else ""

    def series(name: str, tone: Any, values: list[int]) -> Series:
        return Series(name, tone, [float(value) for value in values], [f"{value:,}" for value in values])

    return Chart(
        "by-day",
        "Runs by day",
        f"In {figures.days} days {figures.total:,} {'was' if figures.total == 1 else 'were'} started; {done:,} completed, {wrong:,} failed{again}{by_people}.",
        "column",
        "Day",
        [formats.times.period_words(day.day.isoformat(), "day", look) for day in ended],
        [
            series("Completed", "good", [day.done for day in ended]),
            series("Failed", "bad", [day.wrong for day in ended]),
            series("Ended by people", "muted", [day.stopped for day in ended]),
            series("Started", "accent", [figures.started.get(day.day, 0) for day in ended]),
        ],
        hrefs=[
            tabs.address(
                known.slug, "/executions", **{"from": day.day.isoformat(), "to": day.day.isoformat()}
            )
            for day in ended
        ],
        empty="No run ended in this time.",
    )


def _durations(figures: Metrics) -> Chart:
    """Return how long each step took on average."""
    look = frame.look()
    timed = sorted(
        (step for step in figures.steps if step.average_s), key=lambda step: -(step.average_s or 0)
    )[:SLOWEST]
    longest = timed[0] if timed else None
    unit, seconds = next(
        (name, size)
        for name, size in UNITS
        if (longest.average_s or 0 if longest else 0) >= 2 * size or size == 1
    )
    return Chart(
        "by-step",
        "Slowest steps, on average",
        f"Longest at {longest.title}: {formats.span(longest.average_s or 0, look)}." if longest else "",
        "bar",
        "Step",
        [step.title for step in timed],
        [
            Series(
                unit.capitalize(),
                "accent",
                [round((step.average_s or 0) / seconds, 2) for step in timed],
                [formats.span(step.average_s or 0, look) for step in timed],
            )
        ],
        unit=f" {unit}",
        empty="No step was done in this time.",
    )
