"""A release, made once from a clone of this checkout: what it holds is what the tests install."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from console import cli

ROOT = Path(cli.__file__).parents[1]
VERSION = "97.1.0"


class Release(NamedTuple):
    """The folder of what was made, the clone that it was made from, and the key that signed it."""

    folder: Path
    clone: Path
    key: Path

    def file(self, ending: str) -> Path:
        """The one file with this ending."""
        (found,) = self.folder.glob(f"handrail-{VERSION}{ending}")
        return found


def clean() -> dict[str, str]:
    """The environment without what belongs to the console, to Python and to this checkout."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CONSOLE_", "DATABASE_", "PYTHON", "VIRTUAL_ENV"))
    }


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """What a command says on both ways; it must succeed."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=clean() | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The signed release, one for all processes of the suite."""
    base = tmp_path_factory.getbasetemp()
    shared = (base if "PYTEST_XDIST_WORKER" not in os.environ else base.parent) / "release"
    made = Release(shared / "dist", shared / "clone", shared / "key")
    with shared.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (shared / "made").exists():
            return made
        shutil.rmtree(shared, ignore_errors=True)
        shared.mkdir()
        run("git", "clone", "--quiet", ROOT, made.clone, cwd=shared)
        (made.clone / ".venv").symlink_to(ROOT / ".venv")
        for name, value in (("user.name", "Maintainers"), ("user.email", "release@handrail.example")):
            run("git", "config", name, value, cwd=made.clone)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", made.key, cwd=shared)
        run(
            *(sys.executable, made.clone / "bin/release", VERSION, "--key", made.key, "--out", made.folder),
            cwd=made.clone,
        )
        (shared / "made").touch()
    return made
