"""Webhooks: the order of their answers, keys and signatures, the same delivery twice; the page and the calls of triggers."""

import base64
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from standardwebhooks import Webhook

from console import runs, workflows
from console.auth import accounts
from console.automation import enrolments
from console.infra.db.engine import fetch, transaction
from tests import traces
from tests.company import Company
from tests.conftest import web_app
from tests.support.engine import step
from tests.views.conftest import Pages

ROBOT = "robot@fernwick.test"
FIELDS = [{"name": "why", "label": "Why", "type": "text", "required": True}]
STEPS = [
    step("start", "start", "read") | {"config": {"fields": FIELDS}},
    step("read", "guidance", "end", {"text": "Read."}),
    step("end", "end", None),
]
HOOKS = [
    {"id": "plain", "kind": "webhook", "enabled": True},
    {
        "id": "signed",
        "kind": "webhook",
        "enabled": True,
        "signed": True,
        "input": {"why": "input.data.reason"},
        "filter": "input.type == 'order'",
    },
    {"id": "closed", "kind": "webhook"},
    {"id": "night", "kind": "schedule", "cron": "0 2 * * *", "zone": "Europe/Vilnius"},
]


@pytest.fixture
def client(company: Company) -> FlaskClient:
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    head = {
        "format": 1,
        "slug": "call-in",
        "title": "Call in",
        "team": "operations",
        "run_as": ROBOT,
        "settings": {},
    }
    workflows.import_file(head | {"steps": STEPS, "triggers": HOOKS}, publish=True)
    about = head | {
        "slug": "about-one",
        "title": "About one",
        "collection": "customer",
        "steps": STEPS,
        "triggers": [HOOKS[0]],
    }
    workflows.import_file({name: value for name, value in about.items() if name != "run_as"}, publish=True)
    return web_app().test_client()


def key(company: Company, who: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {accounts.create_key('test', company.people[who].id).text}"}


def listed(
    client: FlaskClient, company: Company, slug: str = "call-in", who: str = "mona"
) -> dict[str, dict[str, Any]]:
    answer = client.get(f"/api/v1/workflows/{slug}/triggers", headers=key(company, who))
    assert answer.status_code == 200, answer.json
    return {each["id"]: each for each in answer.get_json()["data"]}


def address(client: FlaskClient, company: Company, ident: str, slug: str = "call-in") -> str:
    url: str = listed(client, company, slug)[ident]["url"]
    return "/hooks/" + url.rpartition("/")[2]


def test_the_answers_come_in_the_order_of_the_table(client: FlaskClient, company: Company) -> None:
    url, mona = address(client, company, "plain"), key(company, "mona")
    good = {"why": "it rang"}
    wrong = {"Authorization": f"Bearer cns_{'0' * 26}_{'0' * 64}"}
    told = [
        client.post(address(client, company, "closed")),
        client.post("/hooks/never-existed"),
        client.post(url, json=good),
        client.post(url, json=good, headers=wrong),
        client.post(url, data="why=x", headers=mona),
        client.post(
            url, data=b'{"why": "' + b"x" * 1_100_000 + b'"}', headers=mona, content_type="application/json"
        ),
        client.post(url, data=b"[1]", headers=mona, content_type="application/json"),
        client.post(
            url,
            data=b'{"words of his own": 1, "words of his own": 2}',
            headers=key(company, "stan"),
            content_type="application/json",
        ),
        client.post(url, json={"wy": "x"}, headers=mona),
        client.post(url, json=good, headers=mona),
    ]
    assert [answer.status_code for answer in told] == [404, 400, 401, 401, 415, 413, 400, 403, 422, 202]
    assert all(answer.is_json for answer in told)
    assert {detail["field"] for detail in told[8].get_json()["details"]} == {"input.why", "input.wy"}
    refused = [
        each["why"] for each in listed(client, company)["plain"]["last"] if each["status"] == "refused"
    ]
    assert [
        why
        for why in refused
        if why.startswith("The input is wrong. Wy: There is no such field in this form. Why: ")
    ], refused
    assert [
        why
        for why in refused
        if why.startswith("The sender's key is missing")
        and why.endswith("So it went with 2 deliveries within the hour.")
    ], refused
    assert not [why for why in refused if "words of his own" in why], (
        "whoever may start nothing fills nothing"
    )
    assert {
        "The body is not a JSON object.",
        "The owner of the sender's key may not start this workflow.",
    } < set(refused)
    assert [each["why"] for each in listed(client, company)["closed"]["last"]] == [
        "It was off, or the workflow was not active."
    ]
    run_id = told[-1].get_json()["runId"]
    assert told[-1].json == {"runId": run_id, "duplicate": False}
    seen = runs.get(company.mona, run_id).json
    assert (seen["trigger"]["id"], seen["trigger"]["kind"], seen["holder"]) == ("plain", "webhook", None)


def test_a_live_run_on_the_record_and_the_same_delivery_twice(client: FlaskClient, company: Company) -> None:
    url = address(client, company, "plain", "about-one")
    mona = key(company, "mona")
    body = {"record": 1, "why": "it rang"}
    first = client.post(url, json=body, headers=mona | {"X-Idempotency-Key": "a"})
    again = client.post(url, json=body, headers=mona | {"X-Idempotency-Key": "a"})
    other = client.post(url, json=body | {"why": "else"}, headers=mona | {"X-Idempotency-Key": "a"})
    live = client.post(url, json=body, headers=mona)
    assert (first.status_code, again.status_code, other.status_code, live.status_code) == (202, 202, 422, 409)
    assert again.json == {"runId": first.get_json()["runId"], "duplicate": True}
    assert (live.get_json()["code"], live.get_json()["runId"]) == ("run_is_live", first.get_json()["runId"])
    assert client.post(url, json={"why": "x"}, headers=mona).status_code == 422
    assert [each["why"] is None for each in listed(client, company, "about-one")["plain"]["last"]].count(
        True
    ) == 1
    assert fetch("select count(*) from /* every run */ console.run where trigger = 'webhook'")[0][0] == 1


def test_what_is_sent_only_to_find_the_record_or_for_the_filter_is_no_input(
    client: FlaskClient, company: Company
) -> None:
    hook = {
        "id": "plain",
        "kind": "webhook",
        "enabled": True,
        "record": "input.customer_no",
        "filter": "input.type == 'call'",
    }
    about = {
        "format": 1,
        "slug": "found",
        "title": "Found",
        "team": "operations",
        "collection": "customer",
        "steps": STEPS,
    }
    workflows.import_file(about | {"triggers": [hook]}, publish=True)
    url, mona = address(client, company, "plain", "found"), key(company, "mona")
    body = {"customer_no": 1, "type": "call", "why": "it rang"}
    begun = client.post(url, json=body, headers=mona)
    assert begun.status_code == 202, begun.json
    assert runs.get(company.mona, begun.get_json()["runId"]).json["record"] == "1"
    assert client.post(url, json=body | {"type": "fax"}, headers=mona).json == {
        "runId": None,
        "duplicate": False,
    }
    strange = client.post(url, json=body | {"customer_no": 2, "colour": "red"}, headers=mona)
    assert [detail["field"] for detail in strange.get_json()["details"]] == ["input.colour"]


def test_a_start_by_webhook_has_its_place_in_a_workflow_that_says_how_one_leaves_it(
    client: FlaskClient, company: Company
) -> None:
    about = {
        "format": 1,
        "slug": "placed",
        "title": "Placed",
        "team": "operations",
        "collection": "customer",
        "run_as": ROBOT,
    }
    rules = {"reenrol": "never", "exits": [{"if": "record.risk == 'high'", "reason": "High risk"}]}
    workflows.import_file(about | rules | {"steps": STEPS, "triggers": [HOOKS[0]]}, publish=True)
    url, mona = address(client, company, "plain", "placed"), key(company, "mona")
    body = {"record": "1", "why": "it rang"}
    first = client.post(url, json=body, headers=mona | {"X-Idempotency-Key": "a"})
    assert first.status_code == 202, first.json
    run_id = first.get_json()["runId"]
    told = runs.get(company.mona, run_id).json
    assert (told["trigger"]["id"], told["trigger"]["kind"]) == ("plain", "webhook")
    [lead] = enrolments.places.page(company.mona, enrolments.find("placed")).rows
    assert (lead.run, lead.status, lead.origin, lead.trigger) == (run_id, "active", "webhook", "plain")
    again = client.post(url, json=body, headers=mona | {"X-Idempotency-Key": "a"})
    assert again.json == {"runId": run_id, "duplicate": True}
    inside = client.post(url, json=body, headers=mona)
    assert (inside.status_code, inside.get_json()["code"], inside.get_json()["runId"]) == (
        409,
        "already_enrolled",
        run_id,
    )
    enrolments.unenrol(company.mona, "placed", lead.id, "Enough.")
    assert runs.get(company.mona, run_id).json["status"] == "cancelled"
    never = client.post(url, json=body, headers=mona)
    assert (never.status_code, never.get_json()["code"]) == (409, "not_again")
    wrong = client.post(url, json={"record": "2"}, headers=mona)
    assert (wrong.status_code, [each["field"] for each in wrong.get_json()["details"]]) == (
        422,
        ["input.why"],
    )
    strange = client.post(url, json={"record": "2", "why": "x", "colour": "red"}, headers=mona)
    assert strange.status_code == 422
    gone = client.post(url, json={"record": "99", "why": "x"}, headers=mona)
    assert (gone.status_code, [each["field"] for each in gone.get_json()["details"]]) == (422, ["record"]), (
        gone.json
    )
    assert all(told.get_json().get("outcome") != "done" for told in (gone, wrong, strange, never, inside))
    company.sql("update customer set risk = 'high' where id = 3")
    high = client.post(url, json={"record": "3", "why": "x"}, headers=mona)
    assert (high.status_code, high.get_json()["code"]) == (409, "exited")
    assert client.post(url, json={"record": "2", "why": "x"}, headers=mona).status_code == 202, (
        "what was refused does not bar"
    )


def test_whose_key_it_is_sees_the_record_although_an_account_runs_the_workflow(
    client: FlaskClient, company: Company
) -> None:
    """Tom sees no corporate customer: number 3 is one, number 99 nobody."""
    for slug, more in (("simple", {}), ("placed", {"reenrol": "never"})):
        about = {
            "format": 1,
            "slug": slug,
            "title": slug,
            "team": "operations",
            "collection": "customer",
            "run_as": ROBOT,
        }
        workflows.import_file(about | more | {"steps": STEPS, "triggers": [HOOKS[0]]}, publish=True)
        url, tom = address(client, company, "plain", slug), key(company, "tom")
        told = [
            client.post(url, json={"record": record, "why": "it rang"}, headers=tom) for record in ("3", "99")
        ]
        assert [answer.status_code for answer in told] == [422, 422]
        assert told[0].json == told[1].json
        assert client.post(url, json={"record": "2", "why": "it rang"}, headers=tom).status_code == 202


def test_a_lead_by_webhook_is_in_a_workflow_once_and_leaves_it_by_its_exits(
    client: FlaskClient, company: Company
) -> None:
    fields = [{"name": name, "label": name.capitalize(), "type": "text"} for name in ("phone", "why")]
    about = {
        "format": 1,
        "slug": "leads",
        "title": "Leads",
        "team": "operations",
        "run_as": ROBOT,
        "reenrol": "after_end",
    }
    steps = [step("start", "start", "read") | {"config": {"fields": fields}}, *STEPS[1:]]
    exits = [{"if": "input.why == 'stop'", "reason": "Stop"}]
    workflows.import_file(about | {"steps": steps, "exits": exits, "triggers": [HOOKS[0]]}, publish=True)
    url, mona = address(client, company, "plain", "leads"), key(company, "mona")
    first = client.post(url, json={"phone": "+370 600 00001", "why": "a"}, headers=mona)
    assert first.status_code == 202, first.json
    again = client.post(url, json={"phone": "+370-600-00001", "why": "b"}, headers=mona)
    assert (again.status_code, again.get_json()["code"], again.get_json()["runId"]) == (
        409,
        "already_enrolled",
        first.get_json()["runId"],
    )
    assert (
        client.post(url, json={"phone": "+370 600 00002", "why": "stop"}, headers=mona).get_json()["code"]
        == "exited"
    )
    [lead] = enrolments.places.page(company.mona, enrolments.find("leads")).rows
    assert (lead.run, dict(lead.values)["phone"]) == (first.get_json()["runId"], "+370 600 00001")


def test_a_start_by_call_has_its_place_too_and_tells_nothing_of_who_is_out_of_sight(
    client: FlaskClient, company: Company
) -> None:
    about = {
        "format": 1,
        "slug": "placed",
        "title": "Placed",
        "team": "operations",
        "collection": "customer",
        "run_as": ROBOT,
    }
    workflows.import_file(about | {"reenrol": "never", "steps": STEPS}, publish=True)
    keys = {who: key(company, who) for who in ("olivia", "tom", "stan")}

    def start(who: str, record: str, **more: str) -> Any:
        body = {"workflow": "placed", "collection": "customer", "record": record, "input": {"why": "x"}}
        return client.post("/api/v1/runs", json=body, headers=keys[who] | more)

    first = start("olivia", "3", **{"X-Idempotency-Key": "a-key-of-mine"})
    assert first.status_code == 201, first.json
    run_id = first.get_json()["id"]
    [lead] = enrolments.places.page(company.mona, enrolments.find("placed")).rows
    assert (lead.run, lead.status, lead.origin, lead.entered_by) == (
        run_id,
        "active",
        "api",
        company.olivia.id,
    )
    assert start("olivia", "3", **{"X-Idempotency-Key": "a-key-of-mine"}).get_json()["id"] == run_id
    assert (start("olivia", "3").status_code, start("olivia", "3").get_json()["code"]) == (
        409,
        "already_enrolled",
    )
    assert start("tom", "3").status_code == start("tom", "99").status_code == 404, (
        "customer 3 is of another desk"
    )
    assert start("stan", "3").status_code == 404
    enrolments.unenrol(company.mona, "placed", lead.id, "Enough.")
    assert start("olivia", "3").get_json()["code"] == "not_again"
    assert start("tom", "3").status_code == 404


def test_what_a_refused_delivery_named_stands_in_no_table(client: FlaskClient, company: Company) -> None:
    """A program sends what it likes as a record and as a value; there is nobody yet under whose key it could be kept."""
    url, mona = address(client, company, "plain", "about-one"), key(company, "mona")
    sent = (
        {"record": "zqmarker@customers.example", "why": "x"},
        {"record": "1", "why": ["zqmarker"]},
        {"record": "1", "why": {"zqmarker": 1}},
    )
    assert {client.post(url, json=body, headers=mona).status_code for body in sent} == {422}
    with transaction() as connection:
        assert traces.in_tables(connection, "zqmarker") == []
    assert [each["status"] for each in listed(client, company, "about-one")["plain"]["last"]] == [
        "refused"
    ] * 3


def test_a_signed_delivery_is_known_by_its_secret_and_taken_once(
    client: FlaskClient, company: Company
) -> None:
    url = address(client, company, "signed")
    made = client.post(
        "/api/v1/workflows/call-in/triggers/signed/secret", json={}, headers=key(company, "mona")
    )
    secret = made.get_json()["secret"]
    raw = '{"type": "order", "data": {"reason": "paid"}}'

    def sent(ident: str, body: str = raw, at: datetime | None = None, by: str = secret) -> Any:
        at = at or datetime.now(UTC)
        headers = {
            "webhook-id": ident,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(by).sign(ident, at, body),
        }
        return client.post(url, data=body, headers=headers, content_type="application/json")

    first, again = sent("msg_1"), sent("msg_1")
    assert (first.status_code, again.json) == (202, {"runId": first.get_json()["runId"], "duplicate": True})
    assert sent("msg_2", raw.replace("order", "else")).json == {"runId": None, "duplicate": False}
    forged = base64.b64encode(b"x" * 24).decode()
    assert [
        sent("msg_3", at=datetime.now(UTC) - timedelta(minutes=6)).status_code,
        sent("msg_4", by=forged).status_code,
    ] == [401, 401]
    assert (
        client.post(url, data=raw, content_type="application/json", headers=key(company, "mona")).status_code
        == 401
    )
    garbage = {
        "webhook-id": "m",
        "webhook-timestamp": str(int(datetime.now(UTC).timestamp())),
        "webhook-signature": "nonsense",
    }
    assert client.post(url, data=b"{}", content_type="application/json", headers=garbage).status_code == 401
    bytes_only = client.post(url, data=b"\xff", content_type="application/json", headers=garbage)
    assert (bytes_only.status_code, "not in UTF-8" in bytes_only.get_json()["message"]) == (400, True)
    odd = client.post(
        url, data=raw, content_type="application/json", headers=garbage | {"webhook-id": "café"}
    )
    assert (odd.status_code, "webhook-id has characters beyond ASCII" in odd.get_json()["message"]) == (
        401,
        True,
    )
    counts = listed(client, company)["signed"]
    assert (counts["matched"], counts["passed"]) == (2, 1), (
        "what its filter does not let pass has come all the same"
    )
    away = {each["why"] for each in counts["last"] if each["status"] == "refused"}
    assert {why.partition(" So ")[0] for why in away} >= {
        "The signature does not fit: message timestamp too old. It was signed more than five minutes ago: an old delivery that was sent again, or a sender whose clock is behind.",
        "The signature does not fit: no matching signature found. Enter the sender's own secret on the page of the triggers; if it is there, something has changed the body on the way.",
    }
    assert fetch(
        "select input from /* every run */ console.run where id = %s", (first.get_json()["runId"],)
    ) == [({"why": "paid"},)]


def test_switches_and_addresses_are_changed_by_who_may(client: FlaskClient, company: Company) -> None:
    lead, place = key(company, "mona"), "/api/v1/workflows/call-in/triggers"
    old = address(client, company, "plain")
    assert client.post(f"{place}/plain/rotate", json={}, headers=key(company, "olivia")).status_code == 403
    assert client.post(f"{place}/plain/rotate", json={}, headers=key(company, "stan")).status_code in (
        403,
        404,
    )
    new = client.post(f"{place}/plain/rotate", json={}, headers=lead).get_json()["url"].rpartition("/")[2]
    mona = key(company, "mona")
    assert client.post(old, json={"why": "x"}, headers=mona).status_code == 400
    assert client.post(f"/hooks/{new}", json={"why": "x"}, headers=mona).status_code == 202
    assert (
        client.patch(f"{place}/plain", json={"enabled": False}, headers=lead).get_json()["enabled"] is False
    )
    assert client.post(f"/hooks/{new}", json={"why": "x"}, headers=mona).status_code == 404
    workflows.import_file(
        workflows.live("call-in").document.to_json() | {"description": "Again"}, publish=True
    )
    assert listed(client, company)["plain"]["enabled"] is False
    assert "url" not in listed(client, company, who="olivia")["plain"]
    changes = fetch(
        "select convert_from(body, 'UTF8')::jsonb->'data'->'open'->>'change' from console.event where body like '%%trigger_changed%%' order by id"
    )
    assert [row[0] for row in changes] == ["address", "off"]


def test_a_webhook_that_is_added_by_call_works_at_once_and_stands_in_the_draft(
    client: FlaskClient, company: Company
) -> None:
    lead, place = key(company, "mona"), "/api/v1/workflows/call-in/triggers"
    made = client.post(place, json={"kind": "webhook", "enabled": True}, headers=lead)
    assert (made.status_code, made.get_json()["id"][:4], made.get_json()["enabled"]) == (201, "trg_", True)
    path = "/hooks/" + made.get_json()["url"].rpartition("/")[2]
    assert client.post(path, json={"why": "x"}, headers=key(company, "mona")).status_code == 202
    assert workflows.definition(company.mona, "call-in")["triggers"][-1]["id"] == made.get_json()["id"]
    wrong = client.post(place, json={"kind": "schedule", "cron": "61 * * * *"}, headers=lead)
    assert (wrong.status_code, wrong.get_json()["details"][0]["field"]) == (422, "triggers[5].cron")
    assert client.post(place, json={"kind": "webhook", "enabled": "yes"}, headers=lead).status_code == 422
    assert client.post(place, json={"kind": "webhook"}, headers=key(company, "olivia")).status_code == 403


@pytest.mark.skipif(
    shutil.which("openssl") is None or shutil.which("bash") is None,
    reason="the example is for a shell with openssl",
)
def test_the_example_of_the_page_calls_the_webhook_as_it_is_printed(
    client: FlaskClient, pages: Pages
) -> None:
    address(client, pages.company, "plain")
    page = pages.mona.get("/workflows/call-in/triggers")
    made = pages.mona.send(page, "/workflows/call-in/triggers/signed/secret", status=200)
    secret = next(
        told["value"] for told in made.with_attribute("readonly") if told.get("id") == "hook-secret"
    )
    printed = unescape(made.html.split('id="trigger-signed-call"')[1].split(">", 1)[1].split("</pre>")[0])
    assert '{"type": "…", "data": {"reason": "…"}}' in printed
    filled = printed.replace('"type": "…"', '"type": "order"').replace("…", "a program asks")
    script = f"SECRET={secret}\ncurl() {{ printf '%s\\n' \"$@\"; }}\n{filled}"
    told = subprocess.run(
        ["bash", "-c", script], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    headers = dict(line.split(": ", 1) for line in told if ": " in line and not line.startswith("{"))
    [url], [body] = (
        [line for line in told if line.startswith("http")],
        [line for line in told if line.startswith("{")],
    )
    answer = client.post(f"/hooks/{url.rpartition('/')[2]}", data=body, headers=headers)
    assert (answer.status_code, bool(answer.get_json()["runId"])) == (202, True)
    assert "Authorization: Bearer $KEY" in unescape(made.html)


def test_the_record_is_found_by_what_the_sender_knows(client: FlaskClient, company: Company) -> None:
    """By an e-mail address however it is written. None or two with it: nothing starts, and the trigger's page says why, without the address."""
    by_mail = {
        "id": "plain",
        "kind": "webhook",
        "enabled": True,
        "record": "input.data.mail",
        "find_by": "email",
    }
    head = {
        "format": 1,
        "slug": "by-mail",
        "title": "By mail",
        "team": "operations",
        "collection": "customer",
    }
    workflows.import_file(
        head | {"steps": [step("start", "start", "end"), step("end", "end", None)], "triggers": [by_mail]},
        publish=True,
    )
    url, mona = address(client, company, "plain", "by-mail"), key(company, "mona")

    def sent(mail: Any) -> Any:
        return client.post(url, json={"data": {"mail": mail}}, headers=mona)

    taken = sent("Adaeze@CUSTOMERS.example")
    assert taken.status_code == 202, taken.json
    assert company.told(taken.get_json()["runId"], "mona")["record"] == "1"
    company.sql("update customer set email = 'tore@customers.example' where id = 4")
    for mail, why in (
        ("nobody@post.example", "No customer has the Email that was sent"),
        ("tore@customers.example", "More than one customer has the Email"),
        (None, "was not sent"),
        ({"at": 1}, "was not sent as a text, but as an object"),
        (["a"], "as a list"),
        (True, "yes or no"),
        (7, "No customer has"),
        ("a\x00b", "was not sent"),
    ):
        away = sent(mail)
        assert (away.status_code, away.get_json()["details"][0]["field"]) == (422, "record")
        assert why in away.get_json()["message"]
        said = listed(client, company, "by-mail")["plain"]["last"][0]["why"]
        assert said.partition(" So ")[0] == away.get_json()["message"], "the reason once"
        assert why in said
        assert "@" not in said
    shown = listed(client, company, "by-mail")["plain"]
    assert shown["matched"] == 1, "what started nothing is not taken in"
    assert (
        sum("So it went with 2 deliveries within the hour." in (each["why"] or "") for each in shown["last"])
        == 2
    ), "alike ones are one line"
    company.sql("update customer set email = 'sole@customers.example' where id = 3")
    several = client.post(
        url, json=[{"data": {"mail": f"{mail}@customers.example"}} for mail in ("sole", "tore")], headers=mona
    )
    assert (several.status_code, [bool(each["runId"]) for each in several.get_json()["runs"]]) == (
        202,
        [True, False],
    )
    assert "More than one customer has the Email" in several.get_json()["runs"][1]["message"]
