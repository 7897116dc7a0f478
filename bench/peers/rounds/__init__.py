"""The Django app that the measured flow belongs to."""
