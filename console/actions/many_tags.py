"""A tag put on many records of a list, or taken away from them: hundreds in one transaction with what the log tells of each, so that none is done twice."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Connection

from console import browse, log, records
from console.actions import bulk_ends
from console.actions.many_changes import GONE, Looked, ManyChanges
from console.auth import access
from console.browse import tags
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.tag_names import MOST_ON_RECORD, identity
from console.infra import faults
from console.infra.db.engine import fetch, transaction

AT_ONCE = 200
TAG = "tag"
"""The value that says which tag."""
FULL = f"It has {MOST_ON_RECORD} tags, as many as a record may have."
SHUT = "You may see this record, but not change it, and so not tag it."
_NEXT = (
    "select number, key from console.bulk_item where bulk = %s and state = 'waiting' order by number limit %s"
)
_ENDED = """
update console.bulk_item i set state = a.state, why = a.why from unnest(%s::int[], %s::text[], %s::text[]) as a (number, state, why)
where i.bulk = %s and i.number = a.number and i.state = 'waiting' returning i.number
"""


def preview_tags(
    actor: Actor, deed: ManyChanges, collection_id: str, keys: Sequence[str], values: Mapping[str, Any]
) -> dict[str, Looked]:
    """Key → whether the tag can be put on the record now, or taken away from it. Raises NotFound, SourceDown."""
    collection, scope = browse.browsed_collection(actor, collection_id)
    visible = set(records.visible_keys(collection_id, keys, scope))
    allowed = tags.changeable(
        collection_id, sorted(visible), access.scope_for(actor, collection_id, "update")
    )
    there, wanted = tags.names_of(collection, sorted(allowed)), identity(values[TAG])

    def judged(key: str) -> Looked:
        if key not in allowed:
            return Looked(why=SHUT if key in visible else GONE)
        has = {identity(name) for name in there.get(key, ())}
        if (wanted in has) == deed.puts_tag:
            return Looked(same=True)
        return Looked(why=FULL) if deed.puts_tag and len(has) >= MOST_ON_RECORD else Looked(seen=TAG)

    return {key: judged(key) for key in keys}


def do_next(
    actor: Actor, deed: ManyChanges, bulk_id: str, collection_id: str, values: Mapping[str, Any]
) -> bool:
    """Tag the next of its records as they are now; whether there were any. One process at a time: the chain of its events is called like it.

    Raises NotFound, SourceDown: then nothing was done to them.
    """
    waiting = {key: number for number, key in fetch(_NEXT, (bulk_id, AT_ONCE))}
    if not waiting:
        return False
    looked = preview_tags(actor, deed, collection_id, list(waiting), values)
    states = ["done" if one.seen else "same" if one.same else "refused" for one in looked.values()]
    with transaction() as connection:
        connection.exec_driver_sql("select from console.bulk where id = %s for update", (bulk_id,))
        ended = connection.exec_driver_sql(
            _ENDED, (list(waiting.values()), states, [one.why for one in looked.values()], bulk_id)
        )
        still = {number for (number,) in ended}  # what was stopped meanwhile is left alone
        keys = [key for key, number in waiting.items() if number in still and looked[key].seen]
        noted = _write(connection, actor, deed, records.collection(collection_id), keys, values[TAG])
        bulk_ends.end(connection, bulk_id)
        log.note_each(
            actor,
            "tag_added" if deed.puts_tag else "tag_removed",
            noted,
            chain=bulk_id,
            team=actor.teams[0] if actor.teams else None,
            label=access.label_of(f"collection:{collection_id}"),
            connection=connection,
        )
        faults.point("bulk.tags.before")
    faults.point("bulk.tags.after")
    return True


def _write(
    connection: Connection,
    actor: Actor,
    deed: ManyChanges,
    collection: Collection,
    keys: Sequence[str],
    name: str,
) -> list[log.Noted]:
    if not keys:
        return []
    if deed.puts_tag:
        return tags.put_each(connection, actor, collection, {key: [name] for key in keys})
    return tags.take_each(connection, collection, keys, name)
