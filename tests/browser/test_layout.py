"""What a page looks like to those who measure it: panes scroll and pages do not, nothing runs over an edge, the focus is always to be seen."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from console import accounts, runs
from console.activity import sequencing
from tests.company import Company
from tests.views.test_block_pages import made

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow

SCROLLS = "[document.scrollingElement.scrollHeight - innerHeight, document.scrollingElement.scrollWidth - innerWidth]"
OVER_THE_EDGE = """[...document.querySelectorAll('.sect > *, .card > *, .card .scroll-x, .record-columns > div, .column > *')]
    .filter((one) => one.getClientRects().length && one.parentElement.getClientRects().length)
    .filter((one) => one.getBoundingClientRect().right > one.parentElement.getBoundingClientRect().right + 1)
    .map((one) => one.tagName + '.' + one.className)"""
FOCUSED = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    const ringed = (part) => part && (getComputedStyle(part).boxShadow !== 'none' || (getComputedStyle(part).outlineStyle !== 'none' && parseFloat(getComputedStyle(part).outlineWidth) > 0));
    const box = one.getBoundingClientRect();
    const at = document.elementFromPoint(Math.min(innerWidth - 1, Math.max(0, box.left + Math.min(box.width / 2, 30))), Math.min(innerHeight - 1, Math.max(0, box.top + Math.min(box.height / 2, 20))));
    return {
        what: `${one.tagName} ${(one.getAttribute('aria-label') || one.textContent || one.id).trim().slice(0, 40)}`,
        ringed: Boolean(ringed(one) || ringed(one.closest('.outcome')) || ringed(one.closest('.choice'))) && getComputedStyle(one).opacity !== '0',
        uncovered: Boolean(at && (at === one || one.contains(at) || at.contains(one) || [...(one.labels || [])].some((label) => label.contains(at)))),
        large: Math.min(box.width, box.height) >= 24 || one.matches('input') || Boolean(one.closest('dd, p, .sentence, .choice')),
    };
}"""
STOPS = 140


@pytest.fixture
def paths(company: Company) -> list[str]:
    """A page of each kind, full of rows and words."""
    for n in range(100, 160):
        company.sql("insert into customer (id, display_name, desk, risk, balance) values (?, ?, 'retail', 'low', ?)", n, f"Customer {n}", n)
        company.sql("insert into account values (?, 1, 'open')", f"LT{n}" + "9" * 40)
    held, done, saved = company.at("rate", "1"), company.finished("2"), company.at("note", "4")
    runs.save(company.olivia, saved, revision=company.told(saved)["revision"])
    sequencing.catch_up()
    return [
        "/", "/more", "/c", "/workflows", "/settings/me", "/c/customer", "/c/customer/1", "/c/customer/1?tab=details", "/c/customer/1?tab=activity", "/c/customer/1/related/account", f"/runs/{held}", f"/runs/{held}?tab=related",
        f"/runs/{saved}", f"/runs/{done}", f"/runs/{done}/replay?at=9", f"/runs/{held}/revise?step=note", "/c/nothing",
    ]  # fmt: skip


def test_no_part_of_a_workflow_is_pushed_out_of_sight_by_a_link_within_it(screens: Callable[..., "Screen"], company: Company) -> None:
    mona = screens(1440, 900).enter("mona")
    wrong = []
    for path in ("configuration#alerts", "configuration#variables", "triggers", "executions", "incidents", "metrics", "enrolled", ""):
        page = mona.go(f"/workflows/care-review/{path}".rstrip("/"))
        hidden, scrolled = page.evaluate(
            "() => { const main = document.querySelector('main, .main'); return [main.scrollHeight - main.clientHeight, main.scrollTop]; }"
        )
        top = page.locator(".workflow-bar").bounding_box()
        wrong += [(path, hidden, scrolled)] if hidden > 1 or scrolled or top is None or top["y"] < 0 else []
    assert wrong == []


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 700), (320, 640)])
def test_panes_scroll_and_the_page_does_not(screens: Callable[..., "Screen"], paths: list[str], width: int, height: int) -> None:
    olivia = screens(width, height).enter("olivia")
    wrong = []
    for path in paths:
        page = olivia.go(path)
        olivia.settled()
        wrong += [] if page.evaluate(SCROLLS) == [0, 0] else [(path, page.evaluate(SCROLLS))]
        wrong += [(path, over) for over in page.evaluate(OVER_THE_EDGE)]
        page.keyboard.press("End")
        wrong += [] if page.evaluate("scrollY") == 0 else [(path, "scrolled away")]
    assert wrong == []


def test_a_number_that_is_a_link_has_no_gap_before_what_follows_it(screens: Callable[..., "Screen"], company: Company) -> None:
    page = screens(1440, 900).enter("mona").go("/workflows/care-review")
    gap, width = page.evaluate("""() => {
        const link = document.querySelector('.kv dd.num > a'), ends = (of) => { const range = document.createRange(); range.selectNodeContents(of); return range.getBoundingClientRect(); };
        link.textContent = '3';
        const after = document.createTextNode(', 3 waiting');
        link.after(after);
        return [ends(after).left - ends(link).right, link.getBoundingClientRect().width];
    }""")
    assert (gap < 1, width >= 22) == (True, True), (gap, width)


def test_a_telephone_shows_the_title_of_a_workflow_and_the_head_of_a_list_whole(screens: Callable[..., "Screen"], company: Company) -> None:
    mona = screens(390, 844).enter("mona")
    cut = "(all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent)"
    for path in ("", "/metrics", "/enrolled"):
        page = mona.go(f"/workflows/care-review{path}")
        page.evaluate("document.querySelector('.crumb h1').textContent = 'Nightly check of contacts and of those who left'")
        assert page.eval_on_selector_all(".crumb, .crumb h1, .top", cut) == [], path
        bar, main = page.locator(".top > .bar").bounding_box(), page.locator("main").bounding_box()
        assert bar is not None
        assert main is not None
        assert bar["y"] + bar["height"] <= main["y"], "the switch stands in the head, not under the page"
    page = mona.go("/c/customer")
    page.evaluate(
        "document.querySelector('.table.cards thead tr').append(...[...'abcdef'].map((letter) => { const th = document.createElement('th'); th.innerHTML = `<a href='#'>Column ${letter}</a>`; return th; }))"
    )
    assert page.eval_on_selector_all(".table.cards thead, .table.cards thead tr", cut) == []


def test_the_next_firing_of_a_workflow_is_one_line(screens: Callable[..., "Screen"], company: Company) -> None:
    for width in (390, 1440):
        page = screens(width, 900).enter("mona").go("/workflows")
        page.evaluate("document.querySelectorAll('.flow-figures dd')[1].innerHTML = '<time>30 Nov 2026, 02:00</time>'")
        high = page.evaluate("document.querySelector('.flow-figures time').getBoundingClientRect().height")
        assert high < 30, (width, high)


def test_a_table_that_is_too_wide_scrolls_within_its_card(screens: Callable[..., "Screen"], company: Company) -> None:
    olivia = screens().enter("olivia")
    run = company.at("read")
    for path in ("/c/customer/1", f"/runs/{run}?tab=related"):
        page = olivia.go(path)
        page.wait_for_selector(".scroll-x table")
        page.evaluate(
            "document.querySelectorAll('.scroll-x :is(th, td)').forEach((cell) => { cell.textContent = 'unbreakable'.repeat(12); })"
        )
        assert page.evaluate("(() => { const box = document.querySelector('.scroll-x'); return box.scrollWidth > box.clientWidth; })()")
        assert page.evaluate(OVER_THE_EDGE) == []
        assert page.evaluate(SCROLLS) == [0, 0]
        page.focus(".scroll-x")
        olivia.press("ArrowRight", "ArrowRight")
        page.wait_for_function("() => document.querySelector('.scroll-x').scrollLeft > 0")


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_whatever_has_the_focus_is_seen_and_can_be_hit(screens: Callable[..., "Screen"], paths: list[str], width: int, height: int) -> None:
    olivia = screens(width, height).enter("olivia")
    wrong: list[Any] = []
    for path in paths:
        page = olivia.go(path)
        olivia.settled()
        first = None
        for _ in range(STOPS):
            olivia.press("Tab")
            told = page.evaluate(FOCUSED)
            if told is None or told["what"] == first:
                break
            first = first or told["what"]
            wrong += [] if told["ringed"] and told["uncovered"] and told["large"] else [(path, told)]
    assert wrong == []


def test_every_dialog_closes_by_escape_and_gives_the_focus_back(screens: Callable[..., "Screen"], company: Company) -> None:
    run = company.at("rate", "2")
    olivia = screens().enter("olivia")
    for path, opener in (
        ("/c/customer/1", "a:has-text('Start Care review')"),
        (f"/runs/{run}", "a:text-is('Abort')"),
        (f"/runs/{run}", "a[aria-label='Revise Take a note']"),
        (f"/runs/{run}", "[data-palette]"),
    ):
        page = olivia.go(path)
        page.focus(opener)
        olivia.press("Enter")
        page.wait_for_selector("dialog[open]")
        assert page.evaluate("document.querySelector('dialog[open]').contains(document.activeElement)"), opener
        olivia.press("Escape")
        page.wait_for_function("() => !document.querySelector('dialog[open]')")
        assert page.evaluate("(opener) => document.activeElement === opener", page.query_selector(opener)), opener
    page = olivia.go("/c/customer")
    page.focus("summary:has-text('Filter')")
    olivia.press("Enter", "Tab", "Escape")
    assert page.evaluate("document.activeElement.matches('summary') && !document.querySelector('details[open]')")


def test_the_way_from_sign_in_to_replay_needs_tab_and_enter_alone(screens: Callable[..., "Screen"], company: Company) -> None:
    olivia = screens().sign_in("olivia")
    page = olivia.page

    def reach(words: str, key: str = "Enter") -> None:
        """Press Tab until this has the focus, then the key."""
        for _ in range(STOPS):
            olivia.press("Tab")
            told = page.evaluate(
                "(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent || '').trim().replace(/\\s+/g, ' ')"
            )
            if told.startswith(words):
                return olivia.press(key)
        raise AssertionError(words)

    reach("Records")
    page.wait_for_selector("h1:has-text('Records')")
    reach("Customers")
    page.wait_for_selector("h1:has-text('Customers')")
    reach("Tore Lindqvist")
    page.wait_for_selector("h1:has-text('Tore')")
    reach("Start Care review")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("P")
    reach("Start")
    page.wait_for_url("**/runs/run_*")
    reach("Done")
    olivia.heading("Take a note")
    page.focus("#f-note")
    page.keyboard.type("By keyboard.")
    reach("Save")
    page.wait_for_selector("text=Saved, to continue")
    reach("Resume")
    olivia.heading("Take a note")
    assert page.input_value("#f-note") == "By keyboard."
    reach("Save")
    page.wait_for_selector("text=Saved, to continue")
    reach("Replay")
    page.wait_for_selector("h1:has-text('Replay')")


def test_endless_words_stay_within_a_telephone_and_both_sides_have_room(screens: Callable[..., "Screen"], company: Company) -> None:
    run = made(
        company,
        {"block": "comparison", "lines": [{"label": "Name", "ours": "record.display_name", "theirs": "variables.long"}]},
        {"block": "letter", "sender": "{{ variables.long }}", "body": "variables.long"},
        {"block": "brief", "lines": [{"text": "{{ variables.long }}", "sources": ["a"]}], "sources": [{"id": "a", "label": "{{ variables.long }}"}]},
        variables={"long": "W" * 700},
    )  # fmt: skip
    page = screens(390, 844).enter("olivia").go(f"/runs/{run}")
    past = "[...document.querySelectorAll('.block *')].filter((one) => one.getClientRects().length && one.getBoundingClientRect().right > innerWidth)"
    assert page.evaluate(f"{past}.map((one) => one.className)") == []
    ours, theirs = page.evaluate("[...document.querySelectorAll('.compare tbody td[data-l]')].map((cell) => cell.clientWidth)")
    assert abs(ours - theirs) <= 2


CUT_OFF = """[...document.querySelectorAll('.badge')].filter((one) => one.getClientRects().length)
    .filter((one) => one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth + 1 || one.offsetHeight > 26).map((one) => one.textContent.trim())"""
PRESENT_UNSEEN = """[...document.querySelectorAll('.settings-list [aria-current], .tabs > [aria-current]')].filter((one) => one.getClientRects().length)
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 || one.getBoundingClientRect().left < 0).map((one) => one.textContent.trim())"""


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_no_badge_is_cut_off_and_the_present_part_of_the_settings_is_seen(
    screens: Callable[..., "Screen"], company: Company, width: int, height: int
) -> None:
    accounts.create_service_account("robot@fernwick.test", [("operations_lead", "operations")])
    ines = screens(width, height).enter("ines")
    links = ines.go("/settings/people").eval_on_selector_all(".settings-list a", "all => all.map((one) => one.getAttribute('href'))")
    assert len(links) > 8
    wrong = []
    for path in links:
        page = ines.go(path)
        ines.settled()
        wrong += [(path, "cut off", each) for each in page.evaluate(CUT_OFF)]
        wrong += [(path, "unseen", each) for each in page.evaluate(PRESENT_UNSEEN)]
    assert wrong == []


def test_a_title_that_is_shorter_than_its_column_may_be_stands_whole(screens: Callable[..., "Screen"], company: Company) -> None:
    company.sql("delete from customer where id = 4")  # its title is longer than a column may be
    page = screens(900, 800).enter("olivia").go("/c/customer")
    page.evaluate("document.querySelector('main table').style.width = '1px'")  # as one that has more columns than room
    cut = "[...document.querySelectorAll('tbody th a')].filter((one) => one.scrollWidth > one.clientWidth && one.closest('th').offsetWidth < 310)"
    assert page.evaluate(f"{cut}.map((one) => one.textContent)") == []
    assert page.evaluate("document.querySelectorAll('tbody th .tick + a').length") > 1


def test_a_title_without_end_is_cut_and_what_stands_beside_it_is_not_nor_the_page_beneath_a_toast(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    page = screens().enter("mona").go("/workflows/care-review/triggers")
    page.evaluate("document.querySelector('.crumb h1').textContent = 'W'.repeat(200)")
    page.evaluate("handrail.toast('W '.repeat(200)), handrail.toast('W'.repeat(400))")
    lines = "[...document.querySelectorAll('.top .find > span, .top .find > kbd, .top .badge')].filter((one) => one.offsetHeight > 26)"
    assert page.evaluate(f"{lines}.map((one) => one.textContent)") == []
    rail = page.evaluate("document.querySelector('.rail').getBoundingClientRect().right")
    assert page.evaluate("Math.min(...[...document.querySelectorAll('.toast')].map((one) => one.getBoundingClientRect().left))") > rail
    links = "[...document.querySelectorAll('.crumb li')].map((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflow === 'visible')"
    assert page.evaluate(f"{links}.slice(0, -1)") == [False], "a way back that has no room is cut, and does not stand under the title"
