"""Throttling: failed attempts are counted in one table for all processes and delay the next ones; nobody is locked out.

An attempt is counted before it is checked, so that concurrent ones cannot pass together; a successful one is subtracted.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from console.infra import db, settings

FORGET = "15 minutes"
LONGEST_S = 30

# clock_timestamp, not now(): after waiting for the row, now() is older than the change of its holder
_TAKE = sa.text(f"""
with asked as (select * from unnest(cast(:keys as text[]), cast(:free as integer[])) as a (key, free) order by key)
insert into console.throttle as t (key, count, until)
select key, 1, clock_timestamp() from asked
on conflict (key) do update set
    count = case when t.until < clock_timestamp() - interval '{FORGET}' then 1 else t.count + 1 end,
    until = clock_timestamp() + make_interval(secs => case when t.until < clock_timestamp() - interval '{FORGET}' then 0
        else least({LONGEST_S}, power(2, least(20, greatest(0, t.count + 1 - (select free from asked where asked.key = t.key)))) - 1) end)
where t.until <= clock_timestamp()
returning t.key
""")  # noqa: S608 - constants of this file
_BACK = sa.text(
    "update console.throttle set count = greatest(0, count - 1), until = least(until, now()) where key = any(:keys)"
)
_FORGET = sa.text(f"delete from console.throttle where until < now() - interval '{FORGET}'")  # noqa: S608 - a constant of this file


@dataclass(frozen=True, slots=True)
class Limit:
    """Attempts counted together, such as those from one address, and how many are free before the wait doubles each time."""

    kind: str
    value: str
    free: int

    @property
    def key(self) -> str:
        """The key in the table: neither the address itself nor a hash of it that could be guessed."""
        text = f"{self.kind}\n{self.value}".encode()
        return f"{self.kind}:{hmac.new(settings.current().secret_key.encode(), text, hashlib.sha256).hexdigest()[:32]}"


def take(limits: Sequence[Limit]) -> bool:
    """Count an attempt under each limit; whether it may be made now."""
    by_key = {limit.key: limit.free for limit in limits}
    counted = db.read_rows(_TAKE, {"keys": list(by_key), "free": list(by_key.values())})
    return len(counted) == len(by_key)


def give_back(limits: Sequence[Limit]) -> None:
    """Subtract a successful attempt. Old counts are removed too."""
    with db.hot_engine().connect() as connection:
        connection.execute(_BACK, {"keys": [limit.key for limit in limits]})
        connection.execute(_FORGET)
