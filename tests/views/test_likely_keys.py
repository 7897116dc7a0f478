"""A database without foreign keys, of each kind: what looks like a relation is offered with a sample, and is one once somebody says so by page."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from console import records
from console.core.scopes import unrestricted
from console.sources import collections
from tests.views.foreign import KINDS, Odd, connected, maria  # noqa: F401 (a fixture)

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.slow

JSON = {"sqlite": "json", "postgresql": "jsonb", "mysql": "json"}
PRODUCTS = (
    '{"en_US": "Table", "de_DE": "Tisch"}',
    '{"en_US": "Chair XL", "de_DE": "Stuhl"}',
    '{"fr_FR": "Lampe <b>"}',
)


@pytest.fixture(params=KINDS)
def shop(request: Any, pages: "Pages", tmp_path: Path) -> Iterator[Odd]:
    """Products with names in several languages, and lines of orders that lead to them and to nothing."""
    made = [
        f"create table product (id integer primary key, name {JSON[request.param]} not null, restocked_at integer)",
        "create table users (id integer primary key, firstname varchar(40), lastname varchar(40))",
        "create table thing (id integer primary key, product_id integer, userid integer, supplier_id integer, note varchar(40))",
        "create table supplier (id integer primary key, name varchar(40))",
        *(
            f"insert into product values ({number}, '{name}', {1_700_000_000 + number})"
            for number, name in enumerate(PRODUCTS, 1)
        ),
        *(
            f'insert into product values ({number}, \'{{"en_US": "Shelf {number}"}}\', 1700000000)'
            for number in range(4, 9)
        ),
        *(f"insert into users values ({number}, 'Ada', 'L{number}')" for number in range(1, 6)),
        "insert into supplier values (1, 'Oak')",
        *(
            f"insert into thing values ({number}, {number}, {number % 5 + 1}, {number + 40}, 'n')"
            for number in range(1, 9)
        ),
    ]
    with connected(
        request,
        pages,
        tmp_path,
        "shopless",
        [text.replace("%", "%%") if request.param != "sqlite" else text for text in made],
    ) as found:
        yield found


def page_of(shop: Odd) -> str:
    return f"/settings/sources/{shop.name}/relations"


def offered(shop: Odd) -> list[str]:
    """The columns that are offered."""
    lines = shop.pages.ines.get(page_of(shop)).with_attribute("value")
    return [
        told["value"].removeprefix(f"{shop.name}.thing ") for told in lines if told.get("name") == "relation"
    ]


def add(shop: Odd, *fields: str, status: int = 303) -> Any:
    """What answers when these fields of the lines are ticked."""
    ticked = [f"{shop.name}.thing {field}" for field in fields]
    return shop.pages.ines.post(
        page_of(shop), {"csrf_token": shop.pages.ines.token, "relation": ticked}, status=status
    )


def test_what_the_sample_finds_is_offered_and_nothing_is_written_unasked(shop: Odd) -> None:
    assert offered(shop) == ["product_id", "userid"], "none of the suppliers is the key of one"
    assert "all 8 values are there" in shop.pages.ines.get(page_of(shop)).text
    assert b"relations" not in collections.export(f"{shop.name}.thing")


def test_what_is_ticked_shows_titles_and_leads_back(shop: Odd) -> None:
    add(shop, "product_id", "userid")
    listed = shop.pages.olivia.get(shop.things).text
    for words in ("Table", "Ada L2"):
        assert words in listed, words
    assert "Userid" not in listed
    record = shop.pages.olivia.get(f"/c/{shop.name}.product/2").text
    for words in ("Chair XL", "Stuhl", "German (Germany)", "Thing"):
        assert words in record, words


def test_only_what_is_ticked_is_added_and_nothing_ticked_is_said(shop: Odd) -> None:
    assert "Tick the relations" in add(shop, status=422).text
    add(shop, "userid")
    assert offered(shop) == ["product_id"]


def test_a_collection_with_a_draft_is_left_and_named(shop: Odd) -> None:
    ident = f"{shop.name}.thing"
    editing = collections.open_collection(shop.pages.company.ines, ident)
    collections.save(
        shop.pages.company.ines,
        ident,
        editing.draft.revision,
        editing.document.to_json() | {"label": "Lines"},
    )
    answer = add(shop, "userid", status=422)
    assert "publish or discard it first" in answer.text
    assert "userid" not in collections.export(ident).decode()


def test_texts_in_several_languages_are_found_by_a_search_and_stand_in_the_readers_language(
    shop: Odd,
) -> None:
    olivia = shop.pages.olivia
    things = f"/c/{shop.name}.product"
    assert "Tisch" not in olivia.get(things).text
    for words, title in (("Tisch", "Table"), ("lampe", "Lampe &lt;b&gt;")):
        page = olivia.get(f"{things}?q={words}")
        assert title in page.html
        assert "Shelf" not in page.text
    ident = f"{shop.name}.product"
    assert records.titles(ident, ["1", "3"], replace(unrestricted(ident), locale="de-AT")) == {
        "1": "Tisch",
        "3": "Lampe <b>",
    }
    assert "14 Nov 2023" in olivia.get(things).text, "seconds since 1970"
