"""One test of many cases: every case is tried, and those that fail are named."""

import pytest

from tests.tables import cases

seen: list[tuple[int, str]] = []


@cases("number", [1, 2])
@cases(("word", "twice"), [("a", "aa"), pytest.param("b", "bb", id="bee")])
def test_every_row_of_the_product_is_tried(number: int, word: str, twice: str) -> None:
    assert word * 2 == twice
    seen.append((number, word))


def test_all_of_them() -> None:
    assert seen == [(1, "a"), (1, "b"), (2, "a"), (2, "b")]


def notes(error: BaseException) -> list[str]:
    inside = [note for one in getattr(error, "exceptions", ()) for note in notes(one)]
    return [*inside, *getattr(error, "__notes__", ())]


def test_cases_that_fail_are_named_and_the_others_tried() -> None:
    tried = []

    @cases("word", ["x", pytest.param("y", id="why"), "z"])
    @cases("number", [1, 2], ids=["one", "two"])
    def inner(word: str, number: int) -> None:
        tried.append((word, number))
        if word == "y":
            pytest.fail("no")
        assert (word, number) != ("x", 2)

    with pytest.raises(BaseExceptionGroup, match="2 of 3 cases of word") as failed:
        inner()
    assert len(tried) == 6
    assert notes(failed.value) == [
        "in the case two",
        "in the case word='x'",
        "in the case one",
        "in the case two",
        "in the case why",
    ]


def test_what_stops_the_suite_stops_it_here() -> None:
    @cases("number", [1, 2], ids=str)
    def inner(number: int) -> None:
        raise KeyboardInterrupt(number)

    with pytest.raises(KeyboardInterrupt, match="1"):
        inner()


@pytest.mark.parametrize("rows", [[(1,)], [(1, 2, 3)]])
def test_a_row_has_as_many_values_as_there_are_names(rows: list[tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match="argument"):
        cases("a,b", rows)
