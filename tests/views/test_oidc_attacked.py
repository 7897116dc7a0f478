"""Signing in through an identity provider that lies, whose answers somebody changes, steals or sends again, or that is not well."""

import json
import os
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from console.auth import accounts
from console.auth.accounts import oidc
from console.infra import settings
from console.infra.db.engine import fetch
from tests.company import PASSWORD
from tests.servers import identity
from tests.servers.identity import CLIENT_ID, SECRET, unchanged
from tests.servers.outside import Received
from tests.views.test_oidc import (
    BACK,
    House,
    There,
    actor_of,
    browser as browser,  # noqa: PLC0414 - a fixture
    come_back,
    house as house,  # noqa: PLC0414 - a fixture
    leave,
    person,
    reasons,
    sign_in,
    somebody,
    userinfo,
    usual as usual,  # noqa: PLC0414 - a fixture
)

pytestmark = pytest.mark.lengthy

# --- what attacks gain --------------------------------------------------------------------------------------------------------

Claims = dict[str, Any]


def token(change: Any) -> identity.Changed:
    """The provider's token, changed as text."""

    def changed(
        told: Received, status: int, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if told.path != "/token" or status != 200:
            return status, headers, body
        said = json.loads(body)
        return status, headers, json.dumps(said | {"id_token": change(said["id_token"])}).encode()

    return changed


def claims_of(text: str) -> Claims:
    middle = text.split(".")[1]
    told: Claims = json.loads(urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return told


def part(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


OURS = RSAKey.generate_key(2048, {"kid": "tests"})
FORGED: dict[str, Any] = {
    "another key under the same name": lambda text: jwt.encode(
        {"alg": "RS256", "kid": "tests"}, claims_of(text), OURS
    ),
    "a key that it brings along": lambda text: jwt.encode(
        {"alg": "RS256", "kid": "tests", "jwk": OURS.as_dict(private=False)}, claims_of(text), OURS
    ),
    "a key of nobody": lambda text: jwt.encode({"alg": "RS256", "kid": "other"}, claims_of(text), OURS),
    "no signature": lambda text: f"{part({'alg': 'none'})}.{part(claims_of(text))}.",
    "no signature, spelt otherwise": lambda text: (
        f"{part({'alg': 'NoNe', 'kid': 'tests'})}.{part(claims_of(text))}."
    ),
    "a signature cut off": lambda text: text.rpartition(".")[0] + ".",
    "other claims under the same signature": lambda text: (
        f"{text.split('.')[0]}.{part(claims_of(text) | {'sub': 'ines'})}.{text.split('.')[2]}"
    ),
    "the client's secret": lambda text: jwt.encode(
        {"alg": "HS256"}, claims_of(text), OctKey.import_key(SECRET)
    ),
    "no token": lambda text: "",
    "no text": lambda text: "é.é.é",
}


@pytest.mark.parametrize("how", FORGED)
def test_a_token_that_the_provider_did_not_sign_opens_nothing(house: House, how: str) -> None:
    house.provider.change = token(FORGED[how])
    client, answer = sign_in(house, "gustav", **somebody("gustav", "it"))
    assert answer.status_code == 422, how
    assert client.get("/c").status_code == 303
    assert person("gustav", house) is None
    assert reasons()[-1] == "provider"


SIGNED_WRONG: dict[str, Claims] = {
    "of another request": {"nonce": "another"},
    "of no request": {"nonce": None},
    "for somebody else": {"aud": "another-client"},
    "for several, and another asks": {"aud": [CLIENT_ID, "another"], "azp": "another"},
    "by another issuer": {"iss": "http://127.0.0.1:1"},
    "of yesterday": {"exp": 1_700_000_000},
    "for ever": {"exp": None},
    "about nobody": {"sub": ""},
    "about a number": {"sub": 7},
}


def signed_by_us(change: Callable[[Claims], Claims]) -> identity.Changed:
    """The token with other claims, signed by a key that is the provider's for once, so that only the claims are wrong."""

    def changed(
        told: Received, status: int, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if told.path == "/jwks":
            return (
                status,
                headers,
                json.dumps({"keys": [OURS.as_dict(private=False) | {"kid": "ours"}]}).encode(),
            )
        signed = token(
            lambda text: jwt.encode({"alg": "RS256", "kid": "ours"}, change(claims_of(text)), OURS)
        )
        return signed(told, status, headers, body)

    return changed


@pytest.mark.parametrize("how", SIGNED_WRONG)
def test_a_token_that_is_signed_and_does_not_fit_opens_nothing(house: House, how: str) -> None:
    house.provider.change = signed_by_us(
        lambda claims: {
            name: value for name, value in (claims | SIGNED_WRONG[how]).items() if value is not None
        }
    )
    client, answer = sign_in(house, "hanna", **somebody("hanna", "it"))
    assert answer.status_code == 422, how
    assert client.get("/c").status_code == 303
    assert person("hanna", house) is None


JSON_VALUES: dict[str, Any] = {
    "null": None,
    "true": True,
    "a number": 7,
    "a fraction": 1.5,
    "a text": "true",
    "a list": ["ops"],
    "a list of lists": [["ops"]],
    "a list with a number": ["ops", 7],
    "an object": {"ops": True},
}
ALLOWED: dict[str, set[str]] = {
    "sub": {"a text"},
    "iss": {"a text"},
    "nonce": {"a text"},
    "azp": {"a text"},
    "email": {"a text"},
    "name": {"a text"},
    "email_verified": {"true"},
    "groups": {"a text", "a list"},
    "aud": {"a text", "a list"},
    "exp": {"a number", "a fraction"},
    "iat": {"a number", "a fraction"},
    "nbf": {"a number", "a fraction"},
    "auth_time": {"a number", "a fraction"},
}


@pytest.mark.parametrize("claim", ALLOWED)
def test_a_claim_of_the_wrong_type_opens_nothing(house: House, claim: str) -> None:
    for kind in sorted(set(JSON_VALUES) - ALLOWED[claim]):
        told = {claim: JSON_VALUES[kind]}
        house.provider.change = signed_by_us(lambda claims, told=told: claims | told)  # type: ignore[misc]
        client, answer = sign_in(house, "konrad", **somebody("konrad", "it"))
        assert answer.status_code == 422, (claim, kind)
        assert client.get("/c").status_code == 303
    assert person("konrad", house) is None


@pytest.mark.parametrize("claim", ["email", "email_verified", "groups", "name"])
def test_a_claim_of_the_wrong_type_that_is_told_on_request_opens_nothing(house: House, claim: str) -> None:
    for kind in sorted(set(JSON_VALUES) - ALLOWED[claim]):
        house.provider.change = userinfo(lambda told, kind=kind: told | {claim: JSON_VALUES[kind]})
        _, answer = sign_in(house, "lotte", **somebody("lotte", "it"))
        assert (answer.status_code, claim in answer.text) == (422, True), kind
    assert person("lotte", house) is None


def test_moments_that_are_no_number_open_nothing(house: House) -> None:
    for never in (float("inf"), float("nan")):
        house.provider.change = signed_by_us(lambda claims, never=never: claims | {"exp": never})  # type: ignore[misc]
        _, answer = sign_in(house, "moritz", **somebody("moritz", "it"))
        assert answer.status_code == 422
    assert person("moritz", house) is None


def test_nobody_enters_by_an_address_that_is_not_said_to_be_checked(house: House) -> None:
    house.provider.change = userinfo(
        lambda told: {name: value for name, value in told.items() if name != "email_verified"}
    )
    _, answer = sign_in(house, "nora", **somebody("nora", "ops"))
    assert answer.status_code == 403
    assert person("nora", house) is None


def test_a_checked_address_vouches_for_no_other(house: House) -> None:
    """The token names one address, and what is told on request another one that is checked."""
    accounts.invite(house.company.ines, "otto@people.example", [("reviewer", "operations")])
    signed = signed_by_us(lambda claims: claims | {"email": "otto@people.example"})

    def changed(
        told: Received, status: int, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        return (userinfo(lambda said: said | {"email_verified": True}) if told.path == "/me" else signed)(
            told, status, headers, body
        )

    house.provider.change = changed
    _, answer = sign_in(house, "thief", **somebody("thief", "ops"))
    assert answer.status_code == 403
    assert person("thief", house) is None


def test_state_nobody_else_can_finish_a_sign_in_that_one_began(house: House) -> None:
    house.provider.person("ivan", **somebody("ivan", "ops"))
    victim, attacker = browser(house), browser(house)
    back = There(house.provider).walk(leave(attacker))
    for client in (victim, browser(house)):
        answer = come_back(client, back)  # the attacker's answer, planted in the victim's browser
        assert answer.status_code == 422
        assert client.get("/c").status_code == 303
    leave(victim)
    assert come_back(victim, back).status_code == 422
    for query in (
        "",
        "code=x",
        "code=x&state=",
        "state=%00",
        "error=access_denied",
        "code=x&state=y&state=z",
    ):
        leave(victim)
        assert come_back(victim, f"{BACK}?{query}").status_code == 422
    assert person("ivan", house) is None


def test_tabs_that_sign_in_at_once_do_not_disturb_each_other(house: House) -> None:
    """Whichever comes back first; and who comes back when another tab has signed in is let go on."""
    house.provider.person("ivan", **somebody("ivan", "ops"))
    for first, last in ((0, 1), (1, 0)):
        client = browser(house)
        ways = [There(house.provider).walk(leave(client, to)) for to in ("/c/customer", "/my-day")]
        answer = come_back(client, ways[first])
        assert (answer.status_code, answer.headers["Location"]) == (303, ("/c/customer", "/my-day")[first])
        assert come_back(client, ways[last]).status_code == 303
        assert client.get("/c").status_code == 200
    for _ in range(9):
        leave(client := browser(house))
    with client.session_transaction() as session:
        assert len(str(session["oidc"])) < 2_500, "the cookie has room for them"


def test_an_answer_is_good_once(house: House) -> None:
    house.provider.person("jana", **somebody("jana", "ops"))
    client = browser(house)
    url = leave(client)
    with client.session_transaction() as session:
        [[mark, kept]] = session["oidc"]
    back = There(house.provider).walk(url)
    assert come_back(client, back).status_code == 303
    standing = actor_of(client).session
    again = come_back(client, back)  # is let go on as who they are
    assert (again.status_code, again.headers["Location"], actor_of(client).session) == (303, "/", standing)
    thief = browser(house)  # who has copied the cookie and the address both
    with thief.session_transaction() as session:
        session["oidc"] = [[mark, kept]]
    answer = come_back(thief, back)
    assert answer.status_code == 422
    assert thief.get("/c").status_code == 303
    query = dict(parse_qsl(urlsplit(back).query))
    with pytest.raises(oidc.ProviderRefused) as refused:
        oidc.arrive(kept, query)
    assert refused.value.code == "replay"


def test_a_stolen_code_does_not_fit_another_verifier(house: House) -> None:
    house.provider.person("karl", **somebody("karl", "it"))
    victim, attacker = browser(house), browser(house)
    stolen = dict(parse_qsl(urlsplit(There(house.provider).walk(leave(victim))).query))["code"]
    house.provider.person("mallory", **somebody("mallory", "ops"))
    own = dict(parse_qsl(urlsplit(There(house.provider).walk(leave(attacker))).query))
    answer = come_back(attacker, f"{BACK}?{urlencode(own | {'code': stolen})}")
    assert answer.status_code == 422
    assert attacker.get("/c").status_code == 303
    assert person("karl", house) is None


def test_every_request_has_a_challenge_and_the_provider_wants_one(house: House) -> None:
    url = leave(browser(house))
    asked = dict(parse_qsl(urlsplit(url).query))
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert (asked["response_type"], asked["redirect_uri"], asked["client_id"]) == ("code", BACK, CLIENT_ID)
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    for change in (
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
    ):
        cut = {name: value for name, value in (asked | change).items() if value is not None}
        back = There(house.provider).walk(f"{house.provider.issuer}/auth?{urlencode(cut)}")
        assert "code=" not in back
    sent: list[dict[str, str]] = []

    def watched(
        told: Received, status: int, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        sent.extend([dict(parse_qsl(told.body.decode()))] if told.path == "/token" else [])
        return status, headers, body

    house.provider.change = watched
    sign_in(house, "lena", **somebody("lena", "ops"))
    assert len(sent[0]["code_verifier"]) >= 43
    assert "client_secret" not in sent[0]


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:1", "", None, "{issuer}/", "{issuer}.evil.example"])
def test_an_answer_of_another_issuer_is_refused_before_its_code_is_used(
    house: House, issuer: str | None
) -> None:
    house.provider.person("nils", **somebody("nils", "ops"))
    client = browser(house)
    query = dict(parse_qsl(urlsplit(There(house.provider).walk(leave(client))).query))
    assert query.pop("iss") == house.provider.issuer
    before = len([one for one in house.provider.asked if one.path == "/token"])
    told = {} if issuer is None else {"iss": issuer.format(issuer=house.provider.issuer)}
    answer = come_back(client, f"{BACK}?{urlencode(query | told)}")
    assert answer.status_code == 422
    assert "another identity provider" in answer.text
    assert len([one for one in house.provider.asked if one.path == "/token"]) == before
    assert person("nils", house) is None


def test_the_provider_sends_people_only_where_the_settings_say(house: House) -> None:
    client = browser(house)
    elsewhere = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    answer = client.get("/sign-in/oidc?next=/c", headers=elsewhere, base_url="http://localhost")
    assert answer.headers["Location"] == "http://localhost/sign-in/oidc?next=%2Fc&moved=1"
    answer = client.get(
        "/sign-in/oidc?next=/c&moved=1", headers=elsewhere, base_url="http://localhost"
    )  # a proxy that hides the address
    asked = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    assert asked["redirect_uri"] == BACK
    for other in (
        "https://evil.example/sign-in/oidc/callback",
        BACK + "/../x",
        BACK + "?x=1",
        "http://localhost.evil.example/",
    ):
        there = f"{house.provider.issuer}/auth?{urlencode(asked | {'redirect_uri': other})}"
        assert There(house.provider).walk(there).startswith("4")


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "%2F%2Fevil.example",
        "%09//evil.example",
        "%00",
    ],
)
def test_a_link_sends_nobody_elsewhere_after_signing_in(house: House, to: str) -> None:
    _, answer = sign_in(house, "otto", to=to, **somebody("otto", "ops"))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_what_the_cookie_keeps_is_sealed_and_not_for_long(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browser(house)
    url = leave(client)
    asked = dict(parse_qsl(urlsplit(url).query))
    with client.session_transaction() as session:
        [[_, kept]] = session["oidc"]
    assert asked["nonce"] not in kept
    assert asked["nonce"].encode() not in urlsafe_b64decode(kept)
    for wrong in ("", "x", kept[:-4] + "AAAA", "é"):
        with pytest.raises(oidc.ProviderRefused):
            oidc.arrive(wrong, {"state": asked["state"], "code": "x"})
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + oidc.WAY_S + 1)
    with pytest.raises(oidc.ProviderRefused, match="took too long"):
        oidc.arrive(kept, {"state": asked["state"], "code": "x"})


WELL_KNOWN = "/.well-known/openid-configuration"


@pytest.mark.parametrize(
    "said",
    [
        (500, b"{}"),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"issuer": "http://127.0.0.1:2"}'),
        (302, b""),
        (200, b"x" * 100_000),
    ],
)
def test_a_provider_that_is_not_well_is_said_and_passwords_still_work(
    house: House, said: tuple[int, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "_known", None)
    house.provider.change = lambda told, status, headers, body: (
        (said[0], {}, said[1]) if told.path == WELL_KNOWN else (status, headers, body)
    )
    client = browser(house)
    answer = client.get("/sign-in/oidc")
    assert answer.status_code == 422
    assert "identity provider" in answer.text
    assert accounts.sign_in("olivia@fernwick.example", PASSWORD, "127.0.0.1", "test")


def test_who_comes_while_the_provider_is_slow_is_told_at_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody's page waits behind those who sign in; a moment later they sign in as always."""
    monkeypatch.setattr(oidc, "_known", None)
    monkeypatch.setattr(oidc, "_rests_until", 0.0)
    monkeypatch.setattr(oidc, "READ_S", 0.3)
    asked, go_on = list[str](), threading.Event()

    def late(
        told: Received, status: int, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        asked.append(told.path)
        go_on.wait(20)
        return status, headers, body

    house.provider.change = late
    with ThreadPoolExecutor(6) as people:
        told = list(people.map(lambda _: browser(house).get("/sign-in/oidc").text, range(6)))
    go_on.set()
    assert all("in half a minute" in text for text in told)
    assert len(asked) == 1
    house.provider.change = unchanged
    monkeypatch.setattr(oidc, "_rests_until", 0.0)
    monkeypatch.setattr(oidc, "READ_S", 5.0)
    assert sign_in(house, "petra", **somebody("petra", "it"))[1].status_code == 303


def test_a_provider_of_ones_own_network_has_to_be_named(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "_known", None)
    monkeypatch.setitem(os.environ, "CONSOLE_PRIVATE_HOSTS", "elsewhere.example")
    settings.current.cache_clear()
    with pytest.raises(settings.SettingsError, match="CONSOLE_OIDC_ISSUER takes https"):
        settings.current()
    monkeypatch.setitem(os.environ, "CONSOLE_OIDC_ISSUER", house.provider.issuer.replace("http:", "https:"))
    settings.current.cache_clear()
    answer = browser(house).get("/sign-in/oidc")
    assert answer.status_code == 422
    assert "CONSOLE_PRIVATE_HOSTS" in answer.text
    monkeypatch.undo()
    settings.current.cache_clear()


def test_what_is_told_of_somebody_else_is_not_believed(house: House) -> None:
    house.provider.change = userinfo(lambda told: told | {"sub": "ines"})
    _, answer = sign_in(house, "paula", **somebody("paula", "it"))
    assert answer.status_code == 422
    assert person("paula", house) is None


def test_showing_again_who_one_is_asks_the_provider_to_ask(house: House) -> None:
    client, _ = sign_in(house, "quirin", **somebody("quirin", "ops"))
    url = leave(client, "/settings/me", "&for=step_up")
    assert {"prompt": "login", "max_age": "0"}.items() <= dict(parse_qsl(urlsplit(url).query)).items()
    fetch("update console.session set proved_at = now() - interval '1 hour' returning 1")
    with client.session_transaction() as session:
        former = session["_user_id"]
    answer = come_back(client, There(house.provider).walk(url))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings/me")
    with client.session_transaction() as session:
        assert session["_user_id"] != former
    assert accounts.session_of(former) is None
    assert fetch("select count(*) from console.session where proved_at > now() - interval '1 minute'") == [
        (1,)
    ]
    house.provider.person("rolf", **somebody("rolf", "ops"))
    answer = come_back(client, There(house.provider).walk(leave(client, "/settings/me", "&for=step_up")))
    assert answer.status_code == 422
    assert "as somebody else" in answer.text
