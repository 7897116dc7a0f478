"""Pages of records: lists, boards, one record, search, notes and tags."""

OPEN_MODULES = frozenset(
    {
        "chosen_records",
        "expiry",
        "list_filters",
        "list_preview",
        "list_tags",
        "record_actions",
        "record_forms",
        "records",
        "saved_segments",
        "reference_boxes",
    }
)
