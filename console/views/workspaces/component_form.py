"""The form of one component in the builder: its boxes with pickers of what is connected here, and the component that a sent form says."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from werkzeug.datastructures import MultiDict

from console import actions, browse, records, workflows
from console.auth import access
from console.core.actor import Actor
from console.core.counted_moments import is_counted
from console.core.currencies import CODES
from console.core.documents.collections import Collection, Field, humanised
from console.core.documents.workspaces import KINDS, Workspace
from console.core.documents.workspaces.components import Measure, Period
from console.core.plain_words import uncapitalised
from console.views.workspaces import chosen_paths, condition_boxes, condition_lines
from console.views.workspaces.component_words import CHARTS, GOOD, LOOKS, MEASURES, PART_HELP, WHERE_HELP
from console.views.workspaces.condition_lines import known_collection
from console.workflows import inboxes

MOST_FIELDS = 200
MOST_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Box:
    """A box of the form. `control`: text, lines, area, number, choice, many, check, conditions. `options` are (value, label). `again`: another value changes
    what other boxes offer, so the form is drawn anew.
    """

    name: str
    label: str
    control: str = "text"
    help: str = ""
    value: Any = ""
    options: Sequence[tuple[str, str]] = ()
    again: bool = False
    complete: bool = False
    needed: bool = False
    error: str = ""
    rows: condition_lines.Rows | None = None
    stages: Sequence[condition_boxes.StageRows] = ()


KEEP = frozenset({"id", "type", "components"})
OF_RECORDS = frozenset(
    {
        "collection",
        "segment",
        "where",
        "measure",
        "field",
        "date",
        "period",
        "last",
        "whole",
        "by",
        "limit",
        "then",
        "stages",
        "part",
        "currency",
    }
)
"""Boxes of figures that a SELECT answers by itself."""


def boxes(
    actor: Actor,
    document: Workspace,
    kind: str,
    given: Mapping[str, Any],
    errors: Mapping[str, str] | None = None,
) -> list[Box]:
    """The boxes for a component of this kind with these values; `errors`: name of the box → what is wrong."""
    found = _Offer(actor, document, given).boxes(kind)
    wrong = errors or {}
    return [_with(box, given, wrong.get(box.name, "")) for box in found]


def read_form(
    document: Workspace, kind: str, form: MultiDict[str, str], before: Mapping[str, Any]
) -> dict[str, Any]:
    """The component that the form says, without what is empty; what the form has no box for stays as it was."""
    made = {name: value for name, value in before.items() if name in KEEP}
    for name, info in KINDS[kind].model_fields.items():
        if name in KEEP or name not in _NAMES.get(kind, ()):
            if name in before and name not in KEEP:
                made[name] = before[name]
            continue
        rows = name in condition_boxes.NAMES
        value = (
            condition_boxes.read(name, document, form, before.get(name))
            if rows
            else _value(kind, name, form, before)
        )
        if value not in (None, "", []) and not (value is False and info.default is False):
            made[name] = value
        elif info.default is True and value is False:
            made[name] = False
    made.setdefault("width", 12)
    return made


_LISTED = ("collection", "segment", "where")
_FIGURES = (*_LISTED, "measure", "field", "date", "period", "source", "sql")
_NAMES: Mapping[str, Sequence[str]] = {
    "section": ("title", "look", "width", "visible_if"),
    "tabs": ("name", "tabs", "width", "visible_if"),
    "text": ("title", "text", "width", "visible_if"),
    "link": ("text", "to", "width", "visible_if"),
    "divider": ("width", "visible_if"),
    "search": ("label", "name", "width", "visible_if"),
    "input": ("label", "name", "default", "width", "visible_if"),
    "dropdown": ("label", "name", "collection", "field", "options", "default", "width", "visible_if"),
    "date": ("label", "name", "default_days", "width", "visible_if"),
    "toggle": ("label", "name", "default", "width", "visible_if"),
    "collection": (
        "title",
        *_LISTED,
        "search",
        "columns",
        "sort",
        "limit",
        "look",
        "select",
        "width",
        "visible_if",
    ),
    "fields": ("title", "of", "fields", "head", "columns", "width", "visible_if"),
    "related": ("title", "of", "relation", "columns", "limit", "width", "visible_if"),
    "action": ("title", "of", "actions", "width", "visible_if"),
    "workflow": ("title", "of", "workflows", "width", "visible_if"),
    "inbox": ("title", "inbox", "limit", "select", "width", "visible_if"),
    "metric": (
        "title",
        *_FIGURES,
        "part",
        "target",
        "currency",
        "last",
        "whole",
        "good",
        "words",
        "width",
        "visible_if",
    ),
    "chart": (
        "title",
        "chart",
        *_FIGURES,
        "currency",
        "by",
        "limit",
        "last",
        "then",
        "stages",
        "width",
        "visible_if",
    ),
}
"""Kind → its boxes, in order."""


def _value(kind: str, name: str, form: MultiDict[str, str], before: Mapping[str, Any]) -> Any:
    text = form.get(name, "").replace("\r\n", "\n").strip()
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if name == "options":
        return [
            {"value": value.strip(), "label": (label or value).strip()}
            for value, _, label in (line.partition("=") for line in lines)
        ]
    if name == "tabs":
        return _tabs(lines, before)
    if name in ("head", "whole") or (kind == "toggle" and name == "default"):
        return name in form
    if name == "target":
        return _decimal(text)
    if name in ("width", "limit", "last", "default_days") or (kind == "fields" and name == "columns"):
        return int(text) if text.lstrip("-").isdigit() else (text or None)
    if name in ("columns", "fields", "actions", "workflows"):
        ticked = [each for each in dict.fromkeys(form.getlist(name)) if each]
        kept = [each for each in before.get(name) or () if each in ticked]
        return [*kept, *(each for each in ticked if each not in kept)]
    return text


def _decimal(text: str) -> int | str | None:
    """The number that was typed, one with decimals as a text; what is none stays as it is, and is refused by name."""
    whole, _, rest = text.partition(".")
    return (
        int(whole) if whole.isdecimal() and not rest.strip("0") and len(whole) < MOST_DIGITS else text or None
    )


def _tabs(lines: Sequence[str], before: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tabs with these titles, in order; a tab keeps what is in it by its number."""
    former = list(before.get("tabs", ()))
    made = []
    for number, title in enumerate(lines):
        kept = former[number] if number < len(former) else {"id": f"tab_{number + 1}", "components": []}
        made.append({**kept, "title": title})
    return made


def _with(box: Box, given: Mapping[str, Any], error: str) -> Box:
    """The box with its value in words; of several that are ticked the chosen ones come first, in their order."""
    value = given.get(box.name, box.value)
    options = box.options
    if box.control == "many" and isinstance(value, list):
        options = sorted(options, key=lambda each: value.index(each[0]) if each[0] in value else len(value))
    match box.name:
        case "options":
            value = "\n".join(f"{each['value']} = {each['label']}" for each in value or [])
        case "tabs":
            value = "\n".join(each["title"] for each in value or [])
    return replace(box, value="" if value is None else value, options=options, error=error)


@dataclass
class _Offer:
    """What the boxes of a component offer, to this editor, in this workspace."""

    actor: Actor
    document: Workspace
    given: Mapping[str, Any]

    def boxes(self, kind: str) -> list[Box]:
        sql = bool(self.given.get("sql"))
        named = [self._box(kind, name) for name in _NAMES[kind]]
        return [box for box in named if box is not None and not (sql and box.name in OF_RECORDS)]

    def _box(self, kind: str, name: str) -> Box | None:
        row = _ROWS.get(f"{kind}.{name}") or _ROWS[name]
        if not row.shown(self):
            return None
        nothing = [("", row.nothing)] if row.nothing else []
        return replace(
            row.box,
            name=name,
            options=[*nothing, *row.offers(self)],
            needed=row.box.needed or row.needed(self),
        )

    def collections(self) -> list[Collection]:
        """Collections, those of the editor first; who manages data sources is offered all, because others may be granted them."""
        own = {each.id for each in browse.collections(self.actor)}
        offered = (
            records.collections()
            if access.can(self.actor, None, "source", "manage")
            else browse.collections(self.actor)
        )
        return sorted(offered, key=lambda each: (each.id not in own, each.label.casefold()))

    def collection(self) -> Collection | None:
        return known_collection(str(self.given.get("collection") or ""))

    def chosen(self) -> Collection | None:
        """The collection of the record that `of` leads to."""
        return chosen_paths.path_target(self.document, str(self.given.get("of") or ""))

    def related(self) -> Collection | None:
        chosen = self.chosen()
        relation = chosen.relation(str(self.given.get("relation") or "")) if chosen else None
        return known_collection(relation.collection) if relation else None

    def relations(self) -> list[tuple[str, str]]:
        chosen = self.chosen()
        return [(each.name, each.label) for each in chosen.relations] if chosen else []

    def actions(self) -> list[tuple[str, str]]:
        chosen = self.chosen()
        return [
            (each.id, each.title)
            for each in actions.list_actions()
            if chosen and each.collection == chosen.id
        ]

    def workflows(self) -> list[tuple[str, str]]:
        chosen = self.chosen()
        there = [each for each in workflows.all_known() if chosen and each.collection == chosen.id]
        return [
            (each.slug, each.title)
            for each in there
            if access.exists_for(self.actor, f"{workflows.OBJECT}:{each.slug}")
        ]

    def segments(self) -> list[tuple[str, str]]:
        collection = self.collection()
        return [(each.id, each.label) for each in collection.segments] if collection else []

    def currencies(self) -> list[tuple[str, str]]:
        """Where each amount that is measured has a currency of its own: those that it may have."""
        collection = (
            self.collection() if self.given.get("measure", "count") not in ("count", "distinct") else None
        )
        field = collection.by_name.get(str(self.given.get("field") or "")) if collection else None
        column = collection.by_name.get(field.currency or "") if collection and field else None
        known = [(each.value, each.label) for each in (column.options or ())] if column else []
        return known or ([(code, code) for code in sorted(CODES)] if column else [])

    def searches(self) -> list[tuple[str, str]]:
        return [
            (each.name, each.label)  # type: ignore[attr-defined]
            for each in self.document.every
            if getattr(each, "type", "") == "search"
        ]

    @staticmethod
    def fields(collection: Collection | None) -> list[tuple[str, str]]:
        return [(each.name, each.label) for each in collection.fields[:MOST_FIELDS]] if collection else []

    @staticmethod
    def dates(collection: Collection | None) -> list[tuple[str, str]]:
        return (
            [
                (each.name, each.label)
                for each in collection.fields
                if each.stored in ("date", "datetime") or is_counted(each)
            ]
            if collection
            else []
        )

    @staticmethod
    def orders(collection: Collection | None) -> list[tuple[str, str]]:
        fields = [each for each in collection.fields if each.sortable] if collection else []
        return [
            pair
            for each in fields
            for pair in (
                (each.name, f"{each.label}, ascending"),
                (f"-{each.name}", f"{each.label}, descending"),
            )
        ]


@dataclass(frozen=True, slots=True)
class _Row:
    """A box, what it offers to this editor below the words for nothing chosen, and when it is there and has to be filled in."""

    box: Box
    nothing: str = ""
    offers: Callable[[_Offer], Iterable[tuple[str, str]]] = lambda _: ()
    shown: Callable[[_Offer], bool] = lambda _: True
    needed: Callable[[_Offer], bool] = lambda _: False


def _words(words: Mapping[str, str], *names: str) -> Callable[[_Offer], Iterable[tuple[str, str]]]:
    """Offer these, the same to everybody; without names all of them."""
    return lambda _: [(name, words[name]) for name in names or words]


def _own_fields(offer: _Offer) -> list[tuple[str, str]]:
    return offer.fields(offer.collection())


def _measured(offer: _Offer) -> list[tuple[str, str]]:
    """The fields of which the chosen figure says something: all are counted, and only numbers that are no keys are added up."""
    collection, chosen = offer.collection(), offer.given.get("field")
    if collection is None or offer.given.get("measure") == "distinct":
        return offer.fields(collection)
    return [
        (each.name, each.label)
        for each in collection.fields
        if each.name == chosen or _is_figure(each, collection)
    ][:MOST_FIELDS]


def _is_figure(item: Field, collection: Collection) -> bool:
    keyed = (
        item.references
        or item.name in collection.key
        or item.options
        or item.widget == "plain"
        or is_counted(item)
    )
    return item.stored in ("integer", "decimal") and not keyed


def _days(offer: _Offer) -> list[tuple[str, str]]:
    return offer.dates(offer.collection())


def _every_collection(offer: _Offer) -> list[tuple[str, str]]:
    """Every collection with its source beside it, where its label does not say it already."""
    return [
        (each.id, each.label if each.plain_label else f"{each.label} ({humanised(each.source)})")
        for each in offer.collections()
    ]


def _charted(*kinds: str, default: str = "") -> Callable[[_Offer], bool]:
    """Whether the chart is of one of these kinds."""
    return lambda offer: offer.given.get("chart", default) in kinds


_ROWS = {
    row.box.name: row
    for row in (
        _Row(Box("title", "Heading", help="Values in braces: {{ selected.customer.title }}", complete=True)),
        _Row(
            Box(
                "width",
                "Width",
                "choice",
                "Of twelve columns; on a telephone everything is as wide as the screen",
                12,
            ),
            offers=lambda _: [(str(n), f"{n} of 12") for n in range(1, 13)],
        ),
        _Row(
            Box(
                "visible_if",
                "Only shown if",
                "conditions",
                "Without a condition it is always shown. One about a record holds only once that is chosen.",
            )
        ),
        _Row(
            Box("look", "Look", "choice", value="plain"),
            offers=_words(LOOKS, "plain", "panel", "bar", "figures"),
        ),
        _Row(Box("collection.look", "Look", "choice", value="table"), offers=_words(LOOKS, "table", "list")),
        _Row(Box("label", "Label", needed=True)),
        _Row(Box("name", "Name in the address", help="Others use it as input.<name>", needed=True)),
        _Row(Box("tabs.name", "Name in the address", needed=True)),
        _Row(Box("text", "Words", "area", "Values in braces: {{ me.name }}", complete=True, needed=True)),
        _Row(
            Box("link.text", "Words", "text", "Values in braces: {{ me.name }}", complete=True, needed=True)
        ),
        _Row(
            Box(
                "to",
                "Leads to",
                help="/c/customer/{{ selected.customer.key }} or https://…",
                complete=True,
                needed=True,
            )
        ),
        _Row(Box("tabs", "Tabs", "area", "One title a line, at most ten", needed=True)),
        _Row(Box("collection", "Records of", "choice", again=True), "Choose…", _every_collection),
        _Row(
            Box("collection.collection", "Records of", "choice", again=True, needed=True),
            "Choose…",
            _every_collection,
        ),
        _Row(
            Box("dropdown.collection", "Choices of a field of", "choice", again=True),
            "Choose…",
            _every_collection,
        ),
        _Row(Box("segment", "Segment", "choice"), "All", lambda offer: offer.segments()),
        _Row(Box("where", "Conditions", "conditions", WHERE_HELP)),
        _Row(
            Box("part", "As a percentage: conditions of the part", "conditions", PART_HELP),
            shown=lambda offer: offer.given.get("measure", "count") in ("count", "sum"),
        ),
        _Row(
            Box(
                "target",
                "Objective",
                "text",
                "The number to reach, as the figure is shown: 50000, or 95 of a percentage. Empty: none.",
            )
        ),
        _Row(
            Box(
                "currency",
                "Currency of the figure and its objective",
                "choice",
                "Amounts in others stand beside it.",
            ),
            "That of which there is most",
            lambda offer: offer.currencies(),
            shown=lambda offer: bool(offer.currencies()),
        ),
        _Row(
            Box(
                "chart.currency",
                "Currency drawn first",
                "choice",
                "Readers choose among the others on the page.",
            ),
            "That of most records",
            lambda offer: offer.currencies(),
            shown=lambda offer: bool(offer.currencies()),
        ),
        _Row(Box("search", "Searched by", "choice"), "Nothing", lambda offer: offer.searches()),
        _Row(Box("sort", "Order", "choice"), "As the list", lambda offer: offer.orders(offer.collection())),
        _Row(
            Box("columns", "Fields shown", "many", "None ticked: as in the list"),
            offers=lambda offer: offer.fields(offer.related()),
        ),
        _Row(
            Box("collection.columns", "Fields shown", "many", "None ticked: as in the list"),
            offers=_own_fields,
        ),
        _Row(Box("fields.columns", "Columns", "choice", value=1), offers=_words({"1": "One", "2": "Two"})),
        _Row(
            Box("fields", "Fields shown", "many", "None ticked: as on the record’s page"),
            offers=lambda offer: offer.fields(offer.chosen()),
        ),
        _Row(Box("limit", "How many", "number", value=10)),
        _Row(Box("related.limit", "How many", "number", value=5)),
        _Row(Box("chart.limit", "How many", "number", value=5)),
        _Row(
            Box(
                "select",
                "Chosen record is called",
                help="Others use it as selected.<name>; empty: a row opens its record",
            )
        ),
        _Row(Box("head", "Title and state above", "check")),
        _Row(
            Box(
                "of",
                "Of",
                "choice",
                help="A chosen record. Its Collection or Inbox says what it is called.",
                again=True,
                needed=True,
            ),
            "Choose…",
            lambda offer: chosen_paths.paths(offer.document),
        ),
        _Row(
            Box("relation", "Relation", "choice", again=True, needed=True),
            "Choose…",
            lambda offer: offer.relations(),
        ),
        _Row(
            Box("actions", "Actions", "many", "None ticked: all that are offered to the reader"),
            offers=lambda offer: offer.actions(),
        ),
        _Row(
            Box("workflows", "Workflows", "many", "None ticked: all that the reader may start"),
            offers=lambda offer: offer.workflows(),
        ),
        _Row(
            Box("inbox", "Inbox", "choice", needed=True),
            "Choose…",
            lambda _: [(each.id, each.title) for each in inboxes.all_inboxes()],
        ),
        _Row(
            Box("measure", "Figure", "choice", value="count", again=True),
            offers=_words(MEASURES, *get_args(Measure)),
        ),
        _Row(
            Box("field", "Of the field", "choice", again=True),
            "None",
            _measured,
            shown=lambda offer: offer.given.get("measure", "count") != "count",
        ),
        _Row(Box("dropdown.field", "Field", "choice"), "Choose…", _own_fields),
        _Row(Box("date", "Periods by", "choice"), "None", _days, needed=_charted("time", "cohort")),
        _Row(
            Box("period", "Period", "choice", value="month"),
            offers=lambda _: [(each, each.capitalize()) for each in get_args(Period)],
        ),
        _Row(
            Box("source", "Data source", "choice"),
            "Choose…",
            lambda offer: [(each, each) for each in sorted({each.source for each in offer.collections()})],
            shown=lambda offer: bool(offer.given.get("sql")),
        ),
        _Row(
            Box(
                "sql",
                "Or one SELECT in place of records",
                "area",
                "Reads only; each reader gets only their own rows and fields. Columns: names, then numbers. Now is what the source's clocks show.",
                again=True,
            )
        ),
        _Row(Box("last", "Periods shown", "number", value=12)),
        _Row(Box("metric.last", "Periods shown", "number", value=8)),
        _Row(Box("whole", "Figure over all records, not only the present period", "check", value=True)),
        _Row(Box("good", "Which way is good", "choice", value="none"), offers=_words(GOOD)),
        _Row(
            Box(
                "words",
                "Words under the figure",
                help="Empty: how it compares with the period before. Values in braces: {{ me.name }}",
                complete=True,
            )
        ),
        _Row(Box("chart", "Kind", "choice", value="time", again=True), offers=_words(CHARTS)),
        _Row(
            Box("by", "Told apart by", "choice"),
            "Nothing",
            _own_fields,
            shown=_charted("share", "leaders", "time", default="time"),
        ),
        _Row(Box("then", "Then by the day", "choice"), "Choose…", _days, shown=_charted("cohort")),
        _Row(
            Box("stages", "Stages", "stages", "Each is what is left of the one before."),
            shown=_charted("funnel"),
        ),
        _Row(Box("options", "Or these choices", "area", "One a line: value = label")),
        _Row(Box("default", "At first")),
        _Row(Box("toggle.default", "On at first", "check")),
        _Row(Box("default_days", "At first: days from today", "number", "-30: a month ago; empty: no day")),
    )
}
"""Every box of a form by its name; one that a kind of component has otherwise by `kind.name`."""


def offered(
    actor: Actor, document: Workspace, given: Mapping[str, Any]
) -> tuple[list[Box], Mapping[str, Field]]:
    """The boxes of a component with these settings, and the fields of the records that it shows."""
    offer = _Offer(actor, document, given)
    about = offer.collection() or offer.related() or offer.chosen()
    kind = str(given.get("type"))
    return offer.boxes(kind) if kind in _NAMES else [], {
        item.name: item for item in (about.fields if about else ())
    }


def subject_words(item: Any, document: Workspace, actor: Actor) -> list[str]:
    """What a component shows, by the labels of collections, relations and inboxes; what is not there any more by its id."""
    given = {name: getattr(item, name, None) for name in ("collection", "inbox", "of", "relation")}
    offer = _Offer(actor, document, given)
    if given["collection"]:
        known = offer.collection()
        return [known.label if known else str(given["collection"])]
    if given["inbox"]:
        return [
            next(
                (each.title for each in inboxes.all_inboxes() if each.id == given["inbox"]),
                str(given["inbox"]),
            )
        ]
    if not given["of"]:
        return []
    chosen = offer.chosen()
    of = chosen.label_one if chosen else str(given["of"])
    relation = chosen.relation(str(given["relation"])) if chosen and given["relation"] else None
    if relation is not None:
        return [f"{relation.label} of the {uncapitalised(of)}"]
    return [str(given["relation"]), of] if given["relation"] else [of]
