"""Databases of others that are large in a way: a table of three hundred columns, two thousand tables, three sources of the same names."""

import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from console import access, records, sources
from console.access import judgement
from console.activity import sequencing
from console.core.scopes import whole
from tests.company import WORKING
from tests.views.foreign import KINDS, Odd, connected, maria  # noqa: F401 (a fixture)
from tests.views.test_collection_pages import typed
from tests.views.test_shaping_pages import arranged

if TYPE_CHECKING:
    from tests.views.conftest import Pages

WIDTH = 300
TYPES = ("varchar(8)", "integer", "date")
VALUES = ("'w{}'", "{}", "'2026-01-0{}'")


@pytest.fixture(params=KINDS)
def wide(request: Any, pages: "Pages", tmp_path: Path) -> Iterator[Odd]:
    """A table of three hundred columns and nine rows."""
    columns = ", ".join(f"c{number} {TYPES[number % 3]}" for number in range(1, WIDTH))
    rows = ", ".join(
        "(" + ", ".join([str(row), *(VALUES[number % 3].format(row) for number in range(1, WIDTH))]) + ")" for row in range(1, 10)
    )
    with connected(
        request, pages, tmp_path, "wide", [f"create table thing (id integer primary key, {columns})", f"insert into thing values {rows}"]
    ) as found:
        yield found


def filtered(field: str, op: str, value: Any) -> str:
    return quote(json.dumps({"field": field, "op": op, "value": value}))


@pytest.mark.slow
def test_a_table_of_three_hundred_columns_is_listed_and_any_of_them_can_be_asked_for(wide: Odd) -> None:
    olivia = wide.pages.olivia
    page = olivia.get(wide.things)
    heads = [told for tag, told in page.attributes if tag == "th" and told.get("scope") == "col"]
    assert 5 < len(heads) < 20, "a list begins with the first few"
    sheet = olivia.get(wide.things, "view-sheet")
    assert {f"c{number}" for number in range(1, WIDTH)} <= {told.get("value") for tag, told in sheet.attributes if tag == "input"}
    asked = olivia.get(f"{wide.things}?columns=c299&columns=c298&sort=-c298&filter={filtered('c298', 'gte', 4)}")
    assert asked.html.count("<tr data-record") == 6
    assert "C299" in asked.text
    assert "9 Jan 2026" in asked.text, "the last column is drawn by its type"
    assert olivia.get(f"{wide.things}?q=w7").html.count("<tr data-record") == 1, "the first text column is searched"


@pytest.mark.slow
def test_a_record_of_three_hundred_fields_is_shown_changed_and_added(wide: Odd) -> None:
    olivia, of = wide.pages.olivia, f"{wide.name}.thing"
    assert olivia.get(f"{wide.things}/3?tab=details").text.count("w3") >= WIDTH // 3
    edit = f"{wide.things}/3/edit"
    olivia.send(olivia.get(edit), edit, v_c298="77")
    held = records.get(of, "3", whole(of)).values
    assert held["c298"] == 77
    assert [held[name] for name in ("c297", "c295", "c1")] == ["w3", 3, 3], "nothing else was written"
    new = f"/new{wide.things}"
    given: dict[str, Any] = {} if wide.kind == "sqlite" else {"v_id": "50"}
    olivia.send(olivia.get(new), new, v_c297="last", **given)
    added = olivia.answer.headers["Location"].rpartition("/")[2]
    assert records.get(of, added, whole(of)).values["c297"] == "last"


@pytest.mark.slow
def test_the_layout_of_three_hundred_fields_is_sent_as_it_was_drawn_and_two_are_chosen(wide: Odd) -> None:
    ines, at = wide.pages.ines, f"/settings/collections/{wide.name}.thing"
    for part in ("list", "summary", "edit"):
        path = f"{at}/layout/{part}"
        ines.post(path, arranged(ines.get(path), path))
        assert "There is no draft" in ines.get(f"{at}/changes").text, part
    path = f"{at}/layout/list"
    sent = arranged(ines.get(path), path)
    others = [entry for entry in sent["place"] if entry not in ("g:0", "g:rest", "f:c299", "f:c1")]
    ines.post(path, sent | {"place": ["g:0", "f:c299", "f:c1", "g:rest", *others]})
    ines.send(ines.get(f"{at}/changes"), "/changes", do="publish")
    assert records.collection(f"{wide.name}.thing").columns == ("c299", "c1")


@pytest.mark.slow
def test_the_settings_of_three_hundred_fields_come_in_pages_and_save_what_they_show(wide: Odd) -> None:
    ines, at = wide.pages.ines, f"/settings/collections/{wide.name}.thing"
    before = records.collection(f"{wide.name}.thing")
    page = ines.get(f"{at}?page=2")
    assert len(page.html) < 400_000
    assert "61 to 120 of 300" in page.text
    drawn = typed(page, f"{at}?page=2")
    label = next(name for name in drawn if name.startswith("label."))
    ines.post(f"{at}?page=2", drawn | {"order": [*drawn["order"][1:], drawn["order"][0]], label: "Called anew"})
    assert ines.answer.headers["Location"].endswith("?page=2")
    ines.send(ines.get(f"{at}/changes"), "/changes", do="publish")
    after = records.collection(f"{wide.name}.thing")
    assert after.columns == before.columns, "what other pages show stays as it is"
    assert after.by_name[label.removeprefix("label.")].label == "Called anew"
    assert {item.name for item in after.fields} == {item.name for item in before.fields}


@pytest.mark.slow
def test_a_file_of_a_wide_list_has_the_columns_that_were_asked_for_in_their_order(wide: Odd) -> None:
    olivia = wide.pages.olivia
    path = f"/export{wide.things}?columns=c299&columns=c298&columns=c297&sort=id"
    olivia.post(path, {"csrf_token": olivia.token, "format": "csv"})
    address = olivia.answer.headers["Location"]
    assert wide.pages.company.work()
    olivia.get(f"{address}/file")
    head, first, *rest = csv.reader(io.StringIO(olivia.answer.data.decode("utf-8-sig")))
    assert head[-3:] == ["C299", "C298", "C297"]
    assert first[-2:] == ["1", "w1"]
    assert len(rest) == 8


def test_a_text_of_a_megabyte_is_no_name_of_its_record_and_words_of_sql_are_names(pages: "Pages", tmp_path: Path) -> None:
    file = tmp_path / "letters.db"
    with sqlite3.connect(file) as connection:
        connection.execute("create table letter (id integer primary key, subject text, sent date)")
        connection.execute('create table "nothing" (id integer primary key, "returning" text, "order" integer)')
        connection.execute("insert into \"nothing\" values (1, 'Back', 3)")
        connection.execute("insert into letter values (1, ?, '2026-01-01'), (2, 'Short', '2026-01-02')", ("word " * 200_000,))
    connection.close()
    sources.add("letters", f"sqlite:///{file}", may={"operator": WORKING})
    access.refresh()
    page = pages.olivia.get("/c/letters.letter")
    assert len(page.html) < 60 * 1024
    assert "word word" in page.text
    assert "Back" in pages.olivia.get("/c/letters.nothing?sort=-returning&q=back").text, "its name is a word of SQL"
    pages.olivia.send(pages.olivia.get("/new/c/letters.nothing"), "/new/c/letters.nothing", v_returning="Again", v_order="4")
    assert "Again" in pages.olivia.get("/c/letters.nothing/2").text
    assert pages.olivia.get("/c/letters.letter/1").html.count("word word word word word word word word") < 30_000, "once, as a field"
    sources.remove("letters")


TABLES = 2_000


@pytest.fixture
def many(pages: "Pages", tmp_path: Path) -> Iterator[str]:
    """The name of a source of two thousand tables, every third of which leads to another one."""
    file = tmp_path / "many.db"
    with sqlite3.connect(file) as connection:
        for number in range(TABLES):
            led = f", other integer references table_{number * 7 % TABLES} (id)" if number % 3 == 0 else ""
            connection.execute(f"create table table_{number} (id integer primary key, name text, n int{led})")
            connection.execute(f"insert into table_{number} (name, n) values ('Row of {number}', {number})")
    connection.close()
    sources.add("many", f"sqlite:///{file}", may={"operator": WORKING})
    access.refresh()
    yield "many"
    sources.remove("many")


@pytest.mark.slow
def test_two_thousand_tables_are_found_by_name_and_no_page_draws_all_their_rights(pages: "Pages", many: str) -> None:
    olivia, ines = pages.olivia, pages.ines
    assert "Row of 1999" in olivia.get(f"/c/{many}.table_1999").text
    shelf = olivia.get("/c")
    assert "1–200 of 2,000" in shelf.text
    assert len(shelf.html) < 150 * 1024
    assert "Table 1999" in olivia.get(f"/c?source={many}&from=1800").text
    assert "Table 1999" in olivia.get("/c?name=1999").text
    assert "Table 0" in olivia.get(f"/c?source={many}&from=-1").text
    assert "Table 1999" in olivia.get("/search?q=table%201999").text
    for path, longest in (
        ("/settings/access", 200),
        ("/settings/access?q=table%201999", 24),
        ("/settings/collections", 200),
        ("/settings/roles/operator", 700),
    ):
        page = ines.get(path)
        assert len(page.html) < longest * 1024, path
        assert page.text.count("Table 1") > 0, path
    page = ines.get("/settings/roles/operator")
    assert "more: find them above by a part of their name" in page.text
    found = ines.get("/settings/roles/operator?q=table%201999")
    assert "Table 1999" in found.text
    assert "more: find them" not in found.text
    page = ines.get(f"/settings/sources/{many}/connected")
    assert len(page.html) < 400 * 1024
    assert "1,800 more" in page.text
    assert "Nothing has changed in many" in ines.get(f"/settings/sources/{many}/again").text
    assert "2,000" in ines.get(f"/settings/sources/{many}/tables").text


@pytest.mark.slow
def test_beside_two_thousand_tables_a_page_judges_the_rights_of_its_own(pages: "Pages", many: str, monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []
    index = judgement._indexed

    def counted(policy: Any, actor: Any, team: Any, obj: str, *more: Any) -> bool:
        judged.append(obj)
        return index(policy, actor, team, obj, *more)

    run = f"/runs/{pages.company.started()}"
    paths = (f"/c/{many}.table_7", f"/c/{many}.table_7/1", "/c/customer", run)
    monkeypatch.setattr(judgement, "_indexed", counted)
    for path in paths:
        judged.clear()
        pages.olivia.get(path)
        assert sum(obj.startswith(f"collection:{many}") for obj in judged) < 40, (path, len(judged))


def test_three_sources_of_the_same_names_are_told_apart_on_every_page(pages: "Pages", tmp_path: Path) -> None:
    names = ("north", "south", "west")
    for name in names:
        file = tmp_path / f"{name}.db"
        with sqlite3.connect(file) as connection:
            connection.execute("create table widget (id integer primary key, name text)")
            connection.execute("create table gadgets (id integer primary key, name text, widget_id int references widget (id))")
            connection.execute(f"insert into widget values (1, 'Wheel of {name}')")
            connection.execute("insert into gadgets values (1, 'Cart', 1)")
        connection.close()
        sources.add(name, f"sqlite:///{file}", may={role: ["browse", "read"] for role in ("operator", "auditor")})
    access.refresh()
    olivia, ines = pages.olivia, pages.ines
    for name in names:
        assert f"{name.capitalize()} GadgetsWidget" in olivia.get("/c").text, "each source's own stand below its name"
    labels = [f"Widget ({name.capitalize()})" for name in names]
    for person, path in (
        (ines, "/settings/access?q=idget"),
        (ines, "/settings/collections?q=widget"),
        (ines, "/settings/roles/operator?q=widget"),
        (ines, "/settings/roles"),
    ):
        text = person.get(path).text
        for label in labels if "?q" in path else []:
            assert label in text, (path, label)
    for name in names:
        page = olivia.get(f"/c/{name}.widget")
        assert f"Widget ({name.capitalize()})" in page.text
        assert f"Wheel of {name}" in page.text
        assert [other for other in names if f"Wheel of {other}" in page.text] == [name]
        assert f"Wheel of {name}, Widget ({name.capitalize()}), Handrail" in olivia.get(f"/c/{name}.widget/1").html, "tabs of a browser"
        led = olivia.get(f"/c/{name}.gadgets/1")
        assert f"Wheel of {name}" in led.text
        assert (
            f"Widget ({name.capitalize()})"
            not in olivia.get(f"/c/{name}.widget/1").html.partition("<main")[2].partition("<h2")[0].partition("</nav>")[2]
        ), "inside its own page the word alone says it"
    found = olivia.get("/search?q=wheel").text
    assert all(f"Wheel of {name}" in found for name in names)
    sequencing.catch_up()
    for name in names:
        told = pages.ada.get(f"/activity?collection={name}.widget").text
        assert f"widget ({name.capitalize()})" in told, told
    sources.remove("west")
    sources.remove("south")
    access.refresh()
    assert records.collection("north.widget").label == "Widget", "alone again, it needs nothing beside it"
