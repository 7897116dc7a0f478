"""Files of a step: uploaded before it is completed, kept with its draft, and named in its values."""

from typing import Any

from console import log
from console.core import media
from console.core.actor import Actor
from console.core.errors import Invalid, NotFound
from console.core.forms import takes_files
from console.core.run import Event, moves
from console.infra import files, settings
from console.infra.db.engine import fetch
from console.infra.files import Stored
from console.runs.commands.run_rights import Seen, may_work, see
from console.runs.engine.stepping import context_of, prompt_of, require_step, step_at
from console.runs.store.run_store import retried
from console.runs.views.reading import already_recorded, record_reading


def attach(actor: Actor, run_id: str, *, step: str, field: str, name: str, content: bytes) -> Stored:
    """Store a file for a field of the current step.

    Raises Invalid with a detail for the field if the file is refused, Conflict if the person does not hold the run at this step.
    """
    seen = see(actor, run_id)
    moves.require_completable(seen.run, actor.id, step, None)
    open_step = step_at(seen.definition, seen.run)
    require_step(actor, open_step)
    form_field = next(
        (
            one
            for one in prompt_of(open_step, context_of(actor, open_step, seen.record, log.now())).fields
            if one.name == field
        ),
        None,
    )
    if form_field is None or not takes_files(form_field) or form_field.readonly:
        raise Invalid(
            "No file is asked for there.", at=(field[:200], "There is no such field for files in this form.")
        )
    return keep(seen, field, form_field.options["types"], name, content, by=actor.id)


def keep(seen: Seen, slot: str, kinds: list[str], name: str, content: bytes, **more: Any) -> Stored:
    """Store a file with the run. Raises Invalid with a detail for `slot` if it is refused or the run's files are too large together."""
    most = settings.current().request_mb
    if (
        sum(file.bytes for file in files.of_run(seen.run.id) if file.request == more.get("request"))
        + len(content)
        > most * 1_000_000
    ):
        raise _refused(
            slot, f"All files together would be larger than {most} MB. Take one away, or send them smaller."
        )
    try:
        return files.put(
            seen.loaded.subject or "", content, name, kinds, run=seen.run.id, slot=slot, now=log.now(), **more
        )
    except Invalid as wrong:
        raise _refused(slot, wrong.message, wrong.code) from None


def _refused(slot: str, reason: str, code: str = "file_refused") -> Invalid:
    return Invalid(reason, code=code, at=slot)


def take_away(actor: Actor, run_id: str, file_id: str) -> None:
    """Remove a file that this person uploaded and that no step names yet. Raises NotFound."""
    stored = visible_file(actor, run_id, file_id)
    if stored.by != actor.id or stored.request is not None or stored.id in handed_in(run_id):
        raise NotFound("This file was handed in already, or was sent by somebody else: it stays.")
    files.remove(stored.id)


def handed_in(run_id: str) -> frozenset[str]:
    """Ids of the files that attempts of the run name, also cancelled ones."""
    rows = fetch('select "values"::text from console.attempt where run = %s', (run_id,))
    return frozenset(name for (text,) in rows for name in media.ID.findall(text))


def visible_file(actor: Actor, run_id: str, file_id: str) -> Stored:
    """A file of a run that the actor may see. Raises NotFound, also for a file of another run."""
    see(actor, run_id)
    stored = files.find(file_id)
    if stored.run != run_id:
        raise NotFound(hidden=True)
    return stored


def visible_in_any_run(actor: Actor, file_id: str) -> Stored:
    """A file by its id alone, if the actor may see its run."""
    stored = files.find(file_id)
    see(actor, stored.run)
    return stored


def files_of_draft(actor: Actor, run_id: str) -> list[Stored]:
    """All files of the run, the oldest first, for the page and the case file."""
    see(actor, run_id)
    return files.of_run(run_id)


def any_of(run_id: str) -> bool:
    """Whether the run has files. The caller has checked the rights."""
    return bool(files.of_run(run_id))


def record_opening(actor: Actor, run_id: str, stored: Stored, page: int | None = None) -> bool:
    """Record that a person who works on the run opened a page of the file, or the file itself. False for readers, and after the run's end."""

    def once() -> bool:
        seen = see(actor, run_id)
        if seen.run.current is None or not may_work(actor, seen.run, seen.definition):
            return False
        attempt = seen.run.attempts[seen.run.current]
        open_data: dict[str, Any] = {
            "n": attempt.n,
            "source": "document",
            "key": stored.id,
            "digest": stored.sha256,
        }
        if page is not None:
            open_data["page"] = page
            if already_recorded(seen.run, actor, "source_opened", open_data):
                return True
        open_data |= {"pages": stored.pages} if stored.pages is not None else {}
        record_reading(
            actor,
            seen,
            Event(
                "source_opened",
                log.now(),
                open_data,
                {"what": stored.name},
                (attempt.step, attempt.attempt),
                actor.id,
            ),
        )
        return True

    return retried(once)
