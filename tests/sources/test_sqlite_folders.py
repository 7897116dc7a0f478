"""SQLite files are connected and read only in the folders that a setting names: links are followed, and every way in is judged alike."""

import os
import shlex
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from console import sources
from console.cli import console
from console.core.errors import Invalid, SourceDown
from console.infra import settings
from console.records import catalogue, connect
from tests.company import Company

Name = Callable[[str | None], None]


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Name:
    """`named(folders)`: what CONSOLE_SQLITE_FOLDERS says from now on."""

    def name(folders: str | None) -> None:
        monkeypatch.setenv("CONSOLE_SQLITE_FOLDERS", folders or "")
        settings.current.cache_clear()

    return name


def made(file: Path) -> str:
    """A database with a table, by its URL."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(file) as connection:
        connection.execute("create table thing (id integer primary key, name text)")
    connection.close()
    return f"sqlite:///{file}"


def test_the_command_line_and_pages_connect_what_lies_in_a_named_folder_and_nothing_else(
    company: Company, tmp_path: Path, named: Name
) -> None:
    manager = company.ines
    inside, outside = made(tmp_path / "named" / "in.db"), made(tmp_path / "other" / "out.db")
    os.symlink(tmp_path / "other" / "out.db", tmp_path / "named" / "link.db")
    crooked = [
        outside,
        f"sqlite:///{tmp_path}/named/link.db",
        f"sqlite:///{tmp_path}/named/../other/out.db",
        f"sqlite:///{tmp_path}/named2/x.db",
    ]
    named(str(tmp_path / "named"))
    for by in (sources.SYSTEM, manager):
        for url in crooked:
            for way in (partial(sources.try_source, url, by=by), partial(sources.add, "shop", url, by=by)):
                with pytest.raises(Invalid, match="CONSOLE_SQLITE_FOLDERS names") as refused:
                    way()
                assert refused.value.details[0]["field"] == "database"
                assert str(tmp_path) not in refused.value.message
    assert sources.try_source(inside, by=manager).ok
    sources.add("shop", inside, by=manager)
    for url in crooked:
        with pytest.raises(Invalid, match="CONSOLE_SQLITE_FOLDERS names"):
            sources.change("shop", url=url, by=manager)
    (found,) = (one for one in catalogue.collections() if one.source == "shop")
    assert (
        connect.read(catalogue.engine_of(found), "shop", lambda connection: connection.dialect.name)
        == "sqlite"
    )
    named(str(tmp_path / "elsewhere"))  # taken out of the setting later
    with pytest.raises(SourceDown, match="shop is not read"):
        catalogue.engine_of(found)


def test_without_the_setting_only_the_command_line_connects_files(
    company: Company, tmp_path: Path, named: Name
) -> None:
    manager, url = company.ines, made(tmp_path / "shop.db")
    named(None)
    for way in (partial(sources.try_source, url, by=manager), partial(sources.add, "shop", url, by=manager)):
        with pytest.raises(Invalid, match="CONSOLE_SQLITE_FOLDERS names"):
            way()
    sources.add("shop", url)
    assert sources.try_source(url, by=manager, source="shop").ok  # the console's own address, looked at again


def test_the_refusal_of_a_page_names_the_command_that_connects_the_file(
    company: Company, tmp_path: Path, named: Name
) -> None:
    named(None)
    for file, name in (("Club.db", "club"), ("my own shop.sqlite", "my_own_shop"), ("2026.db", "files")):
        with pytest.raises(Invalid) as refused:
            sources.try_source(made(tmp_path / file), by=company.ines)
        command = refused.value.message.partition("connects it there by: console ")[2]
        done = CliRunner().invoke(console, shlex.split(command))
        assert done.exit_code == 0, done.output
        assert name in {source.name for source in sources.list_all()}
