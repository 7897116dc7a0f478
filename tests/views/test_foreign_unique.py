"""Tables without a primary key whose rows a unique index tells apart, in each kind of database."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from console import records
from console.core.scopes import unrestricted
from tests.views.foreign import KINDS, Odd, connected, maria  # noqa: F401 (a fixture)

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.slow


@pytest.fixture(params=KINDS)
def keyless(request: Any, pages: "Pages", tmp_path: Path) -> Iterator[Odd]:
    """No table has a primary key."""
    made = [
        "create table thing (area int not null, spot int not null, code varchar(20) not null, label varchar(20), unique (area, spot), unique (code))",
        "create table pair (area int not null, spot int not null, note varchar(9), unique (area, spot))",
        "create table loose (code varchar(20) unique, label varchar(20))",
        "create table plain (code varchar(20) not null, label varchar(20))",
        "insert into thing values (1, 1, 'A/1', 'First'), (1, 2, '', 'Second')",
        "insert into pair values (1, 2, 'n')",
    ]
    if request.param == "postgresql":
        made += [
            "create table part (code varchar(20) not null)",
            "create unique index on part (code) where code <> 'x'",
        ]
        made += ["create table low (code varchar(20) not null)", "create unique index on low (lower(code))"]
    with connected(request, pages, tmp_path, "keyless", made) as found:
        yield found


def test_unique_columns_that_are_never_empty_are_the_key_of_a_table_without_one(keyless: Odd) -> None:
    keys = {item.table: item.key for item in records.collections() if item.source == keyless.name}
    assert keys.items() >= {"thing": ("code",), "pair": ("area", "spot"), "loose": (), "plain": ()}.items()
    assert not [table for table in ("part", "low") if keys.get(table)], (
        "unique among a part of the rows, or after a function"
    )
    olivia, of = keyless.pages.olivia, f"{keyless.name}.thing"
    for row in records.page(of, unrestricted(of)).rows:
        edit = f"{keyless.things}/{quote(row.key or '', safe='')}/edit"
        olivia.send(olivia.get(edit), "/edit", v_label="Changed")
    assert [row.values["label"] for row in records.page(of, unrestricted(of)).rows] == ["Changed", "Changed"]
