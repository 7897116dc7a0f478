"""Settings, AI: where AI is switched off and the reason that people see; and the house text with its versions."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, request

from console import records, workflows
from console.ai.proposals import saving
from console.ai.proposals.settings_document import HouseText, Options
from console.auth import access, accounts
from console.core.actor import Actor
from console.core.errors import NotFound
from console.views import frame
from console.views.forms import Field, Form, Group, Item
from console.views.settings import ai_forms, area

blueprint = Blueprint("ai_switches", __name__, url_prefix="/settings/ai")

KINDS = {
    "collections": ("Collections", "Off for every step about their records.", "collection"),
    "steps": ("Steps", "Off for one step of a workflow, in every version.", "step"),
}
"""Part of the document → its title, what it does, and what one is called."""
HOUSE_FIELDS = (
    Field("house.prefix", "Before what the workflow says", "area", "At most 4,000 characters.", rows=6),
    Field("house.suffix", "After it", "area", rows=6),
)
HOUSE_INTRO = (
    "Rules for all models at all steps: tone, wording, what is never to be proposed. Each call names the version that was added to it. What is "
    "possible at a step is fixed by the step, whatever stands here; write no names and no secrets."
)


@blueprint.route("/switches", methods=["GET", "POST"])
def switches() -> Response:
    """Show where AI is on or off: everywhere, for collections, for steps; a POST saves it.

    A place with an empty reason is on again; places that this person may not know of stay unchanged.
    """
    kept = ai_forms.newest().document
    places = {kind: _places(frame.actor(), kind) for kind in KINDS}
    shown: dict[str, Any] = {"on": kept.on, "reason": kept.reason}
    shown |= {f"{kind}.{name}": reason for kind in KINDS for name, reason in getattr(kept, kind).items()}
    if request.method != "POST":
        return _switches_page(_switches_form(shown, places))
    form = request.form
    shown = {"on": form.get("on") == "on", "reason": form.get("reason", "")}
    shown |= {
        name: form[name] for name in form if name.partition(".")[2] in places.get(name.partition(".")[0], ())
    }
    changes: dict[str, Any] = {"on": shown["on"], "reason": shown["reason"].strip()}
    for kind in KINDS:
        added = form.get(f"add.{kind}", "")
        if added in places[kind]:
            shown[f"{kind}.{added}"] = form.get(f"add.{kind}.reason", "")
        hidden = {name: reason for name, reason in getattr(kept, kind).items() if name not in places[kind]}
        sent = {name.partition(".")[2]: text for name, text in shown.items() if name.startswith(f"{kind}.")}
        changes[kind] = hidden | {name: text for name, text in sent.items() if text.strip() or name == added}
    declared = _switches_form(shown, places)
    return ai_forms.save("/settings/ai/switches", declared, changes) or _switches_page(declared)


def _switches_form(shown: Mapping[str, Any], places: Mapping[str, Mapping[str, str]]) -> Form:
    on_hint = "Off, every step is done by hand; what was proposed before stays in its runs. It counts within a second."
    everybody = [
        Field("on", "The AI proposes", "check", on_hint),
        Field("reason", "Why it is off", hint="People are shown this where a proposal would be."),
    ]
    groups = [Group(everybody, "For everybody", "card")]
    for kind, (title, hint, one) in KINDS.items():
        off = [name for name in places[kind] if f"{kind}.{name}" in shown]
        items: list[Item] = [Field(f"{kind}.{name}", places[kind][name], max_length=500) for name in off]
        if others := [(name, label) for name, label in places[kind].items() if name not in off]:
            add = Field(
                f"add.{kind}", f"Switch it off for another {one}", "select", choices=[("", "–"), *others]
            )
            items.append(Group([add, Field(f"add.{kind}.reason", "Why", max_length=500)]))
        none = "" if places[kind] else " At no step of a published workflow the AI proposes anything yet."
        groups.append(
            Group(items, title, "card", f"{hint} Emptied, a reason switches the AI on again.{none}")
        )
    return ai_forms.form_of(groups, shown)


def _switches_page(form: Form) -> Response:
    return area.form_page("ai/switches", form)


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
        made |= {
            f"{known.slug}/{step.id}": f"{known.title}: {step.title}"
            for step in document.steps
            if step.ai is not None
        }
    return made


@blueprint.route("/house", methods=["GET", "POST"])
def house() -> Response:
    """Show the house text and its earlier versions; a POST saves a new version."""
    kept = ai_forms.newest().document.house
    form = ai_forms.form_of(
        HOUSE_FIELDS,
        {"house.prefix": kept.prefix, "house.suffix": kept.suffix},
        title="What the house adds to every prompt",
        intro=HOUSE_INTRO,
        css="card pad form",
    )
    if request.method == "POST":
        shown = {
            name: text.replace("\r\n", "\n")
            for name, text in ai_forms.typed(field.name for field in HOUSE_FIELDS).items()
        }
        form.values = {**form.values, **shown}
        if made := ai_forms.save(
            "/settings/ai/house",
            form,
            {"house": {name.partition(".")[2]: text for name, text in shown.items()}},
        ):
            return made
    texts = saving.house_texts(frame.actor())
    former = [*(text.document.house for text in texts[1:]), Options().house]
    history = [
        (version, _difference(before, version.document.house))
        for version, before in zip(texts, former, strict=False)
    ]
    context = {
        "form": form,
        "house": kept,
        "history": history,
        "names": accounts.names({text.by for text in texts}),
    }
    return area.page("settings/ai_house.html", "ai/house", context, error=form.error)


def _difference(before: HouseText, after: HouseText) -> Sequence[tuple[str, str, str]]:
    """Return (part, added or removed, line) for each line that differs."""
    changed = []
    for part in ("prefix", "suffix"):
        lines = difflib.ndiff(getattr(before, part).splitlines(), getattr(after, part).splitlines())
        changed += [
            (part, {"+": "came", "-": "went"}[line[0]], line[2:])
            for line in lines
            if line[0] in "+-" and line[2:].strip()
        ]
    return changed
