"""Home: what waits for the person who looks; and their own page."""

from flask import Blueprint, Response

from console import accounts, browse, runs
from console.runs import RunHead
from console.views import formats, frame

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
def home() -> Response:
    """Runs in hand, runs that wait to be continued, and the collections to work from."""
    who = frame.actor()
    held = runs.held_by(who)
    waiting = [head for head in runs.to_continue(who) if head.holder is None]
    return frame.page(
        "home/home.html",
        {"held": [row(head) for head in held], "waiting": [row(head) for head in waiting], "collections": browse.collections(who)},
    )


@blueprint.get("/me")
def me() -> Response:
    """Who one is signed in as, the theme, the keys, and the way out."""
    who = frame.actor()
    teams = {team.id: team.name for team in accounts.teams()}
    return frame.page(
        "home/me.html", {"teams": [teams.get(team, team) for team in who.teams], "roles": [words(role) for role in who.role_names]}
    )


def words(role: str) -> str:
    """A role's name as people write it: `operations_lead` is "Operations lead"."""
    return role.removeprefix("role:").replace("_", " ").capitalize()


def row(head: RunHead) -> dict[str, object]:
    """A run of a list, ready to be drawn: what, where it stands, with whom, since when."""
    look = frame.look()
    return {
        "run": head,
        "href": frame.run_url(head.id),
        "record_href": frame.record_url(head.collection, head.record) if head.collection and head.record is not None else None,
        "badge": frame.status_badge(head.status, head.holder, frame.actor().id, {head.holder or "": head.holder_name}),
        "age": formats.ago(head.active_at, look),
        "length": formats.span((head.ended_at - head.created_at).total_seconds(), look) if head.ended_at else None,
    }
