"""A restored backup and a copy begin paused: what is due in them is due in their original too, and goes to the same people.

A copy is told by its marks: the database it works on, the data folder of an embedded server, the address. The first worker notes them; one that
finds another mark than those noted pauses everything, before it does anything else. Source: docs/adr/0026-copies-begin-paused.md.
"""

import hashlib
from collections.abc import Mapping

from sqlalchemy.engine import Connection

from console import log
from console.core.actor import Actor
from console.infra import jobs, settings
from console.infra.db.engine import transaction
from console.infra.jobs import Because

ENGINE = Actor("system", "sys_engine", "Handrail", session="sys:config")
REASONS: Mapping[Because, str] = {
    "restored": "A backup was restored.",
    "copied": "The database, the data folder or the address is not the one that was worked with before.",
}
_DATABASE = "select (select system_identifier from pg_control_system()), oid from pg_database where datname = current_database()"
_NOTED = "select kind, value from console.installation_mark"
_NOTE = "insert into console.installation_mark (kind, value) values (%s, %s) on conflict do nothing"


def look(*, note: bool) -> bool:
    """Pause everything where this is a copy; whether it did so now. `note`: the marks are kept, as a worker does."""
    with transaction() as connection:
        connection.exec_driver_sql("select 1 from console.version where name = 'paused' for update")
        noted = connection.exec_driver_sql(_NOTED).all()
        kinds, present = {kind for kind, _ in noted}, marks(connection)
        other = [
            (kind, value) for kind, value in present.items() if kind in kinds and (kind, value) not in noted
        ]
        if other:
            hold(connection, "copied")
        for kind, value in present.items() if note or other else ():
            connection.exec_driver_sql(_NOTE, (kind, value))
    jobs.forget()
    return bool(other)


def hold(connection: Connection, because: Because) -> None:
    """Pause everything until somebody says that it is to go on. One that is paused for a reason of its own keeps the earlier moment."""
    moment = int(log.now().timestamp())
    connection.exec_driver_sql(
        "update console.version set number = %s where name = 'paused' and number = 0", (moment,)
    )
    connection.exec_driver_sql(
        "update console.version set number = %s where name = 'paused_because'",
        (jobs.BECAUSE.index(because) + 1,),
    )
    log.note(ENGINE, "engine_paused", sealed={"reason": REASONS[because]}, connection=connection)


def hold_restored() -> None:
    """For a restored database, before it goes live: it is paused, messages that are due wait for a person's word, and the first worker notes its marks anew."""
    from console.messaging.messages import held_messages  # a second of every start, for restoring alone

    with transaction() as connection:
        connection.exec_driver_sql("delete from console.installation_mark")
        hold(connection, "restored")
        held_messages.doubt_due(connection)


def marks(connection: Connection) -> dict[str, str]:
    """Kind → digest of what this process works with; without a kind that is not known here.

    A file of an embedded server has another number in a copy of its folder, and another path after a move or in a snapshot.
    """
    configured = settings.current()
    found = {"database": ":".join(map(str, connection.exec_driver_sql(_DATABASE).one()))}
    if configured.embedded:
        file = configured.data_dir.resolve() / "postgres" / "cluster" / "PG_VERSION"
        found["folder"] = f"{file}:{file.stat().st_ino}"
    if configured.base_url:
        found["address"] = configured.base_url.rstrip("/").casefold()
    return {kind: hashlib.sha256(value.encode()).hexdigest() for kind, value in found.items()}
