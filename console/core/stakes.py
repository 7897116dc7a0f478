"""What is at stake in an action or a change: money, somebody's freedom to act, or something irreversible.

A document can say so (`stakes`); otherwise names and types of the values decide. If something is at stake, a form is not prefilled with
proposals: a person has to enter the values.
Source: docs/adr/0014-what-may-be-believed.md.
"""

import re
from collections.abc import Iterator

from console.core.documents.action_document import Action
from console.core.documents.workflow import Stake

MONEY_TYPES = frozenset({"money"})
NUMBERS = frozenset({"money", "decimal"})
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_MONEY = (
    "amount",
    "refund",
    "payout",
    "pay",
    "paid",
    "payment",
    "price",
    "credit",
    "debit",
    "transfer",
    "iban",
    "bic",
    "bank",
    "salary",
    "wire",
    "cashback",
    "compensat",
    "reimburs",
    "chargeback",
    "withdraw",
    "deposit",
    "discount",
    "fee",
    "voucher",
    "betrag",
    "erstatt",
    "zahlung",
)
_RESTRICTION = (
    "restrict",
    "block",
    "freez",
    "frozen",
    "suspend",
    "lock",
    "sanction",
    "ban",
    "banned",
    "denied",
    "deny",
    "terminat",
    "deactivat",
    "disabl",
    "revok",
    "dismiss",
    "evict",
    "expel",
    "expuls",
    "sperr",
    "embargo",
    "seiz",
    "cancel",
)
_WHOLE = frozenset({"pay", "paid", "fee", "ban", "deny", "bank", "wire", "bic"})
"""Beginnings that count only as whole words: `fee` is money, `feedback` is not."""


def of_action(action: Action) -> frozenset[Stake]:
    """What is at stake in this action."""
    if action.stakes is not None:
        return frozenset(action.stakes) | (
            frozenset({"irreversible"}) if action.irreversible else frozenset()
        )
    found: set[Stake] = {"irreversible"} if action.irreversible else set()
    for name in _names_of(action):
        found |= of_name(name)
    outside = any(effect.outside for effect in action.effects)
    for entry in action.form:
        found |= of_name(entry.name)
        if entry.type in MONEY_TYPES or (outside and entry.type in NUMBERS):
            found.add("money")
    return frozenset(found)


def _names_of(action: Action) -> Iterator[str]:
    """The action's name, and the names under which its effects write."""
    yield action.id
    for effect in action.effects:
        yield from effect.names()


def of_name(name: str) -> frozenset[Stake]:
    """What is at stake according to a column's or action's name: `restriction_code`, `charge.refund`."""
    words = [word.lower() for word in _PARTS.findall(name)]
    found: set[Stake] = set()
    if any(_begins(word, _MONEY) for word in words):
        found.add("money")
    if any(_begins(word, _RESTRICTION) for word in words):
        found.add("restriction")
    return frozenset(found)


def of_column(name: str, kind: str) -> frozenset[Stake]:
    """What is at stake in writing this column, by name and type."""
    return of_name(name) | (frozenset({"money"}) if kind in MONEY_TYPES else frozenset())


def _begins(word: str, beginnings: tuple[str, ...]) -> bool:
    return any(word == start if start in _WHOLE else word.startswith(start) for start in beginnings)
