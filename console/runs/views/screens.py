"""The screen of a step as data. It is recorded as `step_shown` once per attempt and person, and again only when it differs."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from console import browse, log, records
from console.auth import access
from console.core import record_links
from console.core.actor import Actor
from console.core.forms import FormField
from console.core.run import MISSING_MANUAL, Event, Run, fold
from console.infra.db.engine import fetch
from console.log import masking
from console.log.masking import LOADED
from console.records import Record
from console.runs.commands.run_rights import Seen
from console.runs.engine import proposing
from console.runs.engine.stepping import OpenStep, context_of, prompt_of, step_at
from console.runs.store.loaded_runs import Loaded
from console.runs.store.run_store import write
from console.runs.views import block_content, consequences, earlier_values, reader_reach
from console.steps.base import Context, Progress, Prompt, Rows

MOST_BYTES = 64 * 1024
LONG_TEXT = 2000
LOOP = "loop"

Screen = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TypedForm:
    """An unfinished form: its values, the chosen outcome, and the record's fields as the person last saw them (`before`)."""

    values: Mapping[str, Any]
    outcome: str | None = None
    before: Mapping[str, Any] | None = None


def last_shown(run_id: str, n: int, person: str | None = None) -> tuple[bytes, Screen] | None:
    """(digest, screen) last shown at the attempt to that person (None: to anybody); None if there is none."""
    rows = fetch(
        "select digest, screen::text from console.shown where run = %(run)s and n = %(n)s and (%(person)s::text is null or person = %(person)s) "
        "order by run_seq desc limit 1",
        {"run": run_id, "n": n, "person": person},
    )
    return (bytes(rows[0][0]), orjson.loads(rows[0][1])) if rows else None


def items_shown(run_id: str, n: int, person: str) -> set[str]:
    """Keys of the items of a list whose forms were shown to the person at the attempt."""
    shown = [
        each
        for each in log.recent(run_id, "step_shown", 0)
        if each.open["n"] == n and each.body["actor"]["id"] == person
    ]
    keys = (item_of(each.sealed.get("screen")) for each in log.open_values(run_id, shown).values())
    return {key for key in keys if key is not None}


def record_shown(run_id: str, person: str) -> Mapping[str, Any]:
    """The panel of the record as it was last shown to the person in the run, and the names of what it refers to: `record`, `named`."""
    rows = fetch(
        "select screen::text from console.shown where run = %s and person = %s order by run_seq desc limit 1",
        (run_id, person),
    )
    screen = orjson.loads(rows[0][0]) if rows else {}
    return {name: screen.get(name) for name in ("record", "named")}


def seen_fields(screen: Screen | None) -> Mapping[str, Any] | None:
    """The record's fields as they were on that screen: name → value."""
    if screen is None:
        return None
    if screen.get("progress") is not None:
        return {field["name"]: field["now"] for field in screen["fields"] if "collection" in field}
    shown = dict((screen.get("record") or {}).get("values") or {})
    return shown | {field["name"]: field["now"] for field in screen["fields"] if field.get("now") is not None}


def draw_screen(
    actor: Actor, seen: Seen, now: datetime, item: str | None = None, typed: TypedForm | None = None
) -> Screen:
    """The screen of the current step as this actor sees it; in a list, with the form of the chosen `item`.

    Its consequences are computed from the first values of the form, or from the `typed` ones.
    """
    screen = _drawn(actor, seen, now, item, typed)
    screen |= _named(actor, screen)
    fresh = fold(
        [Event("step_shown", now, {"n": 0}, {"loaded": screen[LOADED]}, (screen["step"], screen["attempt"]))],
        seen.run,
    ).loaded
    hidden = reader_reach.kept_from(
        actor, seen.run.workflow, seen.run.version, screen["step"], run=seen.run.id, fresh=fresh
    )
    if not masking.names_closed(hidden):
        return screen
    left, paths = masking.mask(screen, "screen", hidden, seen.run.collection, screen=True)
    if not paths:
        return screen
    with_dots = _drawn(actor, seen, now, item, typed, reader_reach.replace_hidden(hidden))
    left |= {"wrong": [{**detail, "why": ""} for detail in left["wrong"]]} if "wrong" in left else {}
    return {
        **reader_reach.named_for(actor, dict(left)),
        LOADED: screen[LOADED],
        **{name: with_dots[name] for name in masking.TEXTS & with_dots.keys() & left.keys()},
    }


def _drawn(
    actor: Actor,
    seen: Seen,
    now: datetime,
    item: str | None,
    typed: TypedForm | None,
    hidden: masking.Within | None = None,
) -> Screen:
    """The screen with all values; with `hidden` without values that the actor may not see."""
    open_step = step_at(seen.definition, seen.run)
    step: Screen = {
        "step": open_step.attempt.step,
        "attempt": open_step.attempt.attempt,
        "type": open_step.view.type,
        "title": open_step.view.title,
    }
    no_forms: Mapping[str, FormField] = {}
    no_reads: Mapping[str, Rows] = {}
    loaded: Mapping[str, Mapping[str, Any]] = {}
    last: Mapping[str, Any] = {}
    shown: list[Any] = []
    if seen.run.unknown is not None:
        prompt, tables, forms, reads, loaded = Prompt(button="Settle"), [], no_forms, no_reads, {}
        step["type"] = "settle"
    else:
        before = typed.before if typed else None
        context = context_of(
            actor,
            open_step,
            seen.record,
            now,
            before,
            item if open_step.kind.by_items else None,
            hidden=hidden,
        )
        prompt, forms, reads, loaded = (
            prompt_of(open_step, context),
            context.forms,
            context.reads,
            context.loaded,
        )
        step["ways"] = consequences.ways(
            actor, open_step, context, prompt, *((typed.values, typed.outcome) if typed else ())
        )
        step |= (
            {"wrong": consequences.wrong(open_step, context, prompt, typed.values, typed.outcome)}
            if typed
            else {}
        )
        prompt = _asking(open_step, context, prompt, typed) if typed else prompt
        step |= {"by_hand": True} if open_step.by_hand else {}
        shown = block_content.with_names(actor, block_content.content(open_step, context, prompt.fields))
        last = earlier_values.last_time(open_step, context, seen.record)
        tables = [
            table
            for name in prompt.tables
            if name in context.reads
            for table in _tables(name, context.reads[name])
        ]
    checks = getattr(open_step.view.config, "checks", ())
    progress, proposal = prompt.progress, proposing.on_screen(seen.run, actor.id)
    collection = progress.collection if progress else seen.run.collection
    picks = _table("key", reads[prompt.picks]) if prompt.picks else None
    return {
        **step,
        "button": prompt.button,
        "text": prompt.text,
        **({"instruction": prompt.instruction} if prompt.instruction else {}),
        **({"content": shown} if shown else {}),
        "tables": tables,
        "fields": [_field(field, collection, forms, last) for field in prompt.fields],
        **({"progress": _progress(progress)} if progress else {}),
        **({"picks": picks} if picks else {}),
        **({"checks": len(checks)} if checks and not open_step.by_hand and seen.run.unknown is None else {}),
        "outcomes": [option.to_json() for option in prompt.outcomes],
        **({"chosen": prompt.chosen} if prompt.chosen else {}),
        **(
            {"notes": [{"label": label, "text": text} for label, text in prompt.notes]}
            if prompt.notes
            else {}
        ),
        **({"unopened": [asdict(document) for document in prompt.unopened]} if prompt.unopened else {}),
        **({"not_offered": [asdict(option) for option in prompt.withheld]} if prompt.withheld else {}),
        "errors": list(open_step.attempt.errors or []),
        **_chosen_before(open_step, prompt),
        "missing": _missing(seen),
        "record": _panel(actor, seen.record),
        "documents": [],
        "take_over": seen.run.trouble,
        **({"proposal": proposal} if proposal is not None else {}),
        "locale": actor.locale,
        "zone": actor.zone,
        LOADED: loaded,
    }


def _chosen_before(open_step: OpenStep, prompt: Prompt) -> dict[str, Any]:
    """The option that was chosen when its change was refused; its fields are filled in as they were."""
    kept = open_step.attempt.defaults or {}
    chosen = [option.value for option in prompt.outcomes if not kept.keys().isdisjoint(option.fields)]
    return {"chosen": chosen[0]} if open_step.attempt.errors and len(chosen) == 1 else {}


def _asking(open_step: OpenStep, context: Context, prompt: Prompt, typed: TypedForm) -> Prompt:
    """The prompt with the fields marked that what is typed asks for."""
    if all(field.asked is None for field in prompt.fields):
        return prompt
    former = context.former | consequences.typed_values(prompt, typed.values, item=open_step.kind.by_items)
    asked = {
        field.name: field.asked for field in prompt_of(open_step, replace(context, former=former)).fields
    }
    return replace(
        prompt, fields=tuple(replace(field, asked=asked.get(field.name)) for field in prompt.fields)
    )


def _named(actor: Actor, screen: Screen) -> dict[str, Any]:
    """The records that values on the screen refer to, by title: what they were called is replayed with the values."""
    panel = screen["record"] or {"fields": (), "values": {}}
    tables = [
        *screen["tables"],
        *filter(None, [screen.get("picks"), (screen.get("progress") or {}).get("item")]),
    ]
    wanted = _referred(panel["fields"], [panel["values"]])
    for table in tables:
        wanted |= _referred(table["columns"], [row["values"] for row in table["rows"]])
    for field in screen["fields"]:
        led = field["options"].get("collection") if isinstance(field["options"], Mapping) else None
        wanted |= {
            (led, str(field[place]))
            for place in ("value", "now")
            if led and field.get(place) not in (None, "")
        }
    for effect in (effect for way in screen.get("ways", ()) for effect in way["effects"]):
        fields = effect.get("fields", ())
        wanted |= _referred(
            fields, [{field["name"]: field.get(side) for field in fields} for side in ("old", "new")]
        )
    found = browse.names_of(actor, wanted | record_links.links_in(screen.get("text") or ""))
    references = [
        {"collection": collection, "key": key, "record": known.key, "title": known.title}
        | ({"absent": True} if known.absent else {})
        for (collection, key), known in sorted(found.items())
    ]
    return {"named": references} if references else {}


def _referred(
    fields: Iterable[Mapping[str, Any]], rows: Iterable[Mapping[str, Any]]
) -> set[browse.Reference]:
    """What these fields refer to in these rows."""
    return browse.references(((str(field["name"]), field.get("references")) for field in fields), rows)


def _field(
    field: FormField, collection: str | None, forms: Mapping[str, FormField], last: Mapping[str, Any]
) -> dict[str, Any]:
    """A field of the form; with `collection` if it belongs to a record, and `last` if it has earlier findings."""
    own = {"collection": collection} if field.name in forms else {}
    found = {"last": last[field.name]} if field.name in last else {}
    return {**field.to_json(), **own, **found}


def _progress(progress: Progress) -> dict[str, Any]:
    """The list beside the form, with the current item as a table of one row."""
    counts = {name: getattr(progress, name) for name in ("key", "total", "done", "earlier", "later")}
    table = _table("item", progress.rows) if progress.rows is not None else None
    return {**counts, "items": [asdict(item) for item in progress.items], "item": table}


def _tables(name: str, rows: Rows) -> list[dict[str, Any]]:
    """A table of the rows, unless only totals were read, and a table of one row for the totals."""
    found = [_table(name, rows)] if rows.fields or not rows.figures else []
    if rows.figures:
        line = {"key": None, "title": "", "values": dict(rows.totals)}
        label = f"{rows.label}, all together" if rows.label else "All together"
        found.append(_table(f"{name}.totals", Rows("", label, rows.figures, [line])))
    return found


def _table(name: str, rows: Rows) -> dict[str, Any]:
    columns = [_look_of(field) for field in rows.fields]
    return {
        "name": name,
        "label": rows.label,
        "collection": rows.collection,
        "columns": columns,
        "rows": [dict(row) for row in rows.rows],
        "more": rows.more,
        **({"closed": True} if rows.denied and not rows.fields else {}),
    }


def _look_of(field: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a field that decide how its values are displayed."""
    drawn = {key: field[key] for key in ("widget", "currency", "minor", "references") if field.get(key)}
    return {key: field.get(key) for key in ("name", "label", "type", "options")} | drawn


def _missing(seen: Seen) -> list[dict[str, str]]:
    """Completed steps whose context is missing because they were handled manually, and lists that were longer than what was gone through."""
    titles = {step.id: step.title for step in seen.definition.document.steps}
    loops = {step.id for step in seen.definition.document.steps if step.type == LOOP}
    missing = []
    for step, output in seen.run.context.items():
        title = titles.get(step, step)
        if (
            step in titles
            and isinstance(output, Mapping)
            and proposing.lacks_context(seen.definition, step, output)
        ):
            missing.append(
                {
                    "step": step,
                    "title": title,
                    "text": f"“{title}” was {MISSING_MANUAL}: what it would have told is not known here.",
                }
            )
        elif step in loops and isinstance(output, Mapping) and output.get("more") is True:
            text = f"The list is longer: {output.get('count', 0):,} were looked at, and nobody looked at the others."
            missing.append({"step": step, "title": title, "text": text, "cut": "1"})
    return missing


def _panel(actor: Actor, record: Record | None) -> dict[str, Any] | None:
    if record is None:
        return None
    collection = records.collection(record.collection)
    readable = collection.readable(access.scope_for(actor, collection.id, "read"))
    return {
        **record.to_json(),
        "fields": [
            _look_of(field.to_json())
            for field in readable
            if collection.details is None or field.name in collection.details
        ],
        "sections": list(collection.summary.get("sections", [])),
    }


def without_loaded(screen: Screen) -> Screen:
    """The screen as people see it: without the names of the rows that the step has read."""
    return {name: value for name, value in screen.items() if name != LOADED}


def digest(screen: Screen) -> bytes:
    """SHA-256 of the screen, to compare screens."""
    return hashlib.sha256(log.body.canonical(log.body.canonical_value(screen))).digest()


def fit_size(screen: Screen) -> Screen:
    """The screen in at most 64 KB beside its blocks: long texts are cut and get their hash, then the longest tables are cut.

    The blocks were made to fit when they were computed (`block_content.limit_blocks`), so that a replay shows them as they were.
    """
    plain: Screen = log.body.canonical_value(screen)
    kept = {name: plain.pop(name) for name in ("content",) if name in plain}
    return _cut(plain) | kept


def _cut(plain: Screen) -> Screen:
    if len(orjson.dumps(plain)) <= MOST_BYTES:
        return plain
    plain = shorten_texts(plain)
    while len(orjson.dumps(plain)) > MOST_BYTES and any(table["rows"] for table in plain["tables"]):
        longest = max(plain["tables"], key=lambda table: len(table["rows"]))
        longest["rows"], longest["more"] = longest["rows"][: len(longest["rows"]) // 2], True
    return plain


def shorten_texts(value: Any) -> Any:
    """The value with long texts cut; each gets its length and hash."""
    match value:
        case str() if len(value) > LONG_TEXT:
            return f"{value[:LONG_TEXT]}… ({len(value)} characters, SHA-256 {hashlib.sha256(value.encode()).hexdigest()})"
        case dict():
            return {key: shorten_texts(item) for key, item in value.items()}
        case list():
            return [shorten_texts(item) for item in value]
    return value


def shown_event(
    actor: Actor, run: Run, screen: Screen, mark: bytes, now: datetime
) -> tuple[Event, dict[str, Any]]:
    """(the event `step_shown`, its row) of a screen with the digest `mark`, at the current attempt."""
    kept = fit_size(without_loaded(screen))
    loaded = screen.get(LOADED) or {}
    open_data = {
        "n": run.current,
        "type": screen["type"],
        "digest": mark.hex(),
        "locale": actor.locale,
        "zone": actor.zone,
    }
    event = Event(
        "step_shown",
        now,
        open_data,
        {"screen": kept} | ({LOADED: loaded} if loaded else {}),
        (screen["step"], screen["attempt"]),
        actor.id,
    )
    return event, {"n": run.current, "person": actor.id, "digest": mark.hex(), "screen": kept}


def record_screen(actor: Actor, seen: Seen, screen: Screen, now: datetime, before: bytes | None) -> Loaded:
    """Record what this actor is shown, unless its digest is `before`, the last one; return the run afterwards.

    Raises log.Moved if the run has moved meanwhile: then the screen must be drawn again.
    """
    loaded, run = seen.loaded, seen.run
    if run.current is None:
        return loaded
    mark = digest(screen)
    proposal = proposing.request_item_proposal(seen.definition, run, actor.id, item_of(screen), now)
    asks = [proposal] if proposal is not None else []
    if before == mark:
        return write(actor, seen.definition, loaded, asks, keep_draft=True) if asks else loaded
    event, shown = shown_event(actor, run, screen, mark, now)
    return write(actor, seen.definition, loaded, [event, *asks], shown=shown, keep_draft=True)


def item_of(screen: Screen | None) -> str | None:
    """The key of the list's item whose form is on the screen; None without a list."""
    key = ((screen or {}).get("progress") or {}).get("key")
    return str(key) if key is not None else None
