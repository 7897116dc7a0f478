"""Webhook senders that nobody here wrote, over a real connection: packed, cut, doubled, late and in other alphabets."""

import base64
import gzip
import hmac
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

from console import accounts, automation, enrolments, runs, workflows
from console.automation import kept_deliveries
from console.db.engine import fetch
from console.errors import Invalid
from tests.company import Company
from tests.conftest import web_app
from tests.support.engine import step

if TYPE_CHECKING:
    from tests.views.conftest import Pages

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
        answer = web_app().test_client().get(f"/api/v1/workflows/{slug}/triggers", headers={"Authorization": f"Bearer {self.key}"})
        return next("/hooks/" + str(each["url"]).rpartition("/")[2] for each in answer.get_json()["data"] if each["id"] == ident)

    def send(self, path: str, body: bytes | Iterable[bytes], chunked: bool = False, kind: str = "application/json", **headers: Any) -> Told:
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
    kept_deliveries.lately.clear()  # a rush before is none of theirs
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    head = {"format": 1, "slug": "call-in", "title": "Call in", "team": "operations", "run_as": ROBOT, "settings": {}}
    workflows.import_file(head | {"steps": STEPS, "triggers": [PLAIN, SIGNED]}, publish=True)
    about = head | {"slug": "placed", "title": "Placed", "collection": "customer", "reenrol": "after_end", "steps": STEPS}
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


def test_a_packed_body_is_refused_by_what_it_is_and_not_taken_for_broken_text(sender: Sender) -> None:
    packed = sender.send(sender.path("plain"), gzip.compress(GOOD), Content_Encoding="gzip")
    assert (packed.status, "without Content-Encoding" in packed.message) == (415, True)
    assert sender.send(sender.path("plain"), GOOD, Content_Encoding="identity").status == 202


def test_a_byte_order_mark_before_the_json_is_passed_over(sender: Sender) -> None:
    assert sender.send(sender.path("plain"), b"\xef\xbb\xbf" + GOOD).status == 202
    assert begun() == [{"why": "it rang"}]


def test_a_body_in_pieces_is_put_together_and_one_that_is_too_large_is_called_so(sender: Sender) -> None:
    assert sender.send(sender.path("plain"), iter([b'{"why":', b' "it ', b'rang"}']), chunked=True).status == 202
    huge = sender.send(sender.path("plain"), iter([b'{"why": "', *[b"x" * 100_000] * 50, b'"}']), chunked=True)
    assert (huge.status, huge.body["code"]) == (413, "too_large")
    assert begun() == [{"why": "it rang"}]
    assert turned_away() == ["The body is larger than 1 MB."]


def test_a_form_with_files_and_text_without_a_type_are_told_what_is_wanted(sender: Sender) -> None:
    path = sender.path("plain")
    told = [
        sender.send(path, b"why=x", kind="multipart/form-data; boundary=x"),
        sender.send(path, GOOD, kind="text/plain"),
        sender.send(path, '{"why": "é"}'.encode("latin-1"), kind="application/json; charset=iso-8859-1"),
        sender.send(path, '{"why": "x"}'.encode("utf-16"), kind="application/json; charset=utf-16"),
    ]
    assert {(each.status, each.message.partition(".")[0]) for each in told} == {
        (415, "Send JSON in UTF-8, with the header Content-Type: application/json")
    }
    assert sender.send(path, GOOD, kind='application/cloudevents+json; charset="UTF-8"').status == 202
    wanted = "Send JSON in UTF-8, with the header Content-Type: application/json."
    assert turned_away() == [
        f"{wanted} It came as a form with files.",
        f"{wanted} It came as plain text.",
        f"{wanted} So it went with 2 deliveries within the hour.",
    ]


def test_bytes_that_are_not_the_character_set_they_claim_start_nothing(sender: Sender) -> None:
    told = sender.send(sender.path("plain"), '{"why": "é"}'.encode("latin-1"))
    assert (told.status, told.message) == (400, "The body is not in UTF-8: byte 10 is of no character.")
    half = sender.send(sender.path("plain"), b'{"why": "cut \\ud83d"}')
    assert (half.status, half.message.startswith("why: Half of a character")) == (400, True)
    assert begun() == []


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
    many = sender.send(sender.path("plain"), json.dumps({f"k{number}": 1 for number in range(50_000)}).encode())
    assert (many.status, len(many.body["details"])) == (422, 100)
    assert begun() == []


def test_a_name_that_cannot_be_stored_is_named_to_the_sender_and_to_nobody_later(sender: Sender) -> None:
    told = sender.send(sender.path("plain"), b'{"why": "a", "x\\u0000y": 1}')
    assert (told.status, told.message) == (400, "A name in the body has a NUL character, which cannot be stored: remove it.")
    record = sender.send(sender.path("plain", "placed"), b'{"record": "1\\u0000", "why": "a"}')
    assert record.status in (404, 422), record


def test_letters_of_every_alphabet_arrive_as_they_were_sent(sender: Sender) -> None:
    words = ["Žąsinų gatvė", "😀 ok", "اتصل", "\u202eright to left"]
    for word in words:
        assert sender.send(sender.path("plain"), json.dumps({"why": word}, ensure_ascii=False).encode()).status == 202
    assert [each["why"] for each in begun()] == words


@pytest.mark.slow
def test_twenty_retries_at_one_moment_are_one_run(sender: Sender) -> None:
    path = sender.path("plain")
    with ThreadPoolExecutor(10) as pool:
        told = list(pool.map(lambda _: sender.send(path, GOOD, X_Idempotency_Key="delivery-1"), range(20)))
    assert {each.status for each in told} == {202}
    assert len({each.body["runId"] for each in told}) == len(begun()) == 1
    assert [each.body["duplicate"] for each in told].count(False) == 1


@pytest.mark.slow
def test_one_delivery_id_with_two_bodies_at_one_moment_is_refused_to_one_of_them(sender: Sender) -> None:
    path = sender.path("plain")
    bodies = [json.dumps({"why": str(number)}).encode() for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda body: sender.send(path, body, X_Idempotency_Key="delivery-1"), bodies))
    assert sorted(each.status for each in told) == [202] + [422] * 11
    assert {each.body["code"] for each in told if each.status == 422} == {"idempotency_mismatch"}
    assert len(begun()) == 1


def test_the_header_that_other_programs_know_keeps_a_delivery_single_too(sender: Sender) -> None:
    path = sender.path("plain")
    first, again = (sender.send(path, GOOD, Idempotency_Key="order-1") for _ in range(2))
    assert (first.body["duplicate"], again.body) == (False, {"runId": first.body["runId"], "duplicate": True})


def test_the_same_header_counts_for_every_call(sender: Sender) -> None:
    body = json.dumps({"workflow": "call-in", "input": {"why": "once"}}).encode()
    first, again = (sender.send("/api/v1/runs", body, Idempotency_Key="order-1") for _ in range(2))
    assert (first.status, again.body["id"]) == (201, first.body["id"])
    assert len(begun()) == 1


@pytest.mark.slow
def test_retries_at_one_moment_give_a_record_one_run_and_one_place(sender: Sender) -> None:
    path, body = sender.path("plain", "placed"), b'{"record": "1", "why": "x"}'
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: sender.send(path, body, X_Idempotency_Key="one"), range(16)))
    assert {each.status for each in told} == {202}, told
    [lead] = enrolments.places.page(sender.company.mona, enrolments.find("placed")).rows
    assert {each.body["runId"] for each in told} == {lead.run}


@pytest.mark.slow
def test_deliveries_about_one_record_at_one_moment_are_one_run_and_the_others_are_told_which(sender: Sender) -> None:
    path, body = sender.path("plain", "placed"), b'{"record": "1", "why": "x"}'
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda number: sender.send(path, body, X_Idempotency_Key=f"k{number}"), range(16)))
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


def test_a_start_by_hand_that_dies_leaves_no_run_without_a_place(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
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
        self.secret = str(automation.renew_secret(sender.company.mona, "call-in", "signed").secret)

    def send(self, ident: str, body: bytes = PAID, late: timedelta = timedelta(), names: str = "webhook-{}", before: str = "") -> Told:
        """Deliver a signed body; `late` is how far behind the sender's clock is, `before` a signature by an older secret."""
        at = datetime.now(UTC) - late
        signature = before + Webhook(self.secret).sign(ident, at, body.decode())
        told: dict[str, Any] = {"id": ident, "timestamp": str(int(at.timestamp())), "signature": signature}
        headers: dict[str, Any] = {names.format(name): value for name, value in told.items()}
        return self.sender.send(self.path, body, **headers)


@pytest.fixture
def signer(sender: Sender) -> Signer:
    return Signer(sender)


def test_the_names_of_headers_may_be_in_any_letters(signer: Signer) -> None:
    assert [signer.send(names, names=names).status for names in ("WEBHOOK-{}", "Webhook-{}", "wEbHoOk-{}", "svix-{}")] == [202] * 4


def test_a_sender_may_sign_with_a_secret_of_its_own(signer: Signer) -> None:
    own = "whsec_" + base64.b64encode(bytes(range(20))).decode()
    made = automation.renew_secret(signer.sender.company.mona, "call-in", "signed", f" v1,{own}\n")
    assert made.secret is None, "what somebody else made is not shown again"
    before, signer.secret = signer.secret, own
    assert signer.send("own").status == 202
    signer.secret = before
    assert signer.send("ours").status == 401
    for wrong in ("whsec_", "whsec_c2hvcnQ=", "too short", own + "ü", "two words of a secret", "whsec_" + "A" * 400):
        with pytest.raises(Invalid, match="no signing secret"):
            automation.renew_secret(signer.sender.company.mona, "call-in", "signed", wrong)


def test_who_signs_as_github_stripe_or_shopify_is_taken_once_and_never_for_another_body(signer: Signer) -> None:
    secret = "shpss_0123456789abcdef"
    automation.renew_secret(signer.sender.company.mona, "call-in", "signed", secret)

    def signed(text: bytes, by: str = secret) -> bytes:
        return hmac.digest(by.encode(), text, "sha256")

    def stripe(body: bytes, late_s: int = 0) -> str:
        time = str(int(datetime.now(UTC).timestamp()) - late_s)
        return f"t={time},v1={'0' * 64},v1={signed(time.encode() + b'.' + body).hex()}"

    def sent(body: bytes, **headers: Any) -> Told:
        return signer.sender.send(signer.path, body, **headers)

    bodies = [json.dumps({"data": {"reason": str(number)}}).encode() for number in range(3)]
    ways = [
        {"X_Hub_Signature_256": f"sha256={signed(bodies[0]).hex()}", "X_GitHub_Delivery": "1"},
        {"Stripe_Signature": stripe(bodies[1])},
        {"X_Shopify_Hmac_Sha256": base64.b64encode(signed(bodies[2])).decode(), "X_Shopify_Webhook_Id": "2"},
    ]
    first = [sent(body, **way) for body, way in zip(bodies, ways, strict=True)]
    assert [told.status for told in first] == [202] * 3, first
    again = [sent(body, **way | {"X_GitHub_Delivery": "other"}) for body, way in zip(bodies, ways, strict=True)]
    assert again[0].body["runId"] != first[0].body["runId"], "another id is another delivery"
    assert [told.body for told in again[1:]] == [{"runId": told.body["runId"], "duplicate": True} for told in first[1:]]
    refused = [sent(PAID, **way) for way in ways]
    refused += [sent(PAID, Stripe_Signature=stripe(PAID, late_s=late)) for late in (600, -600)]
    refused += [sent(PAID, Stripe_Signature=given) for given in ("", "t=,v1=", "v1=" + signed(PAID).hex(), "t=9é")]
    refused += [sent(PAID, X_Hub_Signature_256=signed(PAID, "another secret of 16").hex()), sent(PAID)]
    assert {told.status for told in refused} == {401}
    assert "too old" in refused[3].message and "too new" in refused[4].message  # noqa: PT018
    assert refused[-1].message.startswith("There is no signature that this webhook takes")
    assert "A key opens nothing here" in refused[-1].message
    assert [each["why"] for each in begun()] == ["0", "1", "2", "0"]


def test_a_clock_that_is_ten_minutes_off_is_told_which_way(signer: Signer) -> None:
    behind, ahead = signer.send("m1", late=timedelta(minutes=10)), signer.send("m2", late=timedelta(minutes=-10))
    assert (behind.status, ahead.status) == (401, 401)
    assert ("too old" in behind.message, "too new" in ahead.message) == (True, True)
    assert [signer.send(f"near{minutes}", late=timedelta(minutes=minutes)).status for minutes in (-4, 4)] == [202, 202]


def test_while_secrets_are_changed_one_of_several_signatures_is_enough(signer: Signer) -> None:
    old = Webhook("whsec_" + "A" * 32).sign("m1", datetime.now(UTC), PAID.decode())
    assert signer.send("m1", before=f"{old} ").status == 202


def test_a_signed_delivery_id_with_another_body_is_refused_by_its_own_name(signer: Signer) -> None:
    assert signer.send("m1").status == 202
    other = signer.send("m1", b'{"data": {"reason": "else"}}')
    assert (other.status, [each["field"] for each in other.body["details"]]) == (422, ["webhook-id"])
    assert begun() == [{"why": "paid"}]
    assert [why.partition(".")[0] for why in turned_away()] == ["This delivery id was used for another body"]


def test_a_signed_body_with_a_byte_order_mark_is_verified_as_it_came(signer: Signer) -> None:
    assert signer.send("m1", b"\xef\xbb\xbf" + PAID).status == 202
    assert begun() == [{"why": "paid"}]


def test_an_empty_list_signed_well_is_told_to_be_an_object(signer: Signer) -> None:
    told = signer.send("m1", b"[]")
    assert (told.status, told.message) == (400, "The body is not a JSON object.")


def test_a_sender_that_signs_where_a_key_is_wanted_is_told_which_webhook_it_is_and_what_to_change(sender: Sender) -> None:
    for way in ("X-Hub-Signature-256", "webhook-signature"):
        signature: dict[str, Any] = {"Authorization": "", way: "sha256=00"}
        told = sender.send(sender.path("plain"), GOOD, **signature)
        words = (
            f"The webhook plain takes a key, and this is signed ({way}). In the editor of the workflow, switch “Signed by the sender” on and publish; "
            "then enter the sender's secret on the page of the triggers. Or let the sender send the header Authorization: Bearer with a key."
        )
        assert (told.status, told.message) == (401, words)
    assert [why.partition(",")[0] for why in turned_away()] == ["The webhook plain takes a key"] * 2
    assert sender.send(sender.path("plain"), b" ").message == "The body is empty: send a JSON object. Nothing was started."


def test_of_what_a_sender_signs_in_its_own_words_only_what_is_asked_for_counts_and_the_page_says_what_is_missing(
    sender: Sender, pages: "Pages"
) -> None:
    steps = [STEPS[0] | {"config": {"fields": [FIELDS[0] | {"required": False}]}}, *STEPS[1:]]
    head = {"format": 1, "title": "Told", "team": "operations", "run_as": ROBOT, "settings": {}}
    bare = {"id": "bare", "kind": "webhook", "enabled": True, "signed": True}
    for slug, own in (("loose", steps), ("strict", STEPS)):
        workflows.import_file(head | {"slug": slug, "steps": own, "triggers": [bare, bare | {"id": "other"}]}, publish=True)
        page = pages.mona.get(f"/workflows/{slug}/triggers").text
        assert "When another program calls an address: other" in page
        assert page.count("It has no secret yet, so it refuses everybody.") == 2
        automation.renew_secret(sender.company.mona, slug, "bare", SECRET)
        assert ("Nothing says where in what is sent “Why” stands" in pages.mona.get(f"/workflows/{slug}/triggers").text) == (
            slug == "strict"
        )
    body = b'{"action": "opened", "record": {"x": 1}, "data": {}}'
    sign: dict[str, Any] = {"X_Hub_Signature_256": f"sha256={hmac.digest(SECRET.encode(), body, 'sha256').hex()}"}
    told = [sender.send(sender.path("bare", slug), body, **sign) for slug in ("loose", "strict")]
    assert [(each.status, [one["field"] for one in each.body.get("details", ())]) for each in told] == [(202, []), (422, ["input.why"])]
    assert begun("loose") == [{"why": None}]
    whsec = str(automation.renew_secret(sender.company.mona, "loose", "bare").secret)
    moment = datetime.now(UTC)
    named: dict[str, Any] = {
        "webhook_id": "e1",
        "webhook_timestamp": str(int(moment.timestamp())),
        "webhook_signature": Webhook(whsec).sign("e1", moment, '{"whhy": "x"}'),
    }
    own_program = sender.send(sender.path("bare", "loose"), b'{"whhy": "x"}', **named)
    assert (own_program.status, own_program.body["unused"]) == (202, ["whhy"]), "a program of one's own is told of what is misspelt"
    assert "unused" not in told[0].body, "other services write what they like"
    assert "Sent, and not asked for by the start: whhy." in pages.mona.get("/workflows/loose/triggers").text
