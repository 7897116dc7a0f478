"""An effect that deletes a record: as it was, once, and only by who may."""

from typing import Any

from console import runs
from console.auth import access
from console.auth.access import policy_store
from console.infra.db import transaction
from console.steps import effects
from tests.company import Company
from tests.steps.effects.test_kinds import again
from tests.support.acting import hand_in, imported, run_of

IBAN = "LT459999900012345678"
GONE: dict[str, Any] = {
    "kind": "sql_delete",
    "name": "gone",
    "summary": "Deletes the account",
    "collection": "account",
    "record": "input.iban",
}
CLOSE: dict[str, Any] = {
    "format": 1,
    "id": "account.remove",
    "title": "Remove the account",
    "collection": "customer",
    "team": "operations",
    "form": [{"name": "iban", "label": "IBAN", "type": "text"}],
    "effects": [GONE],
}


def left(company: Company) -> int:
    return int(company.sql(f"select count(*) from account where iban = '{IBAN}'")[0][0])


def test_it_is_deleted_once_and_looked_up_after_a_crash(company: Company) -> None:
    access.grant("operator", "collection:account", ["act"], team="operations")
    imported(CLOSE)
    run_id = run_of(company, CLOSE)
    told = hand_in(company, run_id, iban=IBAN)
    result = told["context"]["act"]["results"]["gone"]
    assert (told["status"], result["deleted"], result["old"]["status"], left(company)) == (
        "completed",
        True,
        "open",
        0,
    )
    assert again(company, run_id, effects.recover).status == "succeeded"
    report = again(company, run_id, effects.check)
    assert report.status == "succeeded"
    company.sql(f"insert into account values ('{IBAN}', 1, 'open')")
    assert again(company, run_id, effects.check).status == "failed"


def test_who_may_not_and_what_is_not_there_is_refused(company: Company) -> None:
    with transaction() as connection:
        denied = [
            access.Row("p", "role:operator", "t:operations", "collection:account", act, "deny", "")
            for act in ("act", "delete")
        ]
        policy_store.write(connection, added=denied)
    access.refresh()
    imported(CLOSE)
    for iban in (IBAN, "LT000000000000000000", ""):
        run_id = run_of(company, CLOSE)
        assert hand_in(company, run_id, iban=iban)["status"] == "waiting_person", iban
        runs.abort(company.olivia, run_id, revision=None, reason="next")
    assert left(company) == 1
