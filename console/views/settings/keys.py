"""API keys: the person's own, made, viewed and revoked; with the right `key.manage` everybody's."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, request

from console import access, accounts, browse, workflows
from console.access import Scopes
from console.access.narrowing import APPROVE
from console.accounts import Key
from console.errors import ConsoleError
from console.views import frame
from console.views.frame import Badge
from console.views.settings import area

blueprint = Blueprint("keys", __name__)

LASTS = {"7": "A week", "30": "30 days", "90": "90 days", "180": "Half a year", "365": "A year"}
STATES = {
    "live": Badge("In use", "good", "check"), "expired": Badge("Expired", "", "clock-off"), "revoked": Badge("Revoked", "bad", "ban"),
    "closed": Badge("Account closed", "", "user-off"),
}  # fmt: skip
APPROVES = Badge("May approve", "warn", "shield-check")
KINDS = {
    "collection": "Records", "action": "Actions", "workflow": "Workflows and runs", "inbox": "Inboxes", "activity": "Activity log",
    "ai": "AI", "subject": "People's data", "source": "Data sources", "policy": "Rights", "user": "People", "webhook": "Webhooks",
}  # fmt: skip
WORDS = {
    "collection.browse": "List collections", "collection.read": "Read records", "collection.update": "Change records",
    "collection.create": "Add records", "collection.delete": "Delete records", "collection.export": "Export records",
    "collection.reveal": "See masked values", "collection.act": "Do what a page offers on records", "action.execute": "Do actions",
    "action.request": "Ask for actions", "workflow.report": "File confidential reports", "workflow.see": "See workflows and runs",
    "workflow.start": "Start runs and do their steps", "workflow.resume": "Take up saved runs", "workflow.takeover": "Take runs over",
    "workflow.assign": "Give runs to people", "workflow.cancel": "Cancel runs", "workflow.edit": "Edit drafts",
    "workflow.publish": "Publish drafts", "workflow.activate": "Switch on and off", "action.approve": "Approve and reject",
    "inbox.work": "Take tickets", "inbox.manage": "Hand out tickets", "activity.read": "Read the log", "activity.export": "Export the log",
    "activity.verify": "Verify the log", "webhook.manage": "Send events outside",
}  # fmt: skip


@blueprint.get("/settings/keys")
def show() -> Response:
    """Show the person's own keys. It needs no right."""
    who = frame.actor()
    may = access.can(who, None, "key", "manage")
    return area.page("settings/keys.html", "keys", {"keys": _drawn(accounts.keys_of(who)), "may_manage": may, "everybody": False})


@blueprint.get("/settings/keys/all")
def everybody() -> Response:
    """Show all active keys."""
    approving = request.args.get("may") == "approve"
    keys = _drawn(accounts.every_key(frame.actor(), approving=approving))
    context = {"keys": keys, "may_manage": True, "everybody": True, "approving": approving}
    return area.page("settings/keys.html", "keys", context)


@blueprint.get("/settings/keys/new")
def new() -> Response:
    """Show the form for a key."""
    return _form({})


@blueprint.post("/settings/keys/create")
def create() -> Response:
    """Make a key and show it, this once; the person must have confirmed their identity lately."""
    accounts.require_recent(frame.actor())
    form = request.form
    days = form.get("days", "")
    what = form.get("what")
    acts = frozenset(form.getlist("acts")) if what == "some" else None
    collections, named = (frozenset(form.getlist(name)) if what in ("some", "assistant") else None for name in ("collections", "workflows"))
    approves = what != "assistant" and "approves" in form
    if acts is not None and approves:
        acts |= {APPROVE}
    scopes = Scopes(acts, collections or None, named or None, approves=approves and acts is None, assistant=what == "assistant")
    try:
        made = accounts.create_own_key(
            frame.actor(),
            form.get("name", ""),
            days=int(days) if days in LASTS else 0,
            scopes=scopes,
            networks=form.get("networks", "").replace(",", "\n").splitlines(),
        )
    except ConsoleError as error:
        if error.status not in (409, 422):
            raise
        wrong = {str(detail["field"]): str(detail["reason"]) for detail in error.details} or {"name": error.message}
        return _form(wrong, status=error.status)
    key = accounts.key_of(frame.actor(), made.id)
    return area.page("settings/key_made.html", "keys", {"key": _key_context(key), "text": made.text, "site": request.host_url.rstrip("/")})


@blueprint.get("/settings/keys/<key_id>")
def show_key(key_id: str) -> Response:
    """Show what a key allows, with the button to revoke it."""
    key = accounts.key_of(frame.actor(), key_id)
    return area.page("settings/key.html", "keys", {"key": _key_context(key), "own": key.person == frame.actor().id})


@blueprint.post("/settings/keys/<key_id>/revoke")
def revoke(key_id: str) -> Response:
    """Revoke a key."""
    key = accounts.key_of(frame.actor(), key_id)
    accounts.withdraw_key(frame.actor(), key_id)
    flash(f"{key.name} opens nothing any more.")
    return frame.redirect_to("/settings/keys" if key.person == frame.actor().id else "/settings/keys/all")


def _form(wrong: Mapping[str, str], status: int = 200) -> Response:
    who = frame.actor()
    held = {
        KINDS[kind]: [(f"{kind}.{act}", WORDS.get(f"{kind}.{act}", act.capitalize())) for act in acts if act != "approve"]
        for kind, acts in access.acts_of(who).items()
        if kind in KINDS
    }
    seen, _ = workflows.entries(who, limit=10_000)
    context: dict[str, Any] = {
        "held": held,
        "collections": [(collection.id, collection.label) for collection in browse.collections(who)],
        "workflows": [(workflow.slug, workflow.title) for workflow in seen],
        "lasts": LASTS,
        "wrong": wrong,
        "typed": request.form,
        "chosen": {name: set(request.form.getlist(name)) for name in ("acts", "collections", "workflows")},
    }
    return area.page("settings/key_new.html", "keys", context, status=status)


def _drawn(keys: list[Key]) -> list[dict[str, Any]]:
    return [_key_context(key) for key in keys]


def _key_context(key: Key) -> dict[str, Any]:
    """Return a key as its pages show it."""
    acts = key.scopes.acts
    return {
        "id": key.id,
        "name": key.name,
        "begins": f"cns_{key.id.removeprefix('key_')}_…",
        "ends": f"…{key.id[-6:]}",
        "owner": key.owner,
        "state": STATES[key.state],
        "live": key.state == "live",
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
        "approves": APPROVES if key.approves else None,
        "assistant": key.scopes.assistant,
        "acts": None if acts is None else [WORDS.get(act, act) for act in sorted(acts)],
        "collections": None if key.scopes.collections is None else sorted(key.scopes.collections),
        "workflows": None if key.scopes.workflows is None else sorted(key.scopes.workflows),
        "networks": key.networks,
    }
