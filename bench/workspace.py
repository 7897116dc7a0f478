"""A workspace of at least twelve components in a real browser, beside a bare Flask page of the same size: python bench/workspace.py --data DIR.

DIR is the data folder of a running `bin/demo`. First useful paint: the list and the record are on the screen; figures and charts come after it. A choice: from
the click on a row until the components that depend on it stand in the page. Both are measured in turn with a Flask page that sends the same number of
bytes, and a fragment of the same size. Bars: paint at most 400 ms, a choice at most 150 ms, medians; on a busy machine read the ratios.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

PAINT_MS, CHOICE_MS = 400.0, 150.0
ADDRESS = "/w/refund-desk"
LEAST_COMPONENTS = 12
BARE = """
import sys
from flask import Flask
app = Flask("bare")
page, part = "x" * int(sys.argv[1]), "x" * int(sys.argv[2])
app.add_url_rule("/", "page", view_func=lambda: "<!DOCTYPE html><title>Bare</title><p id=here>Here</p><p>" + page)
app.add_url_rule("/part", "part", view_func=lambda: "<p>" + part)
from werkzeug.serving import make_server
server = make_server("127.0.0.1", 0, app, threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
"""
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
CHOICE = """(number) => new Promise((done) => {
  const rows = [...document.querySelectorAll("a.pick:not([aria-current])")];
  const began = performance.now();
  document.addEventListener("htmx:afterRequest", () => requestAnimationFrame(() => done(performance.now() - began)), { once: true });
  rows[number % rows.length].click();
})"""
FRAGMENT = """async () => {
  const began = performance.now();
  document.getElementById("here").innerHTML = await (await fetch("/part")).text();
  return await new Promise((done) => requestAnimationFrame(() => done(performance.now() - began)));
}"""


def sign_in(page: Page, url: str, person: dict[str, str]) -> None:
    """Sign in by the form."""
    page.goto(f"{url}/sign-in")
    page.fill("#email", person["email"])
    page.fill("#password", person["password"])
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}/")


def measured(page: Page, bare: Page, url: str, port: int, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each round: ours and bare, paint and choice, in turn."""
    found: dict[str, list[float]] = {"paint": [], "bare paint": [], "choice": [], "bare choice": []}
    for number in range(rounds):
        page.bring_to_front()
        page.goto(url + ADDRESS)
        page.wait_for_function(PAINT)
        page.wait_for_selector("a.pick")
        found["paint"].append(page.evaluate(PAINT))
        bare.bring_to_front()
        bare.goto(f"http://127.0.0.1:{port}/")
        bare.wait_for_function(PAINT)
        found["bare paint"].append(bare.evaluate(PAINT))
        page.bring_to_front()
        page.wait_for_load_state("networkidle")
        found["choice"].append(page.evaluate(CHOICE, number))
        bare.bring_to_front()
        found["bare choice"].append(bare.evaluate(FRAGMENT))
    return found


def main() -> None:
    """Measure, print, and end with status 1 where a bar does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the data folder of a running bin/demo")
    parser.add_argument("--rounds", type=int, default=10)
    told = parser.parse_args()
    note: dict[str, Any] = json.loads((told.data / "demo.json").read_text())
    olivia = next(person for person in note["people"] if person["name"].startswith("Olivia"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-dev-shm-usage"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        sign_in(page, note["url"].rstrip("/"), olivia)
        size = len(page.goto(note["url"].rstrip("/") + ADDRESS).body())  # type: ignore[union-attr]
        components = page.locator(".part").count()
        server = subprocess.Popen(
            [sys.executable, "-c", BARE, str(size), "8000"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            port = int(server.stdout.readline()) if server.stdout else 0
            found = measured(page, browser.new_page(), note["url"].rstrip("/"), port, told.rounds)
        finally:
            server.terminate()
            server.wait()
            browser.close()
    middle = {name: statistics.median(values) for name, values in found.items()}
    print(f"{components} components, {size / 1024:.0f} KB")
    print(
        f"first useful paint {middle['paint']:.0f} ms, bare page {middle['bare paint']:.0f} ms: {middle['paint'] / middle['bare paint']:.2f} x"
    )
    print(
        f"a choice {middle['choice']:.0f} ms, bare fragment {middle['bare choice']:.0f} ms: {middle['choice'] / middle['bare choice']:.2f} x"
    )
    if components < LEAST_COMPONENTS or middle["paint"] > PAINT_MS or middle["choice"] > CHOICE_MS:
        sys.exit(1)


if __name__ == "__main__":
    main()
