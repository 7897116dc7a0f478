"""What cannot be started or done says so in a sentence, with a status other than 0 and without a traceback; a disk that is full is told, and work goes on."""

import contextlib
import os
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from alembic.script import ScriptDirectory

from console.infra.db import release
from console.infra.postgres import Embedded
from console.infra.settings import data_folder
from console.infra.settings.data_folder import FolderError
from tests.conftest import Database
from tests.servers.pooler import pooling
from tests.test_serve import KEYS, PATIENCE_S, Serving, until

pytestmark = pytest.mark.slow

Start = Callable[..., Serving]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start(*arguments, **environ)`, ended with the test; the folder is `data`."""
    made: list[Serving] = []

    def begin(*arguments: str, folder: Path = tmp_path / "data", **environ: str) -> Serving:
        made.append(Serving(folder, *arguments, **environ))
        return made[-1]

    yield begin
    for one in made:
        one.stop()


def sentence(one: Serving, words: str) -> None:
    """It ended by itself, with the words and nothing that only a programmer reads."""
    assert one.process.wait(PATIENCE_S) == 1
    said = one.said.read_text()
    assert words in said
    assert said.startswith("console: ")
    assert "Traceback" not in said
    assert len(said.splitlines()) <= 2


def opened(folder: Path) -> None:
    """A new folder that everybody may enter, whatever this process keeps from others."""
    folder.mkdir()
    folder.chmod(0o755)


def own(database: Database, **other: str) -> dict[str, str]:
    return {name: os.environ[name] for name in ("DATABASE_URL", "DATABASE_MIGRATION_URL")} | KEYS | other


def test_a_server_that_is_not_there_or_lets_nobody_in(clean: Database, start: Start) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        nobody = f"postgresql://u:p@127.0.0.1:{silent.getsockname()[1]}/d"
        sentence(start(DATABASE_URL=nobody, **KEYS), "does not answer")
    password = str(urlsplit(clean.url).password)
    wrong = own(clean, DATABASE_MIGRATION_URL="", DATABASE_URL=clean.url.replace(password, "wrong"))
    sentence(start(**wrong), "password authentication failed")


def test_a_role_that_lacks_the_rights(clean: Database, pg: Embedded, start: Start) -> None:
    pg.sql(
        f"create role stranger login password 'stranger'; grant connect on database {clean.name} to stranger;"
    )
    try:
        parts = urlsplit(clean.url)
        url = clean.url.replace(f"{parts.username}:{parts.password}@", "stranger:stranger@")
        sentence(
            start(**own(clean, DATABASE_URL=url)),
            "lacks a right in its own database. DATABASE_URL signs in as stranger",
        )
    finally:
        pg.sql(f"revoke all on database {clean.name} from stranger; drop role stranger;")


@pytest.mark.parametrize(("mode", "serves"), [("transaction", False), ("session", True)])
def test_a_pooler_is_refused_or_served(
    clean: Database, start: Start, tmp_path: Path, mode: str, serves: bool
) -> None:
    with pooling(tmp_path / "pooler", clean.url, mode) as url:
        made = start(**own(clean, DATABASE_URL=url))
        if serves:
            assert until(made.ready().well)
            assert made.stop() == 0
        else:
            sentence(made, "Set pool_mode = session for its database")
            for command in (["worker"], ["doctor"]):
                told = made.command(*command)
                assert told.returncode == 1
                assert "pool_mode = session" in told.stdout + told.stderr


def test_tables_of_a_newer_release_are_left_alone(clean: Database, start: Start) -> None:
    scripts = ScriptDirectory(str(release.folder()))
    assert release.known_revisions() == {script.revision for script in scripts.walk_revisions()}
    assert release.newest() == scripts.get_current_head()
    with psycopg.connect(clean.admin_url, autocommit=True) as connection:
        connection.execute("update console.alembic_version set version_num = '20991231_0100'")
        made = start(**own(clean))
        sentence(made, "The console's tables are of a newer release (form 20991231_0100")
        sentence(start("--demo", **own(clean)), "of a newer release")
        for command in (
            ["user", "create", "ana@example.com", "--role", "lead", "--team", "operations"],
            ["worker"],
            ["migrate"],
            ["rebuild"],
        ):
            told = made.command(*command)
            assert told.returncode == 1, command
            assert "of a newer release" in told.stderr
            assert "Traceback" not in told.stderr
        told = made.command("doctor")
        assert "MEND  tables: at 20991231_0100" in told.stdout
        assert connection.execute("select count(*) from console.person").fetchone() == (0,)


class TestDataFolder:
    def test_everything_that_is_made_is_for_its_owner_alone(self, start: Start, tmp_path: Path) -> None:
        folder = tmp_path / "data"
        opened(folder)
        opened(folder / "keys")
        (folder / "demo.json").write_text("{}")
        (folder / "demo.json").chmod(0o644)
        made = start().ready()
        assert (
            made.command(
                "user", "create", "ana@example.com", "--role", "lead", "--team", "operations"
            ).returncode
            == 0
        )
        assert made.command("activity", "export", str(folder / "log.zip")).returncode in {0, 1, 2}
        open_ = [
            str(path)
            for path in [folder, *folder.rglob("*")]
            if not path.is_symlink()
            and not stat.S_ISSOCK(path.lstat().st_mode)
            and path.lstat().st_mode & 0o077
        ]
        assert open_ == []

    @pytest.mark.parametrize("inside", [["somebody.txt"], ["a", "b"]])
    def test_one_that_holds_something_else_is_refused_and_not_touched(
        self, start: Start, tmp_path: Path, inside: list[str]
    ) -> None:
        folder = tmp_path / "data"
        opened(folder)
        for name in inside:
            (folder / name).write_text("x")
        sentence(
            start(), "is open to other users of this machine, and not the console's own to shut: chmod 700 it"
        )
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755
        assert sorted(path.name for path in folder.iterdir()) == sorted(inside)

    def test_one_that_cannot_be_written_is_a_sentence(self, start: Start, tmp_path: Path) -> None:
        with pytest.raises(FolderError, match="cannot be used: Not a directory"):
            data_folder.prepare(Path("/dev/null/data"))
        (tmp_path / "file").touch()
        with pytest.raises(FolderError, match="is a file"):
            data_folder.prepare(tmp_path / "file")
        folder = tmp_path / "data"
        folder.mkdir(mode=0o700)
        with mounted(folder, "size=1m,ro,mode=0700"):
            made = start(**KEYS)
            sentence(made, "cannot be used: ")
            told = made.command("doctor").stdout
            assert "MEND  data folder: nothing can be written" in told
            assert (
                f"MEND  database: does not answer: The data folder {folder} cannot be used: Read-only file system"
                in told
            )
            assert "Mount its disk so that it can be written" in told
            for command in (["verify"], ["backup", str(tmp_path / "x.backup")], ["user", "list"]):
                refused = made.command(*command)
                assert (refused.returncode, "Traceback" in refused.stderr) == (1, False), command
                assert f"{folder} cannot be used: Read-only file system" in refused.stderr, command

    def test_a_full_disk_is_told_and_work_goes_on_when_there_is_room_again(
        self, start: Start, tmp_path: Path
    ) -> None:
        disk = tmp_path / "disk"
        disk.mkdir()
        with mounted(disk, "size=300m,mode=0700"):
            made = start(folder=disk / "data").ready()
            assert until(made.well)
            fill(disk / "filler")
            assert until(lambda: made.health()[0] == 503)
            (problem, *_) = made.health()[1]["problems"]
            assert problem["code"] == "disk_full"
            told = made.command("doctor")
            assert told.returncode == 1
            assert "MEND  writing: The disk of the console is full" in told.stdout
            (disk / "filler").unlink()
            assert until(made.well)
            assert (
                made.command(
                    "user", "create", "ana@example.com", "--role", "lead", "--team", "operations"
                ).returncode
                == 0
            )
            assert made.stop() == 0


def fill(file: Path) -> None:
    """A file that takes all the room there is."""
    with file.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while filler.write(bytes(2**18)):
            pass


class mounted:  # noqa: N801 (reads as a verb)
    """A small disk at that place; where this is no root's to mount, the folder takes no files while the block lasts."""

    def __init__(self, folder: Path, options: str) -> None:
        self.folder, self.options = folder, options

    def __enter__(self) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", self.options, "tmpfs", self.folder], check=True)

    def __exit__(self, *_: object) -> None:
        until(lambda: not Embedded(self.folder / "data").running)
        subprocess.run(["umount", "-l", self.folder], check=True)
