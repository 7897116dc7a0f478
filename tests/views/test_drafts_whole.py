"""What stands in a form when it is put aside stands there when it is taken up again: each kind of box, and the choice."""

from typing import Any

import pytest

from console import runs, workflows
from tests.company import Company
from tests.support.engine import step
from tests.views.conftest import Page, Pages

OPTIONS = [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}, {"value": "c", "label": "C"}]
TYPED: dict[str, tuple[dict[str, Any], list[str], Any]] = {
    "text": ({}, ["half a sent"], "half a sent"),
    "long_text": ({}, ["two\nlines"], "two\nlines"),
    "integer": ({}, ["12"], 12),
    "decimal": ({}, ["12.5"], "12.5"),
    "money": ({}, ["12.50"], "12.50"),
    "boolean": ({}, ["false"], False),
    "date": ({}, ["2026-11-20"], "2026-11-20"),
    "time": ({}, ["09:30:00"], "09:30:00"),
    "enum": ({"options": OPTIONS}, ["b"], "b"),
    "multi_enum": ({"options": OPTIONS}, ["a", "c"], ["a", "c"]),
    "checklist": ({"options": OPTIONS}, ["b"], ["b"]),
    "email": ({}, ["half@"], "half@"),
    "phone": ({}, ["+31 20"], "+31 20"),
    "url": ({}, ["https://"], "https://"),
}
FORM = [
    {"name": f"f_{kind}", "label": kind.title(), "type": kind, **more} for kind, (more, _, _) in TYPED.items()
]
CHOICES = [{"value": "yes", "label": "Yes", "reason_required": True}, {"value": "no", "label": "No"}]
STEPS: dict[str, tuple[dict[str, Any], str | None]] = {
    "update_data": ({"form": FORM}, None),
    "decision": ({"form": FORM, "options": CHOICES}, "yes"),
    "loop": (
        {"form": FORM, "items": {"relation": "account", "fields": ["iban"]}, "on_failure": "continue"},
        "done",
    ),
    "llm": ({"prompt": "What?", "output": FORM}, None),
    "escalate": ({"inbox": "desk", "text": "Look.", "form": FORM}, None),
}


def at(company: Company, kind: str, config: dict[str, Any]) -> dict[str, Any]:
    made = [step("start", "start", "here"), step("here", kind, "end", config), step("end", "end", None)]
    document = {
        "format": 1,
        "slug": "kept",
        "title": "Kept",
        "collection": "customer",
        "team": "operations",
        "steps": made,
    }
    workflows.import_file(document, publish=True)
    return company.told(runs.start(company.olivia, "kept", "customer", "1", {}))


def filled(told: dict[str, Any], outcome: str | None) -> dict[str, Any]:
    form: dict[str, Any] = {"step": "here", "revision": str(told["revision"])}
    form |= {f"t.f_{kind}": kind for kind in TYPED} | {
        f"v.f_{kind}": sent for kind, (_, sent, _) in TYPED.items()
    }
    form |= {"outcome": outcome} if outcome else {}
    if "progress" in told["current"]:
        form |= {"t.item": "text", "v.item": told["current"]["progress"]["key"]}
    return form


def standing(page: Page) -> dict[str, list[str]]:
    """What the form of the step would send: name → values."""
    ticked = [one for one in page.with_attribute("checked") if one.get("type") in ("checkbox", "radio")]
    found = {name: [value] for name, value in page.form("/complete")["fields"].items() if value}
    return found | {
        one["name"]: [other["value"] for other in ticked if other["name"] == one["name"]] for one in ticked
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "way"), [*((kind, "save") for kind in STEPS), ("decision", "draft"), ("decision", "release")]
)
def test_everything_that_was_typed_is_there_again(pages: Pages, kind: str, way: str) -> None:
    config, outcome = STEPS[kind]
    told = at(pages.company, kind, config)
    run_id = told["id"]
    pages.olivia.post(f"/runs/{run_id}/{way}", {"csrf_token": pages.olivia.token} | filled(told, outcome))
    if way == "save":
        runs.resume(pages.company.olivia, run_id, revision=None)
    if way == "release":
        runs.take_over(pages.company.olivia, run_id, revision=None)
    draft = pages.company.told(run_id)["current"]["draft"]
    assert {name: draft["values"].get(f"f_{name}") for name in TYPED} == {
        name: value for name, (_, _, value) in TYPED.items()
    }
    assert draft["outcome"] == outcome
    page = pages.olivia.get(f"/runs/{run_id}")
    again = standing(page)
    assert {name: again.get(f"v.f_{name}") for name in TYPED} == {
        name: sent for name, (_, sent, _) in TYPED.items()
    }
    assert again.get("outcome") == ([outcome] if outcome else None)


def test_a_choice_without_any_box_is_kept(pages: Pages) -> None:
    told = at(
        pages.company,
        "decision",
        {"options": [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}]},
    )
    form = {
        "csrf_token": pages.olivia.token,
        "step": "here",
        "revision": str(told["revision"]),
        "outcome": "no",
    }
    pages.olivia.post(f"/runs/{told['id']}/save", form)
    runs.resume(pages.company.olivia, told["id"], revision=None)
    assert standing(pages.olivia.get(f"/runs/{told['id']}"))["outcome"] == ["no"]


def test_a_program_keeps_its_choice_too(company: Company) -> None:
    told = at(company, "decision", STEPS["decision"][0])
    runs.draft(company.olivia, told["id"], step="here", revision=None, values={"f_text": "x"}, outcome="no")
    assert company.told(told["id"])["current"]["draft"]["outcome"] == "no"
