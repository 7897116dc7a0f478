"""Components as they are drawn: what `console.workspaces` read, in words and with the addresses that choosing something leads to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from markupsafe import Markup, escape

from console import browse, sources, workspaces
from console.auth import access
from console.browse import RecordPage
from console.core.documents.collections import Collection
from console.core.documents.workspaces import (
    INPUTS,
    SELECTING,
    Action,
    Chart,
    CollectionList,
    Dropdown,
    Fields,
    Inbox,
    Link,
    Metric,
    Related,
    Section,
    Tabs,
    Text,
    WorkflowButtons,
    Workspace,
    names_used,
)
from console.core.documents.workspaces.workspace_document import inner_components
from console.core.errors import ConsoleError
from console.formats import Look
from console.records import Record
from console.views import errors, formats, frame, states
from console.views.browse import chosen_records, expiry, record_actions, records
from console.views.runs import panes
from console.views.work import inbox as inbox_pages, my_work
from console.views.workspaces import charts, links, metrics
from console.workspaces import NO_CURRENCY, Desk, Figures, Listing, Shown, failed, own_names, read_part

LAZY = (Metric, Chart)
"""Read after the page is shown, each by itself: a figure over a large table holds up nothing else."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A component in the page. `type` names its template; `parts` are those in it; `lazy`: its content comes by another request to this address.

    `again`: where it can be asked for once more, as its source does not answer; `mend`: where who may edit it can, as it names what is gone. `hidden`: its condition does not hold now; an empty place is kept for it.
    """

    item: Any
    type: str
    shown: Shown
    parts: Sequence["Drawn"] = ()
    tabs: Sequence[dict[str, Any]] = ()
    lazy: str = ""
    again: str = ""
    mend: str = ""
    hidden: bool = False
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The id of its element."""
        return frame.dom_id("part", self.item.id)


@dataclass(frozen=True, slots=True)
class RoleView:
    """What a role would see: it only takes away from what the editor may see."""

    role: str
    label: str
    teams: tuple[str | None, ...]
    """None: any team."""

    @classmethod
    def of(cls, role: str, document: Workspace) -> "RoleView":
        """Somebody with this role, in the teams of the workspace or anywhere."""
        return cls(role, formats.role_words(role), tuple(document.teams) or (None,))

    def closed(self, collection_id: str | None) -> bool:
        """Whether the role may not browse the collection."""
        rights = access.rights()
        return collection_id is not None and not any(
            rights.may(self.role, team, f"collection:{collection_id}", "browse") for team in self.teams
        )

    def hidden(self, collection_id: str) -> frozenset[str]:
        """Fields that the role may not read."""
        rights = access.rights()
        return frozenset.intersection(
            *(rights.closed(self.role, team, collection_id)[0] for team in self.teams)
        )


@dataclass
class Drawer:
    """Draws the components of one desk for one reader. `preview`: the page is shown in the builder, and everything is read at once."""

    desk: Desk
    base: str
    look: Look
    role: RoleView | None = None
    kept: Mapping[str, str] = field(default_factory=dict)
    """What every address of the page keeps beside the values of the workspace."""
    _begun: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def draw(self, components: Sequence[Any], *, whole: bool = False) -> list[Drawn]:
        """The components. `whole`: figures too, which are otherwise left to a request of their own. What is to be chosen is said once."""
        drawn = [self.one(item, whole=whole) for item in components]
        said: set[str] = set()
        for place, each in enumerate(drawn):
            if each.shown.state == "choose":
                drawn[place] = replace(each, hidden=each.shown.words in said)
                said.add(each.shown.words)
        return drawn

    def one(self, item: Any, *, whole: bool = False) -> Drawn:
        """One component with what is in it."""
        if not self.desk.shows(item):
            return Drawn(item, item.type, Shown(item), hidden=True)
        match item:
            case Section():
                return Drawn(
                    item, item.type, read_part(self.desk, item), self.draw(item.components, whole=whole)
                )
            case Tabs():
                return self._tabs(item, whole=whole)
        if isinstance(item, LAZY) and not whole and not self._waits(item):
            return Drawn(item, item.type, Shown(item), lazy=self.address(item.id))
        shown = self._closed_to_role(item) or read_part(self.desk, item)
        if shown.changed is not None:  # what has changed is looked up, as on every other page
            looked = sources.look_again(str(shown.changed.extra.get("source", "")))
            shown = read_part(self.desk, item) if looked is not None and looked.taken else shown
            shown = (
                replace(shown, words=errors.error_message(shown.changed))
                if shown.changed is not None
                else shown
            )
        try:
            more = self._more(item, shown) if shown.state == "ready" else {}
        except ConsoleError as error:
            shown, more = failed(item, error, shown.title), {}
        again = self.address(item.id) if shown.state == "down" and not self.base.endswith("/preview") else ""
        return Drawn(
            item, item.type, shown, more=more, again=again, mend=self._mend(item) if shown.mendable else ""
        )

    def _mend(self, item: Any) -> str:
        """Where the component is edited, for who may."""
        own = workspaces.may_edit(self.desk.actor, self.desk.document)
        return f"/w/{self.desk.document.id}/edit?{urlencode({'part': item.id})}" if own else ""

    def _closed_to_role(self, item: Any) -> Shown | None:
        """The component as the previewed role does not see it; None if it would."""
        if self.role is None:
            return None
        wanted = getattr(item, "collection", None)
        if (of := getattr(item, "of", None)) is not None:
            wanted = self.desk.collection_of(str(of).partition(".")[0])
        if not self.role.closed(wanted):
            return None
        return Shown(item, "closed", f"{self.role.label} may not see these records.")

    def _waits(self, item: Any) -> bool:
        """Whether it depends on something that is not chosen yet: that is said at once."""
        chosen = {
            each.select for each in self.desk.document.every if isinstance(each, SELECTING) and each.select
        }
        return any(self.desk.key_of(name) is None for name in names_used(item) & chosen)

    def _tabs(self, item: Tabs, *, whole: bool) -> Drawn:
        here = self.desk.open_tab(item)
        tabs = [
            {
                "title": tab.title,
                "here": tab.id == here,
                "href": self.address(**{item.name: tab.id}),
                "set": item.name,
                "value": tab.id,
            }
            for tab in self.desk.tabs_of(item)
        ]
        opened = next(tab for tab in item.tabs if tab.id == here)
        return Drawn(
            item, item.type, read_part(self.desk, item), self.draw(opened.components, whole=whole), tabs
        )

    def address(self, part: str = "", /, **changes: str | None) -> str:
        """The address of the workspace, or of one of its parts, with these values changed; None removes one."""
        state = {
            name: value
            for name, value in {**self.kept, **self.desk.state, **changes}.items()
            if value is not None
        }
        return self.base + (f"/part/{part}" if part else "") + (f"?{urlencode(state)}" if state else "")

    def select(self, name: str, key: str) -> dict[str, Any]:
        """What a link needs that chooses a record: its address, the name, the key, and the names that this choice empties."""
        emptied = led_from(self.desk.document, name)
        return {
            "href": self.address("", **{name: key, **dict.fromkeys(emptied)}),
            "set": name,
            "value": key,
            "clears": " ".join(sorted(emptied)),
            "here": self.desk.key_of(name) == key,
        }

    # -- kinds

    def _more(self, item: Any, shown: Shown) -> dict[str, Any]:
        match item:
            case Text():
                return {"html": frame.markdown(shown.data)}
            case Link():
                words, href = shown.data
                return {"words": words, "href": safe_address(href)}
            case CollectionList():
                return self._listing(item, shown.data)
            case Fields():
                return self._fields(item, shown.data)
            case Related():
                page, found = shown.data
                href = (
                    frame.record_url(page.collection.id, page.record.key)
                    + f"/related/{frame.segment(item.relation)}"
                )
                return {
                    "rows": panes.related(found, self.look),
                    "all": href,
                    "label": found.relation.label,
                    "number": len(found.rows),
                    "cut": bool(found.next),
                }
            case Action():
                offered = record_actions.buttons(shown.data.collection.id, shown.data.record.key)
                wanted = item.actions
                ends = tuple(f"/do/{frame.segment(name)}" for name in wanted or ())
                return {
                    "actions": [each for each in offered if wanted is None or each["href"].endswith(ends)],
                    "record": shown.data.record,
                }
            case WorkflowButtons():
                return self._workflows(item, shown.data)
            case Inbox():
                return self._inbox(item, *shown.data)
            case Metric():
                found, words = shown.data
                return {"figure": metrics.metric(item, found, words, self.look)}
            case Chart():
                drawn = charts.chart(item, shown.data, shown.title or item.title or "Chart", self.look)
                return {
                    "chart": drawn,
                    "cohorts": isinstance(drawn, charts.Cohorts),
                    "currencies": self._currencies(item, shown.data),
                }
        if isinstance(item, INPUTS):
            return self._input(item, shown)
        return {}

    def _currencies(self, item: Chart, found: Figures) -> list[dict[str, Any]]:
        """Links that draw the amounts of each currency, where there are several."""
        name = f"{item.id}_currency"
        return [
            {
                "title": each or "No currency",
                "here": each == found.currency,
                "href": self.address(**{name: value}),
                "set": name,
                "value": value,
            }
            for each, value in ((each, each or NO_CURRENCY) for each in found.currencies)
        ]

    def _input(self, item: Any, shown: Shown) -> dict[str, Any]:
        value = self.desk.input(item.name)
        others = [(name, each) for name, each in self.desk.state.items() if name != item.name]
        more: dict[str, Any] = {
            "value": "" if value is None else value,
            "others": others,
            "action": self.base,
            "pages": " ".join(paged_by(self.desk.document, item.name)),
        }
        if isinstance(item, Dropdown):
            more["choices"] = shown.data
        return more

    def _listing(self, item: CollectionList, found: Listing) -> dict[str, Any]:
        look = frame.naming(found.named, self.look)
        collection = found.collection
        kinds = [formats.kind(each, collection.key) for each in found.columns]
        badge = collection.summary.get("badge")
        titled = collection.title_fields
        if item.look == "table":
            shown = [what for what in kinds if (what.name,) != titled]
        else:
            shown = [
                what
                for what in kinds
                if item.columns is not None or what.name not in {*titled, *collection.key}
            ]
        rows = [self._row(item, row, shown, badge, look, collection) for row in found.rows]
        filters = links.filters_of(list(found.conditions)[1 if item.segment else 0 :], found.roots)
        text = self.desk.input(item.search) if item.search else None
        href = None
        if filters is not None:
            href = links.records_url(collection.id, item.segment, filters) + (
                f"&{urlencode({'q': text})}" if text else ""
            )
        refers = any(relation.kind == "to_one" for relation in collection.relations)
        total = found.total if found.total is not None else len(rows)
        number = f"{total:,}" if total <= browse.CAP else f"more than {browse.CAP:,}"
        return {
            "columns": shown,
            "rows": rows,
            "number": number,
            "all": href,
            "label": collection.label,
            "next": self.address("", **{f"{item.id}_after": found.next}) if found.next else None,
            "first": self.address("", **{f"{item.id}_after": None})
            if self.desk.state.get(f"{item.id}_after")
            else None,
            "page_name": f"{item.id}_after",
            "next_value": found.next or "",
            "searched": text,
            "unlisted": self._unlisted(item, collection, {row["key"] for row in rows}),
            "wider": f"{href}&extended=1" if href and text and refers else None,
            "kept_list": parse_qsl(urlsplit(href or "").query)
            + ([("sort", item.sort)] if href and item.sort else []),
        } | ({} if self.base.endswith("/preview") else chosen_records.offered(self.desk.actor, collection))

    def _unlisted(self, item: CollectionList, collection: Collection, shown: set[str | None]) -> str:
        """The title of the record that stays chosen though what is typed or picked leaves it out of the list; "" where it does not."""
        key = (
            self.desk.key_of(item.select)
            if item.select and self.desk.collection_of(item.select) == collection.id
            else None
        )
        narrowed = any(self.desk.input(name) is not None for name in names_used(item) - {item.select})
        if key is None or key in shown or not narrowed:
            return ""
        return browse.titles(
            self.desk.actor, collection.id, [key], browse.view_scope(self.desk.actor, collection)
        ).get(key, "")

    def _row(
        self,
        item: CollectionList,
        row: Record,
        kinds: Sequence[Any],
        badge: Any,
        look: Look,
        collection: Collection,
    ) -> dict[str, Any]:
        values = formats.with_currencies(row.values, collection.currencies)
        href = frame.record_url(row.collection, row.key) if row.key is not None else None
        selects = (
            item.select and row.key is not None and self.desk.collection_of(item.select) == collection.id
        )
        link = self.select(str(item.select), str(row.key)) if selects else {"href": href}
        made = {"title": row.title, "key": row.key, "record": href, **link}
        if item.look == "list":
            made["cells"] = [
                states.badge(what, values.get(what.name), look)
                if what.name == badge or what.widget == "badge"
                else expiry.brief(what, values.get(what.name), look)
                for what in kinds
            ]
            if item.columns is None:  # nobody chose what stands first
                made["cells"].insert(0, escape(row.title))
        else:
            made["cells"] = Markup("").join(self._cell(what, values, badge, look) for what in kinds)
        return made

    @staticmethod
    def _cell(what: Any, values: Any, badge: Any, look: Look) -> Markup:
        value = values.get(what.name)
        if expiry.is_expiry(what):
            drawn = expiry.cells(what, look, [value])[0]
        else:
            drawn = (states.cell(what, look) if what.name == badge else formats.cell(what, look))(value)
        return Markup(drawn)  # noqa: S704 (`cell` escapes)

    def _fields(self, item: Fields, page: RecordPage) -> dict[str, Any]:
        look = frame.naming(page.named, self.look)
        lines = [
            replace(line, edit=None)
            for section in records.sections(page, look, whole=item.fields is not None)
            for line in section["lines"]
        ]
        if item.fields is not None:
            by_name = {line.name: line for line in lines}
            lines = [by_name[name] for name in item.fields if name in by_name]
        if self.role is not None:
            hidden = self.role.hidden(page.collection.id)
            lines = [line for line in lines if line.name not in hidden]
        missing = [name for name in item.fields or () if page.collection.field(name) is None]
        return {
            "lines": lines,
            "record": page.record,
            "collection": page.collection,
            "href": frame.record_url(page.collection.id, page.record.key),
            "badge": records.badge_of(page, look),
            "missing": missing,
        }

    def _workflows(self, item: WorkflowButtons, page: RecordPage) -> dict[str, Any]:
        key = (page.collection.id, page.record.key or "")
        if key not in self._begun:
            self._begun[key] = records.runs_and_starts(page)
        begun = self._begun[key]
        live = [row for row in begun["live"] if item.workflows is None or row["run"].slug in item.workflows]
        starts = [
            start for start in begun["starts"] if item.workflows is None or start.slug in item.workflows
        ]
        return {"live": live, "waits": begun["waits"], "starts": starts, "record": page.record}

    def _inbox(self, item: Inbox, box: Any, page: Any, count: Any) -> dict[str, Any]:
        lines = []
        for ticket in page.tickets:
            line = inbox_pages.ticket_line(ticket, self.desk.actor)
            selects = (
                item.select
                and ticket.collection == self.desk.collection_of(item.select)
                and ticket.record is not None
            )
            link = self.select(str(item.select), ticket.record) if selects else {"href": line.href}
            lines.append({"line": line, **link})
        return {
            "lines": lines,
            "inbox": box,
            "href": f"/inbox/{box.id}",
            "number": my_work.count_words(count),
            "down": page.down,
            "takes": bool(count.to_do) and inbox_pages.works_in(self.desk.actor, box),
        }


def safe_address(address: str) -> str | None:
    """The address if it is a page of the console or a web or mail address; else None."""
    parts = urlsplit(address)
    if parts.scheme in ("https", "http", "mailto"):
        return address
    return (
        address
        if not parts.scheme
        and not parts.netloc
        and address.startswith("/")
        and not address.startswith(("//", "/\\"))
        else None
    )


def led_from(document: Workspace, name: str) -> set[str]:
    """Names that stand for something chosen among what this choice leads to: another choice empties them."""
    found: set[str] = set()
    for item in document.every:
        if name in names_used(item):
            if isinstance(item, CollectionList):
                found.add(f"{item.id}_after")
            if (
                isinstance(item, SELECTING)
                and item.select
                and item.select != name
                and item.select not in found
            ):
                found |= {item.select} | led_from(document, item.select)
    return found


def paged_by(document: Workspace, name: str) -> list[str]:
    """Names of the pages of lists that depend on this input: another value begins them anew."""
    return [
        f"{item.id}_after"
        for item in document.every
        if isinstance(item, CollectionList) and name in names_used(item)
    ]


def dependants(desk: Desk, changed: set[str]) -> Iterator[Any]:
    """The components to be drawn anew when these names changed: the outermost that depend on them, without what is in them or in a closed tab."""
    yield from _dependants(desk, desk.document.components, changed)


def _dependants(desk: Desk, components: Sequence[Any], changed: set[str]) -> Iterator[Any]:
    for item in components:
        if (names_used(item) | own_names(item)) & changed:
            yield item
        elif isinstance(item, Tabs):
            here = desk.open_tab(item)
            yield from _dependants(desk, next(tab.components for tab in item.tabs if tab.id == here), changed)
        else:
            yield from _dependants(desk, inner_components(item), changed)
