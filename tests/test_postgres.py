"""The embedded server under everything that happened to it once: many starts, kills, stale pids, odd folders, root and not."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from console.infra import postgres
from console.infra.postgres import Embedded, PostgresError

pytestmark = pytest.mark.slow

PATIENCE_S = 90


def until(true: Callable[[], bool]) -> bool:
    """Whether it became true while a slow machine would still be forgiven."""
    deadline = time.monotonic() + PATIENCE_S
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def guards(folder: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(folder / "postgres" / "users.lock") in (process.info["cmdline"] or [])
    ]


def answer(
    server: Embedded, role: str = "console", database: str = "console", sql: str = "select 1"
) -> object:
    with psycopg.connect(server.url(role, database), autocommit=True) as connection:
        row = connection.execute(sql).fetchone()
        return row[0] if row else None


def user(
    folder: Path,
    deed: str = "print(server.pid, flush=True); sys.stdin.read()",
    *,
    prefix: tuple[str, ...] = (),
) -> subprocess.Popen[str]:
    """Another process that uses the server of this folder."""
    script = f"import sys; from pathlib import Path; from console.infra.postgres import Embedded; server = Embedded(Path(sys.argv[1]), durable=False).acquire(); {deed}"
    environment = os.environ | {"PYTHONPATH": str(Path(postgres.__file__).parents[2])}
    return subprocess.Popen(
        [*prefix, sys.executable, "-P", "-c", script, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


def end(process: subprocess.Popen[str], number: signal.Signals = signal.SIGKILL) -> None:
    process.send_signal(number)
    process.communicate()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Embedded]:
    """A running server of this test alone."""
    made = Embedded(tmp_path / "data", durable=False).acquire()
    yield made
    made.release()
    assert until(lambda: not made.running)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """A server for the tests that leave it as it was."""
    made = Embedded(tmp_path_factory.mktemp("shared"), durable=False).acquire()
    yield made
    made.release()


class TestRolesAndDatabases:
    def test_the_application_can_neither_make_nor_become_anything(self, shared: Embedded) -> None:
        assert answer(shared, sql="select current_user") == "console"
        for refused in (
            "create table x ()",
            "create schema x",
            "create role x",
            "create database x",
            "set role console_owner",
            "alter role console superuser",
            "create temp table x ()",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                answer(shared, sql=refused)

    def test_migrations_act_as_the_owner_whom_nobody_can_be(self, shared: Embedded) -> None:
        with psycopg.connect(shared.url("postgres"), options="-crole=console_owner") as connection:
            connection.execute("create schema mine")
            assert connection.execute("select current_user").fetchone() == ("console_owner",)
        assert (
            shared.sql("select rolcanlogin, rolsuper from pg_roles where rolname = 'console_owner'") == "f|f"
        )
        with pytest.raises(PostgresError, match="no password of the database role console_owner"):
            shared.url("console_owner")

    def test_passwords_are_private_and_needed(self, shared: Embedded) -> None:
        files = list((shared.home / "passwords").iterdir())
        assert {(file.name, oct(file.stat().st_mode)[-3:]) for file in files} == {
            ("postgres", "600"),
            ("console", "600"),
        }
        secret = (shared.home / "passwords" / "console").read_text()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(shared.url().replace(secret, "guess"))

    def test_order_and_letters_are_the_same_on_every_machine(self, shared: Embedded) -> None:
        assert (
            shared.sql(
                "select upper('äé'), datcollate, datlocprovider, pg_encoding_to_char(encoding) from pg_database where datname = 'console'"
            )
            == "ÄÉ|C|b|UTF8"
        )

    def test_another_database_has_its_own_role_and_password_once_and_for_all(self, shared: Embedded) -> None:
        first = shared.create_database("fernwick_core", "fernwick_core")
        with psycopg.connect(first) as connection:
            connection.execute("create table customer ()")
        assert shared.create_database("fernwick_core", "fernwick_core") == first
        assert answer(shared, "fernwick_core", "fernwick_core", "select count(*) from customer") == 0
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            answer(shared, "fernwick_core", "console")
        with psycopg.connect(first):
            shared.drop_database("fernwick_core")
        shared.drop_database("fernwick_core")
        assert shared.sql("select count(*) from pg_database where datname = 'fernwick_core'") == "0"

    @pytest.mark.parametrize(
        "name", ["", "Fernwick", 'a"; drop database console; --', "x" * 64, "1st", "a b"]
    )
    def test_a_name_that_needs_quoting_is_refused(self, shared: Embedded, name: str) -> None:
        with pytest.raises(PostgresError, match="no name for a role or database"):
            shared.drop_database(name)

    def test_what_the_server_refuses_is_told(self, shared: Embedded) -> None:
        with pytest.raises(PostgresError, match='relation "nothing" does not exist'):
            shared.sql("select * from nothing")

    def test_there_is_no_network(self, shared: Embedded) -> None:
        assert shared.sql("show listen_addresses") == ""
        assert shared.pid is not None
        assert not psutil.Process(shared.pid).net_connections("inet")


class TestUsers:
    def test_eight_starts_at_once_make_one_server_that_goes_with_the_last(self, tmp_path: Path) -> None:
        users = [user(tmp_path) for _ in range(8)]
        pids = {int(process.stdout.readline()) for process in users if process.stdout}
        assert len(pids) == 1
        pid = pids.pop()
        assert len(guards(tmp_path)) == 1
        for process in users[:4]:
            end(process)
        for process in users[4:7]:
            end(process, signal.SIGTERM)
        assert not gone(pid)
        end(users[7])
        assert until(lambda: gone(pid))
        assert until(lambda: not guards(tmp_path))

    def test_a_second_user_joins_and_the_first_may_leave(self, server: Embedded) -> None:
        second = Embedded(server.home.parent, durable=False).acquire()
        pid = server.pid
        server.release()
        assert answer(second) == 1
        assert second.pid == pid
        server.acquire()
        second.release()
        assert server.pid == pid

    def test_whoever_comes_while_it_stops_starts_it_again(self, tmp_path: Path) -> None:
        for _ in range(5):
            process = user(tmp_path, "print(server.sql('select 1'))")
            assert process.communicate()[0] == "1\n"
            assert process.returncode == 0

    def test_a_killed_server_comes_back_with_what_it_held(self, server: Embedded) -> None:
        with psycopg.connect(server.url("postgres")) as connection:
            connection.execute("create table kept as select 1 as one")
        pid = server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert until(lambda: gone(pid))
        server.ensure()
        assert server.pid != pid
        assert answer(server, "postgres", sql="select one from kept") == 1

    def test_a_killed_guard_is_replaced(self, server: Embedded) -> None:
        assert until(lambda: bool(guards(server.home.parent)))
        (guard,) = guards(server.home.parent)
        guard.kill()
        assert until(lambda: gone(guard.pid))
        server.ensure()
        assert until(
            lambda: any(
                process.pid != guard.pid and not gone(process.pid) for process in guards(server.home.parent)
            )
        )
        (other,) = [process for process in guards(server.home.parent) if not gone(process.pid)]
        assert other.pid != guard.pid
        server.ensure()
        assert len(guards(server.home.parent)) == 1

    def test_guard_and_server_and_users_killed_at_once_leave_a_folder_that_starts(
        self, tmp_path: Path
    ) -> None:
        process = user(tmp_path)
        assert process.stdout
        pid = int(process.stdout.readline())
        (guard,) = guards(tmp_path)
        for victim in (guard.pid, process.pid, pid):
            os.kill(victim, signal.SIGKILL)
        process.communicate()
        assert until(lambda: gone(pid))
        again = Embedded(tmp_path, durable=False).acquire()
        assert answer(again) == 1
        again.release()

    @pytest.mark.parametrize("interrupted", ["cluster.new", "unprepared"])
    def test_a_first_start_that_was_interrupted_is_finished(self, tmp_path: Path, interrupted: str) -> None:
        if interrupted == "cluster.new":
            (tmp_path / "postgres" / "cluster.new" / "base").mkdir(parents=True)
            (tmp_path / "postgres").chmod(0o700)
        server = Embedded(tmp_path, durable=False).acquire()
        if interrupted == "unprepared":
            (server.cluster / "handrail.prepared").unlink()
            server.sql("drop database console; drop role console")
            server.ensure()
        assert answer(server) == 1
        server.release()


class TestStalePids:
    def stopped(self, folder: Path) -> tuple[Embedded, list[str]]:
        """A cluster whose server was killed, and the lines of the pid file that it left."""
        server = Embedded(folder, durable=False).acquire()
        lines = (server.cluster / "postmaster.pid").read_text().splitlines()
        pid = server.pid
        assert pid is not None
        (guard,) = guards(folder)
        guard.kill()
        os.kill(pid, signal.SIGKILL)
        server.release()
        assert until(lambda: gone(pid))
        return server, lines

    def test_another_program_with_the_old_pid_is_no_server_and_is_left_alone(self, tmp_path: Path) -> None:
        server, lines = self.stopped(tmp_path)
        other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        (server.cluster / "postmaster.pid").write_text("\n".join([str(other.pid), *lines[1:], ""]))
        (server.cluster / ".s.PGSQL.5432.lock").write_text("\n".join([str(other.pid), *lines[1:5], ""]))
        assert not server.running
        server.acquire()
        assert answer(server) == 1
        assert other.poll() is None
        server.stop()
        assert other.poll() is None
        server.release()
        other.communicate(b"\n")

    @pytest.mark.parametrize("left", [True, False], ids=["killed", "no pid file"])
    def test_a_socket_that_was_copied_with_the_folder_stops_no_start(
        self, tmp_path: Path, left: bool
    ) -> None:
        """Its lock names a process that lives: the server of the original, or who has that pid by now."""
        server, lines = self.stopped(tmp_path)
        if not left:
            (server.cluster / "postmaster.pid").unlink()
        other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        (server.cluster / ".s.PGSQL.5432.lock").write_text("\n".join([str(other.pid), *lines[1:5], ""]))
        server.acquire()
        assert answer(server) == 1
        server.stop()
        assert other.poll() is None
        server.release()
        other.communicate(b"\n")

    def test_a_zombie_with_the_old_pid_is_no_server(self, tmp_path: Path) -> None:
        server, lines = self.stopped(tmp_path)
        zombie = subprocess.Popen(["true"])
        assert until(lambda: psutil.Process(zombie.pid).status() == psutil.STATUS_ZOMBIE)
        (server.cluster / "postmaster.pid").write_text("\n".join([str(zombie.pid), *lines[1:], ""]))
        server.acquire()
        assert answer(server) == 1
        zombie.wait()
        server.release()

    @pytest.mark.parametrize("content", ["", "no number\n" * 8, "1\n"])
    def test_a_torn_pid_file_is_no_server(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "postgres" / "cluster").mkdir(parents=True)
        (tmp_path / "postgres" / "cluster" / "postmaster.pid").write_text(content)
        assert not Embedded(tmp_path).running
        assert Embedded(tmp_path).pid is None


class TestFolders:
    @pytest.mark.parametrize(
        "name", ["with blank 'and' \"quotes\"", "comma, and $HOME `id`", "long-" + "x" * 120, "Zürich ％"]
    )
    def test_its_name_may_hold_anything(self, tmp_path: Path, name: str) -> None:
        server = Embedded(tmp_path / name, durable=False).acquire()
        assert answer(server) == 1
        done = subprocess.run(
            [postgres.binaries() / "psql", server.url(), "-Atc", "select 2"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "2\n"
        server.release()
        assert until(lambda: not server.running)
        assert server._socket_folder() == server.cluster or until(
            lambda: not server._socket_folder().exists()
        ), "nothing is left"

    def test_one_below_private_folders_stays_private(self, tmp_path: Path) -> None:
        private = tmp_path / "home"
        private.mkdir(mode=0o700)
        server = Embedded(private / "data", durable=False).acquire()
        assert answer(server) == 1
        assert oct(private.stat().st_mode)[-3:] == "700"
        assert oct(server.home.stat().st_mode)[-3:] == "700"
        server.release()

    def test_one_that_is_a_file_or_cannot_be_made_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(PostgresError, match="cannot be used: .*Give another one with CONSOLE_DATA_DIR"):
            Embedded(tmp_path / "file").acquire()

    def test_a_disk_that_is_nearly_full_is_told_before_anything_is_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(postgres, "LEAST_FREE_BYTES", 2**60)
        with pytest.raises(PostgresError, match="MB free; the database needs"):
            Embedded(tmp_path).acquire()
        assert not (tmp_path / "postgres" / "cluster").exists()

    def test_a_server_that_does_not_start_on_a_full_disk_says_how_much_is_free(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(postgres, "LEAST_FREE_BYTES", 0)
        Embedded(tmp_path).acquire().stop()
        monkeypatch.setattr(postgres, "LEAST_FREE_BYTES", 2**60)
        (tmp_path / "postgres/cluster/postgresql.conf").write_text("nonsense")
        with pytest.raises(PostgresError, match="MB are free: make room"):
            Embedded(tmp_path).acquire()

    def test_a_cluster_of_another_release_is_not_touched(self, tmp_path: Path) -> None:
        (tmp_path / "postgres" / "cluster").mkdir(parents=True)
        (tmp_path / "postgres" / "cluster" / "PG_VERSION").write_text("17\n")
        with pytest.raises(
            PostgresError, match="PostgreSQL 17 and this release brings 18: make a `console backup`"
        ):
            Embedded(tmp_path).acquire()

    def test_a_copy_without_its_passwords_is_told(self, server: Embedded, tmp_path: Path) -> None:
        server.stop()
        copy = tmp_path / "copy"
        shutil.copytree(server.home / "cluster", copy / "postgres" / "cluster")
        (copy / "postgres").chmod(0o700)
        moved = Embedded(copy, durable=False).acquire()
        with pytest.raises(PostgresError, match="not a whole copy"):
            moved.url()
        moved.release()
        server.ensure()

    def test_settings_are_written_at_each_start_and_the_users_own_come_after(self, server: Embedded) -> None:
        with (server.cluster / "postgresql.conf").open("a") as configuration:
            configuration.write("max_connections = 33\n")
        (server.cluster / "handrail.conf").write_text("nonsense")
        server.stop()
        server.ensure()
        assert server.sql("show max_connections; show fsync; show jit") == "33\noff\noff"


class TestWhoItRunsAs:
    def test_never_as_root(self, shared: Embedded) -> None:
        assert shared.pid is not None
        process = psutil.Process(shared.pid)
        if os.getuid() == 0:
            inside = Path(f"/proc/{shared.pid}/uid_map").read_text().split()
            assert inside[0] == str(postgres.NOBODY) or process.uids().real == postgres.NOBODY
        else:
            assert process.uids().real == os.getuid()

    def test_root_without_user_namespaces_gives_nobody_the_cluster_alone(self, tmp_path: Path) -> None:
        """As in a container that forbids them; a user other than root has no such case, and is served as itself."""
        if os.getuid() != 0:
            assert postgres._prefix() == ()
            return
        forbidden = tmp_path / "bin"
        forbidden.mkdir()
        (forbidden / "unshare").write_text("#!/bin/sh\nexit 1\n")
        (forbidden / "unshare").chmod(0o755)
        script = textwrap.dedent("""
            import os, psutil, sys
            from pathlib import Path
            from console.infra.postgres import Embedded
            server = Embedded(Path(sys.argv[1]), durable=False).acquire()
            print(psutil.Process(server.pid).uids().real, server.cluster.stat().st_uid, server.home.stat().st_uid, server.sql("select 1"))
        """)
        environment = os.environ | {
            "PATH": f"{forbidden}:{os.environ['PATH']}",
            "PYTHONPATH": str(Path(postgres.__file__).parents[2]),
        }
        folder = tmp_path / "da ta"
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-P", "-c", script, str(folder)],
                capture_output=True,
                text=True,
                env=environment,
                check=False,
            )
            assert done.stdout.split() == [str(postgres.NOBODY), str(postgres.NOBODY), "0", "1"], done.stderr
            assert until(lambda: not Embedded(folder).running)
        back = Embedded(
            folder, durable=False
        ).acquire()  # and where they are allowed again it is root's once more
        assert answer(back) == 1
        assert back.cluster.stat().st_uid == 0
        back.release()

    @pytest.mark.parametrize("number", [65534, 65533])
    def test_an_ordinary_user_with_or_without_a_name_has_a_server_and_nothing_of_roots(
        self, tmp_path: Path, number: int
    ) -> None:
        """Run by an ordinary user this is that user's own, twice."""
        root = os.getuid() == 0
        folder = Path(
            tempfile.mkdtemp(prefix="handrail-test-")
        )  # outside the suite's folder, which is root's alone
        prefix: tuple[str, ...] = ()
        if root:
            read = "dac_read_search"  # the interpreter and the checkout may be below a private home
            prefix = (
                "setpriv",
                f"--reuid={number}",
                f"--regid={number}",
                "--clear-groups",
                f"--inh-caps=+{read}",
                f"--ambient-caps=+{read}",
                "--",
            )
            os.chown(folder, number, number)
        try:
            process = user(folder / "data", "print(server.sql('select 1'))", prefix=prefix)
            assert process.communicate()[0] == "1\n"
            assert until(lambda: not Embedded(folder / "data").running)
            if root:
                assert (folder / "data" / "postgres" / "cluster").stat().st_uid == number
                (tmp_path / "roots" / "postgres").mkdir(parents=True)
                refused = user(tmp_path / "roots", "print(1)", prefix=prefix)
                assert refused.communicate()[0] == ""
        finally:
            shutil.rmtree(folder)


def test_what_is_secret_does_not_reach_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSOLE_MASTER_KEY", "x")
    monkeypatch.setenv("DATABASE_URL", "x")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    told = postgres.clean_environment()
    assert told["LC_ALL"] == "C"
    assert not [name for name in told if name.startswith(("CONSOLE_", "DATABASE_", "PG"))]


def test_without_the_wheel_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(PostgresError, match="run bin/setup, or set DATABASE_URL"):
        postgres.binaries.__wrapped__()
