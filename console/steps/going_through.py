"""A list that a person goes through item by item: its settings, and its current state."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from console.core import expressions
from console.core.documents import fields as definitions
from console.core.documents.document_parts import NAME_PATTERN
from console.core.documents.fields import (
    OWN_ITEM,
    Definition,
    FieldDefinition,
    FieldRule,
    condition_holds,
    with_own,
)
from console.core.errors import Invalid
from console.core.forms import FormField, clean, is_empty, refusal
from console.core.run import NEXT_ITEM
from console.steps.base import (
    NEXT,
    AtHand,
    Completion,
    Context,
    Progress,
    StepView,
    Values,
    WriteRecord,
    fill_template,
    refused_fields,
    refused_words,
    require_right,
)
from console.steps.condition import Branch
from console.steps.document_check_settings import Checked, ChecksConfig
from console.steps.items import LIST, Listed, Source, list_items, window
from console.steps.update_data import (
    NOT_YOURS,
    Assignment,
    changes_of,
    gone_words,
    left_out,
    settled,
    why_lacking,
)

DONE, FAILED, CONFIRMED, SENT_BACK = "done", "failed", "confirmed", "sent_back"
ANSWER, WHY, ITEM = "answer", "why_not", "item"
OF_ITEM = frozenset({ITEM, "collection", ANSWER, WHY})
OF_LIST = frozenset({"items", "count", "done", "failed", "round", "finished", "more", "collection", ITEM})
YOURS = "**{{ item.rule }}**: you handled this item, so somebody else confirms it. Save the run, or give it to a colleague."
THEIRS = "**{{ item.rule }}**: a colleague handled this item. Do you confirm it?"
MOST_BYTES = 256 * 1024
SECOND_NOTE = FormField(ANSWER, "Note", "long_text", max_length=2000)
WHY_NOT = FormField(WHY, "Why it cannot be done", "long_text", max_length=2000)


class Second(Definition):
    """The items that another person has to confirm."""

    if_: str | None = Field(
        None, alias="if", description="Expression over `item`, what was noted included; none: every item"
    )
    title: str = Field(
        "Four-eyes check",
        min_length=1,
        max_length=200,
        description="Name of the rule, said to whom it keeps out",
    )


class Gather(Definition):
    """A list that is made from the items, for branches and later steps."""

    name: str = Field(pattern=NAME_PATTERN, description="Where it is found: `steps.<id>.<name>`")
    if_: str | None = Field(
        None, alias="if", description="Expression over `item`; only those for which it holds"
    )
    value: str = Field("item.key", description="Expression over `item`: what stands in the list of each")


class LoopConfig(ChecksConfig):
    """The list, the form for each item, and the branches after the last one."""

    items: Source = Field(
        description="The list: records of a relation or collection, or entries that the run knows"
    )
    title: str | None = Field(
        None,
        min_length=1,
        max_length=500,
        description="What an item is called; {{ expressions }} over `item`",
    )
    text: str | None = Field(
        None,
        max_length=20_000,
        description="Markdown above the form of an item, with checks behind an icon at its title; {{ expressions }} are filled in",
    )
    form: list[FieldDefinition] = Field(
        default_factory=list, max_length=40, description="What is noted of each item"
    )
    edit: list[str] = Field(
        default_factory=list, max_length=40, description="Fields of the item's record that may be changed"
    )
    required: list[str] = Field(
        default_factory=list, description="Those of them that may not be left empty here"
    )
    set: list[Assignment] = Field(
        default_factory=list, max_length=40, description="Fields of the item's record that are set by rule"
    )
    must: list[FieldRule] = Field(
        default_factory=list,
        max_length=20,
        description="Rules about those fields, as `must` of a field of the form",
    )
    second: Second | None = Field(None, description="Items that another person has to confirm")
    body: str | None = Field(
        None,
        pattern=NAME_PATTERN,
        description="Id of the first step of what is done for each item by itself, as a run of its own that finds it as `item`; in place of a form",
    )
    on_failure: Literal["stop", "continue"] = Field(
        "stop",
        description="continue: an item that cannot be done is left behind with a reason; stop: the run waits until it is",
    )
    screen: Literal["one"] | None = Field(
        None,
        description="one: the forms of all items are on one screen, each completed as an item of its own; of items that are no records to change",
    )
    gather: list[Gather] = Field(default_factory=list, max_length=12, description="Lists made of the items")
    branches: list[Branch] = Field(
        default_factory=list, max_length=50, description="Ways on, judged when all is done; else default"
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        names = [*self.edit, *(entry.field for entry in self.set), *(entry.name for entry in self.form)]
        if self.items.all and self.body is None:
            raise ValueError(
                "all is for a loop with a body: a person goes through a list that is read anew each time"
            )
        if self.body is not None:
            if names or self.must or self.second or self.gather or self.branches:
                raise ValueError("a loop has a body or a form: with body nothing else is asked of an item")
            return self
        if not names:
            raise ValueError("nothing is asked of an item: give it a form, or fields to edit or set")
        definitions.require_distinct(names)
        if taken := sorted(OF_ITEM & set(names)):
            raise ValueError(f"fields cannot be named {', '.join(taken)} here")
        if strangers := sorted(set(self.required) - set(self.edit)):
            raise ValueError(f"required names what is not among the fields to edit: {', '.join(strangers)}")
        if wrong := definitions.wrong_rules(self.form, self.edit, self.must):
            raise ValueError(wrong)
        if self.items.entries is not None and (self.edit or self.set):
            raise ValueError("items of an expression are no records: nothing of them can be edited or set")
        if self.screen and (self.edit or self.set or self.second or self.on_failure == "continue"):
            raise ValueError(
                "on one screen nothing of an item's record changes, and no second person confirms it"
            )
        gathered = [entry.name for entry in self.gather]
        if len(set(gathered)) < len(gathered) or OF_LIST & set(gathered):
            raise ValueError(
                f"gathered lists need names of their own, other than {', '.join(sorted(OF_LIST))}"
            )
        self._branched()
        return self

    def _branched(self) -> None:
        """Raises ValueError for branches that could never be taken as intended."""
        if wrong := {branch.outcome for branch in self.branches} & {"default", NEXT_ITEM}:
            raise ValueError(
                f"{', '.join(sorted(wrong))} cannot be the outcome of a branch: give it a name of its own"
            )
        for number, branch in enumerate(self.branches):
            try:
                roots = {path[0] for path in expressions.paths(expressions.parse(branch.if_))}
            except expressions.ExpressionError:
                continue  # the check of the document reports it with its place
            if ITEM in roots:
                raise ValueError(
                    f"branches[{number}] looks at item, but is judged over all of them: gather what it needs"
                )

    @property
    def written(self) -> tuple[str, ...]:
        """Fields of the item's record that may change."""
        return (*self.edit, *(entry.field for entry in self.set))


class LoopState:
    """The current state of a loop: its list, what is done, and the current item."""

    def __init__(self, step: StepView, context: Context) -> None:
        self.config: LoopConfig = step.config
        self.context, self.id = context, step.id
        self.rows = context.reads.get(LIST)
        self.items, self.more = list_items(self.config.items, self.config.title, context)
        before = context.roots.get("steps", {}).get(step.id) or {}
        self.portions = before if before.get(NEXT) is not None else {}
        self.round = int(before.get("round", 0)) + 1 if before.get("finished", True) else int(before["round"])
        self.former = {entry["key"]: entry for entry in before.get("items", ())}
        self.entries = {key: entry for key, entry in self.former.items() if entry.get("round") == self.round}
        self.me = str((context.roots.get("currentUser") or {}).get("id"))
        self.open = [
            item for item in self.items if self.entries.get(item.key, {}).get("state") not in (DONE, FAILED)
        ]
        self.item = self._at_hand()

    def _at_hand(self) -> Listed | None:
        """The item that the person selected, else the one that they submitted before, else the first that is left.

        Items that somebody else has to confirm come last.
        """
        for wanted in (self.context.chosen, self.context.former.get(ITEM)):
            if found := next((item for item in self.items if item.key == wanted), None):
                return found
        mine = [item for item in self.open if not self._waits_for_others(item)]
        return next(iter([*mine, *self.open]), None)

    def _waits_for_others(self, item: Listed) -> bool:
        entry = self.entries.get(item.key)
        return entry is not None and entry["state"] == "second" and entry["by"] == self.me

    @property
    def mark(self) -> Values:
        """The collection of the items as `{"collection": id}`, so that values are hidden from people who may not read its fields."""
        return {"collection": self.rows.collection} if self.rows is not None and self.rows.collection else {}

    @property
    def confirms(self) -> bool:
        """Whether the person is asked to confirm the current item, which somebody else handled."""
        entry = self.entries.get(self.item.key) if self.item is not None else None
        return entry is not None and entry["state"] == "second" and entry["by"] != self.me

    def roots(
        self, item: Listed, values: Mapping[str, Any] | None = None, by: str | None = None
    ) -> dict[str, Any]:
        """The roots with this item as `item`: its values and the values of its form."""
        known = {"key": item.key, "title": item.title, "by": by, **item.values, **(values or {})}
        return {**self.context.roots, OWN_ITEM: known}

    def progress(self) -> Progress:
        """The list as it is displayed."""
        states = {key: entry["state"] for key, entry in self.entries.items()}
        key, over = self.item.key if self.item else None, len(self.items) - len(self.open)
        return window(
            self.items,
            states,
            key,
            self.rows,
            self.config.items.shown if self.config.items.fields else None,
            over,
        )

    def checked(self) -> Checked | None:
        """The documents of the current item to check; None where the step has no checks or no item is left."""
        if not self.config.checks or self.item is None:
            return None
        roots = self.roots(self.item, self.entries.get(self.item.key, {}).get("values"))
        wanted = (
            expressions.parse(self.config.documents).evaluate(roots)
            if self.config.documents is not None
            else None
        )
        of_record = self.rows.collection if self.rows is not None and self.config.documents is None else None
        return Checked(
            tuple(self.config.checks),
            roots,
            wanted,
            of_record,
            self.item.key if of_record else None,
            self.item.key,
        )

    def at_hand(self) -> AtHand | None:
        """The current item for a proposal; None where nothing is left to do."""
        item = self.item
        if item is None:
            return None
        noted = self.entries.get(item.key, {}).get("values")
        roots = self.roots(item, noted)
        wanted = (
            expressions.parse(self.config.documents).evaluate(roots)
            if self.config.documents is not None
            else None
        )
        collection = self.rows.collection if self.rows is not None else None
        number = next(place for place, each in enumerate(self.items, 1) if each.key == item.key)
        return AtHand(
            item.key, item.title, item.values, number, len(self.items), collection or None, roots, wanted
        )

    def empty_text(self) -> str:
        """The text where no item is left."""
        return "There is nothing in this list." if not self.items else "Everything in this list is done."

    def text(self) -> str | None:
        """The text above the form: about the item, and who has to confirm it."""
        parts, config = [], self.config
        if self.item is None:
            return None
        entry = self.entries.get(self.item.key, {})
        if config.text and not config.checks:
            parts.append(fill_template(config.text, self.roots(self.item, entry.get("values"))))
        if config.second is not None and entry.get("state") == "second":
            parts.append(
                fill_template(
                    YOURS if entry["by"] == self.me else THEIRS, {ITEM: {"rule": config.second.title}}
                )
            )
        elif "second" in entry and not entry["second"]["agreed"]:
            parts.append(fill_template("**Sent back:** {{ item.note }}", {ITEM: entry["second"]}))
        parts += gone_words(config.edit, config.required, self.lacking(), self.context)
        if refused := refused_fields(self.context.reads):
            parts.append(refused_words(refused))
        if self.more:
            parts.append(f"The list is longer: only its first {len(self.items):,} are gone through here.")
        return "\n\n".join(parts) or None

    def instruction(self) -> str | None:
        """How to check the documents of the current item; None where nothing is checked."""
        if self.item is None or not self.config.text or not self.config.checks:
            return None
        noted = self.entries.get(self.item.key, {}).get("values")
        return fill_template(self.config.text, self.roots(self.item, noted))

    def _columns(self) -> list[FormField]:
        """Fields of the item's record that a person can change."""
        made = []
        for name in self.config.edit:
            field = self.context.forms.get(name)
            if field is not None:
                value = self._typed_before().get(name, field.value) if not field.readonly else field.value
                needed = field.required or (name in self.config.required and not field.readonly)
                made.append(replace(field, value=value, required=needed))
        return made

    def lacking(self) -> list[str]:
        """Fields of the item's record that cannot be written, but for those that the step goes on without."""
        without = left_out(self.config.edit, self.config.required, self.context)
        return [
            name for name in self.config.written if name not in self.context.forms and name not in without
        ]

    def _typed_before(self) -> Values:
        """What was submitted for the current item in the replaced attempt or in a refused submission."""
        former = self.context.former
        return former if self.item is not None and former.get(ITEM) == self.item.key else {}

    def _defaults(self) -> Values:
        """Initial values of the form: those that were refused, else the earlier values of the item."""
        noted = self.former.get(self.item.key, {}).get("values", {}) if self.item is not None else {}
        return {
            name: value for name, value in noted.items() if name not in self.config.edit
        } | self._typed_before()

    def form(self) -> list[FormField]:
        """The fields of the current item's form."""
        if self.item is None:
            return []
        roots, former = self.roots(self.item), self._typed_before()
        columns = definitions.without_refused_choices(
            self._columns(), former, self.config.must, roots, OWN_ITEM
        )
        form = definitions.fields_with_values(
            self.config.form, roots, self._defaults(), OWN_ITEM, columns, self.config.must
        )
        typed = {field.name: field.value for field in [*columns, *form]}
        return [*columns, *form, *settled(self.config.set, self.context.forms, roots, OWN_ITEM, typed)]

    def read_only_form(self) -> list[FormField]:
        """The form as somebody else filled it in, read-only."""
        values = self.entries[self.item.key]["values"] if self.item is not None else {}
        return [
            replace(field, value=values.get(field.name, field.value), readonly=True, required=False, now=None)
            for field in self.form()
        ]

    def strangers(self, given: Values) -> list[dict[str, str]]:
        """A detail for each submitted name that is in no form of this step."""
        known = {*self.config.written, *definitions.names_of(self.config.form, self.config.must), ANSWER, WHY}
        return [
            {"field": str(name)[:200], "reason": "There is no such field in this form."}
            for name in given
            if name not in known
        ]

    def not_there(self, key: Any) -> str:
        """Why what was submitted belongs to no item."""
        if key is None:
            return f"Say which item this is for: `item`, such as {self.open[0].key}."
        gone = str(self.former.get(str(key), {}).get("title") or str(key)[:60])
        return f"“{gone}” is not in the list any more: it was removed, or no longer belongs here. What you typed is shown here."

    def checked_values(self, given: Values) -> tuple[Values, tuple[WriteRecord, ...]]:
        """(values of the item's form, the change of its record where there is one); raises Invalid with a detail for each wrong field."""
        config, context = self.config, self.context
        if self.item is None or (self.rows is None and config.written):
            raise Invalid("There is no such item.")
        columns, seen = self._columns(), context.shown or {}
        typed = {
            name: value for name, value in given.items() if name not in {entry.field for entry in config.set}
        }
        roots = self.roots(self.item)
        values, details = definitions.submitted_values(
            config.form, roots, self._defaults(), OWN_ITEM, typed, columns, config.must
        )
        own = bool(context.forms or context.gone)
        require_right(
            context,
            details,
            [
                {"field": name, "reason": why_lacking(name, context) if own else NOT_YOURS}
                for name in self.lacking()
            ],
        )
        values |= {
            f.name: seen[f.name]
            for f in columns
            if f.name in seen and f.name not in {*given, *self._typed_before()}
        }
        by_rule = settled(config.set, context.forms, roots, OWN_ITEM, values)
        values |= {field.name: field.value for field in by_rule}
        changes = changes_of([*columns, *by_rule], values, seen)
        collection = self.rows.collection if self.rows is not None else ""
        return values, (WriteRecord(changes, collection, self.item.key),) if changes else ()

    def entry(self, values: Values) -> Values:
        """What is stored for the current item."""
        if self.item is None:
            raise Invalid("There is no such item.")
        made = {
            "key": self.item.key,
            "title": self.item.title,
            "by": self.me,
            "state": DONE,
            "round": self.round,
            "values": values,
        }
        rule = self.config.second
        if rule is not None and condition_holds(rule.if_, self.roots(self.item, values, self.me)):
            made["state"] = "second"
        return made

    def judged(self, given: Values, outcome: str) -> Values:
        """The item after a second person confirmed it or sent it back. Raises Invalid with the rule's name where this person may not."""
        if self.item is None:
            raise Invalid("There is no such item.")
        rule, entry = self.config.second, self.entries.get(self.item.key)
        if rule is None or entry is None or entry["state"] != "second":
            raise refusal([{"field": "outcome", "reason": "This item waits for nobody's confirmation."}])
        if entry["by"] == self.me:
            reason = f"{rule.title}: you handled this item yourself, so somebody else has to confirm it."
            raise refusal([{"field": "outcome", "reason": reason}])
        note = clean(
            (replace(SECOND_NOTE, required=outcome == SENT_BACK and not self.context.foretold),), given
        )[ANSWER]
        second = {"by": self.me, "agreed": outcome == CONFIRMED, "note": note}
        if outcome == CONFIRMED:
            return {**entry, "state": DONE, "second": second}
        return {**entry, "state": "todo", "second": second}

    def given_up(self, given: Values) -> Values:
        """The item as failed, with the reason."""
        if self.item is None:
            raise Invalid("There is no such item.")
        if strangers := self.strangers(given):
            raise refusal(strangers)
        if is_empty(given.get(WHY)) and not self.context.foretold:
            raise refusal(
                [{"field": WHY, "reason": "Say why it cannot be done: the list goes on without it."}]
            )
        note = clean((WHY_NOT,), {WHY: given.get(WHY)})[WHY]
        return {**self.entry({}), "state": FAILED, "reason": note}

    def after(self, entry: Values, values: Values, effects: tuple[WriteRecord, ...] = ()) -> Completion:
        """The completion after an item: the next item, or the outcome of the step after the last one."""
        entries = {**self.entries, entry["key"]: entry}
        left = [item for item in self.items if entries.get(item.key, {}).get("state") not in (DONE, FAILED)]
        if not left:
            anew = {"finished": False, ITEM: entry} if self.config.gather or self.config.branches else {}
            judged = tuple(replace(effect, anew=anew) for effect in effects)
            return replace(self.finished(entries), values=values, effects=judged)
        output = {**self._totals(entries, finished=False), ITEM: entry}
        _require_room({**output, "items": list(entries.values())})
        return Completion(NEXT_ITEM, values, output, effects)

    def finished(self, entries: Mapping[str, Values]) -> Completion:
        """The completion of the step: its outcome by the branches over all items. Items that are no longer in the list are left out."""
        kept = [entries[item.key] for item in self.items if item.key in entries]
        output = {**self._totals(entries, finished=True), "items": kept}
        _require_room(output)
        roots = with_own(self.context.roots, self.id, output)
        way = next(
            (branch.outcome for branch in self.config.branches if condition_holds(branch.if_, roots)),
            "default",
        )
        return Completion(way, {}, output)

    def _totals(self, entries: Mapping[str, Values], *, finished: bool) -> Values:
        """The output without the items."""
        kept = [(item, entries[item.key]) for item in self.items if item.key in entries]
        states = [entry["state"] for _, entry in kept]
        totals: Values = {
            "count": len(self.items),
            "done": states.count(DONE),
            "failed": states.count(FAILED),
        }
        totals |= {
            "round": self.round,
            "finished": finished,
            **({"more": True} if self.more else {}),
            **self.mark,
        }
        for gather in self.config.gather:
            value, values = expressions.parse(gather.value), []
            for item, entry in kept:
                roots = self.roots(item, entry["values"], entry["by"])
                if condition_holds(gather.if_, roots):
                    values.append(value.evaluate(roots))
            totals[gather.name] = values
        return totals


def _require_room(output: Values) -> None:
    """Raises Invalid where the output is larger than a run can store."""
    if len(json.dumps(output, ensure_ascii=False).encode()) > MOST_BYTES:
        raise Invalid(
            "What was noted in this list is too much to be kept with the run (256 KB): write less, or narrow the list and use two steps.",
            code="too_long",
        )
