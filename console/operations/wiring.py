"""Which package hears of what happens in a lower one: the only place that subscribes. Every process that changes something calls `connect` at its start."""

from console import runs
from console.auth import accounts, notify
from console.auth.access import casbin_agreement, policy_store
from console.auth.accounts import identities
from console.automation import triggers
from console.infra.jobs import background
from console.permissions import second_admin
from console.runs.commands import cleared_notices
from console.work import notices, work_moves


def connect() -> None:
    """Subscribe; a second call changes nothing."""
    background.actor_of.subscribe(accounts.actor_of_person)
    casbin_agreement.watchers.subscribe(notices.notify_disagreement)
    identities.withheld_watchers.subscribe(notices.notify_groups_withheld)
    notify.before_change.subscribe(cleared_notices.notify_cleared)
    notify.before_change.subscribe(work_moves.free_closed)
    policy_store.watchers.subscribe(second_admin.note_given)
    runs.promised.subscribe(triggers.begin_promised)
    runs.promised_waits.subscribe(triggers.why_not_begun)
    triggers.deferred_filters.subscribe(triggers.judge_kept)
