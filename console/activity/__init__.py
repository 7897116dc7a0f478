"""The activity log as people and auditors meet it: its list, exports, the proof, where checkpoints are delivered, and the order of events."""

from console.activity.event_list import (
    LOOKS,
    WITHIN_STEPS,
    ActivityPage,
    ActivityRow,
    Reader,
    count_since,
    label_of_run,
    mask_rows,
    on_record,
    page,
    parse_query,
    reader_of_log,
)

OPEN_MODULES = frozenset(
    {"archive", "checkpoint_delivery", "exports", "filters", "handed_in", "integrity", "proof", "sequencing"}
)
