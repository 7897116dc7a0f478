"""What was looked at is in the log before the page leaves, and no page leaves without it."""

from typing import TYPE_CHECKING

import pytest

from console.infra.db.engine import fetch

if TYPE_CHECKING:
    from tests.views.conftest import Pages


def looks() -> list[str]:
    """Kinds of what the session of Olivia has in the log, in order."""
    found = fetch(
        "select convert_from(body, 'UTF8')::json->>'type' from console.event where run = (select run from console.event"
        " where convert_from(body, 'UTF8')::json->>'type' = 'signed_in' order by id desc limit 1) order by run_seq"
    )
    return [kind for (kind,) in found]


@pytest.mark.parametrize(
    ("path", "kind"), [("/c/customer", "record_listed"), ("/c/customer/1", "record_viewed")]
)
def test_a_look_is_in_the_log_when_the_page_is_here(pages: "Pages", path: str, kind: str) -> None:
    pages.olivia.get(path)
    assert looks()[-1] == kind
    before = len(looks())
    pages.olivia.get(path)
    assert looks()[before:] == [kind]


def test_no_page_leaves_without_its_look(pages: "Pages", monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Adaeze" in pages.olivia.get("/c/customer").text
    before = looks()
    monkeypatch.setenv("HANDRAIL_FAULT", "log.write.after=raise")
    refused = pages.olivia.client.get("/c/customer")
    monkeypatch.undo()
    assert refused.status_code == 500
    assert "customers.example" not in refused.text
    assert "Content-Security-Policy" in refused.headers
    assert set(looks()[len(before) :]) == {"record_listed"}
