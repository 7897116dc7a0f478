"""Imports of files as they are kept: what was asked for, sealed for who asked, how far it is, and what came of its lines so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from console import subjects
from console.contacts import cell_meanings
from console.contacts.imports import Question
from console.db import tables
from console.db.engine import transaction

KIND = "import"
RUNNING, DONE, CANCELLED, FAILED = "running", "done", "cancelled", "failed"


@dataclass(frozen=True, slots=True)
class Import:
    """A file that is looked at (`preview`) or imported: how far it is (`done` of `total` lines, None: not counted yet), what came of them so far, and which `words` somebody says the meaning of."""

    id: str
    collection: str
    person: str
    preview: bool
    status: str
    why: str
    total: int | None
    done: int
    new: int
    changed: int
    refused: int
    created_at: datetime
    ended_at: datetime | None
    question: Question
    place: Mapping[str, Any]
    words: cell_meanings.Words

    @property
    def unknown(self) -> cell_meanings.Words:
        """The words of which nobody has said what they mean."""
        return cell_meanings.unknown(self.words, self.question.meanings)

    @property
    def same(self) -> int:
        """Lines of contacts that are there already as the lines say."""
        return self.done - self.new - self.changed - self.refused

    @property
    def about(self) -> int | None:
        """About how many lines there are, by the ends of lines where nobody has counted them yet."""
        lines = self.question.file.lines
        return self.total if self.total is not None or not lines else max(lines - 1, self.done)

    @property
    def consents(self) -> int:
        """How many consents were added, or would be."""
        return int(self.place.get("consents", 0))

    @property
    def withdrawn(self) -> int:
        """How many contacts no longer agree by it, or would not."""
        return int(self.place.get("withdrawn", 0))

    @property
    def opted_out(self) -> int:
        """How many lines are about somebody who opted out."""
        return int(self.place.get("opted_out", 0))

    @property
    def agreed_again(self) -> int:
        """How many consents stay, because they were given after the day that the file gives."""
        return int(self.place.get("agreed_again", 0))

    @property
    def said_no(self) -> int:
        """How many lines say a plain no that takes nothing back."""
        return int(self.place.get("said_no", 0))

    @property
    def tags(self) -> int:
        """How many tags were put on contacts, or would be."""
        return int(self.place.get("tagged", 0) or self.place.get("tags", {}).get("put", 0))

    @property
    def running(self) -> bool:
        """Whether it still goes on."""
        return self.status == RUNNING


def read(ident: str) -> Import | None:
    """The import of this id, whoever asked for it; None where there is none, or who asked was erased."""
    kept = tables.enrolment_batch
    if "\x00" in ident:
        return None
    with transaction() as connection:
        row = connection.execute(sa.select(kept).where(kept.c.id == ident, kept.c.origin == KIND)).first()
    if row is None:
        return None
    try:
        question = subjects.unseal(row.subject, about(row.id), row.nonce, row.ct)
        place = orjson.loads(subjects.unlock(row.subject, about(row.id), bytes(row.place))) if row.place else {}
    except subjects.Unreadable:
        return None
    named = {
        name: getattr(row, name)
        for name in ("id", "person", "preview", "status", "why", "total", "done", "refused", "created_at", "ended_at")
    }
    return Import(
        **named, collection=row.workflow, new=row.enrolled, changed=row.already_enrolled, question=Question.of_json(question), place=place, words=place.get("unknown", {}),
    )  # fmt: skip


def about(ident: str) -> str:
    """What the question and the place of an import are sealed for."""
    return f"contact import|{ident}"
