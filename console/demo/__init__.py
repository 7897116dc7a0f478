"""Fernwick Pay, a made-up payment institution: its databases, papers, people and stories, generated afresh at each load."""

from collections.abc import Callable
from pathlib import Path


def load(
    data_dir: Path,
    reset: bool = False,
    progress: Callable[[int, str], None] | None = None,
    *,
    bare: bool = False,
) -> bool:
    """Have the demo in `data_dir` and on its server; whether anything was loaded. `progress` gets the per cent that are done and what comes next; None: nothing is reported. `bare`: no past weeks."""
    from console.demo import (
        loading,
    )  # the processes that draw papers import this package too, and need none of it

    return loading.load(data_dir, reset, progress or (lambda *_: None), bare=bare)


OPEN_MODULES = frozenset({"provider", "sign_in"})
