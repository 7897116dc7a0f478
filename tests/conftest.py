"""One PostgreSQL for the whole suite; app, client, and the people below.

Nothing here runs by itself: a test of pure code touches no server. Each xdist worker has an embedded server of its own, for the log waits for every
transaction of its server and a test of crashes ends connections; a template is migrated once and copied. A killed run leaves no server behind: the guard
stops it.
"""

import functools
import itertools
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings as hypothesis_settings
from sqlalchemy.engine import URL, make_url

from console.db import engine as engines, migrate
from console.postgres import Embedded
from console.records import connect

if TYPE_CHECKING:
    from tests.company import Company

KEYS = {name: secrets.token_urlsafe(32) for name in ("CONSOLE_SECRET_KEY", "CONSOLE_MASTER_KEY", "CONSOLE_SIGNING_KEY")}
"""One set for the whole run: what a template holds sealed can be opened in its copies."""

TEMPLATE = "template_console"

for _name in [name for name in os.environ if name.startswith(("CONSOLE_", "DATABASE_", "ANTHROPIC_", "PG"))]:
    del os.environ[_name]  # the developer's own settings are no part of a test
os.environ["CONSOLE_ENV_FILE"] = os.devnull

hypothesis_settings.register_profile("suite", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("suite")


@dataclass(frozen=True)
class Database:
    """A database of the suite's server: its name, the application's URL and the superuser's."""

    name: str
    url: str
    admin_url: str


@pytest.fixture(scope="session")
def suite_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of this process, one of the xdist workers or the only one."""
    return tmp_path_factory.getbasetemp()


@pytest.fixture(scope="session")
def pg(suite_folder: Path) -> Iterator[Embedded]:
    """The embedded server of this process, gone with it."""
    server = Embedded(suite_folder / "server", durable=False).acquire()
    yield server
    server.release()


@pytest.fixture(scope="session")
def template(pg: Embedded) -> str:
    """The name of a migrated database that nobody connects to."""
    pg.prepare_database(TEMPLATE)
    migrate.upgrade(_migration_url(pg, TEMPLATE))
    return TEMPLATE


@pytest.fixture(scope="session")
def database(pg: Embedded, template: str, suite_folder: Path) -> Iterator[Database]:
    """A migrated database of this process, for tests that leave nothing behind or do not mind what others left."""
    with _copy(pg, "test", suite_folder) as made:
        yield made


_numbers = itertools.count(1)


@pytest.fixture
def clean(pg: Embedded, database: Database, suite_folder: Path) -> Iterator[Database]:
    """A fresh copy of the template for this test alone: whatever it commits goes with it."""
    with _copy(pg, f"{database.name}_{next(_numbers)}", suite_folder) as made:
        yield made


@pytest.fixture(scope="session")
def company_template(
    pg: Embedded, template: str, suite_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    """(database, folder) of the small company, made once for this process: hashing seven passwords takes longer than most tests."""
    from tests.company import make

    folder = tmp_path_factory.mktemp("company")
    name = "company"
    with _copy(pg, name, suite_folder, keep=True):
        make(folder)
    (folder / "company.db").rename(folder / "pristine.db")
    yield name, folder
    pg.drop_database(name)


@pytest.fixture
def company(pg: Embedded, company_template: tuple[str, Path], suite_folder: Path) -> Iterator["Company"]:
    """The small company of tests/company.py for this test alone: its database, its source, its people."""
    from tests.company import found

    name, folder = company_template
    shutil.copyfile(folder / "pristine.db", folder / "company.db")
    with _copy(pg, f"{name}_{next(_numbers)}", suite_folder, of=name):
        yield found(folder)


@pytest.fixture
def app(clean: Database) -> Flask:
    """The web application over a fresh database."""
    from console.app import create_app

    made = create_app()
    made.testing = True
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser of a stranger: it sends `Origin`, as browsers do, and nothing else."""
    browser = app.test_client()
    browser.environ_base["HTTP_ORIGIN"] = "http://localhost"
    return browser


@contextmanager
def _copy(pg: Embedded, name: str, suite_folder: Path, of: str = TEMPLATE, keep: bool = False) -> Iterator[Database]:
    """A copy of a database that nobody is connected to; the settings of this process point to the copy while it lasts."""
    pg.drop_database(name)
    pg.sql(f"create database {name} template {of} strategy file_copy owner console_owner")
    made = Database(name, pg.url("console", name), pg.url("postgres", name))
    told = {
        "DATABASE_URL": made.url,
        "DATABASE_MIGRATION_URL": _migration_url(pg, name).render_as_string(hide_password=False).replace("+psycopg", "", 1),
        "CONSOLE_DATA_DIR": str(suite_folder / "data" / name),
        **KEYS,
    }
    before = {key: os.environ.get(key) for key in told}
    os.environ.update(told)
    _forget()
    try:
        yield made
    finally:
        engines.dispose()
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value
        _forget()
        if not keep:
            pg.drop_database(name)


def _migration_url(pg: Embedded, name: str) -> URL:
    """As the application's own: the superuser, acting as the owner of the tables."""
    return make_url(pg.url("postgres", name)).set(drivername="postgresql+psycopg").update_query_dict({"options": "-crole=console_owner"})


def _forget() -> None:
    """What this process keeps about the databases it spoke to: engines, settings, and every `functools.cache` of the console."""
    engines.dispose()
    connect.dispose()
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "console":
            for kept in list(vars(module).values()):
                if isinstance(kept, functools._lru_cache_wrapper):
                    kept.cache_clear()
