"""`/settings/collections/<collection>/relations`: ways to records of other collections, found by foreign keys or said here."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, request

from console import records as real_records
from console.core.documents.collections import Collection, Relation
from console.core.errors import ConsoleError, Invalid, NotFound
from console.core.plain_words import slug
from console.sources.collections import Editing
from console.views.forms import Button, Cell, Field, Form, Group, Item, Table
from console.views.settings import collection_frame

blueprint = Blueprint("collection_relations", __name__, url_prefix="/settings/collections/<collection>")
KINDS = {"to_one": "one record", "to_many": "many records"}


@blueprint.get("/relations")
def show(collection: str) -> Response:
    """Show every relation: those from foreign keys, and those that the draft says."""
    editing = collection_frame.editing_of(collection)
    every = {item.id: item for item in real_records.collections()}
    said = {entry.name for entry in editing.document.relations}
    lines = [
        _cells(editing, item, every.get(item.collection), item.name in said)
        for item in editing.becoming.relations
    ]
    drawn = {item.name for item in editing.becoming.relations}
    context = {
        "relations": Table("Relations", ("Relation", "Leads to", "By", "From"), lines),
        "lost": [entry for entry in editing.document.relations if entry.name not in drawn],
    }
    return collection_frame.page("collection_relations.html", editing, context, heading="Relations")


def _cells(editing: Editing, item: Relation, target: Collection | None, said: bool) -> tuple[Any, ...]:
    here = f"{collection_frame.url(editing.collection.id)}/relations/{quote(item.name, safe='')}"
    source = target.source if target and target.source != editing.becoming.source else ""
    return (
        Cell(item.label, here),
        Cell(f"{KINDS[item.kind]} of {target.label if target else item.collection}", note=source),
        _by_words(editing.becoming, target, item),
        "Said here" if said else "Foreign key",
    )


@blueprint.route("/new-relation", methods=["GET", "POST"])
def new(collection: str) -> Response:
    """Show the form of a new relation, first the collection that it leads to (`?with=`); a POST adds it to the draft."""
    editing = collection_frame.editing_of(collection)
    return _edit(editing, None, request.values.get("with", ""))


@blueprint.route("/relations/<name>", methods=["GET", "POST"])
def edit(collection: str, name: str) -> Response:
    """Show the form of a relation; a POST saves it in the draft or removes what the draft says of it."""
    editing = collection_frame.editing_of(collection)
    found = editing.becoming.relation(name)
    if found is None:
        raise NotFound
    return _edit(editing, found, found.collection)


def _edit(editing: Editing, found: Relation | None, target_id: str) -> Response:
    every = {item.id: item for item in real_records.collections()}
    target = every.get(target_id)
    said = next(
        (
            entry.model_dump(mode="json", exclude_none=True)
            for entry in editing.document.relations
            if found and entry.name == found.name
        ),
        None,
    )
    drawn = said or (_of_found(found) if found else {"label": "", "kind": "to_many", "via": "", "to": ""})
    if request.method != "POST" or target is None:
        return _form(editing, found, target, drawn, said=said is not None)
    document = editing.document.to_json()
    relations: list[dict[str, Any]] = [
        entry for entry in document.get("relations", ()) if not found or entry["name"] != found.name
    ]
    back = f"{collection_frame.url(editing.collection.id)}/relations"
    kind = "to_one" if request.form.get("kind") == "to_one" else "to_many"
    sent: dict[str, Any] = {"kind": kind, "label": request.form.get("label", "").strip()}
    sent |= {name: request.form.get(f"{name}.{kind}", "") for name in ("via", "to")}
    if isinstance(drawn.get("via"), list):  # several columns: what leads where is left as it is
        sent |= {"via": drawn["via"], "to": drawn.get("to", ""), "kind": drawn["kind"]}

    def again(wrong: ConsoleError) -> Response:
        return _form(editing, found, target, sent, wrong, said=said is not None)

    if request.form.get("do") == "remove" and said is not None:
        document["relations"] = relations
        return collection_frame.save(editing, document, again, back)
    if not sent["via"]:
        return again(Invalid("Choose the column that leads there.", at="via"))
    taken = {item.name for item in editing.becoming.relations} - {found.name if found else ""}
    made = {
        "name": found.name if found else _free(sent["label"] or target.table, taken),
        "collection": target.id,
        "kind": sent["kind"],
        "via": sent["via"],
    }
    made |= {name: sent[name] for name in ("label", "to") if sent[name]}
    document["relations"] = [*relations, made]
    return collection_frame.save(editing, document, again, back)


def _of_found(found: Relation) -> dict[str, Any]:
    """Return what a document would say of a relation from a foreign key."""
    here, there = [pair[0] for pair in found.columns], [pair[1] for pair in found.columns]
    via, to = (here, there) if found.kind == "to_one" else (there, here)
    return {
        "label": found.label,
        "kind": found.kind,
        "via": via[0] if len(via) == 1 else via,
        "to": to[0] if len(to) == 1 else to,
    }


def _by_words(own: Collection, target: Collection | None, relation: Relation) -> str:
    """Return the columns that lead there: "Customer → Customer no"."""
    theirs = collection_frame.labels_of(target) if target else {}
    ours = collection_frame.labels_of(own)
    return ", ".join(
        f"{ours.get(here, here)} → {theirs.get(there, there)}" for here, there in relation.columns
    )


def _free(label: str, taken: set[str]) -> str:
    plain = slug(label, "_")[:50] or "relation"
    plain = plain if plain[:1].isalpha() else f"relation_{plain}"
    return next(
        name for name in (plain, *(f"{plain}_{number}" for number in range(2, 300))) if name not in taken
    )


def _form(
    editing: Editing,
    found: Relation | None,
    target: Collection | None,
    drawn: Mapping[str, Any],
    wrong: ConsoleError | None = None,
    *,
    said: bool = False,
) -> Response:
    own, back = editing.becoming, f"{collection_frame.url(editing.collection.id)}/relations"
    if target is None:
        leads = Field("with", "Leads to records of", "select", choices=collection_frame.targets(own))
        form = Form([leads], submit="Continue", method="get", cancel=back, css="form card pad field-form")
    else:
        items: list[Item] = [
            Field("with", kind="hidden"),
            Field("label", "Name", placeholder=target.label, max_length=200),
        ]
        if isinstance(drawn.get("via"), list):
            items.append(Group([], "Leads by", "fieldset", _by_words(own, target, found) if found else ""))
        else:
            items += _column_items(own, target)
        kind = drawn["kind"]
        values = {"with": target.id, "label": drawn.get("label"), "kind": kind}
        values |= {f"{name}.{kind}": drawn.get(name) for name in ("via", "to")}
        form = collection_frame.form(
            editing,
            [Group(items, kind="card pad form")],
            values,
            wrong,
            cancel=back,
            buttons=[Button("Remove", "remove", "trash", "danger")] if said else [],
            css="form field-form relation-form",
        )
    title = found.label if found else "New relation"
    return collection_frame.page(
        "collection_form.html", editing, {"form": form}, wrong, heading=title, trail=[(back, "Relations")]
    )


def _column_items(own: Collection, target: Collection) -> list[Item]:
    """Return which way the relation leads, and for each way its columns."""
    here, there = (
        [(item.name, item.label) for item in each.stored_fields if not item.hidden] for each in (own, target)
    )
    ways = (
        ("to_one", f"one record of {target.label}: a column here names it"),
        ("to_many", f"many records of {target.label}: a column there names this one"),
    )
    items: list[Item] = [Field("kind", f"From {own.label_one} it leads to", "radios", choices=ways)]
    for kind, where, source, leads, named in (
        ("to_one", "here", here, there, target),
        ("to_many", "there", there, here, own),
    ):
        columns = [
            Field(f"via.{kind}", f"Column {where}", "select", choices=[("", "Choose a column"), *source]),
            Field(f"to.{kind}", f"holds, of {named.label_one}", "select", choices=[("", "the key"), *leads]),
        ]
        items.append(Group(columns, kind=f"pair kind-{kind}"))
    return items
