"""Asking a second person to approve a publication, and telling whoever asked what came of it."""

from dataclasses import replace
from typing import Any

from console import workflows
from console.auth import accounts, notify
from console.auth.accounts import absences
from console.authoring.publication.impact import Impact, impact_of
from console.core.actor import Actor
from console.core.documents.workflow_check import Problem
from console.core.errors import NotAllowed
from console.workflows import Draft, Review

MOST_TOLD = 50


def review_impact(actor: Actor, review: Review) -> Impact:
    """What approving the request would do now, as far as the actor may see it: it is published in the name of who asked."""
    draft, number = workflows.pinned_draft(review), workflows.newest_number(review.workflow) + 1
    try:
        publisher, stops = accounts.actor_of_person(review.requested_by, actor.session), ""
    except NotAllowed:
        publisher, stops = (
            actor,
            "Whoever asked has no open account any more: ask for changes, which ends this.",
        )
    known = workflows.find_known(review.workflow)
    if known is not None and known.live != review.base:
        stops = "Another version went live since this was asked for: it has to be asked for again."
    found = impact_of(actor, draft, number, publisher)
    problems = [Problem(None, "", stops)] if stops and review.open else []
    return replace(found, problems=[*problems, *found.problems])


def told_impact(actor: Actor, review: Review) -> dict[str, Any] | None:
    """What approving the request would do now; of one that has ended, the list that whoever decided had before them, None without one.

    It was made for them: for everybody else it is without the numbers of runs and records, which they may not be able to count.
    """
    if review.open:
        return review_impact(actor, review).to_json()
    if review.impact is None or review.decided_by == actor.id:
        return review.impact
    channels = [{**each, "reaches": None} for each in review.impact["channels"]]
    return {**review.impact, "runs": [], "matching": None, "channels": channels}


def ask_for_review(
    actor: Actor, slug_or_id: str, *, note: str, revision: int | None = None, accept_failed_tests: str = ""
) -> Review:
    """As `workflows.request_review`; sends a notice to those who may approve it."""
    made = workflows.request_review(
        actor, slug_or_id, note=note, revision=revision, accept_failed_tests=accept_failed_tests
    )
    people = workflows.possible_reviewers(made, actor.id)[:MOST_TOLD]
    notify.notify(people, "publishing_asked", f"{made.id}:asked", by=actor.id, link=address(made.id))
    return made


def reviewer_names(of: Review | Draft, requested_by: str) -> list[str]:
    """Who may approve what this person asks to publish, by name; of whoever is away, until when."""
    people = workflows.possible_reviewers(of, requested_by)
    away = absences.away_words(people)
    return sorted(
        f"{name} ({away[person]})" if person in away else name
        for person, name in accounts.names(set(people)).items()
    )


def approve(actor: Actor, review_id: str, *, reason: str = "") -> Review:
    """As `workflows.approve_review`. Keeps the impact that the actor could see, and sends a notice to whoever asked."""
    review = workflows.review_of(actor, review_id)
    seen = review_impact(actor, review).to_json() if review.open else None
    return _with_notice(actor, workflows.approve_review(actor, review_id, reason=reason, impact=seen))


def ask_for_changes(actor: Actor, review_id: str, *, reason: str) -> Review:
    """As `workflows.request_changes`; sends a notice to whoever asked."""
    return _with_notice(actor, workflows.request_changes(actor, review_id, reason=reason))


def address(review_id: str) -> str:
    """The page of a request."""
    return f"/approvals/publishing/{review_id}"


def _with_notice(actor: Actor, review: Review) -> Review:
    notify.notify(
        [review.requested_by],
        "publishing_decided",
        f"{review.id}:{review.status}",
        by=actor.id,
        link=address(review.id),
    )
    return review
