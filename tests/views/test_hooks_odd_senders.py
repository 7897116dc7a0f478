"""Webhook senders over a real connection: in pieces, doubled at one moment, signed, and killed in between."""

import base64
import http.client
import json
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from standardwebhooks import Webhook
from werkzeug.serving import make_server

from console import runs, workflows
from console.auth import accounts
from console.automation import enrolments, triggers
from console.automation.webhooks import stored_deliveries
from console.core.errors import Invalid
from console.infra.db.engine import fetch
from tests.company import Company
from tests.conftest import web_app
from tests.support.engine import step

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.slow

SECRET = "shpss_0123456789abcdef"
ROBOT = "robot@fernwick.test"
FIELDS = [{"name": "why", "label": "Why", "type": "text", "required": True}]
STEPS = [
    step("start", "start", "read") | {"config": {"fields": FIELDS}},
    step("read", "guidance", "end", {"text": "Read."}),
    step("end", "end", None),
]
PLAIN = {"id": "plain", "kind": "webhook", "enabled": True}
SIGNED = PLAIN | {"id": "signed", "signed": True, "input": {"why": "input.data.reason"}}
GOOD = b'{"why": "it rang"}'
PAID = b'{"data": {"reason": "paid"}}'


@dataclass(frozen=True)
class Told:
    """An answer: its status, and its body as JSON."""

    status: int
    body: dict[str, Any]

    @property
    def message(self) -> str:
        return str(self.body.get("message"))


@dataclass(frozen=True)
class Sender:
    """Somebody else's program, over a connection of its own for each delivery."""

    company: Company
    port: int
    key: str

    def path(self, ident: str, slug: str = "call-in") -> str:
        """The secret address of a webhook."""
        answer = (
            web_app()
            .test_client()
            .get(f"/api/v1/workflows/{slug}/triggers", headers={"Authorization": f"Bearer {self.key}"})
        )
        return next(
            "/hooks/" + str(each["url"]).rpartition("/")[2]
            for each in answer.get_json()["data"]
            if each["id"] == ident
        )

    def send(
        self,
        path: str,
        body: bytes | Iterable[bytes],
        chunked: bool = False,
        kind: str = "application/json",
        **headers: Any,
    ) -> Told:
        """Deliver a body with our key."""
        named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
        more = {"Transfer-Encoding": "chunked"} if chunked else {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            wanted = {"Authorization": f"Bearer {self.key}", "Content-Type": kind, **more, **named}
            connection.request("POST", path, body=body, headers=wanted, encode_chunked=chunked)
            answer = connection.getresponse()
            return Told(answer.status, json.loads(answer.read()))
        finally:
            connection.close()


@contextmanager
def served() -> Iterator[int]:
    """The application behind a port, a thread for each delivery."""
    server = make_server("127.0.0.1", 0, web_app(), threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def sender(company: Company) -> Iterator[Sender]:
    stored_deliveries.lately.clear()  # a rush before is none of theirs
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    head = {
        "format": 1,
        "slug": "call-in",
        "title": "Call in",
        "team": "operations",
        "run_as": ROBOT,
        "settings": {},
    }
    workflows.import_file(head | {"steps": STEPS, "triggers": [PLAIN, SIGNED]}, publish=True)
    about = head | {
        "slug": "placed",
        "title": "Placed",
        "collection": "customer",
        "reenrol": "after_end",
        "steps": STEPS,
    }
    workflows.import_file(about | {"triggers": [PLAIN]}, publish=True)
    with served() as port:
        yield Sender(company, port, accounts.create_key("test", company.mona.id).text)


def begun(slug: str = "call-in") -> list[Any]:
    """The input of every run of the workflow, in order."""
    rows = fetch(
        "select r.input from /* every run */ console.run r join console.workflow w on w.id = r.workflow where w.slug = %s order by r.id",
        (slug,),
    )
    return [row[0] for row in rows]


def turned_away() -> list[str]:
    """Why deliveries started nothing, as the page of the triggers says it."""
    return [row[0] for row in fetch("select why from console.firing where status = 'refused' order by id")]


def test_a_body_in_pieces_is_put_together_and_one_that_is_too_large_is_called_so(sender: Sender) -> None:
    assert (
        sender.send(sender.path("plain"), iter([b'{"why":', b' "it ', b'rang"}']), chunked=True).status == 202
    )
    huge = sender.send(
        sender.path("plain"), iter([b'{"why": "', *[b"x" * 100_000] * 50, b'"}']), chunked=True
    )
    assert (huge.status, huge.body["code"]) == (413, "too_large")
    assert begun() == [{"why": "it rang"}]
    assert turned_away() == ["The body is larger than 1 MB."]


def test_what_json_allows_and_no_input_can_be_is_refused_and_never_our_fault(sender: Sender) -> None:
    bodies = {
        b'["why"]': 400,
        b'[{"why": "a"}, 1]': 400,
        b'[{"why": "a"}], "more": 1': 400,
        b"": 400,
        b"null": 400,
        b'"why"': 400,
        b'{"why": NaN}': 400,
        b'{"why": ' + b"9" * 5000 + b"}": 422,
        b'{"why": 1e400}': 422,
        b'{"why": null}': 422,
        b'{"why": {"a": []}}': 422,
        b'{"why": "a\\u0000b"}': 422,
        b'{"why": "a", "\\u0000": 1}': 400,
        b'{"why": "a", "\\ud800": 1}': 400,
        b'{"why": "a\\ud800b"}': 400,
        b'{"why": "a", "why": "b"}': 400,
        b'{"why": ' + b"[" * 50_000 + b"]" * 50_000 + b"}": 400,
        b'{"why": "x"} and more': 400,
    }
    told = {body: sender.send(sender.path("plain"), body).status for body in bodies}
    assert told == bodies
    twice = ",".join(f'"k{number % 60_000}": 1' for number in range(60_001))
    began = time.monotonic()
    assert sender.send(sender.path("plain"), f"{{{twice}}}".encode()).message == "The body names k0 twice."
    assert time.monotonic() - began < 5
    many = sender.send(
        sender.path("plain"), json.dumps({f"k{number}": 1 for number in range(50_000)}).encode()
    )
    assert (many.status, len(many.body["details"])) == (422, 100)
    assert begun() == []


def test_twenty_retries_at_one_moment_are_one_run(sender: Sender) -> None:
    path = sender.path("plain")
    with ThreadPoolExecutor(10) as pool:
        told = list(pool.map(lambda _: sender.send(path, GOOD, X_Idempotency_Key="delivery-1"), range(20)))
    assert {each.status for each in told} == {202}
    assert len({each.body["runId"] for each in told}) == len(begun()) == 1
    assert [each.body["duplicate"] for each in told].count(False) == 1


def test_one_delivery_id_with_two_bodies_at_one_moment_is_refused_to_one_of_them(sender: Sender) -> None:
    path = sender.path("plain")
    bodies = [json.dumps({"why": str(number)}).encode() for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda body: sender.send(path, body, X_Idempotency_Key="delivery-1"), bodies))
    assert sorted(each.status for each in told) == [202] + [422] * 11
    assert {each.body["code"] for each in told if each.status == 422} == {"idempotency_mismatch"}
    assert len(begun()) == 1


def test_retries_at_one_moment_give_a_record_one_run_and_one_place(sender: Sender) -> None:
    path, body = sender.path("plain", "placed"), b'{"record": "1", "why": "x"}'
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: sender.send(path, body, X_Idempotency_Key="one"), range(16)))
    assert {each.status for each in told} == {202}, told
    [lead] = enrolments.places.page(sender.company.mona, enrolments.find("placed")).rows
    assert {each.body["runId"] for each in told} == {lead.run}


def test_deliveries_about_one_record_at_one_moment_are_one_run_and_the_others_are_told_which(
    sender: Sender,
) -> None:
    path, body = sender.path("plain", "placed"), b'{"record": "1", "why": "x"}'
    with ThreadPoolExecutor(8) as pool:
        told = list(
            pool.map(lambda number: sender.send(path, body, X_Idempotency_Key=f"k{number}"), range(16))
        )
    assert sorted(each.status for each in told) == [202] + [409] * 15
    [lead] = enrolments.places.page(sender.company.mona, enrolments.find("placed")).rows
    assert {each.body["runId"] for each in told} == {lead.run}
    assert {each.body.get("code") for each in told if each.status == 409} == {"already_enrolled"}
    assert len(begun("placed")) == 1


@pytest.mark.parametrize("where", ["enrolments.at_once", "enrolments.admit", "log.write.after"])
def test_a_process_that_dies_over_a_start_leaves_the_run_with_its_place_or_neither(
    sender: Sender, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    path, body = sender.path("plain", "placed"), b'{"record": "1", "why": "x"}'
    monkeypatch.setenv("HANDRAIL_FAULT", f"{where}=raise")
    assert sender.send(path, body, X_Idempotency_Key="one").status == 500
    places = enrolments.places.page(sender.company.mona, enrolments.find("placed")).rows
    assert (len(begun("placed")), len(places)) == (0, 0)
    monkeypatch.delenv("HANDRAIL_FAULT")
    again = sender.send(path, body, X_Idempotency_Key="one")
    assert (again.status, again.body["duplicate"]) == (202, False)
    [lead] = enrolments.places.page(sender.company.mona, enrolments.find("placed")).rows
    assert lead.run == again.body["runId"]


def test_a_start_by_hand_that_dies_leaves_no_run_without_a_place(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    olivia = sender.company.olivia
    monkeypatch.setenv("HANDRAIL_FAULT", "enrolments.at_once=raise")
    with pytest.raises(RuntimeError):
        enrolments.start(olivia, "placed", "customer", "1", {"why": "x"})
    assert begun("placed") == []
    monkeypatch.delenv("HANDRAIL_FAULT")
    run_id = enrolments.start(olivia, "placed", "customer", "1", {"why": "x"})
    [lead] = enrolments.places.page(sender.company.mona, enrolments.find("placed")).rows
    assert (lead.run, lead.status, runs.get(olivia, run_id).json["record"]) == (run_id, "active", "1")


class Signer:
    """A sender that signs, with a clock of its own."""

    def __init__(self, sender: Sender) -> None:
        self.sender, self.path = sender, sender.path("signed")
        self.secret = str(triggers.renew_secret(sender.company.mona, "call-in", "signed").secret)

    def send(
        self,
        ident: str,
        body: bytes = PAID,
        late: timedelta = timedelta(),
        names: str = "webhook-{}",
        before: str = "",
    ) -> Told:
        """Deliver a signed body; `late` is how far behind the sender's clock is, `before` a signature by an older secret."""
        at = datetime.now(UTC) - late
        signature = before + Webhook(self.secret).sign(ident, at, body.decode())
        told: dict[str, Any] = {"id": ident, "timestamp": str(int(at.timestamp())), "signature": signature}
        headers: dict[str, Any] = {names.format(name): value for name, value in told.items()}
        return self.sender.send(self.path, body, **headers)


@pytest.fixture
def signer(sender: Sender) -> Signer:
    return Signer(sender)


def test_a_sender_may_sign_with_a_secret_of_its_own(signer: Signer) -> None:
    own = "whsec_" + base64.b64encode(bytes(range(20))).decode()
    made = triggers.renew_secret(signer.sender.company.mona, "call-in", "signed", f" v1,{own}\n")
    assert made.secret is None, "what somebody else made is not shown again"
    before, signer.secret = signer.secret, own
    assert signer.send("own").status == 202
    signer.secret = before
    assert signer.send("ours").status == 401
    for wrong in (
        "whsec_",
        "whsec_c2hvcnQ=",
        "too short",
        own + "ü",
        "two words of a secret",
        "whsec_" + "A" * 400,
    ):
        with pytest.raises(Invalid, match="no signing secret"):
            triggers.renew_secret(signer.sender.company.mona, "call-in", "signed", wrong)


def test_while_secrets_are_changed_one_of_several_signatures_is_enough(signer: Signer) -> None:
    old = Webhook("whsec_" + "A" * 32).sign("m1", datetime.now(UTC), PAID.decode())
    assert signer.send("m1", before=f"{old} ").status == 202


def test_a_signed_delivery_id_with_another_body_is_refused_by_its_own_name(signer: Signer) -> None:
    assert signer.send("m1").status == 202
    other = signer.send("m1", b'{"data": {"reason": "else"}}')
    assert (other.status, [each["field"] for each in other.body["details"]]) == (422, ["webhook-id"])
    assert begun() == [{"why": "paid"}]
    assert [why.partition(".")[0] for why in turned_away()] == ["This delivery id was used for another body"]
