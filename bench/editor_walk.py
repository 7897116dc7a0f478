"""Every shipped workflow opened, read, changed and published in the editor, in a browser, with the keyboard alone.

    python bench/editor_walk.py [--data DIR] [--shots DIR] [SLUG …]

Starts the demo in a temporary folder (`--data` uses one that runs already; its workflows are published anew). For each workflow of `workflows/`, as a lead of
its team: the outline names each step of the file and nothing that stops publishing; the settings of each step open and none is refused; text that is saved
unchanged changes nothing; a step gets another title, a new step is put behind it, taken back and put there again; publishing says so in its list, and the
version that is live holds the change and nothing else. Bar: all of them, no click, no error of the page. Prints what each cost. `--shots` keeps pictures.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from pages import demo, sign_in
from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
LEADS = {"operations": "operations_lead", "procurement": "procurement_lead", "growth": "campaign_manager", "financial_crime": "mlro"}
NOTE = "Read it twice."
expect.set_options(timeout=60_000)


class Walk:
    """A lead before the editor of one workflow."""

    def __init__(self, page: Page, url: str, document: dict[str, Any], shots: Path | None) -> None:
        self.page, self.document, self.shots = page, document, shots
        self.slug = document["slug"]
        self.url = f"{url}/workflows/{self.slug}"
        self.outline = page.locator("[data-outline]")

    def press(self, element: str, *keys: str) -> None:
        """Give the element the focus and press keys."""
        self.page.locator(element).first.focus()
        for key in keys:
            self.page.keyboard.press(key)

    def shot(self, name: str) -> None:
        """Pictures of the page as it stands: wide and narrow, light and dark."""
        if self.shots is None:
            return
        for size, scheme in ((WIDE, "light"), (WIDE, "dark"), (NARROW, "light"), (NARROW, "dark")):
            self.page.set_viewport_size(size)  # type: ignore[arg-type]
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            self.page.wait_for_timeout(150)
            self.page.screenshot(path=self.shots / f"{self.slug}-{name}-{size['width']}-{scheme}.png")
        self.page.set_viewport_size(WIDE)  # type: ignore[arg-type]
        self.page.emulate_media(color_scheme="light")

    def saved_revision(self) -> int:
        """The revision of the draft, once everything is saved."""
        expect(self.page.locator("#saved")).not_to_contain_text("Not saved")
        return int(self.page.locator("#editor").get_attribute("data-revision") or 0)

    def is_read(self) -> None:
        """Each step is in the outline by its title, and its settings open."""
        self.page.goto(f"{self.url}/edit")
        steps = {step["id"]: step["title"] for step in self.document["steps"]}
        expect(self.outline.locator("[data-step]")).to_have_count(len(steps))
        told = {line.get_attribute("data-step"): line.locator("b").inner_text() for line in self.outline.locator("[data-step]").all()}
        assert told == steps, (told, steps)
        expect(self.page.locator("#problems .error")).to_have_count(0)
        self.shot("canvas")
        for number, (step, title) in enumerate(steps.items()):
            self.press(f"[data-select={step}]", "Enter")
            expect(self.page.locator("#panel h2")).to_have_text(title)
            expect(self.page.locator("#f-title")).to_be_focused()
            if number in (0, len(steps) // 2):
                self.shot(f"step{number}")

    def keeps_its_text(self) -> None:
        """Saved without a change, the text changes nothing."""
        before = self.saved_revision()
        self.press("[data-text-view]", "Enter")
        box = self.page.locator("#text")
        expect(box).to_be_focused()
        assert json.loads(box.input_value())["steps"] == self.document["steps"]
        self.shot("text")
        self.page.keyboard.press("Control+s")
        expect(self.page.locator("#status")).to_have_text("Saved")
        assert self.saved_revision() == before

    def is_changed(self) -> tuple[str, str]:
        """Another title and one more step; the ids of both."""
        first = next(step for step in self.document["steps"] if set(step.get("next") or {}) == {"default"} and step["type"] != "start")
        self.press(f"[data-select={first['id']}]", "Enter")
        expect(self.page.locator("#f-title")).to_be_focused()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(f"{first['title']}, read twice")
        self.page.keyboard.press("Control+s")
        expect(self.outline.locator(f"[data-step={first['id']}] b")).to_have_text(f"{first['title']}, read twice")
        self.press("[data-add-step]", "Enter")
        expect(self.page.locator("#add-step-search")).to_be_focused()
        self.shot("add")
        self.page.keyboard.type("add tag")
        self.page.keyboard.press("Enter")
        expect(self.page.locator("#panel h2")).to_have_text("Add tag")
        expect(self.page.locator("#f-title")).to_be_focused()
        count = self.outline.locator("[data-step]")
        expect(count).to_have_count(len(self.document["steps"]) + 1)
        self.shot("added")
        self.page.keyboard.press("Control+z")
        expect(count).to_have_count(len(self.document["steps"]))
        self.page.keyboard.press("Control+Shift+z")
        expect(count).to_have_count(len(self.document["steps"]) + 1)
        added = next(line for line in count.all() if line.locator("b").inner_text() == "Add tag").get_attribute("data-step") or ""
        self.press(f"[data-select={added}]", "Enter")
        self.press("#f-config-tag, #f-config-tags", "Control+a")
        self.page.keyboard.type("read")
        self.page.keyboard.press("Control+s")
        expect(self.page.locator("#problems .error")).to_have_count(0)
        self.saved_revision()
        return str(first["id"]), added

    def is_published(self) -> None:
        """With a note; where a second person decides, it is asked for."""
        self.press("[data-publish]", "Enter")
        expect(self.page.locator("h1")).to_have_text("Publish")
        expect(self.page.locator("main")).to_contain_text("Add tag")
        self.shot("publish")
        self.press("#note")
        self.page.keyboard.type(NOTE)
        self.press("main form button.primary", "Enter")
        self.page.wait_for_url(self.url)

    def walk(self) -> float:
        """All of it; in seconds."""
        began = time.monotonic()
        self.is_read()
        self.keeps_its_text()
        first, added = self.is_changed()
        self.is_published()
        self.page.goto(f"{self.url}/edit?view=text")
        live = json.loads(self.page.locator("#text").input_value())
        before = {step["id"]: step for step in self.document["steps"]}
        after = {step["id"]: step for step in live["steps"]}
        differing = {each for each in before if {**before[each], "title": ""} != {**after[each], "title": ""}}
        led = before[first]["next"]["default"]
        for each in differing:  # the step before the new one leads there, and so does what it begins, which ends where it leads
            ways = {outcome: added if to == led else to for outcome, to in before[each]["next"].items()}
            assert {**before[each], "title": "", "next": ways} == {**after[each], "title": ""}, each
        assert set(after) - set(before) == {added}, set(after) - set(before)
        assert first in differing, differing
        return time.monotonic() - began


def main() -> None:
    """Walk, and print what each workflow cost."""
    parser = argparse.ArgumentParser(prog="editor_walk.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slugs", nargs="*", metavar="SLUG")
    parser.add_argument("--data", type=Path, help="the data folder of a demo that runs")
    parser.add_argument("--shots", type=Path, help="where to keep pictures")
    given = parser.parse_args()
    documents = [json.loads(file.read_text("utf-8")) for file in sorted((ROOT / "workflows").glob("*.json"))]
    wanted = [each for each in documents if not given.slugs or each["slug"] in given.slugs]
    wrong: list[str] = []
    with demo(given.data) as told, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox", "--disable-gpu"])
        people = {person["role"]: person for person in told["people"]}
        signed_in: dict[str, list[Any]] = {}
        for document in wanted:
            role = LEADS[document["team"]]
            signed_in.setdefault(role, sign_in(browser, told["url"], people[role]))
            context = browser.new_context(viewport=WIDE, reduced_motion="reduce")  # type: ignore[arg-type]
            context.set_default_timeout(60_000)
            context.add_cookies(signed_in[role])
            page = context.new_page()
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
            seconds = Walk(page, told["url"], document, given.shots).walk()
            print(f"{document['slug']:<24}{len(document['steps']):>4} steps {seconds:6.1f} s", flush=True)
            context.close()
    print(f"{len(wanted)} workflows opened, read, changed and published; {len(wrong)} errors of the page", *wrong, sep="\n")
    raise SystemExit(bool(wrong))


def _chromium() -> str | None:
    path = Path("/usr/bin/chromium")
    return str(path) if path.exists() else None


if __name__ == "__main__":
    main()
