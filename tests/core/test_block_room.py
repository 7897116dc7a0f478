"""Where blocks put what they show, so that nothing lies over another or stands alone."""

from tests.core.test_blocks import FACT, SERIES, drawn, points


def test_four_facts_stand_two_by_two() -> None:
    found = [drawn({"block": "facts", "facts": [FACT] * count}, hits=[])["columns"] for count in (1, 3, 4, 5)]
    assert found == [1, 3, 2, 3]


def test_words_about_a_line_lie_over_no_bar() -> None:
    assert drawn(SERIES, points=points(84, 50, 60), expected=100)["crowded"] is True
    assert drawn(SERIES, points=points(20, 50, 90), expected=100)["crowded"] is False
