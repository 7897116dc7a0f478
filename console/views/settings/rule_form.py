"""The form for the rules of one role on one object: parsed from input, and shown again without losing any."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from console import records
from console.auth.access import policy_words
from console.auth.access.rows import kind_of
from console.core.errors import DefinitionError, Invalid
from console.permissions import role_rules, rule_conditions
from console.permissions.role_rules import FieldRight, Rule
from console.permissions.rule_conditions import COMPARISONS, Choice


@dataclass(frozen=True, slots=True)
class RuleBox:
    """One rule of the form; `said` is its condition in words. `path`, `comparison` and `value` are the parts of a further condition."""

    number: int
    effect: str = "allow"
    acts: tuple[str, ...] = ()
    condition: str = ""
    path: str = ""
    comparison: str = "=="
    value: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """Return the condition in words; empty if it is in words already."""
        words = policy_words.condition(self.condition) if self.condition.strip() else ""
        return words if words != self.condition else ""

    @property
    def rule(self) -> Rule:
        """Return the rule for the service."""
        return Rule("deny" if self.effect == "deny" else "allow", self.acts, self.condition.strip())

    @property
    def blank(self) -> bool:
        """Return whether the rule is empty."""
        return not self.acts and not self.condition.strip()


@dataclass(frozen=True, slots=True)
class FieldBox:
    """A field of the collection and the role's right to it: `write`, `read` or `hidden`."""

    name: str
    label: str
    right: FieldRight
    note: str = ""


def boxes_of_rules(rules: Sequence[Rule]) -> list[RuleBox]:
    """Return the stored rules; without any, an empty one."""
    return [RuleBox(number, rule.effect, rule.acts, rule.condition) for number, rule in enumerate(rules)] or [
        RuleBox(0)
    ]


def boxes_of_form(form: MultiDict[str, str]) -> list[RuleBox]:
    """Return the rules in the form, without those ticked for removal."""
    count = min(int(form.get("rules", "0")) if form.get("rules", "0").isdigit() else 0, role_rules.MOST_RULES)
    boxes = [
        RuleBox(
            number,
            form.get(f"r{number}.effect", "allow"),
            tuple(dict.fromkeys(form.getlist(f"r{number}.acts"))),
            form.get(f"r{number}.condition", "")[:2_000],
            form.get(f"r{number}.field", ""),
            form.get(f"r{number}.comparison", "=="),
            form.get(f"r{number}.value", "")[:500],
        )
        for number in range(count)
    ]
    kept = [box for box in boxes if form.get("drop") != str(box.number)]
    return [replace(box, number=number) for number, box in enumerate(kept)]


def with_conditions(obj: str, boxes: Sequence[RuleBox], number: int) -> list[RuleBox]:
    """Return the rules with the further condition of one rule added, or with its error."""
    return [_with_condition(obj, box) if box.number == number else box for box in boxes]


def with_errors(boxes: Sequence[RuleBox], wrong: Invalid) -> list[RuleBox]:
    """Return the rules, each with its error."""
    errors: dict[int, dict[str, str]] = {}
    for detail in wrong.details:
        number, _, name = str(detail.get("field", "")).removeprefix("r").partition(".")
        if number.isdigit():
            errors.setdefault(int(number), {})[name] = str(detail["reason"])
    return [replace(box, errors=errors.get(box.number, {})) for box in boxes]


def fields(obj: str, rights: Mapping[str, FieldRight]) -> list[FieldBox]:
    """Return the fields of the collection; none for other objects."""
    if kind_of(obj) != "collection":
        return []
    collection = records.collection(obj.partition(":")[2])
    notes = {True: "holds something sensitive"}
    return [
        FieldBox(item.name, item.label, rights.get(item.name, "write"), notes.get(item.sensitive, ""))
        for item in collection.stored_fields
    ]


def typed_fields(form: MultiDict[str, str]) -> dict[str, FieldRight]:
    """Return field → the chosen right."""
    chosen: dict[str, FieldRight] = {}
    for name, value in form.items():
        if name.startswith("f."):
            chosen[name.removeprefix("f.")] = (
                "hidden" if value == "hidden" else "read" if value == "read" else "write"
            )
    return chosen


def form_choices(obj: str) -> dict[str, Any]:
    """Return the choices of the form: acts, condition paths, comparisons, and tags of people."""
    choices: list[Choice] = rule_conditions.choices(obj)
    return {
        "acts": [(act, policy_words.act(act)) for act in policy_words.offered(kind_of(obj))],
        "choices": choices,
        "comparisons": COMPARISONS,
        "tags": [f"$currentUser.tags.{name}" for name in rule_conditions.tags()] + ["$currentUser.id"],
        "roots": rule_conditions.ROOTS.get(kind_of(obj), ("$currentUser", "now")),
    }


def _with_condition(obj: str, box: RuleBox) -> RuleBox:
    try:
        made = rule_conditions.compose(obj, box.path, box.comparison, box.value, box.condition)
    except Invalid as wrong:
        return replace(box, errors={str(detail["field"]): str(detail["reason"]) for detail in wrong.details})
    except DefinitionError as error:
        return replace(box, errors={"condition": error.message})
    return replace(box, condition=made, path="", comparison="==", value="")
