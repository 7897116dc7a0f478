"""Messages that are only thought through, judged by the rules that hold when they really leave: the contact's consent, hours and caps at that moment.

Everything is read once for all contacts. What the judged workflow would have sent counts for the caps, too. Nothing is written or sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from console import log, records
from console.auth import access
from console.core.actor import Actor
from console.core.contacting import (
    CAMPAIGN,
    KINDS,
    AskAgain,
    Contact,
    Outgoing,
    SendNow,
    Skip,
    Used,
    WaitUntil,
    judge,
)
from console.core.errors import NotFound
from console.core.run.simulation import Delivery, Held, Repeat
from console.core.scopes import Scope
from console.messaging.messages import contact_trials, message_reasons, message_rows, recipients, rules

MOST_WAITS = 100
REPEATED = (2, 10)
"""Of further messages to the same contact the ones that are said."""
DOTS = "••••"
"""What stands for an address that is shown to nobody before they ask for it."""
ABOUT_CONSENT = frozenset({"consent_withdrawn", "no_consent", "do_not_contact"})


@dataclass(slots=True)
class _Reached:
    """A contact, with what reached it lately and what this workflow would have sent."""

    contact: Contact | None
    used: list[Used] = field(default_factory=list)


class DeliveryGate:
    """The gate for dry runs of one tester. `title` is what the judged workflow is called where its own messages use a cap up."""

    def __init__(self, actor: Actor, title: str, workflow: str | None = None) -> None:
        self._workflow = workflow
        self._actor, self._title, self._rules = actor, title, rules.current()
        self._since = log.now() - self._rules.longest
        self._reached: dict[tuple[str | None, str | None], _Reached] = {}
        self._scopes: dict[str, Scope] = {}

    def deliver(
        self, about: tuple[str | None, str | None], message: Mapping[str, Any], now: datetime
    ) -> Delivery:
        """What becomes of the message. Raises SourceDown."""
        kind = next(each for each in KINDS if each == message["channel"])
        content: Mapping[str, Any] = message.get("content") or {}
        reached = self._reached_at(about) if kind != "chat" else _Reached(None)
        contact, collection = reached.contact, about[0]
        if kind != "chat" and collection is not None and contact is None:
            return Delivery(kind, "", None, "skipped", now, "record_gone", "The record is gone.")
        own = None if contact is None else contact.email if kind == "email" else contact.phone
        to, why = recipients.address_of(kind, content.get("to") or own, contact.country if contact else None)
        if kind != "chat" and collection is None and to:
            reached = self._reached_by(kind, to)
            contact = reached.contact
        country = recipients.country_of(contact, to) if to else None
        empty = contact_trials.empty_labels(collection, self._empty(collection, content))
        outgoing = Outgoing(
            kind,
            message.get("consent"),
            now,
            timedelta(seconds=int(message["expires_s"])),
            why,
            empty,
            message.get("about", CAMPAIGN),
        )
        judged = contact and replace(contact, country=country)
        zones = [self._rules.chat_zone] if kind == "chat" else recipients.zones_of(contact, to)
        told = self._judged(outgoing, judged, zones, reached.used)
        repeats = (
            self._repeats(outgoing, judged, zones, reached.used, told)
            if told.leaves and judged is not None
            else []
        )
        if told.leaves and not outgoing.is_case_mail:
            reached.used.append(Used(kind, told.at, self._title))
        name, address = self._shown(collection, contact, to, named=bool(content.get("to")), kind=kind)
        reason = (
            message_reasons.of_many(told.code, told.reason)
            if told.code in ABOUT_CONSENT and self._closed(collection)
            else told.reason
        )
        return replace(told, contact=name, to=address, reason=reason, repeats=repeats)

    def _judged(
        self, message: Outgoing, contact: Contact | None, zones: Sequence[str], used: Sequence[Used]
    ) -> Delivery:
        """Judged at the moment at which it is asked for, and again whenever it would have waited."""
        moment, held = message.asked_at, list[Held]()
        for _ in range(MOST_WAITS):
            match judge(message, contact, zones, used, moment, self._rules):
                case SendNow():
                    return Delivery(message.kind, "", None, "sent", moment, held=held)
                case WaitUntil(until, code, reason):
                    held.append(Held(until, code, reason))
                    moment = until
                case Skip(code, reason):
                    return Delivery(message.kind, "", None, "skipped", moment, code, reason, held)
                case AskAgain(reason, code):
                    return Delivery(message.kind, "", None, "expired", moment, code, reason, held)
        return Delivery(message.kind, "", None, "expired", moment, "expired", "It would wait for ever.", held)

    def _repeats(
        self, message: Outgoing, contact: Contact, zones: Sequence[str], used: Sequence[Used], first: Delivery
    ) -> Sequence[Repeat]:
        """What becomes of further messages like the first, asked for as it leaves."""
        further, counted = replace(message, asked_at=first.at), Used(message.kind, first.at, self._title)
        repeats = []
        for number in REPEATED:
            told = self._judged(further, contact, zones, [*used, *[counted] * (number - 1)])
            last = told.held[-1] if told.held else None
            code, reason = (
                (last.code, last.reason) if last is not None and not told.reason else (told.code, told.reason)
            )
            repeats.append(Repeat(number, told.status, told.at, code, reason))
        return repeats

    def _reached_at(self, about: tuple[str | None, str | None]) -> _Reached:
        known = self._reached.get(about)
        if known is None:
            known = self._reached[about] = _Reached(None)
            collection, key = about
            if collection is not None and key is not None:
                try:
                    known.contact = recipients.contact_at(collection, key)
                except NotFound:
                    return known
                addresses = {key: recipients.own_addresses(known.contact)}
                known.used = list(message_rows.used_of_each(collection, addresses, self._since).get(key, ()))
        return known

    def _reached_by(self, kind: str, address: str) -> _Reached:
        """Who has the address, where the run is about no record."""
        contact = recipients.contacts_by_address(kind, [address], self._workflow, keeps_consent=False)[
            address
        ]
        about = (contact.collection, contact.key)
        if about not in self._reached:
            used = message_rows.used_of_each(
                contact.collection, {contact.key: recipients.own_addresses(contact)}, self._since
            )
            self._reached[about] = _Reached(contact, list(used.get(contact.key, ())))
        return self._reached[about]

    def _scope(self, collection: str) -> Scope:
        if collection not in self._scopes:
            self._scopes[collection] = access.scope_for(self._actor, collection, "read")
        return self._scopes[collection]

    def _closed(self, collection: str | None) -> bool:
        """Whether some fields of the contact are not for the tester: what its consent rests on may stand in one of them."""
        return collection is not None and bool(self._scope(collection).hidden)

    def _empty(self, collection: str | None, content: Mapping[str, Any]) -> list[Sequence[str]]:
        """The merge fields that gave nothing; of a field that the tester may not read nobody can tell here."""
        hidden = self._scope(collection).hidden if collection is not None else frozenset()
        paths = [tuple(map(str, path)) for path in content.get("empty") or ()]
        return [path for path in paths if not (path[0] == "record" and len(path) > 1 and path[1] in hidden)]

    def _shown(
        self, collection: str | None, contact: Contact | None, to: str, *, named: bool, kind: str
    ) -> tuple[str, str | None]:
        """(name, address) as far as the tester may know them. An address that the workflow names was worked out with the tester's rights."""
        if collection is None or contact is None:
            return "", to or None
        about, scope = records.collection(collection), self._scope(collection)
        if about.contact is None:
            return "", to or None
        shut = {item.name for item in about.fields if item.sensitive} | scope.masked
        name = contact.name if about.contact.name not in scope.hidden | shut else None
        source = about.contact.email if kind == "email" else about.contact.phone
        if named or not to:
            return name or "", to or None
        return name or "", DOTS if source in shut else None if source in scope.hidden else to
