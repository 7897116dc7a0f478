"""Copying to a team the roles and inboxes of another one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from console.auth import access
from console.auth.access import Row, policy_store
from console.auth.access.rows import line
from console.auth.accounts import authority, teamwork
from console.core.actor import Actor
from console.core.errors import Invalid
from console.workflows import inboxes

LONGEST_INBOX = 60


@dataclass(frozen=True, slots=True)
class Copy:
    """What copying would give a team: rules as policy lines, inboxes by title, and sentences on what cannot be copied."""

    rules: tuple[str, ...]
    inboxes: tuple[str, ...]
    left: tuple[str, ...]


def copied(actor: Actor, source: str, to: str) -> Copy:
    """What `copy` would give to the team `to`. Raises NotAllowed, NotFound, Invalid for the same team."""
    access.require(actor, None, *authority.NEED)
    access.require(actor, None, "policy", "manage")
    _different(teamwork.team(actor, source).id, teamwork.team(actor, to).id)
    rules, documents, left = _plan(source, to, access.all_rows())
    return Copy(
        tuple(line(row) for row in rules), tuple(document["title"] for document in documents), tuple(left)
    )


def copy(actor: Actor, source: str, to: str) -> Copy:
    """Give team `to` the role rights of team `source`, and inboxes like its own. Cannot be undone as a whole. Raises as `copied`."""
    _different(source, to)
    with authority.changing(actor) as connection:
        if actor.kind != "system":
            access.require(actor, None, "policy", "manage")
        teamwork.require_team(connection, source)
        teamwork.require_open(connection, to)
        rules, documents, left = _plan(source, to, policy_store.rows_of(connection))
        if rules:
            policy_store.write(connection, added=rules, by=actor.id)
        data = {
            "copied_from": source,
            "added": len(rules),
            "inboxes": [document["id"] for document in documents],
        }
        teamwork.note_change(
            actor,
            connection,
            to,
            ["rights", "inboxes"],
            told=data,
            new={"rules": [line(row) for row in rules]},
        )
    inboxes.import_all(documents, by=actor)
    return Copy(
        tuple(line(row) for row in rules), tuple(document["title"] for document in documents), tuple(left)
    )


def _plan(source: str, to: str, rows: Sequence[Row]) -> tuple[list[Row], list[dict[str, Any]], list[str]]:
    """Rules of roles in the team, its inboxes as documents, and what cannot be copied."""
    known = {inbox.id for inbox in inboxes.all_inboxes()}
    theirs = inboxes.used_by(source)
    renamed = {document.id: _inbox_id(document.id, source, to) for document in theirs}
    there = set(rows)
    rules = [
        Row(
            row.ptype,
            row.sub,
            f"t:{to}",
            f"inbox:{renamed[row.obj[6:]]}"
            if row.obj[:6] == "inbox:" and row.obj[6:] in renamed
            else row.obj,
            row.act,
            row.eft,
            row.expression,
        )
        for row in rows
        if row.dom == f"t:{source}" and row.sub.startswith("role:")
    ]
    documents: list[dict[str, Any]] = [
        {
            "id": renamed[document.id],
            "title": document.title,
            "help": document.help,
            "team": to,
            "roles": list(document.roles),
        }
        for document in theirs
        if renamed[document.id] not in known
    ]
    left = [
        f"{document.title} gets what is handed on; records come by themselves only to the team of {document.source.workflow}."
        for document in theirs
        if document.source
    ]
    return [row for row in rules if row not in there], documents, left


def _inbox_id(ident: str, source: str, to: str) -> str:
    plain = ident.removesuffix(f"-{source.replace('_', '-')}")
    return f"{plain}-{to.replace('_', '-')}"[:LONGEST_INBOX].strip("-")


def _different(source: str, to: str) -> None:
    if source == to:
        raise Invalid("A team is copied from another one.", at=("source", "takes another team"))
