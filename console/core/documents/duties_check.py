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
    for sketch in sketches:
        given = sketch.raw.get("not_by")
        rules = [rule for rule in given if isinstance(rule, str)] if isinstance(given, list) else []
        for place, rule in enumerate(rules):
            reason, severity = _rule_error(rule, sketch, by_id, before)
            if reason:
                problems_found.append(Problem(sketch.id, f"not_by[{place}]", reason, severity))  # type: ignore[arg-type]
        if rights is not None and (alone := _nobody(sketch, rules, sketches, raw, rights)):
            problems_found.append(Problem(sketch.id, "not_by", alone, "warning"))
    return problems_found


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
    step: Sketch, rules: Sequence[str], sketches: Sequence[Sketch], raw: Mapping[str, Any], rights: Any
) -> str | None:
    """Why nobody could do the step after the steps named in its rules; None if somebody could, or there are no people."""
    doers, ruled_out = people_for(step, raw, rights), kept_from(rules, sketches, raw, rights)
    if not doers or doers - ruled_out.keys():
        return None
    rule = ruled_out[min(doers)]
    return f"Nobody could ever do it: whoever may do this step is the only one who may do what the rule {rule} names. Give another person the role."


def kept_from(
    rules: Sequence[str],
    sketches: Sequence[Sketch],
    raw: Mapping[str, Any],
    rights: Any,
    people: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Person → the rule that rules them out in every run: of `people` (None: of all) they alone can do the step that it names."""
    found: dict[str, str] = {}
    for rule in rules:
        named = OF_STEP.fullmatch(rule)
        step = next(
            (
                each
                for each in sketches
                if (each.id == named[1] if named is not None else rule == STARTER and each.type == "start")
            ),
            None,
        )
        able = people_for(step, raw, rights) if step is not None else frozenset()
        alone = able if people is None else able & people.keys()
        if len(alone) == 1:
            found[next(iter(alone))] = rule
    return found


def people_for(sketch: Sketch, raw: Mapping[str, Any], rights: Any) -> frozenset[str]:
    """People with a role for the step."""
    team, obj = raw.get("team"), f"workflow:{raw.get('slug')}"
    named = {name for _, name in sketch.roles}
    acts = ("start",) if sketch.type == "start" else WORK
    workers = [role for role in sorted(rights.roles) if any(rights.may(role, team, obj, act) for act in acts)]
    able = [role for role in workers if not named or rights.held(role, team) & named]
    return frozenset().union(*(rights.people(role, team) for role in able))
