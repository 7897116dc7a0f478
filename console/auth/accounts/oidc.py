"""OpenID Connect with the identity provider: code flow with PKCE, state and nonce.

Everything that returns is checked: the state belongs to this browser and is used once, the issuer is the expected one (RFC 9207), the token is
signed by a key of the provider, for us and this request. Requests use `console.infra.outbound.net`.
"""

import hmac
import json
import secrets
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from console.auth.accounts import entry, one_time
from console.core.errors import ConsoleError, IntegrationError, OutcomeUnknown
from console.infra import settings, subjects
from console.infra.outbound import net
from console.infra.outbound.authlib_session import AuthlibSession

if TYPE_CHECKING:
    from authlib.oauth2.client import OAuth2Client
    from joserfc.jwk import KeySet

Purpose = Literal["sign_in", "link", "step_up"]
SIGNED = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
"""Public-key algorithms. Tokens with a shared secret or without a signature are refused."""

WAY_S = 600
LEEWAY_S = 60
KEPT_S = 600
LATEST = 2**53  # seconds; also no infinity, and no number that is too long for arithmetic
READ_S = 5.0
REST_S = 10.0
"""After a request that took this provider longer than `READ_S`, nobody waits for it so long: people are told at once, and pages stay quick."""
METADATA = "/.well-known/openid-configuration"


class ProviderRefused(ConsoleError):
    """Signing in through the identity provider did not come to an end. Start again; when it happens twice, tell an administrator."""

    status = 422
    default_code = "provider"


@dataclass(frozen=True, slots=True)
class Provider:
    """The provider's discovery document."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    tells_issuer: bool
    algorithms: tuple[str, ...]
    basic: bool
    scope: str


@dataclass(frozen=True, slots=True)
class Departure:
    """The redirect to the provider with its `state`, and the sealed content of the cookie for the return."""

    url: str
    state: str
    kept: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """A verified return: `claims` with `sub`, the purpose (`session`: by whom, if somebody was signed in) and the page to go to.

    `withheld`: the provider says that it does not tell the groups here. `proved_at`: when it last asked who the person is, in seconds since 1970.
    """

    issuer: str
    claims: Mapping[str, Any]
    purpose: Purpose
    session: str
    to: str
    withheld: bool
    proved_at: float | None


_turn = threading.Lock()
_known: tuple[str, float, Provider] | None = None
_rests_until = 0.0


def offered() -> bool:
    """Whether sign-in through a provider is configured."""
    return settings.current().oidc_issuer is not None


def provider() -> Provider:
    """The provider's document, read every ten minutes. Raises `ProviderRefused` if it does not answer or names another issuer."""
    global _known  # noqa: PLW0603 (what this process knows, swapped by one assignment)
    configured = settings.current()
    if configured.oidc_issuer is None:
        raise ProviderRefused("No identity provider is set up here: CONSOLE_OIDC_ISSUER names one.")
    if (known := _fresh_document(configured.oidc_issuer)) is not None:
        return known
    with _turn:  # one asks, the others find what it found
        if (known := _fresh_document(configured.oidc_issuer)) is None:
            known = _provider(
                configured.oidc_issuer, _json("GET", configured.oidc_issuer.rstrip("/") + METADATA)
            )
            _known = configured.oidc_issuer, time.monotonic(), known
    return known


def _fresh_document(issuer: str) -> Provider | None:
    known = _known
    return (
        known[2]
        if known is not None and known[0] == issuer and time.monotonic() - known[1] <= KEPT_S
        else None
    )


def depart(back: str, *, to: str, purpose: Purpose = "sign_in", session: str = "") -> Departure:
    """The redirect to the provider; `back` is our return address. To link an account and for `step_up` it asks anew who the person is."""
    there = provider()
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    fresh = {"prompt": "login", "max_age": "0"} if purpose != "sign_in" else {}
    url, _ = _client(there, back).create_authorization_url(
        there.authorization_endpoint, state=state, code_verifier=verifier, nonce=nonce, **fresh
    )
    kept = {
        "state": state,
        "nonce": nonce,
        "verifier": verifier,
        "back": back,
        "to": to,
        "purpose": purpose,
        "session": session,
    }
    sealed = subjects.wrap(
        json.dumps(kept | {"at": int(time.time()), "issuer": there.issuer}).encode(), "oidc|departure|cookie"
    )
    return Departure(str(url), state, urlsafe_b64encode(sealed).decode())


def arrive(kept: str, query: Mapping[str, str]) -> Arrival:
    """The verified return from the provider. Raises `ProviderRefused`."""
    left, there = _departed(kept), provider()
    if not hmac.compare_digest(query.get("state", "").encode(), left["state"].encode()):
        raise ProviderRefused(
            "The answer does not belong to a sign-in of this browser. Start again.", code="state"
        )
    if not one_time.is_first_use("state", left["state"], timedelta(seconds=WAY_S)):
        raise ProviderRefused("This answer was used before. Start again.", code="replay")
    issuer = query.get("iss")
    if (
        left["issuer"] != there.issuer
        or (issuer is None and there.tells_issuer)
        or (issuer is not None and issuer != there.issuer)
    ):
        raise ProviderRefused(
            "The answer came from another identity provider than the one that was asked.", code="issuer"
        )
    if "code" not in query:
        raise ProviderRefused("The identity provider did not sign you in.", code="no_code")
    token = _token(there, left, query)
    signed = _claims(there, str(token.get("id_token", "")), left)
    claims = _more(there, signed, str(token.get("access_token", "")))
    _check_types(claims)
    return Arrival(
        there.issuer,
        claims,
        left["purpose"],
        left["session"],
        left["to"],
        _withheld(signed, claims),
        _asked_at(signed),
    )


def farewell(back: str) -> str | None:
    """The provider's sign-out page; None if it has none or does not answer."""
    try:
        there = provider()
    except ProviderRefused:
        return None
    if there.end_session_endpoint is None:
        return None
    query = urlencode(
        {"client_id": settings.current().oidc_client_id or "", "post_logout_redirect_uri": back}
    )
    return f"{there.end_session_endpoint}{'&' if '?' in there.end_session_endpoint else '?'}{query}"


def _departed(kept: str) -> dict[str, Any]:
    try:
        departure: dict[str, Any] = json.loads(
            subjects.unwrap(urlsafe_b64decode(kept.encode()), "oidc|departure|cookie")
        )
    except (ValueError, subjects.Unreadable):
        raise ProviderRefused(
            "The answer does not belong to a sign-in of this browser. Start again.", code="state"
        ) from None
    if not 0 <= time.time() - departure["at"] < WAY_S:
        raise ProviderRefused("Signing in took too long. Start again.", code="state")
    return departure


def _token(there: Provider, left: Mapping[str, Any], query: Mapping[str, str]) -> Mapping[str, Any]:
    """The token for the code. A code of another request fails: its verifier does not match."""
    from authlib.oauth2.base import OAuth2Error

    try:
        tokens: Mapping[str, Any] = _client(there, left["back"]).fetch_token(
            there.token_endpoint,
            authorization_response=f"{left['back']}?{urlencode(query)}",
            state=left["state"],
            redirect_uri=left["back"],
            code_verifier=left["verifier"],
        )
    except (OAuth2Error, TypeError, ValueError) as error:
        raise ProviderRefused(
            "The identity provider did not take the code that it had given.", code="code"
        ) from error
    except IntegrationError as error:
        raise ProviderRefused("The identity provider is not well at the moment. Try again later.") from error
    return tokens


def _claims(there: Provider, text: str, left: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of the token, if it is signed by the provider, for us, for this request, and valid now."""
    client_id = str(settings.current().oidc_client_id)
    claims = signed_claims(
        there, text, nonce={"essential": True, "value": left["nonce"]}, sub={"essential": True}
    )
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (several or "azp" in claims) and claims.get("azp") != client_id:
        raise ProviderRefused("The identity provider's token was made for somebody else.", code="token")
    if not 0 < len(claims["sub"]) <= 255:
        raise ProviderRefused("The identity provider's token names nobody.", code="token")
    if _is_stale(claims, left):
        raise ProviderRefused("The identity provider did not ask you to sign in again.", code="not_fresh")
    return claims


def signed_claims(there: Provider, text: str, **needed: Any) -> dict[str, Any]:
    """The claims of a token that is signed by the provider, for us, and valid now, with these claims besides. Raises `ProviderRefused`."""
    from joserfc import jwt
    from joserfc.errors import JoseError

    try:
        token = jwt.decode(text, _keys(_json("GET", there.jwks_uri)), algorithms=list(there.algorithms))
        jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": there.issuer},
            aud={"essential": True, "value": str(settings.current().oidc_client_id)},
            exp={"essential": True},
            iat={"essential": True},
            **needed,
        ).validate(token.claims)
    except (JoseError, KeyError, TypeError, ValueError) as error:
        raise ProviderRefused("The identity provider's token does not fit.", code="token") from error
    claims = dict(token.claims)
    _check_types(claims)
    return claims


def _keys(told: Mapping[str, Any]) -> "KeySet":
    """The provider's keys. One that cannot be read, of a curve to come, is left out: RFC 7517, section 5."""
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet, import_key

    keys = []
    for each in filter(lambda key: isinstance(key, dict), told["keys"]):
        with suppress(JoseError, KeyError, TypeError, ValueError):
            keys.append(import_key(each))
    if not keys:
        raise ValueError
    return KeySet(keys)


def _check_types(claims: Mapping[str, Any]) -> None:
    """Raises `ProviderRefused` naming the claim if a claim that we use has another type than its standard.

    Source: OpenID Connect Core 1.0, sections 2 and 5.1; the groups claim is a text or a list of texts.
    """
    for name, fits in {**_TYPES, entry.current().groups_claim: _is_groups}.items():
        if name in claims and not fits(claims[name]):
            raise ProviderRefused(
                f"The identity provider sent the claim {name} in a form that is not allowed. Ask its administrator to correct it.",
                code="claim",
            )


def _is_text(value: object) -> bool:
    """A text that can be stored: JSON may hold halves of characters."""
    return (
        isinstance(value, str)
        and "\0" not in value
        and not any("\ud800" <= each <= "\udfff" for each in value)
    )


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_moment(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LATEST


def _is_groups(value: object) -> bool:
    return _is_text(value) or _is_list(value)


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_address(value: object) -> bool:
    return _is_text(value) and str(value).startswith(("https://", "http://"))


_TYPES: dict[str, Callable[[object], bool]] = {
    **dict.fromkeys(("iss", "sub", "azp", "nonce", "email", "name", "sid", "jti"), _is_text),
    **dict.fromkeys(("exp", "iat", "nbf", "auth_time"), _is_moment),
    "aud": _is_groups,
    "email_verified": _is_flag,
}
_DOCUMENT: dict[str, Callable[[object], bool]] = {
    **dict.fromkeys(
        ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"),
        _is_address,
    ),
    **dict.fromkeys(
        (
            "id_token_signing_alg_values_supported",
            "token_endpoint_auth_methods_supported",
            "scopes_supported",
        ),
        _is_list,
    ),
}


def _asked_at(claims: Mapping[str, Any]) -> float | None:
    """When the provider last asked the person to sign in, by the signed token; None if it does not tell, or tells a moment to come."""
    at, now = claims.get("auth_time"), time.time()
    return min(float(at), now) if at is not None and 0 <= at <= now + LEEWAY_S else None


def _is_stale(claims: Mapping[str, Any], left: Mapping[str, Any]) -> bool:
    """Whether the provider did not ask anew where it was to. To link an account it need not tell: the person confirms whose it is."""
    if left["purpose"] == "sign_in" or (left["purpose"] == "link" and "auth_time" not in claims):
        return False
    asked_at = _asked_at(claims)
    return asked_at is None or asked_at < left["at"] - LEEWAY_S


def _withheld(signed: Mapping[str, Any], claims: Mapping[str, Any]) -> bool:
    """Whether groups give roles here, and what tells of the person's groups says that it leaves some out.

    Sources: OpenID Connect Core 1.0, section 5.6.2 (`_claim_names`); Microsoft identity platform, groups overage claim (`hasgroups`).
    """
    rules = entry.current()
    source = signed if rules.groups_claim in signed else claims
    elsewhere = source.get("_claim_names")
    marked = source.get("hasgroups", False) not in (False, "false") or (
        isinstance(elsewhere, dict) and rules.groups_claim in elsewhere
    )
    return bool(rules.groups) and marked


def _more(there: Provider, claims: Mapping[str, Any], access_token: str) -> Mapping[str, Any]:
    """The claims, completed from the userinfo endpoint; claims of the token win.

    `email_verified` counts only for the address from the same source.
    """
    if there.userinfo_endpoint is None or (entry.current().groups_claim in claims and "email" in claims):
        return claims
    if not (access_token.isascii() and access_token.isprintable()):
        raise ProviderRefused("The identity provider's token does not fit.", code="token")
    userinfo = _json("GET", there.userinfo_endpoint, {"Authorization": f"Bearer {access_token}"})
    if userinfo.get("sub") != claims["sub"]:
        raise ProviderRefused(
            "The identity provider told of somebody else than it had signed in.", code="token"
        )
    checked = (
        claims if "email" in claims and claims["email"] != userinfo.get("email") else {**userinfo, **claims}
    )
    return {**userinfo, **claims, "email_verified": checked.get("email_verified", False)}


def _provider(issuer: str, metadata: Mapping[str, Any]) -> Provider:
    """The checked document. Raises `ProviderRefused`."""
    if not isinstance(metadata.get("issuer"), str) or metadata["issuer"].rstrip("/") != issuer.rstrip("/"):
        raise ProviderRefused(
            "The identity provider does not describe itself as the issuer that is set.", code="issuer"
        )
    needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    for name, fits in _DOCUMENT.items():
        if not (fits(metadata[name]) if metadata.get(name) is not None else name not in needed):
            raise ProviderRefused(
                f"The identity provider describes itself wrongly: {name}. Ask its administrator to correct it.",
                code="issuer",
            )
    algorithms = SIGNED.intersection(metadata.get("id_token_signing_alg_values_supported") or ["RS256"])
    methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    scopes = set(metadata.get("scopes_supported") or ())
    return Provider(
        issuer=metadata["issuer"],
        authorization_endpoint=metadata["authorization_endpoint"],
        token_endpoint=metadata["token_endpoint"],
        jwks_uri=metadata["jwks_uri"],
        userinfo_endpoint=metadata.get("userinfo_endpoint"),
        end_session_endpoint=metadata.get("end_session_endpoint"),
        tells_issuer=metadata.get("authorization_response_iss_parameter_supported") is True,
        algorithms=tuple(sorted(algorithms)),
        basic="client_secret_basic" in methods or "client_secret_post" not in methods,
        scope=" ".join(["openid", "email", "profile", *({"groups"} & scopes)]),
    )


def _client(there: Provider, back: str) -> "OAuth2Client":
    from authlib.oauth2.client import OAuth2Client

    configured = settings.current()
    method = (
        "none"
        if configured.oidc_client_secret is None
        else "client_secret_basic"
        if there.basic
        else "client_secret_post"
    )
    return OAuth2Client(
        AuthlibSession(_send),
        client_id=configured.oidc_client_id,
        client_secret=configured.oidc_client_secret,
        token_endpoint_auth_method=method,
        scope=there.scope,
        redirect_uri=back,
        code_challenge_method="S256",
    )


def _json(method: Literal["GET"], url: str, headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    answer = _send(method, url, None, {"Accept": "application/json", **(headers or {})})
    try:
        body = json.loads(answer.body) if answer.good else None
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ProviderRefused(f"The identity provider answered {answer.status}, and not with what it should.")
    return body


def _send(method: net.Method, url: str, body: bytes | None, headers: Mapping[str, str]) -> net.Answer:
    global _rests_until  # noqa: PLW0603 (what this process knows, swapped by one assignment)
    if time.monotonic() < _rests_until:
        raise ProviderRefused(
            "The identity provider did not answer in time a moment ago. Start again in half a minute.",
            code="slow",
        )
    began = time.monotonic()
    try:
        answer = net.send(method, url, body, headers, read_s=READ_S)
    except (IntegrationError, OutcomeUnknown) as error:
        if time.monotonic() - began >= READ_S:
            _rests_until = time.monotonic() + REST_S
            raise ProviderRefused(
                "The identity provider does not answer in time. Start again in half a minute.", code="slow"
            ) from error
        raise ProviderRefused(f"The identity provider cannot be asked: {error.message}") from error
    if not answer.whole:
        raise ProviderRefused(
            "The identity provider's answer is too long. If it tells of hundreds of groups, let it tell those that have a role here."
        )
    return answer
