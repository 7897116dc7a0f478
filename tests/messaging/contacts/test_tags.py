"""Tags on records: who sees and changes them, once each, in lists, in runs and when somebody is erased."""

import json
from typing import Any

import pytest

from console import browse, log, runs, workflows
from console.auth import access
from console.browse import BrowseQuery, tags
from console.core.errors import Invalid, Malformed, NotAllowed, NotFound
from console.core.tag_names import clean
from console.infra.db.engine import fetch
from console.operations import erasure
from tests.company import Company
from tests.support.contact_club import found_club
from tests.support.engine import step
from tests.tables import cases


def kinds(*wanted: str) -> list[tuple[str, str | None]]:
    """(kind, tag or stage that stands open) of these events, in the order of the log."""
    rows = fetch("select convert_from(body, 'UTF8') from console.event order by id")
    bodies = [json.loads(row[0]) for row in rows]
    return [
        (each["type"], each["data"]["open"].get("tag") or each["data"]["open"].get("stage"))
        for each in bodies
        if each["type"] in wanted
    ]


def named(company: Company, key: str) -> list[str]:
    return [tag.name for tag in tags.tags_of(company.olivia, "contact", key)]


def listed(company: Company, op: str, value: Any) -> list[str]:
    query = BrowseQuery(filter=json.dumps({"field": "tags", "op": op, "value": value}))
    return [row.key or "" for row in browse.page(company.olivia, "contact", query).rows]


def test_a_tag_is_put_and_taken_away_once_and_told_once(company: Company) -> None:
    found_club(company)
    assert tags.put(company.olivia, "contact", ["1"], " Hot   Lead ") == tags.Tagged(1, 0, 0)
    assert tags.put(company.olivia, "contact", ["1"], "hot lead") == tags.Tagged(0, 1, 0), (
        "capitals do not count"
    )
    assert tags.put(company.olivia, "contact", ["1", "2", "99"], "vip") == tags.Tagged(2, 0, 1)
    assert named(company, "1") == ["Hot Lead", "vip"]
    assert tags.offered(company.olivia, "contact") == ["Hot Lead", "vip"]
    assert [tag.by for tag in tags.tags_of(company.olivia, "contact", "1")] == ["Olivia", "Olivia"]
    assert tags.take_away(company.olivia, "contact", ["1"], "HOT LEAD") == tags.Tagged(1, 0, 0)
    assert tags.take_away(company.olivia, "contact", ["1"], "hot lead") == tags.Tagged(0, 1, 0)
    assert named(company, "1") == ["vip"]
    told = kinds("tag_added", "tag_removed")
    assert told == [("tag_added", None), ("tag_added", None), ("tag_added", None), ("tag_removed", None)], (
        "each is sealed for its person"
    )


def test_who_may_not_see_or_change_a_record_does_not_tag_it(company: Company) -> None:
    found_club(company)
    tags.put(company.olivia, "contact", ["1"], "vip")
    for act in (
        lambda: tags.tags_of(company.stan, "contact", "1"),
        lambda: tags.put(company.stan, "contact", ["1"], "x"),
    ):
        with pytest.raises(NotFound):
            act()
    assert [tag.name for tag in tags.tags_of(company.rosa, "contact", "1")] == ["vip"]
    with pytest.raises(NotAllowed):
        tags.put(company.rosa, "contact", ["1"], "x")
    with pytest.raises(NotFound):
        tags.put(company.olivia, "contact", ["99"], "x")
    assert kinds("tag_added") == [("tag_added", None)]


@cases("text", ["", "  ", "x" * 61, "a,b", "a\x00b", "a\u202eb", None, 7])
def test_a_text_that_is_no_tag_is_refused_with_its_field(text: Any) -> None:
    with pytest.raises(Invalid) as wrong:
        clean(text)
    assert wrong.value.details[0]["field"] == "tag"


def test_a_list_is_filtered_by_tags(company: Company) -> None:
    found_club(company)
    for key, tag in (("1", "lead"), ("2", "lead"), ("2", "vip"), ("3", "vip")):
        tags.put(company.olivia, "contact", [key], tag)
    assert listed(company, "contains", "Lead") == ["1", "2"]
    assert listed(company, "ne", "lead") == ["3", "4", "5", "6"]
    assert listed(company, "in", ["vip", "nobody has it"]) == ["2", "3"]
    assert listed(company, "is_null", True) == ["4", "5", "6"]
    assert listed(company, "is_null", False) == ["1", "2", "3"]
    both = {
        "and": [
            {"field": "tags", "op": "eq", "value": "vip"},
            {"field": "stage", "op": "eq", "value": "engaged"},
        ]
    }
    assert [
        row.key for row in browse.page(company.olivia, "contact", BrowseQuery(filter=json.dumps(both))).rows
    ] == ["3"]
    for op, value in (("gt", "x"), ("eq", 1), ("in", "x"), ("is_null", "x")):
        with pytest.raises(Malformed, match="tags"):
            listed(company, op, value)
    tags.put(company.olivia, "contact", ["3"], "lead")
    tags.take_away(company.olivia, "contact", ["1"], "lead")
    assert listed(company, "contains", "lead") == ["2", "3"], "the same list, asked again"


def flow(company: Company, *steps: tuple[str, dict[str, Any]]) -> None:
    places = [f"s{number}" for number in range(len(steps))]
    made = [step("start", "start", places[0])]
    made += [
        step(place, kind, following, config)
        for place, following, (kind, config) in zip(places, [*places[1:], "end"], steps, strict=True)
    ]
    made.append(step("end", "end", None))
    document = {
        "format": 1,
        "slug": "tagging",
        "title": "Tagging",
        "collection": "contact",
        "team": "operations",
        "roles": ["operator", "reviewer"],
        "steps": made,
    }
    workflows.import_file(document, publish=True)


def test_steps_tag_once_and_move_the_stage_in_the_chain_of_the_run(company: Company) -> None:
    found_club(company)
    tags.put(company.olivia, "contact", ["1"], "old")
    flow(
        company,
        ("add_tag", {"tag": "Lead {{ record.country }}"}),
        ("add_tag", {"tag": "lead us"}),
        ("remove_tag", {"tag": "old"}),
        ("remove_tag", {"tag": "never there"}),
        ("change_stage", {"stage": "Engaged"}),
        ("change_stage", {"stage": "engaged"}),
    )
    run_id = runs.start(company.olivia, "tagging", "contact", "1", {})
    told = company.told(run_id)
    assert told["status"] == "completed", told
    assert named(company, "1") == ["Lead US"]
    assert told["context"]["s4"] == {"stage": "engaged", "former": "new"}
    assert told["context"]["s5"] == {"stage": "engaged", "former": "engaged"}
    events = [
        (event.type, event.open.get("tag") or event.open.get("stage"))
        for event in log.events_of(run_id, limit=200)
    ]
    assert [each for each in events if each[0] in ("tag_added", "tag_removed", "stage_changed")] == [
        ("tag_added", "lead us"),
        ("tag_removed", "old"),
        ("stage_changed", "engaged"),
    ]
    assert list(runs.rebuild(run_id)) == []
    assert named(company, "1") == ["Lead US"]


def test_whoever_may_not_change_the_contact_is_asked_for_by_the_step(company: Company) -> None:
    found_club(company)
    access.grant("reviewer", "workflow:tagging", ["see", "start", "resume"], team="operations")
    flow(company, ("add_tag", {"tag": "lead"}))
    run_id = runs.start(company.rosa, "tagging", "contact", "1", {})
    told = company.told(run_id, "rosa")
    assert (told["status"], named(company, "1")) == ("waiting_person", [])


def test_another_stage_by_hand_is_an_event_beside_the_change(company: Company) -> None:
    found_club(company)
    browse.change(company.olivia, "contact", "1", {"stage": "engaged", "owner": "tom"}, {"stage": "new"})
    browse.change(company.olivia, "contact", "1", {"owner": "olivia"}, {})
    assert kinds("record_changed", "stage_changed") == [
        ("record_changed", None),
        ("stage_changed", "engaged"),
        ("record_changed", None),
    ]


def test_tags_of_an_erased_person_are_gone(company: Company) -> None:
    found_club(company)
    tags.put(company.olivia, "contact", ["1", "2"], "vip")
    access.grant("admin", "subject", ["erase"])
    access.grant("admin", "collection:contact", ["browse", "read"])
    erasure.erase(company.ines, "contact", "1", "She asked for it.")
    assert fetch("select record from console.record_tag") == [("2",)]
