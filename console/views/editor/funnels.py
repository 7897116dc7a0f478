"""`/workflows/<slug>/test/funnel`: up to a thousand whom the workflow would let in, followed in the background, as bars, on the picture and as a table."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response, make_response, request

from console import browse, diagrams, queue, records, workflows
from console.core.documents.workflow import Workflow
from console.errors import ConsoleError, Invalid, TooMany
from console.forecasts import chances, kept_funnels, whom_it_lets_in
from console.forecasts.chances import StepChances
from console.forecasts.funnel import Funnel, StepCount
from console.forecasts.kept_funnels import MOST_SEED, USUAL_SEED, KeptFunnel, Wanted
from console.runs.trying import workflow_trials
from console.views import formats, frame, spend_words
from console.views.charts import Chart, Series
from console.views.frame import Badge
from console.views.workflows import tabs

blueprint = Blueprint("workflow_funnel", __name__, url_prefix="/workflows")

CHANCE = "chance."
STATES = {
    kept_funnels.WAITING: Badge("Waiting", ""), kept_funnels.RUNNING: Badge("Being counted", "info"), kept_funnels.DONE: Badge("Done", "good"),
    kept_funnels.FAILED: Badge("Not counted", "bad"), kept_funnels.STOPPED: Badge("Stopped", ""),
}  # fmt: skip
CHANNELS = {"email": "E-mails", "sms": "SMS", "call": "Calls", "chat": "Chat messages"}
TONES: dict[str, Any] = {"email": "accent", "sms": "good", "call": "warn", "chat": "muted"}
SOURCES = {"assumed": "assumed", "lately": "the last 30 days", "chosen": "yours"}


@dataclass(frozen=True, slots=True)
class Way:
    """A step of the table. `lines` say in words who does not go on from here, and what becomes of its messages; `people` are examples with their pages."""

    count: StepCount
    percent: str
    lines: list[str]
    people: list[tuple[str, str]]


@blueprint.route("/<slug>/test/funnel", methods=["GET", "POST"])
def funnel(slug: str) -> Response:
    """Show the newest funnel of the reader; a POST asks for one. Polled by the page, it answers 204 while nothing changed, and has the page drawn anew at the end."""
    actor = frame.actor()
    draft = workflows.open_draft(actor, slug)
    if request.method == "POST":
        try:
            kept_funnels.ask(actor, slug, _wanted())
        except (Invalid, TooMany) as wrong:
            return _page(draft, kept_funnels.newest(actor, draft.id), wrong)
        return frame.redirect_to(tabs.address(draft.slug, "/test/funnel"))
    found = kept_funnels.newest(actor, draft.id)
    if frame.wants_fragment() and found is not None and "seen" in request.args:
        if not found.under_way:
            return make_response("", 200, {"HX-Refresh": "true"})
        if request.args["seen"] == _seen(found):
            return make_response("", 204)
    return _page(draft, found)


@blueprint.post("/<slug>/test/funnel/stop")
def stop(slug: str) -> Response:
    """Count no further."""
    kept_funnels.stop(frame.actor(), slug, request.form.get("funnel", ""))
    return frame.redirect_to(tabs.address(slug, "/test/funnel"))


def _seen(found: KeptFunnel) -> str:
    return f"{found.id}-{found.status}-{found.done}"


def _wanted() -> Wanted:
    """What the form asks. Raises Invalid for a box that holds no whole number."""
    form = request.form
    chosen: dict[str, dict[str, int]] = {}
    for name in form:
        if name.startswith(CHANCE):
            step, _, ending = name.removeprefix(CHANCE).partition(".")
            chosen.setdefault(step, {})[ending] = _whole(name, form[name] or "0")
    version: workflow_trials.Which = "live" if form.get("version") == "live" else "draft"
    return Wanted(version, form.get("whom", ""), _whole("seed", form.get("seed") or f"{USUAL_SEED}"), chosen)


def _whole(name: str, text: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= len(f"{MOST_SEED}")):
        reason = f"Enter a whole number, not {text[:20]}."
        raise Invalid(reason, details=[{"field": name, "reason": reason}])
    return int(text)


def _page(draft: workflows.Draft, found: KeptFunnel | None, wrong: ConsoleError | None = None) -> Response:
    actor = frame.actor()
    asked = _wanted_or_usual() if wrong is not None else found.wanted if found is not None else Wanted("live" if draft.live else "draft")
    definition, broken = None, wrong
    try:
        definition = workflow_trials.definition_to_try(actor, draft.slug, asked.which)
    except ConsoleError as error:
        if error.code != "definition" and error.status != 404:
            raise
        broken = error
    document = definition.document if definition is not None else workflows.readable(draft.document)
    result = found.result if found is not None else None
    picture = diagrams.picture_of(document, workflows.connected() or {})
    context: dict[str, Any] = tabs.context(tabs.known_of(draft.slug), "test") | {
        "draft": draft, "title": document.title, "found": found, "result": result, "wrong": broken, "asked": asked,
        "nodes": picture.nodes, "groups": picture.groups, "state_badge": None, "target": lambda node: f"#step-{node.id}",
        "address": tabs.address, "here": tabs.address(draft.slug, "/test/funnel"), "paused": queue.paused(),
        "badge_label": STATES[found.status] if found is not None else None, "seen": _seen(found) if found is not None else "",
        "chances": [each for each in _chances(actor, definition, asked, wrong) if len(each.percent) > 1] if definition is not None else [], "source_words": SOURCES,
        "segments": _segments(document), "everybody": whom_it_lets_in.EVERYBODY, "most": whom_it_lets_in.MOST, "most_seed": MOST_SEED,
        **(_shown_result(document, result) if result is not None else {}),
    }  # fmt: skip
    return frame.page(
        "editor/funnel.html",
        context,
        blocks={"*": "counted"} if found is not None and found.under_way else None,
        status=wrong.status if wrong is not None else 200,
    )


def _wanted_or_usual() -> Wanted:
    """What the form asks, as far as it can be read."""
    try:
        return _wanted()
    except Invalid:
        return Wanted()


def _chances(actor: Any, definition: workflows.Definition, asked: Wanted, wrong: ConsoleError | None) -> list[StepChances]:
    """The boxes of chances; as they were typed where they were refused."""
    usual = chances.of_document(actor, definition.id, definition.document)
    if wrong is not None:
        return [
            StepChances(each.step, each.title, each.kind, {**each.percent, **asked.chances.get(each.step, {})}, "chosen") for each in usual
        ]
    try:
        return chances.of_document(actor, definition.id, definition.document, asked.chances)
    except Invalid:  # the workflow has changed since
        return usual


def _segments(document: Workflow) -> list[tuple[str, str]]:
    if document.collection is None:
        return []
    try:
        return [(each["id"], each["label"]) for each in browse.describe(frame.actor(), document.collection)["segments"]]
    except ConsoleError:
        return []


def _shown_result(document: Workflow, result: Funnel) -> dict[str, Any]:
    """The funnel as the page says it."""
    titles = _titles_apart(document)
    result = replace(result, steps=[replace(step, title=titles.get(step.step, step.title)) for step in result.steps])
    keys = {key for step in result.steps for key in step.examples}
    named = browse.named(frame.actor(), [(document.collection, key) for key in sorted(keys)]) if document.collection else {}
    people = {key: (one.title, frame.record_url(collection, key)) for (collection, key), one in named.items() if not one.absent}
    shown = [step for step in result.steps if step.reached or step.lost]
    ways = [
        Way(
            step, f"{round(100 * step.reached / result.walked)} %" if result.walked else "", _lines(step),
            [people[key] for key in step.examples if key in people],
        )
        for step in shown
    ]  # fmt: skip
    noun = records.collection(document.collection).label if document.collection else "Contacts"
    return {
        "ways": ways, "noun": noun.lower(), "steps_chart": _steps_chart(result, shown), "days_chart": _days_chart(result),
        "unreached": list(dict.fromkeys(step.title for step in result.steps if not step.reached)), "spend": spend_words.lines(result.spend, frame.look()),
        "spend_total": spend_words.total(result.spend, frame.look()), "unpriced": spend_words.unpriced(frame.actor(), result.spend), "median": _span(result.median_s), "most_span": _span(result.most_s),
        "messages": [(CHANNELS[kind], count) for kind, count in result.channels.items()],
        "reached_by": {step.step: step.reached for step in result.steps},
        "ends": [(formats.label_of(label), count) for label, count in result.ends.items()],
        "empties": [(step.title, reason, count) for step in result.steps for reason, count in step.empty.items()],
    }  # fmt: skip


def _titles_apart(document: Workflow) -> dict[str, str]:
    """Step → its title; where several are called alike, with the title of a step that leads to it."""
    titles = {step.id: step.title for step in document.steps}
    alike = Counter(titles.values())
    before = {target: step.title for step in document.steps for target in step.next.values()}
    return {step: f"{title}, after {before[step]}" if alike[title] > 1 and step in before else title for step, title in titles.items()}


def _span(seconds: int | None) -> str:
    if seconds is None:
        return "–"
    return "at once" if seconds < 60 else formats.span(seconds, frame.look())


def _lines(step: StepCount) -> list[str]:
    """Who does not go on, and what becomes of messages, in words."""
    lines = [f"{count:,} leave: {reason}" for reason, count in step.left.items()]
    lines += [f"{count:,} stay here: {reason}" for reason, count in step.stayed.items()]
    lines += [f"{count:,} fail: {reason}" for reason, count in step.failed.items()]
    lines += [_sent(step)] if step.sent else []
    lines += [f"{count:,} not sent: {reason}" for reason, count in step.skipped.items()]
    lines += [f"{count:,} not sent: {reason}" for reason, count in step.empty.items()]
    return lines + [f"{count:,} wait first: {reason}" for reason, count in step.waited.items()]


def _sent(step: StepCount) -> str:
    """How many messages, or tries of calls, leave at the step, and how they end."""
    ended = [f"{formats.label_of(outcome).lower()} {count:,}" for outcome, count in step.outcomes.items()]
    return f"{step.sent:,} {'leaves' if step.sent == 1 else 'leave'}{': ' + ', '.join(ended) if len(ended) > 1 else ''}"


def _steps_chart(result: Funnel, shown: list[StepCount]) -> Chart:
    series = Series("Come here", "accent", [step.reached for step in shown], [f"{step.reached:,}" for step in shown])
    caption = f"Of {result.walked:,} simulated, so many come to each step."
    return Chart(
        "funnel-steps", "How far they come", caption, "bar", "Step", [step.title for step in shown], [series],
        hrefs=[f"#step-{step.step}" for step in shown], most=float(result.walked),
    )  # fmt: skip


def _days_chart(result: Funnel) -> Chart:
    look = frame.look()
    kinds = [kind for kind in CHANNELS if result.channels.get(kind)]
    series = []
    for kind in kinds:
        counts = [of_day.get(kind, 0) for of_day in result.days.values()]
        series.append(Series(CHANNELS[kind], TONES[kind], counts, [f"{count:,}" for count in counts]))
    labels = [formats.period_words(day, "day", look) for day in result.days]
    beside = f" {result.later_days:,} more would leave after these." if result.later_days else ""
    return Chart(
        "funnel-days", "Messages and calls by day", f"When they would leave, by days of UTC; each try of a call counts.{beside}", "column", "Day",
        labels if kinds else [], series, empty="No message and no call would leave.",
    )  # fmt: skip
