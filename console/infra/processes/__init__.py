"""Who starts and ends whom: the supervisor, and how its children end with it."""

OPEN_MODULES = frozenset({"parent", "stuck_bodies", "supervisor"})
