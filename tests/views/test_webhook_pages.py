"""The pages and calls of outgoing webhooks: making one, its secret once, switching, testing, deliveries; and who gets nowhere."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from console.activity import sequencing
from console.auth import accounts
from console.auth.access import Scopes
from console.automation.webhooks import outgoing
from console.automation.webhooks.outgoing import Wanted
from tests.company import Company
from tests.conftest import web_app
from tests.jobs import work_until_idle
from tests.servers import outside
from tests.servers.outside import Receiver
from tests.views.conftest import Pages

SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{40,}")
PLACE = "/api/v1/webhooks"


@pytest.fixture
def receiver(given_settings: Callable[..., None]) -> Iterator[Receiver]:
    given_settings(CONSOLE_PRIVATE_HOSTS="127.0.0.1")
    with outside.http() as made:
        yield made


def key(who: Any, **more: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {accounts.create_key('test', who.id, **more).text}"}


def go_on() -> None:
    sequencing.catch_up()
    outgoing.take_in()
    outgoing.pick_up()
    work_until_idle()


@pytest.mark.slow
def test_a_webhook_is_made_tested_changed_and_removed(pages: Pages, receiver: Receiver) -> None:
    ines = pages.ines
    assert "Nothing is sent outside yet" in ines.get("/settings/webhooks").text
    form = ines.get("/settings/webhooks/new")
    again = ines.send(
        form,
        "/settings/webhooks/new",
        status=422,
        url="https://10.0.0.1/x",
        events="run.completed",
        filter="event.pos ==",
    )
    assert "private network" in again.text
    assert again.form("/settings/webhooks/new")["fields"]["url"] == "https://10.0.0.1/x"
    made = ines.send(
        form,
        "/settings/webhooks/new",
        status=200,
        url=f"{receiver.url}/in",
        events="run.completed",
        others="step.completed",
    )
    assert SECRET.search(made.html)
    page = ines.get(next(link for link in made.links if "/settings/webhooks/whk_" in link))
    here = f"/settings/webhooks/{outgoing.every(pages.company.ines)[0].id}"
    assert not SECRET.search(page.html)
    assert "A run was completed" in page.text
    receiver.answer = lambda _: (500, b"<b>no</b>", {})
    ines.send(page, f"{here}/test")
    go_on()
    page = ines.get(here)
    assert "Given up" in page.text
    assert "&lt;b&gt;no&lt;/b&gt;" in page.html
    ines.send(page, f"{here}/switch")
    assert "Off" in ines.get(here).text
    receiver.answer = lambda _: (200, b"", {})
    ines.send(page, next(form["action"] for form in page.forms if form["action"].endswith("/redeliver")))
    go_on()
    assert "Delivered" in ines.get(f"{here}?status=delivered").text
    assert "Nothing of this kind" in ines.get(f"{here}?status=withheld").text
    form = ines.get(f"{here}/change")
    fields = form.form(f"{here}/change")["fields"]
    assert (fields["url"], fields["others"].strip()) == (f"{receiver.url}/in", "step.completed")
    ines.send(form, f"{here}/change", what="all", enabled="on")
    assert "Everything" in ines.get("/settings/webhooks").text
    assert SECRET.search(ines.send(page, f"{here}/secret", status=200).html)
    ines.send(page, f"{here}/remove")
    assert "Nothing is sent outside yet" in ines.follow().text


@pytest.mark.parametrize("who", ["stan", "mona", "ada", "olivia"])
def test_who_may_not_manage_webhooks_sees_none(pages: Pages, receiver: Receiver, who: str) -> None:
    webhook, _ = outgoing.add(pages.company.ines, Wanted(receiver.url, ["*"]))
    browser = getattr(pages, who)
    for path in ("", "/new", f"/{webhook.id}", f"/{webhook.id}/change"):
        assert receiver.url not in browser.get(f"/settings/webhooks{path}", status=403).text
    client, headers = web_app().test_client(), key(pages.company.people[who])
    told = [
        client.get(PLACE, headers=headers),
        client.post(PLACE, headers=headers, json={"url": receiver.url, "events": ["*"]}),
        client.get(f"{PLACE}/{webhook.id}", headers=headers),
        client.patch(f"{PLACE}/{webhook.id}", headers=headers, json={"enabled": False}),
        client.delete(f"{PLACE}/{webhook.id}", headers=headers),
        client.post(f"{PLACE}/{webhook.id}/test", headers=headers, json={}),
        client.post(f"{PLACE}/{webhook.id}/secret", headers=headers, json={}),
        client.get(f"{PLACE}/{webhook.id}/deliveries", headers=headers),
        client.post(f"{PLACE}/{webhook.id}/deliveries/dlv_1/redeliver", headers=headers, json={}),
    ]
    assert [answer.status_code for answer in told] == [403] * 9
    assert client.get(PLACE).status_code == 401


def test_the_calls_do_what_the_pages_do(company: Company, receiver: Receiver) -> None:
    client, ines = web_app().test_client(), key(company.ines)
    sent = {"url": f"{receiver.url}/in", "events": ["tag.added"], "filter": "event.record == '1'"}
    made = client.post(PLACE, headers=ines | {"X-Idempotency-Key": "a"}, json=sent)
    again = client.post(PLACE, headers=ines | {"X-Idempotency-Key": "a"}, json=sent)
    ident = made.get_json()["id"]
    assert (made.status_code, again.status_code, again.get_json()["id"]) == (201, 201, ident)
    assert (bool(SECRET.fullmatch(made.get_json()["secret"])), again.get_json()["secret"]) == (True, None)
    assert client.get(f"{PLACE}/{ident}", headers=ines).get_json()["secret"] is None
    for body, field in (
        ({"url": "https://127.0.0.2/", "events": ["*"]}, "url"),
        ({"url": receiver.url, "events": []}, "events"),
        ({"events": ["*"]}, "url"),
    ):
        wrong = client.post(PLACE, headers=ines, json=body)
        assert (wrong.status_code, [detail["field"] for detail in wrong.get_json()["details"]]) == (
            422,
            [field],
        )
    tested = client.post(f"{PLACE}/{ident}/test", headers=ines)
    assert (tested.status_code, tested.get_json()["status"]) == (202, "waiting")
    go_on()
    [told] = client.get(f"{PLACE}/{ident}/deliveries", headers=ines).get_json()["data"]
    assert (told["status"], told["event"], told["response"]) == (
        "delivered",
        "webhook.test",
        {"status": 200, "error": None, "body": None},
    )
    assert (
        client.post(f"{PLACE}/{ident}/deliveries/{told['id']}/redeliver", headers=ines, json={}).status_code
        == 202
    )
    assert client.get(f"{PLACE}/{ident}/deliveries?after=nonsense", headers=ines).status_code == 400
    assert (
        client.patch(f"{PLACE}/{ident}", headers=ines, json={"enabled": False, "filter": None}).get_json()[
            "status"
        ]
        == "off"
    )
    assert client.get(f"{PLACE}/{ident}", headers=ines).get_json()["filter"] is None
    assert client.delete(f"{PLACE}/{ident}", headers=ines).status_code == 204
    assert client.get(f"{PLACE}/{ident}", headers=ines).status_code == 404


def test_a_key_that_leaves_something_out_sends_nothing_past_it(company: Company, receiver: Receiver) -> None:
    client = web_app().test_client()
    narrowed = key(company.ines, scopes=Scopes.of({"acts": ["webhook.manage", "activity.read"]}))
    refused = client.post(PLACE, headers=narrowed, json={"url": receiver.url, "events": ["*"]})
    assert (refused.status_code, refused.get_json()["code"]) == (403, "narrowed_key")
