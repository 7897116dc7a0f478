"""What typing and picking in a workspace does to its address, and to what is chosen."""

import re

import pytest

from tests.views.conftest import Pages
from tests.views.test_workspace_pages import DESK, publish


@pytest.fixture
def desk(pages: Pages) -> Pages:
    """The company with the workspace `desk`."""
    publish(DESK)
    return pages


def test_typing_replaces_the_address_and_picking_adds_one(desk: Pages) -> None:
    forms = re.findall(r'<form class="ws-input".*?</form>', desk.olivia.get("/w/desk").html, re.DOTALL)
    for form in forms:
        typed = "from:find" in form
        assert ('hx-replace-url="true"' in form, 'hx-push-url="true"' in form) == (typed, not typed), form
    assert len(forms) == 2


def test_what_stays_chosen_though_the_list_does_not_show_it_is_said_there(desk: Pages) -> None:
    words = "Still chosen, but not in this list: Adaeze Okonkwo-Bell"
    for typed in ("q=nobody+is+called+so", "on=corporate"):
        assert words in desk.olivia.get(f"/w/desk?customer=1&{typed}").text, typed
    for typed in ("q=adaeze", "on=retail", "q="):
        assert words not in desk.olivia.get(f"/w/desk?customer=1&{typed}").text, typed
    assert "Still chosen" not in desk.olivia.get("/w/desk?customer=999&q=nobody").text


def test_a_box_of_the_builders_form_is_no_search_that_somebody_typed(desk: Pages) -> None:
    form = {"type": "collection", "collection": "customer", "search": "q", "q": "nobody", "width": "12"}
    html = desk.ines.client.get("/w/desk/preview/new", query_string=form, headers={"HX-Request": "true", "HX-Target": "shown-new"}).text
    assert "Adaeze" in html
