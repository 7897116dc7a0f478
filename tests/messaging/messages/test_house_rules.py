"""Hours and caps that an admin set: read when a message is about to leave, and what waits is judged anew by them."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from console import runs, workflows
from console.auth import accounts
from console.automation import enrolments
from console.automation.enrolments import Question
from console.core.contact_rules import document_of
from console.core.contacting import Rules
from console.core.errors import Conflict, Invalid, NotAllowed
from console.infra.db.engine import fetch
from console.messaging.messages import held_messages, rules as kept_rules
from console.operations import erasure
from console.operations.worker import Worker
from tests.company import Company
from tests.conftest import web_app
from tests.messaging.messages import reached
from tests.messaging.messages.reached import NOON, begin, line, workflow
from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy

SMS = {"id": "sms", "type": "sms", "config": {"text": "Hello {{ record.name }}"}}
LATER = {"id": "later", "type": "wait", "config": {"days": 2}}


@pytest.fixture
def club(company: Company) -> Iterator[Company]:
    reached.founded(company)
    with reached.clock(NOON):
        yield company


def document(**sms: Any) -> dict[str, Any]:
    """The rules of the code, with other hours for SMS: `tue=None` closes Tuesdays."""
    usual = document_of(Rules())
    return usual | {"hours": usual["hours"] | {"sms": usual["hours"]["sms"] | sms}}


def save(company: Company, wanted: dict[str, Any]) -> int:
    return kept_rules.save(company.ines, wanted, base=kept_rules.newest().version)


def test_hours_that_were_closed_hold_a_message_and_widened_ones_let_it_leave_at_once(club: Company) -> None:
    with reached.clock(NOON) as move:
        save(club, document(tue=None))
        run = begin(club, workflow("hello", [dict(SMS), dict(LATER)]))
        held = line(club, run)
        assert (held.status, held.reason) == (
            "waiting",
            "Quiet hours in Denver. SMS leave from 08:00 on Wednesday, 25 November there.",
        )
        save(club, document())
        assert held_messages.look_again() == 0, "not before every process knows the new rules"
        move(timedelta(seconds=4))
        assert held_messages.look_again() == 1
        reached.work()
        assert line(club, run).status == "delivered"
        assert held_messages.look_again() == 0
        assert fetch(
            "select count(*) from console.contact_rules where looked_at is null and version = 2"
        ) == [(0,)]


def test_a_worker_as_it_starts_holds_by_the_kept_rules_and_lets_go_when_they_are_widened(
    club: Company,
) -> None:
    """Nothing is called here: the worker's own duties see the message, the change of the rules, and the message again."""
    save(club, document(tue=None))
    slug = workflow("hello", [dict(SMS), dict(LATER)])
    worker = Worker()
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        run = runs.start(club.olivia, slug, "contact", reached.SAM, {})
        wait_for(
            lambda: fetch(
                "select 1 from console.message where run = %s and status = 'waiting' and code = 'quiet_hours'",
                (run,),
            )
        )
        save(club, document())
        wait_for(
            lambda: fetch("select 1 from console.message where run = %s and status = 'delivered'", (run,))
        )
    finally:
        worker.stop()
        thread.join(30)
    assert line(club, run).reason == ""


def wait_for(seen: Callable[[], Any]) -> None:
    """Until it sees something; fails after half a minute."""
    until = time.monotonic() + 30
    while not seen():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_message_that_waits_for_its_hour_is_called_off_when_its_contact_is_erased(club: Company) -> None:
    """The preview says so before; afterwards the outbox says why, and nothing leaves when the hour comes."""
    with reached.clock(NOON) as move:
        save(club, document(tue=None))
        accounts.create_service_account("robot@fernwick.example", [("operations_lead", "operations")])
        document_of_hello = workflows.live(workflow("hello", [dict(SMS), dict(LATER)])).document.to_json()
        workflows.import_file(document_of_hello | {"run_as": "robot@fernwick.example"}, publish=True)
        enrolments.batches.begin(club.mona, "hello", Question(keys=[reached.SAM]))
        enrolments.begin(enrolments.find("hello").id)
        reached.work()
        [run] = fetch("select run from console.message where status = 'waiting' and code = 'quiet_hours'")
        plan = erasure.preview(club.ines, "contact", reached.SAM)
        assert (plan.messages, plan.waiting, plan.live) == (1, 1, ())
        page = Pages(club, web_app()).ines.get(f"/c/contact/{reached.SAM}/erase").text
        assert "The text and address of 1 message to and from them. It waits, and will not leave" in " ".join(
            page.split()
        )
        erasure.erase(club.ines, "contact", reached.SAM, "Asked for it")
        gone = line(club, run[0])
        assert (gone.status, gone.reason, gone.text) == ("cancelled", "The contact was erased.", None)
        move(timedelta(days=1))
        reached.work()
        assert line(club, run[0]).status == "cancelled"
    assert fetch("select status from console.run") == [("cancelled",)]


def test_a_cap_names_who_used_it_and_reaches_as_far_back_as_it_says(club: Company) -> None:
    rules = document() | {"caps": [{"kinds": ["sms", "email"], "most": 1, "hours": 24 * 30}]}
    begin(club, workflow("hello", [dict(SMS), dict(LATER)]))
    with reached.clock(NOON + timedelta(days=20)):
        free = begin(club, workflow("again", [dict(SMS), dict(LATER)]))
        assert line(club, free).status == "delivered", "three in a week"
        save(club, rules)
        over = line(club, begin(club, workflow("more", [dict(SMS), dict(LATER)])))
    assert (over.status, over.message.code) == ("skipped", "over_cap")
    assert over.reason == "2 messages in 30 days already, by Hello and Again; at most 1 over all workflows."
    save(club, document() | {"caps": []})
    assert line(club, begin(club, workflow("freely", [dict(SMS), dict(LATER)]))).status == "delivered"


def test_very_many_that_wait_are_looked_at_in_parts_and_none_twice(
    club: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_messages, "AT_ONCE", 2)
    with reached.clock(NOON + timedelta(hours=10)) as move:
        for number in range(5):
            begin(club, workflow(f"hello-{number}", [dict(SMS), dict(LATER)]))
        save(club, document(wed=["10:30", "20:00"]))
        move(timedelta(seconds=4))
        parts = []
        while count := held_messages.look_again():
            parts.append(count)
            reached.work()
        assert parts == [2, 2, 1]
        assert {
            each[0].hour
            for each in fetch(
                "select due_at at time zone 'America/Denver' from console.message where status = 'waiting'"
            )
        } == {10}
        save(club, document(wed=["09:30", "20:00"]))
        move(timedelta(seconds=4))
        monkeypatch.setattr(held_messages, "MOST_DUE", 1)
        fetch(
            "update console.message set due_at = asked_at, code = null where id = (select min(id) from console.message) returning 1"
        )
        assert held_messages.look_again() == 0, "what has to leave now goes first"


def test_two_admins_at_once_the_second_is_told_and_nothing_is_lost(club: Company) -> None:
    assert kept_rules.save(club.ines, document(tue=None), base=0) == 1
    with pytest.raises(Conflict, match="in the meantime"):
        kept_rules.save(club.ines, document(wed=None), base=0)
    assert kept_rules.newest().rules == kept_rules.read(document(tue=None))
    assert kept_rules.save(club.ines, document(tue=None), base=1) == 1, "nothing changed, nothing is kept"
    [told] = kept_rules.versions()
    assert told.changes == ("SMS on Tuesdays: closed instead of 08:00 to 20:00.",)


def test_who_sets_up_no_channels_sets_no_rules_and_wrong_ones_are_refused_by_field(club: Company) -> None:
    with pytest.raises(NotAllowed):
        kept_rules.save(club.olivia, document(), base=0)
    with pytest.raises(Invalid) as refused:
        kept_rules.save(club.ines, document(tue=["20:00", "08:00"]), base=0)
    assert [each["field"] for each in refused.value.details] == ["hours.sms.tue"]
    assert kept_rules.current() == Rules()
