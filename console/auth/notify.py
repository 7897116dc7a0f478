"""Notices for the console's own people: what is put into a person's list, and who is called before something ends that others work on."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log
from console.core.actor import Actor
from console.infra import subjects
from console.infra.db.engine import transaction
from console.infra.db.ids import new_id
from console.infra.subscribers import Subscribers

Change: TypeAlias = Literal[
    "team_archived", "account_closed", "source_paused", "source_removed", "inbox_closed"
]
before_change = Subscribers[[Connection, Actor, Change, str], None]("auth.notify.before_change")
"""Called in the transaction of a change that ends something live runs depend on (a team, person, source or inbox, by id), before it is made."""

_NOTICE = sa.text(
    "insert into console.notice (id, key, person, kind, run, by, at, mail, link, subject, kid, nonce, ct, stands_in_for)"
    " values (:id, :key, :person, :kind, :run, :by, :at, :mail, :link, :subject, :kid, :nonce, :ct, :stands_in_for) on conflict (key, person) do nothing"
)


def add_notices(
    connection: Connection,
    people: Sequence[str],
    key: str,
    kind: str,
    *,
    at: Any,
    run: str | None = None,
    by: str | None = None,
    text: str | None = None,
    link: str | None = None,
    subject: str | None = None,
    mail: bool = True,
    stands_in_for: str | None = None,
) -> None:
    """Add a notice for each of the people, except those who have one with this key. `text` is sealed under the key of `subject`."""
    kept = (
        subjects.seal_columns(subject, f"notice|{key}", {"text": text})
        if text is not None and subject
        else dict.fromkeys(("subject", "kid", "nonce", "ct"))
    )
    shared = {
        "key": key,
        "kind": kind,
        "run": run,
        "by": by,
        "at": at,
        "mail": "queued" if mail else None,
        "link": link,
    }
    shared |= {"stands_in_for": stands_in_for}
    for person in people:
        connection.execute(_NOTICE, {"id": new_id("ntc"), "person": person, **shared, **kept})


def notify(
    people: Sequence[str],
    kind: str,
    key: str,
    *,
    run: str | None = None,
    by: str | None = None,
    text: str | None = None,
    subject: str | None = None,
    link: str | None = None,
    mail: bool = True,
) -> None:
    """Send a notice to persons (ids), in a transaction of its own; as `add_notices`. The caller made sure that they may see what it is about."""
    with transaction() as connection:
        add_notices(
            connection,
            people,
            key,
            kind,
            at=log.now(),
            run=run,
            by=by,
            text=text,
            subject=subject,
            link=link,
            mail=mail,
        )
