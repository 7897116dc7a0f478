"""Fernwick Pay once for all tests: its rows, and both databases filled with them, without papers."""

import copy
import sqlite3
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from console.demo import filling, world as rows
from console.demo.world import World
from console.infra import settings
from console.infra.postgres import Embedded
from tests.servers.model import KEY, Server, serving

if TYPE_CHECKING:
    from tests.demo.refunding import Desk

TODAY = date(2026, 11, 20)

Ask = Callable[..., list[tuple[Any, ...]]]


DAYS = (TODAY, date(2028, 2, 29))


@pytest.fixture(scope="session")
def world() -> World:
    """The company as rows, on the day of its seed."""
    return rows.load(TODAY)


@pytest.fixture(scope="session", params=DAYS, ids=str)
def loaded(request: pytest.FixtureRequest) -> World:
    """The company as rows, loaded on each of several days: the seed's, and the end of a quarter or a leap day."""
    today: date = request.param
    return rows.load(today)


@pytest.fixture(scope="session")
def core_url(pg: Embedded, world: World, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a filled fernwick_core of this worker."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    name = f"fernwick_core_{worker}"
    pg.drop_database(name)
    url = pg.create_database(name, "fernwick")
    filling.fill_postgresql(url, world.core, lambda: None)
    yield url
    pg.drop_database(name)


@pytest.fixture
def core(core_url: str) -> Iterator[Ask]:
    """Rows of a query on fernwick_core; whatever it changes is rolled back."""
    with psycopg.connect(core_url) as connection:
        yield lambda query, *values: connection.execute(query, values or None).fetchall()
        connection.rollback()


@pytest.fixture(scope="session")
def supply_file(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A filled fernwick_supply.db."""
    file = tmp_path_factory.mktemp("supply") / "fernwick_supply.db"
    filling.fill_sqlite(file, world.supply)
    return file


@pytest.fixture
def supply(supply_file: Path) -> Iterator[Ask]:
    """Rows of a query on fernwick_supply; whatever it changes is rolled back."""
    connection = sqlite3.connect(supply_file)
    yield lambda query, *values: connection.execute(query, values).fetchall()
    connection.rollback()
    connection.close()


@pytest.fixture
def changed(world: World) -> Callable[..., World]:
    """A copy of the company with some rows of a core table changed by a function."""

    def change(table: str, alter: Callable[[dict[str, Any]], None], number: int = 0) -> World:
        made = World(world.today, {**world.core, table: copy.deepcopy(world.core[table])}, world.supply)
        alter(made.core[table][number])
        return made

    return change


@pytest.fixture(scope="module")
def desk(
    pg: Embedded, template: str, suite_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["Desk"]:
    """Operations on one day, with what a refund needs."""
    from tests.demo.refunding import opened

    with opened(pg, template, suite_folder, tmp_path_factory.mktemp("provider")) as made:
        yield made


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A model with a key, and no rest after its faults."""
    with serving(keys={KEY}) as made:
        for name, value in (
            ("ANTHROPIC_API_KEY", KEY),
            ("ANTHROPIC_BASE_URL", made.url),
            ("CONSOLE_AI_BREAKER", "off"),
        ):
            monkeypatch.setenv(name, value)
        settings.current.cache_clear()
        yield made
        monkeypatch.undo()
        settings.current.cache_clear()
