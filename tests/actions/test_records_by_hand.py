"""Records added and deleted by hand: in scope, field by field, once, and in the log."""

import json
from typing import Any

import pytest

from console import actions, browse, log, records
from console.actions import record_changes
from console.auth import access, accounts
from console.auth.access import narrowing, policy_words
from console.core.errors import Conflict, ConsoleError, Invalid, NotAllowed, NotFound
from console.infra import subjects
from console.infra.db.engine import fetch
from tests.company import Company
from tests.conftest import web_app

NEW: dict[str, Any] = {"display_name": "Newcomer", "desk": "retail", "email": "new@customers.example"}


@pytest.fixture(autouse=True)
def rights(company: Company) -> None:
    for role, where in (("operator", "record.desk in $currentUser.tags.desks"), ("lead", "")):
        access.grant(role, "collection:customer", ["create", "delete"], where, team="operations")
    access.refresh()


def told() -> list[tuple[Any, Any]]:
    """(effect, result) of each change by hand in the log, in order."""
    rows = fetch(
        "select convert_from(body, 'UTF8') from console.event where convert_from(body, 'UTF8') like '%%\"record_changed\"%%' order by id"
    )
    return [
        (body["data"]["open"].get("effect"), body["data"]["open"]["result"])
        for body in (json.loads(row[0]) for row in rows)
    ]


def test_a_record_is_added_in_scope(company: Company) -> None:
    made = record_changes.create(company.tom, "customer", NEW)
    assert (made.values["display_name"], made.values["desk"], "tax_id" in made.values) == (
        "Newcomer",
        "retail",
        False,
    )
    assert company.sql("select display_name, desk from customer where id = ?", made.key) == [
        ("Newcomer", "retail")
    ]
    with pytest.raises(NotAllowed):
        record_changes.create(company.tom, "customer", NEW | {"desk": "corporate"})
    assert company.sql("select count(*) from customer") == [(5,)]
    assert (
        record_changes.create(company.mona, "customer", NEW | {"desk": "corporate", "tax_id": "LT1"}).values[
            "desk"
        ]
        == "corporate"
    )


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"display_name": "X", "desk": "nowhere"}, "desk"),
        ({"nothing": 1}, "nothing"),
        ({"display_name": "X", "desk": "retail", "tax_id": "LT1"}, "tax_id"),
        ({"desk": "retail"}, "display_name"),
    ],
)
def test_what_cannot_be_is_named_and_nothing_is_added(
    company: Company, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        record_changes.create(company.olivia, "customer", values)
    assert field in {detail["field"] for detail in refused.value.details}
    assert company.sql("select count(*) from customer") == [(4,)]


def test_a_record_that_is_there_is_not_added_twice(company: Company) -> None:
    with pytest.raises(Conflict) as refused:
        record_changes.create(company.mona, "customer", NEW | {"id": 1})
    assert refused.value.code == "exists"


def test_a_record_is_deleted_where_it_is_as_it_was_seen(company: Company) -> None:
    with pytest.raises(Conflict) as moved:
        record_changes.delete(company.tom, "customer", "2", {"risk": "high"})
    assert moved.value.details[0] == moved.value.details[0] | {"field": "risk", "theirs": "low"}
    record_changes.delete(company.tom, "customer", "2", {"risk": "low"})
    assert company.sql("select count(*) from customer where id = 2") == [(0,)]
    with pytest.raises(NotFound):
        record_changes.delete(company.tom, "customer", "2", {})


@pytest.mark.parametrize(
    ("who", "key", "error"),
    [("tom", "3", NotFound), ("stan", "1", NotFound), ("rosa", "1", NotAllowed), ("ada", "1", ConsoleError)],
)
def test_who_may_not_deletes_nothing(company: Company, who: str, key: str, error: type[ConsoleError]) -> None:
    with pytest.raises(error):
        record_changes.delete(company.people[who], "customer", key, {})
    with pytest.raises(ConsoleError):
        record_changes.create(company.people[who], "customer", NEW | {"desk": "corporate"})
    assert company.sql("select count(*) from customer") == [(4,)]


def test_the_log_says_what_was_added_and_deleted(company: Company) -> None:
    made = record_changes.create(company.tom, "customer", NEW)
    record_changes.delete(company.tom, "customer", made.key or "", {})
    assert told() == [("added", "succeeded"), ("deleted", "succeeded")]


def test_the_actions_of_a_collection_are_those_that_the_reader_may_do(company: Company) -> None:
    from tests.support.acting import imported
    from tests.support.paying import PAY, RECALL

    access.grant("operator", "collection:customer", ["act"], team="operations")
    imported(RECALL, PAY)
    for name, person in company.people.items():
        key = accounts.create_key("check", person.id).text
        answer = (
            web_app()
            .test_client()
            .get("/api/v1/collections/customer", headers={"Authorization": f"Bearer {key}"})
        )
        offered = [one["id"] for one in answer.get_json()["actions"]] if answer.status_code == 200 else []
        assert offered == [one.id for one in actions.offered(person, "customer")], name
        assert bool(offered) == (name in ("olivia", "tom", "mona")), name


def test_adding_and_deleting_over_the_api(company: Company) -> None:
    client, headers = web_app().test_client(), {}
    for name, status in (("tom", 201), ("stan", 404), ("rosa", 403)):
        headers = {"Authorization": f"Bearer {accounts.create_key('check', company.people[name].id).text}"}
        assert (
            client.post(
                "/api/v1/collections/customer/records", json={"values": NEW}, headers=headers
            ).status_code
            == status
        )
    headers = {
        "Authorization": f"Bearer {accounts.create_key('again', company.tom.id).text}",
        "X-Idempotency-Key": "one",
    }
    first = client.post("/api/v1/collections/customer/records", json={"values": NEW}, headers=headers)
    again = client.post("/api/v1/collections/customer/records", json={"values": NEW}, headers=headers)
    made, same = first.json or {}, again.json or {}
    assert (first.status_code, again.status_code, made) == (201, 201, same), "once"
    assert (again.headers["X-Idempotency-Replayed"], company.sql("select count(*) from customer")) == (
        "true",
        [(6,)],
    )
    company.sql("update customer set display_name = 'Renamed' where id = ?", made["key"])
    anew = (
        client.post("/api/v1/collections/customer/records", json={"values": NEW}, headers=headers).json or {}
    )
    assert anew["values"]["display_name"] == "Renamed", "as it stands now"
    company.sql("update customer set display_name = 'Newcomer' where id = ?", made["key"])
    gone = f"/api/v1/collections/customer/records/{made['key']}"
    headers.pop("X-Idempotency-Key")
    assert (
        client.delete(gone, json={"expected": {"display_name": "Another"}}, headers=headers).status_code
        == 409
    )
    assert (
        client.delete(gone, json={"expected": {"display_name": "Newcomer"}}, headers=headers).status_code
        == 204
    )
    assert client.get(gone, headers=headers).status_code == 404


def test_what_was_added_is_found_by_its_event(company: Company) -> None:
    """Under a name that is not its key too; where nobody knows whether it was added, the repeat says so."""
    record_changes.create(company.tom, "customer", NEW)
    with browse.intended(
        company.tom, records.collection("customer"), "added", None, old={}, new=NEW, whose=None
    ) as intent:
        intent.settle("unknown")
    sure, unsure = [event for event in log.events_of(company.tom.session) if event.type == "record_changed"]
    assert record_changes.added(company.tom, "customer", sure).values["display_name"] == "Newcomer"
    with pytest.raises(record_changes.NotKnown):
        record_changes.added(company.tom, "customer", unsure)
    for person, refusal in (("stan", NotFound), ("rosa", NotAllowed)):
        with pytest.raises(refusal):
            record_changes.added(company.people[person], "customer", sure)
    assert subjects.record_behind("customer", subjects.ref("customer", "2")) == "2"
    assert subjects.record_behind("account", subjects.ref("customer", "2")) is None


def test_what_opens_something_is_offered_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    acts = {"create", "delete", "export"}
    assert acts <= {*policy_words.offered("collection")}
    assert acts <= {*narrowing.spoken_kinds(access.ACTS)["collection"]}
    for room in (policy_words, narrowing):
        monkeypatch.setattr(room, "NOT_YET", {"collection": frozenset({"export"})})
    assert "export" not in policy_words.offered("collection")
    assert "export" not in narrowing.spoken_kinds(access.ACTS)["collection"]
    access.Row("p", "role:lead", "*", "collection:customer", "export")  # a stored row stays what it was
