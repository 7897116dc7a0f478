"""Rate limits of API keys: requests per minute, hour and day, counted in one table for all processes.

One statement counts or refuses, and touches only the key's row, so a busy caller delays nobody else. Each process remembers a refused key
until its window ends, without asking the database.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from console.core.errors import TooMany
from console.infra.db.engine import fetch

SECONDS = (60, 3_600, 86_400)
MOST_REMEMBERED = 10_000

# A window begins with the minute, hour or day. A request that waited for the row may belong to the previous window: it counts in the present one.
_COUNT = """
insert into console.api_rate as r (key, minute_at, minute, hour_at, hour, day_at, day)
select %(key)s, date_trunc('minute', at), 1, date_trunc('hour', at), 1, date_trunc('day', at), 1 from (select clock_timestamp() at time zone 'UTC' as at) t
on conflict (key) do update set
    minute = case when r.minute_at >= excluded.minute_at then r.minute + 1 else 1 end, minute_at = greatest(r.minute_at, excluded.minute_at),
    hour = case when r.hour_at >= excluded.hour_at then r.hour + 1 else 1 end, hour_at = greatest(r.hour_at, excluded.hour_at),
    day = case when r.day_at >= excluded.day_at then r.day + 1 else 1 end, day_at = greatest(r.day_at, excluded.day_at)
where (r.minute_at < excluded.minute_at or r.minute < %(minute)s) and (r.hour_at < excluded.hour_at or r.hour < %(hour)s)
    and (r.day_at < excluded.day_at or r.day < %(day)s)
returning minute, hour, day, extract(epoch from clock_timestamp())
"""
_FULL = """
select case when minute_at >= date_trunc('minute', at) then minute else 0 end, case when hour_at >= date_trunc('hour', at) then hour else 0 end,
       case when day_at >= date_trunc('day', at) then day else 0 end, extract(epoch from at at time zone 'UTC')
from console.api_rate, (select clock_timestamp() at time zone 'UTC' as at) t where key = %(key)s
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """The window with the fewest requests left: limit, requests left, and when it restarts (seconds since 1970)."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> list[tuple[str, str]]:
        """The headers that tell it."""
        told = (("Limit", self.limit), ("Remaining", self.remaining), ("Reset", self.reset))
        return [(f"X-RateLimit-{name}", str(number)) for name, number in told]


class RateLimited(TooMany):
    """The key has asked as often as it may; `retry_after` seconds from now it may again."""

    default_code = "rate_limited"

    def __init__(self, rate: Rate, wait_s: int) -> None:
        super().__init__(
            f"This key has made {rate.limit} requests, as many as it may. Ask again in {wait_s} s.",
            retry_after=wait_s,
        )
        self.rate = rate


_refused: dict[str, tuple[float, Rate]] = {}  # key → until when on the monotonic clock


def count(key: str, limits: Sequence[int]) -> Rate:
    """Count one request of the key under its limits per minute, hour and day. Raises `RateLimited`; then it is not counted."""
    until, rate = _refused.get(key, (0.0, None))
    wait = until - time.monotonic()
    if rate is not None and wait > 0:
        raise RateLimited(rate, int(wait) + 1)
    given = {"key": key, **dict(zip(("minute", "hour", "day"), limits, strict=True))}
    found = fetch(_COUNT, given)
    if found:
        return _nearest(found[0], limits)
    rate = _nearest(fetch(_FULL, given)[0], limits)
    at = float(fetch("select extract(epoch from clock_timestamp())")[0][0])
    wait = max(0.0, rate.reset - at)
    if len(_refused) >= MOST_REMEMBERED:
        _refused.clear()
    _refused[key] = (time.monotonic() + wait, rate)
    raise RateLimited(rate, int(wait) + 1)


def forget() -> None:
    """Delete the rows of keys unused for two days."""
    fetch("delete from console.api_rate where day_at < clock_timestamp() - interval '2 days' returning key")


def _nearest(row: Sequence[float], limits: Sequence[int]) -> Rate:
    """The window with the fewest requests left; the longest of several."""
    at = int(row[3])
    windows = [
        Rate(limit, max(0, limit - int(used)), at - at % length + length)
        for used, limit, length in zip(row, limits, SECONDS, strict=False)
    ]
    return min(windows, key=lambda rate: (rate.remaining, -rate.reset))
