"""The guard on what a value rests on: its sources, how sure it is, the choice of the step, where it stands and why."""

from dataclasses import replace
from typing import Any

from console.core.proposal_types import FieldSpec
from tests.ai.asks import EVIL_IBAN, IBAN, ask, item, with_ticket
from tests.ai.judging import RESTORE, dropped, judged, values
from tests.tables import cases

# Sources


@cases(
    "sources, reason",
    [
        ([], "no_source"),
        (["s9"], "unknown_source"),
        (["s1", "s9"], "unknown_source"),
        (["S1"], "unknown_source"),
        ([""], "unknown_source"),
        ([1], "unknown_source"),
        ([None], "unknown_source"),
        ([["s1"]], "unknown_source"),
        ([{}], "unknown_source"),
        (["s1 "], "unknown_source"),
        (["s4"], "unknown_source"),
        (["s2"], "not_in_source"),
        (["s1"], None),
        (["s1", "s1"], None),
        (["s2", "s1"], None),
        (["s3"], None),
    ],
)
def test_every_value_cites_sources_that_were_given(sources: list[Any], reason: str | None) -> None:
    judgement = judged({**item("amount", "49.00"), "sources": sources})
    assert [drop.reason for drop in judgement.dropped] == ([reason] if reason else [])


@cases(
    "name, value",
    [
        ("reason", "late"),
        ("express", True),
        ("outcome", "approve"),
        ("letter", "Dear Greta"),
        ("order", "Greta"),
        ("checks", ["id"]),
    ],
)
def test_judgements_cite_sources_too(name: str, value: Any) -> None:
    assert dropped(judged({**item(name, value), "sources": []})) == [(name, "no_source")]
    assert dropped(judged({**item(name, value), "sources": ["s77"]})) == [(name, "unknown_source")]


def test_a_source_that_had_no_room_in_the_prompt_was_not_given() -> None:
    restore = replace(RESTORE, sent=frozenset({"s1", "s2"}))
    assert dropped(judged(item("amount", 49, "s3"), restore=restore)) == [("amount", "unknown_source")]


NOT_THERE = [
    ("amount", 77),
    ("amount", "9.9"),
    ("amount", 24.5),
    ("amount", 98),
    ("amount", "4.90"),
    ("amount", 4900),
    ("amount", 2026),
    ("amount", "234.50"),
    ("amount", 52),
    ("fee", 4),
    ("fee", 20),
    ("fee", 11),
    ("born", "1990-05-02"),
    ("born", "1990-01-05"),
    ("born", "1991-05-01"),
    ("born", "2026-11-21"),
    ("paid_at", "2026-11-02T09:31:00Z"),
    ("paid_at", "2026-11-02T09:30:00+02:00"),
    ("opens", "09:31"),
    ("opens", "21:30"),
    ("email", "greta@falk.example.org"),
    ("email", "falk@greta.example"),
    ("email", "reta@falk.example"),
    ("phone", "+370 600 12346"),
    ("phone", "+1 600 12345"),
    ("site", "https://shop.example/orders/10413"),
    ("site", "https://evil.example"),
    ("site", "https://shop.example"),
    ("order", "C-10413"),
    ("order", "C-1041"),
    ("order", "Order 77"),
    ("order", "49.01"),
    ("order", "by 21.11.2026"),
    ("order", "x@y.example"),
    ("order", "12:45"),
    ("order", EVIL_IBAN),
    ("order", "Refund of 4,900.00"),
    ("uuid", "0193463c-0000-7000-8000-000000000002"),
    ("account", EVIL_IBAN),
    ("account", "LT12 1000 0111 0100"),
    ("trusted_amount", 1234.5),
    ("trusted_amount", "89.9"),
    ("sure_express", False),
    ("sure_reason", "broken"),
    ("tags", ["C-10413"]),
    ("account", "someone else"),
]


@cases("name, value", NOT_THERE)
def test_a_value_that_stands_in_no_cited_source_is_dropped(name: str, value: Any) -> None:
    assert dropped(judged(item(name, value))) == [(name, "not_in_source")]


@cases(
    "name, value, sources",
    [
        ("amount", 1234.5, ["s1", "s3"]),
        ("email", "other@falk.example", ["s1"]),
        ("born", "2026-11-20", ["s1", "s3"]),
        ("order", "Order 89.9", ["s1"]),
        ("phone", "030 1234567", ["s3"]),
        ("fee", 12, ["s2"]),
    ],
)
def test_a_value_of_another_source_is_not_in_the_cited_ones(
    name: str, value: Any, sources: list[str]
) -> None:
    assert dropped(judged({**item(name, value), "sources": sources})) == [(name, "not_in_source")]
    assert dropped(judged(item(name, value))) == []


@cases(
    "name, value, sources, reason",
    [
        ("trusted_amount", 1234.5, ["s2"], "untrusted_source"),
        ("trusted_amount", 49, ["s2"], "untrusted_source"),
        ("trusted_amount", 1234.5, ["s2", "s1"], "not_in_source"),
        ("trusted_amount", 49, ["s2", "s1"], None),
        ("trusted_amount", 49, ["s3"], None),
        ("trusted_amount", 499, ["s1", "s2"], "not_in_source"),
        ("account", IBAN, ["s1"], None),
        ("account", IBAN, ["s2"], "untrusted_source"),
        ("account", IBAN, ["s3"], "not_in_source"),
        ("sure_reason", "late", ["s2"], "untrusted_source"),
        ("sure_reason", "late", ["s3"], "not_in_source"),
        ("sure_express", True, ["s2"], "untrusted_source"),
        ("sure_express", True, ["s3"], "not_in_source"),
        ("account", "Olivia", ["s3"], None),
        ("account", "Oliv", ["s3"], "not_in_source"),
    ],
)
def test_a_trusted_field_needs_the_value_in_a_trusted_source(
    name: str, value: Any, sources: list[str], reason: str | None
) -> None:
    judgement = judged({**item(name, value), "sources": sources})
    assert [drop.reason for drop in judgement.dropped] == ([reason] if reason else [])


@cases(
    "name, value, reason",
    [
        ("letter", "Pay at https://evil.example/pay", "untrusted_source"),
        ("letter", "See www.evil.example", "untrusted_source"),
        ("letter", "See evil.example/pay now", "untrusted_source"),
        ("letter", "Write to other@falk.example", "untrusted_source"),
        ("letter", f"Pay to {EVIL_IBAN}", "untrusted_source"),
        ("letter", "Call 030 1234567", "untrusted_source"),
        ("letter", "[our site](https://evil.example)", "untrusted_source"),
        ("letter", "Write to greta@falk.example", None),
        ("letter", f"We pay to {IBAN}", None),
        ("letter", "Call +370 600 12345", None),
        ("letter", "In 14 days, 77 euros", None),
        ("letter", "h ttps stays words", None),
        ("letter", "http : //evil.example", "untrusted_source"),
        ("letter", "data:text/html;base64,AAAA", "untrusted_source"),
        ("order", "see https://evil.example", "not_in_source"),
        ("order", "see https://shop.example/orders/10412", None),
    ],
)
def test_links_and_addresses_of_a_draft_come_from_trusted_sources(
    name: str, value: str, reason: str | None
) -> None:
    judgement = judged(item(name, value))
    assert [drop.reason for drop in judgement.dropped] == ([reason] if reason else [])


def test_a_link_of_the_customer_gets_into_no_text() -> None:
    of = with_ticket("Please look at https://falk.example/photo and at falk.example")
    for value in ("Photo: https://falk.example/photo", "https://falk.example/photo", "falk.example"):
        assert dropped(judged(item("order", value), of=of)) == [("order", "untrusted_source")]
    assert values(judged(item("site", "https://falk.example/photo"), of=of)) == {
        "site": "https://falk.example/photo"
    }


def test_references_of_a_long_text_that_lead_nowhere_are_taken_out_and_logged() -> None:
    judgement = judged(
        item("letter", "The parcel was late [s2], the fee is due [s9] and paid [s1][s77]. A [note] stays.")
    )
    assert values(judgement) == {
        "letter": "The parcel was late [s2], the fee is due and paid [s1]. A [note] stays."
    }
    assert [(drop.name, drop.reason, drop.value) for drop in judgement.dropped] == [
        ("letter", "unknown_source", "[s9]"),
        ("letter", "unknown_source", "[s77]"),
    ]
    assert judgement.code is None


# Confidence and threshold


@cases(
    "threshold, said, kept",
    [
        (t, s, ["high", "medium", "low"].index(s) <= ["high", "medium", "low"].index(t))
        for t in ("high", "medium", "low")
        for s in ("high", "medium", "low")
    ],
)
def test_what_is_below_the_threshold_is_dropped(threshold: Any, said: str, kept: bool) -> None:
    judgement = judged(item("amount", 49, confidence=said), of=ask(threshold=threshold))
    assert [drop.reason for drop in judgement.dropped] == ([] if kept else ["low_confidence"])
    assert [one.confidence for one in judgement.fields] == ([said] if kept else [])


@cases(
    "items, reasons",
    [
        ({**item("nobody", None), "sources": []}, "not_allowed"),
        ({**item("amount", "x"), "sources": []}, "wrong_type"),
        ({**item("reason", "x"), "sources": []}, "not_in_choices"),
        ({**item("amount", 9999), "sources": []}, "out_of_range"),
        ({**item("order", "x" * 99), "sources": []}, "too_long"),
        ({**item("amount", 77, confidence="low"), "sources": []}, "no_source"),
        (item("amount", 77, "s9", confidence="low"), "unknown_source"),
        (item("trusted_amount", 77, "s2", confidence="low"), "untrusted_source"),
        (item("amount", 77, "s1", confidence="low"), "not_in_source"),
        (item("amount", 49, "s1", confidence="low"), "low_confidence"),
    ],
)
def test_the_first_check_that_fails_names_the_reason(items: Any, reasons: str) -> None:
    assert [drop.reason for drop in judged(items, of=ask(threshold="high")).dropped] == [reasons]


# The choice of the step


def test_the_choice_is_apart_from_the_fields() -> None:
    judgement = judged(item("outcome", "approve", confidence="medium"), item("amount", 49))
    assert judgement.choice is not None
    assert (
        judgement.choice.name,
        judgement.choice.value,
        judgement.choice.confidence,
        judgement.choice.sources,
    ) == (
        "outcome",
        "approve",
        "low",
        ("s1", "s2", "s3"),
    )
    assert values(judgement) == {"amount": "49.00"}


def test_a_choice_alone_is_a_proposal() -> None:
    judgement = judged(item("outcome", "reject"))
    assert (judgement.code, judgement.fields, judgement.declined) == (None, (), False)


def test_a_step_that_asks_for_no_choice_takes_none() -> None:
    assert dropped(judged(item("outcome", "approve"), of=ask(outcomes=()))) == [("outcome", "not_allowed")]


def test_a_field_called_outcome_is_a_field() -> None:
    of = ask(fields=(FieldSpec("outcome", "Outcome", "text"),))
    judgement = judged(item("outcome", "Delivered late"), item("step_outcome", "approve"), of=of)
    assert values(judgement) == {"outcome": "Delivered late"}
    assert judgement.choice is not None
    assert (judgement.choice.name, judgement.choice.value) == ("outcome", "approve")
    without = judged(item("outcome", "Delivered late"), of=replace(of, outcomes=()))
    assert (values(without), without.choice) == ({"outcome": "Delivered late"}, None)


# Where it stands, and why


def test_a_proposal_says_where_it_stands() -> None:
    one = judged(item("amount", 1234.5, "s3", "s2")).fields[0]
    assert (one.sources, one.at) == (("s2", "s3"), "body")
    assert one.quote is not None
    assert "I paid EUR 1.234,50 for it" in one.quote
    plain = judged(item("email", "greta@falk.example", "s1")).fields[0]
    assert (plain.at, plain.quote, plain.sources) == ("email", "greta@falk.example", ("s1",))


@cases(
    "name, value, at",
    [
        ("reason", "late", "status"),
        ("reason", "other", "body"),
        ("reason", "broken", None),
        ("express", True, "express"),
        ("order", "A polite customer", None),
        ("outcome", "reject", None),
        ("letter", "Greta Falk", "name"),
    ],
)
def test_judgements_say_where_they_stand_if_they_do(name: str, value: Any, at: str | None) -> None:
    judgement = judged(item(name, value))
    one = judgement.choice or judgement.fields[0]
    if name == "reason" and value == "other":
        assert one.at in {"body", None}
    else:
        assert one.at == at


@cases(
    "written, shown",
    [
        ("The order says so.", "The order says so."),
        ("  two\n lines\t here ", "two lines here"),
        ("<b>bold</b> & <i>x</i>", "bold & x"),
        ("**bold** _it_ `code`", "bold it code"),
        ("[click](https://evil.example) here", "click here"),
        ("![x](https://evil.example/p.png)", "x"),
        ("see https://evil.example/x now", "see (link left out) now"),
        ("see www.evil.example.", "see (link left out)."),
        ("write to a@b.example", "write to a@b.example"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "alert(1)"),
        ("<script>alert(1)", "alert(1)"),
        ("a\u202eb\u200bc", "abc"),
        ("x" * 400, "x" * 299 + "…"),
        ("word " * 100, ("word " * 60).strip() + "…"),
        ("", ""),
        ("5 < 6 > 4", "5 4"),
        ("<img src=x onerror=alert(1)>hi", "hi"),
        ("javascript:alert(1)", "(link left out)"),
        ("a\x00b", "a b"),
        ("# Heading", "Heading"),
        ("- item", "item"),
        ("half \ud83d", "half \ufffd"),
        ("<<b>script>x", "script›x"),
    ],
)
def test_a_reason_is_one_line_of_plain_text(written: str, shown: str) -> None:
    assert judged(item("amount", 49, rationale=written)).fields[0].reason == shown
    assert judged(decision="decline", decline_reason=written).why == shown
