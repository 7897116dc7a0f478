"""A list as a board: columns, numbers, cards, and moving them as the form would."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from console import records
from console.browse import BrowseQuery, boards, tags
from console.core.errors import NotFound
from console.records import catalogue
from tests.messaging.contacts.test_tags import kinds
from tests.support.contact_club import found_club

if TYPE_CHECKING:
    from tests.views.conftest import Pages

BOARD = "/board/c/contact"


@pytest.fixture
def club(pages: "Pages") -> "Pages":
    found_club(pages.company)
    return pages


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL that goes to the club's database meanwhile."""
    seen: list[str] = []
    engine = catalogue.engine_of(records.collection("contact"))

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        seen.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(engine, "before_cursor_execute", note)


def told(pages: "Pages", **query: Any) -> dict[str, tuple[int, Any, list[str]]]:
    made = boards.board(
        pages.company.olivia, "contact", None, BrowseQuery(**query), ("name", "email", "owner")
    )
    return {
        column.label: (column.count, list(column.sums), [row.title for row in column.rows])
        for column in made.columns
    }


def test_columns_have_counts_amounts_and_cards_in_two_statements_and_one_for_each(club: "Pages") -> None:
    with statements() as sent:
        found = told(club)
    assert len([each for each in sent if each.lower().startswith("select")]) == 2 + 3, sent
    assert found == {
        "New": (2, [(None, "120.50")], ["Sam Whitfield", "Ana Petrauskė"]),
        "Engaged": (3, [(None, "12.25")], ["Bram de Wit", "Greta Falk", "Kenji Morita"]),
        "Lost": (1, [], ["Stan Nobody"]),
    }
    tags.put(club.company.olivia, "contact", ["1", "3"], "vip")
    tagged = told(club, filter=json.dumps({"field": "tags", "op": "eq", "value": "vip"}))
    assert {label: number for label, (number, *_) in tagged.items()} == {"New": 1, "Engaged": 1, "Lost": 0}
    assert told(club, segment="engaged")["New"] == (0, [], [])
    assert told(club, q="falk")["Engaged"][2] == ["Greta Falk"]
    with pytest.raises(NotFound):
        boards.board(club.company.olivia, "account", "iban", BrowseQuery(), ())


def test_a_page_says_it_all_and_a_card_is_moved_by_its_menu(club: "Pages") -> None:
    assert club.olivia.get("/c/contact?segment=").html.count("/board/c/contact") == 1
    page = club.olivia.get(BOARD + "?segment=")
    assert "Worth €120.50" in page.text
    assert "•" not in page.text
    sent = page.form(BOARD + "?segment=")["fields"]
    back = {**sent, "key": "1", "old": "new", "to": "engaged"}
    club.olivia.post(BOARD + "?segment=", back, status=303)
    assert club.olivia.answer.headers["Location"] == BOARD + "?segment="
    assert kinds("record_changed", "stage_changed") == [
        ("record_changed", None),
        ("stage_changed", "engaged"),
    ]
    late = club.olivia.post(BOARD + "?segment=", {**sent, "key": "1", "old": "new", "to": "lost"}, status=409)
    assert "The card stands where it is now." in late.text
    odd = club.olivia.post(
        BOARD + "?segment=", {**sent, "key": "1", "old": "engaged", "to": "won"}, status=422
    )
    assert "Sam Whitfield" in odd.text
    club.olivia.post(BOARD, {**sent, "key": "99", "old": "new", "to": "lost"}, status=404)
    assert told(club)["Engaged"][0] == 4


def test_who_only_reads_moves_nothing_and_strangers_see_no_board(club: "Pages") -> None:
    page = club.rosa.get(BOARD)
    assert "You may look at contacts, but not change them." in page.text
    assert not [form for form in page.forms if form["method"] == "post" and form["action"].startswith(BOARD)]
    token = club.rosa.get("/c/contact?segment=&view=1").form("/c/contact/view")["fields"]["csrf_token"]
    club.rosa.post(
        BOARD, {"csrf_token": token, "by": "stage", "key": "1", "old": "new", "to": "lost"}, status=403
    )
    club.stan.get(BOARD, status=404)
