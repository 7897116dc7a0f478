"""What databases of others surprise with, by page: what only their own program can do, several fields that lead to one record, tables that go, rows without a key."""

from pathlib import Path

import pytest

from console import records, sources
from tests.views.conftest import Pages
from tests.views.test_source_pages import behind, connected, filled, fresh

pytestmark = pytest.mark.lengthy


def test_a_related_table_that_is_gone_leaves_the_other_related_lists(pages: Pages, tmp_path: Path) -> None:
    file = filled(tmp_path)
    behind(
        file,
        """create table game (id integer primary key, team_id int references team (id));
        insert into game values (1, 1); insert into member (id, team_id, name) values (7, 1, 'Ann')""",
    )
    name = connected(file)
    assert "Ann" in pages.ines.get(f"/c/{name}.team/1/related").text
    behind(file, "drop table game")
    text = pages.ines.get(f"/c/{name}.team/1/related").text
    assert "Ann" in text
    assert "no longer has this table" in text


def test_tables_are_chosen_again_and_what_that_means_is_shown_first(pages: Pages, tmp_path: Path) -> None:
    file = filled(tmp_path)
    behind(file, "create table alembic_version (version_num varchar(32) primary key)")
    ines, name = pages.ines, connected(file)
    at = f"/settings/sources/{name}/tables"
    assert "Alembic keeps it for itself" in ines.get(at).text
    ines.send(ines.get(at), at, which="some", table="team")
    page = ines.follow()
    assert page.text.count("gone") >= 3
    assert len([one for one in records.collections() if one.source == name]) == 4
    ines.send(page, "/again")
    assert [one.id for one in records.collections() if one.source == name] == [f"{name}.team"]
    assert (
        "Choose at least one table." in ines.send(ines.get(at), at, status=422, which="some", table=None).text
    )
    ines.send(ines.get(at), at, which="all")
    ines.send(ines.follow(), "/again")
    assert len([one for one in records.collections() if one.source == name]) == 4, (
        "without what Alembic keeps for itself"
    )
    ines.send(ines.get(at), at, which="some", table=["team", "alembic_version"])
    ines.send(ines.follow(), "/again")
    ines.send(ines.get(at), at, which="all")
    ines.send(ines.follow(), "/again")
    assert f"{name}.alembic_version" in {one.id for one in records.collections()}, "who asked for it keeps it"
    unseen = ines.get(f"/settings/sources/{name}").text
    assert "Nobody may open one collection" in unseen, "a table that came later waits for a role"
    assert "Choose who may: Alembic version" in unseen


def test_an_earlier_layout_is_restored_without_what_the_database_no_longer_has(
    pages: Pages, tmp_path: Path
) -> None:
    ines, file, name = pages.ines, filled(tmp_path), fresh()
    segments = [
        {"id": "without", "label": "Without mail", "filter": "record.mail == null"},
        {"id": "asked", "label": "Asked", "sql": "select id from member where mail is null"},
        {"id": "named", "label": "Named", "filter": 'record.name == "Ann"', "sort": "-mail"},
    ]
    document = {
        "id": f"{name}-m",
        "source": name,
        "table": "member",
        "columns": ["name", "mail"],
        "search": ["mail"],
    }
    sources.add(name, f"sqlite:///{file}", "admin", documents=[document | {"segments": segments}])
    at = f"/settings/collections/{name}-m"
    ines.send(ines.get(f"{at}/layout/list"), f"{at}/layout/list", place=["g:0", "f:name", "g:rest"])
    ines.send(ines.get(f"{at}/changes"), f"{at}/changes", do="publish")
    ines.send(
        ines.get(f"{at}/layout/list"),
        f"{at}/layout/list",
        place=["g:0", "f:name", "f:mail", "f:id", "g:rest"],
    )
    behind(file, "drop view roster; alter table member drop column mail")
    again = f"/settings/sources/{name}/again"
    looked = ines.get(again)
    assert "draft Member: Columns of the list: There is no column mail." in looked.text
    ines.send(looked, again)
    drafted = ines.get(f"{at}/changes")
    assert "no longer fits its table" in drafted.text
    ines.send(drafted, f"{at}/changes", do="mend")
    mended = ines.get(f"{at}/changes")
    assert "no longer fits" not in mended.text
    assert "Name, ID" in mended.text
    ines.send(ines.get(f"{at}/versions"), f"{at}/versions", number=1)
    assert ines.answer.headers["Location"] == f"{at}/changes?restored=1"
    page = ines.get(f"{at}/changes?restored=1")
    for words in (
        "no longer has all of version 1",
        "Columns of the list: Name, mail → Name",
        "Quick search: mail is left out",
        "Segment Without mail: label: Without mail; conditions: mail is empty is left out",
        "Segment Asked:",
        "Segment Named: order of records: mail, last first is left out",
    ):
        assert words in page.text, words
    ines.send(page, f"{at}/changes", do="publish")
    collection = records.collection(f"{name}-m")
    assert (collection.columns, [(each.id, each.sort) for each in collection.segments]) == (
        ("name",),
        [("named", None)],
    )
