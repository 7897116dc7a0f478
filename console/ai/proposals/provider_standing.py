"""How it stands with the providers that are in force: which of them refuses every call, and for what, and which takes no schema."""

from dataclasses import dataclass

from console.ai.probe import HOW
from console.ai.proposals import options, provider_breaker
from console.ai.proposals.settings_document import PURPOSES
from console.core.proposal_types import Code
from console.infra import settings
from console.infra.db.engine import fetch

SAYS: dict[str, str] = {
    "auth": "does not accept the key",
    "billing": "wants to be paid first: there is no credit left, or no way of payment",
    "model_not_found": "does not know the model, or nothing is at this address",
    "no_key": "wants a key",
}


_MODE = "select schema_mode from console.ai_call where provider = %s and at >= %s and schema_mode is not null order by at desc limit 1"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A provider that refuses every call until somebody mends it; `says` continues "The provider …"."""

    provider: str
    model: str
    code: Code
    says: str


def refused(purpose: str) -> Code | None:
    """The refusal that every call for this purpose gets now; None if asking may help."""
    if not settings.current().ai_breaker or (chosen := options.current().chosen(purpose)).rules:
        return None
    code = provider_breaker.refused(chosen.config)
    return code if code is not None and provider_breaker.closed(chosen.config) else None


def refusals() -> list[Refusal]:
    """Every model in force whose provider refuses it."""
    current = options.current()
    configs = {
        chosen.config.model: chosen.config for chosen in map(current.chosen, PURPOSES) if not chosen.rules
    }
    by_config = [(config, provider_breaker.refused(config)) for config in configs.values()]
    return [
        Refusal(config.name, config.model, code, SAYS[code]) for config, code in by_config if code is not None
    ]


def asked_loosely() -> str | None:
    """How the form was asked for at the last answer under these settings, in words that continue "The form is asked for …"; None by its schema."""
    current = options.current()
    chosen = current.chosen("propose")
    rows = [] if chosen.rules else fetch(_MODE, (chosen.config.name, current.at))
    return HOW.get(rows[0][0]) if rows else None
