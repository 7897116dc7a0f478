"""`/settings/collections/<collection>/segments`: saved filters of a list, made of conditions, of an expression or of a SELECT, in order."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from console.core.documents.collections import Field as CollectionField, condition_rows, free_id
from console.core.errors import ConsoleError, Invalid, NotFound
from console.records import hooks
from console.sources import collections
from console.sources.collections import Editing
from console.views import formats, frame
from console.views.forms import Button, Field, Group
from console.views.settings import collection_frame
from console.views.workspaces import condition_lines

blueprint = Blueprint("collection_segments", __name__, url_prefix="/settings/collections/<collection>")
KINDS = (("conditions", "Conditions"), ("filter", "An expression"), ("sql", "A SELECT"))
ROWS = "rows"
"""The boxes of the conditions begin so."""
READER = {
    "Of whoever looks": [
        ("$currentUser.email", "E-mail address"),
        ("$currentUser.name", "Name"),
        ("$currentUser.id", "Id"),
    ]
}
CAP = 10_000
FILTER_HINT = "Over record, $currentUser and now, for instance record.amount > 100 && record.owner == $currentUser.email."
SQL_HINT = (
    "One SELECT that gives {columns} of the records, over tables of this data source. Whoever opens it sees what their own rights show of "
    "these tables; it only reads, and is stopped when it takes too long. Now, as in current_date, is what the clocks of the data source show."
)


@blueprint.route("/segments", methods=["GET", "POST"])
def show(collection: str) -> Response:
    """Show the segments in the order of their tabs; a POST saves another order."""
    editing = collection_frame.editing_of(collection)
    if request.method != "POST":
        return _list(editing)
    document = editing.document.to_json()
    known = {entry["id"]: entry for entry in document.get("segments", ())}
    order = [
        name
        for name in dict.fromkeys(entry.removeprefix("f:") for entry in request.form.getlist("segment"))
        if name in known
    ]
    order = _moved([*order, *(name for name in known if name not in order)], request.form.get("do", ""))
    document["segments"] = [known[name] for name in order]
    return collection_frame.save(
        editing, document, lambda wrong: _list(editing, wrong), f"{collection_frame.url(collection)}/segments"
    )


@blueprint.route("/new-segment", methods=["GET", "POST"])
def new(collection: str) -> Response:
    """Show the form of a new segment; a POST adds it to the draft."""
    return _edit(collection, None)


@blueprint.route("/segments/<segment>", methods=["GET", "POST"])
def edit(collection: str, segment: str) -> Response:
    """Show the form of a segment; a POST saves it, tries it, removes it, or draws the form with another row."""
    return _edit(collection, segment)


def _edit(collection: str, segment: str | None) -> Response:
    editing = collection_frame.editing_of(collection)
    document = editing.document.to_json()
    entries: list[dict[str, Any]] = document.setdefault("segments", [])
    known = next((entry for entry in entries if entry["id"] == segment), None)
    if segment is not None and known is None:
        raise NotFound
    if request.method != "POST":
        return _form(editing, segment, _stored(known, _fields(editing)))
    sent, do = _sent(_fields(editing)), request.form.get("do", "")
    back = f"{collection_frame.url(collection)}/segments"
    if do == "remove" and known is not None:
        entries.remove(known)
        return collection_frame.save(
            editing, document, lambda wrong: _form(editing, segment, sent, wrong), back
        )
    if do and do != "try":
        return _form(editing, segment, sent)
    try:
        entry = _entry(sent, segment or free_id(sent["label"], [one["id"] for one in entries]), editing)
        if do == "try":
            return _form(editing, segment, sent, found=_try_segment(editing, entry))
    except ConsoleError as wrong:
        return _form(editing, segment, sent, wrong)
    if known is None:
        entries.append(entry)
    else:
        if sorted(entry.get("roles", ())) == sorted(known.get("roles", ())) != []:
            entry["roles"] = known["roles"]  # in their order, which the form does not know
        entries[entries.index(known)] = entry
    return collection_frame.save(editing, document, lambda wrong: _form(editing, segment, sent, wrong), back)


def _moved(order: list[str], do: str) -> list[str]:
    """Return the order with one segment moved by a button: `up:f:vip`."""
    way, _, name = do.partition(":f:")
    if name not in order or way not in ("up", "down"):
        return order
    at = order.index(name)
    order.remove(name)
    order.insert(max(0, at + (-1 if way == "up" else 1)), name)
    return order


# -- the form


def _stored(entry: Mapping[str, Any] | None, fields: Mapping[str, CollectionField]) -> dict[str, Any]:
    """Return the form of a stored segment, or of a new one."""
    entry = entry or {"label": "", "filter": ""}
    plain = entry.get("filter") == "" or (
        "filter" in entry and condition_rows.rows_of(entry["filter"], fields=fields) is not None
    )
    return {
        "label": entry["label"],
        "kind": "sql" if "sql" in entry else "conditions" if plain else "filter",
        "conditions": entry.get("filter", "") if plain else "",
        "filter": entry.get("filter", ""),
        "sql": entry.get("sql", ""),
        "sort": entry.get("sort", ""),
        "roles": entry.get("roles", []),
        "enabled": entry.get("enabled", True),
    }


def _sent(fields: Mapping[str, CollectionField]) -> dict[str, Any]:
    form = request.form
    kind = form.get("kind", "")
    return {
        "label": form.get("label", "").strip(),
        "kind": kind if kind in dict(KINDS) else "conditions",
        "conditions": condition_lines.read_joined(ROWS, form, fields, ""),
        "filter": form.get("filter", "").strip(),
        "sql": form.get("sql", "").replace("\r\n", "\n").strip(),
        "sort": form.get("sort", ""),
        "roles": form.getlist("roles"),
        "enabled": "enabled" in form,
    }


def _entry(sent: Mapping[str, Any], ident: str, editing: Editing) -> dict[str, Any]:
    """Return the segment for the document. Raises Invalid, whose details name the fields of the form."""
    made: dict[str, Any] = {"id": ident, "label": sent["label"]}
    details = (
        []
        if sent["label"]
        else [{"field": "label", "reason": "A segment needs a name: it is the text of its tab."}]
    )
    match sent["kind"]:
        case "sql":
            made["sql"] = sent["sql"]
            details += [] if sent["sql"] else [{"field": "sql", "reason": "Write the SELECT."}]
        case "filter":
            made["filter"] = sent["filter"]
            details += [] if sent["filter"] else [{"field": "filter", "reason": "Write the expression."}]
        case _:
            made["filter"], wrong = (
                sent["conditions"],
                condition_lines.wrong_rows(ROWS, request.form, _fields(editing)),
            )
            details += [{"field": ROWS, "reason": reason} for reason in wrong]
            details += (
                []
                if wrong or sent["conditions"]
                else [{"field": "conditions", "reason": "Choose a field, or nothing would be left out."}]
            )
    if details:
        raise Invalid(details[0]["reason"], details=details)
    made |= {name: sent[name] for name in ("sort", "roles") if sent[name]}
    return made if sent["enabled"] else made | {"enabled": False}


def _try_segment(editing: Editing, entry: Mapping[str, Any]) -> str:
    """Return what the segment finds, in a sentence."""
    found = collections.find(
        frame.actor(),
        editing.becoming,
        text=entry.get("filter"),
        sql=entry.get("sql"),
        sort=entry.get("sort"),
    )
    if not found.total:
        return "It finds no record that you may see."
    many = (
        "more than 10,000 records"
        if found.total > CAP
        else f"{found.total:,} {'record' if found.total == 1 else 'records'}"
    )
    first = (
        f": {', '.join(found.titles)}{', …' if found.total > len(found.titles) else ''}"
        if found.titles
        else ". Showing the first of them takes too long"
    )
    return f"It finds {many} that you may see{first}."


def _fields(editing: Editing) -> dict[str, CollectionField]:
    return {item.name: item for item in editing.becoming.stored_fields if condition_rows.conditional(item)}


# -- what the pages draw


def _list(editing: Editing, wrong: ConsoleError | None = None) -> Response:
    entries = editing.document.to_json().get("segments", ())
    fields = condition_lines.with_names(
        _fields(editing), [entry["filter"] for entry in entries if "filter" in entry]
    )
    lines = [_line(entry, fields) for entry in entries]
    states = hooks.states()
    coded = [
        {
            "label": hook.label or hook.name,
            "place": f"{hook.file}:{hook.line}",
            "error": states[hook.key].error,
        }
        for hook in hooks.hooks_of("segment", editing.collection.id)
    ]
    return collection_frame.page(
        "collection_segments.html", editing, {"segments": lines, "coded": coded}, wrong, heading="Segments"
    )


def _line(entry: Mapping[str, Any], fields: Mapping[str, CollectionField]) -> dict[str, Any]:
    found = condition_rows.rows_of(entry["filter"], fields=fields) if "filter" in entry else None
    words = (
        condition_rows.sentence(entry["filter"], fields)
        if "filter" in entry
        else " ".join(entry["sql"].split())
    )
    return {
        "id": entry["id"],
        "label": entry["label"],
        "kind": "Conditions" if found else "Expression" if "filter" in entry else "SELECT",
        "words": words,
        "plain": bool(found),
        "enabled": entry.get("enabled", True),
        "roles": [formats.role_words(role) for role in entry.get("roles", ())],
    }


def _form(
    editing: Editing,
    segment: str | None,
    sent: Mapping[str, Any],
    wrong: ConsoleError | None = None,
    *,
    found: str = "",
) -> Response:
    fields = _fields(editing)
    form: MultiDict[str, str] | None = request.form if request.method == "POST" else None
    if form is None and not sent["conditions"]:
        form = MultiDict({f"{ROWS}.0.field": ""})
    rows = condition_lines.condition_box(
        ROWS, sent["conditions"], {"": fields}, form, READER, refused=wrong is not None
    )
    drawn_rows = Markup(frame.render("settings/segment_conditions.html", {"rows": rows, "name": ROWS}))  # noqa: S704 (a template of ours)
    key = editing.becoming.key
    columns = f"{'the column' if len(key) == 1 else 'the columns'} {', '.join(key)}"
    title, back = sent["label"] or "New segment", f"{collection_frame.url(editing.collection.id)}/segments"
    roles = [(role, formats.role_words(role)) for role in collections.roles()]
    items = [
        Group(
            [Field("label", "Name", max_length=200), Field("kind", "Made of", "radios", choices=KINDS)],
            kind="card pad form",
        ),
        Group([drawn_rows], kind="card pad form kind-conditions"),
        Group(
            [Field("filter", "Expression", "area", FILTER_HINT, css="mono")], kind="card pad form kind-filter"
        ),
        Group(
            [Field("sql", "SELECT", "area", SQL_HINT.format(columns=columns), rows=7, css="mono")],
            kind="card pad form kind-sql",
        ),
        Group(
            [
                Field(
                    "sort",
                    "Order",
                    "select",
                    choices=[("", "As the list"), *collection_frame.orders(editing)],
                ),
                Field("enabled", "Offered as a tab of the list", "check", sent="yes"),
                Field("roles", "The list opens with it for", "checks", choices=roles),
            ],
            kind="card pad form",
        ),
    ]
    declared = collection_frame.form(
        editing,
        items,
        sent,
        wrong,
        cancel=back,
        buttons=[
            *([Button("Remove", "remove", "trash", "danger")] if segment else []),
            Button("Try it", "try", "player-play"),
        ],
        css="form field-form segment-form",
        more={"id": "collection", "data-plain": ""},
    )
    return collection_frame.page(
        "collection_segment.html",
        editing,
        {"form": declared, "found": found},
        wrong,
        heading=title,
        trail=[(back, "Segments")],
    )
