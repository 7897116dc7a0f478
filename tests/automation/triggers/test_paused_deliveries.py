"""Deliveries of webhooks while everything is paused are kept: their runs begin when it is resumed, in order, once, under the ids that were told.

And the limits of a webhook with a key are its own, not those of its key elsewhere.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from console import workflows
from console.auth import accounts
from console.auth.accounts import rates
from console.automation import triggers
from console.automation.webhooks import stored_deliveries
from console.infra.db.engine import fetch
from console.operations import status
from tests.company import Company
from tests.jobs import work_as_workers_do
from tests.views.test_hooks_odd_senders import PLAIN, ROBOT, STEPS, Sender, Told, served

pytestmark = pytest.mark.lengthy

HEAD: dict[str, Any] = {"format": 1, "title": "Rung", "team": "operations", "settings": {}, "steps": STEPS}
ROBOTS = {"run_as": ROBOT}
KINDS: dict[str, dict[str, Any]] = {
    "as-account": ROBOTS,
    "as-sender": {},
    "signed": ROBOTS | {"triggers": [PLAIN | {"signed": True}]},
    "about-records": ROBOTS | {"collection": "customer"},
    "as-sender-about-records": {"collection": "customer"},
    "with-places": ROBOTS | {"collection": "customer", "reenrol": "after_end"},
    "with-leads": ROBOTS | {"reenrol": "after_end"},
    "at-a-pace": ROBOTS | {"settings": {"per_minute": 50}},
}
RUNS = "select r.id, r.input ->> 'why' from /* every run */ console.run r join console.workflow w on w.id = r.workflow where w.slug = %s order by r.id"
STATES = "select f.status from console.firing f join console.workflow w on w.id = f.workflow where w.slug = %s order by f.due_at"


@pytest.fixture
def sender(company: Company) -> Iterator[Sender]:
    stored_deliveries.lately.clear()
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    for slug, more in KINDS.items():
        workflows.import_file(HEAD | {"slug": slug, "triggers": [PLAIN]} | more, publish=True)
    triggers.synchronise()
    with served() as port:
        yield Sender(company, port, accounts.create_key("test", company.mona.id).text)


def deliverer(sender: Sender, slug: str) -> Callable[[int], Told]:
    """What sends the delivery of this number to the webhook of the workflow."""
    path = sender.path("plain", slug)
    signed = (
        Webhook(str(triggers.trigger_commands.renew_secret(sender.company.mona, slug, "plain").secret))
        if slug == "signed"
        else None
    )

    def deliver(number: int) -> Told:
        told = {"why": f"ring {number}"} | ({"record": str(number)} if "collection" in KINDS[slug] else {})
        text, ident, now = json.dumps(told), f"{slug}-{number}", datetime.now(UTC)
        if signed is None:
            return sender.send(path, text.encode(), X_Idempotency_Key=ident)
        named: dict[str, Any] = {
            "webhook_id": ident,
            "webhook_timestamp": int(now.timestamp()),
            "webhook_signature": signed.sign(ident, now, text),
        }
        return sender.send(path, text.encode(), **named)

    return deliver


def test_what_comes_in_a_pause_begins_when_it_is_over_in_order_and_once(sender: Sender) -> None:
    ways = {slug: deliverer(sender, slug) for slug in KINDS}
    status.pause(sender.company.ines, "The provider lies")
    told = {slug: [deliver(number) for number in (1, 2, 3)] for slug, deliver in ways.items()}
    again = {slug: deliver(2) for slug, deliver in ways.items()}
    work_as_workers_do()
    for slug, answers in told.items():
        assert [each.status for each in answers] == [202] * 3, (slug, answers)
        assert again[slug].body == {"runId": answers[1].body["runId"], "duplicate": True}, slug
        assert not fetch(RUNS, (slug,)), f"{slug}: nothing begins in a pause"
        assert fetch(STATES, (slug,)) == [("waiting",)] * 3, slug
    status.resume(sender.company.ines, "It is mended")
    work_as_workers_do()
    for slug, answers in told.items():
        assert fetch(RUNS, (slug,)) == [
            (each.body["runId"], f"ring {number}") for number, each in enumerate(answers, 1)
        ], slug
        assert fetch(STATES, (slug,)) == [("started",)] * 3, slug
        assert ways[slug](3).body == {"runId": answers[2].body["runId"], "duplicate": True}, slug
    places = fetch(
        "select count(*) from console.enrolment e join console.workflow w on w.id = e.workflow where w.slug = any(%s)",
        (["with-places", "with-leads"],),
    )
    assert places == [(6,)]


def test_whoever_may_not_start_is_refused_in_a_pause_too(sender: Sender) -> None:
    path = sender.path("plain", "as-sender")
    stranger = Sender(
        sender.company, sender.port, accounts.create_key("stranger", sender.company.stan.id).text
    )
    status.pause(sender.company.ines, "The provider lies")
    assert (sender.send(path, b'{"why": ""}').status, sender.send(path, b"no").status) == (422, 400)
    assert (
        stranger.send(path, b'{"why": "x"}').status,
        sender.send(path, b"{}", Authorization="Bearer x").status,
    ) == (403, 401)
    assert not fetch("select 1 from console.firing where status = 'waiting'")


def test_a_key_that_ends_in_the_pause_starts_nothing_after_it(sender: Sender) -> None:
    status.pause(sender.company.ines, "The provider lies")
    assert deliverer(sender, "as-sender")(1).status == 202
    accounts.revoke_key(accounts.keys_of(sender.company.mona)[0].id)
    status.resume(sender.company.ines, "It is mended")
    work_as_workers_do()
    assert not fetch(RUNS, ("as-sender",))
    [(state, why)] = fetch(
        "select status, why from console.firing where kind = 'webhook' and status <> 'started'"
    )
    assert (state, "has ended" in why) == ("refused", True)


def test_a_noisy_webhook_and_its_key_have_limits_of_their_own(
    sender: Sender, given_settings: Callable[..., None]
) -> None:
    first, second = sender.path("plain", "as-account"), sender.path("plain", "as-sender")
    other = Sender(sender.company, sender.port, accounts.create_key("other", sender.company.mona.id).text)
    given_settings(CONSOLE_RATE_LIMITS="3/min,1000/h")
    rates._refused.clear()
    with served() as port:
        sender, other = Sender(sender.company, port, sender.key), Sender(sender.company, port, other.key)
        noisy = [sender.send(first, b'{"why": "noise"}').status for _ in range(5)]
        assert noisy == [202] * 3 + [429] * 2
        assert sender.send(second, b'{"why": "another webhook"}').status == 202
        assert other.send(first, b'{"why": "another key"}').status == 202
        assert [_asked(sender) for _ in range(4)] == [200] * 3 + [429], (
            "what the webhook took left the API's quota whole"
        )
        assert other.send(first, b'{"why": "goes on"}').status == 202
        assert sender.send(second, b'{"why": "nor does the API take the webhook\'s"}').status == 202


def _asked(sender: Sender) -> int:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", sender.port, timeout=60)
    try:
        connection.request("GET", "/api/v1/me", headers={"Authorization": f"Bearer {sender.key}"})
        return connection.getresponse().status
    finally:
        connection.close()
