"""Masking of answers as deep as they come: hidden values are null wherever they stand, everything else is untouched."""

import copy
from typing import Any

from hypothesis import given, strategies as st

from console.core.origins import Closed, Version
from console.log.masking import TITLED, VALUES_OF_FIELD, Within, at_version, closed, event, mask, tree
from tests.tables import cases

SECRETS = {
    "customer": frozenset({"tax_id", "we.ird/name"}),
    "account": frozenset({"iban"}),
    None: frozenset({"password"}),
}


def hidden(collection: str | None) -> frozenset[str]:
    return SECRETS.get(collection, frozenset())


def left(value: Any, collection: str | None = "customer", *, screen: bool = False) -> tuple[Any, list[str]]:
    return mask(value, "data", hidden, collection, screen=screen)


@cases(
    ("value", "masked", "paths"),
    [
        ({"tax_id": None}, {"tax_id": None}, []),
        ({"tax_id": ""}, {"tax_id": None}, ["data.tax_id"]),
        ({"tax_id": 0}, {"tax_id": None}, ["data.tax_id"]),
        ({"tax_id": False}, {"tax_id": None}, ["data.tax_id"]),
        ({"tax_id": []}, {"tax_id": None}, ["data.tax_id"]),
        ({"tax_id": {"city": "x"}}, {"tax_id": None}, ["data.tax_id"]),
        ({"TAX_ID": "1", "tax_id2": "2"}, {"TAX_ID": "1", "tax_id2": "2"}, []),
        ({"we.ird/name": "1"}, {"we.ird/name": None}, ["data.we.ird/name"]),
        ({"iban": "x"}, {"iban": "x"}, []),
        ([[[{"tax_id": "1"}]]], [[[{"tax_id": None}]]], ["data.0.0.0.tax_id"]),
        (
            {"a": [{"b": {"tax_id": "1"}}, "tax_id"]},
            {"a": [{"b": {"tax_id": None}}, "tax_id"]},
            ["data.a.0.b.tax_id"],
        ),
        (
            {"collection": "account", "rows": [{"iban": "x"}]},
            {"collection": "account", "rows": [{"iban": None}]},
            ["data.rows.0.iban"],
        ),
        ({"a": {"collection": "account"}, "iban": "x"}, {"a": {"collection": "account"}, "iban": "x"}, []),
        ({"collection": 5, "tax_id": "1"}, {"collection": 5, "tax_id": None}, ["data.tax_id"]),
        ({"collection": None, "tax_id": "1"}, {"collection": None, "tax_id": None}, ["data.tax_id"]),
        (
            {"collection": "unknown", "tax_id": "1"},
            {"collection": "unknown", "tax_id": None},
            ["data.tax_id"],
        ),
        (
            {"name": "tax_id", "value": "1", "label": "L"},
            {"name": "tax_id", "value": None, "label": "L"},
            ["data.value"],
        ),
        (
            {"field": "tax_id", "old": "1", "new": None},
            {"field": "tax_id", "old": None, "new": None},
            ["data.old"],
        ),
        ({"name": ["tax_id"], "value": "1"}, {"name": ["tax_id"], "value": "1"}, []),
        (
            {"name": "email", "value": {"tax_id": "1"}},
            {"name": "email", "value": {"tax_id": None}},
            ["data.value.tax_id"],
        ),
        ("tax_id", "tax_id", []),
        (None, None, []),
    ],
    ids=lambda item: str(item)[:40],
)
def test_what_is_hidden_is_null_and_named(value: Any, masked: Any, paths: list[str]) -> None:
    before = copy.deepcopy(value)
    assert left(value) == (masked, paths)
    assert value == before


@cases("key", sorted(VALUES_OF_FIELD))
@cases("naming", ["name", "field"])
@cases("screen", [False, True])
def test_each_value_beside_the_name_of_a_hidden_field_goes(key: str, naming: str, *, screen: bool) -> None:
    assert left({naming: "tax_id", key: "1"}, screen=screen) == (
        {naming: "tax_id", key: None},
        [f"data.{key}"],
    )
    assert left({naming: "email", key: "1"}, screen=screen) == ({naming: "email", key: "1"}, [])


def test_what_belongs_to_no_collection_has_hidden_fields_of_its_own() -> None:
    assert left({"password": "x", "tax_id": "1"}, None) == (
        {"password": None, "tax_id": "1"},
        ["data.password"],
    )


def test_a_screen_of_several_collections_hides_in_each_what_is_hidden_there() -> None:
    screen = {
        "collection": "customer",
        "values": {"tax_id": "1", "iban": "kept"},
        "related": [{"collection": "account", "values": {"tax_id": "kept", "iban": "2"}}],
        "tax_id": "no field here",
        "text": "Dear customer 1",
    }
    masked, paths = left(screen, screen=True)
    assert masked["values"] == {"tax_id": None, "iban": "kept"}
    assert masked["related"][0]["values"] == {"tax_id": "kept", "iban": None}
    assert (masked["tax_id"], masked["text"]) == ("no field here", None)
    assert sorted(paths) == ["data.related.0.values.iban", "data.text", "data.values.tax_id"]


@cases(
    ("sealed", "missing", "nested", "paths"),
    [
        ({}, set(), {}, []),
        ({"a": 1}, set(), {"a": 1}, []),
        ({"v/a": 1, "v/b": None}, set(), {"v": {"a": 1, "b": None}}, []),
        ({"v/a": 1}, {"v/b"}, {"v": {"a": 1, "b": None}}, ["d.v.b"]),
        ({}, {"v/a/b", "w"}, {"v": {"a": {"b": None}}, "w": None}, ["d.v.a.b", "d.w"]),
        ({"v/a~1b": 1}, set(), {"v": {"a/b": 1}}, []),
        ({"v/a~0b": 1}, set(), {"v": {"a~b": 1}}, []),
        ({"v/~01": 1}, set(), {"v": {"~1": 1}}, []),
        ({"v/": 1}, set(), {"v": {"": 1}}, []),
        ({"v": [1, {"a": 2}]}, set(), {"v": [1, {"a": 2}]}, []),
        ({"v/a": 1}, {"v/a": "erased"}, {"v": {"a": 1}}, ["d.v.a"]),
    ],
    ids=lambda item: str(sorted(item) if isinstance(item, set) else item),
)
def test_sealed_names_become_nested_values(
    sealed: dict[str, Any], missing: Any, nested: dict[str, Any], paths: list[str]
) -> None:
    assert tree(sealed, missing, "d") == (nested, paths)


Json = st.recursive(
    st.none() | st.integers() | st.sampled_from(["tax_id", "iban", "SECRET"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["tax_id", "iban", "name", "field", "value", "values", "collection", "text"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def shape(value: Any) -> Any:
    """What the answer looks like when every value in it is left out."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else None


def at(value: Any, path: str) -> Any:
    for step in path.split(".")[1:]:
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


@given(Json, st.booleans())
def test_each_path_leads_to_a_null_and_each_new_null_has_its_path(value: Any, screen: bool) -> None:
    masked, paths = mask(value, "data", hidden, "customer", screen=screen)
    assert all(at(masked, path) is None and at(value, path) is not None for path in paths)
    assert len(paths) == len(set(paths))
    assert (masked == value) == (not paths)
    again, more = mask(masked, "data", hidden, "customer", screen=screen)
    assert shape(again) == shape(masked)
    assert not set(more) & set(paths)


@given(Json, st.booleans())
def test_who_may_read_everything_reads_everything(value: Any, screen: bool) -> None:
    assert mask(value, "data", lambda _: frozenset(), "customer", screen=screen) == (value, [])


@cases(
    ("sealed", "names"),
    [
        ({}, set()),
        ({"values/tax_id": "1", "values/email": "2", "reason": "tax_id"}, {"values/tax_id"}),
        ({"values/tax_id": None, "values/we.ird~1name": "x"}, {"values/we.ird~1name"}),
        (
            {"values/tax_id/city": "x", "values/tax_id/zip": None, "values/city": "y"},
            {"values/tax_id/city", "values/tax_id/zip"},
        ),
        ({"change/field": "tax_id", "change/old": "1", "change/new": None}, {"change/old"}),
        ({"values/address": {"tax_id": "1", "city": "x"}}, {"values/address"}),
        ({"screen": {"values": {"tax_id": "1"}, "text": "x"}}, {"screen"}),
        ({"screen": {"values": {"email": "1"}, "text": "x"}, "values/iban": "2"}, set()),
        ({"rows": [{"collection": "account", "values": {"iban": "x"}}]}, {"rows"}),
        ({"filter/values/tax_id": "1", "filter/values/email": "2"}, {"filter/values/tax_id"}),
    ],
)
def test_a_flat_value_of_which_a_part_is_hidden_is_left_out_whole(
    sealed: dict[str, Any], names: set[str]
) -> None:
    before = copy.deepcopy(sealed)
    assert closed(sealed, hidden, "customer") == names
    assert closed(sealed, lambda _: frozenset(), "customer") == frozenset()
    assert sealed == before


def test_what_is_called_compared_is_masked_inside_like_anything_else() -> None:
    within = Within(hidden, lambda *_: Closed(Version("customer", "start", {}), hidden), lambda _: ())
    sealed = {
        "result": {"values": {"compared": {"861": {"tax_id": "1", "names": "x"}, "record.tax_id": "1"}}}
    }
    for reader in (within, at_version(within, "care", 1, None, None)):
        told, paths = mask(sealed, "data", reader, "customer", values=False)
        assert told["result"]["values"]["compared"]["861"] == {"tax_id": None, "names": "x"}
        assert "data.result.values.compared.861.tax_id" in paths


@cases(
    ("kind", "sealed", "opened", "gone"),
    [
        ("run_started", {"title": "Ana", "note": "x"}, None, "title"),
        ("step_completed", {"title": "Ana", TITLED: {}}, None, "title"),
        ("message_failed", {"said": "No mailbox of ana@x.example", "note": "x"}, None, "said"),
        ("message_skipped", {"said": "Stopped", "note": "x"}, None, "said"),
        ("source_opened", {"what": "Passport of Ana", "note": "x"}, "customer", "what"),
    ],
)
def test_words_of_an_event_that_may_repeat_what_is_hidden_are_null_and_named(
    kind: str, sealed: dict[str, Any], opened: str | None, gone: str
) -> None:
    within = Within(
        hidden, lambda *_: Closed(Version("customer", "start", {}), hidden), lambda _: ("tax_id",)
    )
    whole, paths = event(sealed, "data", within, "customer", kind, opened)
    assert (whole, paths) == ({**sealed, gone: None}, [f"data.{gone}"])
    everything = Within(lambda _: frozenset(), within.closed_in, within.titled)
    assert event(sealed, "data", everything, "customer", kind, opened) == (sealed, [])
