"""Settings, AI: the provider, its model and key, and whether it answers."""

from collections.abc import Mapping

from flask import Blueprint, Response, request

from console.ai import probe
from console.ai.proposals import options, provider_standing, saving
from console.ai.providers import anthropic
from console.auth import accounts
from console.core.errors import Invalid
from console.views import frame
from console.views.forms import Button, Field, Form, Group, Item
from console.views.settings import ai_forms, area

blueprint = Blueprint("ai_provider", __name__, url_prefix="/settings/ai")

NAMES = ("provider", "model", "base_url")
SHOWN_VERSIONS = 8
PROVIDERS = (
    (
        "rules",
        "Rules",
        "No model: what stands unambiguously in the record or an earlier step. Nothing leaves this machine.",
    ),
    ("anthropic", "Anthropic", "Claude, by their API."),
    (
        "openai_compatible",
        "An OpenAI-compatible endpoint",
        "llama.cpp, vLLM, Ollama, a gateway: anything that speaks chat/completions.",
    ),
)


@blueprint.get("")
def show() -> Response:
    """Show the settings and the state of the provider."""
    return _page(_form(_shown(ai_forms.newest())))


@blueprint.post("")
def save() -> Response:
    """Save the settings after a tiny test call has succeeded."""
    shown = ai_forms.typed(NAMES)
    key = request.form.get("key", "").strip()
    more = {
        "key": key or None,
        "drop_key": request.form.get("drop_key") == "on" and not key,
        "untried": request.form.get("untried") == "on",
    }
    form = _form(shown, key)
    return ai_forms.save("/settings/ai", form, ai_forms.nested(shown), **more) or _page(form)


@blueprint.post("/test")
def test() -> Response:
    """Make a tiny call with the form's content; nothing is saved."""
    current, shown = ai_forms.newest(), ai_forms.typed(NAMES)
    changes = {} if current.from_environment or "provider" not in request.form else ai_forms.nested(shown)
    same = all(ai_forms.flat(getattr(current.document, name))[""] == (shown[name].strip()) for name in NAMES)
    key = request.form.get("key", "").strip()
    form = _form(_shown(current) if current.from_environment else shown, key)
    try:
        result = saving.try_settings(frame.actor(), {} if same else changes, key or None)
    except Invalid as wrong:
        form.error = wrong
        words = " ".join(form.errors.values()) or wrong.message
        return _page(form, probe.Probed(ok=False, message=words) if frame.wants_fragment() else None)
    return _page(form, result)


def _shown(current: options.Current) -> dict[str, str]:
    return {name: ai_forms.flat(getattr(current.document, name))[""] for name in NAMES}


def _form(shown: Mapping[str, str], key: str = "") -> Form:
    has_key = ai_forms.newest().key is not None
    stored = (
        "A key is stored, encrypted, and shown to nobody. Leave this empty to keep it."
        if has_key
        else "None is stored."
    )
    key_hint = f"{stored} It belongs to this provider and address: change either, and the key is entered again. You are asked to show that it is you."
    model = Field(
        "model", "Model", hint=f"As the provider calls it. Empty with Anthropic: {anthropic.MODEL}."
    )
    url_hint = "With an endpoint of your own up to and with /v1. Empty with Anthropic: their own address."
    of_model: list[Item] = [
        Group([model, Field("base_url", "Base URL", "url", url_hint, placeholder="https://")]),
        Field("key", "Key", "password", key_hint, placeholder="A key is stored" if has_key else None),
    ]
    if has_key:
        of_model.append(Field("drop_key", "Forget the stored key", "check"))
    items = [
        Field("provider", "Who proposes", "radios", choices=PROVIDERS),
        Group(of_model, kind="ai-of-model form"),
    ]
    tries = {
        "formaction": "/settings/ai/test",
        "hx-post": "/settings/ai/test",
        "hx-target": "#tested",
        "hx-swap": "innerHTML",
        "hx-disabled-elt": "this",
    }
    return ai_forms.form_of(
        items,
        {**shown, "key": key},
        action="/settings/ai",
        title="Provider and key",
        buttons=[Button("Test connection", "test", "plug-connected", more=tries)],
        aside="Saving tries it too: one tiny call, with nothing of your records in it.",
        css="card pad form ai-provider",
    )


def _page(form: Form, tested: probe.Probed | None = None) -> Response:
    current = ai_forms.newest()
    versions = saving.versions(frame.actor(), limit=SHOWN_VERSIONS)
    context = {
        "form": form,
        "current": current,
        "kept": current.document,
        "given": current.ai if current.from_environment else None,
        "provider_words": {name: words for name, words, _ in PROVIDERS},
        "usual_model": anthropic.MODEL,
        "usual_url": anthropic.BASE_URL,
        "tested": tested,
        "refusals": provider_standing.refusals(),
        "loosely": provider_standing.asked_loosely(),
        "versions": versions,
        "names": accounts.names({version.current.by for version in versions}),
    }
    error = None if tested else form.error
    answer = area.page("settings/ai_provider.html", "ai", context, blocks={"tested": "tested"}, error=error)
    answer.headers["Cache-Control"] = "no-store"
    return answer
