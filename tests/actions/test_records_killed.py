"""A process that is killed after a record was written in the users' database and before the log knows: nothing is written a second time blindly."""

import ast
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

import console
from console.auth import accounts
from console.core.actor import Actor
from tests import warm
from tests.actions.test_records_by_hand import NEW, rights as rights, told  # noqa: PLC0414 - a fixture
from tests.company import Company
from tests.conftest import web_app

pytestmark = pytest.mark.slow

DIES = """
import json, sys
from console.views.app import create_app
method, path, body, headers = json.loads(sys.argv[1])
create_app().test_client().open("/api/v1" + path, method=method, json=body, headers=headers)
"""
RECORDS = "/collections/customer/records"


def headers(person: Actor) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {accounts.create_key('kill', person.id).text}",
        "X-Idempotency-Key": "once",
    }


def killed(point: str, method: str, path: str, body: Any, told: dict[str, str]) -> None:
    """The request in a process of its own, which is killed at the point."""
    environ = os.environ | {"HANDRAIL_FAULT": f"{point}=kill"}
    ended = subprocess.run(
        [warm.python(), "-P", "-c", DIES, json.dumps([method, path, body, told])],
        env=environ,
        check=False,
        timeout=120,
    )
    assert ended.returncode == -9, point


def sent(method: str, path: str, body: Any, told: dict[str, str]) -> Any:
    return web_app().test_client().open(f"/api/v1{path}", method=method, json=body, headers=told)


def broken(
    monkeypatch: pytest.MonkeyPatch, point: str, method: str, path: str, body: Any, told: dict[str, str]
) -> None:
    """The request, which ends in an error at the point."""
    with monkeypatch.context() as patch:
        patch.setenv("HANDRAIL_FAULT", f"{point}=raise")
        assert sent(method, path, body, told).status_code == 500


@pytest.mark.parametrize("key", [None, 77])
def test_a_record_is_never_added_twice(company: Company, key: int | None) -> None:
    """With the record's own key the record is found, noted and answered; without, nobody can tell, and the repeat says where to look, however often."""
    values, who = NEW | ({} if key is None else {"id": key}), headers(company.mona)
    killed("by_hand.note.before", "POST", RECORDS, {"values": values}, who)
    assert company.sql("select count(*) from customer") == [(5,)]
    assert told() == []
    for _ in range(3):
        again = sent("POST", RECORDS, {"values": values}, who)
        if key is None:
            assert (again.status_code, again.get_json()["code"]) == (409, "write_unknown")
            assert "Look for it in Customers" in again.get_json()["message"]
        else:
            assert (
                again.status_code,
                again.get_json()["key"],
                again.get_json()["values"]["display_name"],
            ) == (201, "77", "Newcomer")
        assert told() == [("added", "unknown" if key is None else "succeeded")], "noted once"
    assert company.sql("select count(*) from customer") == [(5,)]
    assert sent("POST", RECORDS, {"values": NEW | {"display_name": "Another"}}, who).status_code == 422, (
        "the key is that of the first"
    )
    assert sent("POST", RECORDS, {"values": NEW}, who | {"X-Idempotency-Key": "anew"}).status_code == 201, (
        "the way out"
    )


def test_what_another_added_under_the_key_is_not_taken_for_ours(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = headers(company.mona)
    broken(monkeypatch, "by_hand.note.before", "POST", RECORDS, {"values": NEW | {"id": 77}}, who)
    company.sql("update customer set display_name = 'Somebody' where id = 77")
    again = sent("POST", RECORDS, {"values": NEW | {"id": 77}}, who)
    assert (again.status_code, again.get_json()["code"], told()) == (409, "exists", [])


@pytest.mark.parametrize("point", ["by_hand.note.before", "log.write.before"])
def test_an_error_after_the_write_lets_no_repeat_write(
    company: Company, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """The same without a death: the log fails once the record is there."""
    who = headers(company.mona)
    broken(monkeypatch, point, "POST", RECORDS, {"values": NEW}, who)
    assert sent("POST", RECORDS, {"values": NEW}, who).get_json()["code"] == "write_unknown"
    assert company.sql("select count(*) from customer") == [(5,)]


def test_what_was_refused_is_judged_anew(company: Company) -> None:
    """Nothing was written: the same request may be sent again once it can be done."""
    who, path = headers(company.mona), RECORDS
    body = {"values": NEW | {"id": 1}}
    assert sent("POST", path, body, who).get_json()["code"] == "exists"
    company.sql("delete from account where customer_id = 1")
    company.sql("delete from customer where id = 1")
    assert sent("POST", path, body, who).status_code == 201


@pytest.mark.parametrize(
    ("method", "point", "body", "status"),
    [
        ("PATCH", "browse.note.before", {"values": {"risk": "high"}, "expected": {"risk": "low"}}, 409),
        ("DELETE", "by_hand.note.before", {"expected": {"risk": "low"}}, 404),
    ],
)
def test_a_change_and_a_deletion_repeated_say_how_it_stands(
    company: Company, method: str, point: str, body: Any, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They compare before they write: what is done already is not done again, and the answer shows it."""
    who = headers(company.mona)
    broken(monkeypatch, point, method, f"{RECORDS}/2", body, who)
    again = sent(method, f"{RECORDS}/2", body, who)
    assert again.status_code == status
    if status == 409:
        assert again.get_json()["details"][0] == again.get_json()["details"][0] | {
            "field": "risk",
            "theirs": "high",
        }


def test_every_record_added_outside_an_effect_is_reserved() -> None:
    """An effect is asked for and committed before it is done; whatever else adds a record marks its key first."""
    root, bare = Path(console.__file__).parent, []
    for file in root.rglob("*.py"):
        if {"records", "effects"} & set(file.relative_to(root).parts):
            continue
        if "records.insert(" not in (text := file.read_text()):
            continue
        tree = ast.parse(text)
        inside = {
            id(call)
            for block in ast.walk(tree)
            if isinstance(block, ast.With)
            and any(ast.unparse(item.context_expr) == "log.reserved()" for item in block.items)
            for call in ast.walk(block)
        }
        adds = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "records.insert"
        ]
        bare += [f"{file.relative_to(root)}:{node.lineno}" for node in adds if id(node) not in inside]
    assert bare == []
