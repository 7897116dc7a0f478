"""Workflows as those who run them see them: cards, what a switch will do, incidents, metrics, alerts."""

from console.monitoring import alerts, endings, incidents, recent_activity, unable_to_start
from console.monitoring.cards import Card, automations, cards
from console.monitoring.failed_runs import read_log
from console.monitoring.late_runs import late_runs
from console.monitoring.metrics import WINDOWS, Metrics, metrics
from console.monitoring.outcomes import DayCount
from console.monitoring.switches import (
    activation,
    cancellation,
    refuse_gaps,
    require_filled,
    trial,
    trial_of_draft,
)
from console.work import approval_times, due_times

OPEN_MODULES = frozenset(
    {"alerts", "asking_runs", "incidents", "late_runs", "recent_activity", "reports", "unable_to_start"}
)
