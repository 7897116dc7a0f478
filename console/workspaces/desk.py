"""A workspace as somebody has it open: the inputs and chosen records that its address names. Everything is read within that person's scope."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from console import browse, formats, records
from console.auth import access
from console.browse import RecordPage
from console.core import expressions
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.documents.workspaces import (
    INPUTS,
    SELECTING,
    Chart,
    CollectionList,
    Component,
    Date,
    Dropdown,
    Inbox,
    Input,
    Tab,
    Tabs,
    Toggle,
    Workspace,
)
from console.core.errors import ConsoleError, NotFound
from console.core.expressions import Expression, nodes
from console.core.expressions.nodes import Path
from console.core.expressions.operands import date_of
from console.core.moments import midnight
from console.core.plain_words import uncapitalised
from console.core.scopes import Scope
from console.formats import Look
from console.records import Chosen, KeySelect
from console.workflows import inboxes

LONGEST = 500
"""Characters of one value in the address."""


class Choose(Exception):
    """Something has to be chosen first; `label` is what one of it is called."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.label = label


class Gone(Exception):
    """The document names something that is not there any more (`mendable` by who edits it), or that this record lacks or this reader may not see."""

    def __init__(self, words: str, *, mendable: bool = True) -> None:
        super().__init__(words)
        self.mendable = mendable


@dataclass
class Desk:
    """`state`: name → value as in the address. `now` is aware UTC."""

    actor: Actor
    document: Workspace
    state: Mapping[str, str]
    now: datetime
    read: dict[str, Any] = field(default_factory=dict)
    """Components that were read already, by their id."""
    _records: dict[tuple[str, str], RecordPage | ConsoleError] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The reader's day."""
        return self.now.astimezone(ZoneInfo(self.actor.zone)).date()

    def selecting(self, name: str) -> Component | None:
        """The first component in which this is chosen, or None; it says of which collection."""
        return next(
            (item for item in self.document.every if isinstance(item, SELECTING) and item.select == name),
            None,
        )

    def collection_of(self, name: str) -> str | None:
        """The collection of what is chosen under this name; None for an inbox without records."""
        item = self.selecting(name)
        if isinstance(item, CollectionList):
            return item.collection
        if isinstance(item, Inbox):
            known = next((each for each in inboxes.all_inboxes() if each.id == item.inbox), None)
            return known.source.collection if known and known.source else None
        return None

    def key_of(self, name: str) -> str | None:
        """The key of the chosen record as the address has it, or None."""
        return self.state.get(name) or None

    def input(self, name: str) -> Any:
        """The value of an input; None where it is empty."""
        item = next(
            (each for each in self.document.every if isinstance(each, INPUTS) and each.name == name), None
        )
        given = self.state.get(name)
        match item:
            case Toggle(default=default):
                return default if given is None else given == "1"
            case Date(default_days=days):
                if given is None and days is not None:
                    return self.today + timedelta(days=days)
                return date_of(given) if given else None
            case Input(default=default) | Dropdown(default=default):
                return (given if given is not None else default) or None
        return given or None

    def chosen(self, path: str) -> RecordPage:
        """The chosen record, or the one that relations lead to from it: `charge.customer`. Raises Choose, Gone, NotFound, SourceDown."""
        name, *ways = path.split(".")
        collection_id, key = self.collection_of(name), self.key_of(name)
        if collection_id is None:
            raise Gone(f"Nothing selects {name} here.")
        if key is None:
            raise Choose(records.collection(collection_id).label_one)
        page = self._record(collection_id, key)
        for way in ways:
            page = self._led(page, way)
        return page

    def _led(self, page: RecordPage, way: str) -> RecordPage:
        relation = page.collection.relation(way)
        if relation is None or relation.kind != "to_one":
            raise Gone(f"There is no relation {way} in {page.collection.label} to one record any more.")
        if any(here not in page.record.values for here, _ in relation.columns):
            raise NotFound(hidden=True)
        key = records.record_keys.encode([page.record.values[here] for here, _ in relation.columns])
        if key is None or any(page.record.values[here] is None for here, _ in relation.columns):
            raise Gone(f"{page.record.title} has no {uncapitalised(relation.label)}.", mendable=False)
        return self._record(relation.collection, key)

    def _record(self, collection_id: str, key: str) -> RecordPage:
        """The record, read once for all components."""
        found = self._records.get((collection_id, key))
        if found is None:
            try:
                found = browse.record(self.actor, collection_id, key, labels=True)
            except ConsoleError as error:
                found = error
            self._records[collection_id, key] = found
        if isinstance(found, ConsoleError):
            raise found
        return found

    def roots(self, uses: Sequence[Expression]) -> dict[str, Any]:
        """The roots of these expressions. Raises Choose if one looks at something that is not chosen yet; and what `chosen` raises."""
        paths = [path for each in uses for path in expressions.paths(each)]
        selected = {path[1] for path in paths if path[0] == "selected" and len(path) > 1}
        inputs = {path[1] for path in paths if path[0] == "input" and len(path) > 1}
        me = self.actor.attributes
        return {
            "selected": {
                name: self._values(
                    self.chosen(name), [path[2:] for path in paths if path[:2] == ("selected", name)]
                )
                for name in selected
            },
            "input": {name: self.input(name) for name in inputs},
            "me": me,
            "currentUser": me,
            "now": self.now,
        }

    def _values(self, page: RecordPage, ways: Sequence[tuple[str, ...]]) -> dict[str, Any]:
        """The values of the record; under the name of a relation that one of the `ways` begins with those of the record that it leads to, None without one."""
        made = {
            **page.collection.typed(page.record.values),
            "key": page.record.key,
            "title": page.record.title,
        }
        for way in {
            way[0] for way in ways if len(way) > 1 and way[0] not in made and page.collection.relation(way[0])
        }:
            try:
                made[way] = self._values(
                    self._led(page, way), [rest[1:] for rest in ways if rest[:1] == (way,)]
                )
            except Gone as gone:
                if gone.mendable:
                    raise
                made[way] = None
        return made

    def render(self, template: str, written: Callable[[str], str] = str) -> str:
        """The template with its values, fields of a chosen record as its page has them, each as `written` gives it. Raises what `roots` raises."""
        roots = self.roots(expressions.templates(template))
        parts = expressions.active_parts(template, roots)
        return "".join(part if isinstance(part, str) else written(self._words(part, roots)) for part in parts)

    def _words(self, part: Expression, roots: Mapping[str, Any]) -> str:
        match part.node:
            case Path(root="selected", steps=(str(name), *ways, str(column))) if roots["selected"].get(
                name
            ) and self._leads(name, ways, roots):
                page = self.chosen(".".join((name, *map(str, ways))))
                item, value = page.collection.by_name.get(column), page.record.values.get(column)
                if (
                    item is not None
                    and value not in (None, "")
                    and (item.stored != "text" or item.references or item.options)
                ):
                    values = formats.with_currencies(page.record.values, page.collection.currencies)
                    look = replace(Look.of(self.actor), records=page.named)
                    return formats.text(formats.kind(item, page.collection.key), values[column], look)
        return expressions.value_text(part.value(roots))

    @staticmethod
    def _leads(name: str, ways: Sequence[Any], roots: Mapping[str, Any]) -> bool:
        """Whether relations lead from the chosen record to another one."""
        here: Any = roots["selected"][name]
        for way in ways:
            here = here.get(way) if isinstance(here, dict) and "title" in here else None
        return isinstance(here, dict) and "title" in here

    def address(self, template: str) -> str:
        """The template as an address: values are percent-encoded, so that none of them can lead elsewhere. Raises what `roots` raises."""
        roots = self.roots(expressions.templates(template))
        parts = expressions.active_parts(template, roots)
        return "".join(
            part if isinstance(part, str) else quote(expressions.value_text(part.value(roots)), safe="")
            for part in parts
        )

    def shows(self, item: Any) -> bool:
        """Whether the component's condition certainly holds; what is not chosen yet is unknown."""
        if item.visible_if is None:
            return True
        expression = expressions.parse(item.visible_if)
        try:
            roots = self.roots([expression])
            return with_midnights(expression, self._is_moment, roots, self.actor.zone).test(roots)
        except (Choose, Gone, ConsoleError):
            return False

    def _is_moment(self, path: Path) -> bool:
        """Whether a path leads to a moment of a chosen record."""
        if path.root != "selected" or len(path.steps) < 2:
            return False
        name, *ways, column = map(str, path.steps)
        with suppress(Gone):
            field = self.chosen(".".join((name, *ways))).collection.by_name.get(column)
            return field is not None and field.stored == "datetime"
        return False

    def conditions(
        self, collection: Collection, scope: Scope, item: Any
    ) -> tuple[list[Chosen], dict[str, Any]]:
        """(the conditions of a list or chart, its segment first; their roots). One over an input that is empty is left out, days are the reader's.

        Raises Choose; Gone for a segment that is no longer there, or a condition over a field that is gone or hidden from the reader.
        """
        segments: list[Chosen] = [self._segment(collection, scope, item.segment)] if item.segment else []
        found: list[Expression] = [each for each in segments if isinstance(each, Expression)]
        for text in item.where:
            expression = expressions.parse(text)
            named = {
                path[1] for path in expressions.paths(expression) if path[0] == "input" and len(path) > 1
            }
            if all(self.input(name) is not None for name in named):
                found.append(expression)
        for expression in found:
            require_fields(collection, scope, expression)
        roots = self.roots(found)
        made = [each if each in segments else self.in_days(each, collection, roots) for each in found]
        return [*(each for each in segments if not isinstance(each, Expression)), *made], roots

    def in_days(self, expression: Expression, collection: Collection, roots: Mapping[str, Any]) -> Expression:
        """The condition with the reader's midnights in place of days."""
        return with_midnights(expression, of_record(collection), {"now": self.now, **roots}, self.actor.zone)

    def _segment(self, collection: Collection, scope: Scope, segment_id: str) -> Chosen:
        segment = collection.segment(segment_id)
        if segment is None:
            raise Gone(f"There is no segment {segment_id} in {collection.label} any more.")
        if segment.sql is None:
            return expressions.parse(segment.filter)
        if segment.fields & scope.hidden:
            raise Gone(
                f"You may not see a field of {collection.label}, on which the segment {segment.label} depends.",
                mendable=False,
            )
        return KeySelect(segment.sql, partial(browse.reach, self.actor))

    def open_tab(self, item: Tabs) -> str:
        """The id of the open tab."""
        chosen, tabs = self.state.get(item.name), self.tabs_of(item)
        return next((tab.id for tab in tabs if tab.id == chosen), tabs[0].id)

    def tabs_of(self, item: Tabs) -> Sequence[Tab]:
        """The tabs in which the reader may see something; all of them where that is none, for then each says why."""
        return [
            tab for tab in item.tabs if not tab.components or not all(map(self._is_closed, tab.components))
        ] or item.tabs

    def _is_closed(self, item: Component) -> bool:
        """Whether the reader sees nothing there, whatever is chosen: an inbox or a collection that is not theirs."""
        match item:
            case Inbox(inbox=inbox):
                return all(each.id != inbox for each in inboxes.inboxes_of(self.actor))
            case CollectionList(collection=collection):
                return access.scope_for(self.actor, collection, "browse").nothing
        return False


def require_fields(collection: Collection, scope: Scope, expression: Expression) -> None:
    """Raises Gone if the expression looks at a field that is gone or hidden: who may not see it must not learn it from which rows come."""
    for path in expressions.paths(expression):
        if path[0] != "record" or len(path) < 2:
            continue
        name = path[1]
        known = (
            name in collection.by_name
            or collection.relation(name) is not None
            or collection.field(name) is not None
        )
        if not known:
            raise Gone(f"There is no field {name} in {collection.label} any more.")
        if name in scope.hidden:
            field_ = collection.by_name.get(name)
            raise Gone(
                f"You may not see {field_.label if field_ else name} of {collection.label}, on which this depends.",
                mendable=False,
            )


def state_names(document: Workspace) -> frozenset[str]:
    """All names that the address of the workspace may hold."""
    found = {str(item.name) for item in document.every if isinstance(item, (*INPUTS, Tabs))}
    found |= {str(item.select) for item in document.every if isinstance(item, SELECTING) and item.select}
    return frozenset(found.union(*(own_names(item) for item in document.every)))


def own_names(item: Any) -> frozenset[str]:
    """What a component keeps in the address for itself: where its list goes on, the currency of its chart."""
    match item:
        case CollectionList():
            return frozenset({f"{item.id}_after"})
        case Chart():
            return frozenset({f"{item.id}_currency"})
    return frozenset()


def state_of(document: Workspace, given: Mapping[str, str]) -> dict[str, str]:
    """What an address says of this workspace; other parameters and overlong values are left out."""
    names = state_names(document)
    return {name: value for name, value in given.items() if name in names and len(value) <= LONGEST}


TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def with_midnights(
    expression: Expression, is_moment: Callable[[nodes.Path], bool], roots: Mapping[str, Any], zone: str
) -> Expression:
    """The condition with moments in place of the days with which moments are compared: `<=` a day holds until it ends."""

    def written(node: nodes.Node) -> nodes.Node:
        match node:
            case nodes.Junction(items=items):
                return replace(node, items=tuple(map(written, items)))
            case nodes.Not(item=item):
                return replace(node, item=written(item))
            case nodes.Compare(operator=operator, left=left, right=right):
                for moment, other, read in (
                    (left, right, operator),
                    (right, left, TURNED.get(operator, operator)),
                ):
                    if (
                        isinstance(moment, nodes.Path)
                        and is_moment(moment)
                        and (day := _day(other, roots)) is not None
                    ):
                        return _within(node, read, moment, day, zone)
        return node

    made = written(expression.node)
    return expression if made == expression.node else Expression(f"{expression.text} (days of {zone})", made)


def of_record(collection: Collection) -> Callable[[nodes.Path], bool]:
    """Whether a path leads to a moment of the record."""

    def is_moment(path: nodes.Path) -> bool:
        field = (
            collection.by_name.get(str(path.steps[0]))
            if path.root == "record" and len(path.steps) == 1
            else None
        )
        return field is not None and field.stored == "datetime"

    return is_moment


def _day(node: nodes.Node, roots: Mapping[str, Any]) -> date | None:
    """The day that this comes to whatever the record is, or None."""
    if any(isinstance(each, nodes.Path) and each.root == "record" for each in nodes.walk(node)):
        return None
    value = Expression("", node).value(roots)
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def _within(node: nodes.Compare, operator: str, moment: nodes.Node, day: date, zone: str) -> nodes.Node:
    try:
        begins, ends = (nodes.Literal(midnight(each, zone)) for each in (day, day + timedelta(days=1)))
    except OverflowError:
        return node

    def compared(how: str, with_: nodes.Literal) -> nodes.Compare:
        return replace(node, operator=how, left=moment, right=with_)

    match operator:
        case ">=" | "<":
            return compared(operator, begins)
        case ">":
            return compared(">=", ends)
        case "<=":
            return compared("<", ends)
    same = nodes.Junction("all", (compared(">=", begins), compared("<", ends)), node.depth)
    if operator == "==":
        return same
    other = (
        compared("<", begins),
        compared(">=", ends),
        replace(node, operator="==", left=moment, right=nodes.Literal(None)),
    )
    return nodes.Junction("any", other, node.depth)
