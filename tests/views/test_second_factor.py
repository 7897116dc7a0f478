"""The second factor as somebody with a browser and a telephone meets it: set up, asked for, replaced, lost, and required."""

import dataclasses
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pyotp
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from console import log
from console.auth import accounts
from console.auth.accounts import entry, entry_changes, factors, signing_in
from console.infra.db.engine import fetch
from tests.company import PASSWORD
from tests.views.conftest import Browser, Page

if TYPE_CHECKING:
    from tests.company import Company
    from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy

SETUP = "/settings/me/second-factor"
SENT_WITHIN_S = 8


def rules(**changes: Any) -> None:
    """What the page of the settings would write."""
    entry_changes.store(accounts.COMMAND_LINE, dataclasses.replace(entry.current(), **changes))


def code(secret: str, steps: int = 0) -> str:
    """What the app shows now, or so many steps from now, by the clock of the database: never at the end of a step."""
    past = time_of_database() % 30
    if past > 30 - SENT_WITHIN_S:
        time.sleep(30 - past)
    return pyotp.TOTP(secret).generate_otp(int(time_of_database() // 30) + steps)


def time_of_database() -> float:
    return float(fetch("select extract(epoch from clock_timestamp())")[0][0])


def secret_of(page: Page) -> str:
    found = re.search(r'id="secret">([A-Z2-7 ]+)<', page.html)
    assert found
    return found[1].replace(" ", "")


def enrolled(browser: Browser) -> tuple[str, list[str]]:
    """(secret, recovery codes) of who has just set it up with the code of the step before, so that the present one is still good."""
    page = browser.get(SETUP)
    secret = secret_of(page)
    told = browser.send(page, SETUP, status=200, code=code(secret, -1))
    codes = re.findall(r"<code>([A-Z2-7-]+)</code>", told.html)
    assert len(codes) == len(set(codes)) == 10
    return secret, codes


def password_shown(pages: "Pages", name: str, password: str = PASSWORD) -> tuple[FlaskClient, TestResponse]:
    client = pages.app.test_client()
    client.environ_base["HTTP_ORIGIN"] = "http://localhost"
    told = Page(client.get("/sign-in?next=/c").text).form("/sign-in")["fields"]
    return client, client.post(
        "/sign-in", data=told | {"email": f"{name}@fernwick.example", "password": password}
    )


def code_shown(client: FlaskClient, text: str) -> TestResponse:
    told = Page(client.get("/sign-in/code?next=/c").text).form("/sign-in/code")["fields"]
    return client.post("/sign-in/code", data=told | {"code": text})


def last(kind: str, chain: str) -> dict[str, object]:
    return next(
        dict(event.body["data"]["open"]) for event in reversed(log.events_of(chain)) if event.type == kind
    )


def test_after_setting_it_up_signing_in_asks_for_a_code(pages: "Pages") -> None:
    secret, _ = enrolled(pages.olivia)
    assert "10 recovery codes are left" in pages.olivia.get("/settings/me").text
    client, answer = password_shown(pages, "olivia")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in/code?next=/c")
    assert client.get("/c").headers["Location"] == "/sign-in?next=/c"  # the password alone opens nothing
    assert code_shown(client, "000000").status_code == 422
    good = code(secret)
    answer = code_shown(client, f" {good[:3]} {good[3:]} ")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/c")
    assert client.get("/c").status_code == 200
    again, _ = password_shown(pages, "olivia")
    assert code_shown(again, good).status_code == 422  # a code is taken once
    assert code_shown(again, code(secret, 1)).status_code == 303
    assert [one.method for one in accounts.sessions_of(pages.company.olivia)] == [
        "password+totp",
        "password+totp",
        "password",
    ]


@pytest.mark.parametrize("steps", [-3, -2, 2, 3])
def test_only_the_step_before_and_after_are_taken(pages: "Pages", steps: int) -> None:
    secret = secret_of(pages.olivia.get(SETUP))
    for wrong in (code(secret, steps), "", "12345", "abcdef", "１２３４５６", "\0" * 6):
        told = pages.olivia.send(pages.olivia.get(SETUP), SETUP, status=422, code=wrong)
        assert "is not the code of this moment" in told.text
        assert secret_of(told) == secret  # the telephone has it already
    assert accounts.factor_of(pages.company.olivia.id) is None


def test_a_recovery_code_works_once(pages: "Pages") -> None:
    _, codes = enrolled(pages.olivia)
    client, _ = password_shown(pages, "olivia")
    assert code_shown(client, codes[3].lower()).status_code == 303
    assert "9 recovery codes are left" in Browser(client).get("/settings/me").text
    again, _ = password_shown(pages, "olivia")
    assert code_shown(again, codes[3]).status_code == 422
    renewed = pages.olivia.post(SETUP + "/codes", {"csrf_token": pages.olivia.token}, status=200)
    assert code_shown(again, codes[4]).status_code == 422
    assert code_shown(again, re.findall(r"<code>([A-Z2-7-]+)</code>", renewed.html)[0]).status_code == 303


def test_secrets_are_kept_sealed_and_codes_hashed(pages: "Pages") -> None:
    secret, codes = enrolled(pages.olivia)
    told = str(
        fetch("select f::text from console.second_factor f")
        + fetch("select c::text from console.recovery_code c")
    )
    assert secret not in told
    assert secret.encode().hex() not in told
    assert not any(one.replace("-", "") in told for one in codes)
    fetch(
        "update console.second_factor set person = %s returning 1", (pages.company.tom.id,)
    )  # moved to another row, it opens nothing
    with pytest.raises(Exception, match="second_factor"):
        factors.accepts(pages.company.tom.id, code(secret))


def test_the_codes_can_be_downloaded_and_nothing_else_goes_into_the_file(pages: "Pages") -> None:
    page = pages.olivia.get(SETUP)
    told = pages.olivia.send(page, SETUP, status=200, code=code(secret_of(page)))
    pages.olivia.send(told, "/codes.txt", status=200)
    answer = pages.olivia.answer
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert (
        len(re.findall(r"^[A-Z2-7]{7}-[A-Z2-7]{7}-[A-Z2-7]{7}-[A-Z2-7]{5}\r$", answer.text, re.MULTILINE))
        == 10
    )
    pages.olivia.post(
        SETUP + "/codes.txt", {"csrf_token": pages.olivia.token, "codes": "<script> =1+1 GOOD"}, status=200
    )
    assert "script" not in pages.olivia.answer.text
    assert "=1" not in pages.olivia.answer.text


def test_guessing_codes_slows_down_and_says_nothing_new(pages: "Pages") -> None:
    secret, _ = enrolled(pages.olivia)
    client, _ = password_shown(pages, "olivia")
    told = {
        code_shown(client, f"00000{number}").text.partition('role="alert"')[2].partition("</div>")[0]
        for number in range(signing_in.PER_CODE)
    }
    fetch(
        "update console.throttle set until = now() + interval '1 minute' where key like 'code:%%' returning 1"
    )
    answer = code_shown(client, code(secret))
    assert answer.status_code == 422
    assert {answer.text.partition('role="alert"')[2].partition("</div>")[0]} == told
    assert last("sign_in_failed", signing_in.STRANGER.session)["reason"] == "throttled"


def test_the_way_from_password_to_code_is_short_and_belongs_to_one_browser(pages: "Pages") -> None:
    secret, _ = enrolled(pages.olivia)
    client, _ = password_shown(pages, "olivia")
    stranger = pages.app.test_client()
    assert stranger.get("/sign-in/code").headers["Location"] == "/sign-in"
    fetch("update console.one_time set until = now() where kind = 'code' returning 1")
    told = {
        "csrf_token": Page(client.get("/sign-in").text).form("/sign-in")["fields"]["csrf_token"],
        "code": code(secret),
    }
    answer = client.post("/sign-in/code", data=told)
    assert answer.status_code == 422
    assert "took too long" in answer.text


@pytest.mark.parametrize(
    ("name", "must"), [("ines", True), ("ada", True), ("mona", True), ("olivia", False), ("stan", False)]
)
def test_who_administers_audits_or_approves_sets_it_up_before_anything_else(
    pages: "Pages", name: str, must: bool
) -> None:
    rules(second_factor="roles")
    browser: Browser = getattr(pages, name)
    assert browser.client.get("/c").status_code == (303 if must else 200)
    if not must:
        return
    assert browser.client.get("/c").headers["Location"] == SETUP
    assert browser.client.get("/c", headers={"HX-Request": "true"}).headers["HX-Redirect"] == SETUP
    assert (
        browser.client.get(
            "/notices?shown=0", headers={"HX-Request": "true", "X-Background": "1"}
        ).status_code
        == 204
    )  # else the page would lead to itself
    token = browser.get(SETUP).form("/sign-out")["fields"]["csrf_token"]
    for path in ("/settings/me/profile", SETUP + "/remove", "/notices/read"):
        assert browser.client.post(path, data={"csrf_token": token}).headers["Location"] == SETUP
    enrolled(browser)
    assert browser.get("/c").text
    assert "Remove" not in browser.get("/settings/me").text
    told = browser.post(SETUP + "/remove", {"csrf_token": token}, status=409)
    assert "can be replaced, not removed" in told.text


def test_everybody_may_be_asked(pages: "Pages") -> None:
    rules(second_factor="everybody")
    assert pages.stan.client.get("/c").headers["Location"] == SETUP


def test_replacing_keeps_the_old_one_until_the_new_one_is_confirmed(pages: "Pages") -> None:
    first, _ = enrolled(pages.olivia)
    page = pages.olivia.get(SETUP)
    second = secret_of(page)
    assert second != first
    client, _ = password_shown(pages, "olivia")
    assert code_shown(client, code(first)).status_code == 303
    pages.olivia.send(page, SETUP, status=200, code=code(second))
    again, _ = password_shown(pages, "olivia")
    assert code_shown(again, code(first, 1)).status_code == 422
    assert code_shown(again, code(second, 1)).status_code == 303
    assert last("factor_changed", "sys:config") == {
        "person": pages.company.olivia.id,
        "factor": "totp",
        "change": "replaced",
    }


def test_removed_it_is_not_asked_for(pages: "Pages") -> None:
    enrolled(pages.olivia)
    pages.olivia.send(pages.olivia.get("/settings/me"), SETUP + "/remove")
    assert "removed" in pages.olivia.follow().text
    _, answer = password_shown(pages, "olivia")
    assert answer.headers["Location"] == "/c"
    assert fetch("select count(*) from console.recovery_code") == [(0,)]
    pages.olivia.post(SETUP + "/remove", {"csrf_token": pages.olivia.token}, status=409)


def test_a_secret_that_waits_is_of_one_session_and_not_for_ever(pages: "Pages") -> None:
    secret = secret_of(pages.olivia.get(SETUP))
    other, _ = password_shown(pages, "olivia")
    assert secret_of(Page(other.get(SETUP).text)) != secret
    fetch("update console.one_time set until = now() returning 1")
    told = pages.olivia.post(SETUP, {"csrf_token": pages.olivia.token, "code": code(secret)}, status=409)
    assert "Start again" in told.text


def test_of_two_browsers_with_one_code_one_gets_in(company: "Company") -> None:
    secret = factors.begin(company.olivia).secret
    factors.confirm(company.olivia, code(secret, -1))
    good = code(secret)
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: factors.accepts(company.olivia.id, good), range(8)))
    assert sorted(one or "" for one in told) == [*[""] * 7, "totp"]
