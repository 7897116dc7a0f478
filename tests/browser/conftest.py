"""A real browser before the small company: Chromium, the web application in a thread, and an eye on everything it complains about."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, ViewportSize, expect
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.company import PASSWORD, Company
from tests.conftest import web_app
from tests.support.engine import until
from tests.views.conftest import signed_in

AXE = (Path(__file__).parent / "vendor/axe-core-4.14.1/axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
TABLET: ViewportSize = {"width": 1024, "height": 768}
TELEPHONE: ViewportSize = {"width": 390, "height": 844}
SIDEWAYS = "[document.documentElement, ...document.querySelectorAll('main')].some((part) => part.scrollWidth > part.clientWidth + 1)"
DRAWN = "new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); setTimeout(done, 3000); })"
"""Once the page knows its new size: scripts hear of it with the next frame. A browser without a screen may draw no frame at all when nothing on the page moves."""
REFUSED = """(page) => [...page.forms].flatMap((form) => [...form.elements].filter((one) => one.willValidate && !one.validity.valid && !one.validity.valueMissing
    || one.maxLength > 0 && one.value.length > one.maxLength).map((one) => `the browser refuses ${one.name}: ${one.value} in ${form.getAttribute('action')}`))"""
"""Values in forms that their browser would not send; what is needed and not filled in yet is none."""
ABOVE = """[...document.querySelectorAll('main svg.i')].filter((icon) => icon.getClientRects().length && getComputedStyle(icon).display === 'block'
    && ['block', 'list-item', 'inline'].includes(getComputedStyle(icon.parentElement).display)
    && [...icon.parentElement.childNodes].some((part) => part.nodeType === 3 && part.data.trim())).map((icon) => icon.parentElement.innerText.slice(0, 60))"""
"""Icons are blocks: in a line of words they break it."""
EXPECTED = (
    "401 (UNAUTHORIZED)",
    "403 (FORBIDDEN)",
    "404 (NOT FOUND)",
    "409 (CONFLICT)",
    "422 (UNPROCESSABLE ENTITY)",
)
"""What Chromium logs of an answer that is as it should be."""

WATCH = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
window.axeNow = () => { if (!window.axe) { %s } };
"""
"""In every page before its own scripts: axe comes to be when it is first asked."""

expect.set_options(timeout=30_000)  # a busy machine is slow, and no test here measures time


@pytest.fixture
def url(company: Company) -> Iterator[str]:
    """Where the company's console is served."""
    with served() as address:
        yield address


class Requests:
    """How many requests the server is at: a connection that is in use when its engine is disposed of is never closed.

    Counted where the server handles a request, not by the end of its answer, which it never closes for a browser that hung up.
    """

    def __init__(self) -> None:
        self.under_way, self._lock = 0, threading.Lock()

    def handler(self) -> type[WSGIRequestHandler]:
        """What handles a request, and counts it."""
        counted = self._counted

        class Handler(WSGIRequestHandler):
            def run_wsgi(self) -> None:
                with counted():
                    super().run_wsgi()

        return Handler

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self.under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self.under_way -= 1


@contextmanager
def served() -> Iterator[str]:
    """The console over the database that the settings point to, on a free port of this machine."""
    requests = Requests()
    server = make_server("127.0.0.1", 0, web_app(), threaded=True, request_handler=requests.handler())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    assert until(lambda: not requests.under_way), "a page is still being drawn"
    server.server_close()


Scheme: TypeAlias = Literal["light", "dark"]


class Screen:
    """Somebody before a screen."""

    def __init__(self, context: BrowserContext, url: str, scheme: Scheme = "light") -> None:
        self.context, self.url, self.scheme = context, url, scheme
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on(
            "console", lambda said: self._note(said.text) if said.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, words: str) -> None:
        if not words.rstrip().endswith(EXPECTED) and not any(
            f"status of {expected}" in words for expected in EXPECTED
        ):
            self.complaints.append(words)

    def sign_in(self, name: str) -> "Screen":
        """By keyboard alone."""
        self.go("/sign-in").wait_for_function(
            "() => document.activeElement.id === 'email'"
        )  # browsers give the focus with the first frame
        self.page.keyboard.type(f"{name}@fernwick.example")
        self.page.keyboard.press("Tab")
        self.page.keyboard.type(PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(f"{self.url}/")
        return self

    def enter(self, name: str) -> "Screen":
        """As who has signed in before, with no page open yet: a second cheaper than `sign_in`."""
        for cookie in (signed_in(web_app(), name)._cookies or {}).values():
            self.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.url}])
        return self

    def go(self, path: str) -> Page:
        """Open an address."""
        self.page.goto(self.url + path)
        return self.page

    def press(self, *keys: str) -> None:
        """Press keys, one after another; the first when the scripts of the page that has come have run."""
        self.page.wait_for_load_state("load")
        for key in keys:
            self.page.keyboard.press(key)

    def heading(self, words: str) -> None:
        """Wait until the step of this title is there, has the focus, and nothing is on its way any more."""
        self.page.wait_for_selector(f"h2:has-text('{words}')")
        self.settled()

    def settled(self) -> None:
        """Wait until what the page fetched for itself when it came is in its place."""
        self.page.wait_for_function(
            "() => !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')"
        )

    def focus_on(self, element: str) -> None:
        """Wait until the element of this id has the focus: it moves a moment after what brought it is there."""
        self.page.wait_for_function("(id) => document.activeElement?.id === id", arg=element)

    def faults(self, *, both: bool = True, contrast: bool = False) -> list[str]:
        """What is wrong on the page as it stands: what axe finds, ids that stand twice, what overflows sideways, which policy was broken. A page on a large screen is looked at
        as a telephone in the other scheme shows it, too (`both`), a tablet between them for what overflows, and left as it was. With `contrast` the colours of the large
        screen in the other scheme, and of the telephone in this one, are looked at, too: nothing but colours depends on the scheme."""
        found = [str(one) for one in self.page.evaluate("window.violations ?? []")]
        session = self.context.new_cdp_session(self.page)
        found += self._seen(session)
        size = self.page.viewport_size
        if both and size != TELEPHONE:
            other: Scheme = "dark" if self.scheme == "light" else "light"
            self.page.emulate_media(color_scheme=other)
            found += [f"{other}: {one}" for one in self._contrast()] if contrast else []
            self.page.set_viewport_size(TABLET)
            found += (
                ["1024 wide: the page scrolls sideways"]
                if self.page.evaluate(f"{DRAWN}.then(() => {SIDEWAYS})")
                else []
            )
            self.page.set_viewport_size(TELEPHONE)
            found += [f"{other}, {TELEPHONE['width']} wide: {one}" for one in self._seen(session)]
            self.page.emulate_media(color_scheme=self.scheme)
            found += [f"{TELEPHONE['width']} wide: {one}" for one in self._contrast()] if contrast else []
            self.page.set_viewport_size(size or TELEPHONE)
        session.detach()
        return [f"{self.page.url}: {one}" for one in found + self.complaints]

    def _contrast(self) -> list[str]:
        found: list[str] = self.page.evaluate(
            f"""{DRAWN}.then(() => axe.run({{ runOnly: {{ type: "rule", values: ["color-contrast"] }}, resultTypes: ["violations"], iframes: false, preload: false }}))
            .then((found) => found.violations.flatMap((one) => one.nodes.map((node) => `${{one.id}}: ${{node.html.slice(0, 200)}}`)))"""
        )
        return found

    def _seen(self, session: CDPSession) -> list[str]:
        options = json.dumps(
            {
                "runOnly": RULES,
                "resultTypes": ["violations"],
                "iframes": False,
                "preload": False,
                "elementRef": False,
                "selectors": False,
            }
        )
        asked = f"""(async () => {{
            window.axeNow();
            await {DRAWN};
            const found = await axe.run({options});
            const told = found.violations.map((one) => one.id + ': ' + one.nodes.map((node) => node.html.slice(0, 200)).join(' | '));
            const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
            const twice = [...new Set(ids.filter((id, place) => ids.indexOf(id) !== place))];
            told.push(...twice.map((id) => 'twice on the page: #' + id));
            for (const form of document.forms) {{
                const sends = [...form.elements].filter((one) => one.type === 'submit' && !one.disabled);
                const meant = sends.find((one) => one.matches('.primary'));
                const typed = [...form.elements].some((one) => one.matches('input') && one.labels?.length && !['checkbox', 'radio', 'file'].includes(one.type));
                const pressed = [...form.elements].find((one) => one.type === 'submit');
                if (typed && meant && pressed !== meant && !pressed.disabled && !pressed.matches('.vh, [hidden]')) told.push(`Enter presses ${{pressed.innerText}}, not ${{meant.innerText}}`);
            }}
            told.push(...({REFUSED})(document));
            told.push(...{ABOVE}.map((words) => 'an icon stands above its words: ' + words));
            return JSON.stringify({SIDEWAYS} ? [...told, 'the page scrolls sideways'] : told);
        }})()"""
        answer: dict[str, Any] = session.send(
            "Runtime.evaluate", {"expression": asked, "awaitPromise": True, "returnByValue": True}
        )
        told: list[str] = json.loads(answer["result"]["value"])
        return told


@pytest.fixture
def screens(chromium: Browser, url: str) -> Iterator[Callable[..., Screen]]:
    """Opens screens: `screens(390, 844, "dark")`. None of them may have complained of anything by the end."""
    opened: list[Screen] = []

    def open_one(
        width: int = 1440, height: int = 900, scheme: Scheme = "light", script: bool = True
    ) -> Screen:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        context.add_init_script(WATCH % AXE)
        context.set_default_timeout(40_000)
        opened.append(Screen(context, url, scheme))
        return opened[-1]

    yield open_one
    complaints = [words for screen in opened for words in screen.complaints]
    for screen in opened:
        screen.context.close()
    assert complaints == []
