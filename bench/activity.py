"""The newest page of the activity log at 10,000,000 events, with one filter and with two, common and rare.

    python bench/activity.py [--events 10000000] [--months 24] [--pages 5]

Its own server, the list in so many partitions. The events are made by the database itself, in the form of the log: 3 years, 400 people, 12 teams, 60 collections, 300,000 records,
1,000,000 runs, 30 kinds, each with a few common values and many rare ones. Asked through the service that pages and API use, as somebody who may read
everything; the statement's time is the server's own and the driver's. Prints the slowest page of each kind. Bars: one filter 15 ms, two 50 ms.
"""

import argparse
import itertools
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import rig

BAR_ONE, BAR_TWO = 15.0, 50.0
BEGIN = datetime(2023, 11, 20, tzinfo=UTC)
YEARS_S = 3 * 365 * 86_400
MONTHS = 24
FILL = """
do $$ begin
    execute 'drop table console.' || (select name from console.activity_parts());
    for n in 0 .. %(months)d - 1 loop
        execute format('create table console.activity_%%s partition of console.activity for values from (%%s) to (%%s)', n,
            n * (%(events)d::bigint / %(months)d) + 1, case when n < %(months)d - 1 then ((n + 1) * (%(events)d::bigint / %(months)d) + 1)::text else 'maxvalue' end);
        execute format('alter table console.activity_%%s add unique (event)', n);
    end loop;
end $$;
create function pg_temp.pick(n bigint, salt int, many int, skew float8 default 4) returns int language sql immutable as
$$ select (power(((hashint8(n + salt * 1000003::bigint)::bigint + 2147483648) %% 1000003) / 1000003.0, skew) * many)::int $$;
create table public.made as select n, '%(begin)s'::timestamptz + n * interval '%(step)s seconds' as at, 'usr_' || pg_temp.pick(n, 1, 400) as actor,
    'team' || pg_temp.pick(n, 2, 12) as team, 'coll' || pg_temp.pick(n, 3, 60) as coll, pg_temp.pick(n, 4, 300000, 1.3)::text as key, 'kind' || pg_temp.pick(n, 5, 30) as kind,
    'run_' || n / 10 as run, (n %% 10 + 1)::int as run_seq from generate_series(0, %(events)d - 1) n;
insert into console.event (run, run_seq, leaf, body)
select run, run_seq, sha256('\\x00'::bytea || body), body from (select run, run_seq, convert_to(json_build_object('v', 1, 'id', gen_random_uuid(), 'type', kind,
    'at', to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'run', run, 'run_seq', run_seq, 'prev', repeat('0', 64), 'actor',
    json_build_object('kind', 'user', 'id', actor, 'session', 'ses_1', 'team', team, 'roles', '[]'::json), 'policy', 1, 'wf', null, 'step', null, 'target',
    json_build_object('source', null, 'coll', coll, 'key', key), 'data', '{"open": {"n": 1}, "sealed": {}}'::json, 'cause', null, 'req', null)::text, 'UTF8') as body
    from public.made order by n) b;
insert into console.activity (pos, event, at, kind, actor, team, collection, record, run, workflow, origin)
select n + 1, n + (select min(id) from console.event), at, kind, actor, team, coll, key, run, null, 'user' from public.made order by n;
analyze console.activity;
analyze console.event;
"""


def filters() -> dict[str, list[dict[str, Any]]]:
    """Name → what to look for: a common value, a rare one, one that is nowhere; moments of long ago, of now, and a day in the middle."""
    long_ago, middle, late = (
        BEGIN + timedelta(days=3),
        BEGIN + timedelta(days=500),
        BEGIN + timedelta(seconds=YEARS_S - 3600),
    )
    return {
        "user": [{"user": name} for name in ("usr_0", "usr_399", "usr_x")],
        "team": [{"team": name} for name in ("team0", "team11", "team_x")],
        "collection": [{"collection": name} for name in ("coll0", "coll59", "coll_x")],
        "record": [{"record": name} for name in ("0", "299000", "x")],
        "kind": [{"kinds": (name,)} for name in ("kind0", "kind29", "kind_x")],
        "run": [{"run": name} for name in ("run_17", "run_x")],
        "time": [
            {"lt": long_ago},
            {"gte": late},
            {"gte": middle, "lt": middle + timedelta(days=1)},
            {"gte": BEGIN + timedelta(days=4000)},
        ],
    }


def asked() -> Iterator[tuple[str, dict[str, Any]]]:
    """(kind of page, filter): none, each alone, and each pair."""
    known = filters()
    yield "no filter", {}
    for found in known.values():
        yield from (("one filter", one) for one in found)
    for first, second in itertools.combinations(known, 2):
        yield from (("two filters", a | b) for a, b in itertools.product(known[first], known[second]))


def main() -> int:
    """Fill, ask, print, judge."""
    parser = argparse.ArgumentParser(description="The newest page of the activity log, filtered.")
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--months", type=int, default=MONTHS, help="partitions of the list")
    parser.add_argument("--pages", type=int, default=5, help="how often each page is asked for")
    told = parser.parse_args()
    with rig.console() as server:
        from console.log.event_lists import LogFilter, rows

        begin = time.perf_counter()
        server.sql(
            FILL
            % {
                "begin": BEGIN.isoformat(),
                "step": YEARS_S / told.events,
                "events": told.events,
                "months": told.months,
            },
            "console",
        )
        print(f"{told.events:,} events made in {time.perf_counter() - begin:.0f} s", flush=True)
        worst: dict[str, list[tuple[float, dict[str, Any]]]] = {}
        for name, given in asked():
            taken = []
            for _ in range(told.pages):
                begin = time.perf_counter()
                rows(LogFilter(**given), limit=51)
                taken.append((time.perf_counter() - begin) * 1000)
            worst.setdefault(name, []).append((statistics.median(taken), given))
        good = True
        for (name, found), bar in zip(worst.items(), (BAR_ONE, BAR_ONE, BAR_TWO), strict=True):
            found.sort(key=lambda one: -one[0])
            print(
                f"{name}: {len(found)} kinds of page, median {statistics.median(one[0] for one in found):.1f} ms, slowest (bar {bar:g} ms):"
            )
            good &= rig.held(f"newest page of {told.events:,} events, {name}", found[0][0], " ms", most=bar)
            for milliseconds, given in found[:8]:
                print(f"    {milliseconds:8.1f} ms  {given}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
