"""The right pane of a run: its record, related records, documents, context, activity, or the source of a proposed value."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import request

from console import activity, browse, documents, runs
from console.core.actor import Actor
from console.runs import RunView
from console.views import frame
from console.views.documents import files
from console.views.formats import Look
from console.views.runs import panes, sources

RELATED_ROWS = 5
MOST_RELATED = 8
TABS = {
    "documents": "Documents",
    "related": "Related",
    "context": "Context",
    "activity": "Activity",
    "ask": "Ask",
}
"""Tabs beside the record's own, by their names in addresses."""
OF_PANE = frozenset({"tab", "doc", "page", "zoom", "turn", "box", "loaded"})


def pane(
    view: RunView,
    actor: Actor,
    look: Look,
    tab: str,
    states_of: Mapping[str, str],
    first: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return what the right pane draws in this tab; `first` are the parameters of the document that opens with the step, unless another tab is asked for."""
    run_id = view.json["id"]
    first = first if first and not pane_query(run_id) and not request.args.get("source") else None
    tab = first["tab"] if first else tab
    screen = view.screen if (view.screen or {}).get("record") else _shown_between_steps(view, actor)
    record, look = (screen or {}).get("record"), frame.naming_of(screen or {}, look)
    quoted = _source_shown(view, actor, look, states_of)
    tab = tab or ("documents" if _checks_record(view.screen or {}) else "record")
    chosen = "source" if quoted and tab != "documents" else tab
    if chosen not in ((*TABS, "source") if record else ("documents", "context", "ask", "source")):
        chosen = "record" if record else "documents"
    if not record:
        return _without_record(view, actor, look, chosen, tab, first) | {"quoted": quoted}
    key, collection = record["key"], record["collection"]
    beside = documents_pane(view, actor, always=True, first=first) or {} if chosen == "documents" else {}
    tabs = _tabs(view, chosen)
    return beside | {
        "quoted": quoted,
        "known": sources.known_values(view, actor, look) if chosen == "context" else None,
        "pane": True,
        "record": record,
        "record_kind": view.collection_label,
        "record_number": panes.number_of(record),
        "context_tabs": tabs,
        "context_tab": chosen,
        "sections": panes.sections(record, look, state=states_of.get(collection))
        if chosen == "record"
        else [],
        "related": related(actor, view.json["id"], collection, key, look) if chosen == "related" else [],
        "activity": activity.on_record(actor, collection, key, limit=15).rows if chosen == "activity" else [],
    }


def pane_query(run_id: str) -> Mapping[str, str]:
    """Return the parameters of the pane in the address. If htmx replaces only the run, the tab of the open page is used."""
    query: Iterable[tuple[str, str]] = request.args.items()
    if "tab" not in request.args and frame.wants_fragment() and frame.htmx.target == "run":
        page = urlsplit(frame.htmx.current_url or "")
        query = (
            [pair for pair in parse_qsl(page.query) if pair[0] == "tab"]
            if page.path == frame.run_url(run_id)
            else ()
        )
    return {name: value for name, value in query if name in OF_PANE}


def _shown_between_steps(view: RunView, actor: Actor) -> Mapping[str, Any] | None:
    """Return the record as the holder last saw it, with its names and with what the run wrote since: between two steps there is no screen, and the pane keeps the record."""
    run = view.json
    if view.gone or run["ended_at"] or run["holder"] != actor.id:
        return None
    shown = runs.record_shown(run["id"], actor.id)
    record = shown.get("record")
    if not record:
        return shown
    values = dict(record.get("values") or {})
    for changes in view.written:
        values |= {
            name: each["new"]
            for name, each in changes.items()
            if name in values and values[name] == each.get("old")
        }
    return {**shown, "record": {**record, "values": values}}


def _tabs(view: RunView, chosen: str, names: Sequence[str] = ("record", *TABS)) -> list[dict[str, Any]]:
    words = {"record": "Record", **TABS}
    made = [(name, words[name], None if name == "record" else name) for name in names]
    return [
        {"label": label, "href": frame.run_url(view.json["id"], tab=to), "here": chosen == name}
        for name, label, to in made
    ]


def _without_record(
    view: RunView, actor: Actor, look: Look, chosen: str, tab: str, first: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the right pane of a run without a record: its documents if there are any, its context, a source."""
    shown = (
        documents_pane(view, actor, always=tab == "documents", first=first) if chosen == "documents" else None
    )
    chosen = "context" if shown is None and chosen == "documents" and view.json["context"] else chosen
    tabs = _tabs(view, chosen, ("documents", "context", "ask")) if view.json["context"] else []
    common = {
        "record": None,
        "context_tabs": tabs,
        "context_tab": chosen,
        "sections": [],
        "pane": shown is not None or bool(tabs),
    }
    return (
        common
        | (shown or {})
        | {"known": sources.known_values(view, actor, look) if chosen == "context" else None}
    )


def _source_shown(
    view: RunView, actor: Actor, look: Look, states_of: Mapping[str, str]
) -> sources.Quoted | None:
    """Return the source that the address names; that it was opened is logged."""
    source = sources.source_asked_for(view, request.args, actor.id)
    if source is None:
        return None
    if not source[0].get("document"):  # opening a page of a document is logged where it is rendered
        sources.log_opened(actor, view, source[0])
    return sources.quoted(view, actor, look, *source, states_of)


def documents_pane(
    view: RunView, actor: Actor, *, always: bool, first: Mapping[str, str] | None = None
) -> dict[str, Any] | None:
    """Return the documents of a run and the open one, `first` where the address names none; None if there are none, unless `always`."""
    run = view.json
    listed = (
        documents.documents_of_run(actor, run["id"], run["collection"], run["record"])
        if always or files.has_documents(run["id"])
        else []
    )
    if not listed and not always:
        return None
    open_ = pane_query(run["id"]) or first or {}
    ref = open_.get("doc") or (None if "beside" in request.args else _of_item(view, listed))
    shown = None
    if ref:
        document, pages, why = files.open_document(ref)
        document = next((item for item in listed if item.ref == ref), document)

        def to(**changed: Any) -> str:
            query = (
                {"item": request.args.get("item")}
                | {name: open_.get(name) for name in ("page", "zoom", "turn", "box")}
                | changed
            )
            return frame.run_url(run["id"], tab="documents", doc=ref, **query)

        shown = files.viewer(document, pages, why, to, run["id"], open_)
    item = request.args.get("item")
    return {
        "listed": [
            (document, frame.run_url(run["id"], tab="documents", doc=document.ref, item=item))
            for document in listed
        ],
        "shown": shown,
        "open_document": ref or request.args.get("beside"),
        "listed_url": frame.run_url(run["id"], tab="documents", beside=ref, item=item),
    }


def _checks_record(screen: Mapping[str, Any]) -> bool:
    """Return whether the step goes through records whose documents it checks: then these open beside it by themselves."""
    return bool(screen.get("checks") and _item(screen).get("collection"))


def _item(screen: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the table of the list's present item; empty where there is none."""
    return (screen.get("progress") or {}).get("item") or {}


def _of_item(view: RunView, listed: Sequence[documents.Document]) -> str | None:
    """Return the document of the list's present item, where the step checks documents and it can be opened."""
    screen = view.screen or {}
    if not _checks_record(screen):
        return None
    here = (_item(screen)["collection"], screen["progress"]["key"])
    return next(
        (each.ref for each in listed if (each.collection, each.record) == here and not each.why_not), None
    )


def related(actor: Actor, run_id: str, collection: str, key: str, look: Look) -> list[panes.Table]:
    """Return the first records of each to-many relation that the reader may follow."""
    relations = [
        relation
        for relation in browse.describe(actor, collection)["relations"]
        if relation["kind"] == "to_many"
    ]
    runs.source_opened(actor, run_id, source="related", collection=collection, key=key)
    return [
        panes.related(browse.related(actor, collection, key, each["name"], RELATED_ROWS), look)
        for each in relations[:MOST_RELATED]
    ]
