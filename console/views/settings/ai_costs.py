"""Settings, AI: models and prices for each purpose; budgets, and what was used of them today."""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

from flask import Blueprint, Response, request

from console.ai.proposals import usage
from console.ai.proposals.options import Current
from console.ai.proposals.settings_document import MOST_PRICES, PURPOSES
from console.infra import settings
from console.views import frame
from console.views.formats import worded
from console.views.forms import Field, Group, Lines, numbered
from console.views.settings import ai_forms, area

blueprint = Blueprint("ai_costs", __name__, url_prefix="/settings/ai")

PURPOSE_WORDS = (
    ("propose", "Filling forms in", "Values for the fields of a step"),
    ("decide", "Decisions", "Which way a run goes on"),
    ("text", "Texts", "Drafts of letters and notes"),
    ("build", "Building workflows", "From a description; 30 seconds as usual"),
)
PURPOSE_PARTS = ("model", "seconds", "max_tokens")
PURPOSE_NAMES = tuple(f"purposes.{purpose}.{part}" for purpose in PURPOSES for part in PURPOSE_PARTS)
PRICES = (
    Field("price.model", "Model, or how its name begins"),
    Field("price.input", "Sent", inputmode="decimal"),
    Field("price.cached", "Sent, from the provider's cache", inputmode="decimal"),
    Field("price.output", "Answered", inputmode="decimal"),
)
PRICE_PARTS = [column.name.removeprefix("price.") for column in PRICES]
PRICE_FIELDS = [
    Field("prices.currency", "Currency", hint="Its code, such as EUR.", css="short"),
    Field("prices.on", "Prices as of", "date", css="short"),
]
PRICE_HINT = (
    "Providers do not tell prices: they are entered here, and each call says by which table it was reckoned. A name counts for all models that "
    "begin with it; the longest wins. What has no price here counts towards budgets of calls only."
)
EMPTY_PRICES = 2
LIMITS_HINT = "Over a limit nothing is asked, and the step is done by hand. An empty box is no limit. A call that is under way holds what it may cost at most."
KEPT_HINT = (
    "Encrypted, for who may look at calls. Afterwards only counts, hashes and what became of each value stay."
)
BLIND_HINT = "So that it can be told whether people decide for themselves: what they enter without seeing the proposal is compared with it."


@blueprint.route("/purposes", methods=["GET", "POST"])
def purposes() -> Response:
    """Show purposes and prices; a POST saves them, and tests a changed model first."""
    current = ai_forms.newest()
    kept = current.document
    shown = {
        name: text
        for purpose in PURPOSES
        for name, text in ai_forms.flat(kept.purpose(purpose).model_dump(), f"purposes.{purpose}").items()
    } | {"prices.currency": kept.prices.currency, "prices.on": f"{kept.prices.on}"}
    prices = [ai_forms.flat(price.model_dump()) for price in kept.prices.models]
    if request.method != "POST":
        return _purposes(current, shown, prices)
    shown = ai_forms.typed((*PURPOSE_NAMES, *(field.name for field in PRICE_FIELDS)))
    lines = list(zip(*(request.form.getlist(column.name) for column in PRICES), strict=False))[
        : MOST_PRICES + EMPTY_PRICES
    ]
    prices = [
        dict(zip(PRICE_PARTS, (text.strip() for text in line), strict=True))
        for line in lines
        if any(text.strip() for text in line)
    ]
    changes: dict[str, Any] = ai_forms.nested(shown)
    changes["prices"] |= {
        "models": [
            {part: text or None for part, text in price.items() if text or part != "cached"}
            for price in prices
        ]
    }
    return _purposes(current, shown, prices, changes)


def _purposes(
    current: Current,
    shown: Mapping[str, str],
    prices: list[dict[str, str]],
    changes: Mapping[str, Any] | None = None,
) -> Response:
    whole = int(current.seconds)
    parts = [
        Field("purposes.{row}.model", "Model", placeholder=current.ai.model or ""),
        Field("purposes.{row}.seconds", "Seconds", inputmode="numeric", placeholder=str(whole)),
        Field("purposes.{row}.max_tokens", "Most tokens of an answer", inputmode="numeric"),
    ]
    rows = {
        purpose: {part: shown[f"purposes.{purpose}.{part}"] for part in PURPOSE_PARTS}
        for purpose, *_ in PURPOSE_WORDS
    }
    titles = {purpose: (words, hint) for purpose, words, hint in PURPOSE_WORDS}
    priced = numbered([*prices, *[{}] * EMPTY_PRICES])
    model = (
        f": the model of the provider, {current.ai.model},"
        if current.ai.model
        else ": the model of the provider"
    )
    hint = (
        f"What is empty is as usual{model} and {whole} seconds. A proposal may not take longer than that: the person fills in the form "
        "meanwhile, and later nobody needs it any more."
    )
    table = Lines(
        "prices.models",
        "Prices of a million tokens",
        PRICES,
        priced,
        "Of a million tokens each. Empty lines are left out.",
    )
    items = [
        Group([Lines("purposes", "By purpose", parts, rows, titles=titles)], "Purposes", "card", hint),
        Group([Group(PRICE_FIELDS), table], "Prices", "card", PRICE_HINT),
    ]
    form = ai_forms.form_of(items, shown)
    untried = request.form.get("untried") == "on"
    made = (
        ai_forms.save("/settings/ai/purposes", form, changes, untried=untried)
        if changes is not None
        else None
    )
    return made or area.form_page("ai/purposes", form)


@blueprint.route("/budgets", methods=["GET", "POST"])
def budgets() -> Response:
    """Show budgets with today's use, how long prompts are kept, and the blind share; a POST saves them."""
    current = ai_forms.newest()
    kept, today = current.document, usage.today(frame.actor())
    currency = kept.prices.currency
    limits = [
        Group(
            [
                _number("budget.run_calls", "Calls of one run"),
                _number("budget.run_money", "Money for one run", currency),
            ]
        ),
        Group(
            [
                _number("budget.day_calls", "Calls of a day, everybody together"),
                _number("budget.day_money", "Money for a day, everybody together", currency),
            ]
        ),
        _number("budget.warn_percent", "Warn from", "% of a day's limit"),
    ]
    blind_given = settings.current().ai_blind_percent is not None
    given = (
        f" The environment says {current.blind_percent} (CONSOLE_AI_BLIND_PERCENT), and that counts."
        if blind_given
        else ""
    )
    keeping = [
        _number("retention_days", "Prompts and answers are kept for", "days", KEPT_HINT),
        _number("blind_percent", "Proposals that are not shown", "% of all", BLIND_HINT + given),
    ]
    items = [
        Group(limits, "Limits", "card", LIMITS_HINT),
        Group(keeping, "What is kept, and what is left out", "card"),
    ]
    values = ai_forms.flat(
        {
            "budget": kept.budget.model_dump(),
            "retention_days": kept.retention_days,
            "blind_percent": kept.blind_percent,
        }
    )
    form = ai_forms.form_of(items, values)
    if request.method == "POST":
        shown = ai_forms.typed(values)
        form.values = {**form.values, **shown}
        if made := ai_forms.save("/settings/ai/budgets", form, ai_forms.nested(shown)):
            return made
    context = {
        "form": form,
        "today": today,
        "levels": usage.levels(today, kept.budget),
        "currency": currency,
        "begins_again": worded(
            datetime.combine(frame.look().now.astimezone(UTC), time(), UTC), "HH:mm", frame.look()
        ),  # days of budgets are of UTC
    }
    return area.page("settings/ai_budgets.html", "ai/budgets", context, error=form.error)


def _number(name: str, label: str, suffix: str = "", hint: str = "") -> Field:
    return Field(
        name,
        label,
        hint=hint,
        suffix=suffix,
        inputmode="decimal" if name.endswith("money") else "numeric",
        css="short",
    )
