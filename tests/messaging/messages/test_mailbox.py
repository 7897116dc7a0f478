"""Answers by mail from a mailbox: each new mail once, nothing changed in it; hostile mails stop nothing and are no answers."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from console.core.errors import IntegrationError
from console.infra.db.engine import fetch
from console.infra.outbound import imap as door
from console.messaging.messages import mail_polling
from console.operations import doctor_outside
from console.operations.status import switch
from console.runs.store.run_events import ENGINE
from tests.company import Company
from tests.messaging.messages import reached
from tests.messaging.messages.reached import NOON
from tests.messaging.messages.test_bounces import REPORT
from tests.servers.imap import Mailserver, imap

pytestmark = pytest.mark.lengthy

FROM = b"From: Sam <sam@post.example>\r\nTo: hello@fernwick.example\r\nSubject: Re: For Sam\r\n"
PLAIN = FROM + b"Message-ID: <1@post.example>\r\n\r\nYes please.\r\n> Dear Sam\r\n"
HOSTILE = {
    "a holiday notice": FROM + b"Auto-Submitted: auto-replied\r\n\r\nI am away. STOP\r\n",
    "an old holiday notice": FROM + b"Precedence: auto_reply\r\n\r\nI am away. STOP\r\n",
    "a list": FROM + b"List-Id: <news.example>\r\n\r\nunsubscribe\r\n",
    "ours, come round": FROM
    + b"Message-ID: <msg_01j0000000000000000000000a@fernwick.example>\r\n\r\nSTOP\r\n",
    "no sender": b"Subject: x\r\n\r\nSTOP\r\n",
    "nobody": b"From: <>\r\nReturn-Path: <>\r\n\r\nSTOP\r\n",
    "a report about nothing of ours": REPORT.format(
        action="failed", carrier="message/rfc822", ours="msg_unknown"
    ).encode(),
    "a report about a message that is not there": REPORT.format(
        action="failed", carrier="message/rfc822", ours=f"msg_{'0' * 26}"
    ).encode(),
    "no mail at all": b"\x00\xff\xfe\r\n\r\n\x00",
}


@pytest.fixture(scope="module")
def mailserver() -> Iterator[Mailserver]:
    """A mail server, started once: that takes longer than what is asked of it."""
    with imap() as started:
        yield started


@pytest.fixture
def box(
    company: Company, mailserver: Mailserver, given_settings: Callable[..., None]
) -> Iterator[Mailserver]:
    """A mailbox that was looked into once."""
    reached.founded(company)
    mailserver.empty()
    with reached.clock(NOON):
        given_settings(**reached.real(CONSOLE_IMAP_URL=mailserver.url))
        mailserver.put(FROM + b"\r\nWritten before the console read this mailbox.\r\n")
        assert mail_polling.poll() == 0
        yield mailserver


def rows() -> list[tuple[str | None, str]]:
    return fetch("select record, provider_id from console.message where direction = 'in' order by id")


def test_an_answer_is_matched_to_its_contact_once_and_the_mailbox_stays_as_it_is(
    company: Company, box: Mailserver
) -> None:
    box.put(PLAIN, PLAIN)
    assert (mail_polling.poll(), rows()) == (2, [(reached.SAM, "<1@post.example>")])
    assert (mail_polling.poll(), len(rows())) == (0, 1)
    assert all(b"Seen" not in flags for flags in box.flags()), (
        "people who share the mailbox find their mails unread"
    )
    fetch("update console.mailbox set validity = 1 returning 1")
    assert (mail_polling.poll(), [known for _, known in rows()].count("<1@post.example>")) == (3, 1), (
        "counted anew, what is known is known"
    )


def test_hostile_mails_are_no_answers_and_stop_nothing(company: Company, box: Mailserver) -> None:
    box.put(*HOSTILE.values(), PLAIN)
    assert mail_polling.poll() == len(HOSTILE) + 1
    assert [known for _, known in rows()] == ["<1@post.example>"]
    assert fetch("select problem, taken from console.mailbox") == [(None, 2)]


def test_a_mail_that_cannot_be_taken_in_is_tried_again_and_then_left(
    company: Company, box: Mailserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.put(PLAIN, PLAIN.replace(b"<1@", b"<2@"))
    whole, left = door.Opened.mail, [3]

    def failing(self: door.Opened, uid: int, most: int) -> bytes | None:
        raw = whole(self, uid, most)
        if left[0] and b"<1@" in (raw or b""):
            left[0] -= 1
            raise ValueError("a mail that breaks what reads it")
        return raw

    monkeypatch.setattr(door.Opened, "mail", failing)
    assert [mail_polling.poll() for _ in range(3)] == [0, 0, 2]
    assert [known for _, known in rows()] == ["<2@post.example>"]


def test_a_mailbox_that_is_away_or_refuses_is_said_by_the_doctor_and_read_later(
    company: Company, box: Mailserver, given_settings: Callable[..., None]
) -> None:
    box.put(PLAIN)
    given_settings(CONSOLE_IMAP_URL=box.url.replace("answers:", "somebody:"))
    assert mail_polling.poll() == 0
    (check,) = doctor_outside._mailbox()
    assert (
        check.ok,
        "refuses user or password" in check.message,
        "pass" in check.message.replace("password", ""),
    ) == (False, True, False)
    given_settings(CONSOLE_IMAP_URL="imap://a:b@127.0.0.1:1?tls=off")
    assert mail_polling.poll() == 0
    assert "cannot be read: " in (fetch("select problem from console.mailbox")[0][0] or "")
    given_settings(CONSOLE_IMAP_URL=box.url)
    switch(ENGINE, on=False, reason="Maintenance")
    assert (mail_polling.poll(), rows()) == (0, [])
    switch(ENGINE, on=True, reason="Done")
    assert (mail_polling.poll(), len(rows())) == (1, 1)
    assert [check.ok for check in doctor_outside._mailbox()] == [True]


@pytest.mark.parametrize("answer", ["lines", "a literal", "a line", "drops"])
def test_a_mailbox_whose_answer_has_no_end_is_left_in_time_and_fills_no_memory(
    given_settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr(door, "WHOLE_S", 0.5)
    monkeypatch.setattr(door, "MOST_BYTES", 100_000)
    monkeypatch.setattr(door._Connection, "left", 100_000)

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.sendall(b"* OK hello\r\n")
            connection.recv(1000)
            connection.sendall(b"* 1 FETCH (BODY {99999999}\r\n" if answer == "a literal" else b"")
            while True:
                connection.sendall({"lines": b"* 1 EXISTS\r\n" * 100, "drops": b"x"}.get(answer, b"x" * 1000))
                time.sleep(0.05 if answer == "drops" else 0)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        given_settings(CONSOLE_IMAP_URL=f"imap://a:b@127.0.0.1:{listener.getsockname()[1]}?tls=off")
        with (
            pytest.raises(IntegrationError, match="it broke off" if answer == "drops" else "has no end"),
            door.open_mailbox(),
        ):
            pass
        thread.join(5)
