"""A list filtered by a tag that many records have: whatever their number, in each kind of database."""

from collections.abc import Iterator

import pytest

from console import records
from console.core import filters
from console.core.errors import Malformed
from console.core.scopes import unrestricted
from console.infra.db.engine import fetch
from console.records import record_keys, tag_filter

pytestmark = pytest.mark.lengthy

_WORD = "insert into console.tag (id, name, created_by, created_at) values ('many', 'many', '', now()) returning id"
_PUT = """
insert into console.record_tag (collection, record, tag, subject, by, at)
select %s, n::text, 'many', '', '', now() from generate_series(2, 70000) n returning 1
"""

_PUT_THESE = "insert into console.record_tag (collection, record, tag, subject, by, at) select %s, k, 'many', '', '', now() from unnest(%s::text[]) k returning 1"


def keys(collection_id: str, value: str | None = "Many", op: str = "eq") -> list[str]:
    """Keys of the records of the list that this filter leaves."""
    collection = records.collection(collection_id)
    where = value and filters.read(
        {"field": filters.tag_field(collection), "op": op, "value": value}, collection
    )
    return sorted(
        str(row.key)
        for row in records.page(collection_id, unrestricted(collection_id), where=where or None).rows
    )


@pytest.fixture
def tagged(shops: None) -> Iterator[None]:
    """The shops are those of other tests too: what is put here goes again."""
    yield
    fetch("delete from console.record_tag returning 1")
    fetch("delete from console.tag returning 1")


@pytest.mark.usefixtures("tagged")
@pytest.mark.parametrize("source", ["shop", "file"])
def test_more_records_may_have_the_tag_than_a_statement_has_parameters(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    customers = f"{source}.customer"
    everybody = keys(customers, None)
    fetch(_WORD)
    fetch(_PUT, (customers,))
    assert len(everybody) > 2
    assert keys(customers) == [key for key in everybody if key != "1"]
    assert keys(customers, op="ne") == ["1"]
    monkeypatch.setattr(tag_filter, "MOST_KEYS", 69_998)
    with pytest.raises(Malformed, match="More than 69,998 records have this tag"):
        keys(customers)


@pytest.mark.usefixtures("tagged")
@pytest.mark.parametrize("collection_id", ["shop.order", "file.order", "shop.pair"])
def test_records_with_a_key_of_several_columns_are_found_by_it_whatever_their_number(
    collection_id: str,
) -> None:
    """As many alternatives, a column of the key in each, would be more than a statement has parameters, and too deep for SQLite."""
    everybody, collection = keys(collection_id, None), records.collection(collection_id)
    made = [
        "2020-01-01" if collection.by_name[collection.key[0]].stored == "date" else str(number)
        for number in range(10_000, 50_000)
    ]
    others = [str(record_keys.encode([first, str(number)])) for number, first in enumerate(made)]
    fetch(_WORD)
    fetch(_PUT_THESE, (collection_id, [*everybody[1:], *others]))
    assert len(everybody) > 1
    assert keys(collection_id) == everybody[1:]
    assert keys(collection_id, op="ne") == everybody[:1]
