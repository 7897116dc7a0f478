"""`/workflows/<slug>/publish`: what publishing would do, then doing it. `/workflows/<slug>/history`: what a draft and its versions were."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, flash, g, request

from console import monitoring, records, runs, workflows
from console.auth import access, accounts
from console.authoring import diagrams, publication
from console.core import drafting, outcome_words
from console.core.actor import COMMAND_LINE
from console.core.errors import Conflict, ConsoleError, Invalid, NotFound
from console.core.plain_words import uncapitalised
from console.messaging.messages.contact_trials import ContactTrial
from console.views import frame
from console.views.editor import step_form
from console.views.editor.values_in_words import problem_words
from console.views.workflows import tabs
from console.views.workflows.tabs import Section, may_edit

MOST_SPOKEN = 20
"""So many new steps are told with their settings."""
KINDS = ("added", "changed", "removed", "moved")
blueprint = Blueprint("workflow_publishing", __name__, url_prefix="/workflows")
tabs.register(Section("Configuration", 20, "history", "History", "/history", may_edit))


@blueprint.route("/<slug>/publish", methods=["GET", "POST"])
def publish(slug: str) -> Response:
    """Show what publishing the draft would change, for whom, and what stops it; a POST publishes, with a note."""
    draft = workflows.open_draft(frame.actor(), slug)
    access.require(frame.actor(), draft.team or None, f"workflow:{draft.slug}", "publish")
    if request.method != "POST":
        return _publication(draft)
    note, revision = request.form.get("note", "").strip(), request.form.get("revision", -1, int)
    try:
        if not note:
            raise Invalid("Say in a sentence what changes and why.", at=("note", "Needed."))
        monitoring.refuse_gaps(_trial(draft), leave_out="leave_out" in request.form)
        accepted = request.form.get("accept", "").strip()
        if request.form.get("do") == "ask":
            review = publication.ask_for_review(
                frame.actor(), slug, note=note, revision=revision, accept_failed_tests=accepted
            )
            flash("Asked. Whoever may approve it is told.")
            return frame.redirect_to(publication.address(review.id))
        made = workflows.publish_draft(
            frame.actor(), slug, note=note, revision=revision, accept_failed_tests=accepted
        )
    except (Conflict, Invalid) as wrong:
        late = wrong.code in ("stale_revision", "nothing_new")
        now = workflows.open_draft(frame.actor(), slug)
        return _publication(now, note=note, wrong=wrong, meanwhile=_meanwhile(now, revision) if late else {})
    behind = sum(
        live
        for version, live, _ in runs.live_versions(frame.actor(), made.id)
        if version != made.live_version
    )
    left = (
        f" {behind} {'run goes' if behind == 1 else 'runs go'} on with an older version: they can be moved from History."
        if behind
        else ""
    )
    flash(f"Version {made.live_version} is live.{left}")
    return frame.redirect_to(f"/workflows/{made.slug}")


def _trial(draft: workflows.Draft) -> ContactTrial | None:
    """Return what the messages would come to, tried once for a request."""
    kept: tuple[int, ContactTrial | None] | None = g.get("draft_trial")
    if kept is None or kept[0] != draft.revision:
        kept = g.draft_trial = (draft.revision, monitoring.trial_of_draft(frame.actor(), draft.document))
    return kept[1]


def _meanwhile(draft: workflows.Draft, revision: int) -> dict[str, Any]:
    """Return who published or changed the draft since its revision that a person had before them, and what differs in it."""
    actor = frame.actor()
    told: dict[str, Any] = {}
    if draft.live is not None and draft.live != request.form.get("live", draft.live, int):
        head = workflows.version_of(actor, draft.slug, draft.live)[0]
        told["published"] = (head, accounts.names({head.published_by}).get(head.published_by, "Somebody"))
    if draft.revision != revision:
        told["by"] = sorted(
            accounts.names(
                {each.by for each in workflows.history(actor, draft.slug) if each.revision > revision}
            ).values()
        )
        with contextlib.suppress(NotFound):  # so old that it is not kept
            told["since"] = drafting.differences(
                workflows.draft_at(actor, draft.slug, revision), draft.document
            )
    return told


def _publication(
    draft: workflows.Draft,
    *,
    note: str = "",
    wrong: ConsoleError | None = None,
    meanwhile: Mapping[str, Any] | None = None,
) -> Response:
    review = workflows.newest_review(frame.actor(), draft.id)
    refused = (
        review
        if review is not None and review.status == "changes_requested" and review.base == draft.live
        else None
    )
    review = review if review is not None and review.open else None
    found = publication.impact(frame.actor(), draft.slug)
    needs_review = workflows.needs_second_person(
        workflows.entry(frame.actor(), draft.id), draft.document.get("team")
    )
    context = impact_context(found.to_json(), draft.document, found.live) | {
        "draft": draft,
        "reviewers": publication.reviewer_names(draft, frame.actor().id) if needs_review else [],
        "title": draft.document.get("title") or draft.slug,
        "needs_review": needs_review,
        "review": review,
        "refused": refused,
        "refused_by": accounts.names({refused.decided_by}).get(refused.decided_by, "Somebody")
        if refused and refused.decided_by
        else "Somebody",
        "review_url": publication.address(review.id) if review else "",
        "asked_by": accounts.names({review.requested_by}).get(review.requested_by, "Somebody")
        if review
        else "",
        "note": note,
        "wrong": wrong,
        "meanwhile": meanwhile or {},
        "failed_tests": [(each["test"], each["reason"]) for each in wrong.details]
        if wrong and wrong.code == "tests_failed"
        else [],
        "found": None if found.same or found.stopped else _trial(draft),
        "tests": len(draft.document.get("tests") or ()),
    }
    context |= tabs.context(tabs.known_of(draft.slug), "edit") | {"workflow_title": context["title"]}
    return frame.page("editor/publish.html", context, error=wrong)


def impact_context(
    impact: Mapping[str, Any], document: Mapping[str, Any], live: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return what `editor/impact.html` shows of an impact in the shape of the API, of publishing this document in the place of the live one."""
    drawn = (
        drawn_difference(live, workflows.as_published(document))
        if live is not None and impact["differences"]
        else {}
    )
    return drawn | {
        "gives_rights": access.can(frame.actor(), None, "policy", "manage"),
        "told": {
            **impact,
            "rights": [each | {"where": _where_given(each["need"]["object"])} for each in impact["rights"]],
            "problems": [
                each | {"message": problem_words(each["field"], each["message"], document, each["step"])}
                for each in impact["problems"]
            ],
        },
        "counted": _counted(impact["differences"]),
        "added": _added(document, impact["differences"]),
        "records": _records_of(document.get("collection")),
        "titles": {step["id"]: str(step.get("title") or step["id"]) for step in document["steps"]},
        "steps": len(document["steps"]),
        "others": any(each["version"] != impact["live"] for each in impact["runs"]),
        "stopped": any(each["severity"] == "error" for each in impact["problems"]),
    }


def _where_given(obj: str) -> str:
    """Return where a right on the object is given: `collection:store.client`."""
    kind, _, ident = obj.partition(":")
    return frame.with_query("/settings/access", {"kind": kind if ident else "console", "q": ident or None})


def _added(
    document: Mapping[str, Any], differences: Sequence[Mapping[str, Any]]
) -> dict[str, list[tuple[str, str]]]:
    """Return new step → (label, in words) of its settings and of where it leads; of very many new steps none."""
    steps = {step["id"]: step for step in document["steps"]}
    new = [each["step"] for each in differences if each["kind"] == "added" and each["step"] in steps]
    if len(new) > MOST_SPOKEN:
        return {}
    titles = {step: str(entry.get("title") or step) for step, entry in steps.items()}

    def leads(step: str) -> list[tuple[str, str]]:
        ways = {
            outcome: titles[to] for outcome, to in (steps[step].get("next") or {}).items() if to in titles
        }
        if set(ways) == {"default"}:
            return [("Leads to", ways["default"])]
        words = {outcome: uncapitalised(outcome_words.words(steps[step], outcome)) for outcome in ways}
        return (
            [("Leads to", ", ".join(f"{words[outcome]}: {title}" for outcome, title in ways.items()))]
            if ways
            else []
        )

    return {
        step: [*step_form.settings_in_words(frame.actor(), document, steps[step]), *leads(step)]
        for step in new
    }


def _counted(differences: Sequence[Mapping[str, Any]]) -> str:
    """Return how much differs, in words: 1 added, 2 changed."""
    kinds = {
        kind: {each["step"] or each["what"] for each in differences if each["kind"] == kind} for kind in KINDS
    }
    return ", ".join(f"{len(which)} {kind}" for kind, which in kinds.items() if which)


def _records_of(named: Any) -> str:
    """Return what the collection's records are called."""
    try:
        return records.collection(named).label if isinstance(named, str) else ""
    except NotFound:
        return ""


@blueprint.route("/<slug>/history", methods=["GET", "POST"])
def history(slug: str) -> Response:
    """Show the versions and what was changed in which hour; `version` or `revision` compares one with the draft, or with version `than`; a POST restores it."""
    actor = frame.actor()
    draft = workflows.open_draft(actor, slug)
    number, revision = request.values.get("version", type=int), request.values.get("revision", type=int)
    chosen: dict[str, Any] | None = None
    if number is not None:
        chosen = workflows.version_of(actor, slug, number)[1]
    elif revision is not None:
        chosen = workflows.draft_at(actor, slug, revision)
    than = request.values.get("than", type=int)
    before = (
        workflows.version_of(actor, slug, than)[1]
        if than is not None
        else workflows.as_published(draft.document)
    )
    wrong: ConsoleError | None = None
    if request.method == "POST":
        if chosen is None:
            raise NotFound
        try:
            workflows.restore(actor, slug, request.form.get("base", -1, int), chosen)
        except (Conflict, Invalid) as refused:
            wrong = refused
        else:
            flash("Restored as the draft. Look at it, then publish it.")
            return frame.redirect_to(f"/workflows/{draft.slug}/edit")
    edits = workflows.history(actor, slug)
    versions, _ = workflows.versions_of(actor, slug)
    may_move = access.can(actor, draft.team or None, f"workflow:{draft.slug}", "publish")
    names = {
        **accounts.names({each.by for each in edits} | {each.published_by for each in versions}),
        COMMAND_LINE.id: COMMAND_LINE.name,
    }
    context = {
        "draft": draft,
        "title": draft.document.get("title") or draft.slug,
        "edits": edits,
        "versions": versions,
        "names": names,
        "running": {version: live for version, live, _ in runs.live_versions(actor, draft.id)}
        if may_move
        else {},
        "live": draft.live,
        "number": number,
        "revision": revision,
        "than": than,
        "chosen": chosen,
        "wrong": wrong,
        "differences": drafting.differences(before, chosen) if chosen is not None else [],
        **(drawn_difference(before, chosen) if chosen is not None else {}),
    }
    context |= tabs.context(tabs.known_of(draft.slug), "history") | {"workflow_title": context["title"]}
    return frame.page("editor/history.html", context, error=wrong)


def drawn_difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return the picture of the later document with what was removed from the earlier one; each step says whether it differs."""
    marks = {
        each.step: each.kind
        for each in reversed(drafting.differences(before, after))
        if each.step is not None
    }
    gone = [step for step in before["steps"] if marks.get(step["id"]) == "removed"]
    known = {step["id"] for step in [*after["steps"], *gone]}
    kept = [
        {**step, "next": {way: to for way, to in (step.get("next") or {}).items() if to in known}}
        for step in gone
    ]
    picture = diagrams.picture_of(
        workflows.readable({**after, "steps": [*after["steps"], *kept]}), workflows.connected() or {}
    )
    return {"nodes": picture.nodes, "groups": picture.groups, "marks": marks}
