"""Templates of ordinary businesses as pages: one click where the fields are known, else one page that asks for all of them."""

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
create table konto (nr integer primary key, inhaber text, kennung text, zustand text check (zustand in ('neu', 'gut', 'aus')));
"""


def test_one_click_makes_a_draft_where_the_fields_are_known_and_else_all_are_asked_at_once(
    pages: Pages, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "books.db")) as connection:
        connection.executescript(BOOKS)
    sources.add("books", f"sqlite:///{tmp_path}/books.db", may={"operations_lead": WORKING})
    access.refresh()
    mona = pages.mona
    page = mona.get("/workflows/new")
    mona.send(page, "/workflows/new", begin="invoice-approval", do=None)
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
