"""What of a field's value a model may get: what the document says, else what follows from its name and type.

`full`: the value. `masked`: a placeholder that stands for it and is put back in the answer. `hash`: a keyed code that only tells equal from different.
`never`: nothing, and the field is not proposed either. What is a secret by its name is `never`, whatever a document says.
"""

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Literal, TypeAlias, get_args

Ai: TypeAlias = Literal["full", "masked", "hash", "never"]
TREATMENTS: tuple[Ai, ...] = get_args(Ai)
"""From the most to the least that a model gets."""

FORMER = {"allow": "full", "ask": "masked"}
"""Words of documents written before models were asked at all."""

SECRET_WORDS = frozenset({"password", "passwd", "passphrase", "pwd", "secret", "secrets", "token", "tokens", "credential", "credentials", "otp", "cvv", "cvc"})  # fmt: skip
SECRET_PAIRS = (
    ("api", "key"),
    ("private", "key"),
    ("secret", "key"),
    ("signing", "key"),
    ("access", "key"),
    ("recovery", "code"),
    ("recovery", "codes"),
)
BORN = frozenset({("birth", "date"), ("born", "on"), ("of", "birth")})
SAID = frozenset({"subject", "message", "body", "comment", "comments", "feedback", "question", "complaint", "review", "inquiry", "enquiry", "transcript", "reply", "testimonial"})  # fmt: skip
_HELD = frozenset({"text", "json", "array", "binary", "uuid", "other"})
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")


def current(said: Any) -> Any:
    """What a document says in the words of today."""
    return FORMER.get(said, said) if isinstance(said, str) else said


def secret(name: str, stored: str = "text") -> bool:
    """Whether a column of this name holds something that opens doors: a password, a token, a key. Counts and days of such things are none."""
    words = _words(name)
    if stored not in _HELD or words[-1:] in (["count"], ["type"], ["kind"], ["id"], ["at"]):
        return False
    return bool(SECRET_WORDS & set(words)) or any(pair in pairwise(words) for pair in SECRET_PAIRS)


def usual(
    name: str, kind: str, *, form: str | None = None, widget: str | None = None, personal: bool = False, sensitive: bool = False
) -> Ai:
    """What a model gets of a field that no document says anything about. `form` is what the value must be (`iban`), `kind` the field's type."""
    marks = {kind, form, widget}
    words = _words(name)
    born = bool({"birthday", "dob", "birthdate"} & set(words)) or any(pair in BORN for pair in pairwise(words))
    if marks & {"email", "phone", "iban"} or "iban" in words or born:
        return "masked"
    return "masked" if sensitive or (personal and kind == "long_text") else "full"


def said_by_others(name: str) -> bool:
    """Whether a short text of this name is usually what somebody wrote to the company: a subject, a comment, a question."""
    return not SAID.isdisjoint(_words(name))


def _words(name: str) -> list[str]:
    return [part.lower() for part in _PARTS.findall(name)]


def treatment_for(said: str | None, usually: Ai, *, closed: bool) -> Ai:
    """What counts: never for what is a secret (`closed`), else what is said, else what is usual."""
    if closed:
        return "never"
    told = current(said)
    return told if told in TREATMENTS else usually


def least(several: Iterable[str]) -> Ai:
    """The strictest of several, for what is made of them."""
    return max((told for told in TREATMENTS if told in set(several)), key=TREATMENTS.index, default="full")
