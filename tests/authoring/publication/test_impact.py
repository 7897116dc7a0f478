"""What publishing would do: differences in words, runs and enrolments on the old version, what starts soon, rights that are missing."""

from typing import Any

import pytest

from console import workflows
from console.auth import access, accounts
from console.authoring import diagrams, publication
from console.automation import triggers
from console.automation.triggers import trigger_rows
from console.core import drafting
from console.core.errors import NotAllowed, NotFound
from tests.company import Company

CARE = "care-review"


def changed(company: Company, *changes: dict[str, Any]) -> None:
    draft = workflows.open_draft(company.mona, CARE)
    workflows.edit(company.mona, CARE, draft.revision, drafting.read_changes(list(changes)))


def test_impact_names_differences_runs_and_the_version_it_would_become(company: Company) -> None:
    company.started("1")
    same = publication.impact(company.mona, CARE)
    assert (same.same, same.publishes, same.draft.live, same.tests, same.channels) == (True, 1, 1, None, [])
    changed(
        company,
        {"op": "set", "step": "read", "field": "title", "value": "Read this twice"},
        {
            "op": "set",
            "step": "note",
            "field": "config.form",
            "value": [{"name": "note", "label": "A longer note", "type": "long_text"}],
        },
        {"op": "set_document", "field": "tests", "value": [{"name": "Goes through", "record": "1"}]},
        {
            "op": "add_trigger",
            "trigger": {"id": "trg_x", "kind": "schedule", "cron": "0 */6 * * *", "title": "Four a day"},
        },
    )
    found = publication.impact(company.mona, CARE)
    assert (found.same, found.publishes, found.running, found.tests) == (
        False,
        2,
        [(1, 1, 0)],
        ["Goes through"],
    )
    told = {(each.kind, each.what, each.where, each.old, each.new) for each in found.differences}
    assert ("changed", "Read this twice", "Title", "Read this", "Read this twice") in told
    assert ("changed", "Take a note", "Form", "Note, Count", "A longer note") in told
    [firing] = found.firings
    assert (firing.trigger.title, firing.count, firing.first is not None) == ("Four a day", 4, True)
    assert found.to_json()["firings"][0] | {"first": ""} == {
        "trigger": "trg_x",
        "kind": "schedule",
        "words": "Four a day",
        "whom": [],
        "count": 4,
        "first": "",
    }


def firing(company: Company) -> set[str]:
    return {each.trigger.id for each in publication.impact(company.mona, CARE).firings}


def on(company: Company) -> set[str]:
    """The triggers that fire as things are."""
    triggers.synchronise()
    own = workflows.entry(company.mona, CARE).id
    kinds = ("schedule", "event", "webhook")
    return {row.id for kind in kinds for row in trigger_rows.active(kind) if row.workflow == own}


def test_what_would_fire_is_what_fires_once_it_is_published(company: Company) -> None:
    event = {"kind": "event", "on": "record.updated"}
    robot = accounts.create_service_account("robot@fernwick.test", [("operations_lead", "operations")])
    access.grant("operations_lead", f"account:{robot.email}", ["use"], team="*")
    access.refresh()
    changed(company, {"op": "set_document", "field": "run_as", "value": robot.email})
    for given in (
        {"op": "add_trigger", "trigger": {"id": "trg_on", **event}},
        {"op": "add_trigger", "trigger": {"id": "trg_off", **event}},
        {"op": "set_trigger", "trigger": "trg_off", "field": "enabled", "value": False},
        {"op": "set_trigger", "trigger": "trg_off", "field": "enabled", "value": True},
    ):
        changed(company, given)
        foretold = firing(company)
        workflows.publish_draft(company.mona, CARE)
        assert foretold == on(company), given
    triggers.switch(company.mona, CARE, "trg_on", enabled=False)
    assert firing(company) == on(company) == {"trg_off"}
    workflows.pause(company.mona, CARE)
    assert firing(company) == on(company) == set()


def test_what_a_file_leaves_out_is_no_difference_once_it_is_published(company: Company) -> None:
    changed(
        company,
        {"op": "set_document", "field": "settings", "value": {"visit_limit": 5}},
        {"op": "set", "step": "read", "field": "completion", "value": "manual"},
    )
    assert publication.impact(company.mona, CARE).same
    assert not diagrams.show(company.mona, CARE).draft_differs
    changed(company, {"op": "set_document", "field": "settings", "value": {"visit_limit": 3}})
    [found] = publication.impact(company.mona, CARE).differences
    assert (found.old, found.new) == ("5", "3")
    assert diagrams.show(company.mona, CARE).draft_differs


def test_impact_says_who_lacks_a_right_and_who_has_it(company: Company) -> None:
    access.grant("operator", f"workflow:{CARE}", ["edit"], team="operations")
    access.refresh()
    to_publish = publication.impact(company.tom, CARE).rights[0]
    assert (to_publish.act, list(to_publish.missing), list(to_publish.have)) == ("publish", ["Tom"], ["Mona"])
    by_need = {(each.obj, each.act): each for each in publication.impact(company.mona, CARE).rights}
    assert "publish" not in {act for _, act in by_need}
    assert ("collection:account", "read") not in by_need
    lacking = by_need.get(("collection:customer", "update"))
    assert lacking is None or not {*lacking.missing} & {*lacking.have}


def test_impact_is_for_who_may_edit(company: Company) -> None:
    with pytest.raises(NotAllowed):
        publication.impact(company.olivia, CARE)
    with pytest.raises(NotFound):
        publication.impact(company.stan, CARE)
