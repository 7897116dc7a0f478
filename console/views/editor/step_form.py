"""The form of a step's settings, made from the JSON Schema of its type's `Config`, with pickers of what is connected here.

Every box says where its value stands in the step (`path`) and how the page reads it (`kind`): what is typed becomes one `set` change.
"""

import functools
import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from console import actions, connectors, records, steps
from console.auth import accounts
from console.auth.access import all_rows, can
from console.connectors import Connection
from console.core.actor import Actor
from console.core.connectors import CONNECTORS, Connector, Operation, operation
from console.core.documents import condition_words as conditions
from console.core.documents.collections import Field, condition_rows
from console.core.documents.document_parts import NAME_PATTERN
from console.core.documents.json_shape import loaded
from console.core.documents.triggers_check import EVENTS
from console.core.documents.workflow import Step
from console.core.documents.workflow_sketch import sketches
from console.core.expressions.functions import FUNCTIONS
from console.formats import schema_fields
from console.infra.outbound import outgoing_secrets
from console.steps.message_settings import UNITS, in_one_unit
from console.views import formats
from console.views.editor import spoken_choices
from console.views.editor.value_form import Value, read_value
from console.views.editor.values_in_words import LABELS, words_of
from console.views.workspaces import condition_lines
from console.workflows import inboxes

Path = tuple[str | int, ...]
Options = Sequence[tuple[str, str]]
Before = Mapping[str, frozenset[str] | None]

LED = re.compile(r"\brecord\.((?:[A-Za-z]\w*\.)*[A-Za-z]\w*)\.[A-Za-z]")
"""The relations that a path of the record goes over."""
STEPS, MOST_RELATIONS = " › ", 2
LONG = 1000
"""Texts that may be longer get a box of several lines."""
DEEPEST = 4
CASE = {"if", "value"}
"""Settings of one of several values."""
FEW = 5
"""So many entries of the only section of a step are shown at once."""
MOST_OPTIONS = 400
HELP = {"not_by": "They may not answer, whatever their role."}
"""Setting → its help on the page, where that of the file names what is written there."""
WORDS = {
    "maker": {"user": "A person", "rule": "Rules, else a person", "ai": "The AI where it may, else a person"},
    "operation": {
        "create": "Add a record",
        "update": "Change a record",
        "delete": "Delete a record",
        "connector": "Ask another system (connector)",
        "http": "Ask another system (HTTP)",
    },
}
"""Setting → how its values are called, where that is not their name."""
FIRST = frozenset(
    {
        "maker",
        "assignee",
        "due",
        "team",
        "form",
        "related",
        "set",
        "arguments",
        "operation",
        "connector",
        "call",
        "connection",
        "values",
        "question",
        "items",
        "event",
        "type",
        "required",
        "options",
        "if",
        "outcome",
        "value",
        "label",
        "text",
        "fields",
        "where",
        "collection",
        "relation",
        "to",
        "by",
        "language",
    }
)
"""Settings that are shown before they are given; the others are below "More settings"."""
MORE, STEP = "more", "step"
"""Parts of a place that represent the settings that are not given, and for what every step has."""
NOTE, NOTED = "Note", ("description",)
"""What a step's description is called on the page: it is for those who edit the workflow."""
REQUESTER = "requester"
PICKED = frozenset(
    {
        "field",
        "assignee",
        "due",
        "collection",
        "relation",
        "action",
        "compensation",
        "team",
        "inbox",
        "secret",
        "server",
        "tool",
        "connector",
        "call",
        "connection",
    }
)
COLUMNS = frozenset({"fields", "required", "edit", "field"})
"""Settings that name fields of the record."""
EXPRESSIONS = frozenset(
    {
        "if",
        "if_",
        "unless",
        "required_if",
        "until",
        "due",
        "assignee",
        "documents",
        "where",
        "record",
        "each",
        "value",
    }
)
NEW = {"name": "field", "value": "option", "outcome": "branch"}
"""What a new entry of a list is called, with a number."""
OFTEN = frozenset({"button", "description", "completion", "roles"})


class Remark(str):
    """What is said at a field and stops nothing."""

    __slots__ = ()
    remark = True


@dataclass(frozen=True, slots=True)
class Box:
    """A box of the form. `control`: text, area, number, check, choice, duration, many, lines, json, group, rows, condition, value,
    name (an outcome, typed in words), key (the name of an entry of an object), section.

    `path` is a JSON list; `boxes` are those of an object, of an entry of a list, or of an open section; a closed one has none. `rows` are the entries of a list.
    """

    label: str
    control: str
    path: str
    id: str
    value: Any = ""
    help: str = ""
    error: str = ""
    options: Options = ()
    default: str = ""
    expression: bool = False
    needed: bool = False
    boxes: Sequence["Box"] = ()
    rows: Sequence["Box"] = ()
    summary: str = ""
    count: int | None = None
    held: Value | None = None
    other: str = ""
    new: str = "{}"
    condition: conditions.Rows | None = None
    """Of a value: how it is shown (`held`), and the JSON that makes cases of it, or one value of its cases (`other`)."""

    @property
    def hint(self) -> str:
        """The help, where nothing is entered yet."""
        return (
            ""
            if self.value and self.control in ("text", "value", "area", "number", "duration")
            else self.help
        )

    @property
    def own(self) -> str:
        """The last part of the path, as JSON."""
        return json.dumps(json.loads(self.path)[-1])

    @property
    def place(self) -> str:
        """The place of a section in the address of the page."""
        return _address(json.loads(self.path))

    @property
    def around(self) -> str:
        """The place of the section around this one; empty for none."""
        path = json.loads(self.path)[:-1]
        return _address(path) if len(path) > 1 else ""

    @staticmethod
    def condition_choice(path: str, field: Field) -> dict[str, Any]:
        """What a choice among the fields of a condition tells the page of its values."""
        options = [(each.value, each.label) for each in field.options or () if not field.references]
        return {
            "value": path,
            "data-kind": condition_rows.kind_of(field),
            "data-day": "" if field.stored == "date" else None,
            "data-digits": condition_rows.digits_of(field) or None,
            "data-currency": condition_rows.unit_of(path, field) or None,
            "data-references": field.references,
            "data-options": json.dumps(options) if options else None,
        }

    @property
    def tried(self) -> str:
        """How the text is tried on an example: expression, value, each (it is judged for each record that is read), template or lines; empty for what is no expression."""
        if self.path.endswith('"where"]'):
            return "each"
        if self.control == "condition":
            return "expression"
        if self.control == "lines" and self.expression:
            return self.control
        if self.control == "value":
            return self.control
        if self.control in ("area", "text") and (
            "{{" in self.help or (self.control == "area" and self.expression)
        ):
            return "template"
        return "expression" if self.control == "text" and self.expression else ""


def boxes(
    actor: Actor,
    document: Mapping[str, Any],
    step: Mapping[str, Any],
    errors: Mapping[str, str],
    before: Before,
    place: str | None,
) -> list[Box]:
    """Return the boxes of the settings of a step; only the section at `place` is open, without a place all of them.

    `errors`: place in the step (`config.text`) → what is wrong there. `before`: step → its outputs.
    """
    kind = steps.all_types().get(step["type"])
    if kind is None:
        return []
    schema = _schema(step["type"])
    offer = _Offer(actor, document, step)
    given = step.get("config") or {}
    form = _Form(
        offer,
        errors,
        schema.get("$defs", {}),
        offer.compared(before),
        None if place is None else path_of(place),
    )
    named = kind.form_settings(given)
    if named is not None:
        schema = {
            **schema,
            "properties": {
                name: schema["properties"][name] for name in named if name in schema["properties"]
            },
        }
    made = form.arranged(schema, given, ("config",))
    alone = [box for box in made if not box.path.endswith(f'"{MORE}"]')]
    if place == "" and [box.control for box in alone] == ["section"] and (alone[0].count or 0) <= FEW:
        return boxes(actor, document, step, errors, before, alone[0].place)
    if kind.name != spoken_choices.TASK:
        return made
    return [replace(box, label=spoken_choices.NAMED.get(json.loads(box.path)[-1], box.label)) for box in made]


def common(
    actor: Actor,
    document: Mapping[str, Any],
    step: Mapping[str, Any],
    errors: Mapping[str, str],
    place: str,
) -> Box:
    """Return the section of what every step has: its button, note, roles and whether it completes by itself."""
    schema = _step_schema()
    form = _Form(_Offer(actor, document), errors, schema.get("$defs", {}), {})
    made = [
        form.box(name, schema["properties"][name], step.get(name), (name,), needed=False)
        for name in sorted(OFTEN)
    ]
    opened = path_of(place)[:1] in {(STEP,), ("id",), *((name,) for name in OFTEN)}
    wrong = "" if opened else next((box.error for box in made if box.error), "")
    summary = ", ".join(box.label for box in made if step.get(json.loads(box.path)[0]))
    return _box(
        "More about the step", "section", (STEP,), boxes=made if opened else (), summary=summary, error=wrong
    )


def form_of(
    actor: Actor, document: Mapping[str, Any], errors: Mapping[str, str], compared: conditions.Groups
) -> "_Form":
    """The boxes of what stands outside the steps; `errors`: place in the document → what is wrong there, `compared`: what its conditions may compare."""
    return _Form(_Offer(actor, document), errors, {}, compared)


def condition_of(text: str, groups: conditions.Groups) -> conditions.Rows | None:
    """The rows that the condition stands for, with the names of records; None where rows cannot say it."""
    names = condition_lines.with_names(condition_rows.every_field(groups), [text], condition_rows.path_of)
    return conditions.rows(
        text, {title: {path: names[path] for path in fields} for title, fields in groups.items()}
    )


@functools.cache
def _step_schema() -> Mapping[str, Any]:
    return Step.model_json_schema(by_alias=True)


@functools.cache
def _schema(step_type: str) -> Mapping[str, Any]:
    """The schema of the settings, with the lists that they begin with, which pydantic leaves out."""
    model = steps.all_types()[step_type].Config
    found: dict[str, Any] = model.model_json_schema(by_alias=True)
    for name, setting in model.model_fields.items():
        if setting.default_factory is not None and (begun := setting.get_default(call_default_factory=True)):
            found["properties"][setting.alias or name].setdefault("default", begun)
    return found


@dataclass(frozen=True, slots=True)
class _Form:
    """Makes boxes. `open` is the path of the section that is open; None: nothing folds."""

    offer: "_Offer"
    errors: Mapping[str, str]
    shared: Mapping[str, Any]
    compared: conditions.Groups
    open: Path | None = None

    def is_open(self, path: Path) -> bool:
        """Return whether the section at the path, or one inside it, is open."""
        return self.open is None or self.open[: len(path)] == path

    def section(self, box: Box, path: Path, value: Any, count: int | None = None) -> Box:
        """Return a box as a row that says what it holds, with the box below it where it is open."""
        if self.open is None:
            return box
        inside = [text for place, text in self.errors.items() if place.startswith(_spoken(path))]
        return replace(
            box,
            control="section",
            boxes=[box] if self.is_open(path) else (),
            summary=self.said(value),
            count=count,
            error="" if self.is_open(path) or not inside else inside[0],
        )

    def _called(self, entry: Mapping[str, Any]) -> str:
        """What an entry of a list is called: its name, or the title of its action."""
        named = entry.get("action")
        return _title(entry) or dict(self.offer.one("action", named, ())).get(str(named), "")

    def said(self, value: Any, target: Field | None = None) -> str:
        """Return what a setting holds in a line; `target`: the field that it is a value for."""
        if isinstance(value, list):
            return ", ".join(
                self._called(each) if isinstance(each, Mapping) else self.said(each) for each in value
            )
        if isinstance(value, Mapping):
            return ", ".join(_word(each) for each, held in value.items() if held not in (None, "", [], {}))
        text = "" if value is None else str(value)
        known = condition_rows.every_field(self.compared)
        words = conditions.sentence(text, known) if text else ""
        return words if words != text else read_value(text, target, known).text

    def arranged(self, schema: Mapping[str, Any], value: Mapping[str, Any], path: Path) -> list[Box]:
        """Return the boxes of an object: what is needed, wrong or open, and the lists that hold something; the others below "More settings"."""
        every = dict(zip(schema["properties"], self.of_object(schema, value, path), strict=True))
        needed = schema.get("required", ())

        def shown(name: str, box: Box) -> bool:
            place = (*path, name)
            given = box.control == "section" and value.get(name) not in (None, "", [], {})
            opened = self.open is not None and self.is_open(place)
            usual = name in FIRST and not (name == "required" and box.control == "section")
            return name in needed or usual or given or opened or bool(box.error)

        first = [box for name, box in every.items() if shown(name, box)]
        rest = [box for box in every.values() if box not in first]
        if not rest:
            return first
        place = (*path, MORE)
        held = [name for name, box in every.items() if box in rest and name in value]
        labels = ", ".join(
            [f"{every[name].label} {self.said(value[name])}" for name in held]
            + [box.label for name, box in every.items() if box in rest and name not in held]
        )
        opened = self.is_open(place)
        return [*first, _box("More settings", "section", place, boxes=rest if opened else (), summary=labels)]

    def of_object(self, schema: Mapping[str, Any], value: Mapping[str, Any], path: Path) -> list[Box]:
        needed = schema.get("required", ())
        return [
            self.box(name, part, value.get(name), (*path, name), needed=name in needed, given=name in value)
            for name, part in schema.get("properties", {}).items()
        ]

    def box(
        self,
        name: str,
        schema: Mapping[str, Any],
        value: Any,
        path: Path,
        *,
        needed: bool,
        given: bool = True,
    ) -> Box:
        """One box. Where the value is not of a kind that a box can show, the JSON is shown."""
        part = self._plain(schema, value)
        cases = any(self._plain(each, []).get("type") == "array" for each in schema.get("anyOf", ()))
        make = functools.partial(
            Box,
            label=NOTE if path == NOTED else LABELS.get(name, name.replace("_", " ").strip().capitalize()),
            path=json.dumps(path),
            id="f-" + "-".join(str(each) for each in path),
            help=HELP.get(name)
            or str(schema.get("description") or part.get("description") or "").replace("`", ""),
            error=self.errors.get(_spoken(path), ""),
            needed=needed,
        )
        shown = value if given and value is not None else part.get("default")
        if isinstance(value, dict | list) and part.get("type") not in ("object", "array"):
            return self.section(_json(make, value), path, value)
        made = self._typed(name, part, shown, path, make)
        if made.control == "value" and cases:
            return replace(made, other=json.dumps([{"value": made.value}]))
        return made

    def _typed(
        self, name: str, part: Mapping[str, Any], value: Any, path: Path, make: Callable[..., Box]
    ) -> Box:
        options = (
            self.offer.one(name, value, path) if name in PICKED and part.get("type") == "string" else None
        )
        if name == "call" and (does := self.offer.does()) is not None:
            make = functools.partial(make, help=does.consequence)
        if options and name in spoken_choices.SAID:
            make = functools.partial(make, help=spoken_choices.SAID[name])
        match part.get("type"):
            case "string" if part.get("enum") is not None:
                nothing = [("", "None")] if "default" in part and part["default"] is None else []
                return make(
                    control="choice",
                    value=value or "",
                    options=[
                        *nothing,
                        *((each, WORDS.get(name, EVENTS).get(each) or _word(each)) for each in part["enum"]),
                    ],
                    default=str(part.get("default") or ""),
                )
            case "string" if part.get("format") == "duration":
                return _duration(make, value)
            case "string" if name == "outcome" and part.get("pattern") == NAME_PATTERN:
                return make(control="name", value=_word(value) if value else "")
            case "string" if options:
                return make(control="choice", value=value or "", options=[("", "Choose…"), *options])
            case "string" if name in conditions.CONDITIONS:
                help_text = re.sub(
                    r"^Expression; (\w)",
                    lambda found: found[1].upper(),
                    make.keywords["help"],  # type: ignore[attr-defined]
                )
                within = isinstance(path[-2], int) if len(path) > 1 else False  # a part of an open entry
                rows = condition_of(str(value or ""), self.compared) if within or self.is_open(path) else None
                made = make(control="condition", value=value or "", condition=rows, help=help_text)
                return made if within else self.section(made, path, value)
            case "string":
                long = part.get("maxLength", 0) >= LONG
                expression = (name in EXPRESSIONS and "options" not in path) or str(
                    make.keywords["help"]  # type: ignore[attr-defined]
                ).startswith("Expression")
                made = make(
                    control="area" if long else "text",
                    value="" if value is None else value,
                    expression=(expression or long) and path != NOTED,
                )
                if expression and not long:
                    known = condition_rows.every_field(self.compared)
                    return replace(
                        made, control="value", held=read_value(made.value, self.offer.target(path), known)
                    )
                return self.section(made, path, value) if long and not made.needed else made
            case "integer" | "number":
                return make(
                    control="text" if isinstance(value, str) else "number",
                    value="" if value is None else value,
                    default=str(part.get("default") or ""),
                )
            case "boolean":
                return make(control="check", value=bool(value), default="true" if part.get("default") else "")
            case "array":
                return self._list(name, part, value, path, make)
            case "object":
                return self._object(part, value, path, make)
        return _json(make, value)

    def _list(
        self, name: str, part: Mapping[str, Any], value: Any, path: Path, make: Callable[..., Box]
    ) -> Box:
        entries = value if isinstance(value, list) else []
        items = self._plain(part.get("items", {}), None)
        if items.get("type") == "string" and all(isinstance(each, str) for each in entries):
            options = self.offer.many(name, entries, items, path)
            if options:
                made = make(
                    control="many",
                    value=entries,
                    options=options,
                    default="some" if part.get("default") else "",
                )
                labels = dict(options)
                return self.section(made, path, [labels.get(each, each) for each in entries], len(entries))
            made = make(control="lines", value="\n".join(entries), expression=name == "people")
            return self.section(made, path, entries, len(entries))
        if (
            items.get("type") == "object"
            and "properties" in items
            and len(path) < DEEPEST * 2
            and all(isinstance(each, Mapping) for each in entries)
        ):
            return self.section(self._rows(items, entries, path, make), path, entries, len(entries))
        return self.section(
            _json(make, value if value not in (None, []) else None), path, value, len(entries)
        )

    def _rows(
        self,
        items: Mapping[str, Any],
        entries: Sequence[Mapping[str, Any]],
        path: Path,
        make: Callable[..., Box],
    ) -> Box:
        rows = [self._row(items, entry, (*path, number)) for number, entry in enumerate(entries)]
        made = make(
            control="rows",
            rows=rows if self.is_open(path) else (),
            new=json.dumps(_fresh(items, entries)),
            value=len(entries),
        )
        if not entries or set(items["properties"]) != CASE:
            return made
        last = [each for each in entries if not each.get("if")]
        more = [*(each for each in entries if each not in last), {"if": "", "value": ""}, *last]
        return replace(made, new=json.dumps(more), other=json.dumps(str(entries[0].get("value", ""))))

    def _named(
        self, part: Mapping[str, Any], held: Mapping[str, Any], path: Path, make: Callable[..., Box]
    ) -> Box:
        """Return the entries of an object with names of its own as rows: each with its name, where that is free, and its value."""
        named = part.get("patternProperties") or {"": part.get("additionalProperties")}
        schema: Mapping[str, Any] = next(iter(named.values()))
        names = dict(self.offer.names_in(path))
        rows = []
        for number, (key, value) in enumerate(held.items()):
            at = (*path, key)
            own = (
                []
                if key in names
                else [replace(_box("Name", "key", at), id=f"f-{path[-1]}-{number}-key", value=key)]
            )
            inner: Sequence[Box] = ()
            if self.is_open(at):
                box = self.box("value", schema, value, at, needed=True)
                inner = [*own, *(box.boxes if box.control == "section" else [box])]
            rows.append(
                replace(
                    _box(names.get(key, key), "section", at, boxes=inner),
                    summary=self.said(value, self.offer.target(at)),
                )
            )
        free = [(name, label) for name, label in names.items() if name not in held]
        made = make(
            control="rows",
            rows=rows if self.is_open(path) else (),
            options=free,
            value=f"value_{len(held) + 1}",
        )
        return self.section(replace(made, new='""', expression=True), path, held, len(held))

    def _row(self, schema: Mapping[str, Any], entry: Mapping[str, Any], path: Path) -> Box:
        title = self._called(entry) or (
            "Otherwise" if set(schema["properties"]) == CASE and not entry.get("if") else ""
        )
        if isinstance(column := entry.get("field"), str):
            title = dict(self.offer.one("field", column, (*path, "field"))).get(column, title)
        label = f"{int(path[-1]) + 1}" + (f": {title}" if title else "")
        opened = self.is_open(path)
        made = _box(label, "section", path, boxes=self.arranged(schema, entry, path) if opened else ())
        said = [
            self.said(each, self.offer.target((*path, name)) if name == "value" else None)
            for name, each in entry.items()
            if isinstance(each, str) and name != "action" and title not in (each, _word(each))
        ]
        return replace(made, summary=", ".join(said))

    def _object(self, part: Mapping[str, Any], value: Any, path: Path, make: Callable[..., Box]) -> Box:
        held = value if isinstance(value, Mapping) else {}
        if "properties" in part and len(path) < DEEPEST * 2:
            inner = self.arranged(part, held, path) if self.is_open(path) else ()
            return self.section(make(control="group", boxes=inner), path, held)
        if "patternProperties" in part or isinstance(part.get("additionalProperties"), Mapping):
            return self._named(part, held, path, make)
        return self.section(_json(make, value or None), path, value)

    def _plain(self, schema: Mapping[str, Any], value: Any) -> Mapping[str, Any]:
        """The schema behind references and `null`; of several kinds the one that the value has, or the first."""
        if "$ref" in schema:
            return self._plain(self.shared[schema["$ref"].rsplit("/", 1)[1]], value)
        kinds = [self._plain(each, value) for each in schema.get("anyOf", ()) if each.get("type") != "null"]
        if kinds:
            wanted = "array" if isinstance(value, list) else "object" if isinstance(value, Mapping) else None
            chosen = next((each for each in kinds if each.get("type") == wanted), kinds[0])
            return {**chosen, **{name: schema[name] for name in ("default", "description") if name in schema}}
        return schema


def _box(label: str, control: str, path: Path, **more: Any) -> Box:
    return Box(label, control, json.dumps(path), "f-" + "-".join(str(each) for each in path), **more)


def _title(entry: Mapping[str, Any]) -> str:
    """Return what an entry of a list is called; empty where it has no name."""
    return str(
        entry.get("label")
        or entry.get("name")
        or _word(entry.get("outcome") or "")
        or entry.get("title")
        or entry.get("language")
        or _word(entry.get("field") or "")
    )


def _duration(make: Callable[..., Box], value: Any) -> Box:
    """A number and a unit; the text as it is where it is no duration."""
    try:
        same = re.fullmatch(r"(PT?)([0-9]{1,7})([WDHM])", value or "")
        number, unit = in_one_unit(value) if value else ("", "P#D")
        if same is not None and f"{same[1]}#{same[3]}" in UNITS:
            number, unit = int(same[2]), f"{same[1]}#{same[3]}"
    except ValueError:
        return make(control="text", value=value)
    help_text = re.sub(r",? such as P\w+", "", make.keywords["help"])  # type: ignore[attr-defined]
    return make(
        control="duration",
        value=number,
        default=unit,
        options=[(each, f"{word}s") for each, (word, _) in UNITS.items()],
        help=help_text,
    )


def _json(make: Callable[..., Box], value: Any) -> Box:
    return make(
        control="json", value="" if value is None else json.dumps(value, indent=2, ensure_ascii=False)
    )


def _fresh(schema: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A new entry of a list, with a name that no other has."""
    made: dict[str, Any] = {}
    number = len(entries) + 1
    for name in schema.get("required", ()):
        if name == "value" and "label" not in schema["properties"]:
            made[name] = ""
        elif name in NEW and schema["properties"][name].get("type") == "string":
            taken, base = {entry.get(name) for entry in entries}, NEW[name]
            made[name] = next(
                f"{base}_{n}" for n in range(number, number + len(entries) + 2) if f"{base}_{n}" not in taken
            )
        elif name == "label":
            made[name] = f"New {number}"
    return made


def _word(value: str) -> str:
    return str(value) if str(value).isupper() else str(value).replace("_", " ").capitalize()


def _address(path: Path) -> str:
    """Return the place as an address names it: as problems do, and as JSON where a name in it is no plain one."""
    spoken = _spoken(path)
    return spoken if path_of(spoken) == tuple(path) else json.dumps(path)


def path_of(place: str) -> Path:
    """Return the path that a place in an address names; none for what names nothing."""
    if place.startswith("["):
        given, wrong = loaded(f'{{"path": {place}}}')
        return (
            tuple(given["path"])
            if given is not None and not wrong and isinstance(given["path"], list)
            else ()
        )
    parts = re.split(r"[.\[\]]+", place.rstrip("]"))
    return tuple(int(part) if part.isdecimal() else part for part in parts if part)


def _spoken(path: Path) -> str:
    """The place as problems name it: `config.form[0].label`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


@dataclass(frozen=True, slots=True)
class _Offer:
    """What can be chosen: what is connected here and this editor may see, by name, never a value."""

    actor: Actor
    document: Mapping[str, Any]
    step: Mapping[str, Any] = field(default_factory=dict)

    def one(self, name: str, value: Any, path: Path) -> Options:
        """The choices for a setting with one value; what it holds now is among them."""
        found: list[tuple[str, str]] = []
        match name:
            case "collection":
                found = [(each.id, each.label) for each in collections_of(self.actor)]
            case "relation":
                own = self._own()
                found = [(each.name, each.label) for each in own.relations] if own is not None else []
            case "action" | "compensation":
                found = [(each.id, each.title) for each in actions.list_actions()]
            case "team":
                found = [(team.id, team.name) for team in accounts.teams()]
            case "field" if (read := self._read_at(path)) is not None:
                found = [(each.name, each.label) for each in read.fields if each.computed is None]
            case "secret":
                found = [(each.name, each.name) for each in outgoing_secrets.all_secrets()]
            case "server":
                found = [(each, each) for each in connectors.every()]
            case "tool" if (server := self._server()) is not None:
                found = [(each.name, each.title or each.name) for each in server.tools.values()]
            case "connector":
                found = [(each.id, each.title) for each in CONNECTORS.values()]
            case "call" if (connector := self._connector()) is not None:
                found = [(name, each.title) for name, each in connector.operations.items()]
            case "connection" if (connector := self._connector()) is not None:
                every = connectors.of_connectors().values()
                found = [(each.name, each.name) for each in every if each.kind == connector.id]
            case "inbox":
                found = [(each.id, each.title) for each in inboxes.all_inboxes()]
            case "assignee" | "due":
                return spoken_choices.offered(self.actor, self.document, name, value)
        return _with(found[:MOST_OPTIONS], [value] if isinstance(value, str) and value else [])

    def many(self, name: str, values: Sequence[str], items: Mapping[str, Any], path: Path) -> Options:
        """The choices for a setting with several values."""
        if items.get("enum"):
            return [(each, EVENTS.get(each) or _word(each)) for each in items["enum"]]
        found: Options = ()
        if name == "roles":
            found = roles()
        elif name == "not_by":
            before = [(f"step:{step}", f"Whoever did “{title}”") for step, title in self._before()]
            found = [(REQUESTER, "Whoever holds the run when it comes here"), *before]
        elif name in COLUMNS and (read := self._read_at(path)) is not None:
            written = self.step.get("type") == "update_data" and len(path) == len(("config", name))
            fixed = {
                each.name
                for each in read.fields
                if each.readonly or each.computed is not None or each.name in read.key
            }
            found = [
                (each.name, each.label)
                for each in read.fields
                if each.name in values or not (written and each.name in fixed)
            ]
        order = {value: place for place, value in enumerate(values)}  # what is chosen keeps its order
        offered = _with(found[:MOST_OPTIONS], values) if found else ()
        return sorted(offered, key=lambda each: order.get(each[0], len(order)))

    def _before(self) -> list[tuple[str, str]]:
        """(id, title) of the steps that a person does."""
        types = steps.all_types()
        before = [
            step
            for step in self.document["steps"]
            if step["type"] in types and not types[step["type"]].automatic
        ]
        return [
            (step["id"], str(step.get("title") or step["id"]))
            for step in before
            if step["type"] not in ("start", "end", "approval")
        ]

    def compared(self, before: Before) -> conditions.Groups:
        """Return what a row of a condition may compare, with the fields of single records that steps before read over a relation."""
        groups = dict(conditions.compared(self.document, self._own(), before))
        for path in dict.fromkeys(LED.findall(json.dumps(self.step))):
            label, fields, _ = self.led(path.split("."))
            groups |= {label: {**groups.get(label, {}), **fields}} if fields else {}
        for step in self.document["steps"]:
            config = step.get("config") or {}
            for entry in (
                config.get("related") or () if step["id"] in before and isinstance(config, Mapping) else ()
            ):
                read = self._led_by(entry) if isinstance(entry, Mapping) and entry.get("one") else None
                fields = {
                    f"steps.{step['id']}.{entry.get('name')}.{each.name}": each
                    for each in (read.stored_fields if read is not None else ())
                    if each.name in (entry.get("fields") or ()) and condition_rows.conditional(each)
                }
                if read is not None and fields:
                    groups[f"{step.get('title') or step['id']}: {read.label_one}"] = fields
        return groups

    def led(self, relations: Sequence[str]) -> tuple[str, Mapping[str, Field], Options]:
        """Return what the record leads to over these relations: its label, path → field, and the relations from there."""
        here, titles = self._own(), list[str]()
        visible = {each.id: each for each in collections_of(self.actor)}
        for name in relations:
            relation = here.relation(name) if here is not None else None
            if relation is None or relation.kind != "to_one" or relation.collection not in visible:
                return "", {}, ()
            here, titles = visible[relation.collection], [*titles, relation.label]
        if here is None:
            return "", {}, ()
        root = ".".join(["record", *relations])
        fields = {
            f"{root}.{each.name}": replace(each, label=STEPS.join([*titles, each.label]))
            for each in here.stored_fields
            if condition_rows.conditional(each) and condition_rows.is_plain(each.name)
        }
        further = [
            (f"{root}.{each.name}.", STEPS.join([*titles, each.label, ""]).rstrip())
            for each in here.relations
            if each.kind == "to_one" and each.collection in visible and len(relations) < MOST_RELATIONS
        ]
        return here.label_one, fields, further

    def names_in(self, path: Path) -> Options:
        """Return (name, label) of what may be in an object of the step's settings; none where names are free."""
        return [(name, each.label) for name, each in self._fields_in(self._object_at(path)).items()]

    def _object_at(self, path: Path) -> Path:
        """The object of the step's settings in which a place is: of a further action, its own."""
        return path[:4] if path[1:2] == ("actions",) else path[:2]

    def target(self, path: Path) -> Field | None:
        """Return the field that the value at the path is for; None where nothing says."""
        found: Any = self.step
        for number, part in enumerate(path[:-1]):
            try:
                found = found[part]
            except (KeyError, IndexError, TypeError):
                return None
            if isinstance(found, Mapping) and isinstance(part, int):
                if "type" in found and "name" in found:
                    return conditions.form_field(found)
                if "field" in found and (read := self._read_at((*path[: number + 1], "field"))) is not None:
                    return next((each for each in read.fields if each.name == found["field"]), None)
        place = self._object_at(path)
        return self._fields_in(place).get(str(path[len(place)])) if len(path) > len(place) else None

    def _fields_in(self, path: Path) -> Mapping[str, Field]:
        """Return the fields that an object of the step's settings gives values to."""
        config = self.step.get("config") or {}
        if path == ("config", "arguments") and (server := self._server()) is not None:
            tool = server.tools.get(str(config.get("tool")))
            named = schema_fields.fields(config.get("schema") or (tool.form if tool is not None else {}))
            return {each.name: conditions.form_field(each.to_json()) for each in named}
        if path[-1:] == ("values",) and self.step["type"] == "trigger_action":
            named = self._beside(path).get("action")
            chosen = next((each for each in actions.list_actions() if each.id == named), None)
            form = [each.model_dump() for each in chosen.form] if chosen is not None else []
            return {each["name"]: conditions.form_field(each) for each in form}
        if path == ("config", "values") and config.get("operation") == "connector":
            named = schema_fields.fields(does.form) if (does := self.does()) is not None else []
            return {each.name: conditions.form_field(each.to_json()) for each in named}
        if path == ("config", "values") and self.step["type"] == "action" and (read := self._read_at(path)):
            return {each.name: each for each in read.fields if not each.readonly and each.computed is None}
        return {}

    def does(self) -> Operation | None:
        """The operation of a connector that the step names."""
        config = self.step.get("config") or {}
        return operation({"connector": config.get("connector"), "operation": config.get("call")})

    def _connector(self) -> Connector | None:
        """The connector that the step names."""
        return CONNECTORS.get(str((self.step.get("config") or {}).get("connector")))

    def _server(self) -> Connection | None:
        """The MCP server that the step names."""
        return connectors.every().get(str((self.step.get("config") or {}).get("server")))

    def _read_at(self, path: Path) -> Any:
        """The collection whose fields the setting at `path` names: that of its relation, the one beside it, or the workflow's own."""
        return self._led_by(self._beside(path))

    def _beside(self, path: Path) -> Any:
        """The object in which the setting at `path` stands."""
        beside: Any = self.step
        for part in path[:-1]:
            beside = beside[part] if isinstance(part, int) else (beside or {}).get(part) or {}
        return beside

    def _led_by(self, beside: Mapping[str, Any]) -> Any:
        """Return the collection of a relation or the one that is named, else the workflow's own."""
        own, relation = self._own(), beside.get("relation")
        led = next((each.collection for each in getattr(own, "relations", ()) if each.name == relation), None)
        named = beside.get("collection") or (led if relation else getattr(own, "id", None))
        return next((each for each in collections_of(self.actor) if each.id == named), None)

    def _own(self) -> Any:
        """The workflow's collection, if the editor may see it."""
        return next(
            (each for each in collections_of(self.actor) if each.id == self.document.get("collection")), None
        )


def _with(options: Options, values: Sequence[str]) -> Options:
    known = {value for value, _ in options}
    return (
        [*options, *((value, f"{value} (not known here)") for value in values if value not in known)]
        if options
        else options
    )


def collections_of(actor: Actor) -> list[Any]:
    """The collections that the editor may see, by their labels: a lead without rights to data is offered none, and can still type a name."""
    every = sorted(records.collections(), key=lambda each: each.label.casefold())
    return [
        each
        for each in every
        if any(can(actor, team, f"collection:{each.id}", "browse") for team in (*actor.teams, None))
    ]


def roles() -> list[tuple[str, str]]:
    """(role, in words) of every role that is granted something."""
    granted = {row.sub.partition(":")[2] for row in all_rows() if row.sub.startswith("role:")}
    return [(role, formats.role_words(role)) for role in sorted(granted)]


def names_over(actor: Actor, document: Mapping[str, Any], path: str) -> list[dict[str, Any]]:
    """Return the options that a path such as `record.customer.` leads to: fields, and relations from there, whose paths end with a dot."""
    _, fields, further = _Offer(actor, document).led(path.strip(".").split(".")[1:])
    return [
        *(
            {**Box.condition_choice(name, each), "label": each.label, "data-about": each.stored}
            for name, each in fields.items()
        ),
        *({"value": name, "label": title} for name, title in further),
    ]


def names(
    actor: Actor, document: Mapping[str, Any], before: Before, step: Mapping[str, Any]
) -> list[tuple[str, str, str]]:
    """Return (name, label, group and type) of what expressions of a step can name: the record, input, outputs of the steps before, variables, tables."""
    offer = _Offer(actor, document, step)
    found = offer.compared(before)
    given = [
        (f"{part}.{name}", "", "") for part in ("variables", "tables") for name in document.get(part) or {}
    ]
    return [
        *(
            (path, each.label, title if each.stored in ("any", "other") else f"{title}, {each.stored}")
            for title, fields in found.items()
            for path, each in fields.items()
        ),
        *((path, label, "") for path, label in offer.led(())[2]),
        *given,
        ("now", "Now", ""),
        ("run.id", "Run", ""),
        ("$currentUser.id", "Current user", ""),
        ("$currentUser.name", "Name of the current user", ""),
        ("$currentUser.email", "E-mail of the current user", ""),
        *((name, words, "") for name, words in _functions()),
    ]


@functools.cache
def _functions() -> list[tuple[str, str]]:
    """(beginning of a call, its arguments and what it gives) of every function of expressions."""
    found = []
    for name, function in FUNCTIONS.items():
        arguments = list(inspect.signature(function.call).parameters)[1:]
        found.append(
            (
                f"{name}(",
                f"{', '.join(arguments)}): {(inspect.getdoc(function.call) or '').partition('.')[0]}",
            )
        )
    return found


def settings_in_words(
    actor: Actor, document: Mapping[str, Any], step: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """(label, in words) of what the settings of a step say, for those who judge a proposal."""
    outputs = {sketch.id: sketch.outputs for sketch in sketches(document, steps.all_types(), [])}
    known = condition_rows.every_field(_Offer(actor, document).compared(outputs))

    def said(name: str, value: Any) -> str:
        if isinstance(value, str):
            if value in WORDS.get(name, ()):
                return WORDS[name][value]
            if name in COLUMNS and (column := known.get(f"record.{value}")) is not None:
                return column.label
            if name in conditions.CONDITIONS:
                return conditions.sentence(
                    value, condition_lines.with_names(known, [value], condition_rows.path_of)
                )
            return conditions.text_words(value, known)
        if name == "roles" and isinstance(value, list):
            return ", ".join(formats.role_words(str(each)) for each in value)
        if isinstance(value, list):
            return "; ".join(said(name, each) for each in value)
        if isinstance(value, Mapping):
            shown = [
                (part, each)
                for part, each in value.items()
                if each is not False and not (part in ("name", "value") and "label" in value)
            ]
            return ", ".join(
                _word(part).lower()
                if each is True
                else _word(each)
                if part in ("outcome", "type")
                else said(part, each)
                for part, each in shown
            )
        return words_of(value)

    config = step.get("config")
    given = config.items() if isinstance(config, Mapping) else ()
    return [
        (LABELS.get(name, _word(name)), said(name, value))
        for name, value in given
        if value not in (None, "", [], {})
    ]
