"""What is tried on one day, and on all days together."""

import pytest

from tests import samples


def test_every_case_has_its_day_and_whole_is_all(monkeypatch: pytest.MonkeyPatch) -> None:
    values = list(range(20))
    monkeypatch.setattr(samples, "whole", False)
    tried = list[list[int]]()
    for day in range(3):
        monkeypatch.setenv(samples.DAY, str(740_000 + day))
        tried.append(samples.sampled(values))
    assert sorted(value for one in tried for value in one) == values
    assert max(len(one) for one in tried) == 7
    monkeypatch.setattr(samples, "whole", True)
    assert samples.sampled(values) == values
