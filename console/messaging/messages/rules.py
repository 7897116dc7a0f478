"""The rules of the house for reaching people, as an admin keeps them: hours and caps, in versions. Before the first version those in the code hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from console import log
from console.auth import access
from console.core.actor import Actor
from console.core.contact_rules import differences, document_of, problems, rules_of
from console.core.contacting import Rules
from console.core.errors import Conflict, Invalid
from console.infra.db.engine import fetch, transaction
from console.infra.db.process_cache import ProcessCache

MOST_SHOWN = 20
_NEWEST = "select version, at, by, document from console.contact_rules order by version desc limit %s"
_SAVE = sa.text(
    "insert into console.contact_rules (version, at, by, document) select :base + 1, :at, :by, cast(:document as jsonb) "
    "where :base = (select coalesce(max(version), 0) from console.contact_rules) on conflict do nothing returning version"
)


@dataclass(frozen=True, slots=True)
class RulesVersion:
    """Rules that were saved, by whom, and what they changed in words. Version 0 are those of the code, which nobody saved."""

    rules: Rules
    version: int = 0
    at: datetime | None = None
    by: str = ""
    changes: tuple[str, ...] = ()


def current() -> Rules:
    """The rules in force, at most a second old: every message asks for them."""
    return _rules.get()


def newest() -> RulesVersion:
    """The rules in force, as the table has them now."""
    return next(
        (
            RulesVersion(rules_of(document), version, at, by)
            for version, at, by, document in fetch(_NEWEST, (1,))
        ),
        RulesVersion(Rules()),
    )


_rules = ProcessCache(lambda _: newest().rules)
forget = _rules.forget


def versions() -> list[RulesVersion]:
    """The versions that were saved, newest first, at most `MOST_SHOWN`."""
    rows = [
        RulesVersion(rules_of(document), version, at, by)
        for version, at, by, document in fetch(_NEWEST, (MOST_SHOWN + 1,))
    ]
    former = [*(row.rules for row in rows[1:]), Rules()]
    return [
        RulesVersion(row.rules, row.version, row.at, row.by, tuple(differences(before, row.rules)))
        for row, before in zip(rows, former, strict=False)
    ][:MOST_SHOWN]


def require(actor: Actor) -> None:
    """Nothing, for who sets up the channels. Raises NotAllowed."""
    access.require(actor, None, "source", "manage")


def read(document: Any) -> Rules:
    """The rules that a document says. Raises Invalid with a detail for each field."""
    if wrong := problems(document):
        raise Invalid("Nothing was saved: some entries cannot be used.", details=wrong)
    return rules_of(document)


def save(actor: Actor, document: Mapping[str, Any], *, base: int) -> int:
    """Keep these rules, of which version `base` was on the screen; the number of the new version, of the old one where nothing differs.

    Messages that wait are judged by them within seconds. Raises NotAllowed, Invalid, Conflict where somebody else saved in between.
    """
    require(actor)
    wanted, before = read(document), newest()
    if before.version != base:
        raise _overtaken(before)
    changes = differences(before.rules, wanted)
    if not changes:
        return before.version
    with transaction() as connection:
        row = {
            "base": base,
            "at": log.now(),
            "by": actor.id,
            "document": orjson.dumps(document_of(wanted)).decode(),
        }
        if connection.execute(_SAVE, row).first() is None:
            raise _overtaken(newest())
        parts = [
            name for name, value in document_of(wanted).items() if value != document_of(before.rules)[name]
        ]
        log.note(
            actor,
            "contact_rules_changed",
            open={"version": base + 1, "fields": parts},
            sealed={"changes": changes},
            chain="sys:config",
            connection=connection,
        )
    forget()
    return base + 1


def _overtaken(latest: RulesVersion) -> Conflict:
    return Conflict(
        "Somebody saved these rules in the meantime. Nothing of yours was saved; what you entered is below.",
        code="overtaken",
        at=("version", f"{latest.version}"),
    )
