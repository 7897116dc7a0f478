"""Files and documents in a real browser: sent ahead, dropped, looked at by keyboard; and the page outside on a phone."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from console.documents import requests
from tests.company import Company
from tests.papers import asking, evidence, pdf, picture

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow

DROP = """
() => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array([255, 216, 255])], "cut.jpg", { type: "image/jpeg" }));
  document.querySelector("[data-upload]").dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
}
"""
DRAWN = "() => document.querySelector('.sheet img')?.naturalWidth > 0"


def papers(folder: Path) -> dict[str, Path]:
    """Files to be chosen, by name."""
    made = {"letter.pdf": pdf(3), "shop.jpg": picture(), "page.html": b"<html>"}
    for name, content in made.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in made}


def test_evidence_is_sent_ahead_and_looked_at_by_keyboard(
    screens: Callable[..., "Screen"], company: Company, tmp_path: Path
) -> None:
    run_id, chosen = evidence(company), papers(tmp_path)
    olivia = screens().enter("olivia")
    olivia.go(f"/runs/{run_id}").set_input_files("#f-evidence", [chosen["letter.pdf"], chosen["shop.jpg"]])
    olivia.page.wait_for_selector("[data-files] a:has-text('shop.jpg')")
    olivia.page.wait_for_selector("#saved:has-text('Draft saved')")
    olivia.page.set_input_files("#f-evidence", chosen["page.html"])
    olivia.page.wait_for_selector("[data-upload-error]:has-text('web page or other markup')")
    olivia.page.evaluate(DROP)
    olivia.page.wait_for_selector("[data-upload-error]:has-text('damaged')")
    assert olivia.page.inner_text("#open-fields") == "Nothing is open"
    assert olivia.faults() == []
    olivia.go(f"/runs/{run_id}")
    assert olivia.page.locator("[data-files] li").count() == 2
    olivia.page.click(".tabs a:has-text('Documents')")
    olivia.page.click("#context .docs a:has-text('letter.pdf')")
    olivia.page.wait_for_function(DRAWN)
    olivia.page.locator("#step-title").focus()
    for key, words in ((".", "page=2"), ("o", "turn=90"), ("+", "zoom=1"), (",", "page=1")):
        olivia.press(key)
        olivia.page.wait_for_url(re.compile(words))
    olivia.page.wait_for_function(DRAWN)
    assert olivia.faults() == []
    olivia.page.click("[data-remove] >> nth=0")
    olivia.press("Control+Enter")
    olivia.heading("Rate the risk")
    assert [one["name"] for one in company.told(run_id)["context"]["note"]["evidence"]] == ["shop.jpg"]


def test_the_page_outside_on_a_phone_and_the_asker_beside_it(
    screens: Callable[..., "Screen"], company: Company, tmp_path: Path
) -> None:
    run_id, chosen = asking(company), papers(tmp_path)
    path = "/request/" + requests.link(company.olivia, run_id, "").rpartition("/")[2]
    for scheme, width in (("light", 390), ("dark", 1440)):
        outside = screens(width, 844, scheme)
        outside.go(path)
        assert outside.faults() == []
    outside = screens(390, 844)
    outside.go(path).set_input_files("#d-extract", chosen["letter.pdf"])
    outside.page.wait_for_selector(".badge:has-text('Received')")
    outside.page.click("button[value=send]")
    outside.page.wait_for_selector("[role=alert]:has-text('Not sent off yet')")
    assert outside.faults() == []
    outside.page.fill("[name='v.iban']", "LT45")
    asker = screens().enter("olivia")
    asker.go(f"/runs/{run_id}")
    asker.page.wait_for_selector("text=1 of 2 received")
    assert asker.faults() == []
    outside.page.click("button[value=send]")
    outside.page.wait_for_selector("text=Thank you, everything has been sent off.")
    assert outside.faults() == []
    assert outside.context.cookies() == []
    assert company.told(run_id)["current"]["step"] == "rate"
