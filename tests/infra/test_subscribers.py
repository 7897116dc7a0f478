"""Lists of what higher packages want to hear."""

import pytest

from console.infra import subscribers
from console.infra.subscribers import Subscribers


def test_each_is_called_once_in_turn_and_gives_its_answer() -> None:
    changes = Subscribers[[int], int]("changes")
    for function in (abs, int.bit_count, abs):
        changes.subscribe(function)
    assert changes(-7) == [7, 3]


def test_what_nobody_subscribed_to_is_an_error_unless_that_can_still_be_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changes = Subscribers[[int], int]("changes")
    monkeypatch.setattr(subscribers, "_connect", None)
    with pytest.raises(RuntimeError, match="changes"):
        changes(1)
    subscribers.connect_at_first_use(lambda: changes.subscribe(abs))
    assert changes(-1) == [1]
