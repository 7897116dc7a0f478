"""What signing in is made of, each part by itself: codes, things that open once, who needs a second factor, what a provider says of itself and of people."""

import base64
import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from hypothesis import given, strategies as st

from console.auth import access, accounts
from console.auth.access import Row, policy_store
from console.auth.accounts import (
    entry,
    factors,
    oidc,
    one_time,
    password_letters,
    provider_sign_in,
    sessions,
    signing_in,
)
from console.core.actor import Actor
from console.infra import settings, subjects
from console.infra.db import engine as db
from console.infra.db.engine import fetch
from tests.company import PASSWORD, Company

HOUR = timedelta(hours=1)
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
RFC_6238 = [
    (59, "287082"),
    (1_111_111_109, "081804"),
    (1_111_111_111, "050471"),
    (1_234_567_890, "005924"),
    (2_000_000_000, "279037"),
    (20_000_000_000, "353130"),
]
"""Appendix B, SHA-1, the last six of its eight digits."""


@pytest.fixture(scope="module")
def house(module_company: Company) -> Company:
    return module_company


# --- codes --------------------------------------------------------------------------------------------------------------------


def test_codes_are_those_of_the_standard() -> None:
    for at, code in RFC_6238:
        now = at // 30
        assert factors._step(RFC_SECRET, code, now) == now
        assert factors._step(RFC_SECRET, code, now + 1) == now
        assert factors._step(RFC_SECRET, code, now - 1) == now
        assert factors._step(RFC_SECRET, code, now + 2) is None
        assert factors._step(RFC_SECRET, code, now - 2) is None
        assert factors._step(RFC_SECRET, code, now, after=now) is None


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), max_size=12))
def test_no_code_is_taken_twice_in_whatever_order_they_are_shown(moves: Sequence[tuple[int, int]]) -> None:
    totp, now, last, taken = pyotp.TOTP(RFC_SECRET), 1000, -1, []
    for drift, offset in moves:
        now += abs(drift)
        step = factors._step(RFC_SECRET, totp.generate_otp(now + offset), now, after=last)
        if step is not None:
            assert abs(step - now) <= 1
            last = step
            taken.append(step)
    assert taken == sorted(set(taken))


@given(st.text(max_size=200))
def test_whatever_is_typed_for_a_code_is_judged(text: str) -> None:
    typed = factors._digits(text)
    assert len(typed) <= 300
    assert not any(mark.isspace() or mark == "-" for mark in typed)
    assert factors._step(RFC_SECRET, typed, 1) in (None, 0, 1, 2)


def test_recovery_codes_hold_128_random_bits(house: Company) -> None:
    with db.transaction() as connection:
        codes = {code for _ in range(5) for code in factors._new_codes(connection, house.rosa.id)}
        connection.rollback()
    assert len(codes) == 50
    assert (
        {len(base64.b32decode(code.replace("-", "") + "======")) for code in codes}
        == {factors.CODE_BYTES}
        == {16}
    )


# --- who needs one ------------------------------------------------------------------------------------------------------------

ROLES: list[tuple[list[Row], list[tuple[str, str]], bool]] = [
    ([], [("admin", "*")], True),
    ([], [("auditor", "*")], True),
    ([], [("operator", "operations")], False),
    ([], [("lead", "operations")], True),
    ([], [("finance_controller", "finance")], True),
    ([], [("reviewer", "operations")], False),
    ([], [], False),
    ([Row("g", "role:inspector", "*", "role:auditor")], [("inspector", "operations")], True),
    ([Row("g", "role:deputy", "t:operations", "role:lead")], [("deputy", "operations")], True),
    ([Row("g", "role:deputy", "t:operations", "role:lead")], [("deputy", "procurement")], False),
    (
        [Row("p", "role:clerk", "t:operations", "action:customer.rate", "approve")],
        [("clerk", "operations")],
        True,
    ),
    ([Row("p", "role:clerk", "*", "action:*", "*")], [("clerk", "operations")], True),
    ([Row("p", "role:clerk", "*", "action:*", "execute")], [("clerk", "operations")], False),
    ([Row("p", "role:clerk", "*", "action:*", "approve", "deny")], [("clerk", "operations")], False),
]


@pytest.mark.parametrize("case", range(len(ROLES)))
def test_who_administers_audits_or_approves_by_whatever_role_needs_one(house: Company, case: int) -> None:
    rows, roles, needs = ROLES[case]
    with db.transaction() as connection:
        policy_store.write(connection, added=rows)
    access.assign(house.stan.id, roles)
    access.refresh()
    try:
        who = accounts.actor_of_person(house.stan.id)
        assert factors._sensitive(access.current_version(), who.id, who.roles) is needs
    finally:
        with db.transaction() as connection:
            policy_store.write(connection, removed=rows)
        access.assign(house.stan.id, [("buyer", "procurement")])


# --- what opens once ----------------------------------------------------------------------------------------------------------


def test_a_token_opens_what_it_was_made_for_and_once(house: Company) -> None:
    token = one_time.make("reset", house.rosa.id, HOUR, {"a": [1, "ä"]})
    for kind in ("code", "enrol", "letter", "state", "kept"):
        assert one_time.find(kind, token) is None
        assert one_time.take(kind, token) is None
    for wrong in ("", token[:-1], token + "x", token.swapcase(), "\0", "\ud800"):
        assert one_time.find("reset", wrong) is None
    kept = one_time.find("reset", token)
    assert kept is not None
    assert (kept.person, kept.content) == (house.rosa.id, {"a": [1, "ä"]})
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: one_time.take("reset", token), range(8)))
    assert sum(one is not None for one in told) == 1
    assert one_time.find("reset", token) is None


def test_what_is_kept_cannot_be_read_or_moved(house: Company) -> None:
    first, second = (
        one_time.make("kept", house.rosa.id, HOUR, {"secret": word}) for word in ("heron", "owl")
    )
    told = str(fetch("select o::text from console.one_time o"))
    assert first not in told
    assert "heron" not in told
    rows = fetch("select hash, content from console.one_time where kind = 'kept' order by until, hash")
    for (key, _), (_, content) in zip(rows, reversed(rows), strict=True):
        fetch("update console.one_time set content = %s where hash = %s returning 1", (content, key))
    for token in (first, second):
        with pytest.raises(subjects.Unreadable):
            one_time.find("kept", token)
    fetch("delete from console.one_time returning 1")


def test_what_is_too_old_opens_nothing_and_goes(house: Company) -> None:
    token = one_time.make("reset", house.rosa.id, timedelta(0))
    assert one_time.find("reset", token) is None
    assert one_time.take("reset", token) is None
    assert one_time.is_first_use("state", "s", HOUR)
    assert not one_time.is_first_use("state", "s", HOUR)
    assert fetch("select count(*) from console.one_time where kind = 'reset'") == [(0,)]
    fetch("update console.one_time set until = now() - interval '1 second' returning 1")
    assert one_time.is_first_use("state", "s", HOUR)


def test_a_second_token_of_the_same_name_takes_the_place_of_the_first(house: Company) -> None:
    one_time.make("enrol", house.rosa.id, HOUR, "first", token="ses_1")
    one_time.make("enrol", house.rosa.id, HOUR, "second", token="ses_1")
    kept = one_time.find("enrol", "ses_1")
    assert kept is not None
    assert kept.content == "second"
    one_time.forget("enrol", house.tom.id)
    assert one_time.find("enrol", "ses_1") is not None
    one_time.forget("enrol", house.rosa.id)
    assert one_time.find("enrol", "ses_1") is None


# --- the document -------------------------------------------------------------------------------------------------------------


# --- what the provider says ---------------------------------------------------------------------------------------------------

ISSUER = "https://id.example/realms/staff"
WHOLE: dict[str, Any] = {
    "issuer": ISSUER,
    **{
        name: f"https://id.example/{name}"
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")
    },
}
SAID: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {},
        {
            "algorithms": ("RS256",),
            "basic": True,
            "scope": "openid email profile",
            "tells_issuer": False,
            "end_session_endpoint": None,
        },
    ),
    ({"issuer": ISSUER + "/"}, {"issuer": ISSUER + "/"}),
    (
        {"id_token_signing_alg_values_supported": ["none", "HS256", "ES256", "RS512"]},
        {"algorithms": ("ES256", "RS512")},
    ),
    ({"id_token_signing_alg_values_supported": ["none", "HS256"]}, {"algorithms": ()}),
    ({"token_endpoint_auth_methods_supported": ["client_secret_post"]}, {"basic": False}),
    (
        {"token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"]},
        {"basic": True},
    ),
    ({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, {"basic": True}),
    ({"scopes_supported": ["openid", "groups", "offline_access"]}, {"scope": "openid email profile groups"}),
    ({"authorization_response_iss_parameter_supported": True}, {"tells_issuer": True}),
    ({"authorization_response_iss_parameter_supported": "true"}, {"tells_issuer": False}),
    ({"end_session_endpoint": "https://id.example/out"}, {"end_session_endpoint": "https://id.example/out"}),
]


@pytest.mark.parametrize("case", range(len(SAID)))
def test_a_provider_is_taken_at_its_word_where_that_is_safe(case: int) -> None:
    said, made = SAID[case]
    told = dataclasses.asdict(oidc._provider(ISSUER, WHOLE | said))
    assert {name: told[name] for name in made} == made


@pytest.fixture
def set_up(house: Company, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """With a provider that nobody asks."""
    told = {
        "CONSOLE_OIDC_ISSUER": ISSUER,
        "CONSOLE_OIDC_CLIENT_ID": "handrail",
        "CONSOLE_OIDC_CLIENT_SECRET": "s3cr:et",
        "CONSOLE_BASE_URL": "https://ops.example",
    }
    for name, value in told.items():
        monkeypatch.setitem(os.environ, name, value)
    settings.current.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    settings.current.cache_clear()


@pytest.mark.parametrize(
    ("said", "secret", "header", "field"),
    [
        ({}, "s3cr:et", "Basic " + base64.b64encode(b"handrail:s3cr:et").decode(), None),
        ({"token_endpoint_auth_methods_supported": ["client_secret_post"]}, "s3cr:et", None, "s3cr%3Aet"),
        ({}, "", None, None),
    ],
)
def test_the_console_shows_who_it_is_as_the_provider_wants_it(
    set_up: pytest.MonkeyPatch, said: dict[str, Any], secret: str, header: str | None, field: str | None
) -> None:
    set_up.setitem(os.environ, "CONSOLE_OIDC_CLIENT_SECRET", secret)
    settings.current.cache_clear()
    client = oidc._client(oidc._provider(ISSUER, WHOLE | said), "https://ops.example/back")
    _, headers, body = client.client_auth(client.token_endpoint_auth_method).prepare(
        "POST", "https://id.example/token", {}, "code=x"
    )
    assert headers.get("Authorization") == header
    assert ("client_secret" in body) is (field is not None)
    assert field is None or field in body
    assert "client_id=handrail" in body or header


def test_the_secret_is_never_shown(set_up: pytest.MonkeyPatch) -> None:
    assert "s3cr:et" not in repr(settings.current())


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    )
)
def test_groups_of_whatever_shape_give_no_role_that_no_line_names(told: Any) -> None:
    rules = entry.Entry(groups=(entry.GroupRole("ops", "operator", "operations"),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entry, "current", lambda: rules)
        if not all(
            isinstance(one, str) and "\0" not in one for one in (told if isinstance(told, list) else [told])
        ):
            with pytest.raises(oidc.ProviderRefused, match="groups"):
                oidc._check_types({"groups": told})
            return
        oidc._check_types({"groups": told})
        found = provider_sign_in.mapped_roles({"groups": told})
    assert found <= {("operator", "operations")}
    assert bool(found) is (told == "ops" or (isinstance(told, list) and "ops" in told))


# --- letters and sessions -----------------------------------------------------------------------------------------------------


def test_a_letter_that_cannot_leave_makes_one_event_and_waits_no_longer_than_it_may(
    house: Company, given_settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger asks for it: each try made an event, every two seconds for as long as the mail server was away."""
    given_settings(
        CONSOLE_SMTP_URL="smtp://127.0.0.1:1?tls=off",
        CONSOLE_MAIL_FROM="a@ops.example",
        CONSOLE_BASE_URL="https://ops.example",
    )
    monkeypatch.setattr(password_letters, "_rests_until", 0.0)
    made = "select count(*) from console.event where convert_from(body, 'UTF8') like '%%password_link_made%%'"
    (before,), waits = fetch(made)[0], "select until from console.one_time where kind = 'letter'"
    password_letters.ask("olivia@fernwick.example", "127.0.0.1")
    ((until,),) = fetch(waits)
    assert password_letters.send() == 0
    link = fetch("select hash from console.one_time where kind = 'reset'")
    assert password_letters.send() == 0
    monkeypatch.setattr(password_letters, "_rests_until", 0.0)
    assert password_letters.send() == 0
    assert fetch(made) == [(before + 1,)]
    assert fetch("select hash from console.one_time where kind = 'reset'") == link != []
    assert abs(fetch(waits)[0][0] - until) < timedelta(seconds=1)


def test_a_session_whose_time_is_over_gets_no_new_token(house: Company) -> None:
    token = accounts.sign_in("olivia@fernwick.example", PASSWORD, "127.0.0.1", "test")
    assert token is not None
    fetch("update console.session set created_at = now() - interval '13 hours' returning 1")
    assert sessions.renewed(token, proved=True) is None
    assert sessions.sessions_of(house.olivia) == []


def test_the_code_is_asked_for_before_there_is_any_session(house: Company) -> None:
    who = dataclasses.replace(house.rosa, session="ses_setting_up")
    secret = factors.begin(who).secret
    now = int(fetch("select floor(extract(epoch from clock_timestamp()) / 30)::bigint")[0][0])
    factors.confirm(who, pyotp.TOTP(secret).generate_otp(now))
    before = fetch("select count(*) from console.session")
    with pytest.raises(accounts.CodeWanted) as wanted:
        accounts.sign_in("rosa@fernwick.example", PASSWORD, "127.0.0.1", "test")
    assert fetch("select count(*) from console.session") == before
    assert accounts.session_of(wanted.value.waiting) is None
    assert signing_in.sign_in_with_code("nobody's", "123456", "127.0.0.1", "test") is None
    accounts.reset_factor(accounts.COMMAND_LINE, house.rosa.id)
    assert (
        accounts.sign_in_with_code(
            wanted.value.waiting, pyotp.TOTP(secret).generate_otp(now + 1), "127.0.0.1", "test"
        )
        is None
    )


def test_a_key_changes_nothing_of_a_persons_ways_in(house: Company) -> None:
    key: Actor = dataclasses.replace(house.tom, kind="key", session="key_1")
    from console.auth.accounts import profile
    from console.core.errors import Conflict

    with pytest.raises(Conflict):
        profile.change_password(key, PASSWORD, "nine quiet owls drum")
