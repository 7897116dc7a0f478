"""How alike two texts are: the same as what a library in C says, of any texts, and in time for long ones."""

from hypothesis import given, strategies as st
from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from console.core.papers import similarity

TEXTS = st.text("ab é\U0001f600", max_size=40) | st.text(max_size=60)


@given(TEXTS, TEXTS)
def test_the_distance_is_that_of_levenshtein(one: str, other: str) -> None:
    assert similarity.distance(one, other) == Levenshtein.distance(one, other)


@given(TEXTS, TEXTS)
def test_the_ratio_is_that_of_the_longest_common_subsequence(one: str, other: str) -> None:
    assert abs(similarity.ratio(one, other) - fuzz.ratio(one, other)) < 1e-9


@given(
    st.lists(st.sampled_from(["ANNA", "BERG", "VAN", "DER"]), max_size=5),
    st.lists(st.sampled_from(["ANNA", "BERGH", "VAN"]), max_size=5),
)
def test_words_are_compared_in_their_order(one: list[str], other: list[str]) -> None:
    told = " ".join(one), " ".join(other)
    if all(told):
        assert abs(similarity.sorted_ratio(*told) - fuzz.token_sort_ratio(*told)) < 1e-9


def test_long_texts_are_compared_whole() -> None:
    one, other = "ab" * 10_000, "ab" * 9_990 + "ba" * 10
    assert similarity.distance(one, other) == Levenshtein.distance(one, other)
