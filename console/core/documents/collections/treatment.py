"""What an AI model may get of a field's values: as the document says, else by name and type.

`full`: the value. `masked`: a placeholder, replaced again in the answer. `hash`: a keyed code to compare values for equality. `never`: nothing,
and the field is not proposed. A field with the name of a secret is always `never`.
"""

import functools
import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Literal, TypeAlias, get_args

Ai: TypeAlias = Literal["full", "masked", "hash", "never"]
TREATMENTS: tuple[Ai, ...] = get_args(Ai)
"""From the most to the least information."""

FORMER = {"allow": "full", "ask": "masked"}
"""Words of older documents."""

SECRET_WORDS = frozenset(
    {
        "password",
        "passwd",
        "passphrase",
        "pwd",
        "secret",
        "secrets",
        "token",
        "tokens",
        "credential",
        "credentials",
        "otp",
        "cvv",
        "cvc",
        "userpass",
        "pswd",
        "mdp",
        "senha",
        "heslo",
        "haslo",
        "sifre",
        "sifresi",
        "lozinka",
        "geslo",
        "parool",
        "slaptazodis",
        "adgangskode",
        "matkhau",
    }
)
PASSWORDS = (
    "password",
    "passwort",
    "kennwort",
    "wachtwoord",
    "contrasena",
    "motdepasse",
    "losenord",
    "salasana",
    "jelszo",
)
"""Words for a password, which also stand inside others: `userpassword`, `Kundenkennwort`."""
OTHER_SCRIPTS = re.compile(
    r"密码|密碼|口令|密钥|密鑰|令牌|パスワード|暗証|비밀번호|암호|كلمة[ _]?(?:ال)?(?:مرور|سر)|رمز[ _]?(?:المرور|الدخول)|סיסמ|парол|пинкод|κωδικ[οό]ς?[ _]?πρ[οό]σβασης|συνθηματικ|รหัสผ่าน|गुप्तशब्द|पासवर्ड|گذرواژه|رمز[ _]?عبور"
)
SECRET_PAIRS = (
    *(
        (kind, key)
        for kind in (
            "api",
            "private",
            "secret",
            "signing",
            "access",
            "activation",
            "auth",
            "encryption",
            "reset",
            "session",
            "license",
            "licence",
            "lizenz",
            "consumer",
            "nonce",
        )
        for key in ("key", "schluessel", "schlussel")
    ),
    *(
        (whose, "pass")
        for whose in ("user", "login", "admin", "db", "database", "smtp", "mail", "ftp", "root", "account")
    ),
    *(
        (kind, code)
        for kind in ("recovery", "backup", "pin", "security", "verification", "protect")
        for code in ("code", "codes", "koodi", "kod", "kodu")
    ),
    ("mot", "passe"),
)
"""Neighbouring words of names of secrets. A `pass` alone may be one to board or to ski with; its form tells (`recognising.FORMS`)."""
BORN = frozenset({("birth", "date"), ("born", "on"), ("of", "birth")})
SAID = frozenset(
    {
        "subject",
        "message",
        "body",
        "comment",
        "comments",
        "feedback",
        "question",
        "complaint",
        "review",
        "inquiry",
        "enquiry",
        "transcript",
        "reply",
        "testimonial",
    }
)
_HELD = frozenset({"text", "json", "array", "binary", "uuid", "other"})
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")


def current(said: Any) -> Any:
    """The treatment in present words."""
    return FORMER.get(said, said) if isinstance(said, str) else said


@functools.lru_cache(maxsize=10_000)  # of every column, whenever its collection is told
def secret(name: str, stored: str = "text") -> bool:
    """Whether a column of this name is a secret: a password, token or key. Counts and days of such things are not."""
    words = _words(name)
    if stored not in _HELD or words[-1:] in (["count"], ["type"], ["kind"], ["id"], ["at"]):
        return False
    known = [word for word in words if word != "de"]
    named = not SECRET_WORDS.isdisjoint(words) or any(word in other for other in words for word in PASSWORDS)
    named = named or (not name.isascii() and OTHER_SCRIPTS.search(name.lower()) is not None)
    named = named or any(
        word.endswith(("token", "secret")) for word in words
    )  # written in one: `ACCESSTOKEN`
    return named or words[-1:] == ["pin"] or any(pair in pairwise(known) for pair in SECRET_PAIRS)


def hashed(name: str, stored: str = "text") -> bool:
    """Whether a column of this name holds a hash or what goes into one."""
    return stored in _HELD and bool({"hash", "salt", "pwhash"} & set(_words(name)[-1:]))


def usual(
    name: str,
    kind: str,
    *,
    form: str | None = None,
    widget: str | None = None,
    personal: bool = False,
    sensitive: bool = False,
) -> Ai:
    """Default treatment. `form` is the format of the value (`iban`), `kind` the field's type."""
    marks = {kind, form, widget}
    words = _words(name)
    born = bool({"birthday", "dob", "birthdate"} & set(words)) or any(
        pair in BORN for pair in pairwise(words)
    )
    if marks & {"email", "phone", "iban"} or "iban" in words or born:
        return "masked"
    return "masked" if sensitive or (personal and kind == "long_text") else "full"


def said_by_others(name: str) -> bool:
    """Whether a short text of this name usually comes from outside the company: a subject, comment or question."""
    return not SAID.isdisjoint(_words(name))


def _words(name: str) -> list[str]:
    plain = (
        name
        if name.isascii()
        else unicodedata.normalize("NFKD", name.replace("ł", "l")).encode("ascii", "ignore").decode()
    )
    return [part.lower() for part in _PARTS.findall(plain)]


def treatment_for(said: str | None, usually: Ai, *, closed: bool) -> Ai:
    """The treatment in effect: never for secrets (`closed`), else the document's, else the default."""
    if closed:
        return "never"
    treatment = current(said)
    return treatment if treatment in TREATMENTS else usually


def least(several: Iterable[Ai]) -> Ai:
    """The strictest of several."""
    return max(several, key=TREATMENTS.index, default="full")
