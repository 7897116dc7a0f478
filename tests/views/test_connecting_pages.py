"""Connecting a database of many tables: followed on a page, done by a worker, stopped, broken off and tried again."""

from pathlib import Path

import pytest

from console import sources
from console.infra import jobs
from console.sources import connecting
from tests.views.conftest import Page, Pages
from tests.views.test_source_pages import CONNECT, LIST, at_choice, filled


@pytest.fixture(autouse=True)
def every_database_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "AT_ONCE", 3)


def asked(pages: Pages, folder: Path) -> Page:
    """The page of a database that Ines has just asked to have connected as `club`."""
    file = folder / "Club 2026.db"
    pages.ines.send(
        at_choice(pages.ines, file if file.exists() else filled(folder)),
        CONNECT,
        do="connect",
        name="club",
        may_operator=["browse"],
    )
    return pages.ines.follow()


def address(pages: Pages) -> str:
    return str(pages.ines.answer.request.full_path)


def names() -> set[str]:
    return {source.name for source in sources.list_all()}


def test_many_tables_are_looked_at_in_the_background_and_the_page_leads_on(
    pages: Pages, tmp_path: Path
) -> None:
    page = asked(pages, tmp_path)
    followed = address(pages)
    assert "It begins in a moment" in page.text
    assert "club" not in names()
    assert "club is being connected" in pages.ines.get(LIST).text
    assert followed in pages.ines.get(LIST).links
    (one,) = connecting.all_under_way(pages.company.ines)
    with pytest.raises(jobs.PutBack):
        connecting.advance(
            one.id, lambda: connecting.all_under_way(pages.company.ines)[0].status == "running"
        )
    assert "of 4 tables and views are looked at" in pages.ines.get(followed).text
    assert "club" not in names(), "nothing of it is there before all of it is"
    assert pages.company.work()
    pages.ines.get(followed, status=303)
    assert pages.ines.answer.headers["Location"] == "/settings/sources/club/connected"
    assert "4 collections" in pages.ines.follow().text
    assert "is being connected" not in pages.ines.get(LIST).text


def test_what_is_cancelled_leaves_nothing_whenever_that_is(pages: Pages, tmp_path: Path) -> None:
    page = asked(pages, tmp_path)
    pages.ines.send(page, address(pages), do="stop")
    assert "nothing of it is kept" in pages.ines.follow().text
    pages.company.work()
    assert "club" not in names()
    asked(pages, tmp_path)
    (one,) = connecting.all_under_way(pages.company.ines)

    def cancelled_meanwhile() -> bool:
        connecting.stop(one.id, by=pages.company.ines)
        return False

    connecting.advance(one.id, cancelled_meanwhile)
    assert "club" not in names()
    assert connecting.all_under_way(pages.company.ines) == []


def test_what_does_not_come_about_says_why_and_is_tried_again(pages: Pages, tmp_path: Path) -> None:
    asked(pages, tmp_path)
    followed = address(pages)
    (tmp_path / "Club 2026.db").rename(tmp_path / "away.db")
    pages.company.work()
    page = pages.ines.get(followed)
    assert "club is not connected" in page.text
    assert "club could not be connected" in pages.ines.get(LIST).text
    (tmp_path / "away.db").rename(tmp_path / "Club 2026.db")
    pages.ines.send(page, followed, do="again")
    assert "It begins in a moment" in pages.ines.follow().text
    pages.company.work()
    assert "club" in names()


def test_a_name_is_connected_once_and_only_by_who_manages_sources(pages: Pages, tmp_path: Path) -> None:
    asked(pages, tmp_path)
    followed = address(pages)
    again = pages.ines.send(at_choice(pages.ines, filled(tmp_path, "b.db")), CONNECT, status=409, name="club")
    assert "is being connected already" in again.text
    assert "2 words" not in names()
    pages.ines.send(again, CONNECT, status=422, name="2 words")
    pages.olivia.get(followed, status=403)
    pages.olivia.post(followed, {"csrf_token": pages.olivia.token, "do": "stop"}, status=403)
    assert [one.name for one in connecting.all_under_way(pages.company.ines)] == ["club"]
