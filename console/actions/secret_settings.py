"""Secrets that steps and actions show to other systems: set and removed by who may manage data sources, and never shown again."""

import re
from dataclasses import dataclass

import sqlalchemy as sa

from console import actions, log, workflows
from console.auth import access, accounts
from console.core.actor import Actor
from console.core.errors import Invalid, NotFound
from console.infra.db import tables
from console.infra.db.engine import fetch, transaction
from console.infra.outbound import kept_channels, outgoing_secrets
from console.infra.outbound.outgoing_secrets import KnownSecret

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
HOST = re.compile(
    r"(?=.{1,253}(?::|$))[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[0-9]{1,5})?"
)
SHORTEST, LONGEST = 8, 4000
MOST_HOSTS = 20


@dataclass(frozen=True, slots=True)
class SecretLine:
    """A secret in the list: without its text, with who set it and the workflows and actions that name it."""

    secret: KnownSecret
    by: str
    used_by: tuple[str, ...]


def list_secrets(actor: Actor) -> list[SecretLine]:
    """Every secret by name. Raises NotAllowed."""
    require_manager(actor)
    known, users = outgoing_secrets.all_secrets(), _users(actor)
    names = accounts.names({secret.changed_by for secret in known if secret.changed_by})
    return [
        SecretLine(secret, names.get(secret.changed_by or "", ""), tuple(users.get(secret.name, ())))
        for secret in known
    ]


def missing(actor: Actor) -> dict[str, tuple[str, ...]]:
    """Names of secrets that are not there → what names them. Raises NotAllowed."""
    require_manager(actor)
    there = {secret.name for secret in outgoing_secrets.all_secrets()}
    return {name: tuple(users) for name, users in sorted(_users(actor).items()) if name not in there}


def require_manager(actor: Actor) -> None:
    """Raise NotAllowed without the right to manage data sources; the command line is trusted."""
    if actor.kind != "system":
        access.require(actor, None, "source", "manage")


def _users(actor: Actor) -> dict[str, list[str]]:
    """Name of a secret → titles of the actions and live workflows that name it, and the SMS gateway, as far as the actor may know of them."""
    found: dict[str, list[str]] = {}
    for action in actions.list_actions():
        for name in sorted({getattr(effect, "secret", None) or "" for effect in action.effects} - {""}):
            found.setdefault(name, []).append(action.title)
    gateway = kept_channels.kept_for("sms").gateway
    for name in sorted(set(gateway.secrets)) if gateway is not None else ():
        found.setdefault(name, []).append("SMS gateway")
    hidden = access.hidden_from(actor)
    for workflow, number in fetch(
        "select id, live_version from console.workflow where live_version is not null and not 'workflow:' || slug = any(%s) order by title",
        (hidden,),
    ):
        document = workflows.version(workflow, number).document
        configs = [step.config for step in document.steps if step.type == "action"]
        for name in sorted(
            {
                str(config.get("secret") or (config.get("effect") or {}).get("secret") or "")
                for config in configs
            }
            - {""}
        ):
            found.setdefault(name, []).append(document.title)
    return found


def save(actor: Actor, name: str, text: str, hosts: str) -> None:
    """Set a secret, or its hosts alone where `text` is empty and it is there. `hosts`: with commas, blanks or lines between.

    Raises NotAllowed, and Invalid with a detail on `name`, `text` or `hosts`.
    """
    require_manager(actor)
    table = tables.outgoing_secret
    wanted = list(dict.fromkeys(part for part in re.split(r"[\s,]+", hosts.lower()) if part))
    details = []
    if not NAME.fullmatch(name):
        details.append(
            {
                "field": "name",
                "reason": "A name begins with a small letter and has small letters, digits and _ only, at most 64.",
            }
        )
    if text and not (
        SHORTEST <= len(text) <= LONGEST and text.isascii() and text.isprintable() and " " not in text
    ):
        details.append(
            {
                "field": "text",
                "reason": f"A secret has {SHORTEST} to {LONGEST:,} plain characters without blanks.",
            }
        )
    if not wanted:
        details.append(
            {"field": "hosts", "reason": "Say where it may go: at least one host, such as api.bank.example."}
        )
    elif wrong := [host for host in wanted if not HOST.fullmatch(host)]:
        details.append(
            {
                "field": "hosts",
                "reason": f"{wrong[0]} is no host: write it without https:// and path, such as api.bank.example.",
            }
        )
    elif len(wanted) > MOST_HOSTS:
        details.append({"field": "hosts", "reason": f"At most {MOST_HOSTS} hosts."})
    with transaction() as connection:
        former = (
            connection.execute(sa.select(table.c.hosts).where(table.c.name == name).with_for_update()).first()
            if not details
            else None
        )
        if not text and former is None and not any(detail["field"] == "text" for detail in details):
            details.append({"field": "text", "reason": "Write the secret."})
        if details:
            raise Invalid(f"Nothing was saved: {details[0]['reason']}", details=details)
        if former is not None and not text and set(wanted) - set(former.hosts):
            reason = "Write the secret once more to let it go to another host."
            raise Invalid(f"Nothing was saved: {reason}", at=("text", reason))
        row = {"hosts": wanted, "changed_by": actor.id, "changed_at": log.now()} | (
            {"sealed": outgoing_secrets.seal(name, text)} if text else {}
        )
        if former is None:
            connection.execute(sa.insert(table).values(name=name, **row))
        else:
            connection.execute(sa.update(table).where(table.c.name == name).values(**row))
        fields = [
            *(["text"] if text else []),
            *(["hosts"] if former is None or list(former.hosts) != wanted else []),
        ]
        log.note(
            actor,
            "secret_changed",
            open={"name": name, "hosts": wanted, "fields": fields, "added": former is None},
            chain="sys:config",
            connection=connection,
        )


def remove(actor: Actor, name: str) -> None:
    """Remove a secret of the table. What still names it is refused from then on. Raises NotAllowed, NotFound."""
    require_manager(actor)
    with transaction() as connection:
        gone = connection.execute(
            sa.delete(tables.outgoing_secret).where(tables.outgoing_secret.c.name == name)
        ).rowcount
        if not gone:
            raise NotFound
        log.note(actor, "secret_removed", open={"name": name}, chain="sys:config", connection=connection)
