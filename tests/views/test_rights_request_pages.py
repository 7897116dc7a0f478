"""The pages on which a second administrator confirms a right on records that another asks for a role of their own."""

from pathlib import Path

import pytest

from console.auth import access, accounts
from console.permissions import rule_drafts, second_admin
from tests.company import PASSWORD
from tests.permissions.test_second_admin import EXPORTS, house
from tests.views.conftest import Pages
from tests.views.test_source_pages import CONNECT, at_choice, filled

__all__ = ["house"]

pytestmark = pytest.mark.lengthy


@pytest.fixture
def asked(house: object, pages: Pages) -> str:
    """The address of what Ines asks of Bo."""
    accounts.create_person(
        "bo@fernwick.example", role="admin", team="operations", name="Bo Berg", password=PASSWORD
    )
    access.refresh()
    rule_drafts.put(pages.company.ines, (), (EXPORTS,))
    page = pages.ines.get("/settings/roles/draft")
    assert "Ask Bo Berg to confirm" in page.text
    refused = pages.ines.send(page, "/settings/roles/draft", status=409, note="Audit")
    assert "second administrator" in refused.text, "publishing past the button is refused too"
    pages.ines.send(page, "/settings/roles/draft", do="ask", note="For the <audit>")
    return pages.ines.answer.headers["Location"]


def test_whoever_asks_sees_who_confirms_and_may_take_it_back(asked: str, pages: Pages) -> None:
    page = pages.ines.get(asked)
    assert (
        "Bo Berg confirms it" in page.text,
        "Confirm and publish" in page.text,
        "For the <audit>" in page.text,
    ) == (True, False, True)
    assert "waits for a second administrator" in pages.ines.get("/settings/roles/draft").text
    refused = pages.ines.send(page, asked, status=403, do="confirm")
    assert "not who asked" in refused.text
    pages.ines.send(page, asked, do="refuse")
    assert "Withdrawn" in pages.ines.get(asked).text


def test_the_second_finds_it_among_what_waits_and_confirms_or_refuses(asked: str, pages: Pages) -> None:
    bo = pages.bo
    home = bo.get("/")
    assert asked in home.links
    page = bo.get(asked)
    assert "export" in page.text.lower()
    unsaid = bo.send(page, asked, status=422, do="refuse", reason="")
    assert "Say why" in unsaid.text
    bo.send(page, asked, do="confirm")
    assert access.can(pages.company.ines, None, "collection:customer", "export")
    assert "Confirmed" in bo.get(asked).text
    assert "does not wait any more" in bo.send(page, asked, status=409, do="confirm").text


@pytest.mark.parametrize("who", ["olivia", "mona", "ada", "stan"])
def test_who_manages_no_rights_sees_and_answers_none(asked: str, pages: Pages, who: str) -> None:
    browser = getattr(pages, who)
    browser.get(asked, status=403)
    for do in ("confirm", "refuse"):
        browser.post(asked, {"csrf_token": browser.token, "do": do, "reason": "x"}, status=403)
    assert second_admin.request_of(pages.company.ines, asked.rpartition("/")[2]).open
    assert pages.app.test_client().get(asked).status_code == 303


def test_connecting_a_source_says_who_confirms_for_ones_own_role(
    asked: str, pages: Pages, tmp_path: Path
) -> None:
    page = at_choice(pages.ines, filled(tmp_path))
    pages.ines.send(page, CONNECT, do="connect", name="club", may_operator=["browse"])
    assert "Bo Berg has to confirm what roles of your own may do" in pages.ines.follow().text
    here = {row.sub for row in access.all_rows() if row.obj == "collection:club.team"}
    assert here == {"role:operator"}
    addresses = {each.address for each in second_admin.asked_by(pages.company.ines)}
    assert asked in addresses, "what the draft asks for goes on waiting"
    assert len(addresses) == 2
