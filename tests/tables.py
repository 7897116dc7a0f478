"""Tests of tables: many cases that are one test, since pytest takes longer for an item than a pure function takes for its answer."""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pytest

Test = Callable[..., None]


def cases(
    names: str | Sequence[str],
    rows: Iterable[Any],
    *,
    ids: Iterable[Any] | Callable[[Any], Any] | None = None,
) -> Callable[[Test], Test]:
    """As `pytest.mark.parametrize`, but one test: it goes through every row and names each that fails. Decorators add up likewise, into a product.

    For tests whose fixtures a case leaves as they were. A row may be a `pytest.param` with an id.
    """
    keys = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    every = list(_named(keys, list(rows), ids))

    def decorate(test: Test) -> Test:
        @functools.wraps(test)
        def run(*args: Any, **given: Any) -> None:
            failed: list[BaseException] = []
            for name, values in every:
                try:
                    test(*args, **given, **values)
                except (Exception, pytest.fail.Exception, BaseExceptionGroup) as error:  # noqa: BLE001 (told below)
                    error.add_note(f"in the case {name}")
                    failed.append(error)
            if len(failed) == 1:
                raise failed[0]
            if failed:
                raise BaseExceptionGroup(f"{len(failed)} of {len(every)} cases of {', '.join(keys)}", failed)

        whole = inspect.signature(test)
        left = [parameter for name, parameter in whole.parameters.items() if name not in keys]
        run.__signature__ = whole.replace(parameters=left)  # type: ignore[attr-defined]
        return run

    return decorate


def _named(
    keys: list[str], rows: list[Any], ids: Iterable[Any] | Callable[[Any], Any] | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    given = [None] * len(rows) if ids is None or callable(ids) else list(ids)
    for row, name in zip(rows, given, strict=True):
        marked = isinstance(row, type(pytest.param()))
        values = list(row.values) if marked else list(row) if len(keys) > 1 else [row]
        called = (
            (row.id if marked else None)
            or name
            or (", ".join(str(ids(value)) for value in values) if callable(ids) else None)
        )
        told = dict(zip(keys, values, strict=True))
        yield (
            str(called) if called else ", ".join(f"{key}={value!r:.200}" for key, value in told.items()),
            told,
        )
