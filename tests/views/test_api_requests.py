"""Requests of programs: asked over HTTP with a key, answered by people, read by who asked; and who must not get in."""

import base64
import io
import json
import os
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from console import documents, log, runs, workflows
from console.activity import sequencing
from console.auth import accounts
from console.auth.access import Scopes
from console.core.actor import Actor
from console.core.errors import Invalid, NotAllowed, NotFound
from console.infra import files
from console.infra.db.engine import fetch
from console.infra.files import file_store
from console.operations import erasure, retention
from console.runs.commands import attachments
from console.runs.store.run_store import load
from console.work import agent_requests
from console.workflows import inboxes
from tests.company import DESK, Company
from tests.conftest import web_app
from tests.papers import EICAR, archive, pdf, picture, scanner, text_of
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


# ------------------------------------------------------------------------------------------------------------ files


def encoded(name: str, content: bytes, kind: str | None = None) -> dict[str, Any]:
    sent = {"name": name, "content": base64.b64encode(content).decode()}
    return sent | ({"kind": kind} if kind else {})


def with_files(*sent: dict[str, Any]) -> dict[str, Any]:
    return ASKED | {"files": list(sent)}


PHOTO, INVOICE = encoded("photo.jpg", picture()), encoded("invoice.pdf", pdf(2), "fact")


def blobs() -> list[Path]:
    return [file for _, file in files.stored_files()]


def test_files_stand_beside_the_form_with_their_kind_and_in_replay_and_log(pages: Pages) -> None:
    inboxes.import_all([DESK])
    program, tom = Program(pages.tom.client.application, pages.company), pages.company.tom
    run_id = program.ask(**with_files(PHOTO, INVOICE))["run_id"]
    runs.resume(tom, run_id, revision=None)
    listed = [document.status for document in documents.documents_of_run(tom, run_id, None, None)]
    assert listed == ["Stated as a fact", "Claim, not verified"]
    shown = pages.tom.get(f"/runs/{run_id}?tab=documents").text
    assert "photo.jpg" in shown
    assert "Claim, not verified" in shown
    kept = {file.name: file for file in attachments.files_of_draft(tom, run_id)}
    page = pages.tom.client.get(f"/files/{kept['invoice.pdf'].id}/page/2")
    assert page.data.startswith(b"\x89PNG")
    assert documents.download(tom, kept["photo.jpg"].id).content == picture()
    loaded = load(run_id, whole=True)
    assert loaded is not None
    told = json.loads(loaded.run.input["context"])
    assert [each.get("file") for each in told] == [None, kept["photo.jpg"].value, kept["invoice.pdf"].value]
    looked = {each.title: each.opened for each in documents.opened_documents(tom, run_id)}
    assert looked == {"invoice.pdf": (2,), "photo.jpg": ()}
    values = {"refund": True, "amount": "1"}
    runs.complete(tom, run_id, runs.Submission("answer", None, values, "answered"))
    done = next(
        each.n for each in log.recent(run_id, "step_completed", 0) if each.body["step"]["id"] == "answer"
    )
    replayed = pages.tom.get(f"/runs/{run_id}/replay?at={done}").text
    taken = pages.tom.client.get(f"/runs/{run_id}/case-file?format=zip")
    with zipfile.ZipFile(io.BytesIO(taken.data)) as zipped:
        assert {*zipped.namelist()} > {"documents/001-photo.jpg", "documents/002-invoice.pdf"}
        paper = text_of(zipped.read("case-file.pdf"))
    assert "photo.jpg · Claim, not verified" in replayed
    assert "Claim, not verified. Taken as a file" in paper
    assert "Stated as a fact. Page 1 was never opened" in paper
    for file in kept.values():
        with pytest.raises(NotFound):
            attachments.take_away(pages.company.olivia, run_id, file.id)


def test_only_who_sees_the_run_reads_its_files(web: Flask, company: Company) -> None:
    run_id = Program(web, company).ask(**with_files(PHOTO))["run_id"]
    (kept,) = files.of_run(run_id)

    def status(program: Program, rest: str = "") -> int:
        head = {"Authorization": f"Bearer {program.key}"}
        return program.web.get(f"/api/v1/files/{kept.id}{rest}", headers=head).status_code

    narrow = [Scopes(workflows=frozenset({"care-review"})), Scopes(acts=frozenset({"collection.read"}))]
    strangers = [Program(web, company, "olivia", scopes) for scopes in narrow]
    strangers.append(Program(web, company, "stan"))
    for stranger in strangers:
        assert (status(stranger), status(stranger, "/content")) == (404, 404)
    assert web.test_client().get(f"/api/v1/files/{kept.id}/content").status_code == 401
    assert status(Program(web, company, "tom"), "/content") == 200


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        (encoded("run.exe", b"MZ\x90\x00" + bytes(200)), "files[1]"),
        (encoded("page.txt", b"<!doctype html><script>alert(1)</script>"), "files[1]"),
        (encoded("logo.svg", b"<svg onload='alert(1)'/>"), "files[1]"),
        (encoded("photo.png", pdf()), "files[1]"),
        (encoded("broken.pdf", b"%PDF-1.7 nothing"), "files[1]"),
        (encoded("bomb.docx", archive("word/document.xml", each=bytes(30_000_000))), "files[1]"),
        (encoded("empty.pdf", b""), "files[1]"),
        ({"name": "a.pdf", "content": "no base64 !"}, "files[1].content"),
        ({"name": "a.pdf", "content": "é"}, "files[1].content"),
        ({"name": "", "content": "YQ=="}, "files.1.name"),
        (encoded("a.txt", b"a", "truth"), "files.1.kind"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value["name"]),
)
def test_a_file_that_is_not_taken_is_refused_at_its_field_and_nothing_is_kept(
    web: Flask, company: Company, sent: dict[str, Any], field: str
) -> None:
    refused = Program(web, company).ask(422, **with_files(PHOTO, sent))
    assert [each["field"] for each in refused["details"]] == [field]
    assert (blobs(), fetch("select count(*) from console.run")[0][0]) == ([], 0)


def test_a_name_is_never_a_path_and_many_or_large_files_are_refused(web: Flask, company: Company) -> None:
    program = Program(web, company)
    run_id = program.ask(**with_files(encoded("../../etc/pass<wd>.txt", b"plain")))["run_id"]
    assert [file.name for file in files.of_run(run_id)] == ["pass wd.txt"]
    assert program.ask(422, **with_files(*[PHOTO] * 11))["details"][0]["field"] == "files"
    large = program.ask(413, **with_files(encoded("a.txt", b"a" * 1_600_000)))
    assert "smaller files" in large["message"]


def test_the_virus_scanner_sees_them(web: Flask, company: Company, given_settings: Any) -> None:
    with scanner() as listens:
        given_settings(CONSOLE_CLAMD=listens)
        refused = Program(web, company).ask(422, **with_files(encoded("bad.pdf", pdf() + EICAR)))
        assert (refused["code"], refused["details"][0]["field"]) == ("file_infected", "files[0]")
    Program(web, company).ask(502, **with_files(PHOTO))
    assert blobs() == []


def test_a_repeat_keeps_its_files_once(web: Flask, company: Company) -> None:
    program, sent = Program(web, company), with_files(PHOTO, PHOTO)
    first = program.ask(once="k1", **sent)
    assert program.ask(once="k1", **sent)["id"] == first["id"]
    program.ask(422, once="k1", **with_files(PHOTO))
    assert (len(files.of_run(first["run_id"])), fetch("select count(*) from console.file")[0][0]) == (2, 2)


def test_a_process_that_dies_before_the_run_starts_leaves_nothing_for_good(
    web: Flask, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Program(web, company)
    program.ask(once="before", **ASKED)  # the workflow is there
    call = (
        "import json, os; from console.views.app import create_app; "
        "create_app().test_client().post('/api/v1/requests', json=json.loads(os.environ['SENT']), "
        "headers={'Authorization': 'Bearer ' + os.environ['KEY'], 'Idempotency-Key': 'k1'})"
    )
    given = {"SENT": json.dumps(with_files(PHOTO)), "KEY": program.key, "HANDRAIL_FAULT": "files.added=kill"}
    died = subprocess.run([sys.executable, "-c", call], env=os.environ | given, check=False)
    assert died.returncode == -9
    assert fetch("select count(*) from console.file") == [(0,)]
    assert fetch("select count(*) from console.run") == [(1,)]
    assert len(blobs()) == 1
    monkeypatch.setattr(file_store, "YOUNG_S", -5)
    files.sweep()
    assert blobs() == []
    run_id = program.ask(once="k1", **with_files(PHOTO))["run_id"]
    files.sweep()
    (kept,) = files.of_run(run_id)
    assert files.content(kept) == picture()


def test_its_files_stay_as_long_as_the_run_and_go_with_it(
    web: Flask, company: Company, given_settings: Any
) -> None:
    given_settings(CONSOLE_KEEP_RUNS_DAYS="30")
    asked = Program(web, company).ask(**with_files(PHOTO))
    runs.cancel(company.mona, asked["run_id"], revision=None, reason="No")
    retention.expire(log.now() + timedelta(days=20))
    assert len(blobs()) == 1
    sequencing.catch_up()
    retention.expire(log.now() + timedelta(days=31))
    assert blobs() == []


def test_its_files_are_erased_with_the_run(web: Flask, company: Company) -> None:
    asked = Program(web, company).ask(**with_files(PHOTO))
    runs.cancel(company.mona, asked["run_id"], revision=None, reason="No")
    (kept,) = files.of_run(asked["run_id"])
    erasure.erase(
        Actor("system", "sys_cli", "Command line", session="sys:cli"), "run", asked["run_id"], "They asked."
    )
    assert blobs() == []
    with pytest.raises(NotFound):
        files.find(kept.id)


@pytest.mark.parametrize("lacking", [(), ("context",)])
def test_a_workflow_that_a_team_made_before_there_were_files_gets_them(
    web: Flask, company: Company, lacking: tuple[str, ...]
) -> None:
    shipped = workflows.templates_folder() / "system" / "agent-request.json"
    document = json.loads(shipped.read_text()) | {"slug": "agent-request-operations", "team": "operations"}
    form = document["steps"][0]["config"]
    form["fields"] = [field for field in form["fields"] if field["name"] not in lacking]
    for name in lacking:
        del document["steps"][1]["config"][name]
    workflows.import_file(document, publish=True)
    sent = with_files(PHOTO) | {"context": []}
    if lacking:
        refused = Program(web, company).ask(422, **sent)
        assert [each["field"] for each in refused["details"]] == ["input.context"]
        return
    run_id = Program(web, company).ask(**sent)["run_id"]
    assert [file.name for file in files.of_run(run_id)] == ["photo.jpg"]
