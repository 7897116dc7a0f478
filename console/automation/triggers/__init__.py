"""What starts runs by itself: schedules, events of the log and of users' databases, webhooks. What fires is written down first and started after that.

The worker's duties: `synchronise` (triggers of live versions as rows), `fire_due` (schedules), `follow_log` and `look` (events of the log, and of users'
databases), `Listeners` (databases that tell of changes), `pick_up`, `wake_for_sources` and `forget` (firings), `wake_awaiting` (runs that wait for an event). `fire` is the job that starts.
`wake_batch` is the job that wakes runs after changes of their records, which `pick_up_waking` puts in where one is missing. `VainWaits` are those whose record is no more.
`webhooks` takes a delivery. `listed`, `switch`, `try_waiting`, `now`, `add`, `rotate` and `renew_secret` are what people do with the triggers of a workflow, `firings_not_started` and `firings_between` what came of them; `trigger_words`, `whom_words`, `exit_words` and
`again_words` say in words what starts it, who comes in, leaves and comes again.
`started_by` says which workflows an event of a record starts. `log_events`, `reached` and `read_after` read the log's events by name, for enrolments and outgoing webhooks too. `install_sql` is for who runs a database.
"""

from console.automation.triggers.database_listener import Listeners, install_sql
from console.automation.triggers.event_waits import wake_awaiting
from console.automation.triggers.firing import (
    GOES_ROUND,
    begin_promised,
    fire,
    forget,
    pick_up,
    start_waiting,
    wake_for_sources,
)
from console.automation.triggers.firing_counts import not_started as firings_not_started
from console.automation.triggers.firing_list import FiringLine, between as firings_between
from console.automation.triggers.log_events import Batch, LogEvent, reached, read_after
from console.automation.triggers.log_follower import follow_log, judge_kept
from console.automation.triggers.orphaned_waits import VainWaits
from console.automation.triggers.schedules import fire_due
from console.automation.triggers.source_events import look
from console.automation.triggers.source_waits import pick_up as pick_up_waking, wake_batch
from console.automation.triggers.trigger_commands import (
    MOST_WAITING,
    Fired,
    Listed,
    Made,
    add,
    current_trigger,
    list_triggers,
    renew_secret,
    rotate,
    switch,
    try_waiting,
)
from console.automation.triggers.trigger_events import deferred_filters
from console.automation.triggers.trigger_labels import (
    again_words,
    example_body,
    exit_words,
    trigger_words,
    whom_words,
)
from console.automation.triggers.trigger_rows import on_if_published, started_by, synchronise
from console.automation.triggers.waiting_runs import forget_waiting, waits_about, why_not_begun

OPEN_MODULES = frozenset(
    {
        "firing",
        "log_events",
        "record_lookup",
        "refused_firings",
        "trigger_events",
        "trigger_expressions",
        "trigger_rows",
    }
)
