"""Steps that add, change and delete records by themselves, on the small company: checked like the record's own form, and never done twice."""

import contextlib
from typing import Any

import pytest

from console import runs
from console.auth import access
from console.auth.access import policy_store
from console.core.run import Effect
from console.infra.db import transaction
from console.infra.db.engine import fetch
from console.runs.store.run_store import load
from console.steps import effects
from tests.company import Company
from tests.runs.commands.test_midway import failing
from tests.support.engine import publish, step, whole

ACCOUNT = {
    "operation": "create",
    "collection": "account",
    "values": {"iban": "input.iban", "customer_id": "record.id", "status": "'open'"},
    "unique": ["iban"],
}
START = [{"name": "iban", "label": "IBAN", "type": "text"}, {"name": "risk", "label": "Risk", "type": "text"}]


@pytest.fixture(autouse=True)
def _granted(company: Company) -> None:
    access.grant("operator", "collection:customer", ["create", "update", "delete"], team="operations")
    access.grant(
        "operator", "collection:account", ["browse", "read", "create", "update", "delete"], team="operations"
    )


def done(
    company: Company,
    config: dict[str, Any],
    *,
    record: str = "1",
    then: dict[str, Any] | None = None,
    by: str = "olivia",
    **typed: Any,
) -> tuple[str, dict[str, Any]]:
    after = step("after", "output", "end", {"values": then}) if then else None
    steps = [
        step("start", "start", "act") | {"config": {"fields": START}},
        step("act", "action", "after" if after else "end", config),
        *([after] if after else []),
        step("end", "end", None),
    ]
    publish("acting", steps, collection="customer", exclusive=False)
    run_id = runs.start(company.olivia, "acting", "customer", record, typed)
    company.work()
    return run_id, company.told(run_id, by)


def effect_of(run_id: str) -> Effect:
    loaded = load(run_id, whole=True)
    assert loaded is not None
    return next(each for attempt in loaded.run.attempts.values() for each in attempt.effects)


def again(company: Company, run_id: str) -> dict[str, Any]:
    """What becomes of the effect when the process died after it was made and before that was noted."""
    loaded = load(run_id, whole=True)
    assert loaded is not None
    report = effects.recover(company.olivia, effect_of(run_id), loaded.run)
    return {"status": report.status} | dict((report.result or {}).get("values", {}))


def test_a_record_is_added_with_values_of_the_run_and_once(company: Company) -> None:
    run_id, told = done(company, ACCOUNT, then={"key": "steps.act.result.key"}, iban="LT001")
    assert (told["status"], told["context"]["act"]["results"]["create"]["added"]) == ("completed", True)
    assert company.sql("select iban, customer_id, status from account where iban = 'LT001'") == [
        ("LT001", 1, "open")
    ]
    found = again(company, run_id)
    assert (found["status"], found["added"], found["key"]) == (
        "succeeded",
        False,
        told["context"]["after"]["key"],
    )
    assert company.sql("select count(*) from account where iban = 'LT001'") == [(1,)]
    whole(run_id)


def test_a_change_says_before_and_after_and_fills_texts_in(company: Company) -> None:
    values = {"risk": "input.risk", "updated_at": "Rated {{ input.risk }}"}
    run_id, told = done(company, {"operation": "update", "values": values}, risk="high")
    result = told["context"]["act"]["result"]
    assert (result["old"]["risk"], result["new"]["risk"], told["status"]) == (None, "high", "completed")
    assert company.sql("select risk, updated_at from customer where id = 1") == [("high", "Rated high")]
    assert again(company, run_id)["changed"] is False
    company.sql("update customer set risk = 'low' where id = 1")
    assert again(company, run_id)["status"] == "unknown", (
        "somebody else has changed it since: that is not overwritten"
    )
    assert company.sql("select risk from customer where id = 1") == [("low",)]


def test_a_record_is_deleted_as_it_was_and_a_second_time_finds_it_gone(company: Company) -> None:
    config = {"operation": "delete", "collection": "account", "record": "input.iban"}
    run_id, told = done(company, config, iban="LT459999900012345678")
    result = told["context"]["act"]["result"]
    assert (told["status"], result["deleted"], result["old"]["status"]) == ("completed", True, "open")
    assert company.sql("select count(*) from account where iban = 'LT459999900012345678'") == [(0,)]
    assert again(company, run_id)["status"] == "succeeded"
    whole(run_id)


def test_the_runs_own_record_may_be_deleted_and_the_run_goes_on(company: Company) -> None:
    company.sql(
        "insert into customer (id, display_name, email, desk) values (9, 'Gone Soon', 'g@customers.example', 'retail')"
    )
    run_id, told = done(
        company,
        {"operation": "delete"},
        record="9",
        by="mona",
        then={"name": "steps.act.result.old.display_name"},
    )
    assert (told["status"], told["context"]["after"]["name"]) == ("completed", "Gone Soon")
    assert company.sql("select count(*) from customer where id = 9") == [(0,)]
    assert again(company, run_id)["status"] == "succeeded"


@pytest.mark.parametrize(
    ("config", "typed", "where", "reason"),
    [
        (
            {"operation": "update", "values": {"risk": "input.risk"}},
            {"risk": "enormous"},
            "risk",
            "one of low",
        ),
        ({"operation": "update", "values": {"risk": "steps.start.risk.level"}}, {}, "risk", "not known"),
        (
            ACCOUNT | {"values": ACCOUNT["values"] | {"customer_id": "999"}},  # type: ignore[operator]
            {"iban": "LT002"},
            "customer_id",
            "",
        ),
        ({"operation": "delete"}, {}, "", "refer"),
    ],
)
def test_what_the_records_own_form_would_refuse_is_refused(
    company: Company, config: dict[str, Any], typed: dict[str, Any], where: str, reason: str
) -> None:
    before = company.sql("select * from customer"), company.sql("select * from account")
    _, told = done(company, config, **typed)
    assert told["status"] == "waiting_person"
    assert reason in str(told["current"])
    assert (company.sql("select * from customer"), company.sql("select * from account")) == before


@pytest.mark.parametrize(
    ("act", "config"),
    [
        ("create", ACCOUNT),
        ("update", {"operation": "update", "values": {"risk": "'high'"}}),
        ("delete", {"operation": "delete", "collection": "account", "record": "input.iban"}),
    ],
)
def test_who_may_not_change_records_by_hand_does_not_by_a_step(
    company: Company, act: str, config: dict[str, Any]
) -> None:
    """The right to have records changed by actions does not count here."""
    of = "account" if act != "update" else "customer"
    access.grant("operator", f"collection:{of}", ["act"], team="operations")
    steps = [
        step("start", "start", "act") | {"config": {"fields": START}},
        step("act", "action", "end", config),
        step("end", "end", None),
    ]
    publish("acting", steps, collection="customer", exclusive=False)
    with transaction() as connection:
        policy_store.write(
            connection,
            added=[access.Row("p", "role:operator", "t:operations", f"collection:{of}", act, "deny", "")],
        )
    access.refresh()
    before = company.sql("select * from customer"), company.sql("select * from account")
    run_id = runs.start(
        company.olivia,
        "acting",
        "customer",
        "1",
        {"iban": "LT777" if act == "create" else "LT459999900012345678"},
    )
    company.work()
    told = company.told(run_id)
    assert (told["status"], told["current"]["take_over"]["code"]) in (
        ("waiting_person", "not_allowed"),
        ("waiting_person", "not_found"),
    )
    assert (company.sql("select * from customer"), company.sql("select * from account")) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    "point", ["effects.perform.before", "effects.perform.after", "effects.report.before"]
)
@pytest.mark.parametrize("operation", ["create", "update", "delete"])
def test_a_process_that_dies_around_it_writes_once(company: Company, point: str, operation: str) -> None:
    configs: dict[str, dict[str, Any]] = {
        "create": ACCOUNT,
        "update": {"operation": "update", "values": {"risk": "'high'"}},
        "delete": {"operation": "delete", "collection": "account", "record": "input.iban"},
    }
    iban = "LT777" if operation == "create" else "LT459999900012345678"
    steps = [
        step("start", "start", "act") | {"config": {"fields": START}},
        step("act", "action", "end", configs[operation]),
        step("end", "end", None),
    ]
    publish("acting", steps, collection="customer", exclusive=False)
    with failing(f"{point}=raise"), contextlib.suppress(Exception):
        runs.start(company.olivia, "acting", "customer", "1", {"iban": iban})
        company.work()
    [(run_id,)] = fetch(
        "select id from console.run where status <> 'cancelled' and workflow in (select id from console.workflow where slug = 'acting')"
    )
    fetch("update console.run set active_at = now() - interval '1 minute' returning 1")
    company.work()
    told = company.told(run_id)
    assert told["status"] == "completed", told["current"]
    wanted = {"create": [(1,)], "update": [(1,)], "delete": [(0,)]}[operation]
    counted = (
        "select count(*) from customer where id = 1 and risk = 'high'"
        if operation == "update"
        else f"select count(*) from account where iban = '{iban}'"
    )
    assert company.sql(counted) == wanted
    whole(run_id)
