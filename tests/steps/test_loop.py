"""Loop: what its settings take and refuse, and what it makes of a list in memory. With people and records: tests/runs/commands/test_loop.py."""

from typing import Any

import pytest
from pydantic import ValidationError

from console import steps
from console.core.errors import Invalid
from console.steps.base import FormNeeded, Rows
from console.steps.going_through import LoopConfig
from tests.steps.walk import complete, context, prepare, view
from tests.tables import cases

SMALLEST: dict[str, Any] = {
    "items": {"relation": "account", "fields": ["iban"]},
    "form": [{"name": "verdict", "label": "Verdict"}],
}
FURTHER: list[dict[str, Any]] = [{"form": [], "body": "one", "on_failure": "continue"}, {"screen": "one"}]

FORM = [{"name": "verdict", "label": "Verdict", "required": True}]
CONFIG: dict[str, Any] = {"items": {"relation": "account", "fields": ["iban"]}, "form": FORM}
ENTRIES: dict[str, Any] = {"items": {"entries": "input.lines", "key": "no"}, "form": FORM}


def test_what_a_database_cannot_be_asked_is_left_out_after_reading() -> None:
    only = {**CONFIG, "items": {**CONFIG["items"], "only": 'item.iban != "2"'}}
    rows = accounts("1", "2", "3")
    told = prepare("loop", only, context(reads=rows)).progress
    assert told is not None
    assert [item.key for item in told.items] == ["1", "3"]


def test_a_check_that_may_not_read_what_it_judges_says_so_and_finds_not_nothing() -> None:
    body = {"items": CONFIG["items"], "body": "one"}
    shut = {
        "items": Rows("account", "Accounts", [], [{"key": "a", "title": "a", "values": {}}], denied=("iban",))
    }
    with pytest.raises(Invalid, match="may not read iban"):
        steps.get("loop").complete_by_itself(view("loop", body), context(shut))


def accounts(*keys: str, more: bool = False) -> dict[str, Rows]:
    fields = [{"name": "iban", "label": "IBAN", "type": "text"}]
    return {
        "items": Rows(
            "account",
            "Accounts",
            fields,
            [{"key": key, "title": f"No. {key}", "values": {"iban": key}} for key in keys],
            more=more,
        )
    }


@cases(
    ("settings", "said"),
    [
        ({"form": []}, "nothing is asked of an item"),
        ({"edit": ["verdict"]}, "more than one field is named verdict"),
        ({"form": [{"name": "item", "label": "x"}]}, "cannot be named item"),
        ({"required": ["iban"]}, "required names what is not among"),
        ({"gather": [{"name": "count"}]}, "names of their own"),
        ({"gather": [{"name": "a"}, {"name": "a"}]}, "names of their own"),
        ({"branches": [{"if": "1 == 1", "outcome": "next_item"}]}, "cannot be the outcome"),
        ({"branches": [{"if": "1 == 1", "outcome": "default"}]}, "cannot be the outcome"),
        ({"branches": [{"if": "item.verdict == 'x'", "outcome": "a"}]}, "gather what it needs"),
        ({"items": {"relation": "a", "collection": "b", "fields": ["c"]}}, "one of the three"),
        ({"items": {}}, "one of the three"),
        ({"items": {"relation": "a"}}, "nothing is read"),
        ({"items": {"relation": "a", "fields": ["b"], "key": "c"}}, "keys of their own"),
        ({"items": {"relation": "a", "fields": ["b"], "limit": 1001}}, "less than or equal to 1000"),
        ({"items": {"entries": "input.a"}, "edit": ["b"]}, "no records"),
        ({"on_failure": "ask"}, "'stop' or 'continue'"),
    ],
)
def test_settings_that_could_not_work_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        LoopConfig.model_validate({**CONFIG, **settings})


def test_the_check_hears_every_expression_column_and_name() -> None:
    kind = steps.get("loop")
    config = LoopConfig.model_validate(
        {
            "items": {"relation": "account", "fields": ["iban"], "where": "record.a == 1", "sort": "-b"},
            "form": [{**FORM[0], "required_if": "item.iban == 'x'"}],
            "edit": ["status"],
            "set": [{"field": "by", "value": "$currentUser.id"}],
            "second": {"if": "item.verdict == 'y'"},
            "gather": [{"name": "bad", "if": "item.verdict == 'n'"}],
            "branches": [{"if": "size(steps.here.bad) > 0", "outcome": "bad"}],
            "title": "{{ item.iban }}",
            "text": "{{ item.key }}",
        }
    )
    assert [text.field for text in kind.expressions(config)] == [
        "branches[0].if",
        "items.where",
        "form[0].required_if",
        "set[0].value",
        "second.if",
        "gather[0].if",
        "gather[0].value",
    ]
    assert [text.field for text in kind.templates(config)] == ["title", "text"]
    assert [(use.field, use.column, use.relation, use.changed) for use in kind.uses(config)] == [
        ("items.relation", None, "account", False),
        ("items.fields[0]", "iban", "account", False),
        ("items.sort", "b", "account", False),
        ("edit[0]", "status", "account", True),
        ("set[0].field", "by", "account", True),
    ]
    assert kind.outcomes(config) == ("bad", "default")
    assert set(kind.item_names(config) or ()) == {"iban", "status", "by", "verdict", "key", "title"}
    assert {"items", "count", "bad"} <= (kind.outputs(config) or set())


def test_an_empty_list_needs_nobody_and_another_does() -> None:
    kind, here = steps.get("loop"), view("loop", CONFIG)
    assert kind.complete_by_itself(here, context(accounts())).output == {
        "count": 0,
        "done": 0,
        "failed": 0,
        "round": 1,
        "finished": True,
        "collection": "account",
        "items": [],
    }
    with pytest.raises(FormNeeded, match="2 items"):
        kind.complete_by_itself(here, context(accounts("a", "b")))
    with pytest.raises(FormNeeded, match="1 item "):
        kind.complete_by_itself(here, context(accounts("a")))


def test_columns_that_may_not_be_read_are_named() -> None:
    shut = {
        "items": Rows("account", "Accounts", [], [{"key": "a", "title": "a", "values": {}}], denied=("iban",))
    }
    assert (
        prepare("loop", CONFIG, context(shut)).text
        == "Not there any more, or not permitted for you: `items.iban`."
    )


def test_entries_of_the_run_have_the_keys_that_they_name() -> None:
    lines = [
        {"no": 7, "what": "x"},
        {"no": 7, "what": "twice"},
        {"what": "no key"},
        {"no": {"a": 1}},
        {"no": 3, "what": "y"},
    ]
    made = context(input={"lines": lines})
    progress = prepare("loop", {**ENTRIES, "title": "{{ item.what }}"}, made).progress
    assert progress is not None
    assert [(item.key, item.title) for item in progress.items] == [("7", "x"), ("3", "y")]
    assert progress.rows is not None
    assert progress.rows.rows[0]["values"] == {"no": 7, "what": "x"}
    done = complete("loop", ENTRIES, made, {"item": "7", "verdict": "v"})
    assert (done.outcome, done.values) == ("next_item", {"item": "7", "verdict": "v"})


@pytest.mark.parametrize("lines", [None, "text", 7, {"a": 1}])
def test_what_is_no_list_has_no_items(lines: Any) -> None:
    assert (
        steps.get("loop").complete_by_itself(view("loop", ENTRIES), context(input={"lines": lines})).outcome
        == "default"
    )


@pytest.mark.parametrize(
    ("sort", "keys"),
    [("n", "cab"), ("-n", "bac"), ("name", "bac"), ("-name", "cab"), ("gone", "abc")],
    ids=["number", "-number", "text", "-text", "gone"],
)
def test_entries_are_sorted_by_number_and_by_text(sort: str, keys: str) -> None:
    lines = [
        {"no": "a", "n": 10, "name": "Mid"},
        {"no": "b", "n": 20, "name": "abc"},
        {"no": "c", "n": "9", "name": "zoo"},
    ]
    config = {**ENTRIES, "items": {**ENTRIES["items"], "sort": sort}}
    progress = prepare("loop", config, context(input={"lines": lines})).progress
    assert progress is not None
    assert "".join(item.key for item in progress.items) == keys
