"""The export of the activity log as a person takes it: in both themes, on a telephone, and without script."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from console.activity import sequencing
from console.log import tree_heads, verify
from tests.company import Company

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("width", "scheme", "script"), [(1440, "dark", True), (390, "light", True), (390, "light", False)]
)
def test_an_archive_is_downloaded_and_proves_itself(
    screens: Callable[..., Any], company: Company, tmp_path: Path, width: int, scheme: str, script: bool
) -> None:
    company.finished("1")
    sequencing.sequence_and_sign()
    screen = screens(width, 844, scheme, script)
    page = screen.go("/sign-in")
    page.fill("#email", "ada@fernwick.example")
    page.fill("#password", "correct horse battery staple")
    page.click("main button[type=submit], form[method=post] button")
    page.wait_for_url(f"{screen.url}/")
    screen.go("/activity?kind=run_started")
    page.click("summary:has-text('Export')")
    page.get_by_text("Events, oldest first. Event: Run started.").wait_for()
    page.get_by_text("Archive with proofs").click()
    expect(page.locator("input[value=zip]")).to_be_checked()
    page.fill("#since", "1")
    if script:
        assert screen.faults() == []
    with page.expect_download() as download:
        page.click("form[action='/activity/export'] button")
    saved = tmp_path / download.value.suggested_filename
    download.value.save_as(saved)
    assert zipfile.is_zipfile(saved)
    assert verify.verify(saved, [str(tree_heads.verifier_key())], None).startswith(
        "verified 1 events, chosen from "
    )
