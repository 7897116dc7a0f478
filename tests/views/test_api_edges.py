"""Whatever is sent to the API, the answer is JSON of one shape: unknown addresses, other methods, broken and hostile bodies."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from console.auth import accounts
from console.views.app import create_app
from tests.company import Company

JSON = {"Content-Type": "application/json"}
RUN = "/api/v1/runs"
DEEP = b'{"workflow": ' + b'{"a":' * 101 + b"1" + b"}" * 101 + b"}"
HOSTILE: list[tuple[str, str, bytes | None, dict[str, str], int, str]] = [
    ("GET", "/api", None, {}, 404, "not_found"),
    ("GET", "/api/", None, {}, 404, "not_found"),
    ("GET", "/api/v1", None, {}, 404, "not_found"),
    ("GET", "/api/v1/nothing", None, {}, 404, "not_found"),
    ("GET", "/api/v2/me", None, {}, 404, "not_found"),
    ("GET", "/api/v1/me/", None, {}, 404, "not_found"),
    ("GET", "/api/v1/runs/../me", None, {}, 404, "not_found"),
    ("GET", "/api/v1/%00", None, {}, 404, "not_found"),
    ("GET", "/api/v1/runs/%00", None, {}, 404, "not_found"),
    ("GET", "/api/v1/runs/%ff", None, {}, 404, "not_found"),
    ("GET", "/api/v1/collections/%00/records/%00", None, {}, 404, "not_found"),
    ("GET", "/api/v1/workflows/care-review/versions/x", None, {}, 404, "not_found"),
    ("DELETE", "/api/v1/me", None, {}, 405, "method_not_allowed"),
    ("POST", "/api/v1/me", b"{}", JSON, 405, "method_not_allowed"),
    ("POST", "/api/docs", b"{}", JSON, 405, "method_not_allowed"),
    ("POST", "/api/openapi.json", b"{}", JSON, 405, "method_not_allowed"),
    ("TRACE", RUN, None, {}, 405, "method_not_allowed"),
    ("POST", RUN, b"{}", {}, 415, "not_json"),
    ("POST", RUN, b"{}", {"Content-Type": "text/json"}, 415, "not_json"),
    ("POST", RUN, b"{}", {"Content-Type": "application/json; charset=latin-1"}, 415, "not_json"),
    ("POST", RUN, "{}".encode("utf-16"), JSON, 400, "malformed"),
    ("POST", RUN, b"\xef\xbb\xbf{}", JSON, 422, "invalid"),
    ("POST", RUN, b"", JSON, 422, "invalid"),
    ("POST", RUN, b"{", JSON, 400, "malformed"),
    ("POST", RUN, b"[]", JSON, 400, "malformed"),
    ("POST", RUN, b'{"workflow": NaN}', JSON, 400, "malformed"),
    ("POST", RUN, b'{"workflow": -Infinity}', JSON, 400, "malformed"),
    ("POST", RUN, b'{"workflow": "a", "workflow": "b"}', JSON, 400, "malformed"),
    ("POST", RUN, b'{"workflow": "a", "input": {"why": 1, "why": 2}}', JSON, 400, "malformed"),
    ("POST", RUN, b'{"workflow": "\\ud800"}', JSON, 400, "malformed"),
    ("POST", RUN, b'{"workflow": "\xff"}', JSON, 400, "malformed"),
    ("POST", RUN, DEEP, JSON, 400, "malformed"),
    ("POST", RUN, b"[" * 200_000, JSON, 400, "malformed"),
    ("POST", RUN, b'{"workflow": 1' + b"0" * 5_000 + b"}", JSON, 422, "invalid"),
    ("POST", RUN, b'{"workflow": 1.5}', JSON, 422, "invalid"),
    ("POST", RUN, b'{"workflow": "' + b"x" * 3_000_000 + b'"}', JSON, 413, "too_large"),
    ("POST", RUN, b'{"workflow": "a\\u0000b"}', JSON, 404, "not_found"),
    ("POST", RUN, b'{"workflow": 99999999999999999999999999}', JSON, 422, "invalid"),
    ("POST", RUN, b'{"workflow": ""}', JSON, 422, "invalid"),
    ("POST", RUN, b'{"__proto__": 1}', JSON, 422, "invalid"),
    (
        "POST",
        f"{RUN}/run_x/complete",
        b'{"step": "a", "revision": 99999999999999999999999, "values": {}}',
        JSON,
        422,
        "invalid",
    ),
    ("POST", f"{RUN}/run_x/complete", b'{"step": "a", "revision": true, "values": {}}', JSON, 422, "invalid"),
    ("POST", f"{RUN}/run_x/complete", b'{"step": "a", "revision": 1.5, "values": {}}', JSON, 422, "invalid"),
    ("POST", "/api/v1/files", b"{}", JSON, 415, "not_json"),
    ("POST", "/api/v1/files", b"", {"Content-Type": "multipart/form-data"}, 422, "invalid"),
    ("GET", "/api/v1/runs?status=shut", None, {}, 400, "malformed"),
    ("GET", "/api/v1/runs?status=saved&status=saved", None, {}, 400, "malformed"),
    ("GET", "/api/v1/runs?record=%00", None, {}, 400, "malformed"),
    ("GET", "/api/v1/runs?after=%00", None, {}, 400, "malformed"),
    ("GET", "/api/v1/collections?after=nothing", None, {}, 400, "malformed"),
    ("GET", "/api/v1/collections/customer/records?colour=1", None, {}, 400, "malformed"),
]


@pytest.fixture(name="web", scope="module")
def fixture_web(module_company: Company) -> Flask:
    """The application over one company."""
    assert module_company.people
    return create_app()


@pytest.fixture(name="client", scope="module")
def fixture_client(web: Flask, module_company: Company) -> FlaskClient:
    """Olivia's program."""
    client = web.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = (
        f"Bearer {accounts.create_key('edges', module_company.olivia.id).text}"
    )
    return client


def test_one_shape_whatever_goes_wrong(client: FlaskClient) -> None:
    for method, path, body, headers, status, code in HOSTILE:
        answer = client.open(path, method=method, data=body, headers=headers)
        told = answer.get_json() if answer.is_json else {}
        assert (answer.status_code, told.get("code")) == (status, code), (
            method,
            path,
            (body or b"")[:60],
            answer.text[:200],
        )
        assert {"code", "message", "details"} <= told.keys()
        assert isinstance(told["details"], list)
        assert answer.headers["X-Request-Id"]
        assert answer.headers["Cache-Control"] == "no-store"
        if status == 422:
            assert all(detail["field"] and detail["reason"] for detail in told["details"])


SLASHES = (
    "//api/v1/me",
    "//api/v1/nothing",
    "/api//v1/me",
    "/api/v1//me",
    "///api",
    "//hooks/x//y",
    "/mcp/",
    "//mcp/x",
)


def test_who_writes_too_many_slashes_is_answered_as_a_program_and_never_let_in_by_a_session(
    web: Flask, client: FlaskClient
) -> None:
    for path in SLASHES:
        there = path == "//api/v1/me"
        for method, status in (
            ("GET", 200 if there else 404),
            ("POST", 405 if there else 404),
            ("DELETE", 405 if there else 404),
        ):
            answer = client.open(
                "/", method=method, data=b"{}", headers=JSON, environ_overrides={"PATH_INFO": path}
            )
            assert (answer.status_code, answer.mimetype) == (status, "application/json"), (
                method,
                path,
                answer.text,
            )
        stranger = web.test_client().get("/", environ_overrides={"PATH_INFO": path})
        assert (stranger.status_code, stranger.mimetype) == (401 if there else 404, "application/json"), path


@pytest.mark.parametrize(
    "path", ["/api/v1/me", "/api/v1/collections/customer/records", "/api/v1/workflows", "/api/openapi.json"]
)
def test_head_is_get_without_its_body(client: FlaskClient, path: str) -> None:
    head, got = client.head(path), client.get(path)
    assert (head.status_code, head.data, head.mimetype) == (200, b"", got.mimetype)


def test_options_say_what_an_address_takes(client: FlaskClient, web: Flask) -> None:
    answer = client.options(RUN)
    assert (answer.status_code, answer.data, set(answer.headers["Allow"].split(", "))) == (
        204,
        b"",
        {"GET", "HEAD", "OPTIONS", "POST"},
    )
    assert "Content-Type" not in answer.headers
    assert web.test_client().options(RUN).status_code == 401


def test_a_list_of_collections_has_pages(client: FlaskClient) -> None:
    first = client.get("/api/v1/collections?limit=1").get_json()
    second: dict[str, Any] = client.get(f"/api/v1/collections?limit=1&after={first['next']}").get_json()
    assert ([one["id"] for one in first["data"] + second["data"]], second["next"]) == (
        ["customer", "account"],
        None,
    )


def test_a_body_that_cannot_be_read_says_where_and_what_to_do(client: FlaskClient) -> None:
    cases = {
        b'{"workflow": "a", "input": {"why": ["x", "cut \\ud83d"]}}': ("input.why[1]", "Half of a character"),
        b'{"input": {"\\ude00": 1}}': ("input.?", "Half of a character"),
        b'{"input": {"a\\u0000b": 1}}': ("ab", "NUL"),
        b'{"workflow": "\xed\xa0\xbd"}': (None, "not in UTF-8: byte 15"),
        b'{"workflow": 1,}': (None, "line 1, column 16"),
        b'{"workflow": NaN}': (None, "NaN is no number"),
    }
    for body, (field, words) in cases.items():
        told = client.post(RUN, data=body, headers=JSON).get_json()
        assert (told["code"], [each["field"] for each in told["details"]]) == (
            "malformed",
            [] if field is None else [field],
        ), body
        assert words in f"{told['message']} {told['details']}", told


def test_a_whole_number_may_be_sent_as_a_fraction_wherever_one_is_asked_for(
    client: FlaskClient, module_company: Company
) -> None:
    run = module_company.at("note", "3")
    revision = module_company.told(run)["revision"]
    saved = client.post(f"{RUN}/{run}/save", data=f'{{"revision": {revision}.0}}', headers=JSON)
    assert (saved.status_code, saved.get_json()["status"]) == (200, "saved"), saved.text
    for odd in ("0.5", "1e400", "1e999999999", "9e99", '"1"', "true"):
        refused = client.post(f"{RUN}/{run}/resume", data=f'{{"revision": {odd}}}', headers=JSON)
        assert (refused.status_code, refused.get_json()["details"][0]["field"]) == (422, "revision"), odd
