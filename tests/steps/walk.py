"""Steps as a service would call them, without one: settings parsed, values handed in, the way on followed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from console import steps
from console.core.documents.workflow import Step, Workflow
from console.core.forms import FormField
from console.core.policy import rules
from console.steps.base import Completion, Context, Prompt, Rows, StepView, WriteRecord

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
OLIVIA = {
    "id": "usr_olivia",
    "email": "olivia@fernwick.example",
    "name": "Olivia",
    "teams": ["operations"],
    "roles": ["operator"],
    "tags": {"desks": ["retail"]},
}


def view(
    type: str,
    config: dict[str, Any],
    *,
    id: str = "here",
    next: tuple[str, ...] = ("default",),
    button: str | None = None,
) -> StepView:
    kind = steps.get(type)
    return StepView(id, type, "Here", kind.Config.model_validate(config), next, button)


def context(
    reads: Mapping[str, Rows] | None = None,
    forms: Mapping[str, FormField] | None = None,
    former: dict[str, Any] | None = None,
    shown: dict[str, Any] | None = None,
    **roots: Any,
) -> Context:
    full = {
        "record": {},
        "input": {},
        "steps": {},
        "variables": {},
        "run": {"id": "run_1"},
        "currentUser": OLIVIA,
        "now": NOW,
    } | roots
    return Context(full, reads or {}, forms or {}, former or {}, shown)


def rows(*values: dict[str, Any], denied: tuple[str, ...] = (), label: str = "Rows") -> Rows:
    names = list(dict.fromkeys(name for entry in values for name in entry))
    return Rows(
        "rows",
        label,
        [{"name": name, "label": name.title()} for name in names],
        [{"key": str(n), "title": "", "values": v} for n, v in enumerate(values)],
        denied,
    )


def prepare(type: str, config: dict[str, Any], made: Context, **more: Any) -> Prompt:
    return steps.get(type).prepare(view(type, config, **more), made)


def complete(
    type: str,
    config: dict[str, Any],
    made: Context,
    submitted: dict[str, Any] | None = None,
    outcome: str | None = None,
    **more: Any,
) -> Completion:
    return steps.get(type).complete(view(type, config, **more), made, submitted or {}, outcome)


@dataclass
class Walk:
    """One pass of a document with a record in memory: `answer` names what is typed where it is not what the form starts with."""

    document: Workflow
    record: dict[str, Any]
    related: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    user: dict[str, Any] = field(default_factory=lambda: OLIVIA)
    context: dict[str, Any] = field(default_factory=dict)
    way: list[str] = field(default_factory=list)
    prompts: dict[str, Prompt] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    ended: str | None = None
    began: datetime = NOW

    def to_the_end(self, answers: dict[str, Any], *, most: int = 200) -> "Walk":
        """Walk on; an answer is `{step: (values, outcome)}`, or a list of them for one visit after another."""
        step: Step | None = self.document.start
        while step is not None and len(self.way) < most:
            self.way.append(step.id)
            given = answers.get(step.id, ({}, None))
            values, outcome = given.pop(0) if isinstance(given, list) else given
            done = self._take(step, dict(values), outcome)
            self.ended = done.ends
            target = self.document.target(step.id, done.outcome)
            step = self.document.step(target) if target and done.ends is None else None
        return self

    def _take(self, step: Step, values: dict[str, Any], outcome: str | None) -> Completion:
        kind, seen = steps.get(step.type), steps.view(step)
        roots = {
            "record": self.record,
            "input": self.context.get(self.document.start.id, {}),
            "steps": self.context,
            **rules(self.document, self.began).roots,
            "currentUser": self.user,
            "now": NOW,
            "run": {},
        }
        forms = {
            name: FormField(
                name,
                name,
                self.types.get(name, "text"),
                value=self.record.get(name),
                now=self.record.get(name),
            )
            for name in kind.edits(seen)
        }
        reads = {read.name: self._rows(read.relation, read.fields, read.limit) for read in kind.reads(seen)}
        made = Context(roots, reads, forms)
        prompt = self.prompts[step.id] = kind.prepare(seen, made)
        options = [option.value for option in prompt.outcomes]
        done = kind.complete(seen, made, values, outcome or (options[0] if options else None))
        for effect in done.effects:
            assert isinstance(effect, WriteRecord)
            for name, change in effect.changes.items():
                assert self.record.get(name) == change["old"]
                self.record[name] = change["new"]
                self.writes.append(name)
        self.context[step.id] = done.values if done.output is None else done.output
        return done

    def _rows(self, relation: str | None, names: tuple[str, ...], limit: int) -> Rows:
        found = [self.record] if relation is None else self.related.get(relation, [])[:limit]
        return rows(*({name: entry.get(name) for name in names} for entry in found))
