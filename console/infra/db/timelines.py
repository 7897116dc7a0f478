"""Which primary is stale: its timeline is older than one that was seen before.

PostgreSQL begins a timeline whenever a standby is promoted. A former primary that lives on keeps its own, and what is written there is lost to everybody else. The
highest timeline that was seen stands in the data folder, per cluster, so that each process of the machine knows it, now and after a restart.
"""

import contextlib
import logging
import time
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.engine import URL, Engine

from console.infra import clock, settings
from console.infra.db.dump import libpq

FILE = "timelines"
"""In the data folder, a line for each that was higher than those before: system identifier, timeline."""
CONNECT_S = 10
_NOW = (
    "select clock_timestamp(), system_identifier::text, case when not pg_is_in_recovery() then left(pg_walfile_name(pg_current_wal_lsn()), 8) end"
    " from pg_control_system()"
)
_log = logging.getLogger(__name__)
_seen: dict[str, int] = {}


class StalePrimary(psycopg.OperationalError):
    """The server takes changes, and another one was promoted in its place."""


def connect(**terms: Any) -> "psycopg.Connection[Any]":
    """A connection to the first server of an address (psycopg's terms, hosts with commas between) that is not stale. Raises `StalePrimary` where each that answers is."""
    hosts, ports = (str(terms.get(name) or "").split(",") for name in ("host", "port"))
    for _ in hosts:
        connection = psycopg.connect(**terms)
        try:
            check(connection)
        except psycopg.Error as error:
            connection.close()
            if not isinstance(error, StalePrimary):
                raise
            stale = error
        else:
            return connection
        hosts, ports = hosts[1:] + hosts[:1], ports[1:] + ports[:1]
        terms |= {"host": ",".join(hosts), "port": ",".join(ports)} if hosts[1:] else {}
    raise stale


def connect_url(url: URL, **more: Any) -> "psycopg.Connection[Any]":
    """As `connect`, by a URL."""
    return connect(**conninfo_to_dict(libpq(url), connect_timeout=CONNECT_S), **more)


def create_engine(url: URL, **options: Any) -> Engine:
    """As SQLAlchemy's, and each connection is made by `connect`."""
    engine = sa.create_engine(url, **options)
    sa.event.listen(engine, "do_connect", lambda _dialect, _record, _arguments, terms: connect(**terms))
    return engine


def pinned(url: URL) -> URL:
    """The address with the one server that `connect` chooses now, for programs that choose by themselves."""
    with connect_url(url) as connection:
        place = {"host": connection.info.host, "port": str(connection.info.port)}
    return url.update_query_dict(place) if "," in str(url.query.get("host")) else url


def check(connection: "psycopg.Connection[Any]") -> None:
    """Follow the clock of the primary. Raises `StalePrimary`. A standby has no timeline of its own, and a server that does not tell it is taken as it is."""
    asked_at = time.monotonic()
    try:
        row = connection.execute(_NOW, prepare=False).fetchone()
    except psycopg.ProgrammingError:
        row = None
    finally:
        connection.rollback()
    if row is None or row[2] is None:
        return
    if time.monotonic() - asked_at < clock.TOLERANCE_S:
        clock.follow(row[0])
    cluster, timeline = row[1], int(row[2], 16)
    file = settings.current().data_dir / FILE
    with contextlib.suppress(OSError, ValueError):
        for line in file.read_text().splitlines():
            name, _, number = line.partition(" ")
            _seen[name] = max(_seen.get(name, 0), int(number))
    if timeline < _seen.get(cluster, 1):
        _log.error(
            "the primary at %s:%s is stale: it is on timeline %s, and %s was seen",
            *(connection.info.host, connection.info.port, timeline, _seen[cluster]),
        )
        raise StalePrimary(f"stale primary: timeline {timeline}, and {_seen[cluster]} was seen")
    if timeline > _seen.get(cluster, 1):
        _seen[cluster] = timeline
        with contextlib.suppress(OSError), file.open("a") as lines:
            lines.write(f"{cluster} {timeline}\n")
