"""Where blocks put what they show, so that nothing lies over another or stands alone."""

from itertools import pairwise
from typing import Any

from console.core.blocks.base import MOST_ENTRIES
from tests.core.test_blocks import AMOUNTS, COMPARISON, FACT, LETTER, LINE, SERIES, TREE, drawn, owner, points
from tests.tables import cases


def test_four_facts_stand_two_by_two() -> None:
    found = [drawn({"block": "facts", "facts": [FACT] * count}, hits=[])["columns"] for count in (1, 3, 4, 5)]
    assert found == [1, 3, 2, 3]


def test_words_about_a_line_lie_over_no_bar() -> None:
    assert drawn(SERIES, points=points(84, 50, 60), expected=100)["crowded"] is True
    assert drawn(SERIES, points=points(20, 50, 90), expected=100)["crowded"] is False


def test_an_owner_that_a_row_does_not_name_has_the_name_of_another_row_or_is_said_to_have_none() -> None:
    owners = [
        {"id": "a", "name": "Ada", "share": 50},
        {"id": "b", "of": "a", "name": "", "share": 100},
        {"id": "a", "of": "b", "name": "", "share": 100},
    ]
    rows = drawn({**TREE, "owners": [{**TREE["owners"][0], "name": "{{ entry.name }}"}]}, owners=owners)["rows"]
    assert [(row["name"], row["back"]) for row in rows] == [("Ada", ""), ("Without a name", ""), ("", "back to Ada")]


def test_an_entry_without_a_name_has_a_dash_for_its_label() -> None:
    lines = {"block": "comparison", "lines": [{"each": "variables.hits", "label": "{{ entry.name }}", "ours": "entry.name", "theirs": "1"}]}
    facts = {"block": "facts", "facts": [{"each": "variables.hits", "label": "{{ entry.name }}", "value": "1"}]}
    hits = [{"name": ""}]
    assert (drawn(lines, hits=hits)["lines"][0]["label"], drawn(facts, hits=hits)["facts"][0]["label"]) == ("–", "–")


def test_a_letter_of_blanks_is_none() -> None:
    assert drawn(LETTER, body=" \r\n\t\n ")["lines"] == []


def test_what_is_left_of_an_amount_that_nobody_knows_is_not_said() -> None:
    unknown = drawn(AMOUNTS, paid=None, back="60", now="0")
    assert (unknown["drawn"], [line["kind"] for line in unknown["lines"]]) == (False, ["whole", "before", "now"])


@cases("shape, ours, theirs, verdict", [
    ("money", "100", "100.00", "same"), ("percent", "72.0000", "72", "same"), ("number", "7", "seven", "differs"),
    ("day", "1966-09-23", "1966", "unknown"), ("day", "1966-09-23", "1967", "differs"), ("day", ["1966", "1970-01-02"], "1970-01-02", "same"),
])  # fmt: skip
def test_a_comparison_knows_that_figures_have_several_spellings_and_dates_may_be_a_year(
    shape: str, ours: Any, theirs: Any, verdict: str
) -> None:
    block = {"block": "comparison", "lines": [{**LINE, "as": shape}]}
    assert drawn(block, ours=ours, theirs=theirs)["lines"][0]["verdict"] == verdict


def test_of_several_values_those_that_agree_are_shown_first() -> None:
    (line,) = drawn(COMPARISON, ours=["CZ", "AT", "IL"], theirs=["IT", "at"])["lines"]
    assert [(line[side]["shown"], line[side]["aside"]) for side in ("ours", "theirs")] == [("AT", "and 2 more"), ("at", "and 1 more")]


def test_owners_that_no_chain_ties_to_the_company_are_named() -> None:
    circle = [{"id": name, "of": of, "share": "50"} for name, of in (("A", "B"), ("B", "A"), ("C", "C"), ("D", "D"), ("E", None))]
    assert drawn(TREE, owners=circle[:1] + circle[1:2])["apart"] == "No chain leads to this company from: A, B."
    assert drawn(TREE, owners=circle)["apart"] == "No chain leads to this company from: A, B, C and 1 more."
    assert drawn(TREE, owners=circle[4:])["apart"] == ""


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
    assert len(drawn(SERIES, points=[{"at": f"Invoice number {at}", "value": 1} for at in range(12)], expected=1)["names"]) == 3


def test_a_circle_of_owners_is_named_and_not_drawn_again() -> None:
    made = drawn({**TREE, "root": "'us'"}, owners=[owner("a", "us", 50), owner("b", "a", 100), owner("a", "b", 100), owner("c", "b", 40)])
    assert [(row["depth"], row["name"], row["back"]) for row in made["rows"]] == [
        (1, "a", ""),
        (2, "b", ""),
        (3, "", "back to a"),
        (3, "c", ""),
    ]
    assert made["rows"][3]["in_all"] == "20 %"
    assert len(drawn(TREE, owners=[owner("a", "a", 100)])["rows"]) <= 2
    ours = drawn({**TREE, "root": "'us'"}, owners=[owner("a", "us", 50), owner("us", "a", 30), owner("b", "us", 50)])
    assert [(row["name"], row["back"], row["in_all"]) for row in ours["rows"]] == [
        ("a", "", ""),
        ("", "back to us", ""),
        ("b", "", "50 %"),
    ], "a company that owns itself through others"
