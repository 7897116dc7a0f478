"""From a record to those that its relations lead to, and on from these, side by side on one page. The way that was gone is in the address."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, make_response, request

from console import browse
from console.browse import RelatedPage
from console.core import blocks
from console.core.documents.collections import Collection, Field
from console.core.errors import ConsoleError, NotFound, SourceDown
from console.records import Record
from console.views import formats, frame, states
from console.views.blocks import with_words
from console.views.browse import records
from console.views.browse.list_counts import tab_words
from console.views.formats import Look

blueprint = Blueprint("explorer", __name__, url_prefix="/c")

STEP = "way"
"""Parameter of the address, once for each step: the name of a relation, then the key of a record that it leads to, and so on."""
LONGEST_WAY = 12
ROWS, MOST_IN_TREE = 20, 300
FACTS = 3


@dataclass(frozen=True, slots=True)
class Choice:
    """A line of a column: where choosing it leads, and `open` the record's own page."""

    title: str
    words: str
    href: str
    here: bool
    open: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A record with its relations, or the records of a relation; `tree` draws these. `why` says why it shows none; `href` is the page of all of it."""

    number: int
    title: str
    words: str
    href: str
    choices: Sequence[Choice]
    facts: Sequence[tuple[str, Any]] = ()
    more: bool = False
    why: str = ""
    tree: blocks.Data | None = None


@blueprint.get("/<collection>/<part>/explorer")
def show(collection: str, part: str) -> Response:
    """Show the columns of the way in the address; for htmx only those from the column `way-N` on that it replaces."""
    key, way = frame.key_of(part), request.args.getlist(STEP)[:LONGEST_WAY]
    walk = _Walk(collection, key, way)
    if frame.wants_fragment() and (first := _first_column(frame.htmx.target)) is not None:
        return make_response(
            frame.render("records/explorer_columns.html", {"columns": walk.columns(min(first, len(way)))})
        )
    page = browse.record(frame.actor(), collection, key)
    here = frame.record_url(collection, key)
    context = records.record_context(page) | {
        "columns": walk.columns(0),
        "tabs": records.tabs(here, "explorer"),
    }
    return frame.page("records/explorer.html", context)


def _first_column(target: str | None) -> int | None:
    name, _, number = (target or "").partition("-")
    return int(number) if name == STEP and number.isdigit() else None


class _Walk:
    """The columns of a way that begins at a record: even ones show a record, odd ones the records of a relation."""

    def __init__(self, collection: str, key: str, way: Sequence[str]) -> None:
        self.start = frame.record_url(collection, key) + "/explorer"
        self.way = way
        self.stops: list[tuple[str, str]] = [(collection, key)]
        """(collection, key) of each record on the way."""
        for number in range(0, len(way), 2):
            target = self._target(self.stops[-1][0], way[number])
            self.stops += [(target.id, way[number + 1])] if number + 1 < len(way) else []

    @staticmethod
    def _target(collection: str, relation: str) -> Collection:
        link = browse.browsed_collection(frame.actor(), collection)[0].relation(relation)
        if link is None:
            raise NotFound
        return browse.browsed_collection(frame.actor(), link.collection)[0]

    def columns(self, first: int) -> list[Column]:
        """The columns from this one on. A record or source that fails says so in its own column, which is the last."""
        made: list[Column] = []
        for number in range(first, len(self.way) + 1):
            try:
                made.append(self._record(number) if number % 2 == 0 else self._list(number))
            except (NotFound, SourceDown) as error:
                if number == 0:
                    raise
                made.append(Column(number, "Not to be seen", "", "", (), why=_why(error)))
                break
        return made

    def _to(self, number: int, step: str) -> str:
        return frame.with_query(self.start, {STEP: [*self.way[:number], step]})

    def _here(self, number: int, step: str) -> bool:
        return number < len(self.way) and self.way[number] == step

    def _record(self, number: int) -> Column:
        collection_id, key = self.stops[number // 2]
        who = frame.actor()
        page = browse.record(who, collection_id, key, labels=number > 0)
        ways = browse.ways_on(who, collection_id, key)
        choices = [
            Choice(
                link.label,
                "" if total is None else tab_words(total, browse.MOST_IN_TAB),
                self._to(number, link.name),
                self._here(number, link.name),
            )
            for link, total in ways
            if total != 0
        ]
        empty = ", ".join(link.label for link, total in ways if total == 0)
        look = frame.naming(page.named)
        readable = {item.name: item for item in page.fields}
        names = [
            name
            for name in page.collection.columns
            if name in readable and (name,) != page.collection.title_fields
        ]
        values = formats.with_currencies(page.record.values, page.collection.currencies)
        facts = [
            (readable[name].label, _fact(page.collection, readable[name], values.get(name), look))
            for name in names[:FACTS]
        ]
        why = "" if choices else "It leads to no other records."
        called = " ".join(
            filter(None, [page.collection.label_one, page.collection.number_of(page.record.values)])
        )
        more = f"None: {empty}." if empty and choices else ""
        return Column(
            number,
            page.record.title,
            called,
            frame.record_url(collection_id, key),
            choices,
            facts if number else (),
            why=why or more,
        )

    def _list(self, number: int) -> Column:
        collection_id, key = self.stops[number // 2]
        name = self.way[number - 1]
        link = browse.browsed_collection(frame.actor(), collection_id)[0].relation(name)
        most = MOST_IN_TREE if link is not None and link.tree else ROWS
        found = browse.related(frame.actor(), collection_id, key, name, most)
        tree = self._tree(found) if found.relation.tree and found.rows else None
        rows = [] if tree else [self._row(number, found, row) for row in found.rows]
        href = frame.record_url(collection_id, key) + f"/related/{frame.segment(name)}"
        return Column(
            number,
            found.relation.label,
            "",
            href,
            rows,
            more=bool(found.next),
            why="" if found.rows else "There are none.",
            tree=tree,
        )

    @staticmethod
    def _tree(found: RelatedPage) -> blocks.Data:
        """The records of the relation as a tree, as far as the reader may see them."""
        rows = [{"key": row.key, **found.collection.typed(row.values)} for row in found.rows]
        roots = {"related": {found.relation.name: rows}}
        drawn = blocks.compute(blocks.parsed([found.relation.tree or {}]), roots, lambda *_: {})
        return with_words(drawn[0], frame.look())

    def _row(self, number: int, found: RelatedPage, row: Record) -> Choice:
        look = frame.naming(found.named)
        fields = [item for item in found.columns if (item.name,) != found.collection.title_fields][:FACTS]
        values = formats.with_currencies(row.values, found.collection.currencies)
        texts = [
            formats.text(formats.kind(item, found.collection.key), values.get(item.name), look)
            for item in fields
        ]
        words = " · ".join(text for text in texts if text != formats.EMPTY)
        if row.key is None:
            return Choice(row.title, words, "", here=False)
        return Choice(
            row.title,
            words,
            self._to(number, row.key),
            self._here(number, row.key),
            frame.record_url(found.collection.id, row.key),
        )


def _fact(collection: Collection, item: Field, value: Any, look: Look) -> Any:
    what = formats.kind(item, collection.key)
    state = item.name == collection.summary.get("badge") or item.widget == "badge"
    return states.badge(what, value, look) if state else formats.html(what, value, look)


def _why(error: ConsoleError) -> str:
    return (
        error.message
        if isinstance(error, SourceDown)
        else "This record is not there, or outside what you may see."
    )
