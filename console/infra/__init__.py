"""What everything stands on: database, jobs, processes, settings, the only way out to the network, and files."""

OPEN_MODULES = frozenset(
    {
        "branding",
        "clock",
        "db",
        "diagnostics",
        "faults",
        "files",
        "jobs",
        "outbound",
        "postgres",
        "processes",
        "settings",
        "subjects",
        "subscribers",
    }
)
