"""A step that goes through a list asks about one item: its values and its papers, no others, and an answer of its own."""

from typing import Any

import pytest

from console import runs, workflows
from console.runs.commands import attachments
from tests.ai.proposals.conftest import House
from tests.demo_papers import paper

LIST: dict[str, Any] = {
    "items": {"relation": "account", "fields": ["iban", "status"], "sort": "iban"},
    "form": [{"name": "remark", "label": "Remark", "type": "long_text"}],
}


def going_through(
    config: dict[str, Any], before: list[dict[str, Any]] | None = None, ai: dict[str, Any] | None = None
) -> None:
    first = before[0]["id"] if before else "each"
    steps: list[dict[str, Any]] = [
        {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": first}},
        *(before or []),
        {
            "id": "each",
            "type": "loop",
            "title": "Each of them",
            "config": config,
            "next": {"default": "end"},
            "ai": ai or {},
        },
        {"id": "end", "type": "end", "title": "End", "config": {}, "next": {}},
    ]
    document = {
        "format": 1,
        "slug": "each",
        "title": "Each",
        "collection": "customer",
        "team": "operations",
        "roles": ["operator"],
    }
    workflows.import_file(document | {"steps": steps}, publish=True)


def asked(house: House, run_id: str, item: str) -> str:
    """What was sent about this item; empty where the answer was known."""
    house.model.requests.clear()
    runs.get(house.company.olivia, run_id, item)
    house.work()
    return house.sent


def keys(house: House, run_id: str) -> list[str]:
    return [one["key"] for one in house.company.told(run_id)["current"]["progress"]["items"]]


@pytest.mark.slow
def test_the_prompt_names_its_item_and_no_other(house: House) -> None:
    house.company.sql("update account set status = 'frozen-' || substr(iban, -1) where customer_id = 1")
    load = {
        "id": "load",
        "type": "get_data",
        "title": "Load",
        "completion": "automatic",
        "next": {"default": "each"},
    }
    load["config"] = {
        "fields": ["display_name"],
        "related": [{"name": "accounts", "relation": "account", "fields": ["iban", "status"]}],
    }
    going_through(LIST, [load])
    run_id = runs.start(house.company.olivia, "each", "customer", "1")
    first, second = keys(house, run_id)
    for number, (own, other) in enumerate([("frozen-8", "frozen-9"), ("frozen-9", "frozen-8")], 1):
        sent = asked(house, run_id, (first, second)[number - 1])
        assert own in sent
        assert other not in sent
        assert f'\\"number\\": {number}, \\"of\\": 2' in sent


def test_what_was_noted_of_one_is_not_told_of_another_and_comes_back_with_its_own(house: House) -> None:
    going_through(LIST)
    run_id = runs.start(house.company.olivia, "each", "customer", "1")
    first, second = keys(house, run_id)
    told = house.company.told(run_id)
    runs.complete(
        house.company.olivia,
        run_id,
        runs.Submission(
            step="each", revision=told["revision"], values={"item": first, "remark": "a very odd stamp"}
        ),
    )
    assert "a very odd stamp" not in asked(house, run_id, second)
    assert "a very odd stamp" in asked(house, run_id, first), "who turns back to it has what was noted of it"


def test_two_items_that_look_alike_have_an_answer_each(house: House) -> None:
    house.company.sql("update account set status = 'open' where customer_id = 1")
    going_through(
        {
            **LIST,
            "items": {"relation": "account", "fields": ["status"], "sort": "iban"},
            "title": "An account",
        }
    )
    run_id = runs.start(house.company.olivia, "each", "customer", "1")
    first, second = keys(house, run_id)
    assert asked(house, run_id, first)
    assert asked(house, run_id, second), "the answer about the first is not given again for the second"


def test_an_item_carries_its_papers_alone_and_new_ones_are_asked_about(house: House) -> None:
    hand_in = {"id": "hand_in", "type": "update_data", "title": "Hand in", "next": {"default": "each"}}
    hand_in["config"] = {"form": [{"name": "papers", "label": "Papers", "type": "files"}]}
    config = {
        "items": {"entries": "steps.hand_in.papers", "fields": []},
        "form": LIST["form"],
        "title": "{{ item.name }}",
    }
    going_through(config, [hand_in], {"sources": ["documents"]})
    olivia = house.company.olivia
    run_id = runs.start(olivia, "each", "customer", "2")
    sent = [
        attachments.attach(
            olivia, run_id, step="hand_in", field="papers", name=f"{word}.pdf", content=paper(word)
        )
        for word in ("Aalborg", "Brno")
    ]
    told = house.company.told(run_id)
    runs.complete(
        olivia,
        run_id,
        runs.Submission(
            step="hand_in",
            revision=told["revision"],
            values={"papers": [one.id for one in sent]},
            outcome=None,
        ),
    )
    first, second = keys(house, run_id)
    about_first, about_second = asked(house, run_id, first), asked(house, run_id, second)
    assert ("Aalborg" in about_first, "Brno" in about_first) == (True, False)
    assert ("Aalborg" in about_second, "Brno" in about_second) == (False, True)
