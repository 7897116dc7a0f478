"""Changes by hand whose process ends between the source and the log: looked up, noted, told, and never noted twice."""

import ast
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

import console
from console import sources
from console.actions import unfinished_changes
from console.activity import sequencing
from console.activity.event_list import on_record
from console.auth import access
from console.infra.db.engine import alone, fetch
from console.infra.postgres import Embedded
from console.records import connect
from console.work import notices
from tests.actions.test_records_killed import broken, headers, killed, sent
from tests.company import Company
from tests.conftest import web_app
from tests.views.conftest import Page, signed_in

pytestmark = pytest.mark.slow

THINGS = "/collections/thing/records"
TABLE = "create table thing (id integer primary key, name text not null, note text)"
ROWS = "insert into thing values (1, 'One', 'old'), (2, 'Two', null)"
WRITES = frozenset({"records.insert", "records.write", "records.delete"})
CHANGED = {"values": {"note": "new"}, "expected": {"note": "old"}}
CASES: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "updated": ("PATCH", f"{THINGS}/1", CHANGED, "browse.note.before"),
    "deleted": ("DELETE", f"{THINGS}/2", {"expected": {}}, "by_hand.note.before"),
    "added": ("POST", THINGS, {"values": {"id": 7, "name": "Seven"}}, "by_hand.note.before"),
}
DIES_ON_PAGE = """
import json, sys
from console.views.app import create_app
path, form, headers = json.loads(sys.argv[1])
answer = create_app().test_client(use_cookies=False).post(path, data=form, headers=headers)
sys.exit(f"{answer.status_code} {answer.text[:3000]}")
"""


class Shelf:
    """A source with one table, of either kind of database."""

    def __init__(self, url: str) -> None:
        self.url = url

    def do(self, *statements: str) -> list[Any]:
        if self.url.startswith("sqlite"):
            with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as connection, connection:
                return [connection.execute(statement).fetchall() for statement in statements][-1]
        with psycopg.connect(self.url.replace("postgresql+psycopg", "postgresql"), autocommit=True) as server:
            found = [server.execute(statement) for statement in statements][-1]
            return found.fetchall() if found.description else []

    def refill(self) -> None:
        self.do("delete from thing", ROWS)
        fetch("delete from console.change_intent returning 1")


@pytest.fixture(params=["sqlite", "postgresql"])
def shelf(request: pytest.FixtureRequest, company: Company, pg: Embedded, tmp_path: Path) -> Iterator[Shelf]:
    url = f"sqlite:///{tmp_path}/shelf.db"
    if request.param == "postgresql":
        connect.dispose()
        pg.drop_database("shelf")
        pg.sql("create database shelf")
        url = pg.url("postgres", "shelf")
    made = Shelf(url)
    made.do(TABLE, ROWS)
    document = {
        "id": "thing",
        "source": "shelf",
        "table": "thing",
        "label": "Things",
        "label_one": "Thing",
        "title": "{{ record.name }}",
    }
    sources.add("shelf", url, documents=[document])
    access.grant(
        "lead", "collection:thing", ["browse", "read", "create", "update", "delete"], team="operations"
    )
    access.refresh()
    yield made
    connect.dispose()


def told() -> list[tuple[str, str]]:
    """(effect, result) of each change by hand in the log, in order."""
    rows = fetch(
        "select convert_from(body, 'UTF8') from console.event where convert_from(body, 'UTF8') like '%%\"record_changed\"%%' order by id"
    )
    opened = [json.loads(row[0])["data"]["open"] for row in rows]
    return [(each.get("effect", "updated"), each["result"]) for each in opened]


def left() -> int:
    return int(fetch("select count(*) from console.change_intent")[0][0])


@pytest.mark.parametrize("effect", CASES)
def test_what_became_of_a_change_is_found_and_noted_once(
    company: Company, shelf: Shelf, effect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, path, body, after = CASES[effect]
    expected = {
        "by_hand.write.before": "not_done",
        "records.commit.before": "not_done",
        after: "succeeded",
        "log.write.before": "succeeded",
    }
    who, found = headers(company.mona), list[tuple[str, str]]()
    for number, (point, result) in enumerate(expected.items()):
        shelf.refill()
        broken(monkeypatch, point, method, path, body, who | {"X-Idempotency-Key": f"once {number}"})
        assert (told(), left()) == (found, 1), point
        assert (unfinished_changes.settle_left(0), unfinished_changes.settle_left(0)) == (1, 0), point
        found.append((effect, result))
        assert (told(), left()) == (found, 0), point
    said = [each.text for each in notices.notices_of(company.mona)]
    assert len(said) == len(expected)
    assert sum("not done" in text for text in said) == 2
    assert all(each.href.startswith("/c/thing") for each in notices.notices_of(company.mona))


@pytest.mark.parametrize("shelf", ["sqlite"], indirect=True)
def test_a_row_that_is_neither_as_before_nor_as_wanted_is_unknown(
    company: Company, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = headers(company.mona)
    method, path, body, after = CASES["updated"]
    broken(monkeypatch, after, method, path, body, who)
    shelf.do("update thing set note = 'another' where id = 1")
    unfinished_changes.settle_left(0)
    method, path, body, after = CASES["added"]
    broken(monkeypatch, after, method, path, body, who)
    shelf.do("update thing set name = 'another' where id = 7")
    unfinished_changes.settle_left(0)
    assert told() == [("updated", "unknown"), ("added", "unknown")]
    sequencing.catch_up()
    lines = [row.sentence for row in on_record(company.mona, "thing", "1").rows]
    assert any(line.startswith("It is not known whether Mona (API key) changed") for line in lines), lines


@pytest.mark.parametrize("shelf", ["sqlite"], indirect=True)
def test_whoever_is_still_at_it_is_left_alone_and_a_source_that_is_down_is_asked_again(
    company: Company, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, path, body, after = CASES["updated"]
    broken(monkeypatch, after, method, path, body, headers(company.mona))
    [(ident,)] = fetch("select id from console.change_intent")
    with alone(ident):
        assert (unfinished_changes.settle_left(0), left(), told()) == (0, 1, [])
    assert unfinished_changes.settle_left() == 0, "what has just begun is not looked at"
    with monkeypatch.context() as patch:
        patch.setattr(unfinished_changes, "found_in_source", _down)
        assert (unfinished_changes.settle_left(0), left()) == (0, 1)
    assert (unfinished_changes.settle_left(0), told()) == (1, [("updated", "succeeded")])


def _down(_intent: object) -> Any:
    from console.core.errors import SourceDown

    raise SourceDown("shelf does not answer")


@pytest.mark.parametrize("shelf", ["sqlite"], indirect=True)
def test_a_repeat_after_the_lookup_is_answered_with_what_was_found(
    company: Company, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, path, body, after = CASES["added"]
    who = headers(company.mona)
    broken(monkeypatch, after, method, path, body, who)
    unfinished_changes.settle_left(0)
    again = sent(method, path, body, who)
    assert (again.status_code, again.get_json()["key"], told()) == (201, "7", [("added", "succeeded")])
    assert shelf.do("select count(*) from thing")[0][0] == 3


@pytest.mark.parametrize("shelf", ["sqlite"], indirect=True)
def test_refused_changes_leave_nothing_behind(company: Company, shelf: Shelf) -> None:
    who = headers(company.mona)
    for number, (method, path, body) in enumerate(
        [
            ("PATCH", f"{THINGS}/1", {"values": {"note": "new"}, "expected": {"note": "wrong"}}),
            ("PATCH", f"{THINGS}/1", {"values": {"name": None}, "expected": {}}),
            ("POST", THINGS, {"values": {"id": 1, "name": "x"}}),
            ("DELETE", f"{THINGS}/1", {"expected": {"note": "wrong"}}),
        ]
    ):
        assert sent(method, path, body, who | {"X-Idempotency-Key": str(number)}).status_code in (409, 422)
    assert (left(), told()) == (0, [])


def test_killed_processes_leave_what_is_needed(company: Company, shelf: Shelf) -> None:
    """A page and a program, killed after the source has committed; and one killed before."""
    who = headers(company.mona)
    mona, path = signed_in(web_app(), "mona"), "/c/thing/1/edit/note"
    mona.get(path)  # with which the cookies are all there
    asked = mona.get(path)
    form, cookies = Page(asked.text).form(path)["fields"], str(asked.request.headers["Cookie"])
    sent_by_page = json.dumps(
        [path, form | {"v.note": "new"}, {"Cookie": cookies, "Origin": "http://localhost"}]
    )
    environ = os.environ | {"HANDRAIL_FAULT": "browse.note.before=kill"}
    ended = subprocess.run(
        [sys.executable, "-P", "-c", DIES_ON_PAGE, sent_by_page],
        env=environ,
        check=False,
        timeout=120,
        capture_output=True,
    )
    assert ended.returncode == -9, ended.stderr.decode()
    assert shelf.do("select note from thing where id = 1")[0][0] == "new"
    expected = [("updated", "succeeded")]
    if shelf.url.startswith("postgresql"):
        killed("by_hand.note.before", "DELETE", f"{THINGS}/2", {"expected": {}}, who)
        killed(
            "records.commit.before",
            "POST",
            THINGS,
            {"values": {"id": 7, "name": "Seven"}},
            who | {"X-Idempotency-Key": "2"},
        )
        expected = [("added", "not_done"), ("deleted", "succeeded"), *expected]
    assert (left(), told()) == (len(expected), [])
    assert unfinished_changes.settle_left(0) == len(expected)
    assert sorted(told()) == expected
    sequencing.catch_up()
    assert "changed note of" in mona.get("/c/thing/1?tab=activity").text


def test_every_write_outside_an_effect_stores_its_intent_first() -> None:
    """Effects are asked for in the log before they are made. A confidential report is not a change by hand: it answers `write_unknown` to its repeat. For consent
    that is taken back the row of `console.opt_out` stands until the source has it."""
    root, bare = Path(console.__file__).parent, []
    for file in root.rglob("*.py"):
        place = file.relative_to(root)
        if (
            place.parts[0] == "records"
            or "effects" in place.parts
            or place.as_posix()
            in (
                "runs/commands/reporting.py",
                "messaging/messages/opting_out.py",
            )
        ):
            continue
        tree = ast.parse(file.read_text())
        blocks = (node for node in ast.walk(tree) if isinstance(node, ast.With))
        inside = {
            id(call)
            for block in blocks
            if any("intended(" in ast.unparse(item) for item in block.items)
            for call in ast.walk(block)
        }
        writes = (
            node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) in WRITES
        )
        bare += [f"{place}:{node.lineno}" for node in writes if id(node) not in inside]
    assert bare == []
