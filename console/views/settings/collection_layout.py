"""`/settings/collections/<collection>/layout/<part>`: what stands where, arranged by dragging, by keyboard or by buttons.

A part is one list of fields (columns, details, forms), or the summary with its groups and related lists. The form sends its arrangement in the
order of the page, and is drawn again for each button, so that nothing counts before it is saved.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Blueprint, Response, make_response, request
from werkzeug.datastructures import MultiDict

from console import records as real_records
from console.core.documents.collections import Collection
from console.core.documents.collections.document_merge import compare
from console.core.errors import ConsoleError, Invalid, NotFound
from console.sources import collections
from console.sources.collections import Editing
from console.views import formats, frame
from console.views.settings import collection_frame

blueprint = Blueprint("collection_layout", __name__, url_prefix="/settings/collections/<collection>/layout")
FIELDS, RELATED, REST = "place", "related", "rest"
MOST_COLUMNS_OFFERED = 60
MANY = 20
"""Of more fields the page has a box to find one."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the layout: its key in the document, what it is called, and what its preview shows."""

    name: str
    key: str
    title: str
    hint: str
    shown: str
    rest: str
    preview: tuple[str, ...]


PARTS = {
    part.name: part
    for part in (
        Part(
            "list",
            "columns",
            "List",
            "Columns of the list, the first one at the left.",
            "Columns",
            "Not in the list",
            ("list",),
        ),
        Part(
            "summary",
            "summary",
            "Summary",
            "Groups of the first page of a record, and the lists beside them.",
            "",
            "Not in the summary",
            ("summary",),
        ),
        Part(
            "details",
            "details",
            "Details",
            "Fields that the page of a record shows.",
            "Fields",
            "Not in the details",
            ("summary",),
        ),
        Part(
            "new",
            "new",
            "New record",
            "Fields of the form of a new record.",
            "Fields of the form",
            "Not asked for",
            ("new",),
        ),
        Part(
            "edit",
            "form",
            "Changing",
            "Fields that can be changed on a record’s page.",
            "Fields of the form",
            "Not changed here",
            ("edit",),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Item:
    """Something that can be put into a group. `columns` are offered for a related list: name, label, whether it is chosen."""

    name: str
    label: str
    kind: str
    columns: tuple[tuple[str, str, bool], ...] = ()
    needed: bool = False
    must: bool = False
    default: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A group of an area. The last one, `rest`, holds what stands nowhere; `named` groups have a heading that can be changed."""

    id: str
    label: str
    items: tuple[Item, ...] = ()
    named: bool = False


@dataclass(frozen=True, slots=True)
class Area:
    """Groups between which items of one kind can be moved."""

    name: str
    title: str
    groups: tuple[Group, ...] = field(default=())


@blueprint.route("/<part>", methods=["GET", "POST"])
def arrange(collection: str, part: str) -> Response:
    """Show a part of the layout; a POST saves it, draws its preview, or draws the form after a button that moves, adds or removes."""
    if part not in PARTS:
        raise NotFound
    editing, which = collection_frame.editing_of(collection), PARTS[part]
    areas = _areas(editing, which)
    if request.method != "POST":
        return _page(editing, which, areas)
    areas = tuple(_sent(each, request.form) for each in areas)
    do = request.form.get("do", "")
    if do == "preview" and frame.wants_fragment():
        return _preview(editing, which, areas)
    if do:
        areas = tuple(_done(each, do) for each in areas)
        return _page(editing, which, areas)
    if wrong := _unfinished(areas):
        return _page(editing, which, areas, wrong)
    then = f"{collection_frame.url(collection)}/layout/{part}"
    return collection_frame.save(
        editing, _document(editing, which, areas), lambda wrong: _page(editing, which, areas, wrong), then
    )


# -- what the arrangement is


def _areas(editing: Editing, part: Part) -> tuple[Area, ...]:
    """Return the arrangement as the draft has it."""
    becoming, items = editing.becoming, _items(editing, part)
    if part.key != "summary":
        named = _named(editing, part)
        groups = (
            Group("0", part.shown, _named_items(items, named)),
            Group(REST, part.rest, _named_items(items, [name for name in items if name not in named])),
        )
        return (Area(FIELDS, part.title, groups),)
    sections = becoming.summary.get("sections", ())
    placed = {name for section in sections for name in section["fields"]}
    parts = tuple(
        Group(str(number), section["label"], _named_items(items, section["fields"]), named=True)
        for number, section in enumerate(sections)
    )
    rest = Group(REST, part.rest, _named_items(items, [name for name in items if name not in placed]))
    lists = _related(editing)
    shown = [entry["relation"] for entry in becoming.summary.get("related", ()) if entry["relation"] in lists]
    return (
        Area(FIELDS, "Groups", (*parts, rest)),
        Area(
            RELATED,
            "Related lists",
            (
                Group("0", "Shown", _named_items(lists, shown)),
                Group(REST, "Not shown", _named_items(lists, [name for name in lists if name not in shown])),
            ),
        ),
    )


def _named(editing: Editing, part: Part) -> list[str]:
    becoming = editing.becoming
    match part.name:
        case "list":
            return list(becoming.columns)
        case "new" | "edit":
            return [item.name for item in collection_frame.form_fields(becoming, new=part.name == "new")]
    return list(becoming.details) if becoming.details is not None else [item.name for item in becoming.fields]


def _items(editing: Editing, part: Part) -> dict[str, Item]:
    becoming, said = editing.becoming, editing.document.fields
    able = [
        item
        for item in becoming.fields
        if (part.name != "list" or item.type != "binary")
        and (
            part.name not in ("new", "edit")
            or (
                item.computed is None
                and collection_frame.offered_in_form(becoming, item, new=part.name == "new")
            )
        )
    ]
    filled = _filled(becoming) if part.name == "new" else {}
    return {
        item.name: Item(
            item.name,
            item.label,
            "Computed" if item.computed is not None else formats.TYPE_WORDS[item.type],
            needed=item.required or (item.needed and item.name not in filled),
            must=not (item.nullable or item.name in filled),
            default=(said[item.name].default or "") if item.name in said else "",
        )
        for item in able
    }


def _filled(collection: Collection) -> Mapping[str, str]:
    """Return the fields that the database fills in by itself; none while it cannot be asked."""
    try:
        return real_records.filled_by_database(collection)
    except ConsoleError:
        return {}


def _related(editing: Editing) -> dict[str, Item]:
    """Return the relations to many records, with the columns that their lists may show."""
    said = {
        entry["relation"]: entry.get("columns") or () for entry in editing.becoming.summary.get("related", ())
    }
    every = {item.id: item for item in real_records.collections()}
    made = {}
    for relation in editing.becoming.relations:
        target = every.get(relation.collection)
        if target is None:
            continue
        chosen = said.get(relation.name, ())
        names = [*chosen, *(item.name for item in target.fields if item.name not in chosen)][
            :MOST_COLUMNS_OFFERED
        ]
        labels = {item.name: item.label for item in target.fields}
        columns = tuple((name, labels[name], name in chosen) for name in names if name in labels)
        made[relation.name] = Item(
            relation.name, relation.label, f"{target.label}, {relation.kind.replace('_', ' ')}", columns
        )
    return made


def _named_items(items: Mapping[str, Item], names: Iterable[str]) -> tuple[Item, ...]:
    return tuple(items[name] for name in names if name in items)


# -- what the form sends


def _sent(area_drawn: Area, form: MultiDict[str, str]) -> Area:
    """Return the area as the form has it: `g:<group>` begins a group, `f:<name>` puts an item there. What is not sent stays in the rest."""
    known = {item.name: _typed(item, area_drawn, form) for group in area_drawn.groups for item in group.items}
    drawn = {group.id: group for group in area_drawn.groups}
    made: dict[str, list[Item]] = {}
    at = REST
    for entry in form.getlist(area_drawn.name):
        kind, _, name = entry.partition(":")
        if kind == "g":
            at = name
            made.setdefault(at, [])
        elif name in known:
            made.setdefault(at, []).append(known.pop(name))
    made.setdefault(REST, []).extend(known.values())
    groups = [
        Group(ident, form.get(f"label.{area_drawn.name}.{ident}", "").strip(), tuple(items), named=True)
        if ident not in drawn or drawn[ident].named
        else replace(drawn[ident], items=tuple(items))
        for ident, items in made.items()
    ]
    return replace(area_drawn, groups=tuple(sorted(groups, key=lambda group: group.id == REST)))


def _typed(item: Item, area_drawn: Area, form: MultiDict[str, str]) -> Item:
    if area_drawn.name == RELATED:
        chosen = form.getlist(f"columns.{item.name}")
        return replace(item, columns=tuple((name, label, name in chosen) for name, label, _ in item.columns))
    if f"default.{item.name}" not in form:
        return item
    return replace(
        item,
        default=form[f"default.{item.name}"].strip(),
        needed=item.must or f"required.{item.name}" in form,
    )


def _unfinished(areas: tuple[Area, ...]) -> Invalid | None:
    """Return what is wrong with a group: a heading without fields, or fields without a heading."""
    groups = [group for each in areas for group in each.groups if group.named]
    if any(group.items and not group.label for group in groups):
        return Invalid("A group has no heading: type one, or remove the group. Nothing was saved.")
    empty = next((group.label for group in groups if group.label and not group.items), None)
    twice = next(
        (
            group.label
            for group in groups
            if group.label and [one.label for one in groups].count(group.label) > 1
        ),
        None,
    )
    if empty:
        return Invalid(
            f"The group {empty} has no field: put one into it, or remove the group. Nothing was saved."
        )
    return (
        Invalid(f"Two groups are called {twice}: give one another heading. Nothing was saved.")
        if twice
        else None
    )


def _done(area_drawn: Area, do: str) -> Area:
    """Return the area after a button: `add` a group, `remove:<group>`, `up:f:<name>`, `down:g:<group>`."""
    act, _, what = do.partition(":")
    groups = list(area_drawn.groups)
    if act == "add" and area_drawn.name == FIELDS:
        fresh = str(max((int(group.id) for group in groups if group.id.isdigit()), default=-1) + 1)
        return replace(area_drawn, groups=(*groups[:-1], Group(fresh, "", named=True), groups[-1]))
    if act == "remove" and area_drawn.name == FIELDS:
        gone = next((group for group in groups if group.id == what and group.named), None)
        if gone is not None:
            groups.remove(gone)
            groups[-1] = replace(groups[-1], items=(*gone.items, *groups[-1].items))
        return replace(area_drawn, groups=tuple(groups))
    kind, _, name = what.partition(":")
    step = {"up": -1, "down": 1}.get(act)
    if step is None:
        return area_drawn
    return _moved_group(area_drawn, name, step) if kind == "g" else _moved_item(area_drawn, name, step)


def _moved_group(area_drawn: Area, ident: str, step: int) -> Area:
    groups = list(area_drawn.groups)
    here = next((number for number, group in enumerate(groups) if group.id == ident), None)
    if here is None or not 0 <= here + step < len(groups) - 1:
        return area_drawn
    groups[here], groups[here + step] = groups[here + step], groups[here]
    return replace(area_drawn, groups=tuple(groups))


def _moved_item(area_drawn: Area, name: str, step: int) -> Area:
    """Return the area with the item one place further; past the end of its group it enters the next one."""
    groups = [list(group.items) for group in area_drawn.groups]
    for number, items in enumerate(groups):
        at = next((place for place, item in enumerate(items) if item.name == name), None)
        if at is None:
            continue
        item, there = items.pop(at), number + step
        if 0 <= at + step <= len(items):
            items.insert(at + step, item)
        elif 0 <= there < len(groups):
            groups[there].insert(len(groups[there]) if step < 0 else 0, item)
        else:
            items.insert(at, item)
        break
    return replace(
        area_drawn,
        groups=tuple(
            replace(group, items=tuple(items)) for group, items in zip(area_drawn.groups, groups, strict=True)
        ),
    )


# -- the document


def _document(editing: Editing, part: Part, areas: tuple[Area, ...]) -> dict[str, Any]:
    """Return the document with this arrangement; what equals what was drawn is left as the document has it."""
    document = editing.document.to_json()
    drawn = {each.name: each for each in _areas(editing, part)}
    places = areas[0]
    names = [item.name for item in places.groups[0].items]
    if part.key != "summary":
        if names != [item.name for item in drawn[FIELDS].groups[0].items]:
            document[part.key] = names
        if part.name == "new":
            _put_new(document, places, drawn[FIELDS])
        return document
    summary = dict(document.get("summary", {}))
    sections = [
        {"label": group.label, "fields": [item.name for item in group.items]}
        for group in places.groups[:-1]
        if group.label or group.items
    ]
    _put(summary, "sections", sections)
    before = {entry["relation"]: entry for entry in summary.get("related", ())}
    if areas[1] != drawn[RELATED]:
        _put(
            summary,
            "related",
            [_related_document(item, before.get(item.name, {})) for item in areas[1].groups[0].items],
        )
    _put(summary, "badge", request.form.get("badge", ""))
    _put(document, "summary", summary)
    return document


def _related_document(item: Item, before: Mapping[str, Any]) -> dict[str, Any]:
    chosen = [name for name, _, ticked in item.columns if ticked]
    kept = [name for name in before.get("columns", ()) if name in chosen]
    columns = [*kept, *(name for name in chosen if name not in kept)]
    return {"relation": item.name} | ({"columns": columns} if columns else {})


def _put_new(document: dict[str, Any], places: Area, drawn: Area) -> None:
    """What the form of a new record says of single fields: whether they are needed, and what they begin with."""
    fields = document.setdefault("fields", {})
    before = {item.name: item for group in drawn.groups for item in group.items}
    for item in (item for group in places.groups for item in group.items):
        says = dict(fields.get(item.name, {}))
        if item.default != before[item.name].default:
            _put(says, "default", item.default)
        if item.needed != before[item.name].needed:
            _put(says, "required", item.needed)
        _put(fields, item.name, says)
    _put(document, "fields", fields)


def _put(document: dict[str, Any], name: str, value: Any) -> None:
    if value in ("", None, [], {}, False):
        document.pop(name, None)
    else:
        document[name] = value


# -- what the page draws


def _preview(editing: Editing, part: Part, areas: tuple[Area, ...]) -> Response:
    becoming, wrong = _becoming(editing, part, areas)
    drawn = collection_frame.preview(becoming, part.preview, wrong) | {"collection": becoming}
    return make_response(frame.render("settings/collection_layout.html", drawn, "preview"))


def _becoming(editing: Editing, part: Part, areas: tuple[Area, ...]) -> tuple[Any, str]:
    """Return the collection as the form would make it, and what is wrong with it."""
    try:
        return collections.preview(frame.actor(), editing.collection.id, _document(editing, part, areas)), ""
    except Invalid as error:
        return editing.becoming, error.message


def _page(
    editing: Editing, part: Part, areas: tuple[Area, ...], wrong: ConsoleError | None = None
) -> Response:
    becoming, mistaken = (
        _becoming(editing, part, areas) if request.method == "POST" else (editing.becoming, "")
    )
    unsaved = request.method == "POST" and bool(
        compare(editing.document.to_json(), *[_document(editing, part, areas)] * 2)
    )
    context = collection_frame.preview(becoming, part.preview, "" if wrong else mistaken) | {
        "part": part,
        "all_parts": PARTS.values(),
        "areas": areas,
        "unsaved": unsaved,
        "long": sum(len(group.items) for each in areas for group in each.groups) > MANY,
        "head_badge": request.form.get("badge", editing.becoming.summary.get("badge", "")),
        "badge_fields": [
            (item.name, item.label)
            for item in editing.becoming.fields
            if item.options or item.stored == "boolean" or item.widget == "badge"
        ],
    }
    return collection_frame.page("collection_layout.html", editing, context, wrong, heading=part.title)
