"""A process's own log: a line is one JSON object, whatever was put into it, and holds no secret."""

import json
import logging
import sys

from console import diagnostics
from tests.tables import cases


def line(message: str, *arguments: object, error: bool = False) -> dict[str, object]:
    trace = None
    if error:
        try:
            raise ValueError("postgresql://console:hush@db/console")
        except ValueError:
            trace = sys.exc_info()
    text = diagnostics.JsonLines().format(logging.LogRecord("console.test", logging.WARNING, __file__, 1, message, arguments, trace))
    assert "\n" not in text
    told: dict[str, object] = json.loads(text)
    return told


def test_a_line_tells_when_who_and_what() -> None:
    told = line("%s events", 3)
    assert (told["level"], told["logger"], told["message"]) == ("warning", "console.test", "3 events")
    assert str(told["at"]).endswith("Z")
    assert isinstance(told["pid"], int)


def test_line_breaks_cannot_forge_a_line() -> None:
    assert line('signed in\r\n{"level": "info"}')["message"] == 'signed in\r\n{"level": "info"}'


def test_a_trace_is_in_the_same_line_without_what_is_secret() -> None:
    trace = str(line("failed", error=True)["trace"])
    assert "ValueError: postgresql://console:***@db/console" in trace


@cases(
    ("text", "shown"),
    [
        ("postgresql://console:p%40ss@db:5432/x", "postgresql://console:***@db:5432/x"),
        ("postgresql://console@db/x", "postgresql://console@db/x"),
        ("key cns_key1_AbCdEf-123 refused", "key cns_key1_*** refused"),
        ("Authorization: Bearer abc.def-ghi_jkl", "Authorization: Bearer ***"),
        ("password=hush&email=a@b.c", "password=***&email=a@b.c"),
        ("{'csrf_token': 'IjUz.aw', 'step': 'load'}", "{'csrf_token': '***', 'step': 'load'}"),
        ('{"secret": "x y"}', '{"secret": "*** y"}'),
        ("Cookie: console=eyJ", "Cookie: ***"),
        ("the token of the next step", "the token of the next step"),
    ],
)
def test_secrets_are_blacked_out(text: str, shown: str) -> None:
    assert diagnostics.without_secrets(text) == shown
