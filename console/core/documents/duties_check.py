"""Errors in rules that separate duties: missing or later steps, and combinations that nobody could do."""

from collections.abc import Mapping, Sequence
from typing import Any

from console.core.documents.references import suggestion
from console.core.documents.workflow_sketch import Problem, Sketch
from console.core.run.duties import OF_STEP, STARTER

WORK = ("start", "resume")


def problems(
    sketches: Sequence[Sketch], raw: Mapping[str, Any], before: Mapping[str, Any], rights: Any | None
) -> list[Problem]:
    """All errors in `not_by` of steps. `before`: step → steps on some path to it; `rights`: who has which role, None: not checked."""
    by_id = {sketch.id: sketch for sketch in sketches}
    problems_found = []
    for sketch, rules in _ruled(sketches, raw):
        for place, rule in enumerate(rules):
            reason, severity = _rule_error(rule, sketch, by_id, before)
            if reason:
                problems_found.append(Problem(sketch.id, f"not_by[{place}]", reason, severity))  # type: ignore[arg-type]
        if rights is not None and (alone := _nobody(sketch, rules, by_id, raw, rights)):
            problems_found.append(Problem(sketch.id, "not_by", alone, "warning"))
    return problems_found


def _ruled(sketches: Sequence[Sketch], raw: Mapping[str, Any]) -> list[tuple[Sketch, list[str]]]:
    """The steps with rules, and their rules that are texts."""
    written = raw.get("steps")
    steps = written if isinstance(written, list) else []
    with_rules = [
        (sketch, steps[sketch.place].get("not_by"))
        for sketch in sketches
        if sketch.place < len(steps) and isinstance(steps[sketch.place], dict)
    ]
    return [
        (sketch, [rule for rule in rules if isinstance(rule, str)])
        for sketch, rules in with_rules
        if isinstance(rules, list)
    ]


def _rule_error(
    rule: str, own_step: Sketch, by_id: Mapping[str, Sketch], before: Mapping[str, Any]
) -> tuple[str, str]:
    """(error, severity) of one rule; nothing if it is sound."""
    if rule == STARTER:
        return "", ""
    named = OF_STEP.fullmatch(rule)
    if named is None:
        return f"A rule is starter, step:<id> or step:<id>.<field>, not {rule[:80]}.", "error"
    step, name = named.groups()
    if step not in by_id:
        return f"There is no step {step}{suggestion(step, by_id)}", "error"
    if step == own_step.id:
        return "A step cannot be kept from who did it: nobody could do it twice.", "error"
    if step not in before.get(own_step.id, ()):
        return f"No way leads from {step} to this step: the rule keeps nobody from it.", "warning"
    outputs = by_id[step].outputs
    if name is not None and outputs is not None and name not in outputs:
        return f"The step {step} asks for no {name}{suggestion(name, sorted(outputs))}", "error"
    return "", ""


def _nobody(
    step: Sketch, rules: Sequence[str], by_id: Mapping[str, Sketch], raw: Mapping[str, Any], rights: Any
) -> str | None:
    """Why nobody could do the step after the steps named in its rules; None if somebody could, or there are no people."""
    doers = people_for(step, raw, rights)
    kept_from: dict[str, str] = {}
    for rule in rules:
        named = OF_STEP.fullmatch(rule)
        other = (
            by_id.get(named[1])
            if named is not None
            else next((sketch for sketch in by_id.values() if sketch.type == "start"), None)
        )
        alone = people_for(other, raw, rights) if other is not None else frozenset()
        if len(alone) == 1:
            kept_from[next(iter(alone))] = rule
    if not doers or doers - kept_from.keys():
        return None
    rule = kept_from[min(doers)]
    return f"Nobody could ever do it: whoever may do this step is the only one who may do what the rule {rule} names. Give another person the role."


def people_for(sketch: Sketch, raw: Mapping[str, Any], rights: Any) -> frozenset[str]:
    """People with a role for the step."""
    team, obj = raw.get("team"), f"workflow:{raw.get('slug')}"
    named = {name for _, name in sketch.roles}
    acts = ("start",) if sketch.type == "start" else WORK
    workers = [role for role in sorted(rights.roles) if any(rights.may(role, team, obj, act) for act in acts)]
    able = [role for role in workers if not named or rights.held(role, team) & named]
    return frozenset().union(*(rights.people(role, team) for role in able))
