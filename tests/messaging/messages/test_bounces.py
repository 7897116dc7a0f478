"""What comes back by mail: a bounce marks its message and is an event, an answer is kept, everything else changes nothing."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from email.message import EmailMessage

import pytest
from flask.testing import FlaskClient

from console.infra.db.engine import fetch
from console.messaging import messages
from console.messaging.channels import mail_reports
from console.messaging.channels.base import Answer
from console.messaging.messages import OutboxQuery, inbound, outside_addresses
from tests.company import Company
from tests.conftest import web_app
from tests.messaging.messages import reached
from tests.messaging.messages.reached import NOON, begin, line, workflow
from tests.servers import outside
from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy

EMAIL = {
    "id": "email",
    "type": "email",
    "config": {"subject": "For {{ record.name }}", "body": "Dear {{ record.name }}"},
}
ASK = {"id": "ask", "type": "guidance", "config": {"text": "Look"}}
REPORT = """From: MAILER-DAEMON@mail.example\r
To: bounces@fernwick.example\r
Subject: Undelivered Mail Returned to Sender\r
Auto-Submitted: auto-replied\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r
\r
--b\r
Content-Type: text/plain\r
\r
I'm sorry to have to inform you that your message could not be delivered.\r
--b\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mail.example\r
\r
Final-Recipient: rfc822; sam@post.example\r
Action: {action}\r
Status: 5.1.1\r
Diagnostic-Code: smtp; 550 5.1.1 <sam@post.example>: no such\x07 mailbox\r
\r
--b\r
Content-Type: {carrier}\r
\r
Message-ID: <{ours}@fernwick.example>\r
Subject: For Sam\r
\r
Dear Sam\r
--b--\r
"""


@pytest.fixture
def sent(company: Company, given_settings: Callable[..., None]) -> Iterator[tuple[Company, FlaskClient, str]]:
    """The company, a client, and the run whose e-mail has left."""
    reached.founded(company)
    workflow("letter", [dict(EMAIL), dict(ASK)])
    with reached.clock(NOON), outside.smtp() as box:
        mail = {
            "CONSOLE_MAIL_FROM": "hello@fernwick.example",
            "CONSOLE_MAIL_BOUNCES": "bounces@fernwick.example",
        }
        given_settings(**reached.real(CONSOLE_SMTP_URL=f"smtp://127.0.0.1:{box.port}?tls=off", **mail))
        run_id = begin(company, "letter")
        assert box.bounces == ["bounces@fernwick.example"]
        yield company, web_app().test_client(), run_id


def handed_on(client: FlaskClient, raw: str | bytes, path: str = "") -> int:
    return client.post(
        path or outside_addresses.callback_path("email", "smtp"), data=raw, content_type="message/rfc822"
    ).status_code


def failures() -> int:
    return int(
        fetch(
            "select count(*) from console.event where convert_from(body, 'UTF8') like '%%\"type\":\"message_failed\"%%'"
        )[0][0]
    )


def test_a_bounce_marks_its_message_as_failed_with_the_reason(sent: tuple[Company, FlaskClient, str]) -> None:
    company, client, run_id = sent
    ours = line(company, run_id).message.id
    late = REPORT.format(action="delayed", carrier="message/rfc822", ours=ours)
    assert (handed_on(client, late), line(company, run_id).status, failures()) == (200, "sent", 0)
    told = REPORT.format(action="failed", carrier="text/rfc822-headers", ours=ours)
    assert handed_on(client, told, "/channels/email/smtp/guessed") == 404
    assert (line(company, run_id).status, failures()) == ("sent", 0), "only the mail server has the address"
    assert [handed_on(client, told) for _ in range(2)] == [200, 200]
    shown = line(company, run_id)
    assert (shown.status, failures()) == ("failed", 1)
    assert "550 5.1.1 <sam@post.example>: no such mailbox" in str(shown.reason)
    olivia = Pages(company, web_app()).olivia
    for page in (f"/runs/{run_id}", f"/workflows/letter/executions/{run_id}"):
        said = olivia.get(page).text
        assert ("The e-mail left and failed afterwards" in said, "no such mailbox" in said) == (True, True), (
            "the run went on when it had left"
        )
    assert "Failed afterwards" in said
    assert messages.unsent([run_id]) == {run_id: "The e-mail left and failed afterwards"}


COMPLAINT = """From: complaints@provider.example\r
Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r
\r
--b\r
\r
This is an abuse report of an e-mail.\r
--b\r
Content-Type: message/feedback-report\r
\r
Feedback-Type: {kind}\r
User-Agent: Loop/1\r
Version: 1\r
{told}\r
--b\r
Content-Type: message/rfc822\r
\r
{head}Subject: For Sam\r
\r
Dear Sam\r
--b--\r
"""


@pytest.mark.parametrize("by_id", [True, False])
def test_who_calls_a_message_unwanted_gets_no_more(
    sent: tuple[Company, FlaskClient, str], *, by_id: bool
) -> None:
    company, client, run_id = sent
    ours = line(company, run_id).message.id
    head = f"{mail_reports.OWN_ID}: <{ours}@fernwick.example>\r\n" if by_id else ""
    named = "" if by_id else "Original-Rcpt-To: <sam@post.example>\r\n"
    spam = COMPLAINT.format(kind="abuse", told=named, head=head)
    assert handed_on(client, spam.replace("abuse\r", "not-spam\r")) == 200
    assert fetch("select count(*) from console.opt_out") == [(0,)]
    assert handed_on(client, spam) == 200
    kept = fetch("select collection, channel, source from console.opt_out order by collection")
    assert kept == [("@", "email", "reported as unwanted"), ("contact", "email", "reported as unwanted")]
    assert handed_on(client, spam) == 200
    assert len(fetch("select id from console.opt_out")) == (2 if by_id else 4), "the same one again"
    assert messages.find(company.olivia, OutboxQuery(status="received")).lines == [], "a report is no answer"
    assert (
        line(company, begin(company, workflow("again", [dict(EMAIL), dict(ASK)]))).message.code
        == "consent_withdrawn"
    )


def test_what_a_person_answers_is_kept_and_automatic_mail_is_not(
    sent: tuple[Company, FlaskClient, str],
) -> None:
    company, client, _ = sent
    answer = EmailMessage()
    answer["From"], answer["To"], answer["Message-ID"] = (
        "Sam <sam@post.example>",
        "hello@fernwick.example",
        "<a@post.example>",
    )
    answer.set_content("Yes, please.\n\n> Dear Sam Whitfield\n")
    assert [handed_on(client, answer.as_bytes()) for _ in range(2)] == [200, 200]
    answer["Auto-Submitted"] = "auto-replied"
    answer.replace_header("Message-ID", "<b@post.example>")
    assert handed_on(client, answer.as_bytes()) == 200
    received = messages.find(company.olivia, OutboxQuery(status="received")).lines
    assert [(one.who, one.text) for one in received] == [("Sam Whitfield", "Yes, please.")]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\x00\xfe",
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x",
        REPORT.format(action="failed", carrier="text/plain", ours="msg_1").encode(),
        REPORT.format(action="failed", carrier="message/rfc822", ours="msg_" + "0" * 26).encode(),
    ],
)
def test_what_cannot_be_read_changes_nothing(sent: tuple[Company, FlaskClient, str], raw: bytes) -> None:
    _, client, _ = sent
    assert handed_on(client, raw) == 200
    assert (failures(), isinstance(mail_reports.read(raw), Answer)) == (0, False)


def test_a_mail_that_is_made_to_break_its_reader_changes_nothing(
    sent: tuple[Company, FlaskClient, str],
) -> None:
    """Anybody can send one: what fails is sent again and again, and what takes minutes keeps everybody waiting."""
    senders = (b"<", b":=;a", b"=?utf-8?q??=,x", b",a<@", b"name*=utf-8''%ff@[,,", b"(" * 5_000)
    made = [b"From: %s\r\n\r\nStop" % sender for sender in senders]
    made.append(b"Content-Type: message/rfc822\r\n\r\n" * 20_000)
    made.append(
        b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (each, each)
            for each in range(8_000)
        )
    )
    made.append(
        b"Content-Type: text/plain; "
        + b"".join(b"a*%d=x;\r\n " % each for each in range(50_000))
        + b"\r\n\r\nhi"
    )
    assert [handed_on(sent[1], raw) for raw in made] == [200] * len(made)
    assert (failures(), fetch("select count(*) from console.opt_out")) == (0, [(0,)])


def test_a_sender_is_only_who_has_the_address(sent: tuple[Company, FlaskClient, str]) -> None:
    """A quote, or what is no address, finds nobody: not the first contact without an address either."""
    company, client, _ = sent
    with closing(sqlite3.connect(company.path.with_name("club.db"))) as connection:
        connection.execute("update contact set email = '' where id = 2")
        connection.execute("update contact set email = ? where id = 3", ("o'brien@post.example",))
        connection.execute(
            "insert into contact (id, name, email, stage) values (9, 'Jo', 'jo@xn--bcher-kva.example', 'new')"
        )
        connection.commit()
    senders = [
        "o'brien@post.example",
        "o'hara@post.example",
        "'@",
        "x\\@post.example",
        "' || true || '@post.example",
    ]
    found = [inbound.contact_behind("email", sender) for sender in senders]
    assert [each and each[1] for each in found] == ["3", None, None, None, None]
    assert (inbound.contact_behind("email", "jo@bücher.example") or ())[1:] == ("9",), (
        "however a domain is spelled"
    )
    for number, sender in enumerate(["'@", "@", "''@''"]):
        assert handed_on(client, f"From: {sender}\r\nMessage-ID: <{number}>\r\n\r\nStop".encode()) == 200
    assert fetch("select count(*) from console.opt_out") == [(0,)]
