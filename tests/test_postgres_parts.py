"""Parts of the embedded server that need no server: names, literals, the socket's folder, URLs and lines of the pid file."""

import os
from pathlib import Path

import pytest

from console import postgres
from console.postgres import CONFIGURATION, FORGETFUL, IMPOSSIBLE_PID, LONGEST_SOCKET, PORT, Embedded, PostgresError
from tests.tables import cases


def folder(tmp_path: Path, *lines: str, torn: bool = False) -> Embedded:
    """A server's folder with these lines in its pid file; none: without the file."""
    server = Embedded(tmp_path / "data")
    server.cluster.mkdir(parents=True)
    if lines:
        (server.cluster / "postmaster.pid").write_text("\n".join(lines) + ("" if torn else "\n"))
    return server


def password(server: Embedded, role: str, text: str) -> None:
    (server.home / "passwords").mkdir(exist_ok=True)
    (server.home / "passwords" / role).write_text(text, encoding="ascii")


@cases("name", ["a", "_", "console", "console_owner", "a1", "_1", "x" * 63, "select", "a_b_c"])
def test_a_plain_name_is_quoted(name: str) -> None:
    assert postgres._name(name) == f'"{name}"'


@cases(
    "name",
    [
        "", " ", "A", "Console", "1a", "a-b", "a.b", "a b", 'a"b', "a'b", "a;b", "a\n", "\na", "a\0", "é", "ß", "x" * 64, "a$b", "a\\b", "a--",
        "$$", "a/b", "a%b", "имя",
    ],
    ids=str.__repr__,
)  # fmt: skip
def test_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(PostgresError) as caught:
        postgres._name(name)
    assert repr(name) in caught.value.message
    assert caught.value.status == 503
    assert caught.value.code == "database_down"


@cases(
    ("text", "literal"),
    [
        ("", "''"),
        ("a", "'a'"),
        ("'", "''''"),
        ("''", "''''''"),
        ("it's", "'it''s'"),
        ("'; drop table a; --", "'''; drop table a; --'"),
        ('"', "'\"'"),
        ("\\", "'\\'"),
        ("\\'", "'\\'''"),
        ("a\nb", "'a\nb'"),
        ("%s", "'%s'"),
        ("$$", "'$$'"),
        ("ąž", "'ąž'"),
    ],
    ids=["empty", "word", "quote", "quotes", "within", "script", "double", "backslash", "both", "line", "percent", "dollars", "letters"],
)
def test_a_literal(text: str, literal: str) -> None:
    assert postgres._literal(text) == literal
    assert postgres._literal(text)[1:-1].replace("''", "'") == text


@pytest.mark.parametrize("options", ["nologin", "login password 'x'"], ids=["nologin", "login"])
def test_a_role_is_made_once_and_always_set(options: str) -> None:
    made = postgres._role_sql("console", options)
    assert made.startswith('do $$ begin create role "console"; exception when duplicate_object')
    assert made.endswith(f'alter role "console" {options};')


def test_a_database_is_made_where_there_is_none() -> None:
    made = postgres._database_sql("shop", "owner_1")
    assert made.startswith('select \'create database "shop" owner "owner_1"\' where not exists')
    assert "datname = 'shop'" in made
    assert made.endswith("\\gexec\n")


@pytest.mark.parametrize(
    ("name", "owner"), [("Shop", "a"), ("shop", "A"), ("a'b", "a"), ("a", "")], ids=["name", "owner", "quote", "empty"]
)
def test_a_database_with_a_bad_name_or_owner_is_refused(name: str, owner: str) -> None:
    with pytest.raises(PostgresError):
        postgres._database_sql(name, owner)


# -- where the socket is


def at(length: int) -> Embedded:
    """A server whose socket in its own folder would have a path of `length` bytes."""
    rest = len(os.fsencode("//postgres/cluster/" + f".s.PGSQL.{PORT}"))
    return Embedded(Path("/" + "d" * (length - rest)))


@cases(("length", "own"), [(40, True), (102, True), (103, True), (104, False), (107, False), (400, False)])
def test_a_socket_stands_in_the_cluster_while_its_path_is_short(length: int, own: bool) -> None:
    server = at(length)
    assert len(os.fsencode(server.cluster / f".s.PGSQL.{PORT}")) == length
    assert (server._socket_folder() == server.cluster) is own
    assert own is (length <= LONGEST_SOCKET)


@cases(
    ("name", "own"),
    [
        ("plain", True),
        ("with blank", True),
        ("it's", True),
        ('"quoted"', True),
        ("a,b", False),
        (",", False),
        ("ž" * 20, True),
        ("ž" * 40, False),
        ("%", True),
        ("a=b", True),
    ],
    ids=["plain", "blank", "quote", "double", "comma", "comma only", "bytes fit", "bytes do not", "percent", "equals"],
)
def test_a_comma_and_bytes_decide_too(name: str, own: bool) -> None:
    server = Embedded(Path("/srv") / name)
    assert (server._socket_folder() == server.cluster) is own


def test_the_short_folder_is_the_same_each_time_and_another_for_another_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/somebody")
    one, again, other = at(200)._socket_folder(), at(200)._socket_folder(), at(201)._socket_folder()
    assert one == again != other
    assert one.parent == other.parent == Path("/run/somebody")
    assert one.name.startswith(f"handrail-{os.getuid()}-")
    assert len(one.name.rpartition("-")[2]) == 12


@pytest.mark.parametrize("told", [None, ""], ids=["unset", "empty"])
def test_without_a_runtime_folder_it_is_among_temporary_ones(told: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    if told is not None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", told)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert at(200)._socket_folder().parent == tmp_path


def test_a_relative_folder_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Embedded(Path("data")).cluster == tmp_path / "data" / "postgres" / "cluster"


# -- the pid file

WHOLE = ("1", "/srv/cluster", "1700000000", "5432", "/srv/sockets", "", "  1 2", "ready   ")


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("",),
        ("7",),
        WHOLE[:7],
        ("", *WHOLE[1:]),
        ("x", *WHOLE[1:]),
        ("1.5", *WHOLE[1:]),
        ("- 1", *WHOLE[1:]),
        ("0x1", *WHOLE[1:]),
        (str(IMPOSSIBLE_PID), *WHOLE[1:]),
        (f"-{IMPOSSIBLE_PID}", *WHOLE[1:]),
    ],
    ids=[
        "no file",
        "empty",
        "pid only",
        "seven lines",
        "no pid",
        "a letter",
        "a fraction",
        "a blank",
        "hexadecimal",
        "nobody",
        "nobody alone",
    ],
)
def test_a_pid_file_that_names_no_process_is_no_server(tmp_path: Path, lines: tuple[str, ...]) -> None:
    server = folder(tmp_path, *lines)
    assert server._state() == "gone"
    assert not server.running
    assert server.pid is None
    assert not server._settled()


@pytest.mark.parametrize("sign", ["", "-"], ids=["server", "single"])
def test_the_pid_of_another_program_is_crossed_out_and_the_rest_stays(tmp_path: Path, sign: str) -> None:
    """And the lock of our own socket goes; what the file names may be that of the folder which this one was copied from."""
    sockets = tmp_path / "sockets"
    sockets.mkdir()
    (sockets / ".s.PGSQL.5432.lock").touch()
    server = folder(tmp_path, f"{sign}{os.getpid()}", *WHOLE[1:4], str(sockets), *WHOLE[5:])
    own = server._socket_folder() / ".s.PGSQL.5432.lock"
    own.touch()
    assert server._state() == "gone"
    assert server._pid_lines() == [str(IMPOSSIBLE_PID), *WHOLE[1:4], str(sockets), *WHOLE[5:]]
    assert not own.exists()
    assert (sockets / ".s.PGSQL.5432.lock").exists()
    assert server._state() == "gone", "and so it stays"


@pytest.mark.parametrize("torn", [True, False], ids=["torn", "whole"])
def test_lines_are_read_with_or_without_the_last_break(tmp_path: Path, torn: bool) -> None:
    assert folder(tmp_path, *WHOLE, torn=torn)._pid_lines() == list(WHOLE)


def test_stopping_what_does_not_run_does_nothing(tmp_path: Path) -> None:
    server = folder(tmp_path)
    server.stop()
    server.release()
    assert server.users is None


# -- URLs and passwords


@pytest.mark.parametrize(
    ("secret", "written"),
    [("abc", "abc"), ("a/b", "a%2Fb"), ("a@b", "a%40b"), ("a:b", "a%3Ab"), ("a b", "a%20b"), ("a+b", "a%2Bb"), ("a%b", "a%25b"), ("a?b#c", "a%3Fb%23c")],
    ids=["plain", "slash", "at", "colon", "blank", "plus", "percent", "query"],
)  # fmt: skip
def test_a_password_is_quoted_in_the_url(tmp_path: Path, secret: str, written: str) -> None:
    server = folder(tmp_path, *WHOLE)
    password(server, "console", f"{secret}\n")
    assert server.url() == f"postgresql://console:{written}@/console?host={server.cluster}&port=5432"


@pytest.mark.parametrize(
    ("host", "written"),
    [("/a b", "/a%20b"), ("/a&b", "/a%26b"), ("/a+b", "/a%2Bb"), ("/a%b", "/a%25b"), ("/ž", "/%C5%BE"), ("/a#b", "/a%23b")],
    ids=["blank", "and", "plus", "percent", "letter", "hash"],
)
def test_a_folder_is_quoted_in_the_url(tmp_path: Path, host: str, written: str) -> None:
    sockets = tmp_path / host[1:]
    sockets.mkdir()
    (sockets / ".s.PGSQL.5432").touch()
    server = folder(tmp_path, WHOLE[0], str(tmp_path / "data" / "postgres" / "cluster"), *WHOLE[2:4], str(sockets), *WHOLE[5:])
    password(server, "shop", "p")
    assert server.url("shop", "a/b") == f"postgresql://shop:p@/a%2Fb?host={tmp_path}{written}&port=5432"


def test_a_socket_that_only_the_pid_file_of_another_folder_names_is_none_of_ours(tmp_path: Path) -> None:
    sockets = tmp_path / "sockets"
    sockets.mkdir()
    (sockets / ".s.PGSQL.5432").touch()
    server = folder(tmp_path, WHOLE[0], "/srv/original/postgres/cluster", *WHOLE[2:4], str(sockets), *WHOLE[5:])
    assert server.socket == server.cluster


def test_without_a_server_the_url_is_what_it_will_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = folder(tmp_path)
    password(server, "console", "p")
    monkeypatch.setattr(server, "cluster", Path("/srv/cluster"))
    assert server.url() == f"postgresql://console:p@/console?host=/srv/cluster&port={PORT}"


@pytest.mark.parametrize("role", ["console", "postgres", "shop"])
def test_a_role_without_a_password_is_told_by_name(tmp_path: Path, role: str) -> None:
    with pytest.raises(PostgresError, match=f"no password of the database role {role} in .*not a whole copy"):
        folder(tmp_path, *WHOLE).url(role)


# -- configuration and logs


@pytest.mark.parametrize("durable", [True, False], ids=["durable", "forgetful"])
def test_only_tests_forget(tmp_path: Path, durable: bool) -> None:
    server = Embedded(tmp_path, durable=durable)
    server.cluster.mkdir(parents=True)
    server._write_configuration()
    written = (server.cluster / "handrail.conf").read_text().splitlines()
    assert written[0].startswith("# Written at each start")
    assert {f"{name} = {value}" for name, value in CONFIGURATION.items()} <= set(written)
    assert all((f"{name} = {value}" in written) is not durable for name, value in FORGETFUL.items())


@pytest.mark.parametrize(
    ("name", "written"),
    [("plain", "plain"), ("it's", "it''s"), ('a"b', 'a""b'), ("a b", "a b"), ("a'\"b", "a''\"\"b")],
    ids=["plain", "quote", "double", "blank", "both"],
)
def test_the_folder_of_the_socket_is_quoted_for_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, written: str
) -> None:
    server = folder(tmp_path)
    monkeypatch.setattr(server, "_socket_folder", lambda: Path("/srv") / name)
    server._write_configuration()
    assert f"unix_socket_directories = '\"/srv/{written}\"'\n" in (server.cluster / "handrail.conf").read_text()


@pytest.mark.parametrize(
    ("early", "logs", "last"),
    [
        (None, [], []),
        ("a\nb\n", [], ["a", "b"]),
        ("1\n2\n3\n4\n5\n6\n", [], ["3", "4", "5", "6"]),
        (None, ["x\ny\n"], ["x", "y"]),
        ("a\n", ["old\n", "new\n"], ["a", "new"]),
        ("", ["1\n2\n3\n4\n5"], ["2", "3", "4", "5"]),
    ],
    ids=["nothing", "early", "the last four", "log", "the newest log", "four of the log"],
)
def test_the_last_lines_of_what_the_server_said(tmp_path: Path, early: str | None, logs: list[str], last: list[str]) -> None:
    server = folder(tmp_path)
    if early is not None:
        (server.home / "pg.log").write_text(early)
    (server.cluster / "log").mkdir()
    for number, text in enumerate(logs):
        log = server.cluster / "log" / f"{number}.log"
        log.write_text(text)
        os.utime(log, (1_000 + number, 1_000 + number))
    assert server._last_lines() == last


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("PATH_TO_X", True),
        ("HOME_OF_X", True),
        ("TZ_X", True),
        ("PGHOST", False),
        ("PGPASSWORD", False),
        ("LC_TIME", False),
        ("LANGUAGE", False),
        ("CONSOLE_MASTER_KEY", False),
        ("DATABASE_URL", False),
        ("DATABASE_MIGRATION_URL", False),
        ("PYTHONPATH", False),
        ("PYTHONSTARTUP", False),
    ],
)
def test_what_the_servers_tools_are_told(monkeypatch: pytest.MonkeyPatch, name: str, kept: bool) -> None:
    monkeypatch.setenv(name, "x")
    assert (name in postgres.clean_environment()) is kept
    assert postgres.clean_environment()["LC_ALL"] == "C"


def test_a_user_number_without_a_name() -> None:
    assert postgres._named(0)
    assert not postgres._named(2**31 - 7)


def test_the_guard_is_a_program() -> None:
    compile(postgres.GUARD, "guard", "exec")
    assert "\n" not in postgres.GUARD
