"""The form of what starts a workflow by itself, and of how those who are in it leave and come again: boxes in the settings of the workflow."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from console import workflows
from console.automation import triggers as automation
from console.core.actor import Actor
from console.core.documents import condition_words as conditions
from console.core.documents.collections.condition_rows import every_field
from console.core.documents.triggers import Trigger
from console.core.documents.triggers_check import EVENTS, finds
from console.core.documents.workflow import Exit
from console.core.schedule import DAYS, Coming
from console.views.editor import schedule_form
from console.views.editor.step_form import Box, Path, collections_of, form_of
from console.views.editor.values_in_words import SETTINGS, TRIGGERS
from console.views.settings.zone_choices import zone_choices

ICONS = {"schedule": "clock", "event": "bolt", "webhook": "link"}
OWN = "That of the workflow"
HELP = {
    "title": "What people read in place of the sentence above.",
    "collection": "Whose records it is about. Empty: those of the workflow's own collection.",
    "record": "Which record of the workflow's collection the run is about: it is not that of the event.",
    "find_by": "What the sender tells of the record: its key, or a field that only one record has so, such as an e-mail address.",
    "signed": "The sender signs what it sends; the secret is made under Triggers once this is published. Else it sends a key.",
    "cron": "Minute, hour, day of month, month and day of week, such as 30 2 * * 1-5.",
    "sent zone": "Whose clock it is where a time is sent without a time zone.",
    "missed": "What becomes of times at which the console was not running.",
    "filter": "Without a condition, each one starts it.",
    "enabled": "Later it is switched under Triggers.",
    "segment": "Everybody who is in it then is enrolled.",
    "input": "An expression, such as record.email, or a text in quotation marks.",
    "if": "Looked at when something happens to whoever is in it, and before they come in.",
    "reason": "What people read: such as “they wrote to us”.",
}
OF_BODY = "Which part of what is sent says it: an expression, such as input.data.email. Empty: record."
MISSED = [
    ("", "One run for all that were missed"),
    ("skip", "Left out"),
    ("all", "One run each, the latest ten"),
]
NEVER = '"never"'
AFTER = '{"days": 180}'


@dataclass(frozen=True, slots=True)
class Started:
    """A trigger as the page shows it: what it is called, the sentences that say what will start it, its boxes. `wrong`: what no box of it tells. `next`: the next times of a schedule in `zone`."""

    id: str
    kind: str
    icon: str
    title: str
    sentences: Sequence[str]
    boxes: Sequence[Box]
    more: Sequence[Box]
    wrong: Sequence[str]
    needs: str
    next: Sequence[Coming]
    zone: str


@dataclass(frozen=True, slots=True)
class Start:
    """What starts the workflow, how those who are in it leave, whether they come again; what can be added (words, entry), and names for expressions."""

    triggers: Sequence[Started]
    added: Sequence[tuple[str, str, dict[str, Any]]]
    exits: Sequence[tuple[Sequence[Box], str, str]]
    again: Sequence[Box]
    names: Sequence[tuple[str, str, str]]


def start_of(actor: Actor, document: Mapping[str, Any], errors: Mapping[str, str]) -> Start:
    """The boxes. `errors`: place in the document (`triggers[0].filter`) → what is wrong there."""
    part = _Part(actor, document, errors)
    triggers = [each for each in document.get("triggers") or () if isinstance(each, Mapping)]
    leaving = conditions.compared_by_exits(document, part.own)
    exits = [
        part.exit(number, each, leaving)
        for number, each in enumerate(document.get("exits") or ())
        if isinstance(each, Mapping)
    ]
    known = [every_field(groups) for groups in (leaving, *map(part.compared, triggers))]
    taken = {str(each.get("id")) for each in triggers}
    return Start(
        [part.trigger(number, each) for number, each in enumerate(triggers)],
        [
            ("Add an event", "bolt", {"id": _free("event", taken), "kind": "event"}),
            ("Add a webhook", "link", {"id": _free("webhook", taken), "kind": "webhook"}),
        ],
        exits,
        part.again(document.get("reenrol")),
        list({path: (path, each.label, "") for fields in known for path, each in fields.items()}.values()),
    )


def _free(kind: str, taken: set[str]) -> str:
    return next(
        name
        for name in (kind, *(f"{kind}_{number}" for number in range(2, len(taken) + 3)))
        if name not in taken
    )


@dataclass(frozen=True, slots=True)
class _Part:
    actor: Actor
    document: Mapping[str, Any]
    errors: Mapping[str, str]

    @property
    def own(self) -> Any:
        """The workflow's collection, if the editor may see it."""
        return self._collection(self.document.get("collection"))

    def _collection(self, name: Any) -> Any:
        return next((each for each in collections_of(self.actor) if each.id == name), None)

    def compared(self, trigger: Mapping[str, Any]) -> conditions.Groups:
        """Path → what the condition of the trigger may compare."""
        if trigger.get("kind") == "event":
            of = self._collection(trigger.get("collection") or self.document.get("collection"))
            slugs = (
                [(each.slug, each.title) for each in workflows.entries(self.actor, limit=400)[0]]
                if str(trigger.get("on")).startswith("run.")
                else []
            )
            return conditions.compared_at_event(str(trigger.get("on") or ""), of, slugs)
        return conditions.compared(self.document, None, {}) if trigger.get("kind") == "webhook" else {}

    def trigger(self, number: int, given: Mapping[str, Any]) -> Started:
        kind, place = str(given.get("kind")), ("triggers", number)
        names, later = self._names(kind, given)
        boxes = {name: self._box(name, given, (*place, name), kind) for name in (*names, *later)}
        often = (
            schedule_form.boxes(form_of(self.actor, self.document, self.errors, {}), given, place)
            if kind == "schedule"
            else []
        )
        inputs = self._inputs(given, (*place, "input")) if kind in ("schedule", "event", "webhook") else []
        found = [box for box in (*often, *boxes.values(), *inputs) if box.error]
        here = [text for at, text in self.errors.items() if at.startswith(f"triggers[{number}]")]
        sentences = self._sentences(given)
        return Started(
            str(given.get("id") or ""),
            kind,
            ICONS.get(kind, "player-play"),
            str(given.get("title") or TRIGGERS.get(kind, kind)),
            sentences,
            [*often, *(boxes[name] for name in names)],
            [*(boxes[name] for name in later), *inputs],
            [text for text in here if text not in {box.error for box in found}],
            ""
            if sentences
            else "Choose what happens: nothing starts it yet."
            if kind == "event" and not given.get("on")
            else "",
            schedule_form.next_times(given) if kind == "schedule" else (),
            str(given.get("zone") or "UTC"),
        )

    def _names(self, kind: str, given: Mapping[str, Any]) -> tuple[list[str], list[str]]:
        """The settings that are shown at once, and those below "More"."""
        match kind:
            case "event":
                other = given.get("record") or (
                    self.document.get("collection")
                    and given.get("collection") not in (None, self.document.get("collection"))
                )
                return ["on", "collection", "filter", *(["record"] if other else [])], ["title", "enabled"]
            case "webhook":
                known = bool(given.get("filter") or self.compared(given))
                return ["signed", *(["filter"] if known else [])], [
                    *(["record", "find_by"] if self.document.get("collection") else []),
                    "zone",
                    "title",
                    "enabled",
                ]
            case "schedule":
                of = ["segment"] if self.own is not None else []
                when = [] if isinstance(given.get("preset"), Mapping) else ["cron"]
                return [*when, "zone", *of], [
                    "missed",
                    *(["filter"] if given.get("filter") else []),
                    "title",
                    "enabled",
                ]
        return [], ["title", "enabled"]

    def _sentences(self, given: Mapping[str, Any]) -> list[str]:
        """What will start it, in words; none while it cannot be said."""
        try:
            trigger = Trigger.model_validate(given)
        except ValidationError:
            return []
        if trigger.kind == "event" and trigger.on not in EVENTS:
            return []
        own = self.document.get("collection")
        whom = automation.whom_words(trigger, own if isinstance(own, str) else None)
        begins = "Enrols at these times: " if trigger.segment else "Starts a run: "
        return [f"{begins}{_small(automation.trigger_words(trigger))}.", *whom]

    def _box(self, name: str, given: Mapping[str, Any], path: Path, kind: str) -> Box:
        form, value = form_of(self.actor, self.document, self.errors, self.compared(given)), given.get(name)
        schema: dict[str, Any] = {
            "type": "string",
            "description": HELP.get("sent zone" if (name, kind) == ("zone", "webhook") else name, ""),
        }
        match name:
            case "on":
                schema["enum"] = list(EVENTS)
            case "signed":
                schema |= {"type": "boolean"}
            case "enabled":
                schema |= {"type": "boolean", "default": kind != "webhook"}
            case "record":
                schema["description"] = (
                    OF_BODY
                    if kind == "webhook"
                    else f"{schema['description']} An expression, such as record.customer_id."
                )
        box = form.box("if" if name == "filter" else name, schema, value, path, needed=name == "on")
        box = replace(box, label=SETTINGS.get(name, box.label))
        match name:
            case "on":
                return replace(box, options=[("", "Choose…"), *EVENTS.items()])
            case "collection":
                return replace(
                    box,
                    options=[
                        ("", OWN if self.document.get("collection") else "None"),
                        *(each for each in box.options if each[0]),
                    ],
                )
            case "zone":
                chosen = "" if value in (None, "UTC") else str(value)
                zones = [
                    ("" if zone == "UTC" else zone, words) for zone, words in zone_choices(chosen or "UTC")
                ]
                return replace(box, control="choice", value=chosen, options=zones)
            case "missed":
                return replace(box, control="choice", options=MISSED)
            case "segment":
                return _choice(
                    box,
                    [
                        ("", "Nobody in particular: one run"),
                        *((each.id, each.label) for each in self.own.segments),
                    ],
                )
            case "find_by":
                offered = [
                    (each.name, each.label)
                    for each in (self.own.fields if self.own is not None else ())
                    if finds(each)
                ]
                return _choice(box, [("", "The key"), *offered])
            case "record":
                return self._which(box, given) if kind == "event" else replace(box, expression=True)
        return box

    def _which(self, box: Box, given: Mapping[str, Any]) -> Box:
        """The relations of the event's record that lead to one of the workflow's collection; as text where there is none, or another expression stands there."""
        of = self._collection(given.get("collection"))
        leading = [
            (f"record.{one.columns[0][0]}", one.label)
            for one in (of.relations if of is not None else ())
            if one.kind == "to_one"
            and one.collection == self.document.get("collection")
            and len(one.columns) == 1
        ]
        if not leading or box.value not in ("", *(path for path, _ in leading)):
            return replace(box, expression=True)
        return _choice(box, [("", "Choose…"), *leading])

    def _inputs(self, given: Mapping[str, Any], path: Path) -> list[Box]:
        """A box for each field that the start asks for, and for what else is given."""
        asked = asked_at_start(self.document)
        given_input = given.get("input")
        held: Mapping[str, Any] = given_input if isinstance(given_input, Mapping) else {}
        form = form_of(self.actor, self.document, self.errors, {})
        schema = {"type": "string", "description": HELP["input"]}
        return [
            replace(
                form.box(name, schema, held.get(name), (*path, name), needed=False),
                label=f"{asked.get(name, name)}, at the start",
                expression=True,
            )
            for name in dict.fromkeys([*asked, *held])
        ]

    def exit(
        self, number: int, given: Mapping[str, Any], compared: conditions.Groups
    ) -> tuple[Sequence[Box], str, str]:
        """The boxes of an exit, its title, and what it says in words."""
        form = form_of(self.actor, self.document, self.errors, compared)
        boxes = [
            replace(
                form.box(
                    name,
                    {"type": "string", "description": HELP[name]},
                    given.get(name),
                    ("exits", number, name),
                    needed=True,
                ),
                label=SETTINGS[name],
            )
            for name in ("if", "reason")
        ]
        own = self.document.get("collection")
        try:
            said = automation.exit_words(Exit.model_validate(given), own if isinstance(own, str) else None)
        except ValidationError:
            said = ""
        return boxes, str(given.get("reason") or ""), said

    def again(self, given: Any) -> list[Box]:
        """Whether who was in it may come again, and after how many days."""
        later = given if isinstance(given, Mapping) else None
        chosen = (
            "" if given in (None, "after_end") else json.dumps(given) if later is None else json.dumps(later)
        )
        options = [
            ("", "At once after they have left"),
            (NEVER, "Never"),
            (chosen if later is not None else AFTER, "After some days"),
        ]
        box = Box(
            "Coming again",
            "choice_of_json",
            '["reenrol"]',
            "f-reenrol",
            chosen,
            error=self.errors.get("reenrol", ""),
            options=options,
        )
        if later is None:
            return [box]
        form = form_of(self.actor, self.document, self.errors, {})
        days = form.box(
            "days",
            {"type": "integer", "description": "Counted from the day on which they left."},
            later.get("days"),
            ("reenrol", "days"),
            needed=True,
        )
        return [box, replace(days, label="Days until then")]


def start_step(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the step with which runs begin; empty while there is none."""
    return next((each for each in document["steps"] if each.get("type") == "start"), {})


def asked_at_start(document: Mapping[str, Any]) -> dict[str, str]:
    """Return name → label of the fields that the start asks for."""
    fields = (start_step(document).get("config") or {}).get("fields") or ()
    return {
        str(each.get("name")): str(each.get("label") or each.get("name"))
        for each in fields
        if isinstance(each, Mapping)
    }


def _choice(box: Box, options: Sequence[tuple[str, str]]) -> Box:
    value = str(box.value or "")
    beside = [] if value in {each for each, _ in options} else [(value, f"{value} (not known here)")]
    return replace(box, control="choice", options=[*options, *beside])


def _small(words: str) -> str:
    return words if words.startswith(DAYS) else words[:1].lower() + words[1:]
