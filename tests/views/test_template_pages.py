"""Templates of ordinary businesses as pages: one page shows the fields that were found, and asks for the others."""

import sqlite3
from contextlib import closing
from pathlib import Path

from console import sources, workflows
from console.auth import access
from tests.company import WORKING
from tests.views.conftest import Pages

BOOKS = """
create table invoice (id integer primary key, invoice_number text not null, amount numeric(12, 2), due_date date,
    state text check (state in ('open', 'approved', 'rejected')));
insert into invoice values (1, 'INV-7', 1250, '2026-12-24', 'open');
create table konto (nr integer primary key, inhaber text, kennung text, zustand text check (zustand in ('neu', 'gut', 'aus')));
"""


def test_one_page_shows_which_fields_were_found_and_asks_for_the_others(pages: Pages, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "books.db")) as connection:
        connection.executescript(BOOKS)
    sources.add("books", f"sqlite:///{tmp_path}/books.db", may={"operations_lead": WORKING})
    access.refresh()
    mona = pages.mona
    page = mona.get("/workflows/new")
    found = mona.send(page, "/workflows/new", begin="invoice-approval", do=None, status=200)
    bound = found.form("/workflows/new")["fields"]
    assert (bound["collection"], bound["field.amount"]) == ("books.invoice", "amount")
    assert "Such as 1,250.00" in found.text, "a sample of the field that was found"
    assert "INV-7" in found.text
    assert "invoice-approval" not in {each.slug for each in workflows.all_known()}, "nothing is made yet"
    mona.post("/workflows/new", bound)
    assert mona.answer.headers["Location"] == "/workflows/invoice-approval/edit"
    draft = workflows.open_draft(pages.company.mona, "invoice-approval")
    assert draft.document["collection"] == "books.invoice"
    assert draft.document["variables"] == {
        "approve_above": 500,
        "approved": "approved",
        "rejected": "rejected",
    }
    assert draft.document["steps"][1]["config"]["fields"] == ["invoice_number", "amount", "due_date", "state"]
    assert workflows.problems(draft) == []

    asked = mona.send(page, "/workflows/new", begin="order-exception", do=None, status=200)
    asked = mona.send(asked, "/workflows/new", collection="books.konto", do=None, status=200)
    other = mona.send(asked, "/workflows/new", collection="books.invoice", do=None, status=200)
    assert other.form("/workflows/new")["fields"]["matched"] == "books.invoice", "its fields are shown first"
    columns = {"field.number": "kennung", "field.status": "zustand"}
    asked = mona.post(
        "/workflows/new", asked.form("/workflows/new")["fields"] | columns | {"do": "match"}, status=200
    )
    assert "Status: Released" in asked.text
    states = {"field.released": "gut", "field.cancelled": "aus"}
    mona.post("/workflows/new", columns | asked.form("/workflows/new")["fields"] | states)
    document = workflows.open_draft(pages.company.mona, "order-exception").document
    assert document["variables"] == {"released": "gut", "cancelled": "aus"}
    assert (
        next(each for each in document["steps"] if each["id"] == "released")["config"]["set"][0]["field"]
        == "zustand"
    )

    for hidden in ("company.secret", "nothing"):
        mona.send(asked, "/workflows/new", collection=hidden, status=422)
