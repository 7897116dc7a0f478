"""Kinds of events about the life of workflows: their status, incidents, alerts and due times."""

from collections.abc import Mapping
from types import MappingProxyType

from console.core.event_kind import Kind

SWITCHED = ("activated", "paused", "resumed", "completed", "cancelled", "archived")
"""What happens to a workflow as a whole, each a kind `workflow_…`."""
REVIEWED: Mapping[str, str] = MappingProxyType(
    {
        "requested": "A second person was asked to approve the publication of a draft, as it was at that moment.",
        "changes_requested": "A second person asked for changes before a draft is published.",
        "approved": "A second person approved the publication of a draft; it was published by whoever asked.",
        "withdrawn": "Whoever asked for the publication of a draft to be approved took that back.",
        "void": "The publication of a draft could not be approved any more: another version went live meanwhile.",
    }
)
"""What happens to a request to publish, each a kind `workflow_review_…`, and when."""
MOVED_VERSION = Kind(
    "run_version_moved",
    "run",
    "The run was moved to another version of its workflow; what it has done stays as it was.",
    ("version", "former_version", "n", "former_step", "target_step"),
    ("reason",),
    move=True,
)
WORKFLOWS = (
    *(
        Kind(
            f"workflow_review_{name}",
            "configuration",
            when,
            ("workflow", "slug", "review", "draft_revision", "hash", "base", "version", "requested_by"),
            ("note", "reason"),
        )
        for name, when in REVIEWED.items()
    ),
    *(
        Kind(f"workflow_{name}", "configuration", when, ("workflow", "slug", "status", "former"), ("reason",))
        for name, when in (
            ("activated", "A workflow was switched on: runs may start."),
            ("paused", "A workflow was paused: no run starts, and timers of its runs wait."),
            (
                "resumed",
                "A paused workflow was switched on again; timers that came due meanwhile go on, the longest due first.",
            ),
            ("completed", "A workflow was completed: no run starts, the live ones go on to their end."),
            ("cancelled", "A workflow was cancelled: no run starts, and its live runs end."),
            ("archived", "A workflow was archived: it is left out of lists, and its runs can be replayed."),
        )
    ),
    Kind(
        "workflow_handed_over",
        "configuration",
        "A workflow became personal, the organisation's again, or another person's: `holder` is whose it is now, none for the organisation's.",
        ("workflow", "slug", "holder", "former_holder"),
    ),
    Kind(
        "workflows_ordered",
        "configuration",
        "Somebody chose the order in which workflows stand in lists and menus.",
        ("count",),
    ),
    Kind(
        "alert_changed",
        "configuration",
        "A rule that tells of failed or slow runs was made, changed or taken away.",
        ("workflow", "slug", "alert", "kind", "removed"),
        ("rule", "former"),
    ),
    Kind(
        "alert_raised",
        "configuration",
        "A rule told people that a run failed or takes too long, or started a workflow because of it.",
        ("workflow", "slug", "alert", "kind", "failed_run", "people", "started", "held"),
    ),
    Kind(
        "work_assigned",
        "configuration",
        "A task or approval was given to a person, or to everybody who could have it.",
        ("item", "of_run", "holder", "former_holder"),
        ("reason",),
    ),
    Kind(
        "work_moved",
        "configuration",
        "Work of a team was moved, alone or with more under the same `move`; each run has its own event too.",
        ("move", "do", "holder", "inbox", "items"),
        ("reason",),
    ),
    Kind(
        "due_time_changed",
        "configuration",
        "Within how much working time runs of a workflow or tickets of an inbox have to end was set or taken away.",
        ("workflow", "slug", "inbox", "rule", "minutes", "removed"),
        ("terms",),
    ),
    Kind(
        "due_time_reached",
        "configuration",
        "A part of the time of a run was used up, and what is to happen then was done.",
        (
            "workflow",
            "slug",
            "inbox",
            "rule",
            "late_run",
            "percent",
            "worked_seconds",
            "holder",
            "told",
            "moved_to",
        ),
    ),
    Kind(
        "approval_waited",
        "configuration",
        "An approval has waited so long that who may decide, or who stands in for them, was told.",
        ("workflow", "slug", "rule", "late_run", "approval", "minutes", "worked_seconds", "told"),
    ),
    Kind(
        "incident_closed",
        "configuration",
        "Failed runs of one cause were set aside, without doing them again.",
        ("workflow", "slug", "cause", "count"),
        ("reason",),
    ),
    Kind(
        "workflow_imported",
        "configuration",
        "A version of a workflow was read in from a file.",
        ("workflow", "slug", "version", "hash"),
    ),
    Kind(
        "workflow_published",
        "configuration",
        "A version of a workflow went live; runs under way keep theirs. `failed_tests` of its tests failed, and `reason` says why it was published.",
        ("workflow", "slug", "version", "hash", "former", "failed_tests", "review"),
        ("reason",),
    ),
    Kind(
        "workflow_tried",
        "configuration",
        "A draft was executed: kept as it was under a negative number, for runs that are marked as tests; what they do is real.",
        ("workflow", "slug", "version", "hash"),
    ),
    Kind(
        "trigger_stopped",
        "configuration",
        "A trigger would have started runs that led to themselves; so many were not started.",
        ("workflow", "trigger", "count"),
    ),
    Kind(
        "webhook_changed",
        "configuration",
        "Where events are sent outside was added, changed, switched or removed, or got a new secret; or somebody had a test, or an event once more (`delivery`), sent there.",
        ("webhook", "change", "fields", "events", "person", "delivery"),
        ("url", "filter"),
    ),
    Kind(
        "webhook_stopped",
        "configuration",
        "An outgoing webhook stopped by itself: it kept failing, or whose rights it has may not read the log any more.",
        ("webhook", "why", "person"),
    ),
)
