"""Changes to workflow documents: applied, inverted, compared, merged, and ids that are renamed everywhere."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from console.core import drafting
from console.core.documents.approval_check import UNHEARD
from console.core.documents.workflow import read
from console.core.documents.workflow_check import check
from console.core.drafting import ChangeError
from console.steps import all_types
from tests.tables import cases

pytestmark = pytest.mark.lengthy

WORKFLOWS = Path(__file__).parents[2] / "workflows"
SMALL: dict[str, Any] = {
    "format": 1,
    "slug": "small-one",
    "title": "Small one",
    "newer": {"b": 1, "a": [True, None]},
    "triggers": [{"id": "daily", "kind": "schedule", "cron": "0 9 * * *"}],
    "steps": [
        {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "look"}},
        {
            "id": "look",
            "type": "guidance",
            "title": "Look",
            "config": {"text": "{{ steps.start.a }}"},
            "next": {"default": "fork"},
        },
        {
            "id": "fork",
            "type": "condition",
            "title": "Fork",
            "config": {"branches": [{"if": "steps.look.x == 'steps.look' || 1 == 1", "outcome": "yes"}]},
            "next": {"yes": "done", "default": "done"},
        },
        {"id": "done", "type": "end", "title": "Done", "config": {}, "next": {}},
    ],
    "groups": [{"title": "All", "steps": ["look", "fork"]}],
    "tests": [{"name": "t", "answers": {"look": {"values": {}}}, "expect": {"path": ["start", "look"]}}],
}

NAMES = ("start", "look", "fork", "done", "end", "one", "two")
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.sampled_from(["", "steps.look.x", "{{ steps.fork.y }}", "text"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b.c", "0", "step"]), inner, max_size=3)
    ),
    max_leaves=5,
)
names = st.sampled_from(NAMES)
outcomes = st.sampled_from(["default", "yes"])
fields = st.sampled_from(
    [
        "title",
        "config.text",
        "config.branches[0].if",
        "config.branches[0].outcome",
        "config.list[0]",
        "next.yes",
        "at",
        "unknown.key",
        ["config", "b.c"],
    ]
)


@st.composite
def lists_of_changes(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Changes, each of which may name what is not there."""
    shapes: list[st.SearchStrategy[dict[str, Any]]] = [
        st.fixed_dictionaries(
            {
                "op": st.just("add_step"),
                "step": st.fixed_dictionaries({"type": st.sampled_from(["guidance", "end", "condition"])}),
            },
            optional={"after": names, "outcome": outcomes, "place": st.integers(0, 4)},
        ),
        st.fixed_dictionaries(
            {"op": st.just("remove_step"), "step": names}, optional={"heal": st.booleans()}
        ),
        st.fixed_dictionaries(
            {"op": st.just("set"), "step": names, "field": fields}, optional={"value": values}
        ),
        st.fixed_dictionaries(
            {"op": st.just("connect"), "step": names, "to": names}, optional={"outcome": outcomes}
        ),
        st.fixed_dictionaries({"op": st.just("disconnect"), "step": names, "outcome": outcomes}),
        st.fixed_dictionaries(
            {"op": st.just("move"), "step": names},
            optional={"place": st.integers(0, 5), "at": st.just([4, 5])},
        ),
        st.fixed_dictionaries({"op": st.just("rename_step"), "step": names, "id": names}),
        st.fixed_dictionaries(
            {
                "op": st.just("add_trigger"),
                "trigger": st.fixed_dictionaries({"kind": st.just("event")}, optional={"x": values}),
            }
        ),
        st.fixed_dictionaries(
            {
                "op": st.just("set_trigger"),
                "trigger": st.sampled_from(["daily", "event"]),
                "field": st.just("cron"),
            },
            optional={"value": values},
        ),
        st.fixed_dictionaries(
            {"op": st.just("remove_trigger"), "trigger": st.sampled_from(["daily", "event"])}
        ),
        st.fixed_dictionaries(
            {"op": st.just("set_document"), "field": st.sampled_from(["title", "groups", "newer.b", "x"])},
            optional={"value": values},
        ),
    ]
    return draw(st.lists(st.one_of(shapes), min_size=1, max_size=6))


def made(
    document: dict[str, Any], given: list[dict[str, Any]]
) -> tuple[dict[str, Any], list[drafting.Change]]:
    """The document after those of the changes that can be applied, and these."""
    taken: list[drafting.Change] = []
    for change in drafting.read_changes(given):
        try:
            after = drafting.apply(document, change)
            drafting.require_shape(after)
        except ChangeError:
            continue
        document, taken = after, [*taken, change]
    return document, taken


@settings(max_examples=60, deadline=None)
@given(lists_of_changes())
def test_changes_and_their_inverse_are_nothing(given: list[dict[str, Any]]) -> None:
    before = drafting.ordered(SMALL)
    kept = drafting.written(before)
    after, taken = made(before, given)
    drafting.require_shape(after)
    back = drafting.to_json(drafting.difference(drafting.apply(before, taken), before))
    assert (
        drafting.written(drafting.apply(after, drafting.read_changes(json.loads(json.dumps(back))))) == kept
    )
    assert drafting.written(before) == kept, "the given document stays as it is"
    again = drafting.apply(before, drafting.read_changes(drafting.to_json(taken)))
    assert drafting.written(again) == drafting.written(after)


@example(
    [{"op": "add_trigger", "trigger": {"kind": "event"}}],
    [
        {"op": "add_step", "step": {"type": "guidance"}},
        {"op": "add_trigger", "trigger": {"kind": "event"}},
        {"op": "remove_trigger", "trigger": "event"},
    ],
)
@settings(max_examples=60, deadline=None)
@given(lists_of_changes(), lists_of_changes())
def test_two_editors_merge_or_collide(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> None:
    base = drafting.ordered(SMALL)
    theirs, _ = made(base, first)
    wanted, mine = made(base, second)
    merged, collisions = drafting.merge(base, theirs, mine)
    drafting.require_shape(merged)
    if collisions:
        assert drafting.written(merged) == drafting.written(theirs)
    else:
        untouched = drafting.touched(base, theirs) - drafting.touched(base, wanted)
        steps = {step["id"]: step for step in merged["steps"]}
        their_steps = {step["id"]: step for step in theirs["steps"]}
        assert all(
            steps.get(name or "") == their_steps.get(name or "")
            for name, _ in untouched
            if name and not renames(mine, heals=True)
        )
        named = [
            {each["id"]: each for each in side.get("triggers") or ()}
            for side in (merged, theirs, wanted, base)
        ]
        for each in set().union(*named):
            got, other, own, was = (side.get(each) for side in named)
            assert got == (other if own == was else own), "what each did with a trigger stays"
    again, none = drafting.merge(base, wanted, mine)
    assert not none, "the same changes sent twice are no collision"
    assert drafting.written(again) == drafting.written(wanted)


def renames(changes: list[drafting.Change], *, heals: bool) -> bool:
    return any(change.op == "rename_step" or (heals and change.op == "remove_step") for change in changes)


@pytest.mark.parametrize("file", sorted(WORKFLOWS.glob("*.json")), ids=lambda file: file.stem)
def test_a_file_keeps_its_bytes(file: Path) -> None:
    canonical = read(file.read_bytes()).canonical()
    opened = json.loads(canonical)
    assert drafting.written(opened) == canonical
    assert drafting.written(drafting.apply(json.loads(json.dumps(opened, sort_keys=True)), [])) == canonical
    assert drafting.difference(opened, json.loads(canonical)) == []


def test_unknown_keys_and_newer_formats_are_kept() -> None:
    newer = SMALL | {"format": 9, "steps": [dict(SMALL["steps"][0], shape="round"), *SMALL["steps"][1:]]}
    after = drafting.apply(
        newer, drafting.read_changes([{"op": "set", "step": "start", "field": "title", "value": "Begin"}])
    )
    assert after["newer"] == SMALL["newer"]
    assert (after["format"], after["steps"][0]["shape"], after["steps"][0]["title"]) == (9, "round", "Begin")


def test_a_new_step_stands_behind_the_chosen_one_and_goes_on_to_what_followed() -> None:
    after = drafting.apply(
        SMALL, drafting.read_changes([{"op": "add_step", "step": {"type": "update_data"}, "after": "look"}])
    )
    by_id = {step["id"]: step for step in after["steps"]}
    assert [step["id"] for step in after["steps"]] == ["start", "look", "update_data", "fork", "done"]
    assert (by_id["look"]["next"], by_id["update_data"]["next"]) == (
        {"default": "update_data"},
        {"default": "fork"},
    )
    healed = drafting.apply(after, drafting.read_changes([{"op": "remove_step", "step": "update_data"}]))
    assert drafting.written(healed) == drafting.written(SMALL)


def test_an_outcome_that_is_called_otherwise_keeps_its_way() -> None:
    way = drafting.read_changes(
        [{"op": "set", "step": "fork", "field": "config.branches[0].outcome", "value": "above"}]
    )
    made = drafting.apply(SMALL, way)
    assert made["steps"][2]["next"] == {"above": "done", "default": "done"}
    assert drafting.apply(made, drafting.difference(drafting.apply(SMALL, way), SMALL)) == drafting.ordered(
        SMALL
    )
    taken = drafting.read_changes(
        [{"op": "set", "step": "fork", "field": "config.branches[0].outcome", "value": "default"}]
    )
    assert drafting.apply(SMALL, taken)["steps"][2]["next"] == SMALL["steps"][2]["next"], (
        "a way that is there already is not lost"
    )


def test_a_step_on_a_way_of_its_own_goes_on_to_where_every_other_way_leads() -> None:
    free = drafting.apply(
        SMALL, drafting.read_changes([{"op": "disconnect", "step": "fork", "outcome": "yes"}])
    )
    add = {"op": "add_step", "step": {"id": "one", "type": "guidance"}, "after": "fork", "outcome": "yes"}
    made = {step["id"]: step["next"] for step in drafting.apply(free, drafting.read_changes([add]))["steps"]}
    assert (made["fork"], made["one"]) == ({"yes": "one", "default": "done"}, {"default": "done"})


AT_ONCE: dict[str, Any] = {
    "parallel": {"branches": [{"id": "tax", "start": "vat"}, {"id": "bank", "start": "account"}]},
    "loop": {"items": {"relation": "accounts", "fields": ["iban"]}, "body": "vat"},
}


@pytest.mark.parametrize("kind", AT_ONCE)
def test_what_a_step_begins_ends_at_a_new_step_behind_it(kind: str) -> None:
    document = {
        "steps": [
            {"id": "start", "type": "start", "next": {"default": "checks"}},
            {"id": "checks", "type": kind, "config": AT_ONCE[kind], "next": {"default": "fine"}},
            {"id": "vat", "type": "condition", "next": {"valid": "fine", "default": "account"}},
            {"id": "account", "type": "guidance", "next": {"default": "fine"}},
            {"id": "fine", "type": "decision", "next": {"yes": "done", "default": "done"}},
            {"id": "done", "type": "end", "next": {}},
        ]
    }
    added = drafting.read_changes(
        [{"op": "add_step", "step": {"type": "output", "id": "sum"}, "after": "checks"}]
    )
    after = drafting.apply(document, added)
    assert {step["id"]: step["next"] for step in after["steps"]} == {
        "start": {"default": "checks"},
        "checks": {"default": "sum"},
        "sum": {"default": "fine"},
        "vat": {"valid": "sum", "default": "account"},
        "account": {"default": "sum"},
        "fine": {"yes": "done", "default": "done"},
        "done": {},
    }
    assert (
        drafting.apply(after, drafting.read_changes([{"op": "remove_step", "step": "sum"}]))["steps"]
        == document["steps"]
    )


def test_renaming_a_step_rewrites_every_expression_that_names_it() -> None:
    after = drafting.apply(SMALL, drafting.read_changes([{"op": "rename_step", "step": "look", "id": "see"}]))
    by_id = {step["id"]: step for step in after["steps"]}
    assert by_id["fork"]["config"]["branches"][0]["if"] == "steps.see.x == 'steps.look' || 1 == 1", (
        "a quoted text is no name"
    )
    assert by_id["start"]["next"] == {"default": "see"}
    assert after["groups"][0]["steps"] == ["see", "fork"]
    assert after["tests"][0] == {
        "name": "t",
        "answers": {"see": {"values": {}}},
        "expect": {"path": ["start", "see"]},
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"op": "paint"}, "no such change"),
        ({"op": "set", "step": "look"}, "missing"),
        ({"op": "set", "step": "gone", "field": "title", "value": ""}, "no step gone"),
        ({"op": "set", "step": "look", "field": "id", "value": "x"}, "rename_step"),
        ({"op": "set", "step": "look", "field": "config.text.deeper", "value": "x"}, "nothing named deeper"),
        ({"op": "set", "step": "fork", "field": "config.branches[7].if", "value": "x"}, "no entry 8"),
        ({"op": "set", "step": "look", "field": "title", "value": 1.5}, "as text"),
        ({"op": "connect", "step": "look", "to": "gone"}, "no step gone"),
        ({"op": "rename_step", "step": "look", "id": "fork"}, "already"),
        ({"op": "set_document", "field": "steps", "value": []}, "by their own changes"),
        (
            {
                "op": "set_document",
                "value": {"steps": [{"id": "a", "type": "end"}, {"id": "a", "type": "end"}]},
            },
            "Two steps",
        ),
        ({"op": "set_document", "value": "x"}, "an object"),
    ],
)
def test_a_change_without_sense_says_why(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ChangeError, match=reason):
        drafting.apply(SMALL, drafting.read_changes([change]))


def test_a_no_that_nobody_hears_gets_an_end_of_its_own_and_not_the_one_of_a_yes() -> None:
    """Connected to the end of a yes, the remark would be gone and the no as unheard as before."""
    asked = {
        "id": "ask",
        "type": "approval",
        "title": "Agree",
        "config": {"text": "Agree?", "roles": ["lead"]},
        "next": {"default": "end"},
    }
    document = {
        "format": 1,
        "slug": "agree",
        "title": "Agree",
        "steps": [
            {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "ask"}},
            asked,
            {"id": "end", "type": "end", "title": "End", "config": {}, "next": {}},
        ],
    }
    problem = next(each for each in check(document, all_types()) if each.reason == UNHEARD)
    mending = drafting.mend(document, problem)
    assert mending is not None
    assert mending.label == "Add an End for a no"
    mended = drafting.apply(document, mending.change)
    assert [step["title"] for step in mended["steps"]] == ["Start", "Agree", "End", "Rejected"]
    assert mended["steps"][1]["next"] == {"default": "end", "rejected": mended["steps"][3]["id"]}
    assert check(mended, all_types()) == []


def test_words_where_an_expression_stands_are_mended_to_a_text() -> None:
    output = {
        "id": "out",
        "type": "output",
        "title": "Tell",
        "config": {"values": {"a": "Hello, it’s me", "b": "record.("}},
    }
    document = {"format": 1, "slug": "tell", "title": "Tell", "steps": [output]}
    wrong = [each for each in check(document, all_types()) if each.field.startswith("config.values")]
    mended: Any = document
    for each in wrong:
        mending = drafting.mend(document, each)
        assert mending is not None
        assert mending.label == drafting.AS_TEXT
        mended = drafting.apply(mended, mending.change)
    assert mended["steps"][0]["config"]["values"] == {"a": '"Hello, it’s me"', "b": '"record.("'}


def test_a_way_back_is_mended_by_a_go_to_in_between() -> None:
    ways = {"again": "look", "go": "end"}
    choice = {
        "id": "choose",
        "type": "decision",
        "title": "Choose",
        "config": {"options": [{"value": each, "label": each} for each in ways]},
        "next": ways,
    }
    document: dict[str, Any] = {
        "format": 1,
        "slug": "back",
        "title": "Back",
        "steps": [
            {"id": "start", "type": "start", "title": "Start", "next": {"default": "look"}},
            {
                "id": "look",
                "type": "guidance",
                "title": "Look",
                "config": {"text": "Look."},
                "next": {"default": "choose"},
            },
            choice,
            {"id": "end", "type": "end", "title": "End"},
        ],
    }
    [problem] = check(document, all_types())
    mending = drafting.mend(document, problem)
    assert mending is not None
    assert mending.label == "Put a Go to in between"
    mended = drafting.apply(document, mending.change)
    back = mended["steps"][3]
    assert (back["type"], back["title"], back["next"]) == ("go_to", "Back to Look", {"default": "look"})
    assert check(mended, all_types()) == []
    choice["id"] = "Größe"
    assert drafting.mend(document, replace(problem, step="Größe")) is None, "its name has to be mended first"


@cases(
    ("given", "name"),
    [
        ("größe", "groe"),
        ("Step 1", "step_1"),
        ("9nine", "step_9nine"),
        ("步骤", "guidance"),
        ("record", "record_step"),
        ("__proto__", "proto"),
        ("Start", "start_2"),
    ],
)
def test_a_step_with_a_name_that_no_expression_takes_is_given_the_nearest_one(given: str, name: str) -> None:
    look = {
        "id": given,
        "type": "guidance",
        "title": "Look",
        "config": {"text": "Look."},
        "next": {"default": "end"},
    }
    document: dict[str, Any] = {
        "format": 1,
        "slug": "named",
        "title": "Named",
        "steps": [
            {"id": "start", "type": "start", "title": "Start", "next": {"default": given}},
            look,
            {"id": "end", "type": "end", "title": "End", "at": [1]},
        ],
    }
    for _ in range(2):  # its name, and the place of the end
        [problem] = [each for each in check(document, all_types()) if each.step != "end"] or check(
            document, all_types()
        )
        mending = drafting.mend(document, problem)
        assert mending is not None
        document = drafting.apply(document, mending.change)
    assert [step["id"] for step in document["steps"]] == ["start", name, "end"]
    assert check(document, all_types()) == []
