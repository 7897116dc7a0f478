"""The settings of a step at rest: short enough for one look, for every step type and every shipped workflow."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from console import steps, workflows
from console.core import drafting
from console.views.editor import step_form
from console.workflows import Draft
from tests.company import Company
from tests.conftest import web_app

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

SHIPPED = sorted((Path(__file__).parents[2] / "workflows").glob("*.json"))
HIGHEST, MOST = 900, 40
MEASURE = """async (ids) => {
    const found = [];
    for (const id of ids) {
        const answer = await fetch(`${document.getElementById('editor').dataset.url}?step=${id}`);
        const panel = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('panel');
        document.getElementById('panel').replaceWith(panel);
        const height = panel.scrollHeight;
        found.push([id, height, panel.querySelectorAll('input, select, textarea, button, a').length]);
    }
    return found;
}"""
"""[step, height of its settings, number of controls]"""

SAVED = """([boxes, step]) => {
    const part = document.createElement('div');
    part.innerHTML = boxes;
    return [...part.querySelectorAll('[data-path]')].map((box) => [box, JSON.parse(box.dataset.path).reduce((held, name) => held?.[name], step)])
        .filter(([box, held]) => box.dataset.kind !== 'key' && held !== undefined && JSON.stringify(window.handrailEditor.value(box)) !== JSON.stringify(held))
        .map(([box, held]) => [step.id, box.dataset.path, box.dataset.kind, held, window.handrailEditor.value(box)]);
}"""
"""[step, place, kind, what it holds, what its box would save] where they differ"""


def drawn(company: Company, document: dict[str, Any]) -> Draft:
    """Return the document as the draft of a new workflow."""
    made = workflows.create(company.mona, str(document.get("title") or "Every type"))
    whole = {**document, "slug": made.slug, "team": "operations"}
    whole.pop("clearance", None)  # else it is hidden from who draws it
    return workflows.edit(company.mona, made.slug, 0, [drafting.SetDocument(value=whole)])


def every_type() -> dict[str, Any]:
    """Return a document with one step of each type, as it is when it is added."""
    return {
        "format": 1,
        "title": "Every type",
        "collection": "customer",
        "steps": [
            {"id": name, "type": name, "title": kind.title} for name, kind in steps.all_types().items()
        ],
    }


def test_the_settings_of_every_step_are_one_look_high(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    screen = screens().enter("mona")
    over = []
    for document in (every_type(), *(json.loads(file.read_bytes()) for file in SHIPPED)):
        draft = drawn(company, document)
        page = screen.go(f"/workflows/{draft.slug}/edit?view=text")
        measured = page.evaluate(MEASURE, [step["id"] for step in draft.document["steps"]])
        over += [(draft.slug, *each) for each in measured if each[1] > HIGHEST or each[2] > MOST]
    assert over == []


def test_what_a_step_holds_is_what_its_boxes_would_save(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    page = screens().enter("mona").go("/workflows/care-review/edit?step=read")
    app, wrong = web_app(), []
    with app.test_request_context():
        draw = app.jinja_env.get_template("editor/boxes.html").module.setting  # type: ignore[attr-defined]
        for document in (json.loads(file.read_bytes()) for file in SHIPPED):
            for step in document["steps"]:
                boxes = step_form.boxes(company.mona, document, step, {}, {}, None)
                drawn_boxes = "".join(str(draw(box)) for box in boxes)
                wrong += page.evaluate(SAVED, [drawn_boxes, step])
    assert wrong == [], "\n".join(map(str, wrong))


def test_values_are_picked_by_label_typed_as_text_and_made_by_cases(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    steps_of = [
        {"id": "start", "type": "start", "title": "Start", "next": {"default": "load"}},
        {
            "id": "load",
            "type": "get_data",
            "title": "Load",
            "config": {
                "related": [{"name": "one", "relation": "account", "fields": ["status"], "one": True}]
            },
            "next": {"default": "out"},
        },
        {
            "id": "out",
            "type": "output",
            "title": "Tell",
            "config": {"values": {}},
            "next": {"default": "set"},
        },
        {
            "id": "set",
            "type": "update_data",
            "title": "Set",
            "config": {"set": []},
            "next": {"default": "end"},
        },
        {"id": "end", "type": "end", "title": "End"},
    ]
    draft = drawn(company, {"format": 1, "title": "Values", "collection": "customer", "steps": steps_of})
    mona = screens().enter("mona")
    page = mona.go(f"/workflows/{draft.slug}/edit?step=out")

    def saved() -> Any:
        page.keyboard.press("Control+s")
        expect(page.locator("#saved")).to_contain_text("Saved")
        out, update = workflows.open_draft(company.mona, draft.slug).document["steps"][2:4]
        return update["config"]["set"] or out["config"]["values"]

    page.get_by_role("button", name="Add to Values").click()
    page.get_by_label("Name", exact=True).fill("who")
    page.get_by_label("Name", exact=True).press("Tab")
    expect(page.get_by_label("Name", exact=True)).to_have_value("who")
    value = page.locator('[id="f-config-values-who"]')
    value.fill("Hello, it is me")
    assert saved() == {"who": '"Hello, it is me"'}
    page.get_by_role("button", name="Use as expression").click()
    assert saved() == {"who": "Hello, it is me"}
    page.get_by_role("button", name="Use as text", exact=True).click()
    assert saved() == {"who": '"Hello, it is me"'}
    value.fill("Display")
    page.get_by_role("option", name="Display name").click()
    assert saved() == {"who": "record.display_name"}
    expect(value).to_have_value("Display name")
    value.fill("Status")
    page.get_by_role("option", name="Status Load: Account").click()
    assert saved() == {"who": "steps.load.one.status"}
    page.locator("[data-outline] [data-select=set]").click()
    page.locator("#f-config-set-fold").click()
    page.get_by_role("button", name="Add to Set").click()
    page.get_by_label("Field").select_option(label="Display name")
    page.locator("#f-config-set-0-value").fill("somebody")
    assert saved() == [{"field": "display_name", "value": '"somebody"'}]
    page.get_by_role("button", name="By cases").click()
    page.get_by_role("button", name="Add to Value").click()
    page.get_by_label("What is compared").select_option(value="record.display_name")
    page.get_by_label("How", exact=True).select_option(label="is not empty")
    page.locator("#f-config-set-0-value-0-value").fill("known")
    cases = [{"if": "record.display_name != null", "value": '"known"'}, {"value": '"somebody"'}]
    assert saved() == [{"field": "display_name", "value": cases}]
    assert mona.faults() == []


def test_a_step_is_dragged_from_the_palette_to_the_outline_and_to_the_canvas(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    page = screens().enter("mona").go("/workflows/care-review/edit?step=read")
    page.wait_for_selector("[data-canvas] [data-cell-id=rate]")
    for place, step in (
        ("[data-outline] [data-step=load]", "guidance"),
        ("[data-canvas] .x6-node[data-cell-id=rate]", "guidance_2"),
    ):
        page.get_by_role("button", name="Add step").click()
        page.locator("#add-guidance").drag_to(page.locator(place), force=True)
        expect(page.locator("#editor")).to_have_attribute("data-chosen", step)
    steps_of = {
        each["id"]: each for each in workflows.open_draft(company.mona, "care-review").document["steps"]
    }
    assert steps_of["load"]["next"]["default"] == "guidance"
    assert steps_of["rate"]["next"]["default"] == "guidance_2"
    expect(page.locator("#status")).to_have_text("Guidance added behind Rate the risk")


def test_a_field_over_relations_is_picked_by_labels_in_values_texts_and_conditions(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    steps_of = [
        {"id": "start", "type": "start", "title": "Start", "next": {"default": "out"}},
        {
            "id": "out",
            "type": "output",
            "title": "Tell",
            "config": {"values": {"who": '""', "whose": '"1"'}},
            "next": {"default": "end"},
        },
        {
            "id": "set",
            "type": "update_data",
            "title": "Set",
            "config": {"set": [{"field": "customer_id", "value": '"1"'}]},
        },
        {
            "id": "if",
            "type": "condition",
            "title": "If",
            "config": {"branches": [{"outcome": "a", "if": ""}]},
        },
        {"id": "end", "type": "end", "title": "End"},
    ]
    draft = drawn(company, {"format": 1, "title": "Relations", "collection": "account", "steps": steps_of})
    mona = screens().enter("mona")
    page = mona.go(f"/workflows/{draft.slug}/edit?step=out&open=config.values.who")

    def saved() -> list[dict[str, Any]]:
        page.keyboard.press("Control+s")
        expect(page.locator("#saved")).to_contain_text("Saved")
        found: list[dict[str, Any]] = workflows.open_draft(company.mona, draft.slug).document["steps"]
        return found

    value = page.locator('[id="f-config-values-who"]')
    value.press_sequentially("Cust")
    relation = page.get_by_role("option", name="Customer ›", exact=True)
    relation.wait_for()
    for _ in range(page.locator("#completions li").count()):
        if relation.get_attribute("aria-selected") == "false":
            value.press("ArrowDown")
    value.press("Enter")
    page.get_by_role("option", name="Customer › Display name").click()
    assert saved()[1]["config"]["values"]["who"] == "record.customer.display_name"
    page.reload()
    expect(value).to_have_value("Customer › Display name")

    page.goto(f"{page.url.partition('?')[0]}?step=set&open=config.set[0]")
    expect(page.locator("#f-config-set-0-value")).to_have_value("Adaeze Okonkwo-Bell")

    page.goto(f"{page.url.partition('?')[0]}?step=if&open=config.branches[0]")
    page.get_by_label("What is compared").select_option(label="Customer ›")
    page.get_by_label("What is compared").select_option(label="Customer › Risk")
    page.get_by_label("With what").fill("low")
    assert saved()[3]["config"]["branches"][0]["if"] == 'record.customer.risk == "low"'
    page.reload()
    expect(page.get_by_label("What is compared")).to_have_value("record.customer.risk")
    assert mona.faults() == []
