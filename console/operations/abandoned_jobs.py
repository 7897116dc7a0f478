"""What jobs that were given up were about, as people read it: the workflow or list, who asked for it, how far it came, and where it is looked at."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console import records
from console.auth import accounts
from console.core.errors import NotFound
from console.infra import jobs
from console.infra.db.engine import fetch

_ABOUT = """
select a.id, a.run, w.slug, w.title, a.collection, a.person, a.done, a.total from (
    select id, null as run, workflow, case origin when 'import' then workflow end as collection, person, done, total from console.enrolment_batch
    union all select id, null, id, null, null, null, null from console.workflow
    union all select id, run, workflow, null, null, null, null from console.message
    union all select id, run, workflow, null, null, null, null from console.ai_call
    union all select id, null, workflow, null, person, done, cardinality(runs) from console.run_move
    union all select id, null, workflow, null, person, null, null from console.builder_turn
    union all select id, run, null, collection, person, null, null from console.case_question
    union all select id, null, null, collection, person, null, null from console.bulk
    union all select id, null, null, collection, person, done, total from console.list_export
) a left join console.workflow w on w.id = a.workflow
where a.id = any(%(ids)s) and (w.id is null or not 'workflow:' || w.slug = any(%(hidden)s))
"""


@dataclass(frozen=True, slots=True)
class Failed:
    """A job that was given up: `name` and `payload` say what it was to do; `about` what it was about, in words, and `href` where that is looked at."""

    id: int
    name: str
    payload: str
    tries: int
    at: datetime
    about: str = ""
    href: str = ""

    @property
    def words(self) -> str:
        """What it was to do, as people read it."""
        return jobs.WORDS.get(self.name, self.name)


def described(rows: Sequence[Sequence[Any]], hidden: Sequence[str]) -> list[Failed]:
    """The jobs of these rows (id, name, payload, tries, moment). `hidden`: workflows (`workflow:<slug>`) that the reader may not know of."""
    found = (
        {
            row[0]: row
            for row in fetch(
                _ABOUT, {"ids": [payload for _, _, payload, _, _ in rows], "hidden": list(hidden)}
            )
        }
        if rows
        else {}
    )
    people = accounts.names([row[5] for row in found.values() if row[5]])
    made = []
    for job, name, payload, tries, at in rows:
        about, href = _about(payload, found.get(payload), people)
        made.append(Failed(job, name, payload, tries, at, about, href))
    return made


def _about(payload: str, found: Sequence[Any] | None, people: Mapping[str, str]) -> tuple[str, str]:
    """(what it was about in words, where that is looked at)."""
    if run := re.match(r"run_[0-9a-z]+", payload):
        return "The run", f"/runs/{run[0]}"
    if found is None:
        return "", ""
    _, run_id, slug, title, collection, person, done, total = found
    if collection is not None:
        title, href = _list_of(collection), f"/c/{collection}"
    else:
        href = f"/runs/{run_id}" if run_id else f"/workflows/{slug}" if slug else ""
    words = [title or ""]
    if done is not None:
        words.append(f"{done:,} of {total:,} done" if total is not None else f"{done:,} done")
    if person:
        words.append(f"asked for by {people.get(person, 'somebody who is no more')}")
    return ", ".join(filter(None, words)), href


def _list_of(collection: str) -> str:
    try:
        return records.collection(collection).label
    except NotFound:
        return "A list that is no more"
