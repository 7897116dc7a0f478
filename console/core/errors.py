"""The errors that a person or a program is told about.

Each carries a `code` for programs, a `message` for the person who can act on it (what happened, to what, what to do next)
and `details`, one `{"field", "reason"}` per thing that is wrong. `status` is the HTTP status that the doors answer with.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

Detail = Mapping[str, Any]
MOST_DETAILS = 100
"""So many are told to a program: it may have sent a hundred thousand wrong fields."""


class ConsoleError(Exception):
    """Something the caller can act on. A detail may be given as (field, reason).

    `at` is the one detail there is: (field, reason), or the field alone, of which the message is the reason.
    """

    status: ClassVar[int] = 400
    default_code: ClassVar[str] = "error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        details: Iterable[Detail | tuple[str, str]] = (),
        at: tuple[str, str] | str | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        if at is not None:
            details = [(at, message) if isinstance(at, str) else at]
        self.details: list[dict[str, Any]] = [
            {"field": each[0], "reason": each[1]} if isinstance(each, tuple) else dict(each)
            for each in details
        ]
        self.extra = extra

    @property
    def words(self) -> str:
        """The message as pages say it, where names of rights stand in words."""
        return self.message

    @property
    def reasons(self) -> list[str]:
        """What the details add to the message, each reason once: pages show both, and nothing is said twice."""
        given = dict.fromkeys(str(detail.get("reason") or "") for detail in self.details)
        return [reason for reason in given if reason and reason not in self.words]

    def to_json(self) -> dict[str, Any]:
        """`{code, message, details}` and what the error adds (`run_id` of a live run)."""
        return {
            "code": self.code,
            "message": self.message,
            "details": self.details[:MOST_DETAILS],
            **self.extra,
        }


class Malformed(ConsoleError):
    """What was sent cannot be read; nothing was done."""

    status = 400
    default_code = "malformed"


class NotAllowed(ConsoleError):
    """The right that this needs is missing; the message names it and who can grant it."""

    status = 403
    default_code = "not_allowed"

    def __init__(
        self,
        message: str,
        *,
        need: tuple[str, str] = ("", ""),
        team: str | None = None,
        words: str | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message, **more)
        self.need = need
        self._words = words
        self.team = team  # the team in which it was judged; none: in all of the person's

    @property
    def words(self) -> str:
        """The message with the right in words (`start KYC review`), not by its name (`workflow.start`)."""
        return self._words or self.message


class NotFound(ConsoleError):
    """There is no such thing, or it is out of the caller's scope: the answer is the same, word for word.

    `hidden` is true where the thing exists: then the refusal is an event, and the answer does not differ. `record` (collection, key) was not
    in somebody's scope: whether it exists is found out where the refusal is written down, and not for callers that go on without it.
    """

    status = 404
    default_code = "not_found"

    def __init__(
        self,
        message: str = "There is nothing here, or it is outside what you may see.",
        *,
        hidden: bool = False,
        record: tuple[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message, **more)
        self.hidden, self.record = hidden, record


class Conflict(ConsoleError):
    """Things moved in the meantime; nothing was changed, and the details say what is there now."""

    status = 409
    default_code = "conflict"


class Invalid(ConsoleError):
    """What was sent is readable and wrong; one detail per field."""

    status = 422
    default_code = "invalid"


class TooMany(ConsoleError):
    """Too many attempts; try again after `retry_after` seconds."""

    status = 429
    default_code = "too_many"


class SourceDown(ConsoleError):
    """The data source does not answer, or no longer has what is asked for; what was typed is kept. `passing`: in a moment it may answer."""

    status = 503
    default_code = "source_down"

    def __init__(self, message: str, *, passing: bool = False, **more: Any) -> None:
        super().__init__(message, **more)
        self.passing = passing

    @property
    def awaited_source(self) -> str | None:
        """The data source whose return is worth a try at once: it does not answer, or is paused. None where it answers, and was slow, busy or locked."""
        waits = self.passing and ("since" in self.extra or self.code == "source_paused")
        return str(self.extra["source"]) if waits else None


class SourceChanged(SourceDown):
    """The data source has this table or column no more, or not as it was; the console looks at it again and says what it found."""

    default_code = "source_changed"


class TooSlow(SourceDown):
    """The data source did not answer within the time that a statement is given, so it was told to stop: what it would have found is not known."""


class DefinitionError(ConsoleError):
    """A workflow, collection or expression that cannot be used: each detail names step, field and reason."""

    status = 422
    default_code = "definition"


class IntegrationError(ConsoleError):
    """Another system did not do what it was asked; nothing happened there. `permanent`: asking again will not help; `wait_s`: how long it asks to wait.

    `said` is what it says itself, in one short line: it may name somebody, so that it is kept sealed, and shown to whoever may read the message alone.
    """

    status = 502
    default_code = "integration"

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        wait_s: float | None = None,
        said: str = "",
        **more: Any,
    ) -> None:
        super().__init__(message, **more)
        self.permanent, self.wait_s, self.said = permanent, wait_s, said


class OutcomeUnknown(ConsoleError):
    """Another system was asked and has not answered: it may have done it, or not."""

    status = 504
    default_code = "outcome_unknown"
