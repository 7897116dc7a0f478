"""Lines for whoever runs the machines: no secret gets into one, whichever way it was logged."""

import io
import json
import logging
from typing import Any

import pytest

from console.infra import diagnostics
from tests.tables import cases

SECRET = "hush-Hush_123"


@pytest.fixture
def told() -> Any:
    """(a logger, its lines so far) with the console's own format."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(diagnostics.JsonLines())
    log = logging.getLogger("console.secrets")
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.DEBUG)
    yield log, lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    log.handlers, log.propagate = [], True


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://console:{SECRET}@db/x",
        f"mysql+pymysql://root:{SECRET}@127.0.0.1:3306/x?charset=utf8",
        f"redis://:{SECRET}@cache/0",
        f"one postgresql://a:{SECRET}@x/y two postgresql://b:{SECRET}@x/y",
        f"password={SECRET}",
        f"PASSWORD = {SECRET}",
        f'{{"password": "{SECRET}", "email": "a@b.c"}}',
        f"{{'token': '{SECRET}'}}",
        f"api_key={SECRET}&page=2",
        f"csrf_token={SECRET};",
        f"Authorization: Bearer {SECRET}",
        f"authorization: basic {SECRET}==",
        f"key cns_AbC1_{SECRET} is unknown",
    ],
)
def test_a_secret_is_black_in_messages_arguments_and_traces(told: Any, text: str) -> None:
    log, lines = told
    log.warning(text.replace("%", "%%"))
    log.error("failed: %s", text)
    log.error("%(what)s", {"what": text})
    try:
        raise RuntimeError(text) from ValueError(text)
    except RuntimeError:
        log.exception("no luck")
    found = lines()
    assert len(found) == 4
    assert SECRET not in json.dumps(found)
    assert "***" in found[0]["message"]
    assert "***" in found[3]["trace"]


@pytest.mark.parametrize(
    "text", ["line\nbreak", "\r\n{}", "\x00", "\u2028", "\x1b[31mred", '"}', "ünï 😀", ""]
)
def test_any_text_is_one_line_that_reads_back(told: Any, text: str) -> None:
    log, _ = told
    log.info("%s", text)
    line = json.loads(log.handlers[0].stream.getvalue())
    assert line["message"] == text
    assert set(line) == {"at", "level", "logger", "pid", "message"}


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
def test_each_level_is_named(told: Any, level: str) -> None:
    log, lines = told
    getattr(log, level)("x")
    assert [line["level"] for line in lines()] == [level]


@cases(
    "text",
    [
        "http://example.org/path@2x.png",
        "https://example.org:8443/x",
        "mail a@b.c about it",
        "the password was changed",
        "step token_check done",
        "10:30:00 @ office",
        "cns_ is how keys begin",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert diagnostics.without_secrets(text) == text


def test_the_configuration_writes_json_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        diagnostics.configure("ERROR")
        logging.getLogger("console.any").error("one %s", "two")
        logging.getLogger("console.any").warning("too quiet")
        assert [json.loads(line)["message"] for line in capsys.readouterr().err.splitlines()] == ["one two"]
    finally:
        logging.captureWarnings(capture=False)
        root.handlers[:], root.level = before, level
