"""Triggers on tags: capitals do not count in what they are compared with, and what is published is what judges from then on."""

import pytest

from console.activity import sequencing
from console.automation import triggers
from console.browse import tags
from console.core import expressions
from console.core.tag_names import TagName
from tests.automation.triggers.test_triggers import house, publish, told
from tests.company import Company
from tests.messaging.messages.reached import founded

__all__ = ["house"]


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ('event.tag == "VIP-Second"', True),
        ('"vip-SECOND" == event.tag', True),
        ('event.tag in ["gold", "Vip-Second"]', True),
        ('event.tag != "VIP-Second"', False),
        ('event.tag == "VIP"', False),
        ("event.tag == 7", False),
        ('lower(event.tag) == "vip-second"', True),
    ],
)
def test_capitals_do_not_count_in_the_tag_of_an_event(condition: str, holds: bool) -> None:
    assert expressions.parse(condition).test({"event": {"tag": TagName("vip-second")}}) is holds


def test_what_happens_after_a_version_was_published_is_judged_by_that_one(house: Company) -> None:
    """Nobody has looked at what was published when the next event is read."""
    founded(house)
    publish(
        "tagged",
        {"id": "on", "kind": "event", "on": "tag.added", "filter": 'event.tag == "old"'},
        collection="contact",
    )
    triggers.follow_log()
    publish(
        "tagged",
        {"id": "on", "kind": "event", "on": "tag.added", "filter": 'event.tag == "new"'},
        collection="contact",
    )
    tags.put(house.olivia, "contact", ["1"], "new")
    sequencing.catch_up()
    triggers.follow_log()
    assert told("tagged", "on")[:2] == (1, 0)
