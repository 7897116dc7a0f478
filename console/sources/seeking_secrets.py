"""Tables of settings that were read before anybody looked for secrets among them: their values are hidden until a worker has looked."""

import logging

import sqlalchemy as sa

from console import log, records
from console.core.documents.collections import Collection, named_secrets
from console.db import tables
from console.db.engine import hot_engine, transaction
from console.errors import ConsoleError
from console.records import catalogue, connect, sampling
from console.sources.keeping import CHAIN, SYSTEM, forget, place, touch_configuration

_log = logging.getLogger(__name__)


def seek_secrets() -> int:
    """Look into the tables that nobody has looked at yet; at how many. A source that does not answer is for the next time."""
    looked = 0
    for found in records.collections():
        if any(field.hidden_because == named_secrets.NOT_LOOKED for field in found.stored_fields):
            try:
                looked += _look(found)
            except ConsoleError as error:
                _log.info("no look for secrets at %s: %s", found.id, error.message)
    if looked:
        forget()
    return looked


def _look(found: Collection) -> bool:
    kept = tables.collection
    mine = sa.select(kept.c.structure).where(kept.c.id == found.id)
    with hot_engine().connect() as connection:
        before = connection.execute(mine).scalar_one_or_none()
    if before is None:
        return False
    after = connect.read(catalogue.engine_of(found), found.source, lambda connection: sampling.sought(connection, before))
    if after == before:  # the table may not be read
        return False
    with transaction() as connection:
        if connection.execute(mine.with_for_update()).scalar_one_or_none() != before:
            return False
        connection.execute(sa.update(kept).where(kept.c.id == found.id).values(structure=after))
        touch_configuration(connection)
        log.note(
            SYSTEM,
            "source_changed",
            open={"source": found.source, "name": found.source, "collections": 1, "fields": ["tables"]},
            sealed={"after": {"changed": [place(after)]}},
            source=found.source,
            chain=CHAIN,
            connection=connection,
        )
    return True
