"""Names that turn the reading direction, on the pages where people read them and in the boxes and files that keep them to the letter."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from console import sources
from console.auth import access

if TYPE_CHECKING:
    from tests.views.conftest import Pages

TURNED = "gpj.\u202eexe\u202c \u2066x\u2069"
PLAIN = "gpj.exe x"


@pytest.fixture
def turned(pages: "Pages", tmp_path: Path) -> Iterator[str]:
    """The address of a list with such a name."""
    with sqlite3.connect(tmp_path / "turned.db") as connection:
        connection.execute("create table paper (id integer primary key, name text, note text)")
        connection.execute("insert into paper values (1, ?, ?)", (TURNED, TURNED))
    connection.close()
    acts = ["browse", "read", "update", "export"]
    sources.add("turned", f"sqlite:///{tmp_path}/turned.db", may={"operator": acts})
    access.refresh()
    yield "/c/turned.paper"
    sources.remove("turned")


def test_a_name_that_turns_the_direction_is_read_in_the_order_in_which_it_is_kept(
    pages: "Pages", turned: str
) -> None:
    for path in (turned, f"{turned}/1", f"{turned}?preview=1"):
        page = pages.olivia.get(path)
        assert PLAIN in page.text, path
        assert not set(page.html) & set("\u202e\u202c\u2066\u2069"), path
    head = pages.olivia.get(f"{turned}/1").html.partition("</title>")[0]
    assert PLAIN in head


def test_a_form_and_a_file_keep_the_name_to_the_letter(pages: "Pages", turned: str) -> None:
    form = pages.olivia.get(f"{turned}/1/edit").html
    assert f'value="{TURNED}"' in form
    olivia = pages.olivia
    olivia.post(f"/export{turned}", {"csrf_token": olivia.token, "format": "csv"})
    address = olivia.answer.headers["Location"]
    assert pages.company.work()
    olivia.get(f"{address}/file")
    assert TURNED in olivia.answer.data.decode("utf-8-sig")
