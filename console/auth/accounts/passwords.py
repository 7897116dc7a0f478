"""Passwords: stored with argon2id, checked one per core at a time, refused if easy to guess."""

import functools
import os
import re
import secrets
import threading
import unicodedata
from collections.abc import Sequence

import argon2
from argon2.exceptions import Argon2Error, InvalidHashError

from console.infra.db.ids import ALPHABET

SHORTEST, LONGEST = 12, 1024
COMMON = (
    "password",
    "passwort",
    "motdepasse",
    "qwerty",
    "qwertz",
    "azerty",
    "welcome",
    "letmein",
    "iloveyou",
    "administrator",
    "changeme",
    "monkey",
    "dragon",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "superman",
    "trustno",
    "whatever",
    "handrail",
    "console",
    "secret",
    "login",
    "admin",
)
LOOKALIKES = str.maketrans("@4301!57$", "aaeoiists")
RUNS = (
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "01234567890123456789",
)

_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=argon2.Type.ID)
_cores = threading.BoundedSemaphore(
    os.cpu_count() or 1
)  # more at once only need memory and slow down every sign-in


def hash_password(password: str) -> str:
    """The stored form of a password: argon2id text with parameters and salt."""
    with _cores:
        return _hasher.hash(_normal(password))


def matches(stored: str | None, password: str) -> bool:
    """Whether this is the password. Takes the same time if nothing is stored, so that unknown people cannot be detected."""
    with _cores:
        try:
            return _hasher.verify(stored or _nobody(), _normal(password)) and stored is not None
        except (Argon2Error, InvalidHashError):
            return False


def is_outdated(stored: str) -> bool:
    """Whether the stored form uses outdated parameters."""
    return _hasher.check_needs_rehash(stored)


def weakness(password: str, *, email: str = "", name: str = "") -> str | None:
    """Why this password is refused, in a sentence for its owner; None if it is accepted."""
    normal = _normal(password)
    if len(normal) < SHORTEST:
        return f"A password takes at least {SHORTEST} characters."
    if len(normal) > LONGEST:
        return f"A password takes at most {LONGEST:,} characters."
    if not normal.isprintable():
        return "A password takes printable characters only."
    own = [*email.lower().partition("@")[0].split("."), *name.lower().split()]
    if _dressed_up(normal.lower(), [*COMMON, *(word for word in own if len(word) > 2)]):
        return "This password is a common word, or your own name, with a few characters around it: it is among the first that are tried."
    if len(set(normal.lower())) < 5 or _sequence(normal.lower()):
        return "This password repeats itself or follows the keyboard: it is among the first that are tried."
    return None


def generated() -> str:
    """A password of 100 random bits, easy to read aloud: four groups of five."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(4))


@functools.cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_hex(16))


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def _dressed_up(text: str, words: Sequence[str]) -> bool:
    """Whether hardly a letter remains without these words, also when spelt with digits and signs."""
    covered: set[int] = set()
    for spelling in (text, text.translate(LOOKALIKES)):
        for word in words:
            covered |= {at for found in re.finditer(re.escape(word), spelling) for at in range(*found.span())}
    return bool(covered) and sum(mark.isalpha() for at, mark in enumerate(text) if at not in covered) < 6


def _sequence(text: str) -> bool:
    """Whether nearly all characters are neighbours on a keyboard or in the alphabet, or repeat a short piece."""
    if any(text == (text[:size] * len(text))[: len(text)] for size in range(1, len(text) // 2 + 1)):
        return True
    pairs = [text[at : at + 2] for at in range(len(text) - 1)]
    return sum(any(pair in run or pair in run[::-1] for run in RUNS) for pair in pairs) >= len(pairs) - 2
