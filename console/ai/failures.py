"""Maps errors of a model's endpoint to our codes. No input or output here."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from console.core.proposal_types import Code, ProviderError
from console.infra.outbound import retry_after

STATUS: dict[int, Code] = {
    400: "bad_request",
    401: "auth",
    402: "billing",
    403: "auth",
    404: "model_not_found",
    408: "timeout",
    413: "bad_request",
    429: "rate_limited",
}
"""Code by HTTP status; other 5xx are overloaded, other 4xx a bad request, the rest malformed."""

TYPES: dict[str, Code] = {
    "invalid_request_error": "bad_request",
    "authentication_error": "auth",
    "permission_error": "auth",
    "billing_error": "billing",
    "insufficient_quota": "billing",
    "not_found_error": "model_not_found",
    "model_not_found": "model_not_found",
    "request_too_large": "bad_request",
    "rate_limit_error": "rate_limited",
    "rate_limit_exceeded": "rate_limited",
    "timeout_error": "timeout",
    "overloaded_error": "overloaded",
    "api_error": "overloaded",
    "server_error": "overloaded",
    "invalid_api_key": "auth",
}
"""Code by the error type in the body; used if the status is 200 or less specific."""

MORE_TELLING = frozenset({"insufficient_quota", "billing_error", "model_not_found"})
PASSING = frozenset({"timeout", "rate_limited", "overloaded"})
_BILLING = re.compile(r"credit balance|billing|quota exceeded|payment", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")


def of_status(
    status: int, body: bytes, headers: Mapping[str, str], *, secret: str | None = None
) -> ProviderError:
    """An answer that is none. `secret` (the key) is cut out of the words that are kept."""
    error = error_of(body)
    kind = next(
        (name for name in (error.get("code"), error.get("type")) if isinstance(name, str) and name in TYPES),
        "",
    )
    code = _code_of_status(status)
    if status == 200 or kind in MORE_TELLING:
        code = TYPES.get(kind) or _code_of_status(
            _number(error.get("code")) or _number(error.get("status")) or status
        )
    message = _words(error.get("message"), secret)
    if status == 400 and _BILLING.search(message):
        code = "billing"
    return ProviderError(
        code,
        detail(status, message or _kind(body, headers)),
        retry_after_s=retry_after.seconds(headers),
        passing=code in PASSING and headers.get("x-should-retry") != "false",
        request_id=_line(headers.get("request-id") or headers.get("x-request-id")),
    )


def _code_of_status(status: int) -> Code:
    return STATUS.get(status) or (
        "overloaded" if status >= 500 else "bad_request" if status >= 400 else "malformed"
    )


def _number(code: Any) -> int | None:
    """A status that stands in the body, as gateways write it which answer 200 themselves."""
    text = str(code)
    return int(text) if re.fullmatch("[45][0-9]{2}", text) else None


def is_error(body: Any) -> bool:
    """Whether a body that came with 200 tells of an error instead of an answer."""
    return not isinstance(body, dict) or body.get("type") == "error" or bool(body.get("error"))


def detail(status: int, message: str) -> str:
    """One sentence of what was answered."""
    if 300 <= status < 400:
        return f"It answered {status}, a redirect, which is not followed: the base URL may be another one."
    return f"It answered {status}: {message}" if message else f"It answered {status}."


def _kind(body: bytes, headers: Mapping[str, str]) -> str:
    """Words for an answer without a message of its own: a web page, or something unreadable; else empty."""
    if "html" in headers.get("content-type", "").lower():
        return "a web page, not an answer"
    return "" if isinstance(read_json(body), dict) else "nothing that could be read"


def error_of(body: bytes) -> dict[str, Any]:
    """The `error` of a body of JSON, in one of the shapes that are about: an object, a text, or the body itself; empty where it is something else."""
    whole = read_json(body)
    if not isinstance(whole, dict):
        return {}
    inner = whole.get("error", whole)
    return inner if isinstance(inner, dict) else {"message": inner}


def read_json(body: bytes) -> Any:
    """The value, None where it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def count(value: Any) -> int:
    """A number of tokens, 0 where it is none: answers of a model's endpoint are checked by nobody else."""
    fits = (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and 0 < value < 2**31
    )
    return int(value) if fits else 0


def _words(message: Any, secret: str | None) -> str:
    text = _BLANKS.sub(" ", message).strip() if isinstance(message, str) else ""
    return (text.replace(secret, "…") if secret else text)[:300]


def _line(text: str | None) -> str | None:
    return text[:200] if text and text.isprintable() else None
