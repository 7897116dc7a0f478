"""A file of contacts that somebody has put together from a file in an older encoding and one in UTF-8 keeps the letters of both."""

import io

from console.contacts import contact_files
from console.db.ids import new_id
from tests.company import Company
from tests.tables import cases

HEADING = "Name;E-mail"
OLDER = [f"Jürgen Müller {number};j{number}@post.example" for number in range(40)]
NEWER = ["Jürgen Größe;a@post.example", "Łukasz Żak;b@post.example", "Ágnes “Ági” Kő;c@post.example"]


@cases("end", [b"\n", b"\r\n"])
@cases("last", [b"", b"\n"])
def test_each_line_is_read_in_its_own_encoding(company: Company, end: bytes, last: bytes) -> None:
    lines = [line.encode("cp1252") for line in (HEADING, *OLDER)] + [line.encode() for line in NEWER]
    file = contact_files.keep(new_id("enf"), company.olivia.id, io.BytesIO(end.join(lines) + last))
    assert file.encoding == "cp1252"
    read = [";".join(row.cells) for row in contact_files.rows(file, company.olivia.id)]
    assert read == [HEADING, *OLDER, *NEWER]


@cases(("part", "expected"), [(b"Caf\xe9 \xc3\xbc\n", "Café Ã¼\n"), ("Ü".encode("cp1252") + b"\n", "Ü\n"), (b"\xc3\xbc", "ü")])
def test_a_line_that_is_not_wholly_utf8_stays_what_it_is(part: bytes, expected: str) -> None:
    assert list(contact_files._lines([part[:1], part[1:]], "cp1252")) == [expected]
