"""One action on many records: the preview, and the page that follows its progress."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Blueprint, Response, request

from console import browse, log, records
from console.actions import bulk, bulk_ends, bulk_starts, many_changes as by_hand
from console.actions.bulk import Bulk, Item
from console.actions.bulk_starts import BulkStart
from console.browse import BrowseQuery, naming
from console.core import expressions
from console.core.actor import Actor
from console.core.documents.action_document import Action
from console.core.documents.collections import Field
from console.core.documents.fields import OWN_INPUT, FieldDefinition, fields_with_values
from console.core.effect_kinds import SqlWrite
from console.core.errors import ConsoleError, Invalid, NotFound
from console.core.expressions import ExpressionError
from console.core.forms import is_empty, missing_message, refusal
from console.infra import jobs, subjects
from console.runs.views import lists
from console.runs.views.lists import RunHead
from console.views import formats, frame, refusals
from console.views.automation import enrolled
from console.views.browse import chosen_records, many_changes, reference_boxes
from console.views.browse.lists import listed_words
from console.views.frame import Badge
from console.views.runs import form_boxes, workspace_return

blueprint = Blueprint("bulk", __name__, url_prefix="/bulk")
STATES = {
    bulk.WAITING: Badge("To do", ""),
    bulk.BEGUN: Badge("Under way", "info"),
    bulk.DONE: Badge("Done", "good"),
    bulk.OPEN: Badge("Open", "warn"),
    bulk.REFUSED: Badge("Not done", "bad"),
    bulk.STOPPED: Badge("Stopped", ""),
    bulk.FITS: Badge("Can be done", "info"),
    bulk.SAME: Badge("As it is", ""),
}
CANNOT = Badge("Cannot be done", "warn")
UNCHECKED = "What is typed was not checked yet. Look at what it comes to below, then do it."


@blueprint.route("/of/<collection>", methods=["GET", "POST"])
def preview(collection: str) -> Response:
    """Show which records are included and which not, with the values typed so far. With `go`, start the action for those included."""
    actor, form = frame.actor(), request.values
    if (workflow := enrolled.slug_of(form.get("action"))) is not None:
        return enrolled.chosen_in_list(workflow)
    query = chosen_records.list_query(form)
    if (deed := by_hand.change_by_id(form.get("action", ""))) is not None:
        return many_changes.ask(collection, deed, query)
    action = next((each for each in _offered(actor, collection) if each.id == form.get("action")), None)
    if action is None:
        raise NotFound("There is no such action for several of these records, or it is not yours to do.")
    described = browse.describe(actor, collection)
    typed = form_boxes.read_form(request.form, frame.look()) if request.method == "POST" else {}
    given = {name: value for name, value in typed.items() if value is not None}
    if "go" in request.form and (begun := bulk.begun_before(actor)) is not None:
        return frame.redirect_to(f"/bulk/{begun}")
    whole = query if form.get("all") else None
    keys = chosen_records.keys(actor, form)
    try:
        items = bulk.chosen(actor, collection, action, keys, whole, first=bool(form.get("first")))
    except bulk.TooManyChosen as wrong:
        if isinstance(action, BulkStart):
            return _later(described, action, keys, whole, typed, given)
        return _page(described, action, [], typed, wrong=wrong)
    except Invalid as wrong:
        return _page(described, action, [], typed, wrong=wrong)
    if request.method == "POST" and (lacking := _missing_errors(action, given)):
        return _page(described, action, items, typed, wrong=refusal(lacking))
    judged = (
        bulk.refusal_reasons(actor, collection, action, items, given)
        if request.method == "POST" or not _editable(action)
        else list(items)
    )
    if request.method != "POST" or "go" not in request.form:
        return _page(described, action, judged, typed, checked_with=_token(given))
    token, *checked = request.form.get("checked", "").split(",")
    if token != _token(given):
        return _page(described, action, judged, typed, wrong=Invalid(UNCHECKED), checked_with=_token(given))
    judged = bulk.as_checked(judged, set(checked))
    if all(item.state == bulk.REFUSED for item in judged):
        return _page(
            described,
            action,
            judged,
            typed,
            wrong=Invalid("Nothing can be done with these values: the reasons stand below."),
        )
    bulk_id = bulk.begin(actor, collection, action, judged, given)
    workspace_return.note_start(bulk_id)
    return frame.redirect_to(f"/bulk/{bulk_id}")


def _later(
    described: Mapping[str, Any],
    action: BulkStart,
    keys: Sequence[str],
    whole: BrowseQuery | None,
    typed: Mapping[str, Any],
    given: Mapping[str, Any],
) -> Response:
    """Ask for what is typed once for more records than are judged at once; then have a worker look at each of them. Nothing is started by it."""
    if request.method != "POST":
        return _page(described, action, [], typed, later=True)
    try:
        if lacking := _missing_errors(action, given):
            raise refusal(lacking)
        bulk_id = bulk.look(frame.actor(), described["id"], action, keys, whole, given)
    except Invalid as wrong:
        return _page(described, action, [], typed, wrong=wrong, later=True)
    workspace_return.note_start(bulk_id)
    return frame.redirect_to(f"/bulk/{bulk_id}")


def _token(given: Mapping[str, Any]) -> str:
    """Return what stands for the values with which the records were checked."""
    return subjects.digest(
        orjson.dumps(log.body.canonical_value(dict(given)), option=orjson.OPT_SORT_KEYS),
        "values for several records",
    ).hex()


@blueprint.route("/<bulk_id>", methods=["GET", "POST"])
def follow(bulk_id: str) -> Response:
    """Show the progress; a POST stops it, or does what was looked at. Polled by the page, it answers 204 while nothing changed."""
    if request.method == "POST":
        do = bulk.confirm if request.form.get("do") == "go" else bulk.stop
        do(frame.actor(), bulk_id)
        return frame.redirect_to(f"/bulk/{bulk_id}")
    found = bulk.get(frame.actor(), bulk_id)
    if (answer := frame.poll_answer(found)) is not None:
        return answer
    return frame.page("actions/progress.html", _progress(found), blocks={"*": "progress"})


def _offered(actor: Actor, collection: str) -> list[Action | BulkStart]:
    """Return the actions and the workflows that the reader may have for several records."""
    return [*bulk.offered(actor, collection), *bulk_starts.offered(actor, collection)]


def _editable(action: Action | BulkStart) -> list[FieldDefinition]:
    """Return the fields that are typed once for all records."""
    if isinstance(action, BulkStart):
        return action.definition.document.start_fields
    return [entry for entry in action.form if not entry.readonly]


def _missing_errors(action: Action | BulkStart, given: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the errors for required fields that are empty and that no record fills in."""
    empty = [entry for entry in _editable(action) if entry.value is None]
    fields = fields_with_values(empty, _roots(action), {}, OWN_INPUT)
    return [
        {"field": field.name, "reason": missing_message(field)}
        for field in fields
        if field.required and is_empty(given.get(field.name))
    ]


def _roots(action: Action | BulkStart) -> dict[str, Any]:
    """Return the values that the form's expressions can use while there is no record."""
    return {
        "record": None,
        "related": {},
        "variables": {} if isinstance(action, BulkStart) else action.variables,
        "currentUser": frame.actor().attributes,
        "now": frame.look().now,
        OWN_INPUT: {},
    }


def _page(
    described: Mapping[str, Any],
    action: Action | BulkStart,
    items: Sequence[Item],
    typed: Mapping[str, Any],
    *,
    wrong: ConsoleError | None = None,
    checked_with: str = "",
    later: bool = False,
) -> Response:
    editable = _editable(action)
    fields = [field.to_json() for field in fields_with_values(editable, _roots(action), {}, OWN_INPUT)]
    details = list(wrong.details) if wrong else []
    labels = {str(field["name"]): str(field["label"]) for field in fields}
    tested = bool(items) and (bool(typed) or not editable) and not details
    way, sets = (
        chosen_records.return_url(described["id"], described["label"]),
        _what_is_set(described["id"], action, items, typed) if tested else {},
    )
    context = way | {
        "collection": described,
        "action": action,
        "boxes": form_boxes.boxes(
            {"fields": fields}, reference_boxes.look_for(fields, typed), typed=typed or None, errors=details
        ),
        "items": [_drawn(described["id"], item, CANNOT, sets=sets.get(item.key, "")) for item in items],
        "inside": sum(item.state != bulk.REFUSED for item in items),
        "tested": tested,
        "later": later,
        "among": listed_words(records.collection(described["id"]), described)
        or "all that you see, without a filter"
        if later and request.values.get("all")
        else "",
        "too_many": isinstance(wrong, bulk.TooManyChosen),
        "first_href": f"/bulk/of/{frame.segment(described['id'])}?{urlencode([*_as_asked(action), ('first', '1')])}",
        "checked": ",".join([checked_with, *(item.seen for item in items if item.seen)])
        if checked_with
        else "",
        "waits": _waits(action),
        "does": []
        if isinstance(action, BulkStart)
        else [effect.summary.rstrip(".") for effect in action.effects],
        "final": not isinstance(action, BulkStart) and action.irreversible,
        "approved": sum(bool(item.why) for item in items if item.state != bulk.REFUSED),
        "keys": []
        if request.values.get("all") or request.values.get("again")
        else request.values.getlist("key"),
        "kept": chosen_records.choice_fields(request.values) + way["kept_from"],
        "error": refusals.head(wrong, labels),
        "wrong": refusals.lines([detail for detail in details if detail["field"] in labels], labels),
        "url": f"/bulk/of/{described['id']}",
    }
    return frame.page("actions/preview.html", context, error=wrong)


def _progress(work: Bulk) -> dict[str, Any]:
    left = work.count() - work.done
    action = by_hand.change_by_id(work.action) or next(
        (each for each in _offered(frame.actor(), work.collection) if each.id == work.action), None
    )
    starting = bulk_starts.slug_of(work.action) is not None
    way_back = workspace_return.way_back(work.id)
    known = records.catalogue.find(work.collection)
    named, listed = bulk_ends.title_of(work.action), known.label if known else work.collection
    heads = (
        {
            head.id: head
            for head in lists.with_ids(frame.actor(), [item.run for item in work.items if item.run])
        }
        if starting
        else {}
    )
    return {
        "bulk": work,
        "starting": starting,
        "most": bulk.most_of(work.action),
        "listed": known,
        "done_word": bulk_ends.done_word(work.action),
        "waits": _waits(action) if isinstance(action, BulkStart) else "",
        "first_saved": next(
            (
                heads[item.run]
                for item in work.items
                if item.run in heads and heads[item.run].status == "saved"
            ),
            None,
        ),
        "title": named,
        "crumb": way_back[0] if way_back else listed,
        "window_title": f"{named}, {listed}, {work.done:,} of {work.count():,}, Handrail",
        "again": _again_url(work)
        if action and not work.under_way and not work.looking and work.count(bulk.REFUSED, bulk.STOPPED)
        else None,
        "kept_until": work.created_at + bulk.KEPT,
        "left": left,
        **{state: work.count(state) for state in STATES},
        "causes": bulk.causes(work.id),
        "paused": jobs.paused(),
        "total": work.count(),
        "items": [
            _drawn(
                work.collection,
                item,
                CANNOT if work.looking else STATES[bulk.REFUSED],
                heads.get(item.run or ""),
            )
            for item in work.items
            if item.state != bulk.FITS
        ],
        "back": way_back[1]
        if way_back
        else workspace_return.list_of(work.id) or frame.collection_url(work.collection),
        "back_title": way_back[0] if way_back else "the list",
        "url": f"/bulk/{work.id}",
    } | many_changes.looked(work)


def _what_is_set(
    collection_id: str, action: Action | BulkStart, items: Sequence[Item], typed: Mapping[str, Any]
) -> dict[str, str]:
    """Return key → what the fields that the action sets hold now, and what they become where the form alone says it."""
    own = [
        each
        for each in (() if isinstance(action, BulkStart) else action.effects)
        if isinstance(each, SqlWrite) and each.record is None
    ]
    collection, scope = browse.browsed_collection(frame.actor(), collection_id)
    written = {name: computed for effect in own for name, computed in effect.set.items()}
    shut = {
        field.name
        for field in collection.stored_fields
        if field.hidden or field.currency in collection.by_name
    } | scope.hidden
    fields = [field for field in collection.stored_fields if field.name in written and field.name not in shut]
    if not fields:
        return {}
    found = records.records_by_key(
        collection_id, [item.key for item in items], browse.view_scope(frame.actor(), collection), None
    )
    new = {
        field.name: value
        for field in fields
        if (value := _typed_alone(written[field.name], typed)) is not None
    }
    rows = [new, *(record.values for record in found.values())]
    look = frame.naming(
        browse.names_of(
            frame.actor(), naming.references(((field.name, field.references) for field in fields), rows)
        )
    )

    def words(field: Field, before: Any) -> str:
        what = formats.kind(field)
        becomes = f" → {formats.text(what, new[field.name], look)}" if field.name in new else ""
        return f"{field.label}: {formats.text(what, before, look)}{becomes or ' now'}"

    return {
        key: "; ".join(
            words(field, record.values[field.name]) for field in fields if field.name in record.values
        )
        for key, record in found.items()
    }


def _typed_alone(computed: Any, typed: Mapping[str, Any]) -> Any:
    """Return the value of an expression that looks at nothing but what is typed; None where it looks at more, or has none."""
    if not isinstance(computed, str):
        return None
    with suppress(ExpressionError):
        parsed = expressions.parse(computed)
        if all(path[0] == "input" for path in expressions.paths(parsed)):
            return parsed.evaluate({"input": dict(typed)})
    return None


def _as_asked(action: Action | BulkStart) -> list[tuple[str, str]]:
    """Return the parameters that name the action and the chosen records."""
    return [
        ("action", action.id),
        *chosen_records.choice_fields(request.values),
        *(("key", key) for key in request.values.getlist("key")),
    ]


def _again_url(work: Bulk) -> str:
    """Return where what was not done is tried again."""
    deed = by_hand.change_by_id(work.action)
    if deed is not None and deed.tags:
        return frame.with_query(
            f"/tags/of/{frame.segment(work.collection)}",
            {"way": "put" if deed.puts_tag else "take", "again": work.id},
        )
    return frame.with_query(
        f"/bulk/of/{frame.segment(work.collection)}", {"action": work.action, "again": work.id}
    )


def _waits(action: Action | BulkStart) -> str:
    """Return where the runs of a workflow wait, in words; empty for an action."""
    if not isinstance(action, BulkStart):
        return ""
    return (
        f"They wait in {action.inbox}."
        if action.inbox
        else "They are saved as To Continue, for whoever may resume them."
    )


def _drawn(
    collection: str,
    item: Item,
    refused: Badge = STATES[bulk.REFUSED],
    head: RunHead | None = None,
    sets: str = "",
) -> dict[str, Any]:
    """Return what stands of a record; of a workflow that was started on it, how its run stands now. `sets`: what an action would set of it."""
    now = head and frame.status_badge(
        head.status,
        head.holder,
        frame.actor().id,
        {head.holder or "": head.holder_name},
        ticket=bool(head.ticket),
    )
    return {
        "title": item.title,
        "href": frame.record_url(collection, item.key),
        "badge": now or (refused if item.state == bulk.REFUSED else STATES[item.state]),
        "inside": item.state != bulk.REFUSED,
        "sets": sets if item.state != bulk.REFUSED else "",
        "why": item.why if head is None or head.ticket else "",
        "run": frame.run_url(item.run) if item.run else None,
    }
