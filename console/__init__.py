"""Handrail: an operations console where people are guided through risky work on the records of their own databases."""

import gc

from console import moved

__version__ = "1.0.0"
moved.install()
# At its default of 700 objects Python looks for cycles for a third of the time that importing takes, and for as long as a long replay works.
gc.set_threshold(20_000, 20, 20)
