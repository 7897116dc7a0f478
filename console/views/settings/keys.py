"""API keys: the person's own, made, viewed and revoked; with the right `key.manage` everybody's."""

from typing import Any

from flask import Blueprint, Response, flash, request

from console import browse, workflows
from console.auth import access, accounts
from console.auth.access import Scopes
from console.auth.access.narrowing import APPROVE, ASSISTANT_TOOLS
from console.auth.accounts import Key
from console.views import frame
from console.views.forms import Cell, Field, Form, Group, Table
from console.views.frame import Badge
from console.views.settings import area

blueprint = Blueprint("keys", __name__)

LASTS = {"7": "A week", "30": "30 days", "90": "90 days", "180": "Half a year", "365": "A year"}
STATES = {
    "live": Badge("In use", "good", "check"),
    "expired": Badge("Expired", "", "clock-off"),
    "revoked": Badge("Revoked", "bad", "ban"),
    "closed": Badge("Account closed", "", "user-off"),
}
APPROVES = Badge("May approve", "warn", "shield-check")
KINDS = {
    "collection": "Records",
    "action": "Actions",
    "workflow": "Workflows and runs",
    "inbox": "Inboxes",
    "activity": "Activity log",
    "ai": "AI",
    "subject": "People's data",
    "source": "Data sources",
    "policy": "Rights",
    "user": "People",
    "webhook": "Webhooks",
}
WORDS = {
    "collection.browse": "List collections",
    "collection.read": "Read records",
    "collection.update": "Change records",
    "collection.create": "Add records",
    "collection.delete": "Delete records",
    "collection.export": "Export records",
    "collection.reveal": "See masked values",
    "collection.act": "Do what a page offers on records",
    "action.execute": "Do actions",
    "action.request": "Ask for actions",
    "workflow.report": "File confidential reports",
    "workflow.see": "See workflows and runs",
    "workflow.start": "Start runs and do their steps",
    "workflow.resume": "Take up saved runs",
    "workflow.takeover": "Take runs over",
    "workflow.assign": "Give runs to people",
    "workflow.cancel": "Cancel runs",
    "workflow.edit": "Edit drafts",
    "workflow.publish": "Publish drafts",
    "workflow.activate": "Switch on and off",
    "action.approve": "Approve and reject",
    "inbox.work": "Take tickets",
    "inbox.manage": "Hand out tickets",
    "activity.read": "Read the log",
    "activity.export": "Export the log",
    "activity.verify": "Verify the log",
    "webhook.manage": "Send events outside",
}


WHAT = (
    ("all", "Everything that you may", "At each request, with your rights of that moment"),
    (
        "assistant",
        "What an assistant may, over MCP",
        (
            "Find records, start runs and propose actions, as far as you may. "
            "It does no step, approves nothing, and gets no field that is kept from models"
        ),
    ),
    ("some", "Only what is chosen below", "As far as you still may"),
)
DAYS = Field("days", "Lasts", "select", choices=list(LASTS.items()), css="short", refused_as=("expires",))


@blueprint.get("/settings/keys")
def show() -> Response:
    """Show the person's own keys. It needs no right."""
    who = frame.actor()
    return _list(accounts.keys_of(who), everybody=False, may_manage=access.can(who, None, "key", "manage"))


@blueprint.get("/settings/keys/all")
def everybody() -> Response:
    """Show all active keys."""
    approving = request.args.get("may") == "approve"
    return _list(
        accounts.every_key(frame.actor(), approving=approving),
        everybody=True,
        may_manage=True,
        approving=approving,
    )


def _list(keys: list[Key], *, everybody: bool, may_manage: bool, approving: bool = False) -> Response:
    columns = ["Name", "State", "May", "Last used", "Expires"]
    lines: list[list[Any]] = [
        [
            Cell(key.name, f"/settings/keys/{key.id}", note=f"…{key.id[-6:]}"),
            Cell(badge=STATES[key.state]),
            Cell(_may(key, "the owner" if everybody else "you"), badge=APPROVES if key.approves else None),
            key.last_used_at or "Never",
            key.expires_at,
        ]
        for key in keys
    ]
    if everybody:
        columns.insert(1, "Owner")
        for line, key in zip(lines, keys, strict=True):
            line.insert(1, key.owner)
    context = {
        "keys": Table("Keys", columns, lines),
        "may_manage": may_manage,
        "everybody": everybody,
        "approving": approving,
    }
    return area.page("settings/keys.html", "keys", context)


def _may(key: Key, owner: str) -> str:
    """Return what a key may, in a few words."""
    scopes = key.scopes
    if scopes.acts is not None:
        return f"{len(scopes.acts)} {'right' if len(scopes.acts) == 1 else 'rights'}"
    return (
        f"All that {owner} may"
        if scopes.collections is None and scopes.workflows is None
        else "Some records or workflows"
    )


@blueprint.get("/settings/keys/new")
def new() -> Response:
    """Show the form for a key."""
    return area.form_page("keys", _form(), "New key")


@blueprint.post("/settings/keys/create")
def create() -> Response:
    """Make a key and show it, this once; the person must have confirmed their identity lately."""
    accounts.require_recent(frame.actor())
    form = _form()
    return form.submit_to(_create) or area.form_page("keys", form, "New key")


def _create(sent: dict[str, Any]) -> Response:
    what, collections, named = sent["what"], sent.get("collections", ()), sent.get("workflows", ())
    acts = frozenset(request.form.getlist("acts")) if what == "some" else None
    if what not in ("some", "assistant"):
        collections, named = (), ()
    approves = what != "assistant" and sent["approves"]
    if acts is not None and approves:
        acts |= {APPROVE}
    scopes = Scopes(
        acts,
        frozenset(collections) or None,
        frozenset(named) or None,
        approves=approves and acts is None,
        assistant=what == "assistant",
        tools=frozenset(sent.get("tools", ())) or None if what == "assistant" else None,
    )
    made = accounts.create_own_key(
        frame.actor(),
        sent["name"],
        days=days_of(sent),
        scopes=scopes,
        workflows=[workflow.slug for workflow in workflows.entries(frame.actor(), limit=10_000)[0]],
        networks=sent["networks"].replace(",", "\n").splitlines(),
    )
    key = accounts.key_of(frame.actor(), made.id)
    return key_page("keys", key.name, made, assistant=key.scopes.assistant, then="/settings/keys")


def days_of(sent: dict[str, Any]) -> int:
    """Return for how many days a key was asked; 0, which is refused, for none that is offered."""
    return int(sent["days"]) if sent["days"] in LASTS else 0


def key_page(
    name: str, heading: str, made: Any, *, then: str, whose: str = "it", assistant: bool = False
) -> Response:
    """Return the page that shows a new key, this once."""
    context = {
        "text": made.text,
        "expires_at": made.expires_at,
        "site": request.host_url.rstrip("/"),
        "assistant": assistant,
        "whose": whose,
        "then": then,
    }
    return area.page("settings/key_made.html", name, context, heading=heading)


@blueprint.get("/settings/keys/<key_id>")
def show_key(key_id: str) -> Response:
    """Show what a key allows, with the button to revoke it."""
    key = accounts.key_of(frame.actor(), key_id)
    rights = [WORDS.get(act, act) for act in sorted(key.scopes.acts or ())]
    context = {"key": key, "state": STATES[key.state], "approves": APPROVES, "rights": rights}
    return area.page("settings/key.html", "keys", context, heading=key.name)


@blueprint.post("/settings/keys/<key_id>/revoke")
def revoke(key_id: str) -> Response:
    """Revoke a key."""
    key = accounts.key_of(frame.actor(), key_id)
    accounts.withdraw_key(frame.actor(), key_id)
    flash(f"{key.name} opens nothing any more.")
    return frame.redirect_to("/settings/keys" if key.person == frame.actor().id else "/settings/keys/all")


def _form() -> Form:
    who, every = frame.actor(), "None chosen: all that you see, also those that come later."
    held = {
        KINDS[kind]: [
            (f"{kind}.{act}", WORDS.get(f"{kind}.{act}", act.capitalize()))
            for act in acts
            if act != "approve"
        ]
        for kind, acts in access.acts_of(who).items()
        if kind in KINDS
    }
    chosen = [Field("acts", "Rights", "checks", choices=held, css="key-choices")]
    if collections := [(collection.id, collection.label) for collection in browse.collections(who)]:
        chosen.append(
            Field("collections", "Only these collections", "checks", every, collections, css="key-choices")
        )
    if named := [(workflow.slug, workflow.title) for workflow in workflows.entries(who, limit=10_000)[0]]:
        chosen.append(Field("workflows", "Only these workflows", "checks", every, named, css="key-choices"))
    named_tools = [(name, name) for name in ASSISTANT_TOOLS]
    all_tools = "Of an assistant. None chosen: all, also those that come later."
    chosen.append(Field("tools", "Only these tools", "checks", all_tools, named_tools, css="key-choices"))
    approves = "It answers requests for approval and is the second person, as far as you may. An assistant never does"
    items = [
        Field(
            "name",
            "Name",
            hint="Which program it is for: “Nightly report”. It stands in the log.",
            required=True,
            max_length=200,
        ),
        DAYS,
        Field("what", "May", "radios", choices=WHAT),
        Field("approves", "To approve too", "check", approves, sent="1"),
        Group(chosen, "Choose", "fold", open=request.form.get("what") in ("some", "assistant")),
        Field(
            "networks",
            "Only from these networks",
            "area",
            "One a line, such as 203.0.113.0/24. Empty: from everywhere.",
            rows=2,
        ),
    ]
    values = {"what": "all", "days": "90"}
    return Form(
        items,
        values,
        "Make the key",
        action="/settings/keys/create",
        cancel="/settings/keys",
        submit_more={"data-command": ""},
    )
