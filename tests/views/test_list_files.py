"""A list as a file: judged, noted, written by a worker, kept for one person and one day."""

import csv
import io
import json
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

from console.auth import access, accounts
from console.auth.access import policy_store
from console.browse import BrowseQuery, list_export, list_files
from console.core.errors import NotAllowed
from console.infra.db.engine import fetch, transaction

if TYPE_CHECKING:
    from tests.views.conftest import Browser, Page, Pages


@pytest.fixture(autouse=True)
def rights(pages: "Pages") -> None:
    access.grant("operator", "collection:customer", ["export"], "record.desk == 'retail'", team="operations")
    access.refresh()


def asked(browser: "Browser", address: str, form: str = "csv", status: int = 303) -> "Page":
    token = browser.get("/c/customer?segment=&view=1").form("/c/customer/view")["fields"]["csrf_token"]
    page = browser.post(address, {"csrf_token": token, "as": form}, status=status)
    return browser.follow() if status == 303 else page


def withdraw() -> None:
    """The operators may not take customers away any more."""
    fetch(
        "delete from console.policy where sub = 'role:operator' and act = 'export' and obj = 'collection:customer' returning 1"
    )
    access.grant("operator", "collection:account", ["export"], team="operations")
    access.refresh()


def link(page: "Page") -> str:
    return next(href for href in page.links if href.startswith("/exports/") and href.endswith("/file"))


def test_what_is_shown_is_saved_as_a_table_judged_and_noted(pages: "Pages") -> None:
    olivia = pages.olivia
    action = "/export/c/customer?sort=-id&columns=email&columns=risk"
    assert action in olivia.get("/c/customer?sort=-id&columns=email&columns=risk").html.replace("&amp;", "&")
    page = asked(olivia, action)
    assert "Waiting" in page.text
    address = olivia.answer.request.path
    olivia.get(f"{address}/file", status=404)
    assert pages.company.work()
    page = olivia.get(address)
    assert "Ready" in page.text
    olivia.get(link(page))
    assert list(csv.reader(io.StringIO(olivia.answer.data.decode("utf-8-sig")))) == [
        ["Customer", "Email", "Risk"],
        ['<script>alert(1)</script> "Robert\'); drop table"', "x@customers.example", ""],
        ["Tore Lindqvist", "tore@customers.example", "Low"],
        ["Adaeze Okonkwo-Bell", "adaeze@customers.example", ""],
    ], "what she may take away: the retail desk"
    bodies = [json.loads(bytes(row[0])) for row in fetch("select body from console.event")]
    [noted] = [body for body in bodies if body["type"] == "records_exported"]
    assert noted["data"]["open"]["fields"] == ["email", "risk"]
    raw = b"".join(part.read_bytes() for part in list_files._place(address.rpartition("/")[2]).iterdir())
    assert b"Lindqvist" not in raw, "it lies encrypted"
    assert "The file of a list that you asked for" in olivia.get("/notices").text


def test_a_spreadsheet_holds_numbers_as_numbers_and_no_formulas(pages: "Pages") -> None:
    pages.company.sql(
        "update customer set display_name = '=1+1', balance = 12.5, email = ? where id = 2", "y" * 59
    )
    pages.company.sql("update customer set balance = 12345678901234.56 where id = 1")
    olivia = pages.olivia
    asked(olivia, "/export/c/customer?sort=id&columns=balance&columns=email", "xlsx")
    address = olivia.answer.request.path
    pages.company.work()
    with ZipFile(io.BytesIO(olivia.client.get(f"{address}/file").data)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "=1+1" in sheet
    assert "<v>12.5</v>" in sheet
    assert "12,345,678,901,234.56" in sheet, "a number that would be rounded stays a text"


def test_only_who_asked_may_follow_and_fetch_and_only_as_long_as_they_may_take_it_away(
    pages: "Pages",
) -> None:
    olivia = pages.olivia
    asked(olivia, "/export/c/customer")
    address = olivia.answer.request.path
    pages.company.work()
    for other in (pages.tom, pages.mona, pages.ines, pages.stan):
        other.get(address, status=404)
        other.get(f"{address}/file", status=404)
    withdraw()
    olivia.get(f"{address}/file", status=403)
    assert "Nothing of it is handed out" in olivia.get(address).text
    asked(olivia, "/export/c/customer", status=403)


def test_a_file_with_more_than_may_be_taken_away_now_is_not_handed_out_and_made_again(pages: "Pages") -> None:
    olivia = pages.olivia
    asked(olivia, "/export/c/customer?columns=email&columns=risk")
    address = olivia.answer.request.path
    pages.company.work()
    assert "Make it again" not in olivia.get(address).text
    with transaction() as connection:
        policy_store.write(
            connection, added=access.parse("p, role:operator, *, field:customer/email, read, deny")
        )
    access.refresh()
    page = olivia.get(address)
    assert "Your rights in these records were changed" in page.text
    assert b"customers.example" not in olivia.client.get(f"{address}/file").data
    olivia.send(page, f"{address}/again")
    again = olivia.answer.headers["Location"]
    assert again != address
    pages.company.work()
    assert b"customers.example" not in olivia.client.get(f"{again}/file").data
    assert olivia.client.get(f"{again}/file").data.count(b"\n") == 4


def test_a_day_later_it_is_gone_and_its_bytes_with_it(pages: "Pages") -> None:
    olivia = pages.olivia
    asked(olivia, "/export/c/customer")
    address = olivia.answer.request.path
    pages.company.work()
    place = list_files._place(address.rpartition("/")[2])
    assert place.exists()
    fetch("update console.list_export set expires_at = now() - interval '1 second' returning 1")
    olivia.get(f"{address}/file", status=404)
    assert list_files.sweep() == 1
    assert not place.exists()


def test_it_can_be_stopped_three_at_once_are_enough_and_a_lost_right_is_said(pages: "Pages") -> None:
    olivia = pages.olivia
    page = asked(olivia, "/export/c/customer")
    address = olivia.answer.request.path
    olivia.send(page, address)
    assert "Stopped" in olivia.follow().text
    for _ in range(3):
        asked(olivia, "/export/c/customer")
    last = olivia.answer.request.path
    asked(olivia, "/export/c/customer", status=429)
    withdraw()
    pages.company.work()
    assert "Not made" in olivia.get(last).text


def test_programs_ask_poll_and_fetch(pages: "Pages") -> None:
    client = pages.olivia.client.application.test_client()
    keys = {
        name: accounts.create_key("tests", pages.company.people[name].id).text for name in ("olivia", "stan")
    }
    token, stans = ({"Authorization": f"Bearer {keys[name]}"} for name in ("olivia", "stan"))
    told = {"filter": {"field": "risk", "op": "eq", "value": "low"}, "columns": ["email"], "format": "csv"}
    answer = client.post("/api/v1/collections/customer/exports", json=told, headers=token)
    assert answer.status_code == 202, answer.text
    told_back = answer.get_json()
    assert (told_back["status"], told_back["href"]) == ("waiting", None)
    pages.company.work()
    found = client.get(f"/api/v1/exports/{told_back['id']}", headers=token).get_json()
    assert (found["status"], found["done"]) == ("done", found["total"])
    assert b"tore@customers.example" in client.get(found["href"], headers=token).data
    wrong = client.post(
        "/api/v1/collections/customer/exports", json=told | {"columns": ["tax_id"]}, headers=token
    )
    assert wrong.status_code == 400, "a field that she may not read is not there"
    assert client.get(f"/api/v1/exports/{told_back['id']}", headers=stans).status_code == 404


def test_a_right_lost_while_the_file_is_written_ends_it_and_all_pieces_make_the_list(
    pages: "Pages", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_export, "PAGE", 1)
    actor = accounts.actor_of_person(pages.company.people["olivia"].id, "sys:engine")
    export = list_export.require_list(actor, "customer", BrowseQuery(sort="-id"))
    found = [row.title for rows, _ in export.pieces() for row in rows]
    assert len(found) == 3
    pieces = export.pieces()
    assert [row.title for row in next(pieces)[0]] == found[:1]
    withdraw()
    with pytest.raises(NotAllowed):
        next(pieces)
