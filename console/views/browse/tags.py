"""Tags of a record, beside its summary, and of the records that are ticked in a list."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, request

from console import browse
from console.actions import bulk, many_changes, many_tags
from console.browse import BrowseQuery, tags
from console.core.actor import Actor
from console.core.errors import Invalid
from console.core.tag_names import clean
from console.views import frame
from console.views.browse import chosen_records, list_tags, lists, records
from console.views.runs import workspace_return

blueprint = Blueprint("tags", __name__)
SHOWN = 50
"""What the list was narrowed by that the way back leads to."""


@blueprint.route("/c/<collection>/<part>/tags", methods=["GET", "POST"])
def on_record(collection: str, part: str) -> Response:
    """Show the tags of a record; a POST puts one there, or takes away the one that `remove` names."""
    key, who = frame.key_of(part), frame.actor()
    if request.method != "POST":
        return _page(collection, key)
    gone, typed = request.form.get("remove", ""), request.form.get("tag", "")
    try:
        (tags.take_away if gone else tags.put)(who, collection, [key], gone or typed)
    except Invalid as wrong:
        return _page(collection, key, typed=typed, wrong=str(wrong.details[0]["reason"]), status=422)
    if frame.wants_fragment():
        return _page(collection, key)
    return frame.redirect_to(frame.record_url(collection, key) + "#tags")


@blueprint.route("/tags/of/<collection>", methods=["GET", "POST"])
def of_several(collection: str) -> Response:
    """Ask which tag is put on the ticked records or taken away; a POST does it and goes back to the list."""
    who, form = frame.actor(), request.values
    described = browse.describe(who, collection)
    query = chosen_records.list_query(form)
    typed, way = request.form.get("tag", ""), form.get("way", "put")
    keys, whole = chosen_records.keys(who, form), query if form.get("all") else None
    try:
        items = bulk.picked(who, collection, keys, whole, tags.MOST_AT_ONCE, "Tagging")
    except bulk.TooManyChosen:
        return _many(who, described, keys, whole, typed, way)
    except Invalid as wrong:
        return _several(who, described, [], wrong=wrong.message, status=422)
    if request.method != "POST":
        return _several(who, described, items)
    try:
        done = (tags.take_away if way == "take" else tags.put)(
            who, collection, [item.key for item in items], typed
        )
    except Invalid as wrong:
        return _several(who, described, items, typed=typed, wrong=str(wrong.details[0]["reason"]), status=422)
    return _several(who, described, items, typed=typed, done=done)


def _many(
    who: Actor,
    described: dict[str, Any],
    keys: Sequence[str],
    whole: BrowseQuery | None,
    typed: str,
    way: str,
) -> Response:
    """Ask which tag more records get than are tagged at once; a POST has a worker look at each of them, and tags none yet."""
    if request.method != "POST":
        return _several(who, described, [], later=True)
    tags.require(who, described["id"])
    deed = many_changes.ManyChanges(many_changes.TAKE_TAG if way == "take" else many_changes.PUT_TAG)
    try:
        bulk_id = bulk.look(who, described["id"], deed, keys, whole, {many_tags.TAG: clean(typed)})
    except Invalid as wrong:
        return _several(
            who, described, [], typed=typed, wrong=str(wrong.details[0]["reason"]), status=422, later=True
        )
    workspace_return.note_start(bulk_id)
    return frame.redirect_to(f"/bulk/{bulk_id}")


def _several(
    who: Actor, described: dict[str, Any], items: list[bulk.Item], status: int = 200, **more: Any
) -> Response:
    collection = described["id"]
    kept = chosen_records.choice_fields(request.values)
    way = chosen_records.return_url(collection, described["label"])
    context = way | {
        "collection": described,
        "items": [(item.title, frame.record_url(collection, item.key)) for item in items[:SHOWN]],
        "number": len(items),
        "keys": []
        if request.values.get("all") or request.values.get("again")
        else chosen_records.keys(who, request.values),
        "kept": [*kept, *way["kept_from"]],
        "offered": tags.offered(who, collection),
        "way": request.values.get("way", "put"),
        "typed": "",
        "wrong": "",
        "done": None,
        "later": False,
        "whole": bool(request.values.get("all")),
        "again": bool(request.values.get("again")),
        "among": lists.listed_words(browse.browsed_collection(who, collection)[0], described)
        if request.values.get("all")
        else "",
        "most": f"{many_changes.MOST:,}",
        "url": f"/tags/of/{frame.segment(collection)}",
    }
    return frame.page("records/tags_of.html", context | more, status=status)


def _page(collection: str, key: str, *, typed: str = "", wrong: str = "", status: int = 200) -> Response:
    who = frame.actor()
    found, (here, _) = tags.tags_of(who, collection, key), browse.browsed_collection(who, collection)
    context: dict[str, Any] = (
        {} if frame.wants_fragment() else records.record_context(browse.record(who, collection, key))
    )
    may = tags.may_tag(who, collection)
    context |= {
        "offered": [name for name in tags.offered(who, collection) if name not in {tag.name for tag in found}]
        if may
        else [],
        "may_tag": may,
        "action": frame.record_url(collection, key) + "/tags",
        "typed": typed,
        "wrong": wrong,
        "shown": [(tag, list_tags.address(here, tag.name)) for tag in found],
    }
    return frame.page("records/tags.html", context, blocks={"*": "tags"}, status=status)
