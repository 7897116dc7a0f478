"""`/workflows/<slug>/filled/<trigger>`: an example of what another program sends is pasted, and each of its values is given to a question of the start by a choice.

Nothing of the example is kept: only where the values stand in it goes into the draft.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, request

from console import workflows
from console.automation.webhooks import bodies
from console.core import drafting, expressions
from console.core.documents.collections import field_guesses
from console.core.documents.triggers_check import finds
from console.core.errors import Conflict, DefinitionError, Invalid, Malformed, NotFound
from console.core.expressions.operands import Spelled
from console.core.plain_words import humanised, latinised
from console.views import frame
from console.views.editor import start_form
from console.views.editor.step_form import collections_of
from console.views.workflows import tabs

blueprint = Blueprint("sent_example", __name__, url_prefix="/workflows")
LARGEST, MOST_VALUES, LONGEST_SHOWN, DEEPEST = 100_000, 200, 60, 12
NEW, RECORD, FIELD = "new", "record", "field:"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
DAY, MAIL = re.compile(r"\d{4}-\d\d-\d\d"), re.compile(r"[^@\s]+@[^@\s]+\.[a-z]{2,}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sent:
    """A value of the example: where it stands, in words and as an expression, and what it is."""

    words: str
    expression: str
    name: str
    value: Any

    @property
    def shown(self) -> str:
        """The value as people read it, cut off where it is long."""
        text = (
            ""
            if self.value is None
            else ("no", "yes")[self.value]
            if isinstance(self.value, bool)
            else str(self.value)
        )
        return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"

    @property
    def kind(self) -> str:
        """The type of a question that asks for such a value."""
        match self.value:
            case bool():
                return "boolean"
            case int():
                return "integer"
            case Spelled():
                return "decimal"
            case str() if MAIL.fullmatch(self.value):
                return "email"
            case str() if DAY.fullmatch(self.value):
                return "date"
        return "text"


@blueprint.route("/<slug>/filled/<trigger>", methods=["GET", "POST"])
def fill(slug: str, trigger: str) -> Response:
    """Ask for an example; a POST shows its values, and with `do=take` puts what was chosen for them into the draft."""
    draft = workflows.open_draft(frame.actor(), slug)
    given = next(
        (
            each
            for each in draft.document.get("triggers", ())
            if each.get("id") == trigger and each.get("kind") == "webhook"
        ),
        None,
    )
    if given is None:
        raise NotFound("There is no such webhook in the draft: it may have been removed.")
    text, context = (
        request.form.get("example", ""),
        {
            "draft": draft,
            "trigger": given,
            "example": request.form.get("example", ""),
            "rows": [],
            "wrong": "",
        },
    )
    context |= tabs.context(tabs.known_of(draft.slug), "triggers") | {
        "workflow_title": draft.document.get("title") or draft.slug
    }
    if request.method != "POST":
        return frame.page("editor/sent_example.html", context)
    try:
        values = list(_values(_example(text)))[:MOST_VALUES]
    except Malformed as error:
        return frame.page("editor/sent_example.html", context | {"wrong": error.message}, status=422)
    chosen = (
        [request.form.get(f"into.{number}", "") for number in range(len(values))]
        if request.form.get("do") == "take"
        else None
    )
    if chosen is not None and not any(chosen):
        context["wrong"] = "Choose for at least one value what it becomes."
    elif chosen is not None:
        try:
            return _taken(draft, given, list(zip(values, chosen, strict=True)))
        except (Conflict, Invalid) as error:
            context["wrong"] = error.message
    asked, found_by = start_form.asked_at_start(draft.document), _found_by(draft.document)
    rows = [
        (value, into)
        for value, into in zip(values, chosen or _likely(values, given, asked, found_by), strict=True)
    ]
    about = bool(draft.document.get("collection"))
    offered = [
        ("", "Not used"),
        *([(RECORD, "The record: its key")] if about else []),
        *((f"{RECORD}:{name}", f"The record: its {label}") for name, label, _ in found_by),
        *((f"{FIELD}{name}", label) for name, label in asked.items()),
        (NEW, "A new question at the start"),
    ]
    return frame.page(
        "editor/sent_example.html",
        context | {"rows": rows, "offered": offered},
        status=422 if context["wrong"] else 200,
    )


def _example(text: str) -> Mapping[str, Any]:
    """Return the object that was pasted, read as a delivery is; of a list the first one. Raises Malformed."""
    if len(text.encode()) > LARGEST:
        raise Malformed("The example is longer than 100 kB: a shorter one tells as much.")
    form = "=" in text and not text.lstrip().startswith(("{", "["))
    try:
        objects, _ = bodies.objects_in(text.strip().encode(), form=form)
    except Malformed:
        objects = ()
    if not objects or not objects[0]:
        raise Malformed(
            'This is no JSON object and no form. Paste the whole body as the other program sends it, such as {"email": "ada@example.com"}.'
        )
    return objects[0]


def _values(sent: Any, path: tuple[str | int, ...] = ()) -> Iterator[Sent]:
    """Every value that is neither an object nor a list, of lists those of the first entry; without those that no expression reaches."""
    if isinstance(sent, dict) and len(path) < DEEPEST:
        for name, value in sent.items():
            yield from _values(value, (*path, name))
    elif isinstance(sent, list) and len(path) < DEEPEST:
        for value in sent[:1]:
            yield from _values(value, (*path, 0))
    elif path and not isinstance(sent, dict | list):
        written = "".join(
            f".{part}"
            if isinstance(part, str) and NAME.fullmatch(part)
            else f"[{json.dumps(part, ensure_ascii=False)}]"
            for part in path
        )
        words = " › ".join("first" if isinstance(part, int) else part for part in path)
        name = next((part for part in reversed(path) if isinstance(part, str)), "value")
        try:
            expressions.parse(f"input{written}")
        except DefinitionError:
            return
        yield Sent(words, f"input{written}", name, sent)


def _likely(
    values: Sequence[Sent],
    given: Mapping[str, Any],
    asked: Mapping[str, str],
    found_by: Sequence[tuple[str, str, str]],
) -> list[str]:
    """What each value becomes as the draft has it, else the question that is called like it; an e-mail address finds the record where nothing else does."""
    held = {str(expression): f"{FIELD}{name}" for name, expression in (given.get("input") or {}).items()} | {
        str(given.get("record")): f"{RECORD}:{given['find_by']}" if given.get("find_by") else RECORD
    }
    free = {
        _plain(word): f"{FIELD}{name}"
        for name, label in asked.items()
        for word in (name, label)
        if f"{FIELD}{name}" not in held.values()
    }
    found = []
    for value in values:
        into = (
            held.get(value.expression)
            or free.get(_plain(value.name), "")
            or free.get(_plain(value.words), "")
        )
        free = {word: name for word, name in free.items() if name != into}
        found.append(into)
    by_mail = next((f"{RECORD}:{name}" for name, _, kind in found_by if kind == "email"), None)
    mail = next(
        (number for number, value in enumerate(values) if value.kind == "email" and not found[number]), None
    )
    if by_mail is not None and mail is not None and not given.get("record"):
        found[mail] = by_mail
    return found


def _plain(word: str) -> str:
    return re.sub(r"[\W_]+", "", word).casefold()


def _taken(draft: workflows.Draft, given: Mapping[str, Any], chosen: Sequence[tuple[Sent, str]]) -> Response:
    """Put what was chosen into the draft, and return to the editor. Raises Conflict, Invalid."""
    asked, start = start_form.asked_at_start(draft.document), start_form.start_step(draft.document)
    held: dict[str, str] = {
        name: expression
        for name, expression in (given.get("input") or {}).items()
        if expression not in {each.expression for each, _ in chosen}
    }
    fields, called = list((start.get("config") or {}).get("fields") or ()), list[str]()
    record, find_by = given.get("record"), given.get("find_by")
    offered = {name for name, *_ in _found_by(draft.document)}
    for value, into in chosen:
        if into == RECORD or (into.startswith(f"{RECORD}:") and into.removeprefix(f"{RECORD}:") in offered):
            record, find_by = value.expression, into.removeprefix(RECORD).removeprefix(":") or None
            called.append("the record")
        elif into == NEW:
            name = _free_name(value.name, {*asked, *held})
            label = humanised(value.name)[:200]
            fields.append({"name": name, "label": label, "type": value.kind})
            asked, held = {**asked, name: label}, held | {name: value.expression}
            called.append(label)
        elif (name := into.removeprefix(FIELD)) in asked and into:
            held[name] = value.expression
            called.append(asked[name])
    made: list[drafting.Change] = [drafting.SetTrigger(trigger=str(given["id"]), field=["input"], value=held)]
    if record != given.get("record"):
        made.append(drafting.SetTrigger(trigger=str(given["id"]), field=["record"], value=record))
    if find_by != given.get("find_by"):
        made.append(drafting.SetTrigger(trigger=str(given["id"]), field=["find_by"], value=find_by))
    if len(fields) != len((start.get("config") or {}).get("fields") or ()):
        made.append(drafting.Set(step=str(start["id"]), field=["config", "fields"], value=fields))
    workflows.edit(frame.actor(), draft.slug, draft.revision, made)
    flash(
        f"Taken from the example: {', '.join(dict.fromkeys(called))}. It counts when the draft is published."
    )
    return frame.redirect_to(f"/workflows/{draft.slug}/edit")


def _found_by(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(name, label, type) of fields by which senders mean a record: addresses, numbers, what names it."""
    named = document.get("collection")
    collection = next((each for each in collections_of(frame.actor()) if each.id == named), None)
    if collection is None:
        return []
    likely = {
        *collection.title_fields,
        *((collection.contact.email, collection.contact.phone) if collection.contact is not None else ()),
    }
    mail = collection.contact.email if collection.contact is not None else None
    return [
        (each.name, each.label, "email" if each.name == mail else each.type)
        for each in collection.fields
        if finds(each) and (each.name in likely or each.type in ("email", "phone"))
    ]


def _free_name(name: str, taken: set[str]) -> str:
    plain = field_guesses.snaked(latinised(name))[:60]
    plain = plain if plain[:1].isalpha() else f"value_{plain}".rstrip("_")
    return next(
        each for each in (plain, *(f"{plain}_{number}" for number in range(2, 1000))) if each not in taken
    )
