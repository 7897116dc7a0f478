"""Installed from the files of a release alone, in an empty folder with nothing of the checkout: by uv, over an older one, and as the container file does it."""

import json
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.release.conftest import ROOT, VERSION, Release, clean, run
from tests.test_serve import until

UV = ROOT / ".venv/bin/uv"
PATIENCE_S = 300
ADDRESS = re.compile(r"^Handrail on (\S+)$", re.MULTILINE)
SYSTEM = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


def install(release: Release, folder: Path) -> Path:
    """As docs/how-to/install.md says: the locked packages with their hashes, then the wheel. Return the folder of commands."""
    run(UV, "venv", "--quiet", folder, cwd=release.folder)
    pip = (UV, "pip", "install", "--quiet", "--python", folder / "bin/python")
    run(*pip, "--require-hashes", "-r", release.file("-requirements.txt"), cwd=release.folder)
    run(*pip, "--no-deps", release.file("-py3-none-any.whl"), cwd=release.folder)
    return folder / "bin"


@pytest.fixture(scope="module")
def commands(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(release, tmp_path_factory.mktemp("installed") / "handrail")


@contextmanager
def serving(command: Sequence[str | Path], cwd: Path) -> Iterator[str]:
    """The address of what is served meanwhile."""
    said = cwd / "said"
    with said.open("w") as out:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=clean() | {"PATH": SYSTEM},
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
        )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not ADDRESS.search(said.read_text()) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.2)
        (address,) = ADDRESS.findall(said.read_text()) or [said.read_text()]
        assert address.startswith("http://"), address
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def health(address: str) -> dict[str, str]:
    with urllib.request.urlopen(f"{address}/health", timeout=10) as answer:
        told: dict[str, str] = json.load(answer)
    return told


def test_handrail_serves_on_its_own_database(commands: Path, tmp_path: Path) -> None:
    with serving([commands / "handrail", "serve", "--port", "0"], tmp_path) as address:
        assert until(lambda: health(address)["worker"] == "ok")
        assert (health(address)["status"], health(address)["version"]) == ("running", VERSION)
        assert (tmp_path / "data/postgres").is_dir()
        run(commands / "handrail", "doctor", cwd=tmp_path)
    assert not list(tmp_path.glob("data/serving/*.json"))


def test_handrail_demo_makes_the_company_and_says_who_can_sign_in(commands: Path, tmp_path: Path) -> None:
    command: list[str | Path] = [
        commands / "handrail",
        "demo",
        "--port",
        "0",
        "--data",
        tmp_path / "demo",
        "--no-browser",
    ]
    with serving(command, tmp_path) as address:
        assert health(address)["status"] == "running"
        assert "olivia@fernwick.example" in (tmp_path / "said").read_text()


def test_the_containers_steps_lead_to_a_console_that_serves(release: Release, tmp_path: Path) -> None:
    """The RUN of the first stage is executed in a folder in place of /opt/handrail; the image itself is not built: no container engine is at hand."""
    text = (ROOT / "deploy/Containerfile").read_text()
    build = text.split("FROM ")[1]
    (step,) = re.findall(r"^RUN ((?:.*\\\n)*.*)$", build, re.MULTILINE)
    copied = re.findall(r"^COPY (.*) \./$", build, re.MULTILINE)[0].replace("${VERSION}", VERSION).split()
    for name in copied:
        shutil.copy(release.folder / name, tmp_path / name)
    script = step.replace("\\\n", " ").replace("/opt/handrail", str(tmp_path / "opt"))
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or "python3"
    (tmp_path / "python").symlink_to(python)
    run("sh", "-ec", script, cwd=tmp_path, VERSION=VERSION, PATH=f"{tmp_path}:{SYSTEM}")
    with serving([tmp_path / "opt/bin/handrail", "serve", "--port", "0"], tmp_path) as address:
        assert health(address)["version"] == VERSION
