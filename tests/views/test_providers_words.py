"""What a provider says of a refused message is shown to who may read the message, and sealed as that is."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from console.activity import sequencing
from console.auth import access, accounts
from console.auth.access import policy_store
from console.infra.db import transaction
from console.infra.db.engine import fetch
from tests.company import Company
from tests.conftest import web_app
from tests.messaging.messages import reached
from tests.messaging.messages.reached import NOON, begin, line, workflow
from tests.messaging.messages.test_mail_servers import ASK, EMAIL, odd
from tests.messaging.messages.test_odd_callbacks import calling

if TYPE_CHECKING:
    from tests.views.conftest import Pages

__all__ = ["calling"]  # a fixture
NO_SUCH_USER = (
    "550-5.1.1 <sam@post.example>: No such\x1b[31m user here,\r\n550 5.1.1 look at https://mail.example/why"
)
SHOWN = "550 5.1.1 <sam@post.example>: No such [31m user here, 5.1.1 look at https://mail.example/why"


@pytest.fixture(name="refused")
def fixture_refused(company: Company, given_settings: Callable[..., None]) -> str:
    """A run whose e-mail was refused."""
    reached.founded(company)
    with odd() as server, reached.clock(NOON):
        server.answers = {"rcpt": NO_SUCH_USER}
        given_settings(
            **reached.real(
                CONSOLE_SMTP_URL=f"smtp://127.0.0.1:{server.port}?tls=off",
                CONSOLE_MAIL_FROM="hello@fernwick.example",
            )
        )
        return begin(company, workflow("letter", [dict(EMAIL), dict(ASK)]))


def test_the_outbox_and_the_time_line_show_what_the_mail_server_says_itself(
    pages: "Pages", company: Company, refused: str
) -> None:
    sent = line(company, refused)
    assert (sent.reason, sent.said) == (
        "The mail server 127.0.0.1 says: there is no such mailbox (550 5.1.1).",
        SHOWN,
    )
    for path in (f"/outbox?run={refused}", "/c/contact/1?tab=activity&show=messages"):
        sequencing.sequence()
        page = pages.olivia.get(path).text
        assert sent.reason in page, path
        assert SHOWN in page, path
    key = accounts.create_key("tests", company.olivia.id).text
    told = (
        web_app()
        .test_client()
        .get(f"/api/v1/messages/{sent.message.id}", headers={"Authorization": f"Bearer {key}"})
        .get_json()
    )
    assert (told["reason"], told["said"]) == (sent.reason, SHOWN)


def test_what_the_mail_server_says_is_sealed_and_in_no_place_that_is_not(refused: str) -> None:
    kept = fetch("select convert_from(body, 'UTF8') from console.event where body is not null")
    kept += fetch(
        "select result_ct::text || coalesce(code, '') from console.message where run = %s", (refused,)
    )
    kept += fetch("select coalesce(reason, '') from console.run where id = %s", (refused,))
    assert not [row for row in kept if "such" in row[0] and "user here" in row[0]]


def test_who_may_not_read_a_field_of_the_contact_reads_no_words_that_may_repeat_it(
    pages: "Pages", company: Company, refused: str
) -> None:
    with transaction() as connection:
        policy_store.write(
            connection,
            added=[
                access.Row("p", "role:operator", "t:operations", "field:contact/email", "read", "deny", "")
            ],
        )
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
            **reached.real(
                CONSOLE_SMTP_URL=f"smtp://127.0.0.1:{server.port}?tls=off",
                CONSOLE_MAIL_FROM="hello@fernwick.example",
            )
        )
        run_id = begin(company, workflow("letter", [dict(EMAIL), dict(ASK)]))
        assert line(company, run_id).said == "450 4.2.0 Greylisted, try again later"
        server.answers = {}
        move(reached.timedelta(minutes=5))
        reached.work()
        assert (line(company, run_id).status, line(company, run_id).reason, line(company, run_id).said) == (
            "sent",
            "",
            "",
        )
