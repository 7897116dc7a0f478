"""Things that happen, and what of them was sent to whom."""

import json
from typing import Any

from console import log
from console.activity import sequencing
from console.automation.webhooks import outgoing as webhooks
from console.automation.webhooks.outgoing import Wanted
from console.core.actor import Actor
from console.infra.db.engine import fetch
from tests.company import Company
from tests.jobs import work_until_idle
from tests.servers.outside import Receiver


def happens(company: Company, *tags: str, record: str = "1") -> None:
    """Something in the log for each."""
    for name in tags:
        log.note(
            company.olivia,
            "tag_added",
            open={"tag": name, "n": 1},
            collection="customer",
            record=record,
            team="operations",
        )


def go_on() -> None:
    """What workers do: order the log, take in, send what is due."""
    sequencing.catch_up()
    webhooks.take_in()
    webhooks.pick_up()
    work_until_idle()


def due_now() -> None:
    fetch("update console.webhook_delivery set due_at = now() where status = 'waiting' returning 1")


def bodies(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(one.body) for one in receiver.received]


def statuses(webhook_id: str) -> list[tuple[str, int]]:
    return fetch(
        "select status, tries from console.webhook_delivery where webhook = %s order by number", (webhook_id,)
    )


def added(who: Actor, receiver: Receiver, *events: str, **more: Any) -> tuple[str, str]:
    webhook, secret = webhooks.add(who, Wanted(f"{receiver.url}/in", events or ("tag.added",), **more))
    return webhook.id, secret


def answering(receiver: Receiver, *statuses_: int) -> None:
    """These answers one after another, then 200."""
    left = list(statuses_)
    receiver.answer = lambda _: (left.pop(0) if left else 200, b"said", {})
