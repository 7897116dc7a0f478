"""Settings, AI: the provider, its model and key, and whether it answers."""

from collections.abc import Mapping

from flask import Blueprint, Response, request

from console import accounts
from console.ai import probe
from console.ai.providers import anthropic
from console.errors import ConsoleError, Invalid
from console.proposals import options, provider_standing, saving
from console.views import frame
from console.views.settings import ai_forms, area

blueprint = Blueprint("ai_provider", __name__, url_prefix="/settings/ai")

NAMES = ("provider", "model", "base_url")
SHOWN_VERSIONS = 8
PROVIDERS = (
    ("rules", "Rules", "No model: what stands unambiguously in the record or an earlier step. Nothing leaves this machine."),
    ("anthropic", "Anthropic", "Claude, by their API."),
    ("openai_compatible", "An OpenAI-compatible endpoint", "llama.cpp, vLLM, Ollama, a gateway: anything that speaks chat/completions."),
)


@blueprint.get("")
def show() -> Response:
    """Show the settings and the state of the provider."""
    current = ai_forms.newest()
    return _page(_shown(current))


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
    return ai_forms.save("/settings/ai", shown, ai_forms.nested(shown), _page, **more)


@blueprint.post("/test")
def test() -> Response:
    """Make a tiny call with the form's content; nothing is saved."""
    current, shown = ai_forms.newest(), ai_forms.typed(NAMES)
    changes = {} if current.from_environment or "provider" not in request.form else ai_forms.nested(shown)
    same = all(ai_forms.flat(getattr(current.document, name))[""] == (shown[name].strip()) for name in NAMES)
    try:
        result = saving.tried(frame.actor(), {} if same else changes, request.form.get("key", "").strip() or None)
    except Invalid as wrong:
        if frame.wants_fragment():
            words = " ".join(ai_forms.reasons(wrong).values()) or wrong.message
            return _page(shown, tested=probe.Probed(ok=False, message=words))
        return _page(shown, ai_forms.reasons(wrong), wrong)
    return _page(_shown(current) if current.from_environment else shown, tested=result)


def _shown(current: options.Current) -> dict[str, str]:
    return {name: ai_forms.flat(getattr(current.document, name))[""] for name in NAMES}


def _page(
    shown: Mapping[str, str], wrong: Mapping[str, str] | None = None, error: ConsoleError | None = None, tested: probe.Probed | None = None
) -> Response:
    current = ai_forms.newest()
    versions = saving.versions(frame.actor(), limit=SHOWN_VERSIONS)
    context = ai_forms.common(current, shown, wrong or {}, error) | {
        "providers": PROVIDERS,
        "provider_words": {name: words for name, words, _ in PROVIDERS},
        "usual_model": anthropic.MODEL,
        "usual_url": anthropic.BASE_URL,
        "has_key": current.key is not None,
        "typed_key": request.form.get("key", "") if error or tested else "",
        "tested": tested,
        "refusals": provider_standing.refusals(),
        "loosely": provider_standing.asked_loosely(),
        "versions": versions,
        "names": accounts.names({version.current.by for version in versions}),
    }
    answer = area.page("settings/ai_provider.html", "ai", context, blocks={"tested": "tested"}, status=error.status if error else 200)
    answer.headers["Cache-Control"] = "no-store"
    return answer
