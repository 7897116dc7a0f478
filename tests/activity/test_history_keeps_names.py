"""History keeps its names: everything that has a name is renamed after a run, and every reader says what it was called then, and the pages what it is called now."""

import csv
import io
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from console import actions, activity, browse, log, records, runs, sources, workflows, workspaces
from console.activity import exports, sequencing
from console.auth import access
from console.auth.access import policy_store
from console.browse import notes, tags
from console.infra.db import transaction
from console.log.event_lists import LogFilter
from console.operations import erasure
from console.sources import collections
from tests.company import DOCUMENT, DOCUMENTS, Company
from tests.conftest import web_app
from tests.papers import text_of
from tests.support.acting import RATE
from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy

DESK: dict[str, Any] = {
    "format": 1,
    "id": "desk",
    "title": "Risk desk",
    "components": [{"id": "all", "type": "collection", "collection": "customer"}],
}
RISKS = [
    {"value": "low", "label": "Small"},
    {"value": "medium", "label": "Middling"},
    {"value": "high", "label": "Great"},
]
NOW = {
    "Care review": "Welfare check",
    "Take a note": "Write it down",
    "Rate the risk": "Judge the hazard",
    "Decide": "Conclude",
    "Approve": "Let pass",
    "Customer": "Client",
    "Risk": "Hazard",
    "Small": "Slight",
    "Unrated": "Without a rating",
    "Adaeze Okonkwo-Bell": "Adaeze Bell",
    "Rate": "Appraise",
    "Risk desk": "Hazard desk",
    "Account": "Ledger",
    "Mail": "Post box",
}
"""What everything is called when the run is made, and what it is called afterwards."""


def customer(**more: Any) -> bytes:
    """The document of customers, with options for the risk and a relation that has a label."""
    own = deepcopy(DOCUMENTS[0]) | more
    own["fields"] = {
        **own["fields"],
        "risk": {"label": "Risk", "type": "enum", "options": RISKS},
        "email": {"type": "email", "label": "Mail"},
    }
    own["relations"] = [
        {
            "name": "account",
            "label": "Account",
            "collection": "account",
            "kind": "to_many",
            "via": "customer_id",
        }
    ]
    return json.dumps(own).encode()


def with_new_names(document: Any) -> Any:
    """The document with the name of today for every name of then."""
    if isinstance(document, dict):
        return {
            key: NOW.get(value, value) if key in ("label", "label_one", "title") else with_new_names(value)
            for key, value in document.items()
        }
    return [with_new_names(each) for each in document] if isinstance(document, list) else document


def publish(folder: Path, *, renamed: bool) -> None:
    """Publish every document, by the names of then or of today."""
    made = with_new_names if renamed else deepcopy
    collections.import_file(json.dumps(made(json.loads(customer()))).encode(), published=True)
    workflows.import_file(made(DOCUMENT), publish=True)
    actions.import_file(made(RATE | {"title": "Rate"}))
    (folder / "desk.json").write_text(json.dumps(made(DESK)))
    workspaces.import_file(folder / "desk.json", published=True)


@pytest.fixture(name="run_id")
def fixture_run(company: Company, tmp_path: Path) -> str:
    """A run of the names of then, with what happens around it, before everything is renamed."""
    publish(tmp_path, renamed=False)
    run_id = company.at("decide")
    browse.change(company.mona, "customer", "1", {"risk": "high"}, {})
    browse.change(company.mona, "customer", "1", {"risk": "low"}, {})
    notes.add(company.mona, "customer", "1", "Called them.")
    browse.related(company.mona, "customer", "1", "account", 5)
    browse.page(company.mona, "customer", browse.BrowseQuery(segment="unrated"))
    log.note(company.mona, "figures_viewed", open={"workspace": "desk"}, collection="customer")
    log.note(company.mona, "access_requested", open={"object": f"action:{RATE['id']}", "act": "perform"})
    company.answer(run_id)
    company.sql("update customer set display_name = 'Adaeze Bell' where id = 1")
    publish(tmp_path, renamed=True)
    sequencing.catch_up()
    return run_id


def of_then(sentences: list[str]) -> list[str]:
    """The sentences that use a name of today, which none should."""
    return [each for each in sentences if any(name.casefold() in each.casefold() for name in NOW.values())]


def test_every_reader_says_the_names_of_the_time(company: Company, run_id: str) -> None:
    listed = [
        row.sentence
        for row in activity.page(company.ines, LogFilter(), 100).rows
        if row.event.type not in ("log_read", "workspace_changed", "workflow_published")
    ]
    events, _ = runs.events(company.olivia, run_id)
    replayed = [
        runs.replay(company.olivia, run_id, at).json["event"]["sentence"] for at in range(1, len(events) + 1)
    ]
    ticks = [tick["sentence"] for tick in runs.replay(company.olivia, run_id).ticks]
    exported = exports.begin(
        company.ada, exports.parse_query([("format", "csv"), ("run", run_id)]), ready=lambda: None
    )
    table = [row["sentence"] for row in csv.DictReader(io.StringIO(b"".join(exported.parts()).decode()))]
    assert replayed == ticks == [event["sentence"] for event in events] == table
    assert not of_then(replayed)
    for said in (
        "Olivia started Care review on Adaeze Okonkwo-Bell",
        "Olivia was shown “Rate the risk”",
        "Olivia chose “Approve” at “Decide”",
        "The engine completed Care review on Adaeze Okonkwo-Bell: Approved",
    ):
        assert said in replayed, "\n".join(replayed)
    for said in (
        "Mona changed risk of Adaeze Okonkwo-Bell",
        "Mona wrote a note on Adaeze Okonkwo-Bell",
        "Mona looked at figures of the workspace Risk desk",
        "Mona asked for “perform” on action “Rate”",
        "Mona viewed Adaeze Okonkwo-Bell (account)",
    ):
        assert said in listed, "\n".join(listed)
    assert any(line.endswith("customer records in the segment “Unrated”") for line in listed), listed


def test_pages_mark_what_is_called_otherwise_today(company: Company, run_id: str) -> None:
    pages = Pages(company, web_app())
    listed = pages.ines.get("/activity").html + pages.ines.get(f"/activity?run={run_id}").html
    for then in (
        "Care review",
        "Rate the risk",
        "Approve",
        "Risk",
        "Small",
        "Unrated",
        "Adaeze Okonkwo-Bell",
        "Rate",
        "Risk desk",
    ):
        assert f"now “{NOW[then]}”" in listed, then
    at = next(
        event["n"]
        for event in runs.events(company.olivia, run_id)[0]
        if event["kind"] == "step_shown" and event["step"] == "rate"
    )
    plain, since = (
        pages.olivia.get(f"/runs/{run_id}/replay?at={at}{switch}").html for switch in ("", "&since=1")
    )
    assert "(now “Judge the hazard”)" in plain
    for then in (
        "Care review",
        "Rate the risk",
        "Take a note",
        "Customer",
        "Risk",
        "Small",
        "Adaeze Okonkwo-Bell",
    ):
        assert f"“{then}” is now “{NOW[then]}”" in since, then
    assert "Adaeze Bell" not in plain
    assert "Hazard" not in plain
    loaded = next(
        event["n"]
        for event in runs.events(company.olivia, run_id)[0]
        if event["kind"] == "step_completed" and event["step"] == "load"
    )
    gave = pages.olivia.get(f"/runs/{run_id}/replay?at={loaded}").html
    assert "Mail" in gave
    assert "Post box" not in gave
    paper = " ".join(text_of(pages.olivia.client.get(f"/runs/{run_id}/case-file").data).split())
    assert paper.startswith("Case file Care review – Adaeze Okonkwo-Bell")
    assert "“Rate the risk” (now “Judge the hazard”)" in paper
    assert paper.count("now “Judge the hazard”") == 1, "once for each name"


@pytest.mark.parametrize(
    ("title", "then"),
    [
        ("{{ record.display_name }}", "Customer ••••••"),
        ("{{ record.display_name }} {{ record.desk }}", "Retail"),
    ],
    ids=["of what is hidden", "of something else too"],
)
def test_who_may_not_read_the_title_is_told_the_masked_title_of_the_time(
    company: Company, title: str, then: str
) -> None:
    collections.import_file(customer(title=title), published=True)
    run_id = company.at("decide")
    browse.change(company.mona, "customer", "1", {"risk": "high"}, {})
    with transaction() as connection:
        hidden = access.Row(
            "p", "role:reviewer", "t:operations", "field:customer/display_name", "read", "deny", ""
        )
        policy_store.write(connection, added=[hidden])
    access.refresh()
    company.sql("update customer set display_name = 'Adaeze Bell', desk = 'corporate' where id = 1")
    collections.import_file(
        json.dumps(with_new_names(json.loads(customer(title=title)))).encode(), published=True
    )
    sequencing.catch_up()
    access.grant("reviewer", "activity", ["read"], team="operations")
    events, _ = runs.events(company.rosa, run_id)
    rows = activity.page(company.rosa, LogFilter(collection="customer", record="1"), 100).rows
    listed = [row.sentence for row in rows]
    view = runs.replay(
        company.rosa, run_id, next(event["n"] for event in events if event["kind"] == "step_shown")
    )
    assert events[0]["sentence"] == f"Olivia started Care review on {then}"
    assert f"Mona changed risk of {then}" in listed
    assert view.run.record_title == then
    page = Pages(company, web_app()).rosa.get(f"/runs/{run_id}/replay?at=1")
    said = json.dumps([events, [row.json for row in rows], view.json, page.html])
    assert "Adaeze" not in said, "neither the title of then nor that of today"


def hide(company: Company) -> None:
    """Hide names of customers from reviewers, who read the log, and mask their tax IDs for everybody."""
    with transaction() as connection:
        hidden = access.Row(
            "p", "role:reviewer", "t:operations", "field:customer/display_name", "read", "deny", ""
        )
        policy_store.write(connection, added=[hidden])
    access.grant("reviewer", "activity", ["read", "export"])
    access.grant("lead", "collection:customer", ["reveal"], team="operations")
    access.refresh()


def found_by_rosa(company: Company, run_id: str) -> str:
    """All that a reviewer finds of a run and of the log, in one text."""
    sequencing.catch_up()
    events, _ = runs.events(company.rosa, run_id)
    views = [runs.replay(company.rosa, run_id, event["n"]) for event in events]
    replayed = [
        (view.json, view.run.record_title, [tick["sentence"] for tick in view.ticks]) for view in views
    ]
    rows = [(row.json, row.record_title) for row in activity.page(company.rosa, LogFilter(), 100).rows]
    table = b"".join(
        exports.begin(company.rosa, exports.parse_query([("format", "csv")]), ready=lambda: None).parts()
    ).decode()
    page = Pages(company, web_app()).rosa.get(f"/runs/{run_id}/replay?at=10").html
    return json.dumps([events, replayed, rows, table, page])


def test_a_title_that_was_made_of_a_hidden_field_stays_hidden_when_titles_are_made_of_others(
    company: Company,
) -> None:
    collections.import_file(customer(title="{{ record.display_name }}"), published=True)
    run_id = company.at("decide")
    browse.change(company.mona, "customer", "1", {"risk": "high"}, {})
    browse.record(company.mona, "customer", "1")
    tags.put(company.mona, "customer", ["1"], "vip")
    hide(company)
    collections.import_file(customer(title="{{ record.desk }}"), published=True)
    assert "Adaeze" not in found_by_rosa(company, run_id)


@pytest.mark.parametrize("renamed", [True, False])
def test_a_sensitive_field_stays_masked_in_the_past_when_its_column_is_gone(
    company: Company, *, renamed: bool
) -> None:
    run_id = company.at("decide")
    browse.change(company.mona, "customer", "1", {"tax_id": "TAX99"}, {})
    hide(company)
    assert "TAX99" not in found_by_rosa(company, run_id)
    company.sql(
        f"alter table customer {'rename column tax_id to fiscal_no' if renamed else 'drop column tax_id'}"
    )
    sources.take("company")
    assert "tax_id" not in records.collection("customer").by_name
    assert "TAX99" not in found_by_rosa(company, run_id)


def test_a_run_that_was_moved_came_to_its_steps_as_they_were_called_then(company: Company) -> None:
    run_id = company.at("note")
    last = company.told(run_id)["last_event"]
    workflows.import_file(with_new_names(DOCUMENT), publish=True)
    runs.move_run(company.mona, run_id, version=2, steps={}, reason="Clearer words.")
    company.answer(run_id)
    before, after = (runs.replay(company.olivia, run_id, at) for at in (last, None))
    for view in (before.json["run"], after.json["run"]):
        assert [each["title"] for each in view["attempts"] if each["step"] == "note"] == ["Take a note"]
    assert (before.json["run"]["workflow"]["title"], after.json["run"]["workflow"]["title"]) == (
        "Care review",
        "Welfare check",
    )
    assert [step["title"] for step in after.run.steps if step["step"] in ("note", "rate")] == [
        "Take a note",
        "Judge the hazard",
    ]


def test_what_was_erased_stays_erased(company: Company, run_id: str) -> None:
    erasure.erase(company.ines, "customer", "1", "They asked for it.")
    told = [event["sentence"] for event in runs.events(company.olivia, run_id)[0]]
    assert "Okonkwo" not in json.dumps(told)


def test_a_note_whose_person_was_erased_can_still_be_removed(company: Company) -> None:
    note_id = notes.add(company.mona, "customer", "1", "Called them.")
    erasure.erase(company.ines, "customer", "1", "They asked for it.")
    assert notes.remove(company.mona, note_id) == ("customer", "1")
