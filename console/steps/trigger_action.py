"""Trigger action: a person executes a defined action, whose form is filled in with values of the run; or it is executed automatically.

The person first sees what the action does, its idempotency key, its target and who has to approve. The result is the step's output.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pydantic import Field

from console.core import expressions
from console.core.documents import fields as definitions
from console.core.documents.action_document import ID_PATTERN, SUCCEEDED, Action, wishes
from console.core.documents.approval_rules import applying, certain, required_approval
from console.core.documents.document_parts import Name
from console.core.documents.field_expressions import texts_of
from console.core.documents.fields import (
    OWN_INPUT,
    Computed,
    Located,
    Use,
    coerce_computed,
    computed,
    with_own,
)
from console.core.effect_kinds import SqlWrite
from console.core.errors import Conflict, NotAllowed
from console.core.forms import FormField, is_empty
from console.core.plain_words import roles_words, uncapitalised
from console.core.speaking import fill_text
from console.steps.base import (
    Act,
    AsksPerson,
    Completion,
    Context,
    Prompt,
    Related,
    StepConfig,
    StepType,
    StepView,
    Values,
    fill_template,
    related_texts,
    related_uses,
    require_right,
)
from console.steps.proposable import Proposable, of_form

NO_RECALL = "It cannot be recalled once it is done."


class TriggerActionConfig(StepConfig):
    """The action, its record and its values."""

    action: str = Field(pattern=ID_PATTERN, description="The action, as Actions lists it")
    record: str | None = Field(
        None, description="Expression for the key of the action's record; none: the run's own record"
    )
    values: dict[Name, Computed] = Field(
        default_factory=dict,
        max_length=60,
        description="Field of the action's form to expression: what it starts with",
    )
    locked: list[Name] = Field(
        default_factory=list,
        max_length=60,
        description="Fields that hold these values and cannot be changed here",
    )
    outcomes: list[Name] = Field(
        default_factory=list,
        max_length=10,
        description="Outcomes of the action that lead somewhere else than `succeeded`, such as `pending` or `failed`",
    )
    text: str | None = Field(None, max_length=20_000, description="Markdown above the action's own text")
    related: list[Related] = Field(
        default_factory=list, max_length=12, description="Related records shown beside the form"
    )
    compensation: str | None = Field(
        None, pattern=ID_PATTERN, description="Action that undoes it; none: what the action itself names"
    )


class TriggerAction(StepType):
    """Outcome `succeeded`, or one of those that the settings name. Output: the form's values, `results` by effect, `message`, and the `key`."""

    name, title, family, icon = "trigger_action", "Trigger action", "action", "bolt"
    technical = frozenset({"key", "action", "result", "results", "collection"})
    gist = "Does an action on the record, such as a refund"
    ai = ai_alone = True
    Config: ClassVar[type[StepConfig]] = TriggerActionConfig
    computes, texts = ("record",), ("text",)

    def outcomes(self, config: TriggerActionConfig) -> tuple[str, ...]:
        """`succeeded`, and the outcomes that the settings name."""
        return (SUCCEEDED, *(name for name in config.outcomes if name != SUCCEEDED))

    def acts(self, step: StepView, roots: Mapping[str, Any]) -> dict[str, str | None]:
        """The action and its record."""
        if step.config.record is None:
            return {step.config.action: None}
        key = expressions.parse(step.config.record).evaluate(roots)
        return {step.config.action: "" if key is None else str(key)}

    def actions(self, config: TriggerActionConfig) -> list[Use]:
        """The action and its compensation."""
        return [
            Use("action", config.action),
            *([Use("compensation", config.compensation)] if config.compensation else []),
        ]

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """The action's text and filled-in form, and the notes for the person."""
        act = _act(step, context)
        fields = _fields(step, context, act)
        roots = with_own(act.roots, OWN_INPUT, {field.name: field.value for field in fields})
        parts = [fill_template(step.config.text, context.roots)] if step.config.text else []
        parts += [fill_template(act.action.text, roots)] if act.action.text else []
        if why_not := _not_here(act) or _certainly_not(act, roots):
            parts.append(f"**Not possible now:** {said_plainly(why_not)}")
        button = (
            step.button or act.action.button or ("Request approval" if act.may == "request" else "Execute")
        )
        tables = tuple(entry.name for entry in step.config.related if not entry.hidden)
        return Prompt(
            "\n\n".join(parts) or None,
            tables,
            tuple(fields),
            button=button,
            notes=_notes(step, context, act, roots),
        )

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """The effects of the action with the submitted values, and who has to approve them.

        Raises Invalid per field that is wrong, Conflict `require` where it is not possible on the record now, NotAllowed.
        """
        act = _act(step, context)
        action = act.action
        if not act.may:
            raise _refused(action)
        given = _given(step, context, act)
        values, details = definitions.submitted_values(
            _form(step, action, given), act.roots, _former(step, context, given), OWN_INPUT, submitted
        )
        require_right(context, details)
        roots = with_own(act.roots, OWN_INPUT, values)
        may, limits = (
            (act.may, "") if details else act.judged(values)
        )  # with details it is only told what would come of it
        if not may:
            raise _refused(action, limits)
        if (
            not context.done_before
        ):  # what was done may be why it cannot be done now; before it is done again, this is judged
            _require(act, roots, foretold=context.foretold)
        shown = {"seen": _seen(act)} | (
            {"compensation": step.config.compensation} if step.config.compensation else {}
        )
        record = (act.collection, act.record) if act.collection and act.record else None
        return Completion(
            SUCCEEDED,
            values,
            {**values, "action": action.id, "key": context.key},
            effects=wishes(action, list(action.effects), record=record, given=values, more=shown),
            approval=required_approval(action, record, values, roots, always=may == "request"),
        )

    def complete_by_itself(self, step: StepView, context: Context) -> Completion:
        """Executes without a person. Raises AsksPerson where a person has to fill in something."""
        act = _act(step, context)
        empty = [
            field.label for field in _fields(step, context, act) if field.required and is_empty(field.value)
        ]
        if empty:
            raise AsksPerson(f"“{act.action.title}” needs {', '.join(empty)}: fill in the form.")
        return self.complete(step, context, {}, None)

    def proposes(self, step: StepView, context: Context, prompt: Prompt) -> Proposable:
        """Values of the action's form where it can be executed now; never the action or the record."""
        act = _act(step, context)
        return of_form(prompt.fields) if act.may and _not_here(act) is None else Proposable()

    def expressions(self, config: TriggerActionConfig) -> list[Located]:
        """The record, the initial values of fields, and what is read beside them."""
        return [*super().expressions(config), *related_texts(config.related)] + [
            text for name, rule in config.values.items() for text in texts_of(f"values.{name}", rule)
        ]

    def uses(self, config: TriggerActionConfig) -> list[Use]:
        """What is read beside the form."""
        return related_uses(config.related)

    def outputs(self, config: TriggerActionConfig) -> frozenset[str] | None:
        """Not known without the action: its form's fields, what it came to, and the key."""
        return None


def said_plainly(text: str) -> str:
    """A sentence with values in it, escaped as Markdown."""
    return fill_template("{{ input.text }}", {"input": {"text": text}})


def _refused(action: Action, limits: str = "") -> NotAllowed:
    """The error where the right is missing, or the values are above the person's limits."""
    message = limits or f"Needs action.execute on {action.id}. An admin can grant it."
    words = limits or f"You may not do “{action.title}”. An admin can grant it."
    return NotAllowed(message, need=(f"action:{action.id}", "execute"), words=words)


def _act(step: StepView, context: Context) -> Act:
    return context.acts[step.config.action]


def _given(step: StepView, context: Context, act: Act) -> dict[str, Any]:
    """Values that the step fills in: field → value, only those that fit the field."""
    known = {entry.name: entry for entry in act.action.form}
    found = {
        name: coerce_computed(known[name].field(), computed(rule, context.roots))
        for name, rule in step.config.values.items()
        if name in known
    }
    return {name: value for name, value in found.items() if value is not None}


def _former(step: StepView, context: Context, given: Mapping[str, Any]) -> dict[str, Any]:
    """Initial values of the form: earlier values, else those of the step; without the fields that the step fixes."""
    return {
        name: value for name, value in {**given, **context.former}.items() if name not in step.config.locked
    }


def _form(step: StepView, action: Action, given: Mapping[str, Any]) -> list[definitions.FieldDefinition]:
    """The action's form; fields that the step fixes are read-only with their values."""
    held = {
        name: {
            "readonly": True,
            "default": given.get(name),
            "value": None,
            "required": False,
            "required_if": None,
        }
        for name in step.config.locked
    }
    return [
        entry.model_copy(update=held[entry.name]) if entry.name in held else entry for entry in action.form
    ]


def _fields(step: StepView, context: Context, act: Act) -> list[FormField]:
    """The form with its initial values."""
    given = _given(step, context, act)
    return definitions.fields_with_values(
        _form(step, act.action, given), act.roots, _former(step, context, given), OWN_INPUT
    )


def _not_here(act: Act) -> str | None:
    """The reason why the action is not offered on this record; None where it is offered."""
    action = act.action
    if act.problem:
        return act.problem
    if action.if_ is None or expressions.parse(action.if_).test(act.roots):
        return None
    return (
        fill_text(action.why_not, act.roots)
        if action.why_not
        else f"“{action.title}” is not possible on this record now."
    )


def _certainly_not(act: Act, roots: Mapping[str, Any]) -> str | None:
    """What does not hold, whatever is typed; None where nothing stands in the way. What belongs to a field is said there when it is handed in."""
    failing = (
        entry
        for entry in act.action.require
        if entry.field is None and expressions.parse(entry.if_).denies(roots)
    )
    return next((fill_text(entry.message, roots) for entry in failing), None)


def _require(act: Act, roots: Mapping[str, Any], *, foretold: bool) -> None:
    """Raises Conflict `require` with everything that does not certainly hold (`foretold`: that certainly does not), at its field where it has one."""
    parsed = [(entry, expressions.parse(entry.if_)) for entry in act.action.require]
    failing = [entry for entry, rule in parsed if (rule.denies(roots) if foretold else not rule.test(roots))]
    details = [{"field": entry.field or "", "reason": fill_text(entry.message, roots)} for entry in failing]
    if not_here := _not_here(act):
        details = [{"field": "", "reason": not_here}]
    if details:
        raise Conflict(details[0]["reason"], code="require", details=details)


def _seen(act: Act) -> dict[str, Any]:
    """Fields of the record that the action will set, as they are when it is asked for: what somebody else changes until then is a conflict."""
    own = {
        name
        for effect in act.action.effects
        if isinstance(effect, SqlWrite) and effect.record is None
        for name in effect.set
    }
    return {name: act.seen[name] for name in sorted(own) if name in act.seen}


def _notes(
    step: StepView, context: Context, act: Act, roots: Mapping[str, Any]
) -> tuple[tuple[str, str], ...]:
    """What a person should know first: what is done and where, the key, who must approve, whether it can be undone."""
    action = act.action
    notes = [("Does", _in_a_row(effect.summary for effect in action.effects))]
    if outside := [effect for effect in action.effects if effect.goes_to]:
        notes.append(("Goes to", ", ".join(dict.fromkeys(effect.goes_to for effect in outside))))
        notes.append(("Request", ", ".join(effect.request for effect in outside)))
    notes += [("Record", act.title)] if step.config.record is not None and act.title else []
    notes += [("Key", context.key)] if context.key else []
    notes += [("Limit", act.limits)] if act.limits else []
    notes += _approvals(act, roots)
    undo = step.config.compensation or (action.compensation.action if action.compensation else None)
    if action.irreversible or undo or outside:
        notes.append(
            (
                "Undo",
                NO_RECALL
                if action.irreversible
                else f"By “{act.titles.get(undo, undo)}”"
                if undo
                else "Manual",
            )
        )
    return tuple(notes)


def _approvals(act: Act, roots: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Who has to approve, as far as it is known before the form is filled in."""
    rules = applying(act.action, roots)
    if not rules and act.may == "request":
        return [("Approval", "By somebody who may approve it: you may ask for it, not execute it.")]
    lines = []
    for rule in rules:
        who = roles_words(rule.roles)
        many = f"{rule.needs} of " if rule.needs > 1 else ""
        why = fill_text(rule.why, roots)
        lines.append(
            (
                "Approval",
                f"By {many}{who}. {why}" if certain(rule, roots) else f"Perhaps by {many}{who}: {why}",
            )
        )
    return lines


def _in_a_row(sentences: Iterable[str]) -> str:
    """What is done, one after the other, as one sentence."""
    first, *others = (sentence.rstrip(".") for sentence in sentences)
    return "; ".join([first, *map(uncapitalised, others)])
