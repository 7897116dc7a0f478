"""A SELECT that somebody writes over databases of others: what writes, sleeps, locks, reads files or joins the world is refused or stopped.

Both doors are tried, the segment of a list and the SELECT of a workspace, on PostgreSQL, SQLite and MariaDB; afterwards the database is as it was.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from console.core.documents.collections import Collection
from console.core.errors import Malformed, TooSlow
from console.core.scopes import Scope, unrestricted
from console.records import KeySelect, catalogue, connect, sql_question, sql_segments
from tests.views.foreign import KINDS, Odd, connected, maria  # noqa: F401 (a fixture)

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.slow

ROWS = 60
MADE = [
    "create table thing (id int primary key, t varchar(40))",
    "create table secret (id int primary key, pin varchar(10))",
]
FILLED = [
    f"insert into thing values {', '.join(f'({number}, {chr(39)}row {number}{chr(39)})' for number in range(1, ROWS + 1))}",
    "insert into secret values (1, '0000')",
]
EVERYWHERE = """
delete from thing
update thing set t = ''
insert into thing values (99, 'x')
drop table thing
create table other as select id from thing
select id from thing; delete from thing
select id from thing;; drop table secret
select id from thing union select id from thing; select 1
select id from thing for update
select id, t into other from thing
with gone as (delete from thing returning id) select id from gone
select id from thing where id = ?
select id from thing where id = :id
select id from thing where sleep(9) = 0
select id from thing where pg_sleep(9) is null
select id from thing order by (select sleep(9))
select id from thing group by id having pg_sleep(9) is null
select id from thing where load_file('/etc/passwd') is not null
select id from thing where load_extension('x') is null
select id from thing where readfile('/etc/passwd') is null
select id from thing where pg_read_file('/etc/passwd') is null
select id from thing where lo_import('/etc/passwd') > 0
select id from thing where repeat('x', 2000000000) = ''
select id from thing where lpad('x', 2000000000, 'y') = ''
select id from thing where 'aaaa' regexp '(a+)+$'
select id from thing where version() = ''
select id from thing where secret.pin = '0000'
select id from information_schema.tables
select table_name as id from information_schema.tables
select id from elsewhere.thing
select id from there.elsewhere.thing
select 1 as id
values (1)
explain select id from thing
set x = 1
begin
"""
OWN = {
    "postgresql": """
select id from pg_catalog.pg_authid
select id from thing where set_config('x.y', 'z', false) = ''
select id from thing where pg_advisory_lock(1) is null
select id from thing where nextval('s') > 0
select id from thing where query_to_xml('delete from thing', true, true, '') is null
select id from thing where dblink('', 'delete from thing') is null
select id from thing where pg_terminate_backend(1)
select id from thing where 'thing'::regclass is null
select id from thing, generate_series(1, 1000000000)
select id from thing tablesample bernoulli (10), pg_ls_dir('/')
copy thing to program 'sh'
do $$ begin perform pg_sleep(9); end $$
""",
    "sqlite": """
attach '/tmp/x' as y
pragma query_only = off
select id from pragma_table_info('thing')
select id from sqlite_master
select id from thing where randomblob(1000000000) is null
select id from thing where zeroblob(1000000000) is null
select id from thing where printf('%.1000000000c', 'x') = ''
select id from thing where writefile('/tmp/x', 'y') > 0
vacuum into '/tmp/x'
""",
    "mysql": """
select id from thing into outfile '/tmp/x'
select id into dumpfile '/tmp/x' from thing
select id from thing into @x
select id into @x from thing
select @x := id as id from thing
select id from thing where (@x := 1) is not null
select id from thing where @@hostname = ''
select id from thing where benchmark(100000000, md5('a')) = 0
select id from thing where get_lock('handrail', 9)
select id from thing where release_all_locks() = 0
select id from thing where last_insert_id(99) = 99
select id from thing where extractvalue(1, concat(0x7e, version()))
select id from thing where updatexml(1, concat(0x7e, 'a'), 1)
select id from mysql.user
select id from thing lock in share mode
select /*+ SET_VAR(max_statement_time=0) */ id from thing
select id from thing procedure analyse()
handler thing open
do sleep(9)
call p()
execute immediate 'delete from thing'
prepare s from 'delete from thing'
load data infile '/etc/passwd' into table thing
lock tables thing write
kill 1
""",
}
HARMLESS = {
    "postgresql": [
        "select id from thing -- ; drop table thing",
        "select id from thing where t <> 'a''; drop table thing; --'",
    ],
    "sqlite": [
        "select id from thing /* ; drop table thing */",
        "select id from thing where t <> 'a''; drop table thing; --'",
    ],
    "mysql": [
        "select id from thing # ; drop table thing",
        "select id from thing where 1 = 1 /*! and sleep(9) */",
        "select id from thing where 1 = 1 /*M!100100 or sleep(9) */",
        "/*!50000 delete */ select id from thing",
        "select id from thing /*!50000 union select pin from secret */",
        r"select id from thing where t <> 'a\' or sleep(9) or \'b'",
        r"select id from thing where t <> '\\\' or sleep(9) -- '",
    ],
}
COMMENTS = (
    "What a comment hides is no part of the statement that is run, not even where the server would run it."
)


@pytest.fixture(params=KINDS)
def place(request: Any, pages: "Pages", tmp_path: Path) -> Iterator[Odd]:
    """A database of things that may be read, and of secrets that may not."""
    with connected(request, pages, tmp_path, "asked", [*MADE, *FILLED]) as found:
        yield found


def things_alone(collection: Collection) -> Scope | None:
    """What a reader sees who may browse one of the tables."""
    return unrestricted(collection.id) if collection.table == "thing" else None


def doors(place: Odd, text: str) -> Iterator[tuple[str, Any]]:
    """Both ways in: the name of the door, and what it says."""
    thing = catalogue.collection(f"{place.name}.thing")
    yield "segment", lambda: sql_segments.count(KeySelect(text, things_alone), thing, unrestricted(thing.id))
    yield "workspace", lambda: len(sql_question.ask(place.name, text, things_alone).rows)


def held(place: Odd) -> tuple[list[Any], list[str], list[str]]:
    """What is in the database: its rows, tables, and files beside it."""
    engine = sa.create_engine(connect.address(place.url))
    with engine.connect() as connection:
        rows = [
            tuple(row)
            for of in ("thing", "secret")
            for row in connection.exec_driver_sql(f"select * from {of} order by id")
        ]
        tables = sorted(sa.inspect(connection).get_table_names())
    engine.dispose()
    return rows, tables, [str(path) for path in Path("/tmp").glob("x")]


def test_what_is_no_plain_select_of_ones_own_tables_is_refused_and_changes_nothing(place: Odd) -> None:
    before = held(place)
    for text in (EVERYWHERE + OWN[place.kind]).strip().splitlines():
        for door, ask in doors(place, text):
            if text == "select id from thing; delete from thing":
                with pytest.raises(Malformed, match="nothing after it"):
                    ask()
                continue
            with pytest.raises(Malformed) as refused:
                pytest.fail(f"{door} answers {ask()} to {text}")
            assert refused.value.message
    assert held(place) == before


def test_what_a_comment_or_a_text_hides_is_not_run(place: Odd) -> None:
    before = held(place)
    for text in HARMLESS[place.kind]:
        for door, ask in doors(place, text):
            assert ask() == ROWS, (door, text, COMMENTS)
    assert held(place) == before


def test_a_select_that_joins_the_world_is_stopped_and_the_next_one_is_answered(
    place: Odd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_question, "SECONDS", 0.2)
    monkeypatch.setattr(sql_segments, "SECONDS", 0.2)
    crossed = ", ".join(f"thing t{number}" for number in range(1, 9))
    for world in (
        f"select t1.id from {crossed} where t1.id + t2.id + t3.id + t4.id + t5.id + t6.id + t7.id + t8.id = -1",
        f"select count(t1.id) as id from {crossed}",
    ):
        for door, ask in doors(place, world):
            with pytest.raises(TooSlow, match="too long"):
                ask()
            (again,) = [ask() for name, ask in doors(place, "select id from thing") if name == door]
            assert again == ROWS, "the limit was that statement's alone"


def test_a_text_that_doubles_itself_fills_no_memory(place: Odd) -> None:
    if place.kind == "mysql":
        doubled = "with recursive b as (select 1 as n, 'aaaaaaaaaa' as x union all select n + 1, concat(x, x) from b where n < 40)"
    else:
        doubled = "with recursive b as (select 1 as n, cast('aaaaaaaaaa' as text) as x union all select n + 1, x || x from b where n < 40)"
    text = f"{doubled} select id from thing where (select max(length(x)) from b) < 0"
    for door, ask in doors(place, text):
        try:
            assert ask() == 0, door  # cut at a length that nobody reads
        except (Malformed, TooSlow) as refused:
            assert "aaaa" not in str(refused), door  # noqa: PT017 (MariaDB and MySQL give a column that grows a fixed length, and refuse more)
        assert next(ask for name, ask in doors(place, "select id from thing") if name == door)() == ROWS, (
            "the connection serves on"
        )


GROWING = {
    "nested": "select id from ({}) z where a <> 0",
    "chained": "with {} select id from p24 where a <> 0",
    "wide": "select t1.id from {}",
    "padded": "select id from thing where length(cast(t as char(100000000))) = 1",
}


@pytest.mark.parametrize("way", GROWING)
def test_a_select_that_multiplies_itself_is_refused_before_a_database_has_to_think_about_it(
    place: Odd, way: str
) -> None:
    nested = "select id, id as a from thing"
    for _ in range(12):
        nested = f"select id, a.a + a.a + a.a + a.a as a from ({nested}) a"
    chained = [
        "p0 as (select id, id as a from thing)",
        *(f"p{n} as (select id, a + a as a from p{n - 1})" for n in range(1, 25)),
    ]
    written = {
        "nested": nested,
        "chained": ", ".join(chained),
        "wide": ", ".join(f"thing t{n}" for n in range(60)),
        "padded": "",
    }[way]
    for door, ask in doors(place, GROWING[way].format(written)):
        with pytest.raises(Malformed, match="too many times over|at most 40 tables|cannot be turned"):
            pytest.fail(f"{door}: {ask()}")


def test_a_report_in_layers_is_still_answered(place: Odd) -> None:
    layers = (
        "with a as (select id, id * 2 as x, id + 1 as y from thing), b as (select id, x * y as p, x - y as q, x + y + x as r from a),"
        " c as (select id, p + q + r as s, case when p > q then p - q else q - p end as d from b)"
        " select c.id from c join b on b.id = c.id where c.s + c.d > 0"
    )
    for door, ask in doors(place, layers):
        assert ask() == ROWS, door


def test_long_texts_are_not_all_fetched(place: Odd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_question, "MOST_LETTERS", 50)
    with pytest.raises(Malformed, match="choose fewer columns or rows"):
        sql_question.ask(place.name, "select id, t from thing", things_alone)
    assert len(sql_question.ask(place.name, "select id from thing", things_alone).rows) == ROWS


def test_a_reader_finds_the_same_by_every_spelling_of_a_table_and_never_another_table(place: Odd) -> None:
    quote = "`" if place.kind == "mysql" else '"'
    for name in ("thing", f"{quote}thing{quote}", f"{quote}{place.name}.thing{quote}"):
        for door, ask in doors(place, f"select x.id from {name} x where x.id <= 3"):
            assert ask() == 3, (door, name)
    for name in ("secret", f"{quote}secret{quote}", f"{quote}{place.name}.secret{quote}"):
        for text in (
            f"select id from {name}",
            f"select id from thing where id in (select id from {name})",
            f"select t.id from thing t left join {name} s on s.id = t.id",
            f"with thing as (select * from {name}) select id from thing",
            f"select id from (select id from thing union all select id from {name}) u",
        ):
            for door, ask in doors(place, text):
                with pytest.raises(Malformed, match="that you may read"):
                    ask()
                assert door
