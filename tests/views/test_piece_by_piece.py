"""A client that knows one public page: create a workflow, add nodes, connect them, enrol leads, activate, pause. Nodes come first, edges afterwards."""

from typing import Any

import pytest
from flask import Flask

from console import log, workflows
from console.activity import sequencing
from console.auth import accounts
from console.automation import enrolments
from console.operations import erasure
from tests.company import Company
from tests.conftest import web_app
from tests.jobs import BEGINNING, work_until_idle
from tests.views.conftest import signed_in
from tests.views.test_api_workflows import Program, fixture_mona, fixture_web

__all__ = ["fixture_mona", "fixture_web"]

pytestmark = pytest.mark.slow

INTERESTED, LATER = "lead.answer == 'interested'", "lead.answer == 'call_later'"


class Client:
    """What somebody writes who read the page: nodes by a name of their own."""

    def __init__(self, call: Program, title: str) -> None:
        self.call, self.nodes = call, dict[str, str]()
        self.made = call(
            "POST", "/workflows", {"title": title, "description": "Contacts cold leads three times."}, 201
        )
        self.path = f"/workflows/{self.made['id']}"

    def node(self, name: str, kind: str, status: int = 201, **config: Any) -> Any:
        told = self.call(
            "POST", f"{self.path}/nodes", {"type": kind, "title": name.title(), "config": config}, status
        )
        if status == 201:
            self.nodes[name] = told["id"]
        return told

    def edge(self, source: str, target: str, label: str | None = None, status: int = 201) -> Any:
        sent = {"source": self.nodes.get(source, source), "target": self.nodes.get(target, target)} | (
            {"label": label} if label else {}
        )
        return self.call("POST", f"{self.path}/edges", sent, status)

    def steps(self) -> dict[str, Any]:
        draft = self.call("GET", f"{self.path}/draft")
        return {step["id"]: step for step in draft["document"]["steps"]}

    def problems(self) -> list[str]:
        return [
            each["message"]
            for each in self.call("GET", f"{self.path}/draft")["problems"]
            if each["severity"] == "error"
        ]


def nurture(call: Program) -> Client:
    """Lead nurture: a call, two days, another call, and a question after each; all nodes before the first edge."""
    client = Client(call, "Lead Nurture Sequence")
    client.node("first call", "VOICE_CALL", script="Hello, this is an AI calling.")
    client.node("second call", "VOICE_CALL", script="Hello again, this is an AI calling.", max_attempts=1)
    client.node("pause", "TIME", duration="P2D")
    client.node("keen", "CONDITIONAL", expression=INTERESTED)
    client.node("keen after all", "CONDITIONAL", expression=INTERESTED)
    client.node("tag", "APPLICATION", operation="tag", tag="called-twice")
    client.node("won", "CONVERTED")
    client.node("lost", "DROPPED")
    for source, target, label in (
        ("first call", "keen", "answered"),
        ("first call", "pause", None),
        ("keen", "won", "yes"),
        ("keen", "pause", "no"),
        ("pause", "second call", None),
        ("second call", "keen after all", None),
        ("keen after all", "won", "yes"),
        ("keen after all", "tag", None),
        ("tag", "lost", None),
    ):
        client.edge(source, target, label)
    return client


def test_each_condition_asks_the_call_that_leads_to_it(mona: Program) -> None:
    client = nurture(mona)
    steps = client.steps()
    rules = {
        step["title"]: step["config"]["branches"][0]["if"]
        for step in steps.values()
        if step["type"] == "condition"
    }
    assert rules == {
        "Keen": "steps.ai_call.label == 'interested'",
        "Keen After All": "steps.ai_call_2.label == 'interested'",
    }
    assert steps["ai_call"]["config"]["answers"] == steps["ai_call_2"]["config"]["answers"] == ["interested"]
    assert steps["start"]["next"] == {"default": "ai_call"}
    assert client.problems() == []


def test_a_condition_behind_a_pause_asks_the_call_before_the_pause(mona: Program) -> None:
    client = Client(mona, "Pause")
    client.node("keen", "CONDITIONAL", expression=INTERESTED)
    client.node("pause", "TIME", duration="PT6H")
    client.node("call", "VOICE_CALL", script="Hello.")
    client.edge("pause", "keen")
    assert "lead.answer" in client.steps()["condition"]["config"]["branches"][0]["if"], (
        "no call leads there yet"
    )
    client.edge("call", "pause")
    assert client.steps()["condition"]["config"]["branches"][0]["if"] == "steps.ai_call.label == 'interested'"
    assert client.steps()["ai_call"]["config"]["answers"] == ["interested"]


def test_leads_wait_for_the_activation_and_are_called_by_it(mona: Program) -> None:
    client = nurture(mona)
    leads = [
        {"name": "Ana", "phone": "+31207946000"},
        {"name": "Ben", "phone": "020"},
        {"phone": "+37052100000"},
    ]
    told = client.call("POST", f"{client.path}/leads", {"leads": leads})["data"]
    assert [each["status"] for each in told] == ["enrolled", "refused", "enrolled"]
    assert [each["field"] for each in told[1]["reasons"]] == ["phone"], "one reason for each field"
    assert told[1]["reasons"][0]["reason"]
    assert all(each["run_id"] is None for each in told), "a draft begins nothing"
    unknown = client.call(
        "POST", f"{client.path}/leads", {"leads": [{"name": "Ada", "phone": "+37052100001", "fone": "1"}]}
    )["data"]
    assert unknown[0]["status"] == "refused"
    assert unknown[0]["reasons"] == [
        {
            "field": "fone",
            "reason": "The start of this workflow asks for no such value, but for name, phone, email.",
        }
    ]
    active = client.call("POST", f"{client.path}/activate")
    assert active["status"] == "active"
    following = client.call("GET", f"{client.path}/leads")["data"]
    assert {each["values"]["phone"] for each in following} == {"+31207946000", "+37052100000"}
    assert client.call("POST", f"{client.path}/pause")["status"] == "paused"
    assert client.call("PATCH", client.path, {"status": "running"})["status"] == "active"


def test_the_editor_opens_what_the_client_made_and_changes_it(company: Company, mona: Program) -> None:
    client = nurture(mona)
    slug = client.made["slug"]
    page = signed_in(web_app(), "mona").get(f"/workflows/{slug}/edit?step=condition_2")
    assert page.status_code == 200
    for words in ("First Call", "Keen After All", "AI call", "No problems"):
        assert words in page.text, words
    revision = workflows.open_draft(company.mona, slug).revision
    changes = [{"op": "set", "step": "condition_2", "field": "title", "value": "Keen in the end"}]
    mona("PATCH", f"{client.path}/draft", {"revision": revision, "changes": changes})
    client.node("lost too", "DROPPED")
    client.edge(f"node_{'condition_2'}", "lost too", "call_later", status=409)
    assert client.steps()["condition_2"]["title"] == "Keen in the end"


def test_call_wait_and_call_again_is_a_circle_that_begins_at_the_call(mona: Program) -> None:
    client = Client(mona, "Again")
    client.node("call", "VOICE_CALL", script="Hello, this is an AI calling.", max_attempts=1)
    client.node("won", "CONVERTED")
    client.node("lost", "DROPPED")
    client.node("pause", "TIME", duration="P2D")
    for source, target, label in (
        ("call", "won", "answered"),
        ("call", "pause", None),
        ("pause", "call", None),
    ):
        client.edge(source, target, label)
        assert client.steps()["start"]["next"] == {"default": "ai_call"}
    assert {
        each["field"] for each in client.call("POST", f"{client.path}/activate", status=409)["details"]
    } == {"dropped"}
    client.edge("call", "lost", "busy")
    assert client.call("POST", f"{client.path}/activate")["status"] == "active"


def test_what_a_node_names_of_a_lead_is_asked_for_and_may_be_brought(mona: Program) -> None:
    client = Client(mona, "Cities")
    client.node(
        "call", "VOICE_CALL", script="Hello {{ lead.name }} of {{ lead.city }}. See lead.example for more."
    )
    client.node(
        "near",
        "CONDITIONAL",
        expression="lead.answer == 'yes' && lead.home_town == lead.city && lead.Odd == null",
    )
    client.node("tag", "APPLICATION", operation="tag", tag="from {{ lead.country }}")
    fields = client.steps()["start"]["config"]["fields"]
    assert [(each["name"], each["label"], each["type"]) for each in fields] == [
        ("name", "Name", "text"),
        ("phone", "Phone", "phone"),
        ("email", "E-mail", "email"),
        ("city", "City", "text"),
        ("home_town", "Home town", "text"),
        ("country", "Country", "text"),
    ]
    assert not any(each.get("required") for each in fields)
    leads = [
        {"name": "Ana", "phone": "+31207946000", "city": "Riga"},
        {"phone": "+31207946001"},
        {"phone": "+31207946002", "town": "Riga"},
    ]
    told = client.call("POST", f"{client.path}/leads", {"leads": leads})["data"]
    assert [each["status"] for each in told] == ["enrolled", "enrolled", "refused"]
    reason = "The start of this workflow asks for no such value, but for name, phone, email, city, home_town, country."
    assert told[2]["reasons"] == [{"field": "town", "reason": reason}]


REFUSED_NODES: list[tuple[str, dict[str, Any], str]] = [
    ("FAX", {}, "type"),
    ("start", {}, "type"),
    ("voice_call", {}, "config.script"),
    ("guidance", {"text": ["x"]}, "config.text"),
    ("GUIDANCE", {"text": "a\x00b"}, "config.text"),
    ("decision", {"form": 5}, "config.form"),
    ("VOICE_CALL", {}, "config.script"),
    ("VOICE_CALL", {"script": ""}, "config.script"),
    ("VOICE_CALL", {"script": "x", "max_attempts": 0}, "config.max_attempts"),
    ("VOICE_CALL", {"script": "x", "max_attempts": "3"}, "config.max_attempts"),
    ("VOICE_CALL", {"script": "x", "voice": "alto"}, "config.voice"),
    ("TIME", {"duration": "2 days"}, "config.duration"),
    ("TIME", {"duration": "P0D"}, "config.duration"),
    ("TIME", {"seconds": 5}, "config.duration"),
    ("CONDITIONAL", {"expression": "lead.answer =="}, "config.expression"),
    ("CONDITIONAL", {"expression": ""}, "config.expression"),
    ("APPLICATION", {"operation": "drop", "tag": "x"}, "config.operation"),
    ("APPLICATION", {"operation": "tag"}, "config.tag"),
    ("CONVERTED", {"reason": "x"}, "config.reason"),
]


def test_every_refused_node_names_its_field_and_reason_and_leaves_the_draft(mona: Program) -> None:
    client = Client(mona, "Refused")
    before = client.steps()
    for kind, config, field in REFUSED_NODES:
        told = client.node("x", kind, 422, **config)
        assert field in {each["field"] for each in told["details"]}, (kind, config, told)
        assert all(each["reason"] for each in told["details"])
    assert client.steps() == before


def test_every_refused_edge_names_its_field_and_reason(mona: Program) -> None:
    client = Client(mona, "Edges")
    client.node("call", "VOICE_CALL", script="Hello.")
    client.node("won", "CONVERTED")
    client.node("lost", "DROPPED")
    client.edge("call", "won", "answered")
    for source, target, label, status, field in (
        ("call", "node_gone", None, 422, "target"),
        ("gone", "won", None, 422, "source"),
        ("call", "call", None, 422, "target"),
        ("call", "lost", "Answered", 409, "label"),
    ):
        told = client.edge(source, target, label, status)
        assert [each["field"] for each in told["details"]] == [field], told
        assert told["details"][0]["reason"]
    assert client.steps()["ai_call"]["next"] == {"answered": "converted"}


def test_a_workflow_without_a_graph_is_not_activated_and_says_what_is_missing(mona: Program) -> None:
    client = Client(mona, "Empty")
    told = client.call("POST", f"{client.path}/activate", status=409)
    assert told["code"] == "not_ready"
    assert {each["field"] for each in told["details"]} >= {"start"}
    client.node("call", "VOICE_CALL", script="Hello, this is an AI calling.")
    told = client.call("POST", f"{client.path}/activate", status=409)
    assert "ai_call" in {each["field"] for each in told["details"]}, "the node that leads nowhere is named"
    client.node("won", "CONVERTED")
    client.edge("call", "won")
    assert client.call("POST", f"{client.path}/activate")["status"] == "active"


@pytest.mark.parametrize(("name", "status"), [("olivia", 403), ("stan", 404), ("ada", 403)])
def test_who_may_not_edit_adds_nothing_piece_by_piece(
    web: Flask, company: Company, mona: Program, name: str, status: int
) -> None:
    client = Client(mona, "Ours")
    client.node("call", "VOICE_CALL", script="Hello.")
    other = Program(web, company.people[name].id)
    other("POST", f"{client.path}/nodes", {"type": "CONVERTED", "title": "x", "config": {}}, status)
    other("POST", f"{client.path}/edges", {"source": "node_ai_call", "target": "node_ai_call"}, status)
    assert list(client.steps()) == ["start", "ai_call"]


def test_a_stranger_who_makes_ends_first_and_edges_backwards_hears_what_is_wrong_at_once(
    company: Company, mona: Program
) -> None:
    """Odd but legal orders pass; what can never work is refused at the call that asks for it, with the field and the reason."""
    client = Client(mona, "Backwards")
    client.node("won", "CONVERTED")
    client.node("lost", "DROPPED")
    client.node("tag", "APPLICATION", operation="tag", tag="{{ lead.name }} was called")
    client.node(
        "call", "VOICE_CALL", script="Hello {{ lead.name }}, this is an AI. Is {{ lead.phone }} yours?"
    )
    client.node("again", "VOICE_CALL", script="You said {{ lead.answer }}.", max_attempts=1)
    refused = client.edge("won", "lost", status=422)
    assert refused["details"] == [
        {"field": "source", "reason": "Nothing follows a node of type CONVERTED or DROPPED."}
    ]
    assert client.edge("won", "nowhere", status=422)["details"][0]["field"] == "target"
    for source, target, label in (
        ("tag", "won", None),
        ("again", "lost", None),
        ("call", "tag", "answered"),
        ("call", "again", None),
    ):
        client.edge(source, target, label)
    steps = client.steps()
    assert (
        steps["ai_call"]["config"]["script"]
        == "Hello {{ input.name }}, this is an AI. Is {{ input.phone }} yours?"
    )
    assert steps["ai_call_2"]["config"]["script"] == "You said {{ steps.ai_call.label }}."
    assert steps["start"]["next"] == {"default": "ai_call"}
    assert client.problems() == []


def test_a_call_that_needs_to_say_nothing_may_be_sent_without_a_body_by_a_key_alone(company: Company) -> None:
    key = accounts.create_key("stranger", company.mona.id).text
    app = web_app()
    path = f"/api/v1/workflows/{workflows.live('care-review').id}/pause"
    assert app.test_client().post(path, headers={"Authorization": f"Bearer {key}"}).status_code == 200
    client = signed_in(app, "mona")
    assert client.post(path).status_code in (400, 401, 403, 415)
    assert workflows.entry(company.mona, "care-review").status == "paused"


def test_a_tag_stands_on_a_lead_and_the_run_goes_on(company: Company, mona: Program) -> None:
    """A lead has no record: the tag is told with its place, on the page, in the run and in the log, once, and goes when the lead is erased."""
    client = Client(mona, "Tagged")
    client.node("tag", "APPLICATION", operation="tag", tag="Called {{ lead.city }}")
    client.node("again", "APPLICATION", operation="tag", tag="called riga")
    client.node("won", "CONVERTED")
    client.edge("tag", "again")
    client.edge("again", "won")
    client.call(
        "POST", f"{client.path}/leads", {"leads": [{"name": "Ana", "phone": "+31207946000", "city": "Riga"}]}
    )
    client.call("POST", f"{client.path}/activate")
    work_until_idle(BEGINNING)
    sequencing.sequence()
    enrolments.beginning.keep_in_step()
    [lead] = client.call("GET", f"{client.path}/leads?status=left")["data"]
    assert (lead["tags"], lead["history"][-1]["node_id"]) == (["Called Riga"], client.nodes["won"])
    assert mona("GET", f"/runs/{lead['run_id']}")["status"] == "completed"
    pages = signed_in(web_app(), "mona")
    page = f"/workflows/{client.made['slug']}/enrolled"
    assert "Called Riga" in pages.get(f"{page}?status=left").text
    assert "Called Riga" in pages.get(f"{page}/{lead['id']}").text
    assert "Called Riga" in pages.get(f"/runs/{lead['run_id']}").text
    assert [event.type for event in log.events_of(lead["run_id"])].count("tag_added") == 1
    erasure.erase(company.ines, "lead", lead["id"], "Asked to be forgotten.")
    [lead] = client.call("GET", f"{client.path}/leads?status=left")["data"]
    assert (lead["tags"], lead["values"]) == ([], {})
