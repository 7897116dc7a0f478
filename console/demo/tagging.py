"""Tags of the demo's contacts: the console's own, from the pairs that the made-up campaign tool of Fernwick Pay left in their database."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from console import log
from console.core.tag_names import identity
from console.infra import subjects
from console.infra.db import tables
from console.infra.db.engine import transaction

BY = "sys_demo"
SPREAD_DAYS = 240
_PAIRS = "select p.contact_id, t.name from contact_tag p join tag t on t.id = p.tag_id order by 1, 2"


def tag_contacts(file: Path) -> int:
    """Put the tags on the contacts, in a few statements and without events, as an import does; how many there are. Again, it changes nothing."""
    with closing(sqlite3.connect(file)) as connection:
        pairs = connection.execute(_PAIRS).fetchall()
    now = log.now()
    whose = subjects.subjects_of("contact", sorted({contact for contact, _ in pairs}))
    words = [
        {"id": identity(name), "name": name, "created_by": BY, "created_at": now}
        for name in sorted({name for _, name in pairs})
    ]
    rows = [
        {
            "collection": "contact",
            "record": contact,
            "tag": identity(name),
            "subject": whose[contact],
            "by": BY,
            "at": now - timedelta(days=place * 7 % SPREAD_DAYS, minutes=place % 1440),
        }
        for place, (contact, name) in enumerate(pairs)
    ]
    with transaction() as connection:
        connection.execute(postgresql.insert(tables.tag).on_conflict_do_nothing(), words)
        connection.execute(postgresql.insert(tables.record_tag).on_conflict_do_nothing(), rows)
        found = connection.execute(sa.select(sa.func.count()).select_from(tables.record_tag)).scalar_one()
    return int(found)
