"""Where a form comes from, what every response carries, how much is taken in."""

import re
import time

import pytest
from flask import Flask, session
from flask.testing import FlaskClient

from console.infra import settings
from console.views import assets, security
from console.views.app import MAX_BODY_BYTES, create_app
from tests.conftest import Database, web_app

HOST = "http://localhost"
STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def token(browser: FlaskClient) -> str:
    """What the sign-in page would send along."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/sign-in").text)
    assert found
    return found[1]


@pytest.fixture
def browser(clean: Database) -> FlaskClient:
    """One that says nothing of itself."""
    return web_app().test_client()


class TestForms:
    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"Sec-Fetch-Site": "same-origin"}, 422),
            ({"Sec-Fetch-Site": "none"}, 422),
            ({"Sec-Fetch-Site": "same-site", "Origin": HOST}, 403),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Sec-Fetch-Site": "cross-site", "Origin": HOST}, 403),
            ({"Origin": HOST}, 422),
            ({"Origin": "http://localhost:80"}, 422),
            ({"Origin": "https://localhost"}, 403),
            ({"Origin": "http://localhost:8000"}, 403),
            ({"Origin": "http://localhost.evil.example"}, 403),
            ({"Origin": "http://evil.example"}, 403),
            ({"Origin": "null"}, 403),
            ({"Origin": "http://[broken"}, 403),
            ({"Origin": ""}, 403),
            ({}, 403),
            ({"Referer": f"{HOST}/sign-in"}, 403),
        ],
    )
    def test_it_must_come_from_a_page_of_ours(
        self, browser: FlaskClient, headers: dict[str, str], status: int
    ) -> None:
        sent = browser.post(
            "/sign-in",
            data={"csrf_token": token(browser), "email": "x@example.com", "password": "y"},
            headers=headers,
        )
        assert sent.status_code == status

    @pytest.mark.parametrize("told", ["", "forged", None])
    def test_it_must_carry_the_token_of_this_browser(self, client: FlaskClient, told: str | None) -> None:
        token(client)
        refused = client.post(
            "/sign-in",
            data={"email": "x@example.com", "password": "y"} | ({} if told is None else {"csrf_token": told}),
        )
        assert refused.status_code == 403
        assert "Reload it and send it again" in refused.text

    def test_the_token_of_another_browser_is_not_enough(self, app: Flask, client: FlaskClient) -> None:
        refused = client.post(
            "/sign-in",
            data={"csrf_token": token(app.test_client()), "email": "x@example.com", "password": "y"},
        )
        assert refused.status_code == 403

    def test_htmx_sends_it_as_a_header(self, client: FlaskClient) -> None:
        assert (
            client.post(
                "/sign-in",
                data={"email": "x@example.com", "password": "y"},
                headers={"X-CSRFToken": token(client)},
            ).status_code
            == 422
        )

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    def test_other_unsafe_methods_are_no_way_around(self, browser: FlaskClient, method: str) -> None:
        assert browser.open("/sign-out", method=method).status_code == 405
        assert browser.post("/sign-out").status_code == 403

    def test_looking_needs_nothing(self, browser: FlaskClient) -> None:
        assert browser.get("/sign-in", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200
        assert browser.head("/sign-in").status_code == 200

    def test_programs_are_asked_for_their_key_instead(self, browser: FlaskClient) -> None:
        answer = browser.post("/api/v1/runs", json={}, headers={"Origin": "http://evil.example"})
        assert (answer.status_code, answer.json and answer.json["code"]) == (401, "not_signed_in")

    def test_behind_a_proxy_the_address_that_people_use_is_ours(
        self, clean: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CONSOLE_BASE_URL", "https://ops.example.com")
        settings.current.cache_clear()
        browser = create_app().test_client()
        told = {"csrf_token": token(browser), "email": "x@example.com", "password": "y"}
        for origin, status in (
            ("https://ops.example.com", 422),
            ("https://ops.example.com:443", 422),
            ("http://ops.example.com", 403),
        ):
            assert browser.post("/sign-in", data=told, headers={"Origin": origin}).status_code == status


class TestHeaders:
    @pytest.mark.parametrize(
        "path",
        [
            "/sign-in",
            "/",
            "/no-such-page",
            "/health",
            "/api/v1/me",
            "/static/css/base.css",
            "/static/none.css",
        ],
    )
    def test_every_response_carries_them(self, browser: FlaskClient, path: str) -> None:
        headers = browser.get(path, buffered=True).headers
        assert headers["Content-Security-Policy"] == STRICT
        assert {name: headers[name] for name in security.HEADERS} == dict(security.HEADERS)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "Strict-Transport-Security" not in headers
        assert headers["X-Request-Id"]

    def test_over_https_browsers_are_told_to_stay_there(self, browser: FlaskClient) -> None:
        assert (
            browser.get("/sign-in", base_url="https://localhost").headers["Strict-Transport-Security"]
            == "max-age=31536000; includeSubDomains"
        )

    @pytest.mark.parametrize(
        ("path", "kept"),
        [
            ("/sign-in", "no-store"),
            ("/", "no-store"),
            ("/health", "no-store"),
            ("/api/v1/me", "no-store"),
            ("/static/none.css?v=1", "no-store"),
            ("/static/css/base.css", "public, max-age=3600"),
            ("/static/css/base.css?v=12ab", "public, max-age=31536000, immutable"),
            ("/static/vendor/inter-4.1.1/inter.woff2", "public, max-age=31536000, immutable"),
        ],
    )
    def test_nothing_is_kept_by_browsers_but_files(self, browser: FlaskClient, path: str, kept: str) -> None:
        assert browser.get(path, buffered=True).headers["Cache-Control"] == kept

    @pytest.mark.parametrize(
        ("path", "accepted", "sent"),
        [
            ("/sign-in", "gzip, deflate, br, zstd", "br"),
            ("/sign-in", "gzip", "gzip"),
            ("/sign-in", "identity", None),
            ("/static/css/panel.css", "gzip, br", "br"),
            ("/static/js/page.js", "br", "br"),
            ("/static/vendor/tabler-icons-3.51.0/icons.svg", "br", "br"),
            ("/static/vendor/inter-4.1.1/inter.woff2", "br", None),
            ("/api/openapi.json", "br, gzip", None),
        ],
    )
    def test_pages_and_their_files_are_packed_and_answers_to_programs_are_not(
        self, browser: FlaskClient, path: str, accepted: str, sent: str | None
    ) -> None:
        answer = browser.get(path, headers={"Accept-Encoding": accepted}, buffered=True)
        assert answer.status_code == 200
        assert answer.headers.get("Content-Encoding") == sent
        assert ("Accept-Encoding" in answer.headers.get("Vary", "")) is (
            answer.mimetype in create_app().config["COMPRESS_MIMETYPES"]
        )

    def test_a_part_of_a_file_is_sent_as_it_lies(self, browser: FlaskClient) -> None:
        answer = browser.get(
            "/static/css/panel.css", headers={"Accept-Encoding": "br", "Range": "bytes=10-19"}, buffered=True
        )
        whole = assets.shortened("css/panel.css")
        assert whole is not None
        assert b"/*" not in whole
        assert (answer.status_code, answer.data, answer.headers.get("Content-Encoding")) == (
            206,
            whole[10:20],
            None,
        )

    def test_a_page_and_its_fragments_are_told_apart_by_caches(self, browser: FlaskClient) -> None:
        assert "HX-Request" in browser.get("/sign-in").headers["Vary"]

    def test_every_request_has_a_name_of_its_own(self, browser: FlaskClient) -> None:
        names = [
            browser.get("/health", headers={"X-Request-Id": "forged"}).headers["X-Request-Id"]
            for _ in range(3)
        ]
        assert len(set(names)) == 3
        assert "forged" not in names


class TestProxies:
    def seen(
        self, monkeypatch: pytest.MonkeyPatch, proxies: str, headers: dict[str, str]
    ) -> tuple[str | None, bool]:
        """The address and whether https, as the application sees a request through so many trusted proxies."""
        monkeypatch.setenv("CONSOLE_TRUSTED_PROXIES", proxies)
        settings.current.cache_clear()
        made = create_app()
        found: list[tuple[str | None, bool]] = []

        def look() -> str:
            from flask import request

            found.append((request.remote_addr, request.is_secure))
            return ""

        assert "health.show" in made.view_functions
        made.view_functions["health.show"] = look
        made.test_client().get("/health", headers=headers)
        return found[0]

    @pytest.mark.parametrize(
        ("proxies", "forwarded", "address"),
        [
            ("0", "203.0.113.9", "127.0.0.1"),
            ("1", "203.0.113.9", "203.0.113.9"),
            ("1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
            ("2", "6.6.6.6, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        ],
    )
    def test_the_address_is_taken_from_as_many_as_are_trusted(
        self, clean: Database, monkeypatch: pytest.MonkeyPatch, proxies: str, forwarded: str, address: str
    ) -> None:
        scheme = ", ".join(["https"] * (forwarded.count(",") + 1))
        assert self.seen(
            monkeypatch, proxies, {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": scheme}
        ) == (address, proxies != "0")


class TestSize:
    def test_a_form_that_is_too_large_is_answered_413(self, client: FlaskClient) -> None:
        refused = client.post("/sign-in", data={"csrf_token": token(client), "email": "x" * MAX_BODY_BYTES})
        assert refused.status_code == 413
        assert "larger than the console takes" in refused.text

    def test_what_just_fits_is_read(self, client: FlaskClient) -> None:
        told = {
            "csrf_token": token(client),
            "email": "x@example.com",
            "password": "y",
            "next": "/" + "x" * (MAX_BODY_BYTES // 2),
        }
        assert client.post("/sign-in", data=told).status_code == 422


@pytest.mark.parametrize(("ahead_s", "taken"), [(0, True), (60, True), (-60, True), (3600, False)])
def test_a_cookie_of_a_machine_whose_clock_is_a_little_ahead_is_taken(
    app: Flask, monkeypatch: pytest.MonkeyPatch, ahead_s: int, taken: bool
) -> None:
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("itsdangerous.timed.time.time", lambda now=time.time: now() + ahead_s)
        cookie = serializer.dumps({"word": "kept", "list": ["mutable"]})
    with app.test_request_context("/", headers={"Cookie": f"__Host-console={cookie}; console={cookie}"}):
        assert ("word" in session) is taken
