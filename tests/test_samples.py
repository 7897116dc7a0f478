"""What is tried on one day, and on all days together."""

import pytest

from tests import long_tests, samples


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


def test_what_rotates_has_its_day_in_the_suite_and_always_runs_by_its_path(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    def item(name: str, *, rotating: bool) -> pytest.Item:
        made = pytest.Function.from_parent(request.node.parent, name=name, callobj=lambda: None)
        if rotating:
            made.add_marker(pytest.mark.rotating)
        return made

    always = item("test_always", rotating=False)
    items = [always, *(item(f"test_cases[{number}]", rotating=True) for number in range(7)), item("test_alone", rotating=True)]
    monkeypatch.setattr(samples, "whole", False)
    monkeypatch.setenv(samples.SUITE, "1")
    tried = list[str]()
    for day in range(samples.ROUND):
        monkeypatch.setenv(samples.DAY, str(740_000 + day))
        today, others = samples.due(items)
        assert always in today
        assert sorted(one.name for one in [*today, *others]) == sorted(one.name for one in items)
        tried += [one.name for one in today if one is not always]
    assert sorted(tried) == sorted(one.name for one in items if one is not always)
    monkeypatch.delenv(samples.SUITE)
    assert samples.due(items) == (items, [])
    monkeypatch.setenv(samples.SUITE, "1")
    monkeypatch.setattr(samples, "whole", True)
    assert samples.due(items) == (items, [])


def test_files_with_a_long_preparation_have_one_day_for_all_that_rotates_in_them(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    folder = request.path.parent / "journeys"
    module = pytest.Module.from_parent(request.node.parent.parent, path=folder / "test_lived_in.py")
    items = [pytest.Function.from_parent(module, name=f"test_{number}", callobj=lambda: None) for number in range(4)]
    for item in items:
        item.add_marker(pytest.mark.rotating)
    monkeypatch.setattr(samples, "whole", False)
    monkeypatch.setenv(samples.SUITE, "1")
    found = list[int]()
    for day in range(samples.ROUND):
        monkeypatch.setenv(samples.DAY, str(740_000 + day))
        found.append(len(samples.due(list(items))[0]))
    assert sorted(found) == [0] * (samples.ROUND - 1) + [4]


def test_long_tests_rotate_unless_they_are_marked_daily(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    long, new, daily = (
        pytest.Function.from_parent(request.node.parent, name=name, callobj=lambda: None) for name in ("long", "new", "daily")
    )
    other = pytest.Function.from_parent(request.node.parent, name="other", callobj=lambda: None)
    other.add_marker(pytest.mark.daily)
    other.add_marker(pytest.mark.rotating, append=False)  # closer, as that of a function is than that of its module
    daily.add_marker(pytest.mark.daily)
    monkeypatch.setattr(samples, "SECONDS", {long.nodeid: 3.5, daily.nodeid: 60.0})
    assert [samples.rotates(item) for item in (long, new, daily, other)] == [True, False, False, True]


def test_a_report_of_durations_becomes_the_longest_case_of_each_test() -> None:
    report = """
0.50s setup    tests/a.py::test_a[1]
0.40s call     tests/a.py::test_a[1]
0.80s call     tests/a.py::test_a[2]
0.30s call     tests/a.py::test_short
"""
    assert long_tests.measured(report) == {"tests/a.py::test_a": 0.9}
