"""The page on which an inbox is made: what comes into it, in which order, for whom, and by when."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, flash, request

from console import records, workflows
from console.auth import access, accounts
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field
from console.core.documents.fields import HANDED_IN
from console.core.errors import Conflict, Invalid, NotFound
from console.core.plain_words import slug
from console.infra.jobs.background import DONE
from console.views import formats, frame
from console.views.browse import reference_boxes
from console.views.editor.new import start_fields
from console.views.runs import form_boxes
from console.views.work.inbox import ticket_line
from console.views.work.my_work import count_words
from console.views.work.team_work import filter_label
from console.work import due_times
from console.work.due_times import Recount
from console.work.work_list import NOBODY, Filters
from console.workspaces import inbox_rules
from console.workspaces.inbox_rules import Rules

blueprint = Blueprint("inbox_rules", __name__, url_prefix="/inbox")

FIELDS = {
    "id": "title",
    "minutes": "hours",
    "source.segment": "segment",
    "source.filter": "segment",
    "source.sort": "sort",
    "source.due": "due_field",
    "source.workflow": "workflow",
}
"""Field of the document → that of the form, where they are not called alike."""
INPUT = "source.input."
OF_EACH_INBOX = {("kind", "ticket"), ("state", "inbox"), ("person", NOBODY)}
"""Filters of a list of work that hold of what waits in any inbox."""


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Response:
    """Make an inbox by the filters of a list of work, as far as rules can say them."""
    if not inbox_rules.teams_of(frame.actor()):
        raise NotFound(hidden=True)
    if request.method == "POST":
        return _save(None)
    filters = _filters()
    known = workflows.find_known(filters.workflow)
    team = filters.team or (known.team if known is not None else "")
    return _drawn(None, {"workflow": filters.workflow} | ({"team": team} if team else {}))


@blueprint.route("/<name>/rules", methods=["GET", "POST"])
def rules(name: str) -> Response:
    """Show and change the rules of an inbox."""
    document = inbox_rules.rules(frame.actor(), name)
    if "seen" in request.args and frame.wants_fragment():
        recount = _recount(document)
        answer = frame.poll_answer(recount) if recount is not None else None
        context = {"inbox": document, "recount": recount}
        return answer or frame.page("inbox/rules.html", context, blocks={"*": "progress"})
    return _save(document) if request.method == "POST" else _drawn(document, _typed(document))


@blueprint.post("/<name>/rules/restore")
def restore(name: str) -> Response:
    """Let the inbox say what it said before."""
    number = request.form.get("number", "")
    if not number.isdecimal() or len(number) > 6:
        raise NotFound
    inbox_rules.restore(frame.actor(), name, int(number))
    flash("Restored.")
    return frame.redirect_to(f"/inbox/{name}/rules")


def _recount(document: Rules) -> Recount | None:
    known = workflows.find_known(document.source.workflow) if document.source is not None else None
    return due_times.recount_of_inbox(document.id, known.id if known is not None else None)


def _filters() -> Filters:
    """Return the filters of the list of work from which an inbox is made. Raises Malformed."""
    return Filters.parse({name: value for name, value in request.args.items() if value})


def _left_out(offered: Sequence[workflows.Known]) -> str:
    """Return the filters of the list of work that no rule says, in words."""
    said = {*OF_EACH_INBOX, *(("workflow", each.slug) for each in offered)}
    return ", ".join(
        filter_label(name, value)
        for name, value in _filters().to_query().items()
        if name != "team" and (name, value) not in said
    )


def _typed(document: Rules) -> dict[str, str]:
    source, due = document.source, document.source.due if document.source else None
    return {
        "title": document.title,
        "help": document.help or "",
        "team": document.team,
        "roles": document.roles[0] if document.roles else "",
        "workflow": source.workflow if source else "",
        "segment": (source.segment or "") if source else "",
        "sort": (source.sort or "") if source else "",
        "due_field": due.field if due else "",
        "due_days": str(due.days) if due else "",
        "most": str(document.most or ""),
        "hours": _hours(document.clock),
        "own_tool_calls": "1" if document.own_tool_calls else "",
    }


def _save(document: Rules | None) -> Response:
    who, form = frame.actor(), request.form
    typed = {name: form.get(name, "").strip() for name in form}
    if form.get("do") == "preview":
        return _drawn(document, typed)
    try:
        made = _document(document, typed)
        ident = inbox_rules.save(who, made, form.get("seen", "") if document is not None else None)
    except (Invalid, Conflict) as wrong:
        return _drawn(document, typed, wrong=wrong)
    flash("Saved.")
    return frame.redirect_to(f"/inbox/{ident}/rules")


def _document(document: Rules | None, typed: Mapping[str, str]) -> dict[str, Any]:
    """Return the document that the form says; what it does not ask for stays. Raises Invalid."""
    roles = [typed["roles"]] if typed.get("roles") else []
    if document is not None and roles == document.roles[:1]:
        roles = list(document.roles)
    made: dict[str, Any] = {
        "id": document.id if document is not None else slug(typed.get("title", ""))[:60],
        "title": typed.get("title", ""),
        "team": typed.get("team", ""),
        "roles": roles,
        "clock": _clock(document.clock if document is not None else None, typed.get("hours", "")),
    }
    made |= {"help": typed["help"]} if typed.get("help") else {}
    made |= {"own_tool_calls": True} if typed.get("own_tool_calls") else {}
    made |= {"most": _number(typed["most"], "most")} if typed.get("most") else {}
    if not typed.get("workflow"):
        return made
    known = workflows.find_known(typed["workflow"])
    former = document.source if document is not None else None
    source: dict[str, Any] = {
        "collection": (known.collection if known else "") or "",
        "workflow": typed["workflow"],
    }
    if typed.get("segment"):
        source["segment"] = typed["segment"]
    elif former is not None and former.filter and former.workflow == typed["workflow"]:
        source["filter"] = former.filter
    else:
        raise Invalid("The inbox was not saved.", at=("segment", "Choose which records come into it."))
    source |= {"sort": typed["sort"]} if typed.get("sort") else {}
    if typed.get("due_field"):
        source["due"] = {
            "field": typed["due_field"],
            "days": _number(typed.get("due_days") or "0", "due_days"),
        }
    names = {field["name"] for field in _start_fields(typed["workflow"])}
    if given := {
        name: value for name, value in _given(document).items() if name in names and value is not None
    }:
        source["input"] = given
    return made | {"source": source}


def _given(document: Rules | None) -> dict[str, Any]:
    """Return what the start is given: as typed, else as the inbox says."""
    if request.method == "POST":
        return form_boxes.read_form(request.form, frame.look())
    return dict(document.source.input) if document is not None and document.source is not None else {}


def _start_fields(workflow: str, given: Mapping[str, Any] | None = None) -> Sequence[Mapping[str, Any]]:
    """Return the fields of the workflow's start that can be the same for every record; none where it is not published."""
    try:
        fields = start_fields(workflows.live(workflow).document, given)
    except NotFound:
        return ()
    return [field for field in fields if not field["readonly"] and field["type"] not in HANDED_IN]


def _number(text: str, name: str) -> int:
    if not text.removeprefix("-").isdecimal() or len(text) > 5:
        raise Invalid("The inbox was not saved.", at=(name, "A whole number."))
    return int(text)


def _clock(former: Mapping[str, Any] | None, hours: str) -> Mapping[str, Any] | None:
    """Return the terms by which its tickets are due within these hours; the other terms stay."""
    if not hours:
        return None
    if former is not None and hours == _hours(former):
        return former
    terms = former or {"stages": [{"percent": 100, "do": "remind"}]}
    return {**terms, "minutes": _number(hours, "hours") * 60}


def _hours(clock: Mapping[str, Any] | None) -> str:
    return f"{round(clock['minutes'] / 60, 2):g}" if clock is not None else ""


def _drawn(
    document: Rules | None, typed: Mapping[str, str], *, wrong: Invalid | Conflict | None = None
) -> Response:
    who, status = frame.actor(), wrong.status if wrong is not None else 200
    teams = {team.id: team.name for team in accounts.teams()}
    mine = inbox_rules.teams_of(who)
    typed = {"team": next(iter(mine), ""), **typed}
    preview, refused = None, wrong
    known = next((each for each in inbox_rules.workflows_of(who) if each.slug == typed.get("workflow")), None)
    known = known or (
        workflows.find_known(document.source.workflow) if document and document.source else None
    )
    collection = _collection(known.collection if known is not None else None)
    segments = (
        [(each.id, each.label) for each in collection.segments if each.sql is None] if collection else []
    )
    offered = _offered_fields(who, collection, document) if collection else []
    former = document.source if document is not None else None
    if segments and not typed.get("segment") and (former is None or former.workflow != typed["workflow"]):
        typed["segment"] = segments[0][0]
    if wrong is None:
        try:
            preview = _preview(document, typed)
        except (Invalid, Conflict) as error:
            refused = error
    details = refused.details if refused is not None else []
    given = _given(document) if known is not None else {}
    fields = _start_fields(typed.get("workflow", ""), given)
    look = reference_boxes.look_for(fields, given)
    of_start = [
        {**each, "field": name}
        for each in details
        if (name := str(each["field"]).removeprefix(INPUT)) in {field["name"] for field in fields}
        and (wrong is not None or given.get(name) is not None)
    ]
    errors = {FIELDS.get(str(each["field"]), str(each["field"])): str(each["reason"]) for each in details}
    versions = inbox_rules.versions(who, document.id) if document is not None else []
    context = {
        "inbox": document,
        "typed": typed,
        "errors": errors,
        "wrong": wrong.message if wrong is not None else "",
        "teams": [(team, teams.get(team, team)) for team in mine],
        "roles": [(role, formats.role_words(role)) for role in _roles(document)],
        "workflows": [(each.slug, each.title) for each in inbox_rules.workflows_of(who)],
        "collection": collection,
        "segments": segments,
        "boxes": form_boxes.boxes({"fields": fields}, look, typed=given, errors=of_start),
        "given": [
            (field["label"], formats.text(formats.kind(field), given[field["name"]], look))
            for field in fields
            if given.get(field["name"]) not in (None, "", [])
        ],
        "left_out": _left_out(inbox_rules.workflows_of(who)) if document is None else "",
        "sorts": [
            (sign + field.name, field.label + words)
            for field in offered
            if field.sortable
            for sign, words in (("", ""), ("-", ", descending"))
        ],
        "days": [(each.name, each.label) for each in offered if each.type in ("date", "datetime")],
        "versions": versions,
        "names": accounts.names({each.made_by for each in versions}),
        "preview": preview,
        "recount": (found := document and _recount(document)) and found.status != DONE and found,
        "seen": document.hash if document is not None else "",
        "action": f"/inbox/{document.id}/rules"
        if document is not None
        else frame.with_query("/inbox/new", request.args),
    }
    return frame.page("inbox/rules.html", context, blocks={"rules": "rules"}, status=status)


def _preview(document: Rules | None, typed: Mapping[str, str]) -> Mapping[str, Any]:
    """Return what the page draws of the inbox as it was typed. Raises Invalid."""
    who, untitled = frame.actor(), not typed.get("title")
    wanted = _document(document, {**typed, "title": "Untitled inbox"} if untitled else typed)
    found = inbox_rules.preview(who, wanted, document.hash if document is not None else None)
    return {
        "count": count_words(found.count),
        "first": [ticket_line(ticket, who) for ticket in found.first],
        "people": ", ".join(person.name for person in found.people),
        "changes": [
            f"{number:,}{'+' if found.more else ''} {words}"
            for number, words in (
                (found.enter, "enter"),
                (found.leave, "leave"),
                (found.due_changes, "get another due day"),
            )
            if number and document is not None
        ],
        "down": found.down or "",
    }


def _roles(document: Rules | None) -> list[str]:
    return sorted({*access.rights().roles, *(document.roles if document is not None else ())})


def _offered_fields(who: Actor, collection: Collection, document: Rules | None) -> list[Field]:
    """Return the fields that the actor may read, and those by which the inbox is in order or due already."""
    typed = _typed(document) if document is not None else {}
    readable = collection.readable(access.scope_for(who, collection.id, "read"))
    used = {typed.get("sort", "").removeprefix("-"), typed.get("due_field", "")}
    return [each for each in collection.fields if each in readable or each.name in used]


def _collection(ident: str | None) -> Collection | None:
    try:
        return records.collection(ident) if ident else None
    except NotFound:
        return None
