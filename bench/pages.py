"""First paint, layout shift, bytes and requests of the twelve main pages of the demo, as a browser meets them.

    python bench/pages.py [--rounds 10] [--data DIR]

Starts the demo in a temporary folder (`--data` uses one that runs already) and opens each page with an empty cache, so that every file is fetched, and
then with a full one, in Chromium at 1440 × 900. Bars: ordinary page at most 200 KB raw on first load (all that the page fetched, unpacked; pictures of
people's documents stand in a column of their own) and nothing that may be compressed sent plain; layout shift at most 0.05, on a telephone of 390 × 844 too;
first contentful paint with a full cache at most 400 ms at the 95th percentile, times what a bare page of one line takes here, in the same minutes, over
what it takes on a quiet machine.
"""

import argparse
import http.server
import json
import logging
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rig
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
RAW_KB, SHIFT, PAINT_MS = 200, 0.05, 400.0
BARE_MS = 60.0
"""First paint of a bare page on a quiet machine of two cores."""
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
PACKED = ("text/html", "text/css", "text/javascript", "image/svg+xml")

WATCH = """
window.shift = 0;
new PerformanceObserver((list) => { for (const entry of list.getEntries()) { if (!entry.hadRecentInput) { window.shift += entry.value; } } })
  .observe({type: "layout-shift", buffered: true});
"""
FIGURES = """() => {
  const files = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const document = files.filter((file) => new URL(file.name).pathname.startsWith("/files/")).reduce((sum, file) => sum + file.decodedBodySize, 0);
  return {
    document,
    paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
    shift: window.shift,
    raw: files.reduce((sum, file) => sum + file.decodedBodySize, 0) - document,
    sent: files.reduce((sum, file) => sum + file.transferSize, 0),
    requests: files.filter((file) => file.transferSize > 0).length,
  };
}"""


@contextmanager
def demo(data: Path | None) -> Iterator[dict[str, Any]]:
    """The demo as it starts; gives what its demo.json says."""
    if data is not None:
        yield json.loads((data / "demo.json").read_text())
        return
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CONSOLE_", "DATABASE_"))
        }
        process = subprocess.Popen(
            [ROOT / "bin" / "demo", "--port", "0", "--data", folder, "--no-browser"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            env=kept | {"CONSOLE_ENV_FILE": os.devnull},
            start_new_session=True,
        )
        try:
            assert process.stdout is not None
            if not any(line.startswith("Handrail on ") for line in process.stdout):
                raise SystemExit(f"bin/demo ended with status {process.wait()}; what it said stands above.")
            yield json.loads((Path(folder) / "demo.json").read_text())
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)


def sign_in(browser: Browser, url: str, person: dict[str, str]) -> list[Any]:
    """The cookies of a person who signed in by the form."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{url}/sign-in")
    page.fill("#email", person["email"])
    page.fill("#password", person["password"])
    page.press("#password", "Enter")
    page.wait_for_url(f"{url}/")
    cookies: list[Any] = context.cookies()
    context.close()
    return cookies


def found(page: Page, url: str, start: str, links: str) -> str:
    """The address of the first link on a page that fits, or of the page itself where none does."""
    page.goto(url + start)
    link = page.locator(links).first
    return str(link.get_attribute("href")) if link.count() else start


def measured(context: BrowserContext, address: str) -> tuple[dict[str, float], list[str]]:
    """What one visit costs, and the files that were sent plain though they could have been packed."""
    page = context.new_page()
    page.add_init_script(WATCH)
    plain: list[str] = []

    def note(answer: Any) -> None:
        kind = answer.headers.get("content-type", "").split(";")[0]
        long = int(answer.headers.get("content-length", "1000")) >= 500  # less is not worth it
        if (
            answer.status == 200
            and kind in PACKED
            and long
            and not answer.from_service_worker
            and "content-encoding" not in answer.headers
        ):
            plain.append(answer.url)

    page.on("response", note)
    page.goto(address, wait_until="networkidle")
    figures: dict[str, float] = page.evaluate(FIGURES)
    page.close()
    return figures, plain


class Bare(http.server.BaseHTTPRequestHandler):
    """Answers everything with a page of one line."""

    def do_GET(self) -> None:
        """Send the page."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!DOCTYPE html><title>Bare</title><p>Bare")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing on the terminal."""
        logging.getLogger("bench").debug(format, *args)


@contextmanager
def bare_page() -> Iterator[str]:
    """The address of a page of one line, served by this process."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bare)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()


def main() -> int:
    """Open, measure, print, judge."""
    parser = argparse.ArgumentParser(description="First paint, shift, bytes and requests of the main pages.")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--data", type=Path, help="the data folder of a demo that runs")
    asked = parser.parse_args()
    missed = 0
    with demo(asked.data) as told, bare_page() as bare, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium" if Path("/usr/bin/chromium").exists() else None,
            args=["--no-sandbox"],
        )
        url = told["url"]
        people = {person["email"].split("@")[0]: person for person in told["people"]}
        cookies = {name: sign_in(browser, url, people[name]) for name in ("olivia", "ada") if name in people}
        operator = cookies["olivia"]
        looked = browser.new_context()
        looked.add_cookies(operator)
        page = looked.new_page()
        run = found(page, url, "/", 'main a[href^="/runs/"]')
        pages = {
            "Sign in": ("/sign-in", None),
            "Home": ("/", operator),
            "Inbox": (found(page, url, "/inbox", 'main a[href^="/inbox/"]'), operator),
            "Approvals": ("/approvals", operator),
            "Collections": ("/c", operator),
            "List": ("/c/customer", operator),
            "Record": (found(page, url, "/c/customer", 'main a[href^="/c/customer/"]'), operator),
            "Run": (run, operator),
            "Replay": (f"{run}/replay" if run.startswith("/runs/") else "/workflows", operator),
            "Workflows": ("/workflows", operator),
            "Settings": ("/settings/me", operator),
            "Activity log": ("/activity", cookies.get("ada", operator)),
        }
        looked.close()
        print(
            f"{'page':14}{'raw KB':>8}{'documents':>10}{'wire KB':>9}{'requests':>10}{'again KB':>10}{'paint ms':>10}{'p95':>7}{'bare':>7}{'shift':>8}{'narrow':>8}"
        )
        for name, (path, who) in pages.items():
            contexts = [browser.new_context(viewport=size) for size in (WIDE, NARROW)]  # type: ignore[arg-type]
            for context in contexts:
                context.add_cookies(who or [])
            first, plain = measured(contexts[0], url + path)
            again, plainest = [], []
            for _ in range(asked.rounds):
                again.append(measured(contexts[0], url + path)[0])
                plainest.append(measured(contexts[0], bare)[0]["paint"])
            narrow, _ = measured(contexts[1], url + path)
            for context in contexts:
                context.close()
            p95, slow = tail([visit["paint"] for visit in again]), tail(plainest)
            shift = max(visit["shift"] for visit in [first, *again])
            print(
                f"{name:14}{first['raw'] / 1000:8.0f}{first['document'] / 1000:10.0f}{first['sent'] / 1000:9.0f}{first['requests']:10.0f}{again[0]['sent'] / 1000:10.1f}"
                f"{statistics.median(visit['paint'] for visit in again):10.0f}{p95:7.0f}{slow:7.0f}{shift:8.3f}{narrow['shift']:8.3f}"
            )
            for address in plain:
                print(f"    sent plain: {address}")
            good = (
                rig.held(f"{name}: bytes raw", first["raw"] / 1000, " KB", most=RAW_KB),
                rig.held(
                    f"{name}: first paint, 95th percentile",
                    p95,
                    " ms",
                    most=round(PAINT_MS * max(1.0, slow / BARE_MS)),
                ),
                rig.held(f"{name}: layout shift", max(shift, narrow["shift"]), most=SHIFT),
            )
            missed += not all(good) or bool(plain)
        browser.close()
    print(
        f"bars: raw {RAW_KB} KB, paint {PAINT_MS:g} ms (p95, full cache) × bare / {BARE_MS:g} ms, shift {SHIFT}; {missed} of {len(pages)} pages miss one"
    )
    return 1 if missed else 0


def tail(values: Sequence[float]) -> float:
    """The 95th percentile."""
    return sorted(values)[min(len(values) - 1, round(0.95 * len(values)))]


if __name__ == "__main__":
    sys.exit(main())
