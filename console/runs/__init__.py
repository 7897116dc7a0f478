"""Runs: start, complete, save, resume, revise, abort, take over, settle; reading, lists and replay."""

from console.runs import attachments
from console.runs.answering import overdue_proposals, proposed
from console.runs.approving import approve, reject
from console.runs.arrival import awaits
from console.runs.candidates import Candidate, candidates
from console.runs.engine import advance
from console.runs.following import look as follow, look_again, news
from console.runs.handing_over import arrive, assign, escalate, release, resume, save, step_in, take_over
from console.runs.lists import RunHead, find, head, held_by, live_ahead, live_counts, live_on, on_record, to_continue
from console.runs.preparing import ProposalContext, proposal_context
from console.runs.reach import says, shown_to
from console.runs.reading import PATH_SHOWN, foretold, get, noted, source_opened, title
from console.runs.rebuild import Difference, rebuild
from console.runs.replay import ReplayView, events, replay
from console.runs.reporting import receipt_of, report, reportable
from console.runs.rerunning import rerun
from console.runs.revising import Preview, abort, abort_preview, preview, revise
from console.runs.screens import record_shown
from console.runs.settling import check, retry, settle, stop_trying
from console.runs.store import ENGINE
from console.runs.supplying import propose_again, supply, supply_form
from console.runs.sweep import pick_up, sweep, wake
from console.runs.transitions import (
    cancel,
    complete,
    complete_and_look,
    draft,
    end_for_erasure,
    start,
)
from console.runs.view import RunView

__all__ = [
    "ENGINE",
    "PATH_SHOWN",
    "Candidate",
    "Difference",
    "Preview",
    "ProposalContext",
    "ReplayView",
    "RunHead",
    "RunView",
    "abort",
    "abort_preview",
    "advance",
    "approve",
    "arrive",
    "assign",
    "attachments",
    "awaits",
    "cancel",
    "candidates",
    "check",
    "complete",
    "complete_and_look",
    "draft",
    "end_for_erasure",
    "escalate",
    "events",
    "find",
    "follow",
    "foretold",
    "get",
    "head",
    "held_by",
    "live_ahead",
    "live_counts",
    "live_on",
    "look_again",
    "news",
    "noted",
    "on_record",
    "overdue_proposals",
    "pick_up",
    "preview",
    "proposal_context",
    "propose_again",
    "proposed",
    "rebuild",
    "receipt_of",
    "record_shown",
    "reject",
    "release",
    "replay",
    "report",
    "reportable",
    "rerun",
    "resume",
    "retry",
    "revise",
    "save",
    "says",
    "settle",
    "shown_to",
    "source_opened",
    "start",
    "step_in",
    "stop_trying",
    "supply",
    "supply_form",
    "sweep",
    "take_over",
    "title",
    "to_continue",
    "wake",
]
