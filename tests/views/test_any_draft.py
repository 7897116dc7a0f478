"""A draft may be unfinished, never poisonous: whatever a change puts anywhere in it is taken, or refused with its place, and everybody can read it afterwards."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy.dialects.postgresql import JSONB

from console.infra.db import tables
from console.infra.db.engine import transaction
from tests.company import DOCUMENT, Company
from tests.conftest import web_app
from tests.views.conftest import signed_in
from tests.views.test_api_workflows import Program
from tests.views.test_workflow_editor import post

pytestmark = pytest.mark.slow

SLUG = "any-draft"
TRIGGERS: list[dict[str, Any]] = [
    {"id": "nightly", "kind": "schedule", "cron": "0 3 * * *"},
    {"id": "changed", "kind": "event", "on": "record.updated", "filter": "record.risk == 'high'"},
    {"id": "sent", "kind": "webhook", "input": {"why": "input.why"}},
]
CALLED = {
    "id": "call",
    "type": "ai_call",
    "title": "Call",
    "config": {"script": "Hello.", "answers": ["yes"]},
    "next": {"default": "read"},
}
UNFINISHED: dict[str, Any] = {
    **DOCUMENT,
    "slug": SLUG,
    "title": "Any draft",
    "triggers": TRIGGERS,
    "variables": {"limit": 5},
    "tests": [{"name": "One", "input": {"why": "event"}, "answers": {"note": {"values": {"note": "x"}}}}],
    "groups": [{"title": "First", "steps": ["load", "read"]}],
    "notes": [{"text": "Here", "at": [1, 2]}],
    "steps": [
        *DOCUMENT["steps"],
        CALLED,
        {"id": "loose", "type": "wait", "title": "Loose", "config": {"duration": "P2D"}, "next": {}},
    ],
}
"""A document with a bit of everything, and a step that nothing leads to: it is never published by a test."""
PAGES = (
    "edit",
    "edit?step=load",
    "edit?step=call",
    "edit?view=text",
    "test",
    "switch",
    "history",
    "publish",
    "ask",
    "configuration",
    "triggers",
    "due-time",
    "",
)
READS = (
    "draft",
    "nodes",
    "edges",
    "impact",
    "definition",
    "activation",
    "triggers",
    "configuration",
    "counts",
    "leads",
    "metrics",
)
BODIES: tuple[tuple[str, dict[str, Any]], ...] = (
    *(
        ("dry-run", {"record": "1"}),
        ("trial", {}),
        ("leads", {"leads": [{"why": "x"}]}),
        ("enrolments", {"records": ["1"], "preview": True}),
    ),
    *(("activate", {}), ("publish", {})),
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 99)
    | st.sampled_from(["", "x", "load", "a" * 300, "{{", "record.risk"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["id", "a", "if", "value", "default"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def places(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a JSON value."""
    for key, inner in (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield (*place, key)
        yield from places(inner, (*place, key))


IN_STEPS = st.sampled_from(
    [(step["id"], list(place)) for step in UNFINISHED["steps"] for place in places(step) if place != ("id",)]
)
IN_TRIGGERS = st.sampled_from([(each["id"], list(place)) for each in TRIGGERS for place in places(each)])
IN_DOCUMENT = st.sampled_from(
    [
        list(place)
        for place in places(
            {name: part for name, part in UNFINISHED.items() if name not in ("steps", "slug")}
        )
    ]
    + [
        ["settings"],
        ["description"],
        ["report"],
        ["exits"],
        ["reenrol"],
        ["run_as"],
        ["tables"],
        ["clearance"],
        ["format"],
    ]
)
CHANGE = st.one_of(
    st.builds(
        lambda at, value: {"op": "set", "step": at[0], "field": at[1], "value": value}, IN_STEPS, VALUES
    ),
    st.builds(lambda at: {"op": "set", "step": at[0], "field": at[1]}, IN_STEPS),
    st.builds(
        lambda step, name, value: {"op": "set", "step": step, "field": name, "value": value},
        st.sampled_from(["start", "load"]),
        st.sampled_from(["ai", "content", "finding", "roles", "not_by", "stakes", "at", "button"]),
        VALUES,
    ),
    st.builds(
        lambda at, value: {"op": "set_trigger", "trigger": at[0], "field": at[1], "value": value},
        IN_TRIGGERS,
        VALUES,
    ),
    st.builds(lambda at, value: {"op": "set_document", "field": at, "value": value}, IN_DOCUMENT, VALUES),
    st.builds(
        lambda value: {"op": "add_trigger", "trigger": {"kind": "event", **value}},
        st.dictionaries(st.sampled_from(["id", "kind", "on", "event", "input"]), VALUES, max_size=3),
    ),
    st.builds(
        lambda kind, value: {"op": "add_step", "step": {"type": kind, **value}},
        st.sampled_from(["email", "wait", "decision", "made_up"]),
        st.dictionaries(st.sampled_from(["id", "config", "next", "title"]), VALUES, max_size=3),
    ),
)


class Draft:
    """One draft, with everything that reads it."""

    def __init__(self, company: Company) -> None:
        self.call, self.pages = Program(web_app(), company.mona.id), signed_in(web_app(), "mona")
        self.path = f"/api/v1/workflows/{SLUG}"
        self.call("POST", "/workflows", {"title": "Any draft"}, 201)
        self.store(UNFINISHED)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        return self.call.client.open(
            f"{self.path}{path}", method=method, headers=self.call.headers, json=body
        )

    def store(self, document: Mapping[str, Any]) -> None:
        """Put a document in the way of an earlier release, which looked at less of it."""
        with transaction() as connection:
            changed = sa.update(tables.workflow).where(tables.workflow.c.slug == SLUG)
            connection.execute(
                changed.values(draft=sa.cast(dict(document), JSONB), status="draft", live_version=None)
            )

    def change(self, changes: list[dict[str, Any]]) -> Any:
        return self.send(
            "PATCH",
            "/draft",
            {"revision": self.send("GET", "/draft").get_json()["revision"], "changes": changes},
        )

    def faults(self) -> list[str]:
        """Who cannot read it: each with what it answered."""
        answers = {f"GET {each}": self.send("GET", f"/{each}") for each in READS}
        answers |= {each: self.pages.get(f"/workflows/{SLUG}/{each}".rstrip("/")) for each in PAGES}
        answers |= {each: self.pages.get(each) for each in ("/workflows", f"/workflows/{SLUG}?version=draft")}
        for word, body in BODIES:
            answers[f"POST {word}"] = self.send("POST", f"/{word}", body)
        answers["duplicate"] = copied = self.send("POST", "/duplicate", {})
        if copied.status_code == 201:
            self.call("DELETE", f"/workflows/{copied.get_json()['id']}", status=204)
        return [
            f"{name}: {answer.status_code} {answer.text[:200]}"
            for name, answer in answers.items()
            if answer.status_code >= 500
        ]


@pytest.fixture(name="draft")
def fixture_draft(company: Company) -> Draft:
    return Draft(company)


POISON: dict[str, dict[str, Any]] = {
    "collection": {"op": "set_document", "field": "collection", "value": ["x"]},
    "steps[0].next.a": {"op": "set", "step": "start", "field": "next", "value": {"a": ["b"]}},
    "triggers": {"op": "set_document", "field": "triggers", "value": 5},
    "settings": {"op": "set_document", "field": "settings", "value": 5},
    "variables": {"op": "set_document", "field": "variables", "value": [5]},
    "description": {"op": "set_document", "field": "description", "value": {}},
    "steps[0].title": {"op": "set", "step": "start", "field": "title", "value": None},
    "steps[1].config.related[0].name": {
        "op": "set",
        "step": "load",
        "field": "config.related[0].name",
        "value": {"a": 1},
    },
    "title": {"op": "set_document", "field": "title", "value": 5},
}


def test_what_nobody_could_show_is_refused_with_its_place_and_nothing_is_stored(draft: Draft) -> None:
    for place, change in POISON.items():
        refused = draft.change([change])
        assert refused.status_code == 422, (place, refused.text)
        assert [each["field"] for each in refused.get_json()["details"]] == [place]
        page = post(
            draft.pages,
            f"/workflows/{SLUG}/edit",
            {"HX-Request": "true"},
            do="change",
            revision=0,
            changes=json.dumps([change]),
        )
        assert page.status_code == 422, (place, page.text)
    assert draft.send("GET", "/draft").get_json()["revision"] == 0


def test_what_is_unfinished_is_stored_and_not_activated(draft: Draft) -> None:
    changes: list[dict[str, Any]] = [
        {"op": "set", "step": "start", "field": "title", "value": ""},
        {"op": "set_document", "field": "made_up", "value": 1},
        {"op": "add_step", "step": {"type": "email"}},
        {"op": "set", "step": "start", "field": "config.fields[0].label"},
        {"op": "add_trigger", "trigger": {"id": "a", "kind": "event", "event": 5}},
    ]
    assert draft.change(changes).status_code == 200
    assert draft.faults() == []
    assert (activated := draft.send("POST", "/activate", {})).status_code == 409
    assert activated.get_json()["code"] == "not_ready"


def test_a_draft_that_an_earlier_release_stored_misshapen_is_read_and_mended_by_the_next_change(
    draft: Draft,
) -> None:
    steps = [
        UNFINISHED["steps"][0] | {"next": {"a": ["b"]}, "title": 5},
        *UNFINISHED["steps"][1:],
        {"type": "wait"},
    ]
    draft.store(
        {
            **UNFINISHED,
            "steps": steps,
            "collection": ["x"],
            "triggers": 5,
            "settings": "x",
            "variables": [5],
            "description": {},
        }
    )
    assert draft.faults() == []
    refused = draft.send("POST", "/activate", {}).get_json()
    assert (
        refused["code"],
        {each["field"] for each in refused["details"]} >= {"collection", "triggers", "settings"},
    ) == (
        "not_ready",
        True,
    )
    assert (
        draft.change([{"op": "set", "step": "start", "field": "title", "value": "Begin"}]).status_code == 200
    )
    assert draft.send("GET", "/draft").get_json()["document"]["steps"][0]["title"] == "Begin"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(changes=st.lists(CHANGE, min_size=1, max_size=2))
def test_any_change_is_taken_or_refused_and_the_draft_can_be_read(
    draft: Draft, changes: list[dict[str, Any]]
) -> None:
    draft.store(UNFINISHED)
    answer = draft.change(changes)
    assert answer.status_code in (200, 409, 422), (answer.status_code, answer.text)
    if answer.status_code == 200:
        assert draft.faults() == []
    else:
        assert answer.get_json()["details"], answer.text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=10)
@given(at=st.sampled_from(list(places(UNFINISHED))), value=VALUES)
def test_a_draft_that_was_stored_misshapen_anywhere_can_be_read(
    draft: Draft, at: tuple[str | int, ...], value: Any
) -> None:
    if at != ("slug",):
        draft.store(put(UNFINISHED, at, value))
        assert draft.faults() == []


def put(value: Any, place: tuple[str | int, ...], new: Any) -> Any:
    """A copy with another value at the place."""
    if not place:
        return new
    if isinstance(value, list):
        return [
            put(each, place[1:], new) if number == place[0] else each for number, each in enumerate(value)
        ]
    return {**value, place[0]: put(value[place[0]], place[1:], new)}
