"""Columns of MariaDB that are of another kind than the console knows: noticed by whoever reads the table, whether or not a value of them is read."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from console import records
from console.core import filters
from console.core.documents.collections import Collection
from console.core.errors import SourceChanged
from console.core.scopes import unrestricted
from console.records import mysql_types
from tests.records.files import connected
from tests.servers.mariadb import running

pytestmark = pytest.mark.lengthy

TYPES = (
    "tinyint",
    "tinyint(1)",
    "boolean",
    "smallint unsigned",
    "mediumint",
    "int",
    "int(4) zerofill",
    "bigint",
    "bigint unsigned",
    "year",
    "bit(1)",
    "bit(8)",
    "decimal(12, 2)",
    "float",
    "double",
    "real",
    "char(3)",
    "varchar(20)",
    "varchar(20) character set latin1",
    "tinytext",
    "text",
    "mediumtext",
    "longtext",
    "nvarchar(9)",
    "enum('a', 'b')",
    "set('a', 'b')",
    "date",
    "datetime",
    "datetime(6)",
    "timestamp null",
    "time",
    "json",
    "uuid",
    "inet6",
    "binary(4)",
    "varbinary(8)",
    "blob",
    "longblob",
    "point",
    "int generated always as (id * 2)",
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of MariaDB with a column of each type."""
    with running(tmp_path_factory.mktemp("maria")) as server:
        run(server, "create database kinds default charset utf8mb4")
        made = sa.make_url(server).set(database="kinds").render_as_string(hide_password=False)
        columns = ", ".join(f"c{at} {kind}" for at, kind in enumerate(TYPES))
        run(
            made,
            f"create table every (id int primary key, {columns})",
            "insert into every (id) values (1), (2)",
        )
        run(made, "create table due (id int primary key auto_increment, at datetime, said varchar(20))")
        run(made, "insert into due (at, said) select '2026-05-31 00:00:00', '2026-05-31' from seq_1_to_300")
        run(
            made,
            "create table thing (id int primary key, name varchar(20), size int)",
            "insert into thing values (1, 'Lamp', 9)",
        )
        yield made


def run(url: str, *statements: str) -> None:
    engine = sa.create_engine(url.replace("mysql:", "mysql+pymysql:"))
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def alarms(collection: Collection, times: int = 2) -> int:
    """How many of so many reads of the collection's names say that it has changed."""
    found = 0
    for _ in range(times):
        try:
            records.page(collection.id, unrestricted("x"), fields=["id"], where=filters.Test("id", "lt", 0))
        except SourceChanged:
            found += 1
    return found


def test_no_type_is_taken_for_another_and_each_is_noticed_once_where_it_is_one(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mysql_types, "EACH_S", 0)
    with connected(url) as found:
        assert [alarms(each) for each in found.values()] == [0, 0, 0]
        for at, kind in enumerate(TYPES):
            field, other = (
                found["every"].by_name[f"c{at}"],
                "date" if "text" in kind or "char" in kind or kind[:3] in ("enu", "set") else "text",
            )
            run(url, f"alter table every drop column c{at}, add column c{at} {other}")
            compared = mysql_types._kind(field.native) is not None
            assert alarms(found["every"]) == compared, kind
            run(url, f"alter table every drop column c{at}, add column c{at} {kind}")
            assert alarms(found["every"]) == 0


def test_a_text_that_is_read_as_days_is_none_of_another_kind(url: str) -> None:
    with connected(
        url, {"due": {"id": "due", "source": "file", "table": "due", "fields": {"said": {"type": "date"}}}}
    ) as found:
        assert [found["due"].by_name[name].stored for name in ("at", "said")] == ["date", "date"]
        assert alarms(found["due"]) == 0
