"""What a reader may not read is null wherever it stands, and named; nothing else changes."""

from typing import Any

from hypothesis import given, strategies as st

from console.log.masking import mask, tree
from tests.tables import cases


def hidden(collection: str | None) -> frozenset[str]:
    """`tax_id` of customers and `iban` of accounts are kept from this reader."""
    return {"customer": frozenset({"tax_id"}), "account": frozenset({"iban"})}.get(
        collection or "", frozenset()
    )


CASES: list[tuple[str, Any, bool, Any, list[str]]] = [
    ("plain values", {"tax_id": "1", "email": "a"}, False, {"tax_id": None, "email": "a"}, ["data.v.tax_id"]),
    ("nothing there", {"tax_id": None}, False, {"tax_id": None}, []),
    ("false is a value", {"tax_id": False}, False, {"tax_id": None}, ["data.v.tax_id"]),
    (
        "a change",
        {"tax_id": {"old": "1", "new": "2"}, "email": {"old": "a"}},
        False,
        {"tax_id": None, "email": {"old": "a"}},
        ["data.v.tax_id"],
    ),
    ("an output", {"record": {"tax_id": "1"}}, False, {"record": {"tax_id": None}}, ["data.v.record.tax_id"]),
    (
        "other collections have other secrets",
        {"record": {"collection": "account", "values": {"iban": "x", "tax_id": "2"}}},
        True,
        {"record": {"collection": "account", "values": {"iban": None, "tax_id": "2"}}},
        ["data.v.record.values.iban"],
    ),
    (
        "a field called collection opens nothing",
        {"collection": "account", "tax_id": "1", "iban": "x"},
        False,
        {"collection": "account", "tax_id": None, "iban": None},
        ["data.v.tax_id", "data.v.iban"],
    ),
    (
        "nor does it on the screen",
        {"record": {"collection": "customer", "values": {"collection": "account", "tax_id": "1"}}},
        True,
        {"record": {"collection": "customer", "values": {"collection": "account", "tax_id": None}}},
        ["data.v.record.values.tax_id"],
    ),
    (
        "a list of rows",
        [{"tax_id": "1"}, {"tax_id": "2"}],
        False,
        [{"tax_id": None}, {"tax_id": None}],
        ["data.v.0.tax_id", "data.v.1.tax_id"],
    ),
    (
        "a field of a form",
        {
            "fields": [
                {"name": "tax_id", "label": "Tax", "value": "1", "now": "2"},
                {"name": "email", "value": "a"},
            ]
        },
        True,
        {
            "fields": [
                {"name": "tax_id", "label": "Tax", "value": None, "now": None},
                {"name": "email", "value": "a"},
            ]
        },
        ["data.v.fields.0.value", "data.v.fields.0.now"],
    ),
    (
        "the record on the screen",
        {
            "record": {
                "collection": "customer",
                "key": "17",
                "title": "N",
                "values": {"tax_id": "1", "email": "a"},
            }
        },
        True,
        {
            "record": {
                "collection": "customer",
                "key": "17",
                "title": "N",
                "values": {"tax_id": None, "email": "a"},
            }
        },
        ["data.v.record.values.tax_id"],
    ),
    (
        "an error that tells the other value",
        [{"field": "tax_id", "reason": "It moved.", "theirs": "2"}],
        False,
        [{"field": "tax_id", "reason": "It moved.", "theirs": None}],
        ["data.v.0.theirs"],
    ),
    (
        "a table on the screen",
        {"tables": [{"collection": "account", "rows": [{"key": "1", "values": {"iban": "x"}}]}]},
        True,
        {"tables": [{"collection": "account", "rows": [{"key": "1", "values": {"iban": None}}]}]},
        ["data.v.tables.0.rows.0.values.iban"],
    ),
    (
        "a text beside something hidden may hold it",
        {"text": "Tax id 1", "title": "Check", "record": {"values": {"tax_id": "1"}}},
        True,
        {"text": None, "title": "Check", "record": {"values": {"tax_id": None}}},
        ["data.v.record.values.tax_id", "data.v.text"],
    ),
    (
        "a text beside nothing hidden stays",
        {"text": "Look twice", "record": {"values": {"email": "a"}}},
        True,
        {"text": "Look twice", "record": {"values": {"email": "a"}}},
        [],
    ),
    ("a scalar", "words", False, "words", []),
]


@cases(("name", "value", "screen", "left", "paths"), CASES, ids=[case[0] for case in CASES])
def test_mask(name: str, value: Any, screen: bool, left: Any, paths: list[str]) -> None:
    assert mask(value, "data.v", hidden, "customer", screen=screen) == (left, paths)


def test_field_named_like_a_part_of_the_screen_does_not_take_the_screen_away() -> None:
    screen = {"title": "Check", "record": {"title": "N", "values": {"title": "secret", "record": "secret"}}}
    left, paths = mask(
        screen, "screen", lambda _: frozenset({"title", "record", "values"}), "customer", screen=True
    )
    assert left == {"title": "Check", "record": {"title": "N", "values": {"title": None, "record": None}}}
    assert paths == ["screen.record.values.title", "screen.record.values.record"]


Json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcde"), inner, max_size=4),
)


@given(Json)
def test_nothing_hidden_changes_nothing(value: Any) -> None:
    assert mask(value, "", lambda _: frozenset()) == (value, [])


@given(Json)
def test_hidden_names_never_come_out_and_the_original_stays(value: Any) -> None:
    before = repr(value)
    left, paths = mask(value, "data", lambda _: frozenset({"a", "b"}))
    assert repr(value) == before
    assert not _found(left, {"a", "b"})
    assert all(
        _at(left, path.split(".")[1:]) is None and _at(value, path.split(".")[1:]) is not None
        for path in paths
    )


def _found(value: Any, names: set[str]) -> bool:
    if isinstance(value, dict):
        return any((key in names and item is not None) or _found(item, names) for key, item in value.items())
    return isinstance(value, list) and any(_found(item, names) for item in value)


def _at(value: Any, path: list[str]) -> Any:
    for part in path:
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def test_tree_nests_names_and_tells_what_is_missing() -> None:
    sealed = {"values/email": "a", "values/a~1b": 1, "reason": "because", "values/~0": 2}
    assert tree(sealed, {"values/phone": "erased", "draft": "expired"}, "data") == (
        {"values": {"email": "a", "a/b": 1, "~": 2, "phone": None}, "reason": "because", "draft": None},
        ["data.draft", "data.values.phone"],
    )
