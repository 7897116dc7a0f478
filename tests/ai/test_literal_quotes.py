from decimal import Decimal
from typing import Any

from hypothesis import given, strategies as st

from console.ai.safety import contact_details
from console.ai.safety.literal_quotes import FINDERS, Evidence, Fact, Line, facts, scalars, whole_words
from console.core.proposal_types import Source
from tests.tables import cases


@cases(
    "kind, value, text, there",
    [
        # numbers
        ("number", "1234.5", "1,234.50", True),
        ("number", "1234.5", "1 234,50", True),
        ("number", 1234.5, "EUR 1.234,50", True),
        ("number", "9.9", "89.9", False),
        ("number", 9, "89.9", False),
        ("number", "89", "89.9", False),
        ("number", "49", "-49", False),
        ("number", "-49", "-49", True),
        ("number", 49, "49.00", True),
        ("number", "49.00", "C-49", False),
        ("number", 20, "20.11.2026", False),
        ("number", 2026, "2026-11-20", False),
        ("number", 234, "1 234", False),
        ("number", 1234, "1 234", True),
        ("number", "49.01", "49.00", False),
        ("number", "4900", "49.00", False),
        ("number", "x", "x", False),
        ("number", True, "1", False),
        ("number", None, "0", False),
        ("number", 10412, "order 10412", True),
        ("number", 10412, "order C-10412", False),
        ("number", "0.5", "50%", False),
        ("number", 50, "50%", True),
        ("number", 24.5, "49 / 2", False),
        ("number", 12, "12:30", False),
        # days, moments, times
        ("day", "2026-11-20", "20.11.2026", True),
        ("day", "2026-11-20", "20 Nov 2026", True),
        ("day", "2026-11-20", "Nov 20th, 2026", True),
        ("day", "2026-11-20", "21.11.2026", False),
        ("day", "2026-11-20", "2026-11-200", False),
        ("day", "2026-11-20", "20.11.", False),
        ("day", "2026-03-04", "03/04/2026", True),
        ("day", "2026-04-03", "03/04/2026", True),
        ("day", "2026-11-20", "2026-11-20T09:30:00Z", True),
        ("moment", "2026-11-20T09:30:00Z", "2026-11-20T10:30:00+01:00", True),
        ("moment", "2026-11-20T09:30:00Z", "2026-11-20 09:30", True),
        ("moment", "2026-11-20T09:30:00Z", "2026-11-20T09:31:00Z", False),
        ("moment", "2026-11-20T00:00:00Z", "20.11.2026", True),
        ("moment", "2026-11-20T09:30:00Z", "20.11.2026", False),
        ("moment", "2026-11-20T09:30:00Z", "20.11.2026 at 9:30", True),
        ("moment", "x", "x", False),
        ("clock", "09:30:00", "9:30 am", True),
        ("clock", "09:30", "09:30", True),
        ("clock", "09:30:00", "19:30", False),
        ("clock", "21:30:00", "9:30 pm", True),
        # addresses
        ("email", "a@b.example", "mail A@B.example.", True),
        ("email", "a@b.example", "xa@b.example", False),
        ("email", "a@b.example", "a@b.example.org", False),
        ("email", "a@b.example", "<a@b.example>", True),
        ("email", "a@b.example", "mailto:a@b.example", True),
        ("url", "https://a.example/x", "see https://A.example/x/.", True),
        ("url", "https://a.example/x", "https://a.example/xy", False),
        ("url", "https://a.example", "https://a.example.evil.example", False),
        ("url", "https://a.example/X", "https://a.example/x", False),
        ("phone", "+49 30 1234567", "tel. 0049-30-1234567.", True),
        ("phone", "+49301234567", "+49 (0)30 1234567", True),
        ("phone", "+49 30 1234567", "+49 30 12345678", False),
        ("phone", "030 1234567", "030/123 45 67", True),
        ("phone", "1234", "1234", False),
        ("phone", "+370 600 12345", "37060012345", True),
        ("phone", "+370 600 12345", "1370 600 12345", False),
        ("phone", "600 12345", "+370 600 12345 9", False),
        # identifiers
        ("code", "LT121000011101001000", "LT12 1000 0111 0100 1000", True),
        ("code", "LT12 1000 0111 0100 1000", "IBAN: lt121000011101001000,", True),
        ("code", "LT121000011101001000", "LT1210000111010010005", False),
        ("code", "LT121000011101001000", "LT12-1000-0111-0100-1000", True),
        ("code", "C-10412", "C-10412-9", False),
        ("code", "C-10412", "order C-10412.", True),
        ("code", "C-10412", "XC-10412", False),
        ("code", "10412", "C-10412", False),
        ("code", "0193463c-0000-7000-8000-000000000001", "0193463C-0000-7000-8000-000000000001", True),
        ("code", "0193463c-0000-7000-8000-000000000001", "10193463c-0000-7000-8000-000000000001", False),
        ("code", "LT12 1000 0111 0100", "LT12 1000 0111 0100 1000", False),
        ("code", "LT12100001110100", "LT12 1000 0111 0100 1000", False),
        ("code", "1000 0111 0100 1000", "LT12 1000 0111 0100 1000", False),
        ("code", "10412345", "10412345 49.00", True),
        # texts
        ("text", "Greta Falk", "GRETA\n FALK, Vilnius", True),
        ("text", "Greta Falk", "Greta Falkenberg", False),
        ("text", "Falk", "Falk-Meier", False),
        ("text", "Greta Falk", "Greta M. Falk", False),
        ("text", "9.9", "89.9", False),
        ("text", "9", "89.9", False),
        ("text", "89", "89.9", False),
        ("text", "Laisvės pr. 10", "laisvės  pr.10, Vilnius", True),
        ("text", "late", "Delivered late.", True),
        ("text", "late", "related", False),
        ("text", "O’Neil", "o'neil", True),
        ("text", "Zoë", "Zoe\u0308", True),
        ("text", "ﬁne", "fine", True),
        ("text", "gre\u200bta", "Greta", True),
        ("text", "—", "a - b", False),
        ("text", "-", "-", False),
        ("text", "+", "1 + 1", False),
        ("text", " ", " ", False),
        ("text", "", "", False),
        ("text", "a@b.example", "xa@b.example", False),
        ("text", "2", "1/2", False),
        ("text", "ab", "ab_c", False),
        # yes and no are no words
        ("boolean", True, "true", False),
        ("boolean", True, "yes", False),
    ],
)
def test_literal_means_whole_tokens(kind: Any, value: Any, text: str, there: bool) -> None:
    assert stands_in(kind, value, text) is there


def stands_in(kind: Any, value: Any, text: str) -> bool:
    return FINDERS[kind](Line("", text, "note"), value) is not None


def evidence(kind: Any = "record", treatments: Any = None, **data: Any) -> Evidence:
    return Evidence(Source("s1", kind, "A source", data, trusted=True, treatments=treatments or {}))


@cases(
    "kind, value, data, at",
    [
        ("number", "49", {"a": 1, "b": 49}, "b"),
        ("number", "49.0", {"a": "49.00"}, "a"),
        ("number", "49", {"a": {"b": [1, {"c": 49}]}}, "a"),
        ("number", "1", {"a": True}, None),
        ("number", "49", {"a": None}, None),
        ("boolean", True, {"a": False, "b": True}, "b"),
        ("boolean", False, {"a": 0}, None),
        ("text", "49", {"a": 49}, "a"),
        ("text", "True", {"a": True}, None),
        ("number", Decimal("0.1"), {"a": 0.1}, "a"),
        ("number", "1234", {"a": "1.234"}, None),
        ("number", "1.234", {"a": "1.234"}, "a"),
        ("day", "2026-11-20", {"a": ["x", "20.11.2026"]}, "a"),
    ],
)
def test_values_are_found_in_data_of_any_shape(kind: Any, value: Any, data: Any, at: str | None) -> None:
    place = evidence(**data).place(kind, value)
    assert (place.at if place else None) == at


def test_a_point_in_a_document_may_be_that_of_thousands() -> None:
    assert evidence("document", a="1.234").place("number", "1234") is not None
    assert evidence("document", a="1.234").place("number", "1.234") is not None


def test_the_line_of_the_same_name_comes_first() -> None:
    found = evidence(total="49.00", amount="49.00").place("number", "49", name="amount")
    assert found is not None
    assert found.at == "amount"


@cases("treatment, found", [("full", True), ("masked", True), ("hash", False), ("never", False)])
def test_nothing_is_found_in_what_a_model_did_not_get(treatment: str, found: bool) -> None:
    assert (evidence(treatments={"a": treatment}, a="49.00").place("number", "49") is not None) is found


def test_the_quote_holds_the_value_and_some_words_around() -> None:
    place = evidence(body="word " * 200 + "the sum is 1.234,50 euros " + "word " * 200).place(
        "number", "1234.5"
    )
    assert place is not None
    assert "the sum is 1.234,50 euros" in place.quote
    assert place.quote.startswith("…")
    assert place.quote.endswith("…")
    assert len(place.quote) <= 202
    short = evidence(body="Paid\n EUR  49").place("number", "49")
    assert short is not None
    assert short.quote == "Paid EUR 49"


@cases(
    "text, kinds",
    [
        ("Refund of EUR 49.00", ["number"]),
        ("Order C-10412", ["text"]),
        ("by 20.11.2026", ["day"]),
        ("write to a@b.example", ["email"]),
        ("see https://x.example/a?b=1", ["url"]),
        ("see x.example", ["url"]),
        ("call +370 600 12345", ["phone"]),
        ("to LT12 1000 0111 0100 1000", ["code"]),
        ("card 4111 1111 1111 1111", ["code"]),
        ("no facts here", []),
        ("49A and v2.1", ["text", "text"]),
        ("49 and 49", ["number"]),
        ("at 09:30", ["text"]),
        ("", []),
    ],
)
def test_what_can_be_checked_in_a_text_is_found(text: str, kinds: list[str]) -> None:
    assert [fact.kind for fact in facts(text)] == kinds


def test_every_reading_of_a_fact_is_kept() -> None:
    assert facts("1,234") == [Fact("number", (Decimal("1.234"), Decimal(1234)))]


@cases(
    "text, kinds",
    [
        (
            "a@b.example, LT12 1000 0111 0100 1000 or +370 600 12345; card 4111-1111-1111-1111",
            ["email", "iban", "phone", "card"],
        ),
        ("LT121000011101001001", []),
        ("4111 1111 1111 1112", []),
        ("20.11.2026 and 1.234,50", []),
        ("DE89370400440532013000 AND MORE", ["iban"]),
        ("GB82 WEST 1234 5698 7654 32 please", ["iban"]),
        ("(030) 123 4567", ["phone"]),
        ("0049 30 1234567", ["phone"]),
        ("555-123-4567", ["phone"]),
        ("order 0012345", []),
        ("2026-11-20 09:30", []),
        ("no.reply+x@mail.shop.example", ["email"]),
        ("@handle", []),
        ("a@b", []),
        ("Uuid 0193463c-0000-7000-8000-000000000001", []),
    ],
)
def test_personal_data_is_found_in_prose(text: str, kinds: list[str]) -> None:
    assert [found.kind for found in contact_details.personal(text)] == kinds


@cases(
    "text, links",
    [
        ("https://A.example/x/.", ["https://a.example/x"]),
        ("www.evil.example", ["www.evil.example"]),
        ("evil.example/pay?x=1, now", ["evil.example/pay?x=1"]),
        ("javascript:alert", ["javascript:alert"]),
        ("h ttps", []),
        ("http : //evil.example", ["http://evil.example"]),
        ("end.Start", []),
        ("e.g. this", []),
        ("1.234,50", []),
        ("10.0.0.1/x", ["10.0.0.1/x"]),
        ("a@b.example", []),
        ("[x](http://e.example)", ["http://e.example"]),
        ("Fernwick.com", ["fernwick.com"]),
    ],
)
def test_links_are_found_with_and_without_their_scheme(text: str, links: list[str]) -> None:
    assert [found.text for found in contact_details.links(text)] == links


def test_a_cut_never_halves_a_number() -> None:
    text = "a " * 50 + "123456"
    assert whole_words(text, 103) == text[:99]
    assert whole_words("short", 100) == "short"
    assert whole_words("x" * 1000, 700) == "x" * 700


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(st.text(max_size=8), JSON, max_size=4),
    st.sampled_from(["number", "day", "moment", "clock", "email", "phone", "url", "code", "text", "boolean"]),
    JSON,
)
def test_no_value_and_no_data_break_the_search(data: dict[str, Any], kind: Any, value: Any) -> None:
    place = Evidence(Source("s1", "note", "", data, trusted=False)).place(kind, value)
    assert place is None or place.at in data
    list(scalars(data))


@given(st.text(max_size=300))
def test_no_text_breaks_the_finders(text: str) -> None:
    contact_details.visible(text).encode()
    for found in [*contact_details.personal(text), *contact_details.links(text)]:
        assert 0 <= found.start < found.end <= len(text)
    facts(text)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_number_is_never_found_in_another(wanted: int, other: int) -> None:
    assert stands_in("number", wanted, f"It was {other} in all") is (wanted == other)
    assert stands_in("text", str(wanted), f"It was {other} in all") is (str(wanted) == str(other))
