"""Loop: a person goes through a list, one form per item; finished items stay finished when another person continues."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

from console.core.documents import field_expressions, fields as definitions
from console.core.documents.field_expressions import texts_of
from console.core.documents.fields import Located, Use
from console.core.documents.references import ANY_NAME
from console.core.errors import Invalid
from console.core.forms import clean, refusal
from console.core.run import NEXT_ITEM
from console.steps.base import (
    BEFORE,
    NEXT,
    AtHand,
    Child,
    Completion,
    Context,
    Focus,
    FormNeeded,
    Item,
    Option,
    Prompt,
    Read,
    StepConfig,
    StepType,
    StepView,
    Values,
    joined,
)
from console.steps.document_check_settings import Checked
from console.steps.going_through import (
    ANSWER,
    CONFIRMED,
    DONE,
    FAILED,
    ITEM,
    OF_LIST,
    SECOND_NOTE,
    SENT_BACK,
    WHY,
    WHY_NOT,
    LoopConfig,
    LoopState,
)
from console.steps.proposable import Proposable, of_form


class Loop(StepType):
    """What was handed in for an item is kept at once; the list is read anew each time, so that what came or went meanwhile counts.

    Output: `items` ({key, title, by, state, values}), `count`, `done`, `failed`, `finished`, and what is gathered. An empty list is no step.
    """

    name, title, family, icon = "loop", "Loop", "loop", "refresh"
    technical = frozenset({"collection", "round", "altered", "finished", "count", "done", "failed"})
    gist = "Goes through a list item by item: a person does, or steps of its own"
    own_values = True
    by_items = True
    ai = ai_alone = True
    Config: ClassVar[type[StepConfig]] = LoopConfig
    alone, texts = True, ("title", "text")

    def outcomes(self, config: LoopConfig) -> tuple[str, ...]:
        """The branches in their order, then `default`."""
        return (*dict.fromkeys(branch.outcome for branch in config.branches), "default")

    def begins(self, config: LoopConfig) -> tuple[str, ...]:
        """The first step of the body."""
        return () if config.body is None else (config.body,)

    def reads(self, step: StepView) -> list[Read]:
        """The list, with every field that is shown or changed."""
        read = step.config.items.read(step.config.written)
        return [replace(read, goes_on=step.id if step.config.items.all else None)] if read is not None else []

    def focus(self, step: StepView, context: Context) -> Focus | None:
        """The current item, where its record may be changed."""
        state = LoopState(step, context)
        if not step.config.written or state.item is None or state.rows is None:
            return None
        return Focus(
            state.rows.collection, state.item.key, state.item.title, state.item.values, step.config.written
        )

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """The list, and the form of the current item."""
        state = LoopState(step, context)
        button = step.button or "Done"
        if state.item is None:
            return Prompt(state.empty_text(), progress=state.progress(), button=button)
        if state.confirms:
            choices = (Option(CONFIRMED, "Confirm"), Option(SENT_BACK, "Send back", (), (ANSWER,)))
            return Prompt(
                state.text(),
                fields=(*state.read_only_form(), SECOND_NOTE),
                outcomes=choices,
                button=button,
                progress=state.progress(),
                instruction=state.instruction(),
            )
        fields = state.form()
        ways: tuple[Option, ...] = ()
        if step.config.on_failure == "continue":
            named = tuple(field.name for field in fields if not field.readonly)
            needed = tuple(field.name for field in fields if field.required and not field.readonly)
            ways = (Option(DONE, "Done", named, needed), Option(FAILED, "Cannot be done", (WHY,), (WHY,)))
            fields = [*(replace(field, required=False) for field in fields), WHY_NOT]
        return Prompt(
            state.text(),
            fields=tuple(fields),
            outcomes=ways,
            button=button,
            progress=state.progress(),
            instruction=state.instruction(),
        )

    def checked(self, step: StepView, context: Context) -> Checked | None:
        """The documents of the current item."""
        return LoopState(step, context).checked()

    def at_hand(self, step: StepView, context: Context) -> AtHand | None:
        """The current item."""
        return LoopState(step, context).at_hand()

    def each_item(self, step: StepView, context: Context) -> list[tuple[Item, Mapping[str, Any]]]:
        """The items of a loop with a form."""
        state = LoopState(step, context)
        of = {item.key: state.entries.get(item.key, {}) for item in state.items}
        return [
            (
                Item(item.key, item.title, of[item.key].get("state", "todo")),
                state.roots(item, of[item.key].get("values")),
            )
            for item in state.items
        ]

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """The submitted item (without a key the current one), then the next item or the end. Raises Invalid for an item that is no longer in the list."""
        given = dict(submitted)
        unnamed = ITEM not in given
        key = given.pop(ITEM, None)
        given.pop("collection", None)
        state = LoopState(step, replace(context, chosen=key if isinstance(key, str) else None))
        if not state.open and key is None:
            clean((), given)
            return state.finished(state.entries)
        if unnamed and state.item is not None:
            key = state.item.key
        if state.item is None or state.item.key != key:
            raise refusal([*state.strangers(given), {"field": ITEM, "reason": state.not_there(key)}])
        if outcome in (CONFIRMED, SENT_BACK):
            return state.after(state.judged(given, outcome), {ITEM: key, "outcome": outcome, **given})
        if outcome == FAILED and step.config.on_failure == "continue":
            return state.after(state.given_up(given), {ITEM: key, WHY: given.get(WHY)})
        if step.config.on_failure == "continue":
            given.pop(WHY, None)
        values, effects = state.checked_values(given)
        return state.after(state.entry(values), {ITEM: key, **state.mark, **values}, effects)

    def complete_by_itself(self, step: StepView, context: Context) -> Completion:
        """Completes where the list is empty; with a body, starts a run for each item."""
        state = LoopState(step, context)
        if step.config.body is not None and state.rows is not None and state.rows.denied:
            raise Invalid(
                f"Whoever this runs as may not read {', '.join(state.rows.denied)} of these records.",
                code="not_readable",
            )
        if step.config.body is not None:
            progress = (
                {BEFORE: state.portions, NEXT: state.rows.next if state.rows else None}
                if step.config.items.all
                else {"more": state.more}
            )
            going_on = {name: value for name, value in progress.items() if value}
            outcome = NEXT_ITEM if going_on.get(NEXT) is not None else "default"
            if not state.items:
                return Completion(outcome, {}, joined([], going_on))
            about = (
                {"collection": state.rows.collection}
                if state.rows is not None and state.rows.collection
                else {}
            )
            children = [
                Child(
                    item.key,
                    start=step.config.body,
                    item={**about, **item.values, "key": item.key, "title": item.title},
                )
                for item in state.items
            ]
            joins: Literal["all", "each"] = "all" if step.config.on_failure == "stop" else "each"
            return Completion("default", going_on, children=tuple(children), joins=joins)
        if state.open:
            count = len(state.open)
            raise FormNeeded(f"There {'is 1 item' if count == 1 else f'are {count} items'} to go through.")
        last = next(reversed(state.entries), None)
        return replace(
            state.finished(state.entries), values={} if last is None else {ITEM: last, **state.mark}
        )

    def proposes(self, step: StepView, context: Context, prompt: Prompt) -> Proposable:
        """The form of the item at hand; whether it is confirmed, or given up, is nobody's but a person's."""
        state = LoopState(step, context)
        if state.item is None or state.confirms:
            return Proposable()
        return of_form(
            [field for field in prompt.fields if field.name != WHY],
            (),
            [field.name for field in self.tick_lists(step.config)],
        )

    def ai_fields(self, config: LoopConfig) -> tuple[str, ...]:
        """What is changed and noted of an item."""
        return (*config.edit, *definitions.typed(config.form))

    def expressions(self, config: LoopConfig) -> list[Located]:
        """Those of the list, the form, what is set, the second person, what is gathered, and the branches."""
        texts = [
            Located(f"branches[{number}].if", branch.if_) for number, branch in enumerate(config.branches)
        ]
        texts += [*config.items.texts("items"), *config.check_texts()]
        texts += [
            *field_expressions.texts_of_definitions("form", config.form),
            *field_expressions.texts_of_rules("must", config.must),
        ]
        texts += [
            text
            for number, entry in enumerate(config.set)
            for text in texts_of(f"set[{number}].value", entry.value)
        ]
        texts += (
            [Located("second.if", config.second.if_)]
            if config.second is not None and config.second.if_ is not None
            else []
        )
        for number, entry in enumerate(config.gather):
            texts += [Located(f"gather[{number}].if", entry.if_)] if entry.if_ is not None else []
            texts.append(Located(f"gather[{number}].value", entry.value))
        return texts

    def templates(self, config: LoopConfig) -> list[Located]:
        """What an item is called, and the text above its form."""
        return [*super().templates(config), *config.check_templates()]

    def item_names(self, config: LoopConfig) -> frozenset[str]:
        """The fields that are read of an item, and those of its form."""
        if config.items.entries is not None:
            return frozenset({ANY_NAME})
        return frozenset(
            [
                *config.items.fields,
                *config.written,
                *definitions.names_of(config.form, config.must),
                "key",
                "title",
                "by",
            ]
        )

    def uses(self, config: LoopConfig) -> list[Use]:
        """The relation or collection, its columns, and those that are changed."""
        edited = [(f"edit[{place}]", name) for place, name in enumerate(config.edit)]
        edited += [(f"set[{place}].field", entry.field) for place, entry in enumerate(config.set)]
        changed = [
            Use(place, name, config.items.relation, changed=True, collection=config.items.collection)
            for place, name in edited
        ]
        return [*config.items.uses("items"), *changed]

    def outputs(self, config: LoopConfig) -> frozenset[str]:
        """The items, how many there are, and what is gathered."""
        if config.body is not None:
            return frozenset({"items", "done", "total", "made", "more"})
        return frozenset({*(OF_LIST - {ITEM}), *(entry.name for entry in config.gather)})
