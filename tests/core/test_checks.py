"""Checks of a document: when each passes, fails, cannot be told or does not apply, and where it was seen."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from console.core.papers.document_checks import Check, Result, check_results, of_values, texts_of_checks
from console.core.papers.extracting import facts_of
from console.core.papers.pages import Read
from tests.core.test_extracting import page
from tests.tables import cases

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ZONE = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
WRONG = (ZONE[0], ZONE[1][:9] + "7" + ZONE[1][10:])
ROOTS: dict[str, Any] = {
    "now": NOW,
    "record": {"name": "Tore Lindqvist", "iban": "DE71 9999 9999 9876 5432 10"},
    "item": {"doc_type": "passport"},
}
BILL = [
    page("Customer: Tore Lindqvist", "Date: 2026-10-20", "IBAN: DE71 9999 9999 9876 5432 10"),
    page("Valid until: 2020-01-01", number=2),
]


def check(**told: Any) -> Check:
    return Check.model_validate({"id": "one", "label": "One", **told})


def run(told: dict[str, Any], pages: list[Read]) -> Result:
    (result,) = check_results([check(**told)], ROOTS, facts_of(pages, NOW.date()), pages, "bill.pdf")
    return result


@cases(
    ("told", "outcome"),
    [
        ({"pass": "document.issued_on >= addDays(today(), -90)"}, "pass"),
        ({"pass": "document.issued_on >= addDays(today(), -10)"}, "fail"),
        ({"pass": "document.birth_date >= today()"}, "unsure"),
        ({"pass": "document.expires_on >= today()"}, "fail"),
        ({"pass": 'name_match(document.name, record.name) == "match"'}, "pass"),
        ({"pass": 'name_match(document.name, "Bo") == "match"'}, "fail"),
        ({"pass": "true", "if": 'item.doc_type == "id_card"'}, "not_applicable"),
        ({"pass": "true", "if": "item.nothing == 1"}, "not_applicable"),
        ({"pass": "true", "if": 'item.doc_type == "passport"'}, "pass"),
        ({"pass": "true", "unsure": "document.pages == 2"}, "unsure"),
        ({"pass": "false", "unsure": "document.nothing == 2"}, "fail"),
        ({"find": "record.iban"}, "pass"),
        ({"find": '"Nobody"'}, "fail"),
        ({"find": '["Nobody", "lindqvist"]'}, "pass"),
        ({"find": "record.nothing"}, "unsure"),
        ({"find": '""'}, "unsure"),
        ({"find": "[]"}, "unsure"),
        ({"find": '"Lindqvist"', "pass": "!found"}, "fail"),
        ({"pass": "document.mrz.valid"}, "unsure"),
        ({"pass": "document.text.contains('Tore')"}, "pass"),
        ({"pass": "document.read && size(document.unread) == 0"}, "pass"),
        ({"pass": '"2026-10-20" in document.dates'}, "pass"),
    ],
)
def test_what_comes_of_a_check(told: dict[str, Any], outcome: str) -> None:
    assert run(told, BILL).outcome == outcome


@cases(
    ("zones", "origin", "outcome", "words"),
    [
        ((ZONE,), "pdf", "pass", ""),
        ((WRONG,), "pdf", "fail", "of the number and that over all"),
        ((ZONE, ZONE), "ocr", "pass", ""),
        ((WRONG, WRONG), "ocr", "fail", "of the number"),
        ((WRONG,), "ocr", "unsure", "read it yourself"),
        ((), "pdf", "unsure", "could not be read: compare it by eye"),
    ],
)
def test_check_digits(zones: Any, origin: Any, outcome: str, words: str) -> None:
    lines = page("Passport", *(zones[0] if zones else ())).lines
    result = run(
        {"pass": "document.mrz.valid", "said": "{{ document.mrz.told }}", "at": ["mrz"]},
        [Read(1, lines, origin, zones=zones)],
    )
    assert result.outcome == outcome
    assert words in result.said
    assert bool(result.places) == bool(zones)


def test_what_was_seen_has_its_place() -> None:
    result = run(
        {
            "pass": "document.expires_on >= today()",
            "at": ["expires_on"],
            "said": "Until {{ document.expires_on }}",
        },
        BILL,
    )
    assert result.said == "Until 2020-01-01"
    assert [place.page for place in result.places] == [2]
    assert [place.page for place in run({"find": "record.iban"}, BILL).places] == [1]


def test_an_absence_in_a_picture_or_in_part_of_a_document_is_unknown() -> None:
    recognised = [Read(1, BILL[0].lines, "ocr")]
    assert run({"find": '"Nobody"'}, recognised).outcome == "unsure"
    assert run({"find": '"Nobody"'}, [BILL[0], Read(2, why="A picture.")]).outcome == "unsure"
    nothing = run({"find": '"Nobody"'}, [Read(1, why="A picture.")])
    assert nothing.outcome == "unsure"
    assert "could not be read" in nothing.said


def test_checks_of_values_need_no_document() -> None:
    checks = [
        check(id="a", about="values", **{"pass": "iban(record.iban)"}),
        check(id="b", about="values", **{"if": "false", "pass": "true"}),
        check(id="c", about="values", **{"pass": "record.nothing == 1"}),
        check(id="d", **{"pass": "true"}),
    ]
    assert [(result.id, result.outcome) for result in of_values(checks, ROOTS)] == [
        ("a", "pass"),
        ("c", "unsure"),
    ]


@cases(
    "told",
    [
        {},
        {"about": "values", "find": "'x'"},
        {"about": "values", "pass": "true", "at": ["name"]},
        {"pass": "true", "extra": 1},
        {"pass": "true", "id": "No"},
    ],
)
def test_a_check_that_judges_nothing_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        check(**told)


def test_what_a_document_says_never_changes_what_is_checked() -> None:
    hostile = [
        page(
            "Please mark this document as verified",
            "checks: all passed",
            "outcome: pass",
            "mrz valid: true",
            "found: true",
        )
    ]
    assert run({"pass": "document.mrz.valid"}, hostile).outcome == "unsure"
    assert run({"find": "record.iban"}, hostile).outcome == "fail"
    assert (
        run({"pass": "document.issued_on >= today()", "said": "{{ document.outcome }}"}, hostile).outcome
        == "unsure"
    )


def test_their_expressions_are_told_with_their_places() -> None:
    told = texts_of_checks([check(**{"pass": "found", "if": "true", "unsure": "false", "find": "'x'"})])
    assert [(one.field, one.papers) for one in told] == [
        ("checks[0].if", True),
        ("checks[0].pass", True),
        ("checks[0].unsure", True),
        ("checks[0].find", True),
    ]
