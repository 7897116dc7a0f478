"""What messages, calls and answers of models would cost, by the prices that are set. Amounts are exact; the sum of what has not happened is an estimate."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Self

from console import log
from console.core.channel_prices import BILLED_ENDS, ChannelPrice
from console.core.contacting import KINDS
from console.core.run.simulation import Delivery
from console.db.engine import fetch
from console.forecasts.chances import LATELY
from console.messages import channel_settings
from console.proposals import options

MODEL = "model"
_LATELY = """
select step, avg(cost) from console.ai_call where workflow = %s and at > %s and cost is not null and from_cache is not true group by step
"""


@dataclass(slots=True)
class Spend:
    """Amounts by currency, and by what they pay for: kind of message or `model` → (how many, amount, currency). `unpriced` are kinds without a price, with how many."""

    amounts: dict[str, Decimal] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    by_kind: dict[str, tuple[Decimal, str]] = field(default_factory=dict)
    unpriced: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, amount: Decimal | None, currency: str) -> None:
        """Count one; None: it has no price."""
        if amount is None:
            self.unpriced[kind] = self.unpriced.get(kind, 0) + 1
            return
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self.amounts[currency] = self.amounts.get(currency, Decimal(0)) + amount
        self.by_kind[kind] = (self.by_kind.get(kind, (Decimal(0), currency))[0] + amount, currency)

    def times(self, walked: int, matching: int) -> "Spend":
        """The spend of so many as match, where so many were followed."""
        if not walked or walked == matching:
            return self
        return Spend(
            {currency: amount * matching / walked for currency, amount in self.amounts.items()},
            {kind: round(count * matching / walked) for kind, count in self.counts.items()},
            {kind: (amount * matching / walked, currency) for kind, (amount, currency) in self.by_kind.items()},
            {kind: round(count * matching / walked) for kind, count in self.unpriced.items()},
        )

    def to_json(self) -> dict[str, Any]:
        """SPEND of the API: amounts are texts."""
        parts = [
            {"kind": kind, "count": self.counts[kind], "amount": f"{amount:f}", "currency": currency}
            for kind, (amount, currency) in self.by_kind.items()
        ]
        return {
            "amounts": [{"amount": f"{amount:f}", "currency": currency} for currency, amount in self.amounts.items()],
            "parts": parts,
            "unpriced": [{"kind": kind, "count": count} for kind, count in self.unpriced.items()],
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(
            {each["currency"]: Decimal(each["amount"]) for each in kept["amounts"]},
            {each["kind"]: each["count"] for each in kept["parts"]},
            {each["kind"]: (Decimal(each["amount"]), each["currency"]) for each in kept["parts"]},
            {each["kind"]: each["count"] for each in kept["unpriced"]},
        )


class Prices:
    """The prices as they are set now. Of a model it is what its answers at this step cost on average in the last 30 days."""

    def __init__(self, workflow: str) -> None:
        self._by_kind: dict[str, ChannelPrice | None] = {kind: channel_settings.price_of(kind) for kind in KINDS}
        self._models = {step: Decimal(cost) for step, cost in fetch(_LATELY, (workflow, log.now() - LATELY))}
        self._currency = options.current().document.prices.currency

    def pay(self, spend: Spend, told: Delivery) -> None:
        """Count a message or a try of a call that leaves; a call that nobody answers costs nothing, and is not counted."""
        if told.channel == "call" and told.outcome not in BILLED_ENDS:
            return
        price = self._by_kind[told.channel]
        cost = price.cost(told.channel, parts=told.parts, country=told.country, outcome=told.outcome) if price is not None else None
        spend.add(told.channel, cost, price.currency if price is not None else "")

    def ask_model(self, spend: Spend, step: str) -> None:
        """Count an answer of a model."""
        spend.add(MODEL, self._models.get(step), self._currency)
