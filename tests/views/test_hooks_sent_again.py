"""What counts as the same delivery sent again: an event with an id for as long as firings are kept, a mere body for an hour."""

import json
from typing import Any

import pytest

from console import workflows
from console.automation import triggers
from console.infra.db.engine import fetch
from tests.tables import cases
from tests.views.test_hooks_odd_senders import (
    PAID,
    ROBOT,
    SIGNED,
    STEPS,
    Sender,
    Signer,
    Told,
    begun,
    sender,
    signer,
    turned_away,
)
from tests.views.test_hooks_signing_senders import SECRET, mac, own, seconds

__all__ = ["own", "sender", "signer"]

pytestmark = pytest.mark.lengthy


def sent(own: Signer, body: bytes = PAID, **headers: Any) -> Told:
    told = own.sender.send(own.path, body, X_Hub_Signature_256=f"sha256={mac(body).hex()}", **headers)
    assert told.status == 202, told.message
    return told


def later(minutes: int) -> None:
    """Let time go by for what has been sent."""
    fetch("update console.firing set at = at - %s * interval '1 minute' returning 1", (minutes,))


def test_two_equal_events_hours_apart_are_two_and_the_page_says_why_one_soon_after_is_none(
    own: Signer,
) -> None:
    first = sent(own)
    later(59)
    again = sent(own)
    assert again.body == {"runId": first.body["runId"], "duplicate": True}
    (why,) = turned_away()
    assert why.startswith(
        "The same body came again within an hour, without an id of the event: it counts as sent twice"
    )
    for count in (2, 3, 4):
        later(2 if count == 2 else 24 * 60)
        one, other = sent(own), sent(own)
        assert (one.body["duplicate"], other.body) == (False, {"runId": one.body["runId"], "duplicate": True})
        assert len(begun()) == count


def of_stripe(own: Signer, body: bytes) -> Told:
    at = seconds()
    told = own.sender.send(
        own.path, body, Stripe_Signature=f"t={at},v1={mac(at.encode() + b'.' + body).hex()}"
    )
    assert told.status == 202, told.message
    return told


@cases("by", ["header", "body"])
def test_an_event_with_an_id_is_taken_once_however_late_it_is_sent_again(own: Signer, by: str) -> None:
    def send(ident: str) -> Told:
        body = json.dumps({"data": {"reason": "paid"}, **({"id": ident} if by == "body" else {})}).encode()
        return sent(own, body, X_GitHub_Delivery=ident) if by == "header" else of_stripe(own, body)

    first, other = send("evt_1"), send("evt_2")
    count = len(begun())
    assert other.body["duplicate"] is False
    later(20 * 24 * 60)
    for ident, told in (("evt_1", first), ("evt_2", other)):
        assert send(ident).body == {"runId": told.body["runId"], "duplicate": True}
    assert (len(begun()), turned_away()) == (count, [])


@cases("minutes", [1, 3 * 60, 20 * 24 * 60])
def test_equal_bodies_with_ids_of_their_own_are_two_events_whenever_they_come(
    own: Signer, minutes: int
) -> None:
    first = sent(own, X_GitHub_Delivery=f"ev-1 {minutes}")
    count = len(begun())
    later(minutes)
    second = sent(own, X_GitHub_Delivery=f"ev-2 {minutes}")
    assert (second.body["duplicate"], len(begun())) == (False, count + 1)
    later(minutes)
    for run, event in ((first, f"ev-1 {minutes}"), (second, f"ev-2 {minutes}")):
        assert sent(own, X_GitHub_Delivery=event).body == {"runId": run.body["runId"], "duplicate": True}
    assert turned_away() == []


def test_a_body_that_comes_again_without_its_id_counts_as_sent_twice_for_an_hour(own: Signer) -> None:
    first = sent(own, X_GitHub_Delivery="72d3162e")
    later(59)
    assert sent(own).body == {"runId": first.body["runId"], "duplicate": True}
    later(2)
    assert sent(own).body["duplicate"] is False


def test_the_id_of_a_thing_is_none_of_an_event(own: Signer) -> None:
    body = b'{"id": "door-1", "data": {"reason": "opened"}}'
    sent(own, body)
    later(24 * 60)
    assert sent(own, body).body["duplicate"] is False
    assert len(begun()) == 2


def test_a_day_later_the_same_object_of_a_list_is_another_event_unless_it_has_an_id(own: Signer) -> None:
    body = b'[{"data": {"reason": "opened"}}, {"id": "evt_7", "data": {"reason": "closed"}}]'
    of_stripe(own, body)
    later(24 * 60)
    assert [each["duplicate"] for each in of_stripe(own, body).body["runs"]] == [False, True]


def test_an_id_that_is_signed_is_the_delivery_s_and_another_body_under_it_is_refused(own: Signer) -> None:
    how = {"header": "X-Sig", "signed": "{id}.{body}", "id": "X-Id"}
    head = {
        "format": 1,
        "slug": "own",
        "title": "Own",
        "team": "operations",
        "run_as": ROBOT,
        "settings": {},
        "steps": STEPS,
    }
    workflows.import_file(head | {"triggers": [SIGNED | {"signature": how}]}, publish=True)
    triggers.renew_secret(own.sender.company.mona, "own", "signed", SECRET)
    path = own.sender.path("signed", "own")

    def send(ident: str, body: bytes, signed: str = "") -> Told:
        return own.sender.send(path, body, X_Id=ident, X_Sig=mac(f"{signed or ident}.".encode() + body).hex())

    first = send("7", PAID)
    later(20 * 24 * 60)
    assert send("7", PAID).body == {"runId": first.body["runId"], "duplicate": True}
    assert (send("8", PAID).body["duplicate"], send("9", PAID, signed="7").status) == (False, 401)
    assert send("7", b'{"data": {"reason": "else"}}').body["code"] == "idempotency_mismatch"
    by_another = own.sender.send(path, PAID, X_Hub_Signature_256=f"sha256={mac(PAID).hex()}")
    assert (by_another.status, "The header X-Sig is missing" in by_another.message) == (401, True)


def test_an_idempotency_key_holds_as_long_as_firings_are_kept(sender: Sender) -> None:
    path, body = sender.path("plain"), b'{"why": "it rang"}'
    first = sender.send(path, body, X_Idempotency_Key="ring-1")
    later(20 * 24 * 60)
    assert sender.send(path, body, X_Idempotency_Key="ring-1").body == {
        "runId": first.body["runId"],
        "duplicate": True,
    }
    assert turned_away() == []
