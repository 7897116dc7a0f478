"""The same questions to three databases as nobody would make them: everything lists, pages, sorts, shows and is written back as it was."""

import contextlib
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from console import records, sources
from console.core.documents.collections import Collection
from console.core.errors import ConsoleError, DefinitionError, Invalid, Malformed, SourceDown
from console.core.expressions.operands import Spelled
from console.core.filters import Test as Condition
from console.core.scopes import unrestricted
from console.infra.postgres import Embedded
from console.records import connect
from tests.conftest import lent
from tests.databases import Server
from tests.servers import mariadb

pytestmark = pytest.mark.slow

DIALECTS = ("postgresql", "mysql", "sqlite")
SQL = Path(__file__).parent / "hostile_sql"
WIDE = 299
WITHOUT_ROWS = {"empty_one", "broken"}
NO_PAGE = records.Page([], None, None)


def script(name: str) -> str:
    """The text of a file of SQL."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def databases(
    pg: Embedded, server: Server, template: str, suite_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, list[Collection]]]:
    """The collections of all three, by dialect."""
    folder = tmp_path_factory.mktemp("hostile")
    wide = ", ".join(f"c{number} text" for number in range(WIDE))
    pg.drop_database("hostile")
    pg.sql("create database hostile")
    pg.sql(
        script("postgresql")
        + f"create table wide (id int primary key, {wide}); insert into wide (id, c7) values (1, 'x');",
        database="hostile",
    )
    pg.sql("drop role if exists hostile")
    pg.sql(script("grants"), database="hostile")
    with sqlite3.connect(folder / "hostile.db") as connection:
        connection.executescript(
            script("sqlite")
            + f"create table wide (id integer primary key, {wide}); insert into wide (id, c7) values (1, 'x');"
        )
    connection.close()
    with lent(pg, server, "hostile_console", suite_folder, of=template), mariadb.running(folder) as maria:
        engine = sa.create_engine(connect.address(f"{maria.replace('?', '/mysql?', 1)}"))
        with engine.begin() as opened:
            connection_ = opened.execution_options(no_parameters=True)
            connection_.exec_driver_sql("create or replace database hostile character set utf8mb4")
            connection_.exec_driver_sql("use hostile")
            for statement in [
                *re.split(r";\s+(?=create|insert|set|drop)", script("mysql").strip().removesuffix(";")),
                f"create table wide (id int primary key, {wide})",
                "insert into wide (id, c7) values (1, 'x')",
            ]:
                connection_.exec_driver_sql(statement)
        engine.dispose()
        as_owner = make_url(pg.url("postgres", "hostile"))
        urls = {
            "postgresql": as_owner.set(username="hostile", password="h").render_as_string(
                hide_password=False
            ),
            "mysql": maria.replace("?", "/hostile?", 1),
            "sqlite": f"sqlite:///{folder}/hostile.db",
        }
        yield {dialect: sources.add(dialect, url, "operator") for dialect, url in urls.items()}
        connect.dispose()
    pg.drop_database("hostile")
    pg.sql("drop role hostile")


@pytest.fixture(params=DIALECTS)
def found(request: pytest.FixtureRequest, databases: dict[str, list[Collection]]) -> list[Collection]:
    """Those of one dialect."""
    return databases[request.param]


def rows(collection: Collection, **more: object) -> list[records.Record]:
    return records.page(collection.id, unrestricted(collection.id), **more).rows  # type: ignore[arg-type]


class Wrong(list[tuple[object, ...]]):
    """What went wrong, all of it: one run shows everything."""

    @contextmanager
    def about(self, *what: object) -> Iterator[None]:
        try:
            yield
        except (AssertionError, ConsoleError, ValueError, TypeError) as error:
            self.append((*what, type(error).__name__, str(error)[:300]))


def broken(collection: Collection) -> bool:
    return collection.table == "broken"


def test_everything_that_may_be_read_is_there_once(databases: dict[str, list[Collection]]) -> None:
    named = {
        dialect: {item.id.removeprefix(f"{dialect}.") for item in made} for dialect, made in databases.items()
    }
    assert {
        "order",
        "user",
        "select",
        "with_space",
        "quo_te",
        "apo_strophe",
        "sl_ash",
        "per_cent",
        "Strasse_Unicode_u8868",
    } <= named["postgresql"]
    assert {
        "customer",
        "back.customer",
        "Odd_Schema.customer",
        "Odd_Schema.line_item",
        "MixedCase",
        "mixedcase",
        "a.b.c",
        "a.b.c_2",
    } <= named["postgresql"]
    assert {"part", "no_key", "changeable", "stored_view", "half_open", "nothing"} <= named["postgresql"]
    assert not {"part_1", "part_2", "forbidden", "closed.inside"} & named["postgresql"]
    assert {"order", "user", "with_space", "per_cent", "zeros", "old_engine", "no_key"} <= named["mysql"]
    assert {"untyped", "rowidless", "strict_one", "words", "boxes", "null_key", "sl_ash"} <= named["sqlite"]
    for made in databases.values():
        assert len({(item.schema, item.table) for item in made}) == len(made)


def test_every_list_answers_in_json_or_says_why_not(found: list[Collection]) -> None:
    wrong = Wrong()
    for collection in found:
        with wrong.about(collection.id):
            if broken(collection):
                with pytest.raises(SourceDown):
                    rows(collection)
                continue
            listed = rows(collection)
            json.dumps([record.to_json() for record in listed], allow_nan=False)
            assert bool(listed) is (collection.table not in WITHOUT_ROWS)
            assert records.count(collection.id, unrestricted(collection.id), None, None, None) == len(listed)
    assert not wrong, "\n".join(map(str, wrong))


def test_pages_of_one_row_hold_each_row_once_in_every_order(found: list[Collection]) -> None:
    wrong = Wrong()
    for collection in [one for one in found if one.table in {"kinds", "id_key"}]:
        for sort in [
            sign + field.name for field in collection.fields if field.sortable for sign in ("", "-")
        ]:
            with wrong.about(collection.id, sort):
                wanted = [str(record.key) for record in rows(collection, sort=sort)]
                seen: list[str] = []
                page = records.page(collection.id, unrestricted(collection.id), limit=1, sort=sort)
                while page.rows and len(seen) <= len(wanted):
                    seen += [str(record.key) for record in page.rows]
                    page = (
                        records.page(
                            collection.id, unrestricted(collection.id), limit=1, sort=sort, after=page.next
                        )
                        if page.next
                        else NO_PAGE
                    )
                assert seen == wanted
                backwards = records.page(
                    collection.id,
                    unrestricted(collection.id),
                    limit=len(seen),
                    sort=sort,
                    before=cursor_of_last(collection, sort),
                )
                assert [record.key for record in backwards.rows] == wanted[:-1]
    assert not wrong, "\n".join(map(str, wrong))


def cursor_of_last(collection: Collection, sort: str) -> str | None:
    """The cursor from which everything but the last row is behind."""
    first = records.page(
        collection.id, unrestricted(collection.id), limit=len(rows(collection)) - 1, sort=sort
    )
    return records.page(
        collection.id, unrestricted(collection.id), limit=1, sort=sort, after=first.next
    ).previous


SHOWN: dict[str, dict[str, list[object]]] = {
    "postgresql": {
        "iv": ["1 year 1 month", "-1 day"],
        "rg": ["from 2020-01-01", "none"],
        "js": [{"n": "0.12345678901234567890", "m": 1.5}, [10**400]],
    },
    "mysql": {
        "t": ["838:59:59", "-838:59:59"],
        "b": [True, False],
        "bits": ["000000001", "101010101"],
        "y": [1999, 2155],
    },
    "sqlite": {"n": ["1.50", "12.00"]},
}


def test_values_are_shown_as_their_database_has_them(found: list[Collection]) -> None:
    collection = next(one for one in found if one.table == "kinds")
    first = sorted(rows(collection), key=lambda record: str(record.key))[:2]
    shown = {name: [record.values[name] for record in first] for name in SHOWN[collection.dialect]}
    assert shown == SHOWN[collection.dialect]


def test_json_is_not_written_back_with_fewer_digits(databases: dict[str, list[Collection]]) -> None:
    kinds = next(one for one in databases["postgresql"] if one.table == "kinds")
    first, _, third = rows(kinds)[:3]
    with pytest.raises(Invalid) as error:
        records.write(
            kinds.id,
            str(first.key),
            {"js": {"old": first.values["js"], "new": {"m": 2}}},
            unrestricted(kinds.id),
        )
    assert "more digits" in error.value.details[0]["reason"]
    with pytest.raises(Invalid):
        records.write(
            kinds.id,
            str(third.key),
            {"js": {"old": third.values["js"], "new": [Spelled("0.12345678901234567890")]}},
            unrestricted(kinds.id),
        )
    sent = {"big": third.values["js"]["big"], "dec": [Spelled("0.10"), "0.10"]}
    after = records.write(
        kinds.id, str(third.key), {"js": {"old": third.values["js"], "new": sent}}, unrestricted(kinds.id)
    )
    assert after.values["js"] == {"big": 12345678901234567890123, "dec": [0.1, "0.10"]}
    after = records.write(
        kinds.id, str(third.key), {"js": {"old": sent, "new": third.values["js"]}}, unrestricted(kinds.id)
    )
    assert after.values["js"] == {"big": 12345678901234567890123}


def test_a_record_is_known_by_its_bytes(databases: dict[str, list[Collection]]) -> None:
    known = next(one for one in databases["mysql"] if one.table == "id_key")
    first, second = rows(known)
    assert (first.key, second.values["boss"]) == ("00112233445566778899aabbccddeeff", first.key)
    led = records.related(known.id, str(second.key), known.relations[0].name, unrestricted(known.id)).rows
    assert [record.key for record in led] == [first.key]


def test_every_record_with_a_key_is_found_by_it_alone(found: list[Collection]) -> None:
    wrong = Wrong()
    for collection in found:
        for record in [] if broken(collection) else rows(collection):
            with wrong.about(collection.id, record.key):
                if record.key is not None:
                    again = records.get(collection.id, record.key, unrestricted(collection.id))
                    assert (again.key, again.values, bool(again.title)) == (record.key, record.values, True)
        assert collection.key or all(field.readonly for field in collection.fields), collection.id
    assert not wrong, "\n".join(map(str, wrong))


def test_every_sort_filter_and_search_answers(found: list[Collection]) -> None:
    wrong = Wrong()
    for collection in found:
        if broken(collection):
            continue
        listed = rows(collection)
        for field in collection.fields if collection.table != "wide" else collection.fields[:3]:
            for sort in (field.name, f"-{field.name}") if field.sortable else ():
                with wrong.about(collection.id, sort):
                    assert len(rows(collection, sort=sort)) == len(listed)
            for value in dict.fromkeys(json.dumps(record.values[field.name]) for record in listed[:2]):
                given = json.loads(value)
                with (
                    wrong.about(collection.id, field.name, given),
                    contextlib.suppress(Malformed, Invalid, DefinitionError),
                ):
                    rows(
                        collection,
                        where=Condition(field.name, "is_null", True)
                        if given is None
                        else Condition(field.name, "eq", given),
                    )
            if (
                field.stored == "text" and field.pair is None
            ):  # what several columns lead to is filtered by the key, of whatever type
                with wrong.about(collection.id, field.name, "letters"):
                    rows(collection, where=Condition(field.name, "eq", "😀ä"))
        for text in (
            "a",
            "1",
            "%",
            "_",
            "'",
            '"',
            "\\",
            "ä",
            "2020-01-01",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "😀",
        ):
            with wrong.about(collection.id, "search", text):
                rows(collection, q=text)
    assert not wrong, "\n".join(map(str, wrong))


def test_what_may_be_changed_is_written_back_as_it_was(found: list[Collection]) -> None:
    wrong = Wrong()
    for collection in found:
        for record in [] if broken(collection) or collection.table == "wide" else rows(collection)[:2]:
            for field in collection.fields if record.key else ():
                value = record.values[field.name]
                unfit = contextlib.suppress(
                    Invalid, *([SourceDown] if collection.table == "to_nowhere" else [])
                )
                with (
                    wrong.about(collection.id, field.name, field.native, value),
                    unfit,
                ):  # `infinity` is shown, and refused in words
                    if not field.readonly:
                        after = records.write(
                            collection.id,
                            str(record.key),
                            {field.name: {"old": value, "new": value}},
                            unrestricted(collection.id),
                        )
                        assert after.values == record.values
    assert not wrong, "\n".join(map(str, wrong))
