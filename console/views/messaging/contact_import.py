"""Records from a CSV file: choose it, look at what each line would become, have it imported, and fetch the lines that were refused."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, request
from markupsafe import escape

from console import log
from console.actions import bulk, hand_forms
from console.automation import triggers
from console.browse import naming
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field
from console.core.errors import ConsoleError, Invalid, NotFound
from console.core.filters import IMPORTED
from console.core.plain_words import uncapitalised
from console.messaging.imports import (
    cell_meanings,
    consent_columns,
    contact_files,
    import_batches,
    imported_records,
    imports,
    left_out_lines,
    line_tags,
    workbooks,
)
from console.messaging.imports.cells import SPELLINGS
from console.messaging.imports.encodings import ENCODINGS
from console.messaging.imports.import_batches import Import
from console.messaging.imports.imports import Line, Plan, Question
from console.messaging.messages import opting_out
from console.views import downloads, formats, frame, refusals
from console.views.browse import list_tags
from console.views.frame import Badge
from console.views.runs import form_boxes

blueprint = Blueprint("contact_import", __name__)
COLUMN, WORD, MEANING = "c.", "w.", "m."
SHOWN, SAMPLES = 50, 3
SHOWN_FIELDS = 4
"""Of each of the first lines: who it is, and what becomes of it."""
OUTCOMES = {
    "new": Badge("New", "good", "plus"),
    "changed": Badge("Changed", "info", "pencil"),
    "same": Badge("As it is", ""),
    "refused": Badge("Left out", "warn", "alert-triangle"),
}
WORDS = {"done": "finished", "cancelled": "stopped", "failed": "broken off"}


@blueprint.route("/import/c/<collection>", methods=["GET", "POST"])
def begin(collection: str) -> Response:
    """Show the form for the file; a POST keeps it and looks at it."""
    who = frame.actor()
    here = imports.importable(who, collection)
    if request.method != "POST":
        return _form(here)
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return _form(here, wrong="Choose a CSV file or a workbook from your computer.", status=422)
    try:
        return frame.redirect_to(_url(import_batches.keep(who, collection, sent.stream, sent.filename)))
    except Invalid as wrong:
        return _form(here, wrong=refusals.first_reason(wrong), status=422)


@blueprint.route("/imports/<import_id>", methods=["GET", "POST"])
def follow(import_id: str) -> Response:
    """Show what a file would bring, or how far its import is once that is begun; a POST stops it, begins it, or reads the columns as something else."""
    found, wrong = import_batches.get(frame.actor(), import_id), ""
    if request.method == "GET" and (begun := import_batches.begun_from(found)):
        return frame.redirect_to(_url(begun))
    if request.method == "POST":
        try:
            if request.form.get("do") == "take_back":
                if found.followed:
                    raise Invalid(
                        "It still goes on. Stop it, or wait until it is done, and then take it back."
                    )
                return frame.redirect_to(
                    f"/bulk/{bulk.look_at_import(frame.actor(), found.collection, found.id)}"
                )
            return frame.redirect_to(_url(_done(found, request.form.get("do", ""))))
        except Invalid as invalid:
            wrong = refusals.first_reason(invalid)
    if (
        answer := frame.poll_answer(found, reload=True)
    ) is not None:  # what was left out, and why, stands below what is followed
        return answer
    return frame.page(
        "lists/import_progress.html",
        _progress(found, wrong),
        blocks={"*": "progress"},
        status=422 if wrong else 200,
    )


@blueprint.get("/imports/<import_id>/refused")
def refused(import_id: str) -> Response:
    """Send the lines that were left out, each with the reason, as a CSV file."""
    who = frame.actor()
    found = import_batches.get(who, import_id)
    try:
        answer = downloads.stream("left-out.csv", left_out_lines.refused_file(who, found.id))
    except (OSError, StopIteration):
        raise NotFound("The file is not kept any more.") from None
    log.note(who, "table_exported", open={"table": "left-out", "format": "csv", "count": found.refused})
    return answer


def _done(found: Import, what: str) -> Import:
    """Do what the button of the page says; return the import to show next."""
    who = frame.actor()
    if what == "stop":
        return import_batches.cancel(who, found.id)
    if what == "resume":
        return import_batches.resume(who, found.id)
    if what == "look":
        return import_batches.look_again(
            who,
            found.id,
            _question(imports.importable(who, found.collection), found.question),
            request.form.get("encoding"),
            request.form.get("first_line"),
        )
    return import_batches.confirm(who, found.id)


def _question(collection: Collection, question: Question) -> Question:
    """Return the question as the form has it now."""
    columns = {
        name.removeprefix(COLUMN): value
        for name, value in request.form.items()
        if name.startswith(COLUMN) and value
    }
    typed = form_boxes.read_form(request.form, frame.look())
    same = {name: value for name, value in typed.items() if value not in (None, "")}
    same[imports.EVERYONE] = request.form.getlist(imports.EVERYONE)
    same[imports.TAGS] = request.form.get(imports.TAGS, "").strip()
    same[imports.NO_TAKES_BACK] = imports.NO_TAKES_BACK in request.form
    spelling = request.form.get("spelling", "")
    spelling = spelling if spelling in SPELLINGS else question.spelling
    match, change = request.form.get("match") or None, request.form.get("change") == "1"
    asked = replace(
        question,
        columns=columns,
        match=match,
        change=change,
        same=same,
        spelling=spelling,
        explicit=True,
        as_before=False,
    )
    return replace(asked, meanings=cell_meanings.fitting_meanings(collection, asked, _meanings()))


def _meanings() -> dict[str, dict[str, str]]:
    """Return what the form says that words mean, by the number of their column; a value has a = before it, as it may be empty."""
    numbers = [name.removeprefix(WORD) for name in request.form if name.startswith(WORD)]
    pairs = {
        each: zip(
            request.form.getlist(f"{WORD}{each}"), request.form.getlist(f"{MEANING}{each}"), strict=False
        )
        for each in numbers
    }
    return {each: {word: meant[1:] for word, meant in found if meant} for each, found in pairs.items()}


def _form(collection: Collection, *, wrong: str = "", status: int = 200) -> Response:
    context = {
        "collection": collection,
        "url": f"/import{frame.collection_url(collection.id)}",
        "back": frame.collection_url(collection.id, segment=""),
        "wrong": wrong,
        "most": contact_files.MOST_BYTES >> 20,
        "most_workbook": workbooks.MOST_BYTES >> 20,
        "words": WORDS,
        "recent": [(each, _url(each)) for each in import_batches.recent(frame.actor(), collection.id)],
    }
    return frame.page("lists/import.html", context, status=status)


def _progress(found: Import, wrong: str) -> dict[str, Any]:
    who = frame.actor()
    collection = imports.importable(who, found.collection)
    lines = import_batches.refused(found.id, request.args.get("after", 0, type=int), limit=SHOWN + 1)
    causes = import_batches.causes(found.id)
    context: dict[str, Any] = {
        "batch": found,
        "collection": collection,
        "url": _url(found),
        "back": frame.collection_url(collection.id, segment=""),
        "words": WORDS.get(found.status, ""),
        "wrong": wrong,
        "causes": causes,
        "left": lines[:SHOWN],
        "more": frame.present_address(after=lines[SHOWN - 1][0]) if len(lines) > SHOWN else None,
        "another": f"/import{frame.collection_url(collection.id)}",
        "keeps_consent": consent_columns.place_of(who, collection) is not None,
        "mapping": None,
        "perhaps_consent": [],
        "not_written": [],
        "unproved": "",
        "needed": [],
        **_unknown(found),
        **_tags(who, collection, found),
        "lists": _lists(collection, found),
        "may_delete": hand_forms.may_delete(who, collection),
        "says_consent": bool(found.question.same.get(imports.EVERYONE))
        or any(name.startswith(imports.CONSENT) for name in found.question.columns.values()),
    }
    if found.preview and found.status != "cancelled":
        context |= _looked_at(who, collection, found, {reason for reason, _ in causes})
    return context


def _tags(who: Actor, collection: Collection, found: Import) -> dict[str, Any]:
    """Return the tags that a file puts, and which workflows start by themselves when one is put."""
    told = found.place.get("tags", {}) if found.preview else {}
    shown = line_tags.frequent_tags(collection.id, told)
    starts = (
        triggers.started_by(who, "tag.added", collection.id, None if told.get("more") else told["each"])
        if shown
        else []
    )
    return {
        "tags": told,
        "tags_shown": shown,
        "tags_left": len(told.get("each", {})) - len(shown),
        "tag_starts": starts,
    }


def _lists(collection: Collection, found: Import) -> list[tuple[str, str]]:
    """Return (words, address) of the lists of what the import added and changed, as far as that is known."""
    if found.preview or not imported_records.is_kept(found.id):
        return []
    numbers = zip(IMPORTED, (("added", found.new), ("changed", found.changed)), strict=True)
    return [
        (f"{number:,} {word}", list_tags.imported_address(collection, found.id, name))
        for name, (word, number) in numbers
        if number
    ]


def _looked_at(who: Actor, collection: Collection, found: Import, reasons: Container[str]) -> dict[str, Any]:
    """Return the first lines as they would become, and what each column is read as; nothing where the file is not kept any more.

    `reasons`: why lines are left out.
    """
    try:
        headings, cells = contact_files.sample(found.question.file, found.person)
        plan, lines = import_batches.first_lines(who, found)
    except (OSError, ConsoleError):
        return {}
    fields = list(
        {field.name: field for _, field in sorted(plan.fields.items(), key=lambda each: each[0])}.values()
    )[:SHOWN_FIELDS]
    leading = naming.references(
        ((field.name, field.references) for field in fields), (line.values for line in lines)
    )
    look = frame.naming(naming.names_of(who, leading))
    shown = [(line, OUTCOMES[line.outcome], _cells(line, fields, look)) for line in lines]
    columns = [
        (
            f"{COLUMN}{number}",
            heading or f"Column {number + 1}",
            list(
                dict.fromkeys(line[number] for line in cells if line[number : number + 1] not in ([], [""]))
            )[:SAMPLES],
            found.question.columns.get(str(number), ""),
        )
        for number, heading in enumerate(headings)
    ]
    same, place, told = (
        found.question.same,
        plan.consents.place,
        {field.name for field in plan.consents.told.values()},
    )
    proof = place.needed - told if place is not None else frozenset()
    unproved = [
        uncapitalised(field.label)
        for field in plan.consents.fields
        if field.name in proof and not same.get(field.name)
    ]
    empty = [field for field in (*plan.untold, *plan.told_needed) if f"{field.label} is needed." in reasons]
    lacking = [field for field in plan.told_needed if field in empty or field.name in plan.of_empty]
    mapping = {
        "columns": columns,
        "choices": imports.choices(who, collection),
        "matches": imports.matches(who, collection),
        "match": plan.match or "",
        "encodings": list(ENCODINGS.items()),
        "encoding": found.question.file.encoding,
        "first_lines": contact_files.first_lines(found.question.file),
        "boxes": _boxes(
            [field.to_json() | {"required": field.name in proof} for field in plan.consents.fields],
            same,
            look,
        ),
        "untold": _boxes(_of_all(plan.untold), same, look),
        "lacking": _boxes(_of_all(lacking), same, look),
        "spellings": list(SPELLINGS.items()),
        "spelling": found.question.spelling,
        "everyone": _everyone(plan, same),
        "tags": str(same.get(imports.TAGS) or "") if imports.takes_tags(who, collection) else None,
        "no_takes_back": plan.consents.no_takes_back if plan.consents.channels else None,
        "meanings": _asked_meanings(plan, found, headings),
    }
    filled = [
        (collection.by_name[name].label, value)
        for name, value in plan.filled.items()
        if value != "" and f"{imports.ALL}{name}" not in same
    ]
    unused, perhaps = imports.unused_columns(found.question, who.id)
    return {
        "mapping": mapping,
        "first": shown,
        "fields": fields,
        "filled": filled,
        "unused": unused,
        "before": max(found.question.file.heading - 1, 0),
        "perhaps_consent": perhaps,
        "unproved": " and ".join(", ".join(unproved).rsplit(", ", 1)),
        "needed": [field.label for field in empty],
        "nothing": not plan.fields,
        "not_written": opting_out.not_written(collection),
    }


def _cells(line: Line, fields: list[Any], look: formats.Look) -> list[Any]:
    """Return the values of a line as they would be shown; one that leads to no record as the file has it, with the reason beside it."""
    found = []
    for field in fields:
        value = line.values.get(field.name)
        led = look.records.get((field.references, str(value))) if field.references and line.reasons else None
        found.append(
            escape(value)
            if led is not None and led.absent
            else formats.html(formats.kind(field), value, look)
        )
    return found


def _boxes(asked: Sequence[dict[str, Any]], same: Mapping[str, Any], look: formats.Look) -> list[Any]:
    """Return the form for fields that are the same for all lines."""
    return list(
        form_boxes.boxes(
            {"fields": [field | {"readonly": False} for field in asked]},
            look,
            typed=dict(same) or None,
            errors=[],
        )
    )


def _of_all(fields: Sequence[Field]) -> list[dict[str, Any]]:
    """Return fields that must not be empty and stand in no column, or in one with empty cells, as they are asked for all lines."""
    return [field.to_json() | {"name": f"{imports.ALL}{field.name}", "required": False} for field in fields]


def _unknown(found: Import) -> dict[str, int]:
    """Return how many words wait for a meaning: those that leave their lines out, and those in columns of consent, which only give none."""
    consent = {number for number, name in found.question.columns.items() if name.startswith(imports.CONSENT)}
    counts = {number: len(words) for number, words in found.unknown.items()}
    silent = sum(n for number, n in counts.items() if number in consent)
    return {"unknown_words": sum(counts.values()) - silent, "silent_words": silent}


def _asked_meanings(plan: Plan, found: Import, headings: list[str]) -> list[dict[str, Any]]:
    """Return the columns with words that somebody says the meaning of, with what they may mean."""
    asked = []
    for number in sorted({*found.words, *found.question.meanings}, key=int):
        column, counted = found.question.columns.get(number, ""), found.words.get(number, {})
        said = {
            consent_columns.compared_cell(word): (word, meant)
            for word, meant in found.question.meanings.get(number, {}).items()
        }
        shown: dict[str, tuple[str, int | None]] = {
            word: (spelled, None) for word, (spelled, _) in said.items()
        }
        shown |= {consent_columns.compared_cell(word): (word, lines) for word, lines in counted.items()}
        shown |= (
            {consent_columns.OTHERS: (consent_columns.OTHERS, None)}
            if column.startswith(imports.OPTED_OUT)
            else {}
        )
        asked.append(
            {
                "number": number,
                "heading": (headings[int(number)] if int(number) < len(headings) else "")
                or f"Column {int(number) + 1}",
                "words": [
                    (spelled, lines, said.get(word, ("", None))[1])
                    for word, (spelled, lines) in shown.items()
                ],
                "offered": cell_meanings.offered(plan.collection, column),
                "full": len(counted) >= cell_meanings.MOST,
                "unsaid": "Not said: gives no consent"
                if column.startswith(imports.CONSENT)
                else "Not said: its lines are left out",
            }
        )
    return [each for each in asked if each["offered"]]


def _everyone(plan: Plan, same: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """Return (channel, what it is called, whether all in the file agreed to it) of channels that no column tells of."""
    place, told = plan.consents.place, plan.consents.channels.values()
    agreed = same.get(imports.EVERYONE) or ()
    return [
        (one, consent_columns.NAMES[one], one in agreed)
        for one in (place.documents if place else ())
        if one not in told
    ]


def _url(found: Import) -> str:
    return f"/imports/{found.id}"
