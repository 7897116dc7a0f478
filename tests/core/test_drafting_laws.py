"""Laws of changes that hold for every document: difference, inverse, order of keys, merge from both sides, and a graph made in any order."""

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from console.core import drafting
from console.core.drafting import graph_pieces
from tests.core.test_drafting import SMALL, lists_of_changes, made, renames

pytestmark = pytest.mark.lengthy

notes = st.lists(
    st.fixed_dictionaries(
        {
            "text": st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8),
            "at": st.lists(st.integers(-900, 900), min_size=2, max_size=2),
        }
    ),
    max_size=3,
)


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same JSON with the keys of its objects in another order."""
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    return [shuffled(entry, chance) for entry in value] if isinstance(value, list) else value


@settings(max_examples=60, deadline=None)
@given(lists_of_changes(), lists_of_changes())
@example(
    [{"op": "remove_step", "step": "start"}], [{"op": "set", "step": "start", "field": "title"}]
)  # a step added anew gets a title
def test_a_difference_turns_one_document_into_the_other(
    first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> None:
    base = drafting.ordered(SMALL)
    one, _ = made(base, first)
    other, _ = made(base, second)
    told = drafting.read_changes(json.loads(json.dumps(drafting.to_json(drafting.difference(one, other)))))
    assert drafting.written(drafting.apply(one, told)) == drafting.written(other)
    assert drafting.difference(other, other) == []
    assert bool(told) == (drafting.written(one) != drafting.written(other))


@settings(max_examples=60, deadline=None)
@given(lists_of_changes())
def test_what_was_undone_is_done_again_by_the_inverse_of_the_inverse(given: list[dict[str, Any]]) -> None:
    before = drafting.ordered(SMALL)
    after, taken = made(before, given)
    back = drafting.difference(drafting.apply(before, taken), before)
    again = drafting.difference(drafting.apply(after, back), after)
    assert drafting.written(drafting.apply(drafting.apply(after, back), again)) == drafting.written(after)


@settings(max_examples=60, deadline=None)
@given(lists_of_changes(), st.randoms(use_true_random=False))
def test_the_order_of_keys_says_nothing(given: list[dict[str, Any]], chance: random.Random) -> None:
    base = drafting.ordered(SMALL)
    after, taken = made(base, given)
    other = drafting.apply(shuffled(base, chance), shuffled(drafting.to_json(taken), chance) and taken)
    assert drafting.written(other) == drafting.written(after)
    assert drafting.written(shuffled(after, chance)) == drafting.written(after)
    assert drafting.ordered(drafting.ordered(after)) == drafting.ordered(after)


@settings(max_examples=80, deadline=None)
@given(lists_of_changes(), lists_of_changes())
@example(
    [{"op": "add_step", "step": {"type": "guidance"}}], [{"op": "set_document", "field": "x", "value": None}]
)
@example(
    [{"op": "connect", "step": "done", "to": "start"}],
    [{"op": "add_step", "step": {"type": "guidance"}, "after": "done"}],
)
def test_who_comes_second_gets_what_who_comes_first_gets(
    first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> None:
    base = drafting.ordered(SMALL)
    one, ones = made(base, first)
    other, others = made(base, second)
    adding = [{change.op for change in each} & {"add_step", "add_trigger"} for each in (ones, others)]
    if any(renames(each, heals=True) for each in (ones, others)) or adding[0] & adding[1]:
        return  # ids follow a new name, and two new entries take the next free id in turn
    left, none = drafting.merge(base, one, others)
    right, neither = drafting.merge(base, other, ones)
    assert bool(none) == bool(neither), "what collides, collides from both sides"
    if none:
        return
    by_id = [{step["id"]: step for step in each["steps"]} for each in (left, right)]
    assert by_id[0] == by_id[1]
    said = [
        {name: value for name, value in each.items() if name != "steps" and value is not None}
        for each in (left, right)
    ]
    assert said[0] == said[1], "null says no more than nothing at all"


@settings(max_examples=40, deadline=None)
@given(lists_of_changes())
def test_a_change_leaves_what_it_was_given_as_it_was(given: list[dict[str, Any]]) -> None:
    base = drafting.ordered(copy.deepcopy(SMALL))
    kept, told = json.dumps(base), drafting.read_changes(given)
    spoken = json.dumps(drafting.to_json(told))
    made(base, given)
    assert (json.dumps(base), json.dumps(drafting.to_json(told))) == (kept, spoken)


@settings(max_examples=40, deadline=None)
@given(notes, notes)
def test_notes_on_the_canvas_are_changed_and_undone_like_everything(
    first: list[Any], second: list[Any]
) -> None:
    base = drafting.apply(
        SMALL, drafting.read_changes([{"op": "set_document", "field": "notes", "value": first}])
    )
    change = drafting.read_changes([{"op": "set_document", "field": "notes", "value": second}])
    after = drafting.apply(base, change)
    assert after["notes"] == second
    assert drafting.written(
        drafting.apply(after, drafting.difference(drafting.apply(base, change), base))
    ) == drafting.written(base)


# ------------------------------------------------------------------------------------------------------- piece by piece

START: dict[str, Any] = {
    "format": 1,
    "slug": "pieces",
    "title": "Pieces",
    "steps": [{"id": "start", "type": "start", "title": "Start", "config": {}, "next": {}}],
}
NODES: list[tuple[str, str, dict[str, Any]]] = [
    ("one", "VOICE_CALL", {"script": "Hello."}),
    ("two", "VOICE_CALL", {"script": "Hello again."}),
    ("pause", "TIME", {"duration": "P2D"}),
    ("keen", "CONDITIONAL", {"expression": "lead.answer == 'interested'"}),
    ("late", "CONDITIONAL", {"expression": "lead.answer == 'call_later' && lead.name != null"}),
    ("won", "CONVERTED", {}),
    ("lost", "DROPPED", {}),
]
EDGES = [
    ("one", "keen", ""),
    ("keen", "won", "yes"),
    ("keen", "pause", ""),
    ("pause", "two", ""),
    ("two", "late", ""),
    ("late", "lost", ""),
    ("late", "won", "yes"),
]


def drawn(nodes: list[tuple[str, str, dict[str, Any]]], edges: list[tuple[str, str, str]]) -> dict[str, Any]:
    """The document of a graph made in this order."""
    document, ids = START, dict[str, str]()
    for title, kind, config in nodes:
        ids[title], changes = graph_pieces.add_node(document, kind, title, config)
        document = drafting.apply(document, changes)
    for source, target, label in edges:
        _, changes = graph_pieces.add_edge(document, ids[source], ids[target], label)
        document = drafting.apply(document, changes)
    return document


def built(nodes: list[tuple[str, str, dict[str, Any]]], edges: list[tuple[str, str, str]]) -> dict[str, Any]:
    """Title → step, of a graph made in this order, with its ways by title."""
    document = drawn(nodes, edges)
    titles = {step["id"]: step["title"] for step in document["steps"]}
    calls = {step["id"]: step["title"] for step in document["steps"] if step["type"] == "ai_call"}
    found = {}
    for step in document["steps"]:
        rules = [each["if"] for each in step["config"].get("branches", [])]
        for call, title in sorted(calls.items(), reverse=True):
            rules = [rule.replace(f"steps.{call}.", f"steps.<{title}>.") for rule in rules]
        ways = {outcome: titles[to] for outcome, to in step["next"].items()}
        found[step["title"]] = (rules, sorted(step["config"].get("answers", [])), ways)
    return found


WANTED = built(NODES, EDGES)


def test_the_graph_of_the_page_is_what_it_says() -> None:
    assert WANTED["keen"][0] == ["steps.<one>.label == 'interested'"]
    assert WANTED["late"][0] == ["steps.<two>.label == 'call_later' && input.name != null"]
    assert (WANTED["one"][1], WANTED["two"][1]) == (["interested"], ["call_later"])
    assert WANTED["Start"][2] == {"default": "one"}


@settings(max_examples=60, deadline=None)
@given(st.permutations(NODES), st.permutations(EDGES))
def test_in_whatever_order_a_graph_is_made_its_rules_ask_the_same_calls(
    nodes: list[Any], edges: list[Any]
) -> None:
    found = built(nodes, edges)
    assert {title: each[0] for title, each in found.items()} == {
        title: each[0] for title, each in WANTED.items()
    }
    assert {title: each[1] for title, each in found.items()} == {
        title: each[1] for title, each in WANTED.items()
    }
    assert {title: each[2] for title, each in found.items() if title != "Start"} == {
        title: each[2] for title, each in WANTED.items() if title != "Start"
    }


@settings(max_examples=60, deadline=None)
@given(
    st.permutations(NODES),
    st.permutations([*EDGES, ("late", "pause", "later"), ("keen", "one", "no")]),
    st.integers(0, 9),
)
def test_the_start_leads_to_the_first_node_that_leads_somewhere(
    nodes: list[Any], edges: list[Any], many: int
) -> None:
    """Also in graphs that are made half, and in those where ways lead back to every node."""
    edges = [each for each in edges if each != ("keen", "pause", "")][:many]
    first, *inner = drawn(nodes, edges)["steps"]
    led_to = {to for step in inner for to in step["next"].values()}
    leading = [step["id"] for step in inner if step["next"]]
    free = [step for step in leading if step not in led_to]
    calm = [step["id"] for step in inner if step["type"] != "end"]
    assert first["next"]["default"] == [*free, *leading, *calm][0]


def test_a_box_that_was_filled_and_emptied_again_takes_nothing_away() -> None:
    base = drafting.ordered(SMALL)
    theirs = drafting.apply(
        base,
        drafting.read_changes([{"op": "set", "step": "look", "field": "description", "value": "Theirs"}]),
    )
    emptied = {"op": "set", "step": "look", "field": "description"}
    titled = {"op": "set", "step": "fork", "field": "title", "value": "Mine"}
    for mine in ([emptied], [{**emptied, "value": "Mi"}, emptied], [emptied, titled], [titled, emptied]):
        merged, none = drafting.merge(base, theirs, drafting.read_changes(mine))
        assert not none
        assert merged["steps"][1]["description"] == "Theirs"
        assert merged["steps"][2]["title"] == ("Mine" if titled in mine else "Fork")
