"""`/workflows`: a card for each workflow, filtered by status and by whose it is; what was made of actions stands apart."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, request

from console import formats, monitoring
from console.auth import access, accounts
from console.monitoring import Card, DayCount
from console.views import frame
from console.views.editor import new
from console.views.workflows import tabs
from console.views.workflows.switch_turns import turns

blueprint = Blueprint("workflow_cards", __name__)

ACTION = "action-"
"""How the addresses of workflows begin that were made of actions (`console.core.documents.action_document`)."""
FILTERS = (
    ("", "All", ("draft", "active", "paused", "completed", "cancelled")),
    ("active", "Active", ("active",)),
    ("draft", "Draft", ("draft",)),
    ("paused", "Paused", ("paused",)),
    ("ended", "Ended", ("completed", "cancelled")),
)
ARCHIVED = "archived"
STARTS = (("event", "on an event"), ("webhook", "when called"))
BAR_WIDTH, BAR_STEP, HIGH = 8, 11, 24


@blueprint.get("/workflows")
def listed() -> Response:
    """Show the workflows that the reader may see. `status` and `whose` filter them; both are in the address."""
    who, look = frame.actor(), frame.look()
    every = monitoring.cards(who, look.zone)
    status, whose = request.args.get("status", ""), request.args.get("whose", "")
    own = [card for card in every if card.known.owner == who.id]
    of_teams = [card for card in every if card.known.team in who.teams]
    of_others = [card for card in every if card.known.owner not in (None, who.id)]
    named = {"mine": own, "teams": of_teams, "others": of_others}.get(whose, every)
    places = [(name, label, [card for card in named if _is_in(card, name)]) for name, label in _places(named)]
    shown = next((cards for name, _, cards in places if name == status), places[0][2])
    acts = [card for card in shown if card.known.slug.startswith(ACTION)]
    may_create = bool(new.places())
    offered = (
        [("", "Everybody's"), ("teams", "My teams'")]
        if 0 < len(of_teams) < len(every)
        else [("", "Everybody's")]
    )
    offered += [("mine", "Mine")] if may_create or own else []
    offered += [("others", "Personal ones of others")] if of_others else []
    owners = accounts.names(
        {card.known.owner for card in shown if card.known.owner not in (None, who.id)} - {None}
    )
    context = {
        "cards": [_drawn(card, owners) for card in shown if card not in acts],
        "acts": [_drawn(card, owners) for card in acts],
        "places": [
            {
                "label": label,
                "count": len(cards),
                "href": frame.present_address(status=name or None),
                "here": name == status,
            }
            for name, label, cards in places
        ],
        "whose": [
            {"label": label, "href": frame.present_address(whose=name or None), "here": whose == name}
            for name, label in offered
        ]
        if len(offered) > 1
        else [],
        "empty_words": "You have no personal workflow. Make one under New workflow."
        if whose == "mine" and not named
        else "",
        "any": bool(every),
        "address": tabs.address,
        "may_create": may_create,
        "may_invite": access.can(who, None, "user", "manage"),
    }
    return frame.page("workflows/list.html", context)


def _places(cards: Sequence[Card]) -> list[tuple[str, str]]:
    """Return the filters by status; the last two only where something is in them."""
    found = [
        (name, label)
        for name, label, _ in FILTERS
        if name != "ended" or any(_is_in(card, name) for card in cards)
    ]
    return [*found, (ARCHIVED, "Archived")] if any(card.known.archived for card in cards) else found


def _is_in(card: Card, name: str) -> bool:
    if name == ARCHIVED or card.known.archived:
        return card.known.archived and name == ARCHIVED
    return card.known.status in next(statuses for key, _, statuses in FILTERS if key == name)


def _drawn(card: Card, owners: Mapping[str, str]) -> dict[str, Any]:
    """Return the card with its badge, its chart, and whose it is where it is personal: `owners` are names of others."""
    owner = card.known.owner
    return {
        "whose": None
        if owner is None
        else f"Personal, of {owners[owner]}"
        if owner in owners
        else "Personal",
        "card": card,
        "turns": turns(card.known) if card.may_switch else [],
        "may_duplicate": tabs.may_edit(frame.actor(), card.known),
        "known": card.known,
        "status": tabs.status_badge(card.known),
        "on": card.known.status == "active",
        "chart": week_chart(card.days),
        "starts": next(
            (words for kind, words in STARTS if kind in card.starts),
            "by hand" if card.known.status == "active" else "none",
        ),
        "success": f"{card.success:.0%}" if card.success is not None else None,
    }


def week_chart(days: Sequence[DayCount]) -> dict[str, Any] | None:
    """Return the bars of the days in pixels, with their words; None where nothing ended. Failed runs that were done again are left out, as of the rate beside them."""
    most = max((day.done + day.standing for day in days), default=0)
    if not most:
        return None
    look = frame.look()
    bars = []
    for number, day in enumerate(days):
        done, wrong = round(HIGH * day.done / most, 1), round(HIGH * day.standing / most, 1)
        bars.append(
            {
                "x": number * BAR_STEP,
                "done": done,
                "done_y": HIGH - done,
                "wrong": wrong,
                "wrong_y": round(HIGH - done - wrong, 1),
            }
        )
    words = [
        f"{formats.times.day_words(day.day.isoformat(), look.locale)}: {day.done} done"
        + (f", {day.standing} failed" if day.standing else "")
        for day in days
        if day.done or day.standing
    ]
    return {
        "bars": bars,
        "width": len(days) * BAR_STEP - (BAR_STEP - BAR_WIDTH),
        "bar": BAR_WIDTH,
        "high": HIGH,
        "said": "; ".join(words),
    }
