"""Running the tests that are kept with a workflow: each is a dry run whose result is compared with the expected one."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest

from console import workflows
from console.core.actor import Actor
from console.core.documents.saved_tests import Expected, SavedTest
from console.core.documents.workflow import Workflow
from console.core.run.simulation import Simulated
from console.errors import ConsoleError, NotFound, SourceDown
from console.runs.trying.dry_runs import definition_of, dry_run
from console.runs.trying.workflow_trials import script_of
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
        return [" ".join([error.message, *reasons]) if reasons and reasons[0] not in error.message else error.message]
    return compared(definition.document, test.expect, found)


def compared(document: Workflow, expected: Expected, found: Simulated) -> list[str]:
    """What differs between a dry run and what is expected of it."""
    failures: list[str] = []
    question = found.question
    if question is not None and question.refused:
        reasons = "; ".join(f"{each.get('field')}: {each.get('reason')}" for each in question.errors)
        failures.append(f"“{question.title}” does not take the answer ({reasons or question.why}).")
    if expected.path is not None:
        failures += _path(document, expected.path, [each.step for each in found.path])
    if expected.outcome is not None and expected.outcome != found.outcome:
        where = f"it stops at “{question.title}”" if question is not None else f"it ends as {found.outcome or found.status}"
        failures.append(f"It should end as {expected.outcome}, and {where}.")
    if expected.status is not None and expected.status != found.status:
        should, would = (STANDS.get(status, f"be {status.replace('_', ' ')}") for status in (expected.status, found.status))
        failures.append(f"The run should {should}; here it would {would}.")
    if expected.effects is not None:
        failures += _effects({step.id: step.title for step in document.steps}, expected, found)
    return failures


def _path(document: Workflow, expected: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Where the path leaves the expected one: the first step that differs."""
    titles = {step.id: f"“{step.title}”" for step in document.steps}
    for number, (wanted, came) in enumerate(zip_longest(expected, taken)):
        if wanted != came:
            after = f"After {titles.get(taken[number - 1], taken[number - 1])} comes" if number else "It begins with"
            shown = titles.get(came, came) if came is not None else THE_END
            return [f"{after} {shown}, and {titles.get(wanted, wanted) if wanted is not None else THE_END} was expected."]
    return []


def _effects(titles: Mapping[str, str], expected: Expected, found: Simulated) -> list[str]:
    wanted = list(expected.effects or ())
    sent = [f"{titles.get(each.step, each.step)}: {each.summary}" for each in found.would_send]
    pairs = zip_longest(wanted, found.would_send)
    same = all(
        one is not None and other is not None and one.step == other.step and one.summary in (None, other.summary) for one, other in pairs
    )
    if same:
        return []
    named = [(titles.get(each.step, each.step), each.summary) for each in wanted]
    should = ", ".join(f"{title}: {summary}" if summary else title for title, summary in named) or "nothing"
    return [f"It should send {should}, and would send {', '.join(sent) or 'nothing'}."]
