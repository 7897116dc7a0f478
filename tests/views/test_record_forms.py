"""Records by hand: added, copied, changed as a whole, and deleted with what follows from it; with every value that was typed kept on a refusal."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from console import browse
from console.actions import record_changes
from console.auth import access
from console.auth.accounts import one_time
from console.core.errors import Invalid
from console.infra.db import engine as db
from console.views import saved_forms
from tests.views.conftest import Browser, Page, signed_in

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy


@pytest.fixture(autouse=True)
def rights(pages: "Pages") -> None:
    access.grant(
        "operator",
        "collection:customer",
        ["create", "delete"],
        "record.desk in $currentUser.tags.desks",
        team="operations",
    )
    access.grant("operator", "collection:account", ["create", "update", "delete"], "", team="operations")
    access.refresh()


def test_a_record_is_added_and_the_key_is_left_to_the_database(pages: "Pages") -> None:
    olivia = pages.olivia
    assert "/new/c/customer" in olivia.get("/c/customer").links
    page = olivia.get("/new/c/customer")
    assert "v.id" not in page.form("/new/c/customer")["fields"], "the database numbers them"
    assert "v.tax_id" not in page.form("/new/c/customer")["fields"], "not hers to read"
    page = olivia.send(
        page, "/new/c/customer", status=422, v_display_name="Newcomer", v_email="new@customers.example"
    )
    assert "Desk" in page.text
    assert page.form("/new/c/customer")["fields"]["v.display_name"] == "Newcomer", "nothing typed is lost"
    olivia.send(page, "/new/c/customer", v_desk="retail")
    assert pages.company.sql("select display_name, email from customer where desk = 'retail' and id > 4") == [
        ("Newcomer", "new@customers.example")
    ]
    assert "Customer “Newcomer” was added." in olivia.follow().text


def test_a_copy_begins_with_the_values_of_the_other_but_not_with_its_key(pages: "Pages") -> None:
    olivia = pages.olivia
    assert "/new/c/customer?like=2" in olivia.get("/c/customer/2/menu").links
    page = olivia.get("/new/c/customer?like=2")
    fields = page.form("/new/c/customer?like=2")["fields"]
    assert (fields["v.display_name"], fields["v.risk"], "v.id" in fields) == ("Tore Lindqvist", "low", False)
    olivia.send(page, "like=2", v_display_name="Tore II")
    assert pages.company.sql("select count(*) from customer where email = 'tore@customers.example'") == [(2,)]
    pages.tom.get("/new/c/customer?like=3", status=404)


def test_only_what_was_changed_is_written_and_a_change_of_somebody_else_is_shown(pages: "Pages") -> None:
    olivia = pages.olivia
    page = olivia.get("/c/customer/2/edit")
    pages.company.sql("update customer set email = 'other@customers.example', risk = 'high' where id = 2")
    page = olivia.send(page, "/c/customer/2/edit", status=409, v_email="mine@customers.example")
    assert "other@customers.example" in page.text
    assert page.form("/2/edit")["fields"]["v.email"] == "mine@customers.example"
    olivia.send(page, "/c/customer/2/edit")
    assert pages.company.sql("select email, risk from customer where id = 2") == [
        ("mine@customers.example", "high")
    ], "hers alone"


def test_deleting_says_what_refers_to_the_record_and_is_not_offered_while_something_does(
    pages: "Pages",
) -> None:
    olivia = pages.olivia
    page = olivia.get("/c/customer/1/delete")
    assert "2 accounts refer to it: it cannot be deleted while they do" in page.text
    assert "Delete customer</button>" not in page.html
    page = olivia.post(
        "/c/customer/1/delete",
        {"csrf_token": page.form("/1/delete")["fields"]["csrf_token"], "old": "{}"},
        status=409,
    )
    assert "Not deleted" in page.text
    page = olivia.get("/c/customer/2/delete")
    assert "No other record that you may see refers to it." in page.text
    pages.company.sql("update customer set risk = 'high' where id = 2")
    page = olivia.send(page, "/c/customer/2/delete", status=409)
    assert pages.company.sql("select count(*) from customer") == [(4,)], "it is not what she saw any more"
    olivia.send(page, "/c/customer/2/delete")
    assert pages.company.sql("select count(*) from customer") == [(3,)]
    assert "was deleted" in olivia.follow().text
    olivia.get("/c/customer/2", status=404)


def test_who_may_not_is_not_offered_it_and_refused(pages: "Pages") -> None:
    for person in (pages.mona, pages.rosa):
        page = person.get("/c/customer/2/menu")
        assert not [link for link in page.links if link.endswith("/delete") or link.startswith("/new/")]
        person.get("/c/customer/2/delete", status=403)
        person.get("/new/c/customer", status=403)
    pages.rosa.get("/c/customer/2/edit", status=403)
    for path in ("/c/customer/3/delete", "/c/customer/3/edit"):
        pages.tom.get(path, status=404)
    for path in ("/new/c/customer", "/c/customer/1/delete", "/c/customer/1/edit"):
        pages.stan.get(path, status=404)


def test_a_number_beyond_every_column_is_refused_at_its_field(pages: "Pages") -> None:
    olivia, key = pages.company.olivia, "LT459999900012345678"
    for number in (10**26, -(10**20)):
        with pytest.raises(Invalid) as wrong:
            browse.change(olivia, "account", key, {"customer_id": number}, {})
        assert [detail["field"] for detail in wrong.value.details] == ["customer_id"]
        with pytest.raises(Invalid):
            record_changes.create(olivia, "account", {"iban": "LT1", "customer_id": number, "status": "open"})
    page = pages.olivia.get(f"/c/account/{key}/edit/status")
    pages.olivia.send(page, f"/c/account/{key}/edit/status", status=409, v_status="closed", old=str(10**26))
    assert pages.company.sql(
        "select customer_id, status from account where iban like 'LT%8' or iban = 'LT1'"
    ) == [(1, "open")]


OURS = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
PATH = "/c/customer/2/edit"


def typed_by(browser: Browser) -> dict[str, Any]:
    """The form as it was typed, and the browser without its session."""
    typed: dict[str, Any] = browser.get(PATH).form(PATH)["fields"] | {"v.email": "typed@customers.example"}
    return typed


def email(pages: "Pages") -> str:
    return str(pages.company.sql("select email from customer where id = 2")[0][0])


def test_a_form_that_is_older_than_the_sign_in_is_offered_again_as_it_was_typed_to_who_opened_it(
    pages: "Pages",
) -> None:
    typed = typed_by(pages.olivia)
    for who in ("olivia", "tom"):
        browser = Browser(signed_in(pages.app, who))
        refused = browser.client.post(PATH, data=typed, headers=OURS)
        assert (refused.status_code, "typed@customers.example" in refused.text) == (403, who == "olivia"), who
        if who == "olivia":
            assert "it is sent as Olivia" in Page(refused.text).text
            assert "data-go-on" not in refused.text, "nobody's words are sent unasked"
            assert email(pages) == "tore@customers.example"
            browser.send(Page(refused.text), PATH)
            assert email(pages) == "typed@customers.example"
    for foreign in (
        {},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
        OURS | {"Sec-Fetch-Mode": "cors"},
    ):
        refused = Browser(signed_in(pages.app, "olivia")).client.post(PATH, data=typed, headers=foreign)
        assert (refused.status_code, "typed@customers.example" in refused.text) == (403, False)
    for token in ("", "of an earlier session"):
        refused = browser.client.post(PATH, data=typed | {"csrf_token": token}, headers=OURS)
        assert "typed@customers.example" not in refused.text, "nobody knows whose this is"


@pytest.mark.parametrize("way", ["signed out", "idle"])
def test_a_form_that_is_sent_without_a_session_is_kept_over_the_sign_in_and_never_shown_to_another(
    pages: "Pages", way: str
) -> None:
    typed = typed_by(pages.olivia)
    if way == "idle":
        with db.hot_engine().connect() as connection:
            connection.execute(sa.text("update console.session set seen_at = now() - interval '1 day'"))
    client = pages.olivia.client if way == "idle" else pages.app.test_client()
    refused = client.post(PATH, data=typed, headers=OURS)
    assert refused.status_code == 303
    asked = client.get(refused.location)
    assert ("You were signed out. That happens after 30 minutes" in asked.text) == (way == "idle")
    assert "offered again after you sign in" in asked.text
    assert "typed@" not in asked.text
    there = parse_qs(urlsplit(refused.location).query)["next"][0]
    for who in ("tom", "olivia"):
        browser = Browser(signed_in(pages.app, who))
        offered = browser.client.get(there)
        assert ("typed@customers.example" in offered.text) == (who == "olivia"), who
    assert email(pages) == "tore@customers.example"
    browser.send(Page(offered.text), PATH)
    assert email(pages) == "typed@customers.example"
    assert browser.client.get(there).status_code == 303, "once"
    made_up = client.post(PATH, data=typed | {"csrf_token": "made up"}, headers=OURS)
    assert "kept" not in (made_up.location or "")


PASSWORD = "/settings/me/password"


def test_a_secret_is_never_kept_over_a_sign_in_but_typed_again(pages: "Pages") -> None:
    typed = pages.olivia.get("/settings/me").form(PASSWORD)["fields"] | {
        "former": "swan lamp of old",
        "new": "nine quiet owls drum",
    }
    refused = pages.app.test_client().post(PASSWORD, data=typed, headers=OURS)
    with db.hot_engine().connect() as connection:
        (kept,) = connection.execute(
            sa.text("select hash, content from console.one_time where kind = 'kept'")
        ).all()
    assert not {"swan lamp of old", "nine quiet owls drum"} & {
        value for _, value in one_time.open_content(*kept)["fields"]
    }
    browser = Browser(signed_in(pages.app, "olivia"))
    for offered in (
        browser.client.get(parse_qs(urlsplit(refused.location).query)["next"][0]),
        browser.client.post(PASSWORD, data=typed, headers=OURS),
    ):
        assert "swan lamp of old" not in offered.text
        assert {"former", "new"} <= set(Page(offered.text).form(PASSWORD)["fields"]), "both are asked for"


def test_every_box_of_a_secret_is_known_to_hold_one(app: Flask) -> None:
    """A new box of this kind is entered in `SECRETS` with the endpoint that takes it."""
    box = re.compile(
        r'<input\b(?=[^>]*(?:type="password"|one-time-code))[^>]*\bname="(\w+)"|Field\("(\w+)", "[^"]+", "password"'
    )
    files = [*Path("templates").rglob("*.html"), *Path("console/views").rglob("*.py")]
    boxes = {name for file in files for found in box.findall(file.read_text()) for name in found if name}
    assert {"former", "text", "password", "shown", "code", "key"} <= boxes, "the boxes are found"
    assert boxes <= {name for names in saved_forms.SECRETS.values() for name in names}
    assert saved_forms.SECRETS.keys() <= app.view_functions.keys()
