"""Parts of the embedded server that need no server: names, literals, URLs and lines of the pid file."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.infra import postgres
from console.infra.postgres import IMPOSSIBLE_PID, LONGEST_SOCKET, PORT, Embedded, PostgresError
from tests.tables import cases


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose name is short enough for a socket within a cluster, however deep the folder of the test is."""
    with tempfile.TemporaryDirectory(dir="/tmp") as made:
        yield Path(made)


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
    ids=[
        "empty",
        "word",
        "quote",
        "quotes",
        "within",
        "script",
        "double",
        "backslash",
        "both",
        "line",
        "percent",
        "dollars",
        "letters",
    ],
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
    ("name", "owner"),
    [("Shop", "a"), ("shop", "A"), ("a'b", "a"), ("a", "")],
    ids=["name", "owner", "quote", "empty"],
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
def test_the_pid_of_another_program_is_crossed_out_and_the_rest_stays(short: Path, sign: str) -> None:
    """What the file names may be that of the folder which this one was copied from: it is not touched."""
    sockets = short / "sockets"
    sockets.mkdir()
    (sockets / ".s.PGSQL.5432.lock").touch()
    server = folder(short, f"{sign}{os.getpid()}", *WHOLE[1:4], str(sockets), *WHOLE[5:])
    assert server._state() == "gone"
    assert server._pid_lines() == [str(IMPOSSIBLE_PID), *WHOLE[1:4], str(sockets), *WHOLE[5:]]
    assert (sockets / ".s.PGSQL.5432.lock").exists()
    assert server._state() == "gone", "and so it stays"


# -- URLs and passwords


@pytest.mark.parametrize(
    ("secret", "written"),
    [
        ("abc", "abc"),
        ("a/b", "a%2Fb"),
        ("a@b", "a%40b"),
        ("a:b", "a%3Ab"),
        ("a b", "a%20b"),
        ("a+b", "a%2Bb"),
        ("a%b", "a%25b"),
        ("a?b#c", "a%3Fb%23c"),
    ],
    ids=["plain", "slash", "at", "colon", "blank", "plus", "percent", "query"],
)
def test_a_password_is_quoted_in_the_url(short: Path, secret: str, written: str) -> None:
    server = folder(short, *WHOLE)
    password(server, "console", f"{secret}\n")
    assert server.url() == f"postgresql://console:{written}@/console?host={server.cluster}&port=5432"


@pytest.mark.parametrize(
    ("host", "written"),
    [
        ("/a b", "/a%20b"),
        ("/a&b", "/a%26b"),
        ("/a+b", "/a%2Bb"),
        ("/a%b", "/a%25b"),
        ("/ž", "/%C5%BE"),
        ("/a#b", "/a%23b"),
    ],
    ids=["blank", "and", "plus", "percent", "letter", "hash"],
)
def test_a_folder_is_quoted_in_the_url(tmp_path: Path, host: str, written: str) -> None:
    sockets = tmp_path / host[1:]
    sockets.mkdir()
    (sockets / ".s.PGSQL.5432").touch()
    server = folder(
        tmp_path,
        WHOLE[0],
        str(tmp_path / "data" / "postgres" / "cluster"),
        *WHOLE[2:4],
        str(sockets),
        *WHOLE[5:],
    )
    password(server, "shop", "p")
    assert server.url("shop", "a/b") == f"postgresql://shop:p@/a%2Fb?host={tmp_path}{written}&port=5432"


def test_a_socket_that_only_the_pid_file_of_another_folder_names_is_none_of_ours(short: Path) -> None:
    sockets = short / "sockets"
    sockets.mkdir()
    (sockets / ".s.PGSQL.5432").touch()
    server = folder(short, WHOLE[0], "/srv/original/postgres/cluster", *WHOLE[2:4], str(sockets), *WHOLE[5:])
    assert server.socket == server.cluster


# -- configuration and logs


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
    assert (
        f"unix_socket_directories = '\"/srv/{written}\"'\n" in (server.cluster / "handrail.conf").read_text()
    )
