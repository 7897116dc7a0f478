"""Whom a workflow's messages can reach, of those who would be enrolled: how many by each channel, and why the others not. Nothing is written or sent."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self, TypeAlias

from console import log, records
from console.core import expressions
from console.core.contacting import CAMPAIGN, KINDS, Consent, Outgoing, Rules, Skip, Verdict, WaitUntil, judge
from console.core.documents.fields import OWN_INPUT
from console.core.documents.workflow import Workflow
from console.core.policy import rules
from console.core.scopes import unrestricted
from console.formats.times import moment_of
from console.messaging.messages import (
    contact_trials,
    message_reasons,
    message_rows,
    recipients,
    rules as kept_rules,
)
from console.messaging.messages.address_consents import Given
from console.messaging.messages.opting_out import ADDRESS
from console.steps.base import StepView
from console.steps.message_settings import seconds_of

MOST = 5_000
"""Contacts of one preview that are looked at; what holds for them is likely to hold for the others."""
AT_ONCE = 200
LONGEST_S = 5.0
ABOUT_CONSENT = frozenset({"consent_withdrawn", "no_consent", "do_not_contact"})


@dataclass(slots=True)
class ChannelReach:
    """One channel of the workflow: how many it reaches, how many of them only later (hours, caps; `over_cap` for the second), and why not the others, by reason."""

    channel: str
    reached: int = 0
    later: int = 0
    over_cap: int = 0
    why: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Reach:
    """What is known of those who were looked at. `unreached` are those whom no channel of the workflow reaches; `more`: others were not looked at."""

    looked: int = 0
    unreached: int = 0
    more: bool = False
    channels: dict[str, ChannelReach] = field(default_factory=dict)

    @classmethod
    def of_json(cls, stored: Mapping[str, Any] | None) -> Self:
        """The inverse of `to_json`."""
        if not stored:
            return cls()
        made = cls(stored["looked"], stored["unreached"], stored["more"])
        for each in stored["channels"]:
            why = Counter({reason["reason"]: reason["count"] for reason in each["why"]})
            made.channels[each["channel"]] = ChannelReach(
                each["channel"], each["reached"], each["later"], each.get("over_cap", 0), why
            )
        return made

    def to_json(self) -> dict[str, Any]:
        """REACH of the API."""
        channels = [
            {
                "channel": each.channel,
                "reached": each.reached,
                "later": each.later,
                "over_cap": each.over_cap,
                "why": [{"reason": reason, "count": count} for reason, count in each.why.most_common()],
            }
            for each in self.channels.values()
        ]
        return {"looked": self.looked, "unreached": self.unreached, "more": self.more, "channels": channels}


Lead: TypeAlias = tuple[Mapping[str, Any], Mapping[str, Consent]]
"""The values of somebody without a record, and what they agreed to by channel."""


def look(
    document: Workflow,
    keys: Sequence[str],
    before: Reach,
    leads: Sequence[Lead] = (),
    workflow: str | None = None,
) -> Reach:
    """What is known of `before` and of these records, or leads of this workflow with values alone, as far as `MOST` allows. Raises SourceDown, NotFound for an unknown collection."""
    views, room = _distinct(contact_trials.message_steps(document)), max(0, MOST - before.looked)
    if not views:
        return before
    before.more = before.more or len(keys) + len(leads) > room
    for view in views:
        before.channels.setdefault(_channel_of(view), ChannelReach(_channel_of(view)))
    for _, by_channel in _judged(document, views, keys[:room], leads[:room], workflow):
        before.looked += 1
        before.unreached += why_not(by_channel) is not None
        for channel, verdicts in by_channel.items():
            _count(before.channels[channel], verdicts)
    return before


@dataclass(frozen=True, slots=True)
class OverCap:
    """Of `looked` contacts, how many have had as many messages as the caps allow; `more`: there are others."""

    looked: int
    over: int
    more: bool


def over_cap(document: Workflow, keys: Sequence[str], *, more: bool = False) -> OverCap | None:
    """How many of these contacts a cap would hold back from a message of the workflow now; None where it has none. As many statements for each 200. Raises as `look`.

    It ends after `LONGEST_S`: `more` says then that there are others.
    """
    views, until = _distinct(contact_trials.message_steps(document)), time.monotonic() + LONGEST_S
    looked = over = 0
    for _, by_channel in _judged(document, views, keys, ()) if views else ():
        looked += 1
        over += any(
            getattr(each, "code", "") == "over_cap" for verdicts in by_channel.values() for each in verdicts
        )
        if time.monotonic() > until:
            more = more or looked < len(keys)
            break
    return OverCap(looked, over, more) if views else None


def refused_channels(document: Workflow, workflow: str, leads: Sequence[Lead]) -> list[list[dict[str, str]]]:
    """For each lead a reason for each channel of the workflow that does not reach them now."""
    views = _distinct(contact_trials.message_steps(document))
    if not views:
        return [[] for _ in leads]
    found = []
    for _, by_channel in _judged(document, views, (), leads, workflow):
        refused = {
            channel: each
            for channel, verdicts in by_channel.items()
            if isinstance(each := verdicts[0], Skip) and why_not({channel: verdicts})
        }
        found.append(
            [
                {
                    "field": f"consent.{channel}" if each.code in ABOUT_CONSENT else channel,
                    "reason": each.reason,
                }
                for channel, each in refused.items()
            ]
        )
    return found


def unreached(document: Workflow, keys: Sequence[str]) -> dict[str | int, str]:
    """Key of a record → why no message of the workflow would reach them now. Raises as `look`."""
    views = _distinct(contact_trials.message_steps(document))
    told = (
        [(who, why_not(by_channel)) for who, by_channel in _judged(document, views, keys, ())]
        if views
        else []
    )
    return {who: f"No message of this workflow reaches them. {why}" for who, why in told if why is not None}


def why_not(by_channel: Mapping[str, Sequence[Any]]) -> str | None:
    """Why no channel reaches somebody; None where one does."""
    verdicts = [each for of_channel in by_channel.values() for each in of_channel]
    refused = [each.reason for each in verdicts if isinstance(each, Skip)]
    return " ".join(dict.fromkeys(refused)) if len(refused) == len(verdicts) else None


def _judged(
    document: Workflow,
    views: Sequence[StepView],
    keys: Sequence[str],
    leads: Sequence[Lead],
    workflow: str | None = None,
) -> Iterator[tuple[str | int, Mapping[str, Sequence[Any]]]]:
    """(key of the record or number of the lead, verdicts by channel) for each that is there."""
    now, house = log.now(), kept_rules.current()
    known = rules(document, now).roots
    for start in range(0, len(leads), AT_ONCE):
        part_of_leads = leads[start : start + AT_ONCE]
        judged = [_of_leads(view, part_of_leads, workflow, {"now": now, **known}, house) for view in views]
        for number, verdicts in enumerate(zip(*judged, strict=True), start):
            yield number, _by_channel(views, verdicts)
    if document.collection is None:
        return
    collection = records.collection(document.collection)
    for start in range(0, len(keys), AT_ONCE):
        part = keys[start : start + AT_ONCE]
        values = {
            key: record.values
            for key, record in records.records_by_key(
                collection.id, part, unrestricted(collection.id), None
            ).items()
        }
        there = recipients.contacts_at(collection.id, part)
        used = message_rows.used_of_each(
            collection.id,
            {key: recipients.own_addresses(contact) for key, contact in there.items()},
            now - house.longest,
        )
        for key, contact in there.items():
            roots = {"record": collection.typed(values.get(key, {})), "now": now, **known}
            yield (
                key,
                _by_channel(
                    views,
                    [
                        contact_trials.verdict(
                            collection, view, contact, roots, used.get(key, ()), now, house
                        )
                        for view in views
                    ],
                ),
            )


def _by_channel(views: Sequence[StepView], verdicts: Sequence[Any]) -> Mapping[str, Sequence[Any]]:
    found: dict[str, list[Any]] = {}
    for view, verdict in zip(views, verdicts, strict=True):
        found.setdefault(_channel_of(view), []).append(verdict)
    return found


def _of_leads(
    view: StepView, leads: Sequence[Lead], workflow: str | None, roots: Mapping[str, Any], house: Rules
) -> list[Verdict | None]:
    """What the gate would say now to this step's message to each lead; None where only the run can tell its address."""
    kind, channel, now = contact_trials.kind_of(view), _channel_of(view), roots["now"]
    addresses = [_address_of_lead(view, {OWN_INPUT: dict(values), **roots}) for values, _ in leads]
    known = sorted({address for found in addresses if found is not None and (address := found[0])})
    contacts = recipients.contacts_by_address(
        kind.channel, known, workflow, keeps_consent=view.config.about == CAMPAIGN
    )
    used = message_rows.used_of_each(
        ADDRESS, {each.key: recipients.own_addresses(each) for each in contacts.values()}, now - house.longest
    )
    verdicts: list[Verdict | None] = []
    for found, (_, agreed) in zip(addresses, leads, strict=True):
        if found is None:
            verdicts.append(None)
            continue
        address, why = found
        outgoing = Outgoing(
            next(each for each in KINDS if each == kind.channel),
            kind.consent,
            now,
            timedelta(seconds=seconds_of(view.config.expires)),
            why,
            about=view.config.about,
        )
        contact = contacts.get(address)
        if contact is not None and channel in agreed:
            contact = recipients.agreeing(contact, channel, agreed[channel])
        verdicts.append(
            judge(
                outgoing,
                contact,
                recipients.zones_of(contact, address),
                used.get(contact.key, ()) if contact else (),
                now,
                house,
            )
        )
    return verdicts


def _address_of_lead(view: StepView, roots: Mapping[str, Any]) -> tuple[str, str] | None:
    """(address, why there is none) to which the step's message to a lead goes; None where only the run can tell."""
    named = expressions.parse(view.config.to) if view.config.to is not None else None
    if named is not None and any(path[0] not in roots for path in expressions.paths(named)):
        return None
    return recipients.address_of(
        contact_trials.kind_of(view).channel, str((named.evaluate(roots) if named else None) or ""), None
    )


def addresses_of_lead(document: Workflow | None, channel: str, values: Mapping[str, Any]) -> list[str]:
    """The addresses for which a lead's consent to the channel is: those that its steps go to, and `email` or `phone` of the values."""
    own = recipients.address_of(
        "email" if channel == "email" else "sms",
        str(values.get("email" if channel == "email" else "phone") or ""),
        None,
    )[0]
    now = log.now()
    roots = {
        OWN_INPUT: dict(values),
        "now": now,
        **(rules(document, now).roots if document is not None else {}),
    }
    views = (
        [view for view in contact_trials.message_steps(document) if _channel_of(view) == channel]
        if document is not None
        else []
    )
    named = [found[0] for view in views if (found := _address_of_lead(view, roots)) is not None]
    return [each for each in dict.fromkeys([own, *named]) if each]


def brought(
    document: Workflow | None, lead: str, values: Mapping[str, Any], consent: Mapping[str, Consent]
) -> list[Given]:
    """The consents of a lead, as they are kept for its addresses."""
    return [
        Given(lead, recipients.address_digest(address).hex(), channel, at, said.source or "")
        for channel, said in consent.items()
        if (at := moment_of(said.at)) is not None
        for address in addresses_of_lead(document, channel, values)
    ]


def _count(channel: ChannelReach, verdicts: Sequence[Any]) -> None:
    """Somebody is reached by a channel where one of its messages leaves, now or later."""
    leaving = [each for each in verdicts if not isinstance(each, Skip)]
    if not leaving:
        refused = verdicts[0]
        channel.why[message_reasons.of_many(refused.code, refused.reason)] += 1
        return
    channel.reached += 1
    waiting = [each.code for each in leaving if isinstance(each, WaitUntil)]
    channel.later += len(waiting) == len(leaving)
    channel.over_cap += waiting == ["over_cap"] * len(leaving)


def _channel_of(view: StepView) -> str:
    """`sms`, `email`, `call`, `ai_call`: what consent is kept by."""
    kind = contact_trials.kind_of(view)
    return kind.consent or kind.channel


def _distinct(views: Sequence[StepView]) -> list[StepView]:
    """One step for each channel and address: all others of them would be judged alike."""
    return list({(_channel_of(view), view.config.to): view for view in views}.values())
