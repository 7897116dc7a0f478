"""Inboxes: made from documents, who may work in them, and which runs are handed on to them."""

import json
from pathlib import Path
from typing import Any

import pytest

from console import log, runs
from console.auth import access
from console.core.errors import Conflict, DefinitionError, Invalid, NotFound
from console.infra.db.engine import fetch
from console.workflows import inboxes
from tests.company import DESK, Company

UNRATED: dict[str, Any] = {
    "id": "unrated",
    "title": "Unrated",
    "team": "operations",
    "source": {
        "collection": "customer",
        "segment": "unrated",
        "workflow": "care-review",
        "sort": "display_name",
        "input": {"why": "periodic"},
    },
}


def source(**changed: Any) -> dict[str, Any]:
    told = {name: value for name, value in (UNRATED["source"] | changed).items() if value is not None}
    return UNRATED | {"source": told}


WRONG = [
    ({"id": "desk", "team": "operations"}, "title"),
    ({"id": "The desk", "title": "T", "team": "operations"}, "id"),
    (DESK | {"colour": "red"}, "colour"),
    (DESK | {"roles": "mlro"}, "roles"),
    (source(collection="nothing"), "source.collection"),
    (source(segment="nothing"), "source.segment"),
    (source(filter="record.risk == null"), "source"),
    (source(segment=None), "source"),
    (source(segment=None, filter="record.nothing == 1"), "source.filter"),
    (source(segment=None, filter="record.risk =="), "source.filter"),
    (source(sort="-nothing"), "source.sort"),
    (source(workflow="nothing"), "source.workflow"),
    (
        source(collection="account", segment=None, filter="record.status == 'open'", sort=None),
        "source.workflow",
    ),
    (source() | {"team": "procurement"}, "source.workflow"),
    (source(input={}), "source.input.why"),
    (source(input={"why": "sometimes"}), "source.input.why"),
    (source(input={"why": "event", "whom": "x"}), "source.input.whom"),
]


@pytest.mark.parametrize(("document", "place"), WRONG)
def test_what_is_wrong_in_a_document_is_named_and_nothing_is_kept(
    company: Company, document: dict[str, Any], place: str
) -> None:
    with pytest.raises(DefinitionError) as caught:
        inboxes.import_all([DESK | {"id": "first"}, document])
    assert caught.value.details[0]["field"] == place, caught.value.message
    assert [one.id for one in inboxes.all_inboxes()] == ["desk"]


def test_a_file_is_read_in_and_again_changes_nothing(company: Company, tmp_path: Path) -> None:
    file = tmp_path / "inboxes.json"
    file.write_text(json.dumps([DESK, UNRATED]))
    assert [one.title for one in inboxes.import_file(file)] == ["Compliance desk", "Unrated"]
    inboxes.import_file(file)
    file.write_text(json.dumps([DESK | {"title": "Desk", "roles": ["lead"]}, UNRATED]))
    inboxes.import_file(file)
    events = [event for event in log.events_of("sys:config") if event.type == "inbox_changed"]
    assert [(event.open["inbox"], event.open["fields"]) for event in events] == [
        ("desk", ["made"]),
        ("unrated", ["made"]),
        ("desk", ["roles", "title"]),
    ]
    assert fetch("select made_by from console.inbox where id = 'desk'") == [("sys_cli",)]


def test_an_inbox_is_for_those_with_the_right_and_the_role(company: Company) -> None:
    inboxes.import_all([DESK | {"roles": ["lead"]}, UNRATED])
    seen = {who: [one.id for one in inboxes.inboxes_of(company.people[who])] for who in company.people}
    assert seen == {
        "olivia": ["unrated"],
        "tom": ["unrated"],
        "mona": ["desk", "unrated"],
        "stan": [],
        "rosa": [],
        "ada": [],
        "ines": [],
    }
    desk = inboxes.all_inboxes()[0]
    assert [inboxes.may(company.mona, desk, act) for act in ("work", "manage")] == [True, True]
    access.grant("auditor", "inbox:desk", ["manage"], team="operations")
    assert inboxes.visible_inbox(company.ada, "desk") == desk
    assert not inboxes.may(company.ada, desk, "work")
    for who, name in [("olivia", "desk"), ("stan", "unrated"), ("mona", "absent")]:
        with pytest.raises(NotFound) as caught:
            inboxes.visible_inbox(company.people[who], name)
        assert caught.value.message == NotFound().message


def test_a_run_goes_only_to_an_inbox_that_its_team_uses(company: Company) -> None:
    inboxes.import_all([DESK, DESK | {"id": "suppliers", "title": "Suppliers", "team": "procurement"}])
    run = company.at("note")
    for name in ("nothing", "suppliers", "", "desk\x00"):
        with pytest.raises(Invalid) as caught:
            runs.escalate(company.olivia, run, revision=None, inbox=name, reason="Please look")
        assert caught.value.details == [{"field": "inbox", "reason": "One of: desk."}]
    assert company.told(run)["holder"] == company.olivia.id
    runs.escalate(company.olivia, run, revision=None, inbox="desk", reason="Please look")
    assert company.told(run)["ticket"]["inbox"] == "desk"


def test_an_inbox_with_runs_in_it_is_not_closed(company: Company) -> None:
    inboxes.import_all([DESK])
    run = company.at("note")
    runs.escalate(company.olivia, run, revision=None, inbox="desk", reason="Please look")
    with pytest.raises(Conflict, match="1 run waits"):
        inboxes.close("desk")
    runs.take_over(company.tom, run, revision=None)
    inboxes.close("desk")
    assert inboxes.all_inboxes() == []
    assert inboxes.title_of("desk") == "desk"
    with pytest.raises(NotFound):
        inboxes.close("desk")
    inboxes.import_all([DESK])
    assert [one.id for one in inboxes.all_inboxes()] == ["desk"]
    told = [event.open["fields"] for event in log.events_of("sys:config") if event.type == "inbox_changed"]
    assert told == [["made"], ["closed"], ["opened"]]
