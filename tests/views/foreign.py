"""Databases that a test makes itself, one of each kind, connected for operators."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from console import sources
from console.auth import access
from console.records import connect
from tests.company import WORKING
from tests.servers import mariadb

if TYPE_CHECKING:
    from tests.views.conftest import Pages

KINDS = ("sqlite", "postgresql", "mysql")


@dataclass
class Odd:
    """A database with rules of its own, connected for operators."""

    kind: str
    url: str
    pages: "Pages"
    name: str
    """One of its own for each: a source is looked at again at most once in ten seconds."""

    @property
    def things(self) -> str:
        """The address of its list."""
        return f"/c/{self.name}.thing"

    def run(self, *statements: str) -> None:
        """Statements of its owner."""
        engine = sa.create_engine(
            self.url.replace("postgresql:", "postgresql+psycopg:").replace("mysql:", "mysql+pymysql:")
        )
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        engine.dispose()
        connect.dispose()


@pytest.fixture(scope="module")
def maria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A MariaDB server."""
    with mariadb.running(tmp_path_factory.mktemp("maria")) as server:
        yield str(server)


@contextmanager
def connected(
    request: Any, pages: "Pages", tmp_path: Path, name: str, statements: list[str]
) -> Iterator[Odd]:
    """A new database of the kind that the fixture's parameter names, made by the statements. `request` has the fixtures of the servers."""
    kind, database = request.param, f"{name}_things"
    if kind == "sqlite":
        made = Odd(kind, f"sqlite:///{tmp_path}/{name}.db", pages, f"{name}-{kind}")
    elif kind == "postgresql":
        pg = request.getfixturevalue("pg")
        pg.drop_database(database)
        pg.sql(f"create database {database}")
        made = Odd(kind, pg.url("postgres", database), pages, f"{name}-{kind}")
    else:
        made = Odd(kind, request.getfixturevalue("maria"), pages, f"{name}-{kind}")
        made.run(f"drop database if exists {database}", f"create database {database} default charset utf8mb4")
        made.url = sa.make_url(made.url).set(database=database).render_as_string(hide_password=False)
    made.run(*statements)
    sources.add(made.name, made.url, may={"operator": WORKING})
    access.refresh()
    yield made
    connect.dispose()
