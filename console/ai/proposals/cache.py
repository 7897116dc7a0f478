"""Answers that were given already: the same question about the same person, asked again within a day, costs nothing. Sealed under that person's key."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import orjson

from console.core.proposal_types import Raw
from console.infra import subjects
from console.infra.db.engine import fetch

KEPT = timedelta(hours=24)
_KEEP = (
    "insert into console.ai_cache (key, at, call, subject, kid, nonce, ct) values (%s, now(), %s, %s, %s, %s, %s) on conflict (key) do update"
    " set at = excluded.at, call = excluded.call, kid = excluded.kid, nonce = excluded.nonce, ct = excluded.ct returning 1"
)
_FIND = "select nonce, ct from console.ai_cache where key = %s and subject = %s and at >= now() - %s"
_EXPIRE = (
    "with gone as (delete from console.ai_cache where at < now() - %s returning 1) select count(*) from gone"
)


def key_of(
    subject: str, system: str, user: str, schema: Mapping[str, Any], settings: str, about: str = ""
) -> str:
    """Names a question: about whom, in which words, with which form, asked of which model with which settings, about which item of a list (`about`)."""
    parts = [subject, system, user, schema, settings, about]
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def find(key: str, subject: str) -> Raw | None:
    """The answer that this question had, None where there was none, or it is too old or erased."""
    rows = fetch(_FIND, (key, subject, KEPT))
    if not rows:
        return None
    try:
        return Raw(**subjects.unseal(subject, f"ai_cache|{key}", *rows[0]))
    except (subjects.Unreadable, TypeError):
        return None


def keeping(key: str, call: str, subject: str, raw: Raw) -> tuple[str, tuple[Any, ...]]:
    """The statement that remembers the answer to this question, which this call was the first to get."""
    return _KEEP, (key, call, subject, *subjects.seal(subject, f"ai_cache|{key}", asdict(raw)))


def expire() -> int:
    """Forget what is too old; how many answers."""
    return int(fetch(_EXPIRE, (KEPT,))[0][0])
