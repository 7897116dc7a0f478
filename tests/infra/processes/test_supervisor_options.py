"""Options of `console serve`, and the private notes that it leaves."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import psutil
import pytest

from console.infra.processes import supervisor
from tests.tables import cases

DEFAULTS = {
    "host": "127.0.0.1",
    "port": 8000,
    "workers": 1,
    "no_worker": False,
    "demo": False,
    "reset": False,
    "open": False,
}


@cases(
    ("argv", "told"),
    [
        ([], {}),
        (["--host", "0.0.0.0"], {"host": "0.0.0.0"}),
        (["--host", "::1"], {"host": "::1"}),
        (["--host=example.org"], {"host": "example.org"}),
        (["--port", "0"], {"port": 0}),
        (["--port=65535"], {"port": 65535}),
        (["--workers", "1"], {"workers": 1}),
        (["--workers", "64"], {"workers": 64}),
        (["--no-worker"], {"no_worker": True}),
        (["--demo", "--reset"], {"demo": True, "reset": True}),
        (["--open"], {"open": True}),
        (["--port", "1", "--port", "2"], {"port": 2}),
    ],
    ids=str,
)
def test_each_option_and_what_stands_without_it(argv: list[str], told: dict[str, Any]) -> None:
    assert vars(supervisor.arguments().parse_args(argv)) == DEFAULTS | told


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--port", "http"], "--port"),
        (["--port", "80.5"], "--port"),
        (["--port", ""], "--port"),
        (["--port"], "--port"),
        (["--workers", "0"], "takes a number from 1 to 64"),
        (["--workers", "65"], "takes a number from 1 to 64"),
        (["--workers", "-1"], "--workers"),
        (["--workers", "two"], "takes a number from 1 to 64"),
        (["--workers", "1.5"], "takes a number from 1 to 64"),
        (["--workers", "²"], "takes a number from 1 to 64"),
        (["--demo=yes"], "--demo"),
        (["--dem"], "unrecognized arguments: --dem"),
        (["--nope"], "unrecognized arguments: --nope"),
        (["8080"], "unrecognized arguments: 8080"),
    ],
    ids=str,
)
def test_what_it_does_not_take_is_named_and_ends_with_2(
    argv: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        supervisor.arguments().parse_args(argv)
    assert ended.value.code == 2
    told = capsys.readouterr()
    assert words in told.err
    assert told.out == ""
    assert "Traceback" not in told.err


def test_a_private_file_is_written_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "note.json"
    for told in ({"a": 1}, {"ü": [None, "\n"]}):
        supervisor.write_private(file, told)
        assert json.loads(file.read_text(encoding="utf-8")) == told
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [item.name for item in tmp_path.iterdir()] == ["note.json"]


ME = {
    "pid": os.getpid(),
    "started": psutil.Process().create_time(),
    "folder": [],
    "url": "http://127.0.0.1:1",
    "children": {},
}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (json.dumps(ME), [ME]),
        (json.dumps(ME | {"started": 0}), []),
        (json.dumps(ME | {"folder": [1, 2]}), []),
        (json.dumps({name: value for name, value in ME.items() if name != "pid"}), []),
        (json.dumps(ME | {"pid": 2**22 + 1}), []),
        ("", []),
        ("{", []),
        ("\x00\xff", []),
    ],
    ids=[
        "of one that lives",
        "of another with its number",
        "of the original of a copy",
        "without a number",
        "of nobody",
        "empty",
        "torn",
        "no text",
    ],
)
def test_notes_of_those_who_serve_now(tmp_path: Path, content: str, found: list[Any]) -> None:
    (tmp_path / "serving").mkdir()
    here = supervisor.identity(tmp_path)
    (tmp_path / "serving" / "1.json").write_bytes(
        content.replace('"folder": []', f'"folder": {here}').encode("latin-1")
    )
    assert supervisor.serving(tmp_path) == [note | {"folder": here} for note in found]
