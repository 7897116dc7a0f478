"""A run as a process holds it."""

from dataclasses import dataclass, replace

from console.core.run import Attempt, Run, copied
from console.runs.store.latest import Left, latest


@dataclass(frozen=True, slots=True)
class Loaded:
    """A run with the hash of its last event (`head`) and the person whose values it holds (`subject`).

    `whole`: every attempt is there. `left` counts the attempts of a long run that are left out. With neither, only the open attempt is there.
    """

    run: Run
    head: bytes
    subject: str | None
    whole: bool = True
    left: Left | None = None

    @property
    def shows(self) -> bool:
        """Whether it has the attempts that a page shows."""
        return self.whole or self.left is not None


def trim_to_shown(loaded: Loaded) -> Loaded:
    """The run with only the attempts that a page shows."""
    if not loaded.shows:
        return loaded
    attempts, left = latest(loaded.run, loaded.left)
    return loaded if left is loaded.left else with_attempts(replace(loaded, left=left), attempts)


def with_attempts(loaded: Loaded, attempts: dict[int, Attempt]) -> Loaded:
    """The run with these attempts alone."""
    run = copied(loaded.run)
    run.attempts = attempts
    return replace(loaded, run=run, whole=False)


def open_attempt_only(run: Run) -> dict[int, Attempt]:
    """The open attempt alone, as commands need it."""
    return {n: attempt for n, attempt in run.attempts.items() if n == run.current}
