"""The form of the rules of one role on one object: read from what was typed, drawn again with nothing lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from console import records
from console.access import policy_words
from console.access.rows import kind_of
from console.errors import DefinitionError, Invalid
from console.rights import role_rules, rule_conditions
from console.rights.role_rules import FieldRight, Rule
from console.rights.rule_conditions import COMPARISONS, Choice


@dataclass(frozen=True, slots=True)
class RuleBox:
    """One rule of the form; `said` is its condition in words, `path`, `comparison` and `value` are what a further condition is put together from."""

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
        """The condition in words; empty where it is in words already."""
        told = policy_words.condition(self.condition) if self.condition.strip() else ""
        return told if told != self.condition else ""

    @property
    def rule(self) -> Rule:
        """What the rules of rights take."""
        return Rule("deny" if self.effect == "deny" else "allow", self.acts, self.condition.strip())

    @property
    def blank(self) -> bool:
        """Whether nothing was said in it."""
        return not self.acts and not self.condition.strip()


@dataclass(frozen=True, slots=True)
class FieldBox:
    """A field of the collection and what the role may do with it: `write`, `read` or `hidden`."""

    name: str
    label: str
    right: FieldRight
    note: str = ""


def stored(found: Sequence[Rule]) -> list[RuleBox]:
    """The rules that stand, and where there are none an empty one to begin with."""
    return [RuleBox(number, rule.effect, rule.acts, rule.condition) for number, rule in enumerate(found)] or [RuleBox(0)]


def typed(form: MultiDict[str, str]) -> list[RuleBox]:
    """The rules as they were typed; a rule that was ticked to go is gone."""
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


def composed(obj: str, boxes: Sequence[RuleBox], number: int) -> list[RuleBox]:
    """The same with the further condition of one rule joined to it, or what is wrong with it said there."""
    return [_with_condition(obj, box) if box.number == number else box for box in boxes]


def marked(boxes: Sequence[RuleBox], wrong: Invalid) -> list[RuleBox]:
    """The same with what is wrong said at each."""
    told: dict[int, dict[str, str]] = {}
    for detail in wrong.details:
        number, _, name = str(detail.get("field", "")).removeprefix("r").partition(".")
        if number.isdigit():
            told.setdefault(int(number), {})[name] = str(detail["reason"])
    return [replace(box, errors=told.get(box.number, {})) for box in boxes]


def fields(obj: str, rights: Mapping[str, FieldRight]) -> list[FieldBox]:
    """The fields of the collection; of other objects none."""
    if kind_of(obj) != "collection":
        return []
    collection = records.collection(obj.partition(":")[2])
    notes = {True: "holds something sensitive"}
    return [FieldBox(one.name, one.label, rights.get(one.name, "write"), notes.get(one.sensitive, "")) for one in collection.stored_fields]


def typed_fields(form: MultiDict[str, str]) -> dict[str, FieldRight]:
    """Field → what was chosen for it."""
    chosen: dict[str, FieldRight] = {}
    for name, value in form.items():
        if name.startswith("f."):
            chosen[name.removeprefix("f.")] = "hidden" if value == "hidden" else "read" if value == "read" else "write"
    return chosen


def surroundings(obj: str) -> dict[str, Any]:
    """What the form offers: acts with their words, what conditions look at, how it is compared, and tags of people."""
    found: list[Choice] = rule_conditions.choices(obj)
    return {
        "acts": [(act, policy_words.act(act)) for act in policy_words.offered(kind_of(obj))],
        "choices": found,
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
