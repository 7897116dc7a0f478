"""Assistants: the protocol by its own client over HTTP, what the tools tell and begin, and who must not get in."""

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import mcp_types
import pytest
from flask.testing import FlaskClient
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import version as versions

from console import records, runs
from console.actions import collection_actions
from console.activity import sequencing
from console.auth import access, accounts
from console.auth.access import Scopes
from console.auth.access.narrowing import ASSISTANT_TOOLS
from console.infra import files
from console.infra.db.engine import fetch
from console.views.mcp import messages, tools
from console.work import approvals
from console.workflows import inboxes
from tests.company import DESK, Company
from tests.conftest import web_app
from tests.support.acting import RATE, hand_in, imported
from tests.views.test_hooks_odd_senders import Sender, sender, served

__all__ = ["sender"]

ASSISTANT = Scopes(assistant=True)
TOOLS = set(ASSISTANT_TOOLS)


def key_of(company: Company, who: str, scopes: Scopes | None = ASSISTANT) -> str:
    return accounts.create_key("assistant", company.people[who].id, scopes=scopes).text


@pytest.fixture
def web(company: Company) -> FlaskClient:
    assert company.people
    return web_app().test_client()


class Assistant:
    """One assistant with a key: sends messages as JSON, without a client of the protocol."""

    def __init__(self, web: FlaskClient, key: str) -> None:
        self.web, self.key = web, key

    def send(self, message: Any, **headers: str) -> Any:
        return self.web.post("/mcp", json=message, headers={"Authorization": f"Bearer {self.key}", **headers})

    def ask(self, method: str, params: dict[str, Any] | None = None) -> Any:
        return self.send({"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}).get_json()

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result: dict[str, Any] = self.ask("tools/call", {"name": tool, "arguments": arguments})["result"]
        return result

    def told(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result = self.call(tool, **arguments)
        assert not result.get("isError"), result
        assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
        told: dict[str, Any] = result["structuredContent"]
        return told

    def refused(self, tool: str, **arguments: Any) -> str:
        result = self.call(tool, **arguments)
        assert result["isError"] is True
        return str(result["content"][0]["text"])


@pytest.fixture
def olivia(web: FlaskClient, company: Company) -> Assistant:
    return Assistant(web, key_of(company, "olivia"))


@pytest.fixture
def address(company: Company) -> Iterator[str]:
    """The address of the console over HTTP."""
    assert company.people
    with served() as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_protocols_own_client_finds_a_record_starts_a_run_and_reads_it(
    address: str, company: Company, mode: Any
) -> None:
    key = key_of(company, "olivia")

    async def talk() -> tuple[set[str], Any, Any, str]:
        http = httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=20)
        async with (
            http,
            Client(streamable_http_client(f"{address}/mcp", http_client=http), mode=mode) as client,
        ):
            tools = {tool.name for tool in (await client.list_tools()).tools}
            found = await client.call_tool("findRecords", {"collection": "customer", "q": "Tore"})
            begun = await client.call_tool(
                "triggerWorkflow",
                {
                    "workflow_id": "care-review",
                    "record_id": found.structured_content["records"][0]["key"],
                    "input": {"why": "event"},
                    "idempotency_key": "one",
                },
            )
            run = await client.call_tool("getWorkflowRun", {"run_id": begun.structured_content["run_id"]})
            return tools, found, run, str(client.protocol_version)

    with ThreadPoolExecutor(
        1
    ) as apart:  # a browser of another test may have a loop of its own in this thread
        tools, found, run, version = apart.submit(asyncio.run, talk()).result()
    assert version == ("2026-07-28" if mode == "auto" else "2025-11-25")
    assert tools == TOOLS
    assert [row["title"] for row in found.structured_content["records"]] == ["Tore Lindqvist"]
    assert run.structured_content["status"] == "waiting_person"
    [(kind, starter)] = fetch("select trigger, started_by from console.run")
    assert (kind, starter) == ("mcp", company.people["olivia"].id)


def test_values_that_no_model_gets_are_neither_told_nor_looked_for(
    olivia: Assistant, company: Company
) -> None:
    named = {field["name"] for field in olivia.told("describeCollection", collection="customer")["fields"]}
    assert {"display_name", "desk"} <= named
    assert not {"email", "tax_id"} & named
    [row] = olivia.told("findRecords", collection="customer", filter={"field": "id", "op": "eq", "value": 2})[
        "records"
    ]
    assert row["values"]["display_name"] == "Tore Lindqvist"
    assert not {"email", "tax_id"} & set(row["values"])
    assert row["url"].endswith("/c/customer/2")
    for hidden in ("email", "tax_id"):
        said = olivia.refused(
            "findRecords", collection="customer", filter={"field": hidden, "op": "contains", "value": "a"}
        )
        assert said.count(hidden) == 1, "a reason is said once"
        assert olivia.refused("findRecords", collection="customer", sort=hidden)
    assert not olivia.told("findRecords", collection="customer", q="tore@customers.example")["records"]


def test_why_an_action_cannot_be_proposed_is_said_without_what_no_model_gets(
    olivia: Assistant, company: Company
) -> None:
    access.grant("operator", "collection:customer", ["act"], team="operations")
    about = {"collection": "customer", "record_id": "1", "action": "customer.rate"}
    message = "{{ record.display_name }} is written to at {{ record.email }}"
    for condition in ("record.email == 'x'", "record.desk == 'x'", "record.email == null"):
        imported({**RATE, "require": [{"if": condition, "message": message}]})
        said = olivia.refused("proposeAction", **about, values={"risk": "high"}, idempotency_key=condition)
        assert "adaeze@" not in said
    imported({**RATE, "require": [{"if": "record.email != null", "message": message}]})
    assert olivia.told("proposeAction", **about, values={"risk": "high"}, idempotency_key="z")["run_id"]


def test_records_that_are_named_by_a_value_kept_from_models_are_not_told(
    olivia: Assistant, company: Company
) -> None:
    access.grant("operator", "collection:account", ["browse", "read"], team="operations")
    assert "iban" not in {
        field["name"] for field in olivia.told("describeCollection", collection="account")["fields"]
    }
    assert "kept from models" in olivia.refused("findRecords", collection="account")


def test_what_is_begun_twice_under_one_key_is_one_run_and_another_call_needs_another_key(
    olivia: Assistant, company: Company
) -> None:
    asked = {"workflow_id": "care-review", "record_id": "1", "input": {"why": "event"}}
    first, again = (olivia.told("triggerWorkflow", **asked, idempotency_key="k")["run_id"] for _ in range(2))
    assert first == again
    assert "another call" in olivia.refused(
        "triggerWorkflow", **{**asked, "record_id": "2"}, idempotency_key="k"
    )
    assert first in olivia.refused("triggerWorkflow", **asked, idempotency_key="l"), (
        "it is live: which run it is is said"
    )
    assert fetch("select count(*) from console.run")[0][0] == 1


def test_a_proposal_does_nothing_until_its_person_hands_it_in(olivia: Assistant, company: Company) -> None:
    access.grant("operator", "collection:customer", ["act"], team="operations")
    imported(RATE)
    about = {"collection": "customer", "record_id": "1", "action": "customer.rate"}
    assert [
        action["id"] for action in olivia.told("describeCollection", collection="customer")["actions"]
    ] == ["customer.rate"]
    assert "risk" in olivia.refused("proposeAction", **about, values={"risk": "none"}, idempotency_key="a")
    assert not fetch("select id from console.run"), "what is wrong with it is said before there is a run"
    told = olivia.told("proposeAction", **about, values={"risk": "high"}, idempotency_key="b")
    assert (
        olivia.told("proposeAction", **about, values={"risk": "high"}, idempotency_key="b")["run_id"]
        == told["run_id"]
    )
    assert told["status"] == "waiting_person"
    assert not fetch("select id from console.effect")
    fetch("delete from console.draft returning run")  # as a process leaves it that died between the two
    olivia.told("proposeAction", **about, values={"risk": "high"}, idempotency_key="b")
    assert company.told(told["run_id"])["current"]["draft"]["values"] == {"risk": "high"}
    [waiting] = olivia.told("myWork")["runs"]
    assert (waiting["record"]["title"], waiting["run_id"]) == ("Adaeze Okonkwo-Bell", told["run_id"])
    hand_in(company, told["run_id"], risk="high")
    company.work()
    assert company.sql("select risk from customer where id = 1") == [("high",)]
    assert olivia.told("getWorkflowRun", run_id=told["run_id"])["ended"] is True


def test_who_must_not_get_in(web: FlaskClient, company: Company) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert web.post("/mcp", json=ping).status_code == 401
    assert web.post("/mcp", json=ping).headers["WWW-Authenticate"] == "Bearer"
    usual, own = (key_of(company, "olivia", scopes) for scopes in (None, ASSISTANT))
    assert Assistant(web, usual).send(ping).status_code == 403, "a key of a program is none for an assistant"
    assert Assistant(web, own).send(ping).get_json()["result"] == {}
    assert Assistant(web, own).send(ping, Origin="https://elsewhere.example").status_code == 403
    refused = web.get("/api/v1/me", headers={"Authorization": f"Bearer {own}"})
    assert (refused.status_code, "opens /mcp" in refused.get_json()["message"]) == (403, True)
    assert web.get("/mcp", headers={"Authorization": f"Bearer {own}"}).status_code == 405


def test_a_name_that_is_not_the_consoles_is_refused_and_so_is_a_page_of_another_site(
    web: FlaskClient, company: Company, given_settings: Callable[..., None]
) -> None:
    """Else a page whose name turns to this machine (DNS rebinding) could speak to it."""
    ping, own = {"jsonrpc": "2.0", "id": 1, "method": "ping"}, key_of(company, "olivia")

    def status(host: str, **headers: str) -> int:
        given = {"Authorization": f"Bearer {own}", "Host": host, **headers}
        return int(web_app().test_client().post("/mcp", json=ping, headers=given).status_code)

    for host in (
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "[",
        "",
    ):
        assert status(host) >= 400, host
        assert status(host, Origin=f"http://{host}") >= 400, host
    for host in ("localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "10.1.2.3"):
        assert status(host) == 200, host
        assert status(host, Origin=f"http://{host}") == 200, host
        assert status(host, Origin="https://evil.example") == 403, host
    given_settings(CONSOLE_BASE_URL="https://console.fernwick.example")
    assert status("console.fernwick.example") == 200
    assert status("console.fernwick.example", Origin="https://console.fernwick.example") == 200
    assert status("other.fernwick.example") == 403


def test_a_key_of_an_assistant_starts_nothing_at_the_address_of_a_webhook(sender: Sender) -> None:
    path = sender.path("plain")
    assert sender.send(path, b'{"why": "event"}').status == 202
    refused = sender.send(path, b'{"why": "event"}', Authorization=f"Bearer {key_of(sender.company, 'mona')}")
    assert (refused.status, "opens /mcp" in refused.body["message"]) == (403, True)
    assert fetch("select count(*) from console.run")[0][0] == 1


def test_somebody_elses_records_and_runs_are_not_there(web: FlaskClient, company: Company) -> None:
    begun = Assistant(web, key_of(company, "olivia")).told(
        "triggerWorkflow",
        workflow_id="care-review",
        record_id="1",
        input={"why": "event"},
        idempotency_key="k",
    )
    stan = Assistant(web, key_of(company, "stan"))
    assert stan.told("listCollections") == {"collections": []}
    assert stan.told("listWorkflows") == {"workflows": []}
    assert stan.told("myWork")["runs"] == []
    nowhere = stan.refused("getWorkflowRun", run_id="run_01m889qr1eep1rzr2hnnvp5zte")
    assert stan.refused("getWorkflowRun", run_id=begun["run_id"]) == nowhere
    assert stan.refused("findRecords", collection="customer") == stan.refused(
        "findRecords", collection="nowhere"
    )
    assert (
        stan.refused("triggerWorkflow", workflow_id="care-review", record_id="1", idempotency_key="k").split(
            " care-review"
        )[0]
        == stan.refused("triggerWorkflow", workflow_id="nothing", record_id="1", idempotency_key="l").split(
            " nothing"
        )[0]
    )


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ([], 400, mcp_types.PARSE_ERROR),
        ({"jsonrpc": "2.0", "id": 1}, 400, mcp_types.INVALID_REQUEST),
        ({"jsonrpc": "2.0", "id": None, "method": "ping"}, 400, mcp_types.INVALID_REQUEST),
        ({"jsonrpc": "2.0", "id": 1, "method": "resources/list"}, 200, mcp_types.METHOD_NOT_FOUND),
        (
            {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "abortRun"}},
            200,
            mcp_types.INVALID_PARAMS,
        ),
        (
            {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"arguments": {}}},
            200,
            mcp_types.INVALID_PARAMS,
        ),
    ],
)
def test_what_the_protocol_does_not_allow_is_an_error_of_its_kind(
    olivia: Assistant, sent: Any, status: int, code: int
) -> None:
    answer = olivia.send(sent)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (status, code)


def test_requests_that_name_their_version_have_to_agree_with_their_headers(olivia: Assistant) -> None:
    meta = {mcp_types.PROTOCOL_VERSION_META_KEY: "2026-07-28", mcp_types.CLIENT_CAPABILITIES_META_KEY: {}}
    asked = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "myWork", "arguments": {}, "_meta": meta},
    }
    headers = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "myWork"}
    assert olivia.send(asked, **headers).get_json()["result"]["resultType"] == "complete"
    for name in headers:
        wrong = olivia.send(asked, **{**headers, name: "tools/list"})
        assert (wrong.status_code, wrong.get_json()["error"]["code"]) == (400, mcp_types.HEADER_MISMATCH), (
            name
        )
    assert (messages.HANDSHAKE_VERSIONS, messages.MODERN_VERSIONS) == (
        versions.HANDSHAKE_PROTOCOL_VERSIONS,
        versions.MODERN_PROTOCOL_VERSIONS,
    )
    meta[mcp_types.PROTOCOL_VERSION_META_KEY] = "2030-01-01"
    newer = olivia.send(asked, **{**headers, "MCP-Protocol-Version": "2030-01-01"})
    assert newer.get_json()["error"]["code"] == mcp_types.UNSUPPORTED_PROTOCOL_VERSION
    assert olivia.send({"jsonrpc": "2.0", "method": "notifications/initialized"}).status_code == 202


@pytest.mark.parametrize(
    ("tool", "arguments", "field"),
    [
        ("findRecords", {}, "collection"),
        ("findRecords", {"collection": "customer", "limit": 5000}, "limit"),
        (
            "findRecords",
            {"collection": "customer", "where": "1=1"},
            "where: There is no setting where here: known are collection, q",
        ),
        ("listCollections", {"all": True}, "all: There is no setting all here"),
        ("triggerWorkflow", {"workflow_id": "care-review", "record_id": "1"}, "idempotency_key"),
        ("triggerWorkflow", {"workflow_id": "care-review", "record_id": "1", "idempotency_key": "k"}, "why"),
    ],
)
def test_wrong_arguments_are_told_by_field_so_that_the_assistant_can_mend_them(
    olivia: Assistant, tool: str, arguments: dict[str, Any], field: str
) -> None:
    assert field in olivia.refused(tool, **arguments)


def test_a_whole_number_may_be_sent_with_decimals(olivia: Assistant) -> None:
    assert olivia.told("findRecords", collection="customer", limit=2.0) == olivia.told(
        "findRecords", collection="customer", limit=2
    )
    assert "limit" in olivia.refused("findRecords", collection="customer", limit=2.5)


def test_every_tool_is_one_that_a_key_can_be_limited_to() -> None:
    assert tuple(tools.TOOLS) == ASSISTANT_TOOLS


def test_a_key_for_some_tools_is_told_of_no_other_and_calls_none(web: FlaskClient, company: Company) -> None:
    narrow = Assistant(
        web, key_of(company, "olivia", Scopes(assistant=True, tools=frozenset({"listCollections"})))
    )
    assert [tool["name"] for tool in narrow.ask("tools/list")["result"]["tools"]] == ["listCollections"]
    assert narrow.told("listCollections")["collections"]
    for name in TOOLS - {"listCollections"}:
        refused = narrow.ask("tools/call", {"name": name, "arguments": {}})
        assert refused["error"]["code"] == mcp_types.INVALID_PARAMS, name
    assert not fetch("select id from console.run")


def test_every_call_is_in_the_log_with_its_key(olivia: Assistant, company: Company) -> None:
    olivia.told("listCollections")
    olivia.refused("describeCollection", collection="nowhere")
    olivia.refused("findRecords")
    sequencing.catch_up()
    noted = fetch(
        "select convert_from(e.body, 'UTF8')::jsonb from console.activity a join console.event e on e.id = a.event"
        " where a.kind = 'assistant_called' order by a.at, a.pos"
    )
    assert [(body["data"]["open"]["tool"], body["data"]["open"]["refused"]) for (body,) in noted] == [
        ("listCollections", False),
        ("describeCollection", True),
        ("findRecords", True),
    ]
    assert {body["actor"]["kind"] for (body,) in noted} == {"key"}


def test_related_records_are_told_as_far_as_a_model_may_get_them(olivia: Assistant, company: Company) -> None:
    access.grant("operator", "collection:account", ["browse", "read"], team="operations")
    about = {"collection": "customer", "record_id": "1", "relation": "account"}
    assert "kept from models" in olivia.refused("listRelated", **about)
    assert "describeCollection" in olivia.refused("listRelated", **{**about, "relation": "nowhere"})
    open_iban = json.dumps({"fields": {"iban": {"ai": "full"}}})
    fetch(
        "update console.collection set document = document || %s::jsonb where id = 'account' returning 1",
        (open_iban,),
    )
    records.forget()
    found = olivia.told("listRelated", **about)
    accounts_of_her = company.sql("select iban from account where customer_id = 1")
    assert {(row["key"],) for row in found["records"]} == set(accounts_of_her)
    assert found["collection"] == "account"
    stan = Assistant(olivia.web, key_of(company, "stan"))
    assert stan.refused("listRelated", **about) == stan.refused("describeCollection", collection="nowhere")


def test_a_workflow_is_described_with_its_steps_and_an_action_with_its_form(
    olivia: Assistant, company: Company
) -> None:
    told = olivia.told("describeWorkflow", workflow_id="care-review")
    assert {"start", "end"} <= {step["type"] for step in told["steps"]}
    assert "listWorkflows" in olivia.refused("describeWorkflow", workflow_id="nothing")
    access.grant("operator", "collection:customer", ["act"], team="operations")
    imported(RATE)
    form = olivia.told("getActionForm", collection="customer", record_id="1", action="customer.rate")
    assert [(field["name"], field["type"]) for field in form["form"]] == [("risk", "enum"), ("note", "text")]
    assert form["approved_by_others"] is False
    assert olivia.refused("getActionForm", collection="customer", record_id="1", action="customer.nothing")
    assert not fetch("select id from console.run")


@pytest.mark.parametrize("act", ["change", "delete"])
def test_a_change_or_deletion_is_proposed_and_done_once_somebody_else_agreed(
    olivia: Assistant, company: Company, act: Any
) -> None:
    access.grant("operator", "collection:customer", ["act"], team="operations")
    imported(collection_actions.document_of("customer", act, ["lead"], "operations"))
    about = {"collection": "customer", "record_id": "2", "action": f"customer.{act}"}
    form = olivia.told("getActionForm", **about)
    assert form["approved_by_others"] is True
    values = {"risk": "high"} if act == "change" else {"reason": "Asked for by the customer."}
    before = company.sql("select * from customer where id = 2")
    told = olivia.told("proposeAction", **about, values=values, idempotency_key=act)
    company.work()
    assert company.sql("select * from customer where id = 2") == before
    given = {
        field["name"]: field["value"]
        for field in company.told(told["run_id"])["current"]["form"]["fields"]
        if not field["readonly"]
    }
    hand_in(company, told["run_id"], **{**given, **values})
    company.work()
    assert company.sql("select * from customer where id = 2") == before, "somebody else has to agree first"
    assert olivia.told("getWorkflowRun", run_id=told["run_id"])["status"] == "waiting_event"
    [approval] = approvals.to_review(company.mona).lines
    runs.approve(company.mona, approval.id)
    company.work()
    after = company.sql("select risk from customer where id = 2")
    assert after == ([("high",)] if act == "change" else [])


def test_a_new_record_is_proposed_and_added_once_somebody_else_agreed(
    olivia: Assistant, company: Company
) -> None:
    access.grant("operator", "collection:customer", ["act"], team="operations")
    imported(collection_actions.document_of("customer", "create", ["lead"], "operations"))
    [told] = [
        each
        for each in olivia.told("describeCollection", collection="customer")["actions"]
        if each["id"] == "customer.create"
    ]
    assert told["adds"] is True
    about = {"collection": "customer", "action": "customer.create"}
    assert olivia.told("getActionForm", **about)["approved_by_others"] is True
    assert olivia.refused("getActionForm", **about | {"record_id": "2"}), "it is about no record"
    stan = Assistant(olivia.web, key_of(company, "stan"))
    assert stan.refused("proposeAction", **about, values={}, idempotency_key="new")
    assert "display_name" in olivia.refused("proposeAction", **about, values={}, idempotency_key="lacking")
    values = {"display_name": "Ursula Marsh", "desk": "retail"}
    run_id = olivia.told("proposeAction", **about, values=values, idempotency_key="new")["run_id"]
    assert olivia.told("proposeAction", **about, values=values, idempotency_key="new")["run_id"] == run_id
    drafted = company.told(run_id)["current"]["draft"]["values"]
    hand_in(company, run_id, **drafted)
    company.work()
    found = "select display_name, desk from customer where id > 4"
    assert company.sql(found) == [], "somebody else has to agree first"
    [approval] = approvals.to_review(company.mona).lines
    runs.approve(company.mona, approval.id)
    company.work()
    assert company.sql(found) == [("Ursula Marsh", "retail")]


def test_a_question_to_a_person_has_their_answer_for_who_asked_alone(
    web: FlaskClient, company: Company
) -> None:
    inboxes.import_all([DESK])
    assistant = Assistant(web, key_of(company, "olivia"))
    schema = {"type": "object", "properties": {"share": {"type": "number"}}, "required": ["share"]}
    sent = [{"name": "deed.txt", "content": "SGFsZg==", "kind": "fact"}]
    question = {
        "title": "Which share?",
        "schema": schema,
        "files": sent,
        "inbox": "desk",
        "idempotency_key": "q1",
    }
    asked = assistant.told("ask_person", **question)
    assert assistant.told("ask_person", **question) == asked, "the same key asks once"
    assert [files.content(file) for file in files.of_run(asked["run_id"])] == [b"Half"]
    assert "used for another call" in assistant.refused("ask_person", **question | {"title": "Other"})
    assert assistant.told("request_answer", request_id=asked["id"])["status"] == "open"
    runs.resume(company.tom, asked["run_id"], revision=None)
    submitted = runs.Submission("answer", None, {"share": "0.5"}, "answered")
    runs.complete(company.tom, asked["run_id"], submitted)
    told = assistant.told("request_answer", request_id=asked["id"])
    assert (told["status"], told["answer"], told["answered_by"]) == (
        "answered",
        {"share": 0.5},
        company.tom.id,
    )
    other = Assistant(web, key_of(company, "tom"))
    assert other.refused("request_answer", request_id=asked["id"]) == other.refused(
        "request_answer", request_id="req_x"
    )
    stranger = Assistant(web, key_of(company, "stan"))
    assert "inbox" in stranger.refused("ask_person", **question)
    assert "schema" in assistant.refused("ask_person", **question | {"schema": {}, "idempotency_key": "q2"})
