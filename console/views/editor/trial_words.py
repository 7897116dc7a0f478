"""A dry run in words: its path with what each step was given and has found, and what would have left. Values are said as on the page of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console import browse, steps
from console.core.actor import Actor
from console.core.documents.workflow import Workflow
from console.core.run.simulation import Delivery, Repeat, Simulated, SimulatedStep, WouldSend
from console.views import formats, frame
from console.views.formats import Kind
from console.views.runs import effects, loaded_values, step_values
from console.views.runs.loaded_values import Loading
from console.views.runs.step_values import Described

UNSAID = frozenset(
    {"key", "collection", "by", "closed_by", "run", "message", "hash", "define", "action", "record"}
)
"""Names of values that only programs need, and the record, which has a page of its own."""
ENDINGS = (("succeeded", "It succeeds"), ("failed", "It fails"), ("unknown", "Nobody can tell"))
USUAL = frozenset({"default", "error", "sent", "answered", "failed"})
"""Ways on after a message that the usual endings take."""
WAY = "way."
CHANNELS = {"email": "An e-mail", "sms": "An SMS", "call": "A call", "chat": "A chat message"}
HAPPENS = "happens"
WAITS = (("succeeded", "Nothing happens in time"), (HAPPENS, "It happens"))
Line = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Passed:
    """A step of the path as people read it. `input` and `output` are pairs of a label and a text."""

    title: str
    number: int
    outcome: str
    state: str
    at: datetime
    branch: str
    input: Sequence[Line]
    output: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Sent:
    """What would have left at a step, or what is waited for there, with the ending that was chosen; `ending` empty: it can have no other."""

    step: str
    title: str
    summary: str
    lines: Sequence[Line]
    ending: str
    endings: Sequence[tuple[str, str]] = ENDINGS


@dataclass(frozen=True, slots=True)
class TrialWords:
    """How the values of a dry run are said: `own` are the kinds of its record's fields, `record` the values that the record would have."""

    document: Workflow
    described: Mapping[str, Described]
    loading: Loading
    own: Mapping[str, Kind]
    record: Mapping[str, Any]
    look: formats.Look

    @classmethod
    def of(cls, document: Workflow, found: Simulated, actor: Actor) -> "TrialWords":
        """For this dry run."""
        loading = Loading(
            browse.visible_collection(actor, document.collection), loaded_values.reads_of(document), actor
        )
        outputs = {each.step: {**each.input, **(each.output or {})} for each in found.path}
        look = frame.naming(browse.names_of(actor, loaded_values.references(loading, outputs)))
        return cls(
            document,
            step_values.of_document(document),
            loading,
            loaded_values.kinds(loading.own),
            found.record,
            look,
        )

    def passed(self, each: SimulatedStep) -> Passed:
        """A step of the path; what was answered there is not said again as what came of it."""
        described = self.described.get(each.step, step_values.NOTHING)
        technical = UNSAID | steps.get(each.type).technical - described.kinds.keys()
        given = self._lines(each.step, each.input, technical)
        state = {"done": "done", "failed": "failed"}.get(each.status, "now")
        said = (
            technical
            | step_values.CHOSEN
            | {"option"}
            | {name for name, value in each.input.items() if (each.output or {}).get(name) == value}
        )
        came = self._lines(each.step, each.output or {}, said)
        branch = formats.label_of(self._titles.get(each.branch, each.branch)) if each.branch else ""
        return Passed(
            each.title, each.attempt, described.outcome(each.outcome), state, each.at, branch, given, came
        )

    def sent(self, would_send: Sequence[WouldSend], chosen: Mapping[str, str]) -> list[Sent]:
        """What would have left; the first of a step has the choice of its ending, which counts for all of the step. `chosen`: step → ending."""
        sent, offered, steps_of = [], set[str](), {step.id: step for step in self.document.steps}
        for each in would_send:
            settles = each.kind not in ("task", "notice", "documents") and each.step not in offered
            offered.add(each.step)
            ending = chosen.get(each.step, "succeeded") if settles else ""
            step = steps_of.get(each.step)
            title = step.title if step is not None else formats.label_of(each.step.rpartition("/")[2])
            ways = (
                [way for way in step.next if way not in USUAL]
                if step is not None and each.kind == "message"
                else []
            )
            channel = str(each.request.get("channel")) if each.kind == "message" else ""
            endings = (*_endings(each, channel), *((f"{WAY}{way}", formats.label_of(way)) for way in ways))
            lines = [*self._delivery_lines(each.deliveries), *self._request_lines(each)]
            sent.append(Sent(each.step, title, CHANNELS.get(channel, each.summary), lines, ending, endings))
        return sent

    @property
    def _titles(self) -> dict[str, str]:
        return {step.id: step.title for step in self.document.steps}

    def _lines(self, step: str, values: Mapping[str, Any], left_out: frozenset[str]) -> list[Line]:
        """Label and text of each value that people read."""
        described = self.described.get(step, step_values.NOTHING)
        beside = {
            **self.record,
            **{name: value for name, value in values.items() if not isinstance(value, Mapping)},
        }
        lines = []
        for path, label, value in loaded_values.flat(self.loading, step, values):
            if path[0] in left_out or path[-1] in UNSAID or formats.absent(value) or value == {}:
                continue
            collection = self.loading.collection(step, path[0], values)
            if isinstance(value, Mapping) and loaded_values.is_item(value):
                lines.append(
                    (
                        str(value["title"]),
                        _one_line(loaded_values.item(value, described.kinds, collection, self.look)[1]),
                    )
                )
            elif isinstance(value, Mapping) and collection is not None and len(path) == loaded_values.ROW:
                lines.append((label, _one_line(loaded_values.row(collection, value, self.look)[1])))
            else:
                known = {**loaded_values.kinds(collection), **(described.kinds if len(path) == 1 else {})}
                shut = collection is not None and path[-1] in collection.sensitive
                said, text = effects.line(path[-1], value, known, beside, self.look)
                lines.append(
                    (
                        said if len(path) == 1 or path[-1] in known else label,
                        loaded_values.DOTS if shut else text,
                    )
                )
        return lines

    def _delivery_lines(self, deliveries: Sequence[Delivery]) -> list[Line]:
        """Whom the message would reach, when, or why not; of a call that is tried again, for each try."""
        lines = []
        for number, told in enumerate(deliveries, 1):
            reaches = ", ".join(part for part in (told.contact, told.to) if part)
            if number == 1 and (reaches or told.leaves):
                lines.append(("Reaches", reaches or "An address that is not shown to you"))
            lines.append((f"Try {number}" if len(deliveries) > 1 else "When", self._verdict(told)))
        lines += (
            [
                (f"Number {each.number} to them", self._repeated(each))
                for each in deliveries[-1].repeats
                if each.code
            ]
            if deliveries
            else []
        )
        return lines

    def _repeated(self, told: Repeat) -> str:
        moment = formats.worded(told.at, "EEE d MMM, HH:mm", self.look)
        said = {"sent": f"Would wait until {moment}", "skipped": "Would be skipped"}.get(
            told.status, "Would wait too long"
        )
        return f"{said}: {told.reason}"

    def _verdict(self, told: Delivery) -> str:
        held = " ".join(dict.fromkeys(each.reason for each in told.held))
        if told.leaves:
            ended = (
                f" Then: {formats.label_of(told.outcome).lower()}."
                if told.channel == "call" and told.outcome
                else ""
            )
            moment = formats.worded(told.at, "EEE d MMM, HH:mm", self.look)
            return (
                f"Would wait until {moment}: {held}" if held else f"Would leave at once, {moment}."
            ) + ended
        beside = " You chose that it leaves all the same." if told.outcome in ("sent", "answered") else ""
        return f"{'Would be skipped' if told.status == 'skipped' else 'Would wait too long'}: {told.reason}{beside}"

    def _request_lines(self, each: WouldSend) -> list[Line]:
        request = (
            {**each.request, "content": {**each.request["content"], "to": None}}
            if each.deliveries
            else each.request
        )
        if isinstance(changes := request.get("changes"), Mapping):
            known = effects.kinds_of(request.get("collection"))
            return [
                effects.line(name, change, known, self.record, self.look) for name, change in changes.items()
            ]
        for part in ("content", "input"):
            if isinstance(inside := request.get(part), Mapping):
                return self._lines(each.step, inside, UNSAID)
        return self._lines(
            each.step,
            {name: request[name] for name in ("title", "text", "to", "due") if name in request},
            UNSAID,
        )


def _endings(each: WouldSend, channel: str) -> Sequence[tuple[str, str]]:
    """How it can end by itself. Consent, hours and caps say it of a message, unless the tester says otherwise."""
    if not each.deliveries:
        return ENDINGS
    all_the_same = (
        ()
        if each.deliveries[-1].leaves
        else ((f"{WAY}{'answered' if channel == 'call' else 'sent'}", "It leaves all the same"),)
    )
    return (("succeeded", "As consent, hours and caps allow"), *all_the_same, *ENDINGS[1:])


def _one_line(text: str) -> str:
    return "; ".join(text.splitlines())


def waited(found: Simulated, chosen: Mapping[str, str]) -> list[Sent]:
    """What the path waited for until it was too late, or until it happened: a choice for each step."""
    at = {
        each.step: each for each in found.path if each.type == "wait" and each.outcome in ("event", "timeout")
    }
    return [Sent(step, each.title, "", (), chosen.get(step, "succeeded"), WAITS) for step, each in at.items()]


def ended(found: Simulated) -> str:
    """Where the dry run stops, or how it ends."""
    if found.question is not None:
        return f"It stops at “{found.question.title}”."
    return (
        f"It ends as {formats.label_of(found.outcome)}."
        if found.outcome
        else f"It ends as {found.status.replace('_', ' ')}."
    )
