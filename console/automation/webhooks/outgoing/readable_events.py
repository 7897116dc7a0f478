"""Events as they are sent: what one person may read of them today, in one fixed form, so that every try sends the same bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson
import sqlalchemy as sa

from console import activity, records
from console.activity import Reader
from console.auth import access, accounts
from console.automation.triggers import log_events
from console.automation.webhooks.outgoing import event_types
from console.automation.webhooks.outgoing.subscription_rows import Subscription
from console.core.actor import Actor
from console.core.errors import NotFound
from console.infra import subjects
from console.infra.db import tables
from console.infra.db.engine import read_rows
from console.log import event_lists
from console.log.event_lists import LogFilter

NEED = ("webhook", "manage")
SESSION = "sys:webhooks"


@dataclass(frozen=True, slots=True)
class Readable:
    """An event that may be sent. `types` are its names, `label` its clearance, `subject` whose data it holds; `content` is what is told of it."""

    pos: int
    types: tuple[str, ...]
    label: str | None
    subject: str | None
    content: Mapping[str, Any]

    def roots(self, name: str) -> dict[str, Any]:
        """The values that a filter can use. All of them are also part of what is sent."""
        fields = {key: value for key, value in self.content.items() if key != "data"}
        return {"event": {**self.content["data"], **fields, "type": name}}

    def body(self, name: str, prev_pos: int | None) -> bytes:
        """What is sent under this name; `prev_pos` is the place of the event before it in the stream."""
        content = self.content
        first = {
            "type": name,
            "pos": self.pos,
            "prev_pos": prev_pos,
            "n": content["n"],
            "run": content["run"],
        }
        return orjson.dumps({**first, "timestamp": content["timestamp"], "data": content["data"]})


class Audience:
    """Whom a webhook acts for, with the rights of this moment: which events they find, and what of them they may read."""

    def __init__(self, webhook: Subscription) -> None:
        self.actor = actor_of(webhook)
        self.reader: Reader = activity.reader_of_log(self.actor, "read")
        self.policy = access.current_version()

    def after(self, pos: int, upto: int, kinds: tuple[str, ...], limit: int) -> tuple[list[Readable], int]:
        """(the next events above `pos` of at most `limit` rows, how far was read). Raises SourceDown where records cannot be looked at."""
        rows = event_lists.forward(
            LogFilter(kinds=kinds), self.reader.within, after=pos, upto=upto, limit=limit
        )
        return self._readable(rows), rows[-1].pos if len(rows) == limit else upto

    def at(self, pos: int) -> Readable | None:
        """The event at this place; None where they may not read it, or not any more. Raises SourceDown."""
        found = self._readable(
            event_lists.forward(LogFilter(), self.reader.within, after=pos - 1, upto=pos, limit=1)
        )
        return found[0] if found else None

    def _readable(self, rows: Sequence[event_lists.Row]) -> list[Readable]:
        kept = self.reader.find([row for row in rows if row.body is not None])
        shown = activity.mask_rows(self.reader, kept)
        effects = [
            str(each.event.open["effect"]) for each in shown if each.event.type in log_events.BY_EFFECT
        ]
        changed = log_events.changed_records(effects)
        found = []
        for (row, _), each in zip(kept, shown, strict=True):
            event, stored = each.event, each.json
            mine = (
                self._changed(changed.get(str(event.open.get("effect")), ()))
                if event.type in log_events.BY_EFFECT
                else []
            )
            types = event_types.types_of(
                event.type, event.open, [subscription["type"] for subscription in mine]
            )
            data = {
                **{name: stored[name] for name in ("id", "kind", "step", "attempt")},
                "actor": {name: stored["actor"][name] for name in ("kind", "id")},
                **{name: stored[name] for name in ("team", "collection", "record")},
                "workflow": self._slugs.get(row.workflow) if row.workflow else None,
                "values": stored["data"],
                "masked": [path.replace("data.", "values.", 1) for path in stored["masked"]],
                "leaf": stored["leaf"],
            } | ({"changed": mine} if mine else {})
            content = {"n": stored["n"], "run": stored["run"], "timestamp": stored["createdAt"], "data": data}
            found.append(Readable(row.pos, types, event.body.get("label"), row.sub, content))
        return found

    def _changed(self, changed: Sequence[tuple[str, str, str]]) -> list[dict[str, str]]:
        """The records that an effect changed, as far as they may be read."""
        events = []
        for name, collection, key in changed:
            scope = access.scope_for(self.actor, collection)
            try:
                found = records.collection(collection)
                if scope.nothing or not (scope.unlimited or records.visible_keys(collection, {key}, scope)):
                    continue
            except NotFound:
                continue
            named = subjects.ref(collection, key) if found.personal_key else key
            events.append({"type": name, "collection": collection, "record": named})
        return events

    @cached_property
    def _slugs(self) -> dict[str, str]:
        known = tables.workflow.c
        return {row.id: row.slug for row in read_rows(sa.select(known.id, known.slug))}


def actor_of(webhook: Subscription) -> Actor:
    """Whom the webhook acts for. Raises NotAllowed where the account is closed, or a person may not send events outside any more.

    A service account needs no right to manage webhooks: who let it be used had that, and the right to use the account.
    """
    actor = accounts.actor_of_person(webhook.acts_for, SESSION)
    if not actor.service:
        access.require(actor, None, *NEED)
    return actor
