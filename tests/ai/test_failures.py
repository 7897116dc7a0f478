"""What an endpoint answers instead of an answer, as codes and figures."""

import json
from typing import Any

from hypothesis import given, strategies as st

from console.ai import failures
from tests.tables import cases


def wrong(kind: object = None, message: object = "Something.", code: object = None) -> bytes:
    return json.dumps({"type": "error", "error": {"type": kind, "message": message, "code": code}}).encode()


@cases(
    ("status", "body", "code"),
    [
        (400, wrong("invalid_request_error"), "bad_request"),
        (400, wrong("invalid_request_error", "Your credit balance is too low to access the API."), "billing"),
        (
            400,
            wrong("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
            "bad_request",
        ),
        (400, wrong(None, "x", "model_not_found"), "model_not_found"),
        (401, wrong("authentication_error"), "auth"),
        (402, wrong("billing_error"), "billing"),
        (403, wrong("permission_error"), "auth"),
        (403, wrong("billing_error"), "billing"),
        (404, wrong("not_found_error"), "model_not_found"),
        (404, b"<html>", "model_not_found"),
        (429, wrong("rate_limit_error"), "rate_limited"),
        (
            429,
            wrong("insufficient_quota", "You exceeded your current quota", "insufficient_quota"),
            "billing",
        ),
        (429, wrong(None, "x", 429), "rate_limited"),
        (500, wrong("api_error"), "overloaded"),
        (500, wrong("authentication_error"), "overloaded"),
        (529, b"", "overloaded"),
        (200, wrong("overloaded_error"), "overloaded"),
        (200, wrong("rate_limit_error"), "rate_limited"),
        (200, wrong("authentication_error"), "auth"),
        (200, wrong("something_new"), "malformed"),
        (200, b"", "malformed"),
        (200, b"{}", "malformed"),
        (200, b"[]", "malformed"),
        (204, b"", "malformed"),
        (302, b"", "malformed"),
        (599, b"", "overloaded"),
        (999, b"", "overloaded"),
    ],
)
def test_codes(status: int, body: bytes, code: str) -> None:
    assert failures.of_status(status, body, {}).code == code


@cases(
    ("status", "headers", "passing"),
    [
        (408, {}, True),
        (429, {}, True),
        (500, {}, True),
        (529, {}, True),
        (529, {"x-should-retry": "false"}, False),
        (400, {}, False),
        (401, {}, False),
        (404, {}, False),
        (200, {}, False),
        (302, {}, False),
    ],
)
def test_what_may_pass(status: int, headers: dict[str, str], passing: bool) -> None:
    assert failures.of_status(status, b"", headers).passing is passing


@cases(
    ("value", "counted"),
    [
        (0, 0),
        (1, 1),
        (278, 278),
        (12.7, 12),
        (-3, 0),
        ("many", 0),
        ("12", 0),
        (None, 0),
        (True, 0),
        ([1], 0),
        ({}, 0),
        (float("nan"), 0),
        (float("inf"), 0),
        (2**31, 0),
        (10**40, 0),
    ],
)
def test_figures_that_count(value: Any, counted: int) -> None:
    assert failures.count(value) == counted


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(
    st.integers(100, 999),
    st.binary()
    | json_values.map(lambda value: json.dumps(value).encode())
    | json_values.map(lambda value: json.dumps({"error": value}).encode()),
    st.dictionaries(
        st.sampled_from(["retry-after", "retry-after-ms", "request-id", "content-type"]), st.text()
    ),
)
def test_nothing_that_is_answered_is_a_fault_of_ours(
    status: int, body: bytes, headers: dict[str, str]
) -> None:
    error = failures.of_status(status, body, headers, secret="k")
    assert error.detail
    assert len(error.detail) < 400
    assert error.retry_after_s is None or error.retry_after_s >= 0
