"""The rules of the house for reaching people, as JSON: hours by kind and day, and caps."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from pydantic import Field

from console.automation import enrolments
from console.core.contact_rules import document_of
from console.core.contacting import LAW, Rules
from console.log import body as canonical
from console.messaging.messages import address_consents, rules
from console.views.api.operation import Example, Sent, operation, read
from console.views.api.shapes import ContactRules, LeadConsents

blueprint = Blueprint("api_contact_hours", __name__, url_prefix="/api/v1/contact-rules")


class NewCap(Sent):
    """A cap: kinds are email, sms and call."""

    kinds: list[str]
    most: int = Field(description="1 to 100")
    hours: int = Field(description="1 to 2160, which is 90 days")


class NewRules(Sent):
    """All rules at once. `version` is that which was read: 409 `overtaken` where somebody saved in between."""

    version: int = Field(ge=0, le=2_147_483_646)
    hours: dict[str, dict[str, list[str] | None]] = Field(
        description='By kind (email, sms, call, chat) and day (mon to sun): ["08:00", "20:00"], null for closed. A kind that is not named leaves at any hour'
    )
    caps: list[NewCap] = Field(description="At most 10; an empty list for none")
    chat_zone: str = Field("UTC", max_length=100, description="By whose clocks chat messages leave")


class NewBasis(Sent):
    """On which legal basis leads that bring no consent are reached."""

    basis: str = Field(description="In words, such as: contract, Art. 6(1)(b) GDPR")


class NewLeadConsents(Sent):
    """What is confirmed for the leads of a workflow; a channel that is not named needs a consent of the lead."""

    consent: dict[str, NewBasis] = Field(description="By channel: email, sms, call, ai_call")


@blueprint.get("")
@operation("readContactRules", "source.manage", ContactRules, refuses=(403,), example=Example())
def shown() -> ResponseReturnValue:
    """At which hours messages of each kind may leave, and how many reach one person over all workflows. The law's hours hold beside."""
    rules.require(g.actor)
    return _shown()


@blueprint.put("")
@operation(
    "setContactRules",
    "source.manage",
    ContactRules,
    body=NewRules,
    example=Example(
        body={"version": 0, "hours": {}, "caps": [{"kinds": ["email", "sms"], "most": 3, "hours": 168}]}
    ),
)
def put() -> ResponseReturnValue:
    """Replace the rules. Messages that wait are judged by them within seconds. 409 `overtaken` where somebody saved since; 422 with a detail per field."""
    sent = read(NewRules)
    document = sent.model_dump(mode="json", exclude={"version"})
    rules.save(g.actor, document, base=sent.version)
    return _shown()


ONE = {"workflow_id": "kyc-review"}


@blueprint.get("/workflows/<workflow_id>")
@operation("readLeadConsents", "source.manage", LeadConsents, refuses=(403,), example=Example(ONE))
def lead_consents(workflow_id: str) -> ResponseReturnValue:
    """On which legal basis a workflow reaches leads without a record that bring no consent of their own."""
    target = enrolments.require_target(g.actor, workflow_id)
    rules.require(g.actor)
    return _of_leads(address_consents.defaults(target.id))


@blueprint.put("/workflows/<workflow_id>")
@operation(
    "setLeadConsents",
    "source.manage",
    LeadConsents,
    body=NewLeadConsents,
    example=Example(ONE, body={"consent": {}}),
)
def set_lead_consents(workflow_id: str) -> ResponseReturnValue:
    """Confirm it, in place of what was confirmed. What was taken back by anybody counts more. 422 with a detail per channel."""
    target = enrolments.require_target(g.actor, workflow_id)
    rules.require(g.actor)
    wanted = {channel: told.basis for channel, told in read(NewLeadConsents).consent.items()}
    return _of_leads(address_consents.set_defaults(g.actor, target.id, target.slug, wanted))


def _of_leads(defaults: Sequence[address_consents.Default]) -> dict[str, Any]:
    told = {
        each.channel: {
            "basis": each.basis,
            "confirmed_by": each.by,
            "confirmed_at": canonical.moment(each.at),
        }
        for each in defaults
    }
    return {"consent": told}


def _shown() -> dict[str, Any]:
    newest = rules.newest()
    law = document_of(Rules({kind: window for (_, kind), window in LAW.items()}))["hours"]
    return {
        "version": newest.version,
        "changed_by": newest.by or None,
        "changed_at": canonical.moment(newest.at) if newest.at else None,
        **document_of(newest.rules),
        "law": {country: {kind: law[kind]} for country, kind in LAW},
    }
