"""What a channel costs, as whoever pays for it has entered it: exact amounts with their currency. What is worked out with them is an estimate."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from console.core import currencies

MOST = Decimal(10_000)
PLACES = 6
USUAL_MINUTES = Decimal(2)
BILLED_ENDS = frozenset({"answered", "voicemail"})
"""How a call ends that costs minutes."""
_COUNTRY = 2


@dataclass(frozen=True, slots=True)
class ChannelPrice:
    """The price of one message, of an SMS for each part of 160 characters, of a call for each minute. `by_country`: where an SMS or call costs something else.

    `minutes`: how long a call is taken to last that somebody, or a voicemail, answers.
    """

    amount: Decimal
    currency: str
    by_country: Mapping[str, Decimal] = field(default_factory=dict)
    minutes: Decimal = USUAL_MINUTES

    def to_json(self) -> dict[str, Any]:
        """As it is kept: amounts are texts."""
        return {
            "amount": f"{self.amount:f}",
            "currency": self.currency,
            "by_country": {country: f"{amount:f}" for country, amount in self.by_country.items()},
            "minutes": f"{self.minutes:f}",
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, Any] | None) -> "ChannelPrice | None":
        """The inverse of `to_json`; None where no price is set."""
        if not kept:
            return None
        by_country = {country: Decimal(amount) for country, amount in kept.get("by_country", {}).items()}
        return cls(Decimal(kept["amount"]), kept["currency"], by_country, Decimal(kept.get("minutes", USUAL_MINUTES)))

    def cost(self, kind: str, *, parts: int = 1, country: str | None = None, outcome: str = "") -> Decimal:
        """What one message, or one try of a call that ended so, costs."""
        each = self.by_country.get(country or "", self.amount)
        if kind == "call":
            return each * self.minutes if outcome in BILLED_ENDS else Decimal(0)
        return each * parts


def typed(entered: Mapping[str, str]) -> tuple[ChannelPrice | None, list[dict[str, str]]]:
    """(the price that the boxes `price`, `currency`, `countries` and `minutes` say, what is wrong with which box). None and nothing wrong: no price."""
    text, wrong = entered.get("price", "").strip(), list[dict[str, str]]()
    if not text:
        reason = "Enter the usual price, too: it holds for all other countries."
        return None, [{"field": "price", "reason": reason}] if entered.get("countries", "").strip() else []
    amount, currency = _amount(text), entered.get("currency", "").strip().upper()
    if amount is None:
        wrong.append({"field": "price", "reason": f"Enter an amount such as 0.075, with at most {PLACES} decimals."})
    if currency not in currencies.CODES:
        wrong.append({"field": "currency", "reason": "Enter the three letters of a currency, such as EUR."})
    by_country: dict[str, Decimal] = {}
    for number, line in enumerate(entered.get("countries", "").splitlines(), 1):
        if not line.strip():
            continue
        country, _, each = line.strip().partition(" ")
        price = _amount(each.strip())
        if price is None or len(country) != _COUNTRY or not (country.isascii() and country.isalpha()):
            wrong.append(
                {"field": "countries", "reason": f"Line {number}: write the two letters of a country and its price, such as DE 0.089."}
            )
            break
        by_country[country.upper()] = price
    minutes = _amount(entered.get("minutes", "").strip() or f"{USUAL_MINUTES}")
    if not minutes:
        wrong.append({"field": "minutes", "reason": "Enter how many minutes such a call takes, such as 2."})
    if wrong or amount is None or not minutes:
        return None, wrong
    return ChannelPrice(amount, currency, by_country, minutes), []


def _amount(text: str) -> Decimal | None:
    """The amount; None for what is none, is negative, or has too many decimals."""
    try:
        amount = Decimal(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except InvalidOperation:
        return None
    exponent = amount.as_tuple().exponent
    if not amount.is_finite() or not 0 <= amount <= MOST or not isinstance(exponent, int) or -exponent > PLACES or len(text) > 20:
        return None
    return amount
