"""Handrail: an operations console where people are guided through risky work on the records of their own databases."""

__version__ = "0.5.0"
