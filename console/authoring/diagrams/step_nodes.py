"""One step as a node of a picture: what it does, in words, and the edges that leave it. The words come from the step's settings."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from console import steps
from console.core import outcome_words
from console.core.contact_stages import STAGE
from console.core.documents import condition_words
from console.core.documents.fields import Use
from console.core.documents.workflow import Step
from console.core.plain_words import humanised
from console.steps.base import StepType
from console.steps.message_settings import spoken

DEFAULT = "default"
LONGEST = 240
SAYS_NOTHING_ALONE = frozenset({"Changes", "Asks for", "Reads", "Shows", "Only for", "Completes"})
"""Labels of what a step does that are told in another way, or not at all, where there is room for a few words."""
DESCRIBED_APART = frozenset({"text", "maker", "body"})  # settings that are described differently
AS_WRITTEN = frozenset({"tag"})
"""Settings with a name of its own, which no other spelling of it stands for."""
UNKNOWN = "Unknown step type"


@dataclass(frozen=True, slots=True)
class Way:
    """An edge from a step. `label` is empty if it is the only one; `back`: it leads to an earlier step; `when` is its rule."""

    outcome: str
    label: str
    to: str
    title: str
    back: bool = False
    when: str = ""
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One entry into a step. `state` is the step's, or `revised` if it was replaced. `event` is the number of the event to show, None for the current one."""

    number: int
    state: str
    by: str
    at: str | None
    event: int | None


@dataclass(frozen=True, slots=True)
class Node:
    """A step in a picture. `gist` says in a few words what it does, `says` in detail: pairs of a label and a text; `technical` are its expressions,
    templates and names of programs.

    `begins` are the ways into what it has done for each item, or at once.

    `state` is that of a run: done, now, cancelled, skipped, failed, todo (may come), missed (will not come); empty without a run.
    """

    id: str
    title: str
    kind: str
    family: str
    icon: str
    gist: str
    says: Sequence[tuple[str, str]]
    ways: Sequence[Way]
    at: tuple[int, int] | None = None
    group: int | None = None
    alone: bool = False
    state: str = ""
    attempts: Sequence[Attempt] = ()
    technical: Sequence[tuple[str, str]] = ()
    begins: Sequence[Way] = ()


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of fields and relations, of what the `steps` leave, and of other `workflows` by slug. `collection` is the workflow's, None if it has none or it is not connected."""

    collections: Mapping[str, Any]
    collection: Any
    steps: Mapping[str, Mapping[str, Any]]
    workflows: Mapping[str, str]

    def field(self, name: str) -> str:
        """The label of a field of the workflow's collection."""
        return _label(self.collection, name)

    def changed(self, use: Use) -> str:
        """The label of a field that a step changes, of the run's record or of another."""
        link = self.collection.relation(use.relation) if self.collection and use.relation else None
        other = link.collection if link else use.collection
        return _label(self.collections.get(other) if other else self.collection, use.column or "")

    def beside(self, relation: str | None, collection: str | None, columns: Sequence[str]) -> str:
        """The labels of a relation's target, or another collection, and its fields."""
        link = self.collection.relation(relation) if self.collection and relation else None
        target = self.collections.get(link.collection if link else collection or "")
        label = link.label if link else target.label if target else relation or collection
        fields = _joined(_label(target, column) for column in dict.fromkeys(columns))
        return f"{label}: {fields}" if fields else str(label)


def _label(collection: Any, name: str) -> str:
    field = collection.by_name.get(name) if collection else None
    return str(field.label) if field else name


def node_of(
    step: Step, labels: Labels, titles: Mapping[str, str], back: set[tuple[str, str]], group: int | None
) -> Node:
    """The step as a node. `titles` are those of all steps, `back` the edges that lead to an earlier step, `group` the number of its group."""
    kind = steps.all_types().get(step.type)
    config = _config(kind, step)
    at = (step.at[0], step.at[1]) if step.at else None
    begins = _beginnings(kind, config, titles)
    says = [
        *_description(step, kind, config, labels),
        *([("Begins with", _joined(way.title for way in begins))] if begins else []),
    ]
    return Node(
        step.id,
        step.title,
        kind.title if kind else f"{UNKNOWN} {step.type}",
        kind.family if kind else "action",
        kind.icon if kind else "bolt",
        _gist(says, step, config, kind),
        says,
        _edges(step, kind, config, titles, back),
        at,
        group,
        kind is not None and (kind.by_itself(step.config) or step.completion == "automatic"),
        technical=_technical(config),
        begins=begins,
    )


def _config(kind: StepType | None, step: Step) -> Any:
    """The settings as the step type reads them; None if the type or one of its settings no longer exists."""
    try:
        return kind.Config.model_validate(step.config) if kind else None
    except ValidationError:
        return None


def _edges(
    step: Step, kind: StepType | None, config: Any, titles: Mapping[str, str], back: set[tuple[str, str]]
) -> list[Way]:
    """In the order of the type's outcomes, `default` last."""
    order = list(kind.outcomes(config)) if kind and config is not None else []
    outcomes = sorted(
        step.next,
        key=lambda outcome: (outcome == DEFAULT, order.index(outcome) if outcome in order else len(order)),
    )
    rules = {branch.outcome: branch.if_ for branch in reversed(_branches(config))}
    return [
        Way(
            outcome,
            _way_label(step, outcome, len(step.next)),
            step.next[outcome],
            titles.get(step.next[outcome], step.next[outcome]),
            (step.id, step.next[outcome]) in back,
            rules.get(outcome, ""),
        )
        for outcome in outcomes
    ]


def _beginnings(kind: StepType | None, config: Any, titles: Mapping[str, str]) -> list[Way]:
    """The ways into the branches, or into what is done for each item."""
    begins = kind.begins(config) if kind is not None and config is not None else ()
    return [
        Way("", "For each item" if kind is not None and kind.by_items else "", to, titles.get(to, to))
        for to in begins
    ]


def _way_label(step: Step, outcome: str, many: int) -> str:
    return (
        ""
        if outcome == DEFAULT and many == 1
        else outcome_words.words({"type": step.type, "config": step.config}, outcome)
    )


def _description(step: Step, kind: StepType | None, config: Any, labels: Labels) -> list[tuple[str, str]]:
    """The step's settings in words, for every type, also of other packages."""
    if kind is None or config is None:
        return []
    uses = kind.uses(config)
    read = [use for use in uses if not use.changed]
    other_places = list(
        dict.fromkeys((use.relation, use.collection) for use in read if use.relation or use.collection)
    )
    own = [use.column for use in read if use.column and not use.relation and not use.collection]
    entries = [entry for entry in _definitions(config) if not entry.readonly]
    lines = [
        ("Reads", _joined(labels.field(name) for name in dict.fromkeys(own))),
        *(
            (
                "Reads",
                labels.beside(
                    *place,
                    [use.column for use in read if (use.relation, use.collection) == place and use.column],
                ),
            )
            for place in other_places
        ),
        (
            "Changes",
            _joined(
                dict.fromkeys(
                    labels.changed(use) for use in uses if use.changed and use.column not in (None, STAGE)
                )
            ),
        ),
        ("Asks for", _joined(entry.label + (" (required)" if entry.required else "") for entry in entries)),
        *(
            (
                _way_label(step, branch.outcome, 2),
                condition_words.spoken(branch.if_, labels.collection, labels.steps),
            )
            for branch in _branches(config)
        ),
        *((name, text) for name, text in _settings(config, labels) if not _for_programs(text)),
        *(
            ("Shows", text)
            for text in [_short(getattr(config, "text", None) or "")]
            if not _for_programs(text)
        ),
        ("Only for", _joined(humanised(role) for role in step.roles or ())),
        ("Completes", "without a click, where nothing is asked" if step.completion == "automatic" else ""),
    ]
    return [(label, text) for label, text in lines if text]


def _gist(says: Sequence[tuple[str, str]], step: Step, config: Any, kind: StepType | None) -> str:
    """A few words that fit into a node."""
    if kind is not None and config is not None and (said := kind.says(config)):
        return said
    if branches := _branches(config):
        names = [_way_label(step, branch.outcome, 2) for branch in branches]
        alone = dict(says).get(names[0]) if len(names) == 1 else None
        return alone or _joined(names)
    wanted = ("Changes", "Asks for", "Reads")
    preferred = next((f"{label} {text}" for want in wanted for label, text in says if label == want), None)
    first_setting = next(
        (text for label, text in says if label not in SAYS_NOTHING_ALONE and text not in ("yes", "no")), None
    )
    return preferred or first_setting or (kind.gist if kind else "")


def _branches(config: Any) -> Sequence[Any]:
    """The branches of a step that goes by rules; those of a parallel step have none."""
    return [each for each in getattr(config, "branches", None) or () if hasattr(each, "if_")]


def _technical(config: Any) -> list[tuple[str, str]]:
    """The settings written for programs: rules, templates, names of actions."""
    if config is None:
        return []
    texts = [
        ("By rule", f"{_option_label(config, rule.option)} when {rule.if_}")
        for rule in getattr(config, "rules", None) or ()
    ]
    texts += [(name, text) for name, text in _settings(config, None) if _for_programs(text)]
    return texts + [
        ("Shows", text) for text in [_short(getattr(config, "text", None) or "")] if _for_programs(text)
    ]


_ONE_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*")
_PROGRAM = re.compile(r"\{\{|[a-z]\w*[_.][a-z_]\w*|[=<>!]=|&&|\|\||\b[a-z]\w*\(")


def _for_programs(text: str) -> bool:
    """Whether the text is an expression, a template or a name that programs use."""
    return _PROGRAM.search(text) is not None


def _definitions(config: Any) -> list[Any]:
    """Fields of the step's form that are not columns."""
    parts = [name for name in ("form", "fields") if name in type(config).model_fields]
    entries = [entry for name in parts for entry in getattr(config, name) or ()]
    return [entry for entry in entries if hasattr(entry, "label") and hasattr(entry, "required")]


def _settings(config: Any, labels: Labels | None) -> list[tuple[str, str]]:
    """Plain settings that differ from their default: an amount, a name, an expression."""
    settings = []
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        value = labels.workflows.get(str(value), value) if labels and name == "workflow" else value
        if name not in DESCRIBED_APART and isinstance(value, str | int) and value != field.default:
            words = _short(str(value)) if name in AS_WRITTEN else _in_words(str(value))
            settings.append((humanised(name), "yes" if value is True else "no" if value is False else words))
    return settings


def _in_words(value: str) -> str:
    """A choice or the id of a team or inbox as people would write it; any other text shortened."""
    return humanised(value.replace("-", " ")) if _ONE_WORD.fullmatch(value) else _short(spoken(value))


def _option_label(config: Any, value: str) -> str:
    return next(
        (str(option.label) for option in getattr(config, "options", None) or () if option.value == value),
        value,
    )


def _joined(names: Iterable[str]) -> str:
    return ", ".join(names)


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"
