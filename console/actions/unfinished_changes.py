"""Changes by hand whose process died before their event: looked up in the source, settled in the log, and told to the person."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from console import log, records
from console.auth import access, accounts, notify
from console.browse.change_intents import Intent, Result
from console.core import scopes
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.errors import NotAllowed, NotFound, SourceDown
from console.core.plain_words import uncapitalised
from console.infra import subjects
from console.infra.db.engine import alone, fetch, transaction
from console.log import AlreadyDone, idempotency_note
from console.records.write import alike

logger = logging.getLogger(__name__)
LEFT_S = 5
"""Seconds after which an intent is looked at; a lock tells whether somebody is still at it."""
AT_ONCE = 100
_LEFT = (
    "select id, person, actor_kind, chain, collection, effect, request, subject, nonce, ct from console.change_intent "
    "where at < now() - make_interval(secs => %s) order by at limit %s"
)
_STILL = "select 1 from console.change_intent where id = %s"
_FORGET = "delete from console.change_intent where id = %s returning 1"
DEEDS = {"updated": "Your change of {what}", "added": "Adding {what}", "deleted": "Deleting {what}"}
RESULTS: Mapping[str, str] = {
    "succeeded": "{deed} was interrupted, but it is done",
    "not_done": "{deed} was interrupted and not done: do it again if it is still wanted",
    "unknown": "{deed} was interrupted, and it is not known whether it was done: look at the record",
}


def settle_left(older_s: float = LEFT_S) -> int:
    """Settle every change that a dead process left, and return how many. What cannot be looked up now is tried again the next time."""
    settled = 0
    for row in fetch(_LEFT, (older_s, AT_ONCE)):
        try:
            with alone(row[0]) as mine:
                settled += mine and bool(fetch(_STILL, (row[0],))) and _settle(*row)
        except SourceDown as down:
            logger.warning("change %s: %s", row[0], down.message)
        except Exception:
            logger.exception("change %s", row[0])
    return settled


def _settle(
    ident: str,
    person: str,
    kind: str,
    chain: str,
    collection_id: str,
    effect: Any,
    request: str | None,
    subject: str,
    nonce: bytes,
    ct: bytes,
) -> bool:
    """Whether the change could be settled. Raises SourceDown."""
    try:
        change = subjects.unseal(subject, f"change|{request or ident}", nonce, ct)
        collection = records.collection(collection_id)
    except (
        subjects.Unreadable,
        NotFound,
    ):  # the person was erased, or the collection is gone: there is nothing left to tell
        fetch(_FORGET, (ident,))
        return False
    actor = _actor(person, kind, chain)
    intent = Intent(ident, actor, collection, effect, change["key"], change["old"], change["new"], subject)
    result, key = found_in_source(intent)
    with idempotency_note.of_request(
        request if result == "succeeded" or (effect == "added" and result == "unknown") else None
    ):
        try:
            intent.settle(result, key=key)
        except AlreadyDone:  # a repeat of the request has told it meanwhile
            fetch(_FORGET, (ident,))
            return False
    _tell(intent, result, key)
    return True


def _actor(person: str, kind: str, chain: str) -> Actor:
    """Who did it, also if their account was closed since."""
    try:
        return replace(accounts.actor_of_person(person, chain), kind="key" if kind == "key" else "user")
    except NotAllowed:
        return Actor("key" if kind == "key" else "user", person, session=chain)


def found_in_source(intent: Intent) -> tuple[Result, str | None]:
    """(what became of the change, the record's key if it is there), as the source shows it now. Raises SourceDown."""
    collection = intent.collection
    whole = scopes.unrestricted(collection.id)
    if intent.effect == "added":
        named = {name: intent.new.get(name) for name in collection.key}
        if not named or None in named.values():
            return "unknown", None  # the source gave the key
        there = records.find_same(collection.id, named, whole)
        if there is None:
            return "not_done", None
        return ("succeeded" if _alike(collection, there.values, intent.new) else "unknown"), there.key
    try:
        values = records.get(collection.id, intent.key or "", whole).values
    except NotFound:
        return ("succeeded" if intent.effect == "deleted" else "unknown"), intent.key
    if intent.effect == "deleted":
        return "not_done", intent.key
    if _alike(collection, values, intent.new):
        return "succeeded", intent.key
    return ("not_done" if _alike(collection, values, intent.old) else "unknown"), intent.key


def _alike(collection: Collection, values: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    fields = {name: collection.field(name) for name in wanted}
    return all(
        field is not None and alike(collection, field, values.get(name), wanted[name])
        for name, field in fields.items()
    )


def _tell(intent: Intent, result: Result, key: str | None) -> None:
    """A notice for the person, without values of the record; none about a collection that they may not look at any more."""
    if not access.can(intent.actor, None, f"collection:{intent.collection.id}", "browse"):
        return
    what = (
        f"a {uncapitalised(intent.collection.label_one)}"
        if intent.effect == "added"
        else f"the {uncapitalised(intent.collection.label_one)}"
    )
    gone = key is None or (intent.effect == "deleted" and result == "succeeded")
    link = f"/c/{intent.collection.id}" if gone else f"/c/{intent.collection.id}/{key}?tab=activity"
    text = RESULTS[result].format(deed=DEEDS[intent.effect].format(what=what))
    with transaction() as connection:
        notify.add_notices(
            *(connection, [intent.actor.id], f"change:{intent.id}", "change_settled"),
            at=log.now(),
            text=text,
            subject=subjects.of_person(intent.actor.id),
            link=link,
        )
