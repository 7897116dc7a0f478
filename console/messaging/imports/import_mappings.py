"""What a person said of the columns of a file, remembered for their next file with the same headings."""

import hashlib
from contextlib import suppress
from dataclasses import replace

import orjson

from console import log
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.errors import Invalid
from console.infra import subjects
from console.infra.db.engine import fetch
from console.messaging.imports import cell_meanings, contact_files, imports
from console.messaging.imports.imports import Question

PARTS = ("columns", "match", "change", "spelling", "meanings")
"""What is remembered of a question."""
_READ = "select nonce, ct from console.import_mapping where person = %s and collection = %s and headings = %s"
_WRITE = """
insert into console.import_mapping (person, collection, headings, kid, nonce, ct, at) values (%s, %s, %s, %s, %s, %s, %s)
on conflict (person, collection, headings) do update set kid = excluded.kid, nonce = excluded.nonce, ct = excluded.ct, at = excluded.at
returning 1
"""


def remember(actor: Actor, collection_id: str, question: Question) -> None:
    """Keep what the actor has confirmed of a file, sealed; of one without headings nothing. Raises Invalid."""
    if (headings := _headings(question, actor.id)) is None:
        return
    told = {part: value for part, value in question.to_json().items() if part in PARTS}
    sealed = subjects.seal(subjects.of_person(actor.id), _about(actor.id, collection_id), told)
    fetch(_WRITE, (actor.id, collection_id, headings, *sealed, log.now()))


def recalled(actor: Actor, collection: Collection, question: Question) -> Question:
    """The question as the actor confirmed one with the same headings, as far as that is still possible; else as it is. Raises Invalid."""
    headings = _headings(question, actor.id)
    rows = fetch(_READ, (actor.id, collection.id, headings)) if headings is not None else []
    with suppress(Invalid, subjects.Unreadable):
        for nonce, ciphertext in rows:
            told = subjects.unseal(
                subjects.of_person(actor.id), _about(actor.id, collection.id), bytes(nonce), bytes(ciphertext)
            )
            offered = {name for name, _ in imports.choices(actor, collection)}
            columns = {number: name for number, name in told["columns"].items() if name in offered}
            asked = replace(question, **{**told, "columns": columns}, as_before=True)
            asked = replace(
                asked, meanings=cell_meanings.fitting_meanings(collection, asked, told["meanings"])
            )
            imports.plan(actor, collection.id, asked)
            return asked
    return question


def _headings(question: Question, person: str) -> bytes | None:
    """What tells the headings of a file from others; None for a file without them."""
    if not question.file.heading:
        return None
    return hashlib.sha256(orjson.dumps(contact_files.sample(question.file, person)[0])).digest()


def _about(person: str, collection_id: str) -> str:
    return f"import mapping|{person}|{collection_id}"
