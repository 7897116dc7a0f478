"""Prompts and answers, kept sealed under the key of whom the run is about: for whoever may audit, for as long as the settings say."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.infra import subjects
from console.infra.db.engine import fetch

_KEEP = (
    "insert into console.ai_prompt (call, at, subject, kid, nonce, ct) values (%s, now(), %s, %s, %s, %s)"
    " on conflict (call) do update set at = excluded.at, kid = excluded.kid, nonce = excluded.nonce, ct = excluded.ct returning 1"
)
_READ = "select subject, nonce, ct from console.ai_prompt where call = %s"
_EXPIRE = (
    "with gone as (delete from console.ai_prompt p where p.at < %s and not exists (select from console.hold h where h.subject = p.subject) returning 1)"
    " select count(*) from gone"
)
_ERASE = (
    sa.text("delete from console.ai_prompt where subject = :subject"),
    sa.text("delete from console.ai_cache where subject = :subject"),
)


def keeping(call: str, subject: str, prompt: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    """The statement that keeps what was sent and what came: `system`, `user`, `schema`, `sources`, `answer`, and what else the call knows."""
    return _KEEP, (call, subject, *subjects.seal(subject, f"ai_prompt|{call}", prompt))


def keep(call: str, subject: str, prompt: Mapping[str, Any]) -> None:
    """Keep it."""
    fetch(*keeping(call, subject, prompt))


def read(call: str) -> dict[str, Any] | None:
    """The stored prompt and answer; None if expired, erased or never stored."""
    rows = fetch(_READ, (call,))
    if not rows:
        return None
    subject, nonce, ct = rows[0]
    try:
        prompt: dict[str, Any] = subjects.unseal(subject, f"ai_prompt|{call}", nonce, ct)
    except subjects.Unreadable:
        return None
    return prompt


def expire(before: datetime) -> int:
    """Forget what is older and under no hold; of how many calls. What they cost and came to stays."""
    return int(fetch(_EXPIRE, (before,))[0][0])


def erase(connection: Connection, subject: str) -> None:
    """Forget everything that was sent and answered about this person, in the transaction of the caller's."""
    for statement in _ERASE:
        connection.execute(statement, {"subject": subject})
