"""E-mails whose opening is noticed: only where the step says so, once, by their own picture; and what is kept of who asked."""

from collections.abc import Callable, Iterator

import pytest

from console import log
from console.activity import sequencing
from console.db.engine import fetch
from console.messages import callbacks, message_rows
from tests.company import Company
from tests.conftest import web_app
from tests.messages import reached
from tests.messages.reached import NOON, begin, line, workflow
from tests.servers import outside

LETTER = {"subject": "Hello", "body": "Dear **{{ record.name }}**"}
EMAIL = {"id": "email", "type": "email", "config": LETTER}
WATCHED = EMAIL | {"config": LETTER | {"notices_opening": True}}
ASK = {"id": "ask", "type": "guidance", "config": {"text": "Look"}}


@pytest.fixture
def club(company: Company) -> Iterator[Company]:
    reached.founded(company)
    with reached.clock(NOON):
        yield company


def opened() -> int:
    """How many events say that an e-mail was opened."""
    sequencing.sequence()
    return int(fetch("select count(*) from console.activity where kind = 'message_opened'")[0][0])


def test_a_picture_stands_only_where_the_step_says_so_and_tells_of_the_first_opening(
    club: Company, given_settings: Callable[..., None]
) -> None:
    workflow("watched", [WATCHED, dict(ASK)])
    workflow("unwatched", [EMAIL, dict(ASK)])
    with outside.smtp() as box:
        given_settings(**reached.real(CONSOLE_SMTP_URL=f"smtp://127.0.0.1:{box.port}?tls=off", CONSOLE_MAIL_FROM="hello@fernwick.example"))
        run_id = begin(club, "watched")
        begin(club, "unwatched")
        watched, alone = ([part.get_content() for part in message.iter_parts()] for message in box.messages)
    assert not any("<img" in part or "/opened/" in part for part in (watched[0], *alone))
    path = watched[1].partition('<img src="http://console.example')[2].partition('"')[0]
    client = web_app().test_client()
    for wrong in (path[:-1], path.replace("msg_", "msg_0"), "/opened/" + alone[0][:5], "/opened/%00"):
        assert client.get(wrong).status_code == 404, wrong
    assert (opened(), line(club, run_id).message.opened_at) == (0, None)
    first = client.get(path, headers={"User-Agent": "Mailer of Sam"}, environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert (first.mimetype, len(first.data), first.headers["Cache-Control"]) == ("image/gif", 43, "no-store")
    assert first.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Set-Cookie" not in first.headers
    at = line(club, run_id).message.opened_at
    client.get(path)
    assert (opened(), line(club, run_id).message.opened_at) == (1, at)
    assert at is not None
    assert log.now() >= at
    (body,) = (bytes(row[0]) for row in fetch("select body from console.event where convert_from(body, 'UTF8') like '%%message_opened%%'"))
    assert b"203.0.113.9" not in body
    assert b"Mailer" not in body


def test_in_the_sandbox_a_person_opens_it(club: Company) -> None:
    workflow("watched", [WATCHED, dict(ASK)])
    message = line(club, begin(club, "watched")).message
    assert callbacks.chosen_by_hand(club.ines, message, {"outcome": "opened"})
    kept = message_rows.by_id(message.id)
    assert kept is not None
    assert (kept.opened_at is not None, kept.status) == (True, "sent")
    assert not callbacks.chosen_by_hand(club.ines, message, {"outcome": "opened"})
