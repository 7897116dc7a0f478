"""What the console's processes hold when nobody asks: proportional set size (PSS) by process, PostgreSQL apart.

    python bench/memory.py [--idle 5]

Starts `console serve --demo` in a temporary folder (supervisor, web, background worker, payment provider, the server's guard), signs a
person in and opens pages, lists and records so that everything is loaded, waits, and adds up `/proc/*/smaps_rollup`. The bar: 300 MB.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import rig
from list import Browser

ROOT = Path(__file__).resolve().parent.parent
BAR_MB = 300
MARKS = {
    "users.lock": "guard",
    "console.views.server": "web",
    "console.operations.worker": "worker",
    "console.demo.provider": "provider",
}
PAGES = 12


def pss_mb(process: int) -> float:
    """Proportional set size of a process in MB: what it shares with others counts by its share."""
    told = Path(f"/proc/{process}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+) kB", told, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def processes(supervisor: int, folder: str) -> Iterator[tuple[str, int]]:
    """(what it is, process id) of every process of this console but PostgreSQL's own. The guard is nobody's child, and names the folder."""
    yield "supervisor", supervisor
    near = [process.pid for process in psutil.Process(supervisor).children(recursive=True)]
    far = [
        found.pid
        for found in psutil.process_iter(["cmdline"])
        if any(word.startswith(folder) for word in found.info["cmdline"] or ())
    ]
    for process in map(psutil.Process, sorted({*near, *far} - {supervisor})):
        words = " ".join(process.cmdline())
        if process.name() == "postgres":
            continue
        yield next((name for mark, name in MARKS.items() if mark in words), words[:40]), process.pid


def look_around(port: int, email: str, password: str) -> int:
    """Sign in, open what stands in the navigation and what is linked from it, and the same by the API; answers how many pages."""
    browser = Browser(port)
    browser.sign_in(email, password)
    waiting, seen = ["/", "/c", "/activity"], set[str]()
    while waiting and len(seen) < PAGES:
        path = waiting.pop(0)
        status, page = browser.ask("GET", path)
        if path in seen or status != 200:
            continue
        seen.add(path)
        links = re.findall(r'href="(/(?:c|runs)/[^"?#]+)"', page.decode())
        waiting += [link for link in links[:: max(1, len(links) // 3)] if link not in seen]
    return len(seen)


def main() -> int:
    """Start, look around, wait, add up, judge."""
    parser = argparse.ArgumentParser(description="Memory of the idle console.")
    parser.add_argument("--idle", type=float, default=5, help="seconds to wait before looking")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CONSOLE_", "DATABASE_"))
        }
        told = kept | {"CONSOLE_DATA_DIR": folder, "CONSOLE_ENV_FILE": os.devnull}
        command = [sys.executable, "-P", "-m", "console.infra.processes.supervisor", "--demo", "--port", "0"]
        serving = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=told, cwd=ROOT
        )
        try:
            assert serving.stdout is not None
            if not any(line.startswith("Handrail on ") for line in iter(serving.stdout.readline, "")):
                raise SystemExit(
                    f"the console ended with status {serving.wait()}; what it said stands above."
                )
            known = json.loads((Path(folder) / "demo.json").read_text())
            person = known["people"][0]
            opened = look_around(urlsplit(known["url"]).port or 80, person["email"], person["password"])
            time.sleep(asked.idle)
            held = [(name, pss_mb(process)) for name, process in processes(serving.pid, folder)]
        finally:
            serving.send_signal(signal.SIGTERM)
            serving.communicate(timeout=60)
    print(f"{opened} pages opened, then {asked.idle:g} s of rest; PSS in MB")
    for name, mb in held:
        print(f"{name:14} {mb:6.1f}")
    total = sum(mb for _, mb in held)
    return 0 if rig.held("idle memory without PostgreSQL", total, " MB", most=BAR_MB) else 1


if __name__ == "__main__":
    sys.exit(main())
