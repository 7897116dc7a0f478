"""Blocks of a letter, a series and a tree at their limits."""

from itertools import pairwise
from typing import Any

from console.core.blocks.base import MOST_ENTRIES
from tests.core.test_blocks import LETTER, LINE, SERIES, TREE, drawn, owner
from tests.tables import cases


@cases(
    "shape, ours, theirs, verdict",
    [
        ("money", "100", "100.00", "same"),
        ("percent", "72.0000", "72", "same"),
        ("number", "7", "seven", "differs"),
        ("day", "1966-09-23", "1966", "unknown"),
        ("day", "1966-09-23", "1967", "differs"),
        ("day", ["1966", "1970-01-02"], "1970-01-02", "same"),
    ],
)
def test_a_comparison_knows_that_figures_have_several_spellings_and_dates_may_be_a_year(
    shape: str, ours: Any, theirs: Any, verdict: str
) -> None:
    block = {"block": "comparison", "lines": [{**LINE, "as": shape}]}
    assert drawn(block, ours=ours, theirs=theirs)["lines"][0]["verdict"] == verdict


def test_a_letter_of_one_endless_line_unfolds_and_keeps_each_character() -> None:
    made = drawn(LETTER, body="ا" * 3_000 + "refund" + "ا" * 36_994, mark="refund")
    (first,), (rest,) = made["lines"], made["rest"]
    assert sum(len(words) for words, _ in first) == 40 * 72
    assert "".join(words for words, _ in [*first, *rest]) == "ا" * 3_000 + "refund" + "ا" * 36_994
    assert [words for words, on in rest if on] == ["refund"]


def test_characters_that_turn_the_reading_direction_are_left_out_of_a_letter_and_told() -> None:
    made = drawn(LETTER, body="pay \u202e00.021\u202c")
    assert (made["lines"], made["turns"]) == ([[("pay 00.021", False)]], 2)
    assert drawn(LETTER, body="שלום")["turns"] == 0


def test_a_million_points_cost_no_more_than_are_shown() -> None:
    made = drawn(SERIES, points=[{"at": "m", "value": 10**12}] * 1_000_000, expected=10**9)
    assert (len(made["rows"]), made["left_out"]) == (MOST_ENTRIES, 1_000_000 - MOST_ENTRIES)
    names = [float(name["x"]) for name in made["names"]]
    assert all(after - before > 10 for before, after in pairwise(names))
    assert (
        len(
            drawn(
                SERIES, points=[{"at": f"Invoice number {at}", "value": 1} for at in range(12)], expected=1
            )["names"]
        )
        == 2
    )


def test_a_circle_of_owners_is_named_and_not_drawn_again() -> None:
    made = drawn(
        {**TREE, "root": "'us'"},
        owners=[owner("a", "us", 50), owner("b", "a", 100), owner("a", "b", 100), owner("c", "b", 40)],
    )
    assert [(row["depth"], row["name"], row["back"]) for row in made["rows"]] == [
        (1, "a", ""),
        (2, "b", ""),
        (3, "", "back to a"),
        (3, "c", ""),
    ]
    assert made["rows"][3]["in_all"] == "20 %"
    assert len(drawn(TREE, owners=[owner("a", "a", 100)])["rows"]) <= 2
    ours = drawn(
        {**TREE, "root": "'us'"}, owners=[owner("a", "us", 50), owner("us", "a", 30), owner("b", "us", 50)]
    )
    assert [(row["name"], row["back"], row["in_all"]) for row in ours["rows"]] == [
        ("a", "", ""),
        ("", "back to us", ""),
        ("b", "", "50 %"),
    ], "a company that owns itself through others"
