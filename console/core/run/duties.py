"""Separation of duties: who did one step may not do another. Steps and approvals use the same rules.

A rule is `starter`, `requester` (of an approval), `step:<id>` for whoever did that step, `step:<id>.<field>` for whoever filled in that field there,
or a person by id or address. Whoever caused the run counts as its starter and as the requester. What a service account did counts as done by who made a
key of it, too.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from console.core.errors import NotAllowed
from console.core.run import Run

STARTER, REQUESTER, STEP, PERSON = "starter", "requester", "step:", "person:"
Behind: TypeAlias = Mapping[str, frozenset[str]]
"""Service account → the people behind it; under `CAUSED` the people who caused the run."""
NOBODY: Behind = {}
CAUSED = "caused"
OF_STEP = re.compile(r"step:([a-z][a-z0-9_]{0,63})(?:\.([a-z][a-z0-9_]{0,63}))?")
CODE = "separation_of_duties"


@dataclass(frozen=True, slots=True)
class DoneStep:
    """A completed step that was not revised: who did it, and what they filled in."""

    step: str
    by: str | None
    values: Mapping[str, Any] = field(default_factory=dict)


def standing_steps(run: Run) -> list[DoneStep]:
    """The completed steps of the loaded attempts that were not revised."""
    return [DoneStep(each.step, each.by, each.values) for each in run.attempts.values() if each.standing]


def violated_rule(
    rules: Sequence[str],
    done: Iterable[DoneStep],
    person: str,
    *,
    email: str = "",
    starter: str | None = None,
    requester: str | None = None,
    behind: Behind = NOBODY,
) -> str | None:
    """The first rule that excludes this person, as it is written; None if none does."""
    done_so_far = list(done)

    def did(who: str | None) -> bool:
        return who is not None and (who == person or person in behind.get(who, ()))

    for rule in rules:
        named = OF_STEP.fullmatch(rule)
        if named is not None:
            if any(
                each.step == named[1] and did(each.by) and _filled(each, named[2]) for each in done_so_far
            ):
                return rule
        elif rule in (STARTER, REQUESTER):
            if did(starter if rule == STARTER else requester) or person in behind.get(CAUSED, ()):
                return rule
        elif rule.removeprefix(PERSON) == person or (
            email and rule.removeprefix(PERSON).lower() == email.lower()
        ):
            return rule
    return None


def steps_of(rules: Iterable[str]) -> list[str]:
    """Ids of the steps that the rules name."""
    return sorted({named[1] for rule in rules if (named := OF_STEP.fullmatch(rule)) is not None})


def refusal_by_rule(
    rule: str, titles: Mapping[str, str], title: str, could: Sequence[str] = ()
) -> NotAllowed:
    """The error for a person whom a rule excludes from the step with this title. `could` are people who may do it."""
    named = OF_STEP.fullmatch(rule)
    did = "You began this run"
    if named is not None:
        named_step = f"“{titles.get(named[1], named[1])}”"
        did = (
            f"You did the step {named_step}"
            if named[2] is None
            else f"You filled in {named[2]} in the step {named_step}"
        )
    who = f" {_listed(could)} could." if could else ""
    words = f"{did}, so somebody else has to do “{title}” (rule “{rule}”).{who} Save the run, or hand it on."
    return NotAllowed(words, code=CODE, at=("rule", rule))


def _filled(done: DoneStep, name: str | None) -> bool:
    return name is None or done.values.get(name) not in (None, "", [])


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
