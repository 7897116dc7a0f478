"""What people do to their own account, showing again who they are, new passwords by link and mail, sessions, networks: one company for all of it."""

import dataclasses
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from console import log
from console.auth import access, accounts
from console.auth.accounts import entry, entry_changes, factors, one_time, password_letters, profile, sessions
from console.core.actor import Actor
from console.core.errors import NotAllowed, NotFound
from console.infra import settings
from console.infra.db.engine import fetch
from tests.company import PASSWORD, Company
from tests.conftest import web_app
from tests.servers import outside
from tests.views.conftest import Browser, Page, Pages
from tests.views.test_second_factor import code, enrolled

pytestmark = pytest.mark.lengthy

NEW = "nine quiet owls drum"


@pytest.fixture(scope="module")
def house(module_company: Company) -> Pages:
    """One for the whole module."""
    return Pages(module_company, web_app())


@pytest.fixture(autouse=True)
def usual(house: Pages) -> Iterator[None]:
    """Signing in as it is by default, nobody slowed down; each test has browsers of its own."""
    rules(step_up=True, networks=(), idle_minutes=30, whole_minutes=720, second_factor="off")
    fetch("delete from console.throttle returning 1")
    fetch("delete from console.one_time returning 1")
    house._browsers.clear()
    yield
    entry_changes.open_again(accounts.COMMAND_LINE)


def rules(**changes: Any) -> None:
    entry_changes.store(accounts.COMMAND_LINE, dataclasses.replace(entry.current(), **changes))


def long_ago(minutes: int = 6) -> None:
    """Everybody showed last so many minutes ago who they are."""
    fetch(f"update console.session set proved_at = now() - interval '{minutes} minutes' returning 1")


def token_of(browser: Browser) -> str:
    with browser.client.session_transaction() as session:
        return str(session["_user_id"])


def actor_of(browser: Browser) -> Actor:
    known = accounts.session_of(token_of(browser))
    assert known is not None
    return known.actor


def signed_in(house: Pages, name: str, agent: str = "test", password: str = PASSWORD) -> Browser:
    """One more browser of somebody."""
    client = house.app.test_client()
    client.environ_base |= {"HTTP_ORIGIN": "http://localhost", "HTTP_USER_AGENT": agent}
    told = Page(client.get("/sign-in").text).form("/sign-in")["fields"]
    assert (
        client.post(
            "/sign-in", data=told | {"email": f"{name}@fernwick.example", "password": password}
        ).status_code
        == 303
    )
    return Browser(client)


def kinds(chain: str) -> list[str]:
    return [event.type for event in log.events_of(chain)]


# --- profile and password -----------------------------------------------------------------------------------------------------


def test_the_profile_is_ones_own_to_change(house: Pages) -> None:
    page = house.rosa.get("/settings/me")
    house.rosa.send(page, "/profile", name="Rosa Pérez", locale="de", zone="Europe/Berlin", theme="dark")
    assert "theme=dark" in house.rosa.answer.headers["Set-Cookie"]
    page = house.rosa.follow()
    assert "Your profile was saved" in page.text
    assert page.form("/profile")["fields"] | {"csrf_token": ""} == {
        "csrf_token": "",
        "name": "Rosa Pérez",
        "locale": "de",
        "zone": "Europe/Berlin",
        "theme": "dark",
    }
    who = actor_of(house.rosa)
    assert (who.name, who.locale, who.zone) == ("Rosa Pérez", "de", "Europe/Berlin")
    event = log.events_of("sys:config")[-1]
    assert event.body["data"]["open"] == {"person": who.id, "fields": ["locale", "name", "theme", "zone"]}
    assert event.values["new"]["name"] == "Rosa Pérez"
    before = len(log.events_of("sys:config"))
    house.rosa.send(page, "/profile")
    assert len(log.events_of("sys:config")) == before


def test_a_changed_password_ends_every_other_session_and_changes_this_token(house: Pages) -> None:
    here, there = signed_in(house, "tom"), signed_in(house, "tom")
    former = token_of(here)
    page = here.get("/settings/me")
    for told, field in (
        ({"former": "wrong wrong wrong", "new": NEW}, "former"),
        ({"former": PASSWORD, "new": "password1234"}, "new"),
        ({"former": PASSWORD, "new": PASSWORD}, "new"),
        ({"former": PASSWORD, "new": "short"}, "new"),
    ):
        wrong = here.send(page, "/password", status=422, **told)
        assert wrong.with_attribute("aria-invalid")[0]["name"] == field
        assert PASSWORD not in wrong.html
    here.send(page, "/password", former=PASSWORD, new=NEW)
    assert here.get("/settings/me").text
    assert there.client.get("/settings/me").status_code == 303
    assert accounts.session_of(former) is None
    assert accounts.sign_in("tom@fernwick.example", PASSWORD, "127.0.0.1", "test") is None
    fetch("delete from console.throttle returning 1")
    accounts.set_password(house.company.tom.id, PASSWORD)


# --- sessions -----------------------------------------------------------------------------------------------------------------

AGENTS = [
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Firefox on Windows",
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0",
        "Edge on Windows",
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile Safari/604.1",
        "Safari on iPhone",
    ),
    (
        "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
        "Chrome on Android",
    ),
    ("curl/8.14", "Unknown device"),
    ("", "Unknown device"),
]


def test_ones_sessions_are_listed_and_ended(house: Pages) -> None:
    mine = house.olivia
    sessions.end_others(actor_of(mine))
    others = [signed_in(house, "olivia", agent) for agent, _ in AGENTS]
    page = mine.get("/settings/me")
    for _, words in AGENTS:
        assert words in page.text
    assert page.text.count("This session") == 1
    ends = [form["action"] for form in page.forms if form["action"].endswith("/end")]
    assert len(ends) == len(AGENTS)
    victim = actor_of(others[0]).session
    mine.post(f"/settings/me/sessions/{victim}/end", {"csrf_token": mine.token})
    assert others[0].client.get("/c").status_code == 303
    assert others[1].client.get("/c").status_code == 200
    mine.post(f"/settings/me/sessions/{victim}/end", {"csrf_token": mine.token}, status=404)
    stan = actor_of(house.stan).session
    mine.post(f"/settings/me/sessions/{stan}/end", {"csrf_token": mine.token}, status=404)
    assert house.stan.client.get("/c").status_code == 200
    mine.send(mine.get("/settings/me"), "/end-others")
    assert f"{len(AGENTS) - 1} other sessions were ended" in mine.follow().text
    assert {browser.client.get("/c").status_code for browser in others} == {303}
    assert mine.client.get("/c").status_code == 200


def test_an_admin_ends_anybodys_sessions_and_nobody_else_does(house: Pages) -> None:
    browser = signed_in(house, "stan")
    with pytest.raises(NotAllowed):
        sessions.end_all(house.company.olivia, house.company.stan.id)
    assert sessions.end_all(house.company.ines, house.company.stan.id) >= 1
    assert browser.client.get("/c").status_code == 303


def test_other_roles_are_another_token_and_what_is_under_way_is_not_cut_off(house: Pages) -> None:
    browser = signed_in(house, "stan")
    former = token_of(browser)
    access.assign(house.company.stan.id, [("buyer", "procurement"), ("operator", "operations")])
    try:
        assert browser.client.get("/c").status_code == 200
        assert token_of(browser) != former
        assert accounts.session_of(former) is not None  # a request that left before
        fetch(
            "update console.session set former_until = now() - interval '1 second' where former_until is not null returning 1"
        )
        assert accounts.session_of(former) is None
        kept = token_of(browser)
        assert browser.client.get("/c").status_code == 200
        assert token_of(browser) == kept
    finally:
        access.assign(house.company.stan.id, [("buyer", "procurement")])


def test_of_two_requests_at_once_one_gets_the_new_token(house: Pages) -> None:
    token = token_of(signed_in(house, "stan"))
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda _: sessions.renewed(token), range(4)))
    assert sum(one is not None for one in told) == 1


@pytest.mark.parametrize(
    ("idle", "seen", "alive"),
    [
        (1, "50 seconds", True),
        (1, "61 seconds", False),
        (1440, "23 hours 59 minutes", True),
        (1440, "24 hours 1 minute", False),
    ],
)
def test_idle_sessions_end_when_the_settings_say(house: Pages, idle: int, seen: str, alive: bool) -> None:
    rules(idle_minutes=idle, whole_minutes=2 * 1440)
    browser = signed_in(house, "stan")
    fetch(
        "update console.session set seen_at = now() - %s::interval where id = %s returning 1",
        (seen, actor_of(browser).session),
    )
    assert (browser.client.get("/c").status_code == 200) is alive


def test_what_a_page_asks_by_itself_keeps_no_session_awake(house: Pages) -> None:
    browser = signed_in(house, "stan")
    session = actor_of(browser).session
    fetch(
        "update console.session set seen_at = now() - interval '20 minutes' where id = %s returning 1",
        (session,),
    )
    for path in ("/notices?shown=0", "/session"):
        answer = browser.client.get(path, headers={"X-Background": "1", "HX-Request": "true"})
        assert 590 <= int(answer.headers["X-Session-Left"]) <= 600
    told = browser.client.get("/session").get_json()
    assert told["left"] == 1800
    assert 43_000 < told["most"] <= 43_200


def test_the_cookie_of_somebody_who_signed_out_is_worth_nothing(house: Pages) -> None:
    browser = signed_in(house, "stan")
    cookie = browser.client.get_cookie("console")
    browser.post("/sign-out", {"csrf_token": browser.token})
    thief = house.app.test_client()
    assert cookie is not None
    thief.set_cookie("console", cookie.value)
    assert thief.get("/c").status_code == 303
    assert thief.get("/session").status_code == 303


def test_what_was_typed_is_there_again_after_signing_in_again(house: Pages) -> None:
    browser, other = signed_in(house, "stan"), signed_in(house, "tom")
    told = {
        "csrf_token": browser.token,
        "page": "/settings/me?x=1",
        "forms": '[["/settings/me/profile", [["name", "Half", null]]]]',
    }
    browser.post("/session/kept", told, status=200)
    assert "Half" not in str(fetch("select o::text from console.one_time o"))
    fetch(
        "update console.session set ended_at = now() where id = %s returning 1", (actor_of(browser).session,)
    )
    page = browser.get("/sign-in?next=/settings/me%3Fx%3D1")
    browser.send(page, "/sign-in", email="stan@fernwick.example", password=PASSWORD)
    assert browser.follow().with_attribute("data-returned")
    assert not browser.get("/settings/me").with_attribute("data-returned")
    assert other.client.post("/session/returned", data=told | {"csrf_token": other.token}).get_json() == {
        "forms": None
    }
    assert (
        browser.client.post("/session/returned", data=told | {"csrf_token": browser.token}).get_json()[
            "forms"
        ]
        == told["forms"]
    )
    assert browser.client.post("/session/returned", data=told | {"csrf_token": browser.token}).get_json() == {
        "forms": None
    }
    browser.post("/session/kept", told | {"forms": "x" * 200_001, "csrf_token": browser.token}, status=400)


# --- showing again who one is -------------------------------------------------------------------------------------------------


def test_after_five_minutes_factor_changes_ask_again_and_lose_nothing(house: Pages) -> None:
    browser = signed_in(house, "mona")
    long_ago(4)
    assert browser.get("/settings/me/second-factor").text
    long_ago()
    page = browser.get("/settings/me/second-factor", status=403)
    assert "Confirm it’s you" in page.text
    former = token_of(browser)
    wrong = browser.send(page, "/step-up", status=422, shown="wrong wrong wrong")
    assert wrong.form("/step-up")["fields"]["next"] == "/settings/me/second-factor"
    browser.send(wrong, "/step-up", shown=PASSWORD)
    assert browser.answer.headers["Location"] == "/settings/me/second-factor"
    assert token_of(browser) != former
    assert accounts.session_of(former) is None
    assert browser.follow().form("/settings/me/second-factor")
    assert kinds(actor_of(browser).session)[-1] == "identity_confirmed"


def test_a_form_that_was_refused_is_sent_again_as_it_was_typed(house: Pages) -> None:
    browser = signed_in(house, "mona")
    long_ago()
    text = 'line one\r\n"two" <b>\r\n'
    asked = browser.post(
        "/settings/me/second-factor",
        {"csrf_token": browser.token, "code": "123456", "more": text},
        status=403,
    )
    assert "123456" not in asked.html
    going_on = browser.send(asked, "/step-up", status=200, shown=PASSWORD)
    fields = going_on.form("/settings/me/second-factor")["fields"]
    assert fields["code"] == "123456"
    assert fields["more"].replace("\r\n", "\n") == text.replace("\r\n", "\n")
    assert browser.post(
        "/settings/me/second-factor", fields, status=409
    )  # nothing waits for a code: but it was asked
    kept = asked.form("/step-up")["fields"]["kept"]
    assert browser.client.get(f"/step-up/go-on?kept={kept}").headers["Location"] == "/"
    other = signed_in(house, "tom")
    token = one_time.make(
        "kept", house.company.mona.id, profile.LINK_LASTS, {"path": "/", "fields": [], "files": False}
    )
    assert other.client.get(f"/step-up/go-on?kept={token}").headers["Location"] == "/"


def test_with_a_second_factor_its_code_is_asked_for_once(house: Pages) -> None:
    browser = signed_in(house, "ada")
    secret, codes = enrolled(browser)
    try:
        long_ago()
        page = browser.get("/settings/me/second-factor", status=403)
        assert "Code" in page.text
        wrong = browser.send(page, "/step-up", status=422, shown=PASSWORD)
        good = code(secret)
        browser.send(wrong, "/step-up", shown=good)
        long_ago()
        page = browser.get("/settings/me/second-factor", status=403)
        browser.send(page, "/step-up", status=422, shown=good)
        browser.send(page, "/step-up", shown=codes[0])
    finally:
        factors.reset_factor(accounts.COMMAND_LINE, house.company.ada.id)


def test_programs_with_a_key_and_the_engine_are_never_asked(house: Pages) -> None:
    long_ago()
    key = accounts.actor_of_key(accounts.create_key("report", house.company.mona.id).text)
    assert key is not None
    accounts.require_recent(key)
    accounts.require_recent(accounts.actor_of_person(house.company.mona.id))
    accounts.require_recent(accounts.COMMAND_LINE)
    who = actor_of(signed_in(house, "mona"))
    accounts.require_recent(who)
    long_ago()
    with pytest.raises(NotAllowed) as refused:
        accounts.require_recent(who)
    assert refused.value.code == "step_up"
    rules(step_up=False)
    accounts.require_recent(who)


# --- new passwords by link ----------------------------------------------------------------------------------------------------


def test_a_link_sets_a_new_password_once_and_ends_every_session(house: Pages) -> None:
    before = signed_in(house, "stan")
    token = profile.password_link(actor_of(signed_in(house, "ines")), house.company.stan.id)
    stranger = Browser(house.app.test_client())
    stranger.client.environ_base["HTTP_ORIGIN"] = "http://localhost"
    path = f"/sign-in/new-password/{token}"
    page = stranger.get(path)
    assert stranger.answer.headers["Referrer-Policy"] == "no-referrer"
    fields = page.form("")["fields"]
    wrong = stranger.post(path, fields | {"new": "stan"}, status=422)
    assert "at least 12 characters" in wrong.text
    assert "Your password is set" in stranger.post(path, fields | {"new": NEW}, status=200).text
    assert before.client.get("/c").status_code == 303
    assert "opens nothing any more" in stranger.get(path, status=404).text
    assert signed_in(house, "stan", password=NEW)
    accounts.set_password(house.company.stan.id, PASSWORD)


def test_a_link_is_good_for_an_hour_and_only_the_last_one(house: Pages) -> None:
    stan, ines = house.company.stan.id, actor_of(signed_in(house, "ines"))
    first, second = (profile.password_link(ines, stan) for _ in range(2))
    assert profile.person_of_link(first) is None
    found_person = profile.person_of_link(second)
    assert found_person is not None
    assert second not in str(fetch("select o::text from console.one_time o"))
    fetch("update console.one_time set until = now() where kind = 'reset' returning 1")
    assert profile.person_of_link(second) is None
    with pytest.raises(NotFound):
        profile.choose_password(second, NEW)
    for who in (house.company.olivia, house.company.ada):
        with pytest.raises(NotAllowed):
            profile.password_link(who, stan)
    with pytest.raises(NotFound):
        profile.password_link(ines, "usr_nobody")


def test_forgotten_passwords_are_answered_alike_and_mailed_to_who_is_there(
    house: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    with outside.smtp() as server:
        for name, value in (
            ("CONSOLE_SMTP_URL", f"smtp://127.0.0.1:{server.port}?tls=off"),
            ("CONSOLE_MAIL_FROM", "console@fernwick.example"),
            ("CONSOLE_BASE_URL", "http://localhost"),
        ):
            monkeypatch.setitem(os.environ, name, value)
        settings.current.cache_clear()
        stranger = Browser(house.app.test_client())
        stranger.client.environ_base["HTTP_ORIGIN"] = "http://localhost"
        assert "/sign-in/forgot" in stranger.get("/sign-in").links
        page, texts = stranger.get("/sign-in/forgot"), set()
        for address in (
            "olivia@fernwick.example",
            "nobody@fernwick.example",
            "no address",
            "",
            "a\r\nBcc: x@y.example@fernwick.example",
        ):
            texts.add(stranger.send(page, "/forgot", status=200, email=address).text)
        assert len(texts) == 1
        assert password_letters.send() == 1
        (letter,) = server.messages
        link = re.search(r"http://localhost(/sign-in/new-password/\S+)", letter.get_content())
        assert letter["To"] == "olivia@fernwick.example"
        assert link is not None
        assert "Olivia" not in stranger.get(link[1]).text
        assert password_letters.send() == 0
        for _ in range(password_letters.PER_PERSON + 3):
            password_letters.ask("olivia@fernwick.example", "203.0.113.9")
        assert password_letters.send() <= password_letters.PER_PERSON + 1
    password_letters.ask("stan@fernwick.example", "203.0.113.10")
    assert password_letters.send() == 0  # the mail server is gone: it waits
    assert fetch("select count(*) from console.one_time where kind = 'letter'") == [(1,)]
    monkeypatch.undo()
    settings.current.cache_clear()
    assert "sends no mail" in Browser(house.app.test_client()).get("/sign-in/forgot").text
