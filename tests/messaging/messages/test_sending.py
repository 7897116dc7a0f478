"""Messages from the step to the provider and back, by the worker's own functions."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from console import runs
from console.automation import enrolments
from console.core.errors import ConsoleError
from console.infra.db.engine import fetch
from console.messaging.messages import reachable
from tests.company import Company
from tests.messaging.messages import reached
from tests.messaging.messages.reached import BRAM, NOON, SAM, begin, line, status, workflow
from tests.servers import outside

SMS = {"id": "sms", "type": "sms", "config": {"text": "Hello {{ record.name }}"}}
ASK = {"id": "ask", "type": "guidance", "config": {"text": "Look"}}


@pytest.fixture
def club(company: Company) -> Iterator[Company]:
    reached.founded(company)
    with reached.clock(NOON):
        yield company


def test_the_sandbox_keeps_what_would_have_left(club: Company) -> None:
    workflow("hello", [dict(SMS), dict(ASK)])
    run_id = begin(club, "hello")
    assert status(club, run_id) == ("waiting_person", "ask")
    sent = line(club, run_id)
    assert (sent.status, sent.text, sent.message.sandbox, sent.who) == (
        "delivered",
        "Hello Sam Whitfield",
        True,
        "Sam Whitfield",
    )
    assert sent.to_json()["consent"] == "given 1 Apr 2026, web form, text 2026-01"
    assert club.told(run_id)["context"]["sms"]["status"] == "sent"


def test_what_left_is_kept_though_its_run_cannot_go_on_and_the_run_is_told_later(
    club: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_more: object) -> bool:
        raise ValueError

    workflow("hello", [dict(SMS), dict(ASK)])
    monkeypatch.setattr(runs, "arrive", broken)
    run_id = begin(club, "hello")
    assert line(club, run_id).status == "delivered"
    assert status(club, run_id) == ("waiting_event", "sms")
    monkeypatch.undo()
    fetch("update console.message set at = at - interval '10 seconds' where told_at is null returning 1")
    reached.settle()
    assert status(club, run_id) == ("waiting_person", "ask")
    assert fetch("select count(*) from console.message where run = %s", (run_id,)) == [(1,)]


def test_sms_leave_by_twilio_and_its_look_up_finds_what_may_have_left(
    club: Company, given_settings: Callable[..., None]
) -> None:
    workflow("hello", [dict(SMS), dict(ASK)])
    with reached.twilio() as server, reached.clock(NOON) as move:
        given_settings(**reached.by_twilio(server))
        run_id = begin(club, "hello")
        assert [(one["to"], one["body"]) for one in server.messages] == [
            ("+12025550147", "Hello Sam Whitfield")
        ]
        assert line(club, run_id).status == "sent"
        server.lost = 1
        second = begin(club, workflow("again", [dict(SMS), dict(ASK)]))
        assert status(club, second) == ("waiting_event", "sms")
        assert (line(club, second).message.status, "cannot be told" in line(club, second).reason) == (
            "unknown",
            True,
        )
        move(timedelta(seconds=10))
        reached.work()
        assert (line(club, second).status, line(club, second).reason) == ("sent", ""), "it is known now"
        assert status(club, second) == ("waiting_person", "ask")
        assert len(server.messages) == 2, "never sent twice"


def test_a_provider_that_is_down_is_asked_again_and_then_the_message_has_failed(
    club: Company, given_settings: Callable[..., None]
) -> None:
    workflow("hello", [dict(SMS, next={"sent": "ask", "skipped": "end", "failed": "end"}), dict(ASK)])
    with reached.twilio() as server, reached.clock(NOON) as move:
        given_settings(**reached.by_twilio(server))
        server.fail = [429, 429]
        run_id = begin(club, "hello")
        assert (line(club, run_id).status, status(club, run_id)) == ("waiting", ("waiting_event", "sms"))
        server.more = {"Retry-After": "5400"}
        move(timedelta(minutes=10))
        reached.work()
        move(timedelta(minutes=80))
        reached.work()
        assert (line(club, run_id).status, server.fail) == ("waiting", []), (
            "Twilio asked for an hour and a half"
        )
        move(timedelta(minutes=11))
        reached.work()
        assert status(club, run_id) == ("waiting_person", "ask")
        server.fail = [400]
        failed = begin(
            club,
            workflow(
                "again", [dict(SMS, next={"sent": "ask", "skipped": "end", "failed": "end"}), dict(ASK)]
            ),
        )
        assert (status(club, failed)[0], line(club, failed).message.code) == ("completed", "refused")


def test_a_run_whose_message_reached_nobody_is_done_again_from_there_and_one_whose_message_may_have_is_not(
    club: Company, given_settings: Callable[..., None]
) -> None:
    workflow("hello", [dict(SMS), dict(ASK)], on_error="fail")
    with reached.twilio() as server:
        given_settings(**reached.by_twilio(server))
        server.fail = [400]
        refused = begin(club, "hello")
        assert (club.told(refused)["status"], line(club, refused).status) == ("failed", "failed")
        again = runs.rerun(club.olivia, refused, origin="failure", version="current")
        reached.work()
        assert (status(club, again), line(club, again).status) == (("waiting_person", "ask"), "sent")
        server.garbled = 9
        unclear = begin(club, workflow("other", [dict(SMS), dict(ASK)], on_error="fail"))
        runs.cancel(club.mona, unclear, revision=club.told(unclear)["revision"], reason="Nobody knows.")
        assert line(club, unclear).status not in ("failed", "cancelled")
        with pytest.raises(ConsoleError, match="would be made a second time"):
            runs.rerun(club.olivia, unclear, origin="failure", version="current")


def test_an_email_has_two_bodies_and_a_link_that_ends_messages(
    club: Company, given_settings: Callable[..., None]
) -> None:
    email = {
        "id": "email",
        "type": "email",
        "config": {
            "subject": "For {{ record.name }}",
            "body": "Dear **{{ record.name }}**,\n\n- [Terms](https://a.example)",
        },
    }
    workflow("letter", [email, dict(ASK)])
    with outside.smtp() as box:
        given_settings(
            **reached.real(
                CONSOLE_SMTP_URL=f"smtp://127.0.0.1:{box.port}?tls=off",
                CONSOLE_MAIL_FROM="hello@fernwick.example",
            )
        )
        run_id = begin(club, "letter")
        [message] = box.messages
    assert status(club, run_id) == ("waiting_person", "ask")
    assert (message["Subject"], message["To"], message["List-Unsubscribe-Post"]) == (
        "For Sam Whitfield",
        "sam@post.example",
        "List-Unsubscribe=One-Click",
    )
    as_it_left = dict(message.raw_items())["List-Unsubscribe"]
    assert as_it_left.startswith("<http://console.example/unsubscribe/msg_"), (
        "a mail program decodes nothing there"
    )
    assert message["Message-ID"] == f"<{line(club, run_id).message.id}@fernwick.example>"
    plain, html = (part.get_content().replace("\r\n", "\n") for part in message.iter_parts())
    assert plain.startswith("Dear Sam Whitfield,\n\n- Terms (https://a.example)")
    assert "<strong>Sam Whitfield</strong>" in html
    assert 'href="https://a.example"' in html


def test_the_cap_holds_over_all_workflows_and_names_who_used_it(club: Company) -> None:
    for slug in ("lead-nurture", "welcome"):
        workflow(slug, [dict(SMS)])
    for slug in ("lead-nurture", "lead-nurture", "welcome"):
        begin(club, slug)
    run_id = begin(club, "welcome")
    skipped = line(club, run_id)
    assert (skipped.status, skipped.message.code) == ("skipped", "over_cap")
    assert "by Lead nurture (2) and Welcome" in skipped.reason
    with (
        closing(sqlite3.connect(club.path.with_name("club.db"))) as connection,
        connection,
    ):  # another record of the same person
        connection.execute(
            "update contact set phone = '(202) 555-0147', country = 'US', time_zone = 'America/Denver' where id = 3"
        )
    twin = line(club, begin(club, "welcome", BRAM))
    assert (twin.status, twin.message.code) == ("skipped", "over_cap")
    assert twin.reason.endswith(
        "by Lead nurture (2) and Welcome; at most 3 over all workflows. 3 of them went to another contact who has the same address."
    )
    document = enrolments.find("welcome").document
    assert document is not None
    foreseen = reachable.unreached(document, [BRAM])
    assert foreseen == {BRAM: f"No message of this workflow reaches them. {twin.reason}"}


def test_what_waited_too_long_asks_a_person_and_leaves_when_they_say_so(club: Company) -> None:
    workflow("hello", [dict(SMS, config={"text": "Today only", "expires": "PT2H"}), dict(ASK)])
    with reached.clock(NOON + timedelta(hours=9)) as move:
        run_id = begin(club, "hello")
        move(timedelta(hours=11))
        reached.work()
        assert line(club, run_id).status == "expired"
        assert status(club, run_id) == ("waiting_person", "sms")
        told = club.told(run_id)
        assert "Does the message still fit?" in told["current"]["take_over"]["message"]
        runs.complete(club.olivia, run_id, runs.Submission("sms", told["revision"], {}, "send"))
        reached.work()
        assert status(club, run_id) == ("waiting_person", "ask")
        assert [
            row[0]
            for row in fetch("select status from console.message where run = %s order by asked_at", (run_id,))
        ] == [
            "expired",
            "delivered",
        ]


def test_a_run_that_ends_takes_its_message_with_it(club: Company) -> None:
    workflow("hello", [dict(SMS), dict(ASK)])
    with reached.clock(NOON + timedelta(hours=9)) as move:
        run_id = begin(club, "hello")
        reached.work()
        assert line(club, run_id).status == "waiting"
        runs.cancel(club.mona, run_id, revision=club.told(run_id)["revision"], reason="No longer a lead")
        assert (line(club, run_id).status, line(club, run_id).until) == (
            "cancelled",
            None,
        )  # the outbox says so before the morning
        move(timedelta(hours=11))
        reached.work()
        assert line(club, run_id).status == "cancelled"


def test_a_message_with_an_empty_merge_field_does_not_leave_and_says_which(club: Company) -> None:
    slug = workflow(
        "worth",
        [
            {
                "id": "sms",
                "type": "sms",
                "config": {"text": "You are worth {{ record.worth }}. {{ first(record.worth, 'Well') }}"},
            }
        ],
    )
    with reached.clock(NOON):
        assert [line(club, begin(club, slug, contact)).message.status for contact in (SAM, BRAM)] == [
            "delivered",
            "skipped",
        ]
        message = line(club, begin(club, slug, BRAM)).message
        assert (message.code, message.result["reason"]) == (
            "empty_field",
            "Empty, and the text needs it: Worth.",
        )
        instead = begin(
            club,
            workflow(
                "instead",
                [{"id": "sms", "type": "sms", "config": {"text": "Hello {{ first(record.worth, '') }}"}}],
            ),
            BRAM,
        )
        assert line(club, instead).message.status == "waiting", (
            "it is evening where Bram is: the text says itself that nothing may stand there"
        )
