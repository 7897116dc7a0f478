"""What a document of a collection does: computed fields, rules at every write, formats, relations across data sources, money, code of one's own."""

import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from console import browse, records, runs, sources
from console.auth import access
from console.browse import BrowseQuery
from console.core.errors import Invalid, Malformed, NotFound
from console.core.scopes import Scope, unrestricted
from console.records import hooks, write_checks
from console.sources import collections
from tests.company import WORKING, Company

ABROAD = """
create table invoice (number text primary key, client text not null, amount_cents integer, currency text, paid integer);
insert into invoice values ('R-1', '1', 123456, 'EUR', 1), ('R-2', '1', 5000, 'JPY', 0), ('R-3', '3', null, 'EUR', 0);
"""
SAYS: dict[str, Any] = {
    "fields": {
        "tax_id": {"sensitive": True},
        "email": {"type": "email", "format": "email", "required": True},
        "double": {"label": "Twice", "type": "decimal", "computed": "record.balance * 2"},
        "rich": {"type": "boolean", "computed": "record.balance >= 100"},
        "loud": {"computed": "upper(record.display_name)"},
        "tail": {"computed": "last(record.tax_id, 3)"},
        "odd": {"type": "boolean", "computed": "record.balance + 1 > 2"},
        "balance": {
            "validation": [
                {
                    "if": "record.balance >= 0",
                    "message": "{{ record.display_name }} cannot owe us {{ record.balance }}.",
                }
            ]
        },
    },
    "validation": [
        {
            "if": "record.risk != 'high' || record.desk == 'corporate'",
            "message": "High risk belongs to the corporate desk.",
            "field": "desk",
        }
    ],
    "columns": ["display_name", "email", "double", "rich"],
    "relations": [
        {"name": "invoices", "label": "Invoices", "collection": "invoice", "kind": "to_many", "via": "client"}
    ],
}
INVOICE: dict[str, Any] = {
    "id": "invoice",
    "source": "abroad",
    "table": "invoice",
    "relations": [{"name": "customer", "collection": "customer", "kind": "to_one", "via": "client"}],
    "fields": {"amount_cents": {"widget": "money", "currency": "currency", "minor": True}},
}


@pytest.fixture(scope="module", name="house")
def fixture_house(module_company: Company) -> Company:
    """One company for the module, its customers described anew, and a second database that refers to the first."""
    path = module_company.path.with_name("abroad.db")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("drop table if exists invoice;" + ABROAD)
    sources.add("abroad", f"sqlite:///{path}", documents=[INVOICE], may={"admin": WORKING})
    say(SAYS)
    return module_company


def say(more: dict[str, Any], of: str = "customer") -> None:
    document = json.loads(collections.export(of)) | more
    collections.import_file(json.dumps(document).encode(), published=True)


def shown(house: Company, key: str = "1", who: str = "olivia") -> dict[str, Any]:
    return browse.record(house.people[who], "customer", key).record.values


def listed(house: Company, who: str = "olivia", **asked: Any) -> list[str | None]:
    return [row.key for row in browse.page(house.people[who], "customer", BrowseQuery(**asked)).rows]


def by(name: str, op: str, value: Any) -> str:
    return json.dumps({"field": name, "op": op, "value": value})


def refused(house: Company, values: dict[str, Any], key: str = "1") -> list[tuple[str, str]]:
    """(field, reason) of everything that stands against the change."""
    before = shown(house, key)
    with pytest.raises(Invalid) as wrong:
        browse.change(house.olivia, "customer", key, values, {})
    assert shown(house, key) == before
    return [(detail["field"], detail["reason"]) for detail in wrong.value.details]


# -- computed fields


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("1", {"double": "25.00", "rich": False, "loud": "ADAEZE OKONKWO-BELL", "tail": "123"}),
        ("3", {"double": "1800", "rich": True, "tail": "555"}),
        ("4", {"double": None, "rich": None, "tail": None}),
    ],
)
def test_a_computed_field_stands_wherever_the_record_does(
    house: Company, key: str, wanted: dict[str, Any]
) -> None:
    found_ = shown(house, key, "ines")
    row = next(row for row in browse.page(house.ines, "customer", BrowseQuery()).rows if row.key == key)
    for name, value in wanted.items():
        same = found_[name] == value or (
            value is not None and name == "double" and float(found_[name]) == float(value)
        )
        assert same, (name, found_[name])
        assert row.values[name] == found_[name]
    assert records.titles("customer", [key], unrestricted("customer"))


@pytest.mark.parametrize(
    ("test", "keys"),
    [
        (by("rich", "eq", True), ["3"]),
        (by("rich", "eq", False), ["1", "2"]),
        (by("rich", "ne", True), ["1", "2", "4"]),
        (by("rich", "ne", False), ["3", "4"]),
        (by("rich", "is_null", True), ["4"]),
        (by("rich", "is_null", False), ["1", "2", "3"]),
        (by("rich", "eq", None), ["4"]),
        (by("rich", "ne", None), ["1", "2", "3"]),
    ],
)
def test_a_condition_is_filtered_by_in_the_database_as_it_is_shown(
    house: Company, test: str, keys: list[str]
) -> None:
    everything = {key: shown(house, key)["rich"] for key in ("1", "2", "3", "4")}
    asked = json.loads(test)
    assert listed(house, filter=test) == keys
    if asked["op"] == "eq":
        assert keys == [key for key, value in everything.items() if value == asked["value"]]
    assert browse.count(house.olivia, "customer", BrowseQuery(filter=test, count="exact")).total == len(keys)


@pytest.mark.parametrize(
    "asked",
    [
        {"filter": by("double", "gt", "3")},
        {"filter": by("loud", "eq", "X")},
        {"filter": by("odd", "eq", True)},
        {"sort": "double"},
    ],
)
def test_what_no_database_can_work_out_is_refused_by_name(house: Company, asked: dict[str, str]) -> None:
    with pytest.raises(Malformed) as wrong:
        listed(house, **asked)
    assert wrong.value.details[0]["field"] in ("double", "loud", "odd", "sort")


def test_a_search_does_not_look_at_it(house: Company) -> None:
    assert listed(house, q="ADAEZE") == ["1"]
    assert listed(house, q="25.00") == []


def test_who_may_not_read_an_input_does_not_know_the_field(house: Company) -> None:
    hidden = Scope("customer", everything=True, hidden=frozenset({"balance"}))
    record = records.get("customer", "3", hidden)
    assert not {"balance", "double", "rich", "odd"} & record.values.keys()
    assert "tail" in record.values
    for asked in ("double", "rich"):
        with pytest.raises(Malformed, match="There is no field"):
            records.order_of(records.collection("customer"), hidden, asked)
    described = records.collection("customer").to_json(hidden)
    assert not {"balance", "double", "rich"} & {field["name"] for field in described["fields"]}


def test_a_right_that_hides_a_field_hides_what_is_made_of_it(house: Company) -> None:
    assert access.scope_for(house.olivia, "customer").hidden >= {"tax_id", "tail"}
    assert not access.scope_for(house.ines, "customer").hidden
    assert not {"tax_id", "tail"} & shown(house).keys()
    assert {"tax_id", "tail"} <= shown(house, who="ines").keys()
    with pytest.raises(Malformed, match="no field tail"):
        listed(house, filter=by("tail", "is_null", True))


# -- rules


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"email": ""}, [("email", "Email is needed.")]),
        ({"email": None}, [("email", "Email is needed.")]),
        (
            {"email": "nobody"},
            [("email", "This is no e-mail address: An email address must have an @-sign.")],
        ),
        ({"balance": "-3"}, [("balance", "Adaeze Okonkwo-Bell cannot owe us -3.")]),
        ({"risk": "high"}, [("desk", "High risk belongs to the corporate desk.")]),
        ({"risk": "high", "email": "x", "balance": "-1"}, [("email", ""), ("balance", ""), ("desk", "")]),
    ],
)
def test_a_change_that_breaks_a_rule_is_refused_with_the_field(
    house: Company, values: dict[str, Any], wrong: list[tuple[str, str]]
) -> None:
    found_ = refused(house, values)
    assert [field for field, _ in found_] == [field for field, _ in wrong]
    assert all(reason.startswith(words) for (_, reason), (_, words) in zip(found_, wrong, strict=True)), (
        found_
    )


def test_what_is_wrong_already_stops_nobody_from_mending_something_else(house: Company) -> None:
    assert shown(house, "3")["email"] is None
    after = browse.change(house.ines, "customer", "3", {"tax_id": "NL556"}, {})
    assert (after.values["tax_id"], after.values["tail"]) == ("NL556", "556")
    browse.change(house.ines, "customer", "3", {"tax_id": "NL555"}, {})
    assert browse.change(house.olivia, "customer", "1", {"balance": None}, {}).values["double"] is None
    browse.change(house.olivia, "customer", "1", {"balance": "12.50"}, {})


def test_a_new_record_is_judged_by_every_rule(house: Company) -> None:
    new = {"id": 20, "display_name": "New", "desk": "retail", "risk": "high", "balance": "-1"}
    with pytest.raises(Invalid) as wrong:
        records.insert("customer", new, unrestricted("customer"))
    assert {detail["field"] for detail in wrong.value.details} == {"email", "balance", "desk"}
    made = records.insert(
        "customer",
        new | {"risk": "low", "balance": "200", "email": "n@customers.example"},
        unrestricted("customer"),
    )
    assert (made.key, made.values["rich"], made.values["loud"]) == ("20", True, "NEW")
    house.sql("delete from customer where id = 20")


def test_a_message_says_nothing_that_its_reader_may_not_see(house: Company) -> None:
    collection = records.collection("customer")
    hidden = Scope("customer", everything=True, hidden=frozenset({"display_name"}))
    (told,) = write_checks.violations(collection, hidden, {"display_name": "Adaeze"}, {"balance": "-1"})
    assert told["reason"] == " cannot owe us -1."


def test_a_step_that_breaks_a_rule_comes_back_with_the_field(house: Company) -> None:
    run_id = house.at("rate")
    told = house.told(run_id)
    runs.complete(
        house.olivia, run_id, runs.Submission(step="rate", revision=told["revision"], values={"risk": "high"})
    )
    again = house.told(run_id)
    assert again["current"]["step"] == "rate"
    assert "High risk belongs to the corporate desk." in json.dumps(again["current"]) + json.dumps(
        again["attempts"]
    )
    assert shown(house)["risk"] is None
    runs.abort(house.olivia, run_id, revision=house.told(run_id)["revision"], reason="enough")


# -- relations across data sources


def test_a_relation_leads_into_another_database(house: Company) -> None:
    there = browse.related(house.ines, "customer", "1", "invoices")
    assert [row.key for row in there.rows] == ["R-1", "R-2"], "a number here, a text there"
    back = browse.related(house.ines, "invoice", "R-3", "customer")
    assert [row.title for row in back.rows] == ["Halcyon Harbour Trading B.V."]
    with pytest.raises(NotFound):
        browse.related(house.olivia, "customer", "1", "invoices")
    assert "invoices" not in {one["name"] for one in browse.describe(house.olivia, "customer")["relations"]}


def test_it_is_shown_by_the_title_with_the_readers_scope(house: Company) -> None:
    page = browse.page(house.ines, "invoice", BrowseQuery(labels=True))
    assert {key: known.title for (_, key), known in page.named.items()} == {
        "1": "Adaeze Okonkwo-Bell",
        "3": "Halcyon Harbour Trading B.V.",
    }
    assert [
        row.key
        for row in browse.page(house.ines, "invoice", BrowseQuery(filter=by("client", "eq", "3"))).rows
    ] == ["R-3"]


# -- code of one's own

CODE = """
import time
from console.hooks import action, computed, segment

@computed("customer", "initials", inputs=["display_name"], label="Initials")
def initials(record):
    return "".join(word[0] for word in record["display_name"].split())

@computed("customer", "broken", inputs=["balance"])
def broken(record):
    return 1 / 0

@computed("customer", "slow", inputs=["id"])
def slow(record):
    time.sleep(1.5)

@computed("customer", "spoiling", inputs=["id"])
def spoiling(record):
    record["id"] = 2

@computed("customer", "taxed", inputs=["tax_id", "balance"], type="integer")
def taxed(record):
    return record["balance"]

@computed("customer", "lost", inputs=["gone"])
def lost(record):
    return 1

@computed("nothing", "x", inputs=[])
def nothing(record):
    return 1

@segment("customer", "rich_ones", "The rich")
def rich_ones():
    return "record.balance >= " + str(100)

@segment("customer", "wrong", "Wrong")
def wrong():
    return "record.gone == 1"

@segment("customer", "failing", "Failing")
def failing():
    raise RuntimeError("no")

@action("acme.wave")
def wave(values, key, door):
    return {"waved": True}
"""


@pytest.fixture(name="coded")
def fixture_coded(house: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    """The house with a module of its own, and one that cannot be read in."""
    (tmp_path / "acme_hooks.py").write_text(CODE)
    (tmp_path / "acme_broken.py").write_text("raise RuntimeError('no such thing')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("CONSOLE_HOOKS", "acme_hooks, acme_broken")
    fresh()
    yield house
    for name in ("acme_hooks", "acme_broken"):
        sys.modules.pop(name, None)
    monkeypatch.undo()
    fresh()


def fresh() -> None:
    """As after a restart."""
    from console.infra import settings
    from console.steps.effects import python

    for kept in (settings.current, hooks.loaded, hooks.states, python.functions):
        kept.cache_clear()
    records.forget()


def test_a_hook_that_fails_or_is_slow_breaks_nothing(coded: Company) -> None:
    record = browse.record(coded.ines, "customer", "1").record
    assert (record.values["initials"], record.values["taxed"], record.values["rich"]) == ("AO", 13, False)
    assert record.wrong.keys() == {"broken", "slow", "spoiling"}
    assert record.wrong["broken"] == "The code for this field failed: ZeroDivisionError."
    assert "longer than 0.5 seconds" in record.wrong["slow"]
    rows = browse.page(coded.olivia, "customer", BrowseQuery()).rows
    assert {row.values["initials"] for row in rows} >= {"AO", "TL"}
    assert all("tried again" in row.wrong["slow"] for row in rows), "what was too slow rests"
    assert record.to_json().keys() == {"collection", "key", "title", "values"}


def test_where_each_hook_stands_and_what_went_wrong_is_known(coded: Company) -> None:
    records.collection("customer")
    shown(coded)
    found_ = {hook.name: hook for hook in hooks.loaded()}
    assert found_["initials"].file.endswith("acme_hooks.py")
    assert (
        Path(found_["initials"].file)
        .read_text()
        .splitlines()[found_["initials"].line - 1]
        .startswith("@computed")
    )
    errors = {name: hooks.states()[hook.key].error for name, hook in found_.items()}
    for name, words in {
        "lost": "has no column gone",
        "x": "there is no collection nothing",
        "wrong": "gone",
        "failing": "RuntimeError: no",
        "broken": "ZeroDivisionError",
        "acme_broken": "RuntimeError: no such thing",
        "initials": "",
        "rich_ones": "",
    }.items():
        assert words in errors[name] if words else errors[name] == "", (name, errors[name])


def test_a_segment_of_code_is_a_segment(coded: Company) -> None:
    assert listed(coded, segment="rich_ones") == ["3"]
    assert "The rich" in {one["label"] for one in browse.describe(coded.olivia, "customer")["segments"]}
    for name in ("wrong", "failing"):
        with pytest.raises(Malformed, match="no segment"):
            listed(coded, segment=name)


def test_a_field_of_code_keeps_the_secrets_of_its_inputs(coded: Company) -> None:
    hidden = Scope("customer", everything=True, hidden=frozenset({"tax_id"}))
    assert "taxed" not in records.get("customer", "1", hidden).values
    field = records.collection("customer").field("taxed")
    assert field is not None
    assert (field.sensitive, field.ai, field.readonly) == (True, "masked", True)


def test_the_document_says_how_a_field_of_code_is_called(coded: Company) -> None:
    fields = {**SAYS["fields"], "initials": {"label": "In short"}}
    say({"fields": fields, "columns": ["display_name", "initials"]})
    assert (
        next(
            item.label
            for item in browse.page(coded.olivia, "customer", BrowseQuery()).columns
            if item.name == "initials"
        )
        == "In short"
    )
    say(SAYS)


def test_an_action_may_call_it(coded: Company) -> None:
    from console.steps.effects import python

    assert python.functions()["acme.wave"]({}, "key", python.Door(coded.olivia)) == {"waved": True}
