"""References where people read and type: names in the texts of steps, and boxes that find records by name."""

import json
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from console import runs, workflows
from console.auth import access
from console.formats import Look, Named
from console.views.browse import reference_boxes
from console.views.runs import form_boxes
from tests.company import Company
from tests.support.engine import step
from tests.views.conftest import Pages

LOOK = Look(
    records={
        ("customer", "1"): Named("Adaeze  Okonkwo-Bell", "/c/customer/1"),
        ("customer", "9"): Named("a customer that is gone", absent=True),
    }
)
OWNER = {"name": "owner", "label": "Owner", "type": "reference", "collection": "customer"}


def started(company: Company, who: str = "olivia", given: str = "1") -> str:
    """A run about no record that asks for a customer at its step "ask" and tells of it at "told"."""
    ask = step(
        "ask",
        "decision",
        None,
        {
            "form": [OWNER],
            "options": [{"value": "go", "label": "Continue"}, {"value": "no", "label": "Stop"}],
        },
    ) | {"next": {"go": "told", "no": "end"}}
    steps = [
        {**step("start", "start", "ask"), "config": {"fields": [OWNER]}},
        ask,
        step("told", "guidance", "end", {"text": "About {{ input.owner }}, then {{ steps.ask.owner }}."}),
        step("end", "end", None),
    ]
    document = {
        "format": 1,
        "slug": "naming",
        "title": "Naming",
        "team": "operations",
        "settings": {"exclusive": False},
        "steps": steps,
    }
    workflows.import_file(document, publish=True)
    return runs.start(company.people[who], "naming", None, None, {"owner": given})


def test_a_step_and_its_replay_say_the_name_and_link_to_the_record(pages: Pages) -> None:
    run = started(pages.company)
    page = pages.olivia.get(f"/runs/{run}")
    pages.olivia.send(page, "/complete", v_owner="2", outcome="go")
    page = pages.olivia.get(f"/runs/{run}")
    assert '<a href="/c/customer/1">Adaeze Okonkwo-Bell</a>' in page.html
    assert page.html.count('<a href="/c/customer/') >= 2
    assert "About 1" not in page.text
    assert "About Adaeze Okonkwo-Bell, then" in pages.olivia.get(f"/runs/{run}/replay?at=9").text


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Adaeze Okonkwo-Bell", "1"),
        (" Adaeze Okonkwo-Bell ", "1"),
        ("2", "2"),
        ("", None),
        ("Adaeze", "Adaeze"),
    ],
)
def test_a_box_shows_the_name_and_means_the_key_until_something_else_is_typed(typed: str, meant: Any) -> None:
    box = form_boxes.box({**OWNER, "options": {"collection": "customer"}}, LOOK, value="1")
    assert (box.value, box.picks, json.loads(box.picked)) == (
        "Adaeze Okonkwo-Bell",
        "customer",
        ["Adaeze Okonkwo-Bell", "1"],
    )
    form = MultiDict([("t.owner", box.marker), ("r.owner", box.picked), ("v.owner", typed)])
    assert form_boxes.read_form(form, LOOK) == {"owner": meant}


@pytest.mark.parametrize("told", ["", "null", "[1]", '["Adaeze Okonkwo-Bell", 1]', "{", "[" * 9000])
def test_a_forged_name_changes_nothing_of_what_was_typed(told: str) -> None:
    assert reference_boxes.box_values(MultiDict({"r.owner": told}), "owner", ["Adaeze Okonkwo-Bell"]) == [
        "Adaeze Okonkwo-Bell"
    ]


def test_records_are_offered_by_name_to_whoever_may_see_them(pages: Pages) -> None:
    def offered(who: str, text: str, status: int = 200) -> str:
        asker = getattr(pages, who)
        return str(
            asker.post(
                "/pick",
                {"csrf_token": asker.token, "collection": "customer", "q": text},
                htmx="offered",
                status=status,
            ).html
        )

    assert 'data-key="1"' in offered("olivia", "okonk")
    assert "No record has this name" in offered("olivia", "nobody at all")
    assert "data-key" not in offered("stan", "okonk", 404), "who may see no customers"
    assert "data-key" not in offered("olivia", "o"), "one letter says too little"


def test_a_name_is_told_to_nobody_who_may_not_see_the_record(pages: Pages) -> None:
    run = started(pages.company, "mona", "3")
    page = pages.mona.get(f"/runs/{run}")
    pages.mona.send(page, "/complete", v_owner="3", outcome="go")
    assert "Halcyon Harbour" in pages.mona.get(f"/runs/{run}").text
    access.grant("operator", "workflow:naming", ["see"], team="operations")
    assert "Halcyon Harbour" not in pages.tom.get(f"/runs/{run}").text
    assert "a customer you may not see" in pages.tom.get(f"/runs/{run}").text
