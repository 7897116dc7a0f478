"""What objects and teams are called, for the message of a refusal. Asked only then, and never a reason to fail."""

import sqlalchemy as sa

from console.db import engine as db

_TITLE = {
    "workflow": sa.text("select title from console.workflow where slug = :id or id = :id"),
    "collection": sa.text("select document ->> 'label' from console.collection where id = :id"),
    "team": sa.text("select name from console.team where id = :id"),
}


def spoken(obj: str) -> str:
    """`KYC review` of `workflow:kyc-review`; made from the id where nothing has a title: `Bank accounts` of `collection:erp.bank_accounts`."""
    kind, _, ident = obj.partition(":")
    return _title(kind, ident) or _from_id(ident)


def team_name(team: str) -> str:
    """The name of the team of this id."""
    return _title("team", team) or _from_id(team)


def _title(kind: str, ident: str) -> str | None:
    if kind not in _TITLE:
        return None
    try:
        with db.hot_engine().connect() as connection:
            title = connection.execute(_TITLE[kind], {"id": ident}).scalar_one_or_none()
            return None if title is None else str(title)
    except (sa.exc.SQLAlchemyError, OSError):
        return None


def _from_id(ident: str) -> str:
    return ident.rpartition(".")[2].replace("-", " ").replace("_", " ").capitalize()
