"""Settings → Connections: added, tested, changed and removed by who may, and by nobody else; a credential goes to its address alone and is never shown."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from console import connectors
from console.actions import connection_settings
from console.core.actor import COMMAND_LINE
from console.infra.db.engine import fetch
from tests.conftest import web_app
from tests.servers import apis
from tests.servers.apis import Slack
from tests.views.conftest import Pages
from tests.views.test_webhook_pages import key

URL, API = "/settings/connections", "/api/v1/connections"


@pytest.fixture
def slack(given_settings: Callable[..., None]) -> Iterator[Slack]:
    given_settings(CONSOLE_PRIVATE_HOSTS="127.0.0.1")
    with apis.slack() as made:
        yield made


def post(browser: Any, path: str, status: int = 303, **data: Any) -> str:
    return str(browser.post(f"{URL}{path}", data | {"csrf_token": browser.token}, status=status).text)


def form(address: str, **data: Any) -> dict[str, Any]:
    return {"name": "slack", "url": address, "auth": "key", "secret": apis.SLACK_TOKEN, **data}


@pytest.mark.parametrize("who", ["olivia", "mona", "stan", "ada", "rosa"])
def test_who_may_not_manage_data_sources_sees_and_changes_no_connection(
    pages: Pages, slack: Slack, who: str
) -> None:
    connection_settings.connect(
        COMMAND_LINE, "slack", "slack", url=slack.url, auth={}, secret=apis.SLACK_TOKEN
    )
    before, browser = len(slack.receiver.received), getattr(pages, who)
    for path in ("", "/new", "/new/slack", "/slack", "/slack/change"):
        browser.get(f"{URL}{path}", status=403)
    for path in ("/new/slack", "/slack/change", "/slack/test", "/slack/remove"):
        post(browser, path, 403, **form("https://elsewhere.example", name="mine"))
    client, headers = web_app().test_client(), key(pages.company.people[who])
    sent = {"name": "mine", "connector": "slack", "url": slack.url, "secret": apis.SLACK_TOKEN}
    calls = (
        client.get(API, headers=headers),
        client.post(API, json=sent, headers=headers),
        client.post(f"{API}/slack/test", headers=headers),
        client.delete(f"{API}/slack", headers=headers),
    )
    assert [call.status_code for call in calls] == [403] * 4
    assert {name: each.url for name, each in connectors.of_connectors().items()} == {"slack": slack.url}
    assert len(slack.receiver.received) == before


def test_a_connection_is_added_tested_changed_and_removed(pages: Pages, slack: Slack) -> None:
    page = pages.ines.get(f"{URL}/new").text
    assert all(title in page for title in ("Slack", "Zendesk", "Stripe", "REST"))
    assert pages.ines.get(f"{URL}/new/slack").text
    pages.ines.get(f"{URL}/new/paypal", status=404)
    post(pages.ines, "/new/slack", **form(slack.url))
    page = pages.ines.get(f"{URL}/slack").text
    assert all(words in page for words in ("Works", "Send a message", "Everybody in the channel"))
    fetch("update console.connection set checked_at = null returning 1")
    post(pages.ines, "/slack/test")
    assert fetch("select checked_at is not null, problem from console.connection") == [(True, "")]
    post(pages.ines, "/slack/change", **form(slack.url, secret=""))
    assert connectors.of_connectors()["slack"].problem == "", "an empty key leaves what is there"
    assert apis.SLACK_TOKEN not in pages.ines.get(f"{URL}/slack/change").text
    post(pages.ines, "/slack/change", **form(slack.url, secret="xoxb-wrong-one"))
    page = pages.ines.get(URL).text
    assert "Does not work" in page
    assert "xoxb-wrong-one" not in page
    post(pages.ines, "/slack/remove")
    post(pages.ines, "/slack/remove", 404)
    assert not connectors.of_connectors()


def test_a_key_does_not_move_to_another_address_and_stands_in_no_row_of_the_log(
    pages: Pages, slack: Slack
) -> None:
    post(pages.ines, "/new/slack", **form(slack.url))
    words = post(pages.ines, "/slack/change", 422, **form("https://elsewhere.example", secret=""))
    assert "Write the key or secret" in words
    assert apis.SLACK_TOKEN not in str(
        fetch("select body::text from console.event")
        + fetch("select address, auth, sealed::text from console.connection")
    )


def test_a_name_is_one_connection_or_one_server(pages: Pages, slack: Slack) -> None:
    post(pages.ines, "/new/slack", **form(slack.url))
    assert "something else of this name" in post(
        pages.ines, "/new/zendesk", 422, **form(slack.url, auth="basic", user="a", secret="zd_9876543210")
    )
    pages.ines.get("/settings/mcp/slack", status=404)
    assert connectors.every() == {}
    pages.ines.post("/settings/mcp/slack/remove", {"csrf_token": pages.ines.token}, status=404)
    fetch("update console.connection set kind = 'mcp' returning 1")
    connectors.forget()
    pages.ines.get(f"{URL}/slack", status=404)
    post(pages.ines, "/slack/remove", 404)


def test_what_is_wrong_is_said_at_its_field(pages: Pages, slack: Slack) -> None:
    wrong: list[tuple[str, dict[str, str], str]] = [
        ("slack", {"name": "Slack!"}, "A name begins with a small letter"),
        ("slack", {"url": ""}, "Say where it is"),
        ("slack", {"url": "http://slack.example"}, "plain http"),
        ("slack", {"url": "https://10.0.0.1"}, "private network"),
        ("slack", {"secret": ""}, "Write the key or secret"),
        ("slack", {"auth": "basic"}, "One of: key."),
        ("zendesk", {"auth": "basic", "user": ""}, "Write the user"),
        ("zendesk", {"auth": "oauth", "client_id": "x", "token_url": "https://10.0.0.1"}, "private network"),
        ("rest", {"auth": "key", "header": "no header"}, "This is no name of a header"),
    ]
    for connector, data, words in wrong:
        assert words in post(pages.ines, f"/new/{connector}", 422, **form(slack.url, **data)), data
    assert not connectors.of_connectors()


def test_by_program_it_is_connected_tested_and_removed(pages: Pages, slack: Slack) -> None:
    client, headers = web_app().test_client(), key(pages.company.people["ines"])
    sent = {"name": "slack", "connector": "slack", "url": slack.url, "secret": apis.SLACK_TOKEN}
    made = client.post(API, json=sent, headers=headers)
    assert (made.status_code, made.get_json()["problem"], made.get_json()["auth"]) == (201, None, "key")
    assert client.post(f"{API}/slack/test", headers=headers).get_json()["problem"] is None
    assert apis.SLACK_TOKEN not in client.get(API, headers=headers).text
    refused = client.post(API, json={**sent, "connector": "paypal"}, headers=headers)
    assert (refused.status_code, refused.get_json()["details"][0]["field"]) == (422, "connector")
    assert client.delete("/api/v1/mcp-servers/slack", headers=headers).status_code == 404
    assert client.delete(f"{API}/slack", headers=headers).status_code == 204
    assert client.post(f"{API}/slack/test", headers=headers).status_code == 404


def test_a_system_that_the_settings_name_is_listed_until_a_connection_replaces_it(
    pages: Pages, slack: Slack, given_settings: Callable[..., None]
) -> None:
    given_settings(CONSOLE_PRIVATE_HOSTS="127.0.0.1", CONSOLE_HTTP_TARGETS=f"slack={slack.url}/v1")
    listed = pages.ines.get(URL).text
    assert f"{slack.url}/v1" in listed
    assert "CONSOLE_HTTP_TARGETS" in listed
    connection_settings.connect(
        COMMAND_LINE, "slack", "slack", url=slack.url, auth={}, secret=apis.SLACK_TOKEN
    )
    assert "CONSOLE_HTTP_TARGETS" not in pages.ines.get(URL).text


def test_a_connector_is_set_up_and_tested_by_program(pages: Pages, slack: Slack) -> None:
    client, headers = web_app().test_client(), key(pages.company.people["ines"])
    listed = client.get("/api/v1/connectors", headers=headers).get_json()["data"]
    offered = {each["id"]: each for each in listed}
    assert {"rest", "slack", "stripe", "zendesk"} <= set(offered)
    refund = next(each for each in offered["stripe"]["operations"] if each["id"] == "refund")
    assert (refund["idempotent"], refund["reads"], refund["schema"]["type"]) == (True, False, "object")
    assert not offered["slack"]["configured"]
    settings = {"url": slack.url, "secret": apis.SLACK_TOKEN}
    made = client.put("/api/v1/connectors/slack", json={"settings": settings}, headers=headers)
    assert (made.status_code, made.get_json()["configured"]) == (200, True)
    assert apis.SLACK_TOKEN not in made.text
    works = client.post("/api/v1/connectors/slack/test", headers=headers).get_json()
    assert works == {"ok": True, "message": "Slack works."}
    settings["secret"] = "xoxb-wrong-token"
    client.put("/api/v1/connectors/slack", json={"settings": settings}, headers=headers)
    broken = client.post("/api/v1/connectors/slack/test", headers=headers).get_json()
    assert (broken["ok"], bool(broken["message"])) == (False, True)
    assert client.put("/api/v1/connectors/none", json={"settings": {}}, headers=headers).status_code == 404
    for who in ("olivia", "mona", "rosa"):
        headers = key(pages.company.people[who])
        refused = (
            client.get("/api/v1/connectors", headers=headers),
            client.put("/api/v1/connectors/slack", json={"settings": settings}, headers=headers),
            client.post("/api/v1/connectors/slack/test", headers=headers),
        )
        assert [each.status_code for each in refused] == [403] * 3
