"""Keeping an installation well: health, doctor, status, backup and restore, retention and erasure."""

__all__ = ["backup", "copies", "doctor", "erasure", "health", "restore", "retention", "status"]
