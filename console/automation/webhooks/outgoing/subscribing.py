"""Adding, changing and removing outgoing webhooks: who may, for whom they act, and what is wrong with an address."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log
from console.auth import access, accounts
from console.automation.webhooks.outgoing import event_types, subscription_rows
from console.automation.webhooks.outgoing.readable_events import NEED
from console.automation.webhooks.outgoing.subscription_rows import (
    Subscription,
    deliveries,
    open_column,
    origin_of,
    row_of,
    seal_column,
    stored,
    stored_all,
    table,
)
from console.core import expressions
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, IntegrationError, Invalid, NotAllowed, NotFound
from console.core.expressions import ExpressionError
from console.core.seen_before import mark, require_unchanged
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id
from console.infra.outbound import net
from console.log import event_lists

PREFIX, SECRET_BYTES = "whsec_", 32
BOTH_SIGN = timedelta(days=1)
"""So long the former secret signs beside the new one."""
LONGEST_URL = 2_000
MOST_EVENTS, MOST = 100, 100
READ = frozenset({"url", "events", "filter", "run_as"})
"""What decides what is sent, and where to."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a webhook is to be. `run_as` is the address of a service account whose rights decide; without one they are those of whoever saves it."""

    url: str
    events: Sequence[str]
    filter: str | None = None
    enabled: bool = True
    run_as: str | None = None


def every(actor: Actor) -> Sequence[Subscription]:
    """All webhooks, the oldest first. Raises NotAllowed."""
    access.require(actor, None, *NEED)
    return stored_all()


def subscription(actor: Actor, webhook_id: str) -> Subscription:
    """One of them. Raises NotAllowed, NotFound."""
    access.require(actor, None, *NEED)
    webhook = stored(webhook_id.replace("\0", ""))
    if webhook is None:
        raise NotFound("There is no such webhook any more.")
    return webhook


def run_as_of(webhook: Subscription) -> str | None:
    """The address of the service account that it acts for; None where it acts for a person."""
    rows = fetch("select email from console.person where id = %s and kind = 'service'", (webhook.acts_for,))
    return rows[0][0] if rows else None


def speaks_for(actor: Actor, webhook: Subscription) -> bool:
    """Whether the actor is whom it acts for, or may use the service account: only they send anything through it, and read what is answered."""
    if webhook.acts_for == actor.id:
        return not _narrowed(actor)
    account = run_as_of(webhook)
    try:
        accounts.require_use(actor, account or "")
    except NotAllowed:
        return False
    return account is not None


def require_speaks_for(actor: Actor, webhook_id: str) -> Subscription:
    """The webhook. Raises NotAllowed unless the actor speaks for it, NotFound."""
    webhook = subscription(actor, webhook_id)
    if not speaks_for(actor, webhook):
        raise NotAllowed(
            "The webhook acts for somebody else: save it as yours first, then it sends what you may read.",
            code="acts_for_another",
            need=NEED,
        )
    return webhook


def add(actor: Actor, wanted: Wanted) -> tuple[Subscription, str]:
    """(the webhook, its secret, shown this once). It begins with what happens from now on. Raises NotAllowed, Invalid with a detail per field."""
    access.require(actor, None, *NEED)
    acts_for = _acts_for(actor, wanted.run_as)
    _check(wanted)
    ident, secret = new_id("whk"), _fresh_secret()
    with transaction() as connection:
        connection.execute(sa.text("select pg_advisory_xact_lock(hashtextextended('webhooks', 0))"))
        if connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() >= MOST:
            raise Conflict(f"There are {MOST} webhooks already: remove one first.", code="too_many")
        values = {
            "id": ident,
            "url": seal_column(ident, "url", wanted.url),
            "secret": seal_column(ident, "secret", secret),
            "cursor": event_lists.reached().pos,
        }
        connection.execute(
            sa.insert(table).values(
                **values, **_columns(wanted), enabled=wanted.enabled, made_by=actor.id, acts_for=acts_for
            )
        )
        note(actor, connection, ident, "added", acts_for, wanted)
    return subscription(actor, ident), secret


def terms(webhook: Subscription) -> dict[str, Any]:
    """What somebody has set, of which a form sends the `mark`."""
    return {name: getattr(webhook, name) for name in ("url", "events", "filter", "enabled")} | {
        "run_as": run_as_of(webhook)
    }


def change(
    actor: Actor, webhook_id: str, given: Mapping[str, Any], *, seen: str | None = None
) -> Subscription:
    """Change what is named in `given` (fields of `Wanted`). Who changes what is sent, or switches it on, becomes whom it acts for, unless it is a service account's.

    Switched on again it goes on where it was; nothing is left out. `seen` is the `mark` of the `terms` that a form showed.
    Raises NotAllowed, NotFound, Invalid with a detail per field, Conflict where somebody else changed it since, or at the same moment.
    """
    former = subscription(actor, webhook_id)
    before = terms(former)
    wanted = Wanted(**(before | dict(given)))
    after = {
        "url": wanted.url,
        "events": tuple(wanted.events),
        "filter": wanted.filter or None,
        "enabled": wanted.enabled,
        "run_as": wanted.run_as or None,
    }
    fields = sorted(name for name in given if after[name] != before[name])
    switched_on = bool(given.get("enabled")) and (not former.enabled or former.stopped is not None)
    taken_over = {*given} & READ or switched_on
    acts_for = _acts_for(actor, wanted.run_as) if taken_over else former.acts_for
    if taken_over:
        _check(wanted)
    with transaction() as connection:
        _require_row(connection, sa.select(table).where(table.c.id == former.id).with_for_update())
        require_unchanged(seen or mark(before), terms(subscription(actor, webhook_id)), after)
        values: dict[str, Any] = {
            "url": seal_column(former.id, "url", wanted.url),
            **_columns(wanted),
            "enabled": wanted.enabled,
            "acts_for": acts_for,
        }
        if switched_on or {"url", "run_as"} & {*fields} or acts_for != former.acts_for:
            values |= {"stopped": None, "problem": None, "problem_at": None, "refused": 0}
            column = deliveries.c
            at_once = sa.update(deliveries).where(column.webhook == former.id, column.status == "waiting")
            connection.execute(at_once.values(due_at=log.now(), tries=0))
        subscription_rows.update(connection, former.id, **values)
        if fields or switched_on or acts_for != former.acts_for:
            only_switched = not {*fields} - {"enabled"} and acts_for == former.acts_for
            kind = ("on" if wanted.enabled else "off") if only_switched else "changed"
            note(actor, connection, former.id, kind, acts_for, wanted, fields)
    return subscription(actor, former.id)


def renew_secret(actor: Actor, webhook_id: str) -> tuple[Subscription, str]:
    """(the webhook, its new secret, which is shown only now). For a day deliveries are signed with the former one too. Raises NotAllowed, NotFound."""
    webhook = require_speaks_for(actor, webhook_id)
    secret = _fresh_secret()
    with transaction() as connection:
        row = _require_row(connection, sa.select(table).where(table.c.id == webhook.id).with_for_update())
        former = seal_column(webhook.id, "former_secret", open_column(webhook.id, "secret", row.secret))
        values = {
            "secret": seal_column(webhook.id, "secret", secret),
            "former_secret": former,
            "former_until": log.now() + BOTH_SIGN,
        }
        subscription_rows.update(connection, webhook.id, **values)
        note(actor, connection, webhook.id, "secret", webhook.acts_for)
    return webhook, secret


def remove(actor: Actor, webhook_id: str) -> None:
    """Remove it with its deliveries; what waits is not sent. Raises NotAllowed, NotFound."""
    webhook = subscription(actor, webhook_id)
    with transaction() as connection:
        removed = sa.delete(table).where(table.c.id == webhook.id).returning(table)
        gone = row_of(_require_row(connection, removed))
        note(actor, connection, gone.id, "removed", gone.acts_for, Wanted(gone.url, gone.events, gone.filter))


def _require_row(connection: sa.Connection, statement: sa.Executable) -> sa.Row[Any]:
    if (row := connection.execute(statement).first()) is None:
        raise NotFound("There is no such webhook any more.")
    return row


def _fresh_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _columns(wanted: Wanted) -> dict[str, Any]:
    return {"events": list(wanted.events), "filter": (wanted.filter or "").strip() or None}


def _narrowed(actor: Actor) -> bool:
    """Whether the actor's key leaves something out: what is sent would go past it."""
    if actor.key_id is None:
        return False
    scopes = access.narrowing.of_key(actor.key_id)
    return not (scopes.acts is None and scopes.collections is None and scopes.workflows is None)


def _acts_for(actor: Actor, run_as: str | None) -> str:
    """The id of whom the webhook acts for, who may read the log now. Raises NotAllowed, Invalid."""
    if run_as and run_as.strip().lower() != actor.email:
        try:
            accounts.require_use(actor, run_as)
        except NotAllowed as error:
            words = f"Sending as {run_as} needs the right to use that account. An admin can grant it."
            raise NotAllowed(words, need=error.need, code="no_use_of_account") from None
        try:
            account = accounts.service_account(run_as)
            access.require(account, None, "activity", "read")
        except (NotFound, NotAllowed):
            raise _wrong(
                {"run_as": "No open service account has this address and may read the activity log."}
            ) from None
        return account.id
    if _narrowed(actor):
        raise NotAllowed(
            "This key leaves something out, and what a webhook sends would go past it: take a key without limits, or name a service account in run_as.",
            code="narrowed_key",
            need=NEED,
        )
    access.require(actor, None, "activity", "read")
    return actor.id


def _wrong(reasons: Mapping[str, str]) -> Invalid:
    return Invalid(
        "The webhook was not saved.",
        details=list(reasons.items()),
    )


def _check(wanted: Wanted) -> None:
    reasons = {
        "url": _wrong_url(wanted.url),
        "events": _wrong_events(wanted.events),
        "filter": _wrong_filter((wanted.filter or "").strip()),
    }
    found = {field: reason for field, reason in reasons.items() if reason}
    if found:
        raise _wrong(found)


def _wrong_url(url: str) -> str | None:
    if not url:
        return "Enter the address to which the events go, such as https://hooks.example.com/handrail."
    if len(url) > LONGEST_URL:
        return f"At most {LONGEST_URL:,} characters."
    try:
        net.judge(url)
    except IntegrationError as error:
        return error.message
    return None


def _wrong_events(events: Sequence[str]) -> str | None:
    if not events or len(events) > MOST_EVENTS:
        return f"Choose 1 to {MOST_EVENTS} events, or everything in the activity log."
    if event_types.EVERY in events:
        return None if len(events) == 1 else "* stands for all of them: name nothing beside it."
    unknown = [name for name in events if name not in event_types.TYPES]
    if unknown:
        return f"There is no event {unknown[0][:100]}. Events are called as in the activity log, with a dot: run.completed, record.updated."
    return None if len(set(events)) == len(events) else "An event is named twice."


def _wrong_filter(text: str) -> str | None:
    if not text:
        return None
    try:
        strange = sorted({str(path[0]) for path in expressions.paths(expressions.parse(text))} - {"event"})
    except ExpressionError as error:
        return error.message
    return (
        f"{strange[0]} is not known here: a filter looks at event alone, such as event.workflow == 'kyc-review'."
        if strange
        else None
    )


def note(
    actor: Actor,
    connection: Connection,
    webhook_id: str,
    done: str,
    acts_for: str,
    wanted: Wanted | None = None,
    fields: Sequence[str] = (),
    delivery: str = "",
) -> None:
    """Write down what somebody did with a webhook: `done` added, removed, changed, on, off, secret, tested or sent_again (the `delivery`)."""
    data: dict[str, Any] = {"webhook": webhook_id, "change": done, "person": acts_for}
    hidden: dict[str, Any] = {}
    if wanted is not None:
        data["events"] = list(wanted.events)
        hidden = {"url": origin_of(wanted.url)} | ({"filter": wanted.filter} if wanted.filter else {})
    if fields:
        data["fields"] = list(fields)
    if delivery:
        data["delivery"] = delivery
    log.note(
        actor, "webhook_changed", open=data, sealed=hidden or None, chain="sys:config", connection=connection
    )


def name_of(person: str) -> str:
    """The name of whom a webhook acts for, as people read it."""
    try:
        return accounts.names({person})[person]
    except (KeyError, ConsoleError):
        return "A former colleague"
