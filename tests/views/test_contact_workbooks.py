"""Lists of contacts that come as workbooks."""

import io
import time
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
import xlsxwriter

from console.core.errors import Invalid
from console.messaging.imports import contact_files, import_batches, workbooks
from tests.views.test_contact_import import URL, club, posted, why

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.views.conftest import Pages

__all__ = ["club"]


def workbook(*sheets: list[list[Any]], hidden: int | None = None) -> bytes:
    """A workbook with these sheets of lines."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"default_date_format": "yyyy-mm-dd"}) as book:
        for number, lines in enumerate(sheets):
            sheet = book.add_worksheet()
            for row, line in enumerate(lines):
                for column, value in enumerate(line):
                    sheet.write(row, column, value)
            if number == hidden:
                sheet.hide()
        if hidden == 0:
            book.worksheets()[1].activate()
            book.worksheets()[1].set_first_sheet()
    return out.getvalue()


HEAD = ["Name", "E-mail", "Phone", "Country", "Stage"]


def test_what_a_spreadsheet_keeps_as_numbers_days_and_ticks_is_text_that_a_list_can_have() -> None:
    line = [
        "Ana, “A”\nCosta",
        351912345678,
        12.5,
        date(2026, 2, 3),
        datetime(2026, 2, 3, 4, 5, tzinfo=UTC).replace(tzinfo=None),
        True,
        None,
        1234567890123456789,
    ]
    text = workbooks.as_csv(workbook([], [HEAD], hidden=None))[0].decode()
    assert text == "Name,E-mail,Phone,Country,Stage\r\n", "an empty sheet before it is passed over"
    told = workbooks.as_csv(workbook([line]))[0].decode()
    assert (
        told
        == '"Ana, “A”\nCosta",351912345678,12.5,2026-02-03,2026-02-03 04:05:00,yes,,1.234567890123457e+18\r\n'
    ), "what has lost its last digits is not written as if it had them"
    assert workbooks.as_csv(workbook([["secret"]], [["Name"]], hidden=0))[0] == b"Name\r\n", (
        "nor is a hidden one read"
    )


def drawn(draw: "Callable[[xlsxwriter.Workbook], None]", **options: Any) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, options) as book:
        draw(book)
    return out.getvalue()


def test_a_workbook_that_looks_like_thousands_of_cells_in_a_remark_is_read_at_once() -> None:
    made, out = workbook([HEAD, ["Ana", "ana@wb.example"]]), io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(made)) as before,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for name in before.namelist():
            text = before.read(name).decode()
            after.writestr(name, text.replace("<sheetData>", f"<!--{'<row <c <f ' * 80_000}--><sheetData>"))
    begun = time.monotonic()
    assert b"ana@wb.example" in workbooks.as_csv(out.getvalue())[0]
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/sharedStrings.xml", "xl/_rels/workbook.xml.rels"])
def test_an_entity_of_a_workbook_reads_no_file_and_does_not_grow(tmp_path: "Path", part: str) -> None:
    """External entities, and those that are made of each other."""
    (tmp_path / "secret").write_text("of nobody else")
    grown = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    declared = f'<!DOCTYPE x [<!ENTITY file SYSTEM "file://{tmp_path}/secret"><!ENTITY e0 "lol">{grown}]>'
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook([["Name"], ["Ana"]]))) as book,
        zipfile.ZipFile(made, "w") as out,
    ):
        for name in book.namelist():
            text = book.read(name).decode()
            if name == part:
                begun, mark, rest = text.partition("?>")
                text = (
                    begun
                    + mark
                    + declared
                    + rest.replace("Ana", "Ana &file; &e9;").replace("Sheet1", "&file;&e9;")
                )
                assert "&file;" in text or part.endswith(".rels")
            out.writestr(name, text)
    try:
        csv, remarks = workbooks.as_csv(made.getvalue())
    except Invalid:
        return
    assert "of nobody" not in csv.decode() + "".join(remarks)
    assert len(csv) < 1000


def test_what_is_left_out_of_a_workbook_or_not_seen_in_it_is_said_before_anything_is_imported(
    club: "Pages",
) -> None:
    def draw(book: xlsxwriter.Workbook) -> None:
        people, out = book.add_worksheet("People"), book.add_worksheet("Opt-outs")
        book.add_worksheet("Empty")
        for row, line in enumerate(
            [HEAD, ["Ana", "ana@wb.example", "", "PT", "new"], ["Bo", "bo@wb.example", "", "PT", "new"]]
        ):
            people.write_row(row, 0, line)
        people.set_row(2, options={"hidden": True})
        people.write_formula(2, 2, "=B9#", None, "#REF!")
        out.write(0, 0, "ana@wb.example")

    found = import_batches.keep(club.company.olivia, "contact", io.BytesIO(drawn(draw)), "a.xlsx")
    page = club.olivia.get(f"/imports/{found.id}").text
    assert "Only the sheet “People” is read, not “Opt-outs”." in page
    assert "1 row of the sheet is hidden, as by a filter, and is read too." in page
    assert "1 cell of the sheet has an error such as #REF! or #N/A, and is read as empty." in page
    assert workbooks.as_csv(workbook([HEAD], []))[1] == [], "nothing is said of a plain one"


def test_a_workbook_is_looked_at_and_imported_like_a_file_of_lines(club: "Pages") -> None:
    content = workbook(
        [
            HEAD,
            ["Ana Costa", "ana@wb.example", 351912345678, "Portugal", "new"],
            ["Bo", "", "", "Atlantis", "new"],
        ]
    )
    token = club.olivia.get(URL).form(URL)["fields"]["csrf_token"]
    where = posted(club, URL, {"csrf_token": token, "file": (io.BytesIO(content), "leads.xlsx")})
    page = club.olivia.get(where)
    assert "1 contact can be added" in page.text
    found = import_batches.confirm(club.company.olivia, where.rpartition("/")[2])
    assert (found.new, found.refused) == (1, 1)
    assert "Atlantis" in str(why(found))


@pytest.mark.parametrize(
    "content",
    [b"PK\x03\x04 no archive", b"\xd0\xcf\x11\xe0 nothing", workbook([])],
    ids=["cut", "old", "empty"],
)
def test_what_is_no_workbook_is_refused_and_nothing_is_left_of_it(club: "Pages", content: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        import_batches.keep(club.company.olivia, "contact", io.BytesIO(content), "a.xlsx")
    assert "cannot be read as a workbook" in str(refused.value.details)
    assert contact_files.folders() == []


def test_a_workbook_that_grows_when_it_is_unpacked_is_refused_before_and_one_that_lies_at_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    large = workbook([["x" * 30_000] * 100])
    assert len(workbooks.as_csv(large)[0]) > 3_000_000
    monkeypatch.setattr(workbooks, "_read", replace(workbooks._read, memory=16 << 20))
    with pytest.raises(Invalid):
        workbooks.as_csv(large)
    monkeypatch.setattr(workbooks, "_read", None)
    monkeypatch.setattr(workbooks, "MOST_UNPACKED", 1000)
    with pytest.raises(Invalid):
        workbooks.as_csv(large)
