"""Each class of error: its status, code and shape."""

from typing import Any

import pytest

from console.core.errors import (
    Conflict,
    ConsoleError,
    DefinitionError,
    IntegrationError,
    Invalid,
    Malformed,
    NotAllowed,
    NotFound,
    OutcomeUnknown,
    SourceDown,
    TooMany,
)
from console.infra.settings import SettingsError

CLASSES: list[tuple[type[ConsoleError], int, str]] = [
    (ConsoleError, 400, "error"),
    (Malformed, 400, "malformed"),
    (NotAllowed, 403, "not_allowed"),
    (NotFound, 404, "not_found"),
    (Conflict, 409, "conflict"),
    (Invalid, 422, "invalid"),
    (TooMany, 429, "too_many"),
    (SourceDown, 503, "source_down"),
    (DefinitionError, 422, "definition"),
    (IntegrationError, 502, "integration"),
    (OutcomeUnknown, 504, "outcome_unknown"),
    (SettingsError, 400, "settings"),
]
NAMES = [made.__name__ for made, _, _ in CLASSES]
every_class = pytest.mark.parametrize(("made", "status", "code"), CLASSES, ids=NAMES)


@every_class
def test_status_and_code_of_a_class(made: type[ConsoleError], status: int, code: str) -> None:
    assert (made.status, made.default_code) == (status, code)
    assert made("Stop.").code == code


@every_class
def test_a_code_of_its_own_stands_in_place_of_the_default(
    made: type[ConsoleError], status: int, code: str
) -> None:
    error = made("Stop.", code="run_live")
    assert error.to_json()["code"] == "run_live"
    assert (error.status, made.default_code) == (status, code)


@every_class
def test_what_an_error_adds_stands_beside_its_message(
    made: type[ConsoleError], status: int, code: str
) -> None:
    said = made(
        "Stop.", details=[{"field": "amount", "reason": "Too much."}], run_id="run_1", retry_after=3
    ).to_json()
    assert said == {
        "code": code,
        "message": "Stop.",
        "details": [{"field": "amount", "reason": "Too much."}],
        "run_id": "run_1",
        "retry_after": 3,
    }
    assert made.status == status


@every_class
def test_every_class_is_caught_as_a_console_error(made: type[ConsoleError], status: int, code: str) -> None:
    with pytest.raises(ConsoleError, match="^Stop$") as caught:
        raise made("Stop")
    assert (caught.value.status, caught.value.code) == (status, code)
    assert made.__doc__


def test_no_two_classes_share_a_code() -> None:
    assert len({code for _, _, code in CLASSES}) == len(CLASSES)


def test_details_are_copies_of_what_was_given() -> None:
    detail: dict[str, Any] = {"field": "a", "reason": "Empty."}
    given = [detail]
    error = Invalid("Stop.", details=given)
    detail["field"] = "b"
    given.clear()
    assert error.details == [{"field": "a", "reason": "Empty."}]


class TestNotFound:
    """What is hidden and what is not there get the same answer."""

    @pytest.mark.parametrize(
        "more", [{}, {"code": "gone"}, {"run_id": "run_1"}], ids=["plain", "code", "extra"]
    )
    def test_the_answer_is_the_same_word_for_word(self, more: dict[str, Any]) -> None:
        hidden, missing = NotFound(hidden=True, **more), NotFound(**more)
        assert hidden.to_json() == missing.to_json()
        assert str(hidden) == str(missing)
        assert (hidden.hidden, missing.hidden) == (True, False)

    def test_it_says_both_possibilities_unless_told_otherwise(self) -> None:
        assert NotFound().message == "There is nothing here, or it is outside what you may see."
        assert NotFound("There is no such page.").message == "There is no such page."


# --- checkpoints: what is refused as malformed, what as unsigned --------------------------------------------------------------------

SEED, OTHER = bytes(range(32)), bytes(range(1, 33))


# --- the tree: indices and sizes that never were ------------------------------------------------------------------------------------


# --- settings: what stops the start -------------------------------------------------------------------------------------------------
