"""Words become changes of a draft: what is sent, what comes back, and what a hostile or broken model cannot do."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from console import workflows
from console.activity import sequencing
from console.auth import access, accounts
from console.authoring import builder
from console.authoring.builder import builder_turns, judged_changes, reachable_names
from console.core import drafting
from console.core.actor import Actor
from console.core.errors import NotAllowed, NotFound
from console.infra import jobs, settings
from console.infra.db.engine import fetch
from tests.ai.proposals.conftest import denied
from tests.company import Company
from tests.jobs import worked
from tests.servers.model import KEY, Server, serving

pytestmark = pytest.mark.slow

NOTHING: dict[str, Any] = {"text": "Nothing to change.", "changes": [], "assumptions": [], "questions": []}
ASK_WHY = {
    "op": "add_step",
    "step": {
        "id": "why",
        "type": "guidance",
        "title": "Say why",
        "config_json": json.dumps({"text": "Say why you look again."}),
        "next": [],
    },
    "after": "note",
    "outcome": "",
}
RETITLE = {"op": "set", "step": "rate", "field": "title", "value_json": '"Judge the risk"'}


@pytest.fixture(scope="module", name="endpoint")
def fixture_endpoint() -> Iterator[Server]:
    """One endpoint for all tests."""
    with serving(keys={KEY}) as made:
        yield made


@pytest.fixture(name="model")
def fixture_model(company: Company, endpoint: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The endpoint, well and without a memory, and the console that asks it; Mona leads and may see the customers but not their tax id."""
    endpoint.well()
    endpoint.requests.clear()
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", endpoint.url)
    monkeypatch.setenv("CONSOLE_AI_BREAKER", "off")
    settings.current.cache_clear()
    access.grant("operations_lead", "collection:customer", ["browse", "read"], team="operations")
    access.refresh()
    denied(company.mona, "field:customer/tax_id", "read")
    yield endpoint
    monkeypatch.undo()
    settings.current.cache_clear()


def answer(*changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return NOTHING | {"text": "I would do this.", "changes": list(changes)} | more


def asked(actor: Actor, message: str = "Ask why before the rating.") -> builder.Turn:
    """What came of it after a worker was there."""
    turn = builder.ask(actor, "care-review", message, workflows.open_draft(actor, "care-review").revision)
    worked({jobs.BUILD})
    return builder.turn(actor, "care-review", turn)


def prompts(model: Server) -> str:
    return "\n".join(each.text for each in model.asked)


def test_changes_are_proposed_and_nothing_is_changed(company: Company, model: Server) -> None:
    before = workflows.open_draft(company.mona, "care-review")
    model.obey(answer(ASK_WHY, RETITLE, assumptions=["Everybody is asked."], questions=["Who reads it?"]))
    turn = asked(company.mona)
    assert (turn.status, turn.answer.text) == ("ready", "I would do this.")
    assert workflows.open_draft(company.mona, "care-review") == before
    told = turn.to_json()
    assert set(told) == {"status", "text", "changes", "assumptions", "problems"}
    assert told["assumptions"] == ["Everybody is asked."]
    assert told["text"].endswith("Who reads it?")
    edited = workflows.edit(
        company.mona, "care-review", before.revision, drafting.read_changes(told["changes"])
    )
    after = edited.document
    assert [step["id"] for step in after["steps"]][3:6] == ["note", "why", "rate"]
    assert {step["id"]: step["next"] for step in after["steps"]}["note"] == {"default": "why"}
    assert told["problems"] == edited.to_json(workflows.problems(edited))["problems"]
    calls = fetch(
        "select purpose, status, workflow = %s, person, run, input_tokens > 0, cost > 0 from console.ai_call",
        (before.id,),
    )
    assert calls == [("build", "ok", True, company.mona.id, None, True, True)]
    sequencing.catch_up()
    kinds = [
        row[0]
        for row in fetch("select kind from console.activity where kind like 'builder%%' order by at, pos")
    ]
    assert kinds == ["builder_asked", "builder_answered"]
    assert "Ask why" not in str(fetch("select to_jsonb(t)::text from console.builder_turn t"))


def test_what_has_arrived_so_far_is_seen_while_the_answer_arrives(company: Company, model: Server) -> None:
    model.obey(answer(ASK_WHY, RETITLE, {"op": "remove_step", "step": "back"}))
    model.slowly_s = 0.2
    turn = builder.ask(
        company.mona, "care-review", "Ask why.", workflows.open_draft(company.mona, "care-review").revision
    )
    working = threading.Thread(target=worked, args=({jobs.BUILD},))
    working.start()
    seen = list[str]()
    while working.is_alive():
        told = builder.turn(company.mona, "care-review", turn)
        if told.status == "pending" and told.answer.text not in ("", *seen[-1:]):
            seen.append(told.answer.text)
        working.join(0.02)
    model.slowly_s = 0.0
    assert seen[0] == "Added: Say why"
    assert "Changed: Rate the risk" in seen[-1]
    assert builder.turn(company.mona, "care-review", turn).answer.text == "I would do this."
    assert model.asked[-1].body["stream"] is True


def test_a_turn_that_was_stopped_says_so_whatever_arrives_later(company: Company, model: Server) -> None:
    model.obey(answer(ASK_WHY))
    turn = builder.ask(
        company.mona, "care-review", "Ask why.", workflows.open_draft(company.mona, "care-review").revision
    )
    asked_ = builder_turns.question(turn)
    assert asked_ is not None
    assert builder.stop(company.mona, "care-review", turn).stopped
    builder_turns.note_growing(asked_, ["Added: Say why"])
    assert fetch("select answer_ct from console.builder_turn where id = %s", (turn,)) == [(None,)]


def test_the_model_gets_names_within_reach_and_never_a_value(company: Company, model: Server) -> None:
    denied(company.mona, "collection:account", "browse")
    model.obey(NOTHING, times=None)
    asked(company.mona, "Send it to ruta@fernwick.example, says Adaeze.")
    sent = prompts(model)
    assert '\\"display_name\\"' in sent
    assert "Care review" in sent
    assert "tax_id" not in sent
    assert "Okonkwo" not in sent
    assert "IE123" not in sent
    assert '\\"account\\", \\"label\\": \\"Accounts\\"' not in sent  # a collection that Mona may not see
    assert "ruta@fernwick.example" not in sent
    assert "[EMAIL_1]" in sent
    model.well()
    model.obey(
        answer({"op": "set", "step": "read", "field": "config.text", "value_json": '"Write to [EMAIL_1]"'})
    )
    turn = asked(company.mona, "Let them write to ruta@fernwick.example.")
    assert turn.answer.changes[0]["value"] == "Write to ruta@fernwick.example"


HOSTILE: dict[str, dict[str, Any]] = {
    "an approval by a role": {
        "op": "add_step",
        "step": {
            "id": "ok",
            "type": "approval",
            "title": "Ok",
            "config_json": json.dumps({"text": "Well?", "roles": ["emperor"]}),
            "next": [],
        },
        "after": "note",
        "outcome": "",
    },
    "a message to a role": {
        "op": "add_step",
        "step": {
            "id": "tell",
            "type": "notify",
            "title": "Tell",
            "config_json": json.dumps({"text": "So.", "roles": ["emperor"]}),
            "next": [],
        },
        "after": "note",
        "outcome": "",
    },
    "a field out of scope": {
        "op": "set",
        "step": "rate",
        "field": "config.fields",
        "value": ["risk", "tax_id"],
    },
    "out of scope in an expression": {
        "op": "set",
        "step": "is_high",
        "field": "config.branches[0].if",
        "value": "record.tax_id == 'x'",
    },
    "out of scope in a template": {
        "op": "set",
        "step": "read",
        "field": "config.text",
        "value": "{{ record.tax_id }}",
    },
    "a collection out of scope": {"op": "set_document", "field": "collection", "value": "account"},
    "a step type that is not there": {
        "op": "add_step",
        "step": {"type": "format_disk", "title": "X"},
        "after": "note",
    },
    "an expression that cannot be read": {
        "op": "set",
        "step": "is_high",
        "field": "config.branches[0].if",
        "value": "drop table (((",
    },
    "an action that is not there": {
        "op": "add_step",
        "step": {"type": "trigger_action", "config": {"action": "pay.all"}},
        "after": "note",
    },
    "an inbox that is not there": {
        "op": "add_step",
        "step": {"type": "escalate", "config": {"inbox": "vault", "text": "x"}},
        "after": "note",
    },
    "a role that is not there": {"op": "set", "step": "rate", "field": "roles", "value": ["emperor"]},
    "another team": {"op": "set_document", "field": "team", "value": "admin"},
    "in another name": {"op": "set_document", "field": "run_as", "value": "root@fernwick.example"},
    "a setting that is not there": {"op": "set", "step": "read", "field": "config.shell", "value": "rm"},
    "settings that cannot be read hide a field": {
        "op": "add_step",
        "step": {"type": "update_data", "config": {"fields": ["tax_id"], "form": [{"label": "No name"}]}},
        "after": "note",
    },
    "a step that is not there": {"op": "connect", "step": "note", "to": "nowhere"},
    "no op": {"do": "anything"},
}


def test_what_is_unknown_or_out_of_reach_is_never_proposed(company: Company, model: Server) -> None:
    before = workflows.open_draft(company.mona, "care-review")
    for name, change in HOSTILE.items():
        model.well()
        model.requests.clear()
        model.obey(answer(change, RETITLE), times=None)
        turn = asked(company.mona)
        told = json.dumps(list(turn.answer.changes))
        assert turn.status == "ready", name
        assert "Judge the risk" in told, name  # what is fine is proposed all the same
        for word in (
            "tax_id",
            "format_disk",
            "drop table",
            "pay.all",
            "vault",
            "emperor",
            "run_as",
            "shell",
            "nowhere",
        ):
            assert word not in told, name
        assert "Not proposed, because it would not work here" in turn.answer.text, name
        assert len(model.asked) == 2, name  # the same answer once more: it is not asked a third time
        assert "<wrong>" in model.asked[1].text, name
    assert workflows.open_draft(company.mona, "care-review") == before


REACH: dict[str, dict[str, Any]] = {
    "a task's team": {"type": "create_task", "config": {"title": "x", "team": "ghosts"}},
    "an inbox": {"type": "escalate", "config": {"text": "x", "inbox": "ghosts"}},
    "roles that approve": {"type": "approval", "config": {"text": "x", "roles": ["ghosts"]}},
    "roles that are told": {"type": "notify", "config": {"text": "x", "roles": ["ghosts"]}},
    "the team that is told": {"type": "notify", "config": {"text": "x", "team": "ghosts"}},
    "roles that are asked": {"type": "human_input", "config": {"question": "x", "to": {"roles": ["ghosts"]}}},
    "the team that is asked": {"type": "human_input", "config": {"question": "x", "to": {"team": "ghosts"}}},
    "who may do the step": {"type": "guidance", "roles": ["ghosts"], "config": {"text": "x"}},
    "another workflow": {"type": "sub_workflow", "config": {"workflow": "ghosts"}},
    "the collection of another workflow": {
        "type": "sub_workflow",
        "config": {"workflow": "care-review", "collection": "ghosts", "record": "'1'"},
    },
    "what is read": {
        "type": "get_data",
        "config": {"related": [{"name": "r", "collection": "ghosts", "fields": ["id"]}]},
    },
    "an action": {"type": "trigger_action", "config": {"action": "ghosts.pay"}},
    "what is found": {
        "type": "load_related",
        "config": {"items": {"collection": "ghosts", "fields": ["id"]}},
    },
    "what is gone through": {
        "type": "loop",
        "config": {
            "items": {"collection": "ghosts", "fields": ["id"]},
            "form": [{"name": "f", "label": "F", "type": "text"}],
        },
    },
    "what is written": {
        "type": "action",
        "config": {"operation": "create", "collection": "ghosts", "values": {"name": "'x'"}},
    },
    "what is searched in": {
        "type": "update_data",
        "config": {"form": [{"name": "f", "label": "F", "type": "reference", "collection": "ghosts"}]},
    },
    "what is searched in by a model": {
        "type": "llm",
        "config": {
            "prompt": "x",
            "output": [{"name": "f", "label": "F", "type": "reference", "collection": "ghosts"}],
        },
    },
}


@pytest.mark.parametrize("what", REACH)
def test_a_name_that_is_not_there_is_hard_wherever_a_setting_holds_it(company: Company, what: str) -> None:
    draft = workflows.open_draft(company.mona, "care-review").document
    names = reachable_names.reachable(company.mona)
    case = judged_changes.Case.of(draft, reachable_names.restrict_context(names, draft), names)
    step = {"id": "new", "title": "New", **REACH[what]}
    judged = judged_changes.judge(
        case, drafting.read_changes([{"op": "add_step", "step": step, "after": "read"}])
    )
    assert any("ghosts" in each.reason for each in judged.hard), (judged.hard, judged.open_ends)


def test_a_wrong_answer_goes_back_and_the_mended_one_is_taken(company: Company, model: Server) -> None:
    model.obey(answer({"op": "set", "step": "rate", "field": "config.fields", "value": ["wrisk"]}))
    model.obey(answer({"op": "set", "step": "rate", "field": "config.fields", "value": ["risk"]}))
    turn = asked(company.mona)
    assert turn.answer.text == "I would do this."
    assert [each["op"] for each in turn.answer.changes] == ["set"]
    assert "wrisk" in model.asked[1].text
    assert "has no field wrisk" in model.asked[1].text
    assert fetch("select rounds from console.builder_turn") == [(2,)]


def test_a_model_that_deletes_all_leaves_a_draft_that_can_be_edited(company: Company, model: Server) -> None:
    steps = [step["id"] for step in workflows.open_draft(company.mona, "care-review").document["steps"]]
    model.obey(answer(*({"op": "remove_step", "step": each} for each in steps)), times=None)
    turn = asked(company.mona)
    assert "start" in {step["id"] for step in turn.after["steps"]}
    model.well()
    model.obey(
        answer({"op": "set_document", "value": {"steps": []}}, {"op": "set_document", "value": "gone"}),
        times=None,
    )
    assert not asked(company.mona).answer.changes


@pytest.mark.parametrize(
    "mode",
    [
        "prose",
        "malformed_json",
        "a_list",
        "null_answer",
        "deep",
        "empty",
        "refusal",
        "max_tokens",
        "html_200",
        "http_500",
        "http_401",
        "drop",
    ],
)
def test_nonsense_and_faults_end_in_plain_words(company: Company, model: Server, mode: str) -> None:
    model.fault(mode, times=None)
    turn = asked(company.mona)
    assert turn.status == "failed"
    assert not turn.answer.changes
    assert "Change the draft by hand" in turn.answer.text
    assert {row[0] for row in fetch("select status from console.ai_call")} == {"failed"} or mode in {
        "prose",
        "malformed_json",
        "a_list",
        "null_answer",
        "deep",
    }


def test_stopped_and_asked_anew(company: Company, model: Server) -> None:
    model.obey(answer(RETITLE), times=None)
    first = builder.ask(company.mona, "care-review", "One", 0)
    second = builder.ask(company.mona, "care-review", "Two", 0)
    assert builder.turn(company.mona, "care-review", first).answer.text == "Stopped. Nothing was changed."
    assert builder.stop(company.mona, "care-review", second).stopped
    worked({jobs.BUILD})
    assert builder.turn(company.mona, "care-review", second).stopped
    assert not model.asked


def test_a_turn_whose_worker_died_has_its_whole_time_again(company: Company, model: Server) -> None:
    model.obey(answer(RETITLE), times=None)
    revision = workflows.open_draft(company.mona, "care-review").revision
    told = {}
    for asked_s in (40, 400):
        turn = builder.ask(company.mona, "care-review", "Judge the risk.", revision)
        ago = timedelta(seconds=asked_s)
        fetch(
            "update console.builder_turn set at = at - %s, deadline_at = deadline_at - %s where id = %s returning 1",
            (ago, ago, turn),
        )
        before = builder.turn(company.mona, "care-review", turn).status
        worked({jobs.BUILD})
        told[asked_s] = (before, builder.turn(company.mona, "care-review", turn).status)
    assert told == {40: ("pending", "ready"), 400: ("failed", "failed")}, (
        "another worker takes it up; nobody waits any more after so long"
    )


def test_who_may_not_edit_asks_and_reads_nothing(company: Company, model: Server) -> None:
    model.obey(answer(RETITLE))
    turn = builder.ask(company.mona, "care-review", "One", 0)
    for name, error in (("olivia", NotAllowed), ("stan", NotFound)):
        with pytest.raises(error):
            builder.ask(company.people[name], "care-review", "One", 0)
        with pytest.raises(error):
            builder.turn(company.people[name], "care-review", turn)
    access.grant("operator", "workflow:*", ["edit"], team="operations")
    access.refresh()
    with pytest.raises(NotFound):
        builder.turn(accounts.actor_of_person(company.tom.id), "care-review", turn)
