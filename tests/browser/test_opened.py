"""Whether a document was opened, said at once where it is said at all."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.company import Company
from tests.documents.test_documents_checked import send
from tests.papers import at_note, pdf, workflow

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow

STEP: dict[str, Any] = {
    "type": "update_data",
    "config": {"form": [{"name": "evidence", "label": "Evidence", "type": "files"}, {"name": "why", "label": "Why", "type": "long_text"}]},
    "content": [{"block": "document", "document": "'evidence'"}],
    "next": {"default": "rate"},
}


def test_a_document_is_told_as_opened_as_soon_as_its_page_is_there(screens: Callable[..., "Screen"], company: Company) -> None:
    workflow("looked", STEP)
    run_id = at_note(company, "looked", "2")
    send(company, run_id, pdf(2))
    olivia = screens().enter("olivia")
    page = olivia.go(f"/runs/{run_id}")
    page.wait_for_selector("[data-opened]:has-text('Page 2 was never opened')")
    page.fill("#f-why", "Half a sen")
    page.click(".viewer a:has-text('Next page')")
    page.wait_for_selector("[data-opened=yes]:has-text('All 2 pages opened')")
    assert page.input_value("#f-why") == "Half a sen"
    assert olivia.faults() == []
