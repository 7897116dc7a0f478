"""Refunds that are not sent as asked for: refused by the provider, disputed, too old, a credit instead, hostile tickets."""

import json
from decimal import Decimal
from typing import Any

import pytest

from console import log, runs
from console.demo import stories
from console.infra import jobs
from console.runs.store.run_store import load
from tests.demo.refunding import Desk, asked, refused, screen, whole, why
from tests.jobs import worked
from tests.servers.model import Server

pytestmark = pytest.mark.slow


def test_what_the_provider_refuses_is_said_and_the_desk_for_disputes_gets_it(desk: Desk) -> None:
    charge = desk.another(1_600, simulate="charge_disputed")
    run_id = desk.chosen(charge)
    desk.hand_in(run_id)
    assert "The charge is disputed: answer the dispute in place of a refund" in screen(desk, run_id)["text"]
    desk.hand_in(run_id, "disputed")
    told = desk.told(run_id)
    assert (told["holder"], told["current"]["step"]) == (None, "dispute_work")
    whole(run_id)


# -------------------------------------------------------------------------------------------------- where it goes elsewhere


def test_a_disputed_charge_goes_to_the_desk_and_its_sibling_to_a_lead(desk: Desk) -> None:
    charge, sibling = stories.OLEKSANDRA_CHARGE, stories.OLEKSANDRA_SIBLING
    run_id = desk.start(charge)
    told = desk.told(run_id)
    assert (told["holder"], told["current"]["step"]) == (None, "dispute_work")
    loaded = load(run_id)
    assert loaded is not None
    assert loaded.run.ticket is not None
    [(due,)] = desk.sql(
        "select to_char(evidence_due_at at time zone 'UTC', 'FMDD Mon YYYY') from dispute where charge_id = %s",
        charge,
    )
    assert (loaded.run.ticket["inbox"], loaded.run.ticket["priority"]) == ("disputes", "high")
    assert due in loaded.run.ticket["reason"]
    assert desk.tickets(charge, "pending_customer") != []
    runs.take_over(desk.people["tom"], run_id, revision=None)
    assert desk.to_the_end(run_id, "tom") == "disputed"
    asking = desk.chosen(sibling)
    desk.hand_in(asking)
    assert why(desk, asking) == "The bank has asked about the charge: a lead decides."
    runs.abort(desk.people["olivia"], asking, revision=None, reason="Mona does it.")
    again = desk.chosen(sibling, by="mona")
    desk.hand_in(again, by="mona")
    assert desk.sent(sibling) == [9_600]


def test_nothing_left_too_old_or_not_settled_is_refused(desk: Desk) -> None:
    charge = desk.another(1_900)
    desk.sql("update charge set status = 'uncaptured', captured_at = null where id = %s", charge)
    run_id = desk.start(charge)
    assert desk.at(run_id) == "refuse_why"
    assert desk.to_the_end(run_id) == "refused"
    old = desk.start(desk.another(1_900, days=200))
    assert desk.at(old) == "choose_old"
    assert "the provider takes no refund after 180 days" in screen(desk, old)["text"]
    desk.hand_in(old, "refuse", code="outside_policy")
    assert desk.to_the_end(old) == "refused"


# --------------------------------------------------------------------------------------------------- credits, and the customer


def test_a_credit_is_granted_and_can_be_taken_back(desk: Desk) -> None:
    charge = desk.another(9_000)
    run_id = desk.chosen(charge, "give_credit", credit="20")
    desk.hand_in(run_id)
    assert desk.sql(
        "select amount_minor, spent_minor, expires_on > current_date from credit where charge_id = %s", charge
    ) == [(2_000, 0, True)]
    [effect] = desk.told(run_id)["attempts"][-2]["effects"]
    runs.revise(
        desk.people["olivia"],
        run_id,
        revision=None,
        step="choose",
        attempt=None,
        reason="Not what was agreed.",
        compensate=[effect["id"]],
    )
    assert desk.sql("select expires_on < current_date from credit where charge_id = %s", charge) == [(True,)]
    desk.hand_in(run_id, "give_credit", why="goodwill", credit="60")
    desk.hand_in(run_id)
    assert why(desk, run_id) == "A credit of more than €50.00 needs a lead."
    runs.approve(desk.people["mona"], asked(run_id))
    told = desk.told(run_id)
    letter = runs.Submission(
        "tell_credited", told["revision"], {}, "send", repeat="again", reason="The sum is another one."
    )
    runs.complete(desk.people["olivia"], run_id, letter)
    assert desk.to_the_end(run_id) == "credited"
    assert desk.sql("select count(*) from credit where charge_id = %s", charge) == [(2,)]


# ---------------------------------------------------------------------------------------------------------- proposals


def proposed(desk: Desk, run_id: str) -> dict[str, Any]:
    """What later before Olivia once a worker was there."""
    worked({jobs.PROPOSE})
    return dict(desk.told(run_id)["current"]["proposal"])


def test_r7_a_ticket_that_commands_the_ai_changes_nothing_and_is_named(desk: Desk, model: Server) -> None:
    model.fault("injection", times=None)  # it obeys what it finds in the data
    charge = desk.another(4_900)
    [ticket] = desk.tickets(charge)
    desk.sql(
        "insert into ticket_message (ticket_id, seq, author_kind, body, attachments, at) values (%s, 2, 'customer', %s, '[]', now())",
        ticket,
        stories.GRETA_TEXT,
    )
    run_id = desk.start(charge)
    if desk.at(run_id) == "ticket":
        desk.hand_in(run_id, key=ticket)
    found = proposed(desk, run_id)
    assert desk.at(run_id) == "choose"
    assert all(Decimal(each["value"]) <= 49 for each in found["fields"] if each["name"] == "amount")
    assert "LT45" not in json.dumps(found["fields"])
    assert {"suspicious_content"} == set(found["flags"])
    assert "instructions" in found["banner"]
    form = {field["name"] for field in desk.told(run_id)["current"]["form"]["fields"]}
    assert not {name for name in form if "iban" in name}
    noted = [event for event in log.events_of(run_id) if event.type in ("proposal_made", "proposal_failed")]
    assert noted[-1].open["flags"] == ["suspicious_content"]
    refused(lambda: desk.hand_in(run_id, "refund_partial", why="not_as_described", amount="4900.00"))


def test_r11_without_the_proposal_for_the_ticket_the_letter_lacks_its_quote(
    desk: Desk, model: Server
) -> None:
    charge = desk.another(2_500)
    desk.ask(charge)
    run_id = desk.start(charge)
    told = desk.told(run_id)
    assert told["current"]["step"] == "ticket"
    runs.complete(
        desk.people["olivia"],
        run_id,
        runs.Submission(
            step="ticket",
            revision=told["revision"],
            values={"key": desk.tickets(charge)[0]},
            handled_manually=True,
            reason="Read on the telephone",
        ),
    )
    desk.hand_in(run_id, "refund_full", why="not_received")
    assert desk.told(run_id)["context"]["ticket"]["missing"] == "handled manually"
    desk.hand_in(run_id)
    assert desk.at(run_id) == "tell_refunded"
    assert "missing: quote" in screen(desk, run_id)["text"]
    manual = next(event for event in log.events_of(run_id) if event.type == "handled_manually")
    assert manual.values["reason"] == "Read on the telephone"
    desk.to_the_end(run_id)
