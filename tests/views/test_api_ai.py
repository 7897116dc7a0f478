"""`GET /api/v1/ai-calls` from outside: who may, the answer's shape, filters and pages, and every way to ask wrongly."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.ai.proposals import call_log
from console.auth import access, accounts
from console.core.errors import NotFound
from console.infra.db.engine import fetch
from tests.views.conftest import Pages
from tests.views.test_api_approvals import Program

KEYS = {
    "id",
    "at",
    "run",
    "step",
    "attempt",
    "purpose",
    "provider",
    "model",
    "ms",
    "status",
    "code",
    "flags",
    "mode",
    "input_tokens",
    "output_tokens",
}
AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


def called(number: int, run: str, **more: Any) -> str:
    """A row of a call."""
    told = {
        "id": f"aic_{number:03d}",
        "at": AT + timedelta(seconds=number),
        "run": run,
        "n": 2,
        "step": "note",
        "attempt": 1,
        "purpose": "propose",
        "mode": "assist",
        "status": "ok",
        "provider": "anthropic",
        "model": "claude-haiku-5-5",
        "ms": 812,
        "input_tokens": 900,
        "output_tokens": 80,
        "team": accounts.team_id("operations"),
        "cost": "0.0013",
        **more,
    }
    columns, values = ", ".join(told), ", ".join(["%s"] * len(told))
    fetch(f"insert into console.ai_call ({columns}) values ({values}) returning 1", list(told.values()))
    return str(told["id"])


def test_the_shape(pages: Pages) -> None:
    run_id = pages.company.started()
    called(1, run_id, status="failed", code="timeout")
    told = Program(pages, "ada").get(f"/ai-calls?run={run_id}").get_json()
    (one,) = told["data"]
    assert told["next"] is None
    assert set(one) >= KEYS
    assert (one["id"], one["at"], one["status"], one["code"], one["cost"]) == (
        "aic_001",
        "2026-11-20T08:30:01.000000Z",
        "failed",
        "timeout",
        "0.0013",
    )
    assert (one["flags"], one["ms"], one["input_tokens"]) == ([], 812, 900)


def test_pages_newest_first_without_gaps(pages: Pages) -> None:
    run_id = pages.company.started()
    made = [called(number, run_id, at=AT) for number in range(7)]
    ada, found, after = Program(pages, "ada"), list[str](), ""
    while True:
        told = ada.get(f"/ai-calls?limit=3{after}").get_json()
        found += [one["id"] for one in told["data"]]
        if told["next"] is None:
            break
        after = f"&after={told['next']}".replace("+", "%2B")
    assert found == sorted(made, reverse=True)


@pytest.mark.parametrize("who", ["olivia", "tom", "mona", "stan", "rosa"])
def test_without_the_right_nothing(pages: Pages, who: str) -> None:
    run_id = pages.company.started()
    called(1, run_id)
    for path in ("/ai-calls", f"/ai-calls?run={run_id}", "/ai-calls?run=run_absent"):
        answer = Program(pages, who).get(path)
        assert (answer.status_code, answer.get_json()["code"]) == (403, "not_allowed")
        assert "aic_" not in answer.text


def test_without_a_key_nothing(pages: Pages) -> None:
    assert pages.app.test_client().get("/api/v1/ai-calls").status_code == 401


def test_who_audits_one_team_reads_of_that_team(pages: Pages) -> None:
    run_id = pages.company.started()
    called(1, run_id)
    called(2, "run_of_others", team=accounts.team_id("procurement"))
    access.grant("ai_auditor", "ai", ["audit"], team=accounts.team_id("procurement"))
    access.assign(pages.company.stan.id, [("ai_auditor", accounts.team_id("procurement"))])
    access.refresh()
    stan = Program(pages, "stan")
    assert [one["id"] for one in stan.get("/ai-calls").get_json()["data"]] == ["aic_002"]
    assert stan.get(f"/ai-calls?run={run_id}").status_code == 404
    assert stan.get("/ai-calls?run=run_absent").get_json() == stan.get(f"/ai-calls?run={run_id}").get_json()
    with pytest.raises(NotFound):
        call_log.get(pages.company.stan, "aic_001")
    assert call_log.get(pages.company.stan, "aic_002")[0].id == "aic_002"


def test_a_label_that_one_is_not_cleared_for_hides_the_call(pages: Pages) -> None:
    run_id = pages.company.started()
    called(1, run_id, label="confidential")
    fetch("update console.run set label = 'confidential' where id = %s returning 1", (run_id,))
    ada = Program(pages, "ada")
    assert ada.get("/ai-calls").get_json()["data"] == []
    assert ada.get(f"/ai-calls?run={run_id}").status_code == 404
    access.grant("auditor", "label:confidential", ["see"])
    access.refresh()
    assert [one["id"] for one in ada.get("/ai-calls").get_json()["data"]] == ["aic_001"]
    assert ada.get(f"/ai-calls?run={run_id}").status_code == 200


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=failed", ["aic_002"]),
        ("code=timeout", ["aic_002"]),
        ("model=claude-sonnet-5-5", ["aic_003"]),
        ("step=note", ["aic_003", "aic_002", "aic_001"]),
        ("step=other", []),
        ("status=ok&mode=shadow", ["aic_003"]),
    ],
)
def test_filters(pages: Pages, query: str, found: list[str]) -> None:
    run_id = pages.company.started()
    called(1, run_id)
    called(2, run_id, status="failed", code="timeout")
    called(3, run_id, model="claude-sonnet-5-5", mode="shadow")
    assert [one["id"] for one in Program(pages, "ada").get(f"/ai-calls?{query}").get_json()["data"]] == found


@pytest.mark.parametrize(
    "query",
    [
        "status=nope",
        "limit=0",
        "limit=101",
        "after=x",
        "after=2026-11-20T08:30:00~aic_1",
        "nonsense=1",
        "code=%00",
        "run=1&run=2",
    ],
)
def test_what_is_asked_wrongly_is_400_and_says_where(pages: Pages, query: str) -> None:
    answer = Program(pages, "ada").get(f"/ai-calls?{query}")
    assert (answer.status_code, answer.get_json()["details"][0]["field"]) == (400, query.partition("=")[0])
