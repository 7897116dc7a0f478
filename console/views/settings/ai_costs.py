"""Settings, AI: models and prices for each purpose; budgets, and what was used of them today."""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

from flask import Blueprint, Response, request

from console.ai.proposals import usage
from console.ai.proposals.options import Current
from console.ai.proposals.settings_document import ALL, EACH, MOST_PRICES, PURPOSES
from console.ai.proposals.usage import Used
from console.auth import accounts
from console.infra import settings
from console.views import frame
from console.views.formats import worded
from console.views.forms import Field, Group, Lines, numbered
from console.views.settings import ai_forms, area, people

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
LIMITS_HINT = "Over a limit nothing is asked, and the step is done by hand. An empty box is no limit; lines without a number are left out. Days, weeks and months are those of UTC."
ORDER_HINT = "For a person counts their own limit, else that of their team, else of their role, else that of each person. What all may ask together counts besides."
PERIOD_WORDS = (("day", "Day"), ("week", "Week"), ("month", "Month"))
LIMIT_PARTS = ("who", "period", *usage.MEASURES)
EMPTY_LIMITS = 2
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
    whose = _whose()
    of_run = Group(
        [
            _number("budget.run_calls", "Calls"),
            _number("budget.run_tokens", "Tokens"),
            _number("budget.run_money", "Money", currency),
        ]
    )
    columns = [
        Field("limit.who", "For", "select", choices=whose),
        Field("limit.period", "In a", "select", choices=PERIOD_WORDS),
        Field("limit.calls", "Calls", inputmode="numeric"),
        Field("limit.tokens", "Tokens", inputmode="numeric"),
        Field("limit.money", f"Money, {currency}", inputmode="decimal"),
    ]
    lines = [ai_forms.flat(limit.model_dump()) for limit in kept.budget.limits]
    if request.method == "POST":
        sent = zip(*(request.form.getlist(column.name) for column in columns), strict=False)
        lines = [dict(zip(LIMIT_PARTS, line, strict=True)) for line in sent]
        lines = [line for line in lines if any(line[part].strip() for part in usage.MEASURES)]
    empty = [{"who": "", "period": "day"}] * EMPTY_LIMITS
    limits = [
        Lines("budget.limits", "Limits", columns, numbered([*lines, *empty]), LIMITS_HINT),
        _number("budget.warn_percent", "Warn from", "% of a limit"),
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
        Group([of_run], "One run", "card"),
        Group(limits, "People", "card", ORDER_HINT),
        Group(keeping, "What is kept, and what is left out", "card"),
    ]
    values = ai_forms.flat(
        {
            "budget": kept.budget.model_dump(exclude={"limits"}),
            "retention_days": kept.retention_days,
            "blind_percent": kept.blind_percent,
        }
    )
    form = ai_forms.form_of(items, values)
    if request.method == "POST":
        shown = ai_forms.typed(values)
        form.values = {**form.values, **shown}
        changes = ai_forms.nested(shown)
        changes["budget"]["limits"] = [
            {part: text.strip() or None for part, text in line.items()} for line in lines
        ]
        if made := ai_forms.save("/settings/ai/budgets", form, changes):
            return made
    context = {
        "form": form,
        "today": today,
        "used": [_used(each, dict(whose), currency) for each in usage.used(frame.actor(), kept.budget)],
        "begins_again": worded(
            datetime.combine(frame.look().now.astimezone(UTC), time(), UTC), "HH:mm", frame.look()
        ),  # days of budgets are of UTC
    }
    return area.page("settings/ai_budgets.html", "ai/budgets", context, error=form.error)


def _whose() -> list[tuple[str, str]]:
    """Return for whom a limit may be: value and label."""
    of_roles = [(f"role:{role}", f"Each with the role {title}") for role, title in people.role_choices()]
    of_teams = [(f"team:{team.id}", f"Each in {team.name}") for team in accounts.teams()]
    of_people = [(f"person:{each.id}", each.name) for each in accounts.people()]
    return [("", "–"), (ALL, "Everybody together"), (EACH, "Each person"), *of_roles, *of_teams, *of_people]


def _used(used: Used, whose: Mapping[str, str], currency: str) -> dict[str, Any]:
    """Return a limit as a row: for whom, of which period, who used most of it, and each measure in words."""
    limit = used.limit
    units = {"calls": "calls", "tokens": "tokens", "money": currency}
    return {
        "who": whose.get(limit.who, limit.who),
        "period": dict(PERIOD_WORDS)[limit.period],
        "person": ""
        if limit.who.startswith("person:")
        else accounts.names([used.person]).get(used.person, ""),
        "levels": [
            (
                each,
                f"{each.used:,.2f}" if each.measure == "money" else f"{int(each.used):,}",
                f"{each.limit:,.2f} {units[each.measure]}"
                if each.measure == "money"
                else f"{int(each.limit):,} {units[each.measure]}",
            )
            for each in used.levels
        ],
    }


def _number(name: str, label: str, suffix: str = "", hint: str = "") -> Field:
    return Field(
        name,
        label,
        hint=hint,
        suffix=suffix,
        inputmode="decimal" if name.endswith("money") else "numeric",
        css="short",
    )
