"""Functions of higher packages that a lower one calls. `console.operations.wiring` is the only place that subscribes."""

from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
_connect: Callable[[], None] | None = None


def connect_at_first_use(connect: Callable[[], None]) -> None:
    """Call this when a list is first asked, in a process that mostly asks none: the command line."""
    global _connect  # noqa: PLW0603 (one for the process)
    _connect = connect


class Subscribers(Generic[P, R]):
    """What is called when something happens. A process that never subscribed would skip it in silence, so asking raises RuntimeError there."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.functions: list[Callable[P, R]] = []

    def subscribe(self, function: Callable[P, R]) -> None:
        """Have the function called too, once however often it subscribes."""
        if function not in self.functions:
            self.functions.append(function)

    def __call__(self, *args: P.args, **more: P.kwargs) -> list[R]:
        """Call each function, in the order in which they subscribed, and return what they return."""
        if not self.functions and _connect:
            _connect()
        if not self.functions:
            raise RuntimeError(
                f"Nobody subscribed to {self.topic}: call console.operations.wiring.connect() when the process starts."
            )
        return [function(*args, **more) for function in self.functions]
