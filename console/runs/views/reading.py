"""Reading one run with its screen, and recording what people were shown and opened."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from console import browse, log, records, workflows
from console.auth import access, accounts
from console.core.actor import Actor
from console.core.errors import ConsoleError, NotFound, SourceChanged, SourceDown
from console.core.origins import SAID
from console.core.run import Event, Run
from console.core.run.causes import people_in
from console.core.run.effect_changes import as_stored
from console.formats import sentences
from console.infra.db.engine import fetch
from console.log import masking
from console.runs.commands.run_rights import (
    TAKE_OVER_AFTER_S,
    Seen,
    lacking_right,
    may_work,
    possible_commands,
    see,
)
from console.runs.engine import proposal_answers, proposing
from console.runs.engine.run_causes import causes_of, causes_shown_to
from console.runs.engine.stepping import step_at
from console.runs.store import loaded_rows, typed_drafts
from console.runs.store.loaded_runs import trim_to_shown
from console.runs.store.run_rows import links, run_row
from console.runs.store.run_store import retried
from console.runs.views import block_content, gathered, reader_reach, step_findings
from console.runs.views.handovers import WAS_HANDED_ON, HandedOn, handed_on
from console.runs.views.screens import (
    Screen,
    TypedForm,
    draw_screen,
    item_of,
    last_shown,
    record_screen,
    seen_fields,
    without_loaded,
)
from console.runs.views.view import GONE, RunView, as_json, outline

NEWEST = 400  # the newest events in which an earlier record of the same is looked for
PATH_SHOWN = 60  # steps of the path beside the form, so that a page does not grow with the run
WORD = re.compile(r"\w+")
LOOKING = frozenset({"waiting_person", "saved"})


def get(
    actor: Actor,
    run_id: str,
    item: str | None = None,
    *,
    most: int | None = PATH_SHOWN,
    shown: bool = True,
) -> RunView:
    """The run as the actor may see it. If they work on it, their screen is recorded as an event, once.

    `item` is the chosen item of a list. `shown` False: the screen stays unseen, and is not recorded. `most` limits the steps of the path (None: all steps and every attempt). Raises NotFound, with the same
    text whether the run does not exist or is hidden.
    """

    def once() -> RunView:
        seen = see(actor, run_id, whole=most is None, shown=True)
        if (call := proposing.overdue_call(seen.run, log.now())) is not None:
            proposal_answers.give_up(call)
            seen = see(actor, run_id, whole=most is None, shown=True)
        seen = record_timed_reading(actor, seen)
        page_state = _page_state(actor, seen)
        screen, seen = _screen(actor, seen, page_state, log.now(), item, shown=shown)
        return view(actor, seen, screen, page_state, most)

    with loaded_rows.judged_once():
        return retried(once)


def is_unchanged(actor: Actor, run_id: str, revision: str, status: str) -> bool:
    """Whether the run still has this revision and status, and waits for no answer that is overdue. Nothing is drawn or recorded.

    Raises NotFound as `get` does.
    """
    run = see(actor, run_id).run
    return (str(run.revision), run.status) == (revision, status) and not proposing.overdue_call(
        run, log.now()
    )


def record_timed_reading(actor: Actor, seen: Seen) -> Seen:
    """The run; if the actor is cleared for its label for a limited time only, the reading is recorded. Raises log.Moved."""
    label, run = seen.run.label, seen.run
    if label is None or access.cleared_for_good(actor.id, label):
        return seen
    step = (run.attempt.step, run.attempt.attempt) if run.attempt is not None else None
    record_reading(actor, seen, Event("run_read", log.now(), {"label": label}, {}, step, actor.id))
    return see(actor, run.id, whole=seen.loaded.whole, shown=seen.loaded.shows)


def title(actor: Actor, run_id: str) -> str:
    """The title of the workflow and of the record, as the actor may see it. Raises NotFound as `get` does."""
    seen = see(actor, run_id)
    if seen.record is None:
        return seen.definition.title
    return f"{seen.definition.title}, {called(actor, seen.record, masked=not may_work(actor, seen.run, seen.definition))}"


@dataclass(frozen=True, slots=True)
class PageState:
    """What a page needs beside the run: the draft of the current step, the holder's idle seconds, the digest of the actor's last screen,
    whether it was handed on.
    """

    draft: typed_drafts.Draft | None = None
    idle_s: float = 0.0
    shown: bytes | None = None
    handed_on: bool = False


_BESIDE = f"""
select extract(epoch from now() - greatest(r.active_at, (select max(d.saved_at) from console.draft d where d.run = r.id and d.person = r.holder)))::float8,
       (select s.digest from console.shown s where s.run = r.id and s.n = %(n)s and s.person = %(person)s order by s.run_seq desc limit 1),
       {WAS_HANDED_ON}, d.*
from {access.EVERY_RUN.sql()} left join lateral
     (select person, nonce, ct, saved_at from console.draft where run = r.id and n = %(n)s order by saved_at desc limit 1) d on true
where r.id = %(run)s
"""  # noqa: S608 (a text of ours)


def _page_state(actor: Actor, seen: Seen) -> PageState:
    """The state, in one statement, because a page is drawn after every step. Raises NotFound."""
    run = seen.run
    rows = fetch(_BESIDE, {"run": run.id, "n": run.current or 0, "person": actor.id})
    if not rows:
        raise NotFound
    idle, shown, handed, *draft = rows[0]
    typed = (
        typed_drafts.decrypt_draft(run.id, run.current or 0, seen.loaded.subject, *draft)
        if draft[0] is not None
        else None
    )
    return PageState(
        typed,
        max(0.0, float(idle or 0)) if run.holder else 0.0,
        bytes(shown) if shown is not None else None,
        bool(handed),
    )


def _screen(
    actor: Actor, seen: Seen, page_state: PageState, now: datetime, item: str | None = None, *, shown: bool
) -> tuple[Screen | None, Seen]:
    """(the screen of the current step, the run): drawn for people who work on such runs, the last recorded one for readers."""
    run = seen.run
    if run.current is None or run.status not in LOOKING:
        return None, seen
    if seen.down is not None or not may_work(actor, run, seen.definition):
        return _screen_before(run.id, run.current), seen
    try:
        screen = draw_screen(actor, seen, now, item)
    except (
        SourceDown,
        NotFound,
    ) as error:  # data beside the form cannot be read; the run is shown all the same
        down = error if isinstance(error, SourceDown) else SourceDown(error.message)
        return _screen_before(run.id, run.current), replace(seen, down=down)
    loaded = record_screen(actor, seen, screen, now, page_state.shown) if shown else seen.loaded
    return screen, Seen(loaded, seen.definition, seen.record, seen.gone, seen.down)


def _screen_before(run_id: str, n: int) -> Screen | None:
    """The screen last shown at the attempt, to anybody."""
    recorded = last_shown(run_id, n)
    return recorded[1] if recorded else None


def is_shown_last(actor: Actor, run_id: str, n: int, item: str | None) -> bool:
    """Whether the run still stands at this attempt and what it showed the actor last is the form of this item. Raises NotFound."""
    run = see(actor, run_id).run
    shown = last_shown(run_id, n, actor.id) if run.current == n else None
    return shown is not None and item_of(shown[1]) == item


def preview_screen(
    actor: Actor, run_id: str, values: Mapping[str, Any], outcome: str | None = None
) -> Screen | None:
    """The screen of the current step with the consequences of these values; None if it cannot be completed. Nothing is recorded."""
    seen = see(actor, run_id)
    run = seen.run
    if (
        run.current is None
        or run.status != "waiting_person"
        or seen.down is not None
        or seen.lacks_record
        or not may_work(actor, run, seen.definition)
    ):
        return None
    shown = last_shown(run.id, run.current, actor.id)
    item = values.get("item")
    try:
        typed = TypedForm(values, outcome, seen_fields(shown[1]) if shown else None)
        return without_loaded(
            draw_screen(actor, seen, log.now(), item if isinstance(item, str) else None, typed)
        )
    except (SourceDown, NotFound):
        return None


def masked_run(
    actor: Actor, run_json: dict[str, Any], run: Run, *, looking_back: bool = False
) -> tuple[dict[str, Any], list[str]]:
    """(the run's JSON without values that this reader may not see, the paths of what was removed)."""
    hidden = reader_reach.kept_from(
        actor, run.workflow, run.version, None, run=run.id, looking_back=looking_back, fresh=run.loaded
    )
    paths = _without_sent(run_json, run, hidden)
    if (
        run_json["ticket"]
        and run_json["ticket"].get("reason")
        and hidden.closed is not None
        and SAID in hidden.closed.of_kind("escalate")
    ):
        run_json["ticket"] = {**run_json["ticket"], "reason": None}
        paths.append("run.ticket.reason")
    paths += _without_strange_sources(actor, run_json, run)
    for step, output in run_json["context"].items():
        run_json["context"][step], more_paths = masking.mask(
            output, f"run.context.{step}", masking.at_step(hidden, step), run_json["collection"]
        )
        paths += more_paths
    here = (run_json["current"] or {}).get("step")
    run_json["current"], more_paths = masking.mask(
        run_json["current"], "run.current", masking.at_step(hidden, here), run_json["collection"], screen=True
    )
    paths += more_paths
    closed, of_steps = (
        hidden(run_json["collection"]),
        {each: masking.at_step(hidden, each) for each in {each["step"] for each in run_json["attempts"]}},
    )
    shut = {each for each, made in of_steps.items() if masking.names_closed(made)}
    for number, attempt in enumerate(run_json["attempts"]):
        values = attempt["values"]
        if (
            closed.isdisjoint(values)
            and "collection" not in values
            and not any(isinstance(value, (dict, list)) for value in values.values())
            and attempt["step"] not in shut
        ):
            continue
        attempt["values"], more_paths = masking.mask(
            values, f"run.attempts.{number}.values", of_steps[attempt["step"]], run_json["collection"]
        )
        paths += more_paths
    return run_json, paths


def _without_strange_sources(actor: Actor, run_json: dict[str, Any], run: Run) -> list[str]:
    """Remove parts of another person's proposal that rest on records which this reader may not read. Returns their paths."""
    proposal = (run_json["current"] or {}).get("proposal")
    if proposal is None or proposal["for"] == actor.id:
        return []
    readable = _Readable(actor, run)
    paths: list[str] = []
    proposal |= {"warned": []}
    proposal.pop("second", None)
    proposal["fields"] = list(proposal["fields"])
    for number, each in enumerate(proposal["fields"]):
        if not all(readable(source) for source in each.get("sources") or ()):
            proposal["fields"][number] = {**each, **dict.fromkeys(masking.RESTS_ON & each.keys())}
            paths += [
                f"run.current.proposal.fields.{number}.{name}"
                for name in sorted(masking.RESTS_ON & each.keys())
            ]
    choice = proposal["choice"]
    if choice is not None and not all(readable(source) for source in choice.get("sources") or ()):
        proposal["choice"] = {**choice, **dict.fromkeys(("reason", "sources"))}
        paths += [f"run.current.proposal.choice.{name}" for name in ("reason", "sources")]
    return paths


class _Readable:
    """Whether the actor may read the record of a source; each record is looked up once."""

    def __init__(self, actor: Actor, run: Run) -> None:
        self.actor, self.run = actor, run
        self.known: dict[tuple[str, str | None], bool] = {}

    def __call__(self, source: Any) -> bool:
        place = (source.get("collection"), source.get("record"))
        if place[0] is None or place == (self.run.collection, self.run.record):
            return True
        if place not in self.known:
            self.known[place] = self._look(*place)
        return self.known[place]

    def _look(self, collection: str, record: str | None) -> bool:
        if not access.can(self.actor, self.run.team, f"collection:{collection}", "read"):
            return False
        scope = access.scope_for(self.actor, collection, "read")
        try:
            return (
                scope.unlimited
                or record is None
                or record in records.visible_keys(collection, [record], scope)
            )
        except ConsoleError:
            return False


def _without_sent(run_json: dict[str, Any], run: Run, hidden: masking.Hidden) -> list[str]:
    """Remove what was sent to another system if it was built from hidden fields. Returns its path."""
    shown = (run_json["current"] or {}).get("effect")
    with_attempt = run.effect(shown["id"]) if shown and shown["sent"] else None
    if shown is None or with_attempt is None:
        return []
    made_of = frozenset(WORD.findall(orjson.dumps(with_attempt[1].request.get("define", {})).decode()))
    if not made_of & {"related", *hidden(run_json["collection"]), *hidden(shown["collection"])}:
        return []
    shown["sent"] = None
    return ["run.current.effect.sent"]


def view(
    actor: Actor, seen: Seen, screen: Screen | None, page_state: PageState, most: int | None = PATH_SHOWN
) -> RunView:
    """The run for this viewer."""
    screen = without_loaded(screen) if screen is not None else None
    seen = seen if most is None else replace(seen, loaded=trim_to_shown(seen.loaded))
    run, definition = seen.run, seen.definition
    ended_by, why = _ended(run)
    newest = workflows.newest(definition.id)
    typed = page_state.draft if run.holder in (actor.id, None) else None
    can = possible_commands(actor, seen, page_state.idle_s)
    people = {
        run.started_by,
        *filter(None, (run.holder, run.last_holder)),
        *(each.by for each in run.attempts.values() if each.by),
    }
    last = last_hand_over(actor, run) if page_state.handed_on else None
    people |= {last.by} if last is not None and last.by else set()
    people |= people_in(causes_of(run))
    names = accounts.names(people - {actor.id}) | ({actor.id: actor.name} if actor.id in people else {})
    reads = not may_work(actor, run, definition)
    run_json, paths = masked_run(
        actor,
        as_json(run, definition, screen, typed.to_json() if typed else None, causes_shown_to(actor, run)),
        run,
        looking_back=reads,
    )
    run_json["simulated"] |= seen.loaded.left is not None and seen.loaded.left.simulated
    found = step_findings.finder(
        definition, run.created_at, _without_former_time(run, run_json["context"]), paths
    )
    steps, earlier = outline(
        run, definition, names, may_revise="revise" in can, most=most, left=seen.loaded.left, found=found
    )
    if reads or seen.down is not None:  # the screen was drawn for another person
        screen = reader_reach.screen_for(
            actor,
            reader_reach.kept_from(
                actor, run.workflow, run.version, None, run=run.id, looking_back=reads, fresh=run.loaded
            ),
            screen,
            run.collection,
        )
    title = (
        called(actor, seen.record, masked=reads)
        if seen.record
        else GONE
        if seen.gone
        else records.key_words(run.record or "")
    )
    return RunView(
        json=run_json,
        screen=by_name(seen, screen, title),
        can=can,
        steps=steps,
        earlier=earlier,
        names=names,
        record_title=title,
        collection_label=records.collection(run.collection).label_one if run.collection else "",
        newer_version=newest if newest > definition.number else None,
        holder_idle=run.holder is not None and page_state.idle_s >= TAKE_OVER_AFTER_S,
        gone=seen.gone,
        down=seen.down.message if seen.down else None,
        changed=seen.down if isinstance(seen.down, SourceChanged) else None,
        lacking=lacking_right(actor, seen) if may_work(actor, run, definition) else None,
        masked=paths,
        ending=block_content.at_end(actor, definition, run),
        handed_on=last,
        last_holder=run.last_holder,
        ended_by=ended_by,
        ended_because=why,
        written=_written(run),
        vanished=_vanished(seen, screen),
        screen_title=_screen_title(seen),
    )


def _screen_title(seen: Seen) -> str:
    """The title of the screen that the current step shares with further steps, or the items of its list; empty where it is alone."""
    document, attempt = seen.definition.document, seen.run.attempt
    if attempt is None:
        return ""
    if gathered.goes_together(step := step_at(seen.definition, seen.run)):
        return step.view.title
    if not document.gathered_after(attempt.step):
        return ""
    group = document.screen_of(attempt.step)
    return group.title if group is not None else ""


def called(actor: Actor, record: records.Record, *, masked: bool = False) -> str:
    """What lists call the record; of a title with sensitive fields only if `masked`, for those who work with it see them."""
    collection = records.collection(record.collection)
    sensitive = masked and not collection.sensitive.isdisjoint(collection.title_fields)
    if not (
        sensitive or browse.naming.joined(collection)
    ):  # then that is its title, and no statement is needed
        return record.title
    try:
        found = browse.titles(
            actor, record.collection, [record.key or ""], access.scope_for(actor, record.collection, "read")
        )
    except ConsoleError:
        return record.title
    return found.get(record.key or "", record.title)


def by_name(seen: Seen, screen: Screen | None, title: str) -> Screen | None:
    """The screen with the record of its panel by this title, where what was shown is no name: a number, or its key."""
    panel = (screen or {}).get("record")
    if (
        not screen
        or not panel
        or not seen.record
        or not browse.naming.joined(records.collection(seen.record.collection))
    ):
        return screen
    return {**screen, "record": {**panel, "title": title}}


def _vanished(seen: Seen, screen: Screen | None) -> list[str]:
    """Fields that the current step writes, into the run's record or those of its list, and their table no longer has."""
    run = seen.run
    if screen is None or run.current is None or run.status not in LOOKING or run.unknown is not None:
        return []
    step = step_at(seen.definition, run)
    written = dict.fromkeys(
        use.column for use in step.kind.uses(step.view.config) if use.changed and use.column is not None
    )
    item = (screen.get("progress") or {}).get("item") or {}
    place = item.get("collection") if step.kind.by_items else run.collection
    return (
        [name for name in written if name not in records.collection(place).by_name]
        if written and place
        else []
    )


def _written(run: Run) -> list[Mapping[str, Mapping[str, Any]]]:
    """What the run changed in its own record: field → old and new value, oldest change first."""
    made = [
        effect
        for _, attempt in sorted(run.attempts.items())
        for effect in attempt.effects
        if effect.status == "succeeded"
    ]
    own = [
        as_stored(each.request, each.result)
        for each in made
        if (each.request.get("collection"), each.request.get("key")) == (run.collection, run.record)
    ]
    return [request["changes"] for request in own if "changes" in request]


def _ended(run: Run) -> tuple[str, str]:
    """(the name of the person who aborted or cancelled the run, why the console says that it ended); each empty where there is none."""
    events = log.recent(run.id, f"run_{run.status}", 0) if run.status in ("aborted", "cancelled") else []
    if not events:
        return "", ""
    by, code = events[-1].body["actor"].get("id"), events[-1].open.get("reason_code", "")
    because = sentences.REASONS.get(str(code), "")
    return accounts.names([by]).get(by, "") if by is not None else "", because[:1].upper() + because[1:]


def _without_former_time(run: Run, context: Mapping[str, Any]) -> Mapping[str, Any]:
    """The outputs without that of a list which is gone through anew: what the former time found says nothing about this one."""
    here = run.attempt.step if run.attempt is not None and run.attempt.status == "open" else None
    last = context.get(here) if here is not None else None
    return (
        {step: output for step, output in context.items() if step != here}
        if isinstance(last, Mapping) and last.get("finished") is True
        else context
    )


def last_hand_over(actor: Actor, run: Run) -> HandedOn | None:
    """Why the run was handed on by somebody else, while nobody has done a step since; None too for who may not read such texts."""
    if run.ended or run.ticket or run.current is None:
        return None
    last = handed_on([run.id]).get(run.id)
    if last is None or last.by == actor.id:
        return None
    return (
        last
        if reader_reach.words_of_event(actor, run.workflow, run.version, None, kind="escalate", run=run.id)
        else None
    )


def source_opened(
    actor: Actor,
    run_id: str,
    *,
    source: str,
    collection: str | None = None,
    key: str | None = None,
    name: str | None = None,
    page: int | None = None,
    pages: int | None = None,
    digest: str | None = None,
    what: str | None = None,
) -> None:
    """Record that a person who works on the run opened a source beside the form: a related list, a document, a masked value.

    A page of a document is recorded once for each person and attempt. `pages` is the number of pages, `digest` the SHA-256 of the file,
    `what` its name.
    """

    def once() -> None:
        seen = see(actor, run_id)
        if seen.run.current is None or not may_work(actor, seen.run, seen.definition):
            return
        attempt = seen.run.attempts[seen.run.current]
        named = {
            "n": attempt.n,
            "source": source,
            "collection": collection,
            "key": key,
            "name": name,
            "page": page,
        }
        if page is not None and already_recorded(
            seen.run,
            actor,
            "source_opened",
            {what: value for what, value in named.items() if value is not None},
        ):
            return
        open_data = {
            name: value
            for name, value in (named | {"pages": pages, "digest": digest}).items()
            if value is not None
        }
        sealed = {"what": what} if what is not None else {}
        record_reading(
            actor,
            seen,
            Event("source_opened", log.now(), open_data, sealed, (attempt.step, attempt.attempt), actor.id),
        )

    retried(once)


def already_recorded(run: Run, actor: Actor, kind: str, values: Mapping[str, Any]) -> bool:
    """Whether the newest events of the run have one of this kind, by this person, with these values."""
    for event in log.recent(run.id, kind, run.seq - NEWEST):
        if event.body["actor"].get("id") == actor.id and all(
            event.open.get(name) == value for name, value in values.items()
        ):
            return True
    return False


def record_reading(actor: Actor, seen: Seen, event: Event) -> None:
    """Append an event about reading the run; nothing else of the run changes. Raises log.Moved."""
    made = links(actor, seen.definition, seen.run, [event], seq=seen.run.seq, head=seen.loaded.head)
    projection = log.Projection(run=run_row(seen.run, seen.loaded.subject, keep_draft=True))
    log.write(seen.run.id, seen.run.seq, made, subject=seen.loaded.subject, projection=projection)
