"""The states of the breaker: given, when, then. No clock, no network."""

import json
from typing import get_args

from hypothesis import given, strategies as st

from console.ai import breaker
from console.ai.breaker import (
    COUNTED,
    LASTING,
    State,
    admit,
    failed,
    read_state,
    record_failure,
    stored,
    succeeded,
)
from console.core.proposal_types import Code
from tests.tables import cases

NOW = 1_790_000_000.0
CODES: tuple[Code, ...] = get_args(Code)


def after(*failures: float, code: Code = "timeout", state: State | None = None) -> State:
    """The state after failures so many seconds after NOW."""
    made = state or State("f")
    for at in failures:
        made = failed(made, NOW + at, code)
    return made


OPEN = after(0, 1, 2, 3, 4)


def test_at_first_it_is_closed() -> None:
    assert State("f").phase(NOW) == "closed"
    assert admit(State("f"), NOW) == (True, State("f"))


@cases(
    ("at", "phase"),
    [
        ((), "closed"),
        ((0,), "closed"),
        ((0, 1, 2, 3), "closed"),
        ((0, 1, 2, 3, 4), "open"),
        ((0, 0, 0, 0, 0), "open"),
        ((0, 10, 20, 30, 59), "open"),
        ((0, 10, 20, 30, 60), "closed"),
        ((0, 1, 2, 3, 60.5), "closed"),
        ((0, 1, 2, 3, 60.5, 60.6), "open"),
        ((0, 30, 31, 32, 61, 62), "open"),
        ((0, 20, 40, 60, 80, 100, 120), "closed"),
        ((0, 14, 28, 42, 56), "open"),
    ],
)
def test_five_failures_within_a_minute_open_it(at: tuple[float, ...], phase: str) -> None:
    assert after(*at).phase(NOW + max(at, default=0)) == phase


@cases("code", [code for code in CODES if code not in COUNTED | LASTING])
def test_what_tells_of_one_request_does_not_count(code: Code) -> None:
    assert after(0, 1, 2, 3, 4, 5, code=code) == State("f")


@cases("code", sorted(COUNTED))
def test_what_tells_of_the_provider_counts(code: Code) -> None:
    assert after(0, 1, 2, 3, 4, code=code).phase(NOW + 5) == "open"


@cases(
    ("seconds", "let"), [(0, False), (4, False), (63.9, False), (64, True), (64.1, True), (1_000_000, True)]
)
def test_open_it_lets_nobody_through_for_a_minute_and_then_one(seconds: float, let: bool) -> None:
    through, state = admit(OPEN, NOW + seconds)
    assert through is let
    if through:
        assert admit(state, NOW + seconds) == (False, state)


def test_the_one_that_succeeds_closes_it() -> None:
    _, state = admit(OPEN, NOW + 70)
    assert succeeded(state) == State("f")


def test_the_one_that_fails_opens_it_for_another_minute() -> None:
    _, state = admit(OPEN, NOW + 70)
    state = failed(state, NOW + 75, "overloaded")
    assert [state.phase(NOW + at) for at in (75, 134, 135)] == ["open", "open", "trial"]
    assert state.code == "overloaded"


def test_the_one_that_fails_by_itself_shows_that_the_provider_answers() -> None:
    _, state = admit(OPEN, NOW + 70)
    assert failed(state, NOW + 75, "refused") == State("f")


def test_the_one_of_which_nothing_is_heard_holds_nobody_up_for_long() -> None:
    _, state = admit(OPEN, NOW + 70)
    assert not admit(state, NOW + 129)[0]
    assert admit(state, NOW + 130)[0]


@cases("code", sorted(LASTING))
def test_a_refusal_opens_it_at_once_and_lets_one_a_minute_see_whether_it_was_mended(code: Code) -> None:
    state = after(0, code=code)
    assert (state.phase(NOW + 59), state.phase(NOW + 60)) == ("open", "trial")
    assert failed(state, NOW + 1, "timeout") == state
    through, trying = admit(state, NOW + 70)
    assert (through, admit(trying, NOW + 71)[0]) == (True, False)
    again = failed(trying, NOW + 72, code)
    assert (again.phase(NOW + 131), again.code, again.lasting, record_failure(trying, again)) == (
        "open",
        code,
        True,
        False,
    )
    other = failed(trying, NOW + 72, "timeout")
    assert (other.phase(NOW + 131), other.code, other.lasting) == ("open", code, True)
    assert succeeded(trying) == State("f")


@cases("code", sorted(LASTING))
def test_it_is_over_when_the_settings_change_or_a_test_goes_well(code: Code) -> None:
    kept = stored(after(0, code=code))
    assert read_state(kept, "f").phase(NOW) == "open"
    assert read_state(kept, "g") == State("g")
    assert succeeded(read_state(kept, "f")) == State("f")
    assert read_state({**kept, "until": None}, "f").phase(NOW) == "trial", "as an earlier release kept it"


steps = st.lists(
    st.tuples(st.floats(0, 40, allow_nan=False), st.sampled_from(["ask", "well", *CODES])), max_size=60
)


@given(steps)
def test_whatever_happens_it_opens_only_after_failures_and_lets_somebody_through_again(
    walk: list[tuple[float, str]],
) -> None:
    state, now = State("f"), NOW
    counted = 0
    for wait, what in walk:
        now += wait
        if what == "ask":
            _, state = admit(state, now)
        elif what == "well":
            state = succeeded(state)
        else:
            code: Code = what  # type: ignore[assignment]
            counted += breaker.FAILURES if code in LASTING else code in COUNTED
            state = failed(state, now, code)
        assert len(state.failures) < breaker.FAILURES
        assert read_state(json.loads(json.dumps(stored(state))), "f") == state
        if state.until is not None:
            assert counted >= breaker.FAILURES
            assert admit(state, now + breaker.OPEN_S + breaker.TRIAL_S)[0]
        assert state.until is not None or not state.lasting
