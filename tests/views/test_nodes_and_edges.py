"""Nodes and edges of a draft, one by one: read as they were made, changed, removed as in the editor, and kept from who may not edit."""

from typing import Any

import pytest
from flask import Flask

from console import steps, workflows
from console.auth import accounts
from console.auth.access import Scopes
from tests.company import DOCUMENT, Company
from tests.views.test_api_workflows import Program, fixture_mona, fixture_web
from tests.views.test_piece_by_piece import Client, nurture

__all__ = ["fixture_mona", "fixture_web"]

pytestmark = pytest.mark.lengthy

CONFIGS: list[tuple[str, dict[str, Any]]] = [
    ("VOICE_CALL", {"script": "Hello {{ lead.name }}.", "max_attempts": 2}),
    ("VOICE_CALL", {"script": "You said {{ lead.answer }}.", "agent": "anna"}),
    ("TIME", {"duration": "P2DT3H"}),
    ("TIME", {"duration": "PT90M"}),
    ("CONDITIONAL", {"expression": "lead.answer == 'interested' && lead.city != null"}),
    ("CONDITIONAL", {"expression": "lead.answer == 'busy'"}),
    ("APPLICATION", {"operation": "tag", "tag": "from {{ lead.city }}"}),
    ("CONVERTED", {}),
    ("DROPPED", {}),
]


def listed(client: Client, what: str, query: str = "") -> list[Any]:
    found = client.call("GET", f"{client.path}/{what}{query}")["data"]
    assert isinstance(found, list)
    return found


def ways(client: Client) -> dict[str, dict[str, str]]:
    return {step: each["next"] for step, each in client.steps().items()}


def test_a_node_of_a_calling_workflow_is_read_as_it_was_made(mona: Program) -> None:
    client, made = Client(mona, "Words"), []
    for number, (kind, config) in enumerate(CONFIGS):
        written = kind.lower() if number % 2 else kind
        sent = {"type": written, "name" if number % 2 else "title": f"Node {number}", "config": config}
        made.append(client.call("POST", f"{client.path}/nodes", sent, 201))
        assert (made[-1]["type"], made[-1]["title"], made[-1]["name"], made[-1]["config"]) == (
            kind,
            *[f"Node {number}"] * 2,
            config,
        )
    assert [client.call("GET", f"{client.path}/nodes/{each['id']}") for each in made] == made
    start, *others = listed(client, "nodes")
    assert others == made
    assert (start["id"], start["type"], start["created_at"]) == ("node_start", "start", None)
    assert all(each["created_at"] for each in made)


def test_every_step_type_is_a_node_whose_settings_may_be_unfinished(mona: Program) -> None:
    client = Client(mona, "Types")
    for kind in steps.all_types():
        if kind != "start":
            made = client.call(
                "POST", f"{client.path}/nodes", {"type": kind.upper(), "name": kind, "config": {}}, 201
            )
            assert (made["type"], made["config"]) == (kind, {})
            assert client.call("GET", f"{client.path}/nodes/{made['id']}") == made
    made = client.node("read this", "guidance", text="Call the customer.")
    assert made["config"] == {"text": "Call the customer."}
    assert client.steps()[made["id"].removeprefix("node_")]["type"] == "guidance"
    plain = client.node("short", "wait", days=2)
    assert (plain["type"], plain["config"]) == ("wait", {"days": 2}), (
        "who names the step type reads the step’s settings"
    )


def test_title_and_settings_of_a_node_are_changed_and_what_is_left_out_stays(mona: Program) -> None:
    client = nurture(mona)
    call, keen = (
        f"{client.path}/nodes/{client.nodes['first call']}",
        f"{client.path}/nodes/{client.nodes['keen']}",
    )
    assert client.call("PATCH", call, {"name": "Ring"})["config"] == {
        "script": "Hello, this is an AI calling."
    }
    changed = client.call(
        "PATCH", call, {"title": "Ring", "config": {"max_attempts": 5, "script": "Hi {{ lead.town }}."}}
    )
    assert (changed["title"], changed["type"]) == ("Ring", "VOICE_CALL")
    assert changed["config"] == {"script": "Hi {{ lead.town }}.", "max_attempts": 5}
    assert client.call("PATCH", call, {"config": {"max_attempts": None}})["config"] == {
        "script": "Hi {{ lead.town }}."
    }
    assert client.steps()["ai_call"]["config"]["answers"] == ["interested"], (
        "what a condition asks stays an answer"
    )
    assert "town" in [field["name"] for field in client.steps()["start"]["config"]["fields"]]
    client.call("PATCH", keen, {"config": {"expression": "lead.answer == 'call_later'"}})
    assert (
        client.steps()["condition"]["config"]["branches"][0]["if"] == "steps.ai_call.label == 'call_later'"
    ), "its own call, not the last"
    assert "call_later" in client.steps()["ai_call"]["config"]["answers"]
    assert (
        client.call("PATCH", keen, {"type": "condition", "config": {"branches": []}})["type"] == "condition"
    )
    guide = client.node("read", "guidance", text="Look.", owner="Ines")["id"]
    told = client.call(
        "PATCH", f"{client.path}/nodes/{guide}", {"config": {"owner": None, "text": "Look twice."}}
    )
    assert told["config"] == {"text": "Look twice."}
    for sent, field in (
        ({"config": {"script": ""}}, "config.script"),
        ({"config": {"script": None}}, "config.script"),
        ({"config": {"voice": "alto"}}, "config.voice"),
        ({"type": "TIME"}, "type"),
        ({"type": "FAX"}, "type"),
        ({"title": "a", "name": "b"}, "name"),
        ({"title": ""}, "title"),
        ({"title": "a\x00"}, "title"),
        ({"id": "x"}, "id"),
    ):
        refused = client.call("PATCH", call, sent, 422)
        assert [each["field"] for each in refused["details"]] == [field], sent
        assert refused["details"][0]["reason"]


def test_a_removed_node_takes_its_edges_along_and_what_led_to_it_goes_on(mona: Program) -> None:
    client = nurture(mona)
    client.call("DELETE", f"{client.path}/nodes/{client.nodes['pause']}", status=204)
    after = ways(client)
    assert "wait" not in after
    assert after["ai_call"] == {"answered": "condition", "default": "ai_call_2"}, (
        "it leads to where the pause went on"
    )
    client.call("DELETE", f"{client.path}/nodes/{client.nodes['won']}", status=204)
    assert ways(client)["condition"] == {"default": "ai_call_2"}, (
        "a node that went nowhere takes the edges with it"
    )
    client.call("DELETE", f"{client.path}/nodes/{client.nodes['first call']}", status=204)
    assert ways(client)["start"] == {"default": "ai_call_2"}
    client.call("GET", f"{client.path}/nodes/{client.nodes['pause']}", status=404)
    client.call("DELETE", f"{client.path}/nodes/{client.nodes['pause']}", status=404)
    client.call("POST", f"{client.path}/draft/undo")
    assert client.call("GET", f"{client.path}/nodes/{client.nodes['first call']}")["type"] == "VOICE_CALL"


def test_edges_are_read_moved_renamed_and_removed(mona: Program) -> None:
    client = nurture(mona)
    found = {(each["source"], each["label"]): each for each in listed(client, "edges")}
    at = client.nodes
    assert found[at["first call"], "answered"]["target"] == at["keen"]
    assert (found[at["keen"], "yes"]["target"], found[at["keen"], "no"]["target"]) == (at["won"], at["pause"])
    assert found["node_start", None]["target"] == at["first call"]
    assert all(client.call("GET", f"{client.path}/edges/{each['id']}") == each for each in found.values())
    assert len({each["id"] for each in found.values()}) == len(found)
    edge = f"{client.path}/edges/{found[at['first call'], 'answered']['id']}"
    moved = client.call("PATCH", edge, {"target": at["won"]})
    assert moved == {**found[at["first call"], "answered"], "target": at["won"]}
    renamed = client.call("PATCH", edge, {"label": "Call later"})
    assert renamed["label"] == "call_later"
    assert client.steps()["ai_call"]["next"] == {"call_later": "converted", "default": "wait"}
    assert "call_later" in client.steps()["ai_call"]["config"]["answers"]
    client.call("GET", edge, status=404)
    again = f"{client.path}/edges/{renamed['id']}"
    assert client.call("PATCH", again, {"label": None}, 409)["details"][0]["field"] == "label"
    other = client.call("PATCH", again, {"source": at["tag"], "label": "", "target": at["won"]}, 409)
    assert other["details"] == [{"field": "label", "reason": "Taken."}]
    for sent, field in (
        ({"target": at["first call"]}, "target"),
        ({"target": "node_start"}, "target"),
        ({"source": at["lost"]}, "source"),
        ({"label": "2nd"}, "label"),
    ):
        assert [each["field"] for each in client.call("PATCH", again, sent, 422)["details"]] == [field], sent
    client.call("DELETE", again, status=204)
    client.call("DELETE", again, status=404)
    assert client.steps()["ai_call"]["next"] == {"default": "wait"}


def test_a_label_names_the_outcome_of_a_step_of_any_type(mona: Program) -> None:
    client = Client(mona, "Outcomes")
    client.node("choose", "decision", form=[], options=[{"value": "approve", "label": "Approve"}])
    client.node("sent", "email", subject="x", body="y", to="input.email")
    client.node("answer", "wait", event="message.received", timeout="P2D")
    client.node("end", "end")
    for source, label in (
        ("choose", "Approve"),
        ("sent", "skipped"),
        ("sent", None),
        ("answer", "timeout"),
        ("answer", "error"),
    ):
        client.edge(source, "end", label)
    assert ways(client)["decision"] == {"approve": "end"}
    assert ways(client)["email"] == {"skipped": "end", "default": "end"}
    assert ways(client)["wait"] == {"timeout": "end", "error": "end"}


def test_two_who_change_the_same_node_at_once_hear_of_each_other(company: Company, mona: Program) -> None:
    client = nurture(mona)
    node = f"{client.path}/nodes/{client.nodes['first call']}"
    seen = client.call("GET", f"{client.path}/draft")["revision"]
    client.call("PATCH", node, {"title": "Mine"})
    late = client.call("PATCH", node, {"title": "Late", "revision": seen}, 409)
    assert (late["code"], late["conflicts"][0]["step"]) == ("conflicting_changes", "ai_call")
    client.call("DELETE", f"{node}?revision={seen}", status=409)
    other = f"{client.path}/nodes/{client.nodes['tag']}"
    assert client.call("PATCH", other, {"title": "Tag it", "revision": seen})["title"] == "Tag it", (
        "what others changed elsewhere is merged"
    )
    [edge] = [each for each in listed(client, "edges") if each["source"] == client.nodes["tag"]]
    client.call(
        "PATCH", f"{client.path}/edges/{edge['id']}", {"target": client.nodes["won"], "revision": seen}, 409
    )
    client.call("DELETE", f"{client.path}/edges/{edge['id']}?revision={seen}", status=409)
    client.call("PATCH", other, {"title": "Tag it", "revision": 10_000}, 409)
    assert workflows.entry(company.mona, client.made["id"]).status == "draft"


def test_a_repeated_request_reads_the_node_and_the_edge_again(mona: Program) -> None:
    client = Client(mona, "Twice")
    node = {"type": "TIME", "title": "Pause", "config": {"duration": "P1D"}}
    made, again = (
        client.call("POST", f"{client.path}/nodes", node, 201, **{"X-Idempotency-Key": "n"}) for _ in "ab"
    )
    assert made == again
    end = client.node("end", "CONVERTED")["id"]
    edge = {"source": made["id"], "target": end, "label": "after"}
    first, second = (
        client.call("POST", f"{client.path}/edges", edge, 201, **{"X-Idempotency-Key": "e"}) for _ in "ab"
    )
    assert first == second == {**edge, "id": first["id"]}
    assert len(listed(client, "nodes")) == 3


@pytest.mark.parametrize(("name", "status"), [("olivia", 403), ("ada", 403), ("stan", 404), (None, 401)])
def test_who_may_not_edit_neither_reads_nor_changes_nodes_and_edges(
    web: Flask, company: Company, mona: Program, name: str | None, status: int
) -> None:
    workflows.import_file(DOCUMENT | {"slug": "theirs", "title": "Theirs"}, publish=False)
    other = Program(web, company.people[name].id if name else None)
    before = mona("GET", "/workflows/theirs/draft")
    [edge, *_], [node, *_] = (
        mona("GET", "/workflows/theirs/edges")["data"],
        mona("GET", "/workflows/theirs/nodes")["data"],
    )
    for what, one, body in (
        ("nodes", node["id"], {"title": "Mine"}),
        ("edges", edge["id"], {"target": node["id"]}),
    ):
        for method, path, sent in (
            ("GET", what, None),
            ("GET", f"{what}/{one}", None),
            ("PATCH", f"{what}/{one}", body),
            ("DELETE", f"{what}/{one}", None),
        ):
            other(method, f"/workflows/theirs/{path}", sent, status)
    assert mona("GET", "/workflows/theirs/draft") == before


def test_a_key_made_for_other_things_reaches_no_node(company: Company, web: Flask) -> None:
    key = accounts.create_key("looks", company.mona.id, scopes=Scopes(acts=frozenset({"workflow.see"}))).text
    client = web.test_client()
    for method in ("GET", "PATCH", "DELETE"):
        answer = client.open(
            "/api/v1/workflows/care-review/nodes/node_note",
            method=method,
            json={},
            headers={"Authorization": f"Bearer {key}"},
        )
        assert (answer.status_code, answer.get_json()["code"]) == (403, "not_in_key")
