"""One call for who audits: what was proposed beside what was handed in, the words for as long as they are there, and nothing for who may not know of the run."""

import pytest

from console import runs
from console.ai.proposals import audit, feedback, prompts
from console.auth import access
from console.auth.access import policy_store
from console.auth.access.rows import Row
from console.core.errors import NotAllowed, NotFound
from console.infra.db.engine import fetch, transaction
from console.log import events_of
from console.operations import erasure
from tests.ai.proposals.conftest import House

pytestmark = pytest.mark.lengthy

ANSWER = "clean"


def judged(house: House, **values: object) -> tuple[str, str]:
    """(run, call) of a step that was handed in with these values."""
    run_id = house.at_judge(verdict=ANSWER)
    proposal = house.proposed(run_id)
    told = house.company.told(run_id)
    runs.complete(
        house.company.olivia,
        run_id,
        runs.Submission(step="judge", revision=told["revision"], values=dict(values)),
    )
    return run_id, proposal["call"]


def test_what_was_proposed_stands_beside_what_was_handed_in(house: House) -> None:
    run_id, call = judged(house, verdict="clean", display_name="Somebody else")
    found = audit.call(house.company.ada, call)
    assert (found.call.run, found.workflow, found.slug, found.step, found.words, found.reads) == (
        run_id,
        "Triage",
        "triage",
        "Judge",
        "kept",
        True,
    )
    rows = {row.name: row for row in found.fields}
    assert (rows["verdict"].label, rows["verdict"].proposed, rows["verdict"].submitted) == (
        "Verdict",
        "clean",
        "clean",
    )
    assert rows["verdict"].reason
    assert rows["verdict"].sources
    assert rows["display_name"].submitted == "Somebody else"
    assert rows["display_name"].proposed == "Adaeze Okonkwo-Bell"


def test_the_words_are_an_event_and_go_with_their_time(house: House) -> None:
    _, call = judged(house, verdict="clean")
    _, told, state = audit.words(house.company.ada, call)
    assert told is not None
    assert state == "kept"
    assert "<source" in told["user"]
    looked = [event for event in events_of(house.company.ada.session) if event.type == "ai_call_read"]
    assert [event.body["data"]["open"]["call"] for event in looked] == [call]
    fetch("delete from console.ai_prompt returning 1")
    assert audit.call(house.company.ada, call).words == "gone"
    fetch("update console.ai_call set at = at - interval '40 days' returning 1")
    assert audit.call(house.company.ada, call).words == "expired"
    assert audit.words(house.company.ada, call)[1:] == (None, "expired")


def test_of_a_person_who_was_erased_nothing_is_read(house: House) -> None:
    run_id, call = judged(house, verdict="clean")
    feedback.give(house.company.olivia, run_id, call, "up", "Nice")
    erasure.erase(house.company.ines, "customer", "1", "They asked for it")
    assert prompts.read(call) is None
    found = audit.call(house.company.ada, call)
    assert found.words == "gone"
    assert all(row.proposed is None and row.submitted is None for row in found.fields)
    assert not [one.comment for one in found.feedback if one.comment]


@pytest.mark.parametrize("who", ["stan", "olivia", "mona", "rosa", "ines"])
def test_only_who_audits_may(who: str, house: House) -> None:
    _, call = judged(house, verdict="clean")
    for attempt in (audit.call, audit.words):
        with pytest.raises(NotAllowed):
            attempt(house.company.people[who], call)


def test_a_run_that_one_may_not_know_of_has_no_calls(house: House) -> None:
    _, call = judged(house, verdict="clean")
    fetch("update console.ai_call set label = 'confidential' returning 1")
    for name in (call, "aic_unheard", "a\x00b"):
        with pytest.raises(NotFound):
            audit.call(house.company.ada, name)
        with pytest.raises(NotFound):
            audit.words(house.company.ada, name)


def test_without_the_run_no_values(house: House) -> None:
    _, call = judged(house, verdict="clean")
    with transaction() as connection:
        policy_store.write(
            connection, added=[Row("p", f"user:{house.company.ada.id}", "*", "workflow:*", "see", "deny")]
        )
    access.refresh()
    found = audit.call(house.company.ada, call)
    assert not found.reads
    assert {(row.proposed, row.submitted, row.reason) for row in found.fields} == {(None, None, None)}


def test_a_thumb_is_kept_and_said_again(house: House) -> None:
    run_id, call = judged(house, verdict="clean")
    olivia = house.company.olivia
    assert feedback.thumb_of(olivia, call) is None
    feedback.give(olivia, run_id, call, "down", "  It missed the name  ")
    feedback.give(olivia, run_id, call, "up")
    assert feedback.thumb_of(olivia, call) == "up"
    assert [(one.thumb, one.comment) for one in feedback.opinions_of(call)] == [("up", None)]
    told = [event for event in events_of(olivia.session) if event.type == "ai_feedback"]
    assert [(event.body["data"]["open"]["thumb"], event.sealed.get("comment")) for event in told] == [
        ("down", "It missed the name"),
        ("up", None),
    ]


def test_nobody_speaks_of_proposals_of_others(house: House) -> None:
    run_id, call = judged(house, verdict="clean")
    other = house.at_judge("2")
    for who, run, which in (
        ("stan", run_id, call),
        ("tom", run_id, call),
        ("olivia", other, call),
        ("olivia", run_id, "aic_unheard"),
        ("olivia", run_id, "\x00"),
    ):
        with pytest.raises(NotFound):
            feedback.give(house.company.people[who], run, which, "up")
    pending = house.company.told(other)["current"]["proposal"]["call"]
    with pytest.raises(NotFound):
        feedback.give(house.company.olivia, other, pending, "up")
    assert not fetch("select 1 from console.ai_feedback")
