"""`/ai/ladder/…`: how far a step's proposals are trusted, the evidence, and changing it."""

from flask import Blueprint, Response, request

from console.ai.evaluation import report_words
from console.ai.proposals import promotion
from console.ai.proposals.promotion import Standing
from console.core.errors import ConsoleError, NotAllowed, NotFound
from console.views import frame
from console.views.ai import proposal_report

blueprint = Blueprint("ladder", __name__)

RUNGS = (
    ("off", "Off", "nothing is asked"),
    ("shadow", "Shadow", "asked and recorded, shown to nobody"),
    ("assist", "Assist", "shown; a person decides"),
    ("auto", "Automatic", "done by itself where all is certain"),
)
CAUSES = {
    "changed": "The model, the prompt or the step's form changed",
    "form": "The step is no longer what was measured",
    "agreement": "Of the newest hidden cases too few agreed",
    "trusted_only": "A value that must be right was wrong",
    "reverts": "Two automatic steps were sent back within a day",
}


@blueprint.get("/ai/ladder/<slug>/<step>")
def show(slug: str, step: str) -> Response:
    """Show the level, its evidence and its history."""
    return _page(promotion.promotion_state(frame.actor(), slug, step))


@blueprint.post("/ai/ladder/<slug>/<step>/<any(promote, back):word>")
def move(slug: str, step: str, word: str) -> Response:
    """Raise the level if every gate is passed, or lower it at any time; both with a reason."""
    act, mode = promotion.promote if word == "promote" else promotion.put_back, request.form.get("mode", "")
    try:
        act(frame.actor(), slug, step, mode, request.form.get("reason", ""))
    except (NotAllowed, NotFound):
        raise
    except ConsoleError as wrong:
        return _page(promotion.promotion_state(frame.actor(), slug, step), wrong, word)
    return frame.redirect_to(proposal_report.ladder_url(slug, step))


def _page(standing: Standing, wrong: ConsoleError | None = None, word: str = "") -> Response:
    context = {
        "here": standing,
        "rungs": RUNGS,
        "titles": {name: title for name, title, _ in RUNGS},
        "lower": promotion.lower(standing),
        "causes": CAUSES,
        "ladder_url": proposal_report.ladder_url,
        "said": report_words,
        "wrong": wrong,
        "word": word,
        "reason": request.form.get("reason", ""),
        "figures_url": frame.with_query(
            "/ai", {"days": 90, "workflow": standing.known.slug, "step": standing.step.id}
        ),
        "hidden_url": frame.with_query(
            "/ai/cases",
            {"days": 90, "workflow": standing.known.slug, "step": standing.step.id, "became": "hidden"},
        ),
    }
    return frame.page("at_work/ladder.html", context, error=wrong)
