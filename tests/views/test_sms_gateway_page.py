"""Settings, Channels, SMS gateway: filled in, refused by the box, tried on oneself, examples read, and who must not get in."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from console.db.engine import fetch
from console.messages import gateway_setup
from tests.company import Company
from tests.messages import gateway as gateways, reached
from tests.messages.gateway import SECRET, Other

if TYPE_CHECKING:
    from tests.views.conftest import Browser, Page, Pages

AT = "/settings/channels/sms/gateway"


@pytest.fixture
def other(pages: "Pages", company: Company, given_settings: Callable[..., None]) -> Iterator[Other]:
    with gateways.gateway(company, given_settings) as made:
        yield made


def boxes(pages: "Pages") -> dict[str, Any]:
    """What the page would send as it is drawn."""
    return dict(pages.ines.get(AT).form(AT)["fields"])


def post(person: "Browser", path: str, status: int = 200, **typed: str) -> "Page":
    """Send these fields from the person's own page."""
    return person.post(path, typed | {"csrf_token": person.token}, status=status)


def test_the_page_begins_with_an_example_and_is_filled_in(pages: "Pages", other: Other) -> None:
    typed = boxes(pages)
    assert (typed["url"], "on" in typed) == ("https://sms.example/messages", False)
    assert "set up an HTTP gateway" in pages.ines.get("/settings/channels").text
    url = f"{other.server.url}/messages"
    pages.ines.post(AT, typed | {"url": url, "secret": "sms_key", "on": "on", "again": "429\r\n5xx"})
    assert {name: boxes(pages)[name] for name in ("url", "secret", "on", "again")} == {
        "url": url,
        "secret": "sms_key",
        "on": "on",
        "again": "429\n5xx",
    }
    page = pages.ines.get("/settings/channels").text
    assert "HTTP gateway" in page
    assert "/channels/sms/gateway/" in page
    assert SECRET not in pages.ines.get(AT).text
    assert "Used by SMS gateway" in pages.ines.get("/settings/secrets").text
    told = [
        orjson.loads(row[0])["data"]["open"]
        for row in fetch("select convert_from(body, 'UTF8') from console.event where body is not null")
        if b"channel_changed" in row[0].encode()
    ]
    assert told == [{"channel": "sms", "sandbox": False, "gateway": other.server.url, "on": True}]


def test_what_is_wrong_stands_at_its_box_and_what_was_typed_is_kept(pages: "Pages", other: Other) -> None:
    refused = pages.ines.post(AT, boxes(pages) | {"url": "http://10.0.0.1/sms", "refused": "what it says", "body": "<b>"}, status=422)
    for words in (
        "or name the host in CONSOLE_PRIVATE_HOSTS",
        "Line 1: write a status",
        "This is no JSON",
        "Choose what {secret} stands for.",
    ):
        assert words in refused.text
    assert refused.form(AT)["fields"]["body"] == "<b>"
    assert other.server.received == []
    assert fetch("select 1 from console.channel") == []


def test_a_try_out_shows_the_request_without_its_secret_and_what_the_answer_means(pages: "Pages", other: Other) -> None:
    assert "Save the gateway first." in post(pages.ines, f"{AT}/try", 422, to="+37060000001", do="show").text
    other.described(on="")
    shown = post(pages.ines, f"{AT}/try", to="+37060000001", do="show")
    assert other.server.received == []
    for words in (f"POST {other.server.url}/messages", "Authorization: Bearer ***", "+37060000001", "Nothing was sent."):
        assert words in shown.text
    other.answers(200, b'{"messages": [{"id": "m-77"}], "key": "' + SECRET.encode() + b'"}')
    sent = post(pages.ines, f"{AT}/try", to="+37060000001", do="send")
    (request,) = other.server.received
    assert (request.headers["authorization"], SECRET in sent.text) == (f"Bearer {SECRET}", False)
    assert "Accepted: the message counts as sent." in sent.text
    assert "m-77" in sent.text
    post(pages.ines, f"{AT}/try", 422, to="12", do="send")
    assert (len(other.server.received), fetch("select count(*) from console.message")) == (1, [(0,)])


def test_a_try_out_sends_nothing_in_the_sandbox_of_the_house(pages: "Pages", other: Other, given_settings: Callable[..., None]) -> None:
    other.described()
    given_settings(**reached.real() | {"CONSOLE_SANDBOX": "on"})
    assert "Nothing was sent: CONSOLE_SANDBOX is on." in post(pages.ines, f"{AT}/try", to="+37060000001", do="send").text
    assert other.server.received == []


@pytest.mark.parametrize(("status", "words"), [(400, "Refused for good"), (429, "tried again later"), (500, "Unclear: nobody knows")])
def test_a_try_out_says_what_a_refusal_means(pages: "Pages", other: Other, status: int, words: str) -> None:
    other.described()
    other.answers(status, b"no")
    assert words in post(pages.ines, f"{AT}/try", to="+37060000001", do="send").text


def test_examples_are_read_by_what_is_saved(pages: "Pages", other: Other) -> None:
    other.described(refused="contains ERR")
    read = pages.ines.post(
        f"{AT}/read",
        {"status": "200", "answer": "ERR 5", "callback": "?id=77&status=rejected&why=spam", "csrf_token": pages.ines.token},
        status=200,
    )
    for words in (
        "Refused for good",
        "the rule “contains ERR”",
        "the message that it calls 77 did not arrive",
        "The SMS gateway says: spam",
    ):
        assert words in read.text
    assert "A message from +37060000001: STOP" in post(pages.ines, f"{AT}/read", callback='{"from": "37060000001", "text": "STOP"}').text
    assert "It says nothing that is understood" in post(pages.ines, f"{AT}/read", callback="hello").text
    post(pages.ines, f"{AT}/read", 422, callback="{")
    post(pages.ines, f"{AT}/read", 422, answer="x")
    assert fetch("select count(*) from console.message") == [(0,)]


def test_who_does_not_manage_channels_does_not_get_in(pages: "Pages", other: Other) -> None:
    other.described()
    for person in (pages.stan, pages.olivia):
        person.get(AT, status=403)
        for path in ("", "/try", "/read"):
            post(person, AT + path, 403, do="send", to="+37060000001", callback="{}")
    kept = gateway_setup.current(other.company.ines)
    assert kept is not None
    assert (kept.on, other.server.received) == ("on", [])
