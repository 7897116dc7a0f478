"""Running the tests that are kept with a workflow: each is a dry run whose result is compared with the expected one."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from console import workflows
from console.core.actor import Actor
from console.core.documents.saved_tests import WITHIN, Expected, SavedTest
from console.core.documents.workflow import Workflow
from console.core.errors import ConsoleError, NotFound, SourceDown
from console.core.plain_words import humanised
from console.core.run.simulation import Simulated
from console.runs.simulation.dry_runs import definition_of, dry_run
from console.runs.simulation.workflow_trials import script_of
from console.workflows import Definition, ResultOfTest

THE_END = "the end of the test"
STANDS = {
    "completed": "come to its end",
    "failed": "fail",
    "running": "be under way",
    "waiting_person": "wait for a person",
    "waiting_time": "wait for a time",
    "waiting_event": "wait for an event",
}
GONE = "Its record is not there any more, or you may not see it: remove the test, and keep it again with another record."


@workflows.run_tests_by
def results_of_tests(actor: Actor, slug: str, ident: str, document: Workflow) -> list[ResultOfTest]:
    """The results of all tests of the document, in their order, with the actor's rights. Raises SourceDown: then nothing can be told."""
    definition = definition_of(slug, ident, document)
    return [ResultOfTest(test.name, tuple(differences(actor, definition, test))) for test in document.tests]


def differences(actor: Actor, definition: Definition, test: SavedTest) -> list[str]:
    """What is not as the test expects, in sentences; none: it holds. Raises SourceDown."""
    try:
        script = script_of(definition.document, test.model_dump()["answers"], test.model_dump()["effects"])
        found = dry_run(actor, definition, test.record, test.input or {}, script)
    except SourceDown:
        raise
    except NotFound as error:
        return [GONE if test.record is not None else error.message]
    except ConsoleError as error:
        reasons = [f"{detail.get('field')}: {detail.get('reason')}" for detail in error.details]
        return [
            " ".join([error.message, *reasons])
            if reasons and reasons[0] not in error.message
            else error.message
        ]
    return compared(definition.document, test.expect, found)


def compared(document: Workflow, expected: Expected, found: Simulated) -> list[str]:
    """What differs between a dry run and what is expected of it."""
    failures: list[str] = []
    question = found.question
    if question is not None and question.refused:
        asked = {str(each.get("name")): each for each in question.fields}
        reasons = "; ".join(
            _refused(asked.get(str(each.get("field")), {}), str(each.get("reason")))
            for each in question.errors
        )
        failures.append(f"“{question.title}” does not take the answer ({reasons or question.why}).")
    titles = {step.id: step.title for step in document.steps} | {each.step: each.title for each in found.path}
    if expected.path is not None:
        failures += _path(titles, expected.path, [each.step for each in found.path])
    if expected.outcome is not None and expected.outcome != found.outcome:
        where = f"it stops at “{question.title}”" if question is not None else f"it ends as {found.outcome}"
        failures.append(
            f"It should end as {expected.outcome}, and {where if question or found.outcome else _would(found.status)}."
        )
    if expected.status is not None and expected.status != found.status:
        failures.append(f"The run should {_stands(expected.status)}; here {_would(found.status)}.")
    if expected.effects is not None:
        failures += _effects(titles, expected, found)
    return failures


def _refused(field: Mapping[str, Any], reason: str) -> str:
    """The reason with the label of the field that it is about, and with the labels of what may be chosen there."""
    said, listed, values = reason.rstrip(".").partition("choose one of ")
    options = field.get("options")
    labels = {
        str(each["value"]): f"“{each.get('label') or each['value']}”"
        for each in (options if isinstance(options, list) else ())
    }
    offered = ", ".join(labels.get(each, each) for each in values.split(", "))
    label = str(field.get("label") or field.get("name") or "")
    return (
        f"{label}: {said}{listed}{offered}"
        if label and not said.startswith((label, f"“{label}”"))
        else f"{said}{listed}{offered}"
    )


def _stands(status: str) -> str:
    return STANDS.get(status, f"be {status.replace('_', ' ')}")


def _would(status: str) -> str:
    return f"it would {_stands(status)}"


def _named(titles: Mapping[str, str], step: str) -> str:
    """The step by its title; one of another workflow behind the step that runs it."""
    above, _, below = step.rpartition(WITHIN)
    title = titles.get(step) or humanised(below)
    return f"“{title}”" + (f" of {_named(titles, above)}" if above else "")


def _path(titles: Mapping[str, str], expected: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Where the path leaves the expected one: the first step that differs."""
    for number, (wanted, came) in enumerate(zip_longest(expected, taken)):
        if wanted != came:
            after = f"After {_named(titles, taken[number - 1])} comes" if number else "It begins with"
            shown, other = (_named(titles, each) if each is not None else THE_END for each in (came, wanted))
            return [f"{after} {shown}, and {other} was expected."]
    return []


def _effects(titles: Mapping[str, str], expected: Expected, found: Simulated) -> list[str]:
    wanted = list(expected.effects or ())
    sent = [f"{_named(titles, each.step)}: {each.summary}" for each in found.would_send]
    pairs = zip_longest(wanted, found.would_send)
    same = all(
        one is not None
        and other is not None
        and one.step == other.step
        and one.summary in (None, other.summary)
        for one, other in pairs
    )
    if same:
        return []
    named = [(_named(titles, each.step), each.summary) for each in wanted]
    should = ", ".join(f"{title}: {summary}" if summary else title for title, summary in named) or "nothing"
    return [f"It should send {should}, and would send {', '.join(sent) or 'nothing'}."]
