import json
import re
from typing import Any

import pytest
from hypothesis import assume, given, strategies as st

from console.ai.prompt import rendered
from console.ai.safety import contact_details
from console.ai.safety.redaction import PLACEHOLDER, REMOVED, Redactor, Restore, is_note, kind_of, redacted
from console.core.proposal_types import FieldSpec, Source
from tests.ai.asks import IBAN, KEY, RECORD, ask
from tests.tables import cases


@cases(
    "name, label, value, kind",
    [
        ("email", "", "greta@falk.example", "EMAIL"),
        ("x", "", "greta@falk.example", "EMAIL"),
        ("iban", "", IBAN, "IBAN"),
        ("x", "", "LT121000011101001000", "IBAN"),
        ("x", "", "4111 1111 1111 1111", "CARD"),
        ("phone", "", "+370 600 12345", "PHONE"),
        ("mobile", "", "8 600 12345", "PHONE"),
        ("x", "Telephone", "12345", "PHONE"),
        ("x", "", "030 1234567", "PHONE"),
        ("born", "", "1990-05-01", "DATE"),
        ("x", "", "1 May 1990", "DATE"),
        ("x", "", "2026-11-02T09:30:00Z", "DATE"),
        ("name", "", "Greta Falk", "NAME"),
        ("last_name", "", "Falk", "NAME"),
        ("x", "Account holder", "Greta Falk", "NAME"),
        ("contact", "", "Greta Falk", "NAME"),
        ("street", "", "Laisvės pr. 10", "TEXT"),
        ("filename", "", "a.pdf", "TEXT"),
        ("x", "", "12", "TEXT"),
        ("iban", "", "LT00 0000", "TEXT"),
    ],
)
def test_a_placeholder_says_what_it_stands_for(name: str, label: str, value: str, kind: str) -> None:
    assert kind_of(name, label, value) == kind


@cases(
    "name, text, note",
    [
        ("note", "Call Greta before noon please", True),
        ("note", "Greta Falk", False),
        ("address", "Laisvės pr. 10, Vilnius, Lithuania, next to the church", False),
        ("x", "x" * 201, True),
        ("body", "one two three four", True),
    ],
)
def test_prose_is_told_from_values(name: str, text: str, note: bool) -> None:
    assert is_note(name, "", text) is note


def source(id: str, data: dict[str, Any], **treatments: Any) -> Source:
    return Source(id, "record", "", data, trusted=True, treatments=treatments)


def prompt_of(*sources: Source, **changes: Any) -> Any:
    return rendered(ask(sources=sources, **changes), KEY)


def test_a_value_has_one_placeholder_everywhere() -> None:
    prompt = prompt_of(
        source(
            "s1",
            {"email": "greta@falk.example", "name": "Greta Falk", "iban": IBAN, "born": "1990-05-01"},
            email="masked",
            name="masked",
            iban="masked",
            born="masked",
        ),
        source(
            "s2",
            {
                "who": "GRETA  FALK",
                "to": "Greta@Falk.example",
                "account": "lt121000011101001000",
                "birth": "01.05.1990",
            },
            who="masked",
            to="masked",
            account="masked",
            birth="masked",
        ),
        source(
            "s3",
            {
                "text": "greta falk (born 1 May 1990) wants it on LT12-1000-0111-0100-1000, mail GRETA@falk.example."
            },
        ),
    )
    assert '{"email": "[EMAIL_1]", "name": "[NAME_1]", "iban": "[IBAN_1]", "born": "[DATE_1]"}' in prompt.user
    assert '{"who": "[NAME_1]", "to": "[EMAIL_1]", "account": "[IBAN_1]", "birth": "[DATE_1]"}' in prompt.user
    assert '{"text": "[NAME_1] (born [DATE_1]) wants it on [IBAN_1], mail [EMAIL_1]."}' in prompt.user
    assert prompt.restore.value("[IBAN_1]") == IBAN


def test_numbers_go_on_with_every_other_value() -> None:
    prompt = prompt_of(
        source(
            "s1",
            {"a": "a@x.example", "b": "b@x.example", "c": "a@x.example"},
            a="masked",
            b="masked",
            c="masked",
        )
    )
    assert '{"a": "[EMAIL_1]", "b": "[EMAIL_2]", "c": "[EMAIL_1]"}' in prompt.user


def test_the_longest_value_goes_first_and_whole_tokens_only() -> None:
    prompt = prompt_of(
        source("s1", {"name": "Falk", "contact": "Greta Falk"}, name="masked", contact="masked"),
        source("s2", {"text": "Greta Falk, Falk, Falkenberg, Greta"}),
    )
    assert '"[NAME_2], [NAME_1], Falkenberg, [NAME_3]"' in prompt.user


def test_a_part_of_a_masked_name_is_masked_where_it_stands_alone() -> None:
    prompt = prompt_of(
        source("s1", {"name": "Greta May Falk", "title": "Order"}, name="masked"),
        source("s2", {"text": "Greta here, in May: great, GRETA MAY FALK and Ms Falk paid."}),
    )
    assert '"[NAME_2] here, in May: great, [NAME_1] and Ms [NAME_3] paid."' in prompt.user
    assert prompt.restore.value("Dear [NAME_2]") == "Dear Greta"


def test_a_card_that_is_a_number_is_masked_too() -> None:
    prompt = prompt_of(source("s1", {"card": 4111111111111111, "order": 4111111111111112}))
    assert '{"card": "[CARD_1]", "order": 4111111111111112}' in prompt.user


def test_a_value_that_stands_before_its_own_field_is_masked_too() -> None:
    prompt = prompt_of(
        source("s1", {"text": "from greta@falk.example"}),
        source("s2", {"email": "greta@falk.example"}, email="masked"),
    )
    assert "greta@falk.example" not in prompt.user


def test_titles_labels_and_the_step_itself_are_masked() -> None:
    one = Source(
        "s1", "record", "Greta Falk", {"name": "Greta Falk"}, trusted=True, treatments={"name": "masked"}
    )
    options = (("rec_1", "Greta Falk, Vilnius"),)
    prompt = prompt_of(
        one,
        title="Refund of Greta Falk",
        instruction="Write to Greta Falk.",
        fields=(
            FieldSpec(
                "x", "For Greta Falk", "reference", options=options, opaque=True, help="Ask Greta Falk"
            ),
        ),
    )
    assert "Greta" not in prompt.user
    assert "Greta" not in json.dumps(prompt.schema)


def test_a_masked_note_keeps_its_words_and_loses_its_addresses() -> None:
    note = f"Please call +370 600 12345 or write to other@x.example, account {IBAN}, card 4111 1111 1111 1111, by 20.11.2026 about 49.00."
    prompt = prompt_of(source("s1", {"note": note}, note="masked"))
    assert (
        "Please call [PHONE_1] or write to [EMAIL_1], account [IBAN_1], card [CARD_1], by 20.11.2026 about 49.00."
        in prompt.user
    )


def test_cards_are_masked_in_every_text() -> None:
    prompt = prompt_of(source("s1", {"text": "paid with 4111-1111-1111-1111 on Monday"}))
    assert "4111" not in prompt.user


def test_a_hash_only_tells_equal_from_different() -> None:
    prompt = prompt_of(
        source(
            "s1",
            {"a": "secret one", "b": "secret two", "c": "secret  ONE", "d": "it is secret one"},
            a="hash",
            b="hash",
            c="hash",
        )
    )
    data = json.loads(prompt.user.split('trusted="true">')[1].split("</source>")[0])
    assert data["a"] == data["c"] != data["b"]
    assert data["d"] == f"it is {data['a']}"
    assert PLACEHOLDER.fullmatch(data["a"])
    other = rendered(ask(sources=(source("s1", {"a": "secret one"}, a="hash"),)), b"another key")
    assert data["a"] not in other.user
    assert not prompt.restore.placeholders


def test_what_is_withheld_is_nowhere() -> None:
    prompt = prompt_of(
        source(
            "s1",
            {
                "password": "hunter2!x",
                "pin": 4711,
                "other": "x",
                "keys": ["k-99-aa", {"deep": "k-88-bb"}],
                "block": "first line of it\nsecond line of it",
            },
            password="never",
            pin="never",
            keys="never",
            block="never",
        ),
        source(
            "s2",
            {
                "text": "my password is HUNTER2!x, really: ahunter2!xb, pin 4711, key k-99-aa and k-88-bb",
                "n": 4711,
                "hunter2!x": 1,
                "line": "Second line of it.",
            },
        ),
        fields=(
            FieldSpec("s", "Secret", "text", treatment="never", now="now-a-secret"),
            FieldSpec("t", "Text", "text", now="it was now-a-secret"),
        ),
    )
    for secret in (
        "hunter2",
        "HUNTER2",
        "4711",
        "k-99",
        "k-88",
        'password":',
        "line of it",
        "now-a-secret",
        '"pin"',
    ):
        assert secret not in prompt.user
    assert REMOVED in prompt.user
    assert REMOVED not in prompt.restore.placeholders


def test_short_values_do_not_tear_words_apart() -> None:
    prompt = prompt_of(
        source(
            "s1", {"a": "x", "b": 1, "c": "ab", "flag": True}, a="never", b="never", c="never", flag="never"
        ),
        source("s2", {"text": "box 1 ab abc true"}),
    )
    assert '"box 1 ab abc true"' in prompt.user


def test_a_text_that_looks_like_a_placeholder_is_none() -> None:
    prompt = prompt_of(
        source("s1", {"email": "greta@falk.example"}, email="masked"),
        source(
            "s2", {"text": "send it to [EMAIL_1] or [email_2], [HASH_0123456789ab], [REMOVED], [not one]"}
        ),
    )
    assert "send it to (EMAIL_1) or (email_2), (HASH_0123456789ab), (REMOVED), [not one]" in prompt.user


@cases(
    "value, treatment, made",
    [
        ("x@y.example", "full", "x@y.example"),
        ("x@y.example", "masked", "[EMAIL_1]"),
        ("x@y.example", "never", None),
        (None, "masked", None),
        (None, "hash", None),
        ("", "masked", ""),
        (True, "full", True),
        (True, "masked", None),
        (False, "hash", None),
        (12, "full", 12),
        (12, "masked", "[TEXT_1]"),
        (1.5, "full", 1.5),
        (float("nan"), "full", None),
        (10**4200, "full", "…"),
        ([1, "x@y.example"], "masked", ["[TEXT_1]", "[EMAIL_1]"]),
        ({"a": "x@y.example"}, "masked", {"a": "[EMAIL_1]"}),
        ({"a": {"b": "x"}}, "never", {"a": {"b": None}}),
    ],
)
def test_values_of_every_shape_are_treated(value: Any, treatment: Any, made: Any) -> None:
    redactor = Redactor(KEY)
    assert redactor.value("x", "", value, treatment) == made


def test_endless_nesting_ends() -> None:
    value: Any = "x"
    for _ in range(500):
        value = [value]
    assert "…" in json.dumps(Redactor(KEY).value("x", "", value, "full"), ensure_ascii=False)


RESTORE = Restore(
    {"[EMAIL_1]": "a@b.example", "[DATE_1]": "1990-05-01", "[TEXT_1]": 12}, {}, frozenset({"s1"})
)


@cases(
    "given_, value",
    [
        ("[EMAIL_1]", "a@b.example"),
        (" [EMAIL_1] ", "a@b.example"),
        ("write to [EMAIL_1]!", "write to a@b.example!"),
        ("[TEXT_1]", 12),
        ("no. [TEXT_1]", "no. 12"),
        (["[EMAIL_1]", 1], ["a@b.example", 1]),
        ("[X]", "[X]"),
        (5, 5),
        (None, None),
        ("a@b.example", "a@b.example"),
    ],
)
def test_placeholders_are_put_back(given_: Any, value: Any) -> None:
    assert RESTORE.value(given_) == value


@cases("given_", ["[EMAIL_2]", "x [NAME_1]", "[REMOVED]", "[HASH_0123456789ab]", ["[EMAIL_9]"]])
def test_an_invented_placeholder_stands_for_nothing(given_: Any) -> None:
    with pytest.raises(LookupError):
        RESTORE.value(given_)


def test_words_for_people_keep_what_stands_for_nothing() -> None:
    assert RESTORE.words("[EMAIL_1] and [EMAIL_2]") == "a@b.example and [EMAIL_2]"


def test_the_playground_takes_json() -> None:
    made = redacted(
        json.dumps(RECORD), {"email": "masked", "iban": "never", "name": "hash", "phone": "masked"}
    )
    data = json.loads(made.text)
    assert (data["email"], data["phone"], data["order_no"]) == ("[EMAIL_1]", "[PHONE_1]", "C-10412")
    assert "iban" not in data
    assert data["name"].startswith("[HASH_")
    assert made.placeholders["[EMAIL_1]"] == RECORD["email"]


def test_the_playground_takes_lines_and_prose() -> None:
    made = redacted(
        f"email: greta@falk.example\niban: {IBAN}\nsize: 12\nGreta wrote from GRETA@falk.example, pays from {IBAN}, calls from +370 600 12345",
        {"email": "masked", "iban": "never", "size": "full"},
    )
    assert (
        made.text
        == "email: [EMAIL_1]\nsize: 12\nGreta wrote from [EMAIL_1], pays from [REMOVED], calls from [PHONE_1]"
    )


@cases("text", ["", "[]", "{", "1", '{"a": NaN}', "\x00", "[" * 10_000, "email:", ":", "email: \ud800"])
def test_the_playground_takes_anything(text: str) -> None:
    assert isinstance(redacted(text, {"email": "masked"}).text, str)


SECRET = st.text(
    alphabet="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!@ äß", min_size=8, max_size=40
).map(str.strip)


@given(SECRET, st.text(max_size=60), st.text(max_size=60), st.booleans())
def test_a_withheld_value_is_in_no_prompt(secret: str, before: str, after: str, glued: bool) -> None:
    assume(len(secret) >= 8 and sum(sign.isalnum() for sign in secret) >= 4)
    room = "" if glued else " "
    text = before + room + secret + room + after
    plain = prompt_of(source("s1", {"x": "y"}), source("s2", {"text": before + room + room + after}))
    assume(secret.lower() not in (plain.user + plain.system + json.dumps(plain.schema)).lower())
    prompt = prompt_of(
        source("s1", {"password": secret}, password="never"),
        source("s2", {"text": text, "list": [{"a": secret}], "title": secret.upper()}),
    )
    assert secret.lower() not in prompt.user.lower()
    assert secret not in prompt.system + json.dumps(prompt.schema) + str(dict(prompt.restore.placeholders))


@given(st.emails(), st.text(max_size=60))
def test_a_masked_address_is_in_no_prompt(email: str, text: str) -> None:
    assume("'" not in email and len(email) > 6)
    prompt = prompt_of(
        source("s1", {"email": email}, email="masked"), source("s2", {"text": f"{text} {email} {text}"})
    )
    assert email not in prompt.user
    assert email in prompt.restore.placeholders.values()


@given(st.text(max_size=200), st.sampled_from(["full", "masked", "hash"]))
def test_no_text_breaks_the_redaction(text: str, treatment: Any) -> None:
    prompt = prompt_of(source("s1", {"note": text, "x": text, text: "y"}, note=treatment, x=treatment))
    prompt.user.encode()


@pytest.mark.parametrize(
    "text",
    [
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
        "P < U T O E R I K S S O N < < A N N A < < <\nL898902C3 6 UTO 740812 2 F 120415 9 ZE184226B <<<<< 1 0",
        "scanned: L898902C36UTO7408122F\n1204159ZE184226B<<<<<10, sorry",
        "P<UTOERIKS\nSON<<ANNA<MARIA<<<<<<<<<<\n<<<<<<<<<",
        "call +370 612\n34567 please",
        "call 00370 612 \n 34567",
    ],
)
def test_what_is_broken_over_lines_or_spaced_is_found_by_its_form(text: str) -> None:
    """The line of names has no digit, a scanner breaks lines anywhere and sets each sign apart, a mail wraps a number."""
    sent = Redactor(KEY).text(text, note=True)
    assert re.findall(r"[A-Z0-9]{3,}", re.sub(r"\[[A-Z]+_\d+\]", "", sent)) == [], sent


def test_every_number_of_a_list_is_found() -> None:
    numbers = ["+370 612 34567", "+370 612 34568", "0612 345 678"]
    assert [found.text for found in contact_details.phones("\n".join(numbers))] == [
        "37061234567",
        "37061234568",
        "0612345678",
    ]


NUMBERS = (
    "20-12345678-6",
    "12.345.678-5",
    "900101-14-5678",
    "1-2345-67890-12-1",
    "0101006500006",
    "1237 010180",
    "A123456789",
    "S1234567D",
    "01018012345",
    "身份证号 11010519491231002",
    "주민등록번호 9001011234567",
    "رقم الهوية 1023456789",
    "תעודת זהות 123456782",
    "ΑΦΜ 123456783",
    "αριθμός διαβατηρίου AE1234567",
    "pasaport no U12345678",
    "NIK 3201011234567890",
    "マイナンバー 123456789018",
    "dowód osobisty ABC123456",
    "číslo pasu 39123456",
    "személyi igazolvány 123456AB",
    "carte de identitate RX123456",
    "osobna iskaznica 112233445",
    "лична карта 645123456",
    "РНОКПП 3184710691",
    "carte d'identité 880692310285",
    "passaporto YA1234567",
    "passin numero XP1234567",
    "paso numeris 21234567",
    "pases numurs LV1234567",
    "passi number K1234567",
    "green card A123456789",
    "voter id XYZ1234567",
    "784-1980-1234567-6",
    "29001011234567",
    "35202-1234567-1",
    "iqama 2123456789",
    "NIN 12345678901",
    "IRD 49-091-850",
    "DUI 01234567-8",
)
ZONE = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"


@cases("number", NUMBERS)
def test_a_number_of_another_country_is_a_number_of_a_person(number: str) -> None:
    """By its own digits, or behind the word for it in its country's language."""
    digits = number.rsplit(maxsplit=1)[-1] if number[0] not in "12" else number
    assert digits not in redacted(f"He sent {number} today.", {}).text


@cases(
    "zone",
    [
        ZONE.replace("<", "&lt;"),
        ZONE.replace("<", "K"),
        ZONE.replace("<", "＜"),
        "| " + ZONE.replace("\n", " |\n| ") + " |",
        f"scan {ZONE.splitlines()[0]}.pdf",
        "D1NLD15094962111659VIJYE7RR63",
    ],
)
def test_a_zone_is_known_however_it_was_read(zone: str) -> None:
    shown = redacted(f"See\n{zone}\nend", {}).text
    assert not {"ERIKSSON", "L898902C3", "VIJYE7RR63"} & {
        word for word in ("ERIKSSON", "L898902C3", "VIJYE7RR63") if word in shown
    }


SPELLED = {
    "CARD": ("four one one one, one one one one, one one one one, one one one one",),
    "IBAN": ("LT one two one zero zero zero zero one one one zero one zero zero one zero zero zero",),
    "ID": ("double one five double zero two nine four three seven seven",),
    "REMOVED": ("four seven one one",),
}
"""What stands in the place of a number → such numbers, each digit a word."""


@pytest.mark.parametrize("kind", SPELLED)
def test_a_number_is_known_whose_digits_are_words(kind: str) -> None:
    """On the telephone and where somebody wants to get past the redaction."""
    for number in SPELLED[kind]:
        sent = redacted(
            f"He said: my PIN is {number}, and nobody has called since."
            if kind == "REMOVED"
            else f"It is {number}. Thanks",
            {},
        )
        assert re.sub(r"_\d", "", sent.text) in {
            f"He said: my PIN is [{kind}], and nobody has called since.",
            f"It is [{kind}]. Thanks",
        }, number
        assert not sent.placeholders or sent.placeholders[f"[{kind}_1]"] in number


@cases(
    "text",
    [
        "one, two, three, go",
        "Two of the seven papers came, four are missing.",
        "He has one account, three cards, nine letters and two phones.",
    ],
)
def test_words_that_count_are_no_number(text: str) -> None:
    assert redacted(text, {}).text == text


@cases(
    "row",
    [
        "| 4111 | 1111 | 1111 | 1111 |",
        "**4111** 1111 **1111** 1111",
        "`4111` `1111` `1111` `1111`",
        "| LT12 | 1000 | 0111 | 0100 | 1000 |",
        "**LT12** 1000 0111 0100 1000",
    ],
)
def test_a_number_is_known_in_a_table_and_between_marks(row: str) -> None:
    assert not set(re.findall(r"\d{4}|LT12", redacted(f"See {row} please", {}).text))
