"""What would be spent, in words. All of it is an estimate, and says so."""

from console import access
from console.core.actor import Actor
from console.forecasts.spending import MODEL, Spend
from console.views import formats
from console.views.formats import Look

KINDS = {
    "email": ("e-mail", "e-mails"), "sms": ("text", "texts"), "call": ("answered call", "answered calls"), "chat": ("chat message", "chat messages"),
    MODEL: ("answer of an AI", "answers of an AI"),
}  # fmt: skip


def lines(spend: Spend, look: Look) -> list[str]:
    """Return what each kind costs: “about €312 for 1,248 texts”."""
    return [
        f"about {formats.about(amount, currency, look)} for {_counted(kind, spend.counts[kind])}"
        for kind, (amount, currency) in spend.by_kind.items()
    ]


def total(spend: Spend, look: Look) -> str:
    """Return the sums, one for each currency; empty where nothing has a price."""
    return " and ".join(formats.about(amount, currency, look) for currency, amount in spend.amounts.items())


def unpriced(actor: Actor, spend: Spend) -> list[tuple[str, str]]:
    """Return (what has no price, the page on which it is set; empty for those who may not open it)."""
    return [(_counted(kind, count), _where(actor, kind)) for kind, count in spend.unpriced.items()]


def _counted(kind: str, count: int) -> str:
    one, many = KINDS[kind]
    return f"{count:,} {one if count == 1 else many}"


def _where(actor: Actor, kind: str) -> str:
    resource, page = ("ai", "/settings/ai/purposes") if kind == MODEL else ("source", f"/settings/channels#price-of-{kind}")
    return page if access.can(actor, None, resource, "manage") else ""
