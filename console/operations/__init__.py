"""Keeping an installation well: health, doctor, status, backup and restore, retention and erasure."""

OPEN_MODULES = frozenset(
    {
        "backup",
        "branding_changes",
        "copies",
        "doctor",
        "erasure",
        "health",
        "restore",
        "retention",
        "status",
        "wiring",
        "worker",
    }
)
