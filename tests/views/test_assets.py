"""What is sent for the files of pages: ours shortened, those of others as they are."""

import subprocess
from typing import Any

import pytest

from console.views import assets


def test_every_script_of_ours_is_sent_with_short_names_and_without_comments() -> None:
    long = {
        name: text
        for name in {*assets._own(), *assets.TOGETHER}
        if name.endswith(".js") and (text := assets._text(name)) is not None
    }
    sent = {name: assets.shortened(name) or b"" for name in long}
    assert [
        name for name, text in long.items() if not 100 < len(sent[name]) < 0.96 * len(text.encode())
    ] == []
    assert [
        name
        for name, text in long.items()
        if text.startswith("//") and text.partition("\n")[0].encode() in sent[name]
    ] == []


def test_where_the_shortener_fails_scripts_are_sent_as_they_were_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        return subprocess.CompletedProcess(
            [], 1, "", "Traceback\nModuleNotFoundError: No module named 'minify'"
        )

    assets._short_scripts.cache_clear()
    assets.shortened.cache_clear()
    monkeypatch.setattr(subprocess, "run", fails)
    sent, written = assets.shortened("js/tick.js"), assets._text("js/tick.js")
    assets._short_scripts.cache_clear()
    assets.shortened.cache_clear()
    assert written is not None
    assert sent == written.encode()


def test_a_file_of_others_is_sent_as_it_lies() -> None:
    assert assets.shortened("vendor/chart.js-4.6.1/chart.umd.min.js") is None
    assert assets.shortened("css/nothing.css") is None
