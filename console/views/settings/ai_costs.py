"""Settings, AI: models and prices for each purpose; budgets, and what was used of them today."""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

from flask import Blueprint, Response, request

from console import settings
from console.errors import ConsoleError
from console.proposals import usage
from console.proposals.settings_document import MOST_PRICES, PURPOSES
from console.views import frame
from console.views.formats import worded
from console.views.settings import ai_forms, area

blueprint = Blueprint("ai_costs", __name__, url_prefix="/settings/ai")

PURPOSE_WORDS = (
    ("propose", "Filling forms in", "Values for the fields of a step"),
    ("decide", "Decisions", "Which way a run goes on"),
    ("text", "Texts", "Drafts of letters and notes"),
    ("build", "Building workflows", "From a description; may take longer"),
)
PURPOSE_NAMES = tuple(f"purposes.{purpose}.{part}" for purpose in PURPOSES for part in ("model", "seconds", "max_tokens"))
PRICE_PARTS = ("model", "input", "cached", "output")
PRICE_NAMES = ("prices.currency", "prices.on")
EMPTY_PRICES = 2
BUDGET_NAMES = (
    *(f"budget.{part}" for part in ("run_calls", "run_money", "day_calls", "day_money", "warn_percent")),
    "retention_days",
    "blind_percent",
)


@blueprint.get("/purposes")
def purposes() -> Response:
    """Show purposes and prices."""
    kept = ai_forms.newest().document
    shown = {
        name: text
        for purpose in PURPOSES
        for name, text in ai_forms.flat(kept.purpose(purpose).model_dump(), f"purposes.{purpose}").items()
    }
    prices = [ai_forms.flat(price.model_dump()) for price in kept.prices.models]
    return _purposes(shown | {"prices.currency": kept.prices.currency, "prices.on": f"{kept.prices.on}"}, prices)


@blueprint.post("/purposes")
def save_purposes() -> Response:
    """Save them; a changed model is tested first."""
    shown = ai_forms.typed((*PURPOSE_NAMES, *PRICE_NAMES))
    lines = list(zip(*(request.form.getlist(f"price.{part}") for part in PRICE_PARTS), strict=False))[: MOST_PRICES + EMPTY_PRICES]
    prices = [dict(zip(PRICE_PARTS, (text.strip() for text in line), strict=True)) for line in lines if any(text.strip() for text in line)]
    changes: dict[str, Any] = ai_forms.nested(shown)
    changes["prices"] |= {"models": [{part: text or None for part, text in price.items() if text or part != "cached"} for price in prices]}

    def draw(shown: Mapping[str, str], wrong: Mapping[str, str], error: ConsoleError | None) -> Response:
        return _purposes(shown, prices, wrong, error)

    return ai_forms.save("/settings/ai/purposes", shown, changes, draw, untried=request.form.get("untried") == "on")


def _purposes(
    shown: Mapping[str, str], prices: list[dict[str, str]], wrong: Mapping[str, str] | None = None, error: ConsoleError | None = None
) -> Response:
    current = ai_forms.newest()
    empty = [dict.fromkeys(PRICE_PARTS, "") for _ in range(EMPTY_PRICES)]
    context = ai_forms.common(current, shown, wrong or {}, error) | {
        "purposes": PURPOSE_WORDS,
        "prices": [*prices, *empty],
        "whole": int(current.seconds),
        "model": current.ai.model or "",
    }
    return area.page("settings/ai_purposes.html", "ai/purposes", context, status=error.status if error else 200)


@blueprint.get("/budgets")
def budgets() -> Response:
    """Show budgets with today's use, how long prompts are kept, and the blind share."""
    kept = ai_forms.newest().document
    values = ai_forms.flat({"budget": kept.budget.model_dump(), "retention_days": kept.retention_days, "blind_percent": kept.blind_percent})
    return _budgets(values, {}, None)


@blueprint.post("/budgets")
def save_budgets() -> Response:
    """Save them."""
    shown = ai_forms.typed(BUDGET_NAMES)
    return ai_forms.save("/settings/ai/budgets", shown, ai_forms.nested(shown), _budgets)


def _budgets(shown: Mapping[str, str], wrong: Mapping[str, str], error: ConsoleError | None) -> Response:
    current = ai_forms.newest()
    today = usage.today(frame.actor())
    context = ai_forms.common(current, shown, wrong, error) | {
        "today": today,
        "levels": usage.levels(today, current.document.budget),
        "currency": current.document.prices.currency,
        "blind_given": settings.current().ai_blind_percent is not None,
        "begins_again": worded(
            datetime.combine(frame.look().now.astimezone(UTC), time(), UTC), "HH:mm", frame.look()
        ),  # days of budgets are of UTC
    }
    return area.page("settings/ai_budgets.html", "ai/budgets", context, status=error.status if error else 200)
