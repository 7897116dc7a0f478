"""The due time of a workflow, as a part of its configuration: within how much working time its runs have to end, and who hears of it on the way."""

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

from flask import Blueprint, Response, flash, request

from console import formats
from console.auth import access, accounts
from console.core.errors import Conflict, ConsoleError, Invalid, NotAllowed, NotFound
from console.core.working_time import DAYS
from console.runs.views import lists
from console.views import frame, refusals
from console.views.settings.zone_choices import zone_choices
from console.views.work.my_work import due_badge
from console.views.workflows import tabs
from console.work import due_times
from console.work.due_times import Clock, Rule
from console.workflows import OBJECT, Known, inboxes

blueprint = Blueprint("workflow_due_time", __name__)

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
STAGES = ((50, "remind"), (80, "tell"), (100, "move"))
"""What the form offers; other stages are set through the API and stay as they are when nothing is changed here."""
WAITED = {"remind": "reminds who may decide", "substitute": "tells who stands in for them"}
"""What is done when an approval has waited so long; the form offers each once."""


@blueprint.route("/workflows/<slug>/due-time", methods=["GET", "POST"])
def show(slug: str) -> Response:
    """Show the form; a POST sets the due time, or with `remove` takes it away."""
    known = tabs.known_of(slug)
    access.require(frame.actor(), known.team or None, f"{OBJECT}:{known.slug}", "activate")
    if request.method != "POST":
        return _page(known, due_times.rule_of_workflow(known.id))
    try:
        removing = "remove" in request.form
        due_times.set_for_workflow(
            frame.actor(), known, None if removing else _terms(), seen=request.form.get("drawn")
        )
    except (NotAllowed, NotFound):
        raise
    except ConsoleError as wrong:
        if isinstance(wrong, Conflict):
            wrong.details = [
                {
                    "field": "",
                    "reason": f"{_now(known)} What you entered is below: save again to put it in its place.",
                }
            ]
        return _page(known, due_times.rule_of_workflow(known.id), wrong)
    flash("The due time is taken away" if removing else "The due time is set, for live runs too")
    return frame.redirect_to(tabs.address(known.slug, "/configuration") + "#due-time")


def _now(known: Known) -> str:
    """Return the due time as it stands, in a sentence or two."""
    now = summary(known)
    if now is None:
        return "There is none now."
    done = [f"at {percent} % it {words}" for percent, words in now["stages"]]
    done += [f"when an approval has waited {hours} of work it {words}" for hours, words in now["approvals"]]
    return f"It is now {now['within']} of work, {now['hours']}, {now['days']} ({now['zone']}): {'; '.join(done)}."


def summary(known: Known) -> Mapping[str, Any] | None:
    """Return the due time in words; None where there is none."""
    rule = due_times.rule_of_workflow(known.id)
    if rule is None:
        return None
    names = accounts.names({person for stage in rule.stages for person in stage.people})
    hours = rule.hours
    every = hours.opens == hours.closes
    days = (
        "every day"
        if len(hours.days) == len(DAYS)
        else ", ".join(DAY_NAMES[day] for day in sorted(hours.days))
    )
    return {
        "within": _hours(rule.minutes),
        "hours": "around the clock" if every else f"{hours.opens:%H:%M} to {hours.closes:%H:%M}",
        "days": days,
        "zone": formats.zone_words(hours.zone, frame.look()),
        "stages": [(stage.percent, _does(stage, names)) for stage in rule.stages],
        "approvals": [(_hours(stage.minutes), WAITED[stage.do]) for stage in rule.approvals],
    }


def clock(known: Known, run_id: str) -> Mapping[str, Any] | None:
    """Return how much of a run's time is used, for a meter, and by when it is due; None where it has no due time."""
    rule = due_times.rule_of_workflow(known.id)
    found = due_times.clock_of(run_id, rule) if rule is not None else None
    who = frame.actor()
    due = due_times.due_of(lists.with_ids(who, [run_id]), partial(access.scope_for, who, act="read"))
    return (
        None
        if found is None
        else {
            "clock": found,
            "badge": due_badge(due.get(run_id), frame.look()),
            "worked": formats.span(found.worked_s, frame.look()),
            "of": formats.span(found.total_s, frame.look()),
            "parts": _parts(found),
        }
    )


def _parts(found: Clock) -> str:
    """Return of what the age is made up."""
    look = frame.look()
    told = {
        "counted": found.worked_s,
        "waiting for a time or for somebody outside": found.waited_s,
        "outside working hours": found.age_s - found.worked_s - found.waited_s,
    }
    named = [
        f"{formats.span(seconds, look)} {what}"
        for what, seconds in told.items()
        if seconds >= 1 or what == "counted"
    ]
    return f"Of its age of {formats.span(found.age_s, look)}: {', '.join(named)}."


def _hours(minutes: int) -> str:
    return f"{minutes / 60:g} hour" + ("" if minutes == 60 else "s")


def _minutes(hours: str) -> int:
    """The minutes of so many hours, as they are typed; 0 for what is no such number."""
    try:
        minutes = round(float(hours.strip().replace(",", ".")) * 60)
    except (ValueError, OverflowError):
        return 0
    return minutes if 0 < minutes <= due_times.LONGEST_MINUTES else 0


def _does(stage: due_times.Stage, names: Mapping[str, str]) -> str:
    if stage.do == "tell":
        return "tells " + ", ".join(names.get(person, "somebody who has left") for person in stage.people)
    return (
        f"moves it to {inboxes.title_of(stage.inbox or '')}" if stage.do == "move" else "reminds who holds it"
    )


def _terms() -> dict[str, Any]:
    """Return the terms of the form. Raises Invalid with a detail per field."""
    form, wrong = request.form, []
    minutes = _minutes(form.get("hours", ""))
    waited = {do: _minutes(form[f"{do}_after"]) for do in WAITED if form.get(f"{do}_after", "").strip()}
    for field, typed in {"hours": minutes, **{f"{do}_after": after for do, after in waited.items()}}.items():
        if not typed:
            wrong.append({"field": field, "reason": "How many hours, such as 16 or 1.5."})
    stages: list[dict[str, Any]] = [{"percent": 50, "do": "remind"}] if "remind" in form else []
    known, unknown = [], []
    for address in form.get("people", "").replace(",", " ").replace(";", " ").split():
        try:
            known.append(accounts.person_of_email(address).id)
        except ConsoleError:
            unknown.append(address)
    wrong += [{"field": "people", "reason": f"Nobody signs in as {address[:100]}."} for address in unknown]
    stages += [{"percent": 80, "do": "tell", "people": known}] if known else []
    stages += [{"percent": 100, "do": "move", "inbox": form["inbox"]}] if form.get("inbox") else []
    days = [day for day in DAYS if day in form.getlist("days")]
    holidays = form.get("holidays", "").replace(",", " ").split()
    no_days = [each for each in holidays if not _is_day(each)]
    wrong += [
        {"field": "holidays", "reason": f"There is no day {each[:20]}; one looks like 2026-12-25."}
        for each in no_days[:1]
    ]
    if not days:
        wrong.append({"field": "days", "reason": "Choose the days on which work is done."})
    if not stages and not wrong:
        wrong.append({"field": "people", "reason": "Say what is done on the way: remind, tell or move."})
    if wrong:
        raise Invalid("The due time was not set.", details=wrong)
    times = {name: form.get(name) or "00:00" for name in ("opens", "closes")}
    approvals = [{"minutes": after, "do": do} for do, after in waited.items()]
    terms = {
        "minutes": minutes,
        "zone": form.get("zone", "").strip() or "UTC",
        "days": days,
        "holidays": holidays,
        "stages": stages,
    }
    return terms | {"approvals": approvals} | times


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text) is not None
    except ValueError:
        return False


def _stages_beyond_form(rule: Rule | None) -> list[str]:
    """Return what the due time does that the form cannot hold, in words."""
    if rule is None:
        return []
    names = accounts.names({person for stage in rule.stages for person in stage.people})
    words = [
        f"At {stage.percent} % it {_does(stage, names)}."
        for stage in rule.stages
        if (stage.percent, stage.do) not in STAGES
    ]
    held = {stage.do: stage for stage in rule.approvals}
    waited = [stage for stage in rule.approvals if held[stage.do] is not stage]
    return words + [
        f"When an approval has waited {_hours(stage.minutes)} of work it {WAITED[stage.do]}."
        for stage in waited
    ]


def _page(known: Known, rule: Rule | None, wrong: ConsoleError | None = None) -> Response:
    typed = request.form if request.method == "POST" else None
    hours = rule.hours if rule else None
    stages = {(stage.percent, stage.do): stage for stage in rule.stages} if rule else {}
    waited = rule.approvals if rule else ()
    tell, move = stages.get((80, "tell")), stages.get((100, "move"))
    values: Mapping[str, Any] = {
        "hours": f"{rule.minutes / 60:g}" if rule else "",
        "zone": hours.zone if hours else frame.look().zone,
        "opens": hours.opens.isoformat("minutes") if hours else "09:00",
        "closes": hours.closes.isoformat("minutes") if hours else "17:00",
        "holidays": " ".join(day.isoformat() for day in sorted(hours.holidays)) if hours else "",
        "people": " ".join(accounts.person(person).email for person in tell.people) if tell else "",
        "inbox": move.inbox if move else "",
        **{f"{do}_after": "" for do in WAITED},
        **{f"{stage.do}_after": f"{stage.minutes / 60:g}" for stage in waited},
    }
    values = {name: typed.get(name, "") if typed is not None else value for name, value in values.items()}
    context = tabs.context(known, "configuration") | {
        "values": values,
        "zones": zone_choices(values["zone"] or "UTC"),
        "chosen": typed.getlist("days")
        if typed is not None
        else [DAYS[day] for day in sorted(hours.days)]
        if hours
        else list(DAYS[:5]),
        "reminds": "remind" in typed if typed is not None else rule is None or (50, "remind") in stages,
        "days": list(zip(DAYS, DAY_NAMES, strict=True)),
        "inboxes": [(inbox.id, inbox.title) for inbox in inboxes.used_by(known.team)],
        "more": _stages_beyond_form(rule),
        "rule": rule,
        "drawn": frame.drawn_from(rule.to_json() if rule else None, wrong),
        "errors": refusals.reasons_by_field(wrong),
        "wrong": wrong,
        "address": tabs.address,
    }
    return frame.page("workflows/due_time.html", context, error=wrong)
