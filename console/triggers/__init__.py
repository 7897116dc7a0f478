"""What starts runs by itself: schedules, events of the log and of users' databases, webhooks. What fires is written down first and started after that."""

from console.triggers.awaited import wake_awaiting
from console.triggers.firing import fire, forget, pick_up
from console.triggers.following import follow_log
from console.triggers.listening import Listeners, install_sql
from console.triggers.log_events import Batch, LogEvent, chain_of, reached, read_after
from console.triggers.managing import Fired, Listed, Made, add, listed, now, renew_secret, rotate, switch
from console.triggers.schedules import fire_due
from console.triggers.source_events import look
from console.triggers.spoken_triggers import trigger_words
from console.triggers.trigger_rows import synchronise

__all__ = [
    "Batch",
    "Fired",
    "Listed",
    "Listeners",
    "LogEvent",
    "Made",
    "add",
    "chain_of",
    "fire",
    "fire_due",
    "follow_log",
    "forget",
    "install_sql",
    "listed",
    "log_events",
    "look",
    "now",
    "pick_up",
    "reached",
    "read_after",
    "renew_secret",
    "rotate",
    "switch",
    "synchronise",
    "trigger_words",
    "wake_awaiting",
    "webhooks",
]
