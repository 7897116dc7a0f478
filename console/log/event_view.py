"""Events as the API and the pages show them: one JSON shape, with names for ids and a sentence for people.

Their names are those of the time: of a collection, workspace or action those of the version that was in force, of a workflow and its steps those of the
version that ran. What things are called is read in at most two statements however many events and versions there are; a published version never changes and is kept.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from operator import itemgetter
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from console.core import outcome_words
from console.core.documents.collections import Collection, Relation
from console.core.origins import FORM, KEY
from console.core.run.proposal import HIDDEN_MODES
from console.formats import sentences
from console.formats.sentences import Names
from console.infra.db import tables
from console.infra.db.engine import read_rows
from console.log import masking
from console.log.body import CLIENT_IP, OF_PEOPLE
from console.log.masking import Hidden, hidden_of_run, tree
from console.log.read import Stored

T = TypeVar("T")
PEOPLE = ("holder", "former_holder", "person", "assignee", "substitute", "stands_in_for")
RUN = "run_"
STARTED = "run_started"
OF_WORKFLOW = frozenset({"workflow_created", "workflow_changed", "workflow_deleted"})
"""Kinds of events that seal what a workflow was called, which may have no version yet."""


KnownAt = Callable[[datetime], Mapping[str, Collection]]


class DatedNames:
    """What the ids of some events were called when each of them was written."""

    def __init__(
        self, changed_at: Iterable[datetime], names_at: Callable[[datetime], Names], known_at: KnownAt
    ) -> None:
        """`changed_at` are the moments at which something got another name, `names_at` and `known_at` tell the names and the collections of a moment."""
        self._known_at = known_at
        self._moments = sorted(set(changed_at))
        self._names_at = names_at
        self._made: dict[int, Names] = {}

    def of(self, event: Stored) -> Names:
        """The names at the moment of this event, with those of today."""
        place = bisect_right(self._moments, event.at)
        if place not in self._made:
            self._made[place] = self._names_at(
                self._moments[place - 1] if place else datetime.min.replace(tzinfo=UTC)
            )
        return self._made[place]

    def title(self, event: Stored) -> str | None:
        """What the event's record was called, where the log kept it."""
        titled = self.of(event).titled
        return titled.get(event.id) or titled.get(event.body["run"])

    def collections(self, event: Stored) -> Mapping[str, Collection]:
        """The collections that the events speak of, as they were called at the moment of this event."""
        return self._known_at(event.at)


Described = Callable[
    [Iterable[str], Mapping[str, Sequence[tuple[datetime, str]]]],
    Mapping[str, tuple[Collection, Sequence[tuple[datetime, Collection]]]],
]
"""Collections by their id, and since when each version of their documents (by its hash, "" for that of today) is in force → what they are today, and what they were called since when."""


def names_of(
    events: Sequence[Stored],
    records: Mapping[tuple[str, str], str] | None = None,
    *,
    described: Described,
    begun: Mapping[str, Stored] | None = None,
    hidden: Hidden = lambda _: frozenset(),
    beside: Iterable[str] = (),
    apart: bool = False,
    own: tuple[str, str] | None = None,
    items: Mapping[tuple[str, int], tuple[int, int]] | None = None,
) -> DatedNames:
    """Names for every id that the sentences of these events use, as they were when the event was written; people by the name that they have today, because the id is what is proved.

    `records` are titles of today that the reader may see, by collection and key. Those of the time stand in the opened events themselves, and in those with which runs have `begun`, by the run; `hidden` says
    what the reader may not read of them. `described` finds collections, also those that no document describes; `apart` adds what tells one from others that are called alike, `beside` are further ones to know. `own` is the record on whose
    page they stand; `items` are those of `items_of`, where all events are of one run.
    """
    people, collections, workflows, versions = set[str](), set(beside), set[str](), set[tuple[str, int]]()
    actions, workspaces = set[str](), set[str]()
    first, last = datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)
    before: Mapping[str, Any] = {}
    opened: list[Stored] = []
    for event in chain(events, (begun or {}).values()):
        body, open_data = event.body, event.open
        opened += [event] if event.sealed else []
        first, last = min(first, event.at), max(last, event.at)
        people.add(str(body["actor"].get("id")))
        people.update(
            _texts_in(
                [cause.get("person") for cause in open_data.get("caused_by") or () if isinstance(cause, dict)]
            )
        )
        for key in PEOPLE:
            people.update(_texts_in(value if isinstance(value := open_data.get(key), list) else [value]))
        target, version = body.get("target"), body.get("wf")
        if target and target != before.get("target"):
            collections.add(str(target["coll"]))
        if open_data.get("collection"):
            collections.add(str(open_data["collection"]))
        if open_data.get("action"):
            actions.add(str(open_data["action"]))
        kind, _, name = str(open_data.get("object") or "").partition(":")
        if kind == "action":
            actions.add(name)
        if kind == "collection":
            collections.add(name)
        if version and version != before.get("wf"):
            versions.add((str(version["id"]), int(version.get("version") or 0)))
        workspaces.update(_texts_in([open_data.get("workspace")]))
        if open_data.get("workflow"):
            workflows.add(str(open_data["workflow"]))
            if isinstance(open_data.get("version"), int):
                versions.add((str(open_data["workflow"]), open_data["version"]))
        before = body  # events of one run have the same ones, by the thousand
    found = _read_names(
        people,
        workflows,
        {workflow for workflow, _ in versions},
        actions,
        collections,
        workspaces,
        first,
        last,
    )
    live = {row.id: row.number for row in found["workflow"] if row.number is not None}
    published = [
        (row.of, row.number) for kind in ("workflow_version", "action_version") for row in found[kind]
    ]
    titles, steps = _steps_of({*versions, *live.items(), *published})
    called = described(
        collections, _by_id((row.id, row.since, row.name) for row in found["collection_version"])
    )
    dated: dict[str, dict[str, list[tuple[datetime, str]]]] = {
        "workflows": _by_id(
            (row.id, row.since, titles.get((row.of, row.number), "")) for row in found["workflow_version"]
        ),
        "actions": _by_id(
            (row.id, row.since, titles.get((row.of, row.number), "")) for row in found["action_version"]
        ),
        "workspaces": _by_id((row.id, row.since, row.name) for row in found["workspace_version"]),
    }
    known_today = {collection: known for collection, (known, _) in called.items()}
    today = Names(
        people={row.id: row.name for row in found["person"]},
        workflows={row.id: row.name for row in found["workflow"]},
        actions={row.id: row.name for row in found["action"]},
        workspaces={row.id: row.name for row in found["workspace"]},
        steps={place: str(step["title"]) for place, step in steps.items()},
        loops=frozenset(place for place, step in steps.items() if step["type"] == "loop"),
        offers=steps,
        items=items or {},
        records=records or {},
        versions=titles,
        live=live,
        own=own,
        **_labels(known_today, known_today, apart=apart),
    )
    known_since = {collection: versions for collection, (_, versions) in called.items()}

    def known_at(moment: datetime) -> dict[str, Collection]:
        return known_today | _in_force(known_since, moment)

    titled = {
        (event.body["run"] if event.type == STARTED else event.id): title
        for event in opened
        if (title := _title_of_time(event, hidden, known_at)) is not None
    }
    for (
        event
    ) in events:  # what happened to the record of a run elsewhere: a message left, its case file was made
        start = (begun or {}).get(str(event.open.get("run")))
        if (
            start is not None
            and event.id not in titled
            and start.body["run"] in titled
            and start.body.get("target") == event.body.get("target")
        ):
            titled[event.id] = titled[start.body["run"]]

    def at(moment: datetime) -> Names:
        of_time: dict[str, Any] = {
            kind: {**getattr(today, kind), **_in_force(lists, moment)} for kind, lists in dated.items()
        }
        return replace(
            today,
            **of_time,
            **_labels(known_at(moment), known_today, apart=apart),
            titled=titled,
            today=today,
        )

    moments = [since for lists in dated.values() for entries in lists.values() for since, _ in entries]
    moments += [since for entries in known_since.values() for since, _ in entries]
    return DatedNames(moments, at, known_at)


def _title_of_time(event: Stored, hidden: Hidden, known_at: KnownAt) -> str | None:
    """What the record of the event was called when it was written, as this reader may know it: made of the values that they may see. None where that was not kept, or was erased.

    Of a workflow that was made, changed or deleted, what it was called before, or else at first.
    """
    body, told = event.body, event.sealed.get("title")
    if event.type in OF_WORKFLOW:
        return str(event.sealed.get("before/title") or event.sealed.get("after/title") or "") or None
    target, version = body.get("target") or {}, body.get("wf") or {}
    values = event.values.get(masking.TITLED)
    if not isinstance(told, str) or not told or (event.type != STARTED and values is None):
        return None
    collection = known_at(event.at).get(str(target.get("coll")))
    reach = hidden_of_run(
        hidden,
        version.get("id"),
        version.get("version"),
        None,
        body["run"] if event.type == STARTED else None,
    )
    if collection is None or not (isinstance(reach, masking.Within) and reach.titles(collection.id)):
        return told
    return masked_title(collection, values or {}, reach(collection.id), str(target.get("key")))


def masked_title(collection: Collection, values: Mapping[str, Any], closed: frozenset[str], key: str) -> str:
    """The title that these values make for who may not read the `closed` fields."""
    shown = None if KEY in closed else key
    made = collection.title_of({name: value for name, value in values.items() if name not in closed}, shown)
    return f"{collection.label_one} {masking.DOTS}" if made == collection.title_without_name(shown) else made


def _by_id(rows: Iterable[tuple[str, datetime, T]]) -> dict[str, list[tuple[datetime, T]]]:
    """Id → since when it was called what, the earliest first."""
    found: dict[str, list[tuple[datetime, T]]] = {}
    for key, since, name in sorted(rows, key=itemgetter(0, 1)):
        found.setdefault(key, []).append((since, name))
    return found


def _in_force(dated: Mapping[str, Sequence[tuple[datetime, T]]], moment: datetime) -> dict[str, T]:
    """Id → what held at that moment; before the first known change that held which it began with."""
    return {
        key: next((name for since, name in reversed(entries) if since <= moment), entries[0][1])
        for key, entries in dated.items()
        if entries
    }


def _labels(
    called: Mapping[str, Collection], today: Mapping[str, Collection], *, apart: bool
) -> dict[str, Any]:
    """The names that collections give: their own, those of their fields and relations, those of their segments."""

    def label_of(link: Relation) -> str:
        """A relation without a label of its own is called as the collection that it leads to was."""
        then, now = called.get(link.collection), today.get(link.collection)
        own = now is None or link.label not in (now.label, now.label_one)
        if then is None or now is None or own:
            return link.label
        return then.label if link.label == now.label else then.label_one

    return {
        "collections": {
            collection: known.label_one
            + (known.label.removeprefix(known.plain_label) if apart and known.plain_label else "")
            for collection, known in called.items()
        },
        "fields": {
            (collection, name): label
            for collection, known in called.items()
            for name, label in (
                *((field.name, field.label) for field in (*known.stored_fields, *known.computed_fields)),
                *((link.name, label_of(link)) for link in known.relations),
            )
        },
        "segments": {
            (collection, each.id): each.label
            for collection, known in called.items()
            for each in known.segments
        },
    }


def _texts_in(value: Any) -> list[str]:
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def _read_names(
    people: Iterable[str],
    workflows: Iterable[str],
    versioned: Iterable[str],
    actions: Iterable[str],
    collections: Iterable[str],
    workspaces: Iterable[str],
    first: datetime,
    last: datetime,
) -> Mapping[str, list[sa.Row[Any]]]:
    """What these ids are called, and the versions in force from the `first` moment to the `last`: rows (kind, id, of, name, number, since), by their kind.

    Of `versioned` workflows it is known which versions are spoken of. `of` is the workflow of a version: an action is called as the workflow that was made of it. The `name` of a former version of a collection is its hash.
    """
    from console.core.documents.action_document import (
        slug_of,
    )  # loads pydantic, which a command that only says its help does without

    person, workflow, action, workspace = (
        table.c for table in (tables.person, tables.workflow, tables.action, tables.workspace)
    )
    made, described, placed = (
        tables.workflow_version.c,
        tables.collection_version.c,
        tables.workspace_version.c,
    )
    slugs = {slug_of(each): each for each in actions}
    of_slug = sa.case(slugs, value=workflow.slug) if slugs else sa.null()
    nothing, never = sa.null(), sa.cast(sa.null(), tables.Moment)
    parts = sa.union_all(
        sa.select(
            sa.literal("person").label("kind"),
            person.id.label("id"),
            nothing.label("of"),
            person.name.label("name"),
            sa.cast(nothing, sa.Integer).label("number"),
            never.label("since"),
        ).where(person.id.in_(sorted(people))),
        sa.select(
            sa.literal("workflow"), workflow.id, nothing, workflow.title, workflow.live_version, never
        ).where(workflow.id.in_(sorted({*workflows, *versioned}))),
        sa.select(sa.literal("action"), action.id, nothing, action.title, nothing, never).where(
            action.id.in_(sorted(actions))
        ),
        sa.select(
            sa.literal("workspace"), workspace.id, nothing, _title_in(workspace.document), nothing, never
        ).where(workspace.id.in_(sorted(workspaces)), workspace.document.is_not(None)),
        sa.select(
            sa.literal("workflow_version"),
            made.workflow,
            made.workflow,
            nothing,
            made.number,
            made.published_at,
        ).where(
            made.workflow.in_(sorted(workflows)),
            _between(made.workflow, made.number, made.published_at, first, last),
        ),
        sa.select(
            sa.literal("action_version"), of_slug, made.workflow, nothing, made.number, made.published_at
        )
        .select_from(tables.workflow_version.join(tables.workflow, workflow.id == made.workflow))
        .where(
            workflow.slug.in_(sorted(slugs)),
            _between(made.workflow, made.number, made.published_at, first, last),
        ),
        sa.select(
            sa.literal("workspace_version"),
            placed.workspace,
            nothing,
            _title_in(placed.document),
            placed.number,
            placed.made_at,
        ).where(
            placed.workspace.in_(sorted(workspaces)),
            _between(placed.workspace, placed.number, placed.made_at, first, last),
        ),
        sa.select(
            sa.literal("collection_version"),
            described.collection,
            nothing,
            _former_hash(),
            described.number,
            described.made_at,
        ).where(
            described.collection.in_(sorted(collections)),
            _between(described.collection, described.number, described.made_at, first, last),
        ),
    )
    found: dict[str, list[sa.Row[Any]]] = defaultdict(list)
    for row in read_rows(parts):
        found[row.kind].append(row)
    return found


def _former_hash() -> sa.ColumnElement[str]:
    """The hash of a version of a collection; "" for the newest, for since then the document of today holds, whoever else has changed it."""
    version, newest = tables.collection_version.c, tables.collection_version.alias().c
    number = sa.select(sa.func.max(newest.number)).where(newest.collection == version.collection)
    return sa.case(
        (version.number == number.correlate(tables.collection_version).scalar_subquery(), ""),
        else_=version.hash,
    )


def _title_in(document: sa.Column[Any]) -> sa.ColumnElement[str]:
    title: sa.ColumnElement[str] = sa.cast(document, JSONB)["title"].astext
    return title


def _between(
    key: sa.Column[Any], number: sa.Column[Any], at: sa.Column[Any], first: datetime, last: datetime
) -> sa.ColumnElement[bool]:
    """The versions in force from the `first` moment to the `last`, and the very first, which says what held before it: however many others there are."""
    older = key.table.alias().c
    began = sa.select(sa.func.max(older.number)).where(
        older[key.name] == key, older.number > 0, older[at.name] <= first
    )
    return sa.and_(
        number > 0,
        sa.or_(
            number == 1,
            sa.and_(at <= last, number >= sa.func.coalesce(began.correlate(key.table).scalar_subquery(), 1)),
        ),
    )


def items_of(events: Iterable[Stored]) -> dict[tuple[str, int], tuple[int, int]]:
    """(step, attempt) → which time the step was come to, and at which item of its list. `events` are those of one run from its first on."""
    places, last = dict[tuple[str, int], tuple[int, int]](), dict[str, tuple[int, int]]()
    for event in events:
        if event.type == "step_entered":
            step, (time, item) = event.body["step"], last.get(event.body["step"]["id"], (0, 0))
            last[step["id"]] = places[(step["id"], step["attempt"])] = (
                (time, item + 1) if event.open.get("iteration") else (time + 1, 1)
            )
    return places


_kept: dict[tuple[str, int], tuple[str, dict[str, dict[str, Any]]]] = {}
KEPT_MOST = 500


def _steps_of(
    versions: Iterable[tuple[str, int]],
) -> tuple[dict[tuple[str, int], str], dict[tuple[str, int, str], dict[str, Any]]]:
    """The titles of these published versions, and (workflow, version, step) → title, type, and the settings that name its outcomes."""
    wanted = set(versions)
    known = {version: _kept[version] for version in wanted if version in _kept}
    if lacking := sorted(wanted - known.keys()):
        published = tables.workflow_version.c
        find = sa.select(published.workflow, published.number, published.document).where(
            sa.tuple_(published.workflow, published.number).in_(lacking)
        )
        for workflow, number, document in read_rows(find):
            known[(workflow, number)] = (
                str(orjson.loads(bytes(document)).get("title") or ""),
                _steps(bytes(document)),
            )
        if len(_kept) + len(lacking) > KEPT_MOST:
            _kept.clear()
        _kept.update(known)
    return {version: title for version, (title, _) in known.items()}, {
        (*version, step): described
        for version, (_, steps) in known.items()
        for step, described in steps.items()
    }


def _steps(document: bytes) -> dict[str, dict[str, Any]]:
    return {
        str(step["id"]): {
            "title": str(step.get("title") or ""),
            "type": step.get("type"),
            "config": {
                name: value
                for name, value in (step.get("config") or {}).items()
                if name in outcome_words.OFFERING
            },
        }
        for step in orjson.loads(document).get("steps") or []
    }


def as_json(
    event: Stored, names: DatedNames, *, hidden: Hidden, whole: bool = True, addresses: bool = False
) -> dict[str, Any]:
    """EVENT of the API. `hidden` says which fields this reader may not read; `whole` False leaves all sealed values out, `addresses` tells from where
    people acted: who may read the activity log knows that.

    `data` holds the open values and the sealed ones under their names; what is erased or may not be read is null, with its
    path in `masked`.
    """
    body = event.body
    target, step, actor = body.get("target") or {}, body.get("step") or {}, body["actor"]
    version = body.get("wf") or {}
    chain = str(body["run"])
    hidden_within = hidden_of_run(
        hidden,
        version.get("id"),
        version.get("version"),
        step_of(event),
        chain if chain.startswith(RUN) and whole else None,
    )
    data, masked = _data(event, hidden_within, target.get("coll"), whole=whole)
    if addresses and whole and "caused_by" in data:
        known = event.values.get("addresses") or {}
        data["caused_by"] = [
            {**cause, "address": known.get(str(place))} for place, cause in enumerate(data["caused_by"])
        ]
    return {
        "n": event.n,
        "pos": event.pos,
        "id": event.id,
        "kind": event.type,
        "createdAt": body["at"],
        "run": chain if chain.startswith(RUN) else None,
        "step": step.get("id"),
        "attempt": step.get("attempt"),
        "actor": {
            "kind": actor.get("kind"),
            "id": actor.get("id"),
            "name": sentences.actor_name(actor, names.of(event)),
        },
        "address": event.sealed.get(CLIENT_IP) if addresses and whole else None,
        "team": actor.get("team"),
        "collection": target.get("coll"),
        "record": target.get("key"),
        "sentence": sentence(event, names),
        "data": data,
        "leaf": event.leaf.hex(),
        "masked": masked,
    }


def sentence(event: Stored, names: DatedNames) -> sentences.Sentence:
    """The event as one line for people with the names of its time, without a full stop."""
    return sentences.sentence(event.body, names.of(event))


def _data(
    event: Stored, hidden: Hidden, collection: str | None, *, whole: bool
) -> tuple[dict[str, Any], list[str]]:
    committed = {
        name
        for name in event.body["data"]["sealed"]
        if name.partition("/")[0] not in {masking.LOADED, *OF_PEOPLE}
    }
    sealed = {name: event.sealed[name] for name in committed & event.sealed.keys()} if whole else {}
    if event.open.get("mode") in HIDDEN_MODES and event.type == "proposal_made":
        sealed = {}  # what is only recorded is compared with what people do without it: nobody is shown it beside the step
    nested, masked = tree(sealed, committed - sealed.keys(), "data")
    shown, left_out = masking.event(
        nested, "data", hidden, collection, event.type, event.open.get("collection")
    )
    open_data = dict(event.open)
    if open_data.get("wanted") is not None and FORM in getattr(hidden, "names", ()):
        open_data["wanted"], left_out = None, [*left_out, "data.wanted"]
    return {**open_data, **shown}, sorted([*masked, *left_out])


def step_of(event: Stored) -> str | None:
    """The step that made the values of the event; None: it may have been any."""
    step = (
        event.open.get("target_step")
        if event.type == "context_supplied"
        else (event.body.get("step") or {}).get("id")
    )
    return str(step) if step is not None else None
