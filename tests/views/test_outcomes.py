"""What an answer says of what was asked for is what the log has: wherever a request fails, on a page, in a fragment and for programs."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from console import log
from console.auth import accounts
from console.core.events import KINDS
from console.infra.db import request_writes
from console.infra.db.engine import transaction
from console.log import append
from console.views import outcomes
from tests.company import Company
from tests.conftest import web_app
from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy

ROOT = Path(__file__).parents[2]
PLACES: dict[str, tuple[str, request_writes.State]] = {
    "before": ("log.write.before=raise", "nothing"),
    "after": ("log.write.after=raise", "done"),
}


def completing(company: Company, run_id: str) -> tuple[str, dict[str, Any]]:
    told = company.told(run_id)
    return f"/runs/{run_id}/complete", {"step": told["current"]["step"], "revision": str(told["revision"])}


def saving(company: Company, run_id: str) -> tuple[str, dict[str, Any]]:
    return f"/runs/{run_id}/save", {"revision": str(company.told(run_id)["revision"])}


def aborting(company: Company, run_id: str) -> tuple[str, dict[str, Any]]:
    return f"/runs/{run_id}/abort", {"revision": str(company.told(run_id)["revision"]), "reason": "no"}


DEEDS: Mapping[str, Callable[[Company, str], tuple[str, dict[str, Any]]]] = {
    "complete": completing,
    "save": saving,
    "abort": aborting,
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("htmx", [False, True])
def test_a_page_says_what_the_log_has(
    pages: Pages, monkeypatch: pytest.MonkeyPatch, deed: str, place: str, htmx: bool
) -> None:
    run_id = pages.company.started()
    pages.olivia.get(f"/runs/{run_id}")
    path, data = DEEDS[deed](pages.company, run_id)
    data |= {"csrf_token": pages.olivia.token}
    before = pages.company.told(run_id)["revision"]
    fault, state = PLACES[place]
    monkeypatch.setenv("HANDRAIL_FAULT", fault)
    page = pages.olivia.post(path, data, "run" if htmx else None, 500)
    monkeypatch.delenv("HANDRAIL_FAULT")
    moved = pages.company.told(run_id)["revision"] != before
    assert moved == (state == "done")
    assert pages.olivia.answer.headers[outcomes.HEADER] == state
    assert outcomes.WORDS[state] in page.text
    assert not any(words in page.text for other, words in outcomes.WORDS.items() if other != state)
    assert (f"/runs/{run_id}" in page.links) == moved


@pytest.mark.parametrize("place", PLACES)
def test_a_program_is_told_the_same(company: Company, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    key = accounts.create_key("tests", company.olivia.id).text
    client: FlaskClient = web_app().test_client()
    run_id = company.started()
    company.told(run_id)
    told = company.told(run_id)
    fault, state = PLACES[place]
    monkeypatch.setenv("HANDRAIL_FAULT", fault)
    answer = client.post(
        f"/api/v1/runs/{run_id}/complete",
        json={"step": told["current"]["step"], "revision": told["revision"], "values": {}},
        headers={"Authorization": f"Bearer {key}"},
    )
    monkeypatch.delenv("HANDRAIL_FAULT")
    assert answer.status_code == 500
    assert answer.get_json()["outcome"] == state
    assert outcomes.WORDS[state] in answer.get_json()["message"]
    assert (company.told(run_id)["revision"] != told["revision"]) == (state == "done")


def test_what_nobody_knows_is_said_to_be_unknown(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection breaks while the statement is under way, and the database cannot be asked what came of it."""
    run_id = pages.company.started()
    pages.olivia.get(f"/runs/{run_id}")
    path, data = completing(pages.company, run_id)
    data |= {"csrf_token": pages.olivia.token}

    def cut(*_: object) -> int:
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    def away(*_: object) -> bool:
        raise sa.exc.OperationalError("select", {}, Exception("connection refused"))

    with monkeypatch.context() as broken:
        broken.setattr(append, "_execute", cut)
        broken.setattr(append, "arrived", away)
        page = pages.olivia.post(path, data, None, 503)
    assert outcomes.WORDS["unknown"] in page.text
    assert "Nothing was" not in page.text
    assert f"/runs/{run_id}" in page.links


def test_a_record_that_was_written_before_the_failure_is_not_said_to_be_untouched(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record is in somebody else's database: it stays written where the console's own log then fails."""
    key = accounts.create_key("tests", company.mona.id).text
    client: FlaskClient = web_app().test_client()
    headers = {"Authorization": f"Bearer {key}"}
    monkeypatch.setenv("HANDRAIL_FAULT", "log.write.before=raise")
    told = {"values": {"email": "new@customers.example"}, "expected": {}}
    answer = client.patch("/api/v1/collections/customer/records/1", json=told, headers=headers)
    monkeypatch.delenv("HANDRAIL_FAULT")
    changed = company.sql("select email from customer where id = 1")[0][0] == "new@customers.example"
    assert answer.status_code == 500
    assert answer.get_json()["outcome"] == ("done" if changed else "nothing")


def test_asking_for_a_page_changes_nothing_and_says_nothing_of_it(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = pages.company.started()
    pages.olivia.get("/")
    monkeypatch.setenv("HANDRAIL_FAULT", "log.write.before=raise")
    page = pages.olivia.get(f"/runs/{run_id}", status=500)
    assert outcomes.HEADER not in pages.olivia.answer.headers
    assert not any(words in page.text for words in outcomes.WORDS.values())


def test_looks_are_kinds_and_none_of_them_moves_a_run() -> None:
    assert set(KINDS) >= request_writes.LOOKS
    assert not [name for name in request_writes.LOOKS if KINDS[name].move]


def test_no_other_page_of_an_error_says_by_itself_that_nothing_was_done() -> None:
    """The sentences of errors that nobody foresaw come from the state: neither the table of statuses nor the script holds one."""
    source = (ROOT / "console/views/errors.py").read_text(encoding="utf-8")
    assert not re.search(r"[Nn]othing was (done|changed|saved|lost)", source)
    script = (ROOT / "console/static/js/page.js").read_text(encoding="utf-8")
    said = [line for line in script.splitlines() if "Nothing was" in line]
    assert [line.strip().partition(":")[0] for line in said] == ["nothing"]


def test_what_is_written_in_a_transaction_counts_when_it_has_ended(company: Company) -> None:
    request_writes.begin()
    with transaction() as connection:
        log.note(company.olivia, "engine_paused", connection=connection)
        assert request_writes.so_far().state == "nothing"
        connection.rollback()
    assert request_writes.so_far().state == "nothing"
    with transaction() as connection:
        log.note(company.olivia, "engine_paused", connection=connection)
    assert request_writes.so_far().state == "done"
