"""Named points at which a test can make the process fail: nothing without being asked, then exactly what was asked."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from console.infra import faults
from console.infra.faults import Fault, point

Ask = Callable[[str | None], None]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Sets what is asked for, with no point passed yet."""

    def asked(text: str | None) -> None:
        monkeypatch.setattr(faults, "_passes", type(faults._passes)())
        if text is None:
            monkeypatch.delenv("HANDRAIL_FAULT", raising=False)
        else:
            monkeypatch.setenv("HANDRAIL_FAULT", text)

    return asked


def fails(name: str) -> bool:
    """Whether passing the point raises its fault."""
    try:
        point(name)
    except Fault:
        return True
    return False


@pytest.mark.parametrize(
    ("asked", "names", "failing"),
    [
        (None, "aaa", "..."),
        ("", "aaa", "..."),
        ("a=raise", "aaa", "xxx"),
        ("a=raise", "bbb", "..."),
        ("a=raise", "bab", ".x."),
        ("a=raise@1", "aaa", "x.."),
        ("a=raise@2", "aaa", ".x."),
        ("a=raise@3", "aaa", "..x"),
        ("a=raise@4", "aaa", "..."),
        ("a=raise@2", "abab", "..x."),
        ("a=raise@2", "bbaa", "...x"),
        ("*=raise", "abc", "xxx"),
        ("*=raise@2", "abc", ".x."),
        ("*=raise@3", "abab", "..x."),
        ("a", "aaa", "..."),
        ("a=", "aaa", "..."),
        ("a=nothing", "aaa", "..."),
        ("a=RAISE", "aaa", "..."),
        ("=raise", "aaa", "..."),
        ("aa=raise", "aaa", "..."),
        ("A=raise", "aaa", "..."),
        ("a=raise@", "aa", "xx"),
        ("a=raise@02", "aaa", ".x."),
        ("a=sleep:0", "aaa", "..."),
        ("a=sleep:0@2", "aaa", "..."),
    ],
)
def test_which_passes_fail(ask: Ask, asked: str | None, names: str, failing: str) -> None:
    ask(asked)
    assert "".join("x" if fails(name) else "." for name in names) == failing


def test_every_point_is_failed_at_by_a_test() -> None:
    """A point that no test names says that a death there was thought of, and not that it was tried."""
    root = Path(faults.__file__).parents[1]
    points = {
        name
        for path in root.rglob("*.py")
        for name in re.findall(r'point\("([a-z_.]+)"\)', path.read_text("utf-8"))
    }
    tests = "".join(path.read_text("utf-8") for path in (root.parent / "tests").rglob("*.py"))
    named = set(re.findall(r'"([a-z_]+\.[a-z_.]+)(?:=[a-z]+[^"]*)?"', tests))
    assert len(points) > 30
    assert sorted(points - named) == []


@pytest.mark.parametrize("name", ["a", "append.before_commit", "step:done", "worker/claim"])
def test_a_fault_is_called_as_its_point(ask: Ask, name: str) -> None:
    ask(f"{name}=raise")
    with pytest.raises(Fault) as caught:
        point(name)
    assert str(caught.value) == name
    assert isinstance(caught.value, RuntimeError)


@pytest.mark.parametrize(
    ("asked", "kills"),
    [
        ("a=kill", 2),
        ("a=kill@2", 1),
        ("a=kill@3", 0),
        ("b=kill", 0),
        ("*=kill", 2),
        ("a=raisekill", 0),
        ("a=kill:4711@1", 1),
    ],
)
def test_how_often_a_point_kills_its_own_process(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, asked: str, kills: int
) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr("os.kill", lambda process, number: sent.append((process, number)))
    monkeypatch.setattr("os.getpid", lambda: 4711)
    ask(asked)
    point("a")
    point("a")
    assert sent == [(4711, 9)] * kills


@pytest.mark.parametrize("asked", ["a=sleep:", "a=sleep:soon", "a=raise@once"])
def test_what_cannot_be_read_stops_the_test_and_is_not_passed_over(ask: Ask, asked: str) -> None:
    ask(asked)
    with pytest.raises(ValueError, match="could not convert|invalid literal"):
        point("a")
