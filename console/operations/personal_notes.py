"""What people wrote beside the log under their own name: reasons, notes and tabs of their own. It goes when they are erased.

The log has the reasons sealed under their key. The document of a published version stays, because a version never changes.
"""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import workflows
from console.authoring import publication
from console.browse import saved_segments
from console.infra.db import tables
from console.permissions import clearances, second_admin

_EMPTIED = tuple(
    sa.text(statement)
    for statement in (
        "update console.ai_ladder set why = '' where by = :person and why <> ''",
        "update console.ai_setting set note = '' where by = :person and note <> ''",
        "update console.policy_version set note = '' where by = :person and note <> ''",
        """update console.hold h set reason = '' where exists (select from console.activity a join console.event e on e.id = a.event
        where a.kind = 'hold_placed' and a.actor = :person and convert_from(e.body, 'UTF8')::jsonb #>> '{data,open,subject}' = h.subject)""",
    )
)


def forget(connection: Connection, person: str) -> None:
    """Empty what this person wrote, delete the tabs that they saved for themselves, and forget where they signed in from."""
    workflows.forget_words(connection, person)
    publication.run_moves.forget_reasons(connection, person=person)
    clearances.forget_reasons(connection, person)
    second_admin.forget_words(connection, person)
    saved_segments.forget_own(connection, person)
    for statement in _EMPTIED:
        connection.execute(statement, {"person": person})
    connection.execute(
        sa.update(tables.session).where(tables.session.c.person == person).values(ip=None, agent=None)
    )
