"""Waiting for an answer from outside: no longer than until its deadline, whatever the other side does, and not at all once the worker is told to end.

The call goes on in a thread that nobody waits for at the end of the process; whoever waits holds no connection to the database.
"""

import queue
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from console.infra.jobs import PutBack

Answer = TypeVar("Answer")
_STOPPED: Any = object()
_waiting: set["queue.SimpleQueue[Any]"] = set()
_lock = threading.Lock()
_stopping = threading.Event()


class Late(Exception):
    """There is no answer yet."""


class _Failed(Generic[Answer]):
    def __init__(self, error: BaseException) -> None:
        self.error = error


def wait_for(seconds: float, do: Callable[[], Answer]) -> Answer:
    """The result of `do`, or its error. Raises Late if it takes longer, PutBack if the worker is stopping, so that another worker can do it."""
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
    with _lock:
        if _stopping.is_set():
            raise PutBack
        _waiting.add(answers)
    try:
        threading.Thread(target=_run_into, args=(do, answers), name="call", daemon=True).start()
        answer = answers.get(timeout=max(0.0, seconds))
    except queue.Empty:
        raise Late from None
    finally:
        with _lock:
            _waiting.discard(answers)
    if answer is _STOPPED:
        raise PutBack
    if isinstance(answer, _Failed):
        raise answer.error
    result: Answer = answer
    return result


def _run_into(do: Callable[[], Any], answers: "queue.SimpleQueue[Any]") -> None:
    try:
        answers.put(do())
    except BaseException as error:  # noqa: BLE001 (it is raised where somebody waits for it)
        answers.put(_Failed(error))


def stop() -> None:
    """Let nobody wait any longer in this process."""
    with _lock:
        _stopping.set()
        for answers in _waiting:
            answers.put(_STOPPED)


def start() -> None:
    """Let calls be waited for again."""
    _stopping.clear()
