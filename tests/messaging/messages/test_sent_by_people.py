"""E-mails that a person sends: once, after the approval that the rules ask for, and kept with the run."""

from collections.abc import Iterator
from typing import Any

import pytest

from console import runs
from console.auth import access
from console.auth.access import policy_store
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.infra.db import transaction
from console.infra.db.engine import fetch
from console.messaging.messages import message_rows, test_messages
from console.messaging.messages.delivery_gate import DeliveryGate
from console.runs import Submission
from console.work import approvals
from tests.company import Company
from tests.messaging.messages import reached
from tests.messaging.messages.reached import NOON, SAM, line, status, workflow

LETTER: dict[str, Any] = {
    "id": "letter",
    "type": "email",
    "config": {
        "by": "person",
        "about": "case",
        "to": "record.email",
        "language": "record.language",
        "subject": "Your account",
        "body": 'Dear {{ record.name }},\n\nyour balance is {{ money(record.worth, "EUR") }}.\n\nFernwick',
        "translations": [
            {
                "language": "lt",
                "subject": "Jūsų sąskaita",
                "body": 'Sveiki, {{ record.name }},\n\n{{ money(record.worth, "EUR") }}.\n\nFernwick',
            }
        ],
    },
    "next": {"sent": "after", "skipped": "after"},
}
AFTER = {
    "id": "after",
    "type": "guidance",
    "config": {
        "text": "{{ steps.letter.status }}, {{ steps.letter.edited }} % edited: {{ steps.letter.text }}"
    },
}
RULES = [{"roles": ["operations_lead"], "why": "Letters are read by a lead."}]


def letter(**settings: Any) -> dict[str, Any]:
    return {**LETTER, "config": {**LETTER["config"], **settings}}


@pytest.fixture
def club(company: Company) -> Iterator[Company]:
    reached.founded(company)
    with reached.clock(NOON):
        yield company


def begun(club: Company, **settings: Any) -> str:
    return runs.start(
        club.olivia, workflow("answer", [letter(**settings), AFTER], exclusive=False), "contact", SAM, {}
    )


def send(
    club: Company,
    run_id: str,
    values: dict[str, Any] | None = None,
    outcome: str | None = "send",
    **more: Any,
) -> None:
    runs.complete(club.olivia, run_id, Submission("letter", None, values or {}, outcome, **more))


def asked(run_id: str) -> list[str]:
    return [
        row[0]
        for row in fetch("select id from console.approval where run = %s order by requested_at", (run_id,))
    ]


def sender(club: Company, run_id: str) -> str | None:
    """Who has done the step."""
    (attempt,) = (each for each in club.told(run_id)["attempts"] if each["step"] == "letter")
    return attempt["by"]  # type: ignore[no-any-return]


def test_the_draft_waits_for_a_person_and_leaves_as_they_send_it(club: Company) -> None:
    run_id = begun(club)
    assert status(club, run_id) == ("waiting_person", "letter")
    send(club, run_id, {"text": "Dear Sam, your balance is €100.50. Greetings"})
    assert fetch("select count(*) from console.message where run = %s", (run_id,)) == [(1,)]
    reached.work()
    assert status(club, run_id) == ("waiting_person", "after")
    told = club.told(run_id)["context"]["letter"]
    assert (told["status"], told["text"]) == ("sent", "Dear Sam, your balance is €100.50. Greetings")
    assert told["edited"] > 5
    assert sender(club, run_id) == club.olivia.id
    assert line(club, run_id).text == told["text"].replace(".", ".")
    assert told["message"] == line(club, run_id).message.id


def test_nothing_leaves_before_the_approval_and_then_exactly_what_was_approved(club: Company) -> None:
    run_id = begun(club, approval=RULES)
    send(club, run_id)
    assert status(club, run_id)[0] == "waiting_event"
    assert fetch("select count(*) from console.message where run = %s", (run_id,)) == [(0,)]
    (request,) = asked(run_id)
    told = approvals.get(club.mona, request).line
    assert told.values["text"] == "Dear Sam Whitfield,\n\nyour balance is €100.50.\n\nFernwick"
    for other in (club.olivia, club.ada):
        with pytest.raises((NotAllowed, NotFound)):
            runs.approve(other, request)
    assert request in [each.id for each in approvals.to_review(club.mona).lines]
    runs.approve(club.mona, request)
    reached.work()
    assert status(club, run_id) == ("waiting_person", "after")
    assert line(club, run_id).text is not None
    assert club.told(run_id)["context"]["letter"]["status"] == "sent"
    assert sender(club, run_id) == club.olivia.id
    with pytest.raises(Conflict):
        runs.approve(club.mona, request)
    assert fetch("select count(*) from console.message where run = %s", (run_id,)) == [(1,)]


def test_a_rejected_letter_comes_back_as_it_was_written(club: Company) -> None:
    run_id = begun(club, approval=RULES)
    send(club, run_id, {"text": "€100.50, and that is all"})
    runs.reject(club.mona, asked(run_id)[0], reason="Be kinder")
    told = club.told(run_id)["current"]
    assert told["step"] == "letter"
    assert {field["name"]: field["value"] for field in told["form"]["fields"]}[
        "text"
    ] == "€100.50, and that is all"
    assert fetch("select count(*) from console.message where run = %s", (run_id,)) == [(0,)]


def test_after_revise_a_letter_that_left_is_sent_again_only_with_a_reason(club: Company) -> None:
    for rules in ([], RULES):
        run_id = begun(club, approval=rules)
        for number in (1, 2):
            again: dict[str, Any] = (
                {"repeat": "again", "reason": "The first had a mistake"} if number == 2 else {}
            )
            if number == 2:
                with pytest.raises(Conflict) as refused:
                    send(club, run_id, {"subject": "Once more"})
                assert refused.value.code == "already_done"
            send(club, run_id, {"subject": f"Number {number}"}, **again)
            if rules:
                runs.approve(club.mona, asked(run_id)[-1])
            reached.work()
            assert status(club, run_id) == ("waiting_person", "after")
            if number == 1:
                runs.revise(
                    club.olivia, run_id, revision=None, step="letter", attempt=None, reason="Look again"
                )
        assert fetch("select count(*) from console.message where run = %s", (run_id,)) == [(2,)]


def test_who_may_not_work_on_the_run_sends_nothing(club: Company) -> None:
    run_id = begun(club)
    for other in (club.stan, club.ada, club.mona):
        with pytest.raises((NotAllowed, NotFound, Conflict)):
            runs.complete(other, run_id, Submission("letter", None, {}, "send"))
    assert fetch("select count(*) from console.message where run = %s", (run_id,)) == [(0,)]
    with pytest.raises(Invalid):
        send(club, run_id, {}, "skipped")
    send(club, run_id, {"reason": "They called"}, "skipped")
    assert club.told(run_id)["context"]["letter"] == {
        "status": "skipped",
        "reason": "They called",
        "to": "sam@post.example",
    }


def test_a_copy_goes_to_who_asks_for_it_alone_and_the_run_stays(club: Company) -> None:
    run_id = begun(club)
    typed = Submission("letter", None, {"to": "other@post.example", "subject": "Almost\r\nBcc: x@y.example"})
    message_id = test_messages.send_copy(club.olivia, run_id, typed)
    reached.work()
    copy = message_rows.by_id(message_id)
    assert copy is not None
    assert copy.status == "sent"
    assert copy.content is not None
    assert (copy.content["to"], copy.content["subject"]) == (
        club.olivia.email,
        "Copy: Almost Bcc: x@y.example",
    )
    assert status(club, run_id) == ("waiting_person", "letter")
    for other in (club.stan, club.ada, club.mona):
        with pytest.raises((NotAllowed, NotFound, Conflict)):
            test_messages.send_copy(other, run_id, typed)
    with transaction() as connection:
        hidden = access.Row("p", "role:operator", "t:operations", "field:contact/worth", "read", "deny", "")
        policy_store.write(connection, added=[hidden])
    access.refresh()
    with pytest.raises(NotAllowed):
        test_messages.send_copy(club.olivia, run_id, Submission("letter", None, {}))


def test_a_dry_run_says_whom_an_approved_letter_would_reach(club: Company) -> None:
    workflow("answer", [letter(approval=RULES), AFTER], exclusive=False)
    gate = DeliveryGate(club.mona, "Answer")
    answers = {"letter": {"outcome": "send", "approval": "approved"}}
    found = runs.try_workflow(
        club.mona, "answer", record=SAM, given={}, answers=answers, effects={}, gate=gate
    )
    assert found.question is not None
    assert [(each.step, each.request["content"]["to"]) for each in found.would_send] == [
        ("letter", "sam@post.example")
    ]
    assert found.question.step == "after"


def test_a_letter_that_cannot_leave_comes_back_as_it_was_written(club: Company) -> None:
    run_id = begun(club)
    send(club, run_id, {"text": "€100.50, and that is all"})
    [(message_id,)] = fetch("select id from console.message where run = %s", (run_id,))
    runs.will_not_come(run_id, message_id, "message_failed", "The server takes no mail.", asks=True)
    told = club.told(run_id)["current"]
    assert told["take_over"]["message"] == "The server takes no mail."
    fields = {field["name"]: field["value"] for field in told["form"]["fields"]}
    assert fields["text"] == "€100.50, and that is all"
