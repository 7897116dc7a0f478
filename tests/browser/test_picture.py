"""The picture of a workflow and of a run: drawn, walked by keyboard, in the dark, and read out."""

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from console import runs, workflows
from tests.company import DOCUMENT, Company

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow

DRAWN = "() => document.querySelectorAll('.x6-node .nd').length"
FOCUSED = "document.activeElement.dataset.cellId"
PLACES = """() => Object.fromEntries([...document.querySelectorAll('.x6-node[data-shape=handrail-step]')]
    .map((node) => [node.dataset.cellId, node.getAttribute('transform').match(/-?[0-9.]+/g).map(Number)]))"""
MAIN = (
    "(() => { const main = document.querySelector('main'); return main.scrollHeight - main.clientHeight; })()"
)
OVERLAPS = """() => {
    const boxes = (sought) => [...document.querySelectorAll(`step-picture ${sought}`)].map((each) => [each.parentElement.textContent, each.getBoundingClientRect()]);
    const [names, all] = [boxes('.way-tag'), [...boxes('.way-tag'), ...boxes('.nd'), ...boxes('.group-words')]];
    const meet = (one, two) => Math.min(one.right, two.right) - Math.max(one.left, two.left) > 1 && Math.min(one.bottom, two.bottom) - Math.max(one.top, two.top) > 1;
    return [names.length, names.flatMap(([name, one], number) => all.filter(([, two], other) => other !== number && meet(one, two)).map(([what]) => [name, what]))];
}"""
STRUCK = """() => {
    const ways = [...document.querySelectorAll('step-picture .x6-edge')];
    return [...document.querySelectorAll('step-picture .way-tag')].flatMap((tag) => {
        const [own, box] = [ways.indexOf(tag.closest('.x6-edge')), tag.getBoundingClientRect()];
        const over = (line) => {
            const matrix = line.getScreenCTM();
            return [...Array(Math.ceil(line.getTotalLength() / 3)).keys()].some((part) => {
                const { x, y } = line.getPointAtLength(part * 3).matrixTransform(matrix);
                return box.left + 1 < x && x < box.right - 1 && box.top + 1 < y && y < box.bottom - 1;
            });
        };
        return ways.slice(own + 1).some((way) => over(way.querySelector('.way-line'))) ? [tag.parentElement.textContent] : [];
    });
}"""
"""Names of ways over which the line of another way is drawn."""
TAKEN = "() => [...document.querySelectorAll('.way-line.taken')].length"


def document(**more: Any) -> dict[str, Any]:
    return copy.deepcopy(DOCUMENT) | more


def long(count: int) -> dict[str, Any]:
    """A workflow with so many steps, every third of them a fork."""
    made: list[dict[str, Any]] = [
        {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "s1"}}
    ]
    for n in range(1, count - 1):
        after = f"s{n + 1}" if n < count - 2 else "end"
        if n % 3 == 0 and n < count - 4:
            options = [{"value": "one", "label": "One way"}, {"value": "two", "label": "Another way"}]
            made.append(
                {
                    "id": f"s{n}",
                    "type": "decision",
                    "title": f"Choice {n}",
                    "config": {"options": options},
                    "next": {"one": after, "two": f"s{n + 3}"},
                }
            )
        else:
            made.append(
                {
                    "id": f"s{n}",
                    "type": "guidance",
                    "title": f"Step {n}",
                    "config": {"text": "Look."},
                    "next": {"default": after},
                }
            )
    return document(
        slug="long-one",
        title="Long one",
        steps=[*made, {"id": "end", "type": "end", "title": "End", "config": {}, "next": {}}],
    )


def forked() -> dict[str, Any]:
    """A workflow in which eight choices with long names lead to three steps, and those to each other and past each other, in two groups."""
    options = [{"value": f"o{n}", "label": f"A choice with a long name {n}"} for n in range(8)]
    made: list[dict[str, Any]] = [
        {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "first"}}
    ]
    ways = {f"o{n}": ("one", "two", "three", "end")[n % 4] for n in range(8)}
    for step, later in (
        ("first", ways),
        ("one", ways | {"o0": "two", "o4": "end"}),
        ("two", {name: to if to in ("three", "end") else "three" for name, to in ways.items()}),
    ):
        made.append(
            {
                "id": step,
                "type": "decision",
                "title": step.title(),
                "config": {"options": options},
                "next": later,
            }
        )
    made += [
        {
            "id": "three",
            "type": "guidance",
            "title": "Three",
            "config": {"text": "Look."},
            "next": {"default": "end"},
        }
    ]
    groups = [
        {"title": "The first of two groups", "steps": ["first", "one"]},
        {"title": "Group", "steps": ["two", "three"]},
    ]
    end = {"id": "end", "type": "end", "title": "End", "config": {}, "next": {}}
    return document(slug="forked", title="Forked", steps=[*made, end], groups=groups)


def gone_back() -> dict[str, Any]:
    """A workflow with a way back that has a long name, and leads up beside a step that stands next to it."""
    places = {"start": (0, 0), "again": (0, 120), "look": (-270, 330), "choose": (0, 540), "end": (0, 660)}
    options = [{"value": "back", "label": "Everything is done once again"}, {"value": "end", "label": "End"}]
    made: list[dict[str, Any]] = [
        {"id": "start", "type": "start", "config": {}, "next": {"default": "look"}},
        {"id": "again", "type": "go_to", "config": {}, "next": {"default": "look"}},
        {"id": "look", "type": "guidance", "config": {"text": "Look."}, "next": {"default": "choose"}},
        {
            "id": "choose",
            "type": "decision",
            "config": {"options": options},
            "next": {"back": "again", "end": "end"},
        },
        {"id": "end", "type": "end", "config": {}, "next": {}},
    ]
    return document(
        slug="back",
        title="Back",
        steps=[step | {"title": step["id"].title(), "at": [*places[step["id"]]]} for step in made],
    )


def drawn(screen: "Screen", path: str, count: int = 10) -> Any:
    """The page with a picture of so many steps."""
    page = screen.go(path)
    page.wait_for_function(f"() => ({DRAWN})() === {count}")
    return page


def test_the_picture_says_what_the_list_says(screens: Callable[..., "Screen"]) -> None:
    olivia = screens().enter("mona")
    page = drawn(olivia, "/workflows/care-review/test")
    names = page.eval_on_selector_all(".x6-node .nd b", "(all) => all.map((one) => one.textContent)")
    assert names == page.eval_on_selector_all(
        "[data-step] [data-title]", "(all) => all.map((one) => one.textContent)"
    )
    labels = set(
        page.eval_on_selector_all(
            ".way-words", "(all) => all.map((one) => one.textContent.replaceAll('\\u00a0', ' '))"
        )
    )
    assert labels == {"High, Otherwise", "Approve", "Look again"}
    spoken = page.get_attribute("[data-cell-id=decide]", "aria-label")
    assert (
        spoken
        == "Decide A person, or a rule, chooses the way on. Decision. Next: Approve: Result; Look again: Back to the note."
    )
    assert page.evaluate(MAIN) == 0
    assert olivia.faults() == []


def test_the_keyboard_walks_it_and_opens_a_step(screens: Callable[..., "Screen"]) -> None:
    olivia = screens().enter("mona")
    page = drawn(olivia, "/workflows/care-review/test")
    page.focus("[data-zoom=fit]")
    olivia.press("Tab")
    walked = [page.evaluate(FOCUSED)]
    for key in (
        "ArrowDown",
        "ArrowDown",
        "ArrowUp",
        "End",
        "ArrowUp",
        "ArrowLeft",
        "ArrowDown",
        "Home",
        "ArrowUp",
    ):
        olivia.press(key)
        walked.append(page.evaluate(FOCUSED))
    assert walked == ["start", "load", "read", "load", "end", "result", "back", "note", "start", "start"]
    olivia.press("ArrowDown", "Enter")
    olivia.focus_on("step-load")
    assert page.url.endswith("#step-load")
    assert page.evaluate("document.querySelector('.x6-node.chosen').dataset.cellId") == "load"
    assert page.evaluate("document.getElementById('step-load').getBoundingClientRect().top < innerHeight")
    assert page.evaluate(MAIN) == 0
    assert page.evaluate("[...document.querySelectorAll('.x6-node[tabindex=\"0\"]')].length") == 1


def test_a_picture_of_sixty_steps_overlaps_nowhere(screens: Callable[..., "Screen"]) -> None:
    workflows.import_file(long(60), publish=True)
    olivia = screens().enter("mona")
    page = drawn(olivia, "/workflows/long-one/test", 60)
    places = list(page.evaluate(PLACES).values())
    assert not [
        (one, two)
        for number, one in enumerate(places)
        for two in places[number + 1 :]
        if abs(one[0] - two[0]) < 252 and abs(one[1] - two[1]) < 60
    ]
    assert page.inner_text("[data-size]") == "85%", "what could not be read as a whole begins at the start"
    workflows.import_file(forked(), publish=True)
    workflows.import_file(gone_back(), publish=True)
    for path, count in (
        ("/workflows/long-one/test", 60),
        ("/workflows/forked/test", 6),
        ("/workflows/back/test", 5),
    ):
        names, overlapping = drawn(olivia, path, count).evaluate(OVERLAPS)
        assert names
        assert not overlapping, "names of ways stand on nothing else"
        assert olivia.page.evaluate(STRUCK) == []
    assert olivia.faults() == []


def again(company: Company) -> str:
    """A run that went back to the note, and whose rating was revised then."""
    run_id = company.at("decide")
    told = company.told(run_id)
    runs.complete(
        company.olivia,
        run_id,
        runs.Submission(step="decide", revision=told["revision"], values={}, outcome="again"),
    )
    told = company.told(run_id)
    runs.revise(company.olivia, run_id, step="rate", attempt=None, revision=told["revision"], reason="Wrong")
    return run_id


def test_a_run_shows_what_was_done_what_was_cancelled_and_what_may_come(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    run_id = again(company)
    olivia = screens().enter("olivia")
    page = drawn(olivia, f"/runs/{run_id}/picture")
    states = page.evaluate(
        "() => Object.fromEntries([...document.querySelectorAll('.x6-node .nd')].map((one) => [one.closest('.x6-node').dataset.cellId, one.className.replace('nd ', '')]))"
    )
    assert (states["load"], states["rate"], states["decide"], states["end"]) == (
        "done",
        "now",
        "cancelled",
        "todo",
    )
    struck = "(id) => getComputedStyle(document.querySelector(`[data-cell-id=${id}] b`)).textDecorationLine"
    assert (page.evaluate(struck, "decide"), page.evaluate(struck, "load")) == ("line-through", "none")
    assert page.inner_text("[data-cell-id=rate] .nd-visits") == "×2"
    assert page.evaluate(TAKEN) == 4
    assert "Here now, 2 entries." in str(page.get_attribute("[data-cell-id=rate]", "aria-label"))
    assert olivia.faults() == []
    olivia.go("/workflows/care-review")
    assert olivia.faults() == []
    olivia.go("/workflows")
    assert olivia.faults() == []


def test_what_is_read_is_not_hidden_from_who_cannot_see(screens: Callable[..., "Screen"]) -> None:
    olivia = screens().enter("mona")
    page = drawn(olivia, "/workflows/care-review/test")
    hidden = page.eval_on_selector_all(
        "#flow, [data-step], [data-to]",
        "(all) => all.filter((one) => one.closest('[aria-hidden=true], [hidden]') || !one.getClientRects().length).length",
    )
    assert hidden == 0
    assert page.locator("ol#flow > li").count() == 10


SHIFTS = """window.shifted = 0; new PerformanceObserver((list) => list.getEntries().forEach((each) => { shifted += each.value; }))
    .observe({ type: "layout-shift", buffered: true });"""


def test_the_overview_is_light_stands_still_and_leads_to_the_steps(screens: Callable[..., "Screen"]) -> None:
    workflows.import_file(long(60), publish=True)
    mona = screens().enter("mona")
    mona.page.add_init_script(SHIFTS)
    received = []
    mona.page.on("response", lambda answer: received.append(len(answer.body())))
    page = mona.go("/workflows/long-one")
    page.wait_for_load_state("networkidle")
    assert page.locator(".drawn .nd").count() == page.locator("ol#flow > li").count() == 60
    assert page.evaluate("shifted") < 0.1
    assert 100_000 < sum(received) < 300_000
    page.click(".drawn a:has-text('Choice 3')")
    page.wait_for_function("() => document.querySelector('#step-s3').checkVisibility()")
    assert page.evaluate("document.querySelector('#step-s3').getBoundingClientRect().top < innerHeight")
    assert mona.faults() == []
    left = "[...document.querySelectorAll('.rail, .workflow-bar > .tabs:first-child > a')].map((each) => each.getBoundingClientRect().right)"
    stood = page.evaluate(left)
    for path in (
        "/metrics",
        "/edit",
        "/test",
        "/triggers",
        "/executions",
        "/configuration",
        "/history",
        "/publish",
    ):
        assert mona.go(f"/workflows/long-one{path}").evaluate(left) == stood
