"""The ways out of the console: HTTP (`net`) and mail."""

__all__ = ["mail", "net"]
