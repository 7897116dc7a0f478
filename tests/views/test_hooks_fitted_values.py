"""Webhook senders that write numbers where people see a text, and times without a zone."""

from typing import TYPE_CHECKING

import pytest

from console import workflows
from console.core.errors import DefinitionError
from tests.views.test_hooks_odd_senders import PLAIN, ROBOT, STEPS, Sender, begun, sender

if TYPE_CHECKING:
    pass

__all__ = ["sender"]

FIELDS = [
    {"name": "order", "label": "Order"},
    {"name": "phone", "label": "Phone", "type": "phone"},
    {"name": "paid_at", "label": "Paid at", "type": "datetime"},
    {"name": "born", "label": "Born", "type": "date"},
    {"name": "sure", "label": "Sure", "type": "boolean"},
    {"name": "pieces", "label": "Pieces", "type": "integer"},
]


def test_numbers_are_taken_as_the_texts_and_moments_that_they_stand_for(sender: Sender) -> None:
    head = {
        "format": 1,
        "slug": "shop",
        "title": "Shop",
        "team": "operations",
        "run_as": ROBOT,
        "settings": {},
    }
    steps = [STEPS[0] | {"config": {"fields": FIELDS}}, *STEPS[1:]]
    workflows.import_file(head | {"steps": steps, "triggers": [PLAIN]}, publish=True)
    path = sender.path("plain", "shop")
    bodies = (
        b'{"order": 4501234567890123456, "phone": 37061234567, "paid_at": 1767225600, "born": "2025-10-31T23:30:00+02:00", "pieces": 2}',
        b'{"order": 12.50, "paid_at": 1767225600500, "born": 1767225600, "sure": true}',
    )
    assert [sender.send(path, body).status for body in bodies] == [202, 202]
    told = [{name: value for name, value in each.items() if value is not None} for each in begun("shop")]
    assert told == [
        {
            "order": "4501234567890123456",
            "phone": "37061234567",
            "paid_at": "2026-01-01T00:00:00Z",
            "born": "2025-10-31",
            "pieces": 2,
        },
        {"order": "12.50", "paid_at": "2026-01-01T00:00:00.500000Z", "born": "2026-01-01", "sure": True},
    ]
    refused = [
        (b'{"order": true}', "input.order"),
        (b'{"order": 1e400}', "input.order"),
        (b'{"order": ' + b"9" * 5000 + b"}", "input.order"),
        (b'{"paid_at": 2026}', "input.paid_at"),
        (b'{"paid_at": false}', "input.paid_at"),
        (b'{"born": 31}', "input.born"),
        (b'{"sure": 1}', "input.sure"),
    ]
    answers = [sender.send(path, body) for body, _ in refused]
    assert [(each.status, each.body["details"][0]["field"]) for each in answers] == [
        (422, field) for _, field in refused
    ]


def test_a_time_without_a_zone_is_one_of_the_triggers_zone_else_of_utc(sender: Sender) -> None:
    head = {
        "format": 1,
        "slug": "shop",
        "title": "Shop",
        "team": "operations",
        "run_as": ROBOT,
        "settings": {},
    }
    steps = [STEPS[0] | {"config": {"fields": FIELDS}}, *STEPS[1:]]
    there = PLAIN | {"id": "there", "zone": "Europe/Vilnius", "input": {"paid_at": "input.at"}}
    workflows.import_file(head | {"steps": steps, "triggers": [PLAIN, there]}, publish=True)
    sent = [
        ("plain", b'{"paid_at": "2026-11-29 08:00:00"}', "2026-11-29T08:00:00Z"),
        ("plain", b'{"paid_at": " 2026-11-29t08:00 "}', "2026-11-29T08:00:00Z"),
        ("there", b'{"at": "2026-11-29 08:00:00"}', "2026-11-29T06:00:00Z"),
        ("there", b'{"at": "2026-07-29 08:00:00.5"}', "2026-07-29T05:00:00.500000Z"),
        ("there", b'{"at": "2026-11-29T08:00:00-05:00"}', "2026-11-29T13:00:00Z"),
        ("there", b'{"at": "2026-10-25T03:30:00"}', "2026-10-25T00:30:00Z"),
    ]
    for trigger, body, at in sent:
        assert sender.send(sender.path(trigger, "shop"), body).status == 202, body
        assert at in [each["paid_at"] for each in begun("shop")], body
    for wrong in (
        b'{"paid_at": "2026-02-30 08:00"}',
        b'{"paid_at": "29.11.2026 08:00"}',
        b'{"paid_at": "soon"}',
    ):
        answer = sender.send(sender.path("plain", "shop"), wrong)
        assert (answer.status, answer.body["details"][0]["field"]) == (422, "input.paid_at")
    assert sender.send(sender.path("there", "shop"), b'{"at": "0001-01-01 00:00"}').status == 422


def test_a_webhook_names_its_zone_and_no_other_than_there_is(sender: Sender) -> None:
    head = {
        "format": 1,
        "slug": "shop",
        "title": "Shop",
        "team": "operations",
        "run_as": ROBOT,
        "settings": {},
        "steps": STEPS,
    }
    with pytest.raises(DefinitionError, match="zone"):
        workflows.import_file(head | {"triggers": [PLAIN | {"zone": "Mars/Base"}]})
