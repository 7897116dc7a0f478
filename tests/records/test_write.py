"""Changing records: compare-and-set, every kind of value, every refusal at its field."""

import threading
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from console import records, sources
from console.core import expressions
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound, SourceDown
from console.core.scopes import Scope, unrestricted
from console.infra.postgres import Embedded
from console.records import catalogue, connect, connection_terms
from tests.records.shop import database_of

C = "own.customer"


@pytest.fixture
def own(clean: object, pg: Embedded, shop_url: str) -> Any:
    """A shop in PostgreSQL of this test alone."""
    template = database_of(shop_url)
    connect.dispose()
    pg.drop_database("own_shop")
    pg.sql(f"create database own_shop template {template} strategy file_copy")
    sources.add("own", pg.url("postgres", "own_shop"))
    yield pg
    connect.dispose()
    pg.drop_database("own_shop")


def one(key: str = "1", collection: str = C) -> dict[str, Any]:
    return records.get(collection, key, unrestricted(collection)).values


def set_(field: str, new: Any, key: str = "1", **old: Any) -> dict[str, Any]:
    return records.write(C, key, {field: {"new": new, **old}}, unrestricted(C)).values


def test_every_kind_of_value_is_written_and_read_back(own: Embedded) -> None:
    new = {
        "name": 'Ünï "q" \\ % 😀',
        "email": None,
        "mood": "on hold",
        "tags": ["x", "y z", 'q"', "{}"],
        "balance": "99999999.99",
        "ratio": "0.125",
        "visits": -32768,
        "vip": False,
        "born": "2026-02-28",
        "seen_at": "2026-01-02T03:04:05.123456Z",
        "opens": "23:59:59",
        "ref": "00000000-0000-0000-0000-000000000001",
        "home": "LI",
        "place": {"a": [1, 2.5, None, {"b": "ü"}]},
        "raw": [1],
        "shelf": "low",
        "short": "12345",
        "kind": "company",
    }
    before = one()
    after = records.write(
        C, "1", {name: {"old": before[name], "new": value} for name, value in new.items()}, unrestricted(C)
    )
    assert {name: after.values[name] for name in new} == new
    assert records.get(C, "1", unrestricted(C)) == after
    assert after.values["loud"] == 'ÜNÏ "Q" \\ % 😀'
    back = {name: {"old": value, "new": before[name]} for name, value in new.items()}
    assert records.write(C, "1", back, unrestricted(C)).values == before


def test_every_value_that_is_there_compares_equal_to_itself(own: Embedded) -> None:
    for key in ("1", "2", "3", "4"):
        before = one(key)
        editable = [
            field.name
            for field in records.collection(C).fields
            if not field.readonly and field.name not in {"ratio", "half", "born", "seen_at", "tags"}
        ]
        changes = {name: {"old": before[name], "new": before[name]} for name in editable}
        assert records.write(C, key, changes, unrestricted(C)).values == before


def test_another_spelling_of_the_old_value_is_the_old_value(own: Embedded) -> None:
    same: list[tuple[str, Any]] = [
        ("balance", "12.5"),
        ("balance", "12.500"),
        ("balance", 12.5),
        ("seen_at", "2026-01-02T04:04:05.678+01:00"),
    ]
    for field, old in [*same, ("ref", "6F1C3CBE-3C0F-4B52-8F1E-3C0F4B528F1E")]:
        before = one()[field]
        assert set_(field, before, old=old)[field] == before


def test_what_moved_is_a_conflict_that_shows_what_is_there(own: Embedded) -> None:
    before = one()
    changes: dict[str, dict[str, Any]] = {
        "name": {"old": "Another", "new": "New"},
        "visits": {"old": None, "new": 5},
        "mood": {"old": "open", "new": "closed"},
        "place": {"old": {}, "new": {}},
    }
    with pytest.raises(Conflict) as error:
        records.write(C, "1", changes, unrestricted(C))
    assert error.value.code == "record_changed"
    assert {detail["field"]: detail["theirs"] for detail in error.value.details} == {
        "name": "Ada Lovelace",
        "visits": 3,
        "place": {"n": 1.5, "city": "London"},
    }
    assert one() == before


def test_of_many_writers_who_saw_the_same_value_one_wins(own: Embedded) -> None:
    outcomes: list[str] = []

    def attempt(number: int) -> None:
        try:
            set_("visits", number, old=3)
            outcomes.append("won")
        except (Conflict, SourceDown) as error:
            outcomes.append(error.code)

    writers = [threading.Thread(target=attempt, args=(number,)) for number in range(100, 106)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(outcomes) == ["record_changed"] * 5 + ["won"]


UNFIT: list[tuple[str, Any, str]] = [
    ("name", None, "empty"),
    ("name", 5, "text"),
    ("name", "nul\x00", "NUL"),
    ("name", "\ud800", "NUL"),
    ("name", "x" * 1_000_001, "1000000"),
    ("short", "123456", "at most 5"),
    ("mood", "angry", "one of"),
    ("kind", "robot", "one of"),
    ("shelf", "middle", "one of"),
    ("visits", 32768, "between"),
    ("visits", "3.5", "whole"),
    ("visits", True, "number"),
    ("visits", "many", "number"),
    ("balance", "1.234", "decimals"),
    ("balance", "123456789.00", "too large"),
    ("balance", "NaN", "number"),
    ("vip", "yes", "true or false"),
    ("vip", 1, "true or false"),
    ("born", "2026-02-30", "day"),
    ("born", "2026-1-1", "day"),
    ("born", 5, "day"),
    ("seen_at", "yesterday", "moment"),
    ("opens", "25:00", "time"),
    ("ref", "x", "UUID"),
    ("home", "lower", "at most 2"),
    ("tags", "a", "list"),
    ("tags", [1], "text"),
    ("place", {"a": "\x00"}, "NUL"),
    ("place", {"a": float("nan")}, "JSON"),
    ("id", 5, "cannot be changed"),
    ("loud", "X", "cannot be changed"),
    ("wait", "P1D", "cannot be changed"),
    ("photo", "x", "cannot be changed"),
    ("nope", 1, "no field"),
]


def test_what_a_column_cannot_hold_is_said_at_its_field_and_nothing_is_written(own: Embedded) -> None:
    before = one()
    for field, new, says in UNFIT:
        with pytest.raises(Invalid) as error:
            records.write(
                C, "1", {field: {"new": new}, "email": {"new": "changed@x.example"}}, unrestricted(C)
            )
        assert [detail["field"] for detail in error.value.details] == [field], new
        assert says in error.value.details[0]["reason"], (field, new)
        assert one() == before


@pytest.mark.parametrize(
    ("changes", "hidden", "says"),
    [
        ({"email": None}, frozenset(), "Its rule: Vip is not yes or Email is not empty."),
        ({"email": None}, frozenset({"vip"}), "(rule vip_has_email)"),
        ({"home": "xx"}, frozenset(), "Its rule: Home is written as '^[A-Z]{2}$'."),
    ],
)
def test_rules_of_the_database_are_told_without_its_sql(
    own: Embedded, changes: dict[str, Any], hidden: frozenset[str], says: str
) -> None:
    with pytest.raises(Invalid) as error:
        records.write(
            C,
            "1",
            {name: {"new": new} for name, new in changes.items()},
            replace(unrestricted(C), hidden=hidden),
        )
    assert {detail["field"] for detail in error.value.details} == changes.keys()
    assert says in error.value.details[0]["reason"]
    assert "update" not in error.value.message.lower()


def test_a_trigger_of_the_users_may_refuse_in_its_own_words(own: Embedded) -> None:
    own.sql(
        "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'Closed on Mondays'; end $$; create trigger refuse before update on customer for each row execute function refuse()",
        database="own_shop",
    )
    with pytest.raises(Invalid, match="Closed on Mondays"):
        set_("visits", 4)


def test_the_scope_is_part_of_the_update(own: Embedded) -> None:
    closed = Scope(C, (expressions.parse("record.mood == 'closed'"),))
    with pytest.raises(NotFound):
        records.write(C, "1", {"visits": {"new": 9}}, closed)
    assert one()["visits"] == 3
    moved = records.write(C, "2", {"mood": {"new": "open"}}, closed)  # and it may lead out of the scope
    assert moved.values["mood"] == "open"
    with pytest.raises(NotFound):
        records.write(C, "2", {"visits": {"new": 9}}, closed)


def test_fields_of_the_scope(own: Embedded) -> None:
    given = Scope(C, everything=True, hidden=frozenset({"secret"}), fixed=frozenset({"visits"}))
    with pytest.raises(NotAllowed) as error:
        records.write(C, "1", {"visits": {"new": 9}}, given)
    assert error.value.need == (f"field:{C}/visits", "update")
    with pytest.raises(Invalid, match="nothing was changed"):
        records.write(C, "1", {"secret": {"new": "x"}}, given)
    assert "secret" not in records.write(C, "1", {"name": {"new": "N"}}, given).values


def test_composite_keys_are_written_and_keyless_collections_never(own: Embedded) -> None:
    row = records.page("own.order", unrestricted("x")).rows[4]
    changed = records.write(
        "own.order",
        str(row.key),
        {"100%": {"old": row.values["100%"], "new": 7}, "über Name": {"new": "x"}},
        unrestricted("x"),
    )
    assert (changed.key, changed.values["100%"], changed.values["über Name"]) == (row.key, 7, "x")
    assert sum(item.values["100%"] == 7 for item in records.page("own.order", unrestricted("x")).rows) == 1
    for collection in ("own.keyless", "own.summary"):
        with pytest.raises((NotFound, Invalid)):
            records.write(collection, "1", {"a": {"new": 1}}, unrestricted("x"))


def test_a_locked_record_is_told_and_a_lost_connection_found_again(
    own: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_terms, "LOCK_S", 1)
    connect.dispose()
    engine = sa.create_engine(
        own.url("postgres", "own_shop").replace("postgresql://", "postgresql+psycopg://"),
        poolclass=sa.NullPool,
    )
    with engine.begin() as other:
        other.exec_driver_sql("update customer set visits = 4 where id = 1")
        with pytest.raises(SourceDown, match="locked"):
            set_("visits", 5)
        other.rollback()
    own.sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'handrail'")
    assert set_("visits", 6, old=3)["visits"] == 6


def test_a_connection_that_dies_in_the_commit_leaves_it_open(own: Embedded) -> None:
    engine = catalogue.engine_of(records.collection(C))

    def cut(connection: Any) -> None:
        pid = connection.connection.driver_connection.info.backend_pid
        own.sql(f"select pg_terminate_backend({pid})")

    sa.event.listen(engine, "commit", cut)
    with pytest.raises(records.WriteUnknown) as error:
        set_("visits", 7)
    assert (error.value.code, error.value.status) == ("write_unknown", 503)
    sa.event.remove(engine, "commit", cut)
    assert one()["visits"] == 3


@pytest.mark.parametrize(
    ("field", "new", "stored"),
    [
        ("name", "Zoë", "Zoë"),
        ("balance", "12.75", "12.75"),
        ("visits", 8, 8),
        ("vip", False, False),
        ("born", "2026-02-28", "2026-02-28"),
        ("seen_at", "2026-06-01T10:00:00Z", "2026-06-01T10:00:00Z"),
        ("place", {"a": 1}, {"a": 1}),
        ("email", None, None),
    ],
)
def test_sqlite_is_written_in_the_spelling_that_it_has(
    clean: object, shop_file: str, field: str, new: Any, stored: Any
) -> None:
    sources.add("own", shop_file)
    before = one()
    assert (
        records.write(C, "1", {field: {"old": before[field], "new": new}}, unrestricted(C)).values[field]
        == stored
    )
    with pytest.raises(Conflict):
        records.write(C, "1", {field: {"old": before[field], "new": new}}, unrestricted(C))
    with connect.transaction(catalogue.engine_of(records.collection(C)), "own") as connection:
        raw = connection.exec_driver_sql(f"select {field} from customer where id = 1").scalar()
    if field == "seen_at":
        assert raw == "2026-06-01T10:00:00Z"


def test_sqlite_tells_its_rules(clean: object, shop_file: str) -> None:
    sources.add("own", shop_file)
    with pytest.raises(Invalid) as error:
        records.write(C, "1", {"kind": {"new": "far too long"}}, unrestricted(C))
    assert error.value.details[0]["field"] == "kind"
    with pytest.raises(Invalid):
        records.write(C, "1", {"mood": {"new": "angry"}}, unrestricted(C))
