"""Personal workflows: whose they are, and for whom else they exist.

A workflow is the organisation's or personal. For anybody but its owner a personal one does not exist: every act on it is refused, whatever the
rows say. Who reads the activity log, or manages people, in its team may see it, as they see what it did and must be able to hand it over. The
service accounts in whose names its runs act keep what the rows give them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

if TYPE_CHECKING:
    from console.auth.access.index import Index

OVERSIGHT = (("activity", "read"), ("user", "manage"))
"""Either of these rights in its team lets somebody see a personal workflow that is not theirs."""
_PERSONAL = sa.text("""
select 'workflow:' || w.slug as obj, w.owner, w.team, array(
    select p.id from console.person p where p.kind = 'service' and lower(p.email) in (
        select lower(w.draft ->> 'run_as') union all
        select lower(convert_from(v.document, 'UTF8')::jsonb ->> 'run_as') from console.workflow_version v where v.workflow = w.id)) as accounts
from console.workflow w where w.owner is not null
""")


@dataclass(frozen=True, slots=True)
class Personal:
    """Whose a personal workflow is: the id of its owner, of its team (empty for none), and of the service accounts in whose names its runs act."""

    owner: str
    team: str = ""
    accounts: frozenset[str] = frozenset()


def read(connection: Connection) -> dict[str, Personal]:
    """Object (`workflow:<slug>`) → whose it is; those of the organisation are left out."""
    return {
        row.obj: Personal(row.owner, row.team, frozenset(row.accounts))
        for row in connection.execute(_PERSONAL)
    }


def opens(index: "Index", personal: Mapping[str, Personal], person: str, obj: str, act: str) -> bool:
    """Whether the rows decide about this act of this person (an id), because the object is not somebody else's personal workflow."""
    whose = personal.get(obj)
    if whose is None or person == whose.owner or person in whose.accounts:
        return True
    return act == "see" and any(
        index.verdict(f"user:{person}", whose.team or None, *right).plain for right in OVERSIGHT
    )
