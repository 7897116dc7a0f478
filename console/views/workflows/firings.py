"""`/workflows/<slug>/firings`: what fired the triggers of a workflow in a time, one by one, and why it started nothing."""

from datetime import timedelta

from flask import Blueprint, Response, request

from console import browse, formats, workflows
from console.automation import triggers
from console.core.errors import Malformed
from console.views import frame
from console.views.workflows import tabs, trigger_page

blueprint = Blueprint("workflow_firings", __name__)

USUAL = timedelta(days=1)
STATES = (("", "Any"), ("not", "Not started"), ("started", "Started"), ("waiting", "Waits"))


@blueprint.get("/workflows/<slug>/firings")
def show(slug: str) -> Response:
    """Show the firings, newest first. `from` and `to` (days or moments) and `state` filter them; without a beginning those of the last day."""
    known, who, look = tabs.known_of(slug), frame.actor(), frame.look()
    given = {name: value for name in ("from", "to", "state") if (value := request.args.get(name, ""))}
    wrong, lines, following = None, list[triggers.FiringLine](), None
    since, until = look.now - USUAL, look.now
    try:
        since = frame.midnight(given, "from") or since
        until = frame.midnight(given, "to", later=1) or until
        lines, following = triggers.firings_between(
            who, slug, since, until, given.get("state", ""), request.args.get("after")
        )
    except Malformed as error:
        wrong = error
    live = workflows.readable_version(known.id, known.live) if known.live else None
    titles = {
        one.id: one.title or triggers.trigger_words(one) for one in (live.document.triggers if live else ())
    }
    context = tabs.context(known, "triggers") | {
        "rows": [
            (line, titles.get(line.trigger, "A trigger that is gone"), trigger_page.STATES[line.status])
            for line in lines
        ],
        "titles": browse.names_of(who, {line.about for line in lines if line.about is not None}),
        "period": f"From {formats.clock(since, look)} to {formats.clock(until, look) if until < look.now else 'now'}",
        "given": given,
        "states": STATES,
        "wrong": wrong,
        "following": frame.present_address(after=following) if following else None,
        "address": tabs.address,
    }
    return frame.page("workflows/firings.html", context, error=wrong)
