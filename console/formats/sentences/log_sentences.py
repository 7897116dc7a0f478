"""Sentences of events about the log itself, what is kept in it and how long, and the processes that write it."""

from collections.abc import Callable, Mapping

from console.formats.sentences.sentence_parts import Parts, after, escape_braces, in_brackets


def _process_started(parts: Parts) -> str:
    return f"A {escape_braces(parts.text('process', 'mode') + ' ').lstrip()}process started{{version}}"


def _log_read(parts: Parts) -> str:
    return "{who} read the activity log" + in_brackets(parts.count("count", "event", "events"))


def _log_exported(parts: Parts) -> str:
    return "{who} exported the activity log{text_format: as }" + in_brackets(
        after("from the first ", parts.count("size", "event", "events"))
    )


def _values_expired(parts: Parts) -> str:
    values = parts.count("count", "value", "values") or "Values"
    return f"{values} past the time limit{{words_category: for }} were deleted"


def _subject_erased(parts: Parts) -> str:
    return "{who} erased what the log held about a person" + in_brackets(
        parts.count("count", "value", "values")
    )


def _log_restored(parts: Parts) -> str:
    lost = parts.count("lost", "event", "events")
    return "{who} restored the console from a backup" + in_brackets(
        f"{lost} lost" if parts.text("lost") not in {"", "0"} else ""
    )


LOG: Mapping[str, str | Callable[[Parts], str]] = {
    "process_started": _process_started,
    "log_read": _log_read,
    "log_exported": _log_exported,
    "values_expired": _values_expired,
    "silence_noted": lambda parts: (
        "Nothing had been written for an hour"
        + escape_braces(after(" after ", parts.count("size", "event", "events")))
    ),
    "signing_key_changed": "{who} changed the key that signs checkpoints",
    "subject_erased": _subject_erased,
    "hold_placed": "{who} placed a hold on what is held about a person",
    "hold_released": "{who} lifted a hold on what is held about a person",
    "log_damaged": "{who} found that the activity log is not in order{text_position:, first at place }",
    "log_rebuilt": lambda parts: (
        "{who} made the "
        + ("list of events" if parts.text("part") == "list" else "tree of the log")
        + " anew from the events"
    ),
    "activity_archived": "{who} archived old events{text_first:, from place }{text_last: to place }",
    "activity_attached": "{who} put archived events back into the list{text_first:, from place }{text_last: to place }",
    "backup_made": "{who} made a backup",
    "log_restored": _log_restored,
}
"""Kind → template, or the function that makes one."""
