"""A source that restarts, is gone, or takes too long: what people are told, and that it is found again."""

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from console import records, sources
from console.core.errors import SourceDown
from console.core.scopes import unrestricted
from console.infra.postgres import Embedded
from console.records import catalogue, connect
from tests.records.shop import database_of

C = "shop.customer"


def test_a_restarted_database_is_found_again_and_one_that_is_gone_is_said(
    shop: Embedded, shop_url: str
) -> None:
    records.get(C, "1", unrestricted(C))
    shop.sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'handrail'")
    assert records.get(C, "1", unrestricted(C)).key == "1"
    shop.sql("alter table locked_out rename to gone", database=database_of(shop_url))
    with pytest.raises(SourceDown, match="no longer has this table"):
        records.page("shop.locked_out", unrestricted("x"))
    shop.sql("alter table gone rename to locked_out", database=database_of(shop_url))


def test_a_file_that_is_gone_is_said_and_not_made_anew(file: str) -> None:
    path = Path(file.removeprefix("sqlite:///"))
    assert records.get(C, "1", unrestricted(C)).key == "1"
    path.rename(path.with_suffix(".old"))
    with pytest.raises(
        SourceDown, match="not there"
    ):  # although the connection that is kept could still read it
        records.get(C, "1", unrestricted(C))
    assert not path.exists()
    assert connect.since("shop") is not None
    path.with_suffix(".old").rename(path)
    assert records.get(C, "1", unrestricted(C)).key == "1"
    assert connect.since("shop") is None


def test_a_file_that_was_put_in_place_of_another_is_the_one_that_is_read_and_written(file: str) -> None:
    path = Path(file.removeprefix("sqlite:///"))
    name = records.get(C, "1", unrestricted(C)).values["name"]
    shutil.copy(path, path.with_suffix(".new"))
    with contextlib.closing(sqlite3.connect(path.with_suffix(".new"))) as other:
        other.execute("update customer set name = 'Of the new file' where id = 1")
        other.commit()
    path.with_suffix(".new").rename(path)
    assert records.get(C, "1", unrestricted(C)).values["name"] == "Of the new file" != name
    with connect.transaction(catalogue.engine_of(records.collection(C)), "shop") as connection:
        connection.exec_driver_sql("update customer set name = 'Written' where id = 1")
        connection.commit()
    with contextlib.closing(sqlite3.connect(path)) as other:
        assert other.execute("select name from customer where id = 1").fetchone() == ("Written",)


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_a_slow_answer_is_cut_off_by_the_database(
    clean: object, shop_url: str, shop_file: str, kind: str
) -> None:
    sources.add("slow", shop_url if kind == "postgresql" else shop_file, terms=connect.Terms(statement_s=1))
    slow = (
        "select pg_sleep(20)"
        if kind == "postgresql"
        else "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    )
    collection = records.collection("slow.customer")
    with pytest.raises(SourceDown, match="took too long"):
        connect.read(
            catalogue.engine_of(collection), "slow", lambda connection: connection.exec_driver_sql(slow).all()
        )
    connect.dispose()
