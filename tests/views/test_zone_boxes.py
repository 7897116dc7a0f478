"""A time zone is chosen and shown by its city: its name in the database of zones stands nowhere that people read."""

import re
from typing import TYPE_CHECKING

import pytest

from console import formats, log, workflows
from console.core.drafting import AddTrigger
from console.monitoring import due_times

if TYPE_CHECKING:
    from tests.views.conftest import Pages

PLACE = "/workflows/care-review"
VILNIUS = "Europe/Vilnius"


@pytest.mark.parametrize("path", ["/due-time", "/schedule", "/edit", "/configuration"])
def test_a_time_zone_is_chosen_by_its_city(pages: "Pages", path: str) -> None:
    known = next(each for each in workflows.all_known() if each.slug == "care-review")
    mona = pages.company.mona
    terms = {
        "minutes": 60,
        "days": ["mon"],
        "opens": "09:00",
        "closes": "17:00",
        "holidays": [],
        "stages": [{"percent": 50, "do": "remind"}],
    }
    due_times.set_for_workflow(mona, known, terms | {"zone": VILNIUS})
    trigger = {"id": "daily", "kind": "schedule", "preset": {"every": "day", "at": "09:00"}, "zone": VILNIUS}
    workflows.edit(mona, known.slug, 0, [AddTrigger(trigger=trigger, place=None)])
    page = pages.mona.get(PLACE + path)
    if path == "/schedule":
        page = pages.mona.post(PLACE + path, page.form(PLACE + path)["fields"] | {"words": "every day at 9", "zone": VILNIUS}, status=200)
    assert "Vilnius, " in page.text
    typed = [own.get("value", "") for tag, own in page.attributes if tag == "input" and own.get("type") != "hidden"]
    assert re.findall(r"\w*Europe/\w+", " ".join([page.text, *typed])) == []
    chosen = [own.get("value") for tag, own in page.attributes if tag == "option" and "selected" in own]
    assert path == "/configuration" or VILNIUS in chosen


def test_a_field_of_time_zones_is_shown_by_cities_and_offers_them() -> None:
    what, look = formats.Kind("time_zone", "Time zone", widget="zone"), formats.Look("en", "UTC", log.now())
    shown = [formats.text(what, zone, look) for zone in (VILNIUS, "America/New_York", "UTC", "soon", None)]
    assert shown == ["Vilnius", "New York", "UTC", "soon", formats.EMPTY]
    assert ("America/New_York", "New York") in formats.code_choices("zone", "de")
    assert formats.sought_value(look, {"name": "time_zone", "widget": "zone"}, "new york") == "America/New_York"
    old = [formats.text(what, zone, look) for zone in ("US/Eastern", "Canada/Eastern", "Brazil/West", "Chile/Continental")]
    assert old == ["US/Eastern", "Canada/Eastern", "Brazil/West", "Chile/Continental"], "its last word is no city"
