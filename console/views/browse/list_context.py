"""What stands around the records of a list: it does not depend on them, so it is worked out while their source looks for them."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from console import formats
from console.actions import hand_forms
from console.browse import list_export
from console.browse.list_views import ListView
from console.browse.saved_segments import SavedSegment
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.views import frame
from console.views.browse import board_links, chosen_records, list_filters, records, saved_segments
from console.views.browse.list_counts import list_address, tabs


def around_records(
    who: Actor,
    collection: Collection,
    described: Mapping[str, Any],
    kept: ListView,
    known: Sequence[SavedSegment],
) -> dict[str, Any]:
    """Return what stands around the records of the list of the address; `kinds` and `kept_widths` are for drawing its columns."""
    args, several, creates = (
        request.args,
        chosen_records.offered(who, collection),
        hand_forms.may_create(who, collection),
    )
    segment = next(
        (segment for segment in described["segments"] if segment["id"] == args.get("segment")), None
    )
    return several | {
        "kinds": {field["name"]: formats.kind(field, collection.key) for field in described["filtered"]},
        "kept_widths": kept.widths,
        "collection": collection,
        "segments": tabs(collection, described, kept, known),
        "saves": saved_segments.offer(known),
        "saving_href": frame.present_address(saving=1),
        "tabs_href": frame.present_address() if described["segments"] or known else None,
        "segment_label": segment["label"] if segment else "",
        "q": args.get("q", ""),
        "wider_href": _wider_address(collection, args),
        "searchable": any(
            field["type"] in ("text", "long_text", "email", "phone", "uuid", "enum")
            for field in described["fields"]
        ),
        "all_href": list_address(segment=""),
        "clear_href": list_address(filter=None, q=None),
        "clear_search_href": list_address(q=None, inside=None, extended=None),
        "facets": None,
        "kept": list_filters.kept_parameters("q", "after", "before", "start", "count", "inside", "preview"),
        "roomy": kept.roomy,
        "export_href": frame.with_query(f"/export{frame.collection_url(collection.id)}", _exported())
        if list_export.may_export(who, collection.id)
        else None,
        "new_href": records.new_url(collection.id) if creates else None,
        "import_href": f"/import{frame.collection_url(collection.id)}" if creates else None,
        "picking": "pick" in args,
        "inside_href": list_address(inside="1"),
        "facets_href": frame.present_address(),
        "pick_href": frame.present_address(pick=1),
        "syntax_href": frame.present_address(syntax=1),
        "view_href": frame.present_address(view="1"),
        "board_href": board_links.board_address(collection, described["fields"]),
        "kept_list": list_filters.kept_parameters(
            "after", "before", "start", "count", "columns", "add_field", "add_op", "add_value"
        ),
    }


def _exported() -> dict[str, Any]:
    """Return the parameters of the address that decide what is in the list."""
    return {
        name: request.args.getlist(name)
        for name in ("segment", "filter", "q", "sort", "columns", "extended", "inside")
        if request.args.get(name)
    }


def _wider_address(collection: Collection, args: Mapping[str, str]) -> str | None:
    """Return the address of the same search including related records; None if it includes them already or there are none."""
    refers = any(relation.kind == "to_one" for relation in collection.relations)
    return (
        list_address(extended="1")
        if args.get("q", "").strip() and args.get("extended") != "1" and refers
        else None
    )
