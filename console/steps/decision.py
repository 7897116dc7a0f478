"""Decision: a person, a rule or the AI chooses one of several outcomes, with fields that explain the choice."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from console.core.documents import field_expressions, fields as definitions
from console.core.documents.document_parts import NAME_PATTERN, Said
from console.core.documents.fields import (
    OWN_ITEM,
    Definition,
    FieldDefinition,
    Located,
    Use,
    condition_holds,
    with_own,
)
from console.core.documents.references import ANY_NAME
from console.core.errors import Invalid
from console.core.expressions import parse
from console.core.forms import FormField, is_empty, missing_message, refusal
from console.core.speaking import fill_text
from console.steps.base import (
    AsksPerson,
    Completion,
    Context,
    Option,
    Prompt,
    Related,
    StepConfig,
    StepType,
    StepView,
    Unopened,
    Values,
    Withheld,
    fill_template,
    refused_fields,
    refused_words,
    related_texts,
    related_uses,
    require_right,
)
from console.steps.condition import compared

OPTION, REASON, UNOPENED = "option", "reason", "unopened_because"
BY_RULE = ("maker", "rule", "compared")
BY_AI = ("maker", "rationale", "sources")
BY = {"user": (), "rule": BY_RULE, "ai": BY_AI}
"""Who decides → what the output says about that."""


class DecisionOption(Definition):
    """An outcome, shown as a button."""

    value: str = Field(pattern=NAME_PATTERN, description="The outcome")
    label: str = Field(min_length=1, max_length=100)
    if_: str | None = Field(
        None, alias="if", description="Expression; the option is offered only where it holds"
    )
    unless: str | None = Field(
        None, description="Expression; the option is not offered where it holds (unknown does not)"
    )
    why_not: Said | None = Field(
        None, description="Sentence shown where the option is not offered; {{ expressions }} are filled in"
    )
    entails: Said | None = Field(
        None, description="What follows from the choice, in a line beside it; {{ expressions }} are filled in"
    )
    fields: list[str] = Field(
        default_factory=list,
        description="Fields of the form that this option needs; options that do not name them leave them out",
    )
    optional: list[str] = Field(
        default_factory=list, description="Fields that belong to this option and may stay empty"
    )
    reason_required: bool = Field(
        False, description="The field `reason` may not be empty; it is added where the form has none"
    )

    def offered(self, roots: Mapping[str, Any]) -> bool:
        """Whether the option can be chosen now."""
        return condition_holds(self.if_, roots) and not (
            self.unless is not None and condition_holds(self.unless, roots)
        )

    @property
    def own(self) -> frozenset[str]:
        """Its fields, needed or not."""
        return frozenset((*self.fields, *self.optional))


class Rule(Definition):
    """An option that is chosen without a person, and the condition for it."""

    if_: str = Field(alias="if", description="Expression; unknown counts as not true")
    option: str = Field(pattern=NAME_PATTERN)


class Opening(Definition):
    """The documents that should have been opened before the choice: the items of an earlier list."""

    step: str = Field(pattern=NAME_PATTERN, description="The loop that went through them")
    if_: str | None = Field(
        None, alias="if", description="Expression over `item`, what was noted included; none: every item"
    )
    options: list[str] = Field(
        default_factory=list, description="Options for which it matters; none named: all"
    )


class DecisionConfig(StepConfig):
    """The question and its options."""

    maker: Literal["user", "rule", "ai"] = Field(
        "user",
        description="Who decides: a person; the rules, and where none of them holds a person; or the AI where the step was promoted to that, nothing is at stake and all is certain, else a person",
    )
    rules: list[Rule] = Field(
        default_factory=list,
        max_length=50,
        description="Judged from first to last; the first that holds decides",
    )
    options: list[DecisionOption] = Field(min_length=2, max_length=12)
    form: list[FieldDefinition] = Field(
        default_factory=list, max_length=40, description="What is noted with the choice"
    )
    opened: Opening | None = Field(
        None,
        description="Documents that are named above the choice where a page was never opened: it is opened, or a sentence says why not",
    )
    related: list[Related] = Field(
        default_factory=list, max_length=12, description="Related records shown beside the question"
    )
    text: str | None = Field(
        None, max_length=20_000, description="Markdown above the options; {{ expressions }} are filled in"
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        values = [option.value for option in self.options]
        if len(set(values)) < len(values):
            raise ValueError("two options have the same value")
        names = {entry.name for entry in self.form}
        definitions.require_distinct([entry.name for entry in self.form])
        if self.opened is not None and (strange := sorted(set(self.opened.options) - set(values))):
            raise ValueError(f"opened names options that are not there: {', '.join(strange)}")
        if self.opened is not None and UNOPENED in names:
            raise ValueError(
                f"a field cannot be named {UNOPENED} here: that is where the sentence about unopened documents is kept"
            )
        if OPTION in names:
            raise ValueError(f"a field cannot be named {OPTION}: that is where the choice itself is found")
        unknown = sorted({name for option in self.options for name in option.own} - names)
        if unknown:
            raise ValueError(f"options name fields that the form does not have: {', '.join(unknown)}")
        if wrong := definitions.wrong_rules(self.form):
            raise ValueError(wrong)
        if both := sorted(
            {name for option in self.options for name in option.fields if name in option.optional}
        ):
            raise ValueError(f"an option cannot both need a field and leave it open: {', '.join(both)}")
        if all(option.if_ is not None or option.unless is not None for option in self.options):
            raise ValueError("every option depends on a condition: at least one must always be offered")
        if idle := [
            option.value
            for option in self.options
            if option.why_not and option.if_ is None and option.unless is None
        ]:
            raise ValueError(f"why_not is never shown of an option that is always offered: {', '.join(idle)}")
        self._ruled(names)
        return self

    def _ruled(self, names: set[str]) -> None:
        """Raises ValueError for rules without a maker, and for those that could not be recorded."""
        if (self.maker == "rule") != bool(self.rules):
            raise ValueError(
                "the maker rule needs rules"
                if self.maker == "rule"
                else "rules decide only where the maker is rule"
            )
        options = {option.value: option for option in self.options}
        if unknown := sorted({rule.option for rule in self.rules} - set(options)):
            raise ValueError(f"rules name options that are not there: {', '.join(unknown)}")
        if reasoned := sorted({rule.option for rule in self.rules if options[rule.option].reason_required}):
            raise ValueError(f"a rule gives no reason, and these options ask for one: {', '.join(reasoned)}")
        if taken := sorted(names & set(BY[self.maker])):
            raise ValueError(
                f"fields cannot be named {', '.join(taken)} here: that is where it is found who decided, and why"
            )

    @property
    def fields(self) -> list[FieldDefinition]:
        """The form, with the field `reason` first where an option asks for one and the form does not have it."""
        needs_reason = any(option.reason_required for option in self.options)
        if not needs_reason or any(entry.name == REASON for entry in self.form):
            return list(self.form)
        reason = FieldDefinition.model_validate(
            {"name": REASON, "label": "Reason", "type": "long_text", "max_length": 4000}
        )
        return [reason, *self.form]


class Decision(StepType):
    """The choice is the outcome; output `{"option": …}` and the fields. A field that only other options name stays empty.

    Where rules decide, the output also has `maker` (`rule` or `user`), the `rule` that held and the values that were `compared`; where the AI does,
    `maker` (`ai` or `user`), its `rationale` and the `sources` that it rests on.
    """

    name, title, family, icon = "decision", "Decision", "condition", "git-branch"
    gist = "A person, a rule or the AI chooses the way on"
    own_values = True
    ai = True
    purpose = "decide"
    technical = frozenset({"key", "collection", "sources"})
    Config: ClassVar[type[StepConfig]] = DecisionConfig

    def by_itself(self, settings: Mapping[str, Any]) -> bool:
        """Where rules or the AI decide."""
        return settings.get("maker") in ("rule", "ai")

    def is_foreign(self, settings: Mapping[str, Any]) -> bool:
        """What the AI chose, and why, is a claim."""
        return settings.get("maker") == "ai"

    def asks(self, config: DecisionConfig) -> bool:
        """Where a person decides."""
        return config.maker == "user"

    def outcomes(self, config: DecisionConfig) -> tuple[str, ...]:
        """The values of the options, in their order."""
        return tuple(option.value for option in config.options)

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """The form, the options that are offered now, and the reasons why others are not."""
        fields = definitions.fields_with_values(
            step.config.fields, context.roots, context.former, step.id, (_choice(None),)
        )
        own = with_own(context.roots, step.id, {field.name: field.value for field in fields})
        parts = [fill_template(step.config.text, own)] if step.config.text else []
        if refused := refused_fields(context.reads):
            parts.append(refused_words(refused))
        offered = tuple(
            Option(
                option.value,
                option.label,
                tuple(field.name for field in fields if {field.name, field.explains} & option.own),
                _needed(option),
                fill_text(option.entails, own) if option.entails else "",
            )
            for option in step.config.options
            if option.offered(context.roots)
        )
        tables = tuple(entry.name for entry in step.config.related if not entry.hidden)
        withheld = tuple(
            Withheld(option.value, option.label, fill_text(option.why_not, context.roots))
            for option in step.config.options
            if option.why_not and not option.offered(context.roots)
        )
        fields = _without_shut(step.config, context, fields)
        unopened = _unopened(step.config, context)
        if step.config.opened is not None:
            fields.append(replace(SENTENCE, value=context.former.get(UNOPENED)))
        return Prompt(
            "\n\n".join(parts) or None,
            tables,
            tuple(fields),
            offered,
            step.button or "Done",
            withheld,
            unopened=unopened,
        )

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """The choice with its fields. Raises Invalid for a missing choice, one that is not offered, and each wrong field."""
        chosen, values = self._taken(step, context, submitted, outcome)
        made: Values = {}
        if step.config.maker == "rule":
            made = dict(zip(BY_RULE, ("user", None, {}), strict=True))
        elif step.config.maker == "ai":
            why = (context.proposal or {}).get("choice") if context.answered else None
            said = ("ai", why["reason"], list(why["sources"])) if why else ("user", None, [])
            made = dict(zip(BY_AI, said, strict=True))
        return Completion(chosen.value, values, self._output(step, chosen, values, made))

    def complete_by_itself(self, step: StepView, context: Context) -> Completion:
        """The choice of the first rule that is true and whose option is offered. Raises AsksPerson where there is none, or fields are empty.

        Where the AI decides it is asked, and the step waits for the answer.
        """
        if step.config.maker == "ai":
            if not context.asks_ai:
                raise AsksPerson("No model is asked at this step: please decide.")
            return Completion(step.config.options[0].value, {}, {}, asks_ai=True)
        looked_at: dict[str, Any] = {}
        for rule in step.config.rules:
            condition = parse(rule.if_)
            looked_at |= compared(condition, context.roots)
            option = next(option for option in step.config.options if option.value == rule.option)
            if condition.test(context.roots) and option.offered(context.roots):
                break
        else:
            raise AsksPerson("No rule applies here: please decide.", code="no_rule")
        try:
            chosen, values = self._taken(step, context, {}, option.value)
        except Invalid as wrong:
            lacking = " ".join(str(detail["reason"]) for detail in wrong.details)
            raise AsksPerson(
                f"By its rule this would be “{option.label}”, but something is missing: {lacking} Please decide."
            ) from None
        by_rule = dict(zip(BY_RULE, ("rule", rule.if_, looked_at), strict=True))
        return Completion(
            chosen.value,
            values,
            self._output(step, chosen, values, by_rule),
            chosen=chosen.label,
            rule=rule.if_,
        )

    def _output(self, step: StepView, chosen: DecisionOption, values: Values, made: Values) -> Values:
        """What later steps find. The fields of other options are present and empty."""
        return {OPTION: chosen.value, **dict.fromkeys(_of_others(step.config, chosen)), **values, **made}

    def _taken(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> tuple[DecisionOption, Values]:
        """(the option, values of the whole form); raises Invalid as `complete` does."""
        config = step.config
        chosen = next((option for option in config.options if option.value == outcome), None)
        left_out = _of_others(config, chosen) if chosen is not None else []
        hidden = {*left_out, *map(definitions.because, left_out)}
        typed = {name: value for name, value in submitted.items() if name not in hidden}
        choice = _choice(chosen.value if chosen is not None else None)
        beside = (
            (choice, replace(SENTENCE, value=context.former.get(UNOPENED)))
            if config.opened is not None
            else (choice,)
        )
        beside = (
            *beside,
            *(FormField(name, name, readonly=True) for name in left_out),
        )  # what the choice hides counts nowhere, and is known to be empty
        belonging = [entry for entry in config.fields if entry.name not in left_out]
        values, details = definitions.submitted_values(
            belonging, context.roots, context.former, step.id, typed, beside
        )
        del values[OPTION]
        details += _unexplained(config, context, values, outcome)
        if OPTION in submitted:
            details = [
                {
                    "field": OPTION,
                    "reason": "There is no such field in this form: the choice is the outcome.",
                },
                *details,
            ]
        if chosen is None or not chosen.offered(context.roots):
            details = [_choice_wrong(config, context, outcome, chosen), *details]
        if chosen is not None:
            values = {name: value for name, value in values.items() if name not in left_out}
            details += _lacking(config, chosen, values, {detail["field"] for detail in details})
        if chosen is None or not chosen.offered(context.roots):
            raise refusal(details)
        require_right(context, details)
        return chosen, values

    def ai_fields(self, config: DecisionConfig) -> tuple[str, ...]:
        """The fields of the form."""
        return tuple(definitions.typed(config.fields))

    def expressions(self, config: DecisionConfig) -> list[Located]:
        """Conditions of the options, the rules and the documents, and those of the form and the related reads."""
        opened = (
            [Located("opened.if", config.opened.if_)]
            if config.opened is not None and config.opened.if_ is not None
            else []
        )
        places = [(f"options[{number}]", option) for number, option in enumerate(config.options)]
        offered = [Located(f"{place}.if", option.if_) for place, option in places if option.if_ is not None]
        hidden = [
            Located(f"{place}.unless", option.unless) for place, option in places if option.unless is not None
        ]
        ruled = [Located(f"rules[{number}].if", rule.if_) for number, rule in enumerate(config.rules)]
        return [
            *offered,
            *hidden,
            *opened,
            *ruled,
            *field_expressions.texts_of_definitions("form", config.form),
            *related_texts(config.related),
        ]

    def templates(self, config: DecisionConfig) -> list[Located]:
        """The text above the options, what they entail, and the sentences of those that are not offered."""
        whole = [Located("text", config.text)] if config.text is not None else []
        return whole + [
            Located(f"options[{number}].{name}", text)
            for number, option in enumerate(config.options)
            for name, text in (("why_not", option.why_not), ("entails", option.entails))
            if text is not None
        ]

    def item_names(self, config: DecisionConfig) -> frozenset[str] | None:
        """Of the documents that should have been opened: what was noted of them is known to their own step."""
        return frozenset({ANY_NAME}) if config.opened is not None else None

    def uses(self, config: DecisionConfig) -> list[Use]:
        """What is read beside the question."""
        return related_uses(config.related)

    def outputs(self, config: DecisionConfig) -> frozenset[str]:
        """The choice, every field of the form, and how a rule decided."""
        sentence = [UNOPENED] if config.opened is not None else []
        return frozenset([OPTION, *sentence, *definitions.names_of(config.fields), *BY[config.maker]])


def _without_shut(config: DecisionConfig, context: Context, fields: Sequence[FormField]) -> list[FormField]:
    """The fields without those that belong only to options that are not offered, the sentences about them included."""
    offered = [option for option in config.options if option.offered(context.roots)]
    shut = {name for option in config.options for name in option.own}.difference(
        *(option.own for option in offered)
    )
    return [field for field in fields if field.name not in shut and field.explains not in shut]


def _choice(value: str | None) -> FormField:
    """The choice for conditions of the form: `steps.<id>.option`."""
    return FormField(OPTION, "What was decided", readonly=True, value=value)


SENTENCE = FormField(
    UNOPENED, "Why it was not opened", "long_text", max_length=2000, lines=2, explains="unopened"
)


def _unopened(config: DecisionConfig, context: Context) -> tuple[Unopened, ...]:
    """The documents that should have been opened and of which a page was not."""
    if config.opened is None:
        return ()
    done = (context.roots.get("steps") or {}).get(config.opened.step) or {}
    found = []
    for item in done.get("items") or ():
        known = {
            **(item.get("values") or {}),
            "key": item["key"],
            "title": item["title"],
            "by": item.get("by"),
        }
        opened, pages = context.opened.get(str(item["key"]), (0, None))
        if (opened == 0 or (pages is not None and opened < pages)) and condition_holds(
            config.opened.if_, {**context.roots, OWN_ITEM: known}
        ):
            found.append(
                Unopened(str(item["key"]), str(item["title"]), done.get("collection"), opened, pages)
            )
    return tuple(found)


def _unexplained(
    config: DecisionConfig, context: Context, values: Values, outcome: str | None
) -> list[dict[str, Any]]:
    """The error where documents were never opened and nobody says why not; the sentence is kept only where it is needed."""
    if config.opened is None:
        return []
    matters = not config.opened.options or outcome in config.opened.options
    unopened = _unopened(config, context) if matters else ()
    if not unopened:
        del values[UNOPENED]
        return []
    if not is_empty(values[UNOPENED]):
        return []
    named = ", ".join(document.title for document in unopened[:3]) + (
        f" and {len(unopened) - 3} more" if len(unopened) > 3 else ""
    )
    return [
        {
            "field": UNOPENED,
            "reason": f"Never opened: {named}. Open it, or say why not.",
            "severity": "explain",
        }
    ]


def _needed(option: DecisionOption) -> tuple[str, ...]:
    """Fields that must be filled in when the option is chosen."""
    return (*option.fields, *((REASON,) if option.reason_required and REASON not in option.fields else ()))


def _of_others(config: DecisionConfig, chosen: DecisionOption) -> list[str]:
    """Fields that belong to other options and not to the chosen one."""
    named = {name for option in config.options for name in option.own}
    return sorted(named - chosen.own)


def _choice_wrong(
    config: DecisionConfig, context: Context, outcome: str | None, chosen: DecisionOption | None
) -> dict[str, str]:
    """The error for a choice that is missing or not offered."""
    offered = ", ".join(f"“{option.label}”" for option in config.options if option.offered(context.roots))
    named = str(outcome)[:60] if chosen is None else f"“{chosen.label}”"
    said = "No choice was made" if outcome is None else f"{named} cannot be chosen here"
    why = f" {fill_text(chosen.why_not, context.roots)}" if chosen is not None and chosen.why_not else ""
    return {"field": "outcome", "reason": f"{said}: choose one of {offered}.{why}"}


def _lacking(
    config: DecisionConfig, chosen: DecisionOption, values: Mapping[str, Any], wrong: set[str]
) -> list[dict[str, str]]:
    """Fields that the chosen option needs and that are empty."""
    needed = set(_needed(chosen)) - wrong
    fields = [replace(entry.field(), required=True) for entry in config.fields if entry.name in needed]
    return [
        {"field": field.name, "reason": f"{missing_message(field)} “{chosen.label}” asks for it."}
        for field in fields
        if is_empty(values[field.name])
    ]
