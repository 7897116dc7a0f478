"""`/settings/hours`: at which hours messages of each kind may leave, and how many reach a contact."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import time
from typing import Any

from flask import Blueprint, Response, flash, request

from console import workflows
from console.auth import accounts
from console.automation import enrolments
from console.core import contact_rules
from console.core.contact_rules import CAPPED, DAY_NAMES, KIND_NAMES, MOST_CAPS
from console.core.contacting import KINDS, LAW, WORDS, Rules, daily
from console.core.errors import Conflict, ConsoleError, Invalid
from console.core.working_time import DAYS
from console.messaging.messages import address_consents, rules as kept_rules
from console.messaging.messages.rules import RulesVersion
from console.views import frame
from console.views.forms import Field, Form
from console.views.messaging.outbox import ICONS
from console.views.settings import area
from console.views.settings.zone_choices import zone_choices

blueprint = Blueprint("hours_and_caps", __name__, url_prefix="/settings/hours")

HERE = "/settings/hours"
BASIS_HINT = "Empty takes it back: then every lead needs a consent."
USUAL = daily(time(8), time(20))
"""What the boxes of a kind hold that may leave at any hour."""
CLOCK = re.compile(r"([0-9]{1,2})(?:[:.h]([0-9]{2}))?")
ORDER = ("sms", "call", "email", "chat")
"""Kinds that have hours by themselves stand first."""
COUNTRIES = {"US": "the United States"}


@dataclass(frozen=True, slots=True)
class Preview:
    """The rules that saving would keep, and what they change, in sentences."""

    rules: Rules
    changes: Sequence[str]


@dataclass(slots=True)
class Shown:
    """What stands in the boxes: texts by the names of the boxes, the kinds that are ticked for each cap, and how many lines of caps there are."""

    boxes: dict[str, str] = field(default_factory=dict)
    kinds: dict[int, list[str]] = field(default_factory=dict)
    caps: int = 0


@blueprint.get("")
def show() -> Response:
    """Show the rules in force."""
    kept_rules.require(frame.actor())
    return _page(_shown(kept_rules.newest().rules))


@blueprint.post("")
def save() -> Response:
    """Save everything at once; errors are shown with everything that was entered. Its other buttons save nothing."""
    actor, base = frame.actor(), request.form.get("version", "")
    kept_rules.require(actor)
    if request.form.get("do"):
        return _tried(request.form["do"])
    document, lines = _entered()
    try:
        before = int(base) if base.isascii() and base.isdigit() and len(base) < 10 else -1
        after = kept_rules.save(actor, document, base=before)
    except (Invalid, Conflict) as error:
        return _page(_typed(), error=error, wrong=_wrong(error, lines))
    flash("Saved. What waits is judged by it within seconds." if after != before else "Nothing was changed.")
    return frame.redirect_to(HERE)


@blueprint.post("/leads")
def confirm_basis() -> Response:
    """Confirm on which legal basis a workflow reaches leads by a channel, or take it back where none is entered."""
    kept_rules.require(frame.actor())
    form = _leads_form()

    def confirm(sent: dict[str, Any]) -> Response:
        target = enrolments.require_target(frame.actor(), sent["workflow"])
        wanted = {each.channel: each.basis for each in address_consents.defaults(target.id)}
        wanted.pop(sent["channel"], None)
        if sent["basis"] or sent["channel"] not in address_consents.LEAD_CHANNELS:
            wanted[sent["channel"]] = sent["basis"]
        address_consents.set_defaults(frame.actor(), target.id, target.slug, wanted)
        flash("Saved. Messages that are judged from now on go by it.")
        return frame.redirect_to(f"{HERE}#leads")

    return form.submit_to(confirm) or _page(_shown(kept_rules.newest().rules), leads_form=form)


def _leads_form() -> Form:
    without_record = [
        (each.slug, each.title)
        for each in workflows.all_known()
        if each.collection is None and not each.archived
    ]
    channels = [(each, WORDS[each][:1].upper() + WORDS[each][1:]) for each in address_consents.LEAD_CHANNELS]
    items = [
        Field("workflow", "Workflow", "select", choices=without_record),
        Field("channel", "Channel", "select", choices=channels),
        Field(
            "basis",
            "Legal basis",
            hint=BASIS_HINT,
            max_length=300,
            placeholder="Contract, Art. 6(1)(b) GDPR",
            refused_as=("defaults",),
        ),
    ]
    return Form(items, submit="Confirm", tone="", css="form", action=f"{HERE}/leads", prefix="lead-")


def _tried(wanted: str) -> Response:
    """The page with what saving would do (`preview`), or with boxes filled by the rules that hold where nobody set any."""
    if wanted == "defaults":
        return _page(_shown(Rules()), preview=_previewed(Rules()))
    typed = _typed()
    document, lines = _entered()
    try:
        return _page(typed, preview=_previewed(kept_rules.read(document)))
    except Invalid as error:
        return _page(typed, error=error, wrong=_wrong(error, lines))


def _previewed(rules: Rules) -> Preview:
    return Preview(rules, contact_rules.differences(kept_rules.newest().rules, rules))


def _shown(rules: Rules) -> Shown:
    """The boxes as these rules fill them, with one line more for a new cap."""
    shown = Shown({"chat_zone": rules.chat_zone}, caps=min(MOST_CAPS, len(rules.caps) + 1))
    for kind in KINDS:
        window = rules.windows.get(kind)
        shown.boxes[f"any.{kind}"] = "" if window else "on"
        for day, hours in zip(DAYS, (window or USUAL).days, strict=True):
            opens, closes = hours or (time(8), time(20))
            shown.boxes |= {
                f"open.{kind}.{day}": "on" if hours else "",
                f"from.{kind}.{day}": f"{opens:%H:%M}",
                f"to.{kind}.{day}": f"{closes:%H:%M}",
            }
    for number, cap in enumerate(rules.caps):
        span = int(cap.period.total_seconds() // 3600)
        by_day = span % 24 == 0 and span > 24
        shown.kinds[number] = [kind for kind in CAPPED if kind in cap.kinds]
        shown.boxes |= {
            f"cap.{number}.most": f"{cap.most}",
            f"cap.{number}.span": f"{span // 24 if by_day else span}",
        }
        shown.boxes[f"cap.{number}.unit"] = "days" if by_day else "hours"
    return shown


def _typed() -> Shown:
    """The boxes as they were sent."""
    lines = sum(f"cap.{number}.most" in request.form for number in range(MOST_CAPS))
    return Shown(
        dict(request.form),
        {number: request.form.getlist(f"cap.{number}.kind") for number in range(lines)},
        lines,
    )


def _entered() -> tuple[dict[str, Any], list[int]]:
    """(the document that the boxes say, the line of the page on which each of its caps stands). An empty line is no cap."""
    form = request.form
    hours = {
        kind: {
            day: [_clock(form.get(f"{part}.{kind}.{day}", "")) for part in ("from", "to")]
            if form.get(f"open.{kind}.{day}")
            else None
            for day in DAYS
        }
        for kind in KINDS
        if not form.get(f"any.{kind}")
    }
    lines = [
        number
        for number in range(MOST_CAPS)
        if any(form.get(f"cap.{number}.{part}", "").strip() for part in ("most", "span"))
    ]
    caps = [
        {
            "kinds": form.getlist(f"cap.{number}.kind"),
            "most": _whole(form.get(f"cap.{number}.most", "")),
            "hours": _hours(form.get(f"cap.{number}.span", ""), form.get(f"cap.{number}.unit", "")),
        }
        for number in lines
    ]
    return {"hours": hours, "caps": caps, "chat_zone": form.get("chat_zone", "")}, lines


def _clock(text: str) -> str:
    """`8`, `8.30` and `24:00` as `08:00`, `08:30` and `00:00`; anything else as it is, which is refused then."""
    found = CLOCK.fullmatch(text.strip())
    return (
        f"{int(found[1]) % 24 if not int(found[2] or 0) else int(found[1]):02}:{found[2] or '00'}"
        if found and int(found[1]) <= 24
        else text.strip()
    )


def _whole(text: str) -> int | str:
    """The number; the text itself where it is none, which is refused then."""
    text = text.strip().replace(",", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else text


def _hours(text: str, unit: str) -> int | str:
    number = _whole(text)
    return number * (24 if unit == "days" else 1) if isinstance(number, int) else number


def _wrong(error: ConsoleError, lines: Sequence[int]) -> dict[str, str]:
    """What is wrong with each box: a cap is named by its line on the page."""
    found = {}
    for detail in error.details:
        first, _, rest = str(detail["field"]).partition(".")
        number, _, part = rest.partition(".")
        if first == "caps" and number.isdigit():
            found[f"cap.{lines[int(number)]}.{'span' if part == 'hours' else part}"] = str(detail["reason"])
        else:
            found[str(detail["field"])] = str(detail["reason"])
    return found


def _page(
    shown: Shown,
    *,
    preview: Preview | None = None,
    error: ConsoleError | None = None,
    wrong: dict[str, str] | None = None,
    leads_form: Form | None = None,
) -> Response:
    saved: list[RulesVersion] = kept_rules.versions()
    newest = saved[0] if saved else RulesVersion(Rules())
    context = {
        "shown": shown,
        "preview": preview,
        "wrong": wrong or {},
        "newest": newest,
        "base": newest.version
        if isinstance(error, Conflict)
        else request.form.get("version", newest.version),
        "versions": saved,
        "names": accounts.names({each.by for each in saved}),
        "kinds": ORDER,
        "kind_names": KIND_NAMES,
        "capped": CAPPED,
        "icons": ICONS,
        "days": DAY_NAMES,
        "in_force": {kind: contact_rules.window_words(newest.rules.windows.get(kind)) for kind in KINDS},
        "law": {
            kind: (COUNTRIES[country], contact_rules.window_words(window))
            for (country, kind), window in LAW.items()
        },
        "never": {
            kind: COUNTRIES[country]
            for country, kind in contact_rules.never_by_law(preview.rules if preview else newest.rules)
        },
        "bases": _bases(),
        "leads_form": leads_form or _leads_form(),
        "zones": zone_choices(shown.boxes.get("chat_zone") or "UTC"),
    }
    return area.page(
        "settings/hours.html", "hours", context, error=error or (leads_form.error if leads_form else None)
    )


def _bases() -> list[tuple[str, str, str]]:
    """(title of a workflow, channel in words, legal basis) of what is confirmed for leads."""
    titles = {each.id: each.title for each in workflows.all_known()}
    return [
        (titles[named], WORDS[told.channel], told.basis)
        for named, told in address_consents.every_default()
        if named in titles
    ]
