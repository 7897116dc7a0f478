"""Trigger action: a person executes a defined action, whose form is filled in with values of the run; or it is executed automatically.

The person first sees what the action does, its idempotency key, its target and who has to approve. The result is the step's output.
A step may offer several actions: each is an option, and the names of its fields begin with its id.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from console.core import expressions
from console.core.documents import fields as definitions
from console.core.documents.action_document import ID_PATTERN, SUCCEEDED, Action, ActionEffect, wishes
from console.core.documents.approval_rules import applying, approval_notes, required_approval
from console.core.documents.document_parts import Name
from console.core.documents.field_expressions import texts_of
from console.core.documents.fields import (
    OWN_INPUT,
    Computed,
    Definition,
    Located,
    Use,
    coerce_computed,
    computed,
    with_own,
)
from console.core.effect_kinds import SqlWrite
from console.core.errors import Conflict, Invalid, NotAllowed
from console.core.forms import FormField, is_empty, refusal
from console.core.plain_words import uncapitalised
from console.core.speaking import fill_text
from console.steps.base import (
    Act,
    AsksPerson,
    Completion,
    Context,
    Option,
    Prompt,
    Related,
    StepConfig,
    StepType,
    StepView,
    Values,
    Withheld,
    fill_template,
    nothing_typed,
    related_texts,
    related_uses,
    require_right,
)
from console.steps.proposable import Proposable, form_start, of_form

NO_RECALL = "It cannot be recalled once it is done."
ENTAILED = frozenset({"Does", "Goes to", "Undo"})
"""Notes about one of several actions that stand beside its name: those that hold no values of the run."""


class OfferedAction(Definition):
    """An action with its record and its values."""

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
    compensation: str | None = Field(
        None, pattern=ID_PATTERN, description="Action that undoes it; none: what the action itself names"
    )


class TriggerActionConfig(StepConfig, OfferedAction):
    """The action, its record and its values; with `actions` the person chooses one of several."""

    actions: list[OfferedAction] = Field(
        default_factory=list,
        max_length=11,
        description="Further actions that are offered beside it: a person does one of them",
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

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [offered.action for offered in self.offered]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"offered more than once: {', '.join(twice)}")
        return self

    @property
    def offered(self) -> "Sequence[OfferedAction]":
        """All offered actions, in their order."""
        return (self, *self.actions)


class TriggerAction(StepType):
    """Outcome `succeeded`, or one of those that the settings name. Output: the form's values, `results` by effect, `message`, and the `key`."""

    name, title, family, icon = "trigger_action", "Trigger action", "action", "bolt"
    technical = frozenset({"key", "action", "result", "results", "collection"})
    gist = "Does an action on the record, such as a refund"
    ai = ai_alone = True
    Config: ClassVar[type[StepConfig]] = TriggerActionConfig
    texts = ("text",)

    def outcomes(self, config: TriggerActionConfig) -> tuple[str, ...]:
        """`succeeded`, and the outcomes that the settings name."""
        return (SUCCEEDED, *(name for name in config.outcomes if name != SUCCEEDED))

    def says(self, config: TriggerActionConfig) -> str:
        """How many actions are offered, where that is more than one."""
        return f"One of {len(config.offered)} actions" if config.actions else ""

    def asks(self, config: TriggerActionConfig) -> bool:
        """Where a person chooses one of several actions."""
        return bool(config.actions)

    def choices(self, config: TriggerActionConfig) -> tuple[str, ...]:
        """The ids of several actions."""
        return tuple(each.action for each in config.offered) if config.actions else ()

    def chosen(self, outcome: str | None, output: Mapping[str, Any]) -> str | None:
        """The action that was done."""
        done = output.get("action")
        return outcome if done is None else str(done)

    def form_names(self, config: TriggerActionConfig, names: frozenset[str]) -> frozenset[str]:
        """With several actions, each name also as it is in their forms."""
        starts = (form_start(each.action) for each in config.offered if config.actions)
        return names.union(f"{start}{name}" for start in starts for name in names)

    def acts(self, step: StepView, roots: Mapping[str, Any]) -> dict[str, str | None]:
        """The actions and their records."""
        return {offered.action: _key(offered, roots) for offered in step.config.offered}

    def actions(self, config: TriggerActionConfig) -> list[Use]:
        """The actions, each with its compensation."""
        return [
            Use(f"{place}{name}", action)
            for place, offered in _places(config)
            for name in ("action", "compensation")
            if (action := getattr(offered, name)) is not None
        ]

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """The action's text and filled-in form, and the notes for the person; of several, a choice with the form of each."""
        tables = tuple(entry.name for entry in step.config.related if not entry.hidden)
        parts = [fill_template(step.config.text, context.roots)] if step.config.text else []
        if step.config.actions:
            return _prompt_of_several(step, context, parts, tables)
        act = _act(step.config, context)
        fields = _fields(step.config, context, act)
        roots = with_own(act.roots, OWN_INPUT, {field.name: field.value for field in fields})
        parts += [fill_template(act.action.text, roots)] if act.action.text else []
        if why_not := _not_here(act) or _certainly_not(act, roots):
            parts.append(f"**Not possible now:** {said_plainly(why_not)}")
        button = (
            step.button or act.action.button or ("Request approval" if act.may == "request" else "Execute")
        )
        return Prompt(
            "\n\n".join(parts) or None,
            tables,
            tuple(fields),
            button=button,
            notes=tuple(_notes(step.config, context, act, roots)),
        )

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """The effects of the action with the submitted values, and who has to approve them.

        Raises Invalid per field that is wrong and without a choice of several actions, Conflict `require` where it is not possible on the record now, NotAllowed.
        """
        config: TriggerActionConfig = step.config
        if not config.actions:
            return _completion(config, context, submitted)
        starts = tuple(form_start(each.action) for each in config.offered)
        nothing_typed({name: value for name, value in submitted.items() if not name.startswith(starts)})
        offered = next((each for each in config.offered if each.action == outcome), None)
        why_not = None if offered is None else _withheld(offered, context)
        if offered is None or why_not:
            wrong = [_choice_wrong(step, context, outcome, why_not)]
            for each in config.offered if offered is None else ():
                wrong += _wrong_values(each, context, submitted)
            raise refusal(wrong)
        own = _own_values(offered, submitted)
        try:
            made = _completion(offered, _within(offered, context), own)
        except (Invalid, Conflict) as error:
            names = [entry.name for entry in _act(offered, context).action.form]
            error.details = _in_form(offered, error.details, (*names, *map(definitions.because, names), *own))
            raise
        values = {f"{form_start(offered.action)}{name}": value for name, value in made.values.items()}
        effects = tuple(
            replace(effect, told={**effect.told, "fields_begin": form_start(offered.action)})
            for effect in made.effects
            if isinstance(effect, ActionEffect)
        )
        return replace(made, values=values, effects=effects)

    def complete_by_itself(self, step: StepView, context: Context) -> Completion:
        """Executes without a person. Raises AsksPerson where a person has to choose or fill in something."""
        if step.config.actions:
            raise AsksPerson("Several actions are offered here: choose one.")
        act = _act(step.config, context)
        empty = [
            field.label
            for field in _fields(step.config, context, act)
            if field.required and is_empty(field.value)
        ]
        if empty:
            raise AsksPerson(f"“{act.action.title}” needs {', '.join(empty)}: fill in the form.")
        return self.complete(step, context, {}, None)

    def proposes(self, step: StepView, context: Context, prompt: Prompt) -> Proposable:
        """Values of the form of an action that can be executed now, and which one of several; never the record."""
        if step.config.actions:
            titles = {
                name: f"{option.label}: {field.label}"
                for option in prompt.outcomes
                for field in prompt.fields
                if (name := field.name) in option.fields
            }
            fields = [replace(field, label=titles[field.name]) for field in prompt.fields]
            return of_form(fields, prompt.outcomes)
        act = _act(step.config, context)
        return of_form(prompt.fields) if act.may and _not_here(act) is None else Proposable()

    def expressions(self, config: TriggerActionConfig) -> list[Located]:
        """The records, the initial values of fields, and what is read beside them."""
        texts = related_texts(config.related)
        for place, offered in _places(config):
            texts += [Located(f"{place}record", offered.record)] if offered.record is not None else []
            for name, rule in offered.values.items():
                texts += texts_of(f"{place}values.{name}", rule)
        return texts

    def uses(self, config: TriggerActionConfig) -> list[Use]:
        """What is read beside the form."""
        return related_uses(config.related)

    def outputs(self, config: TriggerActionConfig) -> frozenset[str] | None:
        """Not known without the action: its form's fields, what it came to, and the key."""
        return None


def _places(config: TriggerActionConfig) -> Iterator[tuple[str, OfferedAction]]:
    """(the beginning of the names of its settings, the offered action)."""
    yield "", config
    for number, offered in enumerate(config.actions):
        yield f"actions[{number}].", offered


def _key(offered: OfferedAction, roots: Mapping[str, Any]) -> str | None:
    if offered.record is None:
        return None
    key = expressions.parse(offered.record).evaluate(roots)
    return "" if key is None else str(key)


# ------------------------------------------------------------------------------------------------------- one of several actions


def _own_values(offered: OfferedAction, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of this action's form, by the names that they have in the action."""
    start = form_start(offered.action)
    return {name.removeprefix(start): value for name, value in values.items() if name.startswith(start)}


def _within(offered: OfferedAction, context: Context) -> Context:
    return replace(context, former=_own_values(offered, context.former))


def _in_form(
    offered: OfferedAction, details: Sequence[Mapping[str, Any]], names: Iterable[str]
) -> list[dict[str, Any]]:
    """The errors, those at fields of the action at their names in the whole form."""
    own = {*names}
    return [
        {**detail, "field": f"{form_start(offered.action)}{detail['field']}"}
        if detail.get("field") in own
        else {**detail}
        for detail in details
    ]


def _withheld(offered: OfferedAction, context: Context) -> str | None:
    """Why the action is not offered to this person on this record; None where it is. One that was done here before is judged when it is handed in."""
    act = _act(offered, context)
    if not act.may:
        return _refused(act.action).words
    if _own_values(offered, context.former):
        return None
    given = {field.name: field.value for field in _fields(offered, _within(offered, context), act)}
    return _not_here(act) or _certainly_not(act, with_own(act.roots, OWN_INPUT, given))


def _prompt_of_several(step: StepView, context: Context, parts: list[str], tables: tuple[str, ...]) -> Prompt:
    """A choice of the actions that can be executed now, with the form of each; why others are not offered."""
    fields: list[FormField] = []
    options: list[Option] = []
    withheld: list[Withheld] = []
    notes: list[tuple[str, str]] = []
    for offered in step.config.offered:
        act, start = _act(offered, context), form_start(offered.action)
        if why_not := _withheld(offered, context):
            withheld.append(Withheld(offered.action, act.action.title, why_not))
            continue
        own = _fields(offered, _within(offered, context), act)
        names = {field.name for field in own}
        roots = with_own(act.roots, OWN_INPUT, {field.name: field.value for field in own})
        parts += (
            [f"**{said_plainly(act.action.title)}.** {fill_template(act.action.text, roots)}"]
            if act.action.text
            else []
        )
        own_notes = _notes(offered, context, act, roots)
        entailed = [
            f"Undo: {uncapitalised(text)}" if label == "Undo" and text != NO_RECALL else text
            for label, text in own_notes
            if label in ENTAILED
        ]
        notes += [
            (f"{act.action.title}: {label.lower()}", text)
            for label, text in own_notes
            if label not in ENTAILED | {"Key", "Request"}
        ]
        options.append(
            Option(
                offered.action,
                act.action.title,
                tuple(f"{start}{field.name}" for field in own),
                tuple(f"{start}{field.name}" for field in own if field.required and not field.readonly),
                " ".join(text if text.endswith(".") else f"{text}." for text in entailed),
            )
        )
        fields += [
            replace(
                field,
                name=f"{start}{field.name}",
                required=False,
                explains=field.explains and f"{start}{field.explains}",
                currency=f"{start}{field.currency}" if field.currency in names else field.currency,
            )
            for field in own
        ]
    return Prompt(
        "\n\n".join(parts) or None,
        tables,
        tuple(fields),
        tuple(options),
        step.button or "Done",
        tuple(withheld),
        (*((("Key", context.key),) if context.key else ()), *notes),
    )


def _choice_wrong(
    step: StepView, context: Context, outcome: str | None, why_not: str | None
) -> dict[str, Any]:
    """The error for an action that is missing or not offered."""
    titles = {each.action: f"“{_act(each, context).action.title}”" for each in step.config.offered}
    able = [titles[each.action] for each in step.config.offered if not _withheld(each, context)]
    said = (
        "No action was chosen"
        if outcome is None
        else f"{titles.get(outcome, outcome[:60])} cannot be done here"
    )
    rest = f"choose one of {', '.join(able)}." if able else "none of them is possible now."
    return {"field": "outcome", "reason": f"{said}: {rest} {why_not or ''}".strip()}


def _wrong_values(
    offered: OfferedAction, context: Context, submitted: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """What is wrong with the values that were typed for this action; nothing that is only missing."""
    typed = _own_values(offered, submitted)
    try:
        _completion(offered, _within(offered, context), typed)
    except (Invalid, Conflict) as error:
        wrong = [detail for detail in error.details if detail.get("field") in typed]
        return _in_form(offered, wrong, typed)
    except NotAllowed:
        return []
    return []


# ------------------------------------------------------------------------------------------------------------------- one action


def _completion(offered: OfferedAction, context: Context, submitted: Values) -> Completion:
    """The effects of an action with the submitted values of its form."""
    act = _act(offered, context)
    action = act.action
    if not act.may:
        raise _refused(action)
    given = _given(offered, context, act)
    values, details = definitions.submitted_values(
        _form(offered, action, given), act.roots, _former(offered, context, given), OWN_INPUT, submitted
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
    shown = {"seen": _seen(act)} | ({"compensation": offered.compensation} if offered.compensation else {})
    record = (act.collection, act.record) if act.collection and act.record else None
    return Completion(
        SUCCEEDED,
        values,
        {**values, "action": action.id, "key": context.key},
        effects=wishes(action, list(action.effects), record=record, given=values, more=shown),
        approval=required_approval(action, record, values, roots, always=may == "request"),
    )


def said_plainly(text: str) -> str:
    """A sentence with values in it, escaped as Markdown."""
    return fill_template("{{ input.text }}", {"input": {"text": text}})


def _refused(action: Action, limits: str = "") -> NotAllowed:
    """The error where the right is missing, or the values are above the person's limits."""
    message = limits or f"Needs action.execute on {action.id}. An admin can grant it."
    words = limits or f"You may not do “{action.title}”. An admin can grant it."
    return NotAllowed(message, need=(f"action:{action.id}", "execute"), words=words)


def _act(offered: OfferedAction, context: Context) -> Act:
    return context.acts[offered.action]


def _given(offered: OfferedAction, context: Context, act: Act) -> dict[str, Any]:
    """Values that the step fills in: field → value, only those that fit the field."""
    known = {entry.name: entry for entry in act.action.form}
    found = {
        name: coerce_computed(known[name].field(), computed(rule, context.roots))
        for name, rule in offered.values.items()
        if name in known
    }
    return {name: value for name, value in found.items() if value is not None}


def _former(offered: OfferedAction, context: Context, given: Mapping[str, Any]) -> dict[str, Any]:
    """Initial values of the form: earlier values, else those of the step; without the fields that the step fixes."""
    return {name: value for name, value in {**given, **context.former}.items() if name not in offered.locked}


def _form(
    offered: OfferedAction, action: Action, given: Mapping[str, Any]
) -> list[definitions.FieldDefinition]:
    """The action's form; fields that the step fixes are read-only with their values."""
    held = {
        name: {
            "readonly": True,
            "default": given.get(name),
            "value": None,
            "required": False,
            "required_if": None,
        }
        for name in offered.locked
    }
    return [
        entry.model_copy(update=held[entry.name]) if entry.name in held else entry for entry in action.form
    ]


def _fields(offered: OfferedAction, context: Context, act: Act) -> list[FormField]:
    """The form with its initial values."""
    given = _given(offered, context, act)
    return definitions.fields_with_values(
        _form(offered, act.action, given), act.roots, _former(offered, context, given), OWN_INPUT
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
    offered: OfferedAction, context: Context, act: Act, roots: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """What a person should know first: what is done and where, the key, who must approve, whether it can be undone."""
    action = act.action
    notes = [("Does", _in_a_row(effect.summary for effect in action.effects))]
    if outside := [effect for effect in action.effects if effect.goes_to]:
        notes.append(("Goes to", ", ".join(dict.fromkeys(effect.goes_to for effect in outside))))
        notes.append(("Request", ", ".join(effect.request for effect in outside)))
    notes += [("Record", act.title)] if offered.record is not None and act.title else []
    notes += [("Key", context.key)] if context.key else []
    notes += [("Limit", act.limits)] if act.limits else []
    notes += _approvals(act, roots)
    undo = offered.compensation or (action.compensation.action if action.compensation else None)
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
    return notes


def _approvals(act: Act, roots: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Who has to approve, as far as it is known before the form is filled in."""
    if act.may == "request" and not applying(act.action, roots):
        return [("Approval", "By somebody who may approve it: you may ask for it, not execute it.")]
    return approval_notes(act.action, roots)


def _in_a_row(sentences: Iterable[str]) -> str:
    """What is done, one after the other, as one sentence."""
    first, *others = (sentence.rstrip(".") for sentence in sentences)
    return "; ".join([first, *map(uncapitalised, others)])
