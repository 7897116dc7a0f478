"""A dry run: the rules of every run, with what the tester chose in place of people and the world outside; nothing is written."""

from typing import Any

import pytest

from console import runs, workflows
from console.auth import access
from console.core.documents.saved_tests import ChosenAnswer, ChosenEnding
from console.core.documents.workflow import read
from console.core.drafting import Change, Connect, Set, SetDocument
from console.core.errors import Invalid, NotAllowed, NotFound
from console.core.run.simulation import Script, Simulated
from console.infra.db.engine import fetch
from console.runs.simulation import dry_runs
from tests.company import DOCUMENT, Company
from tests.support.engine import step
from tests.support.paying import paying, providing


def said(**given: Any) -> ChosenAnswer:
    return ChosenAnswer.model_validate(given)


def ends(**given: Any) -> ChosenEnding:
    return ChosenEnding.model_validate(given)


NOTE = said(values={"note": "Fine."})


def trial(
    company: Company,
    document: dict[str, Any] | None = None,
    who: str = "mona",
    record: str | None = "1",
    **chosen: Any,
) -> Simulated:
    """A dry run of the document (None: the company's own)."""
    made = read(document or DOCUMENT)
    definition = dry_runs.definition_of(made.slug, "wf_dry", made)
    given = chosen.pop("input", {} if document else {"why": "periodic"})
    return dry_runs.dry_run(company.people[who], definition, record, given, Script(**chosen))


def path(found: Simulated) -> list[str]:
    return [each.step for each in found.path]


def document(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "slug": "dry",
        "title": "Dry",
        "team": "operations",
        "collection": "customer",
        "steps": [*steps],
        **more,
    }


def written() -> list[Any]:
    """How much there is of everything that a run writes."""
    return [
        fetch(f"select count(*) from console.{name}")[0][0]
        for name in ("event", "run", "attempt", "task", "message", "notice", "tag", "person")
    ]


def test_people_are_answered_for_and_what_would_be_written_is_read_by_later_steps(company: Company) -> None:
    before = written()
    answers = {
        "read": said(),
        "note": NOTE,
        "rate": said(values={"risk": "high", "email": "new@customers.example"}),
    }
    asked = trial(company, answers=answers)
    assert (asked.status, asked.question and asked.question.step, asked.question and asked.question.kind) == (
        "waiting_person",
        "decide",
        "form",
    )
    assert asked.question is not None
    assert [option["value"] for option in asked.question.outcomes] == ["approve", "again"]
    done = trial(company, answers=answers | {"decide": said(outcome="approve")})
    assert (done.status, done.outcome, done.question) == ("completed", "Approved", None)
    assert path(done) == ["start", "load", "read", "note", "rate", "is_high", "decide", "result", "end"]
    assert {each.step: each.outcome for each in done.path}["is_high"] == "high"
    assert [(each.step, each.kind, each.request["changes"]["risk"]) for each in done.would_send] == [
        ("rate", "sql_write", {"old": None, "new": "high"})
    ]
    assert next(each for each in done.path if each.step == "result").output == {"note": "Fine."}
    assert written() == before


def end(label: str = "Done") -> dict[str, Any]:
    return step("end", "end", None, {"label": label})


def test_waits_jump_and_the_chosen_event_and_answers_of_others_take_the_way_that_was_chosen(
    company: Company,
) -> None:
    made = document(
        step("start", "start", "pause"),
        step("pause", "wait", "late", {"days": 40}),
        {
            **step("late", "condition", "heard"),
            "config": {"branches": [{"if": "now > run_began", "outcome": "yes"}]},
            "next": {"default": "heard"},
        },
        {
            **step("heard", "wait", None, {"event": "message.received", "timeout": "P2D"}),
            "next": {"event": "task", "timeout": "lost"},
        },
        {
            **step("task", "create_task", None, {"title": "Call", "team": "operations", "waits": True}),
            "next": {"done": "yes", "not_done": "lost"},
        },
        {
            **step("yes", "approval", None, {"text": "May we?", "roles": ["operations_lead"], "needs": 2}),
            "next": {"approved": "end", "rejected": "lost"},
        },
        step("lost", "end", None, {"label": "Lost"}),
        end(),
    )
    made["steps"][2]["config"]["branches"][0]["if"] = "now > steps.pause.until"
    lost = trial(company, made)
    assert (lost.outcome, path(lost)) == ("Lost", ["start", "pause", "late", "heard", "lost"])
    assert lost.path[2].at - lost.path[0].at > lost.path[2].at.resolution
    asked = trial(company, made, endings={"heard": ends(outcome="succeeded")})
    assert asked.question is not None
    assert (asked.question.step, asked.question.kind, asked.status) == ("task", "task", "waiting_event")
    assert [(each.step, each.kind, each.request["title"]) for each in asked.would_send] == [
        ("task", "task", "Call")
    ]
    chosen = {"task": said(outcome="done"), "yes": said(outcome="approved")}
    done = trial(company, made, endings={"heard": ends(outcome="succeeded")}, answers=chosen)
    assert (done.outcome, path(done)[-3:]) == ("Done", ["task", "yes", "end"])
    refused = trial(
        company,
        made,
        endings={"heard": ends(outcome="succeeded")},
        answers=chosen | {"yes": said(outcome="rejected")},
    )
    assert refused.outcome == "Lost"


def test_a_change_that_is_chosen_to_fail_opens_the_form_again_and_an_unknown_one_stops(
    company: Company,
) -> None:
    answers = {
        "read": said(),
        "note": NOTE,
        "rate": said(values={"risk": "high"}),
        "decide": said(outcome="approve"),
    }
    failed = trial(
        company, answers=answers, endings={"rate": ends(outcome="failed", result={"message": "Locked."})}
    )
    assert failed.question is not None
    assert (failed.question.step, failed.question.kind, failed.question.answered) == ("rate", "form", True)
    assert "Locked." in failed.question.why
    unknown = trial(company, answers=answers, endings={"rate": ends(outcome="unknown")})
    assert unknown.question is not None
    assert (unknown.question.step, unknown.question.kind) == ("rate", "unknown")


def test_branches_and_other_workflows_are_followed_with_their_own_answers(company: Company) -> None:
    inner = document(
        step("start", "start", "ask"),
        step(
            "ask",
            "update_data",
            "say",
            {"form": [{"name": "word", "label": "Word", "type": "text", "required": True}]},
        ),
        step("say", "output", "end", {"values": {"word": "steps.ask.word"}}),
        end("Said"),
        slug="inner",
    )
    workflows.import_file(inner, publish=True)
    made = document(
        step("start", "start", "both"),
        step(
            "both",
            "parallel",
            "join",
            {"branches": [{"id": "left", "start": "name"}, {"id": "right", "start": "pause"}]},
        ),
        step("name", "output", "join", {"values": {"name": "record.display_name"}}),
        step("pause", "wait", "desk", {"duration": "hours(1)"}),
        step("desk", "output", "join", {"values": {"desk": "record.desk"}}),
        step(
            "join",
            "output",
            "other",
            {"values": {"name": "steps.both.left.name.name", "desk": "steps.both.right.desk.desk"}},
        ),
        step("other", "sub_workflow", "told", {"workflow": "inner"}),
        step("told", "output", "end", {"values": {"word": "steps.other.word"}}),
        end(),
    )
    before = written()
    asked = trial(company, made)
    assert asked.question is not None
    assert (asked.question.step, asked.question.fields[0]["name"]) == ("other/ask", "word")
    assert path(asked) == [
        "start",
        "both",
        "name",
        "pause",
        "desk",
        "join",
        "other",
        "other/start",
        "other/ask",
    ]
    done = trial(company, made, answers={"other/ask": said(values={"word": "Hello"})})
    outputs = {each.step: each.output for each in done.path}
    assert (outputs["join"], outputs["told"]) == (
        {"name": "Adaeze Okonkwo-Bell", "desk": "retail"},
        {"word": "Hello"},
    )
    chosen = trial(company, made, endings={"other": ends(outcome="succeeded", result={"word": "Told"})})
    assert {each.step: each.output for each in chosen.path}["told"] == {"word": "Told"}
    failed = trial(company, made, endings={"other": ends(outcome="failed")})
    assert failed.question is not None
    assert failed.question.step == "other"
    assert written() == before


def test_the_record_is_read_with_the_rights_of_the_tester_alone(company: Company) -> None:
    made = document(
        step("start", "start", "say"),
        step("say", "output", "end", {"values": {"tax": "record.tax_id"}}),
        end(),
    )
    with pytest.raises(NotFound):
        trial(company, made, who="stan")
    with pytest.raises(NotFound):
        trial(company, made, who="tom", record="3")
    with pytest.raises(Invalid) as missing:
        trial(company, made, record=None)
    assert [each["field"] for each in missing.value.details] == ["record"]
    with pytest.raises(Invalid) as wrong:
        trial(company, input={"why": "never"})
    assert [each["field"] for each in wrong.value.details] == ["input.why"]
    answered = trial(company, answers={"read": said(), "note": said(values={"count": "many"})})
    assert answered.question is not None
    assert {each["field"] for each in answered.question.errors} == {"note", "count"}


def test_ended_runs_are_decided_again_by_the_draft_with_their_own_answers(company: Company) -> None:
    first, second = company.finished("1"), company.finished("2")
    before = written()
    same, following = runs.redecide(company.mona, "care-review")
    assert following is None
    assert [(each.run, each.ended, each.would_end, each.differs) for each in same] == [
        (second, "Approved", "Approved", False),
        (first, "Approved", "Approved", False),
    ]
    changes = [SetDocument(field=["description"], value="Low needs no decision.")]
    draft = workflows.edit(company.mona, "care-review", 0, changes)
    branches = [{"if": "steps.rate.risk == 'low' && record.id == 2", "outcome": "high"}]
    more: list[Change] = [
        Set(step="is_high", field=["config", "branches"], value=branches),
        Connect(step="is_high", outcome="high", to="result"),
    ]
    workflows.edit(company.mona, "care-review", draft.revision, more)
    other, _ = runs.redecide(company.mona, "care-review")
    told = {each.run: (each.differs, each.place, each.because) for each in other}
    rule = branches[0]["if"]
    assert told == {
        second: (True, "Result", f"High?: Otherwise → {rule}"),
        first: (False, "", ""),
    }
    page, after = runs.redecide(company.mona, "care-review", limit=1)
    assert [each.run for each in page] == [second]
    assert [each.run for each in runs.redecide(company.mona, "care-review", limit=1, after=after)[0]] == [
        first
    ]
    assert written()[1:] == before[1:]
    for stranger in (company.olivia, company.stan):
        with pytest.raises((NotAllowed, NotFound)):
            runs.redecide(stranger, "care-review")


def test_an_action_is_not_made_and_ends_as_it_was_chosen_with_its_edge_and_result(company: Company) -> None:
    with pytest.MonkeyPatch.context() as patch, providing(patch) as provider:
        paying(by_itself=True, error=True)
        access.grant("operations_lead", "collection:customer", ["act"], team="operations")
        made = workflows.live("paying").document.to_json()
        answers = {"look": said(), "after": said(), "mend": said()}
        paid = trial(
            company,
            made,
            answers=answers,
            endings={"pay": ends(outcome="succeeded", result={"payment": "p1"})},
        )
        assert (paid.outcome, path(paid)) == ("completed", ["start", "look", "pay", "after", "end"])
        assert ({each.step: each.output for each in paid.path}["pay"] or {})["result"] == {"payment": "p1"}
        assert [
            (each.summary, each.request["input"], each.request["define"]["target"])
            for each in paid.would_send
        ] == [("Pay through the provider", {"amount": 5}, "provider")]
        failed = trial(company, made, answers=answers, endings={"pay": ends(outcome="failed")})
        assert path(failed) == ["start", "look", "pay", "mend", "end"]
        assert provider.receiver.received == []
