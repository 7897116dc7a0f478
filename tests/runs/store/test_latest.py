"""What a page shows of a long run: the latest attempts and what the rest came to."""

from typing import Any

import pytest

from console import runs, workflows
from console.core.actor import Actor
from console.runs.commands.run_rights import see
from console.runs.store import latest, run_store
from console.runs.store.latest import path
from console.runs.views import reading, step_findings
from console.runs.views.view import outline
from tests.company import Company
from tests.runs.commands.test_loop import begin, hand_in

FEW = 4
ROUND: dict[str, Any] = {
    "format": 1,
    "slug": "round",
    "title": "Round",
    "collection": None,
    "team": "operations",
    "roles": ["operator"],
    "settings": {"visit_limit": 100},
    "steps": [
        {"id": "start", "type": "start", "title": "Start", "next": {"default": "say"}},
        {
            "id": "say",
            "type": "update_data",
            "title": "Say",
            "config": {"form": [{"name": "note", "label": "Note", "type": "text"}]},
            "next": {"default": "sum"},
        },
        {
            "id": "sum",
            "type": "output",
            "title": "Sum",
            "config": {"values": {"n": "1 + 1"}},
            "next": {"default": "way"},
        },
        {
            "id": "way",
            "type": "condition",
            "title": "Way",
            "config": {"branches": [{"outcome": "out", "if": "steps.say.note == 'out'"}]},
            "next": {"out": "end", "default": "again"},
        },
        {"id": "again", "type": "go_to", "title": "Again", "next": {"default": "say"}},
        {"id": "end", "type": "end", "title": "End"},
    ],
}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """Only so many attempts are the latest."""
    monkeypatch.setattr(run_store, "_LOAD_SHOWN", run_store._LOAD_SHOWN.replace(str(latest.LATEST), str(FEW)))
    monkeypatch.setattr(latest, "LATEST", FEW)
    return FEW


def agree(actor: Actor, run_id: str) -> None:
    """A path cut to its last steps is that of the whole run."""
    read, every = see(actor, run_id, shown=True), see(actor, run_id, whole=True)
    theirs = reading.view(actor, every, None, reading.PageState(), None)
    found = step_findings.finder(
        every.definition, every.run.created_at, theirs.json["context"], theirs.masked
    )
    for most in range(1, FEW):
        mine = reading.view(actor, read, None, reading.PageState(), most)
        if most <= len(path(read.run.attempts, read.loaded.left)):
            cut = outline(
                every.run,
                every.definition,
                theirs.names,
                may_revise="revise" in theirs.can,
                most=most,
                found=found,
            )
            assert (mine.steps, mine.earlier) == cut
    assert (mine.json["context"], mine.can) == (theirs.json["context"], theirs.can)
    assert len(mine.json["attempts"]) + mine.json["left_out"] == len(theirs.json["attempts"]) == read.run.made
    assert mine.json["attempts"][-FEW:] == theirs.json["attempts"][-FEW:]
    came_to = {one["step"] for one in theirs.json["attempts"] if one["status"] == "done"}
    assert came_to <= {one["step"] for one in mine.json["attempts"]}


@pytest.mark.usefixtures("few")
def test_a_long_path_through_lists_and_back_is_counted_as_if_all_of_it_were_there(company: Company) -> None:
    run_id = begin(company, visit_limit=50)
    agree(company.olivia, run_id)
    for verdict in ("good", "bad", "good", "bad"):
        told = hand_in(company, run_id, verdict=verdict)
        agree(company.olivia, run_id)
        if told["current"]["step"] == "sorry":
            runs.complete_and_look(
                company.olivia, run_id, runs.Submission(step="sorry", revision=told["revision"], values={})
            )
            agree(company.olivia, run_id)
    told = company.told(run_id)
    assert told["left_out"] > 0
    runs.revise(
        company.olivia, run_id, revision=told["revision"], step="sorry", attempt=None, reason="Not so."
    )
    agree(company.olivia, run_id)
    runs.complete(company.olivia, run_id, runs.Submission(step="sorry", revision=None, values={}))
    agree(company.olivia, run_id)
    every = runs.get(
        company.olivia, run_id, most=None
    ).json  # what is shown here for the first time is noted, and all of it is there all the same
    assert (len(every["attempts"]), every["left_out"]) == (run_store.load(run_id).run.made, 0)  # type: ignore[union-attr]


def test_what_cannot_be_shown_does_not_undo_the_automatic_steps(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflows.import_file(ROUND, publish=True)
    run_id = runs.start(company.olivia, "round", None, None, {})
    runs.get(company.olivia, run_id)
    with monkeypatch.context() as patch:
        for place in ("commands.transitions", "views.reading"):
            patch.setattr(f"console.runs.{place}.draw_screen", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            runs.complete_and_look(
                company.olivia,
                run_id,
                runs.Submission(step="say", revision=None, values={"note": "Once more."}),
            )
    told = company.told(run_id)
    assert (told["current"]["step"], told["current"]["attempt"]) == ("say", 2)
