"""Proposals asked for again, what was handled manually supplied later, and rows brought back from the log."""

from typing import Any

import pytest

from console import runs
from console.core.errors import Conflict, ConsoleError, NotFound
from console.infra.db.engine import fetch
from console.runs.store.run_store import load
from tests.company import Company
from tests.support.proposing_runs import begun, call_of, failed, hand_in, holds, made, outcomes, value

pytestmark = pytest.mark.lengthy


def test_asking_again_after_a_failure(company: Company) -> None:
    run_id = begun(company)
    call = call_of(company, run_id)
    failed(call)
    before = company.told(run_id)
    runs.propose_again(company.olivia, run_id, revision=before["revision"])
    told = company.told(run_id)
    assert (told["revision"], told["current"]["proposal"]["status"]) == (before["revision"], "pending")
    assert told["current"]["proposal"]["call"] != call
    runs.propose_again(company.olivia, run_id, revision=before["revision"])
    assert call_of(company, run_id) == told["current"]["proposal"]["call"], "two clicks ask once"
    made(call, value("note", "late"))
    assert company.told(run_id)["current"]["proposal"]["status"] == "pending"
    holds(run_id)


@pytest.mark.parametrize("before", ["failed", "asked while it was put aside", "ready", "pending"])
def test_whoever_takes_the_run_up_again_is_not_left_with_a_failure(company: Company, before: str) -> None:
    run_id = begun(company)
    call = call_of(company, run_id)
    if before == "failed":
        failed(call)
    if before == "ready":
        made(call, value("note", "n"))
    runs.save(company.olivia, run_id, revision=None)
    if before == "asked while it was put aside":
        assert runs.proposal_context(call) is None
    runs.resume(company.olivia, run_id, revision=None)
    proposal = company.told(run_id)["current"]["proposal"]
    assert proposal["status"] == ("ready" if before == "ready" else "pending")
    assert (proposal["call"] == call) == (before in ("ready", "pending"))
    holds(run_id)


REFUSED: list[tuple[str, str, type[ConsoleError], str]] = [
    ("another operator", "tom", Conflict, "not_holder"),
    ("of another team", "stan", NotFound, "not_found"),
    ("who only reads", "ada", Conflict, "not_holder"),
    ("an old form", "olivia", Conflict, "stale_revision"),
]


@pytest.mark.parametrize(("why", "who", "error", "code"), REFUSED, ids=[case[0] for case in REFUSED])
def test_who_may_not_ask_or_supply(
    company: Company, why: str, who: str, error: type[ConsoleError], code: str
) -> None:
    assert why
    run_id = begun(company)
    hand_in(company, run_id, handled_manually=True)
    before = load(run_id, whole=True)
    revision = None if who != "olivia" else 1
    with pytest.raises(error) as refused:
        runs.propose_again(company.people[who], run_id, revision=revision)
    assert refused.value.code == code
    with pytest.raises(error) as refused:
        runs.supply(company.people[who], run_id, revision=revision, step="note", values={"note": "x"})
    assert refused.value.code == code
    assert load(run_id, whole=True) == before


def test_what_is_missing_can_be_supplied(company: Company) -> None:
    run_id = begun(company)
    hand_in(company, run_id, values={"note": "By hand."}, handled_manually=True)
    told = company.told(run_id)
    assert "“note” was handled manually" in str(runs.get(company.olivia, run_id).screen["missing"])  # type: ignore[index]
    first = told["current"]["proposal"]["call"]
    assert [field.name for field in runs.supply_form(company.olivia, run_id, "note")] == ["amount"]
    runs.supply(company.olivia, run_id, revision=told["revision"], step="note", values={"amount": "12.50"})
    after = company.told(run_id)
    assert after["context"]["note"] == {
        "note": "By hand.",
        "amount": "12.50",
        "shown": "Adaeze Okonkwo-Bell",
        "paper": None,
        "missing": "supplied later",
    }
    assert after["revision"] == told["revision"] + 1
    assert (after["current"]["step"], after["current"]["proposal"]["status"]) == ("rate", "pending")
    assert after["current"]["proposal"]["call"] != first
    assert not runs.get(company.olivia, run_id).screen["missing"]  # type: ignore[index]
    holds(run_id)


def test_what_was_supplied_stays_when_a_later_step_is_revised(company: Company) -> None:
    run_id = begun(company)
    hand_in(company, run_id, handled_manually=True)
    runs.supply(company.olivia, run_id, revision=None, step="note", values={"amount": "1"})
    hand_in(company, run_id)
    runs.revise(company.olivia, run_id, step="rate", attempt=None, revision=None, reason="wrong")
    assert company.told(run_id)["context"]["note"]["amount"] == "1"
    holds(run_id)


HARMS = [
    (
        "update console.ai_call set status = 'failed', submitted_by = 'usr_nobody', cost = 7 where run = %s returning 1",
        "ai_call",
    ),
    ("delete from console.ai_call where run = %s returning 1", "ai_call"),
    (
        "update console.ai_field set outcome = 'edited' where call in (select id from console.ai_call where run = %s) returning 1",
        "ai_field",
    ),
    (
        "delete from console.ai_field where call in (select id from console.ai_call where run = %s) returning 1",
        "ai_field",
    ),
    (
        "insert into console.ai_call (id, at, run, purpose, mode, status) select 'aic_forged', now(), %s, 'propose', 'assist', 'ok' returning 1",
        "ai_call",
    ),
    (
        "update console.attempt set proposal = null where run = %s and proposal is not null returning 1",
        "attempt",
    ),
]


@pytest.mark.parametrize(("harm", "table"), HARMS)
def test_the_log_brings_the_rows_back(company: Company, harm: str, table: str) -> None:
    run_id = begun(company)
    call = call_of(company, run_id)
    more: dict[str, Any] = {
        "usage": {"input": 900, "cached": 0, "output": 40},
        "cost": "0.00120",
        "price_version": "2026-11",
        "prompt_sha256": "ab",
        "from_cache": False,
    }
    made(
        call,
        value("note", "Looks fine."),
        value("amount", "12.50", "low"),
        dropped=[{"name": "note", "reason": "duplicate"}],
        **more,
    )
    hand_in(company, run_id, values={"note": "Looks fine.", "amount": "1"})
    before = fetch("select to_jsonb(c) from console.ai_call c where run = %s order by id", (run_id,))
    assert fetch(harm, (run_id,))
    assert {each.table for each in runs.rebuild(run_id)} >= {table}
    assert list(runs.rebuild(run_id, check=True)) == []
    assert fetch("select to_jsonb(c) from console.ai_call c where run = %s order by id", (run_id,)) == before
    assert outcomes(call) == {"amount": "edited", "note": "accepted"}
