"""Cells of files that a spreadsheet program opens."""

from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""With what a text begins that a spreadsheet program may take for a formula."""


def escape_formula(cell: Any) -> Any:
    """Return the cell so that no spreadsheet program takes a text for a formula; other values as they are."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
