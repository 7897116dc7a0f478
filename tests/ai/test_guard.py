"""The guard, case by case: what is let through, what is dropped and for which reason, and which code an answer comes to that says nothing."""

import json
from typing import Any

from console.ai.safety.guard import judge
from console.core.proposal_types import FieldSpec
from tests.ai.asks import IBAN, RECORD, answer, ask, item, raw
from tests.ai.judging import ASK, RESTORE, dropped, judged, values
from tests.tables import cases

# How it ended, and whether it can be read


@cases(
    "stop, code",
    [
        ("refused", "refused"),
        ("truncated", "truncated"),
        ("other", "malformed"),
        ("pause_turn", "malformed"),
        ("", "malformed"),
    ],
)
def test_only_a_complete_answer_is_read(stop: str, code: str) -> None:
    judgement = judge(ASK, raw(answer(item("amount", 49)), stop), RESTORE)
    assert (judgement.code, judgement.fields, judgement.choice, judgement.declined) == (code, (), None, False)


WHOLE = answer(item("amount", 49))


@cases(
    "text",
    [
        "",
        " ",
        "null",
        "[]",
        "3",
        '"text"',
        "true",
        "{",
        "{}x",
        "x{}",
        WHOLE[:-1],
        WHOLE[:-20],
        WHOLE + WHOLE,
        WHOLE + "x",
        f"```json\n{WHOLE}\n```",
        f"```\n{WHOLE}\n```",
        f"Here it is: {WHOLE}",
        f"{WHOLE}\nI hope this helps.",
        f"<json>{WHOLE}</json>",
        f"\ufeff{WHOLE}",
        WHOLE.replace('"high"', "'high'"),
        WHOLE.replace("}", ",}"),
        WHOLE.replace('"propose"', "propose"),
        "// comment\n" + WHOLE,
        '{"decision": "propose", "decision": "decline", "decline_reason": "", "flags": [], "fields": []}',
        WHOLE.replace('"value": 49', '"value": 49, "value": 50'),
        WHOLE.replace("49", "NaN"),
        WHOLE.replace("49", "Infinity"),
        WHOLE.replace("49", "-Infinity"),
        WHOLE.replace("49", "9" * 5000),
        WHOLE.replace("49", "0." + "9" * 5000),
        WHOLE.replace("49", "0x31"),
        WHOLE.replace("49", "049"),
        WHOLE.replace("49", "4_9"),
        WHOLE.replace("49", "+49"),
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"fields": ' + "[" * 100_000 + "]" * 100_000 + "}",
        "\x00",
        "\ud800",
        WHOLE + "\x00",
        "x" * 10_000_000,
        '{"a": "' + "x" * 10_000_000 + '"}',
    ],
    ids=lambda text: text[:60],
)
def test_what_is_no_json_object_alone_is_malformed(text: str) -> None:
    judgement = judge(ASK, raw(text), RESTORE)
    assert (judgement.code, judgement.fields, judgement.dropped) == ("malformed", (), ())


@cases(
    "changes",
    [
        {"decision": "maybe"},
        {"decision": None},
        {"decision": True},
        {"decision": ["propose"]},
        {"fields": None},
        {"fields": {}},
        {"fields": "amount"},
        {"flags": "x"},
        {"flags": None},
        {"decline_reason": 3},
        {"extra": 1},
        {"tool_calls": []},
        {"choice": {}},
        {"fields": [{}] * 1001},
        {"decision": "PROPOSE"},
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_another_shape_is_not_in_form(changes: dict[str, Any]) -> None:
    judgement = judge(ASK, raw({**json.loads(WHOLE), **changes}), RESTORE)
    assert (judgement.code, judgement.fields) == ("not_in_form", ())


@cases("key", ["decision", "fields"])
def test_a_missing_part_is_not_in_form(key: str) -> None:
    assert (
        judge(
            ASK, raw({name: entry for name, entry in json.loads(WHOLE).items() if name != key}), RESTORE
        ).code
        == "not_in_form"
    )


def test_blanks_around_the_object_and_missing_remarks_are_no_fault() -> None:
    assert values(judge(ASK, raw(f"\n  {WHOLE}\n"), RESTORE)) == {"amount": "49.00"}
    assert values(judge(ASK, raw({"decision": "propose", "fields": [item("amount", 49)]}), RESTORE)) == {
        "amount": "49.00"
    }
    assert values(
        judge(
            ASK, raw({"decision": "propose", "fields": [item("amount", 49)], "decline_reason": None}), RESTORE
        )
    ) == {"amount": "49.00"}


# Declining


def test_a_decline_is_believed_and_its_fields_are_not() -> None:
    judgement = judged(
        item("amount", 49),
        decision="decline",
        decline_reason="The order is **missing**.",
        flags=["stale_data"],
    )
    assert (judgement.declined, judgement.code, judgement.fields, judgement.choice) == (
        True,
        "nothing_supported",
        (),
        None,
    )
    assert (judgement.why, judgement.flags) == ("The order is missing.", ("stale_data",))


def test_nothing_proposed_is_a_decline() -> None:
    judgement = judged()
    assert (judgement.declined, judgement.code, judgement.dropped) == (True, "nothing_supported", ())


@cases(
    "items, code",
    [
        ([item("amount", 77)], "nothing_supported"),
        ([item("amount", 49, confidence="low")], None),
        ([item("nobody", 49)], "not_in_form"),
        ([item("amount", "x")], "not_in_form"),
        ([item("reason", "worn")], "not_in_form"),
        ([item("amount", 6000)], "not_in_form"),
        ([item("amount", "x"), item("fee", 77)], "nothing_supported"),
        ([item("amount", 49, "s9")], "nothing_supported"),
        ([{}], "not_in_form"),
        ([item("amount", "x"), item("fee", 3)], None),
    ],
)
def test_what_is_left_when_everything_is_dropped(items: list[Any], code: str | None) -> None:
    judgement = judged(*items)
    assert judgement.code == code
    assert judgement.declined is (code is not None)
    assert bool(judgement.dropped) is any(
        one.get("name") != "amount" or one["value"] != 49 or one["sources"] == ["s9"] for one in items
    )


# Names


@cases(
    "name",
    [
        "nobody",
        "Amount",
        "amount ",
        "AMOUNT",
        "secret",
        "fingerprint",
        "attachment",
        "",
        "__proto__",
        "s1",
        "amount\u200b",
        "Outcome",
        "decision",
    ],
)
def test_a_name_that_is_not_offered_is_not_allowed(name: str) -> None:
    assert dropped(judged(item(name, 49))) == [(name.strip() if False else name, "not_allowed")]


@cases(
    "items, kept, reasons",
    [
        ([item("amount", 49), item("amount", 49)], {"amount": "49.00"}, [("amount", "duplicate")]),
        (
            [item("amount", 49), item("amount", 49.0), item("fee", 3)],
            {"fee": 3},
            [("amount", "duplicate")] * 2,
        ),
        ([item("amount", 49), item("amount", 3)], {}, [("amount", "duplicate")] * 2),
        ([item("amount", 49), item("fee", 3), item("amount", 3)], {"fee": 3}, [("amount", "duplicate")] * 2),
        ([item("outcome", "approve"), item("outcome", "reject")], {}, [("outcome", "duplicate")] * 2),
        ([item("nobody", 1), item("nobody", 1)], {}, [("nobody", "not_allowed")] * 2),
    ],
)
def test_a_field_is_proposed_once(
    items: list[Any], kept: dict[str, Any], reasons: list[tuple[str, str]]
) -> None:
    judgement = judged(*items)
    assert values(judgement) == kept
    assert sorted(dropped(judgement)) == sorted(reasons)


@cases(
    "thing",
    [
        None,
        3,
        "amount",
        [],
        ["amount", 49],
        {},
        {"name": "amount"},
        item("amount", 49, confidence=None),
        item("amount", 49, rationale=None),
        item("amount", 49, sources=None),
        {**item("amount", 49), "extra": 1},
        item("amount", 49, rationale=3),
        item("amount", 49, sources="s1"),
        item("amount", 49, confidence="certain"),
        item("amount", 49, confidence=0.99),
        item("amount", 49, confidence="HIGH"),
        item("amount", 49, confidence=["high"]),
        item("amount", 49, confidence={"high": 1}),
        {**item("amount", 49), "name": 3},
        {**item("amount", 49), "name": None},
        {**item("amount", 49), "name": ["amount"]},
        item("amount", 49, sources={"s1": 1}),
    ],
    ids=lambda thing: str(thing)[:80],
)
def test_an_item_of_another_shape_is_dropped(thing: Any) -> None:
    judgement = judged(thing, item("fee", 3))
    assert values(judgement) == {"fee": 3}
    assert [drop.reason for drop in judgement.dropped] == ["wrong_type"]


# Values: type, choice, range, length


@cases(
    "name, value, kept",
    [
        ("amount", 49, "49.00"),
        ("amount", "49.00", "49.00"),
        ("amount", 49.00, "49.00"),
        ("amount", "49", "49.00"),
        ("amount", " 49.00 ", "49.00"),
        ("amount", "EUR 49.00", "49.00"),
        ("amount", 1234.5, "1234.5"),
        ("amount", "1,234.50", "1234.50"),
        ("amount", "1 234,5", "1234.5"),
        ("amount", 3, "3"),
        ("fee", 3, 3),
        ("fee", "3", 3),
        ("fee", 3.0, 3),
        ("fee", 12, 12),
        ("born", "1990-05-01", "1990-05-01"),
        ("born", "1 May 1990", "1990-05-01"),
        ("born", "01.05.1990", "1990-05-01"),
        ("born", "2026-11-20", "2026-11-20"),
        ("paid_at", "2026-11-02T09:30:00Z", "2026-11-02T09:30:00Z"),
        ("paid_at", "2026-11-02T10:30:00+01:00", "2026-11-02T09:30:00Z"),
        ("paid_at", "2026-11-02 09:30", "2026-11-02T09:30:00Z"),
        ("opens", "09:30", "09:30:00"),
        ("opens", "9:30 am", "09:30:00"),
        ("email", "greta@falk.example", "greta@falk.example"),
        ("email", "Greta@Falk.example", "Greta@Falk.example"),
        ("email", "other@falk.example", "other@falk.example"),
        ("phone", "+370 600 12345", "+370 600 12345"),
        ("phone", "+37060012345", "+37060012345"),
        ("phone", "030 1234567", "030 1234567"),
        ("site", "https://shop.example/orders/10412", "https://shop.example/orders/10412"),
        ("order", "C-10412", "C-10412"),
        ("order", "c-10412", "c-10412"),
        ("order", "Greta Falk", "Greta Falk"),
        ("order", "A polite customer", "A polite customer"),
        ("order", "Refund of 49.00 agreed on 3 Nov 2026", "Refund of 49.00 agreed on 3 Nov 2026"),
        ("order", "Came on 2026-11-20", "Came on 2026-11-20"),
        ("account", IBAN, IBAN),
        ("account", "LT121000011101001000", "LT121000011101001000"),
        ("uuid", RECORD["uuid"], RECORD["uuid"]),
        ("uuid", RECORD["uuid"].upper(), RECORD["uuid"]),
        ("express", True, True),
        ("express", False, False),
        ("express", "true", True),
        ("sure_express", True, True),
        ("reason", "late", "late"),
        ("reason", "other", "other"),
        ("sure_reason", "late", "late"),
        ("checks", ["paid", "id"], ["id", "paid"]),
        ("checks", ["id", "id"], ["id"]),
        ("checks", "id", ["id"]),
        ("related", "c1", "rec_991"),
        ("related", "c2", "rec_992"),
        ("letter", "Dear Greta, we refund you soon.", "Dear Greta, we refund you soon."),
        (
            "letter",
            "Write to greta@falk.example or see https://shop.example/orders/10412",
            "Write to greta@falk.example or see https://shop.example/orders/10412",
        ),
        ("letter", "It takes 14 days.\nRegards", "It takes 14 days.\nRegards"),
        ("tags", ["late", "C-10412"], ["late", "C-10412"]),
        ("trusted_amount", 49, "49.00"),
        ("trusted_amount", "49.00", "49.00"),
    ],
)
def test_what_fits_and_stands_in_a_source_is_let_through_as_the_form_keeps_it(
    name: str, value: Any, kept: Any
) -> None:
    judgement = judged(item(name, value))
    assert (values(judgement), judgement.code, judgement.dropped) == ({name: kept}, None, ())


WRONG_TYPE = [
    ("amount", "forty-nine"),
    ("amount", True),
    ("amount", None),
    ("amount", ""),
    ("amount", " "),
    ("amount", [49]),
    ("amount", {"value": 49}),
    ("amount", "1,234"),
    ("amount", "49 or 50"),
    ("amount", "1e3"),
    ("amount", "٤٩"),
    ("amount", "49.00.1"),
    ("fee", 3.5),
    ("fee", "3.5"),
    ("fee", "three"),
    ("fee", True),
    ("fee", None),
    ("fee", []),
    ("fee", 10**30),
    ("born", "yesterday"),
    ("born", "1990-02-31"),
    ("born", "03/04/2026"),
    ("born", 19900501),
    ("born", True),
    ("born", ["1990-05-01"]),
    ("born", "01.05.90"),
    ("paid_at", "2026-11-02"),
    ("paid_at", "soon"),
    ("paid_at", 1762075800),
    ("opens", "25:00"),
    ("opens", "noon"),
    ("opens", 930),
    ("email", "greta"),
    ("email", "greta@"),
    ("email", "a@b.example, c@d.example"),
    ("email", ["a@b.example"]),
    ("email", 3),
    ("phone", "call me"),
    ("phone", "12"),
    ("phone", 37060012345),
    ("site", "shop.example"),
    ("site", "javascript:alert(1)"),
    ("site", "ftp://x.example"),
    ("site", 3),
    ("order", 10412),
    ("order", None),
    ("order", ""),
    ("order", "  "),
    ("order", ["C-10412"]),
    ("order", {"a": 1}),
    ("order", "a\x00b"),
    ("order", "\ud800"),
    ("uuid", "10412"),
    ("uuid", 3),
    ("express", "yes"),
    ("express", 1),
    ("express", None),
    ("express", "True"),
    ("reason", 1),
    ("reason", None),
    ("reason", ["late"]),
    ("reason", {}),
    ("checks", []),
    ("checks", None),
    ("checks", [1]),
    ("checks", {"id": True}),
    ("checks", [["id"]]),
    ("related", 1),
    ("related", None),
    ("letter", 3),
    ("letter", None),
    ("tags", "late"),
    ("tags", 3),
    ("tags", [["x"]]),
    ("tags", []),
    ("outcome", None),
    ("outcome", True),
    ("outcome", ["approve"]),
]


@cases("name, value", WRONG_TYPE)
def test_a_value_of_another_type_is_dropped(name: str, value: Any) -> None:
    assert (
        dropped(judged(item(name, value))) == [(name, "wrong_type")]
        if value is not None
        else [(name, "wrong_type")]
    )


@cases(
    "name, value",
    [
        ("reason", "worn"),
        ("reason", "Late"),
        ("reason", "Delivered late"),
        ("reason", ""),
        ("reason", "late "),
        ("sure_reason", "other"),
        ("checks", ["id", "nothing"]),
        ("checks", ["Identity"]),
        ("checks", "nothing"),
        ("related", "rec_991"),
        ("related", "c3"),
        ("related", "c0"),
        ("related", "Order 991"),
        ("outcome", "delete"),
        ("outcome", "Approve"),
        ("outcome", ""),
        ("outcome", "approve reject"),
    ],
)
def test_a_choice_that_is_not_offered_is_dropped(name: str, value: Any) -> None:
    assert dropped(judged(item(name, value))) == [(name, "not_in_choices")]


@cases(
    "name, value",
    [
        ("amount", -1),
        ("amount", 5000.01),
        ("amount", "6000"),
        ("fee", 0),
        ("fee", 101),
        ("born", "1899-12-31"),
        ("born", "2027-01-01"),
        ("checks", ["id", "address", "paid"]),
    ],
)
def test_a_value_out_of_range_is_dropped(name: str, value: Any) -> None:
    assert dropped(judged(item(name, value))) == [(name, "out_of_range")]


@cases("name, value", [("order", "x" * 81), ("letter", "x" * 2001)])
def test_a_text_that_is_too_long_is_dropped(name: str, value: Any) -> None:
    assert dropped(judged(item(name, value))) == [(name, "too_long")]


@cases(
    "spec, value, reason",
    [
        (FieldSpec("x", "X", "text"), "x" * 10_001, "too_long"),
        (FieldSpec("x", "X", "text", minimum="3"), "ab", "out_of_range"),
        (FieldSpec("x", "X", "text", maximum="3"), "abcd", "out_of_range"),
        (FieldSpec("x", "X", "email"), "a@" + "b" * 300 + ".example", "too_long"),
        (FieldSpec("x", "X", "money", minimum="rubbish"), 49, None),
        (
            FieldSpec("x", "X", "checklist", options=(("a", "A"), ("b", "B")), minimum="2"),
            ["a"],
            "out_of_range",
        ),
        (FieldSpec("x", "X", "time", maximum="09:00"), "09:30", "out_of_range"),
        (FieldSpec("x", "X", "datetime", minimum="2026-11-03"), "2026-11-02T09:30:00Z", "out_of_range"),
        (FieldSpec("x", "X", "enum"), "late", None),
        (FieldSpec("x", "X", "enum", options=()), "anything", None),
        (FieldSpec("x", "X", "nonsense"), "late", None),
        (FieldSpec("x", "X", "integer"), 2**53, "wrong_type"),
        (FieldSpec("x", "X", "text", max_length=4), "late", None),
    ],
)
def test_bounds_of_every_type_hold(spec: FieldSpec, value: Any, reason: str | None) -> None:
    judgement = judged(item("x", value), of=ask(fields=(spec,)))
    assert [drop.reason for drop in judgement.dropped] == ([reason] if reason else [])
