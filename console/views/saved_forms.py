"""Forms that were sent without a session, or by a page older than the present one: kept sealed over the sign-in and offered again to whoever opened the page.

Whose page it was stands in the token of its forms, which no browser can change: a mark of the person, made with the console's key.
"""

import hashlib
import hmac
import secrets
from datetime import timedelta
from urllib.parse import quote

from flask import Response, current_app, request, session
from flask_login import current_user
from itsdangerous import BadSignature, URLSafeTimedSerializer

from console.auth.accounts import one_time, throttle
from console.auth.accounts.throttle import Limit
from console.views import frame

SALT = "wtf-csrf-token"
"""What the library signs the tokens of forms with."""
LASTS = timedelta(hours=12)
MOST = 200_000
"""Characters of a form that are kept."""
MOST_OF_SESSION = 20
"""Forms of the pages of one session that are kept at once; after that each waits longer."""
SECRETS = {
    "ai_provider.save": {"key": "Key"},
    "auth.code_shown": {"code": "Code"},
    "auth.signed_in": {"password": "Password"},
    "contact_book.new": {"url": "Address of the database"},
    "forgot.chosen": {"new": "New password"},
    "invitations.accepted": {"password": "Password", "again": "The password again"},
    "me.change_password": {"former": "Present password", "new": "New password"},
    "second_factor.confirm": {"code": "Code"},
    "second_factor.download": {"codes": "Recovery codes"},
    "secrets.save": {"text": "Secret"},
    "source.address": {"password": "Password", "url": "Address"},
    "sources.new": {"password": "Password", "url": "Address"},
    "step_up.prove": {"shown": "Password or code"},
    "workflow_triggers.renew_secret": {"secret": "The secret that the sender made"},
}
"""Fields that hold a secret, by the endpoint that takes them, and what they are called: never kept over a sign-in, but asked for again."""


def mark_session(person: str) -> None:
    """Have the forms of the session that begins say whose they are."""
    nonce = secrets.token_hex(20)
    session["csrf_token"] = f"{nonce}.{_mark(nonce, person)}"


def serializer(key: str) -> URLSafeTimedSerializer:
    """Return what signs the tokens of forms."""
    return URLSafeTimedSerializer(key, salt=SALT)


def sent_by_form() -> bool:
    """Return whether the browser says that a form of a page of ours was sent, not something that a script asked for or another site."""
    return request.method == "POST" and (
        request.headers.get("Sec-Fetch-Site"),
        request.headers.get("Sec-Fetch-Mode"),
    ) == (
        "same-origin",
        "navigate",
    )


def of_reader() -> bool:
    """Return whether the page that was sent had been opened by the person who is signed in now."""
    return current_user.is_authenticated and _fits(_secret(), current_user.actor.id)


def keep() -> str | None:
    """Keep the form that was sent and return where it is offered again after signing in; None where nobody can say whose it is, or it is too long."""
    secret = _secret()
    if (
        not sent_by_form()
        or secret is None
        or "." not in secret
        or sum(map(len, request.form.values())) > MOST
    ):
        return None
    if not throttle.take([Limit("kept", secret, MOST_OF_SESSION)]):
        return (
            None  # nobody is signed in: who once saw a page could fill the database with copies of its form
        )
    kept = one_time.make("kept", None, LASTS, without_secrets() | {"page_of": secret})
    return f"/step-up/go-on?kept={quote(kept)}"


def take(kept: str) -> dict[str, object] | None:
    """Return a form that `keep` kept, once, to the person who had opened its page; None for everybody else, who do not use it up."""
    found = one_time.find("kept", kept) if kept else None
    if (
        found is None
        or found.person is not None
        or not _fits(found.content.get("page_of"), current_user.actor.id)
    ):
        return None
    taken = one_time.take("kept", kept)
    return taken.content if taken is not None else None


def content() -> dict[str, object]:
    """Return the form that was sent, without its token; files cannot be kept."""
    fields = [[name, value] for name, value in request.form.items(multi=True) if name != "csrf_token"]
    return {"path": request.full_path.rstrip("?"), "fields": fields, "files": bool(request.files)}


def without_secrets() -> dict[str, object]:
    """Return the form as `content`, and instead of the secrets that were typed what they are called: they are typed again."""
    labels = SECRETS.get(request.endpoint or "", {})
    fields = [
        [name, value] for name, value in request.form.items(multi=True) if name not in {"csrf_token", *labels}
    ]
    return content() | {
        "fields": fields,
        "secrets": [[name, label] for name, label in labels.items() if request.form.get(name)],
    }


def offered(form: dict[str, object], *, status: int = 200) -> Response:
    """Return a page with the form as it was typed: a press of its button sends it."""
    context = {"who": current_user.actor.name} | {
        name: form.get(name) for name in ("path", "fields", "files", "secrets")
    }
    return frame.page("auth/go_on.html", context, status=status)


def _secret() -> str | None:
    """Return what the token of the sent form holds; None if it is not one of ours."""
    try:
        return str(serializer(str(current_app.secret_key)).loads(request.form.get("csrf_token", "")))
    except BadSignature:
        return None


def _fits(secret: str | None, person: str) -> bool:
    nonce, _, mark = (secret or "").partition(".")
    return bool(mark) and hmac.compare_digest(mark, _mark(nonce, person))


def _mark(nonce: str, person: str) -> str:
    return hmac.new(
        str(current_app.secret_key).encode(), f"page of|{nonce}|{person}".encode(), hashlib.sha256
    ).hexdigest()[:32]
