"""Events as the API and the pages show them: one JSON shape, with names for ids and a sentence for people.

What things are called is read in at most two statements however many events there are; the steps' titles of a published
version never change and are kept.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from console import sentences
from console.core import outcome_words
from console.core.documents.collections import Collection
from console.core.origins import FORM
from console.core.run.proposal import HIDDEN_MODES
from console.db import tables
from console.db.engine import hot_engine
from console.log import masking
from console.log.body import CLIENT_IP, OF_PEOPLE
from console.log.masking import Hidden, tree, within
from console.log.read import Stored
from console.sentences import Names

PEOPLE = ("holder", "former_holder", "person", "assignee", "substitute", "stands_in_for")
RUN = "run_"


def names_of(
    events: Iterable[Stored],
    records: Mapping[tuple[str, str], str] | None = None,
    *,
    known: Callable[[str], Collection | None],
    own: tuple[str, str] | None = None,
    items: Mapping[tuple[str, int], tuple[int, int]] | None = None,
) -> Names:
    """Names for every id that the sentences of these events use. `records` are titles that the reader may see, by collection and key; `known` finds a
    collection, also one that no document describes; `own` is the record on whose page they stand; `items` are those of `items_of`, where all events are of one run.
    """
    people, collections, workflows, versions = set[str](), set[str](), set[str](), set[tuple[str, int]]()
    fields, actions, workspaces = set[tuple[str, str]](), set[str](), set[str]()
    before: Mapping[str, Any] = {}
    for event in events:
        body, open_data = event.body, event.open
        people.add(str(body["actor"].get("id")))
        people.update(_texts_in([cause.get("person") for cause in open_data.get("caused_by") or () if isinstance(cause, dict)]))
        for key in PEOPLE:
            people.update(_texts_in(value if isinstance(value := open_data.get(key), list) else [value]))
        target, version = body.get("target"), body.get("wf")
        if target and target != before.get("target"):
            collections.add(str(target["coll"]))
        if target:
            fields.update(
                (str(target["coll"]), str(name))
                for name in (*_texts_in(open_data.get("fields")), *_texts_in([open_data.get("field"), open_data.get("relation")]))
            )
        if open_data.get("collection"):
            collections.add(str(open_data["collection"]))
        if open_data.get("action"):
            actions.add(str(open_data["action"]))
        if str(open_data.get("object") or "").startswith("action:"):
            actions.add(str(open_data["object"]).removeprefix("action:"))
        if version and version != before.get("wf"):
            versions.add((str(version["id"]), int(version.get("version") or 0)))
        workspaces.update(_texts_in([open_data.get("workspace")]))
        if open_data.get("workflow"):
            workflows.add(str(open_data["workflow"]))
        before = body  # events of one run have the same ones, by the thousand
    workflows.update(workflow for workflow, _ in versions)
    names = _names_by_kind(people, workflows, actions, {collection for collection, _ in fields}, workspaces)
    steps = _steps_of(versions)
    called = {
        collection: described for collection in sorted(collections | {each for each, _ in fields}) if (described := known(collection))
    }
    derived = {(collection, each.name): each.label for collection, described in called.items() for each in described.fields}
    derived |= {(collection, each.name): each.label for collection, described in called.items() for each in described.relations}
    segments = {(collection, each.id): each.label for collection, described in called.items() for each in described.segments}
    return Names(
        people=names["person"],
        collections={collection: described.label_one for collection, described in called.items()},
        workflows=names["workflow"],
        steps={place: str(step["title"]) for place, step in steps.items()},
        loops=frozenset(place for place, step in steps.items() if step["type"] == "loop"),
        offers=steps,
        items=items or {},
        records=records or {},
        fields={
            (collection, name): label
            for collection, name in fields
            if (label := names["field"].get(f"{collection}\n{name}") or derived.get((collection, name)))
        },
        actions=names["action"],
        workspaces=names["workspace"],
        segments=segments,
        own=own,
    )


def _texts_in(value: Any) -> list[str]:
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def _names_by_kind(
    people: Iterable[str],
    workflows: Iterable[str],
    actions: Iterable[str],
    described: Iterable[str],
    workspaces: Iterable[str],
) -> dict[str, dict[str, str]]:
    """Names by kind and id; those of the fields and relations of the `described` collections by collection and field, a line break between them."""
    person, collection, workflow, action, workspace = (
        table.c for table in (tables.person, tables.collection, tables.workflow, tables.action, tables.workspace)
    )
    fields = (
        sa.func.jsonb_each(sa.func.coalesce(collection.document["fields"], sa.text("'{}'::jsonb")))
        .table_valued("key", "value")
        .lateral("field")
    )
    relations = (
        sa.func.jsonb_array_elements(sa.func.coalesce(collection.document["relations"], sa.text("'[]'::jsonb")))
        .table_valued(sa.column("value", JSONB))
        .lateral("relation")
    )
    relation = relations.c.value
    parts = sa.union_all(
        sa.select(sa.literal("person").label("of"), person.id, person.name).where(person.id.in_(sorted(people))),
        sa.select(sa.literal("workflow"), workflow.id, workflow.title).where(workflow.id.in_(sorted(workflows))),
        sa.select(sa.literal("action"), action.id, action.title).where(action.id.in_(sorted(actions))),
        sa.select(sa.literal("field"), collection.id.op("||")(sa.literal("\n")).op("||")(fields.c.key), fields.c.value.op("->>")("label"))
        .select_from(tables.collection)
        .join(fields, sa.true())
        .where(collection.id.in_(sorted(described)), fields.c.value.op("->>")("label").is_not(None)),
        sa.select(sa.literal("field"), collection.id.op("||")(sa.literal("\n")).op("||")(relation["name"].astext), relation["label"].astext)
        .select_from(tables.collection)
        .join(relations, sa.true())
        .where(collection.id.in_(sorted(described)), relation["label"].astext.is_not(None)),
        sa.select(sa.literal("workspace"), workspace.id, sa.cast(workspace.document, JSONB)["title"].astext).where(
            workspace.id.in_(sorted(workspaces)), workspace.document.is_not(None)
        ),
    )
    by_kind: dict[str, dict[str, str]] = {kind: {} for kind in ("person", "workflow", "action", "field", "workspace")}
    with hot_engine().connect() as connection:
        for kind, key, name in connection.execute(parts):
            by_kind[kind][key] = name
    return by_kind


def items_of(events: Iterable[Stored]) -> dict[tuple[str, int], tuple[int, int]]:
    """(step, attempt) → which time the step was come to, and at which item of its list. `events` are those of one run from its first on."""
    places, last = dict[tuple[str, int], tuple[int, int]](), dict[str, tuple[int, int]]()
    for event in events:
        if event.type == "step_entered":
            step, (time, item) = event.body["step"], last.get(event.body["step"]["id"], (0, 0))
            last[step["id"]] = places[(step["id"], step["attempt"])] = (time, item + 1) if event.open.get("iteration") else (time + 1, 1)
    return places


_kept: dict[tuple[str, int], dict[str, dict[str, Any]]] = {}
KEPT_MOST = 500


def _steps_of(versions: Iterable[tuple[str, int]]) -> dict[tuple[str, int, str], dict[str, Any]]:
    """(workflow, version, step) → title, type, and the settings that name its outcomes; for published versions."""
    wanted = set(versions)
    lacking = sorted(wanted - _kept.keys())
    if lacking:
        published = tables.workflow_version.c
        find = sa.select(published.workflow, published.number, published.document).where(
            sa.tuple_(published.workflow, published.number).in_(lacking)
        )
        with hot_engine().connect() as connection:
            for workflow, number, document in connection.execute(find):
                if len(_kept) >= KEPT_MOST:
                    _kept.clear()
                _kept[(workflow, number)] = _steps(bytes(document))
    return {(*version, step): known for version in wanted for step, known in _kept.get(version, {}).items()}


def _steps(document: bytes) -> dict[str, dict[str, Any]]:
    return {
        str(step["id"]): {
            "title": str(step.get("title") or ""),
            "type": step.get("type"),
            "config": {name: value for name, value in (step.get("config") or {}).items() if name in outcome_words.OFFERING},
        }
        for step in orjson.loads(document).get("steps") or []
    }


def as_json(event: Stored, names: Names, *, hidden: Hidden, whole: bool = True, addresses: bool = False) -> dict[str, Any]:
    """EVENT of the API. `hidden` says which fields this reader may not read; `whole` False leaves all sealed values out, `addresses` tells from where
    people acted: who may read the activity log knows that.

    `data` holds the open values and the sealed ones under their names; what is erased or may not be read is null, with its
    path in `masked`.
    """
    body = event.body
    target, step, actor = body.get("target") or {}, body.get("step") or {}, body["actor"]
    version = body.get("wf") or {}
    chain = str(body["run"])
    hidden_within = within(
        hidden, version.get("id"), version.get("version"), step_of(event), chain if chain.startswith(RUN) and whole else None
    )
    data, masked = _data(event, hidden_within, target.get("coll"), whole=whole)
    if addresses and whole and "caused_by" in data:
        known = event.values.get("addresses") or {}
        data["caused_by"] = [{**cause, "address": known.get(str(place))} for place, cause in enumerate(data["caused_by"])]
    return {
        "n": event.n,
        "pos": event.pos,
        "id": event.id,
        "kind": event.type,
        "createdAt": body["at"],
        "run": chain if chain.startswith(RUN) else None,
        "step": step.get("id"),
        "attempt": step.get("attempt"),
        "actor": {"kind": actor.get("kind"), "id": actor.get("id"), "name": sentences.actor_name(actor, names)},
        "address": event.sealed.get(CLIENT_IP) if addresses and whole else None,
        "team": actor.get("team"),
        "collection": target.get("coll"),
        "record": target.get("key"),
        "sentence": sentence(event, names),
        "data": data,
        "leaf": event.leaf.hex(),
        "masked": masked,
    }


def sentence(event: Stored, names: Names) -> str:
    """The event as one line for people, without a full stop."""
    return sentences.sentence(event.body, names)


def _data(event: Stored, hidden: Hidden, collection: str | None, *, whole: bool) -> tuple[dict[str, Any], list[str]]:
    committed = {name for name in event.body["data"]["sealed"] if name.partition("/")[0] not in {masking.LOADED, *OF_PEOPLE}}
    sealed = {name: event.sealed[name] for name in committed & event.sealed.keys()} if whole else {}
    if event.open.get("mode") in HIDDEN_MODES and event.type == "proposal_made":
        sealed = {}  # what is only recorded is compared with what people do without it: nobody is shown it beside the step
    nested, masked = tree(sealed, committed - sealed.keys(), "data")
    shown, left_out = masking.event(nested, "data", hidden, collection, event.type, event.open.get("collection"))
    open_data = dict(event.open)
    if open_data.get("wanted") is not None and FORM in getattr(hidden, "names", ()):
        open_data["wanted"], left_out = None, [*left_out, "data.wanted"]
    return {**open_data, **shown}, sorted([*masked, *left_out])


def step_of(event: Stored) -> str | None:
    """The step that made the values of the event; None: it may have been any."""
    step = event.open.get("target_step") if event.type == "context_supplied" else (event.body.get("step") or {}).get("id")
    return str(step) if step is not None else None
