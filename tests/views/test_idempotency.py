"""The same request twice: what it did is done once, and what is answered is judged anew each time."""

import hashlib
import inspect
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask

from console import runs
from console.activity import sequencing
from console.auth import access
from console.core.actor import Actor
from console.infra.db.engine import alone, fetch, hot_engine
from console.infra.postgres import Embedded
from console.operations import erasure
from console.views.api.operation import OPERATION
from tests.company import Company
from tests.support.staff import hired
from tests.views.test_rates_and_keys import (
    START,
    Program,
    fixture_house as fixture_house,  # noqa: PLC0414 - a fixture
    fixture_web as fixture_web,  # noqa: PLC0414 - a fixture
    key,
)

ANEW = {
    "revealValue",
    "assignTickets",
    "unassignTickets",
    "moveWork",
    "dryRunWorkflow",
    "tryOnContacts",
    "testConnection",
    "testConnector",
}
"""Calls that are judged and done each time; those of many tickets do each of them once, a dry run, a trial and a test do nothing."""


def stored() -> str:
    """All that is kept of requests, as text."""
    told = [
        *fetch("select i::text from console.idempotency i"),
        *fetch("select d::text from console.request_done d"),
    ]
    return "\n".join(str(row[0]) for row in told)


def begin_again(*tables: str) -> None:
    """As if the process had died before it kept that the last request was answered; with `request_done`, before it did anything."""
    with hot_engine().connect() as connection:
        connection.execute(
            sa.text(
                "update console.idempotency set status = null, made = null where at = (select max(at) from console.idempotency)"
            )
        )
        for table in tables:
            connection.execute(
                sa.text(f"delete from console.{table} where at = (select max(at) from console.{table})")
            )


def ended(who: Actor, told: dict[str, Any], reason: str = "For the test.") -> None:
    runs.cancel(who, told["id"], revision=runs.get(who, told["id"]).json["revision"], reason=reason)


def test_every_call_says_how_it_is_answered_again(web: Flask) -> None:
    declared = [
        getattr(web.view_functions[rule.endpoint], OPERATION)
        for rule in web.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and rule.rule.startswith("/api/")
    ]
    assert len(declared) > 30
    assert {one.id for one in declared if one.again is None} == ANEW


def test_what_is_read_again_by_the_id_of_what_was_made_is_named_by_the_view(web: Flask) -> None:
    """A call that reads `made` without ever naming it answers its own repeat as what does not exist."""
    asks, unnamed = 0, []
    for rule in web.url_map.iter_rules():
        view = web.view_functions[rule.endpoint]
        declared = getattr(view, OPERATION, None)
        if (
            "POST" in (rule.methods or ())
            and declared is not None
            and declared.again is not None
            and not rule.arguments - {"workflow_id"}
        ):
            reads = "done.made" in inspect.getsource(
                declared.again
            ) and "done.chain" not in inspect.getsource(declared.again)
            asks += reads
            unnamed += (
                [declared.id]
                if reads and "name_result" not in inspect.getsource(inspect.unwrap(view))
                else []
            )
    assert asks > 5
    assert unnamed == []


def test_what_is_made_of_a_workflow_is_made_once_and_secrets_are_told_once(
    web: Flask, house: Company
) -> None:
    mona = Program(web, key(house.mona))
    assert mona("POST", "/workflows", {"title": "Once"}).status_code == 201

    def twice(path: str, body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        name = f"twice {path} {sorted(body)}"
        first, again = (
            mona("POST", f"/workflows/once/{path}", body, X_Idempotency_Key=name) for _ in range(2)
        )
        assert (first.status_code < 300, again.status_code) == (True, first.status_code), (
            first.text,
            again.text,
        )
        assert again.headers["X-Idempotency-Replayed"] == "true"
        return first.get_json(), again.get_json()

    nodes = [
        twice("nodes", {"type": "TIME", "title": "Wait", "config": {"duration": "P2D"}}),
        twice("nodes", {"type": "CONVERTED", "title": "Won"}),
    ]
    assert [first for first, _ in nodes] == [again for _, again in nodes]
    first, again = twice("edges", {"source": nodes[0][0]["id"], "target": nodes[1][0]["id"]})
    assert first == again
    first, again = twice("draft/undo", {})
    assert (first, len(first["document"]["steps"])) == (again, 3)
    first, again = twice("triggers", {"kind": "webhook", "enabled": True, "signed": True})
    assert (bool(first["secret"]), again) == (True, first | {"secret": None})
    for path in ("rotate", "secret"):
        changed, repeated = twice(f"triggers/{first['id']}/{path}", {})
        assert repeated == changed | {"secret": None}
    assert len(mona("GET", "/workflows/once/triggers").get_json()["data"]) == 1
    first, again = twice("alerts", {"kind": "failed", "people": ["mona@fernwick.example"]})
    assert (first, len(mona("GET", "/workflows/once/alerts").get_json()["data"])) == (again, 1)


def test_a_request_to_publish_is_answered_again_as_it_is_now(web: Flask, house: Company) -> None:
    mona = Program(web, key(house.mona))
    change = {"op": "set_document", "field": "description", "value": "Anew."}
    revision = mona("GET", "/workflows/care-review/draft").get_json()["revision"]
    assert (
        mona("PATCH", "/workflows/care-review/draft", {"revision": revision, "changes": [change]}).status_code
        == 200
    )
    first, again = (
        mona("POST", "/workflows/care-review/reviews", {"note": "Read it"}, X_Idempotency_Key="review")
        for _ in range(2)
    )
    assert (first.status_code, again.status_code, again.get_json()) == (201, 201, first.get_json())


@contextmanager
def at_work() -> Iterator[None]:
    """The newest request with a key has not ended yet."""
    [(newest,)] = fetch("select key from console.idempotency order by at desc limit 1")
    with alone(f"idempotency|{newest}") as mine:
        assert mine, "a request that has ended holds nothing"
        yield


def test_the_same_request_twice_at_once_is_done_once(web: Flask, house: Company) -> None:
    """The second finds the first at work: 409 with Retry-After. Where the first died without doing anything, the next does it at once."""
    mona, body = Program(web, key(house.mona)), {"title": "Twins"}
    first = mona("POST", "/workflows", body, X_Idempotency_Key="twins")
    begin_again("request_done")
    with at_work():
        second = mona("POST", "/workflows", body, X_Idempotency_Key="twins")
        assert (second.status_code, second.get_json()["code"], second.headers["Retry-After"]) == (
            409,
            "in_progress",
            "1",
        )
        assert mona("POST", "/workflows", {"title": "Other"}, X_Idempotency_Key="twins").status_code == 422
    third = mona("POST", "/workflows", body, X_Idempotency_Key="twins")
    assert (third.status_code, third.get_json()["slug"], first.get_json()["slug"]) == (
        201,
        "twins-2",
        "twins",
    )


def test_twins_that_race(web: Flask, house: Company) -> None:
    text, answers = key(house.mona), []
    gate = threading.Barrier(4)

    def ask() -> None:
        program = Program(web, text)
        gate.wait()
        answers.append(program("POST", "/workflows", {"title": "Race"}, X_Idempotency_Key="race"))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [answer.get_json() for answer in answers if answer.status_code == 201]
    assert done
    assert {one["id"] for one in done} == {done[0]["id"]}
    assert all(answer.get_json()["code"] == "in_progress" for answer in answers if answer.status_code != 201)
    assert fetch("select count(*) from console.workflow where title = 'Race'") == [(1,)]


def test_what_is_done_and_not_named_yet_is_not_done_again(web: Flask, house: Company) -> None:
    """Between the transaction of the work and the note of what it made; at last, where the first request died there."""
    mona, path, body = (
        Program(web, key(house.mona)),
        "/collections/customer/records/1/notes",
        {"text": "Once and not twice"},
    )

    def sent() -> tuple[int, str | None]:
        answer = mona("POST", path, body, X_Idempotency_Key="unnamed")
        return answer.status_code, answer.get_json().get("code")

    assert sent() == (201, None)
    begin_again()
    with at_work():
        assert sent() == (409, "in_progress")
    assert sent() == (409, "done_before")
    assert [note["text"] for note in mona("GET", path).get_json()["data"]] == [body["text"]]


@pytest.mark.parametrize("place", ["after", "before"])
def test_a_crash_in_between(web: Flask, house: Company, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """After the commit the repeat is told how the thing stands; before it the work is done now."""
    mona, body = Program(web, key(house.mona)), {"title": f"Crash {place}"}
    monkeypatch.setenv("HANDRAIL_FAULT", f"log.write.{place}=raise")
    assert mona("POST", "/workflows", body, X_Idempotency_Key=place).status_code == 500
    monkeypatch.delenv("HANDRAIL_FAULT")
    again = mona("POST", "/workflows", body, X_Idempotency_Key=place)
    assert (again.status_code, again.get_json()["title"]) == (201, body["title"])
    assert fetch("select count(*) from console.workflow where title = %s", (body["title"],)) == [(1,)]


def test_a_lost_answer_is_found_again(web: Flask, house: Company) -> None:
    """The work was committed, the process died before it kept that it was answered."""
    mona = Program(web, key(house.mona))
    made = mona("POST", "/workflows", {"title": "Lost"}, X_Idempotency_Key="lost").get_json()
    begin_again()
    again = mona("POST", "/workflows", {"title": "Lost"}, X_Idempotency_Key="lost")
    assert (again.status_code, again.get_json(), again.headers["X-Idempotency-Replayed"]) == (
        201,
        made,
        "true",
    )


def test_an_answer_that_cannot_be_kept_is_given_all_the_same(
    web: Flask, house: Company, pg: Embedded
) -> None:
    """The database goes away between the work and the answer."""
    mona = Program(web, key(house.mona))
    away = "create function pg_temp.away() returns trigger language plpgsql as $$ begin raise 'gone' using errcode = '57P01'; end $$"
    with psycopg.connect(pg.url("postgres", str(hot_engine().url.database)), autocommit=True) as superuser:
        superuser.execute(away)
        superuser.execute(
            "create trigger away before update on console.idempotency for each row execute function pg_temp.away()"
        )
        made = mona("POST", "/workflows", {"title": "Gone"}, X_Idempotency_Key="gone")
        superuser.execute("drop trigger away on console.idempotency")
    assert (made.status_code, made.get_json()["title"]) == (201, "Gone")
    assert (
        mona("POST", "/workflows", {"title": "Gone"}, X_Idempotency_Key="gone").get_json()["id"]
        == made.get_json()["id"]
    )


def test_it_holds_for_a_day(web: Flask, house: Company) -> None:
    program, body = Program(web, key(house.olivia)), START | {"record": "2"}
    first = program("POST", "/runs", body, X_Idempotency_Key="day").get_json()
    ended(house.mona, first)
    fetch("update console.idempotency set at = now() - interval '25 h' returning key")
    fetch("delete from console.request_done returning key")  # nobody may change what it was done at
    sequencing.sweep()
    assert stored() == ""
    second = program("POST", "/runs", body, X_Idempotency_Key="day").get_json()
    assert second["id"] != first["id"]
    ended(house.mona, second)


# ------------------------------------------------------------------------------------------------------------ judged anew


def test_who_may_not_see_it_any_more_gets_what_the_address_gives(web: Flask, house: Company) -> None:
    passing = hired(("operator", "operations"), tags={"desks": ["retail"]})
    program = Program(web, key(passing))
    first = program("POST", "/runs", START | {"record": "4"}, X_Idempotency_Key="mine")
    address = f"/runs/{first.get_json()['id']}"
    assert program("POST", "/runs", START | {"record": "4"}, X_Idempotency_Key="mine").status_code == 201
    access.assign(passing.id, [("buyer", "procurement")])
    again, read = (
        program("POST", "/runs", START | {"record": "4"}, X_Idempotency_Key="mine"),
        program("GET", address),
    )
    assert (again.status_code, again.get_json()) == (read.status_code, read.get_json())
    assert again.status_code == 404
    ended(house.mona, first.get_json())


def test_what_was_erased_is_not_said_again(web: Flask, company: Company) -> None:
    """Also not by what is kept of the request itself: neither the key's words nor a hash that can be tried out."""
    program, body = Program(web, key(company.olivia)), {"reason": "Xylander moved to Tromso", "revision": 0}
    told = program("POST", "/runs", START, X_Idempotency_Key="adaeze@customers.example").get_json()
    body["revision"] = told["revision"]
    address = f"/runs/{told['id']}/abort"
    first = program("POST", address, body, X_Idempotency_Key="stop adaeze")
    assert "Xylander" in first.text
    kept = stored()
    plain = hashlib.sha256(f"POST /api/v1{address}?\n".encode()).hexdigest()
    assert not [word for word in ("Xylander", "adaeze", "Adaeze", plain) if word in kept]
    erasure.erase(company.ines, "customer", "1", "She asked us to.")
    again = program("POST", address, body, X_Idempotency_Key="stop adaeze")
    assert (again.status_code, again.get_json()["status"]) == (200, "aborted")
    assert not [word for word in ("Xylander", "Adaeze") if word in again.text]


def test_a_value_is_uncovered_anew_with_its_event_or_not_at_all(web: Flask, company: Company) -> None:
    fetch(
        """update console.collection set document = jsonb_set(document, '{fields,tax_id}', '{"sensitive": true}') where id = 'customer' returning id"""
    )
    access.grant("lead", "collection:customer", ["reveal"], team="operations")
    access.refresh()
    program = Program(web, key(company.mona))
    asked = ("POST", "/collections/customer/records/1/reveal", {"field": "tax_id", "reason": "Asked for"})

    def uncovered() -> int:
        return int(
            fetch('select count(*) from console.event where body like \'%%"type":"value_revealed"%%\'')[0][0]
        )

    first = program(*asked, X_Idempotency_Key="look")
    assert (first.status_code, first.get_json()["value"], uncovered()) == (200, "IE123", 1)
    assert (program(*asked, X_Idempotency_Key="look").get_json()["value"], uncovered()) == ("IE123", 2)
    assert "IE123" not in stored()
    access.assign(company.mona.id, [("operator", "operations")])
    again = program(*asked, X_Idempotency_Key="look")
    assert (again.status_code, "IE123" in again.text, uncovered()) == (404, False, 2)


def test_what_was_refused_is_judged_anew(web: Flask, house: Company) -> None:
    """It did nothing, so nothing is kept of it; another body under the key is refused all the same."""
    other, program = Program(web, key(house.tom)), Program(web, key(house.olivia))
    live = other("POST", "/runs", START, X_Idempotency_Key="theirs").get_json()
    assert program("POST", "/runs", START, X_Idempotency_Key="later").get_json()["code"] == "run_is_live"
    assert program("POST", "/runs", START, X_Idempotency_Key="later").get_json()["code"] == "run_is_live"
    assert program("POST", "/runs", START | {"record": "2"}, X_Idempotency_Key="later").status_code == 422
    ended(house.mona, live)
    made = program("POST", "/runs", START, X_Idempotency_Key="later")
    assert made.status_code == 201
    assert (
        program("POST", "/runs", START, X_Idempotency_Key="later").get_json()["id"] == made.get_json()["id"]
    )
    ended(house.mona, made.get_json())


# ----------------------------------------------------------------------------------------------------- calls of their own


def test_each_of_many_tickets_is_given_once(web: Flask, company: Company) -> None:
    """Killed half way, the rest is done by the repeat; what moved on since is left where it is."""
    mona, first, second = Program(web, key(company.mona)), company.started("1"), company.started("2")
    for run_id in (first, second):
        runs.escalate(
            company.olivia,
            run_id,
            revision=company.told(run_id)["revision"],
            inbox="desk",
            reason="Look.",
            priority="high",
        )
    body = {"tickets": [first], "user": company.tom.id, "reason": "Yours."}
    one = mona("POST", "/inboxes/desk/assign", body, X_Idempotency_Key="hand-1")
    assert one.get_json()["data"] == [{"ticket": first, "run": first, "reason": None}]
    runs.assign(company.mona, first, revision=None, user=company.olivia.id, reason="No, hers.")
    again = mona("POST", "/inboxes/desk/assign", body, X_Idempotency_Key="hand-1")
    assert again.get_json() == one.get_json()
    assert company.told(first)["holder"] == company.olivia.id
    both = mona(
        "POST", "/inboxes/desk/assign", body | {"tickets": [first, second]}, X_Idempotency_Key="hand-2"
    )
    assert [row["run"] for row in both.get_json()["data"]] == [first, second]
    runs.assign(company.mona, second, revision=None, user=company.olivia.id, reason="Hers too.")
    begin_again()
    fetch("update console.idempotency set at = now() - interval '31 s' where status is null returning key")
    assert (
        mona(
            "POST", "/inboxes/desk/assign", body | {"tickets": [first, second]}, X_Idempotency_Key="hand-2"
        ).status_code
        == 200
    )
    assert company.told(second)["holder"] == company.olivia.id
