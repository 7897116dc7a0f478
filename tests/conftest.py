"""One PostgreSQL for the whole suite; app, client, and the people below.

Nothing here runs by itself: a test of pure code touches no server. Each xdist worker has an embedded server of its own, for the log waits for every
transaction of its server and a test of crashes ends connections; a template is migrated once, copied, and lent to one test after another with its rows
put back. A killed run leaves no server behind: the guard stops it. tests/README.md says which fixture is for what.
"""

import functools
import gc
import importlib
import os
import secrets
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoints, entry_points
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

import argon2
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings as hypothesis_settings
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy.engine import URL, Engine, make_url

from console import steps
from console.auth import access
from console.auth.access import policy_store as policy
from console.auth.access.index import Index
from console.auth.access.oracle import Judge
from console.auth.access.rows import Row
from console.auth.accounts import passwords
from console.infra import settings
from console.infra.db import engine as engines, migrate
from console.infra.postgres import Embedded
from console.infra.settings import Settings
from console.records import connect, hooks
from console.runs.engine import advancing
from console.steps.base import StepType
from console.steps.effects import python as actions
from tests import statements
from tests.databases import Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.company import Company

KEYS = {
    name: secrets.token_urlsafe(32)
    for name in ("CONSOLE_SECRET_KEY", "CONSOLE_MASTER_KEY", "CONSOLE_SIGNING_KEY")
}
"""One set for the whole run: what a template holds sealed can be opened in its copies."""

TEMPLATE, COMPANY = "template_console", "company"

for _name in [name for name in os.environ if name.startswith(("CONSOLE_", "DATABASE_", "ANTHROPIC_", "PG"))]:
    del os.environ[_name]  # the developer's own settings are no part of a test
os.environ["CONSOLE_ENV_FILE"] = os.devnull

SUITE_EXAMPLES, THOROUGH_EXAMPLES = 25, 2_000
"""How many examples a property is tried with where its test says nothing else: in the suite, and with `--hypothesis-profile thorough`."""

_common: dict[str, Any] = {
    "deadline": None,
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow],
}
hypothesis_settings.register_profile("suite", max_examples=SUITE_EXAMPLES, derandomize=True, **_common)
hypothesis_settings.register_profile("thorough", max_examples=THOROUGH_EXAMPLES, **_common)
hypothesis_settings.load_profile("suite")


REAL_HASHER = passwords._hasher
passwords._hasher = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Nobody guesses the passwords of tests: hashing them at the product's price took longer than most."""


PURE = ("console.core.", "console.views.")
"""What these keep depends on code and arguments alone: no test has to forget it."""


class Compiled(FileSystemBytecodeCache):
    """Templates as code, kept by this process and in a file for the others: compiling those of one page takes longer than drawing it."""

    def __init__(self) -> None:
        folder = Path(__file__).parents[1] / ".pytest_cache" / "templates"
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(str(folder))
        self.kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """The code of exactly this text, if it was seen."""
        bucket.code = self.kept.get((bucket.key, bucket.checksum))
        if bucket.code is None:
            super().load_bytecode(bucket)
            self._keep(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it."""
        super().dump_bytecode(bucket)
        self._keep(bucket)

    def _keep(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self.kept[bucket.key, bucket.checksum] = bucket.code


@functools.cache
def _installed(group: str) -> EntryPoints:
    return entry_points(group=group)


def _entry_points(group: str) -> EntryPoints:
    """What packages bring: none is installed during a run, and to read the names of all of them takes longer than most tests."""
    return _installed(group)


for _module in (actions, hooks, steps):
    _module.entry_points = _entry_points  # type: ignore[attr-defined]

_index, _judge = functools.lru_cache(maxsize=16)(Index), functools.lru_cache(maxsize=16)(Judge)


def _same_index(rows: Iterable[Row]) -> Index:
    """An index never changes: the same rows make the same one, and most tests have those of the company."""
    return _index(tuple(rows))


def _same_judge(rows: Iterable[Row]) -> Judge:
    """Nor does a judge, and to load the rows into Casbin takes longer than many tests."""
    return _judge(tuple(rows))


_rows_of = functools.lru_cache(maxsize=16)(policy._rows)


def _same_rows(found: Sequence[Any]) -> list[Row]:
    """Rows that are compared in no time, being the same ones."""
    return _rows_of(tuple(found))


policy._rows = _same_rows
policy.Index, policy.Judge = _same_index, _same_judge  # type: ignore[assignment, misc]

_kinds = functools.cache(steps._kinds)


def _same_kinds(source: object) -> list[type[StepType]]:
    """The classes of a module stay the same, whatever set of step types is asked for."""
    return _kinds(source)


steps._kinds = _same_kinds

Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": Compiled()}


@dataclass(frozen=True)
class Database:
    """A database of the suite's server: its name, the application's URL and the superuser's."""

    name: str
    url: str
    admin_url: str


statements.watch()

advancing.IN_ONE_GO_S = 60.0
"""Where a test has no worker, a busy machine must not decide what a run leaves to one."""


@pytest.fixture(autouse=True)
def _runs_are_read_for_somebody() -> Iterator[None]:
    """No statement of the product reads runs without saying for whom."""
    yield
    told = "\n".join(f"{sender}: {statement}" for statement, sender in statements.stray.items())
    statements.stray.clear()
    assert not told, f"runs are read for nobody in particular; take them from access.runs(reader):\n{told}"


SLOW_FOLDERS = frozenset({"browser", "demo", "journeys", "release"})
"""Folders of tests whose every test is slow, beside what is marked so."""


def pytest_configure(config: pytest.Config) -> None:
    """Before a test module is read."""
    config.addinivalue_line(
        "markers",
        "slow: takes minutes, or proves for many what another test proves for one; run by bin/test --all alone",
    )
    config.addinivalue_line("markers", "lengthy: left out by bin/test --quick")
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0"))
    if workers and config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        _import_modules(config, int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw")), workers)


def _import_modules(config: pytest.Config, number: int, workers: int) -> None:
    """Each process of a fresh checkout begins with other test modules: what one has compiled the others only read. Together they would compile each thrice.

    The first process says how far it is, for nothing else is seen until all tests are collected.
    """
    root = Path(__file__).parents[1]
    paths = sorted((root / "tests").rglob("test_*.py"))
    first = len(paths) * number // workers
    for done, path in enumerate((*paths[first:], *paths[:first])):
        if number == 0:
            _say_collected(config, 100 * done // len(paths), 100 * (done - 1) // len(paths))
        with suppress(Exception, pytest.skip.Exception):  # told when the module is collected
            importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts))


def _say_collected(config: pytest.Config, percent: int, before: int) -> None:
    """One line that is written over on a terminal, elsewhere a line each 10 %."""
    if sys.__stderr__ is None or percent == before:
        return
    with config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        if sys.__stderr__.isatty():
            sys.__stderr__.write(f"\r\x1b[KCollecting tests: {percent} %" + "\n" * (percent == 99))
        elif percent // 10 > before // 10:
            sys.__stderr__.write(f"Collecting tests: {percent} %\n")
        sys.__stderr__.flush()


def pytest_report_header() -> list[str]:
    """How thorough this run is."""
    return [f"properties: {hypothesis_settings().max_examples} examples each, where a test says nothing else"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests begin first: whichever process has done its own takes short ones from the others, and all end together."""
    for item in items:
        if item.path.parent.name in SLOW_FOLDERS:
            item.add_marker(pytest.mark.slow)
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


def pytest_collection_finish() -> None:
    """Thousands of tests and the modules behind them stay until the end: the garbage collector need not walk through them again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """One Chromium for the whole suite; the machine's own where it has one."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = "/usr/bin/chromium" if Path("/usr/bin/chromium").exists() else None
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


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
def server(pg: Embedded) -> Iterator[Server]:
    """The same server as its superuser: makes, lends and drops databases."""
    made = Server(pg)
    yield made
    made.leave()


@pytest.fixture(scope="session")
def template(pg: Embedded, suite_folder: Path) -> str:
    """The name of a migrated database that nobody connects to."""
    from console.operations import wiring

    wiring.connect()
    pg.prepare_database(TEMPLATE)
    migrate.upgrade(_migration_url(pg, TEMPLATE))
    with told(pg, TEMPLATE, suite_folder):
        access.refresh()  # the first to ask for a right enters the roles, which takes longer than most tests
    return TEMPLATE


@pytest.fixture(scope="session")
def database(pg: Embedded, server: Server, template: str, suite_folder: Path) -> Iterator[Database]:
    """A migrated database of this process, for tests that leave nothing behind or do not mind what others left."""
    server.copy("test", template)
    with told(pg, "test", suite_folder) as made:
        yield made


@pytest.fixture
def clean(pg: Embedded, server: Server, database: Database, suite_folder: Path) -> Iterator[Database]:
    """A migrated database as if it were made for this test alone: whatever it commits goes with it."""
    with lent(pg, server, "test_clean", suite_folder, of=TEMPLATE) as made:
        yield made


@dataclass(frozen=True)
class Companies:
    """The small company as often as it is wanted, bare or furnished with what all tests of a module need."""

    pg: Embedded
    server: Server
    made: "Company"
    folder: Path

    @contextmanager
    def furnished(self, name: str) -> Iterator["Company"]:
        """A company to be furnished, once for a module or more; when the block ends it is a template, to be lent by this name."""
        self.server.copy(name, COMPANY)
        shutil.rmtree(self.folder / "data" / name, ignore_errors=True)
        with told(self.pg, name, self.folder):
            yield self._again(COMPANY)
        shutil.copyfile(self.made.path, self._pristine(name))

    @contextmanager
    def lent(self, of: str = COMPANY, *, to: str = "test") -> Iterator["Company"]:
        """The company as it was made or furnished, whatever others did with it before."""
        name = f"{of}_of_{to}"
        with lent(self.pg, self.server, name, self.folder, of=of):
            if of != COMPANY and (self.folder / "data" / of).exists():
                shutil.copytree(self.folder / "data" / of, self.folder / "data" / name)
            yield self._again(of)

    def _again(self, name: str) -> "Company":
        shutil.copyfile(self._pristine(name), self.made.path)
        return replace(self.made, people=dict(self.made.people))

    def _pristine(self, name: str) -> Path:
        return self.made.path.with_name(f"{name}-pristine.db")


@pytest.fixture(scope="session")
def companies(
    pg: Embedded, server: Server, template: str, suite_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Companies:
    """The small company, made once for this process."""
    from tests.company import make

    server.copy(COMPANY, template)
    with told(pg, COMPANY, suite_folder):
        made = make(tmp_path_factory.mktemp("company"))
    made.path.rename(made.path.with_name(f"{COMPANY}-pristine.db"))
    return Companies(pg, server, made, suite_folder)


@pytest.fixture
def company(companies: Companies) -> Iterator["Company"]:
    """The small company of tests/company.py as if it were made for this test alone: its database, its source, its people."""
    with companies.lent() as made:
        yield made


@pytest.fixture(scope="module")
def module_company(companies: Companies) -> Iterator["Company"]:
    """One small company for all tests of a module: each makes records and runs of its own, and asserts nothing about what others left."""
    with companies.lent(to="module") as made:
        yield made


_apps: list[tuple[Settings, Flask]] = []


def web_app() -> Flask:
    """The web application over the settings of this moment, made once for all that agree: its routes take longer than most requests. Not to be changed."""
    from console.views.app import create_app

    now = replace(settings.current(), data_dir=Path(), database_url=None, database_migration_url=None)
    for then, made in _apps:
        if then == now:
            return made
    made = create_app()
    made.testing = True
    _apps.append((now, made))
    return made


@pytest.fixture
def given_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """A function that gives this process settings by their names until the test ends: `given_settings(CONSOLE_PRIVATE_HOSTS="127.0.0.1")`."""

    def give(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        settings.current.cache_clear()

    yield give
    monkeypatch.undo()
    settings.current.cache_clear()


@pytest.fixture
def app(clean: Database) -> Flask:
    """The web application over a fresh database, for this test alone: it may add routes to it."""
    from console.views.app import create_app

    made = create_app()
    made.testing = True
    return made


@pytest.fixture
def client(clean: Database, request: pytest.FixtureRequest) -> FlaskClient:
    """A browser of a stranger: it sends `Origin`, as browsers do, and nothing else. Before the application that the test changes, or the one of all tests."""
    made = request.getfixturevalue("app") if "app" in request.fixturenames else web_app()
    browser: FlaskClient = made.test_client()
    browser.environ_base["HTTP_ORIGIN"] = "http://localhost"
    return browser


@contextmanager
def lent(pg: Embedded, server: Server, name: str, suite_folder: Path, of: str) -> Iterator[Database]:
    """A database as the template is, and an empty data folder; the settings of this process point to them while it lasts."""
    shutil.rmtree(suite_folder / "data" / name, ignore_errors=True)
    server.lend(name, of)
    with told(pg, name, suite_folder) as made:
        yield made


@contextmanager
def copied(pg: Embedded, name: str, suite_folder: Path, of: str = TEMPLATE) -> Iterator[Database]:
    """A copy of a database that nobody is connected to, gone at the end; the settings of this process point to it while it lasts."""
    server = Server(pg)
    server.copy(name, of)
    with told(pg, name, suite_folder) as made:
        yield made
    server.drop(name)


@contextmanager
def told(pg: Embedded, name: str, suite_folder: Path) -> Iterator[Database]:
    """The settings of this process point to this database while the block lasts."""
    made = Database(name, pg.url("console", name), pg.url("postgres", name))
    given = {
        "DATABASE_URL": made.url,
        "DATABASE_MIGRATION_URL": _migration_url(pg, name)
        .render_as_string(hide_password=False)
        .replace("+psycopg", "", 1),
        "CONSOLE_DATA_DIR": str(suite_folder / "data" / name),
        "CONSOLE_RATE_LIMITS": "off",
        "CONSOLE_SQLITE_FOLDERS": "/",
        **KEYS,
    }
    before = {key: os.environ.get(key) for key in given}
    os.environ.update(given)
    _forget()
    _again(made.url)
    try:
        yield made
    finally:
        _keep()
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value
        _forget()


_engines: dict[tuple[str, str], Engine] = {}
"""Engines by database and name, without connections: one that is used again has its statements compiled already."""


def _again(url: str) -> None:
    """The engines over this database, each as a new one to whoever remembers what it read through which."""
    psycopg = make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    engines._made.update(
        {name: kept.execution_options() for (at, name), kept in _engines.items() if at == psycopg}
    )


def _keep() -> None:
    for name, made in engines._made.items():
        if type(made) is Engine:
            _engines[made.url.render_as_string(hide_password=False), name] = made
    engines.dispose()


def _migration_url(pg: Embedded, name: str) -> URL:
    """As the application's own: the superuser, acting as the owner of the tables."""
    return (
        make_url(pg.url("postgres", name))
        .set(drivername="postgresql+psycopg")
        .update_query_dict({"options": "-crole=console_owner"})
    )


def _forget() -> None:
    """What this process keeps about the databases it spoke to: engines, settings, every `functools.cache` of the console, and that a worker here has ended."""
    if "console.ai.proposals.waits" in sys.modules:
        sys.modules["console.ai.proposals.waits"].start()
    engines.dispose()
    connect.dispose()
    for kept in _caches(len(sys.modules)):
        kept.cache_clear()
    if "console.log.event_view" in sys.modules:
        # published versions, by ids that are the same in every test's database
        sys.modules["console.log.event_view"]._kept.clear()


@functools.lru_cache(maxsize=1)
def _caches(_modules: int) -> "list[functools._lru_cache_wrapper[Any]]":
    """Every `functools.cache` of the console that is loaded by now, as many modules as there are."""
    found = [
        vars(module)
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] == "console" and not name.startswith(PURE)
    ]
    return list(
        {
            id(kept): kept
            for names in found
            for kept in names.values()
            if isinstance(kept, functools._lru_cache_wrapper)
        }.values()
    )
