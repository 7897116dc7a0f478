"""An import that somebody stops while lines are written: it says so until they are, and then counts all of them."""

from typing import TYPE_CHECKING

import pytest

from console.auth import accounts
from console.infra import jobs
from console.infra.db.engine import fetch
from console.messaging.imports import import_batches, imports
from tests.conftest import web_app
from tests.jobs import work_until_idle
from tests.views.test_contact_import import broken_at, club, counts, kept, why

if TYPE_CHECKING:
    from tests.company import Company
    from tests.views.conftest import Pages

__all__ = ["club"]


def told_by_api(company: "Company", ident: str) -> tuple[str, str | None, int]:
    """(status, why, how many are new) as programs read them."""
    key = accounts.create_key("import", company.olivia.id).text
    answer = (
        web_app()
        .test_client()
        .get(f"/api/v1/contacts/contact/imports/{ident}", headers={"Authorization": f"Bearer {key}"})
    )
    assert answer.json is not None
    return answer.json["status"], answer.json["why"], answer.json["counts"]["new"]


def test_a_stopped_import_counts_the_lines_that_were_begun_and_those_left_out_among_them(
    club: "Pages", monkeypatch: pytest.MonkeyPatch
) -> None:
    company = club.company
    monkeypatch.setattr(imports, "AT_ONCE", 10)
    numbers = [0, 1, 2, 1, 3, 0, 4, 5, 6, 7, *range(8, 30)]
    lines = "".join(f"Lead {number},l{number}@stopped.example,new\n" for number in numbers)
    looked = kept(company, f"name,email,stage\n{lines}")
    broken_at(monkeypatch, "imports.tell.before", lambda: import_batches.confirm(company.olivia, looked.id))
    ident = f"{looked.id}_do"
    import_batches.cancel(company.olivia, ident)
    page = club.olivia.get(f"/imports/{ident}").text
    assert ("Stopping: 0 added so far" in page, "added, stopped" in page) == (True, False)
    assert "every 1s" in club.olivia.answer.text, "it is followed"
    assert "stopping, 0 added" in club.olivia.get("/import/c/contact").text
    assert told_by_api(company, ident) == (
        "running",
        "Somebody stopped it; the lines that were begun are still written.",
        0,
    )
    work_until_idle({jobs.IMPORT})
    found = import_batches.get(company.olivia, ident)
    assert (found.status, counts(found)) == ("cancelled", (8, 0, 0, 2))
    assert {line: reasons[-1] for line, reasons in why(found).items()} == {
        5: "It stands on line 3.",
        7: "It stands on line 2.",
    }
    assert told_by_api(company, ident) == ("cancelled", None, 8)
    page = club.olivia.get(f"/imports/{ident}").text
    assert ("Stopping" in page, "8 added, stopped" in page) == (False, True)


def test_an_import_that_goes_on_is_not_taken_back(club: "Pages", monkeypatch: pytest.MonkeyPatch) -> None:
    looked = kept(club.company, "name,email,stage\nBo,bo@post.example,new\n")
    monkeypatch.setattr(import_batches, "AT_HAND_S", -1)
    ident = import_batches.confirm(club.company.olivia, looked.id).id
    club.olivia.post(f"/imports/{ident}", {"csrf_token": club.olivia.token, "do": "take_back"}, status=422)
    assert fetch("select count(*) from console.bulk") == [(0,)]
