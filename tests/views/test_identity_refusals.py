"""What a sign-in through the identity provider tells and takes besides roles, what is refused, and who may see and take identities."""

import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from console.auth import access, accounts
from console.auth.accounts import entry_changes, identities
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.infra.db.engine import fetch
from tests.servers.identity import CLIENT_ID, SECRET
from tests.views.conftest import Page
from tests.views.test_identities import ADMIN, claims, events
from tests.views.test_oidc import (
    GROUPS,
    House,
    There,
    actor_of,
    browser,
    connect,
    house as house,  # noqa: PLC0414 - a fixture
    leave,
    person,
    reasons,
    rules,
    sign_in,
    somebody,
    usual as usual,  # noqa: PLC0414 - a fixture
    with_password,
)
from tests.views.test_oidc_attacked import OURS, Claims, signed_by_us

pytestmark = pytest.mark.lengthy

# --- what else a sign-in tells and takes ----------------------------------------------------------------------------------------


def test_an_address_that_is_not_checked_tells_nothing_about_who_exists_here(house: House) -> None:
    texts = set()
    for groups in ((), ("ops",)):
        for address in ("olivia@fernwick.example", "nobody@fernwick.example"):
            _, answer = sign_in(
                house, "prober", **somebody("prober", *groups, email=address, email_verified=False)
            )
            texts.add((answer.status_code, Page(answer.text).text.partition("Request")[0]))
            assert reasons()[-1] == "no_address"
    assert len(texts) == 1


def test_address_and_name_follow_the_provider_where_the_address_is_checked_and_free(house: House) -> None:
    sign_in(house, "nora", **somebody("nora", "ops"))
    known = person("nora", house)
    assert known is not None
    client, _ = sign_in(
        house, "nora", **somebody("nora", "ops", email="Nora.New@people.example", name="Nora New")
    )
    assert (actor_of(client).email, actor_of(client).name) == ("nora.new@people.example", "Nora New")
    assert events("person_changed")[-1]["fields"] == ["name", "email"]
    for more in (
        {"email": "other@people.example", "email_verified": False},
        {"email": "olivia@fernwick.example"},
        {"email": "no address"},
    ):
        client, answer = sign_in(house, "nora", **somebody("nora", "ops", name="Nora New") | more)
        assert (answer.status_code, actor_of(client).email) == (303, "nora.new@people.example"), more


def test_every_refusal_at_the_callback_is_an_event_and_a_strangers_are_throttled(house: House) -> None:
    stranger, before = browser(house), len(reasons())
    answers = [stranger.get("/sign-in/oidc/callback?state=x&code=y").status_code for _ in range(60)]
    assert {422, 429} == set(answers)
    assert 0 < len(reasons()) - before < 25
    assert (
        sign_in(house, "wanda", **somebody("wanda", "ops"))[1].status_code == 303
    )  # who comes from the same address gets in
    tom, before = with_password(house, "tom"), len(reasons())
    house.provider.person("wanda", **somebody("wanda", "ops"))
    assert connect(house, tom).status_code == 422  # it is Wanda's
    assert len(reasons()) == before + 1
    with claims(house, lambda claims: claims | {"email": 7}):
        assert sign_in(house, "vera", **somebody("vera", "ops"))[1].status_code == 422
    assert len(reasons()) == before + 2


def test_an_answer_that_another_site_posts_is_none(house: House) -> None:
    client = browser(house)
    house.provider.person("post", **somebody("post", "ops"))
    back = There(house.provider).walk(leave(client))
    query = dict(parse_qsl(urlsplit(back).query))
    for headers in ({"Origin": house.provider.issuer}, {"Sec-Fetch-Site": "cross-site"}, {}):
        assert client.post("/sign-in/oidc/callback", data=query, headers=headers).status_code in (403, 405)
    assert client.get("/c").status_code == 303


# --- keys, the API, and who may ---------------------------------------------------------------------------------------------------


def test_a_key_has_what_its_owner_has_left_and_the_api_shows_and_takes_identities(house: House) -> None:
    sign_in(house, "kira", **somebody("kira", "ops", "it"))
    known = person("kira", house)
    assert known is not None
    key = {"Authorization": f"Bearer {accounts.create_key('kira', known.id).text}"}
    api = house.app.test_client()
    me = api.get("/api/v1/me", headers=key).get_json()
    (one,) = me["identities"]
    assert {role["role"]: role["from"] for role in me["grants"]} == {
        role: [f"identity:{one['id']}"] for role in ("operator", "admin")
    }
    assert (one["subject"], one["email"], len(one["gave"])) == ("kira", "kira@people.example", 2)
    theirs = api.get(f"/api/v1/people/{known.id}", headers=key)
    assert theirs.get_json()["identities"] == me["identities"]
    assert theirs.get_json()["roles"] == me["grants"]
    sign_in(house, "kira", **somebody("kira", "ops"))
    assert api.get(f"/api/v1/people/{known.id}", headers=key).status_code == 403
    assert api.delete(f"/api/v1/people/{known.id}/identities/{one['id']}", headers=key).status_code == 403
    only = api.delete(f"/api/v1/me/identities/{one['id']}", headers=key)
    assert (only.status_code, only.get_json()["code"]) == (409, "only_way")
    assert api.delete("/api/v1/me/identities/idn_of_nobody", headers=key).status_code == 404
    admins = {"Authorization": f"Bearer {accounts.create_key('ines', house.company.ines.id).text}"}
    assert (
        api.delete(
            f"/api/v1/people/{house.company.tom.id}/identities/{one['id']}", headers=admins
        ).status_code
        == 404
    )
    assert api.delete(f"/api/v1/people/{known.id}/identities/{one['id']}", headers=admins).status_code == 204
    assert api.get("/api/v1/me", headers=key).get_json()["roles"] == []


def test_nobody_takes_an_identity_from_whom_they_could_not_give_its_roles(house: House) -> None:
    client, _ = sign_in(house, "max", **somebody("max", "it"))
    known = actor_of(client)
    (one,) = identities.identities_of(known.id)
    for other in (house.company.tom, house.company.olivia):
        with pytest.raises(NotAllowed):
            identities.remove(other, known.id, one.id)
    with pytest.raises(Conflict, match="only way"):
        identities.remove(known, known.id, one.id)
    with pytest.raises(NotFound):
        identities.remove(house.company.ines, house.company.tom.id, one.id)
    assert identities.identities_of(known.id) == [one]


def test_nobody_takes_the_line_away_that_makes_them_an_admin(house: House) -> None:
    client, _ = sign_in(house, "lars", **somebody("lars", "it"))
    with pytest.raises(Invalid) as refused:
        entry_changes.change(actor_of(client), "127.0.0.1", groups=GROUPS[:2])
    assert [detail["field"] for detail in refused.value.details] == ["groups"]
    entry_changes.change(house.company.ines, "127.0.0.1", groups=GROUPS[:2])
    assert client.get("/settings/sign-in").status_code == 403


def test_the_last_admin_is_not_disconnected(house: House) -> None:
    client, _ = sign_in(house, "lotte", **somebody("lotte", "it"))
    lotte = actor_of(client)
    (one,) = identities.identities_of(lotte.id)
    others = [other for other in access.holders("admin") if other != lotte.id]
    fetch("update console.person set disabled_at = now() where id = any(%s) returning 1", (others,))
    try:
        with pytest.raises(NotAllowed, match="last admin"):
            identities.remove(accounts.COMMAND_LINE, lotte.id, one.id)
        rules(groups=GROUPS[:2])
        assert accounts.person(lotte.id).roles == {ADMIN}
    finally:
        fetch("update console.person set disabled_at = null where id = any(%s) returning 1", (others,))


# --- signed out at the provider ---------------------------------------------------------------------------------------------------

LOGOUT: Claims = {"http://schemas.openid.net/event/backchannel-logout": {}}
NO_LOGOUTS: dict[str, Claims] = {
    "for another client": {"aud": "another"},
    "of another issuer": {"iss": "https://other.example"},
    "with a nonce, as an ID token has": {"nonce": "n"},
    "without its event": {"events": {"something": {}}},
    "of nobody": {"sub": None},
    "for ever": {"exp": None},
    "without a number": {"jti": None},
    "of yesterday": {"iat": 1_700_000_000},
}


def test_who_is_signed_out_at_the_provider_is_signed_out_here_once_and_nobody_else(house: House) -> None:
    signed = signed_by_us(lambda claims: claims | {"sid": f"at {claims['sub']}"})
    house.provider.change = signed
    bob, _ = sign_in(house, "bob", **somebody("bob", "ops"))
    other, _ = sign_in(house, "otto", **somebody("otto", "ops"))
    now, numbers = int(time.time()), iter(range(100))
    program = house.app.test_client()

    def logout(key: Any = OURS, alg: str = "RS256", **change: Any) -> int:
        told = {
            "iss": house.provider.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 100,
            "jti": f"{next(numbers)}",
            "sub": "bob",
            "events": LOGOUT,
        }
        claims = {name: value for name, value in (told | change).items() if value is not None}
        token = jwt.encode({"alg": alg, "kid": "ours"}, claims, key)
        return program.post("/sign-in/oidc/backchannel-logout", data={"logout_token": token}).status_code

    for how, change in NO_LOGOUTS.items():
        assert logout(**change) == 400, how
    assert logout(OctKey.import_key(SECRET), "HS256") == 400
    assert logout(RSAKey.generate_key(2048, {"kid": "ours"})) == 400
    assert program.post("/sign-in/oidc/backchannel-logout", data={"logout_token": "x"}).status_code == 400
    assert program.post("/sign-in/oidc/backchannel-logout").status_code == 400
    assert logout(sid="at otto") == 200  # a session that Bob has not
    assert bob.get("/c").status_code == 200
    assert logout(jti="again") == 200
    assert (bob.get("/c").status_code, other.get("/c").status_code) == (303, 200)
    bob, _ = sign_in(house, "bob", **somebody("bob", "ops"))
    assert logout(jti="again") == 400
    assert bob.get("/c").status_code == 200
    assert logout(sub=None, sid="at bob") == 200
    assert (bob.get("/c").status_code, other.get("/c").status_code) == (303, 200)
