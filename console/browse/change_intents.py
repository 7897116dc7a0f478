"""A change of a record by hand, stored before it is written into its source, so that a process that dies in between leaves a trace.

The source and the log have no common transaction. The intent is committed first, with its values sealed; the event of the change removes
it in its own transaction. What a dead process left is settled by `actions.left_changes`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log, records
from console.browse.naming import title_in_log
from console.browse.record_lists import about_record, note_on
from console.core.actor import Actor
from console.core.contact_consents import ConsentMove
from console.core.contact_stages import stage_move
from console.core.documents.collections import Collection
from console.core.errors import ConsoleError
from console.infra import faults, subjects
from console.infra.db.engine import alone, fetch, transaction
from console.infra.db.ids import new_id
from console.records import Record, WriteUnknown
from console.records.consents_told import consents_told

Effect = Literal["updated", "added", "deleted"]
Result = Literal["succeeded", "unknown", "not_done"]

_STORE = (
    "insert into console.change_intent (id, at, person, actor_kind, chain, team, collection, effect, request, subject, kid, nonce, ct) "
    "values (%(id)s, %(at)s, %(person)s, %(actor_kind)s, %(chain)s, %(team)s, %(collection)s, %(effect)s, %(request)s, %(subject)s, %(kid)s, %(nonce)s, %(ct)s) "
    "on conflict (request) do update set request = excluded.request returning id"
)
_DROP = "delete from console.change_intent where id = %s returning 1"


@dataclass(slots=True)
class Intent:
    """A change that is under way. `key` None: the record is being added. `whose` is the subject of the record, `about` the record as it is called."""

    id: str
    actor: Actor
    collection: Collection
    effect: Effect
    key: str | None
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    whose: str | None = None
    about: Record | None = None
    settled: bool = field(default=False)

    def settle(
        self,
        result: Result,
        *,
        key: str | None = None,
        old: Any = None,
        new: Any = None,
        whose: str | None = None,
    ) -> None:
        """Write the event of the change and remove the intent, in one transaction. What is given replaces what was intended."""
        key = key or self.key
        old, new = self.old if old is None else old, self.new if new is None else new
        moved = (
            stage_move(self.collection, old, new)
            if result == "succeeded" and self.effect == "updated"
            else None
        )
        agreed = self._consents(result, key, old, new)
        titled = title_in_log(self.about) if self.about is not None else {}
        with transaction() as connection:
            connection.execute(sa.text("delete from console.change_intent where id = :id"), {"id": self.id})
            self._note(
                "record_changed",
                key,
                whose,
                connection,
                open={"fields": sorted(new), "result": result}
                | ({} if self.effect == "updated" else {"effect": self.effect}),
                sealed={"old": dict(old), "new": dict(new), **titled},
            )
            if moved is not None:
                self._note("stage_changed", key, whose, connection, open=moved, sealed=titled)
            for move, contact in agreed:
                note_on(
                    self.actor,
                    move.kind,
                    move.contacts,
                    open=move.told,
                    connection=connection,
                    **about_record(move.contacts, contact),
                )
        self.settled = True

    def _consents(self, result: Result, key: str | None, old: Any, new: Any) -> list[tuple[ConsentMove, str]]:
        """What it means for the consents of contacts. Of a record that may have been added, without its key, what holds now is told."""
        unsure = result == "unknown" and self.effect == "added" and bool(new)
        if result != "succeeded" and not unsure:
            return []
        before, after = None if self.effect == "added" else old, None if self.effect == "deleted" else new
        return consents_told(records.Changed(self.collection.id, key, before, after, certain=not unsure))

    def _note(
        self, kind: str, key: str | None, whose: str | None, connection: Connection, **values: Any
    ) -> None:
        reference = records.log_reference(self.collection, key) if key is not None else None
        note_on(
            self.actor,
            kind,
            self.collection,
            record=reference,
            subject=whose or self.whose,
            connection=connection,
            **values,
        )

    def drop(self) -> None:
        """Remove the intent: nothing was changed, and there is nothing to tell."""
        fetch(_DROP, (self.id,))
        self.settled = True


@contextmanager
def intended(
    actor: Actor,
    collection: Collection,
    effect: Effect,
    key: str | None,
    *,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    whose: str | None,
    about: Record | None = None,
) -> Iterator[Intent]:
    """Around the write of a change. A refusal removes the intent; an unknown result is an event; any other error leaves it to be looked up.

    A repeat of a request whose process died takes over that request's intent.
    """
    intent_id, request = new_id("chg"), log.IDEMPOTENCY.get()
    subject = whose or subjects.of_person(actor.id)
    kid, nonce, ciphertext = subjects.seal(
        subject, f"change|{request or intent_id}", {"key": key, "old": dict(old), "new": dict(new)}
    )
    row = {
        "id": intent_id,
        "at": log.now(),
        "person": actor.id,
        "actor_kind": actor.kind,
        "chain": actor.session,
        "team": actor.teams[0] if actor.teams else None,
        "collection": collection.id,
        "effect": effect,
        "request": request,
    }
    [(stored_id,)] = fetch(_STORE, row | {"subject": subject, "kid": kid, "nonce": nonce, "ct": ciphertext})
    intent = Intent(stored_id, actor, collection, effect, key, old, new, whose, about)
    with alone(stored_id):  # whoever looks up what was left knows by this that the change is still under way
        faults.point("by_hand.write.before")
        try:
            yield intent
        except WriteUnknown:
            intent.settle("unknown")
            raise
        except ConsoleError:
            if not intent.settled and stored_id == intent_id:
                intent.drop()
            raise
