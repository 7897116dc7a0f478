"""Outgoing webhooks as rows: whom they act for, how far they have read, and why they stopped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log
from console.infra import subjects
from console.infra.db import tables
from console.infra.db.engine import hot_engine, read_row, read_rows

table, deliveries, tries = tables.webhook, tables.webhook_delivery, tables.webhook_try
Stopped = Literal["right", "failing", "gone", "address"]
WHY: Mapping[str, str] = {
    "right": "Whose rights it has may not read the log any more.",
    "failing": "The address kept failing.",
    "gone": "The address says that it is gone for good.",
    "address": "The address may not be asked any more.",
}
"""Why a webhook stopped, in words."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """An outgoing webhook. `events` are names of `TYPES`, or `*` alone; `acts_for` is the person or service account whose rights decide what is sent.

    `stopped` says why it stopped by itself (None: it did not), `problem` what keeps it from working. `last_pos` is the place of the newest event taken in.
    """

    id: str
    url: str
    events: tuple[str, ...]
    filter: str | None
    enabled: bool
    stopped: Stopped | None
    problem: str | None
    problem_at: datetime | None
    made_by: str
    made_at: datetime
    acts_for: str
    cursor: int
    last_pos: int | None
    refused: int

    @property
    def status(self) -> str:
        """`on`, `off`, or `stopped` where it stopped by itself."""
        return "stopped" if self.stopped else "on" if self.enabled else "off"

    @property
    def host(self) -> str:
        """The host that it goes to."""
        return urlsplit(self.url).hostname or self.url

    @property
    def place(self) -> str:
        """Scheme, host and port."""
        return origin_of(self.url)

    @property
    def works(self) -> bool:
        """Whether it reads the log and sends."""
        return self.enabled and self.stopped is None


def origin_of(url: str) -> str:
    """Scheme, host and port of an address: the path is often its secret, and stands in no log."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def place_of(webhook_id: str, column: str) -> str:
    """The one place where a sealed column of a webhook belongs."""
    return f"webhook|{column}|{webhook_id}"


def seal_column(webhook_id: str, column: str, text: str) -> bytes:
    """An address or a secret under the master key: the path of an address is often a secret too."""
    return subjects.wrap(text.encode(), place_of(webhook_id, column))


def open_column(webhook_id: str, column: str, kept: bytes) -> str:
    """The inverse of `sealed`. Raises Unreadable under another master key."""
    return subjects.unwrap(bytes(kept), place_of(webhook_id, column)).decode()


def row_of(row: Any) -> Subscription:
    """The webhook of a row."""
    return Subscription(
        row.id,
        open_column(row.id, "url", row.url),
        tuple(row.events),
        row.filter,
        row.enabled,
        row.stopped,
        row.problem,
        row.problem_at,
        row.made_by,
        row.made_at,
        row.acts_for,
        row.cursor,
        row.last_pos,
        row.refused,
    )


def stored(webhook_id: str) -> Subscription | None:
    """The webhook with this id; None where there is none any more."""
    row = read_row(sa.select(table).where(table.c.id == webhook_id))
    return None if row is None else row_of(row)


def stored_all() -> Sequence[Subscription]:
    """All of them, the oldest first."""
    return [row_of(row) for row in read_rows(sa.select(table).order_by(table.c.made_at, table.c.id))]


def secrets_of(webhook_id: str) -> list[str]:
    """The secrets that a delivery is signed with now: the present one, and for a day the one before. None where the webhook is gone."""
    row = read_row(
        sa.select(table.c.secret, table.c.former_secret, table.c.former_until).where(table.c.id == webhook_id)
    )
    if row is None:
        return []
    former = row.former_secret is not None and row.former_until is not None and row.former_until > log.now()
    return [
        open_column(webhook_id, "secret", row.secret),
        *([open_column(webhook_id, "former_secret", row.former_secret)] if former else []),
    ]


def update(connection: Connection, webhook_id: str, **values: Any) -> None:
    """Change columns of a webhook."""
    connection.execute(sa.update(table).where(table.c.id == webhook_id).values(**values))


def note_problem(webhook: Subscription, words: str | None) -> None:
    """Say what keeps it from working, or that nothing does any more."""
    if webhook.problem == words:
        return
    with hot_engine().connect() as connection:
        update(connection, webhook.id, problem=words, problem_at=None if words is None else log.now())
