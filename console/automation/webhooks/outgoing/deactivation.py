"""Stopping a webhook by itself: an event in the log, and a notice to those who can mend it."""

from console import log
from console.auth import accounts, notify
from console.auth.access import limits
from console.automation.webhooks.outgoing import subscription_rows
from console.automation.webhooks.outgoing.subscription_rows import WHY, Stopped, Subscription
from console.core.actor import SYSTEM
from console.core.errors import ConsoleError
from console.infra.db.engine import transaction


def stop(webhook: Subscription, why: Stopped, words: str) -> None:
    """Send nothing more until somebody switches it on again; then it goes on where it stopped. Done once, whoever finds the reason."""
    with transaction() as connection:
        table = subscription_rows.table
        here = table.update().where(table.c.id == webhook.id, table.c.enabled, table.c.stopped.is_(None))
        stopped = connection.execute(
            here.values(stopped=why, problem=f"{WHY[why]} {words}".strip(), problem_at=log.now())
        ).rowcount
        if stopped:
            data = {"webhook": webhook.id, "why": why, "person": webhook.acts_for}
            log.note(SYSTEM, "webhook_stopped", open=data, chain="sys:config", connection=connection)
    if stopped:
        key = f"{webhook.id}:{log.now().isoformat()}"
        notify.notify(_people(webhook), "webhook_stopped", key, link=f"/settings/webhooks/{webhook.id}")


def _people(webhook: Subscription) -> list[str]:
    """Who made it and whom it acts for, as far as they may still look; where nobody of them may, all who manage webhooks."""
    able = [ident for ident, _ in limits.people_able(None, "webhook", "manage")]
    return [
        person
        for person in dict.fromkeys((webhook.made_by, webhook.acts_for))
        if person in able and _open(person)
    ] or able


def _open(person: str) -> bool:
    try:
        return not accounts.actor_of_person(person).service
    except ConsoleError:
        return False
