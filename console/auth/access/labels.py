"""Display names of objects, roles, teams and people. Never fails: without a title the id is made readable."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from console.auth.access import subject_scope
from console.auth.access.rows import EVERY
from console.core.errors import ConsoleError
from console.core.plain_words import humanised
from console.infra.db import engine as db

_TITLE = {
    "workflow": sa.text("select title from console.workflow where slug = :id or id = :id"),
    "team": sa.text("select name from console.team where id = :id"),
    "action": sa.text("select title from console.action where id = :id"),
    "inbox": sa.text("select title from console.inbox where id = :id"),
    "role": sa.text("select title from console.role where id = :id"),
    "account": sa.text("select name from console.person where email = :id and kind = 'service'"),
}
_EVERYTHING = sa.text(
    "select 'team' as kind, id, name as title from console.team"
    " union all select 'role', id, title from console.role"
    " union all select 'workflow', slug, title from console.workflow"
    " union all select 'action', id, title from console.action"
    " union all select 'inbox', id, title from console.inbox"
    " union all select 'user', id, name from console.person"
    " union all select 'account', email, name from console.person where kind = 'service' and email is not null"
)
KINDS = {
    "collection": "collection",
    "field": "field",
    "action": "action",
    "workflow": "workflow",
    "inbox": "inbox",
    "account": "service account",
    "label": "label",
    "activity": "Activity log",
    "ai": "AI",
    "subject": "Personal data",
    "source": "Data sources",
    "policy": "Rights",
    "key": "API keys",
    "user": "People and teams",
}
"""Kind of object → its name; for a kind with one object, its title."""


@dataclass(frozen=True, slots=True)
class Names:
    """Titles at one moment: kind → id → title. Without a title the id is used.

    `subjects`: collection → the collection whose data it has.
    """

    titles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    subjects: Mapping[str, str] = field(default_factory=dict)

    def title(self, kind: str, ident: str) -> str:
        """The title, or the id made readable."""
        return self.titles.get(kind, {}).get(ident) or _from_id(ident)

    def role(self, role: str) -> str:
        """`Operations lead`, from an id with or without `role:`."""
        return self.title("role", role.removeprefix("role:"))

    def place(self, dom: str) -> str:
        """`in Operations` or `everywhere`, from `t:<team id>` or `*`."""
        return "everywhere" if dom == EVERY else f"in {self.title('team', dom.removeprefix('t:'))}"

    def who(self, sub: str) -> str:
        """The name of a row's subject: a role, a person or a key."""
        kind, _, ident = sub.partition(":")
        return self.role(ident) if kind == "role" else self.titles.get(kind, {}).get(ident, ident)

    def object(self, obj: str) -> str:
        """`Customers`, `every workflow`, `Tax ID of Customers`, `the activity log`."""
        kind, colon, ident = obj.partition(":")
        if not colon:
            return KINDS.get(kind, kind)
        if ident == EVERY:
            return f"every {KINDS.get(kind, kind)}"
        if kind == "field":
            collection, _, name = ident.partition("/")
            return f"{_from_id(name)} of {self.title('collection', collection)}"
        return self.title(kind, ident)

    def of_subject(self, obj: str) -> str:
        """`customers that they may see`, for a collection with their data; empty for any other object."""
        kind, _, ident = obj.partition(":")
        subject = self.subjects.get(ident) if kind == "collection" else None
        return f"{self.title('collection', subject).lower()} that they may see" if subject else ""


def all_titles() -> Names:
    """All current titles; no titles if the database does not answer."""
    titles: dict[str, dict[str, str]] = {}
    try:
        for kind, ident, title in db.read_rows(_EVERYTHING):
            titles.setdefault(kind, {})[ident] = title
        titles["collection"] = subject_scope.labels()
    except (sa.exc.SQLAlchemyError, OSError, ConsoleError):
        return Names()
    return Names(titles, subject_scope.subject_collections())


def spoken(obj: str) -> str:
    """`KYC review` for `workflow:kyc-review`. Without a title it is made from the id: `Bank accounts` for `collection:erp.bank_accounts`."""
    kind, _, ident = obj.partition(":")
    return _title(kind, ident) or _from_id(ident)


def _title(kind: str, ident: str) -> str | None:
    try:
        if kind not in _TITLE:
            return subject_scope.labels().get(ident) if kind == "collection" else None
        title = db.read_value(_TITLE[kind], {"id": ident})
        return None if title is None else str(title)
    except (sa.exc.SQLAlchemyError, OSError, ConsoleError):
        return None


def _from_id(ident: str) -> str:
    return humanised(ident.rpartition(".")[2])
