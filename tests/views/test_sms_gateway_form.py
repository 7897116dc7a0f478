"""Settings, Channels, SMS: the document of an HTTP gateway is saved, refused with what is wrong, tried on oneself, and set by a program."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import orjson
import pytest

from console.auth import accounts
from console.core import sms_gateway
from console.infra.db.engine import fetch
from tests.company import Company
from tests.conftest import web_app
from tests.messaging.messages import gateway as gateways, reached
from tests.messaging.messages.gateway import BODY, SECRET, Other

if TYPE_CHECKING:
    from tests.views.conftest import Pages

PAGE, AT = "/settings/channels", "/settings/channels/sms/gateway"


@pytest.fixture
def other(pages: "Pages", company: Company, given_settings: Callable[..., None]) -> Iterator[Other]:
    with gateways.gateway(company, given_settings) as made:
        yield made


def test_a_document_is_saved_tried_on_oneself_and_taken_away(pages: "Pages", other: Other) -> None:
    text = orjson.dumps(
        {"request": {"url": f"{other.server.url}/m", "secret": "sms_key", "body": BODY}}
    ).decode()
    form = dict(pages.ines.get(PAGE).form(AT)["fields"])
    wrong = pages.ines.post(AT, form | {"gateway": text.replace("input.to", "input.too")}, status=422)
    assert "request.body: of a message there are input.callback" in wrong.text
    assert "input.too" in dict(wrong.form(AT)["fields"])["gateway"]
    pages.ines.post(AT, form | {"gateway": text}, status=303)
    page = pages.ines.get(PAGE)
    assert ("HTTP gateway" in page.text, "/channels/sms/gateway/" in page.text, SECRET in page.text) == (
        True,
        True,
        False,
    )
    assert "Used by SMS gateway" in pages.ines.get("/settings/secrets").text
    pages.ines.post(
        "/settings/channels/sms/test",
        dict(page.form("/settings/channels/sms/test")["fields"]) | {"to": "+12025550147"},
        status=303,
    )
    reached.work()
    assert orjson.loads(other.server.received[0].body)["to"] == "+12025550147"
    pages.ines.post(AT, dict(page.form(AT)["fields"]) | {"gateway": " "}, status=303)
    rows = fetch("select convert_from(body, 'UTF8') from console.event where body is not null order by id")
    told = [orjson.loads(body)["data"]["open"] for (body,) in rows if "channel_changed" in body]
    on = {"channel": "sms", "sandbox": False, "gateway": other.server.url, "on": True}
    assert told == [on, {"channel": "sms", "sandbox": False, "on": False}]


def test_the_example_of_the_page_is_a_document_that_can_be_saved() -> None:
    assert sms_gateway.checked(sms_gateway.EXAMPLE)[1] == []


def test_a_program_describes_it(other: Other) -> None:
    key = accounts.create_key("test", other.company.ines.id).text
    client, head = web_app().test_client(), {"Authorization": f"Bearer {key}"}
    document = {"request": {"url": f"{other.server.url}/m", "body": BODY}}
    told = client.put("/api/v1/channels/sms/gateway", json={"document": document}, headers=head)
    assert (told.status_code, told.get_json()["provider"]) == (200, "gateway")
    wrong = client.put("/api/v1/channels/sms/gateway", json={"document": {"request": {}}}, headers=head)
    assert (wrong.status_code, [each["field"] for each in wrong.get_json()["details"]]) == (422, ["gateway"])
    gone = client.put("/api/v1/channels/sms/gateway", json={"document": None}, headers=head)
    assert gone.get_json()["provider"] != "gateway"
