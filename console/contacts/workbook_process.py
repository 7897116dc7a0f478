"""A program that reads a workbook (.xlsx, .xlsm, .xlsb, .xls, .ods) from its standard input and writes the first sheet with anything in it as CSV in UTF-8.

It runs under the limits of `console.files.confined_process` and imports nothing of the console. Formulas are their last results; a whole number has no point; days and moments
are written as ISO 8601.
"""

import csv
import io
import sys
from datetime import date, datetime, time
from typing import Any

from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum


def cell_text(value: Any) -> str:
    """One cell as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    return value.isoformat() if isinstance(value, date | time) else str(value)


def main() -> None:
    """Answer on the standard output; nothing where no sheet has anything in it."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
    out = csv.writer(io.TextIOWrapper(sys.stdout.buffer, "utf-8", errors="replace", newline=""))
    for told in book.sheets_metadata:
        if told.typ != SheetTypeEnum.WorkSheet or told.visible != SheetVisibleEnum.Visible:
            continue
        sheet = book.get_sheet_by_name(told.name)
        if sheet.height:
            out.writerows([cell_text(value) for value in row] for row in sheet.iter_rows())
            return


if __name__ == "__main__":
    main()
