"""Approvals: lists of requests to decide, made and decided, and the page of one request.

A GET never decides anything: an answer is a POST by a signed-in person.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, flash, request
from markupsafe import Markup

from console import browse, workflows
from console.auth import accounts
from console.core import media, record_links
from console.core.blocks import KINDS
from console.core.documents.fields import BECAUSE
from console.core.errors import Conflict, ConsoleError, Invalid, Malformed, NotFound, SourceDown
from console.core.moments import moment_text
from console.core.plain_words import roles_words
from console.core.run.approval_request import APPROVE, REJECT
from console.core.run.duties import OF_STEP
from console.runs.commands import approval_questions
from console.views import blocks, formats, frame
from console.views.formats import Kind, Look
from console.views.frame import Badge
from console.views.runs.block_papers import Papers
from console.views.work import approval_panel
from console.views.work.my_work import due_badge, order_key
from console.views.work.publishing_reviews import drawn_rows
from console.work import approval_context, approvals, approvers
from console.work.approvals import MOST_COUNTED, Line, Page, View

blueprint = Blueprint("approvals", __name__, url_prefix="/approvals")

PAGE_SIZE = 50
NOT_TAKEN = "Your answer was not taken, and nothing was changed: what you would agree to cannot be compared with the record. Answer again once it can."
LISTS: Mapping[str, tuple[str, Callable[..., Page], str]] = {
    "review": (
        "Waiting",
        approvals.to_review,
        "Nothing waits for your decision. What somebody else has to agree to, such as a high refund, comes here.",
    ),
    "created": ("Asked by you", approvals.created, "You have asked for no approval yet."),
    "history": ("Decided", approvals.history, "Nothing that you may see has been decided yet."),
}
TYPED = ("reason", "question", "answer")
"""What the box of the page holds, by what is done with it."""
FILTERS = {"action": "Action", "requester": "Requester", "team": "Team", "from": "From", "to": "To"}
_STATUS = {
    "open": Badge("Waiting", "info", "clock"),
    "approved": Badge("Approved", "good", "check"),
    "rejected": Badge("Rejected", "bad", "x"),
    "void": Badge("Void", "", "circle-dashed"),
    "expired": Badge("Expired", "warn", "clock"),
}


@blueprint.get("")
def show() -> Response:
    """Show one of the three lists; `list` is review, created or history."""
    chosen = request.args.get("list", "review")
    if chosen not in LISTS:
        chosen = "review"
    given = {name: value for name in FILTERS if (value := request.args.get(name, "").strip())}
    label, listed, nothing = LISTS[chosen]
    wrong = ""
    try:
        page = listed(frame.actor(), _filters(given), limit=PAGE_SIZE, after=request.args.get("after"))
    except Malformed as error:
        wrong, given = "; ".join(str(detail["reason"]) for detail in error.details) or error.message, {}
        page = listed(frame.actor(), {}, limit=PAGE_SIZE)
    people = (
        {person.id: person.name for person in accounts.people()}
        if given.get("requester") or chosen != "created"
        else {}
    )
    actions = dict(_asked_for(page.lines, given.get("action")))
    teams = {line.team: line.team_name for line in page.lines}
    words: Mapping[str, Mapping[str, str]] = {"requester": people, "action": actions, "team": teams}
    context = {
        "list_name": chosen,
        "list_label": label,
        "tabs": _tabs(chosen),
        "rows": _rows(page.lines, by_due=chosen == "review"),
        "publishing": [] if given or request.args.get("after") else drawn_rows(_publishing(chosen)),
        "nothing": nothing,
        **frame.page_places(page.next, request.args.get("after")),
        "chips": frame.filter_chips(
            {
                name: f"{FILTERS[name]}: {words.get(name, {}).get(value, value)}"
                for name, value in given.items()
            }
        ),
        "held": given,
        "people": sorted(
            {(line.approval.requested_by, line.requester_name) for line in page.lines},
            key=lambda pair: pair[1],
        ),
        "actions": list(actions.items()),
        "teams": sorted(teams.items()),
        "wrong": wrong,
    }
    return frame.page("approvals/page.html", context, status=400 if wrong else 200)


def _tabs(chosen: str) -> list[dict[str, Any]]:
    """Return the lists with the number of waiting requests; the history has no number."""
    made = []
    for name, (label, _, _) in LISTS.items():
        count = None
        if name == "review":
            count = approvals.waiting(frame.actor()) + len(_publishing(name))
        elif name == "created":
            count = len(approvals.created(frame.actor(), {"status": "open"}, limit=MOST_COUNTED).lines)
            count += sum(each.open for each in _publishing(name))
        shown = "" if not count else f"{MOST_COUNTED}+" if count >= MOST_COUNTED else str(count)
        made.append(
            {
                "href": f"/approvals?list={name}" if name != "review" else "/approvals",
                "label": label,
                "count": shown,
                "here": name == chosen,
            }
        )
    return made


def _publishing(chosen: str) -> list[workflows.Review]:
    """Return the requests to publish a workflow of a list."""
    who = frame.actor()
    if chosen == "review":
        return workflows.to_decide(who)
    found, _ = workflows.listed_reviews(
        who, requester=who.id if chosen == "created" else None, limit=PAGE_SIZE
    )
    return found if chosen == "created" else [each for each in found if not each.open]


def _filters(given: Mapping[str, str]) -> dict[str, str]:
    """Return the filters for the service: days in the reader's zone become moments. Raises Malformed for what is no day."""
    moments = {
        "created_at.gte": frame.midnight(given, "from"),
        "created_at.lt": frame.midnight(given, "to", later=1),
    }
    others = {name: value for name, value in given.items() if name not in ("from", "to")}
    return others | {name: moment_text(at) for name, at in moments.items() if at is not None}


def _asked_for(lines: Sequence[Line], chosen: str | None) -> list[tuple[str, str]]:
    """Return what the requests of a list are for, as id and title, by title."""
    found = ({chosen: formats.label_of(chosen)} if chosen else {}) | {
        line.approval.action: line.label for line in lines
    }
    return sorted(found.items(), key=lambda pair: pair[1])


def _rows(lines: Sequence[Line], *, by_due: bool) -> list[dict[str, Any]]:
    """Return the requests of a page with when they are due; `by_due`: in that order, then the oldest first."""
    due = approvals.due_of(frame.actor(), lines)
    ordered = (
        sorted(lines, key=lambda line: (*order_key(due.get(line.id)), line.approval.requested_at))
        if by_due
        else lines
    )
    return [row(line) | {"due": due_badge(due.get(line.id), frame.look())} for line in ordered]


def row(line: Line) -> dict[str, Any]:
    """Return a request as the lists draw it."""
    approval = line.approval
    given = len(approval.approvers)
    return {
        "href": url(line.id),
        "title": line.record_title or line.workflow,
        "label": line.label,
        "why": approval.why,
        "workflow": line.workflow,
        "requester": line.requester_name,
        "team": line.team_name,
        "at": approval.requested_at,
        "badge": _STATUS[approval.status],
        "votes": f"{given} of {approval.needs} approved" if approval.needs > 1 else "",
        "decided": ", ".join(line.names.get(each.by, "A former colleague") for each in approval.decided),
        "decided_at": approval.decided[-1].at if approval.decided else None,
    }


def url(approval_id: str, rest: str = "") -> str:
    """Return the address of a request."""
    return f"/approvals/{quote(approval_id, safe='')}" + (f"/{rest}" if rest else "")


@blueprint.get("/<approval_id>")
def show_approval(approval_id: str) -> Response:
    """Show the request with all that a decision needs."""
    return _drawn(approval_id)


@blueprint.post("/<approval_id>/approve")
def approve(approval_id: str) -> Response:
    """Approve. If this was the last approval needed, the change is made at once."""
    accepted, read = request.form.get("accept_changes", ""), request.form.get("remarks_read", type=int)

    def do(reason: str) -> None:
        if reason and request.form.get("began") == "reject":
            raise Invalid(
                "You began to reject.", at=("reason", "You began to reject: approve again, or reject.")
            )
        approvals.approve(
            frame.actor(), approval_id, reason=reason, accept_changes=accepted or False, remarks_read=read
        )

    return _decided(approval_id, do, "Approved.")


@blueprint.post("/<approval_id>/reject")
def reject(approval_id: str) -> Response:
    """Reject, with a reason."""
    return _decided(
        approval_id, lambda reason: approvals.reject(frame.actor(), approval_id, reason=reason), "Rejected."
    )


@blueprint.post("/<approval_id>/ask")
def ask(approval_id: str) -> Response:
    """Ask the requester a question; nothing is decided."""
    return _decided(
        approval_id, lambda text: approval_questions.ask(frame.actor(), approval_id, text), "Asked."
    )


@blueprint.post("/<approval_id>/reply")
def reply(approval_id: str) -> Response:
    """Reply to a question about one's own request."""
    return _decided(
        approval_id, lambda text: approval_questions.reply(frame.actor(), approval_id, text), "Sent."
    )


def _decided(approval_id: str, do: Callable[[str], None], toast: str) -> Response:
    reason = request.form.get("reason", "").strip()
    try:
        do(reason)
    except (Invalid, Conflict) as wrong:
        return _drawn(approval_id, wrong=wrong, reason=reason)
    except SourceDown as down:
        if (
            approvals.get(frame.actor(), approval_id).line.approval.status == "open"
        ):  # else it came down after the answer was kept
            return _drawn(approval_id, wrong=SourceDown(f"{down.message} {NOT_TAKEN}"), reason=reason)
    flash(toast)
    return frame.redirect_to(url(approval_id))


def _drawn(approval_id: str, *, wrong: ConsoleError | None = None, reason: str = "") -> Response:
    view = approvals.get(frame.actor(), approval_id)
    look = replace(_naming(view), people=view.line.names)
    status = view.line.approval.status
    more = approval_context.context_of(frame.actor(), approval_id)
    due = approvals.due_of(frame.actor(), [view.line]).get(view.line.id)
    context = _request_context(view, more, look, status) | {
        "due": due_badge(due, look),
        "may": status == "open" and view.refusal is None,
        "approve_url": url(approval_id, "approve"),
        "reject_url": url(approval_id, "reject"),
        "ask_url": url(approval_id, "ask"),
        "reply_url": url(approval_id, "reply"),
        "moved": _moved(view, look),
        "record": _lines(view, view.record, look),
        "run_context_url": frame.run_url(view.line.run, tab="context") if view.context else None,
        "rules": list(dict.fromkeys(filter(None, (_rule(rule, view) for rule in view.line.approval.not_by)))),
        "roles": roles_words(view.line.approval.roles) or "whoever has the right to approve this action",
        "deciders": view.deciders,
        "typed_reason": reason,
        "began": request.path.rpartition("/")[2] if wrong else "",
        "reason_error": next(
            (str(detail["reason"]) for detail in wrong.details if detail.get("field") in TYPED), ""
        )
        if wrong
        else "",
        "wrong": wrong.message if wrong is not None and wrong.code != "invalid" else "",
    }
    return frame.page("approvals/one.html", context, status=wrong.status if wrong is not None else 200)


def asked_at(approval_id: str, at: datetime) -> Markup | None:
    """Return the request as it was read at this moment, with the answers until then; None if the reader may not see it."""
    try:
        view = approvals.get(frame.actor(), approval_id, looking_back=True)
        more = approval_context.context_of(frame.actor(), approval_id)
    except NotFound:
        return None
    look = replace(_naming(view), people=view.line.names, now=at)
    view = replace(view, decided=[each for each in view.decided if each.at <= at])
    said = [each for each in more.remarks or () if each.at <= at]
    answers = [each.decision for each in view.decided]
    enough = answers.count(APPROVE) >= view.line.approval.needs
    status = "rejected" if REJECT in answers else "approved" if enough else "open"
    more = replace(more, remarks=said, may_reply=False)
    context = _request_context(view, more, look, status) | {"read_only": True}
    return Markup(frame.render("approvals/asked.html", context))  # noqa: S704 (a template of ours)


def _request_context(view: View, more: approval_context.Beside, look: Look, status: str) -> dict[str, Any]:
    """Return what the request says, who answered, and what stands beside it."""
    content = _told_once(view.content)
    return approval_panel.panel_context(more, view, look, [row(line) for line in more.alike.lines[:3]]) | {
        "earlier": approval_panel.earlier(more, lambda values: _lines(view, values, look), view.line.values),
        "view": view,
        "row": row(view.line),
        "status": _STATUS[status],
        "open": status == "open",
        "asks_for": _amount(view, look),
        "plea": _plea(view),
        "text": frame.prose(view.text, look) if view.text else None,
        "values": _values(view, look),
        "changes": _changes(view, look),
        "content": blocks.draw_blocks(content, look, papers=Papers(frame.actor(), _of_run(view))),
        "foretold": any((known := KINDS.get(str(block["block"]))) and known.foretells for block in content),
        "record_url": frame.record_url(view.line.collection, view.line.approval.record)
        if view.line.collection
        else None,
        "answers": [
            {
                "who": view.line.names.get(each.by, "A former colleague"),
                "at": each.at,
                "yes": each.decision == APPROVE,
                "reason": each.reason,
                "instead": " and ".join(
                    view.line.names.get(person, "a former colleague") for person in each.stands_in_for
                ),
            }
            for each in view.decided
        ],
    }


def _told_once(content: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the blocks without what the action will change: the page tells that by itself, for what is asked for exactly."""
    return [
        dict(block)
        for block in content
        if not (known := KINDS.get(str(block["block"]))) or not known.foretells or block.get("changes")
    ]


def _is_files(value: Any) -> bool:
    """Return whether the value is a file or a list of files, which the page names with what was opened of them."""
    return media.is_value(value) or (
        isinstance(value, list) and bool(value) and all(map(media.is_value, value))
    )


def _of_run(view: View) -> dict[str, Any]:
    """Return by which the documents beside the run are found."""
    return {"id": view.run["id"], "collection": view.run["collection"], "record": view.run["record"]}


CODE = 3
"""Letters of the code of a currency."""


def _amount(view: View, look: Look) -> str:
    """Return the amount that is asked for, with its currency; empty where the request is about none, or the reader may not see it."""
    known = _columns(view)
    values = view.line.values
    if not approval_panel.moves_money(view.line.approval.action):
        return ""
    for name, source in view.fields.items():
        what = known.get(name)
        if what is None or values.get(name) in (None, ""):
            continue
        money = source.get("type") == "money" or what.widget == "money" or bool(what.currency)
        if money or (name == "amount" and what.type in formats.NUMBERS and view.record.get("currency")):
            code = what.currency if len(what.currency) == CODE and what.currency.isupper() else ""
            currency = (
                code
                or values.get(what.currency)
                or view.record.get(what.currency)
                or view.record.get("currency")
            )
            as_money = Kind(
                name, what.label, "decimal", widget="money", currency=str(currency or ""), minor=what.minor
            )
            return formats.text(
                as_money, formats.Amount(str(values[name]), str(currency)) if currency else values[name], look
            )
    return ""


def _plea(view: View) -> list[dict[str, Any]]:
    """Return what the requester wrote with the request: long texts of its form, and sentences that rules of the run asked for."""
    known = _columns(view)
    own = [
        (known[name].label, value)
        for name, value in view.line.values.items()
        if name in known and known[name].type == "long_text" and known[name].widget != "letter" and value
    ]
    sentences = [
        (title, value)
        for title, output in view.context
        for name, value in output.items()
        if name.endswith(BECAUSE) and isinstance(value, str) and value
    ]
    return [{"label": label, "text": text} for label, text in [*own, *sentences]]


def _naming(view: View) -> Look:
    """Return the reader's look with the records that the request refers to by name."""
    leading = [(name, what.references) for name, what in _columns(view).items()]
    said = record_links.links_in(view.text or "")
    wanted = browse.references(leading, [view.record, view.line.values])
    for change in view.changes:
        wanted |= browse.references([(side, change.get("references")) for side in ("old", "new")], [change])
    return frame.naming(browse.names_of(frame.actor(), wanted | said))


def _columns(view: View) -> dict[str, Kind]:
    """Return the kinds of the fields: from the form, then from the collection."""
    known: dict[str, Kind] = {}
    if view.line.collection:
        try:
            described = browse.describe(frame.actor(), view.line.collection)
            known = {source["name"]: formats.kind(source) for source in described["fields"]}
        except ConsoleError:
            known = {}
    of_form = {name: formats.kind(source) for name, source in view.fields.items()}
    return of_form | {name: what for name, what in known.items() if name not in of_form}


def _lines(view: View, values: Mapping[str, Any], look: Look) -> list[dict[str, Any]]:
    """Return the values with their labels, in the order of the form or the collection."""
    known = _columns(view)
    names = [*(name for name in known if name in values), *(name for name in values if name not in known)]
    whole = formats.with_currencies(
        values, {name: what.currency for name, what in known.items() if what.currency in values}
    )
    kinds = [
        (known[name], whole[name]) if name in known else formats.described(name, whole[name], values)
        for name in names
    ]
    return [
        {"name": what.name, "label": what.label, "shown": formats.html(what, value, look)}
        for what, value in kinds
    ]


def _values(view: View, look: Look) -> list[dict[str, Any]]:
    """Return what was handed in, without files and empty fields, and without what is told already.

    That is what the changes tell in the same words under the same label, and an amount that the form computes and that equals one before it.
    """
    told = {(change["label"], change.get("new")) for change in _changes(view, look)}
    given = {
        name: value
        for name, value in view.line.values.items()
        if not _is_files(value) and not formats.absent(value)
    }
    computed = approval_panel.computed_amounts(view.line.approval.action)
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for line in _lines(view, given, look):
        again = line["name"] in computed and any(shown == line["shown"] for _, shown in lines)
        if not again and (line["label"], line["shown"]) not in told:
            lines[line["label"], line["shown"]] = line
    return list(lines.values())


def _changes(view: View, look: Look) -> list[dict[str, Any]]:
    """Return old and new values field by field, without those that the reader may not read."""
    made = []
    for change in view.changes:
        what = formats.kind(change)
        masked = change["masked"]
        beside = {what.name: what.currency} if what.currency in view.record else {}
        sides = {
            side: None
            if masked
            else formats.html(
                what,
                formats.with_currencies({**view.record, what.name: change[side]}, beside)[what.name],
                look,
            )
            for side in ("old", "new")
            if side in change
        }
        made.append({"label": what.label, "masked": masked, **sides})
    return made


def _moved(view: View, look: Look) -> list[dict[str, Any]]:
    known = _columns(view)
    made = []
    for each in view.moved:
        what = known.get(each.field) or Kind(each.field, each.label)
        hidden = each.then is None and each.now is None
        made.append(
            {
                "label": each.label,
                "hidden": hidden,
                "overwrites": each.wish is not None,
                "then": formats.html(what, each.then, look),
                "now": formats.html(what, each.now, look),
            }
        )
    return made


def _rule(rule: str, view: View) -> str:
    """Return in words who may not decide; empty where another rule says it of the requester."""
    if rule == "requester":
        return f"not {view.line.requester_name}, who asked for it"
    if named := OF_STEP.fullmatch(rule):
        return f"not whoever did “{view.rule_steps.get(named[1]) or named[1]}”"
    known = next((person for person in accounts.people() if rule in (person.id, person.email)), None)
    if known is None:
        return "" if view.why else "not the person whom the rule names"
    asked = view.line.approval
    return "" if known.id == asked.requested_by and "requester" in asked.not_by else f"not {known.name}"


def of_wait(run: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return who is awaited, what was asked for, the question that nobody has answered, and the address of the request of a run that waits for an approval; None if it waits for something else."""
    waiting = (run["current"] or {}).get("waiting") or {}
    if waiting.get("for") != "approval":
        return None
    view = approvals.get(frame.actor(), waiting["key"])
    look = replace(_naming(view), people=view.line.names)
    said = approval_context.questions_and_replies(frame.actor(), waiting["key"])[-1:]
    return {
        "asked": [
            (accounts.names({one.by}).get(one.by, "A former colleague"), one) for one in said if not one.reply
        ],
        "words": approvers.words(frame.actor(), waiting["key"]),
        "href": url(waiting["key"]),
        "row": row(view.line),
        "values": _values(view, look),
        "changes": _changes(view, look),
        "summaries": view.summaries,
    }
