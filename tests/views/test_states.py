"""The colour of a state: by its word, never without it; and days that databases keep as midnights."""

from datetime import UTC, datetime
from typing import Any

import pytest

from console.views import formats, states
from console.views.formats import Kind, Look
from console.views.run import panes
from tests.tables import cases

LOOK = Look("en", "Europe/Vilnius", datetime(2026, 11, 20, 10, 30, tzinfo=UTC))
KYC = {
    "not_started": "Not started",
    "in_review": "In review",
    "pending_documents": "Pending documents",
    "approved": "Approved",
    "rejected": "Rejected",
    "expired": "Expired",
}
STATUS = Kind("kyc_status", "KYC status", "enum", KYC)


@pytest.mark.parametrize(
    ("tone", "words"),
    [
        ("good", ["approved", "accepted", "active", "paid", "signed", "solved", "succeeded", "won", "false_positive", "low", "Approved", "APPROVED"]),
        ("info", ["in_review", "In review", "in-review", "open", "onboarding", "under_review", "new", "received"]),
        ("warn", ["pending", "pending_documents", "Pending customer", "expired", "held", "needs_more", "needs_response", "requires_action", "medium", "restricted"]),
        ("bad", ["rejected", "failed", "refused", "blocked", "lost", "true_match", "high", "prohibited"]),
        ("", ["not_started", "draft", "closed", "archived", "superseded", "person", "", "  ", "approved!", "не одобрено", "pendingdocuments"]),
    ],
)  # fmt: skip
def test_each_word_has_its_tone(tone: str, words: list[str]) -> None:
    assert {word: states.tone(word) for word in words} == dict.fromkeys(words, tone)


@cases(
    ("value", "cell"),
    [
        ("approved", '<td data-l="KYC status"><span class="badge good">Approved</span></td>'),
        ("in_review", '<td data-l="KYC status"><span class="badge info">In review</span></td>'),
        ("pending_documents", '<td data-l="KYC status"><span class="badge warn">Pending documents</span></td>'),
        ("expired", '<td data-l="KYC status"><span class="badge warn">Expired</span></td>'),
        ("rejected", '<td data-l="KYC status"><span class="badge bad">Rejected</span></td>'),
        ("not_started", '<td data-l="KYC status"><span class="badge ">Not started</span></td>'),
        ("<b>new</b>", '<td data-l="KYC status"><span class="badge ">&lt;b&gt;new&lt;/b&gt;</span></td>'),
        (None, '<td class="e" data-l="KYC status">–</td>'),
        ("", '<td class="e" data-l="KYC status">–</td>'),
    ],
)
def test_the_cell_of_a_state_is_a_badge_with_the_word(value: Any, cell: str) -> None:
    write = states.cell(STATUS, LOOK)
    assert write(value) == cell
    assert write(value) == cell, "the same when it comes again"


def test_a_very_long_word_is_cut() -> None:
    assert states.cell(Kind("s", "S"), LOOK)("x" * 5000).count("x") == formats.CELL_LENGTH - 1


@pytest.mark.parametrize(
    "what", [Kind("kind", "Kind", "enum", {"person": "Person", "company": "Company"}), Kind("k", "K", "enum", {"a": "A"})]
)
def test_a_kind_is_no_state_and_stays_text(what: Kind) -> None:
    word = next(iter(what.options))
    assert states.cell(what, LOOK)(word) == formats.cell(what, LOOK)(word)
    assert "badge" not in states.badge(what, word, LOOK)


@cases("value", [None, "", 3, True, ["approved"], {"a": 1}])
def test_what_is_no_word_is_drawn_as_ever(value: Any) -> None:
    assert states.badge(STATUS, value, LOOK) == formats.html(STATUS, value, LOOK)
    assert states.cell(STATUS, LOOK)(value) == formats.cell(STATUS, LOOK)(value)


def test_the_panel_of_a_run_and_its_tables_show_the_state_as_a_badge() -> None:
    fields = [{"name": "kyc_status", "label": "KYC status", "type": "enum", "options": [{"value": "approved", "label": "Approved"}]}]
    record = {"fields": fields, "values": {"kyc_status": "approved"}, "sections": []}
    (section,) = panes.sections(record, LOOK, {"kyc_status": "rejected"}, "kyc_status")
    assert section.lines[0].shown == '<span class="badge good">Approved</span>'
    assert section.lines[0].since == '<span class="badge bad">rejected</span>'
    assert "badge" not in panes.sections(record, LOOK)[0].lines[0].shown
    screen = {
        "tables": [
            {
                "label": "T",
                "collection": "customer",
                "columns": fields,
                "rows": [{"key": "1", "title": "A", "values": {"kyc_status": "approved"}}],
            }
        ]
    }
    for known, drawn in (({"customer": "kyc_status"}, True), ({"other": "kyc_status"}, False), ({}, False)):
        assert ("badge good" in panes.tables(screen, LOOK, known)[0].rows[0][2]) is drawn


# -- days


@cases(
    ("value", "words"),
    [
        ("2026-11-20T00:00:00Z", "today"),
        ("2026-11-20T00:00:00.000000+00:00", "today"),
        ("2026-11-19T22:00:00Z", "today"),
        ("2026-11-19T00:00:00Z", "yesterday"),
        ("2026-11-21T00:00:00Z", "tomorrow"),
        ("2026-11-18T00:00:00Z", "18 Nov 2026"),
        ("2021-11-23T00:00:00Z", "23 Nov 2021"),
        ("9999-12-31T00:00:00Z", "31 Dec 9999"),
        ("2026-11-20T00:30:00Z", "10 hours ago"),
        ("2026-11-20T00:00:01Z", "10 hours ago"),
        ("2026-11-20T10:29:50Z", "just now"),
    ],
)  # fmt: skip
def test_a_midnight_is_a_day_and_every_other_moment_a_moment(value: str, words: str) -> None:
    drawn = str(formats.html(Kind("f", "F", "datetime"), value, LOOK))
    assert f">{words}</time>" in drawn
    assert "title=" in drawn


def test_a_day_is_that_of_the_date_that_was_meant_wherever_it_is_read() -> None:
    far = Look("en", "America/Los_Angeles", LOOK.now)
    assert ">today<" in formats.html(Kind("f", "F", "datetime"), "2026-11-20T00:00:00Z", far)
    assert ">21 Nov 2026<" not in formats.html(Kind("f", "F", "datetime"), "2026-11-20T00:00:00Z", far)
    assert "UTC" in formats.html(Kind("f", "F", "datetime"), "2026-11-20T00:00:00Z", far)


def test_a_short_code_has_the_colour_of_what_it_means() -> None:
    what = Kind("state", "State", "enum", options={"A": "Active", "R": "Rejected", "low": "High"})
    assert [states.tone_of(what, code) for code in ("A", "R", "low")] == ["good", "bad", "good"]
