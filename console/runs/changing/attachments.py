"""Files that are handed in with a step: sent before it is done, kept with its draft, and named by its values from then on."""

from collections.abc import Mapping
from typing import Any

from console import files, log, settings
from console.browse import evidence
from console.core import media
from console.core.actor import Actor
from console.core.forms import takes_files
from console.core.run import Event, commands
from console.db.engine import fetch
from console.errors import Invalid, NotFound
from console.files import Stored
from console.runs.changing.run_rights import Seen, see, works
from console.runs.engine.stepping import Stand, context_of, prompt_of, require_step, stand
from console.runs.rows.run_store import retried
from console.runs.showing.reading import note, noted
from console.steps.base import Context


def attach(actor: Actor, run_id: str, *, step: str, field: str, name: str, content: bytes) -> Stored:
    """Keep a file for a field of the step that the run stands at; it is handed in when the step is.

    Raises Invalid with a detail for the field where the file is refused, Conflict where the run is not this person's at this step.
    """
    seen = see(actor, run_id)
    commands.require_completable(seen.run, actor.id, step, None)
    here = stand(seen.definition, seen.run)
    require_step(actor, here)
    asked = next((one for one in prompt_of(here, context_of(actor, here, seen.record, log.now())).fields if one.name == field), None)
    if asked is None or not takes_files(asked) or asked.readonly:
        raise Invalid(
            "No file is asked for there.", details=[{"field": field[:200], "reason": "There is no such field for files in this form."}]
        )
    return keep(seen, field, asked.options["types"], name, content, by=actor.id)


def keep(seen: Seen, slot: str, kinds: list[str], name: str, content: bytes, **more: Any) -> Stored:
    """Keep a file with the run. Raises Invalid with a detail for `slot` where it is refused or the run's files are too large together."""
    most = settings.current().request_mb
    if sum(one.bytes for one in files.of_run(seen.run.id) if one.request == more.get("request")) + len(content) > most * 1_000_000:
        raise _refused(slot, f"All files together would be larger than {most} MB. Take one away, or send them smaller.")
    try:
        return files.put(seen.loaded.subject or "", content, name, kinds, run=seen.run.id, slot=slot, now=log.now(), **more)
    except Invalid as wrong:
        raise _refused(slot, wrong.message, wrong.code) from None


def _refused(slot: str, reason: str, code: str = "file_refused") -> Invalid:
    return Invalid(reason, code=code, details=[{"field": slot, "reason": reason}])


def take_away(actor: Actor, run_id: str, file_id: str) -> None:
    """Take a file away again that this person sent and did not hand in yet. Raises NotFound."""
    stored = visible_file(actor, run_id, file_id)
    if stored.by != actor.id or stored.request is not None or stored.id in handed_in(run_id):
        raise NotFound("This file was handed in already, or was sent by somebody else: it stays.")
    files.remove(stored.id)


def handed_in(run_id: str) -> frozenset[str]:
    """The files that steps of the run, done or cancelled, name."""
    told = fetch('select "values"::text from console.attempt where run = %s', (run_id,))
    return frozenset(name for (text,) in told for name in media.ID.findall(text))


def visible_file(actor: Actor, run_id: str, file_id: str) -> Stored:
    """A file of a run that the actor may see. Raises NotFound in the same words for one of another run."""
    see(actor, run_id)
    stored = files.find(file_id)
    if stored.run != run_id:
        raise NotFound(hidden=True)
    return stored


def anywhere(actor: Actor, file_id: str) -> Stored:
    """A file by its id alone, if the actor may see the run that it was handed in with."""
    stored = files.find(file_id)
    see(actor, stored.run)
    return stored


def beside(actor: Actor, run_id: str) -> list[Stored]:
    """Everything that was sent with the run, the oldest first: its documents, beside the form and in the file of the case."""
    see(actor, run_id)
    return files.of_run(run_id)


def any_of(run_id: str) -> bool:
    """Whether anything was sent with the run: for who has it before them."""
    return bool(files.of_run(run_id))


def opened(actor: Actor, run_id: str, stored: Stored, page: int | None = None) -> bool:
    """Note that somebody who works on the run opened a page of the file, or took the file itself; False for those who only read, or after its end."""

    def once() -> bool:
        seen = see(actor, run_id)
        if seen.run.current is None or not works(actor, seen.run, seen.definition):
            return False
        here = seen.run.attempts[seen.run.current]
        told: dict[str, Any] = {"n": here.n, "source": "document", "key": stored.id, "digest": stored.sha256}
        if page is not None:
            told["page"] = page
            if noted(seen.run, actor, "source_opened", told):
                return True
        told |= {"pages": stored.pages} if stored.pages is not None else {}
        note(actor, seen, Event("source_opened", log.now(), told, {"what": stored.name}, (here.step, here.attempt), actor.id))
        return True

    return retried(once)


def taken(here: Stand, context: Context, values: Mapping[str, Any]) -> dict[str, Any]:
    """What was submitted, with each file as it is kept, however the caller wrote it; what is no file of this run is none in the form either."""
    if not any(media.names_any(value) for value in values.values()):
        return dict(values)
    return evidence.with_files(prompt_of(here, context).fields, values, here.run.id)


def drafted(run_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """A draft with its files as they are kept; what claims to be a file and is none of this run is left out."""
    claimed = {name for name, value in values.items() if any(map(_claims, value if isinstance(value, list) else [value]))}
    if not claimed:
        return dict(values)
    there, made = evidence.uploaded_files(run_id), dict(values)
    for name in claimed:
        entries = made[name] if isinstance(made[name], list) else [made[name]]
        found = [there.get(media.file_id_of(entry) or "") if _claims(entry) else entry for entry in entries]
        left = [entry for entry in found if entry is not None]
        if isinstance(made[name], list):
            made[name] = left
        elif left:
            made[name] = left[0]
        else:
            del made[name]
    return made


def _claims(value: Any) -> bool:
    return isinstance(value, Mapping) and "file" in value
