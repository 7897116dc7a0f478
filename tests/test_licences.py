"""Licences of what a release installs and serves: the page that lists them is current, and none of them asks for more than a notice."""

import re
import runpy
from pathlib import Path

SCRIPT = runpy.run_path(str(Path(__file__).parents[1] / "bin/licences"))
PERMISSIVE = {
    "0BSD",
    "Apache-2.0",
    "BSD",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "MIT-0",
    "MIT-CMU",
    "OFL-1.1",
    "PSF-2.0",
    "Unlicense",
}
IMPORTED = {"LGPL-2.1-or-later", "LGPL-3.0-only", "MPL-2.0"}
"""They ask for the source of changed files of their own: none is changed."""
BUNDLED = "dependency licenses"
"""PDFium's own libraries: FreeType, libjpeg-turbo and others under permissive licences, named in the wheel."""


def test_the_list_of_licences_is_current() -> None:
    assert SCRIPT["PAGE"].read_text(encoding="utf-8") == SCRIPT["page"](), "run bin/licences"


def test_no_licence_asks_for_more_than_a_notice_or_the_source_of_an_unchanged_package() -> None:
    rows = re.findall(r"^\| (\S+) \| (?=\d)\S+ \| (.+) \|$", SCRIPT["page"](), re.MULTILINE)
    assert len(rows) > 100
    accepted = PERMISSIVE | IMPORTED | {BUNDLED}
    refused = {
        name: text
        for name, text in rows
        if not any(
            accepted.issuperset(word.strip("() ") for word in re.split(r" AND |, | OR ", choice))
            for choice in re.split(r" OR (?![^(]*\))", text)
        )
    }
    assert refused == {}
