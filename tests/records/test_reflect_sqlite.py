"""What reflection makes of SQLite files as people leave them: odd names, odd types, no keys, lists in checks; all of it can be listed."""

from pathlib import Path
from typing import Any

import pytest

from console import records
from console.core.documents.collections import Collection
from console.core.scopes import unrestricted
from console.records.values import written
from tests.records.files import assembled, opened, structures
from tests.tables import cases


def field(folder: Path, declared: str, name: str = "f") -> Any:
    """The field that a column so declared becomes, in a table with a key of its own."""
    found = assembled(folder, f"create table t (id integer primary key, {declared})")["t"].field(name)
    assert found is not None
    return found


# ------------------------------------------------------------------------------------------------------ types of columns


def test_a_column_called_as_a_truth_value_is_one_where_it_holds_nothing_but_0_and_1(tmp_path: Path) -> None:
    made = assembled(
        tmp_path,
        "create table t (id integer primary key, is_active integer, IsNew, has_paid tinyint not null, is_level int, is_empty int, island int, paid int);"
        "insert into t values (1, 1, 0, 1, 2, null, 1, 7), (2, 0, 1, 0, 0, null, 0, 0)",
    )["t"]
    kinds = {item.name: item.type for item in made.fields}
    assert {name for name, kind in kinds.items() if kind == "boolean"} == {"is_active", "IsNew", "has_paid"}


@pytest.mark.parametrize(
    ("newest", "stored"), [("2026-05-09 00:00:00", "date"), ("2026-05-09 14:30:00", "datetime")]
)
def test_moments_are_days_unless_the_newest_have_a_time(tmp_path: Path, newest: str, stored: str) -> None:
    rows = "insert into t with r(n) as (select 1 union all select n + 1 from r where n < 300) select n, '2026-05-01 00:00:00' from r"
    made = assembled(
        tmp_path,
        f"create table t (id integer primary key, due datetime);{rows};insert into t values (301, '{newest}')",
    )
    assert (due := made["t"].by_name["due"]).stored == stored
    assert stored != "date" or written("sqlite", due, "2026-01-31") == "2026-01-31 00:00:00", (
        "a day that is kept as a midnight stays one"
    )


@pytest.mark.parametrize(
    ("declared", "stored"),
    [
        ("int", "integer"),
        ("INTEGER", "integer"),
        ("bigint unsigned", "integer"),
        ("tinyint(1)", "integer"),
        ("boolean", "boolean"),
        ("bool", "boolean"),
        ("text", "text"),
        ("varchar(20)", "text"),
        ("native character(70)", "text"),
        ("clob", "text"),
        ("string", "text"),
        ("real", "decimal"),
        ("double precision", "decimal"),
        ("float", "decimal"),
        ("numeric(10, 2)", "decimal"),
        ("decimal", "decimal"),
        ("money", "decimal"),
        ("currency", "decimal"),
        ("memo", "text"),
        ("any", "text"),
        ("date", "date"),
        ("datetime", "datetime"),
        ("timestamp", "datetime"),
        ("timestamp with time zone", "datetime"),
        ("time", "time"),
        ("json", "json"),
        ("jsonb", "json"),
        ("uuid", "uuid"),
        ("guid", "uuid"),
        ("blob", "binary"),
        ("geometry", "other"),
        ("", "text"),
    ],
)
def test_a_declared_type_says_how_a_column_is_kept(tmp_path: Path, declared: str, stored: str) -> None:
    assert field(tmp_path, f"f {declared}").stored == stored


@pytest.mark.parametrize(
    ("declared", "values", "stored"),
    [
        ("text", ["'2026-01-31'", "'1999-12-31'", "null"], "date"),
        ("text", ["'2026-01-31'", "'soon'"], "text"),
        ("text", ["'2026-02-30'"], "text"),
        ("text", ["'2026-01-31 10:00:00'", "'2026-01-31T10:00:00Z'"], "datetime"),
        ("text", ["'2026-01-31'", "'2026-01-31 10:00:00'"], "text"),
        ("text", ["''"], "text"),
        ("text", ["5"], "text"),
        ("text", ["x'00ff'"], "text"),
        ("", ["1", "2", "null"], "integer"),
        ("", ["1", "2.5"], "decimal"),
        ("", ["'a'", "'b'"], "text"),
        ("", ["'2026-01-31'"], "date"),
        ("", ["1", "'a'"], "text"),
        ("", ["x'00'"], "other"),
        ("", ["null"], "text"),
        ("int", ["'many'"], "integer"),
        ("date", ["'soon'"], "date"),
    ],
)
def test_what_a_column_holds_has_a_say_where_its_type_says_little(
    tmp_path: Path, declared: str, values: list[str], stored: str
) -> None:
    rows = ", ".join(f"({value})" for value in values)
    found = structures(tmp_path, f"create table t (f {declared}); insert into t values {rows}")["t"]
    assert found["columns"][0]["stored"] == stored


@pytest.mark.parametrize(
    ("declared", "limits"),
    [
        ("varchar(20)", {"max_length": 20}),
        ("nvarchar (7)", {"max_length": 7}),
        ("numeric (10, 2)", {"precision": 10, "scale": 2}),
        ("character varying(9)", {"max_length": 9}),
        ("text", {}),
        ("decimal( 10 , 2 )", {"precision": 10, "scale": 2}),
        ("numeric(10,2)", {"precision": 10, "scale": 2}),
        ("decimal(8)", {"precision": 8, "scale": 0}),
        ("numeric", {}),
        ("real", {}),
    ],
)
def test_the_limits_of_a_type(tmp_path: Path, declared: str, limits: dict[str, int]) -> None:
    column = structures(tmp_path, f"create table t (f {declared})")["t"]["columns"][0]
    assert {name: column[name] for name in ("max_length", "precision", "scale") if name in column} == limits


# ------------------------------------------------------------------------------------------------- lists of what may be


@pytest.mark.parametrize(
    "declared",
    [
        "f text check (f in ('open', 'on hold'))",
        "f text CHECK(f IN('open','on hold'))",
        "f text check ( f  in  ( 'open' , 'on hold' ) )",
        "f text check (\"f\" in ('open', 'on hold'))",
        "f text check (`f` in ('open', 'on hold'))",
        "f text check ([f] in ('open', 'on hold'))",
        "f text check (F in ('open', 'on hold'))",
        "f text not null default 'open' check (f in ('open', 'on hold'))",
        "f text check (f is null or f in ('open', 'on hold'))",
        "f varchar(10) constraint known check (f in (\n  'open',\n  'on hold'\n))",
        "f text, check (f in ('open', 'on hold'))",
        "f text, g int, constraint known check (g > 0 and f in ('open', 'on hold'))",
    ],
)
def test_a_check_of_texts_is_the_options_of_the_field(tmp_path: Path, declared: str) -> None:
    found = field(tmp_path, declared)
    assert found.type == "enum"
    assert [option.to_json() for option in found.options] == [
        {"value": "open", "label": "Open"},
        {"value": "on hold", "label": "On hold"},
    ]


@cases(
    ("value", "stored"),
    [
        ("'a note'", "text"),
        ("12", "integer"),
        ("1.5", "decimal"),
        ("'2026-05-01'", "date"),
        ("x'00'", "other"),
    ],
)
def test_a_type_of_somebodys_own_is_what_its_values_are(tmp_path: Path, value: str, stored: str) -> None:
    made = assembled(
        tmp_path, f"create table t (id integer primary key, f LEGACYTYPE); insert into t values (1, {value})"
    )
    assert made["t"].by_name["f"].stored == stored


# ----------------------------------------------------------------------------------------------------------- odd tables

HOSTILE_NAMES = [
    "select",
    "order",
    "from",
    "table",
    "with blank",
    'quo"te',
    "it's",
    "dot.ted",
    "semi;colon",
    "per%cent",
    "colon:name",
    "back`tick",
    "[brackets]",
    "dash-ed",
    "slash/ed",
    "{{ braces }}",
    "<b>bold</b>",
    "ünï",
    "שלום",
    "😀",
    "1st",
    "x" * 120,
    "_hidden",
    "rowid",
    "1=1 --",
]


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=ascii)
def test_a_table_and_a_column_of_any_name_can_be_listed_sorted_searched_and_read(
    tmp_path: Path, name: str
) -> None:
    script = f"create table {quoted(name)} (id integer primary key, {quoted(name)} text); insert into {quoted(name)} values (1, 'b'), (2, 'a')"
    with opened(tmp_path, script):
        assert [row.values[name] for row in records.page(name, unrestricted(name), sort=name).rows] == [
            "a",
            "b",
        ]
        first = records.page(name, unrestricted(name), sort=f"-{name}", limit=1)
        assert [
            row.key
            for row in records.page(name, unrestricted(name), sort=f"-{name}", limit=1, after=first.next).rows
        ] == ["2"]
        assert [row.key for row in records.page(name, unrestricted(name), q="B").rows] == ["1"]
        assert records.get(name, "1", unrestricted(name)).values == {"id": 1, name: "b"}
        assert records.count(name, unrestricted(name)) == 2


ODD = """
create table keyless (a int, b text);
create table composite (b text, a int, n text, primary key (a, b));
create table without_rowid (k text primary key, n int) without rowid;
create table strict_one (id integer primary key, n int not null, t text, x any, r real) strict;
create table autonumbered (id integer primary key autoincrement, n int);
create table computed (id integer primary key, n int, twice int generated always as (n * 2) virtual, thrice int as (n * 3) stored);
create table empty_one (id integer primary key);
create table nulls (id int primary key, a text not null, b text);
create view seen as select id, n, n * 2 as doubled, 'x' as letter from computed;
create temp table passing (id integer primary key);
create virtual table words using fts5(body);
insert into keyless values (1, 'a'), (1, 'a'), (2, null);
insert into composite values ('x', 1, 'one'), ('x', 2, 'two');
insert into without_rowid values ('a', 1);
insert into strict_one values (1, 1, 'a', 'any', 1.5);
insert into computed (id, n) values (1, 5);
insert into words values ('hello there');
create index plain on computed (n);
create trigger t after insert on computed begin select 1; end;
"""


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Collection]:
    """Tables of every sort that SQLite has."""
    return assembled(tmp_path_factory.mktemp("odd"), ODD)


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("keyless", ()),
        ("composite", ("a", "b")),
        ("without_rowid", ("k",)),
        ("strict_one", ("id",)),
        ("autonumbered", ("id",)),
        ("computed", ("id",)),
        ("empty_one", ("id",)),
        ("seen", ()),
    ],
)
def test_the_key_of_a_table(odd: dict[str, Collection], table: str, key: tuple[str, ...]) -> None:
    assert odd[table].key == key


@pytest.mark.parametrize(
    ("table", "readonly"),
    [
        ("keyless", {"a", "b"}),
        ("composite", {"a", "b"}),
        ("computed", {"id", "twice", "thrice"}),
        ("seen", {"id", "n", "doubled", "letter"}),
        ("strict_one", {"id"}),
        ("without_rowid", {"k"}),
    ],
)
def test_what_cannot_be_written_is_read_only(
    odd: dict[str, Collection], table: str, readonly: set[str]
) -> None:
    assert {item.name for item in odd[table].fields if item.readonly} == readonly


@pytest.mark.parametrize(
    ("table", "nullable"),
    [("nulls", {"b"}), ("strict_one", {"t", "x", "r"}), ("composite", {"n"}), ("keyless", {"a", "b"})],
)
def test_what_may_be_empty(odd: dict[str, Collection], table: str, nullable: set[str]) -> None:
    assert {item.name for item in odd[table].fields if item.nullable} == nullable


def test_a_generated_column_is_read_and_sorted_by(tmp_path: Path) -> None:
    script = "create table t (id integer primary key, n int, minus int as (-n)); insert into t (id, n) values (1, 1), (2, 2), (3, 3)"
    with opened(tmp_path, script):
        assert [
            (row.key, row.values["minus"]) for row in records.page("t", unrestricted("t"), sort="minus").rows
        ] == [
            ("3", -3),
            ("2", -2),
            ("1", -1),
        ]


# --------------------------------------------------------------------------------------------------------- foreign keys

LINKS = """
create table country (code text primary key, name text);
create table person (id integer primary key, country text references country, boss integer references person(id), name text);
create table visit (person integer, day date, note text, primary key (person, day), foreign key (person) references person);
create table receipt (id integer primary key, person integer, day date, foreign key (person, day) references visit (person, day));
create table stray (id integer primary key, gone integer references nowhere(id), half integer references visit);
insert into country values ('DE', 'Germany');
insert into person values (1, 'DE', null, 'Ada'), (2, 'DE', 1, 'Bo'), (3, null, 1, 'Cy');
insert into visit values (1, '2026-01-31', 'x'), (2, '2026-01-31', 'y');
insert into receipt values (1, 1, '2026-01-31'), (2, 1, '2026-01-31'), (3, 2, '2026-01-31');
"""


@pytest.mark.parametrize(
    ("table", "relations"),
    [
        ("country", [("person", "person", "to_many", (("code", "country"),))]),
        (
            "visit",
            [
                ("person", "person", "to_one", (("person", "id"),)),
                ("receipt", "receipt", "to_many", (("person", "person"), ("day", "day"))),
            ],
        ),
        ("receipt", [("visit", "visit", "to_one", (("person", "person"), ("day", "day")))]),
        ("stray", []),
        (
            "person",
            [
                ("boss", "person", "to_one", (("boss", "id"),)),
                ("country", "country", "to_one", (("country", "code"),)),
                ("person", "person", "to_many", (("id", "boss"),)),
                ("visit", "visit", "to_many", (("id", "person"),)),
            ],
        ),
    ],
)
def test_foreign_keys_are_relations_both_ways(tmp_path: Path, table: str, relations: list[Any]) -> None:
    found = assembled(tmp_path, LINKS)[table].relations
    assert [(item.name, item.collection, item.kind, item.columns) for item in found] == relations


def test_columns_that_hold_a_whole_key_are_a_reference(tmp_path: Path) -> None:
    made = assembled(tmp_path, LINKS)
    found = {
        (name, item.name): item.references
        for name, collection in made.items()
        for item in collection.fields
        if item.references
    }
    assert found == {
        ("person", "country"): "country",
        ("person", "boss"): "person",
        ("visit", "person"): "person",
        ("receipt", "day_record"): "visit",
    }
