"""An automation at a glance, beside its picture: who is in it and why they wait, what lets them in, and what came of those who began."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from console import formats, monitoring
from console.authoring.diagrams import Shown
from console.automation import enrolments, triggers
from console.core.documents.workflow import Workflow
from console.runs.commands.taking_out import EXITED
from console.views import frame
from console.views.automation import enrolled
from console.views.runs.wait_words import waiting

DAYS = 30
HERE_SHOWN = 5
LONGEST_NUMBER = 9
BAR = 120
_ENDS = {
    "failed": ("Failed", "bad"),
    "timed_out": ("Timed out", "bad"),
    "aborted": ("Aborted", "other"),
    "cancelled": ("Cancelled", "other"),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A line of the funnel: how many, their share of those who began in words, and the length of the bar in pixels."""

    label: str
    number: int
    share: str
    length: int
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Here:
    """Somebody who is in it: their title and page, the step at which they are, and what they wait for."""

    title: str
    href: str
    step: str
    waits: str


@dataclass(frozen=True, slots=True)
class Ways:
    """Numbers in the picture, of who began in so many `days`. `passed`: step id → how many came to it, `took`: (step id, "way " and an outcome) → how many took it, and (step id, id of the next step) → how many went there."""

    passed: Mapping[str, int]
    took: Mapping[tuple[str, str], int]
    days: int
    funnel: Sequence[Bar]
    newest: bool


@dataclass(frozen=True, slots=True)
class Glance:
    """What is shown next to the picture. `words` say what starts it, `again` whether people come again, `exits` what lets them leave early."""

    here: Sequence[Here]
    words: Sequence[str]
    again: str
    exits: Sequence[str]


@dataclass(frozen=True, slots=True)
class Pictured:
    """Which numbers the picture has, for its legend: of who is at a step now, of who came to one, of who took a way; and the versions by which they can be told apart."""

    here: bool
    passed: bool
    took: bool
    days: int
    versions: Sequence[tuple[str, int, str, bool]]


def people(shown: Shown, version: str) -> tuple[enrolments.Counts, enrolments.Counts]:
    """Return who is in it, and of them who is in this version of it: all where it is none in which somebody is."""
    lines = enrolments.counts.lines_for(frame.actor(), shown.known.id, shown.known.collection)
    every = enrolments.counts.of_lines(lines)
    number = (
        int(version) if version.isascii() and version.isdigit() and len(version) < LONGEST_NUMBER else None
    )
    return every, enrolments.counts.of_lines(
        line for line in lines if line[0] == number
    ) if number in every.versions else every


def pictured(
    shown: Shown, every: enrolments.Counts, chosen: enrolments.Counts, ways: Ways | None
) -> Pictured | None:
    """Return what the numbers in the picture mean; None where there is none."""
    passed, took = (bool(ways.passed), bool(ways.took)) if ways is not None else (False, False)
    if not every.enrolled and not passed:
        return None
    address = f"/workflows/{quote(shown.known.slug, safe='')}"
    versions = [("All", every.enrolled, address, every is chosen)]
    versions += [
        (
            f"Version {number}",
            n,
            f"{address}?people={number}",
            every is not chosen and number in chosen.versions,
        )
        for number, n in sorted(every.versions.items(), reverse=True)
    ]
    return Pictured(bool(chosen.steps), passed, took, DAYS, versions if len(every.versions) > 1 else ())


def overview_counts(shown: Shown) -> tuple[Glance | None, Ways | None]:
    """Return what there is to say of the live version of a workflow that runs by itself, None for any other; and the numbers of its picture, None for a version that is not live."""
    document = shown.document
    if shown.number is None or shown.number != shown.known.live:
        return None, None
    look = frame.look()
    came = monitoring.endings.endings(frame.actor(), shown.known, DAYS, look.zone)
    return _glance(shown) if document.run_as is not None else None, Ways(
        came.passed, monitoring.endings.count_ways(came, document), DAYS, _funnel(came, document), came.more
    )


def _glance(shown: Shown) -> Glance:
    document = shown.document
    exits = [triggers.exit_words(one, document.collection) for one in document.exits]
    again = triggers.again_words(document) if document.collection is not None else ""
    return Glance(
        _going_on_next(shown),
        _words(shown),
        again,
        exits,
    )


def _going_on_next(shown: Shown) -> list[Here]:
    """Those of the newest who go on next."""
    who, look = frame.actor(), frame.look()
    target = enrolments.require_target(who, shown.known.slug)
    leads = list(enrolments.places.page(who, target).rows)
    last = datetime.max.replace(tzinfo=UTC)
    found = waiting([lead.run for lead in leads if lead.run])
    first = sorted(leads, key=lambda lead: found.until(lead.run or "") or last)[:HERE_SHOWN]
    words = {
        lead.run: found.shortly(lead.run, look) for lead in first if lead.run and lead.status == "active"
    }
    titles = shown.document.step_names
    return [
        Here(
            lead.title,
            enrolled.lead_url(target, lead.id),
            titles.get(lead.step or "", "") if lead.status == "active" else "Queued",
            f"Waits {words[lead.run]}" if lead.run and words.get(lead.run) else "",
        )
        for lead in first
    ]


def _words(shown: Shown) -> list[str]:
    """What lets people in: a sentence or two for each trigger that is on."""
    document, found = shown.document, []
    for trigger in triggers.list_triggers(frame.actor(), shown.known.slug)[1]:
        if not trigger.enabled:
            continue
        words = triggers.trigger_words(trigger.definition).rstrip(".")
        found.append(" ".join([f"{words}.", *triggers.whom_words(trigger.definition, document.collection)]))
    return found


def _funnel(found: monitoring.endings.Endings, document: Workflow) -> list[Bar]:
    """Those who began, and below what came of them, most of them first; those who are still in it come last."""
    if not found.begun:
        return []
    named = {
        str(step.config.get("label") or step.id): step.title for step in document.steps if step.type == "end"
    }
    sums: dict[tuple[str, str], int] = {}
    for (status, end), number in found.ends.items():
        label, tone = _ENDS.get(status, ("Completed", ""))
        if status == "completed" and end == EXITED:
            label, tone = "Exited", "other"
        elif status == "completed" and end:
            label = named.get(end) or formats.label_of(end)
        sums[label, tone] = sums.get((label, tone), 0) + number
    rest = found.begun - sum(sums.values())
    ended = sorted(sums.items(), key=lambda each: (-each[1], each[0]))
    lines = [
        ("Started", found.begun, ""),
        *((label, n, tone) for (label, tone), n in ended),
        *([("Active", rest, "other")] if rest else []),
    ]
    return [
        Bar(label, n, f"{n / found.begun:.0%}", max(1, round(BAR * n / found.begun)), tone)
        for label, n, tone in lines
    ]
