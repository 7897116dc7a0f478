"""A run that stopped and asks, and one that failed after it had sent something: lists, journal and dialogs say so before anything is done twice."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from console import monitoring
from console.activity import sequencing
from tests.company import Company
from tests.messages import reached
from tests.messages.reached import NOON, begin, workflow
from tests.messages.test_mail_servers import EMAIL, odd
from tests.views.test_lately_pages import figures

if TYPE_CHECKING:
    from tests.views.conftest import Pages

SMS = {"id": "sms", "type": "sms", "config": {"text": "Hello {{ record.name }}"}}
LATER = {"id": "later", "type": "wait", "config": {"until": "record.phone"}}
TWICE = "what their steps sent or changed is sent or changed again"


def test_what_nobody_can_tell_is_asked_with_the_warning_and_stands_in_the_journal(
    pages: "Pages", company: Company, given_settings: Callable[..., None]
) -> None:
    reached.founded(company)
    with odd() as server, reached.clock(NOON) as move:
        server.answers = {"end": None}
        given_settings(
            **reached.real(CONSOLE_SMTP_URL=f"smtp://127.0.0.1:{server.port}?tls=off", CONSOLE_MAIL_FROM="hello@fernwick.example")
        )
        run = begin(company, workflow("hello", [dict(EMAIL)]))
        move(timedelta(minutes=1))
        reached.work()
        assert company.told(run)["current"]["take_over"]
        assert {"Began", "Failed or unclear"} <= {label for label, _, _ in figures(pages.mona)}
        assert "1 asks for an answer" in pages.mona.get("/workflows/lately").text or company.told(run)["holder"]
    journal = pages.mona.get(f"/workflows/hello/executions/{run}").text
    assert "It stopped and asks a person" in journal
    assert "sent again, it may reach them twice" in journal
    assert "sent again, it may reach them twice" in pages.mona.get(f"/runs/{run}").text


def test_a_retry_from_the_start_of_what_sent_something_says_that_it_is_sent_again(pages: "Pages", company: Company) -> None:
    reached.founded(company)
    with reached.clock(NOON):
        quiet = begin(company, workflow("quiet", [dict(LATER)], on_error="fail"))
        told = begin(company, workflow("told", [dict(SMS), dict(LATER)], on_error="fail"))
        sequencing.catch_up()
        monitoring.read_log()
        for slug, run, warns in (("quiet", quiet, False), ("told", told, True)):
            page = pages.mona.get(f"/workflows/{slug}/incidents")
            retry = next(link for link in page.links if link.endswith("/retry"))
            assert (TWICE in pages.mona.get(retry).text) is warns, slug
            assert ("is sent or changed again" in pages.mona.get(f"/workflows/{slug}/executions/{run}/retry").text) is warns, slug
            assert "“Phone” gives no moment to wait until." in page.text
