"""Kinds of effects on the small company: records written, added and called for, each twice, after a crash, and without the right."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from console.auth import access
from console.core.errors import Conflict
from console.core.run import Effect, Run
from console.core.run.commands import Report
from console.runs.store.run_store import load
from console.steps import effects
from console.steps.effects import python
from tests.company import Company
from tests.support.acting import RATE, hand_in, imported, run_of

pytestmark = pytest.mark.lengthy


def action(*made: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "id": "customer.try",
        "title": "Try",
        "collection": "customer",
        "team": "operations",
        "effects": list(made),
        **more,
    }


def state(run_id: str) -> Run:
    found = load(run_id, whole=True)
    assert found is not None
    return found.run


def effect_of(run_id: str, number: int = 1) -> Effect:
    return next(
        each
        for attempt in state(run_id).attempts.values()
        for each in attempt.effects
        if each.number == number
    )


def again(company: Company, run_id: str, how: Any = effects.perform) -> Report:
    """The effect a second time, as a crash before it was noted would have it."""
    report = how(company.olivia, effect_of(run_id), state(run_id))
    assert isinstance(report, Report)
    return report


def done(company: Company, document: dict[str, Any], **values: Any) -> tuple[str, dict[str, Any]]:
    for role in ("operator", "lead"):
        access.grant(role, "collection:customer", ["act"], team="operations")
        access.grant(role, "collection:account", ["act"], team="operations")
    imported(document)
    run_id = run_of(company, document)
    return run_id, hand_in(company, run_id, **values)


# -- sql_write

CLOSE = {
    "kind": "sql_write",
    "name": "accounts",
    "summary": "Closes them",
    "collection": "account",
    "record": "related.open",
    "set": {"status": "'closed'"},
}
OPEN = [{"name": "open", "relation": "account", "fields": ["status"], "where": "record.status == 'open'"}]


def test_related_records_are_written_each(company: Company) -> None:
    run_id, told = done(company, action(CLOSE, related=OPEN))
    assert told["context"]["act"]["results"]["accounts"]["count"] == 1
    assert company.sql("select status from account order by iban") == [("closed",), ("closed",), ("open",)]
    assert again(company, run_id).result == {
        "name": "accounts",
        "values": {"records": [], "changed": False, "count": 0},
        "sent": {},
        "outcome": "succeeded",
    }


def test_what_somebody_else_changed_in_between_is_a_conflict_and_is_not_overwritten(company: Company) -> None:
    imported(RATE)
    run_id = run_of(company, RATE)
    assert hand_in(company, run_id, risk="high")["status"] == "completed"
    company.sql("update customer set risk = 'low' where id = 1")
    moved = replace(effect_of(run_id), request={**effect_of(run_id).request, "seen": {"risk": None}})
    report = effects.perform(company.olivia, moved, state(run_id))
    assert (report.status, report.code) == ("failed", "require")
    assert company.sql("select risk from customer where id = 1") == [("low",)]


def test_twice_and_after_a_crash_nothing_more_is_written(company: Company) -> None:
    imported(RATE)
    run_id = run_of(company, RATE)
    hand_in(company, run_id, risk="high")
    for how in (effects.perform, effects.recover, effects.check):
        report = again(company, run_id, how)
        assert (report.status, (report.result or {})["values"]["changed"]) == ("succeeded", False)


def test_what_the_scope_leaves_out_is_not_written(company: Company) -> None:
    imported(RATE)
    run_id = run_of(company, RATE)
    hand_in(company, run_id, risk="high")
    assert effects.perform(company.stan, effect_of(run_id), state(run_id)).status == "failed"


FORM = [{"name": "status", "label": "Status", "type": "text"}]
ADDED: dict[str, Any] = {
    "kind": "sql_insert",
    "name": "added",
    "summary": "Adds an account",
    "collection": "account",
    "unique": ["iban"],
    "values": {"iban": "key", "customer_id": "record.id", "status": "'open'"},
}
WRITES: dict[str, Any] = {
    "kind": "sql_write",
    "name": "customer",
    "summary": "Writes the address",
    "set": {"email": "input.status"},
}


def test_a_later_effect_that_is_refused_is_mended_and_the_first_is_not_done_again(company: Company) -> None:
    """Money would go out twice if the corrected form were another request to what it does not change."""
    run_id, told = done(company, action(ADDED, WRITES, form=FORM), status="x" * 80)
    assert told["status"] == "waiting_person"
    assert company.sql("select count(*) from account where customer_id = 1") == [(3,)]
    assert hand_in(company, run_id, status="short@x.example")["status"] == "completed"
    assert company.sql("select count(*) from account where customer_id = 1") == [(3,)]
    assert company.sql("select email from customer where id = 1") == [("short@x.example",)]


def test_a_first_effect_that_the_correction_would_change_is_asked_about(company: Company) -> None:
    first = {**ADDED, "values": {**ADDED["values"], "status": "input.status"}}
    run_id, _ = done(company, action(first, WRITES, form=FORM), status="x" * 80)
    with pytest.raises(Conflict) as error:
        hand_in(company, run_id, status="short@x.example")
    assert [detail["value"] for detail in error.value.details] == ["again"]
    assert company.sql("select count(*) from account where customer_id = 1") == [(3,)]


# -- sql_insert

ADD = {
    "kind": "sql_insert",
    "name": "account",
    "summary": "Adds an account",
    "collection": "account",
    "unique": ["iban"],
    "values": {"iban": "key", "customer_id": "record.id", "status": "'open'"},
}


def test_a_record_is_added_once_however_often_it_is_asked_for(company: Company) -> None:
    run_id, told = done(company, action(ADD))
    added = told["context"]["act"]["results"]["account"]
    assert (added["added"], added["key"]) == (True, effect_of(run_id).request["key"])
    for how in (effects.perform, effects.recover, effects.check):
        report = again(company, run_id, how)
        assert (report.status, (report.result or {})["values"]["added"]) == ("succeeded", False)
    assert company.sql("select count(*) from account where iban = ?", added["key"]) == [(1,)]


def test_without_a_unique_field_a_crash_leaves_it_open(company: Company) -> None:
    run_id, _ = done(company, action({**ADD, "unique": []}))
    assert again(company, run_id, effects.recover).code == "no_unique"
    assert effects.check(company.olivia, effect_of(run_id), state(run_id)) is None


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"iban": "'NL559999900012345670'", "customer_id": "1", "status": "'open'"}, "exists"),
        ({"iban": "null", "customer_id": "1", "status": "'open'"}, "invalid"),
        ({"iban": "key", "customer_id": "'nobody'", "status": "'open'"}, "invalid"),
        ({"iban": "key", "colour": "'red'", "status": "'open'"}, "invalid"),
    ],
)
def test_what_the_database_does_not_take_is_a_refusal(
    company: Company, values: dict[str, str], code: str
) -> None:
    unknown = {"iban": values["iban"]} if "colour" in values else values
    run_id, _ = done(
        company,
        action({**ADD, "values": unknown, "unique": []})
        | {"effects": [{**ADD, "values": values, "unique": []}]}
        if "colour" not in values
        else action(ADD),
    )
    if "colour" in values:
        bad = {**effect_of(run_id).request, "define": {**ADD, "values": values, "unique": []}}
        assert (
            effects.perform(company.olivia, replace(effect_of(run_id), request=bad), state(run_id)).code
            == code
        )
    else:
        assert effect_of(run_id).status == "failed"
    assert company.sql(
        "select count(*) from account where customer_id = 1 and iban = 'NL559999900012345670'"
    ) == [(0,)]


def test_who_may_not_add_adds_nothing(company: Company) -> None:
    run_id, _ = done(company, action(ADD))
    other = replace(effect_of(run_id), request={**effect_of(run_id).request, "key": "f" * 32})
    assert effects.perform(company.rosa, other, state(run_id)).status == "failed"
    assert company.sql("select count(*) from account where iban = ?", "f" * 32) == [(0,)]


# -- python

CALL = {
    "kind": "python",
    "name": "call",
    "summary": "Calls",
    "function": "test.act",
    "values": {"who": "record.display_name"},
}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the function was called with; it does what its first entry says."""
    called: list[Any] = []

    def act(values: Mapping[str, Any], key: str, door: python.Door) -> Mapping[str, Any]:
        called.append((dict(values), key, door.get("customer", "1").title))
        if len(called) > 1 and called[0] == "breaks":
            raise RuntimeError("half way")
        if len(called) > 1 and called[0] == "refuses":
            raise Conflict("Not today.")
        return {"n": len(called)}

    monkeypatch.setattr(python, "functions", lambda: {"test.act": act})
    return called


def test_a_function_gets_values_key_and_a_door_and_its_answer_is_the_result(
    company: Company, calls: list[Any]
) -> None:
    run_id, told = done(company, action(CALL, outcomes=[{"if": "results.call.n > 0", "outcome": "counted"}]))
    assert calls == [
        ({"who": "Adaeze Okonkwo-Bell"}, effect_of(run_id).request["key"], "Adaeze Okonkwo-Bell")
    ]
    assert told["context"]["act"]["outcome"] == "counted"


@pytest.mark.parametrize(
    ("what", "status", "code"), [("refuses", "failed", "conflict"), ("breaks", "unknown", "internal_error")]
)
def test_errors_of_ours_mean_refused_and_others_unknown(
    company: Company, calls: list[Any], what: str, status: str, code: str
) -> None:
    calls.append(what)
    run_id, told = done(company, action(CALL))
    assert (effect_of(run_id).status, told["status"]) == (status, "waiting_person")
    assert again(company, run_id).code == code


@pytest.mark.parametrize(("idempotent", "status"), [(True, "succeeded"), (False, "unknown")])
def test_after_a_crash_it_is_called_again_only_where_that_is_harmless(
    company: Company, calls: list[Any], idempotent: bool, status: str
) -> None:
    run_id, _ = done(company, action({**CALL, "idempotent": idempotent}))
    assert again(company, run_id, effects.recover).status == status
    assert len(calls) == (2 if idempotent else 1)


def test_the_door_is_that_of_who_acts(company: Company) -> None:
    access.grant("operator", "collection:account", ["act"], team="operations")
    door = python.Door(company.tom)
    assert [record.key for record in door.find("customer", {"desk": ["retail", "corporate"]})] == [
        "1",
        "2",
        "4",
    ]
    assert len(door.every("customer")) == 3
    assert [row.key for row in door.related("customer", "1", "account", where="record.status == 'open'")] == [
        "LT459999900012345678"
    ]
    made = door.insert("account", {"iban": "X1", "customer_id": 1, "status": "open"})
    assert door.same("account", {"customer_id": 1, "iban": "X1"}) == made
    assert (
        door.write("account", "X1", {"status": {"old": "open", "new": "closed"}}).values["status"] == "closed"
    )
