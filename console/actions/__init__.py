"""What can be done to records: an action on one or on many, and records added, changed and deleted by hand."""

from console.actions.one_record import (
    check,
    export,
    fill_in,
    finish,
    import_file,
    list_actions,
    made_of_actions,
    offered,
    offered_to_add,
    perform,
    propose,
    sheet,
)

OPEN_MODULES = frozenset(
    {
        "bulk",
        "bulk_ends",
        "bulk_starts",
        "collection_actions",
        "connection_settings",
        "hand_forms",
        "many_changes",
        "many_tags",
        "record_changes",
        "secret_settings",
        "unfinished_changes",
    }
)
