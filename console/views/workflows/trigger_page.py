"""The triggers of a workflow as a page: what starts it, when next, what came of the last firings; switches, addresses, secrets."""

import json
from collections import Counter
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, flash, request

from console import browse, log, records
from console.auth import access
from console.automation import enrolments, triggers
from console.automation.triggers import Listed, Made
from console.core import schedule
from console.core.actor import Actor
from console.core.documents import triggers_check
from console.core.documents.triggers import Trigger
from console.core.documents.workflow import Workflow
from console.core.errors import Conflict, Invalid
from console.views import frame
from console.views.automation.hooks_in import hook_url
from console.views.editor.values_in_words import unseen_words
from console.views.frame import Badge
from console.views.workflows import tabs
from console.views.workflows.tabs import Section
from console.workflows import Known

blueprint = Blueprint("workflow_triggers", __name__)

tabs.register(Section("Editor", 20, "triggers", "Triggers", "/triggers"))

ICONS = {"schedule": "clock", "event": "bolt", "webhook": "link"}
MISSED = {
    "skip": "Times at which the console was not running are left out.",
    "once": "Times at which the console was not running are made up for by one run.",
    "all": "Times at which the console was not running are made up for, the latest ten at most.",
}
STATES = {
    "started": Badge("Started", "good", "check"),
    "waiting": Badge("Waits", "info", "clock"),
    "refused": Badge("Not started", "bad", "x"),
    "stopped": Badge("Stopped", "warn", "ban"),
}


@blueprint.get("/workflows/<slug>/triggers")
def show(slug: str) -> Response:
    """Show what starts runs of the workflow."""
    return _page(slug)


@blueprint.post("/workflows/<slug>/triggers/<ident>/switch")
def switch(slug: str, ident: str) -> Response:
    """Switch a trigger on or off."""
    on = request.form.get("enabled") == "true"
    try:
        triggers.switch(frame.actor(), slug, ident, enabled=on)
    except Conflict as wrong:
        return _page(slug, unable=wrong)
    flash(
        "Switched on. What happened before starts nothing."
        if on
        else "Switched off. Nothing is started, and nothing is made up for later."
    )
    return frame.redirect_to(_address(slug))


@blueprint.post("/workflows/<slug>/triggers/<ident>/again")
def try_again(slug: str, ident: str) -> Response:
    """Try now to start what could not start yet."""
    triggers.try_waiting(frame.actor(), slug, ident)
    flash("What waits is tried now. What cannot start yet says so below.")
    return frame.redirect_to(_address(slug))


@blueprint.post("/workflows/<slug>/triggers/<ident>/rotate")
def rotate(slug: str, ident: str) -> Response:
    """Give a webhook a new address."""
    triggers.rotate(frame.actor(), slug, ident)
    flash("The webhook has a new address. Whoever still sends to the old one is refused.")
    return frame.redirect_to(_address(slug))


@blueprint.post("/workflows/<slug>/triggers/<ident>/secret")
def renew_secret(slug: str, ident: str) -> Response:
    """Give a signed webhook a new secret, and show it this once; one that its sender made is not shown."""
    try:
        made = triggers.renew_secret(frame.actor(), slug, ident, request.form.get("secret", ""))
    except Invalid as wrong:
        return _page(slug, wrong=wrong)
    if made.secret is None:
        flash("The sender's secret is kept. What is signed with another one is refused.")
        return frame.redirect_to(_address(slug))
    return _page(slug, made)


def _page(
    slug: str, made: Made | None = None, wrong: Invalid | None = None, unable: Conflict | None = None
) -> Response:
    who = frame.actor()
    entry, found = triggers.list_triggers(who, slug)
    may = {
        act: access.can(who, entry.team or None, f"workflow:{entry.slug}", act)
        for act in ("edit", "activate")
    }
    document = enrolments.find(entry.slug).document
    known = tabs.known_of(entry.slug)
    context = tabs.context(known, "triggers") | {
        "entry": entry,
        "active": entry.status == "active" and entry.live_version is not None,
        "titles": browse.names_of(
            who, {fired.about for trigger in found for fired in trigger.last if fired.about is not None}
        ),
        "triggers": _told_apart(
            [_drawn(trigger, document) | {"unseen": _unseen(trigger, document)} for trigger in found]
        ),
        "came_otherwise": entry.live_version is not None
        and known.collection is not None
        and _inside(who, known),
        "again": triggers.again_words(document)
        if document is not None and document.run_as is not None
        else "",
        "exits": [triggers.exit_words(one, document.collection) for one in document.exits]
        if document is not None
        else [],
        "may": may,
        "made": made,
        "wrong": wrong,
        "place": f"/workflows/{quote(entry.slug, safe='')}",
        **({"unable": unable.message} if unable else {}),
    }
    return frame.page(
        "workflows/triggers.html", context, status=422 if wrong else unable.status if unable else 200
    )


def _inside(who: Actor, known: Known) -> bool:
    """Return whether anybody whom they may see is or was enrolled."""
    counts = enrolments.counts_for(who, known.id, known.collection)
    return counts.enrolled + counts.left > 0


def _unseen(trigger: Listed, document: Workflow | None) -> str:
    """Return which changes by other programs do not start it."""
    own = {"collection": document.collection if document is not None else None}
    of = triggers_check.collection_of(trigger.definition, own)
    found = (
        [each for each in records.collections() if each.id == of]
        if trigger.definition.kind == "event"
        else []
    )
    return " ".join(
        unseen_words(each.reason)
        for each in triggers_check.unseen(trigger.definition, own, {one.id: one for one in found}, "")
    )


def _told_apart(drawn: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the triggers, those that are called alike with their names behind."""
    alike = Counter(each["title"] for each in drawn)
    return [
        each | {"title": f"{each['title']}: {each['name']}"}
        if alike[each["title"]] > 1 and each["name"]
        else each
        for each in drawn
    ]


def _advice(trigger: Listed, document: Workflow | None) -> str:
    """Return what to change about a trigger that can start nothing: nobody acts, or a sender who signs in a way of its own is not understood."""
    definition = trigger.definition
    if document is not None and triggers_check.nobody_acts(definition, document.run_as):
        return (
            "It starts nothing, for nobody acts: choose an account under Runs as in the editor, and publish."
        )
    if definition.kind != "webhook" or not definition.signed or document is None:
        return ""
    if not trigger.has_secret:
        return "It has no secret yet, so it refuses everybody. Enter the sender's, or make one, under “Generate a new address or secret”."
    needed = (
        [f"“{field.label}”" for field in enrolments.targets.start_fields(document) if field.required]
        if not definition.input
        else []
    )
    needed += (
        ["the record"]
        if document.collection is not None and definition.record is None and definition.find_by is None
        else []
    )
    return (
        needed
        and (
            f"Nothing says where in what is sent {' and '.join(needed)} {'stands' if len(needed) == 1 else 'stand'}, so what GitHub, Stripe and others send by themselves is refused. "
            "In the editor, under “What starts it”, paste an example of what is sent and choose what each value becomes."
        )
    ) or ""


def _drawn(trigger: Listed, document: Workflow | None) -> dict[str, Any]:
    """Return a trigger as the page shows it."""
    definition, on = trigger.definition, trigger.enabled and trigger.active
    counts, words = trigger.counts, triggers.trigger_words(definition)
    made_up = trigger.id.startswith("trg_")  # the console drew it: no person reads that
    counted = [
        (words.format(f"{counts[name]:,}"))
        for name, words in (
            ("matched", "{} taken in"),
            ("passed", "{} not let pass by the filter"),
            ("left_out", "{} missed and left out"),
            ("stopped", "{} stopped because they led to themselves"),
        )
        if counts.get(name)
    ]
    if waiting := counts.get("waiting"):
        many = f"{waiting:,}" if waiting <= triggers.MOST_WAITING else f"more than {triggers.MOST_WAITING:,}"
        counted.append(f"{many} of them {'waits for its' if waiting == 1 else 'wait for their'} turn")
    return {
        "id": trigger.id,
        "dom": f"trigger-{trigger.id}",
        "title": definition.title or words,
        "words": words if definition.title else "",
        "whom": triggers.whom_words(definition, document.collection if document is not None else None),
        "name": "" if made_up else trigger.id,
        "icon": ICONS.get(definition.kind, "player-play"),
        "kind": definition.kind,
        "definition": definition,
        "zone": definition.zone or "UTC"
        if definition.kind == "schedule" or _takes_times(definition, document)
        else "",
        "missed": MISSED[definition.missed or "once"] if definition.kind == "schedule" else "",
        "enabled": trigger.enabled,
        "published": trigger.published,
        "state": Badge("On", "good", "check")
        if on
        else Badge("Off", "", "ban")
        if not trigger.enabled
        else Badge("Waits for the workflow", "warn", "clock"),
        "next_at": schedule.coming(
            definition.fields or "",
            definition.zone or "UTC",
            log.now(),
            len(trigger.next_at),
            trigger.next_at[0],
        )
        if trigger.next_at
        else [],
        "last": [(fired, STATES[fired.status]) for fired in trigger.last],
        "fired": counts.get("matched"),
        "named": any(fired.about for fired in trigger.last),
        "circle": any(fired.status == "stopped" for fired in trigger.last),
        "counts": counted,
        "partial": trigger.published and not counts,  # who sees some of the records is not told of the others
        "problem": trigger.problem,
        "problem_at": trigger.problem_at,
        "url": hook_url(trigger.address),
        "example": _example(trigger, document)
        if trigger.address is not None and document is not None
        else "",
        "signed": bool(definition.signed),
        "has_secret": trigger.has_secret,
        "advice": _advice(trigger, document),
    }


SIGNED_CALL = """BODY='{body}'
ID="msg_$(date +%s)_$$" AT=$(date +%s)
KEY=$(printf %s "${{SECRET#whsec_}}" | base64 -d | od -An -tx1 | tr -d ' \\n')
SIGNATURE=$(printf '%s.%s.%s' "$ID" "$AT" "$BODY" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary | base64)
curl -sS '{url}' -H 'Content-Type: application/json' -H "webhook-id: $ID" -H "webhook-timestamp: $AT" -H "webhook-signature: v1,$SIGNATURE" -d "$BODY\""""
KEY_CALL = (
    """curl -sS '{url}' -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d '{body}'"""
)


def _takes_times(definition: Trigger, document: Workflow | None) -> bool:
    """Whether a webhook may be sent a date and time that the start asks for."""
    fields = enrolments.targets.start_fields(document) if document is not None else []
    return definition.kind == "webhook" and any(field.type == "datetime" for field in fields)


def _example(trigger: Listed, document: Workflow) -> str:
    """Return a call of the webhook as lines for a shell, which work once SECRET or KEY is set and the values are filled in."""
    body = json.dumps(triggers.example_body(trigger.definition, document), ensure_ascii=False)
    return (SIGNED_CALL if trigger.definition.signed else KEY_CALL).format(
        url=hook_url(trigger.address), body=body
    )


def _address(slug: str) -> str:
    return f"/workflows/{quote(slug, safe='')}/triggers"
