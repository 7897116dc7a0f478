"""What can be done to records: an action on one or on many, and records added, changed and deleted by hand."""

from console.actions.one_record import check, export, import_file, listed, made_of_actions, offered, perform, sheet

__all__ = [
    "bulk",
    "bulk_starts",
    "check",
    "export",
    "hand_forms",
    "import_file",
    "left_changes",
    "listed",
    "made_of_actions",
    "offered",
    "perform",
    "record_changes",
    "secret_settings",
    "sheet",
]
