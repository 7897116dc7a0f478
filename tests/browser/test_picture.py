"""The picture of a workflow and of a run before a person: drawn, walked by keyboard, large and small, in the dark, without script."""

import copy
from collections import Counter
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
MAIN = "(() => { const main = document.querySelector('main'); return main.scrollHeight - main.clientHeight; })()"
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
    made: list[dict[str, Any]] = [{"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "s1"}}]
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
            made.append({"id": f"s{n}", "type": "guidance", "title": f"Step {n}", "config": {"text": "Look."}, "next": {"default": after}})
    return document(
        slug="long-one", title="Long one", steps=[*made, {"id": "end", "type": "end", "title": "End", "config": {}, "next": {}}]
    )


def forked() -> dict[str, Any]:
    """A workflow in which eight choices with long names lead to three steps, and those to each other and past each other, in two groups."""
    options = [{"value": f"o{n}", "label": f"A choice with a long name {n}"} for n in range(8)]
    made: list[dict[str, Any]] = [{"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "first"}}]
    ways = {f"o{n}": ("one", "two", "three", "end")[n % 4] for n in range(8)}
    for step, later in (
        ("first", ways),
        ("one", ways | {"o0": "two", "o4": "end"}),
        ("two", {name: to if to in ("three", "end") else "three" for name, to in ways.items()}),
    ):
        made.append({"id": step, "type": "decision", "title": step.title(), "config": {"options": options}, "next": later})
    made += [{"id": "three", "type": "guidance", "title": "Three", "config": {"text": "Look."}, "next": {"default": "end"}}]
    groups = [{"title": "The first of two groups", "steps": ["first", "one"]}, {"title": "Group", "steps": ["two", "three"]}]
    end = {"id": "end", "type": "end", "title": "End", "config": {}, "next": {}}
    return document(slug="forked", title="Forked", steps=[*made, end], groups=groups)


def tried_thrice() -> dict[str, Any]:
    """A workflow with three choices one after another, of whose ways with long names four lead to the same ends and one to the next choice."""
    made: list[dict[str, Any]] = [{"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "try1"}}]
    ends = [{"id": f"end{n}", "type": "end", "title": f"End {n}", "config": {"label": f"end {n}"}, "next": {}} for n in range(5)]
    for n in (1, 2, 3):
        options = [{"value": f"o{way}", "label": f"What may become of it {way}"} for way in range(5)]
        later = {f"o{way}": f"end{way}" for way in range(4)} | {"o4": f"try{n + 1}" if n < 3 else "end4"}
        made.append({"id": f"try{n}", "type": "decision", "title": f"Try {n}", "config": {"options": options}, "next": later})
    return document(slug="thrice", title="Thrice", steps=[*made, *ends])


def gone_back() -> dict[str, Any]:
    """A workflow with a way back that has a long name, and leads up beside a step that stands next to it."""
    places = {"start": (0, 0), "again": (0, 120), "look": (-270, 330), "choose": (0, 540), "end": (0, 660)}
    options = [{"value": "back", "label": "Everything is done once again"}, {"value": "end", "label": "End"}]
    made: list[dict[str, Any]] = [
        {"id": "start", "type": "start", "config": {}, "next": {"default": "look"}},
        {"id": "again", "type": "go_to", "config": {}, "next": {"default": "look"}},
        {"id": "look", "type": "guidance", "config": {"text": "Look."}, "next": {"default": "choose"}},
        {"id": "choose", "type": "decision", "config": {"options": options}, "next": {"back": "again", "end": "end"}},
        {"id": "end", "type": "end", "config": {}, "next": {}},
    ]
    return document(slug="back", title="Back", steps=[step | {"title": step["id"].title(), "at": [*places[step["id"]]]} for step in made])


def drawn(screen: "Screen", path: str, count: int = 10) -> Any:
    """The page with a picture of so many steps."""
    page = screen.go(path)
    page.wait_for_function(f"() => ({DRAWN})() === {count}")
    return page


def test_the_picture_says_what_the_list_says(screens: Callable[..., "Screen"]) -> None:
    olivia = screens().enter("olivia")
    page = drawn(olivia, "/workflows/care-review")
    names = page.eval_on_selector_all(".x6-node .nd b", "(all) => all.map((one) => one.textContent)")
    assert names == page.eval_on_selector_all("[data-step] [data-title]", "(all) => all.map((one) => one.textContent)")
    labels = set(page.eval_on_selector_all(".way-words", "(all) => all.map((one) => one.textContent.replaceAll('\\u00a0', ' '))"))
    assert labels == {"High, Otherwise", "Approve", "Look again"}
    spoken = page.get_attribute("[data-cell-id=decide]", "aria-label")
    assert spoken == "Decide A person, or a rule, chooses the way on. Decision. Next: Approve: Result; Look again: Back to the note."
    assert page.evaluate(MAIN) == 0
    assert olivia.faults() == []


def test_the_keyboard_walks_it_and_opens_a_step(screens: Callable[..., "Screen"]) -> None:
    olivia = screens().enter("olivia")
    page = drawn(olivia, "/workflows/care-review")
    page.focus("[data-zoom=fit]")
    olivia.press("Tab")
    walked = [page.evaluate(FOCUSED)]
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "End", "ArrowUp", "ArrowLeft", "ArrowDown", "Home", "ArrowUp"):
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


def test_it_is_enlarged_fitted_and_moved(screens: Callable[..., "Screen"]) -> None:
    olivia = screens().enter("olivia")
    page = drawn(olivia, "/workflows/care-review")
    sizes = []
    for key in ("0", "+", "-", "-", "f"):
        olivia.press(key)
        sizes.append(page.inner_text("[data-size]"))
    assert sizes[:4] == ["100%", "110%", "100%", "90%"]
    fits = page.evaluate("""() => { const around = document.querySelector('[data-canvas]').getBoundingClientRect();
        return [...document.querySelectorAll('.x6-node')].every((node) => { const box = node.getBoundingClientRect();
            return box.top >= around.top - 1 && box.bottom <= around.bottom + 1 && box.left >= around.left - 1 && box.right <= around.right + 1; }); }""")
    assert fits
    before = page.locator("[data-cell-id=note]").bounding_box()
    canvas = page.locator("[data-canvas]").bounding_box()
    assert before is not None
    assert canvas is not None
    page.mouse.move(canvas["x"] + 20, canvas["y"] + 20)
    page.mouse.down()
    page.mouse.move(canvas["x"] + 120, canvas["y"] + 70, steps=5)
    page.mouse.up()
    after = page.locator("[data-cell-id=note]").bounding_box()
    assert after is not None
    assert (round(after["x"] - before["x"]), round(after["y"] - before["y"])) == (100, 50)
    page.mouse.move(before["x"] + 120, before["y"] + 60)
    page.mouse.down()
    page.mouse.move(before["x"] + 180, before["y"] + 160, steps=5)
    page.mouse.up()
    assert page.evaluate(PLACES)["note"] != [0, 0], "a step itself is not moved"


def test_places_of_the_document_are_kept_and_groups_are_drawn(screens: Callable[..., "Screen"]) -> None:
    made = document(slug="placed", title="Placed", groups=[{"title": "First look", "steps": ["load", "read"]}])
    for number, step in enumerate(made["steps"]):
        step["at"] = [40 + 300 * (number % 3), 32 + 120 * number]
    workflows.import_file(made, publish=True)
    some = document(slug="some", title="Some")
    some["steps"][3]["at"] = [1000, 2000]
    workflows.import_file(some, publish=True)
    olivia = screens().enter("olivia")
    page = drawn(olivia, "/workflows/placed")
    assert page.evaluate(PLACES) == {step["id"]: step["at"] for step in made["steps"]}
    assert str(page.text_content(".group-words")).replace("\u00a0", " ") == "First look"
    assert olivia.faults() == []
    page = drawn(olivia, "/workflows/some")
    places = page.evaluate(PLACES)
    assert places["note"] == [1000, 2000]
    assert len({tuple(place) for place in places.values()}) == 10
    assert places["start"][1] < places["load"][1] < 2000 < places["rate"][1]


def test_a_picture_of_sixty_steps_overlaps_nowhere(screens: Callable[..., "Screen"]) -> None:
    workflows.import_file(long(60), publish=True)
    olivia = screens().enter("olivia")
    page = drawn(olivia, "/workflows/long-one", 60)
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
    for path, count in (("/workflows/long-one", 60), ("/workflows/forked", 6), ("/workflows/back", 5)):
        names, overlapping = drawn(olivia, path, count).evaluate(OVERLAPS)
        assert names
        assert not overlapping, "names of ways stand on nothing else"
        assert olivia.page.evaluate(STRUCK) == []
    assert olivia.faults() == []


def test_names_of_ways_do_not_make_a_picture_much_wider_than_its_steps(screens: Callable[..., "Screen"]) -> None:
    workflows.import_file(tried_thrice(), publish=True)
    olivia = screens().enter("olivia")
    page = drawn(olivia, "/workflows/thrice", 9)
    area, places = page.evaluate("document.querySelector('step-picture').graph.getContentArea()"), page.evaluate(PLACES)
    widest = max(Counter(y for _, y in places.values()).values())
    assert area["width"] < 1.5 * (252 + 40) * widest
    names, overlapping = page.evaluate(OVERLAPS)
    assert (names, overlapping) == (15, [])
    assert page.evaluate(STRUCK) == []
    assert 60 <= int(page.inner_text("[data-size]").rstrip("%")) <= 85, "as much of it as can be read"


def test_of_many_steps_only_what_is_seen_is_drawn_and_all_are_reached(screens: Callable[..., "Screen"], company: Company) -> None:
    """The picture and the canvas of 400 steps: a click or a key away each, and changed without drawing the others."""
    assert company.olivia
    workflows.import_file(long(400), publish=True)
    mona = screens(1440, 900).enter("mona")
    page = mona.go("/workflows/long-one")
    page.wait_for_selector(".x6-node .nd")
    first = page.locator("[data-cell-id=start]")
    assert 3 < page.evaluate(DRAWN) < 60
    first.focus()
    page.keyboard.press("End")
    assert page.evaluate(FOCUSED) == "end"
    page.keyboard.press("ArrowUp")
    assert page.evaluate(FOCUSED) == "s398"
    assert page.evaluate(DRAWN) < 60
    page.keyboard.press("Home")
    assert page.evaluate(FOCUSED) == "start"

    page.goto(page.url.partition("?")[0] + "/edit?step=s200")
    chosen = page.locator("[data-cell-id=s200].chosen")
    chosen.wait_for()
    page.locator("[data-select=s200]").focus()
    page.keyboard.press("a")
    page.keyboard.type("guid")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-cell-id=guidance].chosen")
    page.keyboard.insert_text("Only this one")
    page.locator("[data-cell-id=guidance]", has_text="Only this one").wait_for()
    assert page.locator("[data-outline] [data-step]").count() == 401
    order = page.locator("[data-outline] [data-step]").evaluate_all("(lines) => lines.map((line) => line.dataset.step)")
    assert order[order.index("s200") + 1] == "guidance"
    assert page.evaluate(DRAWN) < 60
    page.keyboard.press("Control+s")
    for _ in range(2):
        page.keyboard.press("Control+z")
    page.wait_for_selector("[data-outline] [data-step=guidance]", state="detached")
    assert page.locator("[data-outline] [data-step]").count() == 400
    assert mona.faults() == []


def again(company: Company) -> str:
    """A run that went back to the note, and whose rating was revised then."""
    run_id = company.at("decide")
    told = company.told(run_id)
    runs.complete(company.olivia, run_id, runs.Submission(step="decide", revision=told["revision"], values={}, outcome="again"))
    told = company.told(run_id)
    runs.revise(company.olivia, run_id, step="rate", attempt=None, revision=told["revision"], reason="Wrong")
    return run_id


def test_a_run_shows_what_was_done_what_was_cancelled_and_what_may_come(screens: Callable[..., "Screen"], company: Company) -> None:
    run_id = again(company)
    olivia = screens().enter("olivia")
    page = drawn(olivia, f"/runs/{run_id}/picture")
    states = page.evaluate(
        "() => Object.fromEntries([...document.querySelectorAll('.x6-node .nd')].map((one) => [one.closest('.x6-node').dataset.cellId, one.className.replace('nd ', '')]))"
    )
    assert (states["load"], states["rate"], states["decide"], states["end"]) == ("done", "now", "cancelled", "todo")
    struck = "(id) => getComputedStyle(document.querySelector(`[data-cell-id=${id}] b`)).textDecorationLine"
    assert (page.evaluate(struck, "decide"), page.evaluate(struck, "load")) == ("line-through", "none")
    assert page.inner_text("[data-cell-id=rate] .nd-visits") == "×2"
    assert page.evaluate(TAKEN) == 4
    assert "Here now, 2 entries." in str(page.get_attribute("[data-cell-id=rate]", "aria-label"))
    assert olivia.faults() == []
    drawn(olivia, "/workflows/care-review")
    assert olivia.faults() == []
    olivia.go("/workflows")
    assert olivia.faults() == []


def test_a_step_leads_to_its_entry_and_replay_and_picture_keep_the_place(screens: Callable[..., "Screen"], company: Company) -> None:
    run_id = again(company)
    olivia = screens().enter("olivia")
    page = drawn(olivia, f"/runs/{run_id}/picture")
    page.click("[data-cell-id=read]")
    page.wait_for_url("**/replay?at=*")
    olivia.heading("Read this")
    page.click("a:has-text('Picture')")
    page.wait_for_function(f"() => ({DRAWN})() === 10")
    before = page.url
    olivia.press("-")
    size = page.inner_text("[data-size]")
    page.focus("[data-cell-id=read]")
    page.evaluate("document.activeElement.blur()")
    olivia.press("ArrowRight")
    page.wait_for_function("(before) => location.href !== before", arg=before)
    page.wait_for_function(f"() => ({DRAWN})() === 10")
    assert page.inner_text("[data-size]") == size, "what was enlarged stays so from event to event"
    page.go_back()
    page.wait_for_function(f"() => location.href === {before!r} && ({DRAWN})() === 10")
    page.click("[data-cell-id=end]")
    olivia.focus_on("step-end")


def test_without_script_the_steps_are_a_list_with_links(screens: Callable[..., "Screen"]) -> None:
    olivia = screens(script=False)
    page = olivia.go("/workflows/care-review")
    page.fill("#email", "olivia@fernwick.example")
    page.fill("#password", "correct horse battery staple")
    page.click("button:has-text('Sign in')")
    page.goto(olivia.url + "/workflows/care-review")
    assert not page.is_visible("step-picture")
    page.click("#step-decide a:has-text('Back to the note')")
    assert page.url.endswith("#step-back")
    assert page.is_visible("#step-back")


def test_what_is_read_is_not_hidden_from_who_cannot_see(screens: Callable[..., "Screen"]) -> None:
    olivia = screens().enter("olivia")
    page = drawn(olivia, "/workflows/care-review")
    hidden = page.eval_on_selector_all(
        "#flow, [data-step], [data-to]",
        "(all) => all.filter((one) => one.closest('[aria-hidden=true], [hidden]') || !one.getClientRects().length).length",
    )
    assert hidden == 0
    assert page.locator("ol#flow > li").count() == 10
