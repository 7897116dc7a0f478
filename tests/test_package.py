"""What is in the tree travels: the wheel holds what the console needs, and serves without the checkout."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from console import cli

ROOT = Path(cli.__file__).parents[1]


def lock(name: str) -> dict[str, list[str]]:
    """Package → hashes of a lock file."""
    found: dict[str, list[str]] = {}
    for entry in re.findall(
        r"^([a-z0-9._-]+)==\S+(?: ;[^\\\n]*?)?((?: \\\n\s+--hash=sha256:[0-9a-f]{64})+)",
        (ROOT / "requirements" / f"{name}.txt").read_text(),
        re.MULTILINE,
    ):
        found[entry[0]] = re.findall(r"sha256:([0-9a-f]{64})", entry[1])
    return found


def wanted(name: str) -> list[str]:
    lines = (ROOT / "requirements" / f"{name}.in").read_text().splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-"))]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built with what is installed, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-P", "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PIP_NO_INDEX": "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (made,) = folder.glob("handrail-*.whl")
    return made


def tracked(folder: str) -> set[str]:
    """The files that git knows below a folder; in a tree without git, those that are there."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", folder], capture_output=True, text=True, check=False
    ).stdout.split("\n")
    if any(listed):
        return {name for name in listed if name and (ROOT / name).exists()}
    return {
        str(file.relative_to(ROOT))
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


@pytest.mark.parametrize(
    ("folder", "inside"),
    [
        ("console", "console"),
        ("templates", "console/templates"),
        ("docs", "console/docs"),
        ("policies", "console/policies"),
        ("migrations", "console/migrations"),
        ("workflows", "console/workflows"),
        ("actions", "console/examples/actions"),
    ],
)
def test_every_file_of_the_tree_is_in_the_wheel(wheel: Path, folder: str, inside: str) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    needed = {inside + name.removeprefix(folder) for name in tracked(folder)}
    assert needed
    assert needed <= held


def test_what_it_installs_serves_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    script = (
        "import console, pathlib; from console import workflows; from console.infra import settings; from console.views import app; from console.infra.db import release; from console.auth.access import policy_store;"
        "made = app.create_app(); print(pathlib.Path(console.__file__).parent, app.folder_of('templates'), release.newest(), len(list(made.url_map.iter_rules())) > 20);"
        "print(made.jinja_env.get_template('auth/sign_in.html').filename)"
    )
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("CONSOLE_", "DATABASE_"))
    } | {
        "PYTHONPATH": str(tmp_path / "site"),
        "CONSOLE_DATA_DIR": str(tmp_path / "data"),
    }
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    site = tmp_path / "site" / "console"
    first, second = done.stdout.splitlines()
    assert first.split() == [str(site), str(site / "templates"), first.split()[2], "True"]
    assert second == str(site / "templates" / "auth" / "sign_in.html")


def test_its_entry_point_is_the_command(wheel: Path) -> None:
    held = zipfile.ZipFile(wheel)
    (points,) = [name for name in held.namelist() if name.endswith("entry_points.txt")]
    assert held.read(points).decode().split("\n")[:2] == ["[console_scripts]", "console = console.cli:main"]


def test_the_dependencies_of_the_wheel_are_those_that_are_locked() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert told["project"]["dependencies"] == wanted("run")


@pytest.mark.parametrize("name", ["uv", "run", "test"])
def test_everything_is_locked_with_hashes(name: str) -> None:
    locked = lock(name)
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert len(locked) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE))
    assert all(locked.values())
    assert {re.split(r"[=\[<>]", entry)[0].lower() for entry in wanted(name)} <= set(locked)
    assert "://" not in text


def test_tests_run_with_the_very_packages_that_the_console_runs_with() -> None:
    run, test = lock("run"), lock("test")
    assert all(run[name] == test[name] for name in run.keys() & test.keys())
