"""What came of something done to several records, told to who began it: what it was, to how many records, and how many of them were done."""

from collections import Counter
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log, records, workflows
from console.actions import bulk_starts, many_changes, one_record
from console.auth import access, notify
from console.core.errors import NotFound
from console.core.plain_words import uncapitalised
from console.infra import subjects
from console.infra.db.engine import fetch

CAME_TO = {"done": "done", "same": "as before", "open": "open", "refused": "not done", "stopped": "stopped"}
"""State of a record → how its number is spoken."""
_ENDED_SINCE = f"""
update console.bulk_item i set state = case r.status when 'completed' then 'done' else 'refused' end,
    why = case r.status when 'completed' then '' else 'Its run ended without it.' end
from {access.EVERY_RUN.sql()} where i.bulk = %s and i.state = 'open' and r.id = i.run and r.ended_at is not null returning 1
"""  # noqa: S608 (a text of ours)
_END = """
update console.bulk b set "values" = '{}' where id = %s and not looking
    and not exists (select from console.bulk_item where bulk = b.id and state in ('waiting', 'begun')) returning person, action, collection
"""
LONG = timedelta(seconds=10)
_CHECKED = """
select b.person, b.action, b.collection from console.bulk b
where b.id = %s and b.looking and coalesce(b.query::text, 'null') = 'null' and b.created_at < %s
    and not exists (select from console.bulk_item where bulk = b.id and state in ('waiting', 'stopped'))
"""


def count_ended(bulk_id: str) -> None:
    """Have the records whose runs waited for somebody or something, and have ended since, counted as they ended."""
    fetch(_ENDED_SINCE, (bulk_id,))


def end(connection: Connection, bulk_id: str, *, told: bool = True) -> None:
    """Where nothing is left to do, forget the values, which stand in the runs and in the log alone, and tell who began it if that is to be `told`."""
    ended = connection.exec_driver_sql(_END, (bulk_id,)).first()
    if ended is not None and told:
        counts = _counts(connection, bulk_id)
        came = ", ".join(f"{counts[state]:,} {words}" for state, words in CAME_TO.items() if state in counts)
        _notify(
            connection,
            ended,
            bulk_id,
            bulk_id,
            "bulk_ended",
            f"{_records(ended.collection, counts.total())}; {came}",
        )


def tell_checked(connection: Connection, bulk_id: str) -> None:
    """Tell who wants it that all records have been looked at, where that took so long that they may have turned to something else."""
    checked = connection.exec_driver_sql(_CHECKED, (bulk_id, log.now() - LONG)).first()
    if checked is not None:
        counts, done = _counts(connection, bulk_id), done_word(checked.action)
        came = [
            f"{counts['fits']:,} can be {done}",
            *([f"{counts['same']:,} as before"] if counts["same"] else []),
            f"{counts['refused']:,} cannot",
        ]
        words = f"{_records(checked.collection, counts.total())} checked; {', '.join(came)}. Nothing is {done} yet."
        _notify(connection, checked, bulk_id, f"{bulk_id} checked", "bulk_checked", words)


def _counts(connection: Connection, bulk_id: str) -> Counter[str]:
    """Return state → how many records."""
    found = connection.exec_driver_sql(
        "select state, count(*) from console.bulk_item where bulk = %s group by state", (bulk_id,)
    )
    return Counter({str(state): int(count) for state, count in found})


def _notify(
    connection: Connection, row: sa.Row[Any], bulk_id: str, about: str, kind: str, words: str
) -> None:
    """Tell who began it, once for each `about`, in this transaction."""
    told = {
        "text": f"{title_of(row.action)}: {words}",
        "subject": subjects.of_person(row.person),
        "link": f"/bulk/{bulk_id}",
    }
    notify.add_notices(connection, [row.person], about, kind, at=log.now(), mail=False, **told)


def done_word(action: str) -> str:
    """What becomes of a record by this, in a word: `deleted`, `changed`, `started`."""
    deed = many_changes.change_by_id(action)
    return "started" if deed is None else deed.done_word


def title_of(action: str) -> str:
    """The title of what is done to several records; its id where there is no such thing any more."""
    if (deed := many_changes.change_by_id(action)) is not None:
        return deed.title
    if (slug := bulk_starts.slug_of(action)) is not None:
        try:
            return f"Start {workflows.live(slug).title}"
        except NotFound:
            return slug
    return next((known.title for known in one_record.list_actions() if known.id == action), action)


def _records(collection_id: str, number: int) -> str:
    try:
        collection = records.collection(collection_id)
    except NotFound:
        return f"{number:,} records"
    return f"{number:,} {uncapitalised(collection.label_one) if number == 1 else collection.spoken}"
