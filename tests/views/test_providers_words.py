"""What a provider says of a message that it refuses stands beside our sentence, for whoever may read the message, and is sealed as that is."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from twilio.request_validator import RequestValidator

from console import access, accounts, messages
from console.access import policy_store
from console.activity import sequencing
from console.core.plain_words import one_line
from console.db import transaction
from console.db.engine import fetch
from console.messages import outside_addresses
from tests.company import Company
from tests.conftest import web_app
from tests.messages import reached
from tests.messages.reached import NOON, begin, line, workflow
from tests.messages.test_mail_servers import ASK, EMAIL, odd
from tests.messages.test_odd_callbacks import Calling, calling

if TYPE_CHECKING:
    from tests.views.conftest import Pages

__all__ = ["calling"]  # a fixture
SMS = {"id": "sms", "type": "sms", "config": {"text": "Hello {{ record.name }}"}}
NO_SUCH_USER = "550-5.1.1 <sam@post.example>: No such\x1b[31m user here,\r\n550 5.1.1 look at https://mail.example/why"
SHOWN = "550 5.1.1 <sam@post.example>: No such [31m user here, 5.1.1 look at https://mail.example/why"


@pytest.fixture(name="refused")
def fixture_refused(company: Company, given_settings: Callable[..., None]) -> str:
    """A run whose e-mail was refused."""
    reached.founded(company)
    with odd() as server, reached.clock(NOON):
        server.answers = {"rcpt": NO_SUCH_USER}
        given_settings(
            **reached.real(CONSOLE_SMTP_URL=f"smtp://127.0.0.1:{server.port}?tls=off", CONSOLE_MAIL_FROM="hello@fernwick.example")
        )
        return begin(company, workflow("letter", [dict(EMAIL), dict(ASK)]))


def test_the_outbox_and_the_time_line_show_what_the_mail_server_says_itself(pages: "Pages", company: Company, refused: str) -> None:
    sent = line(company, refused)
    assert (sent.reason, sent.said) == ("The mail server 127.0.0.1 says: there is no such mailbox (550 5.1.1).", SHOWN)
    for path in (f"/outbox?run={refused}", "/c/contact/1?tab=activity&show=messages"):
        sequencing.sequence()
        page = pages.olivia.get(path).text
        assert sent.reason in page, path
        assert SHOWN in page, path
    key = accounts.create_key("tests", company.olivia.id).text
    told = web_app().test_client().get(f"/api/v1/messages/{sent.message.id}", headers={"Authorization": f"Bearer {key}"}).get_json()
    assert (told["reason"], told["said"]) == (sent.reason, SHOWN)


def test_what_the_mail_server_says_is_sealed_and_in_no_place_that_is_not(refused: str) -> None:
    kept = fetch("select convert_from(body, 'UTF8') from console.event where body is not null")
    kept += fetch("select result_ct::text || coalesce(code, '') from console.message where run = %s", (refused,))
    kept += fetch("select coalesce(reason, '') from console.run where id = %s", (refused,))
    assert not [row for row in kept if "such" in row[0] and "user here" in row[0]]


def test_who_may_not_read_a_field_of_the_contact_reads_no_words_that_may_repeat_it(pages: "Pages", company: Company, refused: str) -> None:
    with transaction() as connection:
        policy_store.write(connection, added=[access.Row("p", "role:operator", "t:operations", "field:contact/email", "read", "deny", "")])
    access.refresh()
    sequencing.sequence()
    for path in (f"/outbox?run={refused}", "/c/contact/1?tab=activity&show=messages"):
        page = pages.olivia.get(path).text
        assert "there is no such mailbox (550 5.1.1)" in page
        assert "No such" not in page
        assert "sam@post.example" not in page
        assert SHOWN in pages.mona.get(path).text, "who reads everything reads that too"
    assert (line(company, refused).said, line(company, refused).reason[-16:]) == ("", "box (550 5.1.1).")


def test_words_go_when_their_reason_does(company: Company, given_settings: Callable[..., None]) -> None:
    reached.founded(company)
    with odd() as server, reached.clock(NOON) as move:
        server.answers = {"rcpt": "450 4.2.0 Greylisted, try again later"}
        given_settings(
            **reached.real(CONSOLE_SMTP_URL=f"smtp://127.0.0.1:{server.port}?tls=off", CONSOLE_MAIL_FROM="hello@fernwick.example")
        )
        run_id = begin(company, workflow("letter", [dict(EMAIL), dict(ASK)]))
        assert line(company, run_id).said == "450 4.2.0 Greylisted, try again later"
        server.answers = {}
        move(reached.timedelta(minutes=5))
        reached.work()
        assert (line(company, run_id).status, line(company, run_id).reason, line(company, run_id).said) == ("sent", "", "")


def test_twilios_own_words_stand_beside_our_sentence(company: Company, given_settings: Callable[..., None]) -> None:
    reached.founded(company)
    with reached.twilio() as server, reached.clock(NOON):
        given_settings(**reached.by_twilio(server))
        server.fail, server.code = [400], 21614
        refused = line(company, begin(company, workflow("hello", [dict(SMS)])))
        assert (refused.reason, refused.said) == ("The number takes no SMS.", "21614 no")
        sent = line(company, begin(company, workflow("again", [dict(SMS)])))
        path = outside_addresses.callback_path("sms", "twilio") + f"?m={sent.message.id}"
        form = {"MessageSid": server.messages[0]["sid"], "MessageStatus": "undelivered", "ErrorCode": "30007"}
        signature = RequestValidator("token").compute_signature(f"http://console.example{path}", form)
        assert web_app().test_client().post(path, data=form, headers={"X-Twilio-Signature": signature}).status_code == 200
        failed = messages.by_id(company.olivia, sent.message.id)
        assert (failed.reason, failed.said) == ("Their network took it for spam.", "Twilio: error 30007")


@pytest.mark.parametrize("told", [{"reason": "The line\tis dead"}, {"error": {"message": "The line is dead"}}])
def test_why_a_call_failed_is_told_in_its_providers_words(calling: Calling, told: dict[str, Any]) -> None:
    run_id = begin(calling.company, "nurture")
    assert calling.ended(calling.asked(run_id), outcome="failed", **told) == 200
    assert line(calling.company, run_id, 0).reason == "The calls' provider says: The line is dead"


def test_a_line_of_another_program_is_short_and_turns_nothing_round() -> None:
    assert one_line("a\r\n\x00b\u202ec " + "x" * 300, 20) == "a b c xxxxxxxxxxxxx…"
    assert one_line("a b", 3) == "a b"
