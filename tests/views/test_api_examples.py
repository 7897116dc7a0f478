"""Every example of the description, sent to the application: answered with the status that it names, in the shape that is promised."""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator, FormatChecker

from console import monitoring, runs, workflows, workspaces
from console.actions import connection_settings, secret_settings
from console.activity import sequencing
from console.auth import access, accounts
from console.auth.access import Scopes
from console.auth.accounts import absences, identities
from console.authoring import publication
from console.automation import enrolments
from console.automation.enrolments import Question
from console.automation.webhooks import outgoing
from console.automation.webhooks.outgoing import Wanted
from console.core.actor import Actor
from console.infra.db import engine as db
from console.infra.db.ids import new_id
from console.messaging.imports import import_batches
from console.monitoring import incidents
from console.runs.commands import approval_questions
from console.views.api import openapi
from console.views.api.openapi import BASE, Call
from console.views.api.requests import EXAMPLE as REQUEST
from console.views.app import create_app
from console.work import agent_requests
from tests.company import DOCUMENT, Company
from tests.papers import CHECKED, at_note, evidence, pdf, workflow
from tests.support.contact_club import found_club
from tests.support.engine import step
from tests.support.failing import failed
from tests.support.four_eyes import asking, requested

pytestmark = pytest.mark.lengthy

Scene = dict[str, Any]
KYC = DOCUMENT | {
    "slug": "kyc-review",
    "title": "KYC review",
    "steps": [{**each, "config": {}} if each["id"] == "start" else each for each in DOCUMENT["steps"]],
}
QUESTIONING = {
    "format": 1,
    "slug": "questioning",
    "title": "Asking",
    "collection": "customer",
    "team": "operations",
    "steps": [
        step("start", "start", "ask"),
        step(
            "ask", "human_input", "end", {"to": {"people": ["'tom@fernwick.example'"]}, "question": "Right?"}
        ),
        step("end", "end", None),
    ],
}
FAR = {
    "stopTrying",
    "settleEffect",
    "checkEffect",
    "stepIn",
    "proposeAgain",
    "supplyContext",
    "sendMessage",
    "getMessage",
}
"""Calls whose example needs a run that another system has brought somewhere; they have a test of their own."""


@pytest.fixture(name="house", scope="module")
def fixture_house(module_company: Company) -> Company:
    """One company for all examples."""
    return exemplary(module_company)


def exemplary(company: Company) -> Company:
    """The company with customer 17 and the workflow of the examples."""
    for key in range(17, 80):
        company.sql(
            f"insert into customer values ({key}, 'Customer {key}', 'c{key}@customers.example', 'retail', null, null, 1, null)"
        )
    access.grant(
        "operator",
        "collection:customer",
        ["create", "delete"],
        "record.desk in $currentUser.tags.desks",
        team="operations",
    )
    found_club(company)
    access.grant("operator", "collection:contact", ["create"], team="operations")
    access.refresh()
    workflows.import_file(KYC, publish=True)
    asking()
    return company


@pytest.fixture(name="web", scope="module")
def fixture_web(house: Company) -> Flask:
    """Its web application."""
    assert house.people
    return create_app()


MOMENTS = FormatChecker(formats=())
"""Every moment of an answer is of one form."""
MOMENTS.checks("date-time")(lambda told: not isinstance(told, str) or told.endswith("Z"))


class Bench:
    """Where examples are sent from, and the description that their answers are held against."""

    def __init__(self, web: Flask, house: Company) -> None:
        self.web, self.house = web, house
        self.told = openapi.document(web)
        self.calls = {call.operation.id: call for call in openapi.calls(web)}
        self.keys: dict[str, str] = {}
        self.records = iter(range(18, 80))

    def run(self, step: str = "note", by: str = "olivia", record: str | None = None) -> Scene:
        """A run of the examples' workflow at this step."""
        run_id = runs.start(
            self.house.people[by], "kyc-review", "customer", record or str(next(self.records)), {}
        )
        while (told := self.house.told(run_id, by))["current"]["step"] != step:
            self.house.answer(run_id, by, told)
        return {"run_id": run_id, "revision": told["revision"]}

    def send(self, name: str, who: str, scene: Scene, key: str | None = None, **more: str) -> Any:
        """The answer to the example, its ids and revision replaced by those of the scene. `key`: another one than the person's whole one; `more`: headers."""
        call = self.calls[name]
        path = BASE + call.path
        given = {**call.operation.example.path, **scene}
        for parameter in call.parameters:
            path = path.replace(f"{{{parameter}}}", str(given[parameter]))
        example = call.operation.example.body
        body = None if example is None else {key: scene.get(key, value) for key, value in example.items()}
        form = {
            part: (io.BytesIO(value[0].getvalue()), value[1]) if isinstance(value, tuple) else value
            for part, value in scene.get("form", {}).items()
        }
        sent: dict[str, Any] = {"data": form} if form else {"json": body}
        if who not in self.keys:
            self.keys[who] = accounts.create_key(
                "examples", self.house.people[who].id, scopes=Scopes(approves=True)
            ).text
        headers = {"Authorization": f"Bearer {key or self.keys[who]}"} | {
            header.replace("_", "-"): value for header, value in more.items()
        }
        return self.web.test_client().open(
            path, method=call.method, headers=headers, query_string=call.operation.example.query, **sent
        )

    def check(self, name: str, who: str, scene: Scene) -> list[str]:
        """What is wrong with the answer to the example."""
        call, answer = self.calls[name], self.send(name, who, scene)
        if answer.status_code != call.operation.example.status:
            return [f"{name}: {answer.status_code} {answer.text[:300]}"]
        return [f"{name}: {fault.json_path} {fault.message[:200]}" for fault in self.faults(call, answer)]

    def faults(self, call: Call, answer: Any) -> Iterator[Any]:
        """Where the answer is not what the description promises."""
        content = self.told["paths"][call.path][call.method.lower()]["responses"][
            str(answer.status_code)
        ].get("content", {})
        schema = content.get("application/json", {}).get("schema")
        if schema is not None:
            told = {**schema, "components": self.told["components"]}
            yield from Draft202012Validator(told, format_checker=MOMENTS).iter_errors(answer.get_json())


def scenes(bench: Bench) -> dict[str, tuple[str, Callable[[], Scene]]]:
    """Call → who sends its example, and what makes it possible."""
    house = bench.house

    def saved() -> Scene:
        told = bench.run()
        runs.save(house.olivia, told["run_id"], revision=told["revision"])
        return told | {"revision": told["revision"] + 1}

    def over() -> Scene:
        told = bench.run()
        runs.abort(house.olivia, told["run_id"], revision=None, reason="For the test")
        return told

    def asked() -> Scene:
        return {"approval_id": requested(house, slug="asking", record=str(next(bench.records)))[1]}

    def questioned() -> Scene:
        told = asked()
        approval_questions.ask(house.people["mona"], told["approval_id"], "Why?")
        return told

    def file() -> Scene:
        run_id = evidence(house, record=str(next(bench.records)))
        return {
            "form": {
                "run": run_id,
                "step": "note",
                "field": "evidence",
                "file": (io.BytesIO(pdf()), "paper.pdf"),
            }
        }

    def kept() -> Scene:
        return {"file_id": bench.send("sendFile", "olivia", file()).get_json()["file"]}

    def escalated() -> Scene:
        told = bench.run()
        runs.escalate(house.olivia, told["run_id"], revision=None, inbox="desk", reason="Look")
        return {"name": "desk", "ticket": told["run_id"], "tickets": [told["run_id"]], "user": house.tom.id}

    def snoozed() -> Scene:
        run_id = escalated()["ticket"]
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        return {"run_id": run_id, "revision": house.told(run_id)["revision"], "until": tomorrow}

    def draft(slug: str = "Call back") -> Scene:
        return {"workflow_id": workflows.create(house.mona, slug).id}

    def published() -> Scene:
        made = workflows.duplicate(house.mona, "care-review")
        workflows.publish_draft(house.mona, made.id)
        return {"workflow_id": made.id}

    def noded() -> Scene:
        made = draft()
        workflows.graph_nodes.add_node(house.mona, made["workflow_id"], "TIME", "Wait", {"duration": "P2D"})
        workflows.graph_nodes.add_node(house.mona, made["workflow_id"], "CONVERTED", "Won", {})
        return made

    def edited(*, undone: bool = False) -> Scene:
        made = workflows.duplicate(house.mona, "care-review")
        workflows.change(house.mona, made.id, description="Changed.")
        if undone:
            workflows.undo(house.mona, made.id)
        return {"workflow_id": made.id}

    def reviewed() -> Scene:
        made, slug = (kept := workflows.duplicate(house.mona, "care-review")).id, kept.slug
        access.grant("operator", f"workflow:{slug}", ["edit", "publish"], team="operations")
        access.refresh()
        workflows.change(house.tom, made, description="Changed.")
        return {
            "workflow_id": made,
            "review_id": workflows.request_review(house.tom, made, note="Clearer").id,
        }

    def movable() -> Scene:
        made = workflows.duplicate(house.mona, "care-review")
        workflows.publish_draft(house.mona, made.id)
        runs.start(house.olivia, made.slug, "customer", str(next(bench.records)), {"why": "periodic"})
        workflows.change(house.mona, made.id, description="Changed.")
        workflows.publish_draft(house.mona, made.id)
        return {"workflow_id": made.id}

    def moved() -> Scene:
        told = movable()
        move = publication.move_runs(house.mona, told["workflow_id"], 1, 2, steps={}, reason="Clearer")
        return told | {"move_id": move.id}

    def hooked() -> Scene:
        accounts.create_service_account("hooks@fernwick.test", [("operations_lead", "operations")])
        hooks = [{"id": "shop", "kind": "webhook"}, {"id": "signed", "kind": "webhook", "signed": True}]
        ends = [step("start", "start", "end"), step("end", "end", None)]
        head = {
            "format": 1,
            "slug": "call-back",
            "title": "Call back",
            "team": "operations",
            "run_as": "hooks@fernwick.test",
        }
        workflows.import_file(head | {"steps": ends, "triggers": hooks}, publish=True)
        return {}

    def sealed() -> Scene:
        sequencing.catch_up()
        sequencing.seal()
        return {}

    def checked() -> Scene:
        return {"run_id": at_note(house, workflow("checked", CHECKED), "2")}

    def nothing() -> Scene:
        return {}

    def exported() -> Scene:
        access.grant("operator", "collection:customer", ["export"])
        access.refresh()
        export_id = bench.send("exportRecords", "olivia", {}).get_json()["id"]
        house.work()
        return {"export_id": export_id}

    def built() -> Scene:
        workspaces.create(
            house.ines,
            {
                "id": "desk",
                "title": "Desk",
                "components": [{"id": "words", "type": "text", "text": "Good morning"}],
            },
        )
        workspaces.publish(house.ines, "desk", 1)
        return {"slug": "desk"}

    def timed() -> Scene:
        bench.send("setDueTime", "mona", {})
        bench.send("setInboxDueTime", "mona", {})
        return {}

    def alerted() -> Scene:
        return {"alert_id": bench.send("addAlert", "mona", {}).get_json()["id"]}

    def enrolled() -> Scene:
        whom = Question(keys=[str(next(bench.records))], values={"why": "periodic"})
        batch = enrolments.batches.begin(house.olivia, "care-review", whom)
        [lead] = enrolments.places.page(house.mona, enrolments.find("care-review"), limit=1).rows
        return {"workflow_id": "care-review", "enrolment_id": batch.id, "lead_id": lead.id}

    def imported() -> Scene:
        return {
            "import_id": import_batches.keep(house.olivia, "contact", io.BytesIO(b"name,stage\nZoe,\n")).id
        }

    def taken_out() -> Scene:
        enrolled()
        act = enrolments.take_out(house.mona, "care-review", enrolments.Those(), "A mistake.")
        return {"workflow_id": "care-review", "unenrolment_id": act.id}

    def broken() -> Scene:
        return {"workflow_id": "reminding", "incident_id": incident_of(house, str(next(bench.records)))}

    def webhook() -> Scene:
        made, _ = outgoing.add(house.ines, Wanted("https://events.example.com/handrail", ["run.completed"]))
        return {"webhook_id": made.id, "delivery_id": outgoing.send_test(house.ines, made.id).id}

    def absent() -> Scene:
        first = date(2027, 3, 1) + timedelta(
            days=3 * len(absences.absences_of(house.ines, house.tom.id))
        )  # no two at once
        made = absences.plan(
            house.ines,
            house.tom.id,
            first=first,
            last=first + timedelta(days=1),
            substitute="mona@fernwick.example",
        )
        return {"person_id": house.tom.id, "absence_id": made.id}

    def identity(of: Actor) -> str:
        account = identities.Account("https://login.example", new_id("sub"), of.email, of.name, "")
        with db.transaction() as connection:
            return identities.insert(connection, of, of.id, account)

    def secret() -> Scene:
        secret_settings.save(house.ines, "bank", "sk_live_9876543210", "api.bank.example")
        return {"secret": "bank"}

    def request_asked() -> Scene:
        wish = agent_requests.Wish(**REQUEST)
        return {"request_id": agent_requests.ask(house.olivia, wish)}

    def about_run() -> Scene:
        told = bench.run()
        return told | {"question_id": bench.send("askAboutRun", "olivia", told).get_json()["id"]}

    def mcp_server() -> Scene:
        connection_settings.register(house.ines, "files", url="https://mcp.example/mcp")
        return {"server": "files"}

    def connection() -> Scene:
        connection_settings.connect(
            house.ines, "stripe", "stripe", url="https://api.stripe.example", auth={}, secret="rk_98765432"
        )
        return {"connection": "stripe", "connector": "stripe"}

    def person() -> Scene:
        return bench.run(by="mona") | {"user": house.olivia.id}

    def work_moved() -> Scene:
        told = person()
        return {"items": [{"id": told["run_id"], "revision": told["revision"]}], "user": told["user"]}

    at, read = bench.run, ("olivia", bench.run)
    return {
        "getMe": ("stan", nothing),
        "getPerson": ("ines", lambda: {"person_id": house.tom.id}),
        "disconnectIdentity": ("stan", lambda: {"identity_id": identity(house.stan)}),
        "disconnectIdentityOf": (
            "ines",
            lambda: {"person_id": house.tom.id, "identity_id": identity(house.tom)},
        ),
        **dict.fromkeys(("listSecrets", "setSecret"), ("ines", nothing)),
        "removeSecret": ("ines", secret),
        **dict.fromkeys(("listMcpServers", "registerMcpServer"), ("ines", nothing)),
        "removeMcpServer": ("ines", mcp_server),
        **dict.fromkeys(("listConnections", "connect", "listConnectors", "setConnector"), ("ines", nothing)),
        **dict.fromkeys(("testConnection", "removeConnection", "testConnector"), ("ines", connection)),
        "askPeople": ("olivia", nothing),
        **dict.fromkeys(("askAboutRun", "listQuestionsAboutRun"), ("olivia", bench.run)),
        "getQuestionAboutRun": ("olivia", about_run),
        "getRequest": ("olivia", request_asked),
        **dict.fromkeys(("listAbsences", "planAbsence", "takeBackAbsence"), ("ines", absent)),
        **dict.fromkeys(
            (
                "listCollections",
                "getCollection",
                "findRecords",
                "getRecord",
                "changeRecord",
                "listTags",
                "addTag",
                "removeTag",
            ),
            ("olivia", nothing),
        ),
        **dict.fromkeys(("listNotes", "addNote"), ("olivia", nothing)),
        "findNotes": ("ada", nothing),
        "removeNote": ("olivia", lambda: {"note_id": bench.send("addNote", "olivia", {}).get_json()["id"]}),
        "addRecord": ("tom", nothing),
        "deleteRecord": ("tom", lambda: {"key": "79"}),
        "startRun": ("olivia", nothing),
        **dict.fromkeys(("findRuns", "findExecutions", "listIncidents", "getMetrics"), ("olivia", nothing)),
        **dict.fromkeys(("listAlerts", "addAlert", "setDueTime", "setInboxDueTime"), ("mona", nothing)),
        **dict.fromkeys(("getDueTime", "removeDueTime", "removeInboxDueTime"), ("mona", timed)),
        **dict.fromkeys(("changeAlert", "removeAlert"), ("mona", alerted)),
        "askBuilder": ("mona", nothing),
        "getBuilderTurn": (
            "mona",
            lambda: {"turn_id": bench.send("askBuilder", "mona", {}).get_json()["id"]},
        ),
        **dict.fromkeys(("retryIncident", "closeIncident"), ("mona", broken)),
        "createAccount": ("ines", nothing),
        **dict.fromkeys(
            (
                "getRun",
                "getCaseFile",
                "previewAbort",
                "listRunEvents",
                "replayRun",
                "saveRun",
                "releaseRun",
                "escalateRun",
                "abortRun",
                "saveDraft",
                "lookAgain",
            ),
            read,
        ),
        "previewRevise": ("olivia", lambda: back(bench)),
        "completeStep": ("olivia", lambda: at("decide")),
        "reviseRun": ("olivia", lambda: at("rate")),
        "resumeRun": ("olivia", saved),
        **dict.fromkeys(("rerun", "retryRun"), ("olivia", over)),
        "takeOverRun": ("mona", bench.run),
        "cancelRun": ("mona", bench.run),
        "assignRun": ("mona", person),
        **dict.fromkeys(("findApprovals",), ("mona", nothing)),
        **dict.fromkeys(
            ("getApproval", "getApprovalQuestions", "askAboutApproval", "approve", "reject"), ("mona", asked)
        ),
        "replyAboutApproval": ("olivia", questioned),
        **dict.fromkeys(("fileReport", "revealValue"), ("stan", nothing)),
        **dict.fromkeys(("getExport", "getExportFile"), ("olivia", exported)),
        "exportRecords": ("olivia", nothing),
        "getWorkspace": ("olivia", built),
        "listWorkspaces": ("olivia", nothing),
        "listInboxes": ("olivia", nothing),
        "listTickets": ("olivia", nothing),
        "takeNextTicket": ("olivia", escalated),
        "snoozeRun": ("olivia", snoozed),
        **dict.fromkeys(("listWork", "listWorkMoves"), ("mona", nothing)),
        "moveWork": ("mona", work_moved),
        "takeTicket": ("olivia", escalated),
        "assignTickets": ("mona", escalated),
        "unassignTickets": ("mona", escalated),
        "findAiCalls": ("ada", nothing),
        "getRunChecks": ("olivia", checked),
        "sendFile": ("olivia", file),
        "getFile": ("olivia", kept),
        "getFileContent": ("olivia", kept),
        **dict.fromkeys(("enrol", "enrolLeads", "listLeads", "countWorkflow"), ("olivia", nothing)),
        **dict.fromkeys(
            ("getEnrolment", "listEnrolmentRows", "cancelEnrolment", "getLead"), ("olivia", enrolled)
        ),
        "importContacts": ("olivia", nothing),
        **dict.fromkeys(("getContactImport", "listContactImportRows"), ("olivia", imported)),
        "unenrol": ("mona", enrolled),
        "unenrolMany": ("mona", nothing),
        "getUnenrolment": ("mona", taken_out),
        **dict.fromkeys(("findEvents", "exportEvents", "getCheckpoint", "getCheckpointKey"), ("ada", sealed)),
        "listTriggers": ("mona", nothing),
        "listMessages": ("ines", nothing),
        **dict.fromkeys(
            ("listChannels", "setSmsGateway", "readContactRules", "setContactRules"), ("ines", nothing)
        ),
        **dict.fromkeys(("listWebhooks", "addWebhook"), ("ines", nothing)),
        **dict.fromkeys(
            ("getWebhook", "changeWebhook", "removeWebhook", "renewSecretOfWebhook", "testWebhook"),
            ("ines", webhook),
        ),
        **dict.fromkeys(("listDeliveries", "redeliver"), ("ines", webhook)),
        "createTrigger": ("mona", draft),
        "switchTrigger": ("mona", hooked),
        "rotateWebhook": ("mona", nothing),
        "renewWebhookSecret": ("mona", nothing),
        "createWorkflow": ("mona", nothing),
        **dict.fromkeys(
            (
                "listWorkflows",
                "getWorkflow",
                "getDefinition",
                "listVersions",
                "getVersion",
                "getConfiguration",
            ),
            ("olivia", nothing),
        ),
        **dict.fromkeys(("previewActivation", "previewCancellation"), ("mona", nothing)),
        **dict.fromkeys(("duplicateWorkflow", "dryRunWorkflow", "tryOnContacts"), ("mona", nothing)),
        "deleteWorkflow": ("mona", draft),
        **dict.fromkeys(
            (
                "changeWorkflow",
                "changeConfiguration",
                "activateWorkflow",
                "pauseWorkflow",
                "archiveWorkflow",
                "publishWorkflow",
                "getDraft",
                "changeDraft",
            ),
            ("mona", published),
        ),
        **dict.fromkeys(("previewPublishing", "askToPublish"), ("mona", edited)),
        "listPublishingReviews": ("mona", nothing),
        **dict.fromkeys(("getPublishingReview", "approvePublishing", "askForChanges"), ("mona", reviewed)),
        "withdrawPublishing": ("tom", reviewed),
        "moveRuns": ("mona", movable),
        "getMove": ("mona", moved),
        **dict.fromkeys(("readLeadConsents", "setLeadConsents"), ("ines", published)),
        "createNode": ("mona", draft),
        "createEdge": ("mona", noded),
        **dict.fromkeys(
            ("listNodes", "getNode", "changeNode", "deleteNode"),
            ("mona", lambda: noded() | {"node_id": "node_wait"}),
        ),
        **dict.fromkeys(
            ("listEdges", "getEdge", "changeEdge", "deleteEdge"),
            ("mona", lambda: noded() | {"edge_id": "edge_start-default", "target": "node_converted"}),
        ),
        "undoDraft": ("mona", edited),
        "redoDraft": ("mona", lambda: edited(undone=True)),
        **dict.fromkeys(("completeWorkflow", "cancelWorkflow"), ("mona", published)),
        "putDefinition": ("mona", lambda: {"workflow_id": draft()["workflow_id"]}),
    }


def incident_of(house: Company, record: str) -> str:
    """An open incident with a failed run on this record."""
    failed(house, record)
    sequencing.catch_up()
    monitoring.read_log()
    return incidents.open_incidents(house.mona)[0].cause


def back(bench: Bench) -> Scene:
    """A run in which the decision was taken already, and another is asked for."""
    told = bench.run("decide")
    run = bench.house.told(told["run_id"])
    runs.complete(
        bench.house.olivia,
        told["run_id"],
        runs.Submission(step="decide", revision=run["revision"], values={}, outcome="again"),
    )
    return told


def test_every_example_is_answered_as_it_says(web: Flask, house: Company) -> None:
    bench = Bench(web, house)
    table = scenes(bench)
    assert set(table) | FAR == set(bench.calls)
    faults = []
    for name, (who, scene) in table.items():
        made = scene()
        if name == "putDefinition":
            made |= {"slug": workflows.entry(house.mona, made["workflow_id"]).slug}
        faults += bench.check(name, who, made)
    assert faults == []
