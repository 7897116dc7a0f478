"""Versions of workflows: imported as drafts, checked, published as immutable versions, exported as files.

A version never changes. Publishing the same bytes again changes nothing; anything else gets the next number. Runs keep the version
with which they were started.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from console import log, records, steps
from console.auth import access, accounts
from console.core import drafting
from console.core.actor import COMMAND_LINE, Actor
from console.core.documents import workflow_check
from console.core.documents.names_check import Names
from console.core.documents.workflow import MAX_BYTES, Place, Workflow, read
from console.core.documents.workflow_check import Problem, Surroundings
from console.core.documents.workflow_sketch import Sketch
from console.core.errors import Conflict, DefinitionError, NotFound
from console.infra import settings
from console.infra.db import tables
from console.infra.db.engine import fetch, hot_engine, read_row, read_rows, read_value, transaction
from console.infra.db.ids import new_id
from console.infra.outbound import outgoing_secrets
from console.steps.effects import action_cache
from console.workflows.draft_edits import record_edit, stored_document
from console.workflows.queries import Known, all_known, forget, read_all, status_once_published
from console.workflows.saved_tests import TestsBefore
from console.workflows.store import OBJECT, locked_row, note_event, update_row

MOST_MANAGERS = 2


class NotReadable(Conflict):
    """A published version that this release cannot read, because another one wrote it."""

    default_code = "version_not_readable"


@dataclass(frozen=True, slots=True)
class Definition:
    """A published version, or with a negative number a draft that is tried. Two are equal if they are the same version of the same workflow."""

    id: str
    slug: str = field(compare=False)
    title: str = field(compare=False)
    number: int
    hash: str
    document: Workflow = field(compare=False, repr=False)
    published_at: datetime | None = field(default=None, compare=False)


_LIVE_TEAM = "select convert_from(v.document, 'UTF8')::jsonb ->> 'team' from console.workflow_version v where v.workflow = :workflow and v.number = :number"
_LIVE = (
    "select id, live_version from console.workflow where (slug = %s or id = %s) and live_version is not null"
)


def live(slug_or_id: str) -> Definition:
    """The live version. Raises NotFound if there is no such workflow, or only a draft."""
    if "\x00" in slug_or_id:  # PostgreSQL raises an error for NUL
        raise NotFound("There is no such published workflow.")
    found = fetch(_LIVE, (slug_or_id, slug_or_id))
    if not found:
        raise NotFound(f"There is no published workflow {slug_or_id}.")
    return version(*found[0])


@functools.lru_cache(maxsize=512)
def version(workflow_id: str, number: int) -> Definition:
    """One version, cached because it never changes. Raises NotFound, NotReadable."""
    made, known = tables.workflow_version.c, tables.workflow.c
    row = read_row(
        sa.select(known.id, known.slug, made.number, made.hash, made.document, made.published_at)
        .join_from(tables.workflow_version, tables.workflow, known.id == made.workflow)
        .where(made.workflow == workflow_id, made.number == number)
    )
    if row is None:
        raise NotFound(f"There is no version {number} of the workflow {workflow_id}.")
    try:
        document = read(bytes(row.document))
    except ValueError as error:
        raise NotReadable(
            f"Version {number} of the workflow {row.slug} was published by another release, and cannot be read here. Update the console, or publish the workflow again."
        ) from error
    return Definition(row.id, row.slug, document.title, row.number, row.hash, document, row.published_at)


def readable_version(workflow_id: str, number: int | None) -> Definition | None:
    """One version; None where there is none, or this release cannot read it: what shows many workflows leaves out or marks that one."""
    try:
        return version(workflow_id, number) if number is not None else None
    except (NotFound, NotReadable):
        return None


def acting_as(email: str) -> list[Known]:
    """The live workflows whose runs act as this service account, by title. Callers check the rights."""
    live = [
        (known, readable_version(known.id, known.live))
        for known in all_known()
        if known.live is not None and not known.archived
    ]
    return [
        known
        for known, found in live
        if found is not None and (found.document.run_as or "").casefold() == email.casefold()
    ]


def newest(workflow_id: str) -> int:
    """Number of the live version, at most a second old; 0 if there is none."""
    return next((known.live or 0 for known in all_known() if known.id == workflow_id), 0)


def newest_number(workflow_id: str) -> int:
    """The highest number of its versions; 0 if none was published."""
    made = tables.workflow_version.c
    return int(
        read_value(sa.select(sa.func.max(made.number)).where(made.workflow == workflow_id, made.number > 0))
        or 0
    )


def startable(actor: Actor, collection_id: str | None, place: Place | None = None) -> list[Definition]:
    """Live versions that the actor may start on records of the collection (None: without a record), in the order of the list; those that can be read.

    `place`: where they are offered; those that are hidden there are left out.
    """
    offered = [
        known
        for known in all_known()
        if known.status == "active" and known.live is not None and known.collection == collection_id
    ]
    may = [
        known for known in offered if access.can(actor, known.team or None, f"{OBJECT}:{known.slug}", "start")
    ]
    found = [version for known in may if (version := readable_version(known.id, known.live)) is not None]
    return [version for version in found if place not in version.document.settings.hidden_in]


def check(
    document: bytes | str | Mapping[str, Any],
    surroundings: Surroundings | Mapping[str, Any] | None = None,
    sketches: list[Sketch] | None = None,
) -> list[Problem]:
    """Every problem of the document. `here` are its surroundings, or only its collections by id; what is missing is not checked."""
    return workflow_check.check(document, steps.all_types(), surroundings, sketches)


def validation_context() -> Surroundings:
    """The surroundings of workflows in this console: collections, the rights of roles, actions, and people."""
    every, people = action_cache.every(), _people()
    managers = [
        name for person, name in people.items() if access.can(Actor("user", person), None, "policy", "manage")
    ]
    return Surroundings(
        *(connected(), access.rights(), {name: action.collection for name, action in every.items()}),
        approvals={name: action.approval for name, action in every.items()},
        people=people,
        managers=managers[:MOST_MANAGERS],
        accounts=accounts.service_accounts(),
        secrets=frozenset([*(secret.name for secret in outgoing_secrets.all_secrets()), *_secrets_served()]),
        names=_names(),
        written={name: action.sets() for name, action in every.items()},
    )


def _secrets_served() -> list[str]:
    """Names of the secrets in the settings of what serves from this data folder: a command line may be without these settings."""
    from console.infra.processes import supervisor

    return [
        name for note in supervisor.serving(settings.current().data_dir) for name in note.get("secrets", ())
    ]


def _names() -> Names:
    """Teams, inboxes, workflows, chats, and the ids and addresses of people with an open account."""
    with hot_engine().connect() as connection:
        teams = (
            connection.execute(sa.text("select id from console.team where archived_at is null"))
            .scalars()
            .all()
        )
        used = connection.execute(sa.text("select id, team from console.inbox")).all()
        open_accounts = connection.execute(
            sa.text("select id, lower(email) from console.person where disabled_at is null")
        ).all()
    workflows, owners = (
        {known.slug: known.label for known in all_known()},
        {known.slug: known.owner for known in all_known() if known.owner},
    )
    people = frozenset(name for each in open_accounts for name in each if name)
    return Names(
        frozenset(teams),
        {row.id: row.team for row in used},
        workflows,
        frozenset(settings.current().chat_targets),
        people,
        owners,
    )


def _people() -> dict[str, str]:
    """Id → name of the people with an open account, ordered by name."""
    person = tables.person.c
    return {
        row.id: row.name
        for row in read_rows(
            sa.select(person.id, person.name).where(person.disabled_at.is_(None)).order_by(person.name)
        )
    }


def connected() -> dict[str, Any] | None:
    """The collections of all data sources by id; None while no source is connected, so that workflows can be made before sources."""
    return {collection.id: collection for collection in records.collections()} or None


def import_file(
    source: Path | str | bytes | Mapping[str, Any],
    by: Actor | None = None,
    *,
    publish: bool = False,
    rights: bool = True,
    judged: bool = False,
    tests: TestsBefore | None = None,
    owner: str | None = None,
) -> Known:
    """Import a document as the draft of its workflow, which is created if needed; with `publish` it goes live at once.

    `source` is a path, the bytes of a file, or the document. `by` None is the command line, which is trusted. `rights` False: the rights that
    it needs may be missing. `judged`: the caller has checked what `by` may do. `tests`: those kept with it are run before it is
    published; if they fail without a reason, nothing is stored. `owner`: a new workflow is personal, of the person with this id. Raises NotAllowed, Conflict `tests_failed`, and DefinitionError with every problem as a
    detail (step, field, reason); then nothing is stored.
    """
    document = _read_in(source, rights=publish and rights)
    actor = by or COMMAND_LINE
    if by is not None and not judged:
        _judge(by, document, publish=publish)
    tests = tests if publish else None
    if tests is not None:
        tests.run(document.slug, document.slug, document)
    with transaction() as connection:
        row = _row(connection, document.slug)
        if row is None or row.draft != document.to_json():
            if row is None:
                row = _insert(connection, document, owner)
            else:
                edited = record_edit(connection, actor, row, stored_document(row.draft), document.to_json())
                row = update_row(connection, row, **_head(document) | edited)
            note_event(
                actor, "workflow_imported", row, connection, version=row.live_version, hash=document.hash
            )
        if publish:
            go_live(connection, actor, row, row.draft, f"The workflow {row.slug}", rights=rights, tests=tests)
    forget()
    access.refresh()
    return _known(document.slug)


def publish(slug: str, by: Actor | None = None, *, tests: TestsBefore | None = None) -> Definition:
    """Publish the draft and return the version. If the live version has the same bytes, it is returned and nothing is written.

    With `tests` its tests are run before. Raises NotFound, DefinitionError with every problem, NotAllowed, Conflict `tests_failed`.
    """
    if by is not None:
        access.require(by, _known(slug).team or None, f"{OBJECT}:{slug}", "publish")

    def attempt() -> Row[Any]:
        with transaction() as connection:
            row = _row(connection, slug)
            if row is None or row.draft is None:
                raise NotFound(f"There is no draft of a workflow {slug}.")
            return go_live(
                connection, by or COMMAND_LINE, row, row.draft, f"The workflow {slug}", tests=tests
            )

    row = attempt() if tests is None else tests.publishing(attempt)
    forget()
    access.refresh()
    return version(row.id, row.live_version)


def go_live(
    connection: Connection,
    actor: Actor,
    row: Row[Any],
    draft: Mapping[str, Any],
    name: str = "",
    *,
    rights: bool = True,
    tests: TestsBefore | None = None,
    note: str = "",
    review: str | None = None,
) -> Row[Any]:
    """Make this document of a locked row its live version and return the row; the only way to do so. Writes nothing if it is live already.

    `name` is how an error calls it, `rights` False: the rights that it needs may be missing. `review` is the id of the review by which a second
    person approved it. The caller forgets the lists, and refreshes access, when it has committed.
    Raises DefinitionError with every problem, NotAllowed, Untested, Conflict `review_needed` where a second person has to approve it first.
    """
    document = usable(name or row.title, draft, validation_context() if rights else connected())
    require_account(actor, document)
    failed = tests.failed(row.slug, row.id, document) if tests is not None else 0
    made = tables.workflow_version.c
    if live_hash(connection, row) == document.hash:
        return row
    if (
        review is None
        and actor.kind != "system"
        and needs_second_person(row, document.team, connection=connection)
    ):
        raise Conflict(
            f"Publishing {row.title} needs a second person: ask for it to be approved, and say in a note what changes.",
            code="review_needed",
        )
    number = 1 + (
        connection.scalar(sa.select(sa.func.max(made.number)).where(made.workflow == row.id, made.number > 0))
        or 0
    )
    _add_version(connection, actor, row, number, document, log.now())
    if note:
        connection.execute(sa.insert(tables.version_note).values(workflow=row.id, number=number, note=note))
    status = status_once_published(row.status)
    begun = {"status": status, "status_at": log.now()} if status != row.status else {}
    after = update_row(connection, row, live_version=number, label=document.clearance, **begun)
    data: dict[str, Any] = {
        key: value for key, value in (("failed_tests", failed), ("review", review)) if value
    }
    sealed = {"reason": tests.reason} if tests is not None and failed else None
    data |= {"version": number, "hash": document.hash, "former": row.live_version}
    note_event(actor, "workflow_published", row, connection, sealed, **data)
    return after


def keep_tried_draft(actor: Actor, slug_or_id: str, revision: int) -> Definition:
    """Keep the draft as a version with a negative number, which runs can have and never goes live; the live version, where the draft is the same.

    What an executed draft does is real, so it needs what publishing it needs. Raises NotFound, NotAllowed without the right to publish, DefinitionError
    with each problem, Conflict `stale_revision`, `review_needed` where a second person has to see it first, `not_ready` where the draft changes who may know
    of its runs.
    """
    made = tables.workflow_version.c
    with transaction() as connection:
        row = locked_row(connection, actor, slug_or_id, "publish")
        if revision != row.draft_revision:
            raise Conflict(
                "Nothing was started: the draft was changed in the meantime. Look at it again.",
                code="stale_revision",
            )
        document = usable("The draft", row.draft, validation_context())
        access.require(actor, document.team, f"{OBJECT}:{row.slug}", "publish")
        require_account(actor, document)
        tried = sa.select(made.hash, made.number).where(made.workflow == row.id, made.number < 0)
        known = {each.hash: each.number for each in connection.execute(tried)}
        if live_hash(connection, row) == document.hash:
            return version(row.id, row.live_version)
        if needs_second_person(row, document.team, connection=connection):
            reason = "Here a second person sees a draft before it does anything real. Try it in a dry run, and ask for it to be published."
            raise Conflict(reason, code="review_needed")
        if document.clearance != row.label:
            raise Conflict(
                "The draft changes who may know of its runs, which counts once it is published. Try it in a dry run.",
                code="not_ready",
            )
        number = known.get(document.hash)
        if number is None:
            number = min(known.values(), default=0) - 1
            _add_version(connection, actor, row, number, document, sa.func.now())
            note_event(actor, "workflow_tried", row, connection, version=number, hash=document.hash)
    return version(row.id, number)


def export(slug: str) -> bytes:
    """The canonical bytes of the live version, or of the draft if nothing was published. Raises NotFound."""
    row = read_row(sa.select(tables.workflow).where(tables.workflow.c.slug == slug))
    if row is None:
        raise NotFound(f"There is no workflow {slug}.")
    return (
        version(row.id, row.live_version).document.canonical()
        if row.live_version is not None
        else drafting.written(row.draft)
    )


def refused(name: str, problems: Sequence[Problem]) -> DefinitionError:
    """The error with every problem as a detail."""
    errors = [problem for problem in problems if problem.severity == "error"]
    where = ", ".join(part for part in (errors[0].step, errors[0].field) if part) if errors else ""
    first = f" The first: {where}{': ' if where else ''}{errors[0].reason}" if errors else ""
    return DefinitionError(
        f"{name} cannot be used: {len(errors)} problem{'' if len(errors) == 1 else 's'}.{first}",
        details=[p.to_json() for p in errors],
    )


def usable(
    name: str, content: bytes | str | Mapping[str, Any], surroundings: Surroundings | Mapping[str, Any] | None
) -> Workflow:
    """Check and read a document that runs are to follow. Raises DefinitionError with every problem."""
    problems = check(content, surroundings)
    if any(problem.severity == "error" for problem in problems):
        raise refused(name, problems)
    return read(content)


def needs_second_person(row: Any, *others: str | None, connection: Connection | None = None) -> bool:
    """Whether publishing the workflow of this row needs a second person, by its team, that of its live version, or one of the others.

    So a workflow does not escape by being given to another team in the same draft.
    """
    if settings.current().publish_review:
        return True
    if connection is not None:
        return _team_asks(connection, row, others)
    with hot_engine().connect() as own:
        return _team_asks(own, row, others)


def live_hash(connection: Connection, row: Row[Any]) -> str | None:
    """The hash of the workflow's live version; None where nothing was published."""
    made = tables.workflow_version.c
    return connection.scalar(
        sa.select(made.hash).where(made.workflow == row.id, made.number == row.live_version)
    )


def require_account(actor: Actor, document: Workflow) -> None:
    """Raise NotAllowed unless the actor may let runs act as the account that the document names."""
    if document.run_as is not None:
        accounts.require_use(actor, document.run_as)


def _team_asks(connection: Connection, row: Any, others: tuple[str | None, ...]) -> bool:
    teams = {row.team, *others}
    if row.live_version is not None:
        teams.add(connection.scalar(sa.text(_LIVE_TEAM), {"workflow": row.id, "number": row.live_version}))
    named = sorted(team for team in teams if team)
    wanted = sa.select(sa.exists().where(tables.team.c.id.in_(named), tables.team.c.second_person))
    return bool(named) and bool(connection.scalar(wanted))


def _read_in(source: Path | str | bytes | Mapping[str, Any], *, rights: bool) -> Workflow:
    """The document, checked; with `rights` also the rights that it needs. Raises DefinitionError."""
    named = isinstance(source, Path | str)
    content = _bytes_of(Path(source)) if isinstance(source, Path | str) else source
    return usable(
        str(source) if named else "The workflow", content, validation_context() if rights else connected()
    )


def _bytes_of(path: Path) -> bytes:
    """The bytes of the file, at most one more than are allowed."""
    try:
        with path.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        details = [{"step": None, "field": "", "reason": str(error.strerror)}]
        raise DefinitionError(f"{path} cannot be read: {error.strerror}.", details=details) from None


def _judge(by: Actor, document: Workflow, *, publish: bool) -> None:
    """Raise NotAllowed if a person may not do this to the workflow, in its current team and in the document's team."""
    teams = {document.team, *(known.team or None for known in read_all() if known.slug == document.slug)}
    for act in ("edit", "publish") if publish else ("edit",):
        for team in sorted(teams, key=str):
            access.require(by, team, f"{OBJECT}:{document.slug}", act)


def _row(connection: Connection, slug: str) -> Row[Any] | None:
    """The workflow's row, locked until the transaction ends, so that two publications at once get two numbers."""
    return connection.execute(
        sa.select(tables.workflow).where(tables.workflow.c.slug == slug).with_for_update()
    ).first()


def _insert(connection: Connection, document: Workflow, owner: str | None) -> Row[Any]:
    try:
        with connection.begin_nested():
            head = {
                "slug": document.slug,
                "status": "draft",
                "label": document.clearance,
                "owner": owner,
                **_head(document),
            }
            made = sa.insert(tables.workflow).values(id=new_id("wf"), **head)
            return connection.execute(made.returning(*tables.workflow.c)).one()
    except sa.exc.IntegrityError:
        raise Conflict(
            f"Somebody else imported {document.slug} at the same moment: import it again."
        ) from None


def _head(document: Workflow) -> dict[str, Any]:
    """The columns for lists, and the draft."""
    return {
        "title": document.title,
        "description": document.description or "",
        "team": document.team or "",
        "collection": document.collection,
        "draft": document.to_json(),
    }


def _known(slug: str) -> Known:
    found = next((known for known in read_all() if known.slug == slug), None)
    if found is None:
        raise NotFound(f"There is no workflow {slug}.")
    return found


def _add_version(
    connection: Connection, actor: Actor, row: Row[Any], number: int, document: Workflow, at: Any
) -> None:
    values = {"workflow": row.id, "number": number, "document": document.canonical(), "hash": document.hash}
    connection.execute(
        sa.insert(tables.workflow_version).values(**values, published_at=at, published_by=actor.id)
    )
