"""The activity log: one sentence for each event, newest first. The filters are in the address."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request
from markupsafe import Markup

from console import activity, browse, records
from console.activity import ActivityRow, archive, exports
from console.activity.filters import LABELS, MOMENTS, TEXTS
from console.auth import access, accounts
from console.core.documents.collections import Collection, Field
from console.core.errors import Malformed
from console.core.events import GROUPS, KINDS
from console.core.moments import midnight_text
from console.views import assets, downloads, formats, forms, frame
from console.views.activity.proof import badge
from console.views.formats import Kind, Look

blueprint = Blueprint("activity", __name__)

PAGE_SIZE = 25
LONGEST = 400
TOGETHER = timedelta(minutes=1)
"""How far apart looks that say the same stand in one line."""
CHOSEN = frozenset({"user", "collection", "team", "workflow"})
"""Filters by one text that are chosen from a list, or come from a link of another page alone; each other one has a box."""
BOXES = {"record": "Record key"}
PLACEHOLDERS = {"run": "run_…"}
FORMS = (
    ("csv", "Table", "CSV: a sentence per event, for spreadsheets"),
    ("jsonl", "Events as they were hashed", "JSON Lines: one event a line"),
    ("zip", "Archive with proofs", "Anybody can check it without this console"),
)
"""Value, label and hint of what can be exported."""


@dataclass(frozen=True, slots=True)
class Change:
    """A field of a record that an event changed; `before` is None where it is not known. `renamed` are names of then that are others today."""

    label: str
    before: Markup | None
    after: Markup
    renamed: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """An event, ready to be rendered. `same`: looks of this person at the same, shortly before, which stand in one line with it. `told`: what changed, in sentences. `why`: label and words of why a message did not leave or arrive, and of how a call was answered. `renamed`: names of then in it that are others today."""

    id: str
    day: str
    at: datetime
    iso: str
    clock: str
    utc: str
    person: bool
    sentence: str
    initials: str
    who: str
    kind: str
    run: str | None
    at_event: int | None
    record: tuple[str, str] | None
    changes: Sequence[Change]
    facts: Sequence[tuple[str, Markup | str]]
    masked: bool
    told: Sequence[str] = ()
    why: Sequence[tuple[str, str]] = ()
    renamed: Sequence[tuple[str, str]] = ()
    same: tuple["Entry", ...] = ()


@blueprint.get("/activity")
def show() -> Response:
    """Show the log within the reader's scope; without the right to read it, a page that says so."""
    given = [
        (name, value.replace(" ", "_") if name == "kind" else value)
        for name, value in request.args.items(multi=True)
        if value and name not in ("limit", "filter")
    ]
    if frame.htmx.target == "filter":
        return frame.page("activity/page.html", {"sheet": _filter(dict(given))}, blocks={"filter": "filter"})
    wrong = ""
    try:
        query = activity.parse_query([*filters_for_log(given, frame.look()), ("limit", str(PAGE_SIZE))])
    except Malformed as error:
        wrong = "; ".join(
            f"{LABELS.get(detail['field'], detail['field'])}: {detail['reason']}" for detail in error.details
        )
        query, given = activity.parse_query([("limit", str(PAGE_SIZE))]), []
    page = activity.page(frame.actor(), query.where, query.limit, query.after)
    people = {person.id: person.name for person in accounts.people()}
    context = {
        "entries": entries(page.rows, frame.look()),
        **frame.page_places(page.next, query.after),
        "chips": chips(given, people),
        "sheet": _filter(dict(given)) if "filter" in request.args else None,
        "filters": [(name, value) for name, value in given if name in LABELS],
        "wrong": wrong,
        "closed": sum(
            access.scope_for(frame.actor(), collection.id).nothing for collection in records.collections()
        ),
        "archived": archive.names(),
        "badge_of_log": badge(page.verified_to, frame.look()),
        "may_verify": access.can(frame.actor(), None, "activity", "verify"),
        "forms": FORMS,
        "may_export": access.can(frame.actor(), None, "activity", "export"),
    }
    return frame.page("activity/page.html", context, blocks={"log": "log"}, status=400 if wrong else 200)


def _filter(held: Mapping[str, str]) -> forms.Form:
    """Return the sheet of filters. A page has it when it is opened."""
    people = sorted(((person.id, person.name) for person in accounts.people()), key=lambda pair: pair[1])
    kinds: dict[str, list[tuple[str, str]]] = {"": [("", "Anything")]}
    for group, words in GROUPS.items():
        of_group = sorted((kind.label, kind.name) for kind in KINDS.values() if kind.group == group)
        kinds[words] = [(group, f"{words}, all"), *((name, label) for label, name in of_group)]
    collections = [(each.id, each.label) for each in browse.collections(frame.actor())]
    finds = {"data-find": "", "data-needs": assets.asset("js/pick.js")}
    fields = [
        forms.Field("user", LABELS["user"], "select", choices=[("", "Anybody"), *people]),
        forms.Field("kind", LABELS["kind"], "select", choices=kinds, more=finds),
        forms.Field("collection", LABELS["collection"], "select", choices=[("", "Any"), *collections]),
        *(
            forms.Field(name, BOXES.get(name, LABELS[name]), placeholder=PLACEHOLDERS.get(name))
            for name in TEXTS
            if name not in CHOSEN
        ),
        *(forms.Field(name, LABELS[name], "date") for name in ("createdAt.gte", "createdAt.lte")),
    ]
    return forms.Form(
        fields, {**held, **{name: value[:10] for name, value in held.items() if name in MOMENTS}}
    )


@blueprint.get("/activity/export")
def export() -> Response:
    """Download the filtered log as a file. `format` is csv, jsonl, or zip (with proofs)."""
    given = [(name, value) for name, value in request.args.items(multi=True) if value]
    if ("format", "zip") in given:
        given = [*((name, value) for name, value in given if name != "format"), ("proofs", "1")]
    elif ("proofs", "1") not in given:
        given = [(name, value) for name, value in given if name != "since"]  # the form always sends that box
    return downloads.send(frame.actor(), exports.parse_query(filters_for_log(given, frame.look())))


def filters_for_log(given: Iterable[tuple[str, str]], look: Look) -> list[tuple[str, str]]:
    """Return the page's filters for the log: days in the reader's zone become moments, a group becomes all of its kinds."""
    return [
        _without_days(name, each, look)
        for name, value in given
        for each in (
            [kind.name for kind in KINDS.values() if kind.group == value]
            if name == "kind" and value in GROUPS
            else [value]
        )
    ]


def _without_days(name: str, value: str, look: Look) -> tuple[str, str]:
    """Return the filter with the moment at which its day begins, or has ended: until a day means until its end. Other values stay."""
    past = {"createdAt.lte": "createdAt.lt", "createdAt.gt": "createdAt.gte"}.get(name)
    try:
        return past or name, midnight_text(
            date.fromisoformat(value) + timedelta(days=bool(past)), look.zone
        ) if name in MOMENTS else value
    except (ValueError, OverflowError):
        return name, value


def chips(given: Sequence[tuple[str, str]], people: dict[str, str]) -> list[frame.Chip]:
    """Return a chip for each active filter, except the cursor."""
    made = []
    for name, value in given:
        if name not in LABELS:
            continue
        shown = people.get(value, value) if name == "user" else _filter_in_words(name, value)
        rest = [value_ for name_, value_ in given if name_ == name and value_ != value]
        made.append(
            frame.Chip(
                f"{LABELS[name]}: {shown}",
                frame.present_address(**{name: rest[0] if rest else None, "after": None}),
            )
        )
    return made


def _filter_in_words(name: str, value: str) -> str:
    """Return the value of a filter as people read it: a kind and a collection by its label, a day in the reader's form."""
    if name == "kind":
        return _kind_in_words(value)
    if name == "collection":
        return next((one.label for one in browse.collections(frame.actor()) if one.id == value), value)
    try:
        return (
            formats.text(
                formats.Kind(name, "Day", "date"), date.fromisoformat(value).isoformat(), frame.look()
            )
            if name in MOMENTS
            else value
        )
    except ValueError:
        return value


def _kind_in_words(value: str) -> str:
    """Return a kind, or a group of kinds, in words."""
    return GROUPS.get(value) or (KINDS[value].label if value in KINDS else value.replace("_", " "))


_PERSON = re.compile(r"usr_[0-9a-z]{26}")


def entries(rows: Iterable[ActivityRow], look: Look) -> list[Entry]:
    """Return the rows of the log for the page; the day is named where it changes."""
    made, rows = list[Entry](), list(rows)
    look = replace(
        look, people=accounts.names(set(_PERSON.findall(str([row.json.get("data") for row in rows]))))
    )
    known = {collection.id: collection for collection in browse.collections(frame.actor())}
    last, zone = "", ZoneInfo(look.zone)
    for row in rows:
        event = row.json
        actor = event.get("actor") or {}
        day = formats.text(
            formats.Kind("day", "Day", "date"), row.at.astimezone(zone).date().isoformat(), look
        )
        who = str(actor.get("name") or actor.get("id") or "The engine")
        collection, record = event.get("collection"), event.get("record")
        made.append(
            Entry(
                frame.dom_id("e", event["id"]),
                day if day != last else "",
                row.at,
                row.at.isoformat(),
                row.at.astimezone(zone).strftime("%H:%M:%S"),
                row.at.astimezone(UTC).strftime("%H:%M:%S UTC")
                if row.at.astimezone(zone).utcoffset()
                else "UTC",
                actor.get("kind") in ("user", "key"),
                row.sentence + _tag_in(event),
                formats.initials(who),
                who,
                str(event["kind"]),
                event.get("run"),
                event.get("n") if event.get("run") else None,
                (str(collection), str(record)) if record is not None and _opens(collection) else None,
                changes(event, row.collection, known, look),
                facts(event, look),
                bool(event.get("masked")),
                _sentences_in(event),
                _why_unsent(event),
                row.sentence.renamed,
            )
        )
        last = day
    return _together(made)


def _sentences_in(event: Mapping[str, Any]) -> list[str]:
    """Return the sentences that the event itself holds, where the reader may read them."""
    said = (
        (event.get("data") or {}).get("changes")
        if event["kind"] in ("contact_rules_changed", "consent_default_set")
        else None
    )
    return [str(each) for each in said] if isinstance(said, list) else []


def _why_unsent(event: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return why a message did not leave or arrive, in our words and in those of its provider, and how a call was answered, where the reader may read them."""
    if event["kind"] not in ("message_skipped", "message_failed", "call_ended"):
        return []
    data = event.get("data") or {}
    told = [
        ("Answer", data.get("label")),
        ("Why", data.get("reason")),
        ("In the provider’s words", data.get("said")),
    ]
    return [(label, words) for label, words in told if isinstance(words, str) and words]


def _tag_in(event: Mapping[str, Any]) -> str:
    """Return the ending of the sentence that names a tag put by hand, which the log holds sealed, where the reader may read it."""
    word = (event.get("data") or {}).get("word") if event["kind"] in ("tag_added", "tag_removed") else None
    return f": “{word}”" if isinstance(word, str) else ""


def _together(made: Sequence[Entry]) -> list[Entry]:
    """Return the entries with looks that say the same of one person in a line: a page of ten figures asks for each of them."""
    lines = list[Entry]()
    for entry in made:
        first = lines[-1] if lines else entry
        alike = (
            (first.who, first.sentence) == (entry.who, entry.sentence)
            and entry.kind in activity.LOOKS
            and not entry.day
        )
        if lines and alike and first.at - entry.at <= TOGETHER:
            lines[-1] = replace(first, same=(*first.same, entry))
        else:
            lines.append(entry)
    return lines


def _opens(collection: str | None) -> bool:
    """Return whether the reader may open records of the collection: auditors see events about records that they may not open."""
    return collection is not None and all(
        access.can(frame.actor(), None, f"collection:{collection}", act) for act in ("browse", "read")
    )


def changes(
    event: Mapping[str, Any], then: Collection | None, known: Mapping[str, Collection], look: Look
) -> list[Change]:
    """Return what the event changed in a record, field by field, as `then` called it; empty for other events, and where the reader may not browse the collection."""
    data, today = event.get("data") or {}, known.get(str(event.get("collection")))
    new, old = data.get("new"), data.get("old")
    if today is None or not isinstance(new, Mapping):
        return []
    collection = then or today
    before = old if isinstance(old, Mapping) else {}
    made = []
    for name, value in formats.with_currencies(new, collection.currencies).items():
        item, now = collection.field(name), today.field(name)
        if item is not None:
            what = formats.kind(item, collection.key)
            values = (
                [formats.with_currencies({**new, **before}, collection.currencies)[name]]
                if name in before
                else []
            )
            said = [formats.html(what, each, look) for each in [*values, value]]
            made.append(
                Change(
                    item.label, said[0] if values else None, said[-1], _renamed(what, now, [*values, value])
                )
            )
    return made


def _renamed(then: Kind, field: Field | None, values: Sequence[Any]) -> list[tuple[str, str]]:
    """Return the label of a field and those of its values that are others today, as (then, now)."""
    if field is None:
        return []
    now = formats.kind(field)
    words = [word for value in values if (word := str(value)) in then.options and word in now.options]
    pairs = dict.fromkeys(
        [(then.label, now.label), *((then.options[word], now.options[word]) for word in words)]
    )
    return [(before, after) for before, after in pairs if before != after]


def facts(event: Mapping[str, Any], look: Look) -> list[tuple[str, Markup | str]]:
    """Return what only programs and auditors' tools need of the event, as label and value."""
    plain = [
        ("Kind", event["kind"]),
        ("Event", event["id"]),
        ("Number in its run", event.get("n")),
        ("Place in the log", event.get("pos")),
        ("Step", event.get("step")),
        ("Leaf", event.get("leaf")),
    ]
    listed: list[tuple[str, Markup | str]] = [
        (label, str(value)) for label, value in plain if value is not None
    ]
    data = {
        name: value for name, value in (event.get("data") or {}).items() if value not in (None, "", [], {})
    }
    for name, value in data.items():
        what, known = formats.described(str(name), value, data)
        shown = formats.text(what, known, look)
        listed.append(
            (what.label, formats.html(what, known, look) if len(shown) <= LONGEST else shown[:LONGEST] + "…")
        )
    return listed
