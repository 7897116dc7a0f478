"""An SMS gateway as it is described: what its request is, and what its answers mean."""

import json
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from console.core import gateways
from console.core.answer_trees import at, tree_of
from console.core.gateways import NEUTRAL, Gateway, Request, request_of
from console.errors import IntegrationError

NASTY = '50% "off" & {secret}\nŽ+\\'
GET = Gateway(method="GET", url="https://sms.example/send?key={secret}&to={to}&msg={text}", secret="k", number="digits")
FORM = replace(NEUTRAL, headers="", body_kind="form", body="to = {to}\nmessage = {text}\nref={id}", number="zeros")


def asked(gateway: Gateway, text: str = NASTY) -> Request:
    return request_of(gateway, "+37060000001", text, "msg_1", secret="s&cret=1", callback="https://c.example/x?m=msg_1")


def test_a_placeholder_is_written_as_its_place_wants_it_and_a_text_adds_no_field() -> None:
    query = dict(parse_qsl(urlsplit(asked(GET).url).query))
    assert query == {"key": "s&cret=1", "to": "37060000001", "msg": NASTY}
    assert asked(GET).body is None
    sent = asked(
        replace(NEUTRAL, sender='Shop "A"', body='{"to": ["{to}"], "n": 1, "from": "{from}", "text": "{text}", "back": "{callback}"}')
    )
    told = {"to": ["+37060000001"], "n": 1, "from": 'Shop "A"', "text": NASTY, "back": "https://c.example/x?m=msg_1"}
    assert (json.loads(sent.body or b""), sent.headers["Content-Type"]) == (told, "application/json")
    assert sent.headers["Authorization"] == "Bearer s&cret=1"
    form = asked(FORM)
    assert dict(parse_qsl((form.body or b"").decode())) == {"to": "0037060000001", "message": NASTY, "ref": "msg_1"}


@pytest.mark.parametrize(("text", "word"), [("Hello €", "text"), ("Ačiū", "unicode"), ("👍", "unicode")])
def test_a_gateway_is_told_whether_a_text_has_other_letters(text: str, word: str) -> None:
    form = replace(FORM, body="to = {to}\ntext = {text}\ntype = {letters}", letters_plain="text", letters_other="unicode")
    assert dict(parse_qsl((asked(form, text).body or b"").decode()))["type"] == word
    _, wrong = gateways.typed(replace(form, letters_other="").to_json())
    assert [each["field"] for each in wrong] == ["letters_other"]


def test_a_user_name_signs_in_with_the_secret_and_our_id_goes_into_its_header() -> None:
    headers = asked(replace(FORM, user="ines", idempotency="Idempotency-Key")).headers
    assert (headers["Authorization"], headers["Idempotency-Key"]) == ("Basic aW5lczpzJmNyZXQ9MQ==", "msg_1")
    shown = str(request_of(replace(GET, user="ines"), "+37060000001", "Hello", "msg_1", secret=gateways.MASK))
    assert shown.startswith("GET https://sms.example/send?key=***&to=37060000001&msg=Hello\nAuthorization: Basic ***")
    with pytest.raises(IntegrationError):
        asked(replace(NEUTRAL, headers="X-Sender: {from}", sender="a\r\nX-Other: 1"))


def test_the_example_is_right() -> None:
    assert gateways.typed(NEUTRAL.to_json() | {"secret": "key"}) == (replace(NEUTRAL, secret="key"), [])


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("url", {"url": "ftp://sms.example"}),
        ("url", {"url": "https://{to}.example/x"}),
        ("url", {"url": "https://user:pass@sms.example/x"}),
        ("url", {"url": "https://["}),
        ("method", {"method": "DELETE"}),
        ("number", {"number": "roman"}),
        ("headers", {"headers": "Authorization"}),
        ("headers", {"headers": "Host: other.example"}),
        ("headers", {"headers": "X-Text: {text}"}),
        ("body", {"body": '{"to": {to}, "text": "{text}"}'}),
        ("body", {"body": "[" * 100_00}),
        ("body", {"body": '{"to": "{to}"}'}),
        ("body", {"body": ""}),
        ("body", {"body_kind": "form", "body": "to={to}\ntext={text}\nnothing"}),
        ("url", {"method": "GET"}),
        ("secret", {"secret": ""}),
        ("secret", {"secret": "", "headers": "", "user": "ines"}),
        ("idempotency", {"idempotency": "a b"}),
        ("accepted", {"accepted": "200\nstatus is fine"}),
        ("refused", {"refused": "999"}),
        ("again", {"again": "200 contains "}),
        ("message_id", {"message_id": "the id"}),
        ("told_ours", {"told_ours": "our id"}),
        ("delivered", {"delivered": "", "failed": " ,"}),
        ("in_text", {"in_text": ""}),
        ("in_sender", {"in_sender": ""}),
        ("check_name", {"check": "hmac", "check_secret": "key"}),
        ("check_secret", {"check": "token", "check_name": "token"}),
        ("status_url", {"status_url": "https://other.example/{id}", "status_missing": "404"}),
        ("status_url", {"status_url": "https://sms.example/x", "status_missing": "404"}),
        ("status_url", {"status_url": "https://sms.example/{id}", "status_missing": "404", "body": '{"to": "{to}", "text": "{text}"}'}),
        ("status_missing", {"status_url": "https://sms.example/{id}"}),
        ("sender", {"sender": "x" * 10_001}),
    ],
)
def test_what_cannot_work_is_named_by_its_field(field: str, change: dict[str, str]) -> None:
    _, wrong = gateways.typed(NEUTRAL.to_json() | {"secret": "key"} | change)
    assert field in {detail["field"] for detail in wrong}


NESTED = b'{"messages": [{"id": 123456789012345678901, "status": {"code": 0, "ok": true}}]}'
XML = b'<?xml version="1.0"?><r:reply xmlns:r="urn:x"><r:sms id="77"><r:status>0</r:status></r:sms></r:reply>'


@pytest.mark.parametrize(
    ("described", "status", "body", "meaning", "message_id"),
    [
        ({}, 202, b"", "accepted", ""),
        ({"message_id": "messages.0.id"}, 200, NESTED, "accepted", "123456789012345678901"),
        ({"message_id": "messages.id", "accepted": "messages.0.status.code = 0"}, 200, NESTED, "accepted", "123456789012345678901"),
        ({"accepted": "messages.status.ok = true"}, 200, NESTED, "accepted", ""),
        ({"accepted": "messages.0.status.code = 1"}, 200, NESTED, "unclear", ""),
        ({"accepted": "messages.0.id"}, 201, NESTED, "accepted", ""),
        ({"accepted": "201 messages.0.id"}, 200, NESTED, "unclear", ""),
        ({"message_id": "sms.@id", "accepted": "sms.status = 0"}, 200, XML, "accepted", "77"),
        ({"refused": "contains ERR:", "message_id": "OK: *"}, 200, b"ERR: bad number", "refused", ""),
        ({"refused": "contains ERR:", "message_id": "OK: *"}, 200, b"ok: 12-ab,rest", "accepted", "12-ab"),
        ({"refused": "contains ERR", "again": "200 contains ERR: 9"}, 200, b"ERR: 9 busy", "again", ""),
        ({}, 200, b"<!DOCTYPE html><html>Sign in</html>", "unclear", ""),
        ({}, 302, b"", "again", ""),
        ({}, 401, b"", "again", ""),
        ({}, 400, b"", "refused", ""),
        ({}, 429, b"", "again", ""),
        ({}, 500, b"", "unclear", ""),
        ({}, 503, b"", "again", ""),
        ({"again": "5xx"}, 500, b"", "again", ""),
        ({"accepted": "409 contains already"}, 409, b"Already sent", "accepted", ""),
    ],
)
def test_an_answer_means_what_the_rules_say_else_what_its_status_says(
    described: dict[str, str], status: int, body: bytes, meaning: str, message_id: str
) -> None:
    told = gateways.understood(Gateway(**described), status, body)
    assert (told.meaning, told.message_id) == (meaning, message_id)


def test_of_an_answer_that_is_cut_off_no_field_is_believed() -> None:
    assert gateways.understood(Gateway(accepted="id"), 200, b'{"id": 1}', whole=False).meaning == "unclear"


def test_xml_that_declares_entities_or_has_no_end_is_not_read() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><a>&b;</a>'
    assert [tree_of(text) for text in (bomb, "<a><b></a>", "{", "[" * 100_000, "plain", "")] == [None] * 6
    assert at(tree_of("<a>" * 200 + "x" + "</a>" * 200), "a.a.a") is None
    assert [at(tree_of("<a><b>1</b><b>2</b></a>"), path) for path in ("b", "b.1", "b.7", "c")] == ["1", "2", None, None]


def test_numbers_that_gateways_tell_are_read() -> None:
    told = ["4915123456789", " 4915123456789", "004915123456789", "+49 151 234", "80081", "Shop", "015123456789"]
    assert [gateways.read_number(text) for text in told] == [
        "+4915123456789",
        "+4915123456789",
        "+4915123456789",
        "+49 151 234",
        "80081",
        "Shop",
        "015123456789",
    ]


def test_an_answer_of_many_elements_alike_is_read_whole() -> None:
    many = tree_of("<r>" + "<a/>" * 100_000 + "<b>1</b><b>2</b><b>3</b></r>")
    assert (len(many["a"]), many["b"]) == (100_000, ["1", "2", "3"])
