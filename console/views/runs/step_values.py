"""How the document of a workflow describes what its steps put into the context: fields of forms, choices, actions, and what only programs need."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from console import steps, workflows
from console.core import expressions, outcome_words
from console.core.documents.fields import FieldDefinition
from console.core.documents.workflow import Step, Workflow
from console.core.errors import ConsoleError, NotFound
from console.core.expressions.nodes import Path
from console.formats import Kind, kind, label_of
from console.steps import effects
from console.steps.base import StepView
from console.steps.message_settings import MessageStep
from console.steps.request_documents import RequestDocumentsConfig

CHOSEN = frozenset({"outcome", "branch", "decision", "state", "result"})
"""Names under which a step says in one word what came of it."""

_STEP = re.compile(r"\bsteps\.(\w+)")
_KEY = re.compile(r"steps\.\w+\.results(\.\w+)*\.(id|key)")
"""What somebody else's machine calls a thing."""

MAKERS = {"user": "A person", "rule": "A rule", "ai": "The AI"}
CENTS = Kind("", "", "integer", widget="money", currency="currency", minor=True)
"""An amount in the smallest unit of the currency that stands beside it."""
_IN_CENTS = re.compile(r"minor\([^()]*\)|[\w.]+_(?:minor|cents)")


@dataclass(frozen=True, slots=True)
class Described:
    """The kinds of a step's values by name, the names of those that only programs need, the place in the run of the step that each comes from, and
    the expressions that give the currencies of amounts. `outcomes` is what its outcomes are called, `asked` are the fields that people fill in.
    """

    kinds: Mapping[str, Kind] = field(default_factory=dict)
    technical: frozenset[str] = frozenset()
    places: Mapping[str, int] = field(default_factory=dict)
    currencies: Mapping[str, str] = field(default_factory=dict)
    outcomes: Mapping[str, str] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()

    def outcome(self, outcome: str | None) -> str:
        """What came of the step in words, by the label of its option; empty where it simply goes on."""
        return (
            ""
            if outcome in (None, "default")
            else self.outcomes.get(outcome) or outcome_words.words({}, outcome)
        )


NOTHING = Described()


@lru_cache(maxsize=256)
def of_version(workflow: str, version: int) -> Mapping[str, Described]:
    """Step → what the document says of its values; nothing for a version that cannot be read any more."""
    try:
        return of_document(workflows.version(workflow, version).document)
    except (ConsoleError, ValueError):
        return {}


def of_document(document: Workflow) -> Mapping[str, Described]:
    """Step → what the document says of its values."""
    own = {step.id: _of_step(steps.view(step), outcomes_in_words(step)) for step in document.steps}
    views, start = map(steps.view, document.steps), document.start.id
    inputs = (steps.get(view.type).technical_inputs(view.config) for view in views)
    own[start] = replace(own[start], technical=own[start].technical.union(*inputs))
    return {step.id: _with_results(own, own[step.id], step.config.get("values")) for step in document.steps}


def _with_results(every: Mapping[str, Described], own: Described, values: Any) -> Described:
    """What a step says of its values, also of those that are a field of an earlier step under another name.

    A name that the document gives to a value of its own, such as `result`, says nothing about its kind.
    """
    rules = values if isinstance(values, Mapping) else {}
    given = {name: rule for name, rule in rules.items() if isinstance(rule, str)}
    order = list(every)
    places = {
        name: order.index(source[1])
        for name, rule in given.items()
        if (source := _STEP.search(rule)) and source[1] in every
    }
    keys = {name for name, rule in given.items() if _KEY.fullmatch(rule)}
    kinds = {name: known for name, known in own.kinds.items() if name not in CHOSEN or name not in given}
    own = replace(own, kinds=kinds, technical=own.technical | keys, places=places)
    named = {name: _led(every, rule) for name, rule in given.items()}
    named |= {name: CENTS for name, rule in rules.items() if named.get(name) is None and _in_cents(rule)}
    found = {
        name: replace(known, name=name)
        for name, known in named.items()
        if known is not None and name not in own.kinds
    }
    labelled = {name: replace(known, label=label_of(name)) for name, known in found.items()}
    return replace(own, kinds={**labelled, **own.kinds}) if found else own


def _in_cents(rule: Any) -> bool:
    """Whether every value that the rule gives is an amount in the smallest unit of its currency."""
    cases = (
        [case.get("value") for case in rule if isinstance(case, Mapping)]
        if isinstance(rule, list)
        else [rule]
    )
    return bool(cases) and all(isinstance(case, str) and _IN_CENTS.fullmatch(case.strip()) for case in cases)


def _led(every: Mapping[str, Described], rule: str) -> Kind | None:
    """The field of an earlier step that the expression names; None if it computes something."""
    try:
        node = expressions.parse(rule).node
    except expressions.ExpressionError:
        return None
    names = node.names if isinstance(node, Path) else ()
    return (
        every[names[1]].kinds.get(names[2])
        if len(names) == len(("steps", "id", "field")) and names[1] in every
        else None
    )


def outcomes_in_words(step: Step) -> dict[str, str]:
    """What each outcome of the step is called."""
    own = {"type": step.type, "config": step.config}
    kind = steps.get(step.type)
    known = kind.outcomes(kind.Config.model_validate(step.config))
    return {
        outcome: outcome_words.words(own, outcome)
        for outcome in dict.fromkeys((*step.next, *known, *outcome_words.labels(own)))
    }


def _of_step(step: StepView, choices: Mapping[str, str]) -> Described:
    kinds = {name: Kind(name, label_of(name), "enum", options=choices, widget="chosen") for name in CHOSEN}
    kinds |= {entry.name: kind(entry.field().to_json()) for entry in _definitions(step.config)}
    sentences = {entry.explained: entry.label for entry in _definitions(step.config)}
    kinds |= {
        name: Kind(name, f"{label}: why all the same", "long_text")
        for name, label in sentences.items()
        if name is not None
    }
    if options := getattr(step.config, "options", None):
        labels = {str(option.value): str(option.label) for option in options}
        kinds["option"] = Kind("option", "What was decided", "enum", options=labels)
        kinds.setdefault("maker", Kind("maker", "Who decided", "enum", options=MAKERS))
    if isinstance(step.config, RequestDocumentsConfig):
        papers = {entry.id: entry.label for entry in step.config.documents}
        kinds |= {
            name: Kind(name, label_of(name), "multi_enum", options=papers, widget="chosen")
            for name in ("received", "lacking")
        }
    kind_of_step = steps.get(step.type)
    if isinstance(kind_of_step, MessageStep):
        kinds |= {
            "status": Kind("status", "What came of it", "enum", options=outcome_words.SENT_WORDS),
            "reason": Kind("reason", "Why", "text"),
        }
    technical = set(kind_of_step.technical)
    if kind_of_step.choices(step.config) and hasattr(step.config, "offered"):
        titles = {name: each.title for name, each in effects.action_cache.every().items()}
        kinds["action"] = Kind("action", "What was done", "enum", options=titles, widget="chosen")
        technical.discard("action")
        for name, known in [*kinds.items()]:
            kinds |= dict.fromkeys(kind_of_step.form_names(step.config, frozenset({name})), known)
    given = list(_definitions(step.config))
    currencies = {
        entry.name: entry.currency for entry in given if entry.currency and not entry.fixed_currency
    }
    asked = frozenset(
        name
        for entry in given
        if not entry.readonly
        for name in (entry.name, entry.explained)
        if name is not None
    )
    return Described(
        kinds,
        frozenset(technical - {entry.name for entry in given}),
        currencies=currencies,
        outcomes=choices,
        asked=asked,
    )


def _definitions(config: Any) -> Iterator[FieldDefinition]:
    """The fields of a step's forms: its own, and those of the actions that it does."""
    for part in ("fields", "form", "output"):
        yield from (
            entry for entry in getattr(config, part, None) or () if isinstance(entry, FieldDefinition)
        )
    for offered in getattr(config, "offered", (config,)):
        if isinstance(action := getattr(offered, "action", None), str):
            with suppress(NotFound):
                yield from effects.action_cache.get(action).form
