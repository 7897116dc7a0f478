"""A dry run: a workflow is followed from its start with the rules and step types of every run, and nothing is sent, asked, or written for good.

What people and the world outside would say is chosen by the tester (`Script`), and time jumps to the end of each wait. Records are read and
changed through the one door with the tester's rights, and every change is taken back at the end (`records.rehearsed`): later steps find it. Where
it cannot be tried, the dry run says so; then only a change of the run's own record is remembered.
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from console import log, records
from console.core.actor import Actor
from console.core.documents.workflow import Workflow
from console.core.errors import ConsoleError, Invalid, SourceDown
from console.core.plain_words import humanised
from console.core.run import Attempt, Effect, Event, Run, commands, decisions, fold, simulation
from console.core.run.approval_request import MESSAGE
from console.core.run.commands import Command
from console.core.run.simulation import Delivery, Gate, Question, Script, Simulated, SimulatedStep, WouldSend
from console.core.run.step_requests import Awaited
from console.records import Record, rehearsal
from console.runs.commands import run_starts, transitions
from console.runs.commands.approval_requests import complete_request
from console.runs.engine.advancing import completing_command, failure_command, require_few_automatic
from console.runs.engine.stepping import (
    OpenStep,
    completion_of,
    context_of,
    plan_of,
    prompt_of,
    record_of,
    step_at,
)
from console.runs.simulation import simulated_children, simulated_waits
from console.runs.simulation.former_runs import FormerRun
from console.runs.store.loaded_runs import Loaded
from console.steps import effects
from console.steps.base import Completion, Context, Prompt
from console.workflows import Definition

MOST_MOVES = 5_000
LONGEST_S = 20.0
NOT_HERE = "require"
"""The code of an action that is not possible on the record as it is."""
CHOOSE_END = "A dry run writes nothing, so an earlier step has not made it. Say how this step ends."
CIRCLES = "What an action would have written is not seen in a dry run, so this could go round for ever. Say how it goes on."
PASSES = 2
COLLEAGUE = "a.colleague@example.invalid"
TRIED = frozenset({"record", "sql_write", "sql_insert", "sql_delete"})
"""Kinds of effects that a rollback takes back."""
"""How often a rule is judged by records that an action would have changed, before the tester is asked."""
STUCK = "The dry run was ended after {moves} moves: look whether the workflow goes in circles, or waits for a slow data source."


def definition_of(slug: str, ident: str, document: Workflow) -> Definition:
    """A document that was not published, as a definition. Its number is negative and differs from document to document, so that nothing kept in memory is mixed up."""
    number = -int(document.hash[:15], 16) - 1
    return Definition(ident, slug, document.title, number, document.hash, document)


def dry_run(
    actor: Actor,
    definition: Definition,
    record: str | None,
    given: Mapping[str, Any],
    script: Script,
    *,
    now: datetime | None = None,
    about: Record | None = None,
    former: FormerRun | None = None,
    gate: Gate | None = None,
) -> Simulated:
    """The result that a run would have. `now` is the moment at which it begins (None: this one), `about` the record if it was read already.

    `former` is a run that has ended: what its steps came to is taken as it was, as long as nothing differs. `gate` judges messages; without one they leave at once.

    Raises Invalid for the record or the input (`input.…`), NotFound for a record that the actor may not see, SourceDown.
    """
    dry = begin_dry_run(actor, definition, record, given, script, now=now, about=about, gate=gate)
    dry.former = former
    with records.rehearsed():
        return dry.result(dry.play())


def begin_dry_run(
    actor: Actor,
    definition: Definition,
    record: str | None,
    given: Mapping[str, Any],
    script: Script,
    *,
    now: datetime | None = None,
    about: Record | None = None,
    gate: Gate | None = None,
) -> "Simulation":
    """A dry run that has begun and taken no step yet. Raises as `dry_run`."""
    began = now or log.now()
    document = definition.document
    if about is None:
        about = run_starts.record_of_start(actor, definition, document.collection, record)
    values, output = run_starts.checked_input(actor, definition, about, given, document.team or "", began)
    start = commands.Start(
        by=actor.id,
        id=simulation.ID,
        team=document.team or "",
        version=definition.number,
        workflow=definition.id,
        collection=about.collection if about else None,
        record=about.key if about else None,
        exclusive=None,
        input=values,
        output=output,
        title=about.title if about else "",
        trigger="record" if about else "manual",
        acts_for=actor.id if document.run_as is not None else None,
        test=True,
    )
    dry = Simulation(actor, definition, script, about, began, gate=gate)
    dry.begin(start)
    return dry


class Simulation:
    """A run in memory, and where it stands. `acting` is who does the next step: the tester, or a colleague to whom the run was handed on. `changed` are values that it would have written to its record."""

    def __init__(
        self,
        actor: Actor,
        definition: Definition,
        script: Script,
        about: Record | None,
        now: datetime,
        *,
        depth: int = 0,
        gate: Gate | None = None,
    ) -> None:
        self.actor, self.definition, self.script, self.now, self.depth = actor, definition, script, now, depth
        self.acting = actor
        self.plan = plan_of(definition)
        self.run = Run()
        self.about = about
        self.former: FormerRun | None = None
        self.changed: dict[str, Any] = {}
        self.answered: set[int] = set()
        self.requests: dict[str, Mapping[str, Any]] = {}
        self.gate = gate
        self.deliveries: dict[int, list[Delivery]] = {}
        self.beside: dict[int, list[tuple[SimulatedStep, ...]]] = {}
        self.sent_beside: dict[int, list[WouldSend]] = {}
        self.notes: list[str] = []
        self.unseen = False
        self.moves = 0
        self.until = time.monotonic() + LONGEST_S

    def run_beside(self, definition: Definition, script: Script, about: Record | None) -> "Simulation":
        """A run that this one starts, not begun yet. It sees what this one would have written to the same record."""
        other = Simulation(
            self.actor, definition, script, about, self.now, depth=self.depth + 1, gate=self.gate
        )
        other.until = self.until
        if (
            about is not None
            and self.about is not None
            and (about.collection, about.key) == (self.about.collection, self.about.key)
        ):
            other.changed = self.changed
        return other

    def begin(self, start: commands.Start) -> None:
        """Start the run. Raises what deciding raises."""
        self.apply(decisions.decide(self.plan, Run(), start, self.now))

    def play(self) -> Question | None:
        """Go on until the run has ended, or something has to be chosen."""
        while not self.run.ended:
            self.moves += 1
            if self.moves > MOST_MOVES or time.monotonic() > self.until:
                return self.question("stuck", why=STUCK.format(moves=self.moves))
            try:
                question = self._move()
            except SourceDown:
                raise
            except ConsoleError as error:
                return self.question("stuck", why=error.message, errors=error.details)
            if question is not None:
                return question
        return None

    def apply(self, events: list[Event]) -> None:
        """Let the events happen in memory."""
        self.run = fold(events, self.run)

    def give(self, command: Command) -> None:
        """Give a command to the run. Raises what deciding raises."""
        self.apply(decisions.decide(self.plan, self.run, command, self.now))

    def note(self, text: str) -> None:
        """Tell once where a real run could differ."""
        if text not in self.notes:
            self.notes.append(text)

    def deliver(self, message: Mapping[str, Any]) -> Delivery | None:
        """What the gate says of the message of this step; kept for the result. None without a gate."""
        if self.gate is None or self.run.attempt is None:
            return None
        told = self.gate.deliver((self.run.collection, self.run.record), message, self.now)
        self.deliveries.setdefault(self.run.attempt.n, []).append(told)
        return told

    def question(self, kind: str, **more: Any) -> Question:
        """What has to be chosen at the step where the run stands."""
        attempt = self.run.attempt
        step, number = (
            (attempt.step, attempt.attempt) if attempt is not None else (self.definition.document.start.id, 1)
        )
        return Question(step, number, kind, self.definition.document.step(step).title, **more)

    # --------------------------------------------------------------------------------------------------------- one move

    def _move(self) -> Question | None:
        run = self.run
        if (
            self.former is not None
            and run.attempt is not None
            and (then := self.former.then(run)) is not None
        ):
            self._as_then(then)
            return None
        if run.status == "running":
            open_step = step_at(self.definition, run)
            if (
                open_step.kind.name == "condition"
                and self.unseen
                and not self.script.recorded
                and open_step.attempt.attempt > PASSES
            ):
                return self._end_circle(open_step)
            self._automatic_step(open_step)
            return None
        if run.status == "waiting_person":
            return self._person()
        if run.status == "waiting_event" and run.wanted is not None and run.attempt is not None:
            self._make(run.attempt, run.wanted)
            return None
        if run.status == "waiting_event" and run.joins is not None:
            return simulated_children.join(self)
        if run.status == "waiting_event":
            return simulated_waits.answer(self)
        due = simulation.fired(run)
        if due is None:
            return self.question("stuck", why="The run waits for something that never comes.")
        self.jump(*due)
        return None

    def _hold(self, person: str) -> None:
        if self.run.holder != person:
            self.give(commands.TakeOver(person, self.run.revision, entitled=True, idle=False))

    def _as_then(self, then: Attempt) -> None:
        by = self.actor.id if self.run.status == "waiting_person" else None
        if by is not None:
            self._hold(by)
        self.now = max(self.now, then.completed_at or self.now)
        for effect in then.effects:
            self._remember_change(effect)
        self.give(
            commands.Complete(
                by, then.step, self.run.revision, then.outcome or "default", then.values, then.output
            )
        )

    def jump(self, command: Command, moment: datetime) -> None:
        """Let time pass to the moment, and give the command then."""
        self.now = max(self.now, moment)
        self.give(command)

    def _make(self, attempt: Attempt, effect: Effect) -> None:
        """Make the effect where it can be taken back, unless the tester chose that it does not succeed; else let it end as they chose, or succeed."""
        chosen = self.script.ending(attempt.step, attempt.attempt)
        if (chosen is None or chosen.outcome == "succeeded") and self._can_be_tried(effect):
            report = effects.perform(self.acting, effect, self.run)
            refused = report.status != "succeeded"
            if not refused or not (chosen or report.asks or report.code == rehearsal.CODE):
                self.about = None  # read again, as it is now
                self.give(report)
                return
            self.note(report.message)
        self.give(simulation.report_of(attempt, effect, chosen))
        settled = self.run.effect(effect.id)
        if settled is not None:
            self._remember_change(settled[1])

    def _can_be_tried(self, effect: Effect) -> bool:
        return (
            effect.kind in TRIED
            and rehearsal.current() is not None
            and self.former is None
            and not self.script.recorded
        )

    def _remember_change(self, effect: Effect) -> None:
        if effect.status != "succeeded" or self.about is None:
            return
        before = {**self.about.values, **self.changed}
        after = simulation.written(before, (self.run.collection, self.run.record), effect)
        self.changed |= {name: value for name, value in after.items() if before[name] != value}
        if "define" in effect.request and effect.kind.startswith("sql"):
            self.unseen = True
            self.note(
                "What an action writes is not seen by later steps of a dry run: they read the records as they are."
            )

    def record(self) -> Record | None:
        """The run's record as the actor may see it, with what the run would have written."""
        if self.about is None:
            self.about = record_of(self.actor, self.run)
        if self.about is None or not self.changed:
            return self.about
        return replace(self.about, values={**self.about.values, **self.changed})

    def context(self, open_step: OpenStep, item: str | None = None) -> Context:
        """What the step reads now."""
        return context_of(self.acting, open_step, self.record(), self.now, item=item)

    def _automatic_step(self, open_step: OpenStep) -> None:
        before = self.run
        try:
            require_few_automatic(self.definition, self.run)
            context = self.context(open_step)
            completion = open_step.kind.complete_by_itself(open_step.view, context)
            if completion.asks_ai:
                completion = replace(
                    completion, awaits=Awaited(simulated_waits.MODEL, f"{simulation.ID}:{self.run.current}")
                )
            command: Command = self.completing(None, open_step, context, completion, chosen=completion.chosen)
            if completion.until is not None and completion.until > self.now:
                command = commands.Wait(
                    open_step.attempt.step,
                    log.body.moment(completion.until),
                    completion.outcome,
                    completion.output,
                )
            self.give(command)
            if open_step.kind.name == "escalate":
                self._hand_on()
        except SourceDown:
            raise
        except ConsoleError as error:
            self.run = before
            failing = failure_command(self.definition, self.loaded(), error, self.now)
            self.give(
                commands.Fail(failing.step, error.code, error.message)
                if isinstance(failing, commands.Delay)
                else failing
            )

    def _hand_on(self) -> None:
        """Let somebody else with the tester's rights go on, and the tester again after the next time: rules that ask for two people read who acts."""
        colleague = replace(self.actor, email=COLLEAGUE, name="A colleague")
        self.acting = colleague if self.acting is self.actor else self.actor
        self.note("Where the run is handed on, a colleague with your rights goes on with it.")

    def loaded(self) -> Loaded:
        """The run as functions of the engine take it."""
        return Loaded(self.run, b"", None)

    def completing(
        self,
        by: str | None,
        open_step: OpenStep,
        context: Context,
        completion: Completion,
        *,
        chosen: str | None = None,
    ) -> commands.Complete:
        """The command that completes the step. Raises what completing raises."""
        request = completion.approval
        approval = (
            complete_request(request, self.run, open_step, context, self.record())
            if request is not None
            else None
        )
        completing = completing_command(
            by, open_step.attempt.step, self.run, completion, self.definition.slug
        )
        command = replace(completing, chosen=chosen, approval=approval)
        if command.awaits is not None:
            self.requests[command.awaits.key] = command.awaits.request
        self.requests |= {
            str(each.open["message_id"]): {**each.open, **each.sealed}
            for each in command.side_rows
            if each.kind == "message_asked"
        }
        self.requests |= {
            str(wish.request["open"]["message_id"]): {
                **wish.request["open"],
                "content": wish.request["message"],
            }
            for wish in command.effects
            if wish.kind == MESSAGE
        }
        return command

    # ------------------------------------------------------------------------------------------------------------ people

    def _person(self) -> Question | None:
        run, attempt = self.run, self.run.attempt
        if attempt is None:
            return self.question("stuck")
        if run.unknown is not None:
            return self.question("unknown", why=(run.take_over or {}).get("message", ""), answered=True)
        open_step = step_at(self.definition, run)
        answer = self.script.answer(attempt.step, attempt.attempt)
        item = answer.values.get("item") if answer is not None and open_step.kind.by_items else None
        context = self.context(open_step, item if isinstance(item, str) else None)
        prompt = prompt_of(open_step, context)
        if answer is None or attempt.n in self.answered:
            return self._form(prompt, answered=attempt.n in self.answered)
        self.answered.add(attempt.n)
        values, outcome, ways = dict(answer.values), answer.outcome, self._ways(open_step)
        chosen_end = outcome if not prompt.outcomes and outcome in ways else None
        outcome = None if chosen_end else outcome
        if self.script.recorded:
            typed = {field.name for field in prompt.fields if not field.readonly}
            values = {
                name: value
                for name, value in values.items()
                if name in typed or (open_step.kind.by_items and name == "item")
            }
            outcome = outcome if prompt.outcomes else None
        if (
            open_step.kind.by_items
            and "item" not in values
            and prompt.progress is not None
            and prompt.progress.key is not None
        ):
            values["item"] = prompt.progress.key
        before = self.run
        try:
            self._hold(self.actor.id)
            completion = completion_of(open_step, context, values, outcome)
            transitions.require_existing_references(self.actor, open_step, context, values)
            chosen = prompt.label_of(outcome) if outcome is not None else None
            self.give(self.completing(self.actor.id, open_step, context, completion, chosen=chosen))
        except ConsoleError as error:
            self.run = before
            if self.unseen and (
                chosen_end is not None or error.code == NOT_HERE
            ):  # what it is done to is what an earlier step would have made
                return self._end_unseen(open_step, ways, chosen_end, error.message)
            errors = error.details or [{"field": "", "reason": error.message}]
            return self._form(
                prompt, answered=True, refused=isinstance(error, Invalid), errors=errors, why=error.message
            )
        return None

    def _ways(self, open_step: OpenStep) -> dict[str, str]:
        """How the step can end: outcome → in words."""
        return {outcome: humanised(outcome) for outcome in open_step.kind.outcomes(open_step.view.config)}

    def _end_unseen(
        self, open_step: OpenStep, ways: Mapping[str, str], chosen: str | None, why: str
    ) -> Question | None:
        """End a step, whose record nothing has written, as the tester says; the question how, where they did not say it yet."""
        if chosen is None:
            outcomes = [{"value": outcome, "label": words} for outcome, words in ways.items()]
            return self.question(
                "form", outcomes=outcomes, why=f"{why} {CHOOSE_END}", answered=True, refused=True
            )
        self._hold(self.actor.id)
        self.give(commands.Complete(self.actor.id, open_step.attempt.step, self.run.revision, chosen, {}, {}))
        return None

    def _end_circle(self, open_step: OpenStep) -> Question | None:
        """Take the way that the tester chooses: the rule reads what no action has written, and would find the same for ever."""
        step, ways = open_step.attempt.step, self._ways(open_step)
        answer = self.script.answer(step, open_step.attempt.attempt)
        if answer is None or answer.outcome not in ways:
            words = {**ways, "default": "Otherwise"}
            return self.question(
                "form", outcomes=[{"value": each, "label": words[each]} for each in ways], why=CIRCLES
            )
        self.give(
            commands.Complete(None, step, self.run.revision, answer.outcome, {}, {"branch": answer.outcome})
        )
        return None

    def _form(
        self, prompt: Prompt, *, answered: bool, refused: bool = False, errors: Any = (), why: str = ""
    ) -> Question:
        run, attempt = self.run, self.run.attempt
        wrong = list(errors) or list((attempt.errors if attempt is not None else None) or ())
        return self.question(
            "form",
            text=prompt.text,
            fields=[field.to_json() for field in prompt.fields],
            outcomes=[option.to_json() for option in prompt.outcomes],
            why=why
            or (run.take_over or {}).get("message", "")
            or " ".join(str(each.get("reason", "")) for each in wrong),
            errors=wrong,
            answered=answered,
            refused=refused,
        )

    # ------------------------------------------------------------------------------------------------------------ result

    def path(self, prefix: str = "", branch: str = "") -> list[SimulatedStep]:
        """The steps in the order in which they were entered; those of runs beside stand behind the step that started them."""
        steps: list[SimulatedStep] = []
        for n, attempt in sorted(self.run.attempts.items()):
            step = self.definition.document.step(attempt.step)
            failed = attempt.status == "failed" and attempt.outcome is not None
            output = (
                dict(attempt.context)
                if attempt.status == "done"
                else dict(self.run.context.get(attempt.step, {}))
                if failed
                else None
            )
            steps.append(
                SimulatedStep(
                    f"{prefix}{attempt.step}",
                    attempt.attempt,
                    step.type,
                    step.title,
                    attempt.status,
                    attempt.outcome,
                    dict(attempt.values),
                    output,
                    attempt.entered_at,
                    branch,
                )
            )
            for beside in self.beside.get(n, ()):
                steps += beside
        return steps

    def sent(self, prefix: str = "") -> list[WouldSend]:
        """What would have left, in the order of the path."""
        sent_out: list[WouldSend] = []
        for n, attempt in sorted(self.run.attempts.items()):
            told = self.deliveries.get(n, ())
            sent_out += [
                simulation.would_send(
                    f"{prefix}{attempt.step}", attempt, effect, told if effect.kind == "message" else ()
                )
                for effect in attempt.effects
                if effect.keeps is None
            ]
            sent_out += self.sent_beside.get(n, ())
        return sent_out

    def result(self, question: Question | None) -> Simulated:
        """What came of it."""
        values = {**(self.about.values if self.about is not None else {}), **self.changed}
        return Simulated(
            self.run.status, self.run.ending, self.path(), self.sent(), question, self.notes, values
        )
