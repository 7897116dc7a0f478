"""An identity provider that answers with values of every type, strange characters and strange keys: refused with a page, and nobody gains a right."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import RSAKey

from console.auth import accounts
from console.auth.accounts import oidc
from tests.servers import identity
from tests.servers.outside import Received
from tests.views.test_oidc import (
    House,
    There,
    browser,
    come_back,
    house as house,  # noqa: PLC0414 - a fixture
    person,
    somebody,
    userinfo,
    usual as usual,  # noqa: PLC0414 - a fixture
)
from tests.views.test_oidc_attacked import OURS, WELL_KNOWN, claims_of, part, signed_by_us, token

pytestmark = pytest.mark.lengthy

VALUES: tuple[Any, ...] = (
    None,
    True,
    7,
    10**400,
    "x",
    "",
    ["x"],
    {"a": 1},
    [7],
    [["x"]],
    [None],
    "\ud800",
    ["\0"],
)
OTHER = RSAKey.generate_key(2048, {"kid": "other"})


def answering(path: str, change: Callable[[Any], Any]) -> identity.Changed:
    """The provider's answer at this path, changed."""

    def changed(
        told: Received, status: int, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        return (
            (status, headers, json.dumps(change(json.loads(body))).encode())
            if told.path == path
            else (status, headers, body)
        )

    return changed


def tried(house: House, sub: str, *groups: str, **more: Any) -> int:
    """The status at the end of a sign-in; wherever it ends, the page says what is wrong."""
    house.provider.person(sub, **somebody(sub, *groups, **more))
    client = browser(house)
    answer = client.get("/sign-in/oidc")
    if answer.status_code == 303:
        answer = come_back(client, There(house.provider).walk(str(answer.headers["Location"])))
    if answer.status_code != 303:
        assert "identity provider" in answer.text.lower() or "You have no role here" in answer.text
        assert client.get("/c").status_code == 303
    return answer.status_code


@pytest.mark.parametrize(
    "name",
    [
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
        "end_session_endpoint",
        "id_token_signing_alg_values_supported",
        "token_endpoint_auth_methods_supported",
        "scopes_supported",
        "authorization_response_iss_parameter_supported",
    ],
)
def test_a_provider_that_describes_itself_wrongly_is_refused_before_anybody_leaves(
    house: House, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list where a list belongs, nothing where nothing is needed; a wrong sign-out address would break signing out."""
    for value in VALUES:
        monkeypatch.setattr(oidc, "_known", None)
        house.provider.change = answering(WELL_KNOWN, lambda told, value=value: told | {name: value})  # type: ignore[misc]
        answer = browser(house).get("/sign-in/oidc")
        fits = name.startswith("authorization_response") or (
            value is None and name not in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
        )
        assert answer.status_code == (
            303 if fits or (value == ["x"] and name.endswith("supported")) else 422
        ), value
        assert answer.status_code == 303 or "identity provider" in answer.text
    monkeypatch.setattr(oidc, "_known", None)


@pytest.mark.parametrize(
    ("path", "name", "harmless"),
    [
        ("/token", "id_token", False),
        ("/token", "error", True),
        ("/token", "access_token", True),
        ("/token", "expires_in", True),
        ("/token", "token_type", True),
        ("/jwks", "keys", False),
        ("/me", "sub", False),
    ],
)
def test_an_answer_with_a_value_of_another_type_is_no_error_of_ours(
    house: House, path: str, name: str, harmless: bool
) -> None:
    for value in (*VALUES, [{"kty": 7}], [{"kty": "RSA", "n": 7, "e": [], "kid": {}}], "a\r\nX: y"):
        house.provider.change = answering(path, lambda told, value=value: told | {name: value})  # type: ignore[misc]
        assert tried(house, f"uma-{name}", "ops") in ({303, 422} if harmless else {422}), value
    for whole in VALUES:
        house.provider.change = answering(path, lambda _, whole=whole: whole)  # type: ignore[misc]
        assert tried(house, f"uma-{name}", "ops") == 422, whole


UNSTORABLE = ("\0", "a\0b", "\ud800", "a\udfffb")
STRANGE: dict[str, tuple[Any, ...]] = {
    "sub": (*UNSTORABLE, "", "x" * 256),
    "email": UNSTORABLE,
    "name": UNSTORABLE,
    "groups": (*UNSTORABLE, ["ops", "\0"], {"ops": ["ops"]}, [["ops"]]),
    "exp": ("1893456000", 10**400, -(10**400), "never"),
    "iat": (10**400, "now"),
    "auth_time": (10**400,),
    "nonce": ("", *UNSTORABLE, None),
    "aud": ([], "", ["other"], {"handrail": True}, ["handrail", 7]),
    "iss": ("{iss}/", "{iss}.evil.example", "{iss}#", "", None, ["{iss}"]),
}


@pytest.mark.parametrize("claim", STRANGE)
def test_a_signed_claim_that_cannot_be_is_refused_by_name(house: House, claim: str) -> None:
    for value in STRANGE[claim]:
        told = (
            value.format(iss=house.provider.issuer) if isinstance(value, str) and "{iss}" in value else value
        )
        house.provider.change = signed_by_us(lambda claims, told=told: claims | {claim: told})  # type: ignore[misc]
        assert tried(house, "vera", "it") == 422, value
    assert person("vera", house) is None


def with_keys(house: House, keys: list[Any], sign: Callable[[str], str]) -> int:
    """The status of a sign-in whose provider publishes these keys and hands out this token."""
    jwks = answering("/jwks", lambda _: {"keys": keys})
    signed = token(sign)
    house.provider.change = lambda told, *rest: (jwks if told.path == "/jwks" else signed)(told, *rest)
    return tried(house, "wanda", "it")


def test_keys_and_signatures_that_do_not_belong_together_open_nothing(house: House) -> None:
    """A shared secret made of the public key, keys under one name, a key for another purpose: none proves who signed."""
    public = OURS.as_dict(private=False) | {"kid": "ours"}
    other = OTHER.as_dict(private=False) | {"kid": "ours"}
    pem = OURS.as_pem(private=False)

    def signed(alg: str, key: Any, **more: Any) -> Callable[[str], str]:
        return lambda text: jwt.encode(
            {"alg": alg, "kid": "ours", **more}, claims_of(text), key, algorithms=[alg]
        )

    def by_secret(secret: bytes) -> Callable[[str], str]:
        def sign(text: str) -> str:
            told = f"{part({'alg': 'HS256', 'kid': 'ours'})}.{part(claims_of(text))}"
            return f"{told}.{urlsafe_b64encode(hmac.digest(secret, told.encode(), 'sha256')).decode().rstrip('=')}"

        return sign

    tricks: list[tuple[list[Any], Callable[[str], str]]] = [
        *(([public], by_secret(each)) for each in (pem, pem.strip(), str(public["n"]).encode())),
        (
            [public, {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I", "kid": "ours"}],
            by_secret(b"secret-secret-secret-secret-secr"),
        ),
        ([other, other], signed("RS256", OURS)),
        ([], signed("RS256", OURS)),
        ([public, other], signed("RS256", RSAKey.generate_key(2048))),
        ([public], lambda _: jws.serialize_compact({"alg": "RS256", "kid": "ours"}, b'["wanda"]', OURS)),
        ([public], lambda _: jws.serialize_compact({"alg": "RS256", "kid": "ours"}, b"7", OURS)),
        ([public], lambda _: jws.serialize_compact({"alg": "RS256", "kid": "ours"}, b"\xff\xfe", OURS)),
    ]
    for number, (keys, sign) in enumerate(tricks):
        assert with_keys(house, keys, sign) == 422, number
    assert person("wanda", house) is None


NOT_READ: tuple[Any, ...] = (
    {"kty": "AKP", "kid": "later", "alg": "ML-DSA-44", "pub": "AAAA"},
    {"kty": "EC", "crv": "BP-256", "x": "AA", "y": "AA", "kid": "curve"},
    {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "small"},
    {"kid": "of no kind"},
    "no key",
    None,
)


def test_a_key_that_cannot_be_read_leaves_the_others(house: House) -> None:
    """A provider that adds a key of a kind to come locks nobody out; one that has only such keys proves nothing."""
    public = OURS.as_dict(private=False) | {"kid": "ours"}

    def sign(text: str) -> str:
        return jwt.encode({"alg": "RS256", "kid": "ours"}, claims_of(text), OURS)

    assert with_keys(house, [*NOT_READ, public, *NOT_READ], sign) == 303
    assert with_keys(house, list(NOT_READ), sign) == 422


def test_a_key_that_is_withdrawn_signs_nothing_from_then_on(house: House) -> None:
    """Keys are asked for at each sign-in: a new one counts at once, and one that is gone at once no more."""
    new = OTHER.as_dict(private=False) | {"kid": "new"}
    assert (
        with_keys(
            house, [new], lambda text: jwt.encode({"alg": "RS256", "kid": "new"}, claims_of(text), OTHER)
        )
        == 303
    )
    assert (
        with_keys(
            house, [new], lambda text: jwt.encode({"alg": "RS256", "kid": "ours"}, claims_of(text), OURS)
        )
        == 422
    )


def test_too_many_groups_are_said(house: House) -> None:
    groups = [f"group-{number}" for number in range(20_000)]
    assert tried(house, "wilma", "it") == 303
    house.provider.change = signed_by_us(lambda claims: claims | {"groups": groups})
    client = browser(house)
    house.provider.person("wilma", **somebody("wilma", "it"))
    answer = come_back(
        client, There(house.provider).walk(str(client.get("/sign-in/oidc").headers["Location"]))
    )
    assert (answer.status_code, "hundreds of groups" in answer.text) == (422, True)


def test_two_keys_under_one_name_are_no_error(house: House) -> None:
    """While a provider changes its key: the token of the one that is found is taken, the other's refused."""
    keys = [each.as_dict(private=False) | {"kid": "ours"} for each in (OURS, OTHER)]
    for key in (OURS, OTHER):
        assert with_keys(
            house,
            keys,
            lambda text, key=key: jwt.encode({"alg": "RS256", "kid": "ours"}, claims_of(text), key),  # type: ignore[misc]
        ) in {303, 422}


@pytest.mark.parametrize(
    "group",
    [
        "IT",
        "It",
        " it",
        "it ",
        "it\n",
        "ıt",
        "ⅰt",
        "ｉｔ",
        "i\u200bt",
        "i\u0307t",
        "it\u0301",
        "іt",
        "*",
        "%",
        "it,ops",
        '["it"]',
        "admin",
        "role:admin",
        "",
    ],
)
def test_a_group_that_only_looks_like_another_gives_no_role(house: House, group: str) -> None:
    """Compared sign by sign: `it` makes an admin here."""
    for told in (group, [group], [group, group]):
        house.provider.change = userinfo(lambda said, told=told: said | {"groups": told})
        assert tried(house, "xenia") == 403, told
    assert person("xenia", house) is None


def test_an_address_that_only_becomes_anothers_when_made_small_takes_no_invitation(house: House) -> None:
    """The Kelvin sign in small letters is a k."""
    accounts.invite(house.company.ines, "karl@people.example", [("reviewer", "operations")])
    for name in ("\u212aarl", "kar\u2112", "ｋarl", "karl\u200b", "\u2003karl"):
        assert tried(house, "thief-of-karl", email=f"{name}@people.example") == 403, name
    assert person("thief-of-karl", house) is None
    assert tried(house, "karl-himself", email=" KARL@people.example") == 303
