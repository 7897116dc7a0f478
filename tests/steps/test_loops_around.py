"""For each item of which loop a step is done: what `item` means in its texts, and from which fields the values of its run come."""

from typing import Any

import pytest

from console import steps
from console.core.documents.workflow import Workflow, read
from console.core.origins import Closed, Step, Taken, Text, Version
from tests.support.engine import step

ROWS = {"collection": "account", "fields": ["status"]}


def loop(name: str, body: str | None, to: str) -> dict[str, Any]:
    config = (
        {"items": ROWS, "body": body, "on_failure": "continue"}
        if body
        else {"items": ROWS, "form": [{"name": "ok", "label": "Fine"}]}
    )
    return step(name, "loop", to, config)


def say(name: str, to: str) -> dict[str, Any]:
    return step(name, "output", to, {"values": {"x": "1"}})


def document(*made: dict[str, Any]) -> Workflow:
    head = {"format": 1, "slug": "going-through", "title": "Going through", "team": "operations"}
    return read(head | {"steps": [step("start", "start", made[0]["id"]), *made, step("end", "end", None)]})


@pytest.mark.parametrize(
    ("made", "around"),
    [
        ([say("a", "end")], {}),
        ([loop("each", None, "end")], {}),
        ([loop("each", "a", "end"), say("a", "end")], {"a": "each", "end": "each"}),
        (
            [loop("each", "a", "after"), say("a", "b"), say("b", "end"), say("after", "end")],
            {"a": "each", "b": "each", "end": "each"},
        ),
        (
            [
                loop("one", "a", "two"),
                say("a", "over"),
                step("over", "end", None),
                loop("two", "b", "end"),
                say("b", "end"),
            ],
            {"a": "one", "over": "one", "b": "two", "end": "two"},
        ),
        (
            [
                loop("outer", "inner", "end"),
                loop("inner", "deep", "out"),
                say("deep", "deeper"),
                step("deeper", "end", None),
                step("out", "end", None),
            ],
            {"inner": "outer", "out": "outer", "deep": "inner", "deeper": "inner"},
        ),
    ],
)
def test_a_step_is_done_for_each_item_of_the_loop_that_leads_into_it(
    made: list[dict[str, Any]], around: dict[str, str]
) -> None:
    assert dict(steps.loops_around(document(*made))) == around


def test_a_circle_within_a_body_ends() -> None:
    turning = [loop("each", "a", "end"), say("a", "again"), step("again", "go_to", "a")]
    assert dict(steps.loops_around(document(*turning))) == {"a": "each", "again": "each"}


ITEMS = Taken("account@each.items", frozenset({"status", "customer_id"}))
EACH = Step("each", reads={"items": ITEMS}, items="items", kind="loop")
TITLE = Text(frozenset({"title"}), (("item", "status"),), names_records=True)
OWNER = Text(frozenset({"owner"}), (("item", "customer_id"),), names_records=True)
COMPUTED = Text(frozenset({"sum"}), (("item", "customer_id"),))
TITLES = {"customer": frozenset({("customer", "display_name")}), "account": frozenset({("account", "iban")})}
VERSION = Version(
    None,
    "start",
    {"each": EACH, "task": Step("task", (TITLE, OWNER, COMPUTED), kind="create_task", loop="each")},
    TITLES,
    {("account", "customer_id"): "customer"},
)


def closed(collection: str, *fields: str) -> Closed:
    """The version for somebody who may not read these fields."""
    return Closed(
        VERSION,
        lambda asked: frozenset(fields) if (asked or "").partition("@")[0] == collection else frozenset(),
    )


@pytest.mark.parametrize(
    ("collection", "field", "names"),
    [
        ("account", "status", {"title"}),
        ("account", "customer_id", {"owner", "sum"}),
        ("customer", "display_name", {"owner"}),
        ("customer", "email", set()),
        ("account", "iban", set()),
    ],
)
def test_what_a_task_says_of_its_item_is_hidden_with_the_field_that_it_comes_from(
    collection: str, field: str, names: set[str]
) -> None:
    assert closed(collection, field).names("task") == names


def test_a_name_is_hidden_only_where_a_text_says_it_and_not_where_the_key_is_computed_with() -> None:
    assert "sum" not in closed("customer", "display_name").names("task")


def test_an_item_has_its_own_key_and_title() -> None:
    own = Step("task", (Text(frozenset({"which"}), (("item", "title"),)),), loop="each")
    version = Version(None, "start", {"each": EACH, "task": own}, TITLES)
    hidden = Closed(
        version, lambda asked: frozenset({"iban"}) if (asked or "").startswith("account") else frozenset()
    )
    assert hidden.names("task") == {"which"}, (
        "the title of the row is made of the fields that its collection calls by"
    )
