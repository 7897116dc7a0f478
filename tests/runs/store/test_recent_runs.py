"""A step goes on from the run as this process left it; whatever others did meanwhile counts all the same."""

from collections import OrderedDict
from collections.abc import Callable
from decimal import Decimal

import pytest

from console import log, runs, workflows
from console.auth import access
from console.core.errors import Conflict, ConsoleError, NotAllowed, NotFound
from console.core.run import commands, decisions, fold
from console.runs.commands import run_rights
from console.runs.commands.transitions import end_for_erasure
from console.runs.engine.stepping import plan_of
from console.runs.store import recent_runs
from console.runs.store.run_events import as_event
from console.runs.store.run_store import load, write
from tests.company import Company


def at_note(company: Company) -> tuple[str, int]:
    """A run of Olivia's that this process has just brought to a form, and its revision."""
    run_id = company.at("note")
    return run_id, company.told(run_id)["revision"]


def hand_in(company: Company, run_id: str, revision: int | None) -> None:
    runs.complete(
        company.olivia,
        run_id,
        runs.Submission(step="note", revision=revision, values={"note": "Looked at it."}),
    )


def elsewhere(run_id: str, act: Callable[[], object]) -> None:
    """What another process does: this one remembers the run as it was before."""
    remembered = recent_runs._recent[run_id]
    act()
    recent_runs._recent[run_id] = remembered


def agrees(run_id: str) -> None:
    loaded = load(run_id, whole=True)
    assert loaded is not None
    state = fold([as_event(event) for event in log.events_of(run_id)])
    run = loaded.run
    assert (state.status, state.revision, state.seq, state.current) == (
        run.status,
        run.revision,
        run.seq,
        run.current,
    )


def test_what_was_just_written_is_not_read_again(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id, revision = at_note(company)
    monkeypatch.setattr(run_rights, "load_begun", lambda *_, **__: pytest.fail("it was read"))
    hand_in(company, run_id, revision)
    monkeypatch.undo()
    assert company.told(run_id)["current"]["step"] == "rate"
    agrees(run_id)


@pytest.mark.parametrize("look", ["complete", "complete_and_look"])
def test_a_look_from_elsewhere_costs_a_second_try_and_nothing_else(company: Company, look: str) -> None:
    run_id, revision = at_note(company)
    elsewhere(run_id, lambda: runs.get(company.mona, run_id))
    getattr(runs, look)(
        company.olivia,
        run_id,
        runs.Submission(step="note", revision=revision, values={"note": "Looked at it."}),
    )
    assert [event.type for event in log.events_of(run_id)].count("step_completed") == 4
    agrees(run_id)


def test_a_run_is_gone_on_from_as_the_log_tells_it_and_not_as_values_were_computed(company: Company) -> None:
    run_id, revision = at_note(company)
    before = load(run_id, whole=True)
    assert before is not None
    definition = workflows.version(before.run.workflow, before.run.version)
    computed = {"note": Decimal("1.10"), "count": 2**60}
    command = commands.Complete(company.olivia.id, "note", revision, "default", computed)
    written = write(
        company.olivia,
        definition,
        before,
        decisions.decide(plan_of(definition), before.run, command, log.now()),
    )
    stored = load(run_id, whole=True)
    assert stored is not None
    assert written.run.context == stored.run.context
    assert written.run.context["note"] == {"note": "1.10", "count": str(2**60)}


def test_what_was_handed_in_elsewhere_is_gone_on_from(company: Company) -> None:
    run_id, revision = at_note(company)
    elsewhere(run_id, lambda: hand_in(company, run_id, revision))
    with pytest.raises(Conflict) as told:
        hand_in(company, run_id, revision)
    assert told.value.code == "stale_revision"
    company.answer(run_id)
    agrees(run_id)


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda company, run_id: runs.take_over(company.mona, run_id, revision=None), "not_holder"),
        (
            lambda company, run_id: runs.cancel(company.mona, run_id, revision=None, reason="Twice."),
            "not_possible",
        ),
        (lambda company, run_id: runs.save(company.olivia, run_id, revision=None), "not_holder"),
        (lambda _, run_id: end_for_erasure(run_id), "not_possible"),
    ],
)
def test_what_others_did_elsewhere_refuses_as_ever(
    company: Company, act: Callable[[Company, str], object], code: str
) -> None:
    run_id, _ = at_note(company)
    elsewhere(run_id, lambda: act(company, run_id))
    before = load(run_id, whole=True)
    with pytest.raises(ConsoleError) as told:
        hand_in(company, run_id, None)
    assert told.value.code == code
    assert load(run_id, whole=True) == before


def test_rights_are_judged_anew(company: Company) -> None:
    run_id, revision = at_note(company)
    access.assign(company.olivia.id, [])
    with pytest.raises((NotAllowed, NotFound)):
        hand_in(company, run_id, revision)
    agrees(run_id)


def test_a_form_of_another_revision_has_the_run_read_again(company: Company) -> None:
    run_id, revision = at_note(company)
    assert recent_runs.recent_run(run_id, revision, shown=False) is not None
    assert recent_runs.recent_run(run_id, revision + 1, shown=False) is None, (
        "another process went on with it"
    )
    assert recent_runs.recent_run(run_id, revision - 1, shown=False) is None, "the form is an old one"


def test_only_so_many_live_runs_are_held_and_not_for_long(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent_runs, "MAX_RUNS", 2)
    monkeypatch.setattr(recent_runs, "_recent", OrderedDict())
    run_ids = [company.started(key) for key in ("1", "2", "3")]
    assert list(recent_runs._recent) == run_ids[1:]
    runs.cancel(company.mona, run_ids[2], revision=None, reason="Twice.")
    assert run_ids[2] not in recent_runs._recent, "a run that has ended is not held"
    assert recent_runs.recent_run(run_ids[1], None, shown=False) is not None
    monkeypatch.setattr(recent_runs, "MAX_AGE_S", 0.0)
    assert recent_runs.recent_run(run_ids[1], None, shown=False) is None
