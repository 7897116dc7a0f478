"""The question before activation says whom the triggers of a workflow would let in now, as far as the reader sees them."""

from collections.abc import Iterator
from typing import Any

import pytest

from console import monitoring, workflows
from console.auth import access, accounts
from console.auth.access import policy_store
from console.automation import enrolments
from console.automation.enrolments import Question
from console.browse import tags
from console.infra.db.engine import transaction
from tests.company import Company
from tests.jobs import work_until_idle
from tests.messaging.messages import reached
from tests.tables import cases

TEXT: dict[str, Any] = {
    "id": "text",
    "type": "sms",
    "config": {"text": "Hello"},
    "next": {"sent": "end", "skipped": "end", "failed": "end", "expired": "end"},
}
TAGGED = {"id": "tagged", "kind": "event", "on": "tag.added", "filter": 'event.tag == "Lead"'}
CHANGED = {"id": "changed", "kind": "event", "on": "record.updated", "filter": "former.name != record.name"}


@pytest.fixture
def club(company: Company) -> Iterator[Company]:
    """The club with its six contacts, and a workflow that sends an SMS."""
    reached.founded(company)
    reached.workflow("reaching", [dict(TEXT)])
    accounts.create_service_account("robot@fernwick.test", [("operations_lead", "operations")])
    with reached.clock(reached.NOON):
        yield company


def with_triggers(company: Company, *triggers: dict[str, Any], **more: Any) -> None:
    document = workflows.open_draft(company.mona, "reaching").document
    workflows.import_file(
        document | more | {"triggers": list(triggers), "run_as": "robot@fernwick.test"}, publish=True
    )


def let_in(company: Company) -> dict[str, Any] | None:
    found: dict[str, Any] | None = monitoring.activation(company.mona, "reaching").to_json()["let_in"]
    return found


@cases("trigger, count, noted", [(TAGGED, 2, False), (CHANGED, 6, True)])
def test_those_whom_the_filter_takes_are_counted(
    club: Company, trigger: dict[str, Any], count: int, noted: bool
) -> None:
    tags.put(club.olivia, "contact", [reached.SAM, reached.ANA], "lead")
    with_triggers(club, trigger)
    found = let_in(club)
    assert found is not None
    assert (found["count"], found["more"], bool(found["notes"])) == (count, False, noted)


def test_who_is_in_it_or_would_leave_at_once_is_not_counted(club: Company) -> None:
    with_triggers(club, CHANGED)
    enrolments.batches.begin(club.olivia, "reaching", Question(keys=[reached.SAM]))
    work_until_idle()
    found = let_in(club)
    assert found is not None
    assert (found["count"], found["inside"]) == (5, 1)
    with_triggers(club, CHANGED, exits=[{"if": f"record.id == {reached.ANA}", "reason": "no"}])
    found = let_in(club)
    assert found is not None
    assert (found["count"], found["leaving"]) == (4, 1)


def test_contacts_outside_the_scope_are_not_counted(club: Company) -> None:
    with transaction() as connection:
        rows = [
            access.Row(
                "p",
                "role:operations_lead",
                "t:operations",
                "collection:contact",
                act,
                "deny",
                "record.id > 2",
            )
            for act in ("browse", "read")
        ]
        policy_store.write(connection, added=rows)
    access.refresh()
    with_triggers(club, CHANGED)
    found = let_in(club)
    assert found is not None
    assert found["count"] == 2
