"""Who starts and ends whom: the supervisor, and how its children end with it."""

__all__ = ["parent", "supervisor"]
