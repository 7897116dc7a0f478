"""Whether two JSON values are the same."""

from typing import Any


def same_json(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same: texts to the letter, numbers by value, `true` and 1 told apart at every depth."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(item, other[name]) for name, item in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)
