"""Finding records of all collections that somebody may see, by a name, a number, an e-mail or a telephone number.

The sources are asked at the same time, each collection in one short statement. A source that does not answer says so in its own place. What was
found is noted in the log as a look at each collection, with the text sealed.
"""

import os
import re
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from itertools import groupby

from console import records
from console.browse import naming
from console.browse.record_lists import collections, note_on, view_scope
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field
from console.core.errors import ConsoleError, TooSlow
from console.core.filters import Test
from console.core.scopes import Scope
from console.records import Hits, Record, quick_search, search

READ = 21
"""Records read of each collection; more are not counted."""
STATEMENT_S, ONE_S = 0.4, 1.0
WHOLE_S = 2.5
DETAILS = 2
SHOWN_TYPES = frozenset({"text", "email", "phone", "enum", "url"})
SHORTEST, TELLING = 2, 4

_pool: tuple[int, ThreadPoolExecutor] | None = None
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Hit:
    """A found record. `details` are fields that stand beside its title, the one in which it was found first; `state` the field of its badge.

    `weak`: the text stands in the middle of a word, which for three letters says little.
    """

    record: Record
    details: tuple[Field, ...]
    state: Field | None
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """What was found in one collection, the best first; `more`: there are more than these."""

    collection: Collection
    hits: list[Hit]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found. `down` are sources that did not answer, with the reason; `partly` collections that were searched by beginnings alone;
    `skipped` collections that were not searched, because they are large and no index of theirs helps; `cut` those of which a part was searched, because
    too much fits or it took too long.
    """

    groups: list[Group]
    down: dict[str, str]
    partly: list[Collection]
    skipped: list[Collection]
    cut: list[Collection] = field(default_factory=list)


def find(actor: Actor, text: str, only: str | None = None) -> Answer:
    """Records whose title, number, e-mail or other searched field the text names. `only`: in this collection. Raises nothing for a source."""
    text = " ".join(text.split())[: search.LONGEST]
    seen = [item for item in collections(actor) if only in (None, item.id)]
    with_tables = {item.source for item in seen if item.kind == "table"}
    seen = [
        item for item in seen if item.kind == "table" or item.search or item.source not in with_tables
    ]  # a view repeats what tables hold
    searched = [(item, scope) for item in seen if (scope := _searchable(actor, item)) is not None]
    if len(text) < SHORTEST or not searched:
        return Answer([], {}, [], [])
    found, down = _ask(searched, text, one=only is not None)
    groups = [
        _group(replace(hits, records=naming.called(actor, item, hits.records)), scope, text)
        for (item, scope), hits in zip(searched, [found.get(each.id) for each, _ in searched], strict=True)
        if hits
    ]
    groups = _best(groups, short=len(text) < TELLING)
    for group in groups:
        shown = {"count": len(group.hits), "sort": "", "more": group.more, "has_filter": True}
        note_on(actor, "record_listed", group.collection, open=shown, sealed={"q": text})
    reached = {hits.collection.id: hits.reach for hits in found.values()}
    partly = [item for item, _ in searched if reached.get(item.id) == "beginnings"]
    skipped, cut = (
        [item for item, _ in searched if reached.get(item.id) in reach]
        for reach in (("nothing",), ("some", "slow"))
    )
    return Answer(groups, down, partly, skipped, cut)


def find_called(actor: Actor, text: str, collection_id: str, after: frozenset[str] = frozenset()) -> Answer:
    """What `find` finds in one collection; where that is nothing, its records that are called after others, by the names of these. `after`: asked already."""
    answer = find(actor, text, only=collection_id)
    collection = next((item for item in collections(actor) if item.id == collection_id), None)
    if answer.groups or collection is None or collection_id in after:
        return answer
    scope, hits = view_scope(actor, collection), []
    for name in naming.joined(collection):
        led = find_called(actor, text, str(collection.by_name[name].references), after | {collection_id})
        keys = [records.value_of_key(str(hit.record.key)) for group in led.groups for hit in group.hits]
        if keys and name not in scope.hidden:
            page = records.page(
                collection_id,
                scope,
                where=Test(name, "in", keys),
                limit=READ,
                fields=_read(collection, scope),
            )
            hits += [Hit(record, (), None) for record in naming.called(actor, collection, page.rows)]
    return replace(answer, groups=[Group(collection, hits)]) if hits else answer


def _searchable(actor: Actor, collection: Collection) -> Scope | None:
    """The actor's scope, if there is something that they could find."""
    if not collection.key:
        return None
    scope = view_scope(actor, collection)
    return None if scope.nothing or not search.telling_fields(collection, scope.hidden) else scope


def _ask(
    searched: Sequence[tuple[Collection, Scope]], text: str, *, one: bool
) -> tuple[dict[str, Hits], dict[str, str]]:
    """(collection → what was found, source → why it did not answer). `one`: a single collection was asked for, which is looked through where it has to be."""
    waiting: dict[Future[list[Hits]], str] = {}
    by_source = groupby(sorted(searched, key=lambda each: each[0].source), key=lambda each: each[0].source)
    for source, members in by_source:
        searches = [(item, scope, _read(item, scope)) for item, scope in members]
        waiting[
            _threads().submit(
                quick_search.find,
                searches,
                text,
                limit=READ,
                seconds=ONE_S if one else STATEMENT_S,
                through=one,
            )
        ] = source
    wait(waiting, timeout=WHOLE_S)
    found: dict[str, Hits] = {}
    down: dict[str, str] = {}
    for future, source in waiting.items():
        if not future.done():
            future.cancel()
            down[source] = f"The data source {source} did not answer in time."
            continue
        try:
            found |= {hits.collection.id: hits for hits in future.result()}
        except TooSlow:
            down[source] = f"The data source {source} did not answer in time."
        except ConsoleError as error:
            down[source] = error.message
    return found, down


def _threads() -> ThreadPoolExecutor:
    """Eight threads of this process, which ask the sources."""
    global _pool  # noqa: PLW0603 (one pool for each process; a fork makes its own)
    with _lock:
        if _pool is None or _pool[0] != os.getpid():
            _pool = (os.getpid(), ThreadPoolExecutor(8, thread_name_prefix="find"))
        return _pool[1]


def _read(collection: Collection, scope: Scope) -> list[str]:
    """Names of the fields that a hit may show."""
    searched = [field.name for field in search.telling_fields(collection, scope.hidden)]
    return list(
        dict.fromkeys(
            [
                *collection.title_fields,
                *naming.made_of(collection),
                *searched,
                *(field.name for field in _beside(collection, scope)),
                *_state(collection),
            ]
        )
    )


def _state(collection: Collection) -> list[str]:
    badge = collection.summary.get("badge")
    return [str(badge)] if badge else []


def _beside(collection: Collection, scope: Scope) -> list[Field]:
    """Fields of the list that say which one it is."""
    readable = {item.name: item for item in collection.readable(scope)}
    named = {*collection.title_fields, *_state(collection)}
    listed = [readable[name] for name in collection.columns if name in readable and name not in named]
    return [
        item
        for item in listed
        if item.type in SHOWN_TYPES and item.references is None and item.computed is None
    ]


def _group(hits: Hits, scope: Scope, text: str) -> Group:
    words = [word.casefold() for word in text.split()]
    searched = search.telling_fields(hits.collection, scope.hidden)
    ranked = sorted(
        hits.records,
        key=lambda record: (_rank(record, searched, text.casefold(), words), record.title.casefold()),
    )
    return Group(
        hits.collection,
        [_hit(hits.collection, scope, record, searched, words) for record in ranked],
        hits.more,
    )


def _rank(record: Record, searched: Sequence[Field], text: str, words: Sequence[str]) -> int:
    """0 for a field that is the text, then titles that begin with it, titles with a word that does, and others."""
    values = [str(record.values.get(field.name) or "").casefold() for field in searched]
    title = record.title.casefold()
    if text in values or text == title:
        return 0
    if title.startswith(text):
        return 1
    return 2 if any(part.startswith(word) for part in title.split() for word in words) else 3


def _best(groups: Sequence[Group], *, short: bool) -> list[Group]:
    """The groups with hits, tables before views. Weak hits are left out where there are others, and of a `short` text always."""
    if short or any(not hit.weak for group in groups for hit in group.hits):
        groups = [replace(group, hits=[hit for hit in group.hits if not hit.weak]) for group in groups]
    return sorted(
        (group for group in groups if group.hits), key=lambda group: group.collection.kind == "view"
    )


def _hit(
    collection: Collection, scope: Scope, record: Record, searched: Sequence[Field], words: Sequence[str]
) -> Hit:
    title = record.title.casefold()
    inside = [
        field
        for field in searched
        if field.name not in collection.title_fields
        and any(
            word in str(record.values.get(field.name) or "").casefold() and word not in title
            for word in words
        )
    ]
    readable = {item.name for item in collection.readable(scope)}
    state = next(
        (item for item in collection.fields if item.name in _state(collection) and item.name in readable),
        None,
    )
    beside = [
        item
        for item in [*inside[:1], *_beside(collection, scope)]
        if record.values.get(item.name) not in (None, "")
    ]
    texts = [record.title, *(str(record.values.get(field.name) or "") for field in searched)]
    weak = not any(
        re.search(rf"(?<!\w){re.escape(word)}", text, re.IGNORECASE) for word in words for text in texts
    )
    return Hit(
        record,
        tuple({item.name: item for item in beside if item is not state}.values())[:DETAILS],
        state,
        weak,
    )
