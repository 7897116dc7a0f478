"""The verbs of a working day: they may be run again, from anywhere, and say in one line what they cannot do."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from console import cli
from tests.tables import cases

pytestmark = pytest.mark.slow

ROOT = Path(cli.__file__).parents[1]
SCRIPTS = ["bin/setup", "bin/demo", "bin/test", "bin/lint", "bin/fix", ".ci/run"]


def run(*command: str | Path, cwd: Path = Path("/"), **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another checkout, its name with a blank, with the installer that a broken-off set-up would have left: the rest comes from uv's cache."""
    made = tmp_path_factory.mktemp("a checkout")
    for name in ("bin", "requirements", "console"):
        shutil.copytree(ROOT / name, made / name, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", made / ".venv"], check=True)
    here, there = Path(sys.prefix), made / ".venv"
    shutil.copy(here / "bin" / "uv", there / "bin" / "uv")
    site = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    for folder in (here / site).glob("uv*"):
        shutil.copytree(folder, there / site / folder.name)
    return made


@cases("script", SCRIPTS)
def test_every_script_is_executable_and_plain_sh(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    assert (ROOT / script).read_text().startswith("#!/bin/sh\n")
    assert run("sh", "-n", ROOT / script).returncode == 0


def test_setup_for_the_demo_then_for_tests_from_what_is_there_already(checkout: Path) -> None:
    first = run(checkout / "bin" / "setup", "--run", UV_OFFLINE="1")
    assert first.returncode == 0, first.stderr
    percents = [int(percent) for percent in re.findall(r"^(\d+) %  \S", first.stderr, re.MULTILINE)]
    assert (percents[0], percents[-1]) == (0, 100)
    assert [percent // 10 for percent in percents] == sorted({percent // 10 for percent in percents})
    command = checkout / ".venv" / "bin" / "console"
    assert run(command, "--version").stdout.startswith("console, version ")
    python = checkout / ".venv" / "bin" / "python"
    assert (
        run(python, "-P", "-c", "import console; print(console.__file__)").stdout
        == f"{checkout}/console/__init__.py\n"
    )
    assert run(python, "-P", "-c", "import pytest").returncode == 1
    second = run(checkout / "bin" / "setup", UV_OFFLINE="1")
    assert second.returncode == 0, second.stderr
    assert run(python, "-P", "-c", "import pytest").returncode == 0
    # a path with a blank, and a link to the command from elsewhere
    (checkout / "link").symlink_to(command)
    assert run(checkout / "link", "--version", cwd=checkout).returncode == 0


def test_with_nothing_to_do_nothing_is_done(checkout: Path) -> None:
    assert run(checkout / "bin" / "setup", UV_OFFLINE="1").returncode == 0
    uv = checkout / ".venv" / "bin" / "uv"
    uv.rename(uv.with_suffix(".away"))
    try:
        for arguments in ((), ("--run",)):
            again = run(checkout / "bin" / "setup", *arguments)
            assert (again.returncode, again.stdout) == (0, "")
            assert "Installing" not in again.stderr
    finally:
        uv.with_suffix(".away").rename(uv)


def test_a_changed_lock_is_noticed(checkout: Path) -> None:
    assert run(checkout / "bin" / "setup", UV_OFFLINE="1").returncode == 0
    file = checkout / "requirements" / "run.txt"
    before = file.read_text()
    file.write_text(before + "# changed\n")
    try:
        assert "Installing" in run(checkout / "bin" / "setup", UV_OFFLINE="1").stderr
    finally:
        file.write_text(before)


def test_a_package_that_is_not_what_was_locked_is_refused(checkout: Path) -> None:
    setup, file = checkout / "bin" / "setup", checkout / "requirements" / "run.txt"
    assert run(setup, UV_OFFLINE="1").returncode == 0
    before = file.read_text()
    start, end = before.index("click=="), before.index("\ncryptography==")
    file.write_text(
        before[:start]
        + re.sub(r"(?<=sha256:)\w+", lambda found: found[0][::-1], before[start:end])
        + before[end:]
    )
    assert (
        run(
            checkout / ".venv/bin/uv",
            "pip",
            "uninstall",
            "--quiet",
            "--python",
            checkout / ".venv/bin/python",
            "click",
        ).returncode
        == 0
    )
    try:
        refused = run(setup, "--run", UV_OFFLINE="1", PIP_NO_INDEX="1")
        assert refused.returncode == 1
        assert "bin/setup could not install the packages" in refused.stderr
        assert (
            run(setup, "--run", UV_OFFLINE="1", PIP_NO_INDEX="1").returncode == 1
        )  # a failure is not taken for done
    finally:
        file.write_text(before)
    assert run(setup, "--run", UV_OFFLINE="1").returncode == 0


def test_arguments_of_bin_test_go_to_pytest(tmp_path: Path) -> None:
    done = run(ROOT / "bin" / "test", "--version", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("pytest ")
