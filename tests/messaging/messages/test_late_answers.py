"""What a provider tells when somebody is asked already what came of a message: nobody need answer any more, and nothing is sent twice."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import orjson
import pytest

from console import runs, workflows
from console.auth import access, accounts
from console.core.run.origin import RecordRef, StartedBy
from console.messaging.messages import message_rows, sending, test_messages
from tests.company import Company
from tests.messaging.messages import gateway as gateways, reached
from tests.messaging.messages.gateway import Other
from tests.messaging.messages.reached import SAM, line, status
from tests.messaging.messages.test_gateway import closes
from tests.messaging.messages.test_odd_callbacks import Calling, calling

__all__ = ["calling"]  # a fixture

pytestmark = pytest.mark.lengthy


@pytest.fixture
def other(company: Company, given_settings: Callable[..., None]) -> Iterator[Other]:
    with gateways.gateway(company, given_settings) as made:
        made.described()
        made.server.raw = closes
        yield made


def arrived(other: Other, message_id: str) -> int:
    return other.tells(orjson.dumps({"ref": message_id, "id": "77", "status": "delivered"}))


def test_a_receipt_answers_what_a_person_was_asked(other: Other) -> None:
    run_id = other.begin()
    other.later(2)
    sent = other.line(run_id).message
    told = other.company.told(run_id)["current"]["take_over"]
    assert (sent.outcome, status(other.company, run_id), told.keys()) == (
        "unknown",
        ("waiting_person", "sms"),
        {"code", "message"},
    )
    assert [arrived(other, sent.id) for _ in range(2)] == [200, 200]
    assert (other.line(run_id).status, other.line(run_id).reason) == ("delivered", "")
    assert status(other.company, run_id) == ("waiting_person", "ask")
    other.later(3)
    assert (status(other.company, run_id), len(other.server.received)) == (("waiting_person", "ask"), 1)
    assert list(runs.rebuild(check=True)) == []


def test_a_run_that_nobody_holds_leaves_the_inbox_or_the_saved_ones_by_it(other: Other) -> None:
    accounts.create_service_account("robot@fernwick.test", [("operations_lead", "operations")])
    steps = [{"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "sms"}}]
    steps += [
        {**gateways.SMS, "title": "Text", "next": {"default": "end"}},
        {"id": "end", "type": "end", "title": "End", "config": {}, "next": {}},
    ]
    document = {
        "format": 1,
        "slug": "alone",
        "title": "Alone",
        "team": "operations",
        "collection": "contact",
        "run_as": "robot@fernwick.test",
    }
    workflows.import_file(document | {"steps": steps}, publish=True)
    access.refresh()
    run_id = runs.start_hands_off(
        "alone", by=StartedBy("nightly", "schedule"), record=RecordRef("contact", SAM), values={}, key="k1"
    )
    reached.settle()
    other.later(2)
    assert status(other.company, run_id)[0] in ("saved", "waiting_person")
    assert arrived(other, other.line(run_id).message.id) == 200
    reached.settle()
    assert (status(other.company, run_id), len(other.server.received)) == (("completed", None), 1)
    assert list(runs.rebuild(check=True)) == []


def test_nobody_is_asked_about_a_message_that_no_run_waits_for(other: Other) -> None:
    message_id = test_messages.send_test(other.company.ines, "sms", "+12025550147")
    reached.settle()
    other.later(2)
    sent = message_rows.by_id(message_id)
    assert sent is not None
    assert (
        sent.status,
        str(sent.result["reason"]).endswith("before you send it again: it may reach them twice."),
    ) == ("unknown", True)
    assert "say what" not in str(sent.result["reason"])
    assert arrived(other, message_id) == 200
    assert message_rows.by_id(message_id).status == "delivered"  # type: ignore[union-attr]


def test_what_a_person_has_said_meanwhile_stands(other: Other) -> None:
    run_id = other.begin()
    other.later(2)
    first = other.line(run_id).message
    other.server.raw = None
    other.answers(200, b'{"messages": [{"id": "78"}]}')
    told = other.company.told(run_id)
    runs.complete(other.company.olivia, run_id, runs.Submission("sms", told["revision"], {}, "send"))
    reached.settle()
    assert (status(other.company, run_id), len(other.server.received)) == (("waiting_person", "ask"), 2)
    assert arrived(other, first.id) == 200
    assert status(other.company, run_id) == ("waiting_person", "ask")
    assert [line(other.company, run_id, number).status for number in (0, 1)] == ["delivered", "sent"]


def test_the_end_of_a_call_that_is_told_a_day_late_leads_on_by_its_answer(calling: Calling) -> None:
    run_id = reached.begin(calling.company, "nurture")
    call = calling.asked(run_id)
    for _ in sending.CALL_LOOKS:
        calling.move(timedelta(hours=18))
        reached.settle()
    assert (line(calling.company, run_id).message.outcome, status(calling.company, run_id)) == (
        "unknown",
        ("waiting_person", "call"),
    )
    assert calling.ended(call, outcome="answered", label="interested") == 200
    reached.settle()
    assert status(calling.company, run_id) == ("waiting_person", "ask")
    assert (line(calling.company, run_id).status, line(calling.company, run_id).reason) == ("delivered", "")


def test_a_call_that_a_busy_provider_has_begun_all_the_same_is_not_begun_again(calling: Calling) -> None:
    calling.server.fail = [503]
    run_id = reached.begin(calling.company, "nurture")
    call = calling.asked(run_id)
    assert line(calling.company, run_id).status == "waiting"
    assert calling.ended(call, outcome="failed") == 404, "nothing tells that it was begun: it is tried again"
    assert calling.ended(call, outcome="answered", label="interested") == 200
    calling.move(timedelta(hours=1))
    reached.settle()
    assert (status(calling.company, run_id), len(calling.server.asked)) == (("waiting_person", "ask"), 1)
