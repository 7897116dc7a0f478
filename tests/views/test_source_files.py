"""A database file that may not be read is refused where it was typed."""

from pathlib import Path

import pytest

from console.infra import settings
from tests.views.conftest import Pages


def test_a_file_that_may_not_be_read_is_refused_in_the_form_and_nothing_typed_is_lost(
    pages: Pages, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONSOLE_SQLITE_FOLDERS", str(tmp_path))
    settings.current.cache_clear()
    ines = pages.ines
    ines.get("/settings/sources/new")
    page = ines.post(
        "/settings/sources/new",
        {"csrf_token": ines.token, "kind": "sqlite", "database": "/srv/club.db"},
        status=422,
    )
    assert "CONSOLE_SQLITE_FOLDERS" in page.text
    assert 'value="/srv/club.db"' in page.html
    assert "Go to Home" not in page.text
