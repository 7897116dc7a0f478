"""Requests of programs: asked over HTTP with a key, answered by people, read by who asked; and who must not get in."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from console import log, runs, workflows
from console.auth import accounts
from console.auth.access import Scopes
from console.core.errors import Invalid, NotAllowed
from console.infra.db.engine import fetch
from console.work import agent_requests
from console.workflows import inboxes
from tests.company import DESK, Company
from tests.conftest import web_app
from tests.views.conftest import Pages
from tests.work.test_standing_in import gone

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "refund": {"type": "boolean"},
        "amount": {"type": "number", "minimum": 0.5},
        "parts": {"type": "array", "items": {"type": "object", "properties": {"price": {"type": "number"}}}},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "required": ["refund", "amount"],
}
ASKED: dict[str, Any] = {
    "title": "Refund order 4711?",
    "text": "The customer **says** [so](https://evil.example).",
    "schema": SCHEMA,
    "context": [{"label": "Parcel", "value": "lost", "kind": "claim"}],
    "inbox": "desk",
}
CALL: dict[str, Any] = {
    "title": "Send the refund",
    "schema": {
        "type": "object",
        "properties": {"order": {"type": "string", "readOnly": True}, "amount": {"type": "number"}},
        "required": ["order", "amount"],
    },
    "tool_call": {"name": "refund", "arguments": {"order": "4711", "amount": 42.5}},
    "inbox": "desk",
}


@pytest.fixture(name="web")
def fixture_web(company: Company) -> Flask:
    """The web application over the small company, with an inbox."""
    inboxes.import_all([DESK])
    return web_app()


class Program:
    """A program with the key of somebody."""

    def __init__(
        self, web: Flask, company: Company, who: str = "olivia", scopes: Scopes | None = None
    ) -> None:
        self.web, self.key = (
            web.test_client(),
            accounts.create_key("agent", company.people[who].id, scopes=scopes).text,
        )

    def ask(self, status: int = 202, once: str | None = None, **sent: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.key}"} | ({"Idempotency-Key": once} if once else {})
        answer = self.web.post("/api/v1/requests", json=sent, headers=headers)
        assert answer.status_code == status, answer.get_json()
        told: dict[str, Any] = answer.get_json()
        return told

    def read(self, request_id: str, status: int = 200) -> dict[str, Any]:
        answer = self.web.get(
            f"/api/v1/requests/{request_id}", headers={"Authorization": f"Bearer {self.key}"}
        )
        assert answer.status_code == status, answer.get_json()
        told: dict[str, Any] = answer.get_json()
        assert ("Retry-After" in answer.headers) == (told.get("status") == "open")
        return told


def answered(company: Company, run_id: str, by: str, outcome: str = "answered", **values: Any) -> None:
    runs.resume(company.people[by], run_id, revision=None)
    runs.complete(company.people[by], run_id, runs.Submission("answer", None, values, outcome))


def test_a_question_waits_in_its_inbox_and_its_typed_answer_is_read_with_who_and_when(
    web: Flask, company: Company
) -> None:
    program = Program(web, company)
    asked = program.ask(**ASKED)
    assert (asked["id"][:4], asked["status"]) == ("req_", "open")
    assert program.read(asked["id"])["status"] == "open"
    told = company.told(asked["run_id"], "tom")
    assert (told["status"], told["holder"], told["ticket"]["inbox"]) == ("waiting_person", None, "desk")
    current = company.told(asked["run_id"], "tom")["current"]
    assert [field["name"] for field in current["form"]["fields"]] == [
        *("refund", "amount", "parts", "note", "rejected_because")
    ]
    with pytest.raises(Invalid, match="amount") as wrong:
        answered(company, asked["run_id"], "tom", refund=True, amount="0.1")
    assert [each["field"] for each in wrong.value.details] == ["amount"]
    values = {"refund": True, "amount": "42.5", "parts": [{"price": "1.5"}]}
    runs.complete(company.tom, asked["run_id"], runs.Submission("answer", None, values, "answered"))
    found = program.read(asked["id"])
    assert found["answer"] == {"refund": True, "amount": 42.5, "parts": [{"price": 1.5}]}
    assert (found["status"], found["answered_by"], found["changed"]) == ("answered", company.tom.id, [])
    assert found["answered_at"]
    assert found["delivered_at"]
    assert program.read(asked["id"]) == found, "the answer is the same each time"


def test_what_a_program_says_has_no_effect_as_markdown_and_its_kind_is_told(
    web: Flask, company: Company
) -> None:
    evil = "**urgent** <b>x</b> [click](https://evil.example) {{ input.schema }}"
    asked = Program(web, company).ask(
        **ASKED
        | {
            "title": evil,
            "text": evil,
            "context": [
                {"label": evil, "value": evil, "kind": "claim"},
                {"label": "Paid", "value": {"eur": 2.5}, "kind": "fact"},
            ],
        }
    )
    current = runs.get(company.tom, asked["run_id"]).screen
    assert current is not None
    assert "[click](" not in current["text"]
    assert "<b>" not in current["text"].replace("\\<", "")
    labels = [note["label"] for note in current["notes"]]
    assert labels[0].endswith("Claim, not verified")
    assert labels[1] == "Paid · Stated as a fact"


def test_a_repeat_asks_once_and_is_told_the_same(web: Flask, company: Company) -> None:
    program = Program(web, company)
    first = program.ask(once="k1", **ASKED)
    assert program.ask(once="k1", **ASKED)["id"] == first["id"]
    program.ask(422, once="k1", **ASKED | {"title": "Another"})
    assert fetch("select count(*) from console.agent_request")[0][0] == 1


def test_many_at_once_make_the_workflow_once_and_stop_at_the_limit(
    web: Flask, company: Company, given_settings: Any
) -> None:
    given_settings(CONSOLE_OPEN_REQUESTS="5")
    key = Program(web, company).key

    def once(_: int) -> int:
        sent = {"json": ASKED, "headers": {"Authorization": f"Bearer {key}"}}
        return web.test_client().post("/api/v1/requests", **sent).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(once, range(12)))
    assert statuses == [202] * 5 + [429] * 7
    assert fetch("select count(*) from console.run")[0][0] == 5, "what is refused leaves no run"
    Program(web, company, "tom").ask(**ASKED)


def test_a_tool_call_is_approved_by_somebody_else_and_shows_what_was_edited(
    web: Flask, company: Company
) -> None:
    program = Program(web, company)
    asked = program.ask(**CALL)
    with pytest.raises(NotAllowed, match="somebody else has to do"):
        answered(company, asked["run_id"], "olivia", amount="42.5")
    answered(company, asked["run_id"], "tom", amount="40", order="9999")
    found = program.read(asked["id"])
    assert (found["answer"], found["changed"]) == ({"order": "4711", "amount": 40.0}, ["amount"])
    rejected = program.ask(**CALL)
    answered(company, rejected["run_id"], "tom", "rejected", rejected_because="Paid before")
    told = program.read(rejected["id"])
    assert (told["status"], told["reason"], told["answer"]) == ("rejected", "Paid before", None)
    program.ask(422, **CALL | {"inbox": None, "person": "olivia@fernwick.example"})


def test_an_inbox_may_let_its_asker_approve(web: Flask, company: Company) -> None:
    inboxes.import_all([DESK | {"own_tool_calls": True}])
    program = Program(web, company)
    asked = program.ask(**CALL)
    answered(company, asked["run_id"], "olivia", amount="42.5")
    assert program.read(asked["id"])["changed"] == []


def test_no_program_answers_what_it_asked_itself(web: Flask, company: Company) -> None:
    inboxes.import_all([DESK | {"own_tool_calls": True}])
    program = Program(web, company)
    mine = ASKED | {"inbox": None, "person": "olivia@fernwick.example"}
    for sent, command in ((mine, "complete"), (CALL, "resume")):
        run_id = program.ask(**sent)["run_id"]
        body = {"revision": company.told(run_id, "olivia")["revision"]}
        body |= {"step": "answer", "values": {}, "outcome": "answered"} if command == "complete" else {}
        head = {"Authorization": f"Bearer {program.key}"}
        refused = program.web.post(f"/api/v1/runs/{run_id}/{command}", json=body, headers=head)
        assert (refused.status_code, refused.get_json()["code"]) == (403, "not_in_key"), command


def test_a_person_gets_it_and_who_stands_in_for_them(web: Flask, company: Company) -> None:
    asked = Program(web, company).ask(**ASKED | {"inbox": None, "person": "tom@fernwick.example"})
    assert company.told(asked["run_id"], "tom")["holder"] == company.tom.id
    for nobody in ("nobody@fernwick.example", company.stan.id, "usr_\x00"):
        refused = Program(web, company).ask(422, **ASKED | {"inbox": None, "person": nobody})
        assert refused["details"][0]["field"] == "person"


def test_who_stands_in_for_whoever_is_asked_is_never_who_asks_for_approval(
    web: Flask, company: Company
) -> None:
    gone(company, "tom", "olivia")
    asked = Program(web, company).ask(**CALL | {"inbox": None, "person": "tom@fernwick.example"})
    assert company.told(asked["run_id"], "tom")["holder"] == company.tom.id
    with pytest.raises(Invalid):
        runs.assign(company.mona, asked["run_id"], revision=None, user=company.olivia.id)
    other = Program(web, company, "mona").ask(**CALL | {"inbox": None, "person": "tom@fernwick.example"})
    assert company.told(other["run_id"], "tom")["holder"] == company.olivia.id


def test_silence_expires_or_escalates(web: Flask, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    program, due = Program(web, company), log.now() + timedelta(hours=1)
    late = {"due": due.isoformat()}
    expires, read_late = program.ask(**ASKED | late), program.ask(**ASKED | late)
    escalates = program.ask(
        **ASKED | late | {"on_silence": "escalate", "inbox": None, "person": company.tom.id}
    )
    assert agent_requests.end_silence() == 0
    monkeypatch.setattr(log, "now", lambda: due + timedelta(minutes=1))
    assert program.read(read_late["id"])["status"] == "expired", "nobody waits for a worker"
    assert agent_requests.end_silence() == 2
    assert agent_requests.end_silence() == 0
    assert program.read(expires["id"])["status"] == "expired"
    told = company.told(escalates["run_id"], "tom")
    assert (told["holder"], told["ticket"]["inbox"], told["ticket"]["priority"]) == (None, "desk", "urgent")
    answered(company, escalates["run_id"], "tom", refund=False, amount="1")
    assert program.read(escalates["id"])["status"] == "answered"
    program.ask(422, **ASKED | {"due": "2020-01-01T00:00:00Z"})


def test_what_cannot_be_escalated_does_not_keep_others_waiting(
    web: Flask, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, due = Program(web, company), log.now() + timedelta(hours=1)
    late = {"due": due.isoformat(), "on_silence": "escalate", "inbox": None, "person": company.tom.id}
    asked = program.ask(**ASKED | late)
    inboxes.close("desk")
    monkeypatch.setattr(log, "now", lambda: due + timedelta(minutes=1))
    assert (agent_requests.end_silence(), agent_requests.end_silence()) == (1, 0)
    assert company.told(asked["run_id"], "tom")["holder"] == company.tom.id
    assert program.read(asked["id"])["status"] == "open"


def test_ten_thousand_former_requests_of_a_key_make_none_slow(
    web: Flask, company: Company, given_settings: Any
) -> None:
    given_settings(CONSOLE_OPEN_REQUESTS="10000")
    program = Program(web, company)
    first = program.ask(**ASKED)
    fetch(
        "insert into console.agent_request select 'req_' || n, 'run_none' || n, person, key, null, 'expire', at"
        " from console.agent_request, generate_series(1, 10000) n returning 1"
    )
    began = time.monotonic()
    for _ in range(20):
        program.ask(**ASKED)
        program.read(first["id"])
    assert (time.monotonic() - began) / 20 < 0.5


def test_nobody_else_reads_it_and_who_may_start_nothing_asks_nothing(web: Flask, company: Company) -> None:
    asked = Program(web, company).ask(**ASKED)
    Program(web, company, "olivia").read(asked["id"])
    for other in ("tom", "ines", "stan", "rosa"):
        Program(web, company, other).read(asked["id"], 404)
    narrow = Scopes(workflows=frozenset({"care-review"}))
    Program(web, company, "olivia", narrow).read(asked["id"], 404)
    Program(web, company, "olivia", Scopes(acts=frozenset({"collection.read"}))).read(asked["id"], 404)
    before = fetch("select count(*) from console.workflow")
    for by in ({}, {"inbox": None, "person": "tom@fernwick.example"}):
        assert Program(web, company, "olivia", narrow).ask(403, **ASKED | by)["code"] == "not_in_key"
    for who in ("stan", "rosa", "ada"):
        strange = Program(web, company, who).ask(422, **ASKED | {"inbox": "nowhere"})
        hidden = Program(web, company, who).ask(422, **ASKED)
        assert hidden["details"] == strange["details"], "an inbox of others is as one that is not there"
    assert fetch("select count(*) from console.workflow") == before
    assert web.test_client().post("/api/v1/requests", json=ASKED).status_code == 401


def doubling() -> dict[str, Any]:
    defs = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}
    return {"type": "object", "properties": {"x": {"$ref": "#/$defs/d0"}}, "$defs": defs | {"d40": {}}}


def nested(depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        made = {"type": "array", "items": made}
    return {"type": "object", "properties": {"x": made}}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "string"},
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"x": {"type": "nothing"}}},
        {"type": "object", "properties": {"x": {"$ref": "https://evil.example/schema"}}},
        {"type": "object", "properties": {"x": {"$ref": "#"}}},
        {"type": "object", "properties": {"x": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"$ref": "#/$defs/x"}}},
        {"type": "object", "properties": {"x": {"$dynamicRef": "#x"}}},
        {"type": "object", "properties": {"<script>": {"type": "string"}}},
        {"type": "object", "properties": {"rejected_because": {"type": "string"}}},
        {"type": "object", "properties": {f"x{n}": {"type": "string"} for n in range(41)}},
        {"type": "object", "properties": {"x": {"enum": ["y" * 20_000]}}},
        nested(40),
        doubling(),
    ],
    ids=str,
)
def test_a_schema_that_is_no_form_is_refused_at_its_field(web: Flask, company: Company, schema: Any) -> None:
    refused = Program(web, company).ask(422, **ASKED | {"schema": schema})
    assert refused["details"][0]["field"] == "schema"
    assert fetch("select count(*) from console.run")[0][0] == 0


def test_a_pattern_that_runs_for_ever_is_not_tried(web: Flask, company: Company) -> None:
    slow = {"type": "object", "properties": {"x": {"type": "string", "pattern": "^(a+)+$"}}}
    asked = Program(web, company).ask(**ASKED | {"schema": slow})
    answered(company, asked["run_id"], "tom", x="a" * 60 + "!")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": ""}, "title"),
        ({"inbox": None}, "inbox"),
        ({"person": "tom@fernwick.example"}, "inbox"),
        ({"context": [{"label": "x", "value": "y" * 9000}]}, "context[0].value"),
        ({"context": [{"label": "x", "value": 1, "kind": "truth"}]}, "context.0.kind"),
        ({"tool_call": {"name": "x", "arguments": {"other": 1}}}, "tool_call.arguments.other"),
        (
            {"tool_call": {"name": "x", "arguments": {"refund": "no", "amount": 1}}},
            "tool_call.arguments.refund",
        ),
        ({"due": "soon"}, "due"),
        ({"on_silence": "approve"}, "on_silence"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(web: Flask, company: Company, wrong: Any, field: str) -> None:
    refused = Program(web, company).ask(422, **ASKED | wrong)
    assert field in [each["field"] for each in refused["details"]], refused


def test_a_run_that_was_ended_by_hand_is_rejected(web: Flask, company: Company) -> None:
    program = Program(web, company)
    asked = program.ask(**ASKED)
    runs.cancel(company.mona, asked["run_id"], revision=None, reason="No")
    assert program.read(asked["id"])["status"] == "rejected"


def test_the_shipped_workflow_is_the_teams_own_from_then_on(web: Flask, company: Company) -> None:
    program = Program(web, company)
    program.ask(**ASKED)
    document = json.loads(json.dumps(workflows.live("agent-request-operations").document.to_json()))
    document["title"] = "Our questions"
    workflows.import_file(document, publish=True)
    program.ask(**ASKED)
    assert workflows.live("agent-request-operations").document.title == "Our questions"


@pytest.mark.parametrize(
    "edited",
    [
        {"not_by": ["starter"]},
        {"not_by": None},
        {"id": "reply"},
        {"type": "guidance", "config": {"text": "Go on."}},
        {"team": "procurement"},
        {"if": "input.title == ''"},
    ],
    ids=str,
)
def test_no_edit_of_the_workflow_lets_a_program_approve_what_it_asks(
    web: Flask, company: Company, edited: dict[str, Any]
) -> None:
    """Neither before it asks nor of a request that waits and is moved to the edited version; nor does one of another team get it."""
    program = Program(web, company, "mona")
    asked = {} if "team" in edited else program.ask(**CALL)
    shipped = workflows.templates_folder() / "system" / "agent-request.json"
    document = json.loads(shipped.read_text()) | {"slug": "agent-request-operations", "team": "operations"}
    if "team" in edited:
        document |= edited
    elif "if" in edited:
        document["steps"][0]["config"]["fields"][-1] |= edited
    else:
        step = {**document["steps"][1], **edited}
        document["steps"][1] = {name: value for name, value in step.items() if value is not None}
        document["steps"][0]["next"]["default"] = step["id"]
        if "type" in edited:
            document["steps"][1]["next"] = {"default": "answered"}
            document["steps"] = [each for each in document["steps"] if each["id"] != "rejected"]
    workflows.import_file(document, publish=True)
    assert program.ask(409, **CALL)["code"] == "conflict"
    if asked and edited.get("not_by", ()) is None:
        runs.move_run(company.mona, asked["run_id"], version=2, steps={}, reason="Ours now")
        answered(company, asked["run_id"], "mona", amount="42.5")
        told = program.web.get(
            f"/api/v1/requests/{asked['id']}", headers={"Authorization": f"Bearer {program.key}"}
        )
        assert told.status_code == 409


def test_a_property_may_be_called_like_anything_in_our_pages(pages: Pages) -> None:
    """Like a part of the form, and like what Jinja and Python find in a mapping: no name of a program keeps people from answering."""
    inboxes.import_all([DESK])
    program = Program(pages.tom.client.application, pages.company)
    names = [*dir({}), "outcome", "csrf_token", "revision", "step", "item", "loop", "self", "None", "done_by"]
    names = [name for name in names if not name.startswith("__") or "class" in name or "init" in name]
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    call = {"name": "x", "arguments": dict.fromkeys(names, "y")}
    asked = program.ask(**CALL | {"schema": schema, "tool_call": call})
    runs.resume(pages.company.tom, asked["run_id"], revision=None)
    address = f"/runs/{asked['run_id']}"
    form = pages.tom.get(address).form(f"{address}/complete")
    pages.tom.post(f"{address}/complete", {**form["fields"], "outcome": "answered"})
    assert program.read(asked["id"])["answer"] == dict.fromkeys(names, "y")
    assert program.read(asked["id"])["changed"] == []
    for page in (address, f"{address}/replay"):
        pages.tom.get(page)
