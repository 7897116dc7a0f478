"""Workflows as those who run them see them: cards, what a switch will do, incidents, metrics, alerts."""

from console.monitoring import alerts, due_times, incidents
from console.monitoring.cards import Card, cards
from console.monitoring.failed_runs import read_log
from console.monitoring.late_runs import LateRun, late_runs
from console.monitoring.metrics import WINDOWS, Metrics, metrics
from console.monitoring.outcomes import DayCount, success_rate
from console.monitoring.switches import CHANNELS, Activation, Cancellation, activation, cancellation, require_filled, trial

__all__ = [
    "CHANNELS",
    "WINDOWS",
    "Activation",
    "Cancellation",
    "Card",
    "DayCount",
    "LateRun",
    "Metrics",
    "activation",
    "alerts",
    "cancellation",
    "cards",
    "due_times",
    "incidents",
    "late_runs",
    "metrics",
    "read_log",
    "require_filled",
    "success_rate",
    "trial",
]
