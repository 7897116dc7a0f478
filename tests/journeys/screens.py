"""Somebody before the demo with Chromium who does what a document says: presses what it names, looks for the titles that it quotes, types what it gives."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    ElementHandle,
    JSHandle,
    Page,
    Response,
    TimeoutError,
)

from tests.journeys.conftest import Demo, Visitor
from tests.journeys.documents import Kind, Passage, Word

PATIENCE_MS = 30_000
LEAVING_MS = 3_000
"""So long is it waited for the page that a link or a form without script leads to; what a press downloads leads nowhere."""
ANSWERED = "Failed to load resource: the server responded with a status of"

LOOK = """
const plain = (text) => text.replace(/\\s+/g, " ").replaceAll("’", "'").trim();
const there = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: false });
const said = (element) => {
  const copy = element.cloneNode(true);
  for (const beside of copy.querySelectorAll("kbd, .num, .count, .vh, svg, .hint, .muted, .required, small, select")) beside.remove();
  return plain(copy.textContent);
};
const alone = (words) => words.replace(/ \\([^)]+\\)$/, "");  // without the source that stands beside names of collections where two have one
const CONTROLS = "a[href], button, summary, label, option, [role=tab], [role=menuitem], [role=button], input[type=submit]";
window.control = (given, within) => {
  const words = plain(given);
  const top = document.querySelector("dialog[open]") ?? document;
  const seen = [...top.querySelectorAll(CONTROLS)].filter((element) => !element.closest("[aria-hidden=true]"));  // a form's first button stands for Enter alone
  const found = seen.filter((element) => there(element.matches("option") ? (element.closest("select") ?? element) : element));
  const near = within ? found.filter((element) => element.closest(within)) : found;
  const names = (element) => [said(element), plain(element.textContent), plain(element.textContent).replace(/ ?\\d+$/, ""), alone(said(element)), plain(element.getAttribute("aria-label") ?? ""), plain(element.value ?? "")];
  return near.find((element) => said(element) === words) ?? near.find((element) => names(element).includes(words))
    ?? near.find((element) => [...element.querySelectorAll("b, strong")].some((part) => said(part) === words)) ?? null;
};
window.box = (given) => {
  const words = plain(given);
  const top = document.querySelector("dialog[open]") ?? document;
  const boxes = [...top.querySelectorAll("input, textarea, select")].filter(there);
  const names = (box) => [...[...(box.labels ?? [])].map(said), plain(box.getAttribute("aria-label") ?? ""), plain(box.placeholder ?? "")];
  return boxes.find((box) => names(box).includes(words)) ?? null;
};
window.shown = (given) => {
  const words = plain(given);
  const top = document.querySelector("dialog[open]") ?? document.body;
  if (words.split(" ").length > 3 && plain(document.body.innerText).includes(words)) return true;
  return [...top.querySelectorAll("*"), ...document.querySelectorAll("h1, h2")].some((element) =>
    there(element) && ([said(element), plain(element.placeholder ?? ""), plain(element.getAttribute("aria-label") ?? "")].includes(words)
      || [...element.childNodes].some((node) => node.nodeType === 3 && plain(node.data) === words)));
};
let left = -Infinity;
const leaves = (event) => {
  const link = event.type === "click" ? event.target.closest?.("a[href]") : null;
  const stays = link ? link.target || link.download || link.href.split("#")[0] === location.href.split("#")[0] : event.type === "click" || event.target.method === "dialog";
  if (!event.defaultPrevented && !stays) left = performance.now();
};
addEventListener("submit", leaves);
addEventListener("click", leaves);
window.leaving = (patience) => performance.now() - left < patience;
"""


LEFT_BEHIND = ("htmx:sendAbort", "htmx:afterRequest")
"""What htmx says where a page is left while it still fetches a part of itself. What does not arrive otherwise is a `htmx:sendError` too."""


@dataclass
class Screen:
    """A browser of somebody's own. What it complains of, and each page that fails, stands in `complaints`."""

    demo: Demo
    context: BrowserContext
    page: Page = field(init=False)
    complaints: list[str] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)
    """What was answered with 400 to 499, until a walk takes note of it."""

    def __post_init__(self) -> None:
        self.context.add_init_script(LOOK)
        self.context.set_default_timeout(PATIENCE_MS)
        self.context.set_default_navigation_timeout(PATIENCE_MS)
        self.page = self.context.new_page()
        self.context.on("response", self._answered)
        self.page.on("pageerror", lambda error: self._note(str(error)))
        self.page.on("console", self._told)

    def _answered(self, answer: Response) -> None:
        if answer.status >= 500:
            self._note(f"{answer.status} {answer.url}")
        elif answer.status >= 400:
            self.refused.append((answer.status, answer.url))

    def _told(self, told: ConsoleMessage) -> None:
        """What Chromium writes about an answer may come long after it, and is known from the answer itself."""
        if told.type in ("error", "warning") and ANSWERED not in told.text:
            self._note(told.text)

    @property
    def wrong(self) -> list[str]:
        """All that it complains of, and each refusal that no walk took note of."""
        return self.complaints + [f"{status} {url}" for status, url in self.refused]

    def _note(self, words: str) -> None:
        if not words.startswith(LEFT_BEHIND):
            self.complaints.append(f"{words} (on {self.page.url})")

    def was_answered(self, status: int) -> None:
        """Take note that the last page or click was answered with this status: a question, or a refusal that is shown."""
        self.settled()
        found = [one for one in self.refused if one[0] == status]
        assert found, f"nothing was answered with {status}"
        self.refused.remove(found[0])

    def enter(self, name: str) -> "Screen":
        """As this person of the demo, where signing in is not the point."""
        self.context.clear_cookies()
        for cookie in Visitor(self.demo, name).cookies:
            self.context.add_cookies(
                [{"name": cookie.name, "value": str(cookie.value), "url": self.demo.url}]
            )
        return self

    def go(self, path: str) -> "Screen":
        """Open an address."""
        self.page.goto(self.demo.url + path)
        return self

    def settled(self) -> None:
        """Wait until nothing is on its way any more: no page, no part of one, no picture of a document that a person would wait for."""
        self.page.wait_for_function(
            "(patience) => document.readyState === 'complete' && window.shown && !leaving(patience)"
            " && !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')"
            " && [...document.images].every((one) => one.complete || one.loading === 'lazy')",
            arg=LEAVING_MS,
        )

    def offers(self, words: str) -> bool:
        """Whether something of this name can be pressed now."""
        self.settled()
        return bool(self.page.evaluate("(words) => control(words) !== null", words))

    def control(self, words: str, within: str = "") -> JSHandle:
        """What can be pressed and is called exactly so; waits for it."""
        try:
            self.settled()
            return self.page.wait_for_function(
                "([words, within]) => control(words, within)", arg=[words, within]
            )
        except TimeoutError as error:
            raise AssertionError(
                f"nothing is called {words!r} on {self.page.url}:\n{self.page.inner_text('body')[:3000]}"
            ) from error

    def press(self, words: str, within: str = "") -> None:
        """Press, choose or tick what is called exactly so."""
        element = self.control(words, within).as_element()
        assert element is not None
        if element.evaluate("(element) => element.tagName") == "OPTION":
            field_of = element.evaluate_handle("(element) => element.closest('select')").as_element()
            assert field_of is not None
            field_of.select_option(label=words)
        else:
            element.scroll_into_view_if_needed()
            element.click()
        self.page.wait_for_timeout(30)  # what a click sets going has begun by then
        self.settled()

    def download(self, words: str, within: str = "") -> Path:
        """Press what gives out a file; where it is kept until the browser ends."""
        element = self.control(words, within).as_element()
        assert element is not None
        with self.page.expect_download() as given:
            element.click()
        path = given.value.path()
        assert path.stat().st_size, f"{words!r} gives out an empty file"
        return path

    def see(self, words: str) -> None:
        """Wait until exactly this is written on the page, as a title, label or text of its own."""
        try:
            self.settled()
            self.page.wait_for_function("(words) => shown(words)", arg=words)
        except TimeoutError as error:
            raise AssertionError(
                f"{words!r} is not to be seen on {self.page.url}:\n{self.page.inner_text('body')[:3000]}"
            ) from error

    def headed(self, words: str) -> None:
        """Wait until the content is headed by this: the list of steps may name it before."""
        try:
            self.page.wait_for_selector(f"h2:has-text({json.dumps(words)})")
        except TimeoutError as error:
            raise AssertionError(
                f"no heading is {words!r} on {self.page.url}:\n{self.page.inner_text('body')[:3000]}"
            ) from error
        self.settled()

    def fill(self, label: str, words: str) -> None:
        """Type into the box of this label or placeholder."""
        self._box(label).fill(words)

    def choose(self, label: str, option: str) -> None:
        """Choose from the list of this label what is called so, or is called so in the demo's own source where another has the name too."""
        box = self._box(label)
        called = {one.inner_text() for one in box.query_selector_all("option")}
        box.select_option(label=option if option in called else f"{option} (Fernwick core)")
        self.settled()

    def _box(self, label: str) -> ElementHandle:
        try:
            self.settled()
            box = self.page.wait_for_function("(words) => box(words)", arg=label).as_element()
        except TimeoutError as error:
            raise AssertionError(
                f"no box is called {label!r} on {self.page.url}:\n{self.page.inner_text('body')[:3000]}"
            ) from error
        assert box is not None
        return box

    def key(self, keys: str) -> None:
        """Press a key, or one after another: `g m`. A page that is still coming would not hear it."""
        self.settled()
        for one in keys.split(" "):
            self.page.keyboard.press(one)
        self.page.wait_for_timeout(30)
        self.settled()

    def lacks(self, words: str) -> None:
        """Wait until nothing is written or called exactly so."""
        try:
            self.settled()
            self.page.wait_for_function("(words) => !control(words) && !shown(words)", arg=words)
        except TimeoutError as error:
            raise AssertionError(f"{words!r} is still to be seen on {self.page.url}") from error

    def comes_to_read(self, pattern: str) -> None:
        """The same of what the worker does once a minute: the page is asked for anew."""
        for _ in range(24):
            if re.search(pattern, self.page.inner_text("body"), re.IGNORECASE):
                break
            self.page.wait_for_timeout(5_000)
            self.page.reload()
        self.reads(pattern)

    def reads(self, pattern: str) -> None:
        """Wait until the text of the page has this."""
        try:
            self.page.wait_for_function(
                "(pattern) => new RegExp(pattern, 'i').test(document.body?.innerText ?? '')", arg=pattern
            )
        except TimeoutError as error:
            raise AssertionError(
                f"{pattern!r} is not to be read on {self.page.url}:\n{self.page.inner_text('body')[:3000]}"
            ) from error


@dataclass
class Walked:
    """A passage that is walked: only words that it has may be used, and by the end each has been."""

    passage: Passage
    screen: Screen
    left: list[Word]

    def _take(self, words: str, *kinds: Kind) -> str:
        found = next((word for word in self.left if word.text == words and word.kind in kinds), None)
        assert found or any(word.text == words and word.kind in kinds for word in self.passage.words), (
            f"{words!r} does not stand in {self.passage}"
        )
        if found:
            self.left.remove(found)
        return words

    def press(self, *names: str, within: str = "") -> None:
        """Press what the document sets in bold, one after another."""
        for name in names:
            self.screen.press(self._take(name, "strong", "em", "lead"), within)

    def see(self, *titles: str) -> None:
        """Look for titles that the document names."""
        for title in titles:
            self.screen.see(self._take(title, "strong", "em", "lead"))

    def headed(self, *titles: str) -> None:
        """Wait for titles of steps that the document names, each above the content."""
        for title in titles:
            self.screen.headed(self._take(title, "strong", "em", "lead"))

    def typed(self, words: str) -> str:
        """What the document says to type."""
        return self._take(words, "code")

    def said(self, words: str) -> str:
        """Words of the document that the test itself does something with."""
        return self._take(words, "strong", "em")

    def named(self, *words: str) -> None:
        """Words that are no more than said: emphasis, and people."""
        for one in words:
            self._take(one, "strong", "em", "code", "lead")


@contextmanager
def walked(passage: Passage, screen: Screen) -> Iterator[Walked]:
    """Walk a passage to the letter."""
    one = Walked(passage, screen, list(passage.words))
    yield one
    assert not one.left, f"not walked in {passage.number or passage.title}: {', '.join(map(str, one.left))}"
    assert not screen.wrong, screen.wrong


Open = Callable[..., Screen]


@contextmanager
def opening(chromium: Browser, demo: Demo) -> Iterator[Open]:
    """Opens screens; none has complained of anything by the end."""
    opened: list[Screen] = []

    def open_one(name: str = "", **options: Any) -> Screen:
        context = chromium.new_context(
            viewport={"width": 1440, "height": 900}, reduced_motion="reduce", **options
        )
        opened.append(Screen(demo, context))
        return opened[-1].enter(name) if name else opened[-1]

    yield open_one
    complaints = [words for screen in opened for words in screen.wrong]
    for screen in opened:
        screen.context.close()
    assert not complaints


def run_of(screen: Screen) -> str:
    """The run whose page is open."""
    found = re.search(r"/runs/(run_\w+)", screen.page.url)
    assert found, screen.page.url
    return found[1]
