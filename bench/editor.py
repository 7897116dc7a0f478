"""The workflow editor with many steps, in Chromium at 1440 × 900: until it is painted and drawn, until a change is saved and checked, and a drag.

    python bench/editor.py [--steps 200,1000] [--rounds 5] [--data DIR]

Starts the demo in a temporary folder (`--data` uses one that runs already; a workflow for each size is left in it as a draft). A document of so many steps is
pasted into *Text*, as from a file. Bars for 200 steps: first paint at most 1.0 s and a change until its check stands on the page at most 100 ms beside the
800 ms for which the editor waits for more, both times how slow a bare page is here in the same minutes; a drag at least 50 frames a second, times the
frames of an empty page over 60. Without a bar: when all steps are drawn, the test panel and the list of what publishing does; and other sizes.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pages import BARE_MS, bare_page, demo, sign_in
from playwright.sync_api import Page, sync_playwright

PAINT_MS, CHECK_MS, FRAMES = 1000.0, 100.0, 50.0
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
COUNT = """(ms) => new Promise((done) => { let n = 0; const end = performance.now() + ms;
  const next = (now) => { n += 1; now < end ? requestAnimationFrame(next) : done(n * 1000 / ms); }; requestAnimationFrame(next); })"""
SAVE = """(title) => new Promise((done) => {
  const box = document.getElementById("f-title"), here = document.getElementById("editor"), before = here.dataset.revision, began = performance.now();
  const look = () => (here.dataset.revision !== before ? done(performance.now() - began) : setTimeout(look, 4));
  box.value = title; box.dispatchEvent(new Event("input", { bubbles: true })); window.handrailDraft.flush(); look();
})"""


def document(slug: str, team: str, count: int) -> dict[str, Any]:
    """A workflow of so many steps: people are told and asked, values noted, and every tenth step forks."""
    steps: list[dict[str, Any]] = [
        {"id": "start", "type": "start", "title": "Start", "config": {"fields": [{"name": "amount", "label": "Amount", "type": "decimal"}]}}
    ]
    asked = {"form": [{"name": "word", "label": "Word", "type": "text"}]}
    for number in range(1, count - 1):
        kind, config = {
            3: ("condition", {"branches": [{"if": "input.amount > 500", "outcome": "yes"}]}),
            5: ("output", {"values": {"amount": "input.amount"}}),
            7: ("update_data", asked),
        }.get(number % 10, ("guidance", {"text": "Look at {{ input.amount }} once more."}))
        steps.append({"id": f"s{number}", "type": kind, "title": f"Step {number}", "config": config})
    steps.append({"id": "end", "type": "end", "title": "End", "config": {"label": "Done"}})
    for place, step in enumerate(steps[:-1]):
        step["next"] = {"default": steps[place + 1]["id"]}
        if step["type"] == "condition":
            step["next"]["yes"] = steps[min(place + 4, len(steps) - 1)]["id"]
    return {"format": 1, "slug": slug, "title": f"{count} steps", "team": team, "steps": steps}


def made(page: Page, url: str, count: int) -> str:
    """A new workflow with so many steps; its address."""
    page.goto(f"{url}/workflows/new")
    page.fill("[name=title]", f"{count} steps {time.time_ns()}")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-outline] [data-step]")
    address = page.url.partition("?")[0]
    page.goto(f"{address}?view=text")
    own = json.loads(page.locator("#text").input_value())
    page.locator("#text").fill(json.dumps(document(own["slug"], own["team"], count)))
    page.keyboard.press("Control+s")
    page.wait_for_function("(n) => document.querySelectorAll('[data-outline] [data-step]').length === n", arg=count, timeout=300_000)
    return address


def seconds(act: Callable[[], Any]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def measured(page: Page, address: str, bare: str, rounds: int) -> dict[str, float]:
    """Medians: milliseconds, and frames a second."""
    figures: dict[str, list[float]] = {
        name: [] for name in ("paint", "drawn", "bare", "saved", "asked", "frames", "free", "test", "publish")
    }
    for number in range(rounds):
        page.goto(bare)
        page.wait_for_function(PAINT)
        figures["bare"].append(page.evaluate(PAINT))
        figures["free"].append(page.evaluate(COUNT, 1000))

        def open_it() -> None:
            page.goto(f"{address}?step=s1", wait_until="commit")
            page.wait_for_selector(".x6-node", timeout=300_000)

        figures["drawn"].append(1000 * seconds(open_it))
        page.wait_for_selector("#f-title")
        figures["paint"].append(page.evaluate(PAINT))
        figures["saved"].append(page.evaluate(SAVE, f"Step 1, {number}"))
        node = page.locator("[data-cell-id=s1]").bounding_box()
        assert node is not None
        page.mouse.move(node["x"] + 90, node["y"] + 20)
        page.mouse.down()
        page.evaluate(f"window.counted = ({COUNT})(1000)")
        for move in range(25):
            page.mouse.move(node["x"] + 90 + 4 * move, node["y"] + 20)
        figures["frames"].append(page.evaluate("window.counted"))
        page.keyboard.press("Escape")
        page.mouse.move(node["x"] + 90, node["y"] + 20)
        page.mouse.up()
        figures["asked"].append(1000 * seconds(lambda: page.request.get(bare)))
        for name in ("test", "publish"):
            figures[name].append(1000 * seconds(lambda name=name: page.request.get(address.replace("/edit", f"/{name}"))))  # type: ignore[misc]
    return {name: statistics.median(values) for name, values in figures.items()}


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(prog="editor.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", default="200,1000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--data", type=Path, help="the data folder of a demo that runs")
    given = parser.parse_args()
    missed = 0
    with demo(given.data) as told, bare_page() as bare, sync_playwright() as playwright:
        chromium = "/usr/bin/chromium" if Path("/usr/bin/chromium").exists() else None
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        lead = next(person for person in told["people"] if person["role"] == "operations_lead")
        context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        context.set_default_timeout(120_000)
        context.add_cookies(sign_in(browser, told["url"], lead))
        for count in map(int, given.steps.split(",")):
            page = context.new_page()
            address = made(page, told["url"], count)
            found = measured(page, address, bare, given.rounds)
            slow = max(1.0, found["bare"] / BARE_MS)
            print(
                f"{count:>5} steps  " + "  ".join(f"{name} {value:,.0f}" for name, value in found.items()) + f"  (slow {slow:.1f})",
                flush=True,
            )
            missed += count == 200 and (
                found["paint"] > PAINT_MS * slow or found["saved"] > CHECK_MS * slow or found["frames"] < FRAMES * found["free"] / 60
            )
            page.close()
        browser.close()
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
