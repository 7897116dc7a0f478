"""Workflows to look at, as data: what each step does in words, versions, and the path of a run with what was cancelled."""

import copy
from typing import Any

import pytest

from console import runs, workflows
from console.auth import access
from console.authoring import diagrams
from console.authoring.diagrams import Node
from console.core.documents.workflow import read
from console.core.errors import NotFound
from tests.company import DOCUMENT, Company


def document(**more: Any) -> dict[str, Any]:
    return copy.deepcopy(DOCUMENT) | more


def nodes(found: diagrams.Picture) -> dict[str, Node]:
    return {node.id: node for node in found.nodes}


def states(company: Company, run_id: str, at: int | None = None) -> dict[str, str]:
    return {
        name: node.state for name, node in nodes(diagrams.path(company.olivia, run_id, at).picture).items()
    }


def test_ways_on_have_the_words_of_their_options_and_say_where_they_lead_back(company: Company) -> None:
    made = nodes(diagrams.show(company.olivia, "care-review").picture)
    told = {
        name: [(way.label, way.title, way.back, way.when) for way in node.ways] for name, node in made.items()
    }
    assert told["is_high"] == [
        ("High", "Decide", False, "record.risk == 'high'"),
        ("Otherwise", "Decide", False, ""),
    ]
    assert told["decide"] == [("Approve", "Result", False, ""), ("Look again", "Back to the note", False, "")]
    assert told["back"] == [("", "Take a note", True, "")]
    assert told["end"] == []
    assert [made[name].alone for name in ("load", "read", "is_high", "decide")] == [True, False, True, False]


def test_places_groups_roles_and_rules_of_the_document() -> None:
    made = document(
        groups=[{"title": "Look", "steps": ["read", "note"]}, {"title": "Both", "steps": ["note"]}]
    )
    made["steps"][2] |= {"at": [40, 80], "roles": ["operator", "operations_lead"]}
    made["steps"][6]["config"] |= {
        "maker": "rule",
        "rules": [{"if": "record.risk == 'low'", "option": "approve"}],
    }
    found = diagrams.picture_of(read(made), {})
    told = nodes(found)
    assert (found.groups, [told[name].group for name in ("load", "read", "note")]) == (
        ["Look", "Both"],
        [None, 0, 0],
    )
    assert (told["read"].at, told["note"].at) == ((40, 80), None)
    assert ("Only for", "Operator, Operations lead") in told["read"].says
    assert ("By rule", "Approve when record.risk == 'low'") in told["decide"].technical
    assert told["decide"].alone


def test_a_step_type_that_is_no_longer_there_is_drawn_all_the_same() -> None:
    made = document()
    made["steps"][2]["type"] = "fax"
    made["steps"][3]["config"] = {"colour": "red"}
    told = nodes(diagrams.picture_of(read(made), {}))
    assert (told["read"].kind, told["read"].family, told["read"].says) == (
        "Unknown step type fax",
        "action",
        [],
    )
    assert (told["note"].kind, told["note"].says, len(told["note"].ways)) == ("Update data", [], 1)


def test_versions_the_draft_and_who_may_look_at_it(company: Company) -> None:
    workflows.import_file(document(title="Care review two"), publish=True)
    workflows.import_file(document(title="Care review three"))
    live = diagrams.show(company.olivia, "care-review")
    assert (live.number, live.document.title, live.draft_differs, live.may_edit) == (
        2,
        "Care review two",
        True,
        False,
    )
    assert [(version.number, version.by) for version in diagrams.versions_of(live.known)] == [
        (2, "Command line"),
        (1, "Command line"),
    ]
    assert diagrams.show(company.olivia, "care-review", "1").document.title == "Care review"
    assert diagrams.show(company.mona, "care-review", "draft").document.title == "Care review three"
    for version in ("draft", "3", "0", "x", "9" * 12, "-1", ""):
        with pytest.raises(NotFound):
            diagrams.show(company.olivia, "care-review", version)


def test_what_is_hidden_is_not_there(company: Company) -> None:
    run_id = company.started()
    for look in (
        lambda: diagrams.show(company.stan, "care-review"),
        lambda: diagrams.show(company.olivia, "no-such"),
        lambda: diagrams.path(company.stan, run_id),
    ):
        with pytest.raises(NotFound) as missing:
            look()
        assert missing.value.message == NotFound().message
    with pytest.raises(NotFound):
        diagrams.path(company.olivia, run_id, 10_000)


def test_live_runs_of_other_teams_are_not_counted(company: Company) -> None:
    company.started()
    access.grant("buyer", "workflow:care-review", ["see"], team="procurement")
    assert runs.live_counts(company.stan) == {}
    assert list(runs.live_counts(company.mona).values()) == [1]


def test_the_path_of_a_run_says_where_it_stands_and_what_may_come(company: Company) -> None:
    run_id = company.at("rate")
    done = dict.fromkeys(("start", "load", "read", "note"), "done")
    assert states(company, run_id) == done | {"rate": "now"} | dict.fromkeys(
        ("is_high", "decide", "back", "result", "end"), "todo"
    )
    first = states(company, run_id, 1)
    assert set(first.values()) <= {"now", "todo", "missed"}
    assert company.told(run_id)["current"]["step"] == "rate"
    told = diagrams.path(company.olivia, run_id)
    (attempt,) = nodes(told.picture)["rate"].attempts
    assert (attempt.number, attempt.state, attempt.event) == (1, "now", None)
    (before,) = nodes(told.picture)["note"].attempts
    event = runs.replay(company.olivia, run_id, before.event).json["event"]
    assert (event["kind"], event["step"], before.by) == ("step_completed", "note", "Olivia")


def test_a_finished_run_did_not_pass_the_rest(company: Company) -> None:
    run_id = company.finished()
    told = nodes(diagrams.path(company.olivia, run_id).picture)
    assert {name for name, node in told.items() if node.state != "done"} == {"back"}
    assert told["back"].state == "missed"
    assert [(way.label, way.taken) for way in told["decide"].ways] == [
        ("Approve", True),
        ("Look again", False),
    ]
    assert [(way.label, way.taken) for way in told["is_high"].ways] == [("High", False), ("Otherwise", True)]


def test_visits_are_counted_and_what_was_cancelled_is_told(company: Company) -> None:
    run_id = company.at("decide")
    told = company.told(run_id)
    runs.complete(
        company.olivia,
        run_id,
        runs.Submission(step="decide", revision=told["revision"], values={}, outcome="again"),
    )
    made = nodes(diagrams.path(company.olivia, run_id).picture)
    assert [(entry.number, entry.state) for entry in made["note"].attempts] == [(1, "done"), (2, "now")]
    assert (made["note"].state, made["back"].ways[0].taken) == ("now", True)
    runs.revise(
        company.olivia,
        run_id,
        step="rate",
        attempt=None,
        revision=company.told(run_id)["revision"],
        reason="Wrong",
    )
    made = nodes(diagrams.path(company.olivia, run_id).picture)
    assert [(entry.number, entry.state) for entry in made["rate"].attempts] == [(1, "revised"), (2, "now")]
    assert {name: node.state for name, node in made.items() if node.state == "cancelled"} == dict.fromkeys(
        ("is_high", "decide", "back"), "cancelled"
    )
    assert [(entry.number, entry.state) for entry in made["note"].attempts] == [(1, "done"), (2, "cancelled")]
    assert [way.taken for way in made["decide"].ways] == [False, False]
