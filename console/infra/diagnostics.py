"""What a process says about itself: one JSON object a line on standard error, without secrets, whatever was put into it.

This is no audit log (that is `console.log`): it is for whoever runs the machines.
"""

import json
import logging
import logging.config
import re
from datetime import UTC, datetime
from typing import Any

SECRETS = (
    (re.compile(r"(://[^:/@\s]*:)[^@\s/]+@"), r"\1***@"),  # the password of a database URL
    (re.compile(r"\b(cns_[A-Za-z0-9]+_)[A-Za-z0-9_-]+"), r"\1***"),  # an API key: its id may be known
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9+/_.=~-]{8,}"), r"\1 ***"),
    (
        re.compile(
            r"(?i)\b((?:password|secret|token|cookie|csrf_token|api_key)[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;}]+"
        ),
        r"\1***",
    ),
)


class JsonLines(logging.Formatter):
    """A record as `{"at", "level", "logger", "pid", "message", "trace"?}`; line breaks are escaped, so nobody can write a line of their own."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        entry: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
            "message": without_secrets(record.getMessage()),
        }
        if record.exc_info:
            entry["trace"] = without_secrets(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)


def without_secrets(text: str) -> str:
    """The text with passwords of URLs, keys and tokens blacked out."""
    for pattern, replacement in SECRETS:
        text = pattern.sub(replacement, text)
    return text


def configuration(level: str = "WARNING") -> dict[str, Any]:
    """For `logging.config.dictConfig` and for granian, which takes the same."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "console.infra.diagnostics.JsonLines"}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}
        },
        "root": {"level": level, "handlers": ["stderr"]},
        "loggers": {"_granian": {"level": level, "handlers": ["stderr"], "propagate": False}},
    }


def configure(level: str = "WARNING") -> None:
    """Set this process's log up."""
    logging.config.dictConfig(configuration(level))
    logging.captureWarnings(capture=True)
