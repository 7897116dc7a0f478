"""Runs: start, complete, save, resume, revise, abort, take over, settle; reading, lists and replay."""

from console.runs.engine import advance
from console.runs.lists import RunHead, find, held_by, live_on, on_record, to_continue
from console.runs.reading import Preview, get, preview, source_opened
from console.runs.rebuild import Difference, rebuild
from console.runs.replay import ReplayView, events, replay
from console.runs.sweep import pick_up, sweep, wake
from console.runs.transitions import (
    abort,
    cancel,
    complete,
    complete_and_look,
    draft,
    end_for_erasure,
    release,
    resume,
    retry,
    revise,
    save,
    settle,
    start,
    take_over,
)
from console.runs.view import RunView

__all__ = [
    "Difference",
    "Preview",
    "ReplayView",
    "RunHead",
    "RunView",
    "abort",
    "advance",
    "cancel",
    "complete",
    "complete_and_look",
    "draft",
    "end_for_erasure",
    "events",
    "find",
    "get",
    "held_by",
    "live_on",
    "on_record",
    "pick_up",
    "preview",
    "rebuild",
    "release",
    "replay",
    "resume",
    "retry",
    "revise",
    "save",
    "settle",
    "source_opened",
    "start",
    "sweep",
    "take_over",
    "to_continue",
    "wake",
]
