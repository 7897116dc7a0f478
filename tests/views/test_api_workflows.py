"""Workflows over HTTP: made, changed, switched, copied and put away; who may, and what is written down."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from console import log, workflows
from console.auth import accounts
from console.infra.db.engine import hot_engine
from console.views.app import create_app
from tests.company import DOCUMENT, Company

pytestmark = pytest.mark.lengthy

END = {"id": "end", "type": "end", "title": "End", "config": {"label": "Done"}, "next": {}}
NAMES = {"id", "organization_id", "slug", "title", "description", "status", "created_at", "updated_at"}


class Program:
    """A program with a person's key."""

    def __init__(self, app: Flask, person: str | None) -> None:
        self.client = app.test_client()
        self.headers = (
            {"Authorization": f"Bearer {accounts.create_key('tests', person).text}"} if person else {}
        )

    def __call__(self, method: str, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        """The JSON of an answer that must have this status."""
        sent = None if method in ("GET", "DELETE") else {} if body is None else body
        answer = self.client.open(f"/api/v1{path}", method=method, headers=self.headers | headers, json=sent)
        assert answer.status_code == status, (answer.status_code, answer.text)
        return answer.get_json() if answer.data else None


@pytest.fixture(name="web")
def fixture_web(company: Company) -> Flask:
    """The web application over the small company."""
    assert company.people
    return create_app()


@pytest.fixture(name="mona")
def fixture_mona(web: Flask, company: Company) -> Program:
    """The program of the lead of Operations."""
    return Program(web, company.mona.id)


def finished(slug: str, **more: Any) -> dict[str, Any]:
    """A document that can be published."""
    start = {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "end"}}
    return {
        "format": 1,
        "slug": slug,
        "title": "Call back",
        "team": "operations",
        "steps": [start, END],
        **more,
    }


def written(kind: str) -> list[dict[str, Any]]:
    """The open values of the events of a kind, oldest first."""
    with hot_engine().connect() as connection:
        bodies = (
            connection.execute(
                sa.text("select convert_from(body, 'UTF8')::jsonb from console.event order by id")
            )
            .scalars()
            .all()
        )
    return [body["data"]["open"] for body in bodies if body["type"] == kind]


def test_a_document_does_not_replace_what_others_changed_where_its_writer_says_what_it_was_made_from(
    mona: Program,
) -> None:
    path = f"/workflows/{mona('POST', '/workflows', {'title': 'Call back'}, 201)['id']}"
    seen = mona("GET", f"{path}/draft")["revision"]
    mona("PUT", f"{path}/definition?revision={seen}", finished("call-back", description="By one."))
    late = mona(
        "PUT", f"{path}/definition?revision={seen}", finished("call-back", description="By another."), 409
    )
    assert late["code"] == "stale_revision"
    assert mona("GET", f"{path}/definition")["description"] == "By one."
    assert (
        mona("POST", f"{path}/publish", {"note": "Seen.", "revision": seen}, 409)["code"] == "stale_revision"
    )
    mona("PUT", f"{path}/definition", finished("call-back", description="By another."))
    mona("POST", f"{path}/publish", {"note": "Seen.", "revision": mona("GET", f"{path}/draft")["revision"]})
    assert mona("GET", f"{path}/versions/1")["definition"]["description"] == "By another."


def test_from_the_title_to_a_run_and_into_the_archive(mona: Program) -> None:
    made = mona("POST", "/workflows", {"title": "Call back", "description": "Who asked."}, 201)
    assert set(made) >= NAMES
    assert made["id"].startswith("wf_")
    assert made["organization_id"].startswith("org_")
    assert (made["title"], made["description"], made["status"], made["slug"], made["team"]) == (
        *("Call back", "Who asked.", "draft", "call-back"),
        "operations",
    )
    path = f"/workflows/{made['id']}"
    refused = mona("POST", f"{path}/activate", status=409)
    assert refused["code"] == "not_ready"
    assert {detail["field"] for detail in refused["details"]} >= {"start"}
    assert all(detail["reason"] for detail in refused["details"])
    assert mona("POST", f"{path}/publish", status=422)["code"] == "not_ready"
    assert mona("PUT", f"{path}/definition", finished("call-back"))["steps"][0]["next"] == {"default": "end"}
    assert mona("POST", f"{path}/activate")["status"] == "active"
    assert mona("GET", f"{path}/versions")["data"][0]["number"] == 1
    assert mona("GET", f"{path}/versions/1")["definition"]["slug"] == "call-back"
    run = mona("POST", "/runs", {"workflow": "call-back"}, 201)
    assert run["status"] == "completed"
    assert mona("POST", f"{path}/pause")["status"] == "paused"
    assert mona("POST", "/runs", {"workflow": "call-back"}, 409)["code"] == "not_active"
    assert mona("PATCH", path, {"status": "running"})["status"] == "active"
    assert mona("DELETE", path, status=409)["code"] == "not_possible"
    assert mona("POST", f"{path}/archive")["status"] == "completed"
    assert mona("POST", "/runs", {"workflow": "call-back"}, 409)["code"] == "not_active"
    assert mona("GET", f"/runs/{run['id']}/replay")["run"]["status"] == "completed"
    verbs = ("activated", "paused", "resumed", "completed", "archived")
    assert [len(written(f"workflow_{verb}")) for verb in verbs] == [1] * 5
    assert mona("GET", path)["archived_at"] is not None
    assert "call-back" not in [each["slug"] for each in mona("GET", "/workflows")["data"]]
    assert [each["slug"] for each in mona("GET", "/workflows?status=archived")["data"]] == ["call-back"]
    assert mona("POST", f"{path}/activate")["archived_at"] is None
    assert len(written("workflow_published")) == 2  # the company's own, and this


def test_a_draft_that_was_never_published_can_be_deleted(mona: Program) -> None:
    made = mona("POST", "/workflows", {"title": "Never"}, 201)
    assert mona("DELETE", f"/workflows/{made['id']}", status=204) is None
    mona("GET", f"/workflows/{made['id']}", status=404)
    assert [told["slug"] for told in written("workflow_deleted")] == ["never"]


WRONG: list[tuple[str, str, Any, int, str]] = [
    ("POST", "/workflows", {}, 422, "title"),
    ("POST", "/workflows", {"title": "  "}, 422, "title"),
    ("POST", "/workflows", {"title": "x" * 201}, 422, "title"),
    ("POST", "/workflows", {"title": "a\x00b"}, 422, "title"),
    ("POST", "/workflows", {"title": 7}, 422, "title"),
    ("POST", "/workflows", {"title": "A", "status": "shut"}, 422, "status"),
    ("POST", "/workflows", {"title": "A", "description": "x" * 4001}, 422, "description"),
    ("POST", "/workflows", {"title": "A", "colour": "red"}, 422, "colour"),
    ("POST", "/workflows", {"title": "A", "status": "active"}, 409, "start"),
    ("POST", "/workflows", {"title": "A", "team": "procurement"}, 403, ""),
    ("PATCH", "/workflows/care-review", {"title": ""}, 422, "title"),
    ("PATCH", "/workflows/care-review", {"status": "draft"}, 409, ""),
    ("PUT", "/workflows/care-review/definition", {}, 422, "format"),
    ("PUT", "/workflows/care-review/definition", finished("another"), 422, "slug"),
    (
        "PUT",
        "/workflows/care-review/definition",
        DOCUMENT | {"steps": [DOCUMENT["steps"][0], END]},
        422,
        "next.default",
    ),
    ("PUT", "/workflows/care-review/definition", DOCUMENT | {"team": "procurement"}, 403, ""),
    ("GET", "/workflows/care-review/versions/2", None, 404, ""),
    ("GET", "/workflows/care-review/versions/99999999999999999999", None, 404, ""),
    ("GET", "/workflows/none", None, 404, ""),
    ("GET", "/workflows/a%00b", None, 404, ""),
]


def test_what_cannot_be_is_refused_with_the_field(mona: Program) -> None:
    for method, path, body, status, field in WRONG:
        told = mona(method, path, body, status)
        assert not field or field in [detail["field"] for detail in told["details"]], (
            method,
            path,
            body,
            told,
        )
    assert workflows.export("care-review") == workflows.live("care-review").document.canonical()


@pytest.mark.parametrize(
    ("who", "see", "change"),
    [("stan", 404, 404), ("olivia", 200, 403), ("ada", 200, 403), ("rosa", 200, 403)],
)
def test_who_may(web: Flask, company: Company, who: str, see: int, change: int) -> None:
    call = Program(web, company.people[who].id)
    for path in ("", "/definition", "/versions", "/versions/1"):
        call("GET", f"/workflows/care-review{path}", status=see)
    assert [one["slug"] for one in call("GET", "/workflows")["data"]] == (
        ["care-review"] if see == 200 else []
    )
    for act in ("activate", "pause", "complete", "archive", "publish", "duplicate"):
        call("POST", f"/workflows/care-review/{act}", status=change)
    call("POST", "/workflows/care-review/cancel", {"reason": "No"}, change)
    for preview in ("activation", "cancellation"):
        call("GET", f"/workflows/care-review/{preview}", status=see)
    call("PATCH", "/workflows/care-review", {"title": "Mine"}, change)
    call("PATCH", "/workflows/care-review", {"status": "paused"}, change)
    call("PUT", "/workflows/care-review/definition", DOCUMENT, change)
    call("DELETE", "/workflows/care-review", status=change)
    call("POST", "/workflows", {"title": "New"}, 403)
    assert log.events_of("sys:config")[-1].type != "workflow_changed"


def test_nobody_gets_in_without_a_key(web: Flask) -> None:
    Program(web, None)("GET", "/workflows/care-review", status=401)


def test_a_workflow_is_made_node_by_node_and_the_editor_opens_it(mona: Program) -> None:
    path = f"/workflows/{mona('POST', '/workflows', {'title': 'Calls'}, 201)['id']}"

    def node(kind: str, **config: Any) -> str:
        return str(
            mona("POST", f"{path}/nodes", {"type": kind, "title": kind.title(), "config": config}, 201)["id"]
        )

    call = node("VOICE_CALL", script="Hello, this is an AI calling.")
    asks, later = (
        node("CONDITIONAL", expression="lead.answer == 'interested' && lead.name != null"),
        node("TIME", duration="P1DT2H"),
    )
    won, lost = node("CONVERTED"), node("DROPPED")
    ways = [
        (call, asks, "answered"),
        (call, later, None),
        (asks, won, "true"),
        (asks, lost, None),
        (later, lost, None),
    ]
    for source, target, label in ways:
        made = mona("POST", f"{path}/edges", {"source": source, "target": target, "label": label}, 201)
        assert (made["source"], made["target"], made["label"]) == (source, target, label)
    assert (
        mona("POST", f"{path}/edges", {"source": call, "target": lost, "label": "answered"}, 409)["details"][
            0
        ]["field"]
        == "label"
    )
    assert (
        mona("POST", f"{path}/edges", {"source": call, "target": "node_gone"}, 422)["details"][0]["field"]
        == "target"
    )
    assert (
        mona("POST", f"{path}/nodes", {"type": "FAX", "title": "x", "config": {}}, 422)["details"][0]["field"]
        == "type"
    )
    assert (
        mona("POST", f"{path}/nodes", {"type": "VOICE_CALL", "title": "x", "config": {}}, 422)["details"][0][
            "field"
        ]
        == "config.script"
    )
    draft = mona("GET", f"{path}/draft")
    by_id = {step["id"]: step for step in draft["document"]["steps"]}
    assert by_id["start"]["next"] == {"default": "ai_call"}
    assert by_id["ai_call"]["config"]["answers"] == ["interested"]
    assert (
        by_id["condition"]["config"]["branches"][0]["if"]
        == "steps.ai_call.label == 'interested' && input.name != null"
    )
    assert [each for each in draft["problems"] if each["severity"] == "error"] == []


def test_an_alert_is_read_changed_and_kept_from_who_may_not(
    web: Flask, company: Company, mona: Program
) -> None:
    """What is read of it can be sent back; what it told last stays."""
    workflows.import_file(finished("call-back"), publish=True)
    place = "/workflows/call-back/alerts"
    made = mona("POST", place, {"kind": "failed", "people": ["mona@fernwick.example"]}, 201)
    one = f"{place}/{made['id']}"
    changed = mona(
        "PUT",
        one,
        {"kind": "error", "pattern": "down", "people": [*made["people"], company.tom.id], "mail": False},
    )
    assert changed == {
        **made,
        "kind": "error",
        "pattern": "down",
        "people": [company.mona.id, company.tom.id],
        "mail": False,
    }
    assert mona("GET", place)["data"] == [changed]
    assert (
        mona("PUT", one, {"kind": "error", "pattern": "down", "people": changed["people"], "mail": False})
        == changed
    )
    assert len(written("alert_changed")) == 2, "what is as it was is no change"
    for stranger in (company.stan.id, "usr_nobody", ""):
        told = mona("PUT", one, {"kind": "failed", "people": [stranger]}, 422)
        assert [detail["field"] for detail in told["details"]] == ["people"]
    for person, status in ((company.olivia, 403), (company.people["ada"], 403), (company.stan, 404)):
        Program(web, person.id)("PUT", one, {"kind": "failed", "people": ["mona@fernwick.example"]}, status)
    Program(web, None)("PUT", one, {"kind": "failed"}, 401)
    mona("PUT", f"{place}/alr_none", {"kind": "failed", "people": ["mona@fernwick.example"]}, 404)
    workflows.import_file(finished("other"), publish=True)
    mona(
        "PUT",
        f"/workflows/other/alerts/{made['id']}",
        {"kind": "failed", "people": ["mona@fernwick.example"]},
        404,
    )
    assert mona("GET", place)["data"] == [changed]
