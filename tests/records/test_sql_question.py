"""A SELECT of a workspace: reads only, only what its reader may see, within limits, and in words where it is refused."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from console.core import expressions
from console.core.documents.collections import Collection
from console.core.errors import Malformed, TooSlow
from console.core.scopes import Scope, unrestricted
from console.records import sql_question
from tests.tables import cases

Reach = Callable[[Collection], Scope | None]


def everything(collection: Collection) -> Scope | None:
    return unrestricted(collection.id)


def people_only(collection: Collection) -> Scope | None:
    """Customers that are persons, without their balance; nothing else."""
    if not collection.id.endswith("customer"):
        return None
    return replace(
        unrestricted(collection.id),
        everything=False,
        allow=(expressions.parse("record.kind == 'person'"),),
        hidden=frozenset({"balance"}),
    )


@pytest.mark.parametrize("source", ["shop", "file"])
def test_rows_and_fields_are_the_readers_own(shops: None, source: str) -> None:
    text = "select kind, count(*) as n from customer c where c.name is not null group by kind order by kind"
    whole_answer = sql_question.ask(source, text, everything)
    told = (
        {"company": "Company", "person": "Person"}
        if source == "shop"
        else {"company": "company", "person": "person"}
    )  # SQLite knows no options
    assert [row[0] for row in whole_answer.rows] == [told["company"], told["person"]]
    assert [row[0] for row in sql_question.ask(source, text, people_only).rows] == [told["person"]]
    nested = "with x as (select * from customer), y as (select kind from x) select distinct kind from y union select kind from (select * from customer) z"
    assert {row[0] for row in sql_question.ask(source, nested, people_only).rows} == {"person"}
    with pytest.raises(Malformed, match="balance"):
        sql_question.ask(source, "select sum(balance) from customer", people_only)
    with pytest.raises(Malformed, match="no table"):
        sql_question.ask(source, "select * from odd", people_only)
    with pytest.raises(Malformed, match="no table"):
        sql_question.ask(source, "select * from customer where exists (select 1 from keyless)", people_only)


@cases(
    "text",
    [
        "with odd as (select * from odd) select * from customer, odd",
        "with one as (select * from odd), odd as (select 1 as x) select * from customer, one",
        "select * from customer, (with odd as (select 1 as x) select * from odd) inner_one, odd",
        "with recursive one as (select * from odd union all select * from one), odd as (select 1 as x) select * from customer, one",
        "select name from customer where exists (with pg_authid as (select * from pg_authid) select 1 from pg_authid)",
    ],
)
def test_a_part_called_like_a_table_opens_no_table(shops: None, text: str) -> None:
    with pytest.raises(Malformed, match="no table"):
        sql_question.ask("shop", text, people_only)


@pytest.mark.parametrize("source", ["shop", "file"])
@cases(
    ("text", "rows"),
    [
        ("with customer as (select * from customer) select distinct kind from customer", [("person",)]),
        ("with Part as (select kind from customer) select distinct Part.kind from Part", [("person",)]),
        (
            "with a as (select kind as k from customer), b (x) as (select k from a) select distinct Q.x from b as Q",
            [("person",)],
        ),
        (
            "with recursive n as (select 1 as i union all select n.i + 1 from n where n.i < 3) select i from n, customer group by i order by i",
            [(1,), (2,), (3,)],
        ),
        (
            "select distinct lower(C.kind) from customer C where exists (with c2 as (select id from customer) select 1 from c2 where c2.id = C.id)",
            [("person",)],
        ),
    ],
)
def test_a_part_is_read_by_its_own_name(
    shops: None, source: str, text: str, rows: list[tuple[object, ...]]
) -> None:
    assert list(sql_question.ask(source, text, people_only).rows) == rows


@cases(
    "text",
    [
        "delete from customer",
        "update customer set name = 'x'",
        "drop table customer",
        "select 1; drop table customer",
        "insert into customer (name) values ('x')",
        "with gone as (delete from customer returning *) select * from gone",
        "select * into stolen from customer",
        "select * from customer for update",
        "select pg_sleep(20) from customer",
        "select pg_catalog.pg_sleep(20) from customer",
        "select pg_read_file('/etc/passwd') from customer",
        "select query_to_xml('select secret from customer', true, true, '') from customer",
        "select set_config('role', 'postgres', false) from customer",
        "select lo_import('/etc/passwd') from customer",
        "select dblink('x', 'y') from customer",
        "select current_setting('data_directory') from customer",
        "select 'customer'::regclass from customer",
        "select * from generate_series(1, 1000000000)",
        "select * from customer, pg_ls_dir('/')",
        "select * from pg_catalog.pg_authid",
        "select * from information_schema.tables",
        "select * from other.public.customer",
        "copy customer to '/tmp/x'",
        "copy customer to program 'sh'",
        "set role postgres",
        "begin",
        "explain analyze delete from customer",
        "do $$ begin perform pg_sleep(9); end $$",
        "call x()",
        "grant all on customer to public",
        "select",
        "",
        "select '",
        "select * from customer where name = :secret",
        "select 1",
    ],
)
def test_what_is_no_select_over_ones_own_tables_is_refused(shops: None, text: str) -> None:
    with pytest.raises(Malformed):
        sql_question.ask("shop", text, everything)


def test_values_are_bound_and_never_read_as_sql(shops: None) -> None:
    text = f"select name from customer where name = '{sql_question.MARK.format(0)}'"
    assert sql_question.ask("shop", text, everything, ["Ada Lovelace"]).rows == (("Ada Lovelace",),)
    for hostile in ("' or '1'='1", "x'; drop table customer; --", "%s", ":handrail_0", "\\"):
        assert sql_question.ask("shop", text, everything, [hostile]).rows == ()
    assert sql_question.ask(
        "shop", "select name from customer where name like '%Love%' and ':x' <> '::y'", everything
    ).rows


def test_a_select_that_joins_the_world_is_stopped_or_cut(
    shops: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_question, "MOST_ROWS", 3)
    answer = sql_question.ask("shop", "select a.id from customer a, customer b", everything)
    assert (len(answer.rows), answer.cut) == (3, True)
    monkeypatch.setattr(sql_question, "SECONDS", 0.15)
    crossed = ", ".join(f"customer c{number}" for number in range(14))
    with pytest.raises(TooSlow):
        sql_question.ask("shop", f"select count(*) from {crossed}", everything)
    assert sql_question.ask("shop", "select count(*) from customer", everything).rows, (
        "the connection is as it was"
    )
