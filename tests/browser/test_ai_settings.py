"""The pages of the AI's settings in a real browser: nothing that axe finds, wide and narrow, light and dark; boxes that appear with what is chosen; trying a connection without leaving the page."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from console.ai.proposals import options, saving
from console.infra.db.engine import fetch
from tests.company import Company

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow

PAGES = (
    "/settings/ai",
    "/settings/ai/purposes",
    "/settings/ai/budgets",
    "/settings/ai/switches",
    "/settings/ai/house",
    "/settings/ai/redaction",
    "/settings/ai/redaction?collection=customer&record=1",
    "/settings/collections/customer/fields/email",
)
CALL = (
    "insert into console.ai_call (id, at, run, purpose, mode, status, code, model, provider, person, cost, ms, flags) values ('aic_1', now(), null, 'propose', 'assist', 'failed', 'timeout',"
    " 'model-1', 'anthropic', %s, 0.01, 900, array['suspicious_content']) returning 1"
)


def test_pages_have_no_fault(screens: Callable[..., "Screen"], company: Company) -> None:
    changes = {
        "collections": {"customer": "Not yet"},
        "house": {"prefix": "Be brief.", "suffix": ""},
        "budget": {"limits": [{"who": "all", "period": "day", "money": "0.01"}]},
    }
    saving.change(company.ines, changes, base=options.newest().version, note="For the picture")
    fetch(CALL, (company.olivia.id,))
    ines = screens().enter("ines")
    faults: list[str] = []
    for path in PAGES:
        ines.go(path)
        faults += ines.faults()
    ada = screens().enter("ada")
    for path in (
        "/settings/ai/calls",
        "/settings/ai/calls?status=failed",
        "/settings/ai/calls?status=ok",
        "/settings/ai/calls/aic_1",
    ):
        ada.go(path)
        faults += ada.faults()
    assert faults == []


def test_a_connection_is_tried_where_one_types(screens: Callable[..., "Screen"], company: Company) -> None:
    ines = screens().enter("ines")
    page = ines.go("/settings/ai")
    assert not page.is_visible("#f-key")
    page.check("[name=provider][value=openai_compatible]")
    page.fill("#f-model", "small")
    page.fill("#f-base_url", "https://models.invalid/v1")
    page.fill("#f-key", "sk-typed")
    page.click("text=Test connection")
    page.wait_for_selector("#tested .notice")
    assert "No connection" in page.inner_text("#tested")
    assert page.input_value("#f-key") == "sk-typed", "nothing that was typed is lost"
    page.click("text=Save")
    page.wait_for_selector("#f-base_url[aria-invalid]")
    assert page.input_value("#f-key") == "sk-typed"
    assert ines.faults() == []
    assert options.newest().version == 0
