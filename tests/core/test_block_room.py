"""Where blocks put what they show, so that nothing lies over another or stands alone."""

from tests.core.test_blocks import AMOUNTS, FACT, LETTER, SERIES, TREE, drawn, points


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
