"""Requests to publish a draft, which a second person approves. A request pins the document: what is approved is what is published.

Waiting is one of them at most for a workflow. Its end is one of: changes requested, approved, withdrawn, void.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from console import log
from console.auth import access, accounts
from console.auth.access import limits
from console.core import drafting
from console.core.actor import Actor
from console.core.errors import Conflict, DefinitionError, Invalid, Malformed, NotAllowed, NotFound
from console.core.list_addresses import id_of_cursor
from console.infra.db import tables
from console.infra.db.engine import fetch, hot_engine, read_rows, transaction
from console.infra.db.ids import new_id
from console.workflows.definitions import LONGEST_NOTE
from console.workflows.drafts import Draft
from console.workflows.queries import forget
from console.workflows.saved_tests import TestsBefore
from console.workflows.store import OBJECT, locked_row, note_event
from console.workflows.versions import (
    go_live,
    live_hash,
    require_account,
    usable,
    validation_context,
    version,
)

WAITING, CHANGES, APPROVED, WITHDRAWN, VOID = "waiting", "changes_requested", "approved", "withdrawn", "void"
REVIEW_STATES = (WAITING, CHANGES, APPROVED, WITHDRAWN, VOID)
BATCH, ROUNDS = 200, 8
MOST_WAITING = 100
_LAST_AUTHOR = "select by from console.workflow_edit where workflow = %s and revision <= %s and by is not null order by revision desc limit 1"
_ONE_WAITING = "workflow_review_waiting"
table = tables.workflow_review
known = tables.workflow


@dataclass(frozen=True, slots=True)
class Review:
    """A request to publish. `document` is what was asked for, `base` the version that was live then (None: none), `impact` the list that whoever
    approved had before them, `version` the number that it became. Times are aware UTC.
    """

    id: str
    workflow: str
    slug: str
    title: str
    team: str
    revision: int
    document: dict[str, Any]
    hash: str
    base: int | None
    note: str
    status: str
    requested_by: str
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str
    impact: dict[str, Any] | None
    version: int | None

    @property
    def open(self) -> bool:
        """Whether it waits for an answer."""
        return self.status == WAITING

    @property
    def live_then(self) -> dict[str, Any] | None:
        """The document with which it is compared; None where nothing was published."""
        return None if self.base is None else version(self.workflow, self.base).document.to_json()

    def to_json(self) -> dict[str, Any]:
        """The request in the shape of the API."""
        body = {
            name: getattr(self, name)
            for name in ("id", "workflow", "slug", "title", "revision", "hash", "base", "note", "status")
        }
        body |= {
            "team": self.team or None,
            "requested_by": self.requested_by,
            "requested_at": log.body.moment(self.requested_at),
            "decided_by": self.decided_by,
            "decided_at": log.body.moment(self.decided_at) if self.decided_at else None,
        }
        return body | {"reason": self.reason, "version": self.version}


# ------------------------------------------------------------------------------------------------------------- reading


def review_of(actor: Actor, review_id: str) -> Review:
    """One request. Raises NotFound, alike for one that is not there and one of a workflow that the actor may not know."""
    with hot_engine().connect() as connection:
        return _review(_visible_row(connection, actor, review_id))


def newest_review(actor: Actor, workflow_id: str) -> Review | None:
    """The newest request of the workflow; None without one, or for who may not see it."""
    found, _ = listed_reviews(actor, workflow=workflow_id, limit=1)
    return found[0] if found else None


def listed_reviews(
    actor: Actor,
    *,
    status: str | None = None,
    workflow: str | None = None,
    requester: str | None = None,
    limit: int = 50,
    after: str | None = None,
) -> tuple[list[Review], str | None]:
    """Requests that the actor may see, the newest first, and the cursor of the next page. Raises Malformed for an unknown status or cursor."""
    if status is not None and status not in REVIEW_STATES:
        reason = f"One of {', '.join(REVIEW_STATES)}."
        raise Malformed(f"There is no status {status}.", at=("status", reason))
    wanted: list[sa.ColumnElement[bool]] = [] if status is None else [table.c.status == status]
    wanted += [] if workflow is None else [sa.or_(known.c.id == workflow, known.c.slug == workflow)]
    wanted += [] if requester is None else [table.c.requested_by == requester]
    found: list[Review] = []
    for _ in range(ROUNDS):
        older = [table.c.id < id_of_cursor(after, "rev_")] if after is not None else []  # ids grow with time
        rows = read_rows(_select().where(*wanted, *older).order_by(table.c.id.desc()).limit(BATCH))
        found += [_review(row) for row in rows if _may_see(actor, row)]
        after = rows[-1].id if len(rows) == BATCH else None
        if after is None or len(found) > limit:
            break
    return found[:limit], found[limit - 1].id if len(found) > limit else after


def to_decide(actor: Actor) -> list[Review]:
    """Requests that wait for the actor: of others, to publish what the actor may publish."""
    waiting, _ = listed_reviews(actor, status=WAITING, limit=MOST_WAITING)
    return [
        each
        for each in waiting
        if access.narrowing.may_approve(actor) and _may_publish(actor, each) and not _is_own(actor, each)
    ]


def pinned_draft(review: Review) -> Draft:
    """What was asked for as a draft, to look at; it is not the draft of today."""
    return Draft(review.workflow, review.slug, "", review.team, review.base, review.document, review.revision)


def possible_reviewers(of: Review | Draft, requested_by: str) -> list[str]:
    """Ids of those who may approve what this person asks, or would ask, to publish."""
    people = limits.people_able(of.team or None, f"{OBJECT}:{of.slug}", "publish")
    own = _authors(
        *((of.workflow, of.revision) if isinstance(of, Review) else (of.id, of.revision)), requested_by
    )
    others = [person for person, _ in people if person not in own]
    return [
        person
        for person in others
        if not (who := accounts.actor_of_person(person)).service and _may_publish(who, of)
    ]


# ------------------------------------------------------------------------------------------------------------- changing


def request_review(
    actor: Actor, slug_or_id: str, *, note: str, revision: int | None = None, accept_failed_tests: str = ""
) -> Review:
    """Ask a second person to approve the draft as it is now. With `revision`, only if it is still that one.

    The draft's tests are run first; where some fail, `accept_failed_tests` is the reason that whoever approves reads with the note.
    Raises NotFound, NotAllowed, Invalid (without a note, or `not_ready`), Conflict `stale_revision`, `review_open`, `not_possible`, `tests_failed`.
    """
    words = _text(note, "note", "Say in a sentence what changes and why.")
    tests = TestsBefore(lambda _document: actor, accept_failed_tests)
    try:
        return tests.publishing(lambda: _request_review(actor, slug_or_id, words, revision, tests))
    except sa.exc.IntegrityError as error:
        if _ONE_WAITING not in str(error.orig):
            raise
        raise Conflict(
            "A request to publish this workflow waits already: withdraw it first.", code="review_open"
        ) from None


def _request_review(
    actor: Actor, slug_or_id: str, words: str, revision: int | None, tests: TestsBefore
) -> Review:
    with transaction() as connection:
        row = locked_row(connection, actor, slug_or_id, "publish")
        if revision is not None and revision != row.draft_revision:
            raise Conflict(
                "Not sent: the draft was changed in the meantime. Look at it again.", code="stale_revision"
            )
        try:
            document = usable(row.title, row.draft, validation_context())
        except DefinitionError as wrong:
            raise _not_ready(wrong) from None
        require_account(actor, document)
        if failed := tests.failed(row.slug, row.id, document):
            words += f"\n{failed} of its tests {'fails' if failed == 1 else 'fail'}: {tests.reason}"
        if live_hash(connection, row) == document.hash:
            raise Conflict(
                "There is nothing to publish: the draft is what is live already.", code="not_possible"
            )
        values = {
            "id": new_id("rev"),
            "workflow": row.id,
            "revision": row.draft_revision,
            "document": drafting.ordered(row.draft),
            "hash": document.hash,
            "base": row.live_version,
            "note": words,
            "requested_by": actor.id,
            "requested_at": log.now(),
        }
        connection.execute(sa.insert(table).values(**values))
        made = _review(_row(connection, values["id"]))
        _note(actor, "requested", row, made, connection, {"note": words})
    return made


def approve_review(
    actor: Actor, review_id: str, *, reason: str = "", impact: Mapping[str, Any] | None = None
) -> Review:
    """Publish what was asked for, as whoever asked. `impact` is the list that the actor had before them.

    Raises NotFound, NotAllowed (`separation_of_duties` for one's own), Conflict `already_decided`, `not_possible`, or `review_void` where another
    version went live since, Invalid `not_ready`.
    """
    words = _text(reason, "reason", "")
    requester = _requester(actor, review_id)
    with transaction() as connection:
        row, review = _locked(connection, actor, review_id)
        if row.live_version != review.base:
            _end(connection, actor, row, review, VOID, reason="Another version went live meanwhile.")
        else:
            number = _publish(connection, requester, row, review)
            kept = dict(impact) if impact is not None else None
            _end(connection, actor, row, review, APPROVED, reason=words, version=number, impact=kept)
    forget()
    access.refresh()  # the label of the version hides its runs at once
    if row.live_version != review.base:
        message = "Not published: another version went live since this was asked for, so the request is void. It has to be asked for again."
        raise Conflict(message, code="review_void")
    return review_of(actor, review_id)


def request_changes(actor: Actor, review_id: str, *, reason: str) -> Review:
    """Do not approve it, and say what is to be changed. Raises as `approve_review`, Invalid without a reason."""
    words = _text(reason, "reason", "Say what is to be changed.")
    with transaction() as connection:
        row, review = _locked(connection, actor, review_id)
        _end(connection, actor, row, review, CHANGES, reason=words)
    return review_of(actor, review_id)


def withdraw_review(actor: Actor, review_id: str, *, reason: str = "") -> Review:
    """Take back one's own request. Raises NotFound, NotAllowed for another's, Conflict `already_decided`."""
    words = _text(reason, "reason", "")
    with transaction() as connection:
        row, review = _locked(connection, actor, review_id, decides=False)
        _end(connection, actor, row, review, WITHDRAWN, reason=words)
    return review_of(actor, review_id)


def forget_words(connection: Connection, person: str) -> None:
    """Empty what this person wrote about publishing: requests, answers, notes of versions, reasons of statuses. The log has the reasons sealed."""
    connection.execute(sa.update(table).where(table.c.requested_by == person).values(note=""))
    connection.execute(sa.update(table).where(table.c.decided_by == person).values(reason=""))
    connection.execute(_NOTES, {"person": person})
    connection.execute(_STATUS_REASONS, {"person": person})


# --------------------------------------------------------------------------------------------------------------- inside


_NOTES = sa.text("""
delete from console.version_note n using console.workflow_version v
where v.workflow = n.workflow and v.number = n.number and (v.published_by = :person or exists (
    select from console.workflow_review r where r.workflow = n.workflow and r.version = n.number and r.requested_by = :person))
""")
"""Of a version that was reviewed, the note is that of whoever asked; it is published in the name of whoever asked, or of whoever answered."""
_STATUS_REASONS = sa.text("""
update console.workflow w set status_reason = null where status_reason is not null and :person = (
    select a.actor from console.activity a join console.event e on e.id = a.event
    where a.kind = any(array['workflow_paused', 'workflow_cancelled', 'workflow_completed', 'workflow_resumed', 'workflow_activated', 'workflow_archived'])
      and convert_from(e.body, 'UTF8')::jsonb #>> '{data,open,workflow}' = w.id
    order by a.pos desc limit 1)
""")


def _select() -> sa.Select[Any]:
    heads = (known.c.slug, known.c.title, known.c.team, known.c.label, known.c.live_version)
    return sa.select(*table.c, *heads).join_from(table, known, known.c.id == table.c.workflow)


def _row(connection: Connection, review_id: str) -> Row[Any]:
    found = connection.execute(_select().where(table.c.id == review_id.replace("\x00", ""))).first()
    if found is None:
        raise NotFound
    return found


def _visible_row(connection: Connection, actor: Actor, review_id: str) -> Row[Any]:
    row = _row(connection, review_id)
    if not _may_see(actor, row):
        raise NotFound(hidden=row.label is None)
    return row


def _may_see(actor: Actor, row: Any) -> bool:
    """A request shows a draft: to who may edit or publish the workflow."""
    team, obj = row.team or None, f"{OBJECT}:{row.slug}"
    return access.can(actor, team, obj, "see") and any(
        access.can(actor, team, obj, act) for act in ("edit", "publish")
    )


def _may_publish(actor: Actor, of: Review | Draft) -> bool:
    return all(access.can(actor, of.team or None, f"{OBJECT}:{of.slug}", act) for act in ("see", "publish"))


def _review(row: Row[Any]) -> Review:
    columns = {name: getattr(row, name) for name in Review.__dataclass_fields__}
    return Review(**columns | {"document": drafting.ordered(row.document)})


def _requester(actor: Actor, review_id: str) -> Actor:
    """Who asked, with today's rights. Raises NotFound, Conflict where their account is closed."""
    asked_by = review_of(actor, review_id).requested_by
    try:
        return accounts.actor_of_person(asked_by, actor.session)
    except NotAllowed:
        name = accounts.names({asked_by}).get(asked_by, "Whoever asked")
        message = f"{name}, who asked, has no open account any more. Ask for changes, which ends this request, and publish it in your own name."
        raise Conflict(message, code="not_possible") from None


def _locked(
    connection: Connection, actor: Actor, review_id: str, *, decides: bool = True
) -> tuple[Row[Any], Review]:
    """The locked workflow and its request, which waits, for who may decide it (or, with `decides` False, for who asked)."""
    review = _review(_visible_row(connection, actor, review_id))
    row = locked_row(connection, actor, review.workflow, "see")
    if decides:
        _require_decider(actor, review)
    elif review.requested_by != actor.id:
        raise NotAllowed("Only whoever asked can withdraw a request.", code="separation_of_duties")
    review = _review(_row(connection, review_id))  # as it is now that nobody else can change it
    if not review.open:
        raise Conflict(
            f"This request does not wait any more: {review.status.replace('_', ' ')}.", code="already_decided"
        )
    return row, review


def _is_own(actor: Actor, review: Review) -> bool:
    """Whether the actor asked for it, wrote the draft last, or made a key of the service account that did."""
    return actor.id in _authors(review.workflow, review.revision, review.requested_by)


def _authors(workflow_id: str, revision: int, requested_by: str) -> frozenset[str]:
    """Who asked to publish this revision of the draft, who made its newest change, and who made keys of these accounts."""
    authors = {requested_by, *(by for (by,) in fetch(_LAST_AUTHOR, (workflow_id, revision)))}
    return frozenset(authors).union(*accounts.makers_of_keys(authors).values())


def _require_decider(actor: Actor, review: Review) -> None:
    if actor.service or _is_own(actor, review):
        rule = "service" if actor.service and review.requested_by != actor.id else "starter"
        raise NotAllowed(
            "A second person decides: nobody approves what they asked to publish or changed last, and no program does.",
            code="separation_of_duties",
            at=("rule", rule),
        )
    obj = f"{OBJECT}:{review.slug}"
    access.narrowing.require_approver(actor, obj)
    access.require(actor, review.team or None, obj, "publish")


def _publish(connection: Connection, requester: Actor, row: Row[Any], review: Review) -> int:
    """Publish the pinned document as whoever asked, and return the number of the version."""
    if not access.can(requester, row.team or None, f"{OBJECT}:{row.slug}", "publish"):
        raise Conflict(
            f"{requester.name}, who asked, may not publish this workflow any more. Ask for it anew.",
            code="not_possible",
        )
    try:
        return int(
            go_live(
                connection, requester, row, review.document, note=review.note, review=review.id
            ).live_version
        )
    except DefinitionError as wrong:
        raise _not_ready(wrong) from None


def _not_ready(wrong: DefinitionError) -> Invalid:
    return Invalid(wrong.message, code="not_ready", details=wrong.details)


def _end(
    connection: Connection,
    actor: Actor,
    row: Row[Any],
    review: Review,
    status: str,
    *,
    reason: str = "",
    **more: Any,
) -> None:
    values = {"status": status, "decided_by": actor.id, "decided_at": log.now(), "reason": reason, **more}
    connection.execute(sa.update(table).where(table.c.id == review.id).values(**values))
    data = {"version": more["version"]} if "version" in more else {}
    _note(actor, status, row, review, connection, {"reason": reason} if reason else {}, **data)


def _note(
    actor: Actor,
    did: str,
    row: Row[Any],
    review: Review,
    connection: Connection,
    sealed: Mapping[str, str],
    **data: Any,
) -> None:
    data |= {
        "review": review.id,
        "draft_revision": review.revision,
        "hash": review.hash,
        "base": review.base,
        "requested_by": review.requested_by,
    }
    note_event(actor, f"workflow_review_{did}", row, connection, sealed, **data)


def _text(given: str, field: str, needed: str) -> str:
    """The text without blanks around it; where it is needed, not empty. Raises Invalid on the field."""
    words = given.strip()
    if (needed and not words) or len(words) > LONGEST_NOTE or "\x00" in words:
        raise Invalid(needed if not words else f"takes at most {LONGEST_NOTE} characters", at=field)
    return words
