"""The address of the database: whatever libpq reads means the same to SQLAlchemy, to asyncpg and to PostgreSQL's own tools."""

import inspect
from collections.abc import Callable
from itertools import zip_longest
from typing import Any

import psycopg
import pytest
from asyncpg.connect_utils import _parse_connect_dsn_and_args

from console.infra.db import dump, engine
from console.infra.jobs.dispatch import dsn


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://console:p%40ss@db.example/console",
        "postgresql://console@db.example:5433/console?connect_timeout=3",
        "postgresql://console:s@a.example:5433,b.example:5434/console?target_session_attrs=read-write",
        "postgresql://console:s@a.example,b.example:5434/console",
        "postgresql://console:s@/console?host=a.example,b.example&port=5433,5434",
        "postgresql://console:s@/console?host=/run/postgresql",
    ],
)
def test_every_form_of_an_address_is_read_as_libpq_reads_it(
    given_settings: Callable[..., None], url: str
) -> None:
    given_settings(DATABASE_URL=url)
    meant = psycopg.conninfo.conninfo_to_dict(url)
    hosts = str(meant["host"]).split(",")
    ports = [str(port or 5432) for _, port in zip_longest(hosts, str(meant.get("port", "")).split(","))]
    taken = engine.engine().dialect.create_connect_args(engine.app_url())[1]
    told = psycopg.conninfo.conninfo_to_dict(dump.libpq(engine.app_url()))
    addresses, parameters = asyncpg_arguments(dsn(engine.app_url()))
    for read in (taken, told):
        assert (read["user"], read.get("password"), read["dbname"]) == (
            "console",
            meant.get("password"),
            "console",
        )
        assert str(read["host"]).split(",") == hosts
        assert [each or "5432" for each in str(read.get("port", ",".join(ports))).split(",")] == ports
    assert (parameters.user, parameters.password, parameters.database) == (
        "console",
        meant.get("password"),
        "console",
    )
    if hosts[0].startswith("/"):
        assert addresses == ["/run/postgresql/.s.PGSQL.5432"]
    else:
        assert addresses == list(zip(hosts, map(int, ports), strict=True))


def asyncpg_arguments(text: str) -> tuple[list[Any], Any]:
    """Addresses and parameters as asyncpg reads them."""
    given = dict.fromkeys(inspect.signature(_parse_connect_dsn_and_args).parameters)
    return _parse_connect_dsn_and_args(**given | {"dsn": text})  # type: ignore[no-any-return]
