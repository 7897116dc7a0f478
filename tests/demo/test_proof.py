"""The log of the demo as it starts proves itself: walked, sealed, verified, exported, verified apart, saved, restored elsewhere and verified again, by the commands that people use."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import console
from tests import demo_folder, warm

ROOT = Path(console.__path__[0]).parent
PATIENCE_S = 150


def environment(data: Path) -> dict[str, str]:
    """That of a person at a terminal who set nothing but the data folder."""
    plain = {
        name: value for name, value in os.environ.items() if not name.startswith(("CONSOLE_", "DATABASE_"))
    }
    return plain | {
        "CONSOLE_DATA_DIR": str(data),
        "CONSOLE_ENV_FILE": os.devnull,
        "CONSOLE_DEMO": "on",
        "PYTHONPATH": str(ROOT),
    }


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of a demo that was loaded before and serves, started as the README says."""
    data = demo_folder.copied(tmp_path_factory, tmp_path_factory.mktemp("proof") / "data")
    said = data.with_name("said.txt")
    with said.open("w") as out:
        command = [str(ROOT / "bin" / "demo"), "--port", "0", "--data", str(data), "--no-browser"]
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=environment(data),
            start_new_session=True,
        )
    try:
        until = time.monotonic() + PATIENCE_S
        while "Handrail on" not in said.read_text() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.1)
        assert "Handrail on" in said.read_text(), said.read_text()
        yield data
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def run(data: Path, *arguments: str, fails: bool = False) -> str:
    """What the command says; it must succeed, or fail where that is the point."""
    done = subprocess.run(
        [warm.python(), "-P", "-m", "console", *arguments],
        env=environment(data),
        capture_output=True,
        text=True,
        check=False,
    )
    assert bool(done.returncode) is fails, (arguments, done.stdout, done.stderr)
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout + done.stderr


def send(url: str, key: str, body: Any = None) -> Any:
    """The JSON answer of the API, to a GET or where there is a body a POST."""
    about = urllib.request.Request(
        url,
        None if body is None else json.dumps(body).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(about, timeout=30) as answer:
        return json.loads(answer.read())


def events(said: str) -> int:
    found = re.match(
        r"verified ([\d,]+) events, complete; values: [\d,]+ shown, 0 erased, 0 expired, 0 masked", said
    )
    assert found, said
    return int(found[1].replace(",", ""))


def test_the_demo_proves_itself(demo: Path, tmp_path: Path) -> None:
    fresh = events(run(demo, "verify"))
    note = json.loads((demo / "demo.json").read_text())
    url = note["url"]
    people = {person["email"].partition("@")[0]: person["email"] for person in note["people"]}
    olivia = run(demo, "apikey", "create", "proof", "--user", people["olivia"]).strip().splitlines()[-1]

    story = next(story for story in note["stories"] if story["workflow"] == "kyc-review")
    given = {"reason": "periodic"}
    case = send(
        f"{url}/api/v1/runs",
        olivia,
        {
            "workflow": story["workflow"],
            "collection": story["collection"],
            "record": story["record"],
            "input": given,
        },
    )
    assert send(f"{url}/api/v1/runs/{case['id']}", olivia)["status"] != "failed"
    told = {
        "who": "Two accounts of this customer",
        "what": "Money goes in and out within the hour.",
        "why": "Nobody could say what for.",
        "indicators": ["rapid_in_out"],
    }
    send(
        f"{url}/api/v1/reports",
        olivia,
        {"workflow": "suspicion-report", "collection": "customer", "record": story["record"], "input": told},
    )
    assert run(demo, "seal").count("\n") >= 4
    walked = events(run(demo, "verify"))
    assert walked > fresh + 10
    assert "The rows are what the log tells." in run(demo, "rebuild", "--check")
    with urllib.request.urlopen(f"{url}/health", timeout=30) as answer:
        assert json.loads(answer.read())["log"] == "ok"
    checks = {check["name"]: check for check in json.loads(run(demo, "doctor", "--format", "json"))["checks"]}
    assert checks["log"]["ok"], checks["log"]

    archive = tmp_path / "log.zip"
    run(demo, "activity", "export", "--out", str(archive))
    with zipfile.ZipFile(archive) as files:
        lines = [json.loads(line) for line in files.read("events.jsonl").splitlines()]
        (tmp_path / "verify.py").write_bytes(files.read("verify.py"))
        key = files.read("key").decode().strip()
    assert {"confidential"} == {line["label"] for line in lines if "label" in line}, (
        "what is confidential is proved too"
    )
    assert {line.get("label") for line in lines if line["run"] == case["id"]} == {None}
    alone = subprocess.run(
        [sys.executable, "-I", str(tmp_path / "verify.py"), str(archive), "--key", key],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert events(alone.stdout) == len(lines) >= walked

    saved, elsewhere = tmp_path / "state.zip", tmp_path / "elsewhere"
    run(demo, "backup", str(saved))
    elsewhere.mkdir(mode=0o755)
    shutil.copytree(demo / "keys", elsewhere / "keys")
    run(elsewhere, "restore", str(saved))
    assert events(run(elsewhere, "verify")) >= len(lines)
    assert "The rows are what the log tells." in run(elsewhere, "rebuild", "--check")
