"""Drafts of workflows: changed by several editors, undone by each, looked at as they were; who may, and what stops publishing."""

from typing import Any

import pytest

from console import workflows
from console.auth import access
from console.core import drafting
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.company import Company

CARE = "care-review"


def changed(who: Any, revision: int, *changes: dict[str, Any]) -> workflows.Draft:
    return workflows.edit(who, CARE, revision, drafting.read_changes(list(changes)))


def titled(step: str, title: str) -> dict[str, Any]:
    return {"op": "set", "step": step, "field": "title", "value": title}


def title_of(draft: workflows.Draft, step: str) -> str:
    return str(next(each["title"] for each in draft.document["steps"] if each["id"] == step))


def second_lead(company: Company) -> Any:
    """Another lead of the same team."""
    access.grant("operator", f"workflow:{CARE}", ["edit"], team="operations")
    access.refresh()
    return company.tom


def test_two_editors_of_different_steps_merge_and_of_the_same_collide(company: Company) -> None:
    tom = second_lead(company)
    draft = workflows.open_draft(company.mona, CARE)
    first, second = [step["id"] for step in draft.document["steps"]][:2]
    mine = changed(company.mona, draft.revision, titled(first, "Begin"))
    theirs = changed(tom, draft.revision, titled(second, "Read"))
    assert (title_of(theirs, first), title_of(theirs, second), theirs.revision) == (
        "Begin",
        "Read",
        mine.revision + 1,
    )
    with pytest.raises(Conflict, match="Tom changed the same") as caught:
        changed(company.mona, mine.revision, titled(second, "Look"))
    assert caught.value.extra["revision"] == theirs.revision
    [conflict] = caught.value.extra["conflicts"]
    assert (conflict["step"], conflict["mine"]["title"], conflict["theirs"]["title"]) == (
        second,
        "Look",
        "Read",
    )
    again = changed(tom, draft.revision, titled(second, "Read"))
    assert again.revision == theirs.revision, "what arrives twice changes nothing"


def test_each_undoes_their_own_changes_and_what_others_changed_since_stays(company: Company) -> None:
    tom = second_lead(company)
    draft = workflows.open_draft(company.mona, CARE)
    kept = drafting.written(draft.document)
    first, second = [step["id"] for step in draft.document["steps"]][:2]
    changed(company.mona, 0, titled(first, "One"))
    changed(company.mona, 1, titled(first, "Two"))
    changed(tom, 2, titled(second, "Toms"))
    undone = workflows.undo(company.mona, CARE)
    assert (title_of(undone, first), title_of(undone, second), undone.can_undo, undone.can_redo) == (
        "One",
        "Toms",
        True,
        True,
    )
    assert title_of(workflows.redo(company.mona, CARE), first) == "Two"
    workflows.undo(company.mona, CARE)
    assert not workflows.undo(company.mona, CARE).can_undo
    changed(company.mona, 6, titled(second, "Monas"))
    with pytest.raises(Conflict, match="Mona changed the same"):
        workflows.undo(tom, CARE)
    workflows.undo(company.mona, CARE)
    assert drafting.written(workflows.undo(tom, CARE).document) == kept
    with pytest.raises(Conflict, match="nothing to undo"):
        workflows.undo(tom, CARE)
    assert drafting.written(workflows.draft_at(company.mona, CARE, 0)) == kept
    with pytest.raises(Conflict, match="changed in the meantime"):
        workflows.restore(company.mona, CARE, 9, workflows.draft_at(company.mona, CARE, 2))
    assert (
        title_of(workflows.restore(company.mona, CARE, 10, workflows.draft_at(company.mona, CARE, 2)), first)
        == "Two"
    )
    assert {(each.by, each.count) for each in workflows.history(company.mona, CARE)} == {
        (company.mona.id, 9),
        (tom.id, 2),
    }


def test_a_change_leaves_every_other_step_as_it_was_read(company: Company) -> None:
    changed(company.mona, 0, titled("read", "One"))
    draft = changed(company.mona, 1, titled("read", "Two"))
    before = workflows.draft_before(draft, 0)
    assert drafting.written(before) == drafting.written(workflows.draft_at(company.mona, CARE, 0))
    assert [
        step["id"]
        for step, now in zip(before["steps"], draft.document["steps"], strict=True)
        if step is not now
    ] == ["read"]


def test_an_unfinished_draft_is_kept_told_and_not_published(company: Company) -> None:
    draft = changed(
        company.mona,
        0,
        {"op": "add_step", "step": {"type": "no_such"}, "after": "start"},
        {"op": "set", "step": "no_such", "field": "shape", "value": "round"},
        {"op": "set_document", "field": "newer", "value": {"b": 1, "a": 2}},
    )
    told = draft.to_json(workflows.problems(draft))["problems"]
    assert {("no_such", "type"), ("no_such", "shape"), (None, "newer")} <= {
        (each["step"], each["field"]) for each in told
    }
    mending = next(each["mend"] for each in told if each["field"] == "newer")
    assert "newer" not in changed(company.mona, draft.revision, mending).document
    with pytest.raises(Invalid, match="cannot be published") as caught:
        workflows.publish_draft(company.mona, CARE)
    assert caught.value.code == "not_ready"
    assert workflows.readable(draft.document).steps[1].type == "no_such"
    assert workflows.definition(company.mona, CARE)["steps"][1]["shape"] == "round"


def test_only_those_who_may_edit_the_workflow_reach_its_draft(company: Company) -> None:
    for reach in (workflows.open_draft, workflows.undo, workflows.redo, workflows.history):
        with pytest.raises(NotAllowed):
            reach(company.tom, CARE)
        with pytest.raises(NotFound):
            reach(company.stan, CARE)
    with pytest.raises(NotAllowed):
        changed(company.ada, 0, titled("start", "x"))
    with pytest.raises(NotAllowed):
        changed(company.mona, 0, {"op": "set_document", "field": "team", "value": "procurement"})
    with pytest.raises(Invalid, match="never changes|is of the workflow"):
        changed(company.mona, 0, {"op": "set_document", "field": "slug", "value": "another"})
    with pytest.raises(Conflict, match="Open it again"):
        changed(company.mona, 10**30, titled("start", "x"))


def test_a_version_keeps_the_note_and_nobody_publishes_what_they_have_not_seen(company: Company) -> None:
    draft = changed(company.mona, 0, titled("start", "Begin here"))
    with pytest.raises(Conflict, match="changed in the meantime"):
        workflows.publish_draft(company.mona, CARE, note="Clearer.", revision=draft.revision - 1)
    workflows.publish_draft(company.mona, CARE, note="Clearer.", revision=draft.revision)
    assert workflows.versions_of(company.mona, CARE)[0][0].note == "Clearer."
    with pytest.raises(Conflict, match="version 2 is live with exactly this"):
        workflows.publish_draft(company.mona, CARE, note="The other one's note.", revision=draft.revision)
