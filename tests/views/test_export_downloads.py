"""Exports as they are asked for from outside: by programs with a key, and from the page of the log."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from console import log
from console.activity import exports, sequencing
from console.auth import accounts
from console.infra.db import fetch
from console.infra.db.engine import migration_url
from console.views import downloads
from tests.company import Company
from tests.conftest import web_app

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.slow

AT = "/api/v1/activity-logs/export"


class Program:
    """Somebody's program, with a key of theirs or without."""

    def __init__(self, client: FlaskClient, key: str | None) -> None:
        self.client, self.headers = client, {"Authorization": f"Bearer {key}"} if key else {}

    def __call__(self, query: str = "", *, method: str = "GET") -> TestResponse:
        return self.client.open(f"{AT}?{query}", method=method, headers=self.headers)


@pytest.fixture
def programs(company: Company) -> Iterator[dict[str, Program]]:
    """A program of each person, and one of nobody."""
    company.finished("1")
    sequencing.sequence_and_sign()
    with web_app().test_client() as client:
        made = {
            name: Program(client, accounts.create_key("tests", person.id).text)
            for name, person in company.people.items()
        }
        yield made | {"nobody": Program(client, None)}


def exported() -> int:
    """How many exports the log tells of."""
    sequencing.catch_up()
    return int(fetch("select count(*) from console.activity where kind = 'log_exported'")[0][0])


def test_only_who_may_export_gets_a_byte(programs: dict[str, Program]) -> None:
    for query in ("", "format=csv", "proofs=1", "since=9&proofs=1"):
        for name in ("olivia", "tom", "mona", "stan", "rosa", "ines"):
            answer = programs[name](query)
            assert (answer.status_code, answer.get_json()["code"]) == (403, "not_allowed")
        assert programs["nobody"](query).status_code == 401
    assert exported() == 0
    assert programs["ada"]().status_code == 200
    assert exported() == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_it_is_only_read(programs: dict[str, Program], method: str) -> None:
    assert programs["ada"](method=method).status_code == 405


def test_the_three_kinds_of_file(programs: dict[str, Program]) -> None:
    kinds = {
        "": "application/jsonl",
        "format=csv": "text/csv; charset=utf-8",
        "format=csv&proofs=1": "application/zip",
    }
    for query, kind in kinds.items():
        answer = programs["ada"](query)
        name = answer.headers["Content-Disposition"]
        assert (answer.status_code, answer.content_type) == (200, kind)
        assert name.startswith('attachment; filename="activity-')
        assert name.endswith({"": '.jsonl"', "format=csv": '.csv"'}.get(query, '.zip"'))
        assert "Content-Length" not in answer.headers, "it is sent while it is made"
        assert answer.headers["Cache-Control"] == "no-store"
    bodies = [
        bytes(body)
        for (body,) in fetch(
            "select e.body from console.activity a join console.event e on e.id = a.event where kind = 'run_started' order by pos"
        )
    ]
    assert programs["ada"]("kind=run_started").data.splitlines() == bodies
    with zipfile.ZipFile(io.BytesIO(programs["ada"]("proofs=1&kind=run_started&since=1").data)) as made:
        assert made.read("events.jsonl").splitlines() == bodies
        proofs = json.loads(made.read("proofs.json"))
    assert (proofs["complete"], len(proofs["positions"]), proofs["consistency"]["from"]) == (
        False,
        len(bodies),
        1,
    )


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("format=xml", ["format"]),
        ("proofs=2", ["proofs"]),
        ("since=1", ["since"]),
        ("proofs=1&since=999999", ["since"]),
        ("limit=5&x=1", ["limit", "x"]),
    ],
)
def test_what_cannot_be_is_400_and_names_it(
    programs: dict[str, Program], query: str, fields: list[str]
) -> None:
    answer = programs["ada"](query)
    assert (answer.status_code, [detail["field"] for detail in answer.get_json()["details"]]) == (400, fields)
    assert exported() == 0


def test_without_a_head_there_is_nothing_to_prove_with(company: Company) -> None:
    app = web_app()
    key = accounts.create_key("tests", company.ada.id).text
    answer = app.test_client().get(f"{AT}?proofs=1", headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "not_sealed")
    assert exported() == 0


def test_two_at_a_time_and_whoever_leaves_makes_room(programs: dict[str, Program]) -> None:
    for query in ("", "proofs=1"):
        held = [programs["ada"](query) for _ in range(downloads.AT_ONCE)]
        busy = programs["ada"](query)
        assert (busy.status_code, busy.headers["Retry-After"]) == (429, "30")
        assert programs["stan"](query).status_code == 403
        assert programs["ada"]("format=xml").status_code == 400
        next(held[0].iter_encoded())
        for answer in held:
            answer.close()
        for _ in range(downloads.AT_ONCE + 1):
            again = programs["ada"](query)
            assert (again.status_code, bool(again.data)) == (200, True)
            again.close()


@pytest.mark.parametrize(
    ("query", "end"), [("", b"and is not complete"), ("format=csv", b"IS NOT COMPLETE"), ("proofs=1", b"")]
)
def test_what_broke_off_is_never_taken_for_whole(
    programs: dict[str, Program],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    query: str,
    end: bytes,
) -> None:
    import psycopg

    monkeypatch.setattr(exports, "PAGE", 5)
    monkeypatch.setattr(exports, "TABLE_PAGE", 5)
    answer = programs["ada"](query)
    parts = answer.iter_encoded()
    got = next(parts) + next(parts)
    with psycopg.connect(
        migration_url().set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
    ) as owner:
        owner.execute("alter table console.activity rename to gone")
    got += b"".join(parts)
    assert got.endswith(end)
    assert "alarm: an export broke off" in caplog.text
    if query == "":
        with pytest.raises(json.JSONDecodeError):
            [json.loads(line) for line in got.splitlines()]
    if query == "proofs=1":
        with pytest.raises(zipfile.BadZipFile):
            zipfile.ZipFile(io.BytesIO(got))


# The page.


def test_the_button_is_for_who_may_export(pages: "Pages") -> None:
    assert pages.ada.get("/activity").form("/activity/export")["method"] == "get"
    assert "/activity/export" not in pages.ines.get("/activity").html
    for name in ("ines", "olivia", "stan"):
        getattr(pages, name).get("/activity/export?format=csv", status=403)


def test_the_sheet_names_the_filters_in_words_and_carries_them(pages: "Pages") -> None:
    olivia = pages.company.olivia
    pages.company.finished("1")
    sequencing.catch_up()
    whole = pages.ada.get("/activity")
    assert "The whole log, oldest first, as far as you may see it." in whole.text
    page = pages.ada.get(
        f"/activity?kind=run_started&user={olivia.id}&createdAt.gte=2026-01-01&after=&limit=3"
    )
    assert "Events, oldest first. Event: Run started, Person: Olivia, From: 1 Jan 2026." in page.text
    fields = page.form("/activity/export")["fields"]
    assert fields == {
        "kind": "run_started",
        "user": olivia.id,
        "createdAt.gte": "2026-01-01",
        "format": "csv",
        "since": "",
    }


def test_a_download_from_the_page(pages: "Pages") -> None:
    pages.company.finished("1")
    log.note(pages.company.ines, "key_created", open={"key": "key_1"})
    sequencing.sequence_and_sign()
    ada = pages.ada
    fields = ada.get("/activity?kind=run_started").form("/activity/export")["fields"]

    def sent(**changes: str) -> TestResponse:
        ada.get("/settings/me")
        answer = ada.client.get("/activity/export", query_string=fields | changes)
        assert answer.status_code == 200, answer.text
        return answer

    assert sent().data.count(b"\r\n") == 2
    assert sent(since="3").data.count(b"\r\n") == 2, "the box of an archive is nothing to a table"
    assert sent(format="jsonl").data.count(b"\n") == 1
    with zipfile.ZipFile(io.BytesIO(sent(format="zip", since="3").data)) as made:
        assert len(json.loads(made.read("proofs.json"))["positions"]) == 1
    ada.get("/activity/export?format=pdf", status=400)
    ada.get("/activity/export?format=zip&since=x", status=400)
