"""Settings, AI: where AI is switched off and the reason that people see; and the house text with its versions."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, request

from console import access, accounts, records, workflows
from console.core.actor import Actor
from console.errors import ConsoleError, NotFound
from console.proposals import saving
from console.proposals.settings_document import HouseText, Options
from console.views import frame
from console.views.settings import ai_forms, area

blueprint = Blueprint("ai_switches", __name__, url_prefix="/settings/ai")

KINDS = ("collections", "steps")
HOUSE_NAMES = ("house.prefix", "house.suffix")


@blueprint.get("/switches")
def switches() -> Response:
    """Show where AI is on or off: everywhere, for collections, for steps."""
    kept = ai_forms.newest().document
    shown = {"on": "on" if kept.on else "", "reason": kept.reason}
    return _switches(shown | {f"{kind}.{name}": reason for kind in KINDS for name, reason in getattr(kept, kind).items()}, {}, None)


@blueprint.post("/switches")
def save_switches() -> Response:
    """Save the switches. A place with an empty reason is on again; places that this person may not know of stay unchanged."""
    current, form = ai_forms.newest(), request.form
    places = {kind: _places(frame.actor(), kind) for kind in KINDS}
    shown = {"on": "on" if form.get("on") == "on" else "", "reason": form.get("reason", "")}
    shown |= {
        name: form[name] for name in form if name.partition(".")[0] in KINDS and name.partition(".")[2] in places[name.partition(".")[0]]
    }
    for kind in KINDS:
        added, reason = form.get(f"add.{kind}", ""), form.get(f"add.{kind}.reason", "")
        if added in places[kind]:
            shown[f"{kind}.{added}"] = reason or " "
    changes: dict[str, Any] = {"on": bool(shown["on"]), "reason": shown["reason"].strip()}
    for kind in KINDS:
        hidden = {name: reason for name, reason in getattr(current.document, kind).items() if name not in places[kind]}
        typed = {name.partition(".")[2]: text for name, text in shown.items() if name.startswith(f"{kind}.")}
        new = form.get(f"add.{kind}", "")
        changes[kind] = hidden | {name: text for name, text in typed.items() if text.strip() or name == new}
    return ai_forms.save("/settings/ai/switches", shown, changes, _switches)


def _switches(shown: Mapping[str, str], wrong: Mapping[str, str], error: ConsoleError | None) -> Response:
    current, actor = ai_forms.newest(), frame.actor()
    places = {kind: _places(actor, kind) for kind in KINDS}
    off = {kind: [name for name in places[kind] if f"{kind}.{name}" in shown] for kind in KINDS}
    context = ai_forms.common(current, shown, wrong, error) | {
        "places": places,
        "off": off,
        "groups": (
            ("collections", "Collections", "Off for every step about their records.", "collection"),
            ("steps", "Steps", "Off for one step of a workflow, in every version.", "step"),
        ),
    }
    return area.page("settings/ai_switches.html", "ai/switches", context, status=error.status if error else 200)


def _places(actor: Actor, kind: str) -> dict[str, str]:
    """Return the places that can be switched off, by name: collections and steps with AI that this person may know of."""
    if kind == "collections":
        places = {
            collection.id: collection.label
            for collection in records.collections()
            if access.exists_for(actor, f"collection:{collection.id}")
        }
        return dict(sorted(places.items(), key=lambda pair: pair[1].casefold()))
    made: dict[str, str] = {}
    for known in workflows.all_known():
        if known.live is None or not access.can(actor, known.team or None, f"workflow:{known.slug}", "see"):
            continue
        try:
            document = workflows.version(known.id, known.live).document
        except NotFound:
            continue
        made |= {f"{known.slug}/{step.id}": f"{known.title}: {step.title}" for step in document.steps if step.ai is not None}
    return made


@blueprint.get("/house")
def house() -> Response:
    """Show the house text and its earlier versions."""
    kept = ai_forms.newest().document.house
    return _house({"house.prefix": kept.prefix, "house.suffix": kept.suffix}, {}, None)


@blueprint.post("/house")
def save_house() -> Response:
    """Save a new version of the house text."""
    shown = {name: text.replace("\r\n", "\n") for name, text in ai_forms.typed(HOUSE_NAMES).items()}
    changes = {"house": {name.partition(".")[2]: text for name, text in shown.items()}}
    return ai_forms.save("/settings/ai/house", shown, changes, _house)


def _house(shown: Mapping[str, str], wrong: Mapping[str, str], error: ConsoleError | None) -> Response:
    current = ai_forms.newest()
    texts = saving.house_texts(frame.actor())
    former = [*(text.document.house for text in texts[1:]), Options().house]
    history = [(version, _difference(before, version.document.house)) for version, before in zip(texts, former, strict=False)]
    context = ai_forms.common(current, shown, wrong, error) | {"history": history, "names": accounts.names({text.by for text in texts})}
    return area.page("settings/ai_house.html", "ai/house", context, status=error.status if error else 200)


def _difference(before: HouseText, after: HouseText) -> Sequence[tuple[str, str, str]]:
    """Return (part, added or removed, line) for each line that differs."""
    changed = []
    for part in ("prefix", "suffix"):
        lines = difflib.ndiff(getattr(before, part).splitlines(), getattr(after, part).splitlines())
        changed += [(part, {"+": "came", "-": "went"}[line[0]], line[2:]) for line in lines if line[0] in "+-" and line[2:].strip()]
    return changed
