"""Replay: a run and its screen as they were after any of its events, from the log alone. Nothing can be changed from here."""

from collections.abc import Callable, Collection as Many, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from console import browse, log, records, workflows
from console.auth import access, accounts
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.errors import ConsoleError, NotFound
from console.core.origins import base_collection_id
from console.core.run import Event, Run, fold
from console.formats import Named, sentences
from console.log import event_view, masking
from console.records import catalogue
from console.runs.commands.run_rights import Seen, see
from console.runs.engine.run_causes import causes_shown_to
from console.runs.engine.stepping import chosen_at
from console.runs.store import loaded_rows
from console.runs.store.run_events import as_event
from console.runs.store.run_store import retried
from console.runs.views import block_content, gathered, step_findings
from console.runs.views.blocks_today import blocks_today
from console.runs.views.reader_reach import hidden_from, kept_from, screen_for
from console.runs.views.reading import PATH_SHOWN, by_name, called, masked_run, record_timed_reading
from console.runs.views.screens import Screen
from console.runs.views.view import GONE, RunView, as_json, outline, title_of
from console.workflows import Definition

DECISIONS = frozenset(
    {
        "step_completed",
        "outcome_chosen",
        "step_submitted",
        "step_revised",
        "handled_manually",
        "run_aborted",
        "effect_settled",
        "approval_decided",
    }
)
QUIET = frozenset({"step_shown", "source_opened", "checks_shown"})
ANSWERS = frozenset({"proposal_made", "proposal_failed"})
DONE = frozenset({"step_completed", "step_submitted"})
TOLD = frozenset({"source_opened"}) | DONE
"""Kinds of events whose tick has their open values: opened sources, and what people made of a proposal."""


class Part(NamedTuple):
    """A step of a screen of several: its first and last event, and the one at which it is drawn."""

    first: int
    last: int
    drawn: int


@dataclass(frozen=True)
class ReplayView:
    """A run after event `at` of `last`. `json` is its shape in the API; `run` and `ticks` are for pages, and computed on first use. `names` are those of that moment.

    `now_values` are the record's fields today, if the viewer may read them; None if there is no record. `gone` says why a recorded screen is
    missing: `erased` or `expired`; empty if it is there, or there was none.
    """

    json: dict[str, Any]
    at: int
    last: int
    make_run: Callable[[], RunView]
    make_ticks: Callable[[], Sequence[Mapping[str, Any]]]
    names: sentences.Names
    now_values: Mapping[str, Any] | None = None
    make_parts: Callable[[Sequence[Mapping[str, Any]]], Sequence[Part]] = lambda _ticks: ()
    make_blocks_today: Callable[[], Sequence[Mapping[str, Any]] | None] = lambda: None
    gone: str = ""
    masked: Sequence[str] = field(default_factory=tuple)

    @cached_property
    def run(self) -> RunView:
        """The run at that point, without commands."""
        return self.make_run()

    @cached_property
    def blocks_today(self) -> Sequence[Mapping[str, Any]] | None:
        """The blocks of the screen with what is read today; None where that cannot be told."""
        return self.make_blocks_today()

    @cached_property
    def ticks(self) -> Sequence[Mapping[str, Any]]:
        """All events for the scrubber."""
        return self.make_ticks()

    @cached_property
    def parts(self) -> Sequence[Part]:
        """The steps, or items of a list, that stood on one screen with the present one, in their order; none where it stood alone."""
        return self.make_parts(self.ticks)


class Tick(dict[str, Any]):
    """An event on the scrubber: `n`, `about` (number of the attempt, or None), `kind`, `at`, `actor` (person, automatic), `who`, `ai` (it is about a
    proposal for which a model was asked), `decision`, `quiet`, `told` (its open values, for some kinds), and `sentence`.

    The sentence is built on first use, because a page shows only a few of a long run. Until then the event is kept as bytes.
    """

    def __init__(self, row: log.Row, names: event_view.DatedNames, asked: Many[str]) -> None:
        stored = log.closed(row)
        kind = stored.body["actor"]["kind"]
        person = kind in ("user", "key")
        super().__init__(
            n=stored.n,
            about=stored.open.get("n"),
            kind=stored.type,
            at=stored.at,
            actor="person" if person else "automatic",
            ai=stored.type.startswith("proposal_") and stored.open.get("call") in asked,
            decision=person and stored.type in DECISIONS,
            quiet=stored.type in QUIET,
            who=stored.body["actor"]["id"] if person else None,
            told=stored.open if stored.type in TOLD else {},
            step=stored.body["step"] and stored.body["step"]["id"],
            iteration=bool(stored.open.get("iteration")),
        )
        self._of = row, names

    def __missing__(self, name: str) -> str:
        if name != "sentence":
            raise KeyError(name)
        row, names = self._of
        self[name] = event_view.sentence(log.closed(row), names)
        return str(self[name])


def replay(actor: Actor, run_id: str, at: int | None = None) -> ReplayView:
    """The run after event `at` (None: its last). Raises NotFound if the run has no such event."""
    seen = retried(lambda: record_timed_reading(actor, see(actor, run_id)))
    last = seen.run.seq
    place = last if at is None else at
    if not 1 <= place <= last:
        raise NotFound(f"This run has events 1 to {last}.")
    rows = log.rows(run_id, upto=place)
    state, screen, gone = _then(run_id, rows)
    opened = log.open_values(run_id, [log.closed(rows[0]), log.closed(rows[-1])])
    event, begun = opened[place], browse.naming.titles_kept({run_id: opened[1]})
    definition = (
        seen.definition
        if state.version == seen.run.version
        else workflows.version(state.workflow, state.version)
    )
    with loaded_rows.judged_once():
        hidden = kept_from(
            actor, seen.run.workflow, seen.run.version, None, run=seen.run.id, looking_back=True
        )
        run_json, masked = masked_run(
            actor,
            as_json(state, definition, screen, None, causes_shown_to(actor, state)),
            state,
            looking_back=True,
        )
    moved = rows if opened[1].body["wf"]["version"] != state.version else ()
    if moved:
        _as_entered(run_json["attempts"], moved, state)
    read = (
        {base_collection_id(place) for place in hidden.closed.version.loaded}
        if hidden.closed is not None
        else set()
    )
    names = _names(
        actor,
        seen,
        [event],
        begun,
        hidden,
        event_view.items_of(map(log.closed, rows)),
        beside=_collections_on(screen) | read,
    )
    known = names.collections(event)
    here = masking.at_step(hidden, screen["step"]) if screen else hidden
    panel, more = masking.mask(_record(screen), "screen.record", here, seen.run.collection, values=False)
    blocks, hidden_blocks = masking.mask(
        {"content": (screen or {}).get("content") or []}, "screen", here, seen.run.collection, screen=True
    )
    masked = [*masked, *more, *hidden_blocks]
    return ReplayView(
        json={
            "at": place,
            "last": last,
            "run": run_json,
            "event": event_view.as_json(event, names, hidden=hidden),
            "screen": {"record": panel, **({"content": blocks["content"]} if blocks["content"] else {})},
            "read_only": True,
            "masked": masked,
        },
        at=place,
        last=last,
        make_run=lambda: _view(
            actor,
            seen,
            state,
            definition,
            run_json,
            screen_for(actor, hidden, screen, seen.run.collection, known),
            masked,
            names.of(event),
            known,
            moved,
        ),
        make_ticks=lambda: _ticks(actor, seen, [*rows, *log.rows(run_id, place, upto=last)], begun, hidden),
        names=names.of(event),
        now_values=_readable(seen.record.values, hidden(seen.run.collection)) if seen.record else None,
        make_blocks_today=lambda: blocks_today(
            actor,
            definition,
            state,
            screen or {},
            seen.record,
            log.closed(rows[-1]).at,
            masking.at_step(hidden, (screen or {}).get("step")),
        ),
        make_parts=lambda ticks: _parts(definition, state.current, ticks, place),
        gone=gone,
        masked=masked,
    )


def _parts(
    definition: Definition, current: int | None, ticks: Sequence[Mapping[str, Any]], at: int
) -> list[Part]:
    """The attempts that stood on one screen with the `current` one. Each is drawn as it was handed in once one of them was, before as it was shown."""
    entered = {tick["about"]: tick for tick in ticks if tick["kind"] == "step_entered"}

    def is_below(n: int) -> bool:
        above, here = entered.get(n - 1), entered.get(n)
        if above is None or here is None:
            return False
        if above["step"] == here["step"]:
            return here["iteration"] and gathered.is_one_screen(definition.document.step(here["step"]))
        return definition.document.gathered_after(above["step"])[:1] == (here["step"],)

    if current is None or current not in entered:
        return []
    first = last = current
    while is_below(first):
        first -= 1
    while is_below(last + 1):
        last += 1
    about = [[tick for tick in ticks if tick["about"] == n] for n in range(first, last + 1)]
    handed_in = any(tick["kind"] in DONE and tick["n"] <= at for events in about for tick in events)
    drawn = DONE if handed_in else QUIET
    places = [[tick["n"] for tick in events if tick["kind"] in drawn] or [events[0]["n"]] for events in about]
    parts = [
        Part(events[0]["n"], events[-1]["n"], place[-1]) for events, place in zip(about, places, strict=True)
    ]
    return parts if len(parts) > 1 else []


def _then(run_id: str, rows: Sequence[log.Row]) -> tuple[Run, Screen | None, str]:
    """(the run after these events, the screen of its current step, why that screen is missing). Only this screen is decrypted.

    The screen is the newest that was shown to who caused the last event, else to the holder, else to anybody.
    """
    shown: dict[tuple[int | None, str | None], int] = {}

    def unopened_events() -> Iterator[Event]:
        for stored in log.passing(run_id, rows, unopened=QUIET):
            if stored.type == "step_shown":
                person = stored.body["actor"]["id"]
                shown[stored.open["n"], person] = shown[stored.open["n"], None] = stored.n
            yield as_event(stored)

    state = fold(unopened_events())
    readers = (log.closed(rows[-1]).body["actor"].get("id"), state.holder, None)
    place = next((shown[state.current, who] for who in readers if (state.current, who) in shown), None)
    if place is None:
        return state, None, ""
    last = log.closed(rows[place - 1])
    opened = log.open_values(run_id, [last])[last.n]
    found = opened.values.get("screen")
    return state, dict(found) if found else None, "" if found else next(iter(opened.missing.values()), "")


def screens_shown(actor: Actor, run_id: str) -> dict[tuple[str, int], Screen]:
    """(step, attempt) → the last screen that was shown at it, to who did it where somebody did, as it was then, without what this reader may not see today. Steps without a screen, or whose
    screen was erased, are left out. Raises NotFound for a run that the actor may not see.
    """
    seen = see(actor, run_id)
    hidden = kept_from(actor, seen.run.workflow, seen.run.version, None, run=seen.run.id, looking_back=True)
    events, doers = dict[int, list[Any]](), dict[int, str]()
    for stored in map(log.closed, log.rows(run_id)):
        if stored.type == "step_shown":
            events.setdefault(stored.open["n"], []).append(stored)
        elif stored.type in DONE:
            doers[stored.open["n"]] = stored.body["actor"]["id"]
    for n, every in events.items():
        events[n] = [each for each in every if each.body["actor"]["id"] == doers.get(n)] or every
    drawn = _screens(run_id, [shown[-1] for shown in events.values()])
    asked = [n for n, screen in drawn.items() if screen["type"] == "settle" and len(events[n]) > 1]
    before = (
        _screens(run_id, [stored for n in asked for stored in events[n][:-1]], but="settle") if asked else {}
    )  # what was done there stood on an earlier one
    screens = drawn | before
    last = [events[n][-1] for n in screens]
    names = _names(
        actor, seen, last, {}, hidden, {}, beside=set().union(*map(_collections_on, screens.values()))
    )
    shown = (
        screen_for(actor, hidden, screen, seen.run.collection, names.collections(event))
        for event, screen in zip(last, screens.values(), strict=True)
    )
    return {(screen["step"], screen["attempt"]): screen for screen in shown if screen}


def _screens(run_id: str, events: Sequence[Any], but: str = "") -> dict[int, Screen]:
    """Number of the attempt → the last of the screens that these events recorded, without those of the type `but`."""
    opened = log.open_values(run_id, list(events))
    found = (
        (stored.open["n"], opened[stored.n].values.get("screen")) for stored in events if stored.n in opened
    )
    return {n: screen for n, screen in found if screen and screen["type"] != but}


Today = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Collection → key → values by field. A collection that is not there could not be read; a key that is not there is gone, or out of the reader's scope."""


def rows_today(actor: Actor, screen: Mapping[str, Any]) -> Today:
    """The rows of other records on a screen as they are today and this reader may see them: one statement for each collection."""
    progress = screen.get("progress") or {}
    shown = [*screen.get("tables", ()), *filter(None, (screen.get("picks"), progress.get("item")))]
    wanted: dict[str, tuple[set[str], set[str]]] = {}
    for table in shown:
        keys = {str(row["key"]) for row in table["rows"] if row.get("key") is not None}
        if table.get("collection") and keys:
            known, names = wanted.setdefault(table["collection"], (set(), set()))
            known |= keys
            names |= {column["name"] for column in table["columns"]}
    hidden, found = hidden_from(actor, looking_back=True), dict[str, Mapping[str, Mapping[str, Any]]]()
    for collection, (keys, names) in wanted.items():
        scope = access.scope_for(actor, collection)
        with suppress(
            ConsoleError
        ):  # a source that is down, a collection that is gone: nothing is said of its rows
            fields = {field.name for field in records.collection(collection).fields} & names - hidden(
                collection
            )
            rows = {} if scope.nothing else records.records_by_key(collection, keys, scope, fields)
            found[collection] = {key: record.values for key, record in rows.items()}
    return found


def _record(screen: Screen | None) -> dict[str, Any] | None:
    """The record as it was on the screen, in the shape of the API."""
    panel = (screen or {}).get("record")
    return {name: panel[name] for name in ("collection", "key", "title", "values")} if panel else None


def _readable(values: Mapping[str, Any], hidden: frozenset[str]) -> dict[str, Any]:
    """The values without those that are hidden from who looks back, also where their right to the record alone would show them."""
    return {name: value for name, value in values.items() if name not in hidden}


def _titled(actor: Actor, seen: Seen) -> dict[tuple[str, str], str]:
    """The title of the run's record, if the reader may see it."""
    return (
        {(seen.record.collection, seen.record.key): called(actor, seen.record, masked=True)}
        if seen.record is not None and seen.record.key
        else {}
    )


def _names(
    actor: Actor,
    seen: Seen,
    events: Sequence[log.Stored],
    begun: Mapping[str, log.Stored],
    hidden: masking.Hidden,
    items: Mapping[tuple[str, int], tuple[int, int]],
    *,
    beside: Iterable[str] = (),
) -> event_view.DatedNames:
    """What these events of the run speak of, as it was called then."""
    titled = _titled(actor, seen)
    return event_view.names_of(
        events, titled, described=catalogue.described, begun=begun, hidden=hidden, items=items, beside=beside
    )


def _collections_on(screen: Mapping[str, Any] | None) -> set[str]:
    """The collections whose records stand on a screen."""
    shown = screen or {}
    parts = [
        shown.get("record"),
        *shown.get("tables", ()),
        shown.get("picks"),
        (shown.get("progress") or {}).get("item"),
    ]
    return {str(part["collection"]) for part in parts if part and part.get("collection")}


def _ticks(
    actor: Actor, seen: Seen, rows: Sequence[log.Row], begun: Mapping[str, log.Stored], hidden: masking.Hidden
) -> list[Tick]:
    events = [log.closed(row) for row in rows]
    called = _names(actor, seen, events, begun, hidden, event_view.items_of(events))
    asked = {event.open["call"] for event in events if event.type in ANSWERS and _asked_model(event.open)}
    return [Tick(row, called, asked) for row in rows]


def _asked_model(answer: Mapping[str, Any]) -> bool:
    """Whether a model was asked for the answer, and not only rules or nobody."""
    model = answer.get("origin") not in (None, "rules")
    return model and bool(answer.get("from_cache") or answer.get("tries", 1))


def _view(
    actor: Actor,
    seen: Seen,
    state: Run,
    definition: Definition,
    run_json: dict[str, Any],
    screen: Screen | None,
    masked: Sequence[str],
    called_then: sentences.Names,
    known: Mapping[str, Collection],
    moved: Sequence[log.Row],
) -> RunView:
    """The run at that point, its record by the title that was on the screen, else by that with which the run began. `moved` are the events of a run that began in another version."""
    screen = _named_then(actor, seen, screen)
    title = str(((screen or {}).get("record") or {}).get("title") or "") or called_then.titled.get(
        state.id, ""
    )
    title = title or (
        called(actor, seen.record, masked=True)
        if seen.record
        else GONE
        if seen.gone
        else records.key_words(state.record or "")
    )
    names = accounts.names(
        {state.started_by, *filter(None, (state.holder, *(each.by for each in state.attempts.values())))}
    )
    found = step_findings.finder(definition, state.created_at, run_json["context"], masked)
    steps, earlier = outline(state, definition, names, may_revise=False, most=PATH_SHOWN, found=found)
    if moved:
        _as_entered(steps, moved, state)
    return RunView(
        json=run_json,
        screen=screen,
        can=frozenset(),
        steps=steps,
        earlier=earlier,
        names=names,
        record_title=title,
        collection_label=known[state.collection].label_one
        if state.collection is not None and state.collection in known
        else "",
        masked=masked,
        ending=block_content.at_end(actor, definition, state),
        chosen={
            (each.step, each.attempt): choice
            for each in state.attempts.values()
            if each.outcome is not None and (choice := chosen_at(definition, each)) is not None
        },
        then=known,
    )


def _named_then(actor: Actor, seen: Seen, screen: Screen | None) -> Screen | None:
    """The screen with a record that is called as those are to which it leads by the names that these had; where they were not on it, by those of today."""
    panel = (screen or {}).get("record")
    collection = catalogue.find(panel["collection"]) if panel else None
    if screen is None or panel is None or collection is None or not browse.naming.joined(collection):
        return screen
    known = {
        (each["collection"], each["key"]): Named(each["title"], absent=each.get("absent", False))
        for each in screen.get("named", ())
    }
    shown = records.Record(collection.id, panel["key"], str(panel["title"]), panel["values"])
    (named,) = browse.naming.with_joined_titles(collection, [shown], known)
    if named is not shown or seen.record is None:
        return {**screen, "record": {**panel, "title": named.title}}
    return by_name(seen, screen, called(actor, seen.record, masked=True))


def _as_entered(entries: Iterable[dict[str, Any]], rows: Sequence[log.Row], state: Run) -> None:
    """Call steps of a run that was moved as the version did in which it came to them."""
    came = (each.body for each in map(log.closed, rows) if each.type == "step_entered")
    entered = {(body["step"]["id"], body["step"]["attempt"]): body["wf"]["version"] for body in came}
    for entry in entries:
        version = entered.get((entry["step"], entry["attempt"]), state.version)
        if version != state.version:
            entry["title"] = title_of(workflows.version(state.workflow, version), entry["step"])


def events(
    actor: Actor, run_id: str, *, limit: int = 50, after: int = 0
) -> tuple[list[dict[str, Any]], int | None]:
    """The run's events in the shape of the API, oldest first, and the number after which the next page begins (None: no more)."""
    seen = see(actor, run_id)
    found = log.events_of(run_id, after=after, limit=limit + 1)
    page = found[:limit]
    hidden, whence = (
        hidden_from(actor, looking_back=True),
        access.can(actor, seen.run.team or None, "activity", "read"),
    )
    begun = browse.naming.titles_kept(log.beginnings({run_id}) if after else {run_id: page[0]})
    called = _names(
        actor, seen, page, begun, hidden, event_view.items_of(log.history(run_id) if after else page)
    )
    return [event_view.as_json(stored, called, hidden=hidden, addresses=whence) for stored in page], page[
        -1
    ].n if len(found) > limit else None
