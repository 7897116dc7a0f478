"""Handrail: an operations console where people are guided through risky work on the records of their own databases."""

from console import moved

__version__ = "0.5.0"
moved.install()
