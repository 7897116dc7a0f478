"""Codes that the comment of a column explains, and days in texts: what a sample of a table says of them."""

from console.records import sampling
from tests.core.test_collections import column, one
from tests.tables import cases


@cases(
    ("comment", "held", "options"),
    [
        ("A=active, C=closed", ["A", "C", "A"], {"A": "Active", "C": "Closed"}),
        ("Status: 'N' = new; 'P' = in progress\n'X' = gone.", ["N", ""], {"N": "New", "P": "In progress", "X": "Gone"}),
        ("Y: ja\nN: nein", ["Y"], {"Y": "Ja", "N": "Nein"}),
        ("Y=yes, N=no, I=ID missing", ["Y"], {"Y": "Yes", "N": "No", "I": "ID missing"}),
        ("m - männlich | w - weiblich", ["m", "w"], {"m": "Männlich", "w": "Weiblich"}),
        ("A=active, C=closed", ["A", "D"], {}),
        ("A=active, C=closed", ["a"], {}),
        ("A=active, C=closed", [""], {}),
        ("A=active, and others", ["A"], {}),
        ("A=active, A=away", ["A"], {}),
        ("Set by: the clerk, at night", ["Set"], {}),
        ("A=active", ["A"], {}),
    ],
)
def test_codes_that_a_comment_explains_are_shown_in_its_words(comment: str, held: list[str], options: dict[str, str]) -> None:
    state = column("state", comment=comment)
    sampling.note(state, held)
    shown = one(state).by_name["state"]
    assert {option.value: option.label for option in shown.options or ()} == options
    assert shown.type == ("enum" if options else "text")
    assert shown.help == comment


@cases(
    ("comment", "held", "options"),
    [
        ("1 = open, 2 = closed", [1, 2], {"1": "Open", "2": "Closed"}),
        ("Priority: 1 high; 2 normal; 3 low", [1], {"1": "High", "2": "Normal", "3": "Low"}),
        ("Risk class (0 = none, 1 = some)", [0, None, 1], {"0": "None", "1": "Some"}),
        ("-1 deleted, 0-new", [-1], {"-1": "Deleted", "0": "New"}),
        ("1 = open, 2 = closed", [1, 3], {}),
        ("5 days, 10 days", [5, 10], {}),
    ],
)
def test_codes_in_numbers_are_shown_in_the_words_of_their_comment(comment: str, held: list[int], options: dict[str, str]) -> None:
    state = column("status_no", "integer", comment=comment)
    sampling.note(state, held)
    shown = one(state).by_name["status_no"]
    assert {option.value: option.label for option in shown.options or ()} == options
    assert (shown.type, shown.widget) == ("integer", None if options else "plain")


def test_the_comment_gives_the_words_of_what_the_database_lists() -> None:
    sex = column("sex", comment="K = kvinne, M = mann, X = annet")
    assert [option.label for option in one(sex | {"options": ["M", "K"]}).by_name["sex"].options or ()] == ["Mann", "Kvinne"]
    assert [option.label for option in one(sex | {"options": ["M", "Q"]}).by_name["sex"].options or ()] == ["M", "Q"]


def test_what_must_be_filled_and_may_be_empty_keeps_that_among_explained_codes() -> None:
    sex = column("sex", comment="m=male, f=female") | {"nullable": False}
    sampling.note(sex, ["m", "", "f"])
    shown = one(sex).by_name["sex"]
    assert shown.blank
    assert [option.value for option in shown.options or ()] == ["m", "f", ""]


@cases(
    ("held", "named"),
    [
        ([f"{day:02}.11.2026" for day in range(1, 30)], False),
        ([f"2026/11/{day}" for day in range(1, 30)], False),
        ([f"2026-11-{day:02} 09:05" for day in range(1, 30)], False),
        ([f"2026-11-{day:04}" for day in range(1, 30)], True),
        ([*(f"{number}.{number}" for number in range(1, 30)), "<0.1"], False),
        ([f"{number:06}" for number in range(1, 30)], True),
    ],
)
def test_days_and_measured_values_in_texts_name_no_record(held: list[str], named: bool) -> None:
    told = column("remark_text")
    sampling.note(told, held)
    assert ("remark_text" in one(told).title) is named
