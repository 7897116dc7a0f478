"""The sheet of a list in which its filter is saved as a tab: for the reader, for a team or role of theirs, or in the collection's draft."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Response, flash, request

from console import browse
from console.auth import accounts
from console.browse import list_views, saved_segments
from console.browse.list_views import ListView
from console.browse.saved_segments import SavedSegment
from console.core import filter_expressions
from console.core.documents.collections import Collection, free_id
from console.core.errors import ConsoleError, Invalid, Malformed
from console.sources import collections
from console.views import formats, frame, refusals

EVERYBODY = "everybody"


def address(collection: str, saved: SavedSegment) -> str:
    """Return where a saved segment opens: a list with its filter, which shows everybody what they may see of it."""
    return frame.collection_url(collection, **saved.query, saved=saved.id)


def opening(collection: Collection, kept: ListView, known: Sequence[SavedSegment]) -> str | None:
    """Return the address that the bare list leads to; None for the list itself."""
    who = frame.actor()
    if (first := list_views.first_segment(who, collection, kept)) is not None:
        return frame.collection_url(collection.id, segment=first)
    if not kept.segment:
        return None
    return next((address(collection.id, saved) for saved in known if saved.id == kept.segment), None)


def can_be_saved() -> bool:
    """Return whether the list has a filter or is searched."""
    return bool(request.args.get("filter") or request.args.get("q"))


def mend(known: Sequence[SavedSegment]) -> str:
    """Return how the saved segment of the address is mended where it asks for what is gone; empty where the address is of none."""
    chosen = _chosen(known)
    if chosen is None:
        return ""
    if not chosen.mine:
        return f"The tab “{chosen.label}” asks for it: whoever made the tab can change it."
    return f"Your tab “{chosen.label}” asks for it. Filter below by what stands in its place, then choose Segment, Save changes; or remove the tab there."


def offer(known: Sequence[SavedSegment]) -> str:
    """Return the words under which the sheet opens, empty where nothing is filtered."""
    if not can_be_saved():
        return ""
    chosen = _chosen(known)
    return "Segment" if chosen is not None and chosen.mine else "Save as segment"


def _chosen(known: Sequence[SavedSegment]) -> SavedSegment | None:
    return next((saved for saved in known if saved.id == request.args.get("saved")), None)


def sheet(
    collection: Collection,
    known: Sequence[SavedSegment],
    columns: Sequence[str],
    saving: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return what the sheet draws; `saving` is what was typed and refused. Few open it, so it is fetched when it is opened."""
    who, chosen = frame.actor(), _chosen(known)
    offered = [(audience, audience_words(audience)) for audience in saved_segments.audiences(who)]
    if collections.may_shape(who, collection.id):
        offered.append((EVERYBODY, f"Everybody who may see {collection.label}, once it is published"))
    mine = chosen if chosen is not None and chosen.mine else None
    typed = saving or {
        "label": mine.label if mine else "",
        "audience": mine.audience if mine else f"user:{who.id}",
    }
    wrong: ConsoleError | None = typed.get("wrong")
    return {
        "typed": {name: typed[name] for name in ("label", "audience")},
        "audiences": offered,
        "columns": ",".join(columns),
        "mine": mine is not None,
        "removable": bool(chosen and chosen.removable),
        "with_columns": bool(typed.get("with_columns") or (mine and mine.query.get("columns"))),
        "errors": refusals.reasons_by_field(wrong),
        "wrong": wrong.message if wrong else "",
        "action": frame.present_address(
            preview=None, after=None, before=None, start=None, count=None, saving=None
        ),
    }


def audience_words(audience: str) -> str:
    """Return for whom a tab is, in words of the reader."""
    kind, _, ident = audience.partition(":")
    match kind:
        case "team":
            return f"My team {next((team.name for team in accounts.teams() if team.id == ident), ident)}"
        case "role":
            return f"Everybody with my role {formats.role_words(ident)}"
    return "Me alone"


def send(collection: str, drawn: Callable[[Mapping[str, Any]], Response]) -> Response:
    """Save, change or remove what the sheet sent, and go to the tab; a refused sheet is drawn again with what was typed."""
    who, form, here = frame.actor(), request.form, request.args.get("saved")
    if form.get("do") == "remove" and here:
        saved_segments.remove(who, collection, here)
        flash("The tab is removed.")
        return frame.redirect_to(frame.collection_url(collection, segment=""))
    label, audience, with_columns = (
        form.get("label", "").strip(),
        form.get("audience", ""),
        "with_columns" in form,
    )
    query = {name: request.args.get(name) for name in ("segment", "filter", "q", "sort")}
    columns = [name for name in form.get("columns", "").split(",") if name] if with_columns else []
    try:
        if audience == EVERYBODY:
            return _into_draft(collection, label, query)
        changed = here if form.get("do") == "change" else None
        made = saved_segments.save(who, collection, label, audience, query | {"columns": columns}, changed)
    except (Invalid, Malformed) as wrong:
        return drawn({"label": label, "audience": audience, "with_columns": with_columns, "wrong": wrong})
    saved = next(saved for saved in saved_segments.saved_segments(who, collection) if saved.id == made)
    flash("Saved: it stands among the tabs.")
    return frame.redirect_to(address(collection, saved))


def _into_draft(collection: str, label: str, query: Mapping[str, str | None]) -> Response:
    """Add the filter to the collection's draft as a segment, and show the segments of the draft. Raises Invalid, Malformed, NotAllowed."""
    who = frame.actor()
    if not label:
        reason = "A segment needs a name: it is the text of its tab."
        raise Invalid(reason, at="label")
    editing = collections.open_collection(who, collection)
    document = editing.document.to_json()
    entries = document.setdefault("segments", [])
    entry = {"id": free_id(label, [one["id"] for one in entries]), "label": label}
    entries.append(entry | {"filter": _expression(collection, query, entries)})
    collections.save(who, collection, editing.draft.revision, document)
    flash("Added to the draft of the collection. It stands among everybody's tabs once it is published.")
    return frame.redirect_to(f"/settings/collections/{collection}/segments")


def _expression(collection: str, query: Mapping[str, str | None], entries: list[dict[str, Any]]) -> str:
    """Return the filter of the list, and that of the segment that it stands in, as one expression. Raises Malformed."""
    condition = str(query.get("filter") or "")
    base = next((entry for entry in entries if entry["id"] == query.get("segment")), None)
    if query.get("q") or not condition.startswith("{"):
        raise _unfit("A search cannot be a segment for everybody: take it away and use filters.")
    if query.get("segment") and (base is None or "filter" not in base):
        raise _unfit(
            "The segment that the list stands in cannot be joined with a filter: start from all records."
        )
    described, given = browse.filter_of(frame.actor(), collection, condition)
    text = filter_expressions.expression_of(given, described)
    return f"({base['filter']}) && {text}" if base else text


def _unfit(reason: str) -> Malformed:
    return Malformed(reason, at="audience")
