"""Mail servers nobody here wrote: what each answer does to a message."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from zlib import crc32

import pytest

from console import records, runs
from console.core.errors import IntegrationError
from console.infra.db.engine import fetch
from console.infra.outbound import mail
from console.messaging import messages
from console.messaging.messages import OutboxQuery
from tests.company import Company
from tests.messaging.messages import reached
from tests.messaging.messages.reached import NOON, begin, line, status, workflow
from tests.tables import cases

pytestmark = pytest.mark.lengthy

EMAIL = {"id": "email", "type": "email", "config": {"subject": "Hello", "body": "Dear {{ record.name }}"}}
ASK = {"id": "ask", "type": "guidance", "config": {"text": "Look"}}
OK = "250 fine"
DRIP = "a digit now and then, and no end"
FLOOD = "line after line, and no end"


class Odd:
    """A server that speaks by a script: command → what it answers; None breaks the connection off, before the answer."""

    def __init__(self) -> None:
        self.answers: dict[str, str | None] = {}
        self.in_turn: dict[str, list[str]] = {}  # what a command is answered the first, second, … time
        self.taken: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with (
                connection,
                connection.makefile("rb") as lines,
                suppress(OSError),
            ):  # who hangs up hears no more
                self._talk(connection, lines)

    def _talk(self, connection: socket.socket, lines: "Iterator[bytes]") -> None:
        connection.sendall(f"{self.answers.get('banner', '220 odd.example')}\r\n".encode())
        for told in lines:
            command = told.split(b":")[0].decode("latin-1").split()[0].lower()
            turns = self.in_turn.get(command)
            answer = (
                turns.pop(0) if turns else self.answers.get(command, "354 go on" if command == "data" else OK)
            )
            if answer is None:
                return
            while answer == DRIP:
                connection.sendall(b"2")
                time.sleep(0.05)
            while answer == FLOOD:
                connection.sendall(b"250-more\r\n" * 100)
            connection.sendall(f"{answer}\r\n".encode())
            if command == "data" and answer.startswith("3"):
                body = b""
                for part in lines:
                    if part == b".\r\n":
                        break
                    body += part
                last = self.answers.get("end", OK)
                if last is None:
                    self.taken.append(body)
                    return
                if last.startswith("2"):
                    self.taken.append(body)
                connection.sendall(f"{last}\r\n".encode())
            if command == "quit":
                return


@contextmanager
def odd() -> Iterator[Odd]:
    """Such a server, while the block lasts."""
    server = Odd()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        thread.join(5)


@cases(
    "answers, message, run",
    [
        ({"rcpt": "450 4.2.0 Greylisted, try again later"}, ("waiting", "retry"), ("waiting_event", "email")),
        ({"mail": "421 4.3.2 Too busy"}, ("waiting", "retry"), ("waiting_event", "email")),
        ({"end": "451 4.7.1 Try again later"}, ("waiting", "retry"), ("waiting_event", "email")),
        ({"mail": None}, ("waiting", "retry"), ("waiting_event", "email")),
        ({"rcpt": None}, ("waiting", "retry"), ("waiting_event", "email")),
        ({"data": None}, ("waiting", "retry"), ("waiting_event", "email")),
        ({"mail": "530 5.7.0 Authentication required"}, ("waiting", "retry"), ("waiting_event", "email")),
        ({"rcpt": "535 5.7.8 No"}, ("waiting", "retry"), ("waiting_event", "email")),
        ({"data": "554 5.7.1 No"}, ("failed", None), ("failed", None)),
        ({"end": "552 5.3.4 Too large"}, ("failed", None), ("failed", None)),
        ({"rcpt": "550 5.1.1 Nobody"}, ("failed", None), ("failed", None)),
        ({"end": None}, ("unknown", None), ("waiting_event", "email")),
        ({"end": "Thank you!"}, ("unknown", None), ("waiting_event", "email")),
        ({"end": "354 go on"}, ("unknown", None), ("waiting_event", "email")),
        ({"end": f"250 {'y' * 9000}"}, ("unknown", None), ("waiting_event", "email")),
        ({"end": "252 2.0.0 Taken, I think"}, ("sent", None), ("waiting_person", "ask")),
        ({"banner": "554 5.7.1 Not you"}, ("waiting", "retry"), ("waiting_event", "email")),
        ({"ehlo": "Good day"}, ("sent", None), ("waiting_person", "ask")),
        ({"mail": DRIP}, ("waiting", "retry"), ("waiting_event", "email")),
        ({"mail": FLOOD}, ("waiting", "retry"), ("waiting_event", "email")),
        ({}, ("sent", None), ("waiting_person", "ask")),
    ],
)
def test_what_a_mail_server_does_decides_what_becomes_of_the_message(
    company: Company,
    given_settings: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    answers: dict[str, str | None],
    message: tuple[str, str | None],
    run: tuple[str, str],
) -> None:
    monkeypatch.setattr(mail, "WHOLE_S", 0.5 if DRIP in answers.values() else mail.WHOLE_S)
    slug = f"letter-{crc32(str(answers).encode())}"
    if "contact" not in {each.id for each in records.collections()}:
        reached.founded(company)
    later = timedelta(
        weeks=fetch("select count(*) from console.message")[0][0]
    )  # no cap of the cases before counts
    with odd() as server, reached.clock(NOON + later):
        server.answers = answers
        given_settings(
            **reached.real(
                CONSOLE_SMTP_URL=f"smtp://127.0.0.1:{server.port}?tls=off",
                CONSOLE_MAIL_FROM="hello@fernwick.example",
            )
        )
        run_id = begin(company, workflow(slug, [dict(EMAIL), dict(ASK)]))
        found = line(company, run_id)
        assert found.status == message[0], found.message.result
        assert "SMTP" not in str(found.message.result.get("reason"))
        assert message[1] is None or found.message.code == message[1]
        assert run[0] == "failed" or status(company, run_id) == run
        took = (answers.get("end") or OK).startswith("2") and answers.keys() <= {"end", "ehlo"}
        assert len(server.taken) == (1 if took else 0)


def test_a_greylisted_message_leaves_once_when_the_server_takes_it(
    company: Company, given_settings: Callable[..., None]
) -> None:
    reached.founded(company)
    with odd() as server, reached.clock(NOON) as move:
        server.answers = {"rcpt": "450 4.2.0 Greylisted, try again later"}
        given_settings(
            **reached.real(
                CONSOLE_SMTP_URL=f"smtp://127.0.0.1:{server.port}?tls=off",
                CONSOLE_MAIL_FROM="hello@fernwick.example",
            )
        )
        run_id = begin(company, workflow("letter", [dict(EMAIL), dict(ASK)]))
        move(timedelta(minutes=1))
        reached.work()
        server.answers = {}
        move(timedelta(minutes=5))
        reached.work()
        assert (line(company, run_id).status, len(server.taken)) == ("sent", 1)
        assert status(company, run_id) == ("waiting_person", "ask")


@pytest.mark.parametrize(
    ("said", "shown", "reason"),
    [
        ({"outcome": "sent"}, "sent", "Somebody has looked, and said that it reached them."),
        (
            {"outcome": "skipped", "values": {"reason": "No longer needed"}},
            "skipped",
            "Somebody has looked, and went on without it.",
        ),
        ({"outcome": "send"}, "skipped", "Somebody has looked, and had it sent again."),
    ],
)
def test_a_message_of_which_nobody_can_tell_is_unclear_until_a_person_says_what_came_of_it(
    company: Company, given_settings: Callable[..., None], said: dict[str, Any], shown: str, reason: str
) -> None:
    reached.founded(company)
    with odd() as server, reached.clock(NOON) as move:
        server.answers = {"end": None}
        given_settings(
            **reached.real(
                CONSOLE_SMTP_URL=f"smtp://127.0.0.1:{server.port}?tls=off",
                CONSOLE_MAIL_FROM="hello@fernwick.example",
            )
        )
        run_id = begin(company, workflow("letter", [dict(EMAIL), dict(ASK)]))
        assert "nothing is sent" in line(company, run_id).reason
        move(timedelta(minutes=1))
        reached.work()
        unclear = messages.find(company.mona, OutboxQuery(status="unknown")).lines
        assert [each.reason.count("cannot be told") for each in unclear] == [1]
        server.answers = {}
        told = company.told(run_id)
        runs.complete(
            company.olivia,
            run_id,
            runs.Submission("email", told["revision"], said.get("values", {}), said["outcome"]),
        )
        reached.work()
        assert messages.find(company.mona, OutboxQuery(status="unknown")).lines == []
        settled = line(company, run_id, 0)
        assert (settled.status, settled.reason) == (shown, f"It could not be told whether it left. {reason}")
        assert settled.message.id in {
            each.message.id for each in messages.find(company.mona, OutboxQuery(status=shown)).lines
        }
        assert status(company, run_id) == ("waiting_person", "ask")


@pytest.mark.usefixtures("module_company")
@cases(
    "url, answers",
    [
        ("smtp://127.0.0.1:{port}", {}),
        ("smtp://127.0.0.1:{port}", {"ehlo": "250-odd.example\r\n250 STARTTLS", "starttls": None}),
        (
            "smtp://127.0.0.1:{port}",
            {"ehlo": "250-odd.example\r\n250 STARTTLS", "starttls": "454 4.7.0 Not now"},
        ),
        ("smtp://127.0.0.1:{port}", {"ehlo": "250-odd.example\r\n250 STARTTLS", "starttls": "220 go on"}),
        ("smtps://127.0.0.1:{port}", {}),
    ],
)
def test_a_message_never_leaves_in_the_open_where_encryption_breaks(
    given_settings: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    answers: dict[str, str | None],
) -> None:
    monkeypatch.setattr(mail, "WHOLE_S", 0.5)
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Hello", "hello@fernwick.example", "ana@post.example"
    message.set_content("Hello")
    with odd() as server:
        server.answers = answers
        given_settings(
            **reached.real(
                CONSOLE_SMTP_URL=url.format(port=server.port), CONSOLE_MAIL_FROM="hello@fernwick.example"
            )
        )
        with pytest.raises(IntegrationError, match="mail server 127.0.0.1") as told:
            mail.send(message)
        assert (told.value.permanent, server.taken) == (False, [])
