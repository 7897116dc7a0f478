"""The boxes of a step's form: how they are built from its fields, and how a sent form is read back. Nothing here reads the database."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any

from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from console.core import media
from console.core.forms import BUTTONS
from console.views import formats, frame
from console.views.browse import reference_boxes
from console.views.formats import Kind, Look
from console.views.runs.proposal import Hint, Marks

TYPES = "t."  # prefix of the hidden input with the type of a box
HELD = "w."  # prefix of the hidden input with the exact value, where the box loses a part of it
PREFIX = "v."  # prefix of every box, so that a record's field never collides with `revision` or `reason`
COUNTS = "@"  # before the word for how a number counts moments, in the type of its box
PRESSED = "press"  # name of the buttons that are the options of a choice: field=value
MARK = "p."  # prefix of the hidden input with what the person did with a proposal
PARTS = "parts"  # marker of a box whose value is an object, with a box for each of its parts
LINE = 120  # characters of a part that fit its line
NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?")
MARKED = frozenset({"accepted", "edited", "cleared"})
_INPUTS = {
    "date": "date",
    "datetime": "datetime-local",
    "time": "time",
    "email": "email",
    "phone": "tel",
    "url": "url",
}
_NATIVE = {"date": date.fromisoformat, "datetime-local": datetime.fromisoformat, "time": time.fromisoformat}
_KEYBOARDS = {"integer": "numeric", "decimal": "decimal", "money": "decimal"}
_AREAS = frozenset({"long_text", "json", "array"})
_CHECKS = frozenset({"multi_enum", "checklist"})


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a box."""

    value: str
    label: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class WayOut:
    """A button below a refusal: `changes` is what it does to the form, as JSON."""

    label: str
    changes: str


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of a box: `value` is what the form submits for it."""

    id: str
    name: str
    words: str
    href: str
    value: str


@dataclass(frozen=True, slots=True)
class Box:
    """One field of a form, ready to be rendered. `control` is static, input, area, select, switch, checks, yesno, files or parts.

    `lacks`: it is empty, and what is typed elsewhere asks for it. `unit` is the currency of an amount, `marker` what the form sends along to
    read the box again, `picks` the collection whose records it finds.
    """

    name: str
    source: str
    type: str
    id: str
    label: str
    control: str
    value: str
    shown: Markup
    required: bool = False
    help: str | None = None
    whose: str = ""
    only: bool = False
    input_type: str = "text"
    keyboard: str | None = None
    choices: Sequence[Choice] = ()
    limits: Mapping[str, Any] = field(default_factory=dict)
    now: str | None = None
    before: str | None = None
    after: str = ""
    changed: bool = False
    error: str | None = None
    theirs: str | None = None
    answered: bool = False
    held: str | None = None
    attached: Sequence["Attached"] = ()
    accept: str = ""
    takes: str = ""
    many: bool = False
    lines: int = 3
    unit: str = ""
    marker: str = ""
    hint: Hint | None = None
    last: str = ""
    since: Markup | None = None
    explains: str | None = None
    why: str = ""
    ways: Sequence["WayOut"] = ()
    severity: str = ""
    by_rule: bool = False
    lacks: bool = False
    picks: str = ""
    picked: str = ""
    parts: Sequence["Box"] = ()
    asked: bool | None = None

    @property
    def unasked(self) -> bool:
        """Return whether nobody is asked for it: its condition does not hold, or it is the sentence of a rule that holds."""
        if self.asked is False:
            return not self.error and not (self.answered and self.value)
        return self.explains is not None and not self.error and not self.value

    @property
    def described_by(self) -> str:
        """Return the ids of the help, the error and the reasons of a proposal, for `aria-describedby`."""
        why = self.hint is not None and self.hint.there and self.hint.state != "off"
        parts = (("why", why), ("last", self.last), ("help", self.help or self.whose), ("error", self.error))
        return " ".join(f"{self.id}-{part}" for part, there in parts if there)


def box(
    source: Mapping[str, Any],
    look: Look,
    *,
    value: Any = None,
    error: Mapping[str, Any] | None = None,
    answered: bool = False,
    currency: str | None = None,
) -> Box:
    """Return the box of one FIELD with its present value; `error` is the detail about this field, `currency` what the form's box beside an amount says."""
    kind = formats.kind(source)
    what = _with_choices(
        replace(kind, currency=currency) if currency is not None and formats.is_money(kind) else kind, look
    )
    before_known = source.get("now") is not None or "record" in source
    now = source.get("now")
    entry, control = _entry(what, value, look), _control(source, what, value)
    parts = _parts(what, value, look) if control == "area" and what.type == "json" else ()
    control = "parts" if parts else control
    finds = what.references or "" if control == "input" else ""
    return Box(
        name=PREFIX + what.name,
        source=what.name,
        type=what.type,
        id=frame.dom_id("f", what.name),
        label=str((error or {}).get("ask") or what.label),
        control=control,
        value=(reference_boxes.name_of(what, value, look) if finds else "") or entry,
        shown=formats.html(what, value, look),
        required=bool(source.get("required")),
        help=source.get("help"),
        input_type=_input_type(what, entry),
        keyboard=None if finds or formats.is_counted(what) else _KEYBOARDS.get(what.type),
        choices=_choices(what, value),
        limits={} if finds else _limits(source, what),
        now=_words(what, now, look) if before_known else None,
        before=((reference_boxes.name_of(what, now, look) if finds else "") or _entry(what, now, look))
        if before_known and not parts
        else None,
        after=_words(what, value, look),
        changed=before_known and _entry(what, now, look) != entry,
        error=str(error["reason"]) if error else None,
        theirs=formats.text(what, error["theirs"], look) if error and "theirs" in error else None,
        answered=answered,
        held=_exact_value(what, value, control, look),
        lines=source.get("lines") or 3,
        unit=formats.unit_words(what),
        marker=PARTS if parts else _marker(kind, what, value),
        parts=parts,
        last=_earlier_results(source, what, look),
        explains=source.get("explains"),
        asked=source.get("asked"),
        by_rule=bool(source.get("by_rule")),
        picks=finds,
        picked=reference_boxes.box_data(what, value, look) if finds else "",
        **_refusal_parts(error),
        **_file_parts(source, what, value),
    )


def _parts(what: Kind, value: Any, look: Look) -> tuple[Box, ...]:
    """Return a box for each part of an object of plain values, as people read them; () for anything else."""
    if not isinstance(value, Mapping) or not value:
        return ()
    if any(
        isinstance(part, list | Mapping) or formats.described(name, part, value)[0].minor
        for name, part in value.items()
    ):
        return ()  # the smallest unit of a currency is nothing that people type
    made = []
    for name, part in formats.in_reading_order(value).items():
        kind = formats.undescribed(str(name), part)
        plain = kind.type if kind.type in ("integer", "boolean") else "text"
        wide = isinstance(part, str) and (len(part) > LINE or "\n" in part)
        source = {
            "name": f"{what.name}.{name}",
            "label": kind.label or "–",
            "type": plain,
            "widget": "textarea" if wide else kind.widget,
        }
        made.append(box(source, look, value=part))
    return (replace(made[0], id=frame.dom_id("f", what.name)), *made[1:])


def _read_parts(form: MultiDict[str, str], name: str, look: Look) -> Any:
    """Return the object of a box of parts. A part that was not changed stays exactly as it was; one that is emptied is null."""
    try:
        before = json.loads(form.get(HELD + name, "{}"))
    except (ValueError, RecursionError):
        return None
    values = {}
    for part, old in before.items() if isinstance(before, dict) else ():
        marker, sent = form.get(f"{TYPES}{name}.{part}", "text"), form.getlist(f"{PREFIX}{name}.{part}")
        what = Kind(part, part, marker)
        new = formats.typed(what, sent, look)
        same = not sent or sent[-1].replace("\r\n", "\n") == _entry(what, old, look).replace("\r\n", "\n")
        values[part] = (
            old if same else float(new) if isinstance(old, float) and NUMBER.fullmatch(str(new)) else new
        )
    return values


def _with_choices(what: Kind, look: Look) -> Kind:
    """Return the kind with the names of all countries, languages or currencies, if it holds their codes and has no options of its own."""
    if what.widget not in formats.CODED or what.options or what.references:
        return what
    return replace(what, options=dict(formats.code_choices(what.widget, look.locale)))


def _marker(kind: Kind, what: Kind, value: Any) -> str:
    """Return the type of a box; for a moment that is kept as a number also how it counts, for an amount in smallest units also its currency, as a code or as the box that holds it."""
    if formats.is_counted(what):
        return f"{what.type} {COUNTS}{formats.counting(what.widget, value)}"
    if what.items:
        return f"{what.type} {what.items}"
    if not (formats.is_money(kind) and kind.minor):
        return what.type
    return f"{what.type} {kind.currency or '-'}"


def _kind_of(name: str, marker: str, form: MultiDict[str, str]) -> Kind:
    """Return the kind of a box that its marker tells."""
    type_, _, currency = marker.partition(" ")
    if type_ == "array":
        return Kind(name, name, type_, items=currency)
    if not currency or currency.startswith(COUNTS):
        return Kind(name, name, type_, widget=currency.removeprefix(COUNTS))
    beside = form.get(PREFIX + currency, "" if currency == "-" else currency)
    return Kind(name, name, type_, widget="money", currency=beside, minor=True)


def _refusal_parts(error: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a refusal by a rule says beside its message: what it rests on, and the ways out."""
    if not error or not error.get("severity"):
        return {}
    ways = [WayOut(way["label"], json.dumps(way["set"], ensure_ascii=False)) for way in error.get("ways", ())]
    return {"why": error.get("why", ""), "ways": ways, "severity": error["severity"]}


def _earlier_results(source: Mapping[str, Any], what: Kind, look: Look) -> str:
    """Return the earlier results for this field, as one line: each result once, with the records that it stands in, and how many are left out."""
    titles: dict[str, list[str]] = {}
    for result in [one for one in source.get("last") or () if one.get("value", one.get("more")) is not None]:
        words = (
            f"and {result['more']} more" if "more" in result else formats.text(what, result["value"], look)
        )
        titles.setdefault(words, []).extend(filter(None, [result.get("title")]))
    return "; ".join(f"{words} ({', '.join(of)})" if of else words for words, of in titles.items())


def _file_parts(source: Mapping[str, Any], what: Kind, value: Any) -> dict[str, Any]:
    """Return what only a box for files needs: its files, and which kinds it accepts."""
    options = source.get("options")
    if _control(source, what) != "files" or not isinstance(options, Mapping):
        return {"many": what.type == "array" and bool(what.options)}
    there = [each for each in (value if isinstance(value, list) else [value]) if media.is_value(each)]
    kinds = options["types"]
    return {
        "attached": [attached(file) for file in there],
        "accept": media.endings(kinds),
        "takes": media.types_in_words(kinds),
        "many": what.type == "files",
    }


def attached(value: Mapping[str, Any]) -> Attached:
    """Return a file as its box lists it."""
    return Attached(
        value["file"],
        str(value["name"]),
        formats.file_words(value),
        f"/files/{value['file']}",
        json.dumps(dict(value), ensure_ascii=False),
    )


def _exact_value(what: Kind, value: Any, control: str, look: Look) -> str | None:
    """Return the value as JSON if its box would lose a part of it: fractions of a second, a line break in a one-line box, nothing beside an empty text."""
    if control == "parts":
        return json.dumps(value, ensure_ascii=False)
    if (
        control not in ("input", "area", "select", "yesno", "checks")
        or isinstance(value, bool)
        or (value is None and control != "checks")
    ):
        return None
    entry = _entry(what, value, look)
    sent = _sent(what, entry, whole=control != "input")
    return None if formats.typed(what, [sent], look) == value else json.dumps(value, ensure_ascii=False)


def _sent(what: Kind, entry: str, *, whole: bool) -> str:
    """Return what a browser sends of this text: other line breaks in an area (`whole`), none in a line; no blanks around an e-mail or web address."""
    text = entry.replace("\r\n", "\n").replace("\r", "\n")
    text = text if whole else text.replace("\n", "")
    return text.strip() if _INPUTS.get(what.type) in ("email", "url") else text


def _input_type(what: Kind, entry: str) -> str:
    """Return the type of an input. One for days and times that is given anything else (0000-00-00, infinity) would send nothing."""
    kind = "datetime-local" if formats.is_counted(what) else _INPUTS.get(what.type, "text")
    reads: Callable[[str], Any] | None = _NATIVE.get(kind)
    try:
        if reads is not None and entry:
            reads(entry)
    except ValueError:
        return "text"
    return kind


def _words(what: Kind, value: Any, look: Look) -> str:
    shown = formats.text(what, value, look)
    return "empty" if shown == formats.EMPTY else shown


def _entry(what: Kind, value: Any, look: Look) -> str:
    if what.type == "boolean":
        return {True: "true", False: "false"}[value] if isinstance(value, bool) else ""
    return formats.box(what, value, look)


def _control(source: Mapping[str, Any], what: Kind, value: Any = None) -> str:
    if (
        what.type in ("file", "files")
        and isinstance(source.get("options"), Mapping)
        and not source.get("readonly")
    ):
        return "files"
    if source.get("readonly") or what.type in formats.SHOWN_ONLY:
        return "static"
    if what.type == "boolean":
        plain = value is None or isinstance(
            value, bool
        )  # of any other value neither is chosen, and a switch shows one of the two
        return {"switch": "switch", "select": "select"}.get(what.widget, "yesno") if plain else "yesno"
    if what.type in _CHECKS and what.options:
        return "checks"
    if what.options:
        return {"radio": "yesno", BUTTONS: BUTTONS}.get(what.widget or "", "select")
    lines = what.type == "text" and len(str(value or "").splitlines())  # which an <input> would join
    return (
        "area"
        if what.widget == "textarea" or lines > 1 or what.type in _AREAS or what.type in _CHECKS
        else "input"
    )


def _choices(what: Kind, value: Any) -> tuple[Choice, ...]:
    if what.type == "boolean":
        return (Choice("true", "Yes", value is True), Choice("false", "No", value is False))
    held = (
        {str(item) for item in value}
        if isinstance(value, list)
        else {str(value)}
        if value is not None
        else set()
    )
    listed = [Choice(key, label, key in held) for key, label in what.options.items()]
    strange = (
        [Choice(key, key, chosen=True) for key in sorted(held - set(what.options))] if what.options else []
    )
    return (*listed, *strange)


def _limits(source: Mapping[str, Any], what: Kind) -> dict[str, Any]:
    limits = {"maxlength": source.get("max_length")}
    if what.type in ("date", "time"):
        limits |= {"min": source.get("min"), "max": source.get("max")}
    return {name: limit for name, limit in limits.items() if limit is not None}


def read_form(form: MultiDict[str, str], look: Look) -> dict[str, Any]:
    """Return the values of the boxes in a form.

    Each box sends its type along, so that reading a form does not read the run: the values that the person saw, which are compared
    later, stay unchanged. The type decides only how the text is parsed; the rules judge the value.
    """
    values = {}
    whole = tuple(f"{TYPES}{name}." for name in _of_parts(form))
    for name in _of_parts(form):
        values[name] = _read_parts(form, name, look)
    for marker in form:
        if marker.startswith(TYPES) and form[marker] != PARTS and not marker.startswith(whole):
            name = marker.removeprefix(TYPES)
            what, sent = _kind_of(name, form[marker], form), form.getlist(PREFIX + name)
            sent = (
                reference_boxes.box_values(form, name, sent)
                if reference_boxes.PICKED + name in form
                else sent
            )
            held = form.get(HELD + name)
            values[name] = (
                formats.typed(what, sent, look) if held is None else _exact_or_typed(what, sent, held, look)
            )
    return values


def _of_parts(form: MultiDict[str, str]) -> list[str]:
    return [
        marker.removeprefix(TYPES) for marker in form if marker.startswith(TYPES) and form[marker] == PARTS
    ]


def read_change(form: MultiDict[str, str]) -> dict[str, Any]:
    """Return field → new value of the pressed way out of a refusal; fields that the form does not have are left out."""
    try:
        wanted = json.loads(form.get("change", ""))
    except (ValueError, RecursionError):
        return {}
    return (
        {name: value for name, value in wanted.items() if TYPES + name in form}
        if isinstance(wanted, dict)
        else {}
    )


def read_pressed(form: MultiDict[str, str]) -> dict[str, str]:
    """Return field → value of the pressed button of a form whose buttons are the options of a choice."""
    name, _, value = form.get(PRESSED, "").partition("=")
    return {name: value} if TYPES + name in form else {}


def read_marks(form: MultiDict[str, str]) -> Marks | None:
    """Return the choice and what the person did with the proposal; None if the form has neither."""
    if "handled_manually" not in form:
        return Marks(outcome=form["outcome"]) if form.get("outcome") else None
    marks = {
        name.removeprefix(MARK): form[name] for name in form if name.startswith(MARK) and form[name] in MARKED
    }
    return Marks(
        marks, form["handled_manually"] == "true", form.get("reason", ""), form.get("outcome") or None
    )


def _exact_or_typed(what: Kind, sent: Sequence[str], held: str, look: Look) -> Any:
    """Return the exact value if the text of its box is unchanged, else the typed value."""
    try:
        value = json.loads(held)
    except (ValueError, RecursionError):
        return formats.typed(what, sent, look)
    drawn, whole = (
        _entry(what, value, look),
        what.type in _AREAS | _CHECKS,
    )  # a one-line box drops line breaks
    same = _sent(what, "".join(sent), whole=whole) == _sent(what, drawn, whole=whole)
    return value if same else formats.typed(what, sent, look)


def typed_texts(form: MultiDict[str, str]) -> dict[str, str]:
    """Return the typed texts by field name, to be shown when their form no longer exists."""
    return {
        name.removeprefix(PREFIX): "\n".join(form.getlist(name))
        for name in form
        if name.startswith(PREFIX) and any(form.getlist(name))
    }


def without_buttons(boxes: Iterable[Box]) -> list[Box]:
    """Return the boxes with a list to choose from in place of buttons."""
    return [replace(box, control="select") if box.control == BUTTONS else box for box in boxes]


def boxes(
    screen: Mapping[str, Any],
    look: Look,
    *,
    typed: Mapping[str, Any] | None = None,
    errors: Sequence[Mapping[str, Any]] = (),
    answers: Mapping[str, Any] | None = None,
) -> list[Box]:
    """Return the boxes of a step's form. `typed` (a draft, or refused input) overrides the start values, `answers` (replay) overrides both."""
    wrong = {str(detail.get("field")): detail for detail in errors}
    columns = (screen.get("record") or {}).get("values", {})
    before = (
        screen.get("type") == "update_data" and "ways" not in screen
    )  # an old screen, from before fields named their collection
    made = []
    shown = {
        source["name"]: (typed or {}).get(source["name"], source.get("value"))
        for source in screen.get("fields", ())
    }
    for source in screen.get("fields", ()):
        name = source["name"]
        of_record = "collection" in source or (before and name in columns)
        given = {**source, "record": True} if of_record else source
        value = source.get("value")
        if typed and name in typed:
            value = typed[name]
        answered = bool(answers and name in answers)
        if answers and answered:
            value = answers[name]
        beside = str(source.get("currency") or "")
        currency = str(shown[beside] or "") if beside in shown else None
        made.append(
            box(given, look, value=value, error=wrong.get(name), answered=answered, currency=currency)
        )
    return _below(made)


def _below(made: Sequence[Box]) -> list[Box]:
    """Return the boxes, each sentence of a rule below the field that it explains."""
    names = {box.source for box in made}
    return [
        each
        for field in made
        if field.explains not in names
        for each in (field, *(box for box in made if box.explains == field.source))
    ]
