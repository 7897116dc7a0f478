import pytest
from hypothesis import given, strategies as st

from console.ai.statistics import wilson_lower
from tests.tables import cases


@cases(
    "agreed, cases_, lower",
    [
        (125, 125, 0.970),
        (199, 200, 0.972),
        (493, 500, 0.971),
        (50, 50, 0.929),
        (0, 10, 0.0),
        (5, 10, 0.237),
        (1, 1, 0.207),
        (30, 30, 0.886),
        (90, 100, 0.826),
    ],
)
def test_the_lower_bound_is_wilsons(agreed: int, cases_: int, lower: float) -> None:
    assert wilson_lower(agreed, cases_) == pytest.approx(lower, abs=0.0006)


@cases(
    "agreed, cases_, passes",
    [
        (125, 125, True),
        (199, 200, True),
        (493, 500, True),
        (124, 124, False),
        (124, 125, False),
        (198, 200, False),
        (492, 500, False),
        (50, 50, False),
        (0, 0, False),
    ],
)
def test_the_gate_to_automatic_needs_enough_blind_cases(agreed: int, cases_: int, passes: bool) -> None:
    assert (cases_ >= 125 and wilson_lower(agreed, cases_) >= 0.97) is passes


@given(st.integers(0, 400), st.integers(0, 400))
def test_the_bound_is_below_the_rate_and_never_leaves_the_unit(agreed: int, more: int) -> None:
    cases_ = agreed + more
    low = wilson_lower(agreed, cases_)
    assert 0.0 <= low <= 1.0
    if cases_:
        assert low <= agreed / cases_ + 1e-12
