"""Moving live runs to another version: what is suggested, which cannot and why, what stays with the run, who may, what the log says."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console import log, runs, workflows
from console.activity import sequencing
from console.ai.proposals import ladder
from console.auth import access, accounts
from console.authoring import publication
from console.browse import saved_segments
from console.core import drafting
from console.core.actor import COMMAND_LINE
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.infra.db.engine import fetch, transaction
from console.operations import erasure, retention
from console.permissions import clearances
from tests import traces
from tests.authoring.publication.test_publishing_reviews import second_lead, titled, wants_second
from tests.company import Company
from tests.permissions.test_clearances import may_see

pytestmark = pytest.mark.lengthy

NOW = datetime.now(UTC)

CARE = "care-review"


def published(company: Company, *changes: dict[str, Any]) -> int:
    """The draft with these changes as a version."""
    revision = workflows.open_draft(company.mona, CARE).revision
    workflows.edit(company.mona, CARE, revision, drafting.read_changes(list(changes)))
    return int(workflows.publish_draft(company.mona, CARE, note="Next").live_version or 0)


def moved_events(run_id: str) -> list[dict[str, Any]]:
    found = fetch(
        "select convert_from(body, 'UTF8')::jsonb from console.event where run = %s order by run_seq",
        (run_id,),
    )
    return [row[0]["data"]["open"] for row in found if row[0]["type"] == "run_version_moved"]


LATER = {"op": "set", "step": "decide", "field": "title", "value": "Decide now"}
GONE = {"op": "remove_step", "step": "read", "heal": True}


def test_a_run_goes_on_at_the_same_step_with_its_values_and_draft(company: Company) -> None:
    run_id = company.at("rate")
    runs.draft(company.olivia, run_id, step="rate", revision=None, values={"risk": "high"})
    published(company, LATER)
    plan = publication.plan_move(company.mona, CARE, 1, 2)
    assert [(each.step, each.runs, each.movable, each.target, each.fits) for each in plan.steps] == [
        ("rate", 1, 1, "rate", True)
    ]
    before = company.told(run_id)["context"]
    move = publication.move_runs(company.mona, CARE, 1, 2, steps={}, reason="The title was wrong")
    assert (move.status, move.total, move.moved, dict(move.refused)) == ("done", 1, 1, {})
    told = company.told(run_id)
    assert (told["version"], told["current"]["step"], told["context"]) == (2, "rate", before)
    assert fetch("select count(*) from console.draft where run = %s", (run_id,))[0][0] == 1
    [event] = moved_events(run_id)
    assert (event["former_version"], event["version"], event["former_step"], event["target_step"]) == (
        1,
        2,
        "rate",
        "rate",
    )
    company.answer(run_id)
    assert company.told(run_id)["current"]["title"] == "Decide now"
    assert list(runs.rebuild(check=True)) == []
    with pytest.raises(Conflict):
        publication.move_runs(company.mona, CARE, 1, 2, steps={}, reason="Again")


def test_a_step_that_is_gone_needs_a_target(company: Company) -> None:
    run_id = company.started("1")
    runs.save(company.olivia, company.started("2"), revision=None)
    published(company, GONE)
    plan = publication.plan_move(company.mona, CARE, 1, 2)
    assert [(each.step, each.runs, each.target) for each in plan.steps] == [("read", 2, None)]
    assert (plan.movable, list(plan.stuck)) == (
        [],
        ["“Read this” is not in that version: choose where its runs go on."],
    )
    with pytest.raises(Conflict, match="Choose first where the runs at “Read this” go on"):
        publication.move_runs(company.mona, CARE, 1, 2, steps={}, reason="Gone")
    for wrong in ({"read": "nowhere"}, {"read": "start"}, {"nothing": "note"}):
        with pytest.raises(Invalid):
            publication.plan_move(company.mona, CARE, 1, 2, wrong)
    move = publication.move_runs(
        company.mona, CARE, 1, 2, steps={"read": "note"}, reason="Gone", chosen=[run_id]
    )
    assert (move.moved, move.total) == (1, 1)
    told = company.told(run_id)
    assert (told["version"], told["current"]["step"]) == (2, "note")
    runs.replay(company.olivia, run_id)
    rest = publication.move_runs(company.mona, CARE, 1, 2, steps={"read": "note"}, reason="Gone")
    assert rest.moved == 1
    assert fetch("select status from console.run where record = '2'") == [("saved",)]
    company.answer(run_id)
    assert list(runs.rebuild(check=True)) == []


def test_a_run_that_has_been_through_what_changed_stays(company: Company) -> None:
    run_id = company.at("note")
    published(company, {"op": "set", "step": "load", "field": "config.fields", "value": ["display_name"]})
    plan = publication.plan_move(company.mona, CARE, 1, 2)
    assert list(plan.stuck) == [
        "It has been through “Load the customer”, which is not there in that version, or leaves other values."
    ]
    with pytest.raises(Conflict, match="Load the customer"):
        runs.move_run(company.mona, run_id, version=2, steps={}, reason="No")
    assert company.told(run_id)["version"] == 1


def test_only_who_may_publish_moves_runs_and_a_reason_is_needed(company: Company) -> None:
    run_id = company.started("1")
    published(company, LATER)
    for name, error in (("olivia", NotAllowed), ("rosa", NotAllowed), ("stan", NotFound)):
        with pytest.raises(error):
            publication.plan_move(company.people[name], CARE, 1, 2)
        with pytest.raises(error):
            runs.move_run(company.people[name], run_id, version=2, steps={}, reason="x")
    with pytest.raises(Invalid):
        publication.move_runs(company.mona, CARE, 1, 2, steps={}, reason=" ")
    with pytest.raises(Invalid):
        publication.plan_move(company.mona, CARE, 1, 1)


def test_many_are_moved_in_the_background(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publication.run_moves, "AT_ONCE", 1)
    for record in ("1", "2", "4"):
        company.started(record)
    published(company, LATER)
    move = publication.move_runs(company.mona, CARE, 1, 2, steps={}, reason="All of them")
    assert (move.status, move.done) == ("running", 0)
    company.work()
    move = publication.move_of(company.mona, CARE, move.id)
    assert (move.status, move.moved, move.done) == ("done", 3, 3)
    retention.expire(log.now() + timedelta(days=89))
    assert publication.move_of(company.mona, CARE, move.id).done == 3
    retention.expire(log.now() + timedelta(days=91))
    with pytest.raises(NotFound):
        publication.move_of(company.mona, CARE, move.id)


def test_what_is_left_of_a_move_is_refused_once_the_account_of_who_asked_is_closed(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publication.run_moves, "AT_ONCE", 0)
    run_id = company.started("1")
    published(company, LATER)
    publication.move_runs(company.mona, CARE, 1, 2, steps={}, reason="All of them")
    accounts.disable_person(company.mona.id)
    company.work()
    [(status, done, moved, refused)] = fetch("select status, done, moved, refused from console.run_move")
    assert (status, done, moved, list(refused)) == ("done", 1, 0, [run_id])


def test_a_move_tells_nothing_of_runs_that_its_reader_is_not_cleared_for(company: Company) -> None:
    """The mover was cleared when they moved them: what stands in the row is judged anew for each reader."""
    labelled = '{"clearance": {"label": "blue", "when": "record.desk == \\"corporate\\""}}'
    fetch(
        "update console.collection set document = document || %s::jsonb where id = 'customer' returning id",
        (labelled,),
    )
    may_see((company.mona, {"blue"}))
    closed_run, _ = company.started("3", "mona"), company.started("1", "mona")
    published(company, LATER)
    both = publication.move_runs(company.mona, CARE, 1, 2, steps={}, reason="Both")
    assert (both.total, both.moved) == (2, 2)
    fetch(
        "update console.run_move set refused = jsonb_build_object(%s::text, 'No.') where id = %s returning id",
        (closed_run, both.id),
    )
    may_see()
    told = publication.move_of(company.mona, CARE, both.id)
    assert (told.total, told.done, told.moved, told.refused) == (1, 1, 1, {})
    fetch("update console.run_move set runs = array[%s] where id = %s returning id", (closed_run, both.id))
    with pytest.raises(NotFound):
        publication.move_of(company.mona, CARE, both.id)


MARK = "zqcolleague"


def marked() -> list[str]:
    with transaction() as connection:
        return traces.in_tables(connection, MARK)


def test_what_somebody_wrote_about_publishing_and_holding_goes_with_them(company: Company) -> None:
    wants_second(company)
    tom, words = second_lead(company), f"{MARK} wants it"
    for title, asker, decider in (("Once", company.mona, tom), ("Twice", tom, company.mona)):
        titled(asker, title)
        publication.approve(decider, publication.ask_for_review(asker, CARE, note=words).id, reason=words)
    workflows.change(company.mona, CARE, status="paused", reason=words)
    erasure.hold(company.ines, "customer", "2", words)
    access.grant("keeper", "label:amber", ["see"])
    clearances.ask(company.ines, "amber", company.mona.email, NOW, NOW + timedelta(days=1), words)
    ladder.settle(
        tom,
        next(each.id for each in workflows.all_known() if each.slug == CARE),
        "note",
        "shadow",
        words,
        "",
        {},
    )
    fetch(
        "insert into console.ai_setting (version, at, by, note, document) values (1, now(), %s, %s, '{}') returning version",
        (tom.id, words),
    )
    with transaction() as connection:
        access.policy_store.write(connection, by=tom.id, note=words)
    saved_segments.save(tom, "customer", MARK, f"user:{tom.id}", {"q": "Okonkwo"})
    sequencing.catch_up()
    there = {
        "console.ai_ladder: why",
        "console.ai_setting: note",
        "console.policy_version: note",
        "console.saved_segment: label",
        "console.workflow_review: note",
        "console.workflow_review: reason",
        "console.version_note: note",
        "console.workflow: status_reason",
    }
    assert set(marked()) == there | {"console.clearance: reason", "console.hold: reason"}
    assert {version.note for version in workflows.versions_of(company.ines, CARE)[0]} == {words, ""}
    for who in (company.mona, tom):
        erasure.erase(company.ines, "person", who.id, "They left.")
    assert {version.note for version in workflows.versions_of(company.ines, CARE)[0]} == {""}
    assert marked() == ["console.hold: reason"], "of whoever erased them"
    erasure.erase(COMMAND_LINE, "person", company.ines.id, "They left.")
    assert marked() == []
